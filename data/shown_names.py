"""Under which names are judges and models shown, in which order, which of them not, and with how many decimals?

Names in files, addresses, commands and data stay what they are. A store that is read `as_shown` answers every query
with the names that people are shown: views take the place of the tables with names on each of its connections, so that
no query, study or drawing needs to know. `Display` leads from one kind of name to the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import duckdb

from data.remembered import known

Con = duckdb.DuckDBPyConnection
Kind = Literal["judge", "model"]
KINDS: tuple[Kind, Kind] = ("judge", "model")

DECIMALS = "decimals"
"""Name of the setting."""


@dataclass(frozen=True)
class Named:
    """How one judge or model is shown. name : as files have it; shown : the name people see; place : from 0, None
    behind those that have one; hidden : left out of what is shown, not of what is fitted"""

    kind: Kind
    name: str
    shown: str
    place: int | None = None
    hidden: bool = False


@dataclass(frozen=True)
class Display:
    """How a dataset is shown. entries : of judges and models that are not shown just as they are

    decimals : of estimates, at most; None: as many as usual (2)
    in_use : whether names read from the store are those shown; else they are the files' own
    """

    entries: tuple[Named, ...] = ()
    decimals: int | None = None
    in_use: bool = False

    @cached_property
    def _shown(self) -> dict[tuple[str, str], str]:
        return {(e.kind, e.name): e.shown for e in self.entries if e.shown != e.name}

    @cached_property
    def _real(self) -> dict[tuple[str, str], str]:
        return {(kind, shown): name for (kind, name), shown in self._shown.items()}

    def shown(self, kind: str, name: str) -> str:
        """The name that people see. One that is shown already stays."""
        return self._shown.get((kind, name), name)

    def real(self, kind: str, name: str) -> str:
        """The name that files, addresses and commands have. One that is such a name already stays."""
        return self._real.get((kind, name), name)

    def here(self, kind: str, name: str) -> str:
        """A name of either sort as queries on this store know it."""
        return self.shown(kind, name) if self.in_use else self.real(kind, name)

    def alphabetically(self, kind: str, names: Iterable[str]) -> list[str]:
        """Names in the alphabetical order of the files' own: what is computed does not hang on how they are shown."""
        return sorted(names, key=lambda name: self.real(kind, name))

    @property
    def written(self) -> tuple[object, ...]:
        """What sentences and tables have of it, whatever is left out when they are shown."""
        return tuple((e.kind, e.name, e.shown, e.place) for e in self.entries), self.decimals

    @property
    def renames(self) -> bool:
        return bool(self._shown)

    def hidden(self, kind: str) -> frozenset[str]:
        """The names, as shown, of those that are left out of what is shown."""
        return frozenset(e.shown for e in self.entries if e.hidden and e.kind == kind)

    def ordered(self, kind: str, names: Iterable[str]) -> list[str]:
        """Names as shown in the order that was set; those without a place behind, in theirs."""
        places = {e.shown: e.place for e in self.entries if e.kind == kind and e.place is not None}
        listed = list(names)
        return sorted(listed, key=lambda name: (name not in places, places.get(name, 0)))

    def as_json(self) -> dict[str, Any]:
        """What was set, without what was not: judges and models by their own names, decimals."""
        out: dict[str, Any] = {}
        for kind in KINDS:
            mine = [e for e in self.entries if e.kind == kind]
            if mine:
                out[f"{kind}s"] = [_plain(e) for e in mine]
        if self.decimals is not None:
            out["decimals"] = self.decimals
        return out


AS_THEY_ARE = Display()


def _plain(entry: Named) -> dict[str, Any]:
    out: dict[str, Any] = {"name": entry.name}
    if entry.shown != entry.name:
        out["shown"] = entry.shown
    if entry.place is not None:
        out["place"] = entry.place
    if entry.hidden:
        out["hidden"] = True
    return out


