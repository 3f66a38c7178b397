"""How often would each model win against the baseline if its answers were as long?

Length-controlled win rates (Dubois, Galambosi, Liang and Hashimoto 2024, "Length-Controlled AlpacaEval"):

    logit P(m beats the baseline on x) = theta_m + phi_m * tanh(dlen / sd_m(dlen)) [+ delta_m * s] + psi_m * gamma_x

with dlen in characters, the model's minus the baseline's, so that phi > 0 where longer answers of the model win; sd_m
is taken over the model's distinct pairs. The length-controlled win rate is the mean of sigmoid(theta_m + psi_m *
gamma_x) over the model's judgments; without a length effect it is the plain win rate. gamma_x, the difficulty of the
instruction, is `difficulty.py`'s, estimated from the verdicts on all *other* models: a model's own verdicts would
explain themselves. With fewer than three models there is no such term.

theta is free. phi, delta and psi have a N(0, 5^2) prior, which data override (a standard error of .5 shrinks them by
1 %) and which keeps them finite when, say, only the longest answers won. The published fit chooses an L1 penalty by
cross-validation instead, which gives no honest interval.

The guard against answers written for their length: where the baseline has twins that were told to be verbose and
concise, their judgments enter each model's fit with theta = 0 and a total weight of .2 of the model's own.

Errors are those of the whole two-stage estimator: each cluster's influence through the mean over prompts, through
the coefficients, and through the difficulties (Newey and McFadden 1994, section 6), by the rules of `vcov`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, vstack

from analysis.blas import use_one_thread
from analysis.cells import Floats, Ints
from analysis.difficulty import MOST_MODELS, Difficulty, Report, Rows, fit_difficulty, quiet
from analysis.length_fit import LC, PHI, LengthData, LengthFit, fit_logistic, length_sd, sigmoid
from analysis.replicates import JACKKNIFE_RIDGE
from analysis.tables import floats
from analysis.vcov import Clustering, Covariance, Term
from analysis.winrate import (
    Deleted,
    Duels,
    Way,
    cluster_ways,
    extreme,
    find_deleted,
    logit_bounds,
    make_term,
    no_interval,
)
from errors import ConvergenceError

NEAR = float(np.tanh(0.5))
FEWEST_MODELS = 3
"""With two models a difficulty is one number for one correlation, which any loadings explain."""


@dataclass(frozen=True)
class Controlled:
    """One model's length-controlled win rate.

    rate : in [0, 1]; length, difficulty, position : phi, psi and delta, the latter two None when not in the model
    se_published : standard error of the mean of the predictions, which takes the coefficients as known
    near_equal : share of the judgments whose answers differ by less than half a standard deviation
    judgments : that have both texts; covariance : of (rate, phi); None where there is no interval
    """

    model: str
    rate: float
    length: float
    difficulty: float | None
    position: float | None
    se_published: float
    near_equal: float
    judgments: int
    covariance: Covariance | None


@dataclass(frozen=True)
class LengthControl:
    """Length-controlled win rates of one judge.

    models : those that could be fitted; reasons : model -> why it has no such rate (or no interval)
    n_without_text : judgments left out because a text is absent
    n_difficulty : models from which the difficulty of prompts was estimated; 0: not in the model
    twins : baseline's twins that guard the length effects; failure : why difficulty is not in the model after all
    """

    models: tuple[Controlled, ...]
    reasons: Mapping[str, str]
    n_without_text: int
    n_difficulty: int
    twins: tuple[str, ...]
    failure: str | None = None

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a model: lc_win_rate, lc_se, lc_lower, lc_upper, lc_se_published (percent), length_coefficient,
        length_se, and difficulty_coefficient and position_coefficient where they are in the model.
        """
        known = [m.covariance for m in self.models]
        bounds = [logit_bounds(c, level, LC) for c in known]
        columns: dict[str, list[float | None]] = {
            "lc_win_rate": [100 * m.rate for m in self.models],
            "lc_se": [None if c is None else 100 * float(c.se[LC]) for c in known],
            "lc_lower": [low for low, _ in bounds],
            "lc_upper": [high for _, high in bounds],
            "lc_se_published": [100 * m.se_published for m in self.models],
            "length_coefficient": [m.length for m in self.models],
            "length_se": [None if c is None else float(c.se[PHI]) for c in known],
        }
        optional = {"difficulty": [m.difficulty for m in self.models], "position": [m.position for m in self.models]}
        for name, found in optional.items():
            if any(value is not None for value in found):
                columns[f"{name}_coefficient"] = found
        table = {name: floats(values) for name, values in columns.items()}
        return pd.DataFrame({"model": pd.Series([m.model for m in self.models], dtype=object)} | table)


