"""Any table as raw text columns: nothing lost, nothing turned, every bad row with its line."""

from __future__ import annotations

import csv
import datetime
import gzip
import io
import json
import math
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.importers import table as table_module
from data.importers.source import open_source
from data.importers.table import RawTable, read_table
from errors import Cancelled, FileError, JurylensError


@dataclass(frozen=True)
class Got:
    raw: RawTable
    rows: list[tuple[str | None, ...]]

    @property
    def lines(self) -> list[int | None]:
        return self.raw.line_of(range(self.raw.n_rows))


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    yield connection
    connection.close()


@pytest.fixture
def read(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> Any:
    def reader(content: bytes | str, name: str = "file.csv", **options: Any) -> Got:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return fetch(path, con, tmp_path, **options)

    return reader


def fetch(path: Path, con: duckdb.DuckDBPyConnection, folder: Path, **options: Any) -> Got:
    work = Path(tempfile.mkdtemp(dir=folder))
    raw = read_table(open_source(path, work), con, work, **options)
    rows = con.execute("SELECT * FROM raw ORDER BY row").fetchall()
    assert [row[0] for row in rows] == list(range(raw.n_rows))
    assert all(len(row) == len(raw.columns) + 1 for row in rows)
    return Got(raw, [row[1:] for row in rows])


def refuse_scanner(*args: Any, **options: Any) -> None:
    raise AssertionError("the fast path was left")


# ---------------------------------------------------------------- CSV


def test_rows_columns_and_lines(read: Any) -> None:
    got = read('a, b ,"c, d"\n1,2,3\n4,"5\n5",\n"",7,8\n')
    assert got.raw.columns == ("a", "b", "c, d")
    assert got.rows == [("1", "2", "3"), ("4", "5\n5", ""), ("", "7", "8")]
    assert got.lines == [2, 3, 5]
    assert got.raw.file_of([0]) == [None]
    assert got.raw.rejections == ()
    assert got.raw.parts[0].name == "file.csv"


def test_lines_without_cells_of_several_lines_need_no_second_reading(
    read: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_module, "scan", refuse_scanner)
    assert read("a,b\n" + "1,2\n" * 1000).raw.line_of([0, 999]) == [2, 1001]
    assert read("a,b\n1,2\n3,4").lines == [2, 3]


def test_a_good_file_takes_the_fast_path(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_module, "scan", refuse_scanner)
    got = read('a,b,c\r\n1,"long answer,\r\nwith, commas\r\nand lines",3\r\n4,5" inch,6\r\n')
    assert got.rows[0][1] == "long answer,\r\nwith, commas\r\nand lines"
    assert got.rows[1][1] == '5" inch'


@pytest.mark.parametrize(
    ("content", "rows", "lines"),
    [
        ("\n\na,b\n1,2\n\n3,4\n\n", [("1", "2"), ("3", "4")], [4, 6]),
        ("sep=;\na;b\n1;2\n", [("1", "2")], [3]),
        ("a,b\r\n1,2\n3,4\r\n", [("1", "2"), ("3", "4")], [2, 3]),
        ("a,b\n1,x\ry\n", [("1", "x\ry")], [2]),
        ("a\n1\n\n2\n", [("1",), ("2",)], [2, 4]),
        ("a\tb\n1\t\n", [("1", "")], [2]),
        ("a|b\n1|2\n", [("1", "2")], [2]),
        ("a,b\nNULL,NA\n#1,\\N\n", [("NULL", "NA"), ("#1", "\\N")], [2, 3]),
        ("a,b\n 1 ,=SUM(A1)\n", [(" 1 ", "=SUM(A1)")], [2]),
    ],
)
def test_layouts(read: Any, content: str, rows: list[tuple[str, ...]], lines: list[int]) -> None:
    got = read(content)
    assert got.rows == rows
    assert got.lines == lines


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_encodings_arrive_as_text(read: Any, encoding: str) -> None:
    content = "prompt;winner\n“Qué” – niño;a\n".encode(encoding)
    got = read(content)
    assert got.raw.columns == ("prompt", "winner")
    assert got.rows == [("“Qué” – niño", "a")]
    assert len(got.raw.inferred) == 2


def test_giants_pass_unharmed(read: Any) -> None:
    name, cell = "n" * 10_000, "é,\n" * 1_300_000
    got = read(f'{name},b\n"{cell}",2\n3,4\n')
    assert got.raw.columns == (name, "b")
    assert got.rows == [(cell, "2"), ("3", "4")]


def test_a_name_that_looks_like_a_pattern_means_one_file(read: Any) -> None:
    read("a,b\n0,0\n", "f1.csv")
    assert read("a,b\n1,2\n", "f*.csv").rows == [("1", "2")]
    assert read("a,b\n3,4\n", "f[1].csv").rows == [("3", "4")]


def test_a_broken_quote_costs_its_own_row(read: Any) -> None:
    got = read('id,text,winner\n1,x,a\n2,"broken,b\n3,"fine, so",a\n4,y,b\n')
    assert [row[0] for row in got.rows] == ["1", "3", "4"]
    assert got.lines == [2, 4, 5]
    (rejection,) = got.raw.rejections
    assert (rejection.line, rejection.column) == (3, "text")


def test_a_quote_that_swallows_rows_silently_is_found(read: Any) -> None:
    """DuckDB reads this file without complaint, with four rows in one cell."""
    rows = [f"{i},fine,{'ab'[i % 2]}" for i in range(20)]
    rows[5], rows[10] = '5,"open,a', '10,shut",b'
    got = read("id,text,winner\n" + "\n".join(rows) + "\n")
    assert [rejection.line for rejection in got.raw.rejections] == [7]
    assert got.raw.n_rows == 19


def test_csv_in_a_genuine_answer_stays_text(read: Any) -> None:
    answer = "Sure:\nname,age,town\nAnn,31,Rome\nDone."
    got = read("id,text,winner\n" + "".join(f'{i},"{answer}",a\n' for i in range(10)))
    assert {row[1] for row in got.rows} == {answer}
    assert got.raw.rejections == ()
    assert got.lines[-1] == 2 + 4 * 9


def test_known_words_decide(read: Any) -> None:
    content = 'id,text,winner\n1,"a table\nx,y,z\nthe end",a\n'
    assert read(content, known={"winner": ("a", "b")}).raw.n_rows == 1
    assert read(content).raw.rejections != ()


def test_too_many_and_too_few_fields(read: Any) -> None:
    got = read("a,b,c\n1,2,3\n1,2\n1,2,3,4\n5,6,7\n")
    assert got.rows == [("1", "2", "3"), ("5", "6", "7")]
    assert [(r.line, r.reason.split(":")[0]) for r in got.raw.rejections] == [
        (3, "2 fields where the header has 3"),
        (4, "4 fields where the header has 3"),
    ]


def test_all_rows_rejected_is_a_table_without_rows(read: Any) -> None:
    got = read("a,b\n1\n2\n")
    assert got.rows == []
    assert len(got.raw.rejections) == 2
    assert got.raw.line_of([]) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a,b,c\n", "has a header and no row"),
        ("a,b,c", "has a header and no row"),
        ("a,b,c\n\n \n", "has a header and no row"),
        ("a,b, a\n1,2,3\n", "names 'a' more than once"),
        ("a,b,b,a\n1,2,3,4\n", "names 'a', 'b' more than once"),
        ('a,"b\n1,2\n', "the header: a quote is opened"),
    ],
)
def test_refused(read: Any, content: str, sentence: str) -> None:
    with pytest.raises(FileError, match=rf"file\.csv.*{sentence}"):
        read(content)


