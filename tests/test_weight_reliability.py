"""How reliable weights are: by hand, against explicit halves, planted, and where nothing can be told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis import refits, weight_reliability
from analysis.collinear import find_collinear
from analysis.design import Design
from analysis.design_sums import sum_up
from analysis.factor_covariance import weight_covariance
from analysis.factor_fit import fit_factors
from analysis.reliability import correct_correlation
from analysis.vcov import Clustering
from analysis.weight_reliability import (
    analytic_reliability,
    correct_weights,
    split_weights,
    step_up,
)
from errors import NotIdentifiedError


def world(
    rng: np.random.Generator, weights: np.ndarray, prompts: int, per: int, *, vary: float = 0.0, rare: float = 0.0,
    position: float | None = 0.3,
) -> Design:  # fmt: skip
    """Judgments with these weights; `vary` : sd of each prompt's own; `rare` : share of pairs in which factor 0, a flag,
    differs."""
    k, n = len(weights), prompts * per
    x = rng.standard_normal((k, n))
    if rare:
        x[0] = (rng.random(n) < rare) * rng.choice([-1.0, 1.0], n) / np.sqrt(rare)
    prompt = np.repeat(np.arange(prompts), per)
    own = weights[:, None] + vary * rng.standard_normal((k, prompts))[:, prompt]
    s = rng.choice([-1.0, 1.0], n)
    y = (rng.random(n) < 1 / (1 + np.exp(-(own * x).sum(axis=0) - (position or 0.0) * s))).astype(float)
    at = np.arange(n)
    return Design(
        names=tuple(f"f{j}" for j in range(k)), x=x, at=at, pair=at, weight=np.ones(n), score=y,
        count=np.ones(n, dtype=np.int64), first=None if position is None else s, clusters={"prompt": prompt, "pair": at},
    )  # fmt: skip


def spread(k: int, size: float) -> np.ndarray:
    return size * np.random.default_rng(7).standard_normal(k)


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_stepping_up_by_hand() -> None:
    assert step_up(np.array([0.5, 1.0, 0.0, -0.2, -0.9])) == pytest.approx([2 / 3, 1.0, 0.0, -0.5, -1.0])


def test_the_analytic_reliability_by_hand() -> None:
    """Three flags, each in pairs of its own: weights log 3, 0 and log 2, with variances 1/(npq) G/(G-1)."""
    wins = [(9, 12), (6, 12), (8, 12)]
    x = np.zeros((3, 36))
    y = np.zeros(36)
    for j, (won, n) in enumerate(wins):
        x[j, 12 * j : 12 * j + n] = 1.0
        y[12 * j : 12 * j + won] = 1.0
    many = 5
    at = np.arange(36 * many)
    d = Design(tuple("abc"), np.tile(x, many), at, at, np.ones(len(at)), np.tile(y, many),
               np.ones(len(at), dtype=np.int64), clusters={"pair": at, "prompt": at})  # fmt: skip
    weights = np.log([3.0, 1.0, 2.0])
    n = 12 * many
    g = 3 * n
    variance = np.array([1 / (n * p * (1 - p)) for p in (0.75, 0.5, 2 / 3)]) * g / (g - 1)
    # About their mean three independent estimates keep two thirds of their variance.
    noise = variance.sum() * 2 / 3
    expected = 1 - noise / ((weights - weights.mean()) ** 2).sum()
    assert analytic_reliability(fit_factors(d), d, "pair") == pytest.approx(expected, rel=1e-9)


# --- against explicit halves ------------------------------------------------------------------------------------------


def test_halves_are_those_of_explicit_fits() -> None:
    rng = np.random.default_rng(1)
    d = world(rng, spread(6, 0.4), 40, 5)
    fit = fit_factors(d)
    found = split_weights(fit, d, "prompt", np.random.default_rng(3), splits=8)
    draws = np.random.default_rng(3)
    for r in found.halves:
        first = (draws.permutation(40) < 20)[d.clusters["prompt"]]
        one, two = (fit_factors(d.take(rows)).weights for rows in (first, ~first))
        assert r == pytest.approx(np.corrcoef(one, two)[0, 1], abs=1e-8)
    assert found.exact
    assert found.value == pytest.approx(float(step_up(found.halves.mean())))
    low, high = found.interval(0.5).lower, found.interval(0.5).upper
    assert low is not None
    assert high is not None
    assert low < found.value < high
    assert (found.way, found.n_clusters, found.n_factors, found.mean_factors, found.n_lost) == ("prompt", 40, 6, 6.0, 0)


def test_parts_fitted_together_are_those_fitted_alone() -> None:
    """With a rare flag, often separated or absent in a half: the same weights, and the same factors without one."""
    rng = np.random.default_rng(2)
    d = world(rng, spread(5, 0.5), 30, 4, rare=0.06)
    d = replace(d, weight=rng.uniform(0.5, 2, len(d)), score=d.score * 0)
    d = replace(d, score=d.weight * (rng.random(len(d)) < 0.6))
    fit = fit_factors(d)
    used = fit.used(d)
    parts = rng.random((40, len(d))) < 0.4
    found = refits.fit_parts(fit, used, parts)
    lost = 0
    for part, row in zip(parts, found, strict=True):
        alone = fit_factors(used.take(part))
        assert {n for n, v in zip(fit.names, row, strict=True) if np.isfinite(v)} == set(alone.names)
        assert row[np.isfinite(row)] == pytest.approx(alone.parameters, abs=1e-6)
        lost += len(alone.dropped)
    assert lost > 5


def test_modelled_ties_are_split_too() -> None:
    rng = np.random.default_rng(4)
    d = world(rng, spread(4, 0.6), 30, 8)
    tied = (rng.random(len(d)) < 0.2).astype(float)
    d = replace(d, tied=tied, score=np.where(tied > 0, 0.5, d.score))
    fit = fit_factors(d, ties="davidson")
    found = split_weights(fit, d, "prompt", np.random.default_rng(0), splits=4)
    first = (np.random.default_rng(0).permutation(30) < 15)[d.clusters["prompt"]]
    one, two = (fit_factors(d.take(rows), ties="davidson").weights for rows in (first, ~first))
    assert found.halves[0] == pytest.approx(np.corrcoef(one, two)[0, 1], abs=1e-8)


def test_one_step_agrees_with_fitted_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    d = world(np.random.default_rng(5), spread(8, 0.08), 400, 20, vary=0.1)
    fit = fit_factors(d)
    fitted = split_weights(fit, d, "prompt", np.random.default_rng(0))
    monkeypatch.setattr(refits, "EXACT", 0)
    stepped = split_weights(fit, d, "prompt", np.random.default_rng(0))
    assert fitted.exact
    assert not stepped.exact
    # Both are means over 100 random splits: what is left is their noise.
    error = float(np.hypot(fitted.halves.std(), stepped.halves.std()) / 10)
    assert stepped.halves.mean() == pytest.approx(fitted.halves.mean(), abs=4 * error)
    assert error < 0.02


def test_one_step_leads_to_the_fit_of_a_half() -> None:
    d = world(np.random.default_rng(6), spread(6, 0.3), 200, 20)
    fit = fit_factors(d)
    groups = d.clusters["prompt"] % 2
    sums = refits.sums_by_group(d, fit.rule, fit.parameters, groups, 2)
    for group in (0, 1):
        half = d.take(groups == group)
        direct = sum_up(half, fit.rule, fit.parameters)
        assert sums[group].information == pytest.approx(direct.information, rel=1e-10)
        assert sums[group].gradient == pytest.approx(direct.gradient, abs=1e-8)
        step = refits.newton_step(fit.parameters, sums[group].gradient, sums[group].information)
        own = fit_factors(half)
        # A hundredth of a standard error.
        assert np.abs(step - own.parameters).max() < 0.01 * np.sqrt(np.diag(own.bread)).min()


# --- properties -------------------------------------------------------------------------------------------------------


def test_swapping_all_pairs_changes_nothing() -> None:
    d = world(np.random.default_rng(8), spread(5, 0.4), 30, 6)
    assert d.first is not None
    turned = replace(d, x=-d.x, score=d.weight - d.score, first=-d.first)
    one, two = (split_weights(fit_factors(w), w, "prompt", np.random.default_rng(0), 10) for w in (d, turned))
    assert one.halves == pytest.approx(two.halves, abs=1e-8)


def test_the_position_is_no_factor() -> None:
    """A strong position would correlate with itself in every half."""
    rng = np.random.default_rng(9)
    d = world(rng, np.zeros(6), 100, 5, position=4.0)
    found = split_weights(fit_factors(d), d, "prompt", rng, 30)
    assert found.value < 0.8


# --- planted ----------------------------------------------------------------------------------------------------------


def test_it_recovers_how_two_samples_would_correlate() -> None:
    """Stepped-up halves, and the analytic figure, against the correlation of independent samples' weights."""
    rng = np.random.default_rng(10)
    weights = spread(15, 0.3)
    halves_off, analytic_off = [], []
    for _ in range(8):
        said, noise, fits = [], [], []
        for _ in range(12):
            d = world(rng, weights, 60, 6, vary=0.3, position=None)
            fit = fit_factors(d)
            said.append(split_weights(fit, d, "prompt", rng, 4).value)
            noise.append((1 - analytic_reliability(fit, d, "prompt")) * 15 * fit.weights.var())
            fits.append(fit.weights)
        truth = np.corrcoef(fits)[np.triu_indices(len(fits), 1)].mean()
        assert 0.4 < truth < 0.9
        halves_off.append(np.mean(said) - truth)
        # Noise and spread pooled: a mean of their ratios is low, as the spread of 15 weights varies itself.
        analytic_off.append(1 - np.sum(noise) / (15 * np.var(fits, axis=1)).sum() - truth)
    for off in (halves_off, analytic_off):
        # Four standard errors of the mean of eight batches of worlds.
        assert abs(np.mean(off)) < 4 * np.std(off, ddof=1) / np.sqrt(8)
        assert np.std(off) < 0.1


