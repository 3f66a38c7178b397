"""What are a judge's weights on other parts of the rows: on halves, on all but a fold?

Small data are fitted anew, many parts at once: Newton's method from the weights of the whole, all parts in one matrix
product. Of large data the sums of groups of clusters are had in one pass, and one Newton step with a part's own
information leads from the weights of the whole to those of the part, but for terms of the order of p / n.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from analysis.cells import Floats, Ints
from analysis.design import Design
from analysis.design_sums import Sums, n_parameters, sum_up
from analysis.factor_fit import DECREMENT, VANISHED, FactorFit, fit_factors
from analysis.likelihood import Rule
from errors import ConvergenceError, NotIdentifiedError

EXACT = 400_000
"""Rows times parameters up to which every part is fitted; beyond, one Newton step leads there."""

STEPS = 15
ENTRIES = 2_000_000
"""Parts times rows that are worked on at a time; an array of them has 16 MB."""

ROWS_AT_ONCE = 1_000_000


def is_small(fit: FactorFit, design: Design) -> bool:
    """Whether parts of the design are fitted anew."""
    return len(design) * len(fit.parameters) <= EXACT


def fit_parts(fit: FactorFit, design: Design, parts: NDArray[np.bool_]) -> Floats:
    """(n_parts, p) parameters on some of the rows, NaN for factors that these do not determine (all NaN: nothing told).

    fit : of all rows of the design, whose factors are those of the fit; parts : (n_parts, n_rows) which rows
    """
    if fit.rule != "logistic":
        return np.stack([_named(fit, design.take(np.flatnonzero(part))) for part in parts])
    x = np.asarray(design.x[:, design.at], dtype=np.float64)
    if design.first is not None:
        x = np.vstack([design.first, x])
    at_once = max(1, ENTRIES // max(len(design), 1))
    found = np.vstack(
        [_together(fit, design, x, parts[k : k + at_once]) for k in range(0, len(parts), at_once)]
    )
    # What runs away, or is fixed by others, is named by the fit that looks for it.
    for k in np.flatnonzero(np.isnan(found).all(axis=1)):
        found[k] = _named(fit, design.take(np.flatnonzero(parts[k])))
    return found


def _together(fit: FactorFit, design: Design, x: Floats, parts: NDArray[np.bool_]) -> Floats:
    """Newton's method on all parts; all NaN where it does not settle. x : (p, n_rows)"""
    weight, score = parts * design.weight, parts * design.score
    absent = _undetermined(fit, x, weight, score)
    parameters = np.where(absent, 0.0, fit.parameters)
    out = np.full(parameters.shape, np.nan)
    at = np.flatnonzero(~absent.all(axis=1) & parts.any(axis=1))
    unit = design.weight.sum() / design.n_judgments
    before = np.full(len(parts), np.inf)
    try:
        # What there is to know of a factor where all log-odds are 0: with separation nearly nothing is left of it.
        _, _, at_start = _inverted(x, weight[at] / 4, absent[at])
        for _ in range(STEPS):
            if not len(at):
                break
            chance = expit(parameters[at] @ x)
            slope = np.where(absent[at], 0.0, (score[at] - weight[at] * chance) @ x.T)
            inverse, spread, left = _inverted(x, weight[at] * chance * (1 - chance), absent[at])
            bad = ((left <= VANISHED * at_start) | (spread <= 0)).any(axis=1)
            step = np.einsum("kpq,kq->kp", inverse, slope)
            gain = np.einsum("kp,kp->k", slope, step)
            bad |= ~(gain <= np.maximum(before[at], unit))
            parameters[at] += np.where(bad[:, None], 0.0, step)
            done = ~bad & (gain <= DECREMENT["float64"] * unit)
            out[at[done]] = np.where(absent[at[done]], np.nan, parameters[at[done]])
            before[at] = gain
            going = ~(bad | done)
            at, at_start = at[going], at_start[going]
    except np.linalg.LinAlgError:
        # Somewhere a factor is fixed by others; which part it is, the fit of each finds out.
        pass
    return out


