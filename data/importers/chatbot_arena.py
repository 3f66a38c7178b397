"""Chatbot Arena: battles of two models on a user's prompt, with the user's vote.

Reads Parquet, JSON, JSON lines or CSV (a file, or a folder of such files), a record a battle, in one of three layouts:

- conversations: model_a, model_b, winner (model_a, model_b, tie, `tie (bothbad)` or both_bad), and conversation_a with
  conversation_b (lists of {role, content}; content a text, or blocks of text and pictures), or `conversations`, a list
  of the two. Where they are: judge or judge_hash (the voter), turn, anony, language, tstamp or timestamp (seconds or a
  date), question_id or id, category_tag, is_code, evaluation_session_id, evaluation_order.
- texts: id, model_a, model_b, prompt, response_a, response_b (JSON lists of texts, one a turn), and winner_model_a,
  winner_model_b, winner_tie, one of which is 1. In it ties and "both bad" are one.
- votes alone: model_a, model_b, winner, judge, tstamp, anony. Each battle is then a prompt of its own.

The prompt is what the user said, a response what the model answered, both over all turns with an empty line between; of
a conversation that goes on after the number of turns in `turn`, the beginning. What has another role (a system message)
is left out. A picture in a prompt is `[image 1f3a9c02]`. Conversations in which the user says different things are two
prompts and no pair.
Voters are people: the judge `human`, its annotators the names in `judge`. Names there that are neither an arena_user's
nor an expert's, author's, annotator's, worker's, rater's or user's are judges of their own (gpt4_pair in MT-Bench's
judgments, which have this layout). Battles in which the models' names were shown (anony false) get the variant
`models named`, so that rankings leave them out.
Defined in: `clean_battle_data.py` of https://github.com/lm-sys/FastChat (the code was read), which wrote
lmsys/chatbot_arena_conversations; lmarena-ai/arena-human-preference-140k (its card was read); the competition that
lmsys/lmsys-arena-human-preference-55k comes from (its description and the head of its table were read). From memory:
the columns of arena-human-preference-100k that the others lack, the keys within category_tag, and that some texts hold
halves of surrogate pairs.
Shown order: recorded where the file has the columns anony and tstamp that FastChat writes: there model a is the one on
the left. Not recorded in the other layouts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from data.importers import conversations, heads
from data.importers.gather import Gatherer, Piece
from data.importers.table import RawTable, run_sql
from data.model import Progress
from errors import FileError

NAME = "chatbot_arena"
COLUMNS = (
    "prompt", "prompt_id", "model_a", "model_b", "response_a", "response_b", "judge", "judge_kind", "annotator",
    "winner", "swapped", "variant", "judgment_id", "judged_at", "language", "turns", "is_code", "math",
    "creative_writing", "instruction_following", "session",
)  # fmt: skip
OPTIONAL = frozenset({"language", "turns", "is_code", "math", "creative_writing", "instruction_following", "session"})
MODELS = ("model_a", "model_b")
CONVERSATIONS = ("conversation_a", "conversation_b")
VOTES = ("winner_model_a", "winner_model_b", "winner_tie")
TEXTS = ("prompt", "response_a", "response_b")
TAGS = {"math": "math", "creative_writing": "creative_writing", "instruction_following": "if"}
"""Column -> the key of category_tag that it is."""
KEPT = frozenset({
    *MODELS, *CONVERSATIONS, *VOTES, *TEXTS, "conversations", "winner", "judge", "judge_hash", "turn", "anony",
    "language", "tstamp", "timestamp", "question_id", "id", "is_code", "category_tag", "evaluation_session_id",
    "evaluation_order",
})  # fmt: skip
SUFFIXES = (".parquet", ".json", ".jsonl", ".csv", ".gz")
PEOPLE = "(arena_user|user|expert|author|annotator|worker|rater|human|person|people|crowd)s?([ _-].*)?"
NAMED = "models named"
"""Variant of the battles in which voters saw the models' names."""


def sniff(path: Path) -> bool:
    """A file with the columns of one of the layouts, or a folder with such a file."""
    try:
        return bool(_files(path)) if path.is_dir() else _layout(heads.columns(path)) is not None
    except OSError:
        return False


