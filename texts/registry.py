"""Which properties of a text are measured, and where is each defined? Once, in a few lines, beside its function.

    @factor("headers", group="formatting", unit="headings", version=1, source="...")
    def headers(text: Reading) -> float:
        \"\"\"Headings of any level, as Markdown renders them.\"\"\"
        return text.markup.headings

The docstring is the definition that readers are shown. Whoever changes what a factor measures raises its version:
stored values of the old one are then measured anew.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from errors import unknown_name
from texts.reading import Reading

Measure = Callable[[Reading], float]


@dataclass(frozen=True)
class Factor:
    """One property of a text.

    name : as in tables and options; group : of the taxonomy; unit : what is counted
    low, high : the range of its values, None where open; version : raised whenever a text's value would differ
    definition : what it measures, in a sentence; source : who measures it so
    measure : the value of one text; NaN where it has none
    """

    name: str
    group: str
    unit: str
    version: int
    definition: str
    source: str
    low: float | None = 0.0
    high: float | None = None
    measure: Measure = field(compare=False, repr=False, kw_only=True)


_FACTORS: dict[str, Factor] = {}


def factor(
    name: str, *, group: str, unit: str, version: int, source: str, low: float | None = 0.0, high: float | None = None
) -> Callable[[Measure], Measure]:
    """Register the decorated function as the factor `name`."""

    def register(measure: Measure) -> Measure:
        if name in _FACTORS:
            raise ValueError(f"there already is a factor {name!r}")
        definition = " ".join(inspect.cleandoc(measure.__doc__ or "").split())
        _FACTORS[name] = Factor(name, group, unit, version, definition, source, low, high, measure=measure)
        return measure

    return register


def factors(names: Sequence[str] | None = None) -> tuple[Factor, ...]:
    """The factors of these names, all of them in the order of their definition without names.

    Raises UnknownNameError with the nearest names.
    """
    import texts.factors  # noqa: F401  (registers them)

    if names is None:
        return tuple(_FACTORS.values())
    for name in names:
        if name not in _FACTORS:
            raise unknown_name("factor", name, _FACTORS)
    return tuple(_FACTORS[name] for name in names)
