"""What does a result say in one sentence, and which figures belong on the Overview? Pure functions of results.

A sentence claims a difference only where its test does (scaled_q < .05), an order only where the interval of the
correlation leaves out zero, and says what is not known in the other cases.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from charts import words

ALPHA = 0.05
"""False discovery rate below which a gap counts as beyond noise."""

PLURAL = words.PLURAL

SENTENCES = 3
"""Judges that get a sentence of their own; more are left to the reader's choice."""


@dataclass(frozen=True)
class Tile:
    """One figure with what stands behind it. column : the statistic as `studies.glossary` knows it"""

    label: str
    value: str
    note: str
    column: str


@dataclass(frozen=True)
class Line:
    """What one study adds to the Overview. finding, more : Markdown; trust : what lets one believe them."""

    finding: str = ""
    more: str = ""
    trust: str = ""
    tiles: tuple[Tile, ...] = ()


_ADDRESS = re.compile(r"(https?:|www|[\w.+-])(?=//|\.(?<=www\.)|@\w)", re.IGNORECASE)
"""Where an address begins that Markdown makes a link of, escaped or not, unless something unseen (U+2060) parts it."""


def escape(name: str, most: int = 60) -> str:
    """A name or a sentence as it is, inside Markdown, and never longer than `most`; no line breaks between 70 and %."""
    flat = _ADDRESS.sub("\\1\u2060", re.sub(r"\s+", " ", words.shorten(name, most)))
    flat = re.sub(r"(?<=\d) (?=%)", "\u00a0", flat)
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:^=])", r"\\\1", flat)


def inert(label: str) -> str:
    """A label with a name in it that screen readers alone are told, so without backslashes.

    Markdown that is hidden fetches its images and makes its links all the same, unless something unseen parts them.
    """
    return _ADDRESS.sub("\\1\u2060", label).replace("](", "]\u2060(")


def with_code(text: str) -> str:
    """A sentence of the program's own inside Markdown: what it sets in backquotes stays code, the rest is as it is."""
    # One line: in a paragraph of its own what follows a backquote would not be code.
    parts = re.split(r"`([^`]+)`", re.sub(r"\s+", " ", text))
    return "".join(f"`{part}`" if k % 2 else _edged(part) for k, part in enumerate(parts))


def _edged(text: str) -> str:
    """`escape`, with the blanks at both ends, which part a word from code."""
    inner = text.strip()
    if not inner:
        return text
    start = len(text) - len(text.lstrip())
    return text[:start] + escape(inner, 4000) + text[start + len(inner) :]


def question(names: Mapping[str, tuple[int, str]], reference: str | None, judges: Sequence[str]) -> str:
    """The Overview's title. names : judge -> (id, kind); judges : those held against the reference."""
    others = [escape(j, 40) for j in judges if j != reference]
    if reference is None:
        return "Who prefers what?"
    if not others:
        kind = names[reference][1]
        return "What do people prefer?" if kind == "human" else f"What does {escape(reference, 40)} prefer?"
    who = words.listing(others, 2)
    prefers = "what people prefer" if names[reference][1] == "human" else f"what {escape(reference, 40)} prefers"
    if len(others) == 1:
        return f"Does {who} prefer {prefers}?"
    return f"Do {who} prefer {prefers}?"


# -- two judges held against each other -----------------------------------------------------------------------------


def compare_line(reference: str, judges: pd.DataFrame, models: pd.DataFrame, level: float, ties: str) -> Line:
    """Of `Compare`: its tables `judges` (one row a judge) and `models` (one row a judge and model)."""
    rows = judges.to_dict("records")
    told = [_order(str(r["judge"]), reference, r) for r in rows[:SENTENCES]]
    differ = [_differences(str(r["judge"]), models[models["judge"] == r["judge"]]) for r in rows[:SENTENCES]]
    return Line(
        finding=told[0],
        more=" ".join([*told[1:], *_merge(differ)]),
        trust=_trust(rows, level, ties),
        tiles=(*(_correlation_tile(r) for r in rows[:2]), _differ_tile(rows, models)),
    )


