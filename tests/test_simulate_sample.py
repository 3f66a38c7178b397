"""Is the sample what a stranger should meet first: readable, varied, and true to what was planted?"""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize
from scipy.special import expit

from data.fields import FIELDS
from data.simulate.sample import FACTORS, MAGPIE, MODELS, OWL, PEOPLE, sample


@pytest.fixture(scope="module")
def drawn():
    return sample()


@pytest.fixture(scope="module")
def rows(drawn):
    return pd.concat([table.to_pandas().astype(object) for table in drawn.tables()], ignore_index=True)


@pytest.fixture(scope="module")
def responses(rows):
    names = ["prompt_id", "scenario", "prompt", "model", "text"]
    sides = [
        rows[["prompt_id", "scenario", "prompt", f"model_{s}", f"response_{s}"]].set_axis(names, axis=1) for s in "ab"
    ]
    return pd.concat(sides).drop_duplicates().reset_index(drop=True)


def test_its_size_and_columns(rows):
    assert set(rows.columns) <= set(FIELDS)
    assert 15_000 <= len(rows) <= 20_000
    assert rows["prompt_id"].nunique() == rows["prompt"].nunique() == 300
    assert rows["scenario"].nunique() == 8
    assert rows.groupby("scenario")["prompt_id"].nunique().between(37, 38).all()
    assert set(rows["model_a"]) | set(rows["model_b"]) == set(MODELS)
    kinds = dict(zip(rows["judge"], rows["judge_kind"], strict=True))
    assert kinds == {PEOPLE: "human", OWL: "llm", MAGPIE: "llm"}
    assert rows.loc[rows["judge"] == PEOPLE, "annotator"].nunique() == 60
    assert rows.loc[rows["judge"] != PEOPLE, "annotator"].isna().all()


def test_people_vote_three_times_and_both_llms_see_the_same_pairs(rows):
    pair = ["prompt_id", "model_a", "model_b"]
    votes = rows[rows["judge"] == PEOPLE].groupby(pair)
    assert (votes.size() == 3).all()
    assert (votes["annotator"].nunique() == 3).all()
    seen = {
        judge: set(map(tuple, rows.loc[rows["judge"] == judge, pair].to_numpy())) for judge in (PEOPLE, OWL, MAGPIE)
    }
    assert seen[OWL] == seen[MAGPIE]
    assert seen[PEOPLE] < seen[OWL]
    # No pair comes in both orientations, so files and store agree on a and b.
    assert not seen[OWL] & {(p, b, a) for p, a, b in seen[OWL]}
    twice = rows[(rows["judge"] == OWL) & rows.duplicated([*pair, "judge"], keep=False)]
    assert (twice.groupby(pair)["swapped"].nunique() == 2).all()
    assert (twice.groupby(pair)["repeat"].agg(set) == {1, 2}).all()
    assert not rows.duplicated([*pair, "judge", "annotator", "repeat"]).any()


def test_soft_preferences_agree_with_their_winner(rows):
    soft = rows[rows["p_a"].notna()]
    assert set(soft["judge"]) == {MAGPIE}
    p = soft["p_a"].astype(float)
    assert p.between(0, 1).all()
    assert (soft["winner"] == np.select([p > 0.5, p < 0.5], ["a", "b"], "tie")).all()
    refused = rows[(rows["judge"] == MAGPIE) & rows["p_a"].isna()]
    assert set(refused["winner"]) == {"refused"}


def test_each_response_has_one_text_and_texts_differ(responses):
    assert not responses.duplicated(["prompt_id", "model"]).any()
    assert not responses.duplicated(["prompt_id", "text"]).any()
    words = responses["text"].str.split().str.len()
    assert words.quantile(0.01) >= 30
    assert words.quantile(0.99) <= 230


def test_texts_follow_the_planted_styles(drawn, responses):
    means = responses.assign(words=responses["text"].str.split().str.len()).groupby("model")["words"].mean()
    planted = FACTORS[0].centre + FACTORS[0].unit * drawn.world.model_factor[:, 0]
    # About 285 texts a model with sd 33: standard error 2; whole sentences add a few words throughout.
    difference = means[list(MODELS)].to_numpy() - planted
    assert np.abs(difference - difference.mean()).max() < 9
    assert np.corrcoef(means[list(MODELS)], planted)[0, 1] > 0.95
    lists = responses["text"].str.contains(r"^(?:-|\d\.) ", regex=True, flags=8).groupby(responses["scenario"]).mean()
    assert lists["plan"] > lists["factual question"] + 0.2


def test_the_seed_decides():
    assert sample(1).table.equals(sample(1).table)
    assert not sample(1).table.equals(sample(2).table)


def test_estimates_lie_near_the_pseudo_true_strengths(drawn, rows):
    expected = drawn.expected()
    y = rows["winner"].map({"a": 1.0, "b": 0.0, "tie": 0.5}).astype(float)
    rows = rows.assign(y=rows["p_a"].astype(float).where(rows["p_a"].notna(), y))

    def strengths(wins):
        def negative(theta):
            return -np.sum(wins * np.log(expit(theta[:, None] - theta[None, :])))

        theta = optimize.minimize(negative, np.zeros(len(wins)), method="BFGS").x
        return theta - theta.mean()

    for judge in (PEOPLE, OWL, MAGPIE):
        mine = rows[(rows["judge"] == judge) & rows["y"].notna()]
        a, b = (mine[f"model_{s}"].map(MODELS.index).to_numpy(int) for s in "ab")
        wins = np.zeros((12, 12))
        np.add.at(wins, (a, b), mine["y"].to_numpy(float))
        np.add.at(wins, (b, a), 1 - mine["y"].to_numpy(float))
        # 750 pairs a model give a standard error of about .08 without clustering, .1 with it; three of them.
        np.testing.assert_allclose(strengths(wins), strengths(expected.wins(judge)), atol=0.3)


def test_judges_differ_as_planted(drawn):
    truth = drawn.truth.set_index(["kind", "judge", "scenario", "name"])["planted"].sort_index()
    assert (
        truth["weight", OWL].groupby("name").mean()["words"]
        > 2 * truth["weight", PEOPLE].groupby("name").mean()["words"]
    )
    single = drawn.truth[drawn.truth["name"].isna()].set_index(["kind", "judge"])["planted"]
    assert single["decisiveness", OWL] == 1.8
    assert single["position", MAGPIE] == pytest.approx(0.585)
    assert single["careless", PEOPLE] == pytest.approx(5 / 60)
    assert single["tie", MAGPIE] == 0
