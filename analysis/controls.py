"""Would the order change with length and style held equal? Rankings without and with factors, side by side.

Bradley-Terry with covariates: the log-odds of i over j are theta_i - theta_j + sum_k gamma_k z_k with z_k the
difference of the answers in factor k (Dubois et al. 2024 and the Arena's style control use this form). Both fits
see the same judgments; their estimates are stacked, so that a model's change has the covariance of a difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.cells import Cells, Floats
from analysis.connectivity import LeftOut
from analysis.multiple import adjust_bh
from analysis.ranks import NO_WIDTH, WIDTHLESS, find_ranks
from analysis.sandwich import strength_covariance
from analysis.strengths import Strengths, Ties, coefficient_index, fit_strengths
from analysis.style_control import PENALTIES, fit_penalised, reweight, standardise
from analysis.tables import floats, integers
from analysis.vcov import Clustering, Covariance
from errors import NotIdentifiedError

Normalisation = Literal["rms", "fastchat", "arena-rank"]


@dataclass(frozen=True)
class Contrast:
    """One factor of the two answers of each cell.

    a, b : (n_cells,) its values; scale : what a - b is divided by (not looked at by the published methods)
    """

    a: Floats
    b: Floats
    scale: float


@dataclass(frozen=True)
class Controlled:
    """One judge's strengths, raw and with factors held equal.

    raw, fit : without and with the factors; covariance : of [raw's parameters, fit's parameters]
    scales : by factor, what a difference was divided by; centres : what was subtracted before (published methods)
    vif : by factor, its variance inflation (uncentred) beside the other factors
    dropped : by factor, why it is not in the fit
    """

    raw: Strengths
    fit: Strengths
    covariance: Covariance
    scales: Mapping[str, float]
    centres: Mapping[str, float]
    vif: Mapping[str, float]
    dropped: Mapping[str, str] = field(default_factory=dict)

    @property
    def factors(self) -> tuple[str, ...]:
        """The factors that were fitted."""
        return tuple(self.scales)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Models that cannot be put on the common scale, with their cause."""
        return self.raw.left_out

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before believing the intervals."""
        told = bool((self.covariance.se > WIDTHLESS).any())
        return (*self.covariance.warnings, *(() if told else (NO_WIDTH,)))

    @property
    def n_judgments(self) -> int:
        """Judgments in both fits."""
        return self.raw.n_judgments

    @property
    def change(self) -> Covariance | None:
        """Controlled minus raw strengths, (n_models,); None without clusters, where their covariance is not known."""
        if self.covariance.clustering.name == "none":
            return None
        n, k = len(self.raw.models), len(self.raw.parameters)
        contrast = np.zeros((n, len(self.covariance.estimate)))
        contrast[:, :n], contrast[:, k : k + n] = -np.eye(n), np.eye(n)
        return self.covariance.of(lambda w: w @ contrast.T, contrast)

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a model in the order of the controlled ranks.

        Columns: model, raw, raw_se, raw_lower, raw_upper, raw_rank, raw_rank_lower, raw_rank_upper, the same with
        `controlled`, change, change_se, change_lower, change_upper, p, q, judgments. q over the models.
        """
        quantile = self.covariance.quantiles.two_sided(level)
        n, k = len(self.raw.models), len(self.raw.parameters)
        columns: dict[str, Any] = {}
        order = np.arange(n)
        for name, start in (("raw", 0), ("controlled", k)):
            inside = slice(start, start + n)
            strength, vcov = self.covariance.estimate[inside], self.covariance.vcov[inside, inside]
            half = quantile * np.sqrt(np.maximum(np.diag(vcov), 0.0))
            ranks = find_ranks(strength, vcov, quantile)
            order = np.lexsort((np.array(self.raw.models), ranks.rank))
            above = self.raw.n_above
            columns |= {
                name: strength, f"{name}_se": half / quantile, f"{name}_lower": strength - half,
                f"{name}_upper": strength + half, f"{name}_rank": ranks.rank + above,
                f"{name}_rank_lower": ranks.lower + above, f"{name}_rank_upper": ranks.upper + above,
            }  # fmt: skip
        columns["change"] = columns["controlled"] - columns["raw"]
        change = self.change
        nothing = np.full(n, np.nan)
        se = nothing if change is None else change.se
        # A change by rounding alone has no standard error to be held against.
        known = se > 1e-12
        p = np.full(n, np.nan)
        if change is not None:
            p[known] = change.quantiles.p_value(columns["change"][known] / se[known])
        half = np.full(n, np.nan) if change is None else change.quantiles.two_sided(level) * se
        columns |= {
            "change_se": se, "change_lower": columns["change"] - half, "change_upper": columns["change"] + half,
            "p": p, "q": adjust_bh(p), "judgments": self.fit.judgments,
        }  # fmt: skip
        out: dict[str, Any] = {"model": [self.raw.models[m] for m in order]}
        for name, values in columns.items():
            is_whole = "rank" in name or name == "judgments"
            out[name] = integers([int(v) for v in values[order]]) if is_whole else floats(values[order])
        return pd.DataFrame(out)

    def coefficients(self, level: float = 0.95) -> pd.DataFrame:
        """One row a factor that was fitted, and the position where it was; q over the factors.

        Columns: factor, weight (log-odds for one scale unit), se, lower, upper, effect, effect_lower, effect_upper
        (100 * sigmoid), p, q, scale, vif.
        """
        names = [*(["position"] if self.fit.position is not None else []), *self.factors]
        at = [len(self.raw.parameters) + coefficient_index(self.fit, name) for name in names]
        weight, se = self.covariance.estimate[at], self.covariance.se[at]
        half = self.covariance.quantiles.two_sided(level) * se
        # Verdicts without any noise, ties alone say, leave nothing to hold a weight against.
        known = se > WIDTHLESS
        p = np.full(len(names), np.nan)
        p[known] = self.covariance.quantiles.p_value(weight[known] / se[known])
        is_factor = np.array([name in self.scales for name in names])
        q = np.full(len(names), np.nan)
        q[is_factor] = adjust_bh(p[is_factor])
        return pd.DataFrame(
            {
                "factor": names,
                "weight": floats(weight),
                "se": floats(se),
                "lower": floats(weight - half),
                "upper": floats(weight + half),
                "effect": floats(100 * expit(weight)),
                "effect_lower": floats(100 * expit(weight - half)),
                "effect_upper": floats(100 * expit(weight + half)),
                "p": floats(p),
                "q": floats(q),
                "scale": floats([self.scales.get(name) for name in names]),
                "vif": floats([self.vif.get(name) for name in names]),
            }
        )


