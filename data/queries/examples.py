"""Which pairs stand behind a number? The one condition that the number, its link and the page of examples share.

A number counts judgments by `queries.where`, and by `queries.shared_pairs` where judges are compared. A link from it
says the same in words (`PairsBehind.words`), and the page that it opens turns them back into the same condition
(`PairsBehind.where`): so the pairs shown are those counted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from data.model import BOTH_BAD, NONE, OUTCOMES, TIE, A, B, Selection
from data.queries import Catalog, Con, shared_pairs, where
from data.queries.order import in_order

COUNTED: Mapping[str, str] = MappingProxyType(
    {
        "all": "",
        "given": "outcome <> 0",
        "ranked": "",
        "no-verdict": "outcome = 0",
        "one-model": "outcome <> 0 AND NOT rankable AND model_a = model_b",
        "unnamed": "outcome <> 0 AND NOT rankable AND (model_a = model_b) IS NOT TRUE",
        "ties": "outcome IN (3, 4) AND rankable",
        "unknown-order": "outcome <> 0 AND shown = 0",
        "identical": "judgment_id IN ({identical})",
    }
)
"""Which judgments a number counts; "ranked" adds what `where` asks of a ranking, the tie policy with it."""

# The rows beyond the first of each set that `data.health.identical_votes` finds.
IDENTICAL = """SELECT judgment_id FROM (SELECT judgment_id, row_number() OVER (PARTITION BY judge_id, pair_id,
criterion_id, variant_id, outcome, p_a, shown ORDER BY judgment_id) AS copy FROM judgment
WHERE dataset_id = {dataset} AND annotator_id IS NULL AND judge_id IN (SELECT judge_id FROM judge WHERE kind = 'human'))
WHERE copy > 1"""

NOBODY = "-1"
"""An id that nothing has."""


@dataclass(frozen=True)
class PairsBehind:
    """The pairs that one number counts, within a selection.

    judges : whose judgments; () those of the selection; shared : only pairs that each of them judged
    counted : which judgments, a key of `COUNTED`; ties : policy of a ranking, None the selection's
    between : two models that met, in either order; model : one that took part
    fitted : only among models that get a strength from each of the judges (on these pairs)
    scenario : one alone, "" where none is known, None those of the selection
    lacking : judges who did not judge the pair; any_criterion : of every criterion and variant
    whole : nothing of the selection narrows it but dataset and judges
    variant, criterion : circumstances of the judgments and what was asked, None those of the selection
    only : ids of pairs, where the number is about these alone, in the order in which they are read
    """

    judges: tuple[str, ...] = ()
    shared: bool = False
    counted: str = "ranked"
    ties: str | None = None
    between: tuple[str, ...] = ()
    model: str | None = None
    fitted: bool = False
    scenario: str | None = None
    lacking: tuple[str, ...] = ()
    any_criterion: bool = False
    whole: bool = False
    only: tuple[int, ...] = ()
    variant: str | None = None
    criterion: str | None = None

    def words(self) -> dict[str, list[str]]:
        """The options of the study `examples` that mean this, as words of an address.

        An empty list takes the selection's own word out of the address.
        """
        out: dict[str, list[str]] = {}
        if self.whole:
            out |= {name: [] for name in ("scenario", "model", "variant", "since", "until")}
        if self.judges:
            out["judge"] = list(self.judges)
        if self.counted != "all":
            out["counted"] = [self.counted]
        if self.ties is not None:
            out["ties"] = [self.ties]
        if self.between:
            out["between"] = list(self.between)
        if self.model is not None:
            out["with_model"] = [self.model]
        if self.scenario is not None:
            out["scenario"] = [self.scenario] if self.scenario else []
        if self.lacking:
            out["lacking"] = list(self.lacking)
        if self.variant is not None:
            out["variant"] = [self.variant]
        if self.criterion is not None:
            out["criterion"] = [self.criterion]
        if self.only:
            out |= {"only": [str(pair) for pair in self.only], "order": ["given"]}
        flags = {"shared": self.shared, "fitted": self.fitted, "unlabelled": self.scenario == "",
                 "all_criteria": self.any_criterion or self.whole}  # fmt: skip
        return out | {name: ["true"] for name, said in flags.items() if said}

    def base(self, selection: Selection, names: Catalog, ties: str = "half") -> str:
        """The condition on `judgment` without `between`, `model` and `fitted`: what a ranking is fitted on.

        selection : resolved; ties : its policy, unless this says another
        """
        judges = self.judges or selection.judge or tuple(names.judges)
        condition = self._judged(selection, names, judges, ties)
        if self.shared:
            ids = [names.judges[judge][0] for judge in judges]
            condition = shared_pairs(condition, ids)
        if self.lacking:
            theirs = self._judged(selection, names, self.lacking, ties)
            condition += f" AND pair_id NOT IN (SELECT pair_id FROM judgment WHERE {theirs})"
        if self.only:
            condition += f" AND pair_id IN ({_ids(self.only)})"
        return condition

    def where(
        self, selection: Selection, names: Catalog, ties: str = "half", kept: Collection[str] | None = None
    ) -> str:
        """The whole condition on `judgment`. kept : the models that `fitted` leaves"""
        parts = [self.base(selection, names, ties)]
        if self.between:
            one, two = (names.models[model] for model in self.between)
            parts.append(f"(model_a = {one} AND model_b = {two} OR model_a = {two} AND model_b = {one})")
        if self.model is not None:
            parts.append(f"(model_a = {names.models[self.model]} OR model_b = {names.models[self.model]})")
        if kept is not None:
            ids = ", ".join(str(names.models[model]) for model in sorted(kept)) or NOBODY
            parts.append(f"model_a IN ({ids}) AND model_b IN ({ids})")
        return " AND ".join(parts)

    def _judged(self, selection: Selection, names: Catalog, judges: Sequence[str], ties: str) -> str:
        """The condition for judgments of these judges that count."""
        asked = replace(selection, judge=tuple(judges))
        if self.whole:
            asked = replace(asked, scenario=(), model=(), since=None, until=None)
        if self.whole or self.any_criterion:
            # `where` does not ask for the only one that there is.
            names = replace(names, criteria={}, variants={asked.variant: 0})
        if self.variant is not None:
            asked = replace(asked, variant=self.variant)
        if self.criterion is not None:
            asked = replace(asked, criterion=self.criterion)
        if self.scenario is not None:
            asked = replace(asked, scenario=(self.scenario,) if self.scenario else ())
        ranked = self.counted == "ranked"
        policy = (self.ties or ties) if ranked else "half"
        parts = [where(asked, names, policy, ranked)]
        if self.scenario == "":
            parts.append("scenario_id IS NULL")
        if COUNTED[self.counted]:
            parts.append(COUNTED[self.counted].format(identical=IDENTICAL.format(dataset=names.dataset_id)))
        return " AND ".join(parts)


# -- what judges say of a pair ----------------------------------------------------------------------------------------


def _labels(source: str, names: Catalog, keys: str = "") -> str:
    """Votes and majority of each judge on each pair of `source` (rows of `judgment`).

    Orders and repeats of one annotator are averaged first, so that an order conflict is a tie; people without a name
    are one vote each, a judge without annotators is one voter. side: the unique plurality (1 a, 2 b, 3 tie), 0 where
    none is, NULL without a verdict.
    """
    people = ", ".join(str(i) for i, kind in names.judges.values() if kind == "human") or NOBODY
    voter = f"CASE WHEN annotator_id IS NULL AND judge_id IN ({people}) THEN -judgment_id ELSE coalesce(annotator_id, 0) END"
    return f"""SELECT {keys} pair_id, judge_id, count(*) FILTER (share > .5) AS a, count(*) FILTER (share < .5) AS b,
        count(*) FILTER (share = .5) AS tie, avg(share) AS share,
        CASE WHEN count(share) = 0 THEN NULL WHEN a > b AND a > tie THEN 1 WHEN b > a AND b > tie THEN 2
        WHEN tie > a AND tie > b THEN 3 ELSE 0 END AS side
        FROM (SELECT {keys} pair_id, judge_id, {voter} AS voter, round(avg(p_a), 9) AS share FROM {source} GROUP BY ALL)
        GROUP BY ALL"""


@dataclass(frozen=True)
class Narrowing:
    """What the judges must say of a pair.

    disagree : "opposite" (one for a, one for b) or "any" (a tie against a side too); two : names of the two judges who
        disagree; with one name only, that judge and any other
    outcome : of `by`'s majority: a, b, tie, split (no unique plurality), won or lost (by `focal`); or, of any of its
        judgments, both_bad or none
    """

    disagree: str | None = None
    two: tuple[str, ...] = ()
    outcome: str | None = None
    by: str | None = None
    focal: str | None = None

    def clauses(self, condition: str, names: Catalog) -> str:
        """SQL that narrows rows with a `pair_id` to the pairs meant; '' where nothing is asked."""
        out = []
        if self.disagree is not None:
            first, *others = (names.judges[judge][0] for judge in self.two)
            other = f"o.judge_id = {others[0]}" if others else f"o.judge_id <> {first}"
            differ = "least(f.side, o.side) = 1 AND greatest(f.side, o.side) = 2"
            if self.disagree == "any":
                differ = "f.side <> o.side AND f.side > 0 AND o.side > 0"
            labels = _labels(f"(SELECT * FROM judgment WHERE {condition})", names)
            out.append(
                f"""pair_id IN (WITH labels AS MATERIALIZED ({labels}) SELECT f.pair_id FROM labels f
                JOIN labels o ON o.pair_id = f.pair_id AND f.judge_id = {first} AND {other} WHERE {differ})"""
            )
        if self.outcome is not None:
            assert self.by is not None
            theirs = f"{condition} AND judge_id = {names.judges[self.by][0]}"
            if self.outcome in ("both_bad", "none"):
                code = BOTH_BAD if self.outcome == "both_bad" else NONE
                out.append(f"pair_id IN (SELECT pair_id FROM judgment WHERE {theirs} AND outcome = {code})")
            else:
                labels = _labels(f"(SELECT * FROM judgment WHERE {theirs})", names)
                sides = {"a": str(A), "b": str(B), "tie": str(TIE), "split": "0"}
                holds = f"side = {sides[self.outcome]}" if self.outcome in sides else self._won(names)
                out.append(f"pair_id IN (SELECT pair_id FROM ({labels}) JOIN pair USING (pair_id) WHERE {holds})")
        return "".join(f" AND {clause}" for clause in out)

    def _won(self, names: Catalog) -> str:
        model = names.models[str(self.focal)]
        a, b = (A, B) if self.outcome == "won" else (B, A)
        return f"(side = {a} AND model_a = {model} OR side = {b} AND model_b = {model})"


# -- the pairs in order ----------------------------------------------------------------------------------------------


MOST_IN_PLACES = 50_000
"""Pairs up to which those alike are listed in an order that does not hang on how the store was filled."""


@dataclass(frozen=True)
class Listing:
    """pairs : (n,) ids in their order; judgments : how many were counted on them; prompts : how many they stem from"""

    pairs: np.ndarray
    judgments: int
    prompts: int


def find_pairs(con: Con, condition: str, more: str, reference: int | None, given: Sequence[int] = ()) -> Listing:
    """The pairs with judgments that satisfy the condition, in order of their ids; those `given` first, in that order.

    more : what `Narrowing.clauses` adds; reference : id of a judge: pairs on which the mean preference of another is
        farthest from this one's come first, of those alike the ones with more judgments
    """
    ids = f"SELECT pair_id, any_value(prompt_id) AS prompt, count(*) AS n FROM judgment WHERE {condition}{more}"
    if reference is None:
        rows = con.execute(f"{ids} GROUP BY pair_id ORDER BY pair_id")
    else:
        rows = con.execute(
            f"""WITH each AS (SELECT pair_id, judge_id, any_value(prompt_id) AS prompt, avg(p_a) AS share, count(*) AS n
                FROM judgment WHERE {condition}{more} GROUP BY ALL),
            reference AS (SELECT pair_id, share AS theirs FROM each WHERE judge_id = {reference})
            SELECT pair_id, any_value(prompt) AS prompt, sum(n)::BIGINT AS n,
                coalesce(max(abs(share - theirs)), -1) AS apart
            FROM each LEFT JOIN reference USING (pair_id) GROUP BY pair_id ORDER BY pair_id"""
        )
    found = {name: np.asarray(column) for name, column in rows.fetchnumpy().items()}
    pairs, n = found["pair_id"].astype(np.int64), found["n"]
    if reference is not None:
        # Those alike stand as their digests do, in every store the same; of very many that would take too long.
        stands = in_order(con, "pair", pairs) if len(pairs) <= MOST_IN_PLACES else pairs
        pairs = pairs[np.lexsort((stands, -n, -np.round(found["apart"], 9)))]
    if given:
        place = {pair: at for at, pair in enumerate(given)}
        pairs = np.array(sorted(pairs.tolist(), key=lambda pair: place.get(pair, len(place))), dtype=np.int64)
    return Listing(pairs, int(n.sum()), len(np.unique(found["prompt"])))


def texts(con: Con, pairs: Sequence[int]) -> pd.DataFrame:
    """The pairs with their texts, in the order given.

    Columns: pair, key (the files' own ids), prompt_id (the files' own), prompt, scenario, model_a, model_b, response_a,
    response_b; what the files did not give is missing.
    """
    frame = con.execute(
        f"""SELECT p.pair_id AS pair, k.key, m.external_id AS prompt_id, t.body AS prompt, s.name AS scenario,
            ma.name AS model_a, mb.name AS model_b, ta.body AS response_a, tb.body AS response_b
        FROM (SELECT * FROM pair WHERE pair_id IN ({_ids(pairs)})) p
        LEFT JOIN prompt m ON m.prompt_id = p.prompt_id LEFT JOIN text t ON t.text_id = m.text_id
        LEFT JOIN scenario s ON s.scenario_id = m.scenario_id
        LEFT JOIN model ma ON ma.model_id = p.model_a LEFT JOIN model mb ON mb.model_id = p.model_b
        LEFT JOIN response ra ON ra.response_id = p.response_a LEFT JOIN text ta ON ta.text_id = ra.text_id
        LEFT JOIN response rb ON rb.response_id = p.response_b LEFT JOIN text tb ON tb.text_id = rb.text_id
        LEFT JOIN (SELECT pair_id, string_agg(DISTINCT external_id, ' · ' ORDER BY external_id) AS key FROM pair_key
            WHERE pair_id IN ({_ids(pairs)}) GROUP BY pair_id) k ON k.pair_id = p.pair_id
        ORDER BY list_position([{_ids(pairs)}], p.pair_id)"""
    ).df()
    return frame


def verdicts(con: Con, pairs: Sequence[int], condition: str) -> pd.DataFrame:
    """Every judgment on these pairs, those alike in all that is known as one row.

    Columns: pair, judge, kind, counted (whether it satisfies the condition), annotator, outcome, p_a, shown (a, b or
    missing: the one shown first), repeat, weight, criterion, variant, score_a, score_b, confidence, reason, n.
    """
    frame = con.execute(
        f"""SELECT j.pair_id AS pair, g.name AS judge, g.kind, counted, h.name AS annotator, outcome, p_a,
            CASE shown WHEN 1 THEN 'a' WHEN -1 THEN 'b' END AS shown, repeat, weight, c.name AS criterion,
            v.name AS variant, score_a, score_b, confidence, reason, j.n
        FROM (SELECT pair_id, judge_id, coalesce(({condition}), FALSE) AS counted, annotator_id, outcome, p_a, shown,
                repeat, weight, criterion_id, variant_id, score_a, score_b, confidence, reason, count(*) AS n
            FROM judgment WHERE pair_id IN ({_ids(pairs)}) GROUP BY ALL) j
        JOIN judge g ON g.judge_id = j.judge_id LEFT JOIN annotator h ON h.annotator_id = j.annotator_id
        LEFT JOIN criterion c ON c.criterion_id = j.criterion_id LEFT JOIN variant v ON v.variant_id = j.variant_id
        ORDER BY list_position([{_ids(pairs)}], j.pair_id), j.judge_id, counted DESC, j.n DESC, h.name, c.name, v.name,
            repeat, outcome, p_a, shown, weight, reason, confidence, score_a, score_b"""
    ).df()
    frame["outcome"] = [OUTCOMES[code] for code in frame["outcome"]]
    return frame


def summaries(con: Con, pairs: Sequence[int], condition: str, names: Catalog) -> pd.DataFrame:
    """What each judge says of each of these pairs, in what the condition counts and in what it does not.

    Columns: pair, judge, kind, counted, judgments, a, b, tie (votes, orders and repeats averaged), both_bad, none
    (judgments), share_a (mean preference for a), majority (a, b, tie or split; missing without a verdict).
    """
    source = f"(SELECT *, coalesce(({condition}), FALSE) AS counted FROM judgment WHERE pair_id IN ({_ids(pairs)}))"
    return con.execute(
        f"""SELECT l.pair_id AS pair, g.name AS judge, g.kind, counted, judgments, a, b, tie, both_bad, "none",
            share AS share_a, CASE side WHEN 0 THEN 'split' WHEN 1 THEN 'a' WHEN 2 THEN 'b' WHEN 3 THEN 'tie' END
            AS majority
        FROM ({_labels(source, names, "counted,")}) l
        JOIN (SELECT counted, pair_id, judge_id, count(*) AS judgments, count(*) FILTER (outcome = 4) AS both_bad,
            count(*) FILTER (outcome = 0) AS "none" FROM {source} GROUP BY ALL) USING (counted, pair_id, judge_id)
        JOIN judge g ON g.judge_id = l.judge_id
        ORDER BY list_position([{_ids(pairs)}], l.pair_id), g.judge_id, counted DESC"""
    ).df()


def last_import(con: Con, names: Catalog) -> int:
    """The newest import of the dataset: pairs keep their ids until one is withdrawn or added."""
    found = con.execute("SELECT max(import_id) FROM import_log WHERE dataset_id = $d", {"d": names.dataset_id})
    return int(found.fetchall()[0][0] or 0)


def _ids(pairs: Sequence[int]) -> str:
    return ", ".join(str(int(pair)) for pair in pairs) or NOBODY
