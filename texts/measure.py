"""How are millions of texts measured? In chunks, on all cores, in an order that does not depend on them.

Workers are processes started afresh (a fork would copy an open store); they end with the process that started them,
however it ends.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from multiprocessing.connection import wait as wait_for_end
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from texts.reading import Reading
from texts.registry import factors

Floats = NDArray[np.float64]

CHUNK = 200_000
"""Characters that are measured at a time: about a fifth of a second."""

ALONE = 4_000_000
"""Up to so many characters starting further processes would take longer than measuring."""

TICK = 0.3
"""Seconds between two signs of life while a chunk is waited for."""


class Measurer(Protocol):
    """Measures texts: yields the (chunk, factors) values of one chunk after the other, in the order of `bodies`."""

    def __call__(
        self, bodies: Sequence[str], names: Sequence[str], tick: Callable[[], None] = ...
    ) -> Iterator[Floats]: ...


def measure_texts(bodies: Sequence[str], names: Sequence[str]) -> Floats:
    """(texts, factors) values of these factors; NaN where a text has none."""
    wanted = factors(names)
    out = np.empty((len(bodies), len(wanted)))
    for row, body in enumerate(bodies):
        reading = Reading(body)
        for column, one in enumerate(wanted):
            out[row, column] = one.measure(reading)
    return out


def chunks(bodies: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in runs of at most CHUNK characters, or of one text that is longer."""
    start = size = 0
    for at, body in enumerate(bodies):
        if size and size + len(body) > CHUNK:
            yield bodies[start:at]
            start, size = at, 0
        size += len(body) + 1
    if start < len(bodies):
        yield bodies[start:]


@contextmanager
def measuring(characters: int, workers: int | None = None) -> Iterator[Measurer]:
    """A measurer for about so many characters in all.

    workers : processes; default one a core, and none besides this one for little work
    """
    n = workers if workers is not None else 1 if characters <= ALONE else cores()
    if n <= 1:
        yield _alone
        return
    with ProcessPoolExecutor(n, multiprocessing.get_context("spawn"), initializer=_end_with_parent) as pool:

        def together(
            bodies: Sequence[str], names: Sequence[str], tick: Callable[[], None] = _nothing
        ) -> Iterator[Floats]:
            waiting: deque[Future[Floats]] = deque()
            todo = chunks(bodies)
            while True:
                while len(waiting) < 3 * n and (chunk := next(todo, None)) is not None:
                    waiting.append(pool.submit(measure_texts, list(chunk), tuple(names)))
                if not waiting:
                    return
                while wait_for([waiting[0]], TICK).not_done:
                    tick()
                yield waiting.popleft().result()

        try:
            yield together
        except BaseException:
            # What was not begun is not waited for.
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _alone(bodies: Sequence[str], names: Sequence[str], tick: Callable[[], None] = lambda: None) -> Iterator[Floats]:
    for chunk in chunks(bodies):
        yield measure_texts(chunk, names)


def _nothing() -> None:
    pass


def _end_with_parent() -> None:
    """In a worker: end when the parent has ended, be it killed; its queue would be waited on for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel
        threading.Thread(target=lambda: (wait_for_end([sentinel]), os._exit(1)), daemon=True).start()
