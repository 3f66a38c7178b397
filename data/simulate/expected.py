"""What a planted world's judges would say on average: exact probabilities behind the pseudo-true values.

The log-odds of a judgment are a sum of normal effects and, where weights vary by prompt or annotator, of products
of normals. Neither has a normal-logistic mean in closed form, but both have a characteristic function phi, and
P(a) and P(tie) have closed sine and cosine transforms, so that each expectation is one well-behaved integral:

    E H(eta) = int_0^inf h(t) Im phi(t) dt,   H = (P(a) - P(b)) / 2
    E T(eta) = int_0^inf q(t) Re phi(t) dt,   T = P(tie)

With Davidson's nu = 2 cos(alpha): h = 2 cosh(2 alpha t) / sinh(2 pi t), q = 4 cos(alpha) sinh(2 alpha t) /
(sin(alpha) sinh(2 pi t)); with Rao-Kupper's tau: h = cos(tau t) / sinh(pi t), q = 2 sin(tau t) / sinh(pi t)
(Gradshteyn and Ryzhik, section 3.98; the tests hold them against quadrature). Transforms and integrand decay like
exp(-pi t), and the midpoint rule converges exponentially, because the integrand is analytic and even. Only an
annotator's decisiveness, which multiplies everything, needs a quadrature of its own (Gauss-Hermite).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.duck import cores
from data.model import Progress, silent
from data.simulate.world import Floats, Judge, World
from errors import OptionError, unknown_name

Indices = npt.NDArray[np.intp]

MOST_INTEGRALS = 40_000_000
"""1,000 models, 16 scenarios and 5 judges: half a minute on two cores."""

# A step h repeats the integrand's transform every 2 pi / h log-odds. At .1 (63 log-odds) the sum is exact to 1e-14
# while |eta| < 30, which is nearly every world; at .04 while |eta| < 90.
# At t = 12 the integrand is below exp(-12 pi) = 4e-17.
_STEP, _FINE_STEP = 0.1, 0.04
_USUAL_ETA = 25.0
_LAST = 12.0
_NEGLIGIBLE = 1e-19

# So many that nodes x pairs stay in the processor's cache.
_PAIRS_AT_ONCE = 1000

_DECISIVENESS_NODES = 24


@dataclass(frozen=True, eq=False)
class Expected:
    """Exact probabilities of a world's verdicts, integrated over prompts, responses and annotators.

    p_a, p_tie : (judges, scenarios, orders, models, models): given a verdict on model i as a and k as b; order 0
        shows a first, order 1 b first, each half of the time. The diagonal never occurs.
    pair_share : (models, models) how often i is a and k is b; scenario_share : (scenarios,)
    """

    models: tuple[str, ...]
    judges: tuple[str, ...]
    scenarios: tuple[str, ...]
    p_a: Floats
    p_tie: Floats
    pair_share: Floats
    scenario_share: Floats

    def _mean(self, values: Floats, judge: str, scenario: str | None, order: int | None) -> Floats:
        """(models, models) average over scenarios and shown orders, unless one is chosen."""
        if judge not in self.judges:
            raise unknown_name("judge", judge, self.judges)
        if scenario is not None and scenario not in self.scenarios:
            raise unknown_name("scenario", scenario, self.scenarios)
        if order not in (None, 1, -1):
            raise OptionError(f"order is +1 (a first), -1 (b first) or None (both alike), not {order!r}")
        of_judge = values[self.judges.index(judge)]
        of_scenario = (
            np.tensordot(self.scenario_share, of_judge, axes=1)
            if scenario is None
            else of_judge[self.scenarios.index(scenario)]
        )
        chosen = of_scenario.mean(axis=0) if order is None else of_scenario[0 if order == 1 else 1]
        return np.asarray(chosen, dtype=np.float64)

    def y(self, judge: str, ties: str = "half", scenario: str | None = None, order: int | None = None) -> Floats:
        """(models, models) mean of y for model i as a and k as b over the judgments that count under `ties`.

        ties : "half" (a tie is .5) or "drop" (ties are left out); order : +1, -1 or None
        """
        return self._won(judge, ties, scenario, order) / self._counted(judge, ties, scenario, order)

    def share(self, judge: str, ties: str = "half", scenario: str | None = None, order: int | None = None) -> Floats:
        """(models, models) judgments with i as a and k as b that count, as a share of all of the judge's verdicts
        (in that scenario and order, where chosen). Sums to 1 with "half"."""
        return self.pair_share * self._counted(judge, ties, scenario, order)

    def wins(self, judge: str, ties: str = "half", scenario: str | None = None) -> Floats:
        """(models, models); wins[i, k] = judgments preferring i to k, as a share of the judge's verdicts.

        A Bradley-Terry fit to these counts gives the pseudo-true strengths.
        """
        won = self._won(judge, ties, scenario, None)
        lost = self._counted(judge, ties, scenario, None) - won
        return np.asarray(self.pair_share * won + (self.pair_share * lost).T, dtype=np.float64)

    def _won(self, judge: str, ties: str, scenario: str | None, order: int | None) -> Floats:
        p_a = self._mean(self.p_a, judge, scenario, order)
        return p_a + 0.5 * self._mean(self.p_tie, judge, scenario, order) if ties == "half" else p_a

    def _counted(self, judge: str, ties: str, scenario: str | None, order: int | None) -> Floats:
        if ties not in ("half", "drop"):
            raise OptionError(f"ties is 'half' or 'drop', not {ties!r}")
        p_tie = self._mean(self.p_tie, judge, scenario, order)
        return np.ones_like(p_tie) if ties == "half" else 1.0 - p_tie


def transforms(judge: Judge, t: Floats) -> tuple[Floats, Floats]:
    """h(t) and q(t) of the module's docstring, for the judge's tie model."""
    if judge.tie_model == "davidson":
        alpha = np.arccos(judge.tie / 2.0)
        h = 2.0 * np.cosh(2.0 * alpha * t) / np.sinh(2.0 * np.pi * t)
        q = 2.0 * judge.tie * np.sinh(2.0 * alpha * t) / (np.sin(alpha) * np.sinh(2.0 * np.pi * t))
        return h, q
    return np.cos(judge.tie * t) / np.sinh(np.pi * t), 2.0 * np.sin(judge.tie * t) / np.sinh(np.pi * t)


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Differences between the two models of each pair i < k. mean_factor : (n_pairs, n_factors)"""

    i: Indices
    k: Indices
    mean_factor: Floats

    @classmethod
    def of(cls, world: World, i: Indices, k: Indices) -> _Pairs:
        return cls(i, k, world.model_factor[i] - world.model_factor[k])


