"""Does the page Judges show the audit of one judge and of all, and do its numbers lead to the pairs they count?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from test_audit import stored, world

import cli
from data.store import Store
from studies.audit import Audit
from studies.examples import Examples
from ui.audit import _behind, _named

Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("page") / "d", world(pairs=60))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Open:
    def at(store: Store, **words: str) -> AppTest:
        monkeypatch.setenv("JURYLENS_DB", str(store.path))
        app = AppTest.from_file(str(Path(cli.__file__).parent / "app.py"), default_timeout=60)
        app.switch_page("pages/judges.py")
        for name, value in words.items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        return app

    return at


def said(app: AppTest) -> str:
    return " ".join(one.value for one in app.main.markdown).replace("\\", "")


def test_one_judge_then_all(store: Store, opened: Open) -> None:
    app = opened(store, audit_of="gpt-biased")
    text = said(app)
    assert "gpt-biased leans towards the first place (" in text
    assert "its own models (" in text
    assert "Its own models" in text
    labels = [one.label for one in app.main.expander]
    assert any(label.startswith("Circumstances") for label in labels)
    assert any(label.startswith("What these data cannot show (") for label in labels)
    # Whoever says what is right is none of those looked at.
    [box] = [one for one in app.main.selectbox if one.label == "Judge"]
    assert box.options == ["fair", "gpt-biased"]
    everybody = said(opened(store, audit_show="all"))
    assert "Of 2 judges, 1 is flagged: 1 on " in everybody
    assert "The largest: gpt-biased towards the first place (" in everybody


def test_a_judge_alone_and_people_alone(tmp_path: Path, opened: Open) -> None:
    rows = [{"prompt": f"p{k}", "response_a": f"x{k}", "response_b": f"y{k}", "judge": "robot", "swapped": k % 2 == 1,
             "winner": "a"} for k in range(20)]  # fmt: skip
    alone = opened(stored(tmp_path / "robot", pd.DataFrame(rows)))
    assert "robot is flagged on none of 1 tested bias." in said(alone)
    people = opened(stored(tmp_path / "people", pd.DataFrame(rows).assign(judge="people")))
    assert "How is it biased?" not in [one.value for one in people.main.subheader]


def test_each_row_leads_to_the_pairs_that_it_counts(store: Store) -> None:
    result = Audit(dataset="d").run(store)
    table = _named(result.table("biases"))
    n = {}
    for row in table[table["judge"] == "gpt-biased"].to_dict("records"):
        behind = _behind(result, row)
        assert behind is not None
        study, dropped = Examples.from_parameters({"dataset": ["d"], **behind.words()})
        assert not dropped
        if row["bias"] != "Refused or invalid":
            n[row["bias"]] = study.run(store).values["pairs"]
    assert n["First position"] == n["Bandwagon"] == n["Robustness: bandwagon"] == n["Accuracy"] == 60


def test_where_one_judge_is_chosen_of_several_the_others_are_named(store: Store, opened: Open) -> None:
    with store.reading("looking for names") as con:
        first, *others = [name for (name,) in con.execute("SELECT name FROM judge ORDER BY name").fetchall()]
    app = opened(store, judge=first)
    [told] = [one.value.replace("\\", "") for one in app.main.info if "Choose another judge" in one.value]
    assert told.startswith(f"Only {first} is chosen.")
    assert all(other in told for other in others)
    assert "Which judges resemble which?" not in [one.value for one in app.main.subheader]
