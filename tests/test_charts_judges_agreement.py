"""Agreement against people's own, verdict by verdict, by parts and judges, and the test of annotators: drawn and said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from canvas import draw
from streamlit.testing.v1 import AppTest
from toy import spaced

import cli
from charts import agreement_parts as looks
from charts.alt_test import alt_test_chart
from charts.ceiling import ALONE, MAJORITY, VOTES, ceiling_chart
from charts.colour import channels, contrast
from charts.confusion import confusion_chart
from charts.judge_rows import judge_rows_chart
from charts.rows import WIDTH
from charts.stand_in import stand_in_chart
from charts.theme import DARK, LIGHT, PRINT, Theme, marks
from data.imports import import_path
from data.store import Store
from studies.overview import agreement_line
from ui import agreement_parts as views
from ui.sections import alt_test, with_people

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda one: one.name)
NARROW = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])


def ended(value: float | None, half: float = 0.04) -> tuple[float | None, float | None, float | None]:
    return (value, None, None) if value is None else (value, value - half, value + half)


def judges(shares: dict[str, float], people: float | None = 0.7) -> pd.DataFrame:
    """`agreement`'s table `judges`: with ties all shares are .2 lower."""
    rows = []
    for judge, share in shares.items():
        row: dict[str, object] = {"judge": judge, "pairs": 300, "prompts": 60, "comparisons": 900,
                                  "comparisons_no_ties": 600, "no_majority": None, "clustering": "prompt"}  # fmt: skip
        for ending, less in (("", 0.2), ("_no_ties", 0.0)):
            for name, value in (("agreement", share - less), ("people", people and people - less),
                                ("against_others", people and share + 0.1 - less),
                                ("ceiling", people and people + 0.1 - less), ("advantage", people and share - people)):  # fmt: skip
                row |= dict(zip((f"{name}{ending}", f"{name}{ending}_lower", f"{name}{ending}_upper"), ended(value),
                                strict=True))  # fmt: skip
        rows.append(row)
    table = pd.DataFrame(rows)
    numbers = [name for name in table.columns if name.startswith(("agreement", "people", "against", "ceiling", "adv"))]
    return table.assign(**{name: pd.array(table[name].tolist(), dtype="Float64") for name in numbers})


THREE = {"gpt-3": 0.6, "gpt-4": 0.66, "owl": 0.72}


def said(figure: go.Figure) -> str:
    return " ".join(str(a.text) for a in figure.layout.annotations).replace("<br>", " ")


def drawn_marks(figure: go.Figure) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.mode == "markers" and trace.customdata is not None]


def bands(figure: go.Figure, theme: Theme) -> list[tuple[float, float, float, float]]:
    return [(s.x0, s.x1, s.y0, s.y1) for s in figure.layout.shapes if s.type == "rect" and s.fillcolor == theme.people]


# --- against people's own ---------------------------------------------------------------------------------------------


@THEMES
@NARROW
def test_the_best_judge_first_over_one_band(theme: Theme, narrow: bool) -> None:
    against = VOTES.ties(True)
    figure = ceiling_chart(judges(THREE), "crowd", against, theme, focus="gpt-4", narrow=narrow)
    assert [label.replace("<b>", "").replace("</b>", "") for label in figure.layout.yaxis.ticktext] == ["owl", "gpt-4", "gpt-3"]
    assert figure.layout.yaxis.ticktext[1] == "<b>gpt-4</b>"
    assert [trace.x[0] for trace in drawn_marks(figure)] == pytest.approx([72, 66, 60])
    if theme.band is None:
        assert bands(figure, theme) == []
        dotted = [s for s in figure.layout.shapes if s.line.dash == "dot"]
        assert sorted({s.x0 for s in dotted}) == pytest.approx([66, 74])
    else:
        assert bands(figure, theme) == [pytest.approx((66, 74, -0.5, 2.5))]
    assert "crowd with one another 70 %" in said(figure)
    assert figure.layout.meta["alt"].endswith("owl 72 %, gpt-4 66 % and gpt-3 60 %; crowd with one another 70 %.")


