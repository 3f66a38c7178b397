"""The published Bayesian weights of a dataset: by the command line, by scenario, refits, the scale, refusals, the chart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_factor_studies import command, rows, stored, turn

from analysis.laplace_posterior import fit_posteriors
from analysis.laplace_scale import Verdicts, average_folds, choose_scale, make_folds
from analysis.summed_rows import sum_rows
from charts.posteriors import leaves_out, posterior_chart, posterior_scenario_chart
from charts.theme import DARK, LIGHT
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError
from studies.factors_bayes import FactorsBayes
from studies.factors_fit import FactorsFit
from ui.sections.bayes import finding, trust

FACTORS = ("tone", "wit", "calm")


def given(prompts: int = 30, **more):
    """Those rows, in three scenarios."""
    made = rows(prompts=prompts, **more)
    number = {prompt: k for k, prompt in enumerate(dict.fromkeys(row["prompt"] for row in made))}
    return [row | {"scenario": f"kind {number[row['prompt']] % 3}"} for row in made]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("bayes"), given(prompts=150))


def verdicts(store: Store, judge: str, scenario: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Signs and outcomes from the rows that `factors table` gives, without ties."""
    words = ["--scenario", scenario] if scenario else []
    table = pd.DataFrame(command(store, "factors", "table", "--coding", "sign", "--judge", judge, *words,
                                 *(w for f in FACTORS for w in ("--factor", f))))  # fmt: skip
    table = table[table["y"].astype(float) != 0.5]
    return table[list(FACTORS)].to_numpy(dtype=float), table["y"].to_numpy(dtype=float)


# -- the study --------------------------------------------------------------------------------------------------------


def test_the_command_gives_the_posterior_of_the_rows(store: Store):
    words = [w for f in FACTORS for w in ("--factor", f)]
    found = command(store, "factors", "fit", "--estimator", "laplace", *words, "-o", "json")
    for judge in ("people", "robot"):
        x, y = verdicts(store, judge)
        own = fit_posteriors([sum_rows(x, np.ones(len(x)), y)], 0.1)
        mine = {row["factor"]: row for row in found["factors"] if row["judge"] == judge}
        for k, name in enumerate(FACTORS):
            row = mine[name]
            assert row["weight"] == pytest.approx(own.mean[0, k], abs=1e-6)
            assert row["lower"] == pytest.approx(own.quantile(0.025)[0, k], abs=1e-6)
            assert row["upper"] == pytest.approx(own.quantile(0.975)[0, k], abs=1e-6)
            assert row["effect"] == pytest.approx(100 / (1 + np.exp(-row["weight"])))
            assert row["differs"] == int((x[:, k] != 0).sum())
            assert row["judgments"] == len(x)
            assert not {"p", "q", "se"} & set(row)
    assert {row["factor"] for row in found["factors"]} == set(FACTORS)
    assert found["settings"]["coding"] == "sign"
    assert found["settings"]["ties"] == "drop"
    assert "posterior" in found["caption"]
    assert "confidence" not in found["caption"]


def test_each_scenario_alone_is_the_same_by_either_command(store: Store):
    one = command(store, "factors", "fit", "--estimator", "laplace", "--by", "scenario", "--judge", "people", "-o", "json")
    two = command(store, "factors", "bayes", "--judge", "people", "-o", "json")
    assert {row["scenario"] for row in one["factors"]} == {"kind 0", "kind 1", "kind 2"}
    key = lambda row: (row["scenario"], row["factor"])  # noqa: E731
    for a, b in zip(sorted(one["factors"], key=key), sorted(two["scenarios"], key=key), strict=True):
        assert key(a) == key(b)
        for name in ("weight", "lower", "upper", "effect", "above_0"):
            # Batches of other fits differ in the last digits.
            assert a[name] == pytest.approx(b[name], abs=1e-6)
    assert "scenario" not in two["factors"][0]


