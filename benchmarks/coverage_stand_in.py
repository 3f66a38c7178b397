"""Do intervals of agreement hold, and how often does a judge pass that is worse than the margin?

    python -m benchmarks.coverage_stand_in [--runs 500] [--workers 2]

Every run draws prompts of different difficulty, pairs within them, several people's votes a pair (a, b or tie) and two
judges' verdicts. Pairs differ in how clear they are, and judges miss what people miss. Coverage is of the exact value
over prompts and pairs, integrated numerically: promised 93-97 % over the quantities of a world, 91-98.5 % for each.
Of the verdict: a judge whose advantage is -margin, or worse, may stand in in at most 5 % of all runs; with fewer pairs
than the smallest number every judge is undecided, and just above it most are, even one as good as people.
"""

from __future__ import annotations

import os

# Two processes share two cores: each with one thread for its small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import product

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import ndtr

from analysis.agreement import PairVotes
from analysis.cells import Floats, Ints
from analysis.cluster_sums import Figures
from analysis.judge_agreement import agree, differ, hold_out, leave_one_out
from analysis.stand_in import MARGIN, judge_stand_in
from analysis.vcov import choose_clustering
from benchmarks.repeat import promised, repeat, report

POOLED = (0.93, 0.97)
EACH = (0.91, 0.985)
PASSES = 0.05
FAIR = tuple(
    f"{name}{ending}" for ending in ("", "_no_ties")
    for name in ("agreement", "kappa", "ac1", "fleiss", "alpha", "ceiling", "against_others", "advantage", "difference")
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """People and a judge who look at pairs with a difference of their own, seen with noise.

    people : votes a pair; skill : what of a pair's difference a judge sees, 1 as people; the other judge has skill 1
    own : sd of what the judge alone sees in a pair; prompt_sd, pair_sd : of the difference; tie : half-width of what
    looks equal; margin : None, or the advantage less than 0 that `skill` is solved for
    verdicts : whether it is the verdict that is looked at; undecided : the least share of runs without one
    """

    name: str
    prompts: int
    pairs_a_prompt: int
    people: int = 4
    skill: float = 0.9
    own: float = 0.4
    prompt_sd: float = 0.7
    pair_sd: float = 1.2
    tie: float = 0.35
    margin: float | None = None
    verdicts: bool = False
    undecided: float | None = None


def worlds() -> tuple[World, ...]:
    """The worlds that are looked at, headline first."""
    at = partial(World, people=4, margin=MARGIN, verdicts=True)
    return (
        World("200 prompts", 200, 4),
        World("60 prompts", 60, 10, people=3),
        World("13 prompts", 13, 100),
        World("100 prompts, a pair each", 100, 1, people=3),
        World("judge as good as gold, 150 prompts", 150, 3, skill=3.0, own=0.0, people=3),
        at("at the margin, 300 prompts", 300, 4),
        at("at the margin, 100 prompts", 100, 3),
        at("at the margin, 13 prompts", 13, 100),
        at("at the margin, 40 pairs", 40, 1),
        at("at the margin, clear pairs, 60 of them", 60, 1, prompt_sd=0.0, pair_sd=30.0, tie=0.0),
        at("at the margin, clear pairs, 300 of them", 300, 1, prompt_sd=0.0, pair_sd=30.0, tie=0.0),
        at("worse than the margin, 100 prompts", 100, 3, margin=0.08),
        World("as good as people, 12 pairs", 12, 1, skill=1.0, own=0.0, verdicts=True, undecided=1.0),
        World("as good as people, 40 pairs", 40, 1, skill=1.0, own=0.0, verdicts=True, undecided=0.5),
        World("far better than people, 400 prompts", 400, 3, skill=4.0, own=0.0, verdicts=True),
    )


@lru_cache(maxsize=32)
def solved(of: World) -> World:
    """The world whose judge has exactly the advantage that is asked for."""
    if of.margin is None:
        return of
    wanted = of.margin

    def away(skill: float) -> float:
        return expected_advantage(replace(of, skill=skill, margin=None)) + wanted

    return replace(of, skill=float(brentq(away, -0.5, 3.0, xtol=1e-6)), margin=None)


def chances(of: World, difference: Floats) -> tuple[Floats, Floats, Floats]:
    """(n, 3) chances of a, b and tie on pairs with this difference: of a person, the judge, the other judge."""

    def labels(mean: Floats, sd: float) -> Floats:
        a, b = ndtr((mean - of.tie) / sd), ndtr((-mean - of.tie) / sd)
        return np.column_stack([a, b, 1 - a - b])

    person = labels(difference, 1.0)
    return person, labels(of.skill * difference, float(np.hypot(1.0, of.own))), labels(difference, 1.0)


@lru_cache(maxsize=64)
def outcomes(of: World) -> tuple[Ints, Ints, Ints, Floats]:
    """(n, 3) votes of people, judge and other one in everything that can happen on a pair, and its chance.

    Integrated over the pair's difference (Gauss-Hermite).
    """
    nodes, weight = np.polynomial.hermite_e.hermegauss(60)
    weight = weight / weight.sum()
    person, judge, other = chances(of, float(np.hypot(of.prompt_sd, of.pair_sd)) * nodes)
    one = np.eye(3, dtype=np.int64)
    chance: dict[tuple[int, ...], float] = {}
    for votes in product(range(3), repeat=of.people):
        p = weight * np.prod(person[:, list(votes)], axis=1)
        for j, k in product(range(3), repeat=2):
            key = (*one[list(votes)].sum(axis=0).tolist(), *one[j].tolist(), *one[k].tolist())
            chance[key] = chance.get(key, 0.0) + float(p @ (judge[:, j] * other[:, k]))
    table = np.array(list(chance), dtype=np.int64)
    return table[:, :3], table[:, 3:6], table[:, 6:], np.array(list(chance.values()))


def expected_advantage(of: World) -> float:
    reference, judge, _, chance = outcomes(of)
    ours, theirs, whole = chance @ leave_one_out(reference, judge, ties=True)
    return float((ours - theirs) / whole)


@lru_cache(maxsize=32)
def expected(of: World) -> dict[str, float]:
    """Every quantity where everything happens as often as its chance says, in 100,000 pairs."""
    reference, judge, other, chance = outcomes(of)
    rows = np.repeat(np.arange(len(chance)), np.rint(chance * 1e5).astype(np.int64))
    parts = _figures(reference[rows], judge[rows], other[rows], np.arange(len(rows)) % 100)
    return {name: next(part for part in parts if name in part.names)[name] for name in FAIR}


def _figures(reference: Ints, judge: Ints, other: Ints, prompt: Ints) -> tuple[Figures, Figures, Figures]:
    by = choose_clustering("auto", len(np.unique(prompt)))
    votes = PairVotes(reference, judge, prompt, np.zeros(len(prompt), dtype=np.int64))
    return agree(votes, by), hold_out(votes, by), differ(reference, other, judge, prompt, by)


def draw(of: World, rng: np.random.Generator) -> tuple[Ints, Ints, Ints, Ints]:
    """(n, 3) votes of people, of the judge and of the other one, and the prompt of each pair."""
    prompt = np.repeat(np.arange(of.prompts), of.pairs_a_prompt)
    difference = of.prompt_sd * rng.standard_normal(of.prompts)[prompt] + of.pair_sd * rng.standard_normal(len(prompt))
    person, judge, other = chances(of, difference)
    one, two = (_drawn(p, 1, rng) for p in (judge, other))
    return _drawn(person, of.people, rng), one, two, prompt


def _drawn(p: Floats, votes: int, rng: np.random.Generator) -> Ints:
    u = rng.random((votes, len(p)))
    a = u < p[:, 0]
    b = ~a & (u < p[:, 0] + p[:, 1])
    counts: Ints = np.column_stack([a.sum(axis=0), b.sum(axis=0), (~a & ~b).sum(axis=0)]).astype(np.int64)
    return counts


def simulate_run(of: World, truth: dict[str, float], seed: int) -> tuple[list[float], str]:
    """Whether each interval of FAIR holds its exact value (NaN: there is none), and the verdict."""
    reference, judge, other, prompt = draw(of, np.random.default_rng((7, seed)))
    parts = _figures(reference, judge, other, prompt)
    held = []
    for name in FAIR:
        part = next(part for part in parts if name in part.names)
        one = part.one(name)
        held.append(float(one["lower"] <= truth[name] <= one["upper"]) if one and "lower" in one else np.nan)
    votes = PairVotes(reference, judge, prompt, np.zeros(len(prompt), dtype=np.int64))
    return held, judge_stand_in(votes, choose_clustering("auto", of.prompts)).verdict


def run_world(of: World, runs: int, workers: int = 2) -> pd.DataFrame:
    """One row a quantity: world, quantity, coverage, each_low, each_high, runs, promised_low, promised_high; of the
    verdict the share of runs with it."""
    exact = solved(of)
    truth = expected(exact)
    found = repeat(partial(simulate_run, exact, truth), runs, workers)
    rows: list[dict[str, object]] = []

    def add(quantity: str, value: float, low: float, high: float, ends: tuple[float, float] | None = None) -> None:
        rows.append(promised(of.name, quantity, value, low, high, runs, ends))

    if not of.verdicts:
        held = np.array([run[0] for run in found])
        each = np.nanmean(held, axis=0)
        add("all intervals", float(np.nanmean(held)), *POOLED, (float(each.min()), float(each.max())))
        for name, share in zip(FAIR, each, strict=True):
            add(name, float(share), *EACH)
        return pd.DataFrame(rows)
    passed, undecided = (float(np.mean([run[1] == one for run in found])) for one in ("may stand in", "undecided"))
    if of.undecided is not None:
        add("undecided", undecided, of.undecided, 1.0)
    elif truth["advantage"] < -MARGIN + 1e-3:
        add("may stand in", passed, 0.0, PASSES)
    else:
        add("may stand in", passed, 0.8, 1.0)
    return pd.DataFrame(rows)


def measure(runs: int, workers: int) -> pd.DataFrame:
    """The table of all worlds."""
    return pd.concat([run_world(of, runs, workers) for of in worlds()], ignore_index=True)


main: Callable[[], int] = partial(report, __doc__, measure)

if __name__ == "__main__":
    sys.exit(main())
