"""What does a dropped file hold, what could its columns mean, and which words of the command line say so?

No Streamlit here. A field's own name is taken as such; a name that only resembles one is offered as a guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from data.factor_columns import KEYS, RESEMBLING, recognised, resolve_factor_mapping
from data.fields import WINNER_WORDS, canonical, resolve_mapping, suggest
from data.importers import factors, judgments, registry
from data.store import Store
from errors import MappingError

MOST_VALUES = 24
LOOKED_AT = 200_000
"""Rows in which the values of a column are looked for; the import itself checks all."""

ESSENTIAL = ("prompt", "model_a", "model_b", "response_a", "response_b", "winner", "scenario", "annotator")
OUTCOMES = {"a": "a wins", "b": "b wins", "tie": "tie", "both_bad": "both bad (a tie)", "none": "no verdict"}

BY_COLUMN, BY_COLUMNS, BY_NAME = "column", "columns", "name"
WAYS = {
    BY_COLUMN: "One row a judgment; a column names the judge",
    BY_COLUMNS: "Each judge has a column of its own",
    BY_NAME: "One judge gave them all",
}


@dataclass(frozen=True)
class Look:
    """What was seen of a file. values : up to MOST_VALUES distinct values a column; head : its first rows

    own_format : it is a format that says by itself what each column means
    """

    format: str
    columns: tuple[str, ...]
    rows: int
    head: pd.DataFrame
    values: Mapping[str, tuple[str, ...]]
    inferred: tuple[str, ...] = ()

    @property
    def own_format(self) -> bool:
        return self.format != judgments.NAME

    @property
    def of_factors(self) -> bool:
        """It adds factors to a dataset that is there."""
        return self.format == factors.NAME


def look(store: Store, path: Path) -> Look:
    """Recognise a file and read its columns. Raises FileError with what is wrong with it."""
    with store.staging() as staging:
        importer = registry.choose(path)
        raw = importer.load(path, staging.connection, staging.scratch, lambda share, text: None)
        if importer.NAME != judgments.NAME:
            return Look(importer.NAME, raw.columns, raw.n_rows, pd.DataFrame(), {}, raw.inferred)
        table = staging.connection.table("raw")
        head = table.limit(3).df().drop(columns="row").set_axis(list(raw.columns), axis=1)
        values = {}
        for k, column in enumerate(raw.columns):
            found = table.limit(LOOKED_AT).select(f"c{k}").distinct().limit(MOST_VALUES + 1).fetchall()
            texts = sorted({str(v).strip() for (v,) in found if v is not None and str(v).strip()})
            if len(found) <= MOST_VALUES:
                values[column] = tuple(texts)
        if recognised(raw.columns):
            inferred = (*raw.inferred, *resolve_factor_mapping(raw.columns).inferred)
            return Look(factors.NAME, raw.columns, raw.n_rows, head, values, inferred)
        return Look(importer.NAME, raw.columns, raw.n_rows, head, values, raw.inferred)


@dataclass(frozen=True)
class Guess:
    """Prefilled boxes. sure : the column carries the field's own name"""

    columns: Mapping[str, str]
    sure: frozenset[str]
    way: str
    judge_columns: tuple[str, ...]


def guess(seen: Look) -> Guess:
    """What the boxes begin with."""
    found = suggest(seen.columns)
    sure = frozenset(f for f, c in found.items() if canonical(c) == f)
    taken = {c for f, c in found.items() if f in sure}
    wide = tuple(c for c in seen.columns if c not in taken and _holds_verdicts(seen.values.get(c, ())))
    if "judge" in sure or ("judge" in found and "winner" in found):
        way = BY_COLUMN
    elif "winner" not in sure and len(wide) >= 2:
        way = BY_COLUMNS
        found = {f: c for f, c in found.items() if c not in wide and f not in ("winner", "judge", "p_a")}
    else:
        way = BY_NAME
    return Guess(found, sure, way, wide if way == BY_COLUMNS else ())


def guess_keys(seen: Look) -> dict[str, str]:
    """Of a table of factors, key -> the column that carries its name or resembles it."""
    by_name = {canonical(c): c for c in reversed(seen.columns)}
    found = {key: by_name[key] for key in KEYS if key in by_name}
    for key in KEYS:
        likely = [by_name[n] for n in RESEMBLING.get(key, ()) if n in by_name and by_name[n] not in found.values()]
        if key not in found and likely:
            found[key] = likely[0]
    return found


