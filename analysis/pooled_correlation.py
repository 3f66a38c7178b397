"""How alike do two judges order the models in each scenario, when the other scenarios say something about it too?

Correlations with bootstrap intervals are pooled on Fisher's scale z = artanh(r) (Fisher 1921; Hedges and Olkin 1985,
ch. 11) by the full empirical Bayes of `pooling`. A scenario's error on that scale is what its interval says: its width
in z over that of a standard normal interval.

With few judgments both orders are mostly noise and correlate less. That is no property of a scenario, and pooling does
not take it out: what is pooled are correlations of strengths known as well as they are there. For the same reason there
is no test of equal correlations: scenarios of different sizes would differ by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from analysis.cells import Floats, Ints
from analysis.pooling import Pooled, pool
from analysis.tables import floats


@dataclass(frozen=True)
class PooledCorrelations:
    """Of S scenarios. pooled : (S, 1) on Fisher's scale"""

    pooled: Pooled

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """(S,) pooled, pooled_lower, pooled_upper, as correlations; missing where no scenario has an error."""
        ends = self.pooled.interval(level)
        return pd.DataFrame(
            {
                "pooled": floats(np.tanh(self.pooled.value[:, 0])),
                "pooled_lower": floats(np.tanh(ends.lower[:, 0])),
                "pooled_upper": floats(np.tanh(ends.upper[:, 0])),
            }
        )

    def average(self, level: float = 0.95) -> dict[str, float]:
        """mean, mean_lower, mean_upper over scenarios with an error, as correlations; tau, tau_lower, tau_upper
        between them, on Fisher's scale. NaN without any."""
        mean, tau = self.pooled.average_interval(level), self.pooled.tau_interval(level)
        several = self.pooled.n_estimates[0] > 1
        return {
            "mean": float(np.tanh(self.pooled.average[0])), "mean_lower": float(np.tanh(mean.lower[0])),
            "mean_upper": float(np.tanh(mean.upper[0])),
            "tau": float(self.pooled.tau_median[0]) if several else np.nan,
            "tau_lower": float(tau.lower[0]) if several else np.nan,
            "tau_upper": float(tau.upper[0]) if several else np.nan,
        }  # fmt: skip

    @property
    def known(self) -> NDArray[np.bool_]:
        """(S,) whether the scenario says something itself."""
        return np.asarray(np.isfinite(self.pooled.se[:, 0]))

    @property
    def apart(self) -> Floats:
        """(S,) of the scenario being like the average of all, as a p-value."""
        return np.asarray(self.pooled.apart()[:, 0])


def largest(models: Ints) -> Floats:
    """The correlation that stands for a perfect one: halfway between 1 and the next of so many ranks.

    Two models exchanged that are neighbours: 1 - 12 / (n (n^2 - 1)).
    """
    n = np.maximum(np.asarray(models, dtype=np.float64), 2.0)
    return np.asarray(1 - np.minimum(6 / (n * (n**2 - 1)), 0.5))


def pool_correlations(value: Floats, lower: Floats, upper: Floats, models: Ints, level: float = 0.95) -> (
    PooledCorrelations
):
    """Pool Spearman correlations of n models over scenarios.

    value, lower, upper : (S,) with central intervals of `level`; NaN where undefined. models : (S,) n

    A scenario without an interval, or with fewer than 4 models, says nothing by itself. An interval narrower than the
    step between two correlations of n ranks is taken to be that wide.
    """
    most = largest(models)
    z, low, high = (np.arctanh(np.clip(part, -most, most)) for part in (value, lower, upper))
    step = np.arctanh(most) - np.arctanh(np.maximum(2 * most - 1, 0.0))
    se = np.maximum(high - low, step) / (2 * ndtri((1 + level) / 2))
    known = np.isfinite(z) & np.isfinite(se) & (np.asarray(models) >= 4)
    return PooledCorrelations(pool(np.where(known, z, np.nan)[:, None], np.where(known, se, np.inf)[:, None]))
