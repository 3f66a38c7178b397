"""The pattern: fields become words and come back, defaults are resolved, results hold no NaN."""

from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from data.imports import import_path
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError, UnknownNameError
from studies.by_scenario import run_by_scenario
from studies.compare import Compare
from studies.rank import Rank
from studies.study import REGISTRY, hints, plain, records


def table(n: int = 40, judges: tuple[str, ...] = ("people", "gpt"), **more: object) -> pd.DataFrame:
    """Judgments of three models on `n` prompts, by each judge alike but for noise; every pair wins and loses."""
    rng = np.random.default_rng(0)
    rows = [
        {"prompt": f"p{k}", "scenario": f"s{k % 3}", "model_a": a, "model_b": b, "judge": judge,
         "winner": "tie" if rng.random() < 0.2 else "a" if rng.random() < 0.6 else "b", **more}
        for k in range(n) for a, b in (("m1", "m2"), ("m2", "m3"), ("m1", "m3")) for judge in judges
    ]  # fmt: skip
    return pd.DataFrame(rows)


def votes() -> pd.DataFrame:
    """The same pairs judged by three people each, by gpt with a preference on two criteria, and scored by a model."""
    rng = np.random.default_rng(2)
    pairs = [(f"p{k}", a, b) for k in range(20) for a, b in (("m1", "m2"), ("m2", "m3"), ("m1", "m3"))]
    rows: list[dict[str, object]] = []
    for prompt, a, b in pairs:
        pair = {"prompt": prompt, "model_a": a, "model_b": b, "criterion": "overall"}
        rows += [pair | {"judge": "people", "judge_kind": "human", "annotator": who, "winner": "ab"[rng.integers(2)]}
                 for who in ("ann", "bob", "cat")]  # fmt: skip
        rows += [pair | {"judge": "gpt", "judge_kind": "llm", "p_a": round(float(p), 3), "criterion": name}
                 for name, p in zip(("overall", "clear"), rng.random(2), strict=True)]  # fmt: skip
        one, two = rng.normal(size=2).round(3)
        rows.append(pair | {"judge": "rm", "judge_kind": "reward_model", "score_a": one, "score_b": two,
                            "winner": "a" if one > two else "b"})  # fmt: skip
    return pd.DataFrame(rows)


