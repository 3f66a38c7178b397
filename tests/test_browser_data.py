"""Does a stranger's file become a ranking, and does a broken one meet a sentence?"""

import csv
import gzip
import io
import json
import re

import pytest
from browser_app import LONG, ROOT, cli, cli_process, pick, ready
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

MAIN = "stMain"

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << >>\n%%EOF\n"
HTML = b"<!DOCTYPE html><html><head><title>404</title></head><body>Not found</body></html>"


def foreign_csv(judges=("human", "gpt"), prompts=40) -> str:
    """Foreign names for every column. Systems m1 < m2 < m3; the second judge turns m1 and m2 round."""
    order = {judges[0]: ["m1", "m2", "m3"], judges[-1]: ["m2", "m1", "m3"]}
    lines = ["Frage;Modell A;Modell B;Richter;Gewinner;Antwort A;Antwort B"]
    for p in range(prompts):
        for k, (a, b) in enumerate([("m1", "m2"), ("m2", "m3"), ("m3", "m1")]):
            for judge in judges:
                better = max((a, b), key=order[judge].index)
                # One in five verdicts goes the other way, so that nobody only wins.
                if (p + k + judges.index(judge)) % 5 == 0:
                    better = a if better == b else b
                winner = "left" if better == a else "right"
                lines.append(f"Frage {p};{a};{b};{judge};{winner};Antwort {a} {p};Antwort {b} {p}")
    return "\n".join(lines) + "\n"


def drop(page, name: str, content: bytes) -> None:
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )


def press(page, name: str) -> None:
    """Click when the page stands still: what a run redraws under the pointer would swallow the click."""
    button = page.get_by_role("button", name=name)
    expect(button).to_be_visible(timeout=LONG)
    ready(page)
    button.click(timeout=LONG)


def test_a_csv_with_foreign_names_becomes_a_ranking(page, app):
    page.goto(app.url + "/data?dataset=sample")
    ready(page)
    drop(page, "urteile.csv", foreign_csv().encode())
    expect(page.get_by_text("a guess: check it").first).to_be_visible(timeout=LONG)
    pick(page, "prompt", "Frage", MAIN)
    pick(page, "judge", "Richter", MAIN)
    pick(page, "winner", "Gewinner", MAIN)
    for field, column in (("model_a", "Modell A"), ("model_b", "Modell B"), ("response_a", "Antwort A")):
        pick(page, field, column, MAIN)
    press(page, "Check the file")
    expect(page.get_by_role("button", name="Import 240 judgments")).to_be_visible(timeout=LONG)
    assert "urteile" not in [d["dataset"] for d in cli(app.db, "datasets")["datasets"]], "a check changes nothing"
    press(page, "Import 240 judgments")
    expect(page.get_by_text("240 judgments of urteile.csv are in urteile.")).to_be_visible(timeout=LONG)
    text = page.get_by_test_id("stMain").inner_text()
    assert "hold the judges' rankings against each other" in text
    assert "scenario: to look at single scenarios" in text
    page.get_by_role("link", name="Open urteile").click()
    expect(page.locator("h1")).to_have_text("Does gpt prefer what people prefer?", timeout=LONG)
    page.get_by_role("link", name="Rankings").click()
    expect(page.locator("h1")).to_have_text("Rankings", timeout=LONG)
    ready(page)
    page.get_by_text("Each judge alone").click()
    expect(page.locator(".st-key-finding")).to_contain_text("human puts m3 first of 3 models", timeout=LONG)
    answer = cli_process(app.db, "rank", "--dataset", "urteile", "--judge", "human")
    assert answer == cli(app.db, "rank", "--dataset", "urteile", "--judge", "human"), "one answer from either way of asking"
    ranked = answer["ranking"]
    assert [row["model"] for row in ranked] == ["m3", "m2", "m1"]


