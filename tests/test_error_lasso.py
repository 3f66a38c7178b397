"""A Lasso on flags: against scikit-learn on comparisons and ratings, by hand, draws, cross-validation, sides, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Lasso
from test_factor_studies import rows, stored, turn

from analysis.error_lasso import _Sums, fit_flag_lasso
from charts.judge_rows import judge_rows_chart
from charts.methods import LASSO
from charts.theme import LIGHT
from data.store import Store
from errors import NotIdentifiedError, OptionError, UnknownNameError
from studies.factors_lasso import FactorsLasso
from ui.sections.lasso import finding


def fitted(x, y, *, prompt=None, weight=None, intercept=False, penalty=0.01, resamples=20):
    n = len(y)
    return fit_flag_lasso(
        [f"f{k}" for k in range(x.shape[1])], np.asarray(x, dtype=float), np.asarray(y, dtype=float),
        np.ones(n) if weight is None else np.asarray(weight, dtype=float),
        np.arange(n) % 40 if prompt is None else np.asarray(prompt), intercept=intercept, penalty=penalty,
        rng=np.random.default_rng(0), resamples=resamples,
    )  # fmt: skip


def flags(n=400, k=8, seed=0):
    """Errors of answers, a rating that some of them lower."""
    rng = np.random.default_rng(seed)
    x = (rng.random((n, k)) < 0.2).astype(float)
    return x, 4 - 0.8 * x[:, 0] - 0.4 * x[:, 1] + rng.normal(0, 0.5, n)


@pytest.mark.parametrize("intercept", [False, True])
def test_it_is_scikit_learns_on_weighted_rows(intercept: bool) -> None:
    x, y = flags()
    y = y if intercept else y - 4
    weight = np.random.default_rng(1).integers(1, 4, len(y)).astype(float)
    found = fitted(x, y, weight=weight, intercept=intercept)
    model = Lasso(alpha=0.01, fit_intercept=intercept, tol=1e-14, max_iter=1_000_000).fit(x, y, sample_weight=weight)
    assert found.coefficient == pytest.approx(model.coef_, abs=1e-8)
    if intercept:
        assert found.intercept == pytest.approx(model.intercept_, abs=1e-8)
    assert found.r2 == pytest.approx(model.score(x, y, sample_weight=weight) if intercept else found.r2, abs=1e-9)


def test_one_flag_by_hand() -> None:
    """Four comparisons, all won by the answer without the flag: least squares says -1, the penalty takes off alpha n / x'x."""
    x, y = np.array([[1.0], [-1.0], [1.0], [0.0]]), np.array([-1.0, 1, -1, 0])
    found = fitted(x, y, prompt=[0, 1, 2, 3], penalty=0.15)
    assert found.coefficient[0] == pytest.approx(-(3 / 4 - 0.15) / (3 / 4))
    assert found.table()["cost"].iloc[0] == pytest.approx(0.8)


@pytest.mark.parametrize("intercept", [False, True])
def test_a_resample_is_the_lasso_of_its_rows(intercept: bool) -> None:
    x, y = flags(n=300)
    prompt = np.arange(300) % 25
    sums = _Sums(x, y, np.ones(300), prompt, intercept, np.random.default_rng(0))
    times = np.random.default_rng(2).multinomial(25, np.full(25, 1 / 25))
    index = np.concatenate([np.repeat(np.flatnonzero(prompt == p), t) for p, t in enumerate(times)])
    direct = Lasso(alpha=0.02, fit_intercept=intercept, tol=1e-14, max_iter=1_000_000).fit(x[index], y[index])
    # The resamples stop at 1e-8 of the goal's sum of squares.
    assert sums.fit(times, 0.02) == pytest.approx(direct.coef_, abs=1e-6)


def test_what_counts_is_kept_in_every_draw_and_what_does_not_is_not() -> None:
    x, y = flags(n=800, k=12)
    found = fitted(x, y, intercept=True, penalty=0.02, resamples=100)
    table = found.table().set_index("factor")
    assert table.loc["f0", "coefficient"] < table.loc["f1", "coefficient"] < 0
    assert table.loc[["f0", "f1"], "selected"].tolist() == [1.0, 1.0]
    assert table.drop(["f0", "f1"])["selected"].mean() < 0.5
    assert table.loc["f0", "lowest"] < table.loc["f0", "coefficient"] < table.loc["f0", "highest"] < 0
    assert 0 < found.r2_held_out < found.r2 + 0.02


