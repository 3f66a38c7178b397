"""Do shared and own weights predict verdicts that were held out, in known scenarios and in one never seen?

Twice, each against one set of plain weights for all scenarios and against nothing: folds of whole prompts, whose
scenarios are known (b + s_d predicts), and one scenario at a time left out (b alone predicts). Where penalties are
chosen it is by the held-out log-loss of the other folds, or of the other scenarios, so that what is predicted has no
say in it but through fits that it was part of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.cells import Floats, Ints
from analysis.design import Design
from analysis.design_sums import log_odds
from analysis.factor_fit import fit_factors
from analysis.held_out import NOTHING, HeldOut, find_loss, find_right, make_folds, mean_covariance
from analysis.hierarchical import Domains, Hierarchical, Penalties, domains_of, fit_hierarchical
from analysis.vcov import Clustering
from analysis.weight_reliability import Way
from errors import ConvergenceError, NotIdentifiedError

OWN, SHARED, ONE = "shared and own weights", "shared weights", "one for all scenarios"
Report = Callable[[float], None]


@dataclass(frozen=True)
class HeldDomains:
    """fit : to all rows, with the penalties of `penalties`

    inside : folds of prompts, all rows; outside : each scenario left out once, all rows
    by_scenario : name, inside and outside on the rows of each
    scores : by candidate penalties, the mean held-out log-loss inside; one row where they were given
    chosen_outside : with how many of the scenarios left out each candidate was chosen
    """

    fit: Hierarchical
    inside: HeldOut
    outside: HeldOut
    by_scenario: tuple[tuple[str, HeldOut, HeldOut], ...]
    scores: tuple[tuple[Penalties, float], ...]
    chosen_outside: tuple[tuple[Penalties, int], ...]

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """where (known scenario, scenario left out), and the columns of `HeldOut.table`."""
        parts = []
        for where, one in (("known scenario", self.inside), ("scenario left out", self.outside)):
            part = one.table(level)
            part.insert(0, "where", where)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    def scenario_table(self, level: float = 0.95) -> pd.DataFrame:
        """The same for the rows of each scenario: scenario, where, ..."""
        parts = []
        for name, *both in self.by_scenario:
            for where, one in zip(("known scenario", "scenario left out"), both, strict=True):
                part = one.table(level)
                part.insert(0, "where", where)
                part.insert(0, "scenario", name)
                parts.append(part)
        return pd.concat(parts, ignore_index=True)


def hold_out_domains(
    design: Design,
    scenario: Ints,
    names: Sequence[str],
    candidates: Sequence[Penalties],
    clustering: Clustering,
    rng: np.random.Generator,
    *,
    balanced: bool = True,
    report: Report = lambda share: None,
) -> HeldDomains:
    """Fit, and predict what was held out.

    scenario : (n_rows,) index into `names`, each met; candidates : penalties to choose from; one: those are taken
    balanced : each scenario counts by its mean loss; else each row by itself, twice, as the paper adds every row with
        both answers exchanged

    Raises NotIdentifiedError with fewer than two scenarios or pairs.
    """
    if len(names) < 2:
        raise NotIdentifiedError(
            "judgments of one scenario only: what scenarios share is a question for two or more"
        )
    design = replace(design, first=None)
    data = domains_of(design, scenario)
    way, folds, n_held, n_folds = make_folds(design, rng)
    steps = n_folds * len(candidates) + n_folds + 2 * len(names) + 1
    done = 0

    def tick() -> None:
        nonlocal done
        done += 1
        report(done / steps)

    logits = np.zeros((len(candidates), len(design)))
    for fold in range(n_folds):
        rows = folds == fold
        training, start = _weighted(data.take(~rows), balanced), None
        for k, penalties in enumerate(candidates):
            start = fit_hierarchical(training, penalties, start=start)
            logits[k, rows] = start.log_odds(data.x[rows], data.of[rows])
            tick()
    losses = np.stack([find_loss(design, one) for one in logits])
    inside = np.zeros(len(design))
    for fold in range(n_folds):
        rows = folds == fold
        inside[rows] = logits[int(losses[:, ~rows].sum(axis=1).argmin()), rows]
    outside, counted = np.zeros(len(design)), Counter[int]()
    for d in range(len(names)):
        rows = scenario == d
        best = int(losses[:, ~rows].sum(axis=1).argmin())
        counted[best] += 1
        found = fit_hierarchical(_weighted(data.take(~rows), balanced), candidates[best])
        outside[rows] = found.log_odds(data.x[rows], np.full(int(rows.sum()), -1))
        tick()
    plain_in, plain_out = np.zeros(len(design)), np.zeros(len(design))
    for fold in range(n_folds):
        _plain(design, folds == fold, plain_in)
        tick()
    for d in range(len(names)):
        _plain(design, scenario == d, plain_out)
        tick()
    total = losses.sum(axis=1)
    fit = fit_hierarchical(_weighted(data, balanced), candidates[int(total.argmin())])
    tick()

    def held(rows: NDArray[np.intp], one: Floats, plain: Floats, model: str, n: int, of: Way | None) -> HeldOut:
        some = design.take(rows)
        found = {model: one[rows], ONE: plain[rows], NOTHING: np.zeros(len(rows))}
        sums = np.vstack([find_right(some, v) for v in found.values()] + [find_loss(some, v) for v in found.values()])
        covariance, why = mean_covariance(sums, some, clustering)
        estimate = sums.sum(axis=1) / some.weight.sum()
        return HeldOut(
            models=tuple(found), accuracy=estimate[:3], log_loss=estimate[3:], covariance=covariance, why_not=why,
            way=of or "prompt", n_held=n, n_folds=n_folds if of else len(names), n_judgments=some.n_judgments,
        )  # fmt: skip

    every = np.arange(len(design))
    return HeldDomains(
        fit=fit,
        inside=held(every, inside, plain_in, OWN, n_held, way),
        outside=held(every, outside, plain_out, SHARED, len(names), None),
        by_scenario=tuple(
            (
                name,
                held(np.flatnonzero(scenario == d), inside, plain_in, OWN, n_held, way),
                held(np.flatnonzero(scenario == d), outside, plain_out, SHARED, len(names), None),
            )
            for d, name in enumerate(names)
        ),
        scores=tuple(zip(candidates, map(float, total / design.weight.sum()), strict=True)),
        chosen_outside=tuple((candidates[k], n) for k, n in counted.most_common()),
    )


def _weighted(data: Domains, balanced: bool) -> Domains:
    return data.balanced() if balanced else replace(data, weight=2 * data.weight)


def _plain(design: Design, rows: NDArray[np.bool_], out: Floats) -> None:
    """Predict these rows by the plain weights of all others; 0 where these determine nothing."""
    try:
        fit = fit_factors(design.take(np.flatnonzero(~rows)))
    except (NotIdentifiedError, ConvergenceError):
        return
    some = fit.used(design.take(np.flatnonzero(rows)))
    out[rows] = log_odds(some, fit.parameters)
