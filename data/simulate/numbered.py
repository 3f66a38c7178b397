"""Which prompt, pair and response is each simulated judgment about, numbered as an import would number them?

An import hands out numbers from 1 in the order in which things first appear among the rows, keeps each pair as it first
appears and turns the later rows that show it the other way round. Blocks of whole prompts can be numbered one after
the other: only the counts, and the judges, models, scenarios and annotators met so far, pass from one to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from data.model import A, B
from data.simulate.cells import Cells
from data.simulate.world import Floats, Ints, World

Codes = npt.NDArray[np.int32]
Columns = dict[str, npt.NDArray[Any]]


class Appearance:
    """Numbers from 1 for codes 0 .. n - 1, in the order in which they are first met."""

    def __init__(self, n: int) -> None:
        self._number = np.zeros(n, dtype=np.int32)
        self.codes: list[int] = []

    def number(self, codes: Ints) -> Codes:
        """The numbers of `codes`, of which the new ones are met in this order."""
        new, first = np.unique(codes[self._number[codes] == 0], return_index=True)
        self.codes += new[np.argsort(first)].tolist()
        self._number[self.codes] = np.arange(1, len(self.codes) + 1)
        return self._number[codes]


@dataclass(frozen=True, eq=False)
class Numbered:
    """One block. Numbers go on where the block before ended.

    prompts : prompt, scenario, and as the world counts them (from 0) code, scenario_code
    responses : response, prompt, model; x : (n_responses, n_factors) their values in standard units
    pairs : pair, prompt, response_a, response_b, model_a, model_b
    judgments : judgment, judge, scenario, prompt, pair, model_a, model_b, annotator (0: none), outcome, shown;
        in the order of the rows, turned as the pair is kept
    """

    prompts: Columns
    responses: Columns
    x: Floats
    pairs: Columns
    judgments: Columns


class Numbering:
    """Numbers the blocks of one data set, in their order.

    judges, models, scenarios, annotators : those met so far; an annotator's code is judge * most + annotator
    """

    def __init__(self, world: World) -> None:
        self._n_models = len(world.models)
        self._count = {"prompt": 0, "response": 0, "pair": 0, "judgment": 0}
        self.most = max(judge.annotators for judge in world.judges)
        self.judges = Appearance(len(world.judges))
        self.models = Appearance(self._n_models)
        self.scenarios = Appearance(len(world.scenarios))
        self.annotators = Appearance(len(world.judges) * self.most)

    def number(self, cells: Cells) -> Numbered:
        """The next block, whose prompts are those of no other block."""
        m = self._n_models
        model = self.models.number(_alternate(cells.model_a, cells.model_b))
        model_a, model_b = model[::2], model[1::2]
        scenario = self.scenarios.number(cells.scenario)
        named = cells.annotator >= 0
        annotator = np.zeros(len(cells), dtype=np.int32)
        annotator[named] = self.annotators.number(cells.judge[named] * self.most + cells.annotator[named])

        codes, prompt_row, prompt = _in_order(cells.prompt)
        low, high = np.minimum(cells.model_a, cells.model_b), np.maximum(cells.model_a, cells.model_b)
        _, pair_row, pair = _in_order((prompt * m + low) * m + high)
        shown_models = _alternate(cells.model_a[pair_row], cells.model_b[pair_row])
        keys, response_at, response = _in_order(np.repeat(prompt[pair_row], 2) * m + shown_models)
        # A response is described by the first row that shows it, on the side on which it does.
        row, is_a = pair_row[response_at // 2], response_at % 2 == 0
        prompt_number, pair_number = self._next("prompt", prompt), self._next("pair", pair)
        response_number = self._next("response", response)
        turned = cells.model_a != cells.model_a[pair_row][pair]
        decided = (cells.outcome == A) | (cells.outcome == B)
        numbered = Numbered(
            prompts={
                "prompt": self._next("prompt", np.arange(len(codes))),
                "scenario": scenario[prompt_row],
                "code": codes,
                "scenario_code": cells.scenario[prompt_row],
            },
            responses={
                "response": self._next("response", np.arange(len(keys))),
                "prompt": self._next("prompt", keys // m),
                "model": np.where(is_a, model_a[row], model_b[row]),
            },
            x=np.where(is_a[:, None], cells.x_a[row], cells.x_b[row]),
            pairs={
                "pair": self._next("pair", np.arange(len(pair_row))),
                "prompt": prompt_number[pair_row],
                "response_a": response_number[::2],
                "response_b": response_number[1::2],
                "model_a": model_a[pair_row],
                "model_b": model_b[pair_row],
            },
            judgments={
                "judgment": self._next("judgment", np.arange(len(cells))),
                "judge": self.judges.number(cells.judge),
                "scenario": scenario,
                "prompt": prompt_number,
                "pair": pair_number,
                "model_a": np.where(turned, model_b, model_a),
                "model_b": np.where(turned, model_a, model_b),
                "annotator": annotator,
                "outcome": np.where(turned & decided, A + B - cells.outcome, cells.outcome).astype(np.int8),
                "shown": np.where(turned, -cells.s, cells.s).astype(np.int8),
            },
        )
        for name, n in (("prompt", codes), ("response", keys), ("pair", pair_row), ("judgment", cells)):
            self._count[name] += len(n)
        return numbered

    def _next(self, name: str, place: Ints) -> Codes:
        """Numbers of the things at these places of the block (from 0)."""
        return (self._count[name] + 1 + place).astype(np.int32)


def _alternate(a: Ints, b: Ints) -> Ints:
    """a[0], b[0], a[1], b[1], ..."""
    return np.stack([a, b], axis=1).ravel()


def _in_order(keys: Ints) -> tuple[Ints, Ints, Ints]:
    """Different keys in the order in which they first appear, where each first does, and each entry's place there."""
    sorted_keys, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return sorted_keys[order], first[order], place[inverse]