def _inverted(x: Floats, bend: Floats, absent: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
    """Inverse information (n, p, p) of n parts, its scaled diagonal, and the information of each parameter beside the
    others, (n, p); of absent ones the inverse is 0 and the others 1.

    bend : (n, n_rows) curvature. Raises LinAlgError.
    """
    information = np.stack([(x * row) @ x.T for row in bend]) if len(bend) else np.empty((0, len(x), len(x)))
    diagonal = np.einsum("kpp->kp", information)
    root = np.sqrt(np.maximum(diagonal, 1e-300))
    scaled = information / (root[:, :, None] * root[:, None, :])
    gone = absent[:, :, None] | absent[:, None, :]
    scaled[gone] = 0.0
    np.einsum("kpp->kp", scaled)[absent] = 1.0
    inverse = np.linalg.inv(scaled)
    spread = np.einsum("kpp->kp", inverse).copy()
    left = np.where(absent, 1.0, diagonal / np.maximum(spread, 1.0))
    inverse /= root[:, :, None] * root[:, None, :]
    inverse[gone] = 0.0
    return inverse, spread, left


def _undetermined(fit: FactorFit, x: Floats, weight: Floats, score: Floats) -> NDArray[np.bool_]:
    """(n_parts, p) factors that do not differ in a part, or that point to the winner (the loser) wherever they do."""
    size = weight @ np.abs(x).T
    toward = np.abs((2 * score - weight) @ x.T)
    absent = ~(size > 0) | (toward >= size * (1 - 1e-6))
    # The position stays: where it is not determined nothing of the part is.
    absent[:, : int(fit.has_position)] = False
    return absent


def _named(fit: FactorFit, part: Design) -> Floats:
    """(p,) of one part, by the fit that names what it cannot estimate."""
    out = np.full(len(fit.parameters), np.nan)
    try:
        found = fit_factors(part, ties=fit.ties)
    except (NotIdentifiedError, ConvergenceError):
        return out
    at = {name: k for k, name in enumerate(fit.names)}
    out[[at[name] for name in found.names]] = found.parameters
    return out


def newton_step(parameters: Floats, gradient: Floats, information: Floats) -> Floats:
    """(p,) where one step leads; NaN for what the information does not determine."""
    root = np.sqrt(np.maximum(np.diag(information), 0.0))
    there = root > 1e-9 * max(float(root.max()), 1e-300)
    out = np.full(len(parameters), np.nan)
    scaled = information[np.ix_(there, there)] / np.outer(root[there], root[there])
    try:
        step = np.linalg.solve(scaled, gradient[there] / root[there]) / root[there]
    except np.linalg.LinAlgError:
        return out
    out[there] = parameters[there] + step
    return out


def sums_by_group(design: Design, rule: Rule, parameters: Floats, groups: Ints, n_groups: int) -> list[Sums]:
    """Value and derivatives over the rows of each group, in one pass.

    groups : (n_rows,) 0..n_groups-1
    """
    p = n_parameters(design)
    out = [Sums(0.0, np.zeros(p), np.zeros((p, p))) for _ in range(n_groups)]
    for start in range(0, len(design), ROWS_AT_ONCE):
        here = groups[start : start + ROWS_AT_ONCE]
        order = np.argsort(here, kind="stable")
        part = design.take(start + order)
        # Each group's differences side by side: read once, where every group would have to pick its own from all.
        part = replace(part, x=part.x.take(part.at, axis=1), at=np.arange(len(order)), clusters={})
        ends = np.cumsum(np.bincount(here, minlength=n_groups))
        for group, stop in enumerate(ends):
            low = ends[group - 1] if group else 0
            if stop > low:
                out[group] = out[group] + sum_up(part.take(np.arange(low, stop)), rule, parameters)
    return out
