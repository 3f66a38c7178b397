"""A dataset as hard to print as they come: 30 models and three judges whose names are long, foreign and full of signs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from data.imports import import_path
from data.store import Store

LENGTH = 40
ROOTS = ("Ünïcode-αβ-模型-🦜_v", "a-model&co_with%special#{x}^2~$y$", "Averyverylongnamewithoutanybreakatall",
         "MMMMMWWWWW-QWERTY-GIGANTIC-INSTRUCT", "مرحبا--żółć\\emph|<b>\"quoted\"")  # fmt: skip
MODELS = tuple(f"{ROOTS[k % len(ROOTS)]}-{k:02d}".ljust(LENGTH, "x")[-LENGTH:] for k in range(30))
LLM, SCORER = "an-llm-judge-whose-name-has-forty-chars!", "模型裁判 — judge_№3 \\x{y} $z$"
FACTORS = ("length_of_the_answer_in_characters", "tone", "ratio%")


def add(store: Store, folder: Path, name: str = "wild & co_1", prompts: int = 24, pairs: int = 10, seed: int = 0) -> str:
    """Three people on each pair, an LLM of soft verdicts on two criteria, a reward model; three delivered factors."""
    rng = np.random.default_rng(seed)
    strength = np.linspace(-1, 1, len(MODELS))[rng.permutation(len(MODELS))]
    rows = []
    for prompt in range(prompts):
        for _ in range(pairs):
            a, b = rng.choice(len(MODELS), 2, replace=False)
            traits = rng.normal(size=(2, len(FACTORS)))
            p = 1 / (1 + np.exp(strength[b] - strength[a] - (traits[0] - traits[1]) @ np.array([0.5, -0.2, 0.1])))
            about = {
                "prompt": f"question {prompt}: 50 % of $x_{{{prompt}}}$?", "scenario": f"scenario {prompt % 3} & with_a-long name",
                "model_a": MODELS[a], "model_b": MODELS[b], "response_a": f"{a} {prompt} #1", "response_b": f"{b} {prompt} \\n",
            }  # fmt: skip
            about |= {f"{factor}_{side}": traits[k, f] for f, factor in enumerate(FACTORS) for k, side in enumerate("ab")}
            rows += [
                about | {"judge": "people", "judge_kind": "human", "annotator": f"ann_{who}", "winner": "ba"[int(rng.random() < p)]}
                for who in range(3)
            ]
            for criterion in ("overall", "style_1"):
                said = 1 / (1 + np.exp(-np.log(p / (1 - p)) - rng.normal()))
                rows.append(about | {"judge": LLM, "judge_kind": "llm", "p_a": round(said, 3), "criterion": criterion,
                                     "swapped": bool(rng.random() < 0.5)})  # fmt: skip
            scores = strength[[a, b]] + rng.normal(size=2)
            rows.append(about | {"judge": SCORER, "judge_kind": "reward_model", "score_a": scores[0], "score_b": scores[1]})
    path = folder / "wild.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    import_path(store, path, name)
    return name
