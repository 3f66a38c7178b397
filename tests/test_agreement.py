"""Agreement by scenario: worked by hand, held against published figures, planted and covered, refused where nothing is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from analysis.agreement import Compared, PairVotes, agree_by_group, below_others, find_agreement
from analysis.pooling import pool
from analysis.vcov import Clustering
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
    # Symmetric in log-odds: logit(1/2) is 0, its standard error se / (1/2 * 1/2).
    assert row["upper"] == pytest.approx(1 / (1 + np.exp(-student.ppf(0.975, 2) * se * 4)))
    assert row["lower"] == pytest.approx(1 - row["upper"])
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


def compared(rng: np.random.Generator, prompts: int, groups: int = 3, rate: float = 0.7) -> Compared:
    """Groups that judge the same prompts: four comparisons of each, of one another's weight; annotators cross them."""
    prompt = np.repeat(np.arange(prompts), groups * 4)
    group = np.tile(np.repeat(np.arange(groups), 4), prompts)
    ease = rate + 0.25 * rng.uniform(-1, 1, prompts)[prompt]
    whole = rng.integers(1, 4, len(prompt)).astype(float)
    same = rng.binomial(whole.astype(int), ease).astype(float)
    return Compared(same, whole, group, {"prompt": prompt, "annotator": rng.integers(0, 7, len(prompt))})


def by_deletion(rows: Compared, sides: list[np.ndarray], codes: np.ndarray) -> float:
    """Variance of a share (or of the difference of two) by leaving out each cluster, from the rows themselves."""
    def value(kept: np.ndarray) -> float:
        shares = [rows.same[kept & side].sum() / rows.whole[kept & side].sum() for side in sides]
        return shares[0] - (shares[1] if len(shares) > 1 else 0.0)

    every = np.unique(codes[np.logical_or.reduce(sides)])
    whole = value(np.ones(len(codes), dtype=bool))
    return (len(every) - 1) / len(every) * sum((value(codes != c) - whole) ** 2 for c in every)


def test_few_prompts_are_left_out_one_by_one_whatever_the_others_have() -> None:
    rng = np.random.default_rng(3)
    rows = compared(rng, 60, groups=2)
    # The second group has 7 of the 60 prompts, the first all of them.
    rows = rows.take(np.flatnonzero((rows.group == 0) | (rows.clusters["prompt"] < 7)))
    found = find_agreement(rows, 2, Clustering("prompt"))
    assert found.n_clusters.tolist() == [60, 7]
    assert found.df.tolist() == [np.inf, 6]
    last = rows.group == 1
    assert found.se[1] ** 2 == pytest.approx(by_deletion(rows, [last], rows.clusters["prompt"]))
    p = below_others(rows, 2, Clustering("prompt"))
    # One difference, of all 60 prompts, those of the small group left out one by one.
    many = rows.clusters["prompt"] >= 7
    away = (rows.same - found.agreement[0] * rows.whole)[many] / rows.whole[~last].sum()
    linear = 60 / 59 * (np.bincount(rows.clusters["prompt"][many], away) ** 2).sum()
    whole = found.agreement[1] - found.agreement[0]
    without = []
    for c in range(7):
        kept = rows.clusters["prompt"] != c
        without.append(rows.same[kept & last].sum() / rows.whole[kept & last].sum()
                       - rows.same[kept & ~last].sum() / rows.whole[kept & ~last].sum())  # fmt: skip
    se = np.sqrt(linear + 59 / 60 * ((np.array(without) - whole) ** 2).sum())
    raw = student.cdf(whole / se, 6)
    low, high = sorted([raw, 1 - raw])
    assert sorted(p) == pytest.approx([2 * low, max(2 * low, high)])


def test_two_ways_of_clustering_are_added_and_what_they_share_taken_off() -> None:
    rows = compared(np.random.default_rng(4), 30, groups=1)
    found = find_agreement(rows, 1, Clustering("prompt+annotator"))
    every = np.ones(len(rows.same), dtype=bool)
    prompt, annotator = rows.clusters["prompt"], rows.clusters["annotator"]
    both = prompt * 10 + annotator
    share, n = found.agreement[0], rows.whole.sum()
    sums = np.bincount(both, rows.same - share * rows.whole) / n
    g = len(np.unique(both))
    crossed = g / (g - 1) * sums @ sums
    wanted = by_deletion(rows, [every], prompt) + by_deletion(rows, [every], annotator) - crossed
    assert g >= 50
    assert found.se[0] ** 2 == pytest.approx(wanted)
    assert (found.df[0], found.n_clusters[0]) == (6, 7)


def test_one_prompt_with_a_fifth_of_all_comparisons_is_left_out_exactly() -> None:
    rows = compared(np.random.default_rng(5), 80, groups=1)
    heavy = rows.clusters["prompt"] == 0
    rows = Compared(np.where(heavy, rows.same * 20, rows.same), np.where(heavy, rows.whole * 20, rows.whole),
                    rows.group, rows.clusters)  # fmt: skip
    found = find_agreement(rows, 1, Clustering("prompt"))
    mass = np.bincount(rows.clusters["prompt"], rows.whole)
    assert found.df[0] == pytest.approx(mass.sum() ** 2 / (mass @ mass) - 1)
    a = np.bincount(rows.clusters["prompt"], rows.same)
    away = (a - found.agreement[0] * mass)[1:] / mass.sum()
    one = a[1:].sum() / mass[1:].sum() - found.agreement[0]
    assert found.se[0] ** 2 == pytest.approx(80 / 79 * away @ away + 79 / 80 * one**2)


