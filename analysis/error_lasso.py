"""Which flags lower a rating, or lose a comparison, once the others are taken into account? A Lasso on flags.

Hosking, Blunsom and Bartolo (2024) regress ratings of answers on ten kinds of errors with a Lasso,

    sum of squares / (2 n) + alpha * sum |coefficient|,   alpha = .01,

y being the mean rating of an answer, x minus the mean of its error votes. Here a coefficient is for one unit more, so a
published one is its negative (`cost`). On comparisons y is 2 p_a - 1 and x the difference a - b, without intercept.

What a Lasso keeps is shrunk and depends on the draw: beside each coefficient stands in how many resamples of whole
prompts it is kept (Meinshausen and Buehlmann 2010 call this stability). There are no p-values.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.cells import Floats, Ints
from analysis.tables import floats
from errors import ConvergenceError, NotIdentifiedError

PUBLISHED = 0.01
RESAMPLES = 200
FOLDS = 10
GRID = 40
GROUPS = 1_000
"""Up to so many prompts each is drawn by itself; of more, random groups of them."""

LEAST_CLUSTERS = 3
FAR = 1e-4
SMALLEST = 1e-3
"""Of the penalty that leaves nothing: the end of the grid that is searched."""

Report = Callable[[float], None]


@dataclass(frozen=True)
class FlagLasso:
    """What a Lasso keeps.

    names : (k,); coefficient : (k,) change of y for one unit more; intercept : None without one
    selected : (k,) share of resamples of whole clusters that keep it
    lowest, highest : (k,) 5th and 95th percentile of the resampled coefficients
    penalty : alpha; chosen : whether by cross-validation; r2 : of the fit; r2_held_out : in folds of whole prompts at
        this penalty, None where nothing varies
    n : verdicts or answers; way, n_clusters : what was drawn as a whole, and how many
    left_out : by factor, why; missing : of n, those left out for want of a factor or of y
    """

    names: tuple[str, ...]
    coefficient: Floats
    intercept: float | None
    selected: Floats
    lowest: Floats
    highest: Floats
    penalty: float
    chosen: bool
    r2: float
    r2_held_out: float | None
    n: int
    n_clusters: int
    way: str
    left_out: Mapping[str, str]
    missing: int

    @property
    def kept(self) -> NDArray[np.bool_]:
        """(k,) which factors have a coefficient."""
        return np.asarray(self.coefficient != 0)

    def table(self) -> pd.DataFrame:
        """One row a factor, the largest first: factor, coefficient (0: not kept), cost, selected, lowest, highest."""
        order = np.lexsort((-self.selected, -np.abs(self.coefficient)))
        # Minus zero is zero.
        columns = {
            "coefficient": self.coefficient, "cost": -self.coefficient, "selected": self.selected,
            "lowest": self.lowest, "highest": self.highest,
        }  # fmt: skip
        table = pd.DataFrame({"factor": [self.names[int(k)] for k in order]})
        return table.assign(**{name: floats(values[order] + 0.0) for name, values in columns.items()})


def quiet(share: float) -> None:
    """Tells nobody."""


def fit_flag_lasso(
    names: Sequence[str], x: Floats, y: Floats, weight: Floats, cluster: Ints, *, intercept: bool,
    penalty: float | None, rng: np.random.Generator, way: str = "prompt", count: Ints | None = None,
    resamples: int = RESAMPLES, report: Report = quiet,
) -> FlagLasso:  # fmt: skip
    """x : (n, k), NaN where not known; y : (n,), NaN likewise; weight : (n,) > 0; cluster : (n,) codes of
    what is drawn and held out as a whole; way : what that is; count : (n,) how many
    each row stands for, one where not said

    intercept : False where exchanging two sides turns both signs; penalty : alpha, None to choose it

    Raises NotIdentifiedError where y or all factors are constant, or with fewer than three clusters, ConvergenceError.
    """
    known = np.isfinite(x).all(axis=1) & np.isfinite(y)
    count = np.ones(len(y), dtype=np.int64) if count is None else count
    missing = int(count[~known].sum())
    x, y, weight, cluster, count = x[known], y[known], weight[known], cluster[known], count[known]
    if not len(y):
        raise NotIdentifiedError("nothing has all factors")
    centre = float(weight @ y) / float(weight.sum()) if intercept else 0.0
    if not np.abs(y - centre).max() > 1e-12 * max(1.0, abs(centre)):
        raise NotIdentifiedError("all ratings are the same" if intercept else "all verdicts are ties")
    away = x - (weight @ x / weight.sum() if intercept else 0.0)
    varies = np.abs(away).max(axis=0) > 1e-12 * np.maximum(np.abs(x).max(axis=0), 1e-300)
    why = "all answers have the same of it" if intercept else "the compared answers do not differ in it"
    left_out = {str(name): why for name in np.array(names)[~varies]}
    if not varies.any():
        raise NotIdentifiedError(f"there is nothing to choose from: of each factor, {why}")
    x = x[:, varies]
    n_clusters = len(np.unique(cluster))
    if n_clusters < LEAST_CLUSTERS:
        raise NotIdentifiedError(
            f"how stable a choice is needs at least {LEAST_CLUSTERS} {way}s, and there "
            f"{'is' if n_clusters == 1 else 'are'} {n_clusters}"
        )
    sums = _Sums(x, y, weight, cluster, intercept, rng)
    folds = np.arange(sums.n) % min(FOLDS, sums.n)
    folds = folds[rng.permutation(sums.n)]
    chosen = penalty is None
    grid = np.geomspace(sums.largest(), SMALLEST * sums.largest(), GRID)
    if penalty is None:
        losses = [_loss(sums, folds, float(alpha)) for alpha in grid]
        penalty = float(grid[int(np.argmin(losses))])
    report(0.2)
    coefficient, level = _solve(x, y, weight, penalty, intercept, 1e-12, 100_000)
    again = np.empty((resamples, x.shape[1]))
    for r in range(resamples):
        again[r] = sums.fit(np.bincount(rng.integers(0, sums.n, sums.n), minlength=sums.n), penalty)
        if r % 10 == 0:
            report(0.2 + 0.8 * r / resamples)
    residual = y - x @ coefficient - level
    spread = float(weight @ (y - centre) ** 2)
    held = _loss(sums, folds, penalty)
    nothing = sums.spread_held_out(folds)
    return FlagLasso(
        names=tuple(np.array(names)[varies].tolist()), coefficient=coefficient,
        intercept=level if intercept else None, selected=(again != 0).mean(axis=0),
        lowest=np.percentile(again, 5, axis=0), highest=np.percentile(again, 95, axis=0), penalty=penalty,
        chosen=chosen, r2=1 - float(weight @ residual**2) / spread,
        r2_held_out=1 - held / nothing if nothing > 0 else None, n=int(count.sum()), n_clusters=n_clusters, way=way,
        left_out=left_out, missing=missing,
    )  # fmt: skip


def _solve(
    x: Floats, y: Floats, weight: Floats, penalty: float, intercept: bool, tolerance: float, steps: int
) -> tuple[Floats, float]:
    """Coefficients and intercept. Raises ConvergenceError where the optimum stays further off than `FAR` of y'y."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import Lasso

    model = Lasso(alpha=penalty, fit_intercept=intercept, tol=tolerance, max_iter=steps)
    with warnings.catch_warnings():
        # It asks for less than rounding leaves where factors are collinear; how far it got is read instead.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x, y, sample_weight=weight)
    if float(model.dual_gap_) > FAR * float(weight @ y**2) / float(weight.sum()):
        raise ConvergenceError("the Lasso did not reach its optimum: take a larger penalty, or fewer factors")
    return np.asarray(model.coef_, dtype=np.float64), float(model.intercept_)


