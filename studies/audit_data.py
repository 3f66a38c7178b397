"""What does an audit look at? Each judge's verdicts by order, repeat and circumstance, beside the reference's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.audit import Units, repeated
from analysis.beyond_reference import Held
from analysis.cells import Cells, Floats, Ints
from analysis.cluster_sums import numbered
from analysis.letters import Letters
from analysis.own_models import Own
from analysis.vcov import Clustering
from data import queries
from data.queries.audit import Shown, in_all_variants, letters_word, shown, sides
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
        some = (self.rows["variant"] == variant).to_numpy() & self.rows["p"].notna().to_numpy()
        return self.rows if some.all() else self.rows[some]

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
        shown = self.plain["shown"].to_numpy()
        known = shown != 0
        zero = np.zeros(int(known.sum()))
        held = Held(_label(self.plain)[known], zero, zero, zero + 1, zero, _pairs(self.plain["pair"])[known], False)
        return shown[known].astype(np.float64), held

    @property
    def n_in_order(self) -> int:
        """Verdicts with a known order."""
        return int(_verdicts(self.plain)[self.plain["shown"].to_numpy() != 0].sum())

    @property
    def cells_in_order(self) -> Cells | None:
        """Verdicts between two different models with a known order; None where there are none."""
        rows = {name: self.plain[name].to_numpy() for name in ("pair", "prompt", "shown", "a", "tie")}
        at = np.column_stack([self._side(name, _pairs(rows["pair"])) for name in ("model_a", "model_b")])
        ranked = (rows["shown"] != 0) & (at >= 0).all(axis=1) & (at[:, 0] != at[:, 1])
        if not ranked.any():
            return None
        count = _verdicts(self.plain)[ranked]
        rows, at = {name: column[ranked] for name, column in rows.items()}, at[ranked].astype(np.int64)
        code = numbered(at.ravel())[0].reshape(-1, 2)
        models = np.zeros(int(code.max()) + 1, dtype=np.int64)
        models[code] = at
        return Cells(
            tuple(str(number) for number in models), code[:, 0], code[:, 1], count.astype(np.float64),
            rows["a"] + rows["tie"] / 2, count, rows["shown"].astype(np.int64),
            {name: rows[name].astype(np.int64) for name in ("pair", "prompt")},
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
        some = (self.rows["variant"] == self.plain_name).to_numpy()
        rows = self.rows if some.all() else self.rows[some]
        ties, none = (rows[name].to_numpy(dtype=np.float64) for name in ("tie", "none"))
        return ties, _verdicts(rows).astype(np.float64), none, _pairs(rows["pair"])

    @cached_property
    def _voted(self) -> tuple[Ints, Floats]:
        """Pairs on which the reference voted, ascending, and (5, n) of each: the sum of its votes, that of their
        squares, and how many are above, below and at 0."""
        pair, r = _pairs(self.votes["pair"]), self.votes["r"].to_numpy(dtype=np.float64)
        code, n = numbered(pair)
        met = np.zeros(n, dtype=np.int64)
        met[code] = pair
        return met, np.array([np.bincount(code, x, n) for x in (r, r**2, r > 0, r < 0, r == 0)]).reshape(5, n)

    def _right(self, pairs: Ints) -> Ints:
        """(n,) the reference's majority label on each; 0 where there is none, or it is a tie."""
        met, (_, _, a, b, tie) = self._voted
        lead = np.where(np.maximum(a, b) > np.maximum(tie, np.minimum(a, b)), np.sign(a - b), 0).astype(np.int64)
        at = _at(met, pairs)
        return np.where(at >= 0, np.append(lead, 0)[at], 0)

    def accuracy(self) -> tuple[Floats, Floats, Ints]:
        """Verdicts that are the reference's label, all on pairs that have one, and clusters. A tie is wrong."""
        pair = _pairs(self.plain["pair"])
        right = self._right(pair)
        known = right != 0
        hit = np.where(right > 0, self.plain["a"].to_numpy(), self.plain["b"].to_numpy()).astype(np.float64)
        return hit[known], _verdicts(self.plain)[known].astype(np.float64), pair[known]

    def held(self) -> tuple[Held, dict[str, Floats]]:
        """On the pairs that the reference has judged too."""
        met, (total, squares, *counts) = self._voted
        at = _at(met, self._means[0])
        both = at >= 0
        at = at[both]
        return self._as_held(both, total[at], squares[at], sum(counts)[at])

    def labels(self) -> tuple[Ints, Ints]:
        """On the pairs of `held`: the judge's label of its mean probability, and the reference's of the majority."""
        pair, _, _, p = self._means
        both = _at(self._voted[0], pair) >= 0
        return np.sign(p[both] - 0.5).astype(np.int64), self._right(pair[both])

    def alone(self) -> tuple[Held, dict[str, Floats]]:
        """On all of its pairs, without a reference."""
        zero = np.zeros(len(self._means[0]))
        return self._as_held(zero == 0, zero, zero, zero + 1)

    def _as_held(
        self, some: NDArray[np.bool_], total: Floats, squares: Floats, votes: Floats
    ) -> tuple[Held, dict[str, Floats]]:
        pair, judge, order, _ = self._means
        pair = pair[some]
        held = Held(judge[some], total, squares, votes, order[some], pair, self.exact)
        return held, {name: self._side(column, pair) for name, column in SIDES.items()}

    @cached_property
    def _means(self) -> tuple[Ints, Floats, Floats, Floats]:
        """Pairs, ascending; of each means over verdicts, then voters: labels from -1 to 1, order, and p (of a)."""
        shown, p = (self.plain[name].to_numpy(dtype=np.float64) for name in ("shown", "p"))
        pair, means = _mean(self.plain, [_label(self.plain), shown, p])
        code, n = numbered(pair)
        met, voters = np.zeros(n, dtype=np.int64), np.bincount(code, minlength=n)
        met[code] = pair
        judge, order, p = (np.bincount(code, mean, n) / voters for mean in means)
        return met, judge, order, p

    def _side(self, column: str, pairs: Ints) -> Floats:
        """(n,) what `sides` says of each pair; NaN of those that it does not have."""
        values = np.append(self.sides[column].to_numpy(dtype=np.float64), np.nan)
        return np.asarray(values[_at(self._sides_of, pairs)])

    @cached_property
    def _sides_of(self) -> Ints:
        pairs = _pairs(self.sides.index)
        if (pairs[1:] < pairs[:-1]).any():
            raise ValueError("sides must stand in the order of their pairs")
        return pairs

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
        right = self._right(cluster)
        units = Units(one, two, cluster[row], met["cue"].to_numpy(dtype=np.int64)[row])
        here, beside = _counts(plain), _counts(other)
        again_same, again = repeated(*here.T)
        return Met(
            units, right[row], (here * beside).sum(axis=1), here.sum(axis=1) * beside.sum(axis=1),
            again_same * ordered, again * ordered, cluster,
        )  # fmt: skip

    @cached_property
    def _prompt(self) -> tuple[Ints, Ints]:
        """Pairs, ascending, and the prompt of each."""
        pair = _pairs(self.rows["pair"])
        code, n = numbered(pair)
        met, prompt = np.zeros((2, n), dtype=np.int64)
        met[code], prompt[code] = pair, self.rows["prompt"].to_numpy()
        return met, prompt

    def n_prompts(self, pairs: Ints) -> int:
        """Prompts of these pairs."""
        return numbered(self._prompts(pairs))[1]

    def codes(self, pairs: Ints, by: Clustering) -> Ints:
        """What these pairs hang together by."""
        return self._prompts(pairs) if by.name == "prompt" else pairs

    def _prompts(self, pairs: Ints) -> Ints:
        met, prompt = self._prompt
        return np.asarray(prompt[_at(met, pairs)])


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
    variants = {number: name for name, number in names.variants.items()}
    table = {k: _table(said, names.judges[k][0], variants) for k in every}
    kinds = {name: kind for name, (_, kind) in names.judges.items()}
    votes = _votes(table[reference], study.variant) if reference else pd.DataFrame({"pair": [], "r": []})
    answers = answers.set_index("pair").rename(columns={"longer": "length", "marked": "formatting"})
    found = {}
    for judge in judges:
        mine = [names.models[one.model] for one in owners.own if one.judge == judge]
        a, b = (np.isin(answers[side], mine).astype(np.float64) for side in ("model_a", "model_b"))
        exact = reference is not None and kinds[reference] == "rule"
        found[judge] = JudgeSaid(table[judge], votes, answers.assign(own=a - b), exact, study.variant)
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


