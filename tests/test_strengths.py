"""Strengths with ties, position and covariates: by hand, against direct optimisation and statsmodels, refusals."""

import dataclasses

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize
from toy import cells_of, random_cells, swapped

from analysis.cells import Cells
from analysis.sandwich import strength_covariance
from analysis.strengths import coefficient_index, fit_strengths
from analysis.vcov import Clustering
from errors import NotIdentifiedError, OptionError

TIE_MODELS = ("davidson", "rao-kupper")
NU_OR_TAU = {"davidson": "log nu", "rao-kupper": "tau"}


def with_ties(cells: Cells) -> Cells:
    """Cells of one judgment each, with their ties apart."""
    return dataclasses.replace(cells, tied=cells.weight * (cells.score == cells.weight / 2))


def tie_cells(seed, ties="davidson", n=600, n_models=5, n_prompts=60, position=0.3) -> Cells:
    """Judgments drawn from a tie model with nu = .8 or tau = .4."""
    rng = np.random.default_rng(seed)
    cells = random_cells(rng, n_models=n_models, n=n, n_prompts=n_prompts, first=True)
    theta = np.linspace(-1, 1, n_models)
    eta = theta[cells.i] - theta[cells.j] + position * cells.first
    win, loss = outcome_probabilities(ties, eta, np.log(0.8) if ties == "davidson" else 0.4)
    u = rng.random(n)
    y = np.where(u < win, 1.0, np.where(u < win + loss, 0.0, 0.5))
    return with_ties(dataclasses.replace(cells, score=y))


def with_covariates(cells: Cells, seed=0) -> Cells:
    rng = np.random.default_rng(seed)
    z, flag = rng.normal(size=len(cells.i)), rng.integers(-1, 2, len(cells.i)).astype(float)
    eta = 0.5 * z - 0.4 * flag
    flip = rng.random(len(z)) < 1 / (1 + np.exp(-eta))
    score = np.where(rng.random(len(z)) < 0.5, flip * cells.weight, cells.score)
    return dataclasses.replace(cells, score=score, covariates={"length": z, "list": flag})


def outcome_probabilities(ties, eta, tie):
    """P(win), P(loss), straight from the definitions of the two models."""
    if ties == "davidson":
        a, b, nu = np.exp(eta), np.ones_like(eta), np.exp(tie)
        total = a + b + nu * np.sqrt(a * b)
        return a / total, b / total
    return 1 / (1 + np.exp(tie - eta)), 1 / (1 + np.exp(tie + eta))


def design(cells: Cells) -> np.ndarray:
    """One row a cell: models against the last one, the shown order, covariates."""
    x = np.zeros((len(cells.i), len(cells.models)))
    rows = np.arange(len(cells.i))
    x[rows, cells.i] += 1
    x[rows, cells.j] -= 1
    extra = [cells.first] if cells.first is not None else []
    return np.column_stack([x[:, :-1], *extra, *cells.covariates.values()])


def row_log_likelihood(cells, ties, x, b):
    win, loss = outcome_probabilities(ties, x @ b[:-1], b[-1])
    won, lost = cells.score - cells.tied / 2, cells.weight - cells.score - cells.tied / 2
    return won * np.log(win) + lost * np.log(loss) + cells.tied * np.log(1 - win - loss)


def contrast_of(fit):
    """(k - 1, k) parameters as `design` has them, from ours."""
    n, k = len(fit.models), len(fit.parameters)
    out = np.delete(np.eye(k), n - 1, axis=0)
    out[: n - 1, n - 1] = -1
    return out


def test_davidson_of_two_models_by_hand():
    # 6 wins, 3 losses, 4 ties: three frequencies, three outcomes. e^eta = 6/3, nu = 4 / sqrt(6 * 3).
    rows = [("A", "B", 1)] * 6 + [("A", "B", 0)] * 3 + [("A", "B", 0.5)] * 4
    fit = fit_strengths(with_ties(cells_of(rows)), ties="davidson")
    assert fit.strength[0] - fit.strength[1] == pytest.approx(np.log(2), abs=1e-9)
    assert np.exp(fit.tie) == pytest.approx(4 / np.sqrt(18), rel=1e-9)
    assert fit.share_of_ties == pytest.approx(4 / np.sqrt(18) / (2 + 4 / np.sqrt(18)), rel=1e-9)
    frequencies = np.array([6, 3, 4]) / 13
    assert fit.log_likelihood == pytest.approx(13 * frequencies @ np.log(frequencies), rel=1e-12)


