"""Scores as judgments: by hand, scikit-learn, units and sides, planted accuracy and drops, the study, refusals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss
from test_agreement_study import call, stored

from analysis.calibration import Claims, calibrate, temper
from analysis.cluster_sums import Figures
from analysis.judge_agreement import share
from analysis.reward_models import compared, find_margins, follow, macro_mean, out_of_distribution, people_agree
from analysis.vcov import Clustering
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError, UnknownNameError
from studies.reward_models import RewardModels

PAIR, PROMPT = Clustering("pair"), Clustering("prompt")


def of(right: Sequence[float], clusters: Sequence[int] | None = None, by: Clustering = PAIR) -> Figures:
    values = np.asarray(right, dtype=float)
    return share(values, np.ones(len(values)), np.arange(len(values)) if clusters is None else np.asarray(clusters), by)


# -- by hand -----------------------------------------------------------------------------------------------------------


def test_accuracy_by_hand() -> None:
    """People say a a, b, tie and a of four pairs, scores prefer a, a, a and neither."""
    votes = np.array([[2, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]])
    z = np.array([1.5, 0.2, 3.0, 0.0])
    right, whole = compared(z, votes)
    assert (right.tolist(), whole.tolist()) == ([2, 0, 0.5, 0.5], [2, 1, 1, 1])
    right, whole = compared(z, votes, ties=False)
    assert (right.tolist(), whole.tolist()) == ([2, 0, 0, 0], [2, 1, 0, 0])


def test_means_over_scenarios_by_hand() -> None:
    """Three of four right in code, one of two in poem: .625, while all pairs have four of six; code less poem is .25."""
    code, poem = of([1, 1, 1, 0]), of([1, 0])
    macro = macro_mean([code, poem])
    assert macro["macro"] == pytest.approx(0.625)
    # Jackknife of a mean of n: s^2 / n.
    variance = [np.var([1, 1, 1, 0], ddof=1) / 4, np.var([1, 0], ddof=1) / 2]
    assert macro.se[0] == pytest.approx(np.sqrt(sum(variance)) / 2)
    assert macro.df[0] == pytest.approx(sum(variance) ** 2 / (variance[0] ** 2 / 3 + variance[1] ** 2 / 1))
    inside, outside, drop = out_of_distribution([code], [poem])
    assert (inside["inside"], outside["outside"], drop["drop"]) == pytest.approx((0.75, 0.5, 0.25))
    assert drop.se[0] == pytest.approx(np.sqrt(sum(variance)))


def test_margins_by_hand() -> None:
    z = np.array([[-1, 1, -1, 1, 1], [-3, -1, 1, 3, 0]], dtype=float)
    found = find_margins(z, np.ones(5, dtype=int))
    np.testing.assert_allclose(found.scale, [1, 2])
    np.testing.assert_allclose(found.mean, [-1.25, 0.25, -0.25, 1.25, 0.5])
    np.testing.assert_allclose(found.sd, [0.25, 0.75, 0.75, 0.25, 0.5])
    assert found.band.tolist() == [0, 2, 1, 2, 2]
    table = found.table().set_index("band")
    assert table["pairs"].tolist() == [1, 1, 3]
    assert table["against"].tolist() == [1, 1, 0]
    assert (table.loc["clean", "low"], table.loc["clean", "high"]) == pytest.approx((0.25, 1.25))


def test_a_fifth_is_a_fifth() -> None:
    for n in (5, 10, 15, 100, 1000):
        z = np.random.default_rng(n).normal(size=(3, n))
        table = find_margins(z, np.ones(n, dtype=int)).table()
        assert table["pairs"].tolist() == [n // 5, n // 5, n - 2 * (n // 5)]
    assert find_margins(np.ones((2, 1)), np.ones(1, dtype=int)).table()["band"].tolist() == ["flip"]


def test_agreement_in_a_band_by_hand() -> None:
    votes = np.array([[2, 1, 0], [0, 3, 1], [1, 0, 0]])
    # One of three pairs of votes agrees, then three of three; a single vote agrees with nobody.
    assert people_agree(votes, np.arange(3), PAIR)["agreement"] == pytest.approx(4 / 6)
    assert follow(votes, np.array([1, 1, -1]), np.arange(3), PAIR)["agreement"] == pytest.approx(2 / 7)


# -- parity and properties ---------------------------------------------------------------------------------------------


def scores(seed: int, n: int = 400, gain: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Differences of scores, and which response is preferred with log-odds of the difference over 2."""
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 2 * gain, n)
    return z, (rng.random(n) < expit(z / (2 * gain))).astype(float)


