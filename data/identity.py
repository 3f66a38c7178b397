"""Which prompts, responses and pairs do the rows of an import mean? New ones are made, known ones found.

- A prompt is its external id where one is given, else its text.
- A response is (prompt, model, text), as far as the file gives them.
- A pair is two different responses to one prompt; its orientation is that of its first import.
- Rows without texts join the pair their id names, or the only one of their prompt and models.
"""

from __future__ import annotations

from data.step import Step
from data.upkeep import assign_scenarios


def match_prompts(step: Step) -> None:
    """A prompt is its external id where one is given, else its text."""
    if step.has.prompt_ids and step.has.prompt_texts:
        _one_text_each(step)
    step.run(
        """CREATE OR REPLACE TEMP TABLE asked AS SELECT prompt_id AS external_id, prompt_text AS text_id,
            min(row) AS first FROM r2 WHERE prompt_id IS NOT NULL OR prompt_text IS NOT NULL GROUP BY ALL"""
    )
    if step.has.prompt_ids:
        _prompts_with_id(step)
    if step.has.by_text:
        _prompts_by_text(step)
    by_id = "SELECT a.external_id, a.text_id, p.prompt_id FROM asked a JOIN prompt p ON p.dataset_id = $d " \
        "AND p.external_id = a.external_id WHERE a.external_id IS NOT NULL"
    by_text = "SELECT NULL AS external_id, a.text_id, min(p.prompt_id) AS prompt_id FROM asked a JOIN prompt p " \
        "ON p.dataset_id = $d AND p.text_id = a.text_id WHERE a.external_id IS NULL GROUP BY a.text_id"
    found = " UNION ALL ".join(
        sql for sql, there in ((by_id, step.has.prompt_ids), (by_text, step.has.by_text)) if there
    )
    if not found:
        # Pairs are named, and by them their prompts.
        step.run(
            """CREATE OR REPLACE TEMP TABLE r3 AS SELECT * EXCLUDE (prompt_id, prompt_text), NULL::INTEGER AS prompt_id
            FROM r2; DROP TABLE r2"""
        )
    else:
        step.run(
            f"""CREATE OR REPLACE TEMP TABLE prompt_of AS {found};
            CREATE OR REPLACE TEMP TABLE r3 AS SELECT r2.* EXCLUDE (prompt_id, prompt_text), p.prompt_id FROM r2
            LEFT JOIN prompt_of p ON p.external_id IS NOT DISTINCT FROM r2.prompt_id
                AND p.text_id IS NOT DISTINCT FROM r2.prompt_text;
            DROP TABLE r2"""
        )
    if step.has.scenarios:
        _claim_scenarios(step)


def _one_text_each(step: Step) -> None:
    """An id that stands for a text stands for no other."""
    step.reject(
        "r2",
        """WITH known AS (SELECT external_id, text_id AS t, -1 AS row FROM prompt
                WHERE dataset_id = $d AND external_id IS NOT NULL AND text_id IS NOT NULL
            UNION ALL SELECT prompt_id, prompt_text, row FROM r2
                WHERE prompt_id IS NOT NULL AND prompt_text IS NOT NULL),
            first AS (SELECT external_id, arg_min(t, row) AS t FROM known GROUP BY 1 HAVING count(DISTINCT t) > 1)
        SELECT r2.row, r2.cell, 'prompt_id', r2.prompt_id, 'already stands for another prompt text' FROM r2
        JOIN first ON first.external_id = r2.prompt_id WHERE r2.prompt_text <> first.t""",
    )


def _prompts_with_id(step: Step) -> None:
    """By id. A prompt that so far had no text gets it."""
    step.run(
        """CREATE OR REPLACE TEMP TABLE with_id AS SELECT external_id, max(text_id) AS text_id, min(first) AS first
        FROM asked WHERE external_id IS NOT NULL GROUP BY external_id"""
    )
    if not step.has.empty:
        _complete_prompts(step)
    new = step.unless_empty(
        "NOT EXISTS (SELECT 1 FROM prompt p WHERE p.dataset_id = $d AND p.external_id = w.external_id)"
    )
    step.insert(
        "prompt",
        f"""SELECT (SELECT coalesce(max(prompt_id), 0) FROM prompt)
            + row_number() OVER (ORDER BY first), $d, external_id, text_id, NULL
        FROM with_id w WHERE {new}""",
        only=not step.has.by_text,
    )


