"""By what can judgments, and judges, be grouped? Attributes of files, scenarios and dates."""

from __future__ import annotations

from collections.abc import Mapping

from data.queries import Catalog, Con
from data.queries import attributes as attribute_queries
from data.queries.attributes import Attribute

DATE = "date"
OF_JUDGMENTS = ("annotator", "model", "prompt", "pair")
"""Whose attributes group judgments, those first that are most often asked about."""


def groupings(con: Con, names: Catalog) -> dict[str, Attribute]:
    """What judgments can be grouped by, by the word it is asked by: attributes, scenario, date."""
    rows = con.execute(
        "SELECT DISTINCT entity, name FROM attribute WHERE dataset_id = $d ORDER BY entity, name", {"d": names.dataset_id}
    ).fetchall()
    found = sorted((Attribute(e, n) for e, n in rows if e in OF_JUDGMENTS), key=lambda a: OF_JUDGMENTS.index(a.entity))
    if names.scenarios:
        found.append(Attribute("scenario"))
    dated = con.execute(
        "SELECT count(DISTINCT judged_at) FROM judgment WHERE dataset_id = $d", {"d": names.dataset_id}
    ).fetchall()
    if dated[0][0] > 1:
        found.append(Attribute(DATE))
    return {one.word: one for one in found}


def judge_attributes(con: Con, names: Catalog) -> dict[str, Attribute]:
    """Attributes of judges by the word they are asked by."""
    rows = con.execute(
        "SELECT DISTINCT name FROM attribute WHERE dataset_id = $d AND entity = 'judge' ORDER BY name",
        {"d": names.dataset_id},
    ).fetchall()
    return {one.word: one for one in (Attribute("judge", name) for (name,) in rows)}


def values(con: Con, names: Catalog, one: Attribute) -> Mapping[int, str]:
    """By pair (id), or by annotator, model or judge (id) where it is theirs; whoever has none is not named."""
    return attribute_queries.values(con, names, one)
