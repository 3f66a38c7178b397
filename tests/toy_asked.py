"""A small dataset of several criteria and of scores, which the sample has none of."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

SIDES = {1: "a", -1: "b", 0: "tie"}
WEIGHTS = {"people": (1.0, 1.0), "owl": (0.2, 1.6)}
"""What clear and correct are worth in the overall verdict."""

SCORING = {"scorer-s": 0.8, "scorer-m": 1.4, "scorer-l": 2.0}
"""How much higher a reward model scores what is better."""


def write(path: Path, prompts: int = 40, seed: int = 0) -> Path:
    """Three models on prompts of three scenarios: people and an LLM on three criteria, three reward models by scores."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for prompt in range(prompts):
        scenario = ("code", "poem", "maths")[prompt % 3]
        about: dict[str, object] = {"prompt": f"prompt {prompt}", "scenario": scenario}
        for one, two in (("m1", "m2"), ("m1", "m3"), ("m2", "m3")):
            pair = about | {"model_a": one, "model_b": two, "response_a": f"{one} {prompt}", "response_b": f"{two} {prompt}"}
            common = rng.normal()
            truth = np.where(np.sqrt(0.3) * common + np.sqrt(0.7) * rng.normal(size=2) > 0, 1, -1)
            for judge, weights in WEIGHTS.items():
                said = truth * np.where(rng.random(2) < 0.15, -1, 1)
                said[rng.random(2) < 0.1] = 0
                overall = 1 if rng.random() < 1 / (1 + np.exp(-said @ np.array(weights))) else -1
                kind = "human" if judge == "people" else "llm"
                for criterion, side in (("clear", said[0]), ("correct", said[1]), ("overall", overall)):
                    rows.append(pair | {"judge": judge, "judge_kind": kind, "criterion": criterion,
                                        "winner": SIDES[int(side)]})  # fmt: skip
            for judge, gain in SCORING.items():
                gain = gain if scenario != "maths" else 0.2
                scores = np.round(rng.normal(size=2) + gain * np.array([truth[1], -truth[1]]) / 2, 4)
                rows.append(pair | {"judge": judge, "judge_kind": "reward_model", "criterion": "overall",
                                    "score_a": scores[0], "score_b": scores[1]})  # fmt: skip
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, names)
        out.writeheader()
        out.writerows(rows)
    return path
