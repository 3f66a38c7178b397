"""How fast are posteriors under a Laplace prior, held against numpyro's NUTS in the same run?

    python -m benchmarks posteriors [--quick]

The published study's size: 33 judges, 16 scenarios, 29 properties of 5,240 simulated pairs (and the five groups that
some of them belong to); 528 fits. Ours starts from arrays, a row a judgment, and ends with means and 95 % intervals of
every fit. NUTS runs as published, 500 steps of warm-up and four chains of 2,000 draws, on a sample of the fits spread
over judges and scenarios; what it takes to compile is left out, and their mean time stands for all. How far the two are
apart is printed too.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from analysis.laplace_posterior import Posteriors, fit_posteriors
from analysis.laplace_scale import Verdicts
from benchmarks.worlds import HEAD, Ratio, Size, Times, interleave

JUDGES, PROPERTIES = 33, 29
SCENARIOS = (*[400] * 9, 820, 820, 121, 459, 1418, 401, 388)
"""Pairs of each: eleven scenarios, and the groups of feelings, intent unclear, constraints, mistakes and stances."""

SCALE = 0.1
WARM_UP, DRAWS, CHAINS = 500, 2_000, 4
SAMPLE = 4
"""Fits that NUTS makes, each of another scenario's size."""

FASTER = 500
ROUNDS = 5


def measure(folder: Path, size: Size) -> list[Ratio]:
    """Print all times; the ratio to be judged."""
    quick = size.judgments < 1_000_000
    fits = draw_fits(judges=3 if quick else JUDGES)
    print(f"\n{len(fits)} posteriors of {PROPERTIES} weights\n{HEAD}", flush=True)
    [ours] = interleave(size.rounds if quick else ROUNDS, [("ours: from judgments to intervals", lambda: _fit(fits))])
    print(ours, flush=True)
    found = _fit(fits)
    # The sizes of the first scenarios are alike: from each kind one, and of different judges.
    chosen = np.linspace(0, len(fits) - 1, 2 if quick else SAMPLE).astype(int)
    taken, apart = [], []
    for fit in chosen:
        seconds, mean, tails = _nuts(fits[fit], 200 if quick else DRAWS)
        taken.append(seconds)
        apart.append((np.abs(mean - found.mean[fit]).max(), np.abs(tails - _tails(found)[:, fit]).max()))
    share = len(fits) * float(np.mean(taken))
    nuts = Times(f"numpyro's NUTS, {len(chosen)} fits timed, times {len(fits) / len(chosen):.0f}", (share,))
    print(nuts)
    print(f"  largest difference of a mean {max(one for one, _ in apart):.4f}, "
          f"of a 5 % or 95 % quantile {max(two for _, two in apart):.4f}")  # fmt: skip
    return [Ratio("posteriors: ours / numpyro's NUTS", ours, nuts, 1 / FASTER)]


def draw_fits(judges: int, seed: int = 0) -> list[Verdicts]:
    """Verdicts of each judge in each scenario; all judges see the same pairs."""
    rng = np.random.default_rng(seed)
    fits = []
    for rows in SCENARIOS:
        x = np.sign(rng.standard_normal((rows, PROPERTIES))) * (rng.random((rows, PROPERTIES)) < 0.6)
        shared = rng.laplace(0.0, 0.15, PROPERTIES)
        for _ in range(judges):
            weights = shared + 0.1 * rng.standard_normal(PROPERTIES)
            score = (rng.random(rows) < 1 / (1 + np.exp(-x @ weights))).astype(np.float64)
            fits.append(Verdicts(x, np.ones(rows), score, np.arange(rows)))
    return fits


def _fit(fits: list[Verdicts]) -> Posteriors:
    found = fit_posteriors([one.rows() for one in fits], SCALE)
    found.table(0.95)
    return found


def _tails(found: Posteriors) -> np.ndarray:
    return np.stack([found.quantile(0.05), found.quantile(0.95)])


def _nuts(fit: Verdicts, draws: int) -> tuple[float, np.ndarray, np.ndarray]:
    """Seconds of a fit without compiling, its means and its 5 % and 95 % quantiles."""
    import jax
    import jax.numpy as jnp
    import numpyro
    import numpyro.distributions as dist
    from numpyro.infer import MCMC, NUTS

    def model(x: jax.Array, y: jax.Array) -> None:
        alpha = numpyro.sample("alpha", dist.Laplace(jnp.zeros(x.shape[1]), SCALE).to_event(1))
        numpyro.sample("y", dist.Bernoulli(logits=x @ alpha), obs=y)

    def run(key: jax.Array, x: jax.Array, y: jax.Array) -> jax.Array:
        # One chain after the other was faster here than all at once.
        chains = MCMC(NUTS(model), num_warmup=WARM_UP, num_samples=draws, num_chains=CHAINS,
                      chain_method="sequential", progress_bar=False)  # fmt: skip
        chains.run(key, x, y)
        return chains.get_samples()["alpha"]

    key = jax.random.PRNGKey(0)
    x, y = jnp.array(fit.x, dtype=jnp.float32), jnp.array(fit.score, dtype=jnp.float32)
    compiled = jax.jit(run).lower(key, x, y).compile()
    began = time.perf_counter()
    alpha = np.asarray(compiled(key, x, y))
    seconds = time.perf_counter() - began
    return seconds, alpha.mean(axis=0), np.quantile(alpha, [0.05, 0.95], axis=0)
