"""How do responses that were rated or ranked one by one become pairs? All pairs within a prompt, judge and annotator.

From `raw` and `keyed` (see data/normalise.py) it makes `unit`, one row a rated response, and `cells`, one row a pair: k
responses give k(k - 1)/2 pairs. They share ratings and are not independent, but they share the prompt too, so that
intervals clustered by prompt count them as one source; by annotator they would take the raters of one prompt as
independent. The higher rating wins, equal ones are a tie: without tolerance, 4 and 4.01 are none.
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb
import pyarrow as pa

from data.rankings import UnclearNumbers, read_ranking, slot_of
from data.rated import Rated, Slot, base
from data.words import literal
from errors import MappingError

MOST_RESPONSES = 50
"""More responses to one prompt would be more than 1,225 pairs of one judge."""

MADE = "pairs were made of"
"""In the sentence of an import that says so; `data.health.rated` looks for it in the log of imports."""

Cell = Callable[[str], str]


def make_units(con: duckdb.DuckDBPyConnection, cell: Cell, rated: Rated, number: Cell) -> None:
    """The table `unit`: row, nth, model, body, value (a number as text), and `bad` {field, value, reason} or NULL.

    cell : SQL for a column by name; number : SQL for a text with its decimals as they should be
    Raises MappingError when rankings are lists of numbers and nobody said how they are read.
    """
    if rated.by == "ranking":
        _from_rankings(con, cell, rated)
        return
    parts = [_listed(cell, slot) if rated.form == "lists" else _placed(cell, slot) for slot in rated.slots]
    con.execute("CREATE OR REPLACE TEMP TABLE found AS " + " UNION ALL ".join(parts))
    by = [f"{rated.by}_{slot.number}" if rated.form == "columns" else rated.by for slot in rated.slots]
    names = _case([(slot.number, name) for slot, name in zip(rated.slots, by, strict=True)], rated.form)
    empty = "model IS NULL AND coalesce(body, '') = ''" if rated.form == "columns" else "model IS NULL AND body IS NULL"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE unit AS SELECT row, nth, model, body, value, CASE
            WHEN broken THEN {_bad(names, "value", "is no JSON list of responses")}
            WHEN {empty} THEN {_bad(names, "value", "rates no response: neither its text nor its model is there")}
            WHEN try_cast(value AS DOUBLE) IS NULL OR NOT isfinite(try_cast(value AS DOUBLE))
                THEN {_bad(names, "value", "is not a number")}
            END AS bad
        FROM (SELECT row, nth, nullif(trim(model), '') AS model, body, {number("nullif(trim(value), '')")} AS value, broken
              FROM found) WHERE broken OR value IS NOT NULL"""
    )


def count_unrated(con: duckdb.DuckDBPyConnection, rated: Rated) -> int:
    """Responses without a rating: they are no part of any pair."""
    if rated.by == "ranking":
        return 0
    sql = "SELECT count(*) FROM found WHERE NOT broken AND nullif(trim(value), '') IS NULL"
    n: int = con.execute(sql + " AND (nullif(trim(model), '') IS NOT NULL OR coalesce(body, '') <> '')").fetchall()[0][0]
    return n


def _placed(cell: Cell, slot: Slot) -> str:
    model = cell(slot.model) if slot.model is not None else "CAST(NULL AS VARCHAR)"
    body = cell(slot.response) if slot.response is not None else "CAST(NULL AS VARCHAR)"
    assert slot.value is not None
    return (
        f"SELECT row, {slot.number} AS nth, {model} AS model, {body} AS body, {cell(slot.value)} AS value, "
        "false AS broken FROM raw"
    )


def _listed(cell: Cell, slot: Slot) -> str:
    """Elements of JSON lists; what stands in a list beside is taken by its place."""
    paths = [path for path in (slot.response, slot.model, slot.value) if path is not None]
    columns = list(dict.fromkeys(base(path) for path in paths))
    lists = ", ".join(
        f"TRY(from_json({cell(column)}, '[\"JSON\"]')) AS l{k}, nullif(trim({cell(column)}), '') AS t{k}"
        for k, column in enumerate(columns)
    )
    broken = " OR ".join(f"(t{k} IS NOT NULL AND l{k} IS NULL)" for k in range(len(columns)))

    def part(path: str | None) -> str:
        if path is None:
            return "CAST(NULL AS VARCHAR)"
        column, _, key = path.partition("[]")
        element = f"l{columns.index(column)}[nth]"
        pointer = literal("$" + "".join(f'."{word}"' for word in key.removeprefix(".").split("."))) if key else "'$'"
        return f"({element} ->> {pointer})"

    longest = "greatest(" + ", ".join(f"coalesce(len(l{k}), 0)" for k in range(len(columns))) + ", 0)"
    return f"""SELECT row, nth, {part(slot.model)} AS model, {part(slot.response)} AS body, {part(slot.value)} AS value,
        false AS broken FROM (SELECT *, unnest(range(1, {longest} + 1)) AS nth FROM (SELECT row, {lists} FROM raw)
            WHERE NOT coalesce({broken}, false))
        UNION ALL SELECT row, 0, NULL, NULL, left(coalesce({", ".join(f"t{k}" for k in range(len(columns)))}), 200), true
        FROM (SELECT row, {lists} FROM raw) WHERE {broken}"""


