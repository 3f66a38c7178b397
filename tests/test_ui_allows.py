"""Does an import say what it allows, and which columns the rest would need?"""

from data.queries import Catalog, Facts
from ui.allows import find_abilities


def names(models=("x", "y"), judges=(("people", "human"), ("bot", "llm")), scenarios=("s", "t")) -> Catalog:
    return Catalog(
        "d", 1, False, {name: (k, kind) for k, (name, kind) in enumerate(judges)}, dict.fromkeys(models, 0),
        dict.fromkeys(scenarios, 0), {"overall": 1}, {"plain": 1},
    )  # fmt: skip


def facts(annotators=3) -> Facts:
    judge = {"judge": "people", "kind": "human", "judgments": 9} | ({"annotators": annotators} if annotators else {})
    return Facts([judge], 9, 9, 9, 2, 2)


def lacking(*given) -> list[str]:
    return [one.needs for one in find_abilities(*given) if one.needs is not None]


def test_a_whole_file_lacks_nothing():
    assert lacking(names(), facts(), 9, True) == []


def test_each_missing_column_is_named():
    assert lacking(names(models=()), facts(), 9, True) == ["`model_a` and `model_b`", "`model_a` and `model_b`"]
    assert lacking(names(judges=(("people", "human"),)), facts(), 9, True)[0].startswith("a second `judge`")
    assert lacking(names(judges=(("a", "llm"), ("b", "llm"))), facts(), 9, True)[0].startswith("`judge_kind`")
    assert lacking(names(scenarios=()), facts(), 9, True) == ["`scenario`"]
    assert lacking(names(), facts(annotators=0), 9, True) == ["`annotator`"]
    assert lacking(names(), facts(), 0, True) == ["`swapped`"]
    assert lacking(names(), facts(), 9, False) == ["`response_a` and `response_b`, or a table of factors"]
