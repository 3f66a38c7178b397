"""How do ten million simulated judgments get into a store in a minute, without becoming text first?

They could be imported like a file (`tables` gives them as one), every cell as text; this way takes a small part of the
time and memory. What stands in the store afterwards is the same, fingerprint and all: the tests hold the two equal.
Drawing needs no lease: finished blocks wait in files beside the store, which one transaction then takes over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from data.duck import told
from data.ingest import Ingested, add_dataset, find_dataset, next_id
from data.model import TIE, A, B, Progress, silent
from data.rules import ROW_HASH
from data.simulate import tables
from data.simulate.cells import Cells, blocks
from data.simulate.numbered import Numbered, Numbering
from data.simulate.world import Ints, World
from data.step import Step, Told
from data.upkeep import fingerprint_labels
from errors import OptionError

TAKE_OVER_MEMORY = 384
"""MiB that DuckDB needs to take over ten million judgments; with more it would keep what it wrote."""

POUR_ROWS = 4 * 122_880
"""Rows of one INSERT: whole row groups of DuckDB, and a fraction of a second."""

_HASHES = f"""SELECT judge, count(*), sum(hash) FROM (SELECT judge, {ROW_HASH} AS hash FROM (
    SELECT CAST(judge AS VARCHAR) AS judge, CAST(annotator AS VARCHAR) AS annotator,
        CAST(prompt_id AS VARCHAR) AS prompt_id, md5_number_lower(CAST(prompt AS VARCHAR)) AS prompt_key,
        CAST(model_a AS VARCHAR) AS model_a, CAST(model_b AS VARCHAR) AS model_b, 'overall' AS criterion,
        'plain' AS variant, repeat AS repeat_n, outcome, outcome AS said,
        CASE outcome WHEN {A} THEN 1.0::DOUBLE WHEN {B} THEN 0.0 WHEN {TIE} THEN 0.5 END AS p,
        CASE WHEN swapped THEN -1 ELSE 1 END AS shown, NULL::UBIGINT AS text_a, NULL::UBIGINT AS text_b,
        NULL::VARCHAR AS pair_id, NULL::DOUBLE AS weight_n, NULL::DOUBLE AS score_a_n, NULL::DOUBLE AS score_b_n,
        NULL::DOUBLE AS confidence_n, NULL::TIMESTAMP AS judged_at_t, NULL::VARCHAR AS winner, NULL::VARCHAR AS cue,
        NULL::VARCHAR AS reason
    FROM drawn)) GROUP BY judge ORDER BY judge"""


@dataclass(frozen=True)
class Drawn:
    """Judgments that wait in the files of `folder`. hashes : judge -> (judgments, sum of their row hashes)"""

    folder: Path
    world: World
    numbering: Numbering
    n_judgments: int
    hashes: dict[str, tuple[int, int]]


def draw(
    con: duckdb.DuckDBPyConnection, folder: Path, world: World, n_judgments: int, seed: int, progress: Progress = silent
) -> Drawn:
    """Draw the judgments of `tables.simulate` into files of `folder`.

    con : a connection that hashes them; nothing is stored there
    """
    numbering = Numbering(world)
    hashes: dict[str, tuple[int, int]] = {}
    done = 0
    with ExitStack() as stack:
        files = _Files(folder, stack)
        for cells in blocks(world, n_judgments, seed):
            repeat = tables.repeats(world, cells)
            for judge, n, hashed in _hash(con, world, cells, repeat):
                before = hashes.get(judge, (0, 0))
                hashes[judge] = (before[0] + n, (before[1] + hashed) % 2**64)
            files.append(world, numbering.number(cells), repeat)
            done += len(cells)
            progress(done / n_judgments, f"drawing judgments: {done:,}")
    return Drawn(folder, world, numbering, n_judgments, hashes)


def _hash(con: duckdb.DuckDBPyConnection, world: World, cells: Cells, repeat: Ints) -> list[tuple[str, int, int]]:
    """(judge, judgments, sum of their row hashes) of a block."""
    rows = tables.verdicts(world, cells, repeat) | {"outcome": pa.array(cells.outcome.astype(np.int8))}
    con.register("drawn", pa.table(rows))
    found = con.execute(_HASHES).fetchall()
    con.unregister("drawn")
    return found


class _Files:
    """One Arrow stream on disk for each table, which grow block by block. Closed with `stack`."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._open: dict[str, pa.ipc.RecordBatchStreamWriter] = {}

    def append(self, world: World, block: Numbered, repeat: Ints) -> None:
        prompts = {name: block.prompts[name] for name in ("prompt", "scenario")}
        prompts["external_id"] = tables.external_ids(block.prompts["code"])
        prompts["body"] = tables.titles(world, block.prompts["code"], block.prompts["scenario_code"])
        self._write("prompt", prompts)
        values = tables.shown_values(world, block.x)
        self._write("response", block.responses | {f"value_{f}": v.astype(np.float64) for f, v in enumerate(values)})
        self._write("pair", block.pairs)
        annotator = block.judgments["annotator"]
        named = pa.array(annotator, mask=annotator == 0)
        self._write("judgment", block.judgments | {"annotator": named, "repeat": repeat.astype(np.int32)})

    def _write(self, name: str, columns: dict[str, np.ndarray | pa.Array]) -> None:
        batch = pa.record_batch(columns)
        if name not in self._open:
            sink = self._stack.enter_context(pa.OSFile(str(self._folder / f"{name}.arrows"), "wb"))
            self._open[name] = self._stack.enter_context(pa.ipc.new_stream(sink, batch.schema))
        self._open[name].write_batch(batch)


