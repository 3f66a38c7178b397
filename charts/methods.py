"""How are the published methods' tables drawn? One look a method, for `charts.judge_rows`."""

from __future__ import annotations

import pandas as pd

from charts import words
from charts.judge_rows import BEYOND, Look

NOISE = f"Filled: beyond noise (q < {words.fixed(BEYOND)}); hollow: within noise."


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


def _label(row: pd.Series) -> str:
    strength = f"strength {words.estimate(row['strength'], row['lower'], row['upper'])}"
    return f"{strength}<br>wins {words.share(row['won'])} of {words.plural(int(row['duels']), 'duel')}"


LABELS = Look(
    thing="label", things="labels",
    value="strength",
    title="strength, log-odds (0 = average label)",
    note="Each label against all that the other answer has instead, one by one.",
    alt="How strong {things} are in the eyes of {judges}.",
    hover=_label,
    tested=False,
    empty="No label has a strength for {judges}.",
)


def _amce(row: pd.Series) -> str:
    effect = "the reference level" if bool(row["reference"]) else (
        f"effect {words.estimate(row['amce'], row['lower'], row['upper'])}"
    )
    mean = f"preferred in {words.estimate(row['mean'], row['mean_lower'], row['mean_upper'])}"
    return f"{effect}<br>{mean} of {words.plural(int(row['answers']), 'answer')}"


AMCE = Look(
    thing="label", things="levels",
    value="amce",
    title="more often preferred than with the reference level (.1: in 10 of 100 judgments)",
    note=f"{NOISE} Other factors are held equal; associations, as levels were not assigned at random.",
    alt="By how much {things} change how often {judges} prefer an answer.",
    hover=_amce,
    empty="No level has an effect on {judges}.",
)
MEANS = Look(
    thing="label", things="levels",
    value="mean", lower="mean_lower", upper="mean_upper",
    title="share of the answers with this level that are preferred (.5: as often as not)",
    note=f"{NOISE} Nothing is held equal.",
    alt="How often answers with each of {things} are preferred by {judges}.",
    hover=_amce,
    zero=0.5,
    empty="No level has a mean for {judges}.",
)


def _cpm(row: pd.Series) -> str:
    fits = words.interval(row["lowest"], row["highest"])
    return f"{words.number(row['share'])} of all weight; without one fold each {fits}"


CPM = Look(
    value="share", lower="lowest", upper="highest",
    title="part in the sum of all weights, by sign (0 = no part in the prediction)",
    note="Lines: from the lowest to the highest without one fold of prompts each; no intervals.",
    alt="Weights of {things} that predict the verdicts of {judges}.",
    hover=_cpm,
    tested=False,
    empty="No factor helps to predict the verdicts of {judges}.",
)


def _lasso(row: pd.Series) -> str:
    return (
        f"coefficient {words.number(row['coefficient'], 3)}<br>kept in {words.share(row['selected'])} of "
        "the draws of prompts"
    )


LASSO = Look(
    value="coefficient", lower="lowest", upper="highest",
    title="change for one unit more of it (0 = not kept)",
    note="Filled: kept in 80 % or more of the draws of prompts; hollow: in fewer. Shrunk towards 0; no intervals.",
    alt="What {things} change, by Lasso, for {judges}.",
    hover=_lasso,
    empty="The penalty leaves no factor for {judges}.",
)
