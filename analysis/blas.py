"""How many threads may the linear algebra use? One.

Matrices here are small or come in blocks that stay in the cache. A second thread gains nothing on them, and
where another thread or process keeps the processor busy (DuckDB, a second request) the two wait for each
other at every block: the covariance at 1M judgments then takes 2 s instead of .05 s.
"""

from __future__ import annotations

import ctypes
from functools import cache
from pathlib import Path

import numpy as np
import scipy

# How OpenBLAS names its setter in the wheels of numpy and scipy, with 64- and 32-bit integers.
SETTERS = ("scipy_openblas_set_num_threads64_", "scipy_openblas_set_num_threads", "openblas_set_num_threads")


@cache
def use_one_thread() -> int:
    """Let the OpenBLAS copies of this process use one thread each, from now on.

    Returns how many copies were told; 0 where numpy brings another library (Apple's Accelerate), which is
    left as it is.
    """
    told = 0
    for package in (np, scipy):
        inside = Path(str(package.__file__)).parent
        folders = (inside.with_name(f"{inside.name}.libs"), inside / ".dylibs")
        for library in (path for folder in folders for path in folder.glob("*openblas*")):
            loaded = ctypes.CDLL(str(library))
            for name in SETTERS:
                if hasattr(loaded, name):
                    getattr(loaded, name)(1)
                    told += 1
                    break
    return told
