"""What does a dataset lack for a section to say anything, and what mends it?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ui.sections import Section
from ui.view import View


@dataclass(frozen=True)
class Need:
    """title : behind a closed section's question; mend : what to do, a sentence; there : whether a view has it"""

    title: str
    mend: str
    there: Callable[[View], bool]


NEEDS = {
    "judges": Need(
        "two judges",
        "It holds one judge against another: choose two in the sidebar, or add another judge's verdicts on the same "
        "pairs.",
        lambda seen: seen.reference is not None and bool(seen.others),
    ),
    "models": Need(
        "models", "It is about models: import the file again with the columns `model_a` and `model_b`.",
        lambda seen: seen.names is not None and len(seen.names.models) > 1,
    ),
    "scenarios": Need(
        "scenarios",
        "It goes by the kind of task: add a column `scenario`, or let the page Scenarios find kinds of prompts.",
        lambda seen: seen.names is not None and len(seen.names.scenarios) > 1,
    ),
    "criteria": Need(
        "several criteria",
        "It takes verdicts on several questions about the same pairs: a file with the column `criterion`.",
        lambda seen: seen.names is not None and len(seen.names.criteria) > 1,
    ),
    "scores": Need(
        "scores", "It is about judges that give scores: a file with the columns `score_a` and `score_b`.",
        lambda seen: seen.facts is not None and seen.facts.scores,
    ),
}  # fmt: skip


def lacks(section: Section, seen: View) -> list[Need]:
    """What the section needs and the view has not."""
    return [NEEDS[need] for need in section.needs if not NEEDS[need].there(seen)]


def title(section: Section, lacking: list[Need]) -> str:
    """The question, and what it needs where it could say nothing."""
    if not lacking:
        return section.question
    return f"{section.question} Needs {' and '.join(need.title for need in lacking)}"
