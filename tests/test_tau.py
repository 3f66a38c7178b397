"""Taus of verdict and factor: by hand, against scipy, swapping, clusters, planted truth, a model's own outputs, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from test_factor_studies import rows, stored, turn

from analysis.tau import Votes, align, both_taus, pearson, taus_of
from analysis.vcov import Clustering
from charts.judge_rows import judge_rows_chart
from charts.methods import TAU, TAU_B
from charts.theme import DARK, LIGHT
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.factors_strength import FactorsStrength
from studies.factors_tau import FactorsTau
from ui.sections.tau import finding


def votes(x, y, prompt=None, weight=None) -> Votes:
    """One factor for each row of x, each judgment on a pair of its own."""
    x = np.atleast_2d(np.asarray(x, dtype=float))
    n = x.shape[1]
    clusters = {"pair": np.arange(n), "prompt": np.arange(n) if prompt is None else np.asarray(prompt)}
    weights = np.ones(n) if weight is None else np.asarray(weight, dtype=float)
    return Votes(x, np.arange(n), np.asarray(y, dtype=float), weights, clusters)


def taus(x, y, cluster="pair", **more):
    x = np.atleast_2d(np.asarray(x, dtype=float))
    return taus_of([f"f{k}" for k in range(len(x))], votes(x, y, **more), Clustering(cluster))


def test_by_hand() -> None:
    """Seven judgments: three agree, one disagrees, one on equal answers, one tie, one tie on equal answers."""
    x = [2.0, -1.0, 0.5, 3.0, 0.0, 1.0, 0.0]
    y = [1.0, 0.0, 1.0, 0.0, 1.0, 0.5, 0.5]
    found = taus(x, y)
    row = found.table().iloc[0]
    assert (row["agree"], row["disagree"], row["equal"], row["tied"]) == (3, 1, 1, 1)
    assert row["tau"] == pytest.approx(2 / 5)
    assert row["tau_b"] == pytest.approx(2 / 5)  # sqrt(5 * 5): as many ties on either side
    # Of a verdict of .8 for a, .8 agree and .2 disagree.
    soft = taus([1.0, 1.0, -1.0], [0.8, 1.0, 1.0]).table().iloc[0]
    assert (soft["agree"], soft["disagree"]) == pytest.approx((1.8, 1.2))
    assert soft["tau"] == pytest.approx(0.6 / 3)


def test_tau_b_is_scipys_and_tau_is_that_of_decided_verdicts() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.choice([-1, 0, 1], 300), rng.choice([0.0, 0.5, 1.0], 300)
    found = taus(x, y)
    m, p = x, 2 * y - 1
    agree, disagree = int((m * p > 0).sum()), int((m * p < 0).sum())
    assert found.taus[0, 0] == pytest.approx((agree - disagree) / (p != 0).sum(), abs=1e-14)
    expected = (agree - disagree) / np.sqrt((m != 0).sum() * (p != 0).sum())
    assert found.taus[0, 1] == pytest.approx(expected, abs=1e-14)
    # On one prompt with ranks of n answers, the pairs of answers give scipy's tau-b itself.
    a, b = rng.integers(0, 5, 12), rng.integers(0, 5, 12)
    i, j = np.triu_indices(12, 1)
    of_pairs = taus(np.sign(a[i] - a[j]), (np.sign(b[i] - b[j]) + 1) / 2)
    assert of_pairs.taus[0, 1] == pytest.approx(scipy.stats.kendalltau(a, b).statistic, abs=1e-12)


def test_without_ties_of_verdicts_tau_is_the_published_strength(tmp_path: Path) -> None:
    store = stored(tmp_path, rows(prompts=12))
    tau = FactorsTau(ties="drop").run(store).table().set_index(["judge", "factor"])["tau"]
    strength = FactorsStrength(ties="drop").run(store).table().set_index(["judge", "factor"])["strength"]
    for key, value in tau.items():
        assert value == pytest.approx(strength[key], abs=1e-14)


def test_exchanging_a_and_b_changes_nothing_and_turning_the_factor_turns_the_sign() -> None:
    rng = np.random.default_rng(1)
    x, y, prompt = rng.choice([-1, 0, 1], 200), rng.choice([0.0, 0.5, 0.7, 1.0], 200), rng.integers(0, 60, 200)
    one, two, turned = (
        taus(side, v, cluster="prompt", prompt=prompt).table() for side, v in ((x, y), (-x, 1 - y), (-x, y))
    )
    assert one.equals(two)
    assert turned["tau"].iloc[0] == -one["tau"].iloc[0]
    assert turned["lower"].iloc[0] == pytest.approx(-one["upper"].iloc[0])


def test_weights_count_as_repeats() -> None:
    x, y, prompt = np.array([1, -1, 1, 0, 1]), np.array([1, 1, 0, 1, 0.5]), np.array([0, 0, 1, 2, 3])
    times = np.array([3, 1, 2, 1, 2])
    heavy = taus(x, y, cluster="prompt", prompt=prompt, weight=times)
    many = taus(np.repeat(x, times), np.repeat(y, times), cluster="prompt", prompt=np.repeat(prompt, times))
    assert heavy.taus == pytest.approx(many.taus)
    assert heavy.covariance[0].vcov == pytest.approx(many.covariance[0].vcov)


@pytest.mark.parametrize("n_prompts", [12, 80])
def test_errors_are_those_of_deleting_or_linearising_by_hand(n_prompts: int) -> None:
    rng = np.random.default_rng(2)
    x, y, prompt = rng.choice([-1, 0, 1], 600), rng.choice([0, 0.5, 1], 600), np.arange(600) % n_prompts
    found = taus(x, y, cluster="prompt", prompt=prompt).covariance[0]
    sums, _ = votes(x, y).sums(0)
    if n_prompts < 50:
        without = np.array([both_taus(sums[prompt != k].sum(axis=0)) for k in range(n_prompts)])
        away = without - both_taus(sums.sum(axis=0))
        expected = (n_prompts - 1) / n_prompts * away.T @ away
        assert found.quantiles.df == n_prompts - 1
    else:
        total = sums.sum(axis=0)
        step = 1e-4
        slope = np.array([(both_taus(total + step * e) - both_taus(total - step * e)) / (2 * step) for e in np.eye(3)]).T
        moved = np.array([slope @ sums[prompt == k].sum(axis=0) for k in range(n_prompts)])
        expected = n_prompts / (n_prompts - 1) * moved.T @ moved
    assert found.vcov == pytest.approx(expected, rel=1e-7)  # the derivative by differences


@pytest.mark.slow
def test_coverage_of_both_taus() -> None:
    """Verdicts of one prompt hang together; intervals by prompt hold the taus of infinitely many prompts."""
    runs, prompts, each = 100, 60, 15
    hits = np.zeros(2)
    # The mean slope of a prompt's verdicts, integrated; a third of answers is equal, 15 % of verdicts are ties.
    at, share = np.polynomial.hermite_e.hermegauss(60)
    net = float(share @ (2 / (1 + np.exp(-(0.5 + 0.8 * at))) - 1) / share.sum())
    truth = (net * 2 / 3, net * np.sqrt(0.85 * 2 / 3))
    for seed in range(runs):
        x, y, prompt = world(np.random.default_rng(10_000 + seed), prompts, each)
        row = taus(x, y, cluster="prompt", prompt=prompt).table().iloc[0]
        hits += [row["lower"] <= truth[0] <= row["upper"], row["tau_b_lower"] <= truth[1] <= row["tau_b_upper"]]
    # Binomial: 95 % of 100 within three standard deviations. 1,500 worlds were covered in 94.7 and 94.5 %.
    assert (hits / runs > 0.95 - 0.066).all()
    assert (hits / runs < 1).all()


def world(rng, prompts: int, each: int):
    """Verdicts that follow a factor by a slope of each prompt's own, with ties on both sides."""
    prompt = np.repeat(np.arange(prompts), each)
    x = rng.choice([-1, 0, 1], prompts * each)
    p = 1 / (1 + np.exp(-(rng.normal(0.5, 0.8, prompts)[prompt] * x)))
    y = np.where(rng.random(len(x)) < 0.15, 0.5, (rng.random(len(x)) < p).astype(float))
    return x, y, prompt


