"""Keeping a dataset in order after rows came or went: scenarios, the labels' fingerprint, orphans."""

from __future__ import annotations

import duckdb


def assign_scenarios(con: duckdb.DuckDBPyConnection, dataset_id: int) -> None:
    """Give each prompt (and its judgments) the scenario that the earliest import claims for it."""
    due = con.execute(
        f"""CREATE OR REPLACE TEMP TABLE due AS SELECT p.prompt_id, c.scenario_id FROM prompt p LEFT JOIN (
            SELECT prompt_id, arg_min(scenario_id, import_id) AS scenario_id FROM prompt_scenario
            WHERE dataset_id = {dataset_id} GROUP BY prompt_id) c USING (prompt_id)
        WHERE p.dataset_id = {dataset_id} AND p.scenario_id IS DISTINCT FROM c.scenario_id"""
    ).fetchall()[0][0]
    if due:
        con.execute(
            """UPDATE prompt SET scenario_id = due.scenario_id FROM due WHERE prompt.prompt_id = due.prompt_id;
            UPDATE judgment SET scenario_id = due.scenario_id FROM due WHERE judgment.prompt_id = due.prompt_id"""
        )


def fingerprint_labels(con: duckdb.DuckDBPyConnection, dataset_id: int) -> None:
    """The scenario labels' share of the fingerprint, of the dataset as it now is (judge_id and import_id NULL)."""
    con.execute(
        f"""DELETE FROM fingerprint WHERE dataset_id = {dataset_id} AND judge_id IS NULL;
        INSERT INTO fingerprint SELECT {dataset_id}, NULL, NULL, count(*), (sum(md5_number_lower(concat_ws(chr(31),
            coalesce(p.external_id, ''), coalesce(t.hash::VARCHAR, ''), s.name))) % 18446744073709551616)::UBIGINT
        FROM prompt p JOIN scenario s ON s.scenario_id = p.scenario_id LEFT JOIN text t ON t.text_id = p.text_id
        WHERE p.dataset_id = {dataset_id} HAVING count(*) > 0"""
    )


def prune(con: duckdb.DuckDBPyConnection, dataset_id: int) -> None:
    """Remove what no judgment of the dataset refers to any more (and texts that nothing refers to)."""
    d = dataset_id
    statements = [
        f"DELETE FROM pair WHERE dataset_id = {d} AND pair_id NOT IN (SELECT pair_id FROM judgment WHERE dataset_id = {d})",
        f"DELETE FROM pair_key WHERE dataset_id = {d} AND pair_id NOT IN (SELECT pair_id FROM pair WHERE dataset_id = {d})",
        f"DELETE FROM response WHERE dataset_id = {d} AND response_id NOT IN (SELECT response_a FROM pair WHERE "
        f"dataset_id = {d} UNION ALL SELECT response_b FROM pair WHERE dataset_id = {d})",
        f"DELETE FROM prompt WHERE dataset_id = {d} AND prompt_id NOT IN (SELECT prompt_id FROM pair WHERE dataset_id = {d})",
        f"DELETE FROM prompt_scenario WHERE dataset_id = {d} AND prompt_id NOT IN "
        f"(SELECT prompt_id FROM prompt WHERE dataset_id = {d})",
        f"DELETE FROM prompt_label WHERE dataset_id = {d} AND prompt_id NOT IN "
        f"(SELECT prompt_id FROM prompt WHERE dataset_id = {d})",
        f"DELETE FROM label WHERE dataset_id = {d} AND label_id NOT IN (SELECT label_id FROM prompt_label)",
        f"DELETE FROM labeling WHERE dataset_id = {d} AND labeling_id NOT IN (SELECT labeling_id FROM label)",
        f"DELETE FROM response_value WHERE dataset_id = {d} AND response_id NOT IN "
        f"(SELECT response_id FROM response WHERE dataset_id = {d})",
        f"DELETE FROM judge WHERE dataset_id = {d} AND judge_id NOT IN (SELECT judge_id FROM judgment WHERE dataset_id = {d})",
        f"DELETE FROM annotator WHERE dataset_id = {d} AND annotator_id NOT IN "
        f"(SELECT annotator_id FROM judgment WHERE dataset_id = {d} AND annotator_id IS NOT NULL)",
        f"DELETE FROM model WHERE dataset_id = {d} AND model_id NOT IN (SELECT model_id FROM response WHERE "
        f"dataset_id = {d} AND model_id IS NOT NULL)",
        f"DELETE FROM scenario WHERE dataset_id = {d} AND scenario_id NOT IN (SELECT scenario_id FROM prompt_scenario "
        f"WHERE dataset_id = {d})",
        f"DELETE FROM factor WHERE dataset_id = {d} AND factor_id NOT IN (SELECT factor_id FROM response_value UNION ALL "
        "SELECT factor_id FROM judgment_value)",
        f"DELETE FROM criterion WHERE dataset_id = {d} AND criterion_id NOT IN "
        f"(SELECT criterion_id FROM judgment WHERE dataset_id = {d})",
        f"DELETE FROM variant WHERE dataset_id = {d} AND variant_id NOT IN "
        f"(SELECT variant_id FROM judgment WHERE dataset_id = {d})",
        "DELETE FROM text WHERE text_id NOT IN (SELECT text_id FROM prompt WHERE text_id IS NOT NULL UNION ALL "
        "SELECT text_id FROM response WHERE text_id IS NOT NULL)",
        # The numbers of texts that are gone are given out again.
        "DELETE FROM text_value WHERE text_id NOT IN (SELECT text_id FROM text)",
        "DELETE FROM answer_value WHERE text_id NOT IN (SELECT text_id FROM text) "
        "OR prompt_text_id NOT IN (SELECT text_id FROM text)",
        "DELETE FROM embedding WHERE text_id NOT IN (SELECT text_id FROM text)",
    ]
    for sql in statements:
        con.execute(sql)
