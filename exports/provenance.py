"""What must be known of a result to compute it again: the study with all its options, the data, the versions?"""

from __future__ import annotations

import platform
import typing
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, fields, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from data import queries
from data.model import Selection
from data.queries import digests
from data.queries.labelings import OWN
from data.store import Store
from errors import FileError, JurylensError, OptionError
from studies.study import REGISTRY, VERSION, Study, bare, hints

LIBRARIES = ("numpy", "scipy", "pandas", "statsmodels", "duckdb", "pyarrow", "plotly")
"""Whose versions can move a number or a figure."""

PAIR = "pair"
"""The option that names a pair by its number, which another store has given to another pair."""


def versions() -> dict[str, str]:
    """Of this program, of Python and of the libraries that compute."""
    found = {"jurylens": _own(), "results": VERSION, "python": platform.python_version()}
    found |= {name: metadata.version(name) for name in LIBRARIES}
    return found | {"system": platform.system(), "machine": platform.machine()}


def _own() -> str:
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
    return next(line.split('"')[1] for line in text.splitlines() if line.startswith("version"))


@dataclass(frozen=True)
class Rests:
    """What an answer rests on. judges : judge -> word for what its judgments say; beside : the same of all else"""

    dataset: str
    judges: dict[str, str]
    beside: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        return {"dataset": self.dataset, "judges": self.judges, "beside": self.beside}


def rests_on(study: Study, store: Store) -> Rests:
    """study : resolved, with the names of the files. Judges of published weights have no judgments."""
    with unshown(store).reading("looking at what an answer rests on") as con:
        names = queries.catalog(con, _selected(study))
        judges = judges_of(study)
        return Rests(names.dataset, digests.judged(con, names, judges), digests.beside(con, names, judges))


def judges_of(study: Study) -> tuple[str, ...]:
    """Whose judgments a resolved study is about, those who say what is right included."""
    reference = getattr(study, "reference", None)
    return tuple(dict.fromkeys([*study.judge, *([reference] if reference is not None else [])]))


def unshown(store: Store) -> Store:
    """The same store, read by the files' own names."""
    plain = copy(store)
    plain.shown = False
    return plain


def _selected(study: Study) -> Selection:
    labeling = None if study.labeling == OWN else study.labeling
    return Selection(dataset=study.dataset, labeling=labeling)


def as_options(study: Study) -> dict[str, Any]:
    """All options of a resolved study as JSON can hold them."""
    return {each.name: _listed(getattr(study, each.name)) for each in fields(study)}


def _listed(value: Any) -> Any:
    return [_listed(one) for one in value] if isinstance(value, tuple) else value


def study_of(command: str, options: Mapping[str, Any]) -> Study:
    """The study that a bundle names. Raises FileError where this version has no such study or option."""
    cls = REGISTRY.get(command)
    if cls is None:
        raise FileError(f"this version knows no study {command!r}: replay with the version that made the bundle")
    kinds = hints(cls)
    unknown = [name for name, value in options.items() if name not in kinds and value not in (None, [], False)]
    if unknown:
        raise FileError(
            f"{command} has no option {', '.join(map(repr, unknown))} in this version: replay with the one that made "
            "the bundle"
        )
    given = {name: _typed(kinds[name], name, value) for name, value in options.items() if name in kinds}
    return cls(**given)


def _typed(kind: Any, name: str, value: Any) -> Any:
    one, several = bare(kind)
    if value is None and type(None) in typing.get_args(kind):
        return None
    try:
        if several:
            return tuple(one(item) for item in value)
        return bool(value) if one is bool else one(value)
    except (TypeError, ValueError) as error:
        raise FileError(f"bundle.json: the option {name} cannot be {value!r}") from error


def pair_keys(study: Study, store: Store) -> dict[str, str]:
    """What the pair is that the study is about; nothing where it is about none."""
    number = getattr(study, PAIR, None)
    if number is None:
        return {}
    with unshown(store).reading("looking up a pair") as con:
        key = digests.pair_key(con, queries.catalog(con, _selected(study)), int(number))
    return {} if key is None else {PAIR: key}


def with_pair(study: Study, keys: Mapping[str, str], store: Store) -> Study:
    """The study about the same pair in this store. Raises OptionError where the store has no such pair."""
    if PAIR not in keys:
        return study
    with unshown(store).reading("looking up a pair") as con:
        found = digests.pair_of(con, queries.catalog(con, _selected(study)), keys[PAIR])
    if found is None:
        raise OptionError(f"dataset {study.dataset!r} has not the pair of responses that the bundle is about")
    return replace(study, **{PAIR: found})  # type: ignore[arg-type]


def is_loaded(study: Study, store: Store) -> bool:
    """Whether the store has the study's dataset."""
    try:
        with store.reading("looking for the dataset") as con:
            return study.dataset in {name for name, _ in queries.dataset_names(con)}
    except JurylensError:
        return False
