"""How are the pairs behind a number said in words? Pure functions of a resolved study."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from charts import words
from data.queries import Catalog
from studies.overview import PLURAL

if TYPE_CHECKING:
    from studies.examples import Examples

MOST = 3
"""Names in a row before "and 4 more"."""


def what_is_listed(study: Examples, n: int, names: Catalog) -> str:
    """37 pairs of heron and wren that people and owl-judge both judged (ties left out), on which they part."""
    head = f"{n:,} pair" + ("" if n == 1 else "s") if n else "no pairs"
    return head + "".join(
        (_listed(study), _models(study), _who(study, names), _lacking(study), _where(study, names), _said(study))
    )  # fmt: skip


def _listed(study: Examples) -> str:
    return f" of a list of {len(study.only):,}" if study.only else ""


def _models(study: Examples) -> str:
    out = ""
    if study.between:
        out = f" of {study.between[0]} and {study.between[1]}"
    if study.with_model is not None:
        out += f" with {study.with_model}"
    return out


def _who(study: Examples, names: Catalog) -> str:
    judges = list(study.judge)
    everybody = len(judges) == len(names.judges) > MOST
    who = "all judges" if everybody else words.listing(judges, MOST)
    any_of = "any judge" if everybody else words.listing(judges, MOST).replace(" and ", " or ")
    if study.shared and len(judges) > 1:
        judged = f" that {who} {'both' if len(judges) == 2 else 'all'} judged"
    else:
        judged = f" judged by {any_of}"
    kinds = {
        "all": judged,
        "given": f"{judged}, with a verdict",
        "ranked": f"{judged}, as rankings count them ({words.ties(study.ties)})",
        "no-verdict": f" on which {any_of} gave no verdict (refused or invalid)",
        "one-model": f"{judged}, of two texts of one model",
        "unnamed": f"{judged}, without two named models",
        "ties": f" with a tie by {any_of}",
        "unknown-order": f"{judged} in an order that is not known",
        "identical": f" with rows of {any_of} that repeat another row entirely",
    }
    fitted = f", between models that get a strength from {who}" if study.fitted else ""
    return kinds[study.counted] + fitted


def _lacking(study: Examples) -> str:
    return f", not judged by {words.listing(list(study.lacking), MOST)}" if study.lacking else ""


def _where(study: Examples, names: Catalog) -> str:
    out = ""
    if study.unlabelled:
        out = ", of no known scenario"
    elif study.scenario and len(study.scenario) < len(names.scenarios):
        out = f", in {words.listing(list(study.scenario), MOST)}"
    if study.model:
        out += f", among {words.plural(len(study.model), 'chosen model')}"
    if len(names.criteria) > 1 and not study.all_criteria:
        out += f", criterion {study.criterion}"
    if study.variant != "plain" and not study.all_criteria:
        out += f", variant {study.variant}"
    if study.since is not None:
        out += f", from {study.since} on"
    if study.until is not None:
        out += f", until {study.until}"
    return out


def _said(study: Examples) -> str:
    out = []
    if study.disagree is not None:
        first, *others = study.two
        other = others[0] if others else "another judge"
        part = "take opposite sides" if study.disagree == "opposite" else "differ"
        out.append(f"{first} and {other} {part}")
    if study.outcome is not None:
        out.append(f"{study.by} {outcome_in_words(study.outcome, study.focal, str(study.by))}")
    return ", where " + " and ".join(out) if out else ""


def outcome_in_words(outcome: str, focal: str | None, judge: str = "") -> str:
    """The end of a sentence that begins with a judge: "prefers A", and "prefer A" where the judge is a plural."""
    said = {
        "a": "prefers A",
        "b": "prefers B",
        "tie": "sees a tie",
        "split": "is split",
        "won": f"prefers {focal}",
        "lost": f"prefers the other to {focal}",
        "both_bad": "calls both bad",
        "none": "gives no verdict",
    }[outcome]
    if judge.casefold() in PLURAL:
        verb, rest = said.split(" ", 1)
        return f"{'are' if verb == 'is' else verb.removesuffix('s')} {rest}"
    return said


def order_in_words(study: Examples, by_distance: bool) -> str:
    """How the pairs are ordered."""
    if study.order == "given":
        return "in the order of the list"
    return f"the strongest disagreement with {study.judge[0]} first" if by_distance else "in the order stored"


def summary(pairs: Sequence[int] | pd.Series, judges: pd.DataFrame) -> list[str]:
    """What the counted judges say of each pair: "people: 3 a, 1 tie; gpt-4: b"."""
    counted = judges[judges["counted"].astype(bool)]
    by_pair: dict[int, list[str]] = {}
    for row in counted.to_dict("records"):
        votes = [(row["a"], "a"), (row["b"], "b"), (row["tie"], "tie")]
        told = [(int(n), name) for n, name in votes if n]
        if not told:
            said = "no verdict"
        elif len(told) == 1 and told[0][0] == 1:
            said = told[0][1]
        else:
            said = ", ".join(f"{n} {name}" for n, name in told)
        by_pair.setdefault(int(row["pair"]), []).append(f"{row['judge']}: {said}")
    return ["; ".join(by_pair.get(int(pair), [])) for pair in pairs]
