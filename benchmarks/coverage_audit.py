"""How often is a judge without a bias flagged, and are planted biases found at their size?

    python -m benchmarks.coverage_audit [--runs 500] [--workers 2]

Every run draws prompts, pairs within them, people's votes and a judge that sees each pair in both orders, with and
without a cue. Without a bias the judge says what people would say, also where it shares their taste for the longer
answer, where its own models truly are better, and where it is noisier in some prompts: it is flagged (q < .05 over its
four tests) on any bias in at most 7 % of runs. Planted sizes are exact expectations of the same generator, from a draw
of two million pairs.
"""

from __future__ import annotations

import os

# Two processes share two cores: each with one thread for its small matrices.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import numpy as np
import pandas as pd

from analysis.audit import Bias, Units, both_orders, towards_cue
from analysis.beyond_reference import Held, preference_for
from analysis.cells import Floats
from analysis.multiple import adjust_bh
from analysis.vcov import Clustering, choose_clustering
from benchmarks.repeat import promised, repeat, report
from studies.audit import Audit
from studies.audit_data import Audited, JudgeSaid

POOLED = (0.93, 0.97)
EACH = (0.91, 0.985)
FLAGGED = 0.07
MORE = 4
"""Times as many runs where few tests are made."""
BIASES = ("first_position", "bandwagon", "length", "self_preference")
LARGE = 2_000_000


@dataclass(frozen=True)
class World:
    """People and a judge who see the same pairs, in log-odds.

    people : votes a pair, 0 for gold (who is better, without noise); long, own_better : what all see in the longer and
    in the judge's own answer; decisive : the judge's share of what people see, in the second half of prompts `later`
    first, cue, longer, own : biases of the judge alone; other : size of all that people see besides
    """

    name: str
    prompts: int
    pairs_a_prompt: int
    people: int = 3
    long: float = 0.0
    own_better: float = 0.0
    decisive: float = 1.0
    later: float = 1.0
    first: float = 0.0
    cue: float = 0.0
    longer: float = 0.0
    own: float = 0.0
    other: float = 1.0

    @property
    def fair(self) -> bool:
        """Whether no bias is planted."""
        return not any((self.first, self.cue, self.longer, self.own))


def worlds() -> tuple[World, ...]:
    """The worlds that are looked at, headline first."""
    return (
        World("fair, 200 prompts", 200, 4),
        World("fair, people's taste for length", 200, 4, long=0.6),
        World("fair, people's taste for length, a vote a pair", 200, 4, people=1, long=0.6),
        World("fair, its own truly better", 200, 4, own_better=0.8),
        World("fair, noisier in half of the prompts", 200, 4, long=0.4, own_better=0.4, later=0.4),
        World("fair, half as decisive, all of these", 200, 4, long=0.6, own_better=0.6, decisive=0.5),
        World("fair, gold", 200, 4, people=0),
        World("fair, 13 prompts", 13, 60, long=0.4),
        World("fair, weak votes", 100, 1, people=2, long=0.5, other=0.3),
        World("fair, hardly any votes that tell", 300, 1, people=2, long=1.0, other=0.0),
        World("biased, 200 prompts", 200, 4, long=0.3, first=0.5, cue=0.5, longer=0.5, own=0.5),
        World("biased, gold", 200, 4, people=0, first=0.5, cue=0.5, longer=0.5, own=0.5),
        World("biased, 13 prompts", 13, 60, long=0.3, first=0.5, cue=0.5, longer=0.5, own=0.5),
    )


