"""To which responses and judgments do the values of a table of factors belong, and what does a response's several make?

- Rows are looked up by pair or by response (data/factor_columns.py); what matches nothing, or two, is rejected.
- Values of one response that differ: their mean, of words the most frequent one (none among equals), is the response's.
- A row that names an annotator (or a judge) who judged that response: the value is also that judgment's own.
- What an earlier import delivered of a response or judgment holds: the same again is a duplicate, another is rejected.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from data.duck import told
from data.factor_columns import FactorMapping
from data.factor_kinds import as_label, as_number, settle_kinds
from data.factor_match import match_rows, nothing_matched
from data.ingest import Ingested, begin
from data.model import Progress, silent
from data.normalise import Staged
from data.queries.labels import LONGEST_LEVEL, MOST_LEVELS, SEPARATOR
from data.step import Step, Told
from data.words import literal

STAGED = {
    "s_key": "SELECT * EXCLUDE (bad_field, bad_value, bad_reason, winner_column) FROM stage WHERE bad_reason IS NULL",
    "s_name": "FROM name_stage",
    "s_value": "FROM value_stage",
}
"""The staged tables that cross over to the store: keys, names of factors, values."""


def stage(
    con: duckdb.DuckDBPyConnection, columns: Sequence[str], mapping: FactorMapping, progress: Progress = silent
) -> Staged:
    """Make `stage` (keys), `name_stage` (factors) and `value_stage` (row, number, side, word) from `raw`."""
    at = {name: f"c{k}" for k, name in enumerate(columns)}
    of, fixed = dict(mapping.columns), dict(mapping.constants)
    tell = Told(progress)

    def run(sql: str) -> None:
        told(con, lambda: con.execute(sql), tell.again)

    # A key of a sheet says which response is meant, however a spreadsheet has changed the cells beside it.
    beside = ("prompt_id", "prompt", "model", "response") if _by_key(mapping) else ()

    def cell(key: str) -> str:
        if key in beside:
            return "CAST(NULL AS VARCHAR)"
        return at[of[key]] if key in of else literal(fixed[key]) if key in fixed else "CAST(NULL AS VARCHAR)"

    def name(key: str) -> str:
        return f"nullif(trim({cell(key)}), '')"

    tell(0.0, "reading the values")
    con.execute("CREATE OR REPLACE TEMP TABLE name_stage (number INTEGER, name VARCHAR)")
    con.executemany("INSERT INTO name_stage VALUES (?, ?)", [(k, f) for k, (f, _, _) in enumerate(mapping.factors)])
    cells = {
        f"{side}{k}": at[column]
        for k, (_, *pair) in enumerate(mapping.factors) for side, column in zip("ab", pair, strict=True) if column
    }  # fmt: skip
    picked = ", ".join(f"nullif(trim({column}), '') AS {code}" for code, column in cells.items())
    run(
        f"""CREATE OR REPLACE TEMP TABLE value_stage AS SELECT row, code[2:]::INTEGER AS number, code[1] AS side, word
        FROM (UNPIVOT (SELECT row, {picked} FROM raw) ON {", ".join(cells)} INTO NAME code VALUE word)"""
    )
    tell(0.6, "reading the keys")
    paired = ("model_a", "model_b", "response_a", "response_b")
    sides = paired if mapping.of_pairs else ("model", "", "response", "")
    model_a, model_b, text_a, text_b = (cell(key) for key in sides)
    prompt = f"CASE WHEN trim({cell('prompt')}) <> '' THEN {cell('prompt')} END"
    pair_id = name("pair_id") if mapping.of_pairs else "CAST(NULL AS VARCHAR)"
    run(
        f"""CREATE OR REPLACE TEMP TABLE key_cells AS SELECT row, {pair_id} AS pair_id,
        {name("prompt_id")} AS prompt_id, {prompt} AS prompt, md5_number_lower({prompt}) AS prompt_key,
        nullif(trim({model_a}), '') AS model_a, nullif(trim({model_b}), '') AS model_b,
        md5_number_lower({text_a}) AS text_a, md5_number_lower({text_b}) AS text_b,
        {name("annotator")} AS annotator, {name("judge")} AS judge, {name("response_key")} AS response_key,
        row IN (SELECT row FROM value_stage) AS filled FROM raw"""
    )
    run(f"CREATE OR REPLACE TEMP TABLE stage AS {_checked(mapping)}")
    con.execute("DROP TABLE key_cells")
    n_rows = con.execute("SELECT count(*) FROM stage").fetchall()[0][0]
    return Staged(n_rows, n_rows, 0, tuple(_empty_columns(con)))


def _by_key(mapping: FactorMapping) -> bool:
    return mapping.has("response_key") and not mapping.of_pairs


def _checked(mapping: FactorMapping) -> str:
    """SQL: the keys of each row, and which rule it breaks."""
    prompt = "prompt_id" if mapping.has("prompt_id") else "prompt"
    asked = "prompt_id IS NULL AND prompt_key IS NULL"
    if mapping.of_pairs:
        lone = "(model_a IS NULL OR model_b IS NULL) AND (text_a IS NULL OR text_b IS NULL)"
        first = "pair_id" if mapping.has("pair_id") else prompt
        side = "model_a" if mapping.has("model_a") or not mapping.has("response_a") else "response_a"
        rules = [
            (f"pair_id IS NULL AND {asked}", first, "is empty"),
            (f"pair_id IS NULL AND {lone}", side if mapping.has(side) else first,
             "is empty: without both models or both texts a row names no pair" if mapping.has(side) else "is empty"),
        ]  # fmt: skip
    elif _by_key(mapping):
        rules = [("response_key IS NULL", "response_key", "is empty")]
    else:
        who = "model" if mapping.has("model") else "response"
        rules = [(asked, prompt, "is empty"), ("model_a IS NULL AND text_a IS NULL", who, "is empty")]
    rules.append(("NOT filled", "", "has no value of any factor"))

    def case(position: int) -> str:
        found = " ".join(f"WHEN {rule[0]} THEN nullif({literal(rule[position])}, '')" for rule in rules)
        return f"CASE {found} END"

    return (
        f"SELECT * EXCLUDE (filled), 0 AS cell, CAST(NULL AS VARCHAR) AS winner_column, {case(1)} AS bad_field, "
        f"CAST(NULL AS VARCHAR) AS bad_value, {case(2)} AS bad_reason FROM key_cells"
    )


def _empty_columns(con: duckdb.DuckDBPyConnection) -> list[str]:
    names = [
        name for (name,) in con.execute(
            "SELECT name FROM name_stage WHERE number NOT IN (SELECT number FROM value_stage) ORDER BY number"
        ).fetchall()
    ]  # fmt: skip
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ["without any value, and so no factors yet: " + ", ".join(names[:20]) + more] if names else []


# -- into the store -----------------------------------------------------------------------------------------------


def ingest_factors(con: duckdb.DuckDBPyConnection, dataset_id: int, progress: Progress = silent) -> Ingested:
    """Write the staged values. `accepted` and `duplicates` count rows of the table."""
    step, number = begin(con, dataset_id, progress)
    tell = step.progress
    tell(0.05, "looking the rows up")
    match_rows(step)
    tell(0.4, "telling numbers from words")
    settle_kinds(step, "SELECT n.name, v.word FROM s_value v JOIN s_name n USING (number) JOIN hit USING (row, side)")
    _entries(step)
    tell(0.6, "settling what each response has")
    _settle(step)
    _compare(step)
    if step.count("SELECT count(*) FROM status WHERE contradicts IS NOT NULL"):
        step.reject(
            "s_key",
            """SELECT row, 0 AS cell, n.name, max(v.word),
                'contradicts what an earlier import delivered for this response (' || max(t.contradicts)
                || '): withdraw that import, or give the factor another name'
            FROM status t JOIN s_value v USING (row, number) JOIN s_name n USING (number)
            WHERE t.contradicts IS NOT NULL
            GROUP BY row, n.name QUALIFY row_number() OVER (PARTITION BY row ORDER BY n.name) = 1""",
        )
        step.run("DELETE FROM entry WHERE row NOT IN (SELECT row FROM s_key)")
        _settle(step)
        _compare(step)
    tell(0.8, "storing the values")
    duplicates = step.count(
        """WITH held AS (SELECT row, count(*) AS n FROM status GROUP BY row HAVING bool_and(held)),
        whole AS (SELECT row, count(*) AS n FROM entry WHERE row IN (SELECT row FROM held) GROUP BY row)
        SELECT count(*) FROM s_key WHERE row IN (SELECT row FROM twin)
            OR row IN (SELECT row FROM held JOIN whole USING (row, n))"""
    )
    accepted = step.count("SELECT count(*) FROM s_key") - duplicates
    _store(step)
    _remarks(step)
    nothing = None if accepted or duplicates else nothing_matched(step)
    return Ingested(dataset_id, step.import_id, number, accepted, duplicates, tuple(step.inferred), nothing)


def _entries(step: Step) -> None:
    """`entry`: one row a value of a response; `owner`: whose judgments a row speaks of. Rows without a usable value are
    rejected, rows that a named rater gave twice are in `twin`."""
    step.run(
        f"""CREATE OR REPLACE TEMP TABLE entry AS SELECT v.row, v.number, h.response_id, h.pair_id,
            {as_number("v.word")} AS value, {as_label("v.word")} AS label
        FROM s_value v JOIN hit h USING (row, side) JOIN s_name n USING (number) JOIN kind_of k ON k.name = n.name;
        DELETE FROM entry WHERE value IS NULL AND label IS NULL"""
    )
    step.reject(
        "s_key",
        """SELECT s.row, s.cell, n.name, v.word, 'is no number, and the row has no other value'
        FROM s_key s JOIN s_value v USING (row) JOIN s_name n USING (number) WHERE s.row NOT IN (SELECT row FROM entry)
        QUALIFY row_number() OVER (PARTITION BY s.row ORDER BY v.number) = 1""",
    )
    step.run(
        """CREATE OR REPLACE TEMP TABLE named AS SELECT row, judge, annotator FROM s_key
        WHERE annotator IS NOT NULL OR judge IS NOT NULL;
        CREATE OR REPLACE TEMP TABLE twin AS SELECT row FROM named JOIN (
            SELECT row, bit_xor(hash(number, response_id, pair_id, value, label)) AS what
            FROM entry SEMI JOIN named USING (row) GROUP BY row) USING (row)
        QUALIFY row_number() OVER (PARTITION BY judge, annotator, what ORDER BY row) > 1;
        DELETE FROM entry WHERE row IN (SELECT row FROM twin);
        CREATE OR REPLACE TEMP TABLE owner AS SELECT s.row, j.judge_id, a.annotator_id
        FROM named s JOIN judge j ON j.dataset_id = $d AND (s.judge IS NULL OR j.name = s.judge)
        LEFT JOIN annotator a ON a.judge_id = j.judge_id AND a.name = s.annotator
        WHERE (s.annotator IS NULL) = (a.annotator_id IS NULL)"""
    )
    # A value of a pair's row belongs to the judgments of that pair, one of a response's row to all with the response.
    step.run(
        """CREATE OR REPLACE TEMP TABLE own AS
        SELECT e.row, e.number, j.judgment_id, CASE WHEN p.response_a = e.response_id THEN 'a' ELSE 'b' END AS side,
            e.response_id, e.value, e.label
        FROM entry e JOIN owner o USING (row) JOIN judgment j ON j.dataset_id = $d AND j.judge_id = o.judge_id
            AND (o.annotator_id IS NULL OR j.annotator_id = o.annotator_id) AND j.pair_id = e.pair_id
        JOIN pair p ON p.pair_id = j.pair_id WHERE e.pair_id IS NOT NULL
        UNION ALL
        SELECT e.row, e.number, j.judgment_id, p.side, e.response_id, e.value, e.label
        FROM entry e JOIN owner o USING (row) JOIN (
            SELECT pair_id, response_a AS response_id, 'a' AS side FROM pair WHERE dataset_id = $d
            UNION ALL SELECT pair_id, response_b, 'b' FROM pair WHERE dataset_id = $d) p
            ON p.response_id = e.response_id
        JOIN judgment j ON j.dataset_id = $d AND j.judge_id = o.judge_id
            AND (o.annotator_id IS NULL OR j.annotator_id = o.annotator_id) AND j.pair_id = p.pair_id
        WHERE e.pair_id IS NULL"""
    )


def _agree(step: Step, source: str, keys: str, into: str) -> None:
    """Make `into`: of each `keys` the one value or, where they differ, the mean or the most frequent label.

    The mean is taken in the order of the values, so that it is the same to the last digit however the rows come.
    """
    step.run(
        f"""CREATE OR REPLACE TEMP TABLE alike AS SELECT {keys}, count(*) AS rows, min(value) AS value,
            min(label) AS label,
            coalesce(min(value) <> max(value), false) OR coalesce(min(label) <> max(label), false) AS differs
        FROM {source} GROUP BY ALL;
        CREATE OR REPLACE TEMP TABLE mixed AS
        WITH these AS (SELECT s.* FROM {source} s SEMI JOIN (SELECT * FROM alike WHERE differs) USING ({keys})),
        votes AS (SELECT {keys}, label, count(*) AS n FROM these WHERE label IS NOT NULL GROUP BY ALL),
        most AS (SELECT {keys}, max(n) AS n FROM votes GROUP BY ALL),
        winner AS (SELECT {keys}, CASE WHEN count(*) = 1 THEN min(label) END AS label
            FROM votes JOIN most USING ({keys}, n) GROUP BY ALL),
        means AS (SELECT {keys}, count(*) AS rows, avg(value ORDER BY value) AS value FROM these GROUP BY ALL)
        SELECT {keys}, rows, means.value, winner.label, true AS differs FROM means LEFT JOIN winner USING ({keys});
        CREATE OR REPLACE TEMP TABLE {into} AS SELECT * FROM alike WHERE NOT differs UNION ALL SELECT * FROM mixed;
        DROP TABLE alike;
        DROP TABLE mixed"""
    )


def _same(x: str, y: str) -> str:
    """SQL: two values say the same; one label says the same as the set of it alone."""
    labels = f"rtrim({x}.label, '{SEPARATOR}') IS NOT DISTINCT FROM rtrim({y}.label, '{SEPARATOR}')"
    return f"({x}.value IS NOT DISTINCT FROM {y}.value AND {labels})"


def _has(x: str) -> str:
    """SQL: there is a value."""
    return f"({x}.value IS NOT NULL OR {x}.label IS NOT NULL)"


def _settle(step: Step) -> None:
    """`whole`: what each response has of each factor; `mine`: what a judgment has of its own, per side."""
    step.run("DELETE FROM own WHERE row NOT IN (SELECT row FROM entry)")
    _agree(step, "entry", "response_id, number", "whole")
    _agree(step, "own", "judgment_id, side, response_id, number", "mine")


def _compare(step: Step) -> None:
    """`status`: of each value whose response or judgment has one from earlier imports, whether it is the same (`held`),
    and which else it is."""
    step.run(
        f"""CREATE OR REPLACE TEMP TABLE held_response AS
        SELECT n.number, r.response_id, arg_min(r.value, r.import_id) AS value,
            arg_min(r.label, r.import_id) AS label
        FROM response_value r JOIN factor f ON f.factor_id = r.factor_id JOIN s_name n ON n.name = f.name
        WHERE r.dataset_id = $d AND f.dataset_id = $d GROUP BY ALL;
        CREATE OR REPLACE TEMP TABLE held_own AS
        SELECT n.number, v.judgment_id, side, arg_min(value, import_id) AS value,
            arg_min(label, import_id) AS label
        FROM (SELECT factor_id, judgment_id, 'a' AS side, value_a AS value, label_a AS label, import_id
                FROM judgment_value WHERE dataset_id = $d
            UNION ALL SELECT factor_id, judgment_id, 'b', value_b, label_b, import_id
                FROM judgment_value WHERE dataset_id = $d) v
        JOIN factor f ON f.factor_id = v.factor_id AND f.dataset_id = $d JOIN s_name n ON n.name = f.name
        WHERE value IS NOT NULL OR label IS NOT NULL GROUP BY ALL;
        CREATE OR REPLACE TEMP TABLE status AS
        WITH judged AS (
            SELECT o.row, o.number, o.response_id,
                bool_and(CASE WHEN {_has("h")} THEN {_same("h", "m")} ELSE {_has("r")} AND {_same("r", "m")} END)
                    AS held,
                max(coalesce(h.value::VARCHAR, h.label)) FILTER ({_has("h")} AND NOT {_same("h", "m")}) AS contradicts
            FROM own o JOIN mine m USING (judgment_id, side, response_id, number)
            LEFT JOIN held_own h USING (judgment_id, side, number) LEFT JOIN held_response r USING (response_id, number)
            GROUP BY ALL)
        SELECT * FROM judged
        UNION ALL SELECT e.row, e.number, e.response_id, {_same("h", "w")},
            CASE WHEN NOT {_same("h", "w")} THEN coalesce(h.value::VARCHAR, h.label) END
        FROM entry e JOIN held_response h USING (response_id, number) JOIN whole w USING (response_id, number)
        ANTI JOIN judged j USING (row, number, response_id)"""
    )


def _store(step: Step) -> None:
    step.insert(
        "factor",
        """SELECT (SELECT coalesce(max(factor_id), 0) FROM factor) + row_number() OVER (ORDER BY number), $d, name
        FROM s_name WHERE number IN (SELECT number FROM entry)
            AND NOT EXISTS (SELECT 1 FROM factor f WHERE f.dataset_id = $d AND f.name = s_name.name)""",
    )
    # Factor by factor, as they are read. A value that an earlier import holds too is written again, so that withdrawing
    # that import leaves this one's.
    step.insert(
        "response_value",
        f"""SELECT $d, w.response_id, f.factor_id, w.value, w.label, $i
        FROM whole w JOIN s_name n USING (number) JOIN factor f ON f.dataset_id = $d AND f.name = n.name
        LEFT JOIN held_response h USING (response_id, number)
        WHERE {_has("w")} AND (h.response_id IS NULL OR {_same("h", "w")}) ORDER BY f.factor_id, w.response_id""",
    )
    # Where everybody agrees the response's value says it all, unless the response has another from an earlier import.
    step.insert(
        "judgment_value",
        f"""SELECT $d, judgment_id, f.factor_id, max(m.value) FILTER (side = 'a'), max(m.value) FILTER (side = 'b'),
            max(m.label) FILTER (side = 'a'), max(m.label) FILTER (side = 'b'), $i
        FROM mine m JOIN whole w USING (response_id, number) JOIN s_name n USING (number)
        JOIN factor f ON f.dataset_id = $d AND f.name = n.name LEFT JOIN held_response h USING (response_id, number)
        WHERE {_has("m")} AND (w.differs OR (h.response_id IS NOT NULL AND NOT {_same("h", "w")}))
        GROUP BY judgment_id, f.factor_id""",
    )


def _remarks(step: Step) -> None:
    """What was made of several values, and which factors cannot explain anything."""
    for name, several, equals, own, label in step.con.execute(
        f"""SELECT n.name, count(*), count(*) FILTER (NOT {_has("w")}),
            (SELECT count(DISTINCT judgment_id) FROM mine m JOIN whole o USING (response_id, number)
             WHERE m.number = w.number AND o.differs),
            max(k.kind) IN ('label', 'set')
        FROM whole w JOIN s_name n USING (number) JOIN kind_of k ON k.name = n.name
        WHERE w.differs GROUP BY n.name, w.number ORDER BY w.number LIMIT 20"""
    ).fetchall():
        which = "the most frequent one counts" if label else "their mean counts"
        said = f"responses with values of {name} that differ: {several:,}; {which}"
        if equals:
            said += f", none for {equals:,} with equally frequent ones"
        if own:
            said += f"; judgments that keep their own annotator's or judge's: {own:,}"
        step.inferred.append(said)
    strangers = step.count(
        """SELECT count(*) FROM s_key WHERE (annotator IS NOT NULL OR judge IS NOT NULL)
        AND row IN (SELECT row FROM entry) AND row NOT IN (SELECT row FROM own)"""
    )
    if strangers:
        step.inferred.append(
            f"of an annotator or judge who gave no verdict on that response, and so counting for the response alone: "
            f"{strangers:,} rows"
        )
    for name, one in step.con.execute(
        """SELECT n.name, coalesce(min(value)::VARCHAR, min(label)) FROM whole w JOIN s_name n USING (number)
        GROUP BY n.name, w.number HAVING coalesce(min(value) = max(value), true)
            AND coalesce(min(label) = max(label), true) AND count(*) > 1 AND NOT bool_or(differs)
        ORDER BY w.number LIMIT 20"""
    ).fetchall():
        step.inferred.append(f"{name} is {one[:40].removesuffix('.0')} everywhere: it cannot explain anything")
    for name, n, longest in step.con.execute(
        f"""SELECT n.name, count(DISTINCT label), max(length(label)) FROM entry JOIN s_name n USING (number)
        JOIN kind_of k ON k.name = n.name WHERE k.kind = 'label' GROUP BY n.name, number
        HAVING count(DISTINCT label) > {MOST_LEVELS} OR max(length(label)) > {LONGEST_LEVEL} ORDER BY number LIMIT 20"""
    ).fetchall():
        step.inferred.append(
            f"{name} holds {n:,} different words of up to {longest:,} characters: a column of free text is no factor, "
            "and no model takes it"
        )


def written(con: duckdb.DuckDBPyConnection) -> list[dict[str, object]]:
    """What an import that just ran made of each factor: factor, kind, values (of responses)."""
    rows = con.execute(
        f"""SELECT n.name, k.kind, count(w.response_id) FROM s_name n JOIN kind_of k ON k.name = n.name
        LEFT JOIN whole w ON w.number = n.number AND {_has("w")}
        GROUP BY n.number, n.name, k.kind ORDER BY n.number"""
    ).fetchall()
    return [{"factor": name, "kind": kind, "values": n} for name, kind, n in rows]


