"""From a selection to the designs that factor models take: which rows, which scales, what is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.cells import Cells
from analysis.design import Design
from analysis.strengths import TIE_NAMES
from analysis.vcov import Clustering, choose_clustering
from charts import words
from data import queries
from data.queries import Catalog, Con
from data.queries import attributes as attribute_queries
from data.queries import differences as rows_queries
from data.queries import texts as texts_queries
from data.queries.differences import Differences, Verdicts
from data.queries.order import in_order
from data.queries.texts import TEXT, Scale, Source
from data.store import Store
from errors import EmptySelectionError, OptionError
from studies import interactions
from studies.cells import cluster_columns, require_hard
from studies.extract import versions
from studies.factor_judgments import empty_texts
from studies.factor_options import Factors
from studies.rank import check_annotators

KNOWN_ORDER = 0.95
"""Share of judgments whose shown order must be known for a position term."""

NOT_RECORDED = "which response was shown first is not recorded"

FIRST_FEW = 10_000

ALIKE = 1.2
"""Judgments of a pair from which on those alike are summed."""

FEW_TO_DRAW = 30
"""Prompts below which pairs may be drawn, or held out, in place of prompts."""

TABLE, MOST_EMPTY = 8, 1_000_000
"""Judgments alike are summed in a table of at most so many places a judgment, and so many more."""


@dataclass(frozen=True)
class FactorData:
    """The judgments of a selection with the differences of their answers.

    sources : the factors; scales : by factor, what a difference was divided by (1 for signs and raw differences)
    design : of each judge by name, on the judgments that have every factor; models : model ids (a, b) of each column
        of x, -1 where none is named; pair_ids : the store's id of each number of a pair
    judgments : by judge, those of the selection; missing : by factor, the judgments of each judge that lack it
    never : by judge, the factors that none of its judgments has
    no_position : by judge whose model has no position term, why; n_empty : responses that are an empty text
    """

    names: Catalog
    sources: Sequence[Source]
    scales: Mapping[str, Scale]
    design: Mapping[str, Design]
    models: tuple[NDArray[Any], NDArray[Any]] | None
    pair_ids: NDArray[Any]
    clustering: Clustering
    judgments: Mapping[str, int]
    missing: Mapping[str, Mapping[str, int]]
    no_position: Mapping[str, str]
    prompts: int
    n_empty: int
    fingerprint: str
    never: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def has_position(self) -> bool:
        """Whether some judge's model has a position term."""
        return any(design.first is not None for design in self.design.values())

    @property
    def warnings(self) -> list[str]:
        """What was left out, and what counts as 0."""
        return [*self.left_out, *self.about_position]

    @property
    def about_position(self) -> list[str]:
        """Whose model has no position term, and why."""
        by_reason: dict[str, list[str]] = {}
        for judge, why in self.no_position.items():
            by_reason.setdefault(why, []).append(judge)
        every = len(self.design)
        return [
            f"no position term{'' if len(judges) == every else f' for {words.listing(judges, 6)}'}: {why}"
            for why, judges in by_reason.items()
        ]

    @property
    def left_out(self) -> list[str]:
        """What was left out of every model, and what counts as 0."""
        said = []
        total = sum(self.judgments.values())
        kept = sum(design.n_judgments for design in self.design.values())
        if kept < total:
            gone = {name: sum(n.values()) for name, n in self.missing.items() if sum(n.values())}
            which = words.listing([f"'{name}' ({n:,})" for name, n in sorted(gone.items(), key=lambda one: -one[1])], 4)
            said.append(
                f"{total - kept:,} of {words.plural(total, 'judgment')} lack a factor of one of their responses and "
                f"are left out: {which}"
            )
        alike: dict[tuple[str, ...], list[str]] = {}
        for judge, names in self.never.items():
            if names:
                alike.setdefault(names, []).append(judge)
        for names, judges in alike.items():
            left = "is" if len(names) == 1 else "are"
            who = "" if len(judges) == len(self.design) > 1 else f" of {words.listing(judges, 4)}"
            said.append(f"no judgment{who} has {words.quoted(names, 6)}, which {left} left out")
        if self.n_empty and any(s.origin == TEXT for s in self.sources):
            said.append(empty_texts(self.n_empty))
        return said


