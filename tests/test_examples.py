"""Does each link from a number open exactly the pairs counted in it, and are pairs shown whole and in order?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from cli import app as commands
from data import queries
from data.imports import import_path
from data.model import silent
from data.queries.examples import COUNTED, PairsBehind
from data.store import Store
from errors import EmptySelectionError, OptionError, UnknownNameError
from studies.compare import Compare
from studies.coverage import Coverage
from studies.examples import Examples
from studies.examples_words import what_is_listed
from studies.health import Health
from studies.rank import Rank
from ui import behind as links
from ui.examples import OWN, impossible
from ui.navigation import SCREENS
from ui.view import View, read_view

MODELS = ("heron", "wren", "ibis", "crane")


def rows_of_everything() -> pd.DataFrame:
    """Judgments of every kind that a number may or may not count: three judges, ties, refusals, two criteria, two
    variants, pairs of one model, of no models, prompts of no scenario, a model that only wins, two that met nobody."""
    rng = np.random.default_rng(7)
    rows = []

    def add(prompt: int, a: str | None, b: str | None, judge: str, **more: object) -> None:
        # People and gpt would order the models the other way round, so that places change.
        first = {"people": 0.44, "gpt": 0.26}.get(judge, 0.35)
        outcome = rng.choice(["a", "b", "tie", "both_bad", "refused"], p=[first, 0.7 - first, 0.14, 0.06, 0.1])
        order = rng.choice(["true", "false", ""], p=[0.4, 0.4, 0.2])
        rows.append(
            {"prompt": f"prompt {prompt}", "scenario": (None, "poem", "code")[prompt % 3], "model_a": a, "model_b": b,
             "response_a": f"{a} says A of {prompt}", "response_b": f"{b} says B of {prompt}", "judge": judge,
             "judge_kind": "human" if judge == "people" else "llm", "annotator": None, "winner": outcome,
             "swapped": order, "criterion": "overall", "variant": "plain",
             "judged_at": f"2026-01-{1 + prompt % 28:02}"} | more
        )  # fmt: skip

    for prompt, (a, b) in itertools.product(range(36), itertools.combinations(MODELS, 2)):
        if rng.random() < 0.5:
            continue
        for annotator in rng.choice(["ann", "bob", "cat", "dan"], rng.integers(0, 4), replace=False):
            add(prompt, a, b, "people", annotator=annotator)
        if rng.random() < 0.3:
            add(prompt, a, b, "people", criterion="clarity")
            add(prompt, a, b, "people", variant="pirate")
        for judge in ("gpt", "gemma"):
            if rng.random() < 0.7:
                add(prompt, a, b, judge)
            if rng.random() < 0.2:
                add(prompt, a, b, judge, criterion="clarity")
            if rng.random() < 0.2:
                add(prompt, a, b, judge, variant="pirate")
    for prompt in range(6):
        for judge in ("people", "gpt", "gemma"):
            add(prompt, "eagle", MODELS[prompt % 4], judge, winner="a")
            add(prompt, "emu", "kiwi", judge)
            add(prompt, "heron", "heron", judge)
            add(prompt, None, None, judge)
    # Two votes alike of people without a name.
    add(40, "heron", "wren", "people", winner="a", swapped="false")
    add(40, "heron", "wren", "people", winner="a", swapped="false")
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return rows_of_everything()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, rows: pd.DataFrame) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("examples")
    rows.to_csv(folder / "d.csv", index=False)
    found = Store(folder / "s.duckdb")
    report = import_path(found, folder / "d.csv", "d")
    assert report.accepted == len(rows)
    # Held open: a lease beside another costs next to nothing.
    with found.reading():
        yield found


SELECTIONS = {
    "all": {},
    "ties dropped": {"ties": ["drop"]},
    "one scenario, three models": {"scenario": ["poem"], "model": ["heron", "wren", "ibis"]},
    "criterion": {"criterion": ["clarity"], "cluster": ["pair"]},
    "variant": {"variant": ["pirate"], "cluster": ["pair"]},
    "some days, two judges": {"since": ["2026-01-03"], "until": ["2026-01-20"], "judge": ["gpt", "people"],
                              "ties": ["drop"]},
}


@pytest.fixture(params=SELECTIONS, scope="module")
def view(request: pytest.FixtureRequest, store: Store) -> View:
    found = read_view({"dataset": ["d"]} | SELECTIONS[request.param], store)
    assert found.dropped == ()
    return found


def opened(store: Store, view: View, behind: PairsBehind) -> dict[str, int]:
    """What stands on the page that a link opens: the address goes through the view of that page, as in a browser."""
    asked = links.study_of(view, behind)
    words: dict[str, list[str]] = {}
    for key, value in links.navigation.query(view, **behind.words()):
        words.setdefault(key, []).append(value)
    screen = next(s for s in SCREENS if s.url == "examples")
    there = read_view(words, store, screen.words)
    assert there.dropped == ()
    study, gone = Examples.from_parameters(there.words() | dict(there.extra))
    study = replace(study, criterion=there.study.criterion)
    assert gone == []
    assert there.names is not None
    assert impossible(study, there.names) == []
    study = replace(study, limit=1).resolve(store)
    # The label of the link is counted by the very study that the page runs.
    assert replace(asked, limit=1).resolve(store) == study
    try:
        page = study.answer(store, silent).values
    except EmptySelectionError:
        return {"pairs": 0, "judgments": 0}
    return {name: page[name] for name in ("pairs", "judgments")}


def study_in(view: View, cls: type, **more: object):
    study, _ = cls.from_parameters(view.words())
    return replace(study, criterion=view.study.criterion, **more)


# -- the rule: a link opens the pairs that its number counts ------------------------------------------------------------


def test_flips_open_the_pairs_that_both_judges_judged(store: Store, view: View) -> None:
    reference, judge = view.judges[0], view.judges[1]
    result = study_in(view, Compare, judge=(reference, judge)).run(store)
    flips = result.table("flips")
    for row in flips.to_dict("records"):
        there = opened(store, view, PairsBehind((reference, judge), True, between=(row["model_1"], row["model_2"])))
        assert there["pairs"] == row["pairs"]
        assert there["judgments"] == row["judgments"]
    counted = result.table("judges").iloc[0]
    assert opened(store, view, links.shared_by(reference, judge)) == {"pairs": counted["pairs"],
                                                                      "judgments": counted["judgments"]}  # fmt: skip


def test_there_are_flips_to_test(store: Store) -> None:
    view = read_view({"dataset": ["d"]}, store)
    assert len(study_in(view, Compare, judge=("people", "gpt")).run(store).table("flips")) > 0


def test_rows_of_a_ranking_open_what_they_count(store: Store, view: View) -> None:
    result = study_in(view, Rank).run(store)
    ranking = result.table("ranking")
    for row in ranking.to_dict("records"):
        there = opened(store, view, links.ranked_by(row["judge"], row))
        assert there["judgments"] == row["judgments"], (row["judge"], row["model"])
    for row in result.table("judges").to_dict("records"):
        assert opened(store, view, PairsBehind((row["judge"],), fitted=True))["judgments"] == row["judgments"]


def test_rankings_here_have_models_without_a_strength(store: Store) -> None:
    ranking = Rank(dataset="d").run(store).table("ranking")
    without = set(ranking.loc[ranking["strength"].isna(), "model"])
    assert {"eagle"} <= without <= {"eagle", "emu", "kiwi"}
    assert "heron" not in without


@pytest.mark.parametrize("ties", ["half", "drop"])
def test_a_compared_model_opens_its_shared_pairs(store: Store, rows: pd.DataFrame, ties: str) -> None:
    view = read_view({"dataset": ["d"], "ties": [ties]}, store)
    models = study_in(view, Compare, judge=("people", "gpt")).run(store).table("models")
    kept = set(models["model"])
    fit = rows[(rows["criterion"] == "overall") & (rows["variant"] == "plain") & (rows["winner"] != "refused")]
    fit = fit[fit["model_a"].isin(kept) & fit["model_b"].isin(kept) & (fit["model_a"] != fit["model_b"])]
    if ties == "drop":
        fit = fit[fit["winner"].isin(["a", "b"])]
    pair = ["prompt", "response_a", "response_b"]
    both = fit.groupby(pair)["judge"].agg(set).map(lambda judges: {"people", "gpt"} <= judges)
    fit = fit.set_index(pair)[both.reindex(pd.MultiIndex.from_frame(fit[pair])).to_numpy()].reset_index()
    for model in kept:
        mine = fit[(fit["model_a"] == model) | (fit["model_b"] == model)]
        mine = mine[mine["judge"].isin(["people", "gpt"])]
        there = opened(store, view, links.shared_by("people", "gpt", model))
        assert there == {"pairs": len(mine.drop_duplicates(pair)), "judgments": len(mine)}
        assert there["pairs"] > 0


def test_cells_of_who_judged_what_open_their_judgments(store: Store, view: View) -> None:
    table = study_in(view, Coverage).run(store).table()
    assert len(table) > 2
    for row in table.to_dict("records"):
        assert opened(store, view, links.of_cell(row))["judgments"] == row["judgments"]


def test_findings_of_the_health_check_open_what_they_count(store: Store, view: View) -> None:
    assert view.names is not None
    table = study_in(view, Health).run(store).table()
    linked = 0
    for row in table.to_dict("records"):
        found = links.of_finding(row, view.names)
        if found is not None:
            linked += 1
            assert opened(store, view, found)["judgments"] == row["n"], row
    assert linked == 5  # no verdict by three judges, unknown order, identical rows


def test_a_row_of_one_criterion_opens_what_was_said_on_it(store: Store, view: View, rows: pd.DataFrame) -> None:
    asked = rows[(rows["criterion"] == "clarity") & (rows["variant"] == view.study.variant)]
    if view.study.scenario:
        asked = asked[asked["scenario"].isin(view.study.scenario)]
    if view.study.model:
        asked = asked[asked["model_a"].isin(view.study.model) & asked["model_b"].isin(view.study.model)]
    if view.study.since is not None:
        asked = asked[asked["judged_at"].between(view.study.since, view.study.until)]
    for judges in (("gpt",), ("people", "gpt")):
        mine = asked[asked["judge"].isin(judges)]
        shared = mine.groupby(["prompt", "model_a", "model_b"], dropna=False)["judge"].transform("nunique") == len(judges)
        there = opened(store, view, PairsBehind(judges, shared=True, counted="all", criterion="clarity"))
        assert there["judgments"] == int(shared.sum())


def test_everything_is_the_whole_dataset(store: Store, view: View, rows: pd.DataFrame) -> None:
    assert view.names is not None
    assert view.facts is not None
    there = opened(store, view, links.of_everything(view.names))
    assert there == {"pairs": view.facts.pairs, "judgments": view.facts.judgments}
    assert there["judgments"] == len(rows)


CAUSES = {"no verdict (refused or invalid)": "no-verdict", "two texts of one model": "one-model",
          "without two named models": "unnamed", "ties": "ties"}  # fmt: skip


def test_what_rankings_leave_out_can_be_read(store: Store, view: View) -> None:
    study = study_in(view, Rank).resolve(store)
    with store.reading() as con:
        names = queries.catalog(con, "d")
        left_out = queries.left_out(con, study, names, study.ties)
        ranked = queries.extent(con, queries.where(study, names, study.ties))
    for cause, n in left_out.items():
        there = opened(store, view, PairsBehind(study.judge, counted=CAUSES[cause]))
        assert there["judgments"] == n, cause
    assert opened(store, view, PairsBehind(study.judge))["pairs"] == ranked["pairs"]
    # Every judgment is ranked or left out for one cause.
    total = opened(store, view, PairsBehind(study.judge, counted="all"))["judgments"]
    assert ranked["judgments"] + sum(left_out.values()) == total


def test_pairs_with_and_without_human_votes_part_a_judges_pairs(store: Store, view: View) -> None:
    labelled = opened(store, view, PairsBehind(("people", "gpt"), shared=True))
    unlabelled = opened(store, view, PairsBehind(("gpt",), lacking=("people",)))
    assert labelled["pairs"] + unlabelled["pairs"] == opened(store, view, PairsBehind(("gpt",)))["pairs"]


def test_a_model_against_a_baseline_in_a_scenario(store: Store, rows: pd.DataFrame) -> None:
    view = read_view({"dataset": ["d"], "ties": ["drop"], "scenario": ["code"]}, store)
    mine = rows[(rows["scenario"] == "poem") & (rows["judge"] == "gpt") & rows["winner"].isin(["a", "b"])
                & (rows["criterion"] == "overall") & (rows["variant"] == "plain")]  # fmt: skip
    met = mine[[{"wren", "crane"} == {a, b} for a, b in zip(mine["model_a"], mine["model_b"], strict=True)]]
    assert len(met) > 0
    # A link may name its own scenario and ties, whatever the sidebar says.
    there = opened(store, view, PairsBehind(("gpt",), between=("wren", "crane"), scenario="poem"))
    assert there["judgments"] == len(met)
    there = opened(store, view, PairsBehind(("gpt",), between=("crane", "wren"), scenario="poem", ties="half"))
    assert there["judgments"] > len(met)


def test_the_words_of_a_link_are_options_of_the_study() -> None:
    everything = PairsBehind(("people", "gpt"), True, "given", "drop", ("a", "b"), "m", True, "s", ("gemma",), True, True)
    study, gone = Examples.from_parameters(everything.words() | {"scenario": ["s"]})
    assert gone == []
    assert (study.judge, study.shared, study.counted, study.ties) == (("people", "gpt"), True, "given", "drop")
    assert (study.between, study.with_model, study.fitted) == (("a", "b"), "m", True)
    assert (study.lacking, study.all_criteria, study.unlabelled) == (("gemma",), True, False)
    assert Examples.from_parameters(PairsBehind(scenario="").words())[0].unlabelled
    listed = Examples.from_parameters(PairsBehind(only=(7, 3)).words())[0]
    assert (listed.only, listed.order) == ((7, 3), "given")
    page = next(s for s in SCREENS if s.url == "examples").words
    assert set(OWN) | {"pair", "mark"} == set(page)


def test_a_list_of_pairs_in_its_own_order(store: Store) -> None:
    whole = [int(pair) for pair in Examples(order="pair", limit=9).run(store).table()["pair"]]
    some = (whole[7], whole[2], whole[4])
    found = Examples(only=some, order="given").run(store)
    assert tuple(found.table()["pair"]) == some
    assert "of a list of 3" in found.caption
    assert "in the order of the list" in found.caption
    assert list(Examples(only=some, order="pair").run(store).table()["pair"]) == sorted(some)
    # A number that no pair of this selection has is passed over.
    assert Examples(only=(*some, 10**9), order="given").run(store).values["pairs"] == 3
    with pytest.raises(OptionError, match="say which pairs"):
        Examples(order="given").run(store)


# -- what judges say ----------------------------------------------------------------------------------------------------


HAND = """prompt,scenario,model_a,model_b,response_a,response_b,judge,judge_kind,annotator,p_a,swapped,reason
p1,poem,x,y,one,two,people,human,ann,1,false,
p1,poem,x,y,one,two,people,human,bob,1,true,
p1,poem,x,y,one,two,people,human,cat,0,true,because
p1,poem,x,y,one,two,gpt,llm,,0,false,
p2,poem,x,y,eins,zwei,people,human,ann,1,false,
p2,poem,x,y,eins,zwei,people,human,ann,0,true,
p2,poem,x,y,eins,zwei,gpt,llm,,.5,false,
p3,code,y,x,un,deux,people,human,ann,1,false,
p3,code,y,x,un,deux,people,human,bob,0,false,
p3,code,y,x,un,deux,gpt,llm,,.8,false,
p3,code,y,x,un,deux,gpt,llm,,.6,true,
p4,code,y,z,uno,dos,gpt,llm,,1,false,
p5,,x,y,same,same,people,human,,1,false,
p5,,x,y,same,same,people,human,,1,false,
p5,,x,y,same,same,gpt,llm,,0,false,
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("small")
    (folder / "h.csv").write_text(HAND)
    store = Store(folder / "s.duckdb")
    assert import_path(store, folder / "h.csv", "h").accepted == 15
    return store