class _Sums:
    """Sums over prompts (or groups of them) from which the Lasso of any selection of prompts follows.

    A Lasso sees its rows only through X'X and X'y: k rows that have the same ones do as well as all.
    """

    def __init__(
        self, x: Floats, y: Floats, weight: Floats, cluster: Ints, intercept: bool, rng: np.random.Generator
    ) -> None:
        _, code = np.unique(cluster, return_inverse=True)
        n = int(code.max()) + 1
        if n > GROUPS:
            code, n = rng.integers(0, GROUPS, n)[code], GROUPS
            code = np.unique(code, return_inverse=True)[1]
            n = int(code.max()) + 1
        self.n, self.k, self.intercept = n, x.shape[1], intercept
        order = np.argsort(code, kind="stable")
        ends = np.concatenate([[0], np.cumsum(np.bincount(code, minlength=n))])
        full = np.column_stack([x, y, np.ones(len(y))])
        # (n, k + 2, k + 2) of the columns [x, y, 1].
        self.of = np.empty((n, full.shape[1], full.shape[1]))
        for g in range(n):
            rows = full[order[ends[g] : ends[g + 1]]]
            self.of[g] = (rows * weight[order[ends[g] : ends[g + 1]], None]).T @ rows

    def total(self, times: NDArray[np.floating] | Ints) -> Floats:
        """(k + 2, k + 2) sums with each group so many times."""
        return np.asarray(np.tensordot(times, self.of, axes=1))

    def centred(self, total: Floats) -> tuple[Floats, Floats, float]:
        """X'X, X'y and the sum of weights, about the means where there is an intercept."""
        k, size = self.k, float(total[-1, -1])
        gram, toward = total[:k, :k], total[:k, k]
        if self.intercept and size > 0:
            mean, mean_y = total[:k, -1] / size, float(total[k, -1]) / size
            gram = gram - size * np.outer(mean, mean)
            toward = toward - size * mean * mean_y
        return gram, toward, size

    def largest(self) -> float:
        """The penalty from which on nothing is kept."""
        _, toward, size = self.centred(self.total(np.ones(self.n)))
        return max(float(np.abs(toward).max()) / size, 1e-12)

    def fit(self, times: NDArray[np.floating] | Ints, penalty: float) -> Floats:
        """(k,) coefficients with each group so many times."""
        gram, toward, size = self.centred(self.total(times))
        if not size > 0:
            return np.zeros(self.k)
        values, vectors = np.linalg.eigh(gram)
        # Below, a value is rounding, and what would be divided by its root too.
        there = values > 1e-10 * max(float(values[-1]), 1e-300)
        if not there.any():
            return np.zeros(self.k)
        root = np.sqrt(values[there])
        rows, goal = root[:, None] * vectors[:, there].T, (vectors[:, there].T @ toward) / root
        return _solve(rows, goal, np.ones(len(rows)), penalty * size / len(rows), False, 1e-8, 10_000)[0]

    def missed(self, beta: Floats, train: Floats, test: Floats) -> float:
        """Sum of squares of the test sums around a prediction with means of the training sums."""
        full = np.concatenate([-beta, [1.0, 0.0]])
        if self.intercept:
            size = float(train[-1, -1])
            full[-1] = -(float(train[self.k, -1]) - beta @ train[: self.k, -1]) / size
        return float(full @ test @ full)

    def spread_held_out(self, folds: Ints) -> float:
        """Sum of squares that predicting nothing misses: about the mean of the other folds, or about 0."""
        zero = np.zeros(self.k)
        return sum(
            self.missed(zero, self.total(folds != f), self.total(folds == f)) for f in range(int(folds.max()) + 1)
        )


def _loss(sums: _Sums, folds: Ints, penalty: float) -> float:
    """Sum of squares missed in folds of prompts."""
    lost = 0.0
    for f in range(int(folds.max()) + 1):
        train = sums.total(folds != f)
        lost += sums.missed(sums.fit(folds != f, penalty), train, sums.total(folds == f))
    return lost
