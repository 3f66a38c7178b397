"""Does the gap table flag what is not there, and find what is? False discovery, power and equivalence of factor gaps.

    python -m benchmarks.coverage_factor_gaps [--runs 500] [--workers 2] [--world NAME ...]

Twenty factors on 5,000 shared pairs. A row is flagged where scaled_q < .05. Promised: where judge and reference have
the same taste, also with a judge twice as decisive and with weights that vary from prompt to prompt, any flag in at
most 7 % of runs; of the flags raised beside three planted gaps, at most 5 % false; gaps of .3 found in at least 80 %;
a gap as large as the margin declared to be none in at most 7 %. Shares stand in the column `coverage`.

The worlds on published texts are skipped where those do not lie beside the project (../shared/real/llmfao).
"""

from __future__ import annotations

import os

# Two processes share two cores: each with one thread for its small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.gap import EQUIVALENCE_MARGIN
from benchmarks.coverage_factors import find_gap
from benchmarks.factor_worlds import LLMFAO, Taste, World, published
from benchmarks.repeat import repeat, report
from errors import JurylensError

FALSE_FLAGS = (0.0, 0.07)
FALSE_DISCOVERY = (0.0, 0.05)
POWER = (0.8, 1.0)
FACTORS = 20
LEVEL = 0.05
GAP = 0.3
WEIGHTS = (0.3, 0.15, -0.2, 0.1, 0.0, 0.25)


def taste(k: int = FACTORS) -> Taste:
    """Of people, and of a judge of the same taste."""
    return Taste(tuple(np.resize(WEIGHTS, k)), slope_sd=0.1)


def other(of: Taste, gap: float, at: Sequence[int] = (1, 7, 12)) -> Taste:
    """The same with gaps in some factors, that of the second the other way."""
    weights = np.array(of.weights)
    for n, k in enumerate(at):
        weights[k] += gap * (-1) ** n
    return replace(of, weights=tuple(weights))


def worlds() -> tuple[World, ...]:
    """The worlds that are looked at, headline first. The name tells what is planted."""
    same = World("same taste, 500 prompts", taste(), taste(), prompts=500)
    few = replace(same, name="same taste, 13 prompts", prompts=13, pairs=385)

    def twice(of: World) -> World:
        return replace(of, name=of.name.replace("same taste", "twice as decisive"), judge=replace(of.judge, decisive=2))

    def varying(of: World) -> World:
        judge, reference = replace(of.judge, slope_sd=0.4), replace(of.reference, slope_sd=0.4)
        return replace(of, name=f"{of.name}, weights vary by prompt", judge=judge, reference=reference)

    careless = replace(taste(), weights=(0.0,) * FACTORS)
    three = replace(same, name="three gaps of 20, 500 prompts", judge=other(taste(), GAP))
    found = (
        same, twice(same), varying(same), varying(twice(same)),
        twice(replace(same, name="same taste, 60 prompts", prompts=60, pairs=83)),
        few, twice(few), varying(few), varying(twice(few)),
        replace(same, name="nobody cares, 500 prompts", reference=careless, judge=careless),
        three,
        replace(three, name="three gaps of 20, twice as decisive", judge=replace(three.judge, decisive=2)),
        replace(three, name="three gaps of 20, 13 prompts", prompts=13, pairs=385),
        replace(same, name="a gap at the margin", judge=other(taste(), 1.1 * EQUIVALENCE_MARGIN, (7,)), merit_sd=0.0,
                reference=replace(taste(), slope_sd=0.0), prompts=1000, pairs=20),
    )  # fmt: skip
    return found + (texts_worlds() if LLMFAO.is_file() else ())


def texts_worlds() -> tuple[World, ...]:
    """On the factors of LLMFAO's texts: skewed, collinear, some answers empty, 13 prompts."""
    k = len(published().x)
    same = World("published texts, same taste", taste(k), taste(k), prompts=13, texts=True)
    return (
        same,
        replace(same, name="published texts, twice as decisive", judge=replace(same.judge, decisive=2.0)),
        replace(same, name=f"published texts, three gaps of {k}", judge=other(taste(k), GAP)),
    )