def test_sklearn() -> None:
    z, y = scores(0)
    votes = np.column_stack([y, 1 - y, np.zeros(len(y))]).astype(int)
    right, whole = compared(z, votes)
    assert right.sum() / whole.sum() == pytest.approx(accuracy_score(y, z > 0))
    nobody = np.zeros(len(y))
    claims = Claims(np.full(len(y), 0.5), y, np.ones(len(y)), nobody, np.arange(len(y)), True)
    found = temper(z, claims, PAIR)
    p = expit(found.held_out)
    assert found.brier_scaled == pytest.approx(brier_score_loss(y, p))
    assert found.lower < 2 < found.upper
    best = minimize_scalar(lambda t: log_loss(y, expit(z / t)), bounds=(0.2, 20), method="bounded",
                           options={"xatol": 1e-9})  # fmt: skip
    assert found.temperature == pytest.approx(best.x, abs=1e-5)
    held = calibrate(Claims(p, y, claims.n, nobody, claims.cluster, True), PAIR)
    assert held.figures["brier"] == pytest.approx(brier_score_loss(y, p))
    assert held.figures["ece_10"] < 2 * held.chance[10]


def test_units_of_scores_and_names_of_sides_change_nothing() -> None:
    rng = np.random.default_rng(1)
    z, label = rng.normal(size=(3, 200)), rng.choice([-1, 1], 200)
    plain = find_margins(z, label)
    other = find_margins(z * np.array([[1.0], [1000.0], [0.01]]), label)
    np.testing.assert_allclose(plain.mean, other.mean)
    assert (plain.band == other.band).all()
    flip = rng.choice([-1, 1], 200)
    turned = find_margins(z * flip, label * flip)
    np.testing.assert_allclose(plain.mean, turned.mean)
    np.testing.assert_allclose(plain.sd, turned.sd)
    y = rng.integers(0, 3, (200, 3))
    one, two = compared(z[0], y), compared(-z[0], y[:, [1, 0, 2]])
    np.testing.assert_allclose(one, two)
    nobody = np.zeros(200)
    claims = Claims(nobody, (label > 0).astype(float), np.ones(200), nobody, np.arange(200), True)
    small, large = temper(z[0], claims, PAIR), temper(1000 * z[0], claims, PAIR)
    assert large.temperature == pytest.approx(1000 * small.temperature)
    np.testing.assert_allclose(small.held_out, large.held_out)


def test_scenarios_of_one_cluster_and_of_one_voice() -> None:
    single = macro_mean([of([1, 0, 1], [0, 0, 0], PROMPT), of([1, 0, 1, 1])])
    assert np.isnan(single.interval()[0][0])
    # All right in both: as many clusters as that reach down by their number alone.
    always = macro_mean([of(np.ones(9)), of(np.ones(9))])
    assert always.interval()[0][0] == pytest.approx(0.025 ** (1 / 18))
    _, _, drop = out_of_distribution([of(np.ones(9))], [of(np.ones(9))])
    assert drop.interval()[0][0] < 0 < drop.interval()[1][0]


