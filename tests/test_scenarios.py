"""Rankings by scenario: one scale for raw and pooled, thin scenarios, the test, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from toy import cells_of, random_cells, swapped

from analysis.cells import Cells
from analysis.ranks import rank_models
from analysis.scenarios import rank_by_scenario
from analysis.vcov import Clustering, choose_clustering
from benchmarks import coverage_scenarios
from errors import NotIdentifiedError

PROMPT = Clustering("prompt")


def joined(parts: list[Cells]) -> tuple[Cells, np.ndarray]:
    """The cells of several scenarios, no prompt in two of them."""
    models = tuple(dict.fromkeys(name for part in parts for name in part.models))
    place = [np.array([models.index(name) for name in part.models]) for part in parts]
    prompt = [1000 * s + part.clusters["prompt"] for s, part in enumerate(parts)]
    cells = Cells(
        models,
        np.concatenate([p[part.i] for p, part in zip(place, parts, strict=True)]),
        np.concatenate([p[part.j] for p, part in zip(place, parts, strict=True)]),
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("weight", "score", "count")),
        clusters={"prompt": np.concatenate(prompt)},
    )
    return cells, np.repeat(np.arange(len(parts)), [len(part.i) for part in parts])


def scenarios(count=4, seed=0, tau=0.0, n_models=4, **more):
    rng = np.random.default_rng(seed)
    mean = np.linspace(-0.6, 0.6, n_models)
    return joined(
        [random_cells(rng, n_models, strength=mean + tau * rng.standard_normal(n_models), **more) for _ in range(count)]
    )


NAMES = ["code", "advice", "facts", "plans"]


def test_raw_is_the_scenarios_own_ranking():
    cells, scenario = scenarios()
    found = rank_by_scenario(cells, scenario, NAMES, PROMPT)
    table = found.table()
    rows = scenario == 1
    alone = Cells(cells.models, cells.i[rows], cells.j[rows], cells.weight[rows], cells.score[rows], cells.count[rows],
                  clusters={"prompt": cells.clusters["prompt"][rows]})  # fmt: skip
    wanted = rank_models(alone, PROMPT).table().set_index("model")
    ours = table[table["scenario"] == "advice"].set_index("model").loc[wanted.index]
    for name in ("strength", "se", "lower", "upper", "rank", "judgments"):
        # Every model is there, so the scales are the same.
        assert ours[name].astype(float).to_numpy() == pytest.approx(wanted[name].astype(float).to_numpy(), abs=1e-9)
    assert list(dict.fromkeys(table["scenario"])) == NAMES
    assert (table.groupby("scenario")["judgments"].sum() == 2 * 600).all()
    assert (table["prompts"] <= 60).all()
    assert table["pooled_rank"].tolist() == [1, 2, 3, 4] * 4


def test_pooled_lies_between_the_scenario_and_the_mean_and_is_surer():
    cells, scenario = scenarios(tau=0.3, seed=1)
    found = rank_by_scenario(cells, scenario, NAMES, PROMPT)
    table = found.table()
    mean = found.heterogeneity_table().set_index("model")["mean"].loc[table["model"]].astype(float).to_numpy()
    raw, pooled = (table[c].astype(float).to_numpy() for c in ("strength", "pooled"))
    away = np.abs(raw - mean) > 0.02
    assert ((pooled - mean) / (raw - mean))[away].max() < 1
    assert ((pooled - mean) / (raw - mean))[away].min() > 0
    width = {p: (table[p + "upper"] - table[p + "lower"]).astype(float).mean() for p in ("", "pooled_")}
    assert width["pooled_"] < width[""]
    assert pooled == pytest.approx(mean + table["departure"].astype(float).to_numpy(), abs=1e-6)


def test_a_scenario_without_some_models_keeps_the_overall_scale():
    rng = np.random.default_rng(2)
    strength = np.array([2.0, 0.5, -0.5, -2.0])
    whole = [random_cells(rng, 4, n=3000, strength=strength) for _ in range(2)]
    part = random_cells(rng, 2, n=3000, strength=strength[2:])
    part = Cells(("m02", "m03"), part.i, part.j, part.weight, part.score, part.count, None, part.clusters)
    cells, scenario = joined([*whole, part])
    found = rank_by_scenario(cells, scenario, NAMES[:3], PROMPT)
    overall = dict(zip(found.models, found.overall.strength, strict=True))
    table = found.table()
    last = table[table["scenario"] == "facts"].set_index("model")
    # The two that met keep on average their overall strengths; centred by themselves they would stand at 0.
    anchored = last["strength"].dropna().astype(float)
    assert anchored.mean() == pytest.approx((overall["m02"] + overall["m03"]) / 2, abs=1e-9)
    assert last.loc["m02", "pooled"] == pytest.approx(-0.5, abs=0.35)
    # Models without a judgment get what the other scenarios say, with the doubt of a scenario not seen.
    for name in ("m00", "m01"):
        assert pd.isna(last.loc[name, "strength"])
        assert pd.isna(last.loc[name, "rank"])
        assert last.loc[name, "judgments"] == 0
        first = table[(table["scenario"] == "code") & (table["model"] == name)].iloc[0]
        assert last.loc[name, "pooled_upper"] - last.loc[name, "pooled_lower"] > first["pooled_upper"] - first["pooled_lower"]
    thin = found.thin_table()
    assert thin["scenario"].tolist() == ["facts"]
    assert "2 of 4 models without a judgment" in thin["reason"][0]


def test_thin_scenarios_are_pooled_and_named():
    cells, scenario = scenarios(3, n_models=5, n=800)
    rows = [("m00", "m01", 1.0), ("m00", "m02", 1.0), ("m01", "m02", 0.0), ("m02", "m01", 0.0)]
    one = cells_of(rows, models=cells.models, prompt=[0, 0, 0, 0])
    rows_of = np.arange(len(cells.i))
    parts = [cells_at(cells, rows_of[scenario == s]) for s in range(3)]
    cells, scenario = joined([*parts, one])
    found = rank_by_scenario(cells, scenario, [*NAMES, "empty"], PROMPT)
    table = found.table()
    thin = table[table["scenario"] == "plans"].set_index("model")
    assert thin[["pooled", "pooled_lower", "pooled_upper", "pooled_rank"]].notna().all().all()
    # One prompt: strengths where they exist, no intervals; who only won has a rank and no strength.
    assert thin["se"].isna().all()
    assert pd.isna(thin.loc["m00", "strength"])
    assert thin.loc["m01", "strength"] == pytest.approx(thin.loc["m01", "strength"])
    reasons = found.thin_table().set_index("scenario")["reason"]
    assert "1 prompt" in reasons["plans"]
    assert "no raw intervals" in reasons["plans"]
    assert "2 of 5 models without a judgment" in reasons["plans"]
    assert "no judgment of these models" in reasons["empty"]
    assert "empty" not in set(table["scenario"])


def cells_at(cells: Cells, rows: np.ndarray) -> Cells:
    return Cells(cells.models, cells.i[rows], cells.j[rows], cells.weight[rows], cells.score[rows], cells.count[rows],
                 clusters={"prompt": cells.clusters["prompt"][rows] % 1000})  # fmt: skip


def test_the_one_model_that_differs_is_found():
    rng = np.random.default_rng(3)
    parts = []
    for s in range(6):
        strength = np.array([0.5, 0.2, 0.0, -0.2, -0.5])
        strength[2] += 0.8 * (-1) ** s
        parts.append(random_cells(rng, 5, n=900, strength=strength))
    cells, scenario = joined(parts)
    found = rank_by_scenario(cells, scenario, [f"s{s}" for s in range(6)], PROMPT)
    table = found.heterogeneity_table()
    assert table["model"][0] == "m02"
    assert table["q"][0] < 1e-6
    # The others only move with the mean of all, by a fifth of it.
    assert (table["tau"][1:] < 0.4 * table["tau"][0]).all()
    # .8 moves a centred strength by .64 up and down, a sd of .64 to .7.
    assert table["tau_lower"][0] < 0.65 < table["tau_upper"][0]
    assert table["tau_lower"][0] > 0.3
    assert (table["scenarios"] == 6).all()
    away = found.table().set_index(["scenario", "model"]).xs("m02", level="model")
    assert (np.sign(away["departure"].astype(float)) == [1, -1, 1, -1, 1, -1]).all()
    assert ((away["departure_lower"] > 0) | (away["departure_upper"] < 0)).all()


def test_swapping_and_the_order_of_rows_change_nothing():
    cells, scenario = scenarios(tau=0.3, seed=4, n=120, n_prompts=15)
    one = rank_by_scenario(cells, scenario, NAMES, PROMPT).table()
    turned = rank_by_scenario(swapped(cells), scenario, NAMES, PROMPT).table()
    order = np.random.default_rng(0).permutation(len(scenario))
    shuffled = Cells(cells.models, cells.i[order], cells.j[order], cells.weight[order], cells.score[order],
                     cells.count[order], clusters={"prompt": cells.clusters["prompt"][order]})  # fmt: skip
    mixed = rank_by_scenario(shuffled, scenario[order], NAMES, PROMPT).table()
    for other in (turned, mixed):
        assert other["model"].tolist() == one["model"].tolist()
        for name in ("strength", "se", "pooled", "pooled_lower", "departure_upper"):
            assert other[name].astype(float).to_numpy() == pytest.approx(one[name].astype(float).to_numpy(), abs=1e-7)


def test_a_higher_level_widens_both_kinds():
    cells, scenario = scenarios(n=150)
    found = rank_by_scenario(cells, scenario, NAMES, PROMPT)
    usual, wide = found.table(), found.table(0.99)
    for prefix in ("", "pooled_", "departure_"):
        assert (wide[prefix + "upper"] > usual[prefix + "upper"]).all()
        assert (wide[prefix + "lower"] < usual[prefix + "lower"]).all()
    narrow, broad = found.heterogeneity_table(0.5), found.heterogeneity_table(0.9)
    assert (broad["tau_upper"] > narrow["tau_upper"]).all()


def test_whom_the_overall_ranking_leaves_out_stands_nowhere():
    cells, scenario = scenarios(2)
    rows = [("m00", "Top", 0.0), ("m01", "Top", 0.0)]
    more = cells_of(rows, prompt=[0, 1])
    parts = [cells_at(cells, np.flatnonzero(scenario == s)) for s in range(2)]
    cells, scenario = joined([*parts, more])
    found = rank_by_scenario(cells, scenario, NAMES[:3], PROMPT)
    assert "Top" not in set(found.table()["model"])
    assert "Top (won all 2" in found.warnings[0]
    assert found.thin_table()["reason"].tolist() == ["no judgment of these models: not shown"]


def test_warnings_follow_the_clustering():
    cells, scenario = scenarios(2)
    pair = Cells(cells.models, cells.i, cells.j, cells.weight, cells.score, cells.count,
                 clusters=dict(cells.clusters) | {"pair": np.arange(len(scenario))})  # fmt: skip
    found = rank_by_scenario(pair, scenario, NAMES[:2], choose_clustering("auto", 8))
    assert "these prompts only" in found.warnings[0]
    people = Cells(cells.models, cells.i, cells.j, cells.weight, cells.score, cells.count,
                   clusters=dict(cells.clusters) | {"annotator": np.arange(len(scenario)) % 60})  # fmt: skip
    found = rank_by_scenario(people, scenario, NAMES[:2], Clustering("annotator"))
    assert "scenarios as independent" in found.warnings[0]


def test_progress_is_told():
    cells, scenario = scenarios(4, n=60)
    told: list[float] = []
    rank_by_scenario(cells, scenario, NAMES, PROMPT, progress=told.append)
    assert told == [k / 8 for k in range(8)]


def test_what_cannot_be_told_is_refused():
    cells, scenario = scenarios(1)
    with pytest.raises(NotIdentifiedError, match=r"only one scenario holds.*two or more"):
        rank_by_scenario(cells, scenario, ["only"], PROMPT)
    single = [cells_of([("A", "B", 1), ("A", "B", 0), ("B", "A", 1)], prompt=[0, 0, 0]) for _ in range(3)]
    cells, scenario = joined(single)
    with pytest.raises(NotIdentifiedError, match=r"one prompt only.*cannot be told apart"):
        rank_by_scenario(cells, scenario, NAMES[:3], PROMPT)
    cells, scenario = joined([cells_of([("A", "B", 1)], prompt=[0]), cells_of([("A", "B", 1)], prompt=[0])])
    with pytest.raises(NotIdentifiedError, match="no strengths can be computed"):
        rank_by_scenario(cells, scenario, NAMES[:2], PROMPT)


def small_world(name: str) -> coverage_scenarios.World:
    return next(world for world in coverage_scenarios.worlds() if world.name == name)


def test_the_benchmark_tells_what_it_promises(monkeypatch):
    world = replace(small_world("8 scenarios, half thin, tau 0.2"), scenarios=3)
    monkeypatch.setattr(coverage_scenarios, "worlds", lambda: [world, replace(world, tau=0.0, thin=None)])
    table = coverage_scenarios.measure(2, 1)
    assert list(table.columns) == coverage_scenarios.COLUMNS
    promised = table[table["promised_low"].notna()]
    assert promised["coverage"].between(0, 1).all()
    same = ["pooled", "raw, full"]
    assert promised["quantity"].tolist() == [*same, *same, "p < .05", "departure without 0"]


@pytest.mark.slow
@pytest.mark.every(2, "name")
@pytest.mark.parametrize("name", ["8 scenarios, tau 0.5", "8 scenarios, half thin, tau 0.2", "8 scenarios, half thin, tau 0"])
def test_pooled_intervals_hold_on_average_over_scenarios(name):
    world = small_world(name)
    runs = coverage_scenarios.run_world(world, 100, workers=1)
    held = np.mean([run.held.mean() for run in runs])
    # Runs are independent, scenarios within one nearly so: the standard error of the mean is below .4 points.
    assert held > 0.93 - 2 * 0.004
    if world.tau == 0:
        # 100 runs of 12 models: a level of 7 % would show 8.5 % once in forty times.
        assert np.mean([run.flagged.mean() for run in runs]) < 0.085
    if world.thin:
        thin = world.is_thin > 0
        assert np.mean([run.width[thin].mean() for run in runs]) < 0.9 * np.mean([run.unseen for run in runs])
