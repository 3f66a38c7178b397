"""Strengths of labels: duels by hand, against Bradley-Terry on them and by direct optimisation, clusters, refusals."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from test_factor_studies import rows, stored, turn

from analysis.factor_labels import Held, hold_labels, rank_labels
from analysis.levels import flag_levels, is_flag, third_levels, word_levels
from analysis.vcov import Clustering
from charts.judge_rows import judge_rows_chart
from charts.methods import LABELS
from charts.theme import LIGHT
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.factors_labels import FactorsLabels
from ui.sections.labels import finding

NAN = np.nan


# -- levels --------------------------------------------------------------------------------------------------------------


def test_thirds_are_of_the_answers_and_fewer_where_values_are_equal() -> None:
    found = third_levels("words", np.arange(1.0, 10.0), np.array([1.0, 4, 9, NAN]), np.array([3.0, 6, 7, 2]))
    assert found.names == ("low", "middle", "high")
    assert found.bounds == ((1, 3), (4, 6), (7, 9))
    assert found.a.tolist() == [0, 1, 2, -1]
    assert found.b.tolist() == [0, 1, 2, 0]
    mostly = third_levels("lists", np.array([0.0] * 7 + [1, 2]), np.array([0.0, 2]), np.array([1.0, 0]))
    assert mostly.names == ("low", "high")
    assert mostly.bounds == ((0, 0), (1, 2))
    assert third_levels("same", np.full(5, 3.0), np.full(2, 3.0), np.full(2, 3.0)).names == ("any",)
    nothing = third_levels("none", np.full(3, NAN), np.full(2, NAN), np.full(2, NAN))
    assert nothing.a.tolist() == [-1, -1]


def test_flags_and_words() -> None:
    assert is_flag(np.array([0, 1, NAN]))
    assert not is_flag(np.array([0, 2.0]))
    assert not is_flag(np.array([NAN]))
    flag = flag_levels("rude", np.array([1, 0, NAN]), np.array([0.0, 1, 1]))
    assert (flag.called(0), flag.called(1)) == ("no rude", "rude")
    assert flag.a.tolist() == [1, 0, -1]
    kind = word_levels("kind", ("warm", "cold"), [np.array([1, 0, NAN]), np.array([0.0, 1, NAN])], [np.array([0.0, 0, 1]), np.array([1.0, 0, 0])])
    assert kind.a.tolist() == [0, 1, -1]
    assert kind.b.tolist() == [1, -1, 0]
    assert kind.called(1) == "kind=cold"


# -- duels ---------------------------------------------------------------------------------------------------------------


def held(sets: list[tuple[str, str]], known: list[bool] | None = None) -> Held:
    """Labels as letters, one (a, b) a column."""
    names = sorted({label for pair in sets for side in pair for label in side})
    a, b = (np.array([[name in pair[s] for pair in sets] for name in names], dtype=bool) for s in (0, 1))
    return Held(tuple(names), tuple(names), a, b, np.array(known if known is not None else [True] * len(sets)))


def ranked(sets, y, cluster="prompt", prompt=None, weight=None, known=None):
    n = len(sets)
    clusters = {"prompt": np.arange(n) if prompt is None else np.asarray(prompt), "pair": np.arange(n)}
    return rank_labels(
        held(sets, known), np.arange(n), np.asarray(y, dtype=float),
        np.ones(n) if weight is None else np.asarray(weight, dtype=float), clusters, Clustering(cluster),
    )  # fmt: skip


def duels(sets, y) -> dict[tuple[str, str], float]:
    """W[winner, loser], slowly."""
    won: dict[tuple[str, str], float] = {}
    for (a, b), p in zip(sets, y, strict=True):
        for i, j in itertools.product(set(a) - set(b), set(b) - set(a)):
            won[i, j] = won.get((i, j), 0) + p
            won[j, i] = won.get((j, i), 0) + 1 - p
    return won


def test_two_labels_by_hand() -> None:
    """S beats L in three of four comparisons; what both have says nothing; a comparison without a duel counts apart."""
    sets = [("Sx", "Lx"), ("S", "L"), ("L", "S"), ("S", "L"), ("x", "x")]
    found = ranked(sets, [1, 1, 0, 0, 1])
    assert (found.comparisons, found.silent) == (4, 1)
    table = found.table().set_index("label")
    assert table.loc["S", "strength"] == pytest.approx(np.log(3) / 2)
    assert table.loc["L", "strength"] == pytest.approx(-np.log(3) / 2)
    assert table.loc["S", "won"] == 0.75
    assert table.loc["S", "duels"] == 4
    assert found.left_out["x"] == "has no duels here"
    assert "x" not in table.index


def test_strengths_are_those_of_the_duels_by_direct_optimisation() -> None:
    rng = np.random.default_rng(0)
    sets = [tuple("".join(rng.choice(list("abcde"), 2, replace=False)) for _ in range(2)) for _ in range(200)]
    y = rng.choice([0, 0.5, 1, 0.7], 200)
    table = ranked(sets, y).table().set_index("label")["strength"]
    won, names = duels(sets, y), list("abcde")

    def loss(theta: np.ndarray) -> float:
        of = dict(zip(names, theta, strict=True))
        return sum(n * np.log1p(np.exp(of[j] - of[i])) for (i, j), n in won.items()) + 1e-9 * theta @ theta

    best = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-9}).x
    assert table[names].to_numpy(dtype=float) == pytest.approx(best - best.mean(), abs=1e-5)  # where BFGS stops


@pytest.mark.parametrize("n_prompts", [9, 70])
def test_errors_are_of_whole_clusters(n_prompts: int) -> None:
    rng = np.random.default_rng(1)
    sets = [tuple("".join(rng.choice(list("abcd"), 2, replace=False)) for _ in range(2)) for _ in range(350)]
    y, prompt = rng.choice([0, 1, 0.5], 350), np.arange(350) % n_prompts
    found = ranked(sets, y, prompt=prompt).ranking
    if n_prompts < 50:
        kept = [prompt != k for k in range(n_prompts)]
        again = [ranked([s for s, one in zip(sets, some, strict=True) if one], y[some], prompt=prompt[some]).ranking.fit.strength for some in kept]
        away = np.array(again) - found.fit.strength
        expected = (n_prompts - 1) / n_prompts * away.T @ away
        assert found.covariance.vcov[:4, :4] == pytest.approx(expected, rel=1e-6, abs=1e-12)  # refits stop at 1e-5 of a step
    else:
        theta = dict(zip(found.fit.models, found.fit.strength, strict=True))
        scores = np.zeros((n_prompts, 4))
        for (a, b), p, of in zip(sets, y, prompt, strict=True):
            for i, j in itertools.product(set(a) - set(b), set(b) - set(a)):
                residual = p - 1 / (1 + np.exp(theta[j] - theta[i]))
                scores[of] += residual * (np.array([m == i for m in found.fit.models]) - np.array([m == j for m in found.fit.models], dtype=float))
        moved = scores @ found.fit.bread
        assert found.covariance.vcov[:4, :4] == pytest.approx(n_prompts / (n_prompts - 1) * moved.T @ moved, rel=1e-9)


def test_sides_weights_and_repeats() -> None:
    rng = np.random.default_rng(2)
    sets = [tuple("".join(rng.choice(list("abc"), 1)) for _ in range(2)) for _ in range(60)]
    y, times = rng.choice([0, 1, 0.5], 60), rng.integers(1, 4, 60)
    prompt = np.arange(60) % 12
    one = ranked(sets, y, prompt=prompt).table()
    swapped = ranked([(b, a) for a, b in sets], 1 - y, prompt=prompt).table()
    assert one["strength"].tolist() == pytest.approx(swapped["strength"].tolist(), abs=1e-12)
    heavy = ranked(sets, y, prompt=prompt, weight=times).table()
    many = ranked([s for s, t in zip(sets, times, strict=True) for _ in range(t)], np.repeat(y, times), prompt=np.repeat(prompt, times)).table()
    assert heavy["strength"].tolist() == pytest.approx(many["strength"].tolist(), abs=1e-12)
    assert heavy["se"].tolist() == pytest.approx(many["se"].tolist(), rel=1e-9)


def test_labels_that_only_won_are_named_not_infinite() -> None:
    found = ranked([("A", "b"), ("A", "c"), ("b", "c"), ("c", "b")], [1, 1, 1, 1])
    assert found.left_out == {"A": "won all 2 of its duels"}
    row = found.table().set_index("label").loc["A"]
    assert row["rank"] == 1
    assert row[["strength", "se", "lower", "upper"]].isna().all()


def test_refusals() -> None:
    with pytest.raises(OptionError, match="never independent: use --cluster pair"):
        ranked([("a", "b"), ("b", "a")], [1, 1], cluster="none")
    with pytest.raises(NotIdentifiedError, match="all verdicts are ties"):
        ranked([("a", "b"), ("b", "a")], [0.5, 0.5])
    with pytest.raises(NotIdentifiedError, match="no two answers that were compared differ in labels on both sides"):
        ranked([("ab", "a"), ("ab", "b")], [1, 0])
    with pytest.raises(NotIdentifiedError, match=r"one scale.*\(1 pair of labels met\)"):
        ranked([("a", "b"), ("a", "b")], [1, 1])
    with pytest.raises(NotIdentifiedError, match="there is 1"):
        ranked([("a", "a")], [1])
    with pytest.raises(NotIdentifiedError, match="need at least 2 prompts"):
        ranked([("a", "b"), ("b", "a")], [1, 1], prompt=[0, 0])


@pytest.mark.slow
def test_planted_strengths_are_covered() -> None:
    """Answers with one label each, verdicts by Bradley and Terry: intervals hold the planted strengths."""
    truth = np.array([0.6, 0.2, -0.1, -0.7])
    names, hits, runs = list("abcd"), np.zeros(4), 100
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        i, j = np.array([rng.choice(4, 2, replace=False) for _ in range(600)]).T
        y = (rng.random(600) < 1 / (1 + np.exp(truth[j] - truth[i]))).astype(float)
        sets = [(names[p], names[q]) for p, q in zip(i, j, strict=True)]
        table = ranked(sets, y, prompt=np.arange(600) % 60).table().set_index("label").loc[names]
        hits += (table["lower"] <= truth) & (truth <= table["upper"])
    # Binomial: 95 % of 100 within three standard deviations, each; of all 400 within three of theirs.
    assert (hits > 88).all()
    assert 0.917 < hits.mean() / runs < 0.983


# -- the study -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("labels"), planted(rows(prompts=60)))


def planted(given, seed: int = 3):
    """Verdicts by label: warm beats dry beats cold, an answer with an error loses more often."""
    rng = np.random.default_rng(seed)
    worth = {"warm": 1.0, "dry": 0.0, "cold": -1.0}
    out = []
    for row in given:
        error = {s: int(rng.random() < 0.3) for s in "ab"}
        seen = worth[row["kind_a"]] - worth[row["kind_b"]] - 1.2 * (error["a"] - error["b"])
        won = "a" if rng.random() < 1 / (1 + np.exp(-seen)) else "b"
        out.append({k: v for k, v in row.items() if k[:4] not in ("care", "wit_", "calm")} | {
            "winner": won, "error_a": error["a"], "error_b": error["b"],
        })  # fmt: skip
    # Of a pair all judges see the same flags.
    seen_first: dict[tuple, dict] = {}
    for row in out:
        first = seen_first.setdefault((row["prompt"], row["model_a"], row["model_b"]), row)
        row |= {k: first[k] for k in ("error_a", "error_b")}
    return out


def test_the_study_takes_words_sets_and_flags(store: Store, tmp_path: Path) -> None:
    result = FactorsLabels().run(store)
    table = result.table()
    assert set(table["label"]) == {"kind=warm", "kind=cold", "kind=dry", "topics=art", "topics=law", "topics=sea", "error", "no error"}
    people = table[table["judge"] == "people"].set_index("label")["strength"]
    assert people["kind=warm"] > people["kind=dry"] > people["kind=cold"]
    assert people["no error"] > people["error"]
    assert any("numbers are no labels, and 'tone' took no part" in text for text in result.warnings)
    assert result.table("levels").query("factor == 'kind'")["level"].tolist()[0] in ("warm", "cold", "dry")
    json.dumps(result.as_json(), allow_nan=False)
    other = FactorsLabels().run(stored(tmp_path, [turn(row) for row in planted(rows(prompts=60))])).table()
    assert other["strength"].tolist() == pytest.approx(table["strength"].tolist(), abs=1e-9)
    # One level asked for stands for its whole factor.
    one = FactorsLabels(factor=("kind=warm",)).run(store)
    assert set(one.table()["label"]) == {"kind=warm", "kind=cold", "kind=dry"}
    assert "tone=low" in set(FactorsLabels(numbers="thirds").run(store).table()["label"])


def test_what_it_refuses(store: Store) -> None:
    with pytest.raises(NotIdentifiedError, match=r"there are no labels: .*--numbers thirds"):
        FactorsLabels(factor=("tone",), numbers="leave-out").run(store)
    with pytest.raises(OptionError, match="takes no --coding sign"):
        FactorsLabels(coding="sign").run(store)
    with pytest.raises(OptionError, match="use --cluster pair"):
        FactorsLabels(cluster="none").run(store)


def test_the_figure_and_the_sentence(store: Store) -> None:
    table = FactorsLabels().run(store).table()
    figure = judge_rows_chart(table, ("people", "robot"), LIGHT, LABELS, humans=("people",), most=5)
    assert "The 5 labels furthest from the line; 3 more are not shown." in str(figure.layout.annotations[0].text).replace("<br>", " ")
    said = finding(table, ("people", "robot"), {"kind=warm": "Kind: warm"})
    assert said.startswith("**For people the strongest label is Kind\\: warm (")
    assert "; for robot the strongest label is " in said


def test_a_label_that_only_won_stands_above_the_strongest() -> None:
    """Without it the sentence would call a label the strongest that lost every duel with another."""
    a, b = np.array([0, 1, 0, 1, 2, 2, 2, 3, 3]), np.array([1, 0, 1, 0, 0, 1, 3, 1, 0])
    y = np.array([1.0, 1, 1, 0, 1, 1, 1, 0, 0])
    levels = word_levels("k", list("wxyz"), [(a == k) * 1.0 for k in range(4)], [(b == k) * 1.0 for k in range(4)])
    found = rank_labels(hold_labels([levels]), np.arange(9), y, np.ones(9), {"pair": np.arange(9)}, Clustering("pair"))
    table = found.table().assign(judge="people")
    said = finding(table, ("people",), {f"k={letter}": letter for letter in "wxyz"})
    assert said.startswith("**For people the strongest label is w (")
    assert "), below y, which only won, the weakest x (" in said
    assert said.endswith("), above z, which only lost.**")
