"""Does work in a process of its own tell how far it is, and leave nothing behind when it is stopped?"""

import time

from data.store import Store
from studies.simulate import add_simulated
from ui.child import Job, running

HEADER = "prompt,model_a,model_b,judge,winner\n"


def rows(n: int) -> str:
    return HEADER + "".join(f"p{k % 997},m{k % 7},n{k % 5},j{k % 11},{'ab'[k % 2]}\n" for k in range(n))


def wait(job: Job, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not job.done and time.monotonic() < end:
        time.sleep(0.02)
    assert job.done


def datasets(db) -> list[str]:
    with Store(db).reading() as con:
        return [name for (name,) in con.execute("SELECT name FROM dataset ORDER BY name").fetchall()]


def test_an_import_answers_with_the_command_lines_json(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text(rows(100))
    job = Job(tmp_path / "s.duckdb", ["import", str(path), "--dataset=d"])
    wait(job)
    assert not job.failed
    assert job.answer()["accepted"] == 100
    assert job.share == 1.0
    assert datasets(tmp_path / "s.duckdb") == ["d"]


def test_a_refusal_is_the_command_lines_sentence(tmp_path):
    path = tmp_path / "f.csv"
    path.write_text("prompt,judge\nx,y\n")
    job = Job(tmp_path / "s.duckdb", ["import", str(path), "--dataset=d"])
    wait(job)
    assert job.failed
    assert "f.csv lacks winner" in job.reason
    assert "progress" not in job.reason
    assert "Traceback" not in job.reason


def test_a_stopped_import_leaves_the_store_as_it_was(tmp_path):
    db = tmp_path / "s.duckdb"
    add_simulated(Store(db), "before", judgments=50, models=3, judges=2, factors=0, scenarios=1, prompts=10)
    path = tmp_path / "f.csv"
    path.write_text(rows(400_000))
    job = Job(db, ["import", str(path), "--dataset=d"])
    end = time.monotonic() + 60
    while job.share == 0 and not job.done and time.monotonic() < end:
        time.sleep(0.01)
    assert 0 < job.share < 1
    job.cancel()
    assert job.done
    assert job.reason == "Stopped. Nothing was changed."
    assert datasets(db) == ["before"]


def test_a_running_job_is_found_by_its_command_from_any_window(tmp_path):
    db, path = tmp_path / "s.duckdb", tmp_path / "f.csv"
    path.write_text(rows(400_000))
    command = ["import", str(path), "--dataset=d"]
    job = Job(db, command)
    assert running(db, command) is job
    assert running(db, [*command, "--strict"]) is None
    assert running(tmp_path / "other.duckdb", command) is None
    job.cancel()
    assert running(db, command) is None
    assert job.told == ""


def test_what_the_command_line_told_is_there_without_its_remarks(tmp_path):
    job = Job(tmp_path / "s.duckdb", ["factors", "embed", "--dataset=d", "--model=nobody/nothing"])
    wait(job)
    assert job.failed
    assert job.told.startswith("--model nobody/nothing: no folder of this name")
    assert job.reason == job.told


def heard(job: Job, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not (job.done or job.waiting) and time.monotonic() < end:
        time.sleep(0.02)


def test_a_dry_run_that_asks_imports_what_it_read_when_the_answer_is_yes(tmp_path):
    db, path = tmp_path / "s.duckdb", tmp_path / "f.csv"
    path.write_text(rows(100))
    job = Job(db, ["import", str(path), "--dataset=d", "--ask"], asks=True)
    heard(job)
    assert job.waiting
    assert (job.answer()["accepted"], job.answer()["dry_run"]) == (100, True)
    assert not db.exists()
    # What was read counts, not what has become of the file.
    path.write_text(rows(7))
    assert job.reply("yes")
    wait(job)
    assert not job.failed
    assert [one["dry_run"] for one in job.answers()] == [True, False]
    assert job.answer()["accepted"] == 100
    assert not job.reply("yes"), "it waits no more"


def test_a_no_leaves_nothing_behind(tmp_path):
    db, path = tmp_path / "s.duckdb", tmp_path / "f.csv"
    path.write_text(rows(100))
    job = Job(db, ["import", str(path), "--dataset=d", "--ask"], asks=True)
    heard(job)
    assert job.reply("no")
    wait(job)
    assert not job.failed
    assert not db.exists()
    assert not list(tmp_path.glob("*staging*")), "what was read is gone"
