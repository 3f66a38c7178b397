"""What do the published Bayesian weights say? Posteriors of both judges, and of one in each scenario."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from charts import words
from charts.posteriors import leaves_out
from exports.drawings import methods as drawings
from studies.factor_options import display
from studies.factor_words import lower
from studies.factors_bayes import FactorsBayes
from studies.overview import PLURAL, escape
from studies.study import Result
from ui.ask import shown
from ui.figure import charts, figure, fold, show_table
from ui.methods import judges_of, pick, plain
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

MOST, NAMED = 15, 2
SCALES = {"0.1": "Prior of Li et al. (.1)", "0.01": "of Sharma et al. (.01)", "cv": "best on held-out prompts"}
SCALE_COLUMNS = {"judge": "judge", "prior_scale": "scale", "log_loss": "log-loss", "chosen": "chosen"}


def draw(seen: View, judge: str | None) -> None:
    """The section: the two judges compared, or the one there is."""
    judges = judges_of(seen, judge)
    scale = pick("prior_scale", SCALES, "The prior's scale")
    result = attempt(plain(FactorsBayes, seen, judge, prior_scale=scale, ties="drop", cluster="auto", folds=0))
    if result is None:
        return
    table, level = result.table("factors"), float(result.settings["level"])
    there = [one for one in judges if one in set(table["judge"])]
    names = {str(f): display(str(f)) for f in table["factor"]}
    st.markdown(" ".join(finding(table, one, names, level) for one in there))
    st.caption(
        f"{trust(result)} Prefer it to the gap above to compare with published weights, which are of this model, or "
        "where factors are many for the pairs: the prior pulls what verdicts do not tell towards no effect. "
        "Decisiveness is not taken out."
    )
    figure(
        drawings.posteriors(result, there, MOST),
        result, "factors", key="bayes", columns=FactorsBayes.shown, folded=False,
        read=table.assign(factor=[names[str(f)] for f in table["factor"]]),
    )  # fmt: skip
    if "scales" in result.tables:
        st.markdown("**Which scale predicts held-out prompts best**")
        scales = result.table("scales")
        show_table(scales[scales["scenario"].isna()], SCALE_COLUMNS, key="bayes-scales")
    _by_scenario(result, there, names, level)
    sentences(result)


def _by_scenario(result: Result, judges: list[str], names: Mapping[str, str], level: float) -> None:
    """The matrix of one judge, where there are several scenarios."""
    table = result.table("scenarios")
    if table["scenario"].nunique() < 2:
        return
    st.markdown("**In each scenario alone**")
    of = pick("bayes_of", {name: shown(name) for name in judges}, "Of", judges[-1])
    mine = table[table["judge"] == of].reset_index(drop=True)
    apart = drawings.posteriors_by_scenario(result, of, MOST)
    if apart is not None:
        charts(apart, "bayes-scenarios")
    columns = {"scenario": "scenario"} | {c: h for c, h in (FactorsBayes.shown or {}).items() if c != "judge"}
    read = mine.assign(factor=[names[str(f)] for f in mine["factor"]])
    fold("bayes-scenarios", lambda: show_table(read, columns | {"pairs": "pairs"}, key="bayes-scenarios"))


def finding(table: pd.DataFrame, judge: str, names: Mapping[str, str], level: float) -> str:
    """What most likely moves a judge's verdicts, and of how many factors that can be said."""
    mine = table[table["judge"] == judge]
    who, plural = escape(judge, 40), judge.casefold() in PLURAL
    sure = mine[leaves_out(mine)]
    n = f"{len(sure)} of {words.plural(len(mine), 'factor')}"
    if sure.empty:
        return f"**No posterior interval of {who}'s {words.plural(len(mine), 'factor')} leaves out 50.**"
    parts = []
    for verb, some in (("reward", sure[sure["weight"] > 0]), ("punish", sure[sure["weight"] < 0])):
        order = some["weight"].abs().sort_values(ascending=False, kind="stable").index[:NAMED]
        told = [f"{escape(lower(names[str(r['factor'])]), 40)} ({words.number(r['effect'], 0)} of 100)"
                for r in some.loc[order].to_dict("records")]  # fmt: skip
        if told:
            parts.append(f"{verb}{'' if plural else ('es' if verb == 'punish' else 's')} {words.listing(told)}")
    return (
        f"**{who} most {' and '.join(parts)}**; the {words.percent(level)} posterior intervals of {n} leave out 50."
    )


def trust(result: Result) -> str:
    """n and the prior in a line."""
    rows = result.table("judges").to_dict("records")
    each = [
        f"{words.shorten(str(row['judge']), 40)}: {words.plural(int(row['judgments']), 'judgment')} on "
        f"{words.plural(int(row['pairs']), 'pair')}, prior's scale {words.number(row['prior_scale'])}" for row in rows
    ]  # fmt: skip
    return escape("; ".join(each) + ". Ties left out; signs of differences; judgments taken as independent.", 4000)
