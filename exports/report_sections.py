"""What does each section of a report ask, find and show? One function a section, in the order of the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from charts import words
from data import queries
from exports.columns import printed
from exports.drawings import drawings
from exports.report import Example, Figure, Section, Table, Teller
from studies.agreement import JudgeAgreement
from studies.audit import Audit
from studies.audit_words import finding as audit_finding
from studies.compare import Compare
from studies.coverage import Coverage
from studies.disagreement import DisagreementParts
from studies.disagreement_words import finding as disagreement_finding
from studies.examples import Examples
from studies.factor_options import display
from studies.factors_gap import FactorsGap
from studies.health import Health
from studies.overview import agreement_line, escape
from studies.rank import Rank
from studies.scenario_agreement import ScenarioAgreement
from studies.scenario_matrix import ScenarioMatrix
from studies.scenario_words import agreement_finding, matrix_finding
from studies.stand_in import JudgeStandIn
from studies.study import Result, Study

ROWS = 40
"""Of a table that stands in the report; all are in the result's CSV."""

FIGURES = 3
"""Of one kind: judges beyond these are in the tables."""

LETTERS = 1_200
"""Of a prompt or an answer that is shown."""


def what_is_in_it(teller: Teller) -> Section:
    """What is in the dataset"""
    refused: list[str] = []
    coverage = teller.result(Coverage, refused)
    with teller.store.reading("counting what is in the dataset") as con:
        facts = queries.dataset_facts(con, teller.names.dataset_id)
        log = queries.import_log(con, teller.names.dataset_id)
    people = sum(one["kind"] == "human" for one in facts.judges)
    of = "" if not people else f", {people} of them {'people' if people > 1 else 'human'}"
    finding = (
        f"**{words.plural(facts.judgments, 'judgment')} of {words.plural(facts.pairs, 'pair')} of responses to "
        f"{words.plural(facts.prompts, 'prompt')}, by {words.plural(len(facts.judges), 'judge')}{of}.** "
    )
    models, scenarios = len(teller.names.models), len(teller.names.scenarios)
    finding += (f"The responses are by {words.plural(models, 'model')}" if models else "Which models wrote the "
                "responses is not known") + (f"; the prompts are of {words.plural(scenarios, 'scenario')}." if scenarios
                                             else "; no scenarios are named.")  # fmt: skip
    judges = pd.DataFrame(facts.judges).convert_dtypes()
    judges["kind"] = judges["kind"].map(words.KINDS)
    if len(judges) > ROWS:
        judges = judges[judges["judge"].isin(teller.asked.judge)]
    files = log.assign(imported=log["imported_at"].dt.strftime("%Y-%m-%d")) if len(log) else log
    whose = "Judges" if len(judges) == len(facts.judges) else "Judges told of here"
    tables = [_table(judges, whose, {"judge": "judge", "kind": "kind", "annotators": "annotators",
                                     "judgments": "judgments"})]  # fmt: skip
    if len(files) and not teller.names.simulated:
        tables.append(_table(files, "Files", {"file": "file", "format": "format", "read": "rows read",
                                              "accepted": "accepted", "rejected": "rejected",
                                              "duplicates": "duplicates", "imported": "imported"}))  # fmt: skip
    health = teller.result(Health, refused)
    return Section("data", "What is in the dataset", finding, figures=_figures(coverage), tables=tuple(tables),
                   refused=tuple(refused), results=_results(coverage, health))  # fmt: skip


def whom_they_prefer(teller: Teller) -> Section | None:
    """Whom the judges prefer"""
    if not teller.names.models:
        return None
    refused: list[str] = []
    rank = teller.result(Rank, refused)
    compare = _compared(teller, Compare, refused)
    line = Compare.overview([compare]) if compare is not None else None
    alone = Rank.overview([rank]) if rank is not None else None
    told = [one for one in (alone, line) if one is not None]
    if not told:
        return Section("order", "Whom the judges prefer", refused=tuple(refused))
    return Section(
        "order", "Whom the judges prefer", f"**{told[0].finding}** {told[0].more}",
        tuple(f"{one.finding} {one.more}".strip() for one in told[1:]), told[0].trust,
        (*_figures(rank), *_figures(compare, "slope")), (_strengths(rank),) if rank is not None else (),
        refused=tuple(refused),
        results=_results(rank, compare),
    )  # fmt: skip


def what_moves_them(teller: Teller) -> Section | None:
    """What moves the judges"""
    if teller.reference is None:
        return None
    refused: list[str] = []
    gaps = _compared(teller, FactorsGap, refused)
    line = FactorsGap.overview([gaps]) if gaps is not None else None
    if gaps is None or line is None:
        return Section("reasons", "What moves the judges", refused=tuple(refused))
    return Section("reasons", "What moves the judges", f"**{line.finding}** {line.more}", trust=line.trust,
                   figures=_figures(gaps), tables=(_gaps(gaps),), refused=tuple(refused),
                   results=_results(gaps))  # fmt: skip


