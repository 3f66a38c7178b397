"""Does a stranger's file become a chart in a few clicks, is nothing lost on the way, and does a wrong one meet a sentence?"""

from __future__ import annotations

import os
import re
import signal
import subprocess

import pytest
from browser_app import LONG, cli, cli_process, drop, pick, press, ready, say
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << >>\n%%EOF\n"
HTML = b"<!DOCTYPE html><html><head><title>404</title></head><body>Not found</body></html>"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(40)
MOST_CLICKS = 6


def wide_csv(prompts: int = 60) -> str:
    """One column a judge under names that say nothing; two of them agree, two do not. Systems s1 < s2 < s3."""
    lines = ["Instruction,System 1,System 2,Output 1,Output 2,Kim,Robin,arbiter-7,umpire-2"]
    for p in range(prompts):
        for k, (a, b) in enumerate([("s1", "s2"), ("s2", "s3"), ("s3", "s1")]):
            # One verdict in five goes the other way, so that nobody only wins.
            cells = ["A>B" if (a > b) != ((p + k + j) % 5 == 0) else "B>A" for j in range(4)]
            lines.append(f"Explain topic {p},{a},{b},The answer {a} gives to {p}.,What {b} says of {p}.,{','.join(cells)}")
    return "\n".join(lines) + "\n"


