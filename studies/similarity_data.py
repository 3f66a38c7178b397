"""From the store to what judges are held against one another by: their verdicts, their strengths, their weights."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.bradley_terry import fit_bradley_terry
from analysis.cells import Floats
from analysis.cluster_sums import firsts, numbered
from analysis.similarity import Verdicts, label_verdicts
from data import queries
from data.model import Progress, Selection
from data.queries import Catalog, Counts
from data.queries import scenarios as scenario_queries
from data.queries.differences import verdicts as all_verdicts
from data.queries.published import published_weights
from data.store import Store
from errors import NotIdentifiedError
from studies.cells import judge_cells, models_met, require_models

PUBLISHED, OWN = "published", "own"


def same(name: str) -> str:
    """A name as it is matched: without regard to case, blanks, hyphens and underscores."""
    return re.sub(r"[\s_\-]+", " ", name).strip().casefold()


@dataclass(frozen=True)
class Labelled:
    """What judges say of pairs. judgments, prompts : behind it; thin : pairs of the selection without a scenario"""

    verdicts: Verdicts
    judgments: int
    prompts: int
    unlabelled: int
    n_scenarios: int
    fingerprint: str


def labelled(store: Store, study: Selection) -> Labelled:
    """One label a judge and pair: preferences averaged within an annotator first, then over annotators."""
    with store.reading("reading verdicts") as con:
        names = queries.catalog(con, study)
        condition = f"{queries.where(study, names, ranked=False)} AND outcome <> 0"
        said = all_verdicts(con, condition, ("annotator", "scenario")).columns
        queries.require_rows(len(said["pair"]), "with a verdict")
        fingerprint = queries.fingerprint(con, names, study.judge)
    place = {names.judges[judge][0]: k for k, judge in enumerate(study.judge)}
    known_judge, n = numbered(said["judge_id"])
    judge = np.array([place[int(i)] for i in said["judge_id"][firsts(known_judge, n)]])[known_judge]
    pair, n = numbered(said["pair"])
    first = firsts(pair, n)
    cell, p_a = judge * len(first) + pair, said["p_a"].astype(np.float64)
    if (said["annotator"] >= 0).any():
        who, n = numbered(said["annotator"])
        code, n_votes = numbered(cell * n + who)
        p_a, cell = np.bincount(code, p_a) / np.bincount(code), cell[firsts(code, n_votes)]
    size = len(study.judge) * len(first)
    said_by = np.bincount(cell, minlength=size)
    with np.errstate(invalid="ignore"):
        mean = np.where(said_by > 0, np.bincount(cell, p_a, size) / said_by, np.nan).reshape(len(study.judge), -1)
    scenario = said["scenario"][first]
    known = np.unique(scenario[scenario >= 0])
    codes = np.where(scenario >= 0, np.searchsorted(known, scenario), -1)
    clusters = {"pair": np.arange(len(first)), "prompt": said["prompt"][first]}
    return Labelled(
        Verdicts(label_verdicts(mean), clusters, codes), len(said["pair"]), numbered(clusters["prompt"])[1],
        int((scenario < 0).sum()), len(known), fingerprint,
    )  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """Strengths of models. strengths : (n_layers, n_judges, n_models), NaN where a judge cannot place a model

    layers : scenarios, or "" for all judgments; reasons : by judge, why it places nothing anywhere
    """

    strengths: Floats
    models: tuple[str, ...]
    layers: tuple[str, ...]
    judgments: int
    reasons: Mapping[str, str]
    unlabelled: int
    fingerprint: str


def placed(store: Store, study: Selection, ties: str, by_scenario: bool, progress: Progress) -> Placed:
    """The strengths of each judge, fitted to its own judgments, all of them or scenario by scenario."""
    with store.reading("counting judgments") as con:
        names = queries.catalog(con, study)
        require_models(names, "there are no rankings to compare: they need")
        condition = queries.where(study, names, ties)
        counts = scenario_queries.counts_by_scenario(con, condition) if by_scenario else queries.counts(con, condition)
        unlabelled = scenario_queries.scenario_extent(con, condition)["unlabelled"] if by_scenario else 0
        fingerprint = queries.fingerprint(con, names, study.judge)
    queries.require_rows(int(counts.frame["n"].sum()), "on two named models with a verdict")
    models = models_met(counts, names)
    layers = {"": counts}
    if by_scenario:
        known = {i: name for name, i in names.scenarios.items()}
        of = counts.frame["scenario"]
        layers = {known[int(i)]: _rows(counts, of == i) for i in np.unique(of)}
    strengths = np.full((len(layers), len(study.judge), len(models)), np.nan)
    reasons: dict[str, str] = {}
    column = {model: k for k, model in enumerate(models)}
    for layer, (scenario, rows) in enumerate(layers.items()):
        for k, judge in enumerate(study.judge):
            progress((layer + k / len(study.judge)) / len(layers), f"ranking by {judge} {scenario}".strip())
            try:
                fit = fit_bradley_terry(judge_cells(rows, names, judge, models))
            except NotIdentifiedError as error:
                reasons.setdefault(judge, str(error))
                continue
            strengths[layer, k, [column[model] for model in fit.models]] = fit.strength
    nowhere = np.isnan(strengths).all(axis=(0, 2))
    gone = {judge: reasons[judge] for judge, none in zip(study.judge, nowhere, strict=True) if none}
    return Placed(strengths, models, tuple(layers), int(counts.frame["n"].sum()), gone, unlabelled, fingerprint)


def _rows(counts: Counts, some: NDArray[np.bool_]) -> Counts:
    return Counts({name: column[some] for name, column in counts.frame.items()})


@dataclass(frozen=True)
class Weighed:
    """Weights of factors. judges : name, kind and source of each

    weights : (n_scenarios, n_judges, n_factors), NaN where there is none
    said : what of the dataset's own judges is not here, and why
    """

    judges: pd.DataFrame
    scenarios: tuple[str, ...]
    factors: tuple[str, ...]
    weights: Floats
    said: tuple[str, ...] = field(default=())
    fingerprint: str = ""


def weighed(published: pd.DataFrame, own: pd.DataFrame, among: Sequence[str]) -> Weighed:
    """Weights side by side. published, own : judge, kind, scenario, factor, weight; among : the scenarios looked at

    Factors and scenarios that are called alike are the same; where anything is published, only published factors count.
    """
    places = {same(name): k for k, name in enumerate(among)}
    factors = list(dict.fromkeys(map(same, published["factor"] if len(published) else own["factor"])))
    column = {name: k for k, name in enumerate(factors)}
    mine = set(own["judge"])
    shown = {name: f"{name} (published)" if name in mine else name for name in published["judge"].unique()}
    frames = [
        published.assign(judge=published["judge"].map(shown), source=PUBLISHED), own.assign(source=OWN)
    ]  # fmt: skip
    table = pd.concat([frame for frame in frames if len(frame)], ignore_index=True)
    judges = table.drop_duplicates("judge")[["judge", "kind", "source"]].reset_index(drop=True)
    row = {name: k for k, name in enumerate(judges["judge"])}
    at = [
        (places.get(same(s), -1), row[j], column.get(same(f), -1))
        for s, j, f in zip(table["scenario"], table["judge"], table["factor"], strict=True)
    ]
    layer, judge, factor = (np.array(part, dtype=np.int64) for part in zip(*at, strict=True))
    keep = (layer >= 0) & (factor >= 0)
    shape = (len(among), len(judges), len(factors))
    cell: NDArray[Any] = np.ravel_multi_index((layer[keep], judge[keep], factor[keep]), shape)
    n = np.bincount(cell, minlength=int(np.prod(shape)))
    total = np.bincount(cell, table["weight"].to_numpy(dtype=np.float64)[keep], int(np.prod(shape)))
    weights = np.where(n > 0, total / np.maximum(n, 1), np.nan).reshape(shape)
    return Weighed(judges, tuple(among), tuple(factors), weights)


def read_published(store: Store, dataset: str) -> tuple[Catalog, pd.DataFrame]:
    """The dataset's names and its published weights."""
    with store.reading("reading published weights") as con:
        names = queries.catalog(con, dataset)
        return names, published_weights(con, names.dataset_id)
