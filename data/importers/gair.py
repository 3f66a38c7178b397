"""GAIR's annotated preferences: pairs with the labels of many judges, and how well each answer has 29 properties.

Reads: JSON lines, a JSON array or Parquet, a record a pair:

    query, scenario_group (else scenario, scenario_auto-j)       the prompt and its scenario
    response_1, response_2            {content, model, num_words}; response 1 is a
    preference_labels                 {judge: response_1 or response_2}; `human` is human, every other one an llm
    basic_response_1, _2              {property: rating 0 to 3}
    errors_response_1, _2             {accuracy check: applicable or not, inaccuracies: [{severity}, ...]}
    query-specific_response_1, _2     {property: a value, or one an item of the prompt}
    clear intent, explicitly express feelings, explicit constraints, explicit subjective stances,
    explicit mistakes or biases       what the prompt has

Values come in as factors of the answers under the names of the published weights (data/gair_properties.py), written so
that the sign of a difference is the published coding: repetitiveness is turned over, errors are minus their number,
relevance is 1 above 0, query-specific values are means over the items of the prompt, and 0 for both answers where the
prompt has none. Where the errors of one answer could not be checked ("not applicable", 999) the pair has no value of
them. The published length rule looks at both answers: `lengthy` is 1 for an answer clearly longer than the other of its
pair, else 0.

Defined in: GAIR-NLP/Preference-Dissection on GitHub (Li et al. 2024, arXiv 2402.11296). The pairs themselves are given
out on request and were not seen. Read were the card of the data set as far as the ratings (the names of fields down to
`basic_response_1`), and the code that turns annotations into codings (the names of properties, their scales, averaging,
999, the length rule). How a released record holds errors and query-specific values was not seen: the shapes of that
code's input are read, under either of the names that occur.
Shown order: not recorded. LLM labels are sums over both orders; in which order people saw the answers is not said.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from data.gair_properties import NAMES
from data.importers.gair_values import Taken, Values, values_of
from data.importers.gather import Gatherer, Piece
from data.importers.table import RawTable
from data.model import Progress, Rejection
from errors import FileError

NAME = "gair"
KEYS = ("query", "response_1", "response_2", "preference_labels")
PROMPT_HAS: dict[str, str] = {
    "express_feeling": "explicitly express feelings",
    "intent_unclear": "clear intent",
    "w_constraints": "explicit constraints",
    "w_stances": "explicit subjective stances",
    "w_mistakes": "explicit mistakes or biases",
}
"""The published groups of prompts, and the field that decides each."""
TEXTS = (
    "prompt", "scenario", "model_a", "model_b", "response_a", "response_b", "judge", "judge_kind", "winner",
    "scenario_auto_j", *PROMPT_HAS,
)  # fmt: skip
NESTED = (
    "response_1", "response_2", "preference_labels", "basic_response_1", "basic_response_2", "errors_response_1",
    "errors_response_2", "query-specific_response_1", "query-specific_response_2", *PROMPT_HAS.values(),
)  # fmt: skip
SIDES: dict[str, frozenset[str]] = {
    "a": frozenset({"response_1", "response 1", "1", "a", "model_a"}),
    "b": frozenset({"response_2", "response 2", "2", "b", "model_b"}),
}
FIRST = 1 << 20
"""Bytes in which the first record must end to be recognised."""
AT_ONCE = 500
"""Records between two calls of progress."""


def sniff(path: Path) -> bool:
    """A file whose first record, or whose Parquet schema, has the format's keys."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            head = file.read(FIRST)
        if head[:4] == b"PAR1":
            import pyarrow.parquet

            return set(KEYS) <= set(pyarrow.parquet.read_schema(path).names)
        text = head.decode("utf-8-sig", "ignore").lstrip().removeprefix("[").lstrip()
        record, _ = json.JSONDecoder().raw_decode(text)
    except (OSError, ValueError, RecursionError, pa.ArrowException):
        return False
    return isinstance(record, dict) and set(KEYS) <= set(record) and isinstance(record["preference_labels"], dict)


