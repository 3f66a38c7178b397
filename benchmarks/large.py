"""What do strengths, a prompt bootstrap and a refit after a filter cost at one and ten million judgments?

    python -m benchmarks large [--quick]

Strengths go the whole way from the store's ids. The peers start from a data frame of names in memory, as they are
used: evalica's Bradley-Terry, and scikit-learn's logistic regression, without penalty, on a design matrix of +1 and -1
with ties in two rows, as arena leaderboards fit it. They are timed once more from arrays of codes and a ready design
matrix, the least work they can be given; that is printed, and a bootstrap replicate of evalica is such a fit of rows
drawn by prompt: one is timed and counted as often as ours are made. What a refit holds in memory is measured in a
process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import evalica
import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from analysis.bootstrap import bootstrap_strengths
from analysis.bradley_terry import fit_bradley_terry
from benchmarks.rankings import EVALICA, Codes, Open
from benchmarks.worlds import DATASET, HEAD, JUDGES, QUICK, Ratio, Size, Times, fill_store, interleave, peak_memory
from data import queries
from data.model import Selection
from data.store import Store
from studies.cells import judge_cells, models_met

MILLIONS = (1_000_000, 10_000_000)
FASTER = 100
"""Strengths at ten million judgments are at least this many times as fast as the peers'."""
REPLICATES_FASTER = 150
GROUP_BYS = 100
"""A thousand replicates at ten million judgments cost at most so many GROUP BY (a, b, outcome)."""
REFIT = 2
MEMORY = 500
"""MB that the strengths of ten million judgments may hold, Python and its libraries included."""
ROUNDS = 3
SAID = np.array(["tie", "model_a", "model_b"], dtype=object)


def measure(folder: Path, size: Size) -> list[Ratio]:
    """Print all times; the ratios to be judged."""
    sizes = [size.judgments] if size.judgments < MILLIONS[0] else list(MILLIONS)
    return [ratio for judgments in sizes for ratio in _at(folder, replace(size, judgments=judgments))]


def _at(folder: Path, size: Size) -> list[Ratio]:
    print(f"\n{size.models} models, {size.judgments:,} judgments, {size.prompts:,} prompts\n{HEAD}", flush=True)
    largest = size.judgments >= MILLIONS[-1]
    ratios = []
    with fill_store(folder / f"one-{size.judgments}.duckdb", size, judges=1).reading("benchmark") as con:
        data = Open.of(con)
        judge = next(iter(data.names.judges))
        [cells] = data.cells(("prompt",)).values()
        fit = fit_bradley_terry(cells)
        place = {data.names.models[name]: k for k, name in enumerate(fit.models)}
        rows = con.execute(f"SELECT model_a, model_b, outcome FROM judgment WHERE {data.condition}").fetchnumpy()
        lookup = np.full(max(place) + 1, -1)
        lookup[list(place)] = list(place.values())
        a, b, winner = lookup[rows["model_a"]], lookup[rows["model_b"]], EVALICA[rows["outcome"]]
        names = np.array(fit.models, dtype=object)
        frame = pd.DataFrame({"model_a": names[a], "model_b": names[b], "winner": SAID[winner]})
        design, label, weight = _design(a, b, winner, len(place))
        group, ours, bootstrap = interleave(
            ROUNDS,
            [
                ("GROUP BY model_a, model_b, outcome", lambda: data.group("model_a, model_b, outcome")),
                ("strengths from the store's ids", data.strengths),
                (
                    f"{size.replicates:,} bootstrap replicates of prompts",
                    lambda: bootstrap_strengths(
                        [fit], [cells], "prompt", np.random.default_rng(0), replicates=size.replicates
                    ),
                ),
            ],
        )
        by_evalica, by_regression, fit_codes, fit_design = interleave(
            1,
            [
                ("evalica, from a frame of names", lambda: _evalica(frame)),
                ("scikit-learn, from a frame of names", lambda: _regression(*_design(*_codes(frame)))),
                ("evalica, from codes", lambda: evalica.bradley_terry(a, b, winner, pd.RangeIndex(len(place)))),
                ("scikit-learn, from its design matrix", lambda: _regression(design, label, weight)),
            ],
            warm=False,
        )
        print(group, ours, bootstrap, by_evalica, by_regression, fit_codes, fit_design, sep="\n", flush=True)
        alone = _alone(folder / f"one-{size.judgments}.duckdb")
        print(f"  strengths in a process of their own: {alone:,.0f} MB at most", flush=True)
        if largest and alone > MEMORY:
            raise SystemExit(f"strengths hold {alone:,.0f} MB; promised are {MEMORY}")
        thousands = Times("evalica, as many fits", tuple(t * size.replicates for t in fit_codes.seconds))
        name = f"at {size.judgments:,}: "
        few = 1 / FASTER if largest else None
        ratios += [
            Ratio(f"{name}strengths / evalica", ours, by_evalica, few),
            Ratio(f"{name}strengths / scikit-learn", ours, by_regression, few),
            Ratio(f"{name}bootstrap / evalica, replicate for replicate", bootstrap, thousands, 1 / REPLICATES_FASTER),
            Ratio(f"{name}bootstrap / GROUP BY", bootstrap, group, GROUP_BYS if largest else None),
        ]
        del judge
    with fill_store(folder / f"many-{size.judgments}.duckdb", size, judges=JUDGES).reading("benchmark") as con:
        ratios.append(_filtered(Open.of(con), size))
    return ratios


