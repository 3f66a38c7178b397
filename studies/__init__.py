"""Questions with their options: each module registers its studies. Import this package to know them all."""

from studies import compare, coverage, examples, health, rank  # noqa: F401