def _complete_prompts(step: Step) -> None:
    """What the dataset knew by its id alone, or by its text alone, and now hears both of."""
    step.run(
        """UPDATE prompt SET text_id = w.text_id FROM with_id w
        WHERE prompt.dataset_id = $d AND prompt.external_id = w.external_id AND prompt.text_id IS NULL
            AND w.text_id IS NOT NULL;
        -- It takes the id, when just one id claims that text.
        CREATE OR REPLACE TEMP TABLE claim AS SELECT text_id, min(external_id) AS external_id FROM with_id w
        WHERE text_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM prompt p WHERE p.dataset_id = $d
            AND p.external_id = w.external_id) GROUP BY text_id HAVING count(*) = 1;
        UPDATE prompt SET external_id = c.external_id FROM claim c
        WHERE prompt.dataset_id = $d AND prompt.external_id IS NULL AND prompt.text_id = c.text_id"""
    )


def _prompts_by_text(step: Step) -> None:
    """Without an id: by text, when the text names one prompt only."""
    step.run(
        """CREATE OR REPLACE TEMP TABLE by_text AS SELECT text_id, count(*) AS n, min(prompt_id) AS prompt_id
        FROM prompt WHERE dataset_id = $d AND text_id IS NOT NULL GROUP BY text_id"""
    )
    step.reject(
        "r2",
        """SELECT r2.row, r2.cell, 'prompt', NULL,
            'is the text of ' || n || ' prompts of this dataset: name the one meant by prompt_id'
        FROM r2 JOIN by_text t ON t.text_id = r2.prompt_text WHERE r2.prompt_id IS NULL AND t.n > 1""",
    )
    step.insert(
        "prompt",
        """SELECT (SELECT coalesce(max(prompt_id), 0) FROM prompt)
            + row_number() OVER (ORDER BY first), $d, NULL, text_id, NULL
        FROM asked a WHERE external_id IS NULL AND text_id NOT IN (SELECT text_id FROM by_text)""",
        only=not step.has.prompt_ids,
    )


def _claim_scenarios(step: Step) -> None:
    """The scenario that the rows give each prompt; the earliest claim counts."""
    step.run(
        """CREATE OR REPLACE TEMP TABLE claimed AS
        SELECT prompt_id, arg_min(scenario_id, row) AS scenario_id, count(DISTINCT scenario_id) AS n
        FROM r3 WHERE prompt_id IS NOT NULL AND scenario_id IS NOT NULL GROUP BY prompt_id"""
    )
    step.insert_only("prompt_scenario", "SELECT $d, prompt_id, scenario_id, $i FROM claimed")
    several = step.count("SELECT count(*) FROM claimed WHERE n > 1")
    if several:
        step.inferred.append(f"{several:,} prompts are given more than one scenario; the first was kept")
    other = 0 if step.has.empty else step.count(
        "SELECT count(*) FROM claimed c JOIN prompt p USING (prompt_id) WHERE p.scenario_id <> c.scenario_id"
    )
    if other:
        step.inferred.append(f"{other:,} prompts had another scenario from an earlier import; that one was kept")
    if several:
        # Names that no prompt took.
        step.run(
            """DELETE FROM scenario WHERE dataset_id = $d
                AND scenario_id NOT IN (SELECT scenario_id FROM prompt_scenario WHERE dataset_id = $d)"""
        )
    assign_scenarios(step.con, step.dataset_id)


