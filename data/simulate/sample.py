"""The simulated sample: readable prompts, twelve invented models, people and two LLM judges, and the truth.

People like answers that attend to the question, lists in plans and code, and brevity in facts. `owl-judge` decides
firmly and loves length and lists everywhere; `magpie-judge` gives soft preferences, leans to what it sees first and
likes hedges. Styles are planted as normal values; texts follow them as far as whole words and whole list items can.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random

import numpy as np
import pandas as pd
import pyarrow as pa

from data.model import NONE, TIE, A, B
from data.simulate.cells import Cells, Prompts, decide, distinct, draw_people, draw_prompts, log_odds
from data.simulate.expected import Expected, expected
from data.simulate.texts import SCENARIOS, Style, Topic, topics, write_response
from data.simulate.world import Factor, Floats, Ints, Judge, World

MODELS = (
    "Curlew 70B", "Lapwing pro", "Avocet 2", "Godwit 34B", "Turnstone chat", "Plover 13B",
    "Whimbrel 1.5", "Fieldfare", "Bunting 8B", "Siskin mini", "Redpoll 7B", "Dunlin nano",
)  # fmt: skip
PEOPLE, OWL, MAGPIE = "people", "owl-judge", "magpie-judge"
N_PROMPTS = 300
PAIRS_A_PROMPT = 14
PEOPLE_PAIRS = 10
BOTH_ORDERS_PAIRS = 3
"""Of the pairs on a prompt, the first so many are judged by people, and by the LLM judges in both orders."""

FACTORS = (
    Factor("words", centre=112.0, unit=32.0, whole=True),
    Factor("list_items", centre=1.7, unit=1.7, whole=True),
    Factor("bold", centre=0.7, unit=1.1, whole=True),
    Factor("hedges", centre=0.8, unit=0.9, whole=True),
    Factor("first_person", centre=0.4, unit=0.8, whole=True),
    Factor("questions", centre=0.2, unit=0.5, whole=True),
)

_STRENGTHS = np.array([1.05, 0.85, 0.7, 0.45, 0.3, 0.1, -0.05, -0.25, -0.45, -0.65, -0.9, -1.15])
_OWL_TASTE = np.array([0.0, 0.35, -0.3, 0.3, 0.05, -0.25, 0.3, -0.2, 0.1, -0.15, -0.1, -0.1])
_MAGPIE_TASTE = np.array([-0.25, 0.0, 0.15, -0.1, 0.3, 0.15, -0.35, 0.3, -0.1, 0.2, -0.15, -0.15])

#                          words  lists  bold   hedges first  questions
_PEOPLE_WEIGHTS = np.array([0.12, 0.10, 0.05, -0.12, -0.04, 0.06])
_OWL_WEIGHTS = np.array([0.34, 0.26, 0.14, -0.16, -0.12, 0.02])
_MAGPIE_WEIGHTS = np.array([0.10, 0.04, 0.04, 0.16, -0.04, 0.10])
_PEOPLE_IN = {
    "code": (0.0, 0.20, 0.10, -0.05, -0.10, 0.0),
    "advice": (0.0, -0.10, 0.0, 0.10, 0.22, 0.10),
    "creative": (0.10, -0.15, 0.0, -0.05, 0.10, 0.0),
    "plan": (0.05, 0.25, 0.10, 0.0, 0.0, 0.0),
    "facts": (-0.32, -0.15, 0.0, -0.10, -0.05, -0.10),
    "summarise": (-0.25, 0.05, 0.0, -0.05, -0.05, -0.05),
}
_MAGPIE_IN = {"advice": (0.0, 0.0, 0.0, 0.15, 0.0, 0.10), "facts": (-0.15, 0.0, 0.0, -0.10, 0.0, 0.0)}
_USUAL_STYLE = {
    "plan": (0.2, 0.8, 0.3, -0.2, 0.0, 0.0),
    "creative": (0.1, 0.4, 0.2, -0.3, 0.0, 0.2),
    "facts": (-0.5, -0.4, -0.2, 0.1, -0.2, -0.2),
    "summarise": (-0.2, 0.2, 0.0, -0.4, -0.3, -0.2),
    "advice": (0.2, 0.0, 0.0, 0.2, 0.4, 0.2),
    "compare": (0.1, 0.2, 0.1, 0.2, 0.0, 0.1),
    "explain": (0.2, -0.2, 0.0, 0.1, 0.0, 0.0),
}


def _by_scenario(base: Floats, departures: Mapping[str, tuple[float, ...]]) -> Floats:
    return np.stack([base + np.array(departures.get(name, (0.0,) * len(base))) for name in SCENARIOS])


def _prompt_list() -> list[tuple[Topic, int]]:
    """The first prompts of all topics, then the second, then the third, the scenarios taking turns."""
    scenarios = [[topic for topic in topics() if topic.scenario == name] for name in SCENARIOS]
    in_turn = [topic for same_place in zip(*scenarios, strict=True) for topic in same_place]
    return [(topic, number) for number in range(3) for topic in in_turn][:N_PROMPTS]


def sample_world() -> World:
    """What is planted in the sample."""
    asked = [list(SCENARIOS).index(topic.scenario) for topic, _ in _prompt_list()]
    rng = np.random.default_rng(12)
    people = Judge(
        PEOPLE, "human", _STRENGTHS, _by_scenario(_PEOPLE_WEIGHTS, _PEOPLE_IN), tie=0.45, prompt_sd=0.1,
        annotators=60, annotator_sd=0.2, annotator_slope_sd=0.1, annotator_decisiveness_sd=0.25, careless=0.08, votes=3,
    )  # fmt: skip
    owl = Judge(
        OWL, "llm", _STRENGTHS + _OWL_TASTE, _by_scenario(_OWL_WEIGHTS, {}), decisiveness=1.8, position=0.08,
        tie=0.15, prompt_sd=0.15, refusals=0.005,
    )  # fmt: skip
    magpie = Judge(
        MAGPIE, "llm", 0.8 * _STRENGTHS + _MAGPIE_TASTE, _by_scenario(_MAGPIE_WEIGHTS, _MAGPIE_IN), decisiveness=1.3,
        position=0.45, prompt_sd=0.3, refusals=0.02,
    )  # fmt: skip
    return World(
        models=MODELS,
        judges=(people, owl, magpie),
        factors=FACTORS,
        scenarios=tuple(SCENARIOS.values()),
        model_factor=0.55 * rng.standard_normal((len(MODELS), len(FACTORS))),
        scenario_factor=_by_scenario(np.zeros(len(FACTORS)), _USUAL_STYLE),
        scenario_share=np.bincount(asked, minlength=len(SCENARIOS)) / N_PROMPTS,
        prompts=N_PROMPTS,
        prompt_sd=0.3,
        prompt_slope_sd=0.08,
    )


@dataclass(frozen=True, eq=False)
class Sample:
    """The sample's judgments with what was planted and what to expect."""

    world: World
    table: pa.Table

    def tables(self) -> Iterator[pa.Table]:
        """The judgments with the columns prompt, prompt_id, scenario, model_a, model_b, response_a, response_b,
        judge, judge_kind, annotator, winner, p_a (magpie-judge only), swapped, repeat; texts dictionary-encoded."""
        yield self.table

    @property
    def truth(self) -> pd.DataFrame:
        """What was planted: kind, judge, scenario, name, planted (see World.truth)."""
        return self.world.truth()

    def expected(self) -> Expected:
        """Exact outcome probabilities, from which pseudo-true values are fitted."""
        return expected(self.world)


