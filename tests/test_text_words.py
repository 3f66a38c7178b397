"""How well do lists of English words find what they are for? Held equal to what their definitions say of it.

golden/sentences/FACTOR.tsv: a label and a sentence, with negations, quotations and near misses. The sentences were
written for this project beside the lists, so that other texts may fare worse.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from texts.measure import measure_texts
from texts.registry import factors

SENTENCES = Path(__file__).parent / "golden" / "sentences"
JUDGED = [one for one in factors() if one.quality is not None]

NEUTRAL = 0.05
"""Compound scores nearer to 0 than this are neutral, as VADER's authors have it."""


def labelled(name: str) -> tuple[list[str], list[str]]:
    rows = [line.split("\t") for line in (SENTENCES / f"{name}.tsv").read_text(encoding="utf-8").splitlines()]
    return [label for label, _ in rows], [sentence for _, sentence in rows]


def test_every_list_is_judged() -> None:
    assert {one.name for one in JUDGED} == {path.stem for path in SENTENCES.glob("*.tsv")}
    assert {one.name for one in JUDGED} >= {"hedges", "assertive", "politeness", "apologies", "refusals", "sentiment"}


@pytest.mark.parametrize("name", [one.name for one in JUDGED])
def test_precision_and_recall_are_as_said(name: str) -> None:
    (one,) = factors([name])
    labels, sentences = labelled(name)
    values = measure_texts(sentences, [name])[:, 0]
    if name == "sentiment":
        found = np.where(values >= NEUTRAL, "positive", np.where(values <= -NEUTRAL, "negative", "neutral"))
        there = np.array(labels)
        hits = ((found == there) & (there != "neutral")).sum()
        precision, recall = hits / (found != "neutral").sum(), hits / (there != "neutral").sum()
    else:
        said, has = values > 0, np.array(labels) == "1"
        precision, recall = (said & has).sum() / said.sum(), (said & has).sum() / has.sum()
    assert one.quality is not None
    assert len(sentences) == len(set(sentences)) == one.quality.n >= 40
    assert one.quality.precision == pytest.approx(precision, abs=0.005)
    assert one.quality.recall == pytest.approx(recall, abs=0.005)
    assert str(one.quality) in one.definition


def test_the_page_on_factors_shows_the_registry() -> None:
    from scripts.factor_table import PAGE, page, table

    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "run python scripts/factor_table.py"
    assert table().count("\n") == len(factors()) + 2
