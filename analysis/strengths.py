"""How strong is each model in one judge's eyes, with ties, position and covariates as chosen?

`fit_strengths` is the one way in. Where ties count half and nothing but the position stands beside the
strengths it is the plain Bradley-Terry model of `bradley_terry`; otherwise the same log-odds
eta = theta_i - theta_j + delta * s + sum_k gamma_k * z_k under a rule of `likelihood`. All fits give what
`sandwich.strength_covariance` needs, which is what `Strengths` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np

from analysis.bradley_terry import POSITION, fit_bradley_terry, newton, restrict
from analysis.cells import Cells, CellScores, Floats, Ints, fold_to_pairs
from analysis.connectivity import LeftOut, connected_replicates, find_kept
from analysis.likelihood import Rule, share_of_ties, tie_from_share
from analysis.linear import (
    Rows,
    inverse_information,
    maximise,
    point_at,
    rows_of_cells,
    rows_of_counts,
    tie_alone,
)
from analysis.replicates import JACKKNIFE_RIDGE, Replicates, leave_out, no_replicates
from errors import ConvergenceError, NotIdentifiedError, OptionError

Ties = Literal["half", "drop", "davidson", "rao-kupper"]
TIE_NAMES = {"davidson": "log nu", "rao-kupper": "tau"}
"""Name of the tie parameter among a fit's coefficients."""


class Strengths(Protocol):
    """A fit of one judge's strengths, whatever stands beside them.

    models : names of the models kept on one scale; strength : (n_models,) natural-log strengths, mean 0
    parameters : (k,) the strengths, then the coefficients in their order
    coefficients : name -> value of what stands behind the strengths: "position", covariates, "log nu" or "tau"
    bread : (k, k) inverse information on the space in which strengths sum to 0
    judgments : (n_models,) number of judgments in which each model took part
    left_out, n_above : models without a strength, the first n_above of them above all others
    """

    @property
    def models(self) -> tuple[str, ...]: ...
    @property
    def strength(self) -> Floats: ...
    @property
    def parameters(self) -> Floats: ...
    @property
    def coefficients(self) -> dict[str, float]: ...
    @property
    def position(self) -> float | None: ...
    @property
    def bread(self) -> Floats: ...
    @property
    def log_likelihood(self) -> float: ...
    @property
    def n_iter(self) -> int: ...
    @property
    def judgments(self) -> Ints: ...
    @property
    def n_judgments(self) -> int: ...
    @property
    def n_unknown_order(self) -> int: ...
    @property
    def left_out(self) -> tuple[LeftOut, ...]: ...
    @property
    def n_above(self) -> int: ...

    def used(self, cells: Cells) -> Cells:
        """The cells among the models kept, with nothing that the fit does not use."""

    def scores(self, cells: Cells) -> CellScores:
        """Derivatives of the log-likelihood at the fit, for cells as `used` gives them."""

    def without_each(self, cells: Cells, codes: Ints, deleted: Ints) -> Replicates:
        """Estimates without each of the clusters `deleted`, for cells as `used` gives them."""


def coefficient_index(fit: Strengths, name: str) -> int:
    """Where a coefficient stands in `parameters`. Raises ValueError for a name the fit does not have."""
    return len(fit.models) + list(fit.coefficients).index(name)


