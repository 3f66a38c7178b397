"""How are numbers written for people? At most three digits, no leading zero, a true minus, thousands apart."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from typing import Any

import pandas as pd

MINUS = "−"

USUAL = 2
"""Decimals of an estimate such as .73. Where more or fewer are wished, percentages and points have as many more or
fewer: .734 is 73.4 %."""

_more: ContextVar[int] = ContextVar("more_decimals", default=0)

TIES = {
    "half": "ties count half",
    "drop": "ties left out",
    "davidson": "ties modelled after Davidson",
    "rao-kupper": "ties modelled after Rao and Kupper",
}


KINDS = {"human": "person", "llm": "LLM", "reward_model": "reward model", "rule": "rule"}
"""Who judged, as people are told; files, commands and data have the keys."""

PLURAL = ("people", "humans", "experts", "annotators", "workers", "raters", "users", "students")
"""Names of judges that take a verb in the plural."""

COLLECTIVE = (*PLURAL, "crowd", "panel", "team")
"""Names of judges that are said of several people."""

_WHOLE = re.compile(r"(\d[\d,]*)")


def absent(value: Any) -> bool:
    """Whether a cell holds no number."""
    return value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value))


def set_decimals(wished: int | None) -> None:
    """How many decimals estimates have from here on in this thread; None: as usual."""
    _more.set(0 if wished is None else wished - USUAL)


def more_decimals() -> int:
    """How many more decimals than usual estimates have just now."""
    return _more.get()


@contextmanager
def decimals(wished: int | None) -> Iterator[None]:
    """As `set_decimals`, inside the block."""
    token = _more.set(0 if wished is None else wished - USUAL)
    try:
        yield
    finally:
        _more.reset(token)


def number(value: Any, decimals: int = USUAL) -> str:
    """.73, −1.20, 26.8, 1,204; '' where undefined. decimals : at most; fewer from 10 and from 100 on"""
    return _number(value, decimals, _more.get())


def fixed(value: Any, decimals: int = USUAL) -> str:
    """As `number`, however many decimals estimates have: of ticks, thresholds and p."""
    return _number(value, decimals, 0)


def _number(value: Any, decimals: int, more: int) -> str:
    if absent(value):
        return ""
    if isinstance(value, (int,)) or (hasattr(value, "dtype") and value.dtype.kind in "iu"):
        return f"{int(value):,}".replace("-", MINUS)
    size = abs(float(value))
    decimals = max(0, min(decimals, 0 if size >= 99.95 else 1 if size >= 9.995 else decimals) + more)
    text = f"{float(value):,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    sign, digits = (MINUS, text[1:]) if text.startswith("-") else ("", text)
    if digits.startswith("0.") and decimals > 0:
        digits = digits[1:]
    return sign + digits


def amount(value: Any) -> str:
    """What there is of a factor: 85, 7.50, .74; '' where undefined."""
    return number(int(value) if not absent(value) and float(value).is_integer() else value)


def interval(lower: Any, upper: Any, decimals: int = 2) -> str:
    """[.56, .79]; '' where undefined."""
    if absent(lower) or absent(upper):
        return ""
    return f"[{number(lower, decimals)}, {number(upper, decimals)}]"


def estimate(value: Any, lower: Any, upper: Any, decimals: int = 2) -> str:
    """.73 [.56, .79]"""
    return f"{number(value, decimals)} {interval(lower, upper, decimals)}".strip()


def points(value: Any, lower: Any, upper: Any) -> str:
    """A share and its interval as percentage points: -5.3 [-28.0, 17.5]; without brackets where there is none."""
    middle, low, high = (None if absent(end) else 100 * end for end in (value, lower, upper))
    return estimate(middle, low, high, 1)


def share(value: Any) -> str:
    """66 %; '' where undefined."""
    if absent(value):
        return ""
    more = _more.get()
    # Rounded as the share itself is: .665 is .67 in a table and 67 % beside it, though 100 times .665 rounds to 66.
    percents = Decimal(f"{float(value):.{USUAL + max(more, 0)}f}").scaleb(2)
    return f"{percents if percents else abs(percents):f} %".replace("-", MINUS)


def percent(level: float) -> str:
    """.95 as 95 %."""
    return f"{100 * level:g} %"


def ties(policy: str) -> str:
    """How ties entered a fit: half, drop, davidson, rao-kupper."""
    return TIES[policy]


def p_value(value: Any) -> str:
    """.03, or < .001; '' where undefined."""
    if absent(value):
        return ""
    return "< .001" if value < 0.001 else fixed(value, 3 if value < 0.01 else 2)


def plural(n: int, one: str, many: str | None = None) -> str:
    """1 prompt, 13 prompts, 2,139 pairs."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def amounts(**counts: int) -> str:
    """2,139 pairs, 1 prompt: amounts(pair=2139, prompt=1)."""
    return ", ".join(plural(n, one) for one, n in counts.items())


def among_themselves(judge: str) -> str:
    """`people with one another`, `two votes of Ben`: what votes of one judge are held against each other as."""
    return f"{judge} with one another" if judge.casefold() in COLLECTIVE else f"two votes of {judge}"


def not_shown(n: int) -> str:
    """1 more is not shown; 44 more are not shown."""
    return f"{n:,} more {'is' if n == 1 else 'are'} not shown"


def listing(names: list[str], most: int = 3) -> str:
    """a, b and c; a, b, c and 4 more."""
    if len(names) > most:
        return ", ".join(names[:most]) + f" and {len(names) - most} more"
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1] if names else ""


def ranges(texts: Iterable[str]) -> str:
    """`clustered by 146 to 160 prompts`: sentences that differ in their numbers alone as one; the others beside it."""
    alike: dict[tuple[str, ...], list[list[str]]] = {}
    for text in texts:
        parts = _WHOLE.split(text)
        alike.setdefault(tuple(parts[::2]), []).append(parts[1::2])
    said = []
    for between, found in alike.items():
        ends = [sorted(set(at), key=lambda n: int(n.replace(",", ""))) for at in zip(*found, strict=True)]
        numbers = [at[0] if len(at) == 1 else f"{at[0]} to {at[-1]}" for at in ends]
        said.append("".join(one for pair in zip(between, [*numbers, ""], strict=True) for one in pair))
    return " / ".join(said)


def quoted(names: Iterable[str], most: int = 3) -> str:
    """'words' and 'lists': names as they are asked for, told apart from the words of a sentence."""
    return listing([f"'{name}'" for name in names], most)


def shorten(name: str, most: int = 60) -> str:
    """A name cut in the middle, so that its beginning and end can still be told from others'."""
    if len(name) <= most:
        return name
    head = (most - 1) * 2 // 3
    return name[:head] + "…" + name[len(name) - (most - 1 - head) :]
