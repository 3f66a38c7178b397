"""How are the normal sites found that stand for a Laplace prior and for verdicts, in many fits at once?

Parallel expectation propagation: in each round every site is set to what gives the right mean and variance beside all
others, a share of the way (Minka 2001). It has settled where the posterior that all sites make has the mean and the
variance that each exact factor gives beside the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from analysis.cells import Floats
from analysis.posterior_draws import lean
from analysis.propagation_sites import (
    Moments,
    laplace_moments,
    laplace_skewness,
    logistic_moments,
    logistic_skewness,
)
from analysis.summed_rows import Rows

ROUNDS = 200
DAMPING = (1.0, 0.9, 0.5, 0.2)
"""Shares of the way to each new site: where the first does not settle, the next is tried."""

SETTLED = 5e-4
"""Standard deviations that means may still lie beside those of their sites, and share that variances may."""

LEAST = 1e-8
"""Precision that all else says of a weight, as a part of the prior's, below which it is not told apart from none."""

HEAVY = 30.0
"""Weight of a row from which on its site is begun at the peak."""

DIGITS = 1e-11
"""Of what all verdicts say of a weight alone, the part that its prior site has at least."""


@dataclass(frozen=True)
class Settled:
    """What is left after the last round, of F fits of k weights.

    weight : (F, k) moments of each weight with its exact prior beside the sites of all else
    covariance : (F, k, k) of the normal approximation; centre, precision : (F, k) of all else, without the own prior
    lean : (F, k) log-odds by which the other sites' skewness, unseen here, moves its 5 % and 95 % quantiles
    log_evidence, n_iter, converged : (F,)
    """

    weight: Moments
    covariance: Floats
    centre: Floats
    precision: Floats
    lean: Floats
    log_evidence: Floats
    n_iter: NDArray[np.int64]
    converged: NDArray[np.bool_]


def settle(fits: Sequence[Rows], scale: Floats) -> Settled:
    """Rounds until every fit is settled; one that does not settle is tried again with smaller steps.

    fits : at least one, all of the same number of weights; scale : (F,) b of each fit's prior
    """
    # What loses its digits on the way does not settle, which is told.
    with np.errstate(all="ignore"):
        return _settle(fits, scale)


def _settle(fits: Sequence[Rows], scale: Floats) -> Settled:
    batch = _Batch.of(fits, scale)
    n_iter = np.zeros(len(fits), dtype=np.int64)
    sites, last = _rounds(batch, DAMPING[0], n_iter)
    for damping in DAMPING[1:]:
        some = np.flatnonzero(~(last.off <= SETTLED))
        if not len(some):
            break
        part = n_iter[some]
        _replace(sites, some, _rounds(batch.take(some), damping, part)[0])
        n_iter[some] = part
        last = _look(batch, sites, None)
    finite = np.isfinite(last.prior.mean).all(axis=1) & np.isfinite(last.prior.variance).all(axis=1)
    return Settled(
        weight=last.prior, covariance=last.covariance, centre=last.prior_cavity[0], precision=last.prior_cavity[1],
        lean=_lean(batch, last), log_evidence=_log_evidence(last), n_iter=n_iter,
        converged=finite & (last.off <= SETTLED),
    )  # fmt: skip


@dataclass
class _Sites:
    """Normal sites, exp(shift * u - precision * u^2 / 2): of rows (F, n) and of weights (F, k)."""

    row_precision: Floats
    row_shift: Floats
    prior_precision: Floats
    prior_shift: Floats

    def toward(self, other: _Sites, share: Floats) -> _Sites:
        """A share of the way to others, by fit."""
        s = share[:, None]
        return _Sites(*((1 - s) * getattr(self, f) + s * getattr(other, f) for f in self.__dataclass_fields__))


