"""How long is the way from dropping a file of 100,000 rows to the first chart of a person against a model?

    python -m benchmarks wizard [--quick]

A server of the app with an empty store of its own, and headless Chromium, which presses each button as soon as it can
be pressed: what is counted is what the program takes, from the drop to the drawn chart, not what a reader thinks.
The file has texts, and one column a judge under names that say nothing.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.worlds import Ratio, Size, Times

ROWS = 100_000
PROMISED = 60.0
"""Seconds from the drop to the chart."""
MOST_CLICKS = 6
LONG = 240_000
"""Milliseconds after which a step counts as stuck."""
JUDGES = ("Kim", "Robin", "arbiter-7", "umpire-2")
WORDS = ["a", "list", "of", "points", "says", "first", "why", "then", "how", "and", "at", "the", "end", "what", "is"]


def write_wide(path: Path, rows: int) -> Path:
    """Pairs of answers of twelve systems, the later ones better, with the verdicts of four judges."""
    rng = np.random.default_rng(0)
    models = np.array([f"system {k:02d}" for k in range(12)])
    a = rng.integers(12, size=rows)
    b = (a + rng.integers(1, 12, size=rows)) % 12
    for_a = 1 / (1 + np.exp(-(a - b) / 4))
    verdicts = np.where(rng.random((rows, len(JUDGES))) < for_a[:, None], "A>B", "B>A")
    texts = [" ".join(rng.choice(WORDS, 60)) for _ in range(2000)]
    picked = rng.integers(len(texts), size=(rows, 2))
    with path.open("w", encoding="utf-8") as file:
        file.write("Instruction,System 1,System 2,Output 1,Output 2," + ",".join(JUDGES) + "\n")
        for k in range(rows):
            cells = (f"Task {k % (rows // 5 + 1)}", models[a[k]], models[b[k]], f"{k} {texts[picked[k, 0]]}",
                     f"{texts[picked[k, 1]]} {k}", *verdicts[k])  # fmt: skip
            file.write(",".join(cells) + "\n")
    return path


def measure(folder: Path, size: Size) -> list[Ratio]:
    """Print the steps; the whole as a multiple of what is promised. Raises RuntimeError when it takes more clicks."""
    from playwright.sync_api import Error, sync_playwright

    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from browser_app import start

    from scripts.look import chromium

    rows = min(ROWS, size.judgments // 10 if size.rounds > 2 else size.judgments // 5)
    path = write_wide(folder / "judgments.csv", rows)
    with sync_playwright() as playwright:
        try:
            browser = chromium(playwright)
        except Error:
            print("\n  The way from a file to a chart was not timed: no Chromium is installed")
            return []
        server = start(folder / "wizard.duckdb")
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(LONG)
            steps, clicks = _walk(page, server.url, path, rows)
        finally:
            server.stop()
    total = sum(steps.values())
    print(
        f"\nFrom a dropped CSV of {rows:,} rows ({path.stat().st_size / 1e6:,.0f} MB, {len(JUDGES)} judges, "
        f"{len(JUDGES) * rows:,} judgments) to the first chart: {clicks} clicks, {total:,.1f} s\n  "
        + ", ".join(f"{name} {seconds:,.1f} s" for name, seconds in steps.items()),
        flush=True,
    )
    if clicks > MOST_CLICKS:
        raise RuntimeError(f"{clicks} clicks from the file to the chart; {MOST_CLICKS} are promised")
    return [Ratio(f"from a file to a chart: {rows:,} rows / 60 s", Times("", (total,)), Times("", (PROMISED,)), 1)]


def _walk(page: Any, url: str, path: Path, rows: int) -> tuple[dict[str, float], int]:
    """Seconds of each step, and how many clicks they took."""
    page.goto(f"{url}/data")
    page.get_by_test_id("stFileUploaderDropzone").wait_for()
    _still(page)
    steps: dict[str, float] = {}
    begun = time.monotonic()

    def done(step: str) -> None:
        nonlocal begun
        steps[step], begun = time.monotonic() - begun, time.monotonic()

    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(path)
    page.get_by_role("radiogroup", name="Kim is a").wait_for()
    _still(page)
    done("read")
    page.get_by_role("radiogroup", name="Kim is a").get_by_role("radio", name="person").click()
    _still(page)
    page.get_by_role("radiogroup", name="Robin is a").get_by_role("radio", name="person").click()
    _still(page)
    page.get_by_role("button", name="The other 2 are LLMs").click()
    done("answer")
    button = page.get_by_role("button", name=f"Import {len(JUDGES) * rows:,} judgments")
    button.wait_for()
    _still(page)
    done("check")
    button.click()
    link = page.get_by_role("link", name="against Kim")
    link.wait_for()
    _still(page)
    done("import")
    link.click()
    page.locator('[class*="st-key-wide-"] .js-plotly-plot').get_by_text("arbiter-7").first.wait_for()
    done("chart")
    return steps, 5


def _still(page: Any) -> None:
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
