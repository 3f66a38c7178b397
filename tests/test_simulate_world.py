"""Does the generator plant what it says, and are its expectations those of its draws?"""

from dataclasses import replace

import numpy as np
import pytest
from scipy import integrate, optimize, stats
from scipy.special import expit

from data.model import NONE, TIE, A, B
from data.simulate.cells import blocks, draw_cells, probabilities
from data.simulate.expected import expected
from data.simulate.world import Factor, Judge, World, uneven_pairs
from errors import JurylensError, OptionError


def judge(name="j", strengths=(0.5, 0.0, -0.5), weights=None, kind="llm", **more):
    weights = np.zeros((1, 0)) if weights is None else np.asarray(weights, dtype=float)
    return Judge(name, kind, np.asarray(strengths, dtype=float), weights, **more)


def bradley_terry(wins):
    """Strengths of mean 0 that maximise the likelihood of a matrix of wins."""

    def negative(theta):
        return -np.sum(wins * np.log(expit(theta[:, None] - theta[None, :])))

    theta = optimize.minimize(negative, np.zeros(len(wins)), method="BFGS", options={"gtol": 1e-10}).x
    return theta - theta.mean()


def test_without_effects_the_expectation_is_the_logistic_of_the_planted_values():
    world = World(("x", "y", "z"), (judge(decisiveness=2.0, position=0.25),))
    found = expected(world).p_a[0, 0]
    # eta = 2 (.5 - 0 + .25) and 2 (.5 - 0 - .25).
    assert found[0, 0, 1] == pytest.approx(expit(1.5), abs=1e-13)
    assert found[1, 0, 1] == pytest.approx(expit(0.5), abs=1e-13)


@pytest.mark.parametrize(("model", "tie"), [("davidson", 0.8), ("davidson", 1.9), ("rao-kupper", 0.7)])
def test_ties_of_both_models_are_integrated_exactly(model, tie):
    world = World(("x", "y", "z"), (judge(tie=tie, tie_model=model, prompt_sd=0.6),))
    found = expected(world)
    normal = stats.norm(0.5, np.sqrt(2) * 0.6)

    def p_a(eta):
        if model == "rao-kupper":
            return expit(eta - tie)
        return np.exp(eta / 2) / (np.exp(eta / 2) + np.exp(-eta / 2) + tie)

    def mean(f):
        return integrate.quad(lambda z: f(z) * normal.pdf(z), -12, 12, epsabs=1e-13)[0]

    assert found.p_a[0, 0, 0, 0, 1] == pytest.approx(mean(p_a), abs=1e-11)
    assert found.p_tie[0, 0, 0, 0, 1] == pytest.approx(mean(lambda z: 1 - p_a(z) - p_a(-z)), abs=1e-11)
    eta = np.linspace(-4, 4, 9)
    ours_a, ours_b = probabilities(world.judges[0], eta)
    np.testing.assert_allclose(ours_a, p_a(eta), rtol=1e-12)
    np.testing.assert_allclose(ours_b, p_a(-eta), rtol=1e-12)


def test_weights_that_vary_by_prompt_are_integrated_as_products_of_normals():
    world = World(
        ("x", "y", "z"),
        (judge(weights=[[0.4]], prompt_slope_sd=0.7, decisiveness=1.5),),
        (Factor("words", sd=0.9),),
        model_factor=np.array([[0.3], [-0.2], [0.0]]),
    )

    def given(d, b):
        return expit(1.5 * (0.5 + (0.4 + b) * d)) * stats.norm.pdf(b, 0, 0.7)

    def inner(d):
        density = stats.norm.pdf(d, 0.5, np.sqrt(2) * 0.9)
        return density * integrate.quad(lambda b: given(d, b), -5, 5, epsabs=1e-10)[0]

    by_hand = integrate.quad(inner, -9, 10, epsabs=1e-9)[0]
    # scipy's nested quadrature is good to about 1e-9 here.
    assert expected(world).p_a[0, 0, 0, 0, 1] == pytest.approx(by_hand, abs=1e-8)


def test_normal_effects_of_all_sources_add_up_in_variance():
    factor = (Factor("words"),)
    names = ("x", "y", "z")
    shared = World(names, (judge(weights=[[0.3]]),), factor, prompt_sd=0.7, prompt_slope_sd=0.7)
    each = judge(
        weights=[[0.3]], annotators=5, annotator_sd=0.3, annotator_slope_sd=0.2, prompt_sd=0.6, prompt_slope_sd=0.3
    )
    # .49 = .09 + .36 + .04 and .49 = .04 + .09 + .36
    split = World(names, (each,), factor, prompt_sd=0.2, prompt_slope_sd=0.6)
    np.testing.assert_allclose(expected(shared).p_a, expected(split).p_a, atol=1e-13)


