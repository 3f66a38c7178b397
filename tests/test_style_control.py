"""The published style controls: held against their own objectives, minimised directly on rows of judgments."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from toy import cells_of, random_cells

from analysis.cells import Cells
from analysis.controls import Contrast, control
from analysis.sandwich import strength_covariance
from analysis.strengths import fit_strengths
from analysis.style_control import PENALTIES, Penalty, fit_penalised, reweight, standardise
from analysis.vcov import choose_clustering
from data.imports import ImportOptions, import_path
from data.store import Store
from studies.controls import Controls
from studies.extract import extract

RNG = np.random.default_rng(5)
NO_CLUSTER = choose_clustering("none", 0)
# What BFGS leaves of the gradient (1e-9 a judgment) over the curvature of a judgment (.1 or more) stays below this.
CLOSE = 1e-7


def world(n: int = 900, n_models: int = 5) -> tuple[Cells, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Judgments one a cell, with two factors of both answers: whole numbers, some of them 0."""
    cells = random_cells(np.random.default_rng(3), n_models=n_models, n=n)
    a = {"words": RNG.poisson(120, n).astype(float), "lists": RNG.poisson(0.7, n).astype(float)}
    b = {"words": RNG.poisson(90, n).astype(float), "lists": RNG.poisson(0.4, n).astype(float)}
    return cells, a, b


def contrasts(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> dict[str, Contrast]:
    return {name: Contrast(a[name], b[name], 1.0) for name in a}


def features(a: dict[str, np.ndarray], b: dict[str, np.ndarray], plus: float) -> np.ndarray:
    """(n, k) z-scores as published, from the rows."""
    columns = []
    for name in a:
        total = a[name] + b[name] + plus
        total[total == 0] = 1.0
        ratio = (a[name] - b[name]) / total
        columns.append((ratio - ratio.mean()) / ratio.std())
    return np.column_stack(columns)


def minimised(loss, slope, x: np.ndarray, cells: Cells, alpha: float = 1.0) -> np.ndarray:
    """Parameters at the minimum of loss(eta, params), whose derivatives by both are slope(eta, params)."""
    n = len(cells.models)

    def eta(params: np.ndarray) -> np.ndarray:
        return alpha * (params[:n][cells.i] - params[:n][cells.j]) + x @ params[n:]

    def gradient(params: np.ndarray) -> np.ndarray:
        by_eta, by_params = slope(eta(params), params)
        strengths = alpha * (np.bincount(cells.i, by_eta, n) - np.bincount(cells.j, by_eta, n))
        return np.r_[strengths, x.T @ by_eta] + by_params

    def value(params: np.ndarray) -> float:
        return float(loss(eta(params), params))

    options = {"gtol": 1e-9, "maxiter": 2000}
    start = np.zeros(n + x.shape[1])
    return minimize(value, start, jac=gradient, method="BFGS", options=options).x


def sigmoid(eta: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-eta))


def log_loss(eta: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, eta) - y * eta


def test_fastchat_is_its_published_objective() -> None:
    """Summed log-loss with strengths on the base-10 scale, plus (0.5 / 2) * ||all parameters||^2."""
    cells, a, b = world()
    x = features(a, b, 1.0)
    n = len(cells.models)
    y = cells.score / cells.weight

    direct = minimised(
        lambda eta, params: log_loss(eta, y).sum() + 0.25 * params @ params,
        lambda eta, params: (sigmoid(eta) - y, 0.5 * params),
        x, cells, alpha=np.log(10),
    )  # fmt: skip
    found = control(cells, contrasts(a, b), NO_CLUSTER, normalisation="fastchat")
    np.testing.assert_allclose(found.fit.strength, np.log(10) * direct[:n], atol=CLOSE)
    np.testing.assert_allclose(list(found.fit.coefficients.values()), direct[n:], atol=CLOSE)
    assert abs(direct[:n].sum()) < 1e-6  # the penalty itself centres the strengths


def test_arena_rank_is_its_published_objective() -> None:
    """Mean of weighted log-losses plus (1/2) * ||coefficients||^2; pairs of models above 50 judgments weigh less."""
    cells, a, b = world()
    # One pair of models judged far more often than the rest.
    often = RNG.random(900) < 0.4
    cells = replace(cells, i=np.where(often, 0, cells.i), j=np.where(often, 1, cells.j))
    x = features(a, b, 0.0)
    n = len(cells.models)
    y = cells.score / cells.weight
    pairs = np.sort(np.column_stack([cells.i, cells.j]), axis=1)
    _, row, number = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    weight = 1 / np.maximum(number[row.reshape(-1)], 50)
    weight /= weight.mean()
    assert number.max() > 200
    assert weight.min() < 0.5

    direct = minimised(
        lambda eta, params: (weight * log_loss(eta, y)).mean() + 0.5 * params[n:] @ params[n:],
        lambda eta, params: (weight * (sigmoid(eta) - y) / len(y), np.r_[np.zeros(n), params[n:]]),
        x, cells,
    )  # fmt: skip
    found = control(cells, contrasts(a, b), NO_CLUSTER, normalisation="arena-rank")
    np.testing.assert_allclose(found.fit.strength, direct[:n] - direct[:n].mean(), atol=CLOSE)
    np.testing.assert_allclose(list(found.fit.coefficients.values()), direct[n:], atol=CLOSE)
    free = fit_penalised(replace(cells, covariates={"z": x[:, 0]}), ["z"], Penalty())
    # At most .25 of information a judgment against a penalty of 1.
    assert abs(found.fit.coefficients["words"]) < 0.25 * abs(free.coefficients["z"])


