"""How large is a calibration error, freed of what chance adds to it?

An error over bins is a sum of absolute values, each of which chance makes larger: found with few comparisons a bin, or
of a judge that has next to none, it is mostly chance. With x_b the sum over a bin of (right - probability), its
clustered standard error s_b and true sums in proportion to the found ones, m_b = t |x_b|, the error found is a sum of
folded normals (Leone, Nelson and Nottingham 1961) of mean M(t) and variance V(t). The interval holds the errors t * ECE
with |ECE - M(t)| <= quantile * sqrt(V(t)), all in sums: a test turned around, along one line of what could be true. It
reaches down to 0 where chance alone may give what was found. V(t) also has, with t^2, what the found error varies by as
comparisons fall into other bins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr, stdtrit

from analysis.cells import Floats, Ints
from analysis.cluster_sums import ALIKE, Figures

PRIOR = 2.0
"""So many clusters more, with the variance of a judge without error, in each bin: of two or three, or of one, their own
says next to nothing."""


@dataclass(frozen=True)
class Freed(Figures):
    """Figures of which some, by name, are calibration errors with an interval of their own."""

    errors: dict[str, Chance]

    def _ends(self, at: int, level: float) -> tuple[float, float]:
        one = self.errors.get(self.names[at])
        found = None if one is None else one.ends(level)
        return super()._ends(at, level) if found is None else found


@dataclass(frozen=True)
class Chance:
    """What stands behind one error.

    away, error : (k,) absolute sum and its standard error, of each bin that holds a comparison
    together : (k, k) correlations of the sums turned to be above 0, 0 on the diagonal
    mixed : what the found error varies by as comparisons fall into other bins; n : comparisons
    """

    away: Floats
    error: Floats
    together: Floats
    mixed: float
    n: float
    clusters: int

    @property
    def alone(self) -> float:
        """The mean error of a judge without any, in as many comparisons."""
        return float(np.sqrt(2 / np.pi) * self.error.sum() / self.n)

    def ends(self, level: float) -> tuple[float, float] | None:
        """None where nothing varies, or nothing is off."""
        found = float(self.away.sum())
        if self.clusters < 2 or found <= ALIKE * self.n or float(self.error.sum()) <= ALIKE * self.n:
            return None
        quantile = float(stdtrit(self.clusters - 1, (1 + level) / 2))
        # An error is 1 at most: a few clusters may leave open how large it is.
        most = self.n / found
        low = _rises_to(lambda t: self._reach(t, quantile) - found, most)
        high = _rises_to(lambda t: self._reach(t, -quantile) - found, most)
        return low / most, high / most

    def _reach(self, t: float, quantile: float) -> float:
        """M(t) and so many of its standard deviations."""
        error = np.maximum(self.error, ALIKE)
        z = t * self.away / error
        sign = 1 - 2 * ndtr(-z)
        mean = error * (np.sqrt(2 / np.pi) * np.exp(-(z**2) / 2) + z * sign)
        # Absolute values hang together as much as their signs are sure.
        lean = error * sign
        variance = float((error**2 * (1 + z**2) - mean**2).sum() + lean @ self.together @ lean)
        variance += t**2 * self.mixed
        return float(mean.sum()) + quantile * float(np.sqrt(max(variance, 0.0)))


def chance_of(
    away: Floats, here: NDArray[np.bool_], n: Floats, variance: Floats, cluster: Ints
) -> Chance:
    """What stands behind the error of one number of bins.

    away : (n, k) right - probability, summed over the comparisons of each row, by bin; here : (n, k) which bin
    n : (n,) comparisons; variance : (n,) of what comes true, summed, where there is no error
    cluster : (n,) codes from 0 on
    """
    size, k = int(cluster.max()) + 1, away.shape[1]
    sums = np.column_stack([np.bincount(cluster, column, size) for column in away.T])
    there = np.column_stack([np.bincount(cluster, column, size) for column in here.T]) > 0
    met, total = there.sum(axis=0), sums.sum(axis=0)
    spread = np.where(there, sums - total / np.maximum(met, 1), 0.0)
    covariance = spread.T @ spread
    own = np.diagonal(covariance) * np.divide(met, met - 1, out=np.zeros(k), where=met > 1)
    error = np.sqrt((own * (met - 1) + PRIOR * (here * variance[:, None]).sum(axis=0)) / (met - 1 + PRIOR))
    some, whole = np.flatnonzero(met > 0), float(n.sum())
    # Where all signs are sure: the linearised variance of the mean, less that of what comes true in each bin.
    each = sums @ np.sign(total) - np.abs(total).sum() / whole * np.bincount(cluster, n, size)
    linear = each @ each * size / max(size - 1, 1)
    root = np.sqrt(np.diagonal(covariance)) * np.sign(total)
    scale = np.divide(1.0, root, out=np.zeros(k), where=root != 0)
    together = covariance * scale[:, None] * scale
    np.fill_diagonal(together, 0.0)
    sure = error @ error + error @ together @ error
    return Chance(
        np.abs(total)[some], error[some], together[np.ix_(some, some)], max(float(linear - sure), 0.0), whole, size
    )


def _rises_to(function: Callable[[float], float], most: float) -> float:
    """Where a rising function is 0, from 0 to `most`."""
    if function(0.0) >= 0:
        return 0.0
    return float(brentq(function, 0.0, most, xtol=1e-10)) if function(most) > 0 else most
