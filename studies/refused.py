"""Why do some judges' verdicts give no answer? One sentence for all judges of whom the same is true."""

from __future__ import annotations

from collections.abc import Mapping

from charts import words
from errors import NotIdentifiedError

NAMED = 5
"""Judges that one sentence names."""


def sentences(reasons: Mapping[str, str]) -> list[str]:
    """`people and gpt-4: why`, one a reason. reasons : judge -> why it has no answer"""
    judges: dict[str, list[str]] = {}
    for judge, why in reasons.items():
        judges.setdefault(why.rstrip("."), []).append(judge)
    return [f"{words.listing(some, NAMED)}: {why}" for why, some in judges.items()]


def nobody(reasons: Mapping[str, str]) -> NotIdentifiedError:
    """The error where no judge has an answer."""
    return NotIdentifiedError(". ".join(sentences(reasons)))
