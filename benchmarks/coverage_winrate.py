"""Do win rates against a baseline hold what they promise, plain and at equal length? Coverage over many data sets.

    python -m benchmarks.coverage_winrate [--runs 500] [--workers 2]

Prompts differ in difficulty, and on difficult ones answers are longer or shorter. Every run draws prompts, lengths and
verdicts. Held against the pseudo-true value: what the same estimator gives on very many prompts. Promised: 93-97 % over
all models, 91-98.5 % for each.
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

from analysis.cells import Floats
from analysis.length_control import control_length
from analysis.length_fit import LC, PHI
from analysis.vcov import Covariance, choose_clustering
from analysis.winrate import Duels, logit_bounds, win_rates
from benchmarks.repeat import repeat, report
from errors import JurylensError

POOLED = (0.93, 0.97)
EACH = (0.91, 0.985)
QUANTITIES = ("win rate", "win rate at equal length", "length coefficient")
MANY_JUDGMENTS = 120_000


@dataclass(frozen=True)
class World:
    """Models held against a baseline by a judge who likes length.

    repeats : answers of a model to each prompt; soft : whether verdicts are preferences in between
    twins : whether the first two models are the baseline told to be concise and verbose, guarding the others
    prompt_sd : of what is peculiar to a prompt and a model, in all of its answers
    """

    name: str
    prompts: int
    models: int = 6
    repeats: int = 1
    soft: bool = False
    twins: bool = False
    prompt_sd: float = 0.0


def worlds() -> tuple[World, ...]:
    """The worlds that are looked at, headline first."""
    return (
        World("300 prompts", 300),
        World("150 prompts, preferences in between", 150, soft=True),
        World("300 prompts, two models: no difficulty", 300, models=2),
        World("300 prompts, three models", 300, models=3),
        World("300 prompts, guarded by twins", 300, twins=True),
        World("100 prompts, 3 answers each", 100, repeats=3, prompt_sd=0.5),
        World("13 prompts, 40 answers each", 13, repeats=40, prompt_sd=0.5),
    )


def draw(of: World, rng: np.random.Generator) -> Duels:
    """One data set; every model answers every prompt."""
    n_cells = of.prompts * of.models
    prompt, model = (np.repeat(part.reshape(-1), of.repeats) for part in np.indices((of.prompts, of.models)))
    n = n_cells * of.repeats
    share = np.linspace(0, 1, of.models)[model]
    gamma = rng.standard_normal(of.prompts)[prompt]
    length = 400 * (np.linspace(-0.7, 0.7, of.models)[model] + 0.5 * gamma + rng.standard_normal(n))
    own = of.prompt_sd * np.repeat(rng.standard_normal(n_cells), of.repeats)
    eta = -1.0 + 1.2 * share + (0.6 + 0.6 * share) * np.tanh(length / 450) + (1.4 - 0.6 * share) * gamma + own
    if of.soft:
        y = _sigmoid(eta + 1.5 * rng.standard_normal(n))
    else:
        y = (rng.random(n) < _sigmoid(eta)).astype(np.float64)
    return Duels(
        models=tuple(f"m{k}" for k in range(of.models)),
        model=model,
        weight=np.ones(n),
        score=y,
        prompt=prompt,
        pair=np.arange(n),
        length=np.round(length),
        clusters={"prompt": prompt, "pair": np.arange(n)},
    )


def _sigmoid(eta: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-eta)))


Intervals = dict[str, tuple[Floats, Floats, Floats]]


def estimate(of: World, duels: Duels) -> Intervals:
    """(estimate, lower, upper) of each quantity over the models, NaN where there is none."""
    clustering = choose_clustering("auto", of.prompts)
    plain = win_rates(duels, clustering)
    twins = ("m0", f"m{of.models - 1}") if of.twins else ()
    control = control_length(duels, clustering, twins=twins)
    if control.failure is not None:
        raise JurylensError(control.failure)
    by_model = {one.model: one for one in control.models}
    raw = [_rate(float(rate), c, 0) for rate, c in zip(plain.rate, plain.covariance, strict=True)]
    equal, phi = [], []
    for name in duels.models:
        one = by_model.get(name)
        equal.append((np.nan,) * 3 if one is None else _rate(one.rate, one.covariance, LC))
        if one is None or one.covariance is None:
            phi.append((np.nan,) * 3)
        else:
            half = one.covariance.quantiles.two_sided(0.95) * float(one.covariance.se[PHI])
            phi.append((one.length, one.length - half, one.length + half))
    found = [np.array(part, dtype=np.float64).T for part in (raw, equal, phi)]
    return {name: (at[0], at[1], at[2]) for name, at in zip(QUANTITIES, found, strict=True)}


def _rate(rate: float, covariance: Covariance | None, part: int) -> tuple[float, float, float]:
    low, high = logit_bounds(covariance, 0.95, part)
    return 100 * rate, np.nan if low is None else low, np.nan if high is None else high


def pseudo_true(of: World) -> dict[str, Floats]:
    """What the estimator gives on very many prompts: its own noise is a tenth of an error or so."""
    many = MANY_JUDGMENTS // (of.models * of.repeats)
    found = estimate(of, draw(replace(of, prompts=many), np.random.default_rng(99)))
    return {name: at for name, (at, _, _) in found.items()}


def simulate_run(of: World, truth: dict[str, Floats], seed: int) -> dict[str, Floats] | str:
    """Which intervals of one data set hold the pseudo-true values, NaN where there is none; or why it was refused."""
    try:
        found = estimate(of, draw(of, np.random.default_rng((6, seed))))
    except JurylensError as refusal:
        return f"{type(refusal).__name__}: {refusal}"
    out = {}
    for name, (_, low, high) in found.items():
        held = ((low <= truth[name]) & (truth[name] <= high)).astype(np.float64)
        out[name] = np.where(np.isnan(low), np.nan, held)
    return out


def run_world(of: World, runs: int, workers: int = 2) -> pd.DataFrame:
    """One row a quantity: world, quantity, coverage, each_low, each_high, runs, promised_low, promised_high, refused,
    absent (share of intervals that were not given)."""
    work = partial(simulate_run, of, pseudo_true(of))
    found = repeat(work, runs, workers)
    done = [run for run in found if not isinstance(run, str)]
    if not done:
        raise RuntimeError(f"{of.name}: every run was refused: {found[0]}")
    rows = []
    for name in QUANTITIES:
        held = np.array([run[name] for run in done])
        each = np.nanmean(held, axis=0)
        rows.append(
            {
                "world": of.name, "quantity": name, "coverage": float(np.nanmean(held)),
                "each_low": float(each.min()), "each_high": float(each.max()), "runs": runs,
                "promised_low": POOLED[0], "promised_high": POOLED[1], "refused": len(found) - len(done),
                "absent": float(np.isnan(held).mean()),
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
            broken.append(f"{what}: single models from {row['each_low']:.3f} to {row['each_high']:.3f}")
    return broken


def main() -> int:
    return report(__doc__, measure, broken_promises)


if __name__ == "__main__":
    sys.exit(main())
