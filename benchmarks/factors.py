"""What does a fit of thirty factors to ten million judgments cost, from the store to clustered errors?

    python -m benchmarks factors [--quick]

Five judges, a hundred models, a tenth as many prompts as judgments. Ours goes the whole way from the store: joining
judgments with the differences of their answers, the weights of every judge, and their covariance clustered by prompt.
The peers start from ready arrays in memory, a row a judgment, as those who use them do: scikit-learn's logistic
regression without penalty (lbfgs), ties in two rows of half the weight, and no errors; statsmodels' GLM with
clustered errors on as many rows as it can hold, its time taken times the rest. Ours sums judgments alike in pair and
shown order; what scikit-learn takes when it is given the same sums is printed too. What ours holds in memory is
measured in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from analysis.design import Design
from analysis.factor_covariance import weight_covariance
from analysis.factor_fit import fit_factors
from benchmarks.worlds import DATASET, HEAD, JUDGES, MODELS, SCENARIOS, Ratio, Size, Times, interleave, peak_memory
from data.model import silent
from data.store import Store
from studies.factor_data import FactorData, Loaded, fetch, load
from studies.factors_fit import FactorsFit
from studies.pack import pack
from studies.simulate import add_simulated

JUDGMENTS, FACTORS = 10_000_000, 30
HELD = 500_000
"""Rows of statsmodels' fit: with the 31 columns and what it makes of them 3 GB."""
FASTER_THAN_STATSMODELS, FASTER_THAN_SKLEARN = 25, 2
MEMORY = 2_000
"""MB that the whole may hold, Python and its libraries included."""
ROUNDS = 5


def measure(folder: Path, size: Size) -> list[Ratio]:
    """Print all times; the ratios to be judged."""
    quick = size.judgments < 1_000_000
    wanted = replace(size, judgments=size.judgments if quick else JUDGMENTS, models=min(size.models, MODELS))
    print(f"\n{wanted.judgments:,} judgments of {JUDGES} judges, {FACTORS} factors", flush=True)
    path = folder / "factors.duckdb"
    began = time.perf_counter()
    store = Store(path)
    add_simulated(
        store, DATASET, judgments=wanted.judgments, models=wanted.models, judges=JUDGES, factors=FACTORS,
        scenarios=SCENARIOS, prompts=wanted.prompts,
    )  # fmt: skip
    made = time.perf_counter()
    pack(store, DATASET)
    packed = time.perf_counter() - made
    print(f"  simulated and stored in {made - began:,.0f} s, differences packed in {packed:,.0f} s, "
          f"{path.stat().st_size / 1e6:,.0f} MB\n{HEAD}", flush=True)  # fmt: skip
    study = FactorsFit(dataset=DATASET).resolve(store)
    [ours] = interleave(ROUNDS, [("ours: from the store to clustered errors", lambda: study.answer(store, silent))])
    print(ours, flush=True)
    alone = _alone(path)
    print(f"  in a process of its own: {alone:,.0f} MB at most", flush=True)
    data = fetch(store, study)
    [fit] = interleave(1, [("of that: weights and errors alone", lambda: _fit(data))])
    loaded = load(store, study)
    sklearn = Times(
        "scikit-learn, from ready arrays, no errors",
        (sum(_sklearn(_judgments(loaded, judge)) for judge in study.judge),),
    )
    summed = Times(
        "scikit-learn, judgments summed beforehand", (sum(_sklearn(_rows(one)) for one in data.design.values()),)
    )
    rows, seconds = _statsmodels(_judgments(loaded, study.judge[-1]))
    share = sum(design.n_judgments for design in data.design.values()) / rows
    statsmodels = Times(f"statsmodels, {rows:,} judgments, times {share:.1f}", (seconds * share,))
    print(fit, sklearn, summed, statsmodels, sep="\n", flush=True)
    if not quick and alone > MEMORY:
        raise SystemExit(f"the fit holds {alone:,.0f} MB; promised are {MEMORY:,}")
    return [
        Ratio("factors: ours / statsmodels with clustered errors", ours, statsmodels, 1 / FASTER_THAN_STATSMODELS),
        Ratio("factors: ours / scikit-learn without errors", ours, sklearn, 1 / FASTER_THAN_SKLEARN),
    ]


def _fit(data: FactorData) -> None:
    for design in data.design.values():
        weight_covariance([fit_factors(design)], [design], data.clustering)


@dataclass(frozen=True)
class _Arrays:
    """Of one judge: x (rows, position and factors), y in [0, 1] with .5 for a tie, weight, prompt."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    prompt: np.ndarray


def _judgments(loaded: Loaded, judge: str) -> _Arrays:
    """A row a judgment."""
    columns = loaded.said.columns
    mine = np.flatnonzero(columns["judge_id"] == loaded.names.judges[judge][0])
    mine = mine[loaded.complete[loaded.at[mine]]]
    x = np.column_stack([columns["shown"][mine], loaded.x[:, loaded.at[mine]].T]).astype(np.float64)
    return _Arrays(x, columns["p_a"][mine], np.ones(len(mine)), columns["prompt"][mine])


def _rows(design: Design) -> _Arrays:
    """Judgments alike in one row."""
    assert design.first is not None
    x = np.column_stack([design.first, design.x[:, design.at].T]).astype(np.float64)
    weight = np.asarray(design.weight, dtype=np.float64)
    return _Arrays(x, design.score / weight, weight, design.clusters["prompt"])


def _sklearn(judge: _Arrays) -> float:
    """Seconds of a fit, the arrays not counted."""
    from sklearn.linear_model import LogisticRegression

    x, y, weight = judge.x, judge.y, judge.weight
    soft = (y > 0) & (y < 1)
    both = np.concatenate([x, x[soft]])
    label = np.concatenate([y > 0, np.zeros(int(soft.sum()), dtype=bool)])
    share = np.concatenate([np.where(soft, weight * y, weight), weight[soft] * (1 - y[soft])])
    began = time.perf_counter()
    LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-6, max_iter=1000).fit(both, label, share)
    return time.perf_counter() - began


def _statsmodels(judge: _Arrays) -> tuple[int, float]:
    """Judgments of a fit that it can hold, and its seconds."""
    import statsmodels.api as sm

    x, y, prompt = judge.x[:HELD], judge.y[:HELD], judge.prompt[:HELD]
    began = time.perf_counter()
    model = sm.GLM(y, x, family=sm.families.Binomial())
    model.fit(cov_type="cluster", cov_kwds={"groups": prompt})
    return len(y), time.perf_counter() - began


def _alone(path: Path) -> float:
    """MB that a process which does nothing else held at most."""
    work = f"from benchmarks.factors import tell_peak; tell_peak({str(path)!r})"
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run([sys.executable, "-c", work], cwd=root, capture_output=True, text=True, check=True)
    return float(done.stdout)


def tell_peak(path: str) -> None:
    """Print how many MB this process held at most with the weights of every judge of a store."""
    store = Store(Path(path))
    FactorsFit(dataset=DATASET).resolve(store).answer(store, silent)
    print(peak_memory() or 0.0)
