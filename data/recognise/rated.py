"""Are these responses that were rated or ranked by themselves, and where does each of them stand?"""

from __future__ import annotations

import json
from typing import Any

from data.fields import canonical
from data.rated import by_name
from data.recognise.columns import Columns
from data.recognise.names import speak
from data.recognise.reading import Meaning
from data.recognise.values import RANKINGS
from data.recognise.verdict_words import GUESS, SURE

# A school's grade may be better when it is lower.
_BETTER = {"rating": ": the higher is taken for the better", "rank": ": 1 is taken for the best"}
_PARTS = {"response": "response", "model": "model", "score": "rating", "rank": "rank"}


def find_rated(table: Columns) -> str | None:
    """Take what belongs to responses rated by themselves; returns the shape, None where the table has none."""
    steps = (_by_own_names, _lists_of_objects, _parallel_lists, _numbered, _ranking)
    return next((shape for step in steps if (shape := step(table)) is not None), None)


def find_rated_rows(table: Columns) -> str | None:
    """One row a response, in a table where nothing else could be the verdict."""
    free = [c for c in table.free() if table.said[c].side is None]
    answers = [c for c in free if table.said[c].concept == "response" and not table.samples[c].numeric]
    models = [c for c in free if table.said[c].concept == "model" and not table.samples[c].wordy]
    scores = [c for c in table.free() if table.said[c].concept == "score" and table.samples[c].numeric]
    # gpt4_score has a number in it that is no side.
    ratings = [c for c in scores if table.said[c].side is None or not table.said[c].exact]
    ranks = [c for c in free if table.said[c].concept == "rank" and table.samples[c].numeric]
    values = ratings or ranks
    if not values or len(answers) > 1 or len(models) > 1 or not (answers or models):
        return None
    exact = [c for c in values if table.said[c].exact]
    if len(exact) != 1 and len(values) > 1:
        for column in values:
            table.ask(column, "one of several ratings: which one decides?", "rating")
    else:
        by = "rating" if ratings else "rank"
        column = (exact or values)[0]
        table.take(by, column, GUESS, f"the {by} of each response, by its name{_BETTER[by]}")
        for other in values:
            if other != column:
                table.ask(other, "another rating: of a criterion of its own?", "rating")
    for field, columns in (("response", answers), ("model", models)):
        if columns:
            table.take(field, columns[0], GUESS, f"the {field} of each row, by its name")
    return "ratings" if ratings else "ranked"


def _by_own_names(table: Columns) -> str | None:
    """Columns that carry the names of the fields themselves."""
    if {"winner", "p_a", "score_a", "count_a", "chosen", "response_a", "model_a"} & set(table.by_field):
        return None
    found = by_name(table.columns, {column: canonical(column) for column in table.columns})
    if not found or any(f.startswith("rating") and not table.samples[c].numeric for f, c in found.items()):
        return None
    if any(table.samples[c].listed for f, c in found.items() if f != "ranking"):
        return None
    for field, column in found.items():
        table.take(field, column, SURE, "carries the field's own name")
    if {"rating", "rank"} & set(found):
        for part in {"response", "model"} - set(found):
            others = [c for c in table.free() if table.said[c].concept == part and table.said[c].side is None]
            if len(others) == 1 and not table.samples[others[0]].numeric:
                table.take(part, others[0], GUESS, f"the {part} of each row, by its name")
    return "ratings" if any(f.startswith("rating") for f in found) else "ranked"


def _lists_of_objects(table: Columns) -> str | None:
    """A column of lists of {response, model, rating}."""
    for column in table.free():
        elements = _elements(table, column)
        if len(elements) < 2 or not all(isinstance(e, dict) for e in elements):
            continue
        paths: dict[str, str] = {}
        clear = True
        for key, value in _leaves(elements[0]):
            said = speak(key.rpartition(".")[2])
            part = _PARTS.get(said.concept or "")
            if part is None or (part in ("rating", "rank") and not _is_number(value)):
                continue
            if part in paths:
                clear = clear and "." in key
                continue
            paths[part] = f"{column}[].{key}"
        if {"response", "model"} & set(paths) and {"rating", "rank"} & set(paths):
            by = "rating" if "rating" in paths else "rank"
            paths.pop("rank", None) if by == "rating" else None
            table.found[column] = Meaning(
                column, "list", None, GUESS, "a list of responses with their ratings", (), tuple(sorted(paths.items()))
            )
            table.by_field.update(paths)
            if not clear:
                table.notes.append(f"column {column!r} has several keys that read like {by}: the first was taken")
            return "ratings" if by == "rating" else "ranked"
    return None


