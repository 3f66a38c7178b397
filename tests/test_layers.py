"""Do imports follow the arrows? app, cli -> pages, ui, exports -> studies -> charts, analysis, texts, data."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = {
    "errors": set(),
    "data": {"errors"},
    "analysis": {"errors"},
    "texts": {"errors", "analysis"},
    "charts": {"errors"},
    "studies": {"errors", "data", "analysis", "texts", "charts"},
    "exports": {"errors", "data", "charts", "studies"},
    "ui": {"errors", "data", "charts", "studies", "exports"},
    "pages": {"errors", "data", "charts", "studies", "ui"},
    "app": {"errors", "ui", "pages"},
    "commands": {"errors", "data", "charts", "studies", "exports"},
    "cli": {"errors", "commands"},
}
# What a layer must never see, besides layers: numbers know no store and no screen, charts no store.
FOREIGN = {
    "analysis": {"duckdb", "streamlit", "plotly", "pyarrow"},
    "charts": {"duckdb", "streamlit"},
    "data": {"streamlit", "plotly"},
    "studies": {"streamlit"},
}


def modules() -> Iterator[tuple[str, Path]]:
    for layer in LAYERS:
        single, folder = ROOT / f"{layer}.py", ROOT / layer
        if single.is_file():
            yield layer, single
        if folder.is_dir():
            for path in sorted(folder.rglob("*.py")):
                yield layer, path


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize(("layer", "path"), [pytest.param(a, p, id=str(p.relative_to(ROOT))) for a, p in modules()])
def test_imports_follow_the_arrows(layer: str, path: Path) -> None:
    wrong = (imported(path) & set(LAYERS)) - LAYERS[layer] - {layer}
    assert not wrong, f"{path.name} may not import {', '.join(sorted(wrong))}"
    seen = imported(path) & FOREIGN.get(layer, set())
    assert not seen, f"{path.name} may not know {', '.join(sorted(seen))}"


def test_sql_lives_in_data_only() -> None:
    for layer, path in modules():
        if layer not in ("data",):
            assert "SELECT " not in path.read_text(), f"{path} holds SQL"


def test_the_walk_sees_a_wrong_arrow(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text("from studies.rank import Rank\nimport duckdb as d\n")
    assert imported(path) == {"studies", "duckdb"}
