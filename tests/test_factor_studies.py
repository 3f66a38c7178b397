"""The studies of factors: what they promise, against statsmodels on their own table, and every awkward dataset."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from typer.testing import CliRunner

import cli
import studies  # noqa: F401  (registers the studies)
from data import datasets
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError, UnknownNameError
from studies.by_scenario import run_by_scenario
from studies.extract import extract
from studies.factor_judgments import NotMeasuredError
from studies.factors_decided import FactorsDecided
from studies.factors_fit import FactorsFit
from studies.factors_gap import FactorsGap
from studies.factors_scenarios import FactorsScenarios
from studies.factors_table import FactorsTable
from studies.factors_variants import VARIANTS, FactorsVariants
from studies.study import REGISTRY, Result

PAIRS = ((0, 1), (1, 2), (2, 0))
FLOAT = 1e-9
"""Beyond what sums in another order differ by; Newton stops 3e-5 standard errors from the optimum and steps once more."""
SHARED = ("tone", "lists", "wit", "calm")
COMMANDS = sorted(name for name in REGISTRY if name.startswith("factors ") and name != "factors list")


def rows(
    prompts: int = 40, votes: int = 2, judges: tuple[str, ...] = ("people", "robot"), seed: int = 0, ties: float = 0.15
) -> list[dict[str, Any]]:
    """Three models; both like lists, wit and calm; people also `tone`, the robot length; several people vote on a pair.

    `care` each annotator sees for herself, `kind` is a word, `topics` a set of them; the shown order is known.
    """
    rng = np.random.default_rng(seed)
    out: list[dict[str, Any]] = []
    for prompt in range(prompts):
        texts = {m: "Sure.\n" + "- so\n" * int(rng.poisson(1.5)) + f"{m} {prompt} " + "word " * int(rng.integers(0, 30)) for m in range(3)}
        tone = {m: round(float(rng.normal()), 3) for m in range(3)}
        wit, calm = ({m: round(float(rng.normal()), 3) for m in range(3)} for _ in range(2))
        kind = {m: ["warm", "cold", "dry"][(prompt + 2 * m) % 3] for m in range(3)}
        topics = {m: ["art", "law;sea", "art;sea", "sea"][int(rng.integers(4))] for m in range(3)}
        for a, b in PAIRS:
            more = texts[a].count("- so") - texts[b].count("- so")
            length = (len(texts[a].split()) - len(texts[b].split())) / 6
            for judge in judges:
                for vote in range(votes if judge == "people" else 1):
                    swapped = bool(rng.integers(2))
                    seen = 0.6 * more + 0.8 * (wit[a] - wit[b]) + 0.7 * (calm[a] - calm[b]) + ((tone[a] - tone[b]) if judge == "people" else length) + (-0.3 if swapped else 0.3)
                    won = "a" if rng.random() < 1 / (1 + np.exp(-seen)) else "b"
                    out.append(
                        {
                            "prompt": f"p{prompt}", "scenario": "even" if prompt % 2 == 0 else "odd", "model_a": f"m{a}",
                            "model_b": f"m{b}", "response_a": texts[a], "response_b": texts[b], "judge": judge,
                            "judge_kind": "human" if judge == "people" else "llm",
                            "annotator": f"w{(prompt + 3 * vote) % 7}" if judge == "people" else None,
                            "winner": "tie" if rng.random() < ties else won, "swapped": swapped,
                            "tone_a": tone[a], "tone_b": tone[b], "wit_a": wit[a], "wit_b": wit[b], "calm_a": calm[a],
                            "calm_b": calm[b], "kind_a": kind[a], "kind_b": kind[b],
                            "topics_a": topics[a], "topics_b": topics[b],
                            "care_a": int(rng.integers(1, 6)) if judge == "people" else None,
                            "care_b": int(rng.integers(1, 6)) if judge == "people" else None,
                        }
                    )  # fmt: skip
    return out


def stored(folder: Path, given: list[dict[str, Any]], name: str = "d", measure: bool = False) -> Store:
    """A store in this folder with these rows (as JSON lines: an absent value is absent)."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in given))
    # A test asks several questions of it: to open DuckDB takes longer than most.
    store = Store(folder / "s.duckdb", linger=5)
    assert import_path(store, path, name).accepted == len(given)
    if measure:
        extract(store, name, workers=1)
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("factors"), rows(), measure=True)


def command(store: Store, *words: str) -> Any:
    """What the command line prints: its JSON, or the rows of its CSV."""
    done = CliRunner().invoke(cli.app, ["--db", str(store.path), *words])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout) if "json" in words else list(csv.DictReader(io.StringIO(done.stdout)))


def regression(table: pd.DataFrame, judge: str, cluster: str = "") -> pd.DataFrame:
    """statsmodels' weights of one judge from the rows that `factors table` gives; se: sandwich times G/(G - 1)."""
    mine = table[table["judge"] == judge]
    names = [*(["first_position"] if (mine["first_position"] != 0).any() else []), *_factors(table)]
    x = mine[names].to_numpy(dtype=float)
    y, weight = mine["y"].to_numpy(dtype=float), np.ones(len(mine))
    if "weight" in mine:
        weight = mine["weight"].to_numpy(dtype=float)
    model = sm.GLM(y, x, family=sm.families.Binomial(), freq_weights=weight)
    fit = model.fit(tol=1e-13, maxiter=100)
    out = pd.DataFrame({"factor": names, "weight": fit.params})
    if cluster:
        bread = np.linalg.inv(-model.hessian(fit.params))
        sums = pd.DataFrame(model.score_obs(fit.params)).groupby(mine[cluster].to_numpy()).sum().to_numpy()
        out["se"] = np.sqrt(np.diag(bread @ sums.T @ sums @ bread) * len(sums) / (len(sums) - 1))
    return out


