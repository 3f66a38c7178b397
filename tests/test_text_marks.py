"""Is what Examples marks in the answers what the store holds as the factor's value, and does no text come alive?"""

from __future__ import annotations

import csv
import html
import re
from pathlib import Path

import pytest

from charts.theme import DARK, LIGHT, marks
from data.imports import import_path
from data.queries import texts as texts_queries
from data.store import Store
from errors import JurylensError
from studies.examples import Examples
from studies.extract import extract, versions
from studies.marks import COLUMNS, MARKABLE, places
from texts.registry import factors
from ui.pair_card import CUT, Counted, card, marked

AWKWARD = (
    "", "one", "Maybe **it** may rain; I think so (perhaps).\r\n\r\n- a\r\n- b?! [1]", "# h\n\n| a | **b** |\n|---|---|\n| (c) | 1,5 |",
    "<script>maybe</script> & \"perhaps\" 'may be'", "你好！（也许）2020年？", "مرحبا (maybe)؟ 3", "👍🏽 maybe 👩‍👩‍👧!!", "```\nmaybe\n```\n\n    12",
    "I'm sorry, but as an AI I can't help. Thanks!", "see http://a.b?c=1 and [d](e) (Li, 2020)", "> yeah, I'd\n> never", "ÅÄ maybe \x01 İ may ﬁ ß 7",
)  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("marks")
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["prompt", "model_a", "model_b", "response_a", "response_b", "judge", "winner"])
        for k, text in enumerate(AWKWARD):
            out.writerow([f"p{k}", "x", "y", text, AWKWARD[-k - 1] + " end", "people", "a"])
    store = Store(folder / "s.duckdb")
    assert import_path(store, folder / "rows.csv", "d").accepted == len(AWKWARD)
    extract(store, "d")
    return store


def stored(store: Store, name: str) -> dict[str, float]:
    """The factor's value by text."""
    with store.reading() as con:
        ids = texts_queries.current_ids(con, versions())
        return dict(con.execute(
            "SELECT body, value FROM text_value JOIN text USING (text_id) WHERE text_factor_id = $i", {"i": ids[name]}
        ).fetchall())  # fmt: skip


def test_every_counting_factor_can_be_marked() -> None:
    assert set(MARKABLE) == {one.name for one in factors() if one.spans is not None}
    assert {"hedges", "lists", "bold", "questions", "citations"} <= set(MARKABLE)
    assert not {"words", "sentiment", "prompt_overlap"} & set(MARKABLE)


@pytest.mark.parametrize("name", MARKABLE)
def test_as_many_marks_as_the_store_holds(store: Store, name: str) -> None:
    values = stored(store, name)
    result = Examples(mark=name, limit=50).run(store)
    table, found = result.table("examples"), result.table("marks")
    assert tuple(found.columns) == COLUMNS
    assert len(table) == len(AWKWARD)
    for _, pair in table.iterrows():
        for side in ("a", "b"):
            body = pair[f"response_{side}"]
            own = found[(found["pair"] == pair["pair"]) & (found["side"] == side)]
            assert len(own) == pair[f"marked_{side}"] == values[body], body
            drawn = marked(body, list(zip(own["start"], own["end"], strict=True)))
            assert drawn.count("<mark>") == drawn.count("</mark>") == values[body]
            assert re.sub("</?mark>", "", drawn) == marked(body, [])


def test_without_a_factor_nothing_is_marked(store: Store) -> None:
    result = Examples().run(store)
    assert set(result.tables) == {"examples", "judges", "verdicts"}
    assert "marked_a" not in result.table("examples")


def test_exchanging_the_answers_exchanges_the_marks() -> None:
    assert places("maybe (so)", "hedges") == [(0, 5)]
    assert places("maybe (so)", "brackets") == [(6, 10)]


def test_a_factor_that_counts_nothing_is_refused(store: Store) -> None:
    with pytest.raises(JurylensError, match="mark"):
        Examples(mark="sentiment").run(store)
    study, gone = Examples.from_parameters({"mark": ["nonsense"]})
    assert (study.mark, gone) == (None, ["mark=nonsense"])
    assert Examples.from_parameters({"mark": ["hedges"]})[0].mark == "hedges"


def test_answers_without_a_text_have_no_number(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("prompt,model_a,model_b,judge,winner\np,x,y,people,a\n")
    store = Store(tmp_path / "s.duckdb")
    import_path(store, tmp_path / "v.csv", "v")
    result = Examples(mark="hedges").run(store)
    assert result.table()["marked_a"].isna().all()
    assert result.table("marks").empty


def pair(**more: object) -> dict[str, object]:
    return {"pair": 7, "key": None, "prompt_id": None, "prompt": "why?", "scenario": None, "model_a": "heron",
            "model_b": "wren", "response_a": "maybe <b>", "response_b": "no"} | more  # fmt: skip


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_card_shows_places_and_number(theme: object) -> None:
    drawn = card(pair(), [], marks([], [], LIGHT), theme, counted=Counted("Hedges", [(0, 5)], []))  # type: ignore[arg-type]
    assert "<mark>maybe</mark> &lt;b&gt;" in drawn
    assert re.findall(r"Hedges: <b>(\d)</b>", drawn) == ["1", "0"]
    assert "<mark>" not in card(pair(), [], {}, LIGHT)


def test_the_card_of_an_absent_text_has_no_number() -> None:
    drawn = card(pair(response_b=None), [], {}, LIGHT, counted=Counted("Hedges", [(0, 5)], []))
    assert drawn.count("Hedges: <b>") == 1


def test_marked_texts_stay_texts() -> None:
    body = "</mark><script>x()</script>&\"' \x00 maybe"
    drawn = marked(body, [(0, 7), (len(body) - 5, len(body))])
    assert set(re.findall(r"<[^>]*>", drawn)) == {"<mark>", "</mark>"}
    assert html.unescape(re.sub(r"</?mark>", "", drawn)) == body.replace("\x00", "\u2400")


def test_marks_beyond_what_is_shown_are_counted_and_not_drawn() -> None:
    body = "a" * CUT + " maybe"
    drawn = card(pair(response_a=body), [], {}, LIGHT, counted=Counted("Hedges", [(CUT + 1, CUT + 6)], []))
    assert "<mark>" not in drawn
    assert "Hedges: <b>1</b>" in drawn
    assert marked("maybe", [(3, 9)]) == "may<mark>be</mark>"
