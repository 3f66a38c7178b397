"""What stands in a work list: one row a pair of responses, ready to be judged and imported again."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from data.work_list import work_id

COLUMNS = (
    "pair_id", "prompt_id", "scenario", "prompt", "instruction", "model_a", "response_a", "model_b", "response_b",
    "swapped", "judge", "judge_kind", "criterion", "variant", "cue", "repeat", "annotator", "winner",
)  # fmt: skip
FILLED = ("pair_id", "swapped", "judge", "judge_kind", "winner")
"""Columns that are there even when all their cells are empty."""

GIVEN = ("instruction", "cue", "repeat", "annotator")
"""Columns that whoever picks the pairs may give."""


def write_list(
    picked: Mapping[str, pd.DataFrame], texts: pd.DataFrame, kinds: Mapping[str, str], people: Mapping[str, bool], *,
    blind: bool, criterion: str, variant: str,
) -> tuple[pd.DataFrame, int]:  # fmt: skip
    """The list, and how many pairs a blind one had to leave out because nothing but the model tells them apart.

    picked : judge -> first, second (ids of responses as shown) and any of GIVEN; texts : of `designs.written`
    people : judge -> whether its annotators are named; such a list has a column for the name
    """
    at = texts.set_index("response")
    parts, left_out = [], 0
    for judge, pairs in picked.items():
        a, b = (at.loc[pairs[side]].reset_index(drop=True) for side in ("first", "second"))
        ids = [work_id(*keys) for keys in zip(a["key"], b["key"], strict=True)]
        part = pd.DataFrame(
            {
                "pair_id": pd.Series(ids, dtype=object), "prompt_id": a["prompt_id"], "scenario": a["scenario"],
                "prompt": a["prompt"], "model_a": a["model"], "response_a": a["text"], "model_b": b["model"],
                "response_b": b["text"], "swapped": "false", "judge": judge, "judge_kind": kinds[judge],
                "criterion": None if criterion == "overall" else criterion,
                "variant": None if variant == "plain" else variant, "annotator": "" if people[judge] else None,
                "winner": "",
            }
        )  # fmt: skip
        for name in GIVEN:
            if name in pairs:
                part[name] = pairs[name].to_numpy()
        if blind:
            told = part["response_a"].notna() & part["response_b"].notna() & (part["response_a"] != part["response_b"])
            left_out += int((~told).sum())
            part = part[told].drop(columns=["model_a", "model_b"])
        parts.append(part)
    listed = pd.concat(parts, ignore_index=True)
    kept = [c for c in COLUMNS if c in listed and (c in FILLED or listed[c].notna().any())]
    return listed[kept].astype(object).where(listed[kept].notna(), None), left_out
