"""What to judge next: gains against direct inversion, links first, and prompts that the judge has not seen."""

import numpy as np
import pytest
from toy import cells_of, random_cells

from analysis.bradley_terry import fit_bradley_terry
from analysis.cells import fold_to_pairs
from analysis.next_pairs import LINK, Loose, design_effect, plan_links, plan_pairs, prior_covariance
from analysis.work_list import assign_prompts


def information(fit) -> np.ndarray:
    counts, n = fit.counts, len(fit.models)
    x = np.zeros((len(counts.a), n))
    x[np.arange(len(x)), counts.a], x[np.arange(len(x)), counts.b] = 1, -1
    p = 1 / (1 + np.exp(-x @ fit.strength))
    return x.T @ (x * (counts.weight * p * (1 - p))[:, None])


def inverse(h: np.ndarray) -> np.ndarray:
    """On the space of mean 0."""
    return np.linalg.pinv(h, rcond=1e-10)


@pytest.mark.parametrize("optimality", ["A", "D"])
def test_each_choice_is_the_best_of_all_by_direct_inversion(optimality):
    fit = fit_bradley_terry(random_cells(np.random.default_rng(1), n_models=6, n=90))
    h = information(fit)
    plan = plan_pairs(fit.strength, fit.bread, 12, optimality=optimality)
    first = []
    for _ in range(12):
        best, chosen = np.inf, None
        for i in range(6):
            for j in range(i + 1, 6):
                d = np.zeros(6)
                d[i], d[j] = 1, -1
                p = 1 / (1 + np.exp(fit.strength[j] - fit.strength[i]))
                more = h + p * (1 - p) * np.outer(d, d)
                values = np.linalg.eigvalsh(more)[1:]
                loss = np.trace(inverse(more)) if optimality == "A" else -np.log(values).sum()
                if loss < best - 1e-12:
                    best, chosen, after = loss, (i, j), more
        h = after
        first.append(chosen)
    asked = dict(zip(zip(plan.a.tolist(), plan.b.tolist(), strict=True), plan.ask.tolist(), strict=True))
    assert asked == {pair: first.count(pair) for pair in dict.fromkeys(first)}
    v = inverse(h)
    assert plan.after == pytest.approx(np.sqrt(np.diag(v)), rel=1e-9)
    assert plan.before == pytest.approx(np.sqrt(np.diag(fit.bread)), rel=1e-9)
    assert plan.gain.sum() == pytest.approx(1 - np.trace(v) / np.trace(fit.bread), rel=1e-9)


def test_one_more_judgment_of_two_equals_by_hand():
    # One of each outcome: information 2/4 on the difference, its variance 2, each strength's 1/2.
    fit = fit_bradley_terry(cells_of([("A", "B", 1), ("B", "A", 1)]))
    plan = plan_pairs(fit.strength, fit.bread, 2)
    assert (plan.before**2).tolist() == pytest.approx([0.5, 0.5])
    assert (plan.after**2).tolist() == pytest.approx([0.25, 0.25])
    assert (plan.ask.tolist(), plan.gain.tolist()) == ([2], pytest.approx([0.5]))


def test_the_design_effect_cancels_in_the_choice_and_halves_what_a_judgment_is_worth():
    fit = fit_bradley_terry(random_cells(np.random.default_rng(2), n_models=5, n=200))
    plain = plan_pairs(fit.strength, fit.bread, 30)
    heavy = plan_pairs(fit.strength, 4 * fit.bread, 30, worth=0.25)
    assert (heavy.a.tolist(), heavy.b.tolist(), heavy.ask.tolist()) == (plain.a.tolist(), plain.b.tolist(), plain.ask.tolist())
    assert heavy.after == pytest.approx(2 * plain.after)
    assert design_effect(fit.bread, 4 * fit.bread) == pytest.approx(4)


def test_no_more_is_asked_than_can_be_had():
    fit = fit_bradley_terry(random_cells(np.random.default_rng(3), n_models=4))
    room = np.zeros((4, 4), dtype=np.int64)
    room[0, 1] = room[1, 0] = 2
    room[2, 3] = room[3, 2] = 3
    plan = plan_pairs(fit.strength, fit.bread, 50, available=room)
    assert dict(zip(zip(plan.a.tolist(), plan.b.tolist(), strict=True), plan.ask.tolist(), strict=True)) == {(0, 1): 2, (2, 3): 3}
    assert room[0, 1] == 2


def test_many_judgments_are_planned_in_larger_steps(monkeypatch):
    fit = fit_bradley_terry(random_cells(np.random.default_rng(4), n_models=5))
    fine = plan_pairs(fit.strength, fit.bread, 500)
    monkeypatch.setattr("analysis.next_pairs.MOST_STEPS", 60)
    coarse = plan_pairs(fit.strength, fit.bread, 500)
    assert (fine.n, coarse.n) == (500, 500)
    assert (coarse.after**2).sum() == pytest.approx((fine.after**2).sum(), rel=0.01)


