"""Which pairs, responses and judges do staged judgments belong to, and which of them are new?

Runs inside the store's write transaction on temporary tables `good`, `s_text`, `s_factor`, `s_attribute` (the
staged tables, see data/normalise.py, without the rows that broke a rule). Rows that contradict what the dataset holds are marked, not written; the
caller commits or rolls back. Rules: identity of prompts, responses, pairs and judgments as in docs/store.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from data.duck import told
from data.identity import match_pairs, match_prompts, match_responses
from data.model import Progress, silent
from data.step import Brought, Step, Told
from data.upkeep import prune
from data.verdicts import add_attributes, add_factors, add_fingerprint, add_judgments
from data.work_list import WORK_ID, recognise
from errors import OptionError


@dataclass(frozen=True)
class Ingested:
    """What one import added. Rejected rows are in the temporary table `marked` (row, cell, field, value, reason).

    nothing : why no row could be accepted, where one sentence says it better than the first rejections
    """

    dataset_id: int
    import_id: int
    number: int
    accepted: int
    duplicates: int
    inferred: tuple[str, ...]
    nothing: str | None = None


def find_dataset(con: duckdb.DuckDBPyConnection, name: str) -> int | None:
    rows = con.execute("SELECT dataset_id FROM dataset WHERE name = $name", {"name": name}).fetchall()
    return rows[0][0] if rows else None


def add_dataset(con: duckdb.DuckDBPyConnection, name: str, simulated: bool = False) -> int:
    """The id of the dataset called `name`, created when there is none."""
    if not name.strip():
        raise OptionError("a dataset needs a name: --dataset NAME")
    found = find_dataset(con, name)
    if found is not None:
        return found
    new_id = next_id(con, "dataset")
    con.execute("INSERT INTO dataset VALUES ($id, $name, $simulated, now()::TIMESTAMP)",
                {"id": new_id, "name": name, "simulated": simulated})  # fmt: skip
    return new_id


def next_id(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """The number that the next new row of a table gets."""
    column = "import_id" if table == "import_log" else f"{table}_id"
    return int(con.execute(f"SELECT coalesce(max({column}), 0) + 1 FROM {table}").fetchall()[0][0])


def begin(con: duckdb.DuckDBPyConnection, dataset_id: int, progress: Progress = silent) -> tuple[Step, int]:
    """What the stages of a new import of the dataset share, and its number there. Makes the table `marked`."""
    number, import_id = con.execute(
        """SELECT (SELECT coalesce(max(number), 0) + 1 FROM import_log WHERE dataset_id = $d),
            (SELECT coalesce(max(import_id), 0) + 1 FROM import_log)""",
        {"d": dataset_id},
    ).fetchall()[0]
    con.execute(
        "CREATE OR REPLACE TEMP TABLE marked (row BIGINT, cell BIGINT, field VARCHAR, value VARCHAR, reason VARCHAR)"
    )
    return Step(con, dataset_id, import_id, progress=Told(progress)), int(number)


def ingest(
    con: duckdb.DuckDBPyConnection, dataset_id: int, progress: Progress = silent
) -> Ingested:
    """Write the staged rows. See Ingested."""
    step, number = begin(con, dataset_id, progress)
    progress = step.progress
    if _look(step):
        recognise(step)
        _look(step)
    progress(0.05, "matching judges and models")
    match_names(step)
    progress(0.15, "storing texts")
    store_texts(step)
    progress(0.25, "matching judges and models")
    number_rows(step)
    progress(0.35, "matching prompts")
    match_prompts(step)
    progress(0.45, "matching responses")
    match_responses(step)
    progress(0.6, "matching pairs")
    rows = match_pairs(step)
    progress(0.75, "looking for duplicates")
    accepted, duplicates = add_judgments(step, rows)
    progress(0.85, "storing factors and attributes")
    add_factors(step)
    add_attributes(step)
    progress(0.95, "fingerprinting")
    add_fingerprint(step)
    if duplicates or con.execute("SELECT count(*) FROM marked").fetchall()[0][0]:
        prune(con, dataset_id)
    return Ingested(dataset_id, step.import_id, number, accepted, duplicates, tuple(step.inferred))


def _look(step: Step) -> bool:
    """Note what the rows have. Whether any carries the id of a work list."""
    rows, *has = told(
        step.con,
        lambda: step.con.execute(
            f"""SELECT count(*) FILTER (regexp_full_match(pair_id, '{WORK_ID}')), bool_or(kind_given),
                count(scenario) > 0, count(model_a) + count(model_b) > 0, count(annotator) > 0, count(prompt_id) > 0,
                count(prompt_key) > 0, bool_or(prompt_id IS NULL AND prompt_key IS NOT NULL),
                count(text_a) + count(text_b) > 0, bool_or(text_a IS NULL AND text_b IS NULL), count(pair_id) > 0,
                count(external_id) > 0, bool_or(outcome = -1), EXISTS (FROM s_factor), EXISTS (FROM s_attribute),
                NOT EXISTS (FROM prompt WHERE dataset_id = $d) AND NOT EXISTS (FROM judge WHERE dataset_id = $d)
            FROM good""",
            {"d": step.dataset_id},
        ).fetchall(),
        step.progress.again,
    )[0]
    step.has = Brought(*map(bool, has))
    return bool(rows)


def match_names(step: Step) -> None:
    """Judges with their kinds, annotators, models, scenarios, criteria and variants that are new."""
    # The first kind a judge is given holds; a row that says another contradicts it.
    known = step.unless_empty("SELECT name, kind FROM judge WHERE dataset_id = $d UNION ALL", "")
    unknown = step.unless_empty("judge NOT IN (SELECT name FROM judge WHERE dataset_id = $d)")
    step.run(
        f"""CREATE OR REPLACE TEMP TABLE judge_kind AS {known}
        SELECT judge AS name, coalesce(arg_min(kind, row) FILTER (kind_given), arg_min(kind, row)) AS kind FROM good
        WHERE {unknown} GROUP BY judge"""
    )
    if step.has.kinds:
        step.reject(
            "good",
            """SELECT g.row, g.cell, 'judge_kind', g.kind, 'contradicts what this judge already is: ' || k.kind
            FROM good g JOIN judge_kind k ON k.name = g.judge WHERE g.kind_given AND g.kind <> k.kind""",
        )
    models = "SELECT model_a AS name, row * 2 AS row FROM good UNION ALL SELECT model_b, row * 2 + 1 FROM good"
    for table, source, there in (
        ("scenario", "SELECT scenario AS name, row FROM good", step.has.scenarios),
        ("model", models, step.has.models),
        ("criterion", "SELECT criterion AS name, row FROM good", True),
        ("variant", "SELECT variant AS name, row FROM good", True),
    ):
        if there:
            new = step.unless_empty(f"name NOT IN (SELECT name FROM {table} WHERE dataset_id = $d)")
            step.insert_only(
                table,
                f"""SELECT (SELECT coalesce(max({table}_id), 0) FROM {table}) + row_number() OVER (ORDER BY first), $d, name
                FROM (SELECT name, min(row) AS first FROM ({source}) WHERE name IS NOT NULL GROUP BY name) WHERE {new}""",
            )
    new = step.unless_empty("n.judge NOT IN (SELECT name FROM judge WHERE dataset_id = $d)")
    step.insert_only(
        "judge",
        f"""SELECT (SELECT coalesce(max(judge_id), 0) FROM judge)
            + row_number() OVER (ORDER BY first, judge), $d, judge, k.kind
        FROM (SELECT judge, min(row * 1000 + least(cell, 999)) AS first FROM good GROUP BY judge) n
        JOIN judge_kind k ON k.name = n.judge WHERE {new}""",
    )
    if step.has.annotators:
        new = step.unless_empty(
            "NOT EXISTS (SELECT 1 FROM annotator t WHERE t.judge_id = j.judge_id AND t.name = n.annotator)"
        )
        step.insert_only(
            "annotator",
            f"""SELECT (SELECT coalesce(max(annotator_id), 0) FROM annotator)
                + row_number() OVER (ORDER BY first, n.annotator), $d, j.judge_id, n.annotator
            FROM (SELECT judge, annotator, min(row) AS first FROM good WHERE annotator IS NOT NULL GROUP BY ALL) n
            JOIN judge j ON j.dataset_id = $d AND j.name = n.judge WHERE {new}""",
        )


def store_texts(step: Step) -> None:
    """Texts that are new; `text_of` says the number of each."""
    if not (step.has.texts or step.has.prompt_texts):
        return
    step.run(
        """CREATE OR REPLACE TEMP TABLE used_key AS SELECT DISTINCT key FROM (
            SELECT prompt_key AS key FROM good UNION ALL SELECT text_a FROM good UNION ALL SELECT text_b FROM good)
        WHERE key IS NOT NULL"""
    )
    step.insert_only(
        "text",
        """SELECT (SELECT coalesce(max(text_id), 0) FROM text) + row_number() OVER (), key, body
        FROM s_text WHERE key IN (SELECT key FROM used_key) AND key NOT IN (SELECT hash FROM text)""",
    )
    step.run(
        """CREATE OR REPLACE TEMP TABLE text_of AS
        SELECT hash AS key, text_id FROM text WHERE hash IN (SELECT key FROM used_key)"""
    )


def number_rows(step: Step) -> None:
    """`r2`: the rows with numbers in place of names and texts."""
    has, none = step.has, "NULL::INTEGER"

    def join(there: bool, sql: str) -> str:
        return sql if there else ""

    # Two statements: to order ten joins takes longer than to run them.
    step.run(
        f"""CREATE OR REPLACE TEMP TABLE r1 AS
        SELECT g.* EXCLUDE (judge, kind, kind_given, annotator, criterion, variant, scenario, model_a, model_b),
            j.judge_id, j.kind, c.criterion_id, v.variant_id,
            {"an.annotator_id" if has.annotators else none} AS annotator_id,
            {"s.scenario_id" if has.scenarios else none} AS scenario_id,
            {"ma.model_id" if has.models else none} AS model_a, {"mb.model_id" if has.models else none} AS model_b
        FROM good g JOIN judge j ON j.dataset_id = $d AND j.name = g.judge
        JOIN criterion c ON c.dataset_id = $d AND c.name = g.criterion
        JOIN variant v ON v.dataset_id = $d AND v.name = g.variant
        {join(has.annotators, "LEFT JOIN annotator an ON an.judge_id = j.judge_id AND an.name = g.annotator")}
        {join(has.scenarios, "LEFT JOIN scenario s ON s.dataset_id = $d AND s.name = g.scenario")}
        {join(has.models, "LEFT JOIN model ma ON ma.dataset_id = $d AND ma.name = g.model_a")}
        {join(has.models, "LEFT JOIN model mb ON mb.dataset_id = $d AND mb.name = g.model_b")};
        CREATE OR REPLACE TEMP TABLE r2 AS
        SELECT r1.* EXCLUDE (prompt_key, text_a, text_b), {"tp.text_id" if has.prompt_texts else none} AS prompt_text,
            {"ta.text_id" if has.texts else none} AS text_a, {"tb.text_id" if has.texts else none} AS text_b
        FROM r1 {join(has.prompt_texts, "LEFT JOIN text_of tp ON tp.key = r1.prompt_key")}
        {join(has.texts, "LEFT JOIN text_of ta ON ta.key = r1.text_a LEFT JOIN text_of tb ON tb.key = r1.text_b")};
        DROP TABLE r1"""
    )
