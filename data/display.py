"""How are judges and models of a dataset named, ordered and left out where people look? As somebody set it, by name.

An import that is withdrawn and read again leaves it in force. Nothing here changes a judgment, a fit or a fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import pandas as pd

from data import queries
from data.queries import Catalog
from data.queries.published import published_judges
from data.shown_names import DECIMALS, KINDS, Display, Kind, Named, read
from data.store import Store
from errors import FileError, OptionError, unknown_name

Con = duckdb.DuckDBPyConnection

LONGEST = 200
"""Letters of a display name."""

MOST_DECIMALS = 6

COLUMNS = ("kind", "name", "shown", "order", "show")
"""Of the table of all names: kind and name say which; shown is the display name; order is from 1; show: yes or no."""

Of = tuple[Kind, str]


@dataclass(frozen=True)
class Changes:
    """What is to be set; whatever is not named stays as it is.

    shown : display names, '' for the own name again; order : of each kind the names that come first, in this order
    hidden : whether left out of what is shown; decimals : of estimates, None leaves them
    """

    shown: Mapping[Of, str] = field(default_factory=dict)
    order: Mapping[Kind, Sequence[str]] = field(default_factory=dict)
    hidden: Mapping[Of, bool] = field(default_factory=dict)
    decimals: int | None = None


def read_display(store: Store, dataset: str) -> Display:
    """How a dataset is shown. Raises UnknownNameError."""
    with store.reading("reading display names") as con:
        return queries.catalog(con, dataset).display


def name_table(store: Store, dataset: str) -> pd.DataFrame:
    """One row a judge and model of the dataset in the order they are shown: kind, name, shown, order, show."""
    with store.reading("listing display names") as con:
        known, display = _known(con, queries.catalog(con, dataset))
    entries = {(e.kind, e.name): e for e in display.entries}
    rows = []
    for kind in KINDS:
        mine = [entries.get((kind, name), Named(kind, name, name)) for name in known[kind]]
        mine.sort(key=lambda e: (e.place is None, e.place or 0))
        for e in mine:
            place = e.place + 1 if e.place is not None else None
            rows.append((kind, e.name, e.shown, place, "no" if e.hidden else "yes"))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.assign(order=table["order"].astype("Int64"))


def change(store: Store, dataset: str, changes: Changes, *, clear: bool = False) -> Display:
    """Set names, order, what is left out and decimals; returns how the dataset is shown from now on.

    clear : whether what was set before is forgotten first

    Raises UnknownNameError with the nearest names, OptionError for a name that two would share, for a kind of which
    nothing would be shown, for decimals outside 0 to 6; then nothing is changed.
    """
    if changes.decimals is not None and not 0 <= changes.decimals <= MOST_DECIMALS:
        raise OptionError(f"{changes.decimals} decimals: give a whole number from 0 to {MOST_DECIMALS}")
    with store.writing("setting display names") as con:
        names = queries.catalog(con, dataset)
        known, _ = _known(con, names)
        entries = {} if clear else _kept(con, names.dataset_id)
        if clear:
            set_setting(con, names.dataset_id, DECIMALS, None)
        for kind, name in (*changes.shown, *changes.hidden, *((k, n) for k in changes.order for n in changes.order[k])):
            if name not in known[kind]:
                raise unknown_name(f"{kind} in dataset {names.dataset!r}", name, known[kind])
        for (kind, name), shown in changes.shown.items():
            entries[kind, name] = replace(_of(entries, kind, name), shown=clean(shown) or name)
        for (kind, name), hidden in changes.hidden.items():
            entries[kind, name] = replace(_of(entries, kind, name), hidden=hidden)
        for kind, order in changes.order.items():
            listed = list(dict.fromkeys(order))
            for name in {n for k, n in entries if k == kind} | set(listed):
                place = listed.index(name) if name in listed else None
                entries[kind, name] = replace(_of(entries, kind, name), place=place)
        _check(entries, known)
        _write(con, names.dataset_id, entries.values())
        if changes.decimals is not None:
            set_setting(con, names.dataset_id, DECIMALS, str(changes.decimals))
        return read(con, names.dataset_id)


def clear(store: Store, dataset: str) -> None:
    """Everything is shown as it is again, with the usual decimals."""
    change(store, dataset, Changes(), clear=True)


def clean(name: str) -> str:
    """A display name on one line. Raises OptionError where it is too long."""
    flat = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    if len(flat) > LONGEST:
        raise OptionError(f"the display name {flat[:40]!r}... has {len(flat)} letters: at most {LONGEST}")
    return flat


def set_setting(con: Con, dataset_id: int, name: str, value: str | None) -> None:
    """One remembered choice of a dataset; None takes it back. Inside a write lease."""
    con.execute("DELETE FROM setting WHERE dataset_id = ? AND name = ?", [dataset_id, name])
    if value is not None:
        con.execute("INSERT INTO setting VALUES (?, ?, ?)", [dataset_id, name, value])


# -- from words and files -------------------------------------------------------------------------------------------


def changes_from(
    table: pd.DataFrame, *, models: Sequence[str] = (), judges: Sequence[str] = (), order: Sequence[str] = (),
    hide: Sequence[str] = (), show: Sequence[str] = (), decimals: int | None = None, start: Changes | None = None,
) -> Changes:  # fmt: skip
    """Changes from words of a command. table : of `name_table`; start : what they are added to

    models, judges : NAME=SHOWN; order, hide, show : NAME, of both kinds where both have it, or judge:NAME, model:NAME
    Raises OptionError, UnknownNameError with the nearest names.
    """
    known: dict[Kind, list[str]] = {kind: list(table.loc[table["kind"] == kind, "name"]) for kind in KINDS}
    before = start or Changes()
    shown, hidden, places = dict(before.shown), dict(before.hidden), dict(before.order)
    said: tuple[tuple[Kind, Sequence[str]], ...] = (("judge", judges), ("model", models))
    for kind, given in said:
        for word in given:
            name = next((n for n in sorted(known[kind], key=len, reverse=True) if word.startswith(f"{n}=")), None)
            if name is None:
                bare, sign, _ = word.partition("=")
                if not sign:
                    raise OptionError(f"--{kind} {word!r}: write NAME=SHOWN")
                raise unknown_name(kind, bare, known[kind])
            shown[kind, name] = word[len(name) + 1 :]
    listed: dict[Kind, list[str]] = {}
    for word in order:
        for kind, name in _meant(word, known):
            listed.setdefault(kind, []).append(name)
    for gone, words in ((True, hide), (False, show)):
        hidden |= {each: gone for word in words for each in _meant(word, known)}
    return Changes(shown, places | listed, hidden, before.decimals if decimals is None else decimals)


def _meant(word: str, known: Mapping[Kind, Sequence[str]]) -> list[Of]:
    """Which judge or model a word names; both where both have the name."""
    found = [(kind, word) for kind in KINDS if word in known[kind]]
    found += [(kind, word.removeprefix(f"{kind}:")) for kind in KINDS if word.removeprefix(f"{kind}:") in known[kind]
              and word.startswith(f"{kind}:")]  # fmt: skip
    if not found:
        raise unknown_name("judge or model", word, [name for kind in KINDS for name in known[kind]])
    return found


def read_changes(path: Path) -> Changes:
    """Changes from a CSV with the columns of `name_table`, of which all but kind and name may be left out.

    Raises FileError, OptionError with file and line.
    """
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, sep=None, engine="python", encoding="utf-8-sig")
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise FileError(f"{path.name} cannot be read as a table of display names ({error}): make it a CSV") from error
    table.columns = [str(c).strip().casefold() for c in table.columns]
    missing = [c for c in ("kind", "name") if c not in table]
    if missing or len(table.columns) < 3:
        raise FileError(
            f"{path.name} has the columns {', '.join(table.columns)}: a table of display names has kind (judge or "
            "model) and name, and of shown, order and show what is to be set"
        )
    shown: dict[Of, str] = {}
    hidden: dict[Of, bool] = {}
    places: dict[Kind, list[tuple[float, str]]] = {}
    for line, row in enumerate(table.to_dict("records"), start=2):
        where = f"{path.name} line {line}"
        kind, name = _kind(str(row["kind"]), where), str(row["name"])
        if "shown" in row:
            shown[kind, name] = str(row["shown"])
        if str(row.get("show", "")).strip():
            hidden[kind, name] = not _yes(str(row["show"]), where)
        if str(row.get("order", "")).strip():
            places.setdefault(kind, []).append((_number(str(row["order"]), where), name))
    return Changes(shown, {kind: [n for _, n in sorted(some)] for kind, some in places.items()}, hidden)


def _kind(word: str, where: str) -> Kind:
    for kind in KINDS:
        if word.strip().casefold() in (kind, f"{kind}s"):
            return kind
    raise OptionError(f"{where}: kind {word!r} is neither judge nor model")


def _yes(word: str, where: str) -> bool:
    folded = word.strip().casefold()
    if folded in ("yes", "true", "1", "y"):
        return True
    if folded in ("no", "false", "0", "n"):
        return False
    raise OptionError(f"{where}: show {word!r} is neither yes nor no")


def _number(word: str, where: str) -> float:
    try:
        return float(word)
    except ValueError as error:
        raise OptionError(f"{where}: order {word!r} is no number") from error


# -- the store ------------------------------------------------------------------------------------------------------


def _known(con: Con, names: Catalog) -> tuple[dict[Kind, list[str]], Display]:
    """The real names of each kind, those of judges with published weights among them."""
    real = [names.display.real("judge", name) for name in names.judges]
    published = [names.display.real("judge", str(n)) for n in published_judges(con, names.dataset_id)["judge"]]
    judges = list(dict.fromkeys([*real, *published]))
    return {"judge": judges, "model": [names.display.real("model", n) for n in names.models]}, names.display


def _kept(con: Con, dataset_id: int) -> dict[Of, Named]:
    rows = con.execute(
        "SELECT kind, name, shown, place, hidden FROM display WHERE dataset_id = $d ORDER BY kind, name",
        {"d": dataset_id},
    ).fetchall()
    return {(row[0], row[1]): Named(*row) for row in rows}


def _of(entries: Mapping[Of, Named], kind: Kind, name: str) -> Named:
    return entries.get((kind, name), Named(kind, name, name))


def _check(entries: Mapping[Of, Named], known: Mapping[Kind, Sequence[str]]) -> None:
    """Raises OptionError where two of a kind would look alike, or none would be shown."""
    for kind in KINDS:
        taken: dict[str, str] = {}
        for name in known[kind]:
            shown = _of(entries, kind, name).shown
            if shown != name and shown in known[kind]:
                raise OptionError(
                    f"{kind} {name!r} cannot be shown as {shown!r}: that is the name of another {kind}. "
                    "Choose a name that no other has"
                )
            if shown in taken:
                raise OptionError(
                    f"{kind}s {taken[shown]!r} and {name!r} cannot both be shown as {shown!r}: they could not be told "
                    "apart. Choose two names"
                )
            taken[shown] = name
        if known[kind] and all(_of(entries, kind, name).hidden for name in known[kind]):
            raise OptionError(f"no {kind} would be shown: leave at least one")


def _write(con: Con, dataset_id: int, entries: Iterable[Named]) -> None:
    con.execute("DELETE FROM display WHERE dataset_id = ?", [dataset_id])
    rows = [
        (dataset_id, e.kind, e.name, e.shown, e.place, e.hidden)
        for e in entries
        if e.shown != e.name or e.place is not None or e.hidden
    ]
    if rows:
        con.executemany("INSERT INTO display VALUES (?, ?, ?, ?, ?, ?)", rows)
