"""Which properties do responses have, measured from their texts or delivered with the file, and on which pairs?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.queries import CLUSTER_COLUMNS, IS_TIE, Catalog, Con, Counts, counts
from data.queries.delivered import delivered_twice, of_responses, sums
from data.queries.labels import LONGEST_LEVEL, MOST_LEVELS, Labels, flags, labels_held
from data.remembered import known

Versions = Mapping[str, int]
"""Names of measured factors -> the version that counts; values of any other version are as if they were not there."""

Floats = NDArray[np.float64]

Origin = Literal["text", "file"]
TEXT: Origin = "text"
FILE: Origin = "file"


@dataclass(frozen=True)
class Source:
    """Where a factor's values come from.

    origin : measured from the text, or delivered with the file
    id : text_factor_id or factor_id; version : of what measured it, None where it was delivered
    by_judgment : some values belong to a judgment rather than to a response
    labels : its values are words, not numbers: no model takes it, its levels enter instead, each a source of its own
    answer : measured of a response beside its prompt
    level : the source is a dummy, 1 where the delivered factor has this level; is_set : its values are sets of labels
    words : of a factor of words, which there are
    """

    name: str
    origin: Origin
    id: int
    version: int | None = None
    by_judgment: bool = False
    labels: bool = False
    answer: bool = False
    level: str | None = None
    is_set: bool = False
    words: Labels | None = None


# -- what there is ------------------------------------------------------------------------------------------------


MODEL_BITS = 24
"""What a model measured has in its version, below the factor's own, so many bits that stand for the model."""


def _current(con: Con, versions: Versions) -> dict[str, tuple[int, int]]:
    """text_factor_id and version by name, of the factors that were measured in these versions, by whatever model."""
    rows = con.execute("SELECT name, version, text_factor_id FROM text_factor ORDER BY text_factor_id").fetchall()
    return {name: (i, v) for name, v, i in rows if versions.get(name) in (v, v >> MODEL_BITS)}


def current_ids(con: Con, versions: Versions) -> dict[str, int]:
    """text_factor_id by name, of the factors that were measured in these versions."""
    return {name: i for name, (i, _) in _current(con, versions).items()}


def sources(con: Con, names: Catalog, versions: Versions) -> dict[str, Source]:
    """The factors of a dataset by the name they are asked by.

    One that the file delivered goes by its own name, and before a measured one of the same name, which is then
    `text:NAME`. One of words is followed by its levels as `NAME=LEVEL` (without the reference; of a set of labels, all;
    `level:NAME=LEVEL` where a delivered factor has that name). Measured ones are listed once a text of the dataset was
    measured.
    """
    # What there is takes all values to tell, and pages ask for it again and again.
    key = "sources of factors", names.dataset_id, tuple(versions.items())
    return dict(known(key, lambda: _sources(con, names, versions)))


def _sources(con: Con, names: Catalog, versions: Versions) -> dict[str, Source]:
    found: dict[str, Source] = {}
    words = labels_held(con, names.dataset_id)
    # Which factors occur: told without counting, a tenth of the time on tens of millions of values.
    for name, i, by_judgment, numbers in con.execute(
        """SELECT name, factor_id, judged.factor_id IS NOT NULL, numbers.factor_id IS NOT NULL FROM factor
        LEFT JOIN (SELECT DISTINCT factor_id FROM judgment_value WHERE dataset_id = $d) judged USING (factor_id)
        LEFT JOIN (
            SELECT DISTINCT factor_id FROM response_value WHERE dataset_id = $d AND value IS NOT NULL
            UNION SELECT DISTINCT factor_id FROM judgment_value
            WHERE dataset_id = $d AND (value_a IS NOT NULL OR value_b IS NOT NULL)) numbers USING (factor_id)
        WHERE dataset_id = $d ORDER BY factor_id""",
        {"d": names.dataset_id},
    ).fetchall():
        mine = None if numbers else words.get(i)
        is_set = mine is not None and mine.is_set
        found[name] = Source(name, FILE, i, None, by_judgment, labels=not numbers, is_set=is_set, words=mine)
    for name, source in list(found.items()):
        for level in source.words.offered if source.words is not None else ():
            asked = f"{name}={level}" if f"{name}={level}" not in found else f"level:{name}={level}"
            found[asked] = Source(
                asked, FILE, source.id, None, source.by_judgment, level=level, is_set=source.is_set
            )
    current = _current(con, versions)
    held = _measured(con, names)
    for name, (i, version) in ((name, current[name]) for name in versions if name in current):
        if i in held:
            asked = f"text:{name}" if name in found else name
            found[asked] = Source(asked, TEXT, i, version, answer=held[i])
    return found


