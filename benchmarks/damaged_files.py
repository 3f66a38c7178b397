"""Files as they should not be: one of many kinds of damage each, some of their good rows marked, from a seed.

A good row's prompt is `good prompt K`. What is known of it afterwards depends on the damage: where that stays in its
own row every good row must be taken (`whole`); where it may swallow rows (a quote that never closes, a file that is
cut) each must be taken or a rejection must tell that rows were lost; a file may always be refused with a sentence.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

GOOD = "good prompt "
HEADER = ("prompt", "model_a", "model_b", "response_a", "response_b", "judge", "winner", "confidence")
SIDES = ("a", "b", "tie", "model_a", "A", "both_bad")
Row = tuple[object, ...]


@dataclass(frozen=True)
class Damaged:
    """name, content : the file; good : marked rows that it was made with; whole : whether each must be taken, unless
    the file is refused"""

    kind: str
    name: str
    content: bytes
    good: int
    whole: bool


def damaged(seed: int) -> Damaged:
    """The file of a seed: the kinds in turn, the details drawn."""
    rng = random.Random(seed)
    kind = sorted(KINDS)[seed % len(KINDS)]
    return KINDS[kind](kind, rng)


def _rows(rng: random.Random, n: int = 12) -> list[Row]:
    return [
        (f"{GOOD}{k}", f"m{k % 3}", f"m{(k + 1) % 3}", f"answer {rng.random()}", f"other {rng.random()}",
         rng.choice(("people", "gpt-4", "Ünïcode")), rng.choice(SIDES), rng.choice(("", "0.5", "1")))
        for k in range(n)
    ]  # fmt: skip


def _csv(rows: list[Row], header: tuple[str, ...] = HEADER, end: str = "\n", delimiter: str = ",") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows([header, *rows])
    return out.getvalue()


def _jsonl(rows: list[Row]) -> list[str]:
    return [json.dumps(dict(zip(HEADER, row, strict=True)), ensure_ascii=False) for row in rows]


def _parquet(rows: list[Row]) -> bytes:
    out = io.BytesIO()
    columns = zip(HEADER, zip(*rows, strict=True), strict=True)
    pq.write_table(pa.table({name: list(values) for name, values in columns}), out)
    return out.getvalue()


def _xlsx(rows: list[Row], sheet: str | None = None) -> bytes:
    """The least that a workbook is, cells as inline strings. sheet : the XML in its place"""
    def cell(value: object) -> str:
        text = str(value).replace("&", "&amp;").replace("<", "&lt;")
        return f'<c t="inlineStr"><is><t>{text}</t></is></c>'

    body = "".join(f"<row>{''.join(map(cell, row))}</row>" for row in (HEADER, *rows))
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    packed = "http://schemas.openxmlformats.org/package/2006"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{packed}/content-types"><Default Extension="xml" ContentType='
        '"application/xml"/><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{packed}/relationships"><Relationship Id="r1" Type='
        f'"{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{packed}/relationships"><Relationship Id="r1" Type='
        f'"{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": sheet or f'<worksheet xmlns="{main}"><sheetData>{body}</sheetData></worksheet>',
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in parts.items():
            book.writestr(name, text)
    return out.getvalue()


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(1, len(content))]


def _flipped(content: bytes, rng: random.Random) -> bytes:
    out = bytearray(content)
    for _ in range(rng.randint(1, 12)):
        out[rng.randrange(len(out))] = rng.randrange(256)
    return bytes(out)


KINDS: dict[str, Callable[[str, random.Random], Damaged]] = {}
Make = Callable[[random.Random], tuple[str, bytes, bool]]


def _kind(make: Make) -> Make:
    """Register a maker of (name, content, whole); twelve good rows, unless it says otherwise by its name's ending."""
    def of(kind: str, rng: random.Random) -> Damaged:
        name, content, whole = make(rng)
        return Damaged(kind, name, content, 0 if kind.endswith("_alone") else 12, whole)

    KINDS[make.__name__.lstrip("_")] = of
    return make


