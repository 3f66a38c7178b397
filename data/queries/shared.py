"""What did several judges say about the same pairs, and how much stands behind it?

As a subquery the pairs in common would be found anew by each SELECT that counts something on them, which costs several
times as much as all the rest. Fetched once, the rows answer every such question by looking their pairs up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.compute as pc

from data.model import Selection
from data.queries import IS_TIE, Catalog, Con, Counts, any_weighted, held_whole, sum_neighbours, where
from data.queries.order import in_order
from data.remembered import known_large

Column = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class SharedRows:
    """The judgments on pairs that each of the judges has judged, in the store's order.

    rows : columns judge_id, a, b, pair, prompt and annotator (codes, see `in_order`; 0: not named), shown, score, tied,
        [weight], all (n,)
    """

    rows: dict[str, Column]

    @cached_property
    def extent(self) -> dict[str, int]:
        """As `queries.extent`: judgments, pairs, prompts, annotators, known_order, unnamed."""
        unnamed = int((self.rows["annotator"] == 0).sum())
        return {
            "judgments": len(self.rows["pair"]),
            "pairs": _different(self.rows["pair"]),
            "prompts": _different(self.rows["prompt"]),
            "annotators": _different(self.rows["annotator"]) - (unnamed > 0),
            "known_order": int((self.rows["shown"] != 0).sum()),
            "unnamed": unnamed,
        }

    def pairs_in_order(self, con: Con) -> SharedRows:
        """The same with codes of pairs that do not hang on how the store was filled, for what is drawn by pair."""
        return SharedRows(self.rows | {"pair": in_order(con, "pair", self.rows["pair"])})

    def counts(self, clusters: Sequence[str] = (), position: bool = False, tied: bool = False) -> Counts:
        """As `queries.counts` with clusters: neighbours that are alike are summed."""
        names = ["judge_id", "a", "b", *clusters, *(["shown"] if position else []), *(["tied"] if tied else []), "score"]
        columns = {name: self.rows[name] for name in names}
        if "annotator" in columns:
            # A judgment without a named annotator stands for itself; negative codes keep the two kinds apart.
            own = -1 - np.arange(len(self.rows["pair"]), dtype=np.int64)
            columns["annotator"] = np.where(columns["annotator"] == 0, own, columns["annotator"])
        if "weight" in self.rows:
            weight = self.rows["weight"]
            columns |= {"weight": weight, "score": weight * columns["score"]}
            if tied:
                columns["tied"] = weight * columns["tied"]
        return Counts(sum_neighbours(columns))

    def soft_judgments(self) -> dict[int, int]:
        """As `queries.soft_judgments`: judgments that are neither a win, a loss nor a tie, by judge (id)."""
        judges = self.rows["judge_id"][~np.isin(self.rows["score"], (0.0, 0.5, 1.0))]
        ids, n = np.unique(judges, return_counts=True)
        return {int(judge): int(count) for judge, count in zip(ids, n, strict=True)}

    def pairs_between(self) -> pd.DataFrame:
        """As `queries.pairs_between`: a, b (ids of models, a < b) and how many of the pairs are between them."""
        base, span = _range(self.rows["pair"])
        models = np.zeros(span, dtype=np.int64)
        a, b = self.rows["a"].astype(np.int64), self.rows["b"].astype(np.int64)
        models[self.rows["pair"] - base] = (np.minimum(a, b) << 32) | np.maximum(a, b)
        keys, pairs = np.unique(models[models > 0], return_counts=True)
        return pd.DataFrame({"a": keys >> 32, "b": keys & 0xFFFFFFFF, "pairs": pairs})


def shared_rows(con: Con, selection: Selection, names: Catalog, ties: str, judges: Sequence[str]) -> SharedRows:
    """The judgments of these judges that a selection means, on pairs where each of them has one.

    Equal to selecting by `shared_pairs`. Holds about 40 bytes for each judgment of the judges, or of the dataset where
    who asks goes from judge to judge.
    """
    ids = [names.judges[judge][0] for judge in judges]
    rows, at = _some(con, selection, names, ties, ids)
    pair, judge_id = rows["pair"][at], rows["judge_id"][at]
    base, span = _range(pair)
    shared = np.ones(span, dtype=bool)
    for judge in ids:
        judged = np.zeros(span, dtype=bool)
        judged[pair[judge_id == judge] - base] = True
        shared &= judged
    at = at[shared[pair - base]]
    return SharedRows({name: column[at] for name, column in rows.items() if name not in ("starts", "order")})


def _some(
    con: Con, selection: Selection, names: Catalog, ties: str, ids: Sequence[int]
) -> tuple[dict[str, Column], Column]:
    """Judgments, and at which rows those of these judges that a selection means are."""
    whole = where(replace(selection, judge=(), scenario=()), names)
    if not held_whole(con, names, (whole, "rows")):
        chosen = ", ".join(map(str, ids))
        rows = _read(con, f"{where(selection, names, ties)} AND judge_id IN ({chosen})")
        return rows, np.arange(len(rows["pair"]))
    rows = known_large(
        ("rows", whole, names.labeling), lambda: _by_scenario(_read(con, whole, scenario=True)),
        lambda found: sum(column.nbytes for column in found.values()),
    )  # fmt: skip
    starts, order = rows["starts"], rows["order"]
    if selection.scenario:
        known = (names.scenarios[name] for name in selection.scenario)
        some = [one for one in known if one + 1 < len(starts)]  # the last ones may have no judgment here
        at = np.concatenate([order[:0], *(order[starts[one] : starts[one + 1]] for one in some)])
        if len(some) > 1:
            at.sort()
        wanted = _among(rows["judge_id"][at], ids)
    else:
        at = np.arange(len(order))
        wanted = _among(rows["judge_id"], ids)
    if ties == "drop":
        wanted &= rows["tied"][at] == 0
    return rows, at[wanted]


def _by_scenario(rows: dict[str, Column]) -> dict[str, Column]:
    """The rows, with the `order` in which those of one scenario stand together and where each (id) `starts` in it."""
    scenario = rows.pop("scenario")
    order = np.argsort(scenario, kind="stable").astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(scenario))])
    return rows | {"order": order, "starts": starts}


def _read(con: Con, condition: str, scenario: bool = False) -> dict[str, Column]:
    """The columns of `SharedRows` of the judgments of a condition, on request with their scenarios (ids, 0: none)."""
    more = (", scenario_id AS scenario" if scenario else "") + (", weight" if any_weighted(con, condition) else "")
    table = con.sql(
        f"""SELECT judge_id, model_a AS a, model_b AS b, pair_id AS pair, prompt_id AS prompt, annotator_id AS annotator,
        shown, p_a AS score, ({IS_TIE})::DOUBLE AS tied{more} FROM judgment WHERE {condition}"""
    ).to_arrow_table()
    rows = {name: pc.fill_null(column, 0).to_numpy() if column.null_count else column.to_numpy()
            for name, column in zip(table.column_names, table.columns, strict=True)}  # fmt: skip
    return rows | {way: in_order(con, way, rows[way]) for way in ("prompt", "annotator")}


def _among(column: Column, ids: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Where a column of ids has one of these."""
    lookup = np.zeros(max([int(column.max(initial=0)), *ids]) + 1, dtype=bool)
    lookup[list(ids)] = True
    return np.asarray(lookup[column])


def _different(column: Column) -> int:
    base, span = _range(column)
    met = np.zeros(span, dtype=bool)
    met[column - base] = True
    return int(met.sum())


def _range(column: Column) -> tuple[int, int]:
    """The least number in a column, and how many there are from it to the greatest."""
    if not len(column):
        return 0, 0
    least = int(column.min())
    return least, int(column.max()) - least + 1
