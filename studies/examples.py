"""Which pairs stand behind a number, and what did every judge say of them?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from analysis.cells import fold_to_pairs
from analysis.connectivity import find_kept
from charts import words
from data import queries
from data.model import Progress, option
from data.queries import Catalog, Con, examples
from data.queries.examples import COUNTED, Narrowing, PairsBehind
from data.store import Store
from errors import EmptySelectionError, OptionError, UnknownNameError, unknown_name
from studies.cells import judge_cells, models_met
from studies.examples_words import order_in_words, summary, what_is_listed
from studies.marks import MARKABLE, mark
from studies.study import Fitted, Result, Study, human_first, register

TIES = next(f for f in fields(Fitted) if f.name == "ties").metadata["choices"]

OUTCOMES = (None, "a", "b", "tie", "split", "won", "lost", "both_bad", "none")
DISAGREE = (None, "opposite", "any")
ORDERS = ("disagreement", "pair", "given")


@register
@dataclass(frozen=True)
class Examples(Study):
    """The pairs behind a number: prompt, both answers, and what every judge said of them."""

    command: ClassVar[str] = "examples"
    hides: ClassVar[bool] = False
    title: ClassVar[str] = "Examples"
    reads_others: ClassVar[bool] = True

    between: tuple[str, ...] = option((), "only pairs of these two models (given twice)", names="model")
    with_model: str | None = option(None, "only pairs in which this model took part", names="model")
    disagree: str | None = option(
        None,
        "only pairs on which the majorities of two judges part: opposite sides, or any difference (a tie against a "
        "side too)",
        choices=DISAGREE,
    )
    disagreeing: tuple[str, ...] = option(
        (), "which two judges disagree (given twice); left out: the first chosen judge and any other", names="judge"
    )
    outcome: str | None = option(
        None,
        "only pairs of which a judge's majority says this: a, b, tie, split (no unique majority), won or lost (by the "
        "model of --with-model, or the first of --between); or with one verdict at least that is both_bad or none",
        choices=OUTCOMES,
    )
    by: str | None = option(None, "whose outcome; left out: the first chosen judge's", names="judge")
    order: str = option(
        "disagreement",
        "strongest disagreement of the first judge with another first, as stored, or as given with --only",
        choices=ORDERS,
    )
    only: tuple[int, ...] = option((), "only these pairs (their numbers in this store; repeatable)", advanced=True)
    pair: int | None = option(None, "begin with this pair (its number in this store)")
    limit: int = option(20, "how many pairs")
    offset: int = option(0, "how many pairs to pass over first")
    counted: str = option(
        "all",
        "which judgments a pair must have: all (any), given (with a verdict), ranked (what rankings use), or what they "
        "leave out: no-verdict, one-model, unnamed, ties; unknown-order, identical: what the health check found",
        choices=tuple(COUNTED),
        advanced=True,
    )
    ties: str = option(
        "half", "with --counted ranked: how ties enter the ranking; drop leaves them out", choices=TIES, advanced=True
    )
    shared: bool = option(False, "only pairs that each of the chosen judges judged", advanced=True)
    fitted: bool = option(
        False, "only pairs of models that get a strength from each of the chosen judges", advanced=True
    )
    lacking: tuple[str, ...] = option((), "only pairs that this judge did not judge (repeatable)", names="judge",
                                      advanced=True)  # fmt: skip
    unlabelled: bool = option(False, "only pairs whose scenario is not known", advanced=True)
    mark: str | None = option(
        None, "mark in both answers what this factor of the text counted: its places are the table marks, how many "
        "there are the columns marked_a and marked_b", choices=(None, *MARKABLE), advanced=True,
    )  # fmt: skip
    all_criteria: bool = option(
        False, "judgments of every criterion and variant count, not of the chosen ones only", advanced=True
    )

    # -- what the options mean ------------------------------------------------------------------------------------

    @property
    def behind(self) -> PairsBehind:
        """The pairs asked for, before what judges must say of them."""
        return PairsBehind(
            judges=self.judge, shared=self.shared, counted=self.counted, ties=self.ties, between=self.between,
            model=self.with_model, fitted=self.fitted, scenario="" if self.unlabelled else None, lacking=self.lacking,
            any_criterion=self.all_criteria, only=self.only,
        )  # fmt: skip

    @property
    def focal(self) -> str | None:
        """The model that wins or loses."""
        return self.with_model or (self.between[0] if self.between else None)

    @property
    def narrowing(self) -> Narrowing:
        """What judges must say, of a resolved study."""
        return Narrowing(self.disagree, self.two, self.outcome, self.by, self.focal)

    @property
    def two(self) -> tuple[str, ...]:
        """Who disagrees: two judges, or the first alone, with any other."""
        return self.disagreeing or self.judge[: 2 if len(self.judge) == 2 else 1]

    def default_judges(self, names: Catalog) -> tuple[str, ...]:
        """All judges, the human one first where there is one alone."""
        return human_first(names)

    def resolve(self, store: Store) -> Self:
        self._check_options()
        with store.reading("resolving examples") as con:
            study = super().resolve(store)
            names = queries.catalog(con, study)
        where = f"in dataset {names.dataset!r}"
        known: dict[str, Mapping[str, Any]] = {"model": names.models, "judge": names.judges}
        for each in fields(self):
            if each.name in ("judge", "model") or each.metadata["names"] not in known:
                continue
            kind, value = each.metadata["names"], getattr(study, each.name)
            for name in value if isinstance(value, tuple) else () if value is None else (value,):
                if name not in known[kind]:
                    raise unknown_name(f"{kind} {where}", name, known[kind])
        if study.disagree is not None and len(study.judge) < 2:
            raise EmptySelectionError(f"--disagree needs two judges; {where} {study.judge[0]!r} alone is chosen")
        if study.outcome is not None and study.by is None:
            study = replace(study, by=study.judge[0])
        for judge in (*study.disagreeing, study.by):
            if judge is not None and judge not in study.judge:
                raise OptionError(f"{judge!r} is not among the chosen judges: add --judge for it")
        return study

    def _check_options(self) -> None:
        if self.between and len(set(self.between)) != 2:
            raise OptionError("--between: two different models, given as --between ONE --between OTHER")
        if self.disagreeing and len(set(self.disagreeing)) != 2:
            raise OptionError("--disagreeing: two different judges, given as --disagreeing ONE --disagreeing OTHER")
        if self.disagreeing and self.disagree is None:
            raise OptionError("--disagreeing: say how they disagree with --disagree opposite or any")
        if self.by is not None and self.outcome is None:
            raise OptionError("--by: say what this judge's verdict is with --outcome")
        if self.outcome in ("won", "lost") and self.focal is None:
            raise OptionError(f"--outcome {self.outcome}: say which model with --with-model or --between")
        if self.unlabelled and self.scenario:
            raise OptionError("--unlabelled: pairs of no known scenario are in none; leave --scenario out")
        if self.order == "given" and not self.only:
            raise OptionError("--order given: say which pairs with --only")
        if self.limit < 1 or self.offset < 0:
            raise OptionError("--limit and --offset: at least one pair, and none or more passed over")

    def stamp(self, con: Con, names: Catalog) -> str:
        """All judges are shown, and pairs go by their numbers, which a new import may change."""
        return f"{queries.fingerprint(con, names, tuple(names.judges))} {examples.last_import(con, names)}"

    # -- the answer -----------------------------------------------------------------------------------------------

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "finding the pairs")
        with store.reading("finding examples") as con:
            names = queries.catalog(con, self)
            fingerprint = queries.fingerprint(con, names, tuple(names.judges))
            kept = self._fitted(con, names) if self.fitted else None
            condition = self.behind.where(self, names, kept=kept)
            by_distance = self.order == "disagreement" and len(self.judge) > 1
            listing = examples.find_pairs(
                con, condition, self.narrowing.clauses(condition, names),
                names.judges[self.judge[0]][0] if by_distance else None,
                self.only if self.order == "given" else (),
            )  # fmt: skip
            n = len(listing.pairs)
            if n == 0:
                raise EmptySelectionError(f"there are {what_is_listed(self, 0, names)}")
            first = self._first(listing.pairs)
            window = [int(pair) for pair in listing.pairs[first : first + self.limit]]
            table = examples.texts(con, window)
            verdicts = examples.verdicts(con, window, condition)
            judges = examples.summaries(con, window, condition, names)
        table.insert(len(table.columns), "verdicts", summary(table["pair"], judges))
        tables = {"examples": table, "judges": judges, "verdicts": verdicts}
        if self.mark is not None:
            tables["examples"], tables["marks"] = mark(table, self.mark)
        progress(1.0, "done")
        listed = f"{what_is_listed(self, n, names)}, with {words.plural(listing.judgments, 'judgment')}"
        return Result(
            study=self,
            tables={name: _plain(one) for name, one in tables.items()},
            values={
                "pairs": n,
                "judgments": listing.judgments,
                "prompts": listing.prompts,
                "position": first + 1,
                "previous": int(listing.pairs[first - 1]) if first else None,
                "next": int(listing.pairs[first + 1]) if first + 1 < n else None,
            },
            settings=self.settings(),
            warnings=(),
            caption=f"{listed[:1].upper()}{listed[1:]}; {order_in_words(self, by_distance)}; dataset {names.dataset}.",
            fingerprint=fingerprint,
        )

    def _first(self, pairs: np.ndarray) -> int:
        """Where in the list the answer begins."""
        start = 0
        if self.pair is not None:
            found = np.flatnonzero(pairs == self.pair)
            if not len(found):
                raise UnknownNameError(
                    f"pair {self.pair} is not among the {len(pairs):,} that these options leave: leave --pair out, or "
                    "widen them"
                )
            start = int(found[0])
        first = start + self.offset
        if first >= len(pairs):
            raise EmptySelectionError(f"--offset {self.offset}: there are only {len(pairs) - start:,} pairs from there")
        return first

    def _fitted(self, con: Con, names: Catalog) -> tuple[str, ...]:
        """The models on one scale for each of the judges: leaving one out can cut off others, until none is."""
        base = self.behind.base(self, names)
        counts = queries.counts(con, base)
        models = models_met(counts, names)
        cells = [judge_cells(counts, names, judge, models) for judge in self.judge]
        while True:
            kept = set(models)
            for one in cells:
                kept &= {models[k] for k in find_kept(fold_to_pairs(one.among(models)), models).kept}
            left = tuple(model for model in models if model in kept)
            if left == models or len(left) < 2:
                return left
            models = left


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """With what is undefined missing, never a NaN."""
    out = table.copy()
    for name in out.columns:
        if out[name].dtype.kind == "f":
            out[name] = out[name].astype("Float64")
        elif out[name].dtype == object:
            out[name] = out[name].where(out[name].notna(), None)
    return out