def test_refused_margins() -> None:
    with pytest.raises(NotIdentifiedError, match="two reward models or more"):
        find_margins(np.ones((1, 4)), np.ones(4, dtype=int))
    with pytest.raises(NotIdentifiedError, match="no pair with a label"):
        find_margins(np.ones((2, 0)), np.ones(0, dtype=int))
    with pytest.raises(NotIdentifiedError, match="scores both responses of every pair alike"):
        find_margins(np.array([[0.0, 0], [1, 1]]), np.ones(2, dtype=int))
    with pytest.raises(NotIdentifiedError, match="out of distribution"):
        out_of_distribution([of([1, 0])], [])


# -- planted truth -----------------------------------------------------------------------------------------------------

SIZES = {"many": (60, 60, 60), "unequal": (60, 20, 8), "few": (8, 8, 8)}
MEANS = (0.8, 0.7, 0.6)


def drawn(seed: int, sizes: Sequence[int], each: int = 4) -> list[Figures]:
    """Accuracies of three scenarios, whose prompts differ in how easy they are."""
    rng = np.random.default_rng(seed)
    out = []
    for prompts, mean in zip(sizes, MEANS, strict=True):
        easy = rng.beta(8 * mean, 8 * (1 - mean), prompts)
        right = (rng.random((prompts, each)) < easy[:, None]).astype(float).ravel()
        out.append(of(right, np.repeat(np.arange(prompts), each).tolist(), PROMPT))
    return out


@pytest.mark.slow
@pytest.mark.every(2, "kind", shift=1)
@pytest.mark.parametrize("kind", SIZES)
def test_intervals_cover(kind: str) -> None:
    """100 worlds; at .95, 88 hits or fewer have probability .003 for either quantity."""
    hits = np.zeros(2)
    for seed in range(100):
        scenarios = drawn(seed, SIZES[kind])
        _, _, drop = out_of_distribution(scenarios[:1], scenarios[1:])
        for k, (figures, truth) in enumerate(((macro_mean(scenarios), 0.7), (drop, 0.15))):
            low, high = figures.interval()
            hits[k] += low[0] <= truth <= high[0]
    assert hits.min() >= 88, hits


# -- the study ---------------------------------------------------------------------------------------------------------

EASE = {"code": 4.0, "poem": 4.0, "maths": 0.0}


def rows(prompts: int = 60, models: Sequence[str] = ("small", "large"), people: int = 3, seed: int = 1) -> list[
    dict[str, object]
]:  # fmt: skip
    """Two pairs a prompt; people say the right side in .85. Scores tell it in code and poem, and nothing in maths."""
    rng = np.random.default_rng(seed)
    out: list[dict[str, object]] = []
    for prompt in range(prompts):
        scenario = tuple(EASE)[prompt % 3]
        for pair in range(2):
            right = int(rng.choice([-1, 1]))
            about = {"prompt": f"p{prompt}", "scenario": scenario, "response_a": f"one {prompt} {pair}",
                     "response_b": f"two {prompt} {pair}"}  # fmt: skip
            for k in range(people):
                said = right if rng.random() < 0.85 else -right
                out.append(about | {"judge": "people", "annotator": f"w{k}", "winner": "a" if said > 0 else "b"})
            out.append(about | {"judge": "llm", "judge_kind": "llm", "winner": "a" if right > 0 else "b"})
            for name in models:
                z = right * EASE[scenario] + rng.normal(0, 2)
                # Every model has a unit of its own.
                unit = 1 + len(name)
                out.append(about | {"judge": name, "judge_kind": "reward_model",
                                    "score_a": round(5 + unit * z, 6), "score_b": 5.0})  # fmt: skip
    return out


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("scores") / "all", rows())


def recomputed(given: list[dict[str, object]], model: str) -> pd.DataFrame:
    """One row a comparison of a vote with a score: scenario, right."""
    frame = pd.DataFrame(given)
    pair = ["prompt", "scenario", "response_a", "response_b"]
    z = frame.loc[frame["judge"] == model, [*pair, "score_a", "score_b"]]
    both = frame.loc[frame["judge"] == "people", [*pair, "winner"]].merge(z, on=pair)
    return both.assign(right=(both["score_a"] > both["score_b"]) == (both["winner"] == "a"))


