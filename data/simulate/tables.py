"""A planted world as a stream of canonical tables, to be imported like any other file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from data.simulate.cells import Cells, blocks
from data.simulate.expected import Expected, expected
from data.simulate.world import Floats, Ints, World
from errors import OptionError

_WINNER = pa.array(["refused", "a", "b", "tie"])  # in the order of data.model's outcome codes

VERDICT_COLUMNS = (
    "prompt", "prompt_id", "scenario", "model_a", "model_b", "judge", "judge_kind", "annotator", "winner", "swapped",
    "repeat",
)  # fmt: skip

_VARIANTS = 24
_WORDS_APART = 10
_MOST_WORDS = 600
_USUAL_WORDS = 120


@dataclass(frozen=True, eq=False)
class Simulated:
    """Judgments to be drawn from `world`, with what was planted and what to expect.

    texts : write response texts too (filler of the right length; each response has its own)
    """

    world: World
    n_judgments: int
    seed: int = 0
    texts: bool = False

    def tables(self, chunk: int = 250_000) -> Iterator[pa.Table]:
        """Tables of at most `chunk` rows with the columns prompt, prompt_id, scenario, model_a, model_b,
        [response_a, response_b,] judge, judge_kind, annotator, winner (a, b, tie, refused), swapped, repeat (from 1),
        and NAME_a, NAME_b for each factor. Names and texts are dictionary-encoded. The rows do not depend on `chunk`.

        Raises OptionError unless n_judgments and chunk are at least 1.
        """
        if chunk < 1:
            raise OptionError(f"a table needs at least one row, not {chunk}")
        for cells in blocks(self.world, self.n_judgments, self.seed):
            repeat = repeats(self.world, cells)
            for start in range(0, len(cells), chunk):
                rows = slice(start, start + chunk)
                yield _table(self, cells.take(rows), repeat[rows])

    @property
    def columns(self) -> list[str]:
        """The names of the columns of `tables`."""
        texts = ["response_a", "response_b"] if self.texts else []
        factors = [f"{factor.name}_{side}" for factor in self.world.factors for side in "ab"]
        return [*VERDICT_COLUMNS[:5], *texts, *VERDICT_COLUMNS[5:], *factors]

    @property
    def truth(self) -> pd.DataFrame:
        """What was planted: kind, judge, scenario, name, planted (see World.truth)."""
        return self.world.truth()

    def expected(self) -> Expected:
        """Exact outcome probabilities, from which pseudo-true values are fitted."""
        return expected(self.world)


def simulate(
    world: World, n_judgments: int, seed: int = 0, chunk: int = 250_000, texts: bool = False
) -> Iterator[pa.Table]:
    """Tables of `n_judgments` judgments of `world`; see Simulated.tables."""
    return Simulated(world, n_judgments, seed, texts).tables(chunk)


def repeats(world: World, cells: Cells) -> Ints:
    """1, 2, ... within (prompt, two models, judge, annotator); a block holds all rows of its prompts."""
    m = len(world.models)
    people = 1 + max(judge.annotators for judge in world.judges)
    low, high = np.minimum(cells.model_a, cells.model_b), np.maximum(cells.model_a, cells.model_b)
    key = (((cells.prompt * m + low) * m + high) * len(world.judges) + cells.judge) * people + cells.annotator + 1
    order = np.argsort(key, kind="stable")
    ranked = key[order]
    fresh = np.flatnonzero(np.concatenate([[True], ranked[1:] != ranked[:-1]]))
    position = np.arange(len(key)) - np.repeat(fresh, np.diff(np.append(fresh, len(key))))
    repeat = np.empty(len(key), dtype=np.int64)
    repeat[order] = position + 1
    return repeat


def _encoded(codes: Ints, names: pa.Array, absent: np.ndarray | None = None) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=absent), names)


def _numbered(before: str, ids: Ints, after: str = "") -> pa.Array:
    return pc.binary_join_element_wise(before, pa.array(ids).cast(pa.string()), after, "")


def external_ids(prompts: Ints) -> pa.Array:
    """What a file calls these prompts (numbered from 0)."""
    return _numbered("t", prompts + 1)


def titles(world: World, prompts: Ints, scenarios: Ints) -> pa.Array:
    """The text of each prompt (numbered from 0) of a scenario."""
    names = pa.array(world.scenarios).take(pa.array(scenarios))
    return pc.binary_join_element_wise(_numbered("Task ", prompts + 1, " of a simulated world:"), names, " ")


def annotator_names(most: int) -> pa.Array:
    """The names of a judge's first `most` annotators."""
    return _numbered("p", np.arange(1, most + 1)) if most else pa.array([], pa.string())