def _among(rng: random.Random, lines: list[str], bad: list[str]) -> str:
    """CSV lines with bad ones at random places below the header."""
    out = list(lines)
    for line in bad:
        out.insert(rng.randint(1, len(out)), line)
    return "\n".join(out) + "\n"


@_kind
def truncated_csv(rng: random.Random) -> tuple[str, bytes, bool]:
    return "cut.csv", _cut(_csv(_rows(rng)).encode(), rng), False


@_kind
def truncated_gzip(rng: random.Random) -> tuple[str, bytes, bool]:
    return "cut.csv.gz", _cut(gzip.compress(_csv(_rows(rng)).encode(), mtime=0), rng), False


@_kind
def wrong_gzip(rng: random.Random) -> tuple[str, bytes, bool]:
    whole = _csv(_rows(rng)).encode()
    packed = gzip.compress(whole, mtime=0)
    content = rng.choice([whole, packed + b"rubbish" * 9, packed[:10] + b"\x00" * 40, zlib.compress(whole), packed * 2,
                          gzip.compress(packed, mtime=0), packed[:-8] + b"\x00" * 8])  # fmt: skip
    return rng.choice(["a.csv.gz", "a.csv", "a.jsonl.gz"]), content, False


@_kind
def mixed_encodings(rng: random.Random) -> tuple[str, bytes, bool]:
    lines = _csv(_rows(rng)).splitlines()
    head, rest = lines[0].encode(), [line.encode(rng.choice(["utf-8", "latin-1"])) for line in lines[1:]]
    bad = "schön,m0,m1,ä,ö,people,a,1".encode(rng.choice(["latin-1", "cp1252", "utf-16-le", "utf-8"]))
    rest.insert(rng.randrange(len(rest)), bad)
    return "mixed.csv", b"\n".join([head, *rest]) + b"\n", False


@_kind
def null_bytes(rng: random.Random) -> tuple[str, bytes, bool]:
    bad = ["p\x00q,m0,m1,x\x00,y,people,a,", "\x00" * rng.randint(1, 50), "q,m0,m1,x,z,people\x00,a,1"]
    return "null.csv", _among(rng, _csv(_rows(rng)).splitlines(), rng.sample(bad, 2)).encode(), True


@_kind
def unclosed_quote(rng: random.Random) -> tuple[str, bytes, bool]:
    bad = rng.choice(['"never closed,m0,m1,x,y,people,a,', 'p,m0,m1,"x,y,people,a,', 'p,m0,m1,x"y",z,people,"a'])
    return "quote.csv", _among(rng, _csv(_rows(rng)).splitlines(), [bad]).encode(), False


@_kind
def odd_quotes(rng: random.Random) -> tuple[str, bytes, bool]:
    bad = ['p,m0,m1,say "x" now,y,people,a,', '""p"",m0,m1,x,y,people,a,', 'p,m0,m1,"x" tail,y,people,b,1',
           '"",,,"""",",",,,']  # fmt: skip
    return "quotes.csv", _among(rng, _csv(_rows(rng)).splitlines(), rng.sample(bad, 2)).encode(), False


@_kind
def ragged_rows(rng: random.Random) -> tuple[str, bytes, bool]:
    bad = ["p,m0", "p,m0,m1,x,y,people,a,1,2,3,4" + "," * rng.randint(0, 500), ",", "lone", ",,,,,,,", " "]
    return "ragged.csv", _among(rng, _csv(_rows(rng)).splitlines(), rng.sample(bad, 4)).encode(), True


@_kind
def duplicate_headers(rng: random.Random) -> tuple[str, bytes, bool]:
    header = list(HEADER)
    header[rng.randrange(8)] = rng.choice(["winner", "prompt", "Winner ", "JUDGE", ""])
    return "twice.csv", _csv(_rows(rng), tuple(header)).encode(), False


