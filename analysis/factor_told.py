"""Which factors can be weighed together with how sure their weights are? One judge's fit to those alone."""

from __future__ import annotations

from dataclasses import replace

from analysis.design import Design
from analysis.factor_covariance import rests_on_one
from analysis.factor_fit import FactorFit, fit_factors
from analysis.strengths import Ties
from analysis.vcov import Clustering
from errors import NotIdentifiedError


def fit_told(design: Design, clustering: Clustering, *, ties: Ties = "half") -> tuple[FactorFit, Design]:
    """The fit, and the design without the factors that rest on a single cluster; `dropped` has their reasons too.

    Raises NotIdentifiedError where nothing can be estimated, with every reason.
    """
    kept, lonely = told(design, clustering)
    fit = fit_factors(kept, ties=ties)
    return replace(fit, dropped=lonely | dict(fit.dropped)), kept


def told(design: Design, clustering: Clustering) -> tuple[Design, dict[str, str]]:
    """The design without the factors that rest on a single cluster, and why each does.

    Raises NotIdentifiedError where none is left.
    """
    lonely = rests_on_one([design], clustering) if len(design) else {}
    kept = design.without(list(lonely))
    if lonely and not kept.names:
        why = "; ".join(f"{name}: {reason}" for name, reason in list(lonely.items())[:5])
        raise NotIdentifiedError(f"none of the factors can be estimated here. {why}")
    return kept, lonely
