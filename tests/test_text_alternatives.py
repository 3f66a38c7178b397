"""Has every chart a sentence and a table for those who cannot or will not read charts?"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def functions(folder):
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield f"{path.relative_to(ROOT).as_posix()}:{node.name}", node


def calls(node, name):
    return [one for one in ast.walk(node) if isinstance(one, ast.Call) and getattr(one.func, "id", "") == name]


SHOWN = {name: node for folder in ("ui", "pages") for name, node in functions(folder) if calls(node, "charts")}
DRAWN = {name: node for name, node in functions("charts") if calls(node, "base")}


def test_there_are_some():
    assert len(SHOWN) > 6
    assert len(DRAWN) > 30


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_a_chart_without_its_own_menu_has_its_table_beside_it(name):
    """`figure` draws chart and table together; whoever draws a chart alone shows the table himself."""
    assert calls(SHOWN[name], "show_table") or calls(SHOWN[name], "figure")


@pytest.mark.parametrize("name", sorted(DRAWN))
def test_a_chart_says_in_a_sentence_what_it_shows(name):
    for call in calls(DRAWN[name], "base"):
        alt = call.args[3] if len(call.args) > 3 else next((k.value for k in call.keywords if k.arg == "alt"), None)
        assert alt is not None
        assert not (isinstance(alt, ast.Constant) and not alt.value)
