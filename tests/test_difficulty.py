"""How difficult each prompt is: against a likelihood integrated directly, recovery, and what the second stage is told."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.sparse import csr_array

from analysis.difficulty import PRIOR_SD, Rows, fit_difficulty


def rows(n_prompts: int = 12, n_models: int = 3, seed: int = 0, repeats: int = 1, soft: bool = False) -> Rows:
    rng = np.random.default_rng(seed)
    prompt, model = (np.repeat(part.reshape(-1), repeats) for part in np.indices((n_prompts, n_models)))
    n = len(prompt)
    gamma = rng.standard_normal(n_prompts)[prompt]
    t = np.tanh(rng.standard_normal(n))
    p = 1 / (1 + np.exp(-(-0.3 + 0.4 * model + 0.8 * t + 1.3 * gamma)))
    y = p if soft else (rng.random(n) < p).astype(float)
    weight = rng.choice([0.5, 1.0, 2.0], n)
    return Rows(prompt, model, np.column_stack([np.ones(n), t]), weight, weight * y, n_prompts, n_models)


def log_likelihood(given: Rows, x: int, parameters: np.ndarray, gamma: np.ndarray, but: int | None = None) -> np.ndarray:
    """Of one prompt's verdicts at each gamma; but : a model that is left out."""
    mine = (given.prompt == x) & (given.model != (-1 if but is None else but))
    p = parameters[given.model[mine]]
    eta = (given.design[mine] * p[:, :-1]).sum(1)[:, None] + p[:, -1:] * gamma
    return (given.score[mine, None] * eta - given.weight[mine, None] * np.logaddexp(0, eta)).sum(0)


def marginal(given: Rows, parameters: np.ndarray) -> float:
    """The penalised marginal log-likelihood, integrated on a grid so fine that it is exact (1e-10)."""
    gamma = np.linspace(-12, 12, 4001)
    log_prior = -(gamma**2) / 2 - np.log(2 * np.pi) / 2 + np.log(gamma[1] - gamma[0])
    total = 0.0
    for x in range(given.n_prompts):
        log = log_likelihood(given, x, parameters, gamma) + log_prior
        total += log.max() + np.log(np.exp(log - log.max()).sum())
    return float(total - (parameters[:, 1:] ** 2).sum() / (2 * PRIOR_SD**2))


@pytest.mark.parametrize("soft", [False, True])
def test_the_fit_maximises_the_marginal_likelihood(soft: bool) -> None:
    given = rows(n_prompts=40, soft=soft)
    found = fit_difficulty(given)
    assert found.log_likelihood == pytest.approx(marginal(given, found.parameters), abs=1e-6)
    shape = found.parameters.shape
    direct = minimize(lambda b: -marginal(given, b.reshape(shape)), found.parameters.reshape(-1) + 0.05, method="BFGS", options={"gtol": 1e-4})
    assert -direct.fun <= found.log_likelihood + 1e-6
    # A numerical gradient of 1e-4 over curvatures of 1 and more.
    np.testing.assert_allclose(found.parameters.reshape(-1), direct.x, atol=1e-3)


def test_bread_inverts_the_curvature() -> None:
    given = rows(n_prompts=40)
    found = fit_difficulty(given)
    at, k, step = found.parameters.reshape(-1), found.parameters.size, 1e-3

    def value(b: np.ndarray) -> float:
        return marginal(given, b.reshape(found.parameters.shape))

    unit = step * np.eye(k)
    hessian = np.array([[(value(at + u + v) - value(at + u - v) - value(at - u + v) + value(at - u - v)) / (4 * step**2) for v in unit] for u in unit])
    np.testing.assert_allclose(found.bread @ -hessian, np.eye(k), atol=1e-3)


