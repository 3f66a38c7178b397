"""How does each judge weigh each factor in each scenario? The matrix of its weights, like rows and columns together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from analysis.dendrogram import LineOrder, order_matrix
from analysis.design import FIRST, Design
from analysis.multiple import adjust_bh
from analysis.pooled_weights import ByScenario, PooledWeights
from analysis.tables import floats, integers
from charts import words
from data import queries
from data.model import Progress, Selection, option
from data.queries import Catalog, Con
from data.queries import published as published_queries
from data.queries import texts as texts_queries
from data.queries.labelings import OWN
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError, unknown_name
from studies.factor_data import fetch
from studies.factor_options import CODINGS, Factors
from studies.factors_pooled import judge_row, scenarios_of, warnings_of, weigh_by_scenario
from studies.posterior_words import SAME
from studies.refused import left_out_by, nobody, sentences
from studies.similarity_data import read_published, same
from studies.study import Result, check_choice, flag_of, human_first, register, weights_alone

AUTO, FITTED, PUBLISHED = "auto", "fitted", "published"
BEYOND = 0.05
"""q below which a weight is said to be beyond noise."""

OF_WEIGHTS = ("dataset", "judge", "scenario", "factor", "source", "seed")
"""Options that published weights have too."""

NAMED = 12
"""Cells without a figure up to which each is named."""

NO_FIGURE = "its verdicts there say nothing of it, or not how sure that would be"
NEVER = "no weight was published"


@register
@dataclass(frozen=True)
class FactorsMatrix(Factors):
    """Each judge's weight of each factor in each scenario, rows and columns clustered."""

    command: ClassVar[str] = "factors matrix"
    title: ClassVar[str] = "How does each judge weigh each factor in each scenario?"
    models_ties: ClassVar[bool] = False
    reads_judgments: ClassVar[bool] = False
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "factor": "factor", "scenario": "scenario", "pooled": "pooled weight",
        "pooled_interval": "interval", "pooled_q": "q", "weight": "weight alone", "interval": "interval alone",
        "pairs": "pairs",
    }  # fmt: skip

    source: str = option(
        AUTO, "whose weights: fitted to the judgments of the dataset, or as others published them; auto: fitted where "
        "there are judgments", label="Weights", choices=(AUTO, FITTED, PUBLISHED), cli=("--from",), widget=False,
    )  # fmt: skip

    def resolve(self, store: Store) -> Self:
        for each in fields(self):
            check_choice(each, getattr(self, each.name))
        with store.reading("looking for judges") as con:
            dataset = self.dataset if self.dataset is not None else queries.default_dataset(con)
            labeling = None if self.labeling == OWN else self.labeling
            names = queries.catalog(con, Selection(dataset=dataset, labeling=labeling))
            published = published_queries.published_weights(con, names.dataset_id)
        source = self.source
        if source == AUTO:
            source = PUBLISHED if len(published) and not names.judges else FITTED
        study = replace(self, dataset=dataset, source=source)
        if source == PUBLISHED:
            return study._published(published)
        if not names.judges and names.published:
            raise EmptySelectionError(weights_alone(names))
        self.require_one_scale("weights")
        return super(FactorsMatrix, study).resolve(store)

    def _published(self, table: pd.DataFrame) -> Self:
        """Resolved for published weights: whose, of which factors, in which scenarios."""
        if not len(table):
            raise EmptySelectionError(
                f"dataset {self.dataset!r} holds no published weights: import them with --as factor-weights, or leave "
                "out --from published"
            )
        for each in fields(self):
            if each.name not in OF_WEIGHTS and getattr(self, each.name) != each.default:
                raise OptionError(f"published weights come without judgments: leave out {flag_of(each)}")
        found = {}
        for name in ("judge", "scenario", "factor"):
            found[name] = _known(name, getattr(self, name), list(dict.fromkeys(table[name])), str(self.dataset))
        judges = tuple(table["judge"].unique()) if not self.judge else found["judge"]
        return replace(self, **(found | {"judge": judges}))

    def default_judges(self, names: Catalog) -> tuple[str, ...]:
        """All judges, the human one first where there is one."""
        return human_first(names)

    def stamp(self, con: Con, names: Catalog) -> str:
        if self.source == PUBLISHED:
            return published_queries.published_word(con, names.dataset_id)
        return super().stamp(con, names)

    def answer(self, store: Store, progress: Progress) -> Result:
        return self._of_published(store, progress) if self.source == PUBLISHED else self._fitted(store, progress)

    def _fitted(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "joining judgments with their factors")
        data = fetch(store, self, scenarios=True)
        chosen = scenarios_of(data, self.scenario)
        found: dict[str, PooledWeights] = {}
        reasons: dict[str, str] = {}
        for k, judge in enumerate(self.judge):
            def tell(share: float, k: int = k, judge: str = judge) -> None:
                progress((k + share) / len(self.judge), f"weighing factors for {judge}, scenario by scenario")

            tell(0.0)
            try:
                found[judge] = weigh_by_scenario(data, judge, chosen, tell)
            except NotIdentifiedError as error:
                reasons[judge] = str(error)
        if not found:
            raise nobody(reasons)
        weights = pd.concat([_fitted_rows(j, one.weights, self.level) for j, one in found.items()], ignore_index=True)
        if not len(weights):
            raise NotIdentifiedError("no factor has a weight in any scenario")
        left_out = pd.DataFrame(
            [row for judge, one in found.items() for row in _left_out(judge, one, data.design[judge], chosen)],
            columns=LEFT_OUT,
        )
        judges = pd.DataFrame([judge_row(j, one) for j, one in found.items()]).drop(columns=["tested", "differ"])
        sure = weights[weights["pooled_q"] < BEYOND]
        judges["weights"] = integers([int((weights["judge"] == judge).sum()) for judge in judges["judge"]])
        judges["beyond"] = integers([int((sure["judge"] == judge).sum()) for judge in judges["judge"]])
        first = next(iter(found.values())).weights
        progress(1.0, "done")
        clustering = data.clustering.name
        clusters = "judgments taken as independent" if clustering == "none" else (
            f"clustered by {clustering.replace('+', ' and ')}"
        )  # fmt: skip
        caption = (
            f"{_extent(weights)} by {_listed(judges, 'judgments', 'judgment')}: logistic regression without an "
            f"intercept ({CODINGS[self.coding]}){'; a position term is fitted' if data.has_position else ''}; "
            f"{words.plural(data.prompts, 'prompt')}; {words.ties(self.ties)}. Pooled: full empirical Bayes over a "
            f"judge's scenarios, {words.percent(self.level)} posterior intervals, which hold on average over them; "
            f"alone: each scenario's own fit; {clusters}. q: of 0, Benjamini-Hochberg over a judge's weights. {ORDERED}"
        )
        return Result(
            study=self, tables=_tables(weights, "pooled", {"judges": judges, "left_out": left_out}),
            values={"weights_known": len(weights), "beyond": len(sure)},
            settings=self.settings() | {
                "clustering": clustering, "clustering_chosen": data.clustering.chosen,
                "position_fitted": data.has_position, "shows": "pooled",
            },
            warnings=tuple(dict.fromkeys([
                *sentences(reasons), *data.warnings, *warnings_of(found, {}, first), *_not_known(left_out, weights),
            ])),
            caption=caption, fingerprint=data.fingerprint,
        )  # fmt: skip

    def _of_published(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "reading published weights")
        _, table = read_published(store, str(self.dataset))
        table = table[table["judge"].isin(self.judge)]
        for name, wanted in (("scenario", self.scenario), ("factor", self.factor)):
            if wanted:
                table = table[table[name].isin(wanted)]
        if not len(table):
            raise EmptySelectionError("of these judges no weight of these factors was published in these scenarios")
        place = {judge: k for k, judge in enumerate(self.judge)}
        table = table.sort_values("judge", key=lambda column: column.map(place), kind="stable").reset_index(drop=True)
        weights = table[["judge", "scenario", "factor"]].assign(weight=floats(table["weight"]))
        judges = table.groupby("judge", sort=False).agg(
            kind=("kind", "first"), scenarios=("scenario", "nunique"), factors=("factor", "nunique"),
            weights=("weight", "size"),
        ).reset_index()  # fmt: skip
        left_out = _unpublished(weights)
        progress(1.0, "done")
        return Result(
            study=self, tables=_tables(weights, "weight", {"judges": judges, "left_out": left_out}),
            values={"weights_known": len(weights)}, settings=self.settings() | {"shows": "weight"},
            warnings=(
                "published weights come without intervals: which of them are beyond noise is not known",
                *_not_known(left_out, weights),
            ),
            caption=(
                f"{_extent(weights)} as published, of {_listed(judges, 'weights', 'weight')}: log-odds; no intervals. "
                f"{ORDERED}"
            ),
            fingerprint=texts_queries.digest(*sorted(map(str, table.itertuples(index=False)))),
        )  # fmt: skip