def test_a_chosen_penalty_predicts_better_than_extremes() -> None:
    x, y = flags(n=200, k=40)
    chosen = fitted(x, y, intercept=True, penalty=None)
    assert chosen.chosen
    for penalty in (1e-6, 0.5):
        assert chosen.r2_held_out > fitted(x, y, intercept=True, penalty=penalty).r2_held_out
    noise = np.random.default_rng(3).normal(size=200)
    assert fitted(x, noise, intercept=True, penalty=None).r2_held_out < 0.1


def test_sides_doubling_and_more_flags_than_rows() -> None:
    x, y = flags(n=120)
    d, v = x[:60] - x[60:], np.sign(y[:60] - y[60:])
    one, turned = fitted(d, v), fitted(-d, -v)
    assert one.coefficient == pytest.approx(turned.coefficient, abs=1e-12)
    assert one.selected.tolist() == turned.selected.tolist()
    twice = fitted(np.vstack([d, d]), np.concatenate([v, v]), prompt=np.tile(np.arange(60) % 40, 2))
    assert twice.coefficient == pytest.approx(one.coefficient, abs=1e-10)
    wide = fitted(np.random.default_rng(4).choice([-1, 0, 1], (60, 150)), v, penalty=0.05, resamples=5)
    assert np.isfinite(wide.coefficient).all()
    assert 0 < wide.kept.sum() < 60


def test_refusals_and_what_is_left_out() -> None:
    x, y = flags(n=30)
    with pytest.raises(NotIdentifiedError, match="all verdicts are ties"):
        fitted(x, np.zeros(30))
    with pytest.raises(NotIdentifiedError, match="all ratings are the same"):
        fitted(x, np.full(30, 3.0), intercept=True)
    with pytest.raises(NotIdentifiedError, match="the compared answers do not differ in it"):
        fitted(x * 0, y)
    with pytest.raises(NotIdentifiedError, match="at least 3 prompts, and there are 2"):
        fitted(x, y, prompt=np.arange(30) % 2)
    with pytest.raises(NotIdentifiedError, match="nothing has all factors"):
        fitted(x * np.nan, y)
    some = np.column_stack([x, np.ones(30)])
    some[3, 0] = np.nan
    found = fitted(some, y, intercept=True)
    assert found.left_out == {"f8": "all answers have the same of it"}
    assert (found.missing, found.n) == (1, 29)


# -- the study -----------------------------------------------------------------------------------------------------------


def flawed(prompts: int = 50):
    """Answers with errors and a rating each; people prefer the one of the higher rating, mostly."""
    rng = np.random.default_rng(6)
    out = []
    of: dict[tuple, dict] = {}
    for row in rows(prompts=prompts):
        for s in "ab":
            key = (row["prompt"], row[f"model_{s}"])
            if key not in of:
                errors = {name: int(rng.random() < 0.25) for name in ("refusal", "repetition", "format")}
                rated = 4 - 1.2 * errors["refusal"] - 0.5 * errors["repetition"] + rng.normal(0, 0.4)
                of[key] = errors | {"quality": round(float(rated), 2)}
        a, b = (of[row["prompt"], row[f"model_{s}"]] for s in "ab")
        won = "a" if rng.random() < 1 / (1 + np.exp(-2 * (a["quality"] - b["quality"]))) else "b"
        kept = {k: v for k, v in row.items() if k.split("_")[0] not in ("care", "wit", "calm", "tone", "kind", "topics")}
        out.append(kept | {"winner": won} | {f"{k}_{s}": v for s, one in zip("ab", (a, b), strict=True) for k, v in one.items()})
    return out


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("lasso"), flawed())


FLAGS = ("refusal", "repetition", "format")


