"""The alternative-annotator test: worked by hand, held against the published figures and a plain loop, planted, refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp
from statsmodels.stats.multitest import multipletests

from analysis.alt_test import Annotations, run_alt_test
from analysis.multiple import adjust_by
from analysis.vcov import Clustering
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError
from studies.alt_test import AltTestStudy

PAIR = Clustering("pair")
A, B, T = 1.0, 0.0, 0.5


def annotations(table) -> Annotations:
    """From (n_annotators, n_items) values, NaN where an annotator has none."""
    values = np.asarray(table, dtype=np.float64)
    who, item = np.nonzero(~np.isnan(values))
    return Annotations(item, who, values[who, item])


def run(table, judge, cluster=None, **more):
    n = len(judge)
    return run_alt_test(
        annotations(table), np.array(judge, dtype=np.float64), np.arange(n) if cluster is None else np.asarray(cluster),
        PAIR if cluster is None else Clustering("prompt"), **{"few_items": 2, **more},
    )  # fmt: skip


HAND = [[A, A, B, T], [A, B, B, T], [B, A, B, A]]
HAND_JUDGE = [A, A, T, T]


def test_four_pairs_by_hand() -> None:
    found = run(HAND, HAND_JUDGE)
    # First annotator. Pair 1, others a, b: judge 1 of 2, annotator 1 of 2. Pair 2, others b, a: both 1 of 2. Pair 3,
    # others b, b: judge 0, annotator 2. Pair 4, others tie, a: both 1 of 2.
    # Second. Pair 1, others a, b: equal. Pair 2, others a, a: judge 2, annotator 0. Pair 3: annotator. Pair 4: equal.
    # Third. Pair 1, others a, a: judge 2, annotator 0. Pair 2, others a, b: equal. Pair 3: annotator. Pair 4, others
    # tie, tie: judge 2, annotator 0.
    assert found.advantage == pytest.approx([3 / 4, 3 / 4, 3 / 4])
    assert found.human_advantage == pytest.approx([1, 3 / 4, 2 / 4])
    assert found.difference == pytest.approx([1 / 4, 0, -1 / 4])
    assert found.advantage_probability == pytest.approx(0.75)
    d = [[0, 0, 1, 0], [0, -1, 1, 0], [-1, 0, 1, -1]]
    p = [ttest_1samp(row, 0.2, alternative="less").pvalue for row in d]
    assert found.p == pytest.approx(p)
    assert found.q == pytest.approx(multipletests(p, method="fdr_by")[1])
    assert (found.winning_rate, found.passed) == (0.0, False)
    # Without each pair in turn: 2/3, 2/3, 1, 2/3; CR3 = 3/4 of the squares about 3/4.
    assert found.covariance is not None
    assert found.covariance.se[0] == pytest.approx(np.sqrt(3 / 4 * sum((x - 3 / 4) ** 2 for x in (2 / 3, 2 / 3, 1, 2 / 3))))
    table = found.table()
    assert table["items"].tolist() == [4, 4, 4]
    half = 3.1824463 * np.std(d[1], ddof=1) / 2
    assert (table["lower"][1], table["upper"][1]) == pytest.approx((-half, half), abs=1e-6)


def test_the_docs_compute_the_same_table() -> None:
    text = (Path(__file__).parent.parent / "docs" / "judges.md").read_text()
    rows = re.findall(r"^\| (first|second|third) \| ([.\d]+) \| ([.\d]+) \| (−?[.\d]+) \|$", text, re.M)
    found = run(HAND, HAND_JUDGE)
    expected = zip(found.advantage, found.human_advantage, found.difference, strict=True)
    assert [tuple(float(x.replace("−", "-")) for x in row[1:]) for row in rows] == [tuple(row) for row in expected]


def test_soft_preferences_by_hand() -> None:
    # Others of the first annotator: .8 and .6, mean squares of .5 (judge) .05, of .9 (annotator) .05: equal.
    found = run([[0.9, 0.9], [0.8, 0.2], [0.6, 0.2]], [0.5, 0.3], score="rmse")
    assert found.advantage[0] == 1.0
    assert found.human_advantage[0] == 0.5
    # One and two thirds, as they are kept, are equally far from the other's.
    thirds = run([[round(2 / 3, 9)] * 2, [round(1 / 3, 9)] * 2], [0.0, 0.0], score="rmse")
    assert thirds.advantage[0] == thirds.human_advantage[0] == 1.0
    # As labels .5 is a tie that nobody said.
    assert run([[0.9, 0.9], [0.8, 0.2], [0.6, 0.2]], [0.5, 0.3]).advantage[0] == 0.5


def loop(table, judge, epsilon, score):
    """The definition, item by item."""
    people = [{i: v for i, v in enumerate(row) if not np.isnan(v)} for row in table]
    out = []
    for who, mine in enumerate(people):
        w, w_human = [], []
        for item, value in mine.items():
            rest = [other[item] for k, other in enumerate(people) if k != who and item in other]
            if not rest or np.isnan(judge[item]):
                continue
            if score == "accuracy":
                one, two = (np.mean([np.sign(x - 0.5) == np.sign(r - 0.5) for r in rest]) for x in (value, judge[item]))
            else:
                one, two = (-np.sqrt(np.mean([(x - r) ** 2 for r in rest])) for x in (value, judge[item]))
            w.append(two >= one)
            w_human.append(one >= two)
        d = np.array(w_human, dtype=float) - np.array(w, dtype=float)
        out.append((np.mean(w), ttest_1samp(d, epsilon, alternative="less").pvalue))
    return np.array(out).T


@pytest.mark.parametrize("score", ["accuracy", "rmse"])
def test_equals_a_plain_loop(score) -> None:
    rng = np.random.default_rng(1)
    table = rng.choice([0.0, 0.25, 0.5, 1.0], (5, 90))
    table[rng.random((5, 90)) < 0.3] = np.nan
    judge = np.where(rng.random(90) < 0.1, np.nan, rng.choice([0.0, 0.5, 0.75, 1.0], 90))
    found = run(table, judge, epsilon=0.1, score=score)
    advantage, p = loop(table, judge, 0.1, score)
    assert found.advantage == pytest.approx(advantage)
    assert found.p == pytest.approx(p)


@pytest.mark.parametrize("score", ["accuracy", "rmse"])
def test_swapping_a_and_b_changes_nothing(score) -> None:
    rng = np.random.default_rng(2)
    table, judge = rng.choice([0.0, 0.5, 1.0], (3, 60)), rng.choice([0.0, 0.5, 1.0], 60)
    turn = rng.random(60) < 0.5
    one = run(table, judge, score=score)
    two = run(np.where(turn, 1 - table, table), np.where(turn, 1 - judge, judge), score=score)
    pd.testing.assert_frame_equal(one.table(), two.table())
    assert one.interval() == two.interval()


def world(rng, n, noise, judge_noise, annotators=3):
    """Annotators and a judge that say what a pair truly is, or with these chances the opposite."""
    truth = rng.integers(0, 2, n).astype(float)
    table = np.where(rng.random((annotators, n)) < noise, 1 - truth, truth)
    return table, np.where(rng.random(n) < judge_noise, 1 - truth, truth)


def test_a_judge_that_is_as_good_passes_and_one_that_guesses_does_not() -> None:
    rng = np.random.default_rng(3)
    good = run(*world(rng, 400, 0.15, 0.10))
    assert good.passed
    assert good.winning_rate == 1.0
    guessing = run(*world(rng, 400, 0.15, 0.5))
    assert (guessing.passed, guessing.winning_rate) == (False, 0.0)
    assert guessing.advantage_probability < 0.7 < good.advantage_probability


@pytest.mark.slow
def test_coverage_of_the_advantage_probability_and_the_share_of_false_passes() -> None:
    rng = np.random.default_rng(4)
    big = run(*world(rng, 400_000, 0.2, 0.3))
    inside = passed = 0
    # At the boundary: an allowance that equals the true difference.
    epsilon = float(big.difference.mean())
    for _ in range(100):
        found = run(*world(rng, 80, 0.2, 0.3), epsilon=epsilon)
        low, high = found.interval()
        inside += low <= big.advantage_probability <= high
        passed += found.passed
    # 95 of 100 within four binomial errors; passing needs two of three annotators at false discovery .05.
    assert 86 <= inside <= 100
    assert passed <= 10


def test_items_that_share_a_prompt_are_taken_for_less_by_the_clustered_test() -> None:
    rng = np.random.default_rng(5)
    table, judge = world(rng, 12, 0.2, 0.2)
    once = run(table, judge, np.arange(12))
    ten = run(np.repeat(table, 10, axis=1), np.repeat(judge, 10), np.repeat(np.arange(12), 10))
    assert (ten.p < once.p).all()
    assert ten.p_clustered == pytest.approx(once.p_clustered)


def test_all_alike_is_decided_without_an_error() -> None:
    table = np.full((2, 40), A)
    same = run(table, np.full(40, A))
    assert (same.p == 0).all()
    assert same.passed
    assert np.isnan(same.interval()).all()
    assert same.table()["lower"].isna().all()
    never = run(table, np.full(40, B))
    assert (never.p == 1).all()
    assert (never.advantage_probability, never.passed) == (0.0, False)


def test_a_win_is_doubted_only_where_pairs_share_a_prompt() -> None:
    # The judge is right and the annotators are in 4 of 5: a win on each of 40 prompts alike.
    rng = np.random.default_rng(0)
    table = np.where(rng.random((3, 40)) < 0.8, 1.0, 0.0)
    alone = run(table, np.ones(40), few_items=30)
    assert alone.won.all()
    assert not alone.together
    assert not alone.doubted.any()
    alike = run(np.ones((3, 40)), np.ones(40), cluster=np.arange(40) // 4, few_items=30)
    assert np.isnan(alike.p_clustered).all()
    assert not alike.doubted.any()
    # Ten items of three prompts each: what looks like thirty says as much as three.
    few = run(np.repeat(table[:, :3], 10, axis=1), np.ones(30), cluster=np.repeat(np.arange(3), 10), few_items=30)
    assert few.doubted.tolist() == (few.won & (adjust_by(few.p_clustered) > 0.05)).tolist()


def test_annotators_with_few_items_are_left_out_and_still_count_as_others() -> None:
    rng = np.random.default_rng(6)
    table, judge = world(rng, 60, 0.1, 0.1)
    table[2, 20:] = np.nan
    found = run(table, judge, few_items=30)
    assert (found.annotator.tolist(), found.left_out.tolist(), found.left_out_items.tolist()) == ([0, 1], [2], [20])
    assert found.advantage == pytest.approx(loop(table, judge, 0.2, "accuracy")[0][:2])


def test_refusals() -> None:
    alone = [[A, np.nan], [np.nan, A]]
    with pytest.raises(NotIdentifiedError, match="no pair was judged by two named annotators"):
        run(alone, [A, A])
    with pytest.raises(NotIdentifiedError, match="shares no pair with people"):
        run(HAND, [np.nan] * 4)
    with pytest.raises(NotIdentifiedError, match=r"no annotator has 30 pairs .* the most is 4"):
        run(HAND, HAND_JUDGE, few_items=30)
    with pytest.raises(OptionError, match="epsilon 1"):
        run(HAND, HAND_JUDGE, epsilon=1.0)


# -- the study ----------------------------------------------------------------------------------------------------


def frame(rng, n=60, annotators=("ann", "bob", "cid"), judges=("gpt",), noise=0.15) -> pd.DataFrame:
    table, said = world(rng, n, noise, 0.1, len(annotators))
    rows = []
    for k in range(n):
        pair = {"prompt": f"p{k}", "model_a": "m", "model_b": "n"}
        rows += [
            pair | {"judge": "people", "judge_kind": "human", "annotator": who, "winner": "a" if table[j, k] else "b"}
            for j, who in enumerate(annotators)
        ]
        rows += [pair | {"judge": judge, "judge_kind": "llm", "annotator": "", "winner": "a" if said[k] else "b"}
                 for judge in judges]  # fmt: skip
    return pd.DataFrame(rows)


def store_of(folder: Path, table: pd.DataFrame) -> Store:
    table.to_csv(folder / "d.csv", index=False)
    store = Store(folder / "s.duckdb")
    import_path(store, folder / "d.csv", "d")
    return store


def test_the_study_s_tables(tmp_path: Path) -> None:
    store = store_of(tmp_path, frame(np.random.default_rng(7)))
    result = AltTestStudy(dataset="d").run(store)
    (judge,) = result.as_json()["judges"]
    assert (judge["judge"], judge["annotators"], judge["items"]) == ("gpt", 3, 60)
    assert f"interval, clustered by {judge['clusters']} {judge['clustering']}s. Annotators" in result.caption
    assert {"advantage_probability", "lower", "upper", "winning_rate", "passed"} <= set(judge)
    people = result.table("annotators")
    assert people["annotator"].tolist() == ["ann", "bob", "cid"]
    assert judge["advantage_probability"] == pytest.approx(people["advantage"].mean())
    assert list(result.tables) == ["judges", "annotators", "left_out"]
    assert len(result.table("left_out")) == 0


def test_one_column_a_person_is_one_annotator_each(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    whole = frame(rng)
    people = whole["judge"] == "people"
    apart = whole.assign(judge=whole["judge"].where(~people, whole["annotator"]), annotator="").drop(columns="annotator")
    (tmp_path / "two").mkdir()
    one = AltTestStudy(dataset="d").run(store_of(tmp_path, whole))
    two = AltTestStudy(dataset="d").run(store_of(tmp_path / "two", apart))
    pd.testing.assert_frame_equal(one.table("annotators"), two.table("annotators"))


def test_orders_and_repeats_are_averaged_and_nameless_votes_left_out(tmp_path: Path) -> None:
    whole = frame(np.random.default_rng(9))
    gpt = whole[whole["judge"] == "gpt"]
    turned = gpt.assign(winner=gpt["winner"].map({"a": "b", "b": "a"}), swapped="true")
    nameless = whole[whole["annotator"] == "ann"].assign(annotator="")
    store = store_of(tmp_path, pd.concat([whole.assign(swapped="false"), turned, nameless.assign(swapped="")]))
    result = AltTestStudy(dataset="d").run(store)
    # a in one order and b in the other is a tie, which nobody said.
    assert result.table()["advantage_probability"][0] < 0.5
    assert any("60 verdicts of people without a named annotator left out" in w for w in result.warnings)


def test_study_refusals(tmp_path: Path) -> None:
    store = store_of(tmp_path, frame(np.random.default_rng(10), n=20))
    with pytest.raises(NotIdentifiedError, match=r"no annotator has 30 pairs .* the most is 20"):
        AltTestStudy(dataset="d").run(store)
    with pytest.raises(EmptySelectionError, match="alt-test needs two judges"):
        AltTestStudy(dataset="d", judge=("people",)).run(store)
    (tmp_path / "two").mkdir()
    two = store_of(tmp_path / "two", frame(np.random.default_rng(10), n=20, judges=("gpt", "other")))
    with pytest.raises(EmptySelectionError, match="among 'gpt' and 'other' there are no people: name them with --judge"):
        AltTestStudy(dataset="d", judge=("gpt", "other")).run(two)
    with pytest.raises(OptionError, match="--epsilon 2"):
        AltTestStudy(dataset="d", epsilon=2.0).run(store)
    with pytest.raises(OptionError, match="--cluster annotator"):
        AltTestStudy(dataset="d", cluster="annotator").run(store)


@pytest.mark.real
def test_the_published_figures(real: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    import_path(store, real / "mtbench_alt_test", "d", ImportOptions(format="mtbench_alt_test"))
    result = AltTestStudy(dataset="d", epsilon=0.2).run(store)
    found = {row["judge"]: row for row in result.table().to_dict("records")}
    published = {"gpt-4o": 0.77, "gemini_pro": 0.76, "gpt-4o-mini": 0.74, "gemini_flash": 0.72, "llama-31": 0.69,
                 "mistral-v03": 0.68}  # fmt: skip
    assert {judge: round(row["advantage_probability"], 2) for judge, row in found.items()} == published
    assert all(row["winning_rate"] == 0 and not row["passed"] for row in found.values())
