"""What goes into a paper, and what lets anyone compute it again: the bundle of one result, as a folder or a zip.

figures/   each figure for one column and for two, as SVG, PDF and PNG
tables/    each table in full precision (CSV) and for a paper (LaTeX)
caption.txt, references.bib, bundle.json (options, data, versions), README.txt
data/      with `with_data`, the judgments and whatever else the numbers rest on
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

from charts import words
from charts.theme import paper
from data import carried, queries
from data.model import Progress, silent
from data.store import Store
from errors import DrawingError, OptionError
from exports import figures, provenance, text
from exports.drawings import Drawing, apart, drawings
from exports.latex import PACKAGES, latex_table
from exports.references import bibtex
from exports.text import file_word
from studies import naming
from studies.by_scenario import ByScenario, command_line
from studies.study import Result, plain

FORMAT = 1
"""Of the bundle's layout; a later one is refused with what to do."""

WIDTHS = (figures.COLUMN, figures.PAGE)
MANIFEST, CAPTION, REFERENCES, README = "bundle.json", "caption.txt", "references.bib", "README.txt"
FIGURES, TABLES, DATA = "figures", "tables", "data"

LONG = 2_000
"""Rows from which on a table is data for other programs and no table of a paper."""


@dataclass(frozen=True)
class Written:
    """What was written. files : names inside the bundle; said : what is missing and why"""

    files: tuple[str, ...]
    said: tuple[str, ...]


def write(
    result: Result, store: Store, folder: Path, *, with_data: bool = False, drawn: Sequence[Drawing] | None = None,
    progress: Progress = silent,
) -> Written:  # fmt: skip
    """The bundle of a result, in a folder that is new, empty or holds a bundle.

    Figures and LaTeX have the names under which judges and models are shown; data and options those of the files, so
    that a replay does not hang on them.

    result : whole, hidden judges and models too; store : where it was computed
    drawn : figures instead of those that the study has
    Raises OptionError where the folder holds something else.
    """
    _make_room(folder)
    with words.decimals(result.display.decimals):
        return _written(result, store, folder, with_data, drawn, progress)


def _written(
    result: Result, store: Store, folder: Path, with_data: bool, drawn: Sequence[Drawing] | None, progress: Progress
) -> Written:
    """`write` into an empty folder, with the decimals of the moment."""
    seen, result = naming.as_shown(result), naming.as_files_have_it(result)
    shown = tuple(drawings(seen)) if drawn is None else tuple(drawn)
    said: list[str] = []
    figure_files = _write_figures(shown, folder / FIGURES, said, progress) if shown else []
    tables = _write_tables(result, seen, folder / TABLES)
    progress(0.92, "writing down what it rests on")
    data_files = _write_data(result, store, folder / DATA) if with_data else []
    (folder / CAPTION).write_text(caption_of(seen, shown), encoding="utf-8")
    more = _write_references(result, folder)
    manifest = manifest_of(result, store)
    manifest["tables"] = tables
    files = [*figure_files, *(f"{TABLES}/{Path(one['file']).name}" for one in tables.values()),
             *(f"{TABLES}/{Path(one['latex']).name}" for one in tables.values() if "latex" in one),
             *data_files, CAPTION, *more]  # fmt: skip
    manifest["files"] = {name: _digest(folder / name) for name in files}
    (folder / README).write_text(_readme(result, shown, bool(data_files), said), encoding="utf-8")
    (folder / MANIFEST).write_text(text.as_json(manifest) + "\n", encoding="utf-8")
    progress(1.0, "done")
    return Written((*files, README, MANIFEST), tuple(said))


def drawings_by_scenario(found: ByScenario) -> tuple[Drawing, ...]:
    """The figures of each scenario alone, with its name in theirs."""
    out = []
    for scenario, answer in found.alone.items():
        word = file_word(scenario) or "scenario"
        out += [replace(one, name=f"{one.name}-{word}") for one in drawings(naming.as_shown(answer))]
    return apart(out)


