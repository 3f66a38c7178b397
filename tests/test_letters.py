"""Verdicts by letter against verdicts by place: worked by hand, planted, delivered in every way, and refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.letters import Letters, letter_shares, option_order
from analysis.vcov import Clustering
from data.imports import import_path
from data.store import Store
from studies.audit import Audit

PAIR = Clustering("pair")


def test_four_verdicts_by_hand() -> None:
    # The first letter stands first twice and wins once and a half, stands last three times and wins once.
    letters = Letters(np.array([1.0, 0.0, -1.0, 1.0, 1.0]), np.array([1.0, -1.0, -1.0, -1.0, -1.0]),
                      np.array([1.0, -1.0, 1.0, 1.0, 1.0]), np.arange(5))  # fmt: skip
    found = letter_shares(letters, PAIR)
    assert [found[name] for name in ("shown_first", "shown_last", "letter", "place")] == pytest.approx(
        [0.75, 1 / 3, (0.75 + 1 / 3) / 2, (0.75 + 2 / 3) / 2]
    )
    assert "it needs 10" in option_order(letters, PAIR, 0.95).why


def said(seed: int, letter: float, place: float, n: int = 800, shuffled: bool = True) -> Letters:
    rng = np.random.default_rng(seed)
    first = rng.choice([-1.0, 1.0], n)
    # A stands first in three of four: raw shares of letters then hold a taste for places.
    called = np.where(rng.random(n) < 0.75, first, -first) if shuffled else first
    quality = np.repeat(rng.normal(0, 0.1, n // 4), 4)
    p = 0.5 + letter * called + place * first + quality * rng.choice([-1.0, 1.0], n)
    return Letters(np.where(rng.random(n) < p, 1.0, -1.0), called, first, np.arange(n) // 4)


def test_a_taste_for_places_is_none_for_letters_and_the_other_way_round() -> None:
    places = [option_order(said(k, 0.0, 0.2), PAIR, 0.95) for k in range(60)]
    # At 5 % three of 60 are expected; nine and more have a chance of .004.
    assert sum(one.p < 0.05 for one in places) <= 8
    assert all((1 + said(k, 0.0, 0.2).judge * said(k, 0.0, 0.2).letter).mean() / 2 > 0.55 for k in range(3))
    letters = [option_order(said(k, 0.1, 0.2), PAIR, 0.95) for k in range(60)]
    assert all(one.p < 0.05 for one in letters[:10])
    covered = sum(one.excess_lower < 0.1 < one.excess_upper for one in letters)
    assert covered >= 51  # at .95, 50 or fewer of 60 have a chance of .0002


def test_exchanging_a_and_b_changes_nothing() -> None:
    one = said(1, 0.1, 0.1)
    turned = Letters(-one.judge, -one.letter, -one.place, one.cluster)
    assert option_order(turned, PAIR, 0.95) == option_order(one, PAIR, 0.95)


def table(names: tuple[str, str] = ("A", "B"), shuffled: bool = True, swapped: bool = True) -> pd.DataFrame:
    """Each of 60 pairs in both orders and, shuffled, with both letters; the judge takes the first letter in all."""
    rows = []
    for k in range(60):
        for order in (False, True):
            for turned in (False, True) if shuffled else (order,):
                row = {"prompt": f"p{k}", "response_a": f"x{k}", "response_b": f"y{k}", "judge": "robot",
                       "winner": "b" if turned else "a", "letter_a": names[turned], "letter_b": names[not turned]}  # fmt: skip
                rows.append(row | ({"swapped": order} if swapped else {}))
    return pd.DataFrame(rows)


def audited(folder: Path, frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    frame.to_csv(folder / "d.csv", index=False)
    store = Store(folder / "s.duckdb")
    import_path(store, folder / "d.csv", "d")
    result = Audit(dataset="d").run(store)
    gone = result.table("cannot_show")
    why = gone.loc[gone["bias"] == "option_order", "why"]
    return result.table("biases").set_index("bias"), result.table("letters"), "".join(why)


@pytest.mark.parametrize("names", [("A", "B"), ("1", "2"), ("a", "B"), ("answer one", "answer two")])
def test_letters_and_numbers_are_read(tmp_path: Path, names: tuple[str, str]) -> None:
    found, letters, why = audited(tmp_path, table(names))
    row = found.loc["option_order"]
    assert (row["rate"], row["n"], bool(row["flagged"]), why) == (1.0, 240, True, "")
    assert letters.iloc[0][["shown_first", "shown_last", "letter", "place"]].tolist() == [1.0, 1.0, 1.0, 0.5]
    # Averaged over letters it prefers no place, and repeats with other letters are no repeats.
    assert found.loc["first_position", "rate"] == 0.0
    assert "repeat_consistency" not in found.index


def test_letters_of_the_answers_are_read_where_all_rows_agree(tmp_path: Path) -> None:
    frame = table(shuffled=False)
    frame["letter_a"], frame["letter_b"] = "A", "B"
    frame["winner"] = "a"
    found, letters, _ = audited(tmp_path, frame)
    assert (found.loc["option_order", "rate"], len(letters)) == (1.0, 1)


def test_letters_that_cannot_be_told_from_places_say_so(tmp_path: Path) -> None:
    for name, frame, reason in (
        ("bound", table(shuffled=False), "each letter always stood in one place"),
        ("unknown", table(swapped=False), "the shown order is not known"),
        ("none", table().drop(columns=["letter_a", "letter_b"]), "not recorded"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        found, letters, why = audited(folder, frame)
        assert "option_order" not in found.index
        assert not len(letters)
        assert reason in why


@pytest.mark.slow
def test_the_bench_of_letters_keeps_its_promises() -> None:
    from benchmarks.coverage_letters import measure

    for row in measure(100, 1).to_dict("records"):
        if row["quantity"] == "flagged":
            # At .07 more than 14 of 100 have a chance of .003.
            assert row["coverage"] <= 0.14, row
        else:
            assert row["coverage"] >= 0.87, row  # at .95, 86 or fewer of 100 have a chance below .001
