"""May a judge take the place of an annotator? The alternative-annotator test.

Calderon, Reichart and Dror 2025 (arXiv 2501.10970). Each annotator in turn is left out: on each item that annotator
and the judge are both scored against the other annotators of the item. The judge is as good where it scores no less,
W = 1(S_judge >= S_annotator), the annotator likewise, W' = 1(S_annotator >= S_judge). The judge wins the annotator
where a one-sided t-test finds mean(W' - W) < epsilon, Benjamini-Yekutieli over annotators at .05. It passes when it
wins at least half of them (winning rate), and judges are compared by the mean of W over annotators (advantage
probability).

An item is a pair of responses. Its value is p_a: of labels (.5 a tie) the score is the share of others with the same
label; of soft preferences minus the root mean squared difference from theirs.

The test takes items as independent, as published. Where they share prompts this is too sure of itself: `p_clustered`
is the same test with the error of the mean from clusters, by the rules of `vcov`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr, stdtrit

from analysis.agreement import share_ends
from analysis.cells import Floats, Ints
from analysis.multiple import adjust_by
from analysis.tables import booleans, floats
from analysis.vcov import Clustering, Covariance, Term, find_heavy
from errors import NotIdentifiedError, OptionError

FALSE_DISCOVERY = 0.05
FEW_ITEMS = 30
"""Items of an annotator below which the t-test is not offered."""
EVEN = 1e-8
"""Squared differences nearer than this are equal: mean preferences come with nine digits."""

Score = Literal["accuracy", "rmse"]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Annotations:
    """What annotators said, one row an annotator and item; each array (n,).

    item, annotator : codes from 0; value : p_a in [0, 1]
    """

    item: Ints
    annotator: Ints
    value: Floats


@dataclass(frozen=True)
class AltTest:
    """The test of one judge; each array (k,), one an annotator that was tested.

    annotator : codes, ascending; n_items : items that the judge and another annotator have judged too
    advantage, human_advantage : means of W and of W'; difference, se : of W' - W over items, and as independent ones
    p, q : one-sided against a difference of epsilon or more; Benjamini-Yekutieli over annotators
    p_clustered : the same with the error from clusters; NaN where fewer than two, or all alike, tell nothing
    left_out : codes of annotators with fewer than 30 such items; left_out_items : how many they have
    covariance : of the advantage probability, clustered; None with fewer than two clusters
    together : whether any two items of an annotator share a cluster
    """

    annotator: Ints
    n_items: Ints
    advantage: Floats
    human_advantage: Floats
    difference: Floats
    se: Floats
    p: Floats
    q: Floats
    p_clustered: Floats
    left_out: Ints
    left_out_items: Ints
    n_different: int
    epsilon: float
    score: Score
    covariance: Covariance | None
    together: bool

    @property
    def advantage_probability(self) -> float:
        """Mean over annotators of the share of items on which the judge is as good as that annotator or better."""
        return float(self.advantage.mean())

    @property
    def won(self) -> Flags:
        """(k,) whether the judge wins the annotator."""
        return np.asarray(self.q <= FALSE_DISCOVERY)

    @property
    def doubted(self) -> Flags:
        """(k,) won, but not with the error from clusters, after the same adjustment over annotators."""
        return np.asarray(self.won & self.together & (adjust_by(self.p_clustered) > FALSE_DISCOVERY))

    @property
    def winning_rate(self) -> float:
        """Share of annotators that the judge wins."""
        return float(self.won.mean())

    @property
    def passed(self) -> bool:
        """Whether it wins at least half of them."""
        return bool(2 * self.won.sum() >= len(self.won))

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Of the advantage probability, symmetric in log-odds; NaN where nothing tells how sure it is."""
        if self.covariance is None:
            return float("nan"), float("nan")
        df = self.covariance.quantiles.df
        share, se = np.array([self.advantage_probability]), self.covariance.known_se
        lower, upper = share_ends(share, se, np.array([np.inf if df is None else df]), level)
        return float(lower[0]), float(upper[0])

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row an annotator: annotator (code), items, advantage, human_advantage, difference with its t interval,
        p, q, won, p_clustered.
        """
        half = stdtrit(self.n_items - 1.0, (1 + level) / 2) * self.se
        known = np.where(self.se > 0, half, np.nan)
        return pd.DataFrame(
            {
                "annotator": self.annotator, "items": self.n_items, "advantage": floats(self.advantage),
                "human_advantage": floats(self.human_advantage), "difference": floats(self.difference),
                "lower": floats(self.difference - known), "upper": floats(self.difference + known),
                "p": floats(self.p), "q": floats(self.q), "won": booleans([bool(w) for w in self.won]),
                "p_clustered": floats(self.p_clustered),
            }
        )  # fmt: skip


def run_alt_test(
    people: Annotations,
    judge: Floats,
    cluster: Ints,
    clustering: Clustering,
    *,
    epsilon: float = 0.2,
    score: Score = "accuracy",
    few_items: int = FEW_ITEMS,
) -> AltTest:
    """The alternative-annotator test of one judge.

    judge : (n_items,) its p_a of each item, NaN where it has none; cluster : (n_items,) codes of what hangs together
    epsilon : what the judge's lower cost is worth: .2 against experts, .15 skilled annotators, .1 crowd workers

    Raises NotIdentifiedError when no two annotators share an item, or none has `few_items` of them with the judge, and
    OptionError for an epsilon outside [0, 1).
    """
    if not 0 <= epsilon < 1:
        raise OptionError(f"epsilon {epsilon:g} is not a share from 0 up to but not 1: .2 is usual against experts")
    n_items = len(judge)
    several = np.bincount(people.item, minlength=n_items) >= 2
    usable = several[people.item] & ~np.isnan(judge[people.item])
    if not several.any():
        raise NotIdentifiedError(
            "no pair was judged by two named annotators, so there is nobody to hold judge and annotator against"
        )
    if not usable.any():
        raise NotIdentifiedError("shares no pair with people that two named annotators have judged")
    as_good, annotator_as_good = _as_good(people, judge, np.flatnonzero(usable), score)
    item, who = people.item[usable], people.annotator[usable]
    n_of = np.bincount(who, minlength=int(people.annotator.max()) + 1)
    everyone = np.unique(people.annotator)
    tested = everyone[n_of[everyone] >= few_items]
    few = everyone[n_of[everyone] < few_items]
    if not len(tested):
        raise NotIdentifiedError(
            f"no annotator has {few_items} pairs with the judge and another annotator: the most is "
            f"{int(n_of.max())}. Below that the t-test does not hold"
        )
    rows = np.isin(who, tested)
    group = np.searchsorted(tested, who[rows])
    w, w_human = as_good[rows].astype(np.float64), annotator_as_good[rows].astype(np.float64)
    d, code = w_human - w, cluster[item[rows]]
    k, n = len(tested), np.bincount(group)
    advantage, human, mean = (np.asarray(np.bincount(group, x, k) / n, dtype=np.float64) for x in (w, w_human, d))
    se: Floats = np.sqrt(np.bincount(group, (d - mean[group]) ** 2, k) / (n - 1) / n)
    p = _below(mean, se, n.astype(np.float64) - 1, epsilon)
    return AltTest(
        annotator=tested, n_items=n, advantage=advantage, human_advantage=human, difference=mean, se=se, p=p,
        q=adjust_by(p), p_clustered=_clustered(d, group, k, code, clustering, epsilon), left_out=few,
        left_out_items=n_of[few], n_different=len(np.unique(item[rows])), epsilon=epsilon, score=score,
        covariance=_mean_of_means(w, group, k, code, clustering),
        together=bool(np.unique(np.column_stack([group, code]), axis=0).shape[0] < len(code)),
    )  # fmt: skip


def _as_good(people: Annotations, judge: Floats, rows: Ints, score: Score) -> tuple[Flags, Flags]:
    """(n_rows,) whether the judge scores no less than the annotator against the others of the item, and the reverse."""
    n_items = len(judge)
    item, value = people.item[rows], people.value[rows]
    if score == "accuracy":
        counts = np.zeros((n_items, 3), dtype=np.int64)
        np.add.at(counts, (people.item, _label(people.value)), 1)
        mine, theirs = _label(value), _label(judge[item])
        # Both are divided by the number of the others: counts compare without rounding.
        agree, judge_agrees = counts[item, mine] - 1, counts[item, theirs] - (mine == theirs)
        return judge_agrees >= agree, agree >= judge_agrees
    others = np.bincount(people.item, minlength=n_items)[item] - 1
    total = np.bincount(people.item, people.value, n_items)[item] - value
    squares = np.bincount(people.item, people.value**2, n_items)[item] - value**2
    # The square root and the sign keep the order of mean squared differences.
    away, judge_away = ((others * x**2 - 2 * x * total + squares) / others for x in (value, judge[item]))
    return judge_away <= away + EVEN, away <= judge_away + EVEN


def _label(value: Floats) -> Ints:
    """0 for a, 1 for b, 2 for a tie."""
    return np.where(value > 0.5, 0, np.where(value < 0.5, 1, 2))


def _below(mean: Floats, se: Floats, df: Floats, epsilon: float) -> Floats:
    """One-sided p of a mean being epsilon or more; where all items say the same, 0 or 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        p = stdtr(df, (mean - epsilon) / se)
    return np.where(se > 0, p, np.where(mean < epsilon, 0.0, 1.0))


