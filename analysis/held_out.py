"""Do a judge's weights predict verdicts on prompts they were not fitted to, and better than length alone or nothing?

Cross-validation by whole prompts, as the verdicts on a prompt are alike: ten folds, each prompt by itself where there
are fewer than 20, folds of pairs where there are fewer than 10. A verdict is predicted right when the answer with the
higher expected preference was preferred; a tie is half right, a soft verdict right by its share. Log-loss is that of
the expected preference (a tie half), natural logarithm, so that log 2 = .693 is knowing nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.special import logit

from analysis.cells import Floats, Ints, dense_codes
from analysis.design import Design
from analysis.design_sums import log_odds
from analysis.factor_fit import FactorFit, fit_factors
from analysis.preference import preference_logit
from analysis.refits import fit_parts, is_small, newton_step, sums_by_group
from analysis.tables import floats, integers
from analysis.vcov import FEW_PROMPTS, Clustering, Covariance, Term
from analysis.weight_reliability import Report, Way, quiet
from analysis.winrate import Way as Rows
from analysis.winrate import find_deleted, logit_interval, make_term
from errors import NotIdentifiedError

FOLDS = 10
EACH_BELOW = 20
"""With fewer prompts each is a fold of its own."""

ALL, LENGTH, POSITION, NOTHING = "all factors", "length only", "position only", "nothing"

EVEN = 1e-9
"""Log-odds within which a prediction takes no side."""


@dataclass(frozen=True)
class HeldOut:
    """How well verdicts that were held out are predicted.

    models : of "all factors", "length only", "position only", "nothing" those there are
    accuracy, log_loss : (n_models,)
    covariance : of accuracies and log-losses stacked, with the fitted weights taken as they are; None: `why_not`
    way : what was held out, n_held of them in n_folds folds; n_judgments : predicted
    dropped : by factor, the number of folds that did not determine it and predicted without it
    n_blind : folds of "all factors" that determined nothing and predicted nothing
    exact : whether each fold was fitted; else one Newton step from the whole, with the information of the others
    reasons : by model that is absent, why
    """

    models: tuple[str, ...]
    accuracy: Floats
    log_loss: Floats
    covariance: Covariance | None
    why_not: str | None
    way: Way
    n_held: int
    n_folds: int
    n_judgments: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    n_blind: int = 0
    exact: bool = True
    reasons: Mapping[str, str] = field(default_factory=dict)

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a model: model, accuracy, lower, upper, log_loss, log_loss_lower, log_loss_upper, and what all
        factors gain over it: gain (accuracy) and log_loss_gain with their intervals; n judgments.

        Intervals of accuracies are symmetric in log-odds; "nothing" has none, its figures being no estimates.
        """
        n = len(self.models)
        blank: list[float | None] = [None] * n
        columns: dict[str, list[float | None]] = {
            name: list(blank)
            for name in ("lower", "upper", "log_loss_lower", "log_loss_upper", "gain_lower", "gain_upper",
                         "log_loss_gain_lower", "log_loss_gain_upper")
        }  # fmt: skip
        gain = self.accuracy[0] - self.accuracy
        saved = self.log_loss - self.log_loss[0]
        if self.covariance is not None:
            quantiles, se = self.covariance.quantiles, self.covariance.se
            reach = quantiles.two_sided(level)
            jacobian = np.zeros((2 * n, 2 * n))
            jacobian[:n, 0], jacobian[n:, n] = 1.0, -1.0
            jacobian[:n, :n] -= np.eye(n)
            jacobian[n:, n:] += np.eye(n)
            apart = self.covariance.of(lambda v: v @ jacobian.T, jacobian).se
            for k, model in enumerate(self.models):
                if model != NOTHING:
                    low, high = logit_interval(float(self.accuracy[k]), float(se[k]), quantiles, level)
                    columns["lower"][k] = None if low is None else low / 100
                    columns["upper"][k] = None if high is None else high / 100
                    columns["log_loss_lower"][k] = max(float(self.log_loss[k] - reach * se[n + k]), 0.0)
                    columns["log_loss_upper"][k] = float(self.log_loss[k] + reach * se[n + k])
                if k:
                    columns["gain_lower"][k] = float(gain[k] - reach * apart[k])
                    columns["gain_upper"][k] = float(gain[k] + reach * apart[k])
                    columns["log_loss_gain_lower"][k] = float(saved[k] - reach * apart[n + k])
                    columns["log_loss_gain_upper"][k] = float(saved[k] + reach * apart[n + k])
        numbers: dict[str, list[float | None]] = {
            "accuracy": list(self.accuracy), "lower": columns["lower"], "upper": columns["upper"],
            "log_loss": list(self.log_loss), "log_loss_lower": columns["log_loss_lower"],
            "log_loss_upper": columns["log_loss_upper"], "gain": [None, *gain[1:]],
            "gain_lower": columns["gain_lower"], "gain_upper": columns["gain_upper"],
            "log_loss_gain": [None, *saved[1:]], "log_loss_gain_lower": columns["log_loss_gain_lower"],
            "log_loss_gain_upper": columns["log_loss_gain_upper"],
        }  # fmt: skip
        table = pd.DataFrame({"model": list(self.models)})
        for name, values in numbers.items():
            table[name] = floats(values)
        table["n"] = integers([self.n_judgments] * n)
        return table


