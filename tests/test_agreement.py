"""Agreement by scenario: worked by hand, held against published figures, planted and covered, refused where nothing is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from analysis.agreement import PairVotes, agree_by_group
from data import queries
from data.imports import ImportOptions, import_path
from data.queries.votes import votes
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError
from studies.scenario_agreement import ScenarioAgreement
from studies.scenario_orders import ScenarioOrders


def pairs(reference, judge, cluster=None, group=None) -> PairVotes:
    """Votes (a, b, tie) of both on each pair."""
    n = len(reference)
    return PairVotes(
        np.array(reference), np.array(judge), np.arange(n) if cluster is None else np.array(cluster),
        np.zeros(n, dtype=np.int64) if group is None else np.array(group),
    )  # fmt: skip


def test_three_pairs_by_hand() -> None:
    # Pair 1: people a, a, b against a: 2 of 3. Pair 2: b, tie against tie: 1 of 2. Pair 3: a against b: 0 of 1.
    held = pairs([[2, 1, 0], [0, 1, 1], [1, 0, 0]], [[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    found = agree_by_group(held, 1)
    assert found.comparisons.tolist() == [6.0]
    assert found.agreement[0] == 3 / 6
    # Without each pair: 1/3, 2/4, 3/5; CR3 = 2/3 of the squares about 1/2.
    se = np.sqrt(2 / 3 * sum((v - 0.5) ** 2 for v in (1 / 3, 1 / 2, 3 / 5)))
    assert found.se[0] == pytest.approx(se)
    assert found.df[0] == 2
    row = found.table().iloc[0]
    assert row["upper"] == pytest.approx(min(1, 0.5 + student.ppf(0.975, 2) * se))
    # Without ties: pair 2 has no comparison left.
    apart = agree_by_group(held, 1, ties=False)
    assert (apart.comparisons[0], apart.agreement[0], apart.n_pairs[0]) == (4.0, 0.5, 2)


def test_many_clusters_are_linearised_as_a_ratio_of_sums() -> None:
    rng = np.random.default_rng(0)
    votes_of = rng.multinomial(3, [0.5, 0.4, 0.1], 300)
    judge = rng.multinomial(1, [0.5, 0.4, 0.1], 300)
    cluster = np.repeat(np.arange(100), 3)
    found = agree_by_group(pairs(votes_of, judge, cluster), 1)
    same, whole = (votes_of * judge).sum(axis=1), votes_of.sum(axis=1)
    a, n = np.bincount(cluster, same), np.bincount(cluster, whole)
    share = a.sum() / n.sum()
    assert found.agreement[0] == pytest.approx(share)
    assert found.se[0] == pytest.approx(np.sqrt(100 / 99 * ((a - share * n) ** 2).sum()) / n.sum())
    assert np.isinf(found.df[0])


def test_what_says_nothing_has_no_figure_and_enters_no_test() -> None:
    one = [[1, 0, 0]]
    held = pairs(one * 6, [*one * 5, [0, 1, 0]], [0, 0, 1, 1, 2, 3], [0, 0, 1, 1, 2, 2])
    found = agree_by_group(held, 4)
    # One prompt; all alike; two prompts that differ; nothing.
    assert np.isnan(found.se).tolist() == [True, True, False, True]
    assert np.isnan(found.agreement).tolist() == [False, False, False, True]
    assert found.test is None
    table = found.table()
    assert table["lower"].isna().tolist() == [True, True, False, True]
    # The pooled figure of a group without an error of its own is the others'.
    assert table["pooled"].notna().all()


def test_exchanging_the_judges_or_a_and_b_changes_nothing() -> None:
    rng = np.random.default_rng(1)
    one, two = rng.multinomial(2, [0.4, 0.4, 0.2], 60), rng.multinomial(1, [0.5, 0.3, 0.2], 60)
    cluster, group = np.repeat(np.arange(20), 3), np.repeat(np.arange(4), 15)
    table = agree_by_group(pairs(one, two, cluster, group), 4).table()
    for other in (pairs(two, one, cluster, group), pairs(one[:, [1, 0, 2]], two[:, [1, 0, 2]], cluster, group)):
        pd.testing.assert_frame_equal(table, agree_by_group(other, 4).table())


def planted(rng: np.random.Generator, tau: float, scenarios: int = 8, prompts: int = 30) -> tuple[PairVotes, np.ndarray]:
    """Agreement of each scenario drawn around .65 on the log-odds; prompts differ too, and have four pairs each."""
    truth = 0.62 + tau * rng.normal(size=scenarios)
    # Of so many prompts: the share that their own ease leaves on average.
    ease = 0.6 * rng.normal(size=(200_000,))
    shares = np.array([np.mean(1 / (1 + np.exp(-(one + ease)))) for one in truth])
    own = truth[:, None] + 0.6 * rng.normal(size=(scenarios, prompts))
    same = rng.random((scenarios, prompts, 4)) < 1 / (1 + np.exp(-own[:, :, None]))
    group = np.repeat(np.arange(scenarios), prompts * 4)
    cluster = np.repeat(np.arange(scenarios * prompts), 4)
    n = same.size
    reference = np.column_stack([np.ones(n), np.zeros(n), np.zeros(n)]).astype(np.int64)
    judge = np.column_stack([same.ravel(), ~same.ravel(), np.zeros(n)]).astype(np.int64)
    return PairVotes(reference, judge, cluster, group), shares


@pytest.mark.slow
def test_intervals_hold_and_equal_scenarios_are_told_apart_no_more_than_chance_allows() -> None:
    rng = np.random.default_rng(5)
    raw, pooled, flagged = [], [], 0
    for _ in range(100):
        held, shares = planted(rng, 0.3)
        table = agree_by_group(held, 8).table()
        for into, low, high in ((raw, "lower", "upper"), (pooled, "pooled_lower", "pooled_upper")):
            into.append(((table[low] <= shares) & (shares <= table[high])).mean())
        held, _ = planted(rng, 0.0)
        test = agree_by_group(held, 8).test
        assert test is not None
        flagged += test.p[0] < 0.05
    # 800 intervals, eight a data set: three standard errors are about 2.5 points.
    assert 0.925 <= np.mean(raw) <= 0.975
    assert 0.925 <= np.mean(pooled) <= 0.985
    # 100 tests at 5 %: more than 12 happen in 1 of 1,000.
    assert flagged <= 12


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two judges on 24 prompts of three scenarios; in `z` they always agree, in `x` never."""
    folder = tmp_path_factory.mktemp("agreement")
    rows = []
    for k in range(24):
        scenario = "xyz"[k % 3]
        for judge, annotator in (("people", "ann"), ("people", "bob"), ("gpt", None)):
            other = {"x": "b", "y": "ab"[k % 2], "z": "a"}[scenario]
            rows.append({"prompt_id": f"p{k}", "prompt": f"q{k}", "scenario": None if k == 23 else scenario,
                         "model_a": "m1", "model_b": "m2", "judge": judge, "annotator": annotator,
                         "judge_kind": "human" if judge == "people" else "llm",
                         "winner": "a" if judge == "people" else other})  # fmt: skip
    # A second, contradicting look of ann makes her vote a tie.
    rows.append(rows[0] | {"winner": "b", "repeat": 2})
    pd.DataFrame(rows).to_csv(folder / "j.csv", index=False)
    found = Store(folder / "s.duckdb")
    assert import_path(found, folder / "j.csv", "d").accepted == 73
    return found


