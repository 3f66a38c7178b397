"""How long do 20 readers at once wait for a page after changing a filter, and how much memory does the server take?

    python -m benchmarks sessions [--quick]

A server of the app with a store of its own, and 20 sessions that speak its websocket as a browser does, each on a page
of its own choosing: a look, then one filter of the sidebar after another (scenario, judge held against the reference,
reference, ties), by its widget, with the pauses of somebody who reads. Counted is from the change to the last message
of the page that was made anew; the browsers' own drawing is not, because twenty of them would take the machine from
the server they are to measure (`page` counts it, for one). The first look at each page is not counted. Every
scenario, judge and reference that the sidebar offers is drawn alike, alone or all, so that most views are new.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.worlds import DATASET, JUDGES, Ratio, Size, Times, fill_store

SESSIONS = 20
WAIT = 2.0
"""Seconds to the page made anew that at most one change in twenty takes longer than."""

MEMORY = 4096
"""MB that the server may take at most: what does not grow with sessions is DuckDB, and a bounded cache of results."""

READS = (5.0, 15.0)
"""Seconds that somebody looks at a page before the next change, at least and at most."""

STUCK = 120.0
"""Seconds after which a page counts as never made."""

PAGES = ("overview", "rankings", "scenarios", "judges")
FILTERS = {"Scenarios": 4, "Judges": 3, "Ties": 1, "Reference": 1}
"""How often readers turn to each filter of the sidebar, out of nine times."""

RULES = ("half a win each", "left out")
"""The rules for ties that readers go between. (Models of ties are fits of their own, which `rankings` times.)"""


@dataclass
class Widget:
    """A select box of a page: what it is called, what it holds, what may be chosen."""

    id: str
    label: str
    options: tuple[str, ...]
    several: bool
    value: tuple[str, ...]


@dataclass
class Session:
    """One reader: the page last seen, and what its waits were."""

    number: int
    page: str
    rng: random.Random
    waits: list[tuple[str, str, float]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    first: float = 0.0
    _socket: Any = None
    _hash: str = ""
    _query: str = f"dataset={DATASET}"
    _widgets: dict[str, Widget] = field(default_factory=dict)

    async def read(self, url: str, changes: int) -> None:
        """A first look, then `changes` filters, each when the page stands."""
        from websockets.asyncio.client import connect
        from websockets.typing import Subprotocol

        async with connect(f"{url.replace('http', 'ws', 1)}/_stcore/stream", subprotocols=[Subprotocol("streamlit")],
                           max_size=None, ping_interval=None) as self._socket:  # fmt: skip
            began = time.monotonic()
            await self._run(None)
            self.first = time.monotonic() - began
            for _ in range(changes):
                await asyncio.sleep(self.rng.uniform(*READS))
                change = self._choose()
                began = time.monotonic()
                if await self._run(change):
                    self.waits.append((self.page, change[0].label, time.monotonic() - began))

    def _choose(self) -> tuple[Widget, list[str]]:
        """A filter, and what it is set to."""
        found = [w for w in self._widgets.values() if w.label in FILTERS and len(w.options) > 1]
        widget = self.rng.choices(found, [FILTERS[w.label] for w in found])[0]
        options = RULES if widget.label == "Ties" else widget.options
        if widget.several and widget.value and self.rng.random() < 0.3:
            return widget, []
        return widget, [self.rng.choice([one for one in options if (one,) != widget.value])]

    async def _run(self, change: tuple[Widget, list[str]] | None) -> bool:
        """Ask for the page and take what comes until it is whole. False when it was not made without an error."""
        from streamlit.proto.BackMsg_pb2 import BackMsg
        from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

        asked = BackMsg()
        asked.rerun_script.query_string = self._query
        if self._hash:
            asked.rerun_script.page_script_hash = self._hash
        else:
            asked.rerun_script.page_name = self.page
        if change is not None:
            change[0].value = tuple(change[1])
        for widget in self._widgets.values():
            state = asked.rerun_script.widget_states.widgets.add(id=widget.id)
            if widget.several:
                state.string_array_value.data.extend(widget.value)
            elif widget.value:
                state.string_value = widget.value[0]
        await self._socket.send(asked.SerializeToString())
        while True:
            try:
                said = await asyncio.wait_for(self._socket.recv(), STUCK)
            except TimeoutError:
                self.errors.append(f"{self.page}: no answer within {STUCK:.0f} s")
                return False
            message = ForwardMsg.FromString(said)
            kind = message.WhichOneof("type")
            if kind == "navigation":
                self._hash = message.navigation.page_script_hash
            elif kind == "page_info_changed":
                self._query = message.page_info_changed.query_string
            elif kind == "delta":
                self._take(message.delta)
            elif kind == "script_finished":
                status = message.ScriptFinishedStatus.Name(message.script_finished)
                if status == "FINISHED_SUCCESSFULLY":
                    return True
                if status == "FINISHED_EARLY_FOR_RERUN":
                    continue
                self.errors.append(f"{self.page}: {status}")
                return False

    def _take(self, delta: Any) -> None:
        element = delta.new_element
        kind = element.WhichOneof("type")
        if kind in ("selectbox", "multiselect"):
            one, several = getattr(element, kind), kind == "multiselect"
            known = self._widgets.get(one.label)
            if one.set_value:
                value = tuple(one.raw_values) if several else (one.raw_value,) if one.HasField("raw_value") else ()
            elif known is not None and known.id == one.id:
                value = known.value
            elif several:
                value = tuple(one.options[k] for k in one.default)
            else:
                value = (one.options[one.default],) if one.HasField("default") else ()
            self._widgets[one.label] = Widget(one.id, one.label, tuple(one.options), several, value)
        elif kind == "exception":
            self.errors.append(f"{self.page}: {element.exception.message[:200]}")


def measure(folder: Path, size: Size) -> list[Ratio]:
    """Print the waits and the server's memory; the 95th percentile as a multiple of the promised one."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from browser_app import start

    path = folder / "sessions.duckdb"
    fill_store(path, size, judges=JUDGES)
    few = size.rounds < 3
    server = start(path)
    try:
        sessions = asyncio.run(visit(server.url, 4 if few else SESSIONS, 3 if few else 12))
        peak = memory_peak(server.process.pid)
    finally:
        server.stop()
    return report(sessions, size, peak)


