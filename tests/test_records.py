"""Where records begin and end when quotes are broken: each broken one costs its own row only."""

from __future__ import annotations

import csv
import io
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.importers.records import Scan, read_header, scan
from data.model import Rejection
from errors import FileError


@dataclass(frozen=True)
class Read:
    names: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    rejections: tuple[Rejection, ...]
    found: Scan
    clean: bytes

    @property
    def rejected(self) -> list[int | None]:
        return [rejection.line for rejection in self.rejections]


def read(folder: Path, content: bytes | str, delimiter: str = ",", **options: object) -> Read:
    path = folder / "file.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    header = read_header(path, delimiter)
    clean = io.BytesIO()
    found = scan(path, delimiter, header, clean=clean, **options)  # type: ignore[arg-type]
    text = clean.getvalue().decode()
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    return Read(header.names, rows, found.start_lines().tolist(), found.rejections, found, clean.getvalue())


# ---------------------------------------------------------------- legal files


def test_lines_without_quotes(tmp_path: Path) -> None:
    got = read(tmp_path, "a,b,c\n1,2,3\n4,,6\n")
    assert got.rows == [["1", "2", "3"], ["4", "", "6"]]
    assert got.lines == [2, 3]
    assert got.rejections == ()


def test_a_cell_over_several_lines_moves_the_lines_after_it(tmp_path: Path) -> None:
    got = read(tmp_path, 'a,b,c\n1,"two\nlines, and a ""quote""",3\n4,5,6\n\n7,8,9')
    assert got.rows == [["1", 'two\nlines, and a "quote"', "3"], ["4", "5", "6"], ["7", "8", "9"]]
    assert got.lines == [2, 4, 6]


def test_cells_keep_their_bytes_and_rows_end_in_line_feeds(tmp_path: Path) -> None:
    got = read(tmp_path, b'a,b,c\r\n1,"x\r\ny",3\r\n\xc3\xa9,"""q""",\r\n')
    assert got.clean == b'1,"x\r\ny",3\n\xc3\xa9,"""q""",\n'


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('5" x,b,c', ['5" x', "b", "c"]),
        ('a 24" screen,27",c', ['a 24" screen', '27"', "c"]),
        ('x"y"z,b,c', ['x"y"z', "b", "c"]),
        ('a, "b, with spaces" ,c', ["a", "b, with spaces", "c"]),
        ("a,lone\rreturn,c", ["a", "lone\rreturn", "c"]),
        ("a,b,c,,", ["a", "b", "c"]),
        (",,", ["", "", ""]),
        ('"","",""', ["", "", ""]),
    ],
)
def test_legal_though_unusual(tmp_path: Path, line: str, cells: list[str]) -> None:
    got = read(tmp_path, f"h1,h2,h3\n1,2,3\n{line}\n4,5,6\n")
    assert got.rows == [["1", "2", "3"], cells, ["4", "5", "6"]]
    assert got.rejections == ()


def test_header_after_a_mark_blank_lines_and_a_spreadsheet_hint(tmp_path: Path) -> None:
    got = read(tmp_path, b'\xef\xbb\xbf\r\nsep=;\r\n" a ";b\r\n1;2\r\n', ";")
    assert got.names == ("a", "b")
    assert got.rows == [["1", "2"]]
    assert got.lines == [4]


def test_a_header_with_broken_quotes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="line 1, the header: text follows a closing quote"):
        read(tmp_path, 'a,"b"x,c\n1,2,3\n')


# ---------------------------------------------------------------- broken quotes


def test_broken_before_other_quoted_rows(tmp_path: Path) -> None:
    got = read(tmp_path, 'a,b,c\n1,"broken,3\n2,"fine, really",3\n3,x,y\n')
    assert got.rows == [["2", "fine, really", "3"], ["3", "x", "y"]]
    (rejection,) = got.rejections
    assert (rejection.line, rejection.column, rejection.value) == (2, "b", '1,"broken,3')
    assert "closing quote" in rejection.reason