@dataclass(frozen=True, eq=False)
class _Sums:
    """The two integrals without careless people, each half of the sum and half of the difference of both orders.

    Those of order s are `half + s * half_turn` and `tie + s * tie_turn`. All (n_scenarios, n_pairs); only `half`
    where nothing else was asked for.
    """

    half: Floats
    half_turn: Floats
    tie: Floats
    tie_turn: Floats


def _integrate(world: World, judge: Judge, pairs: _Pairs, nodes: tuple[Floats, float], *, mean_only: bool) -> _Sums:
    """Sum the integrands over the nodes.

    Given the weight's variation b ~ N(0, slope variance) and the difference d ~ N(m, 2 sd^2), a factor's term
    (w + b) d has a Gaussian integral as its characteristic function; with `widened` = 1 + t^2 slope 2 sd^2 that is
    exp((i t w m - t^2 (slope m^2 + w^2 2 sd^2) / 2) / widened) / sqrt(widened). What of its modulus depends on the
    pair is the same in every scenario, so that a scenario costs one sine (and one cosine) for each node and pair.
    """
    t, step = nodes
    h, q = transforms(judge, t)
    n_scenarios, n_pairs = len(world.scenarios), len(pairs.i)
    sums = _Sums(*(np.zeros((n_scenarios, n_pairs if k == 0 or not mean_only else 0)) for k in range(4)))
    mean = judge.strengths[pairs.i] - judge.strengths[pairs.k]
    variance = 2.0 * (world.prompt_sd**2 + judge.prompt_sd**2 + judge.annotator_sd**2)
    slope = _slope_variance(world, judge)
    spread = 2.0 * np.array([factor.sd for factor in world.factors]) ** 2
    for factor, share in _decisiveness(judge):
        scaled = factor * t
        narrowed = 1.0 / (1.0 + np.multiply.outer(scaled**2, slope * spread))
        own = -0.5 * scaled**2 * (variance + judge.weights**2 @ (narrowed * spread).T)
        own = share * step * np.sqrt(narrowed.prod(axis=1)) * np.exp(own)
        # Nodes whose whole share stays below rounding error cost as much as the others.
        used = ((np.abs(h) + np.abs(q)) * own.max(axis=0)) > _NEGLIGIBLE
        scaled, narrowed, own, h_used, q_used = scaled[used], narrowed[used], own[:, used], h[used], q[used]
        modulus = np.exp(-0.5 * slope * (scaled[:, None] ** 2 * narrowed) @ (pairs.mean_factor**2).T)
        cosine, sine = np.cos(scaled * judge.position), np.sin(scaled * judge.position)
        angles = scaled[:, None] * narrowed
        for c in range(n_scenarios):
            angle = angles @ (judge.weights[c] * pairs.mean_factor).T
            angle += np.multiply.outer(scaled, mean)
            imaginary = np.sin(angle)
            imaginary *= modulus
            sums.half[c] += (h_used * cosine * own[c]) @ imaginary
            if mean_only:
                continue
            real = np.cos(angle, out=angle)
            real *= modulus
            sums.half_turn[c] += (h_used * sine * own[c]) @ real
            sums.tie[c] += (q_used * cosine * own[c]) @ real
            sums.tie_turn[c] -= (q_used * sine * own[c]) @ imaginary
    return sums