def _factors(table: pd.DataFrame) -> list[str]:
    columns = list(table.columns)
    start = columns.index("weight" if "weight" in columns else "first_position") + 1
    return columns[start:]


def weights(result: Result, judge: str) -> pd.DataFrame:
    table = result.table("factors")
    return table[table["judge"] == judge].reset_index(drop=True)


# -- the fit is that of its table --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ties", ["half", "drop"])
@pytest.mark.parametrize("coding", ["rms", "sign", "raw"])
def test_the_fit_is_the_regression_of_its_table(store: Store, ties: str, coding: str) -> None:
    # With 25 pairs a parameter and more, errors are those of the sandwich.
    asked = {"ties": ties, "coding": coding, "factor": ("tone", "lists"), "cluster": "pair"}
    table, fit = FactorsTable(**asked).run(store).table(), FactorsFit(**asked).run(store)  # type: ignore[arg-type]
    assert list(table.columns[:7]) == ["pair", "judge", "prompt", "scenario", "annotator", "y", "first_position"]
    assert list(table.columns[7:]) == ["tone", "lists"]
    for judge in ("people", "robot"):
        mine, theirs = weights(fit, judge), regression(table, judge, "pair")
        assert list(mine["factor"]) == list(theirs["factor"]) == ["first_position", "tone", "lists"]
        assert mine["weight"].to_numpy(dtype=float) == pytest.approx(theirs["weight"].to_numpy(), abs=FLOAT)
        assert mine["se"].to_numpy(dtype=float) == pytest.approx(theirs["se"].to_numpy(), rel=1e-7)
        assert mine["effect"].to_numpy(dtype=float) == pytest.approx(100 / (1 + np.exp(-theirs["weight"].to_numpy())))
    if coding == "sign":
        assert set(np.unique(table["tone"])) <= {-1, 0, 1}
    scale = fit.table("factors").set_index("factor")["scale"].iloc[[1]].iloc[0]
    distinct = table.drop_duplicates("pair")["tone"]
    if coding == "rms" and ties == "half":
        assert float(np.sqrt((distinct**2).mean())) == pytest.approx(1.0)
    assert (scale == 1.0) == (coding != "rms")


def test_the_scale_is_that_of_the_whole_dataset_before_any_filter(store: Store) -> None:
    whole = FactorsFit(factor=("tone",)).run(store).table("factors")
    some = FactorsFit(factor=("tone",), scenario=("even",), judge=("robot",), ties="drop").run(store).table("factors")
    assert some["scale"].dropna().unique() == pytest.approx(whole["scale"].dropna().unique(), rel=1e-12)
    given = {(r["prompt"], r["model_a"], r["model_b"]): r["tone_a"] - r["tone_b"] for r in rows()}
    assert whole["scale"].dropna().iloc[0] == pytest.approx(np.sqrt(np.mean(np.square(list(given.values())))), rel=1e-12)


@pytest.mark.parametrize("cluster", ["prompt", "annotator", "prompt+annotator", "none"])
def test_clusters_change_intervals_and_no_weight(store: Store, cluster: str) -> None:
    asked = {"factor": ("tone", "lists"), "judge": ("people",)}
    by_pair = FactorsFit(**asked, cluster="pair").run(store).table()  # type: ignore[arg-type]
    other = FactorsFit(**asked, cluster=cluster).run(store)  # type: ignore[arg-type]
    assert other.table()["weight"].tolist() == pytest.approx(by_pair["weight"].tolist(), abs=FLOAT)
    assert other.table()["se"].tolist() != pytest.approx(by_pair["se"].tolist(), rel=1e-3)
    method = str(other.table("judges")["intervals"].iloc[0])
    wanted = {"prompt": "40 prompts", "annotator": "7 annotators", "prompt+annotator": "40 prompts", "none": "naive"}
    assert wanted[cluster] in method
    assert wanted[cluster] in other.caption


def test_weights_of_the_file_multiply_the_likelihood(tmp_path: Path) -> None:
    given = rows(prompts=15, votes=1, judges=("people",), ties=0.1)
    rng = np.random.default_rng(3)
    repeats = rng.integers(1, 4, len(given))
    weighted = stored(tmp_path / "w", [row | {"weight": float(n)} for row, n in zip(given, repeats, strict=True)])
    repeated = stored(tmp_path / "r", [row | {"repeat": k + 1} for row, n in zip(given, repeats, strict=True) for k in range(n)])
    asked = {"factor": ("tone", "care"), "cluster": "prompt"}
    one, other = (FactorsFit(**asked).run(s).table() for s in (weighted, repeated))  # type: ignore[arg-type]
    assert one["weight"].tolist() == pytest.approx(other["weight"].tolist(), abs=FLOAT)
    assert one["se"].tolist() == pytest.approx(other["se"].tolist(), rel=1e-7)
    table = FactorsTable(**asked).run(weighted)  # type: ignore[arg-type]
    assert "multiplies the likelihood" in table.warnings[0]
    assert table.table()["weight"].tolist() == repeats.tolist()
    theirs = regression(table.table(), "people")
    assert one["weight"].to_numpy(dtype=float) == pytest.approx(theirs["weight"].to_numpy(), abs=FLOAT)
    doubled = stored(tmp_path / "2", [row | {"weight": 2.0 * n} for row, n in zip(given, repeats, strict=True)])
    twice = FactorsFit(**asked).run(doubled).table()  # type: ignore[arg-type]
    assert twice["weight"].tolist() == pytest.approx(one["weight"].tolist(), abs=FLOAT)
    assert twice["se"].tolist() == pytest.approx(one["se"].tolist(), rel=1e-6)


