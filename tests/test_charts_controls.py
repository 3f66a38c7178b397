"""The chart of controlled rankings: order, what is drawn as a change, what is said, and nothing that overlaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from canvas import draw

from charts.controls import controls_chart
from charts.rows import WIDTH
from charts.theme import DARK, LIGHT, PRINT, Mark, Theme

MARK = Mark("#C8501E", "square")
THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda one: one.name)
NARROW = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])


def controlled(n: int = 6, names: list[str] | None = None) -> pd.DataFrame:
    """`control`'s models: the first two exchange ranks, of all but the last the strength changes beyond noise."""
    rank = np.arange(1, n + 1)
    raw_rank = rank.copy()
    raw_rank[:2] = [2, 1][: min(n, 2)]
    strength = np.linspace(1, -1, n) if n > 1 else np.zeros(1)
    raw = strength - 0.1 * (rank % 3)
    return pd.DataFrame(
        {
            "judge": "gpt-4", "model": names or [f"m{k}" for k in rank], "raw": raw, "raw_lower": raw - 0.2,
            "raw_upper": raw + 0.2, "raw_rank": raw_rank, "controlled": strength, "controlled_lower": strength - 0.2,
            "controlled_upper": strength + 0.2, "controlled_rank": rank, "change": strength - raw,
            "change_lower": strength - raw - 0.05, "change_upper": strength - raw + 0.05,
            "q": np.where(rank < n, 0.01, 0.4), "judgments": 10,
        }
    )  # fmt: skip


def coefficients(names: tuple[str, ...] = ("words", "lists"), effect: tuple[float, ...] = (51.0, 58.0)) -> pd.DataFrame:
    at = np.array(effect)
    return pd.DataFrame(
        {"factor": list(names), "effect": at, "effect_lower": at - 3, "effect_upper": at + 3, "scale": [46.2, 2.4][: len(names)]}
    )


def traces(figure, **wanted):
    return [t for t in figure.data if all(getattr(t, k) == v for k, v in wanted.items())]


@THEMES
@NARROW
def test_models_stand_in_the_controlled_order_with_both_ranks(theme: Theme, narrow: bool) -> None:
    figure = controls_chart(controlled(), coefficients(), theme, MARK, narrow=narrow)
    assert list(figure.layout.yaxis.ticktext) == [f"m{k}" for k in range(1, 7)]
    said = [a.text for a in figure.layout.annotations]
    ranks = [text for text in said if text.isdigit() or "→" in text]
    assert ranks == ["<b>2 → 1</b>", "<b>1 → 2</b>", "3", "4", "5", "6"]
    raw, held = (traces(figure, name=name)[0] for name in ("raw", "held equal"))
    assert raw.customdata[0][0] == held.customdata[0][0] == "m1"
    assert raw.x[0] == pytest.approx(0.9)
    assert held.x[0] == pytest.approx(1.0)


def test_a_change_within_noise_is_grey() -> None:
    figure = controls_chart(controlled(), coefficients(), LIGHT, MARK)
    lines = {t.line.color: t.y for t in figure.data if t.mode == "lines" and t.line.width in (2.0, 3.2)}
    assert set(lines[LIGHT.noise]) - {None} == {5}
    assert set(lines[MARK.colour]) - {None} == {0, 1, 2, 3, 4}


def test_factors_stand_by_what_they_are_worth_and_hollow_where_nothing_is_known() -> None:
    figure = controls_chart(controlled(), coefficients(), LIGHT, MARK)
    assert list(figure.layout.yaxis2.ticktext) == ["lists", "words"]
    marks = [t for t in figure.data if t.xaxis == "x2" and t.mode == "markers"]
    filled = {t.customdata[0][0]: t.marker.color == MARK.colour for t in marks}
    assert filled == {"lists": True, "words": False}
    assert [s.x0 for s in figure.layout.shapes if s.xref == "x2" and s.type == "line"] == [50]


def test_the_position_is_named_as_what_it_is() -> None:
    figure = controls_chart(controlled(), coefficients(("position", "words"), (60.0, 51.0)), LIGHT, MARK)
    assert figure.layout.yaxis2.ticktext[0] == "shown first"


@NARROW
def test_more_models_than_are_drawn(narrow: bool) -> None:
    table = controlled(30)
    table.loc[25, "raw_rank"] = 3
    figure = controls_chart(table, coefficients(), LIGHT, MARK, most=4, narrow=narrow)
    assert len(figure.layout.yaxis.ticktext) == 4
    assert "m26" in figure.layout.yaxis.ticktext
    note = " ".join(a.text.replace("<br>", " ") for a in figure.layout.annotations)
    assert "The 4 models that move most; 26 more are not shown." in note


def test_without_intervals_there_is_no_claim() -> None:
    table = controlled()
    for name in ("change_lower", "change_upper", "q"):
        table[name] = pd.array([pd.NA] * 6, dtype="Float64")
    figure = controls_chart(table, coefficients(), LIGHT, MARK)
    assert not [t for t in figure.data if t.mode == "lines" and t.line.width == 3.2]


def test_nobody_ranked_is_a_sentence() -> None:
    figure = controls_chart(controlled(6).head(0), coefficients(), LIGHT, MARK)
    assert "No model could be ranked" in figure.layout.meta["alt"]


def test_the_alternative_text_says_what_moves() -> None:
    alt = controls_chart(controlled(), coefficients(), LIGHT, MARK).layout.meta["alt"]
    assert "Ranks that change: m1 (2 → 1) and m2 (1 → 2)." in alt
    assert "lists 58.0" in alt


NAMES = ["a-model-with-a-very-long-name-that-never-ends-70B-instruct-v2", "模型一号非常长的名字在这里", "x", "<b>bold</b>", "m & m", "ß" * 40]


@pytest.mark.browser
@pytest.mark.every(2, "theme", "narrow", "shape")
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda one: one.name)
@NARROW
@pytest.mark.parametrize("shape", ["usual", "long names", "one model", "many factors"])
def test_nothing_overlaps(canvas, theme: Theme, narrow: bool, shape: str) -> None:
    models, factors = controlled(), coefficients()
    if shape == "long names":
        models = controlled(names=NAMES)
        factors = coefficients(("share_of_sentences_that_hedge", "words"))
    elif shape == "one model":
        models = controlled(1)
    elif shape == "many factors":
        factors = pd.concat([coefficients((f"factor-{k}", f"other {k}"), (40.0 + k, 62.0 - k)) for k in range(8)], ignore_index=True)
    drawn = controls_chart(models, factors, theme, MARK, narrow=narrow)
    assert draw(canvas, drawn, WIDTH[narrow]) == []
