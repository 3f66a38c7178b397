"""The pictures of the user guide, made anew from the simulated sample and a small file of votes.

`python -m scripts.pictures [FOLDER] [NAME]...` starts the app on a store of its own and writes FOLDER/NAME.png (default
docs/pictures, all of them).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scripts.screenshots import ROOT, sample, settle

WIDTH, HEIGHT = 1000, 640
VOTES = ROOT / "docs" / "votes.csv"
"""The file that the guide opens: three raters, a column each, under names that nobody could foresee."""


def drop(page: Any) -> None:
    """The small file, dropped and recognised."""
    page.locator('input[type="file"]').first.set_input_files(VOTES)
    page.wait_for_timeout(3_000)
    settle(page)


def below(text: str) -> Callable[[Any], None]:
    """Scroll until a text stands at the top."""

    def act(page: Any) -> None:
        page.get_by_text(text).first.evaluate("e => e.scrollIntoView({block: 'start'})")
        page.wait_for_timeout(800)

    return act


def take_away(page: Any) -> None:
    """The menu of the first chart."""
    page.get_by_role("button", name="Export").first.click()
    page.get_by_test_id("stPopoverBody").wait_for()
    page.wait_for_timeout(800)


SHOTS: dict[str, tuple[str, Callable[[Any], None] | None, int]] = {
    "overview": ("/?dataset=sample", None, 620),
    "data": ("/data?dataset=sample", drop, 900),
    "rankings": ("/rankings?dataset=sample", below("Look up a model"), 640),
    "columns": ("/rankings?dataset=sample", lambda page: columns(page), 640),
    "factors": ("/factors?dataset=sample", below("win points"), 820),
    "judges": ("/judges?dataset=sample", None, 640),
    "take-away": ("/rankings?dataset=sample", take_away, 760),
}
"""Picture -> address, what is done there, height in pixels."""


def columns(page: Any) -> None:
    """What the columns of a table mean."""
    page.get_by_role("button", name="What the columns mean").first.click()
    page.get_by_test_id("stPopoverBody").wait_for()
    page.wait_for_timeout(800)


def main() -> int:
    from browser_app import cli, start
    from playwright.sync_api import sync_playwright

    from scripts.look import chromium

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "pictures",
                        help="default docs/pictures")  # fmt: skip
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    chosen = parser.parse_args()
    if strange := set(chosen.names) - set(SHOTS):
        parser.error(f"there is no picture {', '.join(sorted(strange))}; there are {', '.join(SHOTS)}")
    chosen.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        db = Path(place) / "jurylens.duckdb"
        sample(db)
        cli(db, "factors", "extract", "--dataset", "sample")
        server = start(db)
        browser = chromium(playwright)
        try:
            context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
            page = context.new_page()
            page.set_default_timeout(90_000)
            for name in chosen.names or SHOTS:
                address, act, height = SHOTS[name]
                page.set_viewport_size({"width": WIDTH, "height": height})
                page.goto(server.url + address)
                settle(page)
                if act is not None:
                    act(page)
                page.screenshot(path=chosen.folder / f"{name}.png")
        finally:
            browser.close()
            server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
