"""Under which prompts should the planned pairs of models be judged, and which response is shown first?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.cells import Floats, Ints


@dataclass(frozen=True)
class Assigned:
    """Pairs of responses to be judged, in the order in which they should be.

    row : (n,) which planned pair; prompt : (n,) index of the prompt; turned : (n,) whether the pair's second model is
    shown first
    """

    row: Ints
    prompt: Ints
    turned: np.ndarray[tuple[int], np.dtype[np.bool_]]


def assign_prompts(
    a: Ints, b: Ints, ask: Ints, prompts_of: dict[int, Ints], judged: dict[int, Ints], use: Floats,
    rng: np.random.Generator,
) -> Assigned:  # fmt: skip
    """For each planned pair of models the least used prompts under which both have a response and the judge gave none.

    a, b, ask : (n_rows,) the plan; prompts_of : model -> ascending prompts under which it has a response
    judged : row -> prompts under which the judge judged this pair of models already
    use : (n_prompts,) judgments of the judge under each prompt; what is asked counts on the way. Ties by chance.

    Rows take turns, so that whoever stops early has done a little of each; sides are drawn for every pair.
    """
    used = np.array(use, dtype=np.float64)
    rows, prompts, turns = [], [], []
    for row, (i, j, n) in enumerate(zip(a.tolist(), b.tolist(), ask.tolist(), strict=True)):
        both = np.intersect1d(prompts_of[i], prompts_of[j], assume_unique=True)
        both = np.setdiff1d(both, judged.get(row, np.zeros(0, dtype=np.int64)), assume_unique=True)
        chosen = both[np.lexsort((rng.random(len(both)), used[both]))][:n]
        used[chosen] += 1
        rows.append(np.full(len(chosen), row))
        prompts.append(chosen)
        turns.append(np.arange(len(chosen)))
    of, under, turn = (np.concatenate(part or [np.zeros(0)]).astype(np.int64) for part in (rows, prompts, turns))
    order = np.lexsort((of, turn))
    return Assigned(of[order], under[order], rng.random(len(order)) < 0.5)
