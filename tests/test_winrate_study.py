"""The study `winrate`: what it takes by default, says and refuses; the published AlpacaEval 2 figures."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from data.imports import ImportOptions, import_path
from data.store import Store
from errors import EmptySelectionError, OptionError, UnknownNameError
from studies.study import Result
from studies.winrate import WinRate
from ui.sections.winrate import finding


def rows(models: tuple[str, ...] = ("m1", "m2", "m3"), prompts: int = 60, seed: int = 0) -> list[dict[str, object]]:
    """Each model against `base`; longer answers win more often, and so do the models named later."""
    rng = np.random.default_rng(seed)
    out: list[dict[str, object]] = []
    for prompt in range(prompts):
        for k, model in enumerate(models):
            long = int(rng.integers(20, 400))
            p = 1 / (1 + np.exp(1 - 0.4 * k - (long - 200) / 120))
            out.append(
                {
                    "prompt": f"p{prompt}", "model_a": "base", "model_b": model, "response_a": "b" * 200 + str(prompt),
                    "response_b": "m" * long + f"{k} {prompt}", "judge": "robot", "winner": "b" if rng.random() < p else "a",
                }
            )  # fmt: skip
    return out


def stored(folder: Path, given: list[dict[str, object]]) -> Store:
    folder.mkdir(exist_ok=True)
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in given))
    store = Store(folder / "s.duckdb")
    import_path(store, path, "d")
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("winrate"), rows())


def test_the_baseline_is_the_model_judged_most(store: Store) -> None:
    result = WinRate().run(store)
    assert result.study.baseline == "base"
    assert any(line.startswith("baseline: base") for line in result.taken)
    won = {m: np.mean([r["winner"] == "b" for r in rows() if r["model_b"] == m]) for m in ("m1", "m2", "m3")}
    table = result.table("winrates").set_index("model")
    for model, share in won.items():
        assert table.loc[model, "win_rate"] == pytest.approx(100 * share)
    assert "lc_win_rate" not in table


def test_the_json_keys(store: Store) -> None:
    content = WinRate(length_controlled=True).run(store).as_json()
    assert {
        "judge", "model", "win_rate", "se", "lower", "upper", "lc_win_rate", "lc_se", "lc_lower", "lc_upper",
        "lc_se_published", "length_coefficient", "judgments", "prompts",
    } <= set(content["winrates"][0])  # fmt: skip
    assert "NaN" not in json.dumps(content)
    assert all(row["length_coefficient"] > 0 for row in content["winrates"])
    assert all(row["lc_se"] > row["lc_se_published"] for row in content["winrates"])


def test_exchanging_a_and_b_changes_nothing(store: Store, tmp_path: Path) -> None:
    turned = [
        row | {
            "model_a": row["model_b"], "model_b": row["model_a"], "response_a": row["response_b"],
            "response_b": row["response_a"], "winner": {"a": "b", "b": "a"}[str(row["winner"])],
        }
        for row in rows()
    ]  # fmt: skip
    study = WinRate(length_controlled=True)
    one, other = (s.table("winrates") for s in (study.run(store), study.run(stored(tmp_path / "t", turned))))
    pd.testing.assert_frame_equal(one, other, rtol=1e-9)


def test_a_model_asked_for_alone_has_its_figures_of_all(store: Store) -> None:
    whole = WinRate(length_controlled=True).run(store).table("winrates").set_index("model")
    result = WinRate(length_controlled=True, baseline="base", model=("m2",)).run(store)
    alone = result.table("winrates").set_index("model")
    assert list(alone.index) == ["m2"]
    pd.testing.assert_series_equal(alone.loc["m2"], whole.loc["m2"], rtol=1e-9)
    assert result.table("judges")["judgments"].tolist() == [60]
    assert result.table("judges")["difficulty_from"].tolist() == [3]
    assert any("known from 3 models only" in w for w in result.warnings)


def test_twins_are_found_by_name_chosen_or_left_out(tmp_path: Path) -> None:
    store = stored(tmp_path / "t", rows(("m1", "base_verbose", "base_concise")))
    study = WinRate(length_controlled=True, baseline="base")
    found = study.run(store)
    assert found.table("judges")["guarded_by"].tolist() == ["base_verbose, base_concise"]
    assert "guarded by" in found.caption
    none = replace(study, verbose_twin="none", concise_twin="none").run(store)
    assert none.table("judges")["guarded_by"].tolist() == [""]
    rate = [r.table("winrates").set_index("model").loc["m1", "length_coefficient"] for r in (found, none)]
    assert rate[0] != pytest.approx(rate[1], abs=1e-6)
    alone = replace(study, model=("m1",)).run(store)
    assert alone.table("winrates")["length_coefficient"][0] == pytest.approx(rate[0])


def test_without_texts_the_plain_rates_stand(tmp_path: Path) -> None:
    bare = [{k: v for k, v in row.items() if not k.startswith("response")} for row in rows()]
    result = WinRate(length_controlled=True).run(stored(tmp_path / "t", bare))
    assert any("no texts of the responses are here" in w for w in result.warnings)
    table = result.table("winrates")
    assert table["win_rate"].notna().all()
    assert table["lc_win_rate"].isna().all()


def test_one_and_two_models_are_controlled_without_difficulty_and_say_so(tmp_path: Path) -> None:
    for models in (("m1",), ("m1", "m2")):
        result = WinRate(length_controlled=True, baseline="base").run(stored(tmp_path / str(len(models)), rows(models)))
        assert result.table("winrates")["lc_win_rate"].notna().all()
        assert any(w.startswith("with fewer than three models the difficulty") for w in result.warnings)


def test_wins_only_and_ties_only_are_named(tmp_path: Path) -> None:
    given = rows()
    for row in given:
        row["winner"] = {"m1": "b", "m2": "tie"}.get(str(row["model_b"]), row["winner"])
    result = WinRate(length_controlled=True, baseline="base").run(stored(tmp_path / "t", given))
    table = result.table("winrates").set_index("model")
    assert table.loc["m1", "win_rate"] == 100
    assert table.loc[["m1", "m2"], "lower"].isna().all()
    assert table.loc[["m1"], "lc_win_rate"].isna().all()
    assert any("m1: won every judgment" in w for w in result.warnings)
    assert any("m2: all judgments are ties, which tells nothing about chance" in w for w in result.warnings)


def test_ties_alone_have_their_sentence(tmp_path: Path) -> None:
    given = [row | {"winner": "tie"} for row in rows()]
    result = WinRate(length_controlled=True, baseline="base").run(stored(tmp_path / "t", given))
    said = finding(result.table("winrates"), "base")
    assert said == "**All 3 models win equally often against base: 50\u00a0%.**"


def test_refusals(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="no model in dataset 'd' is called 'bass': did you mean 'base'"):
        WinRate(baseline="bass").run(store)
    with pytest.raises(OptionError, match="--verbose-twin is for length-controlled win rates: add --length-controlled"):
        WinRate(verbose_twin="m1").run(store)
    with pytest.raises(OptionError, match="--position: this file does not record"):
        WinRate(length_controlled=True, position=True).run(store)
    given = [*rows(), *({**row, "model_a": "x", "model_b": "y", "judge": "other"} for row in rows(("m1",)))]
    two = stored(tmp_path / "t", given)
    with pytest.raises(EmptySelectionError, match="no judgment of this selection holds a model against 'base'"):
        WinRate(baseline="base", judge=("other",)).run(two)
    both = WinRate(baseline="base", judge=("robot", "other")).run(two)
    assert "other: no judgment of this selection holds a model against base" in both.warnings


# --- AlpacaEval 2 -----------------------------------------------------------------------------------------------------

JUDGE = "weighted_alpaca_eval_gpt4_turbo"
BASELINE = "gpt4_1106_preview"


@pytest.fixture(scope="module")
def alpaca(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("alpaca") / "s.duckdb")
    import_path(store, real / "alpaca_eval", "ae", ImportOptions(format="alpaca_eval"))
    return store


@pytest.fixture(scope="module")
def leaderboard(alpaca: Store) -> Result:
    return WinRate(judge=(JUDGE,), baseline=BASELINE, length_controlled=True).run(alpaca)


@pytest.fixture(scope="module")
def published(real: Path) -> dict[str, dict[str, float]]:
    with (real / "alpaca_eval" / "published_leaderboard.csv").open() as file:
        return {
            row["model"]: {k: float(row[k]) for k in ("win_rate", "standard_error", "length_controlled_winrate")}
            for row in csv.DictReader(file)
        }


def errors(table: pd.DataFrame, published: dict[str, dict[str, float]]) -> tuple[np.ndarray, np.ndarray]:
    """Our and the published length-controlled rates, without the entry written to game the benchmark."""
    honest = table[table["model"] != "gpt4_gamed"]
    ours = honest["lc_win_rate"].to_numpy(dtype=float)
    return ours, np.array([published[m]["length_controlled_winrate"] for m in honest["model"]])


@pytest.mark.real
def test_the_published_leaderboard(leaderboard: Result, published: dict[str, dict[str, float]]) -> None:
    table = leaderboard.table("winrates")
    assert len(table) == 28
    for row in table.to_dict("records"):
        assert row["win_rate"] == pytest.approx(published[row["model"]]["win_rate"], abs=1e-6)
        assert row["se"] == pytest.approx(published[row["model"]]["standard_error"], abs=1e-6)
    ours, theirs = errors(table, published)
    assert spearmanr(ours, theirs).statistic >= 0.975
    assert np.median(np.abs(ours - theirs)) <= 0.9
    assert (table["length_coefficient"] > 0).all()
    assert any("gpt4_gamed" in w for w in leaderboard.warnings)


@pytest.mark.real
def test_parts_of_the_leaderboard(real: Path, published: dict[str, dict[str, float]], tmp_path: Path) -> None:
    """Stores that hold some of the models only: the raw rates are published ones, and ten models give an order."""
    chosen = sorted(set(published) - {BASELINE, "gpt4_gamed"})
    for models in (chosen[::3], chosen[:2], chosen[:1]):
        folder = tmp_path / f"of{len(models)}{models[0]}"
        for model in models:
            # Folders of their own: links to folders are not followed.
            shutil.copytree(real / "alpaca_eval" / "results" / model, folder / "results" / model)
        store = Store(folder / "s.duckdb")
        import_path(store, folder / "results", "ae", ImportOptions(format="alpaca_eval"))
        table = WinRate(judge=(JUDGE,), baseline=BASELINE, length_controlled=True).run(store).table("winrates")
        assert sorted(table["model"]) == models
        for row in table.to_dict("records"):
            assert row["win_rate"] == pytest.approx(published[row["model"]]["win_rate"], abs=1e-6)
        assert table["lc_win_rate"].notna().all()
        if len(models) > 2:
            ours, theirs = errors(table, published)
            assert spearmanr(ours, theirs).statistic >= 0.9


@pytest.mark.real
def test_models_asked_for_by_name_keep_their_rates(alpaca: Store, leaderboard: Result) -> None:
    study = WinRate(judge=(JUDGE,), baseline=BASELINE, length_controlled=True)
    whole = leaderboard.table("winrates").set_index("model")
    for models in (("claude",), ("claude", "vicuna-13b-v1.5-togetherai")):
        some = replace(study, model=models).run(alpaca).table("winrates").set_index("model")
        assert sorted(some.index) == sorted(models)
        for model in models:
            assert some.loc[model, "lc_win_rate"] == pytest.approx(whole.loc[model, "lc_win_rate"], abs=1e-9)
