"""Which pair or response of the dataset does each row of a table of factors name?

Prompts by id, else by text; pairs by `pair_id`, else by their models and texts under the prompt, either way round;
responses by model, text or both. As for verdicts that are delivered alone, a row that lists a pair the other way round
is turned.
"""

from __future__ import annotations

from data.step import Step
from data.work_list import RESPONSE_FROM, RESPONSE_KEY


def match_rows(step: Step) -> None:
    """Make `hit` (row, side, response_id, pair_id: NULL where rows are of responses). Rows that match nothing, or two,
    are rejected; those that match nothing are in `lost`."""
    step.run("CREATE OR REPLACE TEMP TABLE lost (row BIGINT); CREATE OR REPLACE TEMP TABLE s_given AS FROM s_key")
    match_prompts_of(step)
    step.run(
        """CREATE OR REPLACE TEMP TABLE answer AS SELECT r.response_id, r.prompt_id, r.model_id, t.hash
        FROM response r LEFT JOIN text t USING (text_id) WHERE r.dataset_id = $d;
        CREATE OR REPLACE TEMP TABLE asked AS SELECT s.row, s.cell, s.pair_id AS pair_key, f.prompt, s.model_a,
            s.model_b, s.text_a, s.text_b, ma.model_id AS m_a, mb.model_id AS m_b
        FROM s_key s JOIN found_prompt f USING (row)
        LEFT JOIN model ma ON ma.dataset_id = $d AND ma.name = s.model_a
        LEFT JOIN model mb ON mb.dataset_id = $d AND mb.name = s.model_b;
        CREATE OR REPLACE TEMP TABLE hit (row BIGINT, side VARCHAR, response_id INTEGER, pair_id INTEGER)"""
    )
    if step.count("SELECT count(*) FROM s_key WHERE response_key IS NOT NULL"):
        _keyed(step)
    elif step.count("SELECT count(*) FROM s_value WHERE side = 'b'") or step.count(
        "SELECT count(*) FROM s_key WHERE pair_id IS NOT NULL OR model_b IS NOT NULL OR text_b IS NOT NULL"
    ):
        _pairs(step)
    else:
        _responses(step)


def match_prompts_of(step: Step) -> None:
    """`found_prompt` (row, prompt: NULL where none is given or found) of the keys `s_key`."""
    step.run(
        """CREATE OR REPLACE TEMP TABLE by_text AS SELECT t.hash AS key, count(*) AS n, min(p.prompt_id) AS prompt,
            min(p.external_id) AS external_id
        FROM prompt p JOIN text t USING (text_id) WHERE p.dataset_id = $d GROUP BY t.hash;
        CREATE OR REPLACE TEMP TABLE found_prompt AS
        SELECT s.row, CASE WHEN s.prompt_id IS NULL THEN CASE WHEN b.n = 1 THEN b.prompt END
                -- A prompt that the dataset knows by its text alone.
                ELSE coalesce(p.prompt_id, CASE WHEN b.n = 1 AND b.external_id IS NULL THEN b.prompt END) END AS prompt,
            s.prompt_id IS NULL AND b.n > 1 AS several, b.n,
            t.hash IS NOT NULL AND s.prompt_key IS NOT NULL AND t.hash <> s.prompt_key AS other_text
        FROM s_key s LEFT JOIN prompt p ON p.dataset_id = $d AND p.external_id = s.prompt_id
        LEFT JOIN text t ON t.text_id = p.text_id LEFT JOIN by_text b ON b.key = s.prompt_key"""
    )
    step.reject(
        "s_key",
        """SELECT s.row, s.cell, 'prompt', s.prompt, 'is the text of ' || f.n
            || ' prompts of this dataset: name the one meant by prompt_id'
        FROM s_key s JOIN found_prompt f USING (row) WHERE f.several AND s.pair_id IS NULL""",
    )
    step.reject(
        "s_key",
        """SELECT s.row, s.cell, 'prompt_id', s.prompt_id, 'stands for another prompt text in this dataset'
        FROM s_key s JOIN found_prompt f USING (row) WHERE f.other_text""",
    )