@dataclass(frozen=True)
class _Batch:
    """Fits padded to the same number of rows. x : (F, n, k); weight, score : (F, n); scale : (F, 1)"""

    x: Floats
    weight: Floats
    score: Floats
    scale: Floats

    @classmethod
    def of(cls, fits: Sequence[Rows], scale: Floats) -> _Batch:
        n, k = max(len(rows.x) for rows in fits), fits[0].x.shape[1]
        x, weight, score = np.zeros((len(fits), n, k)), np.zeros((len(fits), n)), np.zeros((len(fits), n))
        for f, rows in enumerate(fits):
            m = len(rows.x)
            x[f, :m], weight[f, :m], score[f, :m] = rows.x, rows.weight, rows.score
        return cls(x, weight, score, scale[:, None])

    def take(self, some: NDArray[np.int64]) -> _Batch:
        return _Batch(self.x[some], self.weight[some], self.score[some], self.scale[some])

    def start(self) -> _Sites:
        """A quadratic of each row where there are no weights (heavy rows: see `_peaked`), and the prior's variance."""
        shape = (len(self.x), self.x.shape[2])
        sites = _Sites(
            self.weight / 4, self.score - self.weight / 2, np.broadcast_to(1 / (2 * self.scale**2), shape).copy(),
            np.zeros(shape),
        )  # fmt: skip
        return self._peaked(sites) if float(self.weight.max(initial=0.0)) > HEAVY else sites

    def _peaked(self, sites: _Sites) -> _Sites:
        """The quadratics where the posterior has its peak under a normal prior: a heavy row says little beyond it."""
        eta = np.zeros(self.weight.shape)
        for _ in range(ROUNDS):
            inverse = _precision(self.x, sites.row_precision, sites.prior_precision)
            shift = np.matmul(self.x.transpose(0, 2, 1), sites.row_shift[:, :, None])
            step = np.matmul(self.x, np.matmul(_inverse(inverse), shift))[:, :, 0] - eta
            # Newton's steps, none so long that it leaves what its quadratic is of.
            eta = eta + np.clip(step, -2.0, 2.0)
            chance = expit(eta)
            curvature = self.weight * chance * (1 - chance)
            sites = replace(
                sites, row_precision=curvature, row_shift=curvature * eta + self.score - self.weight * chance
            )
            if not float(np.abs(step).max()) >= 1e-3:
                break
        return sites


def _precision(x: Floats, rows: Floats, prior: Floats) -> Floats:
    """(F, k, k) of all sites. A prior's site keeps some digits even where verdicts say a hundred million times more."""
    out = np.matmul(x.transpose(0, 2, 1), x * rows[:, :, None])
    k = np.arange(x.shape[2])
    out[:, k, k] += np.maximum(prior, DIGITS * np.diagonal(out, axis1=1, axis2=2))
    return np.asarray(out)


def _inverse(information: Floats) -> Floats:
    """(F, k, k) undefined for those that have none."""
    try:
        return np.asarray(np.linalg.inv(information), dtype=np.float64)
    except np.linalg.LinAlgError:
        out = np.full(information.shape, np.nan)
        for fit, one in enumerate(information):
            with suppress(np.linalg.LinAlgError):
                out[fit] = np.linalg.inv(one)
        return out


@dataclass(frozen=True)
class _Round:
    """One look at all sites: the posterior they make, what each would be beside the others, and how far off it is."""

    information: Floats
    covariance: Floats
    mean: Floats
    row: Moments
    prior: Moments
    row_mean: Floats
    row_variance: Floats
    row_cavity: tuple[Floats, Floats]
    prior_cavity: tuple[Floats, Floats]
    wanted: _Sites
    off: Floats


def _look(batch: _Batch, sites: _Sites, near: tuple[Floats, Floats] | None) -> _Round:
    """near : means and standard deviations of the rows' log-odds when they were last looked at"""
    x = batch.x
    inverse = _precision(x, sites.row_precision, sites.prior_precision)
    covariance = _inverse(inverse)
    shift = np.matmul(x.transpose(0, 2, 1), sites.row_shift[:, :, None])[:, :, 0] + sites.prior_shift
    mean = np.matmul(covariance, shift[:, :, None])[:, :, 0]
    row_mean = np.matmul(x, mean[:, :, None])[:, :, 0]
    row_variance = np.einsum("fnk,fnk->fn", np.matmul(x, covariance), x)
    real = batch.weight > 0
    row_variance = np.where(real, np.maximum(row_variance, 1e-300), 1.0)
    rows = _cavity(row_mean, row_variance, sites.row_precision, sites.row_shift, 1e-12)
    row = _of_rows(batch, real, rows, near)
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    # Nothing but the prior may speak of a weight, which then has no other precision.
    least = LEAST / (2 * batch.scale**2) * variance
    priors = _cavity(mean, variance, sites.prior_precision, sites.prior_shift, least)
    prior = laplace_moments(*priors, np.broadcast_to(batch.scale, mean.shape))
    wanted = _Sites(*_site(row, rows, real), *_site(prior, priors, np.ones(mean.shape, dtype=bool)))
    off = np.maximum(
        _off(prior, mean, variance).max(axis=1),
        np.where(real, _off(row, row_mean, row_variance), 0.0).max(axis=1, initial=0.0),
    )
    return _Round(inverse, covariance, mean, row, prior, row_mean, row_variance, rows, priors, wanted, off)


