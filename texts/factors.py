"""The factors, one function each. See registry.py for how to add one."""

from __future__ import annotations

import re

from texts.reading import Reading
from texts.registry import declare, factor

ARENA = "Arena style control (Li, Angelopoulos and Chiang 2024) counts the same marks by patterns"

# Scripts without spaces between words whose characters are about as long as a word.
_IDEOGRAPH = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LETTER = re.compile(r"[^\W_]")

_ADDRESS = re.compile(r"(?:https?://|www\.)[^\s<>\"]+", re.IGNORECASE)
# [1], [2, 3], [4-6], [^note], 【3†source】
_MARK = re.compile(
    r"\[\d{1,3}(?:\s?[,;–-]\s?\d{1,3})*\](?!:)|\[\^[^\]\s]{1,40}\](?!:)|【[^】\n]{1,60}】"
)
_MONTH = (
    "January|February|March|April|May|June|July|August|September|October|November|December|"
    "Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Spring|Summer|Autumn|Fall|Winter"
)
# (Smith, 2020), (Smith et al., 2020), (Smith & Jones 2020)
_AUTHOR = re.compile(
    rf"\((?:see |cf\. )?(?!(?:{_MONTH})\b)[A-Z][\w'’-]{{1,30}}"
    r"(?: et al\.?,? | (?:and|&) [A-Z][\w'’-]{1,30},? |, )(?:1[5-9]|20)\d{2}[a-z]?\b"
)


@factor(
    "words", label="Length (words)", group="length", unit="words", version=1,
    source="the field's usual measure of length",
)  # fmt: skip
def words(text: Reading) -> float:
    """Runs of characters between white space that hold a letter or a digit; each Chinese or Japanese character counts
    for itself. Code and addresses count too. An empty text has 0."""
    body, ideographs = _IDEOGRAPH.subn(" ", text.body)
    return float(sum(1 for run in body.split() if _LETTER.search(run)) + ideographs)


@factor("lists", label="List items", group="formatting", unit="list items", version=1, source=ARENA)
def lists(text: Reading) -> float:
    """List items, numbered or not, nested ones too, and lines that begin with a bullet sign; none inside code."""
    return text.markup.items


@factor("headers", label="Headings", group="formatting", unit="headings", version=1, source=ARENA)
def headers(text: Reading) -> float:
    """Headings of any level as Markdown renders them, underlined ones too; none inside code."""
    return text.markup.headings


@factor("bold", label="Bold phrases", group="formatting", unit="bold phrases", version=1, source=ARENA)
def bold(text: Reading) -> float:
    """Phrases set in bold by ** or __ as Markdown renders them; none inside code."""
    return text.markup.bold


@factor(
    "citations", label="Links and citations", group="sourcing", unit="links and marks", version=1,
    source="Search Arena (Miroyan et al. 2025) counts citations; here also marks without a link",
)  # fmt: skip
def citations(text: Reading) -> float:
    """Links, bare web addresses and citation marks: [1], [2, 3], [^note], 【1†source】, (Smith et al., 2020). Pictures,
    and what stands inside code, do not count; a mark that names several sources is one."""
    prose = text.markup.prose
    without, addresses = _ADDRESS.subn(" ", prose)
    return text.markup.links + addresses + len(_MARK.findall(without)) + len(_AUTHOR.findall(without))


declare(
    "prompt_similarity", label="Closeness to prompt", group="meaning", unit="cosine", version=1, low=-1.0, high=1.0,
    source="sentence embeddings (Reimers and Gurevych 2019)",
    definition="Cosine between the meanings of the response and of its prompt, each as the embedding model's vector; "
    "the model reads the beginning of a long text only. A prompt without text leaves it missing.",
)  # fmt: skip
