"""Do the pages say what the command line says, and does each page answer on a dataset as awkward as they come?"""

import csv
import io
import re
import shlex

import pytest
import toy_asked
from browser_app import LONG, cli, ready
from playwright.sync_api import expect

import studies  # noqa: F401  (registers the studies)
from charts import words
from data.model import silent
from scripts.look import complaints
from studies.study import REGISTRY, Study
from ui.navigation import SCREENS

pytestmark = pytest.mark.browser

SUMS = 1e-9
"""DuckDB's threads add rows up in no fixed order, so the last digits of two runs may differ."""

SELECTION = {"dataset": ["sample"], "judge": ["people", "magpie-judge"], "ties": ["drop"]}

ASKED = {"dataset": ["asked"], "judge": ["people", "owl"]}

# Where the sample has nothing to say: what is chosen instead.
OTHERWISE = {
    # Whatever is said of ties, an audit counts them as they are.
    "audit": {"ties": ["half"]},
    "criteria": ASKED,
    "reward-models": ASKED | {"judge": ["people", "owl", "scorer-s", "scorer-m", "scorer-l"]},
}

# Where the menu of a study's figure is: address, words of that page, key of the menu, table.
PLACES = {
    "rank": ("rankings", "show=alone&alone=magpie-judge", "ranking", "ranking"),
    "compare": ("rankings", "show=slope", "slope", "models"),
    "reliability": ("rankings", "open=agreement", "agreement", "agreement"),
    "places": ("rankings", "open=places&places_of=magpie-judge", "places", "places"),
    "winrate": ("rankings", "open=winrate&winrate_of=magpie-judge", "winrate", "winrates"),
    "factors trust": ("factors", "open=trust", "held-out", "held_out"),
    "stand-in": ("judges", "", "stand-in", "judges"),
    "audit": ("judges", "", "audit", "biases"),
    "disagreement": ("judges", "", "disagreement", "parts"),
    "calibration": ("judges", "open=calibrated", "calibration", "judges"),
    "shares": ("judges", "open=kept_shares", "shares", "judges"),
    "similarity": ("judges", "", "similarity", "pairs"),
    "examples": ("examples", "", "examples", "examples"),
    "datasets health": ("data", "", "health", "health"),
    "datasets coverage": ("", "", "coverage", "coverage"),
    "control": ("rankings", "open=controls&controls_of=magpie-judge", "controls", "models"),
    "factors list": ("rankings", "open=controls", "factors", "factors"),
    "correct": ("rankings", "open=correct", "correct", "models"),
    "fit-check": ("rankings", "open=fit&fit_of=magpie-judge", "fit", "pairs"),
    "judge-again": ("judges", "open=judge_again&purpose=order", "judge_again", "plan"),
    "next-pairs": ("rankings", "open=ask_next&next_of=magpie-judge", "next", "next"),
    "scenario-matrix": ("scenarios", "", "scenario-matrix", "figures"),
    "scenario-agreement": ("scenarios", "show=agreement", "scenario-agreement", "scenarios"),
    "scenario-orders": ("scenarios", "open=orders_by_scenario", "orders", "scenarios"),
    "scenarios": ("rankings", "open=scenarios&scenarios_of=magpie-judge", "scenarios", "scenarios"),
    "factors explain": ("factors", "open=one_pair", "one_pair", "contributions"),
    "factors gap": ("factors", "", "factor-gaps", "gaps"),
    "factors fit": ("factors", "", "factor-weights", "factors"),
    "factors table": ("factors", "", "factor-gaps", "rows"),
    "factors decided": ("factors", "open=decided", "decided", "pairs"),
    "factors scenarios": ("factors", "open=by_scenario", "by-scenario", "gaps"),
    "factors variants": ("factors", "open=otherwise", "otherwise", "gaps"),
    "factors bayes": ("factors", "open=bayes", "bayes", "factors"),
    "factors strength": ("factors", "open=strength", "strength", "strengths"),
    "factors tau": ("factors", "open=tau", "tau", "taus"),
    "factors groups": ("factors", "open=groups&group_by=scenario", "groups", "weights"),
    "factors hierarchical": ("factors", "open=hierarchical", "hierarchical", "weights"),
    "factors pooled": ("factors", "open=pooled", "pooled", "weights"),
    "factors matrix": ("scenarios", "open=weight_matrix", "weight-matrix", "weights"),
    "factors labels": ("factors", "open=labels&numbers=auto", "labels", "labels"),
    "factors cpm": ("factors", "open=cpm", "cpm", "weights"),
    "factors lasso": ("factors", "open=lasso", "lasso", "lasso"),
    "factors properties": ("factors", "open=properties", "properties", "properties"),
    "factors sheet": ("factors", "open=properties", "properties", "sheet"),
    "factors amce": ("factors", "open=amce", "amce", "amce"),
    "tie-policies": ("rankings", "open=ties", "ties", "policies"),
    "criteria": ("judges", "open=criteria", "criteria", "weights"),
    "reward-models": ("judges", "open=reward_models", "reward-models", "judges"),
    "agreement": ("judges", "open=with_people", "with-people", "judges"),
    "alt-test": ("judges", "open=alt_test", "alt-test", "judges"),
}


