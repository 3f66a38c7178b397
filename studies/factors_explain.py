"""Why would a judge prefer this answer to that one? Each factor's share in the prediction for one pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from analysis.design import FIRST
from analysis.tables import floats, integers
from charts import words
from data import queries
from data.model import Progress, Selection, option
from data.queries import Catalog, Con, examples, one_pair
from data.queries import texts as texts_queries
from data.queries.one_pair import PairFacts, PairJudgments
from data.queries.texts import PairValues, Source
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError, UnknownNameError
from studies.examples import Examples
from studies.extract import versions
from studies.factor_data import FactorData, fetch
from studies.factor_options import CODINGS, Factors
from studies.factor_predict import Explained, Weighed, coded, weigh
from studies.factors_fit import about_fit, left_out
from studies.refused import nobody, sentences
from studies.study import Result, human_first, register

LOOKED_AT = 50
"""Pairs among which the first that has every factor is explained unless one is asked for."""


@dataclass(frozen=True)
class _Pair:
    """What is known of the pair. said : by judge, its row of `examples.summaries`"""

    facts: PairFacts
    sources: Mapping[str, Source]
    values: PairValues
    judgments: PairJudgments
    said: Mapping[str, Mapping[Any, Any]]


@register
@dataclass(frozen=True)
class FactorsExplain(Factors):
    """One pair explained: what each factor adds to each judge's predicted preference, and what the judge said."""

    command: ClassVar[str] = "factors explain"
    title: ClassVar[str] = "One pair explained"
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "factor": "factor", "a": "in a", "b": "in b", "difference": "difference",
        "weight": "weight", "log_odds": "log-odds", "points": "win points",
    }  # fmt: skip

    pair: int | None = option(
        None, "which pair (its number in this store); left out: the one on which judges disagree most", widget=False
    )

    def default_judges(self, names: Catalog) -> tuple[str, ...]:
        """All judges, the human one first where there is one alone."""
        return human_first(names)

    def resolve(self, store: Store) -> Self:
        if self.interact:
            raise OptionError(
                "--interact: a pair is explained by its factors one by one, so no interaction can be in the models; "
                "leave interactions out"
            )
        study = super().resolve(store)
        with store.reading("looking for the pair") as con:
            names = queries.catalog(con, study)
            if study.pair is not None:
                if one_pair.pair_facts(con, names, study.pair) is None:
                    raise UnknownNameError(
                        f"there is no pair {study.pair} in dataset {names.dataset!r}: the command examples lists those "
                        "there are"
                    )
                return study
        return replace(study, pair=self._first(store, study))

    @staticmethod
    def _first(store: Store, study: Factors) -> int:
        """The pair on which the judges disagree most that has every factor."""
        chosen = {f.name: getattr(study, f.name) for f in fields(Selection)}
        ask = Examples(**chosen, counted="given", limit=LOOKED_AT)
        try:
            listed = replace(ask, disagree="opposite").run(store)
        except EmptySelectionError:
            listed = ask.run(store)
        pairs = [int(pair) for pair in listed.table("examples")["pair"]]
        with store.reading("looking for the factors of pairs") as con:
            names = queries.catalog(con, study)
            found = texts_queries.sources(con, names, versions())
            sources = [found[name] for name in study.factor]
            condition = f"{queries.where(study, names, 'half', ranked=False)} AND outcome <> 0"
            for pair in pairs:
                if _is_complete(con, names, condition, sources, pair):
                    return pair
        return pairs[0]

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "joining judgments with their factors")
        pair = self._read(store)
        data = fetch(store, self)
        weighed: dict[str, Weighed] = {}
        explained: dict[str, tuple[Explained, pd.DataFrame]] = {}
        notes: dict[str, list[str]] = {}
        reasons: dict[str, str] = {}
        in_fit = []
        for k, judge in enumerate(self.judge):
            progress((k + 0.3) / len(self.judge), f"weighing factors for {judge}")
            design = data.design[judge]
            others = design.clusters["prompt"] != pair.facts.prompt
            if others.any():
                design = design.take(np.flatnonzero(others))
            elif len(design):
                in_fit.append(judge)
            try:
                mine = weigh(design, self.ties, data.clustering)
                a, b, differences = self._of_judge(pair, data, judge)
                one = mine.explain(differences, self.level)
            except NotIdentifiedError as error:
                reasons[judge] = str(error)
                continue
            table = one.table(a, b)
            table.insert(0, "judge", judge)
            weighed[judge], explained[judge] = mine, (one, table)
            notes[judge] = _notes(mine, one, differences)
        if not explained:
            raise nobody(reasons)
        progress(1.0, "done")
        dropped = {judge: mine.fit.dropped for judge, mine in weighed.items()}
        return Result(
            study=self,
            tables={
                "contributions": pd.concat([table for _, table in explained.values()], ignore_index=True),
                "judges": self._judges(pair, weighed, {judge: one for judge, (one, _) in explained.items()}, in_fit),
                "left_out": left_out(dropped),
            },
            values={},
            settings=self.settings() | {
                "model_a": pair.facts.models[0], "model_b": pair.facts.models[1],
                "clustering": data.clustering.name, "clustering_chosen": data.clustering.chosen,
                "position_fitted": data.has_position,
            },
            warnings=self._warnings(data, notes, in_fit, reasons),
            caption=self._caption(weighed, data, in_fit),
            fingerprint=data.fingerprint,
        )  # fmt: skip

    def _read(self, store: Store) -> _Pair:
        with store.reading("reading one pair") as con:
            names = queries.catalog(con, self)
            assert self.pair is not None
            facts = one_pair.pair_facts(con, names, self.pair)
            if facts is None:
                raise UnknownNameError(f"there is no pair {self.pair} in dataset {names.dataset!r}")
            found = texts_queries.sources(con, names, versions())
            chosen = [found[name] for name in self.factor]
            condition = queries.where(self, names, "half", ranked=False)
            values = one_pair.values_of(con, names, chosen, facts)
            judgments = one_pair.judgments_of(con, names, f"{condition} AND outcome <> 0", chosen, values)
            said = examples.summaries(con, [facts.pair], condition, names)
        said = said[said["counted"]]
        return _Pair(
            facts, {s.name: s for s in chosen}, values, judgments,
            {str(row["judge"]): row for row in said.to_dict("records")},
        )  # fmt: skip

    def _of_judge(
        self, pair: _Pair, data: FactorData, judge: str
    ) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
        """Raw values of both responses, and the differences, by factor; means over the judge's judgments where they
        belong to those."""
        mine = pair.judgments.judge_id == data.names.judges[judge][0]
        weight = pair.judgments.weight[mine]
        a: dict[str, float] = {}
        b: dict[str, float] = {}
        differences: dict[str, float] = {}
        for name, source in pair.sources.items():
            sides, share = (pair.values.a[name], pair.values.b[name]), np.ones(1)
            if source.by_judgment and mine.any():
                sides, share = (pair.judgments.a[name][mine], pair.judgments.b[name][mine]), weight / weight.sum()
            differences[name] = float(coded(data, name, *sides, self.coding) @ share)
            a[name], b[name] = (float(side @ share) for side in sides)
        if data.design[judge].first is not None:
            differences[FIRST] = float(pair.judgments.shown[mine] @ weight / weight.sum()) if mine.any() else 0.0
        return a, b, differences

    def _judges(
        self, pair: _Pair, weighed: Mapping[str, Weighed], explained: Mapping[str, Explained], in_fit: list[str]
    ) -> pd.DataFrame:
        said = [pair.said.get(judge, {}) for judge in explained]
        votes = [int(row["a"] + row["b"] + row["tie"]) if row else 0 for row in said]
        shares = [100 * float(row["share_a"]) if n else None for n, row in zip(votes, said, strict=True)]
        ones, fits = list(explained.values()), [weighed[judge] for judge in explained]
        firsts = [
            float(one.difference[one.names.index(FIRST)]) if n and FIRST in one.names else None
            for n, one in zip(votes, ones, strict=True)
        ]
        return pd.DataFrame(
            {
                "judge": list(explained), "predicted": floats([one.predicted for one in ones]),
                "lower": floats([one.lower for one in ones]), "upper": floats([one.upper for one in ones]),
                "log_odds": floats([float(one.log_odds.sum()) for one in ones]),
                "verdict": [str(row["majority"]) if n else None for n, row in zip(votes, said, strict=True)],
                "share_a": floats(shares), "votes": votes,
                **{side: [int(row[side]) if row else 0 for row in said] for side in ("a", "b", "tie")},
                "first_position": floats(firsts),
                "in_fit": [judge in in_fit for judge in explained],
                "judgments": [one.fit.n_judgments for one in fits], "pairs": [one.fit.n_pairs for one in fits],
                "factors": [len(one.fit.factors) for one in fits],
                "clusters": integers([one.covariance.n_clusters or None for one in fits]),
                "clustering": [one.covariance.clustering.name for one in fits],
                "intervals": [one.covariance.method for one in fits],
            }
        )  # fmt: skip

    def _warnings(
        self, data: FactorData, notes: Mapping[str, list[str]], in_fit: list[str], reasons: Mapping[str, str]
    ) -> tuple[str, ...]:
        said = [*sentences(reasons), *data.warnings]
        if in_fit:
            said.append(
                f"{words.listing(in_fit)}: there is no other prompt, so this pair is among those that the weights were "
                "fitted on, and the prediction flatters"
            )
        for judge, told in notes.items():
            said += [f"{judge}: {text}" if len(self.judge) > 1 else text for text in told]
        return tuple(dict.fromkeys(said))

    def _caption(self, weighed: Mapping[str, Weighed], data: FactorData, in_fit: list[str]) -> str:
        judges = ", ".join(f"{j} ({words.plural(w.fit.n_judgments, 'judgment')})" for j, w in weighed.items())
        without = "all judgments" if in_fit else "the judgments on all other prompts, so that this pair is new to it"
        methods = sorted({mine.covariance.method for mine in weighed.values()})
        return (
            f"Pair {self.pair}: what each factor adds to the predicted preference for a, from 50 (no preference): "
            "weight times difference in log-odds, exact Shapley values in win points. Logistic regression of the "
            f"verdicts of {judges} on {without}, without an intercept ({CODINGS[self.coding]}); "
            f"{words.ties(self.ties)}; {words.percent(self.level)} intervals of the prediction, {' / '.join(methods)}."
        )


def _is_complete(con: Con, names: Catalog, condition: str, sources: Sequence[Source], pair: int) -> bool:
    """Whether every factor is known of both responses, in each of the condition's judgments."""
    facts = one_pair.pair_facts(con, names, pair)
    assert facts is not None
    values = one_pair.values_of(con, names, sources, facts)
    judged = one_pair.judgments_of(con, names, condition, sources, values)
    of_pair = [side[s.name] for side in (values.a, values.b) for s in sources if not s.by_judgment]
    of_judgments = [*judged.a.values(), *judged.b.values()]
    return not any(np.isnan(column).any() for column in (*of_pair, *of_judgments))


def _notes(mine: Weighed, one: Explained, differences: Mapping[str, float]) -> list[str]:
    """What to know of one judge's fit: of factors that are not in it only those in which this pair differs."""
    missed = {name: why for name, why in mine.fit.dropped.items() if abs(differences[name]) > 0}
    said = [f"the responses differ in '{name}', which is left out: {why}" for name, why in missed.items()]
    said += [*about_fit({}, mine.fit.vif, mine.fit.n_pairs), *mine.covariance.warnings]
    return said if one.why is None else [*said, one.why]
