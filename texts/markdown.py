"""What is markup in a text, and where does it stand? CommonMark with tables, as chat windows render it.

The parser tells lines of blocks, not places of phrases; its inline rules are wrapped so that each token remembers where
it was read, and each block's text is found again in the lines it came from.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

Span = tuple[int, int]
"""From this character to before that one."""

FILLED = "\0"
"""Stands in `prose` for each character of code, of an address, of a picture."""

# Without any of these signs there is no markup: nine of ten plain texts need no parser.
_SIGNS = re.compile(r"[*_#\[<>`|~=\\&•◦▪‣]|^[ \t]*(?:[-+]|\d{1,9}[.)])|^(?: {4}| {0,3}\t)", re.MULTILINE)
# Bullets that Markdown does not know, where a line begins with them.
_BULLET = re.compile(r"^[ \t]*([•◦▪‣])[ \t]*\S", re.MULTILINE)
_LINE = re.compile(r"\r\n|\n|\r")
_BLANK = re.compile(r"(?:\r\n|\n|\r)[ \t]*(?:\r\n|\n|\r)\s*")
_TAG = re.compile(r"<!--.{0,2000}?-->|</?[A-Za-z][^<>]{0,500}>", re.DOTALL)
_MARKER = re.compile(r"\d{1,9}[.)]|[-+*]")


@dataclass(frozen=True)
class Markup:
    """The marks of one text; places are characters of it, ascending and apart.

    items, headings, bold, links : list items (their marks), headings, bold phrases, links
    code : blocks of code; inline_code : code within a line; tables : whole tables
    blocks : the text of each paragraph, item, heading or cell
    prose : as long as the text, line ends kept; signs of markup are spaces, and code, addresses of links and pictures
        are FILLED
    """

    prose: str
    blocks: Sequence[Span]
    items: Sequence[Span] = ()
    headings: Sequence[Span] = ()
    bold: Sequence[Span] = ()
    links: Sequence[Span] = ()
    code: Sequence[Span] = ()
    inline_code: Sequence[Span] = ()
    tables: Sequence[Span] = ()


def read_markup(body: str) -> Markup:
    """The Markdown of a text."""
    return plain(body) if _SIGNS.search(body) is None else parse(body)


def plain(body: str) -> Markup:
    """Of a text without markup: its paragraphs."""
    ends = [match.span() for match in _BLANK.finditer(body)]
    starts = [0, *(end for _, end in ends)]
    stops = [*(start for start, _ in ends), len(body)]
    return Markup(body, [(start, end) for start, end in zip(starts, stops, strict=True) if body[start:end].strip()])


def parse(body: str) -> Markup:
    """The Markdown of a text, by the parser."""
    return _Finder(body).find()


def apart(spans: Iterable[Span]) -> list[Span]:
    """Ascending spans of different beginnings, each ended where the next begins: one within another stays visible."""
    ordered = sorted(spans)
    nexts = [*(start for start, _ in ordered[1:]), *(end for _, end in ordered[-1:])]
    return [(start, min(end, following)) for (start, end), following in zip(ordered, nexts, strict=True)]


# -- parser that remembers places -------------------------------------------------------------------------------------


def _placed(rule: Callable[[StateInline, bool], bool]) -> Callable[[StateInline, bool], bool]:
    """The inline rule, its new tokens told where they were read: meta["at"], in characters of the block's text."""

    def run(state: StateInline, silent: bool) -> bool:
        begun, known = state.pos, len(state.tokens)
        if not rule(state, silent):
            return False
        if not silent:
            fresh = state.tokens[known:]
            for number, token in enumerate(fresh):
                # A run of asterisks is a token for each of them, the last ones of what this rule made.
                first = state.pos - (len(fresh) - number) if token.type == "text" else begun
                token.meta.setdefault("at", (first, state.pos))
        return True

    return run


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable("table")
    ruler = parser.inline.ruler
    for rule in list(ruler.__rules__):
        if rule.name in ("backticks", "emphasis", "link", "image", "autolink", "html_inline"):
            ruler.at(rule.name, _placed(rule.fn), {"alt": rule.alt})
    return parser


_parser = _make_parser()


