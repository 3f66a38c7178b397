"""How far do verdicts go along with each factor, and are judges moved alike? The taus of PROFILE, factor by factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.rank_correlation import FEW_PROMPTS
from analysis.tau import LEAST_FACTORS, REPLICATES, Alignment, Taus, Votes, align, taus_of
from analysis.vcov import Clustering
from charts import words
from data.model import Progress, option
from data.queries import Catalog
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.cells import cluster_columns
from studies.factor_data import Loaded, clustering_of, load
from studies.factor_options import Factors
from studies.factors_fit import left_out
from studies.refused import nobody, sentences
from studies.said import about_left_out, once
from studies.study import Result, register

SHARED, OWN = "shared", "own"


@register
@dataclass(frozen=True)
class FactorsTau(Factors):
    """How far verdicts go along with each factor (Kendall's tau), and how alike judges are moved by them."""

    command: ClassVar[str] = "factors tau"
    title: ClassVar[str] = "How far verdicts go along with factors"
    models_ties: ClassVar[bool] = False
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "factor": "factor", "tau": "tau", "interval": "interval", "q": "q", "tau_b": "tau-b",
        "tau_b_interval": "tau-b, interval", "judgments": "judgments",
    }  # fmt: skip

    align_on: str = option(
        "auto", "the pairs on which a judge's taus are held against the reference's: those that both judged, each "
        "one's own, or (auto) those that both judged where there are any", label="Alignment on",
        choices=("auto", SHARED, OWN), advanced=True,
    )  # fmt: skip

    def default_judges(self, names: Catalog) -> tuple[str, ...]:
        """All judges, people first: the first is what the others are held against."""
        return (*names.humans, *(judge for judge in names.judges if judge not in names.humans))

    def resolve(self, store: Store) -> Self:
        for name in ("position", "interact"):
            if getattr(self, name) not in ("auto", "without", ()):
                raise OptionError(f"factors tau counts factors one by one, and takes no --{name}")
        if self.coding == "raw":
            raise OptionError("factors tau counts the signs of differences: leave out --coding raw")
        return replace(super().resolve(store), coding="sign")

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "joining judgments with their factors")
        loaded = load(store, self, ["annotator"] if "annotator" in self.cluster else [])
        clustering = clustering_of(self, loaded)
        votes, pairs = self._votes(loaded, clustering)
        found: dict[str, Taus] = {}
        reasons: dict[str, str] = {}
        steps = 2 * len(self.judge)
        for k, judge in enumerate(self.judge):
            progress((k + 0.3) / steps, f"counting where verdicts of {judge} go along with factors")
            try:
                if judge not in votes:
                    raise NotIdentifiedError("no judgment of the selection is its own")
                found[judge] = taus_of(self.factor, votes[judge], clustering)
                if not found[judge].kept.any():
                    why = words.listing(list(dict.fromkeys(found[judge].left_out.values())), 2)
                    raise NotIdentifiedError(f"no factor has a tau, as {why}")
            except NotIdentifiedError as error:
                found.pop(judge, None)
                reasons[judge] = str(error)
        if not found:
            raise nobody(reasons)
        reference, *others = self.judge
        aligned: dict[str, tuple[Alignment, str, int]] = {}
        not_aligned: dict[str, str] = {}
        for k, judge in enumerate(others):
            progress((len(self.judge) + k + 0.5) / steps, f"aligning {judge} with {reference}")
            if judge in found and reference in found:
                try:
                    aligned[judge] = self._align(judge, votes, pairs, clustering)
                except NotIdentifiedError as error:
                    not_aligned[judge] = str(error)
        table = pd.concat([_with(one.table(self.level), judge) for judge, one in found.items()], ignore_index=True)
        alignment = self._alignment(aligned)
        progress(1.0, "done")
        return Result(
            study=self,
            tables={
                "taus": table, "alignment": alignment,
                "judges": pd.DataFrame([_row(judge, one) for judge, one in found.items()]),
                "left_out": left_out({judge: one.left_out for judge, one in found.items()}),
            },
            values=_values(alignment) if len(aligned) == 1 else {},
            settings=self.settings() | {"clustering": clustering.name, "reference": reference},
            warnings=tuple(dict.fromkeys(
                [*sentences(reasons), *_warnings(found, clustering), *_about(aligned, not_aligned, reference)]
            )),
            caption=self._caption(found, aligned, loaded.n_prompts),
            fingerprint=loaded.fingerprint,
        )  # fmt: skip

    def _votes(
        self, loaded: Loaded, clustering: Clustering
    ) -> tuple[dict[str, Votes], dict[str, NDArray[Any]]]:
        """Of each judge that has any: its judgments, and the pair of each."""
        said = loaded.said.columns
        ways = dict.fromkeys((*cluster_columns(clustering), "pair"))
        votes, pairs = {}, {}
        for judge in self.judge:
            mine = np.flatnonzero(said["judge_id"] == loaded.names.judges[judge][0])
            if len(mine):
                clusters = {way: loaded.pair[mine] if way == "pair" else said[way][mine] for way in ways}
                # Counts of judgments stay unweighted, as those of agreement do.
                votes[judge] = Votes(loaded.x, loaded.at[mine], said["p_a"][mine], np.ones(len(mine)), clusters)
                pairs[judge] = loaded.pair[mine]
        return votes, pairs

    def _align(
        self, judge: str, votes: Mapping[str, Votes], pairs: Mapping[str, NDArray[Any]], clustering: Clustering
    ) -> tuple[Alignment, str, int]:
        """The alignment with the reference, on which pairs, and how many of them the judge has."""
        one, two = self.judge[0], judge
        both = np.intersect1d(pairs[one], pairs[two])
        if self.align_on == SHARED and not len(both):
            raise NotIdentifiedError(f"it shares no pair with {one}: use --align-on own")
        shared = len(both) > 0 and self.align_on != OWN
        sides = [votes[name] if not shared else _take(votes[name], np.isin(pairs[name], both)) for name in (one, two)]
        rng = np.random.default_rng(self.seed)
        n = len(both) if shared else len(np.unique(pairs[two]))
        return align(self.factor, sides[0], sides[1], clustering, rng), SHARED if shared else OWN, n

    def _alignment(self, aligned: Mapping[str, tuple[Alignment, str, int]]) -> pd.DataFrame:
        tables = []
        for judge, (one, on, n) in aligned.items():
            table = _with(one.table(self.level), judge)
            table.insert(1, "reference", self.judge[0])
            tables.append(table.assign(pairs=n, **{"on": on}))
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()

    def _caption(
        self, found: Mapping[str, Taus], aligned: Mapping[str, tuple[Alignment, str, int]], prompts: int
    ) -> str:
        methods = sorted({c.method for one in found.values() for c in one.covariance if c is not None})
        named = words.ranges(methods) if methods else "none, as all judgments share one cluster"
        ties = "verdicts that are ties are left out" if self.ties == "drop" else (
            "tau leaves out verdicts that are ties, tau-b counts them"
        )  # fmt: skip
        most = max(int(one.kept.sum()) for one in found.values())
        counts = ", ".join(f"{j} ({words.plural(int(one.judgments.max()), 'judgment')})" for j, one in found.items())
        text = (
            f"Kendall's tau between the sign of the difference in each of {words.plural(most, 'factor')} "
            f"and the verdicts of {counts}; {words.plural(prompts, 'prompt')}; {ties}; nothing else is held equal. "
            f"{words.percent(self.level)} intervals, {named}; q of tau over a judge's factors."
        )
        ways = {one.way for one, _, _ in aligned.values()}
        if ways:
            text += (
                f" Alignment: correlations of taus over the factors, intervals from {REPLICATES:,} draws of whole "
                f"{'s / '.join(sorted(ways))}s."
            )
        return text


