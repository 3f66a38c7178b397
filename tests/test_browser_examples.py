"""Are pairs read one after the other, by mouse, keyboard and link, and does nothing in a text come alive?"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_app import LONG, Server, cli, pick, ready, view_of
from playwright.sync_api import Page, expect

from scripts.look import complaints

pytestmark = pytest.mark.browser

SCRIPT = "<script>window.alive = 1</script><img src=x onerror='window.alive = 2'><svg onload='window.alive = 3'>"
LINKS = "[click](javascript:window.alive=4) <a href='javascript:window.alive=5'>here</a> ![](https://example.com/a.png)"
MARKUP = "# no heading\n\n**not bold** $\\frac{1}{2}$ :red[not red] :material/home:\n\tindented\n    four spaces   end"
CLOSING = "</div></article></details></style><h1>outside</h1><style>body{display:none}</style>"
ARABIC = "مرحبا بالعالم (abc) 123."


def hostile(path: Path) -> None:
    """Texts that would do something if anybody let them, and texts that are hardly any."""
    rows = [
        ("scripts", SCRIPT, LINKS, "a", SCRIPT), ("markup", MARKUP, CLOSING, "b", ""),
        ("right to left " + ARABIC, ARABIC, "left to right", "tie", ""), ("same", "the same text", "the same text", "a", ""),
        ("huge", "word " * 20_000 + "the very end", "short", "b", ""), ("blank", "   \n ", "", "refused", ""),
    ]  # fmt: skip
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["prompt", "scenario", "model_a", "model_b", "response_a", "response_b", "judge", "winner", "reason"])
        for prompt, a, b, winner, reason in rows:
            out.writerow([prompt, "*odd* <b>x</b>", "<i>wren</i>", "`ibis` $x$", a, b, "people <u>", winner, reason])
            out.writerow([prompt, "*odd* <b>x</b>", "<i>wren</i>", "`ibis` $x$", a, b, "gpt", "a", ""])


@pytest.fixture(scope="module")
def server(app: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with two more datasets, as long as these tests last."""
    folder = tmp_path_factory.mktemp("examples")
    hostile(folder / "hostile.csv")
    cli(app.db, "import", str(folder / "hostile.csv"), "--dataset", "hostile")
    (folder / "alone.csv").write_text("prompt_id,model_a,model_b,judge,winner\n1,x,y,people,a\n1,x,y,gpt,b\n")
    cli(app.db, "import", str(folder / "alone.csv"), "--dataset", "verdicts alone")
    yield app
    for name in ("hostile", "verdicts alone"):
        cli(app.db, "datasets", "delete", name, "--yes")


def position(page: Page) -> tuple[int, int]:
    """(3, 37) of "3 of 37"."""
    text = page.locator(".st-key-walk").get_by_text(re.compile(r"^[\d,]+ of [\d,]+$")).inner_text()
    one, of = text.replace(",", "").split(" of ")
    return int(one), int(of)


def at(page: Page, one: int) -> None:
    expect(page.locator(".st-key-walk")).to_contain_text(re.compile(rf"\b{one} of "), timeout=LONG)
    ready(page)


def test_what_a_factor_counted_is_marked_in_both_answers(page: Page, server: Server) -> None:
    page.goto(server.url + "/examples?dataset=sample")
    ready(page)
    pick(page, "Mark in the texts", "Mark: Numbers", where="stMain")
    expect(page).to_have_url(re.compile("mark=numbers"))
    ready(page)
    expected = cli(server.db, "examples", "--dataset", "sample", "--mark", "numbers", "--limit", "1")
    (row,) = expected["examples"]
    for side, answer in zip("ab", page.locator(".st-key-pair article").all(), strict=True):
        body = row[f"response_{side}"]
        there = [body[one["start"] : one["end"]] for one in expected["marks"] if one["side"] == side]
        assert answer.locator("mark").all_inner_texts() == there
        assert f"Numbers: {row[f'marked_{side}']}" in answer.locator("header").inner_text()
        assert answer.locator(".text").inner_text() == body
    assert complaints(page) == []


def test_filters_next_and_previous(page: Page, server: Server) -> None:
    page.goto(server.url + "/examples?dataset=sample")
    ready(page)
    assert position(page) == (1, 4200)
    pick(page, "Model", "Avocet 2", where="stMain")
    expect(page).to_have_url(re.compile("with_model=Avocet"))
    pick(page, "Judges", "Opposite sides", where="stMain")
    expect(page).to_have_url(re.compile("disagree=opposite"))
    ready(page)
    expected = cli(server.db, "examples", "--dataset", "sample", "--disagree", "opposite", "--limit", "3",
                   "--with-model", "Avocet 2")  # fmt: skip
    assert position(page) == (1, expected["pairs"])
    for k, row in enumerate(expected["examples"], 1):
        at(page, k)
        assert f"pair {row['pair']}" in page.locator(".st-key-pair").inner_text()
        # The model asked for stands on the left.
        left, right = ("a", "b") if row["model_a"] == "Avocet 2" else ("b", "a")
        article = page.locator(".st-key-pair article")
        assert article.nth(0).locator(".name").inner_text() == "Avocet 2" == row[f"model_{left}"]
        assert article.nth(0).locator(".text").inner_text() == row[f"response_{left}"]
        assert article.nth(1).locator(".text").inner_text() == row[f"response_{right}"]
        if k < 3:
            page.get_by_role("button", name="Next").click()
    page.get_by_role("button", name="Previous").click()
    at(page, 2)
    # By keyboard: the arrow keys, and the button that has the focus.
    page.keyboard.press("ArrowRight")
    at(page, 3)
    page.get_by_role("button", name="Previous").focus()
    page.keyboard.press("Enter")
    at(page, 2)
    page.keyboard.press("ArrowLeft")
    at(page, 1)
    expect(page.get_by_role("button", name="Previous")).to_be_disabled()