def test_each_judge_keeps_its_mark_and_its_own_band() -> None:
    table = judges(THREE)
    table.loc[1, ["people_no_ties", "people_no_ties_lower", "people_no_ties_upper"]] = [0.75, 0.7, 0.8]
    figure = ceiling_chart(table, "crowd", VOTES.ties(True), LIGHT)
    wanted = marks(["gpt-3", "gpt-4", "owl"], (), LIGHT)
    assert [trace.marker.symbol for trace in drawn_marks(figure)] == [wanted[j].symbol for j in ("owl", "gpt-4", "gpt-3")]
    assert bands(figure, LIGHT) == [pytest.approx(one) for one in ((66, 74, -0.5, 0.5), (70, 80, 0.5, 1.5), (66, 74, 1.5, 2.5))]


def test_ties_and_majorities_are_other_columns() -> None:
    table = judges(THREE)
    with_ties = ceiling_chart(table, "crowd", VOTES.ties(False), LIGHT)
    assert [trace.x[0] for trace in drawn_marks(with_ties)] == pytest.approx([52, 46, 40])
    assert "ties left out" not in str(with_ties.layout.xaxis.title.text)
    others = ceiling_chart(table, "crowd", MAJORITY.ties(True), LIGHT)
    assert [trace.x[0] for trace in drawn_marks(others)] == pytest.approx([82, 76, 70])
    assert bands(others, LIGHT)[0][:2] == pytest.approx((76, 84))
    assert "a vote left out 80 %" in said(others)


def test_of_many_judges_the_first_and_the_one_that_is_looked_at() -> None:
    many = {f"judge-{k:02d}": 0.5 + k / 200 for k in range(65)}
    figure = ceiling_chart(judges(many), "crowd", VOTES.ties(True), LIGHT, focus="judge-03", most=15)
    assert len(figure.layout.yaxis.ticktext) == 16
    assert figure.layout.yaxis.ticktext[-1] == "<b>judge-03</b>"
    assert "The first 15 of 65 judges, and judge-03, in place 62." in said(figure)
    every = ceiling_chart(judges(many), "crowd", VOTES.ties(True), LIGHT, focus="judge-03", most=65)
    assert len(every.layout.yaxis.ticktext) == 65
    assert "The first" not in said(every)
    assert "judge-03" not in said(ceiling_chart(judges(many), "crowd", VOTES.ties(True), LIGHT, focus="judge-60", most=15))


def test_without_other_votes_there_is_no_band() -> None:
    alone = judges(THREE, people=None)
    figure = ceiling_chart(alone, "expert", VOTES.ties(True), LIGHT)
    assert bands(figure, LIGHT) == []
    assert "No band: expert gave one vote a pair." in said(figure)
    assert "No judge has a verdict" in ceiling_chart(alone, "expert", MAJORITY, LIGHT).layout.meta["alt"]
    assert len(drawn_marks(ceiling_chart(alone, "expert", ALONE.ties(False), LIGHT))) == 3


def test_the_finding_holds_a_judge_against_people() -> None:
    table = judges(THREE)
    assert spaced(with_people.finding(table, "gpt-4", VOTES.ties(True), "crowd")) == (
        r"**gpt\-4 agrees with crowd in 66 % \[62 %, 70 %\] of comparisons, crowd with one another in 70 % \[66 %, 74 %\]."
        r"** Of 3 judges owl agrees most (72 %), gpt\-3 least (60 %). 1 of the 3 reaches people's agreement with one another."
    )
    two = with_people.finding(judges(THREE, 0.72).head(2), "gpt-4", MAJORITY.ties(True), "crowd")
    assert spaced(two) == (
        r"**gpt\-4 agrees with the majority of the others in 76 % \[72 %, 80 %\] of comparisons, a vote left out in 82 % "
        r"\[78 %, 86 %\].** On the same comparisons these are −6\.0 \[−10\.0, −2\.0\] points apart."
    )
    alone = with_people.finding(judges({"**a** $x$": 0.5}, None), "**a** $x$", VOTES.ties(True), "<i>p</i>")
    assert "one another" not in alone
    assert r"\*\*a\*\* \$x\$ agrees with \<i\>p\</i\> in 50 %" in spaced(alone)


