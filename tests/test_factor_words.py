"""What a comparison of reasons says in a sentence: it claims no more than the intervals it stands on."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from toy import spaced

from analysis.gap import NOISELESS, REFERENCE_AT_0, SAME_NOISE
from studies.factor_words import gap_line
from studies.overview import Line

NA = pd.NA


def row(factor: str, ref: float, judge: float, net: float | None, half: float = 0.1, q: float = 0.01) -> dict[str, Any]:
    """A factor with weights of this half-width."""
    absent = net is None
    return {
        "judge": "gpt", "factor": factor, "weight_ref": ref, "ref_lower": ref - half, "ref_upper": ref + half,
        "weight_judge": judge, "judge_lower": judge - half, "judge_upper": judge + half,
        "gap_scaled": NA if absent else net, "scaled_p": NA if absent else q,
        "scaled_q": NA if absent or factor == "first_position" else q,
    }  # fmt: skip


def frames(
    rows: list[dict[str, Any]], scale: tuple[float, float, float] | None, why: Any
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `gaps` and `judges`."""
    value, low, high = (NA, NA, NA) if scale is None else scale
    judges = pd.DataFrame([{
        "judge": "gpt", "judgments_ref": 200, "judgments": 100, "pairs": 100, "factors": len(rows), "scale": value,
        "scale_lower": low, "scale_upper": high, "intervals": "clustered by 60 prompts", "not_scaled": why,
    }])  # fmt: skip
    gaps = pd.DataFrame(rows)
    for name in ("gap_scaled", "scaled_p", "scaled_q", "judge_lower", "judge_upper", "ref_lower", "ref_upper"):
        gaps[name] = gaps[name].astype("Float64")
    return gaps, judges


def test_people_are_many() -> None:
    rows = [one | {"judge": "people"} for one in (row("w", 0.1, 0.5, 0.4), row("x", -0.2, -0.6, -0.4))]
    gaps, judges = frames(rows, (0.8, 0.6, 0.9), None)
    line = gap_line("gpt", judges.assign(judge="people"), gaps, {"w": "Length", "x": "Lists"}, 0.95, "half")
    assert line.finding == "people reward length more and punish lists more than gpt does."
    assert "people are .80" in line.trust
    line = gap_line("gpt", judges.assign(judge="people", scale=-0.8, scale_upper=-0.6), gaps, {"w": "is it"}, 0.95, "half")
    assert line.finding.endswith("people weigh the factors the other way round from gpt; beyond that they lean to is it and lean against x.")


def said(*rows: dict[str, Any], scale: tuple[float, float, float] | None = (1.0, 0.8, 1.2), why: Any = None) -> Line:
    gaps, judges = frames(list(rows), scale, why)
    return gap_line("people", judges, gaps, {"w": "Length", "x": "Lists"}, 0.95, "half")


@pytest.mark.parametrize(
    ("ref", "judge", "net", "words"),
    [
        (0.1, 0.5, 0.4, "gpt rewards length more than people do."),
        (0.8, 0.5, -0.3, "gpt rewards length less than people do."),
        (-0.2, -0.6, -0.4, "gpt punishes length more than people do."),
        (-0.8, -0.4, 0.4, "gpt punishes length less than people do."),
        # Weights whose own intervals hold 0 are no rewards and no punishments.
        (-0.5, 0.02, 0.5, "gpt punishes length less than people do."),
        (0.5, -0.02, -0.5, "gpt rewards length less than people do."),
        (-0.08, 0.08, 0.2, "gpt leans to length more than people do."),
        (0.08, -0.08, -0.2, "gpt leans to length less than people do."),
    ],
)
def test_only_sure_weights_reward_and_punish(ref: float, judge: float, net: float, words: str) -> None:
    assert said(row("w", ref, judge, net), row("x", 0.3, 0.3, 0.0, q=0.9)).finding == words


def test_a_judge_that_weighs_the_other_way_round_is_no_matter_of_more() -> None:
    """At a scale of -.7 the net gap is judge + .7 * reference: .2 and .2 + .7 * .1 are beyond noise, .2 - .1 is not."""
    rows = row("w", 0.8, -0.56, 0.0, q=0.9), row("x", 0.05, 0.5, 0.54), row("first_position", 0.1, 0.2, 0.27)
    line = said(*rows, scale=(-0.7, -0.9, -0.5))
    assert line.finding == "On the whole gpt weighs the factors the other way round from people; beyond that it leans to lists."
    assert "other way round" in line.trust
    line = said(*rows, scale=(-0.1, -0.4, 0.2))
    assert line.finding.startswith("On the whole the weights of gpt neither follow those of people nor turn them round")
    assert "other way round" not in line.trust
    assert "more" not in said(rows[0], scale=(-0.7, -0.9, -0.5)).finding


def test_the_shown_order_is_told_as_a_leaning() -> None:
    """people -.8, gpt -.3: gpt favours the first answer no more than the second."""
    line = said(row("w", 0.1, 0.1, 0.0, q=0.9), row("first_position", -0.8, -0.3, 0.5))
    assert line.finding.endswith("but gpt leans more to the answer shown first than people.")


@pytest.mark.parametrize(
    ("why", "words", "never"),
    [
        (REFERENCE_AT_0, "people's own weights together cannot be told from 0", "say the same"),
        (SAME_NOISE, "gpt and people say the same of every pair", "told from 0"),
        (NOISELESS, "all clusters say the same, so nothing tells how sure any weight is", "told from 0"),
        ("the scale is not offered: it needs at least two independent weights",
         "cannot be told from decisiveness: it needs at least two independent weights.", "told from 0"),
    ],
)  # fmt: skip
def test_without_a_scale_the_reason_is_the_true_one(why: str, words: str, never: str) -> None:
    finding = said(row("w", 0.9, 0.9, None), scale=None, why=why).finding
    assert words in finding
    assert never not in finding


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        ((1.5, 1.2, 1.8), "gpt is 1.50 [1.20, 1.80] times as decisive on factors; net gaps leave that out"),
        ((0.59, -0.16, 1.34), "whether gpt is more or less decisive on factors is open (scale .59 [−.16, 1.34]); net gaps"),
        ((0.6, NA, NA), "gpt is .60 times as decisive on factors"),
        ((-0.7, -0.9, -0.5), "(scale −.70 [−.90, −.50]); net gaps leave that out"),
    ],
)
def test_how_decisive_is_claimed_where_the_interval_allows_it(scale: tuple[float, float, float], words: str) -> None:
    assert words in spaced(said(row("w", 0.1, 0.5, 0.4), scale=scale).trust)
