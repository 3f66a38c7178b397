"""How would people rank the models, had they judged all the pairs that an LLM judged? PPI++ Bradley-Terry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd

from analysis.correction import Correction, correct_strengths
from analysis.fair_sample import BEYOND, compare_sample
from analysis.masking import Masking, mask_people
from analysis.ppi_winrate import WinRate, corrected_winrates, mask_winrates, winrate_table
from analysis.vcov import Clustering, choose_clustering
from charts import words
from data import queries
from data.model import Progress, option
from data.queries import Catalog
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError
from studies.cells import require_models
from studies.judged_pairs import Fetched, fetch_pairs, traits
from studies.study import Fitted, Result, register

FEW_PAIRS = 10
"""Labelled pairs for each model below which intervals are said to be rough."""

ASSUMED = "corrected strengths hold only where the pairs"
"""How the warning about the sample begins."""

MOST_MODELS = 1_500
"""Models with people's votes up to which strengths are corrected: each weighs all against all, several times."""

SMALL_GAIN = 1.005
"""Below this gain the judge is said to add next to nothing."""


@dataclass(frozen=True)
class Corrected:
    """One judge's verdicts as a help to people's votes."""

    judge: str
    fetched: Fetched
    found: Correction
    winrates: list[WinRate]
    sample: pd.DataFrame
    masking: Masking | None
    masked_rates: pd.DataFrame | None = None


