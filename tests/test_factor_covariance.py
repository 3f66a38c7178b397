"""Few clusters for many weights: each is deleted in one step, and the errors are those of the definition."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from analysis.design import Design
from analysis.factor_covariance import FEW_A_PARAMETER, weight_covariance
from analysis.factor_fit import fit_factors
from analysis.vcov import Clustering


def design(prompts: int, rows: int, k: int = 8, seed: int = 0, *, ties: bool = False) -> Design:
    """Judgments with a position, each on a pair of its own."""
    rng = np.random.default_rng(seed)
    prompt = np.repeat(np.arange(prompts), rows)
    n = len(prompt)
    x = rng.standard_normal((k, n))
    first = rng.choice([-1.0, 1.0], n)
    eta = 0.3 * x.sum(axis=0) / np.sqrt(k) + 0.5 * rng.standard_normal(prompts)[prompt] * x[0] + 0.2 * first
    latent = eta + rng.logistic(size=n)
    score = np.where(np.abs(latent) < 0.4 * ties, 0.5, (latent > 0).astype(float))
    tied = (score == 0.5).astype(float) if ties else None
    at, ones = np.arange(n), np.ones(n)
    names = tuple(f"f{j}" for j in range(k))
    return Design(names, x, at, at, ones, score, ones.astype(int), first, tied, {"prompt": prompt, "pair": at})


def matrix(d: Design) -> np.ndarray:
    assert d.first is not None
    return np.vstack([d.first, d.x]).T


def test_a_cluster_is_deleted_in_one_newton_step() -> None:
    d = design(60, 12)
    fit = fit_factors(d)
    found = weight_covariance([fit], [d], Clustering("prompt"))
    x = matrix(d)
    p = expit(x @ fit.parameters)
    steps = []
    for cluster in range(60):
        rest = d.clusters["prompt"] != cluster
        information = (x[rest] * (p * (1 - p))[rest, None]).T @ x[rest]
        steps.append(np.linalg.solve(information, x[rest].T @ (d.score - p)[rest]))
    assert found.vcov == pytest.approx(59 / 60 * np.array(steps).T @ np.array(steps), rel=1e-9, abs=1e-14)
    assert not len(found.terms[0].replicates)


@pytest.mark.parametrize("rule", ["half", "rao-kupper"])
def test_one_step_is_near_to_refitting(rule: str) -> None:
    """A step misses by the third derivative, times a prompt's share of a sixtieth."""
    d = design(60, 12, ties=rule != "half")
    fit = fit_factors(d, ties=rule)  # type: ignore[arg-type]
    found = weight_covariance([fit], [d], Clustering("prompt"))
    exact = fit.without_each(d, d.clusters["prompt"], np.arange(60)).parameters - fit.parameters
    assert found.vcov == pytest.approx(59 / 60 * exact.T @ exact, rel=0.05, abs=0.05 * found.se.max() ** 2)
    assert "60 prompts (jackknife in one step, CR3)" in found.method
    assert found.quantiles.df == 59


def test_it_exceeds_the_sandwich_by_what_the_fit_took_from_the_residuals() -> None:
    """With answers that differ much in few prompts by far, with prompts alike by (59 / 60 / (1 - 1 / 60))^2 = 1."""
    alike = design(60, 12)
    spread = np.exp(0.5 * np.random.default_rng(1).standard_normal((8, 60)))
    skewed = replace(alike, x=alike.x * spread[:, alike.clusters["prompt"]])
    for d, low, high in ((alike, 1.0, 1.05), (skewed, 1.05, 1.3)):
        fit = fit_factors(d)
        [term] = weight_covariance([fit], [d], Clustering("prompt")).terms
        x = matrix(d)
        moved = np.zeros((60, 9))
        np.add.at(moved, d.clusters["prompt"], x * (d.score - expit(x @ fit.parameters))[:, None])
        cr1 = 60 / 59 * np.diag(fit.bread @ moved.T @ moved @ fit.bread)
        assert low < np.exp(np.log(np.diag(term.vcov(fit.parameters)) / cr1).mean()) < high


def test_many_clusters_a_parameter_are_the_sandwich() -> None:
    d = design(3 * FEW_A_PARAMETER, 12, k=2)
    enough = weight_covariance([fit_factors(d)], [d], Clustering("prompt"))
    assert not enough.terms[0].one_step
    assert enough.quantiles.df is None
    d = design(3 * FEW_A_PARAMETER, 12, k=3)
    assert weight_covariance([fit_factors(d)], [d], Clustering("prompt")).terms[0].one_step


def test_what_one_cluster_mostly_holds_is_refitted() -> None:
    d = design(60, 12)
    x = d.x.copy()
    x[3] = np.where(d.clusters["prompt"] == 4, x[3], 0.05 * x[3])
    d = replace(d, x=x)
    fit = fit_factors(d)
    [term] = weight_covariance([fit], [d], Clustering("prompt")).terms
    expected = fit_factors(d.take(d.clusters["prompt"] != 4)).parameters
    assert term.replicates == pytest.approx(expected[None, :], abs=1e-6)
    assert term.one_step
    exact = fit.without_each(d, d.clusters["prompt"], np.arange(60)).parameters - fit.parameters
    assert term.vcov(fit.parameters) == pytest.approx(59 / 60 * exact.T @ exact, rel=0.05, abs=1e-4)


def test_two_judges_are_moved_together() -> None:
    """A judge held against itself has a difference of 0 in every replicate, also where prompts are only the other's."""
    d = design(60, 12)
    fit = fit_factors(d)
    joint = weight_covariance([fit, fit], [d, d], Clustering("prompt"))
    assert joint.vcov[:9, 9:] == pytest.approx(joint.vcov[:9, :9], abs=1e-15)
    some = d.take(d.clusters["prompt"] < 55)
    part = fit_factors(some)
    mixed = weight_covariance([fit, part], [d, some], Clustering("prompt"))
    alone = weight_covariance([part], [some], Clustering("prompt"))
    # The five prompts without a judgment of the second judge move it nowhere; they only are clusters more.
    assert mixed.vcov[9:, 9:] == pytest.approx(alone.vcov * (59 / 60) / (54 / 55), rel=1e-9, abs=1e-15)
