"""Shares against shares: by hand, scipy's divergence, sides, a planted extremity, the study, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.special import expit
from scipy.stats import entropy
from test_agreement_study import call, rows, stored

from analysis.shares import hold_shares
from analysis.vcov import Clustering
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


def test_refusals(tmp_path: Path) -> None:
    store = stored(tmp_path / "r", rows(10, [("old", 0.9)]))
    with pytest.raises(NotIdentifiedError, match="old: gives one label a pair"):
        JudgeShares().run(store)
    with pytest.raises(OptionError, match="by prompt or by pair"):
        JudgeShares(cluster="annotator").run(store)
    store = stored(tmp_path / "s", rows(10, [("old", 0.9)], people=1))
    with pytest.raises(NotIdentifiedError, match="no pair has two votes"):
        JudgeShares().run(store)
