"""From a dropped file to a dataset: what it is, what its columns mean, what would be taken, and then the import."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from charts import words
from data.factor_columns import KEYS
from data.fields import FIELDS, canonical
from data.importers import factor_weights, factors, judgments
from data.model import JUDGE_KINDS
from errors import JurylensError
from studies.overview import escape
from ui import session
from ui.allows import abilities
from ui.ask import shown
from ui.child import Job
from ui.mapping import (
    BY_COLUMN,
    BY_COLUMNS,
    BY_NAME,
    ESSENTIAL,
    OUTCOMES,
    WAYS,
    Choices,
    Guess,
    Look,
    guess,
    guess_keys,
    look,
    may_be_factors,
    unclear_winners,
)
from ui.notices import sentence
from ui.view import View

KINDS = dict(zip(JUDGE_KINDS, ("people", "LLM", "reward model", "rule"), strict=True))
READ_AS = {"number": "numbers", "flag": "yes or no", "label": "words", "set": "sets of labels"}
FORMATS = {
    factors.NAME: "a table of factors for judgments that are there",
    factor_weights.NAME: "published weights of factors, judge by judge",
}
ROWS = {
    judgments.NAME: "A judgment: which of two responses is better",
    factors.NAME: "Values of factors, for answers that are there",
}
OF_FACTORS = {
    "model": "who wrote the response",
    "response": "the text of the response",
    "response_key": "the key that a sheet of annotations gave the response",
}
COUNTS = {"Read": "read", "Accepted": "accepted", "Rejected": "rejected", "Already there": "duplicates"}


@dataclass
class Upload:
    """One dropped file on its way into the store; kept for as long as the page shows it."""

    file_id: str
    name: str
    folder: tempfile.TemporaryDirectory[str] = field(default_factory=tempfile.TemporaryDirectory)
    seen: Look | None = None
    wrong: str | None = None
    job: Job | None = None
    checked: tuple[Choices, dict[str, Any]] | None = None
    imported: dict[str, Any] | None = None
    failed: str | None = None

    @property
    def path(self) -> Path:
        return Path(self.folder.name) / self.name

    @property
    def rejects(self) -> Path:
        return Path(self.folder.name) / "rejects.csv"


def upload(view: View) -> None:
    """All steps, each shown when the one before it is done."""
    dropped = st.file_uploader(
        "Drop a file of judgments, or a table of factors: CSV, TSV, Parquet or JSON lines, also gzipped", key="file",
        help="One row a judgment with the columns prompt, judge and winner, or one column a judge. Other names are "
        "mapped in the next step. Or a table of factors for judgments that are there: pair_id, or prompt and model, "
        "and a column a factor.",
    )  # fmt: skip
    if dropped is None:
        st.session_state.pop("upload", None)
        return
    now: Upload | None = st.session_state.get("upload")
    if now is None or now.file_id != dropped.file_id:
        if now is not None and now.job is not None and not now.job.done:
            now.job.cancel()
        now = st.session_state["upload"] = Upload(dropped.file_id, _file_name(dropped.name))
        with st.spinner("Reading the file"):
            now.path.write_bytes(dropped.getbuffer())
            try:
                now.seen = look(session.store(), now.path)
            except JurylensError as error:
                now.wrong = str(error)
    if now.seen is None:
        st.error(escape(now.wrong or "", 4000), icon=":material/error:")
        return
    if now.imported is not None:
        arrived(now)
        return
    choices = boxes(view, now, now.seen)
    missing = choices.missing(now.seen, now.name)
    if now.job is not None:
        watch(choices)
        return
    act(now, choices, missing)


def _file_name(name: str) -> str:
    return re.sub(r"[/\\\x00]", "_", Path(name).name)[-120:] or "file"


# -- what the columns mean ----------------------------------------------------------------------------------------


def boxes(view: View, now: Upload, seen: Look) -> Choices:
    """One select box a field, prefilled where a column carries the field's name or resembles it."""
    st.markdown(
        f"**{escape(now.name)}**: {words.plural(seen.rows, 'row')}, "
        + (f"recognised as {FORMATS.get(seen.format, seen.format)}." if seen.own_format
           else f"{words.plural(len(seen.columns), 'column')}.")
        + "".join(f" {escape(text[:1].upper() + text[1:], 400)}." for text in seen.inferred[:3])
    )
    if len(seen.head):
        st.dataframe(seen.head.map(lambda v: shown(str(v)) if v is not None else ""), hide_index=True, key="head")
    if seen.of_factors:
        return _for_dataset(view, now, seen)
    if view.datasets and not seen.own_format and _are_factors(now, seen):
        return _keys_of_factors(now, seen, _for_dataset(view, now, seen))
    known = dict.fromkeys(view.datasets)
    stem = re.sub(r"(\.(csv|tsv|txt|jsonl?|ndjson|parquet|gz))+$", "", now.name, flags=re.IGNORECASE)
    dataset = st.text_input("Name of the dataset", stem, key=f"b:{now.file_id}:dataset")
    if dataset.strip() in known:
        what = "weights" if seen.format == factor_weights.NAME else "judgments"
        st.caption(f"{escape(dataset.strip())} is already there: the {what} are added to it.")
    if seen.own_format:
        return Choices(dataset, format=seen.format)
    first = guess(seen)
    way = st.radio("Who judged?", list(WAYS), index=list(WAYS).index(first.way), format_func=WAYS.__getitem__,
                   key=f"b:{now.file_id}:way")  # fmt: skip
    choices = Choices(dataset, way=str(way))
    choices = {BY_COLUMN: _by_column, BY_COLUMNS: _by_columns, BY_NAME: _by_name}[str(way)](now, seen, first, choices)
    columns = dict(choices.columns)
    fields = [f for f in ESSENTIAL if not (way == BY_COLUMNS and f == "winner")]
    for k in range(0, len(fields), 2):
        for where, name in zip(st.columns(2), fields[k : k + 2], strict=False):
            with where:
                _box(now, seen, first, name, columns)
    rest = [f for f in FIELDS if f not in (*fields, "judge") and not (way == BY_COLUMNS and f in ("winner", "p_a"))]
    with st.expander("More fields", expanded=any(f in first.columns for f in rest)):
        for k in range(0, len(rest), 2):
            for where, name in zip(st.columns(2), rest[k : k + 2], strict=False):
                with where:
                    _box(now, seen, first, name, columns)
        scores = "order"
        if "score_a" in columns:
            said = "Scores are logits: their difference says how sure the judge is"
            logit = st.toggle(said, key=f"b:{now.file_id}:scores-rule")
            scores = "logit" if logit else "order"
    choices = replace(choices, columns=columns, scores=scores)
    return replace(choices, winner_values=_winner_words(now, seen, choices))


