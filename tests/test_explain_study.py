"""`factors explain` and pasted texts: worked by hand, against statsmodels, turned round, and what is refused."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.special import expit
from test_control_study import rows, stored
from typer.testing import CliRunner

import cli
from data.store import Store
from errors import NotIdentifiedError, OptionError, UnknownNameError
from studies.examples import Examples
from studies.factor_predict import (
    DELIVERED,
    NO_PROMPT,
    FactorsTry,
    Fits,
    measure_pasted,
    predict_pasted,
    unmeasured_in_words,
)
from studies.factors_explain import FactorsExplain

WHOLE = 1e-9
"""Of sums that are equal but for the order of their terms."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("explain"), rows())


def explain(store: Store, **options: object):
    return FactorsExplain(**({"judge": ("people", "robot")} | options)).run(store)  # type: ignore[arg-type]


@pytest.mark.parametrize("ties", ["half", "drop"])
@pytest.mark.parametrize("coding", ["rms", "sign", "raw"])
def test_contributions_add_up_to_the_prediction(store: Store, ties: str, coding: str) -> None:
    result = explain(store, ties=ties, coding=coding)
    contributions, judges = result.table(), result.table("judges").set_index("judge")
    assert list(dict.fromkeys(contributions["judge"])) == ["people", "robot"]
    for judge, own in contributions.groupby("judge"):
        row = judges.loc[judge]
        assert own["log_odds"].sum() == pytest.approx(row["log_odds"], abs=WHOLE)
        assert (own["weight"] * own["difference"]).to_numpy() == pytest.approx(own["log_odds"].to_numpy(), abs=WHOLE)
        assert own["points"].sum() == pytest.approx(row["predicted"] - 50, abs=WHOLE)
        assert row["predicted"] == pytest.approx(100 * expit(row["log_odds"]), abs=WHOLE)
        assert row["lower"] < row["predicted"] < row["upper"]
        assert own["points"].abs().is_monotonic_decreasing
        if coding == "raw":
            difference = (own["a"] - own["b"]).to_numpy(dtype=float)
            assert own["difference"].to_numpy() == pytest.approx(difference, abs=WHOLE)


def test_the_json_keys(store: Store) -> None:
    content = explain(store).as_json()
    assert set(content) == {"settings", "contributions", "judges", "left_out", "warnings", "caption", "fingerprint"}
    first = content["contributions"][0]
    assert set(first) == {"judge", "factor", "a", "b", "difference", "weight", "log_odds", "points"}
    assert {"judge", "predicted", "lower", "upper", "verdict", "share_a", "votes", "in_fit"} <= set(content["judges"][0])


def test_the_prediction_is_that_of_a_regression_that_never_saw_the_prompt(tmp_path: Path) -> None:
    given = rows(prompts=14, judges=("people",))
    store = stored(tmp_path, given, measure=False)
    listed = Examples(order="pair", limit=1000).run(store).table("examples")
    pair = listed.iloc[40]
    result = explain(store, judge=("people",), factor=("tone",), coding="raw", pair=int(pair["pair"]))
    others = [row for row in given if row["prompt"] != pair["prompt"]]
    x = np.array([[float(row["tone_a"]) - float(row["tone_b"])] for row in others])
    y = np.array([row["winner"] == "a" for row in others], dtype=float)
    weight = sm.GLM(y, x, family=sm.families.Binomial()).fit(tol=1e-12).params[0]
    [mine] = [r for r in given if (r["prompt"], r["model_a"], r["model_b"])
              == (pair["prompt"], pair["model_a"], pair["model_b"])]  # fmt: skip
    row = result.table("judges").iloc[0]
    # Both stop within 1e-6 standard errors of the optimum.
    expected = weight * (float(mine["tone_a"]) - float(mine["tone_b"]))
    assert row["log_odds"] == pytest.approx(expected, abs=1e-6)
    assert row["verdict"] == mine["winner"]
    assert row["votes"] == 1
    assert (row["judgments"], row["clusters"], bool(row["in_fit"])) == (len(others), 13, False)
    assert result.table().iloc[0]["a"] == mine["tone_a"]
    assert "never" not in result.caption
    assert "on all other prompts" in result.caption


def test_exchanging_a_and_b_turns_everything(tmp_path: Path) -> None:
    given = rows(prompts=20)
    other = {"a": "b", "b": "a"}
    turned = [
        {other.get(k[-1], "") and k[:-1] + other[k[-1]] if k.endswith(("_a", "_b")) else k:
         other[str(v)] if k == "winner" else v for k, v in row.items()} for row in given
    ]  # fmt: skip
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir(), two.mkdir()
    plain = explain(stored(one, given), pair=7)
    back = explain(stored(two, turned), pair=7)
    a, b = (r.table().set_index(["judge", "factor"]) for r in (plain, back))
    assert (a["weight"] - b["weight"].reindex(a.index)).abs().max() < 1e-6
    for column in ("difference", "log_odds", "points"):
        assert (a[column] + b[column].reindex(a.index)).abs().max() < 1e-5
    one_judges, two_judges = (r.table("judges").set_index("judge") for r in (plain, back))
    assert (one_judges["predicted"] + two_judges["predicted"]).to_numpy() == pytest.approx([100, 100], abs=1e-5)
    assert (one_judges["lower"] + two_judges["upper"]).to_numpy() == pytest.approx([100, 100], abs=1e-4)
    assert [other[v] for v in one_judges["verdict"]] == list(two_judges["verdict"])


