"""May a judge take the place of an annotator? The alternative-annotator test of every judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from analysis.alt_test import FALSE_DISCOVERY, FEW_ITEMS, AltTest, Annotations, run_alt_test
from analysis.tables import booleans, floats, integers
from analysis.vcov import Clustering, choose_clustering
from charts import words
from data import queries
from data.model import Progress, option
from data.queries import Catalog
from data.queries.annotations import UNNAMED, Said, said_by_annotator
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError
from studies.judge_votes import clustered, hang_together
from studies.refused import nobody, sentences
from studies.study import Fitted, Result, register


@register
@dataclass(frozen=True)
class AltTestStudy(Fitted):
    """Is a judge as good as each annotator, left out in turn, at saying what the other annotators say?"""

    command: ClassVar[str] = "alt-test"
    title: ClassVar[str] = "May a judge take an annotator's place?"
    clusterings: ClassVar[tuple[str, ...]] = ("auto", "prompt", "pair")
    judges: ClassVar[Literal["any", "reference"]] = "reference"
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "advantage_probability": "as good or better", "interval": "interval",
        "winning_rate": "annotators won", "passed": "passed", "annotators": "annotators", "items": "pairs",
    }  # fmt: skip

    epsilon: float = option(
        0.2, "what the judge's lower cost is worth: .2 against experts, .15 against skilled annotators, .1 against "
        "crowd workers", label="Allowance for cost",
    )  # fmt: skip
    score: str = option(
        "accuracy", "how a verdict is scored against the other annotators: share of equal labels, or minus the root "
        "mean squared difference of preferences", label="Score", choices=("accuracy", "rmse"), advanced=True,
    )  # fmt: skip

    def default_judges(self, names: Catalog) -> tuple[str, ...]:
        """All people first: each is a source of annotators."""
        return (*names.humans, *(j for j in names.judges if j not in names.humans))

    def answer(self, store: Store, progress: Progress) -> Result:
        self.compared()
        if not 0 <= self.epsilon < 1:
            raise OptionError(
                f"--epsilon {self.epsilon:g}: a share from 0 up to but not 1; .2 is usual against experts"
            )
        if self.cluster not in self.clusterings:
            raise OptionError(
                f"--cluster {self.cluster}: here several annotators judge the same pairs, which hang together by "
                "prompt or by pair"
            )
        progress(0.0, "reading what each annotator said")
        with store.reading("reading what each annotator said") as con:
            names = queries.catalog(con, self)
            said = said_by_annotator(con, queries.where(self, names, ranked=False))
            who = queries.annotator_names(con, names)
            fingerprint = queries.fingerprint(con, names, self.judge)
        queries.require_rows(len(said), "with a verdict")
        humans = [judge for judge in self.judge if judge in names.humans]
        others = [judge for judge in self.judge if judge not in names.humans]
        if not humans or not others:
            have = words.quoted(self.judge, 5)
            lacking = "are no people: name them" if not humans else "is no judge to test: name one"
            raise EmptySelectionError(
                f"alt-test holds judges against people, and among {have} there {lacking} with --judge"
            )
        if self.ties == "drop":
            said = said.take(said.p_a != 0.5)
        pairs, at = np.unique(said.pair, return_inverse=True)
        people, labels, warnings = _people(said, at, names, humans, who)
        prompt = np.zeros(len(pairs), dtype=np.int64)
        prompt[at] = said.prompt
        found: dict[str, AltTest] = {}
        reasons: dict[str, str] = {}
        hang: dict[str, Clustering] = {}
        for k, judge in enumerate(others):
            progress(k / len(others), f"testing {judge}")
            value = _judge(said, at, names.judges[judge][0], len(pairs))
            here = np.unique(prompt[people.item[~np.isnan(value[people.item])]])
            clustering = choose_clustering(self.cluster, len(here))
            cluster = prompt if clustering.name == "prompt" else np.arange(len(pairs))
            try:
                one = run_alt_test(
                    people, value, cluster, clustering, epsilon=self.epsilon,
                    score="rmse" if self.score == "rmse" else "accuracy",
                )  # fmt: skip
                found[judge], hang[judge] = one, clustering
            except NotIdentifiedError as error:
                reasons[judge] = str(error)
        if not found:
            raise nobody(reasons)
        progress(1.0, "done")
        annotators = _annotators(found, labels, self.level)
        left_out = _left_out(found, labels)
        warnings = [*sentences(reasons), *warnings, *self._warnings(found, labels, left_out), *_said(hang)]
        warnings += self._soft(found, said, names)
        judges = _judges(found, hang, self.level)
        clusters = clustered(judges["clustering"], judges["clusters"])
        together = hang_together(one.name for one in hang.values())
        return Result(
            study=self,
            tables={"judges": judges, "annotators": annotators, "left_out": left_out},
            values={},
            settings=self.settings() | {
                "people": humans, "clustering": together, "false_discovery": FALSE_DISCOVERY,
                "few_items": FEW_ITEMS,
            },
            warnings=tuple(dict.fromkeys(warnings)), caption=self._caption(found, humans, clusters),
            fingerprint=fingerprint,
        )  # fmt: skip

    def _caption(self, found: Mapping[str, AltTest], humans: list[str], hang: str) -> str:
        most = max(len(one.annotator) for one in found.values())
        pairs = max(one.n_different for one in found.values())
        score = "share of equal labels" if self.score == "accuracy" else "minus the root mean squared difference"
        a_tie = "a tie is a label of its own" if self.score == "accuracy" else "a tie is a preference of .5"
        ties = "tie verdicts left out" if self.ties == "drop" else a_tie
        return (
            f"Alternative-annotator test (Calderon, Reichart and Dror 2025) against {words.plural(most, 'annotator')} "
            f"of {words.listing(humans)} on up to {words.plural(pairs, 'pair')}, {score}, {ties}. As good or better: "
            "mean over annotators of the share of pairs on which the judge scores no less than the annotator left out, "
            f"with a {words.percent(self.level)} interval, {hang}. Annotators won: one-sided "
            f"t-tests of independent pairs against {self.epsilon:g}, Benjamini-Yekutieli at {FALSE_DISCOVERY:g}; "
            "passed from half of them on."
        )

    def _warnings(self, found: Mapping[str, AltTest], labels: list[str], left_out: pd.DataFrame) -> list[str]:
        out = []
        if len(left_out):
            some = list(dict.fromkeys(map(str, left_out["annotator"])))
            out.append(
                f"{words.plural(len(some), 'annotator')} left out with fewer than {FEW_ITEMS} pairs that the judge and "
                f"another annotator have judged too: {words.listing(some)}"
            )
        if any(len(one.annotator) < 3 for one in found.values()):
            out.append(
                "with fewer than three annotators the test asks whom the judge resembles more, not what people agree on"
            )
        doubted = [
            f"{judge} over {labels[code]!r}" for judge, one in found.items() for code in one.annotator[one.doubted]
        ]
        if doubted:
            out.append(
                "the test takes pairs as independent, and some share a prompt: with errors clustered by prompt these "
                f"would not be won: {words.listing(doubted)}"
            )
        return out

    def _soft(self, found: Mapping[str, AltTest], said: Said, names: Catalog) -> list[str]:
        """Judges whose preferences are softer than labels, where these are what counts."""
        soft = ~np.isin(said.p_a, (0.0, 0.5, 1.0)) & (said.judgments == 1)
        judges = [judge for judge in found if soft[said.judge_id == names.judges[judge][0]].any()]
        if not judges or self.score != "accuracy":
            return []
        return [f"soft preferences of {words.listing(judges)} count as labels here: --score rmse keeps them"]


def _people(
    said: Said, at: np.ndarray, names: Catalog, humans: list[str], who: Mapping[int, str]
) -> tuple[Annotations, list[str], list[str]]:
    """What annotators said, their names by code, and warnings.

    Verdicts of nameless people are left out, unless a judge has no named annotators and one nameless verdict a pair:
    that is one person with a column of their own.
    """
    items: list[np.ndarray] = []
    codes: list[np.ndarray] = []
    values: list[np.ndarray] = []
    labels: list[str] = []
    warnings: list[str] = []
    for judge in humans:
        mine = np.flatnonzero(said.judge_id == names.judges[judge][0])
        nameless = mine[said.annotator[mine] == UNNAMED]
        named = mine[said.annotator[mine] != UNNAMED]
        if len(nameless) and not len(named) and (said.judgments[nameless] == 1).all():
            groups = [(judge, nameless)]
        else:
            if len(nameless):
                n = int(said.judgments[nameless].sum())
                warnings.append(f"{words.plural(n, 'verdict')} of {judge} without a named annotator left out")
            ids = np.unique(said.annotator[named])
            one = len(humans) == 1
            groups = [
                (who[int(i)] if one else f"{judge}: {who[int(i)]}", named[said.annotator[named] == i]) for i in ids
            ]
        for label, rows in groups:
            items.append(at[rows])
            codes.append(np.full(len(rows), len(labels), dtype=np.int64))
            values.append(said.p_a[rows])
            labels.append(label)
    if len(labels) < 2:
        have = f"only {labels[0]!r}" if labels else "none"
        raise NotIdentifiedError(
            f"the test leaves out one annotator after the other and needs at least two who are named; there is {have}: "
            "import people's verdicts with a column annotator, or a column for each of them"
        )
    return Annotations(np.concatenate(items), np.concatenate(codes), np.concatenate(values)), labels, warnings


def _judge(said: Said, at: np.ndarray, judge_id: int, n: int) -> np.ndarray:
    """(n,) p_a of one judge on each pair, over its runs; NaN where it has none."""
    mine = said.judge_id == judge_id
    times = np.bincount(at[mine], minlength=n)
    total = np.bincount(at[mine], said.p_a[mine], n)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.round(total / times, 9))


def _said(hang: Mapping[str, Clustering]) -> list[str]:
    return [one.warning for one in hang.values() if one.warning is not None]


def _judges(found: Mapping[str, AltTest], hang: Mapping[str, Clustering], level: float) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for judge, one in found.items():
        lower, upper = one.interval(level)
        rows.append(
            {
                "judge": judge, "advantage_probability": one.advantage_probability, "lower": lower, "upper": upper,
                "winning_rate": one.winning_rate, "passed": one.passed, "won": int(one.won.sum()),
                "annotators": len(one.annotator), "left_out": len(one.left_out), "items": one.n_different,
                "annotations": int(one.n_items.sum()),
                "clusters": one.covariance.n_clusters if one.covariance is not None else 1,
                "clustering": hang[judge].name,
            }
        )  # fmt: skip
    table = pd.DataFrame(rows)
    for column in ("advantage_probability", "lower", "upper", "winning_rate"):
        table[column] = floats(table[column].tolist())
    table["passed"] = booleans(table["passed"].tolist())
    return table.sort_values("advantage_probability", ascending=False, kind="stable", ignore_index=True)


def _annotators(found: Mapping[str, AltTest], labels: list[str], level: float) -> pd.DataFrame:
    parts = []
    for judge, one in found.items():
        part = one.table(level)
        part["annotator"] = [labels[code] for code in one.annotator]
        part.insert(0, "judge", judge)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _left_out(found: Mapping[str, AltTest], labels: list[str]) -> pd.DataFrame:
    rows = [
        (judge, labels[code], int(n)) for judge, one in found.items()
        for code, n in zip(one.left_out, one.left_out_items, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(
        {
            "judge": pd.Series([row[0] for row in rows], dtype="str"),
            "annotator": pd.Series([row[1] for row in rows], dtype="str"),
            "items": integers([row[2] for row in rows]),
        }
    )