# --- verdict by verdict -------------------------------------------------------------------------------------------------

CELLS = {("a", "a"): 60, ("a", "b"): 30, ("a", "tie"): 10, ("b", "a"): 20, ("b", "b"): 80, ("b", "tie"): 0,
         ("tie", "a"): 25, ("tie", "b"): 25, ("tie", "tie"): 50}  # fmt: skip


def cells(counts: dict[tuple[str, str], int]) -> pd.DataFrame:
    of = {one: sum(n for (other, _), n in counts.items() if other == one) for one, _ in counts}
    whole = sum(counts.values())
    return pd.DataFrame([
        {"judge": "gpt-4", "reference_says": one, "judge_says": two, "comparisons": n, "share": n / whole if whole else None,
         "share_of_reference": n / of[one] if of[one] else None} for (one, two), n in counts.items()
    ])  # fmt: skip


@THEMES
@NARROW
def test_counts_and_shares_of_what_people_said(theme: Theme, narrow: bool) -> None:
    figure = confusion_chart(cells(CELLS), "crowd", "gpt-4", theme, narrow=narrow)
    heat, text = figure.data
    assert np.array(heat.z) == pytest.approx(np.array([[0.6, 0.3, 0.1], [0.2, 0.8, 0.0], [0.25, 0.25, 0.5]]))
    assert text.text[:3] == ("<b>60 %</b><br>60", "<b>30 %</b><br>30", "<b>10 %</b><br>10")
    assert heat.customdata[2][1] == ["tie", "b"]
    frames = [(round((s.x0 + s.x1) / 2), round((s.y0 + s.y1) / 2)) for s in figure.layout.shapes]
    assert frames == [(0, 0), (1, 1), (2, 2)]
    for share, ink in zip(np.ravel(heat.z), text.textfont.color, strict=True):
        low, high = channels(theme.second), channels(theme.people)
        assert contrast(channels(ink), low + share * (high - low)) >= 4.5


def test_labels_that_nobody_uses_have_no_place() -> None:
    figure = confusion_chart(cells({("a", "a"): 5, ("a", "tie"): 5, ("b", "b"): 4, ("tie", "tie"): 0}), "expert", "owl", LIGHT)
    assert np.shape(figure.data[0].z) == (2, 3)
    assert [(round((s.x0 + s.x1) / 2), round((s.y0 + s.y1) / 2)) for s in figure.layout.shapes] == [(0, 0), (1, 1)]
    assert "No verdict of owl" in confusion_chart(cells({("a", "a"): 0}), "expert", "owl", LIGHT).layout.meta["alt"]


def test_what_is_said_of_the_cells() -> None:
    assert spaced(views.confused(cells(CELLS), "people", "gpt-4")) == (
        r"**Of 200 comparisons in which people prefer an answer, gpt\-4 prefers the same in 70 %, the other in 25 % and "
        r"neither in 5 %.** gpt\-4 ties in 20 % of all 300, people in 33 %."
    )
    assert spaced(views.confused(cells({("a", "a"): 3, ("b", "a"): 1}), "gold", "owl")) == (
        "**Of 4 comparisons in which gold prefers an answer, owl prefers the same in 75 % and the other in 25 %.**"
    )
    assert "people say nothing but ties" in views.confused(cells({("tie", "a"): 3}), "people", "owl")


