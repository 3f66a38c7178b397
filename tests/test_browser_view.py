"""Does a link reopen the same view: after a reload, after Back, in a second tab, and with words that are no more?"""

import re

import pytest
from browser_app import LONG, pick, ready, view_of
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_first_page_says_its_finding_and_draws_it(page, app):
    page.goto(app.url + "/?dataset=sample")
    expect(page.locator(".st-key-finding")).to_contain_text("owl-judge orders the 12 models", timeout=LONG)
    expect(page.locator(".st-key-wide-differs .js-plotly-plot .main-svg").first).to_be_visible(timeout=LONG)
    ready(page)
    expect(page.locator("h1")).to_have_text("Do owl-judge and magpie-judge prefer what people prefer?")
    expect(page.get_by_text("Simulated: these judgments were made up")).to_be_visible()
    assert "dataset=sample" in page.url
    assert "judge=" not in page.url
    caption = page.locator(".st-key-foot-differs").get_by_test_id("stCaptionContainer").bounding_box()
    assert caption["width"] > 200, "the menu leaves the caption no room"


def test_reload_and_a_second_tab_show_the_same_view(page, app):
    page.goto(app.url + "/?dataset=sample")
    ready(page)
    page.get_by_text("More options").click()
    pick(page, "Ties", "left out")
    expect(page).to_have_url(re.compile("ties=drop"))
    before = view_of(page)
    page.reload()
    assert view_of(page) == before
    second = page.context.new_page()
    second.goto(page.url)
    assert view_of(second) == before


def test_back_and_forward_show_the_views_in_turn(page, app):
    page.goto(app.url + "/rankings?dataset=sample")
    first = view_of(page)
    page.get_by_test_id("stMain").get_by_text("magpie-judge", exact=True).first.click()
    expect(page).to_have_url(re.compile("with=magpie-judge"))
    expect(page.locator(".st-key-finding")).to_contain_text("magpie-judge orders", timeout=LONG)
    second = view_of(page)
    assert second["finding"] != first["finding"]
    page.go_back()
    expect(page.locator(".st-key-finding")).to_contain_text("owl-judge orders", timeout=LONG)
    assert view_of(page) == first
    page.go_forward()
    expect(page.locator(".st-key-finding")).to_contain_text("magpie-judge orders", timeout=LONG)
    assert view_of(page) == second


WATCH = """() => {
  window.watched = [];
  const top = (e) => e ? e.getBoundingClientRect().top + document.querySelector('[data-testid=stMain]').scrollTop : null;
  const look = () => {
    const said = document.querySelector('.st-key-finding');
    // In the moment of its making it is there without a size, and nothing is seen of it.
    const made = document.querySelector('.st-key-wide-slope .js-plotly-plot');
    const drawn = made && made.getBoundingClientRect().height ? made : null;
    window.watched.push([said ? said.innerText : null, top(said), top(drawn)]);
    requestAnimationFrame(look);
  };
  look();
}"""


def test_while_a_choice_is_answered_the_sentence_stays_above_the_picture(page, app):
    page.goto(app.url + "/rankings?dataset=sample&ties=drop")
    ready(page)
    page.evaluate(WATCH)
    page.get_by_test_id("stMain").get_by_text("magpie-judge", exact=True).first.click()
    expect(page.locator(".st-key-finding")).to_contain_text("magpie-judge orders", timeout=LONG)
    ready(page)
    frames = page.evaluate("() => window.watched")
    assert any("owl-judge orders" in (said or "") for said, _, _ in frames)
    assert all(said for said, _, _ in frames), "the sentence was away for a moment"
    both = [(above, below) for _, above, below in frames if below is not None]
    assert all(above < below for above, below in both), "the old sentence stood below the new picture"
    # A bar that says how far the work is may push it down by its own height.
    assert max(below for _, below in both) - min(below for _, below in both) < 90


def test_the_menu_carries_the_selection_and_back_returns(page, app):
    page.goto(app.url + "/?dataset=sample")
    ready(page)
    pick(page, "Reference", "owl-judge")
    expect(page.locator("h1")).to_contain_text("prefer what owl-judge prefers?", timeout=LONG)
    before = view_of(page)
    page.get_by_role("link", name="Rankings").click()
    expect(page.locator("h1")).to_have_text("Rankings", timeout=LONG)
    there = view_of(page)
    assert "judge=owl-judge&judge=people" in page.url
    assert there["boxes"][:3] == before["boxes"][:3]
    page.go_back()
    expect(page.locator("h1")).to_contain_text("prefer what owl-judge prefers?", timeout=LONG)
    assert view_of(page) == before


def test_words_that_are_no_more_are_dropped_with_a_notice(page, app):
    wrong = "judge=nobody&level=7&ties=maybe&with=nobody&position=maybe"
    page.goto(app.url + "/rankings?dataset=sample&judge=people&" + wrong)
    ready(page)
    text = page.get_by_test_id("stMain").inner_text()
    assert "sample has no judge “nobody”" in text
    assert "“ties=maybe” is no possible choice" in text
    assert "level 7" in text
    assert "nobody" not in page.url
    assert "maybe" not in page.url
    assert "level" not in page.url


def test_a_dataset_that_is_gone_leaves_a_working_page(page, app):
    page.goto(app.url + "/?dataset=vanished&judge=somebody")
    ready(page)
    text = page.get_by_test_id("stMain").inner_text()
    assert "There is no dataset “vanished” here" in text
    assert "somebody" not in page.url
    assert page.locator("h1").inner_text().endswith("?")


def test_a_link_to_one_model_opens_it_on_rankings(page, app):
    page.goto(app.url + "/?dataset=sample")
    ready(page)
    link = page.locator(".st-key-five").get_by_role("link").first
    model = link.inner_text().strip()
    link.click()
    expect(page.locator("h1")).to_have_text("Rankings", timeout=LONG)
    said = re.compile(rf"{re.escape(model)} is number \d+ of 12 for people")
    expect(page.get_by_text(said)).to_be_visible(timeout=LONG)
    assert "focus=" in page.url


def test_one_judge_alone_is_a_view_of_its_own(page, app):
    page.goto(app.url + "/rankings?dataset=sample&judge=people")
    ready(page)
    expect(page.locator(".st-key-finding")).to_contain_text("people put")
    assert page.url.endswith("judge=people")
    expect(page.locator(".st-key-wide-ranking .js-plotly-plot .main-svg").first).to_be_visible(timeout=LONG)