def test_columns_without_a_name_are_numbered(read: Any) -> None:
    assert read(",a,\n0,1,2\n").raw.columns == ("column 1", "a", "column 3")


def test_reading_again_replaces_what_was_there(read: Any) -> None:
    read("a,b\n1,2\n")
    assert read("c,d,e\n3,4,5\n").rows == [("3", "4", "5")]
    assert read('{"x": 1}\n', "x.jsonl").rows == [("1",)]


def test_rows_keep_the_order_of_a_large_file(read: Any, con: duckdb.DuckDBPyConnection) -> None:
    """Large enough that DuckDB reads it in several pieces at once."""
    path_rows = 300_000
    got_text = "i,text\n" + "".join(f"{i},{'x' * 150}\n" for i in range(path_rows))
    assert read(got_text).raw.n_rows == path_rows
    assert con.execute("SELECT count(*) FROM raw WHERE row <> c0::BIGINT").fetchall() == [(0,)]


def test_stopping_while_rows_are_read(read: Any, con: duckdb.DuckDBPyConnection) -> None:
    def stop(share: float, text: str) -> None:
        raise Cancelled("stopped")

    with pytest.raises(Cancelled):
        read("a,b\n" + '1,"x\ny"\n1,"2\n' * 30_000, progress=stop)
    assert read("a,b\n1,2\n").raw.n_rows == 1


