"""What is worked out before anybody asks, and does whoever asks come first?"""

from __future__ import annotations

import shutil
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from data.queries import Catalog
from data.shown_names import Display, Named
from errors import NotIdentifiedError
from studies.agreement import JudgeAgreement
from studies.audit import Audit
from studies.compare import Compare
from studies.rank import Rank
from studies.study import Study
from ui import ahead as module
from ui.ahead import MOST, Ahead, neighbours

ROOT = Path(__file__).parent.parent
LONG = 30.0
STUDY = JudgeAgreement(judge=("p", "q", "r"), ties="davidson")
NEXT = [("q", "p", "r"), ("r", "p", "q")]


def catalog(*judges: str, scenarios: tuple[str, ...] = ("maths", "prose"), hidden: tuple[str, ...] = ()) -> Catalog:
    display = Display(tuple(Named("judge", name, name, hidden=True) for name in hidden))
    known = {name: (k, "llm") for k, name in enumerate(judges)}
    return Catalog("world", 1, False, known, {"x": 1}, dict.fromkeys(scenarios, 0), {}, {}, display=display)


def test_neighbours_are_one_change_away_the_likeliest_first():
    found = list(neighbours(Compare(dataset="world", judge=("p", "q")), catalog("p", "q", "r")))
    changed = [(one.judge, one.ties, one.scenario) for one in found]
    assert changed == [
        (("p", "r"), "half", ()),
        (("p", "q"), "drop", ()),
        (("q", "p"), "half", ()),
        (("q", "r"), "half", ()),
        (("r", "p"), "half", ()),
        (("r", "q"), "half", ()),
    ]
    assert {one.dataset for one in found} == {"world"}


def test_what_is_asked_of_one_scenario_leads_to_all_of_them_first():
    names = catalog("p", "q", "r")
    whole = Compare(dataset="world", judge=("p", "q"))
    one = replace(whole, scenario=("maths",))
    assert list(neighbours(one, names)) == [whole, *neighbours(whole, names)]


def test_neighbours_of_what_is_asked_of_all_judges():
    names = catalog("p", "q", "r", scenarios=("all of it",))
    asked = JudgeAgreement(dataset="world", judge=("p", "q", "r"), ties="drop")
    assert [one.judge for one in neighbours(asked, names) if one.ties == "drop"] == [("q", "p", "r"), ("r", "p", "q")]
    # Nobody chose only these two by one change.
    few = JudgeAgreement(dataset="world", judge=("p", "q"), ties="drop")
    assert all(len(one.judge) == 2 for one in neighbours(few, names))


def test_neighbours_ask_no_judge_that_is_not_shown_and_no_ties_that_cannot_be_left_out():
    names = catalog("p", "q", "r", "s", hidden=("r",))
    assert not any("r" in one.judge for one in neighbours(Compare(judge=("p", "q")), names))
    assert not Audit.drops_ties
    assert {one.ties for one in neighbours(Audit(judge=("p", "q"), scenario=("maths",)), names)} == {"half"}
    assert {one.ties for one in neighbours(Rank(judge=("p",), scenario=("maths",), ties="davidson"), names)} == {"davidson"}


def ended(work: Ahead) -> None:
    until = time.monotonic() + LONG
    while work._thread is not None and time.monotonic() < until:
        time.sleep(0.01)
    assert work._thread is None


@pytest.fixture
def names() -> Catalog:
    return catalog("p", "q", "r")


def test_nothing_is_asked_while_a_page_is_made_and_then_once(names: Catalog, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "BREATH", 0.0)
    asked: list[tuple[str, ...]] = []
    work = Ahead(lambda study, _: asked.append(study.judge))
    with work.page():
        work.note("the answer", STUDY, names, 0.1)
        time.sleep(0.1)
        assert asked == []
    ended(work)
    assert asked == NEXT
    with work.page():
        work.note("the answer", STUDY, names, 0.1)
    ended(work)
    assert asked == NEXT
    with work.page():
        work.note("the answer, after an import", STUDY, names, 0.1)
    ended(work)
    assert asked == NEXT * 2


def test_a_page_overtakes_what_is_being_asked_and_its_turn_comes_again(names: Catalog, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "BREATH", 0.0)
    begun, wanted = threading.Event(), threading.Event()
    done: list[tuple[str, ...]] = []
    tries: list[tuple[str, ...]] = []

    def ask(study, progress):
        tries.append(study.judge)
        begun.set()
        wanted.wait(LONG)
        try:
            progress(0.5, "half of it")
        except Exception:
            pytest.fail("a study would take this for a question without an answer")
        done.append(study.judge)

    work = Ahead(ask)
    with work.page():
        work.note("the answer", STUDY, names, 0.1)
    assert begun.wait(LONG)
    with work.page():
        wanted.set()
        time.sleep(0.1)
        assert done == []
    ended(work)
    assert done == NEXT
    assert tries == [NEXT[0], *NEXT]


def test_of_what_was_slow_no_neighbour_is_asked_even_when_it_is_kept(names: Catalog, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "BREATH", 0.0)
    asked: list[Study] = []
    work = Ahead(lambda study, _: asked.append(study))
    with work.page():
        work.note("the answer", STUDY, names, module.QUICK + 1)
        work.note("the answer", STUDY, names, 0.1)
    ended(work)
    assert asked == []


def test_what_cannot_be_answered_is_left_to_who_asks(names: Catalog, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "BREATH", 0.0)
    asked = []

    def ask(study, _):
        asked.append(study.judge)
        raise NotIdentifiedError("no pair is shared")

    work = Ahead(ask)
    with work.page():
        work.note("the answer", STUDY, names, 0.1)
    ended(work)
    assert asked == NEXT


def test_it_is_bounded_and_ends(monkeypatch: pytest.MonkeyPatch):
    asked = []
    work = Ahead(lambda study, _: asked.append(study))
    many = catalog(*(f"judge {k}" for k in range(30)))
    with work.page():
        for k in range(20):
            work.note(k, Compare(judge=("judge 0", "judge 1"), seed=k), many, 0.1)
        assert len(work) == MOST
        work.end()
        assert len(work) == 0
        work.note("more", STUDY, many, 0.1)
        assert len(work) == 0
    ended(work)
    assert asked == []


def test_for_who_has_left_nothing_is_worked_out(names: Catalog, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "BREATH", 0.0)
    monkeypatch.setattr(module, "REACH", 0.0)
    asked = []
    work = Ahead(lambda study, _: asked.append(study))
    with work.page():
        work.note("the answer", STUDY, names, 0.1)
    ended(work)
    assert asked == []
    monkeypatch.setattr(module, "REACH", 60.0)
    with work.page():
        work.note("the answer", STUDY, names, 0.1)
    ended(work)
    assert asked


def test_of_a_large_dataset_the_next_judge_is_there_before_a_reader_asks(
    store_with_all: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from ui import session

    db = Path(shutil.copy(store_with_all, tmp_path))
    monkeypatch.setenv("JURYLENS_DB", str(db))
    work = Ahead(session._prepare)
    monkeypatch.setattr(session, "ahead", work)
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.switch_page("pages/rankings.py")
    app.query_params["dataset"] = "sample"
    app.run()
    assert not app.exception
    # The sample is small.
    assert work._thread is None
    assert len(work) == 0
    monkeypatch.setattr(session, "LARGE", 1)
    app.run()
    ended(work)
    study = Compare(dataset="sample", judge=("people", "magpie-judge"))
    _, key, _ = session._resolved(study)
    assert session._results.knows(key)
