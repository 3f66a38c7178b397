"""From what was found in the columns to one Reading: the shape, the judges, and what is still to be asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from data.rated import is_rated
from data.recognise.columns import Columns
from data.recognise.judge_names import Judge, judge_of
from data.recognise.rated import find_rated, find_rated_rows
from data.recognise.reading import Meaning, Question, Reading
from data.recognise.samples import Sample
from data.recognise.verdict_words import ASK, GUESS, SURE, Word
from data.recognise.verdicts import find_verdicts, judge_from_column, judges_named, words_in

_VERDICTS = ("winner", "p_a", "score_a", "count_a")
_OF_PAIRS = {*_VERDICTS, "chosen", "response_a", "model_a"}
_NUMERIC = ("p_a", "score_a", "score_b", "weight", "confidence", "seconds", "rating")


def assemble(columns: Sequence[str], samples: Mapping[str, Sample]) -> Reading:
    """Read one table; see data/recognise."""
    table = Columns(columns, samples)
    table.parents()
    table.own_names()
    rated = find_rated(table)
    judges: tuple[Judge, ...] = ()
    if rated is None:
        table.pairs()
        table.chosen()
        judges = find_verdicts(table)
        if not judges and not _OF_PAIRS & set(table.by_field):
            rated = find_rated_rows(table)
    table.singles()
    table.texts()
    table.factors()
    table.looked_for()
    for column in table.free():
        table.found[column] = Meaning(column, "unused", None, SURE, "nothing here says what it is; not used")
    shape, confidence, shapes = _shape(table, rated, bool(judges))
    words, presets = words_in(table, judges) if shape in ("rows", "wide", "verdicts") else ((), ())
    judges = judges or judges_named(table)
    judge, kind = _who(table, judges)
    extra = _extra(table)
    return Reading(
        shape=shape,
        shape_confidence=confidence,
        shapes=shapes,
        columns=tuple(table.found[column] for column in columns),
        judges=judges,
        judge=judge,
        judge_kind=kind,
        words=words,
        presets=presets,
        extra=extra,
        questions=tuple(_questions(table, shape, confidence, shapes, judges, judge, words)),
        notes=tuple(table.notes),
    )


def _shape(table: Columns, rated: str | None, wide: bool) -> tuple[str, str, tuple[str, ...]]:
    """The shape, how sure that is, and which others the columns would allow."""
    have = set(table.by_field)
    if rated is not None:
        return rated, GUESS if any(m.confidence != SURE for m in _rated(table)) else SURE, ()
    texts = have & {"response_a", "response_b", "model_a", "model_b", "chosen"}
    possible = []
    if wide:
        possible.append("wide")
    elif have & {"winner", "p_a"}:
        possible.append("rows" if texts else "verdicts")
    if {"count_a", "count_b"} <= have:
        possible.append("counts")
    if {"chosen", "rejected"} <= have:
        possible.append("chosen")
    elif {"score_a", "score_b"} <= have and not possible:
        possible.append("scores")
    if not possible:
        return "rows", ASK, ("rows", "wide", "ratings")
    if len(possible) > 1:
        # Votes beside their majority, a chosen text beside a verdict: two stories of one row.
        return possible[0], ASK, tuple(possible)
    verdicts = [m for m in table.found.values() if m.role == "judge" or m.field in _VERDICTS]
    unsure = any(m.confidence != SURE for m in verdicts)
    return possible[0], GUESS if unsure else SURE, ()


def _rated(table: Columns) -> list[Meaning]:
    return [m for m in table.found.values() if m.role == "list" or (m.field is not None and is_rated(m.field))]


def _who(table: Columns, judges: tuple[Judge, ...]) -> tuple[str | None, str | None]:
    """A name and kind for the judge of a file that names none, as far as something suggests one."""
    if judges or "judge" in table.by_field:
        return None, None
    told = judge_from_column(table)
    if told is not None:
        return told, judge_of(told).kind
    if "annotator" in table.by_field:
        return "human", "human"
    return None, None


def _extra(table: Columns) -> tuple[tuple[str, str], ...]:
    """Further --set: how numbers are written."""
    commas = [f for f in _NUMERIC if f in table.by_field and table.samples.get(table.by_field[f], _NOTHING).commas]
    if not commas:
        return ()
    table.notes.append("numbers are written with a decimal comma: 1,5 is read as 1.5")
    return (("decimal", "comma"),)


_NOTHING = Sample(0, 0, 0)


def _questions(
    table: Columns,
    shape: str,
    confidence: str,
    shapes: tuple[str, ...],
    judges: tuple[Judge, ...],
    judge: str | None,
    words: tuple[Word, ...],
) -> list[Question]:
    """What has to be said, in the order of a page."""
    have = set(table.by_field)
    asked = []
    if confidence == ASK:
        asked.append(Question("shape", "What is a row: " + "; ".join(shapes) + "?"))
    if not have & {"prompt", "prompt_id"} and ("pair_id" not in have or have & {"response_a", "chosen", "response"}):
        asked.append(Question("field:prompt", "Which column holds the prompt?"))
    if shape not in ("ratings", "ranked") and not have & {"response_a", "model_a", "chosen", "pair_id"}:
        asked.append(Question("field:response_a", "Which columns hold the two responses, or their models?"))
    if shape in ("rows", "verdicts") and not have & {"winner", "p_a"}:
        asked.append(Question("field:winner", "Which column holds the verdict?"))
    if shape == "ratings" and not any(f.startswith("rating") for f in have):
        asked.append(Question("field:rating", "Which column holds the rating?"))
    asked += [Question(f"column:{m.column}", m.why) for m in table.found.values() if m.confidence == ASK]
    if not judges and "judge" not in have:
        asked.append(Question("judge", "Who judged?" if judge is None else f"Who judged: {judge}?"))
    unknown = [one.name for one in judges if one.kind is None]
    asked += [Question(f"kind:{name}", f"Is {name!r} a person or a model?") for name in unknown]
    unclear = [word.word for word in words if word.confidence == ASK]
    if unclear:
        asked.append(Question("words", "What do these verdicts mean: " + ", ".join(unclear[:12]) + "?"))
    if "ranking" in have and any(re.match(r"\[?\s*\d+\s*,", v) for v in table.values(table.by_field["ranking"])):
        asked.append(Question("ranking", "Is a list the order (best first), or the rank of each response?"))
    return asked
