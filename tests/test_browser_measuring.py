"""The meaning of texts follows in the background: a line that holds up nothing, that can be stopped and goes on."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_app import LONG, Server, cli, ready
from playwright.sync_api import expect

from data.store import Store

pytestmark = pytest.mark.browser

TEXTS = 500
"""So many that reading them takes several times as long as the way to the button that stops it."""


def write(path: Path, texts: int) -> Path:
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["prompt", "model_a", "model_b", "judge", "winner", "response_a", "response_b"])
        for k in range(texts // 2):
            lists = [(7 * k) % 4, (5 * k) % 3]
            long = ["The sea is wide and blue. " * (13 + n) + "\n- a fish" * n + f"\n\n{k} {n}" for n in lists]
            models = [("x", "y"), ("y", "z"), ("z", "x")][k % 3]
            out.writerow([f"What is the sea like at {k}?", *models, "people", "ab"[(k % 5) < 2], *long])
    return path


@pytest.fixture
def server(app: Server, tmp_path: Path) -> Iterator[Server]:
    """The app with a dataset of which nothing is measured, as long as a test lasts."""
    cli(app.db, "import", str(write(tmp_path / "one.csv", TEXTS)), "--dataset", "d")
    yield app
    cli(app.db, "datasets", "delete", "d", "--yes")


def vectors(server: Server) -> int:
    with Store(server.db).reading() as con:
        return int(con.execute("SELECT count(*) FROM embedding").fetchall()[0][0])


def test_meaning_follows_by_itself_and_can_be_stopped_and_taken_up(page, server):
    page.goto(f"{server.url}/rankings?dataset=d&open=controls")
    page.locator(".st-key-measure button").click()
    line = page.locator(".st-key-embedding")
    expect(line).to_contain_text("In the background", timeout=LONG)
    # The page's own answer is there meanwhile.
    expect(page.locator(".st-key-wide-controls .main-svg").first).to_be_visible(timeout=LONG)
    expect(line).to_contain_text("reading the meaning of", timeout=LONG)
    # Another window finds the same work and starts no second.
    page.reload()
    expect(line).to_contain_text("In the background", timeout=LONG)
    page.locator(".st-key-stop-embedding button").click()
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text("Stopped. What was read so far stays")).to_be_visible(timeout=LONG)
    kept = vectors(server)

    page.get_by_role("button", name="Read the meaning of").click()
    expect(line).to_be_visible(timeout=LONG)
    expect(line).to_have_count(0, timeout=4 * LONG)
    ready(page)
    assert vectors(server) > kept
    assert page.locator(".st-key-embed").count() == 0
    assert cli(server.db, "factors", "embed", "--dataset", "d")["embedded"] == 0
    listed = {row["factor"]: row for row in cli(server.db, "factors", "list", "--dataset", "d")["factors"]}
    assert listed["prompt_similarity"]["texts"] == TEXTS
