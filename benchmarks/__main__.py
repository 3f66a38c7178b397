"""How fast is it, in multiples of what is known to be fast, all measured in one run?

    python -m benchmarks [--quick]              all parts; ends with 1 when a promise is broken
    python -m benchmarks imports|rankings|large|texts|factors|posteriors|judges|page|wizard|sessions|fuzz|kills|walks
    python -m benchmarks coverage [...]         do the intervals hold what they promise? (hours of one core)
    python -m benchmarks stress [...]           do the leases hold? `--kill 20`: and imports that are killed?
    python -m benchmarks paper [...]            can every figure be printed, with names of 40 letters?

On a machine that does other things too the least of several times says most; the median stands beside it.
"""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import factors, fuzz, imports, judges, kills, large, page, posteriors, rankings, sessions, texts, wizard
from benchmarks import walks as whole_walks
from benchmarks.worlds import QUICK, Size

PARTS = {
    "imports": imports.measure, "rankings": rankings.measure, "large": large.measure, "texts": texts.measure,
    "factors": factors.measure, "posteriors": posteriors.measure, "judges": judges.measure,
    "page": page.measure, "wizard": wizard.measure, "sessions": sessions.measure,
    "fuzz": fuzz.measure, "kills": kills.measure, "walks": whole_walks.measure,
}  # fmt: skip
OTHERS = ("coverage", "stress", "paper")


def measure(parts: Sequence[str], size: Size) -> int:
    """Run the parts in a folder of their own and print the ratios; 1 when a promise is broken."""
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores", flush=True)
    ratios = []
    for part in parts:
        with tempfile.TemporaryDirectory(prefix="jurylens-bench-") as folder:
            ratios += PARTS[part](Path(folder), size)
    if size == QUICK:
        ratios = [replace(ratio, promised=None) for ratio in ratios]
    print(f"\n  {'Ratios of this run':<64}{'of least':>10}{'of median':>10}")
    print(*ratios, sep="\n")
    if set(parts) == set(PARTS):
        print("\nCoverage of intervals: python -m benchmarks coverage; leases and kills: python -m benchmarks stress")
    return 0 if all(ratio.holds for ratio in ratios) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in OTHERS:
        # Each reads its own options.
        sys.argv = [f"python -m benchmarks {given[0]}", *given[1:]]
        return int(importlib.import_module(f"benchmarks.{given[0]}").main())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="|".join(PARTS), help="what to measure; default all")
    parser.add_argument("--quick", action="store_true", help="a small run; its ratios say little and promise nothing")
    options = parser.parse_args(given)
    unknown = [part for part in options.parts if part not in PARTS]
    if unknown:
        parser.error(f"{unknown[0]!r} is none of {', '.join([*PARTS, *OTHERS])}")
    return measure(options.parts or list(PARTS), QUICK if options.quick else Size())


if __name__ == "__main__":
    sys.exit(main())
