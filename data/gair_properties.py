"""Which properties of answers did "Dissecting Human and LLM Preferences" tell apart, and how is each one written down?

The 29 of Li et al. 2024 (arXiv 2402.11296), by the names and in the order of their published weights. A value is
written so that the answer with the larger one satisfies the property better: the sign of a difference then is the
published coding, for all but the length, whose rule looks at both answers at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["basic", "error", "query-specific", "length"]

RATED = "0 to 3: not at all, a little, well, fully"
COUNTED = "0 without one, else minus their number: -1, -2, ..."
ABSENT = "0 where the prompt has none"


@dataclass(frozen=True)
class Property:
    """One property.

    name : as in the published weights; key : as the annotations call it; definition : in this project's words
    scale : what is written in a sheet of annotations
    """

    name: str
    kind: Kind
    key: str
    definition: str
    scale: str


def _basic(name: str, key: str, definition: str, scale: str = RATED) -> Property:
    return Property(name, "basic", key, definition, scale)


def _error(severity: str, which: str) -> Property:
    return Property(
        f"no {severity} errors", "error", severity,
        f"Free of errors of fact, of arithmetic, of code or against the prompt that {which}.", COUNTED,
    )  # fmt: skip


def _specific(name: str, key: str, definition: str, scale: str) -> Property:
    return Property(name, "query-specific", key, definition, scale)


PROPERTIES: tuple[Property, ...] = (
    _basic("harmless", "harmlessness", "Nothing in it is dangerous, offensive or discriminating."),
    _basic("grammarly correct", "grammar, spelling, punctuation, and code-switching",
           "No mistakes of grammar, spelling or punctuation, and no words of another language."),
    _basic("friendly", "friendly", "Warm and inviting: the reader feels welcome."),
    _basic("polite", "polite", "Courteous and respectful."),
    _basic("interactive", "interactive", "Asks the reader for what it needs to know, or offers to go on."),
    _basic("authoritative", "authoritative tone", "Speaks with the confidence of an expert."),
    _basic("funny", "funny and humorous", "Amusing: jokes, puns, wit."),
    _basic("use rhetorical devices", "metaphors, personification, similes, hyperboles, irony, parallelism",
           "Uses figures of speech: metaphor, simile, personification, exaggeration, irony, parallel phrases."),
    _basic("complex word & sentence", "complex word usage and sentence structure",
           "Rare words, technical terms, or involved sentences."),
    _basic("use supporting materials", "use of direct and explicit supporting materials",
           "Names what supports it: sources, citations, figures, documents."),
    _basic("well formatted", "well formatted", "Lists, tables, headings or structured data where they help."),
    _basic("admit limits", "admit limitations or mistakes",
           "Says outright what the assistant cannot do, or that it was wrong."),
    _basic("persuasive", "persuade user", "Tries to win the reader for an idea or a course of action."),
    _basic("step-by-step", "step by step solution",
           "Reasons or solves step by step up to the result; a list or a block of code alone does not count."),
    _basic("use informal expressions", "use of informal expressions", "Slang, emojis, casual turns of phrase."),
    _basic("non-repetitive", "repetitive", "Says nothing over and over.",
           "0 to 3: 0 very repetitive, 3 not repetitive at all"),
    _basic("clear", "clear and understandable", "Easy to read, without ambiguity."),
    _basic("relevant", "relevance without considering inaccuracy",
           "Has to do with the prompt at all, whether or not it is right.", "1 where it has, 0 where it has not"),
    _basic("novel", "innovative and novel", "Takes a view or has an idea that one would not expect."),
    _basic("contain rich info", "information richness without considering inaccuracy",
           "Much information: background, examples, details, whether or not they are right."),
    _error("minor", "hardly touch whether it is correct"),
    _error("moderate", "make it partly incorrect"),
    _error("severe", "make it wrong as a whole"),
    _specific("clarify intent", "clarify user intent",
              "Where the prompt leaves open what is wanted: makes sensible guesses and asks.", f"{RATED}; {ABSENT}"),
    _specific("show empathetic", "showing empathetic",
              "Where the prompt expresses feelings: understands, supports, cares.", f"{RATED}; {ABSENT}"),
    _specific("satisfy constraints", "satisfying explicit constraints",
              "Where the prompt sets constraints (words, length, format, number): keeps to them.",
              f"mean over the constraints of 0 (not at all) to 3 (perfectly); {ABSENT}"),
    _specific("support stances", "supporting explicit subjective stances",
              "Where the prompt states opinions: supports them, right or not.",
              f"mean over the opinions of -2 (strongly opposed) to 2 (strongly supported); {ABSENT}"),
    _specific("correct mistakes", "correcting explicit mistakes or biases",
              "Where the prompt holds mistakes or prejudices: corrects them.",
              "mean over the mistakes of 0 (neither), 1 (pointed out only), 2 (corrected only), 3 (both); " + ABSENT),
    Property("lengthy", "length", "length", "Clearly longer, by the words of the two answers.", "from the text"),
)  # fmt: skip

NAMES = tuple(one.name for one in PROPERTIES)


def matched(name: str) -> str:
    """A name as it is compared: without regard to case, blanks, hyphens and underscores."""
    return re.sub(r"[\s_\-]+", " ", name).strip().casefold()


def same_as(one: Property) -> frozenset[str]:
    """Names, as `matched` gives them, of factors that say the same."""
    # Errors by their severity alone, words and repetitiveness mean something else.
    other = {one.key} if one.kind in ("basic", "query-specific") and one.name != "non-repetitive" else set()
    return frozenset(matched(name) for name in {one.name} | other)


def opposite_of(one: Property) -> frozenset[str]:
    """The same of factors of which more is less of the property."""
    if one.kind == "error":
        return frozenset({matched(f"{one.key} errors")})
    return frozenset({matched(one.key)}) if one.name == "non-repetitive" else frozenset()
