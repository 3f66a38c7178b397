"""What can be said of a bias beyond people's votes where these hardly tell what people prefer?

Instrumented by the other votes on a pair, the slope on what people prefer rests on how far two votes agree beyond the
side. Where that is little, the estimate is not normal and its standard error tells nothing (Staiger and Stock 1997).
A value b of the bias is then held against the data themselves (Anderson and Rubin 1949): at the best slope for it, the
residuals judge - slope * vote - b * side must go neither with the side nor with the other votes. With sums of clusters

    g : (n_clusters, 2),  S(b) = min over slopes of g' (sum of g g')^-1 g

is about chi-squared with one degree of freedom (two conditions, one slope; Guggenberger et al. 2012), however little
the votes tell. The interval is what is not refuted, taken outwards from the estimate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial import polynomial as poly
from scipy.optimize import brentq
from scipy.special import chdtrc, chdtri

from analysis.cells import Floats, Ints

FLAT = 1e-10
"""Share of the product of two variances below which their determinant is rounding."""


@dataclass(frozen=True)
class Conditions:
    """Sums of clusters, (n_clusters, 2) each: judge, vote and side times the other votes, and times the side."""

    judge: Floats
    vote: Floats
    side: Floats

    def against(self, bias: float) -> float:
        """S of this value of the bias."""
        away = self.judge - bias * self.side
        whole, slope = away.sum(axis=0), self.vote.sum(axis=0)
        m1, m2 = ([whole[k], -slope[k]] for k in (0, 1))
        v11, v22, v12 = (
            [away[:, i] @ away[:, k], -(away[:, i] @ self.vote[:, k]) - self.vote[:, i] @ away[:, k],
             self.vote[:, i] @ self.vote[:, k]]
            for i, k in ((0, 0), (1, 1), (0, 1))
        )  # fmt: skip
        up = poly.polyadd(
            poly.polysub(poly.polymul(poly.polymul(m1, m1), v22), 2 * poly.polymul(poly.polymul(m1, m2), v12)),
            poly.polymul(poly.polymul(m2, m2), v11),
        )
        most = poly.polymul(v11, v22)
        down = poly.polysub(most, poly.polymul(v12, v12))
        turning = poly.polysub(poly.polymul(poly.polyder(up), down), poly.polymul(up, poly.polyder(down)))
        at = np.real(poly.polyroots(poly.polytrim(turning, 1e-14 * float(np.abs(turning).max() or 1.0))))
        # So flat a slope may grow without end.
        at = np.append(at, [-1e6, 1e6])
        over = poly.polyval(at, down)
        known = over > FLAT * poly.polyval(at, most)
        if not known.any():
            return float("nan")
        return max(0.0, float((poly.polyval(at[known], up) / over[known]).min()))


def conditions(
    judge: Floats, vote: Floats, side: Floats, product: Floats, order: Floats | None, cluster: Ints
) -> Conditions:
    """From rows, (n,) each; product : of two different votes on the pair; order : freed of, where there is one"""
    more = product - vote**2
    if order is not None:
        judge, vote, side = (of - order * (order @ of) / (order @ order) for of in (judge, vote, side))
    code = np.unique(cluster, return_inverse=True)[1]
    n = int(code.max()) + 1

    def summed(by_vote: Floats, by_side: Floats) -> Floats:
        return np.column_stack([np.bincount(code, by_vote, n), np.bincount(code, by_side, n)])

    with_judge, with_vote = summed(vote * judge, side * judge), summed(vote * vote + more, side * vote)
    # Slopes near 1, so that powers of them are no smaller or larger than one another.
    size = float(np.linalg.norm(with_judge) / (np.linalg.norm(with_vote) or 1.0)) or 1.0
    return Conditions(with_judge, size * with_vote, summed(vote * side, side * side))


def p_of(found: Conditions, bias: float = 0.0) -> float:
    """Of this value of the bias; NaN where nothing tells."""
    s = found.against(bias)
    return float(chdtrc(1, s)) if np.isfinite(s) else float("nan")


def reach(found: Conditions, estimate: float, step: float, level: float) -> tuple[float, float]:
    """Values of the bias about the estimate that are not refuted, within -2 and 2. step : a first guess of how far"""
    most = float(chdtri(1, 1 - level))

    def end(sign: int) -> float:
        near, far, wide = estimate, estimate, step if step > 0 else 0.1
        while abs(far) < 2:
            far = float(np.clip(estimate + sign * wide, -2, 2))
            s = found.against(far)
            if np.isfinite(s) and s > most:
                return float(brentq(lambda b: found.against(b) - most, near, far, xtol=1e-6))
            near, wide = far, 2 * wide
        return sign * 2.0

    return end(-1), end(1)
