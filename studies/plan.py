"""One judge's plan: which models need a link, which pairs tell most, and under which prompts they can be had."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from analysis.bradley_terry import BradleyTerry, fit_bradley_terry, restrict
from analysis.cells import Cells, Floats, Ints, fold_to_pairs
from analysis.next_pairs import Links, Loose, Plan, design_effect, plan_links, plan_pairs, prior_covariance
from analysis.sandwich import strength_covariance
from analysis.tables import floats, integers
from analysis.vcov import Clustering, Covariance
from analysis.work_list import assign_prompts
from charts import words
from errors import NotIdentifiedError
from studies.ground import Ground, Room

MOST_MODELS = 1000
"""Ranked models looked at; of more only those known least."""

HEAVY_EFFECT = 2.0
"""From this design effect on new prompts are what helps."""


@dataclass(frozen=True)
class JudgePlan:
    """The plan for one judge, over the ground's models.

    a, b, ask, gain, why : (n_rows,) links first; gain is NaN where no strength is known yet
    have, available : (n_rows,) judgments of the pair so far, and how many can be had
    fit, covariance : None where the verdicts determine no strength; kept : indices of the models with a planned width
    before, after : (n_kept,) standard errors
    """

    judge: str
    a: Ints
    b: Ints
    ask: Ints
    gain: Floats
    why: tuple[str, ...]
    have: Ints
    available: Ints
    n_judgments: int
    n_links: int
    fit: BradleyTerry | None = None
    covariance: Covariance | None = None
    effect: float | None = None
    kept: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    before: Floats = field(default_factory=lambda: np.zeros(0))
    after: Floats = field(default_factory=lambda: np.zeros(0))
    level: float = 0.95
    warnings: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Judgments planned."""
        return int(self.ask.sum())

    @property
    def method(self) -> str | None:
        """What the intervals are."""
        return None if self.covariance is None else self.covariance.method

    @property
    def quantile(self) -> float:
        """Half-width of an interval, in standard errors."""
        assert self.covariance is not None
        return self.covariance.quantiles.two_sided(self.level)

    def row(self, level: float) -> dict[str, Any]:
        """The plan as a whole; what is undefined is None."""
        known = len(self.kept) > 0
        before, after = (self.quantile * se if known else None for se in (self.before, self.after))
        gain = self.gain[~np.isnan(self.gain)]
        return {
            "judge": self.judge,
            "judgments": self.n_judgments,
            "models": len(self.fit.models) if self.fit else None,
            "planned": self.n,
            "links": self.n_links,
            "expected_shrink": float(100 * gain.sum()) if len(gain) else None,
            "widest_before": None if before is None else float(before.max()),
            "widest_after": None if after is None else float(after.max()),
            "mean_before": None if before is None else float(before.mean()),
            "mean_after": None if after is None else float(after.mean()),
            "design_effect": self.effect,
        }

    def table(self, ground: Ground) -> pd.DataFrame:
        """One row a pair of models, what links first, then by what is taken off.

        Columns: judge, model_1, model_2, ask, expected_shrink (percent of the strengths' summed variance that these
        judgments take off), have, available, why.
        """
        return pd.DataFrame(
            {
                "judge": pd.Series([self.judge] * len(self.a), dtype=object),
                "model_1": pd.Series([ground.models[k] for k in self.a], dtype=object),
                "model_2": pd.Series([ground.models[k] for k in self.b], dtype=object),
                "ask": integers(self.ask.tolist()),
                "expected_shrink": floats(100 * self.gain),
                "have": integers(self.have.tolist()),
                "available": integers(self.available.tolist()),
                "why": pd.Series(self.why, dtype=object),
            }
        )

    def widths(self, ground: Ground) -> pd.DataFrame:
        """Half-widths now and as foreseen, the widest first: judge, model, half_width, half_width_after."""
        order = np.argsort(-self.before, kind="stable")
        scale = self.quantile if len(order) else 0.0
        return pd.DataFrame(
            {
                "judge": pd.Series([self.judge] * len(order), dtype=object),
                "model": pd.Series([ground.models[k] for k in self.kept[order]], dtype=object),
                "half_width": floats(scale * self.before[order]),
                "half_width_after": floats(scale * self.after[order]),
            }
        )

    def by_ids(self, ground: Ground) -> list[tuple[int, int]]:
        """The planned pairs as model ids, the smaller first."""
        one, two = ground.ids[self.a], ground.ids[self.b]
        return list(zip(np.minimum(one, two).tolist(), np.maximum(one, two).tolist(), strict=True))

    def pick(self, ground: Ground, done: pd.DataFrame, use: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """The responses to be judged: first, second (ids, as shown), in order.

        done : a, b, prompt that this judge judged; use : prompt, judgments
        """
        rows = {pair: row for row, pair in enumerate(self.by_ids(ground))}
        of = [rows[pair] for pair in zip(done["a"].tolist(), done["b"].tolist(), strict=True)]
        at = np.searchsorted(ground.prompts, done["prompt"].to_numpy(dtype=np.int64))
        rows_of = np.array(of, dtype=np.int64)
        judged = {row: np.unique(at[rows_of == row]) for row in set(of)}
        used = np.zeros(len(ground.prompts))
        inside = use[use["prompt"].isin(ground.prompts)]
        used[np.searchsorted(ground.prompts, inside["prompt"].to_numpy(dtype=np.int64))] = inside["judgments"]
        some = np.unique(np.concatenate([self.a, self.b]))
        found = assign_prompts(self.a, self.b, self.ask, ground.prompts_of(some), judged, used, rng)
        one, two = self.a[found.row], self.b[found.row]
        first, second = np.where(found.turned, two, one), np.where(found.turned, one, two)
        return pd.DataFrame(
            {"first": ground.responses_at(found.prompt, first), "second": ground.responses_at(found.prompt, second)}
        )


def make_plan(
    judge: str, cells: Cells, clustering: Clustering, ground: Ground, judged: pd.DataFrame, n: int, optimality: str,
    level: float, tick: Callable[[float], None],
) -> JudgePlan:  # fmt: skip
    """Plan `n` judgments. cells : over the ground's models; judged : of `designs.prompts_judged`"""
    room = Room.of(ground, judged)
    try:
        fit = fit_bradley_terry(cells)
    except NotIdentifiedError as error:
        return _from_nothing(judge, cells, room, n, optimality, str(error), tick)
    try:
        covariance = strength_covariance([fit], [cells], clustering)
    except NotIdentifiedError:
        # One cluster only: what its verdicts share cannot be seen.
        covariance = strength_covariance([fit], [cells], Clustering("none"))
    index = {name: k for k, name in enumerate(ground.models)}
    ranked = np.array([index[name] for name in fit.models], dtype=np.int64)
    loose = _loose(fit, cells, index)
    links = plan_links(loose, ranked, fit.strength, room.row, n)
    size = len(ranked)
    some = np.sort(np.argsort(-covariance.se[:size], kind="stable")[:MOST_MODELS])
    kept = ranked[some]
    bread, robust = fit.bread[:size, :size], covariance.vcov[:size, :size]
    # In judgments as heavy as those so far are on average: weights all twice as large must not change the plan.
    weight = float(fold_to_pairs(cells).weight.sum()) / max(cells.n_judgments, 1)
    bread = bread * weight
    effect = design_effect(bread, robust)
    # Verdicts that are all alike show no variance; the model's own is then all there is.
    told = effect > 1e-6
    effect = effect if told else 1.0
    plan = plan_pairs(
        fit.strength[some], effect * bread[np.ix_(some, some)], max(n - int(links.ask.sum()), 0),
        optimality="D" if optimality == "D" else "A", worth=1 / effect, available=room.bounds(kept), tick=tick,
    )  # fmt: skip
    before = covariance.se[some]
    if not told:
        before = np.sqrt(np.maximum(np.diag(bread)[some], 0.0))
    warnings = [*covariance.warnings, *_unlinked(loose, links, ground)]
    if not told:
        warnings.append(
            "these verdicts leave nothing unexplained, so that their intervals have no width: the plan takes the "
            "judgments as independent"
        )
    if effect > HEAVY_EFFECT:
        warnings.append(
            f"a judgment tells as much as 1/{effect:.1f} of an independent one, because verdicts on one prompt go "
            "together: new prompts narrow these intervals more than further verdicts on the same ones"
        )
    if len(some) < size:
        warnings.append(f"of {size:,} ranked models only the {MOST_MODELS:,} known least are planned for")
    return _joined(
        judge, links, plan, kept, room, n, warnings, fit=fit, covariance=covariance, effect=effect,
        before=before, after=before * plan.after / np.where(plan.before > 0, plan.before, 1.0), level=level,
        n_judgments=cells.n_judgments,
    )  # fmt: skip


def _from_nothing(
    judge: str, cells: Cells, room: Room, n: int, optimality: str, reason: str, tick: Callable[[float], None]
) -> JudgePlan:
    """A plan where the verdicts determine no strength yet: spread over the models, from equal chances."""
    counts = fold_to_pairs(cells)
    some = np.sort(np.argsort(counts.judgments, kind="stable")[:MOST_MODELS])
    plan = plan_pairs(
        np.zeros(len(some)), prior_covariance(restrict(counts, some)), n,
        optimality="D" if optimality == "D" else "A", available=room.bounds(some), tick=tick,
    )  # fmt: skip
    nobody = np.zeros(0, dtype=np.int64)
    links = Links(nobody, nobody, nobody, ())
    joined = _joined(judge, links, plan, some, room, n, [reason], n_judgments=cells.n_judgments)
    gain = np.full(len(joined.a), np.nan)
    return replace(joined, gain=gain, why=("no strength yet",) * len(gain), kept=nobody)


def _joined(
    judge: str, links: Links, plan: Plan, kept: Ints, room: Room, n: int, warnings: list[str], **more: Any
) -> JudgePlan:
    order = np.argsort(-plan.gain, kind="stable")
    a, b = (np.concatenate([one, kept[two[order]]]) for one, two in ((links.a, plan.a), (links.b, plan.b)))
    ask = np.concatenate([links.ask, plan.ask[order]])
    have, available = room.pairs(a, b)
    total = int(ask.sum())
    if len(ask) and not available.any():
        warnings.append(
            "every pair of responses in the dataset is judged by this judge already: the plan needs new prompts or "
            "responses, and there is no work list"
        )
    elif total < n:
        warnings.append(
            f"only {words.plural(total, 'judgment')} can be planned: no more unjudged pairs of responses stand under "
            "one prompt"
        )
    return JudgePlan(
        judge=judge,
        a=a,
        b=b,
        ask=ask,
        gain=np.concatenate([np.full(len(links.a), np.nan), plan.gain[order]]),
        why=(*links.why, *("narrows intervals" for _ in order)),
        have=have,
        available=available,
        n_links=int(links.ask.sum()),
        warnings=tuple(warnings),
        kept=kept,
        **more,
    )


def _loose(fit: BradleyTerry, cells: Cells, index: Mapping[str, int]) -> list[Loose]:
    """The models without a strength, those that never met the others by the groups that did meet; most judged first."""
    counts = fold_to_pairs(cells)
    n = counts.n_models
    met = csr_array((np.ones(len(counts.a)), (counts.a, counts.b)), shape=(n, n))
    _, group = connected_components(met, directed=False)
    ranked = group[index[fit.models[0]]]
    out: list[Loose] = []
    groups: dict[int, int] = {}
    for left in sorted(fit.left_out, key=lambda one: (-one.judgments, one.model)):
        k = index[left.model]
        if left.place == "apart" and group[k] != ranked and group[k] in groups:
            at = groups[group[k]]
            out[at] = replace(out[at], models=(*out[at].models, k))
            continue
        groups[group[k]] = len(out)
        out.append(Loose((k,), left.place, f"link: {left.cause}"))
    return out


def _unlinked(loose: list[Loose], links: Links, ground: Ground) -> list[str]:
    linked = set(links.a.tolist())
    alone = [ground.models[one.models[0]] for one in loose if not linked & set(one.models)]
    if not alone:
        return []
    return [
        f"{words.plural(len(alone), 'model')} without a strength cannot be linked within this plan: no unjudged prompt "
        f"is shared with a ranked model, or no judgment is left ({words.listing(alone)})"
    ]
