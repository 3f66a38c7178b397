"""Which factors move a judge's verdicts, and how much? Logistic regression on the differences of the two answers.

    log-odds(a preferred) = position * s + sum_k weight_k * (a_k - b_k) / scale_k

without an intercept, so that exchanging a and b changes nothing. A tie is half a win (fractional response, Papke and
Wooldridge 1996), left out, or an outcome of its own (`likelihood`). What the data do not determine is named and left
out of the fit: a factor that never differs, one that others fix (collinear), one that explains verdicts without limit
(separation, Albert and Anderson 1984). There is no hidden penalty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from analysis.cells import Floats, Ints
from analysis.design import FIRST, Design
from analysis.design_sums import Sums, gradient, n_parameters, sum_up
from analysis.design_sums import reach as sum_reach
from analysis.likelihood import Rule, tie_from_share
from analysis.replicates import JACKKNIFE_RIDGE, Replicates, no_replicates
from analysis.strengths import TIE_NAMES, Ties, rule_of
from errors import ConvergenceError, NotIdentifiedError

MAX_STEPS = 60
DECREMENT = {"float64": 1e-9, "float32": 1e-7}
"""Twice the gain in log-likelihood, of judgments that weigh 1, still expected when the last step is taken: it is 3e-5
(3e-4) standard errors long, and Newton's step squares what is left."""
SAFE = 1e-2
"""Expected gain so small that Newton's step is taken unseen: the value of the fit is not known so precisely."""
NEAR = 1e-6
"""Expected gain that a fit of many rows leaves to its last step, of .0014 standard errors. It is Newton's, with the
information of all rows, and squares what is left; that information is the optimum's to 1e-4 in every covariance."""
VANISHED = 1e-7
"""Share of a coefficient's information at the start below which it has run away."""
COLLINEAR = 1e-9
SEPARATED_AT_MOST = 3
"""Runaway factors that are named one after the other; with more, all of them together explain every verdict."""
LARGE, SAMPLE = 1_000_000, 100_000
"""Fits of more rows than LARGE start from one of SAMPLE rows."""
DEPENDS_ON = 1e-3


