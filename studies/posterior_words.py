"""What must be known of posteriors before they are believed? Fits of judges in scenarios, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.cells import Floats
from analysis.design import Design
from analysis.laplace_posterior import Posteriors
from analysis.laplace_scale import ScaleChoice, Verdicts
from charts import words
from studies.said import about_left_out, once

TOGETHER = -0.3
"""Posterior correlation from which on two weights are read together (Sharma et al. 2023)."""

SAME = "the answers that were compared do not differ in it"
"""Why a factor has no weight."""


@dataclass(frozen=True)
class PosteriorCell:
    """One fit: a judge's verdicts, all or those of a scenario."""

    judge: str
    scenario: str | None
    design: Design
    verdicts: Verdicts

    @property
    def differs(self) -> NDArray[np.int64]:
        """(k,) judgments on answers that differ in each factor."""
        return np.array([int(self.design.count[column != 0].sum()) for column in self.verdicts.x.T], dtype=np.int64)


def warnings_about(
    cells: Sequence[PosteriorCell], found: Posteriors, choices: Sequence[ScaleChoice | None], names: Sequence[str]
) -> list[str]:
    said: dict[str, list[str]] = {cell.judge: [] for cell in cells}
    whole = [(at, cell) for at, cell in enumerate(cells) if cell.scenario is None]
    for at, cell in whole:
        mine = said[cell.judge]
        mine += about_left_out({
            name: SAME for name, n in zip(names, cell.differs, strict=True) if not n and name in cell.design.names
        })  # fmt: skip
        mine += _stand_for(found.covariance[at], cell, names)
        if cell.design.n_judgments > len(np.unique(cell.verdicts.prompt)):
            mine.append(
                "the model takes judgments as independent, and here several are on one prompt: where those hang "
                "together its intervals are too narrow; those of the gap allow for that"
            )
        choice = choices[at]
        if choice is not None and choice.at_end is not None:
            mine.append(
                f"the {choice.at_end} of the scales that were tried ({choice.chosen:g}) predicts best: one beyond may "
                "do so still better"
            )
    rough = [cell.judge if cell.scenario is None else f"{cell.judge} in {cell.scenario}"
             for at, cell in enumerate(cells) if found.rough[at]]  # fmt: skip
    out = once(said)
    if rough:
        out.append(f"the posterior of {words.listing(rough, 5)} could be approximated only roughly: do not rely on it")
    return out


def _stand_for(covariance: Floats, cell: PosteriorCell, names: Sequence[str]) -> list[str]:
    """Pairs of weights of which the one takes what the other gives, strongest first."""
    some = np.flatnonzero(cell.differs).tolist()
    sd = np.sqrt(np.diag(covariance))[some]
    between = np.triu(covariance[np.ix_(some, some)] / np.outer(sd, sd), 1)
    order = np.argsort(between, axis=None)[:3]
    told = [
        f"'{names[some[i]]}' and '{names[some[j]]}' ({words.number(between[i, j])})"
        for i, j in (np.unravel_index(at, between.shape) for at in order)
        if between[i, j] <= TOGETHER
    ]
    n = int((between <= TOGETHER).sum())
    if not told:
        return []
    more = f" and of {n - len(told)} further pairs" if n > len(told) else ""
    return [
        f"the weights of {words.listing(told)}{more} stand in for one another (posterior correlation in brackets): "
        "read them together"
    ]
