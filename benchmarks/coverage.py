"""Do the intervals hold what they promise? Coverage of strengths and gaps over many simulated data sets.

    python benchmarks/coverage.py [--runs 500] [--world NAME ...] [--quick]

Every run draws fresh prompts, annotators and verdicts from a planted world and asks whether the 95 %
interval holds the pseudo-true value: the coefficient of the same model fitted to the exact expected
outcomes under the generator. Beside it the naive interval, which takes all judgments as independent.
Promised: 93-97 % over all parameters of a world, 91-98.5 % for each; and that a judge of the same taste,
as decisive or twice as decisive, is flagged by any scaled gap (q < .05) in at most 7 % of runs.
Ends with 1 when a promise is broken by more than 500 runs can show by chance.
"""

from __future__ import annotations

import os

# Two processes share two cores: each with one thread for its small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from numpy.typing import NDArray

from analysis.bradley_terry import newton
from analysis.cells import Cells, PairCounts
from analysis.compare import Comparison, compare_strengths
from analysis.sandwich import strength_covariance
from analysis.vcov import Covariance, choose_clustering
from benchmarks.repeat import repeat
from data.model import NONE
from data.simulate.cells import draw_cells
from data.simulate.expected import expected
from data.simulate.world import Factor, Judge, World, uneven_pairs
from errors import JurylensError

Floats = NDArray[np.float64]

POOLED = (0.93, 0.97)
EACH = (0.91, 0.985)
FALSE_FLAGS = 0.07


@dataclass(frozen=True)
class Setting:
    """A world, how many judgments are drawn from it, how intervals are clustered, and what is promised.

    same_taste : the judges differ in decisiveness at most, so that any flag is a false one
    """

    name: str
    world: World
    n_judgments: int
    cluster: str = "auto"
    same_taste: bool = False


def _world(
    *,
    prompts: int,
    models: int = 12,
    taste: float = 0.4,
    decisiveness: float = 1.5,
    prompt_sd: float = 0.4,
    own_prompt_sd: float = 0.3,
    slope_sd: float = 0.3,
    annotator_sd: float = 0.0,
    pair_spread: float = 0.0,
    largest: float = 0.0,
) -> World:
    """People and one judge over the same pairs; half of the prompt effects are shared."""
    rng = np.random.default_rng(20)
    strength = 0.6 * rng.standard_normal(models)
    own = strength + taste * rng.standard_normal(models)
    factors = (Factor("words"), Factor("lists"))
    weights = np.array([[0.3, -0.2]])
    people = Judge(
        "people",
        "human",
        strengths=strength - strength.mean(),
        weights=weights,
        tie=0.3,
        prompt_sd=own_prompt_sd,
        annotators=60,
        annotator_sd=annotator_sd,
        votes=2,
    )
    judge = Judge(
        "judge",
        "llm",
        strengths=own - own.mean(),
        weights=weights,
        tie=0.1,
        decisiveness=decisiveness,
        prompt_sd=own_prompt_sd,
    )
    return World(
        models=tuple(f"model-{k:02d}" for k in range(models)),
        judges=(people, judge),
        factors=factors,
        model_factor=0.4 * rng.standard_normal((models, 2)),
        pair_share=uneven_pairs(models, rng, pair_spread),
        prompts=prompts,
        prompt_sd=prompt_sd,
        prompt_slope_sd=slope_sd,
        largest_prompt=largest,
    )


@cache
def settings() -> tuple[Setting, ...]:
    """The worlds that are looked at, headline first."""
    alike = partial(_world, taste=0.0)
    return (
        Setting("200 prompts", _world(prompts=200), 6000),
        Setting("13 prompts", _world(prompts=13), 6000),
        Setting("unequal prompts, uneven pairs", _world(prompts=200, largest=0.2, pair_spread=1.0), 6000),
        Setting("annotators", _world(prompts=150, annotator_sd=0.4), 6000, "prompt+annotator"),
        Setting("same taste, 500 prompts", alike(prompts=500, decisiveness=1.0), 9000, same_taste=True),
        Setting("same taste, 13 prompts", alike(prompts=13, decisiveness=1.0), 6000, same_taste=True),
        Setting("twice as decisive, 500 prompts", alike(prompts=500, decisiveness=2.0), 9000, same_taste=True),
        Setting("twice as decisive, 13 prompts", alike(prompts=13, decisiveness=2.0), 6000, same_taste=True),
    )


