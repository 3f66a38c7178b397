"""The linear algebra keeps to one thread."""

import ctypes
import sys
from pathlib import Path

import numpy as np
import pytest

from analysis.blas import use_one_thread


@pytest.mark.skipif(sys.platform != "linux", reason="looks into the wheels for Linux")
def test_openblas_is_told():
    found = next((Path(np.__file__).parent.parent / "numpy.libs").glob("*openblas*"))
    library = ctypes.CDLL(str(found))
    # The tests run with one thread each, whatever the program does.
    library.scipy_openblas_set_num_threads64_(2)
    use_one_thread.cache_clear()
    assert use_one_thread() == 2
    assert library.scipy_openblas_get_num_threads64_() == 1