# --- parts --------------------------------------------------------------------------------------------------------------


def parts(thing: str, shares: dict[str, float], half: float = 0.04) -> pd.DataFrame:
    return pd.DataFrame([
        {"judge": "gpt-4", thing: name, "agreement": share, "lower": share - half, "upper": share + half,
         "comparisons": 100, "pairs": 40, "clusters": 20} for name, share in shares.items()
    ])  # fmt: skip


def test_scenarios_from_the_lowest_and_margins_as_they_are() -> None:
    table = parts("scenario", {"code": 0.7, "plan": 0.5})
    shown = looks.as_percent(table, looks.SCENARIOS)
    assert shown["scenario"].tolist() == ["plan", "code"]
    assert shown["agreement"].tolist() == pytest.approx([50, 70])
    margins = looks.as_percent(parts("margin", {"no majority": 0.5, "unanimous": 0.4}), looks.MARGINS)
    assert margins["margin"].tolist() == ["no majority", "unanimous"]
    figure = judge_rows_chart(shown, ("gpt-4",), LIGHT, looks.part_look(looks.SCENARIOS, "crowd", 0.6, True),
                              known=["gpt-3", "gpt-4"])  # fmt: skip
    assert list(figure.layout.yaxis.ticktext) == ["plan", "code"]
    assert "The line: over all comparisons, 60 %; ties left out." in said(figure)
    # The mark of the chart above, not that of a judge alone.
    assert figure.data[-1].marker.symbol == marks(["gpt-3", "gpt-4"], (), LIGHT)["gpt-4"].symbol != "square"


def test_periods_go_by_their_names() -> None:
    table = parts("start", {"2026-01-01": 0.6, "2026-02-02": 0.5, "2026-03-04": 0.5}).assign(
        end=["2026-01-31", "2026-02-08", "2026-03-04"]
    )
    assert looks.as_percent(table, looks.PERIODS)["period"].tolist() == ["2026-01", "2026-02-02 to 2026-02-08", "2026-03-04"]


def test_what_is_said_of_parts() -> None:
    apart = views.parted(parts("scenario", {"code": 0.7, "plan": 0.5}), looks.SCENARIOS, "gpt-4")
    assert spaced(apart) == r"**gpt\-4 agrees least in plan, 50 % \[46 %, 54 %\], and most in code, 70 % \[66 %, 74 %\].**"
    alike = views.parted(parts("scenario", {"code": 0.6, "plan": 0.5}, 0.2), looks.SCENARIOS, "gpt-4")
    assert alike.endswith("Their intervals overlap: that they differ is not shown.")
    margins = views.parted(parts("margin", {"no majority": 0.5, "more": 0.6, "unanimous": 0.8}), looks.MARGINS, "gpt-4")
    assert spaced(margins) == (
        r"**gpt\-4 agrees in 50 % \[46 %, 54 %\] where people have no majority, and in 80 % \[76 %, 84 %\] where they are "
        "unanimous.**"
    )


# --- against other judges -----------------------------------------------------------------------------------------------


def differences(values: dict[str, tuple[float, float]]) -> pd.DataFrame:
    """judge -> (difference, q)"""
    return pd.DataFrame([
        {"judge": judge, "against": "gpt-4", "difference": d, "difference_lower": d - 0.02, "difference_upper": d + 0.02,
         "p": q, "q": q, "difference_no_ties": -d, "difference_no_ties_lower": -d - 0.02,
         "difference_no_ties_upper": -d + 0.02, "p_no_ties": q, "q_no_ties": q, "pairs": 300}
        for judge, (d, q) in values.items()
    ])  # fmt: skip


