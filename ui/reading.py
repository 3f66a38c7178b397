"""What does each column of a dropped file mean, and how are verdicts laid out in it? Prefilled and changeable."""

from __future__ import annotations

import re
from collections.abc import Mapping

import streamlit as st

from charts import words
from data.file_shapes import Shape
from data.rated import RATED
from data.recognise import ASK, SHAPES, Meaning
from data.recognise.values import verdict_kind
from data.vocabulary import FIELDS
from studies.overview import escape, inert
from ui.asked import AS_LAST, WIDTHS, YOURS, badge, keep, key, restore, say_all, told
from ui.mapping import ABOUT, JUDGE, UNUSED, Choices, Look, first_means, remembered_means

ENTITIES = ("annotator", "judge", "prompt", "pair")


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
    with st.container(key="wide-head"):
        for where, text in zip(st.columns(WIDTHS), ("column, how sure, first values", "means"), strict=True):
            where.caption(text)
    for column in seen.columns:
        if column not in folded:
            means[column] = _column(file, seen, meanings[column], first[column], before)
    if folded:
        unused = [c for c in folded if meanings[c].role == "unused"]
        said = [f"not used: {_named(unused)}"] if unused else []
        factors = [c for c in folded if c not in unused]
        said += [f"factors of the responses: {_named(factors)}"] if factors else []
        with st.expander(f"{words.plural(len(folded), 'more column')} — {'; '.join(said)}"):
            for column in folded:
                means[column] = _column(file, seen, meanings[column], first[column], before)
    return {column: means[column] for column in seen.columns}


def _named(columns: list[str]) -> str:
    return words.listing([escape(column, 30) for column in columns], 5)


def _column(file: str, seen: Look, meaning: Meaning, first: str, before: Mapping[str, str] | None) -> str:
    column = meaning.column
    start = before[column] if before else first
    others = [JUDGE if other == "judge" and _of_a_judge(seen, column) else other for other in meaning.others]
    likely = [m for m in dict.fromkeys((start, first, *others)) if m != UNUSED]
    rest = [f for f in (*FIELDS, *_rated(seen)) if f not in likely]
    about = [ABOUT + entity for entity in ENTITIES]
    options = list(dict.fromkeys([UNUSED, *likely, *rest, JUDGE, *about]))
    if meaning.role == "factor":
        # Two columns NAME_a and NAME_b are taken by the importer as long as nothing else is said of them.
        options.remove(UNUSED)
    number = seen.columns.index(column)
    left, right = st.columns(WIDTHS, vertical_alignment="center", gap="small")
    with right:
        widget = key(file, f"means:{number}")
        restore(widget, start, options)
        picked = st.selectbox(inert(f"{column} means"), options, key=widget, format_func=field_name,
                              label_visibility="collapsed")  # fmt: skip
        keep(widget, picked)
    confidence = meaning.confidence if meaning.role != "unused" or meaning.confidence == ASK else None
    with left:
        values = _values(seen.first[column])
        confidence = YOURS if picked != start else AS_LAST if before is not None else confidence
        told(column, values, confidence, meaning.why)
    return str(picked)


def _rated(seen: Look) -> list[str]:
    """Fields of responses rated by themselves: numbered where the file's columns are."""
    assert seen.reading is not None
    numbers = {m[1] for one in seen.reading.columns if (m := re.fullmatch(r"[a-z]+_([1-9]\d?)", one.field or ""))}
    numbered = [f"{name}_{n}" for n in sorted(numbers, key=int) for name in ("response", "model", "rating", "rank")]
    return [*RATED, *numbered]


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
        st.button(f"{named} hold the verdicts of one judge each", key="all-judges", on_click=say_all,
                  args=([widgets[c] for c in still], JUDGE))  # fmt: skip


def field_name(meaning: str) -> str:
    return meaning.replace("_", " ") if meaning != UNUSED else "not used"


def _values(first: tuple[str, ...], most: int = 72) -> str:
    """The first values of a column in a line."""
    short = [words.shorten(" ".join(value.split()), 48) for value in first]
    while len(short) > 1 and len(" · ".join(short)) > most:
        short.pop()
    return " · ".join(escape(value) for value in short) or "empty"


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


def layout(file: str, seen: Look, choices: Choices) -> None:
    """The shape as a sentence, with how sure that is, and the others that the columns would allow."""
    assert seen.reading is not None
    shape = shape_of(choices)
    first = first_means(seen.reading)
    widgets = {c: key(file, f"means:{seen.columns.index(c)}") for c in seen.columns}
    if shape == "rows" and not {"winner", "p_a"} & {f for f, _ in choices.maps()}:
        st.markdown(f"How the verdicts are laid out {badge(ASK)} Say below which columns hold them.")
    else:
        sure = seen.reading.shape_confidence
        if shape != seen.reading.shape:
            sure = ASK if dict(choices.means) == first else YOURS
        st.markdown(f"Read as **{SHAPES[shape]}** {badge(sure)} {SAYS[shape]}")
    others = {
        other: {c: _in_shape(first[c], other) for c in seen.columns}
        for other in dict.fromkeys((seen.reading.shape, *seen.reading.shapes))
        if other != shape and set(VERDICTS.get(other, ())) & set(first.values())
    }
    if "rating" not in choices.means.values():
        rated = {m.column: next((RATED_AS[o] for o in m.others if o in RATED_AS), first[m.column])
                 for m in seen.reading.columns}  # fmt: skip
        if {"response", "model"} & set(rated.values()) and "rating" in rated.values():
            others["ratings"] = rated
    for other, means in others.items():
        st.button(f"Read it as {SHAPES[other]}", key=f"shape-{other}", on_click=_read_as, args=(widgets, means))


RATED_AS = {"rating": "rating", "response_a": "response", "model_a": "model"}
"""What a column of one side would be where each response is rated by itself."""


def _in_shape(meaning: str, shape: str) -> str:
    """What a column means where verdicts come from the columns of this shape, and from no others."""
    foreign = any(meaning in VERDICTS[other] for other in VERDICTS if other != shape)
    return UNUSED if foreign and meaning not in VERDICTS[shape] else meaning


def _read_as(widgets: Mapping[str, str], means: Mapping[str, str]) -> None:
    for column, widget in widgets.items():
        st.session_state[widget] = means[column]


VERDICTS = {
    "rows": ("winner", "p_a"),
    "wide": (JUDGE,),
    "counts": ("count_a", "count_b", "count_tie"),
    "scores": ("score_a", "score_b"),
    "chosen": ("chosen", "rejected"),
}
"""What says who won, by shape."""
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