def _order(judge: str, reference: str, row: Mapping[Any, Any]) -> str:
    does = "do" if reference.casefold() in PLURAL else "does"
    judge, reference = escape(judge), escape(reference)
    value, lower, upper = row["spearman"], row["spearman_lower"], row["spearman_upper"]
    n = words.plural(int(row["models"]), "model")
    if words.absent(value):
        return f"The orders of {judge} and {reference} cannot be correlated on {n}."
    rho = f"ρ = {words.estimate(value, lower, upper)}"
    if words.absent(lower) or words.absent(upper):
        return (
            f"{judge} and {reference} order the {n} with a correlation of {rho}; how sure that is cannot be said from "
            "these data."
        )
    if lower > 0:
        return f"{judge} orders the {n} {_likeness(float(value))} {reference} {does} ({rho})."
    if upper < 0:
        return f"{judge} tends to order the {n} the other way round from {reference} ({rho})."
    return f"Whether {judge} orders the {n} as {reference} {does} cannot be told ({rho})."


def _likeness(rho: float) -> str:
    if rho > 1 - 1e-9:
        return "exactly as"
    if rho >= 0.9:
        return "almost exactly as"
    if rho >= 0.7:
        return "much as"
    return "partly as" if rho >= 0.4 else "only loosely as"


def beyond_noise(models: pd.DataFrame) -> pd.DataFrame:
    """The rows whose scaled gap passes its test, largest first."""
    passed = models[models["scaled_q"].astype("Float64").lt(ALPHA).fillna(False).astype(bool)]
    order = passed["gap_scaled"].abs().sort_values(ascending=False, kind="stable").index
    return passed.loc[order]


def most_different(models: pd.DataFrame, most: int = 5) -> pd.DataFrame:
    """The rows of one judge to look at first: beyond noise before the others, then by size of the scaled gap (of the
    plain one where no scale is offered)."""
    size = models["gap_scaled"].astype("Float64").abs()
    size = size.fillna(models["gap"].astype("Float64").abs()) if size.isna().all() else size
    beyond = models.index.isin(beyond_noise(models).index)
    ranked = models.assign(_size=size, _beyond=beyond).dropna(subset="_size")
    ranked = ranked.sort_values(["_beyond", "_size"], ascending=False, kind="stable")
    return ranked.head(most).drop(columns=["_size", "_beyond"])


def _differences(judge: str, models: pd.DataFrame) -> tuple[str, str]:
    """(judge, what it does with single models)."""
    if models["gap_scaled"].isna().all():
        return judge, "untold"
    found = beyond_noise(models)
    if found.empty:
        return judge, "none"
    up = [escape(m, 40) for m in found.loc[found["gap_scaled"] > 0, "model"]]
    down = [escape(m, 40) for m in found.loc[found["gap_scaled"] < 0, "model"]]
    parts = []
    if up:
        parts.append(f"places {words.listing(up)} higher")
    if down:
        parts.append(f"{'' if up else 'places '}{words.listing(down)} lower")
    return judge, " and ".join(parts)


def _merge(differ: Sequence[tuple[str, str]]) -> list[str]:
    out = [
        f"Beyond noise, and its decisiveness aside, {escape(judge)} {text}."
        for judge, text in differ
        if text not in ("none", "untold")
    ]
    silent = [escape(judge) for judge, text in differ if text == "none"]
    if silent:
        end = "" if len(silent) == len(differ) == 1 else f" for {words.listing(silent)}"
        out.append(f"No single model's place differs beyond noise{end}.")
    untold = [escape(judge) for judge, text in differ if text == "untold"]
    if untold:
        out.append(
            f"For {words.listing(untold)}, taste cannot be told from decisiveness, so no single model is named."
        )
    return out


def _trust(rows: Sequence[Mapping[Any, Any]], level: float, ties: str) -> str:
    first = rows[0]
    size = (
        f"{words.plural(int(first['judgments']), 'judgment')} on {words.plural(int(first['pairs']), 'shared pair')}, "
        f"{words.plural(int(first['prompts']), 'prompt')}"
    )
    if len(rows) > 1:
        size += f" (with {escape(str(first['judge']))})"
    intervals = f"{words.percent(level)} intervals, {first['intervals']}"
    return f"{size} · {words.ties(ties)} · {intervals}; correlations by prompt bootstrap"


def _correlation_tile(row: Mapping[Any, Any]) -> Tile:
    span = words.interval(row["spearman_lower"], row["spearman_upper"]) or "no interval"
    value = words.number(row["spearman"]) or "–"
    n = words.plural(int(row["models"]), "model")
    return Tile("Rank correlation", value, f"{escape(str(row['judge']), 40)} · {span} · {n}", "spearman")


