"""What is a judge's disagreement with people made of, in a sentence? Markdown, names escaped."""

from __future__ import annotations

import pandas as pd

from charts import words
from charts.disagreement import JUDGE, PEOPLE, UNEXPLAINED
from studies.overview import escape


def finding(table: pd.DataFrame, judge: str, reference: str) -> str:
    """Of one judge, the parts by their size. table : its rows of `parts`"""
    share = dict(zip(table["part"], table["share"].astype(float), strict=True))
    people = escape(reference, 40)
    parts = [f"{words.share(share.pop(PEOPLE))} is that of votes with one another"]
    rest = share.pop(UNEXPLAINED)
    if JUDGE in share:
        parts.append(f"{words.share(share.pop(JUDGE))} the judge's noise")
    # What rounds to nothing is not worth a word.
    told = sorted(((name, value) for name, value in share.items() if abs(value) >= 0.005), key=lambda one: -one[1])
    parts += [f"{words.share(value)} {name}" for name, value in told]
    return (
        f"**Of the disagreement of {escape(judge, 40)} with a vote of {people}, {words.listing(parts, 9)}; "
        f"{words.share(rest)} is not explained.**"
    )
