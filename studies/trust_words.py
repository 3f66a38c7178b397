"""How is it said whether weights may be believed? The line at the head of a page, and what to distrust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.collinear import Collinear, Group
from analysis.held_out import ALL, LENGTH, NOTHING, POSITION, HeldOut
from analysis.weight_reliability import SPLITS, SplitHalf
from charts import words
from studies.study import Result

NOISE = 0.5
"""Below this reliability more of the differences between weights is noise than not."""

WHOLE, BASELINES = ALL, (LENGTH, POSITION)
"""Models of what is held out, as the table names them."""


def line(result: Result) -> str:
    """For the head of a page, in grey: how reliable weights are, and how well they predict."""
    judges, held = result.table("judges"), result.table("held_out")
    said = []
    known = judges[judges["reliability"].notna()]
    if len(known):
        rows = zip(known["judge"], known["reliability"], strict=True)
        said.append("reliability of weights: " + _some([f"{judge} {words.number(float(r))}" for judge, r in rows]))
    accuracy = accuracies(held)
    if len(accuracy):
        of = "held-out verdicts" if len(accuracy) == 1 else "{}'s held-out verdicts"
        parts = []
        for judge, row in accuracy.iterrows():
            alone = row.get(LENGTH)
            beside = "" if words.absent(alone) else f" (length alone {words.share(alone)})"
            parts.append(f"{words.share(row[ALL])} of {of.format(judge)}{beside}")
        said.append("predicts " + _some(parts))
    return " · ".join(said)


def accuracies(held: pd.DataFrame) -> pd.DataFrame:
    """One row a judge in the order of the table, one column a model; a model that is absent is missing."""
    if not len(held):
        return pd.DataFrame()
    wide = held.astype({"accuracy": float}).pivot(index="judge", columns="model", values="accuracy")
    return wide.loc[list(dict.fromkeys(held["judge"]))]


def of_weights(halves: Mapping[str, SplitHalf | None]) -> list[str]:
    """Whose weights are mostly noise, and how many splits were lost. halves : by judge"""
    found = {judge: one for judge, one in halves.items() if one is not None}
    unsure = [f"{judge} ({words.number(one.value)})" for judge, one in found.items() if round(one.value, 2) < NOISE]
    lost = [f"{judge} ({one.n_lost})" for judge, one in found.items() if one.n_lost]
    said = []
    if unsure:
        who = words.listing(unsure, 5)
        said.append(f"the weights of {who} are mostly noise: reliability below {words.fixed(NOISE)}")
    if lost:
        said.append(f"some of the {SPLITS} splits give no figure and are left out: {words.listing(lost, 5)}")
    return said


def of_groups(together: Collinear) -> list[str]:
    """Factors that go together."""
    return [f"{named(group)}: their weights are hard to tell apart" for group in together.groups]


def named(group: Group) -> str:
    """A collinear group by its members and how they correlate."""
    ends = list(dict.fromkeys([words.number(group.lowest), words.number(group.highest)]))
    return f"{words.quoted(group.factors, 8)} go together (correlation {' to '.join(ends)} in size)"


def pairs_split(n_prompts: int) -> str:
    """What halves of pairs cannot say."""
    return (
        f"halves are of pairs, not of the {words.plural(n_prompts, 'prompt')}: reliability speaks about these prompts "
        "only, and is too high for others"
    )


def of_held_out(held: HeldOut, level: float, length: str | None) -> list[str]:
    """What to know of one judge's verdicts predicted. length : the factor that is one, where it was chosen"""
    said = []
    if held.way == "pair":
        said.append("there are too few prompts to hold any out; pairs are, so on a new prompt accuracy will be lower")
    if held.why_not is not None:
        said.append(held.why_not)
    if held.n_blind:
        said.append(f"{held.n_blind} of {held.n_folds} folds determine nothing and predict nothing")
    if held.dropped:
        said.append(f"some folds do not determine {words.quoted(held.dropped, 5)} and predict without")
    if LENGTH in held.reasons and length is not None:
        said.append(f"held-out figures have no length-only model: {held.reasons[LENGTH]}")
    table = held.table(level).set_index("model")
    loss = table["log_loss"]
    if float(loss[ALL]) > float(loss[NOTHING]):
        said.append(
            f"on verdicts held out the log-loss of all factors ({words.number(loss[ALL])}) is above that of knowing "
            f"nothing ({words.number(loss[NOTHING])}): too many factors for so few {held.way}s"
        )
    lower = table["gain_lower"]
    beaten = [model for model in BASELINES if model in lower.index and not words.absent(lower[model])
              and float(lower[model]) <= 0]  # fmt: skip
    if beaten:
        alone = words.listing([model.removesuffix(" only") for model in beaten])
        said.append(f"all factors predict verdicts no better, beyond noise, than {alone} alone")
    return said


def _some(parts: Sequence[str], most: int = 3) -> str:
    return ", ".join(parts[:most]) + (f" and {len(parts) - most} more" if len(parts) > most else "")
