"""Which flags lower a rating or lose a comparison, the others taken into account? A Lasso, and how stable it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.alike import sum_alike
from analysis.cells import Floats
from analysis.error_lasso import PUBLISHED, RESAMPLES, FlagLasso, fit_flag_lasso
from charts import words
from data import queries
from data.model import Progress, option
from data.queries import texts as texts_queries
from data.queries.differences import scale_of
from data.store import Store
from errors import ConvergenceError, NotIdentifiedError, OptionError, unknown_name
from studies.extract import versions
from studies.factor_options import Factors
from studies.factor_sides import Sided, clustering_of, load_sides, plain_only
from studies.factors_fit import left_out
from studies.refused import nobody, sentences
from studies.said import about_left_out, once
from studies.study import Result, register

FEW = 30

Rows = tuple[Floats, Floats, Floats, NDArray[Any], NDArray[Any]]
"""x, y, weight, cluster, and how many judgments or answers each row stands for."""

UNITS = {
    "auto": "flags as they are, other factors over one scale",
    "rms": "differences over one scale",
    "sign": "signs of differences",
    "raw": "values as they are",
}


@register
@dataclass(frozen=True)
class FactorsLasso(Factors):
    """Which flags a Lasso keeps, on comparisons or on ratings of single answers, and in how many draws of prompts."""

    command: ClassVar[str] = "factors lasso"
    title: ClassVar[str] = "Which flags count"
    models_ties: ClassVar[bool] = False
    clusterings: ClassVar[tuple[str, ...]] = ("auto", "prompt", "pair", "none")
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "factor": "factor", "coefficient": "coefficient", "selected": "kept in draws",
        "lowest": "5th percentile", "highest": "95th",
    }  # fmt: skip

    coding: str = option(
        "auto", "how factors enter: flags as they are and others over one scale (auto), all over one scale, as signs "
        "of differences, or as they are", label="Differences as", choices=tuple(UNITS), advanced=True,
    )  # fmt: skip
    rating: str | None = option(
        None, "a delivered number that rates each answer: explain it answer by answer instead of the verdicts",
        label="Rating", advanced=True,
    )  # fmt: skip
    penalty: float = option(
        PUBLISHED, "the Lasso's alpha; published for ratings from 1 to 5: .01", label="Penalty", advanced=True
    )
    choose_penalty: bool = option(
        False, "choose the penalty by cross-validation over prompts instead", label="Choose the penalty", advanced=True
    )

    def resolve(self, store: Store) -> Self:
        plain_only(self, "factors lasso goes factor by factor", "position", "interact")
        if self.cluster not in self.clusterings:
            raise OptionError(f"--cluster {self.cluster}: here whole prompts are drawn, or pairs (answers, of ratings)")
        if not (math.isfinite(self.penalty) and self.penalty > 0):
            raise OptionError(f"--penalty {self.penalty}: a number above 0, as .01")
        if self.rating is not None and self.coding == "sign":
            raise OptionError("--coding sign is of differences, and --rating takes answers one by one")
        study = super().resolve(store)
        if study.rating is not None:
            with store.reading("looking for the rating") as con:
                names = queries.catalog(con, study)
                found = texts_queries.sources(con, names, versions())
            numeric = [name for name, source in found.items() if not source.labels and source.level is None]
            if study.rating not in numeric:
                raise unknown_name(f"number that could be a rating in dataset {names.dataset!r}", study.rating, numeric)
        return study

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "joining judgments with the values of their answers")
        rating = self.rating
        sided = load_sides(store, self, also=[] if rating is None else [rating])
        way = self._way(sided)
        factors = tuple(name for name in self.factor if name != rating)
        if not factors:
            raise OptionError("the rating is the only factor: choose with --factor what is to explain it")
        a, b = (np.array([side[sided.key[name]] for name in factors]) for side in (sided.a, sided.b))
        a, b = self._coded(a, b, sided, factors)
        found: dict[str, FlagLasso] = {}
        reasons: dict[str, str] = {}
        whose = self.judge if rating is None else (rating,)
        for k, who in enumerate(whose):

            def report(share: float, k: int = k, who: str = who) -> None:
                progress((k + share) / len(whose), f"drawing prompts anew for {who}")

            report(0.0)
            try:
                x, y, weight, cluster, count = (
                    self._verdicts(sided, who, a, b, way) if rating is None else _ratings(sided, rating, a, b, way)
                )
                found[who] = fit_flag_lasso(
                    factors, x, y, weight, cluster, intercept=rating is not None,
                    penalty=None if self.choose_penalty else self.penalty, rng=np.random.default_rng(self.seed),
                    way=way, count=count, report=report,
                )  # fmt: skip
            except (NotIdentifiedError, ConvergenceError) as error:
                reasons[who] = str(error)
        if not found:
            raise nobody(reasons)
        tables = []
        for who, one in found.items():
            table = one.table()
            table.insert(0, "judge", who)
            tables.append(table)
        progress(1.0, "done")
        return Result(
            study=self,
            tables={
                "lasso": pd.concat(tables, ignore_index=True),
                "judges": pd.DataFrame([_row(who, one) for who, one in found.items()]),
                "left_out": left_out({who: one.left_out for who, one in found.items()}),
            },
            values={},
            settings=self.settings() | {"resamples": RESAMPLES},
            warnings=tuple(dict.fromkeys([
                *sentences(reasons), *sided.warnings, *once({who: _warnings(one) for who, one in found.items()}),
                "coefficients are shrunk towards 0 and have no p-values; of factors that go together a Lasso may keep "
                "either, which shows in how often each is kept",
            ])),
            caption=self._caption(found, sided),
            fingerprint=sided.fingerprint,
        )  # fmt: skip

    def _coded(self, a: Floats, b: Floats, sided: Sided, factors: tuple[str, ...]) -> tuple[Floats, Floats]:
        """Values in the units they enter by; signs of differences are taken later."""
        if self.coding in ("raw", "sign"):
            return a, b
        scales = np.ones(len(factors))
        for k, name in enumerate(factors):
            flag = name not in sided.factors or sided.is_flag(name)
            scale = scale_of(a[k] - b[k]).value
            if (self.coding == "rms" or not flag) and scale > 0:
                scales[k] = scale
        return a / scales[:, None], b / scales[:, None]

    def _way(self, sided: Sided) -> str:
        """What is drawn and held out as a whole."""
        name = clustering_of(self, sided).name
        if name == "prompt":
            return name
        return "pair" if self.rating is None else "answer"

    def _verdicts(
        self, sided: Sided, judge: str, a: Floats, b: Floats, way: str
    ) -> Rows:
        """One row for a judge's judgments alike: differences, 2 p_a - 1, weight, cluster."""
        mine = sided.rows(judge)
        if not len(mine):
            raise NotIdentifiedError("no judgment of the selection is its own")
        said = sided.said.columns
        rows = sum_alike(
            sided.at[mine], said["p_a"][mine], said["weight"][mine],
            {way: sided.pair[mine] if way == "pair" else said[way][mine],
             "p_a": (said["p_a"][mine] * 2**40).astype(np.int64)},
        )  # fmt: skip
        x = (a - b)[:, rows.at].T
        if self.coding == "sign":
            x = np.sign(x)
        return x, 2 * rows.score / rows.weight - 1, rows.weight, rows.clusters[way], rows.count

    def _caption(self, found: Mapping[str, FlagLasso], sided: Sided) -> str:
        one = next(iter(found.values()))
        what = "verdict" if self.rating is None else "answer"
        how = f"chosen in folds of whole {one.way}s" if self.choose_penalty else (
            "as published" if self.penalty == PUBLISHED else "as asked for"
        )  # fmt: skip
        whose = ", ".join(f"{who} ({words.plural(fit.n, what)})" for who, fit in found.items())
        of = "ratings of answers by" if self.rating is not None else "verdicts (1, 0 for a tie, −1) of"
        return (
            f"Lasso of the {of} {whose} on {words.plural(len(one.names), 'factor')} ({UNITS[self.coding]}); "
            f"{words.plural(sided.n_prompts, 'prompt')}; penalty {_plain(one.penalty)}, {how}. Kept: share of "
            f"{RESAMPLES} draws of whole {one.way}s, with the 5th and 95th percentile of the coefficients drawn."
        )


