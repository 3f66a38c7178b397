"""Do tables compile in two columns without an overfull box, whatever their names, and do sources compile with BibTeX?"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
import wild
from browser_app import ROOT

import studies  # noqa: F401  (registers the studies)
from data.store import Store
from errors import JurylensError
from exports import latex, latex_text, references
from exports.columns import printed
from exports.latex_layout import COLUMN, TYPES, laid_out, panels
from studies import simulate
from studies.rank import Rank
from studies.study import REGISTRY, Result

PREAMBLE = r"""\documentclass[10pt,a4paper,twocolumn]{article}
\setlength{\textheight}{550pt}
\usepackage{booktabs,array}
\begin{document}
"""
"""The plain class with its own margins: two columns of 78 mm as on A4, as high as on letter paper, nothing but what the
tables ask for."""

HOW = "apt-get install texlive-latex-base texlive-latex-recommended"

ASKED = {
    "judge-again": {"judge": (wild.LLM,)}, "winrate": {"baseline": wild.MODELS[0]}, "control": {"factor": wild.FACTORS[:1]},
}  # fmt: skip
# What has no answer there: the simulated judges give one label a pair and know one criterion, texts are not measured.
WITHOUT = {
    "simulated": {"alt-test", "calibration", "criteria", "factors sheet", "judge-again", "reward-models"},
    "wild": set(),
}


@pytest.fixture(scope="session")
def tex() -> str:
    """pdflatex; without it these tests are skipped, in CI they fail."""
    found = shutil.which("pdflatex")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"no pdflatex: {HOW}")
        pytest.skip(f"no pdflatex: {HOW}")
    return found


NAMED = {"simulated": "simulated", "wild": "wild & co_1"}
PARTS = 3


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A simulated dataset, and one of hostile names."""
    folder = tmp_path_factory.mktemp("latex")
    found = Store(folder / "s.duckdb", linger=600)
    simulate.add_simulated(found, "simulated", judgments=1_500, models=6, scenarios=3, factors=3, prompts=60)
    assert wild.add(found, folder) == NAMED["wild"]
    return found


def answers(store: Store, commands: Sequence[str]) -> dict[str, dict[str, Result]]:
    """These studies on both datasets, those that have an answer."""
    out: dict[str, dict[str, Result]] = {}
    for dataset, asked in {"simulated": {}, "wild": ASKED}.items():
        out[dataset] = {}
        for command in commands:
            try:
                out[dataset][command] = REGISTRY[command](**{"dataset": NAMED[dataset], **asked.get(command, {})}).run(store)
            except JurylensError:
                continue
    return out


def compiled(tex: str, folder: Path, body: str) -> str:
    """The log of a document; an error ends the test with its line."""
    (folder / "paper.tex").write_text(PREAMBLE + body + "\\end{document}\n", encoding="ascii")
    subprocess.run([tex, "-interaction=nonstopmode", "-halt-on-error", "paper"], cwd=folder, capture_output=True, check=False)
    log = (folder / "paper.log").read_text(errors="replace")
    assert "\n!" not in log, log[log.index("\n!") :][:1_000]
    return log


# A third of the studies at a time, and one third in each run: hundreds of tables take a minute.
@pytest.mark.slow
@pytest.mark.every(PARTS, "part")
@pytest.mark.parametrize("part", range(PARTS))
def test_every_table_of_every_study_fits_its_column(tex: str, store: Store, tmp_path: Path, part: int) -> None:
    asked = sorted(REGISTRY)[part::PARTS]
    found = answers(store, asked)
    for dataset, results in found.items():
        assert set(asked) - set(results) == WITHOUT[dataset] & set(asked)
    body, said = [], {}
    for dataset, results in found.items():
        for command, result in results.items():
            for name in result.tables:
                for width in ("column", "text"):
                    written = latex.latex_table(result, name, width=width)  # type: ignore[arg-type]
                    said[f"{dataset} {command} {name} {width}"] = written
    for where, written in said.items():
        body.append(f"\\typeout{{@@{where.replace('_', '-').replace('&', 'and')}@@}}\n{written}\\clearpage\n")
    log = compiled(tex, tmp_path, "".join(body))
    wrong = [(log[:hit.start()].rpartition("@@")[0].rpartition("@@")[2], hit[0]) for hit in re.finditer(r"(Over|Under)full \\[hv]box.*|Float too large.*", log)]
    assert wrong == []
    assert all(re.search(r"\\fontsize\{[789]\}", w) or "no rows" in w for w in said.values())
    assert "resizebox" not in "".join(said.values())
    for results in found.values():
        for command, result in results.items():
            assert result.caption.split(" ")[0] in latex.latex_table(result) or not len(result.table()), command


