"""The linear algebra keeps to one thread."""

import ctypes
import sys
from pathlib import Path

import numpy as np
import pytest

from analysis.blas import use_one_thread


@pytest.mark.skipif(sys.platform != "linux", reason="looks into the wheels for Linux")
def test_openblas_is_told():
    assert use_one_thread() == 2
    library = next((Path(np.__file__).parent.parent / "numpy.libs").glob("*openblas*"))
    assert ctypes.CDLL(str(library)).scipy_openblas_get_num_threads64_() == 1
