"""Groups: weights and tests by hand and against direct forms, agreement on counted cases, the study on a file."""

import csv
import dataclasses

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.agreement import Compared
from analysis.design import Design
from analysis.factor_covariance import weight_covariance
from analysis.factor_fit import fit_factors
from analysis.groups import agree_in_groups, fit_groups, slope_over_judges
from analysis.vcov import Clustering
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError, UnknownNameError
from studies.factors_groups import AGREEMENT_COLUMNS, FactorsGroups
from studies.group_values import _cut, _levels

PROMPT = Clustering("prompt")


def drawn(prompts=60, each=12, apart=False, second=(0.5, -0.3), seed=0, k=2):
    """A design in which rows of group 1 have the weights `second`, those of group 0 (.5, -.3); and the groups."""
    rng = np.random.default_rng(seed)
    n = prompts * each
    prompt = np.repeat(np.arange(prompts), each)
    group = prompt % 2 if apart else rng.integers(0, 2, n)
    x = rng.standard_normal((k, n))
    weights = np.array([np.resize([0.5, -0.3], k), np.resize(second, k)])
    slope = 0.3 * rng.standard_normal((prompts, k))
    eta = ((weights[group] + slope[prompt]).T * x).sum(axis=0)
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    at, ones = np.arange(n), np.ones(n)
    names = tuple(f"f{j}" for j in range(k))
    return Design(names, x, at, at, ones, y, ones.astype(int), None, None, {"prompt": prompt, "pair": at}), group


# -- weights ------------------------------------------------------------------------------------------------------


def test_each_groups_weights_are_those_of_its_rows_alone():
    design, group = drawn()
    found = fit_groups(design, group, ["young", "old"], PROMPT)
    for g, name in enumerate(["young", "old"]):
        part = design.take(np.flatnonzero(group == g))
        fit = fit_factors(part)
        cov = weight_covariance([fit], [part], PROMPT)
        mine = found.table()[lambda t, name=name: t["group"] == name]
        assert mine["weight"].to_numpy(dtype=float) == pytest.approx(fit.parameters)
        assert mine["se"].to_numpy(dtype=float) == pytest.approx(cov.se)


def test_two_groups_that_share_prompts_are_tested_by_their_difference():
    """One difference: F is t squared, with the covariance of what both share."""
    design, group = drawn(second=(1.2, -0.3))
    found = fit_groups(design, group, ["young", "old"], PROMPT)
    fits = [fit_factors(design.take(np.flatnonzero(group == g))) for g in (0, 1)]
    parts = [design.take(np.flatnonzero(group == g)) for g in (0, 1)]
    joint = weight_covariance(fits, parts, PROMPT)
    for k in range(2):
        variance = joint.vcov[k, k] + joint.vcov[2 + k, 2 + k] - 2 * joint.vcov[k, 2 + k]
        f = (joint.estimate[2 + k] - joint.estimate[k]) ** 2 / variance
        test = next(one for one in found.tests if one.factor == f"f{k}")
        # Hotelling's factor (G - r) / (r (G - 1)) is 1 for one difference.
        assert test.statistic == pytest.approx(f, rel=1e-9)
        assert test.p == pytest.approx(stats.f.sf(f, 1, 59))
    assert found.tests[0].p < 0.001 < found.tests[1].p


def test_groups_of_other_prompts_are_tested_by_welch():
    design, group = drawn(apart=True, second=(1.2, -0.3), prompts=40)
    found = fit_groups(design, group, ["even", "odd"], PROMPT)
    table = found.table().set_index(["group", "factor"])
    for test in found.tests:
        one, two = (table.loc[(name, test.factor)] for name in ("even", "odd"))
        variance = one["se"] ** 2, two["se"] ** 2
        f = (one["weight"] - two["weight"]) ** 2 / sum(variance)
        df = sum(variance) ** 2 / sum(v**2 / 19 for v in variance)
        assert test.statistic == pytest.approx(f)
        assert test.df_2 == pytest.approx(df)
        assert test.p == pytest.approx(stats.f.sf(f, 1, df))


def test_exchanged_sides_and_names_of_groups_change_nothing():
    design, group = drawn()
    one = fit_groups(design, group, ["a", "b"], PROMPT).test_table().set_index("factor")["p"]
    swapped = dataclasses.replace(design, x=-design.x, score=1 - design.score)
    other = fit_groups(swapped, 1 - group, ["b", "a"], PROMPT).test_table().set_index("factor")["p"]
    assert other[one.index].to_numpy(dtype=float) == pytest.approx(one.to_numpy(dtype=float), rel=1e-8)


