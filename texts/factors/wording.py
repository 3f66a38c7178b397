"""How is a text worded: hard or easy, varied or repeating itself, in which language?"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

from texts.reading import Reading
from texts.registry import factor

WINDOW = 50
GRAM = 4

_LATIN = re.compile(r"[a-zà-öø-ÿ']+")
_VOWELS = re.compile(r"[aeiouyà-æè-ïò-öø-ý]+")
# Vowels that are written and not spoken, and those that are spoken as two.
_SILENT = re.compile(
    r"(?:[^aeiouyl]|[aeiouy]l)e$|[^aeiouytd]ed$|(?:[^aeiouylscxzgh]|[aeiouy]l|th)es$|[^aeiouy]e(?=ly$|ment|ful|less|ness)|"
    r"(?<=ic)a(?=lly$)"
)
_SPLIT = re.compile(
    r"(?<![tscg])i[ao](?!us)|tia(?=t)|[cs]ia(?=t)|eo(?!u)|ism$|[^aeiouq]u[aeo](?!r)|[aeiouy]ing|iu|ier$|iest$|n't$|sm$|thm$"
)


@lru_cache(maxsize=100_000)
def syllables(word: str) -> int:
    """Syllables of an English word by its spelling, at least 1."""
    if _LATIN.fullmatch(word) is None:
        return 1
    n = len(_VOWELS.findall(word)) - len(_SILENT.findall(word)) + len(_SPLIT.findall(word))
    return max(n, 1)


@factor(
    "reading_grade", label="Reading grade", group="wording", unit="school years", version=1, high=30.0,
    source="Flesch-Kincaid grade (Kincaid et al. 1975)",
)  # fmt: skip
def reading_grade(text: Reading) -> float:
    """School years that a reader needs: 0.39 words per sentence + 11.8 syllables per word − 15.59, held between 0 and
    30, outside code. Syllables are counted by English spelling; a word of another script has one. A text without words
    has 0."""
    words, sentences = text.words.text, text.sentences
    if not words or not sentences:
        return 0.0
    grade = 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
    return min(max(grade, 0.0), 30.0)


@factor(
    "lexical_diversity", label="Lexical diversity", group="wording", unit="share of words", version=1, high=1.0,
    source="moving-average type-token ratio (Covington and McFall 2010)",
)  # fmt: skip
def lexical_diversity(text: Reading) -> float:
    """Mean share of different words in each run of 50 words outside code; of all words where there are fewer. It does
    not fall with length as the plain share does. A text without words has 0."""
    words = text.words.text
    n = min(WINDOW, len(words))
    if not n:
        return 0.0
    held = Counter(words[:n])
    total = different = len(held)
    for left, entered in zip(words, words[n:], strict=False):
        held[entered] += 1
        different += held[entered] == 1
        held[left] -= 1
        different -= held[left] == 0
        total += different
    return total / (n * (len(words) - n + 1))


@factor(
    "repetition", label="Repetition", group="wording", unit="share of word runs", version=1, high=1.0,
    source="seq-rep-4 (Welleck et al. 2020)",
)  # fmt: skip
def repetition(text: Reading) -> float:
    """Share of the runs of four words outside code that have occurred before in the text. A text of fewer than four
    words has 0."""
    words = text.words.text
    n = len(words) - GRAM + 1
    return 1 - len(set(zip(words, words[1:], words[2:], words[3:], strict=False))) / n if n > 0 else 0.0


@factor(
    "not_english", label="Not English", group="wording", unit="flag", version=1, high=1.0, usual=False,
    source="py3langid (after Lui and Baldwin 2012), among 54 widely used languages",
)  # fmt: skip
def not_english(text: Reading) -> float:
    """1 where the text is in another language than English, 0 where it is in English or too short to tell (fewer than
    20 letters outside code, or a probability below .8). Factors that rest on English words find none in such a text."""
    return float(text.language not in (None, "en"))
