"""Which factors go together so closely that their weights can hardly be told apart?

Correlations are uncentred, as the models have no intercept: sum w x y / sqrt(sum w x^2 * sum w y^2) over judgments. A
group is a complete-linkage cluster: any two of its factors correlate at .7 or more, in whichever direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from analysis.cells import Floats
from analysis.design import Design
from analysis.design_sums import sum_up
from analysis.factor_fit import SAMPLE

TOGETHER = 0.7
"""Absolute correlation from which two factors go together: each then inflates the other's variance twofold."""


@dataclass(frozen=True)
class Group:
    """Factors of which any two correlate at least by `lowest` in size. highest : the most that two of them do"""

    factors: tuple[str, ...]
    lowest: float
    highest: float


@dataclass(frozen=True)
class Collinear:
    """names : (k,) the factors in which answers differ; correlation : (k, k) uncentred; groups : largest first"""

    names: tuple[str, ...]
    correlation: Floats
    groups: tuple[Group, ...]

    def nearest(self, name: str) -> tuple[str, float] | None:
        """The factor that a factor correlates with most, and how; None without another one."""
        if name not in self.names or len(self.names) < 2:
            return None
        row = self.correlation[self.names.index(name)].copy()
        row[self.names.index(name)] = 0.0
        at = int(np.argmax(np.abs(row)))
        return self.names[at], float(row[at])


def find_collinear(designs: Sequence[Design]) -> Collinear:
    """Over the judgments of all designs, which are about the same factors; of millions a part tells it."""
    names = designs[0].names
    products = np.zeros((len(names), len(names)))
    for design in designs:
        if not len(design):
            continue
        some = replace(design.thinned(SAMPLE), first=None, tied=None)
        # At log-odds of 0 the information is a quarter of the weighted products. A part stands for the whole's weight.
        share = float(design.weight.sum()) / float(some.weight.sum())
        products += share * sum_up(some, "logistic", np.zeros(len(names))).information
    there = np.flatnonzero(np.diag(products) > 0)
    root = np.sqrt(np.diag(products)[there])
    correlation = np.clip(products[np.ix_(there, there)] / np.outer(root, root), -1.0, 1.0)
    kept = tuple(names[k] for k in there)
    return Collinear(kept, correlation, _groups(kept, np.abs(correlation)))


def _groups(names: tuple[str, ...], size: Floats) -> tuple[Group, ...]:
    if len(names) < 2:
        return ()
    distance = 1 - size
    np.fill_diagonal(distance, 0.0)
    tree = linkage(squareform((distance + distance.T) / 2, checks=False), method="complete")
    # Differences may be float32, and .7 itself belongs to the group.
    which = fcluster(tree, 1 - TOGETHER + 1e-6, criterion="distance")
    out = []
    for label in np.unique(which):
        members = np.flatnonzero(which == label)
        if len(members) > 1:
            among = size[np.ix_(members, members)][np.triu_indices(len(members), 1)]
            out.append(Group(tuple(names[k] for k in members), float(among.min()), float(among.max())))
    return tuple(sorted(out, key=lambda group: (-len(group.factors), -group.highest, group.factors)))
