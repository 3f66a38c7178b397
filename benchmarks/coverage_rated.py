"""Do intervals hold where responses were rated by themselves, so that pairs of a prompt share ratings? Many data sets.

    python -m benchmarks.coverage_rated [--runs 500] [--workers 2] [--world NAME]...

Every run draws prompts, what each model's answer to a prompt is worth, and ratings: of several people, each with noise
of their own, in steps (so that equal ratings are ties) or without, some of them missing; and of one judge. Some prompts
have many more responses than others, and there models lie closer together. All pairs of a prompt and a rater become
judgments, as in data/unfold.py. Coverage is of what the same estimators give on very many prompts, where prompts are
drawn; of what they give with very many raters, where they are the same in all runs. Promised: 93-97 % over all
quantities of a kind. Other ways of clustering are shown beside it, and promise nothing.
"""

from __future__ import annotations

import os

# Two processes share two cores: each with one thread for its small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
import pandas as pd

from analysis.agreement import PairVotes
from analysis.cells import Cells, Floats, Ints
from analysis.cluster_sums import Figures
from analysis.compare import compare_strengths
from analysis.judge_agreement import agree, hold_out
from analysis.vcov import Clustering, choose_clustering
from analysis.winrate import Duels, logit_bounds, win_rates
from benchmarks.repeat import broken_promises, promised, repeat, report
from errors import JurylensError

POOLED = (0.93, 0.97)
EACH = (0.91, 0.985)
NOTHING = (0.0, 1.0)
MANY_PAIRS = 400_000
AGREEMENT = ("agreement", "kappa", "fleiss", "alpha", "agreement_no_ties", "kappa_no_ties", "alpha_no_ties")
HELD_OUT = ("ceiling", "against_others", "advantage")


@dataclass(frozen=True)
class World:
    """Raters who see what answers are worth, with noise.

    responses : to most prompts; most : to a share `many` of them; raters : people a prompt; steps : of the scale, 0 for
    none; missing : share of ratings; prompt_sd : of what is peculiar to model and prompt; noise : of a single rating
    fixed : whether the prompts are the same in all runs; own : sd of what a rater thinks of a model, panel : how many
    raters there are, 0 where each prompt has its own
    ways : of clustering beside the promised one
    """

    name: str
    prompts: int
    responses: int = 4
    most: int = 4
    many: float = 0.0
    models: int = 8
    raters: int = 3
    steps: int = 5
    missing: float = 0.0
    prompt_sd: float = 0.7
    noise: float = 1.0
    fixed: bool = False
    own: float = 0.0
    panel: int = 0
    promise: str = "prompt"
    ways: tuple[str, ...] = ("pair", "none")


def worlds() -> tuple[World, ...]:
    """The worlds that are looked at, headline first."""
    return (
        World("60 prompts of 4, 3 people, 5 steps", 60),
        World("60 prompts, 8 responses, 1 person, no steps", 60, responses=8, most=8, raters=1, steps=0),
        World("40 prompts of 3, some of 8, 3 people, a fifth missing", 40, responses=3, most=8, many=0.2, missing=0.2),
        World("20 prompts of 8, 5 people", 20, responses=8, most=8, raters=5),
        World("200 prompts of 3, some of 20", 200, responses=3, most=20, many=0.05, models=20, raters=2),
        World("60 prompts of 4, a panel of 12", 60, own=0.4, panel=12, promise="prompt+annotator",
              ways=("prompt", "annotator")),
        World("8 prompts of 8", 8, responses=8, most=8),
        World("8 prompts of 8, the same in all runs", 8, responses=8, most=8, fixed=True, promise="",
              ways=("prompt", "pair")),
    )  # fmt: skip


@dataclass(frozen=True)
class Ratings:
    """One data set, a row a pair of rated responses. i, j : models, i < j; person : score of i by each rater, NaN where
    one is missing, (n, raters); judge : (n,); prompt, rater : who and where; the first is (n, raters)"""

    i: Ints
    j: Ints
    prompt: Ints
    person: Floats
    judge: Floats
    rater: Ints


