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
    was read; checked, failed : what came of which choices; job : the running dry run or import, of the choices `tried`
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
    tried: Choices | None = None
    importing: bool = False
    by_itself: bool = True
    checked: tuple[Choices, dict[str, Any]] | None = None
    failed: tuple[Choices, str] | None = None
    imported: dict[str, Any] | None = None

    @property
    def path(self) -> Path:
        return Path(self.folder.name) / self.name

    @property
    def rejects(self) -> Path:
        return Path(self.folder.name) / "rejects.csv"

    def start(self, choices: Choices, *, dry: bool) -> None:
        """Begin a dry run or the import."""
        self.tried, self.importing, self.failed = choices, not dry, None
        more = ["--dry-run"] if dry else []
        arguments = choices.arguments(self.path, *more, f"--rejects={self.rejects}")
        self.job = Job(self.store.path, arguments, needs=self.folder)
        if dry:
            # Nobody will ask for its answer when the window is gone.
            weakref.finalize(self, _end, self.job)
        else:
            _imports.append(self)
            del _imports[:-KEPT]

    def finish(self) -> None:
        """Take the answer of the job that has ended, whichever window sees it first."""
        with _finishing:
            job, tried, self.job = self.job, self.tried, None
        if job is None or tried is None:
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
        self.importing = False

    def _remember(self, choices: Choices) -> None:
        if self.seen is None or self.seen.shape is None or choices.format != judgments.NAME:
            return
        with self.store.writing("remembering how a file was read") as con:
            file_shapes.remember(con, self.seen.shape, self.name, choices.kept())


def _end(job: Job) -> None:
    if not job.done:
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
