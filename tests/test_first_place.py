"""The position term as a bias: order is no bias where it only follows who is better."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from analysis.cells import Cells
from analysis.first_place import first_beyond_strengths
from analysis.vcov import Clustering
from data.imports import import_path
from data.store import Store
from errors import NotIdentifiedError
from studies.audit import Audit

BY_PROMPT = Clustering("prompt")


def drawn(seed: int, delta: float, better_first: float = 0.5, prompts: int = 100, each: int = 8) -> Cells:
    """Verdicts among four models; the better one was shown first with this chance."""
    rng = np.random.default_rng(seed)
    strength, n = np.array([0.9, 0.3, -0.3, -0.9]), prompts * each
    i = rng.integers(0, 4, n)
    j = (i + rng.integers(1, 4, n)) % 4
    first = np.where((rng.random(n) < better_first) == (i < j), 1, -1)
    prompt = np.repeat(np.arange(prompts), each)
    won = rng.random(n) < expit(strength[i] - strength[j] + delta * first)
    return Cells(("p", "q", "r", "s"), i, j, np.ones(n), won.astype(float), np.ones(n, dtype=np.int64),
                 first, {"prompt": prompt, "pair": np.arange(n)})  # fmt: skip


def test_two_models_by_hand() -> None:
    # x is first 4 times and wins 3; y is first 4 times and wins 2: log-odds s + d = ln 3 and -s + d = 0.
    i, first = np.zeros(8, dtype=np.int64), np.repeat([1, -1], 4)
    score = np.array([1.0, 1, 1, 0, 1, 1, 0, 0])
    cells = Cells(("x", "y"), i, i + 1, np.ones(8), score, np.ones(8, dtype=np.int64), first, {"pair": np.arange(8)})
    found = first_beyond_strengths(cells, Clustering("pair"), 0.95)
    assert found.rate == 5 / 8
    # Without delta, at s = d = ln 3 / 2, first wins in sigmoid(s) and sigmoid(-s): half.
    assert found.null == pytest.approx(0.5, abs=1e-9)
    assert found.excess == pytest.approx(1 / 8, abs=1e-9)
    assert (found.n, found.clusters, found.chance) == (8, 8, 0.5)


def test_interval_is_that_of_a_bootstrap_over_prompts() -> None:
    cells = drawn(1, 0.4, better_first=0.7)
    found = first_beyond_strengths(cells, BY_PROMPT, 0.95)
    rng, values = np.random.default_rng(2), []
    for _ in range(200):
        rows = (8 * rng.integers(0, 100, 100)[:, None] + np.arange(8)).ravel()
        part = Cells(cells.models, cells.i[rows], cells.j[rows], cells.weight[rows], cells.score[rows],
                     cells.count[rows], cells.first[rows],  # type: ignore[index]
                     {"prompt": np.repeat(np.arange(100), 8)})  # fmt: skip
        values.append(first_beyond_strengths(part, BY_PROMPT, 0.95).excess)
    # 200 draws tell a standard error to 5 %.
    assert (found.excess_upper - found.excess_lower) / 3.92 == pytest.approx(np.std(values), rel=0.15)


def test_a_judge_that_saw_the_better_model_first_has_no_bias() -> None:
    found = [first_beyond_strengths(drawn(seed, 0.0, better_first=0.8), BY_PROMPT, 0.95) for seed in range(100)]
    assert np.mean([one.rate for one in found]) > 0.6
    # Of 100 fair runs at most 12 are at p < .05 in 99.9 % of all cases.
    assert sum(one.p < 0.05 for one in found) <= 12


@pytest.mark.parametrize("prompts", [100, 13])
def test_a_planted_size_is_found(prompts: int) -> None:
    many = drawn(99, 0.4, better_first=0.7, prompts=50_000)
    exact = first_beyond_strengths(many, Clustering("none"), 0.95).excess
    held = []
    for seed in range(100):
        found = first_beyond_strengths(drawn(seed, 0.4, better_first=0.7, prompts=prompts), BY_PROMPT, 0.95)
        held.append(found.excess_lower <= exact <= found.excess_upper)
    # 95 % of 100 runs, within three standard errors.
    assert np.mean(held) >= 0.88


def test_swapping_a_and_b_changes_nothing() -> None:
    cells = drawn(3, 0.3)
    turned = Cells(cells.models, cells.j, cells.i, cells.weight, cells.weight - cells.score, cells.count,
                   -cells.first, cells.clusters)  # type: ignore[operator]  # fmt: skip
    one, two = (first_beyond_strengths(part, BY_PROMPT, 0.95) for part in (cells, turned))
    assert one.excess == pytest.approx(two.excess, abs=1e-10)
    assert one.p == pytest.approx(two.p, rel=1e-6)


def test_models_that_never_change_places_are_refused() -> None:
    cells = drawn(4, 0.3, better_first=1.0)
    with pytest.raises(NotIdentifiedError, match="shown order can explain"):
        first_beyond_strengths(cells.among(["p", "q"]), BY_PROMPT, 0.95)


def test_the_audit_takes_the_strengths_of_the_models_into_account(tmp_path: Path) -> None:
    cells = drawn(5, 0.0, better_first=0.8)
    assert cells.first is not None
    pd.DataFrame(
        {
            "prompt": [f"p{k}" for k in cells.clusters["prompt"]], "pair_id": np.arange(len(cells.i)),
            "response_a": [f"a{k}" for k in range(len(cells.i))], "response_b": [f"b{k}" for k in range(len(cells.i))],
            "model_a": [cells.models[k] for k in cells.i], "model_b": [cells.models[k] for k in cells.j],
            "judge": "j", "judge_kind": "llm", "winner": np.where(cells.score == 1, "a", "b"),
            "swapped": cells.first < 0,
        }
    ).to_csv(tmp_path / "d.csv", index=False)  # fmt: skip
    store = Store(tmp_path / "s.duckdb")
    report = import_path(store, tmp_path / "d.csv", "d")
    assert not report.reasons
    table = Audit(dataset="d").run(store).table("biases")
    [row] = table[table["bias"] == "first_position"].to_dict("records")
    direct = first_beyond_strengths(cells, BY_PROMPT, 0.95)
    # Two runs of a Newton iteration, and sums in another order.
    assert row["rate"] == pytest.approx(direct.rate)
    assert row["rate"] > 0.6
    assert row["excess"] == pytest.approx(direct.excess, abs=1e-8)
    assert row["p"] == pytest.approx(direct.p, rel=1e-5)
    assert row["n"] == 800
    assert not row["flagged"]
