"""Where do scores fail as judgments? Accuracy by scenario, drop out of distribution, calibration, margins of labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from charts import words
from data.queries.examples import PairsBehind
from exports.drawings import judges as drawings
from studies.overview import escape
from studies.reward_models import RewardModels
from studies.study import Result
from ui import selection
from ui.ask import chosen, shown
from ui.behind import open_pairs
from ui.figure import charts, figure, show_table
from ui.how_many import how_many
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

ALL, INSIDE = "scores_all", "in_distribution"
MOST, SAID, TOGETHER = 15, 3, 100
SCENARIOS = {"judge": "judge", "scenario": "scenario", "accuracy": "accuracy", "interval": "interval",
             "sureness": "how sure", "ece_10": "calibration error", "ece_10_by_chance": "by chance", "brier": "Brier",
             "temperature": "temperature", "comparisons": "comparisons"}  # fmt: skip
BANDS = {"band": "label", "pairs": "pairs", "low": "margin from", "high": "to", "sd": "sd", "against": "scores against",
         "accuracy": "scores agree", "interval": "interval", "people": "people agree",
         "people_interval": "interval "}  # fmt: skip


def draw(seen: View, judge: str | None) -> None:
    """All judges of the selection that give scores; the judge held against the reference where labels are doubted."""
    assert seen.names is not None
    study = replace(chosen(RewardModels), judge=seen.judges, reference=seen.reference, listed=TOGETHER)
    known = list(seen.names.scenarios)
    asked = tuple(name for name in study.in_distribution if name in known)
    if asked != study.in_distribution:
        selection.drop_word(INSIDE)
    result = attempt(replace(study, in_distribution=asked))
    if result is None:
        return
    judges, scenarios = result.table("judges"), result.table("scenarios")
    best = judges.sort_values("macro" if judges["macro"].notna().any() else "accuracy", ascending=False, kind="stable")
    told = {str(name): finding.text for name, finding in zip(judges["judge"], result.findings, strict=True)}
    first, *rest = [f"{escape(told[str(name)], 600)}." for name in best["judge"].head(SAID)]
    st.markdown(" ".join([f"**{first}**", *rest]))
    st.caption(
        "A reward model prefers the answer with the higher score. The mean over scenarios lets each count alike, so "
        "that a large easy one does not hide a small hard one."
    )
    if len(known) > 1:
        st.session_state[f"w:{INSIDE}"] = list(asked)
        st.multiselect("In distribution", known, key=f"w:{INSIDE}", format_func=shown,
                       placeholder="Scenarios that they were trained for",
                       on_change=selection.on_change(INSIDE, f"w:{INSIDE}"))  # fmt: skip
    most = how_many(len(judges), MOST, "judges", ALL)
    columns = {name: said for name, said in (RewardModels.shown or {}).items()
               if asked or not name.startswith("drop")}  # fmt: skip
    figure(
        drawings.accuracy(result, most),
        result, "judges", key="reward-models", columns=columns, pairs=lambda row: _behind(result.settings, row),
        point=lambda at: _behind(result.settings, {"judge": at.get(0), "scenario": at.get(1)}),
    )  # fmt: skip
    if len(scenarios):
        with st.expander("Accuracy and calibration in each scenario"):
            show_table(scenarios, SCENARIOS, key="reward-scenarios",
                       pairs=lambda row: _behind(result.settings, row))  # fmt: skip
    if len(result.table("margins")):
        _labels(seen, result, judge)
    sentences(result)


def _behind(settings: Mapping[str, Any], row: Mapping[Any, Any]) -> PairsBehind:
    scenario = str(row.get("scenario") or "") if not isinstance(row.get("scenario"), int) else ""
    return PairsBehind((str(settings["reference"]), str(row["judge"])), shared=True, counted="given",
                       scenario=scenario or None)  # fmt: skip


def _labels(seen: View, result: Result, judge: str | None) -> None:
    """What several reward models say of the reference's labels, and whether another judge follows these."""
    bands, others, pairs = (result.table(name) for name in ("margins", "margin_judges", "pairs"))
    reference = escape(str(result.settings["reference"]), 40)
    against = result.values["against"]
    interval = f" [{words.share(against['lower'])}, {words.share(against['upper'])}]" if "lower" in against else ""
    span = escape(words.share(against["value"]) + interval)
    st.markdown(
        f"**Which labels of {reference} do the scores doubt?** On {span} of "
        f"{int(bands['pairs'].sum()):,} pairs the reward models' mean margin speaks against the label."
    )
    listed = [str(name) for name in dict.fromkeys(others["judge"])]
    drawn = [judge] if judge in listed else listed[:1]
    if drawn:
        charts(
            drawings.bands(result, drawn), "reward-bands"
        )
    several = bands["people"].notna().any()
    show_table(bands, {name: said for name, said in BANDS.items() if several or not name.startswith("people")},
               key="reward-bands")  # fmt: skip
    with st.container(horizontal=True):
        for band, some in pairs.groupby("band", sort=False):
            n, whole = len(some), int(bands.loc[bands["band"] == band, "pairs"].iloc[0])
            how = "the" if n == whole else f"{n} of the {whole:,}"
            label = f"Read {how} {words.plural(n, 'pair') if n == whole else 'pairs'}: {band}"
            open_pairs(seen, PairsBehind(counted="given", only=tuple(int(pair) for pair in some["pair"])), label)