def test_a_group_merely_less_decisive_has_gaps_and_no_scaled_one():
    design, group = drawn(second=(0.25, -0.15), prompts=300, each=20)
    gaps = fit_groups(design, group, ["sure", "careless"], PROMPT).gap_table()
    assert (gaps["p"] < 0.05).any()
    assert not (gaps["scaled_q"] < 0.05).any()
    assert set(gaps["against"]) | set(gaps["group"]) == {"sure", "careless"}


def test_more_differences_than_clusters_are_refused():
    design, _ = drawn(prompts=5, each=60)
    found = fit_groups(design, np.arange(300) % 6, list("abcdef"), PROMPT)
    assert all(one.p is None and "too few to test 5 differences" in one.refused for one in found.tests)
    assert found.test_table()["p"].isna().all()


def test_a_factor_that_a_group_does_not_have_is_tested_in_the_others():
    design, _ = drawn()
    group = np.arange(720) % 3
    x = design.x.copy()
    x[0, group == 2] = 0.0
    found = fit_groups(dataclasses.replace(design, x=x), group, ["a", "b", "c"], PROMPT)
    tests = {one.factor: one.groups for one in found.tests}
    assert tests == {"f0": ("a", "b"), "f1": ("a", "b", "c")}


def test_one_group_is_refused_and_a_tiny_one_named():
    design, group = drawn()
    with pytest.raises(NotIdentifiedError, match="in one group alone"):
        fit_groups(design, np.where(group == 0, 0, -1), ["a", "b"], PROMPT)
    three = np.where(np.arange(720) == 5, 2, group)
    found = fit_groups(design, three, ["a", "b", "tiny"], PROMPT)
    assert set(found.refused) == {"tiny"}


@pytest.mark.slow
@pytest.mark.every(2, "apart", shift=1)
@pytest.mark.parametrize("apart", [False, True])
def test_tests_hold_their_level(apart):
    runs, flagged = 100, 0
    for seed in range(runs):
        design, group = drawn(prompts=40, each=15, apart=apart, seed=seed)
        flagged += sum(one.p < 0.05 for one in fit_groups(design, group, ["a", "b"], PROMPT).tests)
    # 200 tests at 5 %: three standard errors.
    assert abs(flagged / (2 * runs) - 0.05) < 3 * np.sqrt(0.05 * 0.95 / (2 * runs))


# -- agreement ----------------------------------------------------------------------------------------------------


def votes(rates, each=200, prompts=50, seed=0):
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(len(rates)), each)
    right = (rng.random(len(group)) < np.array(rates)[group]).astype(float)
    return Compared(right, np.ones(len(right)), group, {"prompt": rng.integers(prompts, size=len(group))})


def test_the_documented_two_groups():
    """60 of 100 and 80 of 100, each vote a cluster of its own."""
    right = np.r_[np.ones(60), np.zeros(40), np.ones(80), np.zeros(20)]
    rows = Compared(right, np.ones(200), np.repeat([0, 1], 100), {})
    found = agree_in_groups(rows, ["young", "old"], Clustering("none"))
    assert (found.groups[found.lowest], found.found.agreement.tolist()) == ("young", [0.6, 0.8])
    z = -0.2 / np.sqrt(0.6 * 0.4 / 100 + 0.8 * 0.2 / 100)
    assert found.p == pytest.approx([2 * stats.norm.sf(-z), stats.norm.sf(z)])
    low = np.log(1.5) - stats.norm.ppf(0.975) / np.sqrt(100 * 0.6 * 0.4)
    row = found.table().iloc[0]
    assert row["lower"] == pytest.approx(1 / (1 + np.exp(-low)))
    wide = np.log(1.5) - stats.norm.ppf(1 - 0.05 / 4) / np.sqrt(100 * 0.6 * 0.4)
    assert row["simultaneous_lower"] == pytest.approx(1 / (1 + np.exp(-wide)))


def test_agreement_is_counted_and_its_variance_clustered():
    rows = votes([0.6, 0.8], each=400)
    found = agree_in_groups(rows, ["a", "b"], PROMPT)
    for g in (0, 1):
        mine, prompt = rows.same[rows.group == g], rows.clusters["prompt"][rows.group == g]
        assert found.found.agreement[g] == pytest.approx(mine.mean())
        sums = pd.Series(mine - mine.mean()).groupby(prompt).sum()
        # CR1 with the 50 prompts of the group.
        assert found.found.se[g] ** 2 == pytest.approx(50 / 49 * (sums**2).sum() / 400**2)
    assert found.table()["group"].tolist() == ["a", "b"]
    assert found.table()["clusters"].tolist() == [50, 50]


