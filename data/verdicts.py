"""Which of an import's verdicts are new, which repeat one that is held, and which contradict it?"""

from __future__ import annotations

from data.factor_kinds import as_label, as_number, settle_kinds
from data.step import Step
from data.upkeep import fingerprint_labels


def add_judgments(step: Step, rows: str) -> tuple[int, int]:
    """New rows in, duplicates counted, contradictions marked. Returns (accepted, duplicates).

    rows : SQL of the rows with their pairs
    """
    step.run(
        f"""CREATE OR REPLACE TEMP TABLE r6 AS SELECT row, cell, pair AS pair_id, prompt_id, model_a, model_b,
            response_a, response_b, turned, judge_id, kind, annotator_id, criterion_id, variant_id,
            CASE WHEN turned AND outcome IN (1, 2) THEN 3 - outcome ELSE outcome END AS outcome,
            CASE WHEN turned THEN 1 - p_a ELSE p_a END AS p_a,
            CASE WHEN turned THEN -shown ELSE shown END AS shown, weight, repeat,
            CASE WHEN turned THEN score_b ELSE score_a END AS score_a,
            CASE WHEN turned THEN score_a ELSE score_b END AS score_b,
            confidence, seconds, judged_at, CASE WHEN turned THEN -cue ELSE cue END AS cue, reason, external_id,
            row_hash,
            hash(pair, judge_id, coalesce(annotator_id, 0), criterion_id, variant_id,
                 CASE WHEN turned THEN -shown ELSE shown END) AS slot
        FROM {rows};
        DROP TABLE r4;
        CREATE OR REPLACE TEMP TABLE held AS SELECT j.judgment_id, j.import_id, j.pair_id, j.judge_id, j.annotator_id,
            j.criterion_id, j.variant_id, j.shown, j.repeat, j.outcome, j.p_a, j.external_id,
            hash(j.pair_id, j.judge_id, coalesce(j.annotator_id, 0), j.criterion_id, j.variant_id, j.shown) AS slot
        FROM judgment j WHERE j.dataset_id = $d"""
    )
    # Rows a repeat of which can be told: of a named annotator, or of a judge that is not people.
    held = step.unless_empty(
        "UNION SELECT r6.slot FROM r6 JOIN held h ON h.slot = r6.slot "
        "WHERE r6.annotator_id IS NOT NULL OR r6.kind <> 'human'", ""
    )  # fmt: skip
    crowded = step.count(
        f"""CREATE OR REPLACE TEMP TABLE crowded AS SELECT slot FROM r6
        WHERE annotator_id IS NOT NULL OR kind <> 'human' GROUP BY slot HAVING count(*) > 1 {held}"""
    )
    twins = bool(crowded) or step.has.external_ids
    if twins:
        _find_twins(step)
    alone = "WHERE (row, cell) NOT IN (SELECT (row, cell) FROM twin)" if twins else ""
    number = "coalesce(n.number, r6.repeat, 1)" if twins else "coalesce(r6.repeat, 1)"
    numbered = "LEFT JOIN numbered n USING (row, cell)" if twins else ""
    accepted = step.count(
        # Places are counted on two narrow columns: a window over all of them would sort whole rows.
        f"""CREATE OR REPLACE TEMP TABLE place AS SELECT row, cell,
            (SELECT coalesce(max(judgment_id), 0) FROM judgment) + row_number() OVER (ORDER BY row, cell) AS judgment_id
        FROM r6 {alone};
        CREATE OR REPLACE TEMP TABLE fresh AS SELECT r6.* EXCLUDE (slot, repeat), {number} AS repeat, place.judgment_id
        FROM r6 JOIN place USING (row, cell) {numbered}"""
    )
    step.insert_only(
        "judgment",
        """SELECT f.judgment_id, $d, $i, f.judge_id, f.criterion_id, f.variant_id, p.scenario_id,
            f.prompt_id, f.pair_id, f.model_a, f.model_b, f.annotator_id,
            coalesce(f.model_a <> f.model_b, false), f.outcome, f.p_a, f.shown, f.weight, f.repeat, f.score_a,
            f.score_b, f.confidence, f.seconds, f.judged_at, f.cue, f.reason, f.external_id
        FROM fresh f JOIN prompt p ON p.prompt_id = f.prompt_id ORDER BY f.judgment_id""",
    )
    if not twins:
        return accepted, 0
    return accepted, step.count(
        "SELECT count(*) FROM twin t WHERE t.outcome IS NOT DISTINCT FROM first_outcome "
        "AND t.p_a IS NOT DISTINCT FROM first_p"
    )


