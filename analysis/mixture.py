"""Where do the quantiles of a mixture of normal distributions lie?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

from analysis.cells import Floats

# Quantiles are found to this share of a posterior's sd, by Newton's method within so many steps.
TOLERANCE = 1e-9
MAX_STEPS = 100


@dataclass(frozen=True)
class Interval:
    """Both ends of central intervals, shaped like what they belong to; NaN where nothing is known."""

    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Mixture:
    """Normal distributions mixed over nodes. share : (n_nodes, 1, K), sums to 1; mean, sd : (n_nodes, S, K)"""

    share: Floats
    mean: Floats
    sd: Floats

    @cached_property
    def expectation(self) -> Floats:
        """(S, K)"""
        return np.asarray((self.share * self.mean).sum(axis=0))

    @cached_property
    def deviation(self) -> Floats:
        """(S, K) standard deviations."""
        return np.asarray(np.sqrt((self.share * (self.sd**2 + (self.mean - self.expectation) ** 2)).sum(axis=0)))

    def below(self, at: float, more: Floats | float = 0.0) -> Floats:
        """(S, K) the share below a value. more : sd of independent noise added to each, broadcast against (S, K)"""
        return np.asarray((self.share * ndtr((at - self.mean) / np.hypot(self.sd, more))).sum(axis=0))

    def quantile(self, p: float) -> Floats:
        """(S, K) the values below which a share p lies.

        Newton's method between bounds: a mixture's quantile lies between the least and the greatest of its parts'.
        """
        parts = self.mean + ndtri(p) * self.sd
        low, high = parts.min(axis=0), parts.max(axis=0)
        x = np.clip(self.expectation + ndtri(p) * self.deviation, low, high)
        for _ in range(MAX_STEPS):
            z = (x - self.mean) / self.sd
            excess = (self.share * ndtr(z)).sum(axis=0) - p
            density = (self.share * np.exp(-0.5 * z * z) / self.sd).sum(axis=0) / np.sqrt(2 * np.pi)
            low, high = np.where(excess < 0, x, low), np.where(excess > 0, x, high)
            after = x - excess / np.maximum(density, 1e-300)
            after = np.where((after >= low) & (after <= high), after, (low + high) / 2)
            moved, x = np.abs(after - x), after
            if not bool((moved > TOLERANCE * self.deviation).any()):
                break
        return np.asarray(x)