def test_alignment_by_hand_and_as_the_data_double() -> None:
    rng = np.random.default_rng(3)
    weights = np.array([1.0, 0.5, 0.0, -0.5, -1.0])
    x = rng.choice([-1, 0, 1], (5, 900))
    prompt = np.arange(900) % 90
    sides = []
    for scale in (1.0, 2.0):
        p = 1 / (1 + np.exp(-scale * weights @ x))
        sides.append(votes(x, (rng.random(900) < p).astype(float), prompt=prompt))
    found = align(list("abcde"), *sides, Clustering("prompt"), np.random.default_rng(0))
    one, two = (taus_of(list("abcde"), v, Clustering("prompt")).taus for v in sides)
    row = found.table().set_index("variant").loc["tau"]
    assert row["spearman"] == pytest.approx(scipy.stats.spearmanr(one[:, 0], two[:, 0]).statistic)
    assert row["kendall"] == pytest.approx(scipy.stats.kendalltau(one[:, 0], two[:, 0]).statistic)
    assert row["pearson"] == pytest.approx(np.corrcoef(one[:, 0], two[:, 0])[0, 1])
    assert row["pearson_lower"] < row["pearson"] < row["pearson_upper"]
    # A judge aligned with itself is so in every draw.
    same = align(list("abcde"), sides[0], sides[0], Clustering("prompt"), np.random.default_rng(0)).table()
    assert same[["pearson", "pearson_lower", "pearson_upper"]].to_numpy(dtype=float) == pytest.approx(1.0)
    assert np.isnan(pearson(np.ones(4), np.arange(4.0)))


