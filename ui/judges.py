"""The parts of the page Judges: which resemble which and on what basis, and how a judge of one's own comes in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from charts import words
from data.queries import published as published_queries
from data.remembered import known
from exports.drawings import judges as drawings
from studies.overview import escape
from studies.similarity import OVERALL, RBO, SCENARIOS, SPEARMAN, STRENGTHS, VERDICTS, WEIGHTS, JudgeSimilarity
from studies.study import Result
from ui import factors, selection, session
from ui.ask import chosen, shown
from ui.behind import shared_by
from ui.figure import figure
from ui.navigation import link
from ui.overview import nothing_loaded
from ui.remarks import sentences
from ui.view import View

BASES = {VERDICTS: "Verdicts", WEIGHTS: "What moves them", STRENGTHS: "Rankings"}
OVERS = {SCENARIOS: "Mean over scenarios", OVERALL: "Overall"}
MEASURES = {SPEARMAN: "All places alike", RBO: "First places most"}
PLACED = {"judge": "judge", "kind": "kind", "source": "source", "place": "place in the tree", "x": "x", "y": "y"}


def similar(seen: View) -> None:
    """Which judges resemble which: the finding, the choices, the matrix, the map, what to distrust."""
    if seen.names is None:
        nothing_loaded()
    study = meant(seen)
    if study is None:
        return
    result = session.attempt(study)
    if result is not None:
        with st.container(key="finding"):
            st.markdown(finding(result, seen.reference))
        st.caption(escape(trust(result), 4000))
    choices(seen, study)
    if result is not None:
        draw(result)


def one_chosen(seen: View) -> bool:
    """Whether a single judge is looked at of several, and no published weights are there that it resembles."""
    return seen.names is not None and len(seen.judges) == 1 < len(seen.names.judges) and not seen.names.published


def ask_another(seen: View) -> None:
    """Where one judge is chosen of several: whom it can be held against."""
    if not one_chosen(seen):
        return
    assert seen.names is not None
    (one,) = seen.judges
    others = words.listing([escape(shown(name), 40) for name in seen.names.judges if name != one], 6)
    st.info(
        f"Only {escape(shown(one), 40)} is chosen. Choose another judge in the sidebar to hold the two against each "
        f"other: there {'is' if len(seen.names.judges) == 2 else 'are'} {others}.",
        icon=":material/info:",
    )


def bases(seen: View) -> list[str]:
    """What this dataset's judges can be held against one another by."""
    assert seen.names is not None
    found = []
    if len(seen.names.judges) > 1:
        found.append(VERDICTS)
    if seen.names.published or (found and factors.known_factors(seen)):
        found.append(WEIGHTS)
    if len(seen.names.judges) > 1 and len(seen.names.models) > 1:
        found.append(STRENGTHS)
    return found


def meant(seen: View) -> JudgeSimilarity | None:
    """The study that the address means; None where there are no two judges, which is then said."""
    assert seen.names is not None
    can = bases(seen)
    if not can:
        told = "There is one judge here, and nobody to hold it against. Add another judge's verdicts on the same pairs."
        st.info(told, icon=":material/info:")
        link(seen, "Data", "Add a file to this dataset", icon=":material/upload_file:")
        return None
    basis = str(selection.page_word("basis", can, can[0]))
    study = chosen(JudgeSimilarity)
    known = _among(seen)
    among = tuple(name for name in study.among if name in known)
    kept = {"published": study.published, "among": among} if basis == WEIGHTS else {"published": (), "among": ()}
    return replace(study, basis=basis, **kept)


def _among(seen: View) -> list[str]:
    """Scenarios that weights are published of."""
    assert seen.names is not None
    store, dataset = session.store(), seen.names.dataset_id
    with store.reading("looking for published scenarios") as con:
        published: list[str] = known(
            ("published scenarios", dataset), lambda: published_queries.published_scenarios(con, dataset)
        )
    return [*published, *(name for name in seen.names.scenarios if name not in published)]


def choices(seen: View, study: JudgeSimilarity) -> None:
    """Basis, scenarios and measure."""
    assert seen.names is not None
    can = bases(seen)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        _pick("basis", {name: BASES[name] for name in can}, "Alike in", study.basis)
        if study.basis == WEIGHTS or seen.names.scenarios:
            _pick("over", OVERS, "Over", study.over if study.over in OVERS else SCENARIOS)
        if study.basis == STRENGTHS:
            _pick("measure", MEASURES, "Places", study.measure)
    known = _among(seen) if study.basis == WEIGHTS else []
    if known:
        st.session_state["w:among"] = list(study.among)
        st.multiselect(
            "Scenarios of the weights", known, key="w:among", format_func=shown, placeholder="The usual ones",
            on_change=selection.on_change("among", "w:among"),
            help="Nothing chosen: all but the groups of special queries (express_feeling, intent_unclear and what "
            "begins with w_).",
        )  # fmt: skip


def _pick(word: str, options: dict[str, str], label: str, value: str) -> None:
    if len(options) < 2:
        return
    st.session_state[f"w:{word}"] = value
    st.segmented_control(label, list(options), key=f"w:{word}", format_func=options.__getitem__, required=True,
                         on_change=selection.on_change(word, f"w:{word}"))  # fmt: skip


