"""What do one scenario's verdicts alone say about each factor, also where they are too few to be fitted by themselves?

As `scenario_evidence` does for models: the scenario is fitted with a weak known prior, N(0, 1) on each weight's
departure from that of all scenarios together, and the part of the prior that speaks about the weight itself is taken
out again, a site of expectation propagation (Minka 2001). The prior on the other weights stays and its share in the
error is counted. With H the information, C = (H + lambda I)^-1, d the penalised departures, a_k = 1/(1 - lambda C_kk):

    y_k = overall_k + a_k d_k
    var(y_k) = a_k^2 { [C J C]_kk + lambda sum_{j != k} C_kj^2 }

J is the covariance of the score, J = H for independent judgments, when var(y_k) = 1/(1/C_kk - lambda). Of two judges
on the same pairs the evidence of a contrast of their weights has what both have in common taken off, cluster by
cluster.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from analysis.cells import Floats, Ints, dense_codes
from analysis.design import Design
from analysis.design_sums import Sums, log_odds, reach, scores_by_cluster, sum_up
from analysis.factor_covariance import FEW_A_PARAMETER
from analysis.refits import sums_by_group
from analysis.scenario_evidence import LAST_STEP, MAX_STEPS, NOTHING_LEARNT, PRIOR_PRECISION, Evidence
from analysis.vcov import FEW_CLUSTERS, Clustering, cluster_mass, find_heavy
from errors import ConvergenceError, OptionError

ENTRIES = 4_000_000
"""Rows times products of parameters up to which the products of all rows are held at once; 32 MB."""


@dataclass(frozen=True)
class _Fitted:
    """One judge's penalised fit: parameters, information H and C, each weight's gain; (p,) or (p, p)."""

    design: Design
    parameters: Floats
    information: Floats
    inverse: Floats
    gain: Floats


def find_weight_evidence(
    designs: Sequence[Design], overall: Sequence[Floats], contrast: Sequence[float], clustering: Clustering
) -> Evidence:
    """One scenario's evidence of sum_j contrast_j * weight_j over judges j.

    designs : of each judge in one scenario, all with the same factors (and a shown order in all or in none)
    overall : (p,) each judge's parameters over all scenarios: position (where fitted), factors
    contrast : (1,) for one judge's weights, (-1, 1) for a gap, (-lambda, 1) for a scaled gap

    Each array of the result is (p,), NaN where nothing is known. Raises ConvergenceError, and OptionError when the
    designs lack the codes of the clusters.
    """
    fitted = [_penalised(design, start) for design, start in zip(designs, overall, strict=True)]
    naive, anchor = np.zeros(len(overall[0])), np.zeros(len(overall[0]))
    value = np.zeros(len(overall[0]))
    for one, start, c in zip(fitted, overall, contrast, strict=True):
        own = np.diag(one.inverse)
        squares = (one.inverse**2).sum(axis=1)
        value += c * (start + one.gain * (one.parameters - start))
        naive += (c * one.gain) ** 2 * np.maximum(own - PRIOR_PRECISION * squares, 0.0)
        anchor += (c * one.gain) ** 2 * PRIOR_PRECISION * np.maximum(squares - own**2, 0.0)
    robust, df = naive, np.full(len(naive), np.inf)
    if clustering.name != "none":
        robust, df = _clustered(fitted, contrast, clustering)
    felt, one_sided = np.zeros(len(naive)), np.zeros(len(naive), dtype=bool)
    for design in designs:
        low = int(design.first is not None)
        size, toward = reach(design)
        one_sided[low:] |= np.abs(toward) >= size * (1 - 1e-6)
        felt += (_differs(design) * design.weight).sum(axis=1)
    known = np.isfinite(value)
    naive, anchor, robust, df = (np.where(known, part, np.nan) for part in (naive, anchor, robust, df))
    return Evidence(
        strength=value, gain=np.where(known, 1.0, np.nan), naive=naive, robust=robust, anchor=anchor, df=df,
        size=felt / (df + 1.0), one_sided=one_sided,
    )  # fmt: skip


def _rows(design: Design) -> Floats:
    """(p, n_rows) what each parameter is multiplied by."""
    x = np.asarray(design.x[:, design.at], dtype=np.float64)
    return x if design.first is None else np.vstack([design.first, x])


def _differs(design: Design) -> Floats:
    return np.asarray(_rows(design) != 0, dtype=np.float64)


def _penalised(design: Design, overall: Floats) -> _Fitted:
    """Maximise the quasi-likelihood minus lambda/2 * ||parameters - overall||^2."""
    parameters = overall
    here = sum_up(design, "logistic", parameters)
    value = _value(here, parameters - overall)
    for _ in range(MAX_STEPS):
        stiff = here.information + PRIOR_PRECISION * np.eye(len(parameters))
        step = np.linalg.solve(stiff, here.gradient - PRIOR_PRECISION * (parameters - overall))
        share = 1.0
        while True:
            new = parameters + share * step
            there = sum_up(design, "logistic", new)
            if _value(there, new - overall) >= value - 1e-12 * abs(value):
                break
            share /= 2
            if share < 1e-10:
                raise ConvergenceError("the weights in one scenario did not converge")
        parameters, here, value = new, there, _value(there, new - overall)
        if share == 1.0 and float(np.abs(step).max(initial=0.0)) <= LAST_STEP:
            inverse = np.linalg.inv(here.information + PRIOR_PRECISION * np.eye(len(parameters)))
            left = 1.0 - PRIOR_PRECISION * np.diag(inverse)
            gain = 1.0 / np.where(left > NOTHING_LEARNT, left, np.nan)
            return _Fitted(design, parameters, here.information, (inverse + inverse.T) / 2, gain)
    raise ConvergenceError(f"the weights in one scenario did not converge in {MAX_STEPS} steps")


def _value(sums: Sums, departure: Floats) -> float:
    return sums.value - PRIOR_PRECISION / 2 * float(departure @ departure)


def _clustered(
    fitted: Sequence[_Fitted], contrast: Sequence[float], clustering: Clustering
) -> tuple[Floats, Floats]:
    """(p,) variance of the contrast, and the effective number of clusters less 1; NaN for one cluster.

    Two ways at once: the largest of the two and of their combination, with the fewer degrees of freedom
    (MacKinnon, Nielsen and Webb 2024).
    """
    ways = clustering.name.split("+")
    for way in ways:
        if any(way not in one.design.clusters for one in fitted):
            raise OptionError(f"intervals clustered by {way} need the {way} of each judgment, which is not there")
    codes = [dense_codes([one.design.clusters[way] for one in fitted]) for way in ways]
    found = [_one_way(fitted, contrast, code.codes, code.n_clusters) for code in codes]
    if len(ways) == 1:
        return found[0]
    both = dense_codes(
        [p * codes[1].n_clusters + q for p, q in zip(codes[0].codes, codes[1].codes, strict=True)]
    )
    crossed, _ = _one_way(fitted, contrast, both.codes, both.n_clusters)
    (first, df_1), (second, df_2) = found
    joint = first + second - crossed
    return np.maximum(np.maximum(first, second), joint), np.minimum(df_1, df_2)


def _one_way(
    fitted: Sequence[_Fitted], contrast: Sequence[float], codes: Sequence[Ints], n: int
) -> tuple[Floats, Floats]:
    """One way of clustering: each cluster deleted in one step where there are few a parameter, and heavy ones; else
    CR1."""
    p = len(fitted[0].parameters)
    mass = np.zeros((p, n))
    for one, code in zip(fitted, codes, strict=True):
        squares = _rows(one.design) ** 2 * one.design.weight
        mass += np.stack([np.bincount(code, row, n) for row in squares])
    with np.errstate(invalid="ignore", divide="ignore"):
        df = mass.sum(axis=1) ** 2 / (mass**2).sum(axis=1) - 1.0
    if n < 2:
        return np.full(p, np.nan), df
    deleted, _ = find_heavy(cluster_mass([one.design for one in fitted], codes, n))
    if n < max(FEW_CLUSTERS, FEW_A_PARAMETER * p):
        deleted = np.arange(n)
    moved, kept = np.zeros((len(deleted), p)), np.zeros((n, p))
    for one, code, c in zip(fitted, codes, contrast, strict=True):
        factor = c * one.gain
        moved += factor * _without_each(one, code, deleted)
        if len(deleted) < n:
            kept += factor * (
                scores_by_cluster(one.design, "logistic", one.parameters, code, n).astype(np.float64) @ one.inverse
            )
    kept[deleted] = 0.0
    shrink = (n - 1) / n
    return (kept**2).sum(axis=0) / shrink + (moved**2).sum(axis=0) * shrink, df


def _without_each(one: _Fitted, codes: Ints, deleted: Ints) -> Floats:
    """(n_deleted, p) how far the penalised weights move without each cluster: one Newton step, exact in H."""
    p = len(one.parameters)
    place = np.full(int(codes.max(initial=0)) + 1, -1, dtype=np.int64)
    met = deleted[deleted < len(place)]
    place[met] = np.flatnonzero(deleted < len(place))
    rows = np.flatnonzero(place[codes] >= 0)
    out = np.zeros((len(deleted), p))
    if not len(rows):
        return out
    stiff = one.information + PRIOR_PRECISION * np.eye(p)
    scores, information = _sums(one.design.take(rows), one.parameters, place[codes[rows]], len(deleted))
    return np.asarray(-np.linalg.solve(stiff - information, scores[:, :, None])[:, :, 0])


def _sums(design: Design, parameters: Floats, groups: Ints, n: int) -> tuple[Floats, Floats]:
    """(n, p) gradients and (n, p, p) information of groups of rows."""
    p = len(parameters)
    if len(design) * p**2 > ENTRIES:
        found = sums_by_group(design, "logistic", parameters, groups, n)
        return np.stack([one.gradient for one in found]), np.stack([one.information for one in found])
    # Few rows: all products at once.
    order = np.argsort(groups, kind="stable")
    x, chance = _rows(design)[:, order].T, expit(log_odds(design, parameters))[order]
    weight = design.weight[order]
    starts = np.flatnonzero(np.append(True, np.diff(groups[order]) > 0))
    met = groups[order][starts]
    scores, information = np.zeros((n, p)), np.zeros((n, p, p))
    scores[met] = np.add.reduceat(x * (design.score[order] - weight * chance)[:, None], starts)
    bent = x * (weight * chance * (1 - chance))[:, None]
    information[met] = np.add.reduceat(bent[:, :, None] * x[:, None, :], starts)
    return scores, information
