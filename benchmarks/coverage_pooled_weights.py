"""Do pooled weights and gaps by scenario hold what they promise? Coverage and false discovery over many worlds.

    python -m benchmarks.coverage_pooled_weights [--runs 500] [--workers 2] [--world NAME ...]

Every run draws each scenario's weights from N(mean, tau^2), then prompts, answers and the verdicts of a reference and
a judge, and asks whether 95 % intervals hold the pseudo-true values: the same model fitted to a scenario's exact
expected verdicts. Promised: pooled intervals hold on average over scenarios in at least 93 %; where no weight (no
scaled gap) differs between scenarios any factor is flagged (q < .05) in at most 7 % of runs; where three of twelve do,
at most 5 % of the flagged are false.
"""

from __future__ import annotations

import os

# Two processes share two cores: each with one thread for its small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import pandas as pd

from analysis.cells import Floats, Ints
from analysis.design import Design
from analysis.factor_fit import fit_factors
from analysis.gap import find_agreeing, fit_line
from analysis.pooled_weights import ByScenario, PooledGaps, pool_gaps, pool_weights
from analysis.vcov import Clustering
from benchmarks.factor_worlds import ANSWERS, Taste, answers, expected
from benchmarks.repeat import repeat, report

POOLED, RAW, FLAGGED, FALSE = (0.93, 1.0), (0.93, 0.97), (0.0, 0.07), (0.0, 0.05)
MEAN = (0.5, 0.3, -0.3, 0.2, 0.0, 0.4)
BANK = 1_500
"""Pairs on which pseudo-true values are fitted: enough for how much the answers' other merits attenuate weights."""
RAW_EACH = 5
"""Scenarios are fitted alone in every fifth data set only, which takes most of the time."""
COLUMNS = ["world", "quantity", "coverage", "each_low", "each_high", "runs", "promised_low", "promised_high", "width"]


@dataclass(frozen=True)
class World:
    """Scenarios of which every second one may be thin.

    tau : sd of the weights between scenarios, in the first `varying` of k factors (None: in all); both judges share
        the departures, but for gap_tau, the judge's own
    full, thin : (prompts, pairs a prompt); slope_sd : of weights from prompt to prompt; decisive : the judge's
    """

    name: str
    tau: float
    scenarios: int = 8
    k: int = 6
    varying: int | None = None
    full: tuple[int, int] = (60, 8)
    thin: tuple[int, int] | None = None
    slope_sd: float = 0.2
    merit_sd: float = 0.3
    gaps: bool = False
    gap_tau: float = 0.0
    decisive: float = 1.0

    def shape(self, scenario: int) -> tuple[int, int]:
        """Prompts and pairs a prompt."""
        return self.thin if self.thin is not None and scenario % 2 else self.full

    @property
    def varies(self) -> Floats:
        """(k,) 1 where scenarios differ, else 0."""
        return np.array([float(self.varying is None or j < self.varying) for j in range(self.k)])


def worlds() -> tuple[World, ...]:
    """Alike and different scenarios, thin ones, many factors of which few vary; then gaps."""
    return (
        World("tau 0", 0.0),
        World("tau .15", 0.15),
        World("tau .4", 0.4),
        World("half thin, tau 0", 0.0, thin=(6, 8)),
        World("half thin, tau .15", 0.15, thin=(6, 8)),
        World("half thin, tau .4", 0.4, thin=(6, 8)),
        World("16 scenarios, 3 of 12 vary", 0.4, scenarios=16, k=12, varying=3),
        World("13 prompts a scenario, weights vary much by prompt, tau 0", 0.0, full=(13, 30), slope_sd=0.5),
        World("gaps, tau 0, twice as decisive", 0.2, gaps=True, decisive=2.0),
        World("gaps, tau .3, half thin", 0.2, gaps=True, gap_tau=0.3, decisive=1.5, thin=(6, 8)),
    )


# -- drawing ------------------------------------------------------------------------------------------------------