def test_slopes_of_prompts_make_halves_of_pairs_too_alike() -> None:
    d = world(np.random.default_rng(11), spread(10, 0.1), 40, 50, vary=0.5)
    fit = fit_factors(d)
    prompts, pairs = (split_weights(fit, d, way, np.random.default_rng(0), 30).value for way in ("prompt", "pair"))
    assert pairs > prompts + 0.1


# --- two judges -------------------------------------------------------------------------------------------------------


def test_the_same_taste_in_noise_correlates_at_one_net_of_it() -> None:
    weights = spread(12, 0.25)
    values, raws = [], []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        one = world(rng, weights, 100, 5)
        s = 2.0 * (rng.random(len(one)) < 0.5) - 1
        y = rng.random(len(one)) < 1 / (1 + np.exp(-1.5 * weights @ one.x))
        other = replace(one, score=y.astype(float), first=s)
        found = correct_weights(one, other, ties="half", n_prompts=100)
        raws.append(found.raw)
        values.append(1.0 if found.value is None and "perfect" in str(found.why_not) else found.value)
        assert found.clusters == "prompt"
    assert np.mean(raws) < 0.92
    assert np.mean(np.array(values, dtype=float)) > 0.95


def test_net_of_noise_is_the_formula() -> None:
    """r_c = [cov - mean C] / sqrt((s_R^2 - v_R)(s_J^2 - v_J)) from the joint covariance of both judges."""
    rng = np.random.default_rng(12)
    one = world(rng, spread(8, 0.5), 300, 5, vary=0.4)
    y = rng.random(len(one)) < 1 / (1 + np.exp(-(spread(8, 0.5) + rng.normal(0, 0.3, 8)) @ one.x))
    other = replace(one, score=y.astype(float))
    fits = [fit_factors(d) for d in (one, other)]
    vcov = weight_covariance(fits, [one, other], Clustering("prompt")).vcov
    centre = np.eye(8) - 1 / 8
    inside = [slice(1, 9), slice(10, 18)]
    r, j = (centre @ fit.weights for fit in fits)
    v_r, v_j, c = (np.trace(centre @ vcov[inside[a], inside[b]] @ centre) for a, b in ((0, 0), (1, 1), (0, 1)))
    found = correct_weights(one, other, ties="half", n_prompts=300)
    assert found.raw == pytest.approx(np.corrcoef(fits[0].weights, fits[1].weights)[0, 1])
    assert found.value == pytest.approx((r @ j - c) / np.sqrt((r @ r - v_r) * (j @ j - v_j)), rel=1e-6)
    assert found.reliability[0] == pytest.approx(analytic_reliability(fits[0], one, "prompt"), rel=1e-6)


