"""A server of the app with a store of its own, and how a test talks to it through a real browser."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, TimeoutError, expect

import cli as commands

ROOT = Path(__file__).parent.parent
AWKWARD = ROOT / "tests" / "golden" / "awkward.csv"
LONG = 30_000
"""Milliseconds that a page may take on a busy machine before it counts as stuck."""


def cli(db: Path, *words: str) -> dict[str, Any]:
    """The JSON of one command. It runs in this process: to start another takes longer than most answers."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["cli.py", "--db", str(db), *words, "-o", "json"])
        try:
            commands.run()
        except SystemExit as ended:
            if ended.code:
                raise AssertionError(err.getvalue()) from None
    return read_json(out.getvalue())


def cli_process(db: Path, *words: str) -> dict[str, Any]:
    """The same in a process of its own, as a user runs it."""
    done = subprocess.run([sys.executable, str(ROOT / "cli.py"), "--db", str(db), *words, "-o", "json"],
                          capture_output=True, text=True, cwd=ROOT)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return read_json(done.stdout)


def read_json(text: str) -> dict[str, Any]:
    """Nothing but one JSON object may stand on stdout."""
    found: dict[str, Any] = json.loads(text)
    return found


def import_awkward(db: Path) -> None:
    header = AWKWARD.read_text(encoding="utf-8").split("\n", 1)[0].split(",")
    kinds = [f"--judge-column={name}={'human' if name == 'people' else 'llm'}" for name in header[5:]]
    cli(db, "import", str(AWKWARD), "--dataset", "awkward", *kinds)


@dataclass
class Server:
    """One running app."""

    url: str
    db: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(db: Path) -> Server:
    """The app on a free port, up when this returns."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = open(db.with_suffix(".log"), "wb")  # noqa: SIM115  (the server writes to it as long as it runs)
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port),
         "--server.fileWatcherType", "none"],
        cwd=ROOT, env=os.environ | {"JURYLENS_DB": str(db)}, stdout=log, stderr=log,
    )  # fmt: skip
    server = Server(f"http://127.0.0.1:{port}", db, process)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=1):
                return server
        except OSError:
            assert process.poll() is None, "the server ended: " + db.with_suffix(".log").read_text()
            time.sleep(0.1)
    server.stop()
    raise AssertionError("the server did not come up within a minute")


def ready(page: Page) -> None:
    """Wait until the script has run to its end, and hold it against the two things no page may do."""
    expect(page.locator("h1")).to_be_visible(timeout=LONG)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=LONG)
    # A run that starts just after the last one ended (a widget's change on its way) shows within this time; on a busy
    # machine, where it takes longer, frames do too.
    page.evaluate("() => new Promise(done => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 150))")
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=LONG)
    # A kind of widget that was not on the screen before stands as a grey block until its code has come.
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=LONG)
    assert page.get_by_test_id("stException").count() == 0, page.get_by_test_id("stException").inner_text()
    assert "Traceback" not in page.get_by_test_id("stMain").inner_text()


def view_of(page: Page) -> dict[str, Any]:
    """What a reader sees of a view: address, boxes, heading and finding."""
    ready(page)
    boxes = page.locator('[data-testid="stSidebar"] [data-testid="stSelectbox"], '
                         '[data-testid="stSidebar"] [data-testid="stMultiSelect"]')  # fmt: skip
    return {
        "address": page.url.split("/", 3)[3],
        "boxes": [_box(boxes.nth(k)) for k in range(boxes.count())],
        "heading": page.locator("h1").inner_text(),
        "finding": page.locator(".st-key-finding").all_inner_texts(),
    }


def _box(box: Any) -> tuple[str, str]:
    values = box.evaluate("e => [...e.querySelectorAll('input')].map(i => i.value).join('|')")
    return box.inner_text(), values


def pick(page: Page, label: str, option: str, where: str = "stSidebar") -> None:
    """Choose an option of a select box in the sidebar (stSidebar) or on the page itself (stMain)."""
    box = page.get_by_test_id(where).get_by_role("combobox", name=label, exact=False).first
    for _ in range(3):
        ready(page)
        box.click()
        box.fill(option)
        found = page.get_by_role("option", name=option, exact=True).first
        try:
            found.click(timeout=3_000)
            return
        except TimeoutError:
            # A run that ended meanwhile has closed the list.
            page.keyboard.press("Escape")
    raise AssertionError(f"{label}: {option} could not be chosen")


def drop(page: Page, name: str, content: bytes) -> None:
    """Drop a file on the page Data, in place of one that is open there."""
    another = page.get_by_role("button", name="Another file")
    if another.count():
        press(page, "Another file")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )
    expect(another).to_be_visible(timeout=LONG)


def press(page: Page, name: str) -> None:
    """Click when the page stands still: what a run redraws under the pointer would swallow the click."""
    button = page.get_by_role("button", name=name)
    expect(button).to_be_visible(timeout=LONG)
    ready(page)
    button.click(timeout=LONG)


def say(page: Page, question: str, answer: str) -> None:
    """Answer a question of the page by one of the choices beside it."""
    ready(page)
    page.get_by_label(question, exact=True).get_by_role("radio", name=answer, exact=True).click(timeout=LONG)
