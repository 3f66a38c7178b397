"""What are factors called in a sentence that is read by people? By their labels, not by the names of commands."""

from __future__ import annotations

import re
from functools import cache

from studies.factor_options import display, labelled


def by_factor(text: str) -> str:
    """A sentence with the labels of measured factors instead of their names.

    Names that are words of the language too (words, empty) are taken for names only in quotes.
    """
    return _factor_names().sub(lambda found: display(found["quoted"] or found["plain"]), text)


@cache
def _factor_names() -> re.Pattern[str]:
    names = labelled()
    quoted = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    plain = "|".join(name for name in names if "_" in name)
    return re.compile(rf"'(?P<quoted>(?:text:)?(?:{quoted}))'|(?<![\w'=:/-])(?P<plain>{plain})(?![\w'=])")
