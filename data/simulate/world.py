"""What is planted in simulated judgments: tastes, noise, biases, and the design they are observed under.

A judgment of judge j (annotator r) on models a and b of prompt p, scenario c, has the log-odds

    eta = decisiveness_j * exp(g_r) * ( strength_ja - strength_jb
              + sum_f (weight_jcf + slope_pf + slope_jpf + slope_rf) * (x_paf - x_pbf)
              + (u_pa - u_pb) + (u_jpa - u_jpb) + (v_ra - v_rb) + position_j * s )

with s = +1 when a was shown first and -1 when b was; u, v, slope and g are normal with mean 0. A careless
annotator has eta = 0 always. A verdict is a tie by Davidson (1970) or Rao and Kupper (1967), and refused with a
fixed probability before anything else. A response's factor values are x_pmf = model_factor_mf + scenario_factor_cf
+ N(0, sd_f), so they too vary by prompt. Prompts, responses and annotators are drawn afresh for each data set: they
are the populations that intervals generalise to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.model import JUDGE_KINDS
from errors import OptionError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TIE_MODELS = ("davidson", "rao-kupper")


@dataclass(frozen=True)
class Factor:
    """A property of a response. It acts in standard units; `centre + unit * x` is what a file shows.

    sd : standard deviation from response to response within model and scenario, in standard units
    whole : the shown value is a count (rounded, not below 0)
    """

    name: str
    sd: float = 1.0
    centre: float = 0.0
    unit: float = 1.0
    whole: bool = False

    def shown(self, x: Floats) -> Floats:
        """Values as a file shows them."""
        values = self.centre + self.unit * x
        return np.maximum(np.rint(values), 0.0) if self.whole else values


@dataclass(frozen=True, eq=False)
class Judge:
    """One judge's taste, noise and biases. Log-odds before `decisiveness`, which multiplies all of them.

    strengths : (n_models,)
    weights : (n_scenarios, n_factors), per standard unit of the difference a - b
    position : added for the side shown first
    tie : nu >= 0 of Davidson, below 2 (P(tie) = nu / (2 + nu) between equals), or the threshold >= 0 of
        Rao-Kupper; not multiplied by `decisiveness`
    prompt_sd, prompt_slope_sd : this judge's own prompt x model and prompt x weight effects (beside the world's)
    annotators : how many people judge under this name; 0: no annotators are told apart
    annotator_sd, annotator_slope_sd, annotator_decisiveness_sd : sd of annotator x model effects, of annotator x
        weight effects, and of the natural log of an annotator's decisiveness
    careless : share of annotators who answer at random (rounded to whole people)
    refusals : probability of no verdict
    votes : judgments on each pair (by different annotators, or as repeats)
    """

    name: str
    kind: str
    strengths: Floats
    weights: Floats
    decisiveness: float = 1.0
    position: float = 0.0
    tie: float = 0.0
    tie_model: str = "davidson"
    prompt_sd: float = 0.0
    prompt_slope_sd: float = 0.0
    annotators: int = 0
    annotator_sd: float = 0.0
    annotator_slope_sd: float = 0.0
    annotator_decisiveness_sd: float = 0.0
    careless: float = 0.0
    refusals: float = 0.0
    votes: int = 1

    def __post_init__(self) -> None:
        if self.kind not in JUDGE_KINDS:
            raise OptionError(f"judge {self.name!r}: kind {self.kind!r} is not one of {', '.join(JUDGE_KINDS)}")
        if self.tie_model not in TIE_MODELS:
            raise OptionError(
                f"judge {self.name!r}: tie model {self.tie_model!r} is not one of {', '.join(TIE_MODELS)}"
            )
        if self.tie < 0 or (self.tie_model == "davidson" and self.tie >= 2):
            raise OptionError(f"judge {self.name!r}: tie must be >= 0, and for davidson below 2; it is {self.tie}")
        if not self.annotators and (
            self.annotator_sd or self.annotator_slope_sd or self.annotator_decisiveness_sd or self.careless
        ):
            raise OptionError(f"judge {self.name!r} has annotator effects or careless annotators but no annotators")
        if self.votes < 1 or (self.annotators and self.votes > self.annotators):
            raise OptionError(
                f"judge {self.name!r}: {self.votes} votes a pair need at least one and at most its annotators"
            )
        if not (0 <= self.careless <= 1 and 0 <= self.refusals < 1):
            raise OptionError(f"judge {self.name!r}: careless and refusals are shares between 0 and 1")

    @property
    def n_careless(self) -> int:
        return round(self.careless * self.annotators)

    @property
    def tie_between_equals(self) -> float:
        """P(tie) at eta = 0."""
        if self.tie_model == "davidson":
            return self.tie / (2.0 + self.tie)
        return float(np.tanh(self.tie / 2.0))


def uneven_pairs(n_models: int, rng: np.random.Generator, spread: float = 1.0) -> Floats:
    """(n_models, n_models) shares of model pairs whose odds vary with log-sd `spread`; symmetric, sum 1."""
    raw = np.triu(np.exp(spread * rng.standard_normal((n_models, n_models))), 1)
    return np.asarray((raw + raw.T) / (2.0 * raw.sum()), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class World:
    """All that is planted, and the design.

    model_factor : (n_models, n_factors); scenario_factor : (n_scenarios, n_factors); means in standard units
    scenario_share : (n_scenarios,) probability that a prompt belongs to it
    prompt_sd, prompt_slope_sd : prompt x model and prompt x weight effects that all judges share
    pair_share : (n_models, n_models) probability that a row shows model i as a and k as b; symmetric, diagonal 0,
        sum 1. Every pair is drawn independently, so a small prompt may repeat a model pair.
    prompts : number of prompts; largest_prompt : share of all pairs on the first prompt (0: all prompts alike);
        the others then vary too, log-normally with sd .8
    same_pairs : every judge judges every pair; else each pair has one judge, in turn
    """

    models: tuple[str, ...]
    judges: tuple[Judge, ...]
    factors: tuple[Factor, ...] = ()
    scenarios: tuple[str, ...] = ("general",)
    model_factor: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    scenario_factor: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    scenario_share: Floats = field(default_factory=lambda: np.zeros(0))
    pair_share: Floats = field(default_factory=lambda: np.zeros((0, 0)))
    prompts: int = 100
    prompt_sd: float = 0.0
    prompt_slope_sd: float = 0.0
    largest_prompt: float = 0.0
    same_pairs: bool = True

    def __post_init__(self) -> None:
        m, f, c = len(self.models), len(self.factors), len(self.scenarios)
        if m < 2 or not self.judges or not c or self.prompts < 1:
            raise OptionError("a world needs at least two models, a judge, a scenario and a prompt")
        # Arrays that are left out get their neutral value, so that a world can be written by hand in one line.
        defaults = {
            "model_factor": np.zeros((m, f)),
            "scenario_factor": np.zeros((c, f)),
            "scenario_share": np.full(c, 1.0 / c),
            "pair_share": (1.0 - np.eye(m)) / (m * (m - 1)),
        }
        for name, neutral in defaults.items():
            given = np.asarray(getattr(self, name), dtype=np.float64)
            value = given if given.size else neutral
            if value.shape != neutral.shape:
                raise OptionError(f"{name} has shape {value.shape}; this world needs {neutral.shape}")
            object.__setattr__(self, name, value)
        for judge in self.judges:
            if judge.strengths.shape != (m,) or judge.weights.shape != (c, f):
                raise OptionError(
                    f"judge {judge.name!r}: strengths {judge.strengths.shape} and weights {judge.weights.shape} "
                    f"must have the shapes {(m,)} and {(c, f)}"
                )
        if self.largest_prompt and not 1.0 / self.prompts <= self.largest_prompt < 1.0:
            raise OptionError(f"the largest of {self.prompts} prompts cannot hold {self.largest_prompt} of all pairs")
        p = self.pair_share
        if not (np.allclose(p, p.T) and np.allclose(p.sum(), 1.0) and (p >= 0).all() and not np.diag(p).any()):
            raise OptionError("pair_share must be symmetric, not negative, 0 on the diagonal, and sum to 1")
        if not np.isclose(self.scenario_share.sum(), 1.0) or (self.scenario_share < 0).any():
            raise OptionError("scenario_share must not be negative and must sum to 1")

    @classmethod
    def draw(
        cls,
        seed: int = 0,
        models: int | Sequence[str] = 12,
        judges: Sequence[tuple[str, str]] = (("people", "human"), ("judge-1", "llm"), ("judge-2", "llm")),
        factors: Sequence[str] = ("words", "lists", "hedging"),
        scenarios: int | Sequence[str] = 4,
        prompts: int = 1000,
        *,
        strength_sd: float = 0.6,
        taste_sd: float = 0.25,
        weight_sd: float = 0.3,
        scenario_sd: float = 0.1,
        prompt_sd: float = 0.3,
        prompt_slope_sd: float = 0.15,
        length_bias: float = 0.3,
        position: float = 0.3,
        tie: float = 0.3,
        decisiveness: float = 1.5,
        annotators: int = 60,
        votes: int = 3,
        careless: float = 0.05,
        refusals: float = 0.01,
        pair_spread: float = 0.0,
        largest_prompt: float = 0.0,
        same_pairs: bool = True,
    ) -> World:
        """A world with shared strengths and weights, and each judge's own deviations from them.

        judges : (name, kind); a human judge gets annotators, `votes` and careless people and no position bias, the
            others alternate in sign of `position` and multiply by `decisiveness`
        length_bias : extra weight of the factor `words` for every judge that is not human
        pair_spread : log-sd of how often model pairs occur (0: all alike)
        """
        rng = np.random.default_rng(seed)
        model_names = tuple(f"model-{i + 1:02d}" for i in range(models)) if isinstance(models, int) else tuple(models)
        scenario_names = (
            tuple(f"scenario-{i + 1}" for i in range(scenarios)) if isinstance(scenarios, int) else tuple(scenarios)
        )
        m, c, f = len(model_names), len(scenario_names), len(factors)
        shared_strength = strength_sd * rng.standard_normal(m)
        shared_weight = weight_sd * rng.standard_normal(f)
        is_words = np.array([name == "words" for name in factors], dtype=bool)
        panel = []
        for number, (name, kind) in enumerate(judges):
            human = kind == "human"
            strengths = shared_strength + taste_sd * rng.standard_normal(m)
            own = shared_weight + weight_sd / 2 * rng.standard_normal(f)
            if not human:
                own = own + length_bias * is_words
            panel.append(
                Judge(
                    name,
                    kind,
                    strengths=strengths - strengths.mean(),
                    weights=own + scenario_sd * rng.standard_normal((c, f)),
                    decisiveness=1.0 if human else decisiveness,
                    position=0.0 if human else position * (-1) ** number,
                    tie=tie if human else tie / 2,
                    annotators=annotators if human else 0,
                    annotator_sd=0.2 if human else 0.0,
                    annotator_slope_sd=0.1 if human else 0.0,
                    careless=careless if human else 0.0,
                    refusals=0.0 if human else refusals,
                    votes=votes if human else 1,
                )
            )
        return cls(
            models=model_names,
            judges=tuple(panel),
            factors=tuple(
                Factor(name, centre=150.0, unit=40.0, whole=True) if name == "words" else Factor(name)
                for name in factors
            ),
            scenarios=scenario_names,
            model_factor=0.5 * rng.standard_normal((m, f)),
            scenario_factor=0.3 * rng.standard_normal((c, f)),
            pair_share=uneven_pairs(m, rng, pair_spread),
            prompts=prompts,
            prompt_sd=prompt_sd,
            prompt_slope_sd=prompt_slope_sd,
            largest_prompt=largest_prompt,
            same_pairs=same_pairs,
        )

    @property
    def judgments_a_pair(self) -> float:
        """Mean number of judgments on a pair."""
        votes = [judge.votes for judge in self.judges]
        return float(sum(votes)) if self.same_pairs else float(np.mean(votes))

    def factor_scale(self) -> Floats:
        """(n_factors,) root mean square of x_a - x_b over the design's pairs, in standard units."""
        gap = self.model_factor[:, None, :] - self.model_factor[None, :, :]
        spread = 2.0 * np.array([factor.sd for factor in self.factors]) ** 2
        return np.asarray(np.sqrt(np.einsum("ik,ikf->f", self.pair_share, gap**2) + spread), dtype=np.float64)

    def prompt_share(self) -> Floats:
        """(prompts,) share of all pairs on each prompt; sums to 1."""
        if not self.largest_prompt or self.prompts == 1:
            return np.full(self.prompts, 1.0 / self.prompts)
        rest = np.exp(0.8 * np.sort(np.random.default_rng(self.prompts).standard_normal(self.prompts - 1))[::-1])
        # Excess over the stated share is spread evenly, so that the first prompt stays the largest.
        rest = np.minimum(rest / rest.sum() * (1.0 - self.largest_prompt), self.largest_prompt)
        rest += (1.0 - self.largest_prompt - rest.sum()) / (self.prompts - 1)
        return np.concatenate([[self.largest_prompt], rest])

    def truth(self) -> pd.DataFrame:
        """What was planted, on the scale of the judge's log-odds (decisiveness multiplied in).

        Columns kind (strength, weight, decisiveness, position, tie, careless, refusal), judge, scenario (None: all),
        name (model or factor, else None), planted. Strengths have mean 0; a weight is for one root mean square of the
        factor's difference; tie is the probability of a tie between equals; careless and refusal are shares.
        """
        rows: list[tuple[str, str, str | None, str | None, float]] = []
        scale = self.factor_scale()
        for judge in self.judges:
            k = judge.decisiveness
            centred = k * (judge.strengths - judge.strengths.mean())
            rows += [
                ("strength", judge.name, None, name, value)
                for name, value in zip(self.models, centred.tolist(), strict=True)
            ]
            weights = np.vstack([self.scenario_share @ judge.weights, judge.weights]) * k * scale
            for scenario, line in zip((None, *self.scenarios), weights.tolist(), strict=True):
                rows += [
                    ("weight", judge.name, scenario, factor.name, value)
                    for factor, value in zip(self.factors, line, strict=True)
                ]
            people = judge.n_careless / judge.annotators if judge.annotators else 0.0
            for kind, value in (
                ("decisiveness", k),
                ("position", k * judge.position),
                ("tie", judge.tie_between_equals),
                ("careless", people),
                ("refusal", judge.refusals),
            ):
                rows.append((kind, judge.name, None, None, float(value)))
        return pd.DataFrame(rows, columns=["kind", "judge", "scenario", "name", "planted"])
