"""Corrected win rates and what the judge is worth to each: by hand, against the strengths of two models, properties."""

from __future__ import annotations

import numpy as np
import pytest
from toy_pairs import pairs_of, some_pairs, turned

from analysis.ppi import fit_corrected
from analysis.ppi_winrate import LEAST, WinRate, corrected_winrates, mask_winrates, winrate_table
from analysis.vcov import Clustering

PROMPT, PAIR = Clustering("prompt"), Clustering("pair")


def two_models(seed: int = 0, n: int = 300, n_more: int = 500):
    rng = np.random.default_rng(seed)
    common = rng.normal(0.4, 2, n + n_more)
    votes, verdicts = (common + rng.logistic(size=(2, n + n_more)) > 0).astype(float)
    return pairs_of([("A", "B", votes[k] if k < n else None, verdicts[k]) for k in range(n + n_more)])


def of(found: list[WinRate], model: str, against: str | None = None) -> WinRate:
    [one] = [row for row in found if (row.model, row.against) == (model, against)]
    return one


def test_the_published_formula_by_hand() -> None:
    pairs = two_models()
    h, f = pairs.human_score[pairs.labelled], pairs.judge_score[pairs.labelled]
    g = pairs.judge_score[~pairs.labelled]
    n, more = len(h), len(g)
    share = ((h - h.mean()) * (f - f.mean())).mean() / n / (f.var() / n + g.var() / more)
    p = (h - share * f).mean() + share * g.mean()
    variance = ((h - share * f).var() / n + share**2 * g.var() / more) * n / (n - 1)
    found = of(corrected_winrates(pairs, PAIR), "A")
    assert (found.share, found.corrected[0]) == pytest.approx((share, p))
    assert found.classical[0] == pytest.approx(h.mean())
    assert found.naive == pytest.approx(pairs.judge_score.mean())
    half = 1.959964 * np.sqrt(variance) / (p * (1 - p))
    ends = [1 / (1 + np.exp(-(np.log(p / (1 - p)) + side * half))) for side in (-1, 1)]
    assert found.corrected[1:] == pytest.approx(ends, abs=1e-6)
    assert found.gain == pytest.approx(h.var() / n * n / (n - 1) / variance)
    assert found.worth == pytest.approx(n * (found.gain - 1))
    # Infinitely many unlabelled pairs: 1 / (1 - rho^2).
    assert found.potential == pytest.approx(1 / (1 - np.corrcoef(h, f)[0, 1] ** 2))
    assert 1 < found.gain < found.potential


def test_four_pairs_and_two_more_by_hand() -> None:
    # People 1 1 1 0, judge 1 1 0 0 there and 1 0 elsewhere: lambda = (1/8 / 4) / (1/4 / 4 + 1/4 / 2) = 1/6.
    rows = [("A", "B", y, f) for y, f in ((1, 1), (1, 1), (1, 0), (0, 0))] + [("A", "B", None, f) for f in (1, 0)]
    found = of(corrected_winrates(pairs_of(rows), PAIR), "A")
    assert (found.share, found.corrected[0], found.classical[0], found.naive) == pytest.approx((1 / 6, 0.75, 0.75, 0.5))
    # Too few pairs to say what it is worth.
    assert np.isnan(found.gain)
    assert (found.labelled, found.unlabelled, found.clusters) == (4, 2, 4)


@pytest.mark.parametrize("clustering", [PAIR, PROMPT])
def test_of_two_models_it_is_the_corrected_strength(clustering: Clustering) -> None:
    pairs = some_pairs(models=2, prompts=80)
    strength = fit_corrected(pairs, clustering)
    found = of(corrected_winrates(pairs, clustering), strength.models[0], strength.models[1])
    gap = float(strength.covariance.estimate @ [1, -1])
    assert found.share == pytest.approx(strength.share, abs=1e-5)
    assert found.corrected[0] == pytest.approx(1 / (1 + np.exp(-gap)), abs=1e-5)
    se = np.sqrt(np.array([1, -1]) @ strength.covariance.vcov @ [1, -1])
    low = 1 / (1 + np.exp(-(gap - 1.959964 * se)))
    assert found.corrected[1] == pytest.approx(low, abs=1e-3)