@dataclass(frozen=True)
class Loaded:
    """Judgments of a selection, one by one, and the scaled differences they are about.

    columns : names of the rows of x: the factors, then their interactions
    said : with annotators and judgments where asked for; at, pair : of each judgment its column of x and the number of
    its pair; pair_ids : the store's id of each number; complete : which columns have every factor
    places : of each number where its pair stands in an order that does not hang on how the store was filled; None where
    prompts are many, so that no pairs are drawn
    of_empty : whether an answer of the judgment's pair is an empty text, where that was asked for
    """

    names: Catalog
    sources: Sequence[Source]
    columns: tuple[str, ...]
    said: Verdicts
    x: NDArray[Any]
    scales: Mapping[str, Scale]
    at: NDArray[Any]
    pair: NDArray[Any]
    pair_ids: NDArray[Any]
    complete: NDArray[np.bool_]
    n_empty: int
    fingerprint: str
    of_empty: NDArray[np.bool_] | None = None
    places: NDArray[Any] | None = None

    def without_empty(self) -> Loaded:
        """What is left where pairs with an empty text are left out. Raises EmptySelectionError where nothing is."""
        assert self.of_empty is not None
        return self._take(~self.of_empty)

    def of_judges(self, judges: Sequence[str]) -> Loaded:
        """What `load` finds for these judges alone. Raises EmptySelectionError where that is nothing."""
        ids = [self.names.judges[judge][0] for judge in judges]
        return self._take(np.isin(self.said.columns["judge_id"], ids))

    def _take(self, which: NDArray[np.bool_]) -> Loaded:
        kept = np.flatnonzero(which)
        queries.require_rows(len(kept), "with a verdict")
        return replace(
            self, said=self.said.take(kept), at=self.at[kept], pair=self.pair[kept],
            of_empty=None if self.of_empty is None else self.of_empty[kept],
        )  # fmt: skip

    @cached_property
    def n_prompts(self) -> int:
        """Prompts of the selection."""
        prompt = self.said.columns["prompt"]
        met = np.zeros(int(prompt.max()) - int(prompt.min()) + 1, dtype=bool)
        met[prompt - prompt.min()] = True
        return int(met.sum())


def load(store: Store, study: Factors, more: Sequence[str] = (), of_empty: bool = False) -> Loaded:
    """What a resolved study of factors reads. more : columns of `queries.differences.verdicts`

    of_empty : which judgments are of a pair with an empty text, too

    Raises EmptySelectionError where there is nothing to fit, OptionError where ties cannot be modelled.
    """
    modelled = study.ties in TIE_NAMES
    with store.reading("joining judgments with their factors") as con:
        names = queries.catalog(con, study)
        found = texts_queries.sources(con, names, versions())
        chosen = [found[name] for name in study.factor]
        crossings = interactions.parse(study.interact, found, attribute_queries.attributes(con, names))
        condition = f"{queries.where(study, names, study.ties, ranked=False)} AND outcome <> 0"
        if study.empty_texts == "leave-out":
            condition = rows_queries.without_empty(condition, names)
        by_judgment = any(source.by_judgment for source in chosen)
        by_annotator = any(one.by_annotator for one in crossings)
        wanted = [*more, *(["judgment"] if by_judgment else []), *(["annotator"] if by_annotator else [])]
        said = rows_queries.verdicts(con, condition, tuple(dict.fromkeys(wanted)))
        queries.require_rows(len(said), "with a verdict")
        values = rows_queries.differences(con, names, chosen, condition)
        empty = rows_queries.pairs_with_empty(con, names) if of_empty else None
        if by_judgment:
            scales = texts_queries.scales(con, names, chosen)
        else:
            scales = {
                source.name: values.scales.get(source.name) or rows_queries.scale_of(values.x[k])
                for k, source in enumerate(chosen)
            }
        measured = any(source.origin == TEXT for source in chosen)
        n_empty = texts_queries.responses(con, names)["empty"] if measured else 0
        soft = queries.soft_judgments(con, condition) if modelled else {}
        lacking = [source for source in chosen if source.name not in values.words]
        of_factors = {**values.words, **texts_queries.fingerprint_words(con, names, lacking)}
        judged = queries.fingerprint(con, names, study.judge)
        scales = _coded(values, scales, chosen, study.coding)
        at, pair = _places(values, said, by_judgment)
        x, pair_ids = values.x, values.unit
        if by_judgment:
            pair_ids = np.arange(said.columns["pair"].min(), said.columns["pair"].max() + 1)
        few = study.cluster == "pair" or len(np.unique(said.columns["prompt"])) < FEW_TO_DRAW
        places = in_order(con, "pair", np.asarray(pair_ids)) if few else None
        crossed: list[tuple[interactions.Crossing, interactions.Crossed]] = []
        if crossings:
            x, at, crossed = _cross(con, names, study, found, crossings, said, values, at, by_judgment)
    for judge in study.judge:
        require_hard(judge, soft.get(names.judges[judge][0], 0), study.ties)
    columns = study.factor
    for one, column in crossed:
        columns = (*columns, *column.names)
        x = np.concatenate([x, column.x.astype(x.dtype)])
        for name, row in zip(column.names, column.x, strict=True):
            scale = Scale(1.0, 0) if one.attribute is None else scales[one.factor]
            scales[name] = replace(scale, pairs=int(np.isfinite(row).sum()))
            of_factors[name] = texts_queries.digest(name, hashlib.sha256(np.sort(row).tobytes()).hexdigest())
    fingerprint = texts_queries.digest(judged, texts_queries.digest(*sorted(of_factors.values())))
    return Loaded(
        names, chosen, columns, said, x, scales, at, pair, pair_ids, complete_columns(x), n_empty, fingerprint,
        None if empty is None else np.isin(said.columns["pair"], empty), places,
    )  # fmt: skip