def _lose(step: Step, select: str) -> None:
    """Reject the rows of `select` as matching nothing."""
    step.run("CREATE OR REPLACE TEMP TABLE losing AS " + select)
    if step.count("SELECT count(*) FROM losing"):
        step.run("INSERT INTO lost SELECT row FROM losing")
        step.reject("s_key", "SELECT * FROM losing")


_DATASET = "(SELECT name FROM dataset WHERE dataset_id = $d)"
_ASKED_PROMPT = "coalesce(s.prompt_id, left(s.prompt, 60))"


def _unknown_prompt(step: Step, condition: str) -> None:
    _lose(
        step,
        f"""SELECT s.row, s.cell, CASE WHEN s.prompt_id IS NULL THEN 'prompt' ELSE 'prompt_id' END AS field,
            coalesce(s.prompt_id, s.prompt) AS value, 'is no prompt of dataset ''' || {_DATASET} || '''' AS reason
        FROM s_key s JOIN found_prompt f USING (row) WHERE f.prompt IS NULL AND {condition}""",
    )


def _fits(side: str, of: str) -> str:
    """SQL: what a row says of its side agrees with response `of` of the pair, as far as both say anything."""
    return (
        f"(s.model_{side} IS NULL OR coalesce(s.m_{side} = p.model_{of}, false)) "
        f"AND (s.text_{side} IS NULL OR p.hash_{of} IS NULL OR s.text_{side} = p.hash_{of})"
    )


def _pairs(step: Step) -> None:
    straight = f"({_fits('a', 'a')} AND {_fits('b', 'b')})"
    turned = f"({_fits('a', 'b')} AND {_fits('b', 'a')})"
    step.run(
        f"""CREATE OR REPLACE TEMP TABLE sides AS SELECT p.pair_id, p.prompt_id, p.response_a, p.response_b, p.model_a,
            p.model_b, a.hash AS hash_a, b.hash AS hash_b
        FROM pair p JOIN answer a ON a.response_id = p.response_a JOIN answer b ON b.response_id = p.response_b
        WHERE p.dataset_id = $d;
        CREATE OR REPLACE TEMP TABLE by_key AS
        SELECT s.row, p.pair_id, {turned} AND NOT {straight} AS turned,
            ({straight} OR {turned}) AND (s.prompt IS NULL OR s.prompt = p.prompt_id) AS fits
        FROM asked s JOIN (SELECT external_id, arg_min(pair_id, import_id) AS pair_id FROM pair_key
            WHERE dataset_id = $d GROUP BY external_id) k ON k.external_id = s.pair_key
        JOIN sides p ON p.pair_id = k.pair_id"""
    )
    step.reject(
        "s_key",
        """SELECT s.row, s.cell, 'pair_id', s.pair_id,
            'stands for a pair of other models, texts or prompt in this dataset'
        FROM s_key s JOIN by_key k USING (row) WHERE NOT k.fits""",
    )
    # Equalities of the two ways round, each a join of its own: an OR between them would compare all with all.
    ways = []
    for sign, one, two in (("false", "a", "b"), ("true", "b", "a")):
        fit = straight if sign == "false" else turned
        for equal in (
            f"s.model_a IS NOT NULL AND s.model_b IS NOT NULL AND p.model_{one} = s.m_a AND p.model_{two} = s.m_b",
            f"(s.model_a IS NULL OR s.model_b IS NULL) AND p.hash_{one} = s.text_a AND p.hash_{two} = s.text_b",
        ):
            ways.append(
                f"SELECT s.row, p.pair_id, {sign} AS turned FROM open_row s JOIN sides p ON p.prompt_id = s.prompt "
                f"AND {equal} WHERE {fit}"
            )
    step.run(
        f"""CREATE OR REPLACE TEMP TABLE open_row AS SELECT * FROM asked
        WHERE row IN (SELECT row FROM s_key) AND row NOT IN (SELECT row FROM by_key);
        CREATE OR REPLACE TEMP TABLE linked AS
        SELECT row, 1 AS n, pair_id, turned FROM by_key WHERE fits
        UNION ALL SELECT row, count(DISTINCT pair_id), min(pair_id), bool_and(turned)
        FROM ({" UNION ALL ".join(ways)}) GROUP BY row"""
    )
    missing = "s.row NOT IN (SELECT row FROM linked)"
    _lose(
        step,
        f"""SELECT s.row, s.cell, 'pair_id' AS field, s.pair_id AS value,
            'names no pair of dataset ''' || {_DATASET} || '''' AS reason
        FROM s_key s WHERE {missing} AND s.pair_id IS NOT NULL""",
    )
    _unknown_prompt(step, missing)
    _lose(
        step,
        f"""SELECT s.row, s.cell, CASE WHEN s.model_a IS NULL THEN 'response_a' ELSE 'model_a' END AS field,
            s.model_a AS value, coalesce('and ''' || s.model_b || ''' are no pair of models',
            'and response_b are no pair') || ' for prompt ''' || {_ASKED_PROMPT} || ''' in dataset ''' || {_DATASET}
            || '''' AS reason
        FROM s_key s WHERE {missing}""",
    )
    step.reject(
        "s_key",
        """SELECT s.row, s.cell, CASE WHEN s.model_a IS NULL THEN 'response_a' ELSE 'model_a' END, s.model_a,
            'and its opponent have ' || l.n
            || ' pairs under this prompt: name the one meant by pair_id, or give both texts'
        FROM s_key s JOIN linked l USING (row) WHERE l.n > 1""",
    )
    step.run(
        """INSERT INTO hit SELECT l.row, v.side, CASE WHEN (v.side = 'a') <> l.turned THEN p.response_a
            ELSE p.response_b END, p.pair_id
        FROM linked l JOIN s_key s USING (row) JOIN sides p ON p.pair_id = l.pair_id, (VALUES ('a'), ('b')) v(side)"""
    )
    n = step.count("SELECT count(*) FROM linked JOIN s_key USING (row) WHERE turned")
    if n:
        step.inferred.append(f"listed the other way round than in the dataset, and turned: {n:,} rows")


