"""Which properties do responses have, measured from their texts or delivered with the file, and on which pairs?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from data.queries import CLUSTER_COLUMNS, IS_TIE, Catalog, Con, Counts, counts

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
    labels : its values are words, not numbers
    """

    name: str
    origin: Origin
    id: int
    version: int | None = None
    by_judgment: bool = False
    labels: bool = False


# -- what there is ------------------------------------------------------------------------------------------------


def current_ids(con: Con, versions: Versions) -> dict[str, int]:
    """text_factor_id by name, of the factors that were measured in these versions."""
    rows = con.execute("SELECT name, version, text_factor_id FROM text_factor ORDER BY text_factor_id").fetchall()
    return {name: i for name, version, i in rows if versions.get(name) == version}


def sources(con: Con, names: Catalog, versions: Versions) -> dict[str, Source]:
    """The factors of a dataset by the name they are asked by.

    One that the file delivered goes by its own name, and before a measured one of the same name, which is then
    `text:NAME`. Measured ones are listed once a text of the dataset was measured.
    """
    found: dict[str, Source] = {}
    for name, i, by_judgment, numbers in con.execute(
        """SELECT f.name, f.factor_id, coalesce(bool_or(v.by_judgment), false), coalesce(sum(v.numbers), 0)
        FROM factor f LEFT JOIN (
            SELECT factor_id, false AS by_judgment, count(value) AS numbers FROM response_value
            WHERE dataset_id = $d GROUP BY factor_id
            UNION ALL SELECT factor_id, true, count(value_a) + count(value_b) FROM judgment_value
            WHERE dataset_id = $d GROUP BY factor_id) v USING (factor_id)
        WHERE f.dataset_id = $d GROUP BY f.name, f.factor_id ORDER BY f.factor_id""",
        {"d": names.dataset_id},
    ).fetchall():
        found[name] = Source(name, FILE, i, None, by_judgment, labels=numbers == 0)
    ids = current_ids(con, versions)
    held = {
        i
        for (i,) in con.execute(
            """SELECT DISTINCT text_factor_id FROM text_value
            WHERE text_id IN (SELECT text_id FROM response WHERE dataset_id = $d) ORDER BY text_factor_id""",
            {"d": names.dataset_id},
        ).fetchall()
    }
    for name in versions:
        if ids.get(name) in held:
            asked = f"text:{name}" if name in found else name
            found[asked] = Source(asked, TEXT, ids[name], versions[name])
    return found


def responses(con: Con, names: Catalog) -> dict[str, int]:
    """Of a dataset's responses: how many there are (`responses`), how many have a text, how many an empty one."""
    row = con.execute(
        """SELECT count(*), count(text_id), count(*) FILTER (trim(body) = '') FROM response
        LEFT JOIN text USING (text_id) WHERE dataset_id = $d""",
        {"d": names.dataset_id},
    ).fetchall()[0]
    return dict(zip(("responses", "texts", "empty"), map(int, row), strict=True))


def values_held(con: Con, names: Catalog, found: Mapping[str, Source]) -> dict[str, int]:
    """How many responses of the dataset have a value of each factor."""
    d = {"d": names.dataset_id}
    of_text = con.execute(
        """SELECT text_factor_id, count(value) FROM text_value JOIN response USING (text_id) WHERE dataset_id = $d
        GROUP BY text_factor_id ORDER BY text_factor_id""",
        d,
    ).fetchall()
    of_file = con.execute(
        """SELECT factor_id, count(DISTINCT response_id) FROM (
            SELECT factor_id, response_id FROM response_value WHERE dataset_id = $d
            UNION ALL SELECT factor_id, unnest([CASE WHEN value_a IS NOT NULL OR label_a IS NOT NULL THEN response_a END,
                CASE WHEN value_b IS NOT NULL OR label_b IS NOT NULL THEN response_b END])
            FROM judgment_value v JOIN judgment j ON j.dataset_id = $d AND j.judgment_id = v.judgment_id
            JOIN pair p ON p.pair_id = j.pair_id WHERE v.dataset_id = $d)
        GROUP BY factor_id ORDER BY factor_id""",
        d,
    ).fetchall()
    counts = {TEXT: dict(of_text), FILE: dict(of_file)}
    return {name: int(counts[source.origin].get(source.id, 0)) for name, source in found.items()}


def state(con: Con, versions: Versions) -> str:
    """A word that changes whenever a text of any dataset is measured, or with another version of a factor."""
    ids = {i: name for name, i in current_ids(con, versions).items()}
    rows = con.execute(
        "SELECT text_factor_id, count(*) FROM text_value GROUP BY text_factor_id ORDER BY text_factor_id"
    ).fetchall()
    return " ".join(f"{ids[i]}@{versions[ids[i]]}:{n}" for i, n in rows if i in ids)


