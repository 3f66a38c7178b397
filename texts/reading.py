"""What do several factors want to know of one text? Its markup, words and sentences, found once for all of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from texts.english import find_phrases
from texts.language import find_language
from texts.markdown import FILLED, Markup, Span, read_markup

IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts without spaces between words whose characters are about as long as a word."""

# Signs that Python does not count as letters and that stand within words: vowels of Indic scripts, Hebrew and Arabic.
_WITHIN = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u0900-\u0963\u0970-\u0dff\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u20d0-\u20ff"
)
_WORD = re.compile(rf"[{IDEOGRAPHS}]|(?:(?![{IDEOGRAPHS}])[^\W_]|[{_WITHIN}])+(?:['’](?![{IDEOGRAPHS}])[^\W_]+)*")
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+(?:'[A-Za-z0-9]+)*")
_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"\x00]+", re.IGNORECASE)

# The end of a sentence: its signs, closing quotes and brackets, then space; those of Chinese and Japanese need none.
_END = re.compile(r"[.!?…]+[\"'”’»)\]]*(?=\s|$)|[。！？｡]+[」』”’）]*|[؟۔।]+(?=\s|$)")
# What a full stop shortens; of the second kind only before a small letter or a digit.
_SHORT = re.compile(r"\b(?:mr|mrs|ms|dr|prof|st|vs|cf|e\.g|i\.e|figs?|vol|(?-i:[A-Z]))\.$", re.IGNORECASE)
_MAYBE_SHORT = re.compile(r"\b(?:etc|al|approx|jr|sr|no|nos|ca|incl)\.$", re.IGNORECASE)
_GOES_ON = re.compile(r"\s+(?:\d|[a-z])")


@dataclass(frozen=True)
class Words:
    """The words of the prose.

    text : in lower case, with ' as apostrophe; spans : their places; joined : whether nothing but space or a hyphen
    parts a word from the next
    """

    text: Sequence[str]
    spans: Sequence[Span]
    joined: Sequence[bool]


class Reading:
    """One text, and what several factors want to know of it.

    body : the text itself
    """

    def __init__(self, body: str) -> None:
        self.body = body

    @cached_property
    def markup(self) -> Markup:
        """Its Markdown."""
        return read_markup(self.body)

    @cached_property
    def addresses(self) -> list[Span]:
        """Bare web addresses outside code and links."""
        return [match.span() for match in _ADDRESS.finditer(self.without_links)]

    @cached_property
    def without_links(self) -> str:
        """The prose with links filled, label and all."""
        return fill(self.markup.prose, self.markup.links)

    @cached_property
    def prose(self) -> str:
        """What is said: as long as the text, FILLED where code, a picture or an address stands."""
        return fill(self.markup.prose, [match.span() for match in _ADDRESS.finditer(self.markup.prose)])

    @cached_property
    def words(self) -> Words:
        """The words of the prose."""
        prose = self.prose
        pattern = _ASCII_WORD if prose.isascii() else _WORD
        spans = [match.span() for match in pattern.finditer(prose)]
        text = [prose[start:end].lower().replace("’", "'") for start, end in spans]
        joined = [not prose[end:start].strip(" \t\n-*_") for (_, end), (start, _) in pairwise(spans)]
        return Words(text, spans, [*joined, False])

    @cached_property
    def sentences(self) -> list[Span]:
        """Sentences of the prose that hold a word; a paragraph, list item, heading or cell ends one."""
        found: list[Span] = []
        for start, end in self.markup.blocks:
            block, begun = self.prose[start:end], 0
            for stop in _END.finditer(block):
                if stop.group() == "." and _shortened(block, begun, stop.end()):
                    continue
                self._sentence(start + begun, start + stop.end(), found)
                begun = stop.end()
            self._sentence(start + begun, end, found)
        return found

    def _sentence(self, start: int, end: int, found: list[Span]) -> None:
        text = self.prose[start:end]
        if _WORD.search(text) is not None:
            found.append((start + len(text) - len(text.lstrip()), start + len(text.rstrip())))

    @cached_property
    def phrases(self) -> Mapping[str, list[Span]]:
        """By list of texts/english.py, the first and the last word of each phrase of it."""
        return find_phrases(self.words.text, self.words.joined)

    @cached_property
    def language(self) -> str | None:
        """The language of the prose as a code of two letters; None where that cannot be told."""
        return find_language(self.prose.replace(FILLED, " "), self.words.text)


def _shortened(block: str, begun: int, end: int) -> bool:
    """Whether the full stop before `end` shortens a word instead of ending the sentence that began at `begun`."""
    start = max(begun, end - 10)
    if _SHORT.search(block, start, end):
        return True
    return _MAYBE_SHORT.search(block, start, end) is not None and _GOES_ON.match(block, end) is not None


def fill(text: str, spans: Sequence[Span]) -> str:
    """The text with these places FILLED, line ends kept."""
    if not spans:
        return text
    out, done = [], 0
    for start, end in spans:
        out += [text[done:start], re.sub(r"[^\n\r]", FILLED, text[start:end])]
        done = max(end, done)
    return "".join([*out, text[done:]])
