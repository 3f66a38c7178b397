"""The study `places`: every interval of a ranking side by side, held against the study `rank`."""

import numpy as np
import pytest

from data.store import Store
from errors import OptionError
from studies.places import Places
from studies.rank import Rank
from studies.simulate import add_simulated


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    found = Store(tmp_path_factory.mktemp("places") / "s.duckdb")
    add_simulated(found, "w", judgments=6000, models=8, judges=2, factors=0, scenarios=2, prompts=120)
    return found


def test_the_same_ranking_as_rank_with_more_beside_it(store):
    result = Places(dataset="w", replicates=300).run(store)
    plain = Rank(dataset="w").run(store).table("ranking")
    places = result.table("places")
    for column in ("judge", "model", "rank", "rank_lower", "rank_upper", "judgments"):
        assert places[column].tolist() == plain[column].tolist()
    for column in ("strength", "se", "lower", "upper"):
        assert places[column].to_numpy(float) == pytest.approx(plain[column].to_numpy(float))
    assert (places["simultaneous_lower"] <= places["rank_lower"]).all()
    assert (places["simultaneous_upper"] >= places["rank_upper"]).all()
    assert (places["overlap_lower"] <= places["rank_lower"]).all()
    assert places.groupby("judge")["p_best"].sum().to_numpy(float) == pytest.approx(1)
    assert places["naive_ratio"].to_numpy(float) == pytest.approx((places["se"] / places["naive_se"]).to_numpy(float))
    # 300 replicates and 120 prompts: ends of the percentile interval within a third of a standard error.
    for end in ("lower", "upper"):
        away = (places[f"bootstrap_{end}"] - places[end]) / places["se"]
        assert np.abs(away.to_numpy(float)).max() < 0.5
    pairs = result.table("pairs")
    assert len(pairs) == 2 * 8 * 7 / 2
    assert pairs["p_above"].between(0.5, 1).all()
    assert "for all at once" in result.caption


def test_other_ties_have_no_bootstrap_and_none_asks_for_none(store):
    modelled = Places(dataset="w", ties="davidson", judge=("people",)).run(store).table("places")
    assert modelled["bootstrap_lower"].isna().all()
    assert modelled["simultaneous_lower"].notna().all()
    alone = Places(dataset="w", cluster="none", judge=("people",)).run(store).table("places")
    assert alone["naive_ratio"].to_numpy(float) == pytest.approx(1)
    with pytest.raises(OptionError, match="between 0 and 10,000"):
        Places(dataset="w", replicates=-1).run(store)


def test_rank_takes_the_intervals_that_hold_at_once_on_request(store):
    one = Rank(dataset="w", judge=("people",)).run(store)
    all_at_once = Rank(dataset="w", judge=("people",), simultaneous=True).run(store)
    marginal, together = one.table(), all_at_once.table()
    places = Places(dataset="w", judge=("people",), replicates=0).run(store).table("places")
    for end in ("lower", "upper"):
        # Two draws of the same quantile: a difference just at its edge may fall on either side.
        away = together[f"rank_{end}"] - places[f"simultaneous_{end}"]
        assert away.abs().sum() <= 1
    width, plain = (t["rank_upper"] - t["rank_lower"] for t in (together, marginal))
    assert (width >= plain).all()
    assert width.sum() > plain.sum()
    others = ["model", "strength", "lower", "upper", "rank"]
    assert together[others].equals(marginal[others])
    assert "for all models at once" in all_at_once.caption
    assert "at once" not in one.caption
