"""Which words do a dataset's delivered factors have for values, and which of them is the reference?

A factor of words is a level (warm, cold: one of them) or a set of labels (truth;care: any number of them, apart by
semicolons). Models take numbers: each level but the most frequent becomes a dummy, each label of a set a flag.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.queries import Con

MOST_LEVELS = 50
"""A factor with more different words is free text: no model takes it."""

LONGEST_LEVEL = 100
"""Characters; a factor with a longer word is free text too."""

SEPARATOR = ";"


@dataclass(frozen=True)
class Labels:
    """The words of one factor.

    levels : the most frequent first (over the dataset's responses; equals alphabetical), MOST_LEVELS + 1 at most
    n_levels, longest : how many there are, and the characters of the longest; is_set : some value holds a semicolon
    """

    levels: tuple[str, ...]
    n_levels: int
    longest: int
    is_set: bool

    @property
    def free_text(self) -> bool:
        return self.n_levels > MOST_LEVELS or self.longest > LONGEST_LEVEL

    @property
    def reference(self) -> str | None:
        """The level that gets no dummy. A set has none: its labels exclude one another no more than flags do."""
        return None if self.is_set or self.free_text or not self.levels else self.levels[0]

    @property
    def offered(self) -> tuple[str, ...]:
        """The levels that enter models, alphabetical."""
        return () if self.free_text else tuple(sorted(level for level in self.levels if level != self.reference))


def labels_held(con: Con, dataset_id: int) -> dict[int, Labels]:
    """The words of each delivered factor that has any, by factor_id."""
    found: dict[int, list[tuple[str, int, int, bool]]] = {}
    for factor_id, level, total, longest, is_set in con.execute(
        """WITH given AS (
            SELECT factor_id, response_id, label FROM response_value WHERE dataset_id = $d AND label IS NOT NULL
            UNION ALL SELECT v.factor_id, p.response_a, v.label_a FROM judgment_value v
                JOIN judgment j ON j.dataset_id = $d AND j.judgment_id = v.judgment_id JOIN pair p ON p.pair_id = j.pair_id
                WHERE v.dataset_id = $d AND v.label_a IS NOT NULL
            UNION ALL SELECT v.factor_id, p.response_b, v.label_b FROM judgment_value v
                JOIN judgment j ON j.dataset_id = $d AND j.judgment_id = v.judgment_id JOIN pair p ON p.pair_id = j.pair_id
                WHERE v.dataset_id = $d AND v.label_b IS NOT NULL),
        kind AS (SELECT factor_id, bool_or(contains(label, $separator)) AS is_set FROM given GROUP BY factor_id),
        piece AS (SELECT factor_id, is_set, response_id,
            unnest(CASE WHEN is_set THEN string_split(label, $separator) ELSE [label] END) AS level
            FROM given JOIN kind USING (factor_id)),
        counted AS (SELECT factor_id, is_set, trim(level) AS level, count(DISTINCT response_id) AS n FROM piece
            WHERE trim(level) <> '' GROUP BY ALL)
        SELECT factor_id, level, count(*) OVER f, max(length(level)) OVER f, is_set FROM counted
        WINDOW f AS (PARTITION BY factor_id), o AS (PARTITION BY factor_id ORDER BY n DESC, level)
        QUALIFY row_number() OVER o <= $most ORDER BY factor_id, n DESC, level""",
        {"d": dataset_id, "separator": SEPARATOR, "most": MOST_LEVELS + 1},
    ).fetchall():
        found.setdefault(factor_id, []).append((level, total, longest, is_set))
    return {
        i: Labels(tuple(row[0] for row in rows), rows[0][1], rows[0][2], rows[0][3]) for i, rows in found.items()
    }


def flags(labels: pa.ChunkedArray, level: str, is_set: bool) -> NDArray[np.float64]:
    """1 where a value is (or, as a set, holds) the level, 0 where it is another, NaN where there is none."""
    encoded = labels.combine_chunks().dictionary_encode()
    known = encoded.dictionary.to_pylist()
    holds = [level in (part.strip() for part in word.split(SEPARATOR)) if is_set else word == level for word in known]
    codes = encoded.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
    numbers = np.array([*map(float, holds), np.nan])
    return np.asarray(numbers[codes], dtype=np.float64)
