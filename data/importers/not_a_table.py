"""Is this file no table at all, and what should be done instead?"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from data.importers import text_encoding
from errors import FileError

REMEDY = "export the data as CSV, Excel (.xlsx), JSON lines or Parquet, or download the file again"

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "a PDF document, not a table: export the table behind it as CSV"),
    (b"\x89PNG", "a PNG image, not a table: export the data as CSV"),
    (b"\xff\xd8\xff", "a JPEG image, not a table: export the data as CSV"),
    (b"GIF89a", "a GIF image, not a table: export the data as CSV"),
    (b"GIF87a", "a GIF image, not a table: export the data as CSV"),
    (b"{\\rtf", "a formatted text (RTF), not a table: save the table as CSV"),
    (b"SQLite format 3\0", "an SQLite database, not a table: export one table as CSV"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd: decompress it, or compress it with gzip"),
    (b"\xfd7zXZ\0", "compressed with xz: decompress it, or compress it with gzip"),
    (b"7z\xbc\xaf", "a 7-Zip archive: unpack it and import the file inside"),
    (b"Rar!\x1a\x07", "a RAR archive: unpack it and import the file inside"),
    (b"ARROW1\0", "an Arrow (Feather) file: save it as Parquet or CSV"),
    (b"\x1f\x8b", "a gzip file inside a gzip file: decompress it once"),
)
_OLE = b"\xd0\xcf\x11\xe0"
# Tab, line feed, vertical tab, form feed, carriage return and escape do occur in texts.
_TEXT = bytes(b for b in range(256) if b >= 32 or b in (9, 10, 11, 12, 13, 27))

_READABLE = bytes(range(32, 127)) + b"\t\r\n"


def refuse_binary(name: str, suffix: str, head: bytes) -> None:
    """Raise FileError, with the remedy, when the first bytes `head` are those of no text.

    suffix : the file's, lower case, without .gz; it only words the sentence
    """
    for magic, what in _MAGIC:
        if head.startswith(magic):
            raise FileError(f"{name} is {what}")
    if head.startswith(b"BZh") and head[4:10] == b"1AY&SY":
        raise FileError(f"{name} is compressed with bzip2: decompress it, or compress it with gzip")
    if head.startswith(b"RIFF") and head[8:12] in (b"WEBP", b"WAVE", b"AVI "):
        raise FileError(f"{name} is a picture or sound, not a table: export the data as CSV")
    if head[8:12] == b"DUCK":
        raise FileError(f"{name} is a DuckDB database, not a table: export one table as CSV or Parquet")
    if head[257:262] == b"ustar":
        raise FileError(f"{name} is a tar archive: unpack it and import the file inside")
    if head.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in head:
            raise FileError(f"{name} is protected by a password: remove it in Excel and save the workbook again")
        said = ", although its name says .xlsx" if suffix in (".xlsx", ".xlsm") else ""
        raise FileError(f"{name} is an old Office file (.xls or .doc){said}: open it and save it as .xlsx or CSV")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        if b"opendocument" in head[:200]:
            raise FileError(f"{name} is an OpenDocument file: open it and save it as .xlsx or CSV")
        if b"xl/" in head:
            raise FileError(f"{name} is a damaged or binary Excel workbook: open it and save it as .xlsx or CSV")
        if b"word/" in head:
            raise FileError(f"{name} is a Word document, not a table: save the table in it as CSV")
        raise FileError(f"{name} is a zip archive: unpack it and import the file inside")
    controls = len(head.translate(None, _TEXT))
    if controls > len(head) // 20 and text_encoding.wide_encoding(head) is None:
        if suffix in (".parquet", ".pq") or name.lower().endswith(".gz"):
            raise FileError(f"{name} is damaged: it does not begin as its name says; download or copy it again")
        raise FileError(f"{name} is binary, not a text table: {REMEDY}")


def is_workbook(path: Path, head: bytes) -> bool:
    """Whether a file is an Excel workbook of XML sheets, whatever its name."""
    if not head.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def refuse_markup(name: str, text: str) -> None:
    """Raise FileError when the text is HTML or XML."""
    start = text.lstrip()[:512].lower()
    if start.startswith(("<!doctype html", "<html", "<head", "<body")):
        raise FileError(
            f"{name} is a web page, not a table (often an error page saved under the file's name): "
            "open it in a browser to see what went wrong, then download the data again"
        )
    if start.startswith(("<?xml", "<!doctype", "<svg")):
        raise FileError(f"{name} is XML, not a table: {REMEDY}")


def is_parquet(head: bytes) -> bool:
    """Whether a file begins as Parquet does; a header that merely reads `PAR1,...` is none."""
    return head.startswith(b"PAR1") and (len(head) == 4 or head[4:5] not in _READABLE)


def refuse_cut_parquet(name: str, plain: Path) -> None:
    """Raise FileError when a Parquet file lacks the end that holds its schema."""
    with plain.open("rb") as file:
        length = file.seek(0, io.SEEK_END)
        file.seek(max(length - 4, 0))
        end = file.read(4)
    if length < 12 or end != b"PAR1":
        raise FileError(f"{name} is a Parquet file without its end (cut off): download or copy it again")
