"""Agreement of published judges, straight from their files, by independent libraries: the studies must say the same."""

from __future__ import annotations

from pathlib import Path

import evalica
import numpy as np
import pandas as pd
import pytest

from analysis.judge_agreement import agree_within
from analysis.vcov import Clustering
from data.imports import ImportOptions, import_path
from data.store import Store
from studies.agreement import JudgeAgreement
from studies.audit import Audit
from studies.rank import Rank

pytestmark = pytest.mark.real

SUMS = 1e-12
"""The same counts, added in another order."""

FILES = {"crowd": "crowd-comparisons.csv", "gpt-4": "gpt4-crowd-comparisons.csv", "gpt-3": "gpt3-crowd-comparisons.csv"}
LABELS = ("left", "right", "tie")


@pytest.fixture(scope="module")
def published(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("parity") / "s.duckdb", linger=600)
    import_path(store, real / "llmfao", "llmfao", ImportOptions(format="llmfao"))
    import_path(store, real / "llmbar_natural", "llmbar", ImportOptions(format="llmbar"))
    return store


def votes(real: Path, judge: str) -> pd.DataFrame:
    """Of LLMFAO: pairs in rows, votes for left, right and tie in columns."""
    frame = pd.read_csv(real / "llmfao" / FILES[judge])
    return pd.crosstab(frame["id"], pd.Categorical(frame["winner"], LABELS), dropna=False)


@pytest.mark.parametrize("judge", ["gpt-4", "gpt-3"])
def test_kappa_of_llmfao_is_that_of_scikit_learn(real: Path, published: Store, judge: str) -> None:
    from sklearn.metrics import cohen_kappa_score

    crowd = pd.read_csv(real / "llmfao" / FILES["crowd"])
    theirs = pd.read_csv(real / "llmfao" / FILES[judge])
    both = crowd.merge(theirs[["id", "winner"]], on="id", suffixes=("", "_judge"))
    decided = both[(both["winner"] != "tie") & (both["winner_judge"] != "tie")]
    found = JudgeAgreement(dataset="llmfao", judge=("crowd", judge)).run(published).values
    for name, table in (("kappa", both), ("kappa_no_ties", decided)):
        expected = cohen_kappa_score(table["winner"], table["winner_judge"])
        assert found[name]["value"] == pytest.approx(expected, abs=SUMS)
        assert found[name]["lower"] < expected < found[name]["upper"]


def test_alpha_of_llmfao_s_crowd_is_that_of_krippendorff_and_evalica(real: Path, published: Store) -> None:
    table = votes(real, "crowd")
    several = table[table.sum(axis=1) > 1].to_numpy()
    human = JudgeAgreement(dataset="llmfao", judge=("crowd", "gpt-4")).run(published).as_json()["human"][0]
    width = int(several.sum(axis=1).max())
    coders = np.full((width, len(several)), np.nan)
    for pair, counts in enumerate(several):
        coders[: counts.sum(), pair] = np.repeat([0.0, 1.0, 2.0], counts)
    theirs = evalica.alpha(pd.DataFrame(coders), distance="nominal").alpha
    assert human["alpha"]["value"] == pytest.approx(theirs, abs=1e-10)
    krippendorff = pytest.importorskip("krippendorff", reason="the environment was made before it was asked for")
    theirs = krippendorff.alpha(value_counts=several, level_of_measurement="nominal")
    assert human["alpha"]["value"] == pytest.approx(theirs, abs=SUMS)
    decided = several[:, :2]
    theirs = krippendorff.alpha(value_counts=decided[decided.sum(axis=1) > 1], level_of_measurement="nominal")
    assert human["alpha_no_ties"]["value"] == pytest.approx(theirs, abs=SUMS)


def by_pair(real: Path) -> pd.DataFrame:
    """Of LLMBar: pairs in rows, judges in columns: 1 and 2, 0 where the two orders part."""
    verdicts = pd.read_csv(real / "llmbar_natural" / "llm_judgments.csv")
    mean = verdicts.pivot_table(index="pair_id", columns="judge", values="winner", aggfunc="mean")
    return mean.where((mean == 1) | (mean == 2) | mean.isna(), 0)


def test_kappa_of_65_judges_with_the_expert_is_that_of_scikit_learn(real: Path, published: Store) -> None:
    from sklearn.metrics import cohen_kappa_score

    labels = by_pair(real)
    expert = pd.read_csv(real / "llmbar_natural" / "pairs.csv").set_index("pair_id")["expert_label"]
    found = JudgeAgreement(dataset="llmbar").run(published).table("judges").set_index("judge")
    assert len(found) == 65
    for judge, mine in ((str(name), column) for name, column in labels.items()):
        mine = mine.dropna()
        gold = expert.loc[mine.index]
        assert found.loc[judge, "kappa"] == pytest.approx(cohen_kappa_score(gold, mine, labels=[0, 1, 2]), abs=SUMS)
        kept = mine != 0
        assert found.loc[judge, "agreement_no_ties"] == pytest.approx((gold[kept] == mine[kept]).mean(), abs=SUMS)


def test_fleiss_of_llmbar_s_panel_is_that_of_statsmodels(real: Path) -> None:
    from statsmodels.stats.inter_rater import aggregate_raters, fleiss_kappa

    labels = by_pair(real).dropna(axis=1)
    assert labels.shape[1] > 50
    counts, categories = aggregate_raters(labels.to_numpy(dtype=int))
    assert categories.tolist() == [0, 1, 2]
    # Ties last.
    panel = counts[:, [1, 2, 0]]
    found = agree_within(panel, np.arange(len(panel)), Clustering("prompt"))
    assert found["fleiss"] == pytest.approx(fleiss_kappa(counts), abs=SUMS)


@pytest.mark.parametrize("judge", list(FILES))
def test_strengths_by_each_judge_of_llmfao_are_those_of_evalica(real: Path, published: Store, judge: str) -> None:
    frame = pd.read_csv(real / "llmfao" / FILES[judge])
    found = Rank(dataset="llmfao", judge=(judge,)).run(published).table("ranking").set_index("model")["strength"].dropna()
    frame = frame[frame["left"].isin(found.index) & frame["right"].isin(found.index)]
    winners = frame["winner"].map({"left": evalica.Winner.X, "right": evalica.Winner.Y, "tie": evalica.Winner.Draw})
    scores = evalica.bradley_terry(
        frame["left"].tolist(), frame["right"].tolist(), winners.tolist(), tolerance=1e-13, limit=100_000
    ).scores
    expected = np.log(scores.loc[found.index])
    # evalica's iteration ends where scores move by less than its tolerance: sparse models are the last to settle.
    assert found.to_numpy(dtype=float) == pytest.approx((expected - expected.mean()).to_numpy(), abs=1e-7)


def test_the_audit_of_65_judges_is_recomputed_from_the_file(real: Path, published: Store) -> None:
    verdicts = pd.read_csv(real / "llmbar_natural" / "llm_judgments.csv")
    both = verdicts.pivot_table(index=["judge", "pair_id"], columns="shown_swapped", values="winner").dropna()
    table = Audit(dataset="llmbar").run(published).table("biases").set_index(["judge", "bias"])
    for judge, mine in ((str(name), rows) for name, rows in both.groupby("judge")):
        assert table.loc[(judge, "position_consistency"), "rate"] == pytest.approx((mine[False] == mine[True]).mean())
        first, last = ((mine[False] == one) & (mine[True] == 3 - one) for one in (1, 2))
        assert table.loc[(judge, "first_position"), "rate"] == pytest.approx(first.mean())
        assert table.loc[(judge, "last_position"), "rate"] == pytest.approx(last.mean())
