"""What does the store hold, and which judgments does a selection mean? Every SELECT of the house."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from data.model import Selection
from data.queries.labelings import fingerprint as fingerprint_labeling
from data.queries.labelings import known_labelings
from data.queries.labelings import use as use_labeling
from data.queries.order import in_order
from data.queries.runs import added, runs
from data.remembered import asked_again, known
from data.shown_names import AS_THEY_ARE, Display
from data.shown_names import read as read_display
from errors import EmptySelectionError, OptionError, UnknownNameError, unknown_name

Con = duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class Facts:
    """What one dataset holds. judges: judge, kind, judgments, annotators (where named); scores: whether any judge gave
    some."""

    judges: list[dict[str, Any]]
    judgments: int
    pairs: int
    prompts: int
    models: int
    scenarios: int
    scores: bool = False


@dataclass(frozen=True)
class Catalog:
    """The names that a dataset holds, for checking a selection and filling its boxes.

    judges : name -> (id, kind) in the order first seen; the others name -> id. labelings : those beside the files' own
    labeling : the one that the scenarios are of; None: those that came with the judgments
    published : how many judges have published weights here; a dataset without judgments has some
    display : how judges and models are shown; whether these names are those
    """

    dataset: str
    dataset_id: int
    simulated: bool
    judges: dict[str, tuple[int, str]]
    models: dict[str, int]
    scenarios: dict[str, int]
    criteria: dict[str, int]
    variants: dict[str, int]
    labelings: dict[str, int] = field(default_factory=dict)
    labeling: str | None = None
    published: int = 0
    display: Display = AS_THEY_ARE

    @property
    def humans(self) -> list[str]:
        return [name for name, (_, kind) in self.judges.items() if kind == "human"]


# No pair, prompt or judge stays in the store without a judgment, so that none need be found among these.
DATASETS = f"""SELECT dataset_id, name, simulated, {", ".join(
    f"coalesce({table}.n, 0) AS {table}s" for table in ("judgment", "pair", "prompt", "judge")
)} FROM dataset {" ".join(
    f"LEFT JOIN (SELECT dataset_id, count(*) AS n FROM {table} GROUP BY 1) {table} USING (dataset_id)"
    for table in ("judgment", "pair", "prompt", "judge")
)} ORDER BY simulated, dataset_id"""

JUDGES = """SELECT g.name, g.kind, count(*) AS judgments, count(DISTINCT j.annotator_id) AS annotators
FROM judgment j JOIN judge g USING (judge_id) WHERE j.dataset_id = $d
GROUP BY g.judge_id, g.name, g.kind ORDER BY g.judge_id"""


NAMED = ("judge", "model", "scenario", "criterion", "variant")
# In one statement: a page asks this many times, and what it costs is the number of statements.
NAMES = " UNION ALL ".join(
    f"SELECT '{kind}' AS named, name, {kind}_id AS id, {'kind' if kind == 'judge' else 'NULL'} AS kind "
    f"FROM {kind} WHERE dataset_id = $d"
    for kind in NAMED
) + (
    " UNION ALL SELECT 'published', 'judges', count(DISTINCT judge), NULL FROM published_weight WHERE dataset_id = $d"
    " UNION ALL SELECT 'display', CASE WHEN getvariable('shown_names') THEN 'in use' ELSE 'not' END, "
    "(SELECT count(*) FROM display WHERE dataset_id = $d) "
    "+ (SELECT count(*) FROM setting WHERE dataset_id = $d AND name = 'decimals'), NULL"
    " ORDER BY named, id"
)


def dataset_names(con: Con) -> list[tuple[str, bool]]:
    """(name, simulated) of each dataset, those of users before the simulated ones."""
    return list(known("datasets", lambda: con.execute(
        "SELECT name, simulated FROM dataset ORDER BY simulated, dataset_id"
    ).fetchall()))  # fmt: skip


def dataset_table(con: Con) -> pd.DataFrame:
    """One row a dataset: dataset, simulated, judgments, pairs, prompts, models, scenarios, judges, and published: the
    judges with published weights."""
    table = con.execute(DATASETS).df()
    models = dict(con.execute("SELECT dataset_id, count(*) FROM model GROUP BY 1 ORDER BY 1").fetchall())
    scenarios = dict(con.execute("SELECT dataset_id, count(*) FROM scenario GROUP BY 1 ORDER BY 1").fetchall())
    table.insert(6, "models", [int(models.get(i, 0)) for i in table["dataset_id"]])
    table.insert(7, "scenarios", [int(scenarios.get(i, 0)) for i in table["dataset_id"]])
    published = dict(con.execute(
        "SELECT dataset_id, count(DISTINCT judge) FROM published_weight GROUP BY 1 ORDER BY 1"
    ).fetchall())  # fmt: skip
    table["published"] = [int(published.get(i, 0)) for i in table["dataset_id"]]
    return table.drop(columns="dataset_id").rename(columns={"name": "dataset"})


WHOLE = 2_000_000
"""Judgments of a dataset up to which what all judges said is held in memory for who goes from judge to judge."""


def held_whole(con: Con, names: Catalog, what: Hashable) -> bool:
    """Whether all judgments of a dataset shall be read, of which now some are wanted.

    what : all that is read. Yes where some of it were wanted before, and for pages: who asks once, as a command does,
    reads what is wanted; who goes on from there finds the rest in memory
    """
    return asked_again((names.dataset_id, names.labeling, what)) and n_judgments(con, names) <= WHOLE


def n_judgments(con: Con, names: Catalog) -> int:
    """How many judgments a dataset holds."""
    d = names.dataset_id
    return known(("judgments", d), lambda: int(con.execute(
        "SELECT count(*) FROM judgment WHERE dataset_id = $d", {"d": d}
    ).fetchall()[0][0]))  # fmt: skip


def dataset_facts(con: Con, dataset_id: int) -> Facts:
    judges = []
    for name, kind, n, annotators in con.execute(JUDGES, {"d": dataset_id}).fetchall():
        entry: dict[str, Any] = {"judge": name, "kind": kind, "judgments": n}
        if annotators:
            entry["annotators"] = annotators
        judges.append(entry)
    counts = con.execute(
        """SELECT (SELECT count(*) FROM judgment WHERE dataset_id = $d), (SELECT count(*) FROM pair WHERE dataset_id = $d),
        (SELECT count(*) FROM prompt WHERE dataset_id = $d), (SELECT count(*) FROM model WHERE dataset_id = $d),
        (SELECT count(*) FROM scenario WHERE dataset_id = $d),
        EXISTS (SELECT 1 FROM judgment WHERE dataset_id = $d AND score_a IS NOT NULL)""",
        {"d": dataset_id},
    ).fetchall()[0]
    return Facts(judges, *counts)


def catalog(con: Con, of: str | Selection) -> Catalog:
    """The names of one dataset. Raises UnknownNameError with the nearest names.

    of : a dataset, or a selection; where that names a labeling, this connection reads the scenarios of it from here on
    """
    dataset, labeling = (of, None) if isinstance(of, str) else (of.dataset or "", of.labeling)
    if labeling is None:
        # A page asks this a dozen times.
        return known(("catalog", dataset), lambda: _catalog(con, dataset, None))
    return _catalog(con, dataset, labeling)


def _catalog(con: Con, dataset: str, labeling: str | None) -> Catalog:
    rows = con.execute("SELECT dataset_id, simulated FROM dataset WHERE name = $n", {"n": dataset}).fetchall()
    if not rows:
        raise unknown_name("dataset", dataset, [n for n, _ in dataset_names(con)])
    d, simulated = rows[0]
    if labeling is not None:
        use_labeling(con, dataset, d, labeling)

    ids: dict[str, dict[str, int]] = {kind: {} for kind in (*NAMED, "published", "display")}
    kinds: dict[int, str] = {}
    for kind, name, number, judge_kind in con.execute(NAMES, {"d": d}).fetchall():
        ids[kind][name] = number
        if judge_kind is not None:
            kinds[number] = judge_kind
    ((in_use, said),) = ids["display"].items()
    display = read_display(con, d) if said else Display(in_use=in_use == "in use")
    judges, models = (
        {name: ids[kind][name] for name in (display.ordered(kind, ids[kind]) if display.in_use else ids[kind])}
        for kind in ("judge", "model")
    )
    return Catalog(
        dataset=dataset,
        dataset_id=d,
        simulated=simulated,
        judges={name: (number, kinds[number]) for name, number in judges.items()},
        models=models,
        scenarios=ids["scenario"],
        criteria=ids["criterion"],
        variants=ids["variant"],
        labelings=known_labelings(con, d),
        labeling=labeling,
        published=ids["published"]["judges"],
        display=display,
    )


def display(con: Con, dataset: str | None) -> Display:
    """How a dataset is shown (None: the only one); as they are where there is no such dataset, which is said elsewhere."""
    if dataset is None:
        try:
            dataset = default_dataset(con)
        except UnknownNameError:
            return AS_THEY_ARE
    ids = known("ids of datasets", lambda: dict(
        con.execute("SELECT name, dataset_id FROM dataset ORDER BY dataset_id").fetchall()
    ))  # fmt: skip
    return read_display(con, ids[dataset]) if dataset in ids else AS_THEY_ARE


def read_scenarios_of(con: Con, names: Catalog) -> None:
    """Let this lease read the scenarios that `names`, looked up in an earlier one, are of.

    A condition made from these names holds ids of a labeling's scenarios: in a lease that reads the files' own, the same
    ids mean others.
    """
    if names.labeling is not None:
        use_labeling(con, names.dataset, names.dataset_id, names.labeling)


def default_dataset(con: Con) -> str:
    """The only dataset besides the sample; UnknownNameError with the list when there is a choice to make."""
    names = dataset_names(con)
    own = [n for n, simulated in names if not simulated]
    if len(own) == 1:
        return own[0]
    if not own and len(names) == 1:
        return names[0][0]
    if not names:
        raise UnknownNameError("the store holds no dataset yet: import a file first")
    listed = ", ".join(repr(n) for n, _ in names)
    raise UnknownNameError(f"say which dataset is meant with --dataset: there are {listed}")


def where(selection: Selection, names: Catalog, ties: str = "half", ranked: bool = True) -> str:
    """The condition on `judgment` that a resolved selection means. All values are ids, so nothing is quoted.

    ranked : two different models named and a verdict given, as every ranking needs
    """
    parts = [f"dataset_id = {names.dataset_id}"]
    if selection.judge:
        parts.append("judge_id IN (" + ", ".join(str(names.judges[j][0]) for j in selection.judge) + ")")
    if selection.scenario:
        parts.append("scenario_id IN (" + ", ".join(str(names.scenarios[s]) for s in selection.scenario) + ")")
    if selection.model:
        ids = ", ".join(str(names.models[m]) for m in selection.model)
        parts.append(f"model_a IN ({ids}) AND model_b IN ({ids})")
    if selection.criterion in names.criteria and len(names.criteria) > 1:
        parts.append(f"criterion_id = {names.criteria[selection.criterion]}")
    if len(names.variants) > 1 or selection.variant not in names.variants:
        parts.append(f"variant_id = {names.variants.get(selection.variant, -1)}")
    if selection.since is not None:
        parts.append(f"judged_at >= DATE '{selection.since}'")
    if selection.until is not None:
        parts.append(f"judged_at < DATE '{selection.until}' + INTERVAL 1 DAY")
    if ranked:
        parts.append("rankable AND outcome <> 0")
    if ties == "drop":
        parts.append("outcome NOT IN (3, 4)")
    return " AND ".join(parts)


@dataclass(frozen=True)
class Counts:
    """Judgments summed: one row a (judge, pair of models, position), or a run of neighbouring judgments alike.

    frame : judge_id, a, b (model ids), [prompt, annotator, pair, shown], weight, score, [tied], n - all numpy columns.
        With clusters a (judge, cluster..., pair of models, position) may stand in several rows, in the store's order.
    """

    frame: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.frame["weight"])

    def of(self, judge_id: int) -> Counts:
        """The rows of one judge."""
        mine = self.frame["judge_id"] == judge_id
        if mine.all():
            return self
        # Positions rather than the mask itself: each of the columns is then read at the judge's rows alone.
        rows = np.flatnonzero(mine)
        return Counts({name: column[rows] for name, column in self.frame.items()})


CLUSTER_COLUMNS = {
    "prompt": "prompt_id",
    "pair": "pair_id",
    # A judgment without a named annotator stands for itself; negative codes keep the two kinds apart.
    "annotator": "coalesce(annotator_id, -judgment_id)",
}


IS_TIE = "outcome IN (3, 4)"
"""`both_bad` is a tie with a flag."""


def counts(
    con: Con, condition: str, clusters: Sequence[str] = (), position: bool = False, tied: bool = False,
    *, pairs_by_id: bool = False,
) -> Counts:  # fmt: skip
    """Sums of weight and of weight * p_a over judgments alike in judge, models, clusters and shown order.

    tied : also the sum of the weights of ties
    pairs_by_id : pairs keep their ids, for looking up what they are
    Prompts, pairs and annotators have codes that do not hang on how the store was filled (`in_order`).
    Without clusters all that are alike are summed, in the store. With clusters hardly any are, and grouping a million
    rows would take several times as long as fetching them: neighbours that are alike are summed, as the votes on one
    pair often stand together.
    """
    keys = ["judge_id", "model_a AS a", "model_b AS b"]
    keys += [f"{CLUSTER_COLUMNS[c]} AS {c}" for c in clusters]
    if position:
        keys.append("shown")
    chosen = ", ".join(keys)
    if not clusters:
        sums = "sum(weight) AS weight, sum(weight * p_a) AS score, count(*) AS n"
        if tied:
            sums += f", coalesce(sum(weight) FILTER ({IS_TIE}), 0) AS tied"
        table = con.sql(f"SELECT {chosen}, {sums} FROM judgment WHERE {condition} GROUP BY ALL").to_arrow_table()
        return Counts({name: table[name].to_numpy() for name in table.column_names})
    # Nearly all judgments weigh 1; then two columns less are fetched, which is half of the time.
    weighted = any_weighted(con, condition)
    values = "weight, weight * p_a AS score" if weighted else "p_a AS score"
    if tied:
        values += f", ({IS_TIE})::DOUBLE * {'weight' if weighted else '1'} AS tied"
    # By way of Arrow: DuckDB hands its vectors over as they are, twice as fast as into numpy arrays.
    rows = con.sql(f"SELECT {chosen}, {values} FROM judgment WHERE {condition}").to_arrow_table()
    # Batch by batch, which stays in the processor's cache and copies sums instead of rows.
    batches = rows.to_batches() or [pa.RecordBatch.from_pylist([], rows.schema)]
    parts = [
        sum_neighbours({name: column.to_numpy() for name, column in zip(rows.column_names, batch.columns, strict=True)})
        for batch in batches
    ]
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    ordered = [way for way in clusters if way != "pair" or not pairs_by_id]
    return Counts(found | {way: in_order(con, way, found[way]) for way in ordered})


def any_weighted(con: Con, condition: str) -> bool:
    """Whether a judgment of the condition weighs other than 1."""
    # Where all judgments of the store weigh 1, as in most, the extremes that DuckDB keeps answer in no time.
    found = con.execute("SELECT count(*) FROM (SELECT 1 FROM judgment WHERE weight <> 1 LIMIT 1)").fetchall()
    if found[0][0]:
        found = con.execute(f"SELECT count(*) FROM judgment WHERE {condition} AND weight <> 1").fetchall()
    return bool(found[0][0])


def sum_neighbours(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Sum each run of neighbouring rows that agree in all but the sums; without weights each weighs 1.

    rows : columns; those summed are weight, score, tied
    """
    n_rows = len(rows["score"])
    keys = [name for name in rows if name not in ("weight", "score", "tied")]
    starts = runs(rows[name] for name in keys)
    n = np.diff(starts, append=n_rows)
    sums = {name: added(rows[name], starts) for name in ("weight", "score", "tied") if name in rows}
    sums.setdefault("weight", n.astype(np.float64))
    return {name: rows[name][starts] for name in keys} | sums | {"n": n}


