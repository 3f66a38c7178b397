"""Calibration: bins by hand, parity with sklearn and an optimiser, sides, planted temperature, the study, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, log_loss
from test_agreement_study import call, rows, stored

from analysis.calibration import BINS, CLIP, Calibration, Claims, calibrate
from analysis.vcov import Clustering
from errors import NotIdentifiedError, OptionError
from studies.calibration import JudgeCalibration

PAIR = Clustering("pair")

ECE_AT_13 = 0.0400
"""Of log-odds 1.3 times the true ones, which are normal with sd 1.5, by integration: all bins lie on one side of 0."""


def claims(p: list[float] | np.ndarray, y: list[float] | np.ndarray, folded: bool = False, each: int = 1) -> Claims:
    p, y = np.asarray(p, dtype=float), np.asarray(y, dtype=float)
    return Claims(p, y, np.ones(len(p)), (y == 0.5).astype(float), np.arange(len(p)) // each, folded)


def drawn(seed: int, n: int = 4000, temperature: float = 1.0, each: int = 1) -> Claims:
    """Outcomes from probabilities that the judge tells with log-odds that many times as large."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 1.5, n)
    return claims(expit(temperature * z), (rng.random(n) < expit(z)).astype(float), each=each)


def test_by_hand() -> None:
    # Five bins of width .2: {.9, .9} with one right: |.5 - .9| of two; {.3} that is not: .3 of one.
    found = calibrate(claims([0.9, 0.9, 0.3], [1, 0, 0]), PAIR)
    assert found.figures["ece_5"] == pytest.approx((2 * 0.4 + 0.3) / 3)
    assert found.figures["brier"] == pytest.approx((0.01 + 0.81 + 0.09) / 3)
    assert found.figures["right"] == pytest.approx(1 / 3)
    assert found.figures["sureness"] == pytest.approx(0.7)
    assert found.table(5)[["low", "high", "comparisons"]].round(9).to_numpy().tolist() == [[0.2, 0.4, 1], [0.8, 1.0, 2]]


def test_preferences_are_of_the_own_side() -> None:
    # .1 for a is .9 for b; who has no side is half right; a tie is half right, and a quarter of Brier's error at .5.
    found = calibrate(claims([0.1, 0.5, 0.8], [0, 1, 0.5], folded=True), PAIR)
    assert found.figures["right"] == pytest.approx((1 + 0.5 + 0.5) / 3)
    assert found.figures["sureness"] == pytest.approx((0.9 + 0.5 + 0.8) / 3)
    assert found.figures["brier"] == pytest.approx((0.01 + 0.25 + 0.09) / 3)
    assert found.figures["ece_5"] == pytest.approx((0.1 + 0 + 0.3) / 3)


def test_sklearn() -> None:
    given = drawn(1)
    found = calibrate(given, PAIR)
    assert found.figures["brier"] == pytest.approx(brier_score_loss(given.y, given.p))
    z = logit(np.clip(given.p, CLIP, 1 - CLIP))
    assert found.log_loss == pytest.approx(log_loss(given.y, expit(z)))
    for k in BINS:
        right, sure = calibration_curve(given.y, given.p, n_bins=k)
        table = found.table(k)
        np.testing.assert_allclose(table["right"], right)
        np.testing.assert_allclose(table["sureness"], sure)
        ece = np.average(np.abs(right - sure), weights=table["comparisons"])
        assert found.figures[f"ece_{k}"] == pytest.approx(ece)


def test_temperature_is_the_optimum() -> None:
    given = drawn(2, temperature=2.0)
    found = calibrate(given, PAIR)
    z = logit(np.clip(given.p, CLIP, 1 - CLIP))
    best = minimize_scalar(lambda t: log_loss(given.y, expit(z / t)), bounds=(0.2, 10), method="bounded",
                           options={"xatol": 1e-9})  # fmt: skip
    assert found.temperature == pytest.approx(best.x, abs=1e-5)
    assert found.temperature_lower < 2 < found.temperature_upper
    assert found.log_loss_scaled < found.log_loss - 0.02
    assert found.brier_scaled < found.figures["brier"]


def test_what_sides_are_called_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    p, y = rng.random(300), rng.choice([0.0, 0.5, 1.0], 300)
    one, two = calibrate(claims(p, y, folded=True), PAIR), calibrate(claims(1 - p, 1 - y, folded=True), PAIR)
    np.testing.assert_allclose(one.figures.value, two.figures.value)
    np.testing.assert_allclose(one.figures.se, two.figures.se)
    assert (one.temperature, one.log_loss_scaled) == pytest.approx((two.temperature, two.log_loss_scaled), nan_ok=True)


