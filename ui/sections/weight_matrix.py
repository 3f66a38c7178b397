"""How does each judge weigh each factor in each scenario? The matrices of the two judges, like rows together."""

from __future__ import annotations

from dataclasses import replace

from charts.weight_cells import ALONE, POOLED
from studies.factors_matrix import FITTED, FactorsMatrix
from ui import factors, selection, weight_matrix
from ui.methods import judges_of, pick
from ui.session import attempt
from ui.view import View

KIND = "matrix_kind"
KINDS = {"pooled": "Pooled with the others", "raw": "Each scenario alone"}
FIGURES = {"pooled": POOLED, "raw": ALONE}


def draw(seen: View, judge: str | None) -> None:
    """The section: the two judges side by side, or the one there is."""
    judges = judges_of(seen, judge)
    study = replace(factors.meant(FactorsMatrix, factors.known_factors(seen)), judge=judges, source=FITTED)
    result = attempt(study)
    if result is None:
        return
    figures = FIGURES[str(selection.page_word(KIND, list(KINDS), "pooled"))]
    weight_matrix.draw(
        result, judges, seen.humans, figures, factors.unit(), choose=lambda: pick(KIND, KINDS, "Figures")
    )
