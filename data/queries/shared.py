"""What did several judges say about the same pairs, and how much stands behind it?

As a subquery the pairs in common would be found anew by each SELECT that counts something on them, which costs several
times as much as all the rest. Fetched once, the rows answer every such question by looking their pairs up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.queries import IS_TIE, Con, Counts, any_weighted, sum_neighbours
from data.queries.order import in_order

Column = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class SharedRows:
    """The judgments on pairs that each of the judges has judged, in the store's order.

    parts : columns judge_id, a, b, pair, prompt and annotator (codes, see `in_order`; 0: not named), shown, score, tied, [weight], part by part
    """

    parts: tuple[dict[str, Column], ...]

    @cached_property
    def extent(self) -> dict[str, int]:
        """As `queries.extent`: judgments, pairs, prompts, annotators, known_order, unnamed."""
        unnamed = sum(int((part["annotator"] == 0).sum()) for part in self.parts)
        return {
            "judgments": sum(len(part["pair"]) for part in self.parts),
            "pairs": self._different("pair"),
            "prompts": self._different("prompt"),
            "annotators": self._different("annotator") - (unnamed > 0),
            "known_order": sum(int((part["shown"] != 0).sum()) for part in self.parts),
            "unnamed": unnamed,
        }

    def pairs_in_order(self, con: Con) -> SharedRows:
        """The same with codes of pairs that do not hang on how the store was filled, for what is drawn by pair."""
        return SharedRows(tuple(_in_order(con, "pair", self.parts)))

    def counts(self, clusters: Sequence[str] = (), position: bool = False, tied: bool = False) -> Counts:
        """As `queries.counts` with clusters: neighbours that are alike are summed."""
        names = ["judge_id", "a", "b", *clusters, *(["shown"] if position else []), *(["tied"] if tied else []), "score"]
        found = []
        before = 0
        for part in self.parts:
            columns = {name: part[name] for name in names}
            if "annotator" in columns:
                # A judgment without a named annotator stands for itself; negative codes keep the two kinds apart.
                own = -1 - before - np.arange(len(part["pair"]), dtype=np.int64)
                columns["annotator"] = np.where(part["annotator"] == 0, own, part["annotator"])
            if "weight" in part:
                weight = part["weight"]
                columns |= {"weight": weight, "score": weight * part["score"]}
                if tied:
                    columns["tied"] = weight * part["tied"]
            found.append(sum_neighbours(columns))
            before += len(part["pair"])
        return Counts({name: np.concatenate([part[name] for part in found]) for name in found[0]})

    def soft_judgments(self) -> dict[int, int]:
        """As `queries.soft_judgments`: judgments that are neither a win, a loss nor a tie, by judge (id)."""
        judges = np.concatenate([part["judge_id"][~np.isin(part["score"], (0.0, 0.5, 1.0))] for part in self.parts])
        ids, n = np.unique(judges, return_counts=True)
        return {int(judge): int(count) for judge, count in zip(ids, n, strict=True)}

    def pairs_between(self) -> pd.DataFrame:
        """As `queries.pairs_between`: a, b (ids of models, a < b) and how many of the pairs are between them."""
        base, span = self._range("pair")
        models = np.zeros(span, dtype=np.int64)
        for part in self.parts:
            a, b = part["a"].astype(np.int64), part["b"].astype(np.int64)
            models[part["pair"] - base] = (np.minimum(a, b) << 32) | np.maximum(a, b)
        keys, pairs = np.unique(models[models > 0], return_counts=True)
        return pd.DataFrame({"a": keys >> 32, "b": keys & 0xFFFFFFFF, "pairs": pairs})

    def _different(self, name: str) -> int:
        base, span = self._range(name)
        met = np.zeros(span, dtype=bool)
        for part in self.parts:
            met[part[name] - base] = True
        return int(met.sum())

    def _range(self, name: str) -> tuple[int, int]:
        """The least number in a column, and how many there are from it to the greatest."""
        return _range([part[name] for part in self.parts])


def shared_rows(con: Con, condition: str, judge_ids: Sequence[int]) -> SharedRows:
    """The judgments of these judges that satisfy `condition`, on pairs where each of them has one.

    Equal to selecting by `shared_pairs`. Holds about 40 bytes for each judgment of the judges.
    """
    weight = ", weight" if any_weighted(con, condition) else ""
    chosen = ", ".join(map(str, judge_ids))
    table = con.sql(
        f"""SELECT judge_id, model_a AS a, model_b AS b, pair_id AS pair, prompt_id AS prompt, annotator_id AS annotator,
        shown, p_a AS score, ({IS_TIE})::DOUBLE AS tied{weight}
        FROM judgment WHERE {condition} AND judge_id IN ({chosen})"""
    ).to_arrow_table()
    parts = [_columns(batch) for batch in table.to_batches() or [pa.RecordBatch.from_pylist([], table.schema)]]
    base, span = _range([part["pair"] for part in parts])
    shared = np.ones(span, dtype=bool)
    for judge in judge_ids:
        judged = np.zeros(span, dtype=bool)
        for part in parts:
            judged[part["pair"][part["judge_id"] == judge] - base] = True
        shared &= judged
    for k, part in enumerate(parts):
        keep = shared[part["pair"] - base]
        if not keep.all():
            parts[k] = {name: column[keep] for name, column in part.items()}
    for way in ("prompt", "annotator"):
        parts = _in_order(con, way, parts)
    return SharedRows(tuple(parts))


def _in_order(con: Con, way: str, parts: Sequence[dict[str, Column]]) -> list[dict[str, Column]]:
    """The parts with codes of one kind of cluster that do not hang on how the store was filled."""
    codes = in_order(con, way, np.concatenate([part[way] for part in parts]))
    cuts = np.cumsum([len(part[way]) for part in parts])[:-1]
    return [part | {way: code} for part, code in zip(parts, np.split(codes, cuts), strict=True)]


def _columns(batch: pa.RecordBatch) -> dict[str, Column]:
    arrays = zip(batch.schema.names, batch.columns, strict=True)
    return {name: pc.fill_null(array, 0).to_numpy() if array.null_count else array.to_numpy() for name, array in arrays}


def _range(columns: Sequence[Column]) -> tuple[int, int]:
    filled = [column for column in columns if len(column)]
    if not filled:
        return 0, 0
    least = min(int(column.min()) for column in filled)
    return least, max(int(column.max()) for column in filled) - least + 1
