"""What is drawn of judges: may one stand in for people, how is it biased, where do they part, who resembles whom?"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from charts import words
from charts.agreement_parts import CRITERIA, MARGINS, PERIODS, SCENARIOS, Part, as_percent, difference_chart, part_look
from charts.alt_test import alt_test_chart
from charts.audit import bias_chart
from charts.audit_matrix import bias_matrix_chart
from charts.audit_variants import variants_chart
from charts.ceiling import ALONE, MAJORITY, VOTES, Against, ceiling_chart
from charts.confusion import confusion_chart
from charts.criteria import criteria_chart, criterion_agreement_chart
from charts.disagreement import disagreement_chart
from charts.judge_rows import judge_rows_chart
from charts.reliability import reliability_chart
from charts.reward_models import accuracy_chart, bands_chart
from charts.shares import shares_chart
from charts.similarity import judge_map, similarity_chart
from charts.stand_in import stand_in_chart
from exports.drawings.drawing import Drawing, drawn, each, judges_in, keyed, of_judge, reference_of, rows
from studies.study import Result

PANELS = 6
"""Judges that have a panel of their own in one figure on paper."""

MAPPED = 4
"""Judges from which on a map is drawn: three distances say it."""

BINS = 10
"""Of the reliability diagram, where nobody has chosen."""


@drawn("stand-in")
@keyed
def stand_in(result: Result, most: int | None = None) -> Sequence[Drawing]:
    table = result.table("judges")
    if table["advantage"].isna().all():
        return ()
    return [Drawing("stand-in", lambda theme, narrow: stand_in_chart(
        table, float(result.settings["margin"]), theme, humans=result.humans, most=rows(len(table), most),
        narrow=narrow,
    ), "judges")]  # fmt: skip


@keyed
def biases(result: Result, judge: str) -> Drawing:
    """Dots against a judge without the bias."""
    table = result.table("biases")
    return Drawing("biases", lambda theme, narrow: bias_chart(
        table, judge, theme, humans=result.humans, narrow=narrow
    ), "biases")  # fmt: skip


@keyed
def bias_matrix(result: Result, most: int | None = None) -> Drawing:
    """All judges at once."""
    table = result.table("biases")
    return Drawing("all-biases", lambda theme, narrow: bias_matrix_chart(
        table, theme, most=rows(table["judge"].nunique(), most), narrow=narrow
    ), "biases")  # fmt: skip


@keyed
def circumstances(result: Result, judge: str) -> Drawing:
    """Accuracy before and after a perturbation."""
    table = result.table("variants")
    return Drawing("variants", lambda theme, narrow: variants_chart(
        table, judge, theme, humans=result.humans, narrow=narrow
    ), "variants")  # fmt: skip


@drawn("audit")
def _audit(result: Result, most: int | None) -> Sequence[Drawing]:
    table, variants = result.table("biases"), result.table("variants")
    judges, changed = judges_in(table), set(variants["judge"])
    whole = (bias_matrix(result, most),) if len(judges) > 1 else ()
    return (*whole, *each(judges, lambda judge: [
        biases(result, judge), *([circumstances(result, judge)] if judge in changed else [])
    ]))  # fmt: skip


@keyed
def disagreement(result: Result, order: Sequence[str], most: int) -> Drawing:
    """A bar a judge. order : the judges as they are drawn, the first `most` of them"""
    judges = result.table("judges")
    totals = dict(zip(judges["judge"], judges["disagreement"], strict=True))
    shown = order[:most]
    return Drawing("disagreement", lambda theme, narrow: disagreement_chart(
        result.table("parts"), shown, totals, theme, narrow=narrow, more=len(order) - len(shown)
    ), "parts")  # fmt: skip


@drawn("disagreement")
def _disagreement(result: Result, most: int | None) -> Sequence[Drawing]:
    order = judges_in(result.table("judges").sort_values("disagreement", kind="stable"))
    return [disagreement(result, order, rows(len(order), most))]


@keyed
def similarity(result: Result) -> Drawing:
    pairs, placed, tree = (result.table(name) for name in ("pairs", "placed", "tree"))
    return Drawing("similarity", lambda theme, narrow: similarity_chart(
        pairs, placed, tree, theme, narrow=narrow
    ), "pairs")  # fmt: skip


@keyed
def similarity_map(result: Result) -> Drawing | None:
    """None where too few judges can be held against one another for a map to say more than the matrix."""
    placed = result.table("placed")
    if not placed["x"].notna().any() or len(placed) < MAPPED:
        return None
    return Drawing("map", lambda theme, narrow: judge_map(
        placed, result.values.get("map_shows"), theme, narrow=narrow
    ), "placed")  # fmt: skip


@drawn("similarity")
def _similarity(result: Result, most: int | None) -> Sequence[Drawing]:
    return [one for one in (similarity(result), similarity_map(result)) if one is not None]


# -- agreement --------------------------------------------------------------------------------------------------------

PARTS = {part.table: part for part in (MARGINS, SCENARIOS, CRITERIA, PERIODS)}
"""What a judge's agreement is taken apart by."""


