"""Shared and own weights: against independent convex solvers and hand-worked cases; held-out predictions."""

import numpy as np
import pytest
from scipy import optimize
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from analysis.design import Design
from analysis.factor_fit import fit_factors
from analysis.held_out import NOTHING
from analysis.hierarchical import Domains, Penalties, domains_of, fit_hierarchical, grid, published
from analysis.hierarchical_held import ONE, OWN, SHARED, hold_out_domains
from analysis.vcov import Clustering
from errors import NotIdentifiedError


def drawn(domains=4, each=60, k=3, seed=0, spread=0.5, prompts=20):
    """A design with soft and hard verdicts, and the scenario of each row."""
    rng = np.random.default_rng(seed)
    n = domains * each
    of = np.repeat(np.arange(domains), each)
    x = rng.standard_normal((n, k))
    weights = np.resize([0.9, 0.0, -0.5, 0.3], k) + spread * rng.standard_normal((domains, k))
    chance = expit((x * weights[of]).sum(axis=1))
    y = np.where(rng.random(n) < 0.2, np.round(chance, 1), rng.random(n) < chance)
    weight = rng.choice([1.0, 2.0], n)
    at = np.arange(n)
    clusters = {"prompt": of * prompts + rng.integers(prompts, size=n), "pair": at}
    names = tuple(f"f{j}" for j in range(k))
    return Design(names, x.T.copy(), at, at, weight, weight * y, np.ones(n, dtype=int), None, None, clusters), of


def by_splitting(data: Domains, p: Penalties, free_b):
    """The optimum by L-BFGS-B over the positive and the negative part of every weight."""
    k, d = data.x.shape[1], data.n_of

    def value(z):
        half = len(z) // 2
        v = z[:half] - z[half:]
        b, s = v[:k], v[k:].reshape(d, k)
        alone = data.x @ b
        both = alone + (data.x * s[data.of]).sum(axis=1)
        loss = np.logaddexp(0, both) - data.y * both + p.alpha * (np.logaddexp(0, alone) - data.y * alone)
        r, r0 = data.weight * (expit(both) - data.y), p.alpha * data.weight * (expit(alone) - data.y)
        g_s = np.stack([r[data.of == j] @ data.x[data.of == j] for j in range(d)])
        gradient = np.concatenate([g_s.sum(axis=0) + r0 @ data.x, g_s.ravel()])
        lam = np.concatenate([np.full(k, p.shared), np.full(d * k, p.own)])
        return float(data.weight @ loss + lam @ (z[:half] + z[half:])), np.concatenate([gradient + lam, lam - gradient])

    size = k * (d + 1)
    bounds = [(0, None) if j >= k or free_b[j] else (0, 0) for j in range(size)] * 2
    found = optimize.minimize(
        value, np.zeros(2 * size), jac=True, bounds=bounds, method="L-BFGS-B",
        options={"maxiter": 20_000, "maxfun": 50_000, "ftol": 1e-16, "gtol": 1e-11},
    )  # fmt: skip
    v = found.x[:size] - found.x[size:]
    return found.fun, v[:k], v[k:].reshape(d, k)


@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("factors", [(1.0, 1.0, 1.0), (0.0, 0.3, 0.1), (1.0, 0.2, 0.02), (2.0, 0.1, 0.5)])
def test_the_optimum_is_that_of_an_independent_solver(factors, balanced):
    data = domains_of(*drawn())
    data = data.balanced() if balanced else data
    base = published(4)
    p = Penalties(base.alpha * factors[0], base.shared * factors[1], base.own * factors[2])
    found = fit_hierarchical(data, p)
    value, b, s = by_splitting(data, p, found.is_shared)
    # An exact optimum is no worse; where the penalties leave a choice (alpha 0) the value decides, not the weights.
    assert found.objective <= value + 1e-9 * abs(value)
    assert found.objective == pytest.approx(value, rel=1e-9)
    assert found.violation <= 1e-8
    if factors[0]:
        # L-BFGS-B stops where the slope is 1e-11, which leaves weights uncertain by its square root's order.
        assert found.shared == pytest.approx(b, abs=2e-5)
        assert found.own == pytest.approx(s, abs=2e-5)