def _from_rankings(con: duckdb.DuckDBPyConnection, cell: Cell, rated: Rated) -> None:
    assert rated.ranking is not None
    con.execute(f"CREATE OR REPLACE TEMP TABLE ranked AS SELECT row, nullif(trim({cell(rated.ranking)}), '') AS said FROM raw")
    texts = [str(t) for (t,) in con.execute("SELECT DISTINCT said FROM ranked WHERE said IS NOT NULL ORDER BY 1").fetchall()]
    rows: list[tuple[str, str | None, int | None, float | None, str | None]] = []
    for text in texts:
        try:
            read = read_ranking(text, rated.numbers)
        except UnclearNumbers:
            raise MappingError(
                f"rankings are lists of numbers ({text[:60]}), which is read in two ways: --set ranking=order, where the "
                "numbers are the responses, best first; --set ranking=ranks, where they are the ranks of response 1, 2, ..."
            ) from None
        except ValueError as error:
            rows.append((text, None, None, None, str(error)))
            continue
        rows += [(text, one.item, slot_of(one.item), one.place, None) for one in read]
    kinds = {"said": pa.string(), "item": pa.string(), "slot": pa.int32(), "place": pa.float64(), "wrong": pa.string()}
    arrays = [pa.array([row[k] for row in rows], kind) for k, kind in enumerate(kinds.values())]
    con.register("rankings_read", pa.table(arrays, names=list(kinds)))
    con.execute("CREATE OR REPLACE TEMP TABLE ranking AS FROM rankings_read")
    con.unregister("rankings_read")
    if not rated.slots:
        if any(item is not None and item.isdigit() for _, item, *_ in rows):
            raise MappingError(
                "the rankings name responses by number, and no column says which response or model that is: map "
                "response_1, response_2, ... (or model_1, model_2, ...)"
            )
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE unit AS SELECT row, row_number() OVER (PARTITION BY row ORDER BY place, item) AS nth,
                item AS model, CAST(NULL AS VARCHAR) AS body, place::VARCHAR AS value,
                CASE WHEN wrong IS NOT NULL THEN {_bad("'ranking'", "said", None, "wrong")} END AS bad
            FROM ranked JOIN ranking USING (said)"""
        )
        return
    parts = [_placed(cell, Slot(s.number, s.response, s.model, rated.ranking)) for s in rated.slots]
    known = len(rated.slots)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE slot AS SELECT row, nth, nullif(trim(model), '') AS model, body
        FROM ({" UNION ALL ".join(parts)});
        CREATE OR REPLACE TEMP TABLE unit AS SELECT k.row, coalesce(s.nth, 100 + row_number() OVER (ORDER BY k.row)) AS nth,
            s.model, s.body, place::VARCHAR AS value, CASE
            WHEN wrong IS NOT NULL THEN {_bad("'ranking'", "said", None, "wrong")}
            WHEN s.nth IS NULL THEN {_bad("'ranking'", "item", f"names no response of the row: there are {known}")}
            WHEN s.model IS NULL AND coalesce(s.body, '') = '' THEN {_bad("'ranking'", "item", "names a response that is not there")}
            END AS bad
        FROM ranked k JOIN ranking r USING (said)
        LEFT JOIN slot s ON s.row = k.row AND (s.model = r.item OR (s.nth = r.slot AND NOT EXISTS (
            SELECT 1 FROM slot o WHERE o.row = k.row AND o.model = r.item)))"""
    )
    # One wrong item makes the whole ranking doubtful; it is told once.
    con.execute(
        """CREATE OR REPLACE TEMP TABLE unit AS SELECT * FROM unit
        WHERE row NOT IN (SELECT row FROM unit WHERE bad IS NOT NULL)
        UNION ALL SELECT * FROM unit WHERE bad IS NOT NULL QUALIFY row_number() OVER (PARTITION BY row ORDER BY nth) = 1"""
    )


