"""The cluster bootstrap of strengths: what it draws, that each replicate is the fit of what was drawn, its spread."""

import dataclasses

import numpy as np
import pytest
from toy import cells_of, random_cells, swapped

import analysis.bootstrap as bootstrap
from analysis.bootstrap import POISSON, bootstrap_strengths, replicate_strengths
from analysis.bradley_terry import fit_bradley_terry
from analysis.cells import Cells, fold_to_pairs
from analysis.rank_correlation import kendall, spearman
from analysis.replicates import refit
from analysis.sandwich import strength_covariance
from analysis.vcov import Clustering
from errors import NotIdentifiedError

PROMPT = Clustering("prompt")


def draw(cells, replicates=200, seed=0, **more):
    fit = fit_bradley_terry(cells, position=cells.first is not None)
    return fit, bootstrap_strengths([fit], [cells], "prompt", np.random.default_rng(seed), replicates=replicates, **more)[0]


def test_weights_have_mean_and_variance_one():
    assert len(POISSON) == 256
    assert POISSON.mean() == 1
    assert POISSON.var() == 1


def weighted(cells, weight_of_cluster):
    """The cells as they would be if each cluster had been met that often."""
    w = weight_of_cluster[cells.clusters["prompt"]].astype(float)
    kept = w > 0
    names = {k: v[kept] for k, v in cells.clusters.items()}
    return Cells(cells.models, cells.i[kept], cells.j[kept], (cells.weight * w)[kept], (cells.score * w)[kept],
                 cells.count[kept], None, names)  # fmt: skip


@pytest.mark.parametrize("n_prompts", [30, 3000])
def test_each_replicate_is_the_ridge_fit_of_what_was_drawn(monkeypatch, n_prompts):
    """The draws are seen on their way into the sums, and each replicate is fitted anew from its weighted cells."""
    cells = random_cells(np.random.default_rng(3), n_models=6, n_prompts=n_prompts, n=4000)
    seen = []
    plain = bootstrap._draw

    def watched(judges, n_clusters, size, seed):
        generator = np.random.Generator(np.random.SFC64(seed))
        if n_clusters <= bootstrap.FEW:
            seen.append(generator.multinomial(n_clusters, np.full(n_clusters, 1 / n_clusters), size=size))
        else:
            seen.append(POISSON[np.frombuffer(generator.bytes(n_clusters * size), np.uint8)].reshape(-1, size).T)
        return plain(judges, n_clusters, size, seed)

    monkeypatch.setattr(bootstrap, "_draw", watched)
    monkeypatch.setattr(bootstrap, "THREADS", 1)
    # Small tiles, so that several are added up.
    monkeypatch.setattr(bootstrap, "TILE", 700)
    monkeypatch.setattr(bootstrap, "SETTLED", 1e-9)
    codes = np.unique(cells.clusters["prompt"], return_inverse=True)[1]
    cells = Cells(cells.models, cells.i, cells.j, cells.weight, cells.score, cells.count, None, {"prompt": codes})
    fit, found = draw(cells, replicates=70)
    drawn = np.vstack(seen)
    assert len(drawn) == 70
    for k in range(70):
        counts = fold_to_pairs(weighted(cells, drawn[k]))
        by_hand = refit(counts, counts.weight[None], counts.score[None], fit.strength, 0.01)[0]
        assert found.strength[k] == pytest.approx(by_hand, abs=1e-7)


def test_spread_is_that_of_the_sandwich():
    cells = random_cells(np.random.default_rng(1), n_models=8, n_prompts=4000, n=20_000)
    fit, found = draw(cells, replicates=2000)
    expected = strength_covariance([fit], [cells], PROMPT).se
    # 2,000 replicates leave 1.6 % on a standard deviation; the least of 8 lies within three of them.
    assert found.strength.std(axis=0) == pytest.approx(expected, rel=0.05)
    assert found.vcov == pytest.approx(np.cov(found.strength.T))
    assert found.strength.mean(axis=1) == pytest.approx(0, abs=1e-12)


