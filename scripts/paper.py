"""Can every word of a figure for print be read at the size at which it is printed?

`complaints(page, svg)` shows an SVG in an open Playwright page; every sentence it returns is something to mend: text
below 7 pt, text that overlaps other text, leaves the figure or is clipped, names that were shortened, letters that
the fonts in the file do not have.
From the shell: `python -m scripts.paper FILE.svg ...` prints them and exits with 1 when there are any.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from scripts.look import complaints as look_complaints

LEAST = 7.0
"""Points: what journals print at the smallest."""

# Sizes as they are seen, with all scales between the text and the page; lines of plotly's axes clip what is drawn
# over them.
_MEASURE = """
(least) => {
  const out = [], svg = document.querySelector('svg.main-svg'), frame = svg.getBoundingClientRect();
  const sentence = (t) => JSON.stringify(t.length > 60 ? t.slice(0, 59) + '…' : t);
  const box = svg.viewBox.baseVal, scale = frame.width / box.width;
  const own = (n) => [...n.childNodes].filter((c) => c.nodeType === 3).map((c) => c.textContent);
  for (const text of svg.querySelectorAll('text')) {
    for (const part of [text, ...text.querySelectorAll('tspan')]) {
      const words = own(part).join(' ').trim();
      if (!words) continue;
      const m = part.getScreenCTM ? part.getScreenCTM() : text.getScreenCTM();
      const points = parseFloat(getComputedStyle(part).fontSize) * Math.sqrt(Math.abs(m.a * m.d - m.b * m.c)) * 0.75;
      if (points < least - 0.01) out.push(`${sentence(words)} is ${points.toFixed(1)} pt`);
      if (words.includes('…')) out.push(`${sentence(words)} is shortened`);
      const size = part.getBoundingClientRect();
      for (let n = part.parentElement; n && n !== svg; n = n.parentElement) {
        const cut = /url\\(["']?#([^"')]+)/.exec(n.getAttribute('clip-path') || '');
        const rect = cut && document.getElementById(cut[1])?.querySelector('rect');
        if (!rect) continue;
        const c = n.getScreenCTM(), x = rect.x.baseVal.value * c.a + c.e, y = rect.y.baseVal.value * c.d + c.f;
        const w = rect.width.baseVal.value * c.a, h = rect.height.baseVal.value * c.d;
        const by = Math.max(x - size.left, size.right - x - w, y - size.top - 0.2 * size.height,
          size.bottom - 0.2 * size.height - y - h);
        if (by > 1) { out.push(`${sentence(words)} is clipped by ${by.toFixed(0)} px`); break; }
      }
    }
  }
  return out;
}
"""


def complaints(page: Any, svg: str) -> list[str]:
    """What is wrong with a figure as it is printed, one sentence each.

    page : a Playwright page; svg : a file of exports.figures
    """
    page.set_content(f"<!DOCTYPE html><body style='margin:0'><div class='js-plotly-plot'>{svg}</div></body>")
    page.evaluate("() => Promise.all([...document.fonts].map((face) => face.load())).then(() => true)")
    return [*measured(page), *_without_letters(svg)]


def measured(page: Any) -> list[str]:
    """What is wrong with the drawing that a page shows, in as many pixels as it has in print; see `complaints`."""
    found = [one.removeprefix("the chart: ") for one in look_complaints(page) if "scrolls sideways" not in one]
    small: list[str] = page.evaluate(_MEASURE, LEAST)
    return [*found, *small]


def _without_letters(svg: str) -> list[str]:
    """Letters that no font in the file has."""
    import base64
    import html
    import io

    from fontTools.ttLib import TTFont

    known = {" ", "\n", "\t"}
    for packed in re.findall(r"url\(data:font/woff2;base64,([^)]*)\)", svg):
        known |= set(map(chr, TTFont(io.BytesIO(base64.b64decode(packed))).getBestCmap()))
    body = re.sub(r"<(style|title)>.*?</\1>|<[^>]*>", " ", svg, flags=re.DOTALL)
    missing = sorted(set(html.unescape(body)) - known)
    return [f"the letters {''.join(missing)!r} are in no font of the file"] if missing else []


def main(files: list[str]) -> int:
    from playwright.sync_api import sync_playwright

    from scripts.look import chromium

    wrong = 0
    with sync_playwright() as playwright:
        browser = chromium(playwright)
        page = browser.new_page(viewport={"width": 800, "height": 1000})
        for file in files:
            for sentence in complaints(page, Path(file).read_text(encoding="utf-8")):
                print(f"{file}: {sentence}")
                wrong += 1
        browser.close()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
