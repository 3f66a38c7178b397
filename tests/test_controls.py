"""Rankings with factors held equal: by hand, against statsmodels, unmoved by swapping, and named where impossible."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from toy import cells_of, random_cells, swapped

from analysis.cells import Cells
from analysis.controls import Contrast, Controlled, control, inflation
from analysis.vcov import choose_clustering
from errors import NotIdentifiedError, OptionError

PROMPT = choose_clustering("prompt", 60)


def world(seed: int = 0, n: int = 1500, n_prompts: int = 60, gamma: float = 0.8) -> tuple[Cells, dict[str, Contrast]]:
    """Five equal models of which the later ones write longer, and a judge who likes length; `lists` decides nothing."""
    rng = np.random.default_rng(seed)
    cells = random_cells(rng, n=n, n_prompts=n_prompts)
    values = {}
    for name, shift in (("words", 30.0), ("lists", 0.0)):
        a = 100 + shift * cells.i + 40 * rng.standard_normal(n)
        b = 100 + shift * cells.j + 40 * rng.standard_normal(n)
        values[name] = Contrast(a, b, float(np.sqrt(np.mean((a - b) ** 2))))
    z = (values["words"].a - values["words"].b) / values["words"].scale
    y = (rng.random(n) < 1 / (1 + np.exp(-gamma * z))).astype(float)
    return replace(cells, score=y), values


def turned(contrasts: dict[str, Contrast]) -> dict[str, Contrast]:
    return {name: Contrast(c.b, c.a, c.scale) for name, c in contrasts.items()}


def test_length_explains_what_equal_models_seem_to_differ_in() -> None:
    cells, values = world(n=6000)
    found = control(cells, values, PROMPT)
    table = found.table().set_index("model")
    assert float(np.ptp(table["raw"])) > 0.9  # the longest writer seems far the best
    assert float(table["controlled"].abs().max()) < 0.2
    assert (table["q"] < 0.001).sum() >= 4
    weights = found.coefficients().set_index("factor")
    assert weights.loc["words", "weight"] == pytest.approx(0.8, abs=0.12)
    assert abs(weights.loc["lists", "weight"]) < 0.1
    assert weights.loc["words", "effect"] == pytest.approx(100 / (1 + np.exp(-weights.loc["words", "weight"])))


def as_glm(cells: Cells, values: dict[str, Contrast]) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and clustered errors of a logistic GLM on dummies (the first model 0), shifted to mean 0."""
    n, m = len(cells.i), len(cells.models)
    dummies = np.zeros((n, m))
    dummies[np.arange(n), cells.i] += 1
    dummies[np.arange(n), cells.j] -= 1
    x = np.column_stack([dummies[:, 1:], *[(c.a - c.b) / c.scale for c in values.values()]])
    fitted = sm.GLM(cells.score, x, family=sm.families.Binomial()).fit(
        cov_type="cluster", cov_kwds={"groups": cells.clusters["prompt"], "use_correction": False}, tol=1e-12
    )
    k = x.shape[1]
    shift = np.zeros((k + 1, k))
    shift[1:m, : m - 1] = np.eye(m - 1)
    shift[:m, : m - 1] -= 1 / m
    shift[m:, m - 1 :] = np.eye(k - m + 1)
    g = len(np.unique(cells.clusters["prompt"]))
    vcov = shift @ (fitted.cov_params() * g / (g - 1)) @ shift.T
    return shift @ fitted.params, np.sqrt(np.diag(vcov))


def test_parity_with_statsmodels() -> None:
    """Strengths, coefficients and CR1 errors of both fits; 1e-6, where GLM's iterations end."""
    cells, values = world()
    found = control(cells, values, PROMPT)
    for some, fit, start in (({}, found.raw, 0), (values, found.fit, 5)):
        estimate, se = as_glm(cells, some)
        np.testing.assert_allclose(fit.parameters, estimate, atol=1e-6)
        np.testing.assert_allclose(found.covariance.se[start : start + len(estimate)], se, rtol=1e-6)


def test_the_change_has_the_covariance_of_a_difference() -> None:
    """V of stacked influence, by hand: D = H^-1 s of the controlled fit minus that of the raw one, summed by prompt."""
    cells, values = world()
    found = control(cells, values, PROMPT)
    both = replace(cells, covariates={n: (c.a - c.b) / c.scale for n, c in values.items()})
    influence = []
    for fit in (found.raw, found.fit):
        scores = fit.scores(fit.used(both))
        rows = np.zeros((len(cells.i), len(fit.parameters)))
        rows[np.arange(len(rows)), cells.i] += scores.residual
        rows[np.arange(len(rows)), cells.j] -= scores.residual
        if scores.further is not None:
            rows[:, 5:] = scores.further
        influence.append((rows @ fit.bread)[:, :5])
    summed = pd.DataFrame(influence[1] - influence[0]).groupby(cells.clusters["prompt"]).sum().to_numpy()
    g = len(summed)
    by_hand = np.sqrt(np.diag(summed.T @ summed) * g / (g - 1))
    change = found.change
    assert change is not None
    np.testing.assert_allclose(change.se, by_hand, rtol=1e-9)
    table = found.table().set_index("model").loc[list(cells.models)]
    np.testing.assert_allclose(table["change_se"].to_numpy(float), by_hand, rtol=1e-9)
    # Both fits see the same verdicts, so a change is surer than two independent fits would be.
    independent = np.hypot(table["raw_se"].to_numpy(float), table["controlled_se"].to_numpy(float))
    assert (by_hand < independent).all()