def test_what_has_no_tau_is_named() -> None:
    found = taus([[0, 0, 0], [np.nan] * 3, [1, 1, 0], [1, -1, 1]], [1, 0, 0.5])
    assert found.left_out == {
        "f0": "the compared answers do not differ in it", "f1": "no judgment has it on both of its answers",
    }  # fmt: skip
    assert found.table()["factor"].tolist() == ["f2", "f3"]
    # Judgments of one cluster have a tau and no interval.
    one = taus([1, 1, -1], [1, 0, 1], cluster="prompt", prompt=[0, 0, 0]).table().iloc[0]
    assert one["tau"] == pytest.approx(-1 / 3)
    assert one[["lower", "upper", "p", "q"]].isna().all()
    with pytest.raises(NotIdentifiedError, match="all verdicts are ties"):
        taus([1, -1], [0.5, 0.5])
    two = votes([[1, -1], [1, 1]], [1, 0])
    with pytest.raises(NotIdentifiedError, match="at least 3 that both judges have, and there are 2"):
        align(["f0", "f1"], two, two, Clustering("pair"), np.random.default_rng(0))


# -- the study -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("tau"), rows())


def test_the_study_finds_what_was_planted_and_does_not_change_with_sides(store: Store, tmp_path: Path) -> None:
    result = FactorsTau().run(store)
    found = result.table().set_index(["judge", "factor"])
    assert found.loc[("people", "tone"), "lower"] > 0
    assert found.loc[("robot", "tone"), "lower"] < 0 < found.loc[("robot", "tone"), "upper"]
    assert result.as_json()["taus"][0].keys() >= {"judge", "factor", "tau", "lower", "upper", "tau_b"}
    json.dumps(result.as_json(), allow_nan=False)
    alignment = result.table("alignment")
    assert alignment["judge"].tolist() == ["robot", "robot"]
    assert alignment["on"].tolist() == ["shared", "shared"]
    assert result.values["spearman"]["value"] == alignment["spearman"].iloc[0]
    other = FactorsTau().run(stored(tmp_path, [turn(row) for row in rows()])).table()
    assert other[["tau", "tau_b", "lower"]].equals(result.table()[["tau", "tau_b", "lower"]])
    # A factor that only people have has no part in the alignment.
    assert "care" in result.table().query("judge == 'people'")["factor"].tolist()
    assert "care" not in result.table().query("judge == 'robot'")["factor"].tolist()


