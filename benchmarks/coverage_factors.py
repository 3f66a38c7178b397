"""Do factor weights and gaps hold what they promise? Coverage over many simulated data sets.

    python -m benchmarks.coverage_factors [--runs 500] [--workers 2] [--world NAME ...]

Every run draws prompts, answers and the verdicts of a reference and a judge on the same pairs, and asks whether the
95 % intervals hold the pseudo-true values: the same model fitted to the exact expected verdicts of very many answers,
with all that varies by answer, prompt and person integrated out. A scaled gap is held against judge - lambda *
reference with the lambda of the pseudo-true weights, an average marginal effect against that of the pseudo-true
weights on the run's own pairs. Promised: 93-97 % over all parameters of a kind, 91-98.5 % for each.

The worlds on published texts are skipped where those do not lie beside the project (../shared/real/llmfao).
"""

from __future__ import annotations

import os

# Two processes share two cores: each with one thread for its small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from analysis.cells import Floats
from analysis.factor_fit import FactorFit
from analysis.factor_gap import FactorGap, find_factor_gap
from analysis.gap import find_agreeing, fit_line
from analysis.vcov import choose_clustering
from benchmarks.factor_worlds import LLMFAO, Taste, World, draw, pseudo_true, published, slopes
from benchmarks.repeat import repeat, report
from errors import JurylensError

POOLED = (0.93, 0.97)
EACH = (0.91, 0.985)
QUANTITIES = (
    "weights", "positions", "gap", "scaled gap", "scale", "marginal effects", "gap of marginal effects",
)  # fmt: skip
SCALE = (0.88, 0.985)
"""Weights of the same taste that deviate by chance are left out of the scale, so that its own interval holds less."""
FEW_PROMPTS = (0.91, 1.0)
"""Each on published texts: a weight that rests on three or four of 13 prompts has an interval wider than need be."""
CHOSEN = 0.1
"""Share of runs without a scale above which those with one are chosen by their noise: nothing is promised of them."""
TYPICAL = 20
"""Data sets whose covariance, on average, says which factors make the scale at the pseudo-true weights."""

WEIGHTS = (0.5, 0.3, -0.3, 0.2, 0.0, 0.4)
OWN = (0.5, 0.3, -0.3, 0.2, 0.8, 0.4)
"""Of the judge: another taste in one factor."""


def tastes(k: int = len(WEIGHTS), size: float = 1.0) -> tuple[Taste, Taste]:
    """People with two votes on each pair, and a judge half as decisive again that cares more for one factor in six."""
    people, own = (np.resize(weights, k) * size for weights in (WEIGHTS, OWN))
    return (
        Taste(tuple(people), votes=2),
        Taste(tuple(own), decisive=1.5, position=-0.3, tie=0.1),
    )


def worlds() -> tuple[World, ...]:
    """The worlds that are looked at, headline first."""
    base = World("200 prompts", *tastes())
    people = replace(base.reference, person_sd=0.3)
    tied = [replace(taste, tie=0.5) for taste in base.tastes]
    varying = [replace(taste, slope_sd=0.5) for taste in base.tastes]
    found = (
        base,
        replace(base, name="100 prompts, weights vary much", reference=varying[0], judge=varying[1], prompts=100,
                pairs=20, merit_sd=0.6),
        replace(base, name="60 prompts, persons", reference=people, prompts=60, pairs=30, people=60,
                cluster="prompt+annotator"),
        replace(base, name="ties apart", reference=tied[0], judge=tied[1], ties="rao-kupper"),
        replace(base, name="one prompt a fifth of all", largest=0.2),
        World("60 prompts, 20 factors", *tastes(20, 0.5), prompts=60, pairs=40),
        replace(base, name="13 prompts", prompts=13, pairs=120),
    )  # fmt: skip
    return found + (texts_worlds() if LLMFAO.is_file() else ())