@_kind
def odd_headers(rng: random.Random) -> tuple[str, bytes, bool]:
    odd = ["", " ", "x" * 70_000, 'a"b', "'; DROP TABLE judgment; --", "=1+1", "\u202e", "{", "a\nb", "NULL", "row",
           "__line"]  # fmt: skip
    more = rng.sample(odd, 4)
    rows = [(*row, *("1" for _ in more)) for row in _rows(rng)]
    return "headers.csv", _csv(rows, (*HEADER, *more)).encode(), False


@_kind
def huge_cells(rng: random.Random) -> tuple[str, bytes, bool]:
    text = rng.choice(["x", "=", "\U0001f600", '"', "<b>"]) * rng.choice([70_000, 1_000_000])
    large = ("p", "m0", "m1", text, "y", "people", "a", ""), ("p", "m0", text[:5000], "x", "z", "people", text, "")
    rows = [*_rows(rng), *large]
    rng.shuffle(rows)
    return "huge.csv", _csv(rows).encode(), True


@_kind
def many_columns(rng: random.Random) -> tuple[str, bytes, bool]:
    n = rng.choice([200, 6_000, 100_000])
    wide = "," * n if rng.random() < 0.5 else "".join(f",c{k}" for k in range(n))
    lines = _csv(_rows(rng)).splitlines()
    return "wide.csv", "\n".join([lines[0] + wide, *(line + "," * n for line in lines[1:])]).encode(), False


