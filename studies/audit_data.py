"""What does an audit look at? Each judge's verdicts by order, repeat and circumstance, beside the reference's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.audit import Units, repeated
from analysis.beyond_reference import Held
from analysis.cells import Cells, Floats, Ints
from analysis.letters import Letters
from analysis.own_models import Own
from analysis.vcov import Clustering
from data import queries
from data.queries.audit import in_all_variants, letters_word, shown, sides
from data.store import Store
from errors import EmptySelectionError, unknown_name
from studies.own_models import find_owners, stamped

if TYPE_CHECKING:
    from studies.audit import Audit

UNIT = ["pair", "voter"]
SIDES = {"length": "length", "formatting": "formatting", "self_preference": "own"}
"""Biases towards a side, and the column of `JudgeSaid.sides` that tells it."""


@dataclass(frozen=True)
class Met:
    """Verdicts in a variant beside plain ones of the same pair and voter (and order, where both have it).

    units : the first with the first, the second with the second ...; right : the reference's label (+1 a, -1 b, 0 none)
    By pair, voter, order and cue: same, whole : comparisons of each verdict with each plain one that agree, and all;
    again_same, again : of plain repeats with one another (none where the order differs); cluster : codes
    """

    units: Units
    right: Ints
    same: Floats
    whole: Floats
    again_same: Floats
    again: Floats
    cluster: Ints


@dataclass(frozen=True)
class JudgeSaid:
    """One judge's rows as `queries.audit.shown` has them, as a table, beside the reference's.

    What its methods return hangs together by pair: `cluster` holds pairs, which `codes` turns into other clusters.

    rows : with `variant` as its name; votes : of the reference, a row a vote: pair, r (from -1 to 1)
    sides : by pair: length, formatting (+1, -1, 0, NaN) and own (+1, -1, 0)
    """

    rows: pd.DataFrame
    votes: pd.DataFrame
    sides: pd.DataFrame
    exact: bool
    plain_name: str

    @cached_property
    def plain(self) -> pd.DataFrame:
        """In plain circumstances, with a verdict."""
        return self._in(self.plain_name)

    def _in(self, variant: str) -> pd.DataFrame:
        return self.rows[(self.rows["variant"] == variant) & self.rows["p"].notna()]

    @cached_property
    def variants(self) -> list[str]:
        """The names of circumstances other than plain that have a plain twin."""
        return [name for name in self._others if self._paired(name)]

    @cached_property
    def without_twin(self) -> list[str]:
        return [name for name in self._others if not self._paired(name)]

    @cached_property
    def _others(self) -> list[str]:
        return [str(name) for name in self.rows["variant"].unique() if name != self.plain_name]

    def _paired(self, variant: str) -> bool:
        here, there = (pd.MultiIndex.from_frame(rows[UNIT]) for rows in (self.plain, self._in(variant)))
        return bool(there.isin(here).any())

    def both_orders(self) -> Units:
        """Units that plain circumstances show in both orders."""
        return self._orders(self.plain)

    def both_orders_in(self, variant: str) -> tuple[Units, Units]:
        """Units that plain circumstances and a variant both show in both orders, plain ones first."""
        tables = [_by_order(rows) for rows in (self.plain, self._in(variant))]
        both = tables[0].join(tables[1].add_suffix("_there"), how="inner")
        row, (first, last, first_there, last_there) = one_by_one(*(both[name] for name in both.columns))
        cluster = _pairs(both.index.get_level_values("pair")[row])
        return Units(first, last, cluster), Units(first_there, last_there, cluster)

    def _orders(self, rows: pd.DataFrame) -> Units:
        both = _by_order(rows)
        row, (first, last) = one_by_one(both["first"], both["last"])
        return Units(first, last, _pairs(both.index.get_level_values("pair")[row]))

    def in_order(self) -> tuple[Floats, Held]:
        """Of verdicts with a known order: that order (+1 a first), and them as `Held`."""
        known = self.plain[self.plain["shown"] != 0]
        zero = np.zeros(len(known))
        held = Held(_label(known), zero, zero, zero + 1, zero, _pairs(known["pair"]), False)
        return known["shown"].to_numpy(dtype=np.float64), held

    @property
    def n_in_order(self) -> int:
        """Verdicts with a known order."""
        return int(self.plain.loc[self.plain["shown"] != 0, "word"].str.len().sum())

    @property
    def cells_in_order(self) -> Cells | None:
        """Verdicts between two different models with a known order; None where there are none."""
        known = self.plain[self.plain["shown"] != 0]
        at = self.sides.reindex(known["pair"])[["model_a", "model_b"]].to_numpy()
        ranked = (at >= 0).all(axis=1) & (at[:, 0] != at[:, 1])
        if not ranked.any():
            return None
        known = known[ranked]
        models, code = np.unique(at[ranked], return_inverse=True)
        code = code.reshape(-1, 2)
        count = known[["a", "b", "tie"]].sum(axis=1).to_numpy(dtype=np.int64)
        pair = known["pair"].to_numpy(dtype=np.int64)
        return Cells(
            tuple(str(number) for number in models), code[:, 0], code[:, 1], count.astype(np.float64),
            known["a"].to_numpy() + known["tie"].to_numpy() / 2, count, known["shown"].to_numpy(dtype=np.int64),
            {"pair": pair, "prompt": known["prompt"].to_numpy(dtype=np.int64)},
        )  # fmt: skip

    def letters(self) -> Letters | None:
        """Plain verdicts with a known letter and place; None where there are none."""
        known = self.plain[(self.plain["letter"] != 0) & (self.plain["shown"] != 0)]
        if not len(known):
            return None
        return Letters(_label(known), known["letter"].to_numpy(dtype=np.float64),
                       known["shown"].to_numpy(dtype=np.float64), _pairs(known["pair"]))  # fmt: skip

    @property
    def has_letters(self) -> bool:
        return bool((self.plain["letter"] != 0).any())

    def repeats(self) -> tuple[Floats, Floats, Ints]:
        """Comparisons of repeats in the same order that agree, all of them, and clusters."""
        same, pairs = repeated(*(self.plain[name].to_numpy() for name in ("a", "b", "tie")))
        return same, pairs, _pairs(self.plain["pair"])

    def counts(self) -> tuple[Floats, Floats, Floats, Ints]:
        """Ties, verdicts, replies without one, and clusters, in plain circumstances."""
        rows = self.rows[self.rows["variant"] == self.plain_name]
        verdicts = rows[["a", "b", "tie"]].sum(axis=1).to_numpy(dtype=np.float64)
        ties, none = (rows[name].to_numpy(dtype=np.float64) for name in ("tie", "none"))
        return ties, verdicts, none, _pairs(rows["pair"])

    @cached_property
    def _right(self) -> pd.Series:
        """The reference's majority label by pair, where there is one and it is no tie."""
        if not len(self.votes):
            return pd.Series(dtype=np.int64)
        side = np.sign(self.votes["r"])
        counts = pd.DataFrame({"a": side > 0, "b": side < 0, "tie": side == 0}).groupby(self.votes["pair"]).sum()
        other = np.maximum(counts["tie"], counts[["a", "b"]].min(axis=1))
        lead = np.where(counts[["a", "b"]].max(axis=1) > other, np.sign(counts["a"] - counts["b"]), 0)
        found = pd.Series(lead, index=counts.index)
        return found[found != 0].astype(np.int64)

    def accuracy(self) -> tuple[Floats, Floats, Ints]:
        """Verdicts that are the reference's label, all on pairs that have one, and clusters. A tie is wrong."""
        rows = self.plain
        right = rows["pair"].map(self._right)
        rows, right = rows[right.notna()], right[right.notna()]
        hit = np.where(right > 0, rows["a"], rows["b"]).astype(np.float64)
        whole = rows[["a", "b", "tie"]].sum(axis=1).to_numpy(dtype=np.float64)
        return hit, whole, _pairs(rows["pair"])

    def held(self) -> tuple[Held, dict[str, Floats]]:
        """On the pairs that the reference has judged too."""
        mine = self._means()
        if len(self.votes):
            votes = self.votes.assign(square=self.votes["r"] ** 2, one=1.0).groupby("pair")
            mine = mine.join(votes[["r", "square", "one"]].sum(), how="inner")
        else:
            mine = mine.iloc[:0].assign(r=0.0, square=0.0, one=1.0)
        return self._as_held(mine)

    def labels(self) -> tuple[Ints, Ints]:
        """On the pairs of `held`: the judge's label of its mean probability, and the reference's of the majority."""
        mine = self._means()
        mine = mine[mine.index.isin(self.votes["pair"])] if len(self.votes) else mine.iloc[:0]
        right = self._right.reindex(mine.index).fillna(0).to_numpy(dtype=np.int64)
        return np.sign(mine["p"].to_numpy() - 0.5).astype(np.int64), right

    def alone(self) -> tuple[Held, dict[str, Floats]]:
        """On all of its pairs, without a reference."""
        return self._as_held(self._means().assign(r=0.0, square=0.0, one=1.0))

    def _as_held(self, mine: pd.DataFrame) -> tuple[Held, dict[str, Floats]]:
        judge, total, squares, votes, order = (
            mine[name].to_numpy(dtype=np.float64) for name in ("judge", "r", "square", "one", "order")
        )
        held = Held(judge, total, squares, votes, order, _pairs(mine.index), self.exact)
        at = self.sides.reindex(mine.index)
        return held, {name: at[column].to_numpy(dtype=np.float64) for name, column in SIDES.items()}

    def _means(self) -> pd.DataFrame:
        """By pair, means over verdicts, then voters: judge (labels from -1 to 1), order, and p (of a)."""
        rows = self.plain.assign(judge=_label(self.plain), order=self.plain["shown"])
        return _mean(rows, UNIT, ["judge", "order", "p"]).groupby("pair").mean()

    def with_plain(self, variant: str) -> Met:
        """Verdicts of a variant beside their plain twins: of the same order where there is one, else of any."""
        there = _words(self._in(variant), [*UNIT, "shown", "cue"]).reset_index()
        exact, loose = _words(self.plain, [*UNIT, "shown"]), _words(self.plain, UNIT)
        met = there.join(exact.rename("plain"), on=[*UNIT, "shown"]).join(loose.rename("any"), on=UNIT)
        met = met[met["any"].notna()]
        ordered = met["plain"].notna().to_numpy()
        plain, other = met["plain"].where(ordered, met["any"]), met["word"]
        row, (one, two) = one_by_one(plain, other)
        cluster = _pairs(met["pair"])
        right = met["pair"].map(self._right).fillna(0).to_numpy(dtype=np.int64)
        units = Units(one, two, cluster[row], met["cue"].to_numpy(dtype=np.int64)[row])
        here, beside = _counts(plain), _counts(other)
        again_same, again = repeated(*here.T)
        return Met(
            units, right[row], (here * beside).sum(axis=1), here.sum(axis=1) * beside.sum(axis=1),
            again_same * ordered, again * ordered, cluster,
        )  # fmt: skip

    @cached_property
    def _prompt(self) -> pd.Series:
        return self.rows.drop_duplicates("pair").set_index("pair")["prompt"]

    def n_prompts(self, pairs: Ints) -> int:
        """Prompts of these pairs."""
        return len(np.unique(self._prompt.reindex(pairs)))

    def codes(self, pairs: Ints, by: Clustering) -> Ints:
        """What these pairs hang together by."""
        return np.asarray(self._prompt.reindex(pairs), dtype=np.int64) if by.name == "prompt" else pairs