def control(
    cells: Cells,
    contrasts: Mapping[str, Contrast],
    clustering: Clustering,
    *,
    ties: Ties = "half",
    position: bool = False,
    normalisation: Normalisation = "rms",
) -> Controlled:
    """Fit one judge's strengths without and with factors.

    cells : without covariates, one cell for each combination of answers; contrasts : by name, in their order
    normalisation : "rms" is our own, without a penalty; "fastchat" and "arena-rank" are the published ones, which
        shrink, and know neither positions nor ties apart

    A factor that cannot be estimated is left out with its reason. Raises NotIdentifiedError when none can, or no
    strengths; ConvergenceError and OptionError as the fits do.
    """
    if normalisation != "rms":
        return _control_published(cells, contrasts, clustering, normalisation)
    raw = fit_strengths(cells, ties=ties, position=position)
    inside = cells.among(raw.models)
    some = _inside(cells, raw.models)
    columns = {name: (c.a - c.b)[some] / c.scale for name, c in contrasts.items() if c.scale > 0}
    dropped = {name: "no two answers of this dataset differ in it" for name, c in contrasts.items() if not c.scale > 0}
    for name in [name for name, column in columns.items() if not column.any()]:
        dropped[name] = "the answers that this judge compared do not differ in it"
        del columns[name]
    fit, left = fit_identified(inside, columns, ties, position)
    dropped |= left
    kept = {name: column for name, column in columns.items() if name not in dropped}
    both = replace(inside, covariates=kept)
    return Controlled(
        raw=raw,
        fit=fit,
        covariance=strength_covariance([raw, fit], [both, both], clustering),
        scales={name: contrasts[name].scale for name in kept},
        centres=dict.fromkeys(kept, 0.0),
        vif=inflation(kept, inside.weight),
        dropped=dropped,
    )