# Of a study that is no figure the menu of another one has the data alone.
BUTTONS = {"factors table": "Rows of the fit as CSV", "factors sheet": "Annotation sheet as CSV"}


def test_every_study_is_on_a_page():
    shown = {command for screen in SCREENS for command in screen.studies}
    assert shown == set(REGISTRY) == set(PLACES)


def selected(command: str) -> dict[str, list[str]]:
    """What is chosen on the page; the weights of one judge are shown where nobody is compared."""
    return SELECTION | OTHERWISE.get(command, {}) | ({"judge": ["magpie-judge"]} if command == "factors fit" else {})


AT_ONCE = 8
"""Menus that are looked for on a page opened once."""


def view(command: str) -> tuple[object, ...]:
    """What must be the same for two menus to stand on one page."""
    path, more = PLACES[command][:2]
    chosen = selected(command)
    return path, chosen["dataset"], sorted(chosen["judge"]), [word for word in more.split("&") if word.startswith("show=")]


def address(command: str) -> str:
    """Where the menu of a command stands, beside those of some others."""
    alike = sorted(name for name in PLACES if view(name) == view(command))
    start = alike.index(command) // AT_ONCE * AT_ONCE
    given = [f"{k}={v}" for k, values in selected(command).items() for v in values]
    more = [word for name in alike[start : start + AT_ONCE] for word in PLACES[name][1].split("&") if word]
    return f"{PLACES[command][0]}?" + "&".join(dict.fromkeys([*given, *more]))


@pytest.fixture(scope="module", autouse=True)
def asked(app, tmp_path_factory):
    """A dataset of several criteria and of scores in the app's store, as long as these tests last."""
    cli(app.db, "import", str(toy_asked.write(tmp_path_factory.mktemp("asked") / "asked.csv")), "--dataset", "asked")
    yield
    cli(app.db, "datasets", "delete", "asked", "--yes")


@pytest.fixture(scope="module")
def opened(window, app):
    """Opens an address and waits for it; the one that is open already stays as it is."""
    page = window.context.new_page()
    there = []

    def at(address):
        if there != [address]:
            there.clear()
            page.goto(f"{app.url}/{address}")
            ready(page)
            there.append(address)
        elif page.get_by_test_id("stPopoverBody").count():
            # Left open by a test that failed.
            page.keyboard.press("Escape")
        return page

    yield at
    page.close()


@pytest.fixture
def run_once(monkeypatch):
    """The studies that were run; one that is asked again in other words answers as before."""
    answers = {}
    run = Study.run

    def once(self, store, progress=silent):
        study = self.resolve(store)
        if study not in answers:
            answers[study] = run(self, store, progress)
        return answers[study]

    monkeypatch.setattr(Study, "run", once)
    return answers


# Every second study in a run of the tests, all of them in the walks.
@pytest.mark.every(2, "command")
@pytest.mark.parametrize("command", sorted(PLACES, key=lambda name: (address(name), name)))
def test_the_page_and_the_command_line_give_the_same_numbers(opened, app, run_once, command):
    cls, (_, _, key, table) = REGISTRY[command], PLACES[command]
    fields = {f.name for f in cls.__dataclass_fields__.values()}
    chosen = {k: v for k, v in selected(command).items() if k in fields}
    if command in ("rank", "places", "control", "winrate", "fit-check", "next-pairs", "judge-again", "scenarios",
                   "factors hierarchical"):
        # These show one judge at a time.
        chosen["judge"] = ["magpie-judge"]
    options = [w for k, values in chosen.items() if k != "dataset" for v in values for w in (f"--{k}", v)]
    dataset = selected(command)["dataset"]
    given = dataset if command.startswith("datasets ") else ["--dataset", *dataset]
    expected = cli(app.db, *command.split(), *given, *options)

    page = opened(address(command))
    page.locator(f".st-key-menu-{key}").get_by_role("button").click()
    codes = page.get_by_test_id("stPopoverBody").get_by_test_id("stCode")
    expect(codes).to_have_count(2, timeout=LONG)
    shown = codes.all_inner_texts()
    if command not in BUTTONS:
        assert shown[0].strip() == expected["caption"]
    with page.expect_download() as download:
        page.get_by_role("button", name=BUTTONS.get(command, "Data as CSV")).click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("stPopoverBody")).to_have_count(0, timeout=LONG)
    assert len(rows) == len(expected[table]) > 0
    for row, wanted in zip(rows, map(unfolded, expected[table]), strict=True):
        _same(row, wanted)

    if command in BUTTONS:
        return
    # The command in the menu gives the same answer, most often because it asks the same.
    said = shlex.split(shown[1].replace("python cli.py", "").replace(f"--db {app.db}", ""))
    again = cli(app.db, *said)
    assert again["fingerprint"] == expected["fingerprint"]
    for one, other in zip(map(unfolded, again[table]), map(unfolded, expected[table]), strict=True):
        _same({k: str(v) for k, v in one.items()}, other)


