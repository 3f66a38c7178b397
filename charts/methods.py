"""How are the published methods' tables drawn? One look a method, for `charts.judge_rows`."""

from __future__ import annotations

import pandas as pd

from charts import words
from charts.judge_rows import BEYOND, Look

NOISE = f"Filled: beyond noise (q < {words.number(BEYOND)}); hollow: within noise."


def _tau(row: pd.Series) -> str:
    both = f"tau {words.estimate(row['tau'], row['lower'], row['upper'])}"
    tau_b = f"tau-b {words.estimate(row['tau_b'], row['tau_b_lower'], row['tau_b_upper'])}"
    return f"{both}<br>{tau_b}<br>{words.plural(int(row['judgments']), 'judgment')}"


TAU = Look(
    value="tau",
    title="tau (1: always the preferred answer has more of it; −1: always less)",
    note=f"{NOISE} Nothing is held equal.",
    alt="How far the verdicts of {judges} go along with {things}.",
    hover=_tau,
    ends=(-1.04, 1.04),
    empty="No factor has a tau for {judges}.",
)
TAU_B = Look(
    value="tau_b", lower="tau_b_lower", upper="tau_b_upper",
    title="tau-b (1: always the preferred answer has more of it; −1: always less)",
    note=f"{NOISE} Nothing is held equal.",
    alt="How far the verdicts of {judges} go along with {things}, ties taken off.",
    hover=_tau,
    ends=(-1.04, 1.04),
    empty="No factor has a tau-b for {judges}.",
)  # fmt: skip
