"""What do the judgments of each judge say, as one word that equal data gives in any store?

The fingerprint of an import is made of the rows of its file, as they were written. These words are made of what the store
holds, so that they are the same whether a judgment came in one file or another, in whichever order, with its sides
swapped, or back from a bundle. Order-free sums of hashes; names are the files' own.
"""

from __future__ import annotations

from collections.abc import Sequence

from data.queries import Catalog, Con
from data.work_list import RESPONSE_FROM, RESPONSE_KEY

DIGITS = 12
"""Of a preference: 1 - .7 is .3 but for what a computer loses."""

_PAIRS = f"""one AS (SELECT r.response_id, {RESPONSE_KEY} AS key {RESPONSE_FROM} WHERE r.dataset_id = $d),
    named AS (SELECT pair_id, min(external_id) AS id FROM pair_key WHERE dataset_id = $d GROUP BY pair_id),
    sides AS (SELECT q.pair_id, q.prompt_id, q.response_a, q.response_b, a.key > b.key AS turned,
        concat_ws(chr(31), least(a.key, b.key), greatest(a.key, b.key), CASE WHEN a.key = b.key THEN k.id END) AS key
        FROM pair q JOIN one a ON a.response_id = q.response_a JOIN one b ON b.response_id = q.response_b
        LEFT JOIN named k ON k.pair_id = q.pair_id WHERE q.dataset_id = $d)"""

_SAID = ", ".join(f"coalesce(({sql})::VARCHAR, '')" for sql in (
    "s.key", "n.name", "c.name", "v.name",
    "CASE WHEN s.turned AND j.outcome IN (1, 2) THEN 3 - j.outcome ELSE j.outcome END",
    f"round(CASE WHEN s.turned THEN 1 - j.p_a ELSE j.p_a END, {DIGITS})",
    "CASE WHEN s.turned THEN -j.shown ELSE j.shown END", "j.weight",
    "CASE WHEN s.turned THEN j.score_b ELSE j.score_a END", "CASE WHEN s.turned THEN j.score_a ELSE j.score_b END",
    "j.confidence", "j.judged_at", "CASE WHEN s.turned THEN -j.cue ELSE j.cue END", "j.reason",
))  # fmt: skip

JUDGED = f"""WITH {_PAIRS} SELECT g.name, count(*) AS n,
    sum(md5_number_lower(concat_ws(chr(30), {_SAID}))) % 18446744073709551616 AS word
FROM judgment j JOIN sides s ON s.pair_id = j.pair_id JOIN judge g ON g.judge_id = j.judge_id
JOIN criterion c ON c.criterion_id = j.criterion_id JOIN variant v ON v.variant_id = j.variant_id
LEFT JOIN annotator n ON n.annotator_id = j.annotator_id
WHERE j.dataset_id = $d AND list_contains($judges, j.judge_id) GROUP BY g.name ORDER BY g.name"""

_LOOKED_AT = """looked AS (SELECT DISTINCT pair_id, prompt_id FROM judgment
    WHERE dataset_id = $d AND list_contains($judges, judge_id)),
    answered AS (SELECT DISTINCT unnest([q.response_a, q.response_b]) AS response_id FROM pair q SEMI JOIN looked USING (pair_id))"""

LABELLED = f"""WITH {_LOOKED_AT} SELECT count(*), coalesce(sum(md5_number_lower(concat_ws(chr(31),
    coalesce(p.external_id, ''), coalesce(t.hash::VARCHAR, ''), s.name))) % 18446744073709551616, 0)
FROM prompt p SEMI JOIN looked USING (prompt_id) JOIN scenario s ON s.scenario_id = p.scenario_id
LEFT JOIN text t ON t.text_id = p.text_id"""

