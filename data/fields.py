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

from data.model import JUDGE_KINDS, OUTCOMES
from errors import MappingError, OptionError, nearest

FIELDS: dict[str, str] = {
    "prompt": "the task that both responses answer",
    "prompt_id": "the file's own id of the prompt",
    "scenario": "the kind of task the prompt is",
    "model_a": "who wrote response a",
    "model_b": "who wrote response b",
    "response_a": "the text of response a",
    "response_b": "the text of response b",
    "judge": "who judged: people, an LLM, a reward model",
    "judge_kind": "human, llm, reward_model or rule",
    "annotator": "the single person (or run) inside the judge",
    "winner": "a, b, tie, both_bad, refused, or the winning model's name",
    "p_a": "how much a is preferred, from 0 to 1",
    "score_a": "the judge's score for response a",
    "score_b": "the judge's score for response b",
    "count_a": "how many votes went to a",
    "count_b": "how many votes went to b",
    "count_tie": "how many votes were ties",
    "chosen": "the text that won",
    "rejected": "the text that lost",
    "swapped": "true when b was shown first",
    "pair_id": "the file's own id of the pair",
    "judgment_id": "the file's own id of the judgment",
    "repeat": "1, 2, ...: the judge was asked again",
    "criterion": "what was asked (default overall)",
    "variant": "circumstances of the judgment (default plain)",
    "weight": "weight of the judgment in fits (default 1)",
    "reason": "why, in the judge's words",
    "confidence": "how sure the judge said to be",
    "seconds": "how long the judgment took",
    "judged_at": "when it was given",
    "cue": "a or b: the side a perturbation speaks for",
}

# Names that such columns carry elsewhere. For suggestions only, never for silent mapping.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "prompt": ("question", "instruction", "query", "input", "task", "user_prompt", "frage", "conversation"),
    "prompt_id": ("question_id", "instruction_id", "query_id", "task_id"),
    "scenario": ("category", "domain", "task_type", "type", "topic", "dataset"),
    "model_a": ("model_1", "model1", "generator_1", "left_model", "model_x", "modell_a", "model_left", "system_a"),
    "model_b": ("model_2", "model2", "generator_2", "right_model", "model_y", "modell_b", "model_right", "system_b"),
    "response_a": (
        "answer_a", "answer_1", "answer1", "output_1", "output_a", "response_1", "response1", "completion_a",
        "antwort_a", "text_a", "result_x", "left", "reply_a",
    ),
    "response_b": (
        "answer_b", "answer_2", "answer2", "output_2", "output_b", "response_2", "response2", "completion_b",
        "antwort_b", "text_b", "result_y", "right", "reply_b",
    ),
    "judge": ("evaluator", "grader", "rater", "source", "judge_name", "judge_model", "annotator_name", "richter"),
    "annotator": ("worker", "worker_id", "annotator_id", "rater_id", "user", "user_id", "participant"),
    "winner": ("preference", "label", "verdict", "choice", "vote", "preferred", "result", "gewinner", "better"),
    "p_a": ("prob_a", "probability_a", "p1", "soft_label", "p_first"),
    "score_a": ("reward_a", "score_1", "rating_a", "score_chosen", "reward_chosen"),
    "score_b": ("reward_b", "score_2", "rating_b", "score_rejected", "reward_rejected"),
    "count_a": ("votes_a", "wins_a", "n_a"),
    "count_b": ("votes_b", "wins_b", "n_b"),
    "count_tie": ("votes_tie", "ties", "n_tie"),
    "chosen": ("preferred_response", "accepted"),
    "rejected": ("dispreferred_response",),
    "swapped": ("is_swapped", "flipped", "swap"),
    "pair_id": ("comparison_id", "item_id", "example_id", "id", "idx"),
    "judged_at": ("timestamp", "date", "time", "created_at", "tstamp"),
    "seconds": ("duration", "response_time", "elapsed"),
    "reason": ("rationale", "explanation", "comment", "justification"),
}  # fmt: skip

WINNER_WORDS: dict[str, str] = {
    "a": "a", "1": "a", "left": "a", "model_a": "a", "model a": "a", "response_a": "a", "response a": "a",
    "b": "b", "2": "b", "right": "b", "model_b": "b", "model b": "b", "response_b": "b", "response b": "b",
    "tie": "tie", "draw": "tie", "tied": "tie",
    "both_bad": "both_bad", "both bad": "both_bad", "bothbad": "both_bad", "tie (bothbad)": "both_bad",
    "none": "none", "refused": "none", "refusal": "none", "invalid": "none", "abstain": "none",
    "abstained": "none",
}  # fmt: skip

ATTRIBUTE_ENTITIES = ("annotator", "judge", "model", "prompt", "pair")
SCORE_RULES = ("order", "logit")
SET_OF_NAMES = ("winner.", "judge_kind.")
"""What --set can say of single words and names that stand in the file's cells."""