@dataclass(frozen=True)
class PseudoTrue:
    """What intervals should hold: strengths of reference and judge, (n_models,) each, and their gap."""

    reference: Floats
    judge: Floats

    @property
    def all(self) -> Floats:
        """(3 * n_models,) reference, judge, gap."""
        return np.concatenate([self.reference, self.judge, self.judge - self.reference])


def pseudo_true(world: World) -> PseudoTrue:
    """Bradley-Terry fitted to the exact expected outcomes, integrated over prompts and annotators."""
    exact = expected(world)
    n = len(world.models)
    a, b = np.triu_indices(n, 1)
    found = []
    for judge in world.judges:
        wins = exact.wins(judge.name)
        weight = wins[a, b] + wins[b, a]
        counts = PairCounts(n, a, b, None, weight, wins[a, b], np.ones(len(a), dtype=np.int64))
        strength = newton(counts, np.zeros(n)).parameters
        found.append(strength - strength.mean())
    return PseudoTrue(*found)


@dataclass(frozen=True)
class Run:
    """One data set: which intervals held, or why it was refused.

    held, naive : (3 * n_models,) of reference, judge, gap; NaN for models left out
    error : (3 * n_models,) estimate - pseudo-true value
    flagged : any scaled gap with q < .05; raw_flagged : any plain gap
    """

    held: Floats
    naive: Floats
    error: Floats
    flagged: bool = False
    raw_flagged: bool = False
    scaled: bool = False
    refused: str | None = None


def simulate_run(setting: Setting, truth: PseudoTrue, seed: int) -> Run:
    """Draw one data set and hold every interval against the pseudo-true value."""
    n = len(setting.world.models)
    nothing = np.full(3 * n, np.nan)
    reference, judge = draw_judges(setting, np.random.default_rng((77, seed)))
    clustering = choose_clustering(setting.cluster, setting.world.prompts)
    try:
        found = compare_strengths(reference, judge, clustering, np.random.default_rng(seed), replicates=0)
    except JurylensError as refusal:
        return Run(nothing, nothing, nothing, refused=f"{type(refusal).__name__}: {refusal}")
    pair = [reference.among(found.gaps.names), judge.among(found.gaps.names)]
    naive = strength_covariance([found.reference, found.judge], pair, choose_clustering("none", 0))
    kept = [setting.world.models.index(name) for name in found.gaps.names]
    place = np.concatenate([np.array(kept) + k * n for k in range(3)])
    target = _recentred(truth, kept)
    held, by_naive, error = (nothing.copy() for _ in range(3))
    estimate, half = _half_widths(found.gaps.joint)
    _, naive_half = _half_widths(naive)
    error[place] = estimate - target
    held[place] = np.abs(error[place]) <= half
    by_naive[place] = np.abs(error[place]) <= naive_half
    return Run(held, by_naive, error, *_flags(found))


def draw_judges(setting: Setting, rng: np.random.Generator) -> tuple[Cells, Cells]:
    """The cells of reference and judge in one data set."""
    drawn = draw_cells(setting.world, rng, setting.n_judgments)
    parts = []
    for judge in (0, 1):
        rows = drawn.take((drawn.judge == judge) & (drawn.outcome != NONE))
        ones = np.ones(len(rows))
        clusters = {"prompt": rows.prompt, "pair": rows.pair, "annotator": rows.annotator}
        columns = (rows.model_a, rows.model_b, ones, rows.y, ones.astype(np.int64))
        parts.append(Cells(setting.world.models, *columns, clusters=clusters))
    return parts[0], parts[1]


def _recentred(truth: PseudoTrue, kept: Sequence[int]) -> Floats:
    some = [strength[list(kept)] - strength[list(kept)].mean() for strength in (truth.reference, truth.judge)]
    return PseudoTrue(*some).all


def _half_widths(joint: Covariance) -> tuple[Floats, Floats]:
    n = len(joint.estimate) // 2
    contrast = np.vstack([np.eye(2 * n), np.hstack([-np.eye(n), np.eye(n)])])
    both = joint.of(lambda w: w @ contrast.T, contrast)
    return both.estimate, both.quantiles.two_sided() * both.se


def _flags(found: Comparison) -> tuple[bool, bool, bool]:
    table = found.gaps.table()
    scaled = bool((table["scaled_q"].fillna(1.0) < 0.05).any())
    return scaled, bool((table["q"].fillna(1.0) < 0.05).any()), found.gaps.scale is not None


