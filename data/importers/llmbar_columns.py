"""Which column of a table plays which role, by its name and by what stands in it?

A role has one name of its own and several others. Where columns of two of its names are there, the one with the role's
own name is taken; of others it must not matter which one is: they hold the same, or a sentence names them and asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from data.importers.gather import Piece
from errors import MappingError

ROLES: dict[str, tuple[str, ...]] = {
    "pair_id": (
        "pair_id", "id", "index", "idx", "item_id", "example_id", "instance_id", "sample_id", "question_id", "uid",
    ),
    "prompt": ("prompt", "input", "instruction", "question", "query", "user_prompt"),
    "response_a": (
        "response_1", "response_a", "output_1", "output_a", "answer_1", "answer_a", "completion_1", "completion_a",
        "text_1", "text_a", "reply_1", "reply_a", "candidate_1", "candidate_a",
    ),
    "response_b": (
        "response_2", "response_b", "output_2", "output_b", "answer_2", "answer_b", "completion_2", "completion_b",
        "text_2", "text_b", "reply_2", "reply_b", "candidate_2", "candidate_b",
    ),
    "label": (
        "expert_label", "label", "gold", "gold_label", "human_label", "expert", "human", "truth", "preferred",
        "better", "winner",
    ),
    "judge": (
        "judge", "evaluator", "judge_name", "judge_model", "evaluator_name", "annotator", "rater", "model",
    ),
    "mode": ("mode", "prompting", "prompting_mode", "strategy", "method", "template"),
    "swapped": (
        "shown_swapped", "swapped", "swap", "is_swapped", "was_swapped", "flipped", "reversed", "shown_order", "order",
        "presentation_order",
    ),
    "winner": (
        "winner", "verdict", "preference", "choice", "vote", "decision", "judgment", "judgement", "prediction",
        "result",
    ),
    "reason": ("reason", "explanation", "rationale", "completion", "raw_output"),
    "scenario": ("scenario", "subset", "category", "domain", "task"),
    "model_a": ("model_1", "model_a", "generator_1", "generator_a", "system_1", "system_a"),
    "model_b": ("model_2", "model_b", "generator_2", "generator_b", "system_2", "system_b"),
}  # fmt: skip
"""Each role's names, its own one first; case, blanks and hyphens do not count, nor an underscore before a digit."""

SIDES = {
    "a": ("1", "a", "first", "left", "one"),
    "b": ("2", "b", "second", "right", "two"),
    "tie": ("tie", "tied", "draw", "equal", "same", "c"),
    "both_bad": ("both bad", "bothbad", "neither"),
    "none": (
        "", "none", "null", "nan", "invalid", "refused", "refusal", "error", "n/a", "unparsable", "unparseable",
        "abstain",
    ),
}  # fmt: skip
"""Words of a verdict, once `response`, `output`, `answer`, `model` or the like before them and brackets are gone."""
NOUN = "(response|output|answer|model|assistant|completion|option|candidate|system|reply|text)"
ORIGINAL = (
    "false", "f", "0", "no", "n", "original", "normal", "forward", "unswapped", "straight", "ab", "12", "a b", "1 2",
    "a first", "swap = false", "swap=false",
)  # fmt: skip
TURNED = (
    "true", "t", "1", "yes", "y", "swapped", "reversed", "reverse", "backward", "flipped", "turned", "ba", "21", "b a",
    "2 1", "b first", "swap = true", "swap=true",
)  # fmt: skip


def _plain(name: str) -> str:
    return re.sub(r"_(?=\d)", "", re.sub(r"[\s_\-]+", "_", name.strip().lower()))


def candidates(columns: Iterable[str], role: str) -> list[str]:
    """Columns that may play a role, in the order of the role's names."""
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(_plain(column), column)
    return [by_name[_plain(name)] for name in ROLES[role] if _plain(name) in by_name]


def is_pairs(columns: Sequence[str]) -> bool:
    """Whether a table has a prompt and two responses a row."""
    return all(candidates(columns, role) for role in ("prompt", "response_a", "response_b"))


def is_verdicts(columns: Sequence[str]) -> bool:
    """Whether a table has a pair's id, a judge and a winner a row."""
    return all(candidates(columns, role) for role in ("pair_id", "judge", "winner"))


@dataclass(frozen=True)
class Found:
    """A table, and the column of each role; None: there is none."""

    piece: Piece
    columns: Mapping[str, str | None]

    def cell(self, role: str) -> str:
        column = self.columns.get(role)
        return "NULL::VARCHAR" if column is None else self.piece.cell(column)

    def also(self, more: Mapping[str, str | None]) -> Found:
        return replace(self, columns={**self.columns, **more})


