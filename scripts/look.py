"""Do texts of charts overlap or leave their figure, and does a page scroll sideways?

`complaints(page)` looks at an open Playwright page; every sentence it returns is something to mend.
From the shell: `python scripts/look.py [--width 390] [--save FOLDER] FILE_OR_ADDRESS...` prints them and exits with
1 when there are any.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

SLACK = 1.0
"""Pixels by which boxes may touch: the boxes of text hold the whole line, its empty ascent included."""

BROWSER_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars")

# Multi-line texts are measured line by line: the box around a ragged block covers ground it does not use.
_MEASURE = """
(slack) => {
  const out = [];
  const shown = (e) => {
    for (let n = e; n && n.nodeType === 1; n = n.parentElement) {
      const s = getComputedStyle(n);
      if (s.display === 'none' || s.visibility === 'hidden' || parseFloat(s.opacity) === 0) return false;
    }
    return true;
  };
  const sentence = (t) => JSON.stringify(t.length > 60 ? t.slice(0, 59) + '…' : t);
  const plots = [...document.querySelectorAll('.js-plotly-plot')];
  plots.forEach((plot, k) => {
    const name = plots.length > 1 ? `chart ${k + 1}` : 'the chart';
    // The drawing, not its container: a container of fixed height lets a taller drawing hang out.
    const drawing = plot.querySelector('.main-svg');
    if (!drawing) return;
    const frame = drawing.getBoundingClientRect();
    if (frame.width === 0 || frame.height === 0) return;
    const texts = [];
    for (const text of plot.querySelectorAll('svg text')) {
      if (text.closest('.hoverlayer') || !text.textContent.trim() || !shown(text)) continue;
      const lines = [...text.querySelectorAll('tspan.line')];
      for (const line of lines.length ? lines : [text]) {
        const words = line.textContent.trim();
        const box = line.getBoundingClientRect();
        if (words && box.width > 0) texts.push({words, box, of: text});
      }
    }
    for (const {words, box} of texts) {
      const over = {
        left: frame.left - box.left, right: box.right - frame.right,
        top: frame.top - box.top, bottom: box.bottom - frame.bottom,
      };
      for (const [side, by] of Object.entries(over)) {
        if (by > slack) out.push(`${name}: ${sentence(words)} leaves the figure on the ${side} by ${by.toFixed(0)} px`);
      }
    }
    for (let i = 0; i < texts.length; i++) {
      for (let j = i + 1; j < texts.length; j++) {
        if (texts[i].of === texts[j].of) continue;
        const a = texts[i].box, b = texts[j].box;
        const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        // A line's box is about a fifth taller than its letters.
        const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) - 0.2 * Math.min(a.height, b.height);
        if (x > slack && y > slack) {
          out.push(`${name}: ${sentence(texts[i].words)} overlaps ${sentence(texts[j].words)} by `
            + `${x.toFixed(0)} × ${y.toFixed(0)} px`);
        }
      }
    }
  });
  const page = document.scrollingElement;
  const wide = Math.max(page.scrollWidth, document.body.scrollWidth) - window.innerWidth;
  if (wide > slack) out.push(`the page scrolls sideways by ${wide.toFixed(0)} px`);
  // Streamlit scrolls an inner container, not the document.
  for (const main of document.querySelectorAll('[data-testid="stMain"]')) {
    const more = main.scrollWidth - main.clientWidth;
    if (more > slack) out.push(`the page scrolls sideways by ${more.toFixed(0)} px`);
  }
  return out;
}
"""


def complaints(page: Any) -> list[str]:
    """What is wrong with the charts of an open page, one sentence each; none when all is well.

    page : a Playwright page whose charts are drawn. Looked at is the text of every plotly chart (hover boxes
    left out): pairs of lines that overlap, lines that leave their figure; and the page's own width.
    """
    page.evaluate("() => document.fonts.ready.then(() => true)")
    found: list[str] = page.evaluate(_MEASURE, SLACK)
    return found


def chromium(playwright: Any, *more: str) -> Any:
    """A headless Chromium: the system's, else Playwright's own. more : arguments beside the usual ones"""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return playwright.chromium.launch(executable_path=path, args=[*BROWSER_ARGUMENTS, *more])


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", help="HTML files or addresses")
    parser.add_argument("--width", type=int, default=1280, help="of the window, in pixels (default 1280)")
    parser.add_argument("--dark", action="store_true", help="ask pages for their dark scheme")
    parser.add_argument("--save", type=Path, help="folder for a picture of each page")
    chosen = parser.parse_args(arguments)
    from playwright.sync_api import sync_playwright

    wrong = 0
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        for what in chosen.what:
            page = browser.new_page(
                viewport={"width": chosen.width, "height": 900}, color_scheme="dark" if chosen.dark else "light"
            )
            page.goto(what if "://" in what else Path(what).resolve().as_uri())
            page.wait_for_selector(".js-plotly-plot .main-svg", timeout=30_000)
            page.wait_for_timeout(300)
            for sentence in complaints(page):
                print(f"{what}: {sentence}")
                wrong += 1
            if chosen.save:
                chosen.save.mkdir(parents=True, exist_ok=True)
                page.screenshot(path=chosen.save / f"{Path(what).stem}-{chosen.width}.png", full_page=True)
            page.close()
        browser.close()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
