"""How near would few votes of people, with the judge's help, have come to what all of their votes say?

The experiment hides people's votes on a share of the pairs they judged, estimates from the rest, and holds each
method against the strengths of all their votes. Single pairs are hidden, not whole prompts: what is kept is then a
fair sample within every prompt, and each prompt stays in; with a dozen prompts hiding nine tenths of them would leave
one. As the prompts are the same before and after, intervals here are by pair.

What is held against is itself an estimate, from votes that include those kept: intervals of half of the votes hold it
more often than 95 %, those of a tenth hardly more often.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.bradley_terry import fit_bradley_terry
from analysis.cells import Floats
from analysis.correction import BY_PAIR, Estimate, correct_strengths, recentre
from analysis.judged_pairs import JudgedPairs
from analysis.sandwich import strength_covariance
from analysis.tables import floats, integers
from errors import NotIdentifiedError

METHODS = ("corrected", "classical", "naive")


@dataclass(frozen=True)
class Masking:
    """What the methods made of the votes that were left; arrays (n_splits, 3) in the order of METHODS.

    square, width, held : mean over models of the squared error, of the interval's width, and whether it holds the
        strength of all votes; models : models compared in each split, those that all methods rank
    shares : lambda of each split; n_hidden, n_kept : pairs whose votes were hidden and kept
    n_refused : splits in which people's remaining votes ranked nobody
    """

    square: Floats
    width: Floats
    held: Floats
    models: Floats
    shares: Floats
    n_hidden: int
    n_kept: int
    n_refused: int

    @property
    def rmse(self) -> Floats:
        """(3,) root mean squared error."""
        return np.asarray(np.sqrt(self.square.mean(axis=0)))

    @property
    def gain(self) -> float | None:
        """Mean squared error of people alone, over that of people with the judge's help; None where that is 0."""
        square = self.square.mean(axis=0)
        return float(square[1] / square[0]) if square[0] > 1e-20 else None

    def table(self) -> pd.DataFrame:
        """One row a method: method, rmse, width, coverage (shares of 1), models (mean), splits."""
        n = len(self.square)
        return pd.DataFrame(
            {
                "method": pd.Series(list(METHODS), dtype="str"),
                "rmse": floats(self.rmse),
                "width": floats(self.width.mean(axis=0)),
                "coverage": floats(self.held.mean(axis=0)),
                "models": floats([float(self.models.mean())] * 3),
                "splits": integers([n] * 3),
            }
        )


def mask_people(
    pairs: JudgedPairs,
    share: float,
    rng: np.random.Generator,
    *,
    splits: int = 50,
    level: float = 0.95,
    report: Callable[[float], None] = lambda share: None,
) -> Masking:
    """Hide people's votes on a share of their pairs, `splits` times anew.

    share : in (0, 1), of the labelled pairs; report : told the share of the work that is done

    Raises NotIdentifiedError where all their votes rank nobody, or in no split what is left of them.
    """
    cells = pairs.cells("human")
    fit = fit_bradley_terry(cells)
    every = Estimate(fit.models, strength_covariance([fit], [cells], BY_PAIR))
    labelled = np.flatnonzero(pairs.labelled)
    n_hidden = min(max(round(share * len(labelled)), 1), len(labelled) - 1)
    found: list[tuple[Floats, Floats, Floats, int, float]] = []
    for split in range(splits):
        report(split / splits)
        hidden = np.zeros(len(pairs), dtype=bool)
        hidden[rng.permutation(labelled)[:n_hidden]] = True
        try:
            one = _held_against(pairs.hide(hidden), every, level)
        except NotIdentifiedError:
            continue
        found.append(one)
    report(1.0)
    if not found:
        raise NotIdentifiedError(
            f"with people's votes on {n_hidden:,} of {len(labelled):,} pairs hidden, those on the other "
            f"{len(labelled) - n_hidden:,} rank no models. Hide a smaller share"
        )
    square, width, held, models, shares = zip(*found, strict=True)
    return Masking(
        square=np.array(square),
        width=np.array(width),
        held=np.array(held),
        models=np.array(models, dtype=np.float64),
        shares=np.array(shares, dtype=np.float64),
        n_hidden=n_hidden,
        n_kept=len(labelled) - n_hidden,
        n_refused=splits - len(found),
    )


def _held_against(pairs: JudgedPairs, every: Estimate, level: float) -> tuple[Floats, Floats, Floats, int, float]:
    """(3,) squared errors, widths, shares held, and the number of models, lambda, of one split.

    Raises NotIdentifiedError where a method ranks nobody.
    """
    found = correct_strengths(pairs, BY_PAIR)
    methods = (found.corrected, found.classical, found.naive)
    estimates = [one for one in methods if one is not None]
    if len(estimates) < len(methods):
        raise NotIdentifiedError("the judge ranks nobody")
    common = [m for m in every.models if all(m in one.models for one in estimates)]
    if len(common) < 2:
        raise NotIdentifiedError("no two models are ranked by all methods")
    target = recentre(every, common).strength
    square, width, held = np.empty((3, 3))
    for k, one in enumerate(estimates):
        same = recentre(one, common)
        error, half = same.strength - target, same.half_width(level)
        square[k], width[k], held[k] = (error**2).mean(), 2 * half.mean(), (np.abs(error) <= half).mean()
    assert found.share is not None
    return square, width, held, len(common), found.share
