"""Does an import go on from its dry run, and begin anew where that has gone or has read something else?"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from data.store import Store
from ui.incoming import Upload
from ui.mapping import Choices

ROWS = "prompt,model_a,model_b,judge,winner\n" + "".join(f"p{k},m{k % 7},n{k % 5},j{k % 3},{'ab'[k % 2]}\n" for k in range(50))
MEANS = {name: name for name in ("prompt", "model_a", "model_b", "judge", "winner")}


@pytest.fixture
def upload(tmp_path: Path) -> Upload:
    one = Upload("1", "judgments.csv", Store(tmp_path / "s.duckdb"))
    one.path.write_text(ROWS)
    return one


def through(one: Upload) -> None:
    """Until the running job has ended, or asks, and has been listened to."""
    end = time.monotonic() + 60
    while one.job is not None and time.monotonic() < end:
        if one.job.done or one.job.waiting:
            one.finish()
        time.sleep(0.02)
    assert one.job is None


def test_an_import_is_done_by_the_dry_run_that_read_the_file(upload: Upload) -> None:
    choices = Choices("d", means=MEANS)
    upload.start(choices, dry=True)
    first = upload.job
    through(upload)
    assert upload.checked is not None
    assert upload.checked[1]["accepted"] == 50
    assert upload.held is first
    upload.start(choices, dry=False)
    assert upload.job is first
    assert upload.importing
    through(upload)
    assert upload.imported is not None
    assert (upload.imported["accepted"], upload.imported["dry_run"]) == (50, False)
    assert not upload.importing


def test_what_was_read_otherwise_is_read_anew(upload: Upload) -> None:
    upload.start(Choices("d", means=MEANS), dry=True)
    first = upload.job
    through(upload)
    upload.start(Choices("e", means=MEANS), dry=False)
    assert upload.job is not first
    through(upload)
    assert first is not None
    first.wait()
    assert upload.imported is not None
    assert upload.imported["dataset"] == "e"


@pytest.mark.parametrize("gone", ["killed", "left"])
def test_a_dry_run_that_has_gone_is_missed_by_nobody(upload: Upload, gone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    choices = Choices("d", means=MEANS)
    upload.start(choices, dry=True)
    through(upload)
    held = upload.held
    assert held is not None
    if gone == "killed":
        held.cancel()
        upload.start(choices, dry=False)
    else:
        # It says no to itself in the moment in which it hears yes.
        monkeypatch.setattr(held, "reply", lambda word, reply=held.reply: reply("no"))
        upload.start(choices, dry=False)
    through(upload)
    assert upload.imported is not None
    assert upload.imported["accepted"] == 50


def test_another_file_ends_what_waits(upload: Upload, tmp_path: Path) -> None:
    upload.start(Choices("d", means=MEANS), dry=True)
    through(upload)
    held = upload.held
    assert held is not None
    upload.stop()
    held.wait()
    assert upload.held is None
    assert not list(tmp_path.glob("*staging*"))