def take_over(con: duckdb.DuckDBPyConnection, dataset: str, drawn: Drawn, progress: Progress = silent) -> Ingested:
    """Write what was drawn into the store, as a new dataset, inside the caller's write lease.

    Raises OptionError when there already is a dataset of that name.
    """
    if find_dataset(con, dataset) is not None:
        raise OptionError(f"there already is a dataset {dataset!r}: choose another name or delete it first")
    dataset_id = add_dataset(con, dataset, simulated=True)
    progress = Told(progress)
    step = Step(con, dataset_id, next_id(con, "import_log"), progress=progress)
    before = {name: next_id(con, name) - 1 for name in _NUMBERED}
    progress(0.0, "storing names")
    _add_names(step, drawn, before)
    progress(0.02, "storing prompts")
    _add_prompts(step, drawn.folder, before)
    progress(0.15, "storing responses")
    _add_responses(step, drawn, before, lambda share: progress(0.15 + 0.25 * share, "storing responses"))
    _pour(step, drawn.folder / "pair.arrows", {"pair": f"""SELECT {before["pair"]} + pair, $d,
        {before["prompt"]} + prompt, {before["response"]} + response_a, {before["response"]} + response_b,
        {before["model"]} + model_a, {before["model"]} + model_b FROM incoming"""},
        lambda share: progress(0.4 + 0.1 * share, "storing pairs"))  # fmt: skip
    _pour(step, drawn.folder / "judgment.arrows", {"judgment": f"""SELECT {before["judgment"]} + judgment, $d, $i,
        {before["judge"]} + judge, {before["criterion"] + 1}, {before["variant"] + 1}, {before["scenario"]} + scenario,
        {before["prompt"]} + prompt, {before["pair"]} + pair, {before["model"]} + model_a, {before["model"]} + model_b,
        {before["annotator"]} + annotator, true, outcome,
        CASE outcome WHEN {A} THEN 1.0 WHEN {B} THEN 0.0 WHEN {TIE} THEN 0.5 END, shown, 1.0, repeat,
        NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL FROM incoming"""},
        lambda share: progress(0.5 + 0.45 * share, "storing judgments"))  # fmt: skip
    progress(0.95, "fingerprinting")
    for number, code in enumerate(drawn.numbering.judges.codes, 1):
        n, hashed = drawn.hashes[drawn.world.judges[code].name]
        step.run(f"INSERT INTO fingerprint VALUES ($d, $i, {before['judge'] + number}, {n}, {hashed})")
    told(con, lambda: fingerprint_labels(con, dataset_id), progress.again)
    return Ingested(dataset_id, step.import_id, 1, drawn.n_judgments, 0, ())


_NUMBERED = (
    "scenario", "model", "judge", "annotator", "criterion", "variant", "factor", "prompt", "response", "pair",
    "judgment",
)  # fmt: skip


