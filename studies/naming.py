"""Which options, address words and columns hold names of judges and models, and how do these become other names?

`data.shown_names.Display` knows the names; here stands where they are found.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd

from charts import words as written
from data.shown_names import KINDS, Display

if TYPE_CHECKING:
    from studies.study import Result

S = TypeVar("S")

JUDGE, MODEL, OWN, GROUP = "judge", "model", "JUDGE=MODEL", "NAME=JUDGE"

WORDS = {
    **dict.fromkeys(
        ("judge", "reference", "disagreeing", "by", "lacking", "published", "with", "alone", "places_of", "controls_of",
         "scenarios_of", "winrate_of", "fit_of", "next_of", "otherwise_of", "bayes_of", "hierarchical_of", "groups_of",
         "audit_of", "again_of", "matrix_of"), JUDGE,
    ),
    **dict.fromkeys(
        ("model", "between", "with_model", "focus", "baseline", "verbose_twin", "concise_twin"), MODEL,
    ),
    "own": OWN,
    "group": GROUP,
}  # fmt: skip
"""Options of studies and words of addresses that hold names, and whose."""

COLUMNS: dict[str, str] = {
    **dict.fromkeys(("judge", "judge_1", "judge_2", "reference"), JUDGE),
    **dict.fromkeys(("model", "model_1", "model_2", "model_3", "model_a", "model_b", "baseline"), MODEL),
}
"""Columns of tables that hold one name, and whose."""

ALSO = {"agreement": {"against": JUDGE}, "correct": {"against": MODEL, "trait": MODEL}}
"""Further ones, of single studies."""


SETTINGS = {"people": JUDGE, "plain_gaps": JUDGE, "model_a": MODEL, "model_b": MODEL}
"""What results say of themselves beside the options of their studies."""


def _word(kind: str, word: str, display: Display, way: str) -> str:
    to = getattr(display, way)
    if kind == OWN:
        judge, sign, model = word.rpartition("=")
        return f"{to(JUDGE, judge)}{sign}{to(MODEL, model)}"
    if kind == GROUP:
        name, sign, judge = word.partition("=")
        return f"{name}{sign}{to(JUDGE, judge)}" if sign else word
    return str(to(kind, word))


def here(study: S, display: Display) -> S:
    """The study with the names of its options as the store that it is asked of knows them."""
    return _renamed(study, display, "here")


def in_real_names(study: S, display: Display) -> S:
    """The study with the names of files and commands."""
    return _renamed(study, display, "real")


def _renamed(study: S, display: Display, way: str) -> S:
    if not display.renames:
        return study
    changes: dict[str, Any] = {}
    for each in fields(study):  # type: ignore[arg-type]
        value = getattr(study, each.name)
        if each.name in WORDS and value and isinstance(value, (str, tuple)):
            kind = WORDS[each.name]
            changes[each.name] = (
                tuple(_word(kind, v, display, way) for v in value) if isinstance(value, tuple)
                else _word(kind, value, display, way)
            )  # fmt: skip
    return replace(study, **changes) if changes else study  # type: ignore[type-var]


def shown_words(words: Mapping[str, Sequence[str]], display: Display) -> dict[str, list[str]]:
    """Words of an address with the names that people are shown."""
    return {n: [_word(WORDS[n], v, display, "shown") if n in WORDS else v for v in some] for n, some in words.items()}


def real_words(words: Mapping[str, Sequence[str]], display: Display) -> dict[str, list[str]]:
    """The same words with the names of files and commands, which an address has."""
    return {n: [_word(WORDS[n], v, display, "real") if n in WORDS else v for v in some] for n, some in words.items()}


def real_table(table: pd.DataFrame, display: Display, command: str = "") -> pd.DataFrame:
    """A table with the names of files, which its data have when they are taken away. command : of the study it is of"""
    if not display.renames or not display.in_use:
        return table
    columns = COLUMNS | ALSO.get(command, {})
    changes = {
        name: [display.real(columns[name], v) if isinstance(v, str) else v for v in table[name]]
        for name in table.columns if name in columns
    }  # fmt: skip
    return table.assign(**{n: pd.Series(v, index=table.index, dtype=table[n].dtype) for n, v in changes.items()})


def left_out(study: Any, display: Display) -> dict[str, frozenset[str]]:
    """By kind the names that a result of this study is shown without: those hidden, but for what was asked for by name
    and the judge that others are held against."""
    asked = {JUDGE: set(study.judge[:1]), MODEL: set(study.model)}
    if len(study.judge) > 1 and not set(study.judge[1:]) - display.hidden(JUDGE):
        asked[JUDGE] = set(study.judge)
    for each in fields(study):
        value, kind = getattr(study, each.name), WORDS.get(each.name)
        if kind in KINDS and each.name not in ("judge", "model") and value and isinstance(value, (str, tuple)):
            asked[kind] |= set(value) if isinstance(value, tuple) else {value}
    return {kind: display.hidden(kind) - asked[kind] for kind in KINDS}


def as_shown(result: Result) -> Result:
    """The result without the rows of judges and models that are not to be shown, which its caption says."""
    hidden = left_out(result.study, result.display)
    if not any(hidden.values()) or not result.study.hides:
        return result
    tables: dict[str, pd.DataFrame] = {}
    gone: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for name, table in result.tables.items():
        keep = pd.Series(True, index=table.index)
        for column, kind in (COLUMNS | ALSO.get(result.study.command, {})).items():
            if column in table and hidden[kind]:
                found = table[column].isin(hidden[kind])
                gone[kind] |= set(table.loc[found, column])
                keep &= ~found
        tables[name] = table if keep.all() else table[keep].reset_index(drop=True)
    said = [written.plural(len(some), kind) for kind, some in gone.items() if some]
    caption = result.caption
    if said:
        who = " and ".join(said)
        caption += f" Not shown: {who}." if caption.endswith(".") else f"; {who} not shown"
    return dataclasses.replace(result, tables=tables, caption=caption)


def as_files_have_it(result: Result) -> Result:
    """The result with the names of files in its study, settings and tables; its sentences stay as they are read."""
    display = result.display
    if not display.renames or not display.in_use:
        return result
    tables = {n: real_table(t, display, result.study.command) for n, t in result.tables.items()}
    return dataclasses.replace(
        result, study=in_real_names(result.study, display), tables=tables,
        settings={name: _setting(name, value, display) for name, value in result.settings.items()},
    )  # fmt: skip


def _setting(name: str, value: Any, display: Display) -> Any:
    kind = (WORDS | SETTINGS).get(name)
    if kind is None or not isinstance(value, (str, tuple, list, Mapping)):
        return value
    if isinstance(value, Mapping):
        return {_word(kind, key, display, "real"): one for key, one in value.items()}
    if isinstance(value, str):
        return _word(kind, value, display, "real")
    return type(value)(_word(kind, one, display, "real") for one in value)
