"""From a dropped file to a dataset: what it means, what would be taken, and then the import.

The file is copied to a folder of its own and the server's copy in memory given up. A dry run follows by itself as soon
as nothing is left to be said. An import belongs to the server, not to the window: after a reload it is found again.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import streamlit as st

from charts import words
from data import file_shapes
from data.factor_columns import KEYS
from data.fields import canonical
from data.importers import factor_weights, factors, judgments
from data.vocabulary import FIELDS
from errors import JurylensError
from studies.overview import escape
from ui import asked, reading, session, verdicts
from ui.arrived import arrived, links
from ui.ask import shown
from ui.checked import report_of, to_import
from ui.incoming import Upload, already, under_way
from ui.mapping import Choices, Look, guess_keys, look, may_be_factors, remembered, words_in
from ui.selection import set_word
from ui.view import View

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
SUFFIXES = re.compile(r"(\.(csv|tsv|txt|jsonl?|ndjson|parquet|pq|xlsx|xlsm|gz))+$", re.IGNORECASE)
TOO_LARGE = """<style>
.st-key-too-large, :has(> .st-key-too-large) { display: none; }
.st-key-drop:has([data-testid="stFileChip"][aria-invalid="true"]) :is(.st-key-too-large, :has(> .st-key-too-large))
  { display: flex; }
