"""Many refits at once are the same as one refit after the other."""

import numpy as np
import pytest
from toy import cells_of, random_cells

from analysis import replicates
from analysis.bradley_terry import fit_bradley_terry, newton
from analysis.cells import fold_to_pairs
from analysis.replicates import refit
from errors import ConvergenceError


@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("batch", [1, 8_000_000])
def test_each_replicate_is_its_own_fit(monkeypatch, position, batch):
    monkeypatch.setattr(replicates, "BATCH_ENTRIES", batch)
    rng = np.random.default_rng(1)
    fit = fit_bradley_terry(random_cells(rng, first=True), position=position)
    counts = fit.counts
    factor = rng.uniform(0.2, 3, (7, len(counts.a)))
    weight, score = counts.weight * factor, counts.score * factor
    ridge = np.array([0, 0, 0, 0.01, 0.01, 5, 50])
    found = refit(counts, weight, score, fit.parameters, ridge)
    for k in range(7):
        one = type(counts)(counts.n_models, counts.a, counts.b, counts.first, weight[k], score[k], counts.count)
        alone = newton(one, np.zeros(len(fit.parameters)), ridge=ridge[k]).parameters.copy()
        alone[: counts.n_models] -= alone[: counts.n_models].mean()
        # The batch stops at a squared step of 1e-10 standard errors, after which about 1e-9 is left.
        assert found[k] == pytest.approx(alone, abs=1e-8)


def test_a_model_that_a_replicate_lacks_rests_on_the_ridge():
    counts = fold_to_pairs(cells_of([("A", "B", 0.5), ("B", "C", 0.5)]))
    found = refit(counts, np.array([[4.0, 0.0]]), np.array([[3.0, 0.0]]), np.zeros(3), 0.01)
    assert np.isfinite(found).all()
    assert found[0, 2] == pytest.approx(0, abs=1e-9)
    assert found[0, 0] > 0 > found[0, 1]


def test_unfinished_replicates_are_refused(monkeypatch):
    fit = fit_bradley_terry(random_cells(np.random.default_rng(1)))
    monkeypatch.setattr(replicates, "MAX_STEPS", 1)
    with pytest.raises(ConvergenceError, match="3 replicates did not converge within 1 steps"):
        refit(fit.counts, np.tile(fit.counts.weight, (3, 1)), np.tile(fit.counts.score / 2, (3, 1)), fit.strength, 0)
