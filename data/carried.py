"""What goes along with a bundle, so that its numbers can be computed again where the dataset is not?

The judgments as a file that the general importer reads, one line a judgment in the order of the store: the texts stand
with the first judgment of a pair, all further ones name it by `pair_id`. What that file cannot say goes into files beside
it, whose rows point at a line of the judgments (from 1 on) or at a text by its digest: values of factors, attributes, own
models, scenarios of another labeling, published weights, display names. data/restored.py reads them again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from data.model import BOTH_BAD, NONE, OUTCOMES, TIE, A, B
from data.queries import Catalog, Con

JUDGMENTS = "judgments"
VALUES, JUDGED_VALUES, MEASURED = "response_factors", "judgment_factors", "measured_factors"
ATTRIBUTES, LABELS, PUBLISHED, OWN, DISPLAY, KEYS = (
    "attributes", "labels", "published_weights", "own_models", "display", "pair_ids"
)  # fmt: skip
FILES = (JUDGMENTS, VALUES, JUDGED_VALUES, MEASURED, ATTRIBUTES, LABELS, PUBLISHED, OWN, DISPLAY, KEYS)
"""Names of the files, each of JSON objects, one a line."""

PAIR = "pair-"
"""Begins the name of a pair that its files had given none."""

BATCH = 20_000
"""Rows fetched at a time: their texts are held."""

SURE = {A: 1.0, B: 0.0, TIE: 0.5, BOTH_BAD: 0.5}
"""The preference that a verdict has by itself."""

Row = dict[str, Any]

_TAKEN = """CREATE OR REPLACE TEMP TABLE taken AS
    SELECT judgment_id, pair_id, prompt_id, judge_id, annotator_id, row_number() OVER (ORDER BY judgment_id) AS line,
        row_number() OVER (PARTITION BY pair_id ORDER BY judgment_id) = 1 AS first
    FROM {whole}.judgment WHERE dataset_id = $d AND list_contains($judges, judge_id)"""

_JUDGMENTS = """SELECT t.pair_id, t.first, ra.text_id IS NULL AND rb.text_id IS NULL AS bare, k.id AS key,
    p.external_id AS prompt_id, CASE WHEN t.first OR p.external_id IS NULL THEN pt.body END AS prompt,
    s.name AS scenario, ma.name AS model_a, mb.name AS model_b,
    CASE WHEN t.first THEN ta.body END AS response_a, CASE WHEN t.first THEN tb.body END AS response_b,
    g.name AS judge, g.kind AS judge_kind, n.name AS annotator, j.outcome, j.p_a, j.shown, c.name AS criterion,
    v.name AS variant, j.repeat, j.weight, j.score_a, j.score_b, j.confidence, j.seconds, j.judged_at::VARCHAR AS judged_at,
    j.cue, j.reason, j.external_id AS judgment_id
FROM taken t JOIN {whole}.judgment j ON j.dataset_id = $d AND j.judgment_id = t.judgment_id
JOIN {whole}.pair r ON r.pair_id = j.pair_id JOIN {whole}.prompt p ON p.prompt_id = j.prompt_id
JOIN {whole}.judge g ON g.judge_id = j.judge_id JOIN {whole}.criterion c ON c.criterion_id = j.criterion_id
JOIN {whole}.variant v ON v.variant_id = j.variant_id
LEFT JOIN {whole}.annotator n ON n.annotator_id = j.annotator_id
LEFT JOIN {whole}.scenario s ON s.scenario_id = p.scenario_id
LEFT JOIN {whole}.text pt ON pt.text_id = p.text_id
LEFT JOIN {whole}.response ra ON ra.response_id = r.response_a LEFT JOIN {whole}.text ta ON ta.text_id = ra.text_id
LEFT JOIN {whole}.response rb ON rb.response_id = r.response_b LEFT JOIN {whole}.text tb ON tb.text_id = rb.text_id
LEFT JOIN {whole}.model ma ON ma.model_id = r.model_a LEFT JOIN {whole}.model mb ON mb.model_id = r.model_b
LEFT JOIN (SELECT pair_id, min(external_id) AS id FROM {whole}.pair_key WHERE dataset_id = $d GROUP BY pair_id) k
    ON k.pair_id = j.pair_id