def test_swapping_the_answers_changes_nothing(store: Store, tmp_path: Path):
    other = FactorsBayes(factor=FACTORS).run(stored(tmp_path, [turn(row) for row in given(prompts=150)]))
    one = FactorsBayes(factor=FACTORS).run(store)
    for name in ("factors", "scenarios"):
        for column in ("weight", "lower", "upper"):
            assert one.table(name)[column].to_numpy(dtype=float) == pytest.approx(
                other.table(name)[column].to_numpy(dtype=float), abs=1e-9
            )


def test_planted_tastes_are_found(store: Store):
    table = FactorsBayes().run(store).table().set_index(["judge", "factor"])
    assert table.loc[("people", "wit"), "lower"] > 0
    assert table.loc[("people", "tone"), "lower"] > 0
    # The robot does not see tone.
    assert table.loc[("robot", "tone"), "lower"] < 0 < table.loc[("robot", "tone"), "upper"]


def test_a_narrow_prior_leaves_nothing(store: Store):
    wide, narrow = (FactorsBayes(factor=FACTORS, prior_scale=s).run(store).table() for s in ("1", "0.001"))
    assert (narrow["weight"].abs() < 0.01).all()
    assert (wide["weight"].abs() > narrow["weight"].abs()).all()


def test_refits_are_averaged_and_the_interval_is_of_all(store: Store):
    plain = FactorsBayes(factor=FACTORS, judge=("people",)).run(store)
    found = FactorsBayes(factor=FACTORS, judge=("people",), folds=10).run(store)
    assert found.table()["lower"].to_list() == pytest.approx(plain.table()["lower"].to_list())
    away = (found.table()["weight"] - plain.table()["weight"]).abs()
    assert (away > 0).all()
    # A tenth of the verdicts less pulls a little more towards 0.
    assert (found.table()["weight"].abs() < plain.table()["weight"].abs()).all()
    assert (away < 0.05).all()
    assert found.table("judges")["folds"].tolist() == [10]
    assert "10 refits" in found.caption


def test_the_caption_counts_factors_that_are_weighed(tmp_path: Path):
    level = stored(tmp_path, [row | {"same_a": 2, "same_b": 2} for row in given(prompts=20)])
    found = FactorsBayes(factor=("tone", "same"), judge=("people",)).run(level)
    assert "on 1 factor (" in found.caption
    assert set(found.table("left_out")["factor"]) == {"same"}


def test_the_scale_is_chosen_judge_by_judge(store: Store):
    found = FactorsBayes(factor=FACTORS, prior_scale="cv", judge=("people",)).run(store)
    scales = found.table("scales")
    whole = scales[scales["scenario"].isna()]
    best = whole.loc[whole["log_loss"].idxmin(), "prior_scale"]
    assert whole.loc[whole["chosen"], "prior_scale"].tolist() == [best]
    assert found.table("judges")["prior_scale"].tolist() == [best]
    assert best >= 0.1


def test_what_must_be_known_is_said_once(store: Store):
    said = FactorsBayes(factor=FACTORS).run(store).warnings
    assert [w for w in said if "independent" in w] == [w for w in said if w.startswith("people and robot: the model takes")]
    assert not any("position" in w for w in said)


def test_weights_that_stand_in_for_one_another_are_named(tmp_path: Path):
    more = [row | {"wit2_a": row["wit_a"], "wit2_b": row["wit_b"]} for row in given()]
    found = FactorsBayes(factor=("wit", "wit2", "tone"), judge=("people",)).run(stored(tmp_path, more))
    assert any("'wit' and 'wit2' (−." in w and "read them together" in w for w in found.warnings)
    table = found.table().set_index("factor")
    assert table.loc["wit", "weight"] == pytest.approx(table.loc["wit2", "weight"], abs=0.03)


