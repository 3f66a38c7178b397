"""Disagreement in parts: a table by hand, what swapping and doubling leave alone, planted parts, llmfao, refusals."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_agreement_study import call, rows, stored

from analysis.disagreement import (
    JUDGE,
    PEOPLE,
    SAID,
    UNEXPLAINED,
    Disagreement,
    Replies,
    _ends,
    _Explained,
    decompose,
)  # fmt: skip
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import NotIdentifiedError, OptionError, UnknownNameError
from studies.disagreement import DisagreementParts

NONE = np.empty((0, 0))


def said(votes: list[list[int]], replies: list[list[int]], pair: list[int] | None = None) -> Replies:
    at = np.arange(len(replies)) if pair is None else np.array(pair)
    return Replies(np.array(votes), np.arange(len(votes)), at, np.array(replies), np.empty((len(replies), 0)), ())


def part(found: Disagreement, name: str) -> float:
    return float(found.value[found.names.index(name)])


def test_by_hand() -> None:
    # People: a a b and a a; the judge says b and a. Comparisons that part: 2 of 3 and 0 of 2, so 2 of 5.
    # Variance within the first: 3/2 of 2/3 * 1/3 = 1/3, of three votes of five: 1/5. What is left is 1/5.
    found = decompose(said([[2, 1, 0], [2, 0, 0]], [[0, 1, 0], [1, 0, 0]]))
    assert found.total == pytest.approx(2 / 5)
    assert part(found, PEOPLE) == pytest.approx(1 / 5)
    assert part(found, UNEXPLAINED) == pytest.approx(1 / 5)
    assert found.names == (PEOPLE, UNEXPLAINED)


def test_repeats_by_hand() -> None:
    # Three repeats a a b have variance 1/3. A tie is half way: (1/2)^2 apart from each side.
    found = decompose(said([[2, 0, 0], [1, 1, 0]], [[2, 1, 0], [0, 0, 1]]))
    assert found.total == pytest.approx((2 * (1 / 3) + 2 * 0.25) / 4)
    assert part(found, JUDGE) == pytest.approx(1 / 3)
    assert found.repeats == 1


def test_two_orders_are_no_repeats() -> None:
    found = decompose(said([[2, 0, 0], [1, 1, 0]], [[1, 0, 0], [0, 1, 0], [1, 0, 0]], [0, 0, 1]))
    assert JUDGE not in found.names


def world(seed: int, pairs: int = 2000, length: float = 0.0, first: float = 0.0, repeats: int = 1) -> Replies:
    """People draw from .5 + content, the judge from that and what it makes of length and position."""
    rng = np.random.default_rng(seed)
    content, words = rng.normal(size=pairs), rng.normal(size=pairs)
    shown = rng.choice([-1.0, 1.0], pairs)
    p_h = np.clip(0.5 + 0.1 * content, 0.02, 0.98)
    p_j = np.clip(0.5 + 0.1 * content + length * words + first * shown, 0.02, 0.98)
    n = rng.integers(2, 6, pairs)
    a, b = rng.binomial(n, p_h), rng.binomial(repeats, p_j)
    zero = np.zeros(pairs, dtype=int)
    return Replies(
        np.column_stack([a, n - a, zero]), np.arange(pairs) // 4, np.arange(pairs),
        np.column_stack([b, repeats - b, zero]), np.column_stack([shown, words, content]), ("position", "style", "content"),
    )  # fmt: skip


def test_planted_parts_are_found() -> None:
    found = decompose(world(1, 6000, length=0.12, first=0.1, repeats=4))
    assert part(found, "style") == pytest.approx(0.12**2, abs=0.003)
    assert part(found, "position") == pytest.approx(0.1**2, abs=0.003)
    assert part(found, "content") == pytest.approx(0, abs=0.001)
    assert part(found, UNEXPLAINED) == pytest.approx(0, abs=0.006)
    for name in ("style", "position"):
        at = found.names.index(name)
        assert found.lower[at] < part(found, name) < found.upper[at]


def test_an_independent_recomputation() -> None:
    """Every vote against every verdict in a plain loop, folds and subsets by lstsq."""
    given = world(3, 120, length=0.2, first=0.1, repeats=2)
    found = decompose(given, draws=10)
    weight = given.votes.sum(axis=1)
    total = []
    for votes, replies in zip(given.votes, given.replies, strict=True):
        apart = [(x - y) ** 2 for x in np.repeat(SAID, votes) for y in np.repeat(SAID, replies)]
        total.append(np.mean(apart))
    assert found.total == pytest.approx(np.average(total, weights=weight))
    variance = [np.var(np.repeat(SAID, votes), ddof=1) for votes in given.votes]
    assert part(found, PEOPLE) == pytest.approx(np.average(variance, weights=weight))
    own = [np.var(np.repeat(SAID, replies), ddof=1) for replies in given.replies]
    assert part(found, JUDGE) == pytest.approx(np.average(own, weights=weight))
    # The folds are drawn as documented: blocks are a permutation of clusters, and folds one of blocks.
    block = np.random.default_rng(0).permutation(30)[given.cluster]
    fold = (np.random.default_rng(1).permutation(30) % 5)[block]
    d = given.replies @ SAID / given.replies.sum(axis=1) - given.votes @ SAID / weight

    def gain(columns: tuple[int, ...]) -> float:
        left = d.copy()
        for f in range(5):
            train, held = fold != f, fold == f
            x = given.x[:, list(columns)]
            root = np.sqrt(weight)
            beta = np.linalg.lstsq(x[train] * root[train, None], d[train] * root[train], rcond=None)[0]
            left[held] = d[held] - x[held] @ beta
        return float(np.average(d**2 - left**2, weights=weight))

    for k, name in enumerate(("position", "style", "content")):
        orders = list(itertools.permutations(range(3)))
        steps = []
        for order in orders:
            before = order[: order.index(k)]
            steps.append(gain(tuple(sorted((*before, k)))) - (gain(tuple(sorted(before))) if before else 0.0))
        assert part(found, name) == pytest.approx(np.mean(steps), rel=1e-9, abs=1e-12)


def test_shares_add_up_and_sides_are_alike() -> None:
    given = world(5, 300, length=0.2, repeats=2)
    found = decompose(given, draws=20)
    assert found.share.sum() == pytest.approx(1, abs=1e-9)
    assert found.value.sum() == pytest.approx(found.total, abs=1e-12)
    turned = decompose(
        Replies(given.votes[:, [1, 0, 2]], given.cluster, given.pair, given.replies[:, [1, 0, 2]], -given.x, given.group),
        draws=20,
    )
    for name in ("value", "lower", "upper"):
        np.testing.assert_allclose(getattr(found, name), getattr(turned, name), atol=1e-12)


def test_many_columns_that_say_nothing_explain_nothing() -> None:
    given = world(7, 60, length=0.0)
    noise = np.random.default_rng(0).normal(size=(60, 40))
    found = decompose(Replies(given.votes, given.cluster, given.pair, given.replies, noise, ("content",) * 40), draws=20)
    # More columns than half of the pairs: they predict worse than nothing, and that is shown.
    assert part(found, "content") < 0
    assert found.share.sum() == pytest.approx(1, abs=1e-9)


def test_what_is_left_without_a_cluster_is_fitted_anew() -> None:
    given = world(4, 60, length=0.2, first=0.1)
    n = given.votes.sum(axis=1).astype(float)
    d = given.replies @ SAID / given.replies.sum(axis=1) - given.votes @ SAID / n
    cluster = np.unique(given.cluster, return_inverse=True)[1]

    def explained(kept: np.ndarray) -> _Explained:
        # The same clusters in the same folds, one of them empty.
        return _Explained(given.x[kept], d[kept], n[kept], cluster[kept], 15, given.group, 0)

    found = explained(np.arange(60)).shapley(without=True)
    for c in (0, 7, 14):
        np.testing.assert_allclose(found[c], explained(np.flatnonzero(cluster != c)).shapley()[0], atol=1e-10)


def test_columns_that_repeat_others_share_what_they_explain() -> None:
    given = world(6, 400, length=0.2)
    twice = Replies(given.votes, given.cluster, given.pair, given.replies, np.column_stack([given.x, given.x[:, 1]]),
                    (*given.group, "again"))  # fmt: skip
    one, two = decompose(given), decompose(twice)
    explained = [found.value[[found.names.index(g) for g in found.groups]].sum() for found in (one, two)]
    assert explained[0] == pytest.approx(explained[1], rel=1e-6)
    assert part(two, "style") == pytest.approx(part(two, "again"), rel=1e-6)
    assert np.isfinite(two.lower).all()


def test_ends_by_hand() -> None:
    """Of a mean, leaving out one and pseudo-values give its own standard error: two values are Student's t."""
    x = np.array([[1.0], [3.0]])
    low, high = _ends(x.mean(axis=0), x[::-1], 0.95, 0, 100)
    # Mean 2, standard error 1, t(1) = 12.706.
    assert (low[0], high[0]) == pytest.approx((2 - 12.706, 2 + 12.706), abs=1e-3)
    # One that is undefined without some cluster has no interval, and takes it from no other.
    both = np.column_stack([x[::-1], [np.nan, 1.0]])
    low, high = _ends(np.array([2.0, 1.0]), both, 0.95, 0, 100)
    assert np.isnan([low[1], high[1]]).all()
    assert np.isfinite([low[0], high[0]]).all()


