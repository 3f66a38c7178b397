"""What will readers of a large dataset ask next? It is worked out while the server has nothing else to do.

One change in the sidebar or of the judge leads from an answer to its neighbours: another judge, reference or rule for
ties, all scenarios. They are asked by one thread that waits whenever a page is being made, so that no reader waits for
it. Of a small dataset every answer is there at once anyway; of a slow study the neighbours would keep a core busy for
minutes.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from data.model import Progress
from data.queries import Catalog
from studies.study import Fitted, Study

LARGE = 200_000
"""Judgments of a dataset from which on it is worth it."""

QUICK = 2.0
"""Seconds that an answer may have taken for its neighbours to be worked out."""

BREATH = 0.3
"""Seconds without any page before the work goes on: who clicks twice shall not meet it."""

REACH = 60.0
"""Seconds after the last page that the work goes on: for who has left nothing is worked out."""

MOST, NOTED = 400, 4000
"""Questions that wait at most, the oldest dropped first; answers whose neighbours were asked for, remembered."""

RULES = ("half", "drop")
"""Rules for ties that take no longer than one another."""


class Overtaken(BaseException):
    """A page is wanted. As Streamlit's own, no study takes it for a question that cannot be answered."""


def neighbours(study: Study, names: Catalog) -> Iterator[Study]:
    """What one change leads to from a resolved study, of all scenarios, the likeliest first.

    That of one scenario is soon there, the sooner as what all need is in memory then.
    """
    study, chosen = replace(study, scenario=()), study.scenario
    if chosen:
        yield study
    reference, *others = study.judge or ("",)
    shown = [judge for judge in names.judges if judge not in names.display.hidden("judge")]
    compared = study.judges == "reference" and len(shown) > 2
    if compared and len(others) == 1:
        yield from (replace(study, judge=(reference, other)) for other in shown if other not in study.judge)
    if isinstance(study, Fitted) and study.ties in RULES and study.drops_ties:
        yield from (replace(study, ties=rule) for rule in RULES if rule != study.ties)
    if compared:
        for first in (judge for judge in shown if judge != reference):
            rest = [judge for judge in shown if judge != first]
            if len(others) == 1:
                yield from (replace(study, judge=(first, other)) for other in rest)
            elif len(study.judge) == len(shown):
                yield replace(study, judge=(first, *rest))


class Ahead:
    """The questions that wait, and the one thread that asks them.

    ask : answers a study and keeps the answer; its progress raises Overtaken when a page is wanted
    """

    def __init__(self, ask: Callable[[Study, Progress], None]) -> None:
        self._ask = ask
        self._changed = threading.Condition()
        self._pages = 0
        self._quiet_since = 0.0
        self._waiting: OrderedDict[Study, None] = OrderedDict()
        self._noted: OrderedDict[Hashable, None] = OrderedDict()
        self._slow: OrderedDict[Hashable, None] = OrderedDict()
        self._thread: threading.Thread | None = None
        self._ended = False
        atexit.register(self.end)

    def __len__(self) -> int:
        return len(self._waiting)

    @contextmanager
    def page(self) -> Iterator[None]:
        """While the block lasts somebody waits for what it makes, and nothing is worked out ahead."""
        with self._changed:
            self._pages += 1
        try:
            yield
        finally:
            with self._changed:
                self._pages -= 1
                self._quiet_since = time.monotonic()
                self._changed.notify_all()

    def note(self, key: Hashable, study: Study, names: Catalog, seconds: float) -> None:
        """Somebody has this answer: its neighbours are next, before all that waited already.

        key : of the answer in its store as it is; the second time nothing is done
        seconds : that it took. What was slow when it was worked out is so for ever, however soon it is there again
        """
        with self._changed:
            if self._ended or key in self._noted or key in self._slow:
                return
            known = self._noted if seconds < QUICK else self._slow
            known[key] = None
            while len(known) > NOTED:
                known.popitem(last=False)
            if known is self._slow:
                return
            for each in reversed(list(neighbours(study, names))):
                self._waiting[each] = None
                self._waiting.move_to_end(each)
            while len(self._waiting) > MOST:
                self._waiting.popitem(last=False)
            if self._waiting and self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True, name="ahead")
                self._thread.start()

    def end(self, patience: float = 2.0) -> None:
        """Ask nothing more. patience : seconds to wait for what is being asked"""
        with self._changed:
            self._ended = True
            self._waiting.clear()
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(patience)

    def _next(self) -> Study | None:
        """The next question, as soon as no page is being made; None: there is none, and the thread ends."""
        with self._changed:
            while self._waiting:
                quiet = time.monotonic() - self._quiet_since
                if self._pages or quiet < BREATH:
                    self._changed.wait(None if self._pages else BREATH - quiet)
                elif quiet < REACH:
                    return self._waiting.popitem()[0]
                else:
                    self._waiting.clear()
                    self._noted.clear()
            self._thread = None
            return None

    def _work(self) -> None:
        while (study := self._next()) is not None:
            try:
                self._ask(study, self._report)
            except Overtaken:
                # What it had finished is kept: the rest is little when its turn comes again.
                with self._changed:
                    if not self._ended:
                        self._waiting.setdefault(study)
                        self._waiting.move_to_end(study)
            except Exception:
                # Nobody asked: the page that does meets the same error and says it in its own words.
                continue

    def _report(self, share: float, text: str) -> None:
        if self._pages or self._ended:
            raise Overtaken
