"""Clusterings by name, and the distributions behind intervals."""

import numpy as np
import pytest
from scipy import stats

from analysis.vcov import Clustering, Covariance, Quantiles, Term, choose_clustering
from errors import OptionError


def test_quantiles_and_p_values():
    assert Quantiles(None).two_sided(0.95) == pytest.approx(1.959963985)
    assert Quantiles(12).two_sided(0.95) == pytest.approx(stats.t(12).ppf(0.975))
    z = np.array([-3.0, 0, 1, 40])
    assert Quantiles(None).p_value(z) == pytest.approx(2 * stats.norm.sf(np.abs(z)), rel=1e-9)
    assert Quantiles(5).p_value(z) == pytest.approx(2 * stats.t(5).sf(np.abs(z)), rel=1e-9)
    with pytest.raises(OptionError, match="level 95 is not between 0 and 1"):
        Quantiles(None).two_sided(95)


def test_auto_takes_prompts_from_ten_on():
    assert choose_clustering("auto", 10).name == "prompt"
    few = choose_clustering("auto", 9)
    assert few.name == "pair"
    assert "these prompts only" in few.warning
    assert "9 prompts" in few.chosen
    assert choose_clustering("annotator", 3) == Clustering("annotator")
    with pytest.raises(OptionError, match="'user' is unknown: use auto, prompt"):
        choose_clustering("user", 100)


def term(n_clusters, replicates=0, sign=1, effective=None):
    away = np.zeros((replicates, 2))
    return Term("prompt", n_clusters, sign, effective or n_clusters, away, np.eye(2))


@pytest.mark.parametrize(
    ("terms", "df"),
    [
        ([term(50)], None),
        ([term(49, 49)], 48),
        ([term(200, 1, effective=21.5)], 20.5),
        ([term(0)], None),
        ([term(300), term(80), term(900, sign=-1)], 79),
        ([term(12, 12), term(80), term(30, 30, sign=-1)], 11),
    ],
)
def test_degrees_of_freedom(terms, df):
    name = "none" if terms[0].n_clusters == 0 else "prompt"
    assert Covariance(Clustering(name), np.zeros(2), tuple(terms)).quantiles.df == df
