"""One pair explained and texts of one's own, through a browser: from pair to pair, and nothing pasted in the address."""

from __future__ import annotations

import pytest
from browser_app import LONG, ready
from playwright.sync_api import expect

from scripts.look import complaints

pytestmark = pytest.mark.browser

TWO = "dataset=sample&judge=people&judge=owl-judge"


def test_from_one_disagreement_to_the_next(page, app):
    page.goto(f"{app.url}/factors?{TWO}&open=one_pair&pair=99999999")
    ready(page)
    expect(page.get_by_text("There is no pair 99999999 here")).to_be_visible(timeout=LONG)
    assert "pair=" not in page.url
    chart = page.locator(".st-key-wide-one_pair .js-plotly-plot .main-svg").first
    expect(chart).to_be_visible(timeout=LONG)
    first = page.get_by_role("spinbutton", name="Pair").input_value()
    page.get_by_role("button", name="Next pair on which they disagree").click()
    page.wait_for_url("**pair=*", timeout=LONG)
    ready(page)
    second = page.get_by_role("spinbutton", name="Pair").input_value()
    assert second != first
    assert f"pair={second}" in page.url
    expect(chart).to_be_visible(timeout=LONG)
    assert complaints(page) == []
    page.get_by_role("link", name="Read this pair").click()
    expect(page.locator("h1")).to_have_text("Examples", timeout=LONG)
    ready(page)
    expect(page.get_by_text(f"pair {second}", exact=True).first).to_be_visible(timeout=LONG)


def test_pasted_texts_are_predicted_and_kept_nowhere(page, app):
    page.goto(f"{app.url}/factors?{TWO}&open=try_it")
    ready(page)

    def predict(a: str, b: str) -> None:
        page.get_by_role("textbox", name="Response A").fill(a)
        page.get_by_role("textbox", name="Response B").fill(b)
        page.get_by_role("button", name="Predict").click()

    predict(" ", "")
    expect(page.get_by_text("oth responses are empty")).to_be_visible(timeout=LONG)
    predict("the same", "the same")
    expect(page.get_by_text("Both responses are the same")).to_be_visible(timeout=LONG)
    predict("A **bold** answer with <b>tags</b> and $x$.\n\n- one\n- two", "Perhaps. I think it may depend.")
    expect(page.locator(".st-key-wide-try_it .js-plotly-plot .main-svg").first).to_be_visible(timeout=LONG)
    ready(page)
    expect(page.get_by_text("how often A is expected to be preferred")).to_be_visible()
    assert complaints(page) == []
    assert "bold" not in page.url
    assert "Perhaps" not in page.url
