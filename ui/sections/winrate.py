"""How often does each model win against a baseline? As judged, and if its answers were as long as the baseline's."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pandas as pd
import streamlit as st

from charts import words
from data.queries.examples import PairsBehind
from errors import JurylensError
from exports.drawings import rankings as drawings
from studies.overview import escape
from studies.study import Result
from studies.winrate import NONE, WinRate
from ui import selection, session
from ui.ask import chosen, help_text, shown
from ui.figure import figure
from ui.remarks import sentences
from ui.sections.choices import how_many, one_judge
from ui.session import attempt
from ui.view import View

NOTICEABLE = 0.5
"""Percentage points that holding length equal must change to be spoken of."""

HELP = {name: help_text(field) for name, field in WinRate.__dataclass_fields__.items() if field.metadata}


def draw(seen: View, judge: str | None) -> None:
    """The section for one judge at a time."""
    study = _ask(seen, replace(chosen(WinRate), judge=(one_judge(seen, "winrate"),)))
    result = attempt(study)
    if result is None:
        return
    winrates = result.table("winrates")
    baseline, who = str(result.settings["baseline"]), str(winrates["judge"].iloc[0])
    st.markdown(finding(winrates, baseline))
    st.caption(trust(result))
    most = how_many(len(winrates), "winrate")
    columns = {c: h for c, h in (WinRate.shown or {}).items() if study.length_controlled or not _of_control(c)}
    figure(drawings.winrates(result, who, most),
           result, "winrates", key="winrate", columns=columns, folded=False,
           pairs=lambda row: PairsBehind((who,), between=(str(row["model"]), baseline)))  # fmt: skip
    sentences(result)


def _of_control(column: str) -> bool:
    return column.startswith(("lc_", "length_"))


def _ask(seen: View, study: WinRate) -> WinRate:
    """The study with its widgets: baseline, length, and the baseline's twins where length is controlled for."""
    assert seen.names is not None
    models = sorted(seen.names.models)
    for name in ("baseline", "verbose_twin", "concise_twin"):
        if getattr(study, name) not in (None, *models, *([] if name == "baseline" else [NONE])):
            selection.drop_word(name)
            study = replace(study, **{name: None})  # type: ignore[arg-type]
    if not study.length_controlled:
        # What belongs to the control waits in the address until it is asked for again.
        study = replace(study, position=False, verbose_twin=None, concise_twin=None)
    resolved = study
    # The answer itself says what is wrong; here the choice must stay within reach.
    with suppress(JurylensError):
        resolved = study.resolve(session.store())
    taken = {resolved.baseline, resolved.verbose_twin, resolved.concise_twin}
    models = [m for m in seen.display.ordered("model", models) if m in taken or m in seen.offered("model")]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _pick("baseline", "Baseline", models, resolved.baseline)
        st.session_state["w:length_controlled"] = study.length_controlled
        st.toggle("Hold length equal", key="w:length_controlled", help=HELP["length_controlled"],
                  on_change=selection.on_change("length_controlled", "w:length_controlled"))  # fmt: skip
    if study.length_controlled:
        with st.popover("Guard against answers written for their length", type="tertiary"):
            _pick("verbose_twin", "The baseline told to be verbose", [NONE, *models], resolved.verbose_twin)
            _pick("concise_twin", "The baseline told to be concise", [NONE, *models], resolved.concise_twin)
    return study


def _pick(name: str, label: str, options: list[str], value: str | None) -> None:
    key = f"w:{name}"
    st.session_state[key] = value
    st.selectbox(label, options, index=None, key=key, format_func=shown, placeholder="None", help=HELP[name],
                 on_change=selection.on_change(name, key))  # fmt: skip


def finding(winrates: pd.DataFrame, baseline: str) -> str:
    """Who wins most, how many are beyond the baseline, and what length changes."""
    controlled = "lc_win_rate" in winrates.columns and bool(winrates["lc_win_rate"].notna().any())
    value, low, high = ("lc_win_rate", "lc_lower", "lc_upper") if controlled else ("win_rate", "lower", "upper")
    row = winrates.sort_values(value, ascending=False, kind="stable", na_position="last").to_dict("records")[0]
    rate = _rate(row[value], row[low], row[high])
    name, against = escape(str(row["model"])), escape(baseline)
    rates = winrates[value].dropna().astype(float)
    if len(rates) > 1 and float(rates.max() - rates.min()) < 1e-6:
        text = f"**All {len(rates):,} models win equally often against {against}: {_rate(row[value])}.**"
    elif controlled:
        judged = _rate(row["win_rate"])
        often = "wins most often against" if len(winrates) > 1 else "wins against"
        text = f"**At equal length {name} {often} {against}: {rate}**, as judged {judged}."
    elif len(winrates) == 1:
        text = f"**{name} wins against {against} in {rate} of judgments.**"
    else:
        text = f"**{name} wins most often against {against}: {rate}.**"
    known = winrates[winrates[low].notna()]
    above, below = int((known[low] > 50).sum()), int((known[high] < 50).sum())
    if len(known) > 1:
        text += f" Of {words.plural(len(winrates), 'model')} {above or 'none'} win{'s' if above == 1 else ''} more "
        text += f"than half of the time beyond noise, {below or 'none'} less than half."
    if controlled and len(winrates) > 1:
        change = (winrates["lc_win_rate"] - winrates["win_rate"]).abs()
        if change.max() < NOTICEABLE:
            return text
        most = winrates[change == change.max()].to_dict("records")[0]
        text += (
            f" Length matters most for {escape(str(most['model']))}: {_rate(most['win_rate'])} become "
            f"{_rate(most['lc_win_rate'])}."
        )
    return text


def _rate(value: float, low: float | None = None, high: float | None = None) -> str:
    """65 % [62, 68]"""
    decimals = 1 if value < 10 or value > 90 else 0
    text = f"{words.number(value, decimals)}\u00a0%"
    return text if words.absent(low) or words.absent(high) else f"{text} {words.interval(low, high, decimals)}"


def trust(result: Result) -> str:
    """n, clusters, method, in a line."""
    row = result.table("judges").iloc[0]
    text = f"{words.plural(row['judgments'], 'judgment')} of {words.plural(row['models'], 'model')} "
    text += f"on {words.plural(row['prompts'], 'prompt')} by {row['judge']}; {words.ties(result.settings['ties'])}; "
    text += f"intervals {row['intervals']}" if row["intervals"] else "no intervals"
    if row.get("controlled"):
        text += "; length by logistic regression as in AlpacaEval 2"
        if row["difficulty_from"]:
            text += f", with the difficulty of each prompt from the verdicts on {row['difficulty_from']:,} models"
        if row["guarded_by"]:
            text += f", guarded by {row['guarded_by']}"
    return escape(text + ".", 4000)