def load(path: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress) -> RawTable:
    """Fill `raw` with a row a judgment: TEXTS, and NAME_a, NAME_b of each property that is annotated.

    Raises FileError for a folder, and when the file lacks one of KEYS or cannot be read.
    """
    if path.is_dir():
        raise FileError(f"{path.name} is a folder: the format {NAME} reads single files")
    columns = (*TEXTS, *(f"{name}_{side}" for name in NAMES for side in "ab"))
    gatherer = Gatherer(columns, con, workdir, progress, total=2, in_folder=False)
    piece = gatherer.read(path, path.name, KEYS)
    if piece is None:
        raise FileError(gatherer.rejections[0].reason)
    said = _Said(piece)
    _read(gatherer, said, progress)
    cells, joins = said.rows(con)
    gatherer.add(piece, cells, joins, then="s.k")
    gatherer.inferred += said.taken.sentences()
    gatherer.drop(piece)
    table = gatherer.finish()
    # A property that nobody annotated is no factor.
    return _without(table, con, {f"{name}_{side}" for name in NAMES if name not in said.known for side in "ab"})


def _without(table: RawTable, con: duckdb.DuckDBPyConnection, names: set[str]) -> RawTable:
    kept = [k for k, name in enumerate(table.columns) if name not in names]
    cells = ", ".join(f"c{k} AS c{i}" for i, k in enumerate(kept))
    con.execute(f"CREATE OR REPLACE VIEW raw AS SELECT rowid AS row, {cells} FROM raw_cells")
    return replace(table, columns=tuple(table.columns[k] for k in kept))


class _Said:
    """What the records of a file say, collected: judgments, and values of properties."""

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.judgments: list[tuple[int, int, str, str]] = []
        self.texts: list[tuple[int, str | None, str | None, str | None, str | None]] = []
        self.values: list[tuple[int, Values]] = []
        self.groups: list[tuple[int, dict[str, str]]] = []
        self.known: set[str] = set()
        self.taken = Taken()

    def rows(self, con: duckdb.DuckDBPyConnection) -> tuple[dict[str, str], str]:
        """SQL of the cells of a row a judgment, and of the joins; values stand in the first row of each record."""
        _register(con, "gair_said", ("record", "k", "judge", "winner"), self.judgments)
        _register(con, "gair_text", ("record", "model_a", "text_a", "model_b", "text_b"), self.texts)
        names = [name for name in NAMES if name in self.known]
        cells = [(r, *(_cell(of.get(name), side) for name in names for side in (0, 1))) for r, of in self.values]
        _register(con, "gair_value", ("record", *(f"v{i}" for i in range(2 * len(names)))), cells)
        groups = [(r, *(of.get(name) for name in PROMPT_HAS)) for r, of in self.groups]
        _register(con, "gair_group", ("record", *PROMPT_HAS), groups)
        t = self.piece.cell
        scenario = [t(name) for name in ("scenario_group", "scenario", "scenario_auto-j")]
        found = {
            "prompt": t("query"),
            "scenario": f"coalesce({', '.join(scenario)})",
            "model_a": "x.model_a",
            "model_b": "x.model_b",
            "response_a": "x.text_a",
            "response_b": "x.text_b",
            "judge": "s.judge",
            "judge_kind": "CASE WHEN lower(s.judge) = 'human' THEN 'human' ELSE 'llm' END",
            "winner": "s.winner",
            "scenario_auto_j": t("scenario_auto-j"),
        } | {name: f"g.{name}" for name in PROMPT_HAS}
        found |= {
            f"{name}_{side}": f"v.v{2 * i + j}" for i, name in enumerate(names) for j, side in enumerate("ab")
        }
        joins = (
            f"JOIN gair_said s ON s.record = {self.piece.table}.rowid JOIN gair_text x ON x.record = s.record "
            "LEFT JOIN gair_group g ON g.record = s.record "
            "LEFT JOIN gair_value v ON v.record = s.record AND s.k = 0"
        )
        return found, joins


