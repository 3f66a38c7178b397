"""Are Excel sheets read cell by cell as they are, and what is no sheet refused with a sentence?"""

import datetime as dt
import zipfile
from pathlib import Path

import duckdb
import pytest
from workbooks import sheet_xml, write_workbook

from data.importers import factors, judgments, llmfao, registry, workbook_size
from data.importers.table import RawTable
from data.imports import ImportOptions, import_path
from data.model import silent
from data.store import Store
from errors import FileError, OptionError


def read(path: Path, sheet: str | None = None) -> tuple[RawTable, list[tuple[object, ...]]]:
    con = duckdb.connect()
    raw = judgments.load(path, con, path.parent, silent, sheet)
    return raw, con.execute("SELECT * EXCLUDE (row) FROM raw ORDER BY row").fetchall()


def test_cells_are_exact_and_lines_are_rows_of_the_sheet(tmp_path):
    values = [7, 2.5, 0.1, 12345678901234, True, dt.date(2026, 1, 31), dt.datetime(2026, 1, 31, 12, 30, 15), dt.timedelta(seconds=90)]
    rows = [[], [None, *"abcdefgh"], [None, *values], [], [None, "=1+1", " x ", "", "Ärger\n2", None, None, None, "#N/A"]]
    raw, found = read(write_workbook(tmp_path / "a.xlsx", {"S": rows}))
    assert raw.columns == tuple("abcdefgh")
    assert found[0] == ("7", "2.5", "0.1", "12345678901234", "true", "2026-01-31", "2026-01-31 12:30:15", "90")
    assert found[1] == ("=1+1", " x ", "", "Ärger\n2", "", "", "", "")
    assert raw.line_of([0, 1]) == [3, 5]
    assert raw.parts[0].encoding == "Excel workbook"


def test_titles_are_left_out_and_merged_headers_are_joined(tmp_path):
    rows = [
        ["A study of 2026"], [], ["Prompt", "Response", None, "Winner"], [None, "A", "B", None],
        ["p", "x", "y", "a"], [None, "x", "z", "b"],
    ]  # fmt: skip
    path = write_workbook(tmp_path / "a.xlsx", {"S": rows}, {"S": ["A1:D1", "B3:C3", "A3:A4", "D3:D4", "A5:A6"]})
    raw, found = read(path)
    assert raw.columns == ("Prompt", "Response A", "Response B", "Winner")
    assert found == [("p", "x", "y", "a"), ("p", "x", "z", "b")]
    assert raw.inferred == (
        "the header stands in rows 3 and 4 (merged cells): Prompt, Response A, Response B, Winner",
        "row 1 above the header ('A study of 2026') is left out",
        "a merged cell among the rows: each row has the value",
    )


def test_one_of_several_sheets_is_chosen(tmp_path):
    sheets = {"empty": [], "away": [["a"], ["0"]], "first": [["a"], ["1"]], "Second": [["a"], ["2"]]}
    path = write_workbook(tmp_path / "a.xlsx", sheets, hidden=["away"])
    raw, found = read(path)
    assert found == [("1",)]
    assert raw.inferred == ("the sheet 'first' was read, not 'away', 'Second': --set sheet=NAME takes another one",)
    assert raw.sheets == ("first", "away", "Second")
    raw, found = read(path, "second")
    assert (raw.sheets, found) == (("Second", "away", "first"), [("2",)])
    with pytest.raises(FileError, match=r"has no sheet 'Secnd': did you mean 'Second'\?"):
        read(path, "Secnd")
    with pytest.raises(FileError, match="the sheet 'empty' is empty"):
        read(path, "empty")
    with pytest.raises(OptionError, match="files of the format llmfao have no sheets"):
        registry.load(llmfao, path, duckdb.connect(), tmp_path, silent, "first")
    plain = tmp_path / "a.csv"
    plain.write_text("a\n1\n")
    with pytest.raises(FileError, match="has no sheets"):
        registry.load(factors, plain, duckdb.connect(), tmp_path, silent, "first")


