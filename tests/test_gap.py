"""Gaps: by hand, their symmetries, planted truth, and when the scale is not offered."""

import numpy as np
import pytest
from scipy import optimize, stats

from analysis.gap import find_gaps
from analysis.vcov import Clustering, Covariance, Term

NAMES = ("a", "b", "c", "d", "e")


def sandwich(estimate, vcov, n_clusters=200, name="prompt") -> Covariance:
    estimate, vcov = np.asarray(estimate, dtype=float), np.asarray(vcov, dtype=float)
    none = np.empty((0, len(estimate)))
    return Covariance(Clustering(name), estimate, (Term(name, n_clusters, 1, n_clusters, none, vcov),))


def jackknife(estimate, replicates) -> Covariance:
    estimate, replicates = np.asarray(estimate, dtype=float), np.asarray(replicates, dtype=float)
    g, k = replicates.shape
    term = Term("prompt", g, 1, g, replicates, np.zeros((k, k)))
    return Covariance(Clustering("prompt"), estimate, (term,))


def test_gap_of_two_weights_by_hand():
    # Variances .04 and .09, covariance .01: the difference has .04 + .09 - .02 = .11.
    vcov = np.zeros((4, 4))
    vcov[0, 0], vcov[2, 2], vcov[0, 2], vcov[2, 0] = 0.04, 0.09, 0.01, 0.01
    vcov[1, 1] = vcov[3, 3] = 0.01
    found = find_gaps(("x", "y"), sandwich([1.0, -1, 1.5, -1], vcov)).table()
    row = found.iloc[0]
    assert row["gap"] == pytest.approx(0.5)
    assert row["se"] == pytest.approx(np.sqrt(0.11))
    assert row["lower"] == pytest.approx(0.5 - 1.959964 * np.sqrt(0.11), abs=1e-6)
    assert row["p"] == pytest.approx(2 * stats.norm.sf(0.5 / np.sqrt(0.11)))
    assert row["q"] == pytest.approx(min(2 * row["p"], 1))


def test_scale_by_hand():
    # Ratios 2, 2, 2, 2 and one outlier; all standard errors alike, so lambda is 2 without the outlier.
    reference = np.array([1.0, -1, 2, -2, 0.5])
    judge = np.array([2.0, -2, 4, -4, 5])
    found = find_gaps(NAMES, sandwich(np.r_[reference, judge], 0.01 * np.eye(10)))
    assert found.scale.value == pytest.approx(2)
    assert found.scale.agreeing.tolist() == [True] * 4 + [False]
    # d lambda = sum r (dj - 2 dr) / sum r^2 over the four: variance (1 + 4) * .01 / 10.
    assert found.scale.se == pytest.approx(np.sqrt(0.05 / 10))
    assert found.scaled.estimate == pytest.approx([0, 0, 0, 0, 4])
    # The outlier: .01 for judge, 4 * .01 for reference, .25 * .005 for lambda.
    assert found.scaled.se[4] == pytest.approx(np.sqrt(0.05 + 0.25 * 0.005))
    # A member: (1 + 4) * .01 less what lambda takes away, r^2 * .05 / 10.
    assert found.scaled.se[0] == pytest.approx(np.sqrt(0.05 - 0.05 / 10))
    table = found.table()
    assert table["scaled_q"][4] < 1e-10
    assert (table["scaled_q"][:4] > 0.9).all()


def line(found, vcov):
    """What the scale is a ratio of, rebuilt from its definition: precision, and the best guess of the reference."""
    value, n = found.scale.value, len(found.names)
    v_r, v_j, c = np.diag(vcov)[:n], np.diag(vcov)[n:], np.diag(vcov[:n, n:])
    variance = v_j + value**2 * v_r - 2 * value * c
    share = (value * v_r - c) / variance
    return found.scale.agreeing / variance, lambda w: w[:n] + share * (w[n:] - value * w[:n])


def test_the_scale_has_noise_of_the_reference_taken_out():
    """It solves sum of precision * best guess of the reference * deviation = 0, and minimises sum of deviation^2 / its
    variance over the weights that agree (York 1966), here by a search."""
    rng = np.random.default_rng(5)
    root = rng.normal(size=(10, 10)) * 0.06
    vcov = root @ root.T + 0.02 * np.eye(10)
    reference = np.array([1.0, -0.5, 0.3, -0.2, 0.6])
    found = find_gaps(NAMES, sandwich(np.r_[reference, 1.7 * reference] + rng.normal(size=10) * 0.1, vcov))
    precision, best = line(found, vcov)
    w = found.joint.estimate
    assert (precision * best(w)) @ (w[5:] - found.scale.value * w[:5]) == pytest.approx(0, abs=1e-8)

    def loss(scale):
        variance = np.diag(vcov)[5:] + scale**2 * np.diag(vcov)[:5] - 2 * scale * np.diag(vcov[:5, 5:])
        return (found.scale.agreeing * (w[5:] - scale * w[:5]) ** 2 / variance).sum()

    value = found.scale.value
    least = optimize.minimize_scalar(loss, bounds=(value - 0.5, value + 0.5), method="bounded", options={"xatol": 1e-9})
    assert value == pytest.approx(least.x, abs=1e-6)


