"""Names and texts that try to be HTML, links, SQL or formulas are data, in commands, on pages and in what is taken away."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from browser_app import cli
from hostile import ELSEWHERE, FORMULA, HTML, JUDGES, LINK, MODELS, SCENARIOS, SQL, rows
from streamlit.testing.v1 import AppTest

import cli as commands
from data.safe_csv import neutralise
from data.store import Store
from exports.text import as_csv
from studies.overview import escape
from ui.navigation import SCREENS
from ui.sections import SECTIONS

DATASET = "<b>'; DROP TABLE dataset; --"
ROOT = Path(commands.__file__).parent
LIVE = re.compile(r"<\s*(img|script|a|iframe|svg)\b[^>]*(onerror|src|href)", re.IGNORECASE)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The hostile dataset, its texts measured; every name went through the commands."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "hostile.csv").write_text(rows())
    db = folder / "h.duckdb"
    report = cli(db, "import", str(folder / "hostile.csv"), "--dataset", "first")
    assert (report["accepted"], report["rejected"]) == (144, 0)
    cli(db, "datasets", "rename", "first", DATASET)
    cli(db, "factors", "extract", "--dataset", DATASET)
    return db


@pytest.mark.parametrize(
    "words",
    [
        ("datasets",), ("datasets", "show", DATASET), ("datasets", "health", DATASET), ("datasets", "log", DATASET),
        ("datasets", "own", DATASET, "--own", f"{LINK}={SQL}"), ("rank", "--model", SQL, "--model", MODELS[0]),
        ("rank", "--scenario", SCENARIOS[1]), ("compare",), ("agreement",), ("audit",), ("factors", "list"),
        ("factors", "gap", "--factor", "words"), ("examples", "--judge", JUDGES[0][0]), ("winrate", "--baseline", SQL),
        ("labelings", "show", "file"),
    ],
)  # fmt: skip
def test_every_command_takes_names_as_they_are(db: Path, words: tuple[str, ...]) -> None:
    given = words if words[0] == "datasets" else (*words, "--dataset", DATASET)
    assert cli(db, *given)
    assert [d["judgments"] for d in cli(db, "datasets")["datasets"]] == [144]


@pytest.mark.parametrize("option", ["dataset", "judge", "model", "scenario", "criterion", "variant", "since", "labeling"])
def test_sql_in_an_option_is_an_unknown_name(db: Path, option: str) -> None:
    given = {"dataset": DATASET} | {option: "1) OR 1=1; DROP TABLE judgment; --'"}
    with pytest.raises(AssertionError) as refused:
        cli(db, "rank", *(word for name, value in given.items() for word in (f"--{name}", value)))
    assert "Traceback" not in str(refused.value)
    assert [d["judgments"] for d in cli(db, "datasets")["datasets"]] == [144]


def elements(app: AppTest) -> Iterator[tuple[str, Any]]:
    for node in app.main:
        yield node.type, node.proto
    for node in app.sidebar:
        yield node.type, node.proto


def strings(value: Any) -> Iterator[str]:
    """Texts of a chart that it would set as HTML: all but the data that only links read."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            if key not in ("customdata", "ids", "meta", "uid", "template"):
                yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)


def unseen(trace: dict[str, Any], layout: dict[str, Any]) -> bool:
    """Whether a trace's name is shown nowhere: no legend has it, and nothing that hovers."""
    hovers = trace.get("hoverinfo") not in ("text", "skip", "none") and "<extra></extra>" not in trace.get("hovertemplate", "")
    return False in (trace.get("showlegend"), layout.get("showlegend")) and not hovers


@pytest.mark.every(2, "screen", shift=1)
@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.url)
def test_no_page_sets_names_or_texts_as_html(db: Path, monkeypatch: pytest.MonkeyPatch, screen: Any) -> None:
    monkeypatch.setenv("JURYLENS_DB", str(db))
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=120)
    app.switch_page(screen.path)
    app.query_params["open"] = [section.word for section in SECTIONS.get(screen.url, ())]
    app.run()
    assert not app.exception
    for kind, proto in elements(app):
        if kind == "plotly_chart":
            chart = json.loads(proto.spec)
            for trace in chart["data"]:
                if unseen(trace, chart["layout"]):
                    trace.pop("name", None)
            found = [text for text in strings(chart) if LIVE.search(text)]
        elif kind in ("markdown", "html", "caption") and getattr(proto, "allow_html", kind == "html"):
            found = LIVE.findall(proto.body)
        else:
            continue
        assert found == [], (kind, found[:2])


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("![x](http://a.b/c.png)", r"\!\[x\]\(http\:⁠//a\.b/c\.png\)"), ("www.a.b", "www⁠\\.a\\.b"), ("me@a.b", "me⁠@a\\.b"),
        ("a // b www", "a // b www"), ("a@ b", "a@ b"),
    ],
)  # fmt: skip
def test_addresses_in_names_are_no_links(name: str, shown: str) -> None:
    assert escape(name) == shown


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
def test_formulas_are_neutralised_in_cells_and_headers_and_numbers_stay_numbers(start: str) -> None:
    table = pd.DataFrame({f"{start}cmd": [f"{start}1+1", "plain"], "n": [-1.5, 2.0], "mixed": [-3, f"{start}x"]})
    header, first, second = csv.reader(io.StringIO(as_csv(table), newline=""))
    assert header == [f"'{start}cmd", "n", "mixed"]
    assert first == [f"'{start}1+1", "-1.5", "-3"]
    assert second == ["plain", "2.0", f"'{start}x"]
    assert next(csv.reader(io.StringIO(as_csv(table[["n"]].astype("category"))))) == ["n"]
    assert f"'{start}1+1" in next(reversed(list(csv.reader(io.StringIO(as_csv(table.iloc[:1, :1].astype("category")), newline="")))))
    assert neutralise("plain") == "plain"
    assert neutralise(-1) == -1


def test_formulas_of_a_file_are_neutralised_in_a_table_of_factors(db: Path, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.argv", ["cli.py", "--db", str(db), "rank", "--dataset", DATASET, "-o", "csv"])
    with contextlib.suppress(SystemExit):
        commands.run()
    cells = [cell for row in csv.reader(io.StringIO(capsys.readouterr().out)) for cell in row]
    assert f"'{FORMULA}" in cells
    assert not [c for c in cells if c[:1] in "=+@\t\r" and c]


def test_after_set_up_nothing_asks_the_network(db: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Closed(socket.socket):
        def connect(self, address: Any, /) -> None:
            raise AssertionError(f"somebody asked {address}")

        connect_ex = connect  # type: ignore[assignment]

    monkeypatch.setattr(socket, "socket", Closed)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: pytest.fail(f"somebody looked up {a}"))
    (tmp_path / "h.csv").write_text(rows())
    cli(tmp_path / "new.duckdb", "import", str(tmp_path / "h.csv"), "--dataset", "d")
    for words in (("rank",), ("compare",), ("factors", "gap"), ("datasets", "health", DATASET)):
        cli(db, *words, *(() if words[0] == "datasets" else ("--dataset", DATASET)))
    assert Store(db).exists()
    assert ELSEWHERE in rows()
    assert HTML in rows()
