"""The study `scenarios`: what it takes from a store, its promised keys, the pairs behind its rows, and its refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import cli
from data import queries
from data.imports import import_path
from data.queries.scenarios import counts_by_scenario, scenario_extent
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError
from studies import scenarios as module
from studies.by_scenario import run_by_scenario
from studies.examples import Examples
from studies.rank import Rank
from studies.scenarios import Scenarios
from ui import behind as links
from ui.sections.scenarios import behind
from ui.view import read_view

MODELS = ("heron", "wren", "ibis", "crane", "loon")
STRENGTH = dict(zip(MODELS, (0.6, 0.3, 0.0, -0.3, -0.6), strict=True))
KINDS = ("plan", "code", "poem", None)


def rows(prompts: int = 120, judges: tuple[str, ...] = ("people", "gpt"), seed: int = 3) -> list[dict[str, object]]:
    """Judgments on prompts of three scenarios and of none; in `poem` the wren is far weaker for people."""
    rng = np.random.default_rng(seed)
    out: list[dict[str, object]] = []
    for prompt in range(prompts):
        scenario = KINDS[prompt % 4]
        for _ in range(6):
            a, b = (str(name) for name in rng.choice(MODELS, 2, replace=False))
            for judge in judges:
                here = STRENGTH | ({"wren": -1.2} if scenario == "poem" and judge == "people" else {})
                p = 1 / (1 + np.exp(here[b] - here[a]))
                won = "tie" if rng.random() < 0.1 else "a" if rng.random() < p else "b"
                out.append(
                    {
                        "prompt": f"p{prompt}", "scenario": scenario, "model_a": a, "model_b": b, "judge": judge,
                        "judge_kind": "human" if judge == "people" else "llm", "winner": won,
                        "response_a": f"{a} on {prompt} {len(out)}", "response_b": f"{b} on {prompt} {len(out)}",
                    }
                )  # fmt: skip
    return out


def stored(folder: Path, given: list[dict[str, object]]) -> Store:
    folder.mkdir(exist_ok=True)
    pd.DataFrame(given).to_csv(folder / "d.csv", index=False)
    store = Store(folder / "s.duckdb")
    report = import_path(store, folder / "d.csv", "d")
    assert report.accepted == len(given)
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("scenarios") / "all", rows())


def test_the_json_keys(store: Store) -> None:
    content = Scenarios().run(store).as_json()
    assert set(content) == {
        "settings", "scenarios", "heterogeneity", "thin", "judges", "warnings", "caption", "fingerprint",
    }  # fmt: skip
    assert set(content["scenarios"][0]) == {
        "judge", "scenario", "model", "strength", "se", "lower", "upper", "rank", "pooled", "pooled_lower",
        "pooled_upper", "pooled_rank", "departure", "departure_lower", "departure_upper", "judgments", "prompts",
    }  # fmt: skip
    assert {"judge", "model", "tau", "tau_lower", "tau_upper", "p", "q"} <= set(content["heterogeneity"][0])
    assert "NaN" not in json.dumps(content)
    assert {row["judge"] for row in content["scenarios"]} == {"people", "gpt"}
    assert list(dict.fromkeys(row["scenario"] for row in content["scenarios"])) == ["code", "plan", "poem"]


def test_what_was_planted_is_found_and_nothing_else(store: Store) -> None:
    result = Scenarios().run(store)
    models = result.table("heterogeneity").query("judge == 'people'")
    assert models["model"].iloc[0] == "wren"
    assert float(models["q"].iloc[0]) < 0.001
    assert result.table("judges").set_index("judge").loc["gpt", "differ"] == 0
    wren = result.table().query("judge == 'people' and scenario == 'poem' and model == 'wren'")
    assert wren["pooled_rank"].tolist() == [5]
    assert float(wren["departure_upper"].iloc[0]) < 0
    assert "left out: 360 judgments without a scenario" in result.warnings


def test_raw_strengths_are_those_of_each_scenario_alone(store: Store) -> None:
    ours = Scenarios(judge=("gpt",)).run(store).table().set_index(["scenario", "model"])
    alone = run_by_scenario(Rank(judge=("gpt",)), store).table("ranking").set_index(["scenario", "model"])
    for name in ("strength", "se", "lower", "upper", "judgments"):
        wanted = alone[name].reindex(ours.index).astype(float)
        assert ours[name].astype(float).to_numpy() == pytest.approx(wanted.to_numpy(), abs=1e-8)
    assert ours["rank"].tolist() == alone["rank"].reindex(ours.index).tolist()


def test_a_judge_alone_gives_its_rows_of_all(store: Store) -> None:
    whole, alone = Scenarios().run(store), Scenarios(judge=("gpt",)).run(store)
    for name in ("scenarios", "heterogeneity", "thin"):
        of_all = whole.table(name)
        part = of_all[of_all["judge"] == "gpt"].reset_index(drop=True)
        # DuckDB's threads add sums up in no fixed order.
        assert part.to_json(double_precision=8) == alone.table(name).to_json(double_precision=8)


@pytest.mark.parametrize("words", [{}, {"ties": ["drop"]}, {"scenario": ["code", "poem"]}, {"model": list(MODELS[:4])}])
def test_a_row_opens_the_judgments_that_it_counts(store: Store, words: dict[str, list[str]]) -> None:
    view = read_view({"dataset": ["d"]} | words, store)
    table = replace(Scenarios.from_parameters(view.words())[0], judge=("people",)).run(store).table()
    for row in table.to_dict("records"):
        there = links.study_of(view, behind(row))
        assert isinstance(there, Examples)
        values = there.run(store).values
        assert (values["judgments"], values["prompts"]) == (row["judgments"], row["prompts"])


def test_counts_against_the_rows_of_the_file(store: Store) -> None:
    given = pd.DataFrame(rows())
    with store.reading() as con:
        names = queries.catalog(con, "d")
        condition = queries.where(Scenarios(dataset="d", judge=("gpt",)).resolve(store), names, "half")
        counts = counts_by_scenario(con, condition, ("prompt",)).frame
        extent = scenario_extent(con, condition)
    theirs = given[(given["judge"] == "gpt") & given["scenario"].notna()]
    assert extent["judgments"] == counts["n"].sum() == len(theirs) == 540
    assert extent["unlabelled"] == 180
    assert extent["prompts"] == len(np.unique(counts["prompt"])) == 90
    for name, number in names.scenarios.items():
        here = counts["scenario"] == number
        ours = pd.DataFrame({k: counts[k][here] for k in ("a", "b", "score", "n")})
        won = theirs[theirs["scenario"] == name]
        score = won["winner"].map({"a": 1.0, "b": 0.0, "tie": 0.5})
        for model, code in names.models.items():
            mine = ours["score"][ours["a"] == code].sum() + (ours["n"] - ours["score"])[ours["b"] == code].sum()
            wanted = score[won["model_a"] == model].sum() + (1 - score)[won["model_b"] == model].sum()
            assert mine == pytest.approx(wanted)


def test_weights_and_soft_preferences_enter(tmp_path: Path) -> None:
    """A weight of 2 is two judgments of the same prompt; p_a = .75 is three wins and one loss of weight 1/4."""
    given = [{k: v for k, v in row.items() if k != "winner"} | {"p_a": 0.75 if k % 3 else 0.2, "weight": 1.0 + k % 2}
             for k, row in enumerate(rows(60, ("gpt",)))]  # fmt: skip
    split = []
    for row in given:
        p = float(row["p_a"])  # type: ignore[arg-type]
        split += [row | {"p_a": 1.0, "weight": row["weight"] * p}, row | {"p_a": 0.0, "weight": row["weight"] * (1 - p)}]  # type: ignore[operator]
    one, two = (Scenarios().run(stored(tmp_path / name, g)).table() for name, g in (("soft", given), ("hard", split)))
    for name in ("strength", "se", "pooled", "pooled_lower"):
        assert one[name].astype(float).to_numpy() == pytest.approx(two[name].astype(float).to_numpy(), abs=1e-7)
    assert (2 * one["judgments"]).tolist() == two["judgments"].tolist()


def test_thin_scenarios_are_pooled_and_named(tmp_path: Path) -> None:
    given = [row for row in rows(200, ("gpt",)) if row["scenario"] != "poem" or str(row["prompt"]) in ("p2", "p6")]
    result = Scenarios().run(stored(tmp_path, given))
    [thin] = result.table("thin").to_dict("records")
    assert (thin["scenario"], thin["prompts"]) == ("poem", 2)
    assert thin["reason"] == "2 prompts"
    table = result.table()
    assert table["pooled_lower"].notna().all()
    width = (table["pooled_upper"] - table["pooled_lower"]).groupby(table["scenario"]).mean()
    assert width["poem"] > 1.1 * width["code"]


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_a_dataset_without_scenarios(tmp_path: Path) -> None:
    bare = [{k: v for k, v in row.items() if k != "scenario"} for row in rows(12)]
    with pytest.raises(EmptySelectionError, match=r"'d' knows no scenarios: .* needs the column `scenario`"):
        Scenarios().run(stored(tmp_path, bare))


def test_one_scenario_is_said_once_for_all_judges(store: Store) -> None:
    with pytest.raises(NotIdentifiedError, match=r"^only one scenario holds judgments .* two or more$"):
        Scenarios(scenario=("code",)).run(store)


def test_a_scenario_with_one_model_is_named(tmp_path: Path) -> None:
    """Its only judgments are of a model against one that the overall ranking does not hold."""
    given = rows(80, ("gpt",))
    for row in given:
        if row["scenario"] == "poem":
            row |= {"model_a": "heron", "model_b": "eagle", "winner": "b"}
    result = Scenarios().run(stored(tmp_path, given))
    [thin] = result.table("thin").to_dict("records")
    assert (thin["scenario"], thin["reason"]) == ("poem", "no judgment of these models: not shown")
    assert "1 model without an overall strength is left out: eagle (won all 120 of its judgments)" in result.warnings
    assert set(result.table()["scenario"]) == {"code", "plan"}
    assert result.table("judges")["left_out"].tolist() == [1]


def test_a_judge_without_judgments_is_said_and_the_others_ranked(tmp_path: Path) -> None:
    given = [row for row in rows() if row["judge"] == "people" or row["scenario"] == "code"]
    store = stored(tmp_path, given)
    result = Scenarios(scenario=("plan", "poem")).run(store)
    assert result.warnings[0] == "gpt: no judgment with a scenario in this selection"
    assert set(result.table()["judge"]) == {"people"}
    assert Scenarios().run(store).warnings[0].startswith("gpt: only one scenario holds judgments")
    with pytest.raises(EmptySelectionError, match="widen it"):
        Scenarios(judge=("gpt",), scenario=("plan", "poem")).run(store)


def test_a_model_that_wins_everything_in_all_scenarios(tmp_path: Path) -> None:
    given = [row | {"winner": "a" if row["model_a"] == "heron" else "b"} if "heron" in (row["model_a"], row["model_b"])
             else row for row in rows(80, ("gpt",))]  # fmt: skip
    result = Scenarios().run(stored(tmp_path, given))
    assert set(result.table()["model"]) == set(MODELS) - {"heron"}
    assert "heron (won all 161 of its judgments)" in " ".join(result.warnings)


def test_all_ties_say_nothing_of_noise(tmp_path: Path) -> None:
    store = stored(tmp_path, [row | {"winner": "tie"} for row in rows(60, ("gpt",))])
    with pytest.raises(EmptySelectionError, match="widen it"):
        Scenarios(ties="drop").run(store)
    with pytest.raises(NotIdentifiedError, match="every verdict is what its strengths expect"):
        Scenarios().run(store)


def test_few_prompts_are_no_scenarios(tmp_path: Path) -> None:
    """Three scenarios of one prompt each: between them differs whatever differs between three prompts."""
    given = [row | {"prompt": f"the {row['scenario']}"} for row in rows(judges=("gpt",)) if row["scenario"]]
    store = stored(tmp_path, given)
    result = Scenarios().run(store)
    assert result.settings["clustering"] == "pair"
    assert any("a median of 1 prompt, and intervals and tests take no account of prompts" in w for w in result.warnings)
    with pytest.raises(NotIdentifiedError, match="each scenario has one prompt only"):
        Scenarios(cluster="prompt").run(store)


def test_many_models_are_refused_before_the_work(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 4)
    with pytest.raises(NotIdentifiedError, match=r"at most 4 models are ranked .* these are 5: choose some"):
        Scenarios().run(store)
    assert set(Scenarios(model=MODELS[:4]).run(store).table()["model"]) == set(MODELS[:4])


def test_ties_as_outcomes_are_for_rank(store: Store) -> None:
    with pytest.raises(OptionError, match="--ties davidson is for rankings"):
        Scenarios(ties="davidson").run(store)


def test_the_command(store: Store) -> None:
    done = CliRunner().invoke(cli.app, ["--db", str(store.path), "scenarios", "--judge", "people", "-o", "csv"])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("judge,scenario,model,strength,se,lower,upper,rank,pooled,")
    assert len(done.stdout.strip().splitlines()) == 1 + 3 * 5
