"""Which weights have others published of which judges?"""

from __future__ import annotations

import hashlib

import duckdb
import pandas as pd

from data.shown_names import read as read_display

Con = duckdb.DuckDBPyConnection


def published_judges(con: Con, dataset_id: int) -> pd.DataFrame:
    """One row a judge, in the order of the files: judge, kind, weights, scenarios, factors."""
    return con.execute(
        """SELECT judge, any_value(kind) AS kind, count(*) AS weights, count(DISTINCT scenario) AS scenarios,
            count(DISTINCT factor) AS factors
        FROM published_weight WHERE dataset_id = $d GROUP BY judge ORDER BY min(rowid)""",
        {"d": dataset_id},
    ).df()


def published_scenarios(con: Con, dataset_id: int) -> list[str]:
    """Names of the published scenarios, in the order of the files."""
    rows = con.execute(
        "SELECT scenario FROM published_weight WHERE dataset_id = $d GROUP BY scenario ORDER BY min(rowid)",
        {"d": dataset_id},
    ).fetchall()
    return [name for (name,) in rows]


def published_weights(con: Con, dataset_id: int) -> pd.DataFrame:
    """judge, kind, scenario, factor, weight, in the order of the files."""
    return con.execute(
        "SELECT judge, kind, scenario, factor, weight FROM published_weight WHERE dataset_id = $d ORDER BY rowid",
        {"d": dataset_id},
    ).df()


def n_published(con: Con, dataset_id: int) -> int:
    """How many judges have published weights here."""
    rows = con.execute("SELECT count(DISTINCT judge) FROM published_weight WHERE dataset_id = $d", {"d": dataset_id})
    return int(rows.fetchall()[0][0])


def published_word(con: Con, dataset_id: int) -> str:
    """A digest of the published weights, equal for equal ones in any store and order; '' without any."""
    rows = con.execute(
        "SELECT judge, scenario, factor, weight FROM published_weight WHERE dataset_id = $d ORDER BY ALL",
        {"d": dataset_id},
    ).fetchall()
    if not rows:
        return ""
    display = read_display(con, dataset_id)
    rows = sorted((display.real("judge", judge), *rest) for judge, *rest in rows)
    return hashlib.sha256("\x1e".join("\x1f".join(map(repr, row)) for row in rows).encode()).hexdigest()[:16]