def test_difficulty_is_told_by_the_others_alone() -> None:
    given = rows(repeats=2)
    found = fit_difficulty(given)
    for row in (0, 5, 17):
        x, m = given.prompt[row], given.model[row]

        def density(g: float, power: int, x: int = x, m: int = m) -> float:
            return g**power * float(np.exp(log_likelihood(given, x, found.parameters, np.array([g]), but=m)[0] - g**2 / 2))

        expected = quad(density, -10, 10, args=(1,))[0] / quad(density, -10, 10, args=(0,))[0]
        assert found.without_own[row] == pytest.approx(expected, abs=1e-5)


def test_its_derivative_is_the_numerical_one() -> None:
    """`pull`, by moving the parameters and asking for the posterior means anew."""
    given = rows(repeats=2)
    found = fit_difficulty(given)
    rng = np.random.default_rng(1)
    along = rng.standard_normal((2, len(given.model)))

    def means(parameters: np.ndarray) -> np.ndarray:
        gamma = np.linspace(-10, 10, 2001)
        out = np.empty(len(given.model))
        for row, (x, m) in enumerate(zip(given.prompt, given.model, strict=True)):
            log = log_likelihood(given, x, parameters, gamma, but=m) - gamma**2 / 2
            density = np.exp(log - log.max())
            out[row] = density @ gamma / density.sum()
        return out

    pulled = found.pull(csr_array(along))
    for k in range(found.parameters.size):
        move = np.zeros(found.parameters.size)
        move[k] = 1e-5
        move = move.reshape(found.parameters.shape)
        slope = (along @ means(found.parameters + move) - along @ means(found.parameters - move)) / 2e-5
        np.testing.assert_allclose(pulled[:, k], slope, atol=1e-4)


def test_scores_sum_to_the_prior_pull() -> None:
    found = fit_difficulty(rows(n_prompts=60))
    pull = found.parameters / PRIOR_SD**2
    pull[:, 0] = 0
    np.testing.assert_allclose(np.asarray(found.scores().sum(axis=0)).ravel(), pull.ravel(), atol=1e-5)


def test_a_planted_difficulty_is_found() -> None:
    rng = np.random.default_rng(2)
    n_prompts, n_models = 600, 12
    prompt, model = (part.reshape(-1) for part in np.indices((n_prompts, n_models)))
    gamma = rng.standard_normal(n_prompts)
    y = (rng.random(len(prompt)) < 1 / (1 + np.exp(-(-0.5 + 1.5 * gamma[prompt])))).astype(float)
    ones = np.ones(len(prompt))
    found = fit_difficulty(Rows(prompt, model, np.column_stack([ones, np.zeros_like(ones)]), ones, y, n_prompts, n_models))
    assert np.corrcoef(found.mean, gamma)[0, 1] > 0.85
    assert found.parameters[:, -1].mean() == pytest.approx(1.5, abs=0.15)  # four standard errors of the mean
    assert found.parameters[:, 0].mean() == pytest.approx(-0.5, abs=0.25)


def test_models_that_are_only_told_change_nothing_of_the_others() -> None:
    given = rows(n_prompts=40)
    idle = np.tile([False, False, True], 40)
    told = Rows(given.prompt, given.model, given.design, np.where(idle, 0, given.weight), np.where(idle, 0, given.score), 40, 3)
    two = Rows(given.prompt[~idle], given.model[~idle], given.design[~idle], given.weight[~idle], given.score[~idle], 40, 2)
    one, other = fit_difficulty(told), fit_difficulty(two)
    np.testing.assert_allclose(one.parameters[:2], other.parameters, atol=1e-6)
    np.testing.assert_allclose(one.without_own[idle], other.mean, atol=1e-6)


def test_three_models_suffice_however_strong_the_loadings() -> None:
    """With three models and a steep loading gamma's density is half a bell; coarse sums over it stop Newton's method."""
    for seed in range(25):
        given = rows(n_prompts=40, seed=seed)
        found = fit_difficulty(given)
        assert found.log_likelihood == pytest.approx(marginal(given, found.parameters), abs=1e-4)
        assert found.n_iter < 40