# -- the values of pairs ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PairValues:
    """Factor values of a dataset's pairs, NaN where they are not known.

    pair : (pairs,) ids, ascending; a, b : by factor, (pairs,) the two responses' values
    """

    pair: NDArray[np.int32]
    a: Mapping[str, Floats]
    b: Mapping[str, Floats]


def _by_response(names: Catalog, chosen: Sequence[Source]) -> str:
    """SQL: response_id and one column f0, f1, ... for each source."""
    of_text = [(k, s) for k, s in enumerate(chosen) if s.origin == TEXT]
    of_file = [(k, s) for k, s in enumerate(chosen) if s.origin == FILE]
    d = names.dataset_id
    columns = "".join(f", f{k}" for k in range(len(chosen)))
    joins = ""
    if of_text:
        pivot = ", ".join(f"max(value) FILTER (text_factor_id = {s.id}) AS f{k}" for k, s in of_text)
        ids = ", ".join(str(s.id) for _, s in of_text)
        joins += (
            f" LEFT JOIN (SELECT text_id, {pivot} FROM text_value WHERE text_factor_id IN ({ids}) GROUP BY text_id) t"
            " ON t.text_id = r.text_id"
        )
    if of_file:
        # Two imports may both have delivered it: the earlier one holds.
        pivot = ", ".join(f"arg_min(value, import_id) FILTER (factor_id = {s.id}) AS f{k}" for k, s in of_file)
        ids = ", ".join(str(s.id) for _, s in of_file)
        joins += (
            f" LEFT JOIN (SELECT response_id, {pivot} FROM response_value WHERE dataset_id = {d}"
            f" AND factor_id IN ({ids}) GROUP BY response_id) g ON g.response_id = r.response_id"
        )
    return f"SELECT r.response_id{columns} FROM response r{joins} WHERE r.dataset_id = {d}"


def _by_pair(names: Catalog, chosen: Sequence[Source]) -> str:
    """SQL: pair_id and for each source k the columns a_k and b_k, of the responses alone."""
    columns = "".join(f", x.f{k} AS a{k}, y.f{k} AS b{k}" for k in range(len(chosen)))
    return (
        f"SELECT p.pair_id{columns} FROM pair p JOIN v x ON x.response_id = p.response_a "
        f"JOIN v y ON y.response_id = p.response_b WHERE p.dataset_id = {names.dataset_id}"
    )


def pair_values(con: Con, names: Catalog, chosen: Sequence[Source]) -> PairValues:
    """The values of every pair of the dataset, of factors that belong to responses."""
    table = con.sql(
        f"WITH v AS ({_by_response(names, chosen)}) SELECT * FROM ({_by_pair(names, chosen)}) ORDER BY pair_id"
    ).to_arrow_table()

    def column(name: str) -> Floats:
        return np.asarray(table[name].to_numpy(zero_copy_only=False), dtype=np.float64)

    return PairValues(
        table["pair_id"].to_numpy(),
        {s.name: column(f"a{k}") for k, s in enumerate(chosen)},
        {s.name: column(f"b{k}") for k, s in enumerate(chosen)},
    )


@dataclass(frozen=True)
class Scale:
    """Of one factor over the dataset's distinct pairs: the root mean square of a - b about 0, and on how many pairs."""

    value: float
    pairs: int


def scales(con: Con, names: Catalog, chosen: Sequence[Source]) -> dict[str, Scale]:
    """The scale of each factor, before any filter. Of a judgment's factor each pair counts once, with the mean square
    over its judgments."""
    found = {}
    plain = [s for s in chosen if not s.by_judgment]
    if plain:
        sums = ", ".join(
            f"sum((a{k} - b{k}) ** 2), count(a{k} - b{k})" for k in range(len(plain))
        )
        row = con.execute(
            f"WITH v AS ({_by_response(names, plain)}) SELECT {sums} FROM ({_by_pair(names, plain)})"
        ).fetchall()[0]
        found = {s.name: _scale(row[2 * k], row[2 * k + 1]) for k, s in enumerate(plain)}
    for source in (s for s in chosen if s.by_judgment):
        row = con.execute(
            f"""WITH v AS ({_by_response(names, [source])}) SELECT sum(square), count(square) FROM (
                SELECT avg((a0 - b0) ** 2) AS square FROM ({_by_judgment(names, [source], f"dataset_id = {names.dataset_id}")})
                GROUP BY pair_id)"""
        ).fetchall()[0]
        found[source.name] = _scale(*row)
    return found