def _table(said: Shown, judge_id: int, variants: Mapping[int, str]) -> pd.DataFrame:
    """The rows of one judge, with the names of variants."""
    low, high = np.searchsorted(said.judge_id, [judge_id, judge_id + 1])
    rows = said.take(slice(low, high)).__dict__
    code, n = numbered(rows["variant"])
    known = np.zeros(n, dtype=np.int64)
    known[code] = rows["variant"]
    named = pd.Categorical.from_codes(code, pd.Index([variants[int(one)] for one in known], dtype=str))
    # Columns of one kind need not be copied into one table.
    return pd.DataFrame(rows | {"variant": named}, copy=False)


def _votes(rows: pd.DataFrame, plain: str) -> pd.DataFrame:
    """One row a vote of the reference: pair, r from -1 to 1 (mean over orders and repeats)."""
    some = (rows["variant"] == plain).to_numpy() & rows["p"].notna().to_numpy()
    rows = rows if some.all() else rows[some]
    pair, [r] = _mean(rows, [2 * rows["p"].to_numpy(dtype=np.float64) - 1])
    return pd.DataFrame({"pair": pair, "r": r})


def _mean(rows: pd.DataFrame, columns: Sequence[Floats]) -> tuple[Ints, list[Floats]]:
    """Of each unit, by pair and voter: its pair, and means over verdicts, of which each row holds as many as it counts.
    """
    code, n_units = _units(rows)
    pair, n = np.zeros(n_units, dtype=np.int64), _verdicts(rows)
    pair[code] = rows["pair"].to_numpy()
    whole = np.bincount(code, n, n_units)
    # Halves of sums of thirds are halves but for rounding.
    return pair, [np.round(np.bincount(code, column * n, n_units) / whole, 9) for column in columns]


