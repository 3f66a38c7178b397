"""Is a first visit led through the sample, and left alone when it wishes to be?"""

import re
from dataclasses import replace

import pytest
from browser_app import LONG, ready
from playwright.sync_api import expect

from data.queries import Catalog
from ui import tour
from ui.navigation import SCREENS, query
from ui.view import View

SAMPLE = View((), names=Catalog("sample", 1, True, {}, {}, {}, {}, {}), extra={"tour": ["2"]})


def test_every_step_is_on_a_page_and_short():
    assert 4 <= len(tour.STEPS) <= 6
    assert {step.screen for step in tour.STEPS} <= {screen.title for screen in SCREENS}
    # Two minutes at 200 words a minute, the pages themselves included.
    assert sum(len(step.text.split()) for step in tour.STEPS) < 300


@pytest.mark.parametrize(("word", "step"), [("1", 1), ("5", 5), ("0", None), ("6", None), ("x", None), ("²", None)])
def test_the_address_says_the_step(word, step):
    seen = replace(SAMPLE, extra={"tour": [word], "with": ["gpt"]})
    assert tour.at(seen) == step
    assert tour.kept(seen).extra == ({"tour": [word]} if step else {}) | {"with": ["gpt"]}


def test_judgments_that_somebody_gave_have_no_tour():
    own = replace(SAMPLE, names=Catalog("mine", 1, False, {}, {}, {}, {}, {}))
    assert tour.at(own) is None
    assert tour.at(View((), extra={"tour": ["1"]})) is None


def test_links_carry_the_step_along_and_one_leaves_it_out():
    assert ("tour", "2") in query(SAMPLE)
    assert ("tour", "3") in query(SAMPLE, tour="3")
    assert "tour" not in dict(query(SAMPLE, tour=()))


@pytest.mark.browser
def test_a_first_visit_goes_from_the_finding_to_the_own_file(page, app):
    page.goto(app.url + "/?dataset=sample")
    ready(page)
    box = page.locator(".st-key-tour")
    expect(box).to_have_count(0)
    page.get_by_role("button", name="Show me around").click()
    for k, step in enumerate(tour.STEPS, 1):
        expect(box).to_contain_text(f"{k} of {len(tour.STEPS)} · {step.heading}", timeout=LONG)
        expect(page).to_have_url(re.compile(f"tour={k}"))
        if k < len(tour.STEPS):
            box.get_by_role("link", name=re.compile("Next")).click()
    expect(page.locator("h1")).to_have_text("Data", timeout=LONG)
    page.go_back()
    expect(box).to_contain_text("4 of 5", timeout=LONG)
    # The menu leads away and the tour with it; it can be ended anywhere, and begun again.
    page.get_by_role("link", name="Overview").first.click()
    expect(box.get_by_role("link", name="Go to Judges")).to_be_visible(timeout=LONG)
    box.get_by_role("button", name="End the tour").click()
    expect(box).to_have_count(0, timeout=LONG)
    expect(page.get_by_role("button", name="Show me around")).to_be_visible(timeout=LONG)
    ready(page)
    assert "tour" not in page.url
