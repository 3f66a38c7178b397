"""Who judged in a dropped file, which of them are people, and what do their verdicts mean? Prefilled where it is clear.

Whether a judge is a person is never taken for granted where its name does not tell, nor what numbers mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from charts import words
from data.file_shapes import Shape
from data.model import JUDGE_KINDS
from data.recognise import ASK, GUESS, Judge, judge_of, presets
from studies.overview import escape
from ui.asked import WIDTHS, badge, certainty, keep, key, restore, say_all, segments, told
from ui.mapping import (
    ONE_JUDGE,
    OUTCOMES,
    PEOPLE,
    REJECTED,
    Choices,
    Look,
    Said,
    judges_in,
    must_be_said,
    numbered,
    remembered,
    words_in,
)

KINDS = {kind: words.KINDS[kind] for kind in JUDGE_KINDS}
MANY_SURE = 8
"""Judges whose kind their names tell: more are folded away."""
MOST_WORDS = 40
"""Different words of verdicts that are asked about one by one."""


def judges(file: str, seen: Look, choices: Choices, last: Shape | None) -> Choices:
    """Who judged, and which of them are people: prefilled where a name tells, else asked."""
    found = judges_in(seen, choices)
    if found is None or (choices.column("judge_kind") and not choices.judge_columns):
        st.markdown(
            "The column of kinds says for each row whether a person or a model judged." if found is not None else
            "There are too many judges to ask about each: names as human, people, crowd, expert or annotator are "
            "people, others LLMs. A column said to be `judge kind` decides it row by row."
        )  # fmt: skip
        return choices
    if not found:
        return _one_judge(file, seen, choices, last)
    before = remembered(last, "kinds")
    kinds: dict[str, str] = {}
    plain = [pair for pair in found if pair[0].kind is not None or pair[0].name in before]
    folded = plain if len(plain) > MANY_SURE else []
    for judge, n in found:
        if (judge, n) not in folded:
            kinds[judge.name] = _judge(file, judge, n, before)
    if folded:
        with st.expander(f"{len(folded)} more, whose names tell what they are"):
            for judge, n in folded:
                kinds[judge.name] = _judge(file, judge, n, before)
    open_ = [name for name, kind in kinds.items() if not kind]
    if len(open_) > 1:
        with st.container(horizontal=True, key="all-others"):
            for kind, text in (("llm", "LLMs"), ("human", "people")):
                which = "All" if len(open_) == len(kinds) else "The other"
                st.button(f"{which} {len(open_)} are {text}", key=f"others-{kind}", on_click=say_all,
                          args=([key(file, f"kind:{name}") for name in open_], kind))  # fmt: skip
    return _one_or_many(file, replace(choices, kinds=kinds), last)


def _one_or_many(file: str, choices: Choices, last: Shape | None) -> Choices:
    """Several columns of people: judges of their own, or annotators of one."""
    if not choices.may_pool():
        return choices
    names = [c.strip() for c in choices.people]
    before = last.choices.get("pool") if last is not None else None
    start = before if isinstance(before, bool) else numbered(names)
    one, many = f"annotators of one judge, {PEOPLE}", "judges of their own"
    said = words.listing([words.shorten(name, 24) for name in names], 3)
    first = one if start else many
    left, right = st.columns(WIDTHS, vertical_alignment="center", gap="small")
    with right:
        picked = segments(f"{said} are", (one, many), {}, first, key(file, f"pool:{start}"))
    with left:
        why = "their names differ in a number alone" if start else "each has a name of its own"
        confidence = certainty(picked, first, isinstance(before, bool), GUESS)
        told(said, f"{len(names)} columns of people", confidence, why)
    st.caption(
        "One judge: LLMs are held against all of them together, and how far they agree with one another is the "
        "ceiling. Judges of their own: each has a ranking, and they are held against each other."
    )
    return replace(choices, pool=(picked or many) == one)


def _judge(file: str, judge: Judge, n: int, before: Mapping[str, str]) -> str:
    start = before.get(judge.name, judge.kind or "")
    left, right = st.columns(WIDTHS, vertical_alignment="center", gap="small")
    with right:
        picked = segments(f"{judge.name} is a", list(JUDGE_KINDS), KINDS, start, key(file, f"kind:{judge.name}"))
    with left:
        confidence = certainty(picked, start, judge.name in before, judge.confidence if judge.kind else ASK)
        told(judge.name, words.plural(n, "row"), confidence, judge.why)
    return picked


def _one_judge(file: str, seen: Look, choices: Choices, last: Shape | None) -> Choices:
    """No column names the judge: a name and a kind for all rows."""
    assert seen.reading is not None
    before = remembered(last, "kinds")
    old = str(last.choices.get("judge") or "") if last is not None else ""
    left, right = st.columns(WIDTHS, vertical_alignment="bottom", gap="small")
    with left:
        widget = key(file, "judge")
        restore(widget, old or seen.reading.judge or "")
        name = st.text_input("Who judged? No column says so", key=widget, placeholder="for example: people")
        keep(widget, name)
    guess = seen.reading.judge_kind or (judge_of(name).kind if name.strip() else None)
    start = before.get(ONE_JUDGE) or (guess or "")
    with right:
        widget = key(file, f"kind:{ONE_JUDGE}:{start}")
        kind = segments("That is a", list(JUDGE_KINDS), KINDS, start, widget, "visible")
    if name.strip():
        confidence = certainty(kind, start, bool(before.get(ONE_JUDGE)), GUESS)
        st.markdown(f"Whether **{escape(name.strip(), 60)}** is a person: {badge(confidence)}")
    return replace(choices, judge=name, kinds={ONE_JUDGE: kind})


def verdicts(file: str, seen: Look, choices: Choices, last: Shape | None) -> dict[str, str]:
    """What each word for a verdict means, one by one, with how often it occurs."""
    found = words_in(seen, choices)
    names = [one for one in found if one.word.native and one.word.outcome is None]
    asked = [one for one in found if one not in names]
    before = remembered(last, "words")
    numbers = presets([one.word.word for one in asked])
    if numbers:
        st.markdown("Numbers mean different things in different files. All at once, or one by one:")
        with st.container(horizontal=True, key="presets"):
            for k, each in enumerate(numbers):
                st.button(each.label, key=f"preset-{k}", on_click=_say_each, args=(file, each.meanings))
    said = {one.word.word: _word(file, one, before) for one in asked[:MOST_WORDS]}
    if len(asked) > MOST_WORDS:
        rest = sum(one.rows for one in asked[MOST_WORDS:])
        st.caption(
            f"{len(asked) - MOST_WORDS} rarer words ({words.plural(rest, 'row')}) are rejected where they are no known "
            "word. Is this the column of verdicts?"
        )
    if names:
        rows = words.plural(sum(one.rows for one in names), "row")
        st.caption(f"{words.plural(len(names), 'name')} of models ({rows}): that model's response won.")
    return said


def _word(file: str, one: Said, before: Mapping[str, str]) -> str:
    """The outcome of one word, as the importer is to be told; "" for a word that it knows by itself."""
    word = one.word
    suggested = word.outcome or ("" if must_be_said(word) else REJECTED)
    start = before.get(word.word) or suggested
    options = [*OUTCOMES] if word.native or must_be_said(word) else [*OUTCOMES, REJECTED]
    left, right = st.columns((4, 5), vertical_alignment="center", gap="small")
    with right:
        picked = segments(f"{one.written} means", options, OUTCOMES, start, key(file, f"word:{word.word}"))
    with left:
        confidence = certainty(picked, start, word.word in before, word.confidence)
        told(one.written, words.plural(one.rows, "time"), confidence, word.why)
    return "" if word.native and picked == word.outcome else picked


def _say_each(file: str, meanings: Sequence[tuple[str, str]]) -> None:
    for word, outcome in meanings:
        st.session_state[key(file, f"word:{word}")] = outcome