def long_csv(rows: int = 60, other: str = "") -> str:
    """One row a judgment with 0 and 1, semicolons, and a word in it that is no verdict."""
    lines = ["Frage;Modell A;Modell B;Richter;Gewinner"]
    for k in range(rows):
        verdict = "?" if k == 7 else str((k + k // 7) % 2)
        lines.append(f"Frage {other}{k // 4};m{k % 3};m{(k + 1) % 3};{('Ute', 'gpt-4')[k % 2]};{verdict}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def data(page, app):
    page.goto(app.url + "/data?dataset=sample")
    ready(page)
    return page


def test_a_wide_csv_becomes_a_chart_of_people_and_models_in_six_clicks(data, app):
    clicks = 0

    def click(what, *of):
        nonlocal clicks
        what(data, *of)
        clicks += 1

    drop(data, "judgments.csv", wide_csv().encode())
    expect(data.get_by_text("Say which of “Kim”, “Robin”, “arbiter-7”, “umpire-2” are people.")).to_be_visible(timeout=LONG)
    click(say, "Kim is a", "person")
    click(say, "Robin is a", "person")
    click(press, "The other 2 are LLMs")
    expect(data.get_by_text("What the health check will say")).to_be_visible(timeout=LONG)
    assert "judgments" not in [d["dataset"] for d in cli(app.db, "datasets")["datasets"]], "a check changes nothing"
    click(press, "Import 720 judgments")
    expect(data.get_by_text("720 judgments of judgments.csv are in judgments.")).to_be_visible(timeout=LONG)
    ready(data)
    data.get_by_role("link", name="See arbiter-7 and umpire-2 against Kim").click()
    clicks += 1
    expect(data.locator("h1")).to_have_text("Rankings", timeout=LONG)
    expect(data.locator(".js-plotly-plot").get_by_text("arbiter-7").first).to_be_visible(timeout=LONG)
    assert clicks <= MOST_CLICKS
    kinds = {j["judge"]: j["kind"] for j in cli(app.db, "datasets", "show", "judgments")["judges"]}
    assert kinds == {"Kim": "human", "Robin": "human", "arbiter-7": "llm", "umpire-2": "llm"}
    ranked = ("rank", "--dataset", "judgments", "--judge", "Kim")
    answer = cli_process(app.db, *ranked)
    assert answer == cli(app.db, *ranked), "one answer from either way of asking"
    assert [row["model"] for row in answer["ranking"]] == ["s3", "s2", "s1"]


def test_zero_and_one_are_asked_by_keyboard_and_the_next_file_of_the_shape_is_read_as_the_last(data, app):
    drop(data, "week 1.csv", long_csv().encode())
    # Called like a verdict, but 0 and 1 may be anything.
    expect(data.get_by_text("Still to be said: which column is winner.")).to_be_visible(timeout=LONG)
    pick(data, "Gewinner means", "winner", "stMain")
    expect(data.get_by_text("Say whether “Ute” is a person or a model.")).to_be_visible(timeout=LONG)
    ready(data)
    data.get_by_label("Ute is a", exact=True).get_by_role("radio", name="person").focus()
    data.keyboard.press("Space")
    expect(data.get_by_text("Say what the verdicts mean: “0”, “1”.")).to_be_visible(timeout=LONG)
    press(data, "1 says response a, 0 response b")
    expect(data.get_by_text("Rejected, and why")).to_be_visible(timeout=LONG)
    # What was filled in outlives a look at another page.
    data.get_by_role("link", name="Overview").click()
    expect(data.locator("h1")).not_to_have_text("Data", timeout=LONG)
    data.get_by_role("link", name="Data", exact=True).click()
    with data.expect_download() as download:
        press(data, "1 rejected row as CSV")
    assert ",Gewinner,?," in download.value.path().read_text()
    press(data, "Import 59 judgments")
    expect(data.get_by_text("59 judgments of week 1.csv are in week 1.")).to_be_visible(timeout=LONG)
    drop(data, "week 2.csv", long_csv(other="neu ").encode())
    expect(data.get_by_text("Read as week 1.csv was on")).to_be_visible(timeout=LONG)
    press(data, "Import 59 judgments")
    expect(data.get_by_text("59 judgments of week 2.csv are in week 2.")).to_be_visible(timeout=LONG)
    kinds = {j["judge"]: j["kind"] for j in cli(app.db, "datasets", "show", "week 2")["judges"]}
    assert kinds == {"Ute": "human", "gpt-4": "llm"}


def test_what_is_no_table_or_too_large_meets_a_sentence(data, tmp_path):
    too_large = tmp_path / "large.csv"
    with too_large.open("wb") as file:
        file.truncate(2_000_000_000)
    expect(data.get_by_text("This file is larger than 1,000 MB")).to_be_hidden()
    data.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(too_large)
    expect(data.get_by_text("This file is larger than 1,000 MB")).to_be_visible(timeout=LONG)
    for name, content, said in (
        ("paper.csv", PDF, "PDF"), ("empty.csv", b"", "empty"), ("page.csv", HTML, "web page"), ("x.csv", PNG, "PNG"),
    ):  # fmt: skip
        drop(data, name, content)
        expect(data.get_by_test_id("stAlert")).to_contain_text(re.compile(said, re.IGNORECASE), timeout=LONG)
        ready(data)
        assert data.get_by_role("button", name="Import").count() == 0


def pause(name: str) -> None:
    """Keep the process that has read this file from doing any more."""
    found = subprocess.run(["pgrep", "-f", f"cli[.]py .*{name}"], capture_output=True, text=True, check=True)
    for pid in found.stdout.split():
        os.kill(int(pid), signal.SIGSTOP)


def test_an_import_outlives_a_reload_and_can_be_stopped(data, app):
    before = cli(app.db, "datasets")
    rows = "".join(f"p{k % 997},m{k % 7},n{k % 5},gpt-{k % 11},{'ab'[k % 2]}\n" for k in range(150_000))
    drop(data, "large.csv", f"prompt,model_a,model_b,judge,winner\n{rows}".encode())
    press(data, "Stop")
    expect(data.get_by_text("Stopped. Nothing was changed.")).to_be_visible(timeout=LONG)
    press(data, "Check the file")
    expect(data.get_by_role("button", name="Import 150,000 judgments")).to_be_visible(timeout=3 * LONG)
    # What goes on from the dry run may be done before the page is loaded anew.
    pause("large.csv")
    press(data, "Import 150,000 judgments")
    expect(data.get_by_test_id("stProgress")).to_be_visible(timeout=LONG)
    data.reload()
    expect(data.get_by_text("large.csv is being imported")).to_be_visible(timeout=LONG)
    press(data, "Stop")
    expect(data.get_by_text("large.csv: Stopped. Nothing was changed.")).to_be_visible(timeout=LONG)
    assert cli(app.db, "datasets") == before
