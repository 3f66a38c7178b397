"""What would the numbers be if we knew the truth? Simulated datasets with planted and pseudo-true values.

The pseudo-true value is the model's own coefficient fitted to the exact expected outcomes under the generator; it is
what a correct interval covers (the planted log-odds are attenuated by prompt and annotator effects).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from analysis.blas import use_one_thread
from analysis.bradley_terry import fit_bradley_terry
from analysis.cells import Cells, Floats
from data import queries
from data.fields import resolve_mapping
from data.importers.memory import fill_raw
from data.imports import ImportReport, commit, commit_simulated
from data.model import SAMPLE, Progress, silent
from data.normalise import normalise
from data.simulate.expected import ExpectedScores, expected_scores
from data.simulate.fill import draw
from data.simulate.tables import Simulated
from data.simulate.world import World
from data.store import Store
from errors import OptionError

TOLD = ("simulated: no real judgments",)


class Source(Protocol):
    """A simulated dataset: canonical tables, and the world they are drawn from."""

    @property
    def world(self) -> World: ...

    def tables(self) -> Iterable[pa.Table]: ...


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
    """Simulate judgments of a drawn world into a new dataset. Raises OptionError for impossible sizes.

    What the store holds afterwards is what `add_source` would make of the same world, row by row.
    """
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
    _check_new(store, dataset)
    progress(0.0, "planting the truth")
    truth = plant(world, _part(progress, 0.0, 0.1))
    mapping = resolve_mapping(tuple(Simulated(world, judgments, seed).columns), name=dataset)
    with store.staging() as staging:
        drawn = draw(staging.connection, staging.scratch, world, judgments, seed, _part(progress, 0.1, 0.6))
        return commit_simulated(
            store, dataset, drawn, truth.table, _log(dataset, seed, judgments),
            (*TOLD, *truth.told, *mapping.inferred), _part(progress, 0.6, 1.0),
        )  # fmt: skip


def add_sample(store: Store, progress: Progress = silent) -> ImportReport:
    """The sample dataset with readable texts that the app shows in an empty store."""
    from data.simulate.sample import sample

    return add_source(store, SAMPLE, sample(), 0, progress)


def add_source(store: Store, dataset: str, source: Source, seed: int, progress: Progress = silent) -> ImportReport:
    """Import the tables of a simulated source like a file, with their truth. seed : the source's, for the log"""
    _check_new(store, dataset)
    progress(0.0, "planting the truth")
    truth = plant(source.world, _part(progress, 0.0, 0.05))
    with store.staging() as staging:
        raw = fill_raw(staging.connection, source.tables(), (*TOLD, *truth.told), _part(progress, 0.05, 0.5))
        mapping = resolve_mapping(raw.columns, name=dataset)
        progress(0.5, "checking judgments")
        staged = normalise(staging.connection, raw.columns, mapping)
        return commit(
            store, staging.connection, dataset, staged, raw, mapping, log=_log(dataset, seed, raw.n_rows),
            truth=truth.table, progress=_part(progress, 0.6, 1.0),
        )  # fmt: skip


def _check_new(store: Store, dataset: str) -> None:
    if store.exists():
        with store.reading(f"looking for {dataset}") as con:
            if dataset in dict(queries.dataset_names(con)):
                raise OptionError(f"there already is a dataset {dataset!r}: choose another name or delete it first")


def _part(progress: Progress, start: float, end: float) -> Progress:
    return lambda share, text: progress(start + (end - start) * share, text)


def _log(dataset: str, seed: int, n_judgments: int) -> dict[str, str]:
    told = str({"seed": seed})
    key = hashlib.sha256(f"{dataset} {told} {n_judgments}".encode()).hexdigest()
    return {"file_name": "simulated", "sha256": key, "format": "simulate", "mapping": told}


@dataclass(frozen=True)
class Truth:
    """What is planted and what intervals cover: kind, judge, scenario, name, planted, pseudo_true (of strengths).

    told : what a report says about how the pseudo-true values were computed, where they are not exact
    """

    table: pd.DataFrame
    told: tuple[str, ...]


def plant(world: World, progress: Progress = silent) -> Truth:
    """The planted truth, with the pseudo-true strength of each judge and model (ties half, all scenarios)."""
    table = world.truth()
    table["pseudo_true"] = np.nan
    use_one_thread()
    scores = expected_scores(world, progress)
    error = 0.0
    for judge in scores.judges:
        found = pseudo_true_strengths(scores, judge)
        strength = dict(zip(scores.models, found.strength, strict=True))
        rows = (table["kind"] == "strength") & (table["judge"] == judge) & table["scenario"].isna()
        table.loc[rows, "pseudo_true"] = table.loc[rows, "name"].map(strength).astype(float)
        error = max(error, float(found.error.max()))
    told: tuple[str, ...] = ()
    if scores.opponents is not None:
        told = (
            f"pseudo-true strengths take in {scores.opponents:,} of the {len(world.models) - 1:,} opponents of each "
            f"model, chosen at random: standard error at most {error:.1g}",
        )
    return Truth(table.astype({"judge": object, "scenario": object, "name": object}), told)


@dataclass(frozen=True)
class PseudoTrue:
    """strength : (models,) natural log, mean 0; error : (models,) its standard error where opponents are a sample."""

    strength: Floats
    error: Floats


def pseudo_true_strengths(scores: ExpectedScores, judge: str) -> PseudoTrue:
    """The Bradley-Terry strengths fitted to the exact expected scores of a judge.

    Where these are of a random part of the opponents, the fit's own equations (expected minus fitted scores, summed
    over the opponents of a model, are 0) are a sample's, which gives the error.
    """
    y = scores.y[scores.judges.index(judge)]
    i, k, share = scores.i.astype(np.int64), scores.k.astype(np.int64), scores.share
    m = len(scores.models)
    cells = Cells(
        models=scores.models, i=i, j=k, weight=share, score=share * y, count=np.ones(len(i), dtype=np.int64)
    )
    strength = fit_bradley_terry(cells).strength
    if scores.opponents is None:
        return PseudoTrue(strength, np.zeros(m))
    p = 1.0 / (1.0 + np.exp(strength[k] - strength[i]))
    squared, information = (share * (y - p)) ** 2, share * p * (1.0 - p)
    sums = [np.bincount(i, v, m) + np.bincount(k, v, m) for v in (squared, information)]
    return PseudoTrue(strength, np.sqrt(sums[0] * (1.0 - scores.opponents / (m - 1))) / sums[1])
