"""How does a file of judgments or factors become part of a dataset: read, checked, matched, committed - or not at all?

Reading and checking happen in a staging file outside the store; matching and writing are one transaction of the
store, so that an import is either whole or absent. See docs/store.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from data import factor_values, labelings, published, queries
from data.duck import staging_configuration, told
from data.factor_columns import FactorMapping, recognised, resolve_factor_mapping
from data.fields import Mapping, resolve_mapping
from data.importers import factor_weights, factors, labels, registry
from data.importers.source import digest
from data.importers.table import RawTable
from data.ingest import Ingested, add_dataset, find_dataset, ingest
from data.model import Progress, part, silent
from data.normalise import Staged, normalise
from data.plain_columns import PlainMapping
from data.queries.published import published_judges
from data.safe_csv import as_csv
from data.simulate.fill import TAKE_OVER_MEMORY, Drawn, take_over
from data.step import Told
from data.store import Store
from errors import FileError, NothingAcceptedError, OptionError, StoreError, UnknownNameError, unknown_name

SHOWN_VALUE = 200
"""Characters of an offending value that a report repeats."""

REJECTION_COLUMNS = ["file", "line", "column", "value", "reason"]


@dataclass(frozen=True)
class ImportOptions:
    """How a file is to be read; part of what makes an import the same as an earlier one."""

    format: str | None = None
    maps: tuple[tuple[str, str], ...] = ()
    sets: tuple[tuple[str, str], ...] = ()
    judge_columns: tuple[tuple[str, str | None], ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    automatic: bool = True

    def key(self) -> str:
        parts = {
            "map": sorted(self.maps), "set": sorted(self.sets), "judge_column": list(self.judge_columns),
            "attribute": sorted(self.attributes), "automatic": self.automatic,
        }  # fmt: skip
        return json.dumps(parts, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True)
class ImportReport:
    """What an import did. `rejections` is a frame: file, line, column, value, reason; one row a rejected judgment.

    read = accepted + rejected + duplicates, all counted in judgments (of a table of factors: in its rows); the counts
    of pairs, models, prompts and scenarios are those of the dataset afterwards. factors : of a table of factors, what
    each was read as and how many responses have a value of it from this file
    published : of a table of weights, the judges that have published weights afterwards
    nothing : of a dry run that would take nothing, the sentence with which the import would be refused
    health : of a dry run, what `inspect` said of the dataset as it would be
    """

    dataset: str
    format: str
    number: int | None
    read: int
    accepted: int
    rejected: int
    duplicates: int
    reasons: dict[str, int]
    judges: list[dict[str, Any]]
    pairs: int
    models: int
    prompts: int
    scenarios: int
    inferred: list[str]
    encoding: str | None
    dry_run: bool
    rejections: pd.DataFrame = field(repr=False)
    factors: list[dict[str, Any]] | None = None
    published: list[dict[str, Any]] | None = None
    nothing: str | None = None
    health: list[dict[str, Any]] | None = None

    def as_json(self, most: int = 100) -> dict[str, Any]:
        """The command line's contract; at most `most` rejections in full."""
        out = {k: v for k, v in self.__dict__.items() if k != "rejections" and v is not None}
        shown = self.rejections.head(most)
        out["rejections"] = [
            {k: v for k, v in row.items() if not pd.isna(v)} for row in shown.to_dict(orient="records")
        ]
        return out


Pairs = Sequence[tuple[str, str]]

Inspect = Callable[[duckdb.DuckDBPyConnection, str], list[dict[str, Any]]]
"""What is to be said of a dataset as an import would leave it: asked of a dry run's connection, by name."""


class _Undo(Exception):
    """Raised inside the write transaction to leave the store as it was."""


@dataclass(frozen=True)
class Kind:
    """What an import brings, and how it gets into the store.

    noun : what is counted; tables : table of the store's connection -> SQL of the staging one; ingest : writes them
    columns : of tables that the staging connection may lack
    """

    noun: str
    tables: dict[str, str]
    ingest: Callable[[duckdb.DuckDBPyConnection, int, Progress], Ingested]
    columns: dict[str, str] = field(default_factory=dict)

    def sources(self, left_out: Sequence[str]) -> dict[str, str | None]:
        """`tables`, with None for those that the staging connection lacks."""
        missing = {f"FROM {name}" for name in left_out}
        return {target: None if source in missing else source for target, source in self.tables.items()}


AnyMapping = Mapping | FactorMapping | PlainMapping