def test_counts_are_that_many_rows() -> None:
    p, n = np.array([0.8, 0.6, 0.3] * 20), np.array([4.0, 2, 3] * 20)
    y = np.random.default_rng(0).binomial(n.astype(int), p).astype(float)
    cluster = np.arange(60)
    zero = np.zeros(60)
    counted = calibrate(Claims(p, y, n, zero, cluster, False), PAIR)
    at = np.repeat(np.arange(60), n.astype(int))
    first = np.concatenate([np.arange(k) for k in n.astype(int)])
    single = Claims(p[at], (first < y[at]).astype(float), np.ones(len(at)), np.zeros(len(at)), cluster[at], False)
    listed = calibrate(single, PAIR)
    np.testing.assert_allclose(counted.figures.value, listed.figures.value)
    np.testing.assert_allclose(counted.figures.se, listed.figures.se)
    for name in ("temperature", "temperature_lower", "log_loss_scaled", "brier_scaled"):
        assert getattr(counted, name) == pytest.approx(getattr(listed, name)), name
    assert counted.chance == pytest.approx(listed.chance)


def temperature_range(found: Calibration) -> tuple[float, float]:
    return found.temperature_lower, found.temperature_upper


def test_who_is_right_without_limit_or_never_has_no_temperature() -> None:
    always = calibrate(claims([0.9, 0.8, 0.2], [1, 1, 0]), PAIR)
    assert np.isnan(always.temperature)
    assert always.cause == "it is always right"
    assert calibrate(claims([0.9, 0.8, 0.2], [0, 0, 1]), PAIR).cause == "it is always wrong"
    wrong = calibrate(claims([0.9, 0.9, 0.9, 0.2], [0, 0, 1, 1]), PAIR)
    assert wrong.cause == "it is no more often right where it is surer"
    assert calibrate(claims([0.5, 0.5], [1, 0]), PAIR).cause == "it is never sure of a side"
    with pytest.raises(NotIdentifiedError, match="no comparison"):
        calibrate(Claims(*(np.zeros(2),) * 4, np.arange(2), False), PAIR)


def test_one_comparison() -> None:
    found = calibrate(claims([0.7], [1]), PAIR)
    assert found.figures["ece_10"] == pytest.approx(0.3)
    assert np.isnan(found.figures.interval()[0][0])


def test_chance_is_what_a_calibrated_judge_has() -> None:
    """The mean over 200 worlds without any error; its own noise is 2 %, the normal approximation leaves a few more."""
    found = [calibrate(drawn(seed, 1000), PAIR) for seed in range(200)]
    for k in BINS:
        ece = np.mean([one.figures[f"ece_{k}"] for one in found])
        assert np.mean([one.chance[k] for one in found]) == pytest.approx(ece, rel=0.08)


def votes_on(seed: int, n: int, temperature: float, votes: int = 3) -> Claims:
    rng = np.random.default_rng((seed, n))
    z = rng.normal(0, 1.5, n)
    y = rng.binomial(votes, expit(z)).astype(float)
    return Claims(expit(temperature * z), y, np.full(n, float(votes)), np.zeros(n), np.arange(n), True)


@pytest.mark.parametrize(("n", "temperature"), [(60, 1.3), (200, 1.3), (60, 1.0), (200, 1.0)])
def test_intervals_of_errors_hold_for_few_comparisons_and_for_no_error(n: int, temperature: float) -> None:
    """60 worlds; at .95, 51 have a probability of .003. As shares around the figure they held in none to .9 of them."""
    truth = dict.fromkeys(BINS, ECE_AT_13 if temperature > 1 else 0.0)
    hits = dict.fromkeys(BINS, 0)
    for seed in range(60):
        figures = calibrate(votes_on(seed, n, temperature), PAIR).figures
        for k in BINS:
            ends = figures.one(f"ece_{k}")
            assert ends is not None
            hits[k] += ends["lower"] <= truth[k] <= ends["upper"]
    assert min(hits.values()) >= 52, hits