@dataclass(frozen=True)
class Audited:
    """All audited judges. own : which models are whose; reference : None where nobody says what is right"""

    judges: tuple[str, ...]
    reference: str | None
    own: tuple[Own, ...]
    fingerprint: str
    said: Mapping[str, JudgeSaid] = field(default_factory=dict)
    named: bool = False

    def of(self, judge: str) -> JudgeSaid:
        return self.said[judge]


def load(study: Audit, store: Store, told: Mapping[str, Sequence[str]]) -> Audited:
    """Fetch what a resolved study selects. Raises UnknownNameError, EmptySelectionError."""
    with store.reading("reading verdicts") as con:
        names = queries.catalog(con, study)
        reference = says_right(study.reference, names)
        every = tuple(dict.fromkeys([*study.judge, *([reference] if reference else [])]))
        said = shown(con, names, in_all_variants(replace(study, judge=every), names))
        answers = sides(con, names)
        owners = find_owners(con, names, [judge for judge in study.judge if judge != reference], told)
        fingerprint = stamped(queries.fingerprint(con, names, every), [*owners.words, *letters_word(con, names)])
    queries.require_rows(len(said), "of these judges")
    judges = tuple(judge for judge in study.judge if judge != reference)
    if not judges:
        raise EmptySelectionError(
            f"{reference!r} says what is right here, and there is no other judge to audit: choose one with --judge"
        )
    table = pd.DataFrame(said.__dict__)
    variant = {number: name for name, number in names.variants.items()}
    table["variant"] = table["variant"].map(variant)
    by_judge = {int(table["judge_id"].iloc[at[0]]): table.iloc[at] for at in table.groupby("judge_id").indices.values()}
    nothing = table.iloc[:0]
    kinds = {name: kind for name, (_, kind) in names.judges.items()}
    votes = _votes(by_judge.get(names.judges[reference][0], nothing), study.variant) if reference else pd.DataFrame()
    answers = answers.set_index("pair").rename(columns={"longer": "length", "marked": "formatting"})
    found = {}
    for judge in judges:
        mine = [names.models[one.model] for one in owners.own if one.judge == judge]
        a, b = (np.isin(answers[side], mine).astype(np.float64) for side in ("model_a", "model_b"))
        rows = by_judge.get(names.judges[judge][0], nothing)
        exact = reference is not None and kinds[reference] == "rule"
        found[judge] = JudgeSaid(rows, votes, answers.assign(own=a - b), exact, study.variant)
    return Audited(judges, reference, owners.own, fingerprint, found, bool(names.models))


