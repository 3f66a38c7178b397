"""The study `factors trust`: its tables, its words, and what a page shows of it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

from charts.theme import theme
from charts.trust import trust_chart
from data.model import silent
from data.store import Store
from errors import EmptySelectionError, JurylensError
from studies.extract import extract
from studies.factors_trust import LENGTHS, FactorsTrust
from studies.simulate import add_simulated
from studies.study import Result
from studies.trust_words import line


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    found = Store(tmp_path_factory.mktemp("trust") / "s.duckdb")
    add_simulated(found, "w", judgments=3000, models=8, judges=3, factors=6, scenarios=2, prompts=60)
    return found


@pytest.fixture(scope="module")
def result(store: Store) -> Result:
    return FactorsTrust(dataset="w").run(store)


def test_it_tells_of_every_judge(result: Result) -> None:
    judges = result.table()
    assert judges["judge"].iloc[0] == "people"
    assert len(judges) == 3
    assert judges["reliability"].between(0, 1).all()
    assert (judges["lower"] <= judges["reliability"]).all()
    assert (judges["n_splits"] == 100).all()
    assert set(judges["halves_of"]) == {"prompts"}
    held = result.table("held_out")
    assert held.groupby("judge")["model"].first().eq("all factors").all()
    assert (held["folds"] == 10).all()
    assert (held.loc[held["model"] == "nothing", "accuracy"] == 0.5).all()
    every = held[held["model"] == "all factors"]
    assert (every["lower"] > 0.5).all(), "planted weights predict verdicts"
    vif = result.table("vif")
    assert (vif["vif"] >= 1).all()
    assert set(vif["judge"]) == set(judges["judge"])
    assert list(result.table("groups").columns) == ["group", "factors", "n_factors", "lowest", "highest"]
    agreement = result.table("agreement")
    assert list(agreement["judge"]) == list(judges["judge"])[1:]
    assert (agreement["reference"] == "people").all()
    assert "Spearman and Brown" in result.caption
    assert "10 folds of prompts" in result.caption


def test_undefined_numbers_are_absent(result: Result) -> None:
    said = result.as_json()
    nothing = next(row for row in said["held_out"] if row["model"] == "nothing")
    assert "lower" not in nothing
    assert said["settings"]["halves_of"] == "prompt"
    for table in result.tables.values():
        for column in table.columns:
            plain = table[column].dropna()
            assert not (plain.dtype.kind == "f" and not np.isfinite(plain.astype(float)).all())


def test_the_same_seed_gives_the_same_figures(store: Store, result: Result) -> None:
    again = FactorsTrust(dataset="w").run(store)
    pd.testing.assert_frame_equal(again.table(), result.table())
    other = FactorsTrust(dataset="w", seed=1).run(store)
    assert (other.table()["reliability"] != result.table()["reliability"]).any()


def test_a_single_judge_has_values_for_scripts(store: Store) -> None:
    alone = FactorsTrust(dataset="w", judge=("people",)).run(store)
    assert alone.values["reliability"]["value"] == pytest.approx(alone.table()["reliability"].iloc[0])
    assert alone.values["accuracy"]["lower"] < alone.values["accuracy"]["value"]
    assert len(alone.table("agreement")) == 0
    assert line(alone).count("held-out verdicts") == 1


def test_the_line_at_the_head_of_the_page(result: Result) -> None:
    text = line(result)
    assert text.startswith("reliability of weights: people .")
    assert "· predicts " in text
    assert "% of people's held-out verdicts" in text


def test_halves_of_pairs_are_said_to_speak_of_these_prompts_only(store: Store) -> None:
    pairs = FactorsTrust(dataset="w", judge=("people",), cluster="pair").run(store)
    assert pairs.settings["halves_of"] == "pair"
    assert any("these prompts only" in text for text in pairs.warnings)
    # What is held out stays whole prompts.
    assert set(pairs.table("held_out")["held_out"]) == {"prompts"}


def test_noise_is_called_noise(tmp_path) -> None:
    """Verdicts by the toss of a coin."""
    found = Store(tmp_path / "n.duckdb")
    add_simulated(found, "n", judgments=1500, models=6, judges=2, factors=8, scenarios=1, prompts=60, seed=3)
    with found.writing("tossing a coin") as con:
        con.execute("UPDATE judgment SET p_a = hash(judgment_id) % 2, outcome = CASE WHEN hash(judgment_id) % 2 = 1 "
                    "THEN 1 ELSE 2 END")  # fmt: skip
    said = FactorsTrust(dataset="n").run(found)
    assert any("mostly noise: reliability below .50" in text for text in said.warnings)
    assert any("log-loss of all factors" in text for text in said.warnings)


def test_progress_and_refusal(store: Store) -> None:
    told: list[float] = []
    FactorsTrust(dataset="w").run(store, lambda share, text: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) > 100
    with pytest.raises(JurylensError):
        FactorsTrust(dataset="w", factor=("nonsense",)).run(store)


def test_without_factors_it_says_so(tmp_path) -> None:
    found = Store(tmp_path / "n.duckdb")
    add_simulated(found, "n", judgments=200, models=4, judges=2, factors=0, scenarios=1, prompts=20)
    with pytest.raises(EmptySelectionError, match=r"no factors|not been measured"):
        FactorsTrust(dataset="n").run(found)


@pytest.mark.parametrize("narrow", [False, True])
def test_the_chart_draws_each_judge_and_model(result: Result, narrow: bool) -> None:
    held = result.table("held_out")
    drawn = trust_chart(held, theme("light"), humans=["people"], narrow=narrow)
    points = [trace for trace in drawn.data if trace.mode == "markers"]
    assert len(points) == (held["model"] != "nothing").sum()
    assert "Held-out verdicts predicted by all factors" in drawn.layout.meta["alt"]
    assert len(trust_chart(held.iloc[:0], theme("dark")).data) == 0


@pytest.mark.real
def test_llmfao_needs_more_prompts(tmp_path, real) -> None:
    """With 13 prompts halves of prompts differ where halves of pairs agree, and length alone predicts crowd as well."""
    db = tmp_path / "ll.duckdb"
    subprocess.run([sys.executable, "cli.py", "--db", str(db), "import", str(real / "llmfao"), "--dataset", "llmfao",
                    "--as", "llmfao"], cwd=ROOT, check=True, capture_output=True)  # fmt: skip
    found = Store(db)
    extract(found, "llmfao", silent)
    study = FactorsTrust(dataset="llmfao", judge=("crowd",), factor=("words", "lists", "bold", "hedges", "numbers"))
    prompts, pairs = (replace(study, cluster=way).run(found) for way in ("auto", "pair"))
    assert prompts.table()["clusters"].tolist() == [13]
    assert set(prompts.table("held_out")["folds"]) == {13}
    assert pairs.table()["reliability"].iloc[0] > prompts.table()["reliability"].iloc[0]
    length = prompts.table("held_out").set_index("model").loc["length only"]
    assert length["accuracy"] == pytest.approx(0.555, abs=0.001)
    assert length["gain_lower"] < 0.05


def test_a_missing_length_is_said_once(store: Store, result: Result) -> None:
    """Three judges lack it alike."""
    factors = result.settings["factor"]
    assert result.settings["length"] in factors
    assert "length alone" in line(result)
    rest = tuple(name for name in factors if name not in LENGTHS)
    without = FactorsTrust(dataset="w", factor=rest).run(store)
    assert sum("no length-only model" in text for text in without.warnings) == 1
    assert "length only" not in set(without.table("held_out")["model"])
    assert "length alone" not in line(without)
