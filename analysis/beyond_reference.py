"""Does a judge prefer the longer answer, or its own, more than the reference's verdicts explain?

With signs from -1 (b) to 1 (a), no intercept (exchanging a and b changes nothing), pair by pair

    judge = slope * reference + bias * side + position * order

where `side` is +1 if a is the longer (own, formatted) answer, -1 if b is. A vote of people is a noisy measure of what
they prefer: held constant by itself it leaves part of their own taste in `bias`. It is therefore instrumented by the
other votes on the pair (two-stage least squares, here with as many instruments as terms), which are wrong
independently: a judge that shares people's taste, or is noisier than they are, has no bias. Gold is its own instrument.

Where people gave one vote a pair their noise is not known. `slope` then lies between that of least squares (a vote
without noise) and 1 (a judge as noisy as a person), as long as the judge is no more decisive than people. The bias is
linear in it: what both ends agree on is reported, the smaller one; where they part nothing is. Where there are several
votes the larger p-value and the wider interval count of the two that trust their strength and do not (`weak_votes`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.audit import FEW, NAN, Bias, without_spread
from analysis.cells import Floats, Ints
from analysis.cluster_sums import ALIKE, Figures, estimate
from analysis.vcov import Clustering
from analysis.weak_votes import conditions, p_of, reach

ALONE = 1e-8
"""Share of itself that a term must keep beside the others to be told apart from them; less is rounding."""

TOGETHER = "what the reference prefers, this side and the order cannot be told apart here"

SEVERAL = 30
"""Pairs with two votes of the reference from which on these alone are looked at."""


@dataclass(frozen=True)
class Held:
    """A judge's and the reference's verdicts, one row a pair that both have judged; each array (n,).

    judge : mean verdict from -1 to 1; total, squares : sums of the reference's votes and of their squares; votes : how
    many; order : mean of +1 (a shown first), -1, 0 (unknown); cluster : codes
    exact : whether the reference is gold, without noise
    """

    judge: Floats
    total: Floats
    squares: Floats
    votes: Floats
    order: Floats
    cluster: Ints
    exact: bool

    def take(self, rows: NDArray[np.bool_]) -> Held:
        """Some of the rows."""
        return Held(
            self.judge[rows], self.total[rows], self.squares[rows], self.votes[rows], self.order[rows],
            self.cluster[rows], self.exact,
        )  # fmt: skip


def preference_for(name: str, side: Floats, held: Held, clustering: Clustering, level: float) -> Bias:
    """How much more often the judge prefers a side than the reference explains.

    side : (n,) +1, -1, or 0 and NaN where no answer has it alone
    rate : share of its verdicts for that side (a tie counts half); null : what the reference explains of it
    """
    there = np.isfinite(side)
    held, side = held.take(there), side[there]
    if not held.exact and int(((held.votes > 1) & (side != 0)).sum()) >= SEVERAL:
        several = held.votes > 1
        held, side = held.take(several), side[several]
    n = int((side != 0).sum())
    plain = preferred(name, side, held, clustering, level)
    if n < FEW or plain.clusters < FEW:
        return _without(plain, _few(n, "pair", plain.clusters) + " with such a side")
    if not held.total.any():
        return _without(plain, "the reference prefers neither answer in any of these pairs")
    ordered = bool(np.mean(held.order**2) > 1e-3)
    mean = held.total / held.votes
    if min(plain.rate, 1 - plain.rate) < ALIKE:
        return _always(plain, held, side, mean, ordered, clustering)
    if held.exact:
        return _ended(plain, _fit(name, held, side, mean**2, ordered, clustering), level)
    if bool((held.votes > 1).all()):
        product = (held.total**2 - held.squares) / (held.votes * (held.votes - 1))
        found = _fit(name, held, side, product, ordered, clustering)
        return _however_weak(_ended(plain, found, level), held, side, product, ordered, clustering, level)
    ends = [
        _ended(plain, _fit(name, held, side, mean**2, ordered, clustering, slope), level) for slope in (None, 1.0)
    ]
    if any(np.isnan(end.p) for end in ends) or ends[0].excess * ends[1].excess < 0:
        return _without(plain, "people gave one vote a pair, and how noisy it is decides on the sign")
    near = min(ends, key=lambda end: abs(end.excess))
    p = max(end.p for end in ends)
    return Bias(**{**near.__dict__, "p": p})


def one_vote_each(side: Floats, held: Held) -> bool:
    """Whether these are compared by single votes of people, the noise of which is not known."""
    several = int(((held.votes > 1) & (np.nan_to_num(side) != 0)).sum())
    return not held.exact and several < SEVERAL and not bool((held.votes > 1).all())


def _always(
    plain: Bias, held: Held, side: Floats, mean: Floats, ordered: bool, clustering: Clustering
) -> Bias:
    """A judge that takes its side in every pair: no residual tells how sure that is, pairs do in which the reference
    is against it. Of these a judge without the bias takes the side in half at most."""
    apart = _told_apart([mean, side, held.order] if ordered else [mean, side])
    toward = 1 if plain.rate > 0.5 else -1
    against = toward * mean * side < 0
    if not apart or not against.any():
        return _without(plain, TOGETHER)
    return without_spread(plain, toward, held.cluster[against], clustering)


def _however_weak(
    found: Bias, held: Held, side: Floats, product: Floats, ordered: bool, clustering: Clustering, level: float
) -> Bias:
    """The larger p and the wider interval of the two that trust the votes' strength and that do not."""
    if np.isnan(found.p):
        return found
    rows = np.arange(len(side)) if clustering.name == "none" else held.cluster
    parts = conditions(held.judge, held.total / held.votes, side, product, held.order if ordered else None, rows)
    p = p_of(parts)
    low, high = reach(parts, 2 * found.excess, found.excess_upper - found.excess_lower, level)
    if (low, high) == (-2.0, 2.0):
        return _without(found, "people's votes on a pair agree too little to tell what they prefer from this side")
    return replace(
        found, p=max(found.p, p) if np.isfinite(p) else found.p, excess_lower=min(found.excess_lower, low / 2),
        excess_upper=max(found.excess_upper, high / 2),
    )  # fmt: skip


