"""Which verdicts say little of a judge's biases, and must be known before any of its figures is read?"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from charts import words
from studies.audit_data import Audited

MOST = 5
"""Judges named in a sentence."""

CONSTANT: Mapping[str, str] = {
    "ties": "all verdicts are ties, and no bias but these can be seen",
    "first": "all verdicts are for the answer shown first",
    "last": "all verdicts are for the answer shown last",
    "a": "all verdicts are for side a, which may be how the file lists winners",
    "b": "all verdicts are for side b, which may be how the file lists winners",
}


def odd_verdicts(data: Audited) -> list[str]:
    """Sentences: verdicts that are all alike, on other pairs than the reference, or in contradiction."""
    kinds: dict[str, list[str]] = {kind: [] for kind in CONSTANT}
    apart, split = [], []
    for judge in data.judges:
        rows, votes = data.of(judge).plain, data.of(judge).votes
        if not len(rows):
            continue
        kind = always(rows)
        if kind:
            kinds[kind].append(judge)
        if len(votes) and not rows["pair"].isin(votes["pair"]).any():
            apart.append(judge)
        both = int(((rows["a"] > 0) & (rows["b"] > 0)).sum())
        if both:
            again = int((rows["a"] + rows["b"] + rows["tie"] > 1).sum())
            split.append(f"{judge} ({both:,} of {again:,} questions)")
    told = [(CONSTANT[kind], some) for kind, some in kinds.items()]
    told.append((f"no pair is shared with {data.reference}, so that nothing tells biases from good taste", apart))
    said = "asked again in the same order, a judge also chose the other side, and the mean of its verdicts counts"
    told.append((said, split))
    return [f"{text}: {words.listing(some, MOST)}" for text, some in told if some]


def always(rows: pd.DataFrame) -> str:
    """What all of a judge's plain verdicts say: ties, first, last, a, b; '' where they differ."""
    a, b, tie = (rows[name].sum() for name in ("a", "b", "tie"))
    if not a and not b:
        return "ties"
    if tie:
        return ""
    shown = rows["shown"]
    # In one order alone a and the first place are one and the same.
    if {1, -1} == set(shown.unique().tolist()):
        first = rows["a"].where(shown > 0, rows["b"]).sum()
        if first in (0, a + b):
            return "first" if first else "last"
    return "" if a and b else "a" if a else "b"
