"""The study `control` and the commands around it: defaults, what is left out and said, and every refusal's sentence."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import cli
from data.imports import import_path
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError, UnknownNameError
from studies.by_scenario import run_by_scenario
from studies.controls import Controls
from studies.extract import extract, to_measure, versions
from studies.factor_judgments import NotMeasuredError, measuring_command
from studies.factors_list import FactorsList

PAIRS = ((0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3))


def rows(prompts: int = 40, seed: int = 0, judges: tuple[str, ...] = ("people", "robot")) -> list[dict[str, object]]:
    """Four models, the later ones with more list items; `people` like lists, `robot` decides by chance."""
    rng = np.random.default_rng(seed)
    out: list[dict[str, object]] = []
    for prompt in range(prompts):
        texts = {m: "Sure.\n" + "- so\n" * int(rng.poisson(1 + m)) + f"{m} {prompt} " + "word " * int(rng.integers(0, 30)) for m in range(4)}
        for a, b in PAIRS:
            more = texts[a].count("- so") - texts[b].count("- so")
            for judge in judges:
                p = 1 / (1 + np.exp(-0.7 * more)) if judge == "people" else 0.5
                out.append(
                    {
                        "prompt": f"p{prompt}", "scenario": "even" if prompt % 2 == 0 else "odd", "model_a": f"m{a}",
                        "model_b": f"m{b}", "response_a": texts[a], "response_b": texts[b], "judge": judge,
                        "winner": "a" if rng.random() < p else "b", "tone_a": float(a) + prompt % 5, "tone_b": 1.0,
                    }
                )  # fmt: skip
    return out


def stored(folder: Path, given: list[dict[str, object]], measure: bool = True, name: str = "d") -> Store:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in given))
    # A test asks several questions of it: to open DuckDB takes longer than most.
    store = Store(folder / "s.duckdb", linger=5)
    import_path(store, path, name)
    if measure:
        extract(store, name)
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("control"), rows())


def test_what_is_held_equal_by_default(store: Store) -> None:
    result = Controls(judge=("people",)).run(store)
    assert result.study.factor == ("words", "lists", "headers", "bold", "citations")
    assert any(line.startswith("factor: words, lists") for line in result.taken)
    coefficients = result.table("coefficients").set_index("factor")
    assert list(coefficients.index) == ["words", "lists"]  # the texts have no headers, bold or citations
    assert coefficients.loc["lists", "q"] < 0.001
    assert coefficients.loc["lists", "effect"] > 60
    assert [w.split(" is not held")[0] for w in result.warnings] == ["'headers'", "'bold'", "'citations'"]
    models = result.table("models").set_index("model")
    # Whoever writes more lists wins more, and with lists held equal nobody is better.
    assert models.loc["m3", "raw"] > 0.3
    assert models["controlled"].abs().max() < 0.35
    assert result.values == {"judgments": 240, "incomplete": 0}


def test_the_json_keys(store: Store) -> None:
    content = Controls().run(store).as_json()
    assert set(content) == {
        "settings", "judgments", "incomplete", "models", "coefficients", "judges", "scales", "left_out", "warnings",
        "caption", "fingerprint",
    }  # fmt: skip
    assert {"judge", "model", "raw", "raw_rank", "controlled", "controlled_rank", "change", "change_lower", "q"} <= set(content["models"][0])
    assert {"judge", "factor", "weight", "se", "lower", "upper", "effect", "p", "q", "scale", "missing"} <= set(content["coefficients"][0])
    assert "NaN" not in json.dumps(content)
    assert {row["judge"] for row in content["models"]} == {"people", "robot"}


def test_a_judge_alone_gives_its_rows_of_all(store: Store) -> None:
    """q is adjusted judge by judge, so that a page that shows one judge says what the command says of all."""
    whole, alone = Controls().run(store), Controls(judge=("robot",)).run(store)
    for name in ("models", "coefficients"):
        of_all = whole.table(name)
        part = of_all[of_all["judge"] == "robot"].reset_index(drop=True)
        assert part.to_json(double_precision=9) == alone.table(name).to_json(double_precision=9)


def test_a_delivered_factor_is_held_equal_as_well(store: Store) -> None:
    result = Controls(judge=("people",), factor=("tone", "lists")).run(store)
    assert result.table("coefficients")["factor"].tolist() == ["tone", "lists"]
    scales = result.table("scales").set_index("factor")
    assert scales.loc["tone", "origin"] == "file"
    assert scales.loc["lists", "origin"] == "text"
    assert scales["pairs"].tolist() == [240, 240]


def test_the_scale_is_that_of_the_whole_dataset_in_every_scenario(store: Store) -> None:
    whole = Controls(judge=("people",)).run(store).table("coefficients").set_index("factor")
    by = run_by_scenario(Controls(judge=("people",)), store).table("coefficients")
    assert set(by["scenario"]) == {"even", "odd"}
    assert by[by["factor"] == "lists"]["scale"].tolist() == [whole.loc["lists", "scale"]] * 2


@pytest.mark.parametrize(("method", "note"), [("fastchat", "shrunk as published (FastChat)"), ("arena-rank", "shrunk strongly")])
def test_published_methods_say_how_they_shrink(store: Store, method: str, note: str) -> None:
    result = Controls(judge=("people",), normalisation=method).run(store)
    assert note in result.warnings[0]
    assert "Intervals cover the shrunk values" in result.warnings[0]
    assert "as published" in result.caption


def test_ties_as_an_outcome_of_their_own(tmp_path: Path) -> None:
    given = rows()
    for row in given[::7]:
        row["winner"] = "tie"
    store = stored(tmp_path, given)
    half, davidson = (Controls(judge=("people",), ties=t).run(store).table("coefficients") for t in ("half", "davidson"))
    assert half["factor"].tolist() == davidson["factor"].tolist()
    assert abs(davidson.loc[1, "weight"]) > abs(half.loc[1, "weight"])
    for row in given:
        row["p_a"] = {"a": 0.9, "b": 0.1, "tie": 0.5}[str(row["winner"])]
    (tmp_path / "soft").mkdir()
    soft = stored(tmp_path / "soft", given)
    with pytest.raises(OptionError, match="davidson takes wins, losses and ties only"):
        Controls(judge=("people",), ties="davidson").run(soft)
    assert len(Controls(judge=("people",)).run(soft).table("models")) == 4


def test_judgments_without_a_factor_are_left_out_of_both_and_counted(tmp_path: Path) -> None:
    given = rows(judges=("people",))
    for row in given[:12]:
        row["response_a"] = None
    result = Controls().run(stored(tmp_path, given))
    assert result.values == {"judgments": 228, "incomplete": 12}
    assert "12 of 240 judgments lack a factor of one of their responses and are left out" in result.warnings
    assert result.table("coefficients")["missing"].tolist() == [12, 12]
    assert result.table("judges")["judgments"].tolist() == [228]


def test_an_empty_text_has_no_words_and_is_said(tmp_path: Path) -> None:
    given = rows(judges=("people",))
    given[0]["response_a"] = ""
    store = stored(tmp_path, given)
    assert "1 response is an empty text of 0 words" in Controls().run(store).warnings
    assert FactorsList().run(store).warnings == ("1 response is an empty text of 0 words",)


def test_the_fingerprint_covers_the_factors(store: Store) -> None:
    prints = {Controls(judge=("people",), factor=f).run(store).fingerprint for f in (("words",), ("lists",), ("tone",), ("words", "lists"))}
    assert len(prints) == 4
    assert Controls(judge=("people",), factor=("lists", "words")).run(store).fingerprint in prints


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_texts_that_were_not_measured_are_named_with_the_command(tmp_path: Path) -> None:
    store = stored(tmp_path, rows(), measure=False)
    assert to_measure(store, "d") == len({r[f"response_{s}"] for r in rows() for s in "ab"})
    with pytest.raises(NotMeasuredError, match=r"160 texts of dataset 'd' have not been measured yet: run python cli\.py factors extract --dataset d"):
        Controls().run(store)
    with pytest.raises(NotMeasuredError, match="'bold' has not been measured yet"):
        Controls(factor=("bold",)).run(store)
    assert Controls(factor=("tone",), judge=("people",)).run(store).table("coefficients")["factor"].tolist() == ["tone"]
    extract(store, "d")
    assert to_measure(store, "d") == 0


def test_unknown_factors_are_named_with_their_neighbours(store: Store) -> None:
    with pytest.raises(UnknownNameError, match="no factor in dataset 'd' is called 'wrods': did you mean 'words'"):
        Controls(factor=("wrods",)).run(store)


def test_labels_are_no_numbers(tmp_path: Path) -> None:
    given = [row | {"kind_a": "warm", "kind_b": "cold"} for row in rows(5)]
    with pytest.raises(OptionError, match="kind: its values are labels, not numbers"):
        Controls(factor=("kind",)).run(stored(tmp_path, given))


def test_without_texts_and_factors_there_is_nothing_to_hold_equal(tmp_path: Path) -> None:
    bare = [{k: v for k, v in row.items() if k.split("_")[0] not in ("response", "tone")} for row in rows(5)]
    with pytest.raises(EmptySelectionError, match=r"has no texts to measure.*import a file with the columns response_a"):
        Controls().run(stored(tmp_path, bare))
    (tmp_path / "two").mkdir()
    with_tone = [{k: v for k, v in row.items() if k.split("_")[0] != "response"} for row in rows(5)]
    with pytest.raises(EmptySelectionError, match="choose with --factor, one of 'tone'"):
        Controls().run(stored(tmp_path / "two", with_tone))


def test_no_models_no_ranking(tmp_path: Path) -> None:
    bare = [{k: v for k, v in row.items() if k not in ("model_a", "model_b")} for row in rows(5)]
    store = stored(tmp_path, bare, measure=False)
    # Nor is anybody told to measure texts first.
    for position in (False, True):
        with pytest.raises(EmptySelectionError, match="names no models") as refused:
            Controls(position=position).run(store)
        assert not isinstance(refused.value, NotMeasuredError)
    extract(store, "d")
    with pytest.raises(EmptySelectionError, match="names no models"):
        Controls().run(store)


def test_the_command_that_measures_can_be_pasted_whatever_the_name(tmp_path: Path) -> None:
    store = stored(tmp_path, rows(5), measure=False, name="my votes; 'May'")
    told = measuring_command("my votes; 'May'")
    assert shlex.split(told)[-2:] == ["--dataset", "my votes; 'May'"]
    with pytest.raises(NotMeasuredError) as refused:
        Controls().run(store)
    assert str(refused.value).endswith(told)
    assert any(text.endswith(told) for text in FactorsList().run(store).warnings)


def test_one_model_pair_alone_in_a_scenario_is_still_answered_or_named(store: Store) -> None:
    with pytest.raises(EmptySelectionError, match="leaves no judgment"):
        Controls(model=("m0",)).run(store)


def test_a_judge_who_always_prefers_one_is_named_and_the_other_stays(tmp_path: Path) -> None:
    given = rows()
    for row in given:
        if row["judge"] == "robot":
            row["winner"] = "a" if str(row["model_a"]) > str(row["model_b"]) else "b"
    store = stored(tmp_path, given)
    result = Controls().run(store)
    assert set(result.table("models")["judge"]) == {"people"}
    assert any(w.startswith("robot: ") for w in result.warnings)
    with pytest.raises(NotIdentifiedError):
        Controls(judge=("robot",)).run(store)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"normalisation": "fastchat", "ties": "davidson"}, "--ties davidson: the published style controls know no such"),
        ({"normalisation": "arena-rank", "position": True}, "--position: the published style controls know no such"),
        ({"normalisation": "z"}, "--normalisation z: one of rms, fastchat, arena-rank"),
        ({"position": True}, "--position: this file does not record"),
        ({"cluster": "annotator"}, "name no annotators"),
    ],
)
def test_options_that_cannot_be(store: Store, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(OptionError, match=sentence):
        Controls(judge=("people",), **options).run(store)  # type: ignore[arg-type]


def test_ratios_need_values_from_0_on(tmp_path: Path) -> None:
    given = rows(5, judges=("people",))
    for row in given:
        row["tone_b"] = -1.0
    with pytest.raises(OptionError, match="divides by a \\+ b, so needs values from 0 on; 'tone' goes down to −1"):
        Controls(factor=("tone",), normalisation="fastchat").run(stored(tmp_path, given))


# --- factors list and the command line ----------------------------------------------------------------------------------


def test_the_list_names_every_factor_with_its_extent(store: Store) -> None:
    result = FactorsList().run(store)
    table = result.table("factors").set_index("factor")
    assert list(table.index) == [*versions(), "tone"]
    some = table.loc[["words", "lists", "headers", "bold", "citations", "tone"]]
    assert some["texts"].tolist() == [160] * 6
    assert some["missing"].tolist() == [0] * 6
    assert table.loc["tone", ["group", "origin"]].tolist() == ["delivered", "file"]
    assert table.loc["hedges", ["label", "range", "sentences"]].tolist() == ["Hedges", "from 0", 45]
    assert table.loc["hedges", ["precision", "recall"]].between(0.5, 1).all()
    assert table.loc[["words", "tone"], ["precision", "recall", "sentences"]].isna().all().all()
    assert table.loc[["sentiment", "empty", "tone"], "range"].tolist() == ["−1 to 1", "0 to 1", "any"]
    assert result.warnings == ()


def test_the_list_before_anything_was_measured(tmp_path: Path) -> None:
    result = FactorsList().run(stored(tmp_path, rows(5), measure=False))
    table = result.table("factors").set_index("factor")
    assert table.loc["words", ["texts", "missing"]].tolist() == [0, 20]
    assert "not measured yet: python cli.py factors extract --dataset d" in result.warnings[0]


def run(db: Path, *words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli.app, ["--db", str(db), *words])
    return done.exit_code, done.stdout, done.stderr


def test_extract_and_list_on_the_command_line(tmp_path: Path) -> None:
    store = stored(tmp_path, rows(5), measure=False)
    code, out, said = run(store.path, "factors", "extract", "-o", "json")
    assert (code, json.loads(out)["measured"]) == (0, 20)
    assert "20 texts measured" in said
    assert {"factor", "group", "unit", "texts", "missing"} <= set(json.loads(out)["factors"][0])
    code, out, said = run(store.path, "factors", "extract", "--dataset", "d", "-o", "json")
    assert json.loads(out)["measured"] == 0
    assert "every text was measured before" in said
    code, out, _ = run(store.path, "factors", "list", "-o", "csv")
    assert out.splitlines()[0].startswith("factor,group,unit,texts,missing")
    code, out, _ = run(store.path, "control", "--judge", "people", "--factor", "lists", "--factor", "words", "-o", "json")
    assert code == 0
    assert json.loads(out)["settings"]["factor"] == ["lists", "words"]
