"""The parts of the Overview: its finding, tiles, differences, and what to distrust."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import NoReturn

import streamlit as st

import studies  # noqa: F401  (registers the studies)
from charts import words
from data.queries.examples import PairsBehind
from errors import JurylensError
from exports.drawings import rankings as drawings
from exports.drawings import scenarios as scenario_drawings
from studies.agreement import JudgeAgreement
from studies.compare import Compare
from studies.coverage import Coverage
from studies.factor_judgments import NotMeasuredError
from studies.factors_gap import FactorsGap
from studies.health import Health
from studies.overview import SENTENCES, Line, Tile, agreement_line, escape, most_different, question, with_code
from studies.rank import Rank
from studies.study import REGISTRY, Finding, Result, Study
from ui import notices, session, tour
from ui.ask import chosen, shown
from ui.behind import of_cell, of_everything, of_finding, open_pairs, ranked_by, shared_by
from ui.figure import explained, figure
from ui.navigation import link
from ui.remarks import link_plan
from ui.selection import set_word
from ui.view import View, change_judges

FIVE = 5
PLANNED = ("connectivity", "separation", "thin pairs")
"""Findings of the health check that further judgments mend."""


@dataclass(frozen=True)
class Found:
    """What the studies answered, by command. lines : what they add; errors : why some could not answer"""

    results: dict[str, list[Result]] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def nothing_loaded() -> NoReturn:
    """An empty store: say what to do, and end the page."""
    st.title("Nothing is loaded yet", anchor=False)
    st.write("Open a file of judgments: which of two responses is better, said by people, LLM judges or reward models.")
    st.page_link("pages/data.py", label="Open a file", icon=":material/upload_file:")
    st.stop()


def title(seen: View) -> None:
    """The question this page answers."""
    if seen.names is None:
        nothing_loaded()
    assert seen.names is not None
    if not seen.names.judges:
        st.title("Published weights", anchor=False)
        return
    st.title(question(seen.names.judges, seen.reference, seen.judges), anchor=False)


def sample_banner(seen: View) -> None:
    if seen.names is not None and seen.names.simulated:
        with st.container(border=True, horizontal=True, vertical_alignment="center", key="banner"):
            said = "**Simulated**: these judgments were made up, with a known truth."
            st.markdown(said, width="stretch")
            if tour.at(seen) is None:
                tour.offer(set_word)
            link(seen, "Data", "Open your own file", icon=":material/upload_file:")


def finding(seen: View) -> Found:
    """The sentences that open the page, and the line that lets one trust them."""
    found = _answers(seen)
    lead = found.lines.get("compare") or found.lines.get("rank")
    if len(seen.others) > SENTENCES:
        rest = len(seen.others) - SENTENCES
        st.caption(f"The first {SENTENCES} judges of {len(seen.others)}; choose others in the sidebar ({rest} more).")
    agreement = _agreement(seen)
    if lead is not None or agreement:
        with st.container(key="finding"):
            if lead is not None:
                st.markdown(f"**{lead.finding}** {lead.more}")
            if agreement:
                st.markdown(agreement if lead is not None else f"**{agreement}**")
    if lead is not None:
        st.caption(lead.trust)
    _what_is_missing(seen, found)
    if lead is not None or agreement:
        with st.container(horizontal=True, key="onwards"):
            if lead is not None:
                see = "See who moves" if "compare" in found.lines else "See the ranking"
                link(seen, "Rankings", see, icon=":material/arrow_forward:")
            if agreement:
                link(seen, "Judges", "See how often they agree", icon=":material/arrow_forward:", open="with_people")
            if "compare" in found.results:
                held = found.results["compare"][0]
                row = held.table("judges").iloc[0]
                behind = shared_by(str(held.settings["reference"]), str(row["judge"]))
                open_pairs(seen, behind, f"Read the {words.plural(int(row['pairs']), 'shared pair')}")
    return found


def _agreement(seen: View) -> str:
    """How often the first judges agree with people, and people with one another; "" where nobody can be compared."""
    if seen.reference is None or not seen.others:
        return ""
    # As the page Judges asks it first, which then finds the answer there.
    study = replace(chosen(JudgeAgreement), judge=(str(seen.reference), *seen.others), ties="drop")
    try:
        result = session.answer(study)
    except JurylensError:
        # The page Judges says what is lacking.
        return ""

    def said() -> str:
        cells = result.table("confusion")
        has_ties = bool(cells.loc[cells["reference_says"] == "tie", "comparisons"].any())
        return agreement_line(str(seen.reference), result.table("judges"), has_ties)

    return session.derived("agreement", [result], said)


def _answers(seen: View) -> Found:
    """Every registered study that adds to the Overview, those that compare judges first."""
    found = Found()
    adds = [(n, cls) for n, cls in REGISTRY.items() if cls.overview.__func__ is not Study.overview.__func__]  # type: ignore[attr-defined]
    for command, cls in sorted(adds, key=lambda item: item[1].judges != "reference"):
        if (cls is Rank and "compare" in found.lines) or cls is FactorsGap:
            # Reasons have a place of their own further down, when the rest is there.
            continue
        if cls.judges == "reference" and (seen.reference is None or not seen.others):
            continue
        results = []
        for study in _one_for_each_judge(seen, cls):
            try:
                results.append(session.answer(study))
            except JurylensError as error:
                found.errors.append(str(error))
        line = session.derived(command, results, partial(cls.overview, results)) if results else None
        if line is not None:
            found.results[command], found.lines[command] = results, line
    return found


def _one_for_each_judge(seen: View, cls: type[Study]) -> list[Study]:
    study = chosen(cls)
    if cls.judges == "any":
        return [study]
    # Pair by pair, as on the other pages, so that they find the answers already there.
    return [replace(study, judge=(str(seen.reference), judge)) for judge in seen.others[:SENTENCES]]


def _what_is_missing(seen: View, found: Found) -> None:
    """What keeps this dataset from the whole answer, and the way to it."""
    assert seen.names is not None
    if not seen.names.models:
        st.info(
            "This dataset names no models, so there is nothing to rank. A file with the columns `model_a` and "
            f"`model_b` brings rankings; {'why the judges part, ' if seen.others else ''}what to distrust and what was "
            "judged stand below.",
            icon=":material/info:",
        )
        link(seen, "Data", "Open a file that names models", icon=":material/upload_file:")
    elif seen.reference is None:
        ask_reference(seen)
    elif len(seen.names.judges) == 1:
        st.info(
            "There is one judge here. Add another judge's verdicts on the same pairs to hold the two against each "
            "other.",
            icon=":material/info:",
        )
        link(seen, "Data", "Add a file to this dataset", icon=":material/upload_file:")
    else:
        for text in found.errors:
            st.warning(escape(text, 4000), icon=":material/info:")


def ask_reference(seen: View) -> None:
    """Where no judge, or more than one, is human: whom are the others held against?"""
    assert seen.names is not None
    why = "No judge here is human" if not seen.humans else f"{len(seen.humans)} judges here are human"
    with st.container(border=True, key="ask-reference"):
        st.markdown(f"**{why}. Whom are the others held against?**")

        def picked() -> None:
            set_word("judge", change_judges(seen, st.session_state["ask-reference-box"], []))

        st.selectbox("Reference judge", seen.offered("judge"), index=None, key="ask-reference-box", format_func=shown,
                     on_change=picked, placeholder="Choose a judge", label_visibility="collapsed")  # fmt: skip


def tiles(seen: View, found: Found) -> None:
    """At most four figures, each with what stands behind it."""
    assert seen.facts is not None
    assert seen.names is not None
    facts = seen.facts
    people = sum(j.get("annotators", 0) for j in facts.judges)
    note = f"{words.plural(facts.pairs, 'pair')} · {words.plural(facts.prompts, 'prompt')}"
    if people:
        note += f" · {people:,} people"
    listed = [Tile("Judgments", f"{facts.judgments:,}", note, "judgments")]
    for line in found.lines.values():
        listed += line.tiles
    with st.container(horizontal=True, key="tiles"):
        for tile in listed[:4]:
            with st.container(border=True, height="stretch", gap="xxsmall"):
                st.metric(tile.label, tile.value, help=explained(tile.column, tile.label))
                st.caption(tile.note)
                if tile is listed[0]:
                    open_pairs(seen, of_everything(seen.names), "Read them")


def two_columns(seen: View, found: Found) -> None:
    """What differs beside what to distrust."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        what_differs(seen, found)
    with right:
        what_to_distrust(seen, found)


