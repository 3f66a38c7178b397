"""The matrix of weights: what a cell says, what is left out where there is no room, and texts that keep apart."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly
import plotly.graph_objects as go
import pytest

from analysis.dendrogram import order_matrix
from charts.colour import channels, contrast
from charts.factor_gaps import LOG_ODDS, POINTS
from charts.matrix_layout import LEAST, NUMBERED, lay_out
from charts.rows import WIDTH
from charts.theme import DARK, LIGHT, PRINT, marks
from charts.weight_cells import ALONE, POOLED, PUBLISHED, Figures
from charts.weight_matrix import _colour, _ink, weight_matrix_chart
from scripts.look import complaints

PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda one: one.name)


def made(n: int, m: int, judges: tuple[str, ...] = ("people",), *, long: bool = False, gaps: int = 0):
    """weights and trees of n factors in m scenarios; every third weight is beyond noise."""
    rng = np.random.default_rng(n * 100 + m)
    tail = " with a name of nearly forty letters" if long else ""
    factors, scenarios = [f"f{k}{tail}" for k in range(n)], [f"s{k}{tail}" for k in range(m)]
    layers = rng.normal(0, 0.5, (len(judges), n, m))
    order = order_matrix(layers)
    grid = [(j, f, s) for j in range(len(judges)) for f in range(n) for s in range(m)]
    value = np.array([layers[cell] for cell in grid])
    table = pd.DataFrame({
        "judge": [judges[j] for j, _, _ in grid], "scenario": [scenarios[s] for _, _, s in grid],
        "factor": [factors[f] for _, f, _ in grid], "weight": 2 * value, "lower": 2 * value - 1, "upper": 2 * value + 1,
        "q": 0.5, "pooled": value, "pooled_lower": value - 0.4, "pooled_upper": value + 0.4,
        "pooled_q": np.where(np.arange(len(grid)) % 3 == 0, 0.01, 0.6), "pairs": 1_234, "prompts": 56,
        "row": [order.rows.order.index(f) + 1 for _, f, _ in grid],
        "column": [order.columns.order.index(s) + 1 for _, _, s in grid],
    })  # fmt: skip
    return table.iloc[gaps:].reset_index(drop=True), (order.rows.tree_table(), order.columns.tree_table())


def drawn(
    n: int, m: int, judges: tuple[str, ...] = ("people",), *, narrow: bool = False, theme=LIGHT, long: bool = False,
    figures: Figures = POOLED, unit: str = POINTS, gaps: int = 0,
) -> go.Figure:  # fmt: skip
    table, trees = made(n, m, judges, long=long, gaps=gaps)
    return weight_matrix_chart(table, trees, theme, marks(list(judges), {"people"}, theme), figures=figures, unit=unit,
                               narrow=narrow)  # fmt: skip


def heats(figure: go.Figure) -> list[go.Heatmap]:
    return [trace for trace in figure.data if trace.type == "heatmap"]


def texts(figure: go.Figure) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.type == "scatter" and trace.mode == "text"]


def lines(figure: go.Figure) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.type == "scatter" and trace.mode == "lines"]


def note(figure: go.Figure) -> str:
    return " ".join(html.unescape(str(a.text).replace("<br>", " ")) for a in figure.layout.annotations)


@THEMES
def test_a_cell_says_wins_above_or_below_50_strong_where_beyond_noise(theme) -> None:
    table, _ = made(4, 3)
    figure = drawn(4, 3, theme=theme)
    [heat], [said] = heats(figure), texts(figure)
    by = {(r["factor"], r["scenario"]): r for r in table.to_dict("records")}
    n = 0
    for line, shades in zip(heat.customdata, heat.z, strict=True):
        for (judge, factor, scenario), shade in zip(line, shades, strict=True):
            row, text = by[factor, scenario], said.text[n]
            wins = 100 / (1 + np.exp(-row["pooled"])) - 50
            assert judge == "people"
            assert float(text.replace("<b>", "").replace("</b>", "").replace("−", "-")) == round(wins)
            beyond = row["pooled_q"] < 0.05
            assert text.startswith("<b>") == beyond
            assert np.sign(shade) == np.sign(row["pooled"])
            # The palest beyond noise is stronger than the strongest within.
            assert abs(shade) > 0.3 if beyond else abs(shade) <= 0.3
            n += 1
    # Higher ones first, as the order of the table has it.
    assert list(figure.layout.yaxis.ticktext) == table.sort_values("row")["factor"].drop_duplicates().tolist()
    assert list(figure.layout.xaxis.ticktext) == table.sort_values("column")["scenario"].drop_duplicates().tolist()
    assert "4 of 12 are beyond noise" in figure.layout.meta["alt"]
    assert "Strong and bold: beyond noise (q < .05)" in note(figure)


@THEMES
def test_ink_can_be_read(theme) -> None:
    for shade in np.round(np.linspace(-1, 1, 41), 2):
        beyond = abs(shade) > 0.3
        assert contrast(channels(_ink(float(shade), bool(beyond), theme)), _colour(float(shade), theme)) >= 4.5


def test_log_odds_have_a_decimal_and_scenarios_alone_their_own_noise() -> None:
    table, _ = made(3, 3)
    figure = drawn(3, 3, unit=LOG_ODDS, figures=ALONE)
    factor, scenario = heats(figure)[0].customdata[0][0][1:]
    weight = table.set_index(["factor", "scenario"]).loc[(factor, scenario), "weight"]
    assert float(texts(figure)[0].text[0].replace("−", "-")) == round(weight, 1)
    # By their own q none is beyond noise.
    assert "none of these is beyond noise" in note(figure)
    assert "log-odds" in note(figure)
    assert "Each scenario alone" in note(figure)


def test_published_weights_have_no_noise_and_no_interval() -> None:
    figure = drawn(4, 3, figures=PUBLISHED)
    assert "beyond noise" not in note(figure) + figure.layout.meta["alt"]
    assert not any("<b>" in text for text in texts(figure)[0].text)
    hover = heats(figure)[0].hovertext[0][0]
    assert "[" not in hover
    assert "pairs" not in hover
    # With intervals the hover has both figures.
    known = heats(drawn(4, 3))[0].hovertext[0][0]
    assert "alone" in known
    assert "1,234 pairs, 56 prompts" in known


def test_what_is_not_known_is_a_dot_on_the_ground() -> None:
    figure = drawn(3, 3, gaps=2)
    [heat], [said] = heats(figure), texts(figure)
    flat = np.array(heat.z, dtype=float).ravel()
    empty = [k for k, text in enumerate(said.text) if text == "·"]
    assert len(empty) == 2
    assert all(flat[k] == 0 for k in empty)
    assert sum("not known" in text for line in heat.hovertext for text in line) == 2
    assert "·: not known" in note(figure)
    assert "not known" not in note(drawn(3, 3))


def test_judges_stand_side_by_side_in_one_order() -> None:
    judges = ("people", "gpt-4", "<b>third</b>")
    figure = drawn(6, 4, judges)
    found = heats(figure)
    assert [heat.customdata[0][0][0] for heat in found] == list(judges)
    cells = [[[cell[1:] for cell in line] for line in heat.customdata] for heat in found]
    assert cells[0] == cells[1] == cells[2]
    assert len({heat.yaxis for heat in found}) == 1
    assert "&lt;b&gt;third" in " ".join(str(a.text) for a in figure.layout.annotations)
    # One above the other on a phone, each with heads of its own.
    narrow = drawn(6, 8, judges, narrow=True)
    assert len({heat.yaxis for heat in heats(narrow)}) == 3


@pytest.mark.parametrize(
    ("n", "m", "judges", "across", "numbered"),
    [(10, 8, 1, 1, True), (10, 8, 2, 2, True), (29, 16, 1, 1, True), (29, 16, 2, 2, False), (29, 16, 4, 2, False),
     (33, 58, 1, 1, False), (10, 58, 1, 1, True), (1, 1, 4, 4, True)],
)  # fmt: skip
def test_layouts(n: int, m: int, judges: int, across: int, numbered: bool) -> None:
    place = lay_out([f"factor {k}" for k in range(n)], [f"scenario {k}" for k in range(m)],
                    ([1.0] * n, [1.0] * m), judges, LIGHT, narrow=False, trees=(n > 1, m > 1))  # fmt: skip
    assert (place.across, place.numbered) == (across, numbered)
    assert place.lines == -(-judges // across)
    assert place.cell >= (NUMBERED if numbered else LEAST)
    assert (len(place.rows), len(place.columns)) == ((m, n) if place.turned else (n, m))
    assert place.turned == (m > 50)
    # Matrices lie inside the plot and do not meet.
    spans = [place.span(k) for k in range(across)]
    assert spans[-1][1] <= 1 + 1e-9
    assert all(a[1] < b[0] for a, b in pairwise(spans))
    stands = [place.stand(k) for k in range(place.lines)]
    assert all(0 <= low < high <= 1 for low, high in stands)
    assert all(b[1] < a[0] for a, b in pairwise(stands))


def test_a_phone_shows_the_largest_and_says_so() -> None:
    table, trees = made(20, 16)
    large = ["f3", "f17"]
    table.loc[table["factor"].isin(large), "pooled"] = 2.0
    figure = weight_matrix_chart(table, trees, LIGHT, marks(["people"], {"people"}, LIGHT), narrow=True)
    shown = list(figure.layout.yaxis.ticktext)
    assert len(shown) == 15
    assert set(large) <= set(shown)
    m = len(figure.layout.xaxis.ticktext)
    assert f"15 of 20 factors and {m} of 16 scenarios, those with the largest weights; all are in the table" in note(figure)
    # In the clustered order, without a tree that would name what is not there.
    order = table.sort_values("row")["factor"].drop_duplicates().tolist()
    assert shown == [f for f in order if f in shown]
    assert not lines(figure)


def test_trees_end_at_their_cells() -> None:
    table, (rows, columns) = made(5, 4)
    figure = weight_matrix_chart(table, (rows, columns), LIGHT, marks(["people"], {"people"}, LIGHT))
    beside, below = lines(figure)
    assert sorted({y for x, y in zip(beside.x, beside.y, strict=True) if x == 0}) == [0, 1, 2, 3, 4]
    assert sorted({x for x, y in zip(below.x, below.y, strict=True) if y == 0}) == [0, 1, 2, 3]
    # The root is farthest from the cells: on the right, and at the bottom.
    assert figure.layout[f"xaxis{beside.xaxis[1:]}"].range[1] > rows["at"].max()
    assert figure.layout[f"yaxis{below.yaxis[1:]}"].range[0] > columns["at"].max()
    turned = drawn(6, 58)
    assert len(turned.layout.yaxis.ticktext) == 58
    # Scenarios that run down have their tree beside them, and factors below.
    beside, below = lines(turned)
    assert len({y for x, y in zip(beside.x, beside.y, strict=True) if x == 0}) == 58
    assert len({x for x, y in zip(below.x, below.y, strict=True) if y == 0}) == 6


def test_nothing_to_draw_is_said() -> None:
    table, trees = made(2, 2)
    figure = weight_matrix_chart(table.assign(pooled=np.nan), trees, LIGHT, marks(["people"], {"people"}, LIGHT))
    assert "No factor has a weight" in note(figure)
    alone = drawn(1, 1)
    assert len(heats(alone)) == 1
    assert not lines(alone)


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    one = browser.new_page(viewport={"width": 850, "height": 900})
    one.set_content("<body style='margin:0'><div id='c'></div></body>")
    one.add_script_tag(path=PLOTLY)
    yield one
    one.close()


@pytest.mark.browser
@pytest.mark.every(2, "narrow", "long", "n")
@pytest.mark.parametrize("narrow", [False, True])
@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize(("n", "m", "judges"), [(29, 16, 2), (33, 58, 1), (6, 3, 4), (1, 1, 1), (3, 40, 2)])
def test_texts_keep_apart(page, n, m, judges, long, narrow) -> None:
    names = ("people", *(f"judge {k} of forty characters or thereabouts" if long else f"judge {k}" for k in range(3)))
    figure = drawn(n, m, names[:judges], long=long, narrow=narrow)
    page.set_viewport_size({"width": round(WIDTH[narrow]), "height": 900})
    page.evaluate(
        "f => Plotly.newPlot('c', f.data, f.layout, {displayModeBar: false})", json.loads(str(figure.to_json()))
    )
    assert complaints(page) == []
