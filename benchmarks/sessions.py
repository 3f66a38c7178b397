"""How long do 20 readers at once wait for a page after changing a filter, and how much memory does the server take?

    python -m benchmarks sessions [--quick]

A server of the app with a store of its own, and 20 sessions that speak its websocket as a browser does, each on a page
of its own choosing: a look, then one filter of the sidebar after another (scenario, judge held against the reference,
reference, ties), by its widget, with the pauses of somebody who reads. Counted is from the change to the last message
of the page that was made anew; the browsers' own drawing is not, because twenty of them would take the machine from
the server they are to measure (`page` counts it, for one). The first look at each page is not counted. Every
scenario, judge and reference that the sidebar offers is drawn alike, alone or all, so that most views are new.

It ends after `LAST` seconds, however slow the server is: nobody changes anything after that, and a page that is not
there `STUCK` seconds after it was asked for is a failure. What the server computed with is printed beside the waits,
because on a machine that does other things too the waits say little.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.worlds import DATASET, JUDGES, Ratio, Size, Times, counted, fill_store

SESSIONS = 20
WAIT = 2.0
"""Seconds to the page made anew that at most one change in twenty takes longer than."""

MEMORY = 4096
"""MB that the server may take at most: what does not grow with sessions is DuckDB, and a bounded cache of results."""

READS = (5.0, 15.0)
"""Seconds that somebody looks at a page before the next change, at least and at most."""

STUCK = 60.0
"""Seconds after which a page counts as never made."""

LAST = 300.0
"""Seconds after which no session changes anything any more. (Twelve changes take about 130.)"""

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

    async def read(self, url: str, changes: int, until: float = float("inf")) -> None:
        """A first look, then `changes` filters, each when the page stands, none after `until` (monotonic seconds).

        It ends at the first page that is not made.
        """
        from websockets.asyncio.client import connect
        from websockets.typing import Subprotocol

        async with connect(f"{url.replace('http', 'ws', 1)}/_stcore/stream", subprotocols=[Subprotocol("streamlit")],
                           max_size=None, ping_interval=None) as self._socket:  # fmt: skip
            began = time.monotonic()
            if not await self._run_in_time(None):
                return
            self.first = time.monotonic() - began
            for _ in range(changes):
                await asyncio.sleep(self.rng.uniform(*READS))
                if time.monotonic() > until:
                    return
                change = self._choose()
                began = time.monotonic()
                made = await self._run_in_time(change)
                self.waits.append((self.page, change[0].label, time.monotonic() - began))
                if not made:
                    return

    async def _run_in_time(self, change: tuple[Widget, list[str]] | None) -> bool:
        try:
            return await asyncio.wait_for(self._run(change), STUCK)
        except TimeoutError:
            self.errors.append(f"{self.page}: not made within {STUCK:.0f} s")
        except OSError as error:
            self.errors.append(f"{self.page}: {error}")
        return False

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
            message = ForwardMsg.FromString(await self._socket.recv())
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


@dataclass(frozen=True)
class Served:
    """What the visit cost. sessions : with their waits

    seconds : from the first session's first look to the last page; cpu : seconds of all cores that the server computed
    meanwhile, peak : MB it took at most; None where the system does not tell
    """

    sessions: list[Session]
    seconds: float
    cpu: float | None
    peak: float | None


def measure(folder: Path, size: Size) -> list[Ratio]:
    """Print the waits and the server's memory; the 95th percentile as a multiple of the promised one."""
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from browser_app import start

    path = folder / "sessions.duckdb"
    fill_store(path, size, judges=JUDGES)
    few = size.rounds < 3
    server = start(path)
    try:
        served = asyncio.run(visit(server.url, server.process.pid, 4 if few else SESSIONS, 3 if few else 12))
    finally:
        server.stop()
    return report(served, size)


async def visit(url: str, pid: int, n: int, changes: int, pages: Iterable[str] = PAGES) -> Served:
    """`n` sessions at once, spread over the pages. pid : of the server"""
    pages = tuple(pages)
    # The first look at each page of a store that nobody has seen.
    first = [Session(0, page, random.Random(0)) for page in pages]
    for one in first:
        await one.read(url, 0)
    sessions = [Session(k, pages[k % len(pages)], random.Random(k)) for k in range(n)]
    before, began = cpu_seconds(pid), time.monotonic()
    await asyncio.gather(*(session.read(url, changes, began + LAST) for session in sessions))
    after, seconds = cpu_seconds(pid), time.monotonic() - began
    cpu = None if before is None or after is None else after - before
    for one in first:
        sessions[0].errors += one.errors
    return Served(sessions, seconds, cpu, memory_peak(pid))


def report(served: Served, size: Size) -> list[Ratio]:
    """What the sessions waited, said by page and by filter, and what it cost."""
    sessions = served.sessions
    errors = [error for session in sessions for error in session.errors]
    waits = [wait for session in sessions for wait in session.waits]
    if not waits:
        return [counted("20 sessions: pages made", errors or ["no page was made anew"])]
    seconds = np.array([wait for _, _, wait in waits])
    p50, p95 = np.quantile(seconds, [0.5, 0.95])
    unknown = "(unknown here)"
    memory = unknown if served.peak is None else f"{served.peak:,.0f} MB"
    pages = len(waits) + len(sessions)
    cost = unknown if served.cpu is None else f"{served.cpu / pages:.2f} s"
    load = unknown if served.cpu is None else f"{served.cpu / served.seconds:.2f}"
    print(
        f"\n{len(sessions)} sessions at once, {size.judgments:,} judgments: {len(waits)} changes of a filter\n"
        f"  from the change to the page made anew: median {1000 * p50:,.0f} ms, 95 % within {1000 * p95:,.0f} ms, the "
        f"longest {1000 * seconds.max():,.0f} ms; {len(errors) or 'no'} error{'s' * (len(errors) > 1)}; the server "
        f"took {memory} at most\n"
        f"  {pages} pages in {served.seconds:.0f} s, {pages / served.seconds:.2f} a second, with first looks; the "
        f"server computed {cost} for a page, with {load} cores on average",
        flush=True,
    )
    parts = [(f"page {page}", wait) for page, _, wait in waits] + [(f"filter {name}", wait) for _, name, wait in waits]
    for part, n in Counter(part for part, _ in parts).items():
        some = np.array([wait for name, wait in parts if name == part])
        print(f"  {part:<24} {n:>4} changes, median {1000 * np.median(some):>6,.0f} ms, "
              f"95 % within {1000 * np.quantile(some, 0.95):>6,.0f} ms")  # fmt: skip
    ratios = [
        Ratio("20 sessions: 95 % of changes within / 2 s", Times("", (float(p95),)), Times("", (WAIT,)), 1),
        counted("20 sessions: pages made", errors),
    ]
    if served.peak is not None:
        most = Times("", (served.peak,)), Times("", (MEMORY,))
        ratios.append(Ratio("20 sessions: memory of the server / 4,096 MB", *most, 1))
    return ratios


def cpu_seconds(pid: int) -> float | None:
    """Seconds that a process has computed on all cores; None where the system does not tell."""
    try:
        # After the name, which may hold anything: state is field 3, utime and stime are 14 and 15.
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_peak(pid: int) -> float | None:
    """MB that a process has taken at most; None where the system does not tell."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    return float(status.split("VmHWM:")[1].split()[0]) / 1024
