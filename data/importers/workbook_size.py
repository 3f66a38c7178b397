"""Is a workbook small enough to be read as a whole? Measured before, since its reader takes all the memory it asks for.

Refused are archives that unpack to too much, cells that span too large a rectangle (one cell at the end of a sheet
makes all those before it), and long texts that too many cells repeat.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path

import numpy as np

from data.model import Progress
from errors import FileError

MOST_BYTES = 1 << 30
MOST_CELLS = 16_000_000
CHUNK = 1 << 20
# Anything that could be the place of a cell or a row, wherever it stands: a file may hide one. Patterns begin with a
# letter, by which they are found fast.
_PLACE = re.compile(rb"""r\s*=\s*["']([A-Za-z]{0,9})(\d{0,12})["']""")
_CELL = re.compile(rb"<(?:\w+:)?c[\s/>]")
_SHARED = re.compile(rb"""t\s*=\s*["']s["'][^<]*<(?:\w+:)?v[^>]*>\s*(\d{1,9})\s*<""")
_STRING = re.compile(rb"<(?:\w+:)?si[\s/>]")
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def measure(path: Path, name: str, progress: Progress) -> None:
    """Unpack the archive into nothing and see how large it is. Raises FileError when it is too large or damaged."""
    total = 0
    strings = np.empty(0, dtype=np.int64)
    used: list[bytes] = []
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            declared = sum(part.file_size for part in parts)
            if declared > MOST_BYTES:
                raise FileError(_too_large(name))
            for part in parts:
                shared = part.filename.lower().endswith("sharedstrings.xml")
                sheet = _Sheet() if "/worksheets/" in part.filename and part.filename.endswith(".xml") else None
                starts: list[int] = []
                tail, size = b"", 0
                with archive.open(part) as file:
                    while chunk := file.read(CHUNK):
                        total += len(chunk)
                        # What an archive declares may be a lie.
                        if total > MOST_BYTES:
                            raise FileError(_too_large(name))
                        progress(min(total / max(declared, 1), 1.0), "looking through the workbook")
                        if sheet is not None:
                            tail = sheet.take(tail + chunk)
                            used += sheet.strings
                        elif shared:
                            starts += [size + match.start() for match in _STRING.finditer(chunk)]
                        size += len(chunk)
                if shared:
                    ends = np.array([*starts, size], dtype=np.int64)
                    strings = ends[1:] - ends[:-1]
                if sheet is not None:
                    sheet.take(tail, last=True)
                    used += sheet.strings
                    if sheet.cells() > MOST_CELLS:
                        raise FileError(_too_large(name))
    except _DAMAGE as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise FileError(f"{name} is a damaged workbook ({reason}): download or copy it again") from error
    if len(strings) and len(used) * int(strings.max()) > MOST_BYTES:
        index = np.array(used, dtype=np.int64)
        if int(strings[index[index < len(strings)]].sum()) > MOST_BYTES:
            raise FileError(_too_large(name))


class _Sheet:
    """The rectangle that a sheet's cells span, and which shared texts it uses; fed chunk by chunk."""

    def __init__(self) -> None:
        self.widest = self.deepest = self.placed = self.found = 0
        self.strings: list[bytes] = []

    def take(self, data: bytes, *, last: bool = False) -> bytes:
        """Look through the data up to its last cell; returns the rest, to be given again."""
        end = data.rfind(b"<c")
        end = len(data) if last or end < 0 or len(data) - end > 4096 else end
        self.found += len(_CELL.findall(data, 0, end))
        letters_seen: set[bytes] = set()
        for letters, digits in _PLACE.findall(data, 0, end):
            if letters:
                self.placed += 1
                letters_seen.add(letters)
            if digits:
                self.deepest = max(self.deepest, int(digits))
        self.widest = max([self.widest, *map(_column, letters_seen)])
        self.strings = _SHARED.findall(data, 0, end)
        return data[end:]

    def cells(self) -> int:
        # A cell without a place stands right of the one before.
        width = max(self.widest, min(self.found - self.placed, 16_384))
        return width * max(self.deepest, 1)


def _column(letters: bytes) -> int:
    number = 0
    for byte in letters.upper():
        number = number * 26 + byte - 64
    return number


def _too_large(name: str) -> str:
    return (
        f"{name} unpacks to more than {MOST_BYTES >> 30} GB or {MOST_CELLS:,} cells: save the sheet as CSV, or delete "
        "what stands far below or beside the table"
    )
