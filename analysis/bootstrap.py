"""How would strengths come out if other prompts had been drawn? A bootstrap of whole clusters.

Each replicate gives every cluster a random weight of mean 1 and variance 1 and refits the strengths: drawn with
replacement (multinomial) where clusters are few, independently where they are many (the Poisson bootstrap; Hanley
and MacGibbon 2006, Chamandy et al. 2012). All judges of one call see the same weights, so that what they share in
a prompt is shared in the replicates.

Where clusters are many and all strengths are sure, draws of their covariance stand for the refits.

What makes refits fast: clusters are taken in tiles whose weights stay in the processor's cache, a sparse matrix of
small integers adds up each pair of models' wins for a block of replicates at once, and the refits share the inverse
information of the full fit, with Newton's method for the few replicates on which that does not settle.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from analysis.blas import use_one_thread
from analysis.bradley_terry import BradleyTerry
from analysis.cells import Cells, Floats, Ints, PairCounts, dense_codes, place
from analysis.connectivity import connected_replicates
from analysis.rank_sets import draw_errors
from analysis.replicates import refit
from analysis.sandwich import cluster_codes, influences, strength_covariance
from analysis.strengths import Strengths
from analysis.vcov import Clustering, Covariance, Quantiles
from errors import NotIdentifiedError

REPLICATES = 1000
RIDGE = 0.01
THREADS = 2
# Clusters whose weights are held at a time: with 64 replicates 2 MB of small integers.
TILE = 16_384
# Clusters up to which replicates are drawn with replacement exactly.
FEW = 2_000
# How many of 256 equally likely bytes stand for a weight of 0, 1, 2, ...: the Poisson distribution of mean 1 to
# within 1/256, with mean and variance exactly 1 and a third moment of 4.96 instead of 5.
POISSON = np.repeat(np.arange(6), [95, 92, 49, 15, 4, 1]).astype(np.int16)
# Numbers held at a time in a block of replicates of all pairs: 2.5 MB each.
BLOCK_ENTRIES = 320_000
# What a refit with the inverse information of the full fit may lack, in naive standard errors of the strength that
# lacks most: a random error that adds at most 4 parts in 10,000 to a variance, where the noise of 1,000 replicates is
# 4 in 100. SLOWEST : factor by which steps are taken to shrink at least from the next on.
SETTLED, SLOWEST = 2e-2, 0.25
MAX_STEPS = 25
# Naive standard error up to which draws of the strengths' own covariance do as well as refits, with `FEW` clusters or
# more: in worlds of 10 to 100 models and 2,000 to 6,000 prompts, the largest error .10 to .35, the ends of both
# intervals lay within 1.3 % of the interval's width of one another on average; the noise of 1,000 replicates is 2 %.
SURE = 0.36
# Wins and losses of each model from on which hardly a replicate (one in 3,000) has it separated: who has fewer is
# refitted, and the share of such replicates told.
OFTEN = 8
ROWS_A_MODEL = 6
# Weight up to which sums are kept in short numbers: their rounding is then far below the last step that is asked for.
SHORT = 2e6

Report = Callable[[float], None]


@dataclass(frozen=True)
class Bootstrap:
    """Strengths of one judge's models in every replicate.

    strength : (n_replicates, n_models), each row of mean 0
    separated : (n_replicates,) whether some model only won, only lost or was not met; its strength rests on the ridge
    clusters, n_clusters : what was drawn; penalty : the ridge in the replicates, adds penalty/2 * ||strength||^2
    """

    strength: Floats
    separated: NDArray[np.bool_]
    clusters: str
    n_clusters: int
    penalty: float

    @property
    def vcov(self) -> Floats:
        """(n_models, n_models) covariance of the replicates."""
        return np.cov(self.strength, rowvar=False)


def bootstrap_strengths(
    fits: Sequence[BradleyTerry],
    cells: Sequence[Cells],
    way: str,
    rng: np.random.Generator,
    *,
    replicates: int = REPLICATES,
    ridge: float = RIDGE,
    report: Report | None = None,
) -> tuple[Bootstrap, ...]:
    """Replicates of one or more judges' strengths, drawing the same clusters for all of them.

    fits, cells : one each per judge; the cells may hold further models; way : "prompt", "pair" or "annotator"
    report : called with the share that is done; may raise to stop the work

    Raises NotIdentifiedError with fewer than two clusters, OptionError when the cells lack the codes.
    """
    use_one_thread()
    used = [
        (part if fit.position is not None else part.without_position()).among(fit.models)
        for fit, part in zip(fits, cells, strict=True)
    ]
    codes = dense_codes([cluster_codes(part, way) for part in used])
    n = codes.n_clusters
    if n < 2:
        raise NotIdentifiedError(f"a bootstrap needs at least 2 {way}s, and there is {n}. Choose more data")
    # Weights beyond 5 do not come up among many clusters; among few all n may fall on one.
    largest = n if n <= FEW else int(POISSON.max())
    judges = [_Judge.of(fit, part, code, n, largest) for fit, part, code in zip(fits, used, codes.codes, strict=True)]
    rows = max(len(fit.counts.a) for fit in fits)
    size = int(np.clip(BLOCK_ENTRIES // max(rows, 1), 8, 64))
    starts = range(0, replicates, size)
    seeds = rng.integers(0, 2**63, len(starts))
    strength = [np.empty((replicates, len(fit.models))) for fit in fits]
    separated = [np.zeros(replicates, dtype=bool) for _ in fits]

    def draw_block(k: int) -> None:
        some = slice(starts[k], min(starts[k] + size, replicates))
        sums = _draw(judges, n, some.stop - some.start, int(seeds[k]))
        for judge, won, theta, apart in zip(judges, sums, strength, separated, strict=True):
            theta[some], apart[some] = judge.refit(won, ridge)

    with ThreadPoolExecutor(THREADS) as pool:
        waiting = [pool.submit(draw_block, k) for k in range(len(starts))]
        try:
            for k, one in enumerate(waiting):
                one.result()
                if report is not None:
                    report((k + 1) / len(waiting))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return tuple(
        Bootstrap(theta, apart, way, n, ridge) for theta, apart in zip(strength, separated, strict=True)
    )


def one_step_strengths(
    fits: Sequence[Strengths], cells: Sequence[Cells], way: str, rng: np.random.Generator, replicates: int = REPLICATES
) -> tuple[Bootstrap, ...]:
    """As `bootstrap_strengths`, for any fit: each replicate is one Newton step from the estimates.

    Without refits no model can be separated and there is no ridge; clusters are drawn by `POISSON`'s weights.
    """
    # In short numbers: what is rounded off is a millionth of a standard error.
    moved = np.zeros((replicates, sum(len(fit.parameters) for fit in fits)), dtype=np.float32)
    deviation = POISSON.astype(np.float32) - 1
    n = 0
    for block in influences(fits, cells, way):
        drawn = deviation[np.frombuffer(rng.bytes(len(block) * replicates), dtype=np.uint8)]
        moved += drawn.reshape(replicates, len(block)) @ block.astype(np.float32)
        n += len(block)
    out, start = [], 0
    for fit in fits:
        strength = fit.strength + moved[:, start : start + len(fit.models)]
        out.append(Bootstrap(strength, np.zeros(replicates, dtype=bool), way, n, 0.0))
        start += len(fit.parameters)
    return tuple(out)


def replicate_strengths(
    fits: Sequence[Strengths],
    cells: Sequence[Cells],
    way: str,
    rng: np.random.Generator,
    *,
    replicates: int = REPLICATES,
    ridge: float = RIDGE,
    covariance: Covariance | None = None,
    report: Report | None = None,
) -> tuple[Bootstrap, ...]:
    """Replicates by the cheapest way that is as good as refits.

    Where clusters are many and the strengths sure, draws of N(estimates, V) with the clustered covariance of all fits:
    what a bootstrap whose clusters have normal weights gives, each replicate one Newton step from the estimates (see
    `rank_sets`). One step as well where ties are an outcome of their own, for want of such refits.

    covariance : V, where it is known by `way` alone
    """
    plain = [fit for fit in fits if isinstance(fit, BradleyTerry)]
    if all(_is_sure(fit) for fit in fits):
        n = dense_codes([cluster_codes(fit.used(part), way) for fit, part in zip(fits, cells, strict=True)]).n_clusters
        if n >= FEW:
            if covariance is None or covariance.clustering.name != way:
                covariance = strength_covariance(fits, cells, Clustering(way))  # type: ignore[arg-type]
            return _drawn(fits, covariance, way, n, rng, replicates)
    if len(plain) < len(fits):
        return one_step_strengths(fits, cells, way, rng, replicates)
    return bootstrap_strengths(plain, cells, way, rng, replicates=replicates, ridge=ridge, report=report)


def _is_sure(fit: Strengths) -> bool:
    """Whether one step does as well as a refit, and no replicate has a separated model."""
    if float(np.diag(fit.bread).max(initial=0.0)) > SURE**2:
        return False
    if not isinstance(fit, BradleyTerry):
        return True
    counts = fit.counts
    ends = np.concatenate([counts.a, counts.b])
    won, lost = (np.bincount(ends, np.concatenate(part), counts.n_models) for part in (
        (counts.score, counts.lost), (counts.lost, counts.score)
    ))  # fmt: skip
    return float(min(won.min(), lost.min())) >= OFTEN


def _drawn(
    fits: Sequence[Strengths], covariance: Covariance, way: str, n: int, rng: np.random.Generator, replicates: int
) -> tuple[Bootstrap, ...]:
    # Each judge's strengths have mean 0, so that V is singular along what all of them share. A ten thousand millionth
    # more of it there moves no order and lets V be split twenty times as fast as by its eigenvectors.
    size = len(covariance.vcov)
    try:
        root = np.linalg.cholesky(covariance.vcov + 1e-10 * np.diag(covariance.vcov).mean() * np.eye(size))
        errors = rng.standard_normal((replicates, size)) @ root.T
    except np.linalg.LinAlgError:
        errors = draw_errors(covariance.vcov, Quantiles(None), rng, replicates)
    nowhere = np.zeros(replicates, dtype=bool)
    ends = np.cumsum([0, *(len(fit.parameters) for fit in fits)])
    return tuple(
        Bootstrap(fit.strength + errors[:, start : start + len(fit.models)], nowhere, way, n, 0.0)
        for fit, start in zip(fits, ends, strict=False)
    )


def refit_weighted(
    fit: BradleyTerry, cells: Cells, way: str, weight: NDArray[np.int16], *, ridge: float = RIDGE
) -> Bootstrap:
    """Strengths when each cluster counts as often as `weight` says.

    weight : (n_clusters, n_replicates), clusters in the order of their codes

    Raises NotIdentifiedError with fewer than two clusters, OptionError when the cells lack the codes.
    """
    use_one_thread()
    part = (cells if fit.position is not None else cells.without_position()).among(fit.models)
    codes = dense_codes([cluster_codes(part, way)])
    n, replicates = codes.n_clusters, weight.shape[1]
    if len(weight) != n:
        raise ValueError(f"{len(weight)} weights for {n} clusters")
    judge = _Judge.of(fit, part, codes.codes[0], n, int(weight.max(initial=1)))
    size = int(np.clip(BLOCK_ENTRIES // max(len(fit.counts.a), 1), 8, 64))
    strength, separated = np.empty((replicates, len(fit.models))), np.zeros(replicates, dtype=bool)

    def refit_block(start: int) -> None:
        some = slice(start, min(start + size, replicates))
        total: NDArray[Any] | None = None
        for k, tile in enumerate(judge.tiles):
            total = judge.add_up(total, tile, weight[k * TILE : (k + 1) * TILE, some])
        assert total is not None
        strength[some], separated[some] = judge.refit(total, ridge)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(refit_block, range(0, replicates, size)))
    return Bootstrap(strength, separated, way, n, ridge)


def n_clusters(fit: BradleyTerry, cells: Cells, way: str) -> int:
    """How many clusters stand behind a fit."""
    return dense_codes([cluster_codes(cells.among(fit.models), way)]).n_clusters


def _draw(judges: Sequence[_Judge], n_clusters: int, size: int, seed: int) -> list[NDArray[Any]]:
    """For each judge (2 * n_rows, size): sums of wins of every row's a, then of its b, in units of the judge's."""
    generator = np.random.Generator(np.random.SFC64(seed))
    totals: list[Any] = [None] * len(judges)
    if n_clusters <= FEW:
        drawn = generator.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), size=size).T
    for k, start in enumerate(range(0, n_clusters, TILE)):
        stop = min(start + TILE, n_clusters)
        if n_clusters <= FEW:
            weight: NDArray[Any] = drawn[start:stop]
        else:
            weight = POISSON[np.frombuffer(generator.bytes((stop - start) * size), dtype=np.uint8)]
            weight = weight.reshape(stop - start, size)
        totals = [judge.add_up(total, judge.tiles[k], weight) for judge, total in zip(judges, totals, strict=True)]
    return totals


@dataclass(frozen=True)
class _Judge:
    """One judge's verdicts by cluster.

    tiles : one (2 * n_rows, clusters of the tile) matrix each: what a cluster adds to the wins of a row's a, and of its
            b, in `unit`s; total : the type in which tiles are added up
    tree : rows of the pair table that join all models by wins of both sides, empty where there are none such
    few : the rows of each model with most wins on the weaker side
    as_a, as_b, met : (n_models, n_rows) 1 at the rows whose a, whose b, or of which either, the model is
    """

    fit: BradleyTerry
    tiles: tuple[csr_array, ...]
    unit: float
    total: type
    tree: Ints
    few: Ints
    as_a: csr_array
    as_b: csr_array
    met: csr_array

    @classmethod
    def of(cls, fit: BradleyTerry, cells: Cells, codes: Ints, n_clusters: int, largest: int) -> _Judge:
        """largest : weight that a cluster may get"""
        counts = fit.counts
        placed = place(cells, counts)
        n_rows = len(counts.a)
        won, lost = placed.score, np.maximum(cells.weight - placed.score, 0.0)
        lost[lost <= 1e-12 * cells.weight] = 0.0
        some_won, some_lost = np.flatnonzero(won), np.flatnonzero(lost)
        row = np.concatenate([placed.row[some_won], placed.row[some_lost] + n_rows]).astype(np.int32)
        code = np.concatenate([codes[some_won], codes[some_lost]]).astype(np.int32)
        value = np.concatenate([won[some_won], lost[some_lost]])
        # Most verdicts are whole or half: counted in halves they are small integers, which are added fastest.
        halves = value * 2
        whole = bool((halves == np.rint(halves)).all()) and float(halves.max(initial=0.0)) < 2**15
        kind: type = np.int16 if whole else np.float64
        value = (halves if whole else value).astype(kind)
        if n_clusters > TILE:
            tile = code // TILE
            if bool((tile[1:] < tile[:-1]).any()):
                order = np.argsort(tile, kind="stable")
                row, code, value, tile = row[order], code[order], value[order], tile[order]
            cuts = np.searchsorted(tile, np.arange(-(-n_clusters // TILE) + 1))
        else:
            cuts = np.array([0, len(code)])
        tiles = []
        for k in range(len(cuts) - 1):
            inside = slice(cuts[k], cuts[k + 1])
            width = min(TILE, n_clusters - k * TILE)
            place_in = (row[inside], code[inside] - k * TILE)
            tile_of = csr_array((value[inside], place_in), shape=(2 * n_rows, width))
            if whole and float(np.asarray(tile_of.sum(axis=1, dtype=np.int64)).max(initial=0)) * largest >= 2**15:
                tile_of = tile_of.astype(np.int64)
            tiles.append(tile_of)
        total: type = np.int64 if whole else np.float64
        as_a, as_b = _ends(counts, counts.a), _ends(counts, counts.b)
        layout = (_joining_rows(counts), _telling_rows(counts), as_a, as_b, as_a + as_b)
        return cls(fit, tuple(tiles), 0.5 if whole else 1.0, total, *layout)

    def add_up(self, total: NDArray[Any] | None, tile: csr_array, weight: NDArray[Any]) -> NDArray[Any]:
        """`total` and what a tile's clusters add to it by their weights; a single tile's sums stay short numbers."""
        sums: NDArray[Any] = tile @ weight.astype(tile.dtype, copy=False)
        if len(self.tiles) == 1:
            return sums
        return sums.astype(self.total) if total is None else np.add(total, sums, out=total)

    def refit(self, sums: NDArray[Any], ridge: float) -> tuple[Floats, NDArray[np.bool_]]:
        """(size, n_models) strengths, and which replicates have a separated model."""
        counts, n_rows = self.fit.counts, len(self.fit.counts.a)
        short = np.float32 if float(counts.weight.sum()) <= SHORT else np.float64
        won, lost, weight = (_room(name, (n_rows, sums.shape[1]), short) for name in ("won", "lost", "weight"))
        np.multiply(sums[:n_rows], self.unit, out=won, dtype=short)
        np.multiply(sums[n_rows:], self.unit, out=lost, dtype=short)
        np.add(won, lost, out=weight)
        apart = np.ones(won.shape[1], dtype=bool)
        if len(self.tree):
            np.logical_not(((won[self.tree] > 0) & (lost[self.tree] > 0)).all(axis=0), out=apart)
        for part in (self.few, None):
            some = np.flatnonzero(apart)
            if not len(some):
                break
            rows = slice(None) if part is None else part
            layout = counts if part is None else _rows(counts, part)
            joined = connected_replicates(layout, weight[rows][:, some].T.copy(), won[rows][:, some].T.copy())
            apart[some] = ~joined
        n = len(self.fit.models)
        if counts.first is not None:
            return self._by_newton(weight, won, ridge)[:, :n], apart
        strength, settled = _settle(self.fit, self.as_a, self.as_b, self.met, weight, won, ridge)
        rest = np.flatnonzero(~settled)
        if len(rest):
            strength[rest] = self._by_newton(weight[:, rest], won[:, rest], ridge)
        return strength, apart

    def _by_newton(self, weight: NDArray[Any], won: NDArray[Any], ridge: float) -> Floats:
        many, wins = (part.T.astype(np.float64) for part in (weight, won))
        return refit(self.fit.counts, many, wins, self.fit.parameters, ridge)


_rooms = threading.local()


def _room(name: str, shape: tuple[int, int], kind: Any) -> NDArray[Any]:
    """An array of this thread's to write into, the same from block to block.

    A fresh megabyte is mapped in page by page at its first use and given back at its last, which costs more than the
    sums that go into it.
    """
    size = shape[0] * shape[1] * np.dtype(kind).itemsize
    found = getattr(_rooms, name, None)
    if found is None or len(found) < size:
        found = np.empty(size, dtype=np.uint8)
        setattr(_rooms, name, found)
    return np.asarray(found[:size].view(kind).reshape(shape))


def _ends(counts: PairCounts, models: Ints) -> csr_array:
    """(n_models, n_rows) 1 at the rows that have the model at this end. models : (n_rows,)"""
    n_rows = len(models)
    return csr_array((np.ones(n_rows, dtype=np.float32), (models, np.arange(n_rows))), shape=(counts.n_models, n_rows))


def _weighed(sums: csr_array, weight: NDArray[Any]) -> csr_array:
    """The same sums over rows of which each counts by its weight; (n_rows,)"""
    return csr_array((sums.data * weight[sums.indices], sums.indices, sums.indptr), shape=sums.shape)


def _joining_rows(counts: PairCounts) -> Ints:
    """Rows in which both sides won and that join all models, those with most wins on the weaker side first.

    A replicate in which both sides won in each of these needs no search for separated models.
    """
    weaker = np.minimum(counts.score, counts.lost)
    rows = np.flatnonzero(weaker > 0)
    n = counts.n_models
    # The shortest edges are kept, so the most wins are made the shortest; +1 keeps them apart from absent ones.
    length = weaker[rows].max(initial=0.0) - weaker[rows] + 1.0
    numbered = csr_array((length, (counts.a[rows], counts.b[rows])), shape=(n, n))
    if counts.first is not None or connected_components(numbered, directed=False)[0] > 1:
        return np.empty(0, dtype=np.int64)
    kept = minimum_spanning_tree(numbered).tocoo()
    at = {(int(a), int(b)): int(r) for a, b, r in zip(counts.a[rows], counts.b[rows], rows, strict=True)}
    return np.array(sorted(at[int(a), int(b)] for a, b in zip(*kept.coords, strict=True)), dtype=np.int64)


def _telling_rows(counts: PairCounts) -> Ints:
    """The rows of each model with most wins on the weaker side: what joins the models stands mostly there."""
    weaker = np.minimum(counts.score, counts.lost)
    n_rows = len(counts.a)
    end = np.concatenate([counts.a, counts.b])
    order = np.lexsort((-np.concatenate([weaker, weaker]), end))
    begins = np.searchsorted(end[order], np.arange(counts.n_models))
    place_in_model = np.arange(2 * n_rows) - begins[end[order]]
    return np.unique(order[place_in_model < ROWS_A_MODEL] % n_rows)


def _rows(counts: PairCounts, rows: Ints) -> PairCounts:
    first = None if counts.first is None else counts.first[rows]
    sums = (counts.weight[rows], counts.score[rows], counts.count[rows])
    return PairCounts(counts.n_models, counts.a[rows], counts.b[rows], first, *sums)


def _settle(
    fit: BradleyTerry, as_a: csr_array, as_b: csr_array, met: csr_array, weight: NDArray[Any], won: NDArray[Any],
    ridge: float,
) -> tuple[Floats, NDArray[np.bool_]]:
    """Refits of a block of replicates with the inverse information of the full fit, each model's row and column of it
    scaled to the information that the replicate has on the model.

    as_a, as_b, met : (n_models, n_rows) 1 at the rows whose a, whose b, or of which either, the model is
    weight, won : (n_rows, size). Returns (size, n_models) strengths, and which of them settled.
    """
    a, b = fit.counts.a, fit.counts.b
    kind = weight.dtype
    size = weight.shape[1]
    bread, start = fit.bread.astype(kind), fit.strength.astype(kind)
    power = np.exp(start)
    share = power[a] / (power[a] + power[b])
    # A model wins what its rows' a win where it is a, and what is left of the weight where it is b.
    compared = as_b @ weight
    wins = as_a @ won + compared - as_b @ won
    # At the start the rows' shares are the same in all replicates: one product says what is expected, another how sure.
    expected = _weighed(as_a, share) @ weight + compared - _weighed(as_b, share) @ weight
    spread = share * (1 - share)
    own = met @ (fit.counts.weight * spread)
    scale = np.sqrt(own[:, None] / np.maximum(_weighed(met, spread) @ weight, 1e-3 * own[:, None])).astype(kind)
    theta = np.repeat(start[:, None], size, axis=1)
    excess = wins - expected
    both, other = (_room(name, weight.shape, kind) for name in ("both", "other"))
    last, settled = np.full(size, np.inf), np.zeros(size, dtype=bool)
    unit = np.sqrt(np.diag(fit.bread))[:, None]
    with np.errstate(all="ignore"):  # what runs away is left to Newton's method
        for turn in range(MAX_STEPS):
            if turn:
                power = np.exp(theta)
                # A row's a is expected to win its power's share of both, and what is shared is added up once for each.
                np.take(power, a, axis=0, out=both, mode="clip")  # "raise" would take it into a copy first
                np.take(power, b, axis=0, out=other, mode="clip")
                both += other
                np.divide(weight, both, out=both)
                excess = wins - power * (met @ both)
            step = scale * (bread @ (scale * (excess - kind.type(ridge) * theta)))
            step -= step.mean(axis=0)
            theta += step
            before, last = last, np.abs(step / unit).max(axis=0)
            # Steps that shrink by the same factor each leave this much; later ones shrink by less than the first.
            factor = np.clip(last / before, SLOWEST, 1.0)
            settled |= last * factor <= SETTLED * (1 - factor)
            if bool((settled | ~(last < before)).all()):
                break
        settled &= np.isfinite(theta).all(axis=0)
    strength = theta.T.astype(np.float64)
    strength -= strength.mean(axis=1, keepdims=True)
    return strength, settled
