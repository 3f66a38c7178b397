"""Agreement beyond chance and the ceiling: by hand, against independent libraries, against the published figures, and
where nothing can be said."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import LLMFAO

from analysis.agreement import PairVotes
from analysis.cluster_sums import ALIKE, Figures, estimate
from analysis.judge_agreement import (
    agree,
    agree_within,
    differ,
    even_kappa,
    hold_out,
    leave_one_out,
    majority,
    margin,
    share,
    trend,
)
from analysis.stand_in import judge_stand_in
from analysis.vcov import Clustering

BY_PROMPT = Clustering("prompt")
SUMS = 1e-12
"""Rounding of sums of a few thousand numbers."""


def held(reference: object, judge: object, cluster: object = None) -> PairVotes:
    one, two = np.array(reference, dtype=np.int64), np.array(judge, dtype=np.int64)
    code = np.arange(len(one)) if cluster is None else np.asarray(cluster, dtype=np.int64)
    return PairVotes(one, two, code, np.zeros(len(one), dtype=np.int64))


def drawn(seed: int, n: int = 400, people: int = 3, prompts: int = 80) -> PairVotes:
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([1.0, 0.8, 0.4], n)
    reference = np.array([rng.multinomial(people, one) for one in p])
    judge = np.array([rng.multinomial(1, one) for one in p])
    return held(reference, judge, rng.integers(0, prompts, n))


def expanded(votes: PairVotes) -> tuple[list[int], list[int]]:
    """Each comparison of a vote with a vote, as two labels."""
    one, two = [], []
    for h, j in zip(votes.reference, votes.judge, strict=True):
        for a in np.repeat(np.arange(3), h):
            for b in np.repeat(np.arange(3), j):
                one.append(int(a))
                two.append(int(b))
    return one, two


# -- by hand ---------------------------------------------------------------------------------------------------------


def test_four_pairs_by_hand() -> None:
    """Votes a a b, a tie, b b, tie; the judge a, b, b, a."""
    votes = held([[2, 1, 0], [1, 0, 1], [0, 2, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 0], [0, 1, 0], [1, 0, 0]])
    found = agree(votes, Clustering("pair"))
    # 8 comparisons, of which 2 + 0 + 2 + 0 agree; without ties 6, of which 4.
    assert found["agreement"] == pytest.approx(4 / 8)
    assert found["agreement_no_ties"] == pytest.approx(4 / 6)
    # People a 3, b 3, tie 2 of 8; the judge a 4, b 4: chance (3 * 4 + 3 * 4) / 64.
    assert found["kappa"] == pytest.approx((0.5 - 24 / 64) / (1 - 24 / 64))
    # AC1: means 7/16, 7/16, 2/16; chance = sum m (1 - m) / 2.
    chance = (2 * 7 / 16 * 9 / 16 + 2 / 16 * 14 / 16) / 2
    assert found["ac1"] == pytest.approx((0.5 - chance) / (1 - chance))


def test_the_ceiling_by_hand() -> None:
    """a a b, judge a: without an a the others are a b, no plurality; without the b they are a a, and b misses."""
    found = leave_one_out(np.array([[2, 1, 0], [3, 0, 0]]), np.array([[1, 0, 0], [0, 1, 0]]), ties=True)
    assert found.tolist() == [[1, 0, 1], [0, 3, 3]]
    held_out = hold_out(held([[2, 1, 0], [3, 0, 0]], [[1, 0, 0], [0, 1, 0]]), Clustering("pair"))
    assert (held_out["ceiling"], held_out["against_others"]) == (3 / 4, 1 / 4)
    assert held_out["advantage"] == pytest.approx(-2 / 4)


def test_without_ties_a_plurality_of_ties_compares_nobody() -> None:
    votes = np.array([[1, 0, 2]])
    assert leave_one_out(votes, np.array([[1, 0, 0]]), ties=False).tolist() == [[0, 0, 0]]
    # Two ties stand against the a; each tie that is left out leaves a against tie.
    assert leave_one_out(votes, np.array([[1, 0, 0]]), ties=True).tolist() == [[0, 0, 1]]


def test_majority_and_margin() -> None:
    votes = np.array([[2, 1, 0], [1, 1, 0], [0, 0, 3], [0, 0, 0], [1, 0, 0]])
    assert majority(votes).tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 0], [1, 0, 0]]
    assert margin(votes)[:3] == pytest.approx([1 / 3, 0, 1])
    assert np.isnan(margin(votes)[3:]).all()


def test_people_with_one_another_by_hand() -> None:
    """a a b: one pair of votes of three agrees; b tie: none of one; without ties the second has nobody."""
    found = agree_within(np.array([[2, 1, 0], [0, 1, 1]]), np.arange(2), Clustering("pair"))
    assert found["agreement"] == pytest.approx(1 / 4)
    assert found["agreement_no_ties"] == pytest.approx(1 / 3)


def test_a_jackknife_of_a_ratio_by_hand() -> None:
    same, whole = np.array([1.0, 3.0, 2.0]), np.array([2.0, 4.0, 4.0])
    found = share(same, whole, np.arange(3), BY_PROMPT)
    left = (6 - same) / (10 - whole)
    assert found["agreement"] == 0.6
    assert found.se[0] ** 2 == pytest.approx(2 / 3 * ((left - 0.6) ** 2).sum())
    assert found.df[0] == 2


def test_the_interval_of_a_coefficient_is_freed_of_the_bias_of_few_clusters() -> None:
    x, y = np.array([1.0, 3.0, 5.0]), np.array([2.0, 5.0, 7.0])
    sums = np.column_stack([x, y])
    found = estimate(lambda s: s[..., :1] / s[..., 1:], sums, np.ones(3), np.arange(3), BY_PROMPT, ("r",), "coefficient")
    bias = 2 * ((8 / 12 + 6 / 9 + 4 / 7) / 3 - 9 / 14)
    assert found["r"] == pytest.approx(9 / 14, abs=1e-14)
    [low], [high] = found.interval()
    assert (np.arctanh(low) + np.arctanh(high)) / 2 == pytest.approx(np.arctanh(9 / 14 - bias), abs=1e-12)


def turned(votes: PairVotes, rows: np.ndarray) -> PairVotes:
    """The same verdicts where the file had called the other response of these pairs a."""
    swapped = [np.where(rows[:, None], part[:, [1, 0, 2]], part) for part in (votes.reference, votes.judge)]
    return PairVotes(swapped[0], swapped[1], votes.cluster, votes.group)


@pytest.mark.parametrize(("first", "kappa", "ac1", "alpha"), [(50, 0.8, 0.8, 0.8), (70, 0.771, 0.823, 0.771), (90, 0.590, 0.868, 0.585), (100, 0.0, 0.890, -0.053)])
def test_what_is_beyond_chance_hangs_on_the_letters_of_the_file(first: int, kappa: float, ac1: float, alpha: float) -> None:
    """1,000 pairs, nine tenths of them judged alike; of every 100 the file calls the people's choice a in `first`.

    The table of docs/judges.md. With 100: people say a always, chance is .9, agreement .9: kappa 0.
    """
    people = np.tile(np.where(np.arange(100) < first, 0, 1), 10)
    alike = np.arange(1000) // 100 < 9
    judge = np.where(alike, people, 1 - people)
    votes = held(np.eye(3, dtype=int)[people], np.eye(3, dtype=int)[judge])
    found = agree(votes, Clustering("pair"))
    assert found["agreement"] == 0.9
    assert [found[name] for name in ("kappa", "ac1", "alpha")] == pytest.approx([kappa, ac1, alpha], abs=0.0012)
    assert even_kappa(votes, "") == pytest.approx(0.8, abs=SUMS)
    assert even_kappa(votes, "_no_ties") == pytest.approx(2 * 0.9 - 1, abs=SUMS)


@pytest.mark.parametrize("ending", ["", "_no_ties"])
def test_even_kappa_is_that_of_scikit_learn_for_all_comparisons_in_both_orders(ending: str) -> None:
    from sklearn.metrics import cohen_kappa_score

    votes = drawn(5)
    one, two = expanded(votes)
    other = turned(votes, np.ones(len(votes.judge), dtype=bool))
    both = [*zip(one, two, strict=True), *zip(*expanded(other), strict=True)]
    kept = [(a, b) for a, b in both if not ending or 2 not in (a, b)]
    assert even_kappa(votes, ending) == pytest.approx(cohen_kappa_score(*zip(*kept, strict=True)), abs=SUMS)
    # It knows no letters, and kappa over letters drawn by a coin lies around it.
    rng = np.random.default_rng(0)
    some = [turned(votes, rng.random(len(votes.judge)) < 0.5) for _ in range(40)]
    assert [even_kappa(part, ending) for part in some] == pytest.approx([even_kappa(votes, ending)] * 40, abs=SUMS)
    mean = float(np.mean([agree(part, BY_PROMPT)[f"kappa{ending}"] for part in some]))
    assert mean == pytest.approx(even_kappa(votes, ending), abs=0.005)


def test_even_kappa_of_nothing_is_undefined() -> None:
    assert np.isnan(even_kappa(held([[0, 0, 2]], [[0, 0, 1]]), "_no_ties"))
    assert np.isnan(even_kappa(held([[0, 0, 2]], [[0, 0, 1]]), ""))


# -- parity ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_kappa_is_that_of_scikit_learn(seed: int) -> None:
    from sklearn.metrics import cohen_kappa_score

    votes = drawn(seed)
    one, two = expanded(votes)
    found = agree(votes, BY_PROMPT)
    assert found["kappa"] == pytest.approx(cohen_kappa_score(one, two), abs=SUMS)
    kept = [(a, b) for a, b in zip(one, two, strict=True) if 2 not in (a, b)]
    assert found["kappa_no_ties"] == pytest.approx(cohen_kappa_score(*zip(*kept, strict=True)), abs=SUMS)


@pytest.mark.parametrize("seed", range(3))
def test_fleiss_is_that_of_statsmodels(seed: int) -> None:
    from statsmodels.stats.inter_rater import fleiss_kappa

    votes = drawn(seed)
    panel = votes.reference + votes.judge
    assert agree(votes, BY_PROMPT)["fleiss"] == pytest.approx(fleiss_kappa(panel), abs=SUMS)
    assert agree_within(panel, votes.cluster, BY_PROMPT)["fleiss"] == pytest.approx(fleiss_kappa(panel), abs=SUMS)


@pytest.mark.parametrize("seed", range(3))
def test_alpha_is_that_of_evalica(seed: int) -> None:
    import evalica

    votes = drawn(seed, n=60)
    rows = [np.repeat([0, 1, 2], counts) for counts in votes.reference + votes.judge]
    # Coders stand in rows; some pairs have fewer votes.
    rows = [row[: 2 + k % 3] for k, row in enumerate(rows)]
    width = max(map(len, rows))
    table = pd.DataFrame([[*row.astype(float), *[np.nan] * (width - len(row))] for row in rows]).T
    counts = np.array([np.bincount(row, minlength=3) for row in rows])
    theirs = evalica.alpha(table, distance="nominal").alpha
    assert agree_within(counts, votes.cluster, BY_PROMPT)["alpha"] == pytest.approx(theirs, abs=1e-10)


def test_errors_are_those_of_a_bootstrap_over_prompts() -> None:
    votes = drawn(5, n=600, prompts=120)
    found, out = agree(votes, BY_PROMPT), hold_out(votes, BY_PROMPT)
    rng = np.random.default_rng(0)
    rows = [np.flatnonzero(votes.cluster == one) for one in np.unique(votes.cluster)]
    drawn_values = []
    for _ in range(300):
        take = np.concatenate([rows[k] for k in rng.integers(0, len(rows), len(rows))])
        again = held(votes.reference[take], votes.judge[take])
        drawn_values.append([*agree(again, Clustering("pair")).value, *hold_out(again, Clustering("pair")).value])
    spread = np.std(drawn_values, axis=0)
    # 300 replicates tell a standard error to 4 %, and the second order of the bootstrap adds a little.
    assert np.concatenate([found.se, out.se]) / spread == pytest.approx(np.ones(len(spread)), abs=0.15)


@pytest.mark.parametrize("ties", [True, False])
def test_pairs_are_independent_where_nothing_is_clustered(ties: bool) -> None:
    votes = drawn(6)
    same, whole = votes.compared(ties)
    alone = share(same, whole, votes.cluster, Clustering("none"))
    away = same - alone["agreement"] * whole
    assert alone.se[0] == pytest.approx(np.sqrt((away**2).sum()) / whole.sum())


# -- properties ------------------------------------------------------------------------------------------------------

counts = st.lists(st.tuples(*[st.integers(0, 3)] * 3, st.integers(0, 2), st.integers(0, 7)), min_size=2, max_size=25)


@given(counts)
def test_what_is_called_a_does_not_matter(rows: list[tuple[int, int, int, int, int]]) -> None:
    table = np.array(rows)
    judge = np.eye(3, dtype=np.int64)[table[:, 3]]
    votes = held(table[:, :3], judge, table[:, 4])
    turned = held(table[:, [1, 0, 2]], judge[:, [1, 0, 2]], table[:, 4])
    for way in (agree, hold_out):
        one, two = way(votes, BY_PROMPT), way(turned, BY_PROMPT)
        assert np.allclose(one.value, two.value, atol=1e-10, equal_nan=True)
        for end, other in zip(one.interval(), two.interval(), strict=True):
            assert np.allclose(end, other, atol=1e-6, equal_nan=True)


@given(counts)
def test_figures_are_within_their_ends_or_undefined(rows: list[tuple[int, int, int, int, int]]) -> None:
    table = np.array(rows)
    votes = held(table[:, :3], np.eye(3, dtype=np.int64)[table[:, 3]], table[:, 4])
    for found in (agree(votes, BY_PROMPT), hold_out(votes, BY_PROMPT)):
        lower, upper = found.interval()
        known = ~np.isnan(lower)
        assert (lower[known] <= found.value[known] + ALIKE).all()
        assert (found.value[known] <= upper[known] + ALIKE).all()
        assert (np.abs(found.value[~np.isnan(found.value)]) <= 1 + ALIKE).all() or len(rows) > 0
        assert (upper[known] <= 1).all()


def test_doubling_the_data_keeps_figures_and_in_new_clusters_halves_the_variance() -> None:
    votes = drawn(1, prompts=100)
    again = held(np.tile(votes.reference, (2, 1)), np.tile(votes.judge, (2, 1)),
                 np.concatenate([votes.cluster, votes.cluster + 1000]))  # fmt: skip
    one, two = share(*votes.compared(True), votes.cluster, BY_PROMPT), share(*again.compared(True), again.cluster, BY_PROMPT)
    assert two["agreement"] == pytest.approx(one["agreement"], abs=SUMS)
    n = one.clusters[0]
    assert (two.se / one.se) ** 2 == pytest.approx((2 * n / (2 * n - 1)) / (n / (n - 1)) / 2)


# -- two judges, and time -----------------------------------------------------------------------------------------------


def test_a_difference_is_that_of_two_agreements_on_the_same_comparisons() -> None:
    votes = drawn(2)
    rng = np.random.default_rng(9)
    other = np.eye(3, dtype=np.int64)[rng.integers(0, 3, len(votes.judge))]
    found = differ(votes.reference, other, votes.judge, votes.cluster, BY_PROMPT)
    assert found["difference"] == pytest.approx(agree(votes, BY_PROMPT)["agreement"] - found["agreement_against"])
    turned = differ(votes.reference, votes.judge, other, votes.cluster, BY_PROMPT)
    assert turned["difference"] == pytest.approx(-found["difference"])
    # Without ties only what none of the three calls a tie.
    kept = (votes.judge[:, 2] == 0) & (other[:, 2] == 0)
    same = held(votes.reference[kept], votes.judge[kept])
    assert found["agreement_no_ties"] == pytest.approx(agree(same, BY_PROMPT)["agreement_no_ties"])


def test_equal_judges_differ_by_nothing_as_far_as_the_prompts_can_tell() -> None:
    votes = drawn(3, prompts=200)
    n = len(np.unique(votes.cluster))
    one = differ(votes.reference, votes.judge, votes.judge, votes.cluster, BY_PROMPT).one("difference")
    assert one is not None
    assert one["value"] == 0
    assert one["upper"] == -one["lower"] == pytest.approx(1.959964**2 / (n + 1.959964**2), rel=1e-5)


@pytest.mark.parametrize("value", [-0.4, -0.02, 0.0, 0.002, 0.02, 0.4])
@pytest.mark.parametrize("se", [0.001, 0.05])
def test_ends_of_a_change_are_where_the_larger_error_reaches(value: float, se: float) -> None:
    found = Figures(("change",), ("change",), np.array([value]), np.array([se]), np.array([np.inf]), np.array([60]),
                    np.zeros(1), np.array([60]))  # fmt: skip
    d = np.linspace(-1, 1, 400_001)
    held = d[np.abs(value - d) <= 1.959964 * np.maximum(se, np.sqrt(np.abs(d) * (1 - np.abs(d)) / 60))]
    [low], [high] = found.interval()
    # The grid's width.
    assert low == pytest.approx(held.min(), abs=1e-5)
    assert high == pytest.approx(held.max(), abs=1e-5)


@pytest.mark.parametrize("pairs", [60, 300])
def test_a_judge_that_rarely_parts_from_people_who_agree_passes_rarely_at_the_margin(pairs: int) -> None:
    rng, passed = np.random.default_rng(pairs), 0
    for _ in range(200):
        wrong = rng.random(pairs) < 0.05
        votes = held(np.tile([3, 0, 0], (pairs, 1)), np.column_stack([~wrong, wrong, 0 * wrong]).astype(int))
        passed += judge_stand_in(votes, BY_PROMPT).verdict == "may stand in"
    # 5 % of 200 and three standard errors; two errors in 60 pairs alone would pass in a fifth of all runs.
    assert passed <= 19


def test_rounding_is_no_spread() -> None:
    votes = held(np.tile([6, 1, 0], (60, 1)), np.tile([1, 0, 0], (60, 1)))
    found = agree(votes, BY_PROMPT)
    assert found.one("agreement") == {"value": pytest.approx(6 / 7)}


def test_agreement_of_all_reaches_down_as_far_as_the_number_of_prompts_says() -> None:
    votes = held([[1, 0, 0]] * 30 + [[0, 1, 0]] * 30, [[1, 0, 0]] * 30 + [[0, 1, 0]] * 30)
    one = agree(votes, Clustering("pair")).one("agreement")
    assert one == {"value": 1.0, "lower": pytest.approx(0.025 ** (1 / 60)), "upper": 1.0}


def test_a_trend_is_the_slope_of_least_squares() -> None:
    rng = np.random.default_rng(4)
    time = rng.uniform(0, 100, 300)
    same = (rng.random(300) < 0.8 - 0.004 * time).astype(float)
    found = trend(same, np.ones(300), time, np.arange(300), BY_PROMPT)
    assert found["slope"] == pytest.approx(np.polyfit(time, same, 1)[0])
    assert found.p_value("slope") < 0.001
    assert np.isnan(trend(same, np.ones(300), np.full(300, 7.0), np.arange(300), BY_PROMPT)["slope"])


# -- where nothing can be said ------------------------------------------------------------------------------------------


def test_what_is_undefined_has_no_value() -> None:
    all_ties = agree(held([[0, 0, 2]] * 5, [[0, 0, 1]] * 5), Clustering("pair"))
    assert all_ties["agreement"] == 1
    for name in ("kappa", "ac1", "alpha", "agreement_no_ties", "kappa_no_ties"):
        assert all_ties.one(name) is None, name
    one_pair = agree(held([[2, 1, 0]], [[1, 0, 0]]), Clustering("pair"))
    assert one_pair.one("agreement") == {"value": pytest.approx(2 / 3)}
    one_vote = hold_out(held([[1, 0, 0]] * 9, [[1, 0, 0]] * 9), Clustering("pair"))
    assert one_vote.one("ceiling") is None
    assert one_vote.clusters.tolist() == [0] * 6


def test_a_constant_judge_has_kappa_0() -> None:
    votes = held([[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0]], [[1, 0, 0]] * 4)
    assert agree(votes, Clustering("pair"))["kappa"] == pytest.approx(0, abs=SUMS)


def test_one_heavy_prompt_widens_the_interval_and_takes_t() -> None:
    rng = np.random.default_rng(8)
    cluster = np.concatenate([np.zeros(150, dtype=np.int64), np.arange(1, 301)])
    same = (rng.random(450) < 0.7).astype(float)
    found = share(same, np.ones(450), cluster, BY_PROMPT)
    assert np.isfinite(found.df[0])
    assert found.clusters[0] == 301


def test_a_hundred_million_to_one() -> None:
    same, whole = np.array([1e8 - 1, 1.0, 0.0]), np.array([1e8, 1.0, 1.0])
    found = share(same, whole, np.arange(3), BY_PROMPT)
    assert found["agreement"] == pytest.approx(1 - 2e-8)
    assert np.isfinite(found.interval()[0]).all()


def test_nothing_is_warned_of_where_nothing_is_left() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        empty = np.empty((0, 3), dtype=np.int64)
        assert agree(held(empty, empty), BY_PROMPT).one("agreement") is None
        found = estimate(lambda s: s[..., :1] / s[..., 1:], np.zeros((3, 2)), np.zeros(3), np.arange(3), BY_PROMPT, ("x",),
                         "share")  # fmt: skip
        assert np.isnan(found.value).all()


# -- published figures ---------------------------------------------------------------------------------------------------


def llmfao(judge: str) -> PairVotes:
    """Votes of the crowd and of a judge, from the published files themselves."""

    def labels(name: str) -> pd.DataFrame:
        frame = pd.read_csv(LLMFAO / name)
        codes = pd.Categorical(frame["winner"], ["left", "right", "tie"])
        return pd.crosstab(frame["id"], codes, dropna=False)

    crowd, theirs = labels("crowd-comparisons.csv"), labels(f"{judge}-crowd-comparisons.csv")
    shared = crowd.index.intersection(theirs.index)
    prompt = pd.read_csv(LLMFAO / "crowd-comparisons.csv").groupby("id")["prompt"].first()
    return held(crowd.loc[shared].to_numpy(), theirs.loc[shared].to_numpy(), prompt.loc[shared].to_numpy())


@pytest.mark.real
def test_figures_of_llmfao(real: Path) -> None:
    votes = llmfao("gpt4")
    found, out = agree(votes, BY_PROMPT), hold_out(votes, BY_PROMPT)
    assert (round(found["agreement_no_ties"], 4), round(found["agreement"], 4)) == (0.6616, 0.4148)
    assert votes.compared(False)[1].sum() == 5358
    assert (round(out["ceiling_no_ties"], 3), round(out["against_others_no_ties"], 3)) == (0.772, 0.765)
    assert leave_one_out(votes.reference, votes.judge, ties=False)[:, 2].sum() == 3307
    other = llmfao("gpt3")
    assert round(agree(other, BY_PROMPT)["agreement_no_ties"], 4) == 0.6011
    assert other.compared(False)[1].sum() == 5019
    people = agree_within(votes.reference, votes.cluster, BY_PROMPT)
    assert (round(people["agreement_no_ties"], 4), round(people["agreement"], 4)) == (0.7013, 0.5322)


@pytest.mark.real
def test_majorities_of_llmfao(real: Path) -> None:
    votes = llmfao("gpt4")
    first = majority(votes.reference)
    assert (len(first), int((first.sum(axis=1) == 0).sum())) == (2139, 308)
    labels = held(first, votes.judge, votes.cluster)
    assert round(agree(labels, BY_PROMPT)["agreement_no_ties"], 4) == 0.7459
    assert labels.compared(False)[1].sum() == 1043
