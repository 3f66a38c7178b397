"""Do samples of large products meet each row and each column, and does a walk over the whole tell what failed?"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from conftest import in_sample
from test_bad_input import CASES, COMMANDS

from benchmarks import walks
from benchmarks.worlds import QUICK, Size

REPORT = """<?xml version="1.0"?><testsuites><testsuite>
<testcase classname="tests.test_a" name="test_one[x]"/>
<testcase classname="tests.test_a" name="test_one[y]"><failure message="assert 1 == 2&#10; where 1 = f()">long</failure></testcase>
<testcase classname="tests.test_b" name="test_two"><error>no store
is here</error></testcase></testsuite></testsuites>"""


def test_each_command_and_each_case_is_met_several_times() -> None:
    kept = [(a, b) for a in range(len(CASES)) for b in range(len(COMMANDS)) if in_sample(5, [a, b])]
    assert len(kept) == pytest.approx(len(CASES) * len(COMMANDS) / 5, rel=0.02)
    for at, least in ((0, len(COMMANDS) // 5), (1, len(CASES) // 5)):
        met = [sum(cell[at] == k for cell in kept) for k in range((len(CASES), len(COMMANDS))[at])]
        assert min(met) >= least >= 5


def test_another_shift_meets_other_cells() -> None:
    kept = [{k for k in range(12) if in_sample(3, [k], shift)} for shift in range(3)]
    assert set.union(*kept) == set(range(12))
    assert sum(map(len, kept)) == 12


def test_what_failed_is_named_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "report.xml").write_text(REPORT)
    assert walks.failed(tmp_path / "report.xml") == [
        "tests.test_a::test_one[y]: assert 1 == 2", "tests.test_b::test_two: no store",
    ]  # fmt: skip


def test_a_walk_is_of_the_whole_and_counts_what_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    asked: list[list[str]] = []

    def run(words: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(words)
        (tmp_path / "walks.xml").write_text(REPORT)
        return subprocess.CompletedProcess(words, 1, "3 tests\n2 failed, 1 passed\n", "")

    monkeypatch.setattr(subprocess, "run", run)
    [ratio] = walks.measure(tmp_path, Size())
    assert (ratio.value, ratio.promised, ratio.holds) == (3, 1, False)
    assert "--whole" in asked[0]
    assert asked[0][asked[0].index("-m", 3) + 1] == "every"
    assert "-k" not in asked[0]
    assert "FAILED: tests.test_b::test_two: no store" in capsys.readouterr().out
    walks.measure(tmp_path, QUICK)
    assert "-k" in asked[1]
    monkeypatch.setattr(subprocess, "run", lambda words, **_: subprocess.CompletedProcess(words, 5, "", "no tests ran"))
    with pytest.raises(RuntimeError, match="ended with 5: no tests ran"):
        walks.measure(tmp_path, Size())