def what_differs(seen: View, found: Found) -> None:
    """The five clearest differences, drawn and linked."""

    if "compare" in found.results:
        result = found.results["compare"][0]
        models, judge = result.table("models"), str(result.table("judges")["judge"].iloc[0])
        reference = str(result.settings["reference"])
        st.subheader("What differs most", anchor=False)
        figure(
            drawings.gaps(result, judge, FIVE, small=True),
            result, "models", key="differs", columns=Compare.shown,
            pairs=lambda row: shared_by(reference, judge, str(row["model"])),
        )  # fmt: skip
        with st.container(horizontal=True, gap="small", key="five"):
            st.caption("See on Rankings:", width="content")
            names = [str(model) for model in most_different(models, FIVE)["model"]]
            # Names that are cut alike are written out.
            most = 40 if len({words.shorten(name, 40) for name in names}) == len(names) else max(map(len, names))
            for name in names:
                link(seen, "Rankings", escape(name, most), focus=name, with_=judge)
    else:
        result = found.results["rank"][0]
        st.subheader("Whom the judges prefer", anchor=False)
        figure(
            drawings.ranking(result, FIVE, small=True),
            result, "ranking", key="first", columns=Rank.shown,
            pairs=lambda row: ranked_by(str(row["judge"]), row),
        )  # fmt: skip