def _responses(step: Step) -> None:
    # A text that the dataset lacks does not contradict one that the row gives; one that is equal goes before it.
    step.run(
        """CREATE OR REPLACE TEMP TABLE linked AS
        WITH found AS (
            SELECT s.row, r.response_id, coalesce(r.hash = s.text_a, false) AS exact, true AS by_model
            FROM asked s JOIN answer r ON r.prompt_id = s.prompt AND r.model_id = s.m_a
            WHERE s.text_a IS NULL OR r.hash IS NULL OR r.hash = s.text_a
            UNION ALL SELECT s.row, r.response_id, true, false
            FROM asked s JOIN answer r ON r.prompt_id = s.prompt AND r.hash = s.text_a WHERE s.model_a IS NULL)
        SELECT row, response_id, by_model, count(*) OVER (PARTITION BY row) AS n
        FROM (SELECT *, bool_or(exact) OVER (PARTITION BY row) AS some_exact FROM found) WHERE exact = some_exact"""
    )
    missing = "s.row NOT IN (SELECT row FROM linked)"
    _unknown_prompt(step, missing)
    _lose(
        step,
        f"""SELECT s.row, s.cell, CASE WHEN s.model_a IS NULL THEN 'response' ELSE 'model' END AS field,
            s.model_a AS value, 'has no response' || CASE WHEN s.text_a IS NOT NULL AND s.model_a IS NOT NULL
                THEN ' of this text' ELSE '' END || ' to prompt ''' || {_ASKED_PROMPT} || ''' in dataset '''
            || {_DATASET} || '''' AS reason
        FROM s_key s WHERE {missing} AND s.model_a IS NOT NULL
        UNION ALL SELECT s.row, s.cell, 'response', NULL, 'is no response to prompt ''' || {_ASKED_PROMPT}
            || ''' in dataset ''' || {_DATASET} || '''' FROM s_key s WHERE {missing} AND s.model_a IS NULL""",
    )
    step.reject(
        "s_key",
        """SELECT s.row, s.cell, 'model', s.model_a, 'has ' || min(l.n)
            || ' responses to this prompt: a column response with the text says which is meant'
        FROM s_key s JOIN linked l USING (row) WHERE l.n > 1 AND l.by_model GROUP BY ALL""",
    )
    step.run(
        "INSERT INTO hit SELECT l.row, 'a', l.response_id, NULL FROM linked l JOIN s_key s USING (row)"
    )
    n = step.count("SELECT count(DISTINCT row) FROM linked JOIN s_key USING (row) WHERE n > 1")
    if n:
        step.inferred.append(
            f"naming a text that several responses to the prompt have, so that the values are those of all: {n:,} rows"
        )


