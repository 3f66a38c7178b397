"""How is one pair shown, so that five seconds say who wrote what and who prefers which?

Everything from a file is escaped here and shown as it is: no HTML, no Markdown, no formulas, nothing fetched. Pure
functions from tables to HTML; whitespace is kept, and each text runs in the direction of its own letters.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from charts import words
from charts.theme import Mark, Theme
from ui.pair_style import STYLE

CUT = 20_000
"""Characters of a text that are shown unless the whole is asked for."""

BARS, LINES = 6, 12
"""Judges, and verdicts of one judge, that are seen without unfolding."""

# A text that scrolls must be reachable by keyboard, and have a name there.
SCROLLS = 'dir="auto" tabindex="0" role="region"'

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Counted:
    """What a factor counted in the two answers.

    label : of the factor; a, b : half-open ranges of characters of each answer, ascending and apart
    """

    label: str
    a: Sequence[tuple[int, int]]
    b: Sequence[tuple[int, int]]


def safe(text: object) -> str:
    """A text as it is, inside HTML; characters that cannot be seen but steer a screen are drawn as their pictures."""
    pictured = "".join(chr(0x2400 + ord(c)) if ord(c) < 32 and c not in "\t\n\r" else c for c in str(text))
    return html.escape(pictured)


def name(text: object, most: int = 60) -> str:
    """A name on one line, in the direction of its own letters."""
    return f"<bdi>{safe(words.shorten(' '.join(str(text).split()), most))}</bdi>"


def sides(pair: Row) -> tuple[str, str]:
    """What the two answers are called: their models where two are named, else A and B."""
    a, b = pair["model_a"], pair["model_b"]
    if absent(a) or absent(b) or a == b:
        return "Answer A", "Answer B"
    return str(a), str(b)


def absent(value: object) -> bool:
    return words.absent(value) or value is pd.NaT


def turned(pair: Row, focal: str | None) -> bool:
    """Whether b stands on the left: the model asked for does, through all its pairs."""
    return focal is not None and pair["model_b"] == focal and pair["model_a"] != focal


def card(pair: Row, judges: Sequence[Row], marks: Mapping[str, Mark], theme: Theme, *, turn: bool = False,
         whole: bool = False, counted: Counted | None = None) -> str:  # fmt: skip
    """Prompt, what each judge prefers, and both answers.

    pair : a row of the table `examples`; judges : its rows of the table `judges`; turn : b stands on the left
    counted : what is marked in the answers
    """
    order = ("b", "a") if turn else ("a", "b")
    answers = "".join(_answer(pair, side, judges, marks, theme, whole, counted) for side in order)
    return f"""{STYLE}<div class="jl" style="{_colours(theme)}">