def _differ_tile(rows: Sequence[Mapping[Any, Any]], models: pd.DataFrame) -> Tile:
    counts = []
    for row in rows:
        mine = models[models["judge"] == row["judge"]]
        untold = mine["gap_scaled"].isna().all()
        counts.append("–" if untold else f"{len(beyond_noise(mine))} of {len(mine)}")
    who = [escape(str(row["judge"]), 40) for row in rows]
    others = "".join(f"; {name}: {count}" for name, count in zip(who[1:2], counts[1:2], strict=True))
    return Tile("Models that differ", counts[0], f"{who[0]}{others} · q < .05, net of decisiveness", "q")


def agreement_line(reference: str, judges: pd.DataFrame, ties_left_out: bool) -> str:
    """How often judges agree with the reference, beside its votes with one another; "" where that cannot be said.

    judges : the table of the study `agreement`
    """
    ending = "_no_ties" if ties_left_out else ""
    told = judges[judges[f"agreement{ending}"].notna()].head(SENTENCES).to_dict("records")
    if not told:
        return ""
    people, (first, *others) = escape(reference), told
    agree = "agree" if str(first["judge"]).casefold() in PLURAL else "agrees"
    parts = [
        f"{escape(str(first['judge']))} {agree} with {people} on {_percent(first, f'agreement{ending}')} of verdicts"
        + (" without ties" if ties_left_out else ""),
        *(f"{escape(str(row['judge']))} on {_percent(row, f'agreement{ending}')}" for row in others),
    ]
    ceilings = [row for row in told if not words.absent(row[f"people{ending}"])]
    if ceilings:
        # Those of different judges differ by the pairs that each has judged.
        parts.append(f"{words.among_themselves(people)} on {_percent(ceilings[0], f'people{ending}')}")
    return f"{', '.join(parts)}."


def _percent(row: Mapping[Any, Any], name: str) -> str:
    """66 % [58 %, 73 %]"""
    ends = [words.share(row[f"{name}_{end}"]) for end in ("lower", "upper")]
    return escape(words.share(row[name]) + (f" [{', '.join(ends)}]" if all(ends) else ""))


# -- each judge alone ---------------------------------------------------------------------------------------------


def rank_line(ranking: pd.DataFrame, judges: pd.DataFrame, level: float, ties: str) -> Line:
    """Of `Rank`, for where no two judges can be compared: who comes first, and whether that is sure."""
    told = [_first(str(judge), ranking[ranking["judge"] == judge]) for judge in judges["judge"].head(SENTENCES)]
    n = int(judges["judgments"].sum())
    method = str(judges["intervals"].iloc[0])
    first = escape(str(judges["judge"].iloc[0]))
    return Line(
        finding=told[0],
        more=" ".join(told[1:]),
        trust=f"{words.plural(n, 'judgment')} · {words.ties(ties)} · {words.percent(level)} intervals, {method}",
        tiles=(Tile("Models ranked", f"{int(judges['models'].iloc[0]):,}", first, "models"),),
    )


def _first(judge: str, ranking: pd.DataFrame) -> str:
    puts = "put" if judge.casefold() in PLURAL else "puts"
    judge = escape(judge)
    ranked = ranking[ranking["rank"].notna()]
    n = words.plural(len(ranked), "model")
    first = ranked[ranked["rank"] == 1]
    if first["strength"].isna().any():
        # Without a strength there is no noise to be beyond.
        who = words.listing([escape(m, 40) for m in first["model"]])
        return f"{judge} {puts} {who} at the top of {n}, unbeaten by the ranked ones: how far ahead cannot be told."
    if len(first) != 1:
        return f"{judge} {puts} {words.listing([escape(m, 40) for m in first['model']])} level at the top of {n}."
    best = escape(str(first["model"].iloc[0]), 40)
    rivals = int((ranked["rank_lower"].fillna(ranked["rank"]) == 1).sum()) - 1
    if rivals <= 0:
        return f"{judge} {puts} {best} first of {n}, beyond noise."
    who = "one other" if rivals == 1 else f"{rivals} others"
    return f"{judge} {puts} {best} first of {n}, but it cannot be told from {who}."
