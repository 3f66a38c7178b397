"""Do pooled scenario strengths hold what they promise, and are they better than a guess? Coverage over many worlds.

    python -m benchmarks.coverage_scenarios [--runs 500] [--workers 2]

Every run draws the scenarios' strengths from N(mean, tau^2), then prompts and verdicts, and asks whether the 95 %
intervals hold the pseudo-true strengths: Bradley-Terry fitted to the scenario's exact expected verdicts. Promised:
pooled intervals hold on average over scenarios in at least 93 %; with equal scenarios a model is said to differ in at
most 7 %. Beside it the width of pooled intervals, and of what the others alone say of a thin scenario.
"""

from __future__ import annotations

import os

# Two processes share two cores: each with one thread for its small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from analysis.bradley_terry import newton
from analysis.cells import Cells, Floats, Ints, PairCounts
from analysis.pooling import pool, widen
from analysis.scenarios import ScenarioRanking, rank_by_scenario
from analysis.vcov import Clustering
from benchmarks.repeat import repeat

MODELS = 12
POOLED = (0.93, 1.0)
RAW = (0.93, 0.97)
FALSE = (0.0, 0.07)
COLUMNS = ["world", "quantity", "coverage", "each_low", "each_high", "runs", "promised_low", "promised_high", "width"]
NODES = np.polynomial.hermite_e.hermegauss(31)


@dataclass(frozen=True)
class World:
    """Scenarios of which every second one may be thin.

    tau : sd of a model's strength between scenarios
    full, thin : (prompts, judgments a prompt); prompt_sd : of a model's strength between prompts; tie : Davidson's nu
    """

    name: str
    scenarios: int
    tau: float
    full: tuple[int, int] = (40, 15)
    thin: tuple[int, int] | None = None
    prompt_sd: float = 0.4
    tie: float = 0.3

    def shape(self, scenario: int) -> tuple[int, int]:
        return self.thin if self.thin is not None and scenario % 2 else self.full

    @property
    def is_thin(self) -> Floats:
        """(scenarios,) 1 where thin, else 0."""
        return np.array([self.shape(s) != self.full for s in range(self.scenarios)], dtype=np.float64)


def worlds() -> list[World]:
    """Eight and sixteen scenarios, alike or not, balanced or with thin ones; then clusters of very unequal size."""
    found = []
    for n in (8, 16):
        for tau in (0.0, 0.2, 0.5):
            found.append(World(f"{n} scenarios, tau {tau:g}", n, tau))
            # A tenth of the data: 4 prompts instead of 40.
            found.append(World(f"{n} scenarios, half thin, tau {tau:g}", n, tau, thin=(4, 15)))
    single = World("8 scenarios, one judgment a prompt, half thin, tau 0.3", 8, 0.3, full=(600, 1), thin=(60, 1))
    heavy = World("8 scenarios, half with 3 large prompts, tau 0.3", 8, 0.3, thin=(3, 200), prompt_sd=0.8)
    return [*found, single, heavy]


def pseudo_true(strength: Floats, world: World) -> Floats:
    """(n,) Bradley-Terry fitted to the exact expected verdicts, integrated over prompts."""
    n = len(strength)
    a, b = np.triu_indices(n, 1)
    nodes, weights = NODES
    half = (strength[a] - strength[b])[:, None] / 2 + world.prompt_sd / np.sqrt(2) * nodes
    total = np.exp(half) + np.exp(-half) + world.tie
    y = ((np.exp(half) + world.tie / 2) / total) @ weights / weights.sum()
    counts = PairCounts(n, a, b, None, np.ones(len(a)), y, np.ones(len(a), dtype=np.int64))
    found = newton(counts, np.zeros(n)).parameters
    return np.asarray(found - found.mean())


def draw(world: World, strengths: Floats, rng: np.random.Generator) -> tuple[Cells, Ints]:
    """One judgment a cell, and the scenario of each."""
    parts = [_draw_scenario(world, s, strengths[s], rng) for s in range(world.scenarios)]
    i, j, y, prompt = (np.concatenate([part[k] for part in parts]) for k in range(4))
    ones = np.ones(len(i))
    names = tuple(f"model-{k:02d}" for k in range(strengths.shape[1]))
    cells = Cells(names, i, j, ones, y, ones.astype(np.int64), clusters={"prompt": prompt})
    return cells, np.repeat(np.arange(world.scenarios), [len(part[0]) for part in parts])


def _draw_scenario(
    world: World, scenario: int, strength: Floats, rng: np.random.Generator
) -> tuple[Ints, Ints, Floats, Ints]:
    prompts, each = world.shape(scenario)
    n = len(strength)
    prompt = np.repeat(np.arange(prompts), each)
    i = rng.integers(0, n, len(prompt))
    j = (i + rng.integers(1, n, len(prompt))) % n
    here = strength + world.prompt_sd * rng.standard_normal((prompts, n))
    half = (here[prompt, i] - here[prompt, j]) / 2
    total = np.exp(half) + np.exp(-half) + world.tie
    drawn = rng.random(len(prompt)) * total
    y = np.where(drawn < np.exp(half), 1.0, np.where(drawn < np.exp(half) + world.tie, 0.5, 0.0))
    return i, j, y, 100_000 * scenario + prompt


@dataclass(frozen=True)
class Run:
    """One data set. held, raw, width : (scenarios, models), NaN where there is no interval

    unseen : mean width over thin scenarios when their verdicts are not used; NaN without thin ones
    tau_held : (models,); flagged : (models,) p < .05; marked : share of departures whose interval leaves out 0
    """

    held: Floats
    raw: Floats
    width: Floats
    unseen: float
    tau_held: Floats
    flagged: Floats
    marked: float


