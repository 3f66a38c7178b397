"""Writes laplace_nuts.json: means and quantiles of posteriors under a Laplace prior by long runs of numpyro's NUTS.

    python tests/golden/make_laplace_nuts.py [--only "400 rows" ...] [--again]

The data are those of tests/laplace_cases.py, made anew from their seeds. Four chains (twelve where tails are wide) of
20,000 draws after 2,000 of warm-up, in double precision, one after the other; each is kept in the system's folder for
temporary files until the case is whole. `mcse_mean` and `mcse_tail` are the largest Monte Carlo standard errors of a
mean and of a 5 % or 95 % quantile (the latter from its means over 40 batches a chain), `r_hat` the largest split
R-hat. A case that stands in the file already is left unless --again is given, so that the script may be stopped at any
moment.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import numpyro  # noqa: E402
import numpyro.distributions as dist  # noqa: E402
from laplace_cases import CASES, Case, draw  # noqa: E402
from numpyro.diagnostics import effective_sample_size, split_gelman_rubin  # noqa: E402
from numpyro.infer import MCMC, NUTS  # noqa: E402

TARGET = Path(__file__).with_name("laplace_nuts.json")
DRAWS, WARM_UP, BATCHES = 20_000, 2_000, 40


def model(x: jax.Array, weight: jax.Array, score: jax.Array, scale: float) -> None:
    """score and weight - score are how often `a` and `b` were preferred, whole or not."""
    with numpyro.plate("factors", x.shape[1]):
        alpha = numpyro.sample("alpha", dist.Laplace(0.0, scale))
    eta = x @ alpha
    numpyro.factor("verdicts", jnp.sum(score * eta - weight * jnp.logaddexp(0.0, eta)))


def run(case: Case) -> dict[str, Any]:
    """The figures of one case."""
    began = time.perf_counter()
    chains = [run_chain(case, number) for number in range(case.chains)]
    drawn = np.stack([draws for draws, _ in chains])
    flat = drawn.reshape(-1, drawn.shape[-1])
    parts = drawn.reshape(case.chains * BATCHES, DRAWS // BATCHES, -1)
    tails = np.quantile(parts, [0.05, 0.95], axis=1)
    size = np.asarray(effective_sample_size(drawn))
    return {
        "mean": flat.mean(axis=0).round(5).tolist(),
        "sd": flat.std(axis=0).round(5).tolist(),
        "q05": np.quantile(flat, 0.05, axis=0).round(5).tolist(),
        "q95": np.quantile(flat, 0.95, axis=0).round(5).tolist(),
        "mcse_mean": round(float((flat.std(axis=0) / np.sqrt(size)).max()), 5),
        "mcse_tail": round(float(tails.std(axis=1, ddof=1).max() / np.sqrt(case.chains * BATCHES)), 5),
        "r_hat": round(float(split_gelman_rubin(drawn).max()), 5),
        "divergent": sum(divergent for _, divergent in chains),
        "seconds": round(time.perf_counter() - began, 1),
    }


def run_chain(case: Case, number: int) -> tuple[np.ndarray, int]:
    """(DRAWS, factors) draws of one chain, and how many steps diverged."""
    path = kept(case, number)
    if not path.is_file():
        x, weight, score = (jnp.array(part) for part in draw(case))
        chain = MCMC(NUTS(model), num_warmup=WARM_UP, num_samples=DRAWS, progress_bar=False)
        chain.run(jax.random.PRNGKey(number), x, weight, score, case.scale)
        divergent = int(np.sum(chain.get_extra_fields()["diverging"]))
        part = path.with_suffix(".part.npz")
        np.savez(part, draws=np.asarray(chain.get_samples()["alpha"]), divergent=divergent)
        part.rename(path)
    with np.load(path) as found:
        return found["draws"], int(found["divergent"])


def kept(case: Case, number: int) -> Path:
    """Where a chain is kept until its case is whole."""
    folder = Path(tempfile.gettempdir()) / "jurylens-nuts"
    folder.mkdir(exist_ok=True)
    return folder / f"{case.name.replace(' ', '-').replace(',', '')}-{number}.npz"


def read() -> dict[str, Any]:
    """What the file holds so far."""
    found: dict[str, Any] = json.loads(TARGET.read_text()) if TARGET.is_file() else {}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=[case.name for case in CASES])
    parser.add_argument("--again", action="store_true")
    chosen = parser.parse_args()
    jax.config.update("jax_enable_x64", True)
    for case in CASES:
        if (chosen.only and case.name not in chosen.only) or (case.name in read() and not chosen.again):
            continue
        found = run(case)
        known = read() | {case.name: found}
        order = {one.name: known[one.name] for one in CASES if one.name in known}
        TARGET.write_text(json.dumps(order, indent=1).replace("\n   ", " ").replace("\n  ]", " ]") + "\n")
        for number in range(case.chains):
            kept(case, number).unlink(missing_ok=True)
        told = {name: found[name] for name in ("mcse_mean", "mcse_tail", "r_hat", "divergent", "seconds")}
        print(case.name, told, flush=True)


if __name__ == "__main__":
    main()