def test_bibtex_compiles_and_every_study_names_its_sources(tex: str, tmp_path: Path) -> None:
    assert set(REGISTRY) <= set(references.SOURCES)
    used = {key for command in references.SOURCES for key in references.cite_keys(command)}
    chosen = {key for keys in references._CHOSEN.values() for key in keys}
    assert used | chosen == set(references.library())
    (tmp_path / "refs.bib").write_text(references.entries(references.library()), encoding="ascii")
    compiled(tex, tmp_path, "\\nocite{*}\\bibliographystyle{plain}\\bibliography{refs}\n")
    run = subprocess.run(["bibtex", "paper"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0
    assert "Warning" not in run.stdout.replace("Warning--empty address", ""), run.stdout
    log = compiled(tex, tmp_path, "\\nocite{*}\\bibliographystyle{plain}\\bibliography{refs}\n")
    assert "multiply" not in log


def test_sources_follow_what_was_asked() -> None:
    assert references.cite_keys("rank")[0] == "bradley1952"
    assert "davidson1970" not in references.cite_keys("rank", {"ties": "half"})
    assert "davidson1970" in references.cite_keys("rank", {"ties": "davidson"})
    assert "papke1996" not in references.cite_keys("audit", {"ties": "half"})
    assert references.bibtex("datasets coverage") == ""
    assert references.bibtex("alt-test").count("@") == len(references.cite_keys("alt-test"))
    told = references.sentence("mackinnon2023")
    assert told.startswith("MacKinnon, James G., Nielsen, Morten Ørregaard and Webb, Matthew D. (2023). Cluster-Robust")
    assert told.endswith("Journal of Econometrics 232(2), 272–299.")
    assert not re.search(r"[{}\\]", "".join(map(references.sentence, references.library())))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a_b & 5 % #1 {x} ^~\\ $", r"a\_b \& 5 \% \#1 \{x\} \textasciicircum{}\textasciitilde{}\textbackslash{} \$"),
        ("Żółć, naïve, Å, ß, ą", r"\.{Z}\'{o}\l{}\'{c}, na\"{\i}ve, \AA{}, \ss{}, a"),
        ("αβ-Ω ≤ ±1 −2", r"$\alpha$$\beta$-$\Omega$ $\le$ $\pm$1 $-$2"),
        ("模型 🦜 Привет", "MoXing :parrot: Privet"),
        ("a--b\n\u202ec\u0000", "a-{}-b c"),
        ('<"|">', "$<$''$|$''$>$"),
    ],
    ids=["signs", "accents", "greek", "scripts", "lines", "quotes"],
)
def test_any_text_becomes_ascii(text: str, written: str) -> None:
    assert latex_text.escaped(text) == written
    assert written.isascii()


def test_names_that_would_be_written_alike_are_numbered() -> None:
    frame = pd.DataFrame({"model": ["模型", "MoXing", "other"], "strength": [1.0, 2.0, 3.0]})
    written = latex.frame_table(frame, "Order")
    assert written.count("MoXing") == 2
    assert "MoXing (2)" in written
    assert "Names in other scripts are transliterated." in written