def _register(
    con: duckdb.DuckDBPyConnection, name: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]
) -> None:
    """The rows as a view of this name: the first column (and k) numbers, all others text."""
    kept = list(rows)
    cells = {
        column: pa.array([row[i] for row in kept], pa.int64() if column in ("record", "k") else pa.string())
        for i, column in enumerate(columns)
    }
    con.register(name, pa.table(cells))


def _cell(pair: tuple[float, float] | None, side: int) -> str | None:
    return None if pair is None else repr(pair[side])


def _read(gatherer: Gatherer, said: _Said, progress: Progress) -> None:
    """Take the records one by one; each that says nothing, and each label that does, is rejected with its reason."""
    piece = said.piece
    cells = ", ".join(piece.cell(name) for name in ("query", *NESTED))
    n = piece.raw.n_rows
    for start in range(0, n, AT_ONCE):
        progress(0.5 + 0.5 * start / n, "reading labels and annotations")
        found = gatherer.con.execute(
            f"SELECT rowid, {cells} FROM {piece.table} WHERE rowid >= {start} "
            f"AND rowid < {start + AT_ONCE} ORDER BY rowid"
        ).fetchall()
        for record, query, *nested in found:
            of = dict(zip(NESTED, map(_parsed, nested), strict=True))
            for column, value, reason in _take(said, int(record), query, of):
                line = piece.raw.line_of([int(record)])[0]
                gatherer.reject(Rejection(line, column, value, reason, file=piece.name))


def _parsed(cell: str | None) -> Any:
    """A nested value; a plain one as it stands."""
    if cell is None:
        return None
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return cell


def _take(said: _Said, record: int, query: str | None, of: dict[str, Any]) -> list[tuple[str, str | None, str]]:
    """Keep what a record says; what is wrong with it as (column, value, reason)."""
    if query is None or not query.strip():
        return [("query", query, "is empty")]
    for side in ("response_1", "response_2"):
        if not isinstance(of[side], dict) or not isinstance(of[side].get("content"), str):
            return [(side, _shown(of[side]), "has no text: an object with content, model and num_words is expected")]
    labels = of["preference_labels"]
    if not isinstance(labels, dict):
        return [("preference_labels", _shown(labels), "is no object of judges and their labels")]
    models = [_name(of[side].get("model")) for side in ("response_1", "response_2")]
    wrong: list[tuple[str, str | None, str]] = []
    k = 0
    for judge, label in labels.items():
        if label is None or not str(label).strip():
            continue
        winner = _winner(str(label), models)
        if winner is None:
            wrong.append(("preference_labels", f"{judge}: {label}", "is neither response_1 nor response_2"))
            continue
        said.judgments.append((record, k, judge, winner))
        k += 1
    if not k and not wrong:
        return [("preference_labels", None, "has no label of any judge")]
    if not k:
        return wrong
    said.texts.append((record, models[0], of["response_1"]["content"], models[1], of["response_2"]["content"]))
    known = {group: of[field] for group, field in PROMPT_HAS.items() if of[field] is not None}
    said.groups.append((record, {group: _has(group, value) for group, value in known.items()}))
    values = values_of(said.taken, of)
    said.known |= set(values)
    said.values.append((record, values))
    return wrong


def _shown(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _name(model: Any) -> str | None:
    return str(model).strip() or None if model is not None else None


def _winner(label: str, models: list[str | None]) -> str | None:
    word = label.strip()
    if models[0] != models[1] and word in models:
        return "ab"[models.index(word)]
    return next((side for side, known in SIDES.items() if word.lower() in known), None)


def _has(group: str, value: Any) -> str:
    """Whether a prompt is of one of the published groups: an unclear intent, feelings, a list that is not empty."""
    if isinstance(value, list):
        return "yes" if value else "no"
    yes = str(value).strip().lower() == "yes"
    return "yes" if yes != (group == "intent_unclear") else "no"
