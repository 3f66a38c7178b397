"""Judgments of a planted world as plain arrays: many draws a second, for coverage and for tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from data.model import NONE, TIE, A, B
from data.simulate.world import Floats, Ints, Judge, World
from errors import OptionError

BLOCK_ROWS = 250_000
"""Judgments generated at a time; a prompt is never split, so one prompt's rows set the largest block."""

_BLOCK_EFFECTS = 4_000_000
"""Most prompt x model x factor values held at a time (32 MB)."""

_Y_OF_OUTCOME = np.array([np.nan, 1.0, 0.0, 0.5])


@dataclass(frozen=True, eq=False)
class Cells:
    """One entry a judgment; ids count from 0 in the order of the world's names.

    annotator : -1 where the judge has none; s : +1 a shown first, -1 b
    outcome : data.model's codes NONE, A, B, TIE; pair : number of the pair over the whole data set
    x_a, x_b : (n, n_factors) values of the two responses in standard units
    """

    prompt: Ints
    scenario: Ints
    pair: Ints
    model_a: Ints
    model_b: Ints
    judge: Ints
    annotator: Ints
    s: Ints
    outcome: Ints
    x_a: Floats
    x_b: Floats

    def __len__(self) -> int:
        return len(self.prompt)

    @property
    def y(self) -> Floats:
        """1, .5 or 0 for a; nan for a refusal (which no fit may see: drop `outcome == NONE` first)."""
        return np.asarray(_Y_OF_OUTCOME[self.outcome], dtype=np.float64)

    @property
    def x(self) -> Floats:
        """(n, n_factors) differences a - b."""
        return self.x_a - self.x_b

    def take(self, rows: Ints | slice) -> Cells:
        """The judgments at `rows` (positions, a mask or a slice)."""
        return Cells(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


@dataclass(frozen=True, eq=False)
class People:
    """The annotators of one judge: (n,) careless, (n, m) taste, (n, f) slopes, (n,) decisiveness factor."""

    careless: Ints
    taste: Floats
    slope: Floats
    decisiveness: Floats


@dataclass(frozen=True, eq=False)
class Prompts:
    """Drawn facts about n prompts: (n,) scenario, (n, m, f) x, (n, m) u, (n, f) slopes; own effects a judge."""

    scenario: Ints
    x: Floats
    u: Floats | None
    slope: Floats | None
    own_u: tuple[Floats | None, ...]
    own_slope: tuple[Floats | None, ...]


def _normal(rng: np.random.Generator, sd: float, shape: tuple[int, ...]) -> Floats | None:
    """Effects with standard deviation `sd`; None when there are none, so that no work is done for them."""
    return sd * rng.standard_normal(shape) if sd and np.prod(shape) else None


def draw_people(world: World, rng: np.random.Generator) -> list[People]:
    """Fresh annotators for every judge (none where a judge has none)."""
    people = []
    for judge in world.judges:
        n = judge.annotators
        careless = np.zeros(n, dtype=np.int64)
        careless[rng.permutation(n)[: judge.n_careless]] = 1
        people.append(
            People(
                careless,
                judge.annotator_sd * rng.standard_normal((n, len(world.models))),
                judge.annotator_slope_sd * rng.standard_normal((n, len(world.factors))),
                np.exp(judge.annotator_decisiveness_sd * rng.standard_normal(n)),
            )
        )
    return people


def draw_prompts(world: World, rng: np.random.Generator, n: int, scenario: Ints | None = None) -> Prompts:
    """n fresh prompts with all their responses; `scenario` (n,) where it is not left to chance."""
    m, f = len(world.models), len(world.factors)
    if scenario is None and len(world.scenarios) == 1:
        scenario = np.zeros(n, dtype=np.int64)
    elif scenario is None:
        scenario = rng.choice(len(world.scenarios), size=n, p=world.scenario_share)
    x = rng.standard_normal((n, m, f)) * np.array([factor.sd for factor in world.factors])
    x += world.model_factor
    x += world.scenario_factor[scenario][:, None, :]
    return Prompts(
        scenario,
        x,
        _normal(rng, world.prompt_sd, (n, m)),
        _normal(rng, world.prompt_slope_sd, (n, f)),
        tuple(_normal(rng, judge.prompt_sd, (n, m)) for judge in world.judges),
        tuple(_normal(rng, judge.prompt_slope_sd, (n, f)) for judge in world.judges),
    )


def distinct(rng: np.random.Generator, rows: int, votes: int, among: int) -> Ints:
    """(rows, votes) numbers below `among`, uniform and different within a row."""
    chosen = np.empty((rows, 0), dtype=np.int64)
    columns = []
    for vote in range(votes):
        number = rng.integers(among - vote, size=rows)
        # The number counts the people not chosen yet: step over the chosen ones in ascending order.
        for earlier in range(vote):
            number += number >= chosen[:, earlier]
        columns.append(number)
        chosen = np.sort(np.column_stack(columns), axis=1)
    return np.column_stack(columns)


def probabilities(judge: Judge, eta: Floats) -> tuple[Floats, Floats]:
    """P(a) and P(b) given log-odds (sources: Davidson 1970; Rao and Kupper 1967). The rest is P(tie)."""
    if judge.tie_model == "davidson":
        half = np.exp(-0.5 * np.abs(eta))
        # Both divided by the larger of exp(eta/2) and exp(-eta/2), which cannot overflow.
        larger = 1.0 / (1.0 + half * half + judge.tie * half)
        smaller = half * half * larger
        return np.where(eta > 0, larger, smaller), np.where(eta > 0, smaller, larger)
    return 1.0 / (1.0 + np.exp(judge.tie - eta)), 1.0 / (1.0 + np.exp(judge.tie + eta))


def log_odds(judge: Judge, cells: Cells, prompts: Prompts, people: People, number: int, first: int = 0) -> Floats:
    """eta of `world`'s docstring for the judgments of one judge; prompts count from `first`."""
    p, a, b = cells.prompt - first, cells.model_a, cells.model_b
    weights = judge.weights[cells.scenario]
    core = judge.strengths[a] - judge.strengths[b] + judge.position * cells.s
    for slope in (prompts.slope, prompts.own_slope[number]):
        if slope is not None:
            weights = weights + slope[p]
    for u in (prompts.u, prompts.own_u[number]):
        if u is not None:
            core += u[p, a] - u[p, b]
    who = cells.annotator
    if judge.annotator_slope_sd:
        weights = weights + people.slope[who]
    if judge.annotator_sd:
        core += people.taste[who, a] - people.taste[who, b]
    if weights.shape[1]:
        core += np.einsum("nf,nf->n", weights, cells.x)
    eta = judge.decisiveness * core
    if judge.annotators:
        eta *= people.decisiveness[who] * (1 - people.careless[who])
    return np.asarray(eta, dtype=np.float64)


def _layout(
    world: World, rng: np.random.Generator, prompt: Ints, model_a: Ints, model_b: Ints, first_pair: int
) -> dict[str, Ints]:
    """Which judge, annotator and shown order meets which pair, rows in the order of pairs, then judges."""
    n = len(prompt)
    votes = np.array([judge.votes for judge in world.judges])
    if world.same_pairs:
        pairs = [np.arange(n)] * len(votes)
        start = np.arange(n) * int(votes.sum())
        offset = np.concatenate([[0], np.cumsum(votes)[:-1]])
        total = n * int(votes.sum())
    else:
        judge_of_pair = (first_pair + np.arange(n)) % len(votes)
        pairs = [np.flatnonzero(judge_of_pair == j) for j in range(len(votes))]
        ends = np.cumsum(votes[judge_of_pair])
        start, offset = ends - votes[judge_of_pair], np.zeros(len(votes), dtype=np.int64)
        total = int(ends[-1]) if n else 0
    pair = np.empty(total, dtype=np.int64)
    judge_of = np.empty(total, dtype=np.int64)
    annotator = np.full(total, -1, dtype=np.int64)
    for j, judge in enumerate(world.judges):
        rows = start[pairs[j]][:, None] + offset[j] + np.arange(judge.votes)
        pair[rows] = pairs[j][:, None]
        judge_of[rows] = j
        if judge.annotators:
            annotator[rows] = distinct(rng, len(pairs[j]), judge.votes, judge.annotators)
    return {
        "prompt": prompt[pair],
        "pair": first_pair + pair,
        "model_a": model_a[pair],
        "model_b": model_b[pair],
        "judge": judge_of,
        "annotator": annotator,
        "s": 1 - 2 * rng.integers(2, size=total),
    }


def _judge_block(
    world: World, people: list[People], rng: np.random.Generator, sizes: Ints, first: int, first_pair: int
) -> Cells:
    """All judgments on `len(sizes)` fresh prompts with `sizes` pairs each; prompt ids count from `first`."""
    m = len(world.models)
    prompts = draw_prompts(world, rng, len(sizes))
    local = np.repeat(np.arange(len(sizes)), sizes)
    cumulated = np.cumsum(world.pair_share.ravel())
    cell = np.searchsorted(cumulated, rng.random(len(local)) * cumulated[-1], side="right")
    columns = _layout(world, rng, local, cell // m, cell % m, first_pair)
    p = columns["prompt"]
    n = len(p)
    cells = Cells(
        **(columns | {"prompt": p + first}),
        scenario=prompts.scenario[p],
        outcome=np.zeros(n, dtype=np.int64),
        x_a=prompts.x[p, columns["model_a"]],
        x_b=prompts.x[p, columns["model_b"]],
    )
    decide(world, cells, prompts, people, rng, first)
    return cells


def decide(
    world: World, cells: Cells, prompts: Prompts, people: list[People], rng: np.random.Generator, first: int = 0
) -> None:
    """Write an outcome for every judgment into `cells.outcome`; prompts count from `first`."""
    for j, judge in enumerate(world.judges):
        rows = np.flatnonzero(cells.judge == j)
        p_a, p_b = probabilities(judge, log_odds(judge, cells.take(rows), prompts, people[j], j, first))
        u = rng.random(len(rows))
        outcome = np.where(u < p_a, A, np.where(u >= 1.0 - p_b, B, TIE))
        if judge.refusals:
            outcome[rng.random(len(rows)) < judge.refusals] = NONE
        cells.outcome[rows] = outcome


def _pair_counts(world: World, n_judgments: int) -> Ints:
    """(prompts,) pairs on each prompt, so many that their judgments reach `n_judgments`."""
    if n_judgments < 1:
        raise OptionError(f"{n_judgments} judgments cannot be simulated: ask for at least 1")
    n_pairs = int(np.ceil(n_judgments / world.judgments_a_pair))
    if not world.same_pairs:
        # The judges take pairs in turn, so an unfinished turn may hold fewer votes than the mean.
        n_pairs += len(world.judges)
    edges = np.rint(np.cumsum(world.prompt_share()) * n_pairs).astype(np.int64)
    edges[-1] = n_pairs
    return np.diff(edges, prepend=0)


def draw_cells(world: World, rng: np.random.Generator, n_judgments: int) -> Cells:
    """`n_judgments` judgments in memory, on freshly drawn prompts and annotators.

    Rows go prompt by prompt, pair by pair, judge by judge; the last pair may lack some of its judgments.
    """
    sizes = _pair_counts(world, n_judgments)
    cells = _judge_block(world, draw_people(world, rng), rng, sizes, 0, 0)
    return cells.take(slice(0, n_judgments))


def blocks(world: World, n_judgments: int, seed: int) -> Iterator[Cells]:
    """The same in blocks of whole prompts, in bounded memory; `seed` alone decides the rows."""
    sizes = _pair_counts(world, n_judgments)
    people = draw_people(world, np.random.default_rng((seed, 0)))
    most_prompts = max(1, _BLOCK_EFFECTS // (len(world.models) * (1 + len(world.factors))))
    rows_of = sizes * world.judgments_a_pair
    first, first_pair, left, number = 0, 0, n_judgments, 0
    while left > 0:
        ends = np.cumsum(rows_of[first : first + most_prompts])
        last = first + max(1, int(np.searchsorted(ends, BLOCK_ROWS, side="right")))
        number += 1
        cells = _judge_block(world, people, np.random.default_rng((seed, number)), sizes[first:last], first, first_pair)
        yield cells.take(slice(0, left)) if len(cells) > left else cells
        left -= len(cells)
        first_pair += int(sizes[first:last].sum())
        first = last