def _find_twins(step: Step) -> None:
    """`twin`: rows that say again, or contradict, what a row before them said. `numbered`: the repeat each row is."""
    step.run(
        """CREATE OR REPLACE TEMP TABLE numbered AS SELECT r6.row, r6.cell, r6.repeat,
            coalesce(r6.repeat, CASE WHEN r6.kind = 'human' OR c.slot IS NULL THEN 1 ELSE
                coalesce((SELECT max(h.repeat) FROM held h WHERE h.slot = r6.slot), 0)
                + row_number() OVER (PARTITION BY r6.slot, r6.repeat IS NULL ORDER BY r6.row, r6.cell) END) AS number
        FROM r6 JOIN crowded c ON c.slot = r6.slot"""
    )
    # Same slot and repeat as an earlier row: the earliest (in the store, else in the file) holds.
    step.run(
        """CREATE OR REPLACE TEMP TABLE slot_twin AS
        WITH all_rows AS (
            SELECT r6.slot, n.number, r6.row, r6.cell, r6.outcome, r6.p_a, NULL::BIGINT AS judgment_id,
                NULL::INTEGER AS import_id
            FROM r6 JOIN numbered n USING (row, cell) WHERE r6.kind = 'human' OR r6.repeat IS NOT NULL
                OR r6.external_id IS NOT NULL
            UNION ALL SELECT slot, repeat, -1, judgment_id, outcome, p_a, judgment_id, import_id FROM held
            WHERE slot IN (SELECT slot FROM crowded))
        SELECT row, cell, outcome, p_a, first_value(outcome) OVER w AS first_outcome, first_value(p_a) OVER w AS first_p,
            first_value(judgment_id) OVER w AS judgment_id, first_value(import_id) OVER w AS import_id
        FROM all_rows WINDOW w AS (PARTITION BY slot, number ORDER BY row, cell)
        QUALIFY row_number() OVER w > 1 AND row >= 0;
        CREATE OR REPLACE TEMP TABLE id_twin AS
        WITH same_id AS (SELECT external_id, row, cell, pair_id, judge_id, outcome, p_a, NULL::BIGINT AS judgment_id,
                NULL::INTEGER AS import_id FROM r6 WHERE external_id IS NOT NULL
            UNION ALL SELECT external_id, -1, judgment_id, pair_id, judge_id, outcome, p_a, judgment_id, import_id
            FROM held WHERE external_id IN (SELECT external_id FROM r6 WHERE external_id IS NOT NULL))
        SELECT row, cell, outcome, p_a,
            CASE WHEN first_value(pair_id) OVER w = pair_id AND first_value(judge_id) OVER w = judge_id
                THEN first_value(outcome) OVER w ELSE -9 END AS first_outcome,
            first_value(p_a) OVER w AS first_p, first_value(judgment_id) OVER w AS judgment_id,
            first_value(import_id) OVER w AS import_id
        FROM same_id WINDOW w AS (PARTITION BY external_id ORDER BY row, cell)
        QUALIFY row_number() OVER w > 1 AND row >= 0;
        CREATE OR REPLACE TEMP TABLE twin AS SELECT * FROM slot_twin
        UNION ALL SELECT * FROM id_twin WHERE (row, cell) NOT IN (SELECT (row, cell) FROM slot_twin)"""
    )
    step.reject(
        "r6",
        """SELECT t.row, t.cell, 'winner', ['none', 'a', 'b', 'tie', 'both_bad'][t.outcome + 1],
            CASE WHEN first_outcome = -9 THEN 'has a judgment_id that already stands for another judgment'
            ELSE 'contradicts an earlier verdict of the same judge on this pair: give a repeat number to keep both' END
        FROM twin t WHERE t.outcome IS DISTINCT FROM first_outcome OR t.p_a IS DISTINCT FROM first_p""",
    )
    # Two AI verdicts on one slot without repeat numbers are the judge asked again.
    again = step.count(
        "SELECT count(*) FROM numbered n JOIN r6 USING (row, cell) WHERE n.repeat IS NULL AND n.number > 1 "
        "AND kind <> 'human' AND (row, cell) NOT IN (SELECT (row, cell) FROM twin)"
    )
    if again:
        step.inferred.append(f"{again:,} rows judge a pair again and are taken for repeats of the same judge")
    if not step.has.empty:
        step.insert_only(
            "witness",
            """SELECT $d, t.judgment_id, $i, r6.row_hash FROM twin t JOIN r6 USING (row, cell)
            WHERE t.judgment_id IS NOT NULL AND t.import_id <> $i""",
        )