def where_they_part(teller: Teller) -> Section | None:
    """Where the judges part, by scenario"""
    if teller.reference is None or not teller.names.scenarios:
        return None
    refused: list[str] = []
    agreement = _compared(teller, ScenarioAgreement, refused)
    matrix = _compared(teller, ScenarioMatrix, refused)
    told: list[str] = []
    if agreement is not None:
        table, level = agreement.table("scenarios"), float(agreement.settings["level"])
        for row in agreement.table("judges").to_dict("records"):
            mine = table[table["judge"] == row["judge"]]
            told.append(agreement_finding(mine, row, teller.reference, str(row["judge"]), level))
    if matrix is not None:
        for judge in teller.others:
            part = _of(matrix, judge)
            if part is not None:
                told.append(matrix_finding(part, judge))
    told = [text for text in told if text]
    return Section("scenarios", "Where the judges part", told[0] if told else "", tuple(told[1:]),
                   figures=_figures(matrix, "matrix") or _figures(agreement), refused=tuple(refused),
                   results=_results(agreement, matrix))  # fmt: skip


def may_it_stand_in(teller: Teller) -> Section | None:
    """Whether a judge may stand in for the reference"""
    if teller.reference is None:
        return None
    refused: list[str] = []
    stand_in = _compared(teller, JudgeStandIn, refused)
    agreement = _compared(teller, JudgeAgreement, refused)
    told = [_begun(one.text) for one in stand_in.findings] if stand_in is not None else []
    if agreement is not None:
        cells = agreement.table("confusion")
        ties = bool(cells.loc[cells["reference_says"] == "tie", "comparisons"].any())
        left_out = ties and agreement.settings.get("ties") == "drop"
        told.append(agreement_line(teller.reference, agreement.table("judges"), left_out))
    told = [text for text in told if text]
    return Section(
        "fitness", "May a judge stand in for people?", f"**{told[0]}**" if told else "", tuple(told[1:]),
        figures=(*_figures(stand_in), *_figures(agreement, "agreement")),
        tables=(_shown(agreement),) if agreement is not None else (), refused=tuple(refused),
        results=_results(stand_in, agreement),
    )  # fmt: skip


def what_disagreement_is(teller: Teller) -> Section | None:
    """What disagreement is made of"""
    if teller.reference is None:
        return None
    refused: list[str] = []
    found = _compared(teller, DisagreementParts, refused)
    told: list[str] = []
    if found is not None:
        parts = found.table("parts")
        told = [disagreement_finding(parts[parts["judge"] == judge], str(judge), teller.reference)
                for judge in dict.fromkeys(parts["judge"])]  # fmt: skip
    return Section("disagreement", "What disagreement is made of", told[0] if told else "", tuple(told[1:]),
                   figures=_figures(found), refused=tuple(refused), results=_results(found))  # fmt: skip


def how_biased(teller: Teller) -> Section:
    """How each judge is biased"""
    refused: list[str] = []
    # Who says what is right is who was chosen: several human judges leave it open otherwise.
    audit = teller.result(Audit, refused, judge=teller.asked.judge, reference=teller.reference)
    told: list[str] = []
    if audit is not None:
        table = audit.table("biases")
        told = [audit_finding(table, judge) for judge in dict.fromkeys(table["judge"])]
        # What would be needed stands on the page of the judges, not here.
        told = [text.replace(" What would be needed stands below.", "") for text in told]
    kind = "biases" if len(told) <= FIGURES else "all"
    return Section("biases", "How each judge is biased", told[0] if told else "", tuple(told[1:]),
                   figures=_figures(audit, kind), refused=tuple(refused), results=_results(audit))  # fmt: skip


def examples(teller: Teller) -> Section | None:
    """Pairs on which they part"""
    if teller.reference is None or teller.asked.examples < 1:
        return None
    refused: list[str] = []
    found = teller.result(Examples, refused, disagree="opposite", limit=teller.asked.examples)
    if found is None or not len(found.table("examples")):
        return Section("examples", "Pairs on which they part", refused=tuple(refused)) if refused else None
    rows = found.table("examples").to_dict("records")
    shown = tuple(_example(row) for row in rows)
    # Pairs come in on which any one of them takes the other side.
    who = escape(teller.others[0], 40) if len(teller.others) == 1 else "one of the judges"
    finding = (
        f"**{words.plural(len(shown), 'pair')} on which {escape(teller.reference, 40)} and {who} chose opposite sides, "
        "the strongest disagreement first.**"
    )
    return Section("examples", "Pairs on which they part", finding, trust=escape(found.caption, 4000), examples=shown,
                   refused=tuple(refused))  # fmt: skip


SECTIONS: tuple[Callable[[Teller], Section | None], ...] = (
    what_is_in_it, whom_they_prefer, what_moves_them, where_they_part, may_it_stand_in, what_disagreement_is,
    how_biased, examples,
)  # fmt: skip


# -- shared -------------------------------------------------------------------------------------------------------