def test_an_error_that_is_none_and_bins_of_one() -> None:
    # All as sure as right in every cluster: nothing is off, and the interval is as of a share of 0.
    found = calibrate(claims([1.0, 1.0, 0.0, 0.0], [1, 1, 0, 0]), PAIR)
    assert found.figures.one("ece_10") == {"value": 0, "lower": 0, "upper": pytest.approx(1 - 0.025 ** 0.25)}
    # Many comparisons and a large error: chance is next to nothing, and the ends are those of a normal error.
    many = votes_on(1, 20_000, 3.0)
    ends = calibrate(many, PAIR).figures.one("ece_5")
    assert ends is not None
    se = calibrate(many, PAIR).figures.se[0]
    assert (ends["lower"], ends["upper"]) == pytest.approx((ends["value"] - 1.96 * se, ends["value"] + 1.96 * se), abs=3e-4)
    # Three clusters that say different things leave open how large it is.
    few = calibrate(claims([0.9, 0.6, 0.7] * 4, [1, 0, 0] * 4, each=4), PAIR).figures.one("ece_10")
    assert few is not None
    assert 0 <= few["lower"] <= few["upper"] <= 1
    # As wrong as can be stays within 1.
    assert calibrate(claims([1.0] * 9 + [0.999], [0] * 10), PAIR).figures.one("ece_10")["upper"] <= 1


@pytest.mark.slow
def test_intervals_of_the_temperature_cover() -> None:
    """100 worlds with a planted 2, 300 clusters of four, and 30: below 88 has probability .003 at .95."""
    for n in (1200, 120):
        hits = 0
        for seed in range(100):
            low, high = temperature_range(calibrate(drawn(seed, n, 2.0, each=4), PAIR))
            hits += low <= 2 <= high
        assert hits >= 88, (n, hits)


# -- the study ---------------------------------------------------------------------------------------------------------


def soft(seed: int = 1, confident: bool = False) -> list[dict[str, object]]:
    """The judge `old` gives preferences that are twice as far from even as people's, in log-odds."""
    rng = np.random.default_rng(seed)
    given = rows(60, [("old", 0.9)])
    for row in given:
        if row["judge"] == "people":
            continue
        p = 0.97 if row["winner"] == "a" else 0.03
        if confident:
            row["confidence"] = float(np.round(rng.uniform(0.6, 1), 3))
        else:
            del row["winner"]
            row["p_a"] = float(np.clip(p + rng.normal(0, 0.01), 0, 1))
    return given


def test_the_study(tmp_path: Path) -> None:
    store = stored(tmp_path / "d", soft())
    result = JudgeCalibration().run(store)
    content = result.as_json()
    assert content["comparisons"] == 360
    assert set(content["ece_10"]) == {"value", "lower", "upper"}
    assert content["temperature"]["lower"] > 1
    assert result.table("bins").query("bins == 10")["comparisons"].sum() == 360
    assert "too sure" in result.findings[0].text
    dropped = JudgeCalibration(ties="drop").run(store)
    assert dropped.values["comparisons"] < 360
    assert dropped.values["right"]["value"] > result.values["right"]["value"]
    assert call(store, "calibration", "--dataset", "d", "--require", "ece_10.upper<=.01")[0] == 3
    assert call(store, "calibration", "--dataset", "d", "--by", "scenario")[0] == 0


@pytest.mark.parametrize("cluster", ["auto", "pair", "none"])
def test_the_order_of_a_file_changes_nothing(tmp_path: Path, cluster: str) -> None:
    given = soft()
    turned = [given[k] for k in np.random.default_rng(2).permutation(len(given))]
    one, two = (
        JudgeCalibration(cluster=cluster).run(stored(tmp_path / name, some))
        for name, some in (("one", given), ("two", turned))
    )
    assert one.fingerprint == two.fingerprint
    pd.testing.assert_frame_equal(one.table(), two.table())


def test_stated_confidence(tmp_path: Path) -> None:
    given = soft(confident=True)
    one = JudgeCalibration(of="confidence").run(stored(tmp_path / "c", given)).values
    mean = np.mean([row["confidence"] for row in given if "confidence" in row])
    assert one["sureness"]["value"] == pytest.approx(mean)
    percent = [row | ({"confidence": 100 * row["confidence"]} if "confidence" in row else {}) for row in given]
    store = stored(tmp_path / "p", percent)
    hundred = JudgeCalibration(of="confidence", certain=100.0).run(store).values
    assert hundred["ece_10"]["value"] == pytest.approx(one["ece_10"]["value"])
    with pytest.raises(NotIdentifiedError, match=r"old: states confidences .* say with --certain"):
        JudgeCalibration(of="confidence").run(store)


def test_refusals(tmp_path: Path) -> None:
    store = stored(tmp_path / "r", rows(10, [("old", 0.9)]))
    with pytest.raises(NotIdentifiedError, match="old: gives labels and no preference"):
        JudgeCalibration().run(store)
    with pytest.raises(NotIdentifiedError, match="old: states no confidence"):
        JudgeCalibration(of="confidence").run(store)
    with pytest.raises(OptionError, match="above 0"):
        JudgeCalibration(certain=0.0).run(store)
    with pytest.raises(OptionError, match="by prompt or by pair"):
        JudgeCalibration(cluster="annotator").run(store)