def test_unless_asked_it_is_the_pair_on_which_they_disagree(store: Store) -> None:
    result = explain(store)
    first = Examples(judge=("people", "robot"), disagree="opposite", limit=1).run(store)
    assert result.study.pair == first.table("examples")["pair"].iloc[0]
    assert set(result.table("judges")["verdict"]) == {"a", "b"}
    assert any(line.startswith("pair: ") for line in result.taken)
    alone = explain(store, judge=("robot",))
    assert list(alone.table("judges")["judge"]) == ["robot"]


def test_the_shown_order_and_votes_on_a_pair(tmp_path: Path) -> None:
    given = [row | {"swapped": k % 2 == 1} for k, row in enumerate(rows(prompts=20, judges=("people",)))]
    # The first pair is judged twice more, each time with its answers the other way round.
    given += [given[0] | {"swapped": True, "winner": "tie"}, given[0] | {"swapped": True, "winner": "b"}]
    store = stored(tmp_path, given)
    pair = int(Examples(order="pair", limit=1).run(store).table("examples")["pair"].iloc[0])
    result = explain(store, judge=("people",), pair=pair, factor=("words",))
    row = result.table("judges").iloc[0]
    position = result.table().set_index("factor").loc["first_position"]
    assert position["difference"] == pytest.approx(-1 / 3)  # first once, second twice
    assert row["first_position"] == pytest.approx(-1 / 3)
    assert row["votes"] == 3
    assert row["share_a"] == pytest.approx(100 * ((given[0]["winner"] == "a") + 0.5) / 3)


def test_modelled_ties_add_up_too(tmp_path: Path) -> None:
    given = [row | ({"winner": "tie"} if k % 7 == 0 else {}) for k, row in enumerate(rows(prompts=20))]
    store = stored(tmp_path, given)
    for ties in ("davidson", "rao-kupper"):
        result = explain(store, ties=ties)
        for judge, own in result.table().groupby("judge"):
            row = result.table("judges").set_index("judge").loc[judge]
            assert own["points"].sum() == pytest.approx(row["predicted"] - 50, abs=WHOLE)
            # A tie is half for each: the expectation is nearer to 50 than the log-odds alone would have it.
            assert abs(row["predicted"] - 50) < abs(100 * expit(row["log_odds"]) - 50) + WHOLE