@_kind
def byte_order_marks(rng: random.Random) -> tuple[str, bytes, bool]:
    text = _csv(_rows(rng))
    encoding = rng.choice(["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "cp037"])
    content = text.encode(encoding)
    mark = b"" if rng.random() < 0.6 else rng.choice([b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"])
    return "bom.csv", mark + content, False


@_kind
def line_ends(rng: random.Random) -> tuple[str, bytes, bool]:
    lines = _csv(_rows(rng)).splitlines()
    ends = ["\n", "\r\n", "\n\n", "\r\n\r\n"]
    return "ends.csv", "".join(line + rng.choice(ends) for line in lines).encode(), False


@_kind
def old_line_ends(rng: random.Random) -> tuple[str, bytes, bool]:
    lines = _csv(_rows(rng)).splitlines()
    ends = ["\r"] if rng.random() < 0.5 else ["\r", "\n", "\u2028", "\x0b", "\x85"]
    return "ends.csv", "".join(line + rng.choice(ends) for line in lines).encode(), False


@_kind
def delimiters(rng: random.Random) -> tuple[str, bytes, bool]:
    mark = rng.choice([";", "\t", "|", ":", "\x01", " "])
    lines = _csv(_rows(rng), delimiter=mark).splitlines()
    if rng.random() < 0.5:
        lines.insert(rng.randint(1, len(lines)), "p,m0,m1,x,y,people,a,1")
    return rng.choice(["a.csv", "a.tsv", "a.txt"]), "\n".join(lines).encode(), False


@_kind
def bad_values(rng: random.Random) -> tuple[str, bytes, bool]:
    odd = ["", "banana", "1e400", "-1e-400", "nan", "inf", "9" * 400, "\u0000", "=cmd|' /C calc'!A0", " ", "0x10",
           "'; DROP TABLE judgment; --", "\u202eabc", "\ud7ff", "\x1b[2J", "a" * 3000]  # fmt: skip
    rows = _rows(rng)
    for k in range(8):
        bad = list(rows[0])
        bad[0] = f"bad {k}"
        for column in rng.sample(range(8), 3):
            bad[column] = rng.choice(odd)
        rows.insert(rng.randint(0, len(rows)), tuple(bad))
    return "values.csv", _csv(rows).encode(), True


@_kind
def bad_json_lines(rng: random.Random) -> tuple[str, bytes, bool]:
    lines = _jsonl(_rows(rng))
    bad = ["{", "}", "null", "[]", "17", '"x"', "{'prompt': 1}", '{"prompt": "p", }', '{"prompt": NaN}', "{}",
           '{"winner": 1e400}', '{"prompt": "x", "prompt": "y"}', '{"prompt": {"a": [1, {"b": null}]}, "winner": "a"}',
           "\x00", "// comment", '{"prompt": "\\ud800", "winner": "a", "judge": "j"}',
           '{"a": ' * 3000, '{"prompt": "unclosed']  # fmt: skip
    for line in rng.sample(bad, 5):
        lines.insert(rng.randint(0, len(lines)), line)
    return "rows.jsonl", "\n".join(lines).encode(), False


@_kind
def lone_surrogates(rng: random.Random) -> tuple[str, bytes, bool]:
    rows = [dict(zip(HEADER, row, strict=True)) for row in _rows(rng)]
    for k in range(4):
        half = rng.choice(["\ud800", "x\udfff", "\udc80y", "\ud83d"])
        rows.append(rows[0] | {"prompt": f"odd {k}", rng.choice(HEADER[1:6]): half})
    rng.shuffle(rows)
    content = "\n".join(json.dumps(row) for row in rows) if rng.random() < 0.5 else json.dumps(rows)
    return rng.choice(["s.jsonl", "s.json"]), content.encode(), False


@_kind
def deep_json_alone(rng: random.Random) -> tuple[str, bytes, bool]:
    n = rng.choice([500, 5_000, 100_000])
    nested = '[{"prompt":' + "[" * n + "]" * n + "}]"
    content = rng.choice(["[" * n + "]" * n, '{"a":' * n + "1" + "}" * n, "[" * n, nested])
    return rng.choice(["deep.json", "deep.jsonl"]), content.encode(), False


@_kind
def json_of_another_shape_alone(rng: random.Random) -> tuple[str, bytes, bool]:
    shapes: list[object] = [
        {}, [], None, 1, "x", [1, 2], [[1], [2]], {"a": {"b": [1]}}, [{"a": 1}, [2], None], {"rows": "x"}, [{}],
        {"data": [{"prompt": 1}]}, {"prompt": ["a"], "winner": ["a", "b"]}, [{"winner": 1e308}],
    ]  # fmt: skip
    return rng.choice(["a.json", "a.jsonl"]), json.dumps(rng.choice(shapes)).encode(), False


@_kind
def cut_json(rng: random.Random) -> tuple[str, bytes, bool]:
    lines = _jsonl(_rows(rng))
    content = "[" + ",\n".join(lines) + rng.choice(["]", ",]", "]]", "", "] trailing"])
    return "rows.json", content.encode() if rng.random() < 0.5 else _cut(content.encode(), rng), False


@_kind
def large_numbers(rng: random.Random) -> tuple[str, bytes, bool]:
    rows = [dict(zip(HEADER, row, strict=True)) for row in _rows(rng)]
    text = json.dumps([*rows, rows[0] | {"prompt": "large", "confidence": 12345678}])
    number = rng.choice(["1e400", "-1e400", "1" * 500, "NaN", "Infinity", "0.1e-999", "1E+", "00", "0x1"])
    return "numbers.json", text.replace("12345678", number).encode(), False


@_kind
def broken_parquet(rng: random.Random) -> tuple[str, bytes, bool]:
    content = _parquet(_rows(rng))
    content = rng.choice([_cut(content, rng), _flipped(content, rng), b"PAR1", b"PAR1" + b"\xff" * 40 + b"PAR1",
                          content[:4] + content[40:], content + b"x"])  # fmt: skip
    return rng.choice(["a.parquet", "a.csv"]), content, False


@_kind
def odd_parquet(rng: random.Random) -> tuple[str, bytes, bool]:
    rows = _rows(rng)
    table = pa.table({name: list(values) for name, values in zip(HEADER, zip(*rows, strict=True), strict=True)})
    n = len(rows)
    odd = rng.choice([
        pa.array([b"\xff\x00"] * n), pa.array([{"a": [1]}] * n), pa.array([[None]] * n), pa.nulls(n),
        pa.array([10**9] * n, pa.timestamp("ns")), pa.array([float("nan")] * n),
        pa.array(["x"] * n).dictionary_encode(), pa.array([float("inf")] * n),
    ])  # fmt: skip
    out = io.BytesIO()
    pq.write_table(table.append_column(rng.choice(["odd", "confidence ", "id", "Prompt", "p_a"]), odd), out)
    return "odd.parquet", out.getvalue(), False


@_kind
def broken_workbook(rng: random.Random) -> tuple[str, bytes, bool]:
    content = _xlsx(_rows(rng))
    plain = io.BytesIO()
    with zipfile.ZipFile(plain, "w") as archive:
        archive.writestr("x.csv", _csv(_rows(rng)))
    content = rng.choice([
        content, _cut(content, rng), _flipped(content, rng), plain.getvalue(), b"PK\x03\x04",
        _xlsx(_rows(rng), "<worksheet>"), _xlsx(_rows(rng), "<a>&b;</a>"), _xlsx([]), _xlsx([("<x>",)]),
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600,
    ])  # fmt: skip
    return rng.choice(["a.xlsx", "a.csv", "a.xlsm"]), content, False


@_kind
def nothing_alone(rng: random.Random) -> tuple[str, bytes, bool]:
    content = rng.choice([b"", b"\n", b"\xef\xbb\xbf", b"\x00", b",", b'"', b"prompt", ",".join(HEADER).encode(), b" ",
                          b"\r\n\r\n", b"\xff\xfe", b"{", b"[", b"\x1f\x8b", gzip.compress(b"", mtime=0)])  # fmt: skip
    names = ["a.csv", "a.jsonl", "a.json", "a.parquet", "a.xlsx", "a.csv.gz", "a.tsv"]
    return rng.choice(names), content, False


@_kind
def noise_alone(rng: random.Random) -> tuple[str, bytes, bool]:
    content = rng.randbytes(rng.choice([10, 3000])) if rng.random() < 0.7 else b"%PDF-1.7\n" + rng.randbytes(300)
    return rng.choice(["a.csv", "a.jsonl", "a.json", "a.parquet", "a.xlsx", "a.gz", "noname"]), content, False


@_kind
def flipped_bytes(rng: random.Random) -> tuple[str, bytes, bool]:
    text = rng.choice([_csv(_rows(rng)), "\n".join(_jsonl(_rows(rng))), "[" + ",".join(_jsonl(_rows(rng))) + "]"])
    return rng.choice(["f.csv", "f.jsonl", "f.json"]), _flipped(text.encode(), rng), False


@_kind
def odd_names(rng: random.Random) -> tuple[str, bytes, bool]:
    names = ["*.csv", "a'b.csv", 'a"b.csv', "a[1-2].csv", "a?.csv", "{a,b}.csv", "a b;--.csv", "%s.csv", "ünï.csv",
             "-o.csv", "$a.csv", ".csv"]  # fmt: skip
    return rng.choice(names), _csv(_rows(rng)).encode(), True


@_kind
def contradictions(rng: random.Random) -> tuple[str, bytes, bool]:
    rows = _rows(rng)
    header = (*HEADER, "annotator", "repeat", "pair_id", "judged_at", "swapped")
    odd = ["b", "m9", "-1", "2", "1e9", "99999-01-01", "yesterday", "true", "maybe", ""]
    out = [(*row, f"w{k}", "1", f"pair{k}", "2026-01-01", "") for k, row in enumerate(rows)]
    for k in range(10):
        again = list(rng.choice(out))
        again[0] = f"bad {k}"
        again[rng.randrange(1, 13)] = rng.choice(odd)
        out.append(tuple(again))
    rng.shuffle(out)
    return "again.csv", _csv(out, header).encode(), False
