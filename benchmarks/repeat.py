"""How are many simulated data sets made on all cores, each from a seed of its own?"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import TypeVar

T = TypeVar("T")

CHUNK = 5


def repeat(work: Callable[[int], T], runs: int, workers: int) -> list[T]:
    """work(0), work(1), ...; with one worker in this process."""
    if workers == 1:
        return [work(seed) for seed in range(runs)]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(work, range(runs), chunksize=CHUNK))