def match_responses(step: Step) -> None:
    """A response is (prompt, model, text). One that was known without its text gets it, if there is just one."""
    if not step.has.texts:
        step.run(
            """CREATE OR REPLACE TEMP TABLE r4 AS
            SELECT *, NULL::INTEGER AS response_a, NULL::INTEGER AS response_b FROM r3; DROP TABLE r3"""
        )
        return
    step.run(
        """CREATE OR REPLACE TEMP TABLE given AS SELECT prompt_id, model_id, text_id, min(row) AS first FROM (
            SELECT prompt_id, model_a AS model_id, text_a AS text_id, row * 2 AS row FROM r3
            WHERE prompt_id IS NOT NULL AND NOT (text_a IS NULL AND text_b IS NULL)
            UNION ALL SELECT prompt_id, model_b, text_b, row * 2 + 1 FROM r3
            WHERE prompt_id IS NOT NULL AND NOT (text_a IS NULL AND text_b IS NULL)) GROUP BY ALL"""
    )
    bare = 0 if step.has.empty else step.count(
        """CREATE OR REPLACE TEMP TABLE bare AS SELECT response_id, prompt_id, model_id FROM response r
        WHERE dataset_id = $d AND text_id IS NULL AND model_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM response o
            WHERE o.dataset_id = $d AND o.prompt_id = r.prompt_id AND o.model_id = r.model_id
            AND o.text_id IS NOT NULL)"""
    )
    if bare:
        step.run(
            """UPDATE response SET text_id = u.text_id FROM (
                SELECT b.response_id, min(g.text_id) AS text_id FROM bare b JOIN given g USING (prompt_id, model_id)
                WHERE g.text_id IS NOT NULL GROUP BY b.response_id HAVING count(*) = 1) u
            WHERE response.response_id = u.response_id"""
        )
    new = step.unless_empty(
        "NOT EXISTS (SELECT 1 FROM response r WHERE r.dataset_id = $d AND r.prompt_id = g.prompt_id "
        "AND r.model_id IS NOT DISTINCT FROM g.model_id AND r.text_id IS NOT DISTINCT FROM g.text_id)"
    )
    step.insert(
        "response",
        f"""SELECT (SELECT coalesce(max(response_id), 0) FROM response)
            + row_number() OVER (ORDER BY first), $d, prompt_id, model_id, text_id
        FROM given g WHERE {new}""",
        only=not step.has.bare,
    )
    step.run(
        """CREATE OR REPLACE TEMP TABLE response_of AS SELECT r.prompt_id, r.model_id, r.text_id, r.response_id
        FROM response r WHERE r.dataset_id = $d;
        CREATE OR REPLACE TEMP TABLE r4 AS SELECT r3.*, a.response_id AS response_a, b.response_id AS response_b
        FROM r3 LEFT JOIN response_of a ON a.prompt_id = r3.prompt_id AND a.model_id IS NOT DISTINCT FROM r3.model_a
            AND a.text_id IS NOT DISTINCT FROM r3.text_a AND NOT (r3.text_a IS NULL AND r3.text_b IS NULL)
        LEFT JOIN response_of b ON b.prompt_id = r3.prompt_id AND b.model_id IS NOT DISTINCT FROM r3.model_b
            AND b.text_id IS NOT DISTINCT FROM r3.text_b AND NOT (r3.text_a IS NULL AND r3.text_b IS NULL);
        DROP TABLE r3"""
    )