def test_the_lowest_of_many_equal_groups_is_within_noise_and_drawn_back():
    found = agree_in_groups(votes([0.7] * 12, each=60), [f"g{k}" for k in range(12)], PROMPT)
    table = found.table().iloc[0]
    assert table["agreement"] < table["pooled"]
    assert table["simultaneous_upper"] > 0.7 > table["agreement"]
    assert table["p_lower"] > 0.05
    one = agree_in_groups(votes([0.8, 0.8, 0.5], each=150), ["a", "b", "c"], PROMPT)
    assert one.groups[one.lowest] == "c"
    assert one.p[2] < 0.001 < one.p[0]


def test_agreement_in_one_group_or_one_cluster():
    rows = votes([0.6, 0.8])
    with pytest.raises(NotIdentifiedError, match="fewer than two groups"):
        agree_in_groups(dataclasses.replace(rows, group=np.zeros(400, dtype=int)), ["a", "b"], PROMPT)
    one = {"prompt": np.zeros(400, dtype=int)}
    found = agree_in_groups(dataclasses.replace(rows, clusters=one), ["a", "b"], PROMPT)
    assert found.table()[["lower", "pooled", "p_lower"]].isna().all(axis=None)


def test_whoever_always_agrees_has_no_interval_and_no_nan():
    table = agree_in_groups(votes([1.0, 0.8]), ["a", "b"], PROMPT).table().set_index("group")
    assert table.loc["a", "agreement"] == 1.0
    assert pd.isna(table.loc["a", "lower"])
    assert table.loc["b", "lower"] < 0.8


# -- over judges --------------------------------------------------------------------------------------------------


def test_slope_over_judges_is_scipys():
    rng = np.random.default_rng(0)
    size, figure = rng.random(9) * 70, rng.standard_normal(9)
    found = slope_over_judges(size, figure)
    wanted = stats.linregress(size, figure)
    assert found.slope == pytest.approx(wanted.slope)
    assert found.p == pytest.approx(wanted.pvalue)
    half = stats.t.ppf(0.975, 7) * wanted.stderr * size.std(ddof=1)
    assert (found.lower, found.upper) == pytest.approx((found.per_sd - half, found.per_sd + half))
    assert found.spearman == pytest.approx(stats.spearmanr(size, figure).statistic)
    assert found.spearman_lower < found.spearman < found.spearman_upper


def test_few_judges_or_one_size_have_no_slope():
    with pytest.raises(NotIdentifiedError, match="needs 5 of them, and there are 4"):
        slope_over_judges(np.arange(4.0), np.arange(4.0))
    with pytest.raises(NotIdentifiedError, match="the same for all judges"):
        slope_over_judges(np.ones(6), np.arange(6.0))


# -- values as groups ---------------------------------------------------------------------------------------------


def test_numbers_are_cut_into_equal_parts_and_words_are_levels():
    found = _cut(np.array([1.0, 2, 3, 4, 5, 6, np.nan]), 3, "age")
    assert found.names == ("1.00 to 2.00", "3.00 to 4.00", "5.00 to 6.00")
    assert found.code.tolist() == [0, 0, 1, 1, 2, 2, -1]
    assert _levels(["7", "70", None, "13"], 3, "size").names == ("7", "13", "70")
    assert _levels(["old", "young", None], 3, "who").code.tolist() == [0, 1, -1]
    with pytest.raises(OptionError, match="25 different values are too many"):
        _levels([f"v{k}" for k in range(25)], 3, "who")
    with pytest.raises(EmptySelectionError, match="'old' for all"):
        _levels(["old", "old"], 3, "who")


# -- the study ----------------------------------------------------------------------------------------------------