@dataclass(frozen=True)
class Coverage:
    """What many runs of one world show; shares of the runs that were not refused.

    pooled, naive : coverage of strengths and of gaps, over all parameters; each : (3 * n_models,)
    """

    name: str
    runs: int
    refused: tuple[str, ...]
    left_out: float
    pooled_strengths: float
    pooled_gaps: float
    naive_strengths: float
    naive_gaps: float
    each: Floats
    bias: float
    flagged: float
    raw_flagged: float
    not_scaled: float

    @property
    def pooled(self) -> float:
        """Coverage over all strengths and gaps."""
        return float(np.mean(self.each))


def summarise(name: str, runs: Sequence[Run]) -> Coverage:
    """Shares over runs; models left out of a run do not count in it."""
    done = [run for run in runs if run.refused is None]
    if not done:
        raise RuntimeError(f"{name}: every run was refused: {runs[0].refused}")
    held, naive = np.array([run.held for run in done]), np.array([run.naive for run in done])
    error = np.array([run.error for run in done])
    cut = held.shape[1] * 2 // 3
    return Coverage(
        name=name,
        runs=len(runs),
        refused=tuple(run.refused for run in runs if run.refused is not None),
        left_out=float(np.isnan(held).mean()),
        pooled_strengths=float(np.nanmean(held[:, :cut])),
        pooled_gaps=float(np.nanmean(held[:, cut:])),
        naive_strengths=float(np.nanmean(naive[:, :cut])),
        naive_gaps=float(np.nanmean(naive[:, cut:])),
        each=np.nanmean(held, axis=0),
        bias=float(np.abs(np.nanmean(error, axis=0) / np.nanstd(error, axis=0)).max()),
        flagged=float(np.mean([run.flagged for run in done])),
        raw_flagged=float(np.mean([run.raw_flagged for run in done])),
        not_scaled=float(np.mean([not run.scaled for run in done])),
    )


def run_setting(setting: Setting, runs: int, workers: int = 2) -> Coverage:
    """Simulate `runs` data sets of one world, seeds 0.. ."""
    work = partial(simulate_run, setting, pseudo_true(setting.world))
    return summarise(setting.name, repeat(work, runs, workers))


def broken_promises(setting: Setting, found: Coverage) -> list[str]:
    """Promises that a world breaks; each parameter's range is widened by what its runs leave open."""
    broken = []
    for what, value in (("strengths", found.pooled_strengths), ("gaps", found.pooled_gaps)):
        if not POOLED[0] <= value <= POOLED[1]:
            broken.append(f"{found.name}: pooled coverage of {what} {value:.3f}")
    low, high = found.each.min(), found.each.max()
    if low < EACH[0] or high > EACH[1]:
        broken.append(f"{found.name}: coverage of single parameters from {low:.3f} to {high:.3f}")
    if setting.same_taste and found.flagged > FALSE_FLAGS:
        broken.append(f"{found.name}: false flags in {found.flagged:.3f} of runs")
    return broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--quick", action="store_true", help="40 runs of each world")
    parser.add_argument("--world", action="append", choices=[setting.name for setting in settings()])
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    runs = 40 if chosen.quick else chosen.runs
    print(f"Coverage of 95 % intervals, {runs} runs of each world (naive interval in brackets)\n")
    head = ("world", "strengths", "gaps", "each", "|bias|/sd", "refused", "left out", "flagged", "unscaled")
    layout = "{:<32}{:>16}{:>16}{:>14}{:>11}{:>9}{:>10}{:>15}{:>10}{:>8}"
    print(layout.format(*head, "seconds"))
    broken = []
    for setting in settings():
        if chosen.world and setting.name not in chosen.world:
            continue
        started = time.perf_counter()
        found = run_setting(setting, runs, chosen.workers)
        flags = f"{found.flagged:.3f} [{found.raw_flagged:.3f}]" if setting.same_taste else ""
        cells = (
            setting.name,
            f"{found.pooled_strengths:.3f} [{found.naive_strengths:.3f}]",
            f"{found.pooled_gaps:.3f} [{found.naive_gaps:.3f}]",
            f"{found.each.min():.3f}-{found.each.max():.3f}",
            f"{found.bias:.2f}",
            str(len(found.refused)),
            f"{found.left_out:.4f}",
            flags,
            f"{found.not_scaled:.3f}",
            f"{time.perf_counter() - started:.0f}",
        )
        print(layout.format(*cells), flush=True)
        for reason in sorted(set(found.refused)):
            print(f"    refused: {reason}")
        broken += broken_promises(setting, found)
    print("\nflagged: runs in which any scaled gap has q < .05 [any plain gap]; unscaled: no scale was offered")
    if not chosen.quick:
        for sentence in broken:
            print(f"BROKEN  {sentence}")
    return 1 if broken and not chosen.quick else 0


if __name__ == "__main__":
    sys.exit(main())
