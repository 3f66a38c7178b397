"""How are millions of texts measured? In chunks, on all cores, in an order that does not depend on them.

Workers are processes started afresh (a fork would copy an open store); they end with the process that started them,
however it ends.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from multiprocessing.connection import wait as wait_for_end
from types import ModuleType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from texts.reading import Reading
from texts.registry import Measure, Of, factors

Floats = NDArray[np.float64]

CHUNK = 100_000
"""Characters that are measured at a time: about a fifth of a second."""

ALONE = 300_000
"""Up to so many characters starting further processes would take longer than measuring."""

TICK = 0.3
"""Seconds between two signs of life while a chunk is waited for."""


class Measurer(Protocol):
    """Measures texts: yields the (chunk, factors) values of one chunk after the other, in the order of `bodies`.

    prompts : of factors of an answer, the text of each response's prompt, None where it has none
    tick : called at least every TICK seconds while a chunk is waited for
    """

    def __call__(
        self, bodies: Sequence[str], names: Sequence[str], tick: Callable[[], None] = ...,
        prompts: Sequence[str | None] | None = None,
    ) -> Iterator[Floats]: ...  # fmt: skip


def measure_texts(bodies: Sequence[str], names: Sequence[str]) -> Floats:
    """(texts, factors) values of these factors of a text; NaN where a text has none."""
    wanted = _of(names, "text")
    out = np.empty((len(bodies), len(wanted)))
    for row, body in enumerate(bodies):
        reading = Reading(body)
        for column, measure in enumerate(wanted):
            out[row, column] = measure(reading)
    return out


def measure_answers(bodies: Sequence[str], prompts: Sequence[str | None], names: Sequence[str]) -> Floats:
    """(responses, factors) values of these factors of an answer; NaN where a response or its prompt (None) has none."""
    wanted = _of(names, "answer")
    out = np.full((len(bodies), len(wanted)), np.nan)
    asked = {prompt: Reading(prompt) for prompt in prompts if prompt is not None}
    for row, (body, prompt) in enumerate(zip(bodies, prompts, strict=True)):
        if prompt is None:
            continue
        reading = Reading(body)
        for column, measure in enumerate(wanted):
            out[row, column] = measure(reading, asked[prompt])
    return out


def _of(names: Sequence[str], of: Of) -> list[Measure]:
    """What measures these factors. Raises ValueError for one that is measured from something else."""
    found = factors(names)
    for one in found:
        if one.of != of or one.measure is None:
            raise ValueError(f"{one.name!r} is a factor of {one.of}, not of {of}")
    return [one.measure for one in found if one.measure is not None]


def _measure_chunk(bodies: Sequence[str], prompts: Sequence[str | None] | None, names: Sequence[str]) -> Floats:
    return measure_texts(bodies, names) if prompts is None else measure_answers(bodies, prompts, names)


def chunks(bodies: Sequence[str], prompts: Sequence[str | None] | None = None) -> Iterator[slice]:
    """Where the texts are cut: runs of at most CHUNK characters, or of one text that is longer."""
    start = size = 0
    for at, body in enumerate(bodies):
        long = len(body) + len((prompts[at] if prompts is not None else None) or "")
        if size and size + long > CHUNK:
            yield slice(start, at)
            start, size = at, 0
        size += long + 1
    if start < len(bodies):
        yield slice(start, len(bodies))


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
            bodies: Sequence[str], names: Sequence[str], tick: Callable[[], None] = _nothing,
            prompts: Sequence[str | None] | None = None,
        ) -> Iterator[Floats]:  # fmt: skip
            waiting: deque[Future[Floats]] = deque()
            todo = chunks(bodies, prompts)
            while True:
                while len(waiting) < 3 * n and (chunk := next(todo, None)) is not None:
                    beside = None if prompts is None else list(prompts[chunk])
                    waiting.append(pool.submit(_measure_chunk, list(bodies[chunk]), beside, tuple(names)))
                if not waiting:
                    return
                while wait_for([waiting[0]], TICK).not_done:
                    tick()
                yield waiting.popleft().result()

        try:
            with _main_left_out():
                for _ in range(n):
                    pool.submit(_nothing)
            yield together
        except BaseException:
            # What was not begun is not waited for.
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def _main_left_out() -> Iterator[None]:
    """Processes that start meanwhile do not run the main module anew, as `spawn` has it: to import all of the command
    line takes ten times as long as what a worker needs."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _nothing() -> None:
    pass


def _alone(
    bodies: Sequence[str], names: Sequence[str], tick: Callable[[], None] = _nothing,
    prompts: Sequence[str | None] | None = None,
) -> Iterator[Floats]:  # fmt: skip
    for chunk in chunks(bodies, prompts):
        yield _measure_chunk(bodies[chunk], None if prompts is None else prompts[chunk], names)


def _end_with_parent() -> None:
    """In a worker: end when the parent has ended, be it killed; its queue would be waited on for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel
        threading.Thread(target=lambda: (wait_for_end([sentinel]), os._exit(1)), daemon=True).start()
