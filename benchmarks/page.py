"""How long does a reader of the page Rankings wait for the redrawn chart after changing a choice?

    python -m benchmarks page [--quick]

A server of the app with a store of its own, and headless Chromium. Counted is from the click on another judge to the
last change of the chart in the page, on selections that nobody has asked for before: the first look at each view, by
address, is not counted, nor does it compute what the clicks ask for. Half of the views hold all judgments (under
different rules for ties and ways to cluster), half a scenario each.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np

from benchmarks.worlds import DATASET, JUDGES, Ratio, Size, Times, fill_store
from data import queries

WAIT = 0.7
"""Seconds to the redrawn chart that at most one change in twenty takes longer than."""

LONG = 60_000
"""Milliseconds after which a page counts as stuck."""

QUIET = 400
"""Milliseconds without a change of the chart after which, with the script at rest, it counts as redrawn."""

# Notes when the page was clicked and when a drawing that is seen last changed: the page holds another one for phones,
# which this width hides, and the browser stays busy with it a little longer.
WATCH = """() => {
  window.jurylens = {clicked: null, changed: null};
  addEventListener('click', () => { window.jurylens.clicked = performance.now(); }, true);
  const seen = node => node && node.offsetParent !== null;
  const chart = node => node.nodeType === 1 && (
    seen(node.closest('.js-plotly-plot')) || [...node.querySelectorAll('.js-plotly-plot')].some(seen));
  new MutationObserver(all => {
    if (all.some(one => chart(one.target) && one.target.closest('.js-plotly-plot') || [...one.addedNodes].some(chart)))
      window.jurylens.changed = performance.now();
  }).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
}"""
DRAWN = f"""() => {{
  const app = document.querySelector('[data-testid="stApp"]');
  const seen = window.jurylens;
  return app.dataset.testScriptState === 'notRunning' && seen.changed > seen.clicked
    && performance.now() - seen.changed > {QUIET};
}}"""


def measure(folder: Path, size: Size) -> list[Ratio]:
    """Print the waits; the 95th percentile as a multiple of the promised one."""
    from playwright.sync_api import Error, sync_playwright
    sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
    from browser_app import start

    from scripts.look import chromium

    store = fill_store(folder / "page.duckdb", size, judges=JUDGES)
    with store.reading("benchmark") as con:
        names = queries.catalog(con, DATASET)
    views = _views(list(names.scenarios), 1 if size.rounds < 3 else 6)
    judges = list(names.judges)[1:]
    with sync_playwright() as playwright:
        try:
            browser = chromium(playwright)
        except Error:
            print("\n  The page Rankings was not timed: no Chromium is installed")
            return []
        server = start(folder / "page.duckdb")
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            waits = np.array([wait for view in views for wait in _clicks(page, server.url, view, judges)])
        finally:
            server.stop()
    p95 = float(np.quantile(waits, 0.95))
    print(
        f"\nThe page Rankings, {size.judgments:,} judgments, {size.models} models: {len(waits)} changes of the judge\n"
        f"  from the click to the redrawn chart: median {1000 * np.median(waits):,.0f} ms, 95 % within "
        f"{1000 * p95:,.0f} ms, the longest {1000 * waits.max():,.0f} ms",
        flush=True,
    )
    return [Ratio("page Rankings: 95 % of changes within / .7 s", Times("", (p95,)), Times("", (WAIT,)), 1)]


def _views(scenarios: list[str], n: int) -> list[dict[str, str]]:
    whole = [
        {}, {"ties": "drop"}, {"cluster": "pair"}, {"position": "true"}, {"cluster": "none"},
        {"ties": "drop", "cluster": "pair"},
    ]  # fmt: skip
    return whole[:n] + [{"scenario": name} for name in scenarios[:n]]


def _clicks(page: Any, url: str, view: dict[str, str], judges: list[str]) -> Iterator[float]:
    """Seconds of each change to another judge, after a first look at the view."""
    page.goto(f"{url}/rankings?" + urlencode({"dataset": DATASET, "with": judges[0]} | view))
    page.locator('[class*="st-key-wide-"] .main-svg').first.wait_for(timeout=LONG)
    page.evaluate(WATCH)
    page.wait_for_timeout(1500)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=LONG)
    for judge in judges[1:]:
        page.get_by_role("radio", name=judge, exact=True).click()
        page.wait_for_function(DRAWN, timeout=LONG, polling=100)
        yield page.evaluate("() => window.jurylens.changed - window.jurylens.clicked") / 1000
