"""Shares against shares: by hand, scipy's divergence, sides, a planted extremity, the study, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.special import expit
from scipy.stats import entropy
from test_agreement_study import call, rows, stored

from analysis.shares import hold_shares, parting
from analysis.vcov import Clustering
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.shares import JudgeShares

PAIR = Clustering("pair")


def world(seed: int, slope: float, pairs: int = 400, votes: int = 10) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 1, pairs)
    h = rng.binomial(votes, expit(z)) / votes
    one = np.ones(pairs)
    return h, votes * one, expit(slope * z), one, one, np.arange(pairs)


def test_by_hand() -> None:
    # 30 of 40 votes: log-odds of 30.5 to 10.5, and 0 of an even share; the variances are 41 * 42 / (40 * 31 * 11) and
    # 41 * 42 / (40 * 21 * 21).
    h, j = np.array([0.75, 0.5]), np.array([0.9, 0.5])
    found, reliable = hold_shares(h, np.full(2, 40.0), j, np.ones(2), np.ones(2), np.arange(2), PAIR)
    x, y, noise = np.log(30.5 / 10.5), np.log(9), 1722 / 40 * (1 / 341 + 1 / 441)
    assert found["slope_raw"] == pytest.approx(y / x)
    assert found["slope"] == pytest.approx(x * y / (x**2 - noise))
    assert found["slope"] == pytest.approx(2.566, abs=5e-4)
    assert reliable == pytest.approx(1 - noise / x**2)
    assert found["distance"] == pytest.approx(0.15 / 2)


def test_scipy() -> None:
    h, votes, j, verdicts, soft, cluster = world(1, 1.5)
    found, _ = hold_shares(h, votes, j, verdicts, soft, cluster, PAIR)
    assert found["divergence"] == pytest.approx(np.mean(jensenshannon([h, 1 - h], [j, 1 - j], base=2, axis=0) ** 2))
    assert found["entropy_people"] == pytest.approx(entropy([h, 1 - h], base=2).mean())
    assert found["entropy_difference"] == pytest.approx(found["entropy_judge"] - found["entropy_people"])


def test_sides_are_alike() -> None:
    h, votes, j, verdicts, soft, cluster = world(2, 1.5)
    one, _ = hold_shares(h, votes, j, verdicts, soft, cluster, PAIR)
    flip = np.random.default_rng(0).random(len(h)) < 0.5
    turned = (np.where(flip, 1 - h, h), votes, np.where(flip, 1 - j, j), verdicts, soft, cluster)
    two, _ = hold_shares(*turned, PAIR)
    np.testing.assert_allclose(one.value, two.value)
    np.testing.assert_allclose(one.se, two.se)


def test_half_a_vote_and_half_a_verdict() -> None:
    found, _ = hold_shares(np.array([1.0, 0.0]), np.full(2, 4.0), np.array([1.0, 0.0]), np.full(2, 10.0), np.zeros(2),
                           np.arange(2), PAIR)  # fmt: skip
    assert found["slope_raw"] == pytest.approx(np.log(10.5 / 0.5) / np.log(4.5 / 0.5))


def test_two_that_part_by_hand() -> None:
    # 3 for a, 1 for b: 6 of 12 ordered pairs of votes part. 2, 1 and a tie: 2 * 2 for sides, 3 * 1 halves twice.
    found = parting(np.array([0.75, 0.625, 0.5, 1.0]), np.array([4.0, 4.0, 2.0, 5.0]), np.array([0.0, 1.0, 2.0, 0.0]))
    np.testing.assert_allclose(found, [6 / 12, (2 * 2 * 1 + 3) / 12, 0, 0])


def test_how_often_two_part_is_without_bias_however_few_they_are() -> None:
    """A judge of two labels that is drawn like people of 20 votes: as divided; its entropy says otherwise."""
    rng = np.random.default_rng(3)
    p = expit(rng.normal(0, 1.2, 20_000))
    h, j, one = rng.binomial(20, p) / 20, rng.binomial(2, p) / 2, np.ones(20_000)
    found, _ = hold_shares(h, 20 * one, j, 2 * one, 0 * one, np.arange(20_000) % 200, PAIR)
    truth = float((2 * p * (1 - p)).mean())
    # Its standard error is .0035.
    assert found["parting_judge"] == pytest.approx(truth, abs=0.012)
    assert found["parting_people"] == pytest.approx(truth, abs=0.004)
    assert found["parting_difference"] == pytest.approx(0, abs=0.012)
    assert found["entropy_difference"] < -0.3
    # A preference that is stated is what votes would be drawn from.
    stated, _ = hold_shares(h, 20 * one, p, one, one, np.arange(20_000) % 200, PAIR)
    assert stated["parting_judge"] == pytest.approx(truth)


@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
def test_a_planted_extremity_is_found(slope: float) -> None:
    """Mean of 40 worlds of 40 votes a pair, whose own noise is .7 %."""
    both = np.array([
        [found["slope"], found["slope_raw"]]
        for found, _ in (hold_shares(*world(seed, slope, votes=40), PAIR) for seed in range(40))
    ])  # fmt: skip
    assert both[:, 0].mean() == pytest.approx(slope, rel=0.02)
    assert both[:, 1].mean() < 0.95 * slope


def test_shares_that_are_all_chance_give_no_slope() -> None:
    rng = np.random.default_rng(0)
    h = rng.binomial(3, 0.5, 200) / 3
    one = np.ones(200)
    found, reliable = hold_shares(h, 3 * one, rng.random(200), one, one, np.arange(200), PAIR)
    assert reliable < 0.3
    assert np.isnan(found["slope"])
    assert not np.isnan(found["slope_raw"])


# -- the study ---------------------------------------------------------------------------------------------------------


def test_the_study(tmp_path: Path) -> None:
    given = rows(60, [("old", 0.9)], people=8)
    for row in given:
        if row["judge"] == "old":
            row["p_a"] = 0.97 if row["winner"] == "a" else 0.03
            del row["winner"]
    store = stored(tmp_path / "d", given)
    result = JudgeShares().run(store)
    content = result.as_json()
    assert content["pairs"] == 120
    assert content["slope"]["lower"] > 1
    assert content["entropy_judge"]["value"] == pytest.approx(entropy([0.97, 0.03], base=2))
    assert result.table("by_share")["pairs"].sum() == 120
    assert JudgeShares(ties="drop").run(store).table()["votes"][0] < result.table()["votes"][0]
    assert call(store, "shares", "--dataset", "d", "--require", "slope.upper<=1")[0] == 3


def voted(path: Path, said: dict[str, tuple[int, float]], pairs: int = 200, sd: float = 1.2, votes: int = 10) -> Store:
    """People's votes, and judges by name: how many labels (0: a preference), their log-odds over people's."""
    rng = np.random.default_rng(5)
    given: list[dict[str, object]] = []
    for k, z in enumerate(rng.normal(0, sd, pairs)):
        base = {"prompt": f"prompt {k // 2}", "response_a": f"a {k}", "response_b": f"b {k}"}
        for who in range(votes):
            given.append(base | {"judge": "people", "judge_kind": "human", "annotator": f"n{who}",
                                 "winner": "a" if rng.random() < expit(z) else "b"})  # fmt: skip
        for name, (labels, slope) in said.items():
            p, one = expit(slope * z), base | {"judge": name, "judge_kind": "llm"}
            given += [one | {"winner": "a" if rng.random() < p else "b", "repeat": r} for r in range(labels)] or [
                one | {"p_a": float(p)}]  # fmt: skip
    return stored(path, given)


def test_a_judge_of_a_few_labels_that_is_like_people_is_as_extreme_as_they(tmp_path: Path) -> None:
    result = JudgeShares().run(voted(tmp_path / "l", {"three": (3, 1.0)}))
    row = result.table().iloc[0]
    assert row["kind"] == "labels"
    assert row["slope_binomial_lower"] < 1 < row["slope_binomial_upper"]
    # By log-odds of three labels it would be .8 and its upper end below 1.
    assert "slope" not in result.values
    assert row["parting_difference_lower"] < 0 < row["parting_difference_upper"]
    assert not result.warnings


def test_it_is_said_where_an_extremity_cannot_be_told_or_goes_too_far(tmp_path: Path) -> None:
    store = voted(tmp_path / "n", {"sure": (3, 60.0), "told": (0, 2.0)}, sd=2.0)
    result = JudgeShares().run(store)
    of = {row["judge"]: row for row in result.table().to_dict("records")}
    assert pd.isna(of["sure"]["slope_binomial"])
    assert any(text.startswith("sure: its labels on a pair part too seldom") for text in result.warnings)
    assert of["told"]["slope"] > 1.05 * of["told"]["slope_binomial"]
    assert any("told: people's error taken off by variances makes" in text for text in result.warnings)
    few = JudgeShares().run(voted(tmp_path / "f", {"three": (3, 1.0)}, votes=3))
    assert few.warnings == ("three: 3.00 votes a pair are too few to tell how extreme it is: it takes 5",)


def test_refusals(tmp_path: Path) -> None:
    store = stored(tmp_path / "r", rows(10, [("old", 0.9)]))
    with pytest.raises(NotIdentifiedError, match="old: gives one label a pair"):
        JudgeShares().run(store)
    with pytest.raises(OptionError, match="by prompt or by pair"):
        JudgeShares(cluster="annotator").run(store)
    store = stored(tmp_path / "s", rows(10, [("old", 0.9)], people=1))
    with pytest.raises(NotIdentifiedError, match="no pair has two votes"):
        JudgeShares().run(store)