def test_against_a_recomputation(store: Store) -> None:
    result = RewardModels(in_distribution=("code", "poem")).run(store)
    judges = result.table().set_index("judge")
    assert judges.index.tolist() == ["small", "large"]
    for model in judges.index:
        right = recomputed(rows(), str(model))
        each = right.groupby("scenario")["right"].mean()
        row = judges.loc[model]
        assert row["accuracy"] == pytest.approx(right["right"].mean())
        assert row["macro"] == pytest.approx(each.mean())
        assert (row["worst"], row["worst_accuracy"]) == ("maths", pytest.approx(each["maths"]))
        assert row["drop"] == pytest.approx(each[["code", "poem"]].mean() - each["maths"])
        assert row["drop_lower"] > 0
        scenarios = result.table("scenarios").query("judge == @model").set_index("scenario")
        assert scenarios["accuracy"].to_dict() == pytest.approx(each.to_dict())
        assert scenarios["in_distribution"].to_dict() == {"code": True, "poem": True, "maths": False}
        assert scenarios["comparisons"].sum() == row["comparisons"] == 360
        # One temperature for all: too sure where scores say nothing, not sure enough elsewhere.
        away = scenarios["sureness"] - scenarios["accuracy"]
        assert away["maths"] > 0 > max(away["code"], away["poem"])
    assert f"intervals, clustered by {judges['clusters'].max()} prompts" in result.caption
    assert result.findings[0].text.startswith("small prefers what people prefer in ")
    assert "points less" in result.findings[0].text


def test_margins_against_a_recomputation(store: Store) -> None:
    result = RewardModels(listed=200).run(store)
    frame = pd.DataFrame(rows())
    pair = ["prompt", "response_a", "response_b"]
    votes = frame[frame["judge"] == "people"].groupby(pair)["winner"].apply(lambda said: (said == "a").mean())
    label = np.where(votes > 0.5, 1, -1)
    total = np.zeros(len(votes))
    for model in ("small", "large"):
        scored = frame[frame["judge"] == model].set_index(pair)
        z = (scored["score_a"] - scored["score_b"]).loc[votes.index].to_numpy(dtype=float)
        total += label * z / np.sqrt((z * z).mean())
    margins = np.sort(total / 2)
    found = result.table("pairs").sort_values("margin", kind="stable")
    np.testing.assert_allclose(found["margin"], margins)
    assert result.table("margins")["pairs"].tolist() == [24, 24, 72]
    assert result.values["against"]["value"] == pytest.approx((margins < 0).mean())
    assert found["band"].tolist() == ["flip"] * 24 + ["ambiguous"] * 24 + ["clean"] * 72
    # The LLM knows the right side and has no part in the scores.
    followed = result.table("margin_judges").set_index("band")["agreement"]
    assert followed["clean"] > followed["flip"]
    assert set(result.table("margin_judges")["judge"]) == {"llm"}
    assert result.table("margins")["people"].notna().all()


def test_gold_and_a_chosen_reference(tmp_path: Path) -> None:
    given = [row | ({"judge": "gold", "judge_kind": "rule", "annotator": None} if row["judge"] == "llm" else {})
             for row in rows(30)]  # fmt: skip
    store = stored(tmp_path / "g", given)
    assert RewardModels().run(store).settings["reference"] == "gold"
    people = RewardModels(reference="people").run(store)
    assert people.table()["comparisons"].iloc[0] == 3 * RewardModels().run(store).table()["comparisons"].iloc[0]
    assert set(people.table("margin_judges")["judge"]) == {"gold"}


