"""Does a damaged file ever end in a traceback, half an import, or a good row lost without a word?

    python -m benchmarks fuzz

Files of benchmarks/damaged_files.py are imported into a store that holds another dataset. Refused, a file must leave
the store as it was and say why in words; taken, its counts must add up, good rows must be there or be accounted for,
and withdrawing it must give back the store as it was.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.damaged_files import GOOD, KINDS, Damaged, damaged
from benchmarks.kills import State
from benchmarks.worlds import Ratio, Size, counted
from data import datasets
from data.imports import ImportReport, import_path
from data.store import Store
from errors import JurylensError

ROWS = "prompt,model_a,model_b,judge,winner\nheld,x,y,people,a\nheld,y,x,people,b\n"
LONGEST = 4000
"""Letters of a sentence that somebody can still read."""


def prepare(folder: Path) -> Store:
    """A store with one dataset that no damaged file may touch."""
    store = Store(folder / "fuzz.duckdb")
    (folder / "held.csv").write_text(ROWS)
    import_path(store, folder / "held.csv", "held")
    return store


def try_file(
    store: Store, folder: Path, file: Damaged, before: State | None = None
) -> tuple[str, list[str]]:
    """Import one file and withdraw it. Returns refused or taken, and what is wrong with that.

    before : the store's state, where it is known
    """
    before = State.of(store) if before is None else before
    stamp = store.stamp()
    home = folder / "file"
    home.mkdir(exist_ok=True)
    path = home / file.name
    path.write_bytes(file.content)
    wrong = []
    try:
        report = import_path(store, path, "damaged")
    except JurylensError as error:
        outcome = "refused"
        said = str(error)
        if not said.strip() or len(said) > LONGEST or "Traceback" in said:
            wrong.append(f"no sentence: {said[:200]!r} ({len(said)} letters)")
    except Exception as error:
        return "broken", [f"{type(error).__name__}: {str(error)[:300]}"]
    else:
        outcome = "taken"
        wrong += unaccounted(store, file, report)
        datasets.delete(store, "damaged")
    finally:
        path.unlink()
    # A file that nobody has written to holds what it held.
    if store.stamp() != stamp and State.of(store) != before:
        wrong.append(f"{outcome}, and the store is not as it was")
    left = sorted(entry.name for entry in folder.iterdir())
    if left != ["file", "fuzz.duckdb", "fuzz.duckdb.gate", "fuzz.duckdb.lock", "held.csv"]:
        wrong.append(f"something was left beside the store: {left}")
    return outcome, wrong


def unaccounted(store: Store, file: Damaged, report: ImportReport) -> list[str]:
    """What does not add up in an import that was taken."""
    wrong = []
    if report.read != report.accepted + report.rejected + report.duplicates:
        wrong.append(f"{report.read} read, but {report.accepted} + {report.rejected} + {report.duplicates}")
    if len(report.rejections) != report.rejected:
        wrong.append(f"{report.rejected} rejected, but {len(report.rejections)} named")
    if report.rejections["reason"].map(lambda said: not str(said).strip()).any():
        wrong.append("a rejection without a reason")
    with store.reading("counting") as con:
        stored, good = con.execute(
            "SELECT count(*), count(*) FILTER (starts_with(coalesce(t.body, ''), $good)) FROM judgment j "
            "JOIN dataset d USING (dataset_id) JOIN prompt p USING (prompt_id) LEFT JOIN text t USING (text_id) "
            "WHERE d.name = 'damaged'", {"good": GOOD},
        ).fetchall()[0]  # fmt: skip
    if stored != report.accepted:
        wrong.append(f"{report.accepted} accepted, but {stored} stored")
    if file.whole and good < file.good:
        wrong.append(f"{file.good - good} of {file.good} good rows are missing: {report.reasons}")
    elif good < file.good and not report.rejected and not any("cut" in one or "end" in one for one in report.inferred):
        cut = file.kind.startswith(("truncated", "cut_", "flipped", "broken", "wrong"))
        if not cut or not file.content:
            wrong.append(f"{file.good - good} of {file.good} good rows are missing without a word")
    return wrong


def fuzz(first: int, files: int) -> list[str]:
    """Try that many files; prints what became of them and returns what failed."""
    outcomes: Counter[str] = Counter()
    failures = []
    with tempfile.TemporaryDirectory(prefix="jurylens-fuzz-") as name:
        folder = Path(name)
        store = prepare(folder)
        before = State.of(store)
        for seed in range(first, first + files):
            file = damaged(seed)
            outcome, wrong = try_file(store, folder, file, before)
            outcomes[outcome] += 1
            failures += [f"file {seed} ({file.kind}, {file.name}): {one}" for one in wrong]
    print(f"{files} damaged files of {len(KINDS)} kinds: {outcomes['refused']} refused, {outcomes['taken']} taken, "
          f"{len(failures)} failures")  # fmt: skip
    return failures


def measure(_folder: Path, size: Size) -> list[Ratio]:
    """Ten files of each kind, of seeds that the tests do not have; what failed is printed, and counted as a ratio."""
    return [counted("damaged files", fuzz(1000, (1 if size.rounds < 3 else 10) * len(KINDS)))]