def test_shares_enter_as_shares(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    given = [{k: v for k, v in row.items() if k != "winner"} | {"p_a": round(float(rng.random()), 3)}
             for row in rows(prompts=12, votes=1)]  # fmt: skip
    store = stored(tmp_path, given)
    table, fit = FactorsTable(factor=("tone",)).run(store).table(), FactorsFit(factor=("tone",)).run(store)
    assert sorted(table["y"]) == pytest.approx(sorted(row["p_a"] for row in given))
    for judge in ("people", "robot"):
        theirs = regression(table, judge)["weight"].to_numpy()
        assert weights(fit, judge)["weight"].to_numpy(dtype=float) == pytest.approx(theirs, abs=FLOAT)
    with pytest.raises(OptionError, match="davidson"):
        FactorsFit(factor=("tone",), ties="davidson").run(store)


def test_counts_of_votes_are_that_many_judgments(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    base = [r for r in rows(prompts=12, votes=1, judges=("people",)) if r["judge"] == "people"]
    drop = {"winner", "annotator", "care_a", "care_b", "swapped"}
    plain = [{k: v for k, v in row.items() if k not in drop} for row in base]
    counts = rng.integers(0, 4, (len(base), 3))
    counts[:, 0] += 1
    counted = [row | dict(zip(("count_a", "count_b", "count_tie"), map(int, n), strict=True))
               for row, n in zip(plain, counts, strict=True)]  # fmt: skip
    single = [row | {"winner": w, "repeat": k + 1} for row, n in zip(plain, counts, strict=True)
              for w, many in zip(("a", "b", "tie"), n, strict=True) for k in range(many)]  # fmt: skip
    path = tmp_path / "c.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in counted))
    one = Store(tmp_path / "c.duckdb")
    import_path(one, path, "d")
    other = stored(tmp_path / "s", single)
    a, b = (FactorsFit(factor=("tone",)).run(s) for s in (one, other))
    assert a.table("judges")["judgments"].tolist() == b.table("judges")["judgments"].tolist() == [int(counts.sum())]
    assert a.table()["weight"].tolist() == pytest.approx(b.table()["weight"].tolist(), abs=FLOAT)
    assert a.table()["se"].tolist() == pytest.approx(b.table()["se"].tolist(), rel=1e-7)


def test_values_by_annotator_and_levels_and_label_sets(store: Store) -> None:
    result = FactorsFit(judge=("people",), factor=("care", "kind", "topics"), cluster="annotator").run(store)
    names = [name for name in result.table()["factor"] if name != "first_position"]
    assert names[0] == "care"
    # The most frequent level is the reference (cold, by the alphabet among equals); a set has a flag for each label.
    assert [n for n in names if n.startswith("kind")] == ["kind=dry", "kind=warm"]
    assert {n for n in names if n.startswith("topics")} == {"topics=art", "topics=law", "topics=sea"}
    asked = {"judge": ("people",), "factor": ("care", "kind")}
    table = FactorsTable(**asked).run(store).table()  # type: ignore[arg-type]
    assert len(table) == 40 * 3 * 2
    assert table.groupby("pair")["care"].nunique().max() == 2
    theirs = regression(table, "people")["weight"].to_numpy()
    mine = FactorsFit(**asked).run(store).table()["weight"].to_numpy(dtype=float)  # type: ignore[arg-type]
    assert mine == pytest.approx(theirs, abs=FLOAT)


def test_the_gap_is_the_difference_of_two_fits_on_shared_pairs(store: Store) -> None:
    names = ("tone", "words", "lists", "wit", "calm")
    gap = FactorsGap(factor=names).run(store)
    fit = FactorsFit(factor=names).run(store)
    table = gap.table("gaps")
    ref, judge = (weights(fit, name)["weight"].to_numpy(dtype=float) for name in ("people", "robot"))
    assert table["factor"].tolist() == ["first_position", *names]
    assert table["weight_ref"].to_numpy(dtype=float) == pytest.approx(ref, abs=1e-8)
    assert table["gap"].to_numpy(dtype=float) == pytest.approx(judge - ref, abs=1e-8)
    scale = gap.values["scale"]
    assert scale["lower"] < scale["value"] < scale["upper"]
    assert table["gap_scaled"].to_numpy(dtype=float) == pytest.approx(judge - scale["value"] * ref, abs=1e-7)
    assert (table.loc[table["factor"] != "first_position", ["q", "scaled_q"]].notna()).all(axis=None)
    assert table.loc[table["factor"] == "first_position", ["q", "scaled_q"]].isna().all(axis=None)
    # What was planted: people like tone, the robot length.
    sure = table.set_index("factor")["scaled_q"]
    assert sure[["tone", "words"]].max() < 0.05
    assert sure[["lists", "wit", "calm"]].min() > 0.05


# -- what the command line promises ------------------------------------------------------------------------------------

PROMISED = {
    "factors fit": ("factors", "judge factor weight se lower upper effect p q"),
    "factors gap": (
        "gaps", "judge factor weight_ref weight_judge gap se lower upper p q gap_scaled scaled_se scaled_lower "
        "scaled_upper scaled_p scaled_q equivalent"
    ),
    "factors scenarios": ("gaps", "judge scenario factor weight_ref weight_judge gap lower upper p q"),
    "factors variants": ("weights", "variant judge factor weight se lower upper p q"),
    "factors decided": ("pairs", "pair prompt difference push preference_ref preference_judge"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROMISED)
def test_the_keys_of_the_json(store: Store, name: str) -> None:
    content = command(store, *name.split(), *(w for f in SHARED for w in ("--factor", f)), "-o", "json")
    table, keys = PROMISED[name]
    assert next(iter(content)) == "settings"
    assert {table, "warnings", "caption", "fingerprint"} <= set(content)
    row = next(r for r in content[table] if r.get("factor") != "first_position")
    assert set(keys.split()) <= set(row), set(keys.split()) - set(row)
    if name == "factors gap":
        assert set(content["scale"]) == {"value", "lower", "upper"}


def test_the_table_is_csv_unless_asked(store: Store) -> None:
    found = command(store, "factors", "table", "--factor", "tone", "--judge", "robot")
    assert list(found[0]) == ["pair", "judge", "prompt", "scenario", "annotator", "y", "first_position", "tone"]
    assert len(found) == 120
    assert {row["annotator"] for row in found} == {""}
    again = command(store, "factors", "table", "--factor", "tone", "--judge", "robot", "-o", "json")
    assert [row["tone"] for row in again["rows"]] == pytest.approx([float(row["tone"]) for row in found], rel=1e-12)


def test_by_scenario_adds_the_field_and_q_is_over_all(store: Store) -> None:
    found = command(store, "factors", "fit", "--factor", "tone", "--factor", "lists", "--by", "scenario", "-o", "json")
    assert {row["scenario"] for row in found["factors"]} == {"even", "odd"}
    assert all(("q" in row) == (row["factor"] != "first_position") for row in found["factors"])
    mine = [row for row in found["factors"] if row["judge"] == "people" and "q" in row]
    p = np.array([row["p"] for row in mine])
    order = np.argsort(p)
    q = np.minimum.accumulate((p[order] * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1]
    assert np.array([row["q"] for row in mine])[order] == pytest.approx(np.minimum(q, 1))
    alone = FactorsFit(factor=("tone", "lists"), scenario=("odd",), judge=("people",)).run(store).table()
    assert [r["weight"] for r in found["factors"] if r["scenario"] == "odd" and r["judge"] == "people"] == pytest.approx(
        alone["weight"].tolist(), abs=FLOAT
    )
    gap = run_by_scenario(FactorsGap(factor=("tone", "lists")), store)
    scenarios = FactorsScenarios(factor=("tone", "lists")).run(store).table("gaps")
    for column in ("gap", "gap_scaled", "q", "scaled_q"):
        one, other = (t.set_index(["scenario", "factor"])[column].sort_index() for t in (gap.table(), scenarios))
        assert one.astype(float).to_numpy() == pytest.approx(other.astype(float).to_numpy(), nan_ok=True), column


def test_four_ways_are_the_fits_they_are_named_after(store: Store) -> None:
    factors = ("tone", "words")
    found = FactorsVariants(factor=factors).run(store)
    table = found.table("weights")
    assert list(table["variant"].unique()) == list(VARIANTS)
    plain = table[(table["variant"] == "all answers") & (table["judge"] == "robot")]
    wanted = weights(FactorsFit(factor=factors).run(store), "robot")
    assert plain["weight"].tolist() == pytest.approx(wanted["weight"].tolist(), abs=FLOAT)
    assert plain["q"].tolist()[1:] == pytest.approx(wanted["q"].tolist()[1:])
    # Without models' strengths nothing is held equal; no answer is empty, so leaving those out changes nothing.
    for one, other in (("all answers", "without empty texts"), ("model strengths held equal", "both")):
        a, b = (table[table["variant"] == name]["weight"].tolist() for name in (one, other))
        assert a == pytest.approx(b, abs=1e-9)
    gaps = found.table("gaps")
    within = FactorsGap(factor=factors, fixed_models=True).run(store).table()
    mine = gaps[gaps["variant"] == "model strengths held equal"]
    assert mine["gap"].tolist() == pytest.approx(within["gap"].tolist(), abs=FLOAT)


def test_decided_pairs_are_disagreements_that_the_factor_explains(store: Store) -> None:
    result = FactorsDecided(factor=SHARED, of="tone", n=4).run(store)
    table = result.table("pairs")
    assert len(table) == 4
    assert table["push"].is_monotonic_decreasing
    assert (table["push"] > 0).all()
    assert ((table["preference_ref"] - 50) * (table["preference_judge"] - 50) < 0).all()
    gap = FactorsGap(factor=SHARED).run(store).table("gaps").set_index("factor")
    row = table.iloc[0]
    scale = FactorsFit(factor=("tone",)).run(store).table()["scale"].dropna().iloc[0]
    side = np.sign(row["preference_judge"] - 50)
    assert row["push"] == pytest.approx(gap.loc["tone", "gap"] * row["difference"] / scale * side, rel=1e-6)
    assert 4 <= result.values["disagreements"] < 120
    # Left out, it is the factor with the clearest and largest gap.
    assert FactorsDecided(factor=SHARED).run(store).settings["of"] == "tone"


# -- empty texts, missing values, the shown order ------------------------------------------------------------------------


def test_pairs_with_an_empty_text_are_kept_or_left_out(tmp_path: Path) -> None:
    given = rows(prompts=20, votes=1)
    for row in given:
        if row["prompt"] in ("p1", "p2"):
            for side in "ab":
                row[f"response_{side}"] = "" if row[f"model_{side}"] == "m0" else row[f"response_{side}"]
    store = stored(tmp_path, given, measure=True)
    kept = FactorsFit(factor=("words", "lists")).run(store)
    assert any("2 answers are empty texts" in w or "empty" in w for w in kept.warnings), kept.warnings
    left = FactorsFit(factor=("words", "lists"), empty_texts="leave-out").run(store)
    assert kept.values["judgments"] == 120
    assert left.values["judgments"] == 120 - 2 * 2 * 2
    # The scale is that of the whole dataset either way.
    scales = [r.table("factors")["scale"].dropna().tolist() for r in (kept, left)]
    assert scales[0] == pytest.approx(scales[1], rel=1e-12)
    variants = FactorsVariants(factor=("words", "lists"), empty_texts="leave-out").run(store)
    assert list(variants.table()["variant"].unique()) == ["without empty texts", "both"]
    # Joined once, each way is what the gap finds that joins its own judgments.
    gaps = FactorsVariants(factor=("words", "lists")).run(store).table("gaps")
    for name, (within, without) in VARIANTS.items():
        empty = "leave-out" if without else "keep"
        wanted = FactorsGap(factor=("words", "lists"), fixed_models=within, empty_texts=empty).run(store).table("gaps")
        mine = gaps[gaps["variant"] == name]
        for column in ("gap", "lower", "scaled_q"):
            both = [one[column].to_numpy(dtype=float, na_value=np.nan) for one in (mine, wanted)]
            assert both[0] == pytest.approx(both[1], rel=1e-12, nan_ok=True), (name, column)


def test_what_is_missing_is_left_out_and_counted_by_factor(tmp_path: Path) -> None:
    given = rows(prompts=20, votes=1)
    for row in given:
        for side in "ab":
            if row["prompt"] in ("p3", "p4", "p5"):
                row[f"tone_{side}"] = None
    store = stored(tmp_path, given, measure=True)
    result = FactorsFit(factor=("tone", "lists")).run(store)
    table = weights(result, "people").set_index("factor")
    assert (table.loc["tone", "missing"], table.loc["lists", "missing"]) == (9, 0)
    assert pd.isna(table.loc["first_position", "missing"])
    assert any("18 of 120 judgments lack" in w and "'tone' (18)" in w for w in result.warnings), result.warnings
    assert FactorsTable(factor=("tone", "lists")).run(store).table().isna()["tone"].sum() == 0
    for row in given:
        for side in "ab":
            row[f"tone_{side}"] = 1.0 if row[f"model_{side}"] == "m0" else None
    empty = stored(tmp_path / "none", given, measure=True)
    result = FactorsFit(factor=("tone", "lists")).run(empty)
    assert set(result.table()["factor"]) == {"first_position", "lists"}
    assert "no judgment has 'tone', which is left out" in result.warnings
    with pytest.raises(EmptySelectionError, match="every judgment of the selection lacks tone"):
        FactorsFit(factor=("tone",)).run(empty)


ORDERS = {
    "unknown": "not recorded",
    "too few known": "known for 80.0 %",
    "always first": "here the response shown first always wins",
    "always second": "here the response shown second always wins",
}


@pytest.mark.parametrize("case", ORDERS)
def test_no_position_term_where_the_order_does_not_allow_it(tmp_path: Path, case: str) -> None:
    given = rows(prompts=20, votes=1, judges=("people",), ties=0)
    for k, row in enumerate(given):
        if case == "unknown" or (case == "too few known" and k % 5 == 0):
            row["swapped"] = None
        if case.startswith("always"):
            row["swapped"] = (row["winner"] == "b") == (case == "always first")
    store = stored(tmp_path, given)
    result = FactorsFit(factor=("tone",)).run(store)
    assert list(result.table()["factor"]) == ["tone"]
    assert result.settings["position_fitted"] is False
    assert any(ORDERS[case] in w for w in result.warnings), result.warnings
    if case == "unknown":
        with pytest.raises(OptionError, match="does not record which response was shown first"):
            FactorsFit(factor=("tone",), position="with").run(store)
    if case == "too few known":
        forced = FactorsFit(factor=("tone",), position="with").run(store)
        assert list(forced.table()["factor"]) == ["first_position", "tone"]
        assert forced.table("judges")["unknown_order"].tolist() == [12]


def test_each_judge_has_a_position_term_where_its_own_order_is_known(tmp_path: Path) -> None:
    """What is known of another judge changes no judge's weights; held against one another both go without."""
    given = rows(prompts=30, votes=2, judges=("people", "robot"), ties=0)
    for row in given:
        if row["judge"] == "robot":
            row["swapped"] = None
    lone = dict(given[0], judge="solo", annotator=None, winner="a", swapped=False)
    store = stored(tmp_path, [*given, lone])
    alone = FactorsFit(factor=("tone",), judge=("people",)).run(store)
    both = FactorsFit(factor=("tone",), judge=("people", "robot", "solo")).run(store)
    assert set(alone.table()["factor"]) == {"first_position", "tone"}
    mine = both.table()[both.table()["judge"] == "people"].reset_index(drop=True)
    pd.testing.assert_frame_equal(mine, alone.table())
    assert both.table().loc[both.table()["judge"] == "robot", "factor"].tolist() == ["tone"]
    assert "no position term for robot: which response was shown first is not recorded" in both.warnings
    assert "no position term for solo: here the response shown first always wins" in both.warnings
    gap = FactorsGap(factor=("tone",), judge=("people", "robot")).run(store)
    assert gap.table()["factor"].tolist() == ["tone"]
    assert gap.settings["position_fitted"] is False
    without = FactorsGap(factor=("tone",), judge=("people", "robot"), position="without").run(store)
    pd.testing.assert_frame_equal(gap.table(), without.table())


def test_known_for_95_percent_is_enough_and_the_unknown_are_neither(tmp_path: Path) -> None:
    given = rows(prompts=20, votes=1, judges=("people",), ties=0)
    for row in given[:3]:
        row["swapped"] = None
    store = stored(tmp_path, given)
    result, table = FactorsFit(factor=("tone",)).run(store), FactorsTable(factor=("tone",)).run(store).table()
    assert (table["first_position"] == 0).sum() == 3
    theirs = regression(table, "people")["weight"].to_numpy()
    assert result.table()["weight"].to_numpy(dtype=float) == pytest.approx(theirs, abs=FLOAT)
    assert list(FactorsFit(factor=("tone",), position="without").run(store).table()["factor"]) == ["tone"]


# -- what cannot be estimated --------------------------------------------------------------------------------------------


def extra(given: list[dict[str, Any]], **columns: Any) -> list[dict[str, Any]]:
    """Further factors of the responses: name -> function of (row, side)."""
    return [row | {f"{n}_{s}": f(row, s) for n, f in columns.items() for s in "ab"} for row in given]


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Factors that never differ, that only winners have, that double another, on judgments without texts."""
    bare = [{k: v for k, v in row.items() if not k.startswith(("response", "care", "kind", "topics"))}
            for row in rows(prompts=25, votes=1, ties=0)]  # fmt: skip
    bare = [row for row in bare if row["judge"] == "people"]
    given = extra(
        bare,
        same=lambda row, side: 7,
        prize=lambda row, side: int(row["winner"] == side and int(row["prompt"][1:]) % 2 == 0),
        twice=lambda row, side: 2 * row[f"tone_{side}"],
    )
    return stored(tmp_path_factory.mktemp("awkward"), given)


def test_constant_separated_and_collinear_factors_are_named(awkward: Store) -> None:
    result = FactorsFit().run(awkward)
    assert [n for n in result.table()["factor"] if n != "first_position"] == ["calm", "tone", "wit"]
    why = result.table("left_out").set_index("factor")["cause"]
    assert "do not differ" in why["same"]
    assert "is preferred (separation)" in why["prize"]
    assert why["twice"] == "'tone' fixes it (collinear)"
    for name in ("same", "prize", "twice"):
        assert any(w.startswith(f"'{name}' is left out") for w in result.warnings)
    with pytest.raises(NotIdentifiedError, match="same"):
        FactorsFit(factor=("same",)).run(awkward)


def test_more_factors_than_pairs(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    given = []
    for k in range(60):
        row: dict[str, Any] = {"prompt": f"p{k}", "response_a": f"a {k}", "response_b": f"b {k}", "judge": "people",
                               "winner": "ab"[int(rng.integers(2))]}  # fmt: skip
        for n in range(80):
            row |= {f"f{n}_a": float(rng.integers(0, 9)), f"f{n}_b": float(rng.integers(0, 9))}
        given.append(row)
    store = stored(tmp_path, given)
    with pytest.raises(NotIdentifiedError, match="80 factors cannot be told apart on 60 pairs"):
        FactorsFit().run(store)
    some = FactorsFit(factor=tuple(f"f{n}" for n in range(9))).run(store)
    assert any("60 pairs for 9 factors are few" in w for w in some.warnings)


def test_what_there_is_no_answer_to_is_one_sentence(store: Store, awkward: Store, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="'tone'"):
        FactorsFit(factor=("tine",)).run(store)
    with pytest.raises(NotMeasuredError, match="factors extract --dataset d"):
        FactorsFit(factor=("words",)).run(stored(tmp_path / "texts", rows(prompts=3, votes=1)))
    plain = [{k: v for k, v in row.items() if k in ("prompt", "response_a", "response_b", "judge", "winner")}
             for row in rows(prompts=3, votes=1)]  # fmt: skip
    unmeasured = stored(tmp_path / "plain", plain)
    for cls in (FactorsFit, FactorsGap, FactorsTable, FactorsScenarios, FactorsVariants, FactorsDecided):
        with pytest.raises(NotMeasuredError, match=r"have not been measured yet: run python cli.py factors extract --dataset d"):
            cls(judge=("people", "robot")).run(unmeasured)  # type: ignore[arg-type]
    bare = [{"prompt": f"p{k}", "model_a": "x", "model_b": "y", "judge": "people", "winner": "a"} for k in range(5)]
    with pytest.raises(EmptySelectionError, match="has no factors: there is no text to measure"):
        FactorsFit().run(stored(tmp_path / "bare", bare))
    for cls in (FactorsGap, FactorsScenarios, FactorsDecided):
        with pytest.raises(EmptySelectionError, match="has one judge only"):
            cls().run(awkward)
        with pytest.raises(EmptySelectionError, match="only 'people' is chosen"):
            cls(judge=("people",)).run(awkward)
    with pytest.raises(OptionError, match="--margin 0"):
        FactorsGap(margin=0.0).run(store)
    with pytest.raises(OptionError, match="--n 0"):
        FactorsDecided(n=0).run(store)
    with pytest.raises(OptionError, match="name no annotators"):
        FactorsFit(cluster="annotator", factor=("tone",)).run(stored(tmp_path / "anon", [row | {"annotator": None} for row in rows(12, 1)]))
    with pytest.raises(OptionError, match="--coding log"):
        FactorsFit(coding="log").run(store)


def test_a_factor_that_a_judge_never_has_is_named_and_left_out(store: Store) -> None:
    """`care` is known of people only; unasked it is in every model."""
    said = "no judgment of robot has 'care', which is left out"
    for cls in (FactorsGap, FactorsScenarios):
        result = cls().run(store)
        assert "care" not in set(result.table()["factor"])
        assert said in result.warnings
        without = cls(factor=tuple(f for f in result.study.factor if f != "care")).run(store)  # type: ignore[attr-defined]
        pd.testing.assert_frame_equal(result.table(), without.table())
    assert FactorsDecided().run(store).settings["of"] != "care"
    with pytest.raises(EmptySelectionError, match="nothing can be said of care"):
        FactorsDecided(of="care").run(store)
    fit = FactorsFit().run(store)
    assert set(fit.table()["judge"]) == {"people", "robot"}
    assert list(fit.table().loc[fit.table()["factor"] == "care", "judge"]) == ["people"]
    assert said in fit.warnings
    alone = "every judgment of robot lacks care: leave that factor out"
    assert any(alone in w for w in FactorsFit(factor=("care",)).run(store).warnings)


def test_without_models_all_but_their_strengths_works(tmp_path: Path) -> None:
    given = [{k: v for k, v in row.items() if not k.startswith("model_")} for row in rows(prompts=20, votes=1)]
    store = stored(tmp_path, given, measure=True)
    assert len(FactorsGap(factor=("tone", "lists")).run(store).table()) == 3
    with pytest.raises(NotIdentifiedError, match="names no models, so their strengths cannot be held equal"):
        FactorsGap(factor=("tone", "lists"), fixed_models=True).run(store)
    variants = FactorsVariants(factor=("tone", "lists")).run(store)
    assert set(variants.table()["variant"]) == {"all answers", "without empty texts"}
    assert any("names no models, so their strengths cannot be held equal" in w for w in variants.warnings)
    assert len(FactorsDecided(factor=("tone", "lists")).run(store).table()) == 3


def test_no_scenarios_and_thin_scenarios(tmp_path: Path) -> None:
    given = [row | {"scenario": None} for row in rows(prompts=12, votes=1)]
    with pytest.raises(EmptySelectionError, match="knows no scenarios"):
        FactorsScenarios(factor=("tone",)).run(stored(tmp_path / "none", given))
    given = [row | {"scenario": "rare" if row["prompt"] == "p0" else "usual"} for row in rows(prompts=24)]
    given = [row | {"scenario": "people only"} if row["prompt"] == "p1" else row for row in given
             if not (row["prompt"] == "p1" and row["judge"] == "robot")]  # fmt: skip
    result = FactorsScenarios(factor=("tone", "lists", "words")).run(stored(tmp_path / "some", given, measure=True))
    about = result.table("scenarios").set_index("scenario")
    assert "robot has judged nothing here" in about.loc["people only", "cause"]
    assert any("robot has judged nothing here" in w for w in result.warnings)
    assert set(result.table("gaps")["scenario"]) >= {"usual"}
    assert about.loc["rare", "cause"] or about.loc["rare", "clustering"] == "pair"
    json.dumps(result.as_json(), allow_nan=False)


@pytest.mark.parametrize("name", COMMANDS)
def test_json_holds_no_nan_and_sentences_are_sentences(store: Store, awkward: Store, name: str) -> None:
    cls = REGISTRY[name]
    for where in (store, awkward):
        if where is awkward and cls.judges == "reference":
            continue
        takes = where is store and "factor" in cls.__dataclass_fields__
        refused = {("factors labels", awkward.path): (NotIdentifiedError, "no two labels can be put on one scale"),
                   ("factors sheet", awkward.path): (EmptySelectionError, "no answer of dataset 'd' has a text")}  # fmt: skip
        if (name, where.path) in refused:
            error, said = refused[name, where.path]
            with pytest.raises(error, match=said):
                cls().run(where)
            continue
        result = cls(**({"factor": ("tone", "wit")} if takes else {})).run(where)  # type: ignore[arg-type]
        text = json.dumps(result.as_json(), allow_nan=False)
        assert "NaN" not in text
        for sentence in (result.caption, *result.warnings):
            assert not any(word in sentence.split() for word in ("nan", "None", "<NA>", "inf")), sentence


# -- equal data, equal answers -------------------------------------------------------------------------------------------


def fingerprints(store: Store, **asked: Any) -> dict[str, str]:
    found = {}
    for cls in (FactorsFit, FactorsGap, FactorsTable, FactorsScenarios, FactorsVariants, FactorsDecided):
        found[cls.command] = cls(**asked).run(store).fingerprint
    return found


def test_equal_data_has_an_equal_fingerprint_and_other_data_another(tmp_path: Path) -> None:
    given = rows(prompts=14, votes=1)
    asked = {"factor": ("tone", "lists")}
    one = fingerprints(stored(tmp_path / "1", given, measure=True), **asked)
    assert len(set(one.values())) == 1
    # Another store, other ids, another order of the rows.
    other = stored(tmp_path / "2", rows(prompts=3, votes=1, seed=9), "before")
    path = tmp_path / "2" / "again.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in reversed(given)))
    import_path(other, path, "d")
    extract(other, "d", workers=1)
    assert fingerprints(other, dataset="d", **asked) == one
    fit = [FactorsFit(dataset="d", **asked).run(s).table().sort_values(["judge", "factor"])
           for s in (Store(tmp_path / "1" / "s.duckdb"), other)]  # fmt: skip
    assert fit[0]["weight"].tolist() == pytest.approx(fit[1]["weight"].tolist(), abs=1e-8)
    changed = [dict(row) for row in given]
    for row in changed:
        for side in "ab":
            if row["prompt"] == "p0" and row[f"model_{side}"] == "m1":
                row[f"tone_{side}"] += 1.0
    moved = fingerprints(stored(tmp_path / "3", changed, measure=True), **asked)
    assert not set(moved.values()) & set(one.values())
    verdict = [dict(row) for row in given]
    verdict[0]["winner"] = "b" if verdict[0]["winner"] == "a" else "a"
    assert not set(fingerprints(stored(tmp_path / "4", verdict, measure=True), **asked).values()) & set(one.values())
    # A factor that is not asked for does not enter; one more does.
    more = FactorsFit(factor=("tone", "lists", "words")).run(Store(tmp_path / "1" / "s.duckdb")).fingerprint
    assert more != one["factors fit"]


def turn(row: dict[str, Any]) -> dict[str, Any]:
    """The same judgment with a and b exchanged."""
    other = {"a": "b", "b": "a"}
    out = {(k[:-1] + other[k[-1]] if k.endswith(("_a", "_b")) else k): v for k, v in row.items()}
    return out | {"winner": other.get(row["winner"], row["winner"]), "swapped": not row["swapped"]}


def test_exchanging_a_and_b_changes_nothing(tmp_path: Path) -> None:
    given = rows(prompts=16, votes=2)
    rng = np.random.default_rng(1)
    # Whole pairs are turned, and single rows of others: the store brings them into one orientation.
    mixed = [turn(row) if rng.random() < 0.5 else row for row in given]
    one, two = stored(tmp_path / "1", given, measure=True), stored(tmp_path / "2", mixed, measure=True)
    asked = {"factor": ("tone", "care", "kind", "words")}
    people = FactorsFit(judge=("people",), **asked).run(one), FactorsFit(judge=("people",), **asked).run(two)  # type: ignore[arg-type]
    for column in ("weight", "se", "p", "scale"):
        a, b = (r.table()[column].astype(float).to_numpy() for r in people)
        assert a == pytest.approx(b, rel=1e-6, abs=1e-8, nan_ok=True), column
    both = [FactorsGap(factor=("tone", "words")).run(s).table() for s in (one, two)]
    for column in ("gap", "se", "gap_scaled", "scaled_p", "ame_gap"):
        a, b = (t[column].astype(float).to_numpy() for t in both)
        assert a == pytest.approx(b, rel=1e-5, abs=1e-8, nan_ok=True), column
    assert people[0].fingerprint == people[1].fingerprint


def test_deleting_and_importing_again_gives_the_same(tmp_path: Path) -> None:
    given = rows(prompts=12, votes=1)
    store = stored(tmp_path, given)
    first = FactorsFit(factor=("tone",)).run(store)
    datasets.delete(store, "d")
    import_path(store, tmp_path / "d.jsonl", "d")
    again = FactorsFit(factor=("tone",)).run(store)
    assert again.fingerprint == first.fingerprint
    assert again.table()["weight"].tolist() == pytest.approx(first.table()["weight"].tolist(), abs=1e-9)


def test_wide_files_and_tables_of_factors_agree(tmp_path: Path) -> None:
    """NAME_a and NAME_b in the judgments' file, or the same values in a table of their own keyed on the response."""
    given = rows(prompts=12, votes=1)
    wide = stored(tmp_path / "wide", given)
    bare = [{k: v for k, v in row.items() if not k.startswith("tone")} for row in given]
    apart = stored(tmp_path / "apart", bare)
    seen = {(row["prompt"], row[f"model_{s}"]): row[f"tone_{s}"] for row in given for s in "ab"}
    path = tmp_path / "tone.csv"
    pd.DataFrame([{"prompt": p, "model": m, "tone": v} for (p, m), v in seen.items()]).to_csv(path, index=False)
    import_path(apart, path, "d", ImportOptions(format="factors"))
    one, other = (FactorsFit(factor=("tone",)).run(s).table() for s in (wide, apart))
    assert one["weight"].tolist() == pytest.approx(other["weight"].tolist(), abs=FLOAT)


# -- published judgments -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def llmfao(real: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    found = Store(tmp_path_factory.mktemp("llmfao") / "s.duckdb")
    import_path(found, real / "llmfao", "llmfao", ImportOptions(format="llmfao"))
    extract(found, "llmfao")
    return found


@pytest.mark.real
def test_llmfao_length_and_position_alone(llmfao: Store) -> None:
    result = FactorsFit(factor=("words",), ties="drop").run(llmfao)
    table = result.table().set_index(["judge", "factor"])
    wanted = {"crowd": (0.13, -0.29), "gpt-3": (0.84, 0.30), "gpt-4": (-0.20, -0.68)}
    for judge, (position, length) in wanted.items():
        assert table.loc[(judge, "first_position"), "weight"] == pytest.approx(position, abs=0.005)
        assert table.loc[(judge, "words"), "weight"] == pytest.approx(length, abs=0.005)
        # 13 prompts: none of the lengths can be told from 0.
        assert table.loc[(judge, "words"), "lower"] < 0 < table.loc[(judge, "words"), "upper"]
    assert "13 prompts (jackknife, CR3), t with 12 degrees of freedom" in result.caption
    variants = FactorsVariants(factor=("words",), ties="drop").run(llmfao).table()
    assert set(variants["variant"]) == set(VARIANTS)
    assert variants["weight"].notna().all()


@pytest.mark.real
def test_llmfao_equals_statsmodels_on_all_usual_factors(llmfao: Store) -> None:
    asked = {"ties": "drop", "cluster": "pair"}
    table, fit = FactorsTable(**asked).run(llmfao).table(), FactorsFit(**asked).run(llmfao)  # type: ignore[arg-type]
    assert len(_factors(table)) > 20
    for judge in ("crowd", "gpt-3", "gpt-4"):
        mine = weights(fit, judge)
        kept = ["pair", "judge", "prompt", "scenario", "annotator", "y", "first_position"]
        theirs = regression(table[[*kept, *(n for n in mine["factor"] if n != "first_position")]], judge, "pair")
        assert mine["weight"].to_numpy(dtype=float) == pytest.approx(theirs["weight"].to_numpy(), abs=1e-6)
        assert mine["se"].to_numpy(dtype=float) == pytest.approx(theirs["se"].to_numpy(), abs=1e-6)
