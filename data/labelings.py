"""How do prompts get further scenarios: from a file of labels, from clusters, and what becomes of them?

A labeling is a set of scenarios of its own beside that of the judgments' files; several stand side by side, and a
selection names the one it means. Each prompt has at most one label of a labeling.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import duckdb

from data.duck import told
from data.factor_match import match_prompts_of
from data.fields import SYNONYMS
from data.ingest import Ingested, begin, next_id
from data.model import Progress, silent
from data.normalise import Staged
from data.plain_columns import PlainMapping, resolve_plain
from data.queries.labelings import OWN
from data.step import Step, Told
from data.store import Store
from data.words import literal
from errors import OptionError, unknown_name

KEYS: Mapping[str, tuple[str, ...]] = {
    "prompt": SYNONYMS["prompt"],
    "prompt_id": SYNONYMS["prompt_id"],
    "label": ("scenario", *SYNONYMS["scenario"], "cluster", "class", "labels"),
    "labeling": (),
}
SAID = "prompt (or prompt_id) and label"

STAGED = {
    "s_key": "SELECT * EXCLUDE (bad_field, bad_value, bad_reason, winner_column) FROM stage WHERE bad_reason IS NULL",
    "s_labeling": "FROM labeling_stage",
}
LONGEST = 200
"""Characters of a label or of a labeling's name."""


def resolve(
    columns: Sequence[str], maps: Sequence[tuple[str, str]], sets: Sequence[tuple[str, str]], name: str, automatic: bool
) -> PlainMapping:
    """Which columns are which. Raises MappingError with the columns there are."""
    found = resolve_plain(columns, KEYS, (("prompt", "prompt_id"), ("label",)), SAID, maps, sets, name, automatic)
    if found.has("labeling"):
        return found
    stem = name.split(".")[0]
    said = f"the labeling is called {stem!r}, as the file is: --set labeling=NAME gives it another name"
    return PlainMapping(found.columns, (*found.constants, ("labeling", stem)), (*found.inferred, said))


def stage(
    con: duckdb.DuckDBPyConnection, columns: Sequence[str], mapping: PlainMapping, progress: Progress = silent
) -> Staged:
    """Make `stage` (keys and labels) and `labeling_stage` (the name) from `raw`."""
    at = {name: f"c{k}" for k, name in enumerate(columns)}
    of, fixed = dict(mapping.columns), dict(mapping.constants)

    def cell(key: str) -> str:
        return at[of[key]] if key in of else literal(fixed[key]) if key in fixed else "CAST(NULL AS VARCHAR)"

    if "labeling" in of:
        names = con.execute(f"SELECT DISTINCT trim({cell('labeling')}) FROM raw ORDER BY 1 LIMIT 2").fetchall()
        if len(names) != 1 or not names[0][0]:
            raise OptionError("a file of labels holds one labeling: split it, or name it with --set labeling=NAME")
        name = names[0][0]
    else:
        name = fixed["labeling"]
    check_name(name)
    con.execute("CREATE OR REPLACE TEMP TABLE labeling_stage (name VARCHAR)")
    con.execute("INSERT INTO labeling_stage VALUES ($name)", {"name": name})
    tell = Told(progress)
    tell(0.0, "reading the labels")
    prompt = f"CASE WHEN trim({cell('prompt')}) <> '' THEN {cell('prompt')} END"
    key = "prompt_id" if mapping.has("prompt_id") else "prompt"
    sql = f"""CREATE OR REPLACE TEMP TABLE stage AS SELECT *, 0 AS cell, CAST(NULL AS VARCHAR) AS winner_column,
        CASE WHEN nothing THEN '{key}' WHEN label IS NULL OR length(label) > {LONGEST} THEN 'label' END AS bad_field,
        CASE WHEN NOT nothing AND label IS NOT NULL AND length(label) > {LONGEST} THEN label END AS bad_value,
        CASE WHEN nothing THEN 'is empty' WHEN label IS NULL THEN 'is empty'
            WHEN length(label) > {LONGEST} THEN 'is longer than {LONGEST} characters, which is a text and no label' END
            AS bad_reason
        FROM (SELECT *, prompt_id IS NULL AND prompt_key IS NULL AS nothing FROM (
            SELECT row, CAST(NULL AS VARCHAR) AS pair_id, nullif(trim({cell("prompt_id")}), '') AS prompt_id,
                {prompt} AS prompt, md5_number_lower({prompt}) AS prompt_key, nullif(trim({cell("label")}), '') AS label
            FROM raw))"""
    told(con, lambda: con.execute(sql), tell.again)
    n = con.execute("SELECT count(*) FROM stage").fetchall()[0][0]
    return Staged(n, n, 0, ())


