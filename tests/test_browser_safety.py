"""Texts and names are shown as they are: in a browser nothing of them runs, links or is fetched, on any page.

What the sections of the pages show is looked through without a browser: tests/test_hostile.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser_app import LONG, Server, cli, drop, ready, start
from hostile import ELSEWHERE, rows
from playwright.sync_api import Page

from ui.navigation import SCREENS

pytestmark = pytest.mark.browser

# Strings that a chart would set as HTML: all but the data that only links read.
IN_CHARTS = r"""() => {
  const found = [];
  const look = (value, path) => {
    if (typeof value === 'string') { if (/<(img|a |script)/i.test(value)) found.push(path + ': ' + value.slice(0, 120)); }
    else if (value && typeof value === 'object' && !ArrayBuffer.isView(value))
      for (const [key, one] of Object.entries(value))
        if (!['customdata', 'ids', 'meta', 'uid', 'template'].includes(key) && !key.startsWith('_')) look(one, path + '.' + key);
  };
  const unseen = (trace, layout) => (trace.showlegend === false || layout.showlegend === false)
    && (['text', 'skip', 'none'].includes(trace.hoverinfo) || (trace.hovertemplate || '').includes('<extra></extra>'));
  for (const chart of document.querySelectorAll('.js-plotly-plot')) {
    look(chart.data.map(one => unseen(one, chart.layout) ? {...one, name: ''} : one), 'data');
    look(chart.layout, 'layout');
  }
  return found;
}"""
IN_PAGE = f"""() => [
  ...document.querySelectorAll('[href^="javascript:"], [src^="{ELSEWHERE}"], [href^="{ELSEWHERE}"], [onerror]'),
].map(node => node.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hostile.csv").write_text(rows())
    db = folder / "h.duckdb"
    cli(db, "import", str(folder / "hostile.csv"), "--dataset", "<b>'; DROP TABLE dataset; --")
    cli(db, "factors", "extract")
    server = start(db)
    yield server
    server.stop()


@pytest.mark.parametrize("screen", [s.url for s in SCREENS])
def test_nothing_runs_links_or_is_fetched(page: Page, hostile: Server, screen: str) -> None:
    asked: list[str] = []
    # The browser's own pages and what a page makes itself ask nobody.
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{hostile.url}/{'' if screen == SCREENS[0].url else screen}")
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=4 * LONG)
    ready(page)
    own = urlsplit(hostile.url).netloc
    others = [url for url in asked if urlsplit(url).scheme in ("http", "https", "ws", "wss") and urlsplit(url).netloc != own]
    assert others == []
    assert page.evaluate("window.hacked") is None
    assert page.evaluate(IN_PAGE) == []
    assert page.evaluate(IN_CHARTS) == []
    assert Path(hostile.db).exists()


def test_a_dropped_file_is_shown_before_its_import_as_it_is(page: Page, hostile: Server) -> None:
    """Columns, first values, judges and verdicts stand in the wizard's text: images in them were fetched there."""
    image = f"![x]({ELSEWHERE}/x.png)"
    lines = [f"question,category {image},reply one,reply two,judge {image}"]
    lines += [f"{image} $x^2$ {k},_cell_,{image},*b* {k},{('left', 'right', image)[k % 3]}" for k in range(12)]
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{hostile.url}/data")
    ready(page)
    drop(page, "![x](x).csv", "\n".join(lines).encode())
    ready(page)
    assert [url for url in asked if url.startswith(ELSEWHERE)] == []
    assert page.evaluate(IN_PAGE) == []
    main = page.get_by_test_id("stMain")
    assert main.locator(".katex:visible, em:visible").count() == 0
    assert "_cell_" in main.inner_text()