# ---------------------------------------------------------------- JSON


def test_json_lines(read: Any) -> None:
    got = read(
        '{"a": "x", "b": 1}\n'
        "\n"
        '{"b": null, "c": [1, {"d": "é"}], "a": true}\n'
        '{"a": 0.10, "b": 12345678901234567890123, "c": "", "e": {"f": 1e5}}\n',
        "file.jsonl",
    )
    assert got.raw.columns == ("a", "b", "c", "e")
    assert got.rows == [
        ("x", "1", None, None),
        ("true", None, '[1, {"d": "é"}]', None),
        ("0.10", "12345678901234567890123", "", '{"f": 1e5}'),
    ]
    assert got.lines == [1, 3, 4]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"a": 1', "no valid JSON"),
        ('{"a": 1} {"a": 2}', "text follows the object"),
        ("[1, 2]", "no JSON object"),
        ("null", "no JSON object"),
        ('"text"', "no JSON object"),
        ('{"a": "\\ud800"}', "surrogate"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "[" * 100_000, "nested too deeply"),
    ],
)
def test_one_bad_json_line_is_rejected_alone(read: Any, line: str, reason: str) -> None:
    got = read(f'{{"a": 1}}\n{line}\n{{"a": 3}}\n', "file.jsonl")
    assert got.rows == [("1",), ("3",)]
    assert got.lines == [1, 3]
    (rejection,) = got.raw.rejections
    assert rejection.line == 2
    assert reason in rejection.reason
    (rejection.value or "").encode()


def test_json_array_with_record_numbers(read: Any) -> None:
    got = read('\n[ {"a": 1},\n\n{"a": 2, "b": "]"} , 5, {"a": 3} ]\n', "file.json")
    assert got.rows == [("1", None), ("2", "]"), ("3", None)]
    assert got.lines == [1, 2, 4]
    assert [rejection.line for rejection in got.raw.rejections] == [3]
    assert "record numbers" in got.raw.inferred[0]


def test_a_broken_record_in_an_array_costs_itself(read: Any) -> None:
    got = read('[{"a": 1, "b": 2}, {"a": 2 "b": [{"x": 1}, {"y": 2}]}, {"a": 3, "b": 4}, {"a": 5, "b": 6}]', "x.json")
    assert got.rows == [("1", "2"), ("3", "4"), ("5", "6")]
    assert [rejection.line for rejection in got.raw.rejections] == [2]


@pytest.mark.parametrize("cut", [20, 21, 25, 30, 35])
def test_an_array_that_is_cut_off_keeps_its_whole_records(read: Any, cut: int) -> None:
    whole = '[{"a": 1}, {"a": 2}, {"a": "three"}]'
    got = read(whole[:cut], "x.json")
    assert got.rows[:1] == [("1",)]
    assert len(got.rows) == (2 if cut < 35 else 3)
    assert len(got.raw.rejections) == 1