def match_pairs(step: Step) -> str:
    """Rows with texts make or find their pair; rows without join the one their id or models name.

    Returns SQL of the rows with their pairs.
    """
    if step.has.texts:
        _pairs_of_texts(step)
    step.run(
        """CREATE OR REPLACE TEMP TABLE direct AS SELECT r4.row, r4.cell, p.pair_id, r4.response_a <> p.response_a AS turned
        FROM r4 JOIN pair p ON p.dataset_id = $d AND least(p.response_a, p.response_b) = least(r4.response_a, r4.response_b)
            AND greatest(p.response_a, p.response_b) = greatest(r4.response_a, r4.response_b)"""
    )
    if step.has.pair_ids:
        _check_keys(step)
    linked = "direct"
    if step.has.bare:
        _pairs_by_key(step)
        _bare_pairs(step)
        linked = "linked"
    if step.has.pair_ids:
        _remember_keys(step, linked)
    rows = f"""SELECT r4.* EXCLUDE (response_a, response_b, model_a, model_b, prompt_id),
            l.turned, p.pair_id AS pair, p.prompt_id, p.model_a, p.model_b, p.response_a, p.response_b
        FROM r4 JOIN {linked} l USING (row, cell) JOIN pair p ON p.pair_id = l.pair_id"""
    return _named_winners(step, rows) if step.has.named_winners else f"({rows})"


def _pairs_of_texts(step: Step) -> None:
    new = step.unless_empty(
        "NOT EXISTS (SELECT 1 FROM pair p WHERE p.dataset_id = $d AND least(p.response_a, p.response_b) = n.lo "
        "AND greatest(p.response_a, p.response_b) = n.hi)"
    )
    step.insert(
        "pair",
        f"""SELECT (SELECT coalesce(max(pair_id), 0) FROM pair) + row_number() OVER (ORDER BY first),
            $d, prompt_id, response_a, response_b, model_a, model_b
        FROM (SELECT arg_min(prompt_id, row) AS prompt_id, arg_min(response_a, row) AS response_a,
                arg_min(response_b, row) AS response_b, arg_min(model_a, row) AS model_a,
                arg_min(model_b, row) AS model_b, min(row) AS first,
                least(response_a, response_b) AS lo, greatest(response_a, response_b) AS hi
              FROM r4 WHERE response_a IS NOT NULL AND response_b IS NOT NULL GROUP BY lo, hi) n
        WHERE {new}""",
        only=not step.has.bare,
    )


def _named_winners(step: Step, rows: str) -> str:
    """Winners written as a model's name on rows that named only the pair."""
    step.run(f"CREATE OR REPLACE TEMP TABLE r5 AS {rows}")
    step.reject(
        "r5",
        """SELECT r.row, r.cell, 'winner', r.winner_name, 'is not one of a, b, tie, both_bad, refused, left, right, '
            || 'model_a, model_b, 1, 2 or a model of the pair'
        FROM r5 r LEFT JOIN model ma ON ma.model_id = r.model_a LEFT JOIN model mb ON mb.model_id = r.model_b
        WHERE r.outcome = -1 AND (r.winner_name = ma.name) IS NOT TRUE AND (r.winner_name = mb.name) IS NOT TRUE""",
    )
    step.run(
        """UPDATE r5 SET outcome = CASE WHEN m.name = r5.winner_name THEN 1 ELSE 2 END,
            p_a = CASE WHEN m.name = r5.winner_name THEN 1.0 ELSE 0.0 END, turned = false
        FROM model m WHERE r5.outcome = -1 AND m.model_id = r5.model_a"""
    )
    return "r5"


def _check_keys(step: Step) -> None:
    """Pair ids against the pairs they stand for."""
    step.run(
        """CREATE OR REPLACE TEMP TABLE key_of AS
        SELECT external_id, arg_min(pair_id, row) AS pair_id FROM (
            SELECT external_id, pair_id, -1 AS row FROM pair_key WHERE dataset_id = $d
            UNION ALL SELECT r4.pair_id, d.pair_id, r4.row FROM r4 JOIN direct d USING (row, cell)
            WHERE r4.pair_id IS NOT NULL) GROUP BY external_id"""
    )
    step.reject(
        "r4",
        """SELECT r4.row, r4.cell, 'pair_id', r4.pair_id, 'already stands for a pair of other texts' FROM r4
        JOIN direct d USING (row, cell) JOIN key_of k ON k.external_id = r4.pair_id WHERE k.pair_id <> d.pair_id""",
    )


