"""What do scenarios together say of strengths or weights, each by its own verdicts' evidence, and do they differ?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.heterogeneity import Heterogeneity, find_heterogeneity
from analysis.pooling import Pooled, pool, widen
from analysis.scenario_evidence import Evidence, Weighed, weigh
from analysis.vcov import Clustering
from errors import NotIdentifiedError


@dataclass(frozen=True)
class PooledEvidence:
    """weighed : each scenario's estimates with their errors; pooled : over scenarios; test : of all being equal"""

    weighed: Weighed
    pooled: Pooled
    test: Heterogeneity


def pool_evidence(evidence: Sequence[Evidence], clustering: Clustering, expected: str) -> PooledEvidence:
    """Weigh, pool and test what each scenario says.

    expected : what verdicts would follow from, for the sentence where they all do ("its strengths expect")

    Raises NotIdentifiedError where no estimate has an error.
    """
    weighed = weigh(evidence)
    if not np.isfinite(weighed.se).any():
        if any(bool((one.df >= 1).any()) for one in evidence):
            raise NotIdentifiedError(
                f"every verdict is what {expected} (all are ties, say), so that there is no noise to hold differences "
                "between scenarios against"
            )
        raise NotIdentifiedError(
            f"each scenario has one {clustering.name} only, so that what the scenario does and what the "
            f"{clustering.name} does cannot be told apart: add {clustering.name}s, or cluster by something else"
        )
    return PooledEvidence(
        weighed, pool(weighed.strength, widen(weighed.se, weighed.df)),
        find_heterogeneity(weighed.strength, weighed.se, weighed.df),
    )  # fmt: skip