def _slope_variance(world: World, judge: Judge) -> float:
    return world.prompt_slope_sd**2 + judge.prompt_slope_sd**2 + judge.annotator_slope_sd**2


def _nodes(world: World, judge: Judge) -> tuple[Floats, float]:
    """Midpoints t and their step, fine enough for the largest log-odds that can reasonably occur."""
    weight = np.abs(judge.weights).max(axis=0, initial=0.0) + 3.0 * np.sqrt(_slope_variance(world, judge))
    reach = np.ptp(world.model_factor, axis=0) + 6.0 * np.array([f.sd for f in world.factors])
    plain = np.ptp(judge.strengths) + abs(judge.position) + float(weight @ reach)
    plain += 6.0 * np.sqrt(2.0 * (world.prompt_sd**2 + judge.prompt_sd**2 + judge.annotator_sd**2))
    usual = not judge.annotator_decisiveness_sd and judge.decisiveness * plain < _USUAL_ETA
    step = _STEP if usual else _FINE_STEP
    return ((np.arange(round(_LAST / step)) + 0.5) * step).astype(np.float64), step


def expected(world: World) -> Expected:
    """Exact verdict probabilities of each judge, by scenario and shown order (error below 1e-12).

    Holds 32 bytes for each judge, scenario and two models; `expected_scores` is for worlds of many models.
    """
    j_n, c_n, m = len(world.judges), len(world.scenarios), len(world.models)
    p_a = np.full((j_n, c_n, 2, m, m), 0.5)
    p_tie = np.zeros_like(p_a)
    i, k = np.triu_indices(m, 1)
    for j, judge in enumerate(world.judges):
        nodes = _nodes(world, judge)
        careful = 1.0 - _careless(judge)
        for part in _parts(len(i)):
            pairs = _Pairs.of(world, i[part], k[part])
            sums = _integrate(world, judge, pairs, nodes, mean_only=False)
            for o, s in enumerate((1, -1)):
                tie = careful * (sums.tie + s * sums.tie_turn) + (1.0 - careful) * judge.tie_between_equals
                won = 0.5 + careful * (sums.half + s * sums.half_turn) - 0.5 * tie
                for c in range(c_n):
                    p_a[j, c, o, pairs.i, pairs.k], p_tie[j, c, o, pairs.i, pairs.k] = won[c], tie[c]
                    # The same pair seen from its other side: shown first is shown second.
                    p_a[j, c, 1 - o, pairs.k, pairs.i] = 1.0 - tie[c] - won[c]
                    p_tie[j, c, 1 - o, pairs.k, pairs.i] = tie[c]
    return Expected(
        world.models,
        tuple(judge.name for judge in world.judges),
        world.scenarios,
        p_a,
        p_tie,
        world.pair_share,
        world.scenario_share,
    )


