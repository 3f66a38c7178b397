"""MT-Bench comparisons as prepared for the alternative-annotator test: people and LLM judges on the same conversations.

Reads: a folder with human_annotations.json and llm_annotations.json (either may be missing), objects of annotators
(of LLM judges) with their labels, {name: {key: model_a, model_b or tie}}, and prompts.json with the conversations,
{key: {conversation_a, conversation_b, str_prompt}}; or one file of annotations alone, whose name says which it is.
A key is question__model_a__model_b__turn. The turn belongs to the prompt (`prompt_id` is question__turn): both turns of
a question carry the same conversation, and LLM judges were shown the whole of it. The prompt is what the user said, a
response what the model answered, both over all turns. The people are the judge `human`, their names the annotators.
Defined in: the AltTest project, https://github.com/nitaytech/AltTest, folder data/mtbench (Calderon, Reichart and Dror
2025, arXiv 2501.10970), from the human judgments of MT-Bench (Zheng et al. 2023).
Shown order: not recorded for people. For LLM judges it is where prompts.json holds what they were shown (str_prompt),
with "Model A" and "Model B" as headings.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from data.importers.table import Part, RawTable, make_view
from data.model import Progress, Rejection
from errors import FileError

NAME = "mtbench_alt_test"
COLUMNS = (
    "prompt", "prompt_id", "pair_id", "model_a", "model_b", "response_a", "response_b", "judge", "judge_kind",
    "annotator", "winner", "swapped",
)  # fmt: skip
HUMANS, LLMS, PROMPTS = "human_annotations.json", "llm_annotations.json", "prompts.json"
WORDS = {"model_a": "a", "a": "a", "model_b": "b", "b": "b", "tie": "tie", "both_bad": "both_bad"}
NO_VERDICT = ("", "none", "null", "nan", "invalid", "refused", "error", "n/a")
LARGEST = 512 << 20
"""Bytes above which a file is not read: an object is held as a whole."""
AT_ONCE = 20_000
"""Labels between two calls of progress."""


HEADINGS = ("**** Model A ****", "**** Model B ****")
"""Of the two conversations in what an LLM judge was shown."""


@dataclass(frozen=True)
class _Texts:
    """A comparison in prompts.json. swapped : as judges were shown it; None where it is not said"""

    prompt: str
    response_a: str
    response_b: str
    swapped: str | None


@dataclass(frozen=True)
class _Key:
    """What the key of a comparison says."""

    question: str
    model_a: str
    model_b: str
    turn: str


def sniff(path: Path) -> bool:
    """A file of annotations whose first key is a comparison's, or a folder with one."""
    if path.is_dir():
        return any((path / name).is_file() and sniff(path / name) for name in (HUMANS, LLMS))
    if path.name not in (HUMANS, LLMS):
        return False
    try:
        with path.open("rb") as file:
            head = file.read(1 << 16).decode("utf-8-sig", "ignore")
    except OSError:
        return False
    strings = head.split('"')[1::2]
    return head.lstrip().startswith("{") and len(strings) > 2 and isinstance(_key(strings[1]), _Key)


def load(path: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress) -> RawTable:
    """Fill `raw` with the canonical COLUMNS: the people, then the LLM judges, each in the file's order.

    Raises FileError when no annotations are there or can be read; a damaged file beside a good one is a rejection.
    """
    folder = path.is_dir()
    present = [path / name for name in (HUMANS, LLMS) if (path / name).is_file()] if folder else [path]
    if not present:
        raise FileError(f"{path.name} holds neither {HUMANS} nor {LLMS}, which the format {NAME} reads")
    if not folder and path.name not in (HUMANS, LLMS):
        raise FileError(f"{path.name}: the format {NAME} reads {HUMANS} and {LLMS}, or their folder")
    rejections: list[Rejection] = []
    inferred: list[str] = []
    texts: dict[str, _Texts] = {}
    prompts = path / PROMPTS if folder else path.with_name(PROMPTS)
    if prompts.is_file():
        try:
            texts = _texts(_read(prompts), inferred)
        except FileError as error:
            rejections.append(Rejection(None, None, None, str(error), file=PROMPTS if folder else None))
    else:
        inferred.append(f"{PROMPTS} is not there: no texts, and prompts by their number")
    if folder:
        for name, what in ((HUMANS, "no people"), (LLMS, "no LLM judges")):
            if path / name not in present:
                inferred.append(f"{name} is not there: {what}")
    con.execute(
        "DROP VIEW IF EXISTS raw; DROP TABLE IF EXISTS raw_cells; "
        f"CREATE TABLE raw_cells ({', '.join(f'c{i} VARCHAR' for i in range(len(COLUMNS)))})"
    )
    parts: list[Part] = []
    n, without = 0, 0
    for k, file in enumerate(present):
        rows: list[tuple[str | None, ...]] = []
        try:
            found = _read(file)
        except FileError as error:
            rejections.append(Rejection(None, None, None, str(error), file=file.name if folder else None))
            continue
        for label in _labels(found, file.name, folder, rejections):
            if label.key not in texts:
                without += 1
            rows.append(_row(label, texts.get(label.key), file.name == HUMANS))
            if len(rows) % AT_ONCE == 0:
                progress(k / len(present), f"{file.name}: {len(rows):,} labels")
        columns = {f"c{i}": pa.array([row[i] for row in rows], pa.string()) for i in range(len(COLUMNS))}
        con.register("alt_test_rows", pa.table(columns))
        con.execute("INSERT INTO raw_cells SELECT * FROM alt_test_rows")
        con.unregister("alt_test_rows")
        parts.append(Part(file.name, file.stat().st_size, "UTF-8", n, len(rows), lambda rows: None))
        n += len(rows)
        progress((k + 1) / len(present), f"{file.name}: {len(rows):,} labels")
    if not n:
        raise FileError("; ".join(r.reason for r in rejections[:3]) or f"{path.name} holds no label")
    if without and prompts.is_file():
        inferred.append(f"{without:,} labels are on comparisons that {PROMPTS} lacks: no texts there")
    make_view(con)
    return RawTable(COLUMNS, n, tuple(rejections), tuple(inferred), tuple(parts), folder)