<div class="prompt"><p class="label">{_where(pair)}</p>{_text(pair["prompt"], "Prompt", whole,
                                                               "The file gave no text of this prompt.")}</div>
{_bars(pair, judges, marks, theme, order)}
<div class="answers">{answers}</div>{_same(pair)}
</div>"""


def every_verdict(pair: Row, verdicts: Sequence[Row], marks: Mapping[str, Mark], theme: Theme) -> str:
    """Each verdict with its circumstances, judge by judge."""
    blocks = []
    by_judge: dict[tuple[str, bool], list[Row]] = {}
    for row in verdicts:
        by_judge.setdefault((str(row["judge"]), bool(row["counted"])), []).append(row)
    for (judge, counted), rows in sorted(by_judge.items(), key=lambda item: not item[0][1]):
        lines = [f"<li>{_verdict(pair, row)}</li>" for row in rows]
        listed = f"<ul>{''.join(lines[:LINES])}</ul>"
        if len(lines) > LINES:
            rest = f"<ul>{''.join(lines[LINES:])}</ul>"
            listed += f"<details><summary>{len(lines) - LINES:,} more</summary>{rest}</details>"
        kind = words.KINDS.get(str(rows[0]["kind"]), str(rows[0]["kind"]))
        out = "" if counted else " · not counted here"
        blocks.append(
            f'<div class="said{"" if counted else " out"}"><h4>{_mark(marks[judge])}{name(judge)} '
            f'<span class="muted">{kind}{out}</span></h4>{listed}</div>'
        )
    return f'<div class="jl" style="{_colours(theme)}">{"".join(blocks)}</div>'


# -- parts ------------------------------------------------------------------------------------------------------------


def _colours(theme: Theme) -> str:
    named = {"ink": theme.text, "muted": theme.muted, "border": theme.border, "second": theme.second,
             "background": theme.background, "zero": theme.zero, "flag": theme.judges[3]}  # fmt: skip
    return "; ".join(f"--{key}: {value}" for key, value in named.items())


def _mark(mark: Mark) -> str:
    return f'<span class="mark" style="--hue: {mark.colour}" aria-hidden="true">{mark.glyph}</span>'


def _where(pair: Row) -> str:
    told = ["Prompt" if absent(pair["prompt_id"]) else f"Prompt {name(pair['prompt_id'])}"]
    if not absent(pair["scenario"]):
        told.append(name(pair["scenario"]))
    told.append(f"pair {int(pair['pair'])}")
    if not absent(pair["key"]):
        told.append(f"{name(pair['key'])} in the file")
    return "".join(f"<span>{one}</span>" for one in told)


def _text(text: object, label: str, whole: bool, missing: str, places: Sequence[tuple[int, int]] = ()) -> str:
    if absent(text):
        return f'<div class="text muted">{missing}</div>'
    body = str(text)
    if not body.strip():
        return f'<div class="text muted">Empty: {words.plural(len(body), "character")}, none of them visible.</div>'
    more = ""
    if len(body) > CUT and not whole:
        more = f'\n<span class="muted">… and {len(body) - CUT:,} more characters</span>'
        body = body[:CUT]
    return f'<div class="text" {SCROLLS} aria-label="{safe(label)}">{marked(body, places)}{more}</div>'


def marked(body: str, places: Sequence[tuple[int, int]]) -> str:
    """A text as it is with these places marked; those beyond its end are not shown."""
    out, done = [], 0
    for start, end in places:
        if start >= len(body):
            break
        out.append(f"{safe(body[done:start])}<mark>{safe(body[start:end])}</mark>")
        done = end
    return "".join([*out, safe(body[done:])])


def _answer(pair: Row, side: str, judges: Sequence[Row], marks: Mapping[str, Mark], theme: Theme, whole: bool,
            counted: Counted | None) -> str:  # fmt: skip
    title = sides(pair)[0 if side == "a" else 1]
    model = pair[f"model_{side}"]
    own = f' <span class="muted">{name(model)}</span>' if not absent(model) and str(model) != title else ""
    prefer = [row for row in judges if row["majority"] == side and row["counted"]]
    chips = "".join(_chip(row, side, marks) for row in prefer[:BARS])
    if len(prefer) > BARS:
        chips += f'<span class="chip" style="--hue: {theme.border}">{len(prefer) - BARS:,} more</span>'
    chips = f'<span class="muted">preferred by</span><span class="chips">{chips}</span>' if chips else ""
    places: Sequence[tuple[int, int]] = ()
    value = ""
    if counted is not None and not absent(pair[f"response_{side}"]):
        places = counted.a if side == "a" else counted.b
        value = f'<span class="counted">{safe(counted.label)}: <b>{len(places):,}</b></span>'
    label = f"Answer of {title}" if own == "" and not title.startswith("Answer ") else title
    text = _text(pair[f"response_{side}"], label, whole, "The file gave no text of this answer.", places)
    return f'<article><header><span class="name">{name(title)}</span>{own}{value}{chips}</header>{text}</article>'


def _chip(row: Row, side: str, marks: Mapping[str, Mark]) -> str:
    mark = marks[str(row["judge"])]
    votes = int(row["a"] + row["b"] + row["tie"])
    share = f" {int(row[side])} of {votes}" if votes > 1 else ""
    return (
        f'<span class="chip" style="--hue: {mark.colour}"><b aria-hidden="true">{mark.glyph}</b>'
        f"{name(row['judge'], 40)}{share}</span>"
    )


def _bars(pair: Row, judges: Sequence[Row], marks: Mapping[str, Mark], theme: Theme, order: tuple[str, str]) -> str:
    """A row for each judge: how far it leans to the left answer and to the right one, from the middle."""
    titles = dict(zip("ab", sides(pair), strict=True))
    left, right = (name(titles[side], 40) for side in order)
    head = f'<div class="bar heads"><span class="head left">{left}</span><span class="head right">{right}</span></div>'
    ordered = sorted(judges, key=lambda row: not row["counted"])
    rows = [_bar(row, marks[str(row["judge"])], order, titles) for row in ordered]
    folded = ""
    if len(rows) > BARS:
        more = "".join(rows[BARS:])
        folded = f'<details><summary>{len(rows) - BARS:,} more judges</summary><div class="bars">{more}</div></details>'
    return f'<div class="bars">{head}{"".join(rows[:BARS])}</div>{folded}'


def _bar(row: Row, mark: Mark, order: tuple[str, str], titles: Mapping[str, str]) -> str:
    votes = int(row["a"] + row["b"] + row["tie"])
    out = "" if row["counted"] else " out"
    halves = []
    for side, where in zip(order, ("left", "right"), strict=True):
        share, text = _share(row, side, votes)
        less = "" if row["majority"] == side else " less"
        fill = f'<span class="fill" style="width: {76 * share:.1f}%"></span>' if share else ""
        halves.append(
            f'<span class="half {where}{less}{out}" style="--hue: {mark.colour}" '
            f'role="img" aria-label="{safe(titles[side])}: {text or 0}">{fill}<span>{text}</span></span>'
        )
    return (
        f'<div class="bar"><span class="who{out}">{_mark(mark)}{name(row["judge"], 40)}</span>{"".join(halves)}'
        f'<span class="note muted">{_note(row)}</span></div>'
    )


def _share(row: Row, side: str, votes: int) -> tuple[float, str]:
    """(share of one side, how it is written): votes counted, or of one vote the preference in numbers."""
    if not votes:
        return 0.0, ""
    if votes > 1:
        n = int(row[side])
        return n / votes, f"{n:,}" if n else ""
    share = float(row["share_a"]) if side == "a" else 1 - float(row["share_a"])
    # A plain verdict needs no number beside its bar.
    return share, "" if share in (0.0, 0.5, 1.0) else words.number(share)


def _note(row: Row) -> str:
    told = []
    votes = int(row["a"] + row["b"] + row["tie"])
    if row["tie"]:
        told.append(words.plural(int(row["tie"]), "tie") if votes > 1 else "tie")
    if row["both_bad"]:
        told.append("both bad" if int(row["both_bad"]) == 1 else f"{int(row['both_bad']):,} × both bad")
    if row["none"]:
        told.append("no verdict" if int(row["none"]) == 1 else f"{int(row['none']):,} without verdict")
    if row["majority"] == "split":
        told.append("split")
    if not row["counted"]:
        told.append("not counted")
    return ", ".join(told)


def _verdict(pair: Row, row: Row) -> str:
    """One verdict as a line: who, what, and under which circumstances."""
    titles = dict(zip("ab", sides(pair), strict=True))
    outcome = str(row["outcome"])
    said = {"tie": "a tie", "both_bad": "both bad", "none": "no verdict (refused or invalid)"}.get(outcome, "")
    told = [said or f"prefers <b>{name(titles[outcome])}</b>"]
    soft = row["p_a"]
    if not absent(soft) and float(soft) not in (0.0, 0.5, 1.0):
        told[0] += f" ({words.number(float(soft) if outcome != 'b' else 1 - float(soft))})"
    if not absent(row["annotator"]):
        told.insert(0, name(row["annotator"]))
    elif int(row["n"]) > 1:
        told[0] = f"{int(row['n']):,} × {told[0]}"
    if not absent(row["shown"]):
        told.append(f"{name(titles[str(row['shown'])])} shown first")
    if not absent(row["repeat"]) and int(row["repeat"]) > 1:
        told.append(f"repeat {int(row['repeat'])}")
    for key, usual in (("criterion", "overall"), ("variant", "plain")):
        if not absent(row[key]) and row[key] != usual:
            told.append(f"{key} {name(row[key])}")
    if not absent(row["weight"]) and float(row["weight"]) != 1:
        told.append(f"weight {words.number(float(row['weight']))}")
    if not absent(row["score_a"]) and not absent(row["score_b"]):
        scores = (f"{name(titles[side], 30)} {words.number(float(row[f'score_{side}']))}" for side in "ab")
        told.append(f"scores: {', '.join(scores)}")
    if not absent(row["confidence"]):
        told.append(f"confidence {words.number(float(row['confidence']))}")
    reason = ""
    if not absent(row["reason"]) and str(row["reason"]).strip():
        text = safe(str(row["reason"])[:CUT])
        reason = f'<div class="reason text muted" {SCROLLS} aria-label="Reason">{text}</div>'
    return " · ".join(told) + reason


def _same(pair: Row) -> str:
    a, b = pair["response_a"], pair["response_b"]
    if absent(a) or absent(b) or str(a) != str(b):
        return ""
    return '<p class="muted">The two answers are the same, word for word.</p>'