def _for_dataset(view: View, now: Upload, seen: Look) -> Choices:
    """The dataset that a table of factors belongs to."""
    mine = view.names.dataset if view.names is not None else None
    there = list(view.datasets)
    dataset = st.selectbox(
        "Factors of which dataset?", there, index=there.index(mine) if mine in there else None,
        key=f"b:{now.file_id}:of", placeholder="Choose the dataset", format_func=shown,
    )  # fmt: skip
    return Choices(str(dataset or ""), format=factors.NAME)


def _are_factors(now: Upload, seen: Look) -> bool:
    """Whether the rows are factors; asked, because the columns do not tell."""
    what = st.radio("What is a row?", list(ROWS), index=int(may_be_factors(seen)), format_func=ROWS.__getitem__,
                    key=f"b:{now.file_id}:what", horizontal=True)  # fmt: skip
    return what == factors.NAME


def _keys_of_factors(now: Upload, seen: Look, choices: Choices) -> Choices:
    """Which columns say whose values they are; every other one is a factor."""
    first = guess_keys(seen)
    picked: dict[str, str] = {}
    shared = Guess(first, frozenset(key for key, column in first.items() if canonical(column) == key), BY_NAME, ())
    for k in range(0, len(KEYS), 2):
        for where, key in zip(st.columns(2), KEYS[k : k + 2], strict=False):
            with where:
                _box(now, seen, shared, key, picked)
    st.caption("All other columns are factors: of a response one each, of a pair NAME\\_a with NAME\\_b.")
    return replace(choices, columns=picked)


def _box(now: Upload, seen: Look, first: Guess, name: str, columns: dict[str, str]) -> None:
    suggested = first.columns.get(name)
    options = list(seen.columns)
    only_guessed = suggested is not None and name not in first.sure
    label = f"{name} (a guess: check it)" if only_guessed else name
    picked = st.selectbox(label, options, index=options.index(suggested) if suggested in options else None,
                          key=f"b:{now.file_id}:{name}", placeholder="not in this file",
                          help=(FIELDS | OF_FACTORS)[name] + ".",
                          format_func=shown)  # fmt: skip
    if picked is not None:
        columns[name] = str(picked)


