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

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from data.simulate.world import Floats, Judge, World
from errors import OptionError, unknown_name

Complex = npt.NDArray[np.complex128]

# A step h repeats the integrand's transform every 2 pi / h log-odds. At .1 (63 log-odds) the sum is exact to 1e-14
# while |eta| < 30, which is nearly every world; at .04 while |eta| < 90.
# At t = 12 the integrand is below exp(-12 pi) = 4e-17.
_STEP, _FINE_STEP = 0.1, 0.04
_USUAL_ETA = 25.0
_LAST = 12.0

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

    i: npt.NDArray[np.intp]
    k: npt.NDArray[np.intp]
    mean_factor: Floats


def _characteristic(world: World, judge: Judge, scenario: int, pairs: _Pairs, t: Floats) -> Complex:
    """phi(t), (len(t), n_pairs), of the log-odds before decisiveness and position; a careful annotator.

    A factor's term is (w + b) d with b ~ N(0, slope variance) and d ~ N(m, 2 sd^2): a Gaussian integral.
    """
    t = t[:, None]
    mean = judge.strengths[pairs.i] - judge.strengths[pairs.k]
    variance = 2.0 * (world.prompt_sd**2 + judge.prompt_sd**2 + judge.annotator_sd**2)
    exponent = 1j * t * mean - 0.5 * t**2 * variance
    slope = world.prompt_slope_sd**2 + judge.prompt_slope_sd**2 + judge.annotator_slope_sd**2
    scale = np.ones_like(t)
    for f, factor in enumerate(world.factors):
        w = judge.weights[scenario, f]
        m = pairs.mean_factor[:, f]
        spread = 2.0 * factor.sd**2
        widened = 1.0 + t**2 * slope * spread
        exponent = exponent + (1j * t * w * m - 0.5 * t**2 * (slope * m**2 + w**2 * spread)) / widened
        scale = scale / np.sqrt(widened)
    return np.asarray(scale * np.exp(exponent), dtype=np.complex128)


def _nodes(world: World, judge: Judge, pairs: _Pairs) -> tuple[Floats, float]:
    """Midpoints t and their step, fine enough for the largest log-odds that can reasonably occur."""
    slope = np.sqrt(world.prompt_slope_sd**2 + judge.prompt_slope_sd**2 + judge.annotator_slope_sd**2)
    weight = np.abs(judge.weights).max(axis=0, initial=0.0) + 3.0 * slope
    reach = np.abs(pairs.mean_factor).max(axis=0, initial=0.0) + 6.0 * np.array([f.sd for f in world.factors])
    plain = np.ptp(judge.strengths) + abs(judge.position) + float(weight @ reach)
    plain += 6.0 * np.sqrt(2.0 * (world.prompt_sd**2 + judge.prompt_sd**2 + judge.annotator_sd**2))
    usual = not judge.annotator_decisiveness_sd and judge.decisiveness * plain < _USUAL_ETA
    step = _STEP if usual else _FINE_STEP
    return ((np.arange(round(_LAST / step)) + 0.5) * step).astype(np.float64), step


def expected(world: World) -> Expected:
    """Exact verdict probabilities of each judge, by scenario and shown order (error below 1e-12)."""
    j_n, c_n, m = len(world.judges), len(world.scenarios), len(world.models)
    p_a = np.full((j_n, c_n, 2, m, m), 0.5)
    p_tie = np.zeros_like(p_a)
    i, k = np.triu_indices(m, 1)
    pairs = _Pairs(i, k, world.model_factor[i] - world.model_factor[k])
    for j, judge in enumerate(world.judges):
        t, step = _nodes(world, judge, pairs)
        h, q = transforms(judge, t)
        careless = judge.n_careless / judge.annotators if judge.annotators else 0.0
        for c in range(c_n):
            half, tie = np.zeros((2, len(i))), np.zeros((2, len(i)))
            for factor, share in _decisiveness(judge):
                phi = _characteristic(world, judge, c, pairs, factor * t)
                for o, s in enumerate((1, -1)):
                    turned = np.exp(1j * factor * t * judge.position * s)
                    half[o] += share * step * ((h * turned) @ phi).imag
                    tie[o] += share * step * ((q * turned) @ phi).real
            tie = (1.0 - careless) * tie + careless * judge.tie_between_equals
            half = (1.0 - careless) * half
            won = 0.5 + half - 0.5 * tie
            for o in (0, 1):
                p_a[j, c, o][i, k], p_tie[j, c, o][i, k] = won[o], tie[o]
                # The same pair seen from its other side: shown first is shown second.
                p_a[j, c, 1 - o][k, i], p_tie[j, c, 1 - o][k, i] = 1.0 - tie[o] - won[o], tie[o]
            on_diagonal = np.arange(m)
            p_tie[j, c, :, on_diagonal, on_diagonal] = 0.0
    return Expected(
        world.models,
        tuple(judge.name for judge in world.judges),
        world.scenarios,
        p_a,
        p_tie,
        world.pair_share,
        world.scenario_share,
    )


def _decisiveness(judge: Judge) -> list[tuple[float, float]]:
    """(factor, share) of the decisiveness over annotators: one value, or Gauss-Hermite nodes of its logarithm."""
    if not judge.annotator_decisiveness_sd:
        return [(judge.decisiveness, 1.0)]
    nodes, weights = np.polynomial.hermite_e.hermegauss(_DECISIVENESS_NODES)
    factors = judge.decisiveness * np.exp(judge.annotator_decisiveness_sd * nodes)
    return list(zip(factors.tolist(), (weights / weights.sum()).tolist(), strict=True))
