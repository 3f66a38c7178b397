"""What is this file: which kind of table, in which encoding, and where is it as plain UTF-8?

Content decides, the suffix only where content leaves a doubt. What is no table is refused with a
sentence; what had to be taken for granted is listed in `Source.inferred`.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from data.importers import layout, not_a_table, text_encoding
from data.importers.text_encoding import Survey
from data.model import Progress, silent
from errors import FileError

CHUNK = 4 << 20
HEAD = 1 << 20
ROOMY, MOST_TIMES = 4 << 30, 200
"""Bytes that any gzip file may unpack to, and how many times its size a large one may: tables of judgments shrink to a
twentieth, and what gzip can shrink most, to a thousandth."""


@dataclass(frozen=True)
class Source:
    """A file that holds a table, and where to read it.

    plain : the UTF-8, uncompressed file to read (the original when it is already so); Parquet as it is
    kind : csv, jsonl (one object a line), json (one array of objects), parquet, xlsx
    encoding : for the report ("UTF-8", "CP1252", ...); compression : "gzip" or None
    delimiter : of a csv, else None
    sha256, size : of the original file, size in bytes
    within : the key under which the records stand, where they are a list in one JSON object
    newlines : line feeds in `plain`; mixed_line_ends : some, but not all, have a carriage return before
    inferred : sentences about what was taken for granted
    """

    path: Path
    name: str
    kind: str
    plain: Path
    encoding: str
    compression: str | None
    delimiter: str | None
    size: int
    newlines: int
    mixed_line_ends: bool
    inferred: tuple[str, ...] = ()
    within: str | None = None

    @cached_property
    def sha256(self) -> str:
        return digest(self.path)


def open_source(
    path: Path | str, workdir: Path, progress: Progress = silent, *, within: str | None = None
) -> Source:
    """Recognise `path` and bring it into a readable form; working files go to `workdir`.

    within : the file is one JSON object, whose records stand under this key

    Streams: memory stays at a few chunks of 4 MB whatever the file's size.
    Raises FileError when the file is missing, damaged, empty or no table.
    """
    path = Path(path)
    name = path.name
    try:
        if path.is_dir():
            raise FileError(f"{path} is a folder: say what it holds with --as FORMAT, or name one file in it")
        if not path.exists():
            raise FileError(f"{path} does not exist: check the name and the folder")
        if not path.is_file():
            raise FileError(f"{path} is not a regular file: save the data to a file first")
        with path.open("rb") as file:
            head = file.read(HEAD)
            size = os.fstat(file.fileno()).st_size
        if not head:
            raise FileError(f"{name} is empty (0 bytes): export or download it again")
        if head[:2] == b"\x1f\x8b":
            plain, notes = _unpack(path, size, workdir, progress)
            with plain.open("rb") as file:
                inner = file.read(HEAD)
            if not inner:
                raise FileError(f"{name} is a gzip file with nothing in it: export or download it again")
            if path.suffix.lower() != ".gz":
                notes += (f"{name} is gzip-compressed although its name does not end in .gz",)
            return _recognise(path, plain, inner, size, workdir, "gzip", notes, progress, within)
        note = (f"{name} ends in .gz but is not compressed; read as it is",) if path.suffix.lower() == ".gz" else ()
        return _recognise(path, path, head, size, workdir, None, note, progress, within)
    except OSError as error:
        raise FileError(
            f"{path} cannot be read: {error.strerror or error}; check its permissions and the free disk space"
        ) from error


def _recognise(
    path: Path,
    plain: Path,
    head: bytes,
    size: int,
    workdir: Path,
    compression: str | None,
    notes: tuple[str, ...],
    progress: Progress,
    within: str | None,
) -> Source:
    name = path.name
    if within is not None and not_a_table.is_parquet(head):
        raise FileError(f"{name} is Parquet, not a JSON object with a list {within}")
    if not_a_table.is_parquet(head):
        not_a_table.refuse_cut_parquet(name, plain)
        if _suffix(path) not in (".parquet", ".pq"):
            notes += (f"{name} is Parquet although its name does not say so",)
        return Source(path, name, "parquet", plain, "Parquet", compression, None, size, 0, False, notes)
    if within is None and not_a_table.is_workbook(plain, head):
        if _suffix(path) not in (".xlsx", ".xlsm"):
            notes += (f"{name} is an Excel workbook although its name does not say so",)
        return Source(path, name, "xlsx", plain, "Excel workbook", compression, None, size, 0, False, notes)
    not_a_table.refuse_binary(name, _suffix(path), head)

    wide = text_encoding.wide_encoding(head)
    encoding = "UTF-8"
    if wide is not None:
        encoded, plain = plain, _new_file(workdir)
        text_encoding.from_wide(name, encoded, plain, wide)
        encoding = wide.label
        notes += (f"encoding: {wide.label}" + (" (from its byte order mark)" if wide.bom else ""),)
    survey = _survey(plain, progress)
    if survey.nul_line is not None:
        raise FileError(
            f"{name} line {survey.nul_line}: a NUL byte, which no text table holds; "
            f"the file is binary or damaged: {not_a_table.REMEDY}"
        )
    if wide is None:
        encoding, remark = survey.encoding()
        if remark:
            notes += (remark,)
        if encoding != "UTF-8":
            encoded, plain = plain, _new_file(workdir)
            text_encoding.from_single_bytes(encoded, plain, survey)
        elif head.startswith(text_encoding.UTF8_BOM):
            encoding = "UTF-8 with BOM"
            notes += ("encoding: UTF-8 with a byte order mark",)
    if survey.carriage_returns and not survey.line_feeds:
        old, plain = plain, _new_file(workdir)
        text_encoding.old_mac_lines(old, plain)
        survey = replace(survey, line_feeds=survey.carriage_returns, carriage_returns=0)
        notes += ("line ends: carriage returns alone (old Mac), read as line ends",)

    with plain.open("rb") as file:
        top = file.read(HEAD)
    text = top.removeprefix(text_encoding.UTF8_BOM).decode("utf-8", "ignore")
    if not text.strip():
        raise FileError(f"{name} holds nothing but white space: export or download it again")
    not_a_table.refuse_markup(name, text)
    if within is None:
        kind = layout.json_kind(name, plain, text, whole=len(top) < HEAD, suffix=_suffix(path))
    elif text.lstrip().startswith("{"):
        kind = "json"
    else:
        raise FileError(f"{name} is no JSON object with a list {within}")
    delimiter = None
    if kind is None:
        kind = "csv"
        delimiter = layout.sniff_delimiter(text, whole=len(top) < HEAD, tab_first=_suffix(path) in (".tsv", ".tab"))
        if delimiter != ",":
            notes += (f"columns are separated by a {layout.DELIMITERS[delimiter]}",)
    if kind == "json":
        where = "a JSON array" if within is None else f"a JSON object with a list {within}"
        notes += (f"{where}: lines in the report are record numbers",)
    mixed = survey.carriage_returns not in (0, survey.line_feeds) or (survey.carriage_returns != survey.crlf)
    return Source(
        path,
        name,
        kind,
        plain,
        encoding,
        compression,
        delimiter,
        size,
        survey.line_feeds,
        mixed,
        notes,
        within,
    )


# ---------------------------------------------------------------- bytes


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _new_file(workdir: Path) -> Path:
    handle, name = tempfile.mkstemp(prefix="plain-", suffix=".txt", dir=workdir)
    os.close(handle)
    return Path(name)


def digest(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of a folder's files."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    total = hashlib.sha256()
    for each in sorted(p for p in path.rglob("*") if p.is_file()):
        total.update(str(each.relative_to(path)).encode() + b"\0")
        with each.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def _survey(plain: Path, progress: Progress) -> Survey:
    """Count what decides about encoding and line ends."""
    done, total = 0, max(plain.stat().st_size, 1)
    surveyor = text_encoding.Surveyor()
    with plain.open("rb") as file:
        for chunk in _chunks(file):
            surveyor.take(chunk)
            done += len(chunk)
            progress(done / total, "looking through the file")
    return surveyor.result()


def _unpack(path: Path, size: int, workdir: Path, progress: Progress) -> tuple[Path, tuple[str, ...]]:
    """Decompress a gzip file of one or more members; its check sums are verified.

    Raises FileError where it would unpack to far more than judgments do, before the disk is full of it.
    """
    name, plain = path.name, _new_file(workdir)
    most = max(ROOMY, MOST_TIMES * size)
    done = 0
    notes: tuple[str, ...] = ()
    member = zlib.decompressobj(31)
    ended_early = f"{name}: the gzip data end before they should (cut off): download or copy it again"
    with path.open("rb") as packed, plain.open("wb") as out:
        rest = b""
        for chunk in _chunks(packed):
            done += len(chunk)
            rest = rest + chunk if rest else chunk
            while rest:
                if member.eof:
                    if rest[:2] != b"\x1f\x8b"[: len(rest)]:
                        break
                    member = zlib.decompressobj(31)
                try:
                    out.write(member.decompress(rest, CHUNK))
                except zlib.error as error:
                    raise FileError(
                        f"{name}: the gzip data are damaged ({error}): download or copy it again"
                    ) from error
                rest = member.unused_data if member.eof else member.unconsumed_tail
                if out.tell() > most:
                    raise FileError(
                        f"{name} unpacks to more than {MOST_TIMES} times its size, which no file of judgments does: "
                        "look at what is in it, and decompress it yourself if it is right"
                    )
                progress(done / max(size, 1), f"decompressing {name}")
            if member.eof and rest:
                if rest.strip(b"\0"):
                    notes = (f"{name}: bytes after the end of the gzip data were ignored",)
                break
        # Output that did not fit into CHUNK may still be held back when all input is taken.
        while not member.eof:
            held = member.decompress(b"", CHUNK)
            if not held and not member.eof:
                raise FileError(ended_early)
            out.write(held)
    return plain, notes


def _suffix(path: Path) -> str:
    """The suffix in lower case, with a trailing .gz set aside."""
    inner = path.with_suffix("") if path.suffix.lower() == ".gz" else path
    return inner.suffix.lower()