def control_length(
    duels: Duels,
    clustering: Clustering,
    *,
    twins: Sequence[str] = (),
    position: bool = False,
    only: Collection[str] | None = None,
    report: Report = quiet,
) -> LengthControl:
    """Length-controlled win rates of every model that the judgments identify.

    twins : models whose judgments guard the length effects; position : a term for the answer shown first
    only : models that are asked for; the judgments on the others tell how difficult the prompts are
    report : told a share of the work now and then

    Raises ConvergenceError.
    """
    use_one_thread()
    whole = duels
    length = np.full(len(duels.model), np.nan) if duels.length is None else duels.length
    known = np.isfinite(length)
    duels = duels.take(known)
    asked = set(whole.models if only is None else only)
    lost = int((~known & np.isin(whole.model, [k for k, name in enumerate(whole.models) if name in asked])).sum())
    every = _unfit(whole, duels, position)
    reasons = {name: why for name, why in every.items() if name in asked}
    fit = np.array([k for k, name in enumerate(duels.models) if len(duels.rows[k]) and name not in every], dtype=int)
    if not asked & {duels.models[k] for k in fit}:
        return LengthControl((), reasons, lost, 0, ())
    duels = duels.take(np.isin(duels.model, fit))
    # The prior and the difficulties ask how much a judgment tells; what weights mean is their ratio.
    scale = len(duels.weight) / duels.weight.sum()
    data = LengthData.of(duels, scale, position)
    report(0.05)
    first, failure = None, None
    if len(fit) >= FEWEST_MODELS:
        try:
            first = _first_stage(data, lambda share: report(0.05 + 0.55 * share))
            data = data.with_difficulty(first.without_own)
        except ConvergenceError as error:
            failure = f"{error}. These win rates are controlled for length without it"
    chosen = tuple(name for name in twins if name in {duels.models[k] for k in fit})
    guards = [duels.rows[duels.models.index(name)] for name in chosen]
    fits = {}
    for n, k in enumerate(k for k in fit if duels.models[k] in asked):
        fits[int(k)] = LengthFit.of(data, duels.rows[k], guards)
        if n % 16 == 0:
            report(0.6 + 0.2 * n / len(fit))
    found = _with_errors(duels, data, fits, first, clustering, reasons, lambda share: report(0.8 + 0.2 * share))
    return LengthControl(
        models=found,
        reasons=reasons,
        n_without_text=lost,
        n_difficulty=0 if first is None else first.n_models,
        twins=chosen,
        failure=failure,
    )


def _unfit(whole: Duels, duels: Duels, position: bool) -> dict[str, str]:
    """Why a model has no length-controlled win rate."""
    reasons = {}
    for name, all_rows, rows in zip(whole.models, whole.rows, duels.rows, strict=True):
        if not len(all_rows):
            continue
        score, weight = float(duels.score[rows].sum()), float(duels.weight[rows].sum())
        if not len(rows):
            reasons[name] = "no judgment has both texts, so lengths are unknown"
        elif extreme(score, weight):
            side = "lost" if score < weight / 2 else "won"
            reasons[name] = f"{side} every judgment, so how often that would be so at equal length is not determined"
        elif not length_sd(duels, rows) > 0:
            reasons[name] = (
                "all answers differ from the baseline's by the same number of characters, or there is one pair only: "
                "the effect of length is not determined"
            )
        elif position and duels.first is not None and not len(np.unique(duels.first[rows])) > 1:
            reasons[name] = "the shown order was always the same, so position cannot be told from strength"
    return reasons


@dataclass(frozen=True)
class _FirstStage:
    """The difficulties in the order of the data's rows. order : the fit's row -> the data's row"""

    fitted: Difficulty
    order: Ints
    n_models: int

    @property
    def without_own(self) -> Floats:
        out = np.empty(len(self.order))
        out[self.order] = self.fitted.without_own
        return out


def _first_stage(data: LengthData, report: Report) -> _FirstStage:
    """Difficulties from the models with most weight; the others are only told them."""
    mass = np.bincount(data.model, data.weight)
    met = np.flatnonzero(mass)
    by_mass = met[np.argsort(-mass[met], kind="stable")]
    anchors = np.sort(by_mass[:MOST_MODELS])
    idle = len(met) > len(anchors)
    place = np.full(len(mass), len(anchors), dtype=np.int64)
    place[anchors] = np.arange(len(anchors))
    model = place[data.model]
    told = model == len(anchors)
    order = np.lexsort((model, data.prompt))
    fitted = fit_difficulty(
        Rows(
            prompt=data.prompt[order],
            model=model[order],
            design=data.columns[order],
            weight=np.where(told, 0.0, data.weight)[order],
            score=np.where(told, 0.0, data.score)[order],
            n_prompts=int(data.prompt.max()) + 1,
            n_models=len(anchors) + idle,
        ),
        report,
    )
    return _FirstStage(fitted, order, len(anchors))


