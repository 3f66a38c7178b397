"""How often do three models beat one another in a circle, and how often would they by chance under the fit?

Cyclic triples are those of Kendall and Babington Smith (1940), with a pair of equal shares going either way by halves.
The Hodge residual is the share of the squared empirical log-odds that no potential explains (Jiang, Lim, Yao and Ye
2011). Neither is 0 under a true scale, because shares vary: both are held against data sets drawn from the fit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import lsq_linear

from analysis.bradley_terry import BradleyTerry
from analysis.cells import Floats, Ints, PairCounts
from analysis.pair_residuals import Entries, Expected, Tick
from analysis.vcov import Covariance

MOST_TRIPLES = 200_000
"""Triples looked at; of more than these a random part is taken."""

MOST_WEDGES = 3_000_000
"""Pairs of opponents of one model that are looked through; of more a random part is taken."""

BLOCK_ENTRIES = 4_000_000
HALF_COUNT = 0.5


@dataclass(frozen=True)
class Triples:
    """Triples of models i < j < k of which each pair has met.

    ij, jk, ik : (n,) rows of the pair table; total : how many triples there are, estimated when `sampled`
    """

    ij: Ints
    jk: Ints
    ik: Ints
    total: float
    sampled: bool


def find_triples(counts: PairCounts, rng: np.random.Generator) -> Triples:
    """All triples that have met, or a random part of them.

    A triple is found once, from its first model and two later opponents of that model (a wedge); where there are too
    many wedges, wedges drawn at random close with the probability that total / wedges says (Schank and Wagner 2005).
    """
    n, rows = counts.n_models, np.argsort(counts.a * counts.n_models + counts.b, kind="stable")
    key = (counts.a * n + counts.b)[rows]
    a, b = counts.a[rows], counts.b[rows]
    starts = np.searchsorted(a, np.arange(n + 1))
    later = np.diff(starts)
    wedges = later * (later - 1) // 2
    n_wedges = int(wedges.sum())
    if n_wedges <= MOST_WEDGES:
        parts = [np.triu_indices(m, 1) for m in later]
        first = np.concatenate([s + u for s, (u, _) in zip(starts, parts, strict=False)] or [starts[:0]])
        second = np.concatenate([s + v for s, (_, v) in zip(starts, parts, strict=False)] or [starts[:0]])
        drawn = 1.0
    else:
        centre = np.searchsorted(np.cumsum(wedges), rng.integers(0, n_wedges, MOST_WEDGES // 3), side="right")
        u = rng.integers(0, later[centre])
        v = (u + rng.integers(1, later[centre])) % later[centre]
        first, second = starts[centre] + np.minimum(u, v), starts[centre] + np.maximum(u, v)
        drawn = len(centre) / n_wedges
    closing = b[first] * n + b[second]
    at = np.minimum(np.searchsorted(key, closing), len(key) - 1) if len(key) else closing
    closed = key[at] == closing if len(key) else np.zeros(0, dtype=bool)
    ij, ik, jk = rows[first[closed]], rows[second[closed]], rows[at[closed]]
    total = len(ij) / drawn
    sampled = drawn < 1
    if len(ij) > MOST_TRIPLES:
        some = np.sort(rng.choice(len(ij), MOST_TRIPLES, replace=False))
        ij, ik, jk, sampled = ij[some], ik[some], jk[some], True
    return Triples(ij, jk, ik, total, sampled)


def directions(share: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
    """2 where the first model of a pair has the majority, 0 where the second has, 1 between."""
    return (np.sign(np.round(share - 0.5, 12)) + 1).astype(np.int8)


def cyclic(triples: Triples, way: np.ndarray[tuple[int, ...], np.dtype[np.int8]]) -> Floats:
    """(...,) cyclic triples among `triples`, for (..., n_pairs) directions."""
    ij, jk, ik = way[..., triples.ij], way[..., triples.jk], way[..., triples.ik]
    found = ij * jk * (2 - ik) + (2 - ij) * (2 - jk) * ik
    return np.asarray(found.sum(axis=-1, dtype=np.int64) / 8.0)


@dataclass(frozen=True)
class Spread:
    """How shares vary around what is expected: variance of a share of n judgments in one cluster, in units of
    p(1 - p): (level + (n - 1) * together) / n. Both lie in [0, 1].
    """

    level: float
    together: float


def find_spread(entries: Entries, expected: Expected, n_parameters: int) -> Spread:
    """By least squares of squared residuals on what judgments alone and together in a cluster would give.

    A soft judge varies less than a coin (level < 1), verdicts on one prompt vary together (together > 0).
    """
    p = expected.share[entries.row]
    n = entries.count
    unit = n * n * p * (1 - p)
    square = (n * entries.residual / entries.weight) ** 2
    square *= len(n) / max(len(n) - n_parameters, 1)
    sizes, group = np.unique(n, return_inverse=True)
    observed, possible = np.bincount(group, square), np.bincount(group, unit)
    trust = np.sqrt(possible / sizes)
    design = np.column_stack([np.ones(len(sizes)), sizes - 1]) * (possible / sizes)[:, None] / trust[:, None]
    if len(sizes) == 1:
        found = float(observed[0] / possible[0] * sizes[0])
        level = float(np.clip(found, 1e-6, 1.0))
        together = (found - level) / (sizes[0] - 1) if sizes[0] > 1 else 0.0
        return Spread(level, float(np.clip(together, 0.0, 1.0)))
    level, together = lsq_linear(design, observed / trust, bounds=([1e-6, 0.0], [1.0, 1.0])).x
    return Spread(float(level), float(together))


def model_variance(counts: PairCounts, entries: Entries, expected: Expected, n_parameters: int) -> Floats:
    """(n_pairs,) variance of each pair's share if it varied as shares do on the whole."""
    spread = find_spread(entries, expected, n_parameters)
    n, p = entries.count, expected.share
    one = entries.weight**2 * (spread.level + (n - 1) * spread.together) / n
    return np.asarray(p * (1 - p) * np.bincount(entries.row, one, len(p)) / counts.weight**2)


