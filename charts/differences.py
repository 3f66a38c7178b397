"""Which models differ most between two judges, and which of that is beyond noise?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from charts import words
from charts.rows import numbers

BEYOND = 0.05
"""A difference is drawn as beyond noise when its q (Benjamini-Hochberg) is below this."""

PARTS = ("strength", "lower", "upper")


@dataclass(frozen=True)
class Differences:
    """Rows of a comparison of two judges, the clearest differences first, all arrays (rows,).

    value, lower, upper, q : judge minus reference in log-odds, net of decisiveness when `scaled`
    strength_ref, strength_judge : with lower_* and upper_*, NaN where not known
    rank_ref, rank_judge : 1 is best; equals share a rank; NaN without strength
    tied_ref, tied_judge : whether another row has the same rank
    beyond : q < BEYOND; hidden : rows left out because fewer were asked for
    n_beyond : of all rows, the hidden ones too
    """

    models: tuple[str, ...]
    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    q: np.ndarray
    strength_ref: np.ndarray
    lower_ref: np.ndarray
    upper_ref: np.ndarray
    strength_judge: np.ndarray
    lower_judge: np.ndarray
    upper_judge: np.ndarray
    rank_ref: np.ndarray
    rank_judge: np.ndarray
    tied_ref: np.ndarray
    tied_judge: np.ndarray
    beyond: np.ndarray
    scaled: bool
    hidden: int
    n_beyond: int

    def __len__(self) -> int:
        return len(self.models)

    def order(self, rows: np.ndarray) -> Differences:
        """The same with its rows in another order."""
        moved = {
            name: tuple(value[k] for k in rows) if name == "models" else value[rows]
            for name, value in vars(self).items()
            if isinstance(value, (tuple, np.ndarray))
        }
        return Differences(**{**vars(self), **moved})

    def hover(self, row: int, reference: str, judge: str) -> str:
        """What one model's marks say: its strengths with intervals and ranks, and the difference."""
        lines = []
        for name, end in ((reference, "ref"), (judge, "judge")):
            strength, rank = getattr(self, f"strength_{end}")[row], getattr(self, f"rank_{end}")[row]
            if np.isfinite(strength):
                lower, upper = getattr(self, f"lower_{end}")[row], getattr(self, f"upper_{end}")[row]
                place = f"rank {rank:.0f}, " if np.isfinite(rank) else ""
                lines.append(f"{name}: {place}strength {words.estimate(strength, lower, upper)}")
            else:
                lines.append(f"{name}: no strength")
        if np.isfinite(self.value[row]):
            kind = "net of decisiveness" if self.scaled else "raw"
            line = f"difference, {kind}: {words.estimate(self.value[row], self.lower[row], self.upper[row])}"
            q = words.p_value(self.q[row])
            lines.append(line + (f", q {q if q.startswith('<') else '= ' + q}" if q else ""))
        return "<br>".join(lines)


def find_differences(
    models: pd.DataFrame, reference: str, judge: str, most: int | None, ranking: pd.DataFrame | None = None
) -> Differences:
    """Rows of `compare`'s table `models` that belong to `judge`, the `most` clearest differences of them.

    Sorted by beyond noise or not, then by size. Net of decisiveness when the table has that for any model
    (else the raw gap). Intervals of the strengths come from the table's lower_ref, upper_ref, lower_judge
    and upper_judge, or else from `ranking` (judge, model, strength, lower, upper), whose strengths then
    replace the table's, so that an interval always belongs to its mark.
    """
    if "judge" in models.columns:
        models = models[models["judge"] == judge]
    names = [str(name) for name in models["model"]] if "model" in models.columns else []
    scaled = bool(np.isfinite(numbers(models, "gap_scaled")).any())
    columns = ("gap_scaled", "scaled_lower", "scaled_upper", "scaled_q") if scaled else ("gap", "lower", "upper", "q")
    value, lower, upper, q = (numbers(models, column) for column in columns)
    own = {f"{part}_{end}": numbers(models, f"{part}_{end}") for end in ("ref", "judge") for part in PARTS}
    ranks = {end: _ranks(own[f"strength_{end}"]) for end in ("ref", "judge")}
    if ranking is not None:
        for end, name in (("ref", reference), ("judge", judge)):
            if not np.isfinite(own[f"lower_{end}"]).any():
                own |= _from_ranking(ranking, name, names, end, own)
    beyond = q < BEYOND
    size = np.where(np.isfinite(value), np.abs(value), -1.0)
    rows = np.lexsort((np.array(names, dtype=str), -size, ~beyond))
    kept = rows if most is None else rows[: max(most, 1)]
    everything = Differences(
        models=tuple(names), value=value, lower=lower, upper=upper, q=q, **own,
        rank_ref=ranks["ref"], rank_judge=ranks["judge"],
        tied_ref=_tied(ranks["ref"]), tied_judge=_tied(ranks["judge"]),
        beyond=beyond, scaled=scaled, hidden=len(rows) - len(kept), n_beyond=int(beyond.sum()),
    )  # fmt: skip
    return everything.order(kept)


def _from_ranking(
    ranking: pd.DataFrame, judge: str, names: list[str], end: str, own: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    rows = ranking[ranking["judge"] == judge] if "judge" in ranking.columns else ranking
    if rows.empty:
        return {}
    by_model = rows.assign(model=rows["model"].astype(str)).drop_duplicates("model").set_index("model").reindex(names)
    found = {f"{part}_{end}": numbers(by_model, part) for part in PARTS}
    # A model that the ranking does not hold keeps the comparison's strength, without interval.
    strength = f"strength_{end}"
    return found | {strength: np.where(np.isfinite(found[strength]), found[strength], own[strength])}


def _ranks(strength: np.ndarray) -> np.ndarray:
    # What differs by the optimiser's rounding alone is a tie.
    return pd.Series(np.round(-strength, 9)).rank(method="min").to_numpy()


def _tied(ranks: np.ndarray) -> np.ndarray:
    again: np.ndarray = pd.Series(ranks).duplicated(keep=False).to_numpy() & np.isfinite(ranks)
    return again


def true_strengths(truth: pd.DataFrame | None, judge: str, models: tuple[str, ...]) -> np.ndarray:
    """(models,) pseudo-true strengths of a simulated dataset under one judge, NaN where not known.

    truth : judge, name, pseudo_true, and as available kind (only "strength" is read) and scenario (only rows without)
    """
    if truth is None or truth.empty or "pseudo_true" not in truth.columns:
        return np.full(len(models), np.nan)
    rows = truth[truth["judge"] == judge]
    if "kind" in rows.columns:
        rows = rows[rows["kind"] == "strength"]
    if "scenario" in rows.columns:
        rows = rows[rows["scenario"].isna() | (rows["scenario"] == "")]
    values = pd.Series(numbers(rows, "pseudo_true"), index=rows["name"].astype(str).to_numpy())
    return values[~values.index.duplicated()].reindex(list(models)).to_numpy(dtype=float)
