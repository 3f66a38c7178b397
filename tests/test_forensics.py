"""How often factors agree with verdicts: by hand, against published definitions, clusters, swapping, coverage."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_factor_studies import rows, stored, turn

from analysis.forensics import Agreement, agree_with, draw_pairs
from analysis.vcov import Clustering
from charts.strengths import strength_chart
from charts.theme import DARK, LIGHT
from data.store import Store
from errors import OptionError
from studies.factors_strength import FactorsStrength
from ui.sections.strength import finding


def held(x, y, weight=None, cluster="pair", prompt=None, resamples=50) -> Agreement:
    """One factor for each row of x, each judgment on a pair of its own."""
    x = np.atleast_2d(np.asarray(x, dtype=float))
    n = x.shape[1]
    clusters = {"pair": np.arange(n), "prompt": np.arange(n) if prompt is None else np.asarray(prompt)}
    return agree_with(
        [f"f{k}" for k in range(len(x))], x, np.arange(n), np.arange(n),
        np.ones(n) if weight is None else np.asarray(weight, dtype=float), np.asarray(y, dtype=float), clusters,
        Clustering(cluster), draw_pairs(n, np.random.default_rng(0), resamples),
    )  # fmt: skip


# (agree, disagree, not applicable) -> accuracy, relevance, kappa, strength: the cases that the published definitions
# are tested on.
CASES = {
    (3, 2, 1): (3 / 5, 5 / 6, 0.2, 1 / 6),
    (0, 0, 5): (0.5, 0.0, 0.0, 0.0),
    (5, 0, 0): (1.0, 1.0, 1.0, 1.0),
    (0, 5, 0): (0.0, 1.0, -1.0, -1.0),
    (3, 1, 0): (0.75, 1.0, 0.5, 0.5),
    (4, 0, 1): (1.0, 0.8, 1.0, 0.8),
    (0, 4, 1): (0.0, 0.8, -1.0, -0.8),
    (2, 2, 1): (0.5, 0.8, 0.0, 0.0),
    (3, 3, 2): (0.5, 0.75, 0.0, 0.0),
    (3, 2, 0): (0.6, 1.0, 0.2, 0.2),
}


@pytest.mark.parametrize("counts", CASES, ids=str)
@pytest.mark.parametrize("idle", ["equal", "tie"])
def test_the_published_cases(counts: tuple[int, int, int], idle: str) -> None:
    agree, disagree, not_valid = counts
    # The sides alternate: which of the two answers is a says nothing.
    side = np.resize([1, -1], agree + disagree)
    won = np.r_[side[:agree], -side[agree:]]
    x = np.r_[side * 3.7, np.zeros(not_valid) if idle == "equal" else np.ones(not_valid)]
    y = np.r_[(won + 1) / 2, np.ones(not_valid) if idle == "equal" else np.full(not_valid, 0.5)]
    found = held(x, y)
    got = (found.accuracy[0], found.relevance[0], found.kappa[0], found.strength[0])
    assert got == pytest.approx(CASES[counts])
    assert found.strength[0] == pytest.approx((agree - disagree) / sum(counts))
    row = found.table().iloc[0]
    assert (row["agree"], row["disagree"], row["votes"]) == (agree, disagree, sum(counts))


def test_an_unknown_factor_is_no_vote_and_shares_and_weights_enter() -> None:
    found = held([[1, 1, np.nan, -1], [np.nan] * 4], [1, 0.8, 1, 0.5], weight=[2, 1, 5, 1])
    assert found.missing.tolist() == [1, 4]
    assert (found.agree[0], found.disagree[0], found.whole[0]) == pytest.approx((2.8, 0.2, 4))
    assert found.strength[0] == pytest.approx(2.6 / 4)
    table = found.table()
    assert table.loc[1].drop(["factor", "missing", "agree", "disagree", "votes"]).isna().all()


def test_the_interval_is_that_of_a_mean_by_cluster() -> None:
    rng = np.random.default_rng(1)
    x, y, prompt = rng.choice([-1, 0, 1], 600), rng.integers(0, 2, 600).astype(float), rng.integers(0, 80, 600)
    found = held(x, y, cluster="prompt", prompt=prompt)
    z = x * (2 * y - 1)
    sums = np.bincount(prompt, z - z.mean())
    n = len(np.unique(prompt))
    se = np.sqrt((sums**2).sum() * n / (n - 1)) / 600
    assert found.strengths[0].se[0] == pytest.approx(se, rel=1e-12)
    row = found.table().iloc[0]
    assert row["upper"] - row["lower"] == pytest.approx(2 * 1.959964 * se, rel=1e-6)
    # Below 50 clusters: without each prompt in turn.
    few = held(x, y, cluster="prompt", prompt=prompt % 12)
    without = np.array([z[prompt % 12 != k].mean() for k in range(12)])
    assert few.strengths[0].se[0] == pytest.approx(np.sqrt(11 / 12 * ((without - z.mean()) ** 2).sum()), rel=1e-12)
    assert few.strengths[0].quantiles.df == 11


def test_resamples_are_of_pairs_and_shared() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.choice([-1, 0, 1], 400), rng.integers(0, 2, 400).astype(float)
    found = held([x, -x], y, resamples=2000)
    # The same pairs for both factors, so their strengths mirror each other draw by draw.
    assert found.resampled[0] == pytest.approx(-found.resampled[1])
    z = x * (2 * y - 1)
    assert found.resampled[0].std() == pytest.approx(z.std() / 20, rel=0.08)  # 5 standard errors of an sd of 2,000
    drawn = draw_pairs(40_000, np.random.default_rng(0), 3)
    assert drawn.times.shape == (3, 16_384)
    assert (drawn.times.sum(axis=1) == 16_384).all()


def test_one_cluster_or_one_mind_has_no_interval() -> None:
    one = held([1, -1, 1], [1, 1, 1], cluster="prompt", prompt=[0, 0, 0])
    assert one.strengths == (None,)
    assert one.table()["lower"].isna().all()
    same = held([1, 1, 1, -1], [1, 1, 1, 0])
    assert same.table()[["lower", "p", "q"]].isna().all(axis=None)
    assert same.strength[0] == 1
    alone = held([1], [1])
    assert alone.strength[0] == 1
    assert alone.table()["upper"].isna().all()


@pytest.mark.slow
def test_coverage_by_prompt_and_by_pair() -> None:
    """Votes of one prompt hang together: intervals by prompt cover, the published ones of pairs do not."""
    hits = {"prompt": 0, "published": 0}
    runs, prompts, each = 400, 60, 20
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        lean = np.repeat(np.clip(rng.normal(0.6, 0.2, prompts), 0, 1), each)
        y = (rng.random(prompts * each) < lean).astype(float)
        prompt = np.repeat(np.arange(prompts), each)
        table = held(np.ones(len(y)), y, cluster="prompt", prompt=prompt, resamples=100).table()
        truth = 2 * TRUTH - 1
        hits["prompt"] += bool(table["lower"].iloc[0] <= truth <= table["upper"].iloc[0])
        hits["published"] += bool(table["published_lower"].iloc[0] <= truth <= table["published_upper"].iloc[0])
    # Binomial: 95 % of 400 within three standard deviations.
    assert 0.917 < hits["prompt"] / runs < 0.983
    assert hits["published"] / runs < 0.85


TRUTH = float(np.clip(np.random.default_rng(0).normal(0.6, 0.2, 2_000_000), 0, 1).mean())


# -- the study -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("strength"), rows())


@pytest.mark.parametrize("ties", ["half", "drop"])
def test_the_study_counts_what_the_file_says(store: Store, ties: str) -> None:
    result = FactorsStrength(factor=("tone", "care", "kind"), ties=ties).run(store)
    table = result.table("strengths").set_index(["judge", "factor"])
    given = pd.DataFrame(rows())
    if ties == "drop":
        given = given[given["winner"] != "tie"]
    for judge, factor in (("people", "tone"), ("robot", "tone"), ("people", "care")):
        mine = given[given["judge"] == judge]
        side = np.sign(mine[f"{factor}_a"].astype(float) - mine[f"{factor}_b"].astype(float))
        won = mine["winner"].map({"a": 1, "b": -1, "tie": 0})
        row = table.loc[(judge, factor)]
        assert (row["agree"], row["disagree"]) == ((side * won == 1).sum(), (side * won == -1).sum())
        assert row["votes"] == len(mine)
        assert row["strength"] == pytest.approx((side * won).mean())
        assert row["accuracy"] == pytest.approx((side * won == 1).sum() / (side * won != 0).sum())
        assert row["published_lower"] < row["strength"] < row["published_upper"]
    assert ("robot", "care") not in table.index
    assert any("robot: every judgment lacks 'care'" in w for w in result.warnings)
    assert "40 prompts" in result.caption
    assert "resamples of pairs" in result.caption
    json.dumps(result.as_json(), allow_nan=False)


def test_the_seed_moves_only_the_resamples(store: Store) -> None:
    one, other = (FactorsStrength(factor=("tone",), seed=seed).run(store).table() for seed in (0, 1))
    moved = ["published_lower", "published_upper"]
    pd.testing.assert_frame_equal(one.drop(columns=moved), other.drop(columns=moved))
    assert one[moved].to_numpy().tolist() != other[moved].to_numpy().tolist()


def test_exchanging_a_and_b_changes_nothing(tmp_path: Path, store: Store) -> None:
    other = stored(tmp_path, [turn(row) for row in rows()])
    one, two = (FactorsStrength(factor=("tone", "care")).run(s) for s in (store, other))
    pd.testing.assert_frame_equal(one.table(), two.table(), rtol=1e-12)
    assert one.fingerprint == two.fingerprint


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ties": "davidson"}, "use --ties half or --ties drop"),
        ({"coding": "raw"}, "leave out --coding raw"),
        ({"position": "with"}, "takes no --position"),
        ({"interact": ("tone*scenario",)}, "takes no --interact"),
    ],
)
def test_options_that_mean_nothing_here_are_refused(store: Store, options: dict[str, object], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        FactorsStrength(**options).run(store)  # type: ignore[arg-type]


def test_the_finding_and_the_chart(store: Store) -> None:
    result = FactorsStrength(factor=("tone", "wit", "calm")).run(store)
    table = result.table()
    said = finding(table, "people", {"tone": "Tone", "wit": "Wit", "calm": "Calm"})
    assert said.startswith("**Where two answers differ in it, people prefer the one with more ")
    assert said.endswith(" % of the verdicts that are no tie.**")
    assert "no factor agrees beyond noise" in finding(table.assign(q=0.5), "people", {})
    for theme, narrow in ((LIGHT, False), (DARK, True)):
        figure = strength_chart(table, ("people", "robot"), theme, humans=("people",), narrow=narrow)
        marks = [m for trace in figure.data for m in (trace.customdata if trace.customdata is not None else [])]
        assert sorted(m[0] for m in marks) == sorted(["tone", "wit", "calm"] * 2)
        assert "3 factors" in figure.layout.meta["alt"]
    empty = strength_chart(table, ("nobody",), LIGHT)
    assert "No vote of a factor" in empty.layout.annotations[0].text