@register
@dataclass(frozen=True)
class Correct(Fitted):
    """People's ranking with an LLM's verdicts as a help (PPI++), beside people's alone and the LLM's own."""

    command: ClassVar[str] = "correct"
    title: ClassVar[str] = "Human-corrected ranking"
    judges: ClassVar[Literal["any", "reference"]] = "reference"
    clusterings: ClassVar[tuple[str, ...]] = ("auto", "prompt", "pair", "none")
    shown: ClassVar[Mapping[str, str] | None] = {
        "model": "model", "rank": "rank", "rank_interval": "rank, interval", "corrected": "corrected",
        "interval": "corrected, interval", "classical": "people alone", "naive": "judge alone",
        "labelled": "pairs with people's votes",
    }  # fmt: skip

    mask_human: float | None = option(
        None,
        "hide people's votes on this share of their pairs (0 to 1), 50 times anew, and see how near the rest comes",
        label="Hide a share of people's votes",
    )

    def resolve(self, store: Store) -> Self:
        if self.mask_human is not None and not 0 < self.mask_human < 1:
            raise OptionError(f"--mask-human {self.mask_human:g}: a share between 0 and 1, such as .8")
        if self.cluster not in self.clusterings:
            raise OptionError(
                f"--cluster {self.cluster}: the unit here is the pair, on which people's votes are averaged; use "
                "auto, prompt or pair"
            )
        return super().resolve(store)

    def answer(self, store: Store, progress: Progress) -> Result:
        reference, others = self.compared()
        with store.reading("correcting: names") as con:
            names = queries.catalog(con, self)
            fingerprint = queries.fingerprint(con, names, self.judge)
        require_models(names)
        done: list[Corrected] = []
        warnings: list[str] = []
        for k, judge in enumerate(others):

            def report(share: float, text: str, begin: int = k) -> None:
                progress((begin + share) / len(others), text)

            try:
                done.append(self._one(store, names, reference, judge, report))
            except (NotIdentifiedError, EmptySelectionError, OptionError) as error:
                if len(others) == 1:
                    raise
                warnings.append(f"{judge}: {error}")
        if not done:
            raise NotIdentifiedError("no judge's verdicts can help. " + " ".join(warnings))
        if names.judges[reference][1] != "human":
            warnings.append(
                f"{reference!r} is not human: wherever people are spoken of here, its verdicts stand in for theirs"
            )
        for one in done:
            warnings += [f"{one.judge}: {w}" if len(done) > 1 else w for w in self._warnings(one, reference)]
        progress(1.0, "done")
        rows = [_judge_row(one) for one in done]
        single = rows[0] if len(done) == 1 else {}
        tables = {
            "models": _joined({one.judge: one.found.table(self.level) for one in done}),
            "judges": pd.DataFrame(rows),
            "winrates": _joined({one.judge: winrate_table(one.winrates) for one in done}),
            "sample": _joined({one.judge: one.sample for one in done}),
            "left_out": _left_out(done),
        }
        if self.mask_human is not None:
            tables["masking"] = _joined({one.judge: _masking(one.masking) for one in done if one.masking})
            tables["masking_winrates"] = _joined(
                {one.judge: one.masked_rates for one in done if one.masked_rates is not None}
            )
        return Result(
            study=self,
            tables=tables,
            values={
                name: single.get(name)
                for name in ("lambda", "gain", "worth", "potential_gain", "labelled", "unlabelled", "masking_gain")
            },
            settings=self.settings()
            | {"reference": reference, "clustering": done[0].found.classical.covariance.clustering.name},
            warnings=tuple(dict.fromkeys(warnings)),
            caption=" ".join(self._caption(one, reference) for one in done),
            fingerprint=fingerprint,
        )

    def _one(self, store: Store, names: Catalog, reference: str, judge: str, report: Progress) -> Corrected:
        report(0.0, f"fetching the pairs of {reference} and {judge}")
        with store.reading(f"correcting with {judge}") as con:
            queries.read_scenarios_of(con, names)
            # Pairs whose votes are hidden are drawn.
            drawn = self.mask_human is not None
            fetched = fetch_pairs(con, self, names, reference, judge, self.ties, in_places=drawn)
        pairs = fetched.pairs
        if not len(pairs):
            raise EmptySelectionError(
                f"{judge!r} has no verdict on a pair of two named models in this selection: widen it"
            )
        if not pairs.n_labelled:
            raise EmptySelectionError(
                f"{reference!r} and {judge!r} share no pair of two named models in this selection, and how far a "
                "judge can be trusted is seen on shared pairs alone"
            )
        met = np.unique(np.concatenate([pairs.a[pairs.labelled], pairs.b[pairs.labelled]]))
        if len(met) > MOST_MODELS:
            raise OptionError(
                f"at most {MOST_MODELS:,} models are corrected at once, and these are {len(met):,}: choose some with "
                "--model"
            )
        clustering = self._clustering(fetched)
        report(0.1, f"correcting with {judge}")
        found = correct_strengths(pairs, clustering)
        codes = pairs.codes(clustering.name)
        report(0.2, "correcting win rates")
        winrates = corrected_winrates(pairs, clustering, self.level)
        report(0.3, "comparing the pairs with votes to the others")
        sample = compare_sample(pairs.labelled, codes, traits(fetched, names))
        masking, rates = None, None
        if self.mask_human is not None:
            text = f"hiding votes of {reference}"
            masking = mask_people(
                pairs, self.mask_human, np.random.default_rng(self.seed), level=self.level,
                report=lambda share: report(0.4 + 0.4 * share, text),
            )  # fmt: skip
            rates = mask_winrates(
                pairs, self.mask_human, np.random.default_rng(self.seed), level=self.level,
                report=lambda share: report(0.8 + 0.2 * share, "holding win rates against those of all votes"),
            )  # fmt: skip
        return Corrected(judge, fetched, found, winrates, sample, masking, rates)

    def _clustering(self, fetched: Fetched) -> Clustering:
        """By the prompts with people's votes; the unit being the pair, `none` is by pair."""
        found = choose_clustering(self.cluster, fetched.prompts(labelled=True))
        return replace(found, name="pair") if found.name == "none" else found

    def _warnings(self, one: Corrected, reference: str) -> list[str]:
        found, fetched = one.found, one.fetched
        said = []
        if found.corrected is None:
            said.append(
                f"{reference} judged every pair that {one.judge} judged, so there is nothing to correct with: the "
                "potential gain alone is given, what ever more verdicts on further pairs could save"
            )
        else:
            said.append(
                f"{ASSUMED} that {reference} judged are a fair sample of all: {unfair(one.sample)}"
            )
        if found.naive is None:
            said.append(f"the verdicts of {one.judge} alone rank no models")
        if fetched.n_human_only:
            n = words.plural(fetched.n_human_only, "pair")
            said.append(f"left out: {n} that {reference} judged and {one.judge} did not")
        estimate = found.classical if found.corrected is None else found.corrected
        said += estimate.covariance.warnings
        if found.n_labelled < FEW_PAIRS * len(found.models):
            said.append(
                f"{words.plural(found.n_labelled, 'pair')} with votes of {reference} for "
                f"{words.plural(len(found.models), 'model')} are few: below {FEW_PAIRS} a model intervals are rough "
                "and tend to be too narrow"
                + ("; and too few to say what the judge is worth" if found.potential is None else "")
            )
        if found.left_out:
            some = words.listing([f"{left.model} ({left.cause})" for left in found.left_out])
            said.append(f"without a strength, because the votes of {reference} put them on no common scale: {some}")
        if one.masking is not None and one.masking.n_refused:
            said.append(
                f"left out of the masking experiment: {one.masking.n_refused} of 50 splits, in which the remaining "
                "votes ranked nobody"
            )
        return said

    def _caption(self, one: Corrected, reference: str) -> str:
        found, fetched = one.found, one.fetched
        estimate = found.classical if found.corrected is None else found.corrected
        what = f"strengths by {reference} alone and by {one.judge} alone"
        if found.corrected is not None:
            what = (
                f"strengths by {reference} with the verdicts of {one.judge} as a help (PPI++, lambda "
                f"{words.number(found.share)}), by {reference} alone and by {one.judge} alone"
            )
        masked = ""
        if one.masking is not None:
            masked = (
                f" Masking: votes on {one.masking.n_hidden:,} of "
                f"{words.plural(one.masking.n_hidden + one.masking.n_kept, 'pair')} hidden, "
                f"{words.plural(len(one.masking.square), 'split')}, seed {self.seed}, intervals by pair."
            )
        return (
            f"Bradley-Terry {what} (natural log, mean 0) of {words.plural(len(found.models), 'model')}; "
            f"{words.plural(found.n_labelled, 'pair')} with votes of {reference}, {found.n_unlabelled:,} with "
            f"verdicts of {one.judge} only, {words.plural(fetched.prompts(), 'prompt')}, "
            f"{words.plural(fetched.n_judgments, 'judgment')}; {words.ties(self.ties)}; "
            f"{words.percent(self.level)} intervals, {estimate.covariance.method}.{masked}"
        )


