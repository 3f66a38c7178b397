"""Which properties of a text are measured, and where is each defined? Once, in a few lines, beside its function.

    @factor("words", label="Length (words)", group="length", unit="words", version=1, source="...")
    def words(text: Reading) -> float:
        \"\"\"Runs of characters between white space.\"\"\"
        return float(len(text.body.split()))

    @counting("questions", label="Questions", group="tone", unit="question marks", version=1, source="...")
    def questions(text: Reading) -> list[Span]:
        \"\"\"Runs of question marks.\"\"\"
        return found(QUESTION, text.body)

The docstring is the definition that readers are shown. Whoever changes what a factor measures raises its version:
stored values of the old one are then measured anew.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from errors import unknown_name
from texts.markdown import Span

Of = Literal["text", "answer", "meaning"]
"""What a factor looks at: one text; a response beside its prompt; their meanings as vectors."""

Measure = Callable[..., float]
Spans = Callable[..., list[Span]]


@dataclass(frozen=True)
class Quality:
    """How well a list of words finds what it is for, on `n` sentences labelled by hand.

    precision : of the sentences in which it found something, the share that has it; recall : of those that have it,
    the share in which it found something
    """

    precision: float
    recall: float
    n: int

    def __str__(self) -> str:
        return f"On {self.n} sentences labelled by hand: precision {self.precision:.2f}, recall {self.recall:.2f}."


@dataclass(frozen=True)
class Factor:
    """One property of a text.

    name : as in tables and options; label : as on charts; group : of the taxonomy; unit : what is counted
    low, high : the range of its values, None where open; version : raised whenever a text's value would differ
    definition : what it measures, in a sentence; source : who measures it so
    of : what it is measured from; usual : whether models of factors take it unasked
    quality : how well its words find what it is for; None where it rests on no list of words
    measure : of="text": the value of one Reading; of="answer": of the response's and the prompt's Reading; NaN where
        there is none. of="meaning": None, the value comes from vectors
    spans : of a factor that counts, the places of what it counts, taking what `measure` takes: ascending, apart, each
        at least one character; the value is their number. None where it does not count
    """

    name: str
    label: str
    group: str
    unit: str
    version: int
    definition: str
    source: str
    low: float | None = 0.0
    high: float | None = None
    of: Of = "text"
    usual: bool = True
    quality: Quality | None = None
    measure: Measure | None = field(default=None, compare=False, repr=False, kw_only=True)
    spans: Spans | None = field(default=None, compare=False, repr=False, kw_only=True)


_FACTORS: dict[str, Factor] = {}


def factor(
    name: str, *, label: str, group: str, unit: str, version: int, source: str, low: float | None = 0.0,
    high: float | None = None, of: Of = "text", usual: bool = True, quality: Quality | None = None,
) -> Callable[[Measure], Measure]:  # fmt: skip
    """Register the decorated function, which gives the value, as the factor `name`."""

    def register(measure: Measure) -> Measure:
        said = _definition(measure, quality)
        _add(Factor(name, label, group, unit, version, said, source, low, high, of, usual, quality, measure=measure))
        return measure

    return register


def counting(
    name: str, *, label: str, group: str, unit: str, version: int, source: str, of: Of = "text", usual: bool = True,
    quality: Quality | None = None,
) -> Callable[[Spans], Spans]:  # fmt: skip
    """Register the decorated function, which gives the places of what is counted, as the factor `name`."""

    def register(spans: Spans) -> Spans:
        def measure(*readings: object) -> float:
            return float(len(spans(*readings)))

        said = _definition(spans, quality)
        _add(Factor(name, label, group, unit, version, said, source, 0.0, None, of, usual, quality, measure=measure,
                    spans=spans))  # fmt: skip
        return spans

    return register


def declare(
    name: str, *, label: str, group: str, unit: str, version: int, source: str, definition: str, low: float | None,
    high: float | None, usual: bool = True,
) -> None:  # fmt: skip
    """Register a factor of meaning: its values come from vectors, not from a function of the text."""
    _add(Factor(name, label, group, unit, version, definition, source, low, high, "meaning", usual))


def factors(names: Sequence[str] | None = None, of: Of | None = None) -> tuple[Factor, ...]:
    """The factors of these names, all of them in the order of their definition without names.

    of : only those measured from this

    Raises UnknownNameError with the nearest names.
    """
    import texts.factors  # noqa: F401  (registers them)

    for name in names or ():
        if name not in _FACTORS:
            raise unknown_name("factor", name, _FACTORS)
    chosen = _FACTORS.values() if names is None else [_FACTORS[name] for name in names]
    return tuple(one for one in chosen if of is None or one.of == of)


def _add(one: Factor) -> None:
    if one.name in _FACTORS:
        raise ValueError(f"there already is a factor {one.name!r}")
    _FACTORS[one.name] = one


def _definition(function: Callable[..., object], quality: Quality | None) -> str:
    said = " ".join(inspect.cleandoc(function.__doc__ or "").split())
    return said if quality is None else f"{said} {quality}"
