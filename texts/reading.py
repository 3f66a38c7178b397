"""What stands in a text besides its words: lists, headings, bold phrases, links? Parsed once for all factors.

CommonMark with tables, as chat windows render it; HTML tags are neither lists nor bold here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from markdown_it import MarkdownIt
from markdown_it.token import Token

# Without any of these signs there is no markup: nine of ten plain texts need no parser.
_SIGNS = re.compile(r"[*_#\[<>`|~=\\&•◦▪‣]|^[ \t]*(?:[-+]|\d{1,9}[.)])", re.MULTILINE)
# Bullets that Markdown does not know, where a line begins with them.
_BULLET = re.compile(r"^[ \t]*[•◦▪‣][ \t]*\S", re.MULTILINE)

_parser = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True)
class Markup:
    """The marks of one text.

    items, headings, bold, links : how many; prose : the text outside code and links, lines kept, signs taken out
    """

    items: int
    headings: int
    bold: int
    links: int
    prose: str


class Reading:
    """One text, and what several factors want to know of it.

    body : the text itself
    """

    def __init__(self, body: str) -> None:
        self.body = body

    @cached_property
    def markup(self) -> Markup:
        """Its Markdown."""
        if _SIGNS.search(self.body) is None:
            return Markup(0, 0, 0, 0, self.body)
        return parse_markup(self.body)


def parse_markup(body: str) -> Markup:
    """The Markdown of a text."""
    items = headings = bold = links = 0
    prose: list[str] = []
    for token in _parser.parse(body):
        if token.type == "list_item_open":
            items += 1
        elif token.type == "heading_open":
            headings += 1
        elif token.type == "inline":
            children = token.children or []
            bold += sum(child.type == "strong_open" for child in children)
            links += sum(child.type == "link_open" for child in children)
            prose.append(_prose(children))
    text = "\n".join(prose)
    return Markup(items + len(_BULLET.findall(text)), headings, bold, links, text)


def _prose(children: list[Token]) -> str:
    """The running text of a block, with a space where code, a picture or a link stood."""
    out, depth = [], 0
    for child in children:
        depth += (child.type == "link_open") - (child.type == "link_close")
        if child.type == "text":
            out.append(child.content if not depth else " ")
        elif child.type in ("softbreak", "hardbreak"):
            out.append("\n")
        elif child.type in ("code_inline", "image", "html_inline"):
            out.append(" ")
    return "".join(out)
