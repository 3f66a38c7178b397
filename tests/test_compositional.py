"""The compositional preference model: penalties against scikit-learn, folds by prompt, optimism, sides, scores, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from test_factor_studies import rows, stored, turn

from analysis.compositional import C_GRID, Compositional, _folds, fit_compositional
from analysis.penalised_paths import fit_paths
from analysis.vcov import Clustering
from charts.judge_rows import judge_rows_chart
from charts.methods import CPM
from charts.theme import LIGHT
from errors import NotIdentifiedError, OptionError
from studies.factors_cpm import FactorsCpm
from ui.sections.cpm import finding


def world(n=400, k=4, prompts=50, weight=(1.0, -0.7, 0.0, 0.0), seed=0):
    """Values of both answers, verdicts by the model, prompts."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(3, 2, (k, n)), rng.normal(3, 2, (k, n))
    p = 1 / (1 + np.exp(-np.array([*weight, *[0.0] * (k - len(weight))]) @ (a - b) / 2))
    return a, b, (rng.random(n) < p).astype(float), np.arange(n) % prompts


def fitted(a, b, y, prompt, weight=None, cluster="prompt", seed=0) -> Compositional:
    n = len(y)
    return fit_compositional(
        [f"f{j}" for j in range(len(a))], a, b, np.arange(n), np.asarray(y, dtype=float),
        np.ones(n) if weight is None else np.asarray(weight, dtype=float), prompt,
        {"prompt": prompt, "pair": np.arange(n)}, Clustering(cluster), np.random.default_rng(seed),
    )  # fmt: skip


@pytest.mark.parametrize("penalty", ["L1", "L2"])
def test_every_penalty_of_the_grid_is_scikit_learns(penalty: str) -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(500, 6))
    x[:, 1] = x[:, 0] + 0.2 * x[:, 1]
    y, weight = (rng.random(500) < 0.5 + 0.2 * np.sign(x[:, 0])).astype(float), rng.integers(1, 4, 500).astype(float)
    part = rng.random(500) < 0.7
    found = fit_paths(x, weight, weight * y, np.array([np.ones(500, bool), part]), penalty, C_GRID)
    assert found.settled.all()
    for rows_, got in zip((np.ones(500, bool), part), found.weight, strict=True):
        for c, w in zip(C_GRID, got, strict=True):
            model = LogisticRegression(
                C=c, l1_ratio=float(penalty == "L1"), solver="liblinear" if penalty == "L1" else "lbfgs",
                fit_intercept=False, tol=1e-10, max_iter=20_000,
            ).fit(x[rows_], y[rows_], sample_weight=weight[rows_])  # fmt: skip
            # liblinear stops within 1e-6 of an optimum.
            assert w == pytest.approx(model.coef_[0], abs=1e-5)


@pytest.mark.parametrize("penalty", ["L1", "L2"])
@pytest.mark.parametrize(("n", "k"), [(160, 20), (40, 60)])
def test_every_part_reaches_its_own_optimum(penalty: str, n: int, k: int) -> None:
    """The parts start from all rows with curvatures of these; also with copies, rare flags and more features than rows."""
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, k))
    x[:, 1], x[:, 2:5] = x[:, 0], (rng.random((n, 3)) < 0.1) * 1.0
    weight, y = rng.integers(1, 4, n).astype(float), rng.choice([0, 0.5, 0.7, 1], n)
    parts = np.array([np.arange(n) % 8 != fold for fold in range(8)] + [np.ones(n, bool)])
    found = fit_paths(x, weight, weight * y, parts, penalty, C_GRID)
    assert found.settled.all()
    for part, path in zip(parts, found.weight, strict=True):
        for c, w in zip(C_GRID, path, strict=True):
            slope = c * (part * weight * (1 / (1 + np.exp(-x @ w)) - y)) @ x
            if penalty == "L2":
                off = np.abs(slope + w)
            else:
                off = np.where(w != 0, np.abs(slope + np.sign(w)), np.maximum(np.abs(slope) - 1, 0))
            # Relative to the slope at 0: the last step leaves the square of 1e-4, times curvature.
            assert off.max() < 1e-6 * max(1, c * np.abs((part * weight * (0.5 - y)) @ x).max())