@dataclass(frozen=True)
class Beside:
    """A format that holds no judgments, and how it is read.

    added_to : what it is added to, which a dataset must have; None where it needs nothing
    """

    kind: Kind
    resolve: Callable[[Sequence[str], Pairs, Pairs, str, bool], AnyMapping]
    stage: Callable[[duckdb.DuckDBPyConnection, Sequence[str], Any, Progress], Staged]
    added_to: str | None


JUDGMENTS = Kind(
    "judgments",
    {
        "good": "SELECT * EXCLUDE (bad_field, bad_value, bad_reason, winner_column) FROM stage WHERE bad_reason IS NULL",
        "s_text": "FROM text",
        "s_factor": "FROM factor_stage",
        "s_attribute": "FROM attribute_stage",
    },
    ingest,
    {
        "s_factor": "row BIGINT, name VARCHAR, a VARCHAR, b VARCHAR",
        "s_attribute": "row BIGINT, entity VARCHAR, name VARCHAR, a VARCHAR, b VARCHAR",
    },
)
BESIDE: dict[str, Beside] = {
    factors.NAME: Beside(
        Kind("rows", factor_values.STAGED, factor_values.ingest_factors), resolve_factor_mapping, factor_values.stage,
        "Factors are added to pairs",
    ),
    labels.NAME: Beside(
        Kind("rows", labelings.STAGED, labelings.ingest), labelings.resolve, labelings.stage,
        "Labels are added to prompts",
    ),
    factor_weights.NAME: Beside(
        Kind("weights", published.STAGED, published.ingest), published.resolve, published.stage, None
    ),
}  # fmt: skip
"""By format."""


def import_path(
    store: Store,
    path: str | os.PathLike[str],
    dataset: str,
    options: ImportOptions | None = None,
    *,
    strict: bool = False,
    dry_run: bool = False,
    rejects: str | os.PathLike[str] | None = None,
    inspect: Inspect | None = None,
    progress: Progress = silent,
) -> ImportReport:
    """Import a file or folder into `dataset`. Good rows go in, bad ones are reported.

    inspect : of a dry run that would take rows, looks at the dataset as it would be; see ImportReport.health
    Raises FileError or MappingError when nothing can be read, NothingAcceptedError when no row (or, with `strict`,
    not every row) could be accepted. The store is then as before.
    """
    with prepare(store, path, dataset, options, progress=part(progress, 0.0, 0.6)) as ready:
        return ready.commit(
            strict=strict, dry_run=dry_run, rejects=rejects, inspect=inspect, progress=part(progress, 0.6, 1.0)
        )


@dataclass(frozen=True)
class Prepared:
    """A file that was read and checked, and can be tried and then imported without reading it again.

    read : the last step; earlier : its report instead, where the dataset held the file already
    """

    store: Store
    dataset: str
    options: ImportOptions
    sha: str
    read: Callable[..., ImportReport] | None
    earlier: ImportReport | None = None

    def commit(
        self, *, strict: bool = False, dry_run: bool = False, rejects: str | os.PathLike[str] | None = None,
        inspect: Inspect | None = None, progress: Progress = silent, later: bool = False,
    ) -> ImportReport:  # fmt: skip
        """The last step; see `import_path`. later : not at once, so that somebody else may have imported the file"""
        earlier = _earlier(self.store, self.dataset, self.sha, self.options) if later else self.earlier
        if earlier is not None:
            return earlier
        if self.read is None:
            raise StoreError(
                f"the file was in dataset {self.dataset!r} when it was looked at and is not any more: import it again"
            )
        return self.read(strict=strict, dry_run=dry_run, rejects=rejects, inspect=inspect, progress=progress)


