"""How does a judge decide a pair that its weights were not fitted on, and what does each factor add?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, cast

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.cells import Floats
from analysis.design import FIRST, Design
from analysis.factor_covariance import weight_covariance
from analysis.factor_fit import FactorFit
from analysis.factor_told import fit_told
from analysis.preference import predict_preference, terms
from analysis.shapley import win_points
from analysis.strengths import Ties
from analysis.tables import floats
from analysis.vcov import Clustering, Covariance
from charts import words
from data.model import Progress
from data.queries.texts import TEXT, Source
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.factor_data import FactorData, fetch
from studies.factor_options import Factors, display
from studies.refused import nobody, sentences
from studies.study import Result
from texts.measure import measure_answers, measure_texts
from texts.registry import factors


@dataclass(frozen=True)
class Explained:
    """What is expected of one judge on one pair.

    names : position and factors; difference, weight, log_odds : (n,) of each, log_odds = weight * difference
    points : (n,) their exact Shapley values in win points, None where `why` tells the reason
    predicted, lower, upper : how often `a` is preferred, a tie counting half, in percent
    """

    names: tuple[str, ...]
    difference: Floats
    weight: Floats
    log_odds: Floats
    points: Floats | None
    why: str | None
    predicted: float
    lower: float
    upper: float

    def table(self, a: Mapping[str, float], b: Mapping[str, float]) -> pd.DataFrame:
        """factor, a, b (raw values), difference, weight, log_odds, points; the largest first."""
        size = np.abs(self.log_odds if self.points is None else self.points)
        order = np.argsort(-size, kind="stable")
        names = [self.names[k] for k in order]
        points = [None] * len(names) if self.points is None else self.points[order]
        return pd.DataFrame(
            {
                "factor": names, "a": floats([a.get(name) for name in names]),
                "b": floats([b.get(name) for name in names]), "difference": floats(self.difference[order]),
                "weight": floats(self.weight[order]), "log_odds": floats(self.log_odds[order]),
                "points": floats(points),
            }
        )  # fmt: skip


@dataclass(frozen=True)
class Weighed:
    """One judge's weights, and how sure they are."""

    fit: FactorFit
    covariance: Covariance

    def explain(self, differences: Mapping[str, float], level: float) -> Explained:
        """differences : of every factor of the fit, scaled as there; of the position +1, -1 or in between, 0 left out

        Raises NotIdentifiedError where a factor of the fit has no difference.
        """
        names = terms(self.fit)
        lacking = [name for name in names if np.isnan(differences.get(name, 0.0 if name == FIRST else np.nan))]
        if lacking:
            raise NotIdentifiedError(
                f"this pair lacks {words.listing(lacking, 4)} in one of its responses, so nothing can be predicted: "
                "leave that factor out"
            )
        x = np.array([differences.get(name, 0.0) for name in names])
        weight = self.fit.parameters[: len(names)]
        found = predict_preference(self.fit, self.covariance, x)
        half = found.quantiles.two_sided(level) * found.se[0]
        middle = found.estimate[0]
        low, mid, high = (float(100 * expit(value)) for value in (middle - half, middle, middle + half))
        points, why = None, None
        try:
            tie = float(self.fit.parameters[-1]) if self.fit.rule != "logistic" else 0.0
            points = win_points(weight * x, self.fit.rule, tie)
        except NotIdentifiedError as error:
            why = str(error)
        return Explained(names, x, weight, weight * x, points, why, mid, low, high)


def weigh(design: Design, ties: str, clustering: Clustering) -> Weighed:
    """Fit one judge. Raises NotIdentifiedError where nothing can be estimated."""
    fit, kept = fit_told(design, clustering, ties=cast(Ties, ties))
    return Weighed(fit, weight_covariance([fit], [kept], clustering))


def coded(data: FactorData, name: str, a: Floats, b: Floats, coding: str) -> Floats:
    """a - b as the fits have it."""
    if coding == "sign":
        return np.sign(a - b)
    scale = data.scales[name].value
    # Where no two responses of the dataset differ there is no scale, and none is needed.
    return np.asarray((a - b) / scale if scale > 0 else a - b)


# -- any two texts ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fits(Result):
    """The fits of all judges.

    judges : by name; data : what they were fitted on, without its rows; largest : by factor, the largest difference
    that was judged
    """

    judges: Mapping[str, Weighed] = field(default_factory=dict)
    sources: Sequence[Source] = ()
    scales: Mapping[str, float] = field(default_factory=dict)
    largest: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class FactorsTry(Factors):
    """The weights of each judge, for texts that stand in no dataset. No command: pasted texts are no options."""

    command: ClassVar[str] = "factors try"
    title: ClassVar[str] = "What judges would prefer"

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "joining judgments with their factors")
        data = fetch(store, self)
        judges: dict[str, Weighed] = {}
        reasons: dict[str, str] = {}
        for k, judge in enumerate(self.judge):
            progress((k + 0.3) / len(self.judge), f"weighing factors for {judge}")
            try:
                judges[judge] = weigh(data.design[judge], self.ties, data.clustering)
            except NotIdentifiedError as error:
                reasons[judge] = str(error)
        if not judges:
            raise nobody(reasons)
        largest: dict[str, float] = {}
        for name in self.factor:
            x = next((one.x[one.names.index(name)] for one in data.design.values() if name in one.names), np.empty(0))
            # Two passes without a copy of a column that may have millions of entries.
            known = bool(np.isfinite(x).any())
            largest[name] = float(max(np.nanmax(x), -np.nanmin(x))) if known else 0.0
        progress(1.0, "done")
        return Fits(
            study=self, tables={}, values={}, settings=self.settings(), warnings=(*sentences(reasons), *data.warnings),
            caption=", ".join(f"{j} ({words.plural(w.fit.n_judgments, 'judgment')})" for j, w in judges.items()),
            fingerprint=data.fingerprint, judges=judges, sources=data.sources,
            scales={name: scale.value for name, scale in data.scales.items()}, largest=largest,
        )  # fmt: skip