def _ratings(
    sided: Sided, rating: str, a: Floats, b: Floats, way: str
) -> Rows:
    """One row an answer: the means of its factors and its rating over the judgments that it is in, weight, cluster."""
    said = sided.said.columns
    ids = np.concatenate([sided.response_a[sided.at], sided.response_b[sided.at]])
    response, code = np.unique(ids, return_inverse=True)
    prompt = np.zeros(len(response), dtype=np.int64)
    prompt[code] = np.tile(said["prompt"], 2)

    def mean(first: Floats, second: Floats) -> Floats:
        values = np.concatenate([first[sided.at], second[sided.at]])
        known = np.isfinite(values)
        n = np.bincount(code[known], minlength=len(response))
        total = np.bincount(code[known], values[known], len(response))
        return np.asarray(np.divide(total, n, out=np.full(len(response), np.nan), where=n > 0))

    one = np.ones(len(response))
    x = np.stack([mean(first, second) for first, second in zip(a, b, strict=True)], axis=1)
    return x, mean(sided.a[rating], sided.b[rating]), one, (
        prompt if way == "prompt" else np.arange(len(response))
    ), one.astype(np.int64)  # fmt: skip


def _plain(penalty: float) -> str:
    return f"{penalty:.3g}".removeprefix("0")


def _row(who: str, one: FlagLasso) -> dict[str, Any]:
    return {
        "judge": who, "kept": int(one.kept.sum()), "factors": len(one.names), "intercept": one.intercept,
        "penalty": one.penalty, "r2": one.r2, "r2_held_out": one.r2_held_out, "rows": one.n, "clusters": one.n_clusters,
        "clustering": one.way, "missing": one.missing,
    }  # fmt: skip


def _warnings(one: FlagLasso) -> list[str]:
    said = about_left_out(one.left_out)
    if one.missing:
        lack = "1 row lacks a factor and is" if one.missing == 1 else f"{one.missing:,} rows lack a factor and are"
        said.append(f"{lack} left out")
    if not one.kept.any():
        said.append(
            f"with a penalty of {_plain(one.penalty)} nothing is kept: take a smaller --penalty, or --choose-penalty"
        )
    if one.n_clusters < FEW:
        said.append(
            f"how often something is kept is rough with {words.plural(one.n_clusters, one.way)}: from {FEW} on it can "
            "be relied on"
        )
    return said