def draw_weights(of: World, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """(scenarios, k) weights of the reference and of the judge (before its decisiveness)."""
    mean = np.resize(MEAN, of.k)
    away = of.tau * of.varies * rng.standard_normal((of.scenarios, of.k))
    own = of.gap_tau * of.varies * rng.standard_normal((of.scenarios, of.k))
    return mean + away, mean + away + own


def draw(of: World, weights: Sequence[Floats], rng: np.random.Generator) -> list[Design]:
    """The judgments of each judge, one a row."""
    xs, prompts, scenario = [], [], []
    for s in range(of.scenarios):
        n_prompts, pairs = of.shape(s)
        z = answers(n_prompts * ANSWERS, of.k, rng)
        prompt = np.repeat(np.arange(n_prompts), pairs)
        i = rng.integers(ANSWERS, size=len(prompt))
        j = (i + rng.integers(1, ANSWERS, len(prompt))) % ANSWERS
        merit = of.merit_sd * rng.standard_normal(n_prompts * ANSWERS)
        a, b = prompt * ANSWERS + i, prompt * ANSWERS + j
        xs.append(np.vstack([z[:, a] - z[:, b], merit[a] - merit[b]]))
        prompts.append(10_000 * s + prompt)
        scenario.append(np.full(len(prompt), s))
    x, prompt = np.hstack(xs), np.concatenate(prompts)
    where = np.concatenate(scenario)
    x, edge = x[:-1], x[-1]
    return [_judge(of, x, edge, prompt, where, w, 1.0 if k == 0 else of.decisive, rng) for k, w in enumerate(weights)]


def _judge(
    of: World, x: Floats, edge: Floats, prompt: Ints, where: Ints, weights: Floats, decisive: float,
    rng: np.random.Generator,
) -> Design:  # fmt: skip
    code = np.unique(prompt, return_inverse=True)[1]
    slope = of.slope_sd * rng.standard_normal((code.max() + 1, of.k))
    first = rng.choice([-1.0, 1.0], len(code))
    taste = _taste(of, weights[0], decisive)
    eta = decisive * (((weights[where] + slope[code]).T * x).sum(axis=0) + edge + taste.position * first)
    latent = eta + rng.logistic(size=len(eta))
    score = np.where(np.abs(latent) < taste.tie, 0.5, (latent > 0).astype(np.float64))
    clusters = {"prompt": prompt, "pair": np.arange(len(score)), "scenario": where}
    return _design(x, score, first, clusters)


def _taste(of: World, weights: Floats, decisive: float) -> Taste:
    return Taste(tuple(map(float, weights)), decisive=decisive, slope_sd=of.slope_sd)


def _design(x: Floats, score: Floats, first: Floats, clusters: dict[str, Ints]) -> Design:
    n = len(score)
    at, ones = np.arange(n), np.ones(n)
    names = tuple(f"f{k:02}" for k in range(len(x)))
    return Design(names, x, at, at, ones, score, ones.astype(np.int64), first, None, clusters)


@cache
def bank(k: int) -> Floats:
    """(k, BANK) differences of many pairs."""
    z = answers(2 * BANK, k, np.random.default_rng(8))
    return np.asarray(z[:, :BANK] - z[:, BANK:])


def pseudo_true(of: World, weights: Floats, decisive: float) -> Floats:
    """(scenarios, k) fits to the exact expected verdicts of very many pairs."""
    x = bank(of.k)
    first = np.resize([1.0, -1.0], x.shape[1])
    found = []
    for own in weights:
        taste = _taste(of, own, decisive)
        score, _ = expected(taste, taste.expected_log_odds(x, first), taste.spread(x, of.merit_sd))
        found.append(fit_factors(_design(x, score, first, {})).weights)
    return np.array(found)


# -- one data set -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """By quantity (weights, gap, scaled gap): which intervals held, pooled and raw, (scenarios, k); their pooled
    widths; which factors were flagged, (k,)."""

    held: dict[str, Floats]
    raw: dict[str, Floats]
    width: dict[str, float]
    flagged: dict[str, Floats]


def simulate_run(of: World, seed: int) -> Run:
    """Draw one data set and hold every interval against the pseudo-true value."""
    rng = np.random.default_rng((21, seed))
    drawn = draw_weights(of, rng)
    if not of.gaps:
        design = draw(of, drawn[:1], rng)[0]
        rows = [(f"s{s}", np.flatnonzero(design.clusters["scenario"] == s)) for s in range(of.scenarios)]
        weights = pool_weights(design, rows, Clustering("prompt"), raw=not seed % RAW_EACH).weights
        return _compare({"weights": (weights, pseudo_true(of, drawn[0], 1.0))}, of)
    one, two = draw(of, drawn, rng)
    names = [(f"s{s}", s) for s in range(of.scenarios)]
    found = pool_gaps(one, two, names, Clustering("prompt"), raw=not seed % RAW_EACH)
    reference, judge = pseudo_true(of, drawn[0], 1.0), pseudo_true(of, drawn[1], of.decisive)
    parts = {"gap": (found.gaps, judge - reference)}
    if found.scaled is not None:
        parts["scaled gap"] = (found.scaled, judge - true_scale(of, found, reference, judge) * reference)
    return _compare(parts, of)


def true_scale(of: World, found: PooledGaps, reference: Floats, judge: Floats) -> float:
    """The scale as it is estimated, at the pseudo-true weights of all scenarios together.

    reference, judge : (scenarios, k); which factors take part, and how much, is by the run's own precision
    """
    pairs = np.array([np.prod(of.shape(s)) for s in range(of.scenarios)], dtype=np.float64)
    one, two = (pairs @ weights / pairs.sum() for weights in (reference, judge))
    n = len(found.overall.names)
    at = np.r_[n - of.k : n, 2 * n - of.k : 2 * n]
    vcov = found.overall.gaps.joint.vcov[np.ix_(at, at)]
    variance, across = np.diag(vcov), np.diag(vcov[: of.k, of.k :])
    unit = np.sqrt(variance[: of.k] + variance[of.k :])
    agreeing = find_agreeing(one, two, vcov, np.sqrt(unit**2 - 2 * across), unit, np.ones(of.k, dtype=bool))
    line = fit_line(one, two, vcov, *agreeing)
    assert line is not None
    return float(line.scale(np.concatenate([one, two])))


def _compare(parts: dict[str, tuple[ByScenario, Floats]], of: World) -> Run:
    held, raw, width, flagged = {}, {}, {}, {}
    for quantity, (found, truth) in parts.items():
        low = len(found.names) - of.k
        ends = found.interval()
        lower, upper = ends.lower[:, low:], ends.upper[:, low:]
        held[quantity] = ((lower <= truth) & (truth <= upper)).astype(np.float64)
        width[quantity] = float((upper - lower).mean())
        flagged[quantity] = (found.q[low:] < 0.05).astype(np.float64)
        half = np.array([one.quantiles.two_sided() * one.se[low:] for one in found.scenarios])
        away = np.abs(np.array([one.estimate[low:] for one in found.scenarios]) - truth)
        raw[quantity] = np.where(np.isfinite(half), (away <= half).astype(np.float64), np.nan)
    return Run(held, raw, width, flagged)


# -- many ---------------------------------------------------------------------------------------------------------


def summarise(of: World, runs: Sequence[Run]) -> pd.DataFrame:
    """One row a quantity; `each` is over factors. What is promised of nothing is only told."""
    rows: list[tuple[object, ...]] = []
    thin = np.array([of.shape(s) != of.full for s in range(of.scenarios)])

    def add(quantity: str, values: Floats, promised: tuple[float, float] | None, wide: float = np.nan) -> None:
        each = np.nanmean(values, axis=tuple(range(values.ndim - 1)))
        low, high = promised or (np.nan, np.nan)
        rows.append((of.name, quantity, np.nanmean(values), each.min(), each.max(), len(values), low, high, wide))

    for quantity in runs[0].held:
        mine = [run for run in runs if quantity in run.held]
        held, raw = (np.array([getattr(run, name)[quantity] for run in mine]) for name in ("held", "raw"))
        add(f"{quantity}, pooled", held, POOLED, float(np.mean([run.width[quantity] for run in mine])))
        add(f"{quantity}, raw, full", raw[:, ~thin], None if quantity == "scaled gap" else RAW)
        if thin.any():
            add(f"{quantity}, pooled, thin", held[:, thin], None)
            add(f"{quantity}, raw, thin", raw[:, thin], None)
        flagged = np.array([run.flagged[quantity] for run in mine])
        tau = of.tau if quantity == "weights" or (quantity == "gap" and of.decisive != 1.0) else of.gap_tau
        if not tau:
            add(f"{quantity}, any flag", flagged.max(axis=1, keepdims=True), FLAGGED)
        elif of.varying is not None:
            false = flagged[:, of.varies == 0].sum(axis=1) / np.maximum(flagged.sum(axis=1), 1)
            add(f"{quantity}, false discoveries", false[:, None], FALSE)
            add(f"{quantity}, found", flagged[:, of.varies > 0], None)
        else:
            add(f"{quantity}, found", flagged, None)
    return pd.DataFrame(rows, columns=COLUMNS)


def measure(runs: int, workers: int, names: Sequence[str] = ()) -> pd.DataFrame:
    """All worlds, or those of these names."""
    chosen = [of for of in worlds() if not names or of.name in names]
    tables = [summarise(of, repeat(partial(simulate_run, of), runs, workers)) for of in chosen]
    return pd.concat(tables, ignore_index=True)


def broken_promises(table: pd.DataFrame) -> list[str]:
    """Rows outside their promise by more than 1.96 standard errors of so many runs."""
    broken = []
    for row in table.to_dict("records"):
        if np.isfinite(row["promised_low"]) and _outside(row):
            broken.append(f"{row['world']}, {row['quantity']}: {row['coverage']:.3f}")
    return broken


def _outside(row: dict[Hashable, Any]) -> bool:
    low, high, n = float(row["promised_low"]), float(row["promised_high"]), float(row["runs"])
    below, above = (1.96 * np.sqrt(end * (1 - end) / n) for end in (low, high))
    return bool(row["coverage"] < low - below or row["coverage"] > high + above)


def main() -> int:
    return report(__doc__, measure, broken_promises, [of.name for of in worlds()])


if __name__ == "__main__":
    sys.exit(main())