def test_where_all_others_are_one_prompt_nothing_is_said_to_lie_below_them() -> None:
    rng = np.random.default_rng(6)
    rows = compared(rng, 30, groups=2)
    rows = rows.take(np.flatnonzero((rows.group == 0) | (rows.clusters["prompt"] == 3)))
    assert np.isnan(below_others(rows, 2, Clustering("prompt"))).all()


def test_an_error_that_groups_share_widens_each_and_leaves_their_differences() -> None:
    y, se = np.array([[0.2], [0.9], [0.5]]), np.array([[0.2], [0.3], [0.25]])
    alone, shared = pool(y, se), pool(y, se, shared=0.04)
    assert shared.value == pytest.approx(alone.value)
    assert shared.sd**2 == pytest.approx(alone.sd**2 + 0.04)
    assert shared.departure_interval().lower == pytest.approx(alone.departure_interval().lower)
    assert shared.mu_interval().upper > alone.mu_interval().upper
    # By numbers drawn from both parts: a quantile of their sum.
    rng = np.random.default_rng(0)
    drawn = alone.mu_interval(0.5).upper
    assert shared.mu_interval(0.5).upper > drawn
    node = rng.choice(len(alone.tau), 400_000, p=alone.share[:, 0])
    total = alone.centre[node, 0] + np.hypot(alone.centre_sd[node, 0], 0.2) * rng.standard_normal(400_000)
    # Three standard errors of a drawn quantile of so many.
    assert shared.mu_interval().upper == pytest.approx(np.quantile(total, 0.975), abs=0.01)


@pytest.mark.slow
def test_pooled_intervals_hold_where_groups_judge_the_same_prompts() -> None:
    """100 data sets of five groups: errors that groups have in common are no evidence that groups are alike."""
    rng = np.random.default_rng(7)
    hit = []
    for _ in range(100):
        theta = 0.7 + 0.2 * rng.normal(size=5)
        ease = rng.normal(size=60)
        same = rng.random((60, 5, 3)) < 1 / (1 + np.exp(-(theta[None, :, None] + ease[:, None, None])))
        prompt, group, _ = np.indices(same.shape)
        rows = Compared(same.ravel().astype(float), np.ones(same.size), group.ravel(), {"prompt": prompt.ravel()})
        found = find_agreement(rows, 5, Clustering("prompt"))
        assert found.test is None
        nodes, weights = np.polynomial.hermite_e.hermegauss(40)
        truth = (weights / weights.sum()) @ (1 / (1 + np.exp(-(theta[None, :] + nodes[:, None]))))
        table = found.table()
        hit.append(((table["pooled_lower"] <= truth) & (truth <= table["pooled_upper"])).mean())
    # .94 over 300 data sets; without the common part .90. Groups of a data set stand or fall together: sd about .16.
    assert np.mean(hit) > 0.92


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


def test_soft_verdicts_that_are_even_on_average_are_a_tie(tmp_path: Path) -> None:
    """The mean of .35, .7 and .45 is one half, which floating point misses by 6e-17."""
    assert (0.35 + 0.7 + 0.45) / 3 != 0.5
    rows = [{"prompt_id": "p", "prompt": "q", "model_a": "m1", "model_b": "m2", "judge": "gpt", "p_a": p, "repeat": k}
            for k, p in enumerate([0.35, 0.7, 0.45])]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "j.csv", index=False)
    made = Store(tmp_path / "s.duckdb")
    assert import_path(made, tmp_path / "j.csv", "d").accepted == 3
    with made.reading() as con:
        counted = votes(con, queries.catalog(con, "d"), "dataset_id = 1")
    assert (counted.a.tolist(), counted.b.tolist(), counted.tie.tolist()) == ([0], [0], [1])


def test_the_study_names_thin_scenarios_and_what_is_left_out(store: Store) -> None:
    result = ScenarioAgreement(dataset="d").run(store)
    table = result.table().set_index("scenario")
    assert f"clustered by {table['clusters'].sum()} prompts, each scenario by its own number" in result.caption
    assert table.loc["x", "agreement"] == 0.0
    assert table.loc["z", "agreement"] == 1.0
    assert table.loc["y", "agreement"] == 0.5
    assert table["remark"].tolist() == ["all comparisons alike", "thin: 8 prompts", "all comparisons alike"]
    assert pd.isna(table.loc["x", "lower"])
    assert "1 shared pair without a scenario are left out" not in result.warnings
    assert "1 shared pair without a scenario is left out" in result.warnings
    assert result.table("judges")["agreement"].tolist() == [pytest.approx(22 / 46)]


def test_what_cannot_be_compared_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(EmptySelectionError, match="two judges, the reference first"):
        ScenarioAgreement(dataset="d", judge=("gpt",)).run(store)
    with pytest.raises(OptionError, match="hang together by prompt or by pair"):
        ScenarioAgreement(dataset="d", cluster="annotator").run(store)
    with pytest.raises(EmptySelectionError, match="no judgment with a verdict"):
        ScenarioAgreement(dataset="d", since="2030-01-01").run(store)
    with pytest.raises(EmptySelectionError, match="two judges"):
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