def add_factors(step: Step) -> None:
    """A factor whose every row agrees on a response's value is kept there, else with the judgments."""
    if not step.has.factors:
        return
    step.insert(
        "factor",
        """SELECT (SELECT coalesce(max(factor_id), 0) FROM factor) + row_number() OVER (ORDER BY name),
            $d, name FROM (SELECT DISTINCT name FROM s_factor) n
        WHERE NOT EXISTS (SELECT 1 FROM factor f WHERE f.dataset_id = $d AND f.name = n.name)""",
    )
    settle_kinds(
        step, "SELECT name, a AS word FROM s_factor WHERE a IS NOT NULL UNION ALL "
        "SELECT name, b FROM s_factor WHERE b IS NOT NULL",
    )  # fmt: skip
    step.run(
        f"""CREATE OR REPLACE TEMP TABLE given_value AS
        SELECT judgment_id, factor_id, response_a, response_b, {as_number("a")} AS value_a, {as_number("b")} AS value_b,
            {as_label("a")} AS label_a, {as_label("b")} AS label_b
        FROM (SELECT f.judgment_id, k.factor_id, o.kind, f.response_a, f.response_b,
                CASE WHEN f.turned THEN s.b ELSE s.a END AS a, CASE WHEN f.turned THEN s.a ELSE s.b END AS b
            FROM fresh f JOIN s_factor s USING (row) JOIN factor k ON k.dataset_id = $d AND k.name = s.name
            JOIN kind_of o ON o.name = s.name);
        CREATE OR REPLACE TEMP TABLE by_response AS SELECT response_id, factor_id, min(value) AS value,
            min(label) AS label, coalesce(min(value) <> max(value), false) OR coalesce(min(label) <> max(label), false)
                AS differs
        FROM (SELECT response_a AS response_id, factor_id, value_a AS value, label_a AS label FROM given_value
            UNION ALL SELECT response_b, factor_id, value_b, label_b FROM given_value)
        WHERE value IS NOT NULL OR label IS NOT NULL GROUP BY ALL;
        CREATE OR REPLACE TEMP TABLE by_judgment AS SELECT DISTINCT factor_id FROM by_response WHERE differs"""
    )
    step.insert(
        "response_value",
        """SELECT $d, response_id, factor_id, value, label, $i
        FROM by_response WHERE factor_id NOT IN (SELECT factor_id FROM by_judgment) ORDER BY factor_id, response_id""",
    )
    step.insert(
        "judgment_value",
        """SELECT $d, judgment_id, factor_id, value_a, value_b, label_a, label_b, $i
        FROM given_value WHERE factor_id IN (SELECT factor_id FROM by_judgment)
            AND (coalesce(value_a, value_b) IS NOT NULL OR coalesce(label_a, label_b) IS NOT NULL)""",
    )


def add_attributes(step: Step) -> None:
    if not step.has.attributes:
        return
    step.run(
        """CREATE OR REPLACE TEMP TABLE given_attribute AS
        SELECT s.entity, CASE s.entity WHEN 'annotator' THEN f.annotator_id WHEN 'judge' THEN f.judge_id
            WHEN 'prompt' THEN f.prompt_id WHEN 'pair' THEN f.pair_id
            WHEN 'model' THEN f.model_a END AS entity_id, s.name,
            CASE WHEN f.turned AND s.entity = 'model' THEN s.b ELSE s.a END AS value, f.row
        FROM fresh f JOIN s_attribute s USING (row)
        UNION ALL SELECT s.entity, f.model_b, s.name, CASE WHEN f.turned THEN s.a ELSE s.b END, f.row
        FROM fresh f JOIN s_attribute s USING (row) WHERE s.entity = 'model';
        CREATE OR REPLACE TEMP TABLE settled AS SELECT entity, entity_id, name, arg_min(value, row) AS value,
            count(DISTINCT value) AS n FROM given_attribute WHERE entity_id IS NOT NULL AND value IS NOT NULL
        GROUP BY ALL"""
    )
    step.insert(
        "attribute",
        """SELECT $d, entity, entity_id, name, value, $i FROM settled""",
    )
    for entity, name, n in step.con.execute(
        "SELECT entity, name, count(*) FROM settled WHERE n > 1 GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        step.inferred.append(f"{n:,} {entity}s have more than one value of {name}; the first was kept")


def add_fingerprint(step: Step) -> None:
    step.insert_only(
        "fingerprint",
        """SELECT $d, $i, judge_id, count(*), (sum(row_hash) % 18446744073709551616)::UBIGINT
        FROM fresh GROUP BY judge_id""",
    )
    if step.has.scenarios or not step.has.empty:
        fingerprint_labels(step.con, step.dataset_id)
