"""How does what a bundle carries become a store again? The judgments are imported; what stands beside them follows.

The store is a new one with nothing else in it, so that the judgment of line k of the file is number k.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from data import carried
from data.fields import FIELDS
from data.imports import ImportOptions, import_path
from data.model import Progress, silent
from data.queries import Con
from data.store import Store
from errors import FileError

_TEXT, _NUMBER, _WHOLE = pa.string(), pa.float64(), pa.int64()

COLUMNS: dict[str, dict[str, pa.DataType]] = {
    carried.KEYS: {"line": _WHOLE, "pair_id": _TEXT},
    carried.VALUES: {"line": _WHOLE, "side": _TEXT, "factor": _TEXT, "value": _NUMBER, "label": _TEXT},
    carried.JUDGED_VALUES: {
        "line": _WHOLE, "factor": _TEXT, "value_a": _NUMBER, "value_b": _NUMBER, "label_a": _TEXT, "label_b": _TEXT,
    },
    carried.MEASURED: {"factor": _TEXT, "version": _WHOLE, "text": _TEXT, "prompt": _TEXT, "value": _NUMBER},
    carried.ATTRIBUTES: {"entity": _TEXT, "line": _WHOLE, "side": _TEXT, "name": _TEXT, "value": _TEXT},
    carried.LABELS: {"line": _WHOLE, "labeling": _TEXT, "origin": _TEXT, "label": _TEXT},
    carried.PUBLISHED: {"judge": _TEXT, "kind": _TEXT, "scenario": _TEXT, "factor": _TEXT, "weight": _NUMBER},
    carried.OWN: {"judge": _TEXT, "model": _TEXT},
    carried.DISPLAY: {"kind": _TEXT, "name": _TEXT, "shown": _TEXT, "place": _WHOLE, "hidden": pa.bool_()},
}  # fmt: skip

_JOINED = "JOIN judgment j ON j.judgment_id = r.line JOIN pair p ON p.pair_id = j.pair_id"

# In the order in which they are needed; `r` holds the file's rows. Each in statements that insert something, or none.
STEPS: dict[str, tuple[str, ...]] = {
    carried.VALUES: (
        "INSERT INTO factor SELECT row_number() OVER (ORDER BY began), 1, factor FROM "
        "(SELECT factor, min(rowid) AS began FROM r GROUP BY factor)",
        f"""INSERT INTO response_value SELECT 1, CASE r.side WHEN 'a' THEN p.response_a ELSE p.response_b END, f.factor_id,
            r.value, r.label, 1 FROM r {_JOINED} JOIN factor f ON f.name = r.factor ORDER BY f.factor_id, 2""",
    ),
    carried.JUDGED_VALUES: (
        "INSERT INTO factor SELECT (SELECT coalesce(max(factor_id), 0) FROM factor) + row_number() OVER (ORDER BY began), 1, "
        "factor FROM (SELECT factor, min(rowid) AS began FROM r GROUP BY factor) n ANTI JOIN factor f ON f.name = n.factor",
        """INSERT INTO judgment_value SELECT 1, r.line, f.factor_id, r.value_a, r.value_b, r.label_a, r.label_b, 1
        FROM r JOIN factor f ON f.name = r.factor ORDER BY f.factor_id, r.line""",
    ),
    carried.MEASURED: (
        "INSERT INTO text_factor SELECT row_number() OVER (ORDER BY began), factor, version FROM "
        "(SELECT factor, version, min(rowid) AS began FROM r GROUP BY ALL)",
        """INSERT INTO text_value SELECT t.text_id, f.text_factor_id, r.value FROM r
        JOIN text t ON t.hash = r.text::UBIGINT JOIN text_factor f ON f.name = r.factor AND f.version = r.version
        WHERE r.prompt IS NULL ORDER BY f.text_factor_id, t.text_id""",
        """INSERT INTO answer_value SELECT t.text_id, q.text_id, f.text_factor_id, r.value FROM r
        JOIN text t ON t.hash = r.text::UBIGINT JOIN text q ON q.hash = r.prompt::UBIGINT
        JOIN text_factor f ON f.name = r.factor AND f.version = r.version
        WHERE r.prompt IS NOT NULL ORDER BY f.text_factor_id, t.text_id""",
    ),
    carried.ATTRIBUTES: (
        f"""INSERT INTO attribute SELECT 1, r.entity, CASE r.entity WHEN 'annotator' THEN j.annotator_id
            WHEN 'judge' THEN j.judge_id WHEN 'prompt' THEN j.prompt_id WHEN 'pair' THEN j.pair_id
            WHEN 'model' THEN CASE r.side WHEN 'a' THEN p.model_a ELSE p.model_b END END, r.name, r.value, 1
        FROM r {_JOINED} ORDER BY r.rowid""",
    ),
    carried.LABELS: (
        "INSERT INTO labeling SELECT row_number() OVER (ORDER BY began), 1, labeling, origin FROM "
        "(SELECT labeling, origin, min(rowid) AS began FROM r GROUP BY ALL)",
        "INSERT INTO label SELECT row_number() OVER (ORDER BY began), 1, l.labeling_id, n.label FROM "
        "(SELECT labeling, label, min(rowid) AS began FROM r GROUP BY ALL) n JOIN labeling l ON l.name = n.labeling",
        """INSERT INTO prompt_label SELECT 1, l.labeling_id, j.prompt_id, b.label_id, 1 FROM r
        JOIN judgment j ON j.judgment_id = r.line JOIN labeling l ON l.name = r.labeling
        JOIN label b ON b.labeling_id = l.labeling_id AND b.name = r.label""",
    ),
    carried.PUBLISHED: (
        "INSERT INTO published_weight SELECT 1, 1, judge, kind, scenario, factor, weight FROM r ORDER BY rowid",
    ),
    carried.OWN: ("INSERT INTO own_model SELECT 1, judge, model FROM r ORDER BY rowid",),
    carried.DISPLAY: ("INSERT INTO display SELECT 1, kind, name, shown, place, hidden FROM r ORDER BY rowid",),
}  # fmt: skip


def restore(store: Store, folder: Path, dataset: str, progress: Progress = silent) -> None:
    """Fill a new store with what the files of a folder carry, as a dataset of this name.

    Raises FileError where a file is damaged, and as `imports.import_path` does; a judgment that is not accepted is one
    that cannot be computed with, so that all must be.
    """
    judgments = folder / f"{carried.JUDGMENTS}.jsonl"
    if judgments.is_file() and judgments.stat().st_size:
        # By the fields' own names: no column is guessed, and every judge's kind is said.
        options = ImportOptions(format="judgments", maps=tuple((f, f) for f in _fields(judgments)), automatic=False)
        import_path(store, judgments, dataset, options, strict=True, progress=progress)
    with store.writing(f"restoring {dataset}") as con:
        if not con.execute("SELECT count(*) FROM dataset").fetchall()[0][0]:
            con.execute("INSERT INTO dataset VALUES (1, $n, false, now()::TIMESTAMP)", {"n": dataset})
        _restore_keys(con, folder)
        for name, steps in STEPS.items():
            table = _table(folder, name)
            if not table.num_rows:
                continue
            con.register("given", table)
            con.execute("CREATE OR REPLACE TEMP TABLE r AS FROM given")
            con.unregister("given")
            for sql in steps:
                _insert(con, sql)
        con.execute("DROP TABLE IF EXISTS r")


def _fields(path: Path) -> list[str]:
    """The fields that occur in a file of judgments."""
    found: dict[str, None] = {}
    for row in _lines(path):
        found |= dict.fromkeys(name for name in row if name in FIELDS)
    return list(found)


def _restore_keys(con: Con, folder: Path) -> None:
    """Pairs have the ids of their own files, not those by which the lines of the bundle name them."""
    con.execute("DELETE FROM pair_key")
    table = _table(folder, carried.KEYS)
    if table.num_rows:
        con.register("given", table)
        con.execute(
            "INSERT INTO pair_key SELECT 1, g.pair_id, j.pair_id, 1 FROM given g JOIN judgment j ON j.judgment_id = g.line "
            "ORDER BY g.line, g.pair_id"
        )
        con.unregister("given")


def _insert(con: Con, sql: str) -> None:
    """An INSERT that inserts nothing is left out: see data/step.py."""
    into, select = sql.split(" SELECT ", 1)
    if con.execute(f"SELECT count(*) FROM (SELECT {select})").fetchall()[0][0]:
        con.execute(f"{into} SELECT {select}")


def _table(folder: Path, name: str) -> pa.Table:
    """The rows of a file as columns; none where the bundle has no such file."""
    path, columns = folder / f"{name}.jsonl", COLUMNS[name]
    rows = list(_lines(path)) if path.is_file() else []
    try:
        return pa.table({column: pa.array([row.get(column) for row in rows], kind) for column, kind in columns.items()})
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise FileError(f"{name}.jsonl holds a value that does not belong there: {error}") from error


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
            except ValueError as error:
                raise FileError(f"{path.name} line {number} is no JSON: {error}") from error
            if not isinstance(row, dict):
                raise FileError(f"{path.name} line {number} is no JSON object")
            yield row
