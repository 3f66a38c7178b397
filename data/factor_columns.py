"""Which columns of a table of factors name the pair or the response, and which hold values?

A column that carries the name of a key is that key; of the others each is a factor (of a pair's responses: NAME_a with
NAME_b), but for those that carry the name of something that only judgments have.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from data.fields import FIELDS, SYNONYMS, canonical, factor_columns
from data.rated import by_name
from errors import MappingError, nearest

KEYS = (
    "pair_id", "prompt_id", "prompt", "model_a", "model_b", "response_a", "response_b", "model", "response",
    "annotator", "judge", "response_key",
)  # fmt: skip

# Beside the synonyms of the fields of judgments. For suggestions only.
RESEMBLING = SYNONYMS | {
    "model": ("generator", "system", "model_name", "modell"),
    "response": ("answer", "output", "completion", "reply", "text", "antwort"),
}

VERDICTS = {"winner", "p_a", "score_a", "score_b", "count_a", "count_b", "chosen", "rejected"}
NEEDED = (
    "pair_id, or prompt (or prompt_id) with model_a and model_b, and factors as NAME_a and NAME_b; or prompt (or "
    "prompt_id) with model or response, and factors as columns of any name"
)


@dataclass(frozen=True)
class FactorMapping:
    """What each column of a table of factors means.

    of_pairs : keyed on pairs rather than on single responses
    columns : key -> column; constants : key -> the same value for each row
    factors : (name, column of a, column of b); the latter None where rows are of single responses
    """

    of_pairs: bool
    columns: tuple[tuple[str, str], ...]
    constants: tuple[tuple[str, str], ...]
    factors: tuple[tuple[str, str, str | None], ...]
    inferred: tuple[str, ...]

    def has(self, key: str) -> bool:
        return key in dict(self.columns) or key in dict(self.constants)

    @property
    def key_words(self) -> list[str]:
        """The keys by which a row is looked up."""
        return _looked_up(self.of_pairs, dict(self.columns) | dict(self.constants))


def recognised(columns: Sequence[str]) -> bool:
    """Whether these are the columns of a table of factors: keys, values, and nothing that could be a verdict.

    Stricter than `resolve_factor_mapping`, since nobody said what the file is: of pairs, every other column must be one
    of NAME_a with NAME_b; of responses, a key of judgments must be missing.
    """
    names = {canonical(column) for column in columns}
    if by_name(columns, {column: canonical(column) for column in columns}):
        return False
    if names & (VERDICTS | {"model_a", "model_b", "response_a", "response_b"}) and names & {"model", "response"}:
        return False
    if names & VERDICTS or names & {word for field in ("winner", "p_a") for word in SYNONYMS[field]}:
        return False
    try:
        found = resolve_factor_mapping(columns)
    except MappingError:
        return False
    used = {column for _, column in found.columns} | {c for factor in found.factors for c in factor[1:]}
    return not found.of_pairs or used >= set(columns)


def resolve_factor_mapping(
    columns: Sequence[str],
    maps: Sequence[tuple[str, str]] = (),
    sets: Sequence[tuple[str, str]] = (),
    name: str = "the file",
    automatic: bool = True,
) -> FactorMapping:
    """The mapping of one table of factors, or MappingError with the columns there are.

    maps : KEY=COLUMN, and NAME=COLUMN (of pairs NAME_a=COLUMN and NAME_b=COLUMN) for a factor
    automatic : also take columns by their own names; False: only those that `maps` names
    """
    listing = f"{name} has the columns " + ", ".join(repr(column[:60]) for column in columns)
    taken: dict[str, str] = {}
    keys: dict[str, str] = {}
    named: dict[str, str] = {}
    inferred: list[str] = []
    for word, column in maps:
        if column not in columns:
            near = nearest(column, columns)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise MappingError(f"--map {word} names a column {column!r} that is not there{hint}. {listing}")
        if column in taken:
            raise MappingError(f"column {column!r} is mapped twice: as {taken[column]} and as {word}")
        into = keys if word in KEYS else named
        if word in into:
            raise MappingError(f"--map gives two columns for {word}: {into[word]!r} and {column!r}")
        taken[column] = word
        into[word] = column
    constants = _constants(sets, keys)
    for column in columns if automatic else ():
        key = canonical(column)
        if key in KEYS and key not in keys and key not in constants and column not in taken:
            keys[key] = taken[column] = column
            if column != key:
                inferred.append(f"column {column[:60]!r} is the key {key}")
    have = set(keys) | set(constants)
    by_prompt = bool(have & {"prompt", "prompt_id"})
    both = have >= {"model_a", "model_b"} or have >= {"response_a", "response_b"}
    pairs_possible = "pair_id" in have or (by_prompt and both)
    responses_possible = "response_key" in have or (by_prompt and bool(have & {"model", "response"}))
    paired = _paired(named, columns if automatic else (), taken) if pairs_possible else []
    if not pairs_possible and not responses_possible:
        hints = _hints(columns, taken)
        raise MappingError(f"{name} names neither pairs nor responses. It needs {NEEDED}. {listing}.{hints}")
    of_pairs = bool(paired) or not responses_possible
    factors: list[tuple[str, str, str | None]] = list(paired)
    unused: list[str] = []
    rest = [(k, c) for k, c in enumerate(columns, 1) if c not in taken]
    if of_pairs:
        if set(named) - {f"{f}{end}" for f, _, _ in paired for end in ("_a", "_b")}:
            lone = next(w for w in named if w not in {f"{f}{end}" for f, _, _ in paired for end in ("_a", "_b")})
            raise MappingError(f"--map {lone}={named[lone]}: a factor of pairs is mapped as NAME_a and NAME_b")
        unused = [c for _, c in rest if not any(c in factor for factor in paired)]
    else:
        factors = [(word, column, None) for word, column in named.items()]
        for k, column in rest if automatic else ():
            # A table that was saved with its row numbers has a column without a name.
            if canonical(column) in FIELDS or column == f"column {k}" or re.fullmatch(r"Unnamed: \d+", column):
                unused.append(column)
            else:
                factors.append((column, column, None))
        unused += [] if automatic else [c for _, c in rest]
    if not factors:
        what = "a pair has them as columns NAME_a and NAME_b" if of_pairs else "there is no column besides the keys"
        raise MappingError(f"{name} holds no factor: {what}. {listing}")
    twice = [factor for factor, n in Counter(factor for factor, _, _ in factors).items() if n > 1]
    if twice:
        raise MappingError(f"{name}: two columns would be the factor {twice[0]!r}; --map NAME=COLUMN renames one")
    if unused:
        inferred.append("columns not used: " + _some([repr(c[:60]) for c in unused]))
    said = f"{'pairs' if of_pairs else 'responses'} are looked up by " + " and ".join(_looked_up(of_pairs, have))
    who = [key for key in ("judge", "annotator") if key in have]
    if who:
        said += "; values that differ belong to the " + " and ".join(who) + " of their row"
    inferred = [said, "read as factors of the responses: " + _some([f for f, _, _ in factors]), *inferred]
    return FactorMapping(
        of_pairs, tuple(sorted(keys.items())), tuple(sorted(constants.items())), tuple(factors), tuple(inferred)
    )


def _looked_up(of_pairs: bool, have: Collection[str]) -> list[str]:
    if "response_key" in have and not of_pairs:
        return ["response_key"]
    sides = ("model_a", "model_b", "response_a", "response_b") if of_pairs else ("model", "response")
    return [key for key in (*(("pair_id",) if of_pairs else ()), "prompt_id", "prompt", *sides) if key in have]


def _some(names: Sequence[str], most: int = 20) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _constants(sets: Sequence[tuple[str, str]], keys: dict[str, str]) -> dict[str, str]:
    constants = {}
    for key, value in sets:
        if key not in KEYS:
            near = nearest(key, KEYS)
            raise MappingError(
                f"--set {key}={value}: {key!r} is no key of a table of factors"
                + (f"; did you mean {near[0]!r}?" if near else "") + ". Keys: " + ", ".join(KEYS)
            )  # fmt: skip
        if key in keys:
            raise MappingError(f"{key} is both mapped to column {keys[key]!r} and set to {value!r}")
        constants[key] = value
    return constants


def _paired(
    named: dict[str, str], columns: Sequence[str], taken: dict[str, str]
) -> list[tuple[str, str, str]]:
    """(name, column of a, column of b) of the factors of pairs, those that were mapped first."""
    mapped = [
        (word[:-2], column, named[word[:-2] + "_b"])
        for word, column in named.items()
        if word.endswith("_a") and len(word) > 2 and word[:-2] + "_b" in named
    ]
    return mapped + factor_columns(columns, dict(taken))


def _hints(columns: Sequence[str], taken: dict[str, str]) -> str:
    """Columns whose names resemble those of keys."""
    free = {canonical(c): c for c in reversed(columns) if c not in taken}
    words = [(key, free[word]) for key in KEYS for word in RESEMBLING.get(key, ()) if word in free]
    found = [f"--map {key}={column!r}" for key, column in words]
    return " Perhaps: " + " ".join(found[:6]) if found else ""