@dataclass
class _Finder:
    """Finds again in a text what the parser read in it."""

    body: str
    source: str = ""
    lines: list[Span] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)
    items: list[Span] = field(default_factory=list)
    headings: list[Span] = field(default_factory=list)
    bold: list[Span] = field(default_factory=list)
    links: list[Span] = field(default_factory=list)
    code: list[Span] = field(default_factory=list)
    inline_code: list[Span] = field(default_factory=list)
    tables: list[Span] = field(default_factory=list)
    blocks: list[Span] = field(default_factory=list)
    marker: tuple[int, int] = (-1, 0)
    cell: tuple[int, int] = (-1, 0)

    def find(self) -> Markup:
        start = 0
        for end in _LINE.finditer(self.body):
            self.lines.append((start, end.start()))
            start = end.end()
        self.lines.append((start, len(self.body)))
        self.prose = [c if c in "\n\r" else " " for c in self.body]
        self.source = self.body.replace("\0", "\ufffd")
        before = ""
        for token in _parser.parse(self.body):
            if token.type == "list_item_open":
                self._item(token)
            elif token.type == "heading_open":
                self.headings.append(self._sign(token))
            elif token.type == "table_open":
                self.tables.append(self._of_lines(token))
            elif token.type in ("fence", "code_block"):
                self._fill(*self._of_lines(token))
                self.code.append(self._of_lines(token))
            elif token.type == "html_block":
                self._html(*self._of_lines(token))
            elif token.type == "inline" and token.content:
                self._inline(token)
                if before == "heading_open":
                    self.headings[-1] = self.blocks[-1]
            before = token.type
        prose = "".join(self.prose)
        bullets = [match.span(1) for match in _BULLET.finditer(prose)]
        return Markup(
            prose, self.blocks, sorted([*self.items, *bullets]), self.headings, apart(self.bold), apart(self.links),
            self.code, apart(self.inline_code), self.tables,
        )  # fmt: skip

    # -- blocks -------------------------------------------------------------------------------------------------------

    def _of_lines(self, token: Token) -> Span:
        """Of a block, from its first line that is not blank to its last."""
        first, last = token.map or [0, 1]
        start, end = self.lines[first][0], self.lines[min(last, len(self.lines)) - 1][1]
        inside = self.body[start:end]
        return start + len(inside) - len(inside.lstrip()), start + len(inside.rstrip())

    def _item(self, token: Token) -> None:
        """The mark of a list item: the first on its line that no item has yet."""
        line = (token.map or [0])[0]
        start, end = self.lines[line]
        after = self.marker[1] if self.marker[0] == line else start
        mark = _MARKER.search(self.body, after, end)
        if mark is not None:
            self.items.append(mark.span())
            self.marker = (line, mark.end())

    def _sign(self, token: Token) -> Span:
        """Of a heading, the first of its signs: all there is of one without text."""
        start, end = self._of_lines(token)
        at = max(self.body.find("#", start, end), start)
        return at, at + 1

    def _html(self, start: int, end: int) -> None:
        """A block of HTML: its text without the tags."""
        self.prose[start:end] = self.body[start:end]
        for tag in _TAG.finditer(self.body, start, end):
            self._fill(*tag.span())
        self.blocks.append((start, end))

    # -- phrases ------------------------------------------------------------------------------------------------------

    def _inline(self, token: Token) -> None:
        places = self._places(token)
        for _, at, long in places:
            self.prose[at : at + long] = self.body[at : at + long]
        if places:
            self.blocks.append((places[0][1], places[-1][1] + places[-1][2]))
        starts = [place[0] for place in places]

        def to_body(at: int) -> int:
            k = max(bisect_right(starts, at) - 1, 0)
            offset, start, long = places[k]
            return start + min(max(at - offset, 0), long)

        self._phrases(token.children or [], to_body)

    def _phrases(self, children: Sequence[Token], to_body: Callable[[int], int]) -> None:
        opened: list[int] = []
        for child in children:
            if "at" not in child.meta:
                continue
            begun, ended = child.meta["at"]
            if child.type in ("strong_open", "em_open"):
                first = begun - 1 if child.type == "strong_open" else begun
                opened.append(to_body(first))
                self._blank(to_body(first), to_body(begun) + 1)
            elif child.type in ("strong_close", "em_close") and opened:
                last = to_body(begun) + (2 if child.type == "strong_close" else 1)
                self._blank(to_body(begun), last)
                start = opened.pop()
                if child.type == "strong_close":
                    self.bold.append((start, last))
            elif child.type == "link_open":
                self._link(child, to_body(begun), to_body(ended))
            elif child.type in ("code_inline", "image", "html_inline"):
                self._fill(to_body(begun), to_body(ended))
                if child.type == "code_inline":
                    self.inline_code.append((to_body(begun), to_body(ended)))

    def _link(self, token: Token, start: int, end: int) -> None:
        """A link; of its signs only the address is no prose."""
        self.links.append((start, end))
        if token.markup == "autolink":
            self._fill(start, end)
            return
        closed = max(self.body.rfind("](", start, end), self.body.rfind("][", start, end))
        self._blank(start, start + 1)
        self._fill(closed, end) if closed >= 0 else self._blank(end - 1, end)

    def _fill(self, start: int, end: int) -> None:
        for at in range(start, end):
            if self.prose[at] not in "\n\r":
                self.prose[at] = FILLED

    def _blank(self, start: int, end: int) -> None:
        self.prose[start:end] = [c if c in "\n\r" else " " for c in self.body[start:end]]

    def _places(self, token: Token) -> list[tuple[int, int, int]]:
        """Where the text of a block stands: (place in that text, place in the body, characters) of each run."""
        first = (token.map or [0])[0]
        places, offset = [], 0
        for number, text in enumerate(token.content.split("\n")):
            start, end = self.lines[min(first + number, len(self.lines) - 1)]
            places += self._line(text, offset, start, end, first)
            offset += len(text) + 1
        return places

    def _line(self, text: str, offset: int, start: int, end: int, line: int) -> list[tuple[int, int, int]]:
        """One line of a block; in a row of a table after the cell before."""
        after = max(self.cell[1], start) if self.cell[0] == line else start
        stripped = len(self.source[start:end].rstrip())
        ends = [at for at in (end, start + stripped) if self.source.endswith(text, after, at)]
        at = ends[0] - len(text) if ends else self.source.find(text, after, end)
        if at < 0:  # a tab that is partly indentation became spaces
            offset, text = offset + len(text) - len(text.lstrip()), text.lstrip()
            at = self.source.find(text, after, end)
        if at >= 0:
            self.cell = (line, at + len(text))
            return [(offset, at, len(text))] if text else []
        # In a table \| is |.
        places = []
        for part in re.split(r"(?=\|)", text):
            at = self.source.find(part, after, end)
            if at < 0:
                break
            places.append((offset, at, len(part)))
            offset, after = offset + len(part), at + len(part)
        self.cell = (line, after)
        return places