def _take(votes: Votes, rows: NDArray[np.bool_]) -> Votes:
    return Votes(
        votes.x, votes.at[rows], votes.y[rows], votes.weight[rows], {k: v[rows] for k, v in votes.clusters.items()}
    )


def _with(table: pd.DataFrame, judge: str) -> pd.DataFrame:
    table.insert(0, "judge", judge)
    return table


def _values(alignment: pd.DataFrame) -> dict[str, Any]:
    row = alignment[alignment["variant"] == "tau"].iloc[0]
    return {
        name: {"value": row[name], "lower": row[f"{name}_lower"], "upper": row[f"{name}_upper"]}
        for name in ("spearman", "kendall", "pearson") if not words.absent(row[name])
    }  # fmt: skip


def _row(judge: str, one: Taus) -> dict[str, Any]:
    known = next((c for c in one.covariance if c is not None), None)
    return {
        "judge": judge, "judgments": int(one.judgments.max()), "factors": int(one.kept.sum()),
        "clusters": None if known is None else known.n_clusters or None,
        "intervals": None if known is None else known.method,
    }  # fmt: skip


def _warnings(found: Mapping[str, Taus], clustering: Clustering) -> list[str]:
    said = [] if clustering.warning is None else [clustering.warning]
    return [*said, *once({judge: _warnings_of(one) for judge, one in found.items()})]


def _warnings_of(one: Taus) -> list[str]:
    said = about_left_out(one.left_out)
    some = [(n, name) for n, name, kept in zip(one.missing, one.names, one.kept, strict=True) if n and kept]
    if some:
        which = words.listing([f"'{name}' ({n:,})" for n, name in sorted(some, reverse=True)], 4)
        said.append(f"judgments that lack a factor are left out of its tau: {which}")
    untold = [
        name for name, kept, c in zip(one.names, one.kept, one.covariance, strict=True)
        if kept and (c is None or not np.isfinite(c.known_se[0]))
    ]  # fmt: skip
    if untold:
        said.append(f"nothing tells how sure the tau of {words.quoted(untold, 6)} is, as all clusters that have it "
                    "say the same")  # fmt: skip
    return said


def _about(
    aligned: Mapping[str, tuple[Alignment, str, int]], not_aligned: Mapping[str, str], reference: str
) -> Sequence[str]:
    said = [f"{judge} is not aligned with {reference}: {why}" for judge, why in not_aligned.items()]
    own = [judge for judge, (_, on, _) in aligned.items() if on == OWN]
    if own:
        said.append(
            f"{words.listing(own, 4)} and {reference} are aligned each on its own pairs, which differ in more than "
            "who judged them"
        )
    few = [judge for judge, (one, _, _) in aligned.items() if one.n_clusters < FEW_PROMPTS]
    if few:
        n = min(aligned[judge][0].n_clusters for judge in few)
        way = aligned[few[0]][0].way
        said.append(
            f"intervals of alignment from {words.plural(n, way)} are rough: from {FEW_PROMPTS} on they can be relied on"
        )
    if aligned:
        said.append(
            "alignment is of taus known as well as these: noise pulls it towards 0, and so do few factors "
            f"(from {LEAST_FACTORS} on it is given)"
        )
    for judge, (one, _, _) in aligned.items():
        lost = one.n_undefined["tau"]
        if lost:
            said.append(f"{judge}: {lost:,} of {REPLICATES:,} draws leave some factor without a tau and do not count")
    return said