def _pairs_by_key(step: Step) -> None:
    """`named` for rows whose texts or pair id say the pair."""
    if not step.has.pair_ids:
        step.run("CREATE OR REPLACE TEMP TABLE named AS SELECT row, cell, pair_id, turned FROM direct")
        return
    # Rows without texts whose id names a pair: their models, where given, must be that pair's.
    step.run(
        """CREATE OR REPLACE TEMP TABLE by_key AS SELECT r4.row, r4.cell, p.pair_id,
            coalesce(r4.model_a = p.model_b AND r4.model_b = p.model_a, false)
                AND NOT coalesce(r4.model_a = p.model_a AND r4.model_b = p.model_b, false) AS turned,
            (r4.model_a IS NULL OR r4.model_a IN (p.model_a, p.model_b))
                AND (r4.model_b IS NULL OR r4.model_b IN (p.model_a, p.model_b))
                AND (r4.model_a = r4.model_b) IS NOT DISTINCT FROM (CASE WHEN r4.model_a IS NULL OR r4.model_b IS NULL THEN NULL
                        ELSE p.model_a = p.model_b END) AS fits,
            (r4.prompt_id IS NULL OR r4.prompt_id = p.prompt_id) AS same_prompt
        FROM r4 JOIN key_of k ON k.external_id = r4.pair_id JOIN pair p ON p.pair_id = k.pair_id
        WHERE r4.response_a IS NULL AND r4.response_b IS NULL"""
    )
    step.reject(
        "r4",
        """SELECT r4.row, r4.cell, 'pair_id', r4.pair_id,
            'already stands for a pair of other models or of another prompt'
        FROM r4 JOIN by_key b USING (row, cell) WHERE b.fits IS NOT TRUE OR NOT b.same_prompt""",
    )
    step.reject(
        "r4",
        """SELECT row, cell, 'pair_id', pair_id, 'names no pair of this dataset' FROM r4
        WHERE response_a IS NULL AND response_b IS NULL AND (prompt_id IS NULL OR model_a IS NULL OR model_b IS NULL)
            AND (row, cell) NOT IN (SELECT (row, cell) FROM by_key)""",
    )
    step.run(
        """CREATE OR REPLACE TEMP TABLE named AS SELECT row, cell, pair_id, turned FROM direct
        UNION ALL SELECT row, cell, pair_id, turned FROM by_key"""
    )