def test_annotators_decisiveness_and_careless_people_are_integrated():
    people = judge(kind="human", annotators=10, careless=0.2, annotator_decisiveness_sd=0.5, tie=0.3)
    world = World(("x", "y", "z"), (people,))
    found = expected(world)

    def p_tie(eta):
        return 0.3 / (2 * np.cosh(eta / 2) + 0.3)

    def density(g):
        return stats.norm.pdf(g, 0, 0.5)

    careful = integrate.quad(lambda g: p_tie(0.5 * np.exp(g)) * density(g), -6, 6, epsabs=1e-12)[0]
    # 24 Gauss-Hermite nodes of a smooth function of a lognormal with sd .5.
    assert found.p_tie[0, 0, 0, 0, 1] == pytest.approx(0.8 * careful + 0.2 * p_tie(0), abs=1e-9)


def test_a_large_simulation_has_the_expected_outcomes():
    drawn = World.draw(1, models=4, scenarios=2, prompts=40_000, position=0.4, careless=0.1, pair_spread=0.5)
    judges = [
        replace(drawn.judges[0], annotators=8000, annotator_sd=0.7, annotator_slope_sd=0.7),
        replace(drawn.judges[1], prompt_sd=0.3, prompt_slope_sd=0.3),
        replace(drawn.judges[2], tie_model="rao-kupper", tie=0.5),
    ]
    world = replace(drawn, judges=tuple(judges))
    truth = expected(world)
    cells = draw_cells(world, np.random.default_rng(5), 400_000)
    z = []
    for j in range(3):
        for c in range(2):
            for o, s in enumerate((1, -1)):
                for a, b in [(i, k) for i in range(4) for k in range(4) if i != k]:
                    rows = (
                        (cells.judge == j) & (cells.s == s) & (cells.scenario == c)
                        & (cells.model_a == a) & (cells.model_b == b) & (cells.outcome != NONE)
                    )  # fmt: skip
                    for code, p in ((A, truth.p_a[j, c, o, a, b]), (TIE, truth.p_tie[j, c, o, a, b])):
                        share = np.mean(cells.outcome[rows] == code)
                        z.append((share - p) / np.sqrt(p * (1 - p) / rows.sum()))
    # 288 z values, nearly independent (some judgments share a response, which widens a little): mean square 1 +- .12.
    assert np.mean(np.square(z)) < 1.3
    assert np.abs(z).max() < 4.5
    assert np.abs(np.mean(z)) < 0.3
    counts = np.zeros((4, 4))
    np.add.at(counts, (cells.model_a, cells.model_b), 1)
    # Six votes share a pair, hence the factor 5 (votes) on the variance of a multinomial share, 5 sigma.
    allowed = 5 * np.sqrt(5 * world.pair_share / len(cells))
    assert (np.abs(counts / len(cells) - world.pair_share) <= allowed).all()


def test_planted_strengths_are_the_pseudo_true_ones_when_nothing_is_omitted():
    world = World(
        ("x", "y", "z"), (judge(decisiveness=1.7, tie=0.0),), pair_share=uneven_pairs(3, np.random.default_rng(2))
    )
    fitted = bradley_terry(expected(world).wins("j"))
    planted = world.truth().query("kind == 'strength'")["planted"].to_numpy()
    np.testing.assert_allclose(fitted, planted, atol=1e-6)  # the optimiser's own tolerance
    np.testing.assert_allclose(planted, [0.85, 0, -0.85])


def test_prompt_effects_attenuate_the_pseudo_true_strengths():
    world = World(("x", "y"), (judge(strengths=(0.5, -0.5), prompt_sd=1.0),))
    normal = stats.norm(1.0, np.sqrt(2))
    p = integrate.quad(lambda z: expit(z) * normal.pdf(z), -20, 20, epsabs=1e-13)[0]
    fitted = bradley_terry(expected(world).wins("j"))
    np.testing.assert_allclose(fitted[0] - fitted[1], np.log(p / (1 - p)), atol=1e-6)  # the optimiser's tolerance
    assert fitted[0] < 0.4


def test_a_fit_to_many_judgments_recovers_the_pseudo_true_strengths():
    world = World.draw(3, models=5, prompts=20_000)
    cells = draw_cells(world, np.random.default_rng(0), 200_000)
    for j, name in enumerate(("people", "judge-1", "judge-2")):
        mine = cells.take((cells.judge == j) & (cells.outcome != NONE))
        wins = np.zeros((5, 5))
        np.add.at(wins, (mine.model_a, mine.model_b), mine.y)
        np.add.at(wins, (mine.model_b, mine.model_a), 1 - mine.y)
        # At 40,000 independent pairs a strength has a standard error of about .012: five of them.
        np.testing.assert_allclose(bradley_terry(wins), bradley_terry(expected(world).wins(name)), atol=0.06)


