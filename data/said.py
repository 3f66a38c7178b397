"""What do the words of --set say: constants, meanings of verdicts, kinds of judges, how the file is laid out?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from data import rated
from data.model import JUDGE_KINDS, OUTCOMES
from data.vocabulary import FIELDS
from errors import MappingError, nearest

SCORE_RULES = ("order", "logit")
DECIMALS = ("point", "comma")
SHAPES = ("rows", "wide", "counts", "scores", "chosen", "verdicts", *rated.SHAPES)
SET_OF_NAMES = ("winner.", "judge_kind.")
"""What --set can say of single words and names that stand in the file's cells."""


@dataclass
class Said:
    """What the words of --set say."""

    constants: dict[str, str] = field(default_factory=dict)
    winner_values: dict[str, str] = field(default_factory=dict)
    judge_kinds: dict[str, str] = field(default_factory=dict)
    scores: str = "order"
    shape: str | None = None
    ranking: str | None = None
    decimal: str | None = None


_CHOICES = {"scores": SCORE_RULES, "shape": SHAPES, "ranking": rated.READINGS, "decimal": DECIMALS}


def read_sets(sets: Sequence[tuple[str, str]], by_field: Mapping[str, str]) -> Said:
    """The words of --set, taken apart; by_field : the fields with a column. Raises MappingError for a wrong one."""
    said = Said()
    for name, value in sets:
        kind, dot, word = name.partition(".")
        if name in _CHOICES:
            if value not in _CHOICES[name]:
                raise MappingError(f"--set {name}={value}: one of " + ", ".join(_CHOICES[name]))
            setattr(said, name, value)
        elif dot and kind == "winner":
            if value not in OUTCOMES:
                raise MappingError(f"--set {name}={value}: one of " + ", ".join(OUTCOMES))
            said.winner_values[word.strip().lower()] = value
        elif dot and kind == "judge_kind":
            if value not in JUDGE_KINDS:
                raise MappingError(f"--set {name}={value}: one of " + ", ".join(JUDGE_KINDS))
            said.judge_kinds[word.strip()] = value
        elif name in FIELDS:
            if name in by_field:
                raise MappingError(f"{name} is both mapped to column {by_field[name]!r} and set to {value!r}")
            if name == "judge_kind" and value not in JUDGE_KINDS:
                raise MappingError(f"--set judge_kind={value}: one of " + ", ".join(JUDGE_KINDS))
            said.constants[name] = value
        else:
            near = nearest(name, FIELDS)
            raise MappingError(
                f"--set {name}={value}: {name!r} is no field"
                + (f"; did you mean {near[0]!r}?" if near else "")
                + ". Besides the fields there are winner.WORD=OUTCOME, judge_kind.NAME=KIND, scores=logit, "
                "shape=SHAPE, ranking=order (or ranks), decimal=comma and, of a workbook, sheet=NAME"
            )
    return said
