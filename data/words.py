"""How are texts written in SQL, and how is a word for a verdict compared?"""

from __future__ import annotations


def literal(value: str) -> str:
    """A string as a SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def as_word(sql: str) -> str:
    """Lower case; 1.0 and 2.0 (whole numbers that passed through a float column) as 1 and 2."""
    return f"regexp_replace(lower(trim({sql})), '^([0-9]+)[.]0+$', '\\1')"