def test_a_wild_correction_is_not_made() -> None:
    rng = np.random.default_rng(0)
    away = rng.normal(size=(20, 1)) * 1e-3
    value = np.array([1.0])
    # Whichever is left out, the value is .01 more: a correction by 19 * .01, with an error of .004.
    low, high = _ends(value, value + 0.01 + away, 0.95, 0, 200)
    assert (low + high) / 2 == pytest.approx(value)
    low, high = _ends(value, value + away, 0.95, 0, 200)
    assert (low[0] + high[0]) / 2 == pytest.approx(20 - 19 * (1 + away.mean()))


def test_no_disagreement_and_too_little() -> None:
    with pytest.raises(NotIdentifiedError, match="never part"):
        decompose(said([[2, 0, 0], [0, 3, 0]], [[1, 0, 0], [0, 1, 0]]))
    with pytest.raises(NotIdentifiedError, match="at least 2 are needed"):
        decompose(said([[2, 0, 0]], [[1, 0, 0]]))


@pytest.mark.slow
def test_intervals_cover_planted_noise() -> None:
    """Noise of people and the style's part, planted in 100 worlds of 250 clusters: 95 % intervals, binomial bounds."""
    hits = np.zeros(2)
    truth = world(0, 400_000, length=0.12)
    n = truth.votes.sum(axis=1)
    h = truth.votes @ SAID / n
    noise = float(np.average(h * (1 - h) * n / (n - 1), weights=n))
    for seed in range(100):
        found = decompose(world(1000 + seed, 1000, length=0.12), draws=200)
        for k, (name, value) in enumerate(((PEOPLE, noise), ("style", 0.12**2))):
            at = found.names.index(name)
            hits[k] += found.lower[at] <= value <= found.upper[at]
    # 88 of 100 has probability .003 at a coverage of .95.
    assert (hits >= 88).all(), hits


