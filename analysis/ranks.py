"""Whom does a judge prefer, and how sure are we of each rank?

A model's rank interval counts the models that are better, and those that are worse, beyond doubt: from
every pairwise difference with the full covariance, so that what two strengths share cancels (Mogstad,
Romano, Shaikh and Wilhelm 2024 call these marginal confidence sets for ranks).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.cells import Cells, Floats, Ints
from analysis.connectivity import LeftOut
from analysis.sandwich import strength_covariance
from analysis.strengths import Strengths, Ties, fit_strengths
from analysis.tables import floats, integers
from analysis.vcov import Clustering, Covariance


@dataclass(frozen=True)
class Ranks:
    """Ranks from 1 (best); each array (n_models,)."""

    rank: Ints
    lower: Ints
    upper: Ints


def find_ranks(strength: Floats, vcov: Floats, quantile: float) -> Ranks:
    """Ranks and their marginal intervals.

    strength : (n,); vcov : (n, n); quantile : half-width in standard errors of a difference
    lower = 1 + number of models better by more than quantile * se of the difference, upper likewise;
    equal strengths share the better rank.
    """
    n = len(strength)
    variance = np.diag(vcov)
    better, worse = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    step = max(1, 4_000_000 // max(n, 1))
    for start in range(0, n, step):
        rows = slice(start, start + step)
        difference = strength[None, :] - strength[rows, None]
        spread = variance[None, :] + variance[rows, None] - 2 * vcov[rows]
        doubt = quantile * np.sqrt(np.maximum(spread, 0.0))
        better[rows] = (difference > doubt).sum(axis=1)
        worse[rows] = (-difference > doubt).sum(axis=1)
    rounded = np.round(strength, 9)  # what differs by the optimiser's rounding alone is a tie
    rank = n - np.searchsorted(np.sort(rounded), rounded, side="right") + 1
    return Ranks(rank, better + 1, n - worse)


WIDTHLESS = 1e-9
"""Standard errors at most this are rounding: log-odds, while the least that judgments can show is far above it."""

NO_WIDTH = (
    "these verdicts leave nothing unexplained (all are ties, or all prompts say the same), so the intervals have no "
    "width: they tell nothing about chance"
)

NAMED = 3
"""Models, or groups of models, without a strength that one sentence names."""


def told_left_out(left_out: Sequence[LeftOut]) -> str:
    """`Top (won all 3 of its judgments), x and y (never met ...), ...`"""
    groups: dict[str, list[str]] = {}
    for left in left_out:
        groups.setdefault(left.cause if left.place == "apart" else f"{left.model} {left.cause}", []).append(left.model)
    cause = {left.model: left.cause for left in left_out}
    said = []
    for models in list(groups.values())[:NAMED]:
        names = models if len(models) <= NAMED else [*models[:NAMED], f"{len(models) - NAMED:,} more"]
        together = names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
        said.append(f"{together} ({cause[models[0]]})")
    return ", ".join(said) + (", ..." if len(groups) > NAMED else "")


@dataclass(frozen=True)
class Ranking:
    """One judge's ranking with its uncertainty.

    fit : strengths and left-out models; covariance : of the fit's parameters
    """

    fit: Strengths
    covariance: Covariance

    @property
    def n_judgments(self) -> int:
        """Judgments in the fit."""
        return self.fit.n_judgments

    @property
    def n_clusters(self) -> int:
        """Clusters behind the intervals; 0 without clustering."""
        return self.covariance.n_clusters

    @property
    def clustering(self) -> Clustering:
        """What forms a cluster, and how that was chosen."""
        return self.covariance.clustering

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before believing the numbers."""
        found = list(self.covariance.warnings)
        if self.fit.left_out:
            n = len(self.fit.left_out)
            found.append(
                f"{n:,} model{'s' if n > 1 else ''} cannot be put on the common scale and "
                f"{'have' if n > 1 else 'has'} no strength: {told_left_out(self.fit.left_out)}"
            )
        if not bool((self.covariance.se[: len(self.fit.models)] > WIDTHLESS).any()):
            found.append(NO_WIDTH)
        if self.fit.n_unknown_order:
            total = "1 judgment" if self.n_judgments == 1 else f"{self.n_judgments:,} judgments"
            found.append(
                f"the shown order of {self.fit.n_unknown_order:,} of {total} is unknown; "
                f"{'it says' if self.fit.n_unknown_order == 1 else 'they say'} nothing about the position"
            )
        return tuple(found)

    def table(self, level: float = 0.95, rank_quantile: float | None = None) -> pd.DataFrame:
        """One row a model in the order of ranks; what is undefined is missing (pandas.NA).

        rank_quantile : half-width in standard errors of a difference behind the rank intervals; None: that of `level`,
        for one model at a time

        Columns: model, strength (natural log, mean 0), se, lower, upper, rank, rank_lower, rank_upper,
        judgments. Left-out models above and below the others have a rank alone, those apart have none.
        """
        fit = self.fit
        m = len(fit.models)
        quantile = self.covariance.quantiles.two_sided(level)
        se = self.covariance.se[:m]
        doubt = quantile if rank_quantile is None else rank_quantile
        ranks = find_ranks(fit.strength, self.covariance.vcov[:m, :m], doubt)
        above, others = fit.left_out[: fit.n_above], fit.left_out[fit.n_above :]
        order = np.lexsort((np.array(fit.models), ranks.rank))
        shift = fit.n_above

        def column(of_left_out: Callable[[LeftOut], Any], of_kept: Iterable[Any]) -> list[Any]:
            return [*map(of_left_out, above), *of_kept, *map(of_left_out, others)]

        def absent(left: LeftOut) -> None:
            return None

        strength = fit.strength[order]
        half = quantile * se[order]
        return pd.DataFrame(
            {
                "model": column(lambda left: left.model, (fit.models[k] for k in order)),
                "strength": floats(column(absent, strength)),
                "se": floats(column(absent, se[order])),
                "lower": floats(column(absent, strength - half)),
                "upper": floats(column(absent, strength + half)),
                "rank": integers(column(lambda left: left.rank, ranks.rank[order] + shift)),
                "rank_lower": integers(column(lambda left: left.rank_lower, ranks.lower[order] + shift)),
                "rank_upper": integers(column(lambda left: left.rank_upper, ranks.upper[order] + shift)),
                "judgments": integers(column(lambda left: left.judgments, fit.judgments[order])),
            }
        )


def rank_models(cells: Cells, clustering: Clustering, *, ties: Ties = "half", position: bool = False) -> Ranking:
    """Fit one judge's strengths and their covariance.

    Raises NotIdentifiedError and ConvergenceError as `fit_strengths` and `strength_covariance` do.
    """
    fit = fit_strengths(cells, ties=ties, position=position)
    return Ranking(fit, strength_covariance([fit], [cells], clustering))
