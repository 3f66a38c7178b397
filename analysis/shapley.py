"""What did each factor add to the prediction for one pair, in log-odds and in win points?

In log-odds a linear model says it itself: weight times difference, and the terms add up. In win points they do not,
because the same step counts less where the preference is clear already. The Shapley value shares the difference out:
the mean of what a factor adds over all orders in which the factors could be told, from nothing known (50) to all known
(Shapley 1953; Lundberg and Lee 2017, with an all-zero background). It is worked out exactly, not from 2^n subsets: by
Owen's multilinear extension (1972)

    phi_i = int_0^1 E[f(S + i) - f(S)] dq,   each other factor in S with probability q,

and by the sine transform f(eta) - 1/2 = int_0^inf h(t) sin(eta t) dt of the expected preference, under which the
expectation over S is a product over factors of 1 - q + q e^(i t c_j):

    logistic    h(t) = 1 / sinh(pi t)
    davidson    h(t) = 2 cosh(2 alpha t) / sinh(2 pi t), nu = 2 cos(alpha); cos for cosh where nu > 2
    rao-kupper  h(t) = cos(tau t) / sinh(pi t)

(Gradshteyn and Ryzhik, section 3.98). The product is a polynomial in q, for which Gauss-Legendre is exact; the
integrand is analytic and even in t, for which the midpoint rule converges exponentially.
"""

from __future__ import annotations

import numpy as np

from analysis.cells import Floats
from analysis.likelihood import Rule
from errors import NotIdentifiedError

LARGEST = 20_000.0
"""Sum of absolute log-odds up to which win points are shared out: work grows with it, here to half a second."""

MARGIN = 40.0
"""A step of 2 pi / w in t repeats the transform every w log-odds; e^-40 of it is left so far beyond the largest sum."""

LAST = 12.5
"""Where h(t) is below e^(-12.5 pi) = 1e-17."""

NODES_AT_ONCE = 1 << 18
"""Complex numbers held at a time."""


def win_points(log_odds: Floats, rule: Rule = "logistic", tie: float = 0.0) -> Floats:
    """Exact Shapley values of 100 * expected preference, whose sum is 100 * preference at all log-odds - 50.

    log_odds : (n,) what each factor adds; tie : log nu of Davidson, tau of Rao and Kupper
    Error below 1e-10 points. Raises NotIdentifiedError where the log-odds are beyond all measure.
    """
    c = np.asarray(log_odds, dtype=np.float64)
    if c.ndim != 1 or not np.isfinite(c).all():
        raise ValueError("log-odds must be a row of finite numbers")
    out = np.zeros(len(c))
    # Whoever adds nothing to any sum gets nothing.
    used = np.flatnonzero(c)
    c = c[used]
    if not len(c):
        return out
    reach = float(np.abs(c).sum())
    if reach > LARGEST:
        raise NotIdentifiedError(
            f"factors that add {reach:,.0f} log-odds are beyond what win points can be shared out for "
            f"({LARGEST:,.0f}): a difference is far outside of what was judged"
        )
    t, weight = _nodes(rule, tie, reach)
    q, share = _half_of_gauss(len(c))
    total = np.zeros(len(c))
    size = max(1, NODES_AT_ONCE // (len(c) * len(q)))
    for start in range(0, len(t), size):
        total += _part(c, t[start : start + size], weight[start : start + size], q, share)
    out[used] = 100 * total
    return out


def _part(c: Floats, t: Floats, weight: Floats, q: Floats, share: Floats) -> Floats:
    """(n,) the sum over some nodes of t, and all of q."""
    angle = np.multiply.outer(c, t)
    # e^(i t c) - 1, to full precision where t c is small.
    turn = -2 * np.sin(angle / 2) ** 2 + 1j * np.sin(angle)
    factor = 1 + q[:, None, None] * turn
    # No factor is 0, as q is never 1/2 (see `_half_of_gauss`), and dividing by it takes its rounding off again.
    others = factor.prod(axis=1)[:, None, :] / factor
    step = others * turn
    # What q = 1 - q adds is the mirror image, up to the angle of the sum of all.
    whole = np.exp(1j * (c.sum() * t))
    both = step - whole * step.conj()
    return np.asarray(np.einsum("q,qct,t->c", share, both.imag, weight))


def _half_of_gauss(n: int) -> tuple[Floats, Floats]:
    """Gauss-Legendre nodes on (0, 1/2) and their weights: exact on (0, 1), with their mirror images, for a polynomial
    of degree n - 1 and of even number, so that 1/2 is none of them."""
    m = -(-n // 2)
    m += m % 2
    x, w = np.polynomial.legendre.leggauss(m)
    return np.asarray((1 + x[: m // 2]) / 2, dtype=np.float64), w[: m // 2] / 2


def _nodes(rule: Rule, tie: float, reach: float) -> tuple[Floats, Floats]:
    """Midpoints t, and h(t) times their step."""
    beyond = MARGIN + (tie if rule == "rao-kupper" else 0.0)
    if rule == "davidson":
        # Davidson's preference comes near 0 and 1 half as fast, and the later the more ties there are.
        beyond = 2 * MARGIN + 2 * max(tie, 0.0)
    step = 2 * np.pi / (reach + beyond)
    t: Floats = np.asarray((np.arange(int(np.ceil(LAST / step))) + 0.5) * step, dtype=np.float64)
    return t, step * _transform(rule, tie, t)


def _transform(rule: Rule, tie: float, t: Floats) -> Floats:
    if rule == "davidson":
        half_nu = np.exp(tie) / 2
        if half_nu <= 1:
            alpha = np.arccos(half_nu)
            # 2 cosh(2 alpha t) / sinh(2 pi t) without overflow.
            up = np.exp(-2 * (np.pi - alpha) * t) + np.exp(-2 * (np.pi + alpha) * t)
            return np.asarray(2 * up / -np.expm1(-4 * np.pi * t))
        return np.asarray(2 * np.cos(2 * np.arccosh(half_nu) * t) / np.sinh(2 * np.pi * t))
    bend = np.cos(tie * t) if rule == "rao-kupper" else 1.0
    return np.asarray(bend / np.sinh(np.pi * t))