def _with_errors(
    duels: Duels,
    data: LengthData,
    fits: Mapping[int, LengthFit],
    first: _FirstStage | None,
    clustering: Clustering,
    reasons: dict[str, str],
    report: Report,
) -> tuple[Controlled, ...]:
    """The fitted models with their covariances; why one has none goes into `reasons`."""
    ways = cluster_ways(duels, clustering)
    scores = None if first is None else [_by_cluster(first, way) for way in ways]
    parts = {k: fit.influence(data) for k, fit in fits.items()}
    through = np.empty(0)
    if first is not None:
        along = _along(first, [(fits[k], parts[k][1]) for k in fits], len(data.model))
        through = first.fitted.pull(along, lambda share: report(0.7 * share)) @ first.fitted.bread
    out = []
    for place, (k, fit) in enumerate(fits.items()):
        if place % 16 == 0:
            report(0.7 + 0.3 * place / len(fits))
        name = duels.models[k]
        rows = fit.rows
        reason = no_interval(ways, rows, data.score[rows], data.weight[rows])
        covariance = None
        if reason is None:
            terms = []
            for n, way in enumerate(ways):
                by_difficulty = None
                if scores is not None:
                    by_difficulty = np.asarray(scores[n] @ through[2 * place : 2 * place + 2].T)
                terms.append(_term(way, data, fit, parts[k][0], by_difficulty))
            covariance = Covariance(clustering, np.array([fit.rate, fit.b[1]]), tuple(terms))
        else:
            reasons[name] = reason
        out.append(
            Controlled(
                model=name,
                rate=fit.rate,
                length=float(fit.b[1]),
                difficulty=float(fit.b[-1]) if data.has_gamma else None,
                position=float(fit.b[2]) if len(fit.b) - data.has_gamma > 2 else None,
                se_published=float(np.std(fit.equal, ddof=1) / np.sqrt(len(rows))) if len(rows) > 1 else np.nan,
                near_equal=float((np.abs(data.columns[rows, 1]) < NEAR).mean()),
                judgments=len(rows),
                covariance=covariance,
            )
        )
    return tuple(out)


def _by_cluster(first: _FirstStage, way: Way) -> csr_array:
    """(n_clusters, p) the first stage's scores, summed by cluster."""
    n = len(first.order)
    sums = csr_array((np.ones(n), (way.codes[first.order], np.arange(n))), shape=(way.n_clusters, n))
    return csr_array(sums @ first.fitted.scores())


def _along(first: _FirstStage, parts: Sequence[tuple[LengthFit, Floats]], n: int) -> csr_array:
    """(2 * len(parts), n) derivative of each (rate, phi) by each row's difficulty, in the first stage's order."""
    place = np.empty(n, dtype=np.int64)
    place[first.order] = np.arange(n)
    lines = []
    for fit, by_gamma in parts:
        columns = place[np.concatenate([fit.rows, fit.guard])]
        for quantity in (LC, PHI):
            entries = (by_gamma[:, quantity], (np.zeros(len(columns), dtype=np.int64), columns))
            lines.append(csr_array(entries, shape=(1, n)))
    return csr_array(vstack(lines, format="csr"))


def _term(way: Way, data: LengthData, fit: LengthFit, influence: Floats, by_difficulty: Floats | None) -> Term:
    """One model's covariance under one clustering.

    influence : (n, 2) of own and guard rows; by_difficulty : (n_clusters, 2) of clusters, through the first stage
    """
    codes = way.codes[np.concatenate([fit.rows, fit.guard])]
    total = np.zeros((way.n_clusters, 2)) if by_difficulty is None else by_difficulty.copy()
    for quantity in (LC, PHI):
        total[:, quantity] += np.bincount(codes, influence[:, quantity], way.n_clusters)
    found = find_deleted(way.codes[fit.rows], data.weight[fit.rows], way)
    inside = np.zeros(way.n_clusters, dtype=bool)
    inside[found.clusters] = True
    outside = total[~inside]
    # Clusters without a row of this model still move it, by the difficulties and the twins.
    replicates, ridged = _replicates(way, data, fit, found)
    if by_difficulty is not None:
        replicates = replicates - by_difficulty[found.clusters[found.deleted]]
    term = make_term(way, found, total[found.clusters], replicates, outside.T @ outside)
    return Term(term.clusters, term.n_clusters, term.sign, term.effective, term.replicates, term.linear, ridged)


def _replicates(way: Way, data: LengthData, fit: LengthFit, found: Deleted) -> tuple[Floats, int]:
    """(n_deleted, 2) rate and phi without each deleted cluster, at the same difficulties, and how many had a ridge."""
    if not len(found.deleted):
        return np.empty((0, 2)), 0
    codes = way.codes[np.concatenate([fit.rows, fit.guard])]
    keep = (codes[None, :] != found.clusters[found.deleted][:, None]).astype(np.float64)
    weight, score = keep * fit.weight, keep * fit.score
    n = len(fit.rows)
    own_weight, own_score = weight[:, :n].sum(1), score[:, :n].sum(1)
    separated = np.array([extreme(s, w) for s, w in zip(own_score, own_weight, strict=True)])
    b = fit_logistic(fit.columns, weight, score, np.where(separated, JACKKNIFE_RIDGE, 0.0))
    equal = sigmoid(b @ (data.columns[fit.rows] * data.at_equal).T)
    own = keep[:, :n] * data.weight[fit.rows]
    rate = (own * equal).sum(1) / own.sum(1)
    return np.column_stack([rate, b[:, 1]]), int(separated.sum())