def make_cells(con: duckdb.DuckDBPyConnection, rated: Rated) -> None:
    """`cells` from `unit` and `keyed`: one row a pair, and one for each response that can be in none, with `unit_bad`."""
    named = f"'{rated.by}_' || nth" if rated.form == "columns" and rated.by != "ranking" else literal(rated.by)
    alike = "model, md5_number_lower(body)" if rated.form == "rows" else "nth"
    who = "prompt_key, prompt_id, judge, annotator, criterion, variant, repeat"
    group = f"hash({who})" if rated.form == "rows" else "row"
    empty = (
        f"""WHEN prompt_key IS NULL AND prompt_id IS NULL THEN {_bad("'prompt'", "NULL", "is empty")}
            WHEN judge IS NULL THEN {_bad("'judge'", "NULL", "is empty")}"""
        if rated.form == "rows" else ""
    )  # fmt: skip
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE judged AS SELECT *, count(*) FILTER (bad IS NULL) OVER (PARTITION BY grp) AS k
        FROM (SELECT * REPLACE (CASE WHEN bad IS NOT NULL THEN bad {empty} WHEN again > 1 THEN
                {_bad("'response'", "coalesce(model, left(body, 60))", "is rated here before by the same judge: name the "
                      "annotator (or the repeat), so that it is clear which ratings belong together")} END AS bad)
            FROM (SELECT u.*, md5_number_lower(body) AS text, {group} AS grp,
                    row_number() OVER (PARTITION BY {group}, {alike}, u.bad IS NULL ORDER BY row, nth) AS again,
                    {"prompt_key, prompt_id, judge" if rated.form == "rows" else "1"}
                FROM unit u{" JOIN keyed USING (row)" if rated.form == "rows" else ""}));
        CREATE OR REPLACE TEMP TABLE lone AS SELECT row, nth, CASE WHEN bad IS NOT NULL THEN bad
            WHEN k < 2 THEN {_bad(named, "value", "is of the only response to its prompt that this judge rated: "
                                  "nothing to compare it with")}
            WHEN k > {MOST_RESPONSES} THEN {_bad(named, "value",
                f"is one of more than {MOST_RESPONSES} to one prompt by one judge, which would be over "
                f"{MOST_RESPONSES * (MOST_RESPONSES - 1) // 2:,} pairs: import some of the models only")} END AS bad
        FROM judged WHERE bad IS NOT NULL OR k < 2 OR k > {MOST_RESPONSES};
        CREATE OR REPLACE TEMP TABLE paired AS SELECT u.row, row_number() OVER (PARTITION BY u.row ORDER BY v.row, u.nth, v.nth) - 1
                AS cell, u.model AS m_a, v.model AS m_b, u.text AS t_a, v.text AS t_b,
            u.value AS v_a, v.value AS v_b
        FROM judged u JOIN judged v ON u.grp = v.grp AND (u.row, u.nth) < (v.row, v.nth)
        WHERE u.bad IS NULL AND v.bad IS NULL AND u.k BETWEEN 2 AND {MOST_RESPONSES};
        DROP TABLE judged"""
    )
    if rated.by == "rating":
        verdict = "v_a AS score_a, v_b AS score_b"
    else:
        better = "try_cast(v_a AS DOUBLE) < try_cast(v_b AS DOUBLE)"
        equal = "try_cast(v_a AS DOUBLE) = try_cast(v_b AS DOUBLE)"
        verdict = f"CASE WHEN {better} THEN 'a' WHEN {equal} THEN 'tie' ELSE 'b' END AS winner"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE cells AS
        SELECT k.* REPLACE (m_a AS model_a, m_b AS model_b, t_a AS text_a, t_b AS text_b, {verdict}),
            cell, CAST(NULL AS VARCHAR) AS winner_column,
            CAST(NULL AS STRUCT(field VARCHAR, "value" VARCHAR, reason VARCHAR)) AS unit_bad
        FROM paired JOIN keyed k USING (row)
        UNION ALL SELECT k.*, {1 << 20} + nth, NULL, bad FROM lone JOIN keyed k USING (row);
        DROP TABLE paired"""
    )


def said(con: duckdb.DuckDBPyConnection, rated: Rated, unrated: int) -> list[str]:
    """What the reader should know about these pairs, in sentences."""
    pairs, ties = con.execute(
        "SELECT count(*), count(*) FILTER (outcome = 3) FROM stage WHERE bad_reason IS NULL"
    ).fetchall()[0]
    alone = con.execute("SELECT count(*) FROM lone").fetchall()[0][0]
    responses = con.execute("SELECT count(*) FROM unit").fetchall()[0][0] - alone
    what = {"rating": "rated", "rank": "ranked", "ranking": "ranked"}[rated.by]
    out = [
        f"{pairs:,} {MADE} {responses:,} {what} responses: all pairs within a prompt, judge and annotator"
        + (f"; {ties:,} with equal {'ratings' if rated.by == 'rating' else 'ranks'} are ties" if ties else "")
    ]
    if pairs > responses / 2:
        out.append(
            "pairs of one prompt share their ratings and are not independent: intervals are right when clustered by "
            "prompt, as they are from 10 prompts on, not by pair; a prompt with k responses weighs k(k - 1)/2 pairs"
        )
    if unrated:
        out.append(f"{unrated:,} responses without a {'rating' if rated.by == 'rating' else 'rank'} are in no pair")
    return out


def _case(names: list[tuple[int, str]], form: str) -> str:
    if form != "columns":
        return literal(names[0][1])
    return "CASE nth " + " ".join(f"WHEN {number} THEN {literal(name)}" for number, name in names) + " END"


def _bad(field: str, value: str, reason: str | None, sql: str = "NULL") -> str:
    """SQL of what is wrong. field, value, sql (a reason) : SQL; reason : text"""
    told = literal(reason) if reason is not None else f"CAST({sql} AS VARCHAR)"
    return f"{{'field': CAST({field} AS VARCHAR), 'value': CAST({value} AS VARCHAR), 'reason': {told}}}"