def _measured(con: Con, names: Catalog) -> dict[int, bool]:
    """text_factor_ids with a value of some response, and whether it is one of the response beside its prompt."""
    rows = con.execute(
        f"""SELECT DISTINCT text_factor_id, false FROM text_value
        WHERE text_id IN (SELECT text_id FROM response WHERE dataset_id = $d)
        UNION ALL SELECT DISTINCT text_factor_id, true FROM answer_value SEMI JOIN ({_asked(names)}) USING (text_id, prompt_text_id)
        ORDER BY 1""",
        {"d": names.dataset_id},
    ).fetchall()
    return dict(rows)


def _asked(names: Catalog) -> str:
    """SQL: the dataset's responses with the texts of both response and prompt."""
    return (
        "SELECT r.response_id, r.text_id, p.text_id AS prompt_text_id FROM response r JOIN prompt p USING (prompt_id) "
        f"WHERE r.dataset_id = {names.dataset_id}"
    )


def free_texts(found: Mapping[str, Source]) -> list[str]:
    """Which delivered factors are no factors but free text, one sentence each."""
    said = []
    for name, source in found.items():
        if source.words is None or not source.words.free_text:
            continue
        n = source.words.n_levels
        why = f"has {n:,} different words, more than {MOST_LEVELS}" if n > MOST_LEVELS else (
            f"has words of up to {source.words.longest:,} characters, more than {LONGEST_LEVEL}"
        )  # fmt: skip
        said.append(f"{name} {why}: a column of free text is no factor, and no model takes it")
    return said


def responses(con: Con, names: Catalog) -> dict[str, int]:
    """Of a dataset's responses: how many there are (`responses`), how many have a text, how many an empty one."""
    [row] = known(("responses", names.dataset_id), lambda: con.execute(
        """SELECT count(*), count(text_id), count(*) FILTER (trim(body) = '') FROM response
        LEFT JOIN text USING (text_id) WHERE dataset_id = $d""",
        {"d": names.dataset_id},
    ).fetchall())  # fmt: skip
    return dict(zip(("responses", "texts", "empty"), map(int, row), strict=True))


def values_held(con: Con, names: Catalog, found: Mapping[str, Source]) -> dict[str, int]:
    """How many responses of the dataset have a value of each factor."""
    d = {"d": names.dataset_id}
    measured = ", ".join(str(s.id) for s in found.values() if s.origin == TEXT) or "NULL"
    of_text = con.execute(
        f"""SELECT text_factor_id, count(value) FROM text_value JOIN response USING (text_id)
        WHERE dataset_id = $d AND text_factor_id IN ({measured}) GROUP BY text_factor_id
        UNION ALL SELECT text_factor_id, count(value) FROM answer_value JOIN ({_asked(names)}) USING (text_id, prompt_text_id)
        WHERE text_factor_id IN ({measured}) GROUP BY text_factor_id ORDER BY text_factor_id""",
        d,
    ).fetchall()
    of_file = _delivered_to(con, names, {s.id for s in found.values() if s.origin == FILE})
    counts = {TEXT: dict(of_text), FILE: of_file}
    return {name: int(counts[source.origin].get(source.id, 0)) for name, source in found.items()}


