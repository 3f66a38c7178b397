"""Effects of levels: by hand, against statsmodels, marginal means, deleting clusters, sides, planted truth, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from test_factor_labels import planted
from test_factor_studies import rows, stored, turn

from analysis.amce import effects_of
from analysis.levels import Levels
from analysis.vcov import Clustering
from charts.judge_rows import judge_rows_chart
from charts.methods import AMCE, MEANS
from charts.theme import DARK, LIGHT
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.factors_amce import NOT_RANDOMISED, FactorsAmce
from ui.sections.amce import finding


def leveled(n: int, sizes: tuple[int, ...] = (3, 2), seed: int = 0) -> list[Levels]:
    rng = np.random.default_rng(seed)
    return [
        Levels(f"f{k}", "words", tuple("xyz"[:size]), rng.integers(0, size, n), rng.integers(0, size, n))
        for k, size in enumerate(sizes)
    ]


def effects(levels, y, cluster="prompt", prompt=None, weight=None):
    n = len(y)
    clusters = {"prompt": np.arange(n) if prompt is None else np.asarray(prompt), "pair": np.arange(n)}
    weights = np.ones(n) if weight is None else np.asarray(weight, dtype=float)
    return effects_of(levels, np.arange(n), np.asarray(y, dtype=float), weights, clusters, Clustering(cluster))


def stacked(levels, y):
    """Both answers of each judgment as rows: intercept and dummies, y, number of the judgment."""
    sides = []
    for side in ("a", "b"):
        columns = [np.ones(len(y))]
        columns += [(getattr(one, side) == k).astype(float) for one in levels for k in range(1, len(one.names))]
        sides.append(np.stack(columns, axis=1))
    return np.vstack(sides), np.concatenate([y, 1 - np.asarray(y)]), np.tile(np.arange(len(y)), 2)


def test_by_hand() -> None:
    """Four judgments of a flag: two between with and without (with wins once), one tie, one among equals."""
    flag = Levels("list", "flag", ("without", "with"), np.array([1, 0, 1, 0]), np.array([0, 1, 0, 0]))
    found = effects([flag], [1.0, 1.0, 0.5, 0.0])
    table = found.table().set_index("level")
    # Answers without: y = 0, 1, .5, 0, 1; with: 1, 0, .5.
    assert table.loc["without", "mean"] == pytest.approx(0.5)
    assert table.loc["with", "mean"] == pytest.approx(0.5)
    assert table.loc["with", "amce"] == pytest.approx(0.0, abs=1e-15)
    assert table["answers"].tolist() == [5, 3]
    once = effects([flag], [1.0, 0.0, 0.5, 0.0]).table().set_index("level")
    assert once.loc["with", "mean"] == pytest.approx((1 + 1 + 0.5) / 3)
    assert once.loc["with", "amce"] == pytest.approx(2.5 / 3 - 1.5 / 5)
    assert once.loc["without", "amce"] == 0
    assert bool(once.loc["without", "reference"])


@pytest.mark.parametrize("n_prompts", [90, 200])
def test_least_squares_with_clustered_errors_is_statsmodels(n_prompts: int) -> None:
    levels, rng = leveled(1200), np.random.default_rng(1)
    y, prompt = rng.choice([0, 0.5, 1, 0.8], 1200), np.arange(1200) % n_prompts
    x, chosen, judgment = stacked(levels, y)
    fit = sm.OLS(chosen, x).fit(cov_type="cluster", cov_kwds={"groups": prompt[judgment], "use_correction": False})
    found = effects(levels, y, prompt=prompt).covariance
    assert found.estimate == pytest.approx(fit.params, rel=1e-10, abs=1e-13)
    if n_prompts >= 25 * len(fit.params):
        assert found.vcov == pytest.approx(fit.cov_params() * n_prompts / (n_prompts - 1), rel=1e-9, abs=1e-15)
    else:
        # Few clusters a level: each is deleted, which for least squares has a closed form.
        again = np.array([sm.OLS(chosen[rest], x[rest]).fit().params for rest in (prompt[judgment] != k for k in range(n_prompts))])
        away = again - fit.params
        assert found.vcov == pytest.approx((n_prompts - 1) / n_prompts * away.T @ away, rel=1e-8, abs=1e-15)
        assert found.quantiles.df == n_prompts - 1
    # Judgments as independent: both rows of one still are one.
    none = effects(levels, y, cluster="none").covariance
    alone = sm.OLS(chosen, x).fit(cov_type="cluster", cov_kwds={"groups": judgment, "use_correction": False})
    assert none.vcov == pytest.approx(alone.cov_params() * 1200 / 1199, rel=1e-9, abs=1e-15)


def test_few_clusters_are_deleted_one_by_one() -> None:
    levels, rng = leveled(300), np.random.default_rng(2)
    y, prompt = rng.choice([0, 1], 300).astype(float), np.arange(300) % 11
    found = effects(levels, y, prompt=prompt)
    x, chosen, judgment = stacked(levels, y)
    again = np.array([sm.OLS(chosen[rest], x[rest]).fit().params for rest in (prompt[judgment] != k for k in range(11))])
    away = again - found.covariance.estimate
    assert found.covariance.vcov == pytest.approx(10 / 11 * away.T @ away, rel=1e-9)
    assert "jackknife, CR3" in found.covariance.method


def test_marginal_means_average_one_half_in_a_forced_choice() -> None:
    levels, rng = leveled(500), np.random.default_rng(3)
    table = effects(levels, rng.choice([0, 1, 0.5], 500)).table()
    for _, mine in table.groupby("factor"):
        assert np.average(mine["mean"].to_numpy(dtype=float), weights=mine["answers"].to_numpy(dtype=float)) == pytest.approx(0.5)
    # The interval of a mean is that of a ratio of sums by prompt.
    row = table.iloc[0]
    assert row["mean_lower"] < row["mean"] < row["mean_upper"]


def test_sides_weights_and_doubling() -> None:
    levels, rng = leveled(80), np.random.default_rng(4)
    y, times, prompt = rng.choice([0, 1, 0.5], 80), rng.integers(1, 4, 80), np.arange(80) % 16
    one = effects(levels, y, prompt=prompt).table()
    turned = effects([Levels(v.factor, v.kind, v.names, v.b, v.a) for v in levels], 1 - y, prompt=prompt).table()
    for name in ("amce", "se", "mean", "mean_lower"):
        assert one[name].to_numpy(dtype=float, na_value=-1) == pytest.approx(turned[name].to_numpy(dtype=float, na_value=-1))
    heavy = effects(levels, y, prompt=prompt, weight=times).table()
    index = np.repeat(np.arange(80), times)
    many = effects([Levels(v.factor, v.kind, v.names, v.a[index], v.b[index]) for v in levels], y[index], prompt=prompt[index]).table()
    for name in ("amce", "se", "mean", "mean_upper"):
        assert heavy[name].to_numpy(dtype=float, na_value=-1) == pytest.approx(many[name].to_numpy(dtype=float, na_value=-1))


def test_what_cannot_be_told_is_named() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.integers(0, 2, 60), rng.integers(0, 2, 60)
    two = Levels("two", "flag", ("without", "with"), a, b)
    twin = Levels("twin", "flag", ("without", "with"), 1 - a, 1 - b)
    constant = Levels("same", "words", ("x", "y"), np.zeros(60, int), np.zeros(60, int))
    found = effects([two, twin, constant], rng.choice([0.0, 1], 60))
    assert found.left_out == {"same": "all answers have the same level", "twin": "other levels fix it (they are collinear)"}
    table = found.table()
    assert set(table["factor"]) == {"two", "twin"}
    assert table[table["label"] == "twin"][["amce", "lower", "q"]].isna().all(axis=None)


def test_refusals() -> None:
    levels = leveled(40)
    with pytest.raises(NotIdentifiedError, match="all verdicts are ties"):
        effects(levels, np.full(40, 0.5))
    with pytest.raises(NotIdentifiedError, match=r"no factor has two levels .*same, all answers have the same level"):
        effects([Levels("same", "words", ("x",), np.zeros(3, int), np.zeros(3, int))], [1, 0, 1])
    with pytest.raises(NotIdentifiedError, match="levels need more judgments than that, and there are 3"):
        effects(leveled(3, (3, 3, 3)), [1, 0, 1])
    with pytest.raises(NotIdentifiedError, match="no judgment has all factors"):
        effects([Levels("f", "words", ("x", "y"), np.full(3, -1), np.zeros(3, int))], [1, 0, 1])
    with pytest.raises(NotIdentifiedError, match="at least 2 prompts"):
        effects(levels, np.random.default_rng(0).choice([0.0, 1], 40), prompt=np.zeros(40, int))


@pytest.mark.slow
def test_planted_effects_are_covered() -> None:
    """Levels at random, preference linear in them: intervals by prompt hold the planted effects."""
    effect, runs, hits = np.array([0.0, 0.1, -0.15]), 100, np.zeros(3)
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        a, b = rng.integers(0, 3, 800), rng.integers(0, 3, 800)
        prompt = np.arange(800) % 80
        # What all verdicts of a prompt share acts by side, and so on no level.
        p = 0.5 + (effect[a] - effect[b]) + rng.normal(0, 0.08, 80)[prompt]
        one = Levels("f", "words", ("x", "y", "z"), a, b)
        table = effects([one], (rng.random(800) < np.clip(p, 0, 1)).astype(float), prompt=prompt).table()
        # Both answers are drawn apart, so the other one's level averages out of each one's.
        truth = np.array([0.0, effect[1], effect[2]])
        hits += ((table["lower"] <= truth) & (truth <= table["upper"])).fillna(True).to_numpy(dtype=bool)
    # Binomial: 95 % of 100 within three standard deviations.
    assert (hits[1:] > 88).all()


# -- the study -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("amce"), planted(rows(prompts=60)))


def test_the_study_against_statsmodels_on_words_flags_and_thirds(store: Store, tmp_path: Path) -> None:
    result = FactorsAmce(judge=("people",)).run(store)
    table = result.table()
    assert NOT_RANDOMISED in result.warnings
    references = table[table["reference"].astype(bool)].set_index("factor")["level"]
    assert references["tone"] == "low"
    assert references["error"] == "without"
    assert set(table["factor"]) == {"kind", "error", "tone", "topics=art", "topics=law", "topics=sea"}
    errors = table[table["label"] == "error"].iloc[0]
    assert errors["upper"] < 0
    assert errors["mean"] < 0.5
    json.dumps(result.as_json(), allow_nan=False)
    turned = FactorsAmce(judge=("people",)).run(stored(tmp_path, [turn(row) for row in planted(rows(prompts=60))])).table()
    assert turned["amce"].to_numpy(dtype=float, na_value=9) == pytest.approx(table["amce"].to_numpy(dtype=float, na_value=9))


def test_what_the_study_refuses(store: Store) -> None:
    with pytest.raises(OptionError, match="takes no --position with"):
        FactorsAmce(position="with").run(store)
    with pytest.raises(OptionError, match="ties count as half a win or are left out"):
        FactorsAmce(ties="davidson").run(store)


def test_the_figures_and_the_sentence(store: Store) -> None:
    result = FactorsAmce().run(store)
    table = result.table()
    for look, drawn in ((AMCE, table[~table["reference"].astype(bool)]), (MEANS, table.assign(q=table["mean_q"]))):
        for theme in (LIGHT, DARK):
            figure = judge_rows_chart(drawn, ("people", "robot"), theme, look, humans=("people",), narrow=True)
            assert len(figure.data) > 1
    said = finding(table, ("people", "robot"), {label: label for label in table["label"]})
    assert "people prefer an answer with “" in said
    assert " points " in said
    nothing = finding(table.assign(q=0.9), ("robot",), {})
    assert nothing == "**No level changes beyond noise how often robot prefers an answer.**"
