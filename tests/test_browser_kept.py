"""Are display names typed on the page Data shown everywhere, and are choices and views found again?"""

import re

import pytest
from browser_app import LONG, cli, pick, press, ready
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


@pytest.fixture
def dataset(app, tmp_path):
    """People and two judges on a few pairs of three models, in the app's store."""
    rows = [f"q{p},m{i},m{j},{judge},{kind},{'ab'[(p + i) % 2]}"
            for judge, kind in (("folk", "human"), ("judge-x", "llm"), ("judge-y", "llm"))
            for p in range(12) for i, j in ((0, 1), (1, 2), (0, 2))]  # fmt: skip
    path = tmp_path / "kept.csv"
    path.write_text("prompt,model_a,model_b,judge,judge_kind,winner\n" + "\n".join(rows) + "\n")
    cli(app.db, "import", str(path), "--dataset", "kept")
    yield "kept"
    cli(app.db, "datasets", "delete", "kept", "--yes")


def reference(page):
    return page.get_by_test_id("stSidebar").get_by_role("combobox", name="Reference", exact=False).first


def test_a_name_is_typed_and_choices_and_views_are_found_again(page, app, dataset):
    page.goto(f"{app.url}/data?dataset={dataset}")
    ready(page)
    grid = page.locator(".st-key-names-grid .dvn-scroller")
    grid.scroll_into_view_if_needed()
    grid.click(position={"x": 430, "y": 35 + 35 + 17})
    page.keyboard.press("Enter")
    # Letters typed before the cell has opened would be lost.
    page.locator("#portal textarea, #portal input").first.fill("Judge Number One")
    page.keyboard.press("Enter")
    press(page, "Save names")
    expect(page.get_by_text("Saved: 1 judge and 0 models with a display name")).to_be_visible(timeout=LONG)

    pick(page, "Reference", "Judge Number One")
    expect(page).to_have_url(re.compile("judge=judge-x&judge=folk&judge=judge-y"), timeout=LONG)
    press(page, "Saved views")
    page.get_by_label("Name of this view").fill("Held against one")
    page.keyboard.press("Tab")
    press(page, "Save this view")
    pick(page, "Reference", "folk")
    expect(page).not_to_have_url(re.compile("judge=judge-x&judge=folk"), timeout=LONG)
    # On the page that it is of, a view is opened in place, and the address follows.
    press(page, "Saved views")
    press(page, "Held against one")
    expect(page).to_have_url(re.compile("judge=judge-x&judge=folk&judge=judge-y"), timeout=LONG)
    expect(reference(page)).to_have_value("Judge Number One", timeout=LONG)

    # The page Data is the one that computes least.
    page.goto(f"{app.url}/data")
    expect(reference(page)).to_have_value("Judge Number One", timeout=LONG)
    press(page, "Forget these choices")
    expect(reference(page)).to_have_value(re.compile("folk"), timeout=LONG)
    expect(page).not_to_have_url(re.compile("judge="))

    page.get_by_role("link", name="Overview").click()
    expect(page.locator("h1")).to_contain_text("Judge Number One", timeout=LONG)
    assert "judge-x" not in page.get_by_test_id("stMain").inner_text()
    page.get_by_test_id("stMain").get_by_role("link", name="Held against one").click(timeout=LONG)
    expect(page).to_have_url(re.compile("/data.*judge=judge-x"), timeout=LONG)
    expect(reference(page)).to_have_value("Judge Number One", timeout=LONG)
