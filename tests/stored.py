"""What a store holds after an import, in words: for the tests of importers."""

from __future__ import annotations

from typing import Any

from data.imports import ImportReport
from data.model import OUTCOMES
from data.store import Store


def judgments(store: Store) -> list[dict[str, Any]]:
    """Each judgment as it was read, without what it has not; the outcome in words, shown 1 or -1 where it is known."""
    with store.reading("looking") as con:
        cursor = con.execute(
            """SELECT q.body AS prompt, p.external_id AS prompt_id, ma.name AS model_a, mb.name AS model_b,
                ta.body AS response_a, tb.body AS response_b, g.name AS judge, g.kind, n.name AS annotator,
                j.outcome, j.p_a, nullif(j.shown, 0) AS shown, v.name AS variant, c.name AS criterion,
                s.name AS scenario, nullif(j.repeat, 1) AS repeat, j.score_a, j.score_b, j.confidence, j.reason,
                j.judged_at::VARCHAR AS judged_at, j.external_id AS id
            FROM judgment j JOIN judge g USING (judge_id) JOIN criterion c USING (criterion_id)
            JOIN variant v ON v.variant_id = j.variant_id JOIN prompt p ON p.prompt_id = j.prompt_id
            JOIN pair r ON r.pair_id = j.pair_id
            LEFT JOIN text q ON q.text_id = p.text_id LEFT JOIN annotator n ON n.annotator_id = j.annotator_id
            LEFT JOIN model ma ON ma.model_id = j.model_a LEFT JOIN model mb ON mb.model_id = j.model_b
            LEFT JOIN response ra ON ra.response_id = r.response_a LEFT JOIN text ta ON ta.text_id = ra.text_id
            LEFT JOIN response rb ON rb.response_id = r.response_b LEFT JOIN text tb ON tb.text_id = rb.text_id
            LEFT JOIN scenario s ON s.scenario_id = j.scenario_id ORDER BY judgment_id"""
        )
        names = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
    out = []
    for row in rows:
        said = {name: value for name, value in zip(names, row, strict=True) if value is not None}
        out.append(said | {"outcome": OUTCOMES[said["outcome"]]})
    return out


def rejected(report: ImportReport) -> list[tuple[Any, ...]]:
    """(line, column, value, reason) of each rejection."""
    rows = report.rejections.astype(object).where(report.rejections.notna(), None)
    return [tuple(row) for row in rows[["line", "column", "value", "reason"]].itertuples(index=False)]


def factor_values(store: Store) -> dict[tuple[str, str], float]:
    """(text of the response, factor) -> value"""
    with store.reading("looking") as con:
        rows = con.execute(
            """SELECT t.body, f.name, v.value FROM response_value v JOIN factor f USING (factor_id)
            JOIN response r USING (response_id) JOIN text t USING (text_id)"""
        ).fetchall()
    return {(text, name): value for text, name, value in rows}
