"""Which verdicts on which criteria does a selection hold, judge by judge?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.criteria import Answers, Overall, answers
from charts import words
from data import queries
from data.queries import Catalog
from data.queries.criteria import criteria_met, of_all_criteria, said_of_criteria, said_of_one
from data.queries.votes import Column, Votes, votes
from data.store import Store
from errors import EmptySelectionError, OptionError
from studies.factor_data import KNOWN_ORDER
from studies.study import Fitted


@dataclass(frozen=True)
class Asked:
    """What the judges of a selection were asked, and what they said.

    overall : the criterion that the others are held against; criteria : those others that some judge was asked
    met : judge, criterion, judgments, pairs, prompts, tied; votes : by criterion, the overall one among them
    said, overall_rows : as `data.queries.criteria` has them, with ties as the study takes them
    """

    names: Catalog
    overall: str
    criteria: tuple[str, ...]
    met: pd.DataFrame
    votes: dict[str, Votes]
    said: dict[str, Column]
    overall_rows: dict[str, Column]
    fingerprint: str

    def asked(self, judge: str) -> tuple[str, ...]:
        """The criteria beside the overall one that a judge was asked."""
        mine = set(self.met.loc[self.met["judge"] == judge, "criterion"])
        return tuple(name for name in self.criteria if name in mine)

    def answers(self, judge: str) -> Answers:
        """Of every criterion that the judge was asked, the overall one first where it was."""
        mine = self.said["judge_id"] == self.names.judges[judge][0]
        said = {name: column[mine] for name, column in self.said.items()}
        known = (*((self.overall,) if (said["criterion"] == self._id(self.overall)).any() else ()), *self.asked(judge))
        return answers(known, said, [self._id(name) for name in known])

    def _id(self, criterion: str) -> int:
        return self.names.criteria.get(criterion, -1)

    def overall_of(self, judge: str) -> Overall:
        """Its overall verdicts; with the shown order where it is known and does not decide every one of them."""
        mine = self.overall_rows["judge_id"] == self.names.judges[judge][0]
        rows = {name: column[mine] for name, column in self.overall_rows.items()}
        shown, n = rows["shown"].astype(np.float64), rows["n"]
        toward = np.sign(shown * np.sign(rows["score"] / np.maximum(rows["weight"], 1e-300) - 0.5))
        sides = set(np.unique(toward[toward != 0]).tolist())
        known = float(n[shown != 0].sum()) >= KNOWN_ORDER * float(n.sum())
        clusters = {"pair": rows["pair"].astype(np.int64), "prompt": rows["prompt"].astype(np.int64)}
        return Overall(
            clusters["pair"], rows["voter"].astype(np.int64), rows["weight"].astype(np.float64),
            rows["score"].astype(np.float64), n.astype(np.int64), shown if known and len(sides) > 1 else None, clusters,
        )  # fmt: skip


def fetch(study: Fitted, store: Store) -> Asked:
    """Raises EmptySelectionError where nothing was asked but one question, OptionError for clusters of annotators."""
    if study.cluster not in study.clusterings:
        raise OptionError(
            f"--cluster {study.cluster}: verdicts on several criteria are compared pair by pair, which hang together "
            "by prompt or by pair"
        )
    with store.reading("reading criteria") as con:
        names = queries.catalog(con, study)
        overall = str(study.criterion)
        condition = of_all_criteria(study, names)
        met = _named(criteria_met(con, condition), names, study.judge)
        asked = [name for name in names.criteria if name in set(met["criterion"])]
        others = tuple(sorted(name for name in asked if name != overall))
        if not others:
            raise EmptySelectionError(_alone(names, asked, study.judge))
        counted = {
            name: votes(con, names, queries.where(replace(study, criterion=name), names, ranked=False))
            for name in (*((overall,) if overall in asked else ()), *others)
        }
        said = said_of_criteria(con, condition)
        rows = said_of_one(con, queries.where(study, names, study.ties, ranked=False))
        fingerprint = queries.fingerprint(con, names, study.judge)
    return Asked(names, overall, others, met, counted, said, rows, fingerprint)


def _named(met: pd.DataFrame, names: Catalog, judges: tuple[str, ...]) -> pd.DataFrame:
    """With names instead of ids, the judges and criteria in the order of the selection and of the file."""
    judge = {names.judges[one][0]: one for one in judges}
    criterion = {number: name for name, number in names.criteria.items()}
    out = met.assign(judge=met["judge_id"].map(judge), criterion=met["criterion"].map(criterion))
    order = {one: k for k, one in enumerate(judges)}
    out["at"] = out["judge"].map(order)
    return out.sort_values("at", kind="stable").drop(columns=["at", "judge_id"]).reset_index(drop=True)


def _alone(names: Catalog, asked: list[str], judges: tuple[str, ...]) -> str:
    everybody = len(judges) == len(names.judges)
    who = f"dataset {names.dataset!r}" if everybody else f"what {words.listing(list(judges), 5)} said"
    what = f"one criterion only ({asked[0]!r})" if asked else "no verdict"
    return (
        f"{who} has {what}: import verdicts with a column `criterion` that says what was asked in each row, such as "
        "overall, correct or clear"
    )


def dense(*codes: Any) -> list[Any]:
    """Codes as numbers from 0 that mean the same in each of the arrays."""
    whole = np.unique(np.concatenate(codes)) if codes else np.empty(0)
    return [np.searchsorted(whole, one) for one in codes]
