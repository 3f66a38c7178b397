"""What did the user say, and what did the model answer, in a conversation written as a list of messages?

Conversations are JSON in a cell: [{"role": "user", "content": "..."}, ...]; `from` and `value` are read as role and
content. Content is a text, or a list of blocks: the text of a block of text, and `[image 1f3a9c02]` for one of anything
else, its type with the beginning of the MD5 of all the content, so that prompts with different pictures stay different.

All of it is SQL, so that large files pass through DuckDB. Only cells that are no JSON, but a list as Python prints it
or with half a surrogate pair in it, are rewritten one by one.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence

import duckdb
import pyarrow as pa

from data.importers.gather import Piece

AT_ONCE = 1000
"""Cells that are rewritten between two writes."""
USER, ASSISTANT = ("user", "human"), ("assistant", "gpt", "model", "chatbot", "bot")
_MESSAGES = '[{"role":"VARCHAR","from":"VARCHAR","content":"JSON","value":"JSON"}]'
BLOCK = '[{"type":"VARCHAR","text":"VARCHAR","data":"VARCHAR"}]'
_BLOCKS = f'[{{"content":{BLOCK},"value":{BLOCK}}}]'
BREAK = "chr(10) || chr(10)"
"""SQL of what stands between two turns."""


def turns(cell: str) -> str:
    """SQL for a list of {who: user, assistant or other, said: text}; NULL where a cell is no list of messages.

    `who` is NULL in a message without a role, `said` in one whose content is neither text nor blocks.
    """
    # The same list twice: with the contents as they stand, and with what blocks they consist of, which reads each once.
    zipped = f"list_zip(from_json({cell}, '{_MESSAGES}'), from_json({cell}, '{_BLOCKS}'))"
    pairs = f"TRY(CASE WHEN starts_with(ltrim({cell}), '[') THEN {zipped} END)"
    role = "lower(trim(coalesce(message[1].role, message[1].\"from\")))"
    listed = [", ".join(f"'{word}'" for word in words) for words in (USER, ASSISTANT)]
    who = (
        f"CASE WHEN {role} IS NULL THEN NULL WHEN {role} IN ({listed[0]}) THEN 'user' "
        f"WHEN {role} IN ({listed[1]}) THEN 'assistant' ELSE 'other' END"
    )
    content, blocks = (f'coalesce(message[{k}].content, message[{k}]."value")' for k in (1, 2))
    said = text(content, blocks)
    return f"list_transform({pairs}, lambda message: {{'who': {who}, 'said': {said}}})"


def text(content: str, blocks: str) -> str:
    """SQL for the text of a content, of type JSON, that may be a list of blocks. Nothing is an empty text."""
    kind = "coalesce(block.type, CASE WHEN block.text IS NULL THEN 'block' ELSE 'text' END)"
    mark = f"'[' || replace({kind}, '_byte', '') || ' ' || left(md5({content}::VARCHAR), 8) || ']'"
    block = f"""CASE WHEN block IS NULL THEN NULL WHEN {kind} IN ('text', 'input_text', 'output_text')
        THEN coalesce(block.text, block.data, '') ELSE {mark} END"""
    parts = f"list_transform({blocks}, lambda block: {block})"
    return f"""CASE left({content}::VARCHAR, 1) WHEN '"' THEN {content} ->> '$' WHEN '[' THEN
            CASE WHEN len({blocks}) = 0 THEN '' WHEN len(list_filter({blocks}, lambda block: block IS NULL)) = 0
                THEN list_aggregate({parts}, 'string_agg', {BREAK}) END
        WHEN 'n' THEN '' ELSE CASE WHEN {content} IS NULL THEN '' END END"""


def by(turns_of: str, who: str) -> str:
    """SQL for the list of what one of the two said."""
    return f"list_transform(list_filter({turns_of}, lambda turn: turn.who = '{who}'), lambda turn: turn.said)"


def joined(texts: str) -> str:
    """SQL for a list of texts as one, turn after turn; NULL of an empty list."""
    return f"list_aggregate({texts}, 'string_agg', {BREAK})"


def until(turns_of: str, n: str) -> str:
    """SQL for the turns up to the answer to the n-th of the user; all of them where n is NULL or none follows it."""
    at = f"list_filter(range(1, len({turns_of}) + 1), lambda i: {turns_of}[i].who = 'user')"
    return f"coalesce({turns_of}[:({at})[{n} + 1] - 1], {turns_of})"


def wrong(turns_of: str, name: str) -> str:
    """SQL for the reason why a conversation cannot be read, NULL where it can."""
    return f"""CASE WHEN {turns_of} IS NULL THEN 'is no list of messages: [{{"role": "user", "content": "..."}}, ...]'
        WHEN len({turns_of}) = 0 THEN 'is an empty conversation'
        WHEN len(list_filter({turns_of}, lambda turn: turn.who IS NULL OR turn.said IS NULL)) > 0
            THEN 'has a message without role and content'
        WHEN len({by(turns_of, "user")}) = 0 THEN 'has no message of the user'
        WHEN len({by(turns_of, "assistant")}) = 0 THEN 'has no answer of the model' END"""


def strings(cell: str) -> str:
    """SQL for a cell that is a JSON list of texts, one a turn; any other cell is a text as it stands."""
    parts = f"""TRY(CASE WHEN starts_with(ltrim({cell}), '[') THEN from_json({cell}, '["JSON"]') END)"""
    others = f"list_filter({parts}, lambda part: json_type(part) NOT IN ('VARCHAR', 'NULL'))"
    texts = f"list_transform({parts}, lambda part: coalesce(part ->> '$', ''))"
    return f"CASE WHEN len({others}) = 0 THEN coalesce({joined(texts)}, '') ELSE {cell} END"


def repair(con: duckdb.DuckDBPyConnection, piece: Piece, columns: Sequence[str]) -> int:
    """Rewrite the lists in these columns that are no JSON, where they can be read otherwise; how many could."""
    n = 0
    for column in columns:
        cell = piece.cell(column)
        if cell == "NULL":
            continue
        lists = f"starts_with(ltrim({cell}), '[') AND NOT coalesce(json_valid({cell}), false)"
        found = [r for (r,) in con.execute(f"SELECT rowid FROM {piece.table} WHERE {lists}").fetchall()]
        for start in range(0, len(found), AT_ONCE):
            wanted = pa.array(found[start : start + AT_ONCE], pa.int64())
            con.register("conversation_rows", pa.table({"record": wanted}))
            cells = con.execute(
                f"SELECT rowid, {cell} FROM {piece.table} WHERE rowid IN (SELECT record FROM conversation_rows)"
            ).fetchall()
            con.unregister("conversation_rows")
            read = [(row, other) for row, value in cells if (other := _as_json(value)) is not None]
            n += len(read)
            rows = pa.array([row for row, _ in read], pa.int64())
            written = pa.array([other for _, other in read], pa.large_string())
            con.register("conversation_cells", pa.table({"record": rows, "cell": written}))
            con.execute(
                f"UPDATE {piece.table} SET {cell.split('.')[-1]} = c.cell FROM conversation_cells c "
                f"WHERE {piece.table}.rowid = c.record"
            )
            con.unregister("conversation_cells")
    return n


def _as_json(cell: str) -> str | None:
    """The list as JSON that every reader takes; None where it is no list in another notation either."""
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, list):
            written = json.dumps(value, ensure_ascii=False, default=str)
            return written.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return None
