"""How often does a judge say what the reference says, beyond chance, and how often could anybody?

All figures follow from votes a pair, counted by label (a, b, tie). Agreement, Cohen's kappa (1960) and Gwet's AC1
(2008) hold all comparisons of one vote of the reference with one of the judge; Fleiss' kappa (1971) and Krippendorff's
alpha (nominal; 2011) take all votes on a pair, the judge's among them, as those of interchangeable raters. The ceiling
leaves out one vote of the reference after the other and holds it against the plurality of the others; the judge is held
against the same ones. "No ties" leaves out what is a tie on either side.

What is beyond chance (kappa, AC1, Fleiss, alpha) counts how often a and b are said, so it depends on which response of
a pair the file calls a. Where that is its place on the screen, habits of place are part of chance, as is right; where
it is nobody's choice, `even_kappa` is what it would be on average if a coin had decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.agreement import PairVotes
from analysis.cells import Floats, Ints
from analysis.cluster_sums import Figures, Function, Tally, alike, estimate, estimate_parts, join
from analysis.vcov import Clustering

LABELS = ("a", "b", "tie")

WITH, WITHOUT = ("", "_no_ties")
"""Endings of the names of figures in which a tie is a label of its own, and of those without ties."""


def majority(votes: Ints) -> Ints:
    """(n, 3) one vote for the label that more have chosen than any other; none where no label is alone in front."""
    top = votes.max(axis=1, keepdims=True)
    first = np.asarray((votes == top) & (top > 0))
    return np.where(np.asarray(first.sum(axis=1, keepdims=True)) == 1, first, 0).astype(np.int64)


def margin(votes: Ints) -> Floats:
    """(n,) share of the first label less that of the second, from 0 (no majority) to 1; NaN below two votes."""
    ordered = np.sort(votes, axis=1)
    n = votes.sum(axis=1)
    return np.where(n > 1, (ordered[:, 2] - ordered[:, 1]) / np.maximum(n, 1), np.nan)


def agree(votes: PairVotes, clustering: Clustering) -> Figures:
    """Of one judge with the reference: agreement, kappa, ac1, fleiss and alpha, each also no_ties."""
    kinds, parts = votes.kinds, []
    for ending, some in ((WITH, 3), (WITHOUT, 2)):
        parts.append(compare_labels(votes, clustering, ending))
        both = (kinds.reference + kinds.judge)[:, :some]
        # Where one of them said nothing but ties there is nobody to compare without them.
        met = np.logical_and(kinds.reference[:, :some].any(axis=1), kinds.judge[:, :some].any(axis=1))
        parts.append(_panel(both * met[:, None], kinds.rows, clustering, ending))
    return join(parts)


def compare_labels(votes: PairVotes, clustering: Clustering, ending: str) -> Figures:
    """agreement, kappa and ac1 of all comparisons of one's votes with the other's. ending : WITH or WITHOUT"""
    some, kinds = 3 if ending == WITH else 2, votes.kinds
    one, two = kinds.reference[:, :some].astype(np.float64), kinds.judge[:, :some].astype(np.float64)
    table = (one[:, :, None] * two[:, None, :]).reshape(len(one), some * some)
    names = [f"{name}{ending}" for name in ("agreement", "kappa", "ac1")]
    return estimate(
        _two_raters(some, _used(table, some)), table, table.sum(axis=1), kinds.rows, clustering, names,
        ("share", "coefficient", "coefficient"),
    )  # fmt: skip


def confusion(votes: PairVotes) -> Floats:
    """(3, 3) comparisons by label of the reference and label of the judge."""
    kinds = votes.kinds
    return np.asarray((kinds.reference * kinds.rows.times[:, None]).T.astype(np.float64) @ kinds.judge)


def even_kappa(votes: PairVotes, ending: str) -> float:
    """Cohen's kappa with chance that knows no letters: both sides as often a as b; NaN where undefined.

    It is that of all comparisons together with the same ones turned round; without ties 2 * agreement - 1 (Bennett,
    Alpert and Goldstein 1954).
    """
    some = 3 if ending == WITH else 2
    cells = confusion(votes)[:some, :some]
    turn = [1, 0, 2][:some]
    cells = cells + cells[np.ix_(turn, turn)]
    if not cells.sum() > 0:
        return float("nan")
    return float(_two_raters(some, some)(cells.reshape(some * some))[1])


def hold_out(votes: PairVotes, clustering: Clustering) -> Figures:
    """ceiling, against_others (the judge's share with the same others) and advantage (this less that), also no_ties."""
    kinds, parts = votes.kinds, []
    for ending in (WITH, WITHOUT):
        sums = leave_one_out(kinds.reference, kinds.judge, ties=ending == WITH)
        names = [f"{name}{ending}" for name in ("against_others", "ceiling", "advantage")]
        parts.append(estimate(_difference, sums, sums[:, 2], kinds.rows, clustering, names,
                              ("share", "share", "change")))  # fmt: skip
    return join(parts)


def agree_within(votes: Ints, cluster: Ints, clustering: Clustering) -> Figures:
    """People with one another: agreement of all unordered pairs of votes, fleiss, alpha and ceiling, each also no_ties.

    votes : (n, 3) of one judge
    """
    parts = []
    votes, rows = _kinds(votes, cluster)
    # Every vote that is left out is compared once, as with a judge that has one vote and never ties.
    once = np.tile(np.array([1, 0, 0]), (len(votes), 1))
    for ending, some in ((WITH, 3), (WITHOUT, 2)):
        parts.append(agree_mutually(votes, rows, clustering, "agreement", ending))
        parts.append(_panel(votes[:, :some], rows, clustering, ending))
        held = leave_one_out(votes, once, ties=ending == WITH)[:, 1:]
        parts.append(estimate(_ratio, held, held[:, 1], rows, clustering, (f"ceiling{ending}",), "share"))
    return join(parts)


def agree_mutually(votes: Ints, cluster: Ints | Tally, clustering: Clustering, name: str, ending: str) -> Figures:
    """Share of all unordered pairs of votes on a pair that have the same label. ending : WITH or WITHOUT

    votes : (n, 3) of one judge; cluster : as `estimate` takes it; name : of the figure
    """
    part = votes[:, : 3 if ending == WITH else 2].astype(np.float64)
    n = part.sum(axis=1)
    sums = np.column_stack([(part * (part - 1)).sum(axis=1) / 2, n * (n - 1) / 2])
    return estimate(_ratio, sums, sums[:, 1], cluster, clustering, (f"{name}{ending}",), "share")


def _kinds(votes: Ints, cluster: Ints) -> tuple[Ints, Tally]:
    """Votes, each combination once, and the rows that have it."""
    code, first = alike(list(votes.T))
    return votes[first], Tally(code, len(first), cluster)


def differ(reference: Ints, one: Ints, two: Ints, cluster: Ints, clustering: Clustering) -> Figures:
    """Agreement of two judges with the same votes of the reference: `difference` = two less one, each also no_ties.

    reference, one, two : (n, 3) votes on the pairs that all three have judged; without ties only comparisons count in
    which none of the three is a tie
    """
    parts = []
    all_three, rows = _kinds(np.column_stack([reference, one, two]), cluster)
    for ending, some in ((WITH, 3), (WITHOUT, 2)):
        ref, first, second = (all_three[:, at : at + some].astype(np.float64) for at in (0, 3, 6))
        n_first, n_second = first.sum(axis=1), second.sum(axis=1)
        sums = np.column_stack(
            [(ref * second).sum(axis=1) * n_first, (ref * first).sum(axis=1) * n_second,
             ref.sum(axis=1) * n_first * n_second]
        )  # fmt: skip
        names = [f"{name}{ending}" for name in ("agreement", "agreement_against", "difference")]
        parts.append(estimate(_difference, sums, sums[:, 2], rows, clustering, names,
                              ("share", "share", "change")))  # fmt: skip
    return join(parts)


def share(same: Floats, whole: Floats, cluster: Ints | Tally, clustering: Clustering) -> Figures:
    """`agreement` of comparisons. same, whole : (n,) those that agree, and all; cluster : as `estimate` takes it"""
    return estimate(_ratio, np.column_stack([same, whole]), whole, cluster, clustering, ("agreement",), "share")


@dataclass(frozen=True)
class PartAgreement:
    """Of a part of the pairs. found : its `agreement`; pairs, comparisons : that it rests on"""

    found: Figures
    pairs: int
    comparisons: int


def share_by_part(votes: PairVotes, part: Ints, clustering: Clustering, *, ties: bool) -> dict[int, PartAgreement]:
    """Agreement in each part of the pairs, ascending. part : (n_pairs,) codes; pairs below 0 are in none

    ties : whether a tie is a label of its own
    """
    same, whole = votes.kinds.compared(ties)
    found = estimate_parts(_ratio, np.column_stack([same, whole]), whole, votes.kinds.rows, part, clustering,
                           ("agreement",), "share")  # fmt: skip
    return {at: PartAgreement(one, pairs, int(mass)) for at, (one, pairs, mass) in found.items()}


def trend(same: Floats, whole: Floats, time: Floats, cluster: Ints, clustering: Clustering) -> Figures:
    """`slope` of agreement per unit of time: least squares over comparisons; NaN where all are of one time.

    time : (n,) of each row
    """
    known = whole > 0
    middle = float(np.average(time[known], weights=whole[known])) if known.any() else 0.0
    t = time - middle
    sums = np.column_stack([whole, whole * t, whole * t * t, same, same * t])
    if not known.any() or not np.ptp(t[known]) > 0:
        whole = np.zeros_like(whole)
    return estimate(_slope, sums, whole, cluster, clustering, ("slope",), "slope")


# -- what follows from sums ------------------------------------------------------------------------------------------


def _ratio(sums: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(sums[..., :1] / sums[..., 1:2])


def _difference(sums: NDArray[Any]) -> NDArray[Any]:
    two, one = sums[..., 0] / sums[..., 2], sums[..., 1] / sums[..., 2]
    return np.stack([two, one, (sums[..., 0] - sums[..., 1]) / sums[..., 2]], axis=-1)


def _slope(sums: NDArray[Any]) -> NDArray[Any]:
    n, t, tt, y, ty = (sums[..., at] for at in range(5))
    return np.asarray((n * ty - t * y) / (n * tt - t * t))[..., None]


def _used(table: Floats, some: int) -> int:
    """Labels that somebody has used in a comparison."""
    cells = table.sum(axis=0).reshape(some, some)
    return int(((cells.sum(axis=0) + cells.sum(axis=1)) > 0).sum())


def _two_raters(some: int, used: int) -> Function:
    """Of a confusion table: agreement, Cohen's kappa, Gwet's AC1 (chance is that of the labels in use)."""

    def figures(sums: NDArray[Any]) -> NDArray[Any]:
        n = sums.sum(axis=-1)
        cells = (sums / n[..., None]).reshape(*sums.shape[:-1], some, some)
        same = np.trace(cells, axis1=-2, axis2=-1)
        one, two = cells.sum(axis=-1), cells.sum(axis=-2)
        chance = (one * two).sum(axis=-1)
        mean = (one + two) / 2
        # With a single label in use there is no chance to correct for.
        gwet = (mean * (1 - mean)).sum(axis=-1) / (used - 1) if used > 1 else np.full_like(same, np.nan)
        # One whose chance is all but 1 says nothing beyond rounding.
        chance = np.where(np.real(1 - chance) > 1e-12, chance, np.nan)
        return np.stack([same, (same - chance) / (1 - chance), (same - gwet) / (1 - gwet)], axis=-1)

    return figures


def _panel(votes: Ints, rows: Tally, clustering: Clustering, ending: str) -> Figures:
    """fleiss and alpha of all votes on a pair; pairs with fewer than two votes say nothing. votes : of each kind"""
    t = votes.astype(np.float64)
    n, some = t.sum(axis=1), t.shape[1]
    # Coincidences of Krippendorff: ordered pairs of votes within a pair, each pair weighing as its votes.
    met = t[:, :, None] * t[:, None, :] - t[:, :, None] * np.eye(some)
    met = (met / np.maximum(n - 1, 1)[:, None, None]).reshape(len(t), some * some)
    same = (t * (t - 1)).sum(axis=1) / np.maximum(n * (n - 1), 1)
    sums = np.column_stack([met, same, np.ones(len(t))])

    def figures(sums: NDArray[Any]) -> NDArray[Any]:
        cells = sums[..., :-2].reshape(*sums.shape[:-1], some, some)
        of = cells.sum(axis=-1)
        whole = of.sum(axis=-1)
        chance = ((of / whole[..., None]) ** 2).sum(axis=-1)
        chance = np.where(np.real(1 - chance) > 1e-12, chance, np.nan)
        fleiss = (sums[..., -2] / sums[..., -1] - chance) / (1 - chance)
        apart = whole - np.trace(cells, axis1=-2, axis2=-1)
        expected = (whole * whole - (of * of).sum(axis=-1)) / (whole - 1)
        alpha = 1 - apart / np.where(np.real(expected) > 1e-12, expected, np.nan)
        return np.stack([fleiss, alpha], axis=-1)

    return estimate(figures, sums, n * (n > 1), rows, clustering, (f"fleiss{ending}", f"alpha{ending}"), "coefficient")


def leave_one_out(reference: Ints, judge: Ints, ties: bool) -> Floats:
    """(n, 3) comparisons with the plurality of the others: of the judge that agree, of people that agree, and all.

    Each vote of the reference is left out in turn; where the others have no unique plurality nobody is compared.
    """
    some = 3 if ties else 2
    ours, found = judge.astype(np.float64), np.zeros((len(reference), 3))
    for label in range(some):
        left = reference.copy()
        left[:, label] -= 1
        others = majority(np.maximum(left, 0)).astype(np.float64)[:, :some]
        times = reference[:, label] * ours[:, :some].sum(axis=1)
        found[:, 0] += reference[:, label] * (others * ours[:, :some]).sum(axis=1)
        found[:, 1] += times * others[:, label]
        found[:, 2] += times * others.sum(axis=1)
    return found
