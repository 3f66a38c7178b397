"""Can everybody use every page? axe-core's findings on all pages with every section opened, and pictures of them.

`python -m scripts.axe [FOLDER] [--dataset NAME]... [--way light|dark|phone]...` starts the app on a store of its own,
opens each page as it comes and with all its sections open, in light, in dark and at 390 pixels, and writes
FOLDER/axe.json and a picture of each. It exits with 1 where axe-core finds something serious or critical that is not
one of Streamlit's own defects (`STREAMLIT`), or where texts of charts overlap. Nothing is fetched from a network.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.screenshots import ROOT, WAYS, settle

PIECE = 2400
"""Pixels: how much of a long page one picture holds."""

GRAVE = ("serious", "critical")

STREAMLIT: dict[tuple[str, str], str] = {}
"""(rule of axe-core, part of the element's HTML or place) -> why it cannot be mended here."""


@dataclass(frozen=True)
class Fault:
    """One element that breaks one rule. accepted : why it is left, '' for one to mend"""

    page: str
    way: str
    rule: str
    impact: str
    help: str
    target: str
    html: str
    why: str
    accepted: str

    @property
    def grave(self) -> bool:
        return self.impact in GRAVE and not self.accepted


def faults(page: Any, name: str = "", way: str = "") -> list[Fault]:
    """What axe-core finds on an open page, element by element."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        Fault(
            name, way, rule["id"], rule["impact"] or "minor", rule["help"],
            " ".join(str(part) for part in node["target"]), node["html"][:400],
            "; ".join(check["message"] for kind in ("any", "all", "none") for check in node[kind])[:400],
            accepted(rule["id"], " ".join(map(str, node["target"])) + " " + node["html"]),
        )
        for rule in found for node in rule["nodes"]
    ]  # fmt: skip


def accepted(rule: str, place: str) -> str:
    """Why a finding is Streamlit's own, '' where it is not."""
    return next((why for (id_, part), why in STREAMLIT.items() if id_ == rule and part in place), "")


def fill(db: Path) -> list[str]:
    """The simulated sample with its texts measured; a dataset of several criteria and scores; one without models."""
    import toy_asked
    from browser_app import cli, import_awkward

    from scripts.screenshots import sample

    sample(db)
    cli(db, "factors", "extract", "--dataset", "sample")
    import_awkward(db)
    cli(db, "import", str(toy_asked.write(db.with_name("asked.csv"))), "--dataset", "asked")
    return ["sample", "asked", "awkward"]


def addresses(datasets: Sequence[str]) -> list[tuple[str, str]]:
    """(name, address) of every page as it comes, and with all its sections open where it has some."""
    from ui.navigation import SCREENS
    from ui.sections import SECTIONS

    out = []
    for dataset in datasets:
        for screen in SCREENS:
            path = f"/{'' if screen is SCREENS[0] else screen.url}?dataset={dataset}"
            out.append((f"{dataset}-{screen.url}", path))
            words = dict.fromkeys(section.word for section in SECTIONS.get(screen.url, ()))
            if words:
                out.append((f"{dataset}-{screen.url}-open", path + "".join(f"&open={word}" for word in words)))
    return out


def pictures(page: Any, folder: Path, name: str) -> None:
    """The whole page, however long, in pieces that can be looked at.

    Streamlit scrolls inside, so the window is made as tall as its content.
    """
    height = int(page.evaluate("() => document.querySelector('[data-testid=\"stMain\"]').scrollHeight")) + 20
    width = page.viewport_size["width"]
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(800)
    tops = range(0, height, PIECE)
    for k, top in enumerate(tops, 1):
        page.screenshot(
            path=folder / (f"{name}-{k}.png" if len(tops) > 1 else f"{name}.png"),
            clip={"x": 0, "y": top, "width": width, "height": min(PIECE, height - top)},
        )


def main() -> int:
    from browser_app import start
    from playwright.sync_api import sync_playwright

    from scripts.look import chromium, complaints

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "artifacts" / "axe",
                        help="default artifacts/axe")  # fmt: skip
    parser.add_argument("--dataset", action="append", help="only this one (repeatable)")
    parser.add_argument("--page", action="append", help="only addresses of this page (repeatable)")
    parser.add_argument("--way", action="append", choices=tuple(WAYS), help="only so (repeatable)")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    found: list[Fault] = []
    texts = []
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        db = Path(place) / "jurylens.duckdb"
        datasets = [name for name in fill(db) if not chosen.dataset or name in chosen.dataset]
        wanted = [(n, a) for n, a in addresses(datasets) if not chosen.page or n.split("-")[1] in chosen.page]
        server = start(db)
        browser = chromium(playwright)
        try:
            for way in chosen.way or WAYS:
                width, scheme = WAYS[way]
                context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
                page = context.new_page()
                page.set_default_timeout(60_000)
                for name, address in wanted:
                    page.set_viewport_size({"width": width, "height": 900})
                    page.goto(server.url + address)
                    # Of a dozen sections each computes for the first time.
                    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for(timeout=300_000)
                    settle(page)
                    pictures(page, chosen.folder, f"{name}-{way}")
                    here = faults(page, name, way)
                    found += here
                    texts += [f"{name}-{way}: {sentence}" for sentence in complaints(page)]
                    for fault in here:
                        if fault.grave:
                            print(f"{name}-{way}: {fault.impact} {fault.rule}, {fault.html}: {fault.why}", flush=True)
                context.close()
        finally:
            browser.close()
            server.stop()
    (chosen.folder / "axe.json").write_text(json.dumps([asdict(f) for f in found], indent=1), encoding="utf-8")
    print(*texts, sep="\n")
    grave = sum(fault.grave for fault in found)
    print(f"{grave} serious or critical findings to mend, {len(texts)} texts of charts; {chosen.folder}")
    return int(grave + len(texts) > 0)


if __name__ == "__main__":
    sys.exit(main())