def test_values_of_judgments_and_words_as_levels(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    given = []
    for k, row in enumerate(rows(prompts=20, judges=("people",))):
        tone = ("warm", "cold", "dry")
        # Two annotators who see a different clarity in the same pair.
        for annotator, shift in (("x", 0.0), ("y", 2.0)):
            own = {"clear_a": 1.0 + shift + k % 3, "clear_b": 2.0, "mood_a": tone[k % 3], "mood_b": tone[k // 3 % 3]}
            plain = {name: value for name, value in row.items() if not name.startswith("tone")}
            given.append(plain | own | {"annotator": annotator, "winner": "ab"[int(rng.random() < 0.5)]})
    store = stored(tmp_path, given, measure=False)
    listed = Examples(order="pair", limit=5).run(store).table("examples")
    pair = int(listed["pair"].iloc[4])
    result = explain(store, judge=("people",), pair=pair)
    table = result.table().set_index("factor")
    assert table.loc["clear", "a"] == pytest.approx(2.0 + 4 % 3)  # the mean of both annotators
    assert table.loc["clear", "b"] == 2.0
    levels = [name for name in table.index if name.startswith("mood=")]
    assert len(levels) == 2
    for name in levels:
        level = name.removeprefix("mood=")
        assert table.loc[name, ["a", "b"]].tolist() == [float(level == "cold"), float(level == "cold")]


def test_what_cannot_be_explained_is_said(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="no pair 99999 in dataset 'd'"):
        explain(store, pair=99_999)
    given = [
        {k: v for k, v in row.items() if not (k == "tone_a" and row["prompt"] == "p0")} for row in rows(prompts=20)
    ]
    lacking = stored(tmp_path, given)
    pair = int(Examples(order="pair", limit=1).run(lacking).table("examples")["pair"].iloc[0])
    with pytest.raises(NotIdentifiedError, match=r"people and robot: this pair lacks tone .* leave that factor out"):
        explain(lacking, pair=pair)
    assert len(explain(lacking, pair=pair, factor=("words",)).table())
    # Unasked, a pair is taken that can be explained.
    chosen = explain(lacking)
    assert set(chosen.table("judges")["judge"]) == {"people", "robot"}


def test_with_a_single_prompt_the_pair_is_in_the_fit_and_that_is_said(tmp_path: Path) -> None:
    given = [row | {"prompt": "one"} for row in rows(prompts=20)]
    # One prompt has one response a model here: texts tell them apart.
    store = stored(tmp_path, given)
    result = explain(store, factor=("tone",), cluster="pair")
    assert result.table("judges")["in_fit"].all()
    assert any("there is no other prompt" in line for line in result.warnings)
    assert "all judgments" in result.caption


def test_the_command(store: Store) -> None:
    done = CliRunner().invoke(cli.app, ["--db", str(store.path), "factors", "explain", "--pair", "3", "-o", "json"])
    assert done.exit_code == 0, done.output
    content = json.loads(done.stdout)
    assert content["settings"]["pair"] == 3
    unknown = CliRunner().invoke(cli.app, ["--db", str(store.path), "factors", "explain", "--pair", "0"])
    assert unknown.exit_code == 1


# -- pasted texts -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fits(store: Store) -> Fits:
    found = FactorsTry(judge=("people", "robot")).run(store)
    assert isinstance(found, Fits)
    return found


def test_pasted_texts_of_a_pair_are_measured_as_the_pair_is(store: Store, fits: Fits) -> None:
    listed = Examples(order="pair", limit=5).run(store).table("examples").iloc[3]
    explained = explain(store, pair=int(listed["pair"])).table()
    pasted = measure_pasted(fits, listed["prompt"], listed["response_a"], listed["response_b"])
    own = explained[explained["judge"] == "people"].set_index("factor")
    for name in ("words", "lists", "sentence_length"):
        assert pasted.a[name] == own.loc[name, "a"]
        assert pasted.differences[name] == pytest.approx(own.loc[name, "difference"], rel=1e-12)
    assert pasted.unmeasured[DELIVERED] == ["tone"]
    assert pasted.differences["tone"] == 0
    assert not pasted.far


def test_a_prediction_for_pasted_texts(fits: Fits) -> None:
    more, less = "Sure.\n" + 6 * "- so\n" + "0 1", "Sure.\n0 1 word word word word"
    contributions, judges = predict_pasted(fits, measure_pasted(fits, "?", more, less))
    people = judges.set_index("judge").loc["people"]
    assert people["lower"] > 50  # people like lists here
    own = contributions[contributions["judge"] == "people"]
    assert own.iloc[0]["factor"] == "lists"
    assert own["points"].sum() == pytest.approx(people["predicted"] - 50, abs=WHOLE)
    turned = predict_pasted(fits, measure_pasted(fits, "?", less, more))[1].set_index("judge").loc["people"]
    assert people["predicted"] + turned["predicted"] == pytest.approx(100, abs=WHOLE)
    assert people["lower"] + turned["upper"] == pytest.approx(100, abs=WHOLE)


def test_hard_texts(fits: Fits) -> None:
    with pytest.raises(OptionError, match="both responses are empty"):
        measure_pasted(fits, "?", " \n", "")
    same = predict_pasted(fits, measure_pasted(fits, "", "x y", "x y"))[1]
    assert same["predicted"].tolist() == [50.0, 50.0]
    pasted = measure_pasted(fits, " ", "A long answer of seven words here.", "")
    assert pasted.b["words"] == 0
    assert all(np.isfinite(list(pasted.differences.values())))
    said = " ".join(unmeasured_in_words(pasted))
    assert "tone (from the file" in said
    assert said.count("counted as no difference") == len(pasted.unmeasured)
    if any(s.answer for s in fits.sources):
        assert NO_PROMPT in pasted.unmeasured


def test_a_megabyte_is_measured_in_seconds_and_called_a_guess(fits: Fits) -> None:
    begun = time.process_time()
    pasted = measure_pasted(fits, "?", "Words, and **more** words! " * 40_000, "- short")
    contributions, judges = predict_pasted(fits, pasted)
    # Six seconds of a processor, however many others want it.
    assert time.process_time() - begun < 20
    assert "words" in pasted.far
    assert judges["predicted"].between(0, 100).all()
    assert np.isfinite(contributions["points"].to_numpy(dtype=float)).all()


def test_contributions_beyond_all_measure_are_told_in_log_odds(fits: Fits) -> None:
    pasted = measure_pasted(fits, "?", "x", "y z")
    beyond = replace(pasted, differences=dict(pasted.differences) | {"lists": 1e9})
    contributions, judges = predict_pasted(fits, beyond)
    assert contributions["points"].isna().all()
    assert contributions["log_odds"].abs().max() > 1e5
    assert judges["predicted"].iloc[0] == pytest.approx(100)