def _layout(columns: frozenset[str]) -> str | None:
    """conversations, texts or votes; None where the columns are of none."""
    if not set(MODELS) <= columns:
        return None
    if "winner" in columns and (set(CONVERSATIONS) <= columns or "conversations" in columns):
        return "conversations"
    if {*VOTES, *TEXTS} <= columns:
        return "texts"
    if {"winner", "judge", "tstamp", "anony"} <= columns and not set(TEXTS) & columns:
        return "votes"
    return None


def _files(folder: Path) -> list[Path]:
    found = (file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    return sorted(file for file in found if _layout(heads.columns(file)) is not None)


def load(path: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress) -> RawTable:
    """Fill `raw` with the canonical COLUMNS, file after file in the order of their names.

    Raises FileError when no file has one of the layouts, or none can be read; a damaged one among good ones is a
    rejection.
    """
    folder = path.is_dir()
    files = _files(path) if folder else [path]
    if not files:
        raise FileError(f"{path.name} holds no battles of Chatbot Arena (model_a, model_b and conversation_a)")
    gatherer = Gatherer(COLUMNS, con, workdir, progress, total=2 * len(files), in_folder=folder)
    words = {"winner": ("model_a", "model_b", "tie", "tie (bothbad)", "both_bad")}
    for file in files:
        name = file.relative_to(path).as_posix() if folder else file.name
        piece = gatherer.read(file, name, MODELS, words, only=KEPT)
        gatherer.taken += 1
        if piece is not None:
            _add(gatherer, piece)
    return gatherer.finish(OPTIONAL)


def _add(gatherer: Gatherer, piece: Piece) -> None:
    """The rows of one file, by its layout."""
    columns = frozenset(piece.raw.columns)
    layout = _layout(columns)
    if layout is None:
        raise FileError(
            f"{piece.name} has neither winner with conversation_a and conversation_b, nor winner_model_a, "
            f"winner_model_b and winner_tie with texts; it has {', '.join(piece.raw.columns[:20])}"
        )

    def tell(share: float, text: str) -> None:
        gatherer.progress(min((gatherer.taken - 1 + share) / gatherer.total, 1.0), f"{piece.name}: {text}")

    # A table of its own in the order of the file, with all that is needed: joins of long texts would be sorted again.
    rest = tuple(name for name in piece.raw.columns if name not in (*CONVERSATIONS, "conversations", *TEXTS, *VOTES))
    passed = "".join(f", {piece.cell(name)} AS c{k}" for k, name in enumerate(rest))
    sql = f"CREATE TEMP TABLE arena_rows AS {_said(gatherer, piece, layout, passed, len(rest))}"
    run_sql(gatherer.con, sql, (), tell, "reading the conversations")
    gatherer.drop(piece)
    rows = Piece(piece.name, "arena_rows", replace(piece.raw, columns=rest))
    t = rows.cell
    gatherer.refused_as(rows, "bad.field", "bad.value", "bad.reason")
    told = columns >= {"anony", "tstamp"}
    voter = f"nullif(trim(coalesce({t('judge')}, '')), '')"
    person = f"coalesce(regexp_full_match(lower({voter}), '{PEOPLE}'), true)"
    named = f"coalesce(lower(trim({t('anony')})) IN ('false', '0', 'f'), false)"
    when = f"coalesce(nullif(trim({t('tstamp')}), ''), {t('timestamp')})"
    milliseconds = f"try_cast({when} AS DOUBLE) > 1e11"
    tags = {
        name: f"""TRY(json_extract_string({t("category_tag")}, '$.*."{key}"')[1])""" for name, key in TAGS.items()
    }
    gatherer.add(
        rows,
        {
            "prompt": "prompt",
            "prompt_id": "prompt_id",
            "model_a": t("model_a"),
            "model_b": t("model_b"),
            "response_a": "response_a",
            "response_b": "response_b",
            "judge": f"CASE WHEN {person} THEN 'human' ELSE {voter} END",
            "judge_kind": f"CASE WHEN {person} THEN 'human' ELSE 'llm' END",
            "annotator": f"CASE WHEN {person} THEN coalesce({voter}, {t('judge_hash')}) END",
            "winner": "winner",
            "swapped": "'false'" if told else "NULL",
            "variant": f"CASE WHEN {named} THEN '{NAMED}' END",
            "judgment_id": _own_id(gatherer, rows),
            "judged_at": f"CASE WHEN {milliseconds} THEN (try_cast({when} AS DOUBLE) / 1000)::VARCHAR ELSE {when} END",
            "language": t("language"),
            "turns": "turns",
            "is_code": t("is_code"),
            **tags,
            "session": t("evaluation_session_id"),
        },
        refuse="bad IS NOT NULL",
    )
    _tell(gatherer, rows, layout, named)
    gatherer.drop(rows)


def _said(gatherer: Gatherer, piece: Piece, layout: str, passed: str, n_passed: int) -> str:
    """SELECT of prompt, prompt_id, response_a, response_b, winner, turns, others, cut, bad and the columns passed on.

    passed : SQL of further columns c0, c1, ..., n_passed of them; others : messages of other roles; cut : turns were
    left out; bad : {field, value, reason} of what cannot be read
    """
    t = piece.cell
    bad = f"regexp_full_match(lower(trim({t('winner')})), 'tie \\(both[ _]bad\\)')"
    word = f"CASE WHEN {bad} THEN 'both_bad' ELSE {t('winner')} END"
    if layout == "votes":
        alone = f"coalesce({t('judge')}, '') || '/' || coalesce({t('tstamp')}, {piece.table}.rowid::VARCHAR)"
        return f"""SELECT NULL::VARCHAR AS prompt, coalesce({t("question_id")}, {alone}) AS prompt_id,
            NULL::VARCHAR AS response_a, NULL::VARCHAR AS response_b, {word} AS winner, {t("turn")} AS turns,
            0 AS others, false AS cut, {NOTHING_BAD} AS bad{passed} FROM {piece.table}"""
    if layout == "texts":
        _repair(gatherer, piece, TEXTS)
        a, b, tie = (f"coalesce(try_cast({t(vote)} AS DOUBLE), -1)" for vote in VOTES)
        clear = f"{a} IN (0, 1) AND {b} IN (0, 1) AND {tie} IN (0, 1) AND {a} + {b} + {tie} = 1"
        shown = " || ', ' || ".join(f"coalesce({t(vote)}, '')" for vote in VOTES)
        prompt, one, two = (conversations.strings(t(name)) for name in TEXTS)
        return f"""SELECT {prompt} AS prompt, NULL::VARCHAR AS prompt_id,
            {one} AS response_a, {two} AS response_b,
            CASE WHEN {a} = 1 THEN 'a' WHEN {b} = 1 THEN 'b' WHEN {tie} = 1 THEN 'tie' END AS winner,
            NULL::VARCHAR AS turns, 0 AS others, false AS cut, CASE WHEN NOT ({clear}) THEN
                {{'field': 'winner_model_a', 'value': {shown},
                'reason': 'one of winner_model_a, winner_model_b and winner_tie is 1, the others are 0'}} END AS bad
            {passed} FROM {piece.table}"""
    both = set(CONVERSATIONS) <= set(piece.raw.columns)
    names = CONVERSATIONS if both else ("conversations", "conversations")
    _repair(gatherer, piece, CONVERSATIONS if both else ("conversations",))
    one, two = map(t, CONVERSATIONS) if both else (
        f"TRY(from_json({t('conversations')}, '[\"JSON\"]'))[{k}]::VARCHAR" for k in (1, 2)
    )  # fmt: skip
    n = f"try_cast(try_cast({t('turn')} AS DOUBLE) AS INTEGER)"
    user_a, user_b = (conversations.by(side, "user") for side in ("a", "b"))
    wrong_a, wrong_b = (conversations.wrong(side, name) for side, name in zip("ab", names, strict=True))
    other_a, other_b = (conversations.by(side, "other") for side in ("a", "b"))
    until_a, until_b = (conversations.until(f"whole_{side}", "n") for side in ("a", "b"))
    differ = "'is another prompt than that of conversation_a: the user says other things'"
    said_b = conversations.joined(user_b)
    on = "".join(f", c{k}" for k in range(n_passed))
    return f"""WITH listed AS (SELECT {conversations.turns(one)} AS whole_a,
            {conversations.turns(two)} AS whole_b, {one} AS cell_a, {two} AS cell_b,
            CASE WHEN {n} > 0 THEN {n} END AS n, {word} AS winner{passed} FROM {piece.table}),
        cut AS (SELECT *, {until_a} AS a, {until_b} AS b FROM listed),
        checked AS (SELECT *, {wrong_a} AS wrong_a, {wrong_b} AS wrong_b FROM cut)
        SELECT {conversations.joined(user_a)} AS prompt, NULL::VARCHAR AS prompt_id,
            {conversations.joined(conversations.by("a", "assistant"))} AS response_a,
            {conversations.joined(conversations.by("b", "assistant"))} AS response_b, winner,
            len({user_a})::VARCHAR AS turns, len({other_a}) + len({other_b}) AS others, len(a) < len(whole_a) AS cut,
            CASE WHEN wrong_a IS NOT NULL THEN {{'field': '{names[0]}', 'value': left(cell_a, 1000), 'reason': wrong_a}}
                WHEN wrong_b IS NOT NULL THEN {{'field': '{names[1]}', 'value': left(cell_b, 1000), 'reason': wrong_b}}
                WHEN {user_a} <> {user_b} THEN
                    {{'field': '{names[1]}', 'value': left({said_b}, 1000), 'reason': {differ}}}
            END AS bad{on} FROM checked"""


def _own_id(gatherer: Gatherer, piece: Piece) -> str:
    """SQL for the id of a battle, where the file has one for each (in MT-Bench's judgments it is the question's)."""
    for name in ("id", "question_id"):
        cell = piece.cell(name)
        sql = f"SELECT count({cell}), count(DISTINCT {cell}) FROM {piece.table}"
        n, different = gatherer.con.execute(sql).fetchall()[0]
        if n and n == different:
            return cell
        if n:
            gatherer.inferred.append(f"{piece.name}: {name} stands for several battles: not taken for their id")
    return "NULL"


NOTHING_BAD = "NULL::STRUCT(field VARCHAR, value VARCHAR, reason VARCHAR)"


def _repair(gatherer: Gatherer, piece: Piece, columns: Sequence[str]) -> None:
    again = conversations.repair(gatherer.con, piece, columns)
    if again:
        sentence = f"{again:,} lists are no JSON: read as Python prints them, or without halves of surrogate pairs"
        gatherer.inferred.append(f"{piece.name}: {sentence}")


def _tell(gatherer: Gatherer, piece: Piece, layout: str, named: str) -> None:
    """What was left out or taken for granted."""
    order = f"try_cast({piece.cell('evaluation_order')} AS DOUBLE) > 1"
    others, cut, seen, later, image = gatherer.con.execute(
        f"""SELECT count(*) FILTER (others > 0), count(*) FILTER (cut), count(*) FILTER ({named}),
            count(*) FILTER ({order}), count(*) FILTER (regexp_matches(prompt, '\\[[a-z_]+ [0-9a-f]{{8}}\\]'))
        FROM {piece.table} WHERE bad IS NULL"""
    ).fetchall()[0]
    said = {
        f"{others:,} battles have messages of another role (a system message): left out": others,
        f"{cut:,} conversations go on after the turn that was judged: cut there": cut,
        f"{seen:,} battles showed the models' names: variant '{NAMED}', which rankings leave out": seen,
        f"{later:,} battles follow on others of their session: what was said before is not in the prompt": later,
        f"{image:,} prompts have pictures: kept as [image ...], without the picture": image,
    }
    gatherer.inferred += [f"{piece.name}: {sentence}" for sentence, n in said.items() if n]
    voter = piece.cell("judge")
    machines = gatherer.con.execute(
        f"SELECT DISTINCT trim({voter}) FROM {piece.table} WHERE trim({voter}) <> '' "
        f"AND NOT regexp_full_match(lower(trim({voter})), '{PEOPLE}') ORDER BY 1 LIMIT 20"
    ).fetchall()
    if machines:
        listed = ", ".join(name for (name,) in machines)
        gatherer.inferred.append(f"{piece.name}: judges of their own, taken for llm judges: {listed}")
    if layout == "texts":
        gatherer.inferred.append(f"{piece.name}: winner_tie is a tie or both bad: the file does not say which")
    if layout == "votes":
        gatherer.inferred.append(f"{piece.name}: it holds no prompts: each battle is a prompt of its own")