# A value of a response or of a judgment, whichever the factor has; of two imports the earlier one holds.
DELIVERED = f"""WITH {_LOOKED_AT}, {_PAIRS},
    held AS (SELECT v.factor_id, o.key, arg_min(coalesce(v.value::VARCHAR, v.label), v.import_id) AS said
        FROM response_value v SEMI JOIN answered USING (response_id) JOIN one o USING (response_id)
        WHERE v.dataset_id = $d GROUP BY v.factor_id, v.response_id, o.key
        UNION ALL SELECT v.factor_id, concat_ws(chr(31), s.key, g.name, n.name),
            concat_ws(chr(31), coalesce(arg_min(CASE WHEN s.turned THEN coalesce(v.value_b::VARCHAR, v.label_b)
                ELSE coalesce(v.value_a::VARCHAR, v.label_a) END, v.import_id), ''),
            coalesce(arg_min(CASE WHEN s.turned THEN coalesce(v.value_a::VARCHAR, v.label_a)
                ELSE coalesce(v.value_b::VARCHAR, v.label_b) END, v.import_id), ''))
        FROM judgment_value v JOIN judgment j ON j.dataset_id = $d AND j.judgment_id = v.judgment_id
        JOIN sides s ON s.pair_id = j.pair_id JOIN judge g ON g.judge_id = j.judge_id
        LEFT JOIN annotator n ON n.annotator_id = j.annotator_id
        WHERE v.dataset_id = $d AND list_contains($judges, j.judge_id)
        GROUP BY v.factor_id, v.judgment_id, s.key, g.name, n.name)
SELECT f.name, count(*), sum(md5_number_lower(concat_ws(chr(30), h.key, h.said))) % 18446744073709551616
FROM held h JOIN factor f USING (factor_id) WHERE h.said IS NOT NULL GROUP BY f.name ORDER BY f.name"""

MEASURED = f"""WITH {_LOOKED_AT}, texts AS (SELECT DISTINCT text_id FROM response SEMI JOIN answered USING (response_id))
SELECT f.name, f.version, count(*) FROM (SELECT text_factor_id, text_id FROM text_value
    UNION SELECT text_factor_id, text_id FROM answer_value) v SEMI JOIN texts USING (text_id)
JOIN text_factor f USING (text_factor_id) GROUP BY ALL ORDER BY ALL"""

PUBLISHED = """SELECT judge, count(*), sum(md5_number_lower(concat_ws(chr(31), kind, scenario, factor, weight)))
    % 18446744073709551616 FROM published_weight WHERE dataset_id = $d GROUP BY judge ORDER BY judge"""

OWN = "SELECT judge, coalesce(model, '') FROM own_model WHERE dataset_id = $d ORDER BY ALL"


def judged(con: Con, names: Catalog, judges: Sequence[str]) -> dict[str, str]:
    """Judge -> how many judgments it gave and what they say. The numbers of repeats are no part of it."""
    return _words(con, JUDGED, names, judges)


def beside(con: Con, names: Catalog, judges: Sequence[str]) -> dict[str, str]:
    """What else an answer may rest on -> its word: scenarios, factors of the responses that these judges judged,
    published weights, own models. Of measured factors versions and extent, which with the texts say all."""
    found: dict[str, str] = {}
    ids = {"d": names.dataset_id, "judges": _ids(names, judges)}
    n, word = con.execute(LABELLED, ids).fetchall()[0]
    if n:
        found["scenarios"] = f"{n}:{word}"
    found |= {f"factor {name}": word for name, word in _words(con, DELIVERED, names, judges).items()}
    found |= {f"factor {name}": f"@{version}:{n}" for name, version, n in con.execute(MEASURED, ids).fetchall()}
    for judge, n, word in con.execute(PUBLISHED, {"d": names.dataset_id}).fetchall():
        found[f"published weights of {judge}"] = f"{n}:{word}"
    own = con.execute(OWN, {"d": names.dataset_id}).fetchall()
    for judge in dict.fromkeys(judge for judge, _ in own):
        found[f"own models of {judge}"] = ", ".join(model for one, model in own if one == judge)
    return found


def _words(con: Con, sql: str, names: Catalog, judges: Sequence[str]) -> dict[str, str]:
    rows = con.execute(sql, {"d": names.dataset_id, "judges": _ids(names, judges)}).fetchall()
    return {str(name): f"{int(n)}:{int(word)}" for name, n, word in rows}


def _ids(names: Catalog, judges: Sequence[str]) -> list[int]:
    return [names.judges[judge][0] for judge in judges if judge in names.judges]

PAIR_KEY = f"""WITH {_PAIRS} SELECT key FROM sides WHERE pair_id = $p"""
PAIR_OF = f"""WITH {_PAIRS} SELECT min(pair_id) FROM sides WHERE key = $k"""


def pair_key(con: Con, names: Catalog, pair: int) -> str | None:
    """What a pair is, whatever its number in a store; None where there is no such pair."""
    found = con.execute(PAIR_KEY, {"d": names.dataset_id, "p": pair}).fetchall()
    return str(found[0][0]) if found else None


def pair_of(con: Con, names: Catalog, key: str) -> int | None:
    """The number in this store of the pair that has this key."""
    found = con.execute(PAIR_OF, {"d": names.dataset_id, "k": key}).fetchall()[0][0]
    return None if found is None else int(found)
