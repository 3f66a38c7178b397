"""Small judgments that every study can be asked about, as rows of files: for bundles, replays and order."""

from __future__ import annotations

import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import studies  # noqa: F401  (registers the studies)
from data.imports import ImportOptions, import_path
from data.store import Store
from studies.study import REGISTRY, Result

MODELS = ("ant", "bee", "cod", "doe", "elk")
SCENARIOS = ("code", "mail", "talk")
DATASET = "paper"

Row = dict[str, Any]

# Options without which a study has nothing to answer here.
ASKED: dict[str, dict[str, Any]] = {
    "factors groups": {"group_by": "scenario"},
    "factors bayes": {"folds": 0},
    "judge-again": {"judge": ("robot",)},
}


def rows(seed: int = 5, prompts: int = 30) -> list[Row]:
    """People (named, with ties), a robot that is unsure, a second one with a criterion and repeats, and scores."""
    rng = np.random.default_rng(seed)
    strength = dict(zip(MODELS, np.linspace(-0.8, 0.8, len(MODELS)), strict=True))
    out: list[Row] = []
    for q in range(prompts):
        texts = {}
        for k, model in enumerate(MODELS):
            words = int(rng.integers(4, 40))
            texts[model] = (f"{model} says of {q}: " + "word " * words + f"{k}.", words, float(rng.integers(0, 2)))
        for i, a in enumerate(MODELS):
            for b in MODELS[i + 1 :]:
                one, two = texts[a], texts[b]
                base: Row = {
                    "prompt": f"What of {q}?", "prompt_id": f"q{q}", "scenario": SCENARIOS[q % 3], "model_a": a,
                    "model_b": b, "response_a": one[0], "response_b": two[0], "words_a": one[1], "words_b": two[1],
                    "lists_a": one[2], "lists_b": two[2],
                }  # fmt: skip
                lean = strength[a] - strength[b] + 0.02 * (one[1] - two[1]) + 0.4 * (one[2] - two[2])
                for vote in range(3):
                    p = 1 / (1 + np.exp(-lean))
                    said = "tie" if rng.random() < 0.15 else "a" if rng.random() < p else "b"
                    out.append(base | {"judge": "people", "judge_kind": "human", "annotator": f"p{(q + vote) % 7}",
                                       "winner": said, "swapped": bool(rng.random() < 0.5)})  # fmt: skip
                p = round(float(1 / (1 + np.exp(-1.6 * lean - 0.3))), 3)
                out.append(base | {"judge": "robot", "judge_kind": "llm", "p_a": p, "swapped": False,
                                   "confidence": round(abs(p - 0.5) + 0.5, 3)})  # fmt: skip
                for repeat in (1, 2):
                    second = "a" if rng.random() < 1 / (1 + np.exp(-lean)) else "b"
                    out.append(base | {"judge": "second", "judge_kind": "llm", "winner": second, "repeat": repeat,
                                       "swapped": repeat == 2})  # fmt: skip
                for criterion in ("clear", "right"):
                    side = "a" if rng.random() < 0.5 + 0.2 * np.sign(lean) else "b"
                    out.append(base | {"judge": "second", "judge_kind": "llm", "winner": side, "criterion": criterion})
                score = lean + rng.normal(0, 0.5)
                out.append(base | {"judge": "scorer", "judge_kind": "reward_model", "score_a": round(score, 4),
                                   "score_b": 0.0, "winner": "a" if score > 0 else "b"})  # fmt: skip
    return out


def turned(row: Row) -> Row:
    """The same judgment with its sides exchanged."""
    out = {k: v for k, v in row.items() if not k.endswith(("_a", "_b")) or k == "p_a"}
    for name, value in row.items():
        if name != "p_a" and name.endswith(("_a", "_b")):
            out[name[:-1] + ("b" if name.endswith("a") else "a")] = value
    if "winner" in row:
        out["winner"] = {"a": "b", "b": "a"}.get(row["winner"], row["winner"])
    if "p_a" in row:
        out["p_a"] = round(1 - row["p_a"], 6)
    if "swapped" in row:
        out["swapped"] = not row["swapped"]
    return out


@cache
def asked(command: str, store: Store) -> Result:
    """The answer of a study, once for all tests that look at it."""
    return REGISTRY[command](**ASKED.get(command, {})).run(store)


def filled(folder: Path, files: list[list[Row]], name: str = "store") -> Store:
    """A store into which these rows were imported, a file each."""
    # A test asks several questions of it: to open DuckDB takes longer than most.
    store = Store(folder / f"{name}.duckdb", linger=5)
    for k, some in enumerate(files):
        path = folder / f"{name}-{k}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in some))
        report = import_path(store, path, DATASET, ImportOptions(format="judgments"))
        assert (report.rejected, report.duplicates) == (0, 0), report.rejections
    return store


def shuffled(some: list[Row], seed: int, turn: bool) -> list[Row]:
    """In another order; with `turn` half of them the other way round."""
    rng = random.Random(seed)
    out = list(some)
    rng.shuffle(out)
    return [turned(row) if turn and rng.random() < 0.5 else row for row in out]
