"""Which pages are there, what does each show, and how does one link to another without losing the selection?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from studies import naming
from ui.sections import FACTORS, JUDGES, METHODS, RANKINGS, SCENARIOS
from ui.view import View


@dataclass(frozen=True)
class Screen:
    """One page. studies : commands whose figures and tables it shows; words : address words of its own"""

    path: str
    title: str
    icon: str
    group: str
    studies: tuple[str, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return self.path.removeprefix("pages/").removesuffix(".py")


SCREENS = (
    Screen("pages/overview.py", "Overview", ":material/home:", "", ("compare", "datasets health", "datasets coverage")),
    Screen("pages/rankings.py", "Rankings", ":material/leaderboard:", "Compare",
           ("rank", "compare", *(study for s in RANKINGS for study in s.studies)),
           ("show", "with", "alone", "focus", "all", "truth", "position", "open",
            *(word for s in RANKINGS for word in s.words))),
    Screen("pages/factors.py", "Factors", ":material/tune:", "Compare",
           ("factors gap", "factors fit", "factors table",
            *(study for s in (*FACTORS, *METHODS) for study in s.studies)),
           ("with", "alone", "factor", "interact", "coding", "position", "empty_texts", "margin",
            "fixed_models", "unit", "all", "open", *(word for s in (*FACTORS, *METHODS) for word in s.words))),
    Screen("pages/scenarios.py", "Scenarios", ":material/category:", "Compare",
           ("scenario-matrix", "scenario-agreement", *(study for s in SCENARIOS for study in s.studies)),
           ("with", "show", "kind", "all", "every", "open", "factor", "interact", "coding", "position", "empty_texts",
            "unit",
            *(word for s in SCENARIOS for word in s.words))),
    Screen("pages/judges.py", "Judges", ":material/gavel:", "Compare",
           ("stand-in", "audit", "disagreement", "similarity", "factors matrix",
            *(study for s in JUDGES for study in s.studies)),
           ("with", "all", "margin", "smallest", "audit_show", "audit_all", "audit_of", "parts_all", "basis", "over",
            "measure", "published", "among", "group", "matrix_of", "open",
            *(word for s in JUDGES for word in s.words))),
    Screen("pages/examples.py", "Examples", ":material/menu_book:", "Look closer", ("examples",),
           ("pair", "between", "with_model", "disagree", "disagreeing", "outcome", "by", "order", "counted", "shared",
            "fitted", "lacking", "only", "unlabelled", "all_criteria", "mark")),
    Screen("pages/data.py", "Data", ":material/database:", "Files", ("datasets health",)),
    Screen("pages/report.py", "Report", ":material/article:", "Files", (), ("examples",)),
)  # fmt: skip


EVERYWHERE = ("tour",)
"""Words of no page in particular, which links carry along as they do the selection."""


def screen(title: str) -> Screen:
    return next(s for s in SCREENS if s.title == title)


def pages() -> list[StreamlitPage]:
    """What `st.navigation` takes. The menu is drawn by `menu`, because its own links drop the address.

    Without icons: a page's icon becomes the browser tab's, which Streamlit fetches from another server.
    """
    return [st.Page(s.path, title=s.title, default=k == 0) for k, s in enumerate(SCREENS)]


def menu(view: View) -> None:
    """The pages by group, each link carrying the selection."""
    with st.container(key="menu", gap=None):
        group = ""
        for each in SCREENS:
            if each.group != group:
                group = each.group
                st.caption(group)
            st.page_link(each.path, label=each.title, icon=each.icon, query_params=query(view), width="stretch")


def query(view: View, **words: str | Sequence[str]) -> list[tuple[str, str]]:
    """The selection, and words of one page, as an address."""
    listed = {k: list(v) for k, v in view.address().items()} | {k: v for k, v in view.extra.items() if k in EVERYWHERE}
    for name, value in words.items():
        listed[name.rstrip("_")] = [value] if isinstance(value, str) else list(value)
    # What goes without saying is not said: the page would take it out of its address again, and Back would lead to the
    # longer address, from which it does so once more.
    said = {k: values for k, values in listed.items() if not view.goes_without_saying(k, values)}
    return [(k, v) for k, values in naming.real_words(said, view.display).items() for v in values]


def link(view: View, title: str, label: str, *, icon: str | None = None, **words: str | Sequence[str]) -> None:
    """A link to another page with this selection; `words` are added (`with_` stands for the word `with`)."""
    st.page_link(screen(title).path, label=label, icon=icon, query_params=query(view, **words))
