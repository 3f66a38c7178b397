"""Which language is a text in? By py3langid, among 54 widely used ones; None for short texts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

LETTERS = 20
"""A text of fewer letters is a name, a number or a line of code as often as a sentence."""

LANGUAGES = (
    "ar bg bn ca cs da de el en es et fa fi fr gu he hi hr hu hy id it ja ka kn ko lt lv mk ml mr ms nl no pa pl pt ro "
    "ru sk sl sq sr sv sw ta te th tl tr uk ur vi zh"
)
"""Those that are told apart: with each neighbour more, of Arabic, Chinese or Spanish, fewer answers are sure."""

READ = 500
"""Characters that are looked at: more change no answer and take longer."""

SURE = 0.8
"""The probability from which an answer is believed."""


_ENGLISH = """
    the and that this these those with for from are were have has been they their there what which when where who how
    why because would could should it its be not can you your about into through than
"""
ENGLISH = frozenset(_ENGLISH.split())
"""Words of nearly every English sentence that other languages in Latin letters hardly have."""


def find_language(text: str, words: Sequence[str]) -> str | None:
    """The language of a text as its ISO 639-1 code; None where it is too short or cannot be told.

    words : of the text, in lower case; where one in eight of the first 64, and four at least, are of ENGLISH, it is
        that, and the slower way is not taken

    A letter of a script without spaces counts for three: it says as much.
    """
    first = words[:64]
    if 8 * (hits := sum(map(ENGLISH.__contains__, first))) >= len(first) and hits >= 4:
        return "en"
    head = text[:READ]
    letters = sum(1 if c < "\u2e80" else 3 for c in head if c.isalpha())
    if letters < LETTERS:
        return None
    language, share = _identifier().classify(" ".join(head.split()))
    return language if share >= SURE else None


@cache
def _identifier() -> LanguageIdentifier:
    # Loaded at the first text: it takes about half a second.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES.split())
    return identifier
