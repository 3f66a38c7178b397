"""What can be asked of this dataset, and which column would the rest need?"""

from __future__ import annotations

from dataclasses import dataclass

from data import health, queries
from data.queries import Catalog, Facts, texts
from data.store import Store
from studies.extract import versions


@dataclass(frozen=True)
class Ability:
    """One thing the pages can show. needs : the column it lacks, None where nothing is lacking"""

    what: str
    needs: str | None


def abilities(store: Store, dataset: str) -> list[Ability]:
    """In the order of the pages."""
    with store.reading(f"looking at {dataset}") as con:
        names = queries.catalog(con, dataset)
        facts = queries.dataset_facts(con, names.dataset_id)
        order = health.order_known(con, names)
        factors = texts.responses(con, names)["texts"] > 0 or bool(texts.sources(con, names, versions()))
    return find_abilities(names, facts, int(order["known"].sum()), factors)


def find_abilities(names: Catalog, facts: Facts, known_order: int, factors: bool) -> list[Ability]:
    """known_order : judgments of which it is known which response was shown first

    factors : whether there are any, or texts to measure them from
    """
    people = any(j.get("annotators") for j in facts.judges)
    models = None if len(names.models) > 1 else "`model_a` and `model_b`"
    reasons = None if factors else "`response_a` and `response_b`, or a table of factors"
    second = "a second `judge`, or a file of another judge's verdicts on these pairs"
    return [
        Ability("see who judged what, and what to distrust", None),
        Ability("rank the models by each judge", models),
        Ability("hold the judges' rankings against each other", models if len(names.judges) > 1 else second),
        Ability(
            "take people as the reference",
            None if names.humans else "`judge_kind`, saying which judge is human; or choose the reference yourself",
        ),
        Ability("see which factors move each judge's verdicts", reasons),
        Ability("look at single scenarios", None if len(names.scenarios) > 1 else "`scenario`"),
        Ability("let intervals respect that one person judged often", None if people else "`annotator`"),
        Ability("take out the advantage of what is shown first", None if known_order else "`swapped`"),
    ]