def test_ratios_by_hand() -> None:
    a, b, one = np.array([3.0, 0.0, 0.0]), np.array([1.0, 0.0, 4.0]), np.ones(3)
    found = standardise(a, b, one, "arena-rank")
    assert found.mean == pytest.approx((0.5 + 0 - 1) / 3)
    raw = np.array([0.5, 0.0, -1.0])
    np.testing.assert_allclose(found.values, (raw - raw.mean()) / raw.std())
    assert standardise(a, b, one, "fastchat").mean == pytest.approx((2 / 5 + 0 - 4 / 5) / 3)
    flat = standardise(a, a, one, "fastchat")
    assert (flat.sd, flat.values.tolist()) == (0.0, [0, 0, 0])


def test_weights_stand_for_so_many_judgments() -> None:
    a, b = np.array([3.0, 1.0]), np.array([1.0, 5.0])
    two = standardise(np.repeat(a, [2, 1]), np.repeat(b, [2, 1]), np.ones(3), "fastchat")
    weighted = standardise(a, b, np.array([2.0, 1.0]), "fastchat")
    assert weighted.sd == pytest.approx(two.sd)
    np.testing.assert_allclose(weighted.values, two.values[[0, 2]])


def test_reweighting_by_hand() -> None:
    rows = [("a", "b", 1.0)] * 100 + [("b", "a", 1.0)] * 100 + [("b", "c", 0.5)] * 40
    found = reweight(cells_of(rows))
    # 1/200 and 1/50, mean 1: the sums are 1 and .8 of 1.8 times 240.
    assert found.weight[0] == pytest.approx(240 / 1.8 / 200)
    assert found.weight[-1] == pytest.approx(240 / 1.8 / 50)
    assert found.weight.sum() == pytest.approx(240)
    np.testing.assert_allclose(found.score / found.weight, [row[2] for row in rows])


def test_without_a_penalty_it_is_the_plain_fit() -> None:
    cells, a, _ = world()
    z = {"words": (a["words"] - 100) / 20}
    with_z = replace(cells, covariates=z)
    plain, free = fit_strengths(with_z, covariates=["words"]), fit_penalised(with_z, ["words"], Penalty())
    np.testing.assert_allclose(free.parameters, plain.parameters, atol=1e-9)
    np.testing.assert_allclose(free.bread, plain.bread, atol=1e-9)
    for way in ("prompt", "none"):
        one, two = (strength_covariance([fit], [with_z], choose_clustering(way, 60)).vcov for fit in (plain, free))
        np.testing.assert_allclose(one, two, atol=1e-9)


@pytest.mark.parametrize("method", ["fastchat", "arena-rank"])
def test_bread_inverts_the_penalised_hessian(method: str) -> None:
    """Against numerical second derivatives of the penalised loss, on the space in which strengths sum to 0."""
    cells, a, b = world(n=200, n_models=3)
    z = {name: standardise(a[name], b[name], cells.weight, method).values for name in a}
    cells = replace(cells, covariates=z)
    penalty = PENALTIES[method]
    fit = fit_penalised(cells, tuple(z), penalty)
    x = np.column_stack(list(z.values()))
    y = cells.score

    def loss(p: np.ndarray) -> float:
        eta = p[:3][cells.i] - p[:3][cells.j] + x @ p[3:]
        ridge = penalty.strength * p[:3] @ p[:3] + (penalty.coefficient + penalty.per_weight * 200) * p[3:] @ p[3:]
        return float(log_loss(eta, y).sum() + ridge / 2)

    step = 1e-4
    basis = np.eye(5)
    hessian = np.array(
        [
            [
                (loss(fit.parameters + step * (u + v)) - loss(fit.parameters + step * (u - v))
                 - loss(fit.parameters + step * (v - u)) + loss(fit.parameters - step * (u + v))) / (4 * step**2)
                for v in basis
            ]
            for u in basis
        ]
    )  # fmt: skip
    centre = np.eye(5)
    centre[:3, :3] -= 1 / 3
    np.testing.assert_allclose(fit.bread, np.linalg.pinv(centre @ hessian @ centre), atol=1e-6)


