"""Which judges resemble which: by published weights, verdicts and strengths, from the store to the page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from streamlit.testing.v1 import AppTest
from test_factor_studies import command, rows, stored, turn
from typer.testing import CliRunner

import cli
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import EmptySelectionError, FileError, MappingError, OptionError, UnknownNameError
from studies.rank import Rank
from studies.similarity import JudgeSimilarity
from studies.similarity_data import same
from studies.similarity_tables import read_groups, split_groups
from ui.judges import finding, trust
from ui.navigation import SCREENS

FACTORS = ("tone", "wit", "calm")
ROUNDING = 1e-9
"""Sums of judgments in no fixed order."""


def judged(prompts: int = 24, **more) -> list[dict]:
    """Two judges of three models in two scenarios, several votes of people on a pair, some ties."""
    made = rows(prompts=prompts, **more)
    number = {prompt: k for k, prompt in enumerate(dict.fromkeys(row["prompt"] for row in made))}
    return [row | {"scenario": ("code", "Role play")[number[row["prompt"]] % 2]} for row in made]


def publish(store: Store, frame: pd.DataFrame, dataset: str = "d") -> None:
    path = store.path.parent / f"{dataset}-weights.csv"
    frame.to_csv(path, index=False)
    import_path(store, path, dataset, ImportOptions(format="factor-weights"))


def published(judges: tuple[str, ...] = ("gpt-4", "people"), scenarios: tuple[str, ...] = ("Code", "role_play", "w_x")):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        [(j, s, f, round(float(rng.normal()), 4)) for j in judges for s in scenarios
         for f in ("Tone", "WIT", " calm ", "novel")],
        columns=["judge", "scenario", "property", "weight"],
    )  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("similarity"), judged())


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Judgments and published weights in one dataset."""
    found = stored(tmp_path_factory.mktemp("beside"), judged())
    publish(found, published())
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Published weights and no judgments."""
    found = Store(tmp_path_factory.mktemp("alone") / "s.duckdb")
    publish(found, published(("human", "gpt-4", "gpt-3.5", "llama")))
    return found


# -- published weights ------------------------------------------------------------------------------------------------


@pytest.mark.real
def test_published_similarities_are_reproduced(tmp_path: Path, real: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    import_path(store, real / "gair_preference_dissection" / "fitted_weights.csv", "gair")
    found = command(store, "similarity", "--from", "weights", "-o", "json")
    at = {judge: k for k, judge in enumerate(found["judges"])}
    assert len(at) == 33
    for one, two, value in (
        ("human", "gpt-4-1106-preview", 0.742), ("human", "gpt-3.5-turbo-1106", 0.652), ("human", "qwen-72b", 0.783),
        ("gpt-4-1106-preview", "gpt-3.5-turbo-1106", 0.572),
    ):  # fmt: skip
        assert round(found["matrix"][at[one]][at[two]], 3) == value
        assert found["matrix"][at[two]][at[one]] == found["matrix"][at[one]][at[two]]
    assert len(found["settings"]["among"]) == 11
    small = [j for j in at if any(size in j for size in ("6b", "7b", "13b", "14b")) and "8x7b" not in j]
    people = [j for j in at if j == "human" or j.startswith("gpt-")]
    large = [j for j in at if j not in small and j not in people]
    assert (len(small), len(large)) == (20, 10)
    path = tmp_path / "groups.csv"
    path.write_text("judge,group\n" + "".join(f"{j},{g}\n" for g, js in (("small", small), ("large", large)) for j in js))
    means = command(store, "similarity", "--groups", str(path), "-o", "json")["groups"]
    found_means = {(r["group_1"], r["group_2"]): round(r["mean"], 3) for r in means}
    assert found_means == {("small", "small"): 0.828, ("large", "large"): 0.883, ("small", "large"): 0.737}
    one = command(store, "similarity", "--scenario", "Communication", "-o", "json")
    assert round(one["matrix"][at["human"]][at["gpt-4-1106-preview"]], 3) == 0.371


def test_a_dataset_of_weights_alone_is_compared_unasked(alone: Store) -> None:
    result = JudgeSimilarity().run(alone)
    assert (result.settings["basis"], result.settings["over"]) == ("weights", "scenarios")
    assert result.settings["among"] == ("Code", "role_play")
    frame = published(("human", "gpt-4", "gpt-3.5", "llama"))
    by = frame[frame["scenario"] != "w_x"].pivot_table("weight", ["scenario", "judge"], "property")
    expected = np.mean([np.corrcoef(by.loc[s].loc[["human", "llama"]])[0, 1] for s in ("Code", "role_play")])
    row = result.table().set_index(["judge_1", "judge_2"]).loc[("human", "llama")]
    assert row["similarity"] == pytest.approx(expected)
    assert (row["n"], row["scenarios"]) == (8, 2)
    assert pd.isna(row["lower"])
    whole = JudgeSimilarity(over="overall", among=("w_x", "Code"), published=("human", "llama")).run(alone)
    mean = frame[frame["scenario"] != "role_play"].pivot_table("weight", "judge", "property").loc[["human", "llama"]]
    assert whole.table()["similarity"].tolist() == [pytest.approx(np.corrcoef(mean)[0, 1])]
    assert "scenarios" not in whole.table()


def test_the_command_leads_back_to_the_same_numbers(alone: Store) -> None:
    result = JudgeSimilarity(published=("human", "llama"), scenario=("w_x",), group=("us=human", "us=llama")).run(alone)
    line = result.study.command_line()
    assert "--from weights" in line
    words = line.replace("python cli.py ", "").split()
    again = command(alone, *words, "-o", "json")
    assert again["pairs"][0]["similarity"] == result.table()["similarity"].iloc[0]
    assert again["groups"] == [{"group_1": "us", "group_2": "us", "mean": again["pairs"][0]["similarity"], "n": 1, "lacking": 0}]
    assert again["fingerprint"] == result.fingerprint
    address, dropped = JudgeSimilarity.from_parameters(result.study.parameters())
    assert (address, dropped) == (result.study, [])


def test_own_judges_stand_beside_published_ones(beside: Store) -> None:
    result = JudgeSimilarity(basis="weights").run(beside)
    placed = result.table("placed")
    assert placed[["judge", "kind", "source"]].values.tolist() == [
        ["gpt-4", "llm", "published"], ["people (published)", "human", "published"], ["people", "human", "own"],
        ["robot", "llm", "own"],
    ]  # fmt: skip
    words = [w for f in FACTORS for w in ("--factor", f)]
    own = pd.DataFrame(command(beside, "factors", "bayes", *words, "--table", "scenarios", "-o", "csv"))
    theirs = published()
    by = []
    for mine, their in (("code", "Code"), ("Role play", "role_play")):
        a = own[(own["judge"] == "robot") & (own["scenario"] == mine)].set_index("factor")["weight"].astype(float)
        b = theirs[(theirs["judge"] == "gpt-4") & (theirs["scenario"] == their)].set_index("property")["weight"]
        by.append(np.corrcoef(a.loc[list(FACTORS)], b.loc[["Tone", "WIT", " calm "]])[0, 1])
    pairs = result.table().set_index(["judge_1", "judge_2"])
    assert pairs.loc[("gpt-4", "robot"), "similarity"] == pytest.approx(np.mean(by), abs=1e-6)
    assert pairs.loc[("gpt-4", "robot"), "n"] == 6
    # The published ones are compared on all four of their properties.
    assert pairs.loc[("gpt-4", "people (published)"), "n"] == 8
    assert any("'tone', 'wit'" in text or "'calm'" in text for text in result.warnings)
    assert "2 judges with published weights and 2 judges with weights of the published model" in result.caption


def test_a_judge_alone_stands_beside_published_ones_unasked(tmp_path: Path) -> None:
    store = stored(tmp_path, [row for row in judged(prompts=8) if row["judge"] == "robot"])
    with pytest.raises(EmptySelectionError, match="needs two judges, and there is one"):
        JudgeSimilarity().run(store)
    publish(store, published())
    result = JudgeSimilarity().run(store)
    assert result.settings["basis"] == "weights"
    assert result.table("placed")["judge"].tolist() == ["gpt-4", "people", "robot"]


def test_without_like_scenarios_own_judges_are_compared_overall(beside: Store, tmp_path: Path) -> None:
    store = stored(tmp_path, rows(prompts=12))
    publish(store, published())
    result = JudgeSimilarity(basis="weights").run(store)
    assert result.table("placed")["judge"].tolist() == ["gpt-4", "people"]
    assert any("none of their scenarios is called as a published one" in text for text in result.warnings)
    overall = JudgeSimilarity(basis="weights", over="overall").run(store)
    assert len(overall.table("placed")) == 4
    one = overall.table().set_index(["judge_1", "judge_2"]).loc[("gpt-4", "robot")]
    own = pd.DataFrame(command(store, "factors", "bayes", *(w for f in FACTORS for w in ("--factor", f)), "-o", "csv"))
    a = own[own["judge"] == "robot"].set_index("factor")["weight"].astype(float).loc[list(FACTORS)]
    theirs = published()
    mean = theirs[(theirs["judge"] == "gpt-4") & (theirs["scenario"] != "w_x")].groupby("property")["weight"].mean()
    assert one["similarity"] == pytest.approx(np.corrcoef(a, mean.loc[["Tone", "WIT", " calm "]])[0, 1], abs=1e-6)


def test_judges_without_a_published_name_are_compared_on_their_own_factors(store: Store) -> None:
    result = JudgeSimilarity(basis="weights", judge=("robot", "people")).run(store)
    assert set(result.table("placed")["source"]) == {"own"}
    assert "published weights come" not in result.caption
    with pytest.raises(EmptySelectionError, match="needs two judges, and there is one"):
        JudgeSimilarity(basis="weights", judge=("robot",)).run(store)


def test_too_few_factors_called_alike_are_named(tmp_path: Path) -> None:
    store = stored(tmp_path, judged(prompts=8))
    publish(store, published().query("property in ('Tone', 'novel')").assign(k=0).drop(columns="k"))
    result = JudgeSimilarity(basis="weights").run(store)
    assert any("1 of their factors ('tone') is called as a published one, of 3 needed" in w for w in result.warnings)
    assert result.table()["note"].tolist() == ["in no scenario do both have 3 factors in common whose weights differ"]
    found = command(store, "similarity", "--from", "weights", "-o", "json")
    assert found["matrix"] == [[1.0, None], [None, 1.0]]
    assert finding(result, None) == "**No two of these judges can be held against one another.**"


def test_names_are_matched_without_case_blanks_and_underscores() -> None:
    assert same("Well_formatted ") == same("well  formatted") == same("WELL-formatted")
    assert same("wellformatted") != same("well formatted")


# -- verdicts and strengths -------------------------------------------------------------------------------------------


def labels(given: list[dict], scenario: str | None = None) -> pd.DataFrame:
    """One label a judge and pair, from the rows themselves: annotators first, then the judge."""
    frame = pd.DataFrame(given)
    if scenario is not None:
        frame = frame[frame["scenario"] == scenario]
    frame["p"] = frame["winner"].map({"a": 1.0, "b": 0.0, "tie": 0.5})
    frame["annotator"] = frame["annotator"].fillna(pd.Series(frame.index.astype(str), frame.index))
    keys = ["judge", "prompt", "model_a", "model_b"]
    mean = frame.groupby([*keys, "annotator"])["p"].mean().groupby(keys).mean()
    return np.sign((mean - 0.5).round(9)).unstack("judge")


def test_verdicts_agree_as_the_rows_say(store: Store) -> None:
    given = judged()
    result = JudgeSimilarity().run(store)
    assert (result.settings["basis"], result.settings["over"]) == ("verdicts", "scenarios")
    by = [labels(given, s).dropna() for s in ("code", "Role play")]
    expected = np.mean([(one["people"] == one["robot"]).mean() for one in by])
    row = result.table().iloc[0]
    assert row["similarity"] == pytest.approx(expected, abs=ROUNDING)
    assert (row["n"], row["scenarios"]) == (sum(map(len, by)), 2)
    assert row["lower"] < expected < row["upper"]
    overall = JudgeSimilarity(over="overall", ties="drop").run(store).table().iloc[0]
    both = labels(given).dropna()
    both = both[(both != 0).all(axis=1)]
    assert overall["similarity"] == pytest.approx((both["people"] == both["robot"]).mean(), abs=ROUNDING)
    assert overall["n"] == len(both)


def test_exchanging_a_and_b_changes_nothing(store: Store, tmp_path: Path) -> None:
    given = judged()
    rng = np.random.default_rng(1)
    other = stored(tmp_path, [turn(row) if rng.random() < 0.5 else row for row in given])
    for basis in ("verdicts", "strengths"):
        one, two = (JudgeSimilarity(basis=basis).run(where).table() for where in (store, other))
        pd.testing.assert_frame_equal(one, two, rtol=ROUNDING)


def test_rankings_are_those_of_rank(store: Store) -> None:
    result = JudgeSimilarity(basis="strengths", over="overall").run(store)
    ranking = Rank().run(store).table().pivot_table("strength", "model", "judge")
    row = result.table().iloc[0]
    assert row["similarity"] == pytest.approx(spearmanr(ranking["people"], ranking["robot"])[0])
    assert row["n"] == 3
    rbo = JudgeSimilarity(basis="strengths", over="overall", measure="rbo").run(store)
    assert rbo.table()["spearman"].iloc[0] == row["similarity"]
    assert rbo.table()["similarity"].iloc[0] == row["rbo"]
    assert any("3 models drawn by lot overlap at" in text for text in rbo.warnings)


def test_by_scenario_each_stands_alone(store: Store) -> None:
    found = command(store, "similarity", "--by", "scenario", "-o", "csv")
    single = {s: JudgeSimilarity(scenario=(s,)).run(store).table()["similarity"].iloc[0] for s in ("code", "Role play")}
    assert {row["scenario"]: float(row["similarity"]) for row in found} == pytest.approx(single)


# -- groups, refusals -------------------------------------------------------------------------------------------------


def test_a_file_of_groups(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("Group, Judge\nus,a=b\nthem, c \n")
    assert read_groups(path) == ("us=a=b", "them=c")
    assert split_groups(read_groups(path)) == {"us": ["a=b"], "them": ["c"]}
    path.write_text("judge,set\na,b\n")
    with pytest.raises(MappingError, match="needs the columns judge and group; it has judge, set"):
        read_groups(path)
    path.write_text("judge,group\na,\n")
    with pytest.raises(MappingError, match="line 2: a judge and the name"):
        read_groups(path)
    with pytest.raises(FileError, match="cannot be read as a table"):
        read_groups(tmp_path / "nothing.csv")


@pytest.mark.parametrize(
    ("asked", "error", "match"),
    [
        ({"published": ("gpt-5",)}, UnknownNameError, "no judge with published weights in dataset 'd' is called 'gpt-5'"),
        ({"judge": ("gpt-4",)}, OptionError, "its weights are published ones; choose it with --published"),
        ({"among": ("codes",)}, UnknownNameError, "did you mean 'Code'"),
        ({"basis": "verdicts", "published": ("gpt-4",)}, OptionError, "--published is an option of --from weights"),
        ({"group": ("nobody",)}, OptionError, "write it as NAME=JUDGE"),
        ({"group": ("us=nobody",)}, UnknownNameError, "no judge among those compared is called 'nobody'"),
        ({"basis": "looks"}, OptionError, "--from looks: one of auto, weights, verdicts, strengths"),
        ({"basis": "verdicts", "cluster": "annotator"}, OptionError, "averages over annotators first"),
        ({"basis": "verdicts", "judge": ("robot",)}, EmptySelectionError, "needs two judges, and there is one"),
        ({"basis": "verdicts", "ties": "davidson"}, OptionError, "ties count as half a win or are left out"),
    ],
)
def test_what_cannot_be_compared_is_said(beside: Store, asked: dict, error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        JudgeSimilarity(**({"basis": "weights"} | asked)).run(beside)


def test_scenarios_that_nobody_knows_cannot_be_averaged_over(tmp_path: Path, alone: Store) -> None:
    unlabelled = stored(tmp_path, [{k: v for k, v in row.items() if k != "scenario"} for row in rows(prompts=6)])
    with pytest.raises(EmptySelectionError, match="use --over overall"):
        JudgeSimilarity(over="scenarios").run(unlabelled)
    with pytest.raises(EmptySelectionError, match="holds no judgments"):
        JudgeSimilarity(basis="verdicts").run(alone)


def test_the_terminal_shows_a_table(alone: Store) -> None:
    done = CliRunner().invoke(cli.app, ["--db", str(alone.path), "similarity", "--published", "human", "--published", "llama"])
    assert done.exit_code == 0
    assert "human" in done.stdout
    assert "Pearson correlation" in done.stdout


def test_json_has_no_nan(beside: Store) -> None:
    for basis in ("weights", "verdicts", "strengths"):
        json.dumps(JudgeSimilarity(basis=basis).run(beside).as_json(), allow_nan=False)


# -- the page ---------------------------------------------------------------------------------------------------------


def opened(store: Store, monkeypatch: pytest.MonkeyPatch, file: str, **words: str) -> AppTest:
    monkeypatch.setenv("JURYLENS_DB", str(store.path))
    app = AppTest.from_file(str(Path(cli.__file__).parent / "app.py"), default_timeout=60)
    app.switch_page(file)
    for name, value in words.items():
        app.query_params[name] = value
    found = app.run()
    assert not found.exception
    return found


@pytest.mark.every(2, "screen")
@pytest.mark.parametrize("screen", SCREENS, ids=lambda one: one.title)
def test_every_page_lives_without_judgments(alone: Store, monkeypatch: pytest.MonkeyPatch, screen) -> None:
    app = opened(alone, monkeypatch, screen.path, dataset="d")
    said = " ".join([*(one.value for one in app.main.markdown), *(one.value for one in app.main.info)])
    if screen.title == "Judges":
        assert "most like human" in said
    else:
        assert "published weights of 4 judges and no judgments" in said
    assert "Traceback" not in said


def test_the_page_says_who_is_nearest_and_keeps_its_choices(beside: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(beside, monkeypatch, "pages/judges.py", dataset="d")
    said = [one.value for one in app.main.markdown]
    assert any("the same verdict on" in text and "people and robot" in text for text in said)
    app = opened(beside, monkeypatch, "pages/judges.py", dataset="d", basis="weights", among="w_x", over="overall")
    said = [one.value for one in app.main.markdown]
    assert any("r of their weights" in text for text in said)
    assert app.query_params["among"] == "w_x"
    # What belongs to weights means nothing for verdicts, and takes nothing down.
    app = opened(beside, monkeypatch, "pages/judges.py", dataset="d", basis="verdicts", among="w_x")
    assert any("the same verdict on" in one.value for one in app.main.markdown)


def test_what_is_said_of_two_and_of_many(beside: Store) -> None:
    two = JudgeSimilarity(basis="verdicts", over="overall").run(beside)
    assert finding(two, "people").startswith("**people and robot: the same verdict on ")
    assert trust(two) == f"2 judges · {len(labels(judged()).dropna())} shared pairs · overall · 95 % intervals by prompt"
    many = JudgeSimilarity(basis="weights").run(beside)
    text = finding(many, "people")
    assert text.startswith("**Of 3 judges ")
    assert "most like people (r of their weights" in text
    assert trust(many).endswith("mean over scenarios · no intervals")
