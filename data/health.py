"""What in a dataset should make its reader careful? Facts for the health rules, counted in the store."""

from __future__ import annotations

import duckdb
import pandas as pd

from data.queries import Catalog


def thin_cells(con: duckdb.DuckDBPyConnection, names: Catalog, least: int) -> pd.DataFrame:
    """Judge x scenario cells with at least one but fewer than `least` judgments: judge, scenario, judgments."""
    return con.execute(
        f"""SELECT g.name AS judge, s.name AS scenario, n AS judgments FROM (
            SELECT judge_id, scenario_id, count(*) AS n FROM judgment WHERE dataset_id = {names.dataset_id}
            AND outcome <> 0 AND scenario_id IS NOT NULL GROUP BY ALL HAVING count(*) < {least})
        JOIN judge g USING (judge_id) JOIN scenario s USING (scenario_id) ORDER BY n, judge, scenario"""
    ).df()


def identical_votes(con: duckdb.DuckDBPyConnection, names: Catalog) -> pd.DataFrame:
    """Rows of unnamed people alike in pair, verdict, order, criterion and variant: judge, rows (beyond the first)."""
    return con.execute(
        f"""SELECT g.name AS judge, sum(n - 1)::BIGINT AS "rows", count(*) AS pairs FROM (
            SELECT judge_id, pair_id, criterion_id, variant_id, outcome, p_a, shown, count(*) AS n FROM judgment
            WHERE dataset_id = {names.dataset_id} AND annotator_id IS NULL
            AND judge_id IN (SELECT judge_id FROM judge WHERE kind = 'human') GROUP BY ALL HAVING count(*) > 1)
        JOIN judge g USING (judge_id) GROUP BY g.name ORDER BY g.name"""
    ).df()


def order_known(con: duckdb.DuckDBPyConnection, names: Catalog) -> pd.DataFrame:
    """How often the shown order is known: judge, judgments, known."""
    return con.execute(
        f"""SELECT g.name AS judge, count(*) AS judgments, count(*) FILTER (shown <> 0) AS known
        FROM judgment j JOIN judge g USING (judge_id) WHERE j.dataset_id = {names.dataset_id} AND outcome <> 0
        GROUP BY g.judge_id, g.name ORDER BY g.judge_id"""
    ).df()


def no_verdicts(con: duckdb.DuckDBPyConnection, names: Catalog) -> pd.DataFrame:
    """Refused or invalid judgments: judge, judgments, none."""
    return con.execute(
        f"""SELECT g.name AS judge, count(*) AS judgments, count(*) FILTER (outcome = 0) AS "none"
        FROM judgment j JOIN judge g USING (judge_id) WHERE j.dataset_id = {names.dataset_id}
        GROUP BY g.judge_id, g.name HAVING count(*) FILTER (outcome = 0) > 0 ORDER BY g.judge_id"""
    ).df()


def missing_texts(con: duckdb.DuckDBPyConnection, names: Catalog) -> tuple[int, int]:
    """How many responses are judged without their text (none, or an empty one), and how many there are."""
    without, responses = con.execute(
        f"""SELECT count(*) FILTER (coalesce(trim(t.body), '') = ''), count(*) FROM response r
        LEFT JOIN text t USING (text_id) WHERE r.dataset_id = {names.dataset_id}"""
    ).fetchall()[0]
    return int(without), int(responses)