def test_differences_are_filled_beyond_noise() -> None:
    table = differences({"owl": (0.05, 0.001), "gpt-3": (-0.01, 0.4)})
    figure = looks.difference_chart(table, "crowd", ["gpt-3", "gpt-4", "owl"], LIGHT)
    owl, three = drawn_marks(figure)
    assert [owl.x[0], three.x[0]] == pytest.approx([5, -1])
    assert (three.marker.color, three.marker.line.color) == (LIGHT.background, LIGHT.noise)
    assert owl.marker.color == marks(["gpt-3", "gpt-4", "owl"], (), LIGHT)["owl"].colour
    without = looks.difference_chart(table, "crowd", ["gpt-3", "gpt-4", "owl"], LIGHT, ties_left_out=True)
    assert [trace.x[0] for trace in drawn_marks(without)] == pytest.approx([1, -5])
    assert "No other judge" in looks.difference_chart(table.head(0), "crowd", [], LIGHT).layout.meta["alt"]


def test_what_is_said_of_differences() -> None:
    one = differences({"owl": (0.05, 0.001)})
    assert views.differing(one, "gpt-4", "crowd", False) == (
        r"**owl agrees with crowd more than gpt\-4 does, by 5\.0 \[3\.0, 7\.0\] percentage points, beyond noise**, on the 300 "
        "pairs that both have judged."
    )
    assert "less than" in views.differing(one, "gpt-4", "crowd", True)
    many = differences({"owl": (0.05, 0.001), "gpt-3": (-0.01, 0.4), "wren": (-0.1, 0.01)})
    assert views.differing(many, "gpt-4", "crowd", False) == (
        r"**Of 3 other judges 1 agrees with crowd more than gpt\-4 does, 1 less, beyond noise;** 1 cannot be told from it. "
        r"The most: owl, 5\.0 \[3\.0, 7\.0\] points."
    )


# --- the alternative-annotator test ---------------------------------------------------------------------------------------


