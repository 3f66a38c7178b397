"""Judgments that nobody would wish to rank: each case with the selection that makes it bad."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data.imports import import_path
from data.store import Store

HOSTILE = (
    'quo"ted\'', "<b onload=x>&amp;</b>", "🦜 $x^2$ `code` *a*_b_ [l](http://x)", "n" * 300, "=SUM(A1)", "-n, | %s {0}\\",
    "two\nlines", "مرحبا",
)  # fmt: skip
"""Names of models; the judges get like ones."""


@dataclass(frozen=True)
class Case:
    """A selection of a dataset. frame : its table, where it is not that of an earlier case (`of`)"""

    name: str
    frame: pd.DataFrame | None
    select: dict[str, Any] = field(default_factory=dict)
    of: str | None = None

    @property
    def dataset(self) -> str:
        return self.of or self.name


Row = dict[str, Any]


def rows(
    pairs: Iterable[tuple[str, str]], *, prompts: int = 12, judges: tuple[str, ...] = ("people", "gpt"), seed: int = 0,
    winner: str | None = None, prefix: str = "p", scenario: str = "s", **more: Any,
) -> list[Row]:  # fmt: skip
    """Every pair under every prompt by every judge, verdicts by chance unless said; texts of differing length."""
    rng = np.random.default_rng(seed)
    out = []
    for k in range(prompts):
        for a, b in pairs:
            texts = {s: " ".join(["word"] * (3 + (5 * k + 7 * len(m) + ord(m[-1])) % 40)) for s, m in zip("ab", (a, b), strict=True)}
            for judge in judges:
                drawn = winner or str(rng.choice(["a", "b", "tie"], p=[0.45, 0.35, 0.2]))
                out.append(
                    {"prompt": f"{prefix}{k}", "scenario": f"{scenario}{k % 2}", "model_a": a, "model_b": b,
                     "response_a": texts["a"] + f" {a}", "response_b": texts["b"] + f" {b}", "judge": judge,
                     "judge_kind": "human" if judge == "people" else "llm", "winner": drawn, **more}
                )  # fmt: skip
    return out


def ring(names: Iterable[str]) -> list[tuple[str, str]]:
    """Each name against the next, the last against the first; of two the one pair."""
    listed = list(names)
    return [(a, b) for a, b in zip(listed, [*listed[1:], listed[0]], strict=True) if a != b][: 1 if len(listed) == 2 else None]


def cases() -> list[Case]:
    """All of them but the large one."""
    abc = ring(("m1", "m2", "m3"))
    usual = rows(abc)
    table = pd.DataFrame
    elsewhere = [row | {"scenario": "only people"} for row in rows(abc, judges=("people",), prefix="q")]
    loser = [row | {"winner": "a" if row["model_a"] == "best" else row["winner"]} for row in rows([("best", m) for m in ("m1", "m2")])]
    loser += [row | {"winner": "b" if row["model_b"] == "m1" else row["winner"]} for row in rows([("worst", "m1")])]
    soft = [{k: v for k, v in row.items() if k != "winner"} for row in usual]
    rng = np.random.default_rng(1)
    chain = [row | {"winner": "a"} for row in rows([("m1", "m2"), ("m2", "m3"), ("m1", "m3")])]
    usual = rows(abc, judged_at="2026-01-02")
    # Several cases are selections of one dataset: an import is what takes time.
    return [
        Case("usual", table(usual + elsewhere), {"scenario": ("s0", "s1")}),
        Case("judge without judgments", None, {"scenario": ("only people",)}, "usual"),
        Case("nothing left", None, {"scenario": ("only people",), "judge": ("gpt",)}, "usual"),
        Case("dates leave nothing", None, {"since": "2030-01-01"}, "usual"),
        Case("one model chosen", None, {"model": ("m1",)}, "usual"),
        Case("two models", None, {"model": ("m1", "m2"), "scenario": ("s0", "s1")}, "usual"),
        Case("one judge chosen", None, {"judge": ("gpt",)}, "usual"),
        Case("second judge elsewhere", table(rows(abc, judges=("people",)) + rows(abc, judges=("gpt",), prefix="q"))),
        Case("one model", table([row | {"response_a": row["response_a"] + "!"} for row in rows([("m1", "m1")])])),
        Case("all ties", table(rows(abc, winner="tie"))),
        Case("all refused", table(rows(abc, winner="refused"))),
        Case("three islands", table(usual + rows(ring(("x1", "x2")), prefix="x") + rows(ring(("y1", "y2")), prefix="y"))),
        Case("two islands", None, {"model": ("m1", "m2", "m3", "x1", "x2")}, "three islands"),
        Case("models that never met", None, {"model": ("m1", "x1")}, "three islands"),
        Case("wins or loses all", table(usual + loser)),
        Case("always the same order", table(chain)),
        Case("one judgment each", table(rows([("m1", "m2")], prompts=1))),
        Case("one judgment", None, {"judge": ("people",)}, "one judgment each"),
        Case("one prompt", table(rows(ring(("m1", "m2", "m3", "m4")), prompts=1) * 3)),
        Case("heavy", table([row | {"weight": 1e8 if k == 5 else 1.0} for k, row in enumerate(usual)])),
        Case("all heavy", table([row | {"weight": 1e8} for row in usual])),
        Case("soft", table([row | {"p_a": float(rng.choice([1e-12, 1 - 1e-12, 0.5, 0.3]))} for row in soft])),
        Case("hostile names", table(rows(ring(HOSTILE), judges=("people", '<i>"j🦜"</i> ' + "j" * 290), scenario="<s>'\"🦜 "))),
        Case("equal texts", table([row | {"response_a": "same", "response_b": "same"} for row in usual])),
        Case("no texts", table(usual).drop(columns=["response_a", "response_b"])),
        Case("no human", table(rows(abc, judges=("gpt", "claude")))),
        Case("odd judges", table(odd_judges(abc))),
        Case("no models", table(usual).drop(columns=["model_a", "model_b"])),
    ]  # fmt: skip


def odd_judges(pairs: list[tuple[str, str]]) -> list[Row]:
    """One person, and judges that always say a, contradict themselves, cannot be held against a plain verdict, share no
    pair with the person, or never answer."""
    alone = rows(pairs, judges=("people",), annotator="one")
    split = rows(pairs, judges=("split",), swapped="false")
    return [
        *alone,
        *rows(pairs, judges=("always a",), winner="a"),
        *(row | {"repeat": turn, "winner": "ab"[turn - 1]} for turn in (1, 2) for row in split),
        *rows(pairs, judges=("cued",), variant="bandwagon", cue="a"),
        *rows(pairs, judges=("elsewhere",), prefix="q"),
        *rows(pairs, judges=("mute",), winner="refused"),
    ]


def many_models(n: int = 5000, per_model: int = 6) -> pd.DataFrame:
    """As many models as that, each judged a few times against others by chance."""
    rng = np.random.default_rng(2)
    k = np.arange(n * per_model)
    a = k % n
    b = (a + rng.integers(1, n, len(k))) % n
    out = {
        "prompt": [f"p{v}" for v in k // 20], "model_a": [f"m{v:04}" for v in a], "model_b": [f"m{v:04}" for v in b],
        "judge": np.where(k % 3 == 0, "people", "gpt"), "winner": rng.choice(["a", "b", "tie"], len(k)),
    }  # fmt: skip
    return pd.DataFrame(out)


def add(store: Store, folder: Path, name: str, frame: pd.DataFrame) -> None:
    """Import a table under this name."""
    path = folder / f"{abs(hash(name))}.csv"
    frame.to_csv(path, index=False)
    import_path(store, path, name)