# A display name that has become the real name of another (a later file brought it) is not used: two would look alike.
_IN_FORCE = """WITH known AS (
    SELECT dataset_id, 'judge' AS kind, name FROM {whole}.judge
    UNION SELECT dataset_id, 'judge', judge FROM {whole}.published_weight
    UNION SELECT dataset_id, 'model', name FROM {whole}.model)
SELECT d.dataset_id, d.kind, d.name, CASE WHEN k.name IS NULL THEN d.shown ELSE d.name END AS shown, d.place, d.hidden
FROM {whole}.display d
LEFT JOIN known k ON k.dataset_id = d.dataset_id AND k.kind = d.kind AND k.name = d.shown AND d.shown <> d.name"""

_VIEWS = """CREATE OR REPLACE TEMP VIEW judge AS
    SELECT t.* REPLACE (coalesce(s.shown, t.name) AS name) FROM {whole}.judge t
    LEFT JOIN shown_as s ON s.dataset_id = t.dataset_id AND s.kind = 'judge' AND s.name = t.name;
CREATE OR REPLACE TEMP VIEW model AS
    SELECT t.* REPLACE (coalesce(s.shown, t.name) AS name) FROM {whole}.model t
    LEFT JOIN shown_as s ON s.dataset_id = t.dataset_id AND s.kind = 'model' AND s.name = t.name;
CREATE OR REPLACE TEMP VIEW published_weight AS
    SELECT t.* REPLACE (coalesce(s.shown, t.judge) AS judge), t.rowid AS rowid FROM {whole}.published_weight t
    LEFT JOIN shown_as s ON s.dataset_id = t.dataset_id AND s.kind = 'judge' AND s.name = t.judge;
CREATE OR REPLACE TEMP VIEW own_model AS
    SELECT t.* REPLACE (coalesce(j.shown, t.judge) AS judge, coalesce(m.shown, t.model) AS model)
    FROM {whole}.own_model t
    LEFT JOIN shown_as j ON j.dataset_id = t.dataset_id AND j.kind = 'judge' AND j.name = t.judge
    LEFT JOIN shown_as m ON m.dataset_id = t.dataset_id AND m.kind = 'model' AND m.name = t.model;
CREATE OR REPLACE TEMP VIEW truth AS
    SELECT t.* REPLACE (coalesce(j.shown, t.judge) AS judge, coalesce(m.shown, t.name) AS name) FROM {whole}.truth t
    LEFT JOIN shown_as j ON j.dataset_id = t.dataset_id AND j.kind = 'judge' AND j.name = t.judge
    LEFT JOIN shown_as m ON m.dataset_id = t.dataset_id AND m.kind = 'model' AND m.name = t.name
        AND t.kind = 'strength'"""


def use(con: Con) -> None:
    """From here on this connection answers with the names that people are shown."""
    said, renamed = known("display names", lambda: con.execute(
        "SELECT count(*), count(*) FILTER (shown <> name) FROM display"
    ).fetchall()[0])  # fmt: skip
    if said:
        con.execute("SET VARIABLE shown_names = true")
    if renamed:
        whole = _whole(con)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE shown_as AS {_IN_FORCE.format(whole=whole)} WHERE d.shown <> d.name; "
            + _VIEWS.format(whole=whole)
        )


def read(con: Con, dataset_id: int) -> Display:
    """How a dataset is shown, the entries by kind and place."""
    return known(("display", dataset_id), lambda: _read(con, dataset_id))


def _read(con: Con, dataset_id: int) -> Display:
    in_use, decimals = con.execute(
        "SELECT coalesce(getvariable('shown_names'), false), "
        "(SELECT any_value(value) FROM setting WHERE dataset_id = $d AND name = $n)",
        {"d": dataset_id, "n": DECIMALS},
    ).fetchall()[0]
    rows = con.execute(
        f"FROM ({_IN_FORCE.format(whole=_whole(con))}) SELECT kind, name, shown, place, hidden WHERE dataset_id = $d "
        "ORDER BY kind, place NULLS LAST, name",
        {"d": dataset_id},
    ).fetchall()
    return Display(tuple(Named(*row) for row in rows), int(decimals) if decimals is not None else None, bool(in_use))


def _whole(con: Con) -> str:
    """Where the tables themselves are found, whatever views stand before them."""
    here = con.execute("SELECT current_database()").fetchall()[0][0].replace('"', '""')
    return f'"{here}".main'