def test_the_sandwich_agrees_with_the_jackknife_on_many_clusters() -> None:
    """CR1 at 60 prompts, deletion by hand at the same: both estimate one variance, so they are near each other."""
    cells, a, b = world(n=3000)
    for method in ("fastchat", "arena-rank"):
        z = {name: standardise(a[name], b[name], cells.weight, method).values for name in a}
        with_z = replace(cells, covariates=z)
        fit = fit_penalised(with_z, tuple(z), PENALTIES[method])
        sandwich = strength_covariance([fit], [with_z], choose_clustering("prompt", 60)).se
        codes = cells.clusters["prompt"]
        away = fit.without_each(fit.used(with_z), codes, np.arange(60)).parameters - fit.parameters
        jackknife = np.sqrt(59 / 60 * (away**2).sum(axis=0))
        np.testing.assert_allclose(sandwich, jackknife, rtol=0.08)


def test_the_scores_of_all_judgments_sum_to_nothing() -> None:
    cells, a, b = world()
    z = {name: standardise(a[name], b[name], cells.weight, "arena-rank").values for name in a}
    cells = replace(cells, covariates=z)
    fit = fit_penalised(cells, tuple(z), PENALTIES["arena-rank"])
    further = fit.scores(fit.used(cells)).further
    assert further is not None
    np.testing.assert_allclose(further.sum(axis=0), 0, atol=1e-6)


# --- real judgments with texts ----------------------------------------------------------------------------------------

FACTORS = ("words", "lists", "bold")


@pytest.fixture(scope="module")
def llmfao(real: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Cells, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """A store with LLMFAO's texts measured; the crowd's judgments row by row, with the factors of both answers."""
    store = Store(tmp_path_factory.mktemp("llmfao") / "s.duckdb")
    import_path(store, real / "llmfao", "d", ImportOptions(format="llmfao"))
    extract(store, "d", workers=1)
    with store.reading("test") as con:
        rows = con.execute(
            """SELECT ma.name, mb.name, j.p_a, ra.text_id, rb.text_id FROM judgment j
            JOIN judge g ON g.judge_id = j.judge_id AND g.name = 'crowd' JOIN pair p ON p.pair_id = j.pair_id
            JOIN model ma ON ma.model_id = j.model_a JOIN model mb ON mb.model_id = j.model_b
            JOIN response ra ON ra.response_id = p.response_a JOIN response rb ON rb.response_id = p.response_b
            WHERE j.outcome > 0"""
        ).fetchall()
        known = con.execute("SELECT name, text_id, value FROM text_value JOIN text_factor USING (text_factor_id)").fetchall()
    value = {(name, text): number for name, text, number in known}
    a, b = ({name: np.array([value[name, row[s]] for row in rows], dtype=float) for name in FACTORS} for s in (3, 4))
    return store, cells_of([row[:3] for row in rows]), a, b


@pytest.mark.real
@pytest.mark.parametrize("method", ["fastchat", "arena-rank"])
def test_published_objectives_on_real_judgments(
    llmfao: tuple[Store, Cells, dict[str, np.ndarray], dict[str, np.ndarray]], method: str
) -> None:
    """The study's figures for the crowd of LLMFAO are the minimum of the published objective over single judgments."""
    store, cells, a, b = llmfao
    x = features(a, b, 1.0 if method == "fastchat" else 0.0)
    n, y = len(cells.models), cells.score
    assert len(y) > 8000
    if method == "fastchat":
        alpha = np.log(10)
        direct = minimised(
            lambda eta, params: (log_loss(eta, y).sum() + 0.25 * params @ params) / len(y),
            lambda eta, params: ((sigmoid(eta) - y) / len(y), 0.5 * params / len(y)),
            x, cells, alpha=alpha,
        )  # fmt: skip
    else:
        alpha = 1.0
        _, row, number = np.unique(np.sort(np.column_stack([cells.i, cells.j]), axis=1), axis=0, return_inverse=True, return_counts=True)
        weight = 1 / np.maximum(number[row.reshape(-1)], 50)
        weight /= weight.mean()
        direct = minimised(
            lambda eta, params: (weight * log_loss(eta, y)).mean() + 0.5 * params[n:] @ params[n:],
            lambda eta, params: (weight * (sigmoid(eta) - y) / len(y), np.r_[np.zeros(n), params[n:]]),
            x, cells,
        )  # fmt: skip
    result = Controls(judge=("crowd",), factor=FACTORS, normalisation=method).run(store)
    models = result.table("models").set_index("model")
    strength = alpha * direct[:n]
    # A mean gradient of 1e-9 over a model's curvature of about .02 a model (1/59 of .25).
    np.testing.assert_allclose(models.loc[list(cells.models), "controlled"].astype(float), strength - strength.mean(), atol=1e-5)
    np.testing.assert_allclose(result.table("coefficients")["weight"].astype(float), direct[n:], atol=1e-6)
