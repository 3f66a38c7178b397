"""Does the order change with the scenario? Which models depend on it beyond noise, and where they stand out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from charts import words
from charts.scenarios import BEYOND
from data.queries.examples import PairsBehind
from exports.drawings import rankings as drawings
from studies.overview import escape
from studies.scenarios import Scenarios
from studies.study import Result
from ui.ask import chosen
from ui.figure import figure, show_table
from ui.methods import POOLED, pick
from ui.remarks import sentences
from ui.sections.choices import how_many, one_judge
from ui.session import attempt
from ui.view import View

SPREAD = {"model": "model", "mean": "mean strength", "mean_interval": "interval", "tau": "sd between scenarios",
          "tau_interval": "interval ", "q": "q", "scenarios": "scenarios"}  # fmt: skip
THIN = {"scenario": "scenario", "reason": "says little by itself", "judgments": "judgments", "prompts": "prompts"}


def draw(seen: View, judge: str | None) -> None:
    """The section for one judge at a time."""
    result = attempt(replace(chosen(Scenarios), judge=(one_judge(seen, "scenarios"),)))
    if result is None:
        return
    table, models, thin = (result.table(name) for name in ("scenarios", "heterogeneity", "thin"))
    row = result.table("judges").to_dict("records")[0]
    # Without prompts among the clusters nothing says what other prompts would show.
    bound = "prompt" not in result.settings["clustering"]
    st.markdown(finding(row, table, models, bound))
    st.caption(trust(row, result))
    raw = pick("scenarios_kind", POOLED, "Strengths") == "raw"
    most = how_many(len(models), "scenarios")
    columns = {c: heading for c, heading in (Scenarios.shown or {}).items() if c != "judge"}
    figure(
        drawings.orders(result, str(row["judge"]), most, raw),
        result, "scenarios", key="scenarios", columns=columns, folded=False,
        # Judgments against a model without an overall strength are not in the fit, and no link can leave them out.
        pairs=None if row["left_out"] else behind,
    )  # fmt: skip
    st.markdown("**How much each model varies**, the surest difference first")
    show_table(models, SPREAD, key="scenarios-models")
    if len(thin):
        st.markdown("**Thin scenarios**: what is said of them comes mostly from the others")
        show_table(thin, THIN, key="scenarios-thin")
    sentences(result, (*cautions(len(thin), raw), *result.warnings))


def behind(row: Mapping[Any, Any]) -> PairsBehind:
    """The pairs that a row of the table counts."""
    return PairsBehind((str(row["judge"]),), model=str(row["model"]), scenario=str(row["scenario"]))


def finding(row: Mapping[Any, Any], table: pd.DataFrame, models: pd.DataFrame, bound: bool = False) -> str:
    """For how many models the scenario matters beyond noise, and where the clearest one stands.

    bound : whether that is said of these prompts only
    """
    noise = "beyond noise on these prompts" if bound else "beyond noise"
    who, n = escape(str(row["judge"])), int(row["models"])
    scenarios = words.plural(int(row["scenarios"]), "scenario")
    if not row["tested"]:
        of = words.plural(n, "model")
        return f"**Whether {who}'s order of {of} changes between {scenarios} cannot be tested:** too few prompts."
    tested = "" if row["tested"] == n else f" ({row['tested']} of {n} could be tested)"
    of = words.plural(n, "model")
    if not row["differ"]:
        text = f"**For {who} no strength of {of} changes between {scenarios} {noise}**{tested}."
        clearest = models[models["q"].notna()].to_dict("records")[0]
        return f"{text} The clearest difference is that of {escape(str(clearest['model']))}, q {_q(clearest['q'])}."
    depend = "depends" if row["differ"] == 1 else "depend"
    whose = f"the strength of {row['differ']}" if row["differ"] == 1 else f"the strengths of {row['differ']}"
    text = f"**For {who} {whose} of {of} {depend} on the scenario {noise}**{tested}"
    clearest = models[(models["q"] < BEYOND).fillna(False)].to_dict("records")[0]
    its = table[(table["model"] == clearest["model"]) & table["departure"].notna()]
    its = its.sort_values("departure", kind="stable", ascending=False).to_dict("records")
    text += f", most clearly that of {escape(str(clearest['model']))} (q {_q(clearest['q'])})"
    if len(its) < 2:
        return text + "."
    return f"{text}: {_place(its[0])}, {_place(its[-1])}."


def _q(value: float) -> str:
    text = words.p_value(value)
    return escape(text if text.startswith("<") else f"= {text}")


def _place(row: Mapping[Any, Any]) -> str:
    """number 7 in explain (+.21 [−.02, .46] from its mean)"""
    away = escape(words.estimate(row["departure"], row["departure_lower"], row["departure_upper"]))
    sign = "+" if row["departure"] > 0 else ""
    return f"number {row['pooled_rank']} in {escape(str(row['scenario']))} ({sign}{away} from its mean)"


def trust(row: Mapping[Any, Any], result: Result) -> str:
    """n, clusters and method in a line."""
    parts = [
        f"{words.plural(int(row['judgments']), 'judgment')} of {words.plural(int(row['models']), 'model')}",
        f"{words.plural(int(row['prompts']), 'prompt')} in {words.plural(int(row['scenarios']), 'scenario')}",
        words.ties(result.settings["ties"]),
        f"{words.percent(float(result.settings['level']))} intervals",
        "full empirical Bayes over scenarios",
    ]
    return escape(" · ".join(parts), 4000)


def cautions(n_thin: int, raw: bool) -> list[str]:
    """How far the intervals may be believed."""
    said = [
        "pooled intervals hold on average over scenarios; one that is unlike all others is drawn towards them, and its "
        "raw intervals in the table are then the ones to read"
    ]
    if raw and n_thin:
        said.append("raw strengths of thin scenarios are mostly noise: compare them with the pooled ones")
    return said