def test_rao_kupper_of_two_models_by_hand():
    # logit(6/13) = eta - tau and logit(3/13) = -eta - tau.
    rows = [("A", "B", 1)] * 6 + [("A", "B", 0)] * 3 + [("A", "B", 0.5)] * 4
    fit = fit_strengths(with_ties(cells_of(rows)), ties="rao-kupper")
    one, two = np.log(6 / 7), np.log(3 / 10)
    assert fit.strength[0] - fit.strength[1] == pytest.approx((one - two) / 2, abs=1e-9)
    assert fit.tie == pytest.approx(-(one + two) / 2, rel=1e-9)
    # Between equals: 1 - 2 sigmoid(-tau).
    assert fit.share_of_ties == pytest.approx(1 - 2 / (1 + np.exp(fit.tie)), rel=1e-9)


@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("covariates", [(), ("length", "list")])
@pytest.mark.parametrize("ties", TIE_MODELS)
def test_direct_optimisation_finds_the_same(ties, covariates, position):
    cells = tie_cells(1, ties)
    rng = np.random.default_rng(2)
    weight = rng.uniform(0.5, 2, len(cells.i))
    z = {name: rng.normal(size=len(weight)) for name in covariates}
    cells = dataclasses.replace(
        cells, weight=weight, score=cells.score * weight, tied=cells.tied * weight, covariates=z
    )
    if not position:
        cells = cells.without_position()
    fit = fit_strengths(cells, ties=ties, position=position, covariates=covariates)
    x = design(cells)
    free = np.append(np.zeros(x.shape[1]), -0.5)

    def constrained(b):
        return b if ties == "davidson" else np.append(b[:-1], np.exp(b[-1]))

    # Without our derivatives or Newton steps.
    found = minimize(lambda b: -row_log_likelihood(cells, ties, x, constrained(b)).sum(), free, method="BFGS", tol=1e-8)
    assert fit.log_likelihood == pytest.approx(-found.fun, abs=1e-7)
    # BFGS with numerical gradients stops at about 1e-5 of the optimum.
    assert contrast_of(fit) @ fit.parameters == pytest.approx(constrained(found.x), abs=2e-4)


def numerical_pieces(cells, ties, b):
    """Scores of each row (n, k) and the negative Hessian (k, k), by central differences."""
    x, k, h = design(cells), len(b), 1e-5
    steps = np.eye(k) * h
    scores = np.stack(
        [
            (row_log_likelihood(cells, ties, x, b + s) - row_log_likelihood(cells, ties, x, b - s)) / (2 * h)
            for s in steps
        ],
        axis=1,
    )
    total = np.empty((k, k))
    h = 1e-3
    for r in range(k):
        for c in range(k):
            value = 0.0
            for sign_r in (1, -1):
                for sign_c in (1, -1):
                    at = b + h * (sign_r * np.eye(k)[r] + sign_c * np.eye(k)[c])
                    value += sign_r * sign_c * row_log_likelihood(cells, ties, x, at).sum()
            total[r, c] = -value / (4 * h * h)
    return scores, total


@pytest.mark.parametrize("covariates", [(), ("length",)])
@pytest.mark.parametrize("ties", TIE_MODELS)
def test_clustered_errors_of_tie_models_against_numerical_scores(ties, covariates):
    cells = tie_cells(3, ties)
    cells = dataclasses.replace(
        cells, covariates={name: np.random.default_rng(1).normal(size=len(cells.i)) for name in covariates}
    )
    fit = fit_strengths(cells, ties=ties, position=True, covariates=covariates)
    contrast = contrast_of(fit)
    scores, hessian = numerical_pieces(cells, ties, contrast @ fit.parameters)
    bread = np.linalg.inv(hessian)
    # The differences of h = 1e-3 leave about h^2 of the Hessian.
    assert contrast @ fit.bread @ contrast.T == pytest.approx(bread, rel=1e-4, abs=1e-8)
    codes = cells.clusters["prompt"]
    sums = np.stack([scores[codes == one].sum(axis=0) for one in np.unique(codes)])
    g = len(sums)
    expected = bread @ (sums.T @ sums) @ bread * g / (g - 1)
    found = strength_covariance([fit], [cells], Clustering("prompt"))
    assert contrast @ found.vcov @ contrast.T == pytest.approx(expected, rel=1e-3, abs=1e-8)