def sample(seed: int = 0) -> Sample:
    """Draw the sample; equal seeds give equal tables."""
    world = sample_world()
    rng = np.random.default_rng((seed, 300))
    asked = _prompt_list()
    scenario = np.array([list(SCENARIOS).index(topic.scenario) for topic, _ in asked])
    prompts = draw_prompts(world, rng, N_PROMPTS, scenario)
    people = draw_people(world, rng)
    cells, repeat = _design(world, prompts, rng)
    decide(world, cells, prompts, people, rng)
    p_a = np.full(len(cells), np.nan)
    soft = np.flatnonzero((cells.judge == 2) & (cells.outcome != NONE))
    eta = log_odds(world.judges[2], cells.take(soft), prompts, people[2], 2)
    p_a[soft] = np.round(1.0 / (1.0 + np.exp(-eta)), 3)
    cells.outcome[soft] = np.where(p_a[soft] > 0.5, A, np.where(p_a[soft] < 0.5, B, TIE))
    return Sample(world, _as_table(world, cells, repeat, p_a, asked, _responses(world, prompts, asked, seed)))


def _design(world: World, prompts: Prompts, rng: np.random.Generator) -> tuple[Cells, Ints]:
    """Who judges what: on each prompt PAIRS_A_PROMPT different pairs of models, turned at random."""
    low, high = np.triu_indices(len(MODELS), 1)
    picked = rng.permuted(np.tile(np.arange(len(low)), (N_PROMPTS, 1)), axis=1)[:, :PAIRS_A_PROMPT].ravel()
    turned = rng.integers(2, size=len(picked)).astype(bool)
    model_a = np.where(turned, high[picked], low[picked])
    model_b = np.where(turned, low[picked], high[picked])
    place = np.tile(np.arange(PAIRS_A_PROMPT), N_PROMPTS)
    by_people = np.flatnonzero(place < PEOPLE_PAIRS)
    twice = np.flatnonzero(place < BOTH_ORDERS_PAIRS)
    every = np.arange(len(picked))
    votes = world.judges[0].votes
    pair = np.concatenate([np.repeat(by_people, votes), every, twice, every, twice])
    judge = np.repeat([0, 1, 2], [len(by_people) * votes, len(every) + len(twice), len(every) + len(twice)])
    annotator = np.full(len(pair), -1)
    annotator[judge == 0] = distinct(rng, len(by_people), votes, world.judges[0].annotators).ravel()
    s = 1 - 2 * rng.integers(2, size=len(pair))
    repeat = np.ones(len(pair), dtype=np.int64)
    for j in (1, 2):
        rows = np.flatnonzero(judge == j)
        s[rows[len(every) :]] = -s[rows[twice]]
        repeat[rows[len(every) :]] = 2
    prompt = pair // PAIRS_A_PROMPT
    cells = Cells(
        prompt=prompt, scenario=prompts.scenario[prompt], pair=pair, model_a=model_a[pair], model_b=model_b[pair],
        judge=judge, annotator=annotator, s=s, outcome=np.zeros(len(pair), dtype=np.int64),
        x_a=prompts.x[prompt, model_a[pair]], x_b=prompts.x[prompt, model_b[pair]],
    )  # fmt: skip
    order = np.lexsort((repeat, judge, pair))
    return cells.take(order), repeat[order]


