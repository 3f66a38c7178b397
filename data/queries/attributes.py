"""What is known of a pair, its prompt or its annotator, beside what stands in its answers?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from data.queries import Catalog, Con

OF_PAIRS = ("scenario", "prompt", "pair")
ENTITIES = ("prompt", "pair", "annotator")
"""Whose attributes a factor can be crossed with."""


@dataclass(frozen=True)
class Attribute:
    """One attribute. entity : of ENTITIES, or "scenario"; name : its own, "" for scenarios"""

    entity: str
    name: str = ""

    @property
    def word(self) -> str:
        """How it is asked for."""
        return f"{self.entity}.{self.name}" if self.name else self.entity


def attributes(con: Con, names: Catalog) -> dict[str, Attribute]:
    """The attributes of a dataset by the word they are asked by."""
    rows = con.execute(
        "SELECT DISTINCT entity, name FROM attribute WHERE dataset_id = $d ORDER BY entity, name", {"d": names.dataset_id}
    ).fetchall()
    found = [Attribute("scenario")] if names.scenarios else []
    found += [Attribute(entity, name) for entity, name in rows if entity in ENTITIES]
    return {one.word: one for one in found}


def values(con: Con, names: Catalog, one: Attribute) -> Mapping[int, str]:
    """Of each pair (id), or of each annotator (id) where it is theirs, the value; whoever has none is not named.

    Where several imports gave one, the earliest holds.
    """
    d: dict[str, int | str] = {"d": names.dataset_id}
    if one.entity == "scenario":
        sql = """SELECT pair_id, s.name FROM pair p JOIN prompt m USING (prompt_id) JOIN scenario s
            ON s.scenario_id = m.scenario_id WHERE p.dataset_id = $d ORDER BY pair_id"""
        return dict(con.execute(sql, d).fetchall())
    given = """(SELECT entity_id, arg_min(value, import_id) AS value FROM attribute
        WHERE dataset_id = $d AND entity = $e AND name = $n GROUP BY entity_id)"""
    d = d | {"e": one.entity, "n": one.name}
    if one.entity == "prompt":
        sql = f"SELECT pair_id, value FROM pair JOIN {given} g ON g.entity_id = prompt_id WHERE dataset_id = $d ORDER BY pair_id"
    else:
        sql = f"SELECT entity_id, value FROM {given} ORDER BY entity_id"
    return dict(con.execute(sql, d).fetchall())