@dataclass(frozen=True, eq=False)
class ExpectedScores:
    """What each pair of models scores on average, a tie counting half: all that a Bradley-Terry fit needs.

    i, k : (n_pairs,) models, i < k; share : how often the pair occurs, both ways round
    y : (judges, n_pairs) exact mean of y for model i, over scenarios, shown orders and all random effects
    opponents : of how many opponents of each model these are; None: of all
    """

    models: tuple[str, ...]
    judges: tuple[str, ...]
    i: Indices
    k: Indices
    share: Floats
    y: Floats
    opponents: int | None


def expected_scores(world: World, progress: Progress = silent, most: int = MOST_INTEGRALS) -> ExpectedScores:
    """Exact mean scores of pairs of models (error below 1e-12), in bounded memory.

    most : integrals (a pair in a scenario, for a judge) that are affordable; where all pairs would need more, each
        model meets as many opponents as there are integrals for, chosen at random (seed 0) and equally many for each
    """
    m = len(world.models)
    opponents = max(2, 2 * (most // (len(world.judges) * len(world.scenarios) * m)))
    sampled = opponents < m - 2
    i, k = _ring(m, opponents) if sampled else np.triu_indices(m, 1)
    y = np.empty((len(world.judges), len(i)))
    work = [(j, part) for j in range(len(world.judges)) for part in _parts(len(i))]
    nodes = [_nodes(world, judge) for judge in world.judges]

    def integrate(job: tuple[int, slice]) -> None:
        j, part = job
        judge = world.judges[j]
        sums = _integrate(world, judge, _Pairs.of(world, i[part], k[part]), nodes[j], mean_only=True)
        y[j, part] = 0.5 + (1.0 - _careless(judge)) * (world.scenario_share @ sums.half)

    with ThreadPoolExecutor(cores()) as threads:
        # Each part has its own place in y, so that the order of the threads changes nothing.
        jobs = [threads.submit(integrate, job) for job in work]
        try:
            for n, job in enumerate(jobs):
                job.result()
                progress((n + 1) / len(jobs), "integrating what judges would say on average")
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
    share = world.pair_share[i, k] + world.pair_share[k, i]
    names = tuple(judge.name for judge in world.judges)
    return ExpectedScores(world.models, names, i, k, share, y, opponents if sampled else None)


def _ring(m: int, opponents: int) -> tuple[Indices, Indices]:
    """Pairs i < k in which each of m models meets the same (even) number of different opponents; all are linked."""
    rng = np.random.default_rng(0)
    place = rng.permutation(m)
    # Neighbours in a circle of random order link all; the other distances are random too.
    steps = np.concatenate([[1], 2 + rng.permutation((m - 1) // 2 - 1)[: opponents // 2 - 1]])
    first = np.tile(np.arange(m), len(steps))
    a, b = place[first], place[(first + np.repeat(steps, m)) % m]
    return np.minimum(a, b), np.maximum(a, b)


def _parts(n_pairs: int) -> list[slice]:
    return [slice(start, start + _PAIRS_AT_ONCE) for start in range(0, n_pairs, _PAIRS_AT_ONCE)]


def _careless(judge: Judge) -> float:
    return judge.n_careless / judge.annotators if judge.annotators else 0.0


def _decisiveness(judge: Judge) -> list[tuple[float, float]]:
    """(factor, share) of the decisiveness over annotators: one value, or Gauss-Hermite nodes of its logarithm."""
    if not judge.annotator_decisiveness_sd:
        return [(judge.decisiveness, 1.0)]
    nodes, weights = np.polynomial.hermite_e.hermegauss(_DECISIVENESS_NODES)
    factors = judge.decisiveness * np.exp(judge.annotator_decisiveness_sd * nodes)
    return list(zip(factors.tolist(), (weights / weights.sum()).tolist(), strict=True))
