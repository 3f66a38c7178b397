"""Is the first place tested by what these data can tell: models, a reference, both orders, or a draw by lot?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from test_audit_repeats import judge_said

from analysis.audit import SAME, Bias
from studies.audit import Audit, changes
from studies.audit_data import JudgeSaid
from studies.audit_missing import missing


def places(one: JudgeSaid) -> tuple[dict[str, Bias], Mapping[str, list[dict[str, object]]]]:
    further: dict[str, list[dict[str, object]]] = {"aside": [], "by_lot": [], "one_vote": []}
    told = Audit(dataset="d")._places("j", one, further)
    return {bias.bias: bias for bias, _ in told}, further


def better_first(seed: int, *, models: bool, gold: bool = True, pairs: int = 150, sure: float = 0.9) -> JudgeSaid:
    """`new` is always a and first, and right in .7; a fair judge."""
    rng = np.random.default_rng(seed)
    right = {k: 1 if rng.random() < 0.7 else -1 for k in range(pairs)}
    rows = [{"pair": k, "word": "a" if (rng.random() < sure) == (truth > 0) else "b"} for k, truth in right.items()]
    one = judge_said([dict(row) for row in rows], right if gold else None)
    if models:
        one = replace(one, sides=one.sides.assign(model_a=1, model_b=2))
    return one


@pytest.mark.parametrize("models", [True, False])
def test_a_fair_judge_that_saw_the_better_first_is_rarely_flagged(models: bool) -> None:
    found = [places(better_first(seed, models=models))[0]["first_position"] for seed in range(100)]
    # At .07 more than 14 of 100 have a chance of .003; against .5 nearly all of them are flagged.
    assert sum(one.p < 0.05 for one in found) <= 14
    assert all(not np.isnan(one.p) for one in found)
    assert np.mean([one.rate for one in found]) == pytest.approx(0.66, abs=0.02)


def test_a_judge_that_prefers_the_first_is_found_beyond_the_reference() -> None:
    rng = np.random.default_rng(1)
    right = {k: 1 if rng.random() < 0.7 else -1 for k in range(300)}
    rows: list[dict[str, object]] = [
        {"pair": k, "word": "a" if rng.random() < (0.95 if truth > 0 else 0.4) else "b"} for k, truth in right.items()
    ]
    found = places(judge_said(rows, right))[0]["first_position"]
    assert found.p < 0.01
    assert found.excess_lower < 0.175 < found.excess_upper


@pytest.mark.parametrize("gold", [True, False])
def test_winners_that_come_first_are_not_tested_and_say_why(gold: bool) -> None:
    rows: list[dict[str, object]] = [{"pair": k, "word": "a"} for k in range(50)]
    one = judge_said(rows, dict.fromkeys(range(50), 1) if gold else None)
    found, further = places(one)
    bias = found["first_position"]
    assert (bias.rate, np.isnan(bias.p), further["by_lot"]) == (1.0, True, [])
    assert ("cannot be told apart" if gold else "neither models that change places nor a reference") in bias.why
    assert bias.why != SAME
    gone = missing(SimpleNamespace(named=False), "j", one, [bias])  # type: ignore[arg-type]
    assert [row["why"] for row in gone if row["bias"] == "first_position"] == [bias.why]


def test_an_order_by_lot_without_anything_else_is_held_against_even() -> None:
    rng = np.random.default_rng(2)
    rows: list[dict[str, object]] = [
        {"pair": k, "shown": shown, "word": "a" if (rng.random() < 0.7) == (shown > 0) else "b"}
        for k, shown in enumerate(rng.choice([-1, 1], 200))
    ]
    found, further = places(judge_said(rows))
    assert (found["first_position"].null, further["by_lot"]) == (0.5, [{"judge": "j"}])
    assert found["first_position"].p < 1e-4
    assert not changes(np.array([1.0] * 95 + [-1.0] * 5))


def test_one_pair_in_both_orders_leaves_the_others_their_test() -> None:
    shown = np.random.default_rng(3).choice([-1, 1], 300)
    rows: list[dict[str, object]] = [{"pair": k, "shown": s, "word": "a" if s > 0 else "b"} for k, s in enumerate(shown)]
    rows.append({"pair": 0, "shown": -shown[0], "word": "a" if shown[0] < 0 else "b"})
    found, further = places(judge_said(rows))
    assert (found["position_consistency"].n, found["first_position"].n) == (1, 301)
    assert found["first_position"].p < 1e-20
    assert further["aside"] == []
    # With both orders of twelve pairs these are taken, and the others are named.
    rows += [{"pair": k, "shown": -shown[k], "word": "a" if shown[k] < 0 else "b"} for k in range(1, 12)]
    found, further = places(judge_said(rows))
    assert (found["first_position"].n, found["first_position"].p) == (12, pytest.approx(2 / 2**12))
    assert further["aside"] == [{"judge": "j", "verdicts": 288}]


def test_one_vote_a_pair_is_said() -> None:
    one = replace(better_first(1, models=False), exact=False)
    found, further = places(one)
    assert not np.isnan(found["first_position"].p)
    assert further["one_vote"] == [{"judge": "j", "bias": "first_position"}]