def soft_judgments(con: Con, condition: str) -> dict[int, int]:
    """How many judgments of each judge (id) are neither a win, a loss nor a tie; judges without any are not named."""
    rows = con.execute(
        f"SELECT judge_id, count(*) FROM judgment WHERE {condition} AND p_a NOT IN (0, 0.5, 1) GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return {int(judge): int(n) for judge, n in rows}


def shared_pairs(condition: str, judge_ids: Sequence[int]) -> str:
    """`condition`, narrowed to the pairs on which each of the judges has a judgment that satisfies it."""
    subset = " INTERSECT ".join(
        f"SELECT pair_id FROM judgment WHERE {condition} AND judge_id = {i}" for i in judge_ids
    )
    return f"{condition} AND pair_id IN ({subset})"


def left_out(con: Con, selection: Selection, names: Catalog, ties: str) -> dict[str, int]:
    """How many judgments of the selection no ranking can use, by cause."""
    condition = where(selection, names, ranked=False)
    row = con.execute(
        f"""SELECT count(*) FILTER (outcome = 0), count(*) FILTER (outcome <> 0 AND NOT rankable AND model_a = model_b),
            count(*) FILTER (outcome <> 0 AND NOT rankable AND (model_a = model_b) IS NOT TRUE),
            count(*) FILTER (outcome IN (3, 4) AND rankable) FROM judgment WHERE {condition}"""
    ).fetchall()[0]
    causes = {
        "no verdict (refused or invalid)": row[0],
        "two texts of one model": row[1],
        "without two named models": row[2],
        "ties": row[3] if ties == "drop" else 0,
    }
    return {k: int(v) for k, v in causes.items() if v}


def extent(con: Con, condition: str) -> dict[str, int]:
    """How much a condition covers: judgments, pairs, prompts, annotators, rows of known shown order."""
    row = con.execute(
        f"""SELECT count(*) AS judgments, count(DISTINCT pair_id) AS pairs, count(DISTINCT prompt_id) AS prompts,
        count(DISTINCT annotator_id) AS annotators, count(*) FILTER (shown <> 0) AS known_order,
        count(*) FILTER (annotator_id IS NULL) AS unnamed FROM judgment WHERE {condition}"""
    ).fetchall()[0]
    return dict(zip(("judgments", "pairs", "prompts", "annotators", "known_order", "unnamed"), map(int, row), strict=True))


def pairs_between(con: Con, condition: str) -> pd.DataFrame:
    """How many pairs of responses stand behind each pair of models: a, b (ids, a < b), pairs."""
    return con.execute(
        f"""SELECT least(model_a, model_b) AS a, greatest(model_a, model_b) AS b, count(DISTINCT pair_id) AS pairs
        FROM judgment WHERE {condition} GROUP BY ALL ORDER BY a, b"""
    ).df()


def coverage(con: Con, selection: Selection, names: Catalog) -> pd.DataFrame:
    """Judgments with a verdict by judge and scenario: judge, scenario ('' where none is known), judgments."""
    return con.execute(
        f"""SELECT g.name AS judge, coalesce(s.name, '') AS scenario, n AS judgments FROM (
            SELECT judge_id, scenario_id, count(*) AS n FROM judgment
            WHERE {where(selection, names, ranked=False)} AND outcome <> 0 GROUP BY ALL)
        JOIN judge g USING (judge_id) LEFT JOIN scenario s USING (scenario_id) ORDER BY g.judge_id, s.scenario_id"""
    ).df()


def annotator_names(con: Con, names: Catalog) -> dict[int, str]:
    """The name of each annotator by id."""
    rows = con.execute(
        "SELECT annotator_id, name FROM annotator WHERE dataset_id = $d ORDER BY annotator_id", {"d": names.dataset_id}
    ).fetchall()
    return dict(rows)


def fingerprint(con: Con, names: Catalog, judges: Sequence[str]) -> str:
    """A digest of the judgments of these judges (and the scenario labels), equal for equal data in any store."""
    ids = {names.judges[j][0]: names.display.real("judge", j) for j in judges}
    labels: list[tuple[int | None, int, int]] = []
    if names.labeling is not None:
        labels = [(None, *fingerprint_labeling(con, names.labelings[names.labeling]))]
    rows = known(("fingerprints", names.dataset_id), lambda: con.execute(
        """SELECT judge_id, sum(n_rows), sum(hash) % 18446744073709551616 FROM fingerprint WHERE dataset_id = $d
        GROUP BY judge_id ORDER BY judge_id NULLS FIRST""",
        {"d": names.dataset_id},
    ).fetchall())  # fmt: skip
    kept = [*labels, *((j, n, h) for j, n, h in rows if j in ids or (j is None and not labels))]
    parts = sorted(f"{'' if j is None else ids[j]}\x1f{int(n)}\x1f{int(h)}" for j, n, h in kept)
    return hashlib.sha256("\x1e".join(parts).encode()).hexdigest()[:16]


def import_log(con: Con, dataset_id: int) -> pd.DataFrame:
    """The imports of one dataset, oldest first."""
    return con.execute(
        """SELECT number AS import, file_name AS file, format, encoding, read, accepted, rejected, duplicates,
        imported_at, sha256 FROM import_log WHERE dataset_id = $d ORDER BY number""",
        {"d": dataset_id},
    ).df()


def truth(con: Con, dataset_id: int) -> pd.DataFrame:
    """What a simulated dataset planted: kind, judge, scenario, name, planted, pseudo_true."""
    return con.execute(
        """SELECT kind, judge, scenario, name, planted, pseudo_true FROM truth WHERE dataset_id = $d
        ORDER BY kind, judge, scenario, name""",
        {"d": dataset_id},
    ).df()


def require_rows(n: int, what: str) -> None:
    if n == 0:
        raise EmptySelectionError(f"the selection leaves no judgment {what}: widen it")


def check_date(option: str, value: str | None) -> None:
    if value is None:
        return
    try:
        pd.Timestamp(value)
    except ValueError as error:
        raise OptionError(f"--{option} {value!r} is no date: write it as 2026-01-31") from error