def _by_column(now: Upload, seen: Look, first: Guess, choices: Choices) -> Choices:
    columns: dict[str, str] = {}
    left, right = st.columns(2)
    with left:
        _box(now, seen, first, "judge", columns)
    with right:
        kind = st.selectbox(
            "They are", ["", *JUDGE_KINDS], format_func=lambda k: KINDS.get(k, "told apart by name"),
            key=f"b:{now.file_id}:kind",
            help="Human where an annotator is mapped or the name is human, people, crowd, expert or annotator, else an "
            "LLM; a column judge_kind says it row by row.",
        )  # fmt: skip
    return replace(choices, columns=columns, kind=kind or None)


def _by_columns(now: Upload, seen: Look, first: Guess, choices: Choices) -> Choices:
    picked = st.multiselect("Columns with a judge's verdicts", list(seen.columns), default=list(first.judge_columns),
                            key=f"b:{now.file_id}:wide", format_func=shown)  # fmt: skip
    from data.normalise import HUMAN_NAMES

    likely = [c for c in picked if re.fullmatch(HUMAN_NAMES, c.strip(), re.IGNORECASE)]
    people = st.multiselect("Which of them are people?", picked, default=likely, key=f"b:{now.file_id}:people",
                            format_func=shown, placeholder="none")  # fmt: skip
    return replace(choices, judge_columns={c: "human" if c in people else "llm" for c in picked})


def _by_name(now: Upload, seen: Look, first: Guess, choices: Choices) -> Choices:
    left, right = st.columns(2)
    with left:
        judge = st.text_input("The judge's name", key=f"b:{now.file_id}:judge", placeholder="for example: people")
    with right:
        kind = st.selectbox("That is", list(JUDGE_KINDS), format_func=KINDS.__getitem__, key=f"b:{now.file_id}:kind1")
    return replace(choices, judge=judge, kind=kind)


def _winner_words(now: Upload, seen: Look, choices: Choices) -> dict[str, str]:
    """A box for each verdict that is no known word."""
    mapped = choices.columns
    columns = tuple(choices.judge_columns) if choices.way == BY_COLUMNS else tuple(filter(None, [mapped.get("winner")]))
    models = tuple(v for f in ("model_a", "model_b") for v in seen.values.get(mapped.get(f, ""), ()))
    unclear = unclear_winners(seen, columns, models)
    if not unclear:
        return {}
    st.markdown("**What do these verdicts mean?**")
    found = {}
    for k in range(0, len(unclear), 4):
        for where, word in zip(st.columns(4), unclear[k : k + 4], strict=False):
            with where:
                outcome = st.selectbox(escape(word, 40), list(OUTCOMES), index=None, format_func=OUTCOMES.__getitem__,
                                       key=f"b:{now.file_id}:winner:{word}", placeholder="rejected")  # fmt: skip
                if outcome is not None:
                    found[word] = str(outcome)
    return found


# -- check, import, watch -----------------------------------------------------------------------------------------


def act(now: Upload, choices: Choices, missing: str | None) -> None:
    """The buttons, and what the last check said."""
    if now.failed:
        st.error(escape(now.failed, 4000), icon=":material/error:")
    if missing:
        st.info(escape(missing, 4000), icon=":material/edit:")
    checked = now.checked is not None and now.checked[0] == choices
    if not checked:
        if st.button("Check the file", type="primary", disabled=missing is not None, icon=":material/fact_check:"):
            now.failed = None
            _start(now, choices, "--dry-run", f"--rejects={now.rejects}")
        return
    assert now.checked is not None
    report = now.checked[1]
    report_of(now, report)
    if report["accepted"] and st.button(
        f"Import {counted(report)}", type="primary", icon=":material/download_done:"
    ):
        _start(now, choices, f"--rejects={now.rejects}")


def _start(now: Upload, choices: Choices, *more: str) -> None:
    now.job = Job(session.store().path, choices.arguments(now.path, *more))
    st.rerun()