def _off(exact: Moments, mean: Floats, variance: Floats) -> Floats:
    return np.maximum(np.abs(exact.mean - mean) / np.sqrt(variance), np.abs(exact.variance / variance - 1))


def _cavity(
    mean: Floats, variance: Floats, precision: Floats, shift: Floats, least: float | Floats
) -> tuple[Floats, Floats]:
    """Mean and precision of a marginal without its own site; at least `least` of the marginal's precision is left."""
    left = np.maximum(1 / variance - precision, least / variance)
    return (mean / variance - shift) / left, left


def _of_rows(
    batch: _Batch, real: NDArray[np.bool_], cavity: tuple[Floats, Floats], near: tuple[Floats, Floats] | None
) -> Moments:
    """Moments of the log-odds of each row of verdicts; of padding, those of its cavity."""
    mean, precision = cavity
    at = np.flatnonzero(real)
    hint = None if near is None else (near[0].reshape(-1)[at], near[1].reshape(-1)[at])
    flat = [part.reshape(-1)[at] for part in (mean, precision, batch.weight, batch.score)]
    found = logistic_moments(flat[0], flat[1], flat[2], flat[3], hint)
    out = [np.zeros(mean.size), mean.reshape(-1).copy(), 1 / precision.reshape(-1)]
    for whole, some in zip(out, (found.log_z, found.mean, found.variance), strict=True):
        whole[at] = some
    return Moments(*(whole.reshape(mean.shape) for whole in out))


def _site(exact: Moments, cavity: tuple[Floats, Floats], real: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Precision and shift of the normal site that gives these moments beside the cavity."""
    mean, precision = cavity
    own = np.maximum(1 / exact.variance - precision, 0.0)
    shift = exact.mean * (own + precision) - mean * precision
    return np.where(real, own, 0.0), np.where(real, shift, 0.0)


def _rounds(batch: _Batch, damping: float, n_iter: NDArray[np.int64]) -> tuple[_Sites, _Round]:
    """Rounds from the start; n_iter : (F,) rounds so far, added to. The sites of a settled fit stay."""
    sites = batch.start()
    near = None
    for n in range(ROUNDS):
        found = _look(batch, sites, near)
        near = found.row.mean, np.sqrt(found.row.variance)
        moving = ~(found.off <= SETTLED)
        if not moving.any():
            break
        n_iter += moving
        wanted = found.wanted
        if n == 0:
            # What the verdicts say first, else the prior is fitted to where nothing is.
            wanted = _Sites(wanted.row_precision, wanted.row_shift, sites.prior_precision, sites.prior_shift)
        sites = sites.toward(wanted, np.where(moving, damping, 0.0))
    return sites, found


def _replace(sites: _Sites, some: NDArray[np.int64], others: _Sites) -> None:
    for name in sites.__dataclass_fields__:
        getattr(sites, name)[some] = getattr(others, name)


def _lean(batch: _Batch, last: _Round) -> Floats:
    real = batch.weight > 0
    at = np.flatnonzero(real)
    mean, precision, weight, score, found, spread = (
        part.reshape(-1)[at]
        for part in (*last.row_cavity, batch.weight, batch.score, last.row.mean, np.sqrt(last.row.variance))
    )
    skew = np.zeros(real.size)
    skew[at] = logistic_skewness(mean, precision, weight, score, (found, spread))
    own = laplace_skewness(*last.prior_cavity, np.broadcast_to(batch.scale, last.mean.shape))
    return lean(last.covariance, batch.x, last.row_variance, skew.reshape(real.shape), own)


def _log_evidence(last: _Round) -> Floats:
    """(F,) Minka's approximation: the integral of the product of all sites, each scaled to its own."""
    k = last.mean.shape[1]
    total = k / 2 * np.log(2 * np.pi) + np.linalg.slogdet(last.covariance)[1] / 2
    leaned = np.matmul(last.information, last.mean[:, :, None])[:, :, 0]
    total = total + (last.mean * leaned).sum(axis=1) / 2
    variance = np.diagonal(last.covariance, axis1=1, axis2=2)
    for exact, (centre, precision), mean, spread in (
        (last.row, last.row_cavity, last.row_mean, last.row_variance),
        (last.prior, last.prior_cavity, last.mean, variance),
    ):
        beside = np.log(spread * precision) / 2 + (mean**2 / spread - centre**2 * precision) / 2
        total = total + (exact.log_z - beside).sum(axis=1)
    return np.asarray(total)