def test_a_permalink_survives_reload_back_and_a_second_tab(page: Page, server: Server) -> None:
    page.goto(server.url + "/examples?dataset=sample&disagree=opposite&scenario=explain")
    ready(page)
    page.get_by_role("button", name="Next").click()
    at(page, 2)
    expect(page).to_have_url(re.compile(r"pair=\d+"))
    before, text = view_of(page), page.locator(".st-key-pair").inner_text()
    page.reload()
    ready(page)
    assert (view_of(page), page.locator(".st-key-pair").inner_text()) == (before, text)
    second = page.context.new_page()
    second.goto(page.url)
    ready(second)
    assert (view_of(second), second.locator(".st-key-pair").inner_text()) == (before, text)
    page.get_by_role("button", name="Next").click()
    at(page, 3)
    page.go_back()
    at(page, 2)
    assert page.locator(".st-key-pair").inner_text() == text


def test_a_pair_that_is_not_among_these_gives_the_first(page: Page, server: Server) -> None:
    page.goto(server.url + "/examples?dataset=sample&pair=999999&by=people&between=nobody&between=Wren")
    ready(page)
    text = page.get_by_test_id("stMain").inner_text()
    assert "Pair 999,999 is not among these; this is the first." in text
    assert "“between=nobody, Wren” means nothing here" in text
    assert "pair=" not in page.url
    assert "nobody" not in page.url
    assert position(page) == (1, 4200)


def test_nothing_left_is_said_with_the_way_back(page: Page, server: Server) -> None:
    page.goto(server.url + "/examples?dataset=hostile&outcome=split&by=gpt")
    ready(page)
    expect(page.get_by_text("there are no pairs judged by people <u> or gpt")).to_be_visible()
    page.get_by_role("link", name="Show all pairs of this selection").click()
    at(page, 1)
    assert position(page) == (1, 6)


def grid(page: Page, key: str):
    found = page.locator(f".st-key-{key}") if key else page.get_by_test_id("stMain")
    table = found.get_by_test_id("stDataFrame").first
    table.scroll_into_view_if_needed()
    expect(table.locator("[role=gridcell]").first).to_be_attached(timeout=LONG)
    return table


def follow(page: Page) -> tuple[int, int]:
    """(pairs that the link behind a ticked row promises, pairs on the page that it opens)."""
    link = page.get_by_role("link", name=re.compile("behind this row"))
    expect(link).to_be_visible(timeout=LONG)
    promised = re.search(r"([\d,]+) pairs", link.inner_text())
    link.click()
    expect(page.locator("h1")).to_have_text("Examples", timeout=LONG)
    ready(page)
    assert promised is not None
    return int(promised[1].replace(",", "")), position(page)[1]


ROW = 34


def test_a_flip_opens_exactly_its_pairs(page: Page, server: Server) -> None:
    flips = cli(server.db, "compare", "--dataset", "sample", "--judge", "people", "--judge", "owl-judge")["flips"]
    page.goto(server.url + "/rankings?dataset=sample&show=flips&with=owl-judge")
    ready(page)
    table = grid(page, "")
    table.click(position={"x": 18, "y": ROW * 2 + ROW / 2})
    assert follow(page) == (flips[1]["pairs"], flips[1]["pairs"])
    said = page.locator(".st-key-finding").inner_text()
    assert f"of {flips[1]['model_1']} and {flips[1]['model_2']} that people and owl-judge both judged" in said
    page.go_back()
    expect(page.locator("h1")).to_have_text("Rankings", timeout=LONG)
    ready(page)
    # By keyboard, in a table sorted by its reader: a tick means the row that is seen.
    table = grid(page, "")
    box = table.bounding_box()
    assert box is not None
    table.click(position={"x": box["width"] - 40, "y": ROW / 2})
    fewest = min(flips, key=lambda row: row["pairs"])
    expect(table.locator("[role=gridcell]").nth(3)).to_have_text(str(fewest["pairs"]), timeout=LONG)
    # The click on the heading left the table focused, at times without a cell: a reader who comes by Tab finds one.
    page.evaluate("document.activeElement.blur()")
    page.locator("canvas[data-testid=data-grid-canvas]").first.focus()
    expect(table.locator("[role=gridcell][aria-selected=true]")).to_be_attached(timeout=LONG)
    page.keyboard.press("Shift+Space")
    assert follow(page) == (fewest["pairs"], fewest["pairs"])


