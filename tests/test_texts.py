"""What is measured from a text: each factor by hand, no factor twice, the same on one core and on two."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from errors import UnknownNameError
from texts import measure
from texts.measure import chunks, measure_texts, measuring
from texts.registry import factor, factors

NAMES = ("words", "lists", "headers", "bold", "citations")


def value(name: str, body: str) -> float:
    return float(measure_texts([body], [name])[0, 0])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", 0), ("  \n\t", 0), ("— … !", 3), ("one", 1), ("Don't well-known and/or", 3), ("3.14 is 1,000", 3),
        ("see https://a.b/c?d=e now", 3), ("你好吗 ok", 4), ("こんにちは", 5), ("안녕 하세요", 2), ("नमस्ते दुनिया", 2),
        ("**bold** `code` [link](x)", 3), ("snake_case_", 1), ("_", 1), ("| a | b |", 5),
    ],
)  # fmt: skip
def test_words_by_hand(body: str, words: int) -> None:
    assert value("words", body) == words


@pytest.mark.parametrize(
    ("body", "items"),
    [
        ("", 0), ("- a\n- b", 2), ("* a\n\n\n+ b", 2), ("1. a\n2. b\n   - c", 3), ("• a\n  ◦ b\nc • d", 2),
        ("text\n- a", 1), ("a - b", 0), ("-a", 0), ("1.5 l\n2.5 l", 0), ("1) a\n2) b", 2), ("text\n\n    - code", 0),
        ("```\n- a\n- b\n```", 0), ("***", 0), ("1. a\n\n    - b\n    - c\n2. d", 4), ("- [ ] todo", 1), ("1990. A year", 1),
    ],
)  # fmt: skip
def test_list_items_by_hand(body: str, items: int) -> None:
    assert value("lists", body) == items


@pytest.mark.parametrize(
    ("body", "headings"),
    [
        ("# a\n## b\n###### c", 3), ("#a", 0), ("####### a", 0), ("a\n===\nb\n---", 2), ("a\n\n---", 0),
        ("```\n# a\n```", 0), ("> # a", 1), ("- # a", 1), ("#", 1), ("C# is", 0),
    ],
)  # fmt: skip
def test_headings_by_hand(body: str, headings: int) -> None:
    assert value("headers", body) == headings


@pytest.mark.parametrize(
    ("body", "bold"),
    [
        ("**a** and __b__", 2), ("**a", 0), ("** a **", 0), ("***a***", 1), ("2 ** 3 ** 4", 0), ("`**a**`", 0),
        ("# **a**", 1), ("| **a** |\n|---|\n| **b** |", 2), ("*a*", 0), ("**a\nb**", 1), ("\\**a**", 0), ("snake__case__x", 0),
    ],
)  # fmt: skip
def test_bold_by_hand(body: str, bold: int) -> None:
    assert value("bold", body) == bold


@pytest.mark.parametrize(
    ("body", "citations"),
    [
        ("[a](http://b.c)", 1), ("<http://b.c>", 1), ("http://b.c and www.d.e.", 2), ("[http://b.c](http://b.c)", 1),
        ("as shown [1], [2, 3] and [4-6].", 3), ("as shown[1][2]", 2), ("note[^a]\n\n[^a]: text", 1), ("fact【3†source】", 1),
        ("(Smith et al., 2020; Wu, 2019)", 1), ("(Smith, 2020)", 1), ("(Smith & Jones 1999a, p. 3)", 1), ("(May, 2020)", 0),
        ("(in 2020)", 0), ("`x[1]`", 0), ("```\nhttp://b.c\n```", 0), ("![alt](http://b.c/d.png)", 0), ("[1234]", 0),
        ("[a][r] [r]\n\n[r]: http://b.c", 2), ("[1] text\n\n[1]: http://b.c", 1), ("[x] done", 0),
    ],
)  # fmt: skip
def test_citations_by_hand(body: str, citations: int) -> None:
    assert value("citations", body) == citations


def test_every_factor_says_what_it_is() -> None:
    found = factors()
    for one in found:
        assert one.definition.endswith("."), one.name
        assert one.group, one.name
        assert one.unit, one.name
        assert one.source, one.name
        assert one.version >= 1


def test_an_unknown_factor_is_named_with_its_neighbours() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'headers'"):
        factors(["header"])


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match="there already is a factor 'words'"):
        factor("words", label="x", group="x", unit="x", version=1, source="x")(lambda _: 0.0)


def test_chunks_hold_every_text_once() -> None:
    rng = np.random.default_rng(0)
    bodies = ["x" * int(n) for n in rng.integers(0, 90_000, 50)] + ["y" * 500_000, "", ""]
    found = [bodies[chunk] for chunk in chunks(bodies)]
    assert [body for chunk in found for body in chunk] == bodies
    assert max(sum(map(len, chunk)) for chunk in found if len(chunk) > 1) <= measure.CHUNK
    assert list(chunks([])) == []


def test_two_processes_find_what_one_finds() -> None:
    rng = np.random.default_rng(1)
    pieces = ["- item\n", "word ", "**bold** ", "\n# head\n", "[1] ", "\n\n", "http://a.b "]
    bodies = ["".join(rng.choice(pieces, int(rng.integers(0, 400)))) for _ in range(600)]
    with measuring(0) as alone:
        one = np.vstack(list(alone(bodies, NAMES)))
    ticks = []
    with measuring(0, workers=2) as together:
        two = np.vstack(list(together(bodies, NAMES, lambda: ticks.append(1))))
    np.testing.assert_array_equal(one, two)
    assert one.max(axis=0).min() > 0


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    """`kill -9` of the measuring process leaves no worker behind."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, signal, time\n"
        "from texts.measure import measuring\n"
        "if __name__ == '__main__':\n"
        "    with measuring(0, workers=2) as measure:\n"
        "        blocks = measure(['- a ' * 60_000] * 200, ['lists'])\n"
        "        next(blocks)\n"
        "        import multiprocessing\n"
        "        print(*[p.pid for p in multiprocessing.active_children()], flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [sys.executable, str(script)], cwd=root, env={"PYTHONPATH": str(root)}, capture_output=True, text=True, timeout=60
    )
    workers = [int(pid) for pid in done.stdout.split()]
    assert len(workers) == 2, done.stderr
    import os
    import time

    def alive(pid: int) -> bool:
        try:
            with open(f"/proc/{pid}/stat") as stat:
                return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False

    end = time.monotonic() + 20
    while any(alive(pid) for pid in workers) and time.monotonic() < end:
        time.sleep(0.1)
    left = [pid for pid in workers if alive(pid)]
    for pid in left:
        os.kill(pid, 9)
    assert left == []
