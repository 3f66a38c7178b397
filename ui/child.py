"""How does a page write without holding up the server? The command line in a process of its own, watched and stopped.

Killing it at any moment leaves the store as it was, or with the whole import: an import is one transaction.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

CLI = Path(__file__).resolve().parents[1] / "cli.py"

ASKED = "asked:"
"""The first word of the line on which it asks."""

_running: weakref.WeakSet[Job] = weakref.WeakSet()


class Job:
    """One command of cli.py. Its progress, and afterwards its answer or the sentence that says why not.

    share, text : how far it is; said : what it told besides, line by line
    needs : what must not be thrown away while it runs, such as the folder of the file that it reads
    asks : it may ask a question after its first answer, and wait
    """

    def __init__(self, db: Path, arguments: Sequence[str], needs: object = None, asks: bool = False) -> None:
        self.key = (str(db), *arguments)
        self._asked = False
        self._needs = needs
        self.share, self.text = 0.0, "starting"
        self.said: list[str] = []
        self.cancelled = False
        self._out = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the job)
        self._process = subprocess.Popen(
            [sys.executable, str(CLI), "--db", str(db), *arguments, "-o", "json"],
            stdout=self._out, stderr=subprocess.PIPE,
            stdin=subprocess.PIPE if asks else subprocess.DEVNULL, text=True, encoding="utf-8",
            errors="replace", env=os.environ | {"JURYLENS_PROGRESS": "lines", "PYTHONIOENCODING": "utf-8"},
        )  # fmt: skip
        _running.add(self)
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            kind, _, rest = line.rstrip("\n").partition(" ")
            if kind == "progress":
                share, _, text = rest.partition(" ")
                self.share, self.text = float(share), text
            elif kind == ASKED:
                self._asked = True
            elif line.strip():
                self.said.append(line.rstrip("\n"))
        self._process.wait()

    @property
    def done(self) -> bool:
        return not self._reader.is_alive()

    @property
    def waiting(self) -> bool:
        """Whether it has asked, and nobody has answered."""
        return self._asked and not self.done

    def reply(self, word: str) -> bool:
        """Answer what it asked; False where it waits no more."""
        assert self._process.stdin is not None
        if not self.waiting:
            return False
        self._asked, self.share = False, 0.0
        self.said.clear()
        with suppress(BrokenPipeError):
            self._process.stdin.write(word + "\n")
            self._process.stdin.close()
            return True
        return False

    def wait(self) -> None:
        self._reader.join()

    def cancel(self) -> None:
        """Stop it now. Afterwards the store is as it was before."""
        self.cancelled = True
        self._process.kill()
        self._reader.join()

    @property
    def failed(self) -> bool:
        return self.done and self._process.returncode != 0

    def answer(self) -> dict[str, Any]:
        """The last JSON of a job that is done and did not fail, or waits."""
        return self.answers()[-1]

    def answers(self) -> list[dict[str, Any]]:
        """All of them, in order."""
        self._out.seek(0)
        text = self._out.read().decode("utf-8")
        # The process shares this place in the file, and may go on writing.
        self._out.seek(0, os.SEEK_END)
        found, at = [], 0
        while text[at:].strip():
            at += len(text[at:]) - len(text[at:].lstrip())
            one, at = json.JSONDecoder().raw_decode(text, at)
            found.append(one)
        return found

    @property
    def reason(self) -> str:
        """Why it failed, as the command line says it."""
        if self.cancelled:
            return "Stopped. Nothing was changed."
        return self.told or (
            "The import ended without an answer, and the store is as it was. Try again, or with a smaller file."
        )

    @property
    def told(self) -> str:
        """The reason that the command line gave; empty where it gave none."""
        lines = [line for line in self.said if not line.startswith(("inferred: ", "taken: ", "rejected: "))]
        return " ".join(lines) if self._process.returncode in (1, 2) else ""


def running(db: Path, arguments: Sequence[str]) -> Job | None:
    """The job of this command that has not ended, whichever window started it."""
    return next((job for job in list(_running) if job.key == (str(db), *arguments) and not job.done), None)


@atexit.register
def _stop_all() -> None:
    for job in list(_running):
        if not job.done:
            job.cancel()
