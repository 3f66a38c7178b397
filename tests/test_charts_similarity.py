"""The matrix of judges with its tree, and the map: order, what is written, what is left out, nothing that overlaps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from canvas import draw

from analysis.similarity import correlate
from analysis.similarity_map import group_judges
from charts.colour import channels, contrast
from charts.similarity import _ink, judge_map, similarity_chart
from charts.theme import DARK, LIGHT, PRINT, Theme, marks

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda one: one.name)
NARROW = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])


def tables(n: int, names: list[str] | None = None, undefined: bool = False) -> tuple[pd.DataFrame, ...]:
    """pairs, placed, tree of n judges, the first of them people; similarities from .2 to .9."""
    rng = np.random.default_rng(n)
    value, _ = correlate(rng.normal(size=(n, 8)) + 1.5 * rng.normal(size=8))
    if undefined:
        value[0, 1] = value[1, 0] = np.nan
    names = names or ["people", *(f"judge {k}" for k in range(1, n))]
    grouped = group_judges(value)
    one, two = np.triu_indices(n, 1)
    pairs = pd.DataFrame(
        {"judge_1": [names[k] for k in one], "judge_2": [names[k] for k in two], "similarity": value[one, two],
         "lower": np.nan, "upper": np.nan, "n": 8}
    )  # fmt: skip
    place: list[float] = [np.nan] * n
    for k, judge in enumerate(grouped.order[: grouped.kept]):
        place[judge] = k + 1
    kinds = ["human", *["llm"] * (n - 1)]
    placed = pd.DataFrame({"judge": names, "kind": kinds, "source": "own", "place": place, "x": grouped.x, "y": grouped.y})
    return pairs, placed, pd.DataFrame([vars(one) for one in grouped.tree])


def heat(figure: go.Figure) -> go.Heatmap:
    [found] = [trace for trace in figure.data if trace.type == "heatmap"]
    return found


def note(figure: go.Figure) -> str:
    return " ".join(str(a.text).replace("<br>", " ") for a in figure.layout.annotations)


@THEMES
@NARROW
def test_each_cell_is_the_pairs_similarity_in_the_order_of_the_tree(theme: Theme, narrow: bool) -> None:
    pairs, placed, tree = tables(5)
    figure = similarity_chart(pairs, placed, tree, theme, narrow=narrow)
    order = placed.sort_values("place")["judge"].tolist()
    assert [text.split("</span> ")[-1] for text in figure.layout.yaxis.ticktext] == order
    known = {frozenset((r.judge_1, r.judge_2)): r.similarity for r in pairs.itertuples()}
    z = np.array(heat(figure).z, dtype=float)
    for i, a in enumerate(order):
        for j, b in enumerate(order):
            assert list(heat(figure).customdata[i][j]) == [a, b]
            assert np.isnan(z[i, j]) if i == j else z[i, j] == known[frozenset((a, b))]
    people = figure.layout.yaxis.ticktext[order.index("people")]
    assert theme.people in people
    assert "●: people" in note(figure)
    # Up to twelve judges cells say their numbers, and the tree stands beside them where there is room.
    assert any(trace.mode == "text" for trace in figure.data if trace.type == "scatter")
    assert any(trace.xaxis == "x2" for trace in figure.data if trace.type == "scatter") is not narrow


def test_the_tree_joins_the_rows_it_belongs_to() -> None:
    pairs, placed, tree = tables(6)
    figure = similarity_chart(pairs, placed, tree, LIGHT)
    [drawn] = [trace for trace in figure.data if trace.type == "scatter" and trace.xaxis == "x2"]
    ys = [y for y in drawn.y if y is not None]
    assert (min(ys), max(ys)) == (0, 5)
    assert max(x for x in drawn.x if x is not None) == pytest.approx(float(tree["at"].max()))


def test_many_judges_have_no_numbers_and_say_the_ends() -> None:
    pairs, placed, tree = tables(30)
    figure = similarity_chart(pairs, placed, tree, LIGHT)
    assert not any(trace.mode == "text" for trace in figure.data if trace.type == "scatter")
    assert figure.layout.height < 30 * 18 + 200
    pairs, placed, tree = tables(66)
    figure = similarity_chart(pairs, placed, tree, LIGHT)
    assert figure.layout.xaxis.ticktext == ()
    assert "Columns stand in the order of the rows" in note(figure)


def test_what_is_undefined_is_a_dot() -> None:
    pairs, placed, tree = tables(5, undefined=True)
    figure = similarity_chart(pairs, placed, tree, LIGHT)
    assert sum(a.text == "·" for a in figure.layout.annotations) == 2
    assert "·: not compared" in note(figure)


def test_negative_ones_have_a_colour_of_their_own() -> None:
    pairs, placed, tree = tables(4)
    pairs.loc[0, "similarity"] = -0.6
    figure = similarity_chart(pairs, placed, tree, LIGHT)
    assert heat(figure).zmin == -heat(figure).zmax
    assert "palest: 0" in note(figure)


@THEMES
def test_numbers_read_on_every_shade(theme: Theme) -> None:
    scale = [[0.0, theme.second], [1.0, theme.people]]
    for value in np.linspace(0.2, 0.9, 30):
        share = (value - 0.2) / 0.7
        ground = (1 - share) * channels(theme.second) + share * channels(theme.people)
        assert contrast(channels(_ink(value, 0.2, 0.9, scale)), ground) >= 4.5


def test_nothing_to_draw_is_said() -> None:
    pairs, placed, tree = tables(2)
    pairs["similarity"] = np.nan
    assert "can be held against one another" in note(similarity_chart(pairs, placed, tree, LIGHT))
    assert "needs three judges" in note(judge_map(placed, None, LIGHT))


def test_the_map_keeps_distances_and_names_people() -> None:
    _, placed, _ = tables(12)
    figure = judge_map(placed, 0.61, LIGHT)
    assert (figure.layout.yaxis.scaleanchor, figure.layout.yaxis.scaleratio) == ("x", 1)
    at = {str(c[0]): (x, y) for t in figure.data for c, x, y in zip(t.customdata, t.x, t.y, strict=True)}
    assert set(at) == set(placed["judge"])
    drawn = np.array([at[j] for j in placed["judge"]])
    wanted = placed[["x", "y"]].to_numpy()
    ratio = np.linalg.norm(drawn[1:] - drawn[0], axis=1) / np.linalg.norm(wanted[1:] - wanted[0], axis=1)
    np.testing.assert_allclose(ratio, ratio[0])
    assert "people" in [a.text for a in figure.layout.annotations]
    assert "61 %" in note(figure)


def test_people_in_a_crowd_are_named_with_a_line() -> None:
    rng = np.random.default_rng(0)
    names = ["people", *(f"a long name of judge {k}" for k in range(29))]
    placed = pd.DataFrame({"judge": names, "kind": ["human", *["llm"] * 29], "source": "own",
                           "x": rng.normal(0, 0.04, 30), "y": rng.normal(0, 0.04, 30)})  # fmt: skip
    placed.loc[29, ["x", "y"]] = 1.0
    placed.loc[0, ["x", "y"]] = 0.0
    figure = judge_map(placed, 0.4, LIGHT)
    assert "people" in [a.text for a in figure.layout.annotations]
    assert any(shape.type == "line" for shape in figure.layout.shapes)
    assert "without room for a name" in note(figure)


def test_a_judge_has_on_the_map_the_mark_of_other_charts_while_marks_last() -> None:
    names = ["people", "owl", "magpie", "wren", "lark", "rook"]
    placed = pd.DataFrame({"judge": names, "kind": ["human", *["llm"] * 5], "source": "own",
                           "x": np.arange(6.0), "y": [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]})  # fmt: skip

    def drawn(rows: pd.DataFrame, theme: Theme = LIGHT) -> dict[str, tuple[str, str]]:
        traces = judge_map(rows, 0.6, theme).data
        return {str(c[0]): (t.marker.symbol, t.marker.color) for t in traces for c in t.customdata}

    wanted = {name: (mark.symbol, mark.colour) for name, mark in marks(names[:5], {"people"}, LIGHT).items()}
    assert drawn(placed[:5]) == wanted
    # A judge that stands among fewer keeps its mark.
    ordered = replace(LIGHT, order=tuple(names[:5]))
    assert drawn(placed[:5].iloc[[0, 2, 4]], ordered) == {name: wanted[name] for name in ("people", "magpie", "lark")}
    assert {mark for name, mark in drawn(placed).items() if name != "people"} == {("square", LIGHT.judges[0])}
    # Hollow means published: a second judge of people, elsewhere an open circle, does not look so.
    both = placed[:4].assign(kind=["human", "human", "llm", "llm"], source=["own", "own", "own", "published"])
    assert drawn(both)["owl"] == drawn(both)["people"]


@pytest.mark.browser
@pytest.mark.parametrize("width", [800, 390])
def test_nothing_overlaps_or_leaves_its_figure(canvas, width: int) -> None:
    long = ["people", "<b>an & unusually long name of a judge</b>", "gpt-4-1106-preview", "مرحبا", "n" * 80]
    hostile = tables(5, long)
    narrow = width == 390
    for pairs, placed, tree in (hostile, tables(2), tables(13), tables(33), tables(66)):
        assert draw(canvas, similarity_chart(pairs, placed, tree, LIGHT, narrow=narrow), width) == []
        assert draw(canvas, judge_map(placed, 0.5, LIGHT, narrow=narrow), width) == []
