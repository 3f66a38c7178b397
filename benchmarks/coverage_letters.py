"""Is a judge without a taste for letters flagged, and does the interval of a planted one hold?

    python -m benchmarks.coverage_letters [--runs 500] [--workers 2]

A judge prefers the first place, and A stands there in three of four verdicts; verdicts of one prompt share which answer
is better. Chances are sums, so that the excess is the planted one exactly.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from analysis.letters import Letters, option_order
from analysis.vcov import choose_clustering
from benchmarks.repeat import promised, repeat, report

FLAGGED = 0.07
EACH = (0.91, 0.985)


@dataclass(frozen=True)
class World:
    """letter, place : what each adds to the chance of an answer; quality : what the better answer of a prompt adds"""

    name: str
    prompts: int
    verdicts: int
    letter: float = 0.0
    place: float = 0.15
    quality: float = 0.15


WORLDS = (
    World("fair, 200 prompts of 4 verdicts", 200, 4),
    World("fair, no taste for places", 200, 4, place=0.0),
    World("fair, 13 prompts of 60 verdicts", 13, 60),
    World("letters, 200 prompts of 4 verdicts", 200, 4, letter=0.08),
    World("letters, 13 prompts of 60 verdicts", 13, 60, letter=0.08),
)


def simulate_run(of: World, seed: int) -> tuple[bool, bool]:
    """Whether it is flagged (p < .05), and whether the interval holds what was planted."""
    rng = np.random.default_rng((29, seed))
    n = of.prompts * of.verdicts
    prompt = np.arange(n) // of.verdicts
    place = rng.choice([-1.0, 1.0], n)
    letter = np.where(rng.random(n) < 0.75, place, -place)
    better = rng.choice([-1.0, 1.0], of.prompts)[prompt]
    chance = 0.5 + of.letter * letter + of.place * place + of.quality * better
    judge = np.where(rng.random(n) < chance, 1.0, -1.0)
    found = option_order(Letters(judge, letter, place, prompt), choose_clustering("auto", of.prompts), 0.95)
    return found.p < 0.05, found.excess_lower <= of.letter <= found.excess_upper


def measure(runs: int, workers: int) -> pd.DataFrame:
    """One row a world and quantity."""
    rows = []
    for of in WORLDS:
        found = np.array(repeat(partial(simulate_run, of), runs, workers), dtype=float).mean(axis=0)
        claims = [("interval", found[1], *EACH)] + ([] if of.letter else [("flagged", found[0], 0.0, FLAGGED)])
        rows += [
            promised(of.name, what, value, low, high, runs)
            for what, value, low, high in claims
        ]  # fmt: skip
    return pd.DataFrame(rows)


main: Callable[[], int] = partial(report, __doc__, measure)

if __name__ == "__main__":
    sys.exit(main())