@dataclass(frozen=True)
class ExtendedBradleyTerry:
    """Strengths beside covariates, or with ties as an outcome of their own. See `Strengths` for what is not here.

    ties : the rule for ties; covariates : their names, in the order of their coefficients
    rows : what was fitted: folded pairs of models, with covariates the cells themselves
    """

    models: tuple[str, ...]
    ties: Ties
    covariates: tuple[str, ...]
    has_position: bool
    parameters: Floats
    log_likelihood: float
    n_iter: int
    rows: Rows
    left_out: tuple[LeftOut, ...]
    n_above: int

    @property
    def rule(self) -> Rule:
        """The likelihood that was maximised."""
        return rule_of(self.ties)

    @property
    def strength(self) -> Floats:
        """(n_models,) natural-log strengths, mean 0."""
        return self.parameters[: len(self.models)]

    @property
    def coefficients(self) -> dict[str, float]:
        """What stands behind the strengths in `parameters`, by name."""
        names = coefficient_names(self.ties, self.has_position, self.covariates)
        return dict(zip(names, map(float, self.parameters[len(self.models) :]), strict=True))

    @property
    def position(self) -> float | None:
        """Log-odds of the answer shown first between equals; None when not in the model."""
        return self.coefficients.get(POSITION)

    @property
    def tie(self) -> float | None:
        """log nu of Davidson, tau of Rao and Kupper; None when ties count half or are dropped."""
        return float(self.parameters[-1]) if self.ties in TIE_NAMES else None

    @property
    def share_of_ties(self) -> float | None:
        """Probability of a tie between equals; None when a tie is no outcome of its own."""
        return None if self.tie is None else share_of_ties(self.rule, self.tie)

    @property
    def judgments(self) -> Ints:
        """(n_models,) number of judgments in which each model took part."""
        rows = self.rows
        both = [np.bincount(side, rows.count, rows.n_models) for side in (rows.a, rows.b)]
        return np.asarray((both[0] + both[1]).astype(np.int64))

    @property
    def n_judgments(self) -> int:
        """Judgments in the fit."""
        return int(self.rows.count.sum())

    @property
    def n_unknown_order(self) -> int:
        """Judgments in the fit whose shown order is unknown; 0 when position is not in the model."""
        return int(self.rows.count[self.rows.columns[:, 0] == 0].sum()) if self.has_position else 0

    @cached_property
    def bread(self) -> Floats:
        """(k, k) inverse observed information on the space in which strengths sum to 0."""
        return inverse_information(self.rows, self.rule, self.parameters)

    def used(self, cells: Cells) -> Cells:
        """The cells among the models kept, with nothing that the fit does not use."""
        return _reduced(cells, self.ties, self.has_position, self.covariates).among(self.models)

    def scores(self, cells: Cells) -> CellScores:
        """Derivatives of the log-likelihood at the fit, for cells as `used` gives them."""
        rows = rows_of_cells(cells)
        point = point_at(rows, self.rule, self.parameters)
        further = [point.residual[:, None] * rows.columns]
        if point.tie_residual is not None:
            further.append(point.tie_residual[:, None])
        return CellScores(point.residual, np.hstack(further))

    def without_each(self, cells: Cells, codes: Ints, deleted: Ints) -> Replicates:
        """Estimates without each of the clusters `deleted`, for cells as `used` gives them.

        Those that are not identified get a ridge of .01 (and, for Rao and Kupper, a hundredth of a tie).
        """
        out = no_replicates(len(self.parameters))
        if not len(deleted):
            return out
        counts = fold_to_pairs(cells)
        left = leave_out(counts, cells, codes, deleted)
        connected = connected_replicates(counts, left.weight, left.score)
        parameters, ridged = np.empty((len(deleted), len(self.parameters))), ~connected
        for k, cluster in enumerate(deleted):
            rows = rows_of_cells(cells).take(codes != cluster) if self.covariates else rows_of_counts(left.replicate(k))
            parameters[k], ridged[k] = self._refit(rows, bool(connected[k]))
        parameters[:, : len(self.models)] -= parameters[:, : len(self.models)].mean(axis=1, keepdims=True)
        return Replicates(parameters, ridged)

    def _refit(self, rows: Rows, connected: bool) -> tuple[Floats, bool]:
        names = coefficient_names(self.ties, self.has_position, self.covariates)
        has_ties = rows.tied is None or bool(rows.tied.any())
        if connected and has_ties:
            try:
                return maximise(rows, self.rule, self.parameters, names).parameters, False
            except (NotIdentifiedError, ConvergenceError):
                pass
        return maximise(rows, self.rule, self.parameters, names, ridge=JACKKNIFE_RIDGE).parameters, True


def rule_of(ties: Ties) -> Rule:
    """The likelihood behind a policy for ties."""
    return "logistic" if ties in ("half", "drop") else ties  # type: ignore[return-value]


def coefficient_names(ties: Ties, position: bool, covariates: Sequence[str]) -> tuple[str, ...]:
    """Names of the parameters behind the strengths, in their order.

    Raises OptionError when a covariate has the name of another one.
    """
    names = [*([POSITION] if position else []), *covariates, *([TIE_NAMES[ties]] if ties in TIE_NAMES else [])]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise OptionError(f"two effects cannot both be called {twice[0]!r}: rename that covariate")
    return tuple(names)