def says_right(asked: str | None, names: queries.Catalog) -> str | None:
    """The judge asked for; else `gold`, the only other rule, or the only human one; None where nobody is alone."""
    if asked is not None:
        if asked not in names.judges:
            raise unknown_name(f"judge in dataset {names.dataset!r}", asked, names.judges)
        return asked
    gold = names.display.here("judge", "gold")
    if gold in names.judges:
        return gold
    rules = [name for name, (_, kind) in names.judges.items() if kind == "rule"]
    for some in (rules, names.humans):
        if len(some) == 1:
            return some[0]
    return None


def _votes(rows: pd.DataFrame, plain: str) -> pd.DataFrame:
    """One row a vote of the reference: pair, r from -1 to 1 (mean over orders and repeats)."""
    rows = rows[(rows["variant"] == plain) & rows["p"].notna()]
    means = _mean(rows.assign(r=2 * rows["p"] - 1), UNIT, ["r"])
    return pd.DataFrame({"pair": means.index.get_level_values("pair"), "r": means["r"].to_numpy()})


def _mean(rows: pd.DataFrame, by: list[str], names: list[str]) -> pd.DataFrame:
    """Means over verdicts, of which each row holds as many as it counts."""
    n = rows[["a", "b", "tie"]].sum(axis=1)
    sums = rows[names].mul(n, axis=0).assign(n=n, **{one: rows[one] for one in by}).groupby(by).sum()
    # Halves of sums of thirds are halves but for rounding.
    return sums[names].div(sums["n"], axis=0).round(9)


