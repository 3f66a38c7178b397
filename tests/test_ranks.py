"""Ranks and their intervals, and the table that shows them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import cells_of, random_cells

from analysis.ranks import find_ranks, rank_models
from analysis.vcov import Clustering, choose_clustering
from errors import NotIdentifiedError


def test_ranks_by_hand():
    # Strengths 2, 1, 0 with independent standard errors .1, .6, .6.
    found = find_ranks(np.array([2.0, 1.0, 0.0]), np.diag([0.01, 0.36, 0.36]), 1.96)
    assert found.rank.tolist() == [1, 2, 3]
    # 2 - 1 = 1 < 1.96 * sqrt(.37) = 1.19; 2 - 0 > 1.19; 1 - 0 < 1.96 * sqrt(.72).
    assert found.lower.tolist() == [1, 1, 2]
    assert found.upper.tolist() == [2, 3, 3]


def test_the_best_of_many_models_all_but_equal_is_held_too_seldom():
    """The sentence of docs/rankings.md: 20 models a fiftieth of a standard error apart, 1,000 draws."""
    n, rng = 20, np.random.default_rng(0)
    theta, vcov = -0.02 * np.arange(n), np.eye(n) - 1 / n
    root, true = np.linalg.cholesky(vcov + 1e-9 * np.eye(n)), np.arange(1, n + 1)
    held = np.zeros(n)
    for _ in range(1_000):
        found = find_ranks(theta + root @ rng.standard_normal(n), vcov, 1.959964)
        held += (found.lower <= true) & (true <= found.upper)
    # The standard error of one model's share is about 1 %.
    assert held[0] / 1_000 == pytest.approx(0.84, abs=0.04)
    assert held.mean() / 1_000 == pytest.approx(0.96, abs=0.01)


def test_what_two_strengths_share_cancels():
    theta = np.array([0.3, 0.0])
    shared = np.array([[1.0, 0.999], [0.999, 1.0]])
    assert find_ranks(theta, shared, 1.96).lower.tolist() == [1, 2]
    assert find_ranks(theta, np.eye(2), 1.96).lower.tolist() == [1, 1]


def test_equal_strengths_share_a_rank():
    found = find_ranks(np.array([1.0, 0.0, 1.0 + 1e-13]), np.zeros((3, 3)), 1.96)
    assert found.rank.tolist() == [1, 3, 1]


@given(st.integers(0, 10_000))
def test_intervals_hold_the_rank_and_mirror(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 9))
    theta, root = rng.normal(size=n), rng.normal(size=(n, n))
    up = find_ranks(theta, root @ root.T * 0.1, 1.96)
    down = find_ranks(-theta, root @ root.T * 0.1, 1.96)
    assert (up.lower <= up.rank).all()
    assert (up.rank <= up.upper).all()
    assert (down.lower == n + 1 - up.upper).all()
    # By the definition, one pair of models after the other.
    v = root @ root.T * 0.1
    for m in range(n):
        spread = [1.96 * np.sqrt(max(v[k, k] + v[m, m] - 2 * v[k, m], 0)) for k in range(n)]
        assert up.lower[m] == 1 + sum(theta[k] - theta[m] > spread[k] for k in range(n))
        assert up.upper[m] == n - sum(theta[m] - theta[k] > spread[k] for k in range(n))


def test_the_table_lists_everybody_and_leaves_out_what_is_undefined():
    circle = [("A", "B", 1), ("B", "C", 1), ("C", "A", 1), ("A", "C", 1), ("A", "B", 1), ("B", "C", 1)]
    rows = [*circle, ("Top", "A", 1), ("B", "Low", 1), ("Far", "Away", 1)]
    ranking = rank_models(cells_of(rows * 3, prompt=np.arange(27)), Clustering("prompt"))
    table = ranking.table()
    columns = ["model", "strength", "se", "lower", "upper", "rank", "rank_lower", "rank_upper", "judgments"]
    assert list(table.columns) == columns
    assert table["model"].tolist() == ["Top", "A", "B", "C", "Low", "Away", "Far"]
    assert table["rank"].tolist() == [1, 2, 3, 4, 5, pd.NA, pd.NA]
    assert table["strength"].isna().tolist() == [True, False, False, False, True, True, True]
    assert table["judgments"].tolist() == [3, 12, 12, 12, 3, 3, 3]
    assert (table["rank_lower"][1:4] >= 2).all()
    assert (table["rank_upper"][1:4] <= 4).all()
    assert "4 models cannot be put on the common scale and have no strength: Top (won all 3" in ranking.warnings[-1]


def test_a_higher_level_widens_everything():
    ranking = rank_models(random_cells(np.random.default_rng(0)), Clustering("prompt"))
    usual, wide = ranking.table(), ranking.table(level=0.99)
    assert (wide["upper"] > usual["upper"]).all()
    assert (wide["rank_lower"] <= usual["rank_lower"]).all()
    half = (usual["upper"] - usual["lower"]) / 2 / usual["se"]
    assert half.astype(float).to_numpy() == pytest.approx(np.full(5, 1.959964), rel=1e-5)
    assert usual["strength"].astype(float).mean() == pytest.approx(0, abs=1e-12)
    assert (ranking.n_judgments, ranking.n_clusters, ranking.clustering.name) == (600, 60, "prompt")


def test_warnings_say_what_the_intervals_are():
    cells = random_cells(np.random.default_rng(0), n_prompts=8, first=True)
    ranking = rank_models(cells, choose_clustering("auto", 8))
    assert ranking.clustering.name == "pair"
    assert "these prompts only" in ranking.warnings[0]
    rows = [("A", "B", 1), ("A", "B", 0), ("A", "B", 0), ("A", "B", 1), ("A", "B", 1)]
    unknown = cells_of(rows, first=[1, -1, 1, -1, 0], prompt=range(5))
    ranking = rank_models(unknown, Clustering("prompt"), position=True)
    assert "the shown order of 1 of 5 judgments is unknown" in ranking.warnings[-1]


def test_nothing_to_rank_is_refused():
    with pytest.raises(NotIdentifiedError, match="from 1 judgment"):
        rank_models(cells_of([("A", "B", 1)], prompt=[0]), Clustering("prompt"))


def test_models_that_share_a_cause_are_named_together_and_no_width_is_said():
    rows = [("a", "b", 0.5)] * 4 + [("x", "y", 0.5)]
    ranking = rank_models(cells_of(rows, prompt=[0, 1, 2, 3, 3]), Clustering("prompt"))
    assert any("x and y (never met the ranked models, directly or through others)" in w for w in ranking.warnings)
    assert any("leave nothing unexplained" in w for w in ranking.warnings)
    usual = rank_models(cells_of([("a", "b", y) for y in (1, 0, 1, 1)], prompt=range(4)), Clustering("prompt"))
    assert not any("unexplained" in w for w in usual.warnings)