def _add_names(step: Step, drawn: Drawn, before: dict[str, int]) -> None:
    """The names that occur, in the order in which they first do."""
    world, met = drawn.world, drawn.numbering

    def insert(table: str, rows: Sequence[tuple[object, ...]]) -> None:
        numbered = [(before[table] + number, step.dataset_id, *row) for number, row in enumerate(rows, 1)]
        if numbered:
            marks = ", ".join("?" * len(numbered[0]))
            step.con.executemany(f"INSERT INTO {table} VALUES ({marks})", numbered)

    insert("criterion", [("overall",)])
    insert("variant", [("plain",)])
    insert("scenario", [(world.scenarios[code],) for code in met.scenarios.codes])
    insert("model", [(world.models[code],) for code in met.models.codes])
    insert("judge", [(world.judges[code].name, world.judges[code].kind) for code in met.judges.codes])
    names = tables.annotator_names(met.most).to_pylist()
    judge_id = {code: before["judge"] + number for number, code in enumerate(met.judges.codes, 1)}
    people = [divmod(code, met.most) for code in met.annotators.codes]
    insert("annotator", [(judge_id[judge], names[person]) for judge, person in people])
    insert("factor", [(world.factors[f].name,) for f in _by_name(world)])


def _by_name(world: World) -> list[int]:
    return sorted(range(len(world.factors)), key=lambda f: world.factors[f].name)


def _add_prompts(step: Step, folder: Path, before: dict[str, int]) -> None:
    """Prompts with their texts, of which another dataset may hold some already."""
    for part in _parts(folder / "prompt.arrows"):
        step.con.register("incoming", part)
        step.run(
            "CREATE TEMP TABLE IF NOT EXISTS s_prompt "
            "(prompt INTEGER, scenario INTEGER, external_id VARCHAR, body VARCHAR, key UBIGINT);"
            "INSERT INTO s_prompt SELECT *, md5_number_lower(body) FROM incoming"
        )
        step.con.unregister("incoming")
    step.insert_only(
        "text",
        """SELECT (SELECT coalesce(max(text_id), 0) FROM text) + row_number() OVER (ORDER BY prompt), key, body
        FROM s_prompt WHERE key NOT IN (SELECT hash FROM text)""",
    )
    step.insert_only(
        "prompt",
        f"""SELECT {before["prompt"]} + prompt, $d, external_id, text_id, {before["scenario"]} + scenario
        FROM s_prompt JOIN text ON text.hash = s_prompt.key ORDER BY prompt""",
    )
    step.insert_only(
        "prompt_scenario",
        f"""SELECT $d, {before["prompt"]} + prompt, {before["scenario"]} + scenario, $i FROM s_prompt""",
    )
    step.run("DROP TABLE s_prompt")


def _add_responses(step: Step, drawn: Drawn, before: dict[str, int], tell: Callable[[float], None]) -> None:
    into = {
        "response": f"""SELECT {before["response"]} + response, $d, {before["prompt"]} + prompt,
            {before["model"]} + model, NULL FROM incoming"""
    }
    if drawn.world.factors:
        into["response_value"] = " UNION ALL ".join(
            f"SELECT $d, {before['response']} + response, {before['factor'] + number}, value_{f}, NULL, $i "
            "FROM incoming"
            for number, f in enumerate(_by_name(drawn.world), 1)
        )
    _pour(step, drawn.folder / "response.arrows", into, tell)


def _pour(step: Step, path: Path, into: dict[str, str], tell: Callable[[float], None]) -> None:
    """Insert the rows of a file part by part: table -> the SELECT from `incoming` that gives its rows."""
    size = path.stat().st_size
    read = 0
    for part in _parts(path):
        step.con.register("incoming", part)
        for table, select in into.items():
            step.insert_only(table, select)
            step.progress.again()
        step.con.unregister("incoming")
        read += part.nbytes
        tell(min(read / size, 1.0))


def _parts(path: Path) -> Iterator[pa.Table]:
    """The rows of a file in tables of POUR_ROWS."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
        for batch in stream:
            while rows + len(batch) >= POUR_ROWS:
                room = POUR_ROWS - rows
                yield pa.Table.from_batches([*waiting, batch.slice(0, room)])
                batch, waiting, rows = batch.slice(room), [], 0
            if len(batch):
                waiting.append(batch)
                rows += len(batch)
    if waiting:
        yield pa.Table.from_batches(waiting)
