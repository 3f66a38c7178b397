"""Do corrected strengths hold what they promise? Coverage over many simulated data sets, and who is narrower.

    python -m benchmarks.coverage_ppi [--runs 500] [--workers 2]

People's taste differs by prompt and by pair, and some of what moves them moves the judge too. Every run draws prompts,
pairs, votes and which pairs people judged, a fair sample of all: single pairs, or whole prompts. Held against the
pseudo-true value: Bradley-Terry fitted to people's exact expected verdicts. Promised for corrected and classical
intervals: 93-97 % over all models, 91-98.5 % for each, with judges good, bad and adverse alike. The naive intervals,
the judge's own, promise nothing about people.
"""

from __future__ import annotations

import os

# Two processes share two cores: each with one thread for its small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from analysis.bradley_terry import newton
from analysis.cells import Floats, PairCounts
from analysis.correction import correct_strengths
from analysis.judged_pairs import JudgedPairs
from analysis.vcov import choose_clustering
from benchmarks.repeat import repeat
from errors import JurylensError

POOLED = (0.93, 0.97)
EACH = (0.91, 0.985)
METHODS = ("corrected", "classical", "naive")


@dataclass(frozen=True)
class World:
    """People, a judge, and which pairs people judged.

    strength, judge_strength : (n_models,) log-odds, mean 0; shared : how much of what moves people in a prompt or a
        pair moves the judge too
    prompt_sd, pair_sd : of people's taste by prompt and model, and by pair; tie : half-width of indifference, log-odds
    labelled : share of pairs (or, with whole_prompts, of prompts) that people judged
    """

    name: str
    strength: Floats
    judge_strength: Floats
    shared: float
    prompts: int
    pairs_a_prompt: int
    labelled: float
    whole_prompts: bool = False
    prompt_sd: float = 0.5
    pair_sd: float = 1.2
    tie: float = 0.3


def world(name: str, judge: Literal["good", "bad", "adverse"], prompts: int = 200, pairs_a_prompt: int = 20,
          labelled: float = 0.15, whole_prompts: bool = False, models: int = 8) -> World:  # fmt: skip
    """A good judge is half again as decisive, with a little taste of its own; a bad one has nothing in common with
    people; an adverse one prefers the opposite, in all and in each pair."""
    rng = np.random.default_rng(3)
    strength, own = 0.6 * rng.standard_normal((2, models))
    strength -= strength.mean()
    taste = {"good": 1.5 * strength + 0.5 * own, "bad": own, "adverse": -strength}[judge]
    shared = {"good": 1.5, "bad": 0.0, "adverse": -1.0}[judge]
    return World(name, strength, taste - taste.mean(), shared, prompts, pairs_a_prompt, labelled, whole_prompts)


def worlds() -> tuple[World, ...]:
    """The worlds that are looked at, headline first."""
    return (
        world("good judge, 200 prompts", "good"),
        world("bad judge, 200 prompts", "bad"),
        world("adverse judge, 200 prompts", "adverse"),
        world("good judge, 90 of 300 prompts judged by people", "good", 300, 10, 0.3, True),
        world("good judge, 20 of 200 prompts judged by people", "good", 200, 20, 0.1, True),
        world("good judge, 13 prompts", "good", 13, 150),
        world("bad judge, 13 prompts", "bad", 13, 150),
        world("adverse judge, 13 prompts", "adverse", 13, 150),
    )


def pseudo_true(of: World) -> Floats:
    """(n_models,) Bradley-Terry strengths of people's exact expected verdicts, pairs of models equally frequent.

    A prompt's and a pair's taste add up to normal log-odds (Gauss-Hermite, 80 nodes); an indifference of tau makes
    the expected verdict the mean of the two at eta - tau and eta + tau.
    """
    nodes, weight = np.polynomial.hermite_e.hermegauss(80)
    n = len(of.strength)
    a, b = np.triu_indices(n, 1)
    eta = (of.strength[a] - of.strength[b])[:, None] + np.sqrt(2 * of.prompt_sd**2 + of.pair_sd**2) * nodes
    expected = (_sigmoid(eta - of.tie) + _sigmoid(eta + of.tie)) / 2 @ (weight / weight.sum())
    ones = np.ones(len(a))
    found = newton(PairCounts(n, a, b, None, ones, expected, ones.astype(np.int64)), np.zeros(n)).parameters
    return np.asarray(found - found.mean())


def _sigmoid(eta: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-eta)))


