"""The controls' section: texts are measured from the page, then the order with length held equal is shown."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from browser_app import LONG, Server, cli, pick, ready
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

SECTION = "rankings?dataset=d&open=controls"


def write(path: Path, prompts: range, seed: int) -> Path:
    """Verdicts of people who like lists; the later of four models write more of them."""
    rng = np.random.default_rng(seed)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["prompt", "model_a", "model_b", "judge", "winner", "response_a", "response_b"])
        for prompt in prompts:
            for a, b in ((0, 1), (1, 2), (2, 3), (3, 0), (0, 2), (1, 3)):
                items = rng.poisson([1 + a, 1 + b])
                texts = ["Sure.\n" + "- so\n" * n + f"word {m} {prompt} " * rng.integers(1, 9) for m, n in zip((a, b), items, strict=True)]
                won = rng.random() < 1 / (1 + np.exp(items[1] - items[0]))
                out.writerow([f"p{prompt}", f"m{a}", f"m{b}", "people", "a" if won else "b", *texts])
    return path


@pytest.fixture
def server(app: Server, tmp_path: Path) -> Iterator[Server]:
    """The app with a dataset whose texts are not measured, as long as a test lasts."""
    cli(app.db, "import", str(write(tmp_path / "one.csv", range(40), 0)), "--dataset", "d")
    yield app
    cli(app.db, "datasets", "delete", "d", "--yes")


def test_texts_are_measured_by_a_button_and_new_ones_again(page, server, tmp_path):
    page.goto(f"{server.url}/{SECTION}")
    ready(page)
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text("Length, style and tone are measured from the texts")).to_be_visible(timeout=LONG)
    assert page.locator(".st-key-wide-controls").count() == 0
    page.locator(".st-key-measure button").click()
    # A process of its own measures, which on a busy machine takes longer to start than a page to answer.
    expect(page.locator(".st-key-wide-controls .main-svg").first).to_be_visible(timeout=4 * LONG)
    ready(page)
    said = main.inner_text()
    assert "held equal" in said
    assert "Worth most is lists" in said
    assert page.locator(".st-key-measure").count() == 0

    cli(server.db, "import", str(write(tmp_path / "two.csv", range(40, 44), 1)), "--dataset", "d")
    page.reload()
    ready(page)
    expect(main.get_by_text("not measured yet, for example of a later import")).to_be_visible(timeout=LONG)
    assert "24 of 264 judgments lack a factor" in main.inner_text()
    page.locator(".st-key-measure button").click()
    expect(main.get_by_text("lack a factor")).to_have_count(0, timeout=4 * LONG)
    ready(page)
    assert "not measured yet" not in main.inner_text()
    assert "264 judgments" in main.inner_text()


def test_a_choice_of_factors_stands_in_the_address_and_survives_a_reload(page, app):
    page.goto(f"{app.url}/rankings?dataset=sample&open=controls&controls_of=owl-judge&factor=words")
    ready(page)
    main = page.get_by_test_id("stMain")
    expect(main.get_by_text("With words held equal,")).to_be_visible(timeout=LONG)
    pick(page, "Hold equal", "lists", where="stMain")
    expect(main.get_by_text("With words and lists held equal,")).to_be_visible(timeout=LONG)
    ready(page)
    assert "factor=words&factor=lists" in page.url
    page.reload()
    ready(page)
    expect(main.get_by_text("With words and lists held equal,")).to_be_visible(timeout=LONG)


def test_a_factor_that_this_dataset_does_not_know_is_dropped(page, app):
    page.goto(f"{app.url}/rankings?dataset=sample&open=controls&factor=shoe-size")
    ready(page)
    expect(page.get_by_test_id("stMain").get_by_text("held equal,").first).to_be_visible(timeout=LONG)
