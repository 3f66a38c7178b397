"""How much does each property move a verdict, if before any data it most likely moves none?

The model of Li et al. 2024 (arXiv 2402.11296) and of Sharma et al. 2023 (arXiv 2310.13548): a verdict is for `a` with
probability sigmoid(sum_i w_i x_i), without intercept, and the weights are independent a priori, w_i ~ Laplace(0, b).
Its posterior is approximated by expectation propagation (Minka 2001; Seeger 2008): of the prior of each weight and of
each row of verdicts a normal site is kept that gives the same mean and variance beside all others. It is
deterministic, and many fits are made at once. Means, standard deviations and quantiles of a weight are those of its
exact prior beside the normal sites of everything else, so that they keep the prior's peak at 0 and its long tails.
Where these are not enough (few verdicts under a wide prior, near separation, twins), the posterior is drawn from; see
`analysis.posterior_draws`.

Separation and columns that are alike are no trouble, as the prior is proper: what the verdicts do not tell stays what
the prior says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, ndtri

from analysis.blas import use_one_thread
from analysis.cells import Floats
from analysis.posterior_draws import DRAWS, GRID, LEANS, Drawn, draw_posterior
from analysis.propagation import Settled, settle
from analysis.propagation_sites import laplace_above, laplace_quantiles
from analysis.summed_rows import Rows
from analysis.tables import floats

AT_ONCE = 400_000
"""Entries of x worked on at a time: they stay in the processor's cache."""

DRAWN_TO = 100_000
"""Rows up to which a posterior is drawn from: of more, each says too little to lean."""

ENOUGH = 1_000
"""Effective draws below which what was drawn is rough."""


@dataclass(frozen=True)
class Posteriors:
    """Of many fits at once; F fits of k weights.

    scale : (F,) b of the prior; mean, sd : (F, k) of each weight; covariance : (F, k, k)
    centre, precision : (F, k) of what all verdicts and the other weights say of a weight, without its own prior
    drawn : by fit, what was drawn where normal sites are not enough; its mean, sd and covariance stand above too
    log_evidence : (F,) log of the probability of the verdicts under the prior, by the normal sites
    n_iter : (F,) rounds; settled : (F,) whether the sites did: else all figures of the fit are void
    rough : (F,) too few draws count for the tails to be relied on
    """

    scale: Floats
    mean: Floats
    sd: Floats
    covariance: Floats
    centre: Floats
    precision: Floats
    drawn: Mapping[int, Drawn]
    log_evidence: Floats
    n_iter: NDArray[np.int64]
    settled: NDArray[np.bool_]
    rough: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.scale)

    def take(self, some: Sequence[int]) -> Posteriors:
        """Some of the fits."""
        at = list(some)
        return Posteriors(
            self.scale[at], self.mean[at], self.sd[at], self.covariance[at], self.centre[at], self.precision[at],
            {k: self.drawn[fit] for k, fit in enumerate(at) if fit in self.drawn}, self.log_evidence[at],
            self.n_iter[at], self.settled[at], self.rough[at],
        )  # fmt: skip

    def quantile(self, share: float) -> Floats:
        """(F, k) what each weight lies below with probability `share`."""
        out = laplace_quantiles(self.centre, self.precision, self.scale[:, None], share)
        for fit, one in self.drawn.items():
            place = np.interp(ndtri(share), ndtri(GRID), np.arange(len(GRID)))
            low, part = min(int(place), len(GRID) - 2), place - min(int(place), len(GRID) - 2)
            out[fit] = (1 - part) * one.quantiles[low] + part * one.quantiles[low + 1]
        return out

    def above(self) -> Floats:
        """(F, k) probability that each weight is above 0."""
        out = laplace_above(self.centre, self.precision, self.scale[:, None])
        for fit, one in self.drawn.items():
            out[fit] = one.above
        return out

    def table(self, level: float = 0.95, names: Sequence[str] | None = None) -> pd.DataFrame:
        """One row a fit and weight, central posterior intervals: fit, factor, weight, sd, lower, upper, effect (100
        sigmoid(weight), the mean of no posterior), effect_lower, effect_upper, above_0."""
        k = self.mean.shape[1]
        lower, upper = self.quantile((1 - level) / 2).reshape(-1), self.quantile((1 + level) / 2).reshape(-1)
        weight = self.mean.reshape(-1)
        return pd.DataFrame(
            {
                "fit": np.repeat(np.arange(len(self)), k),
                "factor": list(names if names is not None else map(str, range(k))) * len(self),
                "weight": floats(weight), "sd": floats(self.sd.reshape(-1)), "lower": floats(lower),
                "upper": floats(upper), "effect": floats(100 * expit(weight)),
                "effect_lower": floats(100 * expit(lower)), "effect_upper": floats(100 * expit(upper)),
                "above_0": floats(self.above().reshape(-1)),
            }
        )  # fmt: skip