def texts_worlds() -> tuple[World, ...]:
    """On the factors of LLMFAO's texts: skewed, collinear, some answers empty, 13 prompts."""
    people = np.resize(WEIGHTS, len(published().x)) / 2
    own = people + 0.8 * (np.arange(len(people)) == 0)
    base = World("published texts, 13 prompts", *tastes(), prompts=13, texts=True)
    reference, judge = replace(base.reference, weights=tuple(people)), replace(base.judge, weights=tuple(own))
    plain = [replace(taste, slope_sd=0.0) for taste in (reference, judge)]
    return (
        replace(base, reference=reference, judge=judge),
        replace(base, name="published texts, by pair", reference=plain[0], judge=plain[1], merit_sd=0.0,
                cluster="pair"),
    )  # fmt: skip


# -- what intervals should hold -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Truth:
    """The fits of both judges to expected verdicts, and what follows from them, by quantity."""

    fits: tuple[FactorFit, FactorFit]
    values: dict[str, Floats]


def find_truth(of: World) -> Truth:
    """All pseudo-true values but the marginal effects, which are about the pairs of a run."""
    fits = pseudo_true(of)
    k = len(fits[0].factors)
    stacked = np.concatenate([fit.parameters[: k + 1] for fit in fits])
    vcov = np.zeros((len(stacked), len(stacked)))
    done = 0
    for seed in range(TYPICAL):
        try:
            found = find_gap(of, seed, stream=6)
        except JurylensError:
            continue
        if len(found.names) == k + 1:
            vcov, done = vcov + found.gaps.joint.vcov, done + 1
    if not done:
        raise RuntimeError(f"{of.name}: no data set in which every factor could be fitted")
    n = k + 1
    reference, judge = stacked[:n], stacked[n:]
    vcov /= done
    variance, across = np.diag(vcov), np.diag(vcov[:n, n:])
    independent = np.sqrt(variance[:n] + variance[n:])
    gap_se = np.sqrt(independent**2 - 2 * across)
    counted = np.arange(n) > 0
    line = fit_line(reference, judge, vcov, *find_agreeing(reference, judge, vcov, gap_se, independent, counted))
    assert line is not None
    scale = float(line.scale(stacked))
    values = {
        "weights": np.concatenate([reference[1:], judge[1:]]), "positions": np.array([reference[0], judge[0]]),
        "gap": judge - reference, "scaled gap": (judge - scale * reference)[1:], "scale": np.array([scale]),
    }  # fmt: skip
    return Truth(fits, values)


def find_gap(of: World, seed: int, stream: int = 5) -> FactorGap:
    """The gap in one data set."""
    reference, judge = draw(of, np.random.default_rng((stream, seed)))
    return find_factor_gap(reference, judge, choose_clustering(of.cluster, of.prompts), ties=of.ties)


# -- one data set -------------------------------------------------------------------------------------------------


def intervals(found: FactorGap) -> dict[str, tuple[Floats, Floats]]:
    """Lower and upper ends of each quantity, as the tables give them."""
    table = found.table()
    factors = table.iloc[1:]

    def ends(frame: pd.DataFrame, prefix: str) -> tuple[Floats, Floats]:
        low, high = (frame[f"{prefix}{end}"].to_numpy(dtype=float, na_value=np.nan) for end in ("lower", "upper"))
        return low, high

    def both(frame: pd.DataFrame) -> tuple[Floats, Floats]:
        one, other = ends(frame, "ref_"), ends(frame, "judge_")
        return np.concatenate([one[0], other[0]]), np.concatenate([one[1], other[1]])

    scale = found.gaps.scale_table()
    no_scale = (np.array([np.nan]), np.array([np.nan]))
    marginal = found.marginal
    assert marginal is not None
    half = marginal.quantiles.two_sided() * marginal.se
    return {
        "weights": both(factors), "positions": both(table.iloc[:1]), "gap": ends(table, ""),
        "scaled gap": ends(factors, "scaled_"), "scale": ends(scale, "") if len(scale) else no_scale,
        "marginal effects": (marginal.estimate - half, marginal.estimate + half),
        "gap of marginal effects": ends(factors, "ame_"),
    }  # fmt: skip


