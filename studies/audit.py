"""How is each judge biased: by position, length, its own models, cues, and how consistent is it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis import audit
from analysis.audit import FEW, Bias, Units
from analysis.beyond_reference import against_even, one_vote_each, own_against_gold, preference_for, preferred
from analysis.cells import Floats, Ints
from analysis.first_place import first_beyond_strengths
from analysis.letters import NAMES as LETTER_SHARES
from analysis.letters import letter_shares, option_order
from analysis.multiple import adjust_bh
from analysis.tables import booleans, floats
from analysis.vcov import Clustering, choose_clustering
from charts import words
from data import queries
from data.model import Progress, option
from data.queries import Catalog, Con
from data.queries.audit import letters_word
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.audit_data import Audited, JudgeSaid, load
from studies.audit_missing import missing
from studies.audit_odd import odd_verdicts
from studies.judge_votes import as_table, clustered, columns
from studies.own_models import find_owners, read_told, stamped
from studies.study import Fitted, Result, register

COLUMNS = ("judge", "bias", "rate", "lower", "upper", "chance", "null", "excess", "excess_lower", "excess_upper", "p",
           "n", "clusters", "clustering", "why")  # fmt: skip
FLAGGED = 0.05
ASIDE = 0.1
"""Share of verdicts from which on it is said that they were left aside."""
LEAST = 0.1
"""Share of verdicts that the rarer order must have where it may have been drawn by lot."""
IN_WORDS = {"self_preference": "preference for own models", "first_position": "preference for the first place"}
FURTHER = ("self_preference", "variants", "letters", "cannot_show", "aside", "by_lot", "one_vote")
"""What is gathered beside the rows: tables of their own, and what warnings say."""
Told = tuple[Bias, Clustering]
NAMES = ("names", "compassion_fade", "compassion-fade", "model_names")
"""Variants in which models are called by their names."""


@register
@dataclass(frozen=True)
class Audit(Fitted):
    """Biases of each judge: what should not move its verdicts, and how far it does."""

    command: ClassVar[str] = "audit"
    title: ClassVar[str] = "How is each judge biased?"
    reads_others: ClassVar[bool] = True
    clusterings: ClassVar[tuple[str, ...]] = ("auto", "prompt", "pair", "none")
    drops_ties: ClassVar[bool] = False
    printed: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "biases": ("judge", "bias", "rate", "lower", "upper", "chance", "null", "p", "q", "flagged", "n"),
    }
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "bias": "bias", "rate": "rate", "interval": "interval", "null": "without bias", "p": "p",
        "q": "q", "n": "n",
    }  # fmt: skip

    reference: str | None = option(
        None, "whose verdicts say what is right; left out: the judge `gold` or another rule, else the only human one",
        label="Held against", names="judge", widget=False,
    )  # fmt: skip
    own: tuple[str, ...] = option(
        (), "JUDGE=MODEL (repeatable): a model of the judge's own; of judges not named here it is what `datasets own` "
        "has said, else the attribute family of judges and models, else their names", label="Own models",
        advanced=True, widget=False,
    )  # fmt: skip

    def answer(self, store: Store, progress: Progress) -> Result:
        if self.cluster not in self.clusterings:
            raise OptionError(f"--cluster {self.cluster}: an audit compares verdicts on one pair, which hang together "
                              "by prompt or by pair")  # fmt: skip
        if self.ties != "half":
            raise OptionError(f"--ties {self.ties}: an audit counts a tie as half of each side, as wrong, and as a "
                              "verdict of its own where two are compared; use --ties half")  # fmt: skip
        progress(0.0, "reading verdicts")
        data = load(self, store, told=read_told(self.own))
        rows: list[dict[str, object]] = []
        further: dict[str, list[dict[str, object]]] = {name: [] for name in FURTHER}
        hang: list[tuple[str, str, Clustering]] = []
        for k, judge in enumerate(data.judges):
            progress(k / len(data.judges), f"auditing {judge}")
            one = data.of(judge)
            told = self._biases(data, judge, one, further)
            hang += [(judge, bias.bias, by) for bias, by in told]
            found = [replace(bias, clustering=by.name) for bias, by in told]
            rows += [{"judge": judge, **_row(bias)} for bias in found]
            further["cannot_show"] += [{"judge": judge, **gap} for gap in missing(data, judge, one, found)]
        progress(1.0, "done")
        biases = _with_q(as_table(rows, COLUMNS))
        tables = {
            "biases": biases,
            "self_preference": as_table(further["self_preference"], [
                "judge", "own", *(f"{name}{end}" for name in ("own_rate", "reference_rate", "dbg", "equal_opportunity")
                                  for end in ("", "_lower", "_upper")), "pairs"]),
            "variants": as_table(further["variants"], [
                "judge", "variant", "pairs", "towards", "away", *(f"{name}{end}" for name in (
                    "accuracy_plain", "accuracy", "change") for end in ("", "_lower", "_upper")), "p", "labelled",
                "robustness", "consistency"]),
            "letters": as_table(further["letters"], ["judge", *(
                f"{name}{end}" for name in LETTER_SHARES for end in ("", "_lower", "_upper")), "verdicts"]),
            "own_models": as_table([one.__dict__ for one in data.own], ["judge", "model", "because"]),
            "cannot_show": as_table(further["cannot_show"], ["judge", "bias", "why", "needed"]),
        }  # fmt: skip
        return Result(
            study=self, tables=tables, values={}, settings=self.settings() | {"reference": data.reference},
            warnings=(*_few_prompts(hang), *self._warnings(data, further)), caption=self._caption(data, biases),
            fingerprint=data.fingerprint,
        )  # fmt: skip

    def stamp(self, con: Con, names: Catalog) -> str:
        # Whoever says what is right need not be among the judges.
        everybody = tuple(names.judges)
        rests = [*find_owners(con, names, everybody).words, *letters_word(con, names)]
        return stamped(queries.fingerprint(con, names, everybody), rests)

    # -- one judge ---------------------------------------------------------------------------------------------------

    def _hang(self, one: JudgeSaid, pairs: Ints, counted: NDArray[np.bool_] | None = None) -> tuple[Clustering, Ints]:
        """What these pairs hang together by, and their codes. counted : those that say something of the bias"""
        by = choose_clustering(self.cluster, one.n_prompts(pairs if counted is None else pairs[counted]))
        return by, one.codes(pairs, by)

    def biases_of(self, data: Audited, judge: str) -> list[Bias]:
        """The rows of one judge, without what stands beside them."""
        return [bias for bias, _ in self._biases(data, judge, data.of(judge), {name: [] for name in FURTHER})]

    def _biases(
        self, data: Audited, judge: str, one: JudgeSaid, further: dict[str, list[dict[str, object]]]
    ) -> list[Told]:
        level, found = self.level, []
        found += self._places(judge, one, further)
        letters = one.letters()
        if letters is not None and letters.crossed:
            by, cluster = self._hang(one, letters.cluster)
            letters = replace(letters, cluster=cluster)
            found.append((option_order(letters, by, level), by))
            further["letters"].append(
                {"judge": judge, **columns(letter_shares(letters, by), level), "verdicts": len(letters.judge)}
            )
        found += self._plain(one)
        held, sides = one.held()
        for name in ("length", "formatting", "self_preference"):
            if len(held.judge):
                side = sides[name]
                counted = np.nan_to_num(side) != 0
                if not counted.any():
                    continue
                by, cluster = self._hang(one, held.cluster, counted)
                here = replace(held, cluster=cluster)
                bias = preference_for(name, side, here, by, level)
                found.append((bias, by))
                if not np.isnan(bias.p) and one_vote_each(side, here):
                    further["one_vote"].append({"judge": judge, "bias": name})
                if name == "self_preference":
                    mine = [m.model for m in data.own if m.judge == judge]
                    figures = columns(own_against_gold(side, *one.labels(), cluster, by), level)
                    further[name].append(
                        {"judge": judge, "own": ", ".join(mine), **figures, "pairs": int(counted.sum())}
                    )
            else:
                alone, sides_alone = one.alone()
                side = sides_alone[name]
                there = np.isfinite(side)
                if (side[there] != 0).any():
                    alone, side = alone.take(there), side[there]
                    by, cluster = self._hang(one, alone.cluster, side != 0)
                    bias = preferred(name, side, replace(alone, cluster=cluster), by, level)
                    found.append((replace(bias, why="no verdicts of a reference to hold it against"), by))
        for variant in one.variants:
            found += self._variant(judge, one, variant, further)
        return found

    def _places(self, judge: str, one: JudgeSaid, further: dict[str, list[dict[str, object]]]) -> list[Told]:
        """From both orders; where few pairs have both and others one, the first place from all verdicts."""
        orders, (side, _) = one.both_orders(), one.in_order()
        if not len(side):
            return []
        if not len(orders):
            return [self._one_order(judge, one, further)]
        by, cluster = self._hang(one, orders.cluster)
        paired: list[Told] = [(b, by) for b in audit.both_orders(replace(orders, cluster=cluster), by, self.level)]
        aside = one.n_in_order - 2 * len(orders)
        if aside and paired[0][0].clusters < FEW:
            bias, by = self._one_order(judge, one, further)
            if not np.isnan(bias.p):
                return [paired[0], (bias, by)]
        if aside > ASIDE * one.n_in_order:
            further["aside"].append({"judge": judge, "verdicts": aside})
        return paired

    def _one_order(self, judge: str, one: JudgeSaid, further: dict[str, list[dict[str, object]]]) -> Told:
        """Beyond the strengths of the models that stood first; else beyond what the reference explains; else against
        .5, where the order may have been drawn by lot."""
        side, held = one.in_order()
        by, cluster = self._hang(one, held.cluster)
        lot = against_even("first_position", side, replace(held, cluster=cluster), by, self.level)
        if lot.why:
            return lot, by
        cells = one.cells_in_order
        if cells is not None:
            by_models, _ = self._hang(one, cells.clusters["pair"])
            try:
                return first_beyond_strengths(cells, by_models, self.level), by_models
            except NotIdentifiedError:
                pass
        shared = one.held()[0]
        seen, why = shared.order != 0, "neither models that change places nor a reference tell order from merit"
        if seen.sum() >= FEW:
            by_reference, cluster = self._hang(one, shared.cluster, seen)
            shared = replace(shared, cluster=cluster, order=np.zeros(len(seen)))
            bias = preference_for("first_position", one.held()[0].order, shared, by_reference, self.level)
            if not np.isnan(bias.p):
                if one_vote_each(one.held()[0].order, shared):
                    further["one_vote"].append({"judge": judge, "bias": "first_position"})
                return bias, by_reference
            why = bias.why
        elif changes(side) and (cells is None or lot.rate in (0, 1)):
            further["by_lot"].append({"judge": judge})
            return lot, by
        return Bias("first_position", lot.rate, lot.n, lot.clusters, lot.lower, lot.upper, lot.chance, why=why), by

    def _plain(self, one: JudgeSaid) -> list[Told]:
        out = []
        same, pairs, at = one.repeats()
        right, labelled, at_right = one.accuracy()
        ties, verdicts, none, at_all = one.counts()
        for name, hit, whole, pair, chance in (
            ("repeat_consistency", same, pairs, at, 0.5), ("accuracy", right, labelled, at_right, 0.5),
            ("tie_rate", ties, verdicts, at_all, np.nan), ("no_verdict", none, verdicts + none, at_all, np.nan),
        ):  # fmt: skip
            if whole.any():
                by, cluster = self._hang(one, pair, whole > 0)
                out.append((audit.share(name, hit, cluster, by, self.level, whole=whole, chance=chance), by))
        return out

    def _variant(
        self, judge: str, one: JudgeSaid, variant: str, further: dict[str, list[dict[str, object]]]
    ) -> list[Told]:
        level, out = self.level, []
        met = one.with_plain(variant)
        if not len(met.units):
            return []
        units, cued, labelled = met.units, met.units.toward != 0, met.right != 0
        by, cluster = self._hang(one, met.cluster)
        robustness = audit.stays(f"{variant}: robustness", met.same, met.whole, met.again_same, met.again, cluster, by,
                                 level)  # fmt: skip
        row: dict[str, object] = {
            "judge": judge, "variant": variant, "pairs": len(met.whole), "robustness": robustness.rate,
            "consistency": None if np.isnan(robustness.null) else robustness.null,
        }  # fmt: skip
        if cued.any():
            with_cue, cluster = self._hang(one, units.cluster[cued])
            some = Units(units.one[cued], units.two[cued], cluster, units.toward[cued])
            out.append((audit.towards_cue(variant, some, with_cue, level), with_cue))
            moved = np.sign(some.two - some.one) * some.toward
            row |= {"towards": int((moved > 0).sum()), "away": int((moved < 0).sum())}
        if labelled.any():
            plain, other = ((x == met.right)[labelled].astype(np.float64) for x in (units.one, units.two))
            with_label, cluster = self._hang(one, units.cluster[labelled])
            figures, p = audit.accuracy_change(plain, other, cluster, with_label)
            row |= {**columns(figures, level), "p": None if np.isnan(p) else p, "labelled": int(labelled.sum())}
        out.append((robustness, by))
        if variant in NAMES:
            here, there = one.both_orders_in(variant)
            if len(here):
                by, cluster = self._hang(one, here.cluster)
                here, there = (replace(units, cluster=cluster) for units in (here, there))
                out.append((audit.same_place("compassion_fade", here, there, by, level), by))
        further["variants"].append(row)
        return out

    # -- what is said of it ------------------------------------------------------------------------------------------

    def _warnings(self, data: Audited, further: Mapping[str, list[dict[str, object]]]) -> list[str]:
        out = []
        if data.reference is None:
            out.append("no judge says what is right (a judge called gold, or one human judge): length, formatting and "
                       "own models are shown without a test; choose one with --reference")  # fmt: skip
        out += odd_verdicts(data)
        if further["aside"]:
            some = [f"{row['judge']} ({row['verdicts']:,})" for row in further["aside"]]
            out.append("first and last places are of pairs in both orders, and verdicts on others are left aside: "
                       f"{words.listing(some, 5)}")  # fmt: skip
        if further["by_lot"]:
            some = [str(row["judge"]) for row in further["by_lot"]]
            out.append("which answer stood first is taken to have been drawn by lot, as neither models nor a reference "
                       f"tell order from merit: {words.listing(some, 5)}")  # fmt: skip
        if further["one_vote"]:
            some = [f"{IN_WORDS.get(str(row['bias']), row['bias'])} of {row['judge']}" for row in further["one_vote"]]
            out.append("people gave one vote a pair, and a judge that is merely more decisive then seems to share "
                       f"their tastes more strongly: {words.listing(some, 5)}")  # fmt: skip
        silent = [judge for judge in data.judges if not len(data.of(judge).plain)]
        if silent:
            out.append(f"no verdict in plain circumstances, which all else is held against: {words.listing(silent, 5)}")
        lost = [f"{judge} in {name}" for judge in data.judges for name in data.of(judge).without_twin]
        if lost:
            out.append(f"no verdict has a plain twin on the same pair, and says nothing: {words.listing(lost, 5)}")
        guessed = sorted({one.judge for one in data.own if one.because.startswith("guessed")})
        if guessed:
            out.append(f"which models are their own was guessed from names for {words.listing(guessed, 5)} (table "
                       "own_models): say it once for all (cli.py datasets own)")  # fmt: skip
        return out

    def _caption(self, data: Audited, biases: pd.DataFrame) -> str:
        hang = f", {clustered(biases['clustering'], biases['clusters'])}" if len(biases) else ""
        held = f", held against {data.reference}" if data.reference else ""
        n = int(biases["n"].max()) if len(biases) else 0
        return (
            f"Biases of {words.plural(len(data.judges), 'judge')}{held}: rates of up to {n:,} units with "
            f"{words.percent(self.level)} intervals{hang}; chance: guessing; null: a judge without the bias. "
            "Exact tests of paired flips (McNemar; signs of clusters flipped); length, formatting and own models "
            "beyond what the reference explains. q: Benjamini-Hochberg within the judge; flagged below .05."
        )


def _row(bias: Bias) -> dict[str, object]:
    return {
        name: None if isinstance(value, float) and np.isnan(value) else value for name, value in bias.__dict__.items()
    } | {"why": bias.why or None}


def changes(side: Floats) -> bool:
    """Whether both orders are met often enough for a draw by lot. side : (n,) +1 or -1"""
    return min(float(np.mean(side > 0)), float(np.mean(side < 0))) >= LEAST


def _few_prompts(hang: list[tuple[str, str, Clustering]]) -> list[str]:
    """Warnings of how rows hang together, each with the rows that it is of; bare where it is of all."""
    out = []
    for text in dict.fromkeys(by.warning for _, _, by in hang if by.warning is not None):
        some = [f"{bias} of {judge}" for judge, bias, by in hang if by.warning == text]
        out.append(text if len(some) == len(hang) else f"{text}: {words.listing(some, 5)}")
    return out


def _with_q(table: pd.DataFrame) -> pd.DataFrame:
    """Benjamini-Hochberg within each judge, and what is flagged."""
    p = table["p"].to_numpy(dtype=np.float64, na_value=np.nan) if len(table) else np.empty(0)
    q = np.full(len(table), np.nan)
    for at in table.groupby("judge", sort=False).indices.values():
        q[at] = adjust_bh(p[at])
    place = list(table.columns).index("p") + 1
    table.insert(place, "q", floats(q))
    table.insert(place + 1, "flagged", booleans([None if np.isnan(one) else bool(one < FLAGGED) for one in q]))
    return table
