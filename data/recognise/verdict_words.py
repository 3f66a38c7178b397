"""What could a foreign word for a verdict mean, how sure is that, and which words can nobody but the user explain?

Words that the importer takes as they are (`data.fields.WINNER_WORDS`) are sure, and so are others that name a side of
the file (`A>B`, `Antwort A`, `response 1`). Numbers other than 1 and 2 alone, yes and no, and left-over words are asked
about.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from data.fields import WINNER_WORDS
from data.recognise.names import SIDES, speak, words_of

SURE, GUESS, ASK = "sure", "guess", "ask"

_SIDE = {"a": "a", "1": "a", "left": "a", "b": "b", "2": "b", "right": "b"}
_PLACES = {"first": "a", "second": "b"}
_TIES = {
    "tie", "draw", "tied", "equal", "same", "unentschieden", "gleich", "gleich gut", "gleichstand", "empate",
    "igual", "iguales",
    "egalite", "egal", "egaux", "pareggio", "uguale", "平局", "平手", "相同", "一样", "一样好", "引き分け",
    "同じ", "both",
    "no preference", "equally good", "about the same", "both good", "indifferent", "keine praferenz", "beide",
    "sin preferencia", "ambas", "les deux", "both equal", "no difference", "kein unterschied", "similar", "comparable",
}  # fmt: skip
_BAD = {"both bad", "bothbad", "tie bothbad", "neither", "none of them", "both are bad", "beide schlecht",
        "keine", "keine von beiden",
        "ninguna", "ninguno", "aucune", "aucun", "nessuna", "都不好", "都差"}  # fmt: skip
_NONE = {
    "refused", "refusal", "invalid", "abstain", "abstained", "error", "unknown", "unclear", "skip", "skipped",
    "n a", "na", "nan",
    "null", "not sure", "unsure", "cannot say", "can t say", "weiss nicht", "weiß nicht", "keine angabe",
    "ungultig", "invalide",
    "no se", "ne sait pas", "无效", "不确定", "parse error", "failed", "no answer", "missing",
}  # fmt: skip
_NOUNS = {"option", "candidate", "assistant", "choice", "side", "opcion", "opzione", "system", "ai", "chatbot",
          "variante", "选项", "助手"}
_BETTER = {
    "better", "wins", "win", "won", "prefer", "preferred", "prefers", "slightly", "much", "strongly",
    "significantly", "clearly",
    "is", "besser", "gewinnt", "mejor", "gana", "meilleure", "meilleur", "gagne", "更好", "好", "far",
    "somewhat", "lean",
}  # fmt: skip
_CLEAR_TIES = ("tie", "equal", "unentschieden", "empate", "平局", "egalite", "pareggio")
_COMPARED = re.compile(r"^(a|b|1|2)\s*(>+|<+|=+|~|≈|≻+|≺+|»|«)\s*(a|b|1|2)$")
_NUMBER = re.compile(r"^[+-]?\d+([.,]\d+)?$")
NAMES_OF_ANSWERS = ("response", "model", "prompt", "judge")


@dataclass(frozen=True)
class Word:
    """One word for a verdict. outcome : a, b, tie, both_bad, none; None where nothing is suggested

    confidence : sure, guess, or ask (an outcome then is not even to be prefilled; presets answer several at once)
    native : the importer understands it without being told
    """

    word: str
    outcome: str | None
    confidence: str
    why: str
    native: bool = False


@dataclass(frozen=True)
class Preset:
    """One answer for all numbers at once. label : what it says; meanings : (word, outcome) of each"""

    label: str
    meanings: tuple[tuple[str, str], ...]


def plain(word: str) -> str:
    """A word as the importer compares it: lower case, 1.0 as 1."""
    return re.sub(r"^([+-]?\d+)[.]0+$", r"\1", word.strip().lower())


def explain(values: Iterable[str], models: Collection[str] = ()) -> tuple[Word, ...]:
    """What each of a column's words may mean. models : names that stand in the columns of models"""
    words = list(dict.fromkeys(plain(value) for value in values if value.strip()))
    own = {model.strip().lower() for model in models}
    numbers = {word for word in words if _NUMBER.match(word) and word not in own}
    unclear = bool(numbers - {"1", "2"})
    return tuple(_explain(word, own, unclear) for word in words)


