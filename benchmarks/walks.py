"""Does every bad data set get its answer, or its sentence, from every command and on every page?

    python -m benchmarks walks

Products of data sets by commands, and of pages by what may lie on them, are too large for each run of the tests, which
meet a part of the cells: each row and each column several times (`every` in tests/conftest.py). Here all cells are met,
by the same tests.
"""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from benchmarks.worlds import Ratio, Size, counted

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2


def failed(report: Path) -> list[str]:
    """What failed or could not be run, by name with the first line of its reason. report : pytest's, as JUnit's XML"""
    out = []
    for case in ET.parse(report).iter("testcase"):
        for found in (*case.iter("failure"), *case.iter("error")):
            said = (found.get("message") or found.text or "").strip().splitlines()
            out.append(f"{case.get('classname')}::{case.get('name')}: {said[0] if said else 'no reason given'}")
    return out


def walk(folder: Path, *more: str) -> list[str]:
    """Run the marked tests whole; returns what failed. Raises RuntimeError when no test was run."""
    report = folder / "walks.xml"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", str(WORKERS), "--dist", "worksteal",
         "--whole", "-m", "every", f"--junitxml={report}", *more],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the walks ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    print("  " + (done.stdout.strip().splitlines() or ["nothing was said"])[-1], flush=True)
    return failed(report)


def measure(folder: Path, size: Size) -> list[Ratio]:
    """All cells of all walks, or, in a quick run, those of the smallest; what failed is printed and counted."""
    return [counted("walks of all data sets", walk(folder, *(("-k", "scenarios") if size.rounds < 3 else ())))]