def test_broken_in_the_last_row(tmp_path: Path) -> None:
    got = read(tmp_path, 'a,b,c\n1,2,3\n4,"5,6')
    assert got.rows == [["1", "2", "3"]]
    assert got.rejected == [3]
    assert "never closed" in got.rejections[0].reason


def test_never_closed_in_the_middle_keeps_all_rows_after_it(tmp_path: Path) -> None:
    after = "".join(f"{i},x,y\n" for i in range(50))
    got = read(tmp_path, 'a,b,c\n1,"open,3\n' + after)
    assert len(got.rows) == 50
    assert got.rejected == [2]


def test_two_broken_rows_whose_quotes_close_each_other(tmp_path: Path) -> None:
    rows = [f"{i},fine,{'ab'[i % 2]}" for i in range(20)]
    broken = [*rows[:5], '5x,"open,a', *rows[6:15], '15x,"open again,b', *rows[16:]]
    got = read(tmp_path, "id,text,winner\n" + "\n".join(broken) + "\n")
    assert got.rejected == [7, 17]
    assert [row[0] for row in got.rows] == [row.split(",")[0] for row in rows if row not in (rows[5], rows[15])]


def test_a_partner_that_makes_the_record_look_whole(tmp_path: Path) -> None:
    """`"open ... shut"` has three cells by the letter; the rows inside show that it is none."""
    rows = [f"{i},fine,{'ab'[i % 2]}" for i in range(20)]
    text = "id,text,winner\n" + "\n".join([*rows[:5], '5x,"open,a', *rows[6:10], '10x,shut",b', *rows[11:]]) + "\n"
    got = read(tmp_path, text)
    assert got.rejected == [7]
    assert "whole rows follow" in got.rejections[0].reason
    assert got.rejections[0].column == "text"
    # The partner alone is a legal row: its quote stands inside an unquoted cell.
    assert len(got.rows) == 19
    assert got.rows[9] == ["10x", 'shut"', "b"]


def test_csv_inside_a_genuine_answer_stays_text(tmp_path: Path) -> None:
    answer = "Here is a table:\nname,age,town\nAnn,31,Rome\nBob,27,Oslo\nIs that what you need?"
    rows = [f'{i},"{answer}",{"ab"[i % 2]}' for i in range(10)]
    got = read(tmp_path, "id,text,winner\n" + "\n".join(rows) + "\n")
    assert got.rejections == ()
    assert [row[1] for row in got.rows] == [answer] * 10
    assert got.lines == [2 + 5 * i for i in range(10)]


def test_a_line_that_ends_one_cell_and_begins_another_is_no_row(tmp_path: Path) -> None:
    """The middle line of this record reads `",",,`, by itself three cells."""
    got = read(tmp_path, 'a,b,c\n"\n",",,\n",x\n')
    assert got.rows == [["\n", ",,\n", "x"]]
    assert got.lines == [2]


def test_a_vocabulary_decides_where_the_file_is_too_short_to_learn_one(tmp_path: Path) -> None:
    text = 'id,text,winner\n1,"a table\nx,y,z\nthe end",a\n'
    assert read(tmp_path, text, known={2: ("a", "b", "tie")}).rejections == ()
    broken = 'id,text,winner\n1,"open,a\n2,y,b\nthe end",a\n'
    assert read(tmp_path, broken, known={2: ("a", "b", "tie")}).rejected[0] == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,2", "2 fields where the header has 3"),
        ("1", "1 field where the header has 3"),
        ("1,2,3,4", "4 fields where the header has 3"),
        ('1,"2"x,3', "text follows a closing quote"),
        ('1,"a" "b",3', "text follows a closing quote"),
    ],
)
def test_malformed_line(tmp_path: Path, line: str, reason: str) -> None:
    got = read(tmp_path, f'a,b,c\n4,"5",6\n{line}\n7,"8",9\n')
    assert [row[0] for row in got.rows] == ["4", "7"]
    assert got.rejected == [3]
    assert got.rejections[0].reason.startswith(reason)


