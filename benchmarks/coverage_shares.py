"""Do intervals of how extreme a judge is hold, and is a planted extremity found from few votes?

    python -m benchmarks.coverage_shares [--runs 500] [--workers 2]

Every run draws prompts, pairs within them whose log-odds are normal, of two camps, or even for half of them, people's
votes and a judge that states so many times these log-odds, with noise of its own, or gives labels by them. Exact
values are those of 200,000 pairs, of the slope with people's log-odds as they are. Promised: 91-98.5 % of the intervals
of each figure, the slope by variances from 40 votes a pair on, and means of the slopes within 6 %; of five votes less,
as the worlds say.
"""

from __future__ import annotations

import os

# Two processes share two cores: each with one thread for its small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.cells import Floats, Ints
from analysis.cluster_sums import Figures
from analysis.few_votes import slope_of_labels, slope_on_leaning
from analysis.shares import hold_shares, log_odds
from analysis.vcov import Clustering, choose_clustering
from benchmarks.repeat import promised, repeat, report

EACH = (0.91, 0.985)
MANY = 40
"""Votes a pair from which on the correction by variances is promised to do."""

LARGE = 200_000
NORMAL, CAMPS, HALF = "normal", "two camps", "half of them even"
FIGURES = ("parting_people", "parting_judge", "parting_difference", "entropy_people", "entropy_judge",
           "entropy_difference", "divergence", "distance")  # fmt: skip


@dataclass(frozen=True)
class World:
    """slope : the judge's log-odds over people's; noise : sd of its own
    labels : how many it gives a pair in place of a preference; few : votes of every other pair
    sd : of people's log-odds, where these are normal
    least, away : promised of the slope's interval, and of how far its mean is off"""

    name: str
    prompts: int
    votes: int
    shape: str = NORMAL
    pairs_a_prompt: int = 4
    slope: float = 2.0
    noise: float = 0.3
    labels: int = 0
    sd: float = 1.14
    few: int = 0
    least: float = EACH[0]
    away: float = 0.06

    @property
    def promised(self) -> bool:
        """Whether the slope by variances is to do: of preferences and many votes."""
        return self.votes >= MANY and not self.few and not self.labels


def worlds() -> tuple[World, ...]:
    """The worlds that are looked at, headline first."""
    return (
        World("40 votes, 100 prompts", 100, 40),
        World("10 votes, 100 prompts", 100, 10),
        World("5 votes, 100 prompts", 100, 5),
        World("5 votes, 100 prompts, less extreme", 100, 5, slope=0.5),
        World("5 votes, 100 prompts, two camps", 100, 5, CAMPS, least=0.8, away=0.08),
        World("5 votes, 250 prompts, half of them even", 250, 5, HALF, least=0.8, away=0.1),
        World("10 votes, 100 prompts, two camps", 100, 10, CAMPS),
        World("10 votes, 100 prompts, half of them even", 100, 10, HALF),
        World("10 votes, 25 prompts", 25, 10, away=0.08),
        World("10 votes, 100 prompts, wider", 100, 10, sd=1.5),
        World("3 or 40 votes, 100 prompts", 100, 40, few=3),
        *(World(f"10 votes, 75 prompts, like people, {k} labels", 75, 10, slope=1.0, noise=0.0, labels=k)
          for k in (2, 3, 10)),
        *(World(f"40 votes, 75 prompts, {k} labels", 75, 40, labels=k) for k in (2, 3, 5, 10, 40)),
        World("10 votes, 75 prompts, 3 labels, noise", 75, 10, noise=1.0, labels=3),
        World("5 votes, 100 prompts, 3 labels", 100, 5, labels=3),
        World("5 votes, 100 prompts, two camps, 3 labels", 100, 5, CAMPS, labels=3, least=0.85, away=0.1),
        World("10 votes, 100 prompts, half of them even, 3 labels", 100, 10, HALF, labels=3, least=0.8, away=0.1),
    )


