"""The same question asked in each scenario alone: `--by scenario` adds the field `scenario` to the same rows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.multiple import adjust_bh
from charts import words
from data import queries
from data.model import Progress, silent
from data.store import Store
from errors import EmptySelectionError, JurylensError, NotIdentifiedError
from studies import naming
from studies.study import Fitted, Result, taken

NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+")
Q_OF = {"p": "q", "scaled_p": "scaled_q"}


@dataclass(frozen=True)
class ByScenario:
    """joined : all answers as one; alone : scenario -> its own answer, where it has one"""

    joined: Result
    alone: Mapping[str, Result]


def run_by_scenario(study: Fitted, store: Store, progress: Progress = silent) -> Result:
    """All answers as one; see `ask_by_scenario`."""
    return ask_by_scenario(study, store, progress).joined


def ask_by_scenario(study: Fitted, store: Store, progress: Progress = silent) -> ByScenario:
    """Run a study once for each scenario of its selection and join the tables.

    A scenario in which it cannot be answered is named in the warnings. q is Benjamini-Hochberg over the rows of all
    scenarios together, for each judge: they stand in one table. Single quantities (a correlation, a scale) are in the
    table `judges`, one row a scenario.

    Raises EmptySelectionError where no scenario is known, NotIdentifiedError where none can be answered.
    """
    with store.kept_open() as kept:
        with kept.reading("looking up names") as con:
            display = queries.display(con, study.dataset)
        with words.decimals(display.decimals if store.shown else None):
            found = _asked(naming.here(study, display), kept, progress)
        with kept.reading("looking up who is a person") as con:
            names = queries.catalog(con, found.joined.study)

    def known(answer: Result) -> Result:
        return replace(answer, humans=tuple(names.humans), display=names.display)

    return ByScenario(known(found.joined), {scenario: known(answer) for scenario, answer in found.alone.items()})


def is_by_scenario(settings: Mapping[str, object]) -> bool:
    """Whether a result with these settings is of scenarios joined."""
    return settings.get("by") == "scenario"


def command_line(result: Result) -> str:
    """The command that gives a result in a terminal."""
    return result.study.command_line() + (" --by scenario" if is_by_scenario(result.settings) else "")


def _asked(study: Fitted, store: Store, progress: Progress) -> ByScenario:
    resolved = study.resolve(store)
    with store.reading("listing scenarios") as con:
        names = queries.catalog(con, resolved)
    scenarios = resolved.scenario or tuple(names.scenarios)
    if not scenarios:
        raise EmptySelectionError(
            f"dataset {names.dataset!r} knows no scenarios: --by scenario needs the column `scenario`"
        )
    answers: dict[str, Result] = {}
    warnings = []
    for k, scenario in enumerate(scenarios):
        progress(k / len(scenarios), f"scenario {scenario}")
        try:
            answers[scenario] = replace(resolved, scenario=(scenario,)).answer(store, silent)
        except JurylensError as error:
            warnings.append(f"{scenario}: {error}")
    if not answers:
        raise NotIdentifiedError("no scenario alone answers this. " + " ".join(gathered(warnings)))
    tables: dict[str, pd.DataFrame] = {}
    for scenario, answer in answers.items():
        warnings += [f"{scenario}: {w}" for w in answer.warnings]
        for name, table in answer.tables.items():
            labelled = table.copy()
            if "scenario" not in labelled:
                labelled.insert(0, "scenario", scenario)
            tables[name] = pd.concat([tables[name], labelled], ignore_index=True) if name in tables else labelled
    progress(1.0, "done")
    first = next(iter(answers.values()))
    joined = Result(
        study=resolved,
        tables={name: adjusted(table) for name, table in tables.items()},
        values={},
        settings=resolved.settings() | {"by": "scenario"},
        warnings=tuple(dict.fromkeys(warnings)),
        caption=" ".join(gathered([f"{scenario}: {answer.caption}" for scenario, answer in answers.items()])),
        fingerprint=first.fingerprint,
    )
    with store.reading("looking up how pairs were made") as con:
        joined = resolved.beware(con, names, joined)
    return ByScenario(replace(joined, taken=taken(study, resolved)), answers)


def gathered(warnings: Sequence[str]) -> tuple[str, ...]:
    """A sentence that several scenarios share stands once, with their names, and numbers that differ as a range.

    warnings : `scenario: sentence`
    """
    by_form: dict[str, list[tuple[str, str]]] = {}
    for one in warnings:
        scenario, sign, text = one.partition(": ")
        by_form.setdefault(NUMBER.sub("#", text) if sign else one, []).append((scenario, text if sign else ""))
    out = []
    for some in by_form.values():
        scenarios, texts = zip(*some, strict=True)
        if not texts[0]:
            out.append(scenarios[0])
            continue
        # A name with a comma in it would read as several.
        listing = words.quoted if any("," in name for name in scenarios) else words.listing
        out.append(f"{listing(list(dict.fromkeys(scenarios)), 4)}: {_ranged(texts)}")
    return tuple(out)


def _ranged(texts: Sequence[str]) -> str:
    """Sentences that differ in numbers alone as one: each number that differs as `least to most`."""
    numbers = [NUMBER.findall(text) for text in texts]
    ends = []
    for column in zip(*numbers, strict=True):
        ordered = sorted(set(column), key=lambda word: float(word.replace(",", "")))
        ends.append(ordered[0] if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}")
    found = iter(ends)
    return NUMBER.sub(lambda _: next(found), texts[0])


def adjusted(table: pd.DataFrame) -> pd.DataFrame:
    """q anew over all rows of each judge."""
    out = table.copy()
    for p, q in Q_OF.items():
        if p not in out or q not in out:
            continue
        for judge in out["judge"].unique():
            # What has a p and no q (the shown order) is no part of what was tested together.
            defined = ((out["judge"] == judge) & out[p].notna() & out[q].notna()).to_numpy(dtype=bool)
            if defined.any():
                out.loc[defined, q] = adjust_bh(out.loc[defined, p].to_numpy(dtype=np.float64))
    return out
