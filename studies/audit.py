"""How is each judge biased: by position, length, its own models, cues, and how consistent is it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from analysis import audit
from analysis.audit import Bias, Units
from analysis.beyond_reference import against_even, own_against_gold, preference_for, preferred
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
from studies.judge_votes import as_table, columns
from studies.own_models import find_owners, read_told, stamped
from studies.study import Fitted, Result, register

COLUMNS = ("judge", "bias", "rate", "lower", "upper", "chance", "null", "excess", "excess_lower", "excess_upper", "p",
           "n", "clusters", "why")  # fmt: skip
FLAGGED = 0.05
NAMES = ("names", "compassion_fade", "compassion-fade", "model_names")
"""Variants in which models are called by their names."""


@register
@dataclass(frozen=True)
class Audit(Fitted):
    """Biases of each judge: what should not move its verdicts, and how far it does."""

    command: ClassVar[str] = "audit"
    title: ClassVar[str] = "How is each judge biased?"
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
        if self.cluster not in ("auto", "prompt", "pair", "none"):
            raise OptionError(f"--cluster {self.cluster}: an audit compares verdicts on one pair, which hang together "
                              "by prompt or by pair")  # fmt: skip
        progress(0.0, "reading verdicts")
        data = load(self, store, told=read_told(self.own))
        rows: list[dict[str, object]] = []
        further: dict[str, list[dict[str, object]]] = {
            name: [] for name in ("self_preference", "variants", "letters", "cannot_show")
        }
        said: list[str] = []
        for k, judge in enumerate(data.judges):
            progress(k / len(data.judges), f"auditing {judge}")
            one = data.of(judge)
            by = choose_clustering(self.cluster, one.n_prompts)
            if by.warning is not None:
                said.append(by.warning)
            found = self._biases(data, judge, one, by, further)
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
            warnings=tuple(dict.fromkeys([*said, *self._warnings(data)])), caption=self._caption(data, biases),
            fingerprint=data.fingerprint,
        )  # fmt: skip

    def stamp(self, con: Con, names: Catalog) -> str:
        # Whoever says what is right need not be among the judges.
        everybody = tuple(names.judges)
        rests = [*find_owners(con, names, everybody).words, *letters_word(con, names)]
        return stamped(queries.fingerprint(con, names, everybody), rests)

    # -- one judge ---------------------------------------------------------------------------------------------------

    def _biases(
        self, data: Audited, judge: str, one: JudgeSaid, by: Clustering, further: dict[str, list[dict[str, object]]]
    ) -> list[Bias]:
        level, found = self.level, []
        orders = one.both_orders(by)
        if len(orders):
            found += audit.both_orders(orders, by, level)
        elif one.side_order is not None:
            found.append(self._one_order(one, by))
        letters = one.letters(by)
        if letters is not None and letters.crossed:
            found.append(option_order(letters, by, level))
            further["letters"].append(
                {"judge": judge, **columns(letter_shares(letters, by), level), "verdicts": len(letters.judge)}
            )
        found += self._plain(one, by)
        held, sides = one.held(by)
        if len(held.judge):
            for name in ("length", "formatting"):
                side = sides[name]
                if (np.nan_to_num(side) != 0).any():
                    found.append(preference_for(name, side, held, by, level))
            own = sides["own"]
            if (own != 0).any():
                found.append(preference_for("self_preference", own, held, by, level))
                mine = [m.model for m in data.own if m.judge == judge]
                figures = own_against_gold(own, held, by)
                further["self_preference"].append(
                    {"judge": judge, "own": ", ".join(mine), **columns(figures, level), "pairs": int((own != 0).sum())}
                )
        else:
            held, sides = one.alone(by)
            for name, side in (("length", sides["length"]), ("formatting", sides["formatting"]),
                               ("self_preference", sides["own"])):  # fmt: skip
                there = np.isfinite(side)
                if (side[there] != 0).any():
                    bias = preferred(name, side[there], held.take(there), by, level)
                    found.append(replace(bias, why="no verdicts of a reference to hold it against"))
        for variant in one.variants:
            found += self._variant(judge, one, variant, by, further)
        return found

    def _one_order(self, one: JudgeSaid, by: Clustering) -> Bias:
        """Beyond the strengths of the models that stood first, where there are models that tell."""
        side, held = one.side_order(by)
        lot = against_even("first_position", side, held, by, self.level)
        cells = one.cells_in_order
        if cells is None or lot.why:
            return lot
        try:
            return first_beyond_strengths(cells, by, self.level)
        except NotIdentifiedError:
            return lot

    def _plain(self, one: JudgeSaid, by: Clustering) -> list[Bias]:
        level, out = self.level, []
        same, pairs, cluster = one.repeats(by)
        if pairs.any():
            out.append(audit.share("repeat_consistency", same, cluster, by, level, whole=pairs, chance=0.5))
        right, whole, cluster = one.accuracy(by)
        if whole.any():
            out.append(audit.share("accuracy", right, cluster, by, level, whole=whole, chance=0.5))
        ties, verdicts, none, cluster = one.counts(by)
        out.append(audit.share("tie_rate", ties, cluster, by, level, whole=verdicts))
        out.append(audit.share("no_verdict", none, cluster, by, level, whole=verdicts + none))
        return [bias for bias in out if bias.n]

    def _variant(
        self, judge: str, one: JudgeSaid, variant: str, by: Clustering, further: dict[str, list[dict[str, object]]]
    ) -> list[Bias]:
        level, out = self.level, []
        met = one.with_plain(variant, by)
        if not len(met.units):
            return []
        units, cued = met.units, met.units.toward != 0
        robustness = audit.stays(f"{variant}: robustness", met.same, met.whole, met.again_same, met.again, met.cluster,
                                 by, level)  # fmt: skip
        row: dict[str, object] = {
            "judge": judge, "variant": variant, "pairs": len(met.whole), "robustness": robustness.rate,
            "consistency": None if np.isnan(robustness.null) else robustness.null,
        }  # fmt: skip
        if cued.any():
            some = Units(units.one[cued], units.two[cued], units.cluster[cued], units.toward[cued])
            out.append(audit.towards_cue(variant, some, by, level))
            moved = np.sign(some.two - some.one) * some.toward
            row |= {"towards": int((moved > 0).sum()), "away": int((moved < 0).sum())}
        labelled = met.right != 0
        if labelled.any():
            plain, other = ((x == met.right)[labelled].astype(np.float64) for x in (units.one, units.two))
            figures, p = audit.accuracy_change(plain, other, units.cluster[labelled], by)
            row |= {**columns(figures, level), "p": None if np.isnan(p) else p, "labelled": int(labelled.sum())}
        out.append(robustness)
        if variant in NAMES:
            plain_units, there = one.both_orders_in(variant, by)
            if len(plain_units):
                out.append(audit.same_place("compassion_fade", plain_units, there, by, level))
        further["variants"].append(row)
        return out

    # -- what is said of it ------------------------------------------------------------------------------------------

    def _warnings(self, data: Audited) -> list[str]:
        out = []
        if data.reference is None:
            out.append("no judge says what is right (a judge called gold, or one human judge): length, formatting and "
                       "own models are shown without a test; choose one with --reference")  # fmt: skip
        out += odd_verdicts(data)
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
        hang = "taken as independent" if self.cluster == "none" else "clustered by prompt (by pair below 10 prompts)"
        if self.cluster in ("prompt", "pair"):
            hang = f"clustered by {self.cluster}"
        held = f", held against {data.reference}" if data.reference else ""
        n = int(biases["n"].max()) if len(biases) else 0
        return (
            f"Biases of {words.plural(len(data.judges), 'judge')}{held}: rates of up to {n:,} units with "
            f"{words.percent(self.level)} intervals, {hang}; chance: guessing; null: a judge without the bias. "
            "Exact tests of paired flips (McNemar; signs of clusters flipped); length, formatting and own models "
            "beyond what the reference explains. q: Benjamini-Hochberg within the judge; flagged below .05."
        )


def _row(bias: Bias) -> dict[str, object]:
    return {
        name: None if isinstance(value, float) and np.isnan(value) else value for name, value in bias.__dict__.items()
    } | {"why": bias.why or None}


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