def clustering_of(study: Factors, loaded: Loaded) -> Clustering:
    """What hangs together. Raises OptionError where it is the annotators and nobody is named."""
    clustering = choose_clustering(study.cluster, loaded.n_prompts)
    if "annotator" in study.cluster:
        # Negative codes are judgments of which nobody is named.
        check_annotators(clustering, {"annotators": int((loaded.said.columns["annotator"] >= 0).sum())})
    return clustering


def _cross(
    con: Con, names: Catalog, study: Factors, found: Mapping[str, Source],
    crossings: Sequence[interactions.Crossing], said: Verdicts, of: Differences, at: NDArray[Any], by_judgment: bool,
) -> tuple[NDArray[Any], NDArray[Any], list[tuple[interactions.Crossing, interactions.Crossed]]]:  # fmt: skip
    """x and at, a column a judgment where an annotator's attribute is crossed, and the interactions."""
    x, pairs = of.x, of.unit
    if any(one.by_annotator for one in crossings) and not by_judgment:
        x, at = x[:, at], np.arange(len(said))
    if x is not of.x or by_judgment:
        pairs = np.zeros(x.shape[1], dtype=np.int64)
        pairs[at] = said.columns["pair"]
    out = []
    for one in crossings:
        if one.attribute is None:
            if by_judgment:
                raise OptionError(
                    f"--interact {one.factor}*{one.other}: factors whose values differ by judgment are not crossed "
                    "with one another; leave those factors out with --factor"
                )
            made = interactions.cross_factors(con, names, one, found)
            scale = rows_queries.scale_of(made.x[0]).value
            column = made.x[:, np.searchsorted(rows_queries.pair_ids(con, names), pairs)]
            if study.coding == "sign":
                column = np.sign(column)
            elif study.coding == "rms" and scale > 0:
                column = column / scale
            made = replace(made, x=column)
        else:
            if one.by_annotator:
                given = interactions.of_annotators(con, names, one, said.columns["annotator"])
                values: list[str | float | None] = [None] * x.shape[1]
                for column_at, value in zip(at.tolist(), given, strict=True):
                    values[column_at] = value
            else:
                values = interactions.of_pairs(con, names, one, pairs)
            row = x[study.factor.index(one.factor)]
            made = interactions.cross_attribute(one, row.astype(np.float64), values)
            if one.by_annotator:
                # A judge of whose annotators nothing is known has no such interaction; its rows are no missing ones.
                for judge in study.judge:
                    mine = at[said.columns["judge_id"] == names.judges[judge][0]]
                    if np.isnan(made.x[:, mine]).all():
                        made.x[:, mine] = 0.0
        out.append((one, made))
    return x, at, out