def ingest(con: duckdb.DuckDBPyConnection, dataset_id: int, progress: Progress = silent) -> Ingested:
    """Write the staged labels. A labeling of the same name is added to; another label for a prompt is rejected."""
    step, number = begin(con, dataset_id, progress)
    step.progress(0.1, "matching prompts")
    match_prompts_of(step)
    step.reject(
        "s_key",
        """SELECT s.row, s.cell, CASE WHEN s.prompt_id IS NULL THEN 'prompt' ELSE 'prompt_id' END,
            coalesce(s.prompt_id, s.prompt), 'is no prompt of this dataset'
        FROM s_key s JOIN found_prompt f USING (row) WHERE f.prompt IS NULL""",
    )
    name = con.execute("SELECT name FROM s_labeling").fetchall()[0][0]
    labeling_id = _labeling(step, name)
    step.run(
        f"""CREATE OR REPLACE TEMP TABLE said AS
        SELECT s.row, s.cell, s.label, f.prompt AS prompt_id, l.name AS held,
            first_value(s.label) OVER (PARTITION BY f.prompt ORDER BY s.row) AS first
        FROM s_key s JOIN found_prompt f USING (row)
        LEFT JOIN prompt_label p ON p.labeling_id = {labeling_id} AND p.prompt_id = f.prompt
        LEFT JOIN label l ON l.label_id = p.label_id"""
    )
    step.reject(
        "s_key",
        """SELECT row, cell, 'label', label, 'contradicts the label ''' || coalesce(held, first)
            || ''' that this prompt has already' FROM said WHERE label <> coalesce(held, first)""",
    )
    step.run(
        """CREATE OR REPLACE TEMP TABLE fresh AS SELECT prompt_id, any_value(label) AS label, min(row) AS row FROM said
        WHERE held IS NULL AND label = first GROUP BY prompt_id"""
    )
    accepted, whole = (step.count(f"SELECT count(*) FROM {table}") for table in ("fresh", "s_key"))
    _write(step, labeling_id)
    return Ingested(dataset_id, step.import_id, number, accepted, whole - accepted, tuple(step.inferred))


def _labeling(step: Step, name: str, origin: str = "file") -> int:
    """The id of the labeling, made where there is none."""
    found = step.con.execute(
        "SELECT labeling_id FROM labeling WHERE dataset_id = $d AND name = $name",
        {"d": step.dataset_id, "name": name},
    ).fetchall()
    if found:
        return int(found[0][0])
    labeling_id = next_id(step.con, "labeling")
    step.con.execute(
        "INSERT INTO labeling VALUES ($id, $d, $name, $origin)",
        {"id": labeling_id, "d": step.dataset_id, "name": name, "origin": origin},
    )
    return labeling_id


def _write(step: Step, labeling_id: int) -> None:
    """Add the prompts of `fresh` (prompt_id, label, row: for the order of the labels)."""
    step.insert(
        "label",
        f"""SELECT (SELECT coalesce(max(label_id), 0) FROM label) + row_number() OVER (ORDER BY first, label), $d,
            {labeling_id}, label FROM (SELECT label, min(row) AS first FROM fresh GROUP BY label)
        WHERE label NOT IN (SELECT name FROM label WHERE labeling_id = {labeling_id})""",
    )
    step.insert(
        "prompt_label",
        f"""SELECT $d, {labeling_id}, f.prompt_id, l.label_id, nullif($i, 0) FROM fresh f
        JOIN label l ON l.labeling_id = {labeling_id} AND l.name = f.label""",
    )


def check_name(name: str) -> None:
    """Raises OptionError for a name that a labeling cannot have."""
    if not name.strip():
        raise OptionError("a labeling needs a name")
    if name == OWN:
        raise OptionError(f"{OWN!r} is the name of the scenarios that the judgments' files gave: choose another")
    if len(name) > LONGEST:
        raise OptionError(f"the name of a labeling has at most {LONGEST} characters")


