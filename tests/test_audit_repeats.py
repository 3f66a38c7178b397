"""Is a judge without a bias left alone where its verdicts are repeated, in one circumstance more often than in the other?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from analysis.audit import Bias, both_orders, stays
from analysis.beyond_reference import own_against_gold
from analysis.multiple import adjust_bh
from analysis.paired_flips import _upper, flip_p
from analysis.vcov import Clustering, choose_clustering
from errors import OptionError
from studies.audit import Audit, _few_prompts
from studies.audit_data import JudgeSaid, _votes, one_by_one

PAIR = Clustering("pair")


def judge_said(rows: list[dict[str, object]], right: dict[int, int] | None = None) -> JudgeSaid:
    """As read from a store. rows : pair, word (verdicts) and what differs from plain; right : the label of gold by pair"""
    usual = {"judge_id": 1, "variant": "plain", "shown": 1, "cue": 0, "letter": 0, "voter": 0, "none": 0}
    table = pd.DataFrame([usual | {"prompt": row["pair"]} | row for row in rows])
    for name, code in (("a", "a"), ("b", "b"), ("tie", "t")):
        table[name] = table["word"].str.count(code)
    table["p"] = (table["a"] + table["tie"] / 2) / table["word"].str.len()
    votes = pd.DataFrame({"pair": list(right or {}), "r": [float(r) for r in (right or {}).values()]})
    sides = pd.DataFrame(dict.fromkeys(("length", "formatting", "own"), 0.0), index=table["pair"].unique())
    return JudgeSaid(table, votes, sides.assign(model_a=-1, model_b=-1), True, "plain")


def drawn(seed: int, plain: int, there: int, sure: float = 0.85, pairs: int = 120, effect: bool = False) -> JudgeSaid:
    """Right in `sure` of all verdicts, each drawn by itself; the cue of the variant names the wrong side."""
    rng = np.random.default_rng(seed)
    rows, right = [], {}
    for k in range(pairs):
        truth = right[k] = 1 if rng.random() < 0.5 else -1

        def word(n: int, sure: float = sure, truth: int = truth) -> str:
            return "".join("a" if (rng.random() < sure) == (truth > 0) else "b" for _ in range(n))

        rows.append({"pair": k, "word": word(plain)})
        rows.append({"pair": k, "word": word(there, sure / 2 if effect else sure), "variant": "bandwagon", "cue": -truth})
    return judge_said(rows, right)


def variant_tests(one: JudgeSaid, name: str = "bandwagon") -> tuple[list[Bias], dict[str, object]]:
    further: dict[str, list[dict[str, object]]] = {"variants": []}
    found = [bias for bias, _ in Audit(dataset="d")._variant("j", one, name, further)]
    return found, further["variants"][0]


@pytest.mark.parametrize(("plain", "there"), [(1, 1), (2, 1), (3, 1), (1, 3), (3, 3)])
def test_a_fair_judge_with_repeats_is_rarely_flagged(plain: int, there: int) -> None:
    flagged, changed = 0, 0
    for seed in range(100):
        found, row = variant_tests(drawn(seed, plain, there))
        flagged += bool((adjust_bh(np.array([one.p for one in found])) < 0.05).any())
        changed += bool(row["p"] is not None and float(str(row["p"])) < 0.05)
    # At .07 more than 14 of 100 have a chance of .003.
    assert flagged <= 14
    assert changed <= 14


@pytest.mark.parametrize(("plain", "there"), [(2, 1), (1, 3), (3, 3)])
def test_a_judge_that_follows_the_cue_is_flagged(plain: int, there: int) -> None:
    found, row = variant_tests(drawn(1, plain, there, effect=True))
    assert found[0].p < 1e-4
    assert float(str(row["change_upper"])) < 0


def test_means_of_repeats_are_not_what_is_compared() -> None:
    # Over 1,500 pairs both accuracies are the .85 of a single verdict; a mean of two is right, both times, in .72.
    found, row = variant_tests(drawn(5, 2, 1, pairs=1500))
    assert (row["accuracy_plain"], row["accuracy"]) == (pytest.approx(0.85, abs=0.03), pytest.approx(0.85, abs=0.03))
    robust = found[1]
    # Two verdicts agree in .85 ** 2 + .15 ** 2.
    assert (robust.rate, robust.null) == (pytest.approx(0.745, abs=0.035), pytest.approx(0.745, abs=0.035))


def test_robustness_and_consistency_by_hand() -> None:
    # plain aab, there ab: of six comparisons three agree, of three repeats one; then plain a, there a: no repeats.
    rows = [{"pair": 1, "word": "aab"}, {"pair": 1, "word": "ab", "variant": "v"},
            {"pair": 2, "word": "a"}, {"pair": 2, "word": "a", "variant": "v"}]  # fmt: skip
    one = judge_said(rows)
    met = one.with_plain("v")
    assert [met.same.tolist(), met.whole.tolist(), met.again_same.tolist(), met.again.tolist()] == [
        [3, 1], [6, 1], [1, 0], [3, 0],
    ]  # fmt: skip
    assert (met.units.one.tolist(), met.units.two.tolist()) == ([1, 1, 1], [1, -1, 1])
    [robust], row = variant_tests(one, "v")
    assert (robust.rate, robust.n) == (4 / 7, 2)
    assert np.isnan(robust.p)
    assert "repeated in 1 independent part: it needs 10" in robust.why
    assert row["consistency"] is None


def test_robustness_is_held_against_repeats_of_the_same_pairs() -> None:
    # Easy pairs are not repeated; hard ones are, and stay as rarely as their repeats.
    same = np.concatenate([np.ones(50), np.tile([1.0, 0], 20)])
    again = np.concatenate([np.zeros(50), np.ones(40)])
    again_same = np.concatenate([np.zeros(50), np.tile([0.0, 1, 1, 0], 10)])
    found = stays("v: robustness", same, np.ones(90), again_same, again, np.arange(90), PAIR, 0.95)
    assert (found.rate, found.null, found.n, found.p) == (0.5, 0.5, 40, 1.0)
    # A judge whose repeats all stay and whose verdicts all turn has no spread, and 40 signs.
    turned = stays("v: robustness", same * 0, np.ones(90), again, again, np.arange(90), PAIR, 0.95)
    assert turned.p == pytest.approx(2 / 2**40)


def test_repeats_in_one_order_only_give_no_place() -> None:
    """Three verdicts with a first, one with b first, a the better in all, right in .7: no place is preferred."""
    flagged = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        rows = [{"pair": k, "shown": shown, "word": "".join(rng.choice(["a", "b"], n, p=[0.7, 0.3]))}
                for k in range(120) for shown, n in ((1, 3), (-1, 1))]  # fmt: skip
        units = judge_said([dict(row) for row in rows]).both_orders()
        assert len(units) == 120
        flagged += both_orders(units, PAIR, 0.95)[1].p < 0.05
    assert flagged <= 14


def test_places_with_names_and_repeats_are_compared_one_by_one() -> None:
    rows = [{"pair": 1, "shown": shown, "variant": variant, "word": word}
            for shown, variant, word in ((1, "plain", "aab"), (-1, "plain", "bb"), (1, "names", "aa"), (-1, "names", "ab"))]  # fmt: skip
    here, there = judge_said([dict(row) for row in rows]).both_orders_in("names")
    assert (here.one.tolist(), here.two.tolist()) == ([1, 1], [-1, -1])
    assert (there.one.tolist(), there.two.tolist()) == ([1, 1], [1, -1])


def test_verdicts_are_met_as_far_as_both_go() -> None:
    row, (one, two) = one_by_one(pd.Series(["ab", "t", "bbb"]), pd.Series(["a", "ab", "bat"]))
    assert (row.tolist(), one.tolist(), two.tolist()) == ([0, 1, 2, 2, 2], [1, 0, -1, -1, -1], [1, 1, -1, 1, 0])
    assert len(one_by_one(pd.Series([], dtype=object), pd.Series([], dtype=object))[0]) == 0


# -- what hangs together ---------------------------------------------------------------------------------------------


def test_a_variant_on_few_prompts_hangs_together_by_pair() -> None:
    """40 prompts of ten pairs; the variant on five of them, 23 verdicts towards the cue and none away."""
    rows = [{"pair": 10 * p + k, "prompt": p, "word": "a"} for p in range(40) for k in range(10)]
    rows += [{"pair": 10 * p + k, "prompt": p, "word": "b" if 10 * p + k < 23 else "a", "variant": "bandwagon", "cue": -1}
             for p in range(5) for k in range(10)]  # fmt: skip
    told = Audit(dataset="d")._variant("j", judge_said([dict(row) for row in rows]), "bandwagon", {"variants": []})
    bias, by = told[0]
    # Prompts of ten, ten and three that move as a whole could not be below .25.
    assert (bias.p, by.name) == (pytest.approx(2 / 2**23), "pair")
    assert "these intervals speak about these prompts only: 5 are too few" in str(by.warning)
    assert {by.name for _, by in Audit(dataset="d")._plain(judge_said([dict(row) for row in rows]))} == {"prompt"}


def test_warnings_of_few_prompts_name_their_rows() -> None:
    few, many = choose_clustering("auto", 5), choose_clustering("auto", 40)
    some = [("j", "bandwagon", few), ("j", "tie_rate", many)]
    assert [text.endswith("too few to generalise from: bandwagon of j") for text in _few_prompts(some)] == [True]
    assert [text.endswith("too few to generalise from") for text in _few_prompts(some[:1])] == [True]


# -- what a vote, a label and a twin are -----------------------------------------------------------------------------


def test_votes_of_the_reference_are_means_of_verdicts_not_of_orders() -> None:
    """a twice with a first, b once with b first: two of three verdicts are for a."""
    rows = judge_said([{"pair": 1, "word": "aa"}, {"pair": 1, "shown": -1, "word": "b"}]).rows
    votes = _votes(rows, "plain")
    assert votes["r"].tolist() == [pytest.approx(1 / 3)]
    one = replace(judge_said([{"pair": 1, "word": "a"}]), votes=votes)
    hit, whole, _ = one.accuracy()
    assert (hit.tolist(), whole.tolist()) == ([1], [1])
    # The same of the judge itself.
    held, _ = replace(judge_said([{"pair": 1, "word": "aa"}, {"pair": 1, "shown": -1, "word": "b"}]), votes=votes).held()
    assert (held.judge[0], held.order[0]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))


def test_soft_verdicts_count_by_their_labels() -> None:
    one = judge_said([{"pair": k, "shown": 1 - 2 * (k % 2), "word": "a" if k % 2 else "b"} for k in range(40)])
    soft = replace(one, rows=one.rows.assign(p=np.where(one.rows["a"] > 0, 0.55, 0.45)))
    for said in (one, soft):
        held, _ = said.alone()
        assert held.judge.tolist() == [1.0 if k % 2 else -1.0 for k in range(40)]
        side, in_order = said.in_order()
        assert (in_order.judge * side).tolist() == [-1.0] * 40


def test_dbg_holds_labels_against_the_majority() -> None:
    """Three people, two for its own in each of 30 pairs; the judge always for its own: no difference."""
    votes = pd.DataFrame({"pair": np.repeat(np.arange(30), 3), "r": np.tile([1.0, 1, -1], 30)})
    one = replace(judge_said([{"pair": k, "word": "a"} for k in range(30)]), votes=votes, exact=False)
    found = own_against_gold(np.ones(30), *one.labels(), np.arange(30), PAIR)
    assert [found[name] for name in ("own_rate", "reference_rate", "dbg")] == [1.0, 1.0, 0.0]
    held, _ = one.held()
    assert held.cluster.tolist() == list(range(30))
    # No majority is half of each.
    split = replace(one, votes=votes[votes.index % 3 > 0])
    assert own_against_gold(np.ones(30), *split.labels(), np.arange(30), PAIR)["dbg"] == 0.5


def test_a_variant_of_another_voter_has_no_twin() -> None:
    one = judge_said([{"pair": 1, "word": "a", "voter": 1}, {"pair": 1, "word": "b", "voter": 2, "variant": "zzz"}])
    assert (one.variants, one.without_twin) == ([], ["zzz"])


def test_many_single_flips_are_exact_and_many_clusters_nearly() -> None:
    sign = np.concatenate([np.ones(1299), -np.ones(1201)]).astype(np.int64)
    assert flip_p(sign, np.arange(2500)) == pytest.approx(binomtest(1299, 2500).pvalue, rel=1e-9)
    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 4, 2400)
    signs = np.repeat(rng.choice([-1, 1], 2400, p=[0.48, 0.52]), sizes)
    cluster = np.repeat(np.arange(2400), sizes)
    seen, total = abs(int(signs.sum())), int(sizes.sum())
    exact = 2 * _upper(sizes, (seen + total) // 2)
    assert flip_p(signs, cluster) == pytest.approx(exact, rel=5e-3)


def test_dropping_ties_is_refused() -> None:
    with pytest.raises(OptionError, match="--ties drop: an audit counts a tie as half of each side"):
        Audit(dataset="d", ties="drop").answer(None, lambda share, text: None)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.every(2, "world")
@pytest.mark.parametrize("world", range(5))
def test_the_bench_of_what_was_asked_keeps_its_promise(world: int) -> None:
    from benchmarks.coverage_audit import ASKED, run_asked

    # At .07 more than 14 of 100 have a chance of .003.
    assert run_asked(ASKED[world], 25, 1)["coverage"].iloc[0] <= 0.14