@dataclass(frozen=True)
class Mapping:
    """What each column of one file means; `shape` names how verdicts are laid out.

    columns : field -> column name; constants : field -> the same value for each row
    judge_columns : (column, kind or None) of a file with one column a judge
    winner_values : the file's own word -> outcome; judge_kinds : the name of a judge -> kind
    factors : (name, column of a, column of b)
    attributes : (entity, name, column or columns of a and b)
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

    def column(self, field: str) -> str | None:
        return dict(self.columns).get(field)

    def constant(self, field: str) -> str | None:
        return dict(self.constants).get(field)

    def has(self, field: str) -> bool:
        return field in dict(self.columns) or field in dict(self.constants)


def canonical(name: str) -> str:
    """A column name as a field would be spelt: lower case, blanks, hyphens and dots as underscores."""
    return re.sub(r"[\s\-.]+", "_", name.strip()).lower()


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
        if field not in FIELDS:
            near = nearest(field, FIELDS)
            raise MappingError(
                f"--map {field}={column}: {field!r} is no field. "
                + (f"Did you mean {near[0]!r}? " if near else "")
                + "Fields: "
                + ", ".join(FIELDS)
            )
        if field in by_field:
            raise MappingError(f"--map gives two columns for {field}: {by_field[field]!r} and {column!r}")
        claim(column, f"--map {field}")
        by_field[field] = column
    for column, kind in judge_columns:
        if kind is not None and kind not in JUDGE_KINDS:
            raise MappingError(
                f"--judge-column {column}={kind}: the kind is one of " + ", ".join(JUDGE_KINDS)
            )
        claim(column, "--judge-column")

    constants, winner_values, judge_kinds, scores = _constants(sets, by_field)

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

    factors = factor_columns(columns, taken)
    unused = tuple(c for c in columns if c not in taken)
    if unused:
        shown = ", ".join(repr(_short(c)) for c in unused[:20])
        inferred.append(
            f"columns not used: {shown}" + (f" and {len(unused) - 20} more" if len(unused) > 20 else "")
        )

    have = set(by_field) | set(constants)
    shape = _shape(have, bool(judge_columns))
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
        winner_values=tuple(sorted(winner_values.items())),
        factors=tuple(factors),
        attributes=tuple(resolved_attributes),
        scores=scores,
        unused=unused,
        inferred=tuple(inferred),
        judge_kinds=tuple(sorted(judge_kinds.items())),
    )


def _short(name: str, most: int = 60) -> str:
    return name if len(name) <= most else name[: most - 1] + "…"


def _constants(
    sets: Sequence[tuple[str, str]], by_field: Dict[str, str]
) -> tuple[dict[str, str], dict[str, str], dict[str, str], str]:
    constants: dict[str, str] = {}
    winner_values: dict[str, str] = {}
    judge_kinds: dict[str, str] = {}
    scores = "order"
    for field, value in sets:
        if field == "scores":
            if value not in SCORE_RULES:
                raise MappingError(f"--set scores={value}: one of " + ", ".join(SCORE_RULES))
            scores = value
        elif field.startswith("winner."):
            if value not in OUTCOMES:
                raise MappingError(f"--set {field}={value}: one of " + ", ".join(OUTCOMES))
            winner_values[field.removeprefix("winner.").strip().lower()] = value
        elif field.startswith("judge_kind."):
            if value not in JUDGE_KINDS:
                raise MappingError(f"--set {field}={value}: one of " + ", ".join(JUDGE_KINDS))
            judge_kinds[field.removeprefix("judge_kind.").strip()] = value
        elif field in FIELDS:
            if field in by_field:
                raise MappingError(f"{field} is both mapped to column {by_field[field]!r} and set to {value!r}")
            if field == "judge_kind" and value not in JUDGE_KINDS:
                raise MappingError(f"--set judge_kind={value}: one of " + ", ".join(JUDGE_KINDS))
            constants[field] = value
        else:
            near = nearest(field, FIELDS)
            raise MappingError(
                f"--set {field}={value}: {field!r} is no field"
                + (f"; did you mean {near[0]!r}?" if near else "")
                + ". Besides the fields there are scores=logit, winner.WORD=OUTCOME and judge_kind.NAME=KIND"
            )
    return constants, winner_values, judge_kinds, scores


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


def _shape(have: set[str], wide: bool) -> str:
    if wide:
        return "wide"
    if {"winner", "p_a"} & have:
        texts = {"response_a", "response_b", "model_a", "model_b", "chosen", "rejected"} & have
        return "rows" if texts else "verdicts"
    if {"count_a", "count_b"} <= have:
        return "counts"
    if {"score_a", "score_b"} <= have:
        return "scores"
    if {"chosen", "rejected"} <= have:
        return "chosen"
    return "rows"


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
    by_text = {"response_a", "response_b"} <= have or {"chosen", "rejected"} <= have
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
    raise MappingError(f"{name} lacks {lacks}. {listing}. Perhaps: " + " ".join(hints))


def _quote(column: str) -> str:
    return f"'{column}'" if re.search(r"[^\w.]", column) else column
