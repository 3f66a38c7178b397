"""Questions with their options: each module registers its studies. Import this package to know them all."""

from studies import (  # noqa: F401
    compare,
    controls,
    correct,
    coverage,
    examples,
    factors_fit,
    factors_gap,
    factors_list,
    factors_table,
    factors_variants,
    fit_check,
    health,
    next_pairs,
    places,
    rank,
    reliability,
    scenarios,
    tie_policies,
    winrate,
)