def same(one: Controlled, other: Controlled) -> None:
    for a, b in ((one.table(), other.table()), (one.coefficients(), other.coefficients())):
        pd.testing.assert_frame_equal(a, b, atol=1e-8, rtol=1e-8)


def test_exchanging_a_and_b_changes_nothing() -> None:
    cells, values = world()
    same(control(cells, values, PROMPT), control(swapped(cells), turned(values), PROMPT))


def test_half_of_the_cells_exchanged_changes_nothing() -> None:
    cells, values = world()
    some = np.random.default_rng(1).random(len(cells.i)) < 0.5
    other = swapped(cells)
    mixed = replace(
        cells, i=np.where(some, other.i, cells.i), j=np.where(some, other.j, cells.j),
        score=np.where(some, other.score, cells.score),
    )  # fmt: skip
    mixed_values = {
        name: Contrast(np.where(some, c.b, c.a), np.where(some, c.a, c.b), c.scale) for name, c in values.items()
    }
    same(control(cells, values, PROMPT), control(mixed, mixed_values, PROMPT))


def test_weights_multiply_and_doubling_keeps_the_estimate() -> None:
    cells, values = world()
    doubled = replace(cells, weight=cells.weight * 2, score=cells.score * 2, count=cells.count * 2)
    one, two = control(cells, values, PROMPT), control(doubled, values, PROMPT)
    np.testing.assert_allclose(one.fit.parameters, two.fit.parameters, atol=1e-9)
    # By cluster the same prompts say no more twice; taken as independent they would.
    np.testing.assert_allclose(one.covariance.se, two.covariance.se, rtol=1e-6)
    naive = choose_clustering("none", 0)
    ratio = control(cells, values, naive).covariance.se / control(doubled, values, naive).covariance.se
    np.testing.assert_allclose(ratio, np.sqrt(2), rtol=1e-6)


def test_another_scale_rescales_the_coefficient_alone() -> None:
    cells, values = world()
    wide = values | {"words": replace(values["words"], scale=values["words"].scale * 3)}
    one, three = control(cells, values, PROMPT), control(cells, wide, PROMPT)
    np.testing.assert_allclose(three.fit.strength, one.fit.strength, atol=1e-8)
    assert three.fit.coefficients["words"] == pytest.approx(3 * one.fit.coefficients["words"])


def test_few_prompts_take_the_jackknife_with_t() -> None:
    cells, values = world(n_prompts=13)
    found = control(cells, values, choose_clustering("auto", 13))
    assert found.covariance.quantiles.df == 12
    table = found.table()
    assert table["change_lower"].notna().all()
    change = found.change
    assert change is not None
    assert len(change.terms[0].replicates) == 13


def test_without_clusters_a_change_has_no_interval() -> None:
    found = control(*world(), choose_clustering("none", 0))
    table = found.table()
    assert table["change"].notna().all()
    assert table[["change_se", "change_lower", "change_upper", "p", "q"]].isna().all(axis=None)


def test_the_position_stands_beside_the_factors() -> None:
    cells, values = world()
    cells = replace(cells, first=np.where(np.arange(len(cells.i)) % 2, 1.0, -1.0))
    table = control(cells, values, PROMPT, position=True).coefficients()
    assert table["factor"].tolist() == ["position", "words", "lists"]
    assert table["q"].isna().tolist() == [True, False, False]


# --- what cannot be estimated -----------------------------------------------------------------------------------------


def test_a_factor_that_never_differs_is_left_out_and_named() -> None:
    cells, values = world()
    same_everywhere = Contrast(values["words"].a, values["words"].a, 1.0)
    found = control(cells, values | {"headers": same_everywhere, "bold": replace(same_everywhere, scale=0.0)}, PROMPT)
    assert found.factors == ("words", "lists")
    assert found.dropped == {
        "headers": "the answers that this judge compared do not differ in it",
        "bold": "no two answers of this dataset differ in it",
    }


def test_of_two_factors_that_say_the_same_the_later_goes() -> None:
    cells, values = world()
    found = control(cells, {"words": values["words"], "length": values["words"], "lists": values["lists"]}, PROMPT)
    assert found.factors == ("words", "lists")
    assert "collinear" in found.dropped["length"]


