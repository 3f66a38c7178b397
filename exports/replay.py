"""Are the numbers of a bundle the same today? The study is run again, on the bundle's own data or on a store's.

A number counts as the same within RELATIVE or ABSOLUTE: on one machine a replay is the same to the last digit, but
other processors and versions of linear algebra add up in another order, and an iteration stops where its step is below
about 1e-8. What is found in the order of the store (rows that tie, numbers of pairs) is not compared.
"""

from __future__ import annotations

import csv
import io
import json
import math
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from data.model import Progress, silent
from data.restored import restore
from data.store import Store
from errors import EmptySelectionError, FileError
from exports import provenance, text
from exports.bundle import DATA, FORMAT, MANIFEST
from studies.by_scenario import command_line, is_by_scenario, run_by_scenario
from studies.study import Result, plain

RELATIVE, ABSOLUTE = 1e-6, 1e-8

NUMBERED = ("pair", "next")
"""Columns and values that number things by their place in a store."""

OWN = "the bundle's data"
"""On what a replay was run, where it was not on a store."""

MOST = 1_000
"""Differences that are listed."""

LARGEST = 4 * 2**30
"""Bytes that a bundle may have when it is unpacked."""


@dataclass(frozen=True)
class Replayed:
    """What a replay found.

    differences : table (or `values`), row, column, was, is; at most MOST of n_differences
    data_changed : dataset, judge, and how many judgments it had and has; also_changed : dataset and what else
    changed : what else is not as it was: versions and settings, by name, was and is
    """

    same: bool
    differences: tuple[dict[str, Any], ...]
    n_differences: int
    data_changed: tuple[dict[str, Any], ...]
    also_changed: tuple[dict[str, Any], ...]
    changed: tuple[dict[str, Any], ...]
    command: str
    on: str
    fingerprint: str

    def as_json(self) -> dict[str, Any]:
        return {
            "same": self.same, "differences": list(self.differences), "n_differences": self.n_differences,
            "data_changed": list(self.data_changed), "also_changed": list(self.also_changed),
            "changed": list(self.changed), "command": self.command, "on": self.on, "fingerprint": self.fingerprint,
        }  # fmt: skip


def replay(
    path: Path, store: Store, *, dataset: str | None = None, here: bool = False, progress: Progress = silent
) -> Replayed:
    """Run the study of a bundle (folder or zip) again and compare.

    Where the bundle has its data they are read into a store of their own, and `store` is not touched; with `here` the
    judgments of `store` are taken all the same. dataset : what the dataset is called there, where not as in the bundle

    Raises FileError for what is no bundle, or damaged; what keeps the study from running is raised as it is.
    """
    with opened(path) as folder:
        manifest = _manifest(folder)
        study = provenance.study_of(manifest["study"]["command"], manifest["study"]["options"])
        for entry in manifest["tables"].values():
            _table(folder, entry)
        if (folder / DATA).is_dir() and not here:
            with tempfile.TemporaryDirectory(prefix="jurylens-replay-", ignore_cleanup_errors=True) as name:
                own = Store(Path(name) / "replay.duckdb", read_only=False)
                restore(own, folder / DATA, study.dataset or "bundle", _part(progress, 0.0, 0.4))
                last = _part(progress, 0.4, 1.0)
                return _compare(manifest, folder, study, own, OWN, last)
        if dataset is not None:
            study = replace(study, dataset=dataset)
        if not provenance.is_loaded(study, store):
            raise EmptySelectionError(
                f"{store.path.name} has no dataset {study.dataset!r}, and the bundle carries no data: import the files "
                "that it was made from, or say with --dataset what the dataset is called here"
            )
        return _compare(manifest, folder, study, provenance.unshown(store), "this store", progress)


def _part(progress: Progress, start: float, end: float) -> Progress:
    return lambda share, what: progress(start + (end - start) * share, what)


def _compare(
    manifest: Mapping[str, Any], folder: Path, study: Any, store: Store, on: str, progress: Progress
) -> Replayed:
    study = provenance.with_pair(study, manifest.get("pairs") or {}, store)
    rests = provenance.rests_on(study, store)
    was = manifest["data"]
    gone = [judge for judge in was["judges"] if judge not in rests.judges]
    judges = _changed_judges(was["judges"], rests.judges, rests.dataset)
    beside = [{"dataset": rests.dataset, "what": name} for name in sorted({*was["beside"], *rests.beside})
              if was["beside"].get(name) != rests.beside.get(name)]  # fmt: skip
    if gone and study.reads_judgments:
        raise EmptySelectionError(
            f"dataset {rests.dataset!r} has no judgments of {', '.join(map(repr, gone))}, whom the bundle is about: "
            "import the files that it was made from"
        )
    settings = manifest.get("settings")
    settings = settings if isinstance(settings, dict) else {}
    split = is_by_scenario(settings)
    result = run_by_scenario(study, store, progress) if split else study.run(store, progress)
    found = differences(manifest, folder, result, elsewhere=on != OWN)
    then, now = manifest["versions"], provenance.versions()
    changed = [{"what": name, "was": then.get(name), "is": now.get(name)}
               for name in sorted({*then, *now}) if then.get(name) != now.get(name)]  # fmt: skip
    changed += _changed_settings(settings, json.loads(text.as_json(plain(result.settings))))
    return Replayed(
        not found and not judges, tuple(found[:MOST]), len(found), tuple(judges), tuple(beside), tuple(changed),
        command_line(result), on, result.fingerprint,
    )  # fmt: skip


