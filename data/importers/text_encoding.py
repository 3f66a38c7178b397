"""In which encoding are these bytes, and what are they as UTF-8?"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from errors import FileError

CHUNK = 4 << 20
UTF8_BOM = codecs.BOM_UTF8

# CP1252 with the five bytes it leaves undefined read as Latin-1 does.
CP1252 = "".join(bytes([b]).decode("cp1252", "ignore") or bytes([b]).decode("latin-1") for b in range(256))
_STRAY = re.compile("[\udc80-\udcff]")
_STRAY_LEAD = re.compile("[\udcc2-\udcf4]")
_CONTROL = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f\ufffe\uffff]")
_NOT_LEAD = bytes(b for b in range(256) if not 0xC2 <= b <= 0xF4)


@dataclass(frozen=True)
class Wide:
    """An encoding of two or four bytes a character. bom : length of its byte order mark, 0 without"""

    codec: str
    label: str
    bom: int


_BOMS = (
    (codecs.BOM_UTF32_LE, Wide("utf-32-le", "UTF-32 LE", 4)),
    (codecs.BOM_UTF32_BE, Wide("utf-32-be", "UTF-32 BE", 4)),
    (codecs.BOM_UTF16_LE, Wide("utf-16-le", "UTF-16 LE", 2)),
    (codecs.BOM_UTF16_BE, Wide("utf-16-be", "UTF-16 BE", 2)),
)


def wide_encoding(head: bytes) -> Wide | None:
    """UTF-16 or UTF-32, by its mark or by where its zero bytes stand; None for anything else.

    Without a mark: tables have delimiters and line ends even where the texts are not Latin, so zeros
    stand in at least a tenth of the places of one parity and next to nowhere in the other's.
    """
    for mark, wide in _BOMS:
        if head.startswith(mark):
            return wide
    sample = head[: 1 << 16]
    if len(sample) < 4:
        return None
    half = len(sample) // 2
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    for zeros, others, codec, label in (
        (odd, even, "utf-16-le", "UTF-16 LE without BOM"),
        (even, odd, "utf-16-be", "UTF-16 BE without BOM"),
    ):
        if zeros * 10 >= half and others * 50 <= zeros:
            text = sample[: half * 2].decode(codec, "ignore")
            ends = sum(text.count(end) for end in "\r\n")
            # In a narrow text with a few stray zeros most line ends have no zero beside them.
            whole = 2 * ends >= sum(sample.count(end) for end in (b"\r", b"\n"))
            if ends and whole and len(_CONTROL.findall(text)) * 50 <= len(text):
                return Wide(codec, label, 0)
    return None


@dataclass(frozen=True)
class Survey:
    """Counts over a whole file. stray : bytes that are no UTF-8; multibyte : characters that are

    nul_line : line of the first NUL byte; first_stray_line : line of the first stray byte
    """

    line_feeds: int
    carriage_returns: int
    crlf: int
    nul_line: int | None
    multibyte: int
    stray: int
    first_stray_line: int
    windows: bool

    @property
    def mostly_utf8(self) -> bool:
        """Whether the stray bytes are slips in a UTF-8 file rather than another encoding."""
        return self.multibyte >= self.stray

    def encoding(self) -> tuple[str, str | None]:
        """The encoding's name, and a sentence about it unless it is plain UTF-8."""
        if not self.stray:
            return "UTF-8", None
        if self.mostly_utf8:
            many = f"{self.stray} byte" + ("s" if self.stray > 1 else "")
            return "UTF-8 with stray bytes", (
                f"encoding: UTF-8, but {many} (first on line {self.first_stray_line}) read as CP1252"
            )
        label = "CP1252" if self.windows else "Latin-1"
        return label, f"encoding: {label}, taken because the bytes are no UTF-8"


class Surveyor:
    """Takes a file chunk by chunk and counts what decides about its encoding and line ends."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._lf = self._cr = self._crlf = self._multibyte = self._stray = self._first = 0
        self._nul: int | None = None
        self._windows = self._pending = self._ended_cr = False

    def take(self, chunk: bytes) -> None:
        """Count one chunk; characters may be split between chunks."""
        if self._nul is None and (at := chunk.find(b"\0")) >= 0:
            self._nul = self._lf + chunk.count(b"\n", 0, at) + 1
        if self._ended_cr and chunk[:1] == b"\n":
            self._crlf += 1
        self._cr += chunk.count(b"\r")
        self._crlf += chunk.count(b"\r\n")
        self._ended_cr = chunk[-1:] == b"\r"
        if self._pending or not chunk.isascii():
            self._multibyte += len(chunk.translate(None, _NOT_LEAD))
            self._weigh(self._decoder.decode(chunk))
            self._pending = bool(self._decoder.getstate()[0])
        self._lf += chunk.count(b"\n")

    def _weigh(self, text: str) -> None:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            if not self._stray:
                self._first = self._lf + text.count("\n", 0, error.start) + 1
            found = _STRAY.findall(text)
            self._stray += len(found)
            self._multibyte -= sum(1 for c in found if _STRAY_LEAD.match(c))
            self._windows = self._windows or any("\udc80" <= c <= "\udc9f" for c in found)

    def result(self) -> Survey:
        """The counts; call once, at the end."""
        self._weigh(self._decoder.decode(b"", final=True))
        return Survey(
            self._lf,
            self._cr,
            self._crlf,
            self._nul,
            self._multibyte,
            self._stray,
            self._first,
            self._windows,
        )


def from_wide(name: str, source: Path, target: Path, wide: Wide) -> None:
    """Write `source` as UTF-8. Raises FileError where it is not what its mark or look says."""
    decoder = codecs.getincrementaldecoder(wide.codec)("strict")
    lines = 1
    with source.open("rb") as file, target.open("wb") as out:
        file.seek(wide.bom)
        try:
            while chunk := file.read(CHUNK):
                text = decoder.decode(chunk)
                out.write(text.encode())
                lines += text.count("\n")
            out.write(decoder.decode(b"", final=True).encode())
        except UnicodeError as error:
            raise FileError(
                f"{name} is {wide.label} but damaged after line {lines} ({error.args[-1]}): save it again as UTF-8"
            ) from error


def from_single_bytes(source: Path, target: Path, survey: Survey) -> None:
    """Write a CP1252 or Latin-1 file, or a UTF-8 one with stray bytes, as UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    with source.open("rb") as file, target.open("wb") as out:
        while chunk := file.read(CHUNK):
            if survey.mostly_utf8:
                text = _mend(decoder.decode(chunk))
            else:
                text = codecs.charmap_decode(chunk, "strict", CP1252)[0]
            out.write(text.encode())
        out.write(_mend(decoder.decode(b"", final=True)).encode())


def _mend(text: str) -> str:
    return _STRAY.sub(lambda stray: CP1252[ord(stray[0]) - 0xDC00], text)


def old_mac_lines(source: Path, target: Path) -> None:
    """Write a file whose lines end in carriage returns alone with line feeds instead."""
    table = bytes.maketrans(b"\r", b"\n")
    with source.open("rb") as file, target.open("wb") as out:
        while chunk := file.read(CHUNK):
            out.write(chunk.translate(table))
