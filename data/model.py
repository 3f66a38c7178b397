"""The nouns that cross the gaps: a selection of judgments, a rejected row, a dataset's facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

# Outcome codes of the fact table. `both_bad` counts as a tie in every fit; `none` is no verdict.
NONE, A, B, TIE, BOTH_BAD = 0, 1, 2, 3, 4
OUTCOMES = ("none", "a", "b", "tie", "both_bad")
JUDGE_KINDS = ("human", "llm", "reward_model", "rule")

SAMPLE = "sample"
"""Name of the simulated dataset that the app creates in an empty store."""

# progress(share in [0, 1], what is being done); raises errors.Cancelled to stop the work.
Progress = Callable[[float, str], None]


def silent(share: float, text: str) -> None:
    """A progress that tells nobody."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """The progress of a piece of work that is the part from `start` to `end` of the whole."""
    return lambda share, text: progress(start + (end - start) * min(share, 1.0), text)


@dataclass(frozen=True)
class Rejection:
    """One row (or cell) that was not taken, and why.

    line : 1-based physical line of the file where the record starts; None where a format has no lines
    column, value : the file's own column name and the offending text (shortened for display elsewhere)
    reason : a sentence that says what is wrong and what would be right
    file : name of the file inside a folder import, else None
    """

    line: int | None
    column: str | None
    value: str | None
    reason: str
    file: str | None = None


def option(
    default: Any,
    help: str,
    *,
    label: str | None = None,
    choices: tuple[Any, ...] | None = None,
    advanced: bool = False,
    names: str | None = None,
    cli: tuple[str, ...] = (),
    widget: bool = True,
) -> Any:
    """A dataclass field that is at once a command line option, a page widget and an address key.

    choices : the allowed values; on a tuple-valued field each element must be one of them
    names : what in the store the value names ("dataset", "judge", "model", ...); checked in `resolve`
    advanced : shown behind "More options"
    cli : the option's spelling, where it differs from --field-name
    widget : False for what pages decide themselves
    """
    meta = {
        "help": help,
        "label": label,
        "choices": choices,
        "advanced": advanced,
        "names": names,
        "cli": cli,
        "widget": widget,
    }
    return field(default=default, metadata=meta)


@dataclass(frozen=True)
class Selection:
    """Which judgments are looked at. Empty tuples and None mean "all" until `resolve` fills them."""

    dataset: str | None = option(None, "the dataset; left out: the only one besides the sample", names="dataset")
    judge: tuple[str, ...] = option(
        (), "a judge (repeatable); where judges are compared the first is the reference", label="Judges", names="judge"
    )
    scenario: tuple[str, ...] = option((), "only these scenarios (repeatable)", label="Scenarios", names="scenario")
    labeling: str | None = option(
        None, "which scenarios are meant: a labeling of the prompts; left out: those that came with the judgments",
        label="Scenarios from", names="labeling", advanced=True,
    )  # fmt: skip
    model: tuple[str, ...] = option(
        (), "only these models (repeatable)", label="Models", names="model", advanced=True
    )
    criterion: str | None = option(
        None, "what was asked; default overall, else the only one", names="criterion", advanced=True
    )
    variant: str = option("plain", "circumstances of the judgments", names="variant", advanced=True)
    since: str | None = option(None, "only judgments from this date on (YYYY-MM-DD)", advanced=True)
    until: str | None = option(None, "only judgments up to and including this date (YYYY-MM-DD)", advanced=True)
