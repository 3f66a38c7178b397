"""How long do rankings take, held against the plain GROUP BY they rest on and against other programs?

    python -m benchmarks rankings [--quick]

Ours goes the whole way of the study `rank`, from an open connection to the store to strengths (and their covariance
clustered by prompt). DuckDB's GROUP BY runs on the same connection and fetches the same way, through Arrow into
numpy, the faster of its two. Other programs start from arrays in memory, made beforehand, and run to convergence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import choix
import duckdb
import evalica
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.bradley_terry import BradleyTerry, fit_bradley_terry
from analysis.cells import Cells
from analysis.rank_correlation import correlate_ranks
from analysis.ranks import rank_models
from analysis.sandwich import strength_covariance
from analysis.vcov import Clustering
from benchmarks.worlds import DATASET, HEAD, JUDGES, Ratio, Size, Times, fill_store, interleave
from data import queries
from data.model import Selection
from data.store import Store
from studies.cells import judge_cells, models_met
from studies.compare import Compare
from studies.rank import Rank

Con = duckdb.DuckDBPyConnection
Codes = NDArray[Any]

PROMISED = 1.5
"""Strengths, and strengths with clustered errors, take at most this multiple of one GROUP BY of the same rows."""

PROMPT = Clustering("prompt")
# Winners as evalica numbers them, by our codes of outcomes: none, a, b, tie, both bad.
EVALICA = np.array([0, 1, 2, 0, 0], dtype=np.uint8)


@dataclass(frozen=True)
class Open:
    """A store's connection, what a ranking by all judges selects there, and the names."""

    con: Con
    names: queries.Catalog
    condition: str

    @classmethod
    def of(cls, con: Con) -> Open:
        names = queries.catalog(con, DATASET)
        return cls(con, names, queries.where(Selection(dataset=DATASET, judge=tuple(names.judges)), names))

    def cells(self, clusters: tuple[str, ...] = ()) -> dict[str, Cells]:
        """The sums of every judge, as `studies.rank` takes them."""
        counts = queries.counts(self.con, self.condition, clusters)
        out = {}
        for judge, (judge_id, _) in self.names.judges.items():
            mine = counts.of(judge_id)
            out[judge] = judge_cells(mine, self.names, judge, models_met(mine, self.names), clusters)
        return out

    def strengths(self) -> dict[str, BradleyTerry]:
        return {judge: fit_bradley_terry(cells) for judge, cells in self.cells().items()}

    def clustered(self) -> None:
        for cells in self.cells(("prompt",)).values():
            rank_models(cells, PROMPT)

    def group(self, keys: str) -> dict[str, Codes]:
        """The plain query: how many judgments stand behind each combination of `keys`."""
        table = self.con.sql(f"SELECT {keys}, count(*) AS n FROM judgment GROUP BY ALL").to_arrow_table()
        return {name: table[name].to_numpy() for name in table.column_names}


def measure(folder: Path, size: Size) -> list[Ratio]:
    """Print all times; the ratios to be judged."""
    print(f"\nRankings of {size.models} models by {size.judgments:,} judgments, {size.prompts:,} prompts\n", flush=True)
    one = fill_store(folder / "one.duckdb", size, judges=1)
    many = fill_store(folder / "many.duckdb", size, judges=JUDGES)
    print(HEAD, flush=True)
    ratios = []
    with one.reading("benchmark") as con:
        ratios += _against_group_by(Open.of(con), size, "one judge", "model_a, model_b, outcome")
        ratios += _against_others(Open.of(con), size)
    with many.reading("benchmark") as con:
        ratios += _against_group_by(Open.of(con), size, "five judges", "judge_id, model_a, model_b, outcome")
    _seconds(one, many, size)
    return ratios


def _against_group_by(data: Open, size: Size, whose: str, keys: str) -> list[Ratio]:
    """The group of keys answers the same question: five rankings need the judge among them."""
    times = interleave(
        size.rounds,
        [
            (f"GROUP BY {keys}", lambda: data.group(keys)),
            (f"strengths, {whose}", data.strengths),
            (f"GROUP BY prompt_id, {keys}", lambda: data.group(f"prompt_id, {keys}")),
            (f"strengths and errors clustered by prompt, {whose}", data.clustered),
        ],
    )
    print(*times, sep="\n", flush=True)
    return [
        Ratio(f"strengths / GROUP BY, {whose}", times[1], times[0], PROMISED),
        Ratio(f"clustered errors / GROUP BY with prompt, {whose}", times[3], times[2], PROMISED),
    ]