def unfolded(row: dict[str, object]) -> dict[str, object]:
    """An object as a file has it: NAME, NAME_lower and NAME_upper of {value, lower, upper}."""
    out: dict[str, object] = {}
    for name, value in row.items():
        ends = value if isinstance(value, dict) else {"value": value}
        out |= {name if end == "value" else f"{name}_{end}": number for end, number in ends.items()}
    return out


def _same(row: dict[str, str], wanted: dict[str, object]) -> None:
    """A row of a file against one of the JSON: the same cells, the same words, the same numbers."""
    row = {k: v for k, v in row.items() if v != ""}
    assert row.keys() == wanted.keys()
    for name, value in wanted.items():
        if isinstance(value, float):
            assert float(row[name]) == pytest.approx(value, rel=SUMS, abs=1e-12), name
        else:
            assert row[name] == str(value), name


def test_the_table_a_reader_sees_is_the_command_lines(page, app):
    expected = cli(app.db, "compare", "--dataset", "sample", "--judge", "people", "--judge", "magpie-judge")["models"]
    page.goto(app.url + "/rankings?dataset=sample&judge=people&judge=magpie-judge")
    ready(page)
    grid = page.get_by_test_id("stDataFrame").first
    grid.scroll_into_view_if_needed()
    cells = grid.locator("[role=gridcell]")
    width = 8
    expect(cells).to_have_count(width * len(expected), timeout=LONG)
    seen = cells.all_inner_texts()
    for k, row in enumerate(expected):
        # What a canvas paints cannot be read; assistive technology is given the number in full.
        model, *strengths, gap, gap_interval, net, net_interval, q = seen[k * width : (k + 1) * width]
        assert model == row["model"]
        assert gap_interval == words.interval(row["lower"], row["upper"])
        assert net_interval == words.interval(row["scaled_lower"], row["scaled_upper"])
        wanted = [row[c] for c in ("strength_ref", "strength_judge", "gap", "gap_scaled", "scaled_q")]
        assert [float(cell) for cell in (*strengths, gap, net, q)] == pytest.approx(wanted, rel=SUMS)


@pytest.mark.parametrize("screen", SCREENS, ids=lambda s: s.title)
def test_awkward_opens_on_every_page(page, app, screen):
    errors: list[str] = []
    heard = lambda error: errors.append(str(error))  # noqa: E731  (is taken off again)
    page.on("pageerror", heard)
    page.goto(f"{app.url}/{'' if screen.url == 'overview' else screen.url}?dataset=awkward")
    ready(page)
    text = page.get_by_test_id("stMain").inner_text()
    if screen.title in ("Overview", "Rankings"):
        assert re.search(r"names no models.*model_a and\s+model_b", text, re.DOTALL)
    elif screen.title == "Scenarios":
        assert "in any scenario than noise allows" in text or "Scenarios differ" in text or "cannot be told" in text
    elif screen.title == "Factors":
        assert re.search(r"are measured from the\s+texts", text)
    else:
        assert "awkward" in text
    # As wide as a desk, and then as a phone: the pages hold both drawings of a chart and show one.
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        # What stood wide takes a moment to narrow: a table by steps of its own, the sidebar by sliding away.
        for _ in range(10):
            page.wait_for_timeout(800)
            if not complaints(page):
                break
        assert complaints(page) == [], width
    page.remove_listener("pageerror", heard)
    assert errors == []


def test_awkward_says_who_judged_what_and_what_to_distrust(page, app):
    page.goto(app.url + "/?dataset=awkward")
    ready(page)
    expect(page.locator(".st-key-wide-coverage .js-plotly-plot .main-svg").first).to_be_visible(timeout=LONG)
    text = page.get_by_test_id("stMain").inner_text()
    assert "Which response was shown first is unknown" in text
    assert "13 of 111 judgments are refused or invalid" in text
    page.get_by_role("link", name="Rankings").click()
    expect(page.get_by_text("everything else works without them")).to_be_visible(timeout=LONG)
    page.get_by_role("link", name="What this dataset shows").click()
    expect(page.locator("h1")).to_contain_text("prefer what people prefer?", timeout=LONG)


@pytest.fixture
def in_scheme(page):
    """Lets the page be seen by who prefers light, or dark."""
    yield lambda scheme: page.emulate_media(color_scheme=scheme)
    page.emulate_media(color_scheme="light")


def test_dark_and_light_take_the_charts_along(page, app, in_scheme):
    colours = {}
    for scheme in ("light", "dark"):
        in_scheme(scheme)
        page.goto(app.url + "/?dataset=sample")
        ready(page)
        tick = page.locator(".st-key-wide-differs .js-plotly-plot .ytick text").first
        expect(tick).to_be_visible(timeout=LONG)
        colours[scheme] = tick.evaluate("e => getComputedStyle(e.querySelector('tspan') || e).fill")
    assert colours["light"] == "rgb(27, 39, 51)"
    assert colours["dark"] == "rgb(230, 235, 239)"