def _explain(word: str, models: Collection[str], unclear_numbers: bool) -> Word:
    if word in models:
        return Word(word, None, SURE, "the name of a model: that one won", native=True)
    if _NUMBER.match(word):
        if unclear_numbers:
            return Word(word, None, ASK, "numbers mean different things in different files")
        return Word(word, WINNER_WORDS[word], SURE, f"response {WINNER_WORDS[word]} of the file", native=True)
    if word in WINNER_WORDS:
        return Word(word, WINNER_WORDS[word], SURE, "a word that is understood", native=True)
    bare = re.sub(r"[\[\](){}\"'`.:!*]", " ", word).strip()
    if match := _COMPARED.match(bare):
        left, sign, right = match.groups()
        if _SIDE[left] != _SIDE[right]:
            outcome = {">": left, "≻": left, "»": left, "<": right, "≺": right, "«": right}.get(sign[0])
            return Word(word, _SIDE[outcome] if outcome else "tie", SURE, "a comparison of the sides")
    told = [SIDES.get(part, part) for part in words_of(bare)]
    text = " ".join(words_of(bare)) if len(told) > 1 else " ".join(told)
    if text in _SIDE:
        return Word(word, _SIDE[text], SURE, f"the side {text}")
    if text in _PLACES:
        side = _PLACES[text]
        return Word(word, side, GUESS, f"taken for response {side} of the file, not for the one shown {text}")
    if text in _BAD:
        sure = "bad" in text or "schlecht" in text
        return Word(word, "both_bad", SURE if sure else GUESS, "neither was good: a tie with a flag")
    if text in _TIES:
        return Word(word, "tie", SURE if text in _CLEAR_TIES else GUESS, "no winner")
    if text in _NONE:
        return Word(word, "none", GUESS, "no verdict")
    return _phrase(word, told)


def _phrase(word: str, told: list[str]) -> Word:
    said = speak(word)
    side = _SIDE.get(said.side or "")
    if side and said.exact and said.concept in ("response", "model"):
        return Word(word, side, SURE, f"names response {side} of the file")
    if side and len(told) == 2 and _NOUNS & set(told):
        return Word(word, side, SURE, f"names response {side} of the file")
    sides = {_SIDE[t] for t in told if t in _SIDE} | {_PLACES[t] for t in told if t in _PLACES}
    others = [t for t in told if t not in _SIDE and t not in _PLACES]
    known = _BETTER | _NOUNS | {"the", "than"}
    names = [t for t in others if t in known or speak(t).concept in NAMES_OF_ANSWERS]
    if len(sides) == 1 and len(names) == len(others) and "not" not in told and len(told) <= 8:
        outcome = sides.pop()
        return Word(word, outcome, GUESS, f"seems to say that response {outcome} is better")
    return Word(word, None, ASK, "no word for a verdict that is known")


def presets(words: Iterable[str]) -> tuple[Preset, ...]:
    """What a column's numbers can mean together, the more usual first; empty where they are no scale."""
    found = sorted({plain(word) for word in words if _NUMBER.match(plain(word))}, key=_value)
    numbers = [_value(word) for word in found]
    if not found or set(found) <= {"1", "2"}:
        return ()
    if set(numbers) <= {0, 0.5, 1}:
        return (_ends(found, 1, "1 says response a, 0 response b"), _ends(found, 0, "0 says response a, 1 response b"))
    if set(numbers) == {0, 1, 2}:
        return (
            Preset("0 is a tie, 1 response a, 2 response b", (("0", "tie"), ("1", "a"), ("2", "b"))),
            Preset("0 is response a, 1 response b, 2 a tie", (("0", "a"), ("1", "b"), ("2", "tie"))),
        )
    if numbers[0] < 0:
        return (
            _halves(found, 0, low="b", label="above 0 says response a, below 0 response b"),
            _halves(found, 0, low="a", label="below 0 says response a, above 0 response b"),
        )
    if set(numbers) == {1, 2, 3}:
        return (
            Preset("1 is response a, 2 response b, 3 a tie", (("1", "a"), ("2", "b"), ("3", "tie"))),
            _halves(found, 2, low="a", label="a scale: 1 is response a, 3 response b"),
            _halves(found, 2, low="b", label="a scale: 3 is response a, 1 response b"),
        )
    top = scale_top(numbers)
    if top is None:
        return ()
    bottom = 0 if 0 in numbers else 1
    out = []
    # The upper end may be one that nobody chose: 1 to 4 of a scale to 5.
    for end in (top, top + 1) if (top - bottom) % 2 else (top,):
        middle = (bottom + end) / 2
        out.append(_halves(found, middle, low="a", label=f"a scale: {bottom} is response a, {end} response b"))
        out.append(_halves(found, middle, low="b", label=f"a scale: {end} is response a, {bottom} response b"))
    return tuple(out)


def scale_top(numbers: Collection[float]) -> int | None:
    """The upper end of the usual scale from 0 or 1 that these whole numbers are on; None where they are on none."""
    if not numbers or any(n != int(n) or n < 0 or n > 10 for n in numbers):
        return None
    return next((top for top in (3, 4, 5, 6, 7, 9, 10) if max(numbers) <= top), None)


def _value(word: str) -> float:
    return float(word.replace(",", "."))


def _ends(words: list[str], for_a: int, label: str) -> Preset:
    says = {for_a: "a", 1 - for_a: "b", 0.5: "tie"}
    return Preset(label, tuple((word, says[_value(word)]) for word in words))


def _halves(words: list[str], middle: float, *, low: str, label: str) -> Preset:
    high = "b" if low == "a" else "a"
    return Preset(
        label,
        tuple((w, "tie" if _value(w) == middle else low if _value(w) < middle else high) for w in words),
    )
