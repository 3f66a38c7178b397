"""The study `correct`: from rows to pairs, what is said and what is refused, and the published judgments."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from toy import LLMFAO
from typer.testing import CliRunner

import cli
from analysis.correction import correct_strengths
from analysis.vcov import Clustering
from data import queries
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError
from studies.by_scenario import run_by_scenario
from studies.correct import Correct, described, unfair
from studies.judged_pairs import MOST, fetch_pairs, traits
from studies.rank import Rank

MODELS = ("ash", "beech", "cedar", "dogwood")


def verdicts(seed: int = 0, prompts: int = 60, labelled: float = 0.4) -> pd.DataFrame:
    """Every two models on every prompt: a verdict of a good judge, and on some pairs one to three votes of people."""
    rng = np.random.default_rng(seed)
    rows = []
    for prompt in range(prompts):
        for i in range(4):
            for j in range(i + 1, 4):
                moved = 0.5 * (j - i) + rng.normal(0, 1.2)
                base = {
                    "prompt": f"prompt {prompt}", "scenario": "maths" if prompt % 3 else "tales", "model_a": MODELS[i],
                    "model_b": MODELS[j], "response_a": f"{MODELS[i]} {prompt} " + "so " * int(rng.integers(1, 40)),
                    "response_b": f"{MODELS[j]} {prompt} " + "so " * int(rng.integers(1, 40)),
                }  # fmt: skip
                rows.append(base | _vote("robot", "llm", 1.5 * moved, rng))
                if rng.random() < labelled:
                    for person in rng.permutation(20)[: rng.integers(1, 4)]:
                        rows.append(base | _vote("people", "human", moved, rng) | {"annotator": f"person {person}"})
    return pd.DataFrame(rows)


def _vote(judge: str, kind: str, eta: float, rng: np.random.Generator) -> dict[str, object]:
    latent = eta + rng.logistic()
    return {"judge": judge, "judge_kind": kind, "winner": "tie" if abs(latent) < 0.4 else "a" if latent > 0 else "b",
            "weight": 1.0, "annotator": None}  # fmt: skip


def kept(folder: Path, **frames: pd.DataFrame) -> Store:
    # A test asks several questions of it: to open DuckDB takes longer than most.
    store = Store(folder / "s.duckdb", linger=5)
    for name, frame in frames.items():
        path = folder / f"{name}.csv"
        frame.to_csv(path, index=False)
        import_path(store, path, name)
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    frame = verdicts()
    people = frame["judge"] == "people"
    only_people = frame.assign(prompt=frame["prompt"].mask(people & (frame.index % 7 == 0), "a prompt of people alone"))
    turned = frame.rename(columns={"model_a": "model_b", "model_b": "model_a", "response_a": "response_b",
                                   "response_b": "response_a"})  # fmt: skip
    turned["winner"] = turned["winner"].map({"a": "b", "b": "a", "tie": "tie"})
    return kept(
        tmp_path_factory.mktemp("correct"),
        plain=frame,
        turned=turned.sample(frac=1, random_state=1),
        only_people=only_people,
        all_labelled=verdicts(labelled=1.1),
        apart=frame.assign(prompt=frame["prompt"].mask(people, "q" + frame["prompt"])),
        no_people=frame[~people].assign(judge=lambda t: np.where(t.index % 2, "robot", "droid")),
        ties=frame.assign(winner="tie"),
        one_way=frame.assign(winner=frame["winner"].mask(people, "a")),
        two=frame[frame["model_a"].isin(MODELS[:2]) & frame["model_b"].isin(MODELS[:2])],
        texts=frame.drop(columns=["model_a", "model_b"]),
        nine=verdicts(prompts=9),
        more=pd.concat([frame, frame[~people][::2].assign(judge="droid")]),
    )


# -- from rows to pairs ---------------------------------------------------------------------------------------------


def fetched(store: Store, dataset: str, ties: str = "half"):
    study = Correct(dataset=dataset).resolve(store)
    with store.reading("test") as con:
        names = queries.catalog(con, dataset)
        return fetch_pairs(con, study, names, "people", "robot", ties), names


def test_votes_are_averaged_by_weight_and_repeats_by_pair(tmp_path: Path) -> None:
    base = {"prompt": "p", "model_a": "ash", "model_b": "beech", "response_a": "x", "response_b": "longer"}
    rows = [
        base | {"judge": "people", "judge_kind": "human", "p_a": 1.0, "weight": 3.0, "annotator": "one"},
        base | {"judge": "people", "judge_kind": "human", "p_a": 0.5, "weight": 1.0, "annotator": "two"},
        base | {"judge": "robot", "judge_kind": "llm", "p_a": 0.2, "weight": 1.0, "repeat": 1},
        base | {"judge": "robot", "judge_kind": "llm", "p_a": 0.6, "weight": 1.0, "repeat": 2},
        base | {"prompt": "q", "judge": "robot", "judge_kind": "llm", "p_a": 0.5, "weight": 4.0},
    ]
    store = kept(tmp_path, d=pd.DataFrame(rows))
    half, drop = (fetched(store, "d", ties)[0] for ties in ("half", "drop"))
    assert half.pairs.labelled.tolist() == [True, False]
    assert half.pairs.weight.tolist() == [2.0, 4.0]
    assert half.pairs.human_score.tolist() == [3.5 / 4, 0.0]
    assert half.pairs.judge_score.tolist() == pytest.approx([0.4, 0.5])
    # A tie among four of weight; the judge's only verdict on q is one.
    assert drop.pairs.human_weight.tolist() == [0.75, 0.0]
    assert drop.pairs.human_score.tolist() == [0.75, 0.0]
    assert drop.pairs.judge_weight.tolist() == [1.0, 0.0]
    assert half.length_a.tolist() == [1, 1]
    assert half.tied.tolist() == [0, 1]
    assert half.n_judgments == 5


def test_the_study_is_the_estimator_on_these_pairs(store: Store) -> None:
    result = Correct(dataset="plain").run(store)
    pairs = fetched(store, "plain")[0].pairs
    found = correct_strengths(pairs, Clustering("prompt"))
    table = result.table().set_index("model")
    assert dict(zip(found.models, found.corrected.strength, strict=True)) == pytest.approx(table["corrected"].to_dict())
    assert result.values["lambda"] == pytest.approx(found.share)
    assert result.values["gain"] == pytest.approx(found.gain)
    assert found.gain > 1.02
    assert result.values["worth"] == pytest.approx(pairs.n_labelled * (found.gain - 1))
    assert (result.values["labelled"], result.values["unlabelled"]) == (pairs.n_labelled, pairs.n_unlabelled)
    # The judge alone on all of its pairs is what `rank` says, one verdict a pair.
    rank = Rank(dataset="plain", judge=("robot",)).run(store).table().set_index("model")
    assert table["naive"].to_dict() == pytest.approx(rank["strength"].to_dict(), abs=1e-6)
    assert (table["naive_upper"] - table["naive"]).to_dict() == pytest.approx(
        (rank["upper"] - rank["strength"]).to_dict(), rel=1e-6
    )


def test_exchanging_a_and_b_changes_nothing(store: Store) -> None:
    one, two = (Correct(dataset=name, mask_human=None).run(store) for name in ("plain", "turned"))
    for name in ("models", "sample"):
        pd.testing.assert_frame_equal(one.table(name), two.table(name), rtol=1e-6, atol=1e-9)


# -- what is said ---------------------------------------------------------------------------------------------------


def test_the_json_keys(store: Store) -> None:
    out = CliRunner().invoke(
        cli.app, ["--db", str(store.path), "correct", "--dataset", "plain", "--mask-human", ".5", "-o", "json"]
    )
    assert out.exit_code == 0, out.output
    content = json.loads(out.stdout)
    assert {"lambda", "gain", "worth", "potential_gain", "labelled", "unlabelled", "masking_gain"} < set(content)
    assert {"models", "judges", "sample", "masking", "left_out"} < set(content)
    assert {"model", "corrected", "se", "lower", "upper", "rank", "rank_lower", "rank_upper", "classical", "naive",
            "classical_lower", "classical_upper", "naive_lower", "naive_upper"} < set(content["models"][0])  # fmt: skip
    assert [row["method"] for row in content["masking"]] == ["corrected", "classical", "naive"]
    assert {"rmse", "width", "coverage", "hidden", "kept"} < set(content["masking"][0])
    assert "people with the verdicts of robot as a help (PPI++, lambda" in content["caption"]
    assert "50 splits, seed 0, intervals by pair" in content["caption"]


def test_without_unlabelled_pairs_only_the_potential_is_given(store: Store) -> None:
    result = Correct(dataset="all_labelled").run(store)
    assert result.table()["corrected"].isna().all()
    assert result.values["gain"] is None
    assert result.values["potential_gain"] > 1.05
    assert any("there is nothing to correct with: the potential gain alone" in w for w in result.warnings)
    assert result.table("sample").empty
    # Hiding makes unlabelled pairs.
    masked = Correct(dataset="all_labelled", mask_human=0.8).run(store)
    assert masked.values["masking_gain"] > 1
    assert masked.table("masking")["kept"].tolist() == [72] * 3


def test_masking_tells_its_progress_and_keeps_its_seed(store: Store) -> None:
    told: list[tuple[float, str]] = []
    one = Correct(dataset="plain", mask_human=0.5).run(store, lambda share, text: told.append((share, text)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert sum("hiding votes of people" in text for _, text in told) == 51
    again, other = (Correct(dataset="plain", mask_human=0.5, seed=seed).run(store) for seed in (0, 1))
    assert one.table("masking").equals(again.table("masking"))
    assert not one.table("masking").equals(other.table("masking"))


def test_pairs_without_a_verdict_of_the_judge_are_counted_and_left_out(store: Store) -> None:
    result = Correct(dataset="only_people").run(store)
    [said] = [w for w in result.warnings if w.startswith("left out: ")]
    assert "that people judged and robot did not" in said
    assert result.values["labelled"] < Correct(dataset="plain").run(store).values["labelled"]


def test_a_fair_sample_and_an_unfair_one(store: Store, tmp_path: Path) -> None:
    fair = Correct(dataset="plain").run(store)
    sample = fair.table("sample")
    assert set(sample["kind"]) == {"scenario", "model", "length", "verdict"}
    assert len(sample) == 2 + 4 + 2 + 3
    assert "by nothing beyond chance" in " ".join(fair.warnings)
    frame = verdicts(labelled=0.8)
    few = (frame["judge"] == "people") & (frame["scenario"] == "maths") & (frame.index % 4 > 0)
    unfair_store = kept(tmp_path, d=frame[~few])
    result = Correct().run(unfair_store)
    first = result.table("sample").iloc[0]
    assert (first["kind"], first["q"] < 0.001) == ("scenario", True)
    assert any("they differ most in “scenario" in w for w in result.warnings)
    assert unfair(result.table("sample").assign(q=pd.NA, p=pd.NA)) == "whether they are could not be tested"
    assert described("length", "one twice the other") == "length: one twice the other"


def test_traits_by_hand(store: Store) -> None:
    found, names = fetched(store, "plain")
    by_name = {(trait.kind, trait.name): trait.has for trait in traits(found, names)}
    pairs = found.pairs
    assert by_name["model", "ash"].mean() == pytest.approx(0.5)  # each of four models is in half of all pairs
    assert by_name["scenario", "maths"].mean() == pytest.approx(2 / 3)
    longer = found.length_a > found.length_b
    here = np.flatnonzero(found.length_a != found.length_b)
    expected = np.where(longer, pairs.judge_score, 1 - pairs.judge_score)
    assert by_name["verdict", "for the longer answer"][here] == pytest.approx(expected[here])
    assert np.isnan(by_name["verdict", "for the longer answer"][found.length_a == found.length_b]).all()
    assert 0.4 < np.mean(by_name["length", "both above the median"]) <= 0.5
    assert len(by_name) < MOST


@pytest.mark.parametrize("ties", ["half", "drop"])
def test_a_row_leads_to_exactly_the_pairs_it_counts(store: Store, ties: str) -> None:
    from studies.examples import Examples
    from ui.sections.correct import behind

    table = Correct(dataset="only_people", ties=ties).run(store).table()
    for row in table.to_dict("records"):
        words = {"dataset": ["only_people"], "ties": [ties]} | behind("people", "robot")(row).words()
        listed, dropped = Examples.from_parameters(words)
        assert dropped == []
        assert listed.run(store).values["pairs"] == row["labelled"]


def test_more_judges_come_one_after_the_other(store: Store) -> None:
    both = Correct(dataset="more").run(store)
    assert both.table("judges")["judge"].tolist() == ["robot", "droid"]
    assert both.values["gain"] is None
    alone = Correct(dataset="more", judge=("people", "droid")).run(store).table()
    expected = both.table().query("judge == 'droid'").reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, expected, rtol=1e-9)


def test_by_scenario(store: Store) -> None:
    result = run_by_scenario(Correct(dataset="plain"), store)
    assert set(result.table()["scenario"]) == {"maths", "tales"}


def test_a_reference_that_is_no_person_is_said(store: Store) -> None:
    result = Correct(dataset="plain", judge=("robot", "people")).run(store)
    assert any("'robot' is not human" in w for w in result.warnings)
    assert result.table()["corrected"].isna().all()  # the robot judged all that people judged


def test_few_prompts_and_few_pairs_are_said(store: Store) -> None:
    result = Correct(dataset="nine").run(store)
    assert result.settings["clustering"] == "pair"
    assert any("these prompts only" in w for w in result.warnings)
    assert any("below 10 a model" in w for w in result.warnings)
    by_pair, independent = (Correct(dataset="plain", cluster=c).run(store).table() for c in ("pair", "none"))
    pd.testing.assert_frame_equal(by_pair, independent)


# -- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dataset", "options", "error", "match"),
    [
        ("no_people", {}, EmptySelectionError, "no judge that is human: choose the two that are compared"),
        ("plain", {"judge": ("people",)}, EmptySelectionError, "correct needs two judges"),
        ("apart", {}, EmptySelectionError, "'people' and 'robot' share no pair of two named models"),
        ("texts", {}, EmptySelectionError, "columns model_a and model_b"),
        ("plain", {"model": ("ash",)}, EmptySelectionError, "no verdict on a pair of two named models"),
        ("plain", {"since": "2100-01-01"}, EmptySelectionError, "no verdict on a pair of two named models"),
        ("ties", {"ties": "drop"}, NotIdentifiedError, "no judgment to compare models by"),
        ("one_way", {}, NotIdentifiedError, "no two models have both beaten"),
        ("plain", {"ties": "davidson"}, OptionError, "--ties davidson is for rankings"),
        ("plain", {"mask_human": 1.0}, OptionError, "--mask-human 1: a share between 0 and 1"),
        ("plain", {"mask_human": 0.0}, OptionError, "a share between 0 and 1"),
        ("plain", {"cluster": "annotator"}, OptionError, "the unit here is the pair"),
    ],
)
def test_refusals(store: Store, dataset: str, options: dict[str, object], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        Correct(dataset=dataset, **options).run(store)


def test_too_many_models_are_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studies.correct.MOST_MODELS", 3)
    with pytest.raises(OptionError, match="at most 3 models are corrected at once, and these are 4: choose some"):
        Correct(dataset="plain").run(store)
    assert len(Correct(dataset="plain", model=MODELS[:3]).run(store).table()) == 3


def test_nothing_but_ties_is_a_ranking_of_equals(store: Store) -> None:
    result = Correct(dataset="ties", mask_human=0.5).run(store)
    assert (result.values["gain"], result.values["masking_gain"]) == (None, None)
    table = result.table()
    assert table["corrected"].abs().max() < 1e-9
    assert table["rank"].tolist() == [1] * 4


def test_two_models_are_enough(store: Store) -> None:
    result = Correct(dataset="two").run(store)
    assert result.table()["corrected"].sum() == pytest.approx(0, abs=1e-9)
    assert set(result.table("sample")["kind"]) == {"scenario", "length", "verdict"}


# -- published judgments --------------------------------------------------------------------------------------------


@pytest.mark.real
def test_published_judgments_leave_gpt_4_little_to_gain(tmp_path: Path) -> None:
    """1.004 is tr(H^-1 A H^-1) / min over lambda of tr(H^-1 B H^-1), see `analysis.ppi_scores.potential_gain`: pairs
    taken as independent, each counting once, the judge's scores centred, all at the strengths of people alone."""
    if not LLMFAO.is_dir():
        pytest.skip("the published judgments are not beside the project")
    store = Store(tmp_path / "s.duckdb")
    import_path(store, LLMFAO, "llmfao", ImportOptions(format="llmfao"))
    result = Correct(mask_human=0.8).run(store)
    judges = result.table("judges").set_index("judge")
    assert judges.loc["gpt-4", "potential_gain"] == pytest.approx(1.004, abs=5e-4)
    assert judges.loc["gpt-3", "potential_gain"] == pytest.approx(1.009, abs=5e-4)
    assert judges["unlabelled"].tolist() == [0, 0]
    masking = result.table("masking").set_index(["judge", "method"])
    assert masking.loc[("gpt-4", "naive"), "rmse"] > 3 * masking.loc[("gpt-4", "corrected"), "rmse"]
    for judge in ("gpt-4", "gpt-3"):
        assert masking.loc[(judge, "corrected"), "rmse"] < masking.loc[(judge, "classical"), "rmse"]
