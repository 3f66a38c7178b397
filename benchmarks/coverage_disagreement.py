"""Do intervals of the parts of disagreement hold?

    python -m benchmarks.coverage_disagreement [--runs 500] [--workers 2]

Every run draws prompts, pairs within them, 2 to 5 votes of people a pair and a judge that sees what they see, leans
towards the answer shown first and towards the longer one, in some prompts more than in others. Coverage is of the exact
share of each part, from the expected outcomes of a million pairs. Promised: 93-97 % over the parts that are there, 91 %
and more for each (what explains next to nothing has an interval that holds more often, which nothing narrower does).
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

from analysis.cells import Floats, Ints
from analysis.disagreement import JUDGE, PEOPLE, UNEXPLAINED, Replies, decompose
from benchmarks.repeat import promised, repeat, report

POOLED = (0.93, 0.98)
EACH = 0.91
LARGE = 250_000
"""Prompts of four pairs from which exact parts are taken."""

GROUPS = ("position", "length and style", "content")


@dataclass(frozen=True)
class World:
    """length, first : what the judge adds per unit of length and for the answer shown first; varies : sd of the former
    between prompts; repeats : verdicts a pair; spare : further columns, of content, that say nothing; least : what is
    promised of each part"""

    name: str
    prompts: int
    pairs_a_prompt: int = 4
    length: float = 0.12
    first: float = 0.1
    varies: float = 0.04
    repeats: int = 1
    spare: int = 0
    least: float = EACH


def worlds() -> tuple[World, ...]:
    """The worlds that are looked at, headline first."""
    return (
        World("250 prompts", 250),
        World("100 prompts, two verdicts a pair", 100, repeats=2),
        World("50 prompts", 50),
        World("13 prompts", 13),
        World("13 prompts of 40 pairs", 13, 40),
        World("50 prompts, ten idle factors", 50, spare=10, least=0.86),
        World("100 prompts, little taste", 100, length=0.04, first=0.03, varies=0.0),
    )


def chances(of: World, prompts: int, rng: np.random.Generator) -> tuple[Floats, Floats, Floats, Ints]:
    """Chances that a person, and the judge, prefer a; the columns; the prompt of each pair."""
    prompt = np.repeat(np.arange(prompts), of.pairs_a_prompt)
    content = 0.6 * rng.standard_normal(prompts)[prompt] + 0.8 * rng.standard_normal(len(prompt))
    length, shown = rng.standard_normal(len(prompt)), rng.choice([-1.0, 1.0], len(prompt))
    slope = of.length + of.varies * rng.standard_normal(prompts)[prompt]
    person = np.clip(0.5 + 0.1 * content, 0.02, 0.98)
    judge = np.clip(0.5 + 0.1 * content + slope * length + of.first * shown, 0.02, 0.98)
    idle = rng.standard_normal((len(prompt), of.spare))
    return person, judge, np.column_stack([shown, length, content, idle]), prompt


@lru_cache(maxsize=32)
def exact(of: World) -> dict[str, float]:
    """The share of each part."""
    person, judge, x, _ = chances(of, LARGE * 4 // of.pairs_a_prompt, np.random.default_rng(12345))
    total = float(np.mean(judge * (1 - person) + person * (1 - judge)))
    noise, own = float(np.mean(person * (1 - person))), float(np.mean(judge * (1 - judge)))
    # Columns are independent of one another: each explains what it explains alone.
    d = judge - person
    gains = [float(np.mean(d * column) ** 2 / np.mean(column**2)) for column in x.T[:3]]
    systematic = total - noise - (own if of.repeats > 1 else 0.0)
    parts = {PEOPLE: noise, **dict(zip(GROUPS, gains, strict=True)), UNEXPLAINED: systematic - sum(gains)}
    if of.repeats > 1:
        parts[JUDGE] = own
    return {name: value / total for name, value in parts.items()} | {"total": total}


def draw(of: World, rng: np.random.Generator) -> Replies:
    person, judge, x, prompt = chances(of, of.prompts, rng)
    n = rng.integers(2, 6, len(prompt))
    a, b = rng.binomial(n, person), rng.binomial(of.repeats, judge)
    zero = np.zeros(len(prompt), dtype=np.int64)
    return Replies(
        np.column_stack([a, n - a, zero]), prompt, np.arange(len(prompt)),
        np.column_stack([b, of.repeats - b, zero]), x, (*GROUPS, *["content"] * of.spare),
    )  # fmt: skip


def simulate_run(of: World, truth: dict[str, float], seed: int) -> dict[str, float]:
    """Whether each interval holds its exact value."""
    found = decompose(draw(of, np.random.default_rng((11, seed))), seed=seed)
    held = {
        name: float(low <= truth[name] <= high)
        for name, low, high in zip(found.names, found.share_lower, found.share_upper, strict=True)
    }
    return held | {"total": float(found.total_lower <= truth["total"] <= found.total_upper)}


def run_world(of: World, runs: int, workers: int = 2) -> pd.DataFrame:
    """One row a part, and one for all that are there: world, quantity, coverage, each_low, each_high, runs,
    promised_low, promised_high."""
    truth = exact(of)
    held = pd.DataFrame(repeat(partial(simulate_run, of, truth), runs, workers))
    each = {str(name): float(share) for name, share in held.mean().items()}
    there = [share for name, share in each.items() if truth[name] > 1e-3]
    rows: list[dict[str, object]] = []
    mean, ends = float(np.mean(there)), (min(there), max(there))
    for name, value, low, high in (
        ("all parts that are there", mean, *POOLED), *((name, share, of.least, 1.0) for name, share in each.items()),
    ):  # fmt: skip
        rows.append(promised(of.name, name, value, low, high, runs, None if rows else ends))
    return pd.DataFrame(rows)


def measure(runs: int, workers: int) -> pd.DataFrame:
    """The table of all worlds."""
    return pd.concat([run_world(of, runs, workers) for of in worlds()], ignore_index=True)


main: Callable[[], int] = partial(report, __doc__, measure)

if __name__ == "__main__":
    sys.exit(main())