def draw_pairs(of: World, rng: np.random.Generator) -> JudgedPairs:
    """One data set: one to three votes of people on a labelled pair, one verdict of the judge on each."""
    n, m = of.prompts * of.pairs_a_prompt, len(of.strength)
    prompt = np.repeat(np.arange(of.prompts), of.pairs_a_prompt)
    a = rng.integers(0, m, n)
    b = (a + rng.integers(1, m, n)) % m
    taste = of.prompt_sd * rng.standard_normal((of.prompts, m))
    moved = taste[prompt, a] - taste[prompt, b] + of.pair_sd * rng.standard_normal(n)
    own = 0.3 * rng.standard_normal((of.prompts, m))
    eta = of.judge_strength[a] - of.judge_strength[b] + of.shared * moved + own[prompt, a] - own[prompt, b]
    cast = np.arange(3)[:, None] < rng.integers(1, 4, n)
    votes = _verdicts(of.strength[a] - of.strength[b] + moved, (3, n), of.tie, rng)
    if of.whole_prompts:
        chosen = rng.permutation(of.prompts)[: round(of.labelled * of.prompts)]
        labelled = np.isin(prompt, chosen)
    else:
        labelled = rng.random(n) < of.labelled
    ones = np.ones(n)
    return JudgedPairs(
        models=tuple(f"model-{k:02d}" for k in range(m)),
        a=a,
        b=b,
        labelled=labelled,
        weight=ones,
        human_weight=labelled.astype(np.float64),
        human_score=np.where(labelled, (votes * cast).sum(axis=0) / cast.sum(axis=0), 0.0),
        judge_weight=ones,
        judge_score=_verdicts(eta, (n,), of.tie / 2, rng),
        clusters={"prompt": prompt, "pair": np.arange(n)},
    )


def _verdicts(eta: Floats, shape: tuple[int, ...], tie: float, rng: np.random.Generator) -> Floats:
    latent = eta + rng.logistic(size=shape)
    return np.where(np.abs(latent) < tie, 0.5, (latent > 0).astype(np.float64))


@dataclass(frozen=True)
class Run:
    """One data set, by method in the order of METHODS; each (3, n_models), NaN for what a method does not rank.

    share : lambda; gain : the trace's ratio, classical over corrected
    """

    held: Floats
    error: Floats
    width: Floats
    share: float = np.nan
    gain: float = np.nan
    refused: str | None = None


def simulate_run(of: World, truth: Floats, seed: int) -> Run:
    """Draw one data set and hold all intervals against the pseudo-true strengths."""
    n = len(truth)
    held, error, width = np.full((3, 3, n), np.nan)
    try:
        found = correct_strengths(draw_pairs(of, np.random.default_rng((11, seed))), choose_clustering("auto", 10))
    except JurylensError as refusal:
        return Run(held, error, width, refused=f"{type(refusal).__name__}: {refusal}")
    for k, estimate in enumerate((found.corrected, found.classical, found.naive)):
        if estimate is None:
            continue
        at = [int(name.rsplit("-", 1)[1]) for name in estimate.models]
        half = estimate.half_width(0.95)
        error[k, at] = estimate.strength - estimate.strength.mean() - (truth[at] - truth[at].mean())
        held[k, at], width[k, at] = np.abs(error[k, at]) <= half, 2 * half
    assert found.share is not None
    assert found.gain is not None
    return Run(held, error, width, found.share, found.gain)


def run_world(of: World, runs: int, workers: int = 2) -> pd.DataFrame:
    """One row a method: world, quantity, coverage, each_low, each_high, runs, promised_low, promised_high (none for
    naive), width (mean, as a share of the classical one), worth (mean squared error, classical over this), gain (as
    claimed, median), share (lambda, mean), refused."""
    work = partial(simulate_run, of, pseudo_true(of))
    found = repeat(work, runs, workers)
    done = [run for run in found if run.refused is None]
    if not done:
        raise RuntimeError(f"{of.name}: every run was refused: {found[0].refused}")
    held, error, width = (np.array([getattr(run, part) for run in done]) for part in ("held", "error", "width"))
    rows = []
    for k, method in enumerate(METHODS):
        each = np.nanmean(held[:, k], axis=0)
        promised = (None, None) if method == "naive" else POOLED
        rows.append(
            {
                "world": of.name, "quantity": method, "coverage": float(np.nanmean(held[:, k])),
                "each_low": float(each.min()), "each_high": float(each.max()), "runs": runs,
                "promised_low": promised[0], "promised_high": promised[1],
                "width": float(np.nanmean(width[:, k]) / np.nanmean(width[:, 1])),
                "worth": float(np.nanmean(error[:, 1] ** 2) / np.nanmean(error[:, k] ** 2)),
                "gain": float(np.median([run.gain for run in done])) if method == "corrected" else None,
                "share": float(np.mean([run.share for run in done])) if method == "corrected" else None,
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
    for row in table[table["quantity"] != "naive"].to_dict("records"):
        what = f"{row['world']}, {row['quantity']}"
        if not POOLED[0] <= row["coverage"] <= POOLED[1]:
            broken.append(f"{what}: pooled coverage {row['coverage']:.3f}")
        if row["each_low"] < EACH[0] or row["each_high"] > EACH[1]:
            broken.append(f"{what}: coverage of single models from {row['each_low']:.3f} to {row['each_high']:.3f}")
        if row["width"] > 1.01:
            broken.append(f"{what}: intervals {row['width']:.3f} times as wide as people's alone")
    return broken


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    table = measure(chosen.runs, chosen.workers)
    print(table.to_string(index=False, na_rep="", float_format=lambda value: f"{value:.3f}"))
    broken = broken_promises(table)
    for sentence in broken:
        print(f"BROKEN  {sentence}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
