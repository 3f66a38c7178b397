"""How do factor weights vary when whole prompts or annotators are drawn anew?

The joint covariance of the weights of one or more judges by the rules of `vcov`: judges who saw the same prompts get
the covariance of their difference from it. Parameters are stacked, judge after judge.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy.linalg import block_diag

from analysis.blas import use_one_thread
from analysis.cells import Floats, Ints, dense_codes
from analysis.design import BLOCK, Design
from analysis.design_sums import THREADS, add_scores, reach, scores_by_cluster
from analysis.factor_fit import FactorFit
from analysis.refits import sums_by_group
from analysis.vcov import FEW_CLUSTERS, Clustering, Covariance, Term, cluster_mass, find_heavy, require_clusters
from errors import OptionError

UNTOLD = ", so nothing tells how sure its weight is"

FEW_A_PARAMETER = 25
"""Clusters a parameter below which each is deleted, in one Newton step: CR1 takes the residuals of a fit with many
factors for errors, and with 21 parameters on 60 prompts flags some gap in 17 % of tables without any (CR3 in 6 %)."""

HELD_MOSTLY_BY_ONE = 0.7
"""Share of what is known of some combination of weights that goes with a cluster; beyond, one step is not near."""

NUMBERS_AT_ONCE = 4_000_000
CLUSTERS_AT_ONCE = 65_536
"""Clusters whose scores are made float64 at a time."""


def weight_covariance(fits: Sequence[FactorFit], designs: Sequence[Design], clustering: Clustering) -> Covariance:
    """Joint covariance of the stacked parameters of one or more judges.

    fits, designs : one each per judge; the designs may hold further factors, which are left aside

    Raises NotIdentifiedError with fewer than two clusters, OptionError when the designs lack the codes.
    """
    used = [fit.used(design) for fit, design in zip(fits, designs, strict=True)]
    estimate = np.concatenate([fit.parameters for fit in fits])
    if clustering.name == "none":
        naive = block_diag(*[fit.bread for fit in fits])
        return Covariance(clustering, estimate, (Term("none", 0, 1, np.inf, np.empty((0, len(estimate))), naive),))
    ways = clustering.name.split("+")
    codes = {way: dense_codes([_codes(design, way) for design in used]) for way in ways}
    terms = [_term(fits, used, way, found.codes, found.n_clusters, 1) for way, found in codes.items()]
    if len(ways) == 2:
        one, two = (codes[way] for way in ways)
        both = dense_codes([p * two.n_clusters + q for p, q in zip(one.codes, two.codes, strict=True)])
        terms.append(_term(fits, used, f"{ways[0]} x {ways[1]}", both.codes, both.n_clusters, -1))
    return Covariance(clustering, estimate, tuple(terms))


def rests_on_one(designs: Sequence[Design], clustering: Clustering) -> dict[str, str]:
    """Factors of which nothing is known without a single cluster, and why: how sure their weights are cannot be told.

    Looked for where clusters are deleted one by one (below 50, and the heavy ones).
    """
    out: dict[str, str] = {}
    for way in clustering.name.split("+") if clustering.name != "none" else ():
        codes = dense_codes([_codes(design, way) for design in designs])
        deleted, _ = find_heavy(cluster_mass(designs, codes.codes, codes.n_clusters))
        if not len(deleted):
            continue
        for design, code in zip(designs, codes.codes, strict=True):
            whole = reach(design)
            for cluster in deleted:
                size, toward = (w - p for w, p in zip(whole, reach(design.take(code == cluster)), strict=True))
                for k, name in enumerate(design.names):
                    if not whole[0][k] > 0 or name in out:
                        continue
                    if size[k] <= 1e-9 * whole[0][k]:
                        out[name] = f"only one {way} has answers that differ in it{UNTOLD}"
                    elif abs(toward[k]) >= size[k] * (1 - 1e-6) and abs(whole[1][k]) < whole[0][k] * (1 - 1e-6):
                        out[name] = (
                            f"without a single {way} it always points to the "
                            f"{'winner' if toward[k] > 0 else 'loser'}{UNTOLD}"
                        )
    return out


def influences(fits: Sequence[FactorFit], designs: Sequence[Design], way: str) -> Floats:
    """(n_clusters, p) how far each cluster moves the stacked parameters: H^-1 s, to first order."""
    used = [fit.used(design) for fit, design in zip(fits, designs, strict=True)]
    codes = dense_codes([_codes(design, way) for design in used])
    parts = [
        scores_by_cluster(design, fit.rule, fit.parameters, code, codes.n_clusters).astype(np.float64) @ fit.bread
        for fit, design, code in zip(fits, used, codes.codes, strict=True)
    ]
    return np.hstack(parts)


def _codes(design: Design, way: str) -> Ints:
    if way not in design.clusters:
        raise OptionError(f"intervals clustered by {way} need the {way} of each judgment, which is not there")
    return design.clusters[way]


def _term(
    fits: Sequence[FactorFit], designs: Sequence[Design], way: str, codes: Sequence[Ints], n: int, sign: int
) -> Term:
    require_clusters(way, n)
    deleted, effective = find_heavy(cluster_mass(designs, codes, n))
    one_step = FEW_CLUSTERS <= n < FEW_A_PARAMETER * max(len(fit.parameters) for fit in fits)
    p = sum(len(fit.parameters) for fit in fits)
    linear = np.zeros((p, p))
    if one_step:
        steps = [_steps(fit, design, code, n) for fit, design, code in zip(fits, designs, codes, strict=True)]
        # One step is not near where a cluster holds most of what is known.
        refitted = np.any([held > HELD_MOSTLY_BY_ONE for _, held in steps], axis=0)
        refitted[deleted] = True
        deleted = np.flatnonzero(refitted)
        away = np.hstack([step for step, _ in steps])[~refitted]
        linear = (n - 1) / n * (away.T @ away)
    parts = [fit.without_each(design, code, deleted) for fit, design, code in zip(fits, designs, codes, strict=True)]
    replicates = np.hstack([part.parameters for part in parts])
    ridged = np.any([part.ridged for part in parts], axis=0)
    if n >= FEW_CLUSTERS and not one_step:
        bread = block_diag(*[fit.bread for fit in fits])
        linear = bread @ _meat(fits, designs, codes, n, deleted) @ bread * (n / (n - 1))
        linear = (linear + linear.T) / 2
    return Term(way, n, sign, effective, replicates, linear, int(ridged.sum()), one_step)


def _steps(fit: FactorFit, design: Design, codes: Ints, n: int) -> tuple[Floats, Floats]:
    """(n, p) how far one Newton step from the weights of all leads without each cluster (Bell and McCaffrey 2002), and
    (n,) the largest share of what is known of any combination of weights that goes with it; beyond HELD_MOSTLY_BY_ONE
    there is no step."""
    p = len(fit.parameters)
    away, most = np.zeros((n, p)), np.zeros(n)
    root = np.linalg.cholesky(fit.bread)
    at_once = max(1, NUMBERS_AT_ONCE // p**2)
    for low in range(0, n, at_once):
        rows = np.flatnonzero((codes >= low) & (codes < low + at_once))
        here = slice(low, min(low + at_once, n))
        groups = sums_by_group(design.take(rows), fit.rule, fit.parameters, codes[rows] - low, here.stop - low)
        held = root.T @ np.stack([group.information for group in groups]) @ root
        most[here] = np.linalg.eigvalsh(held)[:, -1]
        left = np.eye(p) - held
        left[most[here] > HELD_MOSTLY_BY_ONE] = np.eye(p)
        scores = np.stack([group.gradient for group in groups]) @ root
        away[here] = -np.linalg.solve(left, scores[:, :, None])[:, :, 0] @ root.T
    return away, most


def _meat(
    fits: Sequence[FactorFit], designs: Sequence[Design], codes: Sequence[Ints], n: int, without: Ints
) -> Floats:
    """(p, p) sum over clusters, but those of `without`, of the outer products of the stacked scores.

    Some clusters at a time: where rows stand in the order of their clusters, no score is held longer than that.
    """
    p = sum(len(fit.parameters) for fit in fits)
    if any(bool((code[1:] < code[:-1]).any()) for code in codes):
        whole = [
            scores_by_cluster(design, fit.rule, fit.parameters, code, n)
            for fit, design, code in zip(fits, designs, codes, strict=True)
        ]
        out = np.zeros((p, p))
        for scores in whole:
            scores[without] = 0.0
        for start in range(0, n, CLUSTERS_AT_ONCE):
            some = np.hstack([scores[start : start + CLUSTERS_AT_ONCE] for scores in whole]).astype(np.float64)
            out += some.T @ some
        return out
    # Cut between clusters, so that the longest judge has about a block of rows in each run of them.
    longest = max(codes, key=len)
    cuts = np.unique(np.append(longest[::BLOCK], n))
    cuts[0] = 0

    kind = np.result_type(*[design.x for design in designs])

    def part(start: int, stop: int) -> Floats:
        total = np.zeros((p, p))
        for low, high in zip(cuts[start:stop], cuts[start + 1 : stop + 1], strict=True):
            stacked = np.zeros((high - low, p), dtype=kind)
            at = 0
            for fit, design, code in zip(fits, designs, codes, strict=True):
                rows = np.searchsorted(code, (low, high))
                own = slice(at, at + len(fit.parameters))
                at = own.stop
                add_scores(stacked[:, own], design, fit.rule, fit.parameters, code, int(rows[0]), int(rows[1]), low)
            stacked[without[(without >= low) & (without < high)] - low] = 0.0
            total += stacked.T @ stacked
        return total

    runs = len(cuts) - 1
    if runs < 4:
        return part(0, runs)
    use_one_thread()
    with ThreadPoolExecutor(THREADS) as pool:
        return np.asarray(sum(pool.map(part, (0, runs // 2), (runs // 2, runs))))