def _reduced(cells: Cells, ties: Ties, position: bool, covariates: Sequence[str]) -> Cells:
    """Only what the fit uses, the covariates in its order."""
    missing = [name for name in covariates if name not in cells.covariates]
    if missing:
        raise ValueError(f"the cells have no covariate {missing[0]!r}")
    return Cells(
        models=cells.models,
        i=cells.i,
        j=cells.j,
        weight=cells.weight,
        score=cells.score,
        count=cells.count,
        first=cells.first if position else None,
        clusters=cells.clusters,
        tied=cells.tied if ties in TIE_NAMES else None,
        covariates={name: cells.covariates[name] for name in covariates},
    )


def fit_strengths(
    cells: Cells, *, ties: Ties = "half", position: bool = False, covariates: Sequence[str] = ()
) -> Strengths:
    """Strengths of the models that can be put on one scale, without any penalty.

    ties : "half" and "drop" (the cells then hold no ties: leaving them out is the selection's part) are the
        logistic model; "davidson" and "rao-kupper" need `cells.tied` and preferences of 0, .5 and 1 only
    covariates : names of `cells.covariates` that enter, in this order

    Raises NotIdentifiedError when no two models are comparable, when there are no ties or nothing else, and
    when the position or a covariate (named) is 0, collinear or separates the verdicts.
    """
    names = coefficient_names(ties, position, covariates)
    if ties == "drop" and cells.tied is not None and bool(cells.tied.any()):
        raise ValueError("ties are to be dropped, and the cells still hold some")
    if ties not in TIE_NAMES and not covariates:
        return fit_bradley_terry(cells, position=position)
    if ties in TIE_NAMES and cells.tied is None:
        raise ValueError(f"{ties} needs to know which judgments are ties")
    if position and (cells.first is None or not bool((cells.first != 0).any())):
        raise NotIdentifiedError(
            "the effect of the position cannot be estimated: no judgment here records which answer was "
            "shown first. Leave the position out"
        )
    cells = _reduced(cells, ties, position, covariates)
    counts = fold_to_pairs(cells)
    found = find_kept(counts, cells.models)
    models = cells.models
    if found.left_out:
        models = tuple(cells.models[k] for k in found.kept)
        cells, counts = cells.among(models), restrict(counts, found.kept)
    plain = fold_to_pairs(cells.plain()) if counts.first is not None or counts.tied is not None else counts
    rows = rows_of_cells(cells) if covariates else rows_of_counts(counts)
    start = np.append(newton(plain, np.zeros(len(models))).parameters, np.zeros(len(names)))
    if counts.tied is not None:
        guess = _first_guess(ties, float(counts.tied.sum()), float(counts.weight.sum()))
        start[-1] = tie_alone(rows, rule_of(ties), start, guess)
    optimum = maximise(rows, rule_of(ties), start, [_subject(name) for name in names])
    parameters = optimum.parameters.copy()
    parameters[: len(models)] -= parameters[: len(models)].mean()
    return ExtendedBradleyTerry(
        models=models,
        ties=ties,
        covariates=tuple(covariates),
        has_position=position,
        parameters=parameters,
        log_likelihood=optimum.log_likelihood,
        n_iter=optimum.n_iter,
        rows=rows,
        left_out=found.left_out,
        n_above=found.n_above,
    )


def _subject(name: str) -> str:
    if name == POSITION:
        return "the effect of the position"
    return "the share of ties" if name in TIE_NAMES.values() else f"the effect of {name!r}"


def _first_guess(ties: Ties, tied: float, weight: float) -> float:
    if tied <= 1e-12 * weight:
        raise NotIdentifiedError(
            "there is no tie among these judgments that a model of ties could be fitted to. Without ties it says what "
            "half a win for each side says"
        )
    if tied >= weight * (1 - 1e-12):
        raise NotIdentifiedError("all judgments are ties, which leave nothing to model. Count each as half a win")
    return tie_from_share(rule_of(ties), tied / weight)
