"""What does a comparison of reasons say in a sentence? Pure functions of tables.

A sentence claims a gap only where its test does (scaled_q < .05; of the position, scaled_p).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.design import FIRST
from charts import words
from studies.overview import ALPHA, PLURAL, Line, Tile, escape

NAMED = 3
"""Factors named in one sentence."""


def gap_line(
    reference: str, judges: pd.DataFrame, gaps: pd.DataFrame, labels: Mapping[str, str], level: float, ties: str
) -> Line:
    """Of `FactorsGap`: its tables `judges` and `gaps`. labels : how a factor is called"""
    told = [
        _judge(str(row["judge"]), reference, gaps[gaps["judge"] == row["judge"]], labels)
        for row in judges.to_dict("records")
    ]
    first = judges.iloc[0]
    mine = gaps[gaps["judge"] == first["judge"]]
    tile = "–" if mine["gap_scaled"].isna().all() else f"{len(beyond(mine))} of {int(first['factors'])}"
    return Line(
        finding=told[0][0],
        more=" ".join([told[0][1], *(f"{a} {b}".strip() for a, b in told[1:])]).strip(),
        trust=trust(reference, first.to_dict(), level, ties),
        tiles=(Tile("Factors that differ", tile, f"{escape(str(first['judge']), 40)} · q < .05, net of decisiveness"),),
    )


def beyond(gaps: pd.DataFrame) -> pd.DataFrame:
    """Rows of factors whose net gap passes its test, the largest first."""
    passed = gaps[gaps["scaled_q"].astype("Float64").lt(ALPHA).fillna(False).astype(bool)]
    order = passed["gap_scaled"].abs().sort_values(ascending=False, kind="stable").index
    return passed.loc[order]


def _judge(judge: str, reference: str, gaps: pd.DataFrame, labels: Mapping[str, str]) -> tuple[str, str]:
    """The finding, and what stands behind it."""
    who, other = escape(judge, 40), escape(reference, 40)
    does = "do" if reference.casefold() in PLURAL else "does"
    n = int((gaps["factor"] != FIRST).sum())
    if gaps["gap_scaled"].isna().all():
        return (
            f"Where {who} and {other} part in taste cannot be told from decisiveness: {other}'s own weights together "
            "cannot be told from 0.",
            "",
        )
    found = beyond(gaps)
    position = _position(gaps, who, other)
    if found.empty:
        said = f"On {words.plural(n, 'factor')} no gap between {who} and {other} is beyond noise"
        return f"{said}{f', but {position}' if position else ''}.", ""
    parts = []
    for verb, chosen in (
        ("rewards {} more", found[(found["gap_scaled"] > 0) & (found["weight_judge"] > 0)]),
        ("punishes {} less", found[(found["gap_scaled"] > 0) & (found["weight_judge"] <= 0)]),
        ("punishes {} more", found[(found["gap_scaled"] < 0) & (found["weight_judge"] < 0)]),
        ("rewards {} less", found[(found["gap_scaled"] < 0) & (found["weight_judge"] >= 0)]),
    ):
        if len(chosen):
            # The largest; how many there are in all stands in the next sentence.
            names = [escape(lower(labels.get(str(f), str(f))), 40) for f in chosen["factor"].head(NAMED)]
            parts.append((float(chosen["gap_scaled"].abs().max()), verb.format(words.listing(names, NAMED))))
    parts.sort(reverse=True)
    text = words.listing([part for _, part in parts], 4)
    end = f"; and {position}" if position else ""
    count = "One" if len(found) == 1 else f"{len(found):,}"
    return (
        f"{who} {text} than {other} {does}{end}.",
        f"{count} of {words.plural(n, 'gap')} {'is' if len(found) == 1 else 'are'} beyond noise, decisiveness aside.",
    )


def _position(gaps: pd.DataFrame, who: str, other: str) -> str:
    """What is said of the shown order where the two differ in it beyond noise."""
    rows = gaps[gaps["factor"] == FIRST]
    if rows.empty or words.absent(rows["scaled_p"].iloc[0]) or rows["scaled_p"].iloc[0] >= ALPHA:
        return ""
    row = rows.iloc[0]
    side = "first" if row["gap_scaled"] > 0 else "second"
    return f"{who} favours the answer shown {side} more than {other}"


def lower(label: str) -> str:
    """A label inside a sentence."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def trust(reference: str, row: Mapping[Any, Any], level: float, ties: str) -> str:
    """n, clusters, decisiveness and method in a line."""
    judge = escape(str(row["judge"]), 40)
    n = (
        f"{int(row['judgments_ref']):,} judgments of {escape(reference, 40)} and {int(row['judgments']):,} of {judge} "
        f"on {words.plural(int(row['pairs']), 'shared pair')}"
    )
    scale = row.get("scale")
    if scale is None or words.absent(scale):
        decisive = "decisiveness unknown: these are plain gaps"
    else:
        span = words.estimate(scale, row["scale_lower"], row["scale_upper"])
        decisive = f"{judge} is {span} times as decisive; net gaps leave that out"
        if float(scale) <= 0:
            decisive = f"{judge} weighs on the whole the other way round (scale {span}); net gaps leave that out"
    return f"{n} · {words.ties(ties)} · {decisive} · {words.percent(level)} intervals, {row['intervals']}"


def weight_line(table: pd.DataFrame, judges: pd.DataFrame, labels: Mapping[str, str], level: float, ties: str) -> Line:
    """Of `FactorsFit` of one judge: what moves its verdicts beyond noise."""
    row = judges.iloc[0]
    judge = escape(str(row["judge"]), 40)
    factors = table[table["factor"] != FIRST]
    sure = factors[factors["q"].astype("Float64").lt(ALPHA).fillna(False).astype(bool)]
    parts = []
    for verb, chosen in (("rewards", sure[sure["weight"] > 0]), ("punishes", sure[sure["weight"] < 0])):
        order = chosen["weight"].abs().sort_values(ascending=False, kind="stable").index
        names = [escape(lower(labels.get(str(f), str(f))), 40) for f in chosen.loc[order, "factor"]]
        if names:
            parts.append(f"{verb} {words.listing(names, NAMED)}")
    does = " and ".join(parts)
    head = f"{judge} {does}, beyond noise." if does else f"No factor moves {judge}'s verdicts beyond noise."
    n = words.plural(int(row["judgments"]), "judgment")
    return Line(
        finding=head,
        trust=f"{n} on {words.plural(int(row['pairs']), 'pair')} · {words.ties(ties)} · {words.percent(level)} "
        f"intervals, {row['intervals']}",
    )