def n_unfair(sample: pd.DataFrame) -> int:
    """Shares that differ beyond chance between the pairs with people's votes and the others."""
    return int((sample["q"] < BEYOND).fillna(False).sum())


def unfair(sample: pd.DataFrame) -> str:
    """By what the pairs with people's votes differ most from the others, as the end of a sentence."""
    beyond = sample[(sample["q"] < BEYOND).fillna(False)]
    if sample["q"].isna().all():
        return "whether they are could not be tested"
    if beyond.empty:
        return f"in {words.plural(len(sample), 'share')} compared they differ by nothing beyond chance"
    worst = beyond.iloc[0]
    name = described(str(worst["kind"]), str(worst["trait"]))
    more = len(beyond) - 1
    others = f", and {more:,} more of {len(sample):,} shares differ beyond chance" if more else ""
    shares = f"{words.share(worst['labelled'])} of them, {words.share(worst['unlabelled'])} of the others"
    return f"they differ most in “{name}” ({shares}){others}"


def described(kind: str, trait: str) -> str:
    """A trait of a pair in words: scenario maths, model Heron 7B, length: above the median, verdict: a tie."""
    return f"{kind} {trait}" if kind in ("scenario", "model") else f"{kind}: {trait}"


def _judge_row(one: Corrected) -> dict[str, Any]:
    found, fetched = one.found, one.fetched
    estimate = found.classical if found.corrected is None else found.corrected
    return {
        "judge": one.judge, "lambda": found.share, "gain": found.gain, "worth": found.worth,
        "potential_gain": found.potential, "labelled": found.n_labelled, "unlabelled": found.n_unlabelled,
        "models": len(found.models), "judgments": fetched.n_judgments, "prompts": fetched.prompts(),
        "labelled_prompts": fetched.prompts(labelled=True), "clusters": estimate.covariance.n_clusters,
        "clustering": estimate.covariance.clustering.name, "intervals": estimate.covariance.method,
        "unfair": n_unfair(one.sample), "compared": len(one.sample),
        "masking_gain": None if one.masking is None else one.masking.gain,
    }  # fmt: skip


def _masking(found: Masking) -> pd.DataFrame:
    return found.table().assign(hidden=found.n_hidden, kept=found.n_kept)


def _joined(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    for judge, table in tables.items():
        table.insert(0, "judge", judge)
    return pd.concat(list(tables.values()), ignore_index=True)


def _left_out(done: list[Corrected]) -> pd.DataFrame:
    rows = [
        {"judge": one.judge, "model": left.model, "place": left.place, "cause": left.cause, "pairs": left.judgments}
        for one in done
        for left in one.found.left_out
    ]
    return pd.DataFrame(rows, columns=["judge", "model", "place", "cause", "pairs"])
