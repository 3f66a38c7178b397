"""A page that draws one figure after another: what draws takes seconds to load, a figure takes a tenth of one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import plotly
import plotly.graph_objects as go

from exports.figures import Draw, drawn
from exports.fonts import faces
from scripts.look import complaints
from scripts.paper import measured

PLOTLY = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


def blank(page: Any) -> Any:
    """The same page with nothing on it but a place for a figure, and the face that figures for print carry."""
    css = "".join(face.css for face in faces(""))
    page.set_content(f"<style>{css}</style><body style='margin:0'><div id='c'></div></body>")
    page.evaluate("() => Promise.all([...document.fonts].map((face) => face.load())).then(() => true)")
    page.add_script_tag(path=PLOTLY)
    return page


def draw(page: Any, figure: go.Figure, width: float) -> list[str]:
    """What is wrong with the figure where it has so many pixels, one sentence each."""
    page.set_viewport_size({"width": round(width), "height": 900})
    page.evaluate(
        "f => Plotly.newPlot('c', f.data, f.layout, {displayModeBar: false})", json.loads(str(figure.to_json()))
    )
    return complaints(page)


_AS_PRINTED = """
async ({figure, width, height}) => {
  const address = await Plotly.toImage(figure, {format: 'svg', width, height});
  const place = document.getElementById('c');
  Plotly.purge(place);
  place.className = 'js-plotly-plot';
  place.innerHTML = decodeURIComponent(address.slice(address.indexOf(',') + 1));
}
"""


def print_out(page: Any, chart: Draw, mm: int) -> list[str]:
    """What is wrong with the chart on paper of this width, one sentence each."""
    figure = drawn(chart, mm)
    size = {"width": figure.layout.width, "height": figure.layout.height}
    page.set_viewport_size({"width": 700, "height": 900})
    page.evaluate(_AS_PRINTED, {"figure": json.loads(str(figure.to_json()))} | size)
    found = measured(page)
    # Plotly finds a blank place for what is drawn next.
    page.evaluate("() => { const c = document.getElementById('c'); c.innerHTML = ''; c.className = ''; }")
    return found
