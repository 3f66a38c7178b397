"""Which judges rated or ranked responses by themselves, and what must be said of the pairs that were made of it?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from charts import words
from data import health
from data.queries import Catalog, Con

OF_THESE_PROMPTS = "these intervals speak about th"
"""Begins the warning of `analysis.vcov` that pairs were taken as clusters for want of prompts."""


def made(con: Con, names: Catalog, judges: Iterable[str]) -> dict[str, str]:
    """Those of the judges whose pairs were made of `ratings` or `rankings`."""
    found = health.rated(con, names)
    return {judge: found[judge] for judge in judges if judge in found}


def in_caption(rated: Mapping[str, str]) -> str:
    """How pairs came about, how they weigh and what is a tie; empty where no judge rated or ranked."""
    if not rated:
        return ""
    what = _what(rated)
    equal = "ranks" if what == "rankings" else "ratings"
    return (
        f" Pairs of {_who(rated)} are made of {what} of single responses: all pairs within a prompt and rater, so that "
        f"k responses weigh k(k − 1)/2, and equal {equal} are ties."
    )


def too_narrow(rated: Mapping[str, str], cluster: str, warnings: Iterable[str]) -> list[str]:
    """What is wrong with intervals that take pairs of one prompt as independent, where these share ratings.

    cluster : as it was asked for; warnings : of the result, which say where there were too few prompts
    """
    few = any(OF_THESE_PROMPTS in said for said in warnings)
    if not rated or (cluster not in ("pair", "none") and not few):
        return []
    how = "that take all judgments as independent" if cluster == "none" else "by pair"
    return [
        f"{_who(rated)}: pairs of one prompt share {_what(rated)}, so that intervals {how} are too narrow, also where "
        "they are to speak about these prompts alone (in simulations they hold .51 to .87 of strengths and gaps, not "
        ".95): choose --cluster prompt"
    ]


def no_circles(rated: Mapping[str, str]) -> list[str]:
    """Why such verdicts form hardly any circle."""
    if not rated:
        return []
    return [
        f"{_who(rated)}: a rating or ranking cannot contradict itself, so that one rater's verdicts on a prompt form "
        "no circle: fewer circles and a smaller Hodge residual than expected are no sign of one scale, and their p is "
        "too large"
    ]


def _who(rated: Mapping[str, str]) -> str:
    return words.listing(list(rated), 5)


def _what(rated: Mapping[str, str]) -> str:
    return " and ".join(sorted(set(rated.values()), reverse=True))