def _alone(path: Path) -> float:
    """MB that a process which does nothing else held at most, from its start to the strengths of a store."""
    work = f"from benchmarks.large import tell_peak; tell_peak({str(path)!r})"
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-c", work], cwd=root, capture_output=True, text=True, check=True)
    return float(done.stdout)


def tell_peak(path: str) -> None:
    """Print how many MB this process held at most with the strengths of a store."""
    with Store(path).reading("benchmark") as con:
        Open.of(con).strengths()
    print(peak_memory() or 0.0)


def _filtered(data: Open, size: Size) -> Ratio:
    """One scenario, two judges: the strengths of both anew."""
    two, scenario = tuple(data.names.judges)[:2], next(iter(data.names.scenarios))
    condition = queries.where(Selection(dataset=DATASET, judge=two, scenario=(scenario,)), data.names)

    def refit() -> None:
        counts = queries.counts(data.con, condition)
        for judge in two:
            mine = counts.of(data.names.judges[judge][0])
            fit_bradley_terry(judge_cells(mine, data.names, judge, models_met(mine, data.names)))

    def group() -> None:
        keys = "judge_id, model_a, model_b, outcome"
        data.con.sql(f"SELECT {keys}, count(*) FROM judgment WHERE {condition} GROUP BY ALL").to_arrow_table()

    plain, ours = interleave(9, [("filtered GROUP BY", group), ("two judges, one scenario, refitted", refit)])
    print(plain, ours, sep="\n", flush=True)
    return Ratio(f"at {size.judgments:,}: filtered refit / filtered GROUP BY", ours, plain, REFIT)


def _codes(frame: pd.DataFrame) -> tuple[Codes, Codes, Codes, int]:
    """A frame of names as codes, by pandas."""
    models = pd.Index(pd.unique(pd.concat([frame["model_a"], frame["model_b"]])))
    winner = frame["winner"].map({"tie": 0, "model_a": 1, "model_b": 2}).to_numpy(np.uint8)
    return models.get_indexer(frame["model_a"]), models.get_indexer(frame["model_b"]), winner, len(models)


def _evalica(frame: pd.DataFrame) -> None:
    winners = frame["winner"].map(
        {"tie": evalica.Winner.Draw, "model_a": evalica.Winner.X, "model_b": evalica.Winner.Y}
    )
    evalica.bradley_terry(frame["model_a"], frame["model_b"], winners)


def _design(
    a: np.ndarray, b: np.ndarray, winner: np.ndarray, n_models: int
) -> tuple[csr_array, np.ndarray, np.ndarray]:
    """Rows of +1 at a and -1 at b; a tie stands in two rows of half the weight, one for each side."""
    tied = winner == 0
    left, right = np.concatenate([a, a[tied]]), np.concatenate([b, b[tied]])
    label = np.concatenate([winner != 2, np.zeros(int(tied.sum()), dtype=bool)])
    weight = np.concatenate([np.where(tied, 0.5, 1.0), np.full(int(tied.sum()), 0.5)])
    n = len(left)
    column = np.stack([left, right], axis=1).reshape(-1).astype(np.int32)
    value = np.tile([1.0, -1.0], n)
    return csr_array((value, column, np.arange(0, 2 * n + 1, 2)), shape=(n, n_models)), label, weight


def _regression(design: csr_array, label: np.ndarray, weight: np.ndarray) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression

    found = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-6, max_iter=1000).fit(design, label, weight)
    return np.asarray(found.coef_)


def main() -> int:
    """Without the other benchmarks, small: to look at."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="jurylens-bench-") as folder:
        print(*measure(Path(folder), QUICK), sep="\n")
    return 0
