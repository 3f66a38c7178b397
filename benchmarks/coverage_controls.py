"""Do strengths with length and style held equal hold what they promise? Coverage over many simulated data sets.

    python -m benchmarks.coverage_controls [--runs 500] [--workers 2]

Taste differs by prompt, for models and for each factor. Every run draws prompts, answers and verdicts. Held against the
pseudo-true value: the same model fitted to the exact expected verdicts of very many answers. Promised: 93-97 % over all
parameters of a kind, 91-98.5 % for each.
"""

from __future__ import annotations

import os

# Two processes share two cores: each with one thread for its small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from analysis.cells import Cells, Floats
from analysis.controls import Contrast, Controlled, control
from analysis.strengths import coefficient_index
from analysis.vcov import Covariance, choose_clustering
from benchmarks.repeat import repeat, report
from errors import JurylensError

POOLED = (0.93, 0.97)
EACH = (0.91, 0.985)
QUANTITIES = ("raw strengths", "controlled strengths", "change", "coefficients")
FACTORS = ("words", "lists", "headers")
NODES = np.polynomial.hermite_e.hermegauss(60)
MANY = 300_000


@dataclass(frozen=True)
class World:
    """Models whose answers differ in style, and people who care.

    strength : (n_models,) log-odds; weight : (3,) of each factor for one scale unit; pairs : a prompt
    model_sd, slope_sd : of people's taste by prompt, for each model and each factor; tie : half-width of indifference
    position : log-odds that the answer shown first gains
    """

    name: str
    prompts: int
    pairs: int
    models: int = 8
    weight: tuple[float, float, float] = (0.5, 0.3, 0.4)
    model_sd: float = 0.5
    slope_sd: float = 0.3
    tie: float = 0.3
    position: float = 0.0

    @property
    def strength(self) -> Floats:
        return np.asarray(np.linspace(-0.8, 0.8, self.models)[np.random.default_rng(1).permutation(self.models)])


def worlds() -> tuple[World, ...]:
    """The worlds that are looked at, headline first."""
    return (
        World("200 prompts", 200, 10),
        World("100 prompts", 100, 20),
        World("200 prompts, position, nothing cared for", 200, 10, weight=(0.0, 0.0, 0.0), position=0.4),
        World("100 prompts, 20 models", 100, 40, models=20),
        World("13 prompts", 13, 150),
        World("13 prompts, strong taste", 13, 150, model_sd=1.0, slope_sd=0.6),
    )


def draw_answers(of: World, prompt: np.ndarray, model: np.ndarray, rng: np.random.Generator) -> Floats:
    """(n, 3) words, lists and headers of answers: better models write longer, some like lists, headers are rare."""
    liking = np.linspace(-1, 1, of.models)[model]
    long = rng.standard_normal(int(prompt.max()) + 1)[prompt]
    words = np.round(np.exp(4.6 + 0.4 * liking + 0.4 * long + 0.4 * rng.standard_normal(len(model))))
    lists = rng.poisson(np.exp(0.5 - 0.8 * liking + 0.3 * long))
    headers = rng.poisson(0.15, len(model))
    return np.column_stack([words, lists, headers]).astype(np.float64)


def draw_pairs(of: World, prompt: np.ndarray, rng: np.random.Generator) -> tuple[Cells, Floats, Floats]:
    """Cells without verdicts, and the (n, 3) factors of both answers."""
    n = len(prompt)
    i = rng.integers(0, of.models, n)
    j = (i + rng.integers(1, of.models, n)) % of.models
    a, b = draw_answers(of, np.concatenate([prompt, prompt]), np.concatenate([i, j]), rng).reshape(2, n, 3)
    names = tuple(f"m{k:02}" for k in range(of.models))
    first = rng.choice([-1.0, 1.0], n) if of.position else None
    ones = np.ones(n)
    cells = Cells(names, i, j, ones, ones / 2, ones.astype(np.int64), first, {"prompt": prompt, "pair": np.arange(n)})
    return cells, a, b


def scales(of: World) -> Floats:
    """(3,) root mean square differences over very many pairs; a study takes those of its whole dataset as given."""
    rng = np.random.default_rng(7)
    _, a, b = draw_pairs(of, np.arange(MANY), rng)
    return np.asarray(np.sqrt(((a - b) ** 2).mean(axis=0)))


def fit(of: World, cells: Cells, a: Floats, b: Floats, scale: Floats) -> Controlled:
    contrasts = {name: Contrast(a[:, k], b[:, k], float(scale[k])) for k, name in enumerate(FACTORS)}
    clustering = choose_clustering("auto", len(np.unique(cells.clusters["prompt"])))
    return control(cells, contrasts, clustering, position=bool(of.position))


def log_odds(of: World, cells: Cells, z: Floats) -> Floats:
    first = 0.0 if cells.first is None else of.position * cells.first
    return np.asarray(of.strength[cells.i] - of.strength[cells.j] + z @ np.array(of.weight) + first)


