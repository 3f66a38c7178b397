"""Does a command start without what it does not need, and is each study found where the table says?"""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from commands.factors import embed_texts
from commands.labelings import cluster
from studies import MODULES, cluster_prompts, embed
from studies.registry import REGISTRY, Registry
from studies.study import Study

ROOT = Path(__file__).parent.parent
SLOW = {
    "torch", "transformers", "sentence_transformers", "onnxruntime", "sklearn", "statsmodels", "numpyro", "jax", "streamlit",
    "plotly", "kaleido", "matplotlib", "jinja2", "openpyxl", "pytest",
}  # fmt: skip
"""What takes long to import and is needed by few."""


def imported(*words: str) -> set[str]:
    """The modules that a command line has imported at its end."""
    code = (
        "import sys, cli\n"
        f"sys.argv = ['cli.py', *{list(words)!r}]\n"
        "try: cli.run()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines())


def test_looking_into_the_store_imports_no_study(tmp_path: Path) -> None:
    store = str(tmp_path / "a.duckdb")
    brought = imported("--db", store, "import", str(ROOT / "examples" / "judgments.csv"), "--dataset", "d", "-o", "json")
    assert not brought & SLOW
    listed = imported("--db", store, "datasets", "-o", "json")
    assert not listed & (SLOW | {"scipy", "studies.rank", "studies.factors_fit"})


@pytest.mark.parametrize("words", [("--help",), ("factors", "--help"), ("export", "--help")], ids=" ".join)
def test_the_list_of_commands_imports_none_of_them(words: tuple[str, ...]) -> None:
    assert not imported(*words) & (SLOW | {"scipy", "studies.rank", "studies.factors_fit"})


@pytest.mark.parametrize("command", ["rank", "agreement", "factors gap", "export compare"])
def test_a_study_starts_without_what_only_drawings_and_few_need(command: str) -> None:
    assert not imported(*command.split(), "--help") & (SLOW | {"scipy.stats"})


@pytest.mark.parametrize("command", MODULES)
def test_each_study_is_where_the_table_says(command: str) -> None:
    study = REGISTRY[command]
    assert (study.command, study.__module__) == (command, f"studies.{MODULES[command]}")
    assert Registry({command: MODULES[command]}).summary(command) == inspect.cleandoc(study.__doc__ or "")


def test_each_module_that_registers_a_study_is_in_the_table() -> None:
    there = {path.stem for path in (ROOT / "studies").glob("*.py") if "\n@register\n" in path.read_text(encoding="utf-8")}
    assert there == set(MODULES.values())


def test_a_study_may_be_added_and_taken_away() -> None:
    known = Registry({"rank": "rank"})
    assert "rank" in known
    assert len(known) == 1
    known["mine"] = Study
    assert list(known) == ["rank", "mine"]
    assert known["mine"] is Study
    assert known.summary("mine") == Study.__doc__
    del known["mine"]
    assert list(known) == ["rank"]
    with pytest.raises(KeyError):
        known["mine"]


def test_defaults_that_stand_in_options_are_those_of_the_studies() -> None:
    assert inspect.signature(cluster).parameters["name"].default == cluster_prompts.NAME
    assert f"default {embed.DEFAULT_MODEL}" in str(inspect.signature(embed_texts).parameters["model"])
