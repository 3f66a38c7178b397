"""How does a filled-in work list find its responses again? By ids made of what they are.

A work list names each pair of responses by `jurylens-KEY-KEY`, with a key for each side. A key is a digest of prompt,
model and text, so it means the same responses in any store, however a spreadsheet has changed the cells beside it:
texts that begin like a formula are led by an apostrophe in exports, and a list for blind judges names no models.
"""

from __future__ import annotations

from data.step import Step

PREFIX = "jurylens"
KEY_LENGTH = 16

RESPONSE_KEY = f"""substr(md5(concat_ws(chr(31), coalesce('i' || p.external_id, 't' || pt.hash::VARCHAR),
    coalesce(m.name, ''), coalesce(t.hash::VARCHAR, ''))), 1, {KEY_LENGTH})"""
"""SQL: the key of response r under prompt p (its text pt) by model m with text t."""

RESPONSE_FROM = """FROM response r JOIN prompt p ON p.prompt_id = r.prompt_id
    LEFT JOIN text pt ON pt.text_id = p.text_id LEFT JOIN model m ON m.model_id = r.model_id
    LEFT JOIN text t ON t.text_id = r.text_id"""
"""SQL: where RESPONSE_KEY finds its tables."""

WORK_ID = f"^{PREFIX}-([0-9a-f]{{{KEY_LENGTH}}})-([0-9a-f]{{{KEY_LENGTH}}})$"
"""The pattern of such an id, with its two keys."""

_GUARDED = r"'^''[=+\-@\t\r\n＝＋－＠]'"
"""A SQL literal: what `safe_csv.neutralise` makes of a cell."""


def work_id(key_a: str, key_b: str) -> str:
    """The id of a pair of responses in a work list."""
    return f"{PREFIX}-{key_a}-{key_b}"


def recognise(step: Step) -> None:
    """Give rows of `good` that carry a work list's id the prompt, models and texts that it names.

    Rows whose id names nothing in this dataset are rejected.
    """
    step.run(
        f"""CREATE OR REPLACE TEMP TABLE asked_key AS
        SELECT row, cell, regexp_extract(pair_id, '{WORK_ID}', 1) AS key_a,
            regexp_extract(pair_id, '{WORK_ID}', 2) AS key_b
        FROM good WHERE regexp_full_match(pair_id, '{WORK_ID}');
        CREATE OR REPLACE TEMP TABLE key_response AS SELECT key, count(*) AS n, min(prompt_id) AS prompt_id,
            min(external_id) AS external_id, min(prompt_key) AS prompt_key, min(model) AS model,
            min(text_key) AS text_key
        FROM (SELECT {RESPONSE_KEY} AS key, r.prompt_id, p.external_id, pt.hash AS prompt_key, m.name AS model,
                t.hash AS text_key {RESPONSE_FROM} WHERE r.dataset_id = $d)
        WHERE key IN (SELECT key_a FROM asked_key UNION SELECT key_b FROM asked_key) GROUP BY key"""
    )
    step.reject(
        "good",
        """SELECT k.row, k.cell, 'pair_id', g.pair_id,
            'comes from a work list and names no pair of responses of this dataset: import the list into the dataset '
            || 'it was made from'
        FROM asked_key k JOIN good g USING (row, cell) LEFT JOIN key_response a ON a.key = k.key_a
        LEFT JOIN key_response b ON b.key = k.key_b
        WHERE (a.prompt_id = b.prompt_id AND a.n = 1 AND b.n = 1 AND k.key_a <> k.key_b) IS NOT TRUE""",
    )
    step.run(
        """UPDATE good SET prompt_id = a.external_id, prompt_key = a.prompt_key, model_a = a.model, model_b = b.model,
            text_a = a.text_key, text_b = b.text_key, pair_id = NULL
        FROM asked_key k, key_response a, key_response b
        WHERE good.row = k.row AND good.cell = k.cell AND a.key = k.key_a AND b.key = k.key_b"""
    )
    # Names that the export has guarded and the dataset knows without the guard.
    for name in ("judge", "scenario", "criterion", "variant"):
        step.run(
            f"""UPDATE good SET {name} = substr({name}, 2) WHERE regexp_matches({name}, {_GUARDED})
            AND (row, cell) IN (SELECT (row, cell) FROM asked_key)
            AND substr({name}, 2) IN (SELECT name FROM {name} WHERE dataset_id = $d)"""
        )