def draw(of: World, rng: np.random.Generator, worth: tuple[Ints, Floats] | None = None) -> Ratings:
    """One data set. worth : (prompts,) responses and (prompts, models) what they are worth, where prompts are fixed"""
    size, value = worth or draw_prompts(of, rng)
    n = len(size)
    met = np.argsort(np.zeros((n, of.models)) if of.fixed else rng.random((n, of.models)), axis=1, kind="stable")
    there = np.zeros((n, of.models), dtype=bool)
    np.put_along_axis(there, met, np.arange(of.models) < size[:, None], axis=1)
    who = np.arange(n * of.raters).reshape(n, of.raters)
    if of.panel:
        who = np.argsort(rng.random((n, of.panel)), axis=1)[:, : of.raters]
    taste = of.own * rng.standard_normal((of.panel, of.models))[who] if of.panel else 0.0
    seen = value[:, None, :] + taste + of.noise * rng.standard_normal((n, of.raters, of.models))
    judged = 1.2 * value + 0.5 * rng.standard_normal((n, of.models)) + 0.15 * np.linspace(-1, 1, of.models) ** 2
    if of.steps:
        # A rater's steps are quantiles of what is usual, shifted by how strict he or she is.
        cuts = np.linspace(-1.5, 1.5, of.steps - 1)
        strict = 0.4 * rng.standard_normal((n, of.raters, 1))
        seen, judged = (np.searchsorted(cuts, some).astype(np.float64) for some in (seen + strict, judged))
    seen[rng.random(seen.shape) < of.missing] = np.nan
    i, j = np.triu_indices(of.models, 1)
    prompt, pair = np.nonzero(there[:, i] & there[:, j])
    first, second = i[pair], j[pair]

    def preferred(one: Floats, two: Floats) -> Floats:
        return np.where(np.isnan(one - two), np.nan, (1 + np.sign(one - two)) / 2)

    person = preferred(seen[prompt, :, first], seen[prompt, :, second])
    judge = preferred(judged[prompt, first], judged[prompt, second])
    return Ratings(first, second, prompt, person, judge, who[prompt])


def draw_prompts(of: World, rng: np.random.Generator) -> tuple[Ints, Floats]:
    """How many responses each prompt has, and what each model's response is worth there."""
    size = np.where(rng.random(of.prompts) < of.many, of.most, of.responses)
    spread = np.where(size > of.responses, 0.5, 1.0)[:, None]
    value = np.linspace(0.8, -0.8, of.models) + of.prompt_sd * rng.standard_normal((of.prompts, of.models))
    return size, spread * value


def clustering_of(name: str) -> Clustering:
    return choose_clustering(name, 1_000)


Found = dict[str, tuple[Floats, Floats, Floats]]


def estimate(of: World, data: Ratings, way: str) -> Found:
    """(estimate, lower, upper) of each kind of quantity, under one way of clustering."""
    by = clustering_of(way)
    models = tuple(f"m{k:02d}" for k in range(of.models))
    pair = np.arange(len(data.i))
    row, rater = np.nonzero(~np.isnan(data.person))
    y = data.person[row, rater]
    codes = {"prompt": data.prompt[row], "pair": pair[row], "annotator": data.rater[row, rater]}
    one = np.ones(len(row))
    people = Cells(models, data.i[row], data.j[row], one, y, one.astype(np.int64), clusters=codes)
    voted = np.unique(row)
    whole = np.ones(len(voted))
    alone = {"prompt": data.prompt[voted], "pair": voted, "annotator": np.full(len(voted), -1)}
    judge = Cells(
        models, data.i[voted], data.j[voted], whole, data.judge[voted], whole.astype(np.int64), clusters=alone
    )
    compared = compare_strengths(people, judge, by, np.random.default_rng(0), alike=False)
    if compared.not_compared:
        raise JurylensError("a model is not on one scale with the others")
    k, joint = of.models, compared.gaps.joint
    half = joint.quantiles.two_sided() * joint.se[:k]
    strength = compared.gaps.reference
    table = compared.gaps.table()
    gap, low, high = (table[c].to_numpy(dtype=np.float64, na_value=np.nan) for c in ("gap", "lower", "upper"))
    found: Found = {"strengths": (strength, strength - half, strength + half), "gaps": (gap, low, high)}
    against = people.j == of.models - 1
    mine = {name: code[against] for name, code in codes.items()}
    duels = Duels(models, people.i[against], one[against], y[against], mine["prompt"], mine["pair"], clusters=mine)
    rates = win_rates(duels, by)
    ends = np.array([logit_bounds(c, 0.95) for c in rates.covariance], dtype=np.float64).T
    found["win rates"] = (100 * rates.rate, ends[0], ends[1])
    if way in ("prompt", "pair", "none"):
        figures = _agreement(data, voted, by)
        found["agreement"] = figures
    return found