def test_own_outputs_at_target_levels_enter_as_a_judge(store: Store, tmp_path: Path) -> None:
    """Generation: a model wrote an answer for each target score; the one with the higher target is the preferred one."""
    rng = np.random.default_rng(5)
    given = []
    for prompt in range(40):
        for low, high in ((1, 3), (3, 5), (1, 5)):
            # Told to write better answers it adds lists and wit; tone is no part of its idea of quality.
            given.append({
                "prompt": f"p{prompt}", "response_a": f"low {low} {prompt}", "response_b": f"high {high} {prompt}",
                "judge": "writer", "judge_kind": "llm", "score_a": low, "score_b": high,
                "wit_a": low + rng.normal(), "wit_b": high + rng.normal(), "calm_a": rng.normal(),
                "calm_b": rng.normal(), "tone_a": rng.normal(), "tone_b": rng.normal(),
            })  # fmt: skip
    mine = stored(tmp_path, rows())
    path = tmp_path / "targets.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in given))
    assert import_path(mine, path, "d", ImportOptions()).accepted == len(given)
    result = FactorsTau(judge=("people", "writer"), factor=("wit", "calm", "tone")).run(mine)
    found = result.table().set_index(["judge", "factor"])["tau"]
    assert found["writer", "wit"] > 0.7
    assert abs(found["writer", "calm"]) < 0.3
    assert result.table("alignment")["on"].tolist() == ["own", "own"]
    assert any("each on its own pairs" in text for text in result.warnings)
    # The judge's verdicts are as many as the file has comparisons, its prompts those that people judged.
    assert result.table("judges").set_index("judge").loc["writer", "judgments"] == 120
    held = FactorsTau(judge=("people", "writer"), factor=("wit", "calm", "tone"), align_on="shared").run(mine)
    assert any("shares no pair with people" in text for text in held.warnings)


def test_what_it_takes_and_refuses(store: Store, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="takes no --position"):
        FactorsTau(position="with").run(store)
    with pytest.raises(OptionError, match="leave out --coding raw"):
        FactorsTau(coding="raw").run(store)
    with pytest.raises(OptionError, match="ties count as half a win or are left out"):
        FactorsTau(ties="davidson").run(store)
    ties = stored(tmp_path, [row | {"winner": "tie"} for row in rows(prompts=3)])
    with pytest.raises(NotIdentifiedError, match="people and robot: all verdicts are ties"):
        FactorsTau().run(ties)
    one = FactorsTau(judge=("robot",)).run(store)
    assert one.table("alignment").empty
    assert "spearman" not in one.values
    few = FactorsTau(factor=("wit", "calm")).run(store)
    assert any("robot is not aligned with people: a correlation over factors needs at least 3" in w for w in few.warnings)


@pytest.mark.parametrize("cluster", ["pair", "annotator", "prompt+annotator", "none"])
def test_other_clusters(store: Store, cluster: str) -> None:
    judges = ("people",) if "annotator" in cluster else ()
    result = FactorsTau(cluster=cluster, judge=judges).run(store)
    assert result.table()["lower"].notna().all()


def test_the_figure_and_the_sentence(store: Store) -> None:
    result = FactorsTau().run(store)
    table = result.table()
    for look in (TAU, TAU_B):
        for theme in (LIGHT, DARK):
            figure = judge_rows_chart(table, ("people", "robot"), theme, look, humans=("people",))
            marked = [row for trace in figure.data for row in trace.customdata or ()]
            assert len(marked) == len(table[table[look.value].notna()])
            assert "people and robot" in figure.layout.meta["alt"]
    said = finding(table, result.table("alignment"), ("people", "robot"), {f: f for f in table["factor"]})
    assert "The verdicts of people go along most with more " in said
    assert "the two agree at ρ = " in said
    noise = table.assign(q=0.5)
    assert "go along with no factor beyond noise" in finding(noise, result.table("alignment"), ("people",), {})