def share_drawer(counts: PairCounts, entries: Entries | None, spread: Spread) -> Callable[..., Floats]:
    """A function (rng, expected shares (draws, n_pairs)) -> drawn shares, varying as `spread` says.

    entries : the clusters within pairs; None takes each judgment as its own
    """
    if entries is None:
        effective, within = counts.weight**2 / (counts.weight**2 / counts.count), np.ones(len(counts.a))
    else:
        square = np.bincount(entries.row, entries.weight**2 / entries.count, len(counts.a))
        effective = counts.weight**2 / square
        within = np.bincount(entries.row, entries.weight**2, len(counts.a)) / square
    number = np.maximum(np.rint(effective), 1).astype(np.int64)
    ratio = spread.together / spread.level
    # One correlation a pair, with the variance that its clusters of different sizes give.
    alike = np.clip(ratio * (within - 1) / np.maximum(number - 1, 1), 0.0, 1 - 1e-9)
    shrink = np.sqrt(spread.level)

    def draw(rng: np.random.Generator, p: Floats) -> Floats:
        chance = p
        if ratio > 0:
            loose = alike > 1e-9
            scale = (1 - alike[loose]) / alike[loose]
            chance = p.copy()
            # Beta's parameters may not be 0: a share of 1e-12 is one never drawn.
            inner = np.clip(p[:, loose], 1e-12, 1 - 1e-12)
            chance[:, loose] = rng.beta(inner * scale, (1 - inner) * scale)
        drawn = rng.binomial(number, chance) / number
        return np.asarray(p + shrink * (drawn - p))

    return draw


@dataclass(frozen=True)
class Hodge:
    """The log-odds of a pair table split into potential differences and the rest.

    weight : (n_pairs,) judgments of each pair; factor : Cholesky factor of their Laplacian
    """

    counts: PairCounts
    factor: tuple[Floats, bool]

    @classmethod
    def of(cls, counts: PairCounts) -> Hodge:
        """For a pair table whose models are all connected."""
        n = counts.n_models
        laplacian = np.zeros((n, n))
        np.add.at(laplacian, (counts.a, counts.b), -counts.weight)
        laplacian += laplacian.T
        diagonal = -laplacian.sum(axis=1)
        # c * 11' fills the null space of the constant vector; c of the diagonal's size keeps the digits.
        laplacian += float(diagonal.mean()) / n
        laplacian[np.arange(n), np.arange(n)] += diagonal
        return cls(counts, cho_factor(laplacian, lower=True, overwrite_a=True))

    def residual(self, share: Floats) -> Floats:
        """(...,) ||S - (r_a - r_b)||^2 / ||S||^2, weighted by judgments; 0 where all log-odds are 0.

        share : (..., n_pairs); S are log-odds of shares moved by half a count
        """
        counts = self.counts
        rows = np.atleast_2d(share)
        won = counts.weight * rows
        odds = np.log((won + HALF_COUNT) / (counts.weight - won + HALF_COUNT))
        flow = counts.weight * odds
        n, block = counts.n_models, np.arange(len(rows))[:, None] * counts.n_models
        size = len(rows) * n
        net = np.bincount((block + counts.a).ravel(), flow.ravel(), size)
        net -= np.bincount((block + counts.b).ravel(), flow.ravel(), size)
        net = net.reshape(len(rows), n)
        explained = np.einsum("rn,nr->r", net, cho_solve(self.factor, net.T))
        whole = np.einsum("rp,rp->r", flow, odds)
        ratio = 1 - explained / np.where(whole > 0, whole, 1.0)
        return np.asarray(np.where(whole > 0, np.clip(ratio, 0.0, 1.0), 0.0).reshape(share.shape[:-1]))