def _inside(cells: Cells, models: Iterable[str]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    kept = np.isin(np.array(cells.models), np.array(list(models)))
    return np.asarray(kept[cells.i] & kept[cells.j])


def fit_identified(
    cells: Cells, columns: Mapping[str, Floats], ties: Ties, position: bool
) -> tuple[Strengths, dict[str, str]]:
    """The fit with as many of the factors as can be estimated together, and why the others cannot.

    Of factors that exclude one another the one named last goes.
    """
    dropped: dict[str, str] = {}
    names = list(columns)
    whole = replace(cells, covariates=columns)

    def attempt(some: Sequence[str]) -> Strengths | NotIdentifiedError:
        try:
            return fit_strengths(whole, ties=ties, position=position, covariates=some)
        except NotIdentifiedError as error:
            return error

    while names:
        found = attempt(names)
        if not isinstance(found, NotIdentifiedError):
            return found, dropped
        # Which one is it? The last without which the others can be estimated; else one that cannot even alone.
        culprit = next(
            (
                name
                for name in reversed(names)
                if len(names) > 1 and not isinstance(attempt([n for n in names if n != name]), NotIdentifiedError)
            ),
            None,
        )
        if culprit is None:
            culprit = next((n for n in reversed(names) if isinstance(attempt([n]), NotIdentifiedError)), names[-1])
        dropped[culprit] = str(found)
        names.remove(culprit)
    why = "; ".join(f"{name}: {reason}" for name, reason in dropped.items())
    raise NotIdentifiedError("none of the factors can be held equal here" + (f". {why}" if why else ""))


def _control_published(
    cells: Cells, contrasts: Mapping[str, Contrast], clustering: Clustering, method: Literal["fastchat", "arena-rank"]
) -> Controlled:
    standard = {name: standardise(c.a, c.b, cells.weight, method) for name, c in contrasts.items()}
    dropped = {
        name: "the answers that this judge compared do not differ in it" for name, z in standard.items() if not z.sd > 0
    }
    kept = {name: z for name, z in standard.items() if z.sd > 0}
    if not kept:
        raise NotIdentifiedError("none of the factors can be held equal here: the answers do not differ in any of them")
    weighted = reweight(cells) if method == "arena-rank" else cells
    weighted = replace(weighted, covariates={name: z.values for name, z in kept.items()})
    raw = fit_penalised(weighted, (), PENALTIES[method])
    fit = fit_penalised(weighted, tuple(kept), PENALTIES[method])
    some = _inside(cells, fit.models)
    return Controlled(
        raw=raw,
        fit=fit,
        covariance=strength_covariance([raw, fit], [weighted, weighted], clustering),
        scales={name: z.sd for name, z in kept.items()},
        centres={name: z.mean for name, z in kept.items()},
        vif=inflation({name: z.values[some] for name, z in kept.items()}, weighted.weight[some]),
        dropped=dropped,
    )


def inflation(columns: Mapping[str, Floats], weight: Floats) -> dict[str, float]:
    """Uncentred variance inflation of each column beside the others: 1 / (1 - R^2) without an intercept."""
    if not columns:
        return {}
    x = np.column_stack(list(columns.values()))
    gram = x.T @ (weight[:, None] * x)
    root = np.sqrt(np.diag(gram))
    inverse = np.linalg.pinv(gram / np.outer(root, root), hermitian=True)
    return dict(zip(columns, map(float, np.maximum(np.diag(inverse), 1.0)), strict=True))