def test_both_directions_add_to_one_and_exchanging_a_and_b_changes_nothing() -> None:
    pairs = some_pairs(models=4, prompts=100)
    found = corrected_winrates(pairs, PROMPT)
    for one in found:
        if one.against is None:
            continue
        other = of(found, one.against, one.model)
        assert one.corrected[0] + other.corrected[0] == pytest.approx(1)
        assert one.corrected[1] == pytest.approx(1 - other.corrected[2])
        assert (one.share, one.gain) == pytest.approx((other.share, other.gain))
    again = corrected_winrates(turned(pairs, np.random.default_rng(0).random(len(pairs)) < 0.5), PROMPT)
    for one, same in zip(found, again, strict=True):
        assert (one.corrected, one.classical, one.gain) == (
            pytest.approx(same.corrected), pytest.approx(same.classical), pytest.approx(same.gain),
        )  # fmt: skip


def test_a_judge_by_chance_is_worth_nothing_and_one_that_is_people_nearly_everything() -> None:
    rng = np.random.default_rng(1)
    y = (rng.random(1200) < 0.6).astype(float)
    for f, low, high in ((rng.integers(0, 2, 1200).astype(float), 0.9, 1.05), (y, 3.5, 4.5)):
        rows = [("A", "B", y[k] if k < 300 else None, f[k]) for k in range(1200)]
        found = of(corrected_winrates(pairs_of(rows), PAIR), "A")
        assert low < found.gain < high


def test_without_unlabelled_pairs_there_is_the_potential_alone() -> None:
    pairs = two_models()
    found = of(corrected_winrates(pairs.take(pairs.labelled), PAIR), "A")
    assert np.isnan([*found.corrected, found.gain, found.share]).all()
    assert found.potential > 1
    table = winrate_table([found])
    assert table["corrected"].isna().all()
    assert table["potential_gain"].notna().all()


def test_extremes_are_finite_or_absent() -> None:
    # Always preferred by people: nothing may be taken away from losses that are not there.
    rows = [("A", "B", 1, 1)] * 30 + [("A", "B", None, 0)] * 30
    found = of(corrected_winrates(pairs_of(rows), PAIR), "A")
    assert 0.5 <= found.corrected[0] <= 1
    assert np.isfinite(found.classical[1])
    one = of(corrected_winrates(pairs_of([("A", "B", 1, 1), ("A", "B", None, 0)]), PAIR), "A")
    assert np.isnan(one.classical[1:]).all()
    # Of few labelled pairs there is no row of two models.
    assert all(row.against is None for row in corrected_winrates(pairs_of(rows[: LEAST - 1] + rows[30:]), PAIR))


def test_hidden_votes_are_found_again_better_with_a_good_judge() -> None:
    pairs = some_pairs(models=3, prompts=80, labelled=0.8)
    found = mask_winrates(pairs, 0.9, np.random.default_rng(0), splits=10).set_index("method")
    assert (found["winrates"] == 30).all()
    assert found.loc["corrected", "rmse"] < found.loc["classical", "rmse"]
    assert found.loc["corrected", "width"] < found.loc["classical", "width"]
    assert found.loc[["corrected", "classical"], "coverage"].between(0.8, 1).all()
    assert found.loc["naive", ["width", "coverage"]].isna().all()


@pytest.mark.slow
def test_intervals_hold() -> None:
    """95 % intervals of the corrected win rate, 20 prompts with votes among 60: binomial bounds of 400 runs."""
    rng = np.random.default_rng(0)
    hit = 0
    for _ in range(400):
        taste = np.repeat(rng.normal(0, 1, 60), 5)
        people, judge = ((0.3 + taste + rng.logistic(size=300) > 0).astype(float) for _ in range(2))
        grid = 0.3 + np.linspace(-6, 6, 4001)
        truth = float(np.average(1 / (1 + np.exp(-grid)), weights=np.exp(-((grid - 0.3) ** 2) / 2)))
        rows = [("A", "B", people[k] if k < 100 else None, judge[k]) for k in range(300)]
        found = of(corrected_winrates(pairs_of(rows, prompt=np.arange(300) // 5), PROMPT), "A")
        hit += found.corrected[1] <= truth <= found.corrected[2]
    assert 0.92 <= hit / 400 <= 0.98
