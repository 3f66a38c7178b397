"""Which models are a judge's own? What somebody says of a dataset, beside what attributes and names tell.

Kept by name: an import that is withdrawn and read again leaves what was said in force.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from data import queries
from data.store import Store
from errors import unknown_name


def set_own(store: Store, dataset: str, told: Mapping[str, Sequence[str] | None]) -> None:
    """Of each judge these, and no others, are its own models; none at all is a statement too, None takes it back.

    Raises UnknownNameError with the nearest names; then nothing is changed.
    """
    with store.writing("saying which models are whose") as con:
        names = queries.catalog(con, dataset)
        real = names.display.real
        for judge, models in told.items():
            judge, models = real("judge", judge), None if models is None else [real("model", m) for m in models]
            if judge not in names.judges:
                raise unknown_name(f"judge in dataset {names.dataset!r}", judge, names.judges)
            for model in models or ():
                if model not in names.models:
                    raise unknown_name(f"model in dataset {names.dataset!r}", model, names.models)
            con.execute("DELETE FROM own_model WHERE dataset_id = ? AND judge = ?", [names.dataset_id, judge])
            if models is not None:
                said: list[str | None] = [*dict.fromkeys(models)]
                rows = [(names.dataset_id, judge, one) for one in said or [None]]
                con.executemany("INSERT INTO own_model VALUES (?, ?, ?)", rows)
