"""Questions with their options: each module registers its studies. Import this package to know them all."""

from studies import compare, controls, coverage, examples, factors_list, health, places, rank, reliability, tie_policies  # noqa: F401
