"""How does a report become one file that needs nothing else: HTML with its drawings and letters in it, or PDF?

No script, no network: the page's own policy forbids both, texts of the data are escaped, and no picture of theirs is
loaded.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from charts import words
from data.model import Progress, silent
from errors import DrawingError, OptionError
from exports import chrome, figures, fonts, references
from exports.drawings import drawings, in_order
from exports.report import Remark, Section, Story
from studies.overview import with_code

_HERE = Path(__file__).parent

NO_CHROME = (
    "a PDF is printed by Chromium or Google Chrome, and none is found: install one (Debian and Ubuntu: `apt install "
    "chromium`), or name its file in the environment variable BROWSER_PATH; as HTML the report needs none, and any "
    "browser prints it"
)

BY_HAND = "take it as HTML, which any browser prints"

WAIT = 120
"""Seconds that Chromium has for printing."""

MOST_ROWS = 25
"""Of a chart: more would be a page of lines that nobody reads."""

SAID = 3
"""Sentences of a section that are said in short."""

GRADES = {2: "Reasons to distrust", 1: "Worth knowing", 0: "What the studies say of themselves"}

_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)
_NAMED = re.compile(r"""(\bid="|url\(['"]?#|href="#)""")


@dataclass(frozen=True)
class Drawn:
    """svg : the drawing, or why there is none"""

    svg: Any = None
    why: str = ""


def html(story: Story, *, made: date | None = None, progress: Progress = silent) -> str:
    """The report as one page. made : its date, today's if not said

    Without a Chromium its figures are replaced by a line that says so; all else is there.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    # Sentences are the program's own Markdown, names escaped in it; what would be HTML stays text, pictures too.
    read = MarkdownIt("commonmark", {"html": False}).disable(["image", "autolink"])

    def told(text: str) -> Markup:
        return Markup(unbroken(read.renderInline(text)))

    def unbroken(text: str) -> str:
        """No line breaks between 70 and %."""
        return re.sub(r"(?<=\d) (?=%)", "\u00a0", text)

    drawn = {
        key: Drawn(Markup(one.svg), one.why) if one.svg else one for key, one in _drawn(story, progress).items()
    }
    place = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
                        lstrip_blocks=True)  # fmt: skip
    place.filters["told"] = told
    place.filters["with_code"] = with_code
    place.filters["unbroken"] = unbroken
    place.filters["source"] = references.sentence
    title = told(story.title)
    content = {
        "story": story, "title": title, "plain_title": title.striptags(), "figures": drawn,
        "summary": [(section, told(_short(section))) for section in story.sections if section.finding],
        "numbers": {key: k for k, key in enumerate(story.sources, 1)}, "graded": _graded(story.remarks),
        "distrust": _distrust(story.remarks), "style": Markup(_style()),
        "made": (made or date.today()).isoformat(), "faces": "",
    }  # fmt: skip
    template = place.get_template("report.html.jinja")
    content["faces"] = Markup(_faces(template.render(content)))
    return template.render(content)


def _style() -> str:
    """The styles, with the name of the font that the drawings have too."""
    return (_HERE / "report.css").read_text(encoding="utf-8").replace("FAMILY", fonts.OWN)


def _faces(page: str) -> str:
    """The fonts that the page's letters need, in it."""
    return "".join(face.css for face in fonts.written_in(page))


def printer() -> str | None:
    """The Chromium that prints; None where there is none."""
    from choreographer.browsers.chromium import Chromium

    return os.environ.get("BROWSER_PATH") or Chromium.find_browser(skip_local=False)


def pdf(page: str, name: str = "report") -> bytes:
    """An HTML report as PDF, A4. Raises DrawingError where there is no Chromium or it fails."""
    path = printer()
    if path is None:
        raise DrawingError(NO_CHROME)
    with tempfile.TemporaryDirectory(prefix="jurylens-report-", ignore_cleanup_errors=True) as folder:
        source, target = Path(folder) / f"{name}.html", Path(folder) / f"{name}.pdf"
        source.write_text(page, encoding="utf-8")
        command = [
            path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-extensions", "--no-first-run",
            f"--proxy-server={chrome.NOWHERE}", "--disable-background-networking", f"--user-data-dir={folder}/profile",
            "--no-pdf-header-footer", "--generate-pdf-document-outline", f"--print-to-pdf={target}", source.as_uri(),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=WAIT, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise DrawingError(f"Chromium could not print the report ({error}): {BY_HAND}") from error
        if not target.is_file():
            said = " ".join(done.stderr.split())[-300:]
            raise DrawingError(f"Chromium could not print the report ({said}): {BY_HAND}")
        return chrome.undated(target.read_bytes())


def write(story: Story, path: Path, progress: Progress = silent) -> None:
    """The report as a file whose ending says how: .html or .pdf. Raises OptionError, DrawingError."""
    ending(path)
    page = html(story, progress=progress)
    content = pdf(page, path.stem) if path.suffix.lower() == ".pdf" else page.encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def ending(path: Path) -> str:
    """html or pdf. Raises OptionError for anything else."""
    found = path.suffix.lower().removeprefix(".")
    if found not in ("html", "htm", "pdf"):
        raise OptionError(f"--to {path}: a report is a file that ends with .html or .pdf")
    return "pdf" if found == "pdf" else "html"


def _drawn(story: Story, progress: Progress) -> dict[str, Drawn]:
    """The drawings of all sections, by their place in the page."""
    out: dict[str, Drawn] = {}
    wanted = [(f"{k}{section.key}", one) for section in story.sections for k, one in enumerate(section.figures)]
    why = ""
    for n, (key, one) in enumerate(wanted):
        progress(n / max(len(wanted), 1), "drawing figures")
        if why:
            out[key] = Drawn(why=why)
            continue
        found = next(each for each in drawings(one.result, MOST_ROWS) if each.name == one.name)
        draw = in_order(found, tuple(filter(None, (story.reference, *story.others)))).draw
        try:
            with words.decimals(story.decimals):
                svg = figures.rendered(draw, figures.PAGE, ("svg",))["svg"].decode()
        except DrawingError as error:
            why = f"This figure is not drawn: {error}"
            out[key] = Drawn(why=why)
            continue
        out[key] = Drawn(_inline(svg, f"f{n}-"))
    return out


def _inline(svg: str, prefix: str) -> str:
    """A drawing that stands beside others in one page: its names are its own, its letters are the page's."""
    return _NAMED.sub(lambda found: found[0] + prefix, _STYLE.sub("", svg, count=1))


def _short(section: Section) -> str:
    """What it sets in bold, one sentence a judge; else its finding."""
    bold = [text for told in (section.finding, *section.more) for text in re.findall(r"\*\*(.+?)\*\*", told)]
    whole = [text if text.endswith(".") else f"{text}." for text in bold[:SAID]]
    return " ".join(whole) or section.finding


def _graded(remarks: Iterable[Remark]) -> list[tuple[str, list[Remark]]]:
    listed = list(remarks)
    found = [(heading, [one for one in listed if one.severity == grade]) for grade, heading in GRADES.items()]
    return [(heading, some) for heading, some in found if some]


def _distrust(remarks: Iterable[Remark]) -> str:
    listed = list(remarks)
    grave = sum(one.severity == 2 for one in listed)
    if not listed:
        return "Nothing was found that would speak against these numbers."
    if grave:
        return f"{words.plural(grave, 'reason')} to distrust these numbers, and what else should be known."
    remarks_ = words.plural(len(listed), "remark")
    return f"No grave reason to distrust these numbers was found; {remarks_} should be known."
