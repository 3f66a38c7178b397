"""What did each judge say of each pair on every criterion, and of which criterion is there how much?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from data.model import Selection
from data.queries import IS_TIE, Catalog, Con, where
from data.queries.differences import UNNAMED
from data.queries.votes import Column

SAID = ("judge_id", "criterion", "pair", "prompt", "voter", "p")
ROWS = ("judge_id", "pair", "prompt", "voter", "shown", "weight", "score", "n")


def of_all_criteria(selection: Selection, names: Catalog, ties: str = "half", ranked: bool = False) -> str:
    """The condition that a resolved selection means, for judgments of whatever criterion."""
    # `where` does not ask for the only one that there is.
    return where(selection, replace(names, criteria={}), ties, ranked)


def on_pairs_of(condition: str, other: str) -> str:
    """`condition`, narrowed to the pairs with a judgment that satisfies `other`."""
    return f"{condition} AND pair_id IN (SELECT pair_id FROM judgment WHERE {other})"


def criteria_met(con: Con, condition: str) -> pd.DataFrame:
    """One row a judge and criterion: judge_id, criterion (its id), judgments, pairs, prompts, tied."""
    return con.execute(
        f"""SELECT judge_id, criterion_id AS criterion, count(*) AS judgments, count(DISTINCT pair_id) AS pairs,
        count(DISTINCT prompt_id) AS prompts, count(*) FILTER ({IS_TIE}) AS tied
        FROM judgment WHERE {condition} AND outcome <> 0 GROUP BY ALL ORDER BY ALL"""
    ).df()


def said_of_criteria(con: Con, condition: str) -> dict[str, Column]:
    """Preference for a, averaged over the orders and repeats of one annotator, one row a (judge, criterion, pair, voter).

    judge_id, criterion, pair, prompt, voter (the annotator's id; votes of nobody named on a pair are one), p; in this
    order
    """
    return _columns(
        con,
        f"""SELECT judge_id, criterion_id AS criterion, pair_id AS pair, any_value(prompt_id) AS prompt,
        coalesce(annotator_id, {UNNAMED}) AS voter, round(sum(weight * p_a) / sum(weight), 9) AS p
        FROM judgment WHERE {condition} AND outcome <> 0
        GROUP BY judge_id, criterion_id, pair_id, voter ORDER BY judge_id, criterion, pair, voter""",
        SAID,
    )


def said_of_one(con: Con, condition: str) -> dict[str, Column]:
    """Judgments of one criterion, summed over those alike in judge, pair, voter and shown order, in this order.

    judge_id, pair, prompt, voter, shown, weight, score (sums of weight and of weight * p_a), n
    """
    return _columns(
        con,
        f"""SELECT judge_id, pair_id AS pair, any_value(prompt_id) AS prompt, coalesce(annotator_id, {UNNAMED}) AS voter,
        shown, sum(weight) AS weight, sum(weight * p_a) AS score, count(*) AS n
        FROM judgment WHERE {condition} AND outcome <> 0
        GROUP BY judge_id, pair_id, voter, shown ORDER BY judge_id, pair, voter, shown""",
        ROWS,
    )


def _columns(con: Con, statement: str, names: tuple[str, ...]) -> dict[str, Column]:
    table = con.sql(statement).to_arrow_table()
    return {name: np.asarray(table[name].to_numpy()) for name in names}