@pytest.mark.parametrize("ties", ["half", "drop"])
def test_expectations_do_not_depend_on_the_orientation(ties):
    world = World.draw(4, models=5)
    found = expected(world)
    for name in found.judges:
        y = found.y(name, ties)
        np.testing.assert_allclose((y + y.T), 1.0, atol=1e-12)
        # With the order told, turning the pair turns the order too.
        np.testing.assert_allclose(found.y(name, ties, order=1) + found.y(name, ties, order=-1).T, 1.0, atol=1e-12)
        wins = found.wins(name, ties)
        assert wins.sum() == pytest.approx(found.share(name, ties).sum(), abs=1e-12)
    assert found.share("people").sum() == pytest.approx(1.0)
    assert found.share("people", "drop").sum() < 0.95


def test_scenarios_average_to_the_whole():
    found = expected(World.draw(4, models=4, scenarios=3))
    each = [found.wins("judge-1", scenario=name) for name in found.scenarios]
    np.testing.assert_allclose(np.mean(each, axis=0), found.wins("judge-1"), atol=1e-14)
    assert np.abs(each[0] - each[1]).max() > 1e-3


def test_every_judge_sees_every_pair_and_votes_come_from_different_people():
    world = World.draw(0, models=5, prompts=30, annotators=7, votes=4)
    cells = draw_cells(world, np.random.default_rng(1), 600)
    assert len(cells) == 600
    people = cells.take(cells.judge == 0)
    keys = people.pair * 100 + people.annotator
    assert len(np.unique(keys)) == len(keys) == 400
    assert set(np.unique(people.annotator)) == set(range(7))
    assert (cells.annotator[cells.judge > 0] == -1).all()
    for j in (1, 2):
        assert len(np.unique(cells.pair[cells.judge == j])) == 100
    first = cells.take(cells.pair == 17)
    assert len(set(zip(first.prompt, first.model_a, first.model_b, strict=True))) == 1


def test_judges_may_see_different_pairs():
    world = replace(World.draw(0, models=5, prompts=30), same_pairs=False)
    cells = draw_cells(world, np.random.default_rng(1), 500)
    assert len(cells) == 500
    for j in range(3):
        others = np.unique(cells.pair[cells.judge != j])
        assert not np.isin(cells.pair[cells.judge == j], others).any()


def test_the_largest_prompt_holds_its_share_and_the_others_differ():
    world = World.draw(0, prompts=100, largest_prompt=0.2)
    share = world.prompt_share()
    assert share.sum() == pytest.approx(1.0)
    assert share.argmax() == 0
    cells = draw_cells(world, np.random.default_rng(1), 10_000)
    counts = np.bincount(cells.prompt, minlength=100)
    assert counts[0] == pytest.approx(2000, abs=5)  # rounding to whole pairs of five judgments
    assert counts[1:].max() > 3 * counts[1:].min()


def test_refusals_and_careless_people_come_as_planted():
    drawn = World.draw(2, models=4, prompts=500, annotators=20, careless=0.25, refusals=0.2)
    cells = draw_cells(drawn, np.random.default_rng(0), 50_000)
    llm = cells.take(cells.judge == 1)
    # 10,000 judgments, binomial sd .004: five of them.
    assert np.mean(llm.outcome == NONE) == pytest.approx(0.2, abs=0.02)
    assert not (cells.outcome[cells.judge == 0] == NONE).any()
    assert np.isnan(llm.y[llm.outcome == NONE]).all()
    always = World(("x", "y"), (judge(strengths=(9, -9), kind="human", annotators=4, careless=0.25, votes=4),))
    votes = draw_cells(always, np.random.default_rng(0), 4000)
    right = (votes.outcome == A) == (votes.model_a == 0)
    by_person = [np.mean(right[votes.annotator == r]) for r in range(4)]
    assert sorted(np.round(by_person, 1)) == [0.5, 1.0, 1.0, 1.0]


def test_a_response_has_one_value_for_all_its_judgments():
    world = World.draw(0, models=3, prompts=5)
    cells = draw_cells(world, np.random.default_rng(3), 1000)
    for key in {(p, m) for p, m in zip(cells.prompt, cells.model_a, strict=True)}:
        rows = (cells.prompt == key[0]) & (cells.model_a == key[1])
        assert len(np.unique(cells.x_a[rows, 0])) == 1


