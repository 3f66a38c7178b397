"""Parts that several answers share: worked out once, asked anew after a commit, bounded in bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import analysis.compare
import studies.compare
from analysis.compare import Comparison, compare_strengths
from analysis.rank_correlation import RankCorrelation, correlate_ranks
from data import queries
from data.imports import import_path
from data.model import Selection
from data.remembered import Kept
from data.store import Store
from studies import kept
from studies.agreement import JudgeAgreement
from studies.compare import Compare
from studies.simulate import add_simulated

ROWS = "prompt,model_a,model_b,judge,winner\n" + "".join(
    f"p{k},{a},{b},{judge},{'ab'[(k + turn * len(a + b) + (a == 'y')) % 3 % 2]}\n"
    for k in range(12)
    for a, b in (("x", "y"), ("y", "z"), ("x", "z"))
    for turn, judge in enumerate(("people", "one", "two"), 1)
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "d.csv").write_text(ROWS)
    store = Store(tmp_path / "s.duckdb")
    import_path(store, tmp_path / "d.csv", "d")
    return store


def test_a_judge_is_held_against_the_reference_once_whoever_stands_beside_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = []

    def compare(*given: Any, **named: Any) -> Comparison:
        held.append(named["names"])
        return compare_strengths(*given, **named)

    monkeypatch.setattr(studies.compare, "compare_strengths", compare)
    both = Compare(dataset="d").run(store)
    one = Compare(dataset="d", judge=("people", "two")).run(store)
    assert held == [("people", "one"), ("people", "two")]
    rows = both.table("models").query("judge == 'two'").reset_index(drop=True)
    assert rows.equals(one.table("models"))
    assert len(Compare(dataset="d", judge=("people", "two"), level=0.5).run(store).table("models")) == 3
    assert len(held) == 2
    Compare(dataset="d", judge=("people", "two"), ties="drop").run(store)
    (tmp_path / "more.csv").write_text(ROWS.replace("p0,", "q0,"))
    import_path(store, tmp_path / "more.csv", "d")
    Compare(dataset="d", judge=("people", "two")).run(store)
    assert len(held) == 4


def test_votes_that_are_kept_cannot_be_changed(store: Store) -> None:
    with store.reading("test") as con:
        names = queries.catalog(con, "d")
        counted = kept.counted_votes(store, con, names, Selection(dataset="d"))
        assert kept.counted_votes(store, con, names, Selection(dataset="d")) is counted
    with pytest.raises(ValueError, match="read-only"):
        counted.a[0] = 7


@pytest.mark.parametrize("some", [
    {"judge": ("two", "people")}, {"scenario": ("s1",)}, {"judge": ("one",), "scenario": ("s2", "s0")},
    {"judge": ("people",), "model": ("x", "y")},
], ids=["judges", "scenario", "both", "models too"])  # fmt: skip
def test_votes_of_some_are_those_of_all_that_are_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, some: dict[str, tuple[str, ...]]
) -> None:
    rows = [f"{row},s{int(row[1:].split(',')[0]) % 3}" for row in ROWS.splitlines()[1:]]
    (tmp_path / "d.csv").write_text("\n".join([ROWS.splitlines()[0] + ",scenario", *rows]) + "\n")
    store = Store(tmp_path / "s.duckdb")
    import_path(store, tmp_path / "d.csv", "d")
    chosen = Selection(dataset="d", criterion="overall", **some)  # type: ignore[arg-type]
    asked = []
    count = kept.votes
    monkeypatch.setattr(kept, "votes", lambda *given: asked.append(given[-1]) or count(*given))  # type: ignore[func-returns-value]

    def columns() -> dict[str, list[Any]]:
        with store.reading("test") as con:
            names = queries.catalog(con, "d")
            return {n: c.tolist() for n, c in kept.counted_votes(store, con, names, chosen).__dict__.items()}

    alone = columns()
    assert len(alone["pair"]) > 0
    monkeypatch.setattr(kept, "_kept", Kept())
    with store.reading("test") as con:
        kept.counted_votes(store, con, queries.catalog(con, "d"), replace(chosen, judge=(), scenario=()))
    assert len(asked) == 2
    assert columns() == alone
    assert len(asked) == 2


def test_who_asks_for_some_votes_again_has_all_counted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    count = kept.votes
    monkeypatch.setattr(kept, "votes", lambda *given: asked.append(given[-1]) or count(*given))  # type: ignore[func-returns-value]
    monkeypatch.setattr(kept, "_kept", Kept())

    def n_asked(*judges: str) -> int:
        with store.reading("test") as con:
            names = queries.catalog(con, "d")
            found = kept.counted_votes(store, con, names, Selection(dataset="d", judge=judges))
        assert len(found) == 36 * len(judges)
        return len(asked)

    assert [n_asked("one"), n_asked("two"), n_asked("people"), n_asked("one", "two")] == [1, 2, 2, 2]
    assert "judge_id" not in asked[1]
    # Of a dataset too large to hold all that was said, each is counted alone.
    monkeypatch.setattr(kept, "_kept", Kept())
    monkeypatch.setattr(queries, "WHOLE", 107)
    assert [n_asked("one"), n_asked("two"), n_asked("people")] == [3, 4, 5]


def test_a_judge_held_against_the_reference_takes_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of 60 models a comparison holds covariances of a third of a megabyte, and a page of scenarios keeps hundreds.
    store = Store(tmp_path / "s.duckdb")
    add_simulated(store, "d", judgments=6_000, models=60, judges=2, factors=0, scenarios=1)
    sizes = {}
    keep = Kept._keep

    def kept_size(self: Kept, key: Any, found: object, size: int) -> None:
        sizes[type(found).__name__] = size
        keep(self, key, found, size)

    monkeypatch.setattr(Kept, "_keep", kept_size)
    Compare(dataset="d").run(store)
    assert 1_000 < sizes["Held"] < 100_000


def test_how_alike_two_orders_are_is_worked_out_once_whichever_is_the_reference(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked = []

    def correlate(*given: Any, **named: Any) -> RankCorrelation:
        worked.append(given[0][0].strength)
        return correlate_ranks(*given, **named)

    monkeypatch.setattr(analysis.compare, "correlate_ranks", correlate)
    figures = []
    for judges in (("people", "one"), ("one", "people"), ("people", "one")):
        found = Compare(dataset="d", judge=judges).run(store)
        figures.append(found.table("judges")[["spearman", "spearman_lower", "spearman_upper", "kendall"]])
    assert len(worked) == 1
    assert figures[0].equals(figures[1])
    # A store of which nothing is remembered says the same of the other order.
    monkeypatch.setattr(kept, "_kept", Kept())
    again = Compare(dataset="d", judge=("one", "people")).run(store)
    assert figures[0].equals(again.table("judges")[list(figures[0].columns)])
    assert (worked[0] == worked[1]).all()


def test_agreement_is_worked_out_once_for_each_judge(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    held = []
    of_one = JudgeAgreement.of_one
    monkeypatch.setattr(
        JudgeAgreement, "of_one", lambda self, data: held.append(self.judge) or of_one(self, data)  # type: ignore[func-returns-value]
    )
    both = JudgeAgreement(dataset="d").run(store)
    one = JudgeAgreement(dataset="d", judge=("people", "two")).run(store)
    assert held == [("people", "one"), ("people", "two")]
    for name in ("judges", "confusion"):
        mine = both.table(name).query("judge == 'two'").reset_index(drop=True)
        assert mine.equals(one.table(name)), name
    JudgeAgreement(dataset="d", judge=("people", "two"), level=0.5).run(store)
    assert len(held) == 3