def test_one_scenario_without_own_weights_is_scikit_learns_lasso():
    design, of = drawn(domains=1, each=200, k=4)
    data = domains_of(design, of)
    hard = Domains(data.x, (data.y > 0.5).astype(float), data.weight, data.of, 1)
    found = fit_hierarchical(hard, Penalties(0.0, 3.0, 1e6))
    model = LogisticRegression(C=1 / 3.0, l1_ratio=1.0, solver="saga", fit_intercept=False, tol=1e-10, max_iter=100_000)
    model.fit(hard.x, hard.y, sample_weight=hard.weight)
    assert found.shared == pytest.approx(model.coef_[0], abs=1e-6)
    assert not found.own.any()


def test_worked_by_hand():
    """One factor that always differs by 1: the mean loss has the slope expit(w) - share won.

    Own weights priced out, b alone: (1 + alpha) D (share - expit(b)) = lambda_b.
    """
    y = np.array([1.0, 1.0, 1.0, 0.0] * 2)
    data = Domains(np.ones((8, 1)), y, np.ones(8), np.repeat([0, 1], 4), 2).balanced()
    found = fit_hierarchical(data, Penalties(0.5, 0.3, 10.0))
    assert found.shared[0] == pytest.approx(logit(0.75 - 0.3 / (1.5 * 2)), abs=1e-7)
    assert not found.own.any()
    # No sharing: each scenario by itself, share - expit(s) = lambda_s.
    found = fit_hierarchical(data, Penalties(0.5, 10.0, 0.1))
    assert found.own[:, 0] == pytest.approx([logit(0.65)] * 2, abs=1e-7)
    assert not found.shared.any()
    assert found.importance(found.weights)[0, 0] == pytest.approx(50 * logit(0.65), abs=1e-5)


def test_large_penalties_leave_nothing_and_none_the_plain_weights():
    design, of = drawn()
    data = domains_of(design, of)
    nothing = fit_hierarchical(data, Penalties(1.0, 1e6, 1e6))
    assert not nothing.weights.any()
    free = fit_hierarchical(data, Penalties(0.0, 1e-7, 1e-7))
    for d in range(4):
        plain = fit_factors(design.take(np.flatnonzero(of == d))).weights
        assert free.weights[d] == pytest.approx(plain, abs=1e-5)


def test_a_factor_found_in_fewer_than_half_of_the_scenarios_is_not_shared():
    design, of = drawn()
    design.x[0, of != 1] = 0.0
    design.x[1, of < 2] = 0.0
    found = fit_hierarchical(domains_of(design, of).balanced(), Penalties(0.25, 0.01, 0.01))
    assert found.is_shared.tolist() == [False, True, True]
    assert found.shared[0] == 0
    assert found.own[1, 0] != 0
    assert not found.own[[0, 2, 3], 0].any()


def test_a_scenario_not_seen_is_predicted_by_what_is_shared():
    design, of = drawn()
    data = domains_of(design, of).balanced()
    found = fit_hierarchical(data, published(4))
    assert found.log_odds(data.x[:5], np.full(5, -1)) == pytest.approx(data.x[:5] @ found.shared)
    assert found.log_odds(data.x[:5], np.full(5, 2)) == pytest.approx(data.x[:5] @ found.weights[2])


def test_exchanged_sides_and_the_order_of_rows_change_nothing():
    design, of = drawn()
    data = domains_of(design, of).balanced()
    one = fit_hierarchical(data, published(4))
    other = fit_hierarchical(Domains(-data.x, 1 - data.y, data.weight, data.of, 4), published(4))
    mixed = fit_hierarchical(data.take(np.random.default_rng(3).permutation(len(data.y))), published(4))
    for found in (other, mixed):
        assert found.shared == pytest.approx(one.shared, abs=1e-7)
        assert found.own == pytest.approx(one.own, abs=1e-7)


def test_a_row_of_weight_2_is_two_rows():
    design, of = drawn()
    data = domains_of(design, of)
    twice = np.repeat(np.arange(len(of)), data.weight.astype(int))
    rows = Domains(data.x[twice], data.y[twice], np.ones(len(twice)), data.of[twice], 4)
    p = Penalties(0.25, 5.0, 2.0)
    assert fit_hierarchical(rows, p).own == pytest.approx(fit_hierarchical(data, p).own, abs=1e-7)


