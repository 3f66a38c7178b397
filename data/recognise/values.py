"""Do the values of a column agree with what its name says, and are they verdicts?"""

from __future__ import annotations

import re
from collections.abc import Collection

from data.model import JUDGE_KINDS
from data.recognise.samples import Sample
from data.recognise.verdict_words import ASK, explain, plain, presets

_NUMBERS = {"p_a", "score_a", "score_b", "count_a", "count_b", "count_tie", "weight", "confidence", "seconds",
            "rating", "rank"}
_TRUTHS = {"true", "false", "t", "f", "0", "1", "yes", "no", "unknown"}
_YES_NO = {"true", "false", "yes", "no", "ja", "nein", "y", "n", "si", "oui", "non", "是", "否"}
_DATE = re.compile(r"^\d{4}-\d\d?-\d\d?([ T].*)?$")
RANKINGS = re.compile(r"^\s*(\[.*\]|[^<>]+(\s*[>≻]+\s*[^<>]+){2,})\s*$", re.DOTALL)
"""What a cell with a whole ranking looks like: a list, or at least three names."""
MOST_WORDS = 24
"""Different words of a column of verdicts that names no model."""

WORDS, NUMBERS, TRUTHS, SOFT = "words", "numbers", "truths", "soft"


def verdict_kind(sample: Sample, models: Collection[str]) -> str | None:
    """Which kind of verdicts a column holds; None where its values are none.

    `words` (at least half are known, or names of the file's models), `numbers` (0/1, 1/2, a scale), `truths` (yes/no),
    `soft` (from 0 to 1)
    """
    if not sample.filled or sample.wordy or sample.listed:
        return None
    known = explain(sample.values, models)
    names = [word for word in known if word.native and word.outcome is None]
    if names and 2 * len(names) >= len(known):
        return WORDS
    if sample.numeric and sample.numbers and sample.low is not None and sample.high is not None:
        if sample.complete and len(known) <= MOST_WORDS:
            few = presets(sample.values) or {plain(v) for v in sample.values} <= {"1", "2"}
            if few and sample.whole == sample.numbers:
                return NUMBERS
            if few and set(map(plain, sample.values)) <= {"0", "0.5", "1"}:
                return NUMBERS
        return SOFT if sample.low >= 0 and sample.high <= 1 and sample.whole < sample.numbers else None
    if not sample.complete or len(known) > MOST_WORDS:
        return None
    if {word.word for word in known} <= _YES_NO:
        return TRUTHS
    clear = [word for word in known if word.confidence != ASK]
    sides = {word.outcome for word in clear} & {"a", "b"}
    return WORDS if sides and not all(word.word.isdigit() for word in clear) and 2 * len(clear) >= len(known) else None


def against(field: str, sample: Sample) -> str | None:
    """Why a column cannot be this field, as the end of a sentence; None where its values agree (or there are none)."""
    if not sample.filled:
        return None
    if field in _NUMBERS:
        return _against_number(field, sample)
    if field == "winner" and (sample.wordy or sample.listed):
        return "it holds texts, not verdicts"
    if field in ("chosen", "rejected") and verdict_kind(sample, ()):
        return "it holds verdicts, not texts"
    if field in ("model_a", "model_b", "judge", "annotator", "model") and _sentences(sample):
        return "it holds texts, not names"
    if field == "prompt" and sample.numeric:
        return "it holds numbers"
    if field == "swapped" and not {plain(v) for v in sample.values} <= _TRUTHS:
        return "it holds other values than true and false"
    if field == "judge_kind" and not {v.lower() for v in sample.values} <= set(JUDGE_KINDS):
        return "it holds other values than " + ", ".join(JUDGE_KINDS)
    if field == "cue" and not {v.lower() for v in sample.values} <= {"a", "b"}:
        return "it holds other values than a and b"
    if field == "repeat" and (not sample.numeric or sample.whole < sample.numbers):
        return "it holds other values than 1, 2, 3, ..."
    return None


def _sentences(sample: Sample) -> bool:
    """Texts rather than names: long, or hardly ever the same and of many words."""
    many = sample.filled >= 10 and sample.distinct > sample.filled / 2
    words = sum(value.count(" ") >= 3 for value in sample.values[:20])
    return sample.mean_length > 80 or (many and sample.mean_length > 20 and 2 * words > len(sample.values[:20]))


def _against_number(field: str, sample: Sample) -> str | None:
    if not sample.numeric:
        return "it holds other values than numbers"
    low, high = sample.low, sample.high
    if low is None or high is None:
        return None
    if field == "p_a" and (low < 0 or high > 1):
        return f"it runs from {low:g} to {high:g}, not from 0 to 1"
    if field.startswith("count_") and (low < 0 or sample.whole < sample.numbers):
        return "it holds other values than whole numbers of votes"
    if field == "weight" and low <= 0:
        return "it holds values that are not above 0"
    return None


def are_dates(sample: Sample) -> bool:
    """Whether the values are dates, or seconds since 1970."""
    if sample.numeric:
        return sample.low is not None and sample.low > 5e8
    return bool(sample.values) and all(_DATE.match(v) for v in sample.values[:20])