def preferred(name: str, side: Floats, held: Held, clustering: Clustering, level: float) -> Bias:
    """Share of the judge's verdicts for that side, a tie counting half, without a test."""
    size = np.abs(side)
    sums = np.column_stack([(held.judge * side + size) / 2, size])
    found = estimate(_ratio, sums, size, held.cluster, clustering, (name,), "share")
    lower, upper = found.interval(level)
    ends = float(lower[0]), float(upper[0])
    return Bias(name, float(found.value[0]), int(size.sum()), int(found.clusters[0]), *ends, 0.5)


def against_even(name: str, side: Floats, held: Held, clustering: Clustering, level: float) -> Bias:
    """The same without a reference: the null is .5, as where the side was drawn by lot."""
    plain = preferred(name, side, held, clustering, level)
    if plain.n < FEW or plain.clusters < FEW:
        return _without(plain, _few(plain.n, "verdict", plain.clusters))
    sums = np.column_stack([held.judge * side, side**2])
    if min(plain.rate, 1 - plain.rate) < ALIKE:
        return without_spread(plain, 1 if plain.rate > 0.5 else -1, held.cluster, clustering)
    found = estimate(_beyond_half, sums, side**2, held.cluster, clustering, (name, "excess"), "slope")
    return _ended(plain, found, level)


def own_against_gold(
    own: Floats, judge: Ints, reference: Ints, cluster: Ints, clustering: Clustering
) -> Figures:
    """own_rate, reference_rate, dbg (the former less the latter; Chen et al. 2025), and equal_opportunity.

    own : (n,) +1, -1 or 0, by pair; judge, reference : labels, +1, -1 or 0 for a tie (or no majority)

    equal_opportunity : P(picks own | the reference prefers own) less P(picks other | the reference prefers other)
    (Wataoka et al. 2024). All over pairs in which one answer is its own; ties count half.
    """
    picks, right = (1 + judge * own) / 2, (1 + reference * own) / 2
    size, prefers, against = np.abs(own), reference * own > 0, reference * own < 0
    columns = [size * picks, size * right, size, prefers * picks, prefers, against * (1 - picks), against]
    sums = np.column_stack(columns).astype(np.float64)

    def figures(s: NDArray[Any]) -> NDArray[Any]:
        judge, gold = s[..., 0] / s[..., 2], s[..., 1] / s[..., 2]
        return np.stack([judge, gold, judge - gold, s[..., 3] / s[..., 4] - s[..., 5] / s[..., 6]], axis=-1)

    return estimate(figures, sums, size, cluster, clustering,
                    ("own_rate", "reference_rate", "dbg", "equal_opportunity"),
                    ("share", "share", "difference", "difference"))  # fmt: skip


