"""What would the numbers be if we knew the truth? Simulated datasets with planted and pseudo-true values.

The pseudo-true value is the model's own coefficient fitted to the exact expected outcomes under the generator; it is
what a correct interval covers (the planted log-odds are attenuated by prompt and annotator effects).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.bradley_terry import fit_bradley_terry
from analysis.cells import Cells
from data import queries
from data.fields import resolve_mapping
from data.importers.memory import fill_raw
from data.imports import ImportReport, commit
from data.model import SAMPLE, Progress, silent
from data.normalise import normalise
from data.simulate.expected import Expected
from data.simulate.tables import Simulated
from data.simulate.world import World
from data.store import Store
from errors import OptionError


class Source(Protocol):
    """A simulated dataset: canonical tables, planted truth, exact expectations."""

    def tables(self) -> Iterable[pa.Table]: ...

    @property
    def truth(self) -> pd.DataFrame: ...

    def expected(self) -> Expected: ...


def add_simulated(
    store: Store,
    dataset: str,
    *,
    judgments: int = 20_000,
    models: int = 12,
    judges: int = 3,
    factors: int = 5,
    scenarios: int = 8,
    prompts: int | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> ImportReport:
    """Simulate judgments of a drawn world into a new dataset. Raises OptionError for impossible sizes."""
    for name, value, least in (
        ("judgments", judgments, 1), ("models", models, 2), ("judges", judges, 1), ("factors", factors, 0),
        ("scenarios", scenarios, 1),
    ):  # fmt: skip
        if value < least:
            raise OptionError(f"--{name} {value}: at least {least}")
    usual = ("words", "lists", "hedging", "bold", "questions", "formality")
    named = tuple(usual[k] if k < len(usual) else f"factor-{k + 1}" for k in range(factors))
    world = World.draw(
        seed,
        models=models,
        judges=[("people", "human"), *((f"judge-{k}", "llm") for k in range(1, judges))],
        factors=named,
        scenarios=scenarios,
        prompts=prompts if prompts is not None else max(10, judgments // 10),
    )
    return add_source(store, dataset, Simulated(world, judgments, seed), {"seed": seed}, progress)


def add_sample(store: Store, progress: Progress = silent) -> ImportReport:
    """The sample dataset with readable texts that the app shows in an empty store."""
    from data.simulate.sample import sample

    return add_source(store, SAMPLE, sample(), {"seed": 0}, progress)


def add_source(
    store: Store, dataset: str, source: Source, told: dict[str, Any], progress: Progress = silent
) -> ImportReport:
    """Stage the tables of a simulated source and commit them with their truth."""
    if store.exists():
        with store.reading(f"looking for {dataset}") as con:
            if dataset in dict(queries.dataset_names(con)):
                raise OptionError(f"there already is a dataset {dataset!r}: choose another name or delete it first")
    progress(0.0, "planting the truth")
    truth = with_pseudo_true(source)
    with store.staging() as staging:
        raw = fill_raw(
            staging.connection, source.tables(), ("simulated: no real judgments",),
            lambda share, text: progress(0.05 + 0.45 * share, text),
        )  # fmt: skip
        mapping = resolve_mapping(raw.columns, name=dataset)
        progress(0.5, "checking judgments")
        staged = normalise(staging.connection, raw.columns, mapping)
        key = hashlib.sha256(f"{dataset} {told} {raw.n_rows}".encode()).hexdigest()
        return commit(
            store, staging.connection, dataset, staged, raw, mapping,
            log={"file_name": "simulated", "sha256": key, "format": "simulate", "mapping": str(told)},
            truth=truth, progress=lambda share, text: progress(0.6 + 0.4 * share, text),
        )  # fmt: skip


def with_pseudo_true(source: Source) -> pd.DataFrame:
    """The planted truth, with the pseudo-true strength of each judge and model (ties half, all scenarios)."""
    truth = source.truth.copy()
    truth["pseudo_true"] = np.nan
    expected = source.expected()
    for judge in expected.judges:
        strength = dict(zip(expected.models, pseudo_true_strengths(expected, judge), strict=True))
        rows = (truth["kind"] == "strength") & (truth["judge"] == judge) & truth["scenario"].isna()
        truth.loc[rows, "pseudo_true"] = truth.loc[rows, "name"].map(strength).astype(float)
    return truth.astype({"judge": object, "scenario": object, "name": object})


def pseudo_true_strengths(
    expected: Expected, judge: str, ties: str = "half", scenario: str | None = None
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(models,) Bradley-Terry strengths (natural log, mean 0) fitted to the exact expected outcomes."""
    wins = expected.wins(judge, ties, scenario)
    i, j = np.nonzero(np.triu(wins + wins.T, 1))
    cells = Cells(
        models=expected.models,
        i=i.astype(np.int64),
        j=j.astype(np.int64),
        weight=wins[i, j] + wins[j, i],
        score=wins[i, j],
        count=np.ones(len(i), dtype=np.int64),
    )
    return fit_bradley_terry(cells).strength