async def visit(url: str, n: int, changes: int, pages: Iterable[str] = PAGES) -> list[Session]:
    """`n` sessions at once, spread over the pages."""
    pages = tuple(pages)
    sessions = [Session(k, pages[k % len(pages)], random.Random(k)) for k in range(n)]
    for page in pages:
        # The first look at each page of a store that nobody has seen.
        await Session(0, page, random.Random(0)).read(url, 0)
    await asyncio.gather(*(session.read(url, changes) for session in sessions))
    return sessions


def report(sessions: list[Session], size: Size, peak: float | None) -> list[Ratio]:
    """What the sessions waited, said by page and by filter. Raises RuntimeError when a page was not made."""
    errors = [error for session in sessions for error in session.errors]
    if errors:
        raise RuntimeError(f"{len(errors)} pages could not be made, among them: {errors[0]}")
    waits = [wait for session in sessions for wait in session.waits]
    seconds = np.array([wait for _, _, wait in waits])
    p50, p95 = np.quantile(seconds, [0.5, 0.95])
    print(
        f"\n{len(sessions)} sessions at once, {size.judgments:,} judgments: {len(waits)} changes of a filter\n"
        f"  from the change to the page made anew: median {1000 * p50:,.0f} ms, 95 % within {1000 * p95:,.0f} ms, the "
        f"longest {1000 * seconds.max():,.0f} ms; no error; the server took "
        + ("(unknown here)" if peak is None else f"{peak:,.0f} MB at most"),
        flush=True,
    )
    parts = [(f"page {page}", wait) for page, _, wait in waits] + [(f"filter {name}", wait) for _, name, wait in waits]
    for part, n in Counter(part for part, _ in parts).items():
        some = np.array([wait for name, wait in parts if name == part])
        print(f"  {part:<24} {n:>4} changes, median {1000 * np.median(some):>6,.0f} ms, "
              f"95 % within {1000 * np.quantile(some, 0.95):>6,.0f} ms")  # fmt: skip
    ratios = [Ratio("20 sessions: 95 % of changes within / 2 s", Times("", (float(p95),)), Times("", (WAIT,)), 1)]
    if peak is not None:
        memory = Times("", (peak,)), Times("", (MEMORY,))
        ratios.append(Ratio("20 sessions: memory of the server / 4,096 MB", *memory, 1))
    return ratios


def memory_peak(pid: int) -> float | None:
    """MB that a process has taken at most; None where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    return float(status.split("VmHWM:")[1].split()[0]) / 1024
