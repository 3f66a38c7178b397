"""Is the report whole, true, safe to open and readable by all, and does it say why where something has no answer?"""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import wild
from bad_datasets import ring, rows
from browser_app import LONG, cli, ready
from playwright.sync_api import expect

import studies  # noqa: F401  (registers the studies)
from data.imports import import_path
from data.store import Store
from errors import DrawingError, OptionError
from exports import report, report_page
from exports.report import MOST_JUDGES, Report, Story
from studies import simulate
from studies.rank import Rank

DRAWN = '<svg class="main-svg" xmlns="http://www.w3.org/2000/svg" role="img"><title>a drawing</title>' \
        '<style>@font-face{}</style><g id="clip" clip-path="url(#clip)"></g></svg>'  # fmt: skip
HOSTILE = '<script>alert(1)</script><img src="http://elsewhere/x.png" onerror="x()"> ![i](http://elsewhere/y.png) </p>'


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("report")
    store = Store(folder / "s.duckdb", linger=600)
    simulate.add_simulated(store, "simulated", judgments=1_500, models=6, scenarios=3, factors=3, prompts=60)
    wild.add(store, folder, "wild", prompts=10, pairs=4)
    for name, judges, more in (
        ("hostile", ("people", "gpt"), {}), ("alone", ("gpt",), {}), ("no people", ("gpt", "owl"), {}),
        ("many", ("people", *(f"j{k}" for k in range(8))), {}),
    ):  # fmt: skip
        listed = rows(ring(("m1", "m2", "m3")), prompts=6, judges=judges, **more)
        if name == "hostile":
            listed = [row | {"response_a": HOSTILE + row["response_a"], "prompt": row["prompt"] + HOSTILE} for row in listed]
        path = folder / f"{name}.csv"
        pd.DataFrame(listed).to_csv(path, index=False)
        import_path(store, path, name)
    return store