def prompts(result: object) -> list[str]:
    return list(result.table()["prompt"])  # type: ignore[attr-defined]


def test_summaries_by_hand(small: Store) -> None:
    result = Examples(order="pair").run(small)
    judges = result.table("judges").set_index(["pair", "judge"])
    said = {key: tuple(judges.loc[key, ["judgments", "a", "b", "tie", "majority"]]) for key in judges.index}
    p1, p2, p3, p4, p5 = result.table()["pair"]
    # One person's two orders of p2 contradict each other: a tie. Of p3 people have no unique majority.
    assert said == {
        (p1, "people"): (3, 2, 1, 0, "a"), (p1, "gpt"): (1, 0, 1, 0, "b"),
        (p2, "people"): (2, 0, 0, 1, "tie"), (p2, "gpt"): (1, 0, 0, 1, "tie"),
        (p3, "people"): (2, 1, 1, 0, "split"), (p3, "gpt"): (2, 1, 0, 0, "a"),
        (p4, "gpt"): (1, 1, 0, 0, "a"),
        (p5, "people"): (2, 2, 0, 0, "a"), (p5, "gpt"): (1, 0, 1, 0, "b"),
    }  # fmt: skip
    assert judges.loc[(p3, "gpt"), "share_a"] == pytest.approx(0.7)
    assert result.table()["verdicts"].tolist()[:2] == ["people: 2 a, 1 b; gpt: b", "people: tie; gpt: tie"]


