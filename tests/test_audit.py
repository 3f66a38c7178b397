"""The bias audit: worked by hand, held against scipy and direct recomputation, planted, and refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest
from typer.testing import CliRunner

import cli
from analysis.audit import Units, both_orders, repeated, towards_cue
from analysis.beyond_reference import Held, preference_for
from analysis.own_models import family_of, find_own
from analysis.paired_flips import flip_p
from analysis.vcov import Clustering
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import EmptySelectionError, OptionError, UnknownNameError
from studies.audit import Audit

PAIR, PROMPT = Clustering("pair"), Clustering("prompt")


# -- the exact test --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("up", "down"), [(5, 1), (0, 7), (3, 3), (40, 22), (1, 0)])
def test_single_units_are_the_exact_test_of_mcnemar(up: int, down: int) -> None:
    sign = np.array([1] * up + [-1] * down + [0] * 9)
    p = flip_p(sign, np.arange(len(sign)))
    assert p == pytest.approx(binomtest(up, up + down).pvalue)
    assert flip_p(-sign, np.arange(len(sign))) == pytest.approx(p)


def test_clusters_flip_as_a_whole_by_hand() -> None:
    # Clusters of sums 2, 1 and 1: of eight signs two reach 4 or -4.
    assert flip_p(np.array([1, 1, 1, 1]), np.array([0, 0, 1, 2])) == pytest.approx(2 / 8)
    # One cluster alone says nothing.
    assert flip_p(np.ones(9, dtype=np.int64), np.zeros(9, dtype=np.int64)) == 1.0
    assert np.isnan(flip_p(np.zeros(4, dtype=np.int64), np.arange(4)))


def test_many_clusters_are_near_their_exact_test() -> None:
    rng = np.random.default_rng(0)
    sign, cluster = rng.choice([-1, 1, 1], 6_000), np.arange(6_000)
    exact = binomtest(int((sign > 0).sum()), 6_000).pvalue
    assert flip_p(sign[:600], cluster[:600]) == pytest.approx(binomtest(int((sign[:600] > 0).sum()), 600).pvalue)
    assert exact < 1e-20
    assert flip_p(sign, cluster) < 1e-20


# -- rates by hand ---------------------------------------------------------------------------------------------------


def units(one: list[int], two: list[int], toward: list[int] | None = None) -> Units:
    n = len(one)
    return Units(np.array(one), np.array(two), np.arange(n), np.array(toward or [1] * n))


def test_six_pairs_in_both_orders_by_hand() -> None:
    # a twice, b twice, first place twice, first, last, a tie and a winner.
    found = both_orders(units([1, -1, 1, 1, -1, 0], [1, -1, -1, -1, 1, 1]), PAIR, 0.95)
    assert [one.bias for one in found] == ["position_consistency", "first_position", "last_position"]
    assert [one.rate for one in found] == pytest.approx([2 / 6, 2 / 6, 1 / 6])
    assert (found[1].null, found[1].excess, found[1].p) == pytest.approx((1.5 / 6, 0.5 / 6, 1.0))
    assert (found[0].chance, found[1].chance, found[1].n) == (0.5, 0.25, 6)


def test_flips_towards_a_cue_by_hand() -> None:
    # Towards: b to a with the cue at a; tie to b with the cue at b. Away: a to tie with the cue at a.
    found = towards_cue("bandwagon", units([-1, 0, 1, 1], [1, -1, 0, 1], [1, -1, 1, -1]), PAIR, 0.95)
    assert (found.rate, found.null, found.p) == pytest.approx((2 / 4, 1.5 / 4, 1.0))


def test_repeats_are_compared_two_by_two() -> None:
    same, whole = repeated(np.array([2, 1, 3]), np.array([1, 0, 0]), np.array([0, 1, 0]))
    assert (same.tolist(), whole.tolist()) == ([1, 0, 3], [3, 1, 3])


# -- beyond the reference --------------------------------------------------------------------------------------------


def taste(seed: int, *, n: int = 1500, votes: int = 3, shared: float = 0.8, more: float = 0.0, decisive: float = 1.0,
          noisy: bool = False) -> tuple[np.ndarray, Held]:  # fmt: skip
    """People and a judge who see quality and the side in every pair; the judge sees `more` of the side."""
    rng = np.random.default_rng(seed)
    side = rng.choice([-1.0, 1.0], n)
    utility = rng.standard_normal(n) + shared * side
    skill = np.where(np.arange(n) % 2, 0.3, 1.0) if noisy else 1.0
    people = np.where(rng.random((votes, n)) < 1 / (1 + np.exp(-utility)), 1.0, -1.0)
    p = 1 / (1 + np.exp(-(decisive * skill * utility + more * side)))
    judge = np.where(rng.random(n) < p, 1.0, -1.0)
    total, count = people.sum(axis=0), np.full(n, float(votes))
    return side, Held(judge, total, count, count, np.zeros(n), np.arange(n) // 5, False)


def test_gold_is_least_squares_by_direct_optimisation() -> None:
    side, held = taste(1, votes=1)
    gold = Held(held.judge, held.total, held.squares, held.votes, held.order, held.cluster, True)
    found = preference_for("length", side, gold, PROMPT, 0.95)
    direct = np.linalg.lstsq(np.column_stack([held.total, side]), held.judge, rcond=None)[0]
    assert found.excess == pytest.approx(direct[1] / 2)
    assert found.rate == pytest.approx((held.judge == side).mean())
    assert found.rate - found.null == pytest.approx(found.excess)
    turned = Held(-held.judge, -held.total, held.squares, held.votes, -held.order, held.cluster, True)
    again = preference_for("length", -side, turned, PROMPT, 0.95)
    assert (again.excess, again.p) == pytest.approx((found.excess, found.p))


@pytest.mark.parametrize("more", [{}, {"noisy": True}, {"votes": 1}, {"decisive": 0.6}])
def test_a_judge_that_shares_peoples_taste_is_not_flagged(more: dict[str, float]) -> None:
    p = [preference_for("length", *taste(seed, **more), PROMPT, 0.95).p for seed in range(60)]
    # At 5 % three of 60 are expected; nine and more have a chance of .004. NaN: the sign is not known.
    assert np.sum(np.array(p) < 0.05) <= 8


def test_more_taste_than_people_have_is_found_with_many_votes_and_with_one() -> None:
    for votes in (1, 3):
        p = [preference_for("length", *taste(seed, votes=votes, more=0.8), PROMPT, 0.95) for seed in range(10)]
        assert all(one.p < 0.05 and one.excess > 0 for one in p)


def test_too_few_pairs_are_named() -> None:
    side, held = taste(1, n=30)
    few = np.arange(30) < 8
    found = preference_for("length", side[few], held.take(few), PROMPT, 0.95)
    assert np.isnan(found.p)
    assert "8 pairs" in found.why


# -- own models ------------------------------------------------------------------------------------------------------


def test_families_follow_from_names_attributes_and_what_is_told() -> None:
    assert [family_of(n) for n in ("GPT-4/CoT", "llama-2-70b", "text-davinci-003", "PaLM2", "someone", "cerebras-gpt-6.7B",
                                    "GPT-NeoXT-Chat-Base (20B)", "GPT 3.5 Turbo (16k)")] == [
        "gpt", "llama", "gpt", "gemini", None, None, None, "gpt",
    ]  # fmt: skip
    models = {"gpt-3.5": None, "claude-2": None, "x1": "GPT"}
    found = find_own({"gpt-4": None, "z": None, "y": "gpt"}, models, {"z": ["claude-2"]})
    assert [(one.judge, one.model, one.because) for one in found] == [
        ("gpt-4", "gpt-3.5", "guessed from the names"), ("gpt-4", "x1", "guessed from the names"),
        ("z", "claude-2", "as told"), ("y", "gpt-3.5", "guessed from the names"), ("y", "x1", "attribute family"),
    ]  # fmt: skip


# -- the study -------------------------------------------------------------------------------------------------------


def world(seed: int = 3, pairs: int = 240) -> pd.DataFrame:
    """Gold, a judge that is right in .8 and one that takes the first in half of the pairs, follows the crowd, and
    prefers its own models."""
    rng = np.random.default_rng(seed)
    out = []
    for k in range(pairs):
        right, own, cue = (("a", "b")[int(rng.integers(0, 2))] for _ in range(3))
        about = {
            "prompt": f"p{k // 2}", "pair_id": str(k), "response_a": f"one {k}" + " more" * int(rng.integers(0, 4)),
            "response_b": f"two {k}" + " more" * int(rng.integers(0, 4)),
            "model_a": "gpt-x" if own == "a" else "other", "model_b": "gpt-x" if own == "b" else "other",
        }  # fmt: skip
        out.append(about | {"judge": "gold", "judge_kind": "rule", "winner": right})
        for judge in ("fair", "gpt-biased"):
            takes_first = rng.random() < 0.5
            takes_own = rng.random() < 0.4
            noise = {s: rng.random() < 0.8 for s in (False, True)}
            for swapped in (False, True):
                says = right if noise[swapped] else ("b" if right == "a" else "a")
                if judge != "fair" and takes_first:
                    says = "b" if swapped else "a"
                elif judge != "fair" and takes_own:
                    says = own
                row = about | {"judge": judge, "judge_kind": "llm", "swapped": swapped}
                out.append(row | {"winner": says, "variant": "plain"})
                if not swapped:
                    follows = judge != "fair" and rng.random() < 0.5
                    again = right if rng.random() < 0.8 else ("b" if right == "a" else "a")
                    out.append(row | {"winner": cue if follows else says if judge != "fair" else again,
                                      "variant": "bandwagon", "cue": cue})  # fmt: skip
    return pd.DataFrame(out)


def stored(folder: Path, table: pd.DataFrame) -> Store:
    folder.mkdir(exist_ok=True)
    table.to_csv(folder / "d.csv", index=False)
    store = Store(folder / "s.duckdb")
    assert import_path(store, folder / "d.csv", "d").rejected == 0
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("audit") / "all", world())


def test_planted_biases_are_found_and_a_fair_judge_has_none(store: Store) -> None:
    result = Audit(dataset="d").run(store)
    assert result.settings["reference"] == "gold"
    clusters = result.table()["clusters"]
    assert f"clustered by {clusters.min():,} to {clusters.max():,} prompts" in result.caption
    table = result.tables["biases"].set_index(["judge", "bias"])
    flagged = table.index[table["flagged"].fillna(False).astype(bool)].tolist()
    assert set(flagged) == {("gpt-biased", name) for name in ("first_position", "self_preference", "bandwagon")}
    first = table.loc[("gpt-biased", "first_position")]
    # Half are taken first both times; the others err in .6 x .2 x .8 of both orders, to either side.
    assert first["rate"] == pytest.approx(0.5 + 0.5 * 0.6 * 0.16, abs=0.07)
    own = table.loc[("gpt-biased", "self_preference")]
    # Its own decides in .4 of the half that the order does not decide: .2 of all go there regardless.
    assert own["excess_lower"] < 0.1 < own["excess_upper"]
    beside = result.tables["self_preference"].set_index("judge").loc["gpt-biased"]
    assert beside["own"] == "gpt-x"
    assert beside["dbg_lower"] < beside["dbg"] < beside["dbg_upper"]
    variants = result.tables["variants"].set_index("judge")
    assert variants.loc["gpt-biased", "towards"] > variants.loc["gpt-biased", "away"] == 0
    # Right in .5 x .5 + .5 x (.6 x .8 + .4 x .5) = .59; half of the time the cue decides, and is right in .5.
    assert variants.loc["gpt-biased", "change_lower"] < -0.045 < variants.loc["gpt-biased", "change_upper"]
    assert "guessed from names" in " ".join(result.warnings)


def test_what_the_data_cannot_show_is_named(store: Store) -> None:
    gone = Audit(dataset="d").run(store).tables["cannot_show"]
    fair = gone[gone["judge"] == "fair"].set_index("bias")
    assert {"authority", "persona", "compassion_fade", "option_order", "repeat_consistency", "self_preference"} <= set(
        fair.index
    )
    assert "bandwagon" not in fair.index
    assert "--own fair=MODEL" in fair.loc["self_preference", "needed"]


def test_exchanging_a_and_b_changes_nothing(store: Store, tmp_path: Path) -> None:
    table = world()
    other = {"a": "b", "b": "a"}
    turned = table.rename(columns={"response_a": "response_b", "response_b": "response_a", "model_a": "model_b",
                                   "model_b": "model_a"})  # fmt: skip
    turned["winner"], turned["cue"] = table["winner"].map(other), table["cue"].map(other)
    turned["swapped"] = table["swapped"].map({True: False, False: True})
    one, two = (Audit(dataset="d").run(s).tables["biases"] for s in (store, stored(tmp_path / "t", turned)))
    for column in ("rate", "lower", "null", "p", "q", "n"):
        assert one[column].astype(float).to_numpy() == pytest.approx(two[column].astype(float).to_numpy(), nan_ok=True)


def test_the_command_has_its_promised_keys_and_refuses_in_a_sentence(store: Store) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli.app, ["--db", str(store.path), "audit", "--dataset", "d", *words])
        return done.exit_code, done.stdout

    code, text = run("-o", "json")
    row = next(row for row in json.loads(text)["biases"] if row["bias"] == "first_position")
    assert code == 0
    assert {"judge", "bias", "rate", "lower", "upper", "chance", "null", "p", "q", "n"} <= set(row)
    with pytest.raises(EmptySelectionError, match="no other judge to audit"):
        Audit(dataset="d", judge=("gold",)).run(store)
    with pytest.raises(OptionError, match="JUDGE=MODEL"):
        Audit(dataset="d", own=("fair",)).run(store)
    with pytest.raises(UnknownNameError, match="gpt-x"):
        Audit(dataset="d", own=("fair=gpt-y",)).run(store)
    with pytest.raises(OptionError, match="by prompt or by pair"):
        Audit(dataset="d", cluster="annotator").run(store)
    told = Audit(dataset="d", own=("fair=other",)).run(store).tables["biases"]
    assert ((told["judge"] == "fair") & (told["bias"] == "self_preference")).sum() == 1


def test_odd_data_give_sentences_and_no_numbers(tmp_path: Path) -> None:
    """All ties, one order, repeats that part, no reference, a variant without its twin."""
    rows = []
    for k in range(12):
        about = {"prompt": f"p{k}", "response_a": f"x{k}", "response_b": f"y{k}"}
        rows.append(about | {"judge": "ties", "winner": "tie", "swapped": False, "variant": "plain"})
        rows.append(about | {"judge": "left", "winner": "a", "swapped": False, "repeat": 1, "variant": "plain"})
        rows.append(about | {"judge": "left", "winner": "b", "swapped": False, "repeat": 2, "variant": "plain"})
        rows.append(about | {"judge": "silent", "winner": "refused", "variant": "plain"})
    rows.append({"prompt": "q", "response_a": "x", "response_b": "y", "judge": "ties", "winner": "a", "variant": "persona",
                 "cue": "a"})  # fmt: skip
    result = Audit(dataset="d").run(stored(tmp_path / "odd", pd.DataFrame(rows)))
    table = result.tables["biases"].set_index(["judge", "bias"])
    assert table.loc[("left", "repeat_consistency"), "rate"] == 0.0
    assert table.loc[("ties", "tie_rate"), "rate"] == 1.0
    assert table.loc[("ties", "first_position"), "rate"] == 0.5
    assert table.loc[("silent", "no_verdict"), "rate"] == 1.0
    assert ("silent", "accuracy") not in table.index
    said = " ".join(result.warnings)
    assert "no judge says what is right" in said
    assert "ties in persona" in said


CONSTANT = {
    "ties": ("tie", "tie", "all verdicts are ties"), "first": ("a", "b", "all verdicts are for the answer shown first"),
    "last": ("b", "a", "all verdicts are for the answer shown last"), "a": ("a", "a", "all verdicts are for side a"),
}  # fmt: skip


def about(k: int) -> dict[str, object]:
    return {"prompt": f"p{k}", "response_a": f"x{k}", "response_b": f"y{k}", "judge": "robot"}


def warnings(folder: Path, rows: list[dict[str, object]]) -> tuple[str, pd.DataFrame]:
    result = Audit(dataset="d").run(stored(folder, pd.DataFrame(rows)))
    json.dumps(result.as_json(), allow_nan=False)
    return " | ".join(result.warnings), result.table("biases").set_index("bias")


@pytest.mark.parametrize("kind", CONSTANT)
def test_constant_verdicts_get_their_sentence(tmp_path: Path, kind: str) -> None:
    one, two, said = CONSTANT[kind]
    rows = [about(k) | {"swapped": swapped, "winner": two if swapped else one}
            for k in range(12) for swapped in (False, True)]  # fmt: skip
    told, table = warnings(tmp_path / "d", rows)
    assert said in told
    assert told.count("robot") == 1
    first = table.loc["first_position"]
    if kind in ("first", "last"):
        assert first["p"] == pytest.approx(2 / 2**12)
        assert bool(first["flagged"])
    else:
        assert pd.isna(first["p"])
        assert "no verdict differs" in first["why"]


def test_a_judge_that_always_takes_the_first_is_flagged_in_one_order_too(tmp_path: Path) -> None:
    rows = [about(k) | {"swapped": k % 2 == 1, "winner": "b" if k % 2 else "a"} for k in range(20)]
    told, table = warnings(tmp_path / "d", rows)
    row = table.loc["first_position"]
    assert (row["rate"], row["null"], row["excess"], bool(row["flagged"])) == (1.0, 0.5, 0.5, True)
    # All of 20 prompts: two of 2 ** 20 signs; the lower end is that of Clopper and Pearson.
    assert row["p"] == pytest.approx(2 / 2**20)
    assert row["excess_lower"] == pytest.approx(0.025 ** (1 / 20) - 0.5)
    assert "for the answer shown first: robot" in told


def test_contradictions_and_strangers_get_their_sentences(tmp_path: Path) -> None:
    rows = [about(k) | {"repeat": r, "winner": "ab"[r % 2], "swapped": False} for k in range(12) for r in (1, 2)]
    told, _ = warnings(tmp_path / "repeats", rows)
    assert "also chose the other side, and the mean of its verdicts counts: robot (12 of 12 questions)" in told
    people = [{"prompt": f"q{k}", "response_a": f"x{k}", "response_b": f"y{k}", "judge": "people", "winner": "a"}
              for k in range(12)]  # fmt: skip
    told, table = warnings(tmp_path / "apart", [*people, *(about(k) | {"winner": "ab"[k % 2]} for k in range(12))])
    assert "no pair is shared with people" in told
    assert "accuracy" not in table.index


@pytest.mark.real
def test_65_judges_of_llmbar_equal_a_direct_recomputation(real: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    import_path(store, real / "llmbar_natural", "d", ImportOptions(format="llmbar"))
    table = Audit(dataset="d").run(store).tables["biases"].set_index(["judge", "bias"])
    raw = pd.read_csv(real / "llmbar_natural" / "llm_judgments.csv")
    raw = raw[raw["winner"].isin([1, 2, "1", "2"])].assign(winner=lambda t: t["winner"].astype(int))
    gold = pd.read_csv(real / "llmbar_natural" / "pairs.csv").set_index("pair_id")["expert_label"]
    assert raw["judge"].nunique() == 65
    for judge, rows in raw.groupby("judge"):
        both = rows.pivot(index="pair_id", columns="shown_swapped", values="winner").dropna()
        first = int(((both[False] == 1) & (both[True] == 2)).sum())
        last = int(((both[False] == 2) & (both[True] == 1)).sum())
        row = table.loc[(judge, "position_consistency")]
        assert (row["rate"], row["n"]) == (pytest.approx((both[False] == both[True]).mean()), len(both))
        assert table.loc[(judge, "first_position"), "rate"] == pytest.approx(first / len(both))
        if first + last:
            p = binomtest(first, first + last).pvalue
            assert table.loc[(judge, "first_position"), "p"] == pytest.approx(p)
        right = (rows["winner"] == rows["pair_id"].map(gold)).mean()
        assert table.loc[(judge, "accuracy"), "rate"] == pytest.approx(right)


def test_the_docs_compute_the_same_table() -> None:
    text = (Path(__file__).parent.parent / "docs" / "audit.md").read_text()
    cells = [line.strip("|\n ").split(" | ") for line in text.splitlines() if line[:3] in {f"| {k}" for k in range(1, 7)}]
    code = {"a": 1, "b": -1, "tie": 0}
    one, two = ([code[row[k].strip()] for row in cells if row[1].strip() in code] for k in (1, 2))
    found = both_orders(units(one, two), PAIR, 0.95)
    assert [len(one), *(6 * bias.rate for bias in found), found[1].p] == pytest.approx([6, 2, 2, 1, 1.0])


@pytest.mark.slow
@pytest.mark.every(3, "world")
@pytest.mark.parametrize("world", ["fair, people's taste for length", "fair, its own truly better",
                                   "fair, noisier in half of the prompts", "biased, 200 prompts"])  # fmt: skip
def test_fair_judges_are_rarely_flagged_and_planted_sizes_are_covered(world: str) -> None:
    from benchmarks.coverage_audit import run_world, worlds

    table = run_world(next(one for one in worlds() if one.name == world), 100, 1)
    for row in table.to_dict("records"):
        if row["quantity"] == "flagged":
            # At .07 more than 14 of 100 have a chance of .003.
            assert row["coverage"] <= 0.14, row
        else:
            assert row["coverage"] >= 0.87, row  # at .95, 86 or fewer of 100 have a chance below .001