def pseudo_true(of: World, scale: Floats) -> Controlled:
    """The fits to exact expected verdicts of very many answers, tastes integrated out (Gauss-Hermite)."""
    cells, a, b = draw_pairs(of, np.arange(MANY), np.random.default_rng(8))
    z = (a - b) / scale
    spread = np.sqrt(2 * of.model_sd**2 + of.slope_sd**2 * (z**2).sum(axis=1))
    eta = log_odds(of, cells, z)
    expected = np.zeros(MANY)
    for node, weight in zip(*NODES, strict=True):
        at = eta + spread * node
        expected += weight * (_sigmoid(at - of.tie) + _sigmoid(at + of.tie)) / 2
    return fit(of, replace(cells, score=expected / NODES[1].sum()), a, b, scale)


def _sigmoid(eta: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-eta)))


def draw(of: World, scale: Floats, rng: np.random.Generator) -> tuple[Cells, Floats, Floats]:
    """One data set."""
    prompt = np.repeat(np.arange(of.prompts), of.pairs)
    cells, a, b = draw_pairs(of, prompt, rng)
    z = (a - b) / scale
    taste = of.model_sd * rng.standard_normal((of.prompts, of.models))
    slope = of.slope_sd * rng.standard_normal((of.prompts, 3))
    eta = log_odds(of, cells, z) + taste[prompt, cells.i] - taste[prompt, cells.j] + (slope[prompt] * z).sum(axis=1)
    latent = eta + rng.logistic(size=len(eta))
    return replace(cells, score=np.where(np.abs(latent) < of.tie, 0.5, (latent > 0).astype(np.float64))), a, b


def parts(found: Controlled) -> dict[str, tuple[Floats, Floats]]:
    """(estimate, half width of the 95 % interval) of each quantity."""
    n, k = len(found.raw.models), len(found.raw.parameters)
    change = found.change
    assert change is not None
    at = [k + coefficient_index(found.fit, name) for name in FACTORS]
    whole = found.covariance
    return {
        "raw strengths": _part(whole, range(n)),
        "controlled strengths": _part(whole, range(k, k + n)),
        "change": _part(change, range(n)),
        "coefficients": _part(whole, at),
    }


def _part(covariance: Covariance, at: range | list[int]) -> tuple[Floats, Floats]:
    some = list(at)
    return covariance.estimate[some], covariance.quantiles.two_sided(0.95) * covariance.se[some]


def simulate_run(of: World, scale: Floats, truth: dict[str, Floats], seed: int) -> dict[str, Floats] | str:
    """Which intervals of one data set hold the pseudo-true values, by quantity; or why it was refused."""
    try:
        found = fit(of, *draw(of, scale, np.random.default_rng((5, seed))), scale)
    except JurylensError as refusal:
        return f"{type(refusal).__name__}: {refusal}"
    if len(found.raw.models) < of.models or found.dropped:
        return "not every model and factor could be fitted"
    return {name: (np.abs(at - truth[name]) <= half).astype(float) for name, (at, half) in parts(found).items()}


def run_world(of: World, runs: int, workers: int = 2) -> pd.DataFrame:
    """One row a quantity: world, quantity, coverage, each_low, each_high, runs, promised_low, promised_high,
    refused (runs)."""
    scale = scales(of)
    truth = {name: at for name, (at, _) in parts(pseudo_true(of, scale)).items()}
    work = partial(simulate_run, of, scale, truth)
    found = repeat(work, runs, workers)
    done = [run for run in found if not isinstance(run, str)]
    if not done:
        raise RuntimeError(f"{of.name}: every run was refused: {found[0]}")
    rows = []
    for name in QUANTITIES:
        each = np.mean([run[name] for run in done], axis=0)
        rows.append(
            {
                "world": of.name, "quantity": name, "coverage": float(each.mean()), "each_low": float(each.min()),
                "each_high": float(each.max()), "runs": runs, "promised_low": POOLED[0], "promised_high": POOLED[1],
                "refused": len(found) - len(done),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def measure(runs: int, workers: int) -> pd.DataFrame:
    """The table of all worlds."""
    return pd.concat([run_world(of, runs, workers) for of in worlds()], ignore_index=True)


def broken_promises(table: pd.DataFrame) -> list[str]:
    """What does not hold, in sentences."""
    broken = []
    for row in table.to_dict("records"):
        what = f"{row['world']}, {row['quantity']}"
        if not POOLED[0] <= row["coverage"] <= POOLED[1]:
            broken.append(f"{what}: pooled coverage {row['coverage']:.3f}")
        if row["each_low"] < EACH[0] or row["each_high"] > EACH[1]:
            broken.append(f"{what}: single ones from {row['each_low']:.3f} to {row['each_high']:.3f}")
    return broken


def main() -> int:
    return report(__doc__, measure, broken_promises)


if __name__ == "__main__":
    sys.exit(main())