def test_on_comparisons_it_is_scikit_learns(store: Store, tmp_path: Path) -> None:
    result = FactorsLasso(factor=FLAGS, judge=("people",)).run(store)
    mine = [row for row in flawed() if row["judge"] == "people"]
    x = np.array([[row[f"{f}_a"] - row[f"{f}_b"] for f in FLAGS] for row in mine])
    y = np.array([1.0 if row["winner"] == "a" else -1.0 for row in mine])
    direct = Lasso(alpha=0.01, fit_intercept=False, tol=1e-14, max_iter=1_000_000).fit(x, y)
    found = result.table().set_index("factor")["coefficient"]
    assert found[list(FLAGS)].to_numpy(dtype=float) == pytest.approx(direct.coef_, abs=1e-8)
    assert found["refusal"] < found["repetition"] < 0
    assert result.table("judges")["rows"].iloc[0] == len(mine)
    assert "Lasso of the verdicts" in result.caption
    json.dumps(result.as_json(), allow_nan=False)
    turned = FactorsLasso(factor=FLAGS, judge=("people",)).run(stored(tmp_path, [turn(row) for row in flawed()])).table()
    assert turned["coefficient"].tolist() == pytest.approx(result.table()["coefficient"].tolist(), abs=1e-10)


def test_on_ratings_it_is_scikit_learns_answer_by_answer(store: Store) -> None:
    result = FactorsLasso(factor=FLAGS, rating="quality").run(store)
    answers = {(row["prompt"], row[f"model_{s}"]): [row[f"{f}_{s}"] for f in (*FLAGS, "quality")] for row in flawed() for s in "ab"}
    table = np.array(list(answers.values()), dtype=float)
    # As published, x is minus the errors, and so a coefficient is what an error costs.
    direct = Lasso(alpha=0.01, tol=1e-14, max_iter=1_000_000).fit(-table[:, :3], table[:, 3])
    found = result.table().set_index("factor")
    assert found.loc[list(FLAGS), "cost"].to_numpy(dtype=float) == pytest.approx(direct.coef_, abs=1e-8)
    row = result.table("judges").iloc[0]
    assert row["intercept"] == pytest.approx(direct.intercept_, abs=1e-8)
    assert row["r2"] == pytest.approx(direct.score(-table[:, :3], table[:, 3]), abs=1e-9)
    assert (row["judge"], row["rows"]) == ("quality", len(table))
    assert "Lasso of the ratings of answers by quality (150 answers)" in result.caption


def test_options_and_refusals(store: Store) -> None:
    chosen = FactorsLasso(factor=FLAGS, choose_penalty=True).run(store)
    assert "chosen in folds of whole prompts" in chosen.caption
    nothing = FactorsLasso(factor=FLAGS, penalty=5.0).run(store)
    assert (nothing.table()["coefficient"] == 0).all()
    assert any("nothing is kept: take a smaller --penalty" in w for w in nothing.warnings)
    pairs = FactorsLasso(factor=FLAGS, cluster="pair").run(store)
    assert (pairs.table("judges")["clustering"] == "pair").all()
    with pytest.raises(UnknownNameError, match="'qualitty': did you mean 'quality'"):
        FactorsLasso(rating="qualitty").run(store)
    with pytest.raises(OptionError, match="a number above 0"):
        FactorsLasso(penalty=0.0).run(store)
    with pytest.raises(OptionError, match="the rating is the only factor"):
        FactorsLasso(factor=("quality",), rating="quality").run(store)
    with pytest.raises(OptionError, match="takes answers one by one"):
        FactorsLasso(rating="quality", coding="sign").run(store)
    with pytest.raises(OptionError, match="whole prompts are drawn"):
        FactorsLasso(cluster="annotator", judge=("people",)).run(store)


def test_the_figure_and_the_sentence(store: Store) -> None:
    result = FactorsLasso(factor=FLAGS).run(store)
    table = result.table().assign(q=0.0)
    figure = judge_rows_chart(table, ("people", "robot"), LIGHT, LASSO, humans=("people",))
    assert "by Lasso" in figure.layout.meta["alt"]
    said = finding(result.table(), result.table("judges"), {f: f for f in FLAGS})
    assert "most surely refusal (−" in said.replace("\\", "")