LEFT_OUT = ["judge", "scenario", "factor", "cause"]
ORDERED = (
    "Rows and columns in the order of their trees (root mean square distances over all judges, each brought to one "
    "size; average linkage)."
)


def _known(kind: str, asked: Sequence[str], known: Sequence[str], dataset: str) -> tuple[str, ...]:
    """The published names that are meant, each as it is spelt there. Raises UnknownNameError."""
    spelt = {same(name): name for name in reversed(known)}
    for name in asked:
        if same(name) not in spelt:
            raise unknown_name(f"{kind} with published weights in dataset {dataset!r}", name, known)
    return tuple(dict.fromkeys(name if name in known else spelt[same(name)] for name in asked))


def _fitted_rows(judge: str, one: ByScenario, level: float) -> pd.DataFrame:
    """The judge's rows: of each scenario the factors that its verdicts say something about, without the position."""
    table = one.table(level).rename(columns={"value": "weight"})
    of_factor = np.tile(np.array(one.names) != FIRST, len(one.scenarios))
    shown = np.isfinite(one.weighed.se).ravel() & of_factor
    for name, p in zip(("q", "pooled_q"), one.p_values(), strict=True):
        of_cell = np.where(shown, p.ravel(), np.nan)
        table[name] = floats(adjust_bh(of_cell))
        table[name.replace("q", "p")] = floats(of_cell)
    table.insert(0, "judge", judge)
    columns = ["judge", "scenario", "factor", "weight", "se", "lower", "upper", "p", "q", "pooled", "pooled_lower",
               "pooled_upper", "pooled_p", "pooled_q", "judgments", "pairs", "prompts"]  # fmt: skip
    kept: pd.DataFrame = table.loc[shown, columns]
    return kept.reset_index(drop=True)


