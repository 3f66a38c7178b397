"""Has every statistic that a table shows its two sentences and its source, and is none explained for nothing?"""

import ast
import re
from pathlib import Path

import pytest

import studies  # noqa: F401  (registers the studies)
from studies import glossary
from studies.study import REGISTRY
from ui.sections import with_people

ROOT = Path(__file__).parent.parent


def of_studies() -> set[tuple[str, str]]:
    return {(c, h) for study in REGISTRY.values() for c, h in (study.shown or {}).items()}


def of_pages() -> set[tuple[str, str]]:
    """(column, heading) of the tables that modules of ui/ name themselves: dicts of headings, at the top or in place."""
    out = set()
    for path in sorted((ROOT / "ui").rglob("*.py")):
        tree = ast.parse(path.read_text())
        named = [node.value for node in tree.body if isinstance(node, (ast.Assign, ast.AnnAssign))]
        given = [argument for call in ast.walk(tree) if isinstance(call, ast.Call) for argument in headings_of(call)]
        found = [node for value in given for node in ast.walk(value)] + [node for node in named if is_headings(node)]
        for node in found:
            if isinstance(node, ast.Dict):
                out |= {(k.value, v.value) for k, v in zip(node.keys, node.values, strict=True)
                        if isinstance(k, ast.Constant) and isinstance(v, ast.Constant)}  # fmt: skip
    return out


def is_headings(node: ast.expr | None) -> bool:
    """Whether a dict at the top of a module names columns of a table, its statistics behind a name of the row."""
    if not isinstance(node, ast.Dict) or not all(isinstance(k, ast.Constant) for k in node.keys) or not node.keys:
        return False
    first, *rest = [k.value for k in node.keys]
    return (first in (*glossary.NAMES, "share", "excess")) and any(glossary.entry(str(key)) is not None for key in rest)


def headings_of(call: ast.Call) -> list[ast.expr]:
    name = getattr(call.func, "id", "")
    if name == "show_table":
        return call.args[1:2]
    return [k.value for k in call.keywords if k.arg == "columns"] if name == "figure" else []


def everywhere() -> set[tuple[str, str]]:
    return of_studies() | of_pages() | {pair for out in (True, False) for pair in with_people.columns(out).items()}


def test_every_statistic_of_a_table_has_its_help():
    missing = {(c, h) for c, h in everywhere() if c not in glossary.NAMES and glossary.entry(c, h) is None}
    assert missing == set()
    assert len(everywhere()) > 250


def test_what_names_a_row_is_not_explained_as_a_number():
    assert not {c for c, h in everywhere() if c in glossary.NAMES and glossary.entry(c, h) is not None and h == c}


@pytest.mark.parametrize("key", sorted(glossary.ENTRIES))
def test_help_is_two_sentences_and_a_source(key):
    found = glossary.ENTRIES[key]
    for sentence in (found.says, found.beware):
        assert re.fullmatch(r"[A-Z][^.]*(\.\d[^.]*)*\.", sentence), sentence
    assert found.source in ("", "this project") or re.search(r"\b(18|19|20)\d\d\b", found.source)
    assert len(found.text) < 400


def test_no_entry_is_for_nothing():
    used = {id(glossary.entry(c, h)) for c, h in everywhere()}
    assert {key for key, found in glossary.ENTRIES.items() if id(found) not in used} == set()


def test_columns_of_one_name_are_told_apart_by_their_heading():
    factor, model = glossary.entry("strength", "kappa × relevance"), glossary.entry("strength", "strength")
    assert "along with the factor" in factor.says
    assert "Log-odds" in model.says
    assert glossary.entry("agreement_no_ties", "without ties") == glossary.entry("agreement", "agreement")
    assert glossary.entry("ece_15", "error, 15 bins") == glossary.entry("ece_10", "")
    assert glossary.entry("slope_interval", "interval") is glossary.ENTRIES["interval"]
    assert glossary.entry("judge", "judge") is None


def test_the_same_number_is_not_explained_twice():
    with pytest.raises(ValueError, match="strength is explained twice"):
        glossary._entries({"strength": ("A.", "B.", "")}, {"gap; strength": ("A.", "B.", "")})


def test_the_page_of_docs_says_the_same():
    from scripts import statistics_table

    text = statistics_table.PAGE.read_text(encoding="utf-8")
    assert text == statistics_table.page(text)