@pytest.mark.parametrize("position", [False, True])
def test_statsmodels_finds_the_same_with_covariates(position):
    cells = with_covariates(random_cells(np.random.default_rng(4), first=True))
    if not position:
        cells = cells.without_position()
    fit = fit_strengths(cells, position=position, covariates=("length", "list"))
    codes = cells.clusters["prompt"]
    model = sm.GLM(cells.score, design(cells), family=sm.families.Binomial())
    theirs = model.fit(
        tol=1e-14, cov_type="cluster", cov_kwds={"groups": codes, "use_correction": False, "df_correction": False}
    )
    contrast = contrast_of(fit)
    assert contrast @ fit.parameters == pytest.approx(theirs.params, abs=1e-8)
    g = len(set(codes.tolist()))
    found = strength_covariance([fit], [cells], Clustering("prompt"))
    assert contrast @ found.vcov @ contrast.T == pytest.approx(theirs.cov_params() * g / (g - 1), rel=1e-6)
    naive = model.fit(tol=1e-14).cov_params()
    assert contrast @ fit.bread @ contrast.T == pytest.approx(naive, rel=1e-6)


@pytest.mark.parametrize("ties", ["half", *TIE_MODELS])
@pytest.mark.parametrize("covariates", [(), ("length",)])
def test_few_clusters_are_exact_refits(ties, covariates):
    cells = tie_cells(5, n_prompts=12)
    cells = dataclasses.replace(
        cells, covariates={name: np.random.default_rng(1).normal(size=len(cells.i)) for name in covariates}
    )
    fit = fit_strengths(cells, ties=ties, position=True, covariates=covariates)
    found = strength_covariance([fit], [cells], Clustering("prompt"))
    total = np.zeros((len(fit.parameters),) * 2)
    for one in range(12):
        rest = cells.clusters["prompt"] != one
        columns = {name: getattr(cells, name)[rest] for name in ("i", "j", "weight", "score", "count", "first", "tied")}
        less = Cells(cells.models, **columns, covariates={n: z[rest] for n, z in cells.covariates.items()})
        away = fit_strengths(less, ties=ties, position=True, covariates=covariates).parameters - fit.parameters
        total += np.outer(away, away)
    assert found.vcov == pytest.approx(total * 11 / 12, rel=1e-5, abs=1e-9)
    assert found.quantiles.df == 11


@pytest.mark.parametrize("ties", TIE_MODELS)
def test_heavy_clusters_two_ways_and_two_judges(ties):
    one = tie_cells(6, ties, n_prompts=80)
    prompt = np.where(np.random.default_rng(0).random(600) < 0.2, 200, one.clusters["prompt"])
    one = dataclasses.replace(one, clusters=dict(one.clusters) | {"prompt": prompt})
    two = dataclasses.replace(one, score=1 - one.score)
    fits = [fit_strengths(part, ties=ties) for part in (one, two)]
    joint = strength_covariance(fits, [one, two], Clustering("prompt"))
    assert "1 with more than 5 % of the judgments by jackknife" in joint.method
    k = len(fits[0].parameters)
    # The second judge says the opposite of the first in every judgment.
    turn = np.diag([-1.0] * 5 + [1.0])
    assert joint.vcov[:k, k:] == pytest.approx(joint.vcov[:k, :k] @ turn, rel=1e-6, abs=1e-9)
    both = strength_covariance(fits[:1], [one], Clustering("prompt+annotator"))
    assert len(both.terms) == 3
    assert (both.se > 0).all()


@pytest.mark.parametrize("ties", ["half", *TIE_MODELS])
def test_what_must_not_matter(ties):
    cells = with_ties(with_covariates(dataclasses.replace(tie_cells(7), tied=None)))
    fit = fit_strengths(cells, ties=ties, position=True, covariates=("length", "list"))
    se = strength_covariance([fit], [cells], Clustering("prompt")).se

    def same(other: Cells, **options) -> None:
        again = fit_strengths(other, ties=ties, position=True, covariates=("length", "list"))
        assert again.parameters == pytest.approx(fit.parameters, abs=1e-8)
        assert strength_covariance([again], [other], Clustering("prompt")).se == pytest.approx(se, rel=1e-6)

    turned = dataclasses.replace(
        swapped(cells), tied=cells.tied, covariates={name: -z for name, z in cells.covariates.items()}
    )
    same(turned)
    # Half of the rows turned round; each judgment twice within its prompt.
    half = np.random.default_rng(0).random(600) < 0.5
    columns = {
        name: np.where(half, getattr(turned, name), getattr(cells, name))
        for name in ("i", "j", "weight", "score", "count", "first", "tied")
    }
    z = {name: np.where(half, -z, z) for name, z in cells.covariates.items()}
    same(Cells(cells.models, **columns, clusters=cells.clusters, covariates=z))
    same(dataclasses.replace(cells, weight=2 * cells.weight, score=2 * cells.score, tied=2 * cells.tied))
    # A covariate in other units.
    other = dataclasses.replace(cells, covariates=dict(cells.covariates) | {"length": 1000 * z["length"]})
    scaled = fit_strengths(
        dataclasses.replace(cells, covariates=dict(cells.covariates) | {"length": 1000 * cells.covariates["length"]}),
        ties=ties, position=True, covariates=("length", "list"),
    )  # fmt: skip
    assert scaled.strength == pytest.approx(fit.strength, abs=1e-8)
    assert scaled.coefficients["length"] * 1000 == pytest.approx(fit.coefficients["length"], rel=1e-7)
    assert other.n_judgments == cells.n_judgments