def test_noise_alone_is_refused() -> None:
    rng = np.random.default_rng(13)
    one = world(rng, np.zeros(8), 60, 5)
    other = replace(one, score=rng.integers(0, 2, len(one)).astype(float))
    found = correct_weights(one, other, ties="half", n_prompts=20)
    assert found.value is None
    assert "differences between the" in str(found.why_not)
    assert "weights" in str(found.why_not)
    assert "these prompts only" in str(found.warning)
    assert found.clusters == "pair"


def test_strengths_are_corrected_by_the_same_function() -> None:
    """Nothing to correct where clusters move nothing: the value is the correlation itself."""
    r, j = np.array([1.0, 0.0, -1.0]), np.array([1.0, -1.0, 0.0])
    still = [(np.zeros((60, 3)), np.zeros((60, 3)))]
    assert correct_correlation(r, j, still, np.ones(60), "prompt").value == pytest.approx(0.5)


# --- collinear --------------------------------------------------------------------------------------------------------


def test_groups_by_hand() -> None:
    """b = a but for one pair of four: r = (1 + 1 + 1 + 0) / (2 sqrt 3); c is apart, d never differs, e = -a."""
    x = np.array([[1.0, -1, 1, 1], [1, -1, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0], [-1, 1, -1, -1]])
    x[2] = [1.0, 1, 0, 0]
    at = np.arange(4)
    d = Design(tuple("abcde"), x, at, at, np.ones(4), np.full(4, 0.5), np.ones(4, dtype=np.int64))
    found = find_collinear([d])
    r = 3 / (2 * np.sqrt(3))
    assert found.names == ("a", "b", "c", "e")
    (group,) = found.groups
    assert group.factors == ("a", "b", "e")
    assert (group.lowest, group.highest) == pytest.approx((r, 1.0))
    assert found.nearest("a") == ("e", pytest.approx(-1.0))
    assert found.nearest("c") is not None
    assert found.nearest("d") is None
    # Weighing pairs by their judgments: twice the fourth pair lowers what a and b share.
    heavy = replace(d, weight=np.array([1.0, 1, 1, 2]), score=np.array([0.5, 0.5, 0.5, 1]))
    expected = 3 / np.sqrt(5 * 3)
    assert abs(find_collinear([heavy]).correlation[0, 1]) == pytest.approx(expected)
    assert find_collinear([d.without(list("bcde"))]).groups == ()