def _bare_pairs(step: Step) -> None:
    """Rows that give prompt and models but no texts: the one pair of those, or a new one without texts."""
    if not step.count(
        "SELECT count(*) FROM r4 WHERE response_a IS NULL AND response_b IS NULL "
        "AND (row, cell) NOT IN (SELECT (row, cell) FROM named)"
    ):
        step.run("CREATE OR REPLACE TEMP TABLE linked AS SELECT * FROM named")
        return
    step.run(
        """CREATE OR REPLACE TEMP TABLE bare_row AS SELECT r4.row, r4.cell, prompt_id, model_a, model_b, r4.pair_id
        FROM r4 WHERE response_a IS NULL AND response_b IS NULL
            AND (row, cell) NOT IN (SELECT (row, cell) FROM named);
        CREATE OR REPLACE TEMP TABLE by_models AS SELECT prompt_id, least(model_a, model_b) AS lo,
            greatest(model_a, model_b) AS hi, count(*) AS n FROM pair WHERE dataset_id = $d
            AND model_a IS NOT NULL AND model_b IS NOT NULL GROUP BY ALL"""
    )
    step.reject(
        "r4",
        """SELECT r.row, r.cell, 'model_a', m.name, 'and its opponent have ' || b.n
            || ' pairs under this prompt: name the one meant by pair_id'
        FROM bare_row r JOIN by_models b ON b.prompt_id = r.prompt_id AND b.lo = least(r.model_a, r.model_b)
            AND b.hi = greatest(r.model_a, r.model_b) JOIN model m ON m.model_id = r.model_a WHERE b.n > 1""",
    )
    step.reject(
        "r4",
        """SELECT r.row, r.cell, 'model_b', m.name,
            'is the same model as model_a and no texts tell the two apart: no pair'
        FROM bare_row r JOIN model m ON m.model_id = r.model_b WHERE r.model_a = r.model_b
            AND NOT EXISTS (SELECT 1 FROM by_models b WHERE b.prompt_id = r.prompt_id AND b.lo = r.model_a
                AND b.hi = r.model_a)""",
    )
    step.run(
        """CREATE OR REPLACE TEMP TABLE bare_new AS SELECT prompt_id, arg_min(model_a, row) AS model_a,
            arg_min(model_b, row) AS model_b, min(row) AS first FROM bare_row r
        WHERE (row, cell) IN (SELECT (row, cell) FROM r4) AND NOT EXISTS (SELECT 1 FROM by_models b
            WHERE b.prompt_id = r.prompt_id AND b.lo = least(r.model_a, r.model_b)
            AND b.hi = greatest(r.model_a, r.model_b))
        GROUP BY prompt_id, least(model_a, model_b), greatest(model_a, model_b)"""
    )
    step.insert(
        "response",
        """SELECT (SELECT coalesce(max(response_id), 0) FROM response)
            + row_number() OVER (ORDER BY first), $d, prompt_id, model_id, NULL
        FROM (SELECT prompt_id, model_id, min(first) AS first FROM (
                SELECT prompt_id, model_a AS model_id, first * 2 AS first FROM bare_new
                UNION ALL SELECT prompt_id, model_b, first * 2 + 1 FROM bare_new) GROUP BY ALL) n
        WHERE NOT EXISTS (SELECT 1 FROM response r WHERE r.dataset_id = $d AND r.prompt_id = n.prompt_id
            AND r.model_id = n.model_id AND r.text_id IS NULL)""",
    )
    step.insert(
        "pair",
        """SELECT (SELECT coalesce(max(pair_id), 0) FROM pair) + row_number() OVER (ORDER BY n.first),
            $d, n.prompt_id, a.response_id, b.response_id, n.model_a, n.model_b FROM bare_new n
        JOIN response a ON a.dataset_id = $d AND a.prompt_id = n.prompt_id AND a.model_id = n.model_a AND a.text_id IS NULL
        JOIN response b ON b.dataset_id = $d AND b.prompt_id = n.prompt_id AND b.model_id = n.model_b AND b.text_id IS NULL""",
    )
    step.run(
        """CREATE OR REPLACE TEMP TABLE linked AS SELECT * FROM named UNION ALL
        SELECT r.row, r.cell, p.pair_id, p.model_a <> r.model_a FROM bare_row r
        JOIN pair p ON p.dataset_id = $d AND p.prompt_id = r.prompt_id
            AND least(p.model_a, p.model_b) = least(r.model_a, r.model_b)
            AND greatest(p.model_a, p.model_b) = greatest(r.model_a, r.model_b)
        WHERE (r.row, r.cell) IN (SELECT (row, cell) FROM r4)"""
    )
    if step.has.pair_ids:
        _one_pair_each(step)


def _one_pair_each(step: Step) -> None:
    """Ids of rows without texts, which name one pair each."""
    step.reject(
        "r4",
        """WITH k AS (SELECT r4.pair_id, l.pair_id AS pair, r4.row, r4.cell FROM r4 JOIN linked l USING (row, cell)
            WHERE r4.pair_id IS NOT NULL),
            first AS (SELECT pair_id, arg_min(pair, row) AS pair FROM k GROUP BY 1)
        SELECT k.row, k.cell, 'pair_id', k.pair_id, 'already stands for a pair of other models or of another prompt'
        FROM k JOIN first USING (pair_id) WHERE k.pair <> first.pair""",
    )


def _remember_keys(step: Step, linked: str) -> None:
    step.insert_only(
        "pair_key",
        f"""SELECT DISTINCT $d, r4.pair_id, l.pair_id, $i FROM r4 JOIN {linked} l USING (row, cell)
        WHERE r4.pair_id IS NOT NULL""",
    )
