"""Where does a judge part from people? Agreement in each scenario, alone and pooled, and whether scenarios differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from analysis.agreement import THIN, Agreement, PairVotes, agree_by_group
from analysis.cluster_sums import alike, numbered
from analysis.multiple import adjust_bh
from analysis.tables import floats
from analysis.vcov import choose_clustering
from charts import words
from data import queries
from data.model import Progress
from data.queries import Catalog
from data.queries.differences import UNNAMED
from data.queries.votes import Votes
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError
from studies.judge_votes import clustered, on_both
from studies.kept import counted_votes, part
from studies.study import Fitted, Result, register


@register
@dataclass(frozen=True)
class ScenarioAgreement(Fitted):
    """How often each judge agrees with the reference in each scenario, raw and pooled over scenarios."""

    command: ClassVar[str] = "scenario-agreement"
    title: ClassVar[str] = "Where judges part"
    clusterings: ClassVar[tuple[str, ...]] = ("auto", "prompt", "pair")
    judges: ClassVar[Any] = "reference"
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "scenario": "scenario", "pooled": "agreement, pooled", "pooled_interval": "interval",
        "agreement": "alone", "interval": "interval ", "comparisons": "comparisons", "pairs": "pairs",
        "prompts": "prompts", "remark": "remark",
    }  # fmt: skip

    def answer(self, store: Store, progress: Progress) -> Result:
        reference, others = self.compared()
        if self.cluster not in self.clusterings:
            raise OptionError(
                f"--cluster {self.cluster}: agreement compares the votes of different people, which hang together by "
                "prompt or by pair"
            )
        with store.reading("looking up names") as con:
            names = queries.catalog(con, self)
        # The page Scenarios asks for it, and so does its matrix of all figures.
        return part(
            store, names, self, lambda: self._agreed(store, names, reference, others, progress),
            lambda: progress(0.0, "counting votes"),
        )  # fmt: skip

    def _agreed(
        self, store: Store, names: Catalog, reference: str, others: Sequence[str], progress: Progress
    ) -> Result:
        progress(0.0, "counting votes")
        with store.reading("counting votes by scenario") as con:
            queries.read_scenarios_of(con, names)
            counted = counted_votes(store, con, names, self)
            fingerprint = queries.fingerprint(con, names, self.judge)
        queries.require_rows(len(counted), "with a verdict")
        scenarios = list(names.scenarios.values())
        found: dict[str, Agreement] = {}
        reasons: dict[str, str] = {}
        tables: list[pd.DataFrame] = []
        tests: list[dict[str, Any]] = []
        unlabelled = 0
        for k, judge in enumerate(others):
            progress(k / len(others), f"comparing {judge} with {reference}")
            pair = _shared(counted.of(names.judges[reference][0]), counted.of(names.judges[judge][0]))
            if pair is None:
                reasons[judge] = f"shares no pair with {reference}"
                continue
            one, two = pair
            labelled = one.scenario != UNNAMED
            unlabelled = max(unlabelled, int((~labelled).sum()))
            if not labelled.any():
                raise EmptySelectionError(
                    f"dataset {names.dataset!r} knows no scenario of the pairs that both have judged: "
                    "import labels of its prompts (import FILE --as labels), or group them (labelings cluster)"
                )
            one, two = one.take(labelled), two.take(labelled)
            group = np.searchsorted(scenarios, one.scenario)
            prompt, prompts = numbered(one.prompt)
            _, first = alike([group, prompt])
            clustering = choose_clustering(self.cluster, prompts)
            held = PairVotes(
                np.column_stack([one.a, one.b, one.tie]), np.column_stack([two.a, two.b, two.tie]),
                one.prompt if clustering.name == "prompt" else one.pair, group,
            )  # fmt: skip
            result = agree_by_group(held, len(scenarios), ties=self.ties != "drop")
            if not result.comparisons.sum():
                reasons[judge] = f"has with {reference} only comparisons with a tie, and ties are left out"
                continue
            found[judge] = result
            table = result.table(self.level)
            table.insert(0, "scenario", list(names.scenarios))
            table.insert(0, "judge", judge)
            table["prompts"] = np.bincount(group[first], minlength=len(scenarios))
            table["remark"] = [_remark(result, at, clustering.name) for at in range(len(scenarios))]
            tables.append(table[table["comparisons"] > 0].sort_values(["pooled", "agreement"], kind="stable"))
            tests.append(
                {
                    "judge": judge, **result.overall_row(self.level), "pairs": len(one), "prompts": prompts,
                    "comparisons": int(result.comparisons.sum()), "scenarios": int((result.comparisons > 0).sum()),
                    "clustering": clustering.name,
                }
            )  # fmt: skip
        if not found:
            raise NotIdentifiedError("; ".join(f"{judge} {reason}" for judge, reason in reasons.items()))
        overall = pd.DataFrame(tests)
        for column in ("tau", "tau_lower", "tau_upper", "p"):
            overall[column] = floats(overall[column].tolist() if column in overall else [None] * len(overall))
        tested = overall["p"].notna().to_numpy()
        q = np.full(len(overall), np.nan)
        q[tested] = adjust_bh(overall["p"][tested].to_numpy(dtype=np.float64))
        overall["q"] = floats(q)
        table = pd.concat(tables, ignore_index=True)
        progress(1.0, "done")
        return Result(
            study=self, tables={"scenarios": table, "judges": overall}, values={},
            settings=self.settings() | {"reference": reference, "clustering": overall["clustering"].iloc[0]},
            warnings=(
                *(f"{judge} {reason}" for judge, reason in reasons.items()), *_warnings(table, overall, unlabelled),
            ),
            caption=self._caption(
                overall, reference, clustered(overall["clustering"], [one.n_clusters.sum() for one in found.values()])
            ), fingerprint=fingerprint,
        )  # fmt: skip

    def _caption(self, judges: pd.DataFrame, reference: str, hang: str) -> str:
        who = ", ".join(
            f"{row['judge']} ({row['comparisons']:,} comparisons on {words.plural(int(row['pairs']), 'pair')})"
            for row in judges.to_dict("records")
        )
        labels = "ties left out" if self.ties == "drop" else "a tie is a label of its own"
        return (
            f"Share of comparisons of {reference}'s votes with those of {who} that have the same label ({labels}); "
            f"{words.percent(self.level)} intervals, {hang}, each scenario by its "
            "own number (below 50: jackknife, t). Pooled: full empirical Bayes of the log-odds over scenarios, "
            "between-scenario sd half-normal(.5); posterior intervals, which hold on average over scenarios. "
            "p: Welch's test of equal agreement in all scenarios; q over judges."
        )


def _shared(one: Votes, two: Votes) -> tuple[Votes, Votes] | None:
    """The rows of both on the pairs that both have judged, in one order."""
    first, second = on_both(one, two)
    return (one.take(first), two.take(second)) if len(first) else None


def _remark(found: Agreement, at: int, way: str) -> str | None:
    """What a reader must know of a scenario's own figure."""
    n = int(found.n_clusters[at])
    if np.isnan(found.se[at]):
        return f"1 {way}" if n == 1 else "all comparisons alike" if found.agreement[at] in (0.0, 1.0) else "no error"
    return f"thin: {words.plural(n, way)}" if n < THIN else None


def _warnings(table: pd.DataFrame, judges: pd.DataFrame, unlabelled: int) -> list[str]:
    said = []
    if unlabelled:
        left = "is" if unlabelled == 1 else "are"
        said.append(f"{words.plural(unlabelled, 'shared pair')} without a scenario {left} left out")
    thin = list(dict.fromkeys(map(str, table.loc[table["remark"].notna(), "scenario"])))
    if thin:
        of = table["scenario"].nunique()
        said.append(
            f"{len(thin)} of {words.plural(of, 'scenario')} say little by themselves (fewer than {THIN} prompts, or "
            f"all comparisons alike): {words.listing(thin, 4)}"
        )
    if (judges["clustering"] == "pair").any():
        said.append("these intervals speak about these prompts only: fewer than 10 are too few to generalise from")
    return said
