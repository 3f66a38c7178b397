"""The parts of the page Examples: what is listed, the filters, and one pair after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from charts import words
from charts.theme import marks
from data.queries import Catalog
from errors import UnknownNameError
from studies.examples import Examples
from studies.examples_words import order_in_words, outcome_in_words, what_is_listed
from studies.marks import MARKABLE
from studies.overview import escape
from studies.study import Result
from ui import pair_card, selection, session
from ui.ask import chosen, plain, shown
from ui.figure import theme
from ui.navigation import link
from ui.selection import set_word
from ui.view import View

OWN = ("between", "with_model", "disagree", "disagreeing", "outcome", "by", "order", "counted", "shared", "fitted",
       "lacking", "only", "unlabelled", "all_criteria")  # fmt: skip
"""Words of the address that say which pairs are listed."""

DISAGREE = {"opposite": "Opposite sides", "any": "Differ, ties too"}
ORDERS = {"disagreement": "Strongest disagreement first", "pair": "As stored", "given": "As in the list"}
COUNTED = {
    "all": "Any judgment",
    "given": "Verdicts",
    "ranked": "As rankings count",
    "no-verdict": "No verdict",
    "one-model": "Two texts of one model",
    "unnamed": "Without two named models",
    "ties": "Ties",
    "unknown-order": "Shown order unknown",
    "identical": "Rows that repeat another",
}


# -- the address ------------------------------------------------------------------------------------------------------


def asked(seen: View) -> Examples:
    """What the address asks for; words that cannot be are dropped with a notice."""
    assert seen.names is not None
    study = chosen(Examples)
    for word in impossible(study, seen.names):
        selection.drop_word(word)
        study = replace(study, **{word: getattr(Examples(), word)})
    return study


def impossible(study: Examples, names: Catalog) -> list[str]:
    """The options that name what the dataset does not hold, or that need another one that is not there."""
    gone = [word for word in ("between", "disagreeing") if getattr(study, word) and len(set(getattr(study, word))) != 2]
    for word, known in (("between", names.models), ("with_model", names.models), ("disagreeing", names.judges),
                        ("by", names.judges), ("lacking", names.judges)):  # fmt: skip
        value = getattr(study, word)
        listed = value if isinstance(value, tuple) else () if value is None else (value,)
        if any(one not in known for one in listed):
            gone.append(word)
    judges = study.judge or tuple(names.judges)
    if study.disagree is None or any(judge not in judges for judge in study.disagreeing):
        gone += ["disagreeing"] if study.disagreeing else []
    if study.by is not None and (study.outcome is None or study.by not in judges):
        gone.append("by")
    focal = any(getattr(study, word) and word not in gone for word in ("with_model", "between"))
    if study.outcome in ("won", "lost") and not focal:
        gone.append("outcome")
        gone += ["by"] if study.by is not None else []
    if study.unlabelled and study.scenario:
        gone.append("unlabelled")
    if study.order == "given" and not study.only:
        gone.append("order")
    return list(dict.fromkeys(gone))


def answer(seen: View, study: Examples) -> Result | None:
    """The pairs from the one that the address names; from the first where it is not (or no longer) among them."""
    if study.pair is not None:
        try:
            return session.answer(study)
        except UnknownNameError:
            selection.drop_word("pair", f"Pair {study.pair:,} is not among these; this is the first.")
            study = replace(study, pair=None)
        except session.JurylensError:
            pass
    result = session.attempt(study)
    if result is None:
        all_of_them(seen, study)
    return result


def all_of_them(seen: View, study: Examples) -> None:
    """The way back from a filter."""
    default = Examples()
    if any(getattr(study, word) != getattr(default, word) for word in OWN):
        link(seen, "Examples", "Show all pairs of this selection", icon=":material/filter_list_off:")


# -- what is listed ---------------------------------------------------------------------------------------------------


def finding(seen: View, result: Result) -> None:
    """How many pairs of which kind, and in what order."""
    assert seen.names is not None
    study, n = result.study, int(result.values["pairs"])
    assert isinstance(study, Examples)
    text = what_is_listed(study, n, seen.names)
    counted, rest = words.plural(n, "pair"), ""
    rest = text.removeprefix(counted)
    with st.container(key="finding"):
        st.markdown(f"**{counted}**{escape(rest, 4000)}.")
    by_distance = study.order == "disagreement" and len(study.judge) > 1
    with st.container(horizontal=True, vertical_alignment="center", key="listed"):
        st.caption(
            f"{words.plural(int(result.values['judgments']), 'judgment')} · "
            f"{words.plural(int(result.values['prompts']), 'prompt')} · {plain(order_in_words(study, by_distance))}",
            width="content",
        )
        all_of_them(seen, study)


# -- filters ----------------------------------------------------------------------------------------------------------


def _box(label: str, word: str, names: Mapping[str, str], value: str | None, none: str | None = None,
         also: Sequence[str] = (), help: str | None = None) -> None:  # fmt: skip
    """A select box of one word. names : choice -> how it is written; none : what no choice means, if that can be

    also : words that lose their meaning when this one is taken back
    """
    key = f"w:{word}"
    st.session_state[key] = value

    def changed() -> None:
        picked = st.session_state[key]
        set_word(word, None if picked == getattr(Examples(), word) else picked)
        if picked is None:
            for other in also:
                set_word(other, None)

    st.selectbox(label, list(names), key=key, index=None if none else 0, placeholder=none or "", on_change=changed,
                 format_func=names.__getitem__, help=help)  # fmt: skip


def filters(seen: View, study: Examples) -> None:
    """Which pairs: of which models, where judges part, what one of them says."""
    assert seen.names is not None
    judges = list(study.judge or seen.offered("judge"))
    with st.container(horizontal=True, vertical_alignment="bottom", key="filters"):
        if seen.names.models:
            _models(list(study.model or seen.offered("model")), study)
        if len(judges) > 1:
            _box("Judges", "disagree", DISAGREE, study.disagree, "Agree or not", also=("disagreeing",),
                 help="What the majorities of two judges say; the first chosen judge and any other, or two of your "
                 "choice.")  # fmt: skip
            if study.disagree is not None and len(judges) > 2:
                _who_disagrees(judges, study)
        _outcome(judges, study)
        with st.popover("More options", type="tertiary"):
            if len(judges) > 1:
                orders = {name: said for name, said in ORDERS.items() if name != "given" or study.only}
                _box("Order", "order", orders, study.order)
            _box("What a pair must have", "counted", COUNTED, study.counted)
            _switch("Judged by each of the chosen judges", "shared", study.shared)
            _switch("Of models that get a strength", "fitted", study.fitted)
            _switch("Of no known scenario", "unlabelled", study.unlabelled)
            _switch("Any criterion and variant", "all_criteria", study.all_criteria)
            key = "w:lacking"
            st.session_state[key] = list(study.lacking)
            st.multiselect("Not judged by", seen.offered("judge"), key=key, format_func=shown, placeholder="Anybody",
                           on_change=selection.on_change("lacking", key))  # fmt: skip


def _switch(label: str, word: str, value: bool) -> None:
    key = f"w:{word}"
    st.session_state[key] = value
    st.toggle(label, key=key, on_change=lambda: set_word(word, st.session_state[key] or None))


def _models(models: list[str], study: Examples) -> None:
    """One model, or two that met."""
    one, two = study.between if study.between else (study.with_model, None)
    for name in (one, two):
        if name is not None and name not in models:
            models.append(name)
    st.session_state["w:one"], st.session_state["w:two"] = one, two

    def changed() -> None:
        first, second = st.session_state["w:one"], st.session_state.get("w:two")
        both = first is not None and second not in (None, first)
        set_word("between", [first, second] if both else None)
        set_word("with_model", None if both else first)
        if first is None and study.outcome in ("won", "lost"):
            set_word("outcome", None)
            set_word("by", None)

    st.selectbox("Model", models, index=None, key="w:one", format_func=shown, placeholder="Any", on_change=changed)
    if one is not None:
        others = [name for name in models if name != one]
        st.selectbox("Against", others, index=None, key="w:two", format_func=shown, placeholder="Any",
                     on_change=changed)  # fmt: skip


def _who_disagrees(judges: list[str], study: Examples) -> None:
    """Which two of more than two judges."""
    pairs = [(one, two) for k, one in enumerate(judges) for two in judges[k + 1 :]]
    options: list[tuple[str, ...]] = [(), *pairs]
    value = study.disagreeing
    if value and value not in options:
        options.append(value)
    st.session_state["w:disagreeing"] = value

    def named(two: tuple[str, ...]) -> str:
        return " and ".join(shown(judge) for judge in two) if two else f"{shown(judges[0])} and any other"

    st.selectbox("Which two", options, key="w:disagreeing", format_func=named,
                 on_change=selection.on_change("disagreeing", "w:disagreeing"))  # fmt: skip


def _outcome(judges: list[str], study: Examples) -> None:
    """What one judge's verdict is."""
    names: dict[str, str] = {}
    for outcome in ("a", "b", "won", "lost", "tie", "split", "both_bad", "none"):
        needs_model = outcome in ("won", "lost")
        if needs_model == (study.focal is not None) or outcome not in ("a", "b", "won", "lost"):
            said = outcome_in_words(outcome, shown(str(study.focal)))
            names[outcome] = said[:1].upper() + said[1:]
    if study.outcome is not None and study.outcome not in names:
        names[study.outcome] = outcome_in_words(study.outcome, study.focal).capitalize()
    _box("Verdict", "outcome", names, study.outcome, "Any", also=("by",))
    if study.outcome is not None and len(judges) > 1:
        _box("Of", "by", {judge: shown(judge) for judge in judges}, study.by or judges[0])


