"""How large is a result?"""

import pandas as pd

from studies.rank import Rank
from studies.study import Result
from ui.cache import size_of


def test_a_result_takes_what_its_tables_and_texts_take():
    def result(cells, caption=""):
        return Result(Rank(), {"ranking": pd.DataFrame({"x": [1.0] * cells})}, {}, {}, (), caption, "")

    assert 8_000 < size_of(result(1_000)) < 10_000
    assert size_of(result(1, "x" * 500)) == size_of(result(1)) + 500