@pytest.fixture(scope="module")
def told(store: Store) -> Story:
    return report.story(Report(dataset="simulated"), store)


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures without a Chromium: what is drawn is tested elsewhere."""
    monkeypatch.setattr(report_page.figures, "rendered", lambda *_, **__: {"svg": DRAWN.encode()})


def page(story: Story) -> str:
    return report_page.html(story, made=date(2026, 1, 2))


class Seen(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def of(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


def test_each_section_opens_with_its_finding_and_the_numbers_are_the_studies(told: Story, store: Store) -> None:
    assert [s.key for s in told.sections] == ["data", "order", "reasons", "scenarios", "fitness", "disagreement", "biases", "examples"]
    assert all(s.finding for s in told.sections), [s.key for s in told.sections if not s.finding]
    assert (told.reference, told.simulated) == ("people", True)
    order = told.sections[1]
    rank = next(r for r in order.results if r.study.command == "rank")
    again = Rank(dataset="simulated", judge=rank.study.judge).run(store)
    pd.testing.assert_frame_equal(rank.table(), again.table())
    table = order.tables[0]
    first = again.table().query("judge == 'people'").iloc[0]
    assert table.columns[0][1][0] == first["model"]
    assert [heading for heading, _, _ in table.columns] == ["model", *rank.study.judge]
    assert told.fingerprint == again.fingerprint
    assert {m.title for m in told.methods} >= {"Rankings", "How is each judge biased?"}
    assert "bradley1952" in told.sources
    assert told.command == "python cli.py report --dataset simulated --to report.html"


def test_the_page_is_self_contained_and_accessible(told: Story, undrawn: None) -> None:
    text = page(told)
    seen = Seen(text)
    assert not seen.of("script", "img", "iframe", "object", "embed", "link", "base", "form")
    assert all((a.get("href") or "").startswith("#") for a in seen.of("a"))
    assert "default-src 'none'" in text
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", text)
    anchors = {str(a["id"]) for _, a in seen.tags if "id" in a}
    assert len(anchors) == sum("id" in a for _, a in seen.tags), "each id once, those in drawings too"
    assert {str(a["href"])[1:] for a in seen.of("a")} <= anchors
    assert [tag for tag, _ in seen.tags].count("h1") == 1
    assert all("scope" in a for a in seen.of("th"))
    assert len(seen.of("caption")) == len(seen.of("table")) > 3
    assert seen.of("html")[0]["lang"] == "en"
    assert text.count("<title>a drawing</title>") == sum(len(s.figures) for s in told.sections) > 5
    assert "url(#f0-clip)" in text
    assert 'id="f0-clip"' in text
    assert "simulated" in seen.text
    assert told.fingerprint in seen.text
    assert "Made by Jurylens on 2026-01-02" in seen.text
    assert page(told) == text


def test_texts_of_the_data_stay_texts(store: Store, undrawn: None) -> None:
    story = report.story(Report(dataset="hostile"), store)
    shown = next(s for s in story.sections if s.key == "examples")
    assert shown.examples
    text = page(story)
    seen = Seen(text)
    assert not seen.of("script", "img")
    assert not any(key.startswith("on") for _, attributes in seen.tags for key in attributes)
    assert "<script>alert(1)</script>" in seen.text
    assert "![i](http://elsewhere/y.png)" in seen.text


def test_names_that_are_hard_to_print_stand_as_they_are(store: Store, undrawn: None) -> None:
    seen = Seen(page(report.story(Report(dataset="wild"), store)))
    for name in (wild.LLM, wild.SCORER):
        assert name in seen.text
    assert not seen.of("img", "script")


def test_where_nobody_is_compared_judges_are_told_of_alone(store: Store, undrawn: None) -> None:
    for dataset in ("alone", "no people"):
        story = report.story(Report(dataset=dataset), store)
        assert story.reference is None
        assert {s.key for s in story.sections} == {"data", "order", "biases"}
        assert "none: each judge is told of alone" in Seen(page(story)).text
    chosen = report.story(Report(dataset="no people", judge=("owl", "gpt")), store)
    assert chosen.reference == "owl"


def test_a_study_that_refuses_says_why_in_a_line(store: Store, undrawn: None) -> None:
    story = report.story(Report(dataset="many"), store)
    refused = {s.key: s.refused for s in story.sections}
    assert any("have not been measured yet" in line for line in refused["reasons"])
    assert any("no pair has two votes of people" in line for line in refused["disagreement"])
    assert "Not answered here: the" in Seen(page(story)).text
    assert len(story.others) == MOST_JUDGES - 1
    assert story.said == ("This report tells of 6 of 9 judges, those with most judgments; others can be chosen.",)


def test_choices_that_a_study_cannot_take_are_said(store: Store, told: Story, undrawn: None) -> None:
    assert all(not method.instead for method in told.methods)
    assert not any("was asked for" in one.text for one in told.remarks)
    story = report.story(Report(dataset="simulated", ties="davidson", cluster="annotator"), store)
    by_title = {method.title: method for method in story.methods}
    half = "“ties modelled after Davidson” was asked for, which this cannot take; here it is: ties count half."
    auto = "“intervals by annotator” was asked for, which this cannot take; here it is: by prompt from 10 prompts on, else by pair."
    agreement = by_title["How often do judges agree with people?"]
    assert agreement.instead == (half, auto)
    assert "davidson" not in agreement.command
    assert "annotator" not in agreement.command
    assert by_title["Rankings"].instead == ()
    [ties, clusters] = [one for one in story.remarks if "was asked for" in one.text]
    assert "“How often do judges agree with people?”" in ties.text
    assert "“Rankings”" not in ties.text
    assert (ties.severity, ties.where) == (1, "the report")
    assert clusters.text.endswith("have instead: by prompt from 10 prompts on, else by pair")
    seen = Seen(page(story)).text
    assert half in seen
    assert auto in seen


def test_an_audit_that_cannot_leave_ties_out_is_asked_with_its_default(store: Store) -> None:
    story = report.story(Report(dataset="simulated", ties="drop"), store)
    [one] = [one for one in story.remarks if "was asked for" in one.text]
    assert one.text.startswith("“ties left out” was asked for; “")
    assert one.text.endswith("cannot take that, and has instead: ties count half")
    assert next(section for section in story.sections if section.key == "biases").finding


def test_remarks_stand_by_severity_each_once(told: Story) -> None:
    grades = [one.severity for one in told.remarks]
    assert grades == sorted(grades, reverse=True)
    assert len({one.text for one in told.remarks}) == len(told.remarks)


def test_without_a_chromium_the_page_says_so_and_a_pdf_is_refused(told: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> dict[str, bytes]:
        raise DrawingError("figures are drawn by Chromium, and none is found")

    monkeypatch.setattr(report_page.figures, "rendered", nobody)
    text = page(told)
    assert "This figure is not drawn: figures are drawn by Chromium" in text
    assert "Strengths, with intervals" in text
    monkeypatch.setattr(report_page, "printer", lambda: None)
    with pytest.raises(DrawingError, match="as HTML the report needs none"):
        report_page.pdf(text)


def test_the_command_writes_the_file_it_is_told(store: Store, tmp_path: Path, undrawn: None) -> None:
    said = cli(store.path, "report", "--dataset", "hostile", "--to", str(tmp_path / "new" / "r.html"))
    assert said["files"] == [str(tmp_path / "new" / "r.html")]
    assert "<h1>" in (tmp_path / "new" / "r.html").read_text(encoding="utf-8")
    with pytest.raises(OptionError, match=r"a file that ends with \.html or \.pdf"):
        report_page.ending(tmp_path / "r.doc")
    with pytest.raises(AssertionError, match="no judge in dataset 'hostile' is called 'x'"):
        cli(store.path, "report", "--dataset", "hostile", "--judge", "x", "--to", str(tmp_path / "r.html"))
    assert not (tmp_path / "r.html").exists()


@pytest.mark.browser
def test_the_page_makes_previews_and_hands_out_the_report(app, page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{app.url}/report?dataset=awkward")
    ready(page)
    page.get_by_role("button", name="Make the report").click()
    inside = page.frame_locator("iframe").first
    expect(inside.locator("h1")).to_be_visible(timeout=4 * LONG)
    ready(page)
    expect(inside.locator("figure svg").first).to_be_visible()
    assert inside.locator("#references, #sources").count() == 1
    with page.expect_download(timeout=4 * LONG) as taken:
        page.get_by_role("button", name="Download PDF").click()
    assert taken.value.suggested_filename == "report-awkward.pdf"
    assert Path(taken.value.path()).read_bytes().startswith(b"%PDF")
    assert all(url.startswith((app.url, "data:", "blob:", app.url.replace("http", "ws"))) for url in asked), asked


def test_biases_are_held_against_the_reference_that_was_chosen(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb", linger=600)
    listed = rows(ring(("m1", "m2", "m3")), prompts=30, judges=("Ann", "Ben", "gpt"))
    listed = [row | {"judge_kind": "llm" if row["judge"] == "gpt" else "human"} for row in listed]
    pd.DataFrame(listed).to_csv(tmp_path / "two.csv", index=False)
    import_path(store, tmp_path / "two.csv", "two people")
    story = report.story(Report(dataset="two people", judge=("Ben", "gpt")), store)
    (said,) = [one for one in story.methods if one.command.startswith("python cli.py audit")]
    assert "--reference Ben" in said.command
    assert "held against Ben" in said.caption
    (biases,) = [one for one in story.sections if one.key == "biases"]
    assert set(biases.results[0].table("biases")["judge"]) == {"gpt"}


def test_remarks_are_for_somebody_without_the_commands() -> None:
    said = report._for_readers("'code_blocks' is left out; which are its own (table own_models): say it once for all (cli.py datasets own)")
    assert said == "Code blocks is left out; which are its own"


def test_pairs_on_which_one_of_several_judges_parts_are_not_said_to_part_all(told: Story, store: Store) -> None:
    (several,) = [one for one in told.sections if one.key == "examples"]
    assert "people and one of the judges chose opposite sides" in several.finding
    first = told.others[0]
    alone = report.story(Report(dataset="simulated", judge=("people", first)), store)
    (one,) = [section for section in alone.sections if section.key == "examples"]
    assert f"people and {first} chose" in one.finding.replace("\\", "")


def test_what_a_figure_draws_as_beyond_noise_is_marked_in_the_table_too(told: Story) -> None:
    (reasons,) = [one for one in told.sections if one.key == "reasons"]
    (result,) = reasons.results
    (table,) = [one for one in reasons.tables if one.caption.startswith("Judge minus reference")]
    for judge, cells, _ in table.columns[1:]:
        gaps = result.table("gaps").loc[lambda rows, judge=judge: rows["judge"] == judge]
        sure = gaps["scaled_q"].fillna(gaps["scaled_p"]).lt(0.05)
        assert gaps["factor"].eq("first_position").any(), "the position, which has no q"
        assert sum(cell.endswith("*") for cell in cells) == int(sure.sum())
    assert "of what is shown first p < .05" in table.caption
    assert [bool(one.caption) for one in reasons.figures] == [False] * (len(reasons.figures) - 1) + [True]