def test_no_covariates_is_the_plain_model():
    cells = with_ties(tie_cells(8))
    zero = dataclasses.replace(cells, covariates={"z": np.random.default_rng(0).normal(size=600)})
    plain = fit_strengths(cells, position=True)
    fit = fit_strengths(zero, position=True, covariates=("z",))
    assert list(fit.coefficients) == ["position", "z"]
    assert coefficient_index(fit, "z") == 6
    # A covariate of pure noise moves little; the plain model is its fit at 0.
    assert fit.log_likelihood >= plain.log_likelihood
    assert fit.strength == pytest.approx(plain.strength, abs=0.05)


@pytest.mark.parametrize("ties", TIE_MODELS)
def test_cells_may_be_summed(ties):
    cells = tie_cells(9, ties)
    fit = fit_strengths(cells, ties=ties)
    key = (cells.i * 5 + cells.j) * 60 + cells.clusters["prompt"]
    code, inverse = np.unique(key, return_inverse=True)
    sums = {name: np.bincount(inverse, getattr(cells, name)) for name in ("weight", "score", "tied")}
    i, j = code // 60 // 5, code // 60 % 5
    summed = Cells(cells.models, i, j, count=np.bincount(inverse), **sums, clusters={"prompt": code % 60})
    again = fit_strengths(summed, ties=ties)
    assert again.parameters == pytest.approx(fit.parameters, abs=1e-9)
    assert again.n_judgments == 600
    one = strength_covariance([fit], [cells], Clustering("prompt"))
    assert strength_covariance([again], [summed], Clustering("prompt")).se == pytest.approx(one.se, rel=1e-7)


# -- refusals ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ties", TIE_MODELS)
def test_ties_there_must_be_and_not_only_ties(ties):
    no_ties = with_ties(cells_of([("A", "B", 1), ("A", "B", 0)]))
    with pytest.raises(NotIdentifiedError, match="there is no tie among"):
        fit_strengths(no_ties, ties=ties)
    with pytest.raises(NotIdentifiedError, match="all judgments are ties"):
        fit_strengths(with_ties(cells_of([("A", "B", 0.5)])), ties=ties)
    with pytest.raises(ValueError, match="which judgments are ties"):
        fit_strengths(cells_of([("A", "B", 0.5)]), ties=ties)


@given(st.integers(0, 100_000))
def test_what_a_tie_model_refuses_is_what_separates(seed):
    """A linear programme says whether some order explains wins and ties without limit; the fit must agree."""
    rng = np.random.default_rng(seed)
    n, rows = int(rng.integers(2, 5)), []
    for _ in range(int(rng.integers(4, 12))):
        i, j = rng.choice(n, 2, replace=False)
        rows.append((f"m{i}", f"m{j}", rng.choice([0, 0.5, 1], p=[0.15, 0.35, 0.5])))
    cells = with_ties(cells_of(rows))
    # What the plain model keeps on one scale, so that only the tie parameter is in question.
    try:
        plain = fit_strengths(cells)
    except NotIdentifiedError:
        return
    kept = cells.among(plain.models)
    m = len(plain.models)
    constraints = []
    for i, j, y in zip(kept.i, kept.j, kept.score, strict=True):
        d = np.zeros(m)
        d[i], d[j] = 1, -1
        # Wins by at least 1, ties within 1: A_ub x <= b_ub.
        constraints += [(-d, -1.0)] if y == 1 else [(d, -1.0)] if y == 0 else [(d, 1.0), (-d, 1.0)]
    feasible = linprog(
        np.zeros(m), np.array([c[0] for c in constraints]), [c[1] for c in constraints], bounds=(None, None)
    ).success
    for ties in TIE_MODELS:
        if feasible or not kept.tied.any():
            with pytest.raises(NotIdentifiedError, match=r"share of ties cannot be estimated|no tie|all judgments"):
                fit_strengths(cells, ties=ties)
        else:
            assert np.abs(fit_strengths(cells, ties=ties).parameters).max() < 30