def test_the_model_known_least_is_asked_about():
    rows = [(a, b, y) for a in "ABCD" for b in "ABCD" if a < b for y in (0, 1)] * 20
    fit = fit_bradley_terry(cells_of([*rows, ("A", "E", 1), ("E", "A", 1)]))
    plan = plan_pairs(fit.strength, fit.bread, 10)
    assert set(plan.b.tolist()) == {4}
    assert plan.after[4] < 0.6 * plan.before[4]


@pytest.mark.slow
def test_the_foreseen_widths_are_those_that_come_true():
    rng = np.random.default_rng(0)
    ratios = []
    for _ in range(60):
        cells = random_cells(rng, n_models=6, n_prompts=200, n=240)
        fit = fit_bradley_terry(cells)
        if len(fit.models) < 6:
            continue
        plan = plan_pairs(fit.strength, fit.bread, 200)
        p = 1 / (1 + np.exp(fit.strength[plan.b] - fit.strength[plan.a]))
        rows = [
            (f"m{i:02}", f"m{j:02}", float(rng.random() < q))
            for i, j, n, q in zip(plan.a, plan.b, plan.ask, p, strict=True)
            for _ in range(n)
        ]
        old = [
            (f"m{i:02}", f"m{j:02}", y) for i, j, y in zip(cells.i, cells.j, cells.score / cells.weight, strict=True)
        ]
        later = fit_bradley_terry(cells_of([*old, *rows], models=cells.models))
        ratios.append(np.sqrt(np.diag(later.bread)).sum() / plan.after.sum())
    assert np.mean(ratios) == pytest.approx(1, abs=0.02)


# -- links -----------------------------------------------------------------------------------------------------------


def everywhere(n, k=5):
    return lambda model: np.where(np.arange(n) == model, 0, k)


def test_winners_meet_the_strongest_losers_the_weakest_strangers_the_middle():
    ranked, strength = np.array([0, 1, 2, 3, 4]), np.array([2.0, 1.0, 0.0, -1.0, -2.0])
    loose = [Loose((5,), "above", "won all"), Loose((6,), "below", "lost all"), Loose((7, 8), "apart", "never met")]
    links = plan_links(loose, ranked, strength, everywhere(9), 50)
    found = {}
    for a, b, ask in zip(links.a.tolist(), links.b.tolist(), links.ask.tolist(), strict=True):
        found.setdefault(a, []).append((b, ask))
    assert found[5] == [(0, 1), (1, 1), (2, 1)]
    assert found[6] == [(4, 1), (3, 1), (2, 1)]
    assert found[7] == [(2, 1), (1, 1)]
    assert found[8] == [(2, 1)]
    assert links.why[-1] == "never met"


def test_links_stop_at_n_and_repeat_an_opponent_where_there_is_no_other():
    ranked, strength = np.array([0, 1]), np.array([1.0, -1.0])
    room = lambda model: np.array([0, 2, 0, 0])  # noqa: E731
    loose = [Loose((2,), "above", "w"), Loose((3,), "above", "w")]
    links = plan_links(loose, ranked, strength, room, 3)
    assert (links.a.tolist(), links.b.tolist(), links.ask.tolist()) == ([2, 3], [1, 1], [2, 1])
    assert LINK == 3


def test_without_any_strength_the_plan_spreads():
    counts = fold_to_pairs(cells_of([("A", "B", 1)] * 9 + [("C", "D", 1)], models=tuple("ABCDE")))
    v = prior_covariance(counts)
    assert v.sum() == pytest.approx(0, abs=1e-12)
    plan = plan_pairs(np.zeros(5), v, 6)
    # E was never judged: it is asked about first, and A against B not at all.
    assert 4 in (plan.a[0], plan.b[0])
    assert (0, 1) not in set(zip(plan.a.tolist(), plan.b.tolist(), strict=True))


# -- prompts ---------------------------------------------------------------------------------------------------------


def test_prompts_are_shared_unjudged_and_the_least_used_ones():
    prompts_of = {0: np.array([0, 1, 2, 3]), 1: np.array([1, 2, 3, 4]), 2: np.array([3, 4])}
    found = assign_prompts(
        np.array([0, 1]), np.array([1, 2]), np.array([2, 5]), prompts_of, {0: np.array([3])}, np.array([0, 7, 1, 0, 0]),
        np.random.default_rng(0),
    )  # fmt: skip
    pairs = list(zip(found.row.tolist(), found.prompt.tolist(), strict=True))
    # Models 0 and 1 share 1, 2, 3, and 3 is judged; models 1 and 2 share 3 and 4. Rows take turns.
    assert pairs[0] == (0, 2)
    assert sorted(pairs) == [(0, 1), (0, 2), (1, 3), (1, 4)]
    assert [row for row, _ in pairs] == [0, 1, 0, 1]


def test_sides_are_drawn_evenly_and_by_the_seed():
    prompts = np.arange(2000)
    give = {0: prompts, 1: prompts}
    args = (np.array([0]), np.array([1]), np.array([2000]), give, {}, np.zeros(2000))
    one, again = (assign_prompts(*args, np.random.default_rng(7)) for _ in range(2))
    assert (one.turned == again.turned).all()
    assert (one.prompt == again.prompt).all()
    # Three standard errors of a fair coin.
    assert one.turned.mean() == pytest.approx(0.5, abs=3 * 0.5 / np.sqrt(2000))