# -- the study ---------------------------------------------------------------------------------------------------------


def test_the_study(tmp_path: Path) -> None:
    result = DisagreementParts(judge=("people", "old")).run(stored(tmp_path / "d", rows()))
    assert result.table()["share"].sum() == pytest.approx(1, abs=1e-9)
    assert set(result.values) == {"disagreement", "noise_people", "systematic", "pairs", "votes"}
    assert any("its own noise is not identified" in w for w in result.warnings)
    assert any(w.startswith("no factor is known") for w in result.warnings)
    pairs = result.table("pairs")
    assert set(pairs["part"]) == {PEOPLE, UNEXPLAINED}
    assert result.as_json()["parts"][0]["judge"] == "old"


def test_refusals(tmp_path: Path) -> None:
    alone = [row for row in rows() if row.get("annotator", "w0") == "w0"]
    store = stored(tmp_path / "one", alone)
    with pytest.raises(NotIdentifiedError, match="no pair has two votes of people"):
        DisagreementParts().run(store)
    store = stored(tmp_path / "two", rows())
    with pytest.raises(OptionError, match="hang together by prompt or pair"):
        DisagreementParts(cluster="annotator").run(store)
    with pytest.raises(OptionError, match="0 or more"):
        DisagreementParts(limit=-1).run(store)
    with pytest.raises(UnknownNameError, match="no factor"):
        DisagreementParts(factor=("nothing",)).run(store)
    assert call(store, "disagreement", "--dataset", "d")[0] == 0


