"""Which files are on their way into the store, and what became of each?

A dropped file and its dry run belong to a window, an import to the server: it goes on when the window is closed or
loaded anew, and whoever looks at the page finds it again. No file is taken into the same dataset twice at once.
"""

from __future__ import annotations

import tempfile
import threading
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data import file_shapes
from data.file_shapes import Shape
from data.importers import judgments
from data.store import Store
from ui.child import Job
from ui.mapping import Choices, Look

KEPT = 20
"""Imports that are remembered, the last ones."""

_imports: list[Upload] = []
_finishing = threading.Lock()


@dataclass(eq=False)
class Upload:
    """One dropped file on its way into the store.

    sheets : of a workbook, as they stand in it; wrong : why it cannot be read; last : how the last file of its shape
    was read; checked, failed : what came of which choices; job : the running dry run or import, of the choices `tried`;
    held : the job of `checked`, which has read the file and waits to hear whether it shall be imported
    """

    file_id: str
    name: str
    store: Store
    folder: tempfile.TemporaryDirectory[str] = field(default_factory=tempfile.TemporaryDirectory)
    seen: Look | None = None
    sheets: tuple[str, ...] = ()
    wrong: str | None = None
    last: Shape | None = None
    job: Job | None = None
    held: Job | None = None
    tried: Choices | None = None
    importing: bool = False
    by_itself: bool = True
    checked: tuple[Choices, dict[str, Any]] | None = None
    failed: tuple[Choices, str] | None = None
    imported: dict[str, Any] | None = None
    _end: weakref.finalize[[Job], Upload] | None = None

    @property
    def path(self) -> Path:
        return Path(self.folder.name) / self.name

    @property
    def rejects(self) -> Path:
        return Path(self.folder.name) / "rejects.csv"

    def start(self, choices: Choices, *, dry: bool) -> None:
        """Begin a dry run, or the import: by the dry run itself where it has read just this and still waits."""
        held, self.held = self.held, None
        mine = self.checked is not None and self.checked[0] == choices
        self.tried, self.importing, self.failed = choices, not dry, None
        if held is not None and not dry and mine and held.reply("yes"):
            self.job = held
        else:
            if held is not None:
                held.reply("no")
            more = ["--ask"] if dry else []
            arguments = choices.arguments(self.path, *more, f"--rejects={self.rejects}")
            self.job = Job(self.store.path, arguments, needs=self.folder, asks=dry)
        if self._end is not None:
            self._end.detach()
        # Nobody will ask for the answer of a dry run when the window is gone.
        self._end = weakref.finalize(self, _end, self.job) if dry else None
        if not dry:
            _imports.append(self)
            del _imports[:-KEPT]

    def stop(self) -> None:
        """End what runs or waits, and leave the store as it was."""
        for job in (self.job, self.held):
            if job is not None and not job.reply("no"):
                job.cancel()
        self.job = self.held = None

    def finish(self) -> None:
        """Take the answer of the job that has ended, whichever window sees it first."""
        with _finishing:
            job, tried, self.job = self.job, self.tried, None
        if job is None or tried is None:
            return
        if self.importing and not job.failed and job.answer()["dry_run"]:
            # It had waited too long for its yes, and left.
            self.start(tried, dry=False)
            return
        if job.failed:
            self.failed = (tried, job.reason)
            self.by_itself = False
        elif self.importing:
            self.imported = job.answer()
            self.path.unlink(missing_ok=True)
            self._remember(tried)
        else:
            self.checked = (tried, job.answer())
            self.held = job if job.waiting else None
        self.importing = False

    def _remember(self, choices: Choices) -> None:
        if self.seen is None or self.seen.shape is None or choices.format != judgments.NAME:
            return
        with self.store.writing("remembering how a file was read") as con:
            file_shapes.remember(con, self.seen.shape, self.name, choices.kept())


def _end(job: Job) -> None:
    if not job.reply("no") and not job.done:
        job.cancel()


def under_way(store: Store, but: Upload | None = None) -> list[Upload]:
    """Imports into this store that have not ended."""
    return [one for one in list(_imports) if one.importing and one is not but and one.store.path == store.path]


def already(one: Upload, choices: Choices) -> bool:
    """Whether the same file is on its way into this dataset, from whatever window."""
    assert one.seen is not None
    key = (one.seen.sha256, choices.dataset)
    return any(
        (other.seen.sha256, other.tried.dataset) == key
        for other in under_way(one.store, one) if other.seen is not None and other.tried is not None
    )  # fmt: skip
