"""From a file with two responses and two judges to the reasons behind their verdicts, in a real browser."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import numpy as np
import pytest
from browser_app import LONG, Server, cli, drop, press, ready
from playwright.sync_api import expect

from scripts.look import complaints
from ui.sections import FACTORS, METHODS

pytestmark = pytest.mark.browser


def judged(prompts: int = 60) -> str:
    """Three answers to each prompt of two kinds; the column `human` likes lists, `gpt` length."""
    rng = np.random.default_rng(0)
    out = io.StringIO()
    file = csv.writer(out)
    file.writerow(["prompt", "scenario", "model_a", "model_b", "response_a", "response_b", "human", "gpt"])
    for prompt in range(prompts):
        sizes = {m: (int(rng.integers(0, 5)), int(rng.integers(10, 60))) for m in ("x", "y", "z")}
        texts = {m: f"Here is {m}'s answer {prompt}.\n" + "- a point\n" * k + " so" * n + "." for m, (k, n) in sizes.items()}
        for a, b in (("x", "y"), ("y", "z"), ("z", "x")):
            lists, length = ((sizes[a][k] - sizes[b][k]) / scale for k, scale in ((0, 1.5), (1, 15)))
            verdicts = ["ab"[int(rng.random() > 1 / (1 + np.exp(-more)))] for more in (lists, 0.5 * lists + length)]
            file.writerow([f"Question {prompt}?", ("how", "why")[prompt % 2], a, b, texts[a], texts[b], *verdicts])
    return out.getvalue()


@pytest.fixture
def server(app: Server) -> Iterator[Server]:
    """The app, of which the dataset that a test drops there is taken away again."""
    yield app
    cli(app.db, "datasets", "delete", "mine", "--yes")


def words(page) -> str:
    return " ".join(page.get_by_test_id("stMain").inner_text().split())


def test_from_a_file_to_the_reasons(page, server):
    page.goto(server.url + "/data?dataset=sample")
    ready(page)
    drop(page, "mine.csv", judged().encode())
    page.get_by_text("each judge", exact=False).first.wait_for(timeout=LONG)
    press(page, "Import 360 judgments")
    expect(page.get_by_text("360 judgments of mine.csv are in mine.")).to_be_visible(timeout=LONG)

    page.goto(server.url + "/factors?dataset=mine")
    ready(page)
    assert "are measured from the texts" in words(page)
    page.locator(".st-key-measure button").click()
    chart = page.locator(".st-key-wide-factor-gaps .main-svg").first
    expect(chart).to_be_visible(timeout=2 * LONG)
    # What the texts mean follows in the background, and brings one factor more.
    expect(page.locator(".st-key-embedding")).to_have_count(0, timeout=3 * LONG)
    page.reload()
    ready(page)
    finding = page.locator(".st-key-finding").inner_text()
    assert "gpt" in finding
    assert "human" in finding
    assert "180 shared pairs" in words(page)

    # By a click some, of either list; with each further one the whole page is drawn anew.
    sections = (*FACTORS, *METHODS)
    for section in (FACTORS[0], FACTORS[-1], METHODS[-1]):
        head = page.get_by_test_id("stExpander").filter(has_text=section.question).first.locator("summary")
        head.scroll_into_view_if_needed()
        head.click()
        page.wait_for_url(f"**open=*{section.word}*", timeout=LONG)
        ready(page)
    address = page.url
    page.reload()
    ready(page)
    assert page.url == address

    page.goto(server.url + "/factors?dataset=mine&" + "&".join(f"open={section.word}" for section in sections))
    ready(page)
    assert all(section.word in page.url for section in sections)
    assert complaints(page) == []
    expect(page.locator(".st-key-wide-by-scenario .main-svg").first).to_be_visible(timeout=LONG)
    assert page.locator(".st-key-finding").inner_text() == finding

    page.set_viewport_size({"width": 390, "height": 850})
    expect(page.locator(".st-key-narrow-factor-gaps .main-svg").first).to_be_visible(timeout=LONG)
    page.wait_for_timeout(800)
    assert complaints(page) == []
    page.set_viewport_size({"width": 1280, "height": 900})
    ready(page)

    link = page.get_by_role("link", name="Read the pair").first
    link.scroll_into_view_if_needed()
    link.click()
    expect(page.locator("h1")).to_contain_text("Examples", timeout=LONG)
    ready(page)
    assert "pair=" in page.url
    assert "Question" in words(page)


def test_the_rows_of_the_fit_and_the_unit_are_taken_along(page, app):
    page.goto(app.url + "/factors?dataset=sample")
    ready(page)
    expect(page.locator(".st-key-wide-factor-gaps .main-svg").first).to_be_visible(timeout=LONG)
    ready(page)
    page.get_by_text("Log-odds", exact=True).first.click()
    page.wait_for_url("**unit=log-odds*", timeout=LONG)
    ready(page)
    page.locator(".st-key-menu-factor-gaps").get_by_role("button").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Rows of the fit as CSV").click()
    rows = list(csv.reader(io.StringIO(download.value.path().read_text())))
    assert rows[0][:7] == ["pair", "judge", "prompt", "scenario", "annotator", "y", "first_position"]
    assert len(rows) > 1000
    assert download.value.suggested_filename.startswith("sample-factors-table-rows")