def _against_others(data: Open, size: Size) -> list[Ratio]:
    """evalica and choix on the rows of the one judge; prints how far their strengths are from ours."""
    judge = next(iter(data.names.judges))
    ours = data.strengths()[judge]
    place = {data.names.models[name]: k for k, name in enumerate(ours.models)}
    rows = data.con.execute(f"SELECT model_a, model_b, outcome FROM judgment WHERE {data.condition}").fetchnumpy()
    lookup = np.full(max(place) + 1, -1)
    lookup[list(place)] = list(place.values())
    a, b, winner = lookup[rows["model_a"]], lookup[rows["model_b"]], EVALICA[rows["outcome"]]
    packed, n = np.unique((a * len(place) + b) * 3 + winner, return_counts=True)
    pair, few_winner = packed // 3, (packed % 3).astype(np.uint8)
    few_a, few_b, weights = pair // len(place), pair % len(place), n.astype(float).tolist()
    won = np.zeros((len(place), len(place)))
    np.add.at(won, (few_a, few_b), n * np.where(few_winner == 0, 0.5, few_winner == 1))
    np.add.at(won, (few_b, few_a), n * np.where(few_winner == 0, 0.5, few_winner == 2))
    counted = data.cells()[judge]
    index = pd.Index(range(len(place)))
    found: dict[str, NDArray[np.float64]] = {}

    # Its default solver (compiled), with arrays, the codes' own type and the index given: the fastest it takes.
    def by_evalica(name: str, xs: Codes, ys: Codes, winners: Codes, weights: list[float] | None = None) -> None:
        fit = evalica.bradley_terry(xs, ys, winners, index, weights, tolerance=1e-10, limit=10_000)
        if fit.iterations >= fit.limit:
            raise RuntimeError(f"{name} did not converge")
        found[name] = np.log(fit.scores.loc[index].to_numpy())

    def by_choix(name: str) -> None:
        found[name] = choix.ilsr_pairwise_dense(won)

    raw, summed, matrix = "evalica, rows", "evalica, counts", "choix ilsr_pairwise_dense, matrix of wins"
    times = interleave(
        size.rounds,
        [
            ("strengths from the store, one judge", data.strengths),
            (raw, lambda: by_evalica(raw, a, b, winner)),
            ("strengths and errors clustered by prompt, one judge", data.clustered),
            ("strengths, counts", lambda: fit_bradley_terry(counted)),
            (summed, lambda: by_evalica(summed, few_a, few_b, few_winner, weights=weights)),
            (matrix, lambda: by_choix(matrix)),
        ],
    )
    print(*times, sep="\n")
    for name, strength in found.items():
        print(f"  largest difference between the strengths of {name} and ours: "
              f"{np.abs(strength - strength.mean() - ours.strength).max():.1e}")  # fmt: skip
    print(end="", flush=True)
    return [
        Ratio("strengths from the store / evalica on rows", times[0], times[1]),
        Ratio("clustered errors from the store / evalica on rows (without errors)", times[2], times[1]),
        Ratio("strengths from counts / evalica on counts", times[3], times[4]),
        Ratio("strengths from counts / choix on its matrix", times[3], times[5]),
    ]


def _seconds(one: Store, many: Store, size: Size) -> None:
    """What has no peer: the parts of an analysis and the two studies, whole."""
    with one.reading("benchmark") as con:
        [cells] = Open.of(con).cells(("prompt",)).values()
    fit = fit_bradley_terry(cells)
    with many.reading("benchmark") as con:
        first, second = list(Open.of(con).cells(("prompt",)).values())[:2]
    pair = [first.among(second.models), second]
    fits = [fit_bradley_terry(part) for part in pair]

    def bootstrap() -> None:
        correlate_ranks(fits, pair, PROMPT, np.random.default_rng(0), replicates=size.replicates)

    two = Compare(dataset=DATASET, judge=("people", "judge-1"))
    rest: list[tuple[str, Callable[[], object]]] = [
        ("covariance clustered by prompt, one judge", lambda: strength_covariance([fit], [cells], PROMPT)),
        (f"bootstrap of two rankings, {size.replicates:,} replicates, both judges", bootstrap),
        ("study compare, people and one judge", lambda: two.run(many)),
        ("study rank, one judge", lambda: Rank(dataset=DATASET).run(one)),
        ("study rank, five judges", lambda: Rank(dataset=DATASET).run(many)),
    ]
    found: list[Times] = interleave(min(size.rounds, 3), rest)
    print(*found, sep="\n", flush=True)