def write_zip(
    result: Result, store: Store, path: Path, *, with_data: bool = False, drawn: Sequence[Drawing] | None = None,
    progress: Progress = silent,
) -> tuple[tuple[str, ...], tuple[str, ...]]:  # fmt: skip
    """The same as a zip. Returns its path alone, as the only file, and what is missing and why."""
    with tempfile.TemporaryDirectory(prefix="jurylens-bundle-") as name:
        written = write(result, store, Path(name), with_data=with_data, drawn=drawn, progress=progress)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pack(Path(name), written.files))
    return (str(path),), written.said


def zipped(
    result: Result, store: Store, *, with_data: bool = False, drawn: Sequence[Drawing] | None = None,
    progress: Progress = silent,
) -> bytes:  # fmt: skip
    """The same as one file; equal bundles are equal bytes."""
    with tempfile.TemporaryDirectory(prefix="jurylens-bundle-") as name:
        folder = Path(name)
        written = write(result, store, folder, with_data=with_data, drawn=drawn, progress=progress)
        return pack(folder, written.files)


def pack(folder: Path, files: Sequence[str]) -> bytes:
    """Files of a folder as a zip without times."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, (folder / name).read_bytes())
    return target.getvalue()


def _make_room(folder: Path) -> None:
    """An older bundle gives way to the new one; nothing else does."""
    if folder.exists() and not folder.is_dir():
        raise OptionError(f"{folder} is a file: name a folder for the bundle, or a file that ends with .zip")
    if folder.is_dir() and any(folder.iterdir()):
        if not (folder / MANIFEST).is_file():
            raise OptionError(f"{folder} holds other files: name a new or empty folder for the bundle")
        for part in (FIGURES, TABLES, DATA):
            for old in (folder / part).glob("*") if (folder / part).is_dir() else ():
                old.unlink()
        for name in (MANIFEST, CAPTION, REFERENCES, README):
            (folder / name).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)


# -- figures, tables, data --------------------------------------------------------------------------------------------


def _write_figures(shown: Sequence[Drawing], folder: Path, said: list[str], progress: Progress) -> list[str]:
    """Where no Chromium is found the figures are pages for a browser, and that is said."""
    folder.mkdir(exist_ok=True)
    formats: tuple[str, ...] = ("svg", "pdf", "png")
    found, high = [], {}
    foreign: set[str] = set()
    for k, (one, mm) in enumerate((one, mm) for one in shown for mm in WIDTHS):
        progress(0.05 + 0.85 * k / (len(shown) * len(WIDTHS)), f"drawing {one.name} at {mm} mm")
        try:
            files = figures.rendered(one.draw, mm, formats)
        except DrawingError as error:
            formats = ("html",)
            said.append(f"figures are pages for a browser, not SVG, PDF and PNG: {error}")
            files = figures.rendered(one.draw, mm, formats)
        for kind, content in files.items():
            name = f"{one.name}-{mm}mm.{kind}"
            (folder / name).write_bytes(content)
            found.append(f"{FIGURES}/{name}")
            if kind == "svg":
                foreign |= figures.foreign(content)
                if figures.height(content) > figures.HIGH:
                    high[f"{one.name} at {mm} mm"] = figures.height(content)
    if high:
        said.append(
            f"higher than the {figures.HIGH} mm of a page: "
            f"{words.listing([f'{name} ({mm:.0f} mm)' for name, mm in high.items()], 6)}; lower with fewer models or "
            "judges (--model, --judge) or with shorter names to be shown (`datasets names`)"
        )
    if foreign:
        said.append(
            f"the figures hold letters that their font has not ({''.join(sorted(foreign)[:12])}): a PDF and a PNG have "
            "them from the fonts of this machine, an SVG from those of whoever opens it; look whether they are there, "
            "or give names to be shown (`datasets names`)"
        )
    return found


def _write_tables(result: Result, seen: Result, folder: Path) -> dict[str, dict[str, Any]]:
    """CSV of every table, LaTeX of those that a paper can hold; what is where. seen : the result as it is shown"""
    folder.mkdir(exist_ok=True)
    found: dict[str, dict[str, Any]] = {}
    for name, table in result.tables.items():
        entry: dict[str, Any] = {"file": f"{TABLES}/{name}.csv", "rows": len(table), "columns": list(table.columns)}
        (folder / f"{name}.csv").write_text(text.as_csv(table), encoding="utf-8", newline="")
        if 0 < len(seen.tables[name]) <= LONG:
            (folder / f"{name}.tex").write_text(latex_table(seen, name, width="text"), encoding="utf-8")
            entry["latex"] = f"{TABLES}/{name}.tex"
        found[name] = entry
    return found


def _write_data(result: Result, store: Store, folder: Path) -> list[str]:
    """What the numbers rest on, one file a kind; see data/carried.py."""
    folder.mkdir(exist_ok=True)
    study = result.study
    with ExitStack() as stack:
        opened: dict[str, IO[str]] = {}
        with provenance.unshown(store).reading("writing judgments into a bundle") as con:
            names = queries.catalog(con, study.dataset or "")
            judges = tuple(names.judges) if study.reads_others else provenance.judges_of(study)
            for name, row in carried.taken(con, names, judges):
                if name not in opened:
                    opened[name] = stack.enter_context((folder / f"{name}.jsonl").open("w", encoding="utf-8"))
                opened[name].write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
    return [f"{DATA}/{name}.jsonl" for name in opened]


def _write_references(result: Result, folder: Path) -> list[str]:
    content = bibtex(result.study.command, result.settings)
    if not content:
        return []
    (folder / REFERENCES).write_text(content, encoding="utf-8")
    return [REFERENCES]


# -- in words ---------------------------------------------------------------------------------------------------------


def manifest_of(result: Result, store: Store) -> dict[str, Any]:
    """What bundle.json says of a result, without its files."""
    study = result.study
    rests = provenance.rests_on(study, store)
    return {
        "bundle": FORMAT,
        "study": {"command": study.command, "options": provenance.as_options(study)},
        "command": command_line(result),
        "seed": getattr(study, "seed", None),
        "settings": plain(result.settings),
        "fingerprint": result.fingerprint,
        "data": rests.as_json(),
        "pairs": provenance.pair_keys(study, store),
        "values": {name: plain(value) for name, value in result.values.items() if value is not None},
        "caption": result.caption,
        "warnings": list(result.warnings),
        "versions": provenance.versions(),
    }


def caption_of(result: Result, shown: Sequence[Drawing] = ()) -> str:
    """The caption, what to distrust, and what each figure shows to those who cannot see it."""
    parts = [result.caption]
    if result.warnings:
        parts.append("To be said with it:\n" + "\n".join(f"- {one}" for one in result.warnings))
    described = [(one.name, alternative(one)) for one in shown]
    if any(alt for _, alt in described):
        parts.append("The figures in words:\n" + "\n".join(f"- {name}: {alt}" for name, alt in described if alt))
    return "\n\n".join(parts) + "\n"


def alternative(one: Drawing) -> str:
    """The sentence that stands for a figure."""
    return str((one.draw(paper(figures.PAGE), False).layout.meta or {}).get("alt", ""))


def _readme(result: Result, shown: Sequence[Drawing], data: bool, said: Sequence[str]) -> str:
    return "\n".join(_lines(result, shown, data, said)) + "\n"


def _lines(result: Result, shown: Sequence[Drawing], data: bool, said: Sequence[str]) -> Iterator[str]:
    study = result.study
    yield f"{study.title or study.command}: dataset {study.dataset}"
    yield ""
    yield "The numbers were computed by Jurylens with"
    yield f"    {command_line(result)}"
    yield ""
    if shown:
        yield f"{FIGURES}/      each figure {WIDTHS[0]} mm (one column) and {WIDTHS[1]} mm (two columns) wide"
    yield f"{TABLES}/       each table in full precision (.csv) and for a paper (.tex; needs {', '.join(PACKAGES)})"
    yield f"{CAPTION}   the caption with n, clusters, method and interval, and the figures in words"
    if bibtex(study.command, result.settings):
        yield f"{REFERENCES} the sources of the method"
    yield f"{MANIFEST}   all options, the seed, what the data say in one word a judge, versions, digests of the files"
    if data:
        yield f"{DATA}/         the judgments with their texts and what else the numbers rest on: who has the bundle"
        yield "              has these too; judgments.jsonl can be imported like any file of judgments"
    yield ""
    yield "To see whether the numbers are the same today:"
    yield "    python cli.py replay PATH-OF-THIS-BUNDLE"
    if not data:
        yield "in a store into which the same files were imported."
    for line in said:
        yield ""
        yield line


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
