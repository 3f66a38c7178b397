"""Do intervals of calibration errors, Brier scores and temperatures hold?

    python -m benchmarks.coverage_calibration [--runs 500] [--workers 2]

Every run draws prompts, pairs within them, people's votes and a judge whose log-odds are so many times what is true,
with noise of its own. Coverage is of the exact value, from expected outcomes of 200,000 pairs; of a judge without error
that is an error of 0, and what chance alone gives is held against the errors that were found. Promised: 91-97 % over
the figures that are no errors, 88-98.5 % for each and for errors, those of a judge without any may cover more; chance
within 10 %.
"""

from __future__ import annotations

import os

# Two processes share two cores: each with one thread for its small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.calibration import BINS, Calibration, Claims, calibrate
from analysis.cells import Floats, Ints
from analysis.vcov import Clustering, choose_clustering
from benchmarks.repeat import promised, repeat, report

POOLED = (0.91, 0.97)
EACH = (0.88, 0.985)
LARGE = 200_000
ERRORS = tuple(f"ece_{k}" for k in BINS)
FIGURES = (*ERRORS, "brier", "sureness", "right", "temperature")


@dataclass(frozen=True)
class World:
    """temperature : what the judge's log-odds are divided by to be true; noise : sd of its own, in log-odds
    stated : a confidence in what it says, in place of a preference; fair : without any error"""

    name: str
    prompts: int
    pairs_a_prompt: int = 4
    votes: int = 3
    temperature: float = 2.0
    noise: float = 0.3
    stated: bool = False
    fair: bool = False


def worlds() -> tuple[World, ...]:
    """The worlds that are looked at, headline first."""
    return (
        World("200 prompts, twice too sure", 200),
        World("200 prompts, half as sure", 200, temperature=0.5),
        World("200 prompts, stated confidence", 200, stated=True),
        World("20 prompts of 10 pairs", 20, 10),
        World("60 prompts, a vote a pair", 60, votes=1),
        *(World(f"{n} pairs, 1.3 times too sure", n, 1, temperature=1.3, noise=0.0) for n in (60, 200, 1000)),
        World("60 pairs, without any error", 60, 1, temperature=1.0, noise=0.0, fair=True),
        World("200 prompts, without any error", 200, temperature=1.0, noise=0.0, fair=True),
        World("20 prompts of 10 pairs, without any error", 20, 10, temperature=1.0, noise=0.0, fair=True),
    )


def chances(of: World, prompts: int, rng: np.random.Generator) -> tuple[Floats, Floats, Ints]:
    """What the judge claims, what is true, and the prompt of each pair."""
    prompt = np.repeat(np.arange(prompts), of.pairs_a_prompt)
    z = 0.7 * rng.standard_normal(prompts)[prompt] + 0.9 * rng.standard_normal(len(prompt))
    said = of.temperature * z + of.noise * rng.standard_normal(len(prompt))
    if of.stated:
        # Of the side that it takes: what is true is how often people take it too.
        return expit(np.abs(said)), expit(np.where(said > 0, z, -z)), prompt
    return expit(said), expit(z), prompt


@lru_cache(maxsize=32)
def exact(of: World) -> dict[str, float]:
    p, true, prompt = chances(of, LARGE // of.pairs_a_prompt, np.random.default_rng(12345))
    one, nothing = np.ones(len(p)), np.zeros(len(p))
    return figures(calibrate(Claims(p, true, one, nothing, prompt % 100, not of.stated), Clustering("prompt")))


def figures(found: Calibration) -> dict[str, float]:
    return {name: found.figures[name] for name in FIGURES[:-1]} | {"temperature": found.temperature}


def simulate_run(of: World, truth: dict[str, float], seed: int) -> tuple[dict[str, float], dict[str, float]]:
    """Whether each interval holds its exact value; and each error found over what chance gives."""
    p, true, prompt = chances(of, of.prompts, rng := np.random.default_rng((13, seed)))
    y, n = rng.binomial(of.votes, true).astype(float), np.full(len(p), float(of.votes))
    claims = Claims(p, y, n, np.zeros(len(p)), prompt, not of.stated)
    found = calibrate(claims, choose_clustering("auto", of.prompts), seed=seed)
    held = {}
    for name in FIGURES[:-1]:
        one = found.figures.one(name) or {}
        held[name] = float(one["lower"] <= truth[name] <= one["upper"]) if "lower" in one else np.nan
    held["temperature"] = float(found.temperature_lower <= truth["temperature"] <= found.temperature_upper)
    return held, {f"ece_{k}": found.figures[f"ece_{k}"] / found.chance[k] for k in BINS}


def run_world(of: World, runs: int, workers: int = 2) -> pd.DataFrame:
    """One row a figure, and one for all: world, quantity, coverage, each_low, each_high, runs, promised_low,
    promised_high; of a judge without error its errors over what chance gives."""
    truth = exact(of)
    found = repeat(partial(simulate_run, of, truth), runs, workers)
    held = {str(name): float(share) for name, share in pd.DataFrame([one for one, _ in found]).mean().items()}
    rows: list[dict[str, object]] = []

    def add(quantity: str, value: float, low: float, high: float, ends: tuple[float, float] | None = None) -> None:
        rows.append(promised(of.name, quantity, value, low, high, runs, ends))

    if of.fair:
        chance = pd.DataFrame([one for _, one in found]).mean()
        for name in ERRORS:
            add(f"{name} over chance", float(chance[name]), 0.9, 1.1)
    others = [share for name, share in held.items() if name not in ERRORS]
    add("all but errors", float(np.mean(others)), *POOLED, (min(others), max(others)))
    for name, share in held.items():
        add(name, share, EACH[0], 1.0 if of.fair and name in ERRORS else EACH[1])
    return pd.DataFrame(rows)


def measure(runs: int, workers: int) -> pd.DataFrame:
    """The table of all worlds."""
    return pd.concat([run_world(of, runs, workers) for of in worlds()], ignore_index=True)


main: Callable[[], int] = partial(report, __doc__, measure)

if __name__ == "__main__":
    sys.exit(main())