# --- refusal ----------------------------------------------------------------------------------------------------------


def test_what_cannot_be_split_is_said() -> None:
    rng = np.random.default_rng(14)
    d = world(rng, spread(5, 0.3), 3, 100)
    fit = fit_factors(d)
    with pytest.raises(NotIdentifiedError, match="3 prompts cannot be split"):
        split_weights(fit, d, "prompt", rng)
    two = d.without(["f2", "f3", "f4"])
    with pytest.raises(NotIdentifiedError, match="there are 2: at least 3"):
        split_weights(fit_factors(two), two, "prompt", rng)
    with pytest.raises(NotIdentifiedError, match="only 2"):
        analytic_reliability(fit_factors(two), two, "prompt")
    few = world(rng, np.zeros(5), 11, 1, position=None)
    with pytest.raises(NotIdentifiedError, match=r"11 pairs cannot be split .* at least 12"):
        split_weights(fit_factors(few), few, "pair", rng)


def test_halves_that_tell_nothing_are_said() -> None:
    """Each of three flags differs in two pairs only: hardly any half determines all three."""
    x = np.zeros((3, 60))
    for j in range(3):
        x[j, 2 * j : 2 * j + 2] = 1.0
    y = np.tile([1.0, 0.0], 30)
    at = np.arange(60)
    d = Design(tuple("abc"), x, at, at, np.ones(60), y, np.ones(60, dtype=np.int64), clusters={"pair": at, "prompt": at})
    with pytest.raises(NotIdentifiedError, match="most halves of the 60 pairs determine fewer than 3"):
        split_weights(fit_factors(d), d, "pair", np.random.default_rng(0), 20)


def test_it_reports_how_far_it_is() -> None:
    d = world(np.random.default_rng(15), spread(4, 0.3), 20, 5)
    told: list[float] = []
    split_weights(fit_factors(d), d, "prompt", np.random.default_rng(0), 50, told.append)
    assert len(told) == 50
    assert told[-1] == 1.0
    assert weight_reliability.AT_ONCE < 50
