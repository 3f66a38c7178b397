"""Does the check of fit keep its level when one scale is true, and does it find a scale that is not?

    python -m benchmarks.coverage_fit [--runs 500] [--workers 2]

Worlds differ in how often each pair of models is judged and how strongly verdicts on one prompt hang together. Under a
true scale the tests at 5 % must reject in 3 to 7 % of data sets; those of circles and of the Hodge residual in at most
7 % (they are cautious by construction). `coverage` is the share of data sets that are not rejected. Beside it the
chi-square test that takes all judgments as independent, without any promise, and the share found when the log-odds of
each pair of models are shifted by a normal number of standard deviation .4.
"""

from __future__ import annotations

import os

# Two processes share two cores: each with one thread for its small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from analysis.cells import Cells
from analysis.fit_check import check_fit
from analysis.vcov import choose_clustering
from benchmarks.repeat import repeat
from errors import JurylensError

MISFIT = 0.4


@dataclass(frozen=True)
class Setting:
    """One world. pairs : of responses a prompt; votes : judgments of each

    prompt_sd : of a model's own effect under a prompt; pair_sd : of what all votes on one pair of responses share
    largest : share of all pairs of responses that stand under the first prompt, 0 for an even share
    """

    name: str
    models: int
    prompts: int
    pairs: int
    votes: int
    prompt_sd: float = 0.5
    pair_sd: float = 0.0
    spread: float = 1.0
    ties: float = 0.0
    largest: float = 0.0


SETTINGS = (
    Setting("12 models, 200 prompts", 12, 200, 30, 1),
    Setting("12 models, 13 prompts", 12, 13, 450, 1),
    Setting("12 models, 200 prompts, 4 votes, ties", 12, 200, 15, 4, pair_sd=0.5, ties=0.2),
    Setting("40 models, 200 prompts, thin", 40, 200, 15, 1),
    Setting("40 models, 13 prompts, 3 votes", 40, 13, 160, 3, pair_sd=0.5),
    Setting("40 models, small differences, thin", 40, 200, 15, 1, spread=0.3),
    Setting("12 models, one prompt a fifth", 12, 200, 30, 1, largest=0.2),
    Setting("12 models, large differences", 12, 200, 30, 1, spread=3.0),
    Setting("3 models, 60 prompts", 3, 60, 10, 1),
)


def draw_cells(setting: Setting, rng: np.random.Generator, misfit: float) -> Cells:
    """Judgments of one judge. misfit : standard deviation of what each pair of models adds to its log-odds"""
    m, g = setting.models, setting.prompts
    n = g * setting.pairs
    strength = setting.spread * np.linspace(-1, 1, m)
    shift = np.triu(misfit * rng.standard_normal((m, m)), 1)
    shift -= shift.T
    effect = setting.prompt_sd * rng.standard_normal((g, m))
    prompt = np.repeat(np.arange(g), setting.pairs)
    prompt[: int(setting.largest * n)] = 0
    i = rng.integers(0, m, n)
    j = (i + rng.integers(1, m, n)) % m
    eta = strength[i] - strength[j] + effect[prompt, i] - effect[prompt, j] + shift[i, j]
    eta += setting.pair_sd * rng.standard_normal(n)
    i, j, prompt, eta = (np.repeat(column, setting.votes) for column in (i, j, prompt, eta))
    y = (rng.random(len(eta)) < 1 / (1 + np.exp(-eta))).astype(np.float64)
    y[rng.random(len(y)) < setting.ties * 4 * np.exp(-np.abs(eta)) / (1 + np.exp(-np.abs(eta))) ** 2] = 0.5
    ones = np.ones(len(y))
    names = tuple(f"model-{k:02d}" for k in range(m))
    return Cells(names, i, j, ones, y, ones.astype(np.int64), clusters={"prompt": prompt})


def simulate_run(setting: Setting, seed: int) -> dict[str, float]:
    """p-values of one data set under a true scale, of one with a misfit, and the share of single pairs with p > .05."""
    out: dict[str, float] = {}
    for name, misfit in (("", 0.0), ("found: ", MISFIT)):
        rng = np.random.default_rng((177, seed, int(misfit > 0)))
        try:
            found = check_fit(
                draw_cells(setting, rng, misfit), choose_clustering("auto", setting.prompts), rng, sign_draws=299,
                data_draws=199,
            )  # fmt: skip
        except JurylensError:
            continue
        row = found.row()
        for test, column in (("lack of fit", "p"), ("circles", "cyclic_p"), ("Hodge residual", "hodge_p")):
            if row[column] is not None:
                out[name + test] = float(row[column] > 0.05)
        out[name + "naive chi-square"] = float(found.p_naive > 0.05)
        tested = found.pairs.p[~np.isnan(found.pairs.p)]
        if len(tested):
            out[name + "single pairs"] = float((tested > 0.05).mean())
        if found.departure is not None:
            out[name + "departure"] = found.departure
    return out


PROMISED = {
    "lack of fit": (0.93, 0.97), "circles": (0.93, 1.0), "Hodge residual": (0.93, 1.0), "single pairs": (0.93, 0.98),
}  # fmt: skip


def measure(runs: int, workers: int) -> pd.DataFrame:
    """One row a world and test: world, quantity, coverage, each_low, each_high (of the share of runs, by what the runs
    leave open), runs, promised_low, promised_high, naive (coverage of the chi-square test), found (share rejected
    when one scale is not true)."""
    rows = []
    for setting in SETTINGS:
        work = partial(simulate_run, setting)
        done = pd.DataFrame(repeat(work, runs, workers))
        for test, (low, high) in PROMISED.items():
            if test not in done:
                continue
            values = done[test].dropna()
            doubt = 1.96 * float(values.std()) / np.sqrt(len(values))
            rows.append(
                {
                    "world": setting.name, "quantity": test, "coverage": float(values.mean()),
                    "each_low": float(values.mean()) - doubt, "each_high": float(values.mean()) + doubt,
                    "runs": len(values), "promised_low": low, "promised_high": high,
                    "naive": float(done["naive chi-square"].mean()) if test == "lack of fit" else None,
                    "found": 1 - float(done[f"found: {test}"].mean()),
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
    # Broken only when even what so many runs leave open lies outside.
    broken = (table["each_high"] < table["promised_low"]) | (table["each_low"] > table["promised_high"])
    return int(broken.any())


if __name__ == "__main__":
    sys.exit(main())
