"""How is a result shown? A chart, its caption, its table for those who cannot or will not read charts, and its menu."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from charts import theme as themes
from charts import words
from data.remembered import Kept
from data.safe_csv import is_text
from exports.drawings import Draw, Drawing, in_order
from studies import glossary
from studies.overview import escape
from studies.study import Result
from ui.behind import Behind, pairs_link, with_links
from ui.take_away import menu
from ui.view import View

TABLE_ROWS = 12
"""Rows of a table that are seen without scrolling."""

ROW_HEIGHT = 34
"""Pixels."""

SHORT, WIDEST = 14, 240
"""Letters of a name for which any column has room, and pixels that a column of names takes at most: on a phone numbers
are still seen beside it."""

# Both drawings are in the page and the width decides which is seen: no script has to ask the browser first, and
# turning a phone needs no second run. A row that does not wrap scrolls and so cuts off the focus ring of the menu at
# its right end: nothing of it is wider than the page.
NARROW = "(max-width: 640px)"
STYLE = f"""<style>
@media {NARROW} {{ [class*="st-key-wide-"] {{ display: none !important; }} }}
@media not all and {NARROW} {{ [class*="st-key-narrow-"] {{ display: none !important; }} }}
.st-key-menu [data-testid="stCaptionContainer"] {{ margin: 1rem 0 -.6rem .4rem; }}
.st-key-menu [data-testid="stPageLink-NavLink"] {{ padding: .3rem .5rem; }}
.st-key-menu [data-testid="stElementContainer"] + [data-testid="stElementContainer"] {{ margin-top: .15rem; }}
[class*="st-key-foot-"] {{ overflow: visible; }}
@media {NARROW} {{ [class*="st-key-foot-"] {{ flex-wrap: wrap; }}
  :is([class*="st-key-foot-"], [class*="st-key-figures-"]) > :first-child {{ flex: 1 1 100%; }} }}
