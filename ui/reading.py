"""What does a dropped file mean? Its columns, its judges and its verdicts as rows of boxes, prefilled and changeable.

Each row says how sure it is: `sure`, `a guess`, `asked`, or `yours` once somebody has changed it. Answers outlive a
look at another page; they belong to one dropped file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

import streamlit as st

from charts import words
from data.file_shapes import Shape
from data.model import JUDGE_KINDS
from data.recognise import ASK, GUESS, SHAPES, SURE, Judge, Meaning, judge_of, presets
from data.recognise.values import verdict_kind
from data.vocabulary import FIELDS
from studies.overview import escape
from ui.ask import shown
from ui.mapping import (
    ABOUT,
    JUDGE,
    ONE_JUDGE,
    OUTCOMES,
    REJECTED,
    UNUSED,
    Choices,
    Look,
    Said,
    first_means,
    judges_in,
    must_be_said,
    remembered,
    remembered_means,
    words_in,
)

KINDS = dict(zip(JUDGE_KINDS, ("person", "LLM", "reward model", "rule"), strict=True))
ENTITIES = ("annotator", "judge", "prompt", "pair")
YOURS, AS_LAST = "yours", "as last time"
BADGES = {
    SURE: ("sure", "green", ":material/check:"),
    GUESS: ("a guess", "orange", ":material/help:"),
    ASK: ("asked", "red", ":material/priority_high:"),
    YOURS: ("yours", "blue", ":material/person:"),
    AS_LAST: ("as last time", "green", ":material/history:"),
}
WIDTHS = (5, 4, 2)
MANY_SURE = 8
"""Judges whose kind their names tell: more are folded away."""
SAID = "said-of-file"
"""Where a session keeps what was said of the file that it looks at."""
MOST_WORDS = 40
"""Different words of verdicts that are asked about one by one."""


def step(number: int, title: str, hint: str = "") -> None:
    """The heading of one step."""
    st.markdown(f"#### {number}. {title}")
    if hint:
        st.caption(hint)


def badge(confidence: str, why: str = "") -> None:
    label, color, icon = BADGES[confidence]
    st.badge(label, color=color, icon=icon, help=why[:1].upper() + why[1:] + "." if why else None)  # type: ignore[arg-type]


def key(file: str, what: str) -> str:
    return f"b:{file}:{what}"


# -- columns ------------------------------------------------------------------------------------------------------


def columns(file: str, seen: Look, last: Shape | None) -> dict[str, str]:
    """What each column means: one row a column, the ones that nobody asks for folded away."""
    assert seen.reading is not None
    first = first_means(seen.reading)
    before = remembered_means(seen, last)
    meanings = {m.column: m for m in seen.reading.columns}
    folded = [
        m.column for m in seen.reading.columns
        if m.role == "factor" or (m.role == "unused" and m.confidence != ASK and not (before or {}).get(m.column))
    ]  # fmt: skip
    means: dict[str, str] = {}
    _all_judges(file, seen, meanings, first)
    for where, text in zip(st.columns(WIDTHS), ("column, first values", "means", "how sure"), strict=True):
        where.caption(text)
    for column in seen.columns:
        if column not in folded:
            means[column] = _column(file, seen, meanings[column], first[column], before)
    if folded:
        unused = [c for c in folded if meanings[c].role == "unused"]
        said = [f"{len(unused)} not used"] if unused else []
        said += ["factors of the responses"] if len(unused) < len(folded) else []
        with st.expander(f"{words.plural(len(folded), 'more column')}: {', '.join(said)}"):
            for column in folded:
                means[column] = _column(file, seen, meanings[column], first[column], before)
    return {column: means[column] for column in seen.columns}


def _column(file: str, seen: Look, meaning: Meaning, first: str, before: Mapping[str, str] | None) -> str:
    column = meaning.column
    start = before[column] if before else first
    others = [JUDGE if other == "judge" and _of_a_judge(seen, column) else other for other in meaning.others]
    likely = [m for m in dict.fromkeys((start, first, *others)) if m != UNUSED]
    rest = [f for f in FIELDS if f not in likely]
    about = [ABOUT + entity for entity in ENTITIES]
    options = list(dict.fromkeys([UNUSED, *likely, *rest, JUDGE, *about]))
    if meaning.role == "factor":
        # Two columns NAME_a and NAME_b are taken by the importer as long as nothing else is said of them.
        options.remove(UNUSED)
    number = seen.columns.index(column)
    left, right, end = st.columns(WIDTHS, vertical_alignment="center", gap="small")
    with left:
        values = " · ".join(shown(_short(v)) for v in seen.first[column]) or "empty"
        st.markdown(f"**{escape(column, 80)}**  \n:small[:gray[{values}]]")
    with right:
        widget = key(file, f"means:{number}")
        restore(widget, start, options)
        picked = st.selectbox(f"{column} means", options, key=widget, format_func=field_name,
                              label_visibility="collapsed")  # fmt: skip
        keep(widget, picked)
    with end:
        if picked != start:
            badge(YOURS)
        elif before is not None:
            badge(AS_LAST)
        elif meaning.role != "unused" or meaning.confidence == ASK:
            badge(meaning.confidence, meaning.why)
    return str(picked)


def _of_a_judge(seen: Look, column: str) -> bool:
    """Whether verdicts could stand in a column."""
    return verdict_kind(seen.samples[column], ()) is not None


def _all_judges(file: str, seen: Look, meanings: Mapping[str, Meaning], first: Mapping[str, str]) -> None:
    """Several columns of which nothing says that they are verdicts: one answer for all of them."""
    asked = [c for c, m in meanings.items() if m.confidence == ASK and "judge" in m.others and _of_a_judge(seen, c)]
    widgets = {c: key(file, f"means:{seen.columns.index(c)}") for c in asked}
    still = [c for c in asked if st.session_state.get(widgets[c], first[c]) == UNUSED]
    if len(still) > 1:
        named = words.listing([f"“{escape(c, 30)}”" for c in still], 3)
        st.button(f"{named} hold the verdicts of one judge each", key="all-judges", on_click=_say_all,
                  args=([widgets[c] for c in still], JUDGE))  # fmt: skip


def field_name(meaning: str) -> str:
    return meaning.replace("_", " ") if meaning != UNUSED else "not used"


def _short(value: str, most: int = 40) -> str:
    value = " ".join(value.split())
    return value if len(value) <= most else value[: most - 1] + "…"


def shape_of(choices: Choices) -> str:
    """How verdicts are laid out, by what the columns mean: a key of SHAPES."""
    fields = {f for f, _ in choices.maps()}
    if dict(choices.sets()).get("shape"):
        return dict(choices.sets())["shape"]
    if choices.judge_columns:
        return "wide"
    if {"winner", "p_a"} & fields:
        return "rows" if {"response_a", "response_b", "model_a", "model_b", "chosen"} & fields else "verdicts"
    for shape, need in (("counts", "count_a"), ("scores", "score_a"), ("chosen", "chosen")):
        if need in fields:
            return shape
    return "rows"


def layout(seen: Look, choices: Choices) -> None:
    """The shape as a sentence, with how sure that is."""
    assert seen.reading is not None
    shape = shape_of(choices)
    left, right = st.columns([9, 2], vertical_alignment="center")
    with left:
        st.markdown(f"Read as **{SHAPES[shape]}**. " + SAYS[shape])
    with right:
        if shape == seen.reading.shape:
            badge(seen.reading.shape_confidence, "it follows from what the columns mean")
        else:
            badge(YOURS)


SAYS = {
    "rows": "Each row says which of two responses one judge prefers.",
    "wide": "Each row is a pair of responses; each judge's verdicts stand in a column of its own.",
    "counts": "Each row is a pair of responses with the votes counted; every vote becomes a judgment.",
    "chosen": "Each row has the text that won and the one that lost; the order in which they were shown is not known.",
    "scores": "Each row has a score for either response; the higher one wins.",
    "ratings": "Responses to one prompt become pairs; the higher rating wins.",
    "ranked": "Responses to one prompt become pairs; the better place wins.",
    "verdicts": "Each row is a verdict on a pair that the dataset has already.",
}


# -- judges -------------------------------------------------------------------------------------------------------


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
                st.button(f"The other {len(open_)} are {text}", key=f"others-{kind}", on_click=_say_all,
                          args=([key(file, f"kind:{name}") for name in open_], kind))  # fmt: skip
    return replace(choices, kinds=kinds)


def _judge(file: str, judge: Judge, n: int, before: Mapping[str, str]) -> str:
    start = before.get(judge.name, judge.kind or "")
    left, right, end = st.columns([4, 5, 2], vertical_alignment="center", gap="small")
    with left:
        st.markdown(f"**{escape(judge.name, 60)}**  \n:small[:gray[{words.plural(n, 'row')}]]")
    with right:
        picked = _segments(f"{judge.name} is a", list(JUDGE_KINDS), KINDS, start, key(file, f"kind:{judge.name}"))
    with end:
        _certainty(picked, start, judge.name in before, judge.confidence if judge.kind else ASK, judge.why)
    return picked


def _one_judge(file: str, seen: Look, choices: Choices, last: Shape | None) -> Choices:
    """No column names the judge: a name and a kind for all rows."""
    assert seen.reading is not None
    before = remembered(last, "kinds")
    old = str(last.choices.get("judge") or "") if last is not None else ""
    left, right, end = st.columns([4, 5, 2], vertical_alignment="bottom", gap="small")
    with left:
        widget = key(file, "judge")
        restore(widget, old or seen.reading.judge or "")
        name = st.text_input("Who judged? No column says so", key=widget, placeholder="for example: people")
        keep(widget, name)
    guess = seen.reading.judge_kind or (judge_of(name).kind if name.strip() else None)
    start = before.get(ONE_JUDGE) or (guess or "")
    with right:
        widget = key(file, f"kind:{ONE_JUDGE}:{start}")
        kind = _segments("That is a", list(JUDGE_KINDS), KINDS, start, widget, "visible")
    with end:
        _certainty(kind, start, bool(before.get(ONE_JUDGE)), GUESS, "Taken from the name")
    return replace(choices, judge=name, kinds={ONE_JUDGE: kind})


# -- verdicts -----------------------------------------------------------------------------------------------------


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
    left, right, end = st.columns([3, 7, 2], vertical_alignment="center", gap="small")
    with left:
        st.markdown(f"**{escape(one.written, 60)}**  \n:small[:gray[{words.plural(one.rows, 'time')}]]")
    with right:
        picked = _segments(f"{one.written} means", options, OUTCOMES, start, key(file, f"word:{word.word}"))
    with end:
        _certainty(picked, start, word.word in before, word.confidence, word.why)
    return "" if word.native and picked == word.outcome else picked


# -- what they share ----------------------------------------------------------------------------------------------


def restore(widget: str, start: str, options: Sequence[str] | None = None) -> None:
    """Set a widget that is about to be drawn to what was said in it before, also before another page was looked at."""
    if widget not in st.session_state:
        kept = st.session_state.setdefault(SAID, {}).get(widget, start)
        st.session_state[widget] = kept if options is None or kept in options else start


def keep(widget: str, value: str) -> None:
    st.session_state.setdefault(SAID, {})[widget] = value


def _segments(
    label: str, options: Sequence[str], names: Mapping[str, str], start: str, widget: str,
    seen: Literal["visible", "collapsed"] = "collapsed",
) -> str:  # fmt: skip
    """A choice of one in one click; "" where nothing is chosen."""
    restore(widget, start, options)
    if st.session_state[widget] not in options:
        st.session_state[widget] = None
    picked = st.segmented_control(
        label, options, key=widget, format_func=lambda o: names.get(o, o), label_visibility=seen
    )
    keep(widget, picked or "")
    return picked or ""


def _certainty(picked: str, start: str, last: bool, confidence: str, why: str) -> None:
    if not picked:
        badge(ASK, why)
    elif picked != start:
        badge(YOURS)
    elif last:
        badge(AS_LAST)
    else:
        badge(confidence, why)


def _say_all(widgets: Sequence[str], value: str) -> None:
    for widget in widgets:
        st.session_state[widget] = value


def _say_each(file: str, meanings: Sequence[tuple[str, str]]) -> None:
    for word, outcome in meanings:
        st.session_state[key(file, f"word:{word}")] = outcome