def may_be_factors(seen: Look) -> bool:
    """Whether a table holds no verdicts, and something by which responses or pairs can be looked up."""
    first, keys = guess(seen), set(guess_keys(seen))
    verdicts = {"winner", "p_a", "chosen", "score_a", "count_a"} & set(first.columns)
    return not verdicts and not first.judge_columns and bool(keys & {"pair_id", "response", "model"})


def _holds_verdicts(values: tuple[str, ...]) -> bool:
    known = [v for v in values if v.lower() in WINNER_WORDS]
    # A column of 1 and 2 alone may be anything; words are clear.
    words = {v for v in known if not v.isdigit()}
    return bool(words) and len(known) >= len(values) / 2


@dataclass(frozen=True)
class Choices:
    """What the boxes say. columns : field -> column; judge_columns : column -> kind; winner_values : word -> outcome"""

    dataset: str
    columns: Mapping[str, str] = field(default_factory=dict)
    way: str = BY_COLUMN
    judge: str = ""
    kind: str | None = None
    judge_columns: Mapping[str, str] = field(default_factory=dict)
    winner_values: Mapping[str, str] = field(default_factory=dict)
    scores: str = "order"
    format: str = judgments.NAME

    def maps(self) -> list[tuple[str, str]]:
        hidden = {BY_COLUMN: (), BY_COLUMNS: ("judge", "winner", "p_a"), BY_NAME: ("judge",)}[self.way]
        return [(f, c) for f, c in self.columns.items() if f not in hidden]

    def keys(self) -> list[tuple[str, str]]:
        """Of a table of factors: the columns that do not carry the name of the key they are."""
        return [(key, column) for key, column in self.columns.items() if canonical(column) != key]

    def sets(self) -> list[tuple[str, str]]:
        out = [(f"winner.{word}", outcome) for word, outcome in self.winner_values.items()]
        if self.way == BY_NAME and self.judge.strip():
            out.append(("judge", self.judge.strip()))
        if self.kind and self.way != BY_COLUMNS and "judge_kind" not in self.columns:
            out.append(("judge_kind", self.kind))
        if self.scores != "order":
            out.append(("scores", self.scores))
        return out

    def missing(self, seen: Look, name: str) -> str | None:
        """What still has to be said, in a sentence; None when the import can begin."""
        of_factors = self.format == factors.NAME
        if not self.dataset.strip():
            return "Say whose factors they are." if of_factors else "Give the dataset a name."
        if seen.own_format:
            return None
        if of_factors:
            try:
                resolve_factor_mapping(seen.columns, self.keys(), name=name)
            except MappingError as error:
                if "names neither pairs nor responses" in str(error):
                    return "Say which columns name the pair; or the prompt, and the response or its model."
                return str(error)
            return None
        columns = tuple(self.judge_columns.items()) if self.way == BY_COLUMNS else ()
        if self.way == BY_COLUMNS and not columns:
            return "Say which columns hold a judge's verdicts."
        try:
            resolve_mapping(seen.columns, self.maps(), self.sets(), columns, name=name, automatic=False)
        except MappingError as error:
            text = str(error)
            lacks = re.match(r".* lacks ([a-z_, ]+)\. ", text)
            return f"Still to be said: {lacks[1]}." if lacks else text
        return None

    def arguments(self, path: Path, *more: str) -> list[str]:
        """The words after `cli.py`."""
        words = ["import", str(path), f"--dataset={self.dataset.strip()}", f"--as={self.format}"]
        if self.format == judgments.NAME:
            words.append("--only-mapped")
            words += [f"--map={f}={c}" for f, c in self.maps()]
            words += [f"--set={f}={v}" for f, v in self.sets()]
            if self.way == BY_COLUMNS:
                words += [f"--judge-column={c}={kind}" for c, kind in self.judge_columns.items()]
        if self.format == factors.NAME:
            words += [f"--map={key}={column}" for key, column in self.keys()]
        return [*words, *more]


def unclear_winners(seen: Look, columns: tuple[str, ...], models: tuple[str, ...] = ()) -> list[str]:
    """Values of verdict columns that are no known word, and 1 and 2 where they stand beside 0.

    models : names that are verdicts too
    """
    values = sorted({v for c in columns for v in seen.values.get(c, ())})
    zero = "0" in values or "0.0" in values
    known = {m.lower() for m in models}
    return [
        v for v in values
        if (v.lower() not in WINNER_WORDS and v.lower() not in known) or (zero and re.fullmatch(r"[012](\.0)?", v))
    ]  # fmt: skip
