"""Pictures of every page, and what is wrong with them.

`python scripts/screenshots.py [FOLDER] [--readme]` starts the app on a store of its own with the simulated sample, the
`awkward` dataset and, where the published judgments lie beside the project, llmfao with its 59 models; takes each page
in light, in dark and at 390 pixels; and exits with 1 where texts of charts overlap or leave their figure or a page
scrolls sideways. With --readme it also writes docs/overview.png.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

LLMFAO = ROOT.parent / "shared" / "real" / "llmfao"
WAYS = {"light": (1280, "light"), "dark": (1280, "dark"), "phone": (390, "light")}
VIEWS = {"rankings": ("show=slope", "show=gap", "show=flips", "show=alone")}
"""Views of a page that have charts of their own, as words of the address."""

TALLEST = 6000


def fill(db: Path) -> list[str]:
    """The datasets that the pictures show."""
    from browser_app import cli, import_awkward

    sample(db)
    import_awkward(db)
    if not LLMFAO.is_dir():
        print(f"without llmfao: {LLMFAO} is not there", file=sys.stderr)
        return ["sample", "awkward"]
    cli(db, "import", str(LLMFAO), "--as", "llmfao", "--dataset", "llmfao")
    return ["sample", "awkward", "llmfao"]


def sample(db: Path) -> None:
    """The simulated sample, as the app makes it at its first start."""
    where = os.environ | {"JURYLENS_DB": str(db)}
    subprocess.run([sys.executable, "-m", "ui.first_run"], cwd=ROOT, env=where, check=True)


def addresses(datasets: list[str]) -> list[tuple[str, str]]:
    """(name of the picture, address) of everything that is looked at."""
    from ui.navigation import SCREENS

    out = []
    for dataset in datasets:
        for screen in SCREENS:
            # Without models all views of Rankings are the same sentence.
            views = VIEWS.get(screen.url, ("",)) if dataset != "awkward" else ("",)
            for view in views:
                path = "" if screen is SCREENS[0] else screen.url
                name = "-".join(filter(None, [dataset, screen.url, view.partition("=")[2]]))
                out.append((name, f"/{path}?dataset={dataset}" + (f"&{view}" if view else "")))
    return out


def settle(page: Any) -> None:
    """Wait until the page is whole: script at its end, charts drawn."""
    from browser_app import ready

    ready(page)
    page.wait_for_timeout(1_000)


def picture(page: Any, path: Path) -> None:
    """The whole page, as long as it is: Streamlit scrolls inside, so the window is made as tall as its content."""
    height = page.evaluate("() => document.querySelector('[data-testid=\"stMain\"]').scrollHeight")
    width = page.viewport_size["width"]
    page.set_viewport_size({"width": width, "height": min(int(height) + 20, TALLEST)})
    page.wait_for_timeout(600)
    page.screenshot(path=path)


def main() -> int:
    from browser_app import start
    from playwright.sync_api import sync_playwright

    from scripts.look import chromium, complaints

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "artifacts", help="default artifacts/")
    parser.add_argument("--readme", action="store_true", help="also write docs/overview.png")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    wrong = 0
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        db = Path(place) / "jurylens.duckdb"
        datasets = fill(db)
        server = start(db)
        browser = chromium(playwright)
        try:
            for way, (width, scheme) in WAYS.items():
                context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
                page = context.new_page()
                for name, address in addresses(datasets):
                    page.set_viewport_size({"width": width, "height": 900})
                    page.goto(server.url + address)
                    settle(page)
                    for sentence in complaints(page):
                        wrong += 1
                        print(f"{name}-{way}: {sentence}")
                    if chosen.readme and way == "light" and name == "sample-overview":
                        page.screenshot(path=ROOT / "docs" / "overview.png")
                    picture(page, chosen.folder / f"{name}-{way}.png")
                context.close()
        finally:
            browser.close()
            server.stop()
    print(f"{len(addresses(datasets)) * len(WAYS)} pictures in {chosen.folder}, {wrong} to mend")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
