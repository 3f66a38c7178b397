"""How does each judge weigh each factor in each scenario? The matrices of the two judges, like rows together."""

from __future__ import annotations

from dataclasses import replace

from charts import weight_cells
from studies.factors_matrix import FITTED, FactorsMatrix
from ui import factors, selection, weight_matrix
from ui.methods import POOLED, judges_of, pick
from ui.session import attempt
from ui.view import View

KIND = "matrix_kind"
FIGURES = {"pooled": weight_cells.POOLED, "raw": weight_cells.ALONE}


def draw(seen: View, judge: str | None) -> None:
    """The section: the two judges side by side, or the one there is."""
    judges = judges_of(seen, judge)
    study = replace(factors.meant(FactorsMatrix, factors.known_factors(seen)), judge=judges, source=FITTED)
    result = attempt(study)
    if result is None:
        return
    figures = FIGURES[str(selection.page_word(KIND, list(POOLED), "pooled"))]
    weight_matrix.draw(
        result, judges, seen.humans, figures, factors.unit(), choose=lambda: pick(KIND, POOLED, "Figures")
    )