def _keyed(step: Step) -> None:
    """Rows of a sheet of annotations: each names its response by the key that the sheet gave it."""
    step.run(
        f"""CREATE OR REPLACE TEMP TABLE key_response AS SELECT {RESPONSE_KEY} AS key, min(r.response_id) AS response_id
        {RESPONSE_FROM} WHERE r.dataset_id = $d GROUP BY key"""
    )
    _lose(
        step,
        f"""SELECT s.row, s.cell, 'response_key' AS field, s.response_key AS value,
            'names no response of dataset ''' || {_DATASET} || ''': import a sheet into the dataset it was made from'
            AS reason
        FROM s_key s WHERE s.response_key NOT IN (SELECT key FROM key_response)""",
    )
    step.run(
        """INSERT INTO hit SELECT s.row, 'a', k.response_id, NULL FROM s_key s
        JOIN key_response k ON k.key = s.response_key"""
    )


def nothing_matched(step: Step) -> str | None:
    """What was looked for and what there is, when every row that could be read was lost; None when not.

    An example of each of the keys that the first lost row gives, and of the dataset's own.
    """
    marked = step.count("SELECT count(DISTINCT row) FROM marked")
    if not marked or step.count("SELECT count(DISTINCT row) FROM lost") < marked:
        return None
    row = step.con.execute(
        """SELECT pair_id, prompt_id, prompt, model_a, model_b, text_a IS NOT NULL AS text, response_key
        FROM s_given WHERE row = (SELECT min(row) FROM lost)"""
    ).fetchall()[0]
    if row[6] is not None:
        return "no response key names a response of this dataset: import a sheet into the dataset it was made from"
    given = dict(zip(("pair_id", "prompt_id", "prompt", "model_a", "model_b"), row[:5], strict=True))
    there = dict(
        zip(given, step.con.execute(
            f"""SELECT (SELECT min(external_id) FROM pair_key WHERE dataset_id = {step.dataset_id}), p.external_id,
                t.body, a.name, b.name
            FROM pair q JOIN prompt p ON p.prompt_id = q.prompt_id LEFT JOIN text t ON t.text_id = p.text_id
            LEFT JOIN model a ON a.model_id = q.model_a LEFT JOIN model b ON b.model_id = q.model_b
            WHERE q.dataset_id = {step.dataset_id} ORDER BY q.pair_id LIMIT 1"""
        ).fetchall()[0], strict=True)
    )  # fmt: skip
    keys = [key for key, value in given.items() if value is not None]
    name = {key: key if given["model_b"] is not None else key.removesuffix("_a") for key in keys}

    def told(values: dict[str, str | None]) -> str:
        parts = [
            f"{name[key]} {value[:60]!r}" if (value := values[key]) is not None else f"no {name[key]}" for key in keys
        ]
        return ", ".join(parts)

    tried = " and ".join([*(name[key] for key in keys), *(["the text of the response"] if row[5] else [])])
    return (
        f"no row names anything that is in the dataset: looked for by {tried}; the file has for example {told(given)}, "
        f"the dataset {told(there)}"
    )
