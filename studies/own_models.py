"""Which models count as whose: as an option says, as the dataset has it, by the attribute family, or by their names?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from analysis.own_models import Own, find_own
from data import queries
from data.queries import Catalog, Con
from data.queries.audit import families, told_own
from data.store import Store
from errors import OptionError, unknown_name


@dataclass(frozen=True)
class Owners:
    """own : which models are whose, and why; kept : what the dataset has; words : what of the store it rests on"""

    own: tuple[Own, ...]
    kept: Mapping[str, tuple[str, ...]]
    words: tuple[str, ...]


def stamped(fingerprint: str, words: Iterable[str]) -> str:
    """A fingerprint that also changes with these words; as it was where there are none."""
    some = sorted(words)
    return hashlib.sha256("\x1e".join([fingerprint, *some]).encode()).hexdigest()[:16] if some else fingerprint


def read_told(words: Iterable[str]) -> dict[str, list[str]]:
    """judge -> models of words like JUDGE=MODEL. Raises OptionError."""
    told: dict[str, list[str]] = {}
    for word in words:
        judge, _, model = word.rpartition("=")
        if not judge or not model:
            raise OptionError(f"--own {word!r}: write JUDGE=MODEL")
        told.setdefault(judge, []).append(model)
    return told


def find_owners(
    con: Con, names: Catalog, judges: Sequence[str], told: Mapping[str, Sequence[str]] | None = None
) -> Owners:
    """The own models of these judges. told : of an option. Raises UnknownNameError."""
    told = told or {}
    for judge, some in told.items():
        if judge not in names.judges:
            raise unknown_name("judge", judge, names.judges)
        for model in some:
            if model not in names.models:
                raise unknown_name("model", model, names.models)
    kept, family = told_own(con, names), families(con, names)
    # Names tell families, and a digest is of the data: both by the names of the files, whatever people are shown.
    real, shown = names.display.real, names.display.here
    of_judges = {real("judge", j): family.get(("judge", names.judges[j][0])) for j in judges}
    of_models = {real("model", m): family.get(("model", number)) for m, number in names.models.items()}
    said, had = (
        {real("judge", j): [real("model", m) for m in some] for j, some in of.items()} for of in (told, kept)
    )
    own = tuple(
        replace(one, judge=shown("judge", one.judge), model=shown("model", one.model))
        for one in find_own(of_judges, of_models, said, had)
    )
    words = [f"own\x1f{j}\x1f{model}" for j in of_judges if j in had for model in (had[j] or ("",))]
    known = [(name, value) for some in (of_judges, of_models) for name, value in some.items() if value]
    words += [f"family\x1f{name}\x1f{value}" for name, value in known]
    return Owners(own, kept, tuple(words))


def own_table(store: Store, dataset: str) -> pd.DataFrame:
    """judge, model, because: of all judges but people, a judge without any with the reason alone where there is one."""
    with store.reading("looking up whose models are whose") as con:
        names = queries.catalog(con, dataset)
        judges = [name for name, (_, kind) in names.judges.items() if kind not in ("human", "rule")]
        found = find_owners(con, names, judges)
    rows: list[dict[str, str | None]] = [dict(one.__dict__) for one in found.own]
    rows += [{"judge": judge, "model": None, "because": "the dataset says none"} for judge in judges
             if judge in found.kept and not found.kept[judge]]  # fmt: skip
    return pd.DataFrame(rows, columns=["judge", "model", "because"])
