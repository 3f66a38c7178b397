"""In what tone is a text written? Mostly by lists of English words, each scored on sentences labelled by hand."""

from __future__ import annotations

import re
from functools import cache
from string import punctuation
from typing import TYPE_CHECKING

from texts.markdown import FILLED
from texts.reading import Reading
from texts.registry import Quality, Span, counting, factor

if TYPE_CHECKING:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

_RUN = re.compile(r"[?!？！؟‽⁉⁈]+(?!=)")
_ASKS = frozenset("?？؟‽⁉⁈")
_NEGATIONS = "not isn't aren't wasn't weren't don't doesn't didn't cannot can't won't wouldn't hardly nor"
_NOT = frozenset(_NEGATIONS.split())
_CONTRACTED = re.compile(r"\w+(?:n't|'(?:ll|re|ve|m|d))|(?:it|that|there|here|what|who|he|she|let|how|where)'s")

PIECE = 600
"""Characters of a sentence that are looked at together; what calls itself one sentence and is longer is cut."""


@counting(
    "questions", label="Questions", group="tone", unit="questions", version=1,
    source="punctuation counts of stylometry (Grieve 2007)",
)  # fmt: skip
def questions(text: Reading) -> list[Span]:
    """Question marks of any script outside code and addresses; ?? and ?! are one."""
    return [run.span() for run in _RUN.finditer(text.prose) if not _ASKS.isdisjoint(run.group())]


@counting(
    "exclamations", label="Exclamations", group="tone", unit="exclamations", version=1,
    source="punctuation counts of stylometry (Grieve 2007)",
)  # fmt: skip
def exclamations(text: Reading) -> list[Span]:
    """Exclamation marks outside code and addresses; !!! is one, ?! is a question."""
    return [run.span() for run in _RUN.finditer(text.prose) if _ASKS.isdisjoint(run.group())]


@counting(
    "hedges", label="Hedges", group="tone", unit="hedges", version=1,
    source="the hedges of Hyland (2005), narrowed to words that seldom do anything else",
    quality=Quality(precision=0.85, recall=0.92, n=45),
)  # fmt: skip
def hedges(text: Reading) -> list[Span]:
    """English words and phrases by which a writer holds back: may, perhaps, probably, it seems that, I think, in my
    opinion. The month of May does not count."""
    return [
        _place(text, one)
        for one in text.phrases["hedges"]
        if not (text.words.text[one[0]] == "may" and text.prose[text.words.spans[one[0]][0]] == "M")
    ]


@counting(
    "assertive", label="Assertive wording", group="tone", unit="boosters", version=1,
    source="the boosters of Hyland (2005), narrowed to words that seldom do anything else",
    quality=Quality(precision=0.79, recall=0.88, n=45),
)  # fmt: skip
def assertive(text: Reading) -> list[Span]:
    """English words and phrases by which a writer insists: certainly, obviously, never, must, of course, there is no
    doubt. One with a negation among the two words before it does not count (not always)."""
    words = text.words.text
    return [
        _place(text, one) for one in text.phrases["assertive"] if _NOT.isdisjoint(words[max(one[0] - 2, 0) : one[0]])
    ]


@counting(
    "first_person", label="First person", group="tone", unit="pronouns", version=1,
    source="the pronouns counted by LIWC (Pennebaker et al. 2015)",
)  # fmt: skip
def first_person(text: Reading) -> list[Span]:
    """The English pronouns I, me, my, mine, myself, we, us, our, ours, ourselves, contracted ones too (I'm, let's);
    US in capitals and the i of i.e. do not count."""
    found = []
    for one in text.phrases["first_person"]:
        start, end = _place(text, one)
        if text.prose[start:end] not in ("US", "i"):
            found.append((start, end))
    return found


@counting(
    "politeness", label="Politeness", group="tone", unit="polite phrases", version=1,
    source="strategies of Danescu-Niculescu-Mizil et al. (2013), apologies apart",
    quality=Quality(precision=0.81, recall=0.88, n=45),
)  # fmt: skip
def politeness(text: Reading) -> list[Span]:
    """English phrases of thanks, greeting, wish, offer and request: thank you, please, hello, happy to help, feel free,
    great question, would you mind."""
    return [_place(text, one) for one in text.phrases["politeness"]]


@counting(
    "apologies", label="Apologies", group="tone", unit="apologies", version=1,
    source="the strategy apologizing of Danescu-Niculescu-Mizil et al. (2013)",
    quality=Quality(precision=0.64, recall=0.90, n=40),
)  # fmt: skip
def apologies(text: Reading) -> list[Span]:
    """English words of apology: sorry, apologize, my mistake, excuse me, pardon me."""
    return [_place(text, one) for one in text.phrases["apologies"]]


@counting(
    "refusals", label="Refusals", group="tone", unit="refusing phrases", version=1,
    source="after the refusal phrases of Zou et al. (2023)",
    quality=Quality(precision=0.96, recall=0.92, n=44),
)  # fmt: skip
def refusals(text: Reading) -> list[Span]:
    """English phrases by which a model declines or says that it is one: I cannot help, I'm unable to, as an AI, I don't
    have access to, against my guidelines."""
    return [_place(text, one) for one in text.phrases["refusals"]]


@counting(
    "informal", label="Informal wording", group="tone", unit="informal words", version=1,
    source="contractions and colloquial words, the marks of involved style in Biber (1988)",
    quality=Quality(precision=0.85, recall=0.96, n=43),
)  # fmt: skip
def informal(text: Reading) -> list[Span]:
    """English contractions (don't, it's, we'll) and colloquial words (yeah, gonna, stuff, awesome, okay)."""
    listed = [_place(text, one) for one in text.phrases["informal"]]
    words = text.words
    contracted = [
        span for word, span in zip(words.text, words.spans, strict=True) if "'" in word and _CONTRACTED.fullmatch(word)
    ]
    inside = {start for start, _ in listed}
    return sorted([*listed, *(span for span in contracted if span[0] not in inside)])


@factor(
    "sentiment", label="Sentiment", group="tone", unit="mean of sentences", version=1, low=-1.0, high=1.0,
    source="VADER (Hutto and Gilbert 2014)",
    quality=Quality(precision=0.68, recall=0.77, n=45),
)  # fmt: skip
def sentiment(text: Reading) -> float:
    """Mean over the sentences outside code of how positive (1) or negative (−1) VADER finds each by its English words,
    emoji and marks; 0 is neutral. A text without sentences has 0."""
    scores = [
        score(piece)
        for start, end in text.sentences
        for piece in _pieces(text.prose[start:end].replace(FILLED, " "))
    ]
    return sum(scores) / len(scores) if scores else 0.0


def score(sentence: str) -> float:
    """VADER's compound score; where no word of its list stands there it is 0, and known without asking."""
    vader = _vader()
    lexicon = vader.lexicon
    if sentence.isascii() and not any(
        run in lexicon or run.strip(punctuation) in lexicon for run in sentence.lower().split()
    ):
        return 0.0
    return float(vader.polarity_scores(sentence)["compound"])


def _pieces(sentence: str) -> list[str]:
    return [sentence[at : at + PIECE] for at in range(0, len(sentence), PIECE)]


def _place(text: Reading, phrase: Span) -> Span:
    """From the first to the last word of a phrase, as places in the text."""
    first, last = phrase
    return text.words.spans[first][0], text.words.spans[last][1]


@cache
def _vader() -> SentimentIntensityAnalyzer:
    # Its import takes longer than measuring a few texts.
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()
