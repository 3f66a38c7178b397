"""Does every command that README and guide show run as it stands there?"""

import csv
import io
import re
import shlex
import shutil
from pathlib import Path

import pytest
import toy_asked
from browser_app import cli

from data.store import Store

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")


def commands(text: str) -> list[str]:
    """What a page shows after `python cli.py`: in blocks, and between backticks with what is listed behind it."""
    blocks = re.findall(r"^```\n(.*?)^```$", text.replace("\\\n", " "), re.DOTALL | re.MULTILINE)
    found = [line for block in blocks for line in block.splitlines() if line.startswith("python cli.py ")]
    found += re.findall(r"`(python cli\.py [^`]+)`", text)
    return [line.removeprefix("python cli.py ").partition(" #")[0].strip() for line in dict.fromkeys(found)]


ELSEWHERE = {
    # What takes longest runs in the test named here, on less.
    "factors embed --dataset sample": "test_embed.py",
    "labelings cluster --dataset sample": "test_clusters.py",
    "export compare --dataset sample --judge people --judge owl-judge --to bundle": "test_replay.py",
    "replay bundle": "test_replay.py",
    "report --dataset sample --to report.html": "test_report.py",
}
README_ALL = [*commands(README), "factors sheet --dataset sample"]
ON_SAMPLE = [command for command in README_ALL if "sample" in command and command not in ELSEWHERE]
IN_ORDER = [command for command in README_ALL if command not in ON_SAMPLE and command not in ELSEWHERE]
GUIDED = [command for command in commands(GUIDE) if command not in ELSEWHERE and command not in ON_SAMPLE]
AT_ONCE = 8
THIN = 6
"""Of the sample's prompts every sixth is enough to see a command run."""


@pytest.fixture(scope="module")
def place(store_with_all, tmp_path_factory):
    """A folder with the files that the pages name, and a store with the sample, its texts measured."""
    folder = tmp_path_factory.mktemp("docs")
    (folder / "docs").symlink_to(ROOT / "docs")
    # README shows the head of a longer file.
    head, *rows = ("question," + README.split("```\nquestion,")[1].split("```")[0]).strip().splitlines()
    with (ROOT / "docs" / "votes.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            shared = [row[name] for name in head.split(",")[:5]]
            for rater, said in (("human", row["Anna"]), ("gpt", row["GPT-4"])):
                line = io.StringIO()
                csv.writer(line).writerow([*shared, rater, {"A": "1", "B": "2"}.get(said, said)])
                rows.append(line.getvalue().strip())
    (folder / "votes.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    db = folder / "s.duckdb"
    shutil.copy(store_with_all, db)
    with Store(db).writing("thinning the sample") as con:
        con.execute(f"DELETE FROM judgment WHERE prompt_id % {THIN} <> 0")
    own = folder / "own.csv"
    with own.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["prompt", "response_a", "response_b", "judge", "judge_kind", "annotator", "winner", "p_a"])
        for k in range(40):
            for who, p in (("ann", k % 2), ("bob", k % 3 == 0)):
                out.writerow([f"q{k}", f"a{k}", f"b{k}", "people", "human", who, "a" if p else "b", ""])
            out.writerow([f"q{k}", f"a{k}", f"b{k}", "gpt", "llm", "", "", 0.2 + 0.6 * (k % 5) / 4])
    cli(db, "import", str(own), "--dataset", "D")
    cli(db, "import", str(toy_asked.write(folder / "asked.csv")), "--dataset", "asked")
    return folder


def run(place, command):
    words = ["5000" if word == "1000000" else word for word in shlex.split(command)]
    if words[0] in ("criteria", "reward-models"):
        # A dataset of several criteria, and of scores.
        words = ["asked" if word == "D" else word for word in words]
    if "-o" in words:
        del words[words.index("-o") : words.index("-o") + 2]
    if "--require" in words:
        # Whether it holds is not the page's to say.
        words[words.index("--require") + 1] = "spearman>=-1"
    cli(place / "s.duckdb", *words)


def test_the_pages_are_read():
    assert len(README_ALL) > 45
    assert len(commands(GUIDE)) > 15
    for command, where in ELSEWHERE.items():
        assert command in README_ALL + commands(GUIDE)
        assert (ROOT / "tests" / where).exists()


@pytest.mark.parametrize("start", range(0, len(ON_SAMPLE), AT_ONCE))
def test_commands_on_the_sample_run(place, monkeypatch, start):
    monkeypatch.chdir(place)
    for command in ON_SAMPLE[start : start + AT_ONCE]:
        run(place, command)


@pytest.mark.parametrize("page", ["README", "guide"])
def test_commands_on_files_run_in_their_order(place, monkeypatch, page):
    monkeypatch.chdir(place)
    for command in IN_ORDER if page == "README" else GUIDED:
        run(place, command)


def test_links_and_pictures_are_there():
    for path, text in ((ROOT / "README.md", README), (ROOT / "docs" / "guide.md", GUIDE)):
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
            assert "://" in target or (path.parent / target).exists(), target


def test_pictures_are_those_that_the_script_makes_and_small():
    from scripts.pictures import SHOTS

    pictures = list((ROOT / "docs" / "pictures").iterdir())
    assert {picture.stem for picture in pictures} == set(SHOTS)
    assert {Path(name).stem for name in re.findall(r"pictures/([\w-]+\.png)", GUIDE)} == set(SHOTS)
    assert sum(picture.stat().st_size for picture in pictures) < 1_500_000
