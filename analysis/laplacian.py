"""How are Newton's equations solved for thousands of models, without a table of all pairs of them?

The information of strengths is the Laplacian of a graph with a few edges a model. Conjugate gradients,
preconditioned by the diagonal (Hestenes and Stiefel 1952), take some tens of sweeps over the edges where a
factorisation takes n^3 operations: 5,000 models in milliseconds instead of seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack
from scipy.sparse import csr_array

from analysis.blas import use_one_thread
from analysis.cells import Floats, Ints
from errors import ConvergenceError

LARGE = 1000
"""From so many models on sweeps are faster than a factorisation."""

SWEEPS = 5_000
# Newton's method corrects what one solution leaves, so no more digits are needed.
RESIDUAL = 1e-9


def solve_laplacian(a: Ints, b: Ints, curvature: Floats, right: Floats, ridge: float = 0.0) -> Floats | None:
    """x of (L + ridge * I + c * 11') x = right, where c is the smallest diagonal entry over n.

    a, b, curvature : (n_rows,) the edges of L and their weights; right : (n,) or (n, q)
    Returns None where it does not get there: the graph hangs together by almost nothing.
    """
    n = len(right)
    degree = np.asarray(np.bincount(a, curvature, n) + np.bincount(b, curvature, n) + ridge, dtype=np.float64)
    c = float(degree.min()) / n
    diagonal = degree + c
    if not float(diagonal.min()) > 0:
        return None
    ends = (np.concatenate([a, b]), np.concatenate([b, a]))
    graph = csr_array((np.concatenate([curvature, curvature]), ends), shape=(n, n))
    out = np.empty_like(right)
    for k in range(1 if right.ndim == 1 else right.shape[1]):
        column = right if right.ndim == 1 else right[:, k]
        found = _conjugate_gradients(graph, degree, c, diagonal, column)
        if found is None:
            return None
        if right.ndim == 1:
            return found
        out[:, k] = found
    return out


def _conjugate_gradients(graph: csr_array, degree: Floats, c: float, diagonal: Floats, right: Floats) -> Floats | None:
    x, residual = np.zeros_like(right), right.copy()
    scaled = residual / diagonal
    direction = scaled.copy()
    product = float(residual @ scaled)
    enough = RESIDUAL**2 * product
    for _ in range(SWEEPS):
        if product <= enough:
            return x
        applied = degree * direction - graph @ direction + c * direction.sum()
        bend = float(direction @ applied)
        if not bend > 0:
            return None
        step = product / bend
        x += step * direction
        residual -= step * applied
        scaled = residual / diagonal
        new = float(residual @ scaled)
        direction *= new / product
        direction += scaled
        product = new
    return None


@dataclass(frozen=True)
class Bordered:
    """One step of Newton's method.

    step : (n + q,) for the strengths and what stands behind them
    pivots : (q,) information of each quantity behind the strengths beside all that stands before it
    """

    step: Floats
    pivots: Floats


def solve_bordered(
    a: Ints, b: Ints, curvature: Floats, gradient: Floats, cross: Floats, corner: Floats, ridge: float = 0.0
) -> Bordered | None:
    """Newton's step of n strengths and q further quantities, by elimination of the strengths.

    gradient : (n + q,); cross : (n, q) and corner : (q, q), ridge included, complete the information
    Returns None as `solve_laplacian`, or where the further quantities have no information of their own.
    """
    n, q = cross.shape
    found = solve_laplacian(a, b, curvature, np.column_stack([gradient[:n], cross]), ridge)
    if found is None:
        return None
    step, along = found[:, 0], found[:, 1:]
    if q == 0:
        return Bordered(step, np.empty(0))
    factor, info = lapack.dpotrf(corner - cross.T @ along, lower=1)
    if info:
        return None
    rest, _ = lapack.dpotrs(factor, gradient[n:] - cross.T @ step, lower=1)
    return Bordered(np.concatenate([step - along @ rest, rest]), np.diag(factor) ** 2)


def inverse(matrix: Floats) -> Floats:
    """The inverse of a symmetric positive definite matrix, of which the upper triangle is read.

    Raises ConvergenceError when it is not positive definite.
    """
    use_one_thread()
    # The transpose is the same memory read column by column, which LAPACK takes without a copy.
    factor, info = lapack.dpotrf(matrix.T, lower=1)
    if info == 0:
        factor, info = lapack.dpotri(factor, lower=1, overwrite_c=1)
    if info != 0:
        raise ConvergenceError("the information matrix is singular: some models hang together by almost nothing")
    lower = np.tril(factor, -1)
    lower += lower.T
    np.fill_diagonal(lower, np.diag(factor))
    return np.asarray(lower)