def simulate_run(of: World, truth: Truth, seed: int) -> dict[str, Floats] | str:
    """Which intervals of one data set hold the pseudo-true values, by quantity (NaN where there is none); or why it was
    refused."""
    try:
        found = find_gap(of, seed)
    except JurylensError as refusal:
        return f"{type(refusal).__name__}: {refusal}"
    if found.dropped:
        return f"not every factor could be fitted: {', '.join(found.dropped)}"
    x = draw(of, np.random.default_rng((5, seed)))[0].x
    effects = [slopes(of, fit, x) for fit in truth.fits]
    values = truth.values | {
        "marginal effects": np.concatenate(effects), "gap of marginal effects": effects[1] - effects[0]
    }  # fmt: skip
    out = {}
    for name, (low, high) in intervals(found).items():
        held = ((low <= values[name]) & (values[name] <= high)).astype(float)
        out[name] = np.where(np.isnan(low), np.nan, held)
    return out


# -- many of them -------------------------------------------------------------------------------------------------


def run_world(of: World, runs: int, workers: int = 2) -> pd.DataFrame:
    """One row a quantity: world, quantity, coverage, each_low, each_high, runs, promised_low, promised_high,
    promised_least, promised_most (of each), refused (runs), undefined (share of intervals that are not given)."""
    found = repeat(partial(simulate_run, of, find_truth(of)), runs, workers)
    done = [run for run in found if not isinstance(run, str)]
    if not done:
        raise RuntimeError(f"{of.name}: every run was refused: {found[0]}")
    rows = []
    for name in QUANTITIES:
        held = np.array([run[name] for run in done])
        each = np.nanmean(held, axis=0)
        missing = float(np.isnan(held).mean())
        nothing = np.nan, np.nan
        pooled, single = (SCALE, SCALE) if name == "scale" else (POOLED, FEW_PROMPTS if of.texts else EACH)
        (low, high), (least, most) = (nothing, nothing) if missing > CHOSEN else (pooled, single)
        rows.append(
            {
                "world": of.name, "quantity": name, "coverage": float(each.mean()), "each_low": float(each.min()),
                "each_high": float(each.max()), "runs": runs, "promised_low": low, "promised_high": high,
                "promised_least": least, "promised_most": most, "refused": len(found) - len(done),
                "undefined": missing,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def measure(runs: int, workers: int, only: Sequence[str] = ()) -> pd.DataFrame:
    """The table of all worlds, or of those named."""
    chosen = [of for of in worlds() if not only or of.name in only]
    return pd.concat([run_world(of, runs, workers) for of in chosen], ignore_index=True)


def broken_promises(table: pd.DataFrame) -> list[str]:
    """What does not hold beyond chance, in sentences: a whole by 1.96 standard errors of a share of the runs, single
    ones, of which some two hundred are looked at, by 3.5."""
    broken = []
    for row in table.to_dict("records"):
        what = f"{row['world']}, {row['quantity']}"
        if _outside(row, ("coverage", "coverage"), ("promised_low", "promised_high"), 1.96):
            broken.append(f"{what}: pooled coverage {row['coverage']:.3f}")
        if _outside(row, ("each_low", "each_high"), ("promised_least", "promised_most"), 3.5):
            broken.append(f"{what}: single ones from {row['each_low']:.3f} to {row['each_high']:.3f}")
    return broken


def _outside(row: dict[Hashable, Any], found: tuple[str, str], promised: tuple[str, str], errors: float) -> bool:
    low, high = (float(row[name]) for name in promised)
    below, above = (errors * np.sqrt(end * (1 - end) / row["runs"]) for end in (low, high))
    return bool(row[found[0]] < low - below or row[found[1]] > high + above)


def main() -> int:
    if not LLMFAO.is_file():
        print("The worlds on published texts are skipped: ../shared/real/llmfao is not beside the project.")
    return report(__doc__, measure, broken_promises, [of.name for of in worlds()])


if __name__ == "__main__":
    sys.exit(main())