def test_noise_in_the_reference_does_not_draw_the_scale_to_nothing():
    """Twenty weights of a tenth to a third with errors of .08 in both: least squares of judge on reference finds .86."""
    rng = np.random.default_rng(6)
    weights = np.resize([0.3, 0.15, -0.2, 0.1, 0.0, 0.25], 20)
    vcov = 0.0064 * np.eye(40)
    names = tuple(f"f{k}" for k in range(20))
    scales = [
        find_gaps(names, sandwich(np.r_[weights, weights] + 0.08 * rng.normal(size=40), vcov)).scale.value
        for _ in range(200)
    ]
    plain = (weights @ weights) / (weights @ weights + 20 * 0.0064)
    assert plain < 0.87
    # The standard deviation is .12, that of the median of 200 runs .01.
    assert np.median(scales) == pytest.approx(1, abs=0.04)


def test_judge_and_reference_exchanged_have_the_inverse_scale():
    rng = np.random.default_rng(7)
    reference = np.array([1.0, -0.5, 0.3, -0.2, 0.6])
    estimate = np.r_[reference, 2 * reference] + rng.normal(size=10) * 0.05
    root = rng.normal(size=(10, 10)) * 0.03
    vcov = root @ root.T + 0.0025 * np.eye(10)
    turn = np.r_[5:10, 0:5]
    one = find_gaps(NAMES, sandwich(estimate, vcov))
    two = find_gaps(NAMES, sandwich(estimate[turn], vcov[np.ix_(turn, turn)]))
    assert one.scale.agreeing.all()
    assert two.scale.agreeing.all()
    assert two.scale.value == pytest.approx(1 / one.scale.value, rel=1e-7)


def test_the_derivatives_are_those_of_the_functions():
    rng = np.random.default_rng(1)
    estimate = np.r_[rng.normal(size=5), rng.normal(size=5)]
    root = rng.normal(size=(10, 10)) * 0.05
    vcov = root @ root.T
    found = find_gaps(NAMES, sandwich(estimate, vcov))
    precision, best = line(found, vcov)

    def functions(w):
        scale = (precision * best(w)) @ w[5:] / ((precision * best(w)) @ w[:5])
        return np.append(w[5:] - scale * w[:5], scale)

    step = 1e-6
    jacobian = np.column_stack(
        [(functions(estimate + step * e) - functions(estimate - step * e)) / (2 * step) for e in np.eye(10)]
    )
    expected = np.sqrt(np.diag(jacobian @ vcov @ jacobian.T))
    assert np.append(found.scaled.se, found.scale.se) == pytest.approx(expected, rel=1e-6)


def test_jackknife_recomputes_the_scale_in_every_replicate():
    rng = np.random.default_rng(2)
    estimate = np.r_[1.0, -1, 2, -2, 0.5, 2.1, -1.9, 3.9, -4, 1]
    replicates = estimate + rng.normal(size=(20, 10)) * 0.02
    found = find_gaps(NAMES, jackknife(estimate, replicates))
    a, best = line(found, jackknife(estimate, replicates).vcov)
    scales = [(a * best(w)) @ w[5:] / ((a * best(w)) @ w[:5]) for w in replicates]
    assert found.scale.se == pytest.approx(np.sqrt(19 / 20 * ((scales - np.array(found.scale.value)) ** 2).sum()))
    scaled = np.array([w[5:] - s * w[:5] for w, s in zip(replicates, scales, strict=True)])
    expected = np.sqrt(19 / 20 * ((scaled - found.scaled.estimate) ** 2).sum(0))
    assert found.scaled.se == pytest.approx(expected)
    assert found.scaled.quantiles.df == 19


def test_judge_with_doubled_weights_has_the_same_taste():
    rng = np.random.default_rng(3)
    w = rng.normal(size=5)
    root = rng.normal(size=(10, 10)) * 0.03
    joint = sandwich(np.r_[w, w + rng.normal(size=5) * 0.05], root @ root.T)
    turn = np.diag(np.r_[np.ones(5), np.full(5, 2.0)])
    double = sandwich(turn @ joint.estimate, turn @ joint.vcov @ turn.T)
    one, two = find_gaps(NAMES, joint), find_gaps(NAMES, double)
    # The weighted median's weights change with the scale; what is compared is where the same ones agree.
    if (one.scale.agreeing == two.scale.agreeing).all():
        assert two.scale.value == pytest.approx(2 * one.scale.value, rel=0.05)
    assert np.abs(two.scaled.estimate / two.scaled.se) == pytest.approx(
        np.abs(one.scaled.estimate / one.scaled.se), rel=0.2
    )