def _delivered_to(con: Con, names: Catalog, wanted: set[int]) -> dict[int, int]:
    """How many responses have a value of each of these delivered factors."""
    d = {"d": names.dataset_id}
    held = dict(con.execute(
        "SELECT factor_id, count(*) FROM response_value WHERE dataset_id = $d GROUP BY factor_id ORDER BY factor_id", d
    ).fetchall())
    judged = con.execute(
        "SELECT DISTINCT factor_id FROM judgment_value WHERE dataset_id = $d ORDER BY factor_id", d
    ).fetchall()
    # One import gives a response one value; telling responses apart is needed, and slow, beyond that.
    apart = wanted & ({i for (i,) in judged} | delivered_twice(con, names.dataset_id))
    found = {i: int(held[i]) for i in wanted & set(held) - apart}
    if apart:
        ids = ", ".join(map(str, sorted(apart)))
        rows = con.execute(
            f"""SELECT factor_id, count(DISTINCT response_id) FROM (
                SELECT factor_id, response_id FROM response_value WHERE dataset_id = $d AND factor_id IN ({ids})
                UNION ALL SELECT factor_id, unnest([CASE WHEN value_a IS NOT NULL OR label_a IS NOT NULL THEN response_a END,
                    CASE WHEN value_b IS NOT NULL OR label_b IS NOT NULL THEN response_b END])
                FROM judgment_value v JOIN judgment j ON j.dataset_id = $d AND j.judgment_id = v.judgment_id
                JOIN pair p ON p.pair_id = j.pair_id WHERE v.dataset_id = $d AND factor_id IN ({ids}))
            GROUP BY factor_id ORDER BY factor_id""",
            d,
        ).fetchall()
        found |= {i: int(n) for i, n in rows}
    return found


def state(con: Con, versions: Versions) -> str:
    """A word that changes whenever a text of any dataset is measured, with another version of a factor, and with every
    import, which may have delivered values."""
    current = {i: f"{name}@{version}" for name, (i, version) in _current(con, versions).items()}
    rows = con.execute(
        """SELECT text_factor_id, count(*) FROM text_value GROUP BY text_factor_id
        UNION ALL SELECT text_factor_id, count(*) FROM answer_value GROUP BY text_factor_id ORDER BY text_factor_id"""
    ).fetchall()
    imports = con.execute(
        "SELECT coalesce(bit_xor(hash(import_id, sha256, format, mapping, imported_at)), 0) FROM import_log"
    ).fetchall()[0][0]
    measured = " ".join(f"{current[i]}:{n}" for i, n in rows if i in current)
    return f"{measured} imports:{imports}"


# -- the values of pairs ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PairValues:
    """Factor values of a dataset's pairs, NaN where they are not known.

    pair : (pairs,) ids, ascending; a, b : by factor, (pairs,) the two responses' values
    """

    pair: NDArray[np.int32]
    a: Mapping[str, Floats]
    b: Mapping[str, Floats]


def pair_values(con: Con, names: Catalog, chosen: Sequence[Source]) -> PairValues:
    """The values of every pair of the dataset, of factors that belong to responses."""
    pairs = con.sql(
        f"SELECT pair_id, response_a, response_b FROM pair WHERE dataset_id = {names.dataset_id} ORDER BY pair_id"
    ).to_arrow_table()
    response, values = _response_values(con, names, chosen)
    a, b = (np.searchsorted(response, pairs[side].to_numpy()) for side in ("response_a", "response_b"))
    return PairValues(
        pairs["pair_id"].to_numpy(),
        {name: column[a] for name, column in values.items()},
        {name: column[b] for name, column in values.items()},
    )


def _response_values(
    con: Con, names: Catalog, chosen: Sequence[Source]
) -> tuple[NDArray[np.int32], dict[str, Floats]]:
    """Ids of the dataset's responses, ascending, and by factor their values.

    Factor by factor, as they are stored: one query that turned all factors into columns took five times as long.
    """
    d = names.dataset_id
    table = con.sql(
        f"SELECT response_id, coalesce(text_id, 0) AS text_id FROM response WHERE dataset_id = {d} ORDER BY response_id"
    ).to_arrow_table()
    response, text = table["response_id"].to_numpy(), table["text_id"].to_numpy()
    known = text[text > 0]
    least, most = (int(known.min()), int(known.max())) if len(known) else (0, -1)
    place = np.where(text > 0, text - least, most - least + 1)
    twice = delivered_twice(con, d) if any(source.origin == FILE for source in chosen) else set()
    values: dict[str, Floats] = {}
    for source in chosen:
        if source.origin == TEXT and not source.answer:
            found = con.sql(
                f"SELECT text_id, value FROM text_value WHERE text_factor_id = {source.id} "
                f"AND text_id BETWEEN {least} AND {most}"
            ).to_arrow_table()
            # The last place is that of no text.
            of_text = _spread(found["text_id"].to_numpy() - least, _floats(found["value"]), most - least + 2)
            values[source.name] = of_text[place]
            continue
        if source.origin == TEXT:
            found = con.sql(
                f"SELECT response_id, value FROM answer_value JOIN ({_asked(names)}) USING (text_id, prompt_text_id) "
                f"WHERE text_factor_id = {source.id}"
            ).to_arrow_table()
        else:
            found = con.sql(of_responses(d, source.id, (_stored(source),), twice)).to_arrow_table()
            found = found.rename_columns(["response_id", "value"])
        at = np.searchsorted(response, found["response_id"].to_numpy())
        values[source.name] = _spread(at, _numbers(source, found["value"]), len(response))
    return response, values


