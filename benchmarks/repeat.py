"""How are many simulated data sets made on all cores, each from a seed of its own?"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

import pandas as pd

T = TypeVar("T")

CHUNK = 5


def repeat(work: Callable[[int], T], runs: int, workers: int) -> list[T]:
    """work(0), work(1), ...; with one worker in this process."""
    if workers == 1:
        return [work(seed) for seed in range(runs)]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(work, range(runs), chunksize=CHUNK))


def promised(
    world: str, quantity: str, value: float, low: float, high: float, runs: int,
    each: tuple[float, float] | None = None,
) -> dict[str, object]:  # fmt: skip
    """A row of a bench's table: what was found, what it is promised to lie between, and of a pooled value its ends."""
    least, most = each or (value, value)
    return {"world": world, "quantity": quantity, "coverage": value, "each_low": least, "each_high": most, "runs": runs,
            "promised_low": low, "promised_high": high}  # fmt: skip


def broken_promises(table: pd.DataFrame) -> list[str]:
    """What does not hold, in sentences."""
    out = table[(table["coverage"] < table["promised_low"]) | (table["coverage"] > table["promised_high"])]
    return [f"{row['world']}, {row['quantity']}: {row['coverage']:.3f}" for row in out.to_dict("records")]


def report(
    doc: str | None,
    measure: Callable[..., pd.DataFrame],
    broken_promises: Callable[[pd.DataFrame], list[str]] = broken_promises,
    worlds: Sequence[str] = (),
) -> int:
    """Read --runs and --workers (and --world, where worlds are named), print the table, and what of it is broken.

    measure : of runs and workers, and of the names of the worlds that are wanted where there are any; 1 when broken
    """
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    if worlds:
        parser.add_argument("--world", action="append", default=[], choices=list(worlds))
    chosen = parser.parse_args()
    table = measure(chosen.runs, chosen.workers, *([chosen.world] if worlds else []))
    print(table.to_string(index=False, float_format=lambda value: f"{value:.3f}"))
    broken = broken_promises(table)
    for sentence in broken:
        print(f"BROKEN  {sentence}")
    return 1 if broken else 0