def _label(rows: pd.DataFrame) -> Floats:
    """Mean label of the verdicts of each row, from -1 (b) to 1 (a)."""
    a, b, tie = (rows[name].to_numpy(dtype=np.float64) for name in ("a", "b", "tie"))
    return np.asarray((a - b) / (a + b + tie))


def _pairs(pairs: Any) -> Ints:
    return np.asarray(pairs, dtype=np.int64)


def one_by_one(*said: pd.Series) -> tuple[Ints, list[Ints]]:
    """The k-th verdict of a row in one circumstance with its k-th in each other, as far as all of them have one.

    said : words of a, b, t, row by row. Returns the row of each, and labels (+1 a, -1 b, 0 tie) by circumstance
    """
    length = np.array([[len(word) for word in words] for words in said], dtype=np.int64).reshape(len(said), -1)
    n = length.min(axis=0)
    row = np.repeat(np.arange(len(n)), n)
    k = np.arange(len(row)) - np.repeat(np.cumsum(n) - n, n)
    start = np.cumsum(length, axis=1) - length
    return row, [_labels(words)[start[at][row] + k] for at, words in enumerate(said)]


def _labels(words: pd.Series) -> Ints:
    letters = np.frombuffer("".join(words).encode(), dtype=np.uint8)
    return np.asarray((letters == ord("a")).astype(np.int64) - (letters == ord("b")))


def _counts(words: pd.Series) -> Floats:
    """(n, 3) how many verdicts are a, b, tie."""
    return np.array([[word.count(one) for one in "abt"] for word in words], dtype=np.float64).reshape(-1, 3)


def _words(rows: pd.DataFrame, by: list[str]) -> pd.Series:
    """The verdicts of rows that are alike in these columns, as one word."""
    if rows.duplicated(by).any():
        return rows.groupby(by)["word"].sum()
    return rows.set_index(by)["word"]


def _by_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Verdicts by unit: first (a shown first) and last (b shown first), of the units that have both."""
    one, two = (_words(rows[rows["shown"] == side], UNIT) for side in (1, -1))
    return pd.concat({"first": one, "last": two}, axis=1, join="inner")