def test_scores_of_an_llm_and_equal_ones(tmp_path: Path) -> None:
    given = rows(20, models=("small",))
    for row in given:
        if row["judge"] == "llm":
            row |= {"score_a": 4.0, "score_b": 4.0, "winner": None}
    result = RewardModels().run(stored(tmp_path / "l", given))
    assert result.table()["judge"].tolist() == ["llm", "small"]
    assert result.table()["accuracy"].iloc[0] == 0.5
    assert "llm: its scores are not turned into probabilities" in " ".join(result.warnings)
    assert "scores both responses of every pair alike" in " ".join(result.warnings)
    assert result.table("margins").empty
    dropped = RewardModels(ties="drop", judge=("people", "small")).run(Store(tmp_path / "l" / "s.duckdb"))
    assert dropped.table()["comparisons"].tolist() == [120]
    assert set(dropped.values) == {"accuracy", "macro"}


def test_without_scenarios_and_with_one_prompt_a_scenario(tmp_path: Path) -> None:
    bare = [{k: v for k, v in row.items() if k != "scenario"} for row in rows(20)]
    result = RewardModels().run(stored(tmp_path / "n", bare))
    assert result.table("scenarios").empty
    assert result.table()["macro"].isna().all()
    assert "of comparisons" in result.findings[0].text
    three = [row for row in rows(12) if row["scenario"] != "maths" or row["prompt"] == "p2"]
    result = RewardModels().run(stored(tmp_path / "t", three))
    assert "maths is of one pair only" not in " ".join(result.warnings)
    by_prompt = RewardModels(cluster="prompt").run(Store(tmp_path / "t" / "s.duckdb"))
    assert "maths is of one prompt only" in " ".join(by_prompt.warnings)
    assert by_prompt.table()["macro_lower"].isna().all()
    assert by_prompt.table()["macro"].notna().all()


def test_the_command(store: Store) -> None:
    code, out = call(store, "reward-models", "--dataset", "d", "--judge", "small", "--judge", "people",
                     "--in-distribution", "code", "--require", "drop.lower>=-1")[:2]  # fmt: skip
    assert code == 0
    assert call(store, "reward-models", "--dataset", "d", "--judge", "small", "--require", "accuracy>=.99")[0] == 3
    assert str(out)


def test_refusals(tmp_path: Path, store: Store) -> None:
    with pytest.raises(EmptySelectionError, match=r"no judge chosen here gives scores: import .* score_a and score_b"):
        RewardModels(judge=("people", "llm")).run(store)
    with pytest.raises(EmptySelectionError, match="gives scores"):
        RewardModels(judge=("small",), reference="small").run(store)
    with pytest.raises(UnknownNameError, match="no scenario in dataset 'd' is called 'cod': did you mean 'code'"):
        RewardModels(in_distribution=("cod",)).run(store)
    with pytest.raises(UnknownNameError, match="no judge in dataset 'd' is called 'golden'"):
        RewardModels(reference="golden").run(store)
    with pytest.raises(OptionError, match="by prompt or by pair"):
        RewardModels(cluster="annotator").run(store)
    with pytest.raises(OptionError, match="at least one pair"):
        RewardModels(listed=0).run(store)
    everything = RewardModels(in_distribution=tuple(EASE)).run(store)
    assert "no scenario with a comparison is out of distribution, so no drop can be told" in " ".join(everything.warnings)
    nobody = stored(tmp_path / "n", [row for row in rows(10) if row["judge"] not in ("people",)])
    with pytest.raises(OptionError, match="--reference: say whose verdicts are right"):
        RewardModels().run(nobody)
    even = [row | ({"winner": "tie"} if row["judge"] == "people" else {}) for row in rows(10)]
    with pytest.raises(NotIdentifiedError, match="small and large: nothing but ties is left of what it shares with people"):
        RewardModels(ties="drop").run(stored(tmp_path / "e", even))
    apart = [row | {"prompt": "q" + str(row["prompt"])} if row["judge"] in ("small", "large") else row
             for row in rows(10)]  # fmt: skip
    with pytest.raises(NotIdentifiedError, match="small and large: shares no pair with people"):
        RewardModels().run(stored(tmp_path / "a", apart))
