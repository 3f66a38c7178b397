"""Renaming, withdrawing and deleting: what changes a dataset besides an import."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from data import queries
from data.importers import factor_weights, factors, labels
from data.ingest import find_dataset
from data.packing import forget_packed
from data.queries.published import n_published
from data.store import Store
from data.upkeep import assign_scenarios, fingerprint_labels, prune
from errors import OptionError, unknown_name

BESIDE = {factors.NAME: "factors", labels.NAME: "labels", factor_weights.NAME: "weights"}
"""Formats that hold no judgments, and what they hold."""

# Tables with a dataset_id, all rows of which go when the dataset goes.
OWNED = (
    "judgment", "pair_key", "pair", "response_value", "judgment_value", "response", "prompt_scenario", "prompt",
    "annotator", "judge", "model", "scenario", "criterion", "variant", "factor", "attribute", "witness", "fingerprint",
    "prompt_label", "label", "labeling", "published_weight", "own_model", "display", "setting", "saved_view", "import_log",
    "truth", "dataset",
)  # fmt: skip


@dataclass(frozen=True)
class Withdrawn:
    """One import that was taken back. `kept` of its judgments stay, because a later import held them too.

    rows_of : of a table that held no judgments what it held; `removed` then counts the rows that it had added
    """

    dataset: str
    number: int
    file_name: str
    removed: int
    kept: int
    rows_of: str | None = None


@dataclass(frozen=True)
class Deleted:
    """A dataset that was deleted, and what went with it. published : judges with published weights"""

    dataset: str
    judgments: int
    pairs: int
    imports: int
    published: int = 0


def _find(con: duckdb.DuckDBPyConnection, name: str) -> int:
    dataset_id = find_dataset(con, name)
    if dataset_id is None:
        raise unknown_name("dataset", name, [n for n, _ in queries.dataset_names(con)])
    return dataset_id


def rename(store: Store, old: str, new: str) -> None:
    """Give a dataset another name. Raises OptionError when that name is taken."""
    if not new.strip():
        raise OptionError("the new name is empty")
    with store.writing(f"renaming {old}") as con:
        dataset_id = _find(con, old)
        if new != old and find_dataset(con, new) is not None:
            raise OptionError(f"there already is a dataset {new!r}: choose another name")
        con.execute("UPDATE dataset SET name = $new WHERE dataset_id = $d", {"new": new, "d": dataset_id})


def would_delete(store: Store, name: str) -> Deleted:
    """What `delete` would take away."""
    with store.reading(f"looking at {name}") as con:
        return _losses(con, _find(con, name), name)


def _losses(con: duckdb.DuckDBPyConnection, dataset_id: int, name: str) -> Deleted:
    facts = queries.dataset_facts(con, dataset_id)
    imports = len(queries.import_log(con, dataset_id))
    return Deleted(name, facts.judgments, facts.pairs, imports, n_published(con, dataset_id))


def delete(store: Store, name: str) -> Deleted:
    """Remove a dataset with all that belongs to it."""
    with store.writing(f"deleting {name}") as con:
        dataset_id = _find(con, name)
        lost = _losses(con, dataset_id, name)
        forget_packed(con, dataset_id)
        for table in OWNED:
            con.execute(f"DELETE FROM {table} WHERE dataset_id = {dataset_id}")
        prune(con, dataset_id)
    return lost


def undo(store: Store, name: str, number: int | None = None) -> Withdrawn:
    """Withdraw one import (the last one unless `number` says which).

    Judgments that a later import held too are handed on to it, so that the dataset is as if the withdrawn file had
    never been read. Raises UnknownNameError, or OptionError where there is no such import.
    """
    with store.writing(f"withdrawing an import of {name}") as con:
        d = _find(con, name)
        log = queries.import_log(con, d)
        if log.empty:
            raise OptionError(f"dataset {name!r} has no import to withdraw")
        number = int(log["import"].iloc[-1]) if number is None else number
        if number not in set(log["import"]):
            known = ", ".join(str(n) for n in log["import"])
            raise OptionError(f"dataset {name!r} has no import {number}; there are {known}")
        import_id, file_name, format_name, accepted = con.execute(
            "SELECT import_id, file_name, format, accepted FROM import_log WHERE dataset_id = $d AND number = $n", {"d": d, "n": number}
        ).fetchall()[0]
        kept, removed = _withdraw(con, d, int(import_id))
        # Factors alone, delivered for judgments that are gone, are no dataset; published weights are one.
        if not _any_left(con, d):
            forget_packed(con, d)
            for table in OWNED:
                con.execute(f"DELETE FROM {table} WHERE dataset_id = {d}")
    if format_name in BESIDE:
        return Withdrawn(name, number, file_name, int(accepted), 0, rows_of=BESIDE[format_name])
    return Withdrawn(name, number, file_name, removed, kept)


def _any_left(con: duckdb.DuckDBPyConnection, d: int) -> bool:
    """Whether a dataset still has judgments or published weights."""
    found = con.execute(
        "SELECT (SELECT count(*) FROM (SELECT 1 FROM judgment WHERE dataset_id = $d LIMIT 1)) "
        "+ (SELECT count(*) FROM (SELECT 1 FROM published_weight WHERE dataset_id = $d LIMIT 1))",
        {"d": d},
    )
    return bool(found.fetchall()[0][0])


def _withdraw(con: duckdb.DuckDBPyConnection, d: int, i: int) -> tuple[int, int]:
    con.execute(
        f"""DELETE FROM witness WHERE dataset_id = {d} AND import_id = {i};
        CREATE OR REPLACE TEMP TABLE heir AS SELECT w.judgment_id, min(w.import_id) AS import_id,
            arg_min(w.hash, w.import_id) AS hash, any_value(j.judge_id) AS judge_id
        FROM witness w JOIN judgment j ON j.dataset_id = {d} AND j.judgment_id = w.judgment_id
        WHERE w.dataset_id = {d} AND j.import_id = {i} GROUP BY w.judgment_id;
        UPDATE judgment SET import_id = heir.import_id FROM heir WHERE judgment.judgment_id = heir.judgment_id
            AND judgment.dataset_id = {d};
        DELETE FROM witness USING heir WHERE witness.dataset_id = {d} AND witness.judgment_id = heir.judgment_id
            AND witness.import_id = heir.import_id;
        INSERT INTO fingerprint SELECT {d}, import_id, judge_id, count(*),
            (sum(hash) % 18446744073709551616)::UBIGINT FROM heir GROUP BY import_id, judge_id"""
    )
    kept, removed = con.execute(
        f"SELECT (SELECT count(*) FROM heir), (SELECT count(*) FROM judgment WHERE dataset_id = {d} AND import_id = {i})"
    ).fetchall()[0]
    con.execute(
        f"""DELETE FROM judgment_value WHERE dataset_id = {d} AND judgment_id IN
            (SELECT judgment_id FROM judgment WHERE dataset_id = {d} AND import_id = {i});
        DELETE FROM witness WHERE dataset_id = {d} AND judgment_id IN
            (SELECT judgment_id FROM judgment WHERE dataset_id = {d} AND import_id = {i})"""
    )
    for table in (
        "judgment", "pair_key", "response_value", "judgment_value", "prompt_scenario", "prompt_label", "published_weight",
        "attribute", "fingerprint", "import_log",
    ):  # fmt: skip
        con.execute(f"DELETE FROM {table} WHERE dataset_id = {d} AND import_id = {i}")
    prune(con, d)
    assign_scenarios(con, d)
    prune(con, d)
    fingerprint_labels(con, d)
    return int(kept), int(removed)