def why(seen: View) -> None:
    """Where the first judge's reasons part from the reference's, or the way to measure them."""
    assert seen.names is not None
    if seen.reference is None or not seen.others:
        return
    pair = (seen.reference, seen.others[0])
    try:
        result = session.answer(replace(chosen(FactorsGap), judge=pair))
    except NotMeasuredError:
        st.subheader("Why they part", anchor=False)
        st.markdown("Which properties of the answers move each judge is known once the texts were measured.")
        link(seen, "Factors", "Measure the texts", icon=":material/straighten:")
        return
    except JurylensError:
        # Without texts and factors there is nothing to say; what else is wrong stands on the page Factors.
        return
    line = session.derived("factors gap", [result], lambda: FactorsGap.overview([result]))
    if line is None:
        return
    st.subheader("Why they part", anchor=False)
    st.markdown(f"**{line.finding}** {line.more}")
    st.caption(line.trust)
    link(seen, "Factors", "See which factors differ", icon=":material/arrow_forward:", with_=seen.others[0])


def what_to_distrust(seen: View, found: Found) -> None:
    """Health findings and the warnings of what was computed, the gravest first, each with its remedy."""
    st.subheader("What to distrust", anchor=False)
    health = session.run(chosen(Health))
    assert seen.names is not None
    rows = health.table().to_dict("records")
    listed: list[tuple[Finding, PairsBehind | None, str | None]] = [
        (one, of_finding(row, seen.names), str(row["judge"]) if row["rule"] in PLANNED else None)
        for one, row in zip(health.findings, rows, strict=True)
    ]
    for command in found.lines:
        many = len(found.results[command]) > 1
        for result in found.results[command]:
            listed += [(Finding(text, 1), None, None) for text in warnings_of(result, many)]
    listed.sort(key=lambda item: -item[0].severity)
    if not listed:
        st.markdown("Nothing stands out: the models are connected, no cell is thin, the shown order is known.")
    for item in listed[:FIVE]:
        _told(seen, *item)
    if len(listed) > FIVE:
        with st.expander(f"{len(listed) - FIVE} more"):
            for item in listed[FIVE:]:
                _told(seen, *item)


def warnings_of(result: Result, many: bool) -> list[str]:
    """A result's warnings in the words of the pages. many : whether to name the judge that each is of"""
    study = result.study
    said = [notices.by_label(text, type(study)) for text in result.warnings]
    return [f"{study.judge[-1]}: {text}" if many else notices.sentence(text, study.judge) for text in said]


def _told(seen: View, one: Finding, behind: PairsBehind | None, judge: str | None) -> None:
    """judge : whose next judgments would mend it"""
    st.markdown(f"- {sentence(one)}")
    if judge is not None:
        link_plan(seen, judge)
    if behind is not None:
        open_pairs(seen, behind, "Read these pairs")


def sentence(one: Finding) -> str:
    """A finding with its remedy in italics."""
    text = escape(one.text, 4000)
    text = f"**{text}**" if one.severity >= 2 else text
    return f"{text} *{with_code(one.remedy)}*" if one.remedy else text


def who_judged_what() -> None:
    """Judgments by judge and scenario."""
    st.subheader("Who judged what", anchor=False)
    coverage = session.run(chosen(Coverage))
    figure(scenario_drawings.coverage(coverage)[0], coverage, key="coverage", pairs=of_cell)
