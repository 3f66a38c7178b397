"""How is a text laid out, and what does it refer to?"""

from __future__ import annotations

import re

from texts.markdown import apart
from texts.reading import Reading, fill
from texts.registry import Span, counting, factor

ARENA = "Arena style control (Li, Angelopoulos and Chiang 2024) counts the same marks by patterns"

# [1], [2, 3], [4-6], [^note], 【3†source】
_MARK = re.compile(r"\[\d{1,3}(?:\s?[,;–-]\s?\d{1,3})*\](?!:)|\[\^[^\]\s]{1,40}\](?!:)|【[^】\n]{1,60}】")
_MONTH = (
    "January|February|March|April|May|June|July|August|September|October|November|December|"
    "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Spring|Summer|Autumn|Fall|Winter"
)
# (Smith, 2020), (Smith et al., 2020), (Smith & Jones 2020)
_AUTHOR = re.compile(
    rf"\((?:see |cf\. )?(?!(?:{_MONTH})\b)[A-Z][\w'’-]{{1,30}}"
    r"(?: et al\.?,? | (?:and|&) [A-Z][\w'’-]{1,30},? |, )(?:1[5-9]|20)\d{2}[a-z]?\b"
)
# A number has no letter before it (GPT4, H2O), nor a letter and a sign (A-4, v1.2).
_NUMBER = re.compile(r"(?<!\w)(?<!\w[.,:/-])\d+(?:[.,:/-]\d+)*")
_BRACKET = re.compile(r"[()\[\]{}（）［］]")
_CLOSES = {")": "(", "]": "[", "}": "{", "）": "（", "］": "［"}

_FACE = "[\u231a\u231b\u23e9-\u23f3\u23f8-\u23fa\u25fd\u25fe\u2600-\u27bf\u2b50\u2b55\U0001f300-\U0001faff]"
_EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}|[0-9#*]\ufe0f?\u20e3|"
    rf"{_FACE}[\ufe0f\U0001f3fb-\U0001f3ff]?(?:\u200d{_FACE}[\ufe0f\U0001f3fb-\U0001f3ff]?)*"
)


@counting("lists", label="List items", group="formatting", unit="list items", version=2, source=ARENA)
def lists(text: Reading) -> list[Span]:
    """List items, numbered or not, nested ones too, and lines that begin with a bullet sign; none inside code."""
    return list(text.markup.items)


@counting("headers", label="Headings", group="formatting", unit="headings", version=1, source=ARENA)
def headers(text: Reading) -> list[Span]:
    """Headings of any level as Markdown renders them, underlined ones too; none inside code."""
    return list(text.markup.headings)


@counting("bold", label="Bold phrases", group="formatting", unit="bold phrases", version=1, source=ARENA)
def bold(text: Reading) -> list[Span]:
    """Phrases set in bold by ** or __ as Markdown renders them; none inside code."""
    return list(text.markup.bold)


@counting(
    "code_blocks", label="Code blocks", group="formatting", unit="blocks of code", version=1,
    source="Markdown of chat windows",
)  # fmt: skip
def code_blocks(text: Reading) -> list[Span]:
    """Blocks of code, between ``` or ~~~ (an unclosed one runs to the end) or set in by four spaces."""
    return list(text.markup.code)


@factor(
    "code_share", label="Share of code", group="formatting", unit="share of characters", version=1, high=1.0,
    usual=False, source="Markdown of chat windows",
)  # fmt: skip
def code_share(text: Reading) -> float:
    """Of the characters that are not white space, the share in blocks of code and in code within lines. An empty text
    has 0."""
    inside = [*text.markup.code, *text.markup.inline_code]
    total = _visible(text.body) if inside else 0
    return sum(_visible(text.body[start:end]) for start, end in inside) / total if total else 0.0


@counting("tables", label="Tables", group="formatting", unit="tables", version=1, source="Markdown of chat windows")
def tables(text: Reading) -> list[Span]:
    """Tables with a ruled head as Markdown renders them; none inside code."""
    return list(text.markup.tables)


@counting(
    "brackets", label="Bracketed phrases", group="formatting", unit="bracketed phrases", version=1,
    source="punctuation counts of stylometry (Grieve 2007)",
)  # fmt: skip
def brackets(text: Reading) -> list[Span]:
    """Phrases in round, square or curly brackets that close within their paragraph; those inside another count with it,
    those in code and of links not at all."""
    found: list[Span] = []
    for start, end in text.markup.blocks:
        opened: list[tuple[str, int]] = []
        pairs: list[Span] = []
        for sign in _BRACKET.finditer(text.prose, start, end):
            kind = sign.group()
            if kind not in _CLOSES:
                opened.append((kind, sign.start()))
            elif opened and opened[-1][0] == _CLOSES[kind]:
                pair = (opened.pop()[1], sign.end())
                while pairs and pairs[-1][0] > pair[0]:
                    pairs.pop()
                pairs.append(pair)
        found += pairs
    return found


@counting(
    "emoji", label="Emoji", group="formatting", unit="emoji", version=1,
    source="Unicode's emoji and pictographs, a mark of how chat models write",
)  # fmt: skip
def emoji(text: Reading) -> list[Span]:
    """Emoji and pictograms (✓ ★ too) outside code; one joined of several, and a flag, is one."""
    return [] if text.body.isascii() else [match.span() for match in _EMOJI.finditer(text.prose)]


@counting(
    "citations", label="Links and citations", group="sourcing", unit="links and marks", version=2,
    source="Search Arena (Miroyan et al. 2025) counts citations; here also marks without a link",
)  # fmt: skip
def citations(text: Reading) -> list[Span]:
    """Links, bare web addresses and citation marks: [1], [2, 3], [^note], 【1†source】, (Smith et al., 2020). Pictures,
    and what stands inside code, do not count; a mark that names several sources is one."""
    prose = fill(text.without_links, text.addresses)
    marks = [match.span() for pattern in (_MARK, _AUTHOR) for match in pattern.finditer(prose)]
    return apart([*text.markup.links, *text.addresses, *marks])


@counting(
    "numbers", label="Numbers", group="sourcing", unit="numbers", version=1,
    source="concreteness as in counts of numerals by LIWC (Pennebaker et al. 2015)",
)  # fmt: skip
def numbers(text: Reading) -> list[Span]:
    """Numbers written in digits of any script, units and signs apart: 3.14, 1,000, 10:30 and 2020-01-01 are one each;
    digits within a name (GPT-4, H2O), the numbers of list items, and those in code and addresses do not count."""
    return [match.span() for match in _NUMBER.finditer(text.prose)]


def _visible(text: str) -> int:
    return sum(map(len, text.split()))