@dataclass(frozen=True)
class Pasted:
    """Two pasted responses as the fits see them.

    a, b : raw values, by factor, where they could be measured; differences : of every factor, 0 where none could
    unmeasured : by reason, the factors that count as no difference; far : those farther apart than any judged pair
    """

    a: Mapping[str, float]
    b: Mapping[str, float]
    differences: Mapping[str, float]
    unmeasured: Mapping[str, list[str]]
    far: Sequence[str]


DELIVERED = "from the file, not to be read off a text"
MEANING = "a comparison of meanings by a language model, which is not run here"
NO_PROMPT = "need the prompt"
NO_VALUE = "have no value for one of the texts"
NO_WEIGHT = "differ here, but their weights could not be estimated"


def measure_pasted(fits: Fits, prompt: str, a: str, b: str) -> Pasted:
    """Measure two responses to a prompt. Raises OptionError where both are empty."""
    if not a.strip() and not b.strip():
        raise OptionError("both responses are empty: paste at least one of them")
    coding = str(fits.settings["coding"])
    own = {s.name: s.name.removeprefix("text:") for s in fits.sources if s.origin == TEXT}
    kinds = {one.name: one.of for one in factors(list(dict.fromkeys(own.values())))}
    values: dict[str, tuple[float, float]] = {}
    unmeasured: dict[str, list[str]] = {}
    of_text = [name for name, plain in own.items() if kinds[plain] == "text"]
    of_answer = [name for name, plain in own.items() if kinds[plain] == "answer"]
    if of_text:
        found = measure_texts([a, b], [own[name] for name in of_text])
        values |= {name: (found[0, k], found[1, k]) for k, name in enumerate(of_text)}
    if of_answer and prompt.strip():
        found = measure_answers([a, b], [prompt, prompt], [own[name] for name in of_answer])
        values |= {name: (found[0, k], found[1, k]) for k, name in enumerate(of_answer)}
    differences: dict[str, float] = {}
    far = []
    for source in fits.sources:
        name = source.name
        if name not in values:
            kind = kinds[own[name]] if name in own else None
            why = DELIVERED if kind is None else MEANING if kind == "meaning" else NO_PROMPT
            unmeasured.setdefault(why, []).append(name)
            differences[name] = 0.0
            continue
        gap = values[name][0] - values[name][1]
        if not np.isfinite(gap):
            unmeasured.setdefault(NO_VALUE, []).append(name)
            differences[name] = 0.0
            continue
        if gap and not any(name in mine.fit.factors for mine in fits.judges.values()):
            unmeasured.setdefault(NO_WEIGHT, []).append(name)
        scale = fits.scales[name]
        differences[name] = float(np.sign(gap)) if coding == "sign" else gap / scale if scale > 0 else 0.0
        if abs(differences[name]) > fits.largest[name] * (1 + 1e-6):
            far.append(name)
    known = {name: pair for name, pair in values.items() if np.isfinite(pair).all()}
    return Pasted(
        {name: pair[0] for name, pair in known.items()}, {name: pair[1] for name, pair in known.items()}, differences,
        unmeasured, far,
    )  # fmt: skip


def predict_pasted(fits: Fits, pasted: Pasted) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What each judge would make of them, neither shown first: tables `contributions` and `judges` as in `factors
    explain`, the latter without what was said."""
    level = float(fits.settings["level"])
    tables, rows = [], []
    for judge, mine in fits.judges.items():
        one = mine.explain(pasted.differences, level)
        table = one.table(pasted.a, pasted.b)
        table.insert(0, "judge", judge)
        tables.append(table[table["factor"] != FIRST])
        rows.append({"judge": judge, "predicted": one.predicted, "lower": one.lower, "upper": one.upper,
                     "log_odds": float(one.log_odds.sum()), "judgments": mine.fit.n_judgments})  # fmt: skip
    return pd.concat(tables, ignore_index=True), pd.DataFrame(rows)


def unmeasured_in_words(pasted: Pasted) -> list[str]:
    """Which factors count as no difference, and why; one sentence a reason."""
    return [
        f"{words.listing([display(name) for name in names], 6)} ({why}): counted as no difference"
        for why, names in pasted.unmeasured.items()
    ]