def _agreement(data: Ratings, voted: Ints, by: Clustering) -> tuple[Floats, Floats, Floats]:
    person = data.person[voted]
    labels = np.stack([(person == y).sum(axis=1) for y in (1.0, 0.0, 0.5)], axis=1).astype(np.int64)
    mine = np.stack([data.judge[voted] == y for y in (1.0, 0.0, 0.5)], axis=1).astype(np.int64)
    code = data.prompt[voted] if by.name == "prompt" else voted
    votes = PairVotes(labels, mine, code.astype(np.int64), np.zeros(len(code), dtype=np.int64))
    parts: list[tuple[Figures, tuple[str, ...]]] = [(agree(votes, by), AGREEMENT)]
    if labels.sum(axis=1).max() > 1:
        parts.append((hold_out(votes, by), HELD_OUT))
    value, low, high = [], [], []
    for figures, names in parts:
        lower, upper = figures.interval()
        for name in names:
            at = figures.names.index(name)
            value.append(figures.value[at])
            low.append(lower[at])
            high.append(upper[at])
    return np.array(value), np.array(low), np.array(high)


@lru_cache(maxsize=8)
def truth(of: World) -> tuple[dict[str, Floats], tuple[Ints, Floats] | None]:
    """What the estimators give on very many prompts; of fixed ones with very many raters, and these prompts."""
    rng = np.random.default_rng(99)
    share = (1 - of.many) * of.responses * (of.responses - 1) / 2 + of.many * of.most * (of.most - 1) / 2
    if not of.fixed:
        many = replace(of, prompts=max(2_000, int(MANY_PAIRS / share / of.raters)), panel=0,
                       noise=float(np.hypot(of.noise, of.own)) if of.panel else of.noise)  # fmt: skip
        found = estimate(many, draw(many, rng), "prompt")
        return {name: at for name, (at, _, _) in found.items()}, None
    size, value = draw_prompts(of, rng)
    times = int(MANY_PAIRS / share / of.raters / of.prompts)
    many = replace(of, prompts=of.prompts * times)
    found = estimate(many, draw(many, rng, (np.tile(size, times), np.tile(value, (times, 1)))), "prompt")
    return {name: at for name, (at, _, _) in found.items()}, (size, value)


def simulate_run(of: World, seed: int) -> dict[tuple[str, str], Floats]:
    """Whether each interval holds its exact value, NaN where there is none, by way of clustering and quantity; nothing
    where a model won or lost all."""
    exact, fixed = truth(of)
    data = draw(of, np.random.default_rng((8, seed)), fixed)
    out: dict[tuple[str, str], Floats] = {}
    for way in filter(None, (of.promise, *of.ways)):
        try:
            estimated = estimate(of, data, way)
        except JurylensError:
            return {}
        for name, (_, low, high) in estimated.items():
            held = ((low <= exact[name]) & (exact[name] <= high)).astype(np.float64)
            out[way, name] = np.where(np.isnan(low), np.nan, held)
    return out


def run_world(of: World, runs: int, workers: int = 2) -> pd.DataFrame:
    """One row a way of clustering and kind of quantity: world, quantity, coverage, each_low, each_high, runs,
    promised_low, promised_high."""
    truth(of)
    found = [run for run in repeat(partial(simulate_run, of), runs, workers) if run]
    rows = []
    for way, name in found[0]:
        each = np.nanmean([run[way, name] for run in found], axis=0)
        low, high = POOLED if way == of.promise else NOTHING
        rows.append(promised(of.name, f"{name}, by {way}", float(each.mean()), low, high, runs,
                             (float(each.min()), float(each.max()))))  # fmt: skip
    return pd.DataFrame(rows)


def measure(runs: int, workers: int, names: Sequence[str] = ()) -> pd.DataFrame:
    """The table of all worlds, or of those named."""
    chosen = [of for of in worlds() if not names or of.name in names]
    return pd.concat([run_world(of, runs, workers) for of in chosen], ignore_index=True)


main: Callable[[], int] = partial(report, __doc__, measure, broken_promises, [of.name for of in worlds()])

if __name__ == "__main__":
    sys.exit(main())
