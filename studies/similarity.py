"""Which judges resemble which: in what moves them, in what they say, in whom they place first?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from analysis import similarity as alike
from analysis.dendrogram import tree_table
from analysis.similarity import PERSISTENCE, Similarity
from analysis.similarity_map import group_judges, group_means
from analysis.tables import integers
from analysis.vcov import choose_clustering
from charts import words
from data import queries
from data.model import Progress, Selection, option
from data.queries import Catalog, Con
from data.queries import published as published_queries
from data.queries import texts as texts_queries
from data.queries.labelings import OWN as OF_FILES
from data.store import Store
from errors import EmptySelectionError, OptionError, unknown_name
from studies.extract import versions
from studies.refused import sentences
from studies.similarity_data import OWN, PUBLISHED, Weighed, labelled, placed, read_published, same, weighed
from studies.similarity_tables import Matched, apart, split_groups, table_of_judges, thin, undefined
from studies.similarity_weights import own_weights
from studies.study import Fitted, Result, check_choice, register, weights_alone

WEIGHTS, VERDICTS, STRENGTHS = "weights", "verdicts", "strengths"
SCENARIOS, OVERALL = "scenarios", "overall"
SPEARMAN, RBO = "spearman", "rbo"

QUERY_GROUPS = ("express_feeling", "intent_unclear")
"""Published scenarios that are groups of special queries, as are those that begin with w_: not among the 11."""


@register
@dataclass(frozen=True)
class JudgeSimilarity(Fitted):
    """How alike judges are by their weights, verdicts or strengths: matrix, groups, tree and map."""

    command: ClassVar[str] = "similarity"
    title: ClassVar[str] = "Which judges resemble which?"
    reads_others: ClassVar[bool] = True
    reads_judgments: ClassVar[bool] = False
    clusterings: ClassVar[tuple[str, ...]] = ("auto", "prompt", "pair", "none")
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge_1": "judge", "judge_2": "and judge", "similarity": "similarity", "interval": "interval", "n": "n",
    }  # fmt: skip

    basis: str = option(
        "auto", "what judges are held against one another by: the weights that factors have for them (published ones, "
        "and those of the published model for judges here), their verdicts on shared pairs, or the strengths that they "
        "give to models; auto: verdicts where there are two judges", label="Alike in",
        choices=("auto", WEIGHTS, VERDICTS, STRENGTHS), cli=("--from",),
    )  # fmt: skip
    over: str = option(
        "auto", "the mean of similarities in each scenario, or one overall; auto: the mean, where scenarios are known",
        label="Over", choices=("auto", SCENARIOS, OVERALL),
    )  # fmt: skip
    measure: str = option(
        SPEARMAN, "of strengths: Spearman's rho, or rank-biased overlap (p = .9), to which the first places say most",
        label="Rankings by", choices=(SPEARMAN, RBO),
    )  # fmt: skip
    published: tuple[str, ...] = option(
        (), "of weights: a judge with published weights (repeatable); left out: all", label="Published judges",
        widget=False,
    )  # fmt: skip
    among: tuple[str, ...] = option(
        (), "of weights: a scenario (repeatable); left out: all but the groups of special queries, which are "
        "express_feeling, intent_unclear and what begins with w_", label="Scenarios of the weights", widget=False,
    )  # fmt: skip
    group: tuple[str, ...] = option(
        (), "NAME=JUDGE: the judge is of that group (repeatable); means within and between groups are added",
        label="Groups", widget=False,
    )  # fmt: skip

    def resolve(self, store: Store) -> Self:
        with store.reading("looking for judges") as con:
            dataset = self.dataset if self.dataset is not None else queries.default_dataset(con)
            labeling = None if self.labeling == OF_FILES else self.labeling
            names = queries.catalog(con, Selection(dataset=dataset, labeling=labeling))
            published = list(published_queries.published_judges(con, names.dataset_id)["judge"])
            scenarios = published_queries.published_scenarios(con, names.dataset_id)
        for each in fields(self):
            check_choice(each, getattr(self, each.name))
        # A judge alone has nobody to share pairs with, but may stand beside published ones.
        usual = VERDICTS if len(names.judges) > 1 or not published else WEIGHTS
        basis = usual if self.basis == "auto" else self.basis
        if self.cluster not in self.clusterings:
            raise OptionError("similarity averages over annotators first: use --cluster prompt or --cluster pair")
        split_groups(self.group)
        study = replace(self, dataset=dataset, basis=basis)
        if basis != WEIGHTS:
            for name, given in (("published", self.published), ("among", self.among)):
                if given:
                    raise OptionError(f"--{name} is an option of --from weights")
            if not names.judges:
                raise EmptySelectionError(weights_alone(names))
            study = super(JudgeSimilarity, study).resolve(store)
            return replace(study, over=_over(self.over, study.scenario or tuple(names.scenarios)))
        return study._of_weights(store, names, published, scenarios)

    def _of_weights(self, store: Store, names: Catalog, published: list[str], scenarios: list[str]) -> Self:
        """Resolved for weights: which published judges, which scenarios."""
        for judge in self.judge:
            if judge not in names.judges and judge in published:
                raise OptionError(f"--judge {judge}: its weights are published ones; choose it with --published")
        for judge in self.published:
            if judge not in published:
                raise unknown_name(f"judge with published weights in dataset {names.dataset!r}", judge, published)
        if not published and not names.judges:
            raise EmptySelectionError(f"dataset {names.dataset!r} is empty: import judgments or published weights")
        known = [*scenarios, *(s for s in names.scenarios if same(s) not in set(map(same, scenarios)))]
        asked = dict.fromkeys((*self.among, *self.scenario))
        for scenario in asked:
            if scenario not in known and scenario not in names.scenarios:
                raise unknown_name(f"scenario in dataset {names.dataset!r}", scenario, known)
        usual = [s for s in scenarios if s not in QUERY_GROUPS and not s.startswith("w_")] or scenarios
        among = tuple(asked) or tuple(usual) or tuple(names.scenarios)
        study = super(JudgeSimilarity, replace(self, scenario=())).resolve(store)
        return replace(
            study, among=among, published=tuple(dict.fromkeys(self.published)) or tuple(published),
            over=_over(self.over, among),
        )  # fmt: skip

    def stamp(self, con: Con, names: Catalog) -> str:
        words = [super().stamp(con, names)]
        if self.basis == WEIGHTS:
            words += [published_queries.published_word(con, names.dataset_id), texts_queries.state(con, versions())]
        return " ".join(words)

    def answer(self, store: Store, progress: Progress) -> Result:
        found = {WEIGHTS: self._weights, VERDICTS: self._verdicts, STRENGTHS: self._strengths}[self.basis](
            store, progress
        )
        judges = found.judges["judge"].tolist()
        groups = split_groups(self.group)
        for judge in dict.fromkeys(judge for some in groups.values() for judge in some):
            if judge not in judges:
                raise unknown_name("judge among those compared", judge, judges)
        grouped = group_judges(found.similarity.value)
        tables = {"pairs": self._pairs(found)}
        if groups:
            tables["groups"] = group_means(judges, found.similarity.value, groups)
        tables["placed"] = table_of_judges(found.judges, grouped)
        tables["tree"] = tree_table(grouped.tree)
        values: dict[str, Any] = {"map_shows": grouped.shown} if grouped.shown is not None else {}
        progress(1.0, "done")
        return Matched(
            study=self, tables=tables, values=values, settings=self.settings() | dict(found.settings),
            warnings=tuple(dict.fromkeys([*found.warnings, *undefined(found.similarity), *apart(judges, grouped)])),
            caption=found.caption, fingerprint=found.fingerprint,
        )  # fmt: skip

    def _pairs(self, found: _Found) -> pd.DataFrame:
        table = found.similarity.table(self.level)
        for name, other in found.beside.items():
            table.insert(3, name, other.table(self.level)["similarity"])
        return table

    def _weights(self, store: Store, progress: Progress) -> _Found:
        progress(0.0, "reading published weights")
        names, published = read_published(store, str(self.dataset))
        published = published[published["judge"].isin(self.published)]
        among = self.scenario or self.among
        own = own_weights(self, store, names, published, among, self.over == OVERALL, progress)
        if not len(published) and not len(own.table):
            none = f"dataset {self.dataset!r} has no published weights, and no judge to fit weights for"
            raise EmptySelectionError(" ".join(own.said) or none)
        layers = among or ("",)
        data: Weighed = weighed(published, own.table.assign(scenario=own.table["scenario"].fillna(layers[0])), layers)
        _require_two(data.judges["judge"].tolist())
        measure = alike.similarity_of_means if self.over == OVERALL else alike.similarity_of_weights
        judges = data.judges["judge"].tolist()
        known = np.isfinite(data.weights)
        info = data.judges.assign(
            factors=integers(known.any(axis=0).sum(axis=1).tolist()),
            scenarios=integers(known.any(axis=2).sum(axis=0).tolist()),
        )
        sources = data.judges["source"].value_counts()
        texts = {PUBLISHED: "published weights", OWN: "weights of the published model fitted here"}
        said = [
            words.plural(int(sources[name]), f"judge with {text}", f"judges with {text}")
            for name, text in texts.items() if name in sources
        ]  # fmt: skip
        what = "their means over" if self.over == OVERALL else "each alone, mean over"
        caption = (
            f"Pearson correlation of the weights of {words.plural(len(data.factors), 'factor')} between "
            f"{words.listing(said)}; {what} {words.plural(len(layers), 'scenario')}. No intervals"
            + (": published weights come without any." if PUBLISHED in sources else ".")
        )
        digest = texts_queries.digest(published_word(published), own.fingerprint, *layers)
        return _Found(measure(judges, data.weights), info, caption, digest, warnings=own.said)

    def _verdicts(self, store: Store, progress: Progress) -> _Found:
        progress(0.0, "reading verdicts")
        _require_two(self.judge)
        data = labelled(store, self)
        clustering = choose_clustering(self.cluster, data.prompts)
        mean = self.over == SCENARIOS
        similarity = alike.similarity_of_verdicts(
            self.judge, data.verdicts, clustering, ties=self.ties != "drop", by_scenario=mean,
            report=lambda share: progress(0.2 + 0.7 * share, "comparing verdicts"),
        )
        warnings = [clustering.warning] if clustering.warning else []
        if mean:
            if data.unlabelled:
                warnings.append(f"{words.plural(data.unlabelled, 'pair')} without a scenario are left out of the means")
            warnings += thin(similarity)
        ties = "two labels (pairs left out that either calls a tie)" if self.ties == "drop" else (
            "three labels (a tie is one)"
        )  # fmt: skip
        over = f", mean over {words.plural(data.n_scenarios, 'scenario')}" if mean else ""
        methods = sorted({c.method for c in similarity.covariance.values()})
        named = methods[0] if len(methods) == 1 else f"by {clustering.name}" if methods else "none"
        caption = (
            f"Share of shared pairs on which two judges give the same of {ties}{over}; several votes and repeats of a "
            f"judge on a pair count as their mean. {words.plural(data.judgments, 'judgment')} by "
            f"{words.plural(len(self.judge), 'judge')}, "
            f"{words.amounts(pair=data.verdicts.label.shape[1], prompt=data.prompts)}; "
            f"{words.percent(self.level)} intervals, {named}."
        )
        info = self._own_judges(store, pairs=(data.verdicts.label != alike.ABSENT).sum(axis=1))
        settings = {"clustering": clustering.name}
        return _Found(similarity, info, caption, data.fingerprint, settings, tuple(warnings))

    def _strengths(self, store: Store, progress: Progress) -> _Found:
        progress(0.0, "counting judgments")
        _require_two(self.judge)
        mean = self.over == SCENARIOS
        data = placed(store, self, self.ties, mean, lambda share, text: progress(0.1 + 0.7 * share, text))
        found = {}
        for k, measure in enumerate((SPEARMAN, RBO)):
            progress(0.8 + 0.1 * k, "comparing rankings")
            found[measure] = (
                alike.mean_of_strengths(self.judge, data.strengths, measure) if mean
                else alike.similarity_of_strengths(self.judge, data.strengths[0], measure)
            )  # fmt: skip
        warnings = sentences(data.reasons)
        if data.unlabelled:
            warnings.append(f"{words.plural(data.unlabelled, 'judgment')} without a scenario are left out of the means")
        warnings.append(
            "noise in the strengths makes judges look less alike than they are"
            + (", the more so scenario by scenario" if mean else "")
            + ": reliability says how alike rankings are net of noise, compare gives an interval"
        )
        if self.measure == RBO:
            chance = words.number(alike.overlap_by_chance(len(data.models)))
            warnings.append(
                f"two orders of {words.plural(len(data.models), 'model')} drawn by lot overlap at {chance} on average"
            )
        over = f"mean over {words.plural(len(data.layers), 'scenario')}, " if mean else ""
        names = {SPEARMAN: "Spearman's rho", RBO: f"Rank-biased overlap (p = {words.fixed(PERSISTENCE)})"}
        caption = (
            f"{names[self.measure]} of Bradley-Terry strengths, {over}each judge fitted to its own judgments; "
            f"{words.plural(data.judgments, 'judgment')} of {words.plural(len(data.models), 'model')} by "
            f"{words.plural(len(self.judge), 'judge')}; {words.ties(self.ties)}. No intervals."
        )
        known = np.isfinite(data.strengths)
        info = self._own_judges(store, models=known.any(axis=0).sum(axis=1))
        other = RBO if self.measure == SPEARMAN else SPEARMAN
        return _Found(
            found[self.measure], info, caption, data.fingerprint, warnings=tuple(warnings), beside={other: found[other]}
        )  # fmt: skip

    def _own_judges(self, store: Store, **columns: Any) -> pd.DataFrame:
        with store.reading("naming judges") as con:
            names = queries.catalog(con, self)
        kinds = [names.judges[judge][1] for judge in self.judge]
        table = pd.DataFrame({"judge": list(self.judge), "kind": kinds, "source": OWN})
        return table.assign(**{name: integers(list(map(int, column))) for name, column in columns.items()})


@dataclass(frozen=True)
class _Found:
    """What one basis gives. judges : judge, kind, source and what stands behind each; beside : other measures"""

    similarity: Similarity
    judges: pd.DataFrame
    caption: str
    fingerprint: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    beside: Mapping[str, Similarity] = field(default_factory=dict)


def _over(asked: str, scenarios: Sequence[str]) -> str:
    if asked == SCENARIOS and not scenarios:
        raise EmptySelectionError("no scenario is known to take the mean over: use --over overall")
    return asked if asked != "auto" else SCENARIOS if scenarios else OVERALL


def _require_two(judges: Sequence[str]) -> None:
    if len(judges) < 2:
        one = f" ({judges[0]})" if len(judges) else ""
        raise EmptySelectionError(
            f"similarity needs two judges, and there is one{one}: add another judge's verdicts on the same pairs, or "
            "published weights"
        )


def published_word(table: pd.DataFrame) -> str:
    """Stands for these weights in any order."""
    return texts_queries.digest(*sorted(map(str, table.itertuples(index=False))))
