"""What if people had judged all of it? Their ranking with the LLM's verdicts as a help, and how fair the sample is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from charts import words
from data.queries.examples import PairsBehind
from exports.drawings import rankings as drawings
from studies.correct import ASSUMED, SMALL_GAIN, Correct, described, n_unfair, unfair
from studies.overview import escape
from studies.study import Result
from ui import selection
from ui.ask import chosen, help_text
from ui.behind import Behind
from ui.figure import figure, show_table
from ui.remarks import sentences
from ui.sections.choices import how_many
from ui.session import attempt
from ui.view import View

HIDDEN = (0.5, 0.8, 0.9)
"""Shares of people's votes that the reader can have hidden."""

SAMPLE = {"share": "share of pairs", "labelled": "with people's votes, %", "unlabelled": "without, %",
          "difference": "difference, points", "p": "p", "q": "q"}  # fmt: skip
MASKING = {"method": "method", "rmse": "typical error, log-odds", "width": "width of the intervals",
           "coverage": "intervals that hold, %"}  # fmt: skip
WINRATES = {"model": "model", "against": "against", "corrected": "corrected, %", "interval": "interval, %",
            "classical": "{people} alone, %", "naive": "{judge} alone, %", "labelled": "pairs with votes",
            "worth": "worth more pairs", "potential_gain": "at most times"}  # fmt: skip
ALL = "all it met"

MASKING_RATES = {"method": "win rates", "rmse": "typical error, points", "width": "width of the intervals",
                 "coverage": "intervals that hold, %"}  # fmt: skip
METHODS = {"corrected": "corrected", "classical": "{reference} alone", "naive": "{judge} alone"}


def draw(seen: View, judge: str | None) -> None:
    """The section for the reference and the judge held against it."""
    if seen.reference is None or judge is None:
        st.info("This needs people's votes and another judge's verdicts: choose two judges in the sidebar.",
                icon=":material/info:")  # fmt: skip
        return
    study = replace(_ask(), judge=(seen.reference, judge))
    result = attempt(study)
    if result is None:
        return
    row = result.table("judges").to_dict("records")[0]
    models, sample = result.table("models"), result.table("sample")
    reference = str(result.settings["reference"])
    st.markdown(finding(row, models, reference))
    st.caption(trust(row, result))
    most = how_many(len(models), "correct")
    # Without unlabelled pairs nothing is corrected, and columns without a number would only take room.
    # Where models were left out, a row counts fewer pairs than there are.
    pairs = None if len(result.table("left_out")) else behind(reference, judge)
    columns = {c: h for c, h in _headings(reference, judge).items() if _has_numbers(models, c)}
    figure(drawings.corrected(result, judge, most),
           result, "models", key="correct", columns=columns, folded=False, pairs=pairs)  # fmt: skip
    _winrates(result.table("winrates"), reference, judge)
    if len(sample):
        st.markdown(fairness(sample, reference))
        shares = [described(str(kind), str(trait)) for kind, trait in zip(sample["kind"], sample["trait"], strict=True)]
        show_table(_in_percent(sample.assign(share=shares), SAMPLE), SAMPLE, key="correct-sample")
    if "masking" in result.tables:
        st.markdown(masked(result.table("masking"), row, reference))
        shown = result.table("masking")
        said = [METHODS[str(m)].format(reference=reference, judge=judge) for m in shown["method"]]
        show_table(_in_percent(shown.assign(method=said), MASKING), MASKING, key="correct-masking")
    if "masking_winrates" in result.tables:
        shown = result.table("masking_winrates")
        said = [METHODS[str(m)].format(reference=reference, judge=judge) for m in shown["method"]]
        show_table(_in_percent(shown.assign(method=said), MASKING_RATES), MASKING_RATES, key="correct-masking-winrates")
    # What stands above the table of the sample is not said again.
    sentences(result, [text for text in result.warnings if not (len(sample) and text.startswith(ASSUMED))])