def test_every_verdict_is_listed(small: Store) -> None:
    verdicts = Examples().run(small).table("verdicts")
    assert int(verdicts["n"].sum()) == 15
    assert list(verdicts.loc[verdicts["reason"].notna(), "annotator"]) == ["cat"]
    # The two unnamed votes alike are one row of two.
    assert sorted(verdicts["n"])[-2:] == [1, 2]


def test_the_strongest_disagreement_comes_first(small: Store) -> None:
    # |people - gpt|: p5 1 (3 judgments), p1 2/3, p3 .2, p2 0; p4 has no people.
    result = Examples().run(small)
    assert prompts(result) == ["p5", "p1", "p3", "p2", "p4"]
    assert prompts(Examples(order="pair").run(small)) == ["p1", "p2", "p3", "p4", "p5"]
    assert prompts(Examples(judge=("gpt",)).run(small)) == ["p1", "p2", "p3", "p4", "p5"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"disagree": "opposite"}, ["p1", "p5"]),
        ({"disagree": "any"}, ["p1", "p5"]),
        ({"disagree": "any", "disagreeing": ("gpt", "people")}, ["p1", "p5"]),
        ({"outcome": "a"}, ["p1", "p5"]),
        ({"outcome": "b", "by": "gpt"}, ["p1", "p5"]),
        ({"outcome": "tie"}, ["p2"]),
        ({"outcome": "split"}, ["p3"]),
        ({"outcome": "won", "with_model": "y", "by": "gpt"}, ["p1", "p3", "p4", "p5"]),
        ({"outcome": "lost", "between": ("y", "x"), "by": "people"}, ["p1", "p5"]),
        ({"outcome": "both_bad"}, []),
        ({"with_model": "z"}, ["p4"]),
        ({"between": ("y", "x"), "scenario": ("code",)}, ["p3"]),
        ({"unlabelled": True}, ["p5"]),
        ({"shared": True}, ["p1", "p2", "p3", "p5"]),
        ({"judge": ("gpt",), "lacking": ("people",)}, ["p4"]),
        ({"counted": "identical"}, ["p5"]),
        ({"counted": "ties"}, ["p2"]),
        ({"fitted": True, "judge": ("people",), "counted": "ranked"}, ["p1", "p2", "p3", "p5"]),
    ],
)
def test_filters_by_hand(small: Store, options: dict[str, object], expected: list[str]) -> None:
    study = Examples(order="pair", **options)  # type: ignore[arg-type]
    if not expected:
        with pytest.raises(EmptySelectionError, match=r"there are no pairs judged by people or gpt, where people call both bad"):
            study.run(small)
        return
    assert prompts(study.run(small)) == expected