def test_turning_every_sign_turns_the_gaps():
    rng = np.random.default_rng(4)
    joint = sandwich(rng.normal(size=10), 0.01 * np.eye(10))
    turned = sandwich(-joint.estimate, joint.vcov)
    one, two = find_gaps(NAMES, joint), find_gaps(NAMES, turned)
    assert two.gap.estimate == pytest.approx(-one.gap.estimate)
    assert two.scale.value == pytest.approx(one.scale.value)
    assert two.scaled.estimate == pytest.approx(-one.scaled.estimate)


def test_equivalence_needs_the_whole_interval_inside():
    reference = np.array([1.0, -1, 2, -2, 0.5])
    precise = find_gaps(NAMES, sandwich(np.r_[reference, reference], 1e-4 * np.eye(10))).table()
    assert precise["equivalent"].tolist() == [True] * 5
    vague = find_gaps(NAMES, sandwich(np.r_[reference, reference], 0.01 * np.eye(10)))
    assert vague.table()["equivalent"].tolist() == [False] * 5
    wide = find_gaps(NAMES, sandwich(np.r_[reference, reference], 0.01 * np.eye(10)), margin=1.0)
    assert wide.table()["equivalent"].tolist() == [True] * 5
    # 90 %, not 95 %: half-width 1.645 se against the margin.
    se = vague.scaled.se[0]
    edge = find_gaps(NAMES, sandwich(np.r_[reference, reference], 0.01 * np.eye(10)), margin=1.66 * se)
    assert edge.table()["equivalent"][0]


@pytest.mark.parametrize("name", ["prompt", "none"])
def test_scale_is_not_offered_without_a_reference_to_scale(name):
    estimate = np.r_[0.05, -0.05, 0.1, -0.1, 0.02, 1, -1, 2, -2, 0.5]
    found = find_gaps(NAMES, sandwich(estimate, 0.01 * np.eye(10), name=name))
    assert found.scale is None
    assert "cannot be told from 0" in found.warnings[-1]
    table = found.table()
    for column in ("gap_scaled", "scaled_se", "scaled_lower", "scaled_upper", "scaled_p", "scaled_q", "equivalent"):
        assert table[column].isna().all()
    assert not table["q"].isna().any()
    assert len(found.scale_table()) == 0


def test_joint_test_is_hotellings():
    # Five weights of z each: Wald 5 z^2 against F(5, G - 5) * 5 (G - 1) / (G - 5).
    for clusters in (60, 1000):
        critical = stats.f(5, clusters - 5).ppf(0.95) * 5 * (clusters - 1) / (clusters - 5)
        for factor, offered in ((1.01, True), (0.99, False)):
            z = np.sqrt(factor * critical / 5)
            estimate = 0.1 * z * np.array([1, -1, 1, -1, 1, 1, -1, 1, -1, 1])
            found = find_gaps(NAMES, sandwich(estimate, 0.01 * np.eye(10), clusters))
            assert (found.scale is not None) is offered


def test_with_fewer_clusters_than_weights_the_largest_weight_decides():
    rng = np.random.default_rng(5)
    for size, offered in ((0.01, False), (10.0, True)):
        estimate = np.r_[size, np.zeros(7), rng.normal(size=8)]
        replicates = estimate + rng.normal(size=(6, 16)) * 0.1
        found = find_gaps(tuple("abcdefgh"), jackknife(estimate, replicates))
        assert (found.scale is not None) is offered


def test_two_models_have_no_scale():
    # Centred strengths of two models are one number: any ratio fits.
    half = np.array([[1.0, -1], [-1, 1]])
    vcov = np.kron(np.eye(2), half) * 0.01
    found = find_gaps(("a", "b"), sandwich([1, -1, 2, -2], vcov))
    assert found.scale is None
    assert "at least two independent weights" in found.not_scaled


def test_a_judge_against_itself_has_a_gap_of_nothing():
    w = np.array([1.0, -1, 2, -2, 0.5])
    vcov = np.kron(np.ones((2, 2)), 0.01 * np.eye(5))
    table = find_gaps(NAMES, sandwich(np.r_[w, w], vcov)).table()
    assert table["gap"].tolist() == [0.0] * 5
    assert table["p"].isna().all()
    assert table["gap_scaled"].isna().all()