def fetch(
    store: Store, study: Factors, *, models: bool = False, scenarios: bool = False, together: bool = False
) -> FactorData:
    """The judgments of a resolved study, by judge: `load` and `arrange` in one."""
    loaded = load(store, study, columns_for(study, models=models, scenarios=scenarios))
    return arrange(study, loaded, models=models, scenarios=scenarios, together=together)


def columns_for(study: Factors, *, models: bool = False, scenarios: bool = False) -> list[str]:
    """What `load` has to read beside the usual for `arrange` to take."""
    wanted = {"annotator": "annotator" in study.cluster, "models": models, "scenario": scenarios}
    return [name for name, wish in wanted.items() if wish]


def arrange(
    study: Factors, loaded: Loaded, *, models: bool = False, scenarios: bool = False, together: bool = False
) -> FactorData:
    """What was loaded for the judges of a study, by judge. models, scenarios : with those of each pair

    together : the judges are held against one another, so that a factor which one of them never has is in no design;
    otherwise it is missing in that judge's alone

    Raises EmptySelectionError where there is nothing to fit.
    """
    modelled = study.ties in TIE_NAMES
    names, chosen, said, x = loaded.names, loaded.sources, loaded.said, loaded.x
    clustering = clustering_of(study, loaded)
    rows = {judge: np.flatnonzero(said.columns["judge_id"] == names.judges[judge][0]) for judge in study.judge}
    no_position = find_no_position(study.position, said, rows)
    ways = tuple(dict.fromkeys((*cluster_columns(clustering), "prompt", *(["scenario"] if scenarios else []))))
    designs, judgments = {}, {}
    missing: dict[str, dict[str, int]] = {name: {} for name in loaded.columns}
    never = said_never = _never(loaded, rows)
    if together:
        never = dict.fromkeys(never, tuple(dict.fromkeys(name for gone in never.values() for name in gone)))
    for judge, mine in rows.items():
        judgments[judge] = len(mine)
        at, pair = loaded.at[mine], loaded.pair[mine]
        has = [k for k, name in enumerate(loaded.columns) if name not in never[judge]]
        kept = (loaded.complete if len(has) == len(x) else complete_columns(x[has]))[at]
        if not kept.all():
            times = np.bincount(at, minlength=x.shape[1])
            for k in has:
                missing[loaded.columns[k]][judge] = int(times[np.isnan(x[k])].sum())
            mine, at, pair = mine[kept], at[kept], pair[kept]
        design = _design(loaded.columns, x, said, mine, at, pair, ways, judge not in no_position, modelled)
        if loaded.places is not None:
            design = replace(design, clusters={**design.clusters, "pair": loaded.places[design.clusters["pair"]]})
        designs[judge] = design.without(never[judge])
    if not any(len(design) for design in designs.values()):
        absent = [name for name in loaded.columns if any(missing[name].values()) or name in never[study.judge[0]]]
        which = words.listing(absent, 6)
        raise EmptySelectionError(f"every judgment of the selection lacks {which}: leave that factor out")
    return FactorData(
        names=names, sources=chosen, scales=loaded.scales, design=designs,
        models=_models(x.shape[1], said, loaded.at) if models else None, pair_ids=loaded.pair_ids,
        clustering=clustering, judgments=judgments, missing=missing, no_position=no_position,
        prompts=loaded.n_prompts, n_empty=loaded.n_empty, fingerprint=loaded.fingerprint, never=said_never,
    )  # fmt: skip


def _never(loaded: Loaded, rows: Mapping[str, NDArray[Any]]) -> dict[str, tuple[str, ...]]:
    """By judge, the factors that none of its judgments has. rows : positions of each judge's judgments

    All of its factors means none: then it is the judge that lacks something, which is said in its place.
    """
    if loaded.complete.all():
        return dict.fromkeys(rows, ())
    partly = [k for k, row in enumerate(loaded.x) if not np.isfinite(row).all()]
    out = {}
    for judge, mine in rows.items():
        at = loaded.at[mine]
        gone = [loaded.columns[k] for k in partly if len(at) and not np.isfinite(loaded.x[k][at]).any()]
        out[judge] = tuple(gone) if len(gone) < len(loaded.columns) else ()
    return out


