"""What do the factors of texts cost, and their meaning as vectors?

    python -m benchmarks texts [--quick]

Text factors go the whole way: a process that starts, reads the store, measures on all cores and writes. Vectors are
held against sentence-transformers at float32, batches of 32 as it has them, in turn with ours in one process, both
loaded; how far the two differ is printed, and breaks the run above 1e-6. Beside them stands the most that float32
allows: the multiplications of the model's layers at the speed of a bare matrix product. Last, a process that starts,
loads the model and embeds 200 texts, both ways.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.worlds import DATASET, HEAD, QUICK, Ratio, Size, Times, interleave
from data.imports import import_path
from data.store import Store
from texts.embeddings import SentenceTransformers, find_model
from texts.onnx_bert import OnnxBert

ROOT = Path(__file__).resolve().parent.parent
TEXTS, LENGTH = 10_000, 150
"""How many texts are measured, and of how many words each."""
SECONDS = 15.0
"""They take at most so long, the start of the process included."""
EMBEDDED = {50: 192, 150: 64}
"""Words of a text: how many texts are embedded in each round."""
DIFFERENCE = 1e-6
"""The largest difference between two vectors of one text; entries are of the size of 0.05."""
STARTED = 200
ROUNDS = 3

VOCABULARY = (
    "the of and to in is that for it as was with be by on not this have from or had an they which one you were all her "
    "she there would their we him been has when who will no more if out so up said what its about than into them can "
    "only other time new some could these two may first then do any like my now over such our man me even most made "
    "after also did many off before must well back through years much where your way down should because long each "
    "just those people too good however important example consider water energy system number language response "
    "question answer perhaps sorry please thank great clearly probably 12 1995 3.5 although different information"
)


def measure(folder: Path, size: Size) -> list[Ratio]:
    """Print all times; the ratios to be judged."""
    quick = size == QUICK
    n = TEXTS // 20 if quick else TEXTS
    print(f"\n{n:,} texts of {LENGTH} words\n{HEAD}", flush=True)
    extraction = _extraction(folder, n, 1 if quick else ROUNDS)
    print(extraction, flush=True)
    ratios = [Ratio(f"text factors of {n:,} texts / {SECONDS:g} s", extraction, Times("", (SECONDS,)), 1.0)]
    model = find_model()
    ours, theirs = OnnxBert(model.folder), SentenceTransformers(model)
    rng = np.random.default_rng(1)
    for words, many in EMBEDDED.items():
        ratios.append(_embedding(ours, theirs, [text(rng, words) for _ in range(many // 8 if quick else many)], words))
    started, by_library = interleave(
        1 if quick else ROUNDS,
        [
            (f"a process that embeds {STARTED} texts", lambda: _process("OnnxBert(find_model().folder)")),
            ("the same with sentence-transformers", lambda: _process("SentenceTransformers(find_model())")),
        ],
        warm=False,
    )
    print(started, by_library, sep="\n", flush=True)
    return [*ratios, Ratio("a process that embeds / by sentence-transformers", started, by_library)]


def text(rng: np.random.Generator, words: int) -> str:
    """A text of so many words: sentences, some in lists, with bold phrases and questions."""
    drawn = [str(word) for word in rng.choice(VOCABULARY.split(), words)]
    lines = []
    for start in range(0, words, 15):
        line = " ".join(drawn[start : start + 15]).capitalize() + rng.choice([".", ".", ".", "?", "!"])
        kind = rng.random()
        lines.append(f"- {line}\n" if kind < 0.2 else f"**{line}** " if kind < 0.25 else f"{line} ")
    return "".join(lines)


def _extraction(folder: Path, n: int, rounds: int) -> Times:
    """`factors extract` as a process of its own, each time on a store that has nothing measured."""
    rng = np.random.default_rng(0)
    path = folder / "texts.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["prompt", "model_a", "model_b", "judge", "winner", "response_a", "response_b"])
        for k in range(n // 2):
            question = f"{text(rng, 12)} {k}"
            out.writerow([question, "x", "y", "people", "ab"[k % 2], text(rng, LENGTH), text(rng, LENGTH)])
    import_path(Store(folder / "fresh.duckdb"), path, DATASET)
    seconds = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(dir=folder) as place:
            db = Path(place) / "store.duckdb"
            shutil.copy(folder / "fresh.duckdb", db)
            began = time.perf_counter()
            subprocess.run([sys.executable, "cli.py", "--db", str(db), "factors", "extract", "--dataset", DATASET],
                           cwd=ROOT, check=True, capture_output=True)  # fmt: skip
            seconds.append(time.perf_counter() - began)
    return Times(f"factors extract, {n:,} texts", tuple(seconds))


def _embedding(ours: OnnxBert, theirs: SentenceTransformers, texts: list[str], words: int) -> Ratio:
    n = len(texts)
    library = theirs.model
    found, wanted = ours.embed(texts, lambda _: None), library.encode(texts, batch_size=32)
    difference = float(np.abs(found - wanted).max())
    a, b = (np.random.default_rng(0).random(shape, dtype=np.float32) for shape in ((4096, 384), (384, 1536)))
    mine, library_times, product = interleave(
        ROUNDS,
        [
            (f"{n} texts of {words} words", lambda: ours.embed(texts, lambda _: None)),
            ("the same with sentence-transformers", lambda: library.encode(texts, batch_size=32)),
            ("a bare product, 4096 x 384 x 1536", lambda: a @ b),
        ],
    )
    per_product = 2 * a.shape[0] * a.shape[1] * b.shape[1]
    most = per_product / product.least / (ours.operations * sum(map(len, ours.tokens(texts))) / n)
    print(mine, library_times, sep="\n")
    print(
        f"  {n / mine.least:,.0f} against {n / library_times.least:,.0f} texts a second; float32 products alone allow "
        f"{most:,.0f}; vectors differ by {difference:.1e} at most",
        flush=True,
    )
    if difference > DIFFERENCE:
        raise SystemExit(f"vectors differ by {difference:.1e}; promised are {DIFFERENCE:g}")
    return Ratio(f"vectors of {words} words / by sentence-transformers", mine, library_times)


def _process(engine: str) -> None:
    """A process that loads an engine and embeds texts of 50 words."""
    work = (
        "import numpy as np; from benchmarks.texts import STARTED, text; "
        "from texts.embeddings import SentenceTransformers, find_model; "
        "from texts.onnx_bert import OnnxBert; rng = np.random.default_rng(2); "
        f"{engine}.embed([text(rng, 50) for _ in range(STARTED)], lambda _: None)"
    )
    subprocess.run([sys.executable, "-c", work], cwd=ROOT, check=True, capture_output=True)