def _unclear(piece: Piece, role: str, columns: Sequence[str]) -> MappingError:
    return MappingError(
        f"{piece.name}: {' and '.join(columns)} could each be the {role.replace('_', ' ')}, and they differ: give the "
        f"one that is meant the name {ROLES[role][0]}, or leave the others out"
    )


def pick(con: duckdb.DuckDBPyConnection, piece: Piece, role: str, *, needed: bool = True) -> str | None:
    """The column of a role. Raises MappingError where it is missing though needed, or where two could be meant."""
    found = candidates(piece.raw.columns, role)
    if not found:
        if needed:
            raise MappingError(
                f"{piece.name} has no column for the {role.replace('_', ' ')} ({', '.join(ROLES[role][:6])}, ...); "
                "it has " + ", ".join(piece.raw.columns[:20])
            )
        return None
    return _only(con, piece, role, found)


def _only(con: duckdb.DuckDBPyConnection, piece: Piece, role: str, found: Sequence[str]) -> str:
    """The one with the role's own name; else any, when all hold the same."""
    if len(found) == 1 or _plain(found[0]) == _plain(ROLES[role][0]):
        return found[0]
    differ = " OR ".join(f"{piece.cell(found[0])} IS DISTINCT FROM {piece.cell(other)}" for other in found[1:])
    if con.execute(f"SELECT count(*) FROM (SELECT 1 FROM {piece.table} WHERE {differ} LIMIT 1)").fetchall()[0][0]:
        raise _unclear(piece, role, found)
    return found[0]


def pick_side(con: duckdb.DuckDBPyConnection, piece: Piece, role: str, *, needed: bool) -> str | None:
    """The column of a label or a winner: of those with a fitting name, one of which most cells are known words.

    Raises as `pick`.
    """
    found = candidates(piece.raw.columns, role)
    sided = []
    for column in found:
        named = f"{_side(piece.cell(column))} <> 'unread'"
        zero = f"trim({piece.cell(column)}) IN ('0', '0.0')"
        filled = f"trim(coalesce({piece.cell(column)}, '')) <> ''"
        n, of = con.execute(
            f"SELECT count(*) FILTER ({filled} AND ({named} OR {zero})), count(*) FILTER ({filled}) FROM {piece.table}"
        ).fetchall()[0]
        if of and 2 * n > of:
            sided.append(column)
    if sided:
        return _only(con, piece, role, sided)
    if needed or found:
        have = f"{', '.join(found)} names no side" if found else "there is none"
        raise MappingError(
            f"{piece.name} has no column for the {role} ({', '.join(ROLES[role][:5])}, ...) that says 1 or 2, a or b, "
            f"or names a response: {have}. It has " + ", ".join(piece.raw.columns[:20])
        )
    return None


def pick_ids(con: duckdb.DuckDBPyConnection, pairs: Piece, verdicts: Sequence[Piece]) -> dict[str, str | None]:
    """By name of the file the column of its ids: the two that match best, pairs' ids being different from one another.

    Raises MappingError when no column matches, or when several do and differ.
    """
    own = candidates(pairs.raw.columns, "pair_id")
    unique = [c for c in own if _is_unique(con, pairs, c)]
    out: dict[str, str | None] = {pairs.name: None}
    if not verdicts:
        if len(unique) > 1 and _plain(unique[0]) != _plain(ROLES["pair_id"][0]):
            unique = unique[:1]
        out[pairs.name] = unique[0] if unique else None
        return out
    shares: dict[tuple[str, ...], float] = {}
    theirs = [candidates(piece.raw.columns, "pair_id") for piece in verdicts]
    for column in own:
        best: list[str] = []
        total = 0.0
        for piece, names in zip(verdicts, theirs, strict=True):
            matched = [(_matched(con, pairs, column, piece, name), -k, name) for k, name in enumerate(names)]
            share, _, name = max(matched)
            best.append(name)
            total += share / len(verdicts)
        shares[(column, *best)] = total
    full = [names for names, share in shares.items() if share == max(shares.values(), default=0.0) and share > 0]
    if not full:
        other = verdicts[0]
        raise MappingError(
            f"no id of {pairs.name} ({', '.join(own) or 'it has no column of ids'}) stands in {other.name} "
            f"({', '.join(theirs[0])}): give both a column pair_id"
        )
    named = [names for names in full if _plain(names[0]) == _plain(ROLES["pair_id"][0])]
    chosen = named or full
    if len(chosen) > 1:
        columns = [names[0] for names in chosen]
        _only(con, pairs, "pair_id", columns)
    out[pairs.name] = chosen[0][0]
    return out | {piece.name: name for piece, name in zip(verdicts, chosen[0][1:], strict=True)}


