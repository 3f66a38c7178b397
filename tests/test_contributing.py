"""Do the worked examples of CONTRIBUTING.md work as they stand?"""

import importlib
import re
import sys
import types
from pathlib import Path

import pytest

from data.importers import registry as importers
from exports.drawings.drawing import DRAWN
from studies.study import REGISTRY
from texts.registry import _FACTORS, factors

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTIONS = ("A factor", "An importer", "A study", "A chart")


@pytest.fixture(scope="module")
def module(tmp_path_factory):
    """What the blocks of code define, all in one module; nothing of it stays known to the program."""
    factors()
    # What is registered while the examples run would be forgotten with them, and be missed by later tests.
    for name in ("studies", *(f"exports.drawings.{one}" for one in ("factors", "judges", "methods", "rankings", "scenarios"))):
        importlib.import_module(name)
    patch = pytest.MonkeyPatch()
    patch.chdir(tmp_path_factory.mktemp("contributing"))
    patch.setattr(importers, "IMPORTERS", importers.IMPORTERS)
    found = types.ModuleType("worked_examples")
    patch.setitem(sys.modules, found.__name__, found)
    registries = [(known, dict(known)) for known in (_FACTORS, REGISTRY, DRAWN)]
    yield found
    for known, before in registries:
        known.clear()
        known.update(before)
    patch.undo()


@pytest.mark.parametrize("section", SECTIONS)
def test_each_section_runs(module, section):
    """In their order: the chart draws what the study found."""
    blocks = re.findall(r"^```python\n(.*?)^```$", TEXT.split(f"\n## {section}\n")[1].split("\n## ")[0], re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 2
    for block in blocks:
        exec(compile(block, f"CONTRIBUTING.md, {section}", "exec"), module.__dict__)


def test_no_block_is_left_out():
    assert re.findall(r"^## (.*)$", TEXT, re.MULTILINE) == list(SECTIONS)


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:[a-z_]+/)+[a-z_*]+\.py|(?:[a-z]+/)+)`", TEXT))))
def test_what_is_named_is_there(path):
    assert "WORD" in path or list(ROOT.glob(path)), path