def test_shares_are_rows_of_both_kinds() -> None:
    """A verdict of .7 is a row won by .7 and a row lost by .3."""
    rng = np.random.default_rng(2)
    x, p = rng.normal(size=(80, 3)), rng.choice([0.0, 0.5, 0.7, 1.0], 80)
    found = fit_paths(x, np.ones(80), p, np.ones((1, 80), bool), "L2", [0.5]).weight[0, 0]
    twice = LogisticRegression(C=0.5, fit_intercept=False, tol=1e-10, max_iter=20_000).fit(
        np.vstack([x, x]), np.repeat([1, 0], 80), sample_weight=np.concatenate([p, 1 - p])
    )
    assert found == pytest.approx(twice.coef_[0], abs=1e-6)


def test_two_features_by_hand() -> None:
    """One comparison kind, won three times of four, next to no penalty: the weight is log 3 over the difference."""
    n = 40
    a, b = np.full((1, n), 3.0), np.full((1, n), 1.0)
    found = fitted(a, b, np.tile([1, 1, 1, 0], 10), np.repeat(np.arange(10), 4))
    assert found.mean[0] == 2
    assert found.sd[0] == 1
    # Any penalty predicts three in four, so the strongest is chosen; held out as well.
    assert (found.penalty, found.c) == ("L2", pytest.approx(1e-5))
    assert found.accuracy == found.optimistic == 0.75
    free = fit_paths((a - b).T / found.sd, np.ones(n), np.tile([1.0, 1, 1, 0], 10), np.ones((1, n), bool), "L2", [1e5])
    assert free.weight[0, 0, 0] == pytest.approx(np.log(3) / 2, rel=1e-4)
    # The score is w . z: the difference of two answers' scores is the log-odds.
    assert found.score(np.array([[3.0]]))[0] - found.score(np.array([[1.0]]))[0] == pytest.approx(2 * found.weight[0])


def test_folds_hold_whole_prompts_and_not_more_than_asked() -> None:
    prompt = np.random.default_rng(3).integers(0, 37, 400)
    some, fold, n = _folds(prompt, np.random.default_rng(0))
    assert n == 8
    assert len(some) == 400
    for one in np.unique(prompt):
        assert len(np.unique(fold[prompt[some] == one])) == 1
    few, _, _ = _folds(np.arange(20_000) % 5_000, np.random.default_rng(0))
    assert 2_000 < len(few) <= 3_000


def test_what_decides_is_found_and_held_out_is_honest() -> None:
    a, b, y, prompt = world(n=800)
    found = fitted(a, b, y, prompt)
    assert found.names == ("f0", "f1", "f2", "f3")
    assert found.share[0] > 0.4
    assert found.share[1] < -0.25
    assert np.abs(found.share).sum() == pytest.approx(1)
    assert found.lowest[0] <= found.highest[0]
    best = ((np.array([1.0, -0.7, 0, 0]) @ (a - b) > 0) == (y > 0.5)).mean()
    assert found.accuracy == pytest.approx(best, abs=0.03)
    low, high = found.interval()
    assert low < found.accuracy < high


@pytest.mark.slow
def test_the_chosen_ones_accuracy_is_too_good_and_held_out_is_not() -> None:
    """Verdicts by chance: the best of 24 penalties is above one half, the procedure on new prompts is not."""
    chosen, held = [], []
    for seed in range(8):
        a, b, _, prompt = world(n=160, k=20, weight=(), seed=seed)
        y = np.random.default_rng(1000 + seed).integers(0, 2, 160).astype(float)
        found = fitted(a, b, y, prompt, seed=seed)
        chosen.append(found.optimistic)
        held.append(found.accuracy)
    # 1,280 verdicts by chance: one half within three standard errors.
    assert np.mean(held) < 0.5 + 3 * 0.5 / np.sqrt(1280)
    assert np.mean(chosen) > np.mean(held) + 0.02


def test_sides_and_weights() -> None:
    a, b, y, prompt = world(n=200)
    y[:30] = 0.5
    one, turned = fitted(a, b, y, prompt), fitted(b, a, 1 - y, prompt)
    assert one.weight == pytest.approx(turned.weight, abs=1e-12)
    assert (one.accuracy, one.optimistic, one.c) == (turned.accuracy, turned.optimistic, turned.c)
    times = np.random.default_rng(4).integers(1, 3, 200)
    heavy = fitted(a, b, y, prompt, weight=times)
    index = np.repeat(np.arange(200), times)
    many = fit_compositional(
        list(heavy.names), a, b, index, y[index], np.ones(len(index)), prompt[index], {"prompt": prompt[index]},
        Clustering("prompt"), np.random.default_rng(0),
    )  # fmt: skip
    assert heavy.weight == pytest.approx(many.weight, abs=1e-9)
    assert heavy.accuracy == pytest.approx(many.accuracy)


