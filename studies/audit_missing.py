"""What can the data not show of a judge, and what would be needed?"""

from __future__ import annotations

from collections.abc import Sequence

from analysis.audit import SAME, Bias
from studies.audit_data import Audited, JudgeSaid

CUES = {
    "bandwagon": "a claim that most people prefer one answer", "authority": "a citation beside one answer",
    "distraction": "an irrelevant sentence about one answer", "reflection": "a phrase that reconsiders one answer",
    "belief": "the asker's belief in one answer", "persona": "a persona who would favour one answer",
}  # fmt: skip


def missing(data: Audited, judge: str, one: JudgeSaid, found: Sequence[Bias]) -> list[dict[str, str]]:
    """bias, why and needed of each bias that has no row, or none with a test."""
    there, tested = {bias.bias for bias in found}, {bias.bias for bias in found if bias.p == bias.p}
    why = {bias.bias: bias.why for bias in found if bias.why}
    out: list[dict[str, str]] = []

    def add(bias: str, reason: str, needed: str) -> None:
        out.append({"bias": bias, "why": why.get(bias) or reason, "needed": needed})

    if "position_consistency" not in there:
        add("position_consistency", "no pair is shown in both orders",
            "the same pairs judged again in the other order, and the column swapped")  # fmt: skip
    if "first_position" not in there:
        add("first_position", "no shown order is known",
            "the column swapped: false in rows where a was shown first")  # fmt: skip
    elif "first_position" not in tested and why.get("first_position", SAME) != SAME:
        add("first_position", "", "the same pairs judged again in the other order, and the column swapped")
    if "repeat_consistency" not in there:
        add("repeat_consistency", "no pair is judged twice in the same order", "the same question asked again, and the "
            "column repeat")  # fmt: skip
    if "accuracy" not in there:
        add("accuracy", "no label (a or b) of another judge on its pairs",
            "a judge called gold, or people's verdicts on its pairs")  # fmt: skip
    if "length" not in tested:
        add("length", "answers without texts, or all of one length",
            "texts of both answers, and a judge called gold or people's verdicts, best two votes a pair")  # fmt: skip
    if "formatting" not in tested:
        add("formatting", "no answer has more marks of formatting than the other",
            "texts with markdown, and a judge called gold or people's verdicts, best two votes a pair")  # fmt: skip
    if "self_preference" not in tested:
        none = "no answer is of a model of its own" if data.named else "models are not named"
        add("self_preference", none, f"answers of models of the family of {judge} (--own {judge}=MODEL) beside others, "
            "and a judge called gold or people's verdicts on them")  # fmt: skip
    for variant, cue in CUES.items():
        if variant not in tested:
            add(variant, "no variant of this name that has a cue and a plain twin",
                f"the same pairs judged again with {cue}: columns variant ({variant}) and cue (a or b)")  # fmt: skip
    if "compassion_fade" not in there:
        add("compassion_fade", "no pair is judged with models' names in both orders",
            "the same pairs judged again with names, in both orders: the column variant (names)")  # fmt: skip
    if not {"letters", "option_order"} & tested:
        reason = "which letter an answer had is not recorded"
        if one.has_letters:
            unknown = not (one.plain.loc[one.plain["letter"] != 0, "shown"] != 0).any()
            reason = "the shown order is not known" if unknown else "each letter always stood in one place"
        add("option_order", reason, "the letters that answers were called by, shuffled against their places (columns "
            "letter_a, letter_b and swapped), or the same pairs judged again with letters exchanged: the columns "
            "variant (letters) and cue (the side that then has the first letter)")  # fmt: skip
    return out