</style>"""
SCORES, RANKING = "scores", "ranking"
RANKINGS = {"order": "the order, best first", "ranks": "the rank of each response"}


def busy() -> bool:
    """Whether a file is open that is not in yet: all attention to it."""
    now: Upload | None = st.session_state.get("upload")
    return now is not None and now.imported is None


def upload(view: View) -> None:
    """All steps of one file, each shown when the one before it is done."""
    now: Upload | None = st.session_state.get("upload")
    others(now)
    if now is None:
        drop()
        return
    with st.container(horizontal=True, vertical_alignment="center", key="file-name"):
        about = f" · {words.plural(now.seen.rows, 'row')} · {_size(now.seen.size)}" if now.seen is not None else ""
        st.markdown(f":material/description: **{escape(now.name)}**{about}", width="stretch")
        if not now.importing:
            st.button("Another file", icon=":material/upload_file:", on_click=_another, key="another")
    if now.seen is None:
        st.error(escape(now.wrong or "", 4000), icon=":material/error:")
    elif now.imported is not None:
        arrived(now.imported, now.name, now.rejects)
    elif now.importing:
        watch()
    elif (seen := _of_sheet(now, now.seen)) is not None:
        choices = questions(view, now, seen)
        if seen.sheets and seen.sheets[0] != now.sheets[0]:
            choices = replace(choices, sheet=seen.sheets[0])
        act(now, choices, choices.missing(seen, now.name))


def _of_sheet(now: Upload, seen: Look) -> Look | None:
    """What the file is; of a workbook with several sheets, the one that is chosen. None where that cannot be read."""
    if len(now.sheets) < 2:
        return seen
    widget = asked.key(now.file_id, "sheet")
    picked = st.selectbox("Sheet", now.sheets, index=now.sheets.index(seen.sheets[0]), key=widget, format_func=shown)
    if picked == seen.sheets[0]:
        return seen
    try:
        now.seen = look(now.store, now.path, picked)
    except JurylensError as error:
        st.error(escape(str(error), 4000), icon=":material/error:")
        return None
    _afresh(now)
    st.rerun()


def drop() -> None:
    """The place for a file, and what can be dropped there."""
    n = st.session_state.setdefault("uploads", 0)
    limit = int(st.get_option("server.maxUploadSize"))
    terminal = "from the terminal: `python cli.py import FILE --dataset NAME`."
    with st.container(key="drop"):
        dropped = st.file_uploader(
            "Drop a file of judgments, or a table of factors", key=f"file-{n}",
            help="One row a judgment, one column a judge, votes counted, chosen and rejected texts, scores, ratings or "
            "ranked lists: what each column means is asked in the next step. Or a table of factors for judgments that "
            "are there.",
        )  # fmt: skip
        # Too large a file never reaches the server: that the browser refused it shows in its mark alone.
        st.html(TOO_LARGE)
        with st.container(key="too-large"):
            st.error(f"This file is larger than {limit:,} MB, the most that is taken here. It goes in {terminal}",
                     icon=":material/error:")  # fmt: skip
        kinds = "CSV, TSV, Excel, Parquet, JSON or JSON lines, also gzipped"
        st.caption(f"{kinds}, up to {limit:,} MB. A larger file, or a folder, goes in {terminal}")
    if dropped is None:
        return
    store = session.store()
    now = Upload(dropped.file_id, _file_name(dropped.name), store)
    with st.spinner("Reading the file"):
        now.path.write_bytes(dropped.getbuffer())
        try:
            now.seen = look(store, now.path)
            now.sheets = now.seen.sheets
            if now.seen.shape is not None and store.exists():
                with store.reading("looking for a file of this shape") as con:
                    now.last = file_shapes.find(con, now.seen.shape)
        except JurylensError as error:
            now.wrong = str(error)
    st.session_state["upload"] = now
    # A new place for the next file: the server gives up its copy of this one.
    st.session_state["uploads"] = n + 1
    st.session_state.pop(asked.SAID, None)
    st.rerun()


def _another() -> None:
    now: Upload | None = st.session_state.pop("upload", None)
    if now is not None:
        now.stop()


def _file_name(name: str) -> str:
    return re.sub(r"[/\\\x00]", "_", Path(name).name)[-120:] or "file"


def _size(n: int) -> str:
    return f"{n / 1e6:,.1f} MB" if n >= 100_000 else f"{max(n / 1e3, .1):,.1f} kB"


# -- what the file means ------------------------------------------------------------------------------------------


def questions(view: View, now: Upload, seen: Look) -> Choices:
    """What the file is taken for, every point changeable."""
    if seen.own_format:
        st.markdown(f"Recognised as {FORMATS.get(seen.format, seen.format)}.")
        _inferred(seen)
        return _for_dataset(view, now) if seen.of_factors else Choices(_dataset(view, now), format=seen.format)
    if view.datasets and may_be_factors(seen) and _are_factors(now):
        return _keys_of_factors(now, seen, _for_dataset(view, now))
    if now.last is not None and remembered(now.last, "means"):
        with st.container(border=True, horizontal=True, vertical_alignment="center", key="last-time"):
            when = now.last.used_at.strftime("%Y-%m-%d")
            st.markdown(f":material/history: Read as **{escape(now.last.file_name)}** was on {when}.", width="stretch")
            st.button("Start afresh", icon=":material/restart_alt:", on_click=_afresh, args=(now,), key="afresh")
        choices = Choices(_dataset(view, now))
        with st.expander("How the file is read: look, or change it", expanded=False, key="how-read"):
            return _judgments(now, seen, choices)
    return _judgments(now, seen, Choices(_dataset(view, now)))


def _afresh(now: Upload) -> None:
    now.last = None
    for widget in list(st.session_state):
        if str(widget).startswith(f"b:{now.file_id}:") and not str(widget).endswith((":dataset", ":sheet")):
            del st.session_state[widget]
    st.session_state.pop(asked.SAID, None)


def _judgments(now: Upload, seen: Look, choices: Choices) -> Choices:
    """Columns, judges, verdicts."""
    assert seen.reading is not None
    file, last = now.file_id, now.last
    asked.step(1, "What the columns mean")
    place = st.container()
    with st.container(key="step-columns", gap="small"):
        means = reading.columns(file, seen, last)
    paths = {field: path for m in seen.reading.columns for field, path in m.paths}
    extra = dict(seen.reading.extra)
    choices = replace(choices, means=means, paths=paths, extra=extra)
    with place:
        reading.layout(file, seen, choices)
        _inferred(seen, seen.reading.notes)
    choices = replace(choices, extra=extra | _rules(now, choices))
    asked.step(2, "Who judged")
    with st.container(key="step-judges", gap="small"):
        choices = verdicts.judges(file, seen, choices, last)
    if words_in(seen, choices):
        asked.step(3, "What the verdicts mean")
        with st.container(key="step-words", gap="small"):
            choices = replace(choices, words=verdicts.verdicts(file, seen, choices, last))
    return choices


def _rules(now: Upload, choices: Choices) -> dict[str, str]:
    """What two kinds of columns leave open."""
    before, out = remembered(now.last, "extra"), {}
    if choices.column("score_a") is not None:
        said = "Scores are logits: their difference says how sure the judge is"
        if st.toggle(said, before.get(SCORES) == "logit", key=asked.key(now.file_id, SCORES)):
            out[SCORES] = "logit"
    assert now.seen is not None
    assert now.seen.reading is not None
    if choices.column("ranking") is not None and any(q.about == RANKING for q in now.seen.reading.questions):
        picked = st.radio("A list in the ranking is", list(RANKINGS), horizontal=True, index=None,
                          format_func=RANKINGS.__getitem__, key=asked.key(now.file_id, RANKING))  # fmt: skip
        if picked or before.get(RANKING):
            out[RANKING] = str(picked or before[RANKING])
    return out


def _inferred(seen: Look, notes: tuple[str, ...] = ()) -> None:
    for text in (*seen.inferred, *notes)[:5]:
        # What the command line would take is a box here.
        said = text.partition(": --set ")[0]
        st.caption(f"{escape(said[:1].upper() + said[1:], 400)}.")


def _dataset(view: View, now: Upload) -> str:
    widget = asked.key(now.file_id, "dataset")
    asked.restore(widget, SUFFIXES.sub("", now.name))
    dataset = st.text_input("Name of the dataset", key=widget)
    asked.keep(widget, dataset)
    if dataset.strip() in view.datasets:
        st.caption(f"{escape(dataset.strip())} is already there: what this file holds is added to it.")
    elif view.names is not None and not view.names.simulated:
        here = escape(view.names.dataset)
        st.caption(f"A dataset of its own. To add the file to one that is there, write that name: **{here}**.")
    return dataset


def _for_dataset(view: View, now: Upload) -> Choices:
    """The dataset that a table of factors belongs to."""
    mine = view.names.dataset if view.names is not None else None
    there = list(view.datasets)
    dataset = st.selectbox(
        "Factors of which dataset?", there, index=there.index(mine) if mine in there else None,
        key=asked.key(now.file_id, "of"), placeholder="Choose the dataset", format_func=shown,
    )  # fmt: skip
    return Choices(str(dataset or ""), format=factors.NAME)


def _are_factors(now: Upload) -> bool:
    """Whether the rows are factors; asked where the columns do not tell."""
    what = st.radio("What is a row?", list(ROWS), index=1, format_func=ROWS.__getitem__,
                    key=asked.key(now.file_id, "what"), horizontal=True)  # fmt: skip
    return what == factors.NAME


def _keys_of_factors(now: Upload, seen: Look, choices: Choices) -> Choices:
    """Which columns say whose values they are; every other one is a factor."""
    first, picked = guess_keys(seen), {}
    for k in range(0, len(KEYS), 2):
        for where, name in zip(st.columns(2), KEYS[k : k + 2], strict=False):
            with where:
                column = first.get(name)
                guessed = column is not None and canonical(column) != name
                options = list(seen.columns)
                said = st.selectbox(
                    f"{name} (a guess: check it)" if guessed else name, options,
                    index=options.index(column) if column is not None else None, placeholder="not in this file",
                    key=asked.key(now.file_id, f"key:{name}"), format_func=shown,
                    help=(FIELDS | OF_FACTORS)[name] + ".",
                )  # fmt: skip
                if said is not None:
                    picked[name] = str(said)
    st.caption("All other columns are factors: of a response one each, of a pair NAME\\_a with NAME\\_b.")
    return replace(choices, keys=picked)


# -- check, import, watch -----------------------------------------------------------------------------------------


def act(now: Upload, choices: Choices, missing: str | None) -> None:
    """What is still to be said; else what would be taken, and the button that takes it."""
    steps = 3 if choices.words else 2
    asked.step(steps + 1 if choices.means and now.last is None else None, "What would be taken")
    if now.job is not None and now.tried != choices:
        # Overtaken by a change.
        now.stop()
    if missing:
        st.info(escape(missing, 4000), icon=":material/edit:")
        return
    if now.job is not None:
        watch()
        return
    if now.checked is not None and now.checked[0] == choices:
        if now.failed is not None and now.failed[0] == choices:
            st.error(escape(now.failed[1], 4000), icon=":material/error:")
        report_of(now.checked[1], now.name, now.rejects)
        if not now.checked[1]["accepted"] and now.checked[1]["duplicates"]:
            st.info("All of it is there already: an import would add nothing.", icon=":material/info:")
            links(now.checked[1], "there")
        elif now.checked[1]["accepted"]:
            st.button(f"Import {to_import(now.checked[1])}", type="primary", icon=":material/download_done:",
                      on_click=_import, args=(now, choices), key="import")  # fmt: skip
        return
    if now.failed is not None and now.failed[0] == choices:
        st.error(escape(now.failed[1], 4000), icon=":material/error:")
    elif now.by_itself or now.failed is not None:
        now.by_itself = True
        now.start(choices, dry=True)
        watch()
        return
    st.button("Check the file", type="primary", icon=":material/fact_check:", on_click=_check, args=(now, choices))


def _check(now: Upload, choices: Choices) -> None:
    now.by_itself = True
    now.start(choices, dry=True)


def _import(now: Upload, choices: Choices) -> None:
    """Begin the import, unless this very file is on its way into this dataset, from whatever window."""
    if already(now, choices):
        now.failed = (choices, "This file is being imported into this dataset already: see above.")
        return
    now.start(choices, dry=False)


@st.fragment(run_every=0.4)
def watch() -> None:
    """The progress of the running job, and a button that stops it."""
    now: Upload | None = st.session_state.get("upload")
    if now is None or now.job is None:
        st.rerun()
    elif _bar(now, "stop"):
        now.finish()
        if now.imported is not None:
            # What came in is what one wants to look at now.
            set_word("dataset", str(now.imported["dataset"]))
        st.rerun()


def _bar(one: Upload, key: str) -> bool:
    """Progress and a button to stop; True once the job has ended."""
    assert one.job is not None
    if one.job.done or one.job.waiting:
        return True
    doing = "" if one.importing else "Checking, nothing is changed yet: "
    st.progress(min(max(one.job.share, 0.0), 1.0), escape(doing + one.job.text, 200))
    if st.button("Stop", icon=":material/stop_circle:", key=key):
        one.job.cancel()
        return True
    return False


def others(mine: Upload | None) -> None:
    """Imports that another window began, or this one before it was reloaded: watched while they run, told when done."""
    watched: list[Upload] = st.session_state.setdefault("watched", [])
    watched += [one for one in under_way(session.store(), mine) if one not in watched]
    if watched:
        _watch_others()


@st.fragment(run_every=0.7)
def _watch_others() -> None:
    watched: list[Upload] = st.session_state.get("watched", [])
    for k, one in enumerate(watched):
        with st.container(border=True, key=f"other-{k}"):
            name = escape(one.name)
            if one.importing and one.job is not None:
                st.markdown(f"**{name}** is being imported: begun in another window, or before this one was reloaded.")
                if not _bar(one, f"stop-other-{k}"):
                    continue
                one.finish()
                st.rerun()
            elif one.imported is not None:
                arrived(one.imported, one.name, one.rejects, brief=True, key=f"other-{k}")
            elif one.failed is not None:
                st.info(f"{name}: {escape(one.failed[1], 4000)}", icon=":material/info:")