def test_a_record_of_several_lines_with_a_missing_cell_is_one_rejection(tmp_path: Path) -> None:
    got = read(tmp_path, 'a,b,c\n1,"two\nlines"\n4,5,6\n')
    assert got.rejected == [2]
    assert got.rows == [["4", "5", "6"]]
    assert got.lines == [4]


def test_a_wrong_count_that_swallowed_a_row_gives_it_back(tmp_path: Path) -> None:
    got = read(tmp_path, 'a,b,c\n0,k,k\n1,k,k\n1,"open\n2,k,k\n3,shut"\n4,k,k\n')
    assert [row[0] for row in got.rows] == ["0", "1", "2", "4"]
    assert got.rejected == [4, 6]


def test_one_column(tmp_path: Path) -> None:
    got = read(tmp_path, 'a\n1\n\n"2\n2"\n3\n')
    assert got.rows == [["1"], ["2\n2"], ["3"]]
    assert got.lines == [2, 4, 6]


def test_stops_when_enough_is_found(tmp_path: Path) -> None:
    got = read(tmp_path, "a,b\n" + '1,"x\ny"\n' * 100, until=3)
    assert got.found.n_records == 3


# ---------------------------------------------------------------- cost


@pytest.mark.parametrize(
    "bad",
    ['1,"open,x', '1,"a"b,x', '1,"open,"",x', '"', '"",""",x', 'x","', '1,"""', 'a,b","c'],
)
def test_thousands_of_broken_quotes_cost_linear_time(tmp_path: Path, bad: str) -> None:
    """Four times the rows cost about four times the time; 16 times would be quadratic, 10 leaves room for noise."""

    def seconds(n: int) -> float:
        content = "a,b,c\n" + f"{bad}\nq,r,s\n" * n
        best = 9.0
        for _ in range(2):
            begin = time.perf_counter()
            path = tmp_path / "file.csv"
            path.write_text(content)
            scan(path, ",", read_header(path, ","))
            best = min(best, time.perf_counter() - begin)
        return best

    assert seconds(8000) < 10 * seconds(2000) + 0.05


def test_progress_is_told_while_reading(tmp_path: Path) -> None:
    told: list[float] = []
    read(tmp_path, "a,b\n" + '1,"x\ny"\n' * 5000, progress=lambda share, text: told.append(share))
    assert told
    assert told == sorted(told)
    assert 0 < told[0] <= 1


# ---------------------------------------------------------------- property

CELL = st.text(st.sampled_from('ab,"\n ;é'), max_size=6)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(2, 4).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n), min_size=1, max_size=8)))
def test_what_a_writer_wrote_is_read_back(tmp_path: Path, rows: list[list[str]]) -> None:
    """Every cell quoted, so that nothing is ambiguous but the interior lines: a known word tells them apart."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([f"h{i}" for i in range(len(rows[0]))] + ["winner"])
    writer.writerows([*row, "WORD"] for row in rows)
    last = len(rows[0])
    got = read(tmp_path, text.getvalue(), known=dict.fromkeys(range(last + 1), ("WORD",)))
    assert got.rows == [[*row, "WORD"] for row in rows]
    assert got.rejections == ()


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from(["1,2,3", '1,"2",3', '1,"2,3', '"x', 'a"b,c,d', "1,2", "", '","', '""x,,', "1,2,3,4"])))
def test_every_line_is_a_row_or_a_rejection_or_inside_one(tmp_path: Path, lines: list[str]) -> None:
    got = read(tmp_path, "a,b,c\n" + "\n".join([*lines, "7,8,9"]) + "\n")
    assert got.rows[-1] == ["7", "8", "9"]
    assert len(got.lines) == got.found.n_records == len(got.rows)
    assert sorted(got.lines) == got.lines
    assert not set(got.lines) & set(got.rejected)
