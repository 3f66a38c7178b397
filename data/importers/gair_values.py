"""What values have the two answers of a record of GAIR's format, of each of its 29 properties?

Written as data/gair_properties.py says; see data/importers/gair.py for the record and its source.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.gair_properties import NAMES, PROPERTIES

STANCES = {
    "strongly opposed": -2, "weakly opposed": -1, "neutral": 0, "weakly supported": 1, "strongly supported": 2,
}  # fmt: skip
MISTAKES = {
    "neither pointed out nor corrected": 0, "pointed out but not corrected": 1,
    "corrected without being pointed out": 2, "pointed out and corrected": 3,
}  # fmt: skip
WORDS = {"supporting explicit subjective stances": STANCES, "correcting explicit mistakes or biases": MISTAKES}
NOT_APPLICABLE = "999"

LONGER_FROM = (1, 3, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19)
"""By the words of the shorter answer, up to 11: from how many words on the other one is clearly longer."""

Values = dict[str, tuple[float, float]]


@dataclass
class Taken:
    """What had to be taken for granted. odd : sentence -> how many values it is about

    unchecked : pairs whose errors could not be checked; counted : answers whose words were counted here
    """

    odd: Counter[str] = field(default_factory=Counter)
    unchecked: int = 0
    counted: int = 0

    def sentences(self) -> list[str]:
        said = [f"{text}, counted as none: {n:,}" for text, n in sorted(self.odd.items())]
        if self.unchecked:
            said.append(
                f"pairs whose errors could not be checked (not applicable), without a value of them: {self.unchecked:,}"
            )
        if self.counted:
            said.append(
                "answers without num_words, whose words are counted at blanks (the published numbers count punctuation "
                f"too): {self.counted:,}"
            )
        return said


def values_of(said: Taken, of: Mapping[str, Any]) -> Values:
    """By property the values of both answers, where both have one."""
    found: Values = {}
    basic = [_keyed(of[f"basic_response_{side}"]) for side in (1, 2)]
    specific = [_keyed(of[f"query-specific_response_{side}"]) for side in (1, 2)]
    for one in PROPERTIES:
        pair: list[float | None] = [None, None]
        if one.kind == "basic":
            pair = [_basic(said, one.name, side) for side in basic]
        elif one.kind == "query-specific" and None not in specific:
            pair = [_specific(said, one.key, side) for side in specific]
            if pair == [None, None]:
                # The prompt has nothing of the kind: the coding is 0.
                pair = [0.0, 0.0]
        if pair[0] is not None and pair[1] is not None:
            found[one.name] = (pair[0], pair[1])
    return found | _errors(said, of) | _length(said, of)


def _keyed(value: Any) -> dict[str, Any] | None:
    return {str(k).strip().lower(): v for k, v in value.items()} if isinstance(value, dict) else None


def _basic(said: Taken, name: str, side: dict[str, Any] | None) -> float | None:
    one = PROPERTIES[NAMES.index(name)]
    if side is None:
        return None
    if name == "non-repetitive" and one.key in side:
        rating = _rating(said, name, side[one.key])
        return None if rating is None else 3.0 - rating
    rating = _rating(said, name, side.get(one.key, side.get(name)))
    if rating is None or name != "relevant":
        return rating
    return float(rating > 0)


def _rating(said: Taken, name: str, value: Any) -> float | None:
    """A rating from 0 to 3; anything else is none, and said."""
    word = str(value).strip().removesuffix(".0")
    if value is None or word == NOT_APPLICABLE:
        return None
    if word in ("0", "1", "2", "3"):
        return float(word)
    said.odd[f"values of {name!r} that are no rating from 0 to 3"] += 1
    return None


def _specific(said: Taken, key: str, side: dict[str, Any] | None) -> float | None:
    """The mean over the items of the prompt."""
    value = None if side is None else side.get(key)
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    known = [v for v in (_item(said, key, item, WORDS.get(key)) for item in items) if v is not None]
    return float(np.mean(known)) if known else None


def _item(said: Taken, key: str, item: Any, words: dict[str, int] | None) -> float | None:
    if item is None or str(item).strip().lower() in ("", "none", "n/a", NOT_APPLICABLE):
        return None
    if words is None:
        return _rating(said, key, item)
    word = str(item).strip().lower().removesuffix(".0")
    if word in words:
        return float(words[word])
    if word in {str(n) for n in words.values()}:
        return float(word)
    said.odd[f"values of {key!r} that are not one of {', '.join(words)}"] += 1
    return None


def _errors(said: Taken, of: Mapping[str, Any]) -> Values:
    """Minus the number of errors of each severity; nothing where those of one answer could not be checked."""
    sides = [of["errors_response_1"], of["errors_response_2"]]
    if None in sides:
        return {}
    counts = [_severities(side) for side in sides]
    if counts[0] is None or counts[1] is None:
        said.unchecked += 1
        return {}
    for each in counts:
        if each is not None and each["other"]:
            said.odd["errors that are neither minor nor moderate nor severe"] += each["other"]
    # 0.0 - n rather than -n: no error is 0, not minus 0.
    return {
        one.name: (0.0 - counts[0][one.key], 0.0 - counts[1][one.key]) for one in PROPERTIES if one.kind == "error"
    }


def _severities(side: Any) -> Counter[str] | None:
    """How many errors of each severity an answer has; None where they could not be checked."""
    keyed = _keyed(side)
    if keyed is None:
        return None
    check = next((keyed[k] for k in ("accuracy check", "applicable or not", "applicable") if k in keyed), "applicable")
    if str(check).strip().lower() not in ("applicable", "yes", "true"):
        return None
    listed = next((keyed[k] for k in ("inaccuracies", "errors") if k in keyed), None)
    if not isinstance(listed, list):
        return None
    found: Counter[str] = Counter()
    for each in listed:
        severity = str(each.get("severity", "") if isinstance(each, dict) else each).strip().lower()
        found[severity if severity in ("minor", "moderate", "severe") else "other"] += 1
    return found


def _length(said: Taken, of: Mapping[str, Any]) -> Values:
    """1 for an answer that is clearly longer, else 0."""
    words = [_words(said, of[side]) for side in ("response_1", "response_2")]
    short, long = sorted(words)
    if not clearly_longer(short, long):
        return {"lengthy": (0.0, 0.0)}
    return {"lengthy": (float(words[0] > words[1]), float(words[1] > words[0]))}


def _words(said: Taken, side: dict[str, Any]) -> int:
    word = str(side.get("num_words", "")).strip().removesuffix(".0")
    if word.isdecimal():
        return int(word)
    said.counted += 1
    return len(side["content"].split())


def clearly_longer(short: int, long: int) -> bool:
    """The published rule, on the words of the shorter and of the longer answer; as in analysis/gair_coding.py."""
    if short < len(LONGER_FROM):
        return long >= LONGER_FROM[short]
    return any(10 * short <= part * long and long - short >= gap for part, gap in ((7, 10), (8, 20), (9, 40)))