def delivered(pairs: int) -> list[dict[str, object]]:
    """A factor of each response, a shown order, and a judge that goes by the former."""
    given = pd.DataFrame(rows(pairs))
    rng = np.random.default_rng(0)
    pair = given["pair_id"].astype("category").cat.codes.to_numpy()
    care = rng.normal(size=pair.max() + 1)
    given["care_a"], given["care_b"] = care[pair], 0.0
    given["swapped"] = np.where(rng.random(len(given)) < 0.5, "true", "false")
    mine = (given["judge"] == "old").to_numpy()
    given.loc[mine, "winner"] = np.where(given.loc[mine, "care_a"] > 0, "a", "b")
    return [{str(name): value for name, value in row.items()} for row in given.to_dict("records")]


def test_a_delivered_factor_is_content_and_position_is_told(tmp_path: Path) -> None:
    result = DisagreementParts(judge=("people", "old")).run(stored(tmp_path / "f", delivered(200)))
    share = result.table().set_index("part")["share"]
    assert list(share.index) == [PEOPLE, "position", "content", UNEXPLAINED]
    assert share["content"] > 0.3
    assert abs(share["position"]) < 0.05


def test_the_order_of_a_file_changes_nothing(tmp_path: Path) -> None:
    given = delivered(200)
    turned = [given[k] for k in np.random.default_rng(2).permutation(len(given))]
    one, two = (
        DisagreementParts(judge=("people", "old")).run(stored(tmp_path / name, some))
        for name, some in (("one", given), ("two", turned))
    )
    assert one.fingerprint == two.fingerprint
    pd.testing.assert_frame_equal(one.table(), two.table())


def test_factors_that_differ_by_judgment_are_named(tmp_path: Path) -> None:
    given = pd.DataFrame(delivered(60))
    rng = np.random.default_rng(4)
    given["mood_a"], given["mood_b"] = rng.normal(size=(2, len(given))).round(3)
    store = stored(tmp_path / "m", [dict(row) for row in given.to_dict("records")])
    result = DisagreementParts(judge=("people", "old")).run(store)
    left_out = "'mood' differs by judgment and is left out: taste is told by what two responses are to everybody"
    assert left_out in result.warnings
    assert "content" in set(result.table()["part"])
    alone = stored(tmp_path / "a", [dict(row) for row in given.drop(columns=["care_a", "care_b"]).to_dict("records")])
    warnings = DisagreementParts(judge=("people", "old")).run(alone).warnings
    assert left_out in warnings
    assert any(text.startswith("no other factor is known of these responses") for text in warnings)
    assert not any("--" in text for text in warnings)


def test_what_is_true_of_several_judges_is_said_in_the_plural(tmp_path: Path) -> None:
    store = stored(tmp_path / "p", rows(40, [("old", 0.9), ("new", 0.8)]))
    warnings = DisagreementParts(judge=("people", "old", "new")).run(store).warnings
    assert any(text.startswith("old and new: no repeats in one order: their own noise") for text in warnings)
    one = DisagreementParts(judge=("people", "old")).run(store).warnings
    assert any(text.startswith("old: no repeats in one order: its own noise") for text in one)


@pytest.mark.real
def test_llmfao(real: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    import_path(store, real / "llmfao", "llmfao", ImportOptions(format="llmfao"))
    found = DisagreementParts(judge=("crowd", "gpt-4"), ties="drop").run(store).values
    assert found["pairs"] == 1486
    assert [round(found[name]["value"], 4) for name in ("disagreement", "noise_people", "systematic")] == [
        0.3238, 0.1564, 0.1673
    ]  # fmt: skip
