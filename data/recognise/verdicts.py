"""Which columns hold verdicts: the one winner of each row, or one column for each judge?"""

from __future__ import annotations

from data.recognise.columns import NOT_VERDICTS, Columns
from data.recognise.judge_names import Judge, judge_of
from data.recognise.names import words_of
from data.recognise.reading import Meaning
from data.recognise.values import NUMBERS, SOFT, TRUTHS, WORDS, verdict_kind
from data.recognise.verdict_words import GUESS, SURE, Preset, Word, explain, plain, presets

_OF_JUDGES = ("judge", "rater", "annotator")


def find_verdicts(table: Columns) -> tuple[Judge, ...]:
    """Take the winner of each row, or the columns of the judges; returns the latter."""
    kinds = {
        column: kind
        for column in table.free()
        if table.said[column].concept not in NOT_VERDICTS
        and (kind := verdict_kind(table.samples[column], table.models())) is not None
    }
    if "winner" in table.by_field or "p_a" in table.by_field:
        _leave(table, kinds, "verdicts of whom, beside the winner of the row?")
        return ()
    winners = [c for c in kinds if table.said[c].concept in ("winner", "chosen")]
    named = [c for c in winners if table.said[c].side in (None, "chosen")]
    exact = [c for c in named if table.said[c].exact]
    judges = [c for c in kinds if c not in exact and _of_one_judge(table, c, kinds[c])]
    others = [c for c in table.columns if c not in kinds]
    has_judge = "judge" in table.by_field or any(table.said[c].concept == "judge" for c in others)
    if len(judges) >= 2 and not has_judge:
        found = tuple(_judge(table, c, kinds) for c in judges)
        _leave(table, {c: k for c, k in kinds.items() if c not in judges}, "a judge's verdicts too?")
        return found
    # Beside a column that names the judges others may be the verdicts on several criteria.
    likely = [*exact, *named] if has_judge else [*exact, *judges, *named]
    winner = next((c for kind in (WORDS, NUMBERS, SOFT, TRUTHS) for c in likely if kinds[c] == kind), None)
    if winner is not None:
        _winner(table, winner, kinds[winner])
    _leave(table, {c: k for c, k in kinds.items() if c != winner}, "verdicts?")
    return ()


def _of_one_judge(table: Columns, column: str, kind: str) -> bool:
    """Whether a column's name could be that of a judge, given that its values are verdicts."""
    said = table.said[column]
    if table.about_order(column) or kind == SOFT:
        return False
    if said.concept in _OF_JUDGES and said.side is not None:
        return True
    known = judge_of(column).kind is not None
    if said.concept == "winner":
        return bool(said.rest) or (said.side is not None and said.side.isdigit())
    if kind in (NUMBERS, TRUTHS):
        # A flag is 0 and 1 as well: only a name that speaks of a judge makes it a verdict.
        return known and said.concept in (None, *_OF_JUDGES)
    return said.concept in (None, "model", *_OF_JUDGES) or known


def _judge(table: Columns, column: str, kinds: dict[str, str]) -> Judge:
    said = table.said[column]
    judge = judge_of(column, column)
    named = judge.kind is not None or said.concept in (*_OF_JUDGES, "winner")
    confidence = SURE if kinds[column] == WORDS and named else GUESS
    why = "holds verdicts, and the name is a judge's"
    table.found[column] = Meaning(column, "judge", None, confidence, why, ("winner",))
    return judge


def _winner(table: Columns, column: str, kind: str) -> None:
    said = table.said[column]
    if kind == SOFT:
        table.ask(column, "runs from 0 to 1: how much which response is preferred?", "p_a")
        return
    if kind == TRUTHS and not said.exact:
        table.ask(column, "yes and no: is it the verdict?", "winner")
        return
    confidence = SURE if said.exact and kind == WORDS else GUESS
    table.take("winner", column, confidence, "verdicts, by its name and what stands in it")


def _leave(table: Columns, kinds: dict[str, str], what: str) -> None:
    """Columns that look like verdicts and were not taken: asked about where words stand in them or the name says so."""
    for column, kind in kinds.items():
        said = table.said[column]
        if column in table.found:
            continue
        named = said.concept in ("winner", "chosen", "rejected") or (said.concept in _OF_JUDGES and said.side)
        if kind == WORDS or named:
            table.ask(column, what, "winner", "judge")
        elif said.concept == "response":
            table.ask(column, "names a response: by another criterion?", "winner")
        elif table.about_order(column):
            table.ask(column, "which was shown first, or what is right?", "swapped")
        elif kind == NUMBERS and said.concept is None and set(map(plain, table.values(column))) == {"1", "2"}:
            table.ask(column, "1 and 2, as verdicts are: somebody's?", "judge", "winner")
        elif kind == NUMBERS and said.concept is None and not _anything_else(table):
            table.ask(column, "0 and 1 or a scale, under a name that does not tell", "judge", "winner")


def _anything_else(table: Columns) -> bool:
    """Whether something other than a column of unclear numbers could hold the verdicts."""
    have = set(table.by_field)
    wide = any(m.role == "judge" for m in table.found.values())
    return wide or bool(have & {"winner", "p_a", "count_a", "chosen", "score_a"})


def words_in(table: Columns, judges: tuple[Judge, ...]) -> tuple[tuple[Word, ...], tuple[Preset, ...]]:
    """The words of all columns of verdicts, and what the numbers among them can mean together."""
    columns = [j.column for j in judges if j.column is not None]
    if "winner" in table.by_field:
        columns.append(table.by_field["winner"])
    values = list(dict.fromkeys(v for c in columns for v in table.values(c)))
    models = table.models()
    own = {m.strip().lower() for m in models}
    # Names of models are many, and say by themselves who won.
    return explain([v for v in values if v.strip().lower() not in own], models), presets(values)


def judges_named(table: Columns) -> tuple[Judge, ...]:
    """The judges that a column names, as far as its values are kept."""
    column = table.by_field.get("judge")
    if column is None or "judge_kind" in table.by_field:
        return ()
    return tuple(judge_of(name) for name in table.values(column))


def judge_from_column(table: Columns) -> str | None:
    """A name for the one judge of a file that names none: what else stands in the name of the column of verdicts."""
    column = table.by_field.get("winner")
    if column is None:
        return None
    said = table.said[column]
    name = "-".join(word for word in words_of(column) if word in said.rest or word == said.side)
    return name if said.rest and judge_of(name).kind is not None else None