def _parallel_lists(table: Columns) -> str | None:
    """One column a list of texts, another one the list of their ratings."""
    parts: dict[str, str] = {}
    for column in table.free():
        elements = _elements(table, column)
        said = table.said[column]
        part = _plural(column) or _PARTS.get(said.concept or "")
        if len(elements) < 2 or part is None or part in parts:
            continue
        numbers = all(_is_number(e) for e in elements)
        if numbers == (part in ("rating", "rank")) and not any(isinstance(e, dict | list) for e in elements):
            parts[part] = column
    if {"response", "model"} & set(parts) and {"rating", "rank"} & set(parts):
        for part, column in parts.items():
            table.found[column] = Meaning(
                column, "list", None, GUESS, f"the {part}s of the responses, as a list", (), ((part, f"{column}[]"),)
            )
            table.by_field[part] = column
        return "ratings" if "rating" in parts else "ranked"
    return None


def _plural(column: str) -> str | None:
    name = canonical(column)
    words = [name.removesuffix("s"), name.rpartition("_")[2].removesuffix("s")]
    return next((part for word in words if (part := _PARTS.get(speak(word).concept or ""))), None)


def _numbered(table: Columns) -> str | None:
    """response_1, response_2, response_3 with a rating or a rank each, under any names."""
    families: dict[str, dict[int, str]] = {}
    for column in table.free():
        said = table.said[column]
        part = _PARTS.get(said.concept or "")
        if part is not None and said.side is not None and said.exact:
            number = int(said.side) if said.side.isdigit() else ord(said.side) - 96 if len(said.side) == 1 else None
            if number is not None:
                families.setdefault(part, {}).setdefault(number, column)
    texts = families.get("response") or families.get("model") or {}
    by = "rating" if len(families.get("rating", {})) >= len(texts) else "rank"
    values = families.get(by, {})
    ranking = _ranking_column(table)
    three = len(texts) >= 3
    if not texts or (set(values) != set(texts) and ranking is None) or (not three and (by == "rating" or ranking)):
        return None
    # Numbers from 0 are counted from 1.
    shift = 1 - min(texts)
    if any(not table.samples[c].numeric for c in values.values()):
        return None
    for part in ("response", "model", by):
        for number, column in families.get(part, {}).items():
            if number in texts and (part != by or ranking is None or set(values) == set(texts)):
                why = f"the {part} of response {number + shift} of {len(texts)}" + _BETTER.get(part, "")
                confidence = GUESS if shift or part == by else SURE
                table.take(f"{part}_{number + shift}", column, confidence, why)
    if set(values) != set(texts):
        assert ranking is not None
        table.take("ranking", ranking, GUESS, "the order of the responses, by its name")
        return "ranked"
    return "ratings" if by == "rating" else "ranked"


def _ranking(table: Columns) -> str | None:
    """A cell that names models or sides in order, without columns of texts."""
    column = _ranking_column(table)
    if column is None or {"response_a", "winner", "chosen"} & set(table.by_field):
        return None
    table.take("ranking", column, GUESS, "the order of the responses, by its name")
    return "ranked"


def _ranking_column(table: Columns) -> str | None:
    for column in table.free():
        values = table.values(column)[:20]
        if table.said[column].concept in ("ranking", "rank") and values and all(RANKINGS.match(v) for v in values):
            return column
    return None


def _elements(table: Columns, column: str) -> list[Any]:
    """The elements of the first list of a column, none where it holds no lists."""
    if not table.samples[column].listed:
        return []
    for head in table.samples[column].heads:
        try:
            value = json.loads(head)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, list) and value:
            return value
    return []


def _leaves(value: dict[str, Any], prefix: str = "", depth: int = 3) -> list[tuple[str, Any]]:
    """(key.key, value) of an object, those of the upper level first."""
    out = [(prefix + key, inner) for key, inner in value.items() if not isinstance(inner, dict)]
    for key, inner in value.items():
        if isinstance(inner, dict) and depth > 1:
            out += _leaves(inner, f"{prefix}{key}.", depth - 1)
    return out


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    if isinstance(value, int | float):
        return True
    try:
        float(str(value))
    except ValueError:
        return False
    return isinstance(value, str)