def hold_out(
    fit: FactorFit,
    design: Design,
    clustering: Clustering,
    rng: np.random.Generator,
    *,
    length: str | None = None,
    report: Report = quiet,
) -> HeldOut:
    """Predict each fold's verdicts from the others.

    fit : of the design, with a position term where the design has a shown order; length : the factor that is length
    report : told the share that is done

    A factor that the rows outside a fold do not determine (separation, for one) is left out there.
    Raises NotIdentifiedError with fewer than two pairs.
    """
    used = fit.used(design)
    way, folds, n_held, n_folds = make_folds(used, rng)
    logits: dict[str, Floats] = {}
    reasons: dict[str, str] = {}
    parameters, exact = _without_folds(fit, used, folds, n_folds)
    report(0.5)
    logits[ALL] = _predicted(fit, used, folds, parameters)
    dropped = {
        name: int(gone)
        for name, gone in zip(fit.names, np.isnan(parameters).sum(axis=0), strict=True)
        if name in fit.factors and gone
    }
    n_blind = int(np.isnan(parameters).all(axis=1).sum())
    if length is None:
        reasons[LENGTH] = "no factor is a length"
    elif length not in design.names:
        reasons[LENGTH] = f"{length} is not among the factors"
    else:
        alone = replace(design.without([name for name in design.names if name != length]), first=None)
        try:
            short = fit_factors(alone, ties=fit.ties)
            logits[LENGTH] = _predicted(short, alone, folds, _without_folds(short, alone, folds, n_folds)[0])
        except NotIdentifiedError as error:
            reasons[LENGTH] = str(error)
    report(0.8)
    if used.first is not None:
        logits[POSITION] = _by_position(used.first, used.weight, used.score, folds, n_folds)
    else:
        reasons[POSITION] = "the models have no position term"
    logits[NOTHING] = np.zeros(len(used))
    means = [find_right(used, one) for one in logits.values()] + [find_loss(used, one) for one in logits.values()]
    covariance, why_not = mean_covariance(np.vstack(means), used, clustering)
    estimate = np.array([one.sum() for one in means]) / used.weight.sum()
    n = len(logits)
    return HeldOut(
        models=tuple(logits), accuracy=estimate[:n], log_loss=estimate[n:], covariance=covariance, why_not=why_not,
        way=way, n_held=n_held, n_folds=n_folds, n_judgments=used.n_judgments, dropped=dropped, n_blind=n_blind,
        exact=exact, reasons=reasons,
    )  # fmt: skip


def make_folds(design: Design, rng: np.random.Generator) -> tuple[Way, Ints, int, int]:
    """What is held out, the fold of each row, how many are held out, and the number of folds.

    Raises NotIdentifiedError with fewer than two pairs.
    """
    way: Way = "prompt"
    codes = dense_codes([design.clusters["prompt"]])
    if codes.n_clusters < FEW_PROMPTS:
        way, codes = "pair", dense_codes([design.clusters.get("pair", design.pair)])
    n = codes.n_clusters
    if n < 2:
        raise NotIdentifiedError("nothing can be held out of a single pair")
    n_folds = n if way == "prompt" and n < EACH_BELOW else min(n, FOLDS)
    return way, (rng.permutation(n) % n_folds)[codes.codes[0]], n, n_folds


