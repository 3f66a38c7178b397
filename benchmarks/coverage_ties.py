"""Do the intervals hold when ties are an outcome of their own? Coverage of strengths, position, nu and tau, ranks.

    python -m benchmarks.coverage_ties [--runs 500] [--workers 2]

Every run draws prompts anew: each shifts the strengths of all models (sd .5) and how readily verdicts tie (sd .4), so
that verdicts of one prompt hang together. A 95 % interval must hold the pseudo-true value: the parameter of the
same model fitted to the exact expected outcomes, integrated over the prompts. Worlds whose rule is not the one
fitted are among them: there the pseudo-true value is that of the wrong model. Promised: 93-97 % over all strengths of
a world, 91-98.5 % for each parameter, at least 95 % for rank intervals. Ends with 1 when a promise is broken by more
than so many runs can show by chance.
"""

from __future__ import annotations

import os

# Two processes share two cores: each with one thread for its small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from analysis.cells import Cells
from analysis.ranks import find_ranks
from analysis.sandwich import strength_covariance
from analysis.strengths import TIE_NAMES, Ties, fit_strengths
from analysis.vcov import choose_clustering
from benchmarks.repeat import repeat
from errors import JurylensError

Floats = NDArray[np.float64]

MODELS = 12
STRENGTHS = np.linspace(-1.1, 1.1, MODELS)
POSITION = 0.25
SHIFT_SD, TIE_SD = 0.5, 0.4
POOLED, EACH = (0.93, 0.97), (0.91, 0.985)
RANKS = (0.95, 1.0)


@dataclass(frozen=True)
class Setting:
    """A world and what is fitted to it. drawn : the rule behind the verdicts; tie : log nu, or tau"""

    name: str
    drawn: Ties
    fitted: Ties
    prompts: int
    judgments: int
    tie: float


SETTINGS = (
    Setting("davidson, 200 prompts", "davidson", "davidson", 200, 4000, -0.2),
    Setting("davidson, 13 prompts", "davidson", "davidson", 13, 4000, -0.2),
    Setting("rao-kupper, 200 prompts", "rao-kupper", "rao-kupper", 200, 4000, 0.5),
    Setting("rao-kupper, 13 prompts", "rao-kupper", "rao-kupper", 13, 4000, 0.5),
    Setting("rao-kupper fitted by davidson, 200 prompts", "rao-kupper", "davidson", 200, 4000, 0.5),
    Setting("ties half, davidson's verdicts, 200 prompts", "davidson", "half", 200, 4000, -0.2),
)


def outcome_probabilities(rule: Ties, eta: Floats, tie: Floats) -> tuple[Floats, Floats]:
    """P(win), P(tie) at these log-odds; tie : log nu or tau, where tau is kept from falling below .02."""
    if rule == "davidson":
        top = np.logaddexp(np.logaddexp(eta / 2, -eta / 2), tie)
        return np.exp(eta / 2 - top), np.exp(tie - top)
    tau = np.maximum(tie, 0.02)
    win = expit(eta - tau)
    return win, 1 - win - expit(-eta - tau)


def draw(setting: Setting, rng: np.random.Generator) -> Cells:
    """One data set, a judgment a cell."""
    n = setting.judgments
    prompt = rng.integers(0, setting.prompts, n)
    shift = SHIFT_SD * rng.standard_normal((setting.prompts, MODELS))
    tie = setting.tie + TIE_SD * rng.standard_normal(setting.prompts)
    i = rng.integers(0, MODELS, n)
    j = (i + rng.integers(1, MODELS, n)) % MODELS
    first = rng.choice([-1.0, 1.0], n)
    eta = STRENGTHS[i] - STRENGTHS[j] + POSITION * first + shift[prompt, i] - shift[prompt, j]
    win, ties = outcome_probabilities(setting.drawn, eta, tie[prompt])
    u = rng.random(n)
    y = np.where(u < win, 1.0, np.where(u < win + ties, 0.5, 0.0))
    ones = np.ones(n)
    return Cells(_names(), i, j, ones, y, ones.astype(np.int64), first, {"prompt": prompt}, (y == 0.5).astype(float))


def _names() -> tuple[str, ...]:
    return tuple(f"model-{k:02d}" for k in range(MODELS))


