"""How often is `a` preferred at given log-odds, a tie counting half? The expectation under each rule for ties.

    logistic    sigmoid(eta)
    davidson    (e^(eta/2) + nu/2) / (e^(eta/2) + e^(-eta/2) + nu), tie = log nu
    rao-kupper  (sigmoid(eta - tau) + sigmoid(eta + tau)) / 2, tie = tau

(Davidson 1970; Rao and Kupper 1967; parameters as in `likelihood`.) All are worked with as the logit of the
expectation, in which nothing near 0 or 1 is lost; for the logistic rule that is eta itself.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import expit, log_expit

from analysis.cells import Floats
from analysis.design import FIRST
from analysis.factor_fit import FactorFit
from analysis.likelihood import Rule
from analysis.vcov import Covariance


def preference_logit(rule: Rule, eta: Floats, tie: Floats) -> Floats:
    """logit of the expected preference. eta, tie : of one shape; tie is not looked at by the logistic rule"""
    if rule == "davidson":
        half_tie = tie - np.log(2.0)
        return np.asarray(np.logaddexp(eta / 2, half_tie) - np.logaddexp(-eta / 2, half_tie))
    if rule == "rao-kupper":
        return np.asarray(_log_two(eta, tie) - _log_two(-eta, tie))
    return np.asarray(eta, dtype=np.float64)


def logit_slopes(rule: Rule, eta: float, tie: float) -> tuple[float, float]:
    """Derivatives of `preference_logit` by the log-odds and by the tie parameter."""
    if rule == "davidson":
        half_tie = tie - np.log(2.0)
        by_eta = (expit(eta / 2 - half_tie) + expit(-eta / 2 - half_tie)) / 2
        return float(by_eta), float(expit(half_tie - eta / 2) - expit(half_tie + eta / 2))
    if rule == "rao-kupper":
        up, down = _two_slopes(eta, tie), _two_slopes(-eta, tie)
        return up[0] + down[0], up[1] - down[1]
    return 1.0, 0.0


def _log_two(eta: Floats, tie: Floats) -> Floats:
    return np.asarray(np.logaddexp(log_expit(eta - tie), log_expit(eta + tie)))


def _two_slopes(eta: float, tie: float) -> tuple[float, float]:
    """Of log(sigmoid(eta - tau) + sigmoid(eta + tau)) by eta and by tau."""
    share = expit(log_expit(eta - tie) - log_expit(eta + tie))
    less, more = share * expit(tie - eta), (1 - share) * expit(-eta - tie)
    return float(less + more), float(more - less)


def predict_preference(fit: FactorFit, covariance: Covariance, differences: Sequence[float] | Floats) -> Covariance:
    """How a judge is expected to decide one pair: the logit of its preference for `a`, and how sure that is.

    covariance : of this judge's parameters alone (`weight_covariance` of one fit)
    differences : of the position (where the fit has one: +1 `a` first, -1 `b` first, 0 neither) and of the factors, in
        the order of `fit.names`, scaled as in the fit
    Returns the Covariance of that one number: its jackknife where there are replicates, else linearised.
    """
    x = np.asarray(differences, dtype=np.float64)
    n = len(x)
    has_tie = fit.rule != "logistic"

    def logit(parameters: Floats) -> Floats:
        tie = parameters[..., -1] if has_tie else np.zeros(parameters.shape[:-1])
        return np.asarray(preference_logit(fit.rule, parameters[..., :n] @ x, tie))[..., None]

    tie = float(fit.parameters[-1]) if has_tie else 0.0
    by_eta, by_tie = logit_slopes(fit.rule, float(fit.parameters[:n] @ x), tie)
    jacobian = np.zeros((1, len(fit.parameters)))
    jacobian[0, :n] = by_eta * x
    if has_tie:
        jacobian[0, -1] = by_tie
    return covariance.of(logit, jacobian)


def terms(fit: FactorFit) -> tuple[str, ...]:
    """What adds to the log-odds: the position, where fitted, and the factors; in the order of the parameters."""
    return (*((FIRST,) if fit.has_position else ()), *fit.factors)