def test_soft_and_weighted_judgments_take_the_exact_way():
    """.25 and 3.7 are no halves: the sums then are floating-point ones, and say the same as rows counted twice."""
    rng = np.random.default_rng(5)
    cells = random_cells(rng, n_models=5, n_prompts=60, n=1500)
    soft = Cells(cells.models, cells.i, cells.j, cells.weight * 3.7, cells.score * 3.7, cells.count, None, cells.clusters)
    _, one = draw(cells)
    _, other = draw(soft, ridge=0.01 * 3.7)
    # The same draws of the same data in another unit; refits end within a thousandth of a standard error.
    assert one.strength == pytest.approx(other.strength, abs=2e-3)


def test_the_seed_decides_and_threads_do_not(monkeypatch):
    cells = random_cells(np.random.default_rng(2), n_prompts=300)
    first, again, other = (draw(cells, seed=seed)[1].strength for seed in (1, 1, 2))
    assert (first == again).all()
    assert not (first == other).all()
    monkeypatch.setattr(bootstrap, "THREADS", 1)
    assert (draw(cells, seed=1)[1].strength == first).all()


def test_swapping_changes_nothing():
    cells = random_cells(np.random.default_rng(2), n_prompts=300)
    assert draw(swapped(cells))[1].strength == pytest.approx(draw(cells)[1].strength, abs=1e-9)


def test_two_judges_share_their_draws():
    cells = random_cells(np.random.default_rng(4), n_prompts=200, n=3000)
    fit = fit_bradley_terry(cells)
    one, two = bootstrap_strengths([fit, fit], [cells, cells], "prompt", np.random.default_rng(0), replicates=50)
    assert (one.strength == two.strength).all()


def test_position_is_refitted_by_newton():
    cells = random_cells(np.random.default_rng(6), n_models=4, n_prompts=200, n=3000, first=True)
    fit, found = draw(cells, replicates=600)
    assert fit.position is not None
    expected = strength_covariance([fit], [cells], PROMPT).se[:-1]
    assert found.strength.std(axis=0) == pytest.approx(expected, rel=0.12)


def test_separated_replicates_are_counted_and_stay_finite():
    """One loss in one prompt of ten: a third of the replicates do not have it."""
    rows, prompts = [], []
    for k in range(10):
        rows += [("a", "b", 0.0 if k == 0 else 1.0), ("b", "c", k % 2), ("c", "b", 0.5)]
        prompts += [k] * 3
    _, found = draw(cells_of(rows, prompt=prompts), replicates=4000)
    assert found.separated.mean() == pytest.approx(0.9**10, abs=0.03)
    assert np.isfinite(found.strength).all()
    assert found.strength[found.separated][:, 0].min() > found.strength[~found.separated][:, 0].mean()


def test_extreme_counts_do_not_overflow():
    rows = [("a", "b", 1.0), ("a", "b", 0.0), ("b", "c", 1.0), ("b", "c", 0.0), ("a", "c", 0.5)]
    cells = cells_of(rows, prompt=[0, 1, 2, 3, 4], weight=[1e8, 1, 30_000, 30_000, 5])
    _, found = draw(cells)
    assert np.isfinite(found.strength).all()


def test_one_cluster_is_refused_and_work_can_be_stopped():
    rows = [("a", "b", 1.0), ("a", "b", 0.0)]
    with pytest.raises(NotIdentifiedError, match="at least 2 prompts, and there is 1"):
        draw(cells_of(rows, prompt=[0, 0]))

    class Stopped(Exception):
        pass

    def stop(share):
        raise Stopped

    with pytest.raises(Stopped):
        draw(random_cells(np.random.default_rng(0)), report=stop)


def test_one_step_spreads_like_the_refits():
    """For any fit: the spread of its replicates is that of the sandwich without its G/(G - 1)."""
    cells = random_cells(np.random.default_rng(1), n_models=6, n_prompts=3000, n=12_000)
    fit = fit_bradley_terry(cells)
    [found] = bootstrap.one_step_strengths([fit], [cells], "prompt", np.random.default_rng(0), 2000)
    expected = strength_covariance([fit], [cells], PROMPT).se
    assert found.strength.std(axis=0) == pytest.approx(expected, rel=0.05)
    assert found.strength.mean(axis=0) == pytest.approx(fit.strength, abs=4 * expected.max() / np.sqrt(2000))