def shown_values(world: World, x: Floats) -> list[np.ndarray]:
    """(n,) values of each factor as a file shows them, from (n, n_factors) in standard units."""
    return [
        factor.shown(x[:, f]).astype(np.int32 if factor.whole else np.float64) for f, factor in enumerate(world.factors)
    ]


def verdicts(world: World, cells: Cells, repeat: Ints) -> dict[str, pa.Array]:
    """The columns of `Simulated.tables` but for responses and factors."""
    ids, prompt = np.unique(cells.prompt, return_inverse=True)
    first_row = np.zeros(len(ids), dtype=np.int64)
    first_row[prompt] = np.arange(len(cells))
    models = pa.array(world.models)
    judges = pa.array([judge.name for judge in world.judges])
    kinds = sorted({judge.kind for judge in world.judges})
    kind_of = np.array([kinds.index(judge.kind) for judge in world.judges])
    people = annotator_names(max(judge.annotators for judge in world.judges))
    return {
        "prompt": _encoded(prompt, titles(world, ids, cells.scenario[first_row])),
        "prompt_id": _encoded(prompt, external_ids(ids)),
        "scenario": _encoded(cells.scenario, pa.array(world.scenarios)),
        "model_a": _encoded(cells.model_a, models),
        "model_b": _encoded(cells.model_b, models),
        "judge": _encoded(cells.judge, judges),
        "judge_kind": _encoded(kind_of[cells.judge], pa.array(kinds)),
        "annotator": _encoded(cells.annotator, people, cells.annotator < 0),
        "winner": _encoded(cells.outcome, _WINNER),
        "swapped": pa.array(cells.s < 0),
        "repeat": pa.array(repeat.astype(np.int32)),
    }


def _table(simulated: Simulated, cells: Cells, repeat: Ints) -> pa.Table:
    world = simulated.world
    columns = verdicts(world, cells, repeat)
    shown_a, shown_b = shown_values(world, cells.x_a), shown_values(world, cells.x_b)
    if simulated.texts:
        words = [f for f, factor in enumerate(world.factors) if factor.name == "words"]
        usual = np.full(len(cells), float(_USUAL_WORDS))
        for name, model, shown in (("response_a", cells.model_a, shown_a), ("response_b", cells.model_b, shown_b)):
            columns[name] = _responses(world, cells.prompt, model, shown[words[0]] if words else usual)
    for f, factor in enumerate(world.factors):
        columns[f"{factor.name}_a"] = pa.array(shown_a[f])
        columns[f"{factor.name}_b"] = pa.array(shown_b[f])
    return pa.table({name: columns[name] for name in simulated.columns})


def _responses(world: World, prompt: Ints, model: Ints, words: np.ndarray) -> pa.DictionaryArray:
    """A text for each response: its own number, then filler of about `words` words."""
    m = len(world.models)
    keys, first_row, code = np.unique(prompt * m + model, return_index=True, return_inverse=True)
    step = np.clip(np.rint(words[first_row] / _WORDS_APART), 0, _MOST_WORDS // _WORDS_APART).astype(np.int64)
    filler = _filler().take(pa.array(step * _VARIANTS + keys % _VARIANTS))
    return _encoded(code, pc.binary_join_element_wise(_numbered("Answer ", keys + 1, "."), filler, " "))


@cache
def _filler() -> pa.Array:
    """Plain sentences cut to 0, 10, 20, ... words less the two of the number, each length in several variants."""
    rng = np.random.default_rng(0)
    sentences = [
        f"{opening} {subject} {verb} {object_}."
        for opening in ("In general,", "As a rule,", "At first sight", "On closer inspection,", "In most cases")
        for subject in ("the simple plan", "a careful reader", "the second step", "a short example", "the usual method")
        for verb in ("explains", "needs", "improves", "replaces", "depends on", "comes before")
        for object_ in ("the whole list", "a clear goal", "one more test", "the open question", "what was said before")
    ]
    texts = []
    for length in range(0, _MOST_WORDS + 1, _WORDS_APART):
        for _ in range(_VARIANTS):
            picked = " ".join(sentences[k] for k in rng.integers(len(sentences), size=1 + length // 6))
            texts.append(" ".join(picked.split()[: max(0, length - 2)]))
    return pa.array(texts)