def test_extremes_converge():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((400, 5))
    x[:, 3] = x[:, 0]
    x[:, 4] = 0.0
    of = np.repeat(np.arange(8), 50)
    separated = Domains(x, (x[:, 0] > 0).astype(float), np.ones(400), of, 8).balanced()
    assert fit_hierarchical(separated, published(8)).violation <= 1e-8
    heavy = Domains(x, (x[:, 0] > 0).astype(float), np.where(np.arange(400) == 0, 1e8, 1.0), of, 8).balanced()
    assert fit_hierarchical(heavy, published(8)).violation <= 1e-8
    ties = Domains(x, np.full(400, 0.5), np.ones(400), of, 8).balanced()
    assert not fit_hierarchical(ties, published(8)).weights.any()
    single = Domains(x[:1], np.ones(1), np.ones(1), np.zeros(1, dtype=int), 1)
    assert fit_hierarchical(single, Penalties(1.0, 0.1, 0.1)).violation <= 1e-8


def test_the_grid_is_the_papers():
    found = grid(8)
    assert found[0] == Penalties(1 / 8, 1 / 8, 1 / 8)
    assert min(p.own for p in found) == pytest.approx(1 / 128)
    assert all(p.shared >= p.own for p in found)
    assert len(found) == 15
    assert published(8) == Penalties(0.125, 0.125, 0.0625)


# -- held out -----------------------------------------------------------------------------------------------------


def held(design, of, candidates, **more):
    names = [f"s{d}" for d in range(int(of.max()) + 1)]
    return hold_out_domains(design, of, names, candidates, Clustering("prompt"), np.random.default_rng(0), **more)


def test_a_scenario_left_out_is_predicted_from_the_others_alone():
    design, of = drawn(each=100)
    found = held(design, of, [published(4)])
    data = domains_of(design, of)
    right = total = 0.0
    for d in range(4):
        others = data.take(of != d).balanced()
        b = fit_hierarchical(others, published(4)).shared
        eta = data.x[of == d] @ b
        y, w = data.y[of == d], data.weight[of == d]
        right += float((w * np.where(eta > 0, y, np.where(eta < 0, 1 - y, 0.5))).sum())
        total += float(w.sum())
        name, _, outside = found.by_scenario[d]
        assert name == f"s{d}"
        assert outside.n_judgments == 100
        plain = fit_factors(design.take(np.flatnonzero(of != d))).weights
        e = data.x[of == d] @ plain
        loss = float((w * (np.logaddexp(0, e) - y * e)).sum() / w.sum())
        assert outside.log_loss[outside.models.index(ONE)] == pytest.approx(loss, abs=1e-9)
    assert found.outside.models == (SHARED, ONE, NOTHING)
    assert found.outside.accuracy[0] == pytest.approx(right / total)
    assert found.outside.accuracy[2] == 0.5


def test_own_weights_predict_where_scenarios_differ_and_nothing_gains_where_all_is_noise():
    design, of = drawn(each=400, spread=1.2, prompts=100)
    found = held(design, of, [Penalties(0.25, 0.03, 0.01)])
    assert found.inside.models == (OWN, ONE, NOTHING)
    table = found.table().set_index(["where", "model"])
    assert table.loc[("known scenario", ONE), "gain_lower"] > 0
    noise = Design(design.names, design.x, design.at, design.pair, design.weight, design.weight * np.random.default_rng(5).integers(0, 2, len(of)), design.count, None, None, design.clusters)
    table = held(noise, of, [published(4)]).table().set_index(["where", "model"])
    assert table.loc[("known scenario", NOTHING), "gain_lower"] < 0.01


def test_penalties_are_chosen_by_held_out_log_loss():
    design, of = drawn(each=400, spread=1.2, prompts=100)
    candidates = [Penalties(0.25, 5.0, 5.0), Penalties(0.25, 0.02, 0.01)]
    found = held(design, of, candidates)
    assert found.fit.penalties == candidates[1]
    assert found.scores[1][1] < found.scores[0][1] == pytest.approx(np.log(2))
    assert found.chosen_outside == ((candidates[1], 4),)
    # The same predictions as if only that one had been tried.
    alone = held(design, of, candidates[1:])
    assert found.inside.log_loss == pytest.approx(alone.inside.log_loss, abs=1e-6)


def test_one_scenario_is_refused():
    design, of = drawn(domains=1)
    with pytest.raises(NotIdentifiedError, match="question for two or more"):
        held(design, of, [published(1)])