def _responses(world: World, prompts: Prompts, asked: list[tuple[Topic, int]], seed: int) -> list[str]:
    """The text of every (prompt, model), prompt by prompt."""
    shown = np.stack([factor.shown(prompts.x[:, :, f]) for f, factor in enumerate(world.factors)], axis=2).astype(int)
    texts = []
    for p, (topic, number) in enumerate(asked):
        for m in range(len(MODELS)):
            rng = Random(f"{seed} {p} {m}")
            words, items, bold, hedges, first_person, questions = shown[p, m].tolist()
            style = Style(
                words=min(max(words, 30), 230),
                items=min(items, 5),
                bold=min(bold, 5),
                hedges=min(hedges, 4),
                first_person=min(first_person, 3),
                question=questions > 0,
                apology=hedges >= 2 and rng.random() < 0.25,
                care=float(np.clip(0.6 + 0.35 * _STRENGTHS[m], 0.15, 0.97)),
            )
            texts.append(write_response(topic, number, style, rng))
    return texts


def _as_table(
    world: World, cells: Cells, repeat: Ints, p_a: Floats, asked: list[tuple[Topic, int]], texts: list[str]
) -> pa.Table:
    def encoded(codes: Ints, names: list[str], absent: np.ndarray | None = None) -> pa.DictionaryArray:
        # Two models may have written the same text, and a dictionary's values must differ.
        distinct_names = list(dict.fromkeys(names))
        place = {name: k for k, name in enumerate(distinct_names)}
        merged = np.array([place[name] for name in names], dtype=np.int32)[codes]
        return pa.DictionaryArray.from_arrays(pa.array(merged, mask=absent), pa.array(distinct_names))

    ids = [f"q{p + 1:03d}" for p in range(N_PROMPTS)]
    people = [f"p{r + 1:02d}" for r in range(world.judges[0].annotators)]
    m = len(MODELS)
    return pa.table(
        {
            "prompt": encoded(cells.prompt, [topic.prompts[number] for topic, number in asked]),
            "prompt_id": encoded(cells.prompt, ids),
            "scenario": encoded(cells.scenario, list(world.scenarios)),
            "model_a": encoded(cells.model_a, list(MODELS)),
            "model_b": encoded(cells.model_b, list(MODELS)),
            "response_a": encoded(cells.prompt * m + cells.model_a, texts),
            "response_b": encoded(cells.prompt * m + cells.model_b, texts),
            "judge": encoded(cells.judge, [judge.name for judge in world.judges]),
            "judge_kind": encoded(cells.judge, [judge.kind for judge in world.judges]),
            "annotator": encoded(np.maximum(cells.annotator, 0), people, cells.annotator < 0),
            "winner": encoded(cells.outcome, ["refused", "a", "b", "tie"]),
            "p_a": pa.array(p_a, mask=np.isnan(p_a)),
            "swapped": pa.array(cells.s < 0),
            "repeat": pa.array(repeat.astype(np.int32)),
        }
    )