def test_a_factor_that_never_differs_is_left_out_and_named(tmp_path: Path):
    more = [row | {"flat_a": 1, "flat_b": 1} for row in given(prompts=12)]
    found = FactorsBayes(factor=("wit", "flat")).run(stored(tmp_path, more))
    assert set(found.table()["factor"]) == {"wit"}
    assert set(found.table("left_out")["factor"]) == {"flat"}
    assert any("'flat' is left out" in w for w in found.warnings)


# -- folds ------------------------------------------------------------------------------------------------------------


def some(n: int = 200, k: int = 4, scale: float = 0.5, seed: int = 0) -> Verdicts:
    rng = np.random.default_rng(seed)
    x = rng.integers(-1, 2, (n, k)).astype(float)
    y = (rng.random(n) < 1 / (1 + np.exp(-x @ (scale * rng.standard_normal(k))))).astype(float)
    return Verdicts(x, np.ones(n), y, np.arange(n) // 4)


def test_folds_hold_whole_prompts():
    prompt = np.arange(103) // 4
    folds = make_folds(prompt, 10, np.random.default_rng(0))
    assert all(len(set(folds[prompt == p])) == 1 for p in np.unique(prompt))
    sizes = np.bincount([folds[prompt == p][0] for p in np.unique(prompt)])
    assert (sizes.min(), sizes.max(), len(sizes)) == (2, 3, 10)
    assert set(make_folds(np.array([4, 9, 9]), 10, np.random.default_rng(0))) == {0, 1}
    with pytest.raises(NotIdentifiedError, match="single prompt"):
        make_folds(np.zeros(5), 10, np.random.default_rng(0))


def test_the_average_is_that_of_the_refits():
    one = some()
    folds = make_folds(one.prompt, 5, np.random.default_rng(3))
    each = [fit_posteriors([one.rows(folds != fold)], 0.1).mean[0] for fold in range(5)]
    found = average_folds([one], 0.1, np.random.default_rng(3), n_folds=5)
    assert found[0] == pytest.approx(np.mean(each, axis=0), abs=1e-8)
    two = average_folds([one, some(seed=1)], np.array([0.1, 0.3]), np.random.default_rng(3), n_folds=5)
    assert two[0] == pytest.approx(found[0], abs=1e-8)


def test_the_loss_is_that_of_the_expected_preference():
    one = some(n=40, k=1)
    choice = choose_scale(one, np.random.default_rng(2), scales=(0.1,), n_folds=4)
    folds = make_folds(one.prompt, 4, np.random.default_rng(2))
    total = 0.0
    grid = np.linspace(-3, 3, 20_001)
    for fold in range(4):
        inside, outside = folds != fold, folds == fold
        eta = grid[:, None] * one.x[inside, 0]
        log_f = (one.score[inside] * eta - np.logaddexp(0, eta)).sum(axis=1) - np.abs(grid) / 0.1
        p = np.exp(log_f - log_f.max())
        chance = (p / p.sum()) @ (1 / (1 + np.exp(-grid[:, None] * one.x[outside, 0])))
        y = one.score[outside]
        total -= (y * np.log(chance) + (1 - y) * np.log(1 - chance)).sum()
    # The posterior's shape in a prediction is taken as normal.
    assert choice.log_loss[0] == pytest.approx(total / 40, abs=2e-4)


def test_the_scale_that_planted_the_weights_predicts_best():
    rng = np.random.default_rng(5)
    for scale in (0.01, 1.0):
        x = rng.integers(-1, 2, (1500, 12)).astype(float)
        y = (rng.random(1500) < 1 / (1 + np.exp(-x @ rng.laplace(0, scale, 12)))).astype(float)
        choice = choose_scale(Verdicts(x, np.ones(1500), y, np.arange(1500) // 3), np.random.default_rng(0))
        assert (choice.chosen <= 0.03) if scale == 0.01 else (choice.chosen >= 0.3)
    assert choose_scale(some(), np.random.default_rng(0), scales=(0.01, 0.02)).at_end == "largest"


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [({"coding": "raw"}, "signs of differences"), ({"ties": "davidson"}, "leaves ties out"),
     ({"position": "with"}, "no position term"), ({"cluster": "prompt"}, "as independent"),
     ({"prior_scale": "0"}, "from 0.001 to 10"), ({"prior_scale": "wide"}, "or cv"), ({"prior_scale": "nan"}, "or cv"),
     ({"folds": 1}, "0 for one fit"), ({"folds": 51}, "2 to 50 refits")],
)  # fmt: skip
def test_what_the_published_model_does_not_have_is_refused(store: Store, options, message):
    with pytest.raises(OptionError, match=message):
        FactorsBayes(**options).run(store)
    with pytest.raises(OptionError, match=message):
        FactorsFit(estimator="laplace", **options).run(store)


def test_options_of_the_posterior_are_none_of_the_regression(store: Store):
    with pytest.raises(OptionError, match="--estimator laplace"):
        FactorsFit(folds=10).run(store)
    with pytest.raises(OptionError, match="--prior-scale is an option"):
        FactorsFit(prior_scale="cv").run(store)
    assert FactorsFit(factor=FACTORS).run(store).settings["estimator"] == "glm"


def test_all_ties_one_prompt_and_no_difference_are_refused(tmp_path: Path):
    ties = stored(tmp_path / "ties", [row | {"winner": "tie"} for row in given(prompts=3)])
    with pytest.raises(EmptySelectionError):
        FactorsBayes(factor=FACTORS).run(ties)
    one = stored(tmp_path / "one", given(prompts=1))
    assert len(FactorsBayes(factor=("wit",), judge=("people",)).run(one).table()) == 1
    for options in ({"prior_scale": "cv"}, {"folds": 10}):
        with pytest.raises(NotIdentifiedError, match="single prompt"):
            FactorsBayes(factor=("wit",), judge=("people",), **options).run(one)
    flat = stored(tmp_path / "flat", [row | {"flat_a": 1, "flat_b": 1} for row in given(prompts=3)])
    with pytest.raises(NotIdentifiedError, match="differ in none"):
        FactorsBayes(factor=("flat",)).run(flat)


# -- the page's words and charts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("narrow", [False, True])
def test_the_charts_fill_what_leaves_out_fifty(store: Store, narrow: bool):
    found = FactorsBayes(factor=FACTORS).run(store)
    table = found.table()
    chart = posterior_chart(table, ["people", "robot"], LIGHT, level=0.95, narrow=narrow)
    filled = sum(len(t.x) for t in chart.data if t.mode == "markers" and t.marker.line.width == 0)
    assert filled == int(leaves_out(table).sum()) > 0
    assert "Posterior win points" in str(chart.layout.meta["alt"])
    mine = found.table("scenarios")
    mine = mine[mine["judge"] == "people"].reset_index(drop=True)
    matrix = posterior_scenario_chart(mine, "people", DARK, level=0.95, narrow=narrow)
    assert len(matrix.data[0].x) == len(mine)
    bold = [a.text for a in matrix.layout.annotations if "<b>" in a.text]
    assert len(bold) == int(leaves_out(mine).sum())
    assert "could be weighed" in str(posterior_scenario_chart(mine.iloc[:0], "people", LIGHT, level=0.95))


def test_the_finding_says_what_most_likely_moves_whom(store: Store):
    found = FactorsBayes(factor=FACTORS).run(store)
    names = {f: f for f in FACTORS}
    table = found.table()
    said = finding(table, "people", names, 0.95)
    assert said.startswith("**people most reward ")
    assert "of 3 factors leave out 50" in said
    assert "rewards" in finding(table, "robot", names, 0.95)
    none = table.assign(lower=-1.0, upper=1.0)
    assert "No posterior interval of people" in finding(none, "people", names, 0.95)
    assert "prior's scale .10" in trust(found).replace("\\", "")
