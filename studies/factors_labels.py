"""Which labels of answers win? DecipherPref's strengths of factor labels, judge by judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pandas as pd

from analysis.cells import Ints
from analysis.factor_labels import LabelRanking, hold_labels, rank_labels
from analysis.levels import Levels
from analysis.tables import floats
from charts import words
from data.model import Progress, option
from data.queries.texts import FILE
from data.store import Store
from errors import NotIdentifiedError
from studies.factor_options import Factors
from studies.factor_sides import Sided, by_judge, clustering_of, levels_of, load_sides, plain_only
from studies.factors_fit import left_out
from studies.refused import sentences
from studies.said import once
from studies.study import Result, register

NUMBERS = ("auto", "thirds", "leave-out")


@register
@dataclass(frozen=True)
class FactorsLabels(Factors):
    """Strengths of labels: every label that only the winner has beats every one that only the loser has."""

    command: ClassVar[str] = "factors labels"
    title: ClassVar[str] = "Which labels win"
    models_ties: ClassVar[bool] = False
    # One comparison makes several duels, which are never independent.
    clusterings: ClassVar[tuple[str, ...]] = ("auto", "prompt", "pair", "annotator", "prompt+annotator")
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "label": "label", "rank": "rank", "rank_interval": "rank, interval",
        "strength": "strength of the label", "interval": "its interval", "won": "duels won", "duels": "duels",
    }  # fmt: skip

    numbers: str = option(
        "auto", "numeric factors that are no flags: in thirds of the answers (low, middle, high), or left out; auto "
        "takes thirds where the files delivered no labels and no flags", label="Numbers", choices=NUMBERS,
        advanced=True,
    )  # fmt: skip

    def resolve(self, store: Store) -> Self:
        plain_only(self, "factors labels goes by labels", "position", "interact", "coding")
        return super().resolve(store)

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "joining judgments with the labels of their answers")
        sided = load_sides(store, self, ["annotator"] if "annotator" in self.cluster else [])
        clustering = clustering_of(self, sided)
        delivered = bool(sided.worded) or any(
            source.origin == FILE and source.name in sided.factors and sided.is_flag(source.name)
            for source in sided.sources
        )
        thirds = self.numbers == "thirds" or (self.numbers == "auto" and not delivered)
        levels = levels_of(sided, "thirds" if thirds else "leave-out")
        held = hold_labels(levels)
        if not held.names:
            raise NotIdentifiedError(
                "there are no labels: no factor of words, set of labels or flag was chosen. --numbers thirds makes "
                "labels of numbers"
            )
        said = sided.said.columns

        def ranked(judge: str, mine: Ints, report: Callable[[float], None]) -> LabelRanking:
            report(0.3)
            return rank_labels(
                held, sided.at[mine], said["p_a"][mine], said["weight"][mine], sided.clusters(mine, clustering),
                clustering,
            )  # fmt: skip

        found, reasons = by_judge(self, sided, ranked, progress, "ranking labels by")
        tables = [_with(one.table(self.level), judge) for judge, one in found.items()]
        progress(1.0, "done")
        return Result(
            study=self,
            tables={
                "labels": pd.concat(tables, ignore_index=True),
                "judges": pd.DataFrame([_row(judge, one) for judge, one in found.items()]),
                "levels": level_table(levels),
                "left_out": left_out({judge: one.left_out for judge, one in found.items()}),
            },
            values={},
            settings=self.settings() | {"clustering": clustering.name, "labels": len(held.names)},
            warnings=tuple(dict.fromkeys([
                *sentences(reasons), *sided.warnings, *once({j: _warnings(one) for j, one in found.items()}),
                *self._left(sided, levels),
            ])),
            caption=self._caption(found, sided),
            fingerprint=sided.fingerprint,
        )  # fmt: skip

    def _left(self, sided: Sided, levels: list[Levels]) -> list[str]:
        used = {one.factor for one in levels}
        numbers = [name for name in sided.factors if name not in used]
        said = []
        if numbers:
            said.append(f"numbers are no labels, and {words.quoted(numbers, 6)} took no part; --numbers thirds makes "
                        "labels of them")  # fmt: skip
        if any(one.kind == "thirds" for one in levels):
            said.append("labels of numbers are thirds of the answers, and where the cuts lie is a choice")
        said.append(
            "a label is judged with all that goes along with it: of labels that often stand together each gets credit "
            "for the other, and levels of one factor are held against all others too"
        )
        return said

    def _caption(self, found: Mapping[str, LabelRanking], sided: Sided) -> str:
        methods = sorted({one.ranking.covariance.method for one in found.values()})
        judges = ", ".join(f"{j} ({words.plural(one.comparisons, 'comparison')})" for j, one in found.items())
        most = max(len(one.ranking.fit.models) for one in found.values())
        return (
            f"Bradley-Terry strengths (natural log, mean 0) of {words.plural(most, 'label')} by {judges}; "
            f"{words.plural(sided.n_prompts, 'prompt')}; a label that only the winner has beats each one that only the "
            f"loser has; {words.ties(self.ties)}; {words.percent(self.level)} intervals, {' / '.join(methods)}."
        )


def _with(table: pd.DataFrame, judge: str) -> pd.DataFrame:
    table.insert(0, "judge", judge)
    return table


def _row(judge: str, one: LabelRanking) -> dict[str, Any]:
    return {
        "judge": judge, "comparisons": one.comparisons, "labels": len(one.ranking.fit.models),
        "without_duel": one.silent, "missing": one.missing, "clusters": one.ranking.n_clusters or None,
        "clustering": one.ranking.clustering.name, "intervals": one.ranking.covariance.method,
    }  # fmt: skip


def level_table(levels: list[Levels]) -> pd.DataFrame:
    """What the levels of each factor are: factor, level, label, kind, low, high (of thirds)."""
    rows = [
        (one.factor, name, one.called(k), one.kind, *(one.bounds[k] if one.bounds else (None, None)))
        for one in levels for k, name in enumerate(one.names)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["factor", "level", "label", "kind", "low", "high"])
    return table.assign(low=floats(table["low"]), high=floats(table["high"]))


def _warnings(one: LabelRanking) -> list[str]:
    said = []
    if one.left_out:
        by_cause: dict[str, list[str]] = {}
        for label, why in one.left_out.items():
            by_cause.setdefault(why, []).append(label)
        listed = [f"{words.quoted(labels, 4)} ({why})" for why, labels in list(by_cause.items())[:4]]
        have = "has" if len(one.left_out) == 1 else "have"
        said.append(
            f"{words.plural(len(one.left_out), 'label')} cannot be put on the common scale and {have} no strength: "
            f"{'; '.join(listed)}"
        )
    if one.silent:
        makes = "makes" if one.silent == 1 else "make"
        said.append(
            f"{words.plural(one.silent, 'judgment')} {makes} no duel, as one of the answers has no label that the "
            "other lacks"
        )
    if one.missing:
        lacks = "lacks" if one.missing == 1 else "lack"
        said.append(f"{words.plural(one.missing, 'judgment')} {lacks} a factor of one of the answers")
    return [*said, *one.warnings]