def _ask() -> Correct:
    """The study with its one widget: which share of people's votes to hide."""
    study = chosen(Correct)
    options = sorted({*HIDDEN, *([] if study.mask_human is None else [study.mask_human])})
    st.session_state["w:mask_human"] = study.mask_human
    st.selectbox(
        "Try it out: hide some of people's votes", options, index=None, key="w:mask_human", format_func=words.share,
        placeholder="Nothing is hidden",
        help=help_text(Correct.__dataclass_fields__["mask_human"]),
        on_change=selection.on_change("mask_human", "w:mask_human"),
    )  # fmt: skip
    return study


def behind(reference: str, judge: str) -> Behind:
    """The pairs with people's votes that a row counts, ties among them."""
    return lambda row: PairsBehind((reference, judge), shared=True, model=str(row["model"]), ties="half")


def _winrates(table: pd.DataFrame, reference: str, judge: str) -> None:
    """Win rates with the judge as a help, and what it is worth to each."""
    people, who = words.shorten(reference, 24), words.shorten(judge, 24)
    columns = {c: h.format(people=people, judge=who) for c, h in WINRATES.items() if _has_numbers(table, c)}
    if not table["classical"].notna().any():
        return
    st.markdown(worths(table, reference, judge))
    read = table.assign(against=table["against"].astype(object).where(table["against"].notna(), ALL),
                        worth=table["worth"].round().astype("Int64"))  # fmt: skip
    show_table(read, columns, key="correct-winrates")


def worths(table: pd.DataFrame, reference: str, judge: str) -> str:
    """As how many more votes the judge's verdicts count for the models' win rates against all that they met."""
    people, who = escape(reference), escape(judge)
    known = table[table["worth"].notna() & table["against"].isna()]
    if known.empty:
        return f"**How often each model wins by the votes of {people}**, and what {who} could add."
    worth = known["worth"].to_numpy(dtype=float)
    pairs = int(known["labelled"].median())
    if len(known) == 1:
        return f"**For the win rate of {escape(str(known['model'].iloc[0]), 40)} {who} counts as {_more(worth[0])}.**"
    best = known.iloc[int(worth.argmax())]
    return (
        f"**For the win rates of {words.plural(len(known), 'model')}, each with about "
        f"{words.plural(pairs, 'judged pair')}, {who} counts as {_more(float(np.median(worth)))} at the median** and "
        f"as {_more(worth.max())} at most, for {escape(str(best['model']), 40)}."
    )


def _more(worth: float) -> str:
    more = max(round(worth), 0)
    return f"{words.plural(more, 'more pair')} with votes" if more else "no more pair with votes"


def _headings(reference: str, judge: str) -> dict[str, str]:
    people, who = words.shorten(reference, 24), words.shorten(judge, 24)
    named = {"classical": f"{people} alone", "naive": f"{who} alone", "labelled": f"pairs with votes of {people}"}
    return {column: named.get(column, heading) for column, heading in (Correct.shown or {}).items()}


def _has_numbers(models: pd.DataFrame, column: str) -> bool:
    name = {"interval": "lower", "rank_interval": "rank_lower", "against": "model"}.get(column, column)
    return bool(models[name].notna().any())


def _in_percent(table: pd.DataFrame, columns: Mapping[str, str]) -> pd.DataFrame:
    """The columns that people read, shares in percent."""
    out = table[list(columns)].copy()
    for name in ("labelled", "unlabelled", "difference", "coverage"):
        if name in out:
            out[name] = 100 * out[name]
    return out