# -- one pair ---------------------------------------------------------------------------------------------------------


def walk(result: Result) -> None:
    """Previous, next, and where in the list this pair stands."""
    values = result.values
    with st.container(horizontal=True, vertical_alignment="center", key="walk"):
        _step("Previous", values["previous"], "Left")
        st.markdown(f"**{values['position']:,}** of {values['pairs']:,}", width="content")
        _step("Next", values["next"], "Right")
        _mark(result)


def _mark(result: Result) -> None:
    """Which factor's places are marked in the answers, where there are texts."""
    study, table = result.study, result.table("examples")
    assert isinstance(study, Examples)
    if table["response_a"].isna().all() and table["response_b"].isna().all():
        return
    st.session_state["w:mark"] = study.mark
    st.selectbox("Mark in the texts", list(MARKABLE), index=None, key="w:mark", placeholder="Mark in the texts",
                 format_func=lambda name: f"Mark: {MARKABLE[name]}", on_change=selection.on_change("mark", "w:mark"),
                 width=240, label_visibility="collapsed")  # fmt: skip


def _step(label: str, pair: int | None, key: str) -> None:
    """A button that also an arrow key presses."""
    st.button(label, key=f"step-{label.lower()}", disabled=pair is None, shortcut=key, on_click=set_word,
              args=("pair", pair))  # fmt: skip


