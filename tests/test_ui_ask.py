"""Does a page ask a study only what it can answer?"""

import pytest

import studies  # noqa: F401  (registers the studies)
from data.queries import Catalog
from studies.study import REGISTRY, Fitted
from ui import ask, selection
from ui.view import View

FITTED = sorted(name for name, cls in REGISTRY.items() if issubclass(cls, Fitted))


@pytest.mark.parametrize("cluster", Fitted.clusterings)
def test_a_clustering_that_a_study_cannot_have_becomes_the_automatic_one(monkeypatch, cluster):
    monkeypatch.setattr(selection, "current", lambda: View((), study=Fitted(dataset="d", cluster=cluster)))
    for name in FITTED:
        cls = REGISTRY[name]
        asked = ask.chosen(cls).cluster
        assert asked == (cluster if cluster in cls.clusterings else "auto"), name


def test_verdicts_of_the_page_take_judgments_as_independent_where_they_are_told_to(monkeypatch):
    """The verdicts' section once asked for the automatic clustering in its place."""
    from studies.stand_in import JudgeStandIn
    from ui import stand_in

    seen = View((), study=Fitted(dataset="d", judge=("people", "gpt"), cluster="none"), reference="people",
                names=Catalog("d", 1, False, {}, {}, {}, {}, {}))  # fmt: skip
    asked = []
    monkeypatch.setattr(selection, "current", lambda: seen)
    monkeypatch.setattr(stand_in, "attempt", asked.append)
    monkeypatch.setattr(View, "words", lambda self: self.study.parameters())
    stand_in.verdicts(seen)
    assert asked == [JudgeStandIn(dataset="d", judge=("people", "gpt"), cluster="none")]