def _spread(at: NDArray[np.integer[Any]], values: Floats, n: int) -> Floats:
    """(n,) the values at their places, NaN elsewhere."""
    column = np.full(n, np.nan)
    column[at] = values
    return column


def _stored(source: Source, side: str = "") -> str:
    """The column that holds a delivered factor's values: its words where a level of them is asked for."""
    return ("value" if source.level is None else "label") + side


def _numbers(source: Source, values: pa.ChunkedArray) -> Floats:
    """A delivered factor's values as models take them."""
    return _floats(values) if source.level is None else flags(values, source.level, source.is_set)


def _floats(values: pa.ChunkedArray) -> Floats:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)


@dataclass(frozen=True)
class Scale:
    """Of one factor over the dataset's distinct pairs: the root mean square of a - b about 0, and on how many pairs."""

    value: float
    pairs: int


def scales(con: Con, names: Catalog, chosen: Sequence[Source]) -> dict[str, Scale]:
    """The scale of each factor, before any filter. Of a judgment's factor each pair counts once, with the mean square
    over its judgments."""
    values = pair_values(con, names, chosen)
    squares = {s.name: (values.a[s.name] - values.b[s.name]) ** 2 for s in chosen}
    own = [s for s in chosen if s.by_judgment]
    if own:
        rows, a, b = judged_values(con, names, f"dataset_id = {names.dataset_id}", own, values)
        at = np.searchsorted(values.pair, rows["pair_id"].to_numpy())
        for source in own:
            square = (a[source.name] - b[source.name]) ** 2
            there = ~np.isnan(square)
            total = np.bincount(at[there], square[there], len(values.pair))
            n = np.bincount(at[there], minlength=len(values.pair))
            squares[source.name] = np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0)
    return {s.name: _scale(squares[s.name]) for s in chosen}


def _scale(squares: Floats) -> Scale:
    there = squares[~np.isnan(squares)]
    return Scale(float(np.sqrt(there.mean())) if len(there) else float("nan"), len(there))


def judged_values(
    con: Con, names: Catalog, condition: str, chosen: Sequence[Source], values: PairValues, columns: Sequence[str] = ()
) -> tuple[pa.Table, dict[str, Floats], dict[str, Floats]]:
    """One row a judgment in their order, with pair_id and `columns`; by factor the values of its two responses.

    What a judgment has of its own goes before what its response has.
    """
    own = {s.id: s for s in chosen if s.by_judgment}
    more = "".join(f", {c}" for c in columns)
    joins = ""
    for i in own:
        held = ("value_a", "value_b", "label_a", "label_b")
        more += "".join(f", w{i}.{c} AS {c}_{i}" for c in held)
        joins += (
            f" LEFT JOIN (SELECT judgment_id AS of{''.join(f', arg_min({c}, import_id) AS {c}' for c in held)}"
            f" FROM judgment_value WHERE dataset_id = {names.dataset_id} AND factor_id = {i} GROUP BY judgment_id) w{i}"
            f" ON w{i}.of = j.judgment_id"
        )
    rows = con.sql(
        f"SELECT j.pair_id{more} FROM (SELECT * FROM judgment WHERE {condition}) j{joins} ORDER BY judgment_id"
    ).to_arrow_table()
    at = np.searchsorted(values.pair, rows["pair_id"].to_numpy())

    def side(of: Mapping[str, Floats], end: str) -> dict[str, Floats]:
        found = {}
        for source in chosen:
            found[source.name] = of[source.name][at]
            if source.by_judgment:
                mine = _numbers(source, rows[f"{_stored(source, end)}_{source.id}"])
                found[source.name] = np.where(np.isnan(mine), found[source.name], mine)
        return found

    return rows, side(values.a, "_a"), side(values.b, "_b")


