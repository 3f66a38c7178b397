"""Small sets of judged pairs for the tests of corrected rankings."""

from __future__ import annotations

import dataclasses

import numpy as np

from analysis.judged_pairs import JudgedPairs
from benchmarks.coverage_ppi import draw_pairs, world


def some_pairs(seed=0, prompts=60, pairs_a_prompt=20, labelled=0.3, models=5, whole_prompts=False, judge="good"):
    """A fair sample of pairs with one to three votes of people, ties among them."""
    of = world("toy", judge, prompts, pairs_a_prompt, labelled, whole_prompts, models)
    return draw_pairs(of, np.random.default_rng(seed))


def pairs_of(rows, models=None, prompt=None) -> JudgedPairs:
    """From (model a, model b, mean vote of people or None, mean verdict of the judge); all count fully."""
    names = models or tuple(sorted({name for row in rows for name in row[:2]}))
    at = {name: k for k, name in enumerate(names)}
    n = len(rows)
    labelled = np.array([row[2] is not None for row in rows])
    return JudgedPairs(
        models=tuple(names),
        a=np.array([at[row[0]] for row in rows]),
        b=np.array([at[row[1]] for row in rows]),
        labelled=labelled,
        weight=np.ones(n),
        human_weight=labelled.astype(float),
        human_score=np.array([0.0 if row[2] is None else row[2] for row in rows]),
        judge_weight=np.ones(n),
        judge_score=np.array([row[3] for row in rows], dtype=float),
        clusters={"pair": np.arange(n), "prompt": np.arange(n) if prompt is None else np.asarray(prompt)},
    )


def turned(pairs: JudgedPairs, some) -> JudgedPairs:
    """The same pairs with a and b exchanged in some of them."""
    return dataclasses.replace(
        pairs,
        a=np.where(some, pairs.b, pairs.a),
        b=np.where(some, pairs.a, pairs.b),
        human_score=np.where(some, pairs.human_weight - pairs.human_score, pairs.human_score),
        judge_score=np.where(some, pairs.judge_weight - pairs.judge_score, pairs.judge_score),
    )