def test_a_tick_ends_with_its_table(page: Page, server: Server) -> None:
    page.goto(server.url + "/rankings?dataset=sample&show=flips&with=owl-judge")
    ready(page)
    grid(page, "").click(position={"x": 18, "y": ROW + ROW / 2})
    expect(page.get_by_role("link", name=re.compile("behind this row"))).to_be_visible(timeout=LONG)
    page.get_by_test_id("stMain").get_by_text("magpie-judge", exact=True).first.click()
    expect(page.locator(".st-key-finding")).to_contain_text("magpie-judge orders", timeout=LONG)
    ready(page)
    expect(page.get_by_role("link", name=re.compile("behind this row"))).to_have_count(0, timeout=LONG)


def test_the_overviews_numbers_lead_to_their_pairs(page: Page, server: Server) -> None:
    page.goto(server.url + "/?dataset=sample")
    ready(page)
    link = page.get_by_role("link", name=re.compile("shared pairs"))
    promised = int(re.sub(r"\D", "", link.inner_text()))
    link.click()
    expect(page.locator("h1")).to_have_text("Examples", timeout=LONG)
    ready(page)
    assert position(page)[1] == promised
    page.goto(server.url + "/?dataset=sample")
    ready(page)
    page.get_by_role("link", name="Read these pairs").first.click()
    expect(page.locator(".st-key-finding")).to_contain_text("on which owl-judge gave no verdict", timeout=LONG)
    ready(page)
    page.goto(server.url + "/?dataset=sample")
    ready(page)
    page.get_by_role("link", name="Read them").click()
    expect(page.locator("h1")).to_have_text("Examples", timeout=LONG)
    ready(page)
    assert position(page)[1] == 4200


def test_nothing_in_a_text_comes_alive(page: Page, server: Server) -> None:
    outside: list[str] = []
    # Of its own: what listens to a page listens to all that is opened in it later.
    page = page.context.new_page()
    page.on("request", lambda r: outside.append(r.url) if not r.url.startswith((server.url, "data:", "blob:")) else None)
    page.on("dialog", lambda dialog: outside.append(dialog.message))
    page.goto(server.url + "/examples?dataset=hostile&order=pair")
    ready(page)
    shown = {}
    for k in range(1, 7):
        at(page, k)
        texts = page.locator(".st-key-pair .text").all_inner_texts()
        shown[texts[0]] = texts[1:]
        assert page.evaluate("window.alive") is None
        # Nothing of a text became an element: the card holds only what the card itself writes.
        tags = page.locator(".st-key-pair .text").evaluate_all("e => e.flatMap(x => [...x.querySelectorAll('*')].map(y => y.tagName))")
        assert set(tags) <= {"SPAN"}
        assert page.locator(".st-key-pair a, .st-key-pair img, .st-key-pair script, .st-key-verdicts a").count() == 0
        assert page.locator("h1").count() == 1
        if k < 6:
            page.get_by_role("button", name="Next").click()
    assert complaints(page) == []
    assert shown["scripts"] == [SCRIPT, LINKS]
    assert shown["markup"] == [MARKUP, CLOSING]
    assert shown["right to left " + ARABIC] == [ARABIC, "left to right"]
    assert shown["huge"][0].endswith("more characters")
    assert len(shown["huge"][0]) < 21_000
    assert shown["blank"][1] in ("Empty: 0 characters, none of them visible.", "The file gave no text of this answer.")
    assert outside == []


def test_odd_texts_are_said_to_be_odd(page: Page, server: Server) -> None:
    page.goto(server.url + "/examples?dataset=hostile&order=pair")
    ready(page)
    for k in (2, 3, 4):
        page.get_by_role("button", name="Next").click()
        at(page, k)
    expect(page.get_by_text("The two answers are the same, word for word.")).to_be_visible()
    page.get_by_role("button", name="Next").click()
    at(page, 5)
    page.get_by_text("Show the whole texts").click()
    expect(page.locator(".st-key-pair article .text").first).to_contain_text("the very end", timeout=LONG)
    page.goto(server.url + "/examples?dataset=verdicts alone")
    ready(page)
    assert page.locator(".st-key-pair").get_by_text("The file gave no text of this answer.").count() == 2
    expect(page.get_by_text("The file gave no text of this prompt.")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_answers_stand_side_by_side_or_stacked(page: Page, server: Server, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(server.url + "/examples?dataset=sample")
    ready(page)
    one, two = (page.locator(".st-key-pair article").nth(k).bounding_box() for k in range(2))
    assert one is not None
    assert two is not None
    if width > 640:
        assert abs(one["y"] - two["y"]) < 2
        assert two["x"] > one["x"] + one["width"]
    else:
        assert two["y"] > one["y"] + one["height"]
        assert two["x"] == pytest.approx(one["x"])
    assert complaints(page) == []
