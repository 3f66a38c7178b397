"""What must be known of several judges alike: one sentence for all of whom it is true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from charts import words

NAMED = 5
"""Judges that one sentence names."""


def once(said: Mapping[str, Iterable[str]]) -> list[str]:
    """`people and gpt-4: text`, each text once; without a name where there is one judge. said : judge -> texts"""
    judges: dict[str, list[str]] = {}
    for judge, texts in said.items():
        for text in texts:
            judges.setdefault(text, []).append(judge)
    if len(said) == 1:
        return list(judges)
    return [f"{words.listing(some, NAMED)}: {text}" for text, some in judges.items()]


def about_left_out(causes: Mapping[str, str]) -> list[str]:
    """Factors by the reason why they are left out. causes : factor -> why"""
    by_reason: dict[str, list[str]] = {}
    for name, why in causes.items():
        by_reason.setdefault(why, []).append(name)
    return [
        f"{words.quoted(names, 6)} {'is' if len(names) == 1 else 'are'} left out: "
        f"{'' if len(names) == 1 else 'of each, '}{why}"
        for why, names in by_reason.items()
    ]  # fmt: skip
