"""One palette for pages and charts; judges told apart by more than colour."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go
import pytest

from charts.colour import channels, contrast
from charts.theme import DARK, LIGHT, PRINT, SYMBOLS, Theme, base, marks, theme

CONFIG = tomllib.loads((Path(__file__).parent.parent / ".streamlit" / "config.toml").read_text())
OPTIONS = {
    "primaryColor": "people", "backgroundColor": "background", "secondaryBackgroundColor": "second",
    "textColor": "text", "borderColor": "border", "grayTextColor": "muted",
}  # fmt: skip


@pytest.mark.parametrize("one", [LIGHT, DARK], ids=lambda one: one.name)
def test_pages_and_charts_have_the_same_colours(one: Theme) -> None:
    configured = CONFIG["theme"][one.name]
    for option, name in OPTIONS.items():
        assert configured[option] == getattr(one, name), option
    assert configured["chartCategoricalColors"] == [one.people, *one.judges]


def test_the_server_stays_at_home_and_shows_no_traceback() -> None:
    assert CONFIG["server"]["address"] == "127.0.0.1"
    assert CONFIG["server"]["headless"] is True
    assert CONFIG["browser"]["gatherUsageStats"] is False
    assert CONFIG["client"]["showErrorDetails"] == "none"


def test_every_option_is_one_that_streamlit_knows() -> None:
    from streamlit import config

    known = set(config.get_config_options())
    for section, values in CONFIG.items():
        for key, value in values.items():
            nested = value if isinstance(value, dict) else {}
            assert nested or f"{section}.{key}" in known, f"{section}.{key}"
            for name, inner in nested.items():
                inside = [f"{section}.{key}.{name}.{n}" for n in inner] if isinstance(inner, dict) else []
                for option in inside or [f"{section}.{key}.{name}"]:
                    assert option in known, option


@pytest.mark.parametrize("one", [LIGHT, DARK, PRINT], ids=lambda one: one.name)
def test_text_can_be_read_on_its_ground(one: Theme) -> None:
    # 4.5 : 1 is what WCAG 2 asks of normal text (AA), 3 : 1 of marks.
    for ground in (one.background, one.second, one.band or one.background):
        assert contrast(channels(one.text), channels(ground)) > 4.5
        assert contrast(channels(one.muted), channels(ground)) > 4.5
        for colour in (one.people, *one.judges):
            assert contrast(channels(colour), channels(ground)) > 3


def test_people_are_circles_in_their_colour_wherever_they_stand() -> None:
    for order in (["gpt-4", "crowd"], ["crowd", "gpt-4"]):
        drawn = marks(order, {"crowd"}, LIGHT)
        assert list(drawn) == order
        assert (drawn["crowd"].colour, drawn["crowd"].symbol) == (LIGHT.people, "circle")
        assert (drawn["gpt-4"].colour, drawn["gpt-4"].symbol) == (LIGHT.judges[0], "square")


def test_judges_come_in_the_order_of_the_look_then_as_variants() -> None:
    drawn = marks([f"j{k}" for k in range(17)], (), DARK)
    assert [drawn[f"j{k}"].symbol for k in range(4)] == list(SYMBOLS)
    assert drawn["j4"].symbol == "square-open"
    assert len({(m.colour, m.symbol) for m in list(drawn.values())[:16]}) == 16
    assert len({m.symbol for m in list(drawn.values())[:16]}) == 16
    assert all(mark.glyph for mark in drawn.values())


def test_two_human_judges_are_both_circles_and_told_apart() -> None:
    drawn = marks(["crowd", "experts"], {"crowd", "experts"}, LIGHT)
    assert {m.symbol for m in drawn.values()} == {"circle", "circle-open"}


def test_an_unknown_theme_is_the_light_one() -> None:
    assert theme("dark") is DARK
    assert theme(None) is LIGHT


def test_base_keeps_the_text_alternative_and_a_clear_ground() -> None:
    figure = base(go.Figure(), DARK, 300.4, "what is seen")
    assert figure.layout.meta["alt"] == "what is seen"
    assert figure.layout.height == 300
    assert figure.layout.paper_bgcolor == "rgba(0,0,0,0)"
    assert base(go.Figure(), PRINT, 300).layout.paper_bgcolor == "#FFFFFF"


def test_a_judge_drawn_alone_keeps_the_mark_it_has_among_all() -> None:
    every = ("people", "one", "two", "three")
    ordered = replace(LIGHT, order=every)
    whole = marks(every, ["people"], LIGHT)
    assert whole["two"] != whole["one"]
    for judge in every:
        assert marks([judge], ["people"], ordered) == {judge: whole[judge]}
    # One that the order does not know comes after those that it knows.
    assert marks(["new"], ["people"], ordered) == {"new": marks([*every, "new"], ["people"], LIGHT)["new"]}
