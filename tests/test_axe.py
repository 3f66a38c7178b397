"""Does axe-core find nothing serious on the pages, and would it?"""

import pytest
from browser_app import ready

from scripts.axe import STREAMLIT, Fault, accepted, addresses, faults
from ui.navigation import SCREENS
from ui.sections import SECTIONS


def test_every_page_is_opened_and_every_section():
    found = addresses(["sample"])
    assert [name for name, _ in found if not name.endswith("-open")] == [f"sample-{screen.url}" for screen in SCREENS]
    opened = dict(found)
    for page, sections in SECTIONS.items():
        assert all(f"open={section.word}" in opened[f"sample-{page}-open"] for section in sections)


def test_what_is_left_to_streamlit_has_a_reason():
    assert len(STREAMLIT) < 6
    assert all(len(why) > 30 for why in STREAMLIT.values())
    assert accepted("a-rule", "anything") == ""
    one = Fault("p", "light", "r", "serious", "", "", "", "", "")
    assert one.grave
    assert not Fault("p", "light", "r", "serious", "", "", "", "", "a reason").grave
    assert not Fault("p", "light", "r", "moderate", "", "", "", "", "").grave


@pytest.mark.browser
def test_a_fault_is_found(browser):
    page = browser.new_page()
    try:
        page.set_content('<html lang="en"><title>t</title><main><h1>h</h1><button></button></main></html>')
        assert [(found.rule, found.grave) for found in faults(page) if found.grave] == [("button-name", True)]
    finally:
        page.close()


@pytest.mark.browser
@pytest.mark.parametrize("address", ["/?dataset=sample&tour=1", "/rankings?dataset=sample", "/examples?dataset=awkward",
                                     "/data?dataset=sample"])  # fmt: skip
def test_pages_shut_nobody_out(page, app, address):
    page.goto(app.url + address)
    ready(page)
    assert [f"{found.rule}: {found.html}" for found in faults(page) if found.grave] == []
