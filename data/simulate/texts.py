"""Prompts and responses that read like real ones: topics from small tables, styles from planted numbers.

A file in `topics/` holds one scenario. A line's first sign says what it is: `#` opens a topic (its name as a noun
phrase), `?` a prompt, `>` a passage that belongs to every prompt, `=` a direct answer (two a topic), `-` a point as
label | sentence | detail, `+` a line of code, `!` a caveat. All of it was written for this project.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from data.simulate.phrases import (
    APOLOGIES,
    BEFORE_LIST,
    FIRST_PERSON_AFTER,
    FIRST_PERSON_BEFORE,
    HEDGED_ENDS,
    HEDGED_STARTS,
    HEDGES,
    IDEAS_HEDGED,
    OPENINGS,
    PROPOSALS_HEDGED,
    QUESTIONS,
    SUMMING_UP,
    VAGUE,
    WIDER,
)

TOPICS = Path(__file__).parent / "topics"

SCENARIOS: dict[str, str] = {
    "explain": "explain",
    "code": "code help",
    "summarise": "summarise",
    "advice": "advice",
    "creative": "creative ideas",
    "compare": "compare",
    "plan": "plan",
    "facts": "factual question",
}
"""File name of a scenario's topics -> its name."""

# Their points are proposals or stages and make no sense without their names.
_LABELLED = ("creative", "plan")
# Their points propose something, which "as far as one can tell" does not fit.
_HEDGED_BY_SCENARIO = {
    "creative": IDEAS_HEDGED,
    "plan": PROPOSALS_HEDGED,
    "advice": PROPOSALS_HEDGED,
    "code": PROPOSALS_HEDGED,
}
# Their points do not build on one another.
_FREE_ORDER = ("creative", "compare", "advice")

# A hedge in front is safe only before words that are no names and no imperatives.
_STATEMENT = re.compile(r"(The|A|An|It|There|They|This|These|Some|Many|Most|Both) ")


@dataclass(frozen=True)
class Point:
    label: str
    sentence: str
    detail: str


@dataclass(frozen=True)
class Topic:
    """What can be said about one subject."""

    scenario: str
    subject: str
    prompts: tuple[str, ...]
    leads: tuple[str, ...]
    points: tuple[Point, ...]
    caveat: str
    code: str


@dataclass(frozen=True)
class Style:
    """How a response is to look: counts, except flags.

    words : aimed at (40 to 230); items : list items; bold : bold phrases; hedges, first_person : phrases
    care : 0 to 1, how probably the response attends to what the prompt asks
    """

    words: int
    items: int
    bold: int
    hedges: int
    first_person: int
    question: bool
    apology: bool
    care: float


@cache
def topics() -> tuple[Topic, ...]:
    """All topics, scenario by scenario."""
    return tuple(topic for name in SCENARIOS for topic in _read(name))