def add_labeling(
    store: Store, dataset: str, name: str, labels: Mapping[int, str], origin: str = "clusters"
) -> None:
    """Write a labeling that was computed, in place of an earlier one of that name and origin. labels : by prompt id

    Raises OptionError where a file's labeling has that name.
    """
    check_name(name)
    with store.writing(f"labelling the prompts of {dataset}") as con:
        dataset_id, known = _known(con, dataset)
        if name in known and known[name][1] != origin:
            raise OptionError(f"dataset {dataset!r} has a labeling {name!r} that came from a file: choose another name")
        if name in known:
            _forget(con, known[name][0])
        step = Step(con, dataset_id, 0)
        con.execute("CREATE OR REPLACE TEMP TABLE fresh (prompt_id INTEGER, label VARCHAR, row BIGINT)")
        con.executemany("INSERT INTO fresh VALUES (?, ?, ?)", [(p, w, k) for k, (p, w) in enumerate(labels.items())])
        _write(step, _labeling(step, name, origin))


def delete_labeling(store: Store, dataset: str, name: str) -> int:
    """Remove a labeling; returns how many prompts had a label of it."""
    with store.writing(f"deleting the labeling {name}") as con:
        _, known = _known(con, dataset)
        labeling_id = _find(known, dataset, name)[0]
        n = con.execute(f"SELECT count(*) FROM prompt_label WHERE labeling_id = {labeling_id}").fetchall()[0][0]
        _forget(con, labeling_id)
    return int(n)


def rename_label(store: Store, dataset: str, name: str, old: str, new: str) -> int:
    """Give a label of a labeling another name; one that is there already takes the prompts over.

    Returns how many prompts the label now has.
    """
    new = new.strip()
    if not new or len(new) > LONGEST:
        raise OptionError(f"a label has 1 to {LONGEST} characters")
    with store.writing(f"renaming a label of {name}") as con:
        _, known = _known(con, dataset)
        labeling_id = _find(known, dataset, name)[0]
        sql = f"SELECT name, label_id FROM label WHERE labeling_id = {labeling_id} ORDER BY label_id"
        labels = dict(con.execute(sql).fetchall())
        if old not in labels:
            raise unknown_name(f"label in labeling {name!r}", old, labels)
        if new in labels and new != old:
            con.execute(
                f"UPDATE prompt_label SET label_id = {labels[new]} WHERE label_id = {labels[old]};"
                f"DELETE FROM label WHERE label_id = {labels[old]}"
            )
        else:
            con.execute("UPDATE label SET name = $new WHERE label_id = $id", {"new": new, "id": labels[old]})
        kept = labels.get(new, labels[old])
        n = con.execute(f"SELECT count(*) FROM prompt_label WHERE label_id = {kept}").fetchall()[0][0]
    return int(n)


def _known(con: duckdb.DuckDBPyConnection, dataset: str) -> tuple[int, dict[str, tuple[int, str]]]:
    """The dataset's id and its labelings: name -> (id, origin)."""
    rows = con.execute("SELECT dataset_id FROM dataset WHERE name = $n", {"n": dataset}).fetchall()
    if not rows:
        names = [n for (n,) in con.execute("SELECT name FROM dataset ORDER BY dataset_id").fetchall()]
        raise unknown_name("dataset", dataset, names)
    d = int(rows[0][0])
    found = con.execute(
        "SELECT name, labeling_id, origin FROM labeling WHERE dataset_id = $d ORDER BY labeling_id", {"d": d}
    ).fetchall()
    return d, {name: (int(i), origin) for name, i, origin in found}


def _find(known: Mapping[str, tuple[int, str]], dataset: str, name: str) -> tuple[int, str]:
    if name == OWN:
        raise OptionError(f"{OWN!r} are the scenarios that came with the judgments: withdraw the import to remove them")
    if name not in known:
        raise unknown_name(f"labeling in dataset {dataset!r}", name, known)
    return known[name]


def _forget(con: duckdb.DuckDBPyConnection, labeling_id: int) -> None:
    for table in ("prompt_label", "label", "labeling"):
        con.execute(f"DELETE FROM {table} WHERE labeling_id = {labeling_id}")
