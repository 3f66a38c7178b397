"""What in a dataset should make its reader careful? Facts for the health rules, counted in the store."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pandas as pd

from data.queries import Catalog
from data.unfold import MADE


def thin_cells(con: duckdb.DuckDBPyConnection, names: Catalog, least: int) -> pd.DataFrame:
    """Judge x scenario cells with at least one but fewer than `least` judgments: judge, scenario, judgments."""
    return con.execute(
        f"""SELECT g.name AS judge, s.name AS scenario, n AS judgments FROM (
            SELECT judge_id, scenario_id, count(*) AS n FROM judgment WHERE dataset_id = {names.dataset_id}
            AND outcome <> 0 AND scenario_id IS NOT NULL GROUP BY ALL HAVING count(*) < {least})
        JOIN judge g USING (judge_id) JOIN scenario s USING (scenario_id) ORDER BY n, judge, scenario"""
    ).df()


def identical_votes(con: duckdb.DuckDBPyConnection, names: Catalog) -> pd.DataFrame:
    """Rows of unnamed people alike in pair, verdict, order, criterion and variant: judge, rows (beyond the first)."""
    return con.execute(
        f"""SELECT g.name AS judge, sum(n - 1)::BIGINT AS "rows", count(*) AS pairs FROM (
            SELECT judge_id, pair_id, criterion_id, variant_id, outcome, p_a, shown, count(*) AS n FROM judgment
            WHERE dataset_id = {names.dataset_id} AND annotator_id IS NULL
            AND judge_id IN (SELECT judge_id FROM judge WHERE kind = 'human') GROUP BY ALL HAVING count(*) > 1)
        JOIN judge g USING (judge_id) GROUP BY g.name ORDER BY g.name"""
    ).df()


def order_known(con: duckdb.DuckDBPyConnection, names: Catalog) -> pd.DataFrame:
    """How often the shown order is known: judge, judgments, known."""
    return con.execute(
        f"""SELECT g.name AS judge, count(*) AS judgments, count(*) FILTER (shown <> 0) AS known
        FROM judgment j JOIN judge g USING (judge_id) WHERE j.dataset_id = {names.dataset_id} AND outcome <> 0
        GROUP BY g.judge_id, g.name ORDER BY g.judge_id"""
    ).df()


def no_verdicts(con: duckdb.DuckDBPyConnection, names: Catalog) -> pd.DataFrame:
    """Refused or invalid judgments: judge, judgments, none."""
    return con.execute(
        f"""SELECT g.name AS judge, count(*) AS judgments, count(*) FILTER (outcome = 0) AS "none"
        FROM judgment j JOIN judge g USING (judge_id) WHERE j.dataset_id = {names.dataset_id}
        GROUP BY g.judge_id, g.name HAVING count(*) FILTER (outcome = 0) > 0 ORDER BY g.judge_id"""
    ).df()


def rated(con: duckdb.DuckDBPyConnection, names: Catalog) -> dict[str, str]:
    """Judges whose pairs an import made of what they said of single responses: `ratings` or `rankings`; none else."""
    found = con.execute(
        """SELECT import_id, contains(inferred, $ranked) FROM import_log
        WHERE dataset_id = $d AND contains(inferred, $made) ORDER BY import_id""",
        {"d": names.dataset_id, "made": MADE, "ranked": " ranked responses: "},
    ).fetchall()
    if not found:
        return {}
    what = {int(number): "rankings" if ranks else "ratings" for number, ranks in found}
    listed = ", ".join(map(str, what))
    rows = con.execute(
        f"""SELECT judge_id, max(import_id) FROM judgment WHERE dataset_id = {names.dataset_id}
        AND import_id IN ({listed}) GROUP BY judge_id ORDER BY judge_id"""
    ).fetchall()
    last = {int(judge): int(number) for judge, number in rows}
    return {name: what[last[i]] for name, (i, _) in names.judges.items() if i in last}


@dataclass(frozen=True)
class Held:
    """Pairs of a judge. several : whether a prompt has more than one; largest : share of judgments in the largest tenth
    of the prompts"""

    several: bool
    judgments: int
    prompts: int
    largest: float


def pairs_a_prompt(con: duckdb.DuckDBPyConnection, names: Catalog, judge: str) -> Held:
    """How a judge's pairs are spread over prompts."""
    several, judgments, prompts, largest = con.execute(
        """WITH held AS (SELECT count(*) AS n, count(DISTINCT pair_id) AS pairs FROM judgment
            WHERE dataset_id = $d AND judge_id = $j GROUP BY prompt_id),
            placed AS (SELECT *, row_number() OVER (ORDER BY n DESC) AS place, count(*) OVER () AS prompts FROM held)
        SELECT max(pairs) > 1, sum(n), count(*), sum(n) FILTER (place <= ceil(prompts / 10)) / sum(n) FROM placed""",
        {"d": names.dataset_id, "j": names.judges[judge][0]},
    ).fetchall()[0]
    return Held(bool(several), int(judgments), int(prompts), float(largest))


SCORED_PROMPTS = 500
"""Prompts in which shared scores are looked for: whether a file's pairs were made of scores shows in any of them."""


def shared_scores(con: duckdb.DuckDBPyConnection, names: Catalog) -> pd.DataFrame:
    """Judges whose pairs share scores: a response has one score in all its pairs, and more than one pair.

    judge, judgments (with scores), prompts (of those looked at, the ones with such a response)
    """
    return con.execute(
        f"""WITH picked AS (SELECT prompt_id FROM prompt WHERE dataset_id = {names.dataset_id}
                ORDER BY prompt_id LIMIT {SCORED_PROMPTS}),
            scored AS (SELECT j.*, p.response_a, p.response_b FROM judgment j JOIN pair p USING (pair_id)
                WHERE j.dataset_id = {names.dataset_id} AND score_a IS NOT NULL AND score_b IS NOT NULL
                AND j.prompt_id IN (FROM picked)),
            side AS (SELECT judge_id, annotator_id, criterion_id, variant_id, repeat, prompt_id,
                    unnest([response_a, response_b]) AS response, unnest([score_a, score_b]) AS score FROM scored),
            response AS (SELECT judge_id, prompt_id, count(*) AS n, min(score) = max(score) AS same FROM side
                GROUP BY judge_id, annotator_id, criterion_id, variant_id, repeat, prompt_id, response),
            shared AS (SELECT judge_id, count(DISTINCT prompt_id) AS prompts FROM response WHERE n > 1
                GROUP BY judge_id HAVING avg(same::INTEGER) > 0.99)
        SELECT g.name AS judge, count(*) AS judgments, any_value(prompts) AS prompts FROM judgment j
        JOIN shared s ON s.judge_id = j.judge_id JOIN judge g ON g.judge_id = j.judge_id
        WHERE j.dataset_id = {names.dataset_id} AND score_a IS NOT NULL GROUP BY g.name ORDER BY g.name"""
    ).df()


def missing_texts(con: duckdb.DuckDBPyConnection, names: Catalog) -> tuple[int, int]:
    """How many responses are judged without their text (none, or an empty one), and how many there are."""
    without, responses = con.execute(
        f"""SELECT count(*) FILTER (coalesce(trim(t.body), '') = ''), count(*) FROM response r
        LEFT JOIN text t USING (text_id) WHERE r.dataset_id = {names.dataset_id}"""
    ).fetchall()[0]
    return int(without), int(responses)
