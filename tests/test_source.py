"""What a file is, by its content: kind, encoding, delimiter, and the sentence for what is no table."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.importers import registry
from data.importers import source as sources
from data.importers.source import Source, open_source
from errors import Cancelled, FileError, JurylensError

TEXT = "prompt,winner\nWhat is a café?,a\n“Why” – asked the 猫,b\n"
WESTERN = "prompt,winner\nWhat is a café?,a\nÜber naïve Ideen,b\n"


def given_file(folder: Path, content: bytes | str, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def opened(folder: Path, content: bytes | str, name: str = "file.csv") -> Source:
    work = folder / "work"
    work.mkdir(exist_ok=True)
    return open_source(given_file(folder, content, name), work)


# ---------------------------------------------------------------- encodings


def test_plain_utf8_is_read_where_it_lies(tmp_path: Path) -> None:
    source = opened(tmp_path, TEXT)
    assert source.plain == source.path
    assert (source.kind, source.encoding, source.delimiter, source.compression) == ("csv", "UTF-8", ",", None)
    assert source.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()
    assert source.size == len(TEXT.encode())
    assert source.newlines == 3
    assert source.inferred == ()


@pytest.mark.parametrize(
    ("content", "text", "encoding"),
    [
        (TEXT.encode("utf-8-sig"), TEXT, "UTF-8 with BOM"),
        (TEXT.encode("utf-16"), TEXT, "UTF-16 LE"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), TEXT, "UTF-16 BE"),
        (TEXT.encode("utf-16-le"), TEXT, "UTF-16 LE without BOM"),
        (TEXT.encode("utf-16-be"), TEXT, "UTF-16 BE without BOM"),
        (b"\xff\xfe\x00\x00" + TEXT.encode("utf-32-le"), TEXT, "UTF-32 LE"),
        (("猫," * 40 + "\n").encode("utf-16-le") * 30, ("猫," * 40 + "\n") * 30, "UTF-16 LE without BOM"),
        (WESTERN.encode("latin-1"), WESTERN, "Latin-1"),
        (
            "prompt,winner\n“Why” – he said…,a\nté,b\n".encode("cp1252"),
            "prompt,winner\n“Why” – he said…,a\nté,b\n",
            "CP1252",
        ),
    ],
)
def test_encoding_is_recognised_and_named(tmp_path: Path, content: bytes, text: str, encoding: str) -> None:
    source = opened(tmp_path, content)
    assert source.encoding == encoding
    assert source.plain.read_text("utf-8-sig") == text
    assert any(encoding.split(" ")[0] in sentence for sentence in source.inferred)
    assert source.sha256 == hashlib.sha256(content).hexdigest()


def test_a_slip_in_a_utf8_file_does_not_turn_it_into_another_encoding(tmp_path: Path) -> None:
    source = opened(tmp_path, TEXT.encode() + b"na\x95ve \x93x\x94,b\n" + "日本語,a\n".encode())
    assert source.encoding == "UTF-8 with stray bytes"
    assert source.plain.read_text() == TEXT + "na•ve “x”,b\n日本語,a\n"
    assert "3 bytes (first on line 4) read as CP1252" in source.inferred[0]


def test_characters_split_between_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.importers.source.CHUNK", 1)
    monkeypatch.setattr("data.importers.text_encoding.CHUNK", 1)
    assert opened(tmp_path, TEXT).encoding == "UTF-8"
    assert opened(tmp_path, TEXT.replace("\n", "\r\n")).mixed_line_ends is False
    assert opened(tmp_path, TEXT.encode("utf-16")).plain.read_text() == TEXT
    assert opened(tmp_path, gzip.compress(TEXT.encode(), mtime=0)).plain.read_text() == TEXT


@pytest.mark.parametrize("cut", [1, 3, 5])
def test_utf16_that_ends_inside_a_character(tmp_path: Path, cut: int) -> None:
    with pytest.raises(FileError, match=r"UTF-16 LE but damaged after line 4.*save it again as UTF-8"):
        opened(tmp_path, TEXT.encode("utf-16") + b"ab\xd8\xd8\x00\x00"[:cut][-1:])


def test_line_ends(tmp_path: Path) -> None:
    assert opened(tmp_path, "a,b\r\n1,2\r\n").mixed_line_ends is False
    assert opened(tmp_path, "a,b\r\n1,2\n").mixed_line_ends is True
    assert opened(tmp_path, "a,b\n1,x\ry\n").mixed_line_ends is True
    mac = opened(tmp_path, "a,b\r1,2\r3,4\r")
    assert mac.plain.read_text() == "a,b\n1,2\n3,4\n"
    assert mac.newlines == 3
    assert "old Mac" in mac.inferred[0]


# ---------------------------------------------------------------- delimiters and kinds


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("a,b,c\n1,2,3\n", ","),
        ("a;b;c\n1,5;2,5;3\n", ";"),
        ("a\tb\n1\t2\n", "\t"),
        ("a|b|c\nx, y|2|3\n", "|"),
        ('"prompt; or task","winner"\n"a; b; c",a\n', ","),
        ("prompt;answer, whole;winner\nx;y;a\n", ";"),
        ("sep=;\na,x;b\n1;2\n", ";"),
        ("first, second, or third?;winner\nx;a\ny;b\n", ";"),
        ("one\ntwo\n", ","),
        ('a;b\n"line, one\nline, two; three";2\n', ";"),
    ],
)
def test_delimiter(tmp_path: Path, content: str, delimiter: str) -> None:
    assert opened(tmp_path, content).delimiter == delimiter


def test_the_suffix_tsv_decides_a_doubt_and_is_said(tmp_path: Path) -> None:
    source = opened(tmp_path, "a\tb,c,d\n1,2,3\t4\n", "file.tsv")
    assert source.delimiter == "\t"
    assert source.inferred == ("columns are separated by a tab",)


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        ('{"a": 1}\n{"a": 2}\n', "x.jsonl", "jsonl"),
        ('{"a": 1}\n{"a": 2}\n', "x.csv", "jsonl"),
        ('{"a": 1}\n', "x.json", "jsonl"),
        ('{"a": \n{"a": 2}\n', "x.jsonl", "jsonl"),
        ('\ufeff{"a": 1}\n', "x.json", "jsonl"),
        ('[{"a": 1}, {"a": 2}]', "x.json", "json"),
        ('\n[\n{"a": 1}]', "x.jsonl", "json"),
        ("[id],b\n1,2\n", "x.csv", "csv"),
        ("{id},b\n1,2\n", "x.csv", "csv"),
        ("a,b\n1,2\n", "x.json", "csv"),
        ("PAR1,b\n1,2\n", "x.csv", "csv"),
    ],
)
def test_kind_by_content(tmp_path: Path, content: str, name: str, kind: str) -> None:
    assert opened(tmp_path, content, name).kind == kind


@pytest.mark.parametrize("name", ["x.csv.gz", "x.csv"])
def test_gzip_with_and_without_its_suffix(tmp_path: Path, name: str) -> None:
    packed = gzip.compress(TEXT[:20].encode(), mtime=0) + gzip.compress(TEXT[20:].encode(), mtime=0)
    source = opened(tmp_path, packed, name)
    assert source.compression == "gzip"
    assert source.plain.read_text() == TEXT
    assert source.sha256 == hashlib.sha256(packed).hexdigest()
    assert bool(source.inferred) == (name == "x.csv")


def test_gzip_in_name_only(tmp_path: Path) -> None:
    source = opened(tmp_path, TEXT, "x.csv.gz")
    assert source.compression is None
    assert "not compressed" in source.inferred[0]


def test_a_well_compressed_file_is_decompressed_in_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.importers.source.CHUNK", 1000)
    text = "a,b\n" + "1,2\n" * 100_000
    assert opened(tmp_path, gzip.compress(text.encode(), mtime=0)).plain.read_text() == text


def test_names_that_look_like_patterns(tmp_path: Path) -> None:
    assert opened(tmp_path, TEXT, "it's [1]*?.csv").kind == "csv"


# ---------------------------------------------------------------- what is refused

ZIP = b"PK\x03\x04\x14\x00\x00\x00\x08\x00"
@pytest.mark.parametrize("name", ["x.csv.gz", "x.jsonl.gz", "x.json.gz", "x.csv"])
def test_gzip_data_that_are_damaged_from_the_first_byte_on_are_some_importers(tmp_path: Path, name: str) -> None:
    """No importer that looks into the file stumbles; the one that takes it says what is wrong."""
    path = tmp_path / name
    path.write_bytes(gzip.compress(TEXT.encode() if isinstance(TEXT, str) else TEXT, mtime=0)[:10] + b"\x00" * 40)
    assert registry.choose(path).NAME
    with pytest.raises(FileError, match="damaged"):
        open_source(path, tmp_path)


def test_a_gzip_bomb_is_refused_before_it_fills_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "ROOMY", 1 << 20)
    with pytest.raises(FileError, match="unpacks to more than 200 times its size"):
        opened(tmp_path, gzip.compress(b"a" * (16 << 20)))


PACKED = gzip.compress(TEXT.encode() * 50, mtime=0)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty .0 bytes."),
        (b" \n\t\r\n", "nothing but white space"),
        (b"\xef\xbb\xbf", "nothing but white space"),
        (b"%PDF-1.7\n1 0 obj", "is a PDF document, not a table: export"),
        (ZIP + b"....xl/workbook.xml", "a damaged or binary Excel workbook.*CSV"),
        (ZIP + b"....word/document.xml", "is a Word document"),
        (ZIP + b"....data.csv", "is a zip archive: unpack"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Office file"),
        (b"\x89PNG\r\n\x1a\n", "PNG image"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "JPEG image"),
        (b"<!DOCTYPE html>\n<html><body>404</body></html>", "is a web page, not a table .*download the data again"),
        (b"\n  <HTML><title>Sign in</title>", "is a web page"),
        (b"<?xml version='1.0'?><rows/>", "is XML"),
        (bytes(range(256)) * 20, "is binary, not a text table"),
        (b"a,b\n" + b"1,2\n" * 20 + b"3,\x00\n", "line 22: a NUL byte"),
        (b"a,b\n1,2\n3,\x00\n", "is binary"),
        (b"BZh91AY&SY....", "bzip2"),
        (b"\x28\xb5\x2f\xfd....", "zstd"),
        (b"SQLite format 3\x00....", "SQLite"),
        (PACKED[:-30], "gzip data end before they should"),
        (PACKED[:40] + b"\x00\x01\x02" + PACKED[43:], "gzip data are damaged"),
        (gzip.compress(PACKED, mtime=0), "gzip file inside a gzip file"),
        (gzip.compress(b"", mtime=0), "gzip file with nothing in it"),
        (gzip.compress(b"%PDF-1.7", mtime=0), "PDF"),
        (b"PAR1\x15\x04\x15....", "Parquet file without its end"),
        (b"PAR1", "Parquet file without its end"),
        (b"[]", "an empty JSON array"),
        (b'{\n "a": 1\n}', "one JSON object over several lines"),
        (b'{"data": [{"a": 1}], "n": 1}', "save the array under its key 'data' alone"),
        (b'{"a": [\n 1,\n', "begins like JSON"),
    ],
)
def test_refused_with_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(FileError, match=rf"^file\.csv.*{sentence}"):
        opened(tmp_path, content)


def test_numbers_in_a_json_array(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="not of objects"):
        opened(tmp_path, json.dumps([1, 2, 3]), "x.json")


def test_damaged_parquet_by_name(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="damaged: it does not begin as its name says"):
        opened(tmp_path, bytes(range(256)) * 4, "x.parquet")


def test_folder_missing_file_and_odd_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is a folder: say what it holds with --as"):
        open_source(tmp_path, tmp_path)
    with pytest.raises(FileError, match="does not exist"):
        open_source(tmp_path / "nothing.csv", tmp_path)


def test_stopping_from_the_progress(tmp_path: Path) -> None:
    def stop(share: float, text: str) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        open_source(given_file(tmp_path, TEXT), tmp_path, stop)


# ---------------------------------------------------------------- anything at all


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.tuples(
            st.sampled_from([b"\x1f\x8b\x08\x00", b"PAR1\x15", b"\xff\xfe", b"\xfe\xff", b"[", b"{", b"PK", b"a,b\n"]),
            st.binary(max_size=100),
        ).map(b"".join),
        st.integers(0, len(PACKED)).map(lambda end: PACKED[:end]),
        st.text(max_size=100).map(lambda text: text.encode("utf-16", "surrogatepass")),
    )
)
def test_any_bytes_are_a_source_or_a_sentence(tmp_path: Path, content: bytes) -> None:
    try:
        source = opened(tmp_path, content)
    except JurylensError:
        return
    if source.kind != "parquet":
        source.plain.read_text("utf-8")
