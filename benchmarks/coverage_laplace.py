"""Are posteriors under a Laplace prior calibrated? Weights drawn from the prior, verdicts from the weights.

    python -m benchmarks.coverage_laplace [--runs 500] [--workers 2] [--world NAME ...]

Simulation-based calibration (Talts et al. 2018): where the model is true and weights come from its prior, the share of
the posterior below a weight is uniform, whatever the data. Shown are how often central intervals hold the weight, and
how far the shares are from uniform: `chi2` of 20 bins. `each_low` and `each_high` are of single weights. Promised is
what `runs` data sets can show: the pooled shares within 3.3 binomial standard errors, the chi-squared test at one in a
thousand.
"""

from __future__ import annotations

import os

# Two processes share two cores: each with one thread for its small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from analysis.laplace_posterior import fit_posteriors
from analysis.summed_rows import sum_rows
from benchmarks.repeat import repeat, report

LEVELS = (0.5, 0.9, 0.95)
BINS = 20
DRAWS = 2**13
"""Where posteriors are drawn from: fewer than a study makes, as the share below a weight needs no more."""
ERRORS = 3.3
"""Standard errors that are beyond chance: one in a thousand."""


@dataclass(frozen=True)
class World:
    """rows : verdicts of a data set; scale : b of the prior; differ : share of rows in which a factor differs

    together : correlation of the columns; rare : factors that differ in 4 % of the rows alone; twins : pairs of columns
    that are the same
    """

    name: str
    rows: int
    factors: int
    scale: float
    differ: float = 0.6
    together: float = 0.0
    rare: int = 0
    twins: int = 0


WORLDS = (
    World("400 verdicts, 29 factors", 400, 29, 0.1),
    World("121 verdicts, 29 factors", 121, 29, 0.1),
    World("1,400 verdicts, together", 1400, 29, 0.1, together=0.7),
    World("400 verdicts, narrow prior", 400, 23, 0.01),
    World("40 verdicts, wide prior", 40, 8, 0.5),
    World("150 verdicts, wide prior, rare flags", 150, 12, 0.5, rare=4),
    World("300 verdicts, wide prior, twins", 300, 8, 0.5, twins=2),
)


def place(world: World, seed: int) -> NDArray[np.float64]:
    """(factors,) the share of the posterior below each weight, in one data set."""
    rng = np.random.default_rng([seed, world.rows, world.factors])
    n, k = world.rows, world.factors
    latent = np.sqrt(world.together) * rng.standard_normal((n, 1)) + np.sqrt(1 - world.together) * rng.standard_normal(
        (n, k)
    )
    x = np.sign(latent) * (rng.random((n, k)) < world.differ)
    for column in range(world.rare):
        x[:, column] *= rng.random(n) < 0.04 / world.differ
    for twin in range(world.twins):
        x[:, k - 1 - 2 * twin] = x[:, k - 2 - 2 * twin]
    weights = rng.laplace(0.0, world.scale, k)
    score = (rng.random(n) < 1 / (1 + np.exp(-x @ weights))).astype(np.float64)
    found = fit_posteriors([sum_rows(x, np.ones(n), score)], world.scale, draws=DRAWS, seed=seed)
    # The quantile function is what intervals are made of: it is asked where it passes the weight.
    low, high = np.full(k, 1e-6), np.full(k, 1 - 1e-6)
    for _ in range(18):
        middle = (low + high) / 2
        below = np.array([found.quantile(float(share))[0, at] for at, share in enumerate(middle)]) < weights
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


def places(world: World, runs: int, workers: int) -> NDArray[np.float64]:
    """(runs, factors) of as many data sets."""
    return np.array(repeat(partial(place, world), runs, workers))


def measure(runs: int, workers: int, wanted: Sequence[str] = ()) -> pd.DataFrame:
    """A row a world and level, and one for the evenness of the shares."""
    return pd.concat(
        [_rows(world, places(world, runs, workers)) for world in WORLDS if not wanted or world.name in wanted],
        ignore_index=True,
    )


def _rows(world: World, found: NDArray[np.float64]) -> pd.DataFrame:
    rows = []
    for level in LEVELS:
        held = np.abs(found - 0.5) <= level / 2
        each = held.mean(axis=0)
        allowed = ERRORS * np.sqrt(level * (1 - level) / held.size)
        rows.append({
            "world": world.name, "quantity": f"{100 * level:g} % intervals", "coverage": float(held.mean()),
            "each_low": float(each.min()), "each_high": float(each.max()), "runs": len(found),
            "promised_low": level - allowed, "promised_high": level + allowed,
        })  # fmt: skip
    counts = np.histogram(found, bins=BINS, range=(0, 1))[0]
    even = found.size / BINS
    p = float(stats.chi2.sf(((counts - even) ** 2 / even).sum(), BINS - 1))
    rows.append({
        "world": world.name, "quantity": "evenness (p of chi2)", "coverage": p, "each_low": np.nan,
        "each_high": np.nan, "runs": len(found), "promised_low": 0.001, "promised_high": 1.0,
    })  # fmt: skip
    return pd.DataFrame(rows)


def broken_promises(table: pd.DataFrame) -> list[str]:
    """Sentences about what lies outside what was promised."""
    outside = (table["coverage"] < table["promised_low"]) | (table["coverage"] > table["promised_high"])
    return [
        f"{row['world']}, {row['quantity']}: {row['coverage']:.4f}, promised {row['promised_low']:.4f} to "
        f"{row['promised_high']:.4f}"
        for row in table[outside].to_dict("records")
    ]


def main() -> int:
    return report(__doc__, measure, broken_promises, [world.name for world in WORLDS])


if __name__ == "__main__":
    sys.exit(main())
