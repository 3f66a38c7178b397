"""Ties as a control: what the store hands over, what `rank` says, and each model's rank under every rule."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from toy import LLMFAO

from analysis.strengths import fit_strengths
from charts.theme import LIGHT, PRINT
from charts.tie_policies import tie_policies_chart
from data import queries
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError
from studies.cells import judge_cells, models_met
from studies.compare import Compare
from studies.rank import Rank
from studies.tie_policies import TiePolicies

MODELS = ("ash", "beech", "cedar", "dogwood")
STRENGTH = dict(zip(MODELS, (0.8, 0.3, -0.2, -0.9), strict=True))


def votes(seed: int = 0, n: int = 600, ties: float = 0.3, judge: str = "people", soft: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(n):
        a, b = rng.choice(MODELS, 2, replace=False)
        p = 1 / (1 + math.exp(STRENGTH[b] - STRENGTH[a]))
        winner = "tie" if rng.random() < ties else "a" if rng.random() < p else "b"
        rows.append({"prompt": f"prompt {k % 60}", "model_a": a, "model_b": b, "judge": judge, "winner": winner,
                     "swapped": bool(rng.random() < 0.5)})  # fmt: skip
    frame = pd.DataFrame(rows)
    if soft:
        frame["p_a"] = frame["winner"].map({"a": 1.0, "b": 0.0, "tie": 0.5})
        frame.loc[frame.index[:soft], "p_a"] = np.where(frame["winner"][:soft] == "b", 0.3, 0.7)
        frame = frame.drop(columns="winner")
    return frame


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("ties")
    frames = {
        "plain": votes(),
        "two": pd.concat([votes(), votes(1, judge="robin", ties=0.0)]),
        "soft": votes(2, judge="reward", soft=5),
        "mixed": pd.concat([votes(), votes(2, judge="reward", soft=5)]),
        "weighted": votes().assign(weight=np.random.default_rng(3).uniform(0.5, 2, 600)),
        "only": votes(ties=1.0),
    }
    store = Store(folder / "s.duckdb")
    for name, frame in frames.items():
        path = folder / f"{name}.csv"
        frame.to_csv(path, index=False)
        import_path(store, path, name)
    return store


@pytest.mark.parametrize("dataset", ["plain", "weighted"])
@pytest.mark.parametrize("ways", [(), ("prompt",)])
def test_ties_are_summed_with_their_weights(store: Store, dataset: str, ways: tuple[str, ...]) -> None:
    with store.reading("test") as con:
        names = queries.catalog(con, dataset)
        condition = queries.where(Rank(dataset=dataset).resolve(store), names)
        counts = queries.counts(con, condition, ways, True, tied=True)
        plain = queries.counts(con, condition, ways, True)
    frame = votes()
    weight = np.random.default_rng(3).uniform(0.5, 2, 600) if dataset == "weighted" else np.ones(600)
    assert counts.frame["tied"].sum() == pytest.approx(weight[frame["winner"] == "tie"].sum(), rel=1e-12)
    assert counts.frame["weight"].sum() == pytest.approx(weight.sum(), rel=1e-12)
    assert "tied" not in plain.frame
    assert len(plain) == len(counts)
    cells = judge_cells(counts, names, "people", models_met(counts, names), ways, True)
    assert cells.tied is not None
    assert fit_strengths(cells, ties="davidson").strength.argmax() == 0


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_rank_takes_ties_as_an_outcome(store: Store, ties: str) -> None:
    result = Rank(dataset="plain", ties=ties, position=True).run(store)
    frame = votes()
    assert list(result.table("ranking")["model"]) == list(MODELS)
    judges = result.table("judges").iloc[0]
    name = {"davidson": "nu", "rao-kupper": "tau"}[ties]
    assert judges[f"{name}_lower"] < judges[name] < judges[f"{name}_upper"]
    # Ties come with probability .3 whoever meets whom, so also between equals.
    assert judges["ties_between_equals_lower"] < 0.33
    assert judges["ties_between_equals_upper"] > 0.3
    share = judges["ties_between_equals"]
    by_hand = judges["nu"] / (2 + judges["nu"]) if ties == "davidson" else math.tanh(judges["tau"] / 2)
    assert share == pytest.approx(by_hand, rel=1e-12)
    # The log-likelihood is that of three outcomes.
    assert judges["log_likelihood"] < -len(frame) * 0.8
    assert "modelled after" in result.caption
    assert judges["position_lower"] < 0 < judges["position_upper"]
    assert judges["position"] == pytest.approx(0, abs=3 * judges["position_se"])


def test_half_and_drop_have_no_tie_parameter(store: Store) -> None:
    for ties in ("half", "drop"):
        assert not {"nu", "tau"} & set(Rank(dataset="plain", ties=ties).run(store).table("judges"))


def test_soft_preferences_are_refused_by_name_and_number(store: Store) -> None:
    with pytest.raises(OptionError, match=r"wins, losses and ties only, and 5 judgments by 'reward'"):
        Rank(dataset="soft", ties="davidson").run(store)
    result = Rank(dataset="mixed", ties="davidson").run(store)
    assert set(result.table("ranking")["judge"]) == {"people"}
    assert any("reward" in warning and "5 judgments" in warning for warning in result.warnings)


def test_a_judge_without_ties_is_said(store: Store) -> None:
    result = Rank(dataset="two", ties="rao-kupper").run(store)
    assert set(result.table("ranking")["judge"]) == {"people"}
    assert any("robin" in warning and "no tie among" in warning for warning in result.warnings)
    with pytest.raises(NotIdentifiedError, match="all judgments are ties"):
        Rank(dataset="only", ties="davidson").run(store)


def test_studies_that_cannot_model_ties_say_so(store: Store) -> None:
    if not Compare.models_ties:
        with pytest.raises(OptionError, match="--ties davidson is for"):
            Compare(dataset="two", judge=("people", "robin"), ties="davidson").run(store)


# -- each model under every rule -----------------------------------------------------------------------------------


@pytest.mark.parametrize("chosen", ["half", "drop", "davidson"])
def test_each_policy_is_what_rank_says_under_it(store: Store, chosen: str) -> None:
    table = TiePolicies(dataset="plain", ties=chosen).run(store).table("policies").set_index("model")
    for ties in ("half", "drop", "davidson", "rao-kupper"):
        alone = Rank(dataset="plain", ties=ties).run(store).table("ranking").set_index("model").loc[table.index]
        key = ties.replace("-", "_")
        assert list(table[f"rank_{key}"]) == list(alone["rank"])
        assert list(table[f"strength_{key}"]) == pytest.approx(list(alone["strength"]), abs=1e-9)
        if ties == chosen:
            assert list(table["rank_lower"]) == list(alone["rank_lower"])
            assert list(table["rank_upper"]) == list(alone["rank_upper"])
    ranks = table[[f"rank_{p}" for p in ("half", "drop", "davidson", "rao_kupper")]].astype(float)
    assert list(table["largest_move"]) == list((ranks.max(axis=1) - ranks.min(axis=1)).astype(int))
    outside = ranks.lt(table["rank_lower"].astype(float), axis=0) | ranks.gt(table["rank_upper"].astype(float), axis=0)
    assert list(table["leaves_interval"]) == list(outside.any(axis=1))


def test_policies_that_are_not_possible_are_absent_and_said(store: Store) -> None:
    result = TiePolicies(dataset="two").run(store)
    robin = result.table("policies").query("judge == 'robin'")
    assert robin["rank_davidson"].isna().all()
    assert robin["strength_rao_kupper"].isna().all()
    assert (robin["rank_half"] == robin["rank_drop"]).all()
    assert any("robin" in w and "no tie among" in w for w in result.warnings)
    judges = result.table("judges").set_index("judge")
    assert dict(judges["policies"]) == {"people": 4, "robin": 2}
    assert judges.loc["robin", "share_of_ties"] == 0
    soft = TiePolicies(dataset="soft").run(store)
    assert soft.table("judges")["policies"].iloc[0] == 2
    assert any("5 judgments by 'reward'" in w for w in soft.warnings)
    only = TiePolicies(dataset="only").run(store)
    assert only.table("policies")["rank_drop"].isna().all()
    assert any("no judgment to compare models by" in w for w in only.warnings)


def test_nothing_to_rank_is_said(store: Store) -> None:
    with pytest.raises(EmptySelectionError, match="widen it"):
        TiePolicies(dataset="plain", since="2100-01-01").run(store)


@pytest.mark.real
def test_published_judgments_keep_their_ranks_within_the_intervals(tmp_path) -> None:
    if not LLMFAO.is_dir():
        pytest.skip("the published judgments are not beside the project")
    store = Store(tmp_path / "s.duckdb")
    import_path(store, LLMFAO, "llmfao", ImportOptions(format="llmfao"))
    judges = TiePolicies().run(store).table("judges").set_index("judge")
    # 3,471 of 8,931 votes are ties; no model leaves its interval, however large the moves.
    assert judges.loc["crowd", "share_of_ties"] == pytest.approx(0.3886, abs=1e-4)
    assert (judges["policies"] == 4).all()
    assert (judges["leave_interval"] == 0).all()
    assert judges.loc["crowd", "moved"] > 30


def test_the_chart_draws_every_rank_and_names_movers() -> None:
    table = pd.DataFrame(
        {
            "judge": ["people"] * 3 + ["robin"] * 3,
            "model": ["ash", "beech", "cedar"] * 2,
            "rank_half": [1, 2, 3] * 2,
            "rank_davidson": pd.array([1, 2, 3, None, None, None], dtype="Int64"),
            "rank_rao_kupper": pd.array([2, 1, 3, None, None, None], dtype="Int64"),
            "rank_drop": [3, 1, 2, 1, 2, 3],
            "rank_lower": [1, 1, 2] * 2,
            "rank_upper": [2, 3, 3] * 2,
            "largest_move": [2, 1, 1, 0, 0, 0],
            "leaves_interval": [True, False, False, False, False, False],
        }
    )
    for theme, narrow in ((LIGHT, False), (PRINT, True)):
        figure = tie_policies_chart(table, theme, humans=("people",), narrow=narrow)
        marks = [t for t in figure.data if t.mode == "markers"]
        seen = sorted(float(y) for t in marks for y in t.y if not np.isnan(y))
        wanted = table[["rank_half", "rank_davidson", "rank_rao_kupper", "rank_drop"]].to_numpy(dtype=float, na_value=np.nan)
        assert seen == sorted(wanted[~np.isnan(wanted)])
        texts = [a.text for a in figure.layout.annotations]
        assert "<b>ash</b>" in texts
        assert "beech" in texts
        # The second judge's models stand still and are named all the same, as there is room.
        assert texts.count("ash") == 1
        assert "people: 3 of 3 models change rank, most ash by 2." in figure.layout.meta["alt"]
    assert "No model could be ranked" in tie_policies_chart(table.iloc[:0], LIGHT).layout.meta["alt"]


@pytest.mark.parametrize("narrow", [False, True])
def test_the_chart_cuts_no_name_where_there_are_few_models(narrow: bool) -> None:
    names = ["Aurora-70B-Instruct", "Fjord-Large-2024-08", "Dunlin 34B (RLHF)"]
    ranks = {f"rank_{rule}": [1, 2, 3] * 2 for rule in ("half", "davidson", "rao_kupper", "drop")}
    table = pd.DataFrame(
        {"judge": ["people"] * 3 + ["gpt"] * 3, "model": names * 2, **ranks, "rank_lower": [1, 2, 3] * 2,
         "rank_upper": [1, 2, 3] * 2, "largest_move": 0, "leaves_interval": False}
    )  # fmt: skip
    figure = tie_policies_chart(table, LIGHT, humans=("people",), narrow=narrow)
    said = [str(a.text).replace("<br>", "").replace(" ", "") for a in figure.layout.annotations]
    for name in names:
        assert said.count(name.replace(" ", "")) == 2