def test_a_sheet_becomes_a_dataset_and_rejects_name_its_rows(tmp_path):
    rows = [["prompt", "model_a", "model_b", "judge", "winner"], ["p", "x", "y", "j", "a"], ["q", "x", "y", "j", "?"]]
    path = write_workbook(tmp_path / "a.xlsx", {"notes": [["see the other sheet"]], "data": rows})
    report = import_path(Store(tmp_path / "s.duckdb"), path, "d", ImportOptions(sets=(("sheet", "data"),)))
    assert (report.accepted, report.rejected) == (1, 1)
    assert report.rejections.iloc[0][["line", "column", "value"]].tolist() == [3, "winner", "?"]


OLE = b"\xd0\xcf\x11\xe0" + bytes(600)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", OLE + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        ("a.xlsx", OLE, r"an old Office file \(.xls or .doc\), although its name says .xlsx: open it and save"),
        ("a.xls", OLE, r"an old Office file \(.xls or .doc\): open it and save"),
        ("a.xlsx", b"<html><body>Not found", "is a web page"),
        ("a.csv", b"<!DOCTYPE html><html>", "is a web page"),
        ("a.xlsx", {}, "without a filled cell"),
        ("a.xlsx", {"S": [["prompt", "winner"]]}, "has a header and no row"),
        ("a.xlsx", {"S": [["prompt", "prompt"], ["a", "b"]]}, "more than once"),
    ],
    ids=["password", "xls-renamed", "xls", "html", "html-csv", "empty", "header", "twice"],
)
def test_what_is_no_sheet_is_refused_with_a_sentence(tmp_path, name, content, said):
    path = tmp_path / name
    if isinstance(content, dict):
        write_workbook(path, content or {"S": []})
    else:
        path.write_bytes(content)
    with pytest.raises(FileError, match=said):
        read(path)


def with_sheet(path: Path, xml: bytes) -> Path:
    """The same workbook, its sheet replaced."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, xml if name.endswith("sheet1.xml") else content)
    return path


@pytest.mark.parametrize(
    "far",
    [
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        "<row><c x='>' r = 'XFD1048576' ><v>1</v></c></row>",
        '<row r="1048576">' + "<c><v>1</v></c>" * 300 + "</row>",
    ],
    ids=["far", "hidden", "placeless"],
)
def test_a_rectangle_that_would_take_all_memory_is_refused(tmp_path, far):
    """The reader makes all cells up to the last one, and would end the process."""
    path = write_workbook(tmp_path / "a.xlsx", {"S": [["a"], ["b"]]})
    with_sheet(path, sheet_xml([["a"], ["b"]]).replace("</sheetData>", far + "</sheetData>").encode())
    with pytest.raises(FileError, match="cells: save the sheet as CSV"):
        read(path)


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook_size, "MOST_BYTES", 1 << 20)
    path = write_workbook(tmp_path / "a.xlsx", {"S": [["a"], ["b" * (1 << 21)]]})
    assert path.stat().st_size < 1 << 14
    with pytest.raises(FileError, match="unpacks to more than"):
        read(path)


def test_a_long_text_that_too_many_cells_share_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook_size, "MOST_BYTES", 1 << 20)
    path = write_workbook(tmp_path / "a.xlsx", {"S": [["a"]]})
    cells = "".join(f'<row r="{r}"><c r="A{r}" t="s"><v>0</v></c></row>' for r in range(1, 200))
    with_sheet(path, sheet_xml([]).replace("<sheetData>", "<sheetData>" + cells).encode())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/sharedStrings.xml", f"<sst><si><t>{'x' * 10_000}</t></si></sst>")
    with pytest.raises(FileError, match="unpacks to more than"):
        read(path)


def test_a_damaged_workbook_is_said_to_be_one(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", {"S": [["a"], ["b"]]})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FileError, match="damaged"):
        read(path)
    write_workbook(path, {"S": [["a"], ["b"]]})
    with_sheet(path, b"<worksheet><sheetData><row><c r='A1'>")
    with pytest.raises(FileError, match="damaged workbook"):
        read(path)
