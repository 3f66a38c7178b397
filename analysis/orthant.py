"""How probable is it that two jointly normal differences have opposite signs? Exactly, by Owen's T function."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, owens_t

from analysis.cells import Floats

MOST = 1 - 1e-12
"""Largest correlation in size that the formula is given; at 1 it divides by 0, and the limit is the value."""


def opposite_signs(mean_x: Floats, mean_y: Floats, var_x: Floats, var_y: Floats, cov: Floats) -> Floats:
    """P(x * y < 0) of bivariate normal x, y; all arguments (k,) and so the result.

    By Owen (1956), "Tables for computing bivariate normal probabilities": for standardised means h, k and correlation r
    P(x > 0, y > 0) = (Phi(h) + Phi(k) - c) / 2 - T(h, (k/h - r) / s) - T(k, (h/k - r) / s), s = sqrt(1 - r^2), with
    c = 1 where h and k have different signs, else 0. A variance of 0 stands for a figure known exactly.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        h = np.where(var_x > 0, mean_x / np.sqrt(var_x), np.inf * np.sign(mean_x))
        k = np.where(var_y > 0, mean_y / np.sqrt(var_y), np.inf * np.sign(mean_y))
        r = np.where((var_x > 0) & (var_y > 0), cov / np.sqrt(var_x * var_y), 0.0)
    h, k = (np.clip(np.nan_to_num(z, nan=0.0, posinf=40.0, neginf=-40.0), -40, 40) for z in (h, k))
    r = np.clip(r, -MOST, MOST)
    # Next to nothing instead of 0, of the other's sign: the formula then needs no cases, and loses nothing.
    tiny = 1e-300
    h = np.where(h == 0, np.where(k < 0, -tiny, tiny), h)
    k = np.where(k == 0, np.where(h < 0, -tiny, tiny), k)
    s = np.sqrt((1 - r) * (1 + r))
    with np.errstate(over="ignore"):
        first, second = owens_t(h, (k / h - r) / s), owens_t(k, (h / k - r) / s)
    differ = (h < 0) != (k < 0)
    both = (ndtr(h) + ndtr(k) - differ) / 2 - first - second
    return np.asarray(np.clip(ndtr(h) + ndtr(k) - 2 * both, 0.0, 1.0))
