"""How often did each judge prefer which model, scenario by scenario?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from data.queries import CLUSTER_COLUMNS, Catalog, Con, Counts, any_weighted, sum_neighbours
from data.queries.order import in_order

LABELLED = "scenario_id IS NOT NULL"


def counts_by_scenario(con: Con, condition: str, clusters: Sequence[str] = ()) -> Counts:
    """As `queries.counts`, with the columns `scenario` (its id) and `prompt`; judgments without a scenario left out."""
    keys = dict.fromkeys(("prompt", *clusters))
    chosen = ", ".join(f"{CLUSTER_COLUMNS[key]} AS {key}" for key in keys)
    value = "weight, weight * p_a AS score" if any_weighted(con, condition) else "p_a AS score"
    rows = con.sql(
        f"""SELECT judge_id, scenario_id AS scenario, model_a AS a, model_b AS b, {chosen}, {value}
        FROM judgment WHERE {condition} AND {LABELLED}"""
    ).to_arrow_table()
    # Batch by batch, which stays in the processor's cache and copies sums instead of rows.
    batches = rows.to_batches() or [pa.RecordBatch.from_pylist([], rows.schema)]
    parts = [
        sum_neighbours({name: column.to_numpy() for name, column in zip(rows.column_names, batch.columns, strict=True)})
        for batch in batches
    ]
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return Counts(found | {way: in_order(con, way, found[way]) for way in keys})


def scenario_extent(con: Con, condition: str) -> dict[str, int]:
    """What a ranking by scenario can use of a condition: judgments, pairs and prompts with a scenario; unlabelled ones."""
    row = con.execute(
        f"""SELECT count(*) FILTER ({LABELLED}), count(DISTINCT pair_id) FILTER ({LABELLED}),
        count(DISTINCT prompt_id) FILTER ({LABELLED}), count(*) FILTER (scenario_id IS NULL),
        count(DISTINCT annotator_id) FILTER ({LABELLED}) FROM judgment WHERE {condition}"""
    ).fetchall()[0]
    return dict(zip(("judgments", "pairs", "prompts", "unlabelled", "annotators"), map(int, row), strict=True))


def scenario_names(selected: Sequence[str], names: Catalog) -> tuple[str, ...]:
    """The scenarios of a selection, all of the dataset where none is chosen, alphabetically."""
    return tuple(sorted(name for name in names.scenarios if not selected or name in selected))
