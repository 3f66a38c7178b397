"""How long is a text, in words, sentences and paragraphs?"""

from __future__ import annotations

import re

from texts.reading import IDEOGRAPHS, Reading
from texts.registry import Span, counting, factor

_IDEOGRAPH = re.compile(f"[{IDEOGRAPHS}]")
_LINE = re.compile(r"[^\n\r]+")


@factor(
    "words", label="Length (words)", group="length", unit="words", version=2,
    source="the field's usual measure of length",
)  # fmt: skip
def words(text: Reading) -> float:
    """Runs of characters between white space, as split() counts them: code, addresses and bare signs too; each Chinese
    or Japanese character counts for itself. An empty text has 0."""
    body, ideographs = (text.body, 0) if text.body.isascii() else _IDEOGRAPH.subn(" ", text.body)
    return float(len(body.split()) + ideographs)


@factor(
    "characters", label="Length (characters)", group="length", unit="characters", version=1, usual=False,
    source="AlpacaEval (Dubois et al. 2024) measures length so",
)  # fmt: skip
def characters(text: Reading) -> float:
    """Characters (Unicode code points), white space and code too. An empty text has 0."""
    return float(len(text.body))


@factor(
    "empty", label="Empty text", group="length", unit="flag", version=1, high=1.0,
    source="models answer with nothing at times; every other factor calls such a text 0",
)  # fmt: skip
def empty(text: Reading) -> float:
    """1 where the text holds nothing but white space, else 0; so that what an empty text costs is not laid to the
    other factors, all of which are 0 there."""
    return float(not text.body.strip())


@counting(
    "sentences", label="Sentences", group="length", unit="sentences", version=1, usual=False,
    source="the usual measure beside words",
)  # fmt: skip
def sentences(text: Reading) -> list[Span]:
    """Sentences outside code: ended by . ! ? … and space, by 。！？ or by the end of a paragraph, list item, heading or
    table cell; some thirty English abbreviations and initials end none."""
    return text.sentences


@factor(
    "sentence_length", label="Sentence length", group="length", unit="words per sentence", version=1,
    source="part of every readability formula since Flesch (1948)",
)  # fmt: skip
def sentence_length(text: Reading) -> float:
    """Words outside code divided by sentences. A text without sentences has 0."""
    return len(text.words.text) / len(text.sentences) if text.sentences else 0.0


@counting(
    "paragraphs", label="Paragraphs", group="length", unit="paragraphs", version=1, usual=False,
    source="blocks as a reader sees them",
)  # fmt: skip
def paragraphs(text: Reading) -> list[Span]:
    """Runs of lines that are not blank; a list without blank lines is one, and so is a block of code."""
    found: list[Span] = []
    last = -1
    for line in _LINE.finditer(text.body):
        inside = line.group().strip()
        if not inside:
            last = -1
            continue
        start = line.start() + line.group().index(inside[0])
        end = start + len(inside)
        between = text.body[found[-1][1] : start] if last >= 0 else ""
        if last >= 0 and between.replace("\r\n", "\n").replace("\r", "\n").count("\n") == 1:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
        last = end
    return found