def draw(of: World, prompts: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats, Floats, Ints]:
    """People's log-odds, their share of so many votes, and how many; the judge's share; the prompt of each pair."""
    prompt = np.repeat(np.arange(prompts), of.pairs_a_prompt)
    n = len(prompt)
    if of.shape == CAMPS:
        theta = rng.choice([-1.5, 1.5], n) + 0.3 * rng.standard_normal(n)
    elif of.shape == HALF:
        theta = np.where(rng.random(n) < 0.5, 0.2, 2.0) * rng.standard_normal(n)
    else:
        theta = of.sd * (0.61 * rng.standard_normal(prompts)[prompt] + 0.79 * rng.standard_normal(n))
    judge = expit(of.slope * theta + of.noise * rng.standard_normal(n))
    if of.labels:
        judge = rng.binomial(of.labels, judge) / of.labels
    votes = np.where(np.arange(n) % 2 == 1, of.few or of.votes, of.votes)
    return theta, rng.binomial(votes, expit(theta)) / votes, votes.astype(np.float64), judge, prompt


def hold(of: World, h: Floats, votes: Floats, j: Floats, prompt: Ints, clustering: Clustering) -> Figures:
    one = np.ones(len(h))
    return hold_shares(h, votes, j, (of.labels or 1) * one, one * (of.labels == 0), prompt, clustering)[0]


@lru_cache(maxsize=32)
def exact(of: World) -> dict[str, float]:
    """Of votes in this number: that few votes look less divided than many is what a figure of them means."""
    theta, h, votes, j, prompt = draw(of, LARGE // of.pairs_a_prompt, np.random.default_rng(12345))
    found = hold(of, h, votes, j, prompt % 100, Clustering("prompt"))
    one = np.ones(len(h))
    # Shares stated as numbers are kept off 0 and 1, which bends the line a little. Noise of labels is of no account.
    slope = of.slope if of.labels else float(theta @ log_odds(j, one, one) / (theta @ theta))
    return {name: found[name] for name in FIGURES} | {"slope": slope, "slope_binomial": slope}


def simulate_run(of: World, truth: dict[str, float], seed: int) -> tuple[dict[str, float], dict[str, float]]:
    """Whether each interval holds its exact value; and both slopes."""
    _, h, votes, j, prompt = draw(of, of.prompts, np.random.default_rng((17, seed)))
    one = np.ones(len(h))
    found = hold(of, h, votes, j, prompt, choose_clustering("auto", of.prompts))
    if of.labels:
        value, low, high = slope_of_labels(h, votes, j, of.labels * one, prompt, seed=seed)
    else:
        value, low, high = slope_on_leaning(h, votes, log_odds(j, one, one), prompt, seed=seed)
    held = {"slope_binomial": float(low <= truth["slope"] <= high)}
    for name in (*FIGURES, *(["slope"] if of.promised else [])):
        ends = found.one(name) or {}
        held[name] = float(ends["lower"] <= truth[name] <= ends["upper"]) if "lower" in ends else np.nan
    return held, {"slope_binomial": value / truth["slope"], "slope": found["slope"] / truth["slope"]}


def run_world(of: World, runs: int, workers: int = 2) -> pd.DataFrame:
    """One row a figure, and the mean of both slopes over the exact one: world, quantity, coverage, each_low, each_high,
    runs, promised_low, promised_high."""
    found = repeat(partial(simulate_run, of, exact(of)), runs, workers)
    held = {str(name): float(share) for name, share in pd.DataFrame([one for one, _ in found]).mean().items()}
    means = {str(name): float(mean) for name, mean in pd.DataFrame([one for _, one in found]).mean().items()}
    rows: list[dict[str, object]] = []

    def add(quantity: str, value: float, low: float, high: float) -> None:
        rows.append(promised(of.name, quantity, value, low, high, runs))

    for name, share in held.items():
        add(name, share, of.least if name.startswith("slope") else EACH[0], EACH[1])
    add("mean slope_binomial over exact", means["slope_binomial"], 1 - of.away, 1 + of.away)
    add("mean slope over exact", means["slope"], *((0.94, 1.06) if of.promised else (0.0, float("inf"))))
    return pd.DataFrame(rows)


def measure(runs: int, workers: int) -> pd.DataFrame:
    """The table of all worlds."""
    return pd.concat([run_world(of, runs, workers) for of in worlds()], ignore_index=True)


main: Callable[[], int] = partial(report, __doc__, measure)

if __name__ == "__main__":
    sys.exit(main())
