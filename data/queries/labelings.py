"""Which scenarios does a selection mean: those of the judgments' files, or a labeling's?

Every query reads the scenario of a judgment from the tables judgment, prompt and scenario. For another labeling views of
the same names take their place on the connection of one lease, so that no query needs to know.
"""

from __future__ import annotations

import duckdb
import pandas as pd

from errors import unknown_name

Con = duckdb.DuckDBPyConnection

OWN = "file"
"""The scenarios that came with the judgments."""


def known_labelings(con: Con, dataset_id: int) -> dict[str, int]:
    """name -> id of the labelings beside the files' own, the first one first."""
    rows = con.execute(
        "SELECT name, labeling_id FROM labeling WHERE dataset_id = $d ORDER BY labeling_id", {"d": dataset_id}
    ).fetchall()
    return {name: int(i) for name, i in rows}


def labeling_table(con: Con, dataset_id: int) -> pd.DataFrame:
    """One row a labeling, the files' own first: labeling, origin, scenarios, prompts (with a label), unlabelled."""
    return con.execute(
        """WITH own AS (SELECT 'file' AS labeling, 'judgments' AS origin, count(DISTINCT scenario_id) AS scenarios,
                count(scenario_id) AS prompts, -1 AS place FROM prompt WHERE dataset_id = $d),
        others AS (SELECT g.name, g.origin, count(DISTINCT p.label_id), count(*), g.labeling_id
            FROM labeling g JOIN prompt_label p USING (labeling_id) WHERE g.dataset_id = $d GROUP BY ALL)
        SELECT labeling, origin, scenarios, prompts,
            (SELECT count(*) FROM prompt WHERE dataset_id = $d) - prompts AS unlabelled
        FROM (FROM own WHERE prompts > 0 UNION ALL FROM others) ORDER BY place""",
        {"d": dataset_id},
    ).df()


def label_rows(con: Con, dataset_id: int, labeling_id: int | None) -> pd.DataFrame:
    """One row a prompt with a label, to be edited and imported again: prompt_id (the files' own), prompt, label."""
    labelled = (
        "SELECT prompt_id, scenario_id AS label_id FROM prompt WHERE scenario_id IS NOT NULL"
        if labeling_id is None else f"SELECT prompt_id, label_id FROM prompt_label WHERE labeling_id = {labeling_id}"
    )  # fmt: skip
    names = (
        "SELECT scenario_id AS label_id, name FROM scenario" if labeling_id is None
        else f"SELECT label_id, name FROM label WHERE labeling_id = {labeling_id}"
    )  # fmt: skip
    return con.execute(
        f"""SELECT p.external_id AS prompt_id, t.body AS prompt, n.name AS label FROM prompt p
        JOIN ({labelled}) l USING (prompt_id) JOIN ({names}) n USING (label_id) LEFT JOIN text t USING (text_id)
        WHERE p.dataset_id = $d ORDER BY p.prompt_id""",
        {"d": dataset_id},
    ).df()


def use(con: Con, dataset: str, dataset_id: int, name: str) -> int:
    """From here on this connection reads the scenarios of a labeling; returns its id.

    Raises UnknownNameError with the nearest names.
    """
    known = known_labelings(con, dataset_id)
    if name not in known:
        raise unknown_name(f"labeling in dataset {dataset!r}", name, [OWN, *known])
    here = con.execute("SELECT current_database()").fetchall()[0][0].replace('"', '""')
    whole, i = f'"{here}".main', known[name]
    con.execute(
        f"""CREATE OR REPLACE TEMP VIEW scenario AS
            SELECT label_id AS scenario_id, dataset_id, name FROM {whole}.label WHERE labeling_id = {i};
        CREATE OR REPLACE TEMP VIEW prompt AS SELECT p.* REPLACE (l.label_id AS scenario_id) FROM {whole}.prompt p
            LEFT JOIN {whole}.prompt_label l ON l.labeling_id = {i} AND l.prompt_id = p.prompt_id;
        CREATE OR REPLACE TEMP VIEW judgment AS SELECT j.* REPLACE (l.label_id AS scenario_id) FROM {whole}.judgment j
            LEFT JOIN {whole}.prompt_label l ON l.labeling_id = {i} AND l.prompt_id = j.prompt_id"""
    )
    return i


def fingerprint(con: Con, labeling_id: int) -> tuple[int, int]:
    """Number of labelled prompts, and the order-free sum of their hashes: equal for equal labels in any store."""
    row = con.execute(
        """SELECT count(*), coalesce(sum(md5_number_lower(concat_ws(chr(31), coalesce(p.external_id, ''),
            coalesce(t.hash::VARCHAR, ''), l.name))) % 18446744073709551616, 0)
        FROM prompt_label c JOIN prompt p USING (prompt_id) JOIN label l USING (label_id)
        LEFT JOIN text t ON t.text_id = p.text_id WHERE c.labeling_id = $l""",
        {"l": labeling_id},
    ).fetchall()[0]
    return int(row[0]), int(row[1])


def prompt_texts(con: Con, dataset_id: int) -> dict[int, str]:
    """The text of each prompt by id, where it has one."""
    rows = con.execute(
        "SELECT prompt_id, body FROM prompt JOIN text USING (text_id) WHERE dataset_id = $d ORDER BY prompt_id",
        {"d": dataset_id},
    ).fetchall()
    return {int(i): body for i, body in rows}
