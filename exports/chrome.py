"""Who draws a plotly figure as a file? One Chromium a process, started when it is first asked for, for all threads."""

from __future__ import annotations

import asyncio
import atexit
import re
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from errors import DrawingError

WAIT = 60.0
"""Seconds for one drawing, and for Chromium to start."""

TABS = 2
"""Figures drawn at the same time."""

IDLE = 180.0
"""Seconds after which a Chromium that nobody asks is shut: it holds 200 MB."""

NO_CHROME = (
    "figures are drawn by Chromium or Google Chrome, and none is found: install one (Debian and Ubuntu: "
    "`apt install chromium`; anywhere: `.venv/bin/kaleido_get_chrome`), or name its file in the environment variable "
    "BROWSER_PATH; without it a figure can be had as HTML, which any browser opens"
)

# Every address but a file's leads to this port, where nobody listens: Chromium's own calls home go nowhere.
NOWHERE = "http://127.0.0.1:9"

# Plotly names its clip paths by chance: by a fixed one the same figure is the same file.
FIXED_CHANCE = """
<script>(() => { let seed = 1; Math.random = () => (seed = seed * 16807 % 2147483647) / 2147483647; })();</script>
"""

# kaleido draws what it is asked for by kaleido_scopes.plotly and prints the page when that is a PDF. Here the fonts
# stand ready before plotly measures its texts, and a finished SVG can be painted or printed as it is.
DRAW = """
<script>
(() => {
  const plotly = kaleido_scopes.plotly;
  kaleido_scopes.plotly = async (spec, ...more) => {
    const { css, svg, title } = spec.data;
    const style = document.head.appendChild(document.createElement('style'));
    style.textContent = css || '';
    await Promise.all([...document.fonts].map((face) => face.load()));
    if (!svg) return plotly(spec, ...more);
    const done = (result) => ({ code: 0, message: null, format: spec.format, result });
    const { width, height, scale } = spec;
    if (spec.format === 'pdf') {
      document.title = title;
      style.textContent += `@page { size: ${width}px ${height}px; margin: 0 }
        html, body { margin: 0; padding: 0; background: white } svg { display: block }`;
      document.body.innerHTML = svg;
      return done(null);
    }
    const image = new Image();
    image.src = 'data:image/svg+xml;charset=utf-8,' + encodeURIComponent(svg);
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const pen = canvas.getContext('2d');
    pen.fillStyle = 'white';
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(image, 0, 0, canvas.width, canvas.height);
    return done(canvas.toDataURL('image/png').split(',')[1]);
  };
})();
</script>
"""


# Skia writes the second in which it printed; a PDF need not say one.
DATES = re.compile(rb"/(?:CreationDate|ModDate) \(D:[^()]*\)")


def plotted(figure: Mapping[str, Any], css: str, width: float, height: float) -> str:
    """A plotly figure as SVG. figure : its data and layout as JSON has them; css : the faces that it is written in"""
    content = {"data": figure["data"], "layout": figure["layout"], "css": css}
    return _CHROME.draw(content, {"format": "svg", "width": width, "height": height}).decode()


def painted(svg: str, width: float, height: float, scale: float) -> bytes:
    """A PNG of an SVG that carries its fonts, `scale` times as many pixels wide and high."""
    content = {"data": [], "layout": {}, "svg": svg}
    return _CHROME.draw(content, {"format": "png", "width": width, "height": height, "scale": scale})


def printed(svg: str, width: float, height: float, title: str) -> bytes:
    """A PDF of one page, as large as the drawing. width, height : of the SVG, in pixels of 1/96 inch"""
    content = {"data": [], "layout": {}, "svg": svg, "title": title}
    return undated(_CHROME.draw(content, {"format": "pdf", "width": width, "height": height}))


def undated(pdf: bytes) -> bytes:
    """A PDF of Chromium without the time of its printing: of equal pages it is equal, byte by byte."""
    # As long as before: a PDF finds its parts by their distance from its start.
    return DATES.sub(lambda found: b" " * len(found[0]), pdf)


class _Page:
    """What kaleido loads: plotly.js from plotly's wheel, and no MathJax, which it would fetch from the net."""

    def generate_index(self) -> str:
        from kaleido import PageGenerator

        made: str = PageGenerator(mathjax=False).generate_index()
        made = made.replace("<head>", '<head><meta charset="utf-8">' + FIXED_CHANCE, 1)
        return made.replace("</head>", DRAW + "</head>", 1)


class _Chrome:
    """A Chromium with an event loop of its own in a thread of its own; asked by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._kaleido: Any = None
        self._asked = 0
        self._timer: threading.Timer | None = None

    def draw(self, content: dict[str, Any], options: dict[str, Any]) -> bytes:
        """What kaleido makes of a figure. A Chromium that died is started once more."""
        with self._lock:
            self._asked += 1
        try:
            for last in (False, True):
                kaleido = self._opened()
                try:
                    drawn: bytes = self._call(kaleido.calc_fig(content, opts=options))
                    return drawn
                except Exception as error:
                    self._shut(kaleido)
                    if last:
                        raise DrawingError(_what_failed(error)) from error
            raise AssertionError
        finally:
            with self._lock:
                self._asked -= 1
                self._wait_then_shut()

    def _opened(self) -> Any:
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if self._kaleido is None:
                self._kaleido = self._start()
            return self._kaleido

    def _start(self) -> Any:
        import logging

        from choreographer.errors import BrowserFailedError, ChromeNotFoundError
        from kaleido import Kaleido

        # What Chromium writes to its log is nobody's business.
        logging.getLogger("choreographer").setLevel(logging.CRITICAL)
        logging.getLogger("kaleido").setLevel(logging.CRITICAL)
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="chromium", daemon=True).start()
            atexit.register(self.close)
        try:
            kaleido = Kaleido(n=TABS, timeout=WAIT, page_generator=_Page(), proxy_server=NOWHERE)
        except ChromeNotFoundError as error:
            raise DrawingError(NO_CHROME) from error
        try:
            self._call(kaleido.open())
        except (BrowserFailedError, OSError, TimeoutError) as error:
            raise DrawingError(_what_failed(error)) from error
        return kaleido

    def _call(self, work: Any) -> Any:
        assert self._loop is not None
        asked: Future[Any] = asyncio.run_coroutine_threadsafe(work, self._loop)
        return asked.result(WAIT * 4)

    def _shut(self, kaleido: Any) -> None:
        with self._lock:
            if self._kaleido is kaleido:
                self._kaleido = None
                self._end(kaleido)

    def _end(self, kaleido: Any) -> None:
        if kaleido is not None and self._loop is not None and self._loop.is_running():
            try:
                asyncio.run_coroutine_threadsafe(kaleido.close(), self._loop).result(15)
            except Exception:
                # It is gone already, which is all that was wanted.
                return

    def _wait_then_shut(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._asked == 0 and self._kaleido is not None:
            self._timer = threading.Timer(IDLE, self.close)
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """Shut Chromium; the next drawing starts it anew."""
        with self._lock:
            if self._asked == 0:
                kaleido, self._kaleido = self._kaleido, None
                self._end(kaleido)


def _what_failed(error: BaseException) -> str:
    said = " ".join(str(error).split())[:300]
    return (
        f"Chromium could not draw the figure ({type(error).__name__}{': ' + said if said else ''}): "
        "try again; if it stays so, name another Chromium or Google Chrome in the environment variable BROWSER_PATH, "
        "or take the figure as HTML"
    )


_CHROME = _Chrome()
close = _CHROME.close