[class*="st-key-foot-"] > [data-testid="stLayoutWrapper"] {{ flex: 0 0 auto; width: fit-content; }}
[data-testid="stPageLink-NavLink"]:focus-visible {{ outline: 2px solid currentColor; outline-offset: -2px; }}
.st-key-preload, :has(> .st-key-preload) {{ display: none; }}
.st-key-finding p, .st-key-verdicts p {{ font-size: 1.07rem; line-height: 1.6; }}
.st-key-tiles > div {{ flex: 1 1 10rem; min-width: 9.5rem; max-width: 20rem; }}
[data-testid="stSidebar"] hr {{ margin: 1rem 0; }}
[data-testid="stCaptionContainer"] {{ color: inherit; opacity: .76; }}
[data-testid="stPageLink-NavLink"] * {{ white-space: normal; }}
[data-testid="stMetricLabel"] * {{ white-space: normal; }}
[data-testid="stCaptionContainer"] code {{ color: inherit; }}
</style>"""

_figures = Kept(most_bytes=64 << 20)
"""Charts as the browser gets them."""

INTERVAL = "interval"
"""Ends the name of a column that is made of two others."""


def setup() -> None:
    """What every page needs before its first chart: the styles, and the browser already fetching what draws charts.

    The browser asks for its megabytes of plotly when the first chart arrives. An unseen one at the start of a session
    lets it do so while the server still computes; the first real chart then shows a second earlier.
    """
    # White on the light blue of the dark theme is hard to read, and Streamlit writes in white on its main colour.
    filled = (f'[data-testid="stMultiSelectTagsContainer"] [data-tag] *, [data-testid^="stBaseButton-primary"] * '
              f"{{ color: {theme().background}; }}")  # fmt: skip
    st.html(STYLE.replace("</style>", filled + "</style>"))
    if "preloaded" not in st.session_state:
        with st.container(key="preload"):
            unseen = go.Figure(go.Scatter(x=[0], y=[0]), layout={"height": 10})
            st.plotly_chart(unseen, key="preload-chart", alt="unseen")
        st.session_state["preloaded"] = True


def theme() -> themes.Theme:
    """The colours of the page as the reader has it; each judge keeps its mark, whichever others are chosen."""
    view: View | None = st.session_state.get("view")
    order = tuple(view.names.judges) if view is not None and view.names is not None else ()
    return replace(themes.theme(st.context.theme.type), order=order)


def figure(
    drawing: Drawing | Draw, result: Result, table: str | None = None, *, key: str, rows: pd.DataFrame | None = None,
    columns: Mapping[str, str] | None = None, folded: bool = True, pairs: Behind | None = None,
    whole: Callable[[], Result | None] | None = None,
    read: pd.DataFrame | Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    more: Callable[[], None] | None = None, point: Behind | None = None,
) -> None:  # fmt: skip
    """The chart with caption, menu and table.

    drawing : one of exports.drawings, or (theme, narrow) -> figure
    table : which of the result's tables stands behind it; the drawing's, else the first if not said
    rows : that table, where only a part of it is shown; columns : what the table is to show, column -> heading
    folded : whether the table waits behind a click; pairs : see `show_table`
    whole : asked once the chart is drawn, where `result` is only the part of the answer that the chart needs
    read : the table as people read it, sorted and with display names, where that is not the one to be taken away; or
        how it is made of that one
    more : see `take_away.menu`; point : see `charts`
    """
    if isinstance(drawing, Drawing):
        table = table or drawing.table
    frame = result.table(table) if rows is None else rows
    charts(drawing, key, point)
    complete = whole() if whole is not None else None
    if complete is not None:
        result, frame = complete, complete.table(table) if rows is None else rows
    seen = in_order(drawing if isinstance(drawing, Drawing) else Drawing(key, drawing, table or ""), theme().order)
    foot(result, frame, table or next(iter(result.tables)), key, more, seen)

    def as_read() -> None:
        seen = frame if read is None else read(frame) if callable(read) else read
        show_table(seen, columns, key=key, pairs=pairs)

    if folded:
        fold(key, as_read, linked=pairs is not None)
    else:
        as_read()


def charts(drawing: Drawing | Draw, key: str, point: Behind | None = None) -> None:
    """The chart alone, in both widths. drawing : see `figure`

    point : from a mark's customdata, by position, to the pairs behind it; a mark that was clicked has a link to them
    """
    now = theme()
    for width, narrow in (("wide", False), ("narrow", True)):
        with st.container(key=f"{width}-{key}"):
            finished = Finished(_drawn(drawing, now, narrow))
            if point is None:
                _chart(finished, f"chart-{width}-{key}")
            else:
                _clickable(finished, f"chart-{width}-{key}", point)


@st.fragment
def fold(key: str, draw: Callable[[], None], *, linked: bool = False, expanded: bool = False) -> None:
    """The table behind a chart, drawn when somebody opens it. A fragment: nothing else of the page is drawn anew.

    linked : whether its rows lead to their pairs; expanded : whether it is open until somebody shuts it
    """
    label = "The same as a table" + (", with the pairs behind each row" if linked else "")
    with st.expander(label, expanded=expanded, key=f"fold-{key}", on_change="rerun") as box:
        if box.open:
            draw()


class Finished(go.Figure):
    """A figure as the browser gets it, not to be changed any more: nothing is checked or copied again.

    content : what `to_dict` of the figure that was drawn said
    """

    def __init__(self, content: dict[str, Any]) -> None:
        # Nothing of a figure but what is below is asked for on the way to the browser.
        self._content = content

    def to_dict(self) -> dict[str, Any]:
        return self._content

    @property
    def alt(self) -> str:
        """The sentence that stands for the picture."""
        return str((self._content["layout"].get("meta") or {}).get("alt", ""))


def _drawn(drawing: Drawing | Draw, theme: themes.Theme, narrow: bool) -> dict[str, Any]:
    """What the browser draws, made once for all who look at the same."""
    if not isinstance(drawing, Drawing):
        return drawing(theme, narrow).to_dict()
    if drawing.key is None:
        return drawing.draw(theme, narrow).to_dict()
    key = (drawing.key, theme, narrow, words.more_decimals())
    # As bytes: Python's collector, which Streamlit starts after each run, would walk through all their lists.
    kept = _figures.get(key, lambda: pickle.dumps(drawing.draw(theme, narrow).to_dict(), protocol=5), len)
    content: dict[str, Any] = pickle.loads(kept)
    return content


def _chart(drawn: Finished, key: str, **more: Any) -> Any:
    return st.plotly_chart(
        drawn, theme=None, key=key, alt=drawn.alt, config={"displayModeBar": False, "responsive": True}, **more,
    )  # fmt: skip


@st.fragment
def _clickable(drawn: Finished, key: str, point: Behind) -> None:
    """A chart of which a mark can be clicked, and below it the link to that mark's pairs.

    A fragment: a click draws this chart and its link anew, and nothing else of the page.
    """
    chosen = _chart(drawn, key, on_select="rerun", selection_mode="points").selection.points
    found = point(dict(enumerate(chosen[0].get("customdata") or ()))) if chosen else None
    if found is not None:
        pairs_link(found, "Read the {pairs} behind this mark")


def foot(
    result: Result, frame: pd.DataFrame, name: str, key: str, more: Callable[[], None] | None = None,
    drawing: Drawing | Draw | None = None,
) -> None:  # fmt: skip
    """The caption in grey and the menu beside it. more, drawing : see `take_away.menu`"""
    with st.container(horizontal=True, wrap=False, key=f"foot-{key}"):
        st.caption(escape(result.caption, 4000), width="stretch")
        menu(result, frame, name, key, more, drawing)


def show_table(frame: pd.DataFrame, columns: Mapping[str, str] | None = None, *, key: str,
               pairs: Behind | None = None) -> None:  # fmt: skip
    """A table as people read it: numbers by charts.words, right-aligned, sorting by value all the same.

    pairs : from a row to the pairs that it counts; a ticked row then has a link that opens them
    """
    from exports.text import for_people

    wanted = {c: c.replace("_", " ") for c in frame.columns} if columns is None else columns
    shown = with_intervals(frame, wanted)
    text = for_people(shown)
    style = shown.style.format({c: _Lookup(shown[c], text[c]) for c in shown.columns})
    widths = {c: _width(shown[c]) for c in shown.columns}
    config = {
        c: st.column_config.TextColumn(wanted.get(c, c), alignment="right", help=explained(c, wanted.get(c, c)))
        if _is_interval(c)
        else st.column_config.Column(wanted.get(c, c), alignment=None if is_text(shown[c]) else "right",
                                     width=widths[c], help=explained(c, wanted.get(c, c)))
        for c in shown.columns
    }  # fmt: skip
    height: int | Literal["content"] = ROW_HEIGHT * (TABLE_ROWS + 1) + 3 if len(shown) > TABLE_ROWS else "content"
    if pairs is None:
        st.dataframe(style, hide_index=True, column_config=config, key=f"table-{key}", height=height, placeholder="",
                     row_height=ROW_HEIGHT)  # fmt: skip
        _headings({c: wanted.get(c, c) for c in shown.columns}, key)
        return
    # A tick belongs to the row that was ticked, not to whatever stands in its place after another choice.
    digest = pd.util.hash_pandas_object(frame, index=False).sum() if len(frame) else 0
    with_links(
        lambda: st.dataframe(
            style, hide_index=True, column_config=config, key=f"table-{key}-{digest:x}", height=height, placeholder="",
            row_height=ROW_HEIGHT, on_select="rerun", selection_mode="single-row",
        ), frame, pairs,
    )  # fmt: skip
    _headings({c: wanted.get(c, c) for c in shown.columns}, key)


@st.fragment
def _headings(columns: Mapping[str, str], key: str) -> None:
    """What the headings mean, for fingers and keyboards: those within the table speak to a mouse alone."""
    told: dict[str, list[str]] = {}
    for column, heading in columns.items():
        if text := explained(column, heading):
            told.setdefault(text, []).append(heading.strip())
    if not told:
        return
    with st.popover("What the columns mean", type="tertiary", icon=":material/help:", key=f"help-{key}",
                    on_change="rerun") as opened:  # fmt: skip
        if not opened.open:
            return
        for text, headings in told.items():
            st.markdown(f"**{escape(', '.join(dict.fromkeys(headings)), 400)}**: {escape(text, 4000)}")


def explained(column: str, heading: str) -> str | None:
    """What stands beside a heading: what the number is, when not to trust it, and its source."""
    found = glossary.entry(column, heading)
    return found.text if found else None


def _width(column: pd.Series) -> int | None:
    """Pixels for a column of names, which would be cut to an even share of the table; None for all others."""
    if not is_text(column):
        return None
    longest = max((len(str(value)) for value in column.dropna()), default=0)
    return min(7 * longest + 24, WIDEST) if longest > SHORT else None


def with_intervals(frame: pd.DataFrame, wanted: Sequence[str] | Mapping[str, str]) -> pd.DataFrame:
    """The wanted columns; `interval` is written from lower and upper, `share_interval` from share_lower and so on."""
    out: dict[str, pd.Series] = {}
    for name in wanted:
        if name in frame:
            out[name] = frame[name]
        elif _is_interval(name):
            ends = (name.removesuffix(INTERVAL) + end for end in ("lower", "upper"))
            lower, upper = (frame[c] for c in ends)
            text = [words.interval(low, high) for low, high in zip(lower, upper, strict=True)]
            out[name] = pd.Series(text, dtype=object, index=frame.index)
    return pd.DataFrame(out).reset_index(drop=True)


class _Lookup:
    """A Styler formatter that writes each value as the table for people has it."""

    def __init__(self, values: pd.Series, texts: pd.Series) -> None:
        self.by_value = dict(zip((_hashable(v) for v in values), texts, strict=True))

    def __call__(self, value: object) -> str:
        return str(self.by_value.get(_hashable(value), ""))


def _hashable(value: object) -> object:
    return None if words.absent(value) else value


def _is_interval(name: str) -> bool:
    return name.endswith(INTERVAL)
