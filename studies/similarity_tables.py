"""What is told of judges held against one another: their matrix, their groups, and what is undefined or thin?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.similarity import Similarity
from analysis.similarity_map import Grouped
from analysis.tables import floats, integers
from charts import words
from errors import FileError, MappingError, OptionError
from studies.study import Result

THIN = 10
"""Shared pairs a scenario below which a mean over scenarios is said to rest on little."""


@dataclass(frozen=True)
class Matched(Result):
    """A result whose JSON has the judges and their matrix too; an undefined cell is null."""

    def as_json(self) -> dict[str, Any]:
        judges = [str(judge) for judge in self.table("placed")["judge"]]
        at = {judge: k for k, judge in enumerate(judges)}
        matrix: list[list[float | None]] = [[1.0 if i == j else None for j in at.values()] for i in at.values()]
        for row in self.table("pairs").to_dict("records"):
            i, j, value = at[row["judge_1"]], at[row["judge_2"]], row["similarity"]
            matrix[i][j] = matrix[j][i] = None if words.absent(value) else float(value)
        return super().as_json() | {"judges": judges, "matrix": matrix}


def split_groups(given: Sequence[str]) -> dict[str, list[str]]:
    """NAME=JUDGE words as name -> judges, in the order given. Raises OptionError for a word that is none."""
    out: dict[str, list[str]] = {}
    for word in given:
        name, sign, judge = word.partition("=")
        if not sign or not name.strip() or not judge.strip():
            raise OptionError(f"--group {word!r}: write it as NAME=JUDGE")
        if judge.strip() not in out.setdefault(name.strip(), []):
            out[name.strip()].append(judge.strip())
    return out


def read_groups(path: Path) -> tuple[str, ...]:
    """The words of a file with the columns judge and group. Raises FileError, MappingError."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise FileError(f"{path} cannot be read as a table with the columns judge and group: {error}") from error
    table.columns = [str(name).strip().casefold() for name in table.columns]
    if not {"judge", "group"} <= set(table.columns):
        raise MappingError(f"{path.name} needs the columns judge and group; it has {', '.join(table.columns)}")
    for k, row in enumerate(table.to_dict("records")):
        if not row["judge"].strip() or not row["group"].strip() or "=" in row["group"]:
            raise MappingError(f"{path.name} line {k + 2}: a judge and the name of its group (without =) are needed")
    return tuple(f"{row['group'].strip()}={row['judge'].strip()}" for row in table.to_dict("records"))


def table_of_judges(judges: pd.DataFrame, grouped: Grouped) -> pd.DataFrame:
    """judge, kind, source, what stands behind it, place (in the order of the tree) and x, y on the map."""
    place: list[int | None] = [None] * len(judges)
    for k, judge in enumerate(grouped.order[: grouped.kept]):
        place[judge] = k + 1
    return judges.assign(place=integers(place), x=floats(grouped.x), y=floats(grouped.y))


def undefined(similarity: Similarity) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for (i, j), why in similarity.reasons.items():
        by_reason.setdefault(why, []).append(f"{similarity.judges[i]} and {similarity.judges[j]}")
    return [f"not compared: {words.listing(pairs, 4)}: {why}" for why, pairs in by_reason.items()]


def apart(judges: Sequence[str], grouped: Grouped) -> list[str]:
    out = [judges[k] for k in grouped.order[grouped.kept :]]
    if not out:
        return []
    return [f"{words.listing(out, 5)} {'is' if len(out) == 1 else 'are'} in no tree and on no map, as some of the "
            "similarities are undefined"]  # fmt: skip


def thin(similarity: Similarity) -> list[str]:
    assert similarity.places is not None
    one, two = np.triu_indices(len(similarity.judges), 1)
    n, places = similarity.n[one, two], similarity.places[one, two]
    few = int(((n > 0) & (n < THIN * places)).sum())
    if not few:
        return []
    share = "shares" if few == 1 else "share"
    return [
        f"{words.plural(few, 'pair')} of judges {share} fewer than {THIN} pairs a scenario: each scenario counts alike "
        "in the mean, however little is known of it; --over overall counts each pair alike"
    ]