def _clustered(d: Floats, group: Ints, k: int, code: Ints, clustering: Clustering, epsilon: float) -> Floats:
    p = np.full(k, np.nan)
    for g in range(k):
        mine = group == g
        found = _mean_of_means(d[mine], np.zeros(int(mine.sum()), dtype=np.int64), 1, code[mine], clustering)
        if found is None or np.isnan(found.known_se[0]):
            continue
        z = (found.estimate[0] - epsilon) / found.known_se[0]
        df = found.quantiles.df
        p[g] = ndtr(z) if df is None else stdtr(df, z)
    return p


def _mean_of_means(x: Floats, group: Ints, k: int, code: Ints, clustering: Clustering) -> Covariance | None:
    """Covariance of the mean over groups of the groups' means; None where there are fewer than two clusters."""
    code = np.unique(code, return_inverse=True)[1]
    size, n = int(code.max()) + 1, np.bincount(group, minlength=k).astype(np.float64)
    if size < 2:
        return None
    means = np.bincount(group, x, k) / n
    share = 1 / (k * n[group])
    heavy, effective = find_heavy(np.bincount(code, share, size))
    replicates = np.empty((len(heavy), 1))
    for row, c in enumerate(heavy):
        rest = code != c
        left = np.bincount(group[rest], minlength=k)
        total = np.bincount(group[rest], x[rest], k)
        replicates[row] = (total[left > 0] / left[left > 0]).mean()
    influence = np.bincount(code, share * (x - means[group]), size)
    influence[heavy] = 0.0
    linear = np.array([[size / (size - 1) * float(influence @ influence)]])
    term = Term(clustering.name, size, 1, effective, replicates, linear)
    return Covariance(clustering, np.array([means.mean()]), (term,))