def against_whom(result: Result) -> Against:
    """What the study's answer holds judges against: votes, their majority, or people where nothing else is known."""
    out = result.settings["ties"] == "drop"
    against = (MAJORITY if result.settings["level_of"] == "majority" else VOTES).ties(out)
    if against.value.startswith("against") and not result.table("judges")[against.value].notna().any():
        return ALONE.ties(out)
    return against


@keyed
def agreement(result: Result, focus: str | None = None, most: int | None = None) -> Drawing:
    """Each judge beside people's own agreement. focus : the judge that is looked at"""
    table, against = result.table("judges"), against_whom(result)
    return Drawing("agreement", lambda theme, narrow: ceiling_chart(
        table, reference_of(result), against, theme, humans=result.humans, focus=focus, most=rows(len(table), most),
        narrow=narrow,
    ), "judges")  # fmt: skip


@keyed
def confusion(result: Result, judge: str) -> Drawing:
    """Verdict by verdict."""
    table = of_judge(result.table("confusion"), judge)
    return Drawing("confusion", lambda theme, narrow: confusion_chart(
        table, reference_of(result), judge, theme, narrow=narrow
    ), "confusion")  # fmt: skip


def overall(result: Result, judge: str) -> float:
    """The judge's share over everything that is taken apart: the very comparisons of the confusion's cells."""
    cells = of_judge(result.table("confusion"), judge)
    if result.settings["ties"] == "drop":
        cells = cells[(cells["reference_says"] != "tie") & (cells["judge_says"] != "tie")]
    n = cells["comparisons"].to_numpy(dtype=float)
    same = (cells["reference_says"] == cells["judge_says"]).to_numpy(dtype=bool)
    return float(n[same].sum() / n.sum()) if n.sum() else 0.0


@keyed
def agreement_by(result: Result, judge: str, part: Part) -> Drawing:
    """By people's margin, scenario, criterion or time."""
    table = as_percent(of_judge(result.table(part.table), judge), part)
    look = part_look(part, reference_of(result), overall(result, judge), result.settings["ties"] == "drop")
    known = judges_in(result.table("judges"))
    return Drawing(f"by-{part.table}", lambda theme, narrow: judge_rows_chart(
        table, (judge,), theme, look, humans=result.humans, narrow=narrow, known=known
    ), part.table)  # fmt: skip


@keyed
def differences(result: Result, others: Sequence[str], most: int | None = None) -> Drawing:
    """All others held against the first of the judges. others : all judges but the reference, for their marks"""
    table = result.table("differences")
    return Drawing("differences", lambda theme, narrow: difference_chart(
        table, reference_of(result), others, theme, ties_left_out=result.settings["ties"] == "drop",
        humans=result.humans, most=rows(len(table), most), narrow=narrow,
    ), "differences")  # fmt: skip


@drawn("agreement")
def _agreement(result: Result, most: int | None) -> Sequence[Drawing]:
    judges = judges_in(result.table("judges"))

    def closer(judge: str) -> list[Drawing]:
        parted = [part for part in PARTS.values()
                  if of_judge(result.table(part.table), judge)["agreement"].notna().sum() > 1]  # fmt: skip
        return [confusion(result, judge), *(agreement_by(result, judge, part) for part in parted)]

    several = (differences(result, judges, most),) if len(result.table("differences")) else ()
    return (agreement(result, None, most), *several, *each(judges, closer))


@keyed
def alt_test(result: Result, focus: str | None = None, most: int | None = None) -> Drawing:
    """focus : the judge that is looked at"""
    table = result.table("judges")
    return Drawing("alt-test", lambda theme, narrow: alt_test_chart(
        table, theme, humans=result.humans, focus=focus, most=rows(len(table), most), narrow=narrow
    ), "judges")  # fmt: skip


@drawn("alt-test")
def _alt_test(result: Result, most: int | None) -> Sequence[Drawing]:
    return [alt_test(result, None, most)]