@dataclass(frozen=True)
class Held:
    """A figure held against data drawn from the fit.

    value : observed; drawn : (n_draws,) the same figure in data sets drawn from the fit, none where none were drawn
    """

    value: float
    drawn: Floats

    @property
    def expected(self) -> float | None:
        """Mean of what chance gives."""
        return float(self.drawn.mean()) if len(self.drawn) else None

    def interval(self, level: float) -> tuple[float, float] | tuple[None, None]:
        """Where chance puts the figure."""
        if not len(self.drawn):
            return None, None
        low, high = np.quantile(self.drawn, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)

    @property
    def p(self) -> float | None:
        """Share of drawn data sets in which the figure is as large or larger, the observed one among them."""
        if not len(self.drawn):
            return None
        as_large = self.drawn >= self.value - 1e-9 * abs(self.value)
        return float((1 + as_large.sum()) / (1 + len(self.drawn)))


@dataclass(frozen=True)
class Uncertain:
    """Strengths as they may truly be: shrunk to their reliability r, spread with r times their covariance.

    Estimates lie further apart than the truth, and data drawn from them hold too few circles: with 40 models and 3,000
    judgments a true scale of small differences would be doubted in 53 % of data sets instead of at most 5 %.
    """

    mean: Floats
    root: Floats

    @classmethod
    def of(cls, fit: BradleyTerry, covariance: Covariance | None) -> Uncertain:
        n = len(fit.models)
        if covariance is None:
            return cls(fit.strength, np.zeros((n, 0)))
        values, vectors = np.linalg.eigh(covariance.vcov[:n, :n])
        values = np.maximum(values, 0.0)
        spread = float(fit.strength @ fit.strength)
        reliable = max(0.0, 1 - float(values.sum()) / spread) if spread > 0 else 0.0
        return cls(reliable * fit.strength, np.sqrt(reliable) * vectors * np.sqrt(values))

    def draw(self, rng: np.random.Generator, draws: int) -> Floats:
        """(draws, n_models) strengths."""
        return np.asarray(self.mean + rng.standard_normal((draws, self.root.shape[1])) @ self.root.T)


@dataclass(frozen=True)
class Circles:
    """Cyclic triples (as a share of all triples) and the Hodge residual; cyclic is None without any triple."""

    triples: Triples
    cyclic: Held | None
    hodge: Held
    spread: Spread


def look_for_circles(
    fit: BradleyTerry, entries: Entries | None, expected: Expected, strengths: Uncertain, rng: np.random.Generator,
    draws: int, tick: Tick,
) -> Circles:  # fmt: skip
    """Count cyclic triples and the Hodge residual, and draw both from the fit.

    entries : the judge's clusters; None without clustering
    """
    counts = fit.counts
    spread = Spread(1.0, 0.0) if entries is None else find_spread(entries, expected, len(fit.models) - 1)
    triples = find_triples(counts, rng)
    hodge = Hodge.of(counts)
    share = counts.score / counts.weight
    draw = share_drawer(counts, entries, spread)
    n_triples = len(triples.ij)
    step = max(1, BLOCK_ENTRIES // max(n_triples, len(counts.a), 1))
    circles, residuals = np.empty(draws), np.empty(draws)
    for start in range(0, draws, step):
        tick(start / draws)
        size = min(step, draws - start)
        theta = strengths.draw(rng, size)
        d = theta[:, counts.a] - theta[:, counts.b]
        drawn = draw(rng, np.exp(np.minimum(d, 0)) / (1 + np.exp(-np.abs(d))))
        circles[start : start + size] = cyclic(triples, directions(drawn))
        residuals[start : start + size] = hodge.residual(drawn)
    held = Held(float(cyclic(triples, directions(share))) / n_triples, circles / n_triples) if n_triples else None
    return Circles(triples, held, Held(float(hodge.residual(share)), residuals), spread)