def one_pair(seen: View, result: Result) -> None:
    """The pair at which the list begins: what was asked, both answers, who prefers which."""
    assert seen.names is not None
    study = result.study
    assert isinstance(study, Examples)
    pair = result.table("examples").iloc[0].to_dict()
    judges, verdicts = (_of_pair(result, name, pair["pair"]) for name in ("judges", "verdicts"))
    # The same marks as in the charts: those chosen first, the others after them.
    order = [*study.judge, *(judge for judge in seen.names.judges if judge not in study.judge)]
    drawn = marks(order, seen.humans, theme())
    whole = _whole(pair)
    turn = pair_card.turned(pair, study.focal)
    with st.container(key="pair"):
        st.html(pair_card.card(pair, judges, drawn, theme(), turn=turn, whole=whole, counted=_counted(result, pair)))
    st.subheader("Every verdict", anchor=False)
    with st.container(key="verdicts"):
        st.html(pair_card.STYLE + pair_card.every_verdict(pair, verdicts, drawn, theme()))


def _counted(result: Result, pair: Mapping[Any, Any]) -> pair_card.Counted | None:
    """What the chosen factor counted in the two answers."""
    study = result.study
    assert isinstance(study, Examples)
    if study.mark is None:
        return None
    found = _of_pair(result, "marks", pair["pair"])
    at = {side: [(int(row["start"]), int(row["end"])) for row in found if row["side"] == side] for side in ("a", "b")}
    return pair_card.Counted(MARKABLE[study.mark], at["a"], at["b"])


def _of_pair(result: Result, name: str, pair: int) -> list[dict[Any, Any]]:
    table = result.table(name)
    return table[table["pair"] == pair].to_dict("records")


def _whole(pair: Mapping[Any, Any]) -> bool:
    """Whether texts of any length are shown in full."""
    texts = [pair[name] for name in ("prompt", "response_a", "response_b")]
    longest = max((len(str(text)) for text in texts if not pair_card.absent(text)), default=0)
    if longest <= pair_card.CUT:
        return False
    return st.toggle(f"Show the whole texts (up to {longest:,} characters)", key=f"whole-{pair['pair']}")