def _read(path: Path) -> dict[str, Any]:
    """The object in a file, with a key that stands twice as a list of its values. Raises FileError."""
    if path.stat().st_size > LARGEST:
        raise FileError(f"{path.name} is larger than {LARGEST >> 20} MB, which is more than such a file can be")
    try:
        value = json.loads(path.read_bytes().decode("utf-8-sig"), object_pairs_hook=_pairs)
    except (OSError, ValueError, RecursionError) as error:
        raise FileError(f"{path.name} is no valid JSON: {str(error)[:200]}") from error
    if not isinstance(value, dict):
        raise FileError(f"{path.name} is no JSON object: {{name: {{comparison: label}}}} is expected")
    return value


class _Twice(list[Any]):
    """The values of a key that an object has more than once."""


def _pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in found:
        if key not in out:
            out[key] = value
        elif isinstance(out[key], _Twice):
            out[key].append(value)
        else:
            out[key] = _Twice([out[key], value])
    return out


@dataclass(frozen=True)
class _Label:
    who: str
    key: str
    parts: _Key
    winner: str


def _labels(found: dict[str, Any], name: str, in_folder: bool, rejections: list[Rejection]) -> Iterator[_Label]:
    """Each good label; what is wrong with the others goes to `rejections`."""

    def reject(column: str, value: Any, reason: str) -> None:
        shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)[:300]
        rejections.append(Rejection(None, column, shown, reason, file=name if in_folder else None))

    for who, labels in found.items():
        if not who.strip():
            reject("name", who, "is empty: an annotator or judge has a name")
        elif not isinstance(labels, dict):
            reject(who, labels, "is no object of comparisons with their labels")
        else:
            for key, label in labels.items():
                parts = _key(key)
                word = "" if label is None else str(label).strip().lower()
                if isinstance(parts, str):
                    reject(who, key, parts)
                elif isinstance(label, _Twice):
                    reject(who, key, "stands more than once for the same annotator")
                elif word in NO_VERDICT:
                    yield _Label(who.strip(), key, parts, "none")
                elif word in WORDS:
                    yield _Label(who.strip(), key, parts, WORDS[word])
                elif label in (parts.model_a, parts.model_b) and parts.model_a != parts.model_b:
                    yield _Label(who.strip(), key, parts, "a" if label == parts.model_a else "b")
                else:
                    reject(who, f"{key}: {label}", "a label is model_a, model_b or tie")


def _key(key: str) -> _Key | str:
    """The parts of a comparison's key, or why it has none."""
    parts = key.split("__")
    if len(parts) == 4 and all(parts):
        return _Key(*parts)
    if len(parts) > 4:
        return "can be divided in several ways: question__model_a__model_b__turn is expected, without __ in a name"
    return "is no key question__model_a__model_b__turn of a pairwise comparison"


def _row(label: _Label, texts: _Texts | None, human: bool) -> tuple[str | None, ...]:
    p = label.parts
    prompt, one, two = (texts.prompt, texts.response_a, texts.response_b) if texts else (None, None, None)
    swapped = texts.swapped if texts and not human else None
    return (
        prompt, f"{p.question}__{p.turn}", label.key, p.model_a, p.model_b, one, two,
        "human" if human else label.who, "human" if human else "llm", label.who if human else None, label.winner,
        swapped,
    )  # fmt: skip


def _texts(found: dict[str, Any], inferred: list[str]) -> dict[str, _Texts]:
    """What the user said and what each model answered, by key; what cannot be read is left out and said."""
    out: dict[str, _Texts] = {}
    other = 0
    for key, entry in found.items():
        a, b = (_said(entry.get(f"conversation_{side}")) if isinstance(entry, dict) else None for side in "ab")
        if a is None or b is None:
            other += 1
            continue
        out[key] = _Texts(a[0], a[1], b[1], _swapped(entry.get("str_prompt")))
    if other:
        inferred.append(f"{other:,} conversations of {PROMPTS} could not be read: no texts there")
    return out


def _swapped(shown: Any) -> str | None:
    """Whether model B stood first in what a judge was shown."""
    at = [shown.find(heading) if isinstance(shown, str) else -1 for heading in HEADINGS]
    return None if min(at) < 0 else "true" if at[0] > at[1] else "false"


def _said(conversation: Any) -> tuple[str, str] | None:
    """(what the user said, what the model answered), over all turns; None where it is no list of messages."""
    if isinstance(conversation, str):
        for read in (json.loads, ast.literal_eval):
            try:
                conversation = read(conversation)
                break
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
    if not isinstance(conversation, list) or not all(isinstance(m, dict) for m in conversation):
        return None
    said: dict[str, list[str]] = {"user": [], "assistant": []}
    for message in conversation:
        role, content = message.get("role"), message.get("content")
        if role in said and isinstance(content, str):
            said[role].append(content)
    if not said["user"] or not said["assistant"]:
        return None
    return "\n\n".join(said["user"]), "\n\n".join(said["assistant"])
