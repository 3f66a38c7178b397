"""Which pairs should a judge judge again, so that the data show what they cannot show yet?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from analysis.judge_again import (
    GUESSING,
    MOST,
    POWER,
    balance,
    least_found,
    pairs_to_find,
    pairs_to_know,
    spread,
)
from analysis.tables import booleans, floats, integers
from charts import words
from data import queries
from data.model import Progress, option
from data.queries import Catalog, designs
from data.queries.again import shown_so_far
from data.queries.audit import in_all_variants
from data.store import Store
from errors import EmptySelectionError, OptionError
from studies.cues import LETTERS, NAMES, ORDER, PURPOSES, REPEAT, insert
from studies.study import Result, Study, register
from studies.work_list import write_list

STEPS = (0.05, 0.1, 0.15, 0.2)
"""Sizes of a bias for which the table says how many pairs find it."""

NOTHING = {
    ORDER: "each of its pairs is judged in both orders already",
    REPEAT: "each of its pairs is judged twice in the same order already",
    NAMES: "no pair of its is judged in both orders without names and not yet with them: list those with "
    "--purpose order first",
}
"""Why no pair is left for a purpose; for a cue see `_none_left`."""

DONE = {ORDER: "in the other order", REPEAT: "in the same order", NAMES: "with the models' names, in both orders",
        LETTERS: "with the letters of the answers exchanged"}  # fmt: skip


@register
@dataclass(frozen=True)
class JudgeAgain(Study):
    """A file of pairs for one judge to judge again: in the other order, once more, or with a cue inserted."""

    command: ClassVar[str] = "judge-again"
    hides: ClassVar[bool] = False
    title: ClassVar[str] = "Which pairs should it judge again?"
    reads_others: ClassVar[bool] = True
    output: ClassVar[str] = "csv"
    shown: ClassVar[Mapping[str, str] | None] = None

    purpose: str = option(
        ORDER, "what the verdicts are to show: order (each pair once more, the other answer first), repeat (the same "
        "again), a cue inserted at one answer, names (models named, both orders), letters (exchanged)",
        label="To show", choices=PURPOSES,
    )  # fmt: skip
    n: int | None = option(None, "how many pairs; left out: as many as find --excess", label="Pairs")
    excess: float = option(
        0.1, "the size of bias to find, as the audit's excess; of repeat the half-width of the share",
        label="Size of bias to find",
    )  # fmt: skip
    blind: bool = option(
        False, "leave the models' names out; its pair_id then says which responses are meant",
        label="Without models' names", advanced=True,
    )  # fmt: skip
    level: float = option(0.95, "1 minus the level of the test", label="Interval level", advanced=True)
    seed: int = option(0, "seed of everything random", label="Seed", advanced=True)

    def resolve(self, store: Store) -> JudgeAgain:
        if not 0.01 <= self.excess <= 0.5:
            raise OptionError(f"--excess {self.excess:g}: a share of the pairs from .01 to .5, such as .1")
        if self.n is not None and not 1 <= self.n <= MOST:
            raise OptionError(f"--n {self.n}: between 1 and {MOST:,} pairs")
        if not 0.5 <= self.level < 1:
            raise OptionError(f"--level {self.level}: a coverage from .5 up to but not 1, usually .95")
        if self.blind and self.purpose == NAMES:
            raise OptionError("--blind: with --purpose names the models' names are what is shown")
        found = super().resolve(store)
        if len(found.judge) > 1:
            raise OptionError(
                "a list is for one judge, who has to be asked again: choose with --judge, one of "
                + words.quoted(found.judge, 6)
            )
        return found

    def answer(self, store: Store, progress: Progress) -> Result:
        judge = self.judge[0]
        progress(0.0, "looking up what was judged")
        with store.reading("judging again: what was judged") as con:
            names = queries.catalog(con, self)
            so_far = shown_so_far(con, in_all_variants(replace(self, judge=(judge,)), names))
            fingerprint = queries.fingerprint(con, names, self.judge)
        queries.require_rows(len(so_far), "with a verdict of this judge")
        kind = names.judges[judge][1]
        unnamed = (so_far["annotator"] < 0).to_numpy() & (kind == "human")
        if not (so_far["variant"] == names.variants.get(self.variant, -1)).any():
            raise EmptySelectionError(
                f"{judge!r} gave no verdict in {self.variant} circumstances, with which those judged again are compared"
            )
        units = self._units(so_far[~unnamed], names)
        if not len(units):
            raise EmptySelectionError(self._none_left(judge, bool(unnamed.all())))
        progress(0.4, "choosing pairs")
        rng = np.random.default_rng(self.seed)
        scenario, prompt = (units[c].to_numpy(dtype=np.int64) for c in ("scenario", "prompt"))
        order = spread(scenario, prompt, rng)
        needed = self._needed(self.excess)
        rows = self._rows(units.iloc[order[: self.n or needed]].reset_index(drop=True), rng)
        with store.reading("judging again: texts") as con:
            queries.read_scenarios_of(con, names)
            texts = designs.written(con, sorted(set(rows[["first", "second"]].to_numpy().ravel().tolist())))
        listed, left_out = write_list(
            {judge: rows}, texts, {judge: kind}, {judge: False}, blind=self.blind,
            criterion=self.criterion or "overall",
            variant=self.variant if self.purpose in (ORDER, REPEAT) else self.purpose,
        )  # fmt: skip
        listed = insert(listed, self.purpose)
        progress(1.0, "done")
        values = self._values(len(units), _asked(listed), needed)
        return Result(
            study=self, tables={"work_list": listed, "plan": self._plan(judge, len(units))}, values=values,
            settings=self.settings(),
            warnings=tuple(self._warnings(rows, listed, values, int(unnamed.sum()), left_out)),
            caption=self._caption(judge, names, values), fingerprint=fingerprint,
        )  # fmt: skip

    # -- which pairs -------------------------------------------------------------------------------------------------

    def _units(self, so_far: pd.DataFrame, names: Catalog) -> pd.DataFrame:
        """Pairs (of an annotator) that could be judged again for this purpose.

        pair, prompt, scenario, response_a, response_b, name, lean (p_a - .5), first, last (whether judged with a, with
        b first), repeat (the highest number)
        """
        plain = so_far[so_far["variant"] == names.variants.get(self.variant, -1)]
        plain = plain.assign(
            first=plain["shown"] == 1, last=plain["shown"] == -1,
            twice=(plain["shown"] != 0) & (plain["n"] > 1), lean=plain["p"] - 0.5,
        )  # fmt: skip
        units = plain.groupby(["pair", "annotator"], as_index=False).agg(
            prompt=("prompt", "first"), scenario=("scenario", "first"), response_a=("response_a", "first"),
            response_b=("response_b", "first"), name=("name", "first"), first=("first", "any"), last=("last", "any"),
            twice=("twice", "any"), repeat=("repeat", "max"), lean=("lean", "mean"),
        )  # fmt: skip
        both = units["first"] & units["last"]
        if self.purpose == ORDER:
            return units[~both]
        if self.purpose == REPEAT:
            return units[~units["twice"]]
        there = so_far.loc[so_far["variant"] == names.variants.get(self.purpose, -2), ["pair", "annotator"]]
        fresh = units[["pair", "annotator"]].merge(there.drop_duplicates(), how="left", indicator=True)["_merge"]
        wanted = (fresh == "left_only").to_numpy() & (both.to_numpy() | (self.purpose != NAMES))
        return units[wanted]

    def _rows(self, units: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """One row a verdict that is asked for: unit, first, second (responses as shown), repeat, cue, annotator."""
        drawn = np.where(rng.random(len(units)) < 0.5, 1, -1)
        known = units["first"].to_numpy() != units["last"].to_numpy()
        usual = np.where(known, np.where(units["first"], 1, -1), drawn)
        unknown = ~(units["first"] | units["last"]).to_numpy()
        at = np.arange(len(units))
        if self.purpose == ORDER:
            # Where it is not known which order was shown, both are asked for.
            parts = [(at, np.where(unknown, drawn, -usual), 0), (at[unknown], -drawn[unknown], 0)]
        elif self.purpose == NAMES:
            parts = [(at, drawn, 0), (at, -drawn, 0)]
        elif self.purpose == REPEAT:
            parts = [(at, usual, 1), (at[unknown], usual[unknown], 2)]
        else:
            parts = [(at, usual, 0)]
        unit = np.concatenate([where for where, _, _ in parts])
        side = np.concatenate([order for _, order, _ in parts])
        again = np.concatenate([np.full(len(where), more) for where, _, more in parts])
        of = units.iloc[unit]
        a, b = of["response_a"].to_numpy(), of["response_b"].to_numpy()
        rows = pd.DataFrame({
            "unit": unit, "first": np.where(side > 0, a, b), "second": np.where(side > 0, b, a),
            "annotator": of["name"].to_numpy(dtype=object),
        })  # fmt: skip
        if self.purpose == REPEAT:
            rows["repeat"] = of["repeat"].to_numpy() + again
        elif self.purpose == LETTERS:
            rows["cue"], rows["instruction"] = "b", ""
        elif self.purpose == NAMES:
            rows["instruction"] = ""
        elif self.purpose != ORDER:
            rows["cue"] = np.where(balance(np.sign(of["lean"].to_numpy() * side), rng) > 0, "a", "b")
            rows["instruction"] = ""
        return rows

    def _none_left(self, judge: str, unnamed: bool) -> str:
        if unnamed:
            return (
                f"the verdicts of {judge!r} name no annotators, so nobody knows whom to ask again: import them with "
                "the column annotator, or choose another judge"
            )
        why = NOTHING.get(self.purpose, f"each of its pairs is judged with {self.purpose} already")
        return f"nothing is left for {judge!r} to judge again: {why}"

    # -- how many ----------------------------------------------------------------------------------------------------

    @property
    def _doubled(self) -> float:
        """How far two kinds of conflict are apart, over the excess: with names two rates are compared."""
        return 1.0 if self.purpose == NAMES else 2.0

    def _needed(self, excess: float) -> int:
        if self.purpose == REPEAT:
            return pairs_to_know(excess, self.level)
        return pairs_to_find(min(self._doubled * excess, 1.0), level=self.level)

    def _values(self, could: int, pairs: int, needed: int) -> dict[str, Any]:
        least = None if self.purpose == REPEAT or pairs >= MOST else least_found(pairs, level=self.level)
        return {
            "pairs": pairs, "could": could, "needed": needed,
            "finds": None if least is None else least / self._doubled,
        }  # fmt: skip

    def _plan(self, judge: str, could: int) -> pd.DataFrame:
        """judge, purpose, excess, pairs (that find it), enough (whether so many can be had); ascending in excess."""
        steps = sorted({*STEPS, self.excess})
        pairs = [self._needed(step) for step in steps]
        return pd.DataFrame({
            "judge": pd.Series([judge] * len(steps), dtype=object),
            "purpose": pd.Series([self.purpose] * len(steps), dtype=object), "excess": floats(steps),
            "pairs": integers(pairs), "enough": booleans([n <= could for n in pairs]),
        })  # fmt: skip

    # -- what is said of it ------------------------------------------------------------------------------------------

    def _warnings(
        self, rows: pd.DataFrame, listed: pd.DataFrame, values: Mapping[str, Any], unnamed: int, left_out: int
    ) -> list[str]:
        out = []
        if values["pairs"] < values["needed"]:
            finds = "" if values["finds"] is None else f"; these find {_points(values['finds'])}"
            what = f"know the share within {_points(self.excess)}" if self.purpose == REPEAT else (
                f"find a bias of {_points(self.excess)}"
            )  # fmt: skip
            out.append(f"{words.plural(values['pairs'], 'pair')} here, and {values['needed']:,} are needed to {what}"
                       f"{finds}")  # fmt: skip
        twice = len(rows) - rows["unit"].nunique()
        if twice and self.purpose in (ORDER, REPEAT):
            both = "both orders are" if self.purpose == ORDER else "two verdicts in one order are"
            out.append(f"of {words.plural(twice, 'pair')} it is not known which answer was shown first: "
                       f"{both} asked for")  # fmt: skip
        if unnamed:
            out.append(f"left out: verdicts on {words.plural(unnamed, 'pair')} that name no annotator to ask again")
        if left_out:
            out.append(f"left out: {words.plural(left_out, 'row')} that cannot be judged blind (equal or missing "
                       "texts)")  # fmt: skip
        columns = [c for c in ("prompt", "response_a", "response_b") if c not in listed or listed[c].isna().any()]
        if columns and len(listed):
            absent = np.zeros(len(listed), dtype=bool)
            for name in columns:
                absent |= listed[name].isna().to_numpy() if name in listed else True
            out.append(f"{words.plural(int(absent.sum()), 'row')} without a text of the prompt or of an answer: show "
                       "the judge your own copy")  # fmt: skip
        return out

    def _caption(self, judge: str, names: Catalog, values: Mapping[str, Any]) -> str:
        done = DONE.get(self.purpose, f"with {self.purpose} inserted at an answer chosen by chance, each side as often")
        if self.purpose == REPEAT:
            why = f"{values['needed']:,} pairs know the share of equal verdicts within {_points(self.excess)}"
        else:
            why = (
                f"{values['needed']:,} pairs find a bias of {_points(self.excess)} with a chance of "
                f"{words.percent(POWER)} (exact test of McNemar at {words.number(1 - self.level)}, pairs independent, "
                f"{words.percent(GUESSING)} conflicts as of a judge that guesses)"
            )
        return (
            f"{words.plural(values['pairs'], 'pair')} of {values['could']:,} of dataset {names.dataset} for {judge} to "
            f"judge again {done}: drawn by scenario, each prompt once before any twice, seed {self.seed}; {why}. "
            f"Filled in, it imports with --dataset {names.dataset}; rows without a winner are left out."
        )


def _points(share: float) -> str:
    """10 points, 7.5 points"""
    size = f"{round(100 * share, 1):g}"
    return f"{size} point" + ("" if size == "1" else "s")


def _asked(listed: pd.DataFrame) -> int:
    """How many pairs (of an annotator) the rows are of, whichever answer comes first."""
    keys = [tuple(sorted(word.split("-")[1:])) for word in listed["pair_id"]]
    who = listed["annotator"] if "annotator" in listed else [None] * len(keys)
    return len(set(zip(keys, who, strict=True)))