def test_clusters_say_how_sure_and_change_no_weight() -> None:
    """Pairs judged by several people: mean and deviation are of the answers, not of how often they were judged."""
    a, b, _, _ = world(n=120)
    rng = np.random.default_rng(6)
    at = np.repeat(np.arange(120), rng.integers(1, 6, 120))
    y = (rng.random(len(at)) < 1 / (1 + np.exp(-(a - b)[0, at] / 2))).astype(float)
    prompt, annotator = at // 4, np.arange(len(at)) % 5
    found = [
        fit_compositional(["f0", "f1", "f2", "f3"], a, b, at, y, np.ones(len(at)), prompt, clusters, Clustering(way),
                          np.random.default_rng(0))
        for way, clusters in (("prompt", {"prompt": prompt}), ("annotator", {"prompt": prompt, "annotator": annotator}))
    ]  # fmt: skip
    assert found[0].sd == pytest.approx(found[1].sd)
    assert found[0].sd == pytest.approx(np.concatenate([a, b], axis=1).std(axis=1))
    assert found[0].weight == pytest.approx(found[1].weight, abs=1e-7)
    assert found[0].accuracy == pytest.approx(found[1].accuracy)


def test_more_features_than_pairs_and_verdicts_told_apart() -> None:
    a, b, y, prompt = world(n=40, k=60, prompts=12)
    found = fitted(a, b, y, prompt)
    assert np.isfinite(found.weight).all()
    sure = fitted(a, b, (a[0] > b[0]).astype(float), prompt)
    assert np.isfinite(sure.weight).all()
    always = fitted(np.abs(a[:2]) + 20, b[:2], np.ones(40), prompt)
    assert always.accuracy == 1.0
    assert always.interval() == (None, None)


def test_refusals() -> None:
    a, b, y, _ = world(n=40)
    with pytest.raises(NotIdentifiedError, match="needs at least 4 of them, and there are 3"):
        fitted(a, b, y, np.arange(40) % 3)
    with pytest.raises(NotIdentifiedError, match="all verdicts are ties"):
        fitted(a, b, np.full(40, 0.5), np.arange(40))
    with pytest.raises(NotIdentifiedError, match="do not differ in any of the factors"):
        fitted(a, a, y, np.arange(40))
    with pytest.raises(NotIdentifiedError, match="no judgment has all factors"):
        fitted(a * np.nan, b, y, np.arange(40))
    assert fitted(np.vstack([a, a[:1] * 0 + 1]), np.vstack([b, a[:1] * 0 + 1]), y, np.arange(40)).left_out == {
        "f4": "the compared answers do not differ in it"
    }


# -- the study -----------------------------------------------------------------------------------------------------------


def test_the_study(tmp_path: Path) -> None:
    store = stored(tmp_path / "one", rows(prompts=30, votes=1))
    study = FactorsCpm(factor=("tone", "wit", "calm", "kind=dry", "kind=warm"))
    result = study.run(store)
    table = result.table().set_index(["judge", "factor"])["weight"]
    assert table["people", "tone"] > table["robot", "tone"]
    judges = result.table("judges")
    assert (judges["accuracy"] > 0.5).all()
    assert (judges["folds"] == 8).all()
    json.dumps(result.as_json(), allow_nan=False)
    turned = study.run(stored(tmp_path / "two", [turn(row) for row in rows(prompts=30, votes=1)])).table()
    assert turned["weight"].tolist() == pytest.approx(result.table()["weight"].tolist(), abs=1e-9)
    alone = FactorsCpm(factor=("tone", "wit"), judge=("people",)).run(store)
    assert alone.values["accuracy"]["value"] == alone.table("judges")["accuracy"].iloc[0]
    with pytest.raises(OptionError, match="takes no --coding raw"):
        FactorsCpm(coding="raw").run(store)
    figure = judge_rows_chart(result.table(), ("people", "robot"), LIGHT, CPM, humans=("people",))
    assert "Weights of 5 factors" in figure.layout.meta["alt"]
    said = finding(result.table(), judges, {str(f): str(f) for f in result.table()["factor"]})
    assert "of people's verdicts on prompts held out (most by " in said
