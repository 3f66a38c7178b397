"""What was understood of a foreign table, and which words of the command line say so?"""

from __future__ import annotations

from dataclasses import dataclass

from data.recognise.judge_names import Judge
from data.recognise.verdict_words import Preset, Word

SHAPES: dict[str, str] = {
    "rows": "one row a judgment",
    "wide": "one column a judge",
    "counts": "counted votes",
    "chosen": "a chosen and a rejected text",
    "scores": "two scores a row",
    "ratings": "each response rated by itself",
    "ranked": "several responses ranked",
    "verdicts": "verdicts on pairs that are there",
}
"""Shape -> what it is called."""


@dataclass(frozen=True)
class Meaning:
    """What one column is. field : None where it is no field (not used, or a judge's own column)

    role : `field`, `judge` (its verdicts are those of one judge), `factor` (of NAME_a with NAME_b), `list` (of
        responses with their models and ratings, see paths), `unused`
    others : what else it could be, likely ones first
    paths : of a list, (field, COLUMN[].KEY) of what is taken from each of its elements
    """

    column: str
    role: str
    field: str | None
    confidence: str
    why: str
    others: tuple[str, ...] = ()
    paths: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Question:
    """Something that has to be said before an import. text : the question

    about : `shape`, `field:NAME`, `column:NAME`, `judge` (no column names one), `kind:JUDGE`, `words` (of verdicts),
        `ranking`
    """

    about: str
    text: str


@dataclass(frozen=True)
class Reading:
    """A table as it was understood.

    shape : key of SHAPES; shape_confidence : sure, guess or ask; shapes : the others possible
    columns : one Meaning a column, in the file's order
    judges : of one column a judge, these; of a column that names them, its values; else empty
    judge : name to be given where no column says who judged (a suggestion; None: none), judge_kind : its kind
    words : each word that stands where verdicts stand; presets : answers for all numbers among them at once
    extra : further --set of the reading (decimal=comma, ranking=order, ...)
    questions : what must be answered; notes : what was taken for granted, in sentences
    """

    shape: str
    shape_confidence: str
    shapes: tuple[str, ...]
    columns: tuple[Meaning, ...]
    judges: tuple[Judge, ...]
    judge: str | None
    judge_kind: str | None
    words: tuple[Word, ...]
    presets: tuple[Preset, ...]
    extra: tuple[tuple[str, str], ...]
    questions: tuple[Question, ...]
    notes: tuple[str, ...]

    def meaning(self, column: str) -> Meaning:
        return next(one for one in self.columns if one.column == column)

    def field(self, name: str) -> str | None:
        """The column that is this field, if it is one."""
        return next((one.column for one in self.columns if one.field == name), None)

    def maps(self) -> list[tuple[str, str]]:
        """--map FIELD=COLUMN of everything that is sure or guessed."""
        own = [(one.field, one.column) for one in self.columns if one.role == "field" and one.field is not None]
        return own + [path for one in self.columns for path in one.paths]

    def judge_columns(self) -> list[tuple[str, str | None]]:
        """--judge-column COLUMN=KIND."""
        return [(one.column, one.kind) for one in self.judges if one.column is not None]

    def sets(self) -> list[tuple[str, str]]:
        """--set FIELD=VALUE: the shape where it needs saying, words that the importer does not know, kinds of judge."""
        out = [("shape", self.shape)] if self.shape in ("ratings", "ranked") else []
        out += [(f"winner.{one.word}", one.outcome) for one in self.words if one.outcome is not None and not one.native]
        if self.judge is not None:
            out.append(("judge", self.judge))
            if self.judge_kind is not None:
                out.append(("judge_kind", self.judge_kind))
        if self.field("judge_kind") is None:
            named = [one for one in self.judges if one.column is None]
            out += [(f"judge_kind.{one.name}", one.kind) for one in named if one.kind is not None]
        return [*out, *self.extra]