# -- shares, calibration, criteria, scores ----------------------------------------------------------------------------


@keyed
def shares(result: Result, order: Sequence[str], most: int) -> Drawing:
    """A panel a judge. order : the judges as they are drawn, the first `most` of them"""
    told = {str(row["judge"]): row for row in result.table("judges").to_dict("records")}
    shown = order[:most]
    heads = {name: _extremity(told[name]) for name in shown}
    return Drawing("shares", lambda theme, narrow: shares_chart(
        result.table("by_share"), shown, theme, heads=heads, humans=result.humans, narrow=narrow,
        more=len(order) - len(shown),
    ), "by_share")  # fmt: skip


def _extremity(row: dict[object, object]) -> str:
    # By leaning, where few votes make the other too large.
    name = "slope" if words.absent(row["slope_binomial"]) else "slope_binomial"
    if words.absent(row[name]):
        return f"two part on {words.share(row['parting_judge'])}"
    return f"extremity {words.estimate(row[name], row[f'{name}_lower'], row[f'{name}_upper'])}"


@drawn("shares")
def _shares(result: Result, most: int | None) -> Sequence[Drawing]:
    judges = result.table("judges").sort_values("divergence", ascending=False, kind="stable")
    return [shares(result, judges_in(judges), PANELS if most is None else most)]


@keyed
def calibration(result: Result, order: Sequence[str], most: int, bins: int = BINS) -> Drawing:
    """A reliability diagram a judge. order : the judges as they are drawn, the first `most` of them"""
    off = result.table("judges").set_index("judge")[f"ece_{bins}"].dropna().astype(float)
    shown = order[:most]
    return Drawing("calibration", lambda theme, narrow: reliability_chart(
        result.table("bins"), shown, bins, theme, confidence=result.settings["of"] == "confidence", narrow=narrow,
        errors={name: float(off[name]) for name in shown if name in off}, humans=result.humans,
        more=len(order) - len(shown),
    ), "bins")  # fmt: skip


@drawn("calibration")
def _calibration(result: Result, most: int | None) -> Sequence[Drawing]:
    judges = result.table("judges").sort_values(f"ece_{BINS}", ascending=False, kind="stable")
    return [calibration(result, judges_in(judges), PANELS if most is None else most)]


@keyed
def criteria(result: Result, judges: Sequence[str], most: int | None = None) -> Drawing:
    """What each criterion weighs in the overall verdict."""
    table = result.table("weights")
    return Drawing("criteria", lambda theme, narrow: criteria_chart(
        table, judges, theme, humans=result.humans, most=most, narrow=narrow
    ), "weights")  # fmt: skip


@keyed
def criterion_agreement(result: Result, judge: str, most: int | None = None) -> Drawing | None:
    """None where fewer than two criteria can be held against the reference."""
    table = result.table("criteria")
    if table.loc[table["judge"] == judge, "agreement"].notna().sum() < 2:
        return None
    return Drawing("agreement", lambda theme, narrow: criterion_agreement_chart(
        table, judge, str(result.settings["overall"]), theme, humans=result.humans, most=most, narrow=narrow
    ), "criteria")  # fmt: skip


@drawn("criteria")
def _criteria(result: Result, most: int | None) -> Sequence[Drawing]:
    judges = judges_in(result.table("weights"))
    agreed = each(judges_in(result.table("criteria")), lambda judge: filter(
        None, [criterion_agreement(result, judge, most)]
    ))  # fmt: skip
    return (criteria(result, judges, most), *agreed)


@keyed
def accuracy(result: Result, most: int | None = None) -> Drawing:
    """Of scores, in each scenario."""
    judges = result.table("judges")
    return Drawing("accuracy", lambda theme, narrow: accuracy_chart(
        judges, result.table("scenarios"), theme, humans=result.humans, most=rows(len(judges), most), narrow=narrow
    ), "judges")  # fmt: skip


@keyed
def bands(result: Result, judges: Sequence[str]) -> Drawing:
    """Whether others follow the labels that the scores doubt. judges : one or two"""
    table: pd.DataFrame = result.table("margin_judges")
    return Drawing("labels", lambda theme, narrow: bands_chart(
        table, judges, theme, humans=result.humans, narrow=narrow
    ), "margin_judges")  # fmt: skip


@drawn("reward-models")
def _reward_models(result: Result, most: int | None) -> Sequence[Drawing]:
    others = judges_in(result.table("margin_judges")) if len(result.table("margin_judges")) else []
    return (accuracy(result, most), *each(others, lambda judge: [bands(result, [judge])]))