def rated(rates: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame([
        {"judge": judge, "advantage_probability": 0.5 + rate / 2, "lower": 0.45 + rate / 2, "upper": 0.55 + rate / 2,
         "winning_rate": rate, "passed": rate >= 0.5, "won": round(10 * rate), "annotators": 10, "left_out": 2, "items": 200,
         "annotations": 900} for judge, rate in rates.items()
    ])  # fmt: skip


@THEMES
@NARROW
def test_judges_against_half_of_the_annotators(theme: Theme, narrow: bool) -> None:
    figure = alt_test_chart(rated({"owl": 0.8, "gpt": 0.3}), theme, focus="gpt", narrow=narrow)
    assert [label.replace("<br>", " ") for label in figure.layout.yaxis.ticktext] == ["✓ owl", "<b>✗ gpt</b>"]
    left, right = ([t.x[0] for t in drawn_marks(figure) if t.xaxis == axis] for axis in ("x", "x2"))
    assert (left, right) == (pytest.approx([90, 65]), pytest.approx([80, 30]))
    [half] = [s for s in figure.layout.shapes if s.line.dash == "dash"]
    assert (half.xref, half.x0) == ("x2", 50)
    hollow = [t.marker.color == theme.background for t in drawn_marks(figure) if t.xaxis == "x2"]
    assert hollow == [False, True]


def test_what_is_said_of_the_test() -> None:
    table = rated({"owl": 0.8, "gpt": 0.3})
    assert spaced(alt_test.finding(table, "gpt", 0.2)) == (
        r"**gpt does not pass: it wins 3 of 10 annotators, where half are needed, at an allowance of \.20.** On 65 % \[60 %, "
        r"70 %\] of their pairs it says what the other annotators say at least as well as the one left out. Of 2 judges 1 "
        "passes."
    )
    assert "Of 2 judges none passes." in alt_test.finding(rated({"a": 0.1, "b": 0.0}), "a", 0.2)
    assert "No judge could be tested" in alt_test_chart(table.head(0), LIGHT).layout.meta["alt"]


# --- the Overview ---------------------------------------------------------------------------------------------------------


def test_the_line_of_the_overview() -> None:
    assert spaced(agreement_line("crowd", judges({"gpt-4": 0.66, "gpt-3": 0.6}), True)) == (
        r"gpt\-4 agrees with crowd on 66 % \[62 %, 70 %\] of verdicts without ties, gpt\-3 on 60 % \[56 %, 64 %\], crowd with "
        r"one another on 70 % \[66 %, 74 %\]."
    )
    with_ties = agreement_line("crowd", judges({"gpt-4": 0.66}, None), False)
    assert spaced(with_ties) == r"gpt\-4 agrees with crowd on 46 % \[42 %, 50 %\] of verdicts."
    assert spaced(agreement_line("crowd", judges({f"j{k}": 0.6 for k in range(9)}), True)).count("60 %") == 3
    assert agreement_line("crowd", judges({"gpt-4": 0.6}).head(0), True) == ""


# --- in a browser -----------------------------------------------------------------------------------------------------------

NAMES = ["a-judge-with-a-very-long-name-that-never-ends-70B-instruct-v2", "模型一号非常长的名字在这里", "x", "<b>bold</b>", "m & m",
         "ß" * 40, "<script>alert(1)</script>"]  # fmt: skip


@pytest.mark.browser
@pytest.mark.every(2, "theme", "narrow", "shape")
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda one: one.name)
@NARROW
@pytest.mark.parametrize("shape", ["usual", "long names", "one judge", "high", "low"])
def test_nothing_overlaps(canvas, theme: Theme, narrow: bool, shape: str) -> None:
    names = {"usual": ["gpt-4", "gpt-3"], "long names": NAMES, "one judge": ["only"]}.get(shape, ["owl", "gpt"])
    level = {"high": 0.97, "low": 0.05}.get(shape, 0.6)
    people = {"high": 0.3, "low": 0.9}.get(shape, 0.7)
    shares = {name: level + k / 400 for k, name in enumerate(names)}
    reference = NAMES[0] if shape == "long names" else "crowd"
    table, held = judges(shares, people), names[-1]
    figures = [
        ceiling_chart(table, reference, against.ties(out), theme, focus=held, narrow=narrow)
        for against in (VOTES, MAJORITY) for out in (False, True)
    ]  # fmt: skip
    figures.append(confusion_chart(cells(CELLS), reference, held, theme, narrow=narrow))
    figures.append(looks.difference_chart(
        differences({name: (k / 100 - 0.02, 0.01) for k, name in enumerate(names)}), reference, names, theme, narrow=narrow
    ))  # fmt: skip
    figures.append(alt_test_chart(rated({name: k / 10 for k, name in enumerate(names)}), theme, focus=held, narrow=narrow))
    for figure in figures:
        assert draw(canvas, figure, WIDTH[narrow]) == []
    assert canvas.locator("script:text('alert(1)')").count() == 0


# --- the sections on the page -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two versions of a judge, the newer one ever worse; two scenarios and two criteria; people without ties."""
    rng = np.random.default_rng(3)
    rows = []
    for prompt in range(60):
        right = int(rng.integers(0, 2))
        about = {"prompt": f"p{prompt}", "pair_id": str(prompt), "scenario": ("code", "poem")[prompt % 2],
                 "response_a": f"one {prompt}", "response_b": f"two {prompt}"}  # fmt: skip
        for criterion in ("overall", "clarity"):
            for k in range(3):
                winner = "ab"[right if rng.random() < 0.85 else 1 - right]
                rows.append(about | {"judge": "people", "annotator": f"w{k}", "winner": winner, "criterion": criterion})
            for judge, skill in (("old", 0.9), ("new", 1 - prompt / 75)):
                winner = "tie" if judge == "new" and prompt % 7 == 0 else "ab"[right if rng.random() < skill else 1 - right]
                rows.append(about | {"judge": judge, "judge_kind": "llm", "winner": winner, "criterion": criterion,
                                     "judged_at": f"2026-0{1 + prompt // 20}-{1 + prompt % 20:02d}"})  # fmt: skip
    folder = tmp_path_factory.mktemp("held")
    pd.DataFrame(rows).to_csv(folder / "d.csv", index=False)
    found = Store(folder / "s.duckdb", linger=600)
    report = import_path(found, folder / "d.csv", "d")
    assert report.accepted == len(rows)
    return found