def test_an_array_larger_than_the_window(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.importers.json_rows.WINDOW", 7)
    records = [{"n": i, "text": "é]},{" * (i % 50)} for i in range(300)]
    for indent in (None, 2):
        got = read(json.dumps(records, indent=indent), "x.json")
        assert got.rows == [(str(r["n"]), r["text"]) for r in records]


def test_keys_met_late_become_columns(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.importers.json_rows.BATCH", 2)
    got = read("".join(json.dumps({f"k{i}": i}) + "\n" for i in range(5)), "x.jsonl")
    assert got.raw.columns == tuple(f"k{i}" for i in range(5))
    assert got.rows == [tuple(str(i) if i == j else None for j in range(5)) for i in range(5)]


def test_deep_records_and_records_without_keys(read: Any) -> None:
    deep = "[" * 900 + "]" * 900
    got = read(f'{{"a": 1}}\n{deep}\n{{"a": {deep}}}\n', "x.jsonl")
    assert got.raw.n_rows + len(got.raw.rejections) == 3
    with pytest.raises(FileError, match="have no keys"):
        read("{}\n{}\n", "x.jsonl")
    assert read('{"a": "\\ud800"}\n{"\\udfff": 1}\n{"b": 2}\n', "x.jsonl").rows == [(None, "2")]


def test_json_refusals(read: Any) -> None:
    with pytest.raises(FileError, match="differ in spaces only: 'a'"):
        read('{"a": 1, " a": 2}\n', "x.jsonl")
    with pytest.raises(FileError, match="more than 5000 different keys"):
        read(json.dumps({f"k{i}": 1 for i in range(6000)}) + "\n", "x.jsonl")


# ---------------------------------------------------------------- Parquet


def test_parquet_of_many_types(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    path = tmp_path / "file.parquet"
    pq.write_table(
        pa.table(
            {
                "text": ["x", None, ""],
                "float": [0.1 + 0.2, math.nan, 1e300],
                "int": [2**62, None, -1],
                "flag": [True, False, None],
                "list": [["a", "b"], [], None],
                "struct": [{"k": 1.5}, {"k": None}, None],
                "dict": pa.array(["p", "q", "p"]).dictionary_encode(),
                "day": [datetime.date(2024, 2, 29), None, None],
                "time": pa.array([0, None, 1], pa.timestamp("us", "UTC")),
            }
        ),
        path,
    )
    got = fetch(path, con, tmp_path)
    assert got.raw.columns == ("text", "float", "int", "flag", "list", "struct", "dict", "day", "time")
    assert got.rows[0][:8] == (
        "x", "0.30000000000000004", str(2**62), "true", '["a","b"]', '{"k":1.5}', "p", "2024-02-29",
    )  # fmt: skip
    assert got.rows[1][:7] == (None, "nan", None, "false", "[]", '{"k":null}', "q")
    assert got.rows[2][:7] == ("", "1e+300", "-1", None, None, None, "p")
    assert (got.rows[0][8] or "").startswith("1970-01-01 ")
    assert got.lines == [None, None, None]


def test_parquet_inside_gzip_and_under_an_odd_name(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    path = tmp_path / "a=1"
    path.mkdir()
    path /= "it's [x]*.csv"
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": ["1"]}), buffer)
    path.write_bytes(gzip.compress(buffer.getvalue(), mtime=0))
    got = fetch(path, con, tmp_path)
    assert got.raw.columns == ("a",)
    assert got.rows == [("1",)]


def test_parquet_damaged_empty_and_with_a_name_twice(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    path = tmp_path / "file.parquet"
    pq.write_table(pa.table({"a": [str(i) for i in range(1000)]}), path, compression="zstd")
    whole = path.read_bytes()
    path.write_bytes(whole[:4] + b"\xff" * 100 + whole[104:])
    with pytest.raises(FileError, match=r"file\.parquet is a damaged Parquet file .*download or copy it again"):
        fetch(path, con, tmp_path)
    path.write_bytes(whole[:-60] + b"\xff" * 50 + whole[-10:])
    with pytest.raises(FileError, match="damaged Parquet file"):
        fetch(path, con, tmp_path)
    pq.write_table(pa.table({"a": pa.array([], pa.string())}), path)
    with pytest.raises(FileError, match="has columns and no row"):
        fetch(path, con, tmp_path)
    pq.write_table(pa.Table.from_arrays([pa.array(["1"])] * 2, names=["a", "a"]), path)
    with pytest.raises(FileError, match="names 'a' more than once"):
        fetch(path, con, tmp_path)


# ---------------------------------------------------------------- properties

CELL = st.text(st.sampled_from('ab,"\n ;é='), max_size=6)
FUNCTION_FIXTURE = [HealthCheck.function_scoped_fixture]


@settings(max_examples=150, suppress_health_check=FUNCTION_FIXTURE, deadline=None)
@given(
    st.integers(2, 4).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=6)),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_what_a_writer_wrote_is_read_back(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, rows: list[list[str]], end: str, quoting: Any
) -> None:
    """Fast path and scanner alike; the last column's word keeps CSV inside a cell from looking like rows."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=quoting, lineterminator=end)
    writer.writerow([f"h{i}" for i in range(len(rows[0]))] + ["word"])
    writer.writerows([*row, "WORD"] for row in rows)
    path = tmp_path / "file.csv"
    path.write_bytes(text.getvalue().encode())
    known = {f"h{i}": ("WORD",) for i in range(len(rows[0]))} | {"word": ("WORD",)}
    got = fetch(path, con, tmp_path, known=known)
    assert got.rows == [(*row, "WORD") for row in rows]
    starts = [1]
    for row in rows:
        starts.append(starts[-1] + 1 + sum(cell.count("\n") for cell in row))
    assert got.lines == [start + 1 for start in starts[:-1]]


GOOD_CSV = 'id,text,winner\n1,"a\nb",a\n2,"c ""d""",b\n3,e,tie\n'
GOOD_JSON = '[{"a": 1, "b": "x"}, {"a": 2, "b": [1, "y"]}]'
GOOD_LINES = '{"a": 1, "b": "x"}\n{"a": 2, "b": [1, "y"]}\n'


def _parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": ["x", "y"], "b": [1.5, 2.5]}), buffer)
    return buffer.getvalue()


DAMAGED = [GOOD_CSV.encode(), GOOD_JSON.encode(), GOOD_LINES.encode(), _parquet(), gzip.compress(GOOD_CSV.encode(), mtime=0)]


@settings(max_examples=300, suppress_health_check=FUNCTION_FIXTURE, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=120),
        st.lists(st.sampled_from(['"', ",", "\n", "\r", "a", "1", ";", "\t", " ", "é"]), max_size=40).map(
            lambda parts: ("x,y\n" + "".join(parts)).encode()
        ),
        st.lists(st.sampled_from(list('{}[]:,"\\ \n1ae')), max_size=30).map(
            lambda parts: ('[{"a": 1},' + "".join(parts)).encode()
        ),
        st.sampled_from(DAMAGED).flatmap(lambda good: st.integers(0, len(good)).map(lambda end: good[:end])),
        st.tuples(st.sampled_from(DAMAGED), st.integers(0, 10_000), st.binary(min_size=1, max_size=3)).map(
            lambda hit: hit[0][: hit[1] % len(hit[0])] + hit[2] + hit[0][hit[1] % len(hit[0]) + len(hit[2]) :]
        ),
    ),
    st.sampled_from(["x.csv", "x.json", "x.jsonl", "x.parquet", "x.tsv", "x.csv.gz"]),
)
def test_any_bytes_are_a_table_or_a_sentence(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, content: bytes, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    try:
        got = fetch(path, con, tmp_path)
    except JurylensError:
        return
    lines = got.lines
    assert got.raw.n_rows or got.raw.rejections
    assert len(lines) == got.raw.n_rows
    for rejection in got.raw.rejections:
        assert rejection.line is not None
        assert rejection.line not in lines


@settings(max_examples=100, suppress_health_check=FUNCTION_FIXTURE, deadline=None)
@given(st.data())
def test_good_rows_survive_any_broken_line_between_them(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, data: st.DataObject
) -> None:
    good = [f"{i},{'text' if i % 3 else chr(34) + 'a, b' + chr(34)},{'ab'[i % 2]}" for i in range(12)]
    bad = data.draw(st.sampled_from(['99,"open,a', '99,"a"b,a', "99,a", "99,a,b,c", '"', '99,a,"']))
    at = sorted(data.draw(st.sets(st.integers(0, 12), max_size=4)))
    lines = list(good)
    for offset, place in enumerate(at):
        lines.insert(place + offset, bad)
    path = tmp_path / "x.csv"
    path.write_text("id,text,winner\n" + "\n".join(lines) + "\n")
    got = fetch(path, con, tmp_path)
    assert [row[0] for row in got.rows] == [str(i) for i in range(12)]
    assert [rejection.line for rejection in got.raw.rejections] == [
        2 + k for k, line in enumerate(lines) if line == bad
    ]


# ---------------------------------------------------------------- real files


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "n_rows"),
    [
        ("llmbar_natural/pairs.csv", 100),
        ("llmbar_natural/llm_judgments.csv", 12_969),
        ("llmfao/crowd-comparisons.csv", 8_931),
        ("gair_preference_dissection/fitted_weights.csv", 15_312),
        ("pandalm/testset-v1.json", 999),
        ("auto_j/testdata_pairwise.jsonl", 1_392),
    ],
)
def test_published_files_are_read_whole(tmp_path: Path, con: duckdb.DuckDBPyConnection, name: str, n_rows: int) -> None:
    folder = Path(__file__).parents[2] / "shared" / "real"
    if not folder.is_dir():
        pytest.skip("the published judgments are not beside the project (../shared/real)")
    got = fetch(folder / name, con, tmp_path)
    assert got.raw.rejections == ()
    assert got.raw.n_rows == n_rows
    if name.endswith(".csv"):
        with (folder / name).open(newline="", encoding="utf-8") as file:
            expected = list(csv.reader(file))
        assert list(got.raw.columns) == expected[0]
        assert got.rows == [tuple(row) for row in expected[1:]]