def fit_posteriors(
    fits: Sequence[Rows], scale: float | Floats, *, draws: int = DRAWS, seed: int = 0,
    report: Callable[[float], None] = lambda share: None,
) -> Posteriors:  # fmt: skip
    """The posterior of each fit; all have the same number of weights. scale : b, or (F,) one a fit

    A fit whose answers never differ in a property keeps its prior of that weight. draws : at most, where normal
    sites are not enough; 0: none are made; seed : of the draws; report : told the share that is done

    Raises ValueError for a scale that is not positive.
    """
    use_one_thread()
    scales = np.broadcast_to(np.asarray(scale, dtype=np.float64), (len(fits),)).copy()
    if not len(fits):
        raise ValueError("there must be at least one fit")
    if not (np.isfinite(scales).all() and bool((scales > 0).all())):
        raise ValueError("the scale of the prior must be > 0")
    k = fits[0].x.shape[1]
    if any(rows.x.shape[1] != k for rows in fits):
        raise ValueError("all fits must have the same number of weights")
    # Fits of about as many rows are padded to the same number and worked on together.
    order = np.argsort([len(rows.x) for rows in fits], kind="stable")
    found: list[tuple[NDArray[np.int64], Settled]] = []
    start = 0
    while start < len(order):
        stop = start + 1
        while stop < len(order) and (stop + 1 - start) * max(len(fits[order[stop]].x), 1) * k <= AT_ONCE:
            stop += 1
        some = np.asarray(order[start:stop], dtype=np.int64)
        found.append((some, settle([fits[at] for at in some], scales[some])))
        start = stop
        report(start / len(order) / 2)
    states = [state for _, state in found]
    back = np.argsort(np.concatenate([some for some, _ in found]), kind="stable")

    def joined(part: Callable[[Settled], NDArray[Any]]) -> NDArray[Any]:
        return np.asarray(np.concatenate([part(state) for state in states])[back])

    mean, sd = joined(lambda s: s.weight.mean), np.sqrt(joined(lambda s: s.weight.variance))
    covariance = joined(lambda s: s.covariance)
    centre, precision = joined(lambda s: s.centre), joined(lambda s: s.precision)
    settled = joined(lambda s: s.converged)
    rough = np.zeros(len(fits), dtype=bool)
    leaning = np.flatnonzero(settled & (joined(lambda s: s.lean).max(axis=1) > LEANS) & (draws > 0))
    drawn = {}
    for nth, fit in enumerate(leaning.tolist()):
        report(0.5 + 0.5 * nth / len(leaning))
        if len(fits[fit].x) > DRAWN_TO:
            rough[fit] = True
            continue
        try:
            one = draw_posterior(
                fits[fit], scales[fit], covariance[fit], centre[fit], precision[fit], draws, seed
            )  # fmt: skip
        except np.linalg.LinAlgError:
            # Weights tied together to the last digit: what was found by normal sites stays.
            rough[fit] = True
            continue
        drawn[fit] = one
        mean[fit], sd[fit], covariance[fit] = one.mean, one.sd, one.covariance
        rough[fit] = one.effective < ENOUGH
    return Posteriors(
        scale=scales, mean=mean, sd=sd, covariance=covariance, centre=centre, precision=precision, drawn=drawn,
        log_evidence=joined(lambda s: s.log_evidence), n_iter=joined(lambda s: s.n_iter), settled=settled,
        rough=rough,
    )  # fmt: skip
