"""Can every figure of every study be printed, with names as long as they come?

    python -m benchmarks paper [COMMAND ...]    all studies, or those named; ends with 1 when something is wrong

30 models, 6 judges and 10 scenarios with names of 40 letters, at 84 and 174 mm: no text may be below 7 pt, overlap
another, leave the figure, be clipped or shortened, or be written in letters that the file does not carry.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import studies  # noqa: F401  (registers the studies)
from benchmarks.paper_world import ASKED, MAIN, MODELS, fill
from data.store import Store
from errors import JurylensError
from exports.drawings import WITHOUT, drawings
from exports.figures import COLUMN, PAGE, PX, rendered
from scripts.look import chromium
from scripts.paper import complaints
from studies.study import REGISTRY, Result

DATASETS = {"criteria": (ASKED,), "reward-models": (ASKED,), "audit": (MAIN, ASKED)}
OPTIONS = {"winrate": {"baseline": MODELS[0]}}
SHOWN = 4
"""Complaints of a figure that are printed."""


def results(store: Store, commands: list[str]) -> Iterator[Result]:
    for command in commands:
        for dataset in DATASETS.get(command, (MAIN,)):
            try:
                options: dict[str, Any] = {"dataset": dataset, **OPTIONS.get(command, {})}
                yield REGISTRY[command](**options).run(store)
            except JurylensError as error:
                print(f"{command:24} no answer: {error}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commands", nargs="*", help="studies; default all")
    chosen = parser.parse_args().commands or [name for name in REGISTRY if name not in WITHOUT]
    from playwright.sync_api import sync_playwright

    wrong = made = 0
    with tempfile.TemporaryDirectory(prefix="jurylens-paper-") as folder, sync_playwright() as playwright:
        store = Store(Path(folder) / "s.duckdb", linger=600)
        fill(store)
        browser = chromium(playwright)
        page = browser.new_page(viewport={"width": 800, "height": 1000})
        for result in results(store, chosen):
            for drawing in drawings(result):
                for mm in (COLUMN, PAGE):
                    start = time.perf_counter()
                    svg = rendered(drawing.draw, mm, ("svg",))["svg"].decode()
                    took = time.perf_counter() - start
                    said = complaints(page, svg)
                    made, wrong = made + 1, wrong + bool(said)
                    height = float(svg.split('viewBox="0 0 ', 1)[1].split('"')[0].split()[1]) / PX
                    what = f"{len(said)} wrong" if said else "ok"
                    where = f"{result.study.command:24}{drawing.name:60.60}"
                    print(f"{where}{mm:4} mm × {height:4.0f} mm {took:5.1f} s  {what}")
                    print(*(f"    {one}\n" for one in said[:SHOWN]), sep="", end="", flush=True)
        browser.close()
    print(f"{made} figures, {wrong} with something wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
