"""What does a comparison of reasons say in a sentence? Pure functions of tables.

A sentence claims a gap only where its test does (scaled_q < .05; of the position, scaled_p).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.design import FIRST
from analysis.gap import REFERENCE_AT_0, SAME_NOISE
from charts import words
from studies.overview import ALPHA, PLURAL, Line, Tile, escape

NAMED = 3
"""Factors named in one sentence."""


def gap_line(
    reference: str, judges: pd.DataFrame, gaps: pd.DataFrame, labels: Mapping[str, str], level: float, ties: str
) -> Line:
    """Of `FactorsGap`: its tables `judges` and `gaps`. labels : how a factor is called"""
    told = [
        _judge(row, reference, gaps[gaps["judge"] == row["judge"]], labels)
        for row in judges.to_dict("records")
    ]
    first = judges.iloc[0]
    mine = gaps[gaps["judge"] == first["judge"]]
    note = f"{escape(str(first['judge']), 40)} · q < .05, net of decisiveness"
    tile = "–" if mine["gap_scaled"].isna().all() else f"{len(beyond(mine))} of {int(first['factors'])}"
    return Line(
        finding=told[0][0],
        more=" ".join([told[0][1], *(f"{a} {b}".strip() for a, b in told[1:])]).strip(),
        trust=trust(reference, first.to_dict(), level, ties),
        tiles=(Tile("Factors that differ", tile, note, "q"),),
    )


def beyond(gaps: pd.DataFrame) -> pd.DataFrame:
    """Rows of factors whose net gap passes its test, the largest first."""
    passed = gaps[gaps["scaled_q"].astype("Float64").lt(ALPHA).fillna(False).astype(bool)]
    order = passed["gap_scaled"].abs().sort_values(ascending=False, kind="stable").index
    return passed.loc[order]


def _judge(row: Mapping[Any, Any], reference: str, gaps: pd.DataFrame, labels: Mapping[str, str]) -> tuple[str, str]:
    """The finding, and what stands behind it. row : of the table `judges`"""
    who, other = escape(str(row["judge"]), 40), escape(reference, 40)
    does = "do" if reference.casefold() in PLURAL else "does"
    n = int((gaps["factor"] != FIRST).sum())
    if gaps["gap_scaled"].isna().all():
        return _no_scale(str(row["not_scaled"]), who, other), ""
    found = beyond(gaps)
    turned = float(row["scale"]) <= 0
    position = "" if turned else _position(gaps, who, other)
    parts = []
    told: dict[str, list[str]] = {}
    for one in found.to_dict("records"):
        told.setdefault(_leans(one) if turned else _verb(one), []).append(str(one["factor"]))
    for verb, chosen in told.items():
        # The largest; how many there are in all stands in the next sentence.
        names = [escape(lower(labels.get(f, f)), 40) for f in chosen[:NAMED]]
        parts.append(agree(who, verb).format(words.listing(names, NAMED)))
    text = words.listing(parts, 6)
    count = "One" if len(found) == 1 else f"{len(found):,}"
    be = "is" if len(found) == 1 else "are"
    behind = f"{count} of {words.plural(n, 'gap')} {be} beyond noise, decisiveness aside."
    if turned:
        said = f"On the whole {_turned(who, other, row)}"
        they = "they" if who.casefold() in PLURAL else "it"
        if not parts:
            return f"{said}; no gap beside is beyond noise.", ""
        return f"{said}; beyond that {they} {text}.", behind
    if not parts:
        said = f"On {words.plural(n, 'factor')} no gap between {who} and {other} is beyond noise"
        return f"{said}{f', but {position}' if position else ''}.", ""
    end = f"; and {position}" if position else ""
    return f"{who} {text} than {other} {does}{end}.", behind


def _no_scale(why: str, who: str, other: str) -> str:
    """Why taste and decisiveness cannot be told apart."""
    if why == SAME_NOISE:
        return f"{who} and {other} say the same of every pair: there is no noise that a gap could be beyond."
    head = f"Where {who} and {other} part in taste cannot be told from decisiveness"
    if why == REFERENCE_AT_0:
        return f"{head}: {other}'s own weights together cannot be told from 0."
    return f"{head}: {why.removeprefix('the scale is not offered: ')}."


def _turned(who: str, other: str, row: Mapping[Any, Any]) -> str:
    """What a scale of 0 or less says; the other way round only where its interval leaves out 0."""
    if float(row["scale_upper"]) < 0:
        return f"{who} {agree(who, 'weighs')} the factors the other way round from {other}"
    return f"the weights of {who} neither follow those of {other} nor turn them round"


def _verb(row: Mapping[Any, Any]) -> str:
    """What the judge does more or less than the reference; it rewards and punishes only where an interval says so."""
    more = float(row["gap_scaled"]) > 0
    own, ref = _sign(row, "judge"), _sign(row, "ref")
    if own > 0:
        return "rewards {} more" if more else "rewards {} less"
    if own < 0:
        return "punishes {} less" if more else "punishes {} more"
    # The judge's own weight may be 0: it does less of what the reference surely does.
    if more and ref < 0:
        return "punishes {} less"
    if not more and ref > 0:
        return "rewards {} less"
    return "leans to {} more" if more else "leans to {} less"


def _sign(row: Mapping[Any, Any], whose: str) -> int:
    """1 or -1 where the interval of a weight leaves out 0."""
    lower, upper = row[f"{whose}_lower"], row[f"{whose}_upper"]
    if words.absent(lower):
        return 0
    return int(lower > 0) - int(upper < 0)


def _leans(row: Mapping[Any, Any]) -> str:
    return "leans to {}" if float(row["gap_scaled"]) > 0 else "leans against {}"


def _position(gaps: pd.DataFrame, who: str, other: str) -> str:
    """What is said of the shown order where the two differ in it beyond noise."""
    rows = gaps[gaps["factor"] == FIRST]
    if rows.empty or words.absent(rows["scaled_p"].iloc[0]) or rows["scaled_p"].iloc[0] >= ALPHA:
        return ""
    side = "first" if float(rows["gap_scaled"].iloc[0]) > 0 else "second"
    return f"{who} {agree(who, 'leans')} more to the answer shown {side} than {other}"


VERBS = ("rewards", "punishes", "leans", "weighs", "is")
"""What judges do here, and are."""


def agree(judge: str, text: str) -> str:
    """The same with the verbs in the plural, where the judge's name asks for it."""
    if judge.casefold() not in PLURAL:
        return text
    plural = {verb: {"is": "are", "punishes": "punish"}.get(verb, verb.removesuffix("s")) for verb in VERBS}
    return " ".join(plural.get(word, word) for word in text.split(" "))


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
        # Of factors: a judge may order models more decisively, and follow what was measured of texts less so.
        if float(scale) <= 0:
            decisive = f"on the whole {_turned(judge, escape(reference, 40), row)} (scale {span})"
        elif not words.absent(row["scale_lower"]) and float(row["scale_lower"]) <= 1 <= float(row["scale_upper"]):
            decisive = f"whether {judge} {agree(judge, 'is')} more or less decisive on factors is open (scale {span})"
        else:
            decisive = f"{judge} {agree(judge, 'is')} {span} times as decisive on factors"
        decisive += "; net gaps leave that out"
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
            parts.append(f"{agree(judge, verb)} {words.listing(names, NAMED)}")
    does = " and ".join(parts)
    head = f"{judge} {does}, beyond noise." if does else f"No factor moves {judge}'s verdicts beyond noise."
    n = words.plural(int(row["judgments"]), "judgment")
    return Line(
        finding=head,
        trust=f"{n} on {words.plural(int(row['pairs']), 'pair')} · {words.ties(ties)} · {words.percent(level)} "
        f"intervals, {row['intervals']}",
    )