def _scale(total: float | None, pairs: int) -> Scale:
    return Scale(float(np.sqrt(total / pairs)) if pairs and total is not None else float("nan"), int(pairs))


def _by_judgment(names: Catalog, chosen: Sequence[Source], condition: str, columns: Sequence[str] = ()) -> str:
    """SQL: one row a judgment with pair_id, `columns`, and a_k, b_k of each source; needs the table v."""
    values, joins = "", ""
    for k, source in enumerate(chosen):
        if not source.by_judgment:
            values += f", q.a{k}, q.b{k}"
            continue
        # What every row of an import agreed on stands with the response.
        values += f", coalesce(w{k}.value_a, q.a{k}) AS a{k}, coalesce(w{k}.value_b, q.b{k}) AS b{k}"
        joins += (
            f" LEFT JOIN (SELECT judgment_id AS of, value_a, value_b FROM judgment_value"
            f" WHERE dataset_id = {names.dataset_id} AND factor_id = {source.id}) w{k} ON w{k}.of = j.judgment_id"
        )
    more = "".join(f", {c}" for c in columns)
    return (
        f"SELECT j.pair_id{more}{values} FROM (SELECT * FROM judgment WHERE {condition}) j "
        f"JOIN ({_by_pair(names, chosen)}) q ON q.pair_id = j.pair_id{joins}"
    )


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
    found = counts(con, condition, tuple(dict.fromkeys((*clusters, "pair"))), position, tied)
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
    rows = con.sql(
        f"WITH v AS ({_by_response(names, chosen)}) {_by_judgment(names, chosen, condition, columns)} ORDER BY judgment_id"
    ).to_arrow_table()
    frame = {
        name: rows[name].to_numpy() for name in rows.column_names if not name[1:].isdigit() and name != "pair_id"
    }
    frame["pair"] = rows["pair_id"].to_numpy()

    def values(side: str) -> dict[str, Floats]:
        return {
            s.name: np.asarray(rows[f"{side}{k}"].to_numpy(zero_copy_only=False), dtype=np.float64)
            for k, s in enumerate(chosen)
        }

    return FactorRows(Counts(frame), values("a"), values("b"))


def fingerprint(con: Con, names: Catalog, chosen: Sequence[Source]) -> str:
    """What a result that used these factors adds to its fingerprint: versions and extent of the measured ones, and an
    order-free sum over the values of the delivered ones. Equal data gives an equal word in any store."""
    held = values_held(con, names, {s.name: s for s in chosen})
    words = [f"{s.name}@{s.version}:{held[s.name]}" for s in chosen if s.origin == TEXT]
    for source in (s for s in chosen if s.origin == FILE):
        row = con.execute(
            """WITH r AS (SELECT response_id, concat_ws(chr(31), coalesce(p.external_id, ''), coalesce(pt.hash::VARCHAR, ''),
                coalesce(m.name, ''), coalesce(t.hash::VARCHAR, '')) AS word
            FROM response JOIN prompt p USING (prompt_id) LEFT JOIN text pt ON pt.text_id = p.text_id
            LEFT JOIN model m USING (model_id) LEFT JOIN text t ON t.text_id = response.text_id
            WHERE response.dataset_id = $d),
            given AS (SELECT response_id, '' AS who, value FROM response_value WHERE dataset_id = $d AND factor_id = $f
            UNION ALL SELECT response_a, g.name, value_a FROM judgment_value v JOIN judgment j
                ON j.dataset_id = $d AND j.judgment_id = v.judgment_id JOIN pair USING (pair_id) JOIN judge g USING (judge_id)
                WHERE v.dataset_id = $d AND factor_id = $f
            UNION ALL SELECT response_b, g.name, value_b FROM judgment_value v JOIN judgment j
                ON j.dataset_id = $d AND j.judgment_id = v.judgment_id JOIN pair USING (pair_id) JOIN judge g USING (judge_id)
                WHERE v.dataset_id = $d AND factor_id = $f)
            SELECT count(value), coalesce(sum(md5_number_lower(concat_ws(chr(31), word, who, value::VARCHAR)))
                % 18446744073709551616, 0) FROM given JOIN r USING (response_id) WHERE value IS NOT NULL""",
            {"d": names.dataset_id, "f": source.id},
        ).fetchall()[0]
        words.append(f"{source.name}={int(row[0])}:{int(row[1])}")
    return digest(*sorted(words))


def digest(*words: str) -> str:
    """16 hexadecimal digits that stand for these words."""
    return hashlib.sha256("\x1e".join(words).encode()).hexdigest()[:16]