def finding(result: Result, reference: str | None) -> str:
    """Who is nearest to people, or to the reference, and who is farthest; and who are most alike of all."""
    pairs, placed = result.table("pairs"), result.table("placed")
    known = pairs[pairs["similarity"].notna()]
    if known.empty:
        return "**No two of these judges can be held against one another.**"
    if len(placed) == 2:
        row = known.iloc[0]
        one, two = (escape(str(row[name]), 40) for name in ("judge_1", "judge_2"))
        return f"**{one} and {two}: {_said(result, row)}.**"
    centre = _centre(placed, reference)
    mine = known[(known["judge_1"] == centre) | (known["judge_2"] == centre)]
    text = ""
    if len(mine):
        near, far = (mine.iloc[int(pick(mine["similarity"].to_numpy(dtype=float)))] for pick in (np.argmax, np.argmin))
        name, best, worst = (escape(str(one), 40) for one in (centre, _other(near, centre), _other(far, centre)))
        if len(mine) == 1:
            return f"**{name} and {best}: {_said(result, near)}.**"
        text = (
            f"**Of {words.plural(len(placed) - 1, 'judge')} {best} is most like {name} ({_said(result, near)}), "
            f"{worst} least ({_number(result, far)}).** "
        )
    best_row, worst_row = (
        known.iloc[int(pick(known["similarity"].to_numpy(dtype=float)))] for pick in (np.argmax, np.argmin)
    )
    if len(mine) and (best_row.name, worst_row.name) == (near.name, far.name):
        return text.strip()
    return text + f"Of all, the most alike are {_two(result, best_row)}, the least {_two(result, worst_row)}."


def _centre(placed: pd.DataFrame, reference: str | None) -> str | None:
    """The reference where it is compared, else the first human judge."""
    if reference in set(placed["judge"]):
        return reference
    human = placed.loc[placed["kind"] == "human", "judge"]
    return str(human.iloc[0]) if len(human) else None


def _other(row: pd.Series, judge: str | None) -> str:
    return str(row["judge_2"] if row["judge_1"] == judge else row["judge_1"])


def _two(result: Result, row: pd.Series) -> str:
    one, two = (escape(str(row[name]), 40) for name in ("judge_1", "judge_2"))
    return f"{one} and {two} ({_number(result, row)})"


def _number(result: Result, row: pd.Series) -> str:
    """.78, or of verdicts 65 % [61 %, 69 %]."""
    if result.settings["basis"] != VERDICTS:
        return escape(words.number(row["similarity"]))
    ends = [words.share(row[name]) for name in ("lower", "upper")]
    return escape(words.share(row["similarity"]) + (f" [{', '.join(ends)}]" if all(ends) else ""))


def _said(result: Result, row: pd.Series) -> str:
    basis = result.settings["basis"]
    if basis == VERDICTS:
        return f"the same verdict on {_number(result, row)} of their pairs"
    what = "r of their weights" if basis == WEIGHTS else (
        "rho of their rankings" if result.settings["measure"] == SPEARMAN else "overlap of their rankings"
    )  # fmt: skip
    return f"{what} {_number(result, row)}"


def trust(result: Result) -> str:
    """n, and what the figure speaks of, in one line."""
    pairs, settings = result.table("pairs"), result.settings
    known = pairs.loc[pairs["similarity"].notna(), "n"]
    one, many = {
        VERDICTS: ("shared pair", "shared pairs"), WEIGHTS: ("weight compared", "weights compared"),
        STRENGTHS: ("place compared", "places compared"),
    }[settings["basis"]]  # fmt: skip
    middle = [words.plural(int(np.median(known.to_numpy(dtype=float))), one, many)] if len(known) else []
    typical = [f"{text} at the median" if len(known) > 1 else text for text in middle]
    over = "mean over scenarios" if settings["over"] == SCENARIOS else "overall"
    interval = f"{words.percent(settings['level'])} intervals by {settings['clustering']}" if (
        settings["basis"] == VERDICTS
    ) else "no intervals"  # fmt: skip
    return " · ".join([words.plural(len(result.table("placed")), "judge"), *typical, over, interval])


def draw(result: Result) -> None:
    """The matrix with its table, the map, and what to distrust."""
    pairs = result.table("pairs")
    read = pairs.assign(at=-pairs["similarity"].astype("Float64").fillna(-2)).sort_values("at", kind="stable")
    columns = dict(JudgeSimilarity.shown or {})
    if not pairs["lower"].notna().any():
        columns.pop("interval")
    if "note" in pairs:
        columns["note"] = "why not"
    verdicts = result.settings["basis"] == VERDICTS
    figure(
        drawings.similarity(result), result, "pairs",
        key="similarity", columns=columns, read=read.drop(columns="at"),
        pairs=(lambda row: shared_by(str(row["judge_1"]), str(row["judge_2"]))) if verdicts else None,
    )  # fmt: skip
    mapped = drawings.similarity_map(result)
    if mapped is not None:
        st.markdown("**The same as a map**")
        figure(
            mapped, result, "placed", key="judge-map", columns=PLACED,
            read=result.table("placed").assign(kind=lambda one: one["kind"].map(words.KINDS)),
        )  # fmt: skip
    if result.warnings:
        st.markdown("**What to distrust**")
        sentences(result)


def add_own(seen: View) -> None:
    """How another judge comes in."""
    assert seen.names is not None
    st.subheader("Add a judge", anchor=False)
    name = escape(seen.names.dataset)
    if seen.names.judges:
        st.markdown(
            f"Import its verdicts on pairs of {name} into the same dataset: a file with `prompt`, `model_a`, "
            "`model_b`, `judge` and `winner`, or `pair_id`, `judge` and `winner`."
        )
        if not seen.names.published:
            st.markdown(
                "Weights that others have published of their judges (columns `judge`, `scenario`, `property`, "
                "`weight`) can stand beside these judges too."
            )
    else:
        st.markdown(
            f"To hold a judge of your own against these, import its judgments into {name}, with the properties of each "
            "answer called as the published ones and scenarios called as theirs: the published model is then fitted to "
            "it, and it stands in this matrix."
        )
    link(seen, "Data", "Add a file to this dataset", icon=":material/upload_file:")