def test_zero_and_one_are_asked_for_and_one_column_a_judge_is_seen(page, app):
    page.goto(app.url + "/data?dataset=sample")
    ready(page)
    rows = ["prompt,response_a,response_b,anna,bot"]
    rows += [f"p{k},a{k},b{k},{('a', 'b', 'tie')[k % 3]},{('b', 'a')[k % 2]}" for k in range(30)]
    drop(page, "wide.csv", "\n".join(rows).encode())
    expect(page.get_by_text("Which of them are people?")).to_be_visible(timeout=LONG)
    pick(page, "Which of them are people?", "anna", MAIN)
    page.keyboard.press("Escape")
    press(page, "Check the file")
    press(page, "Import 60 judgments")
    expect(page.get_by_text("60 judgments of wide.csv are in wide.")).to_be_visible(timeout=LONG)
    kinds = {j["judge"]: j["kind"] for j in cli(app.db, "datasets", "show", "wide")["judges"]}
    assert kinds == {"anna": "human", "bot": "llm"}
    expect(page.get_by_test_id("stMain")).to_contain_text("model_a and model_b: to rank the models", timeout=LONG)
    zeros = "".join(f"q{k},x{k},y{k},{k % 2}\n" for k in range(9))
    drop(page, "binary.csv", f"prompt,response_a,response_b,verdict\n{zeros}".encode())
    expect(page.get_by_text("What do these verdicts mean?")).to_be_visible(timeout=LONG)
    pick(page, "0", "a wins", MAIN)
    pick(page, "1", "b wins", MAIN)
    page.get_by_label("The judge's name").fill("crowd")
    page.keyboard.press("Tab")
    press(page, "Check the file")
    expect(page.get_by_role("button", name="Import 9 judgments")).to_be_visible(timeout=LONG)


def test_a_table_of_factors_joins_the_judgments_that_are_there(page, app):
    examples = ROOT / "examples"
    cli(app.db, "import", str(examples / "judgments.csv"), "--dataset", "eggs")
    page.goto(app.url + "/data?dataset=eggs")
    ready(page)
    drop(page, "clarity.csv", (examples / "factors_by_annotator.csv").read_bytes())
    expect(page.get_by_text("recognised as a table of factors for judgments that are there")).to_be_visible(timeout=LONG)
    press(page, "Check the file")
    press(page, "Import 10 rows of factors")
    expect(page.get_by_text("10 rows of factors of clarity.csv are in eggs.")).to_be_visible(timeout=LONG)
    listed = {row["factor"]: row["texts"] for row in cli(app.db, "factors", "list", "--dataset", "eggs")["factors"]}
    assert listed["clarity"] == 6
    page.goto(app.url + "/data?dataset=eggs")
    expect(page.get_by_text("10 of 10 rows of factors taken")).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Withdraw").last.click()
    press(page, "Withdraw it")
    expect(page.get_by_text("10 rows of factors of clarity.csv withdrawn.")).to_be_visible(timeout=LONG)
    assert "clarity" not in [row["factor"] for row in cli(app.db, "factors", "list", "--dataset", "eggs")["factors"]]


def test_a_table_of_factors_with_other_column_names_and_one_that_matches_nothing(page, app):
    cli(app.db, "import", str(ROOT / "examples" / "judgments.csv"), "--dataset", "milk")
    prompt, answer = cli(app.db, "examples", "--dataset", "milk")["examples"][0], "response_a"
    page.goto(app.url + "/data?dataset=milk")
    ready(page)
    table = io.StringIO()
    csv.writer(table).writerows([["question", "answer", "warmth"], [prompt["prompt"], prompt[answer], 3]])
    drop(page, "warmth.csv", table.getvalue().encode())
    expect(page.get_by_text("Factors of which dataset?")).to_be_visible(timeout=LONG)
    press(page, "Check the file")
    press(page, "Import 1 row of factors")
    expect(page.get_by_text("1 row of factors of warmth.csv is in milk.")).to_be_visible(timeout=LONG)

    drop(page, "lost.csv", b"pair_id,tone_a,tone_b\nnobody,1,2\n")
    press(page, "Check the file")
    expect(page.get_by_text("No row names anything that is in the dataset", exact=False)).to_be_visible(timeout=LONG)
    assert page.get_by_role("button", name="Import ").count() == 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("paper.csv", PDF, "PDF"),
        ("empty.csv", b"", "empty"),
        ("page.csv", HTML, "web page"),
        ("header.csv", b"prompt,judge,winner\n", "header"),
        ("cut.csv.gz", gzip.compress(b"prompt,judge,winner\n" * 500, mtime=0)[:-30], "gzip"),
        ("list.json", json.dumps([1, 2]).encode(), "JSON"),
    ],
)
def test_what_is_no_table_meets_a_sentence(page, app, name, content, said):
    page.goto(app.url + "/data?dataset=sample")
    ready(page)
    drop(page, name, content)
    alert = page.get_by_test_id("stAlert")
    expect(alert).to_contain_text(re.compile(said, re.IGNORECASE), timeout=LONG)
    ready(page)
    assert page.get_by_role("button", name="Import").count() == 0