def _left_out(
    judge: str, found: PooledWeights, design: Design, scenarios: Mapping[str, int]
) -> list[tuple[str, str, str, str]]:
    """The judge's cells without a figure, and why. judge, scenario, factor, cause"""
    one, code = found.weights, design.clusters["scenario"]
    out = []
    for scenario, known in zip(one.scenarios, np.isfinite(one.weighed.se), strict=True):
        there = design.at[code == scenarios[scenario.name]]
        for factor in (name for name, some in zip(one.names, known, strict=True) if not some and name != FIRST):
            same_in_all = not design.x[design.names.index(factor), there].any()
            why = SAME if same_in_all else scenario.dropped.get(factor) or scenario.refused or NO_FIGURE
            out.append((judge, scenario.name, factor, why))
    return out


def _unpublished(weights: pd.DataFrame) -> pd.DataFrame:
    """Cells of the matrix for which a judge has no published weight."""
    grid = pd.MultiIndex.from_product([weights[name].unique() for name in ("judge", "scenario", "factor")])
    lacking = grid.difference(pd.MultiIndex.from_frame(weights[["judge", "scenario", "factor"]]), sort=False)
    return pd.DataFrame([(*cell, NEVER) for cell in lacking], columns=LEFT_OUT)


def _not_known(left_out: pd.DataFrame, weights: pd.DataFrame) -> list[str]:
    """Which cells have no figure, and why; where they are many, how many, and the most frequent reason."""
    if len(left_out.drop_duplicates(["scenario", "factor"])) <= NAMED:
        return left_out_by(left_out, "scenario", int(weights["scenario"].nunique()))
    sizes = left_out.groupby("judge", sort=False).size().items()
    each = [f"{words.plural(int(n), 'weight')} of {judge}" for judge, n in sizes]
    causes = left_out["cause"].value_counts(sort=True)
    why = f"{'mostly ' if len(causes) > 1 else ''}as {causes.index[0]}"
    return [f"{words.listing(each, 5)} are not known, {why}; table left_out has each"]


def _extent(weights: pd.DataFrame) -> str:
    factors, scenarios = (int(weights[name].nunique()) for name in ("factor", "scenario"))
    return f"Weights of {words.plural(factors, 'factor')} in {words.plural(scenarios, 'scenario')}"


def _listed(judges: pd.DataFrame, column: str, one: str) -> str:
    each = [f"{row['judge']} ({words.plural(int(row[column]), one)})" for row in judges.to_dict("records")]
    return words.listing(each, 6)


# -- the clustered order ------------------------------------------------------------------------------------------


def _tables(weights: pd.DataFrame, value: str, more: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The weights in clustered order, the orders, the trees, and `more`. value : the column that orders"""
    names = {name: list(dict.fromkeys(weights[name])) for name in ("judge", "factor", "scenario")}
    at = [weights[name].map({one: k for k, one in enumerate(known)}).to_numpy() for name, known in names.items()]
    layers = np.full([len(known) for known in names.values()], np.nan)
    layers[tuple(at)] = weights[value].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    found = order_matrix(layers)
    rows = _line_table("factor", names["factor"], found.rows, layers, "row")
    columns = _line_table("scenario", names["scenario"], found.columns, layers.transpose(0, 2, 1), "column")
    placed = weights.assign(
        row=weights["factor"].map(dict(zip(rows["factor"], rows["row"], strict=True))).astype("Int64"),
        column=weights["scenario"].map(dict(zip(columns["scenario"], columns["column"], strict=True))).astype("Int64"),
        judge_at=at[0],
    )
    placed = placed.sort_values(["judge_at", "row", "column"], kind="stable").drop(columns="judge_at")
    return {
        "weights": placed.reset_index(drop=True), "rows": rows, "columns": columns,
        "row_tree": found.rows.tree_table(), "column_tree": found.columns.tree_table(), **more,
    }  # fmt: skip


def _line_table(kind: str, names: Sequence[str], order: LineOrder, layers: np.ndarray, place: str) -> pd.DataFrame:
    """One row a line in its order: its name, place from 1 on, whether the tree holds it, known weights, their mean."""
    rows: list[dict[str, Any]] = []
    for k, line in enumerate(order.order):
        values = layers[:, line]
        known = values[np.isfinite(values)]
        rows.append({kind: names[line], place: k + 1, "in_tree": k < order.kept, "weights": len(known),
                     "mean": float(known.mean())})  # fmt: skip
    return pd.DataFrame(rows)