def test_votes_are_one_an_annotator(store: Store) -> None:
    with store.reading() as con:
        names = queries.catalog(con, "d")
        counted = votes(con, names, "dataset_id = 1")
    people = counted.of(names.judges["people"][0])
    assert (people.a[0], people.b[0], people.tie[0]) == (1, 0, 1)
    assert people.a[1:].tolist() == [2] * 23
    assert counted.of(names.judges["gpt"][0]).a.sum() == 12


def test_the_study_names_thin_scenarios_and_what_is_left_out(store: Store) -> None:
    result = ScenarioAgreement(dataset="d").run(store)
    table = result.table().set_index("scenario")
    assert table.loc["x", "agreement"] == 0.0
    assert table.loc["z", "agreement"] == 1.0
    assert table.loc["y", "agreement"] == 0.5
    assert table["remark"].tolist() == ["all comparisons alike", "thin: 8 prompts", "all comparisons alike"]
    assert pd.isna(table.loc["x", "lower"])
    assert "1 shared pair without a scenario are left out" not in result.warnings
    assert "1 shared pair without a scenario is left out" in result.warnings
    assert result.table("judges")["agreement"].tolist() == [pytest.approx(22 / 46)]


def test_what_cannot_be_compared_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="two judges, the reference first"):
        ScenarioAgreement(dataset="d", judge=("gpt",)).run(store)
    with pytest.raises(OptionError, match="hang together by prompt or by pair"):
        ScenarioAgreement(dataset="d", cluster="annotator").run(store)
    with pytest.raises(EmptySelectionError, match="no judgment with a verdict"):
        ScenarioAgreement(dataset="d", since="2030-01-01").run(store)
    with pytest.raises(OptionError, match="two judges"):
        ScenarioOrders(dataset="d", judge=("gpt",)).run(store)
    rows = pd.DataFrame(
        [{"prompt": f"q{k}", "response_a": "x", "response_b": "y", "judge": j, "winner": "a"}
         for k in range(3) for j in (("people",), ("gpt",))[k % 2]]
    )  # fmt: skip
    rows.to_csv(tmp_path / "j.csv", index=False)
    other = Store(tmp_path / "s.duckdb")
    import_path(other, tmp_path / "j.csv", "e")
    with pytest.raises(NotIdentifiedError, match="gpt shares no pair with people"):
        ScenarioAgreement(dataset="e").run(other)


@pytest.mark.real
def test_llmfao_s_published_agreement(real: Path, tmp_path: Path) -> None:
    """The figures of the statistics: vote level, with and without ties; all prompts as one scenario."""
    store = Store(tmp_path / "s.duckdb")
    import_path(store, real / "llmfao", "llmfao", ImportOptions(format="llmfao"))
    with store.reading() as con:
        names = queries.catalog(con, "llmfao")
        counted = votes(con, names, f"dataset_id = {names.dataset_id}")
        crowd = next(i for i, kind in names.judges.values() if kind == "human")
        others = {name: i for name, (i, kind) in names.judges.items() if kind != "human"}
    for name, share, with_ties, n in (("gpt-4", 0.6616, 0.4148, 5358), ("gpt-3", 0.6011, None, 5019)):
        judge = next(i for other, i in others.items() if other.lower().startswith(name))
        one, two = counted.of(crowd), counted.of(judge)
        _, first, second = np.intersect1d(one.pair, two.pair, return_indices=True)
        one, two = one.take(first), two.take(second)
        held = pairs(
            np.column_stack([one.a, one.b, one.tie]), np.column_stack([two.a, two.b, two.tie]), one.prompt
        )  # fmt: skip
        apart = agree_by_group(held, 1, ties=False)
        assert apart.agreement[0] == pytest.approx(share, abs=5e-5)
        assert apart.comparisons[0] == n
        if with_ties is not None:
            assert agree_by_group(held, 1).agreement[0] == pytest.approx(with_ties, abs=5e-5)