def _units(rows: pd.DataFrame) -> tuple[Ints, int]:
    """(n,) codes of units, ascending in pair and voter, and how many there are."""
    voter, n = numbered(rows["voter"].to_numpy())
    return numbered(numbered(rows["pair"].to_numpy())[0] * max(n, 1) + voter)


def _at(known: Ints, wanted: Ints) -> Ints:
    """(n,) where each stands among those known, which ascend; -1 where it does not."""
    if not len(known) or not len(wanted):
        return np.full(len(wanted), -1, dtype=np.int64)
    least, span = int(known[0]), int(known[-1] - known[0]) + 1
    if span > 4 * (len(known) + len(wanted)) + 1000:
        at = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        return np.where(known[at] == wanted, at, -1)
    place = np.full(span + 1, -1, dtype=np.int64)
    place[known - least] = np.arange(len(known))
    off = wanted - least
    return place[np.where((off < 0) | (off > span), span, off)]


def _verdicts(rows: pd.DataFrame) -> Ints:
    """(n,) how many verdicts each row holds."""
    return np.asarray(rows["a"].to_numpy() + rows["b"].to_numpy() + rows["tie"].to_numpy(), dtype=np.int64)


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
    code, n = _units(rows)
    shown, side = rows["shown"].to_numpy(), np.zeros((2, n), dtype=bool)
    for met, sign in zip(side, (1, -1), strict=True):
        met[code[shown == sign]] = True
    # Words are put side by side of few units, where few have both orders.
    rows = rows[(side[0] & side[1])[code]]
    one, two = (_words(rows[rows["shown"] == side], UNIT) for side in (1, -1))
    return pd.concat({"first": one, "last": two}, axis=1, join="inner")
