"""Benchmarks run, count what they time and print ratios: a tiny run of each, so that none can rot."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest

from analysis.vcov import Clustering
from benchmarks import __main__ as bench
from benchmarks import coverage, coverage_ties, imports, judges, large, rankings, stress, worlds
from benchmarks.worlds import Ratio, Size, Times
from data import queries
from data.store import Store

ROOT = Path(__file__).resolve().parent.parent
TINY = Size(judgments=3_000, models=6, rounds=1, imports=1, replicates=20)


def test_imports_lose_no_row_and_give_one_ratio(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    [ratio] = imports.measure(tmp_path, TINY)
    assert ratio.promised == imports.PROMISED
    assert ratio.value == ratio.ours.least / ratio.peer.least > 0
    said = capsys.readouterr().out
    assert "Import of a CSV of 3,000 rows" in said
    assert "import, validated and committed" in said


def test_a_lost_row_is_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "import_by_jurylens", lambda path, into: 2_999)
    with pytest.raises(RuntimeError, match="of 3000 rows"):
        imports.measure(tmp_path, TINY)


def test_the_file_has_prompts_and_texts_some_over_several_lines(tmp_path: Path) -> None:
    path = worlds.write_csv(tmp_path / "rows.csv", TINY)
    with duckdb.connect() as con:
        found = con.execute(
            "SELECT count(*), count(prompt), min(length(response_a)) > 0, min(length(response_b)) > 0, "
            "count(*) FILTER (contains(response_a, chr(10))) / count(*), count(DISTINCT judge) FROM read_csv($path)",
            {"path": str(path)},
        ).fetchall()[0]
    assert found[:4] == (3_000, 3_000, True, True)
    assert 0.1 < found[4] < 0.5
    assert found[5] == worlds.JUDGES


def test_large_runs_give_every_ratio(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ratios = large.measure(tmp_path, TINY)
    assert [ratio.what.split(": ")[1] for ratio in ratios] == [
        "strengths / evalica", "strengths / scikit-learn", "bootstrap / evalica, replicate for replicate",
        "bootstrap / GROUP BY", "filtered refit / filtered GROUP BY",
    ]  # fmt: skip
    assert all(math.isfinite(ratio.value) and ratio.value > 0 for ratio in ratios)
    assert "6 models, 3,000 judgments" in capsys.readouterr().out


def test_the_regression_is_the_same_model(tmp_path: Path) -> None:
    a, b, winner = np.array([0, 0, 1, 0, 2]), np.array([1, 1, 2, 2, 0]), np.array([1, 2, 0, 1, 0])
    design, label, weight = large._design(a, b, winner, 3)
    assert design.shape == (7, 3)
    assert weight.sum() == 5
    assert label.tolist() == [True, False, True, True, True, False, False]
    found = large._regression(design, label, weight)[0]
    expected = np.array([2.0, 1.0]) - np.array([1.0, 2.0])
    assert found[0] > found[1]
    assert np.sign(found[0] - found[1]) == np.sign(expected[0])


def test_rankings_give_every_ratio_and_agree_with_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ratios = rankings.measure(tmp_path, TINY)
    promised = [ratio.what for ratio in ratios if ratio.promised == rankings.PROMISED]
    assert promised == [
        "strengths / GROUP BY, one judge", "clustered errors / GROUP BY with prompt, one judge",
        "strengths / GROUP BY, five judges", "clustered errors / GROUP BY with prompt, five judges",
    ]  # fmt: skip
    assert all(math.isfinite(ratio.value) and ratio.value > 0 for ratio in ratios)
    said = capsys.readouterr().out
    differences = [float(line.rsplit(": ", 1)[1]) for line in said.splitlines() if "largest difference" in line]
    # The others stop at steps of 1e-10 and 1e-8; six models converge within a few times that.
    assert len(differences) == 3
    assert max(differences) < 1e-6


def test_65_judges_are_audited_and_held_against_one_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # The page itself needs a browser: it is timed by `make bench` alone.
    monkeypatch.setattr(judges, "page", lambda folder, others, n: [])
    audited, agreed = judges.measure(tmp_path, TINY, simulated=True)
    assert [ratio.peer.least for ratio in (audited, agreed)] == [judges.AUDITED, judges.AGREED]
    assert all(ratio.promised == 1 and ratio.value > 0 for ratio in (audited, agreed))
    assert "66 judges on 100 pairs" in capsys.readouterr().out
    with Store(tmp_path / "judges.duckdb").reading() as con:
        table = queries.dataset_table(con)
    assert table[["judgments", "pairs", "judges"]].to_numpy().tolist() == [[13_100, 100, 66]]


def test_what_is_timed_counts_every_judgment_once(tmp_path: Path) -> None:
    store = worlds.fill_store(tmp_path / "s.duckdb", TINY, judges=worlds.JUDGES)
    with store.reading() as con:
        data = rankings.Open.of(con)
        parted, summed = data.cells(("prompt",)), data.cells()
        verdicts = con.execute(f"SELECT count(*) FROM judgment WHERE {data.condition}").fetchall()[0][0]
        grouped = data.group("prompt_id, judge_id, model_a, model_b, outcome")
        everything = queries.dataset_table(con)["judgments"].sum()
    assert len(summed) == worlds.JUDGES
    assert sum(cells.n_judgments for cells in summed.values()) == verdicts
    assert sum(cells.n_judgments for cells in parted.values()) == verdicts
    assert grouped["n"].sum() == everything == TINY.judgments
    for judge, cells in parted.items():
        one, other = rankings.rank_models(cells, Clustering("prompt")), rankings.fit_bradley_terry(summed[judge])
        # The same sums in another order.
        assert np.abs(one.fit.strength - other.strength).max() < 1e-9


def test_ratios_are_of_the_least_and_keep_their_promise_or_say_so() -> None:
    ratio = Ratio("x / y", Times("x", (3.0, 2.0, 9.0)), Times("y", (1.0, 4.0)), 1.5)
    assert (ratio.value, ratio.of_medians, ratio.holds) == (2.0, 1.2, False)
    assert "BROKEN" in str(ratio)
    assert "holds" in str(Ratio("x / y", ratio.ours, ratio.peer, 2.0))
    assert Ratio("x / y", ratio.ours, ratio.peer).holds


def test_times_are_taken_in_turn() -> None:
    done: list[str] = []
    found = worlds.interleave(2, [("a", lambda: done.append("a")), ("b", lambda: done.append("b"))])
    assert done == ["a", "b"] * 3  # once to warm up
    assert [len(times.seconds) for times in found] == [2, 2]


def test_a_peak_is_of_what_came_after_it_was_forgotten() -> None:
    worlds.forget_peak()
    before = worlds.peak_memory()
    if before is None:
        pytest.skip("this system does not tell how much memory a process held")
    block = np.ones(8_000_000)  # 64 MB
    after = worlds.peak_memory()
    assert after is not None
    assert after - before > 50
    assert block[0] == 1


def test_the_command_measures_what_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = Ratio("x / y", Times("x", (2.0,)), Times("y", (1.0,)), 1.5)
    sizes: list[Size] = []

    def measure(folder: Path, size: Size) -> list[Ratio]:
        sizes.append(size)
        return [broken]

    monkeypatch.setattr(bench, "PARTS", {"imports": measure, "rankings": measure})
    assert bench.main(["imports"]) == 1
    assert sizes == [Size()]
    assert "BROKEN" in capsys.readouterr().out
    # A small run is held to nothing.
    assert bench.main(["--quick"]) == 0
    assert sizes[1:] == [worlds.QUICK] * 2
    said = capsys.readouterr().out
    assert "BROKEN" not in said
    assert "python -m benchmarks coverage" in said
    with pytest.raises(SystemExit, match="2"):
        bench.main(["nothing"])


@pytest.mark.parametrize(("name", "module"), [("coverage", coverage), ("stress", stress)])
def test_the_command_hands_over_to_the_others(name: str, module: object, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[list[str]] = []

    def main() -> int:
        import sys

        given.append(sys.argv[1:])
        return 3

    monkeypatch.setattr(module, "main", main)
    monkeypatch.setattr("sys.argv", ["x"])
    assert bench.main([name, "--quick"]) == 3
    assert given == [["--quick"]]


def test_coverage_of_tie_models_asks_every_parameter_and_counts_what_breaks() -> None:
    table = coverage_ties.measure(3, 1)
    assert table.groupby("world", sort=False)["quantity"].agg(list).map(len).tolist() == [4, 4, 4, 4, 4, 3]
    assert not table["refused"].any()
    assert table["coverage"].between(0, 1).all()
    assert not coverage_ties.broken(table.assign(coverage=0.96, each_low=0.92, each_high=0.98, runs=500)).any()
    assert coverage_ties.broken(table.assign(coverage=0.88, runs=500)).all()
    assert coverage_ties.broken(table.assign(coverage=0.96, each_low=0.8, runs=500)).all()
    assert not coverage_ties.broken(table.assign(coverage=0.96, each_low=0.8, each_high=1.0, runs=5)).any()


def test_coverage_of_ranks_asks_every_quantity(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import coverage_ranks

    monkeypatch.setattr(coverage_ranks, "worlds", lambda some=coverage_ranks.worlds()[:2]: some)
    table = coverage_ranks.measure(6, workers=1)
    assert set(table["quantity"]) == set(coverage_ranks.QUANTITIES)
    marginal = table[table["quantity"] == "marginal ranks"]
    assert (marginal["coverage"] > 0.9).all()
    few = table[(table["world"] == "13 prompts") & (table["quantity"] == coverage_ranks.AGREEMENT)]
    assert few["promised_low"].isna().all()


@pytest.mark.browser
def test_the_page_is_timed_by_clicks_on_what_nobody_asked_before(browser: object) -> None:
    # In a process of its own: this one may hold a browser already.
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "page", "--quick"], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "6 changes of the judge" in done.stdout
    assert "95 % of changes within" in done.stdout