def finding(row: Mapping[Any, Any], models: pd.DataFrame, reference: str) -> str:
    """What the judge's verdicts are worth to people's ranking, and who moves."""
    who, people = escape(str(row["judge"])), escape(reference)
    labelled, more = int(row["labelled"]), int(row["unlabelled"])
    if not more:
        gain = words.number(100 * (row["potential_gain"] - 1), 1) if not words.absent(row["potential_gain"]) else ""
        text = f"**{people} judged {_all(labelled)}, so there is nothing to correct.**"
        if not gain:
            return text
        return f"{text} Verdicts of {who} on any number of further pairs would be worth at most {gain} % more votes."
    if words.absent(row["gain"]):
        head = f"**The votes of {people} on {words.plural(labelled, 'pair')} cannot tell what {who} is worth to them.**"
    elif row["gain"] < SMALL_GAIN:
        head = f"**The verdicts of {who} on {words.plural(more, 'more pair')} add next to nothing to the {labelled:,} "
        head += f"that {people} judged.**"
    else:
        worth, percent = max(round(row["worth"]), 1), words.number(100 * (row["gain"] - 1), 1)
        head = (
            f"**The verdicts of {who} on {words.plural(more, 'more pair')} are worth "
            f"{words.plural(worth, 'more pair')} with votes of {people}** "
            f"({percent} % more than their {labelled:,})."
        )
    known = models[models["corrected"].notna()]
    moved = known[known["rank"] != known["classical_rank"]]
    text = f"{head} {len(moved) or 'None'} of {words.plural(len(known), 'model')} "
    text += f"{'changes' if len(moved) in (0, 1) else 'change'} rank"
    # What trusting the judge blindly would have meant.
    apart = known[(known["naive"] < known["lower"]) | (known["naive"] > known["upper"])]
    if known["naive"].notna().any():
        text += f"; {who} alone would put {len(apart) or 'none'} of them outside the corrected intervals"
    return text + "."


def _all(pairs: int) -> str:
    return "the only pair" if pairs == 1 else f"all of the {pairs:,} pairs"


def fairness(sample: pd.DataFrame, reference: str) -> str:
    """The assumption, and by what it is most in doubt."""
    people = escape(reference)
    doubtful = n_unfair(sample) > 0
    head = f"**{ASSUMED[:1].upper()}{ASSUMED[1:]} that {people} judged are a fair sample of all.** "
    said = unfair(sample)
    return f"{head}{escape(f'Here that is in doubt: {said}' if doubtful else said[:1].upper() + said[1:], 4000)}."


def masked(masking: pd.DataFrame, row: Mapping[Any, Any], reference: str) -> str:
    """What the votes that were left would have told."""
    by = masking.set_index("method")
    hidden, kept = int(masking["hidden"].iloc[0]), int(masking["kept"].iloc[0])
    error = {name: words.number(by.loc[name, "rmse"]) for name in by.index}
    best = str(by["rmse"].astype(float).idxmin())
    gain = row["masking_gain"]
    counted = words.plural(kept, "pair")
    counted = "" if words.absent(gain) else f" With the judge's help {counted} counted for {round(kept * gain):,}."
    people, who = escape(reference), escape(str(row["judge"]))
    named = {"corrected": "corrected", "classical": f"{people} alone", "naive": f"{who} alone"}
    return (
        f"**With the votes of {people} on {hidden:,} of {words.plural(hidden + kept, 'pair')} hidden**, {named[best]} "
        f"comes nearest to what all of them say: typical errors are {error['corrected']} corrected, "
        f"{error['classical']} by {people} alone and {error['naive']} by {who} alone.{counted}"
    )


def trust(row: Mapping[Any, Any], result: Result) -> str:
    """n, clusters and method in a line."""
    parts = [f"{words.plural(int(row['labelled']), 'pair')} with votes, {int(row['unlabelled']):,} with verdicts only"]
    parts.append(words.plural(int(row["prompts"]), "prompt"))
    if not words.absent(row["lambda"]):
        parts.append(f"prediction-powered (PPI++), λ = {words.number(row['lambda'])}")
    parts.append(f"{words.percent(float(result.settings['level']))} intervals {row['intervals']}")
    parts.append(words.ties(str(result.settings["ties"])))
    return escape(" · ".join(parts), 4000)
