"""Data of many shapes for posteriors under a Laplace prior: made anew from seeds by golden figures and tests alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One shape of data.

    rows, factors : how many; scale : b of the prior; differ : share of rows in which a factor differs at all
    spread : standard deviation of the planted weights; rare : factors that differ in 3 % of the rows alone
    twins : pairs of columns that are the same; together : correlation of the columns before they become signs
    soft : verdicts are shares, and rows weigh .3 to 3; chains : long ones that its golden figures come from
    """

    name: str
    rows: int
    factors: int = 29
    scale: float = 0.1
    differ: float = 0.6
    spread: float = 0.3
    rare: int = 0
    twins: int = 0
    together: float = 0.0
    soft: bool = False
    chains: int = 4


CASES = (
    Case("40 rows", 40),
    Case("40 rows, wide prior", 40, scale=0.5, chains=12),
    Case("60 rows, eight factors", 60, factors=8),
    Case("60 rows, near separation", 60, factors=8, scale=0.5, spread=3.0, chains=12),
    Case("80 rows, soft", 80, soft=True),
    Case("100 rows, rare flags", 100, rare=12),
    Case("121 rows", 121),
    Case("121 rows, narrow prior", 121, scale=0.01),
    Case("150 rows, twins", 150, twins=4),
    Case("200 rows, three factors", 200, factors=3, scale=0.5),
    Case("200 rows, together", 200, together=0.7),
    Case("250 rows, near separation", 250, spread=1.5, scale=0.5),
    Case("300 rows, soft, wide prior", 300, scale=0.5, soft=True),
    Case("388 rows", 388),
    Case("400 rows", 400),
    Case("400 rows, wide prior", 400, scale=0.5),
    Case("400 rows, rare flags, wide prior", 400, rare=15, scale=0.5, chains=12),
    Case("459 rows, together", 459, together=0.8),
    Case("500 rows, twins, wide prior", 500, twins=3, scale=0.5),
    Case("600 rows, soft", 600, soft=True, spread=0.6),
    Case("820 rows", 820),
    Case("820 rows, narrow prior", 820, scale=0.01),
    Case("1000 rows, near separation", 1000, spread=1.2),
    Case("1400 rows", 1400),
    Case("1400 rows, rare flags", 1400, rare=10, spread=0.6),
    Case("1400 rows, twins, together", 1400, twins=2, together=0.6),
)


def draw(case: Case, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """x (rows, factors) of -1, 0, 1; weight and score (rows,), score the part of the weight that is for `a`."""
    rng = np.random.default_rng([seed, *case.name.encode()])
    n, k = case.rows, case.factors
    common = rng.standard_normal((n, 1))
    latent = np.sqrt(case.together) * common + np.sqrt(1 - case.together) * rng.standard_normal((n, k))
    x = np.sign(latent) * (rng.random((n, k)) < case.differ)
    for column in range(case.rare):
        x[:, column] *= rng.random(n) < 0.03 / case.differ
    for twin in range(case.twins):
        x[:, k - 1 - 2 * twin] = x[:, k - 2 - 2 * twin]
    weights = case.spread * rng.standard_normal(k)
    chance = 1 / (1 + np.exp(-x @ weights))
    if case.soft:
        weight = rng.uniform(0.3, 3.0, n)
        return x, weight, weight * rng.beta(3 * chance + 0.2, 3 * (1 - chance) + 0.2)
    return x, np.ones(n), (rng.random(n) < chance).astype(np.float64)
