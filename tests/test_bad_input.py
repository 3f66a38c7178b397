"""Does each question of the pages Rankings and Factors have its answer, or its one plain sentence, on judgments as bad as they come?"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from bad_datasets import add, cases, many_models
from streamlit.testing.v1 import AppTest

import cli
import studies  # noqa: F401  (registers the studies)
from data.store import Store
from errors import EmptySelectionError, JurylensError
from studies.extract import extract
from studies.study import REGISTRY, Result
from ui.navigation import screen
from ui.sections import FACTORS, JUDGES, METHODS, RANKINGS, SCENARIOS, Section

CASES = {case.name: case for case in cases()}
COMMANDS = [*dict.fromkeys((*screen("Rankings").studies, *screen("Factors").studies, *screen("Scenarios").studies,
                           *screen("Judges").studies)), "datasets health"]
# Of the cases those whose kind of trouble differs: a page takes seconds.
PAGES = ("judge without judgments", "nothing left", "one model chosen", "all ties", "three islands", "wins or loses all",
         "one judgment each", "hostile names", "no human")  # fmt: skip
# The same for the page Factors, whose judgments need no models; of "two islands" a part of the texts is measured.
FACTOR_PAGES = ("equal texts", "all ties", "one judgment each", "hostile names", "no human", "no models", "heavy", "soft",
                "no texts", "two islands", "one judge chosen")  # fmt: skip
ODD = re.compile(
    r"\b[Nn]a[Nn]\b|\binf\b|\bNone\b(?! of the)|<NA>|Traceback|\d{8,}|(?<!arXiv \d{4})(?<!arXiv \d{4}\\)\.\d{5,}|\b0 models\b|\. \.|: :|intervals none|\b1 are\b|"
    r"(?<![\d.,])1 (more |shared )?(judgments|pairs|prompts|models|clusters|verdicts|responses|scenarios|triples)\b"
)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """All cases, the texts of some of them measured."""
    folder = tmp_path_factory.mktemp("bad")
    # Hundreds of answers are asked of it: it is opened once.
    found = Store(folder / "s.duckdb", linger=600)
    for case in CASES.values():
        if case.frame is not None:
            add(found, folder, case.name, case.frame)
    # Of the others the texts are not measured yet.
    for name in ("hostile names", "equal texts", "one prompt", "all ties", "one judgment each", "no human", "no models",
                 "heavy", "soft"):  # fmt: skip
        extract(found, name, workers=1)
    return found


def plain(text: str, case: str) -> None:
    """A sentence for people: words, on one line, no number that nobody can read."""
    assert len(text.split()) >= 4, text
    assert case == "hostile names" or "\n" not in text, text
    assert not ODD.search(text), text


def holds(result: Result, case: str) -> None:
    """A result that any reader can take: JSON without NaN, sentences."""
    json.dumps(result.as_json(), allow_nan=False)
    for text in (result.caption, *result.warnings, *(one.text for one in result.findings)):
        plain(text, case)


# 28 cases by some fifty commands: each case meets ten of them here, and each command five or six cases.
@pytest.mark.every(5, "case", "command")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("case", CASES)
def test_each_study_answers_or_says_why_not(store: Store, command: str, case: str) -> None:
    cls = REGISTRY[command]
    known = {k: v for k, v in CASES[case].select.items() if k in cls.__dataclass_fields__}
    try:
        result = cls(dataset=CASES[case].dataset, **known).run(store)
    except JurylensError as error:
        plain(str(error), case)
    else:
        holds(result, case)


# Criteria of one judge can be held against one another.
@pytest.mark.parametrize(
    "command", [name for name, cls in REGISTRY.items() if cls.judges == "reference" and name != "criteria"]
)
def test_one_judge_alone_is_compared_with_nobody(store: Store, command: str) -> None:
    said = f"{command} needs two judges, the reference first; only 'gpt' is chosen: add another with --judge"
    with pytest.raises(EmptySelectionError, match=re.escape(said)):
        REGISTRY[command](dataset="usual", judge=("gpt",)).run(store)


def test_a_baseline_that_never_occurs_is_named(store: Store) -> None:
    with pytest.raises(JurylensError, match="m9"):
        REGISTRY["winrate"](dataset="three islands", baseline="m9").run(store)  # type: ignore[call-arg]
    known = REGISTRY["winrate"](dataset="three islands", baseline="y1", judge=("people",)).run(store)  # type: ignore[call-arg]
    assert set(known.table()["model"]) == {"y2"}


def test_thousands_of_models_are_answered(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    add(store, tmp_path, "many", many_models(1600, 12))
    places = REGISTRY["places"](dataset="many", judge=("people",)).run(store)
    assert len(places.table()) > 1500
    assert any("choose fewer to see them" in w for w in places.warnings)
    for command in ("next-pairs", "datasets health"):
        holds(REGISTRY[command](dataset="many", judge=("people",)).run(store), "many")


@pytest.mark.parametrize(
    ("case", "words", "said"),
    [
        ("nothing left", ("--scenario", "only people", "--judge", "gpt"), "leaves no judgment"),
        ("one model chosen", ("--model", "m1"), "leaves no judgment"),
        ("one judgment each", ("--judge", "people"), "no strengths can be computed from 1 judgment of 2 models"),
        ("no models", (), "names no models"),
    ],
)
def test_the_command_line_says_it_in_one_sentence(store, monkeypatch, capsys, case, words, said) -> None:
    monkeypatch.setattr("sys.argv", ["cli.py", "--db", str(store.path), "rank", "--dataset", CASES[case].dataset, *words])
    with pytest.raises(SystemExit) as ended:
        cli.run()
    told = capsys.readouterr()
    assert ended.value.code == 1
    assert told.out == ""
    assert said in told.err
    assert "Traceback" not in told.err


# -- the page ---------------------------------------------------------------------------------------------------------


def opened(
    store: Store, monkeypatch: pytest.MonkeyPatch, case: str, file: str, sections: tuple[Section, ...]
) -> AppTest:
    """A page on a case with every section open."""
    monkeypatch.setenv("JURYLENS_DB", str(store.path))
    app = AppTest.from_file(str(Path(cli.__file__).parent / "app.py"), default_timeout=60)
    app.switch_page(file)
    for name, value in ({"dataset": CASES[case].dataset} | CASES[case].select).items():
        app.query_params[name] = list(value) if isinstance(value, tuple) else value
    app.query_params["open"] = [section.word for section in sections]
    return app.run()


# One test a case: the page with all of its sections open takes seconds, and a test a section would draw it in each worker.
# Of each page every third case, and another third than of the page before it.
@pytest.mark.every(3, "case")
@pytest.mark.parametrize("case", PAGES)
def test_each_section_says_something_and_the_page_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    app = opened(store, monkeypatch, case, "pages/rankings.py", RANKINGS)
    for section in RANKINGS:
        says_something(app, section)


@pytest.mark.every(3, "case", shift=1)
@pytest.mark.parametrize("case", FACTOR_PAGES)
def test_each_section_of_factors_says_something(store: Store, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    app = opened(store, monkeypatch, case, "pages/factors.py", (*FACTORS, *METHODS))
    if case == "no texts":
        # Nothing to ask yet: the page says what to do, and offers it.
        assert not app.exception
        assert not app.main.expander
        said = [str(one.value) for kind in ("info", "markdown") for one in getattr(app.main, kind)]
        assert any("measure" in text for text in said), said
        return
    for section in (*FACTORS, *METHODS):
        says_something(app, section)


# Sections that stand on the page Scenarios alone.
OWN = tuple(one for one in SCENARIOS if one not in (*RANKINGS, *FACTORS, *METHODS))


@pytest.mark.every(3, "case", shift=2)
@pytest.mark.parametrize("case", ["all ties", "hostile names", "no human", "two islands", "one judge chosen"])
def test_each_section_of_scenarios_says_something(store: Store, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    app = opened(store, monkeypatch, case, "pages/scenarios.py", OWN)
    for section in OWN:
        says_something(app, section)


@pytest.mark.every(3, "case")
@pytest.mark.parametrize("case", ["usual", "one prompt", "all ties", "hostile names", "no human", "one judge chosen",
                                  "odd judges"])
def test_each_section_of_judges_says_something(store: Store, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    app = opened(store, monkeypatch, case, "pages/judges.py", JUDGES)
    for section in JUDGES:
        says_something(app, section)


def says_something(app: AppTest, section: Section) -> None:
    assert not app.exception
    # Each section stands there, whatever the ones before it met.
    [box] = [one for one in app.main.expander if one.label.startswith(section.question)]
    notices = [str(one.value) for kind in ("info", "warning") for one in getattr(box, kind)]
    texts = [str(one.value) for one in box.markdown]
    # A form that waits for texts says what happens to them in a caption.
    assert notices or texts or box.caption, section.word
    assert len(notices) <= 1, (section.word, notices)
    for text in (*notices, *texts):
        assert not ODD.search(text), text


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("ties", "davidson", "Here ties count as half a win or are left out: “Ties: modelled (Davidson)” is for rankings"),
        ("cluster", "annotator", "“Intervals by: annotator”: these judgments name no annotators"),
        ("position", "true", "“Position term”: this file does not record"),
    ],
)
def test_sections_speak_of_their_controls(store: Store, monkeypatch: pytest.MonkeyPatch, option, value, said) -> None:
    monkeypatch.setenv("JURYLENS_DB", str(store.path))
    app = AppTest.from_file(str(Path(cli.__file__).parent / "app.py"), default_timeout=60)
    app.switch_page("pages/rankings.py")
    app.query_params["dataset"] = "one prompt"
    app.query_params["length_controlled"] = "true"
    app.query_params[option] = value
    app.query_params["open"] = [section.word for section in RANKINGS]
    app.run()
    assert not app.exception
    boxes = [box for box in app.main.expander if box.label in {section.question for section in RANKINGS}]
    told = [str(one.value) for box in boxes for kind in ("info", "warning", "markdown") for one in getattr(box, kind)]
    assert any(said in text.replace("\\", "") for text in told), told
    assert not any("--" in text for text in told), told


def test_a_section_that_is_shut_computes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    from ui import session

    asked: list[str] = []
    answer = session._answer

    def counted(study, *resolved):
        asked.append(study.command)
        return answer(study, *resolved)

    monkeypatch.setattr(session, "_answer", counted)
    monkeypatch.setenv("JURYLENS_DB", str(store.path))
    questions = {section.question for section in RANKINGS}
    for words, wanted in (([], []), (["places"], ["places"]), (["ties", "fit"], ["tie-policies", "fit-check"])):
        asked.clear()
        app = AppTest.from_file(str(Path(cli.__file__).parent / "app.py"), default_timeout=60)
        app.switch_page("pages/rankings.py")
        app.query_params["dataset"] = "usual"
        app.query_params["open"] = words
        app.run()
        assert not app.exception
        assert list(dict.fromkeys(asked)) == ["compare", *wanted]
        boxes = [one for one in app.main.expander if one.label in questions]
        assert len(boxes) == len(RANKINGS)
        assert sum(bool(one.children) for one in boxes) == len(wanted)


def test_models_without_a_strength_lead_to_what_should_be_judged_next(store: Store, monkeypatch) -> None:
    monkeypatch.setenv("JURYLENS_DB", str(store.path))
    app = AppTest.from_file(str(Path(cli.__file__).parent / "app.py"), default_timeout=60)
    app.switch_page("pages/rankings.py")
    app.query_params["dataset"] = "wins or loses all"
    app.run()
    app.button(key="plan").click().run()
    assert not app.exception
    assert app.session_state["words"]["open"] == ["ask_next"]
    [box] = [one for one in app.main.expander if one.label == "What should be judged next?"]
    assert any("to give 2 models a strength at all" in one.value for one in box.markdown)
