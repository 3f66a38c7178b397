"""Which numbers must hold? `--require 'spearman.lower>=.5'`, for scripts that fail when they do not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import typer

from charts import words

_REQUIRE = re.compile(r"^\s*([\w.]+)\s*(>=|<=|==|>|<)\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*$")
_TESTS: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda a, b: a >= b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, "<": lambda a, b: a < b,
    "==": lambda a, b: a == b,
}  # fmt: skip


def condition(text_: str) -> tuple[str, str, float]:
    """'spearman.lower>=.5' as (name, sign, bound). Raises BadParameter."""
    found = _REQUIRE.match(text_)
    if not found:
        raise typer.BadParameter(f"--require {text_!r}: write NAME>=NUMBER, for example 'spearman.lower>=.5'")
    return found.group(1), found.group(2), float(found.group(3))


def check_required(content: dict[str, Any], conditions: list[tuple[str, str, float]]) -> list[str]:
    """Which conditions do not hold, in words. What is not defined does not hold."""
    failed = []
    for path, sign, bound in conditions:
        value: Any = content
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, dict):
            value = value.get("value")
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            numbers = sorted(k for k, v in content.items() if isinstance(v, (int, float, dict)) and k != "settings")
            failed.append(f"{path}{sign}{bound:g}: {path} is no defined number here (there are {', '.join(numbers)})")
        elif not _TESTS[sign](float(value), bound):
            failed.append(f"{path}{sign}{bound:g}: {path} is {words.number(value, 4)}")
    return failed
