"""Do rank intervals hold the true ranks, one model at a time and all at once, and do intervals of correlations hold?

    python -m benchmarks.coverage_ranks [--runs 500] [--workers 2]

The worlds of `benchmarks.coverage`, and two in which strengths lie close together, so that ranks are hard to know. True
are the ranks of the pseudo-true strengths, and Pearson's and Spearman's correlation of those of the two judges.
Promised: marginal intervals hold each model's rank, and simultaneous ones all ranks of a data set, in at least 95 %, so
that 93 % are asked of 500 runs; the corrected agreement in 93 to 97 % where it is given in nearly all runs and speaks
about prompts at large (from 30 on; below, it is clustered by pair and speaks about these prompts only). No promise is
made for Spearman's correlation of strengths known exactly: noise in the strengths draws it, and each replicate, towards
0.
"""

from __future__ import annotations

import os

# Two processes share two cores: each with one thread for its small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.compare import compare_strengths
from analysis.rank_correlation import FEW_PROMPTS, ranks_of, spearman
from analysis.rank_sets import overlap_ranks, simultaneous_ranks
from analysis.ranks import Ranks, find_ranks
from analysis.vcov import Covariance, choose_clustering
from benchmarks.coverage import PseudoTrue, Setting, draw_judges, pseudo_true, settings
from benchmarks.repeat import repeat
from errors import JurylensError

Floats = NDArray[np.float64]

WORLDS = ("200 prompts", "13 prompts", "unequal prompts, uneven pairs")
CLOSE = 0.25
"""Strengths of the close worlds, as a multiple of the others'."""
REPLICATES = 300
RANKS, POOLED = (0.93, 1.0), (0.93, 0.97)
AGREEMENT = "corrected agreement"
QUANTITIES = ("marginal ranks", "simultaneous ranks", "overlap ranks", AGREEMENT, "Spearman, exact strengths")


@cache
def worlds() -> tuple[Setting, ...]:
    """The worlds that are looked at."""
    found = {setting.name: setting for setting in settings()}
    chosen = [found[name] for name in WORLDS]
    for setting in chosen[:2]:
        judges = tuple(replace(judge, strengths=CLOSE * judge.strengths) for judge in setting.world.judges)
        chosen.append(replace(setting, name=f"close, {setting.name}", world=replace(setting.world, judges=judges)))
    return tuple(chosen)


@dataclass(frozen=True)
class Run:
    """held : quantity -> (k,) whether each interval held; absent where there is none"""

    held: dict[str, NDArray[np.bool_]]
    refused: str | None = None


def simulate_run(setting: Setting, truth: PseudoTrue, seed: int) -> Run:
    """Draw one data set and hold every interval against the pseudo-true value."""
    reference, judge = draw_judges(setting, np.random.default_rng((77, seed)))
    clustering = choose_clustering(setting.cluster, setting.world.prompts)
    rng = np.random.default_rng(seed)
    try:
        found = compare_strengths(
            reference, judge, clustering, rng, replicates=REPLICATES, n_prompts=setting.world.prompts
        )
    except JurylensError as refusal:
        return Run({}, f"{type(refusal).__name__}: {refusal}")
    if len(found.gaps.names) < len(setting.world.models):
        return Run({}, "a model was left out")
    n = len(setting.world.models)
    width = len(found.reference.parameters)
    held: dict[str, list[NDArray[np.bool_]]] = {name: [] for name in QUANTITIES}
    for k, (fit, strength) in enumerate(((found.reference, truth.reference), (found.judge, truth.judge))):
        own = np.arange(k * width, k * width + n)
        covariance = found.covariance.of(partial(np.take, indices=own, axis=-1), np.eye(2 * width)[own])
        rank = n + 1 - ranks_of(strength)
        for name, ranks in _ranks(fit.strength, covariance, rng).items():
            inside = (ranks.lower <= rank) & (rank <= ranks.upper)
            held[name].append(np.atleast_1d(inside.all()) if name == "simultaneous ranks" else inside)
    exact = np.corrcoef(truth.reference, truth.judge)[0, 1]
    net = None if found.corrected is None else found.corrected.interval()
    if net is not None and net.lower is not None and net.upper is not None:
        held[AGREEMENT].append(np.array([net.lower <= exact <= net.upper]))
    assert found.correlation is not None
    ends = found.correlation.spearman.interval()
    if ends.lower is not None and ends.upper is not None:
        rho = float(spearman(truth.reference, truth.judge))
        held["Spearman, exact strengths"].append(np.array([ends.lower <= rho <= ends.upper]))
    return Run({name: np.concatenate(parts) for name, parts in held.items() if parts})


def _ranks(strength: Floats, covariance: Covariance, rng: np.random.Generator) -> dict[str, Ranks]:
    quantile = covariance.quantiles.two_sided(0.95)
    return {
        "marginal ranks": find_ranks(strength, covariance.vcov, quantile),
        "simultaneous ranks": simultaneous_ranks(strength, covariance, 0.95, rng),
        "overlap ranks": overlap_ranks(strength, covariance.se, quantile),
    }


def measure(runs: int, workers: int) -> pd.DataFrame:
    """One row a world and quantity: coverage, that of single models (each_low, each_high), runs with an interval."""
    rows = []
    for setting in worlds():
        work = partial(simulate_run, setting, pseudo_true(setting.world))
        done = repeat(work, runs, workers)
        for name in QUANTITIES:
            some = [run.held[name] for run in done if name in run.held]
            if not some:
                continue
            each = np.mean(some, axis=0)
            always = len(some) >= 0.95 * runs and setting.world.prompts >= FEW_PROMPTS
            promise = RANKS if "ranks" in name else POOLED if name == AGREEMENT and always else (None, None)
            rows.append(
                {
                    "world": setting.name, "quantity": name, "coverage": float(each.mean()),
                    "each_low": float(each.min()), "each_high": float(each.max()), "runs": len(some),
                    "promised_low": promise[0], "promised_high": promise[1],
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    table = measure(chosen.runs, chosen.workers)
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
    promised = table.dropna(subset="promised_low")
    broken = promised[~promised["coverage"].between(promised["promised_low"], promised["promised_high"])]
    for row in broken.to_dict("records"):
        print(f"BROKEN  {row['world']}: {row['quantity']} {row['coverage']:.3f}")
    return 1 if len(broken) else 0


if __name__ == "__main__":
    sys.exit(main())