def store_of(folder: Path, **datasets: pd.DataFrame) -> Store:
    folder.mkdir(exist_ok=True)
    store = Store(folder / "s.duckdb")
    for name, frame in datasets.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
        import_path(store, folder / f"{name}.csv", name)
    return store


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of the table and of the same with lengths, imported once."""
    lengths = np.random.default_rng(1).integers(1, 60, (2, len(table())))
    folder = tmp_path_factory.mktemp("study")
    store = store_of(folder, d=table())
    store_of(folder / "lengths", d=table().assign(words_a=lengths[0], words_b=lengths[1]), votes=votes())
    return store.path


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    return Store(shutil.copy(made, tmp_path / "s.duckdb"))


def test_every_study_has_a_command_a_title_and_help_for_each_field() -> None:
    assert {"rank", "compare", "datasets health"} <= set(REGISTRY)
    for cls in REGISTRY.values():
        assert cls.title
        assert set(hints(cls)) == {f.name for f in fields(cls)}
        assert all(f.metadata["help"] for f in fields(cls))


def test_defaults_do_not_enter_the_address_and_words_come_back() -> None:
    assert Rank().parameters() == {}
    study = Rank(dataset="d", judge=("people", "gpt"), ties="drop", level=0.9, position=True, since="2026-01-01")
    words = study.parameters()
    assert words == {"dataset": ["d"], "judge": ["people", "gpt"], "ties": ["drop"], "level": ["0.9"],
                     "position": ["true"], "since": ["2026-01-01"]}  # fmt: skip
    again, dropped = Rank.from_parameters(words)
    assert (again, dropped) == (study, [])


def test_impossible_words_are_dropped_and_named() -> None:
    study, dropped = Rank.from_parameters({"ties": ["maybe"], "level": ["high"], "color": ["red"], "judge": ["x"]})
    assert study == Rank(judge=("x",))
    assert dropped == ["ties=maybe", "level=high"]


def test_the_command_line_is_the_study() -> None:
    line = Compare(dataset="my data", judge=("people", "gpt"), position=True).command_line(db="x.duckdb")
    assert shlex.split(line) == ["python", "cli.py", "--db", "x.duckdb", "compare", "--dataset", "my data", "--judge", "people",
                                 "--judge", "gpt", "--position"]  # fmt: skip


def test_resolve_fills_defaults_and_says_which(store: Store) -> None:
    resolved = Compare().resolve(store)
    assert (resolved.dataset, resolved.judge, resolved.criterion) == ("d", ("people", "gpt"), "overall")
    assert Rank(judge=("gpt", "gpt")).resolve(store).judge == ("gpt",)
    result = Compare().run(store)
    assert set(result.taken) == {"dataset: d", "judge: people, gpt", "criterion: overall"}


def test_the_sample_is_never_the_default_beside_own_data(tmp_path: Path) -> None:
    store = store_of(tmp_path, d=table(), e=table())
    with pytest.raises(UnknownNameError, match="there are 'd', 'e'"):
        Rank().resolve(store)


@pytest.mark.parametrize(
    ("judges", "words"),
    [(("gpt",), "one judge only"), (("gpt", "claude"), "no judge that is human"), (("people", "crowd"), "2 human judges")],
)
def test_who_is_the_reference_is_asked_when_it_is_not_plain(tmp_path: Path, judges: tuple[str, ...], words: str) -> None:
    store = store_of(tmp_path, d=table(judges=judges))
    with pytest.raises(EmptySelectionError, match=words):
        Compare().run(store)


def test_a_criterion_that_is_the_only_one_is_taken_and_several_are_asked(tmp_path: Path) -> None:
    one = table(criterion="clarity")
    two = pd.concat([one, table(criterion="tone")])
    store = store_of(tmp_path, one=one, two=two)
    assert Rank(dataset="one").resolve(store).criterion == "clarity"
    with pytest.raises(OptionError, match="'clarity', 'tone'"):
        Rank(dataset="two").resolve(store)
    ranked = Rank(dataset="two", criterion="tone").run(store).table()
    assert ranked["judgments"].sum() == 2 * 40 * 3 * 2


def test_variants_other_than_plain_do_not_enter(tmp_path: Path) -> None:
    store = store_of(tmp_path, d=pd.concat([table(), table(variant="pirate")]))
    plain_only = store_of(tmp_path, e=table())
    assert Rank(dataset="d").run(store).as_json()["ranking"] == Rank(dataset="e").run(plain_only).as_json()["ranking"]


# What takes several votes a pair, a preference, several criteria, scores, or one judge alone.
MORE: dict[str, dict[str, Any]] = {
    name: {"dataset": "votes"} for name in ("calibration", "criteria", "disagreement", "reward-models", "shares")
} | {"judge-again": {"dataset": "d", "judge": ("gpt",)}}


@pytest.mark.parametrize("command", sorted(REGISTRY))
def test_results_hold_no_nan_and_are_json(made: Path, command: str) -> None:
    store = Store(made.parent / "lengths" / "s.duckdb", linger=60)  # `control` needs a factor
    if command == "factors sheet":
        with pytest.raises(EmptySelectionError, match="no answer of dataset 'd' has a text"):
            REGISTRY[command](dataset="d").run(store)
        return
    if command == "alt-test":
        with pytest.raises(NotIdentifiedError, match="needs at least two who are named; there is only 'people'"):
            REGISTRY[command](dataset="d").run(store)
        return
    content = REGISTRY[command](**MORE.get(command, {"dataset": "d"})).run(store).as_json()
    assert json.loads(json.dumps(content, allow_nan=False)) == content


def test_dropping_ties_leaves_them_out_and_says_so(store: Store) -> None:
    half, drop = Rank(judge=("people",)).run(store), Rank(judge=("people",), ties="drop").run(store)
    assert half.table()["judgments"].sum() > drop.table()["judgments"].sum()
    assert any("(ties)" in w for w in drop.warnings)


def test_exchanging_a_and_b_or_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    frame = table()
    turned = frame.rename(columns={"model_a": "model_b", "model_b": "model_a"})
    turned["winner"] = turned["winner"].map({"a": "b", "b": "a", "tie": "tie"})
    store = store_of(tmp_path, d=frame, e=turned.sample(frac=1, random_state=1))
    one, two = (Compare(dataset=name).run(store) for name in "de")
    assert one.fingerprint == two.fingerprint
    pd.testing.assert_frame_equal(one.table("models"), two.table("models"), rtol=1e-9)


def test_weights_multiply_and_counts_stay_counts(tmp_path: Path) -> None:
    store = store_of(tmp_path, once=table(judges=("people",)), heavy=table(judges=("people",), weight=2))
    once, heavy = (Rank(dataset=name).run(store).table() for name in ("once", "heavy"))
    assert heavy["strength"].tolist() == pytest.approx(once["strength"].tolist())
    assert heavy["se"].tolist() == pytest.approx(once["se"].tolist())  # clustered errors do not count weights as rows
    naive = [Rank(dataset=name, cluster="none").run(store).table()["se"] for name in ("once", "heavy")]
    assert naive[1].tolist() == pytest.approx((naive[0] / np.sqrt(2)).tolist())
    assert heavy["judgments"].tolist() == once["judgments"].tolist()


def test_compare_is_fitted_on_shared_pairs_only(tmp_path: Path) -> None:
    both = table()
    extra = table(n=20, judges=("people",)).assign(prompt=lambda t: "other " + t["prompt"], winner="b")
    store = store_of(tmp_path, d=pd.concat([both, extra]), e=both)
    with_extra, without = (Compare(dataset=name).run(store).as_json() for name in "de")
    assert with_extra["models"] == without["models"]
    assert with_extra["judges"][0]["pairs"] == 120


def test_no_models_and_no_shared_pair_are_said(tmp_path: Path) -> None:
    texts = table().assign(response_a="x", response_b="y").drop(columns=["model_a", "model_b"])
    texts["response_b"] += texts.index.astype(str)
    apart = table()
    apart.loc[apart["judge"] == "gpt", "prompt"] = "q" + apart["prompt"]
    store = store_of(tmp_path, texts=texts, apart=apart)
    with pytest.raises(EmptySelectionError, match="model_a and model_b"):
        Rank(dataset="texts").run(store)
    with pytest.raises(EmptySelectionError, match="share no pair"):
        Compare(dataset="apart").run(store)


def test_one_judge_that_cannot_be_ranked_does_not_silence_the_others(tmp_path: Path) -> None:
    frame = table()
    frame.loc[frame["judge"] == "gpt", "winner"] = "a"
    store = store_of(tmp_path, d=frame)
    result = Rank().run(store)
    assert set(result.table()["judge"]) == {"people"}
    assert any(w.startswith("gpt:") for w in result.warnings)
    with pytest.raises(NotIdentifiedError):
        Rank(judge=("gpt",)).run(store)


def test_the_fingerprint_covers_the_judges_that_were_read(store: Store, tmp_path: Path) -> None:
    whole, people = Rank().run(store).fingerprint, Rank(judge=("people",)).run(store).fingerprint
    assert whole != people
    more = table(judges=("claude",))
    more.to_csv(tmp_path / "more.csv", index=False)
    import_path(store, tmp_path / "more.csv", "d")
    assert Rank(judge=("people",)).run(store).fingerprint == people
    assert Rank().run(store).fingerprint != whole


def test_progress_is_reported_outside_any_lease_and_can_stop_the_work(store: Store) -> None:
    class Stop(Exception):
        pass

    def progress(share: float, text: str) -> None:
        assert 0 <= share <= 1
        with store.writing("checking that nobody reads"):
            pass
        if share > 0.2:
            raise Stop

    with pytest.raises(Stop):
        Rank().run(store, progress)


def test_by_scenario_asks_each_alone_and_adjusts_q_over_all(store: Store) -> None:
    split = run_by_scenario(Compare(), store)
    models = split.table("models")
    assert list(models.columns[:2]) == ["scenario", "judge"]
    assert models.groupby("scenario").size().to_dict() == {"s0": 3, "s1": 3, "s2": 3}
    alone = Compare(scenario=("s1",)).run(store).table("models")
    mine = models[models["scenario"] == "s1"].reset_index(drop=True)
    pd.testing.assert_series_equal(mine["gap"], alone["gap"])
    assert models["q"].tolist() == pytest.approx(multipletests(models["p"].tolist(), method="fdr_bh")[1].tolist())
    assert set(split.table("judges")["scenario"]) == {"s0", "s1", "s2"}


def test_by_scenario_names_what_cannot_be_answered(tmp_path: Path) -> None:
    frame = table()
    frame.loc[frame["scenario"] == "s2", "winner"] = "a"
    store = store_of(tmp_path, d=frame, none=frame.drop(columns="scenario"))
    split = run_by_scenario(Rank(dataset="d"), store)
    assert set(split.table()["scenario"]) == {"s0", "s1"}
    assert any(w.startswith("s2:") for w in split.warnings)
    with pytest.raises(EmptySelectionError, match="column `scenario`"):
        run_by_scenario(Rank(dataset="none"), store)


def test_records_leave_undefined_cells_out() -> None:
    frame = pd.DataFrame({"a": pd.array([1, pd.NA], dtype="Int64"), "b": [np.nan, 2.0], "c": ["x", None]})
    assert records(frame) == [{"a": 1, "c": "x"}, {"b": 2.0}]
    assert plain({"a": np.float64(1), "b": None, "c": [np.nan, 1]}) == {"a": 1.0, "c": [1]}
    assert replace(Rank(), dataset="d") == Rank(dataset="d")


def test_gaps_alone_are_the_same_gaps(store: Store) -> None:
    whole, part = Compare().run(store), Compare(gaps_only=True).run(store)
    for name in ("models", "flips", "left_out"):
        pd.testing.assert_frame_equal(part.table(name), whole.table(name))
    assert whole.values["spearman"]["lower"] is not None
    assert part.values["spearman"] is None
    assert part.values["corrected"] is None
    assert part.values["scale"] == whole.values["scale"]
    assert "rank correlations" in whole.caption
    assert "rank correlations" not in part.caption