@dataclass(frozen=True)
class FactorFit:
    """One judge's weights.

    parameters : (p,) natural-log odds by `names`: first_position (where fitted), the factors, the tie parameter
    bread : (p, p) inverse observed information; ties : the rule for ties
    dropped : by factor, why it is not in the fit; vif : uncentred variance inflation of each factor
    n_unknown_order : judgments whose shown order is not known
    """

    factors: tuple[str, ...]
    has_position: bool
    ties: Ties
    parameters: Floats
    bread: Floats
    log_likelihood: float
    n_iter: int
    n_judgments: int
    n_pairs: int
    n_unknown_order: int
    vif: Mapping[str, float]
    dropped: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters."""
        tie = (TIE_NAMES[self.ties],) if self.ties in TIE_NAMES else ()
        return (*((FIRST,) if self.has_position else ()), *self.factors, *tie)

    @property
    def rule(self) -> Rule:
        """The likelihood that was maximised."""
        return rule_of(self.ties)

    @property
    def position(self) -> float | None:
        """Log-odds of the answer shown first between equals; None when not in the model."""
        return float(self.parameters[0]) if self.has_position else None

    @property
    def weights(self) -> Floats:
        """(n_factors,) log-odds for one scale unit."""
        low = int(self.has_position)
        return self.parameters[low : low + len(self.factors)]

    def used(self, design: Design) -> Design:
        """The design with the factors of the fit alone."""
        return design.without([name for name in design.names if name not in self.factors])

    def without_each(self, design: Design, codes: Ints, deleted: Ints) -> Replicates:
        """Estimates without each of the clusters `deleted`, for a design as `used` gives it.

        Those that are not identified get a ridge of .01.
        """
        out = no_replicates(len(self.parameters))
        if not len(deleted):
            return out
        parameters, ridged = np.empty((len(deleted), len(self.parameters))), np.zeros(len(deleted), dtype=bool)
        for k, cluster in enumerate(deleted):
            some = design.take(codes != cluster)
            parameters[k], ridged[k] = refit(self, some)
        return Replicates(parameters, ridged)


def refit(fit: FactorFit, design: Design) -> tuple[Floats, bool]:
    """The parameters on other rows, and whether a ridge of .01 was needed for lack of information."""
    if len(design):
        # Held against even odds: from the weights of all rows a separated factor would seem to lose little.
        even = np.zeros(len(fit.parameters))
        if fit.rule != "logistic":
            even[-1] = fit.parameters[-1]
        found = _newton(design, fit.rule, fit.parameters, at_start=_left(sum_up(design, fit.rule, even).information))
        if isinstance(found, _Optimum):
            return found.parameters, False
    found = _newton(design, fit.rule, fit.parameters, ridge=JACKKNIFE_RIDGE)
    if not isinstance(found, _Optimum):
        raise ConvergenceError("the weights did not converge without one of the clusters, not even with a ridge")
    return found.parameters, True


def fit_factors(design: Design, *, ties: Ties = "half") -> FactorFit:
    """Fit one judge's weights to all factors that can be estimated together.

    ties : "half" and "drop" (the design then holds no ties) are the logistic model; "davidson" and "rao-kupper" need
        `design.tied`. A position term is fitted where the design has a shown order.

    Raises NotIdentifiedError when nothing can be estimated: no judgment, no factor left, as many factors as pairs, or
    factors that together explain every verdict; ConvergenceError when no optimum is reached.
    """
    if not len(design):
        raise NotIdentifiedError("there is no judgment with these factors")
    rule = rule_of(ties)
    if (rule == "logistic") != (design.tied is None):
        raise ValueError("a design has ties apart exactly where the rule models them")
    if design.first is not None and not bool(design.first.any()):
        raise NotIdentifiedError(
            f"{FIRST} cannot be estimated: no judgment here records which answer was shown first"
        )
    n_pairs = int(design.pairs.sum())
    if len(design.names) >= n_pairs:
        raise NotIdentifiedError(
            f"{len(design.names):,} factors cannot be told apart on {n_pairs:,} "
            f"{'pair' if n_pairs == 1 else 'pairs'}: there must be more pairs than factors. Choose fewer factors"
        )
    start = _start(design, ties)
    size, toward = _reach(design)
    dropped = _constant(design.names, size)
    alone = _separated_alone(design.names, size, toward)
    design, start = _reduced(design, dropped | alone, start)
    _require(design, dropped | alone)
    # Of many rows a part tells what is collinear; what it finds, or has too little of, is looked at again on all.
    here = sum_up(design.thinned(SAMPLE) if len(design) > LARGE else design, rule, start)
    rare = bool((np.diag(here.information) <= 0).any())
    if len(design) > LARGE and (rare or _collinear(design, here)):
        here = sum_up(design, rule, start)
    dropped |= alone | _collinear(design, here)
    design, start, here = _reduced_sums(design, dropped, start, here)
    n_separated = len(alone)
    while True:
        found = _fit_whole(design, rule, start)
        if isinstance(found, _Optimum):
            break
        n_separated += 1
        if found.name is None or n_separated > SEPARATED_AT_MOST + len(alone):
            raise NotIdentifiedError(
                f"{len(design.names):,} factors together explain these {n_pairs:,} pairs without limit (separation): "
                "choose fewer factors, or more data"
            )
        dropped[found.name] = found.why
        design, start, here = _reduced_sums(design, dropped, start, here)
        _require(design, dropped)
    return FactorFit(
        factors=design.names,
        has_position=design.first is not None,
        ties=ties,
        parameters=found.parameters,
        bread=_inverse(found.sums.information),
        log_likelihood=found.sums.value,
        n_iter=found.n_iter,
        n_judgments=design.n_judgments,
        n_pairs=n_pairs,
        n_unknown_order=0 if design.first is None else int(design.count[design.first == 0].sum()),
        vif=_inflation(design, here),
        dropped=dropped,
    )


def _reach(design: Design) -> tuple[Floats, Floats]:
    """As `design_sums.reach`; of many rows a part is asked first, and all of them about what it leaves open."""
    if len(design) <= LARGE:
        return sum_reach(design)
    size, toward = sum_reach(design.thinned(SAMPLE // 10))
    # Where some rows speak for the factor and some against it no further ones make it constant or separated.
    open_ones = [k for k in range(len(size)) if not size[k] > 0 or abs(toward[k]) >= size[k] * (1 - 1e-3)]
    if open_ones:
        names = [design.names[k] for k in range(len(size)) if k not in open_ones]
        size[open_ones], toward[open_ones] = sum_reach(design.without(names))
    return size, toward


# -- what cannot be estimated -------------------------------------------------------------------------------------


def _constant(names: Sequence[str], size: Floats) -> dict[str, str]:
    return {
        name: "the answers that were compared do not differ in it"
        for name, whole in zip(names, size, strict=True)
        if not whole > 0
    }


def _separated_alone(names: Sequence[str], size: Floats, toward: Floats) -> dict[str, str]:
    """Factors that point to the winner wherever they differ, or always to the loser."""
    out = {}
    for name, whole, some in zip(names, size, toward, strict=True):
        if whole > 0 and abs(some) >= whole * (1 - 1e-6):
            side = "preferred" if some > 0 else "rejected"
            out[name] = f"wherever two answers differ in it, the one with more of it is {side} (separation)"
    return out


def _collinear(design: Design, at_zero: Sums) -> dict[str, str]:
    """Factors that those named before them (and the position) determine."""
    low = int(design.first is not None)
    size = low + len(design.names)
    information = at_zero.information[:size, :size]
    root = np.sqrt(np.diag(information))
    gram = information / np.outer(root, root)
    kept = list(range(low))
    out = {}
    for k, name in enumerate(design.names, start=low):
        if kept:
            beside = np.linalg.solve(gram[np.ix_(kept, kept)], gram[kept, k])
            # The differences may be float32, whose products carry 1e-7.
            left = gram[k, k] - gram[k, kept] @ beside
            if left <= (COLLINEAR if design.x.dtype == np.float64 else 1e-6):
                by = [
                    FIRST if at < low else repr(design.names[at - low])
                    for at, share in zip(kept, beside, strict=True)
                    if abs(share) > DEPENDS_ON
                ]
                out[name] = f"{_some(by)} {'fixes' if len(by) == 1 else 'together fix'} it (collinear)"
                continue
        kept.append(k)
    return out


def _some(names: Sequence[str], most: int = 4) -> str:
    if len(names) > most:
        return ", ".join(names[:most]) + f" and {len(names) - most} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _require(design: Design, dropped: Mapping[str, str]) -> None:
    if design.names:
        return
    why = "; ".join(f"{name}: {reason}" for name, reason in list(dropped.items())[:5])
    raise NotIdentifiedError(f"none of the factors can be estimated here. {why}")


def _inside(design: Design) -> slice:
    low = int(design.first is not None)
    return slice(low, low + len(design.names))


def _reduced(design: Design, dropped: Mapping[str, str], start: Floats) -> tuple[Design, Floats]:
    """Design and start without the factors that were dropped."""
    return design.without(list(dropped)), np.delete(start, _gone(design, dropped))


def _reduced_sums(
    design: Design, dropped: Mapping[str, str], start: Floats, here: Sums
) -> tuple[Design, Floats, Sums]:
    """The same with the sums at the start."""
    gone = _gone(design, dropped)
    some = np.delete(np.arange(len(start)), gone)
    sums = Sums(here.value, here.gradient[some], here.information[np.ix_(some, some)])
    return *_reduced(design, dropped, start), sums


def _gone(design: Design, dropped: Mapping[str, str]) -> list[int]:
    low = int(design.first is not None)
    return [low + k for k, name in enumerate(design.names) if name in dropped]


def _inflation(design: Design, at_zero: Sums) -> dict[str, float]:
    """Uncentred variance inflation of each factor beside the other factors: 1 / (1 - R^2) without an intercept.

    at_zero : where all log-odds are 0, so that information is a multiple of the weighted products
    """
    gram = at_zero.information[_inside(design), _inside(design)]
    root = np.sqrt(np.diag(gram))
    inverse = np.linalg.pinv(gram / np.outer(root, root), hermitian=True)
    return dict(zip(design.names, map(float, np.maximum(np.diag(inverse), 1.0)), strict=True))


# -- Newton's method ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Optimum:
    parameters: Floats
    sums: Sums
    n_iter: int


@dataclass(frozen=True)
class _Runaway:
    """name : the factor whose coefficient has no limit; None where it is none alone"""

    name: str | None
    why: str


def _start(design: Design, ties: Ties) -> Floats:
    start = np.zeros(n_parameters(design))
    if design.tied is not None:
        tied, weight = float(design.tied.sum()), float(design.weight.sum())
        if tied <= 1e-12 * weight:
            raise NotIdentifiedError(
                "there is no tie among these judgments that a model of ties could be fitted to"
            )
        if tied >= weight * (1 - 1e-12):
            raise NotIdentifiedError("all judgments are ties, which leave nothing to model. Count each as half a win")
        start[-1] = tie_from_share(rule_of(ties), tied / weight)
    return start


def _fit_whole(design: Design, rule: Rule, start: Floats) -> _Optimum | _Runaway:
    """Newton's method; of many rows from a fit of fewer."""
    if len(design) > LARGE:
        for rows in (SAMPLE // 10, SAMPLE):
            # Nearer than the part's optimum is to that of the whole says nothing.
            some = _newton(design.thinned(rows), rule, start, enough=1.0)
            if isinstance(some, _Optimum):
                start = some.parameters
        if isinstance(some, _Optimum) and rule == "logistic":
            found = _polish(design, some)
            if found is not None:
                return found
    return _newton(design, rule, start)


def _polish(design: Design, sample: _Optimum) -> _Optimum | None:
    """From the optimum of a part to that of the whole with the part's information, which nearly is the whole's.

    A pass over the rows then costs a fifth, and each takes off all but a hundredth of what is left. None where that is
    not so.
    """
    share = float(design.thinned(SAMPLE).weight.sum()) / float(design.weight.sum())
    bread = _inverse(sample.sums.information) * share
    unit = float(design.weight.sum()) / design.n_judgments
    parameters, before = sample.parameters, np.inf
    for n_iter in range(1, MAX_STEPS + 1):
        slope = gradient(design, parameters)
        step = bread @ slope
        decrement = float(slope @ step)
        if not decrement < before:
            return None
        parameters = parameters + step
        # What this step leaves falls as the last one did; the whole's own information takes the rest off at once.
        falls = decrement / before if n_iter > 1 else 1.0
        if decrement * falls <= NEAR * unit:
            sums = sum_up(design, "logistic", parameters)
            step = _inverse(sums.information) @ sums.gradient
            left = float(sums.gradient @ step)
            # The step gains half of what is left.
            at_optimum = Sums(sums.value + left / 2, sums.gradient, sums.information)
            return _Optimum(parameters + step, at_optimum, n_iter) if left <= SAFE * unit else None
        before = decrement
    return None


def _newton(
    design: Design, rule: Rule, start: Floats, ridge: float = 0.0, at_start: Floats | None = None,
    enough: float | None = None,
) -> _Optimum | _Runaway:  # fmt: skip
    """Maximise the log-likelihood minus ridge/2 * ||parameters||^2.

    enough : expected gain, of judgments that weigh 1, at which the last step is taken; None: see DECREMENT
    at_start : (p,) information of each coefficient beside the others that counts as whole; None: that at the start
    """
    parameters, here = start, sum_up(design, rule, start)
    unit = float(design.weight.sum()) / design.n_judgments
    value = _penalised(here, parameters, ridge)
    reach = np.ones(len(start))
    last = np.zeros(len(start))
    for n_iter in range(1, MAX_STEPS + 1):
        gradient = here.gradient - ridge * parameters
        information = here.information + ridge * np.eye(len(parameters))
        root = np.sqrt(np.maximum(np.diag(information), 1e-300))
        scaled = information / np.outer(root, root)
        try:
            inverse = np.linalg.inv(scaled)
        except np.linalg.LinAlgError:
            return _runaway(design, last)
        left = np.diag(information) / np.maximum(np.diag(inverse), 1.0)
        if n_iter == 1:
            reach = root
        if at_start is None:
            at_start = left
        if not ridge and bool(((left <= VANISHED * at_start) | (np.diag(inverse) <= 0)).any()):
            return _runaway(design, last)
        step = (inverse @ (gradient / root)) / root
        decrement = float(gradient @ step)
        share = 1.0
        while True:
            candidate = parameters + share * step
            new = sum_up(design, rule, candidate)
            new_value = _penalised(new, candidate, ridge)
            if decrement < SAFE * unit or new_value >= value - 1e-12 * abs(value):
                break
            share /= 2
            if share < 1e-8:
                raise ConvergenceError(f"the weights did not converge: no step improves the fit after {n_iter} steps")
        parameters, here, value, last = candidate, new, new_value, step * reach
        if share == 1.0 and decrement <= (enough or DECREMENT[str(design.x.dtype)]) * unit:
            return _Optimum(parameters, here, n_iter)
    return _runaway(design, last)


def _left(information: Floats) -> Floats:
    """(p,) information of each coefficient beside the others; 0 where there is none."""
    root = np.sqrt(np.maximum(np.diag(information), 1e-300))
    try:
        inverse = np.diag(np.linalg.inv(information / np.outer(root, root)))
    except np.linalg.LinAlgError:
        return np.full(len(root), np.inf)
    return np.asarray(np.diag(information) / np.maximum(inverse, 1.0))


def _penalised(sums: Sums, parameters: Floats, ridge: float) -> float:
    return sums.value - ridge / 2 * float(parameters @ parameters)


def _runaway(design: Design, last: Floats) -> _Runaway:
    """last : (p,) the last step, in units of what each coefficient's information was at the start"""
    inside = _inside(design)
    at = int(np.argmax(np.abs(last[inside])))
    return _Runaway(
        design.names[at] if np.any(last) else None,
        "with the others it explains verdicts without limit (separation): too few contradict it",
    )


def _inverse(information: Floats) -> Floats:
    root = np.sqrt(np.diag(information))
    inverse = np.linalg.inv(information / np.outer(root, root)) / np.outer(root, root)
    return np.asarray((inverse + inverse.T) / 2)