def test_an_estimate_has_its_interval_beside_it_and_only_where_it_bounds_it() -> None:
    frame = pd.DataFrame({"model": ["m", "n"], "strength": [0.5, -0.25], "se": [0.1, 0.1], "lower": [0.3, -0.5], "upper": [0.7, 0.1],
                          "p": [0.01, 0.2], "q": [0.02, 0.2], "left": [None, None]})  # fmt: skip
    columns = printed(frame)
    assert [c.heading for c in columns] == ["model", "strength", "q"]
    assert columns[1].intervals == ("[.30, .70]", "[−.50, .10]")
    freed = frame.assign(strength=[9.0, 9.0])
    assert [c.heading for c in printed(freed, {"model": "model", "strength": "error", "interval": "net of chance"})] == ["model", "error", "net of chance"]


def test_rows_of_several_judges_stand_under_their_names() -> None:
    frame = pd.DataFrame({"judge": ["x", "x", "y", "y"], "model": ["m", "n"] * 2, "strength": [1.0, 2.0, 3.0, 4.0]})
    written = latex.frame_table(frame, "Orders", columns={"model": "model", "strength": "strength"})
    assert written.index("\\textit{x}") < written.index("m & 1.00") < written.index("\\textit{y}") < written.index("m & 3.00")


def test_long_tables_go_on_and_wide_ones_take_both_columns_or_go_on_beside() -> None:
    long = pd.DataFrame({"model": [f"m{k}" for k in range(2_000)], "strength": range(2_000)})
    written = latex.frame_table(long, "Order", label="order")
    assert written.count("\\begin{table}") == written.count("(continued)") + 1 <= latex.MOST_TABLES
    assert written.count("\\label{tab:order}") == 1
    assert re.search(r"The first \d+ of 2,000 rows; its CSV file has all of them", written)
    wide = printed(pd.DataFrame({"judge": ["j" * 30]} | {f"column {k}": [1_000.0] for k in range(40)}))
    parts = panels(wide, wide=False)
    assert len(parts) > 1
    assert all(p.wide and p.columns[0].heading == "judge" for p in parts)
    assert sum(len(p.columns) - 1 for p in parts) == 40
    fits = laid_out(wide[:4], wide=False)
    assert fits is not None
    assert (fits.wide, fits.type) == (False, TYPES[0])
    assert fits.total <= COLUMN


def test_titles_notes_and_refusals(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    simulate.add_simulated(store, "d & e", judgments=600, models=4, scenarios=2, factors=2, prompts=40)
    result = Rank(dataset="d & e", level=0.9).run(store)
    written = latex.latex_table(result)
    assert "\\caption{Rankings}" in written
    assert "Dataset d \\& e." in written
    assert "90~\\% intervals" in written
    assert "% Needs \\usepackage{booktabs,array}" in written
    assert "table*" in latex.latex_table(result, width="text")
    assert "the table has no rows" in latex.latex_table(result, "left_out")
    with pytest.raises(JurylensError, match="there is no such table; there are ranking"):
        latex.latex_table(result, "nope")


def test_a_comparison_is_headed_by_names(store: Store) -> None:
    everybody = REGISTRY["compare"](dataset="simulated").run(store)
    judges = everybody.study.judge
    one = REGISTRY["compare"](dataset="simulated", judge=judges[:2]).run(store)
    for result, headed in ((one, judges[:2]), (everybody, (judges[0], "judge"))):
        heads = latex.latex_table(result, width="text").split("\\midrule")[0].split("\\toprule")[1]
        # Long names may be broken at their joints.
        assert [cell.strip() for cell in heads.replace("\\allowbreak{}", "").split("&")][1:3] == list(headed), heads


def test_ci_installs_latex_before_the_tests() -> None:
    make = (ROOT / "Makefile").read_text()
    for target in ("together", "slow", "unit"):
        assert re.search(rf"^{target}:.*installed-latex", make, re.MULTILINE), target