def _coded(values: Differences, scales: Mapping[str, Scale], chosen: Sequence[Source], coding: str) -> dict[str, Scale]:
    """Scale the differences in place; returns what each was divided by."""
    out = {}
    for k, source in enumerate(chosen):
        scale = scales[source.name]
        if coding == "sign":
            np.sign(values.x[k], out=values.x[k])
        if coding != "rms":
            scale = replace(scale, value=1.0 if scale.pairs else float("nan"))
        elif scale.value > 0:
            values.x[k] /= scale.value
        out[source.name] = scale
    return out


def complete_columns(x: NDArray[Any]) -> NDArray[np.bool_]:
    whole = np.ones(x.shape[1], dtype=bool)
    for row in x:
        whole &= np.isfinite(row)
    return whole


def _places(values: Differences, said: Verdicts, by_judgment: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """For each judgment its column of x, and the number of its pair."""
    pair = said.columns["pair"]
    if by_judgment:
        return np.searchsorted(values.unit, said.columns["judgment"]), pair - pair.min()
    first, last = values.unit[0], values.unit[-1]
    at = pair - first if last - first == len(values.unit) - 1 else np.searchsorted(values.unit, pair)
    return at, at


def _design(
    factors: tuple[str, ...], x: NDArray[Any], said: Verdicts, rows: NDArray[Any], at: NDArray[Any],
    pair: NDArray[Any], ways: Sequence[str], position: bool, modelled: bool,
) -> Design:  # fmt: skip
    """One judge's rows in the order of their columns, summed where alike."""
    columns = said.columns
    ascending = bool((at[1:] >= at[:-1]).all())
    orders = 3 if position else 1
    # Where hardly any are alike, summing them costs more than it saves.
    alike = not ascending or len(at) > ALIKE * (1 + np.count_nonzero(at[1:] != at[:-1]))
    if alike and "annotator" not in ways and x.shape[1] * orders <= TABLE * len(rows) + MOST_EMPTY:
        frame = _summed(said, rows, at, pair, ways, x.shape[1], orders, modelled)
    else:
        if not ascending:
            order = np.argsort(at, kind="stable")
            rows, at, pair = rows[order], at[order], pair[order]
        plain = columns["weight"].strides == (0,)
        n, score = len(rows), columns["p_a"][rows]
        weight = np.broadcast_to(np.float64(1.0), (n,)) if plain else columns["weight"][rows]
        frame = {"at": at, "pair": pair, "weight": weight, "score": score if plain else weight * score}
        frame |= {way: columns[way][rows] for way in ways if way != "pair"}
        frame["n"] = np.broadcast_to(np.int64(1), (n,))
        if position:
            frame["shown"] = columns["shown"][rows]
        if modelled:
            frame["tied"] = weight * columns["tied"][rows]
    if x.dtype == np.float32:
        # So many that each pass would turn the columns into the type of the differences anew.
        frame |= {
            name: frame[name].astype(np.float32) for name in ("score", "weight") if frame[name].strides != (0,)
        }
    return Design(
        names=factors, x=x, at=frame["at"], pair=frame["pair"], weight=frame["weight"], score=frame["score"],
        count=frame["n"], first=frame.get("shown"), tied=frame.get("tied"),
        clusters={way: frame["pair" if way == "pair" else way] for way in dict.fromkeys((*ways, "pair"))},
    )  # fmt: skip


def _summed(
    said: Verdicts, rows: NDArray[Any], at: NDArray[Any], pair: NDArray[Any], ways: Sequence[str], n: int,
    orders: int, modelled: bool,
) -> dict[str, NDArray[Any]]:  # fmt: skip
    """Judgments alike in column and shown order as one row, by counting into a table of both.

    n : columns of x; what clusters a judgment (its prompt, pair, scenario) is the same for all of a column
    """
    columns = said.columns
    key = at.astype(np.int64) * orders
    if orders > 1:
        key += columns["shown"][rows] + 1
    size = n * orders
    count = np.bincount(key, minlength=size)
    kept = np.flatnonzero(count)
    count = count[kept]
    weight = None if columns["weight"].strides == (0,) else columns["weight"][rows]
    total: NDArray[Any] = count.astype(np.float64) if weight is None else np.bincount(key, weight, size)[kept]

    def summed(values: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(np.bincount(key, values if weight is None else weight * values, size)[kept])

    where = kept // orders
    score = np.minimum(summed(columns["p_a"][rows]), total)
    frame: dict[str, NDArray[Any]] = {"at": where, "weight": total, "score": score, "n": count}
    if orders > 1:
        frame["shown"] = (kept % orders - 1).astype(np.int8)
    if modelled:
        frame["tied"] = summed(columns["tied"][rows])
    for name, of_row in {"pair": pair, **{way: columns[way][rows] for way in ways if way != "pair"}}.items():
        of_column = np.zeros(n, dtype=of_row.dtype)
        of_column[at] = of_row
        frame[name] = of_column[where]
    return frame


def _models(n: int, said: Verdicts, at: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Model ids of each column of x."""
    sides = []
    for name in ("a", "b"):
        column = np.full(n, rows_queries.UNNAMED, dtype=np.int64)
        column[at] = said.columns[name]
        sides.append(column)
    return sides[0], sides[1]


def find_no_position(wish: str, said: Verdicts, rows: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    """By judge for whom no position term is fitted, why. rows : positions of each judge's judgments

    Each judge for itself: what is known of another does not change a judge's weights.
    """
    shown = said.columns["shown"]
    out = {}
    for judge, mine in rows.items():
        if wish == "without":
            out[judge] = "it was left out on request"
            continue
        known = float((shown[mine] != 0).mean()) if len(mine) else 0.0
        side = _always(said, mine)
        if known == 0:
            out[judge] = NOT_RECORDED
        elif side is not None:
            out[judge] = f"here the response shown {side} always wins"
        elif wish == "auto" and known < KNOWN_ORDER:
            out[judge] = (
                f"the shown order is known for {np.floor(1000 * known) / 10:.1f} % of the judgments, and "
                f"{100 * KNOWN_ORDER:.0f} % are asked for"
            )
    if wish == "with" and set(out.values()) == {NOT_RECORDED} and len(out) == len(rows):
        raise OptionError("--position with: this file does not record which response was shown first")
    return out


def _always(said: Verdicts, rows: NDArray[Any]) -> str | None:
    """Which side these judgments always prefer, first or second, where they decide and the order is known; None:
    neither."""
    found: set[int] = set()
    # Both sides win among the first few judgments of nearly every judge.
    for start in range(0, len(rows), FIRST_FEW):
        some = rows[start : start + FIRST_FEW]
        toward = said.columns["shown"][some] * np.sign(said.columns["p_a"][some] - 0.5)
        found |= {int(one) for one in np.unique(toward) if one}
        if len(found) > 1:
            return None
    return None if not found else "first" if found == {1} else "second"


def cells_of(data: FactorData, judge: str, some: Design) -> Cells:
    """The rows of a judge's design between two different named models, with their factors as covariates."""
    assert data.models is not None
    a, b = data.models[0][some.at], data.models[1][some.at]
    kept = np.flatnonzero((a >= 0) & (b >= 0) & (a != b))
    by_id = {i: name for name, i in data.names.models.items()}
    met = sorted({*np.unique(a[kept]).tolist(), *np.unique(b[kept]).tolist()}, key=lambda i: by_id[i])
    place = np.full(max(met, default=0) + 1, -1, dtype=np.int64)
    place[met] = np.arange(len(met))
    rows = some.take(kept)
    return Cells(
        models=tuple(by_id[i] for i in met), i=place[a[kept]], j=place[b[kept]], weight=np.array(rows.weight),
        score=np.asarray(rows.score, dtype=np.float64), count=np.array(rows.count),
        first=None if rows.first is None else rows.first.astype(np.float64), tied=rows.tied,
        clusters=rows.clusters,
        covariates={name: rows.x[k].astype(np.float64)[rows.at] for k, name in enumerate(rows.names)},
    )  # fmt: skip


