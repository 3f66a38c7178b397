"""Does a section that could say nothing say so before it is opened, and what mends it?"""

from dataclasses import replace

import pytest

from data.queries import Catalog, Facts
from studies.study import Fitted
from ui.sections import FACTORS, JUDGES, METHODS, RANKINGS, SCENARIOS, SECTIONS, Section
from ui.sections.lacking import NEEDS, lacks, title
from ui.view import View

ALL = (*RANKINGS, *FACTORS, *METHODS, *SCENARIOS, *JUDGES)
WHOLE = View(
    ("d",), Catalog("d", 1, False, {"people": (1, "human"), "gpt": (2, "llm")}, {"x": 1, "y": 2}, {"s": 1, "t": 2},
                    {"overall": 1, "clear": 2}, {"plain": 1}),
    Facts([], 9, 9, 9, 2, 2, True), Fitted(dataset="d", judge=("people", "gpt")), "people",
)  # fmt: skip


def without(what: str) -> View:
    if what == "judges":
        return replace(WHOLE, study=Fitted(dataset="d", judge=("people",)))
    if what == "scores":
        return replace(WHOLE, facts=Facts([], 9, 9, 9, 2, 2, False))
    return replace(WHOLE, names=replace(WHOLE.names, **{what: {}}))


def test_a_whole_dataset_lacks_nothing():
    assert [section.word for section in ALL if lacks(section, WHOLE)] == []
    assert {need for section in ALL for need in section.needs} == set(NEEDS)


@pytest.mark.parametrize("what", sorted(NEEDS))
def test_what_is_lacking_is_said_in_the_closed_title(what):
    seen = without(what)
    marked = [section for section in ALL if lacks(section, seen)]
    assert marked
    for section in marked:
        assert what in section.needs
        assert title(section, lacks(section, seen)).endswith(f"Needs {NEEDS[what].title}")


def test_several_needs_are_one_sentence():
    section = Section("w", "Why?", (), needs=("models", "scenarios"))
    assert title(section, [NEEDS["models"], NEEDS["scenarios"]]) == "Why? Needs models and scenarios"
    assert title(section, []) == "Why?"


def test_each_page_has_its_sections_once():
    for page, sections in SECTIONS.items():
        words = [section.word for section in sections]
        assert len(words) == len(set(words)), page
