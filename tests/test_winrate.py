"""Plain win rates: by hand, against statsmodels, properties, and where there is no interval."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm

from analysis.vcov import Clustering, choose_clustering
from analysis.winrate import Duels, cluster_ways, logit_interval, method, win_rates

PROMPT, PAIR, NONE = Clustering("prompt"), Clustering("pair"), Clustering("none")


def duels(n_prompts: int = 80, repeats: int = 3, n_models: int = 2, seed: int = 0) -> Duels:
    """Every model answers every prompt `repeats` times; prompts matter, verdicts are hard, tied or in between."""
    rng = np.random.default_rng(seed)
    prompt, model = (np.repeat(part.reshape(-1), repeats) for part in np.indices((n_prompts, n_models)))
    n = len(prompt)
    easy = rng.normal(0, 1, n_prompts)[prompt]
    length = np.round(300 * (rng.normal(0, 1, n) + 0.5 * easy + 0.4 * model))
    p = 1 / (1 + np.exp(0.5 - 0.4 * model - easy - 0.7 * np.tanh(length / 350)))
    y = np.where(rng.random(n) < 0.1, 0.5, (rng.random(n) < p).astype(float))
    weight = rng.choice([0.5, 1.0, 2.0], n)
    clusters = {"prompt": prompt, "pair": np.arange(n), "annotator": rng.permutation(n) % 60}
    names = tuple(f"m{k}" for k in range(n_models))
    return Duels(names, model, weight, weight * y, prompt, np.arange(n), length, None, clusters)


def test_by_hand() -> None:
    """Preferences 1, 1, 0, .5 with weights 1, 1, 1, 2 on four prompts: 3 of 5; each prompt left out in turn."""
    weight, y = np.array([1.0, 1, 1, 2]), np.array([1, 1, 0, 0.5])
    four = np.arange(4)
    found = win_rates(
        Duels(("m",), np.zeros(4, dtype=int), weight, weight * y, four, four, clusters={"prompt": four}), PROMPT
    )
    assert found.rate[0] == pytest.approx(0.6)
    without = np.array([2 / 4, 2 / 4, 3 / 4, 2 / 3])
    covariance = found.covariance[0]
    assert covariance is not None
    assert covariance.se[0] == pytest.approx(np.sqrt(3 / 4 * ((without - 0.6) ** 2).sum()))
    assert covariance.quantiles.df == 3
    row = found.table().iloc[0]
    assert row["win_rate"] == pytest.approx(60)
    assert (row["judgments"], row["prompts"]) == (4, 4)
    assert 0 < row["lower"] < 60 < row["upper"] < 100
    odds = [np.log(row[k] / (100 - row[k])) for k in ("lower", "win_rate", "upper")]
    assert odds[1] - odds[0] == pytest.approx(odds[2] - odds[1])


@pytest.mark.parametrize("way", ["prompt", "annotator", "none"])
def test_errors_are_those_of_a_regression_on_a_constant(way: str) -> None:
    """statsmodels' weighted least squares, for one coefficient with the same factor G / (G - 1); no cluster is
    heavy enough to be deleted."""
    some = duels()
    found = win_rates(some, Clustering(way))  # type: ignore[arg-type]
    for k, rows in enumerate(some.rows):
        y, weight = some.score[rows] / some.weight[rows], some.weight[rows]
        fit = sm.WLS(y, np.ones(len(rows)), weights=weight)
        codes = np.arange(len(rows)) if way == "none" else some.clusters[way][rows]
        robust = fit.fit(cov_type="cluster", cov_kwds={"groups": codes})
        covariance = found.covariance[k]
        assert covariance is not None
        assert found.rate[k] == pytest.approx(robust.params[0], abs=1e-12)
        assert covariance.se[0] == pytest.approx(robust.bse[0], rel=1e-9)


def test_two_ways_of_clustering_are_their_sum_less_the_intersection() -> None:
    some = duels()
    at = {
        name: np.array([c.vcov[0, 0] for c in win_rates(some, Clustering(name)).covariance if c])  # type: ignore[arg-type]
        for name in ("prompt", "annotator", "prompt+annotator")
    }
    ways = cluster_ways(some, Clustering("prompt+annotator"))
    assert [way.sign for way in ways] == [1, 1, -1]
    both = replace(some, clusters={"prompt": ways[2].codes})
    inside = np.array([c.vcov[0, 0] for c in win_rates(both, PROMPT).covariance if c])
    np.testing.assert_allclose(at["prompt+annotator"], at["prompt"] + at["annotator"] - inside, rtol=1e-9)


def test_every_judgment_twice_changes_nothing() -> None:
    some = duels()
    twice = some.take(np.repeat(np.arange(len(some.model)), 2))
    heavier = replace(some, weight=2 * some.weight, score=2 * some.score)
    plain = win_rates(some, PROMPT).table()
    for other in (twice, heavier):
        found = win_rates(other, PROMPT).table()
        columns = ["win_rate", "se", "lower", "upper", "prompts"]
        np.testing.assert_allclose(found[columns].astype(float), plain[columns].astype(float), rtol=1e-12)


def test_losses_are_wins_turned_round() -> None:
    some = duels()
    table = win_rates(some, PROMPT).table().set_index("model")
    turned = win_rates(replace(some, score=some.weight - some.score), PROMPT).table().set_index("model").loc[table.index]
    np.testing.assert_allclose(turned["win_rate"].astype(float), 100 - table["win_rate"].astype(float))
    np.testing.assert_allclose(turned["lower"].astype(float), 100 - table["upper"].astype(float))


def test_a_heavy_prompt_is_deleted_exactly() -> None:
    some = duels()
    heavy = replace(some, weight=np.where(some.prompt == 0, 40.0, 1.0) * some.weight)
    heavy = replace(heavy, score=heavy.weight * (some.score / some.weight))
    covariance = win_rates(heavy, PROMPT).covariance[0]
    assert covariance is not None
    assert covariance.quantiles.df is not None
    assert covariance.quantiles.df < 20


def test_wins_only_and_a_single_prompt_have_no_interval_but_a_rate() -> None:
    two = np.array([0, 0])
    won = Duels(("m",), two, np.ones(2), np.ones(2), np.arange(2), np.arange(2), clusters={"prompt": np.arange(2)})
    lost = replace(won, score=np.zeros(2))
    alone = replace(won, score=np.array([1.0, 0.0]), clusters={"prompt": two})
    tied = replace(won, score=np.array([0.5, 0.5]))
    for some, rate, why in ((won, 100, "won every judgment"), (lost, 0, "lost every"), (alone, 50, "all judgments share one prompt"), (tied, 50, "all judgments are ties")):
        found = win_rates(some, PROMPT)
        assert found.rate[0] * 100 == rate
        assert why in found.reasons["m"]
        assert found.table()[["se", "lower", "upper"]].isna().all(axis=None)
    one = won.take(np.array([0]))
    assert win_rates(replace(one, score=np.array([0.5])), NONE).reasons["m"] == "all judgments share one judgment"


def test_one_loss_among_a_hundred_million() -> None:
    """Weights of 1 and 1e8: the rate stays within 100 and the interval around it."""
    n = 60
    weight = np.where(np.arange(n) == 0, 1.0, 1e8)
    some = Duels(("m",), np.zeros(n, dtype=int), weight, np.where(np.arange(n) == 0, 0.0, weight), np.arange(n),
                 np.arange(n), clusters={"prompt": np.arange(n)})  # fmt: skip
    row = win_rates(some, PROMPT).table().iloc[0]
    assert row["win_rate"] < 100
    assert row["lower"] <= row["win_rate"] <= row["upper"] <= 100


def test_models_without_a_judgment_are_left_out() -> None:
    some = replace(duels(), models=("m0", "m1", "never"))
    assert win_rates(some, PROMPT).models == ("m0", "m1")


def test_logit_intervals_are_undefined_at_the_ends() -> None:
    quantiles = win_rates(duels(), PROMPT).covariance[0].quantiles  # type: ignore[union-attr]
    for rate in (0.0, 1.0):
        assert logit_interval(rate, 0.1, quantiles) == (None, None)
    assert logit_interval(0.5, np.nan, quantiles) == (None, None)
    assert logit_interval(0.5, 1e6, quantiles) == (pytest.approx(0), pytest.approx(100))


def test_what_the_intervals_are_is_said_of_all_models() -> None:
    some = duels()
    some = some.take((some.model == 0) | (some.prompt < 20))
    said = method(win_rates(some, choose_clustering("auto", 80)).covariance)
    assert said == "clustered by prompt, 20 to 80 clusters a model (CR1, normal quantiles, from 50 clusters; jackknife (CR3), t, below)"
    assert method([None]) == ""