@dataclass(frozen=True)
class FactorRows:
    """Judgments summed as in `queries.counts`, kept apart by pair, with the factors of both responses.

    a, b : by factor, (rows,) values of the two models' responses, NaN where they are not known
    """

    counts: Counts
    a: Mapping[str, Floats]
    b: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.counts)

    def take(self, rows: NDArray[np.bool_]) -> FactorRows:
        """Some of the rows."""
        if rows.all():
            return self
        at = np.flatnonzero(rows)
        return FactorRows(
            Counts({name: column[at] for name, column in self.counts.frame.items()}),
            {name: column[at] for name, column in self.a.items()},
            {name: column[at] for name, column in self.b.items()},
        )

    def of(self, judge_id: int) -> FactorRows:
        """The rows of one judge."""
        return self.take(self.counts.frame["judge_id"] == judge_id)


def factor_rows(
    con: Con,
    names: Catalog,
    condition: str,
    chosen: Sequence[Source],
    clusters: Sequence[str] = (),
    position: bool = False,
    tied: bool = False,
) -> FactorRows:
    """The judgments of a condition with the values of these factors.

    tied : with a column `tied`, the weight of the judgments that are ties
    """
    if any(source.by_judgment for source in chosen):
        return _rows_by_judgment(con, names, condition, chosen, clusters, position, tied)
    values = pair_values(con, names, chosen)
    found = counts(con, condition, tuple(dict.fromkeys((*clusters, "pair"))), position, tied, pairs_by_id=True)
    at = np.searchsorted(values.pair, found.frame["pair"])
    return FactorRows(
        found,
        {name: column[at] for name, column in values.a.items()},
        {name: column[at] for name, column in values.b.items()},
    )


def _rows_by_judgment(
    con: Con, names: Catalog, condition: str, chosen: Sequence[Source], clusters: Sequence[str], position: bool, tied: bool
) -> FactorRows:
    columns = ["judge_id", "model_a AS a", "model_b AS b", "weight", "weight * p_a AS score", "1::BIGINT AS n"]
    columns += [f"{CLUSTER_COLUMNS[c]} AS {c}" for c in dict.fromkeys((*clusters, "pair")) if c != "pair"]
    columns += ["shown"] if position else []
    columns += [f"({IS_TIE})::DOUBLE * weight AS tied"] if tied else []
    rows, a, b = judged_values(con, names, condition, chosen, pair_values(con, names, chosen), columns)
    frame = {name.split(" AS ")[-1]: rows[name.split(" AS ")[-1]].to_numpy() for name in columns}
    frame["pair"] = rows["pair_id"].to_numpy()
    return FactorRows(Counts(frame), a, b)


def fingerprint(con: Con, names: Catalog, chosen: Sequence[Source]) -> str:
    """What a result that used these factors adds to its fingerprint: versions and extent of the measured ones, and an
    order-free sum over the values of the delivered ones. Equal data gives an equal word in any store."""
    return digest(*sorted(fingerprint_words(con, names, chosen).values()))


def fingerprint_words(con: Con, names: Catalog, chosen: Sequence[Source]) -> dict[str, str]:
    """The word of each factor by name."""
    measured = [s for s in chosen if s.origin == TEXT]
    held = values_held(con, names, {s.name: s for s in measured}) if measured else {}
    words = {s.name: f"{s.name}@{s.version}:{held[s.name]}" for s in measured}
    delivered = [s for s in chosen if s.origin == FILE]
    if delivered:
        said = sums(con, names.dataset_id, sorted({s.id for s in delivered}))
        words |= {s.name: f"{s.name}={said[s.id]}" for s in delivered}
    return words


def digest(*words: str) -> str:
    """16 hexadecimal digits that stand for these words."""
    return hashlib.sha256("\x1e".join(words).encode()).hexdigest()[:16]