def simulate_run(world: World, tau: float, seed: int) -> Run:
    """tau : of the pseudo-true strengths, which prompt effects and centring make smaller than the planted one."""
    rng = np.random.default_rng((11, seed))
    mean = 0.6 * np.random.default_rng(3).standard_normal(MODELS)
    strengths = mean + world.tau * rng.standard_normal((world.scenarios, MODELS))
    truth = np.array([pseudo_true(one, world) for one in strengths])
    cells, scenario = draw(world, strengths, rng)
    found = rank_by_scenario(cells, scenario, [f"s{s}" for s in range(world.scenarios)], Clustering("prompt"))
    if found.models != cells.models:
        raise RuntimeError(f"{world.name}, seed {seed}: the overall ranking leaves out {found.overall.left_out}")
    ends, between = found.pooled.interval(), found.pooled.tau_interval()
    away = found.pooled.departure_interval()
    return Run(
        held=((ends.lower <= truth) & (truth <= ends.upper)).astype(np.float64),
        raw=_raw_held(found, truth),
        width=ends.upper - ends.lower,
        unseen=_unseen(found, world),
        tau_held=((between.lower <= tau) & (tau <= between.upper)).astype(np.float64),
        flagged=(found.test.p < 0.05).astype(np.float64),
        marked=float(((away.lower > 0) | (away.upper < 0)).mean()),
    )


def _raw_held(found: ScenarioRanking, truth: Floats) -> Floats:
    """Of the scenario's own intervals, against the truth centred over the models that it ranks."""
    out = np.full(truth.shape, np.nan)
    for s, one in enumerate(found.scenarios):
        if one.raw is None:
            continue
        kept = [found.models.index(name) for name in one.raw.fit.models]
        target = truth[s, kept] - truth[s, kept].mean()
        half = one.raw.covariance.quantiles.two_sided() * one.raw.covariance.se[: len(kept)]
        out[s, kept] = np.abs(one.raw.fit.strength - target) <= half
    return out


def _unseen(found: ScenarioRanking, world: World) -> float:
    thin = world.is_thin > 0
    if not thin.any():
        return float("nan")
    se = np.where(thin[:, None], np.inf, widen(found.weighed.se, found.weighed.df))
    ends = pool(found.weighed.strength, se).interval()
    return float((ends.upper - ends.lower)[thin].mean())


def true_tau(world: World) -> float:
    """Sd between scenarios of the pseudo-true strengths, from 300 scenarios (3 % off at most over 12 models)."""
    rng = np.random.default_rng(12)
    mean = 0.6 * np.random.default_rng(3).standard_normal(MODELS)
    many = [pseudo_true(mean + world.tau * rng.standard_normal(MODELS), world) for _ in range(300)]
    return float(np.sqrt(np.var(many, axis=0, ddof=1).mean()))


def run_world(world: World, runs: int, workers: int = 2) -> list[Run]:
    """`runs` data sets of one world, seeds 0.. ."""
    work = partial(simulate_run, world, true_tau(world))
    return repeat(work, runs, workers)


def summarise(world: World, runs: Sequence[Run]) -> pd.DataFrame:
    """One row a quantity; `each` is over models.

    Promised is the average over scenarios. Its parts, power, raw intervals of thin scenarios and tau are only told.
    """
    held, raw, width = (np.array([getattr(run, name) for run in runs]) for name in ("held", "raw", "width"))
    rows: list[tuple[object, ...]] = []

    def add(quantity: str, values: Floats, promised: tuple[float, float] | None, wide: float = np.nan) -> None:
        each = np.nanmean(values, axis=tuple(range(values.ndim - 1)))
        low, high = promised or (np.nan, np.nan)
        coverage = float(np.nanmean(values))
        rows.append((world.name, quantity, coverage, each.min(), each.max(), len(runs), low, high, wide))

    add("pooled", held, POOLED, float(width.mean()))
    for kind, some in (("full", world.is_thin == 0), ("thin", world.is_thin > 0)):
        if some.any():
            add(f"pooled, {kind}", held[:, some], None, float(width[:, some].mean()))
            add(f"raw, {kind}", raw[:, some], None if kind == "thin" else RAW)
    if (world.is_thin > 0).any():
        unseen = float(np.mean([run.unseen for run in runs]))
        rows.append((world.name, "thin, from the others alone", *[np.nan] * 3, len(runs), np.nan, np.nan, unseen))
    add("p < .05", np.array([run.flagged for run in runs]), None if world.tau else FALSE)
    marked = np.array([[run.marked] for run in runs])
    add("departure without 0", marked, None if world.tau else FALSE)
    if world.tau:
        add("tau", np.array([run.tau_held for run in runs]), None)
    return pd.DataFrame(rows, columns=COLUMNS)


def measure(runs: int, workers: int) -> pd.DataFrame:
    """All worlds: what is covered, what is promised, and how wide the intervals are."""
    tables = [summarise(world, run_world(world, runs, workers)) for world in worlds()]
    return pd.concat(tables, ignore_index=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    table = measure(chosen.runs, chosen.workers)
    print(table.round(3).to_string(index=False, na_rep=""))
    promised = table["promised_low"].notna()
    broken = table[promised & ~table["coverage"].between(table["promised_low"], table["promised_high"])]
    for row in broken.itertuples():
        print(f"BROKEN  {row.world}: {row.quantity} {row.coverage:.3f}")
    return 1 if len(broken) else 0


if __name__ == "__main__":
    sys.exit(main())
