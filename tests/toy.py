"""Small judgments for the tests of `analysis`: by hand, at random, and the published ones of LLMFAO."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from analysis.cells import Cells

# A busy machine is no failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

LLMFAO = Path(__file__).resolve().parents[2] / "shared" / "real" / "llmfao"


def cells_of(rows, models=None, first=None, weight=None, **clusters) -> Cells:
    """Cells of one judgment each from (model i, model j, preference for i)."""
    names = models or tuple(sorted({name for row in rows for name in row[:2]}))
    index = {name: k for k, name in enumerate(names)}
    w = np.ones(len(rows)) if weight is None else np.asarray(weight, dtype=float)
    return Cells(
        models=tuple(names),
        i=np.array([index[row[0]] for row in rows], dtype=np.int64),
        j=np.array([index[row[1]] for row in rows], dtype=np.int64),
        weight=w,
        score=w * np.array([row[2] for row in rows], dtype=float),
        count=np.ones(len(rows), dtype=np.int64),
        first=None if first is None else np.asarray(first, dtype=float),
        clusters={name: np.asarray(codes, dtype=np.int64) for name, codes in clusters.items()},
    )


def random_cells(rng, n_models=5, n_prompts=60, n=600, *, strength=None, first=False, n_annotators=55) -> Cells:
    """One judgment a cell with random models, prompts, annotators and verdicts (ties among them)."""
    theta = np.linspace(-1, 1, n_models) if strength is None else np.asarray(strength)
    i = rng.integers(0, n_models, n)
    j = (i + rng.integers(1, n_models, n)) % n_models
    s = rng.choice([-1.0, 1.0], n)
    p = 1 / (1 + np.exp(-(theta[i] - theta[j] + 0.3 * s * first)))
    y = np.where(rng.random(n) < 0.1, 0.5, (rng.random(n) < p).astype(float))
    prompt = rng.integers(0, n_prompts, n)
    clusters = {
        "prompt": prompt,
        "pair": prompt * n_models**2 + np.minimum(i, j) * n_models + np.maximum(i, j),
        "annotator": rng.integers(0, n_annotators, n),
    }
    names = tuple(f"m{k:02}" for k in range(n_models))
    ones = np.ones(n)
    return Cells(names, i, j, ones, y, ones.astype(np.int64), s if first else None, clusters)


def swapped(cells: Cells) -> Cells:
    """The same judgments with i and j exchanged in every cell."""
    first = None if cells.first is None else -cells.first
    score = cells.weight - cells.score
    return Cells(cells.models, cells.j, cells.i, cells.weight, score, cells.count, first, cells.clusters)


def llmfao_cells(file: str) -> Cells:
    """A judge of LLMFAO, one judgment a cell, on the models of the crowd; left was shown first."""
    if not LLMFAO.is_dir():
        pytest.skip(f"the published judgments are not beside the project ({LLMFAO})")
    crowd = pd.read_csv(LLMFAO / "crowd-comparisons.csv")
    models = tuple(sorted(set(crowd["left"]) | set(crowd["right"])))
    frame = pd.read_csv(LLMFAO / file)
    preference = frame["winner"].map({"left": 1.0, "right": 0.0, "tie": 0.5})
    rows = list(zip(frame["left"], frame["right"], preference, strict=True))
    clusters = {"prompt": frame["prompt"], "pair": frame["id"]}
    if "worker" in frame:
        clusters["annotator"] = frame["worker"]
    return cells_of(rows, models=models, first=np.ones(len(frame)), **clusters)


def spaced(text: str) -> str:
    """What a page says, with plain spaces where it does not let a line break."""
    return text.replace("\xa0", " ")