def test_weights_of_one_are_the_fit_itself():
    cells = random_cells(np.random.default_rng(1), n_prompts=80)
    fit = fit_bradley_terry(cells)
    found = bootstrap.refit_weighted(fit, cells, "prompt", np.ones((80, 3), dtype=np.int16), ridge=0.0)
    # Sums of small data are kept in single precision: 24 bits, of which the score's sum over opponents loses some.
    assert found.strength == pytest.approx(np.tile(fit.strength, (3, 1)), abs=1e-6)
    with pytest.raises(ValueError, match="79 weights for 80 clusters"):
        bootstrap.refit_weighted(fit, cells, "prompt", np.ones((79, 3), dtype=np.int16))


def test_many_clusters_are_drawn_from_their_covariance_and_spread_like_the_refits():
    rng = np.random.default_rng(12)
    cells = random_cells(rng, n_models=6, n_prompts=20_000, n=40_000)
    turned = rng.random(len(cells.i)) < 0.2
    other = dataclasses.replace(cells, score=np.where(turned, 1 - cells.score, cells.score))
    fits = [fit_bradley_terry(part) for part in (cells, other)]
    quick = replicate_strengths(fits, [cells, other], "prompt", np.random.default_rng(1), replicates=4000)
    slow = bootstrap_strengths(fits, [cells, other], "prompt", np.random.default_rng(1), replicates=1000)
    exact = strength_covariance(fits, [cells, other], Clustering("prompt"))
    assert quick[0].n_clusters == slow[0].n_clusters > 16_384
    assert not quick[0].separated.any()
    both = [np.cov(np.hstack([one.strength for one in found]), rowvar=False) for found in (quick, slow)]
    # 1,000 replicates know a variance to 4.5 %, 4,000 to 2.2 %: 3 standard errors of the worst of 12.
    assert np.diag(both[0]) == pytest.approx(exact.se**2, rel=0.1)
    assert np.diag(both[0]) == pytest.approx(np.diag(both[1]), rel=0.17)
    # What the judges share in a prompt is shared in the draws: the correlation of a model's two strengths.
    found, known = (np.diag(c[:6, 6:]) / np.sqrt(np.diag(c)[:6] * np.diag(c)[6:]) for c in (both[0], exact.vcov))
    assert found == pytest.approx(known, abs=0.06)
    assert known.min() > 0.3


def test_an_interval_of_how_alike_two_orders_are_is_that_of_refits():
    """Just within what is drawn instead of refitted: few of the clusters, strengths hardly sure enough."""
    rng = np.random.default_rng(3)
    cells = random_cells(rng, n_models=60, n_prompts=6_000, n=2_700, strength=np.linspace(-1, 1, 60))
    turned = rng.random(len(cells.i)) < 0.15
    both = [cells, dataclasses.replace(cells, score=np.where(turned, 1 - cells.score, cells.score))]
    fits = [fit_bradley_terry(part) for part in both]
    least_sure = max(np.sqrt(np.diag(fit.bread).max()) for fit in fits)
    assert 0.7 * bootstrap.SURE < least_sure < bootstrap.SURE
    n = 4000
    drawn, refits = (
        way(fits, both, "prompt", np.random.default_rng(seed), replicates=n)
        for seed, way in enumerate((replicate_strengths, bootstrap_strengths))
    )
    assert not drawn[0].penalty
    assert refits[0].penalty
    for measure in (spearman, kendall):
        found, known = (np.quantile(measure(*(one.strength for one in way)), [0.025, 0.975]) for way in (drawn, refits))
        # An end of 4,000 replicates is known to 1 % of the width: 3 standard errors of a difference.
        assert found == pytest.approx(known, abs=0.045 * (known[1] - known[0])), measure


@pytest.mark.parametrize(("n_prompts", "n"), [(20_000, 400), (1_900, 40_000)])
def test_few_clusters_or_unsure_strengths_are_refitted(n_prompts, n):
    cells = random_cells(np.random.default_rng(5), n_prompts=n_prompts, n=n)
    fit = fit_bradley_terry(cells)
    [found] = replicate_strengths([fit], [cells], "prompt", np.random.default_rng(2), replicates=20)
    [refits] = bootstrap_strengths([fit], [cells], "prompt", np.random.default_rng(2), replicates=20)
    assert (found.strength == refits.strength).all()
