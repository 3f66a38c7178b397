"""Which places can a model take, which models cannot be told apart, and how likely is each to be the best?

All from the strengths and their covariance V, so that what two strengths share cancels in their difference.

Simultaneous rank intervals hold for all models at once with the stated probability: the quantile of the largest
|difference| in standard errors over all pairs replaces the quantile of one (Mogstad, Romano, Shaikh and Wilhelm 2024).
It comes from draws of N(0, V), which is what a multiplier bootstrap of whole clusters with normal weights gives
(Chernozhukov, Chetverikov and Kato 2013); where intervals refer to t, the draws are multivariate t.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.cells import Floats
from analysis.multiple import adjust_holm
from analysis.ranks import Ranks, find_ranks
from analysis.tables import floats
from analysis.vcov import Covariance, Quantiles
from errors import OptionError

DRAWS = 10_000
# Draws times pairs of models looked at for the largest difference; beyond it draws become fewer, down to FEWEST.
MOST_WORK = 400_000_000
FEWEST = 400
MOST_MODELS = 1_500
"""Models up to which all pairs are held against each other."""
MOST_LETTERED = 300


def draw_errors(vcov: Floats, quantiles: Quantiles, rng: np.random.Generator, draws: int = DRAWS) -> Floats:
    """(draws, n) errors of the estimates: N(0, vcov), or multivariate t where intervals refer to t."""
    values, vectors = np.linalg.eigh(vcov)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    errors = rng.standard_normal((draws, len(vcov))) @ root.T
    if quantiles.df is not None:
        errors /= np.sqrt(rng.chisquare(quantiles.df, draws) / quantiles.df)[:, None]
    return np.asarray(errors)


def difference_errors(vcov: Floats) -> Floats:
    """(n, n) standard errors of all differences; 0 on the diagonal."""
    variance = np.diag(vcov)
    return np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2 * vcov, 0.0))


def simultaneous_quantile(vcov: Floats, quantiles: Quantiles, level: float, rng: np.random.Generator) -> float:
    """Half-width, in standard errors of a difference, that holds for all pairs of models at once.

    Raises OptionError for more than 1,500 models.
    """
    n = len(vcov)
    if n > MOST_MODELS:
        raise OptionError(
            f"simultaneous rank intervals hold every pair of models against every other: {n:,} models are more than "
            f"the {MOST_MODELS:,} that this is done for. Choose fewer models, or take the marginal intervals"
        )
    one, two = np.triu_indices(n, 1)
    se = difference_errors(vcov)[one, two]
    told = se > 1e-9 * se.max(initial=0.0)
    one, two, se = one[told], two[told], se[told]
    if not len(se):
        return quantiles.two_sided(level)
    draws = int(np.clip(MOST_WORK // len(se), FEWEST, DRAWS))
    errors = draw_errors(vcov, quantiles, rng, draws).T.copy()
    largest = np.zeros(draws)
    step = max(1, 2_000_000 // draws)
    for start in range(0, len(se), step):
        part = slice(start, start + step)
        z = np.abs(errors[one[part]] - errors[two[part]]) / se[part, None]
        np.maximum(largest, z.max(axis=0), out=largest)
    return float(np.quantile(largest, level))


def simultaneous_ranks(strength: Floats, covariance: Covariance, level: float, rng: np.random.Generator) -> Ranks:
    """Ranks with intervals that hold for all models at once with probability `level`.

    strength : (n,), the first n of the covariance's estimates
    """
    n = len(strength)
    vcov = covariance.vcov[:n, :n]
    return find_ranks(strength, vcov, simultaneous_quantile(vcov, covariance.quantiles, level, rng))


def overlap_ranks(strength: Floats, se: Floats, quantile: float) -> Ranks:
    """Ranks whose intervals count the models with an interval of strength wholly above (below) one's own.

    The rule of several leaderboards. It is conservative: two intervals may overlap although the difference is sure.
    """
    lower, upper = strength - quantile * se, strength + quantile * se
    better = len(strength) - np.searchsorted(np.sort(lower), upper, side="right")
    worse = np.searchsorted(np.sort(upper), lower, side="left")
    rounded = np.round(strength, 9)  # what differs by the optimiser's rounding alone is a tie
    rank = len(strength) - np.searchsorted(np.sort(rounded), rounded, side="right") + 1
    return Ranks(rank, better + 1, len(strength) - worse)


def probability_best(strength: Floats, vcov: Floats, rng: np.random.Generator, draws: int = DRAWS) -> Floats:
    """(n,) share of draws from N(strength, vcov) in which each model is the strongest."""
    errors = draw_errors(vcov, Quantiles(None), rng, max(FEWEST, min(draws, MOST_WORK // (20 * len(strength)))))
    best = (strength + errors).argmax(axis=1)
    return np.bincount(best, minlength=len(strength)) / len(errors)


@dataclass(frozen=True)
class Pairwise:
    """Every two of n models held against each other; `one` and `two` are indices, the stronger first.

    difference, se : log-odds; p : two-sided; p_holm : over all pairs
    p_above : probability that `one` is truly stronger, from N(strength, V)
    win : probability that `one` is preferred to `two`, sigmoid(difference)
    """

    one: NDArray[np.int64]
    two: NDArray[np.int64]
    difference: Floats
    se: Floats
    p: Floats
    p_holm: Floats
    p_above: Floats
    win: Floats

    def table(self, models: tuple[str, ...]) -> pd.DataFrame:
        """model_1, model_2, difference, se, p_above, win, p, p_holm: the surest orders last."""
        order = np.argsort(self.p_above, kind="stable")
        return pd.DataFrame(
            {
                "model_1": pd.Series([models[k] for k in self.one[order]], dtype="str"),
                "model_2": pd.Series([models[k] for k in self.two[order]], dtype="str"),
            }
            | {
                name: floats(getattr(self, name)[order])
                for name in ("difference", "se", "p_above", "win", "p", "p_holm")
            }
        )


def hold_all_against_all(strength: Floats, vcov: Floats, quantiles: Quantiles) -> Pairwise:
    """All pairs of models, the stronger first. Raises OptionError for more than 1,500 models."""
    n = len(strength)
    if n > MOST_MODELS:
        raise OptionError(f"{n:,} models have too many pairs to list: at most {MOST_MODELS:,} models")
    order = np.argsort(-strength, kind="stable")
    one, two = (order[k] for k in np.triu_indices(n, 1))
    difference, se = strength[one] - strength[two], difference_errors(vcov)[one, two]
    told = se > 1e-9 * se.max(initial=0.0)
    z = np.where(told, difference / np.where(told, se, 1.0), np.nan)
    p = quantiles.p_value(z)
    above = 1 - Quantiles(None).p_value(z) / 2
    return Pairwise(one, two, difference, se, p, adjust_holm(p), above, 1 / (1 + np.exp(-difference)))


def letters(n: int, pairwise: Pairwise, level: float = 0.95) -> tuple[str, ...] | None:
    """Compact letters: two models share one exactly when their order is not beyond doubt (Piepho 2004).

    The letters are the largest groups of models of which no two differ.

    Holm-adjusted over all pairs at 1 - level; letters in the order of strength. None for more than 300 models.
    """
    if n > MOST_LETTERED:
        return None
    alike = np.ones((n, n), dtype=bool)
    differ = pairwise.p_holm < 1 - level
    alike[pairwise.one[differ], pairwise.two[differ]] = alike[pairwise.two[differ], pairwise.one[differ]] = False
    # Model by model: a group wholly alike with the new model takes it in, of the others a copy of what is alike does.
    groups = np.zeros((1, n), dtype=bool)
    groups[0, 0] = True
    for k in range(1, n):
        joined = groups & alike[k]
        stay = groups[(groups & ~alike[k]).any(axis=1)]
        joined[:, k] = True
        groups = np.vstack([stay, _absorb(joined)])
    rank = np.empty(n, dtype=np.int64)
    # The pairs begin with the strongest model against every other in order.
    rank[np.r_[pairwise.one[:1], pairwise.two[: n - 1]] if n > 1 else [0]] = np.arange(n)
    first = [min(rank[np.flatnonzero(group)]) for group in groups]
    last = [max(rank[np.flatnonzero(group)]) for group in groups]
    order = np.lexsort((last, first))
    names = [_letter(k) for k in range(len(order))]
    return tuple("".join(names[k] for k, g in enumerate(order) if groups[g, model]) for model in range(n))


def _absorb(groups: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Without the groups that lie within another."""
    groups = np.unique(groups, axis=0)
    size = groups.sum(axis=1)
    inside = (groups.astype(np.int32) @ groups.T.astype(np.int32)) == size[:, None]
    np.fill_diagonal(inside, False)
    return np.asarray(groups[~inside.any(axis=1)])


def _letter(k: int) -> str:
    """a, b, ..., z, then a2, b2, ..."""
    return chr(ord("a") + k % 26) + ("" if k < 26 else str(k // 26 + 1))