def opened(store: Store, monkeypatch: pytest.MonkeyPatch, file: str = "pages/judges.py", **more: str) -> AppTest:
    monkeypatch.setenv("JURYLENS_DB", str(store.path))
    app = AppTest.from_file(str(Path(cli.__file__).parent / "app.py"), default_timeout=60)
    app.switch_page(file)
    for name, value in {"dataset": "d", **more}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def section(app: AppTest, word: str):
    from ui.sections import JUDGES

    question = next(one.question for one in JUDGES if one.word == word)
    [box] = [one for one in app.main.expander if one.label == question]
    return box


def told(box) -> list[str]:
    return [str(one.value) for one in box.markdown]


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("", "comparisons in which people prefer an answer, new prefers the same in"),
        ("margins", "where they are unanimous"),
        ("scenarios", "new agrees least in "),
        ("criteria", "new agrees least in "),
        ("periods", "new's agreement falls"),
        ("differences", "old agrees with people more than new does"),
    ],
)
def test_each_view_says_what_it_draws(store: Store, monkeypatch: pytest.MonkeyPatch, view: str, said: str) -> None:
    words = {"people_view": view} if view else {}
    box = section(opened(store, monkeypatch, open="with_people", **words | {"with": "new"}), "with_people")
    texts = told(box)
    assert "new agrees with people in" in texts[0]
    assert "people with one another in" in texts[0]
    assert any(said in text for text in texts), texts
    assert [c.label for c in box.expander][-1].startswith("The same as a table")


def test_ties_that_only_judges_have_are_verdicts_not_given(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_comparisons(**more: str) -> str:
        box = section(opened(store, monkeypatch, open="with_people", **more | {"with": "new"}), "with_people")
        return str(box.caption[0].value)

    assert "180 comparisons" in of_comparisons()
    assert "a tie is a label of its own" in of_comparisons()
    # Nine of sixty pairs on which the new one ties, three votes each.
    assert "153 comparisons" in of_comparisons(people_ties="out")


def test_the_test_has_its_section_and_an_impossible_allowance_can_be_mended(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = section(opened(store, monkeypatch, open="alt_test"), "alt_test")
    assert "of 3 annotators" in told(box)[0]
    assert [one.label for one in box.number_input] == ["Allowance for cost"]
    odd = section(opened(store, monkeypatch, open="alt_test", epsilon="1.5"), "alt_test")
    assert len(odd.warning) == 1
    assert odd.number_input[0].value == 1.5


def test_the_overview_says_it_and_links_to_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(store, monkeypatch, "pages/overview.py")
    texts = [str(one.value) for one in app.main.markdown]
    [line] = [text for text in texts if "agrees with people on" in text]
    assert "people with one another on" in line
    # Without models nothing else says anything: it is the finding.
    assert line.startswith("**")
    alone = opened(store, monkeypatch, "pages/overview.py", judge="old")
    assert not any("agrees with" in str(one.value) for one in alone.main.markdown)


def test_a_judge_on_one_pair_has_no_interval_and_is_drawn() -> None:
    table = pd.DataFrame([{
        "judge": "gpt", "verdict": "undecided", "advantage": 0.0, "lower": None, "upper": None, "agreement": 1.0,
        "ceiling": 1.0, "pairs": 1, "comparisons": 2,
    }]).astype(object)  # fmt: skip
    figure = stand_in_chart(table, 0.05, LIGHT, humans=("Ben",))
    assert ">.0 points<" in figure.data[-1].hovertext[0], "without brackets"