@st.fragment(run_every=0.4)
def watch(choices: Choices) -> None:
    """The progress of the running import, and a button that stops it."""
    now: Upload | None = st.session_state.get("upload")
    if now is None or now.job is None:
        st.rerun()
        return
    job = now.job
    if not job.done:
        st.progress(min(max(job.share, 0.0), 1.0), escape(job.text, 200))
        if st.button("Stop", icon=":material/stop_circle:", key="stop"):
            job.cancel()
        else:
            return
    now.job = None
    if job.failed:
        now.failed, now.checked = job.reason, None
    elif job.answer()["dry_run"]:
        now.checked, now.failed = (choices, job.answer()), None
    else:
        now.imported, now.failed = job.answer(), None
    st.rerun()


def counted(report: dict[str, Any]) -> str:
    """How many of what an import took."""
    if "factors" in report:
        return words.plural(report["accepted"], "row of factors", "rows of factors")
    if "published" in report:
        return words.plural(report["accepted"], "published weight")
    return words.plural(report["accepted"], "judgment")


def report_of(now: Upload, report: dict[str, Any]) -> None:
    """What was, or would be, taken; what not, and why."""
    with st.container(horizontal=True, key="tiles"):
        for label, key in COUNTS.items():
            with st.container(border=True, gap="xxsmall"):
                st.metric(label, f"{report[key]:,}")
    if "nothing" in report:
        st.warning(escape(sentence(report["nothing"], ()), 4000), icon=":material/block:")
    elif "factors" in report:
        found = [f"{escape(one['factor'], 40)} ({READ_AS[one['kind']]})" for one in report["factors"]]
        st.markdown(f"Factors: {words.listing(found, 12)}.")
    elif "published" in report:
        judges = [f"{escape(j['judge'], 40)} ({KINDS[j['kind']]}, {j['weights']:,})" for j in report["published"]]
        if judges:
            st.markdown(f"Judges with published weights: {words.listing(judges, 8)}.")
    else:
        judges = [f"{escape(j['judge'], 40)} ({KINDS[j['kind']]}, {j['judgments']:,})" for j in report["judges"]]
        if judges:
            st.markdown(f"Judges: {words.listing(judges, 8)}.")
    if report["inferred"]:
        with st.expander(f"What was taken for granted ({len(report['inferred'])})"):
            for text in report["inferred"]:
                st.markdown(f"- {escape(text, 1000)}")
    if report["rejected"]:
        st.markdown("**Rejected, and why**")
        columns = ["line", "column", "value", "reason"]
        table = pd.DataFrame(report["rejections"]).reindex(columns=columns)
        st.dataframe(table.astype(object).where(table.notna(), ""), hide_index=True, key="rejected")
        if now.rejects.exists():
            st.download_button(f"All {words.plural(report['rejected'], 'rejected row')} as CSV", key="rejects-csv",
                               data=now.rejects.read_bytes, file_name=f"{now.name}-rejects.csv", mime="text/csv",
                               on_click="ignore")  # fmt: skip


# -- afterwards ---------------------------------------------------------------------------------------------------


def arrived(now: Upload) -> None:
    """What the file now allows, what the rest would need, and the way to the answer."""
    report = now.imported or {}
    dataset = str(report["dataset"])
    st.success(f"{counted(report)} of {escape(now.name)} {'is' if report['accepted'] == 1 else 'are'} in "
               f"{escape(dataset)}.",
               icon=":material/check_circle:")  # fmt: skip
    query = [("dataset", dataset)]
    humans = [j["judge"] for j in report["judges"] if j["kind"] == "human"]
    if len(report["judges"]) > 1 and len(humans) != 1:
        names = [j["judge"] for j in report["judges"]]
        picked = st.selectbox("Whom are the other judges held against?", names, index=None, key="reference-of-new",
                              format_func=shown, placeholder="Choose the reference judge")  # fmt: skip
        if picked is not None:
            query += [("judge", j) for j in (picked, *(n for n in names if n != picked))]
    label = f"Open {escape(dataset)}"
    if "published" in report:
        st.page_link("pages/judges.py", label=label, icon=":material/arrow_forward:", query_params=query)
        report_of(now, report)
        return
    st.page_link("pages/overview.py", label=label, icon=":material/arrow_forward:", query_params=query)
    can = abilities(session.store(), dataset)
    lacking = [one for one in can if one.needs is not None]
    left, right = st.columns(2)
    with left:
        st.markdown("**You can now**\n" + "\n".join(f"- {one.what}" for one in can if one.needs is None))
    if lacking:
        with right:
            st.markdown("**Still lacking**\n" + "\n".join(f"- {one.needs}: to {one.what}" for one in lacking))
    report_of(now, report)
