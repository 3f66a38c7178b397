"""A piece of work in a child of this process, which can be killed, without the seconds that a new Python takes to start."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any


class Child:
    """Runs `work(tell)` and ends; what it tells can be read line by line. To be started outside every lease."""

    def __init__(self, work: Callable[[Callable[[Any], None]], object]) -> None:
        read, write = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            ended = 1
            try:
                os.close(read)
                with os.fdopen(write, "w", buffering=1) as told:
                    work(lambda said: print(said, file=told))
                ended = 0
            finally:
                # Nothing of what this process would do at its end, tests least of all.
                os._exit(ended)
        os.close(write)
        self._told = os.fdopen(read)

    def hear(self) -> str:
        """The next line; empty at the end."""
        return self._told.readline()

    def kill(self) -> bool:
        """Kill -9 and wait; whether it was still at work."""
        os.kill(self.pid, signal.SIGKILL)
        return self.wait() == -signal.SIGKILL

    def wait(self) -> int:
        """Its exit code, a signal's number with a minus."""
        _, status = os.waitpid(self.pid, 0)
        self._told.close()
        return os.waitstatus_to_exitcode(status)
