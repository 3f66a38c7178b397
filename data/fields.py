"""Which column of a foreign file means what: canonical fields, resolved mappings, suggestions.

The canonical field names and their meaning are the ones of the user guide ("What files may look like").
Nothing is mapped by resemblance: a column is taken for a field only when it carries the field's own name (case,
blanks and hyphens aside) or is mapped by the user. Resemblance is used for suggestions only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Dict
from dataclasses import dataclass

from data import rated
from data.model import JUDGE_KINDS
from data.rated import RATED, Rated
from data.said import SET_OF_NAMES, Said, read_sets
from data.vocabulary import FIELDS, SYNONYMS, WINNER_WORDS, canonical
from errors import MappingError, OptionError, nearest

__all__ = [
    "FIELDS", "SYNONYMS", "WINNER_WORDS", "Mapping", "canonical", "factor_columns", "parse_assignments",
    "resolve_mapping", "suggest",
]  # fmt: skip

ATTRIBUTE_ENTITIES = ("annotator", "judge", "model", "prompt", "pair")


@dataclass(frozen=True)
class Mapping:
    """What each column of one file means; `shape` names how verdicts are laid out.

    columns : field -> column name; constants : field -> the same value for each row
    judge_columns : (column, kind or None) of a file with one column a judge
    winner_values : the file's own word -> outcome; judge_kinds : the name of a judge -> kind
    rated : where single responses stand that were rated or ranked, for the shapes `ratings` and `ranked`
    decimal : `comma` or `point` where that was said, else None
    factors : (name, column of a, column of b)
    attributes : (entity, name, column or columns of a and b)
    rated : where single responses stand that were rated or ranked, for the shapes `ratings` and `ranked`
    decimal : `comma` or `point` where that was said, else None
    """

    shape: str
    columns: tuple[tuple[str, str], ...]
    constants: tuple[tuple[str, str], ...]
    judge_columns: tuple[tuple[str, str | None], ...]
    winner_values: tuple[tuple[str, str], ...]
    factors: tuple[tuple[str, str, str], ...]
    attributes: tuple[tuple[str, str, tuple[str, ...]], ...]
    scores: str
    unused: tuple[str, ...]
    inferred: tuple[str, ...]
    judge_kinds: tuple[tuple[str, str], ...] = ()
    rated: Rated | None = None
    decimal: str | None = None

    def column(self, field: str) -> str | None:
        return dict(self.columns).get(field)

    def constant(self, field: str) -> str | None:
        return dict(self.constants).get(field)

    def has(self, field: str) -> bool:
        return field in dict(self.columns) or field in dict(self.constants)


def suggest(columns: Sequence[str]) -> dict[str, str]:
    """For each field, the column that most probably holds it; for showing to the user, never for silent use."""
    free = {canonical(c): c for c in reversed(columns)}
    found: dict[str, str] = {}
    for accept in (lambda f: (f,), lambda f: SYNONYMS.get(f, ())):
        for field in FIELDS:
            if field in found:
                continue
            for name in accept(field):
                if name in free:
                    found[field] = free.pop(name)
                    break
    return found


def parse_assignments(pairs: Iterable[str], what: str) -> list[tuple[str, str]]:
    """Split the words of --map, --set, --attribute at their first equals sign.

    What is set of a word or name in the file (winner.A=B=tie) is split at the last one: they may hold the sign.
    """
    out = []
    for word in pairs:
        named = what == "set" and word.strip().startswith(SET_OF_NAMES)
        left, sign, right = word.rpartition("=") if named else word.partition("=")
        if not sign or not left.strip() or not right.strip():
            raise OptionError(f"--{what} {word!r}: write it as NAME=VALUE")
        out.append((left.strip(), right.strip()))
    return out


def resolve_mapping(
    columns: Sequence[str],
    maps: Sequence[tuple[str, str]] = (),
    sets: Sequence[tuple[str, str]] = (),
    judge_columns: Sequence[tuple[str, str | None]] = (),
    attributes: Sequence[tuple[str, str]] = (),
    name: str = "the file",
    automatic: bool = True,
) -> Mapping:
    """The mapping of one file, or MappingError with the columns there are and a suggested mapping.

    automatic : also take columns that carry a field's own name (the page passes False: its boxes say all)
    """
    listing = f"{name} has the columns " + ", ".join(repr(_short(c)) for c in columns)
    taken: dict[str, str] = {}
    by_field: dict[str, str] = {}
    inferred: list[str] = []

    def claim(column: str, use: str) -> None:
        if column not in columns:
            near = nearest(column, columns)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise MappingError(f"{use} names a column {column!r} that is not there{hint}. {listing}")
        if column in taken:
            raise MappingError(f"column {column!r} is mapped twice: by {taken[column]} and by {use}")
        taken[column] = use

    for field, column in maps:
        if field not in FIELDS and not rated.is_rated(field):
            near = nearest(field, [*FIELDS, *RATED])
            raise MappingError(
                f"--map {field}={column}: {field!r} is no field. "
                + (f"Did you mean {near[0]!r}? " if near else "")
                + "Fields: " + ", ".join([*FIELDS, *RATED]) + ", response_N, model_N, rating_N, rank_N"
            )  # fmt: skip
        if field in by_field:
            raise MappingError(f"--map gives two columns for {field}: {by_field[field]!r} and {column!r}")
        if "[]" in column and column not in columns and rated.is_rated(field):
            # Several parts of one list may be taken.
            if taken.get(rated.base(column)) != "a list of responses":
                claim(rated.base(column), "a list of responses")
        else:
            claim(column, f"--map {field}")
        by_field[field] = column
    for column, kind in judge_columns:
        if kind is not None and kind not in JUDGE_KINDS:
            raise MappingError(
                f"--judge-column {column}={kind}: the kind is one of " + ", ".join(JUDGE_KINDS)
            )
        claim(column, "--judge-column")

    said = read_sets(sets, by_field)
    constants = said.constants

    resolved_attributes = []
    for target, column in attributes:
        entity, dot, attribute = target.partition(".")
        if not dot or entity not in ATTRIBUTE_ENTITIES or not attribute:
            raise MappingError(
                f"--attribute {target}={column}: write ENTITY.NAME=COLUMN, the entity one of "
                + ", ".join(ATTRIBUTE_ENTITIES)
            )
        used = (column + "_a", column + "_b") if entity == "model" else (column,)
        for each in used:
            claim(each, f"--attribute {target}")
        resolved_attributes.append((entity, attribute, used))

    if automatic:
        for column in columns:
            field = canonical(column)
            if field in FIELDS and field not in by_field and field not in constants and column not in taken:
                if judge_columns and field in ("judge", "winner"):
                    continue
                by_field[field] = column
                taken[column] = f"the field {field}"
                if column != field:
                    inferred.append(f"column {_short(column)!r} is the field {field}")
        inferred += _said_by(by_field, taken, columns, {f for f, _ in maps} | set(constants))
        if not judge_columns and (said.shape in rated.SHAPES or (said.shape is None and not _PAIRED & set(by_field))):
            names = {c: canonical(c) for c in columns if c not in taken}
            for field, column in rated.by_name(list(names), names).items():
                if field not in by_field and column not in taken:
                    by_field[field] = column
                    taken[column] = f"the field {field}"

    layout = _layout(by_field, said, listing)
    factors = [] if layout is not None else factor_columns(columns, taken)
    if layout is not None:
        mapped = {f for f, _ in maps}
        for field in [f for f in by_field if f in FIELDS and f not in _BESIDE_RATED[layout.form]]:
            if field in mapped:
                raise MappingError(f"--map {field} belongs to pairs; responses that were rated by themselves have none")
            del taken[by_field.pop(field)]
    parents = {c.rpartition(".")[0] for c in taken}
    # A part of a column (`verdict.winner`) is not missed where the column is not.
    unused = tuple(c for c in columns if c not in taken and c not in parents and c.rpartition(".")[0] not in columns)
    if unused:
        shown = ", ".join(repr(_short(c)) for c in unused[:20])
        inferred.append(
            f"columns not used: {shown}" + (f" and {len(unused) - 20} more" if len(unused) > 20 else "")
        )

    if judge_columns and "judge" in constants:
        inferred.append(_one_judge_of_people(constants["judge"], judge_columns, by_field, constants))
    have = set(by_field) | set(constants)
    shape = _shape(have, bool(judge_columns), layout, said.shape)
    _require(have, shape, columns, taken, name, listing)
    if shape == "chosen":
        inferred.append("chosen is read as response a and always wins; which was shown first is unknown")
    if factors:
        inferred.append("read as factors of the responses: " + ", ".join(f for f, _, _ in factors))
    return Mapping(
        shape=shape,
        columns=tuple(sorted(by_field.items())),
        constants=tuple(sorted(constants.items())),
        judge_columns=tuple(judge_columns),
        winner_values=tuple(sorted(said.winner_values.items())),
        factors=tuple(factors),
        attributes=tuple(resolved_attributes),
        scores=said.scores,
        unused=unused,
        inferred=tuple(inferred),
        judge_kinds=tuple(sorted(said.judge_kinds.items())),
        rated=layout,
        decimal=said.decimal,
    )


def _one_judge_of_people(
    judge: str, columns: Sequence[tuple[str, str | None]], by_field: Dict[str, str], constants: Dict[str, str]
) -> str:
    """What --set judge beside --judge-column means, in a sentence. Raises MappingError where it has no meaning."""
    people = [column for column, kind in columns if kind == "human"]
    if not people:
        raise MappingError(
            f"--set judge={judge} beside --judge-column makes the columns of people annotators of one judge, and none "
            "is said to be one: write --judge-column COLUMN=human"
        )
    named = by_field.get("annotator", constants.get("annotator"))
    if named is not None:
        raise MappingError(
            f"--set judge={judge} makes the columns {', '.join(repr(_short(c)) for c in people)} annotators, and "
            f"{_short(named)!r} names annotators too: leave one of them out"
        )
    return f"annotators of one judge, {judge!r}: " + ", ".join(repr(_short(c)) for c in people)


def _said_by(
    by_field: dict[str, str], taken: dict[str, str], columns: Sequence[str], settled: set[str]
) -> list[str]:
    """Texts that are conversations: the model's part is the response, the user's the prompt where there is no other."""
    told = []
    for field in ("response_a", "response_b", "chosen", "rejected"):
        column = by_field.get(field)
        if column is None or field in settled or f"{column}.assistant" not in columns:
            continue
        by_field[field] = f"{column}.assistant"
        taken[f"{column}.assistant"] = taken.pop(column)
        told.append(f"{_short(column)!r} holds conversations: what the assistant said is {field}")
        if not {"prompt", "prompt_id"} & (set(by_field) | settled) and f"{column}.user" in columns:
            by_field["prompt"] = f"{column}.user"
            taken[f"{column}.user"] = "the field prompt"
            told.append(f"what the user said in {_short(column)!r} is the prompt")
    return told


def _short(name: str, most: int = 60) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


_PAIRED = {"winner", "p_a", "score_a", "score_b", "count_a", "chosen", "response_a", "response_b", "model_a", "model_b"}
_COMMON = {"prompt", "prompt_id", "scenario", "judge", "judge_kind", "annotator", "criterion", "variant", "repeat",
           "weight", "judged_at"}  # fmt: skip
# A reason or an id belongs to one response where each has a row, and to all pairs of the row elsewhere.
_BESIDE_RATED = {"rows": _COMMON, "columns": _COMMON | {"reason", "confidence", "seconds"},
                 "lists": _COMMON | {"reason", "confidence", "seconds"}}  # fmt: skip


def _layout(by_field: dict[str, str], said: Said, listing: str) -> Rated | None:
    """Where rated responses stand, taking their fields out of `by_field`; None for other shapes."""
    fields = {f: c for f, c in by_field.items() if rated.is_rated(f)}
    wanted = said.shape in rated.SHAPES
    if not fields and not wanted:
        return None
    if fields and said.shape is not None and not wanted:
        raise MappingError(f"{next(iter(fields))} belongs to --set shape=ratings or ranked, not to {said.shape}")
    pairs = sorted(_PAIRED & set(by_field)) if said.shape is None else []
    if pairs:
        raise MappingError(
            f"{', '.join(fields)} speak of single responses, {', '.join(pairs)} of pairs: map one or the other, or say "
            "--set shape=ratings"
        )
    return rated.resolve(fields, said.ranking, listing)


def factor_columns(columns: Sequence[str], taken: dict[str, str]) -> list[tuple[str, str, str]]:
    """Pairs NAME_a / NAME_b (or NAME_chosen / NAME_rejected) that are no field."""
    free = {c.strip(): c for c in columns if c not in taken}
    factors = []
    for stem, column_a in list(free.items()):
        for end_a, end_b in (("_a", "_b"), ("_chosen", "_rejected")):
            if stem.endswith(end_a) and len(stem) > len(end_a):
                name = stem[: -len(end_a)]
                column_b = free.get(name + end_b)
                if column_b is not None and column_a not in taken and column_b not in taken:
                    factors.append((name, column_a, column_b))
                    taken[column_a] = taken[column_b] = f"the factor {name}"
    return factors


def _shape(have: set[str], wide: bool, layout: Rated | None, said: str | None) -> str:
    if layout is not None:
        return "ratings" if layout.by == "rating" else "ranked"
    if said is not None:
        if wide and said != "wide":
            raise MappingError(f"--set shape={said} cannot stand beside --judge-column")
        needs = _SHAPE_NEEDS.get(said, set()) if said != "wide" or wide else {"--judge-column COLUMN for each judge"}
        if not needs <= have:
            raise MappingError(f"--set shape={said} needs " + " and ".join(sorted(needs - have)))
        return said
    if wide:
        return "wide"
    if {"winner", "p_a"} & have:
        texts = {"response_a", "response_b", "model_a", "model_b", "chosen", "rejected"} & have
        return "rows" if texts else "verdicts"
    if {"count_a", "count_b"} <= have:
        return "counts"
    if {"chosen", "rejected"} <= have:
        return "chosen"
    if {"score_a", "score_b"} <= have:
        return "scores"
    return "rows"


_SHAPE_NEEDS = {"counts": {"count_a", "count_b"}, "scores": {"score_a", "score_b"}, "chosen": {"chosen", "rejected"}}


def _require(
    have: set[str],
    shape: str,
    columns: Sequence[str],
    taken: Dict[str, str],
    name: str,
    listing: str,
) -> None:
    missing = []
    if not have & {"prompt", "prompt_id"} and "pair_id" not in have:
        missing.append("prompt")
    elif not have & {"prompt", "prompt_id"} and have & {"response_a", "response_b", "chosen", "rejected"}:
        missing.append("prompt")
    if shape != "wide" and "judge" not in have:
        missing.append("judge")
    if shape == "rows" and not have & {"winner", "p_a"}:
        missing.append("winner")
    by_text = {"response_a", "response_b"} <= have or {"chosen", "rejected"} <= have or shape in rated.SHAPES
    by_model = {"model_a", "model_b"} <= have
    if not by_text and not by_model and "pair_id" not in have:
        if have & {"model_a", "model_b"}:
            missing += [f for f in ("model_a", "model_b") if f not in have]
        else:
            missing += [f for f in ("response_a", "response_b") if f not in have]
    if not missing:
        return
    guesses = suggest([c for c in columns if c not in taken])
    hints = [f"--map {f}={_quote(guesses[f])}" for f in missing if f in guesses]
    if "judge" in missing and "judge" not in guesses:
        hints.append("--set judge=NAME (or --judge-column COLUMN for each judge that has a column of its own)")
    for f in missing:
        if f not in guesses and f != "judge":
            hints.append(f"--map {f}=COLUMN")
    lacks = ", ".join(missing)
    if shape in rated.SHAPES:
        hints.append("Or, were these factors of responses that are there: --as factors")
    raise MappingError(f"{name} lacks {lacks}. {listing}. Perhaps: " + " ".join(hints))


def _quote(column: str) -> str:
    return f"'{column}'" if re.search(r"[^\w.]", column) else column
