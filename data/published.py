"""How do weights that others have published come in: of which judge, in which scenario, of which factor?

They stand beside the judgments of a dataset, or alone in one that has none: reference judges, that a judge of one's own
is held against. Names are kept as they were published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from data.duck import told
from data.ingest import Ingested, begin
from data.model import JUDGE_KINDS, Progress, silent
from data.normalise import Staged
from data.plain_columns import PlainMapping, resolve_plain
from data.rules import HUMAN_NAMES
from data.step import Told
from data.words import literal

KEYS: Mapping[str, tuple[str, ...]] = {
    "judge": ("judge_name", "judge_model", "evaluator"),
    "scenario": ("category", "domain", "group"),
    "factor": ("property", "feature"),
    "weight": ("coefficient", "parameter"),
    "kind": ("judge_kind",),
}
SAID = "judge, scenario, factor (or property) and weight"

STAGED = {
    "s_weight": "SELECT row, cell, judge, kind, scenario, factor, weight, said FROM stage WHERE bad_reason IS NULL",
}
HUMAN = f"regexp_full_match(lower(judge), '({HUMAN_NAMES})([ _-]?[0-9]+)?')"
"""A judge is human by its name, where no row says what it is, as for judgments."""

LONGEST = 200
"""Characters of a name."""


def resolve(
    columns: Sequence[str], maps: Sequence[tuple[str, str]], sets: Sequence[tuple[str, str]], name: str, automatic: bool
) -> PlainMapping:
    """Which columns are which. Raises MappingError with the columns there are."""
    needed = (("judge",), ("scenario",), ("factor",), ("weight",))
    return resolve_plain(columns, KEYS, needed, SAID, maps, sets, name, automatic)


def stage(
    con: duckdb.DuckDBPyConnection, columns: Sequence[str], mapping: PlainMapping, progress: Progress = silent
) -> Staged:
    """Make `stage` (names, kind and weight, and what is wrong with a row) from `raw`."""
    at = {name: f"c{k}" for k, name in enumerate(columns)}
    of, fixed = dict(mapping.columns), dict(mapping.constants)

    def cell(key: str) -> str:
        text = at[of[key]] if key in of else literal(fixed[key]) if key in fixed else "CAST(NULL AS VARCHAR)"
        return f"nullif(trim({text}), '')"

    names = ("judge", "scenario", "factor")
    kinds = ", ".join(f"'{kind}'" for kind in JUDGE_KINDS)
    bad = [
        *((f"{name} IS NULL", name, f"CAST({name} AS VARCHAR)", "is empty") for name in names),
        *((f"length({name}) > {LONGEST}", name, name, f"is longer than {LONGEST} characters, which is no name")
          for name in names),
        ("said IS NULL", "weight", "said", "is empty"),
        ("weight IS NULL OR NOT isfinite(weight)", "weight", "said", "is no number"),
        (f"kind_said IS NOT NULL AND lower(kind_said) NOT IN ({kinds})", "kind", "kind_said",
         "is not one of " + ", ".join(JUDGE_KINDS)),
    ]  # fmt: skip

    def first(part: int) -> str:
        """SQL of the field, value or reason of the first rule that a row breaks."""
        said = (one[part] if part == 2 else literal(one[part]) for one in bad)
        return "CASE " + " ".join(f"WHEN {one[0]} THEN {text}" for one, text in zip(bad, said, strict=True)) + " END"

    tell = Told(progress)
    tell(0.0, "reading the weights")
    sql = f"""CREATE OR REPLACE TEMP TABLE stage AS SELECT row, 0 AS cell, CAST(NULL AS VARCHAR) AS winner_column,
        judge, scenario, factor, weight, said, lower(kind_said) AS kind, {first(1)} AS bad_field,
        {first(2)} AS bad_value, {first(3)} AS bad_reason
        FROM (SELECT *, TRY_CAST(said AS DOUBLE) AS weight FROM (SELECT row, {cell("weight")} AS said,
            {cell("kind")} AS kind_said, {", ".join(f"{cell(name)} AS {name}" for name in names)} FROM raw))"""
    told(con, lambda: con.execute(sql), tell.again)
    n = con.execute("SELECT count(*) FROM stage").fetchall()[0][0]
    return Staged(n, n, 0, ())


def ingest(con: duckdb.DuckDBPyConnection, dataset_id: int, progress: Progress = silent) -> Ingested:
    """Write the staged weights. The same weight again is a duplicate, another one for the same is rejected."""
    step, number = begin(con, dataset_id, progress)
    step.progress(0.1, "looking for what is there")
    step.run(
        f"""CREATE OR REPLACE TEMP TABLE kind_of AS
        SELECT judge, coalesce(max(held), arg_min(kind, row) FILTER (kind IS NOT NULL),
            CASE WHEN {HUMAN} THEN 'human' ELSE 'llm' END) AS kind
        FROM (SELECT s.judge, s.kind, s.row, p.kind AS held FROM s_weight s
            LEFT JOIN (SELECT DISTINCT judge, kind FROM published_weight WHERE dataset_id = $d) p USING (judge))
        GROUP BY judge"""
    )
    step.reject(
        "s_weight",
        """SELECT s.row, s.cell, 'kind', s.kind, 'contradicts what this judge already is: ' || k.kind
        FROM s_weight s JOIN kind_of k USING (judge) WHERE s.kind <> k.kind""",
    )
    step.run(
        """CREATE OR REPLACE TEMP TABLE said AS SELECT s.*, p.weight AS held,
            first_value(s.weight) OVER (PARTITION BY s.judge, s.scenario, s.factor ORDER BY s.row) AS first
        FROM s_weight s LEFT JOIN published_weight p ON p.dataset_id = $d AND p.judge = s.judge
            AND p.scenario = s.scenario AND p.factor = s.factor"""
    )
    step.reject(
        "s_weight",
        """SELECT row, cell, 'weight', said, 'contradicts the weight ' || coalesce(held, first)::VARCHAR
            || ' that this judge has already for this factor in this scenario'
        FROM said WHERE weight <> coalesce(held, first)""",
    )
    step.run(
        """CREATE OR REPLACE TEMP TABLE fresh AS SELECT judge, any_value(k.kind) AS kind, scenario, factor,
            any_value(weight) AS weight, min(row) AS row
        FROM said JOIN kind_of k USING (judge) WHERE held IS NULL AND weight = first GROUP BY judge, scenario, factor"""
    )
    accepted, whole = (step.count(f"SELECT count(*) FROM {table}") for table in ("fresh", "s_weight"))
    step.progress(0.7, "writing the weights")
    step.insert(
        "published_weight", "SELECT $d, $i, judge, kind, scenario, factor, weight FROM fresh ORDER BY row"
    )
    return Ingested(dataset_id, step.import_id, number, accepted, whole - accepted, tuple(step.inferred))