def _compared(teller: Teller, cls: type[Study], refused: list[str]) -> Result | None:
    """A study that holds the others against the reference; None where there is none."""
    if teller.reference is None or not teller.others:
        return None
    return teller.result(cls, refused, judge=(teller.reference, *teller.others))


def _results(*results: Result | None) -> tuple[Result, ...]:
    return tuple(result for result in results if result is not None)


def _figures(result: Result | None, kind: str = "") -> tuple[Figure, ...]:
    """The drawings of one kind, below the last the result's caption, which is of all of them.

    kind : how their names begin; left out: any
    """
    if result is None:
        return ()
    found = [one for one in drawings(result) if one.name.startswith(kind)][:FIGURES]
    last = len(found) - 1
    return tuple(Figure(result, one.name, result.caption if k == last else "") for k, one in enumerate(found))


def _shown(result: Result) -> Table:
    """The first table as people are shown it."""
    return _table(result.table(), result.study.title, result.study.shown)


def _table(frame: pd.DataFrame, caption: str, columns: Mapping[str, str] | None = None) -> Table:
    found: list[tuple[str, tuple[str, ...], bool]] = []
    for column in printed(frame.head(ROWS), columns):
        found.append((column.heading, column.cells, column.text))
        if column.intervals:
            found.append(("interval", column.intervals, False))
    return Table(caption, tuple(found), max(0, len(frame) - ROWS))


def _strengths(result: Result) -> Table:
    """A row a model, a column a judge: strengths with their intervals, the first judge's order."""
    table = result.table("ranking")
    return _by_judge(table, "model", "strength", ("lower", "upper"), "Strengths, with intervals")


def _gaps(result: Result) -> Table:
    """A row a factor, a column a judge: gaps, net of decisiveness where a scale is offered, in the order of the first
    judge's."""
    table = result.table("gaps")
    first = table["judge"] == table["judge"].iloc[0]
    net = bool(table["gap_scaled"].notna().any())
    value, low, high, q, p = (
        ("gap_scaled", "scaled_lower", "scaled_upper", "scaled_q", "scaled_p") if net
        else ("gap", "lower", "upper", "q", "p")
    )  # fmt: skip
    size = table[value].astype("Float64").abs()
    order = table.assign(first=~first, size=-size).sort_values(["first", "size"], kind="stable")
    named = order.assign(factor=[display(str(factor)) for factor in order["factor"]])
    what = "Judge minus reference, net of decisiveness" if net else "Judge minus reference"
    # What is shown first is not among the tests that q is of.
    by_p = ", of what is shown first p" if (named[q].isna() & named[p].notna()).any() else ""
    what += f" (log-odds; * beyond noise, q{by_p} < .05)"
    return _by_judge(named.assign(sure=named[q].fillna(named[p])), "factor", value, (low, high), what, "sure")


def _by_judge(
    table: pd.DataFrame, row: str, value: str, ends: tuple[str, str], caption: str, q: str | None = None
) -> Table:
    """Estimates of one kind, judge beside judge. q : the column by which those beyond noise are marked"""
    judges = [str(judge) for judge in dict.fromkeys(table["judge"])]
    ordered = table.sort_values("judge", key=lambda judge: judge != judges[0], kind="stable")
    rows = list(dict.fromkeys(ordered[row].astype(str)))
    cells: dict[tuple[str, str], str] = {}
    for one in table.to_dict("records"):
        sure = "*" if q is not None and not words.absent(one[q]) and one[q] < 0.05 else ""
        said = words.estimate(one[value], one[ends[0]], one[ends[1]])
        cells[str(one[row]), str(one["judge"])] = said and said + sure
    columns = [(row, tuple(rows[:ROWS]), True)]
    for judge in judges:
        columns.append((judge, tuple(cells.get((name, judge), "") for name in rows[:ROWS]), False))
    return Table(caption, tuple(columns), max(0, len(rows) - ROWS))


def _of(result: Result, judge: str) -> Result | None:
    """The part of a result that tells of one judge."""
    tables = {
        name: table[table["judge"] == judge].reset_index(drop=True) if "judge" in table else table
        for name, table in result.tables.items()
    }
    return replace(result, tables=tables) if len(next(iter(tables.values()))) else None


def _begun(text: str) -> str:
    """A finding as a sentence; names keep their own letters."""
    return escape("W" + text[1:] if text.startswith("whether ") else text, 4000) + "."


def _example(row: Mapping[Any, Any]) -> Example:
    answers = tuple(
        (_text(row.get(f"model_{side}")) or f"response {side}", _text(row.get(f"response_{side}"))) for side in "ab"
    )
    return Example(_text(row.get("prompt")), (answers[0], answers[1]), _text(row.get("verdicts")),
                   _text(row.get("scenario")))  # fmt: skip


def _text(value: Any) -> str:
    if words.absent(value) or value is None:
        return ""
    text = str(value)
    return text if len(text) <= LETTERS else f"{text[:LETTERS].rstrip()} … ({len(text):,} characters in all)"