@contextlib.contextmanager
def prepare(
    store: Store,
    path: str | os.PathLike[str],
    dataset: str,
    options: ImportOptions | None = None,
    *,
    progress: Progress = silent,
) -> Iterator[Prepared]:
    """A file or folder, read and checked outside the store; what was read is gone at the end of the block.

    Raises as `import_path` does when nothing can be read.
    """
    options = options or ImportOptions()
    source = Path(path)
    if not source.exists():
        raise FileError(f"there is no file or folder {str(path)!r}")
    progress(0.0, f"reading {source.name}")
    sha = digest(source)
    earlier = _earlier(store, dataset, sha, options)
    if earlier is not None:
        yield Prepared(store, dataset, options, sha, None, earlier)
        return
    with store.staging() as staging:
        importer = registry.choose(source, options.format)
        beside = BESIDE.get(importer.NAME)
        if beside is not None and beside.added_to is not None:
            # Before a large file is read for nothing.
            require_dataset(store, dataset, beside.added_to)
        sheet = dict(options.sets).get("sheet")
        sets = tuple((name, value) for name, value in options.sets if name != "sheet")
        raw = registry.load(
            importer, source, staging.connection, staging.scratch, part(progress, 0.0, 0.67), sheet
        )
        if options.format is None and _holds_factors(store, dataset, options, raw):
            importer, beside = factors, BESIDE[factors.NAME]
            raw = replace(raw, inferred=(*raw.inferred, "keys and values without a verdict: read as --as factors"))
        name, reading = source.name, part(progress, 0.67, 1.0)
        mapping: AnyMapping
        if beside is not None:
            if options.judge_columns or options.attributes:
                raise OptionError(
                    f"--judge-column and --attribute belong to files of judgments, not to --as {importer.NAME}"
                )
            mapping = beside.resolve(raw.columns, options.maps, sets, name, options.automatic)
            staged = beside.stage(staging.connection, raw.columns, mapping, reading)
        else:
            mapping = resolve_mapping(
                raw.columns, options.maps, sets, options.judge_columns, options.attributes, name,
                automatic=options.automatic,
            )  # fmt: skip
            staged = normalise(staging.connection, raw.columns, mapping, reading)
        last = partial(
            commit, store, staging.connection, dataset, staged, raw, mapping,
            JUDGMENTS if beside is None else beside.kind,
            log={"file_name": name, "sha256": sha, "format": importer.NAME, "mapping": options.key()},
        )  # fmt: skip
        yield Prepared(store, dataset, options, sha, last)


def require_dataset(store: Store, dataset: str, added: str = "Factors are added to pairs") -> int:
    """The id of a dataset that something is to be added to. Raises UnknownNameError when there is none."""
    if store.exists():
        with store.reading("looking for the dataset") as con:
            found = find_dataset(con, dataset)
            known = [name for name, _ in queries.dataset_names(con)]
        if found is not None:
            return found
    else:
        known = []
    raise UnknownNameError(
        f"{unknown_name('dataset', dataset, known)}. {added} that are there: import the judgments first"
    )


def _holds_factors(store: Store, dataset: str, options: ImportOptions, raw: RawTable) -> bool:
    """Whether a file that nobody named a format for is a table of factors of a dataset that is there."""
    if options.maps or options.sets or options.judge_columns or options.attributes or not recognised(raw.columns):
        return False
    if not store.exists():
        return False
    with store.reading("looking for the dataset") as con:
        return find_dataset(con, dataset) is not None


def commit(
    store: Store,
    staging: duckdb.DuckDBPyConnection,
    dataset: str,
    staged: Staged,
    raw: RawTable,
    mapping: AnyMapping,
    kind: Kind = JUDGMENTS,
    *,
    log: dict[str, str],
    strict: bool = False,
    dry_run: bool = False,
    truth: pd.DataFrame | None = None,
    rejects: str | os.PathLike[str] | None = None,
    inspect: Inspect | None = None,
    progress: Progress = silent,
) -> ImportReport:
    """The last step of every import: staged tables into the store, in one transaction.

    truth : of simulated data, kept beside it: kind, judge, scenario, name, planted, pseudo_true
    """
    report: ImportReport | None = None
    done: Ingested | None = None
    purpose = f"importing {log['file_name']} into {dataset}"
    with contextlib.suppress(_Undo), _trying(store, dataset) if dry_run else store.writing(purpose) as con:
        progress = Told(progress)
        progress(0.0, "handing over to the store")
        _hand_over(staging, con, kind, staged.left_out, progress.again)
        dataset_id = add_dataset(con, dataset, simulated=truth is not None)
        done = kind.ingest(con, dataset_id, progress)
        report = _report(con, staging, dataset, staged, raw, mapping, done, log, dry_run)
        if report.read != report.accepted + report.rejected + report.duplicates:
            raise StoreError(
                f"{log['file_name']}: {report.read:,} {kind.noun} were read, but {report.accepted:,} accepted, "
                f"{report.rejected:,} rejected and {report.duplicates:,} duplicates do not add up to that, so nothing "
                "was imported. This is a defect of the program: please report the file's layout"
            )
        write_log(con, done, report, log)
        if truth is not None:
            write_truth(con, dataset_id, truth)
        if dry_run and inspect is not None and report.accepted and kind is JUDGMENTS:
            progress(1.0, "checking the health of the dataset")
            report = replace(report, health=told(con, partial(inspect, con, dataset), progress.again))
        if dry_run or report.accepted == 0 or (strict and report.rejected):
            raise _Undo
    assert report is not None
    assert done is not None
    if rejects is not None:
        write_rejects(report, rejects)
    progress(1.0, "done")
    empty = report.accepted == 0 and report.duplicates == 0
    why = _nothing(report, log["file_name"], kind.noun, done.nothing) if empty else None
    if dry_run:
        return replace(report, nothing=why)
    if why is not None:
        raise NothingAcceptedError(why)
    if strict and report.rejected:
        raise NothingAcceptedError(
            f"--strict: {report.rejected:,} of {report.read:,} {kind.noun} of {log['file_name']} would be rejected, so "
            f"nothing was imported. {_first_reasons(report)}"
        )
    return report


