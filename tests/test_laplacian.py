"""Newton's steps for thousands of models are those of the factorisation."""

import numpy as np
import pytest
from toy import random_cells

from analysis import bradley_terry, laplacian, linear, replicates
from analysis.bradley_terry import fit_bradley_terry
from analysis.cells import Cells
from analysis.laplacian import inverse, solve_bordered, solve_laplacian
from analysis.sandwich import strength_covariance
from analysis.strengths import fit_strengths
from analysis.vcov import Clustering
from errors import ConvergenceError, NotIdentifiedError


def graph(seed=0, n=30, rows=200):
    rng = np.random.default_rng(seed)
    a = rng.integers(0, n, rows)
    b = (a + rng.integers(1, n, rows)) % n
    return rng, a, b, rng.uniform(0.1, 3, rows)


def dense(a, b, curvature, n, ridge=0.0):
    out = np.zeros((n, n))
    for i, j, w in zip(a, b, curvature, strict=True):
        d = np.zeros(n)
        d[i], d[j] = 1, -1
        out += w * np.outer(d, d)
    out += ridge * np.eye(n)
    return out + np.diag(out).min() / n


@pytest.mark.parametrize("ridge", [0.0, 0.01])
def test_sweeps_solve_what_a_factorisation_solves(ridge):
    rng, a, b, w = graph()
    right = rng.normal(size=(30, 3))
    expected = np.linalg.solve(dense(a, b, w, 30, ridge), right)
    # Sweeps end at a billionth of the right side.
    assert solve_laplacian(a, b, w, right, ridge) == pytest.approx(expected, abs=1e-7)
    assert solve_laplacian(a, b, w, right[:, 0], ridge) == pytest.approx(expected[:, 0], abs=1e-7)


def test_a_bordered_step_and_its_pivots():
    rng, a, b, w = graph(1)
    z = rng.normal(size=(len(a), 2))
    d = np.zeros((len(a), 30))
    d[np.arange(len(a)), a], d[np.arange(len(a)), b] = 1, -1
    cross, corner = d.T @ (w[:, None] * z), z.T @ (w[:, None] * z)
    whole = np.block([[dense(a, b, w, 30), cross], [cross.T, corner]])
    gradient = rng.normal(size=32)
    found = solve_bordered(a, b, w, gradient, cross, corner)
    assert found.step == pytest.approx(np.linalg.solve(whole, gradient), abs=1e-6)
    assert found.pivots == pytest.approx(np.diag(np.linalg.cholesky(whole))[30:] ** 2, rel=1e-6)


def test_what_cannot_be_solved_is_left_to_the_factorisation():
    _, a, b, w = graph()
    # A model without rows.
    assert solve_laplacian(a, b, w, np.ones(31)) is None
    assert solve_bordered(a, b, w, np.ones(31), np.zeros((30, 1)), np.zeros((1, 1))) is None


def test_the_inverse_reads_the_upper_triangle():
    _, a, b, w = graph()
    matrix = dense(a, b, w, 30)
    assert inverse(np.triu(matrix)) == pytest.approx(np.linalg.inv(matrix), rel=1e-9)
    with pytest.raises(ConvergenceError, match="singular"):
        inverse(np.zeros((2, 2)))


@pytest.mark.parametrize("ties", ["half", "davidson", "rao-kupper"])
@pytest.mark.parametrize("n_prompts", [12, 60])
def test_large_and_small_fits_agree(monkeypatch, ties, n_prompts):
    cells = random_cells(np.random.default_rng(3), n_models=12, n_prompts=n_prompts, first=True)
    tied = (cells.score == 0.5).astype(float)
    z = np.random.default_rng(4).normal(size=len(tied))
    cells = Cells(cells.models, cells.i, cells.j, cells.weight, cells.score, cells.count, cells.first,
                  cells.clusters, tied, {"z": z})  # fmt: skip

    def fits():
        found = [fit_strengths(cells, ties=ties, position=True), fit_strengths(cells, ties=ties, covariates=("z",))]
        return found, [strength_covariance([fit], [cells], Clustering("prompt")).vcov for fit in found]

    small = fits()
    for module in (bradley_terry, linear, replicates):
        monkeypatch.setattr(module, "LARGE", 2)
    large = fits()
    for one, other in zip(small[0], large[0], strict=True):
        assert other.parameters == pytest.approx(one.parameters, abs=1e-8)
    for one, other in zip(small[1], large[1], strict=True):
        # Replicates stop at about 1e-9.
        assert other == pytest.approx(one, rel=1e-5, abs=1e-9)


def test_refusals_stay_the_same(monkeypatch):
    monkeypatch.setattr(linear, "LARGE", 2)
    cells = random_cells(np.random.default_rng(3))
    one = np.random.default_rng(0).normal(size=len(cells.i))
    cells = Cells(cells.models, cells.i, cells.j, cells.weight, cells.score, cells.count,
                  covariates={"one": one, "two": 2 * one, "oracle": np.sign(cells.score - 0.5)})  # fmt: skip
    with pytest.raises(NotIdentifiedError, match=r"'two' .*collinear"):
        fit_strengths(cells, covariates=("one", "two"))
    with pytest.raises(NotIdentifiedError, match="'oracle' cannot be estimated: it can explain"):
        fit_strengths(cells, covariates=("oracle",))


def test_a_chain_of_two_thousand_models_is_solved():
    # The worst graph for sweeps: neighbours only.
    k = np.arange(laplacian.LARGE * 2)
    four = np.full(len(k), 4.0)
    names = tuple(f"m{n:04}" for n in range(len(k) + 1))
    fit = fit_bradley_terry(Cells(names, k, k + 1, four, four * 0.75, four.astype(int)))
    assert -np.diff(fit.strength) == pytest.approx(np.full(len(k), np.log(3)), rel=1e-7)