def _ratio(sums: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(sums[..., :1] / sums[..., 1:2])


def _beyond_half(sums: NDArray[Any]) -> NDArray[Any]:
    away = sums[..., 0] / sums[..., 1] / 2
    return np.stack([0.5 + 0 * away, away], axis=-1)


def _fit(
    name: str, held: Held, side: Floats, product: Floats, ordered: bool, clustering: Clustering,
    slope: float | None = None,
) -> Figures:  # fmt: skip
    """null and excess. product : (n,) what the reference's votes, multiplied with one another, are on average

    slope : fixed instead of estimated
    """
    mean, further = held.total / held.votes, [side, held.order] if ordered else [side]
    judge = held.judge if slope is None else held.judge - slope * mean
    terms = further if slope is not None else [mean, *further]
    k, first = len(terms), int(slope is None)
    matrix = [[one * two for two in terms] for one in terms]
    if slope is None:
        matrix[0][0] = product
    flat = [cell for row in matrix for cell in row] + [term * judge for term in terms]
    sums = np.column_stack([*flat, held.judge * side, side**2])

    apart = _told_apart(terms, sums[:, : k * k].sum(axis=0).reshape(k, k))

    def figures(s: NDArray[Any]) -> NDArray[Any]:
        left = s[..., : k * k].reshape(*s.shape[:-1], k, k)
        right = s[..., k * k : k * k + k]
        try:
            found = np.linalg.solve(left, right[..., None])[..., first, 0] if apart else np.full(s.shape[:-1], np.nan)
        except np.linalg.LinAlgError:
            found = np.full(s.shape[:-1], np.nan)
        rate = (1 + s[..., -2] / s[..., -1]) / 2
        return np.stack([rate - found / 2, found / 2], axis=-1)

    return estimate(figures, sums, np.ones(len(side)), held.cluster, clustering, (name, "excess"), "slope")


def _told_apart(terms: list[Floats], moments: Floats | None = None) -> bool:
    """Whether no term is made of the others but for rounding. moments : (k, k) sums of their products"""
    if moments is None:
        moments = np.array([[float(one @ two) for two in terms] for one in terms])
    size = np.sqrt([float(term @ term) for term in terms])
    if not (size > 0).all():
        return False
    return bool(np.linalg.svd(moments / np.outer(size, size), compute_uv=False)[-1] > ALONE)


def _ended(plain: Bias, found: Figures, level: float) -> Bias:
    lower, upper = found.interval(level)
    if not abs(found.value[1]) <= 1:
        # Undefined, or further apart than two shares can be: what people prefer is hardly measured at all.
        return _without(plain, TOGETHER)
    p = found.p_value("excess")
    return Bias(
        plain.bias, plain.rate, plain.n, plain.clusters, plain.lower, plain.upper, plain.chance, float(found.value[0]),
        float(found.value[1]), float(lower[1]), float(upper[1]), p,
        "" if np.isfinite(p) else "all independent parts say the same: nothing tells how sure it is",
    )  # fmt: skip


def _few(n: int, what: str, parts: int) -> str:
    counted = [f"{k} {word}" + "s" * (k != 1) for k, word in ((parts, "independent part"), (n, what))]
    return f"{FEW} independent parts are needed, and there {'is' if parts == 1 else 'are'} {' and '.join(counted)}"


def _without(plain: Bias, why: str) -> Bias:
    return Bias(plain.bias, plain.rate, plain.n, plain.clusters, plain.lower, plain.upper, plain.chance, NAN, why=why)
