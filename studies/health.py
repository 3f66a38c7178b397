"""What in a dataset should be distrusted, and what can be done about it?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import duckdb
import numpy as np
import pandas as pd

from analysis.cells import PairCounts, fold_to_pairs
from analysis.connectivity import find_kept, groups_met
from charts import words
from data import health, queries
from data.model import Progress, Selection
from data.queries import Catalog
from data.store import Store
from errors import NotIdentifiedError
from studies.cells import judge_cells, models_met
from studies.study import Finding, Result, Study, register

THIN = 30
"""A judge x scenario cell below this many judgments is called thin."""

THIN_PAIR = 5
"""A pair of models judged fewer times than this is called thin."""

MANY_PROMPTS, UNEVEN = 20, 0.3
"""From how many prompts on, and from which share of all pairs, the largest tenth of the prompts is told of."""

PLAN = "next-pairs plans where judgments tell most"


@register
@dataclass(frozen=True)
class Health(Study):
    """Connectivity, separation, thin cells, identical rows, shared scores, missing texts: what to distrust."""

    command: ClassVar[str] = "datasets health"
    title: ClassVar[str] = "What to distrust"
    reads_others: ClassVar[bool] = True

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "checking the dataset")
        with store.reading("checking health") as con:
            names = queries.catalog(con, self)
            fingerprint = queries.fingerprint(con, names, self.judge)
            table = find(con, names, self.judge, self.criterion)
        progress(1.0, "done")
        return Result(
            study=self,
            tables={"health": table},
            values={"findings": len(table)},
            settings=self.settings(),
            warnings=(),
            caption=f"Health of dataset {names.dataset}: " + words.plural(len(table), "finding") + ".",
            fingerprint=fingerprint,
            findings=tuple(
                Finding(str(r["finding"]), int(r["severity"]), str(r["remedy"])) for r in table.to_dict("records")
            ),
        )


def find(
    con: duckdb.DuckDBPyConnection, names: Catalog, judges: Sequence[str], criterion: str | None
) -> pd.DataFrame:
    """What stands out, the gravest first: rule, severity, judge, finding, remedy, n."""
    asked = Selection(dataset=names.dataset, judge=tuple(judges), criterion=criterion)
    counts = queries.counts(con, queries.where(asked, names))
    found: list[dict[str, object]] = []
    for judge in judges:
        found += _connectivity(judge, names, counts)
    found += _thin(health.thin_cells(con, names, THIN)) + _identical(health.identical_votes(con, names))
    found += _order(health.order_known(con, names)) + _none(health.no_verdicts(con, names))
    made, scored = health.rated(con, names), health.shared_scores(con, names)
    found += _texts(*health.missing_texts(con, names)) + _made(made, con, names)
    found += _shared(scored[~scored["judge"].isin(list(made))])
    table = pd.DataFrame(found, columns=["rule", "severity", "judge", "finding", "remedy", "n"])
    return table.sort_values("severity", ascending=False, kind="stable", ignore_index=True)


def of_import(con: duckdb.DuckDBPyConnection, dataset: str) -> list[dict[str, Any]]:
    """What would stand out of a dataset, asked inside the import that is only tried: the rows of `find`."""
    names = queries.catalog(con, dataset)
    if not names.judges:
        return []
    criterion = "overall" if "overall" in names.criteria else next(iter(names.criteria))
    table = find(con, names, tuple(names.judges), criterion)
    return [{str(k): v for k, v in row.items() if not pd.isna(v)} for row in table.to_dict("records")]


def _row(rule: str, severity: int, judge: str | None, finding: str, remedy: str, n: int) -> dict[str, object]:
    return {"rule": rule, "severity": severity, "judge": judge, "finding": finding, "remedy": remedy, "n": n}


def _connectivity(judge: str, names: Catalog, counts: queries.Counts) -> list[dict[str, object]]:
    """Models that never met the others, models that only won or only lost, and pairs of models judged hardly ever."""
    mine = counts.of(names.judges[judge][0])
    if not len(mine):
        return []
    models = models_met(mine, names)
    folded = fold_to_pairs(judge_cells(mine, names, judge, models))
    rows = []
    groups = groups_met(folded)
    strangers = {models[k] for some in groups[1:] for k in some}
    if strangers:
        named = [" with ".join(words.shorten(models[k], 40) for k in some[:2]) for some in groups[1:]]
        rows.append(
            _row("connectivity", 3, judge,
                 f"{judge}: the models fall into {len(groups):,} groups that never met one another, directly or "
                 f"through a third; {words.plural(len(strangers), 'model is', 'models are')} outside the largest "
                 f"({words.listing(named)}).",
                 f"Let them be judged against models of the largest group: {PLAN}.", len(strangers))
        )  # fmt: skip
    try:
        found = find_kept(folded, models)
    except NotIdentifiedError as error:
        remedy = f"Have more pairs of models judged: {PLAN}."
        rows.append(_row("separation", 3, judge, f"{judge}: {error}.", remedy, len(models)))
        return rows + _thin_pairs(judge, folded, models)
    one_sided = [left.model for left in found.left_out if left.place != "apart"]
    # Of a group that met the ranked models only through those.
    one_sided += [left.model for left in found.left_out if left.place == "apart" and left.model not in strangers]
    if one_sided:
        rows.append(
            _row("separation", 2, judge,
                 f"{judge}: {words.plural(len(one_sided), 'model')} won all or lost all against the rest and "
                 f"{'has' if len(one_sided) == 1 else 'have'} no strength ({words.listing(one_sided)}).",
                 f"Judge them against models of similar strength: {PLAN}.", len(one_sided))
        )  # fmt: skip
    return rows + _thin_pairs(judge, folded, models)


def _thin_pairs(judge: str, folded: PairCounts, models: tuple[str, ...]) -> list[dict[str, object]]:
    """Pairs of models that met, but hardly."""
    few = np.flatnonzero(folded.count < THIN_PAIR)
    if not len(few):
        return []
    least = int(few[folded.count[few].argmin()])
    names = " and ".join(words.shorten(models[k], 40) for k in (folded.a[least], folded.b[least]))
    return [
        _row("thin pairs", 1, judge,
             f"{judge}: {len(few):,} of {words.plural(len(folded.a), 'pair')} of models that met were judged fewer "
             f"than {THIN_PAIR} times (fewest: {names}, {words.plural(int(folded.count[least]), 'judgment')}).",
             f"Read the share of one such pair as noise, or have it judged: {PLAN}.", len(few))
    ]  # fmt: skip


def _thin(thin: pd.DataFrame) -> list[dict[str, object]]:
    if thin.empty:
        return []
    first = thin.iloc[0]
    return [
        _row("thin cells", 1, None,
             f"{words.plural(len(thin), 'combination')} of judge and scenario have fewer than {THIN} judgments "
             f"(fewest: {first['judge']} in {first['scenario']}, {first['judgments']}).",
             "Read their figures as noise, or add judgments there.", len(thin))
    ]  # fmt: skip


def _identical(identical: pd.DataFrame) -> list[dict[str, object]]:
    return [
        _row("identical rows", 2, str(r["judge"]),
             f"{r['judge']}: {words.plural(int(r['rows']), 'row')} without an annotator "
             f"{'repeats' if r['rows'] == 1 else 'repeat'} another row entirely.",
             "Check that no file was appended twice; an annotator column tells votes from copies.", int(r["rows"]))
        for r in identical.to_dict("records")
    ]  # fmt: skip


def _order(order: pd.DataFrame) -> list[dict[str, object]]:
    unknown = order[order["known"] < order["judgments"]]
    if unknown.empty:
        return []
    missing = int((unknown["judgments"] - unknown["known"]).sum())
    all_of = [str(j) for j in unknown.loc[unknown["known"] == 0, "judge"]]
    who = f" ({words.listing(all_of)}: all)" if all_of else ""
    return [
        _row("unknown order", 1, None,
             f"Which response was shown first is unknown for {words.plural(missing, 'judgment')}{who}: "
             "a position effect can be neither seen nor taken out.",
             "Add a column `swapped`: false in rows where a was shown first, true where b was.", missing)
    ]  # fmt: skip


def _made(made: Mapping[str, str], con: duckdb.DuckDBPyConnection, names: Catalog) -> list[dict[str, object]]:
    """Pairs that an import made of ratings or rankings."""
    rows = []
    for judge, what in made.items():
        held = health.pairs_a_prompt(con, names, judge)
        if not held.several:
            continue
        uneven = held.prompts >= MANY_PROMPTS and held.largest >= UNEVEN
        more = f", and the largest tenth of the prompts has {words.share(held.largest)} of all" if uneven else ""
        rows.append(
            _row("shared scores", 1, judge,
                 f"{judge}: {words.plural(held.judgments, 'judgment')} were made of {what} of single responses. Those "
                 "of one prompt are not independent and never contradict one another; a prompt with k responses weighs "
                 f"k(k − 1)/2{more}.",
                 "Cluster by prompt, as is done from 10 prompts on (by prompt+annotator where few people rated much); "
                 "by pair intervals are too narrow.", held.judgments)
        )  # fmt: skip
    return rows


def _shared(shared: pd.DataFrame) -> list[dict[str, object]]:
    return [
        _row("shared scores", 1, str(r["judge"]),
             f"{r['judge']}: {words.plural(int(r['judgments']), 'judgment')} compare responses that were each scored "
             "once, so that those of one prompt share scores and are not independent.",
             "Cluster by prompt, as is done from 10 prompts on; by pair intervals are too narrow.",
             int(r["judgments"]))
        for r in shared.to_dict("records")
    ]  # fmt: skip


def _none(none: pd.DataFrame) -> list[dict[str, object]]:
    return [
        _row("no verdict", 1, str(r["judge"]),
             f"{r['judge']}: {int(r['none']):,} of {words.plural(int(r['judgments']), 'judgment')} "
             f"{'is' if int(r['none']) == 1 else 'are'} refused or invalid.",
             "They stay outside every fit; a high share is a finding of its own.", int(r["none"]))
        for r in none.to_dict("records")
    ]  # fmt: skip


def _texts(without: int, responses: int) -> list[dict[str, object]]:
    if not without:
        return []
    if without == responses:
        said = "No response has its text: what moves the judges cannot be measured, and no pair can be read."
        remedy = "Add the columns `response_a` and `response_b`, or import a table of factors."
    else:
        said = (
            f"{without:,} of {words.plural(responses, 'response')} {'has' if without == 1 else 'have'} no text: "
            "fits on factors leave their pairs out or take them for empty answers."
        )
        remedy = "Check whether texts were lost on the way; the option Empty texts of factor studies says what is done."
    return [_row("missing texts", 1, None, said, remedy, without)]