def _changed_settings(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Settings that the bundle says of its result and that are others now, whoever changed them."""
    return [
        {"what": f"setting {name}", "was": was.get(name), "is": now.get(name)}
        for name in sorted({*was, *now} - {"dataset", *NUMBERED}) if was.get(name) != now.get(name)
    ]  # fmt: skip


def _changed_judges(was: Mapping[str, str], now: Mapping[str, str], dataset: str) -> list[dict[str, Any]]:
    def n(word: str | None) -> int:
        return int(word.split(":")[0]) if word else 0

    return [
        {"dataset": dataset, "judge": judge, "was": n(was.get(judge)), "is": n(now.get(judge))}
        for judge in sorted({*was, *now}) if was.get(judge) != now.get(judge)
    ]  # fmt: skip


# -- the bundle -------------------------------------------------------------------------------------------------------


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """The folder of a bundle; a zip is unpacked for as long as it is looked at."""
    if path.is_dir():
        yield path
        return
    if not path.is_file():
        raise FileError(f"there is no bundle {str(path)!r}: name the folder or the zip that `export` made")
    with tempfile.TemporaryDirectory(prefix="jurylens-bundle-") as name:
        folder = Path(name)
        _unpack(path, folder)
        yield folder


def _unpack(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
                raise FileError(f"{path.name} is larger than {LARGEST // 2**30} GiB: unpack it and name the folder")
            for entry in archive.infolist():
                if ".." in PurePosixPath(entry.filename).parts:
                    raise FileError(f"{path.name} holds {entry.filename!r}, which would lie outside of it: no bundle")
            archive.extractall(folder)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise FileError(f"{path.name} is no zip that can be read: {error}") from error
    # Packed with its folder, as file managers do.
    inner = [one for one in folder.iterdir() if one.name != "__MACOSX"]
    if not (folder / MANIFEST).is_file() and len(inner) == 1 and (inner[0] / MANIFEST).is_file():
        for one in inner[0].iterdir():
            one.rename(folder / one.name)


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise FileError(f"{folder.name} holds no {MANIFEST}, so it is no bundle: name what `export` made")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["bundle"]
        if version > FORMAT:
            raise FileError(f"{MANIFEST} is of a later version ({version}): replay with the program that made it")
        parts = (content["study"]["command"], content["study"]["options"], content["data"]["judges"],
                 content["data"]["beside"], content["tables"], content["values"], content["versions"])  # fmt: skip
        if not (isinstance(parts[0], str) and all(isinstance(part, dict) for part in parts[1:])):
            raise TypeError("a part of it is of another kind")
    except (ValueError, KeyError, TypeError) as error:
        raise FileError(f"{MANIFEST} is damaged ({type(error).__name__}: {error}): export the bundle again") from error
    assert isinstance(content, dict)
    return content


# -- comparing --------------------------------------------------------------------------------------------------------

Cells = list[dict[str, str]]


def differences(
    manifest: Mapping[str, Any], then: Path | Result, result: Result, elsewhere: bool = True
) -> list[dict[str, Any]]:
    """What is not as it was, number by number.

    then : the folder of the bundle, or the earlier result itself
    elsewhere : the store may have been filled in another order, so that pairs have other numbers
    """
    found: list[dict[str, Any]] = []
    was = _flat({k: plain(v) for k, v in manifest["values"].items() if v is not None and k not in NUMBERED})
    now = _flat({k: plain(v) for k, v in result.values.items() if v is not None and k not in NUMBERED})
    for name in dict.fromkeys([*was, *now]):
        one, other = was.get(name, ""), now.get(name, "")
        if not same(one, other):
            found.append(_difference("values", name.split(".")[0], name, one, other))
    for name in dict.fromkeys([*manifest["tables"], *result.tables]):
        if name not in manifest["tables"] or name not in result.tables:
            there = name in manifest["tables"]
            found.append(_difference(name, "", "", "a table" if there else "", "" if there else "a table"))
            continue
        before = _read(then, manifest["tables"][name]) if isinstance(then, Path) else _cells(then.tables[name])
        after = _cells(result.tables[name])
        if elsewhere and any(column in NUMBERED for column in result.tables[name].columns):
            # Which of several pairs that tie are listed follows their numbers.
            if len(before) != len(after):
                found.append(_difference(name, "", "", f"{len(before)} rows", f"{len(after)} rows"))
            continue
        found += _of_table(name, before, after)
    return found


def _flat(values: Any, path: str = "") -> dict[str, str]:
    """name.part -> value as text."""
    if isinstance(values, Mapping):
        pairs = [(f"{path}.{key}" if path else str(key), value) for key, value in values.items()]
    elif isinstance(values, (list, tuple)):
        pairs = [(f"{path}.{k}", value) for k, value in enumerate(values)]
    else:
        return {path: "" if values is None else str(values)}
    return {name: text for key, value in pairs for name, text in _flat(value, key).items()}


def _cells(table: pd.DataFrame) -> Cells:
    return list(csv.DictReader(io.StringIO(text.as_csv(table), newline="")))


def _table(folder: Path, entry: Mapping[str, Any]) -> Path:
    path = folder / str(entry["file"])
    if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
        raise FileError(f"the bundle lacks its table {entry['file']}: export it again")
    return path


def _read(folder: Path, entry: Mapping[str, Any]) -> Cells:
    csv.field_size_limit(2**31 - 1)
    with _table(folder, entry).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _of_table(name: str, was: Cells, now: Cells) -> list[dict[str, Any]]:
    """Rows are held together by what they are called: their cells that are no numbers with a fraction."""
    columns = list(dict.fromkeys([*(was[0] if was else ()), *(now[0] if now else ())]))
    keys = _keys(columns, was, now)
    before, after = _by_key(was, keys), _by_key(now, keys)
    found = []
    for key in dict.fromkeys([*before, *after]):
        row = ", ".join(f"{column}={value}" for column, value in zip(keys, key[:-1], strict=True) if value)
        row += f" ({key[-1] + 1})" if key[-1] else ""
        if key not in before or key not in after:
            there = key in before
            found.append(_difference(name, row, "", "a row" if there else "", "" if there else "a row"))
            continue
        found += [_difference(name, row, column, before[key].get(column) or "", after[key].get(column) or "")
                  for column in columns if column not in keys and column not in NUMBERED
                  and not same(before[key].get(column) or "", after[key].get(column) or "")]  # fmt: skip
    return found


def _keys(columns: Sequence[str], *tables: Cells) -> tuple[str, ...]:
    """The columns of words, which say what a row is about, as few from the left as tell rows apart."""
    texts = [column for column in columns if column not in NUMBERED
             and any(_number(row.get(column) or "") is None for table in tables for row in table if row.get(column))]
    for n in range(1, len(texts) + 1):
        told = tuple(texts[:n])
        if all(len({tuple(row.get(c) for c in told) for row in table}) == len(table) for table in tables):
            return told
    return tuple(texts)


def _by_key(table: Cells, keys: Sequence[str]) -> dict[tuple[Any, ...], dict[str, str]]:
    """Rows that are called alike are told apart by their order."""
    seen: Counter[tuple[str, ...]] = Counter()
    found: dict[tuple[Any, ...], dict[str, str]] = {}
    for row in table:
        key = tuple(row.get(column) or "" for column in keys)
        found[(*key, seen[key])] = row
        seen[key] += 1
    return found


def _difference(table: str, row: str, column: str, was: str, is_: str) -> dict[str, Any]:
    return {"table": table, "row": row, "column": column, "was": was, "is": is_}


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def same(was: str, now: str) -> bool:
    """Whether two cells say the same, as far as other machines may differ."""
    if was == now:
        return True
    before, after = _number(was), _number(now)
    if before is None or after is None:
        return False
    return math.isclose(before, after, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


def sentence(found: Replayed) -> str:
    """What a replay found, for people."""
    if found.same:
        return f"The numbers are the same, computed from {found.on}."
    parts = [f"{found.n_differences:,} numbers differ" if found.n_differences else "The data differ"]
    if found.data_changed:
        parts.append("changed are judgments of " + ", ".join(
            f"{one['judge']!r} in {one['dataset']!r}" for one in found.data_changed))  # fmt: skip
    if found.also_changed:
        parts.append("changed are also " + ", ".join(one["what"] for one in found.also_changed[:6]))
    if found.changed:
        parts.append("other versions or settings: " + ", ".join(
            f"{one['what']} {one['was']} then, {one['is']} now" for one in found.changed))  # fmt: skip
    if not (found.data_changed or found.also_changed or found.changed):
        parts.append("data, options and versions are the same: the bundle's tables were changed, or the program was")
    return "; ".join(parts) + "."