def commit_simulated(
    store: Store,
    dataset: str,
    drawn: Drawn,
    truth: pd.DataFrame,
    log: dict[str, str],
    inferred: Sequence[str],
    progress: Progress = silent,
) -> ImportReport:
    """What was drawn into the store as a new dataset, with its truth (see `commit`), in one transaction.

    Raises OptionError when there already is a dataset of that name.
    """
    with store.writing(f"simulating {dataset}", memory=TAKE_OVER_MEMORY) as con:
        progress = Told(progress)
        done = take_over(con, dataset, drawn, progress)
        facts = told(con, lambda: queries.dataset_facts(con, done.dataset_id), progress.again)
        report = ImportReport(
            dataset=dataset, format=log["format"], number=done.number, read=done.accepted, accepted=done.accepted,
            rejected=0, duplicates=0, reasons={}, judges=facts.judges, pairs=facts.pairs, models=facts.models,
            prompts=facts.prompts, scenarios=facts.scenarios, inferred=list(inferred), encoding=None, dry_run=False,
            rejections=pd.DataFrame(columns=REJECTION_COLUMNS),
        )  # fmt: skip
        write_log(con, done, report, log)
        write_truth(con, done.dataset_id, truth)
    progress(1.0, "done")
    return report


@contextlib.contextmanager
def _trying(store: Store, dataset: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """Where a dry run writes: the store itself where it holds the dataset, else an empty one in memory.

    The latter keeps nobody waiting: what a new dataset will be does not hang on what else the store holds.
    """
    if store.exists():
        with store.reading("looking for the dataset") as con:
            found = find_dataset(con, dataset)
        if found is not None:
            with store.writing(f"trying an import into {dataset}") as con:
                yield con
            return
    aside = {"temp_directory": str(Path(tempfile.gettempdir()) / f"jurylens-{os.getpid()}-trying")}
    con = duckdb.connect(":memory:", config=staging_configuration() | aside)
    try:
        con.execute((Path(__file__).parent / "schema.sql").read_text())
        yield con
    finally:
        con.close()


def _hand_over(
    staging: duckdb.DuckDBPyConnection, con: duckdb.DuckDBPyConnection, kind: Kind, left_out: Sequence[str],
    tell: Callable[[], None],
) -> None:  # fmt: skip
    """Stream the staged tables into temporary tables of the store's connection.

    The store's connection may not open files, so the rows travel as Arrow batches. Each reader is drained before
    the next opens: an unfinished one would block the store's next lease.
    """
    for target, source in kind.sources(left_out).items():
        if source is None:
            con.execute(f"CREATE OR REPLACE TEMP TABLE {target} ({kind.columns[target]})")
            continue
        reader: pa.RecordBatchReader = staging.sql(source).to_arrow_reader(100_000)
        con.register("incoming", reader)
        sql = f"CREATE OR REPLACE TEMP TABLE {target} AS FROM incoming"
        try:
            told(con, partial(con.execute, sql), tell)
        finally:
            con.unregister("incoming")


def _earlier(store: Store, dataset: str, sha: str, options: ImportOptions) -> ImportReport | None:
    """The report of a file that the dataset already holds, read the same way: it adds nothing."""
    if not store.exists():
        return None
    with store.reading("looking for an earlier import") as con:
        dataset_id = find_dataset(con, dataset)
        if dataset_id is None:
            return None
        rows = con.execute(
            "SELECT number, format, read, encoding FROM import_log WHERE dataset_id = $d AND sha256 = $sha "
            "AND mapping = $mapping ORDER BY number",
            {"d": dataset_id, "sha": sha, "mapping": options.key()},
        ).fetchall()
        rows = [r for r in rows if options.format in (None, r[1])]
        if not rows:
            return None
        number, format_name, read, encoding = rows[0]
        facts = queries.dataset_facts(con, dataset_id)
        weights = _published(con, dataset_id) if format_name == factor_weights.NAME else None
    return ImportReport(
        dataset=dataset, format=format_name, number=None, read=read, accepted=0, rejected=0, duplicates=read,
        reasons={}, judges=facts.judges, pairs=facts.pairs, models=facts.models, prompts=facts.prompts,
        scenarios=facts.scenarios, inferred=[f"the same file was imported before (import {number}); nothing was added"],
        encoding=encoding, dry_run=False, rejections=pd.DataFrame(columns=REJECTION_COLUMNS), published=weights,
    )  # fmt: skip


def _report(
    con: duckdb.DuckDBPyConnection,
    staging: duckdb.DuckDBPyConnection,
    dataset: str,
    staged: Staged,
    raw: RawTable,
    mapping: AnyMapping,
    done: Ingested,
    log: dict[str, str],
    dry_run: bool,
) -> ImportReport:
    rejections = _rejections(con, staging, raw, mapping)
    facts = queries.dataset_facts(con, done.dataset_id)
    said = rejections["column"].map(lambda c: "" if pd.isna(c) else f"{c} ") + rejections["reason"]
    return ImportReport(
        dataset=dataset,
        format=log["format"],
        number=done.number,
        read=staged.n_judgments + len(raw.rejections),
        accepted=done.accepted,
        rejected=len(rejections),
        duplicates=done.duplicates,
        reasons={str(k): int(v) for k, v in said.value_counts().items()},
        judges=facts.judges,
        pairs=facts.pairs,
        models=facts.models,
        prompts=facts.prompts,
        scenarios=facts.scenarios,
        inferred=[*raw.inferred, *mapping.inferred, *staged.inferred, *done.inferred],
        encoding=", ".join(dict.fromkeys(part.encoding for part in raw.parts if part.encoding)) or None,
        dry_run=dry_run,
        rejections=rejections,
        factors=factor_values.written(con) if isinstance(mapping, FactorMapping) else None,
        published=_published(con, done.dataset_id) if log["format"] == factor_weights.NAME else None,
    )


def _published(con: duckdb.DuckDBPyConnection, dataset_id: int) -> list[dict[str, Any]]:
    table = published_judges(con, dataset_id)
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _rejections(
    con: duckdb.DuckDBPyConnection,
    staging: duckdb.DuckDBPyConnection,
    raw: RawTable,
    mapping: AnyMapping,
) -> pd.DataFrame:
    """All rejected rows in file order, with the line each starts at."""
    some = "SELECT 1 FROM stage WHERE bad_reason IS NOT NULL LIMIT 1"
    if not (raw.rejections or staging.execute(some).fetchall() or con.execute("FROM marked LIMIT 1").fetchall()):
        return pd.DataFrame(columns=REJECTION_COLUMNS, dtype=object).astype({"line": "Int64"})
    early = staging.execute(
        "SELECT row, coalesce(winner_column, bad_field) AS field, winner_column IS NOT NULL AND bad_field = 'winner' AS wide, "
        "bad_field, bad_value AS value, bad_reason AS reason FROM stage WHERE bad_reason IS NOT NULL ORDER BY row, cell"
    ).df()
    late = con.execute("SELECT row, cell, field, value, reason FROM marked ORDER BY row, cell").df()
    if len(late):
        wide = staging.execute("SELECT row, cell, winner_column FROM stage WHERE winner_column IS NOT NULL").df()
        late = late.merge(wide, on=["row", "cell"], how="left") if len(wide) else late.assign(winner_column=None)
    columns = dict(mapping.columns)
    frames = []
    if len(early):
        name = early["field"].where(early["wide"], early["bad_field"].map(lambda f: columns.get(f, f)))
        frames.append(pd.DataFrame({"row": early["row"], "column": name, "value": early["value"], "reason": early["reason"]}))
    if len(late):
        name = late["field"].map(lambda f: columns.get(f, f))
        name = late["winner_column"].where(late["winner_column"].notna() & (late["field"] == "winner"), name)
        frames.append(pd.DataFrame({"row": late["row"], "column": name, "value": late["value"], "reason": late["reason"]}))
    if frames:
        found = pd.concat(frames, ignore_index=True)
        rows = found["row"].tolist()
        found["line"] = pd.Series(raw.line_of(rows), dtype="Int64")
        found["file"] = pd.Series(raw.file_of(rows), dtype=object)
    else:
        found = pd.DataFrame(columns=REJECTION_COLUMNS)
    if raw.rejections:
        structural = pd.DataFrame(
            [(r.file, r.line, r.column, r.value, r.reason) for r in raw.rejections], columns=REJECTION_COLUMNS
        )
        found = pd.concat([found, structural], ignore_index=True) if len(found) else structural
    found["line"] = found["line"].astype("Int64")
    found["value"] = found["value"].map(_shorten)
    found = found[REJECTION_COLUMNS].astype({"file": object, "column": object, "value": object, "reason": object})
    return found.sort_values(["file", "line"], kind="stable", na_position="first").reset_index(drop=True)


def _shorten(value: object) -> object:
    if not isinstance(value, str):
        return None
    return value if len(value) <= SHOWN_VALUE else value[:SHOWN_VALUE] + f"… ({len(value):,} characters)"


def write_truth(con: duckdb.DuckDBPyConnection, dataset_id: int, truth: pd.DataFrame) -> None:
    """What a simulated dataset planted: kind, judge, scenario, name, planted, pseudo_true."""
    con.register("planted", truth)
    con.execute(
        f"INSERT INTO truth SELECT {dataset_id}, kind, judge, scenario, name, planted, pseudo_true FROM planted"
    )
    con.unregister("planted")


def write_log(con: duckdb.DuckDBPyConnection, done: Ingested, report: ImportReport, log: dict[str, str]) -> None:
    """Remember an import. log : file_name, sha256, format, mapping"""
    con.execute(
        "INSERT INTO import_log VALUES ($id, $dataset, $number, $file, $sha, $format, $encoding, $mapping, $read, "
        "$accepted, $rejected, $duplicates, $reasons, $inferred, now()::TIMESTAMP)",
        {
            "id": done.import_id, "dataset": done.dataset_id, "number": done.number, "file": log["file_name"],
            "sha": log["sha256"], "format": log["format"], "encoding": report.encoding, "mapping": log["mapping"],
            "read": report.read, "accepted": report.accepted, "rejected": report.rejected,
            "duplicates": report.duplicates, "reasons": json.dumps(report.reasons, ensure_ascii=False),
            "inferred": json.dumps(report.inferred, ensure_ascii=False),
        },
    )  # fmt: skip


def _first_reasons(report: ImportReport, most: int = 3) -> str:
    return " ".join(describe(row) + "." for row in report.rejections.head(most).to_dict(orient="records"))


def describe(rejection: dict[Hashable, Any]) -> str:
    """One rejected row in words: judgments.csv line 6: winner 'banana' is not one of ..."""
    where = [] if pd.isna(rejection["file"]) else [str(rejection["file"])]
    if not pd.isna(rejection["line"]):
        where.append(f"line {rejection['line']}")
    what = [] if pd.isna(rejection["column"]) else [str(rejection["column"])]
    if not pd.isna(rejection["value"]):
        what.append(repr(rejection["value"]))
    head = " ".join(where)
    return (head + ": " if head else "") + " ".join([*what, str(rejection["reason"])])


def _nothing(report: ImportReport, name: str, noun: str, why: str | None) -> str:
    if report.read == 0:
        return f"{name} holds no {noun.removesuffix('s')}: " + ("; ".join(report.inferred) or "it has a header only")
    head = f"none of the {report.read:,} {noun} of {name} could be accepted, so nothing was imported"
    return f"{head}: {why}" if why is not None else f"{head}. {_first_reasons(report)}"


def write_rejects(report: ImportReport, path: str | os.PathLike[str]) -> None:
    """The rejected rows as CSV. Cells that a spreadsheet would run as a formula are led by an apostrophe."""
    Path(path).write_text(as_csv(report.rejections), encoding="utf-8", newline="")


def judge_columns_from(words: Sequence[str]) -> tuple[tuple[str, str | None], ...]:
    """--judge-column COLUMN or COLUMN=KIND; the last equals sign separates, and only before a known kind."""
    from data.model import JUDGE_KINDS

    out: list[tuple[str, str | None]] = []
    for word in words:
        column, sign, kind = word.rpartition("=")
        out.append((column, kind) if sign and kind in JUDGE_KINDS else (word, None))
    return tuple(out)