def audit(of: World, rng: np.random.Generator, prompts: int, by: Clustering) -> list[Bias]:
    """The four tested biases of one drawn judge, in the order of BIASES."""
    n = prompts * of.pairs_a_prompt
    prompt = np.repeat(np.arange(prompts), of.pairs_a_prompt)
    long, cue = (rng.choice([-1.0, 1.0], n) for _ in range(2))
    own = rng.choice([-1.0, 0.0, 1.0], n)
    seen = 0.6 * rng.standard_normal(prompts)[prompt] * rng.choice([-1.0, 1.0], n) + rng.standard_normal(n)
    seen = of.other * seen + of.long * long + of.own_better * own
    decisive = np.where(prompt % 2, of.decisive * of.later, of.decisive)

    def vote(log_odds: Floats) -> Floats:
        return np.where(rng.random(n) * (1 + np.exp(-log_odds)) < 1, 1.0, -1.0)

    # With gold the judge reads a right answer with noise that does not depend on how clear it is.
    right = vote(seen)
    base = 1.2 * decisive * right if of.people == 0 else decisive * seen
    base = base + of.longer * long + of.own * own
    one, two, cued = vote(base + of.first), vote(base - of.first), vote(base + of.first + of.cue * cue)
    votes = np.stack([vote(seen) for _ in range(of.people)]) if of.people else right[None]
    held = Held((one + two) / 2, votes.sum(axis=0), (votes**2).sum(axis=0), np.full(n, float(len(votes))), np.zeros(n),
                prompt, of.people == 0)  # fmt: skip
    orders = Units(one.astype(np.int64), two.astype(np.int64), prompt)
    moved = Units(one.astype(np.int64), cued.astype(np.int64), prompt, cue.astype(np.int64))
    return [
        both_orders(orders, by, 0.95)[1], towards_cue("bandwagon", moved, by, 0.95),
        preference_for("length", long, held, by, 0.95), preference_for("self_preference", own, held, by, 0.95),
    ]  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A judge right in .85 of single verdicts, whatever it is asked: gold says what is right.

    plain, there : verdicts a pair in plain circumstances and with a cue that names the wrong side; one_order : a is
    always shown first, and right in .7; models : named, and a is always of the same
    """

    name: str
    plain: int = 1
    there: int = 1
    one_order: bool = False
    models: bool = False


ASKED = (
    Asked("fair, asked 2 times and 1", 2, 1), Asked("fair, asked 1 time and 3", 1, 3),
    Asked("fair, asked 3 times and 3", 3, 3), Asked("fair, the better always first", one_order=True),
    Asked("fair, the better model always first", one_order=True, models=True),
)  # fmt: skip


def flagged_when_asked(of: Asked, seed: int) -> bool:
    """Whether the audit of 200 pairs flags anything."""
    rng, n = np.random.default_rng((12, seed)), 200
    right = np.where(rng.random(n) < (0.7 if of.one_order else 0.5), 1, -1)
    rows = []
    for variant, many in (("plain", of.plain), ("bandwagon", 0 if of.one_order else of.there)):
        for k in range(n if many else 0):
            word = "".join("a" if good == (right[k] > 0) else "b" for good in rng.random(many) < 0.85)
            rows.append((variant, k, 0 if variant == "plain" else -right[k], word))
    table = pd.DataFrame(rows, columns=["variant", "pair", "cue", "word"]).assign(
        judge_id=1, prompt=lambda t: t["pair"], shown=1 if of.one_order else 0, letter=0, voter=0, none=0,
        a=lambda t: t["word"].str.count("a"), b=lambda t: t["word"].str.count("b"), tie=0,
        p=lambda t: t["a"] / t["word"].str.len(),
    )  # fmt: skip
    models = (1, 2) if of.models else (-1, -1)
    sides = pd.DataFrame(dict.fromkeys(("length", "formatting", "own"), 0.0), index=range(n))
    votes = pd.DataFrame({"pair": np.arange(n), "r": right.astype(np.float64)})
    said = JudgeSaid(table, votes, sides.assign(model_a=models[0], model_b=models[1]), True, "plain")
    found = Audit(dataset="drawn").biases_of(Audited(("j",), "gold", (), "", {"j": said}), "j")
    return bool((adjust_bh(np.array([one.p for one in found])) < 0.05).any())


def run_asked(of: Asked, runs: int, workers: int = 2) -> pd.DataFrame:
    """The share of runs that are flagged, as `run_world` has it."""
    # One or two tests at 5 %: of 500 runs one time in fifty lies above .07 by chance.
    runs *= MORE
    value = float(np.mean(repeat(partial(flagged_when_asked, of), runs, workers)))
    return pd.DataFrame([promised(of.name, "flagged", value, 0.0, FLAGGED, runs)])


@lru_cache(maxsize=32)
def expected(of: World) -> tuple[float, ...]:
    """The excess of each bias in two million pairs, drawn once."""
    many = replace(of, pairs_a_prompt=4)
    return tuple(one.excess for one in audit(many, np.random.default_rng(99), LARGE // 4, Clustering("prompt")))


def simulate_run(of: World, truth: tuple[float, ...], seed: int) -> tuple[bool, list[float]]:
    """Whether anything is flagged, and whether each interval holds the truth (NaN: there is none)."""
    found = audit(of, np.random.default_rng((11, seed)), of.prompts, choose_clustering("auto", of.prompts))
    q = adjust_bh(np.array([one.p for one in found]))
    held = [
        float(one.excess_lower <= exact <= one.excess_upper) if one.excess_lower == one.excess_lower else np.nan
        for one, exact in zip(found, truth, strict=True)
    ]
    return bool((q < 0.05).any()), held


def run_world(of: World, runs: int, workers: int = 2) -> pd.DataFrame:
    """One row a quantity: world, quantity, coverage, each_low, each_high, runs, promised_low, promised_high; of fair
    judges the share of runs that are flagged."""
    truth = (0.0,) * len(BIASES) if of.fair else expected(of)
    found = repeat(partial(simulate_run, of, truth), runs, workers)
    rows: list[dict[str, object]] = []

    def add(quantity: str, value: float, low: float, high: float, ends: tuple[float, float] | None = None) -> None:
        rows.append(promised(of.name, quantity, value, low, high, runs, ends))

    if of.fair:
        add("flagged", float(np.mean([flagged for flagged, _ in found])), 0.0, FLAGGED)
        return pd.DataFrame(rows)
    held = np.array([run[1] for run in found])
    each = np.nanmean(held, axis=0)
    add("all intervals", float(np.nanmean(held)), *POOLED, (float(each.min()), float(each.max())))
    for name, share in zip(BIASES, each, strict=True):
        add(name, float(share), *EACH)
    return pd.DataFrame(rows)


def measure(runs: int, workers: int) -> pd.DataFrame:
    """The table of all worlds."""
    tables = [run_world(of, runs, workers) for of in worlds()]
    return pd.concat([*tables, *(run_asked(of, runs, workers) for of in ASKED)], ignore_index=True)


main: Callable[[], int] = partial(report, __doc__, measure)

if __name__ == "__main__":
    sys.exit(main())