@cache
def pseudo_true(setting: Setting) -> Floats:
    """The parameters of the fitted model at the exact expected outcomes: Gauss-Hermite over both prompt effects."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    weights = weights / weights.sum()
    i, j = (part.repeat(2) for part in np.triu_indices(MODELS, 1))
    first = np.tile([-1.0, 1.0], len(i) // 2)
    # The difference of two models' shifts has twice the variance of one.
    eta = (STRENGTHS[i] - STRENGTHS[j] + POSITION * first)[:, None, None] + np.sqrt(2) * SHIFT_SD * nodes[:, None]
    win, ties = outcome_probabilities(setting.drawn, eta, setting.tie + TIE_SD * nodes)
    win, ties = (np.einsum("pst,s,t->p", part, weights, weights) for part in (win, ties))
    ones = np.ones(len(i))
    cells = Cells(_names(), i, j, ones, win + ties / 2, ones.astype(np.int64), first, tied=ties)
    return fit_strengths(cells, ties=setting.fitted, position=True).parameters


@dataclass(frozen=True)
class Run:
    """held : (k,) whether each interval held; ranks : share of models whose true rank lies in its interval"""

    held: Floats
    ranks: float
    refused: str | None = None


def simulate_run(setting: Setting, seed: int) -> Run:
    """Draw one data set and hold every interval against the pseudo-true value."""
    truth = pseudo_true(setting)
    cells = draw(setting, np.random.default_rng((41, seed)))
    try:
        fit = fit_strengths(cells, ties=setting.fitted, position=True)
        found = strength_covariance([fit], [cells], choose_clustering("auto", setting.prompts))
    except JurylensError as refusal:
        return Run(np.full(len(truth), np.nan), np.nan, f"{type(refusal).__name__}: {refusal}")
    quantile = found.quantiles.two_sided()
    held = (np.abs(fit.parameters - truth) <= quantile * found.se).astype(float)
    ranks = find_ranks(fit.strength, found.vcov[:MODELS, :MODELS], quantile)
    true_rank = MODELS - np.argsort(np.argsort(truth[:MODELS]))
    return Run(held, float(((ranks.lower <= true_rank) & (true_rank <= ranks.upper)).mean()))


def measure(runs: int, workers: int = 2) -> pd.DataFrame:
    """One row a world and quantity: world, quantity, coverage, each_low, each_high, runs, refused, promised_low,
    promised_high."""
    rows = []
    for setting in SETTINGS:
        work = partial(simulate_run, setting)
        found = repeat(work, runs, workers)
        rows += _rows(setting, found)
    return pd.DataFrame(rows)


def _rows(setting: Setting, found: Sequence[Run]) -> list[dict[str, object]]:
    each = np.nanmean([run.held for run in found], axis=0)
    refused = sum(run.refused is not None for run in found)
    parts = {"strengths": each[:MODELS], "position": each[MODELS : MODELS + 1]}
    if setting.fitted in TIE_NAMES:
        parts[TIE_NAMES[setting.fitted]] = each[-1:]
    common = {"runs": len(found), "refused": refused}
    rows = []
    for quantity, shares in parts.items():
        # One parameter alone is held to what is promised for each.
        promised = POOLED if len(shares) > 1 else EACH
        rows.append({"world": setting.name, "quantity": quantity, "coverage": float(shares.mean()),
                     "each_low": float(shares.min()), "each_high": float(shares.max()), **common,
                     "promised_low": promised[0], "promised_high": promised[1]})  # fmt: skip
    ranks = float(np.nanmean([run.ranks for run in found]))
    rows.append({"world": setting.name, "quantity": "ranks", "coverage": ranks, "each_low": None, "each_high": None,
                 **common, "promised_low": RANKS[0], "promised_high": RANKS[1]})  # fmt: skip
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args(arguments)
    table = measure(chosen.runs, chosen.workers)
    print(table.round(3).to_string(index=False))
    return int(broken(table).any())


def broken(table: pd.DataFrame) -> pd.Series:
    """Which rows break a promise beyond chance: the whole by 1.96 standard errors of a share, each strength by 3.5."""
    runs = table["runs"].to_numpy(dtype=float)
    low, high = (table[f"promised_{end}"].to_numpy(dtype=float) for end in ("low", "high"))

    def outside(value: Floats, low: Floats, high: Floats, errors: float) -> NDArray[np.bool_]:
        below, above = (errors * np.sqrt(end * (1 - end) / runs) for end in (low, high))
        return np.asarray((value < low - below) | (value > high + above))

    whole = outside(table["coverage"].to_numpy(dtype=float), low, high, 1.96)
    # Some seventy parameters are looked at one by one: 3.5 standard errors are passed by chance once in thirty tables.
    least, most = (table[f"each_{end}"].to_numpy(dtype=float) for end in ("low", "high"))
    one, other = (np.full(len(table), end) for end in EACH)
    return pd.Series(whole | outside(least, one, other, 3.5) | outside(most, one, other, 3.5), index=table.index)


if __name__ == "__main__":
    sys.exit(main())