def test_a_tie_against_a_side_differs_but_is_not_opposite(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(HAND.replace("p2,poem,x,y,eins,zwei,gpt,llm,,.5", "p2,poem,x,y,eins,zwei,gpt,llm,,.6"))
    store = Store(tmp_path / "s.duckdb")
    import_path(store, tmp_path / "t.csv", "t")
    assert prompts(Examples(order="pair", disagree="opposite").run(store)) == ["p1", "p5"]
    assert prompts(Examples(order="pair", disagree="any").run(store)) == ["p1", "p2", "p5"]


def test_exchanging_a_and_b_changes_no_pair_and_no_order(tmp_path: Path, small: Store) -> None:
    frame = pd.read_csv(Path(small.path).with_name("h.csv"))
    names = {f"{what}_{one}": f"{what}_{two}" for what in ("model", "response") for one, two in ("ab", "ba")}
    turned = frame.rename(columns=names)
    turned["p_a"], turned["swapped"] = 1 - turned["p_a"], ~turned["swapped"]
    turned.to_csv(tmp_path / "t.csv", index=False)
    store = Store(tmp_path / "s.duckdb")
    import_path(store, tmp_path / "t.csv", "t")
    for options in ({}, {"disagree": "any"}, {"outcome": "won", "with_model": "x"}, {"outcome": "split"}):
        one, two = Examples(**options).run(small), Examples(**options).run(store)  # type: ignore[arg-type]
        assert prompts(one) == prompts(two)
        assert one.values["judgments"] == two.values["judgments"]


def test_judges_beside_the_selection_are_shown_and_marked(small: Store) -> None:
    judges = Examples(judge=("gpt",), between=("x", "y")).run(small).table("judges")
    assert set(judges.loc[judges["counted"], "judge"]) == {"gpt"}
    assert set(judges.loc[~judges["counted"], "judge"]) == {"people"}


# -- one after the other --------------------------------------------------------------------------------------------------


def test_a_walk_by_next_meets_every_pair_once_and_returns(store: Store) -> None:
    study = Examples(dataset="d", limit=1, disagree="opposite")
    whole = [int(pair) for pair in replace(study, limit=10_000).run(store).table()["pair"]]
    walked, at = [], study.run(store)
    while True:
        pair = int(at.table()["pair"].iloc[0])
        assert at.values["position"] == len(walked) + 1
        assert at.values["previous"] == (walked[-1] if walked else None)
        walked.append(pair)
        if at.values["next"] is None:
            break
        at = replace(study, pair=at.values["next"]).run(store)
    assert walked == whole
    assert len(walked) == at.values["pairs"] > 5


def test_limit_and_offset_cut_the_list(store: Store) -> None:
    whole = list(Examples(dataset="d", limit=1_000).run(store).table()["pair"])
    assert list(Examples(dataset="d", limit=7, offset=5).run(store).table()["pair"]) == whole[5:12]
    assert list(Examples(dataset="d", limit=2, pair=whole[9], offset=1).run(store).table()["pair"]) == whole[10:12]
    with pytest.raises(EmptySelectionError, match="only"):
        Examples(dataset="d", offset=100_000).run(store)


def test_a_new_judges_verdicts_are_not_hidden_by_an_answer_kept(small: Store, tmp_path: Path) -> None:
    study = Examples(judge=("gpt",), dataset="h")
    with small.reading() as con:
        names = queries.catalog(con, "h")
        before, of_gpt = study.stamp(con, names), Rank(judge=("gpt",)).stamp(con, names)
    (tmp_path / "more.csv").write_text("prompt,model_a,model_b,response_a,response_b,judge,winner\np9,x,y,q,r,gemma,a\n")
    import_path(small, tmp_path / "more.csv", "h")
    try:
        with small.reading() as con:
            names = queries.catalog(con, "h")
            assert study.stamp(con, names) != before
            assert Rank(judge=("gpt",)).stamp(con, names) == of_gpt
    finally:
        from data import datasets

        datasets.undo(small, "h", None)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"between": ("x",)}, OptionError, "two different models"),
        ({"between": ("x", "q")}, UnknownNameError, "no model in dataset 'h' is called 'q'"),
        ({"with_model": "q"}, UnknownNameError, "no model"),
        ({"lacking": ("nobody",)}, UnknownNameError, "no judge"),
        ({"disagree": "any", "judge": ("gpt",)}, EmptySelectionError, "needs two judges"),
        ({"disagreeing": ("gpt", "people")}, OptionError, "--disagree"),
        ({"disagree": "any", "disagreeing": ("gpt", "gpt")}, OptionError, "two different judges"),
        ({"by": "gpt"}, OptionError, "--outcome"),
        ({"outcome": "a", "by": "people", "judge": ("gpt",)}, OptionError, "not among the chosen judges"),
        ({"outcome": "won"}, OptionError, "which model"),
        ({"outcome": "loud"}, OptionError, "one of a, b, tie"),
        ({"pair": 4_000_000}, UnknownNameError, "not among the 5"),
        ({"limit": 0}, OptionError, "--limit"),
        ({"unlabelled": True, "scenario": ("poem",)}, OptionError, "--unlabelled"),
        ({"fitted": True, "judge": ("people", "gpt"), "with_model": "z"}, EmptySelectionError, "no pairs with z"),
    ],
)
def test_what_cannot_be_is_said(small: Store, options: dict[str, object], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        Examples(**options).run(small)  # type: ignore[arg-type]


def test_absent_texts_and_verdicts_alone_are_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("prompt_id,model_a,model_b,judge,winner\n1,x,y,people,a\n1,x,y,gpt,b\n2,x,y,gpt,refused\n")
    store = Store(tmp_path / "s.duckdb")
    import_path(store, tmp_path / "v.csv", "v")
    content = Examples().run(store).as_json()
    assert content["pairs"] == 2
    assert all("response_a" not in row and "prompt" not in row for row in content["examples"])
    assert content["examples"][0]["prompt_id"] == "1"
    assert content["examples"][1]["verdicts"] == "gpt: no verdict"
    assert [row.get("majority") for row in content["judges"]] == ["a", "b", None]


def test_every_way_of_counting_is_said_in_words(store: Store) -> None:
    with store.reading() as con:
        names = queries.catalog(con, "d")
    base = Examples(dataset="d").resolve(store)
    told = {what_is_listed(replace(base, counted=kind), 3, names) for kind in COUNTED}
    assert len(told) == len(COUNTED)
    full = replace(base, judge=("people", "gpt"), shared=True, fitted=True, counted="ranked", between=("heron", "wren"),
                   scenario=("poem",), disagree="opposite", outcome="won", by="people")  # fmt: skip
    assert what_is_listed(full, 1, names) == (
        "1 pair of heron and wren that people and gpt both judged, as rankings count them (ties count half), between "
        "models that get a strength from people and gpt, in poem, criterion overall, where people and gpt take opposite "
        "sides and people prefer heron"
    )


def test_the_command_prints_it(small: Store) -> None:
    run = CliRunner().invoke(commands, ["--db", str(small.path), "examples", "--disagree", "opposite", "-o", "csv"])
    assert run.exit_code == 0
    lines = run.stdout.splitlines()
    assert lines[0].startswith("pair,key,prompt_id,prompt,scenario,model_a,model_b,response_a,response_b,verdicts")
    assert len(lines) == 3
