"""How long do 65 judges take: their audit, the agreement of all with all, and the page Judges after a choice?

    python -m benchmarks judges [--quick]

On the Natural subset of LLMBar (100 pairs, each judged by 65 LLM judges in both orders, an expert's label) where it
lies beside the project, else on a simulated file of its shape. The page is timed as the page Rankings is (see page.py):
from the choice of another judge to the last change of a chart.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np

from benchmarks.page import DRAWN, LONG, WATCH
from benchmarks.worlds import HEAD, Ratio, Size, Times, interleave
from data import queries
from data.imports import ImportOptions, import_path
from data.store import Store
from studies.agreement import JudgeAgreement
from studies.audit import Audit
from studies.study import human_first

DATASET = "llmbar"
REAL = Path(__file__).resolve().parent.parent.parent / "shared" / "real" / "llmbar_natural"
JUDGES, PAIRS, FAMILIES = 65, 100, 5

AUDITED, AGREED, REDRAWN = 5.0, 2.0, 1.0
"""Seconds that are promised: the whole audit, all pairs of judges, 95 % of changes on the page."""


def fill(folder: Path, *, simulated: bool = False) -> Store:
    """A store with 65 judges and the expert."""
    store = Store(folder / "judges.duckdb")
    if REAL.is_dir() and not simulated:
        import_path(store, REAL, DATASET, ImportOptions(format="llmbar"))
    else:
        import_path(store, write(folder / "judges.csv"), DATASET)
    return store


def write(path: Path) -> Path:
    """13,000 verdicts of 65 judges of growing skill and shrinking preference for the first place, and 100 labels."""
    rng = np.random.default_rng(0)
    quality, length = rng.normal(size=PAIRS), rng.integers(20, 200, (PAIRS, 2))
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["prompt", "response_a", "response_b", "judge", "judge_kind", "swapped", "winner"])
        for k in range(PAIRS):
            answers = [f"Answer {side}" + " word" * int(n) for side, n in zip("ab", length[k], strict=True)]
            words = [f"Question {k}", *answers]
            out.writerow([*words, "expert", "human", "", "ab"[int(quality[k] < 0)]])
            for judge in range(JUDGES):
                skill, first = judge / JUDGES * 3, 1.5 * (1 - judge / JUDGES)
                for swapped in (False, True):
                    lean = skill * quality[k] + first * (-1 if swapped else 1) + rng.logistic()
                    name = f"model-{judge % FAMILIES}/way-{judge // FAMILIES:02d}"
                    out.writerow([*words, name, "llm", str(swapped).lower(), "ab"[int(lean < 0)]])
    return path


def measure(folder: Path, size: Size, *, simulated: bool = False) -> list[Ratio]:
    """Print the times; each as a multiple of the promised seconds. Raises RuntimeError where a judge is lost."""
    store = fill(folder, simulated=simulated)
    with store.reading("benchmark") as con:
        names = queries.catalog(con, DATASET)
    judges = human_first(names)
    counted: dict[str, int] = {}

    def audit() -> None:
        result = Audit(dataset=DATASET).run(store)
        counted["audited"] = int(result.table("biases")["judge"].nunique())

    def agreement() -> None:
        result = JudgeAgreement(dataset=DATASET, judge=judges, between=True).run(store)
        counted["between"] = len(result.table("between"))

    print(f"\n{len(judges)} judges on {PAIRS} pairs\n\n{HEAD}", flush=True)
    work = [("audit of all judges", audit), ("agreement of all with all", agreement)]
    audited, agreed = interleave(size.rounds, work)
    if counted != {"audited": JUDGES, "between": len(judges) * (len(judges) - 1) // 2}:
        raise RuntimeError(f"of {JUDGES} judges there are {counted}")
    print(audited, agreed, sep="\n", flush=True)
    said = "{} / {:g} s"
    return [
        Ratio(said.format("audit of 65 judges", AUDITED), audited, Times("", (AUDITED,)), 1),
        Ratio(said.format("agreement of 66 judges with one another", AGREED), agreed, Times("", (AGREED,)), 1),
        *page(folder, list(judges[1:]), 4 if size.rounds < 3 else 20),
    ]


def page(folder: Path, others: list[str], n: int) -> list[Ratio]:
    """The waits for the redrawn page after `n` choices of another judge."""
    from playwright.sync_api import Error, sync_playwright
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from browser_app import start

    from scripts.look import chromium

    with sync_playwright() as playwright:
        try:
            browser = chromium(playwright)
        except Error:
            print("\n  The page Judges was not timed: no Chromium is installed")
            return []
        server = start(folder / "judges.duckdb")
        try:
            view = browser.new_page(viewport={"width": 1280, "height": 900})
            waits = np.array(list(_choices(view, server.url, others[: n + 1])))
        finally:
            server.stop()
    p95 = float(np.quantile(waits, 0.95))
    print(
        f"\nThe page Judges, {len(others)} judges: {len(waits)} changes of the judge\n"
        f"  from the choice to the redrawn charts: median {1000 * np.median(waits):,.0f} ms, 95 % within "
        f"{1000 * p95:,.0f} ms, the longest {1000 * waits.max():,.0f} ms",
        flush=True,
    )
    return [Ratio(f"page Judges: 95 % of changes within / {REDRAWN:g} s", Times("", (p95,)), Times("", (REDRAWN,)), 1)]


def _choices(view: Any, url: str, judges: list[str]) -> Iterator[float]:
    """Seconds of each change to another judge, after a first look at the page."""
    view.goto(f"{url}/judges?" + urlencode({"dataset": DATASET, "with": judges[0]}))
    view.locator('[class*="st-key-wide-"] .main-svg').first.wait_for(timeout=LONG)
    view.evaluate(WATCH)
    view.wait_for_timeout(1500)
    view.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=LONG)
    for judge in judges[1:]:
        box = view.locator(".st-key-w-with").get_by_role("combobox")
        box.click()
        box.fill(judge)
        view.get_by_role("option", name=judge, exact=True).click()
        view.wait_for_function(DRAWN, timeout=LONG, polling=100)
        yield view.evaluate("() => window.jurylens.changed - window.jurylens.clicked") / 1000
