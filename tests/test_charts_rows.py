"""Labels that fit, ticks, ranges and cut intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charts import rows
from charts.labels import escape, fit_label, fit_labels, text_width, wrap
from charts.theme import LIGHT


@given(st.text(min_size=1, max_size=300), st.floats(60, 250), st.integers(1, 3))
def test_a_label_fits_its_width_and_lines(name: str, width: float, lines: int) -> None:
    label = fit_label(name, width, 13, lines)
    assert 1 <= len(label.lines) <= lines
    # A single character may be wider than any line.
    assert all(text_width(line, 13) <= width or len(line) == 1 for line in label.lines)
    assert label.full == (" ".join(name.split()) or "(no name)")


def test_a_name_that_fits_is_left_as_it_is() -> None:
    assert fit_label("GPT 4", 200, 13).lines == ("GPT 4",)
    assert fit_label("Open-Assistant Pythia", 100, 13).html == "Open-Assistant<br>Pythia"


def test_a_name_of_ten_thousand_characters_is_shortened() -> None:
    label = fit_label("x" * 9_996 + "-end", 180, 13)
    assert "…" in "".join(label.lines)
    assert label.lines[-1].endswith("-end")
    assert len(label.full) == 10_000


def test_names_equal_after_shortening_are_told_apart() -> None:
    names = ["a" * 40 + str(k) + "b" * 40 for k in range(3)]
    found = [label.lines for label in fit_labels([*names, names[0]], 100, 13, 1)]
    assert len(set(found[:3])) == 3
    assert found[3] == found[0]
    assert found[1][-1].endswith("(2)")


def test_wide_scripts_take_more_room() -> None:
    assert text_width("模型", 10) > 2 * text_width("ab", 10) * 0.8
    assert text_width("é", 10) <= text_width("éx", 10)
    assert text_width("e\u0301", 10) == text_width("e", 10)


def test_markup_in_a_name_is_text() -> None:
    assert escape("<b>x</b>\n& y") == "&lt;b&gt;x&lt;/b&gt; &amp; y"


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(3, 8))
def test_ticks_lie_inside_and_are_few(low: float, width: float, most: int) -> None:
    high = low + width
    values, texts = rows.clean_ticks(low, high, most)
    assert len(values) == len(texts) <= most
    slack = 1e-6 * max(abs(low), abs(high), 1)
    assert all(low - slack <= value <= high + slack for value in values)


def test_ticks_by_hand() -> None:
    assert rows.clean_ticks(-1.2, 1.1) == ([-1.0, -0.5, 0.0, 0.5, 1.0], ["−1", "−.5", "0", ".5", "1"])
    assert rows.clean_ticks(0, 7000)[1] == ["0", "2,000", "4,000", "6,000"]


def test_one_huge_interval_does_not_flatten_the_others() -> None:
    estimates = np.array([-1.0, 0.0, 1.0, 2.0])
    half = np.array([0.3, 0.2, 0.3, 500.0])
    low, high = rows.span(estimates, estimates - half, estimates + half)
    assert low < -1.3
    assert 2.0 < high < 6
    even = rows.span(estimates[:3], (estimates - half)[:3], (estimates + half)[:3])
    assert even[0] < -1.3 < 1.3 < even[1]


def test_a_range_without_any_number_is_still_a_range() -> None:
    nothing = np.full(3, np.nan)
    assert rows.span(nothing, nothing, nothing) == (-1.0, 1.0)
    assert rows.span(nothing[:0], nothing[:0], nothing[:0]) == (-1.0, 1.0)


def test_an_interval_beyond_the_axis_is_cut_and_marked() -> None:
    figure = go.Figure()
    rows.add_intervals(
        figure, np.array([-1.0, -9.0, np.nan]), np.array([1.0, 1.0, 1.0]), np.arange(3), ["#000000"] * 3, (-2, 2), "x"
    )
    lines, cut = figure.data
    assert list(lines.x) == [-1.0, 1.0, None, -2, 1.0, None]
    assert list(cut.x) == [-2]
    assert list(cut.marker.symbol) == ["triangle-left"]


@pytest.mark.parametrize("kind", ["Float64", "object", "float64"])
def test_missing_cells_and_columns_are_nan(kind: str) -> None:
    frame = pd.DataFrame({"x": pd.Series([1.5, None], dtype=kind)})
    assert rows.numbers(frame, "x")[0] == 1.5
    assert np.isnan(rows.numbers(frame, "x")[1])
    assert np.isnan(rows.numbers(frame, "y")).all()


def test_lines_of_a_note_fit() -> None:
    lines = wrap("The 15 models that differ most; 44 more are not shown. " + "x" * 200, 200, 12)
    assert all(text_width(line, 12) <= 200 for line in lines)
    assert "".join(lines).replace(" ", "").startswith("The15models")


def test_nothing_to_draw_is_a_sentence() -> None:
    figure = rows.empty("No model could be ranked.", LIGHT, narrow=True)
    assert figure.layout.annotations[0].text == "No model could be ranked."
    assert figure.layout.meta["alt"] == "No model could be ranked."