def test_factor_values_have_the_planted_means():
    world = World(
        ("x", "y"),
        (judge(strengths=(0, 0), weights=[[0.1], [0.1]]),),
        (Factor("words", sd=0.5, centre=100, unit=10, whole=True),),
        ("long", "short"),
        model_factor=np.array([[1.0], [-1.0]]),
        scenario_factor=np.array([[2.0], [0.0]]),
        prompts=2000,
    )
    cells = draw_cells(world, np.random.default_rng(0), 2000)
    for model, scenario, mean in ((0, 0, 3.0), (0, 1, 1.0), (1, 0, 1.0), (1, 1, -1.0)):
        x = cells.x_a[(cells.model_a == model) & (cells.scenario == scenario), 0]
        # About 500 values with sd .5: standard error .022, five of them.
        assert np.mean(x) == pytest.approx(mean, abs=0.11)
        assert np.std(x) == pytest.approx(0.5, abs=0.08)
    np.testing.assert_array_equal(world.factors[0].shown(np.array([0.0, 1.26, -20.0])), [100, 113, 0])


def test_blocks_add_up_and_the_seed_alone_decides(monkeypatch):
    world = World.draw(0, models=4, prompts=300, largest_prompt=0.2)
    monkeypatch.setattr("data.simulate.cells.BLOCK_ROWS", 1000)
    parts = list(blocks(world, 7003, seed=9))
    assert sum(map(len, parts)) == 7003
    assert len(parts) > 5
    prompts = [set(part.prompt) for part in parts]
    assert all(not prompts[i] & prompts[k] for i in range(len(parts)) for k in range(i))
    assert set().union(*prompts) == set(draw_cells(world, np.random.default_rng(0), 7003).prompt)
    assert len({pair for part in parts for pair in part.pair}) == 1401
    again = list(blocks(world, 7003, seed=9))
    other = list(blocks(world, 7003, seed=10))
    assert all(np.array_equal(p.outcome, q.outcome) for p, q in zip(parts, again, strict=True))
    assert not all(np.array_equal(p.outcome, q.outcome) for p, q in zip(parts, other, strict=True))
    assert {int(v) for part in parts for v in np.unique(part.outcome)} == {NONE, A, B, TIE}


def test_the_truth_is_on_the_scale_of_the_log_odds():
    world = World(
        ("x", "y"),
        (judge(strengths=(2.0, 1.0), weights=[[0.5]], decisiveness=2.0, position=0.1, tie=0.5, refusals=0.1),),
        (Factor("words", sd=1.0),),
        model_factor=np.array([[1.0], [-1.0]]),
    )
    truth = world.truth().set_index(["kind", "name"])["planted"]
    assert truth["strength", "x"] == 1.0
    assert truth["strength", "y"] == -1.0
    # Half of d^2 = 4 + 2 with m = +-2: scale sqrt(6); weight 2 * .5 * sqrt(6), once over all and once a scenario.
    np.testing.assert_allclose(truth["weight"]["words"], [np.sqrt(6)] * 2)
    single = world.truth().set_index("kind")["planted"]
    assert single["position"] == pytest.approx(0.2)
    assert single["tie"] == pytest.approx(0.2)
    assert single["refusal"] == 0.1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: judge(kind="robot"), "kind 'robot' is not one of"),
        (lambda: judge(tie=2.0), "below 2"),
        (lambda: judge(tie_model="elo"), "tie model 'elo'"),
        (lambda: judge(careless=0.1), "no annotators"),
        (lambda: judge(votes=3, annotators=2), "3 votes a pair"),
        (lambda: judge(refusals=1.0), "shares between 0 and 1"),
        (lambda: World(("x", "y"), (judge(),)), "must have the shapes"),
        (lambda: World(("x",), (judge(),)), "at least two models"),
        (lambda: World(("x", "y", "z"), (judge(),), pair_share=np.ones((3, 3))), "pair_share must be"),
        (lambda: World(("x", "y", "z"), (judge(),), scenario_share=np.array([0.4])), "must sum to 1"),
        (lambda: World(("x", "y", "z"), (judge(),), model_factor=np.ones((2, 2))), "this world needs"),
        (lambda: World(("x", "y", "z"), (judge(),), prompts=4, largest_prompt=0.1), "cannot hold 0.1"),
    ],
)
def test_a_world_that_cannot_be_is_refused(make, message):
    with pytest.raises(OptionError, match=message):
        make()


def test_expectations_refuse_unknown_names():
    found = expected(World.draw(0))
    with pytest.raises(JurylensError, match="did you mean 'people'"):
        found.y("peeple")
    with pytest.raises(OptionError, match="'half' or 'drop'"):
        found.y("people", "davidson")
    with pytest.raises(OptionError, match="order is"):
        found.y("people", order=0)
    with pytest.raises(OptionError, match="at least 1"):
        draw_cells(World.draw(0), np.random.default_rng(0), 0)
