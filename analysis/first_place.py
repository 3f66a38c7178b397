"""Does a judge prefer the place shown first, where it saw each pair in one order only?

The position term of Bradley-Terry: P(first wins) = sigmoid(strength of the model shown first, less that of the other,
+ delta). That a good model was often shown first is no bias: the null is what the strengths alone say of these
verdicts, the excess what delta adds to it. Two models that never change places cannot tell delta from strength.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from analysis.audit import Bias, share
from analysis.bradley_terry import fit_bradley_terry
from analysis.cells import Cells, Floats
from analysis.sandwich import cluster_codes, strength_covariance
from analysis.vcov import Clustering


def first_beyond_strengths(cells: Cells, clustering: Clustering, level: float) -> Bias:
    """`first_position`: how often the answer shown first wins, beyond what the strengths of the models explain.

    cells : one judge's, with `first` +1 or -1 in all of them; a tie counts half
    Raises NotIdentifiedError where strengths and position cannot be told apart.
    """
    fit = fit_bradley_terry(cells, position=True)
    used = fit.used(cells)
    assert used.first is not None
    place, k = used.first.astype(np.float64), len(fit.models)
    won = np.where(place > 0, used.score, used.weight - used.score)
    codes = cluster_codes(used, clustering.name) if clustering.name != "none" else np.arange(len(place))
    plain = share("first_position", won, codes, clustering, level, whole=used.weight, chance=0.5)
    shares = used.weight / used.weight.sum()

    def excess(parameters: Floats) -> Floats:
        ahead = place * (parameters[..., used.i] - parameters[..., used.j])
        return np.asarray((expit(ahead + parameters[..., k:]) - expit(ahead)) @ shares)[..., None]

    ahead = place * (fit.strength[used.i] - fit.strength[used.j])
    with_it, without = expit(ahead + fit.parameters[k]), expit(ahead)
    slope = with_it * (1 - with_it)
    apart = shares * place * (slope - without * (1 - without))
    gradient: NDArray[Any] = np.bincount(used.i, apart, k + 1) - np.bincount(used.j, apart, k + 1)
    gradient[k] = shares @ slope
    found = strength_covariance([fit], [cells], clustering).of(excess, gradient[None, :])
    value, [se] = float(found.estimate[0]), found.known_se
    half = found.quantiles.two_sided(level) * float(se)
    return replace(
        plain, n=fit.n_judgments, null=plain.rate - value, excess=value, excess_lower=value - half,
        excess_upper=value + half, p=float(found.quantiles.p_value(np.array([value / se]))[0]),
    )  # fmt: skip
