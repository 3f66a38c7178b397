"""Is a judge's verdict moved by what should not matter: the order, a cue, the repetition of the question?

Rates are shares of units (single verdicts, two by two where circumstances are compared, the first with the first),
their intervals clustered and symmetric in log-odds (`cluster_sums`). Means of repeats are not compared: those of more
verdicts are nearer to what is usual, and more often ties, also without a bias. Each bias has a `chance`, what guessing
at random would give (descriptive), and where it is tested a `null`, what a judge without the bias would have. Tests of
paired outcomes are exact (`paired_flips`).

- Position, from both orders: the same place chosen in both (Koo et al. 2024: guessing gives .25 each for first and
  last); both first against both last is the test.
- Variants with a cue: verdicts moved towards the cued side against verdicts moved away from it, each beside the plain
  verdict on the same pair. Robustness is the share of verdicts that stay, to be read against how often plain repeats
  stay (Ye et al. 2024, CALM), not against 1: single verdicts in both, on the same pairs with the same weights.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from analysis.cells import Floats, Ints
from analysis.cluster_sums import ALIKE, Figures, estimate
from analysis.paired_flips import flip_p
from analysis.vcov import Clustering

NAN = float("nan")
SAME = "no verdict differs between the two circumstances that are compared"
FEW = 10
"""Independent parts below which nothing is tested that rests on their spread."""


@dataclass(frozen=True)
class Bias:
    """One bias of one judge; NaN where undefined.

    rate : as `bias` says, with its interval; chance : of guessing; null : of a judge without the bias
    excess : rate - null, with its interval; p : of the null; n : units; clusters : behind it, by `clustering`
    why : reason without test
    """

    bias: str
    rate: float
    n: int
    clusters: int
    lower: float = NAN
    upper: float = NAN
    chance: float = NAN
    null: float = NAN
    excess: float = NAN
    excess_lower: float = NAN
    excess_upper: float = NAN
    p: float = NAN
    why: str = ""
    clustering: str = ""


@dataclass(frozen=True)
class Units:
    """What one judge said, a row two verdicts of one pair and voter. Each array (n,).

    one, two : labels of the two circumstances that are compared: +1 for a, -1 for b, 0 for a tie
    cluster : codes; toward : +1 where the side named by a cue is a, -1 where it is b (orders: +1)
    """

    one: Ints
    two: Ints
    cluster: Ints
    toward: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.one)


def without_spread(bias: Bias, toward: int, cluster: Ints, clustering: Clustering) -> Bias:
    """A bias against .5 where all verdicts go one way: no spread tells how sure it is, the number of clusters does.

    toward : +1 or -1. The exact test of the signs of clusters; the interval of the rate, less .5
    """
    sign = np.full(len(cluster), toward, dtype=np.int64)
    return replace(
        bias, null=0.5, excess=bias.rate - 0.5, excess_lower=bias.lower - 0.5, excess_upper=bias.upper - 0.5,
        p=_flips(sign, cluster, clustering),
    )  # fmt: skip


def label(p: Floats) -> Ints:
    """+1 where p_a is above .5, -1 below, 0 at .5."""
    return np.sign(p - 0.5).astype(np.int64)


def share(name: str, hit: Floats, cluster: Ints, clustering: Clustering, level: float, *, whole: Floats | None = None,
          chance: float = NAN) -> Bias:  # fmt: skip
    """A rate without a test. hit : (n,) how many of `whole` (default 1 each) count"""
    whole = np.ones(len(hit)) if whole is None else whole.astype(np.float64)
    found = estimate(_ratio, np.column_stack([hit, whole]), whole, cluster, clustering, (name,), "share")
    rate, lower, upper, n_clusters = _first(found, level)
    return Bias(name, rate, int(whole.sum()), n_clusters, lower, upper, chance)


def both_orders(units: Units, clustering: Clustering, level: float) -> list[Bias]:
    """position_consistency, first_position and last_position. units : one with a first, two with b first"""
    same = (units.one == units.two).astype(np.float64)
    # Chosen twice by its place: a where a is first and b where b is.
    first = ((units.one == 1) & (units.two == -1)).astype(np.int64)
    last = ((units.one == -1) & (units.two == 1)).astype(np.int64)
    found = [share("position_consistency", same, units.cluster, clustering, level, chance=0.5)]
    return [*found, *_paired(("first_position", "last_position"), first, last, units.cluster, clustering, level, 0.25)]


def towards_cue(name: str, units: Units, clustering: Clustering, level: float) -> Bias:
    """Verdicts moved towards the cued side. units : one plain, two with the cue"""
    moved = np.sign(units.two - units.one) * units.toward
    up, down = (moved > 0).astype(np.int64), (moved < 0).astype(np.int64)
    return _paired((name, ""), up, down, units.cluster, clustering, level, 0.25)[0]


def same_place(name: str, plain: Units, other: Units, clustering: Clustering, level: float) -> Bias:
    """The same place chosen in both orders, in other circumstances than plain, row by row the same unit.

    null : the rate in plain circumstances, on the same units
    """
    one, two = (((u.one != u.two) & (u.one == -u.two)).astype(np.int64) for u in (plain, other))
    sums = np.column_stack([two, one, np.ones(len(one))]).astype(np.float64)
    found = estimate(_difference, sums, sums[:, 2], plain.cluster, clustering, (name, "null", "excess"),
                     ("share", "share", "change"))  # fmt: skip
    return _bias(name, found, len(one), level, 0.5, _flips(two - one, plain.cluster, clustering))


def stays(name: str, same: Floats, whole: Floats, repeats_same: Floats, repeats: Floats, cluster: Ints,
          clustering: Clustering, level: float) -> Bias:  # fmt: skip
    """Robustness: verdicts that stay in other circumstances, tested against the plain repeats that stay.

    same, whole : (n,) comparisons of a plain verdict with one in the other circumstances that agree, and all of them
    repeats_same, repeats : (n,) the same of plain verdicts with one another
    Where 10 independent parts have repeats, both shares are of these alone, each counted by `whole`.
    """
    again = repeats > 0
    if not again.any():
        return replace(share(name, same, cluster, clustering, level, whole=whole, chance=0.5), n=len(same))
    stay = np.divide(repeats_same, repeats, out=np.zeros(len(repeats)), where=again)
    sums = np.column_stack([same, stay * whole, whole])
    found = estimate(_difference, sums[again], whole[again], cluster[again], clustering, (name, "null", "excess"),
                     ("share", "share", "difference"))  # fmt: skip
    n = int(found.clusters[0])
    if n < FEW:
        one = share(name, same, cluster, clustering, level, whole=whole, chance=0.5)
        why = f"plain verdicts are repeated in {n} independent part{'s' * (n != 1)}: it needs {FEW}"
        return replace(one, n=len(same), why=why)
    out = _bias(name, found, int(again.sum()), level, 0.5, found.p_value("excess"))
    if not np.isnan(out.p):
        return out
    if abs(out.excess) < ALIKE:
        return replace(out, why=SAME)
    # All clusters say the same: their number is what is known, as of signs that are all alike.
    return replace(out, p=_flips(np.full(n, int(np.sign(out.excess))), np.arange(n), clustering))


def accuracy_change(plain: Floats, other: Floats, cluster: Ints, clustering: Clustering) -> tuple[Figures, float]:
    """accuracy_plain, accuracy and change (the latter less the former) on the same units, and the exact p of no change.

    plain, other : (n,) 1 where the verdict is right, else 0
    """
    sums = np.column_stack([other, plain, np.ones(len(plain))]).astype(np.float64)
    found = estimate(_difference, sums, sums[:, 2], cluster, clustering, ("accuracy", "accuracy_plain", "change"),
                     ("share", "share", "change"))  # fmt: skip
    return found, _flips((other - plain).astype(np.int64), cluster, clustering)


def repeated(a: Ints, b: Ints, tie: Ints) -> tuple[Floats, Floats]:
    """(n,) unordered pairs of repeats that have the same label, and all of them."""
    counts = np.column_stack([a, b, tie]).astype(np.float64)
    n = counts.sum(axis=1)
    return (counts * (counts - 1)).sum(axis=1) / 2, n * (n - 1) / 2


# -- of sums ---------------------------------------------------------------------------------------------------------


def _paired(
    names: tuple[str, str], up: Ints, down: Ints, cluster: Ints, clustering: Clustering, level: float, chance: float
) -> list[Bias]:
    """Rates of an outcome and of its opposite; without a bias both are as frequent, half of what is either."""
    sums = np.column_stack([up, down, np.ones(len(up))]).astype(np.float64)
    p = _flips(up - down, cluster, clustering)
    out = []
    for k, name in enumerate(names):
        some = sums[:, [k, 1 - k, 2]]
        found = estimate(_against_half, some, some[:, 2], cluster, clustering, (name, "null", "change"),
                         ("share", "share", "change"))  # fmt: skip
        # One test, of which one against the other: it stands once.
        one = _bias(name, found, len(up), level, chance, p if k == 0 else NAN, part=0.5)
        out.append(replace(one, why=SAME) if k == 0 and np.isnan(p) else one)
    return out


def _flips(sign: Ints, cluster: Ints, clustering: Clustering) -> float:
    return flip_p(sign, np.arange(len(sign)) if clustering.name == "none" else cluster)


def _bias(name: str, found: Figures, n: int, level: float, chance: float, p: float, part: float = 1.0) -> Bias:
    """part : what the excess is of the third figure"""
    lower, upper = found.interval(level)
    value = found.value
    excess, low, high = (part * float(of[2]) for of in (value, lower, upper))
    return Bias(name, float(value[0]), n, int(found.clusters[0]), float(lower[0]), float(upper[0]), chance,
                float(value[1]), excess, low, high, p)  # fmt: skip


def _first(found: Figures, level: float) -> tuple[float, float, float, int]:
    lower, upper = found.interval(level)
    return float(found.value[0]), float(lower[0]), float(upper[0]), int(found.clusters[0])


def _ratio(sums: Floats) -> Floats:
    return np.asarray(sums[..., :1] / sums[..., 1:2])


def _against_half(sums: Floats) -> Floats:
    up, down, n = (sums[..., k] for k in range(3))
    return np.stack([up / n, (up + down) / 2 / n, (up - down) / n], axis=-1)


def _difference(sums: Floats) -> Floats:
    two, one, n = (sums[..., k] for k in range(3))
    return np.stack([two / n, one / n, (two - one) / n], axis=-1)
