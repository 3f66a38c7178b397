"""From a selection to the sums that the estimators take, judge by judge."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.cells import Cells
from analysis.vcov import Clustering
from charts import words
from data.queries import Catalog, Counts
from errors import EmptySelectionError, OptionError


def require_models(names: Catalog, lacking: str = "there is nothing to rank: rankings need") -> None:
    """Refuse a dataset that names no models. lacking : what there is not, and what needs the columns"""
    if not names.models:
        raise EmptySelectionError(
            f"dataset {names.dataset!r} names no models, so {lacking} the columns model_a and model_b"
        )


def cluster_columns(clustering: Clustering) -> tuple[str, ...]:
    """Which ids the sums must be kept apart by."""
    if clustering.name == "none":
        return ()
    return tuple(clustering.name.split("+"))


def models_met(counts: Counts, names: Catalog) -> tuple[str, ...]:
    """The models that these counts name, alphabetically: results do not depend on the order of a file's rows."""
    met = np.zeros(max(names.models.values(), default=0) + 1, dtype=bool)
    met[counts.frame["a"]] = True
    met[counts.frame["b"]] = True
    return tuple(names.display.alphabetically("model", (name for name, i in names.models.items() if met[i])))


def judge_cells(
    counts: Counts,
    names: Catalog,
    judge: str,
    models: tuple[str, ...],
    clusters: Sequence[str] = (),
    position: bool = False,
) -> Cells:
    """The cells of one judge over `models` (which must hold every model the counts name)."""
    frame = counts.of(names.judges[judge][0]).frame
    lookup = np.full(max(names.models.values(), default=0) + 1, -1, dtype=np.int32)
    for k, name in enumerate(models):
        lookup[names.models[name]] = k
    return Cells(
        models=models,
        i=lookup[frame["a"]],
        j=lookup[frame["b"]],
        weight=frame["weight"],
        score=frame["score"],
        count=frame["n"],
        first=frame["shown"].astype(np.float64) if position else None,
        clusters={c: frame[c] for c in clusters},
        tied=frame.get("tied"),
    )


def require_hard(judge: str, n_soft: int, ties: str) -> None:
    """Refuse preferences between a win, a tie and a loss where a tie is an outcome of its own."""
    if n_soft:
        raise OptionError(
            f"--ties {ties} takes wins, losses and ties only, and {words.plural(n_soft, 'judgment')} by {judge!r} "
            f"{'lies' if n_soft == 1 else 'lie'} in between (p_a other than 0, .5 and 1): use --ties half or "
            "--ties drop"
        )