def _is_unique(con: duckdb.DuckDBPyConnection, piece: Piece, column: str) -> bool:
    cell = f"trim({piece.cell(column)})"
    n, different = con.execute(f"SELECT count(*), count(DISTINCT {cell}) FROM {piece.table}").fetchall()[0]
    return bool(n == different)


def _matched(con: duckdb.DuckDBPyConnection, pairs: Piece, column: str, piece: Piece, name: str) -> float:
    """Share of the verdicts whose id is one of the pairs'."""
    inside = f"trim({piece.cell(name)}) IN (SELECT trim({pairs.cell(column)}) FROM {pairs.table})"
    n, of = con.execute(f"SELECT count(*) FILTER ({inside}), count(*) FROM {piece.table}").fetchall()[0]
    return float(n / of) if of else 0.0


def judge_names(con: duckdb.DuckDBPyConnection, piece: Piece, key: str, shown: str | None) -> tuple[str, list[str]]:
    """SQL for the judge's name of each row, and the columns that it is made of.

    Where the judge's column names several verdicts on one pair in one order, and a column of prompting modes tells them
    apart, the name is JUDGE/MODE. Raises as `pick`.
    """
    judge, mode = pick(con, piece, "judge"), pick(con, piece, "mode", needed=False)
    assert judge is not None
    name = f"trim({piece.cell(judge)})"
    if mode is None:
        return name, [judge]

    def again(who: str) -> int:
        cells = [who, piece.cell(key), *([piece.cell(shown)] if shown else [])]
        sql = f"SELECT count(*) - count(DISTINCT ({', '.join(cells)})) FROM {piece.table}"
        return int(con.execute(sql).fetchall()[0][0])

    both = f"{name} || '/' || trim(coalesce({piece.cell(mode)}, ''))"
    return (both, [judge, mode]) if again(both) < again(name) else (name, [judge])


# -- cells ----------------------------------------------------------------------------------------------------------


def _word(cell: str) -> str:
    """In lower case, blanks for punctuation, 1.0 as 1."""
    number = f"regexp_replace(lower(trim(coalesce({cell}, ''))), '^([0-9]+)[.]0+$', '\\1')"
    return f"trim(regexp_replace({number}, '[\\s_()\\[\\].:-]+', ' ', 'g'))"


def _side(cell: str) -> str:
    """SQL for the outcome that a cell names, a number being 1 or 2; `unread` where it names none."""
    word = f"trim(regexp_replace({_word(cell)}, '^{NOUN} ?', ''))"
    whens = " ".join(
        f"WHEN {word} IN ({', '.join(repr(w) for w in words)}) THEN '{side}'" for side, words in SIDES.items()
    )
    return f"(CASE {whens} ELSE 'unread' END)"


def outcome(con: duckdb.DuckDBPyConnection, piece: Piece, column: str) -> str:
    """SQL for the outcome that a cell names; `unread` where it names none.

    In a column with 0 and 1, or 0, 1 and 2, these stay as they are: which of them is meant has to be said.
    """
    cell = piece.cell(column)
    bare = f"regexp_replace(trim(coalesce({cell}, '')), '[.]0+$', '')"
    if con.execute(f"SELECT count(*) FROM (SELECT 1 FROM {piece.table} WHERE {bare} = '0' LIMIT 1)").fetchall()[0][0]:
        return f"(CASE WHEN {bare} IN ('0', '1', '2') THEN {bare} ELSE {_side(cell)} END)"
    return _side(cell)


def swapped(con: duckdb.DuckDBPyConnection, piece: Piece, column: str) -> str:
    """SQL for true, false or NULL (an empty cell). Raises MappingError where the column's words say neither."""
    cell = piece.cell(column)
    word = f"trim(regexp_replace(regexp_replace(lower(trim({cell})), '[.]0+$', ''), '[\\s_,/>-]+', ' ', 'g'))"
    words = con.execute(
        f"SELECT DISTINCT {word} FROM {piece.table} WHERE trim(coalesce({cell}, '')) <> '' ORDER BY 1 LIMIT 50"
    ).fetchall()
    found = [w for (w,) in words]
    unknown = [w for w in found if w not in ORIGINAL and w not in TURNED]
    if unknown or {"1", "2"} <= set(found):
        raise MappingError(
            f"{piece.name}: {column} does not say whether the second response was shown first "
            f"({', '.join(found[:6])}): write true or false"
        )
    listed = [", ".join(f"'{w}'" for w in words) for words in (TURNED, ORIGINAL)]
    return f"(CASE WHEN {word} IN ({listed[0]}) THEN 'true' WHEN {word} IN ({listed[1]}) THEN 'false' END)"