SIZES = {"people": "", "tiny": 1, "small": 3, "medium": 8, "large": 30, "huge": 70}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """People of two groups, of which the old like `calm`; judges that agree the more the larger they are."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("groups")
    rows = []
    for prompt in range(60):
        for pair in range(3):
            wit, calm = rng.standard_normal((2, 2)).round(3)
            for judge, size in SIZES.items():
                for who in range(4 if judge == "people" else 1):
                    old = who % 2 == 1 and judge == "people"
                    noise = rng.logistic() * (1.0 if judge == "people" else 3.0 / np.log1p(float(size)))
                    eta = 1.2 * (wit[0] - wit[1]) + (3.0 if old else 0.0) * (calm[0] - calm[1])
                    rows.append({
                        "prompt": f"p{prompt}", "topic": "art" if prompt < 20 else "law", "judge": judge,
                        "judge_kind": "human" if judge == "people" else "llm", "size": size,
                        "annotator": f"w{who}" if judge == "people" else "",
                        "age": "" if judge != "people" else "old" if old else "young",
                        "model_a": f"m{pair}", "model_b": f"m{(pair + 1) % 3}",
                        "open_a": "yes" if pair == 0 else "no", "open_b": "yes" if (pair + 1) % 3 == 0 else "no",
                        "winner": "a" if eta + noise > 0 else "b", "wit_a": wit[0], "wit_b": wit[1], "calm_a": calm[0],
                        "calm_b": calm[1], "same_a": 2, "same_b": 2, "judged_at": f"2026-01-{1 + prompt % 28:02d}",
                    })  # fmt: skip
    path = folder / "d.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    store = Store(folder / "s.duckdb")
    given = (("annotator.age", "age"), ("judge.size", "size"), ("prompt.topic", "topic"), ("model.open", "open"))
    assert import_path(store, path, "d", ImportOptions(attributes=given)).accepted == len(rows)
    return store


def run(store, **options):
    return FactorsGroups(dataset="d", **options).run(store)


def test_the_study_finds_what_was_planted(store):
    result = run(store)
    assert result.settings["group_by"] == "annotator.age"
    assert "Weights of 2 factors by people (720 judgments)" in result.caption
    assert tuple(result.table("agreement").columns) == AGREEMENT_COLUMNS
    tests = result.table("tests")
    people = tests[tests["judge"] == "people"].set_index("factor")
    assert people.loc["calm", "q"] < 0.001
    assert people.loc["wit", "q"] > 0.01
    weights = result.table("weights").set_index(["judge", "group", "factor"])["weight"]
    assert weights[("people", "old", "calm")] > weights[("people", "young", "calm")] + 0.5
    agreement = result.table("agreement")
    assert set(agreement["judge"]) == set(SIZES) - {"people"}
    large = agreement[agreement["judge"] == "huge"].set_index("group")
    assert large.loc["old", "agreement"] < large.loc["young", "agreement"]
    assert large.loc["old", "p_lower"] < 0.05
    slopes = result.table("slopes").set_index("figure")
    assert slopes.loc["agreement", "n"] == 5
    assert slopes.loc["agreement", "spearman"] > 0.8
    assert slopes.loc["wit", "slope"] > 0
    assert "large" in set(result.table("judges")["judge"])


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("prompt.topic", {"art", "law"}), ("model.open", {"no", "no and yes"}),
        ("date", {"2026-01-01 to 2026-01-08", "2026-01-09 to 2026-01-18", "2026-01-19 to 2026-01-28"}),
    ],
)  # fmt: skip
def test_other_groupings(store, by, groups):
    result = run(store, group_by=by, judge=("people", "huge"))
    assert set(result.table("weights")["group"]) == groups
    sizes = result.table("groups")
    assert sizes.loc[sizes["judge"] == "people", "judgments"].sum() == 60 * 3 * 4
    assert "worst_agreement" in result.as_json()


def test_agreement_is_that_of_the_counted_votes(store):
    """One a vote: the judge's verdict against each person's of that age."""
    result = run(store, judge=("people", "huge"))
    row = result.table("agreement").set_index("group").loc["young"]
    assert row["n"] == 60 * 3 * 2
    path = store.path.parent / "d.csv"
    share = duckdb.sql(
        f"""WITH d AS (SELECT *, prompt || model_a AS pair FROM read_csv('{path}'))
        SELECT avg((one.winner = two.winner)::INT) FROM d one JOIN d two USING (pair)
        WHERE one.judge = 'people' AND one.age = 'young' AND two.judge = 'huge'"""
    ).fetchall()[0][0]
    assert row["agreement"] == pytest.approx(share)


def test_a_caption_speaks_of_no_weights_where_there_are_none(tmp_path):
    """Young and old prefer the answer with more wit without exception: nothing is fitted, agreement is counted."""
    rows = [
        {"prompt": f"p{k}", "judge": judge, "annotator": who, "age": age, "judge_kind": kind, "model_a": "m1",
         "model_b": "m2", "winner": "a" if judge == "people" or k % 3 else "b", "wit_a": 1, "wit_b": 0}
        for k in range(12) for judge, who, age, kind in (
            ("people", "w1", "old", "human"), ("people", "w2", "young", "human"), ("gpt", "", "", "llm"))
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "d.csv", index=False)
    made = Store(tmp_path / "s.duckdb")
    import_path(made, tmp_path / "d.csv", "d", ImportOptions(attributes=(("annotator.age", "age"),)))
    result = run(made)
    assert result.table("weights").empty
    assert result.table("agreement")["agreement"].tolist() == [8 / 12] * 2
    assert result.caption.startswith("Agreement of people and gpt in 2 groups of annotator.age: share of votes")
    assert "Weights" not in result.caption


def test_refusals_of_the_study(store):
    with pytest.raises(UnknownNameError, match=r"annotator\.age"):
        run(store, group_by="annotator.aeg")
    with pytest.raises(OptionError, match="from 2 to 10"):
        run(store, parts=1)
    with pytest.raises(UnknownNameError, match=r"judge\.size"):
        run(store, judge_attribute="judge.siez")
    with pytest.raises(EmptySelectionError, match="known of none of them"):
        run(store, judge=("huge",))
