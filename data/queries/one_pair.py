"""What does the store know of one pair: who is compared, in what order it was shown, and how both answers measure?

Reads the rows of that pair alone, so that a pair among ten million is looked up at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.queries import Catalog, Con
from data.queries.labels import flags
from data.queries.order import in_order
from data.queries.texts import TEXT, Floats, PairValues, Source, judged_values


@dataclass(frozen=True)
class PairFacts:
    """Ids of a pair's responses, and of their texts where they are known; its prompt as verdicts have it (`in_order`)."""

    pair: int
    prompt: int
    responses: tuple[int, int]
    texts: tuple[int | None, int | None]
    prompt_text: int | None
    models: tuple[str | None, str | None]


def pair_facts(con: Con, names: Catalog, pair: int) -> PairFacts | None:
    """None where the dataset has no such pair."""
    row = con.execute(
        """SELECT p.prompt_id, response_a, response_b, ra.text_id, rb.text_id, m.text_id, ma.name, mb.name
        FROM pair p JOIN prompt m ON m.prompt_id = p.prompt_id
        LEFT JOIN response ra ON ra.response_id = response_a LEFT JOIN response rb ON rb.response_id = response_b
        LEFT JOIN model ma ON ma.model_id = p.model_a LEFT JOIN model mb ON mb.model_id = p.model_b
        WHERE p.dataset_id = $d AND pair_id = $pair ORDER BY pair_id""",
        {"d": names.dataset_id, "pair": pair},
    ).fetchall()
    if not row:
        return None
    prompt, a, b, text_a, text_b, prompt_text, model_a, model_b = row[0]
    code = int(in_order(con, "prompt", np.array([prompt]))[0])
    return PairFacts(pair, code, (a, b), (text_a, text_b), prompt_text, (model_a, model_b))


def values_of(con: Con, names: Catalog, chosen: Sequence[Source], facts: PairFacts) -> PairValues:
    """The two responses' values of these factors, one entry each; NaN where there is none."""
    measured = [source for source in chosen if source.origin == TEXT]
    sides = []
    for response, text in zip(facts.responses, facts.texts, strict=True):
        of_text = _measured(con, [s.id for s in measured], text, facts.prompt_text)
        of_file = _delivered(con, names, [s.id for s in chosen if s.origin != TEXT], response)
        sides.append(
            {s.name: np.array([of_text.get(s.id, np.nan) if s.origin == TEXT else _number(s, of_file)]) for s in chosen}
        )
    return PairValues(np.array([facts.pair], dtype=np.int32), *sides)


def _measured(con: Con, ids: Sequence[int], text: int | None, prompt_text: int | None) -> dict[int, float]:
    """By text_factor_id, of a text and of it beside its prompt's."""
    if text is None or not ids:
        return {}
    listed = ", ".join(map(str, ids))
    rows = con.execute(
        f"""SELECT text_factor_id, value FROM text_value WHERE text_id = $t AND text_factor_id IN ({listed})
        UNION ALL SELECT text_factor_id, value FROM answer_value
        WHERE text_id = $t AND prompt_text_id = $p AND text_factor_id IN ({listed}) ORDER BY text_factor_id""",
        {"t": text, "p": prompt_text},
    ).fetchall()
    return {i: np.nan if value is None else float(value) for i, value in rows}


def _delivered(con: Con, names: Catalog, ids: Sequence[int], response: int) -> dict[int, tuple[Any, Any]]:
    """By factor_id, (number, words) that a file delivered; of two imports the earlier holds."""
    if not ids:
        return {}
    rows = con.execute(
        f"""SELECT factor_id, arg_min(value, import_id), arg_min(label, import_id) FROM response_value
        WHERE dataset_id = $d AND response_id = $r AND factor_id IN ({", ".join(map(str, ids))})
        GROUP BY factor_id ORDER BY factor_id""",
        {"d": names.dataset_id, "r": response},
    ).fetchall()
    return {i: (value, label) for i, value, label in rows}


def _number(source: Source, found: Mapping[int, tuple[Any, Any]]) -> float:
    value, label = found.get(source.id, (None, None))
    if source.level is not None:
        return float(flags(pa.chunked_array([pa.array([label], type=pa.string())]), source.level, source.is_set)[0])
    return np.nan if value is None else float(value)


@dataclass(frozen=True)
class PairJudgments:
    """The judgments on one pair, in their order: (n,) judge_id, shown, weight; by factor that belongs to judgments, the
    values of both answers (n,)."""

    judge_id: NDArray[Any]
    shown: NDArray[Any]
    weight: Floats
    a: Mapping[str, Floats]
    b: Mapping[str, Floats]


def judgments_of(
    con: Con, names: Catalog, condition: str, chosen: Sequence[Source], values: PairValues
) -> PairJudgments:
    """Those of the condition. values : what `values_of` gives"""
    own = [source for source in chosen if source.by_judgment]
    columns = ["judge_id", "shown", "weight"]
    rows, a, b = judged_values(con, names, f"{condition} AND pair_id = {int(values.pair[0])}", own, values, columns)
    judge, shown, weight = (rows[name].to_numpy() for name in columns)
    return PairJudgments(judge, shown, np.asarray(weight, dtype=np.float64), a, b)
