"""The files in examples/: each is named in their README with a command that takes all of it."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

import pytest
from stored import judgments

import cli
from data.store import Store

ROOT = Path(__file__).parent.parent
README = (ROOT / "examples" / "README.md").read_text()
COMMANDS = [shlex.split(line)[2:] for line in re.findall(r"^python cli\.py .*$", README, re.MULTILINE)]
ACCEPTED = {
    "judgments.csv": ("judgments", 9), "factors_by_pair.csv": ("factors", None), "factors_by_models.csv": ("factors", None),
    "factors_by_response.csv": ("factors", None), "factors_by_annotator.csv": ("factors", None),
    "arena_battles.json": ("chatbot_arena", 4), "arena_preferences.jsonl": ("chatbot_arena", 3),
    "arena_texts.csv": ("chatbot_arena", 3), "helpsteer2_preference.jsonl": ("helpsteer2", 10),
    "helpsteer2_ratings.jsonl": ("helpsteer2", 10), "annotated_pairs.json": ("annotated_pairs", 6),
    "llm_comparator.json": ("llm_comparator", 5), "wide.csv": ("judgments", 8), "counts.csv": ("judgments", 16),
    "chosen.jsonl": ("judgments", 2), "chosen_dialogues.jsonl": ("judgments", 1), "scores.csv": ("judgments", 3),
    "ratings.csv": ("judgments", 6), "ratings_in_columns.csv": ("judgments", 6), "ratings_in_lists.jsonl": ("judgments", 4),
    "ranked.csv": ("judgments", 6), "verdicts.csv": ("judgments", 3), "judgments.xlsx": ("judgments", 3),
}  # fmt: skip
"""File -> the format that it is read as, and its judgments."""


def test_every_file_is_named_and_every_command_takes_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {path.name for path in (ROOT / "examples").iterdir() if path.name != "README.md"}
    assert files == {Path(words[1]).name for words in COMMANDS if words[0] == "import"} == set(ACCEPTED)
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("JURYLENS_DB", str(tmp_path / "s.duckdb"))
    for words in COMMANDS:
        monkeypatch.setattr(sys, "argv", ["cli.py", *words, "-o", "json"])
        capsys.readouterr()
        try:
            cli.run()
            code: object = 0
        except SystemExit as stop:
            code = stop.code
        out = capsys.readouterr()
        assert code in (0, None), (words, out.err)
        if words[0] == "import":
            name, n = ACCEPTED[Path(words[1]).name]
            said = json.loads(out.out)
            assert (said["format"], said["rejected"]) == (name, 0)
            assert n is None or said["accepted"] == n
    held = judgments(Store(tmp_path / "s.duckdb"))
    assert {row["judge"] for row in held} >= {"human", "annotators", "ratings", "cooks", "robot", "gemini"}
    # Half a vote of each of two people for north against west, and of one list for it.
    fridge = [(row["annotator"], row["outcome"], row["score_a"], row["score_b"]) for row in held
              if row.get("model_a") == "north" and row.get("model_b") == "west" and row["judge"] == "people"]  # fmt: skip
    assert sorted(fridge) == [("ann", "a", 5.0, 2.0), ("bob", "tie", 4.0, 4.0)]
    # The published preference of the first pair, and what its ratings say.
    peel = {(row["judge"], row["criterion"]): row["outcome"] for row in held if row.get("prompt") == "How do I peel an egg?"}
    assert peel["human", "overall"] == peel["ratings", "overall"] == "b"
