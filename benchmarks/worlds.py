"""What is measured on, and how is it timed? A simulated world of a chosen size, as a store and as a file with texts."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from data.simulate.tables import simulate
from data.simulate.world import World
from data.store import Store
from studies.simulate import add_simulated

DATASET = "bench"
MODELS, JUDGES, SCENARIOS = 100, 5, 16
ROWS_A_PROMPT = 10


@dataclass(frozen=True)
class Size:
    """How much is measured: judgments, rounds of every timing, bootstrap replicates."""

    judgments: int = 1_000_000
    models: int = MODELS
    rounds: int = 9
    imports: int = 3
    replicates: int = 1000

    @property
    def prompts(self) -> int:
        return self.judgments // ROWS_A_PROMPT


QUICK = Size(judgments=20_000, models=20, rounds=2, imports=1, replicates=50)


def fill_store(path: Path, size: Size, judges: int) -> Store:
    """A store whose only dataset holds `size.judgments` simulated judgments; the first judge is people."""
    store = Store(path)
    add_simulated(
        store, DATASET, judgments=size.judgments, models=size.models, judges=judges, factors=0, scenarios=SCENARIOS,
        prompts=size.prompts,
    )  # fmt: skip
    return store


def write_csv(path: Path, size: Size) -> Path:
    """The same world as a CSV with prompts and two response texts a row, a third of them over several lines."""
    world = World.draw(
        0,
        models=size.models,
        judges=[("people", "human"), *((f"judge-{k}", "llm") for k in range(1, JUDGES))],
        factors=(),
        scenarios=SCENARIOS,
        prompts=size.prompts,
    )
    writer = None
    try:
        for table in simulate(world, size.judgments, texts=True):
            plain = pa.table({name: _plain(name, table[name]) for name in table.column_names})
            writer = writer or csv.CSVWriter(path, plain.schema)
            writer.write(plain)
    finally:
        if writer is not None:
            writer.close()
    return path


def _plain(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without its dictionary; responses in paragraphs where their place in it is divisible by 3."""
    if not pa.types.is_dictionary(column.type):
        return column
    chunks = []
    for chunk in column.chunks:
        words = chunk.dictionary
        if name.startswith("response_"):
            some = pa.array(np.arange(len(words)) % 3 == 0)
            words = pc.if_else(some, pc.replace_substring(words, ". As a rule", ".\n\nAs a rule"), words)
        chunks.append(words.take(chunk.indices))
    return pa.chunked_array(chunks, pa.string())


@dataclass(frozen=True)
class Times:
    """Seconds of one thing done several times; `peak` : MB of memory at most, None where the system does not tell."""

    name: str
    seconds: tuple[float, ...]
    peak: float | None = None

    @property
    def least(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return float(np.median(self.seconds))

    def __str__(self) -> str:
        memory = "" if self.peak is None else f"{self.peak:>9,.0f} MB"
        return f"  {self.name:<64}{_seconds(self.least):>10}{_seconds(self.median):>10}{memory}"


HEAD = f"  {'':<64}{'least':>10}{'median':>10}{'peak':>12}"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{1000 * value:.1f} ms"


def interleave(rounds: int, work: Sequence[tuple[str, Callable[[], object]]], warm: bool = True) -> list[Times]:
    """Time each piece of work `rounds` times in turn, so that what else the machine does meets all alike."""
    if warm:
        for _, do in work:
            do()
    taken: list[list[float]] = [[] for _ in work]
    peaks = [0.0] * len(work)
    known = True
    for _ in range(rounds):
        for k, (_, do) in enumerate(work):
            forget_peak()
            began = time.perf_counter()
            do()
            taken[k].append(time.perf_counter() - began)
            peak = peak_memory()
            known = known and peak is not None
            peaks[k] = max(peaks[k], peak or 0.0)
    return [
        Times(name, tuple(seconds), peak if known else None)
        for (name, _), seconds, peak in zip(work, taken, peaks, strict=True)
    ]


def forget_peak() -> None:
    """Count this process's peak memory from here on, where the system can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_memory() -> float | None:
    """MB this process held at most since `forget_peak`; None where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(found[0]) / 1024 if found else None


@dataclass(frozen=True)
class Ratio:
    """One figure of ours as a multiple of a peer's, and the multiple that is promised (None: only told)."""

    what: str
    ours: Times
    peer: Times
    promised: float | None = None

    @property
    def value(self) -> float:
        return self.ours.least / self.peer.least

    @property
    def of_medians(self) -> float:
        return self.ours.median / self.peer.median

    @property
    def holds(self) -> bool:
        return self.promised is None or self.value <= self.promised

    def __str__(self) -> str:
        promise = ""
        if self.promised is not None:
            promise = f"promised <= {self.promised:g}: {'holds' if self.holds else 'BROKEN'}"
        return f"  {self.what:<64}{self.value:>10.3g}{self.of_medians:>10.3g}  {promise}"


def counted(what: str, failures: Sequence[str]) -> Ratio:
    """Failures, of which none is promised, as a ratio: 1 is none, 2 one. They are printed."""
    for failure in failures:
        print(f"  FAILED: {failure}", flush=True)
    return Ratio(f"{what}: 1 + what failed", Times("", (1.0 + len(failures),)), Times("", (1.0,)), 1)
