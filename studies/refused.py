"""Why do some judges' verdicts give no answer? One sentence for all judges of whom the same is true."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from charts import words
from errors import NotIdentifiedError

if TYPE_CHECKING:
    from studies.factor_data import FactorData

NAMED = 5
"""Judges that one sentence names."""


def sentences(reasons: Mapping[str, str]) -> list[str]:
    """`people and gpt-4: why`, one a reason. reasons : judge -> why it has no answer"""
    judges: dict[str, list[str]] = {}
    for judge, why in reasons.items():
        # A comparison names the judge itself that it fails for.
        judges.setdefault(why.removeprefix(f"{judge}: ").rstrip("."), []).append(judge)
    return [f"{words.listing(some, NAMED)}: {why}" for why, some in judges.items()]


def left_out_by(table: pd.DataFrame, place: str, n_places: int) -> list[str]:
    """`gpt: left out, as why: 'words' and 'lists' in code and plan`, one sentence where more judges share it.

    table : judge, a column of this name (the scenario, for one), factor, cause; n_places : how many there are in all
    """
    judges: dict[tuple[str, str], list[str]] = {}
    for (judge, why), rows in table.groupby(["judge", "cause"], sort=False):
        alike: dict[tuple[str, ...], list[str]] = {}
        for factor, some in rows.groupby("factor", sort=False):
            alike.setdefault(tuple(some[place]), []).append(str(factor))
        which = []
        for there, factors in alike.items():
            where = f"every {place}" if len(there) == n_places else words.listing(list(there), 4)
            which.append(f"{words.quoted(factors, 8)} in {where}")
        judges.setdefault((str(why), words.listing(which, 6)), []).append(str(judge))
    return [f"{words.listing(some, NAMED)}: left out, as {why}: {which}" for (why, which), some in judges.items()]


def nobody(reasons: Mapping[str, str]) -> NotIdentifiedError:
    """The error where no judge has an answer."""
    return NotIdentifiedError(". ".join(sentences(reasons)))


def require_factors(data: FactorData, *judges: str) -> None:
    """Raises NotIdentifiedError where every judgment of one of them lacks some factor, and names it."""
    for judge in judges:
        n = data.judgments[judge]
        if not n or len(data.design[judge]):
            continue
        gone = {name: by_judge.get(judge, 0) for name, by_judge in data.missing.items() if by_judge.get(judge, 0)}
        # The factors that it never has; else all that take their part.
        never = [name for name, missing in gone.items() if missing == n] or list(gone)
        that = "that factor" if len(never) == 1 else "such factors"
        raise NotIdentifiedError(f"every judgment of {judge} lacks {words.listing(never, 4)}: leave {that} out")