def test_broken_rows_are_listed_and_the_good_ones_go_in(page, app):
    page.goto(app.url + "/data?dataset=sample")
    ready(page)
    lines = ["prompt,model_a,model_b,judge,winner"]
    lines += [f"p{k},m1,m2,people,{'ab'[k % 2]}" for k in range(10)]
    lines[4] = 'p3,m1,m2,people,"banana'
    lines[7] = "p6,m1,m2,people,banana"
    drop(page, "broken.csv", ("\n".join(lines) + "\n").encode())
    ready(page)
    press(page, "Check the file")
    expect(page.get_by_text("Rejected, and why")).to_be_visible(timeout=LONG)
    press(page, "Import 8 judgments")
    expect(page.get_by_text("8 judgments of broken.csv are in broken.")).to_be_visible(timeout=LONG)
    with page.expect_download() as download:
        press(page, "All 2 rejected rows as CSV")
    rejects = download.value.path().read_text()
    assert "banana" in rejects
    assert len(rejects.strip().splitlines()) == 3


def test_an_import_can_be_withdrawn_a_dataset_renamed_and_deleted(page, app, tmp_path):
    source = tmp_path / "own.csv"
    header = "prompt,model_a,model_b,judge,winner\n"
    source.write_text(header + "".join(f"p{k},x,y,people,{'ab'[k % 2]}\n" for k in range(12)))
    cli(app.db, "import", str(source), "--dataset", "mine")
    more = tmp_path / "more.csv"
    more.write_text(header + "".join(f"n{k},x,y,people,a\n" for k in range(5)))
    before = cli(app.db, "rank", "--dataset", "mine")
    cli(app.db, "import", str(more), "--dataset", "mine")
    page.goto(app.url + "/data?dataset=mine")
    ready(page)
    page.locator(".st-key-import-2").get_by_role("button", name="Withdraw").click()
    press(page, "Withdraw it")
    expect(page.get_by_text("5 judgments of more.csv withdrawn.")).to_be_visible(timeout=LONG)
    assert cli(app.db, "rank", "--dataset", "mine") == before
    press(page, "Rename")
    page.get_by_label("New name").fill("ours")
    page.keyboard.press("Tab")
    press(page, "Rename it")
    expect(page.get_by_text("mine is now called ours.")).to_be_visible(timeout=LONG)
    assert "dataset=ours" in page.url
    press(page, "Delete")
    expect(page.get_by_text("loses 12 judgments on 12 pairs from 1 import")).to_be_visible(timeout=LONG)
    press(page, "Delete for good")
    expect(page.get_by_text("ours was deleted with 12 judgments.")).to_be_visible(timeout=LONG)
    assert "ours" not in [d["dataset"] for d in cli(app.db, "datasets")["datasets"]]


def test_without_a_human_judge_the_page_asks_for_the_reference(page, app):
    rows = foreign_csv(("gpt", "claude")).split("\n", 1)[1]
    page.goto(app.url + "/data?dataset=sample")
    ready(page)
    drop(page, "llms.csv", f"prompt;model_a;model_b;judge;winner;response_a;response_b\n{rows}".encode())
    ready(page)
    press(page, "Check the file")
    press(page, "Import 240 judgments")
    pick(page, "Whom are the other judges held against?", "claude", MAIN)
    ready(page)
    page.get_by_role("link", name="Open llms").click()
    expect(page.locator("h1")).to_have_text("Does gpt prefer what claude prefers?", timeout=LONG)
    page.goto(app.url + "/?dataset=llms")
    ready(page)
    assert "No judge here is human" in page.get_by_test_id("stMain").inner_text()
    assert page.locator(".st-key-finding").inner_text().startswith("gpt puts m3 first")


def test_a_running_import_can_be_stopped_and_leaves_nothing(page, app):
    before = cli(app.db, "datasets")
    page.goto(app.url + "/data?dataset=sample")
    ready(page)
    rows = "".join(f"p{k % 997},m{k % 7},n{k % 5},j{k % 11},{'ab'[k % 2]}\n" for k in range(400_000))
    drop(page, "large.csv", f"prompt,model_a,model_b,judge,winner\n{rows}".encode())
    press(page, "Check the file")
    expect(page.get_by_test_id("stProgress")).to_be_visible(timeout=LONG)
    press(page, "Stop")
    expect(page.get_by_text("Stopped. Nothing was changed.")).to_be_visible(timeout=LONG)
    assert cli(app.db, "datasets") == before
    expect(page.get_by_role("button", name="Check the file")).to_be_enabled(timeout=LONG)