def _read(name: str) -> list[Topic]:
    found = []
    for part in re.split(r"^# ", (TOPICS / f"{name}.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        subject, *lines = part.splitlines()
        rows: dict[str, list[str]] = {sign: [] for sign in "?>=-+!"}
        for line in lines:
            rows[line[0]].append(line[2:])
        passage = "".join(f"\n\n{text}" for text in rows[">"])
        points = (row.split(" | ") for row in rows["-"])
        found.append(
            Topic(
                name,
                subject,
                tuple(prompt + passage for prompt in rows["?"]),
                tuple(rows["="]),
                tuple(Point(label, sentence, detail) for label, sentence, detail in points),
                " ".join(rows["!"]),
                "\n".join(rows["+"]),
            )
        )
    return found


def _stems(text: str) -> set[str]:
    return {word[:6] for word in re.findall(r"[a-z]{4,}", text.lower())}


@cache
def _relevance(topic: Topic, number: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Word stems that the asked prompt shares with each lead and with each point."""
    asked = _stems(topic.prompts[number].split("\n")[0]) - _stems(topic.subject)
    leads = tuple(len(asked & _stems(lead)) for lead in topic.leads)
    return leads, tuple(len(asked & _stems(f"{p.label} {p.sentence} {p.detail}")) for p in topic.points)


def _count(text: str) -> int:
    return len(text.split())


def _hedged(sentence: str, scenario: str, rng: Random) -> str:
    """The sentence with a hedge in front, or behind where one in front would break it."""
    ends = _HEDGED_BY_SCENARIO.get(scenario, HEDGED_ENDS)
    if ends is HEDGED_ENDS and _STATEMENT.match(sentence) and rng.random() < 0.6:
        return f"{rng.choice(HEDGED_STARTS)} {sentence[0].lower()}{sentence[1:]}"
    return f"{sentence[:-1]}, {rng.choice(ends)}{sentence[-1]}"


def write_response(topic: Topic, number: int, style: Style, rng: Random) -> str:
    """A response to prompt `number` of the topic in the given style (Markdown)."""
    lead_fit, point_fit = _relevance(topic, number)
    attends = rng.random() < style.care
    order = sorted(range(len(topic.leads)), key=lambda k: (-lead_fit[k] if attends else 0, rng.random()))
    lead, other_lead = topic.leads[order[0]], topic.leads[order[1]]
    rank = sorted(range(len(topic.points)), key=lambda k: (-point_fit[k] if attends else 0, rng.random()))

    headed = style.bold >= 2 and style.words > 150
    before: list[str] = []
    after: list[str] = []
    if style.apology:
        before.append(rng.choice(APOLOGIES))
    elif not headed and rng.random() < 0.3:
        before.append(rng.choice(OPENINGS))
    if style.first_person:
        before.append(rng.choice(FIRST_PERSON_BEFORE))
        after += rng.sample(FIRST_PERSON_AFTER, min(style.first_person - 1, len(FIRST_PERSON_AFTER)))
    if not attends and rng.random() < 0.5:
        after.append(rng.choice(VAGUE).format(subject=topic.subject))
    if style.question:
        after.append(rng.choice(QUESTIONS).format(subject=topic.subject))
    code = topic.code if topic.code and (attends or rng.random() < 0.5) else ""

    left = style.words - _count(" ".join([*before, lead, *after, code])) - 4 * style.hedges
    left -= 2 * max(style.items, style.bold) + 3 * (style.items > 1) + 4 * headed
    chosen: dict[int, bool] = {}
    for k in rank:
        if len(chosen) >= max(style.items, 1) and left < 12:
            break
        detailed = len(chosen) >= style.items and left > 30 and rng.random() < 0.8
        chosen[k] = detailed
        left -= _count(topic.points[k].sentence) + (_count(topic.points[k].detail) if detailed else 0)
    for k in chosen:
        if not chosen[k] and left > 6:
            chosen[k] = True
            left -= _count(topic.points[k].detail)
    if left > 8:
        after.insert(0, topic.caveat)
        left -= _count(topic.caveat)
    if left > 14:
        after.insert(1, f"{rng.choice(SUMMING_UP)} {other_lead}")
        left -= _count(other_lead)
    wider_ones = WIDER[topic.scenario]
    for wider in rng.sample(wider_ones, len(wider_ones)):
        if left > 10:
            after.insert(1, wider)
            left -= _count(wider)
    shown = list(chosen)
    if topic.scenario in _FREE_ORDER:
        rng.shuffle(shown)
    else:
        shown.sort()
    return _arrange(topic, style, rng, " ".join([*before, lead]), shown, chosen, " ".join(after), code, headed)


def _arrange(
    topic: Topic,
    style: Style,
    rng: Random,
    opening: str,
    shown: list[int],
    detailed: dict[int, bool],
    closing: str,
    code: str,
    headed: bool,
) -> str:
    """Paragraphs, a list of the last `items` points, bold labels, headers and hedges where the style asks."""
    hedged = set(rng.sample(shown, min(style.hedges, len(shown))))
    surplus = style.hedges - len(hedged)
    n_items = min(style.items, len(shown)) if style.items > 1 else 0
    prose: list[str] = []
    items: list[str] = []
    bold = style.bold
    marks = [f"{n}." for n in range(1, 9)] if topic.scenario == "plan" or rng.random() < 0.3 else ["-"] * 8
    for place, k in enumerate(shown):
        point = topic.points[k]
        text = _hedged(point.sentence, topic.scenario, rng) if k in hedged else point.sentence
        if detailed[k]:
            text += " " + point.detail
        listed = place >= len(shown) - n_items
        if bold > 0:
            text, bold = f"**{point.label}:** {text}", bold - 1
        elif listed or topic.scenario in _LABELLED:
            text = f"{point.label}: {text}"
        if listed:
            items.append(f"{marks[len(items)]} {text}")
        else:
            prose.append(text)
    blocks = [opening]
    if code:
        blocks.append(f"```\n{code}\n```")
    if headed:
        blocks = ["## In short", *blocks, "## In detail"]
    apart = topic.scenario in _LABELLED or style.bold > n_items
    blocks += prose if apart else [" ".join(prose[k : k + 3]) for k in range(0, len(prose), 3)]
    if items:
        if not headed:
            blocks.append(rng.choice(BEFORE_LIST))
        blocks.append("\n".join(items))
    end = [*rng.sample(HEDGES, min(surplus, len(HEDGES))), closing]
    blocks.append(" ".join(text for text in end if text))
    return "\n\n".join(block for block in blocks if block)
