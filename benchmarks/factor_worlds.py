"""From which worlds are verdicts drawn to see whether factor weights and gaps hold what they promise?

Answers differ in factors; people and a judge weigh them, on the same pairs. Each answer has further merits that no
factor tells, weights vary from prompt to prompt (and from person to person), and an answer hardly better is a tie.
What intervals are held against is the pseudo-true value: the same model's coefficient fitted to the exact expected
verdicts, with all that varies integrated out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analysis.cells import Floats, Ints
from analysis.design import Design
from analysis.factor_fit import FactorFit, fit_factors
from analysis.strengths import Ties

ANSWERS = 8
"""To each prompt: the pairs of a prompt share answers, as those of several models do."""

MANY = 200_000
NODES = np.polynomial.hermite_e.hermegauss(40)
LLMFAO = Path(__file__).resolve().parents[2] / "shared" / "real" / "llmfao" / "pairs-crowd.jsonl"


@dataclass(frozen=True)
class Taste:
    """What moves one judge.

    weights : (k,) log-odds for one scale unit; position : log-odds that the answer shown first gains
    decisive : all log-odds are multiplied by it
    slope_sd : of the weights from prompt to prompt, a judge's own; person_sd : from person to person
    tie : half-width of indifference; votes : on each pair
    """

    weights: tuple[float, ...]
    decisive: float = 1.0
    position: float = 0.2
    slope_sd: float = 0.2
    person_sd: float = 0.0
    tie: float = 0.3
    votes: int = 1

    def spread(self, x: Floats, merit_sd: float) -> Floats:
        """(n,) standard deviation of the log-odds around their expectation, given the differences (k, n)."""
        within = (self.slope_sd**2 + self.person_sd**2) * (x**2).sum(axis=0)
        return np.asarray(self.decisive * np.sqrt(2 * merit_sd**2 + within))

    def expected_log_odds(self, x: Floats, first: Floats) -> Floats:
        """(n,) without what varies."""
        return np.asarray(self.decisive * (np.array(self.weights) @ x + self.position * first))


@dataclass(frozen=True)
class World:
    """Two judges over the same pairs.

    pairs : of each prompt; merit_sd : of an answer's merits that no factor tells, seen by both judges
    largest : share of all pairs that the largest prompt has; 0: all have as many
    people : annotators of the reference, crossed with prompts; 0: none are told apart
    ties : how the models take ties; with "rao-kupper" verdicts follow that model but for what varies
    texts : differences are those of published texts, not drawn
    """

    name: str
    reference: Taste
    judge: Taste
    prompts: int = 200
    pairs: int = 10
    merit_sd: float = 0.3
    largest: float = 0.0
    people: int = 0
    cluster: str = "auto"
    ties: Ties = "half"
    texts: bool = False

    @property
    def k(self) -> int:
        """Number of factors."""
        return len(self.reference.weights)

    @property
    def tastes(self) -> tuple[Taste, Taste]:
        """The reference's and the judge's."""
        return self.reference, self.judge

    def sizes(self) -> Ints:
        """(prompts,) pairs of each."""
        if not self.largest:
            return np.full(self.prompts, self.pairs)
        total = self.prompts * self.pairs
        rest = round(total * (1 - self.largest) / (self.prompts - 1))
        return np.array([total - rest * (self.prompts - 1)] + [rest] * (self.prompts - 1))


@dataclass(frozen=True)
class Pairs:
    """x : (k, n) scaled differences; prompt : (n,); a, b : (n,) answers, each with a number of its own"""

    x: Floats
    prompt: Ints
    a: Ints
    b: Ints


# -- answers and their factors ------------------------------------------------------------------------------------


def answers(n: int, k: int, rng: np.random.Generator) -> Floats:
    """(k, n) factors of answers: related to each other, every third skewed, every sixth a rare flag; a - b has a mean
    square of 1."""
    common = rng.standard_normal(n)
    x = np.sqrt(0.7) * rng.standard_normal((k, n)) + np.sqrt(0.3) * common
    x[1::3] = (np.exp(0.8 * x[1::3]) - np.exp(0.32)) / np.sqrt(np.exp(1.28) - np.exp(0.64))
    x[5::6] = (x[5::6] > 1.2816) / 0.3
    return np.asarray(x / np.sqrt(2))


def draw_pairs(of: World, rng: np.random.Generator) -> Pairs:
    """The pairs of one data set."""
    if of.texts:
        return published()
    prompt = np.repeat(np.arange(of.prompts), of.sizes())
    i = rng.integers(ANSWERS, size=len(prompt))
    j = (i + rng.integers(1, ANSWERS, len(prompt))) % ANSWERS
    a, b = prompt * ANSWERS + i, prompt * ANSWERS + j
    z = answers(of.prompts * ANSWERS, of.k, rng)
    return Pairs(z[:, a] - z[:, b], prompt, a, b)


@cache
def published(least: float = 0.02, prompts: int = 4) -> Pairs:
    """The pairs of LLMFAO's texts under their 13 prompts, in the factors measured unasked that differ in at least
    `least` of them and under so many prompts; scaled."""
    from texts.measure import measure_texts

    rows = [json.loads(line) for line in LLMFAO.read_text(encoding="utf-8").splitlines()]
    bodies: dict[str, int] = {}
    for row in rows:
        for side in ("result_x", "result_y"):
            bodies.setdefault(row[side], len(bodies))
    values = measure_texts(list(bodies), text_factors()).T
    x = values[:, [bodies[row["result_x"]] for row in rows]] - values[:, [bodies[row["result_y"]] for row in rows]]
    prompt = np.unique([row["prompt"] for row in rows], return_inverse=True)[1]
    under = np.array([np.bincount(prompt, row != 0) > 0 for row in x]).sum(axis=1)
    x = x[((x != 0).mean(axis=1) >= least) & (under >= prompts)]
    sides = np.array([[row["prompt"], row[f"model_{side}"]] for side in "xy" for row in rows])
    answer = np.unique(sides, axis=0, return_inverse=True)[1].ravel()
    return Pairs(x / np.sqrt((x**2).mean(axis=1, keepdims=True)), prompt, answer[: len(rows)], answer[len(rows) :])


def text_factors() -> list[str]:
    """Names of the factors of a text that models take unasked."""
    from texts.registry import factors

    return [factor.name for factor in factors() if factor.of == "text" and factor.usual]


# -- verdicts -----------------------------------------------------------------------------------------------------


def draw(of: World, rng: np.random.Generator) -> tuple[Design, Design]:
    """One data set: the judgments of the reference and of the judge."""
    pairs = draw_pairs(of, rng)
    merit = of.merit_sd * rng.standard_normal(int(max(pairs.a.max(), pairs.b.max())) + 1)
    edge = merit[pairs.a] - merit[pairs.b]
    drawn = [_judgments(of, taste, pairs, edge, k == 0, rng) for k, taste in enumerate(of.tastes)]
    return drawn[0], drawn[1]


def _judgments(
    of: World, taste: Taste, pairs: Pairs, edge: Floats, are_people: bool, rng: np.random.Generator
) -> Design:
    n, k = pairs.x.shape[1], of.k
    at = np.repeat(np.arange(n), taste.votes)
    slope = taste.slope_sd * rng.standard_normal((k, int(pairs.prompt.max()) + 1))
    varying = (slope[:, pairs.prompt] * pairs.x).sum(axis=0) + edge
    first = rng.choice([-1.0, 1.0], len(at))
    eta = taste.expected_log_odds(pairs.x, np.zeros(n))[at] + taste.decisive * (
        varying[at] + taste.position * first
    )
    # Who is no person among several judges each verdict alone.
    person = -1 - np.arange(len(at))
    if are_people and of.people:
        person = rng.integers(of.people, size=len(at))
        own = taste.person_sd * rng.standard_normal((k, of.people))
        eta += taste.decisive * (own[:, person] * pairs.x[:, at]).sum(axis=0)
    score = _verdicts(of, taste, eta, rng)
    clusters = {"prompt": pairs.prompt[at], "pair": at} | ({"annotator": person} if of.people else {})
    return _design(of, pairs.x, at, score, (score == 0.5).astype(float), first, clusters)


def _verdicts(of: World, taste: Taste, eta: Floats, rng: np.random.Generator) -> Floats:
    latent = eta + rng.logistic(size=len(eta))
    # An indifference of +-tie around 0 is Rao and Kupper's model.
    return np.where(np.abs(latent) < taste.tie, 0.5, (latent > 0).astype(np.float64))


def _design(
    of: World, x: Floats, at: Ints, score: Floats, tied: Floats, first: Floats, clusters: dict[str, Ints]
) -> Design:
    ones = np.ones(len(at))
    apart = tied if of.ties in ("davidson", "rao-kupper") else None
    names = tuple(f"f{k:02}" for k in range(len(x)))
    return Design(names, x, at, at, ones, score, ones.astype(np.int64), first, apart, clusters)


# -- what would be found in endless data --------------------------------------------------------------------------


def pseudo_true(of: World) -> tuple[FactorFit, FactorFit]:
    """Fits of both judges to exact expected verdicts on very many pairs; on published texts, on those there are."""
    if of.texts:
        x = published().x
    else:
        many = replace(of, prompts=MANY, pairs=1, largest=0.0)
        x = draw_pairs(many, np.random.default_rng(8)).x
    x = np.hstack([x, x])
    first = np.repeat([1.0, -1.0], x.shape[1] // 2)
    at = np.arange(x.shape[1])
    found = []
    for taste in of.tastes:
        score, tied = expected(taste, taste.expected_log_odds(x, first), taste.spread(x, of.merit_sd))
        found.append(fit_factors(_design(of, x, at, score, tied, first, {}), ties=of.ties))
    return found[0], found[1]


def expected(taste: Taste, eta: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """(n,) mean score and share of ties, over normal deviations from the expected log-odds (Gauss-Hermite)."""
    score, tied = np.zeros(len(eta)), np.zeros(len(eta))
    for node, weight in zip(*NODES, strict=True):
        at = eta + spread * node
        not_lost = _sigmoid(at + taste.tie)
        win = _sigmoid(at - taste.tie) if taste.tie else not_lost
        score += weight * (win + not_lost) / 2
        tied += weight * (not_lost - win)
    total = float(NODES[1].sum())
    return score / total, tied / total


def slopes(of: World, fit: FactorFit, x: NDArray[np.float64]) -> Floats:
    """(k,) average marginal effects in percentage points on the pairs (k, n), in closed form."""
    eta = fit.weights @ x
    tie = float(fit.parameters[-1]) if of.ties == "rao-kupper" else 0.0
    bent = sum(p * (1 - p) for p in (_sigmoid(eta - tie), _sigmoid(eta + tie)))
    return np.asarray(100 * fit.weights * np.mean(bent) / 2)


def _sigmoid(eta: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-eta)))