def test_a_factor_of_the_model_alone_is_no_factor() -> None:
    """Each model always as long as itself: its length cannot be told from its strength."""
    cells, values = world()
    fixed = Contrast(cells.i.astype(float), cells.j.astype(float), 1.0)
    assert "fixed by which models are compared" in control(cells, values | {"size": fixed}, PROMPT).dropped["size"]


def test_a_factor_that_decides_every_verdict_is_left_out() -> None:
    cells, values = world()
    decides = Contrast(cells.score, 1 - cells.score, 1.0)
    found = control(cells, {"words": values["words"], "verdict": decides}, PROMPT)
    assert found.factors == ("words",)
    assert "separation" in found.dropped["verdict"]


def test_nothing_is_left_to_hold_equal() -> None:
    cells, values = world()
    with pytest.raises(NotIdentifiedError, match="none of the factors can be held equal here"):
        control(cells, {"words": Contrast(values["words"].a, values["words"].a, 1.0)}, PROMPT)
    with pytest.raises(NotIdentifiedError, match="none of the factors can be held equal here"):
        control(cells, {"words": Contrast(values["words"].a, values["words"].a, 1.0)}, PROMPT, normalisation="fastchat")


def test_one_judgment_is_refused() -> None:
    cells = cells_of([("a", "b", 1.0)], prompt=[0])
    with pytest.raises(NotIdentifiedError):
        control(cells, {"words": Contrast(np.array([2.0]), np.array([1.0]), 1.0)}, PROMPT)


def test_all_ties_leave_nothing_to_explain() -> None:
    cells, values = world()
    found = control(replace(cells, score=np.full(len(cells.i), 0.5)), values, PROMPT)
    np.testing.assert_allclose(found.fit.parameters, 0, atol=1e-9)
    assert found.table()["controlled_rank"].tolist() == [1] * 5
    # Nothing varies, so nothing can be held against chance: no p of 0/0.
    weights = found.coefficients()
    assert weights["se"].tolist() == [0, 0]
    assert weights[["p", "q"]].isna().all(axis=None)
    assert any("no width" in text for text in found.warnings)


def test_models_that_only_lost_are_named_and_their_ranks_shift() -> None:
    cells, values = world()
    n = len(cells.i)
    more = cells_of([("top", "m00", 1.0)] * 20, models=("top", *cells.models), prompt=np.arange(20))
    joined = Cells(
        models=more.models,
        **{name: np.r_[getattr(cells, name) + (1 if name in "ij" else 0), getattr(more, name)] for name in
           ("i", "j", "weight", "score", "count")},
        clusters={"prompt": np.r_[cells.clusters["prompt"], more.clusters["prompt"]]},
    )  # fmt: skip
    rng = np.random.default_rng(0)
    grown = {
        name: Contrast(np.r_[c.a, rng.random(20)], np.r_[c.b, rng.random(20)], c.scale) for name, c in values.items()
    }
    assert len(joined.i) == n + 20
    found = control(joined, grown, PROMPT)
    assert [left.model for left in found.left_out] == ["top"]
    assert found.table()["controlled_rank"].min() == 2
    np.testing.assert_allclose(found.fit.parameters, control(cells, values, PROMPT).fit.parameters, atol=1e-9)
    published = control(joined, {n: replace(c, a=abs(c.a), b=abs(c.b)) for n, c in grown.items()}, PROMPT, normalisation="fastchat")
    assert "top" not in published.table()["model"].tolist()


def test_a_level_out_of_range_is_refused() -> None:
    with pytest.raises(OptionError, match="level"):
        control(*world(), PROMPT).table(level=1.0)


def test_inflation_by_hand() -> None:
    """Two columns at an angle of 60 degrees: 1 / (1 - cos(60)^2)."""
    x = {"one": np.array([1.0, 0.0]), "two": np.array([0.5, np.sqrt(0.75)])}
    assert inflation(x, np.ones(2)) == pytest.approx({"one": 4 / 3, "two": 4 / 3})
    assert inflation({}, np.ones(0)) == {}


@pytest.mark.slow
def test_intervals_cover_a_planted_truth() -> None:
    """100 worlds of 60 prompts; without other effects the truth is the model's own: strengths 0, gamma .8 and 0.

    Binomial: 500 strengths hang together within a world, so the bounds are those of 100 * 4 independent ones.
    """
    held = []
    for seed in range(100):
        found = control(*world(seed=seed, n=800), PROMPT)
        weights = found.coefficients().set_index("factor")
        table = found.table()
        held += ((table["controlled_lower"] <= 0) & (table["controlled_upper"] >= 0)).tolist()
        # The scale is drawn with the data; in units of the answers the coefficient is .8 / that scale.
        held += [weights.loc[n, "lower"] <= t <= weights.loc[n, "upper"] for n, t in (("words", 0.8), ("lists", 0.0))]
    assert 0.91 <= np.mean(held) <= 0.98
