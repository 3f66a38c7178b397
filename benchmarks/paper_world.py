"""Judgments with names as long as they come, for every study: 30 models, 6 judges, 10 scenarios, each of 40 letters."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from data.imports import import_path
from data.simulate.tables import Simulated
from data.simulate.world import World
from data.store import Store
from studies.extract import extract
from studies.simulate import add_source

MAIN, ASKED = "main", "asked"

LETTERS = 40

_MODELS = (
    "organisation-{:02}/instruct-model-name-prev-v2", "A Model With Several Words In It, no. {:02}",
    "{:02}_abcdefghijklmnopqrstuvwxyzabcdefghijklmn", "WideName-{:02}-WWWWMMMM-Instruct-128K-Preview",
    "plain_snake_case_model_{:02}_chat_2026_01_05",
)  # fmt: skip
MODELS = tuple(_MODELS[k % len(_MODELS)].format(k)[:LETTERS].ljust(LETTERS, "x") for k in range(30))
PEOPLE = "People of the crowd-sourcing platform, 26"
JUDGES = tuple(
    ("Judge-Model-{:02}-72B-Instruct-2026-Preview-1", "judge_{:02}_with_a_name_in_snake_case_and_mo")[k % 2]
    .format(k)[:LETTERS].ljust(LETTERS, "x") for k in range(1, 6)
)  # fmt: skip
SCORERS = tuple(f"reward_model_{size}_in_snake_case_{'x' * LETTERS}"[:LETTERS] for size in ("small", "medium", "large"))
SCENARIOS = tuple(
    f"{word} and some more words of the kind"[:LETTERS].ljust(LETTERS, "d") for word in (
        "writing letters", "mathematics", "programming", "planning a journey", "summaries of papers", "translation",
        "questions of fact", "advice on life", "playing a role", "creative stories",
    )
)  # fmt: skip
FACTORS = ("words", "list_items_of_the_answer_and_of_its_parts", "hedging-and-uncertain-expressions-in-all",
           "bold", "questions", "formality_of_the_language_of_the_answer_x")  # fmt: skip
CRITERIA = ("clarity of the language that is used, 1", "correctness of the facts of the answer")
SHARE = 0.3
"""Of the verdicts of the first LLM judge, those that come with a probability."""


@dataclasses.dataclass(frozen=True)
class _Soft:
    """A simulated source in which one judge gives probabilities."""

    source: Simulated

    @property
    def world(self) -> World:
        return self.source.world

    def tables(self) -> Iterator[pa.Table]:
        rng = np.random.default_rng(0)
        for table in self.source.tables():
            winner = np.array(table["winner"].to_pylist(), dtype=object)
            own = np.array(table["judge"].to_pylist(), dtype=object) == JUDGES[0]
            p = np.where(winner == "a", rng.uniform(0.51, 0.99, len(winner)), rng.uniform(0.01, 0.49, len(winner)))
            yield table.append_column("p_a", pa.array(p.round(3), mask=~(own & np.isin(winner, ["a", "b"]))))


def fill(store: Store, judgments: int = 9000, models: int = 30) -> None:
    """Two datasets: `main`, and `asked` with criteria, reward models, and verdicts under a cue."""
    judges = [(PEOPLE, "human"), *((name, "llm") for name in JUDGES)]
    world = World.draw(3, models=MODELS[:models], judges=judges, factors=FACTORS, scenarios=SCENARIOS, prompts=500)
    add_source(store, MAIN, _Soft(Simulated(world, judgments, 3, texts=True)), 3)
    path = store.path.with_name("asked.csv")
    _write(path, _asked())
    import_path(store, path, ASKED)
    path.unlink()
    for name in (MAIN, ASKED):
        extract(store, name, workers=1)


def _asked(prompts: int = 60) -> Iterable[dict[str, Any]]:
    rng = np.random.default_rng(1)
    one, two, three = MODELS[:3]
    for prompt in range(prompts):
        about = {"prompt": f"prompt {prompt}", "scenario": SCENARIOS[prompt % 3]}
        for a, b in ((one, two), (one, three), (two, three)):
            pair = about | {"model_a": a, "model_b": b, "response_a": f"{a} {prompt}", "response_b": f"{b}: {prompt}!"}
            good = rng.choice([1, -1], 3)
            for judge, kind in ((PEOPLE, "human"), (JUDGES[0], "llm"), (JUDGES[1], "llm")):
                for criterion, side in zip((*CRITERIA, "overall"), good, strict=True):
                    said = side if rng.random() < 0.8 else -side
                    row = pair | {"judge": judge, "judge_kind": kind, "criterion": criterion, "variant": "plain",
                                  "winner": "a" if said > 0 else "b", "swapped": "false"}  # fmt: skip
                    yield row
                    if kind == "llm" and criterion == "overall":
                        for variant in ("bandwagon", "authority", "a circumstance with a name that is long"):
                            cue = "ab"[rng.integers(2)]
                            winner = cue if rng.random() < 0.3 else row["winner"]
                            yield row | {"variant": variant, "cue": cue, "winner": winner}
            for judge in SCORERS:
                scores = rng.normal(size=2) + np.array([good[2], -good[2]]) / 2
                yield pair | {"judge": judge, "judge_kind": "reward_model", "criterion": "overall", "variant": "plain",
                              "score_a": round(scores[0], 3), "score_b": round(scores[1], 3)}  # fmt: skip


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    listed = list(rows)
    names = list(dict.fromkeys(name for row in listed for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, names)
        out.writeheader()
        out.writerows(listed)