def test_covariates_that_say_nothing_or_everything_are_named():
    cells = random_cells(np.random.default_rng(1))
    n = len(cells.i)
    good = np.random.default_rng(2).normal(size=n)
    of_models = np.array([0.3, 1, 2, -1, 0.5])

    def fit(position=False, **z):
        return fit_strengths(dataclasses.replace(cells, covariates=z), covariates=tuple(z), position=position)

    with pytest.raises(NotIdentifiedError, match="effect of 'empty' cannot be estimated: it is 0"):
        fit(good=good, empty=np.zeros(n))
    with pytest.raises(NotIdentifiedError, match=r"effect of 'size' cannot be estimated beside .*collinear"):
        fit(good=good, size=of_models[cells.i] - of_models[cells.j])
    with pytest.raises(NotIdentifiedError, match=r"effect of 'double' cannot be estimated beside .*collinear"):
        fit(good=good, double=2 * good + of_models[cells.i] - of_models[cells.j])
    with pytest.raises(NotIdentifiedError, match="effect of 'oracle' cannot be estimated: it can explain"):
        fit(good=good, oracle=np.sign(cells.score - 0.5) * np.abs(good))
    rare = np.zeros(n)
    decided = np.flatnonzero(cells.score != 0.5)[:3]
    rare[decided] = np.sign(cells.score[decided] - 0.5)
    with pytest.raises(NotIdentifiedError, match="effect of 'rare' cannot be estimated: it can explain"):
        fit(good=good, rare=rare)
    with pytest.raises(OptionError, match="two effects cannot both be called 'good'"):
        fit_strengths(dataclasses.replace(cells, covariates={"good": good}), covariates=("good", "good"))
    with pytest.raises(ValueError, match="no covariate 'nowhere'"):
        fit_strengths(cells, covariates=("nowhere",))
    with pytest.raises(NotIdentifiedError, match="records which answer"):
        fit(position=True, good=good)


def test_an_effect_large_but_finite_is_no_separation():
    # Each of three pairs of models, the flag on either side: it decides 99,999 of 100,000.
    i, j = np.array([0, 1, 2] * 2), np.array([1, 2, 0] * 2)
    flag = np.repeat([1.0, -1.0], 3)
    weight = np.full(6, 1e5)
    score = np.where(flag > 0, 1e5 - 1, 1.0)
    cells = Cells(("A", "B", "C"), i, j, weight, score, weight.astype(int), covariates={"flag": flag})
    fit = fit_strengths(cells, covariates=("flag",))
    assert fit.coefficients["flag"] == pytest.approx(np.log(99_999), rel=1e-9)
    assert fit.strength == pytest.approx(np.zeros(3), abs=1e-9)


@pytest.mark.parametrize("ties", TIE_MODELS)
def test_extremes(ties):
    # A pair of 10^8 : 1 beside an ordinary one.
    i, j = np.array([0, 1]), np.array([1, 2])
    weight, score, tied = np.array([1e8 + 1, 7.0]), np.array([1e8, 4.5]), np.array([0.0, 3.0])
    fit = fit_strengths(Cells(("A", "B", "C"), i, j, weight, score, weight.astype(int), tied=tied), ties=ties)
    assert np.isfinite(fit.parameters).all()
    assert fit.strength[0] - fit.strength[1] > 15
    # One tie in a million.
    rows = Cells(
        ("A", "B"), i[:1], j[:1], np.array([1e6]), np.array([5e5]), np.array([10**6]), tied=np.array([1.0])
    )
    assert fit_strengths(rows, ties=ties).share_of_ties == pytest.approx(1e-6, rel=1e-6)


@pytest.mark.parametrize("ties", TIE_MODELS)
def test_a_replicate_without_ties_is_ridged_and_counted(ties):
    # All ties are in prompt 0.
    rows = [("A", "B", 0.5)] * 2 + [("A", "B", 1)] * 9 + [("A", "B", 0)] * 5
    cells = with_ties(cells_of(rows, prompt=[0, 0, *(k % 7 + 1 for k in range(14))]))
    fit = fit_strengths(cells, ties=ties)
    found = strength_covariance([fit], [cells], Clustering("prompt"))
    assert found.share_ridged == pytest.approx(1 / 8)
    assert np.isfinite(found.vcov).all()