ORDER BY t.line"""

# The first line on which each response stands, and on which side.
_SIDES = """CREATE OR REPLACE TEMP TABLE side_of AS SELECT response_id, min(line) AS line, arg_min(side, line) AS side FROM (
    SELECT q.response_a AS response_id, t.line, 'a' AS side FROM taken t JOIN {whole}.pair q USING (pair_id) WHERE t.first
    UNION ALL SELECT q.response_b, t.line, 'b' FROM taken t JOIN {whole}.pair q USING (pair_id) WHERE t.first)
GROUP BY response_id"""

_BESIDE = {
    KEYS: """SELECT t.line, k.external_id AS pair_id FROM {whole}.pair_key k JOIN taken t ON t.pair_id = k.pair_id AND t.first
        WHERE k.dataset_id = $d GROUP BY ALL ORDER BY ALL""",
    VALUES: """SELECT s.line, s.side, f.name AS factor, arg_min(v.value, v.import_id) AS value,
            arg_min(v.label, v.import_id) AS label
        FROM {whole}.response_value v JOIN side_of s USING (response_id) JOIN {whole}.factor f USING (factor_id)
        WHERE v.dataset_id = $d GROUP BY f.factor_id, f.name, s.line, s.side ORDER BY f.factor_id, s.line, s.side""",
    JUDGED_VALUES: """SELECT t.line, f.name AS factor, arg_min(v.value_a, v.import_id) AS value_a,
            arg_min(v.value_b, v.import_id) AS value_b, arg_min(v.label_a, v.import_id) AS label_a,
            arg_min(v.label_b, v.import_id) AS label_b
        FROM {whole}.judgment_value v JOIN taken t USING (judgment_id) JOIN {whole}.factor f USING (factor_id)
        WHERE v.dataset_id = $d GROUP BY f.factor_id, f.name, t.line ORDER BY f.factor_id, t.line""",
    MEASURED: """SELECT f.name AS factor, f.version, m.text, m.prompt, m.value FROM (
            SELECT v.text_factor_id, t.hash::VARCHAR AS text, NULL AS prompt, v.value
            FROM {whole}.text_value v JOIN {whole}.text t USING (text_id) WHERE v.text_id IN (
                SELECT r.text_id FROM side_of JOIN {whole}.response r USING (response_id))
            UNION ALL SELECT v.text_factor_id, t.hash::VARCHAR, q.hash::VARCHAR, v.value
            FROM {whole}.answer_value v JOIN {whole}.text t ON t.text_id = v.text_id
            JOIN {whole}.text q ON q.text_id = v.prompt_text_id
            WHERE (v.text_id, v.prompt_text_id) IN (SELECT (r.text_id, p.text_id) FROM side_of
                JOIN {whole}.response r USING (response_id) JOIN {whole}.prompt p USING (prompt_id))) m
        JOIN {whole}.text_factor f USING (text_factor_id) ORDER BY f.text_factor_id, text, prompt""",
    ATTRIBUTES: """SELECT entity, line, side, name, arg_min(value, import_id) AS value FROM (
            SELECT a.*, min(t.line) AS line, NULL AS side FROM {whole}.attribute a
            JOIN taken t ON a.entity_id = CASE a.entity WHEN 'annotator' THEN t.annotator_id WHEN 'judge' THEN t.judge_id
                WHEN 'prompt' THEN t.prompt_id WHEN 'pair' THEN t.pair_id END
            WHERE a.dataset_id = $d AND a.entity <> 'model' GROUP BY ALL
            UNION ALL SELECT a.*, min(s.line), arg_min(s.side, s.line) FROM {whole}.attribute a
            JOIN {whole}.response r ON r.model_id = a.entity_id JOIN side_of s USING (response_id)
            WHERE a.dataset_id = $d AND a.entity = 'model' GROUP BY ALL)
        GROUP BY ALL ORDER BY entity, line, side, name""",
    LABELS: """SELECT min(t.line) AS line, l.name AS labeling, l.origin, b.name AS label
        FROM {whole}.prompt_label c JOIN taken t USING (prompt_id) JOIN {whole}.labeling l ON l.labeling_id = c.labeling_id
        JOIN {whole}.label b ON b.label_id = c.label_id WHERE c.dataset_id = $d
        GROUP BY c.prompt_id, l.labeling_id, l.name, l.origin, b.name ORDER BY l.labeling_id, line""",
    PUBLISHED: """SELECT judge, kind, scenario, factor, weight FROM {whole}.published_weight WHERE dataset_id = $d
        ORDER BY rowid""",
    OWN: "SELECT judge, model FROM {whole}.own_model WHERE dataset_id = $d ORDER BY rowid",
    DISPLAY: "SELECT kind, name, shown, place, hidden FROM {whole}.display WHERE dataset_id = $d ORDER BY ALL",
}  # fmt: skip


def taken(con: Con, names: Catalog, judges: Sequence[str]) -> Iterator[tuple[str, Row]]:
    """(file, row) of everything that an answer about these judges may rest on; the judgments first.

    judges : as the store knows them; names in the rows are the files' own, whatever is shown
    """
    here = con.execute("SELECT current_database()").fetchall()[0][0].replace('"', '""')
    whole = f'"{here}".main'
    ids = [names.judges[judge][0] for judge in judges if judge in names.judges]
    con.execute(_TAKEN.format(whole=whole), {"d": names.dataset_id, "judges": ids})
    for row in _rows(con, _JUDGMENTS.format(whole=whole), names.dataset_id):
        yield JUDGMENTS, _judgment(row)
    con.execute(_SIDES.format(whole=whole))
    for file, sql in _BESIDE.items():
        for row in _rows(con, sql.format(whole=whole), names.dataset_id):
            yield file, row
    con.execute("DROP TABLE taken; DROP TABLE side_of")


def _rows(con: Con, sql: str, dataset_id: int) -> Iterator[Row]:
    """Row by row, without what is NULL."""
    found = con.execute(sql, {"d": dataset_id} if "$d" in sql else {})
    columns = [column[0] for column in found.description or ()]
    while rows := found.fetchmany(BATCH):
        for row in rows:
            yield {name: value for name, value in zip(columns, row, strict=True) if value is not None}


def _judgment(row: Row) -> Row:
    """A row as the general importer reads it."""
    first, bare = row.pop("first"), row.pop("bare")
    pair, key = row.pop("pair_id"), row.pop("key", None)
    outcome, shown, cue = row.pop("outcome"), row.pop("shown"), row.pop("cue", 0)
    if not bare:
        row["pair_id"] = key if key is not None else f"{PAIR}{pair}"
        if not first:
            for name in ("prompt_id", "prompt", "model_a", "model_b"):
                row.pop(name, None)
    # A preference says who won; where it is all or nothing the winner says it, so that neither contradicts the other.
    if outcome == NONE or row.get("p_a") == SURE.get(outcome):
        row.pop("p_a", None)
        models = (row.get("model_a"), row.get("model_b"))
        # A model may be called like a verdict.
        words = {A: ("a", "left", "1"), B: ("b", "right", "2")}.get(outcome, (OUTCOMES[outcome],))
        row["winner"] = next((word for word in words if word not in models), words[0])
    if shown:
        row["swapped"] = shown < 0
    if cue:
        row["cue"] = "a" if cue > 0 else "b"
    if row.get("repeat") == 1:
        del row["repeat"]
    if row.get("weight") == 1:
        del row["weight"]
    return row