def _without_folds(fit: FactorFit, design: Design, folds: Ints, n_folds: int) -> tuple[Floats, bool]:
    """(n_folds, p) parameters from the rows outside each fold, NaN for what these do not determine; whether fitted."""
    if is_small(fit, design):
        return fit_parts(fit, design, folds != np.arange(n_folds)[:, None]), True
    sums = sums_by_group(design, fit.rule, fit.parameters, folds, n_folds)
    slope = np.sum([one.gradient for one in sums], axis=0)
    information = np.sum([one.information for one in sums], axis=0)
    steps = [newton_step(fit.parameters, slope - one.gradient, information - one.information) for one in sums]
    return np.stack(steps), False


def _predicted(fit: FactorFit, design: Design, folds: Ints, parameters: Floats) -> Floats:
    """(n_rows,) logit of the expected preference; 0 where nothing could be fitted."""
    out = np.zeros(len(design))
    for fold, found in enumerate(parameters):
        if np.isnan(found).all():
            continue
        rows = np.flatnonzero(folds == fold)
        kept = np.nan_to_num(found, nan=0.0)
        eta = log_odds(design.take(rows), kept)
        out[rows] = preference_logit(fit.rule, eta, np.full(len(rows), kept[-1]))
    return out


def _by_position(first: Floats, weight: Floats, score: Floats, folds: Ints, n_folds: int) -> Floats:
    """(n_rows,) logits from how often the answer shown first was preferred outside the fold; 0 where that is unknown.

    Under all rules for ties that share is what the position alone expects (a tie half).
    """
    known = first != 0
    won = np.where(first > 0, score, weight - score) * known
    inside = np.bincount(folds, won, n_folds), np.bincount(folds, weight * known, n_folds)
    won_outside, outside = (part.sum() - part for part in inside)
    share = np.divide(won_outside, outside, out=np.full(n_folds, 0.5), where=outside > 0)
    # Always first, or never, outside a fold: no weight of the position is determined there.
    share[(share <= 1e-12) | (share >= 1 - 1e-12)] = 0.5
    return np.asarray(first * logit(share)[folds])


def find_right(design: Design, logits: Floats) -> Floats:
    """(n_rows,) weight of what was predicted right; nothing predicted is half right.

    Log-odds within EVEN of 0 predict nothing: what is left there by adding up in another order says nothing of a side.
    """
    lost = design.weight - design.score
    return np.where(logits > EVEN, design.score, np.where(logits < -EVEN, lost, design.weight / 2))


def find_loss(design: Design, logits: Floats) -> Floats:
    """(n_rows,) weight times log-loss."""
    return np.asarray(design.weight * np.logaddexp(0.0, logits) - design.score * logits)


def mean_covariance(
    sums: Floats, design: Design, clustering: Clustering
) -> tuple[Covariance | None, str | None]:
    """Of the weighted means; or why there is none.

    sums : (m, n_rows) weight times value
    """
    weight = design.weight
    total = float(weight.sum())
    mean = sums.sum(axis=1) / total
    terms: list[Term] = []
    for way in _ways(design, clustering):
        if way.n_clusters < 2:
            what = "pair" if way.name == "none" else way.name
            return None, f"held-out figures have no interval: all judgments share one {what}"
        found = find_deleted(way.codes, weight, way)
        n = found.n_clusters
        mass = np.bincount(found.code, weight, n)
        of_cluster = np.stack([np.bincount(found.code, row, n) for row in sums])
        influence = (of_cluster - mass * mean[:, None]).T / total
        without = (sums.sum(axis=1)[:, None] - of_cluster[:, found.deleted]) / (total - mass[found.deleted])
        terms.append(make_term(way, found, influence, without.T))
    return Covariance(clustering, mean, tuple(terms)), None


def _ways(design: Design, clustering: Clustering) -> list[Rows]:
    """The clusterings whose signed sum is the covariance; for `none` each row is a cluster."""
    if clustering.name == "none":
        return [Rows("none", np.arange(len(design)), len(design))]
    names = clustering.name.split("+")
    found = [dense_codes([design.clusters[name]]) for name in names]
    ways = [Rows(name, one.codes[0], one.n_clusters) for name, one in zip(names, found, strict=True)]
    if len(ways) == 2:
        both = dense_codes([ways[0].codes * ways[1].n_clusters + ways[1].codes])
        ways.append(Rows(" x ".join(names), both.codes[0], both.n_clusters, -1))
    return ways
