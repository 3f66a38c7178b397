"""From the store to pairs: what people and a judge said about each, and what else is known of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.bradley_terry import fit_bradley_terry
from analysis.cells import Floats
from analysis.fair_sample import Trait
from analysis.judged_pairs import JudgedPairs
from data import queries
from data.model import Selection
from data.queries import Catalog, Con
from data.queries import ppi as ppi_queries
from data.queries.order import in_order
from errors import NotIdentifiedError

MOST = 200
"""Scenarios, and models, whose shares are compared: those with the most pairs."""

FAR = 2.0
"""How many times as long the longer answer of a pair is that counts as much longer."""


@dataclass(frozen=True)
class Fetched:
    """Pairs with the judge's verdict.

    pairs : over the models met, alphabetically; scenario : (n_pairs,) ids, -1 where none is known
    length_a, length_b : (n_pairs,) characters, NaN where a text is absent; tied : (n_pairs,) share of the judge's
        verdicts that are ties
    n_judgments : of both judges on these pairs; n_human_only : pairs with people's votes that the judge did not judge
    """

    pairs: JudgedPairs
    scenario: np.ndarray
    length_a: Floats
    length_b: Floats
    tied: Floats
    n_judgments: int
    n_human_only: int

    def prompts(self, labelled: bool | None = None) -> int:
        """Distinct prompts, of all pairs or of one kind."""
        codes = self.pairs.clusters["prompt"]
        return len(np.unique(codes if labelled is None else codes[self.pairs.labelled == labelled]))


def fetch_pairs(
    con: Con, study: Selection, names: Catalog, human: str, judge: str, ties: str, *, in_places: bool = False
) -> Fetched:
    """The pairs of a resolved selection that `judge` judged; ties : half or drop.

    in_places : in an order that does not hang on how the store was filled, for drawing some of them
    """
    condition = queries.where(study, names)
    rows = ppi_queries.judged_pairs(con, condition, names.judges[human][0], names.judges[judge][0])
    keep = np.flatnonzero(rows["judge_n"] > 0)
    n_human_only = len(rows["pair"]) - len(keep)
    if in_places:
        keep = keep[np.argsort(in_order(con, "pair", rows["pair"][keep]), kind="stable")]
    rows = {name: column[keep] for name, column in rows.items()}
    lengths = ppi_queries.response_lengths(con, condition)
    length_a, length_b = np.full((2, len(keep)), np.nan)
    _, here, there = np.intersect1d(rows["pair"], lengths["pair"], assume_unique=True, return_indices=True)
    length_a[here], length_b[here] = lengths["a"][there], lengths["b"][there]
    return Fetched(
        pairs=_pairs(rows, names, ties),
        scenario=rows["scenario"],
        length_a=length_a,
        length_b=length_b,
        tied=rows["judge_tied"] / np.maximum(rows["judge_n"], 1),
        n_judgments=int(rows["human_n"].sum() + rows["judge_n"].sum()),
        n_human_only=n_human_only,
    )


def _pairs(rows: ppi_queries.Columns, names: Catalog, ties: str) -> JudgedPairs:
    met = np.union1d(rows["a"], rows["b"])
    by_id = {i: name for name, i in names.models.items()}
    models = tuple(names.display.alphabetically("model", (by_id[int(i)] for i in met)))
    place = np.full(max(names.models.values(), default=0) + 1, -1, dtype=np.int64)
    place[[names.models[name] for name in models]] = np.arange(len(models))
    labelled = rows["human_n"] > 0
    shares: dict[str, Floats] = {}
    for who in ("human", "judge"):
        weight, score = rows[f"{who}_weight"].astype(np.float64), rows[f"{who}_score"].astype(np.float64)
        some = np.where(weight > 0, weight, 1.0)
        share, mean = np.where(weight > 0, 1.0, 0.0), score / some
        if ties == "drop":
            share = rows[f"{who}_decided"] / some
            mean = mean - (rows[f"{who}_weight"] - rows[f"{who}_decided"]) / some / 2
        shares |= {f"{who}_weight": share, f"{who}_score": np.clip(mean, 0.0, share)}
    return JudgedPairs(
        models=models,
        a=place[rows["a"]],
        b=place[rows["b"]],
        labelled=labelled,
        weight=np.where(
            labelled,
            rows["human_weight"] / np.maximum(rows["human_n"], 1),
            rows["judge_weight"] / np.maximum(rows["judge_n"], 1),
        ),
        clusters={"pair": rows["pair"], "prompt": rows["prompt"]},
        **shares,
    )


def traits(fetched: Fetched, names: Catalog) -> Iterator[Trait]:
    """By what labelled and unlabelled pairs may differ: scenario, models, lengths, and the judge's verdicts.

    Length "both above the median": of both answers together; "one twice the other": at least. Verdict "for the model
    ranked higher": by the judge itself; where it seldom is, pairs are hard.
    """
    pairs = fetched.pairs
    by_id = {i: name for name, i in names.scenarios.items()}
    known, counts = np.unique(fetched.scenario[fetched.scenario >= 0], return_counts=True)
    for i in known[np.argsort(-counts, kind="stable")][:MOST] if len(known) > 1 else ():
        yield Trait("scenario", by_id[int(i)], (fetched.scenario == i).astype(np.float64))
    often = np.bincount(pairs.a, minlength=len(pairs.models)) + np.bincount(pairs.b, minlength=len(pairs.models))
    for k in np.argsort(-often, kind="stable")[:MOST] if len(pairs.models) > 2 else ():
        yield Trait("model", pairs.models[k], ((pairs.a == k) | (pairs.b == k)).astype(np.float64))
    yield Trait("verdict", "a tie", fetched.tied)
    yield from _by_strength(pairs)
    long_a, long_b = fetched.length_a, fetched.length_b
    unknown = np.isnan(long_a) | np.isnan(long_b)
    if unknown.all():
        return
    together = long_a + long_b
    shorter, longer = np.fmin(long_a, long_b), np.fmax(long_a, long_b)

    def where_known(has: np.ndarray) -> Floats:
        return np.where(unknown, np.nan, has)

    median = float(np.nanmedian(together))
    yield Trait("length", "both above the median", where_known(together > median))
    yield Trait("length", "one twice the other", where_known(longer >= FAR * shorter))
    for_longer = np.where(long_a == long_b, np.nan, _preferred(pairs, long_a > long_b))
    yield Trait("verdict", "for the longer answer", where_known(for_longer))


def _by_strength(pairs: JudgedPairs) -> Iterator[Trait]:
    try:
        fit = fit_bradley_terry(pairs.cells("judge"))
    except NotIdentifiedError:
        return
    strength = np.full(len(pairs.models), np.nan)
    strength[[pairs.models.index(name) for name in fit.models]] = fit.strength
    ahead = strength[pairs.a] - strength[pairs.b]
    has = np.where(np.isnan(ahead) | (ahead == 0), np.nan, _preferred(pairs, ahead > 0))
    yield Trait("verdict", "for the model ranked higher", has)


def _preferred(pairs: JudgedPairs, side_a: np.ndarray) -> Floats:
    """(n_pairs,) the judge's mean preference for one side, a tie being half; NaN where no verdict counts."""
    some = pairs.judge_weight > 0
    mean = np.where(some, pairs.judge_score / np.where(some, pairs.judge_weight, 1.0), np.nan)
    return np.asarray(np.where(side_a, mean, 1.0 - mean))
