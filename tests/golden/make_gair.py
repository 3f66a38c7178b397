"""Writes gair.jsonl: seven records in the layout of GAIR's annotated preferences, made up here, none of them published.

    python tests/golden/make_gair.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

BASIC = (
    "admit limitations or mistakes", "authoritative tone", "clear and understandable",
    "complex word usage and sentence structure", "friendly", "funny and humorous",
    "grammar, spelling, punctuation, and code-switching", "harmlessness",
    "information richness without considering inaccuracy", "innovative and novel", "interactive",
    "metaphors, personification, similes, hyperboles, irony, parallelism", "persuade user", "polite",
    "relevance without considering inaccuracy", "repetitive", "step by step solution", "use of informal expressions",
    "use of direct and explicit supporting materials", "well formatted",
)  # fmt: skip


def basic(**ratings: int) -> dict[str, int]:
    """1 for all but these, whose blanks are underscores."""
    found = dict.fromkeys(BASIC, 1) | {name.replace("_", " "): rating for name, rating in ratings.items()}
    assert found.keys() == set(BASIC), found.keys() - set(BASIC)
    return found


def errors(*severities: str, check: str = "applicable") -> dict[str, Any]:
    listed = [{"brief description": "x", "type": "factual error", "severity": s} for s in severities]
    return {"accuracy check": check, "inaccuracies": listed}


def specific(**values: Any) -> dict[str, Any]:
    names = ("clarify user intent", "correcting explicit mistakes or biases", "satisfying explicit constraints",
             "showing empathetic", "supporting explicit subjective stances")  # fmt: skip
    return dict.fromkeys(names) | {name.replace("_", " "): value for name, value in values.items()}


def record(query: str, labels: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "query": query, "scenario_auto-j": "open_question", "scenario_group": "Advice",
        "response_1": {"content": f"One: {query}", "model": "alpha", "num_words": 40},
        "response_2": {"content": f"Two: {query}", "model": "beta", "num_words": 30},
        "gpt-4-turbo_reference": "...", "clear intent": "Yes", "explicitly express feelings": "No",
        "explicit constraints": [], "explicit subjective stances": [], "explicit mistakes or biases": [],
        "preference_labels": labels,
        "basic_response_1": basic(), "basic_response_2": basic(),
        "errors_response_1": errors(), "errors_response_2": errors(),
        "query-specific_response_1": specific(), "query-specific_response_2": specific(),
    } | more  # fmt: skip


def records() -> list[dict[str, Any]]:
    both = {"human": "response_1", "gpt-4-1106-preview": "response_2"}
    return [
        record(
            "Why is the sky blue?", both,
            basic_response_1=basic(clear_and_understandable=3, repetitive=2, relevance_without_considering_inaccuracy=3),
            basic_response_2=basic(repetitive=0, relevance_without_considering_inaccuracy=1),
            errors_response_1=errors("severe", "Minor ", "minor"), errors_response_2=errors("moderate"),
        ),
        record(
            "In two sentences: cats are better than dogs. Why?", both | {"yi-6b": "response_2"},
            **{
                "scenario_group": "Creative Writing", "clear intent": "No", "explicitly express feelings": "Yes",
                "explicit constraints": ["two sentences", "about cats"], "explicit subjective stances": ["cats"],
                "explicit mistakes or biases": ["cats are better"],
                "query-specific_response_1": specific(
                    clarify_user_intent=2, showing_empathetic="3", satisfying_explicit_constraints=[3, 2],
                    supporting_explicit_subjective_stances=["Strongly supported"],
                    correcting_explicit_mistakes_or_biases=["Pointed out but not corrected"],
                ),
                "query-specific_response_2": specific(
                    clarify_user_intent=0, showing_empathetic="1", satisfying_explicit_constraints={"a": "0", "b": "3"},
                    supporting_explicit_subjective_stances=["Weakly opposed"],
                    correcting_explicit_mistakes_or_biases=["Pointed out and corrected"],
                ),
            },
        ),
        record(
            "What is the price today?", both,
            errors_response_2=errors(check="not applicable"), basic_response_1=basic(polite=999),
        ),
        record("Say it.", {"human": "response_1", "yi-6b": "both", "qwen-7b": None}),
        record("", both),
        record("No answer.", both, response_2={"content": None, "model": "beta", "num_words": 0}),
        record("Nobody said.", {"human": None}),
    ]  # fmt: skip


if __name__ == "__main__":
    lines = "".join(json.dumps(each) + "\n" for each in records())
    Path(__file__).with_name("gair.jsonl").write_text(lines)