def planted(of: World) -> NDArray[np.bool_]:
    """(k,) which factors the two weigh differently."""
    return np.abs(np.array(of.judge.weights) - np.array(of.reference.weights)) > 1e-12


def simulate_run(of: World, seed: int) -> dict[str, float] | str:
    """What one table says, by quantity; or why it was refused."""
    try:
        found = find_gap(of, seed)
    except JurylensError as refusal:
        return f"{type(refusal).__name__}: {refusal}"
    table = found.table().set_index("factor")
    table = table.reindex([f"f{k:02}" for k in range(of.k)])
    is_gap = planted(of)
    flagged = (table["scaled_q"].fillna(1.0) < LEVEL).to_numpy(dtype=bool)
    plain = (table["q"].fillna(1.0) < LEVEL).to_numpy(dtype=bool)
    alike = table["equivalent"].fillna(False).to_numpy(dtype=bool)
    out = {"no scale offered": float(found.gaps.scale is None), "claims of no gap": float(alike[~is_gap].mean())}
    if not is_gap.any():
        return out | {"any flag": float(flagged.any()), "any flag without a scale": float(plain.any())}
    if "margin" in of.name:
        return out | {"claims of no gap at the margin": float(alike[is_gap].mean())}
    out["false discovery"] = float((flagged & ~is_gap).sum() / max(flagged.sum(), 1))
    return out | {"power": float(flagged[is_gap].mean()), "power without a scale": float(plain[is_gap].mean())}


def promises(of: World, quantity: str) -> tuple[float, float] | None:
    """What is promised of a quantity in a world; None: it is told only."""
    if quantity == "any flag":
        return FALSE_FLAGS
    if quantity == "false discovery":
        return FALSE_DISCOVERY
    if quantity == "claims of no gap at the margin":
        return FALSE_FLAGS
    if quantity == "power" and of.prompts >= 100 and of.judge.decisive == 1:
        return POWER
    return None


def run_world(of: World, runs: int, workers: int = 2) -> pd.DataFrame:
    """One row a quantity: world, quantity, coverage (the share), each_low, each_high, runs, promised_low,
    promised_high, refused (runs)."""
    found = repeat(partial(simulate_run, of), runs, workers)
    done = [run for run in found if not isinstance(run, str)]
    if not done:
        raise RuntimeError(f"{of.name}: every run was refused: {found[0]}")
    rows = []
    for name in done[0]:
        share = float(np.mean([run[name] for run in done]))
        low, high = promises(of, name) or (np.nan, np.nan)
        rows.append(
            {
                "world": of.name, "quantity": name, "coverage": share, "each_low": share, "each_high": share,
                "runs": runs, "promised_low": low, "promised_high": high, "refused": len(found) - len(done),
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def measure(runs: int, workers: int, only: Sequence[str] = ()) -> pd.DataFrame:
    """The table of all worlds, or of those named."""
    chosen = [of for of in worlds() if not only or of.name in only]
    return pd.concat([run_world(of, runs, workers) for of in chosen], ignore_index=True)


def broken_promises(table: pd.DataFrame) -> list[str]:
    """What does not hold, in sentences."""
    return [
        f"{row['world']}, {row['quantity']}: {row['coverage']:.3f}"
        for row in table.to_dict("records")
        if row["coverage"] < row["promised_low"] or row["coverage"] > row["promised_high"]
    ]


def main() -> int:
    if not LLMFAO.is_file():
        print("The worlds on published texts are skipped: ../shared/real/llmfao is not beside the project.")
    return report(__doc__, measure, broken_promises, [of.name for of in worlds()])


if __name__ == "__main__":
    sys.exit(main())
