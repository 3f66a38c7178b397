"""How large is a result? What keeps it is `data.remembered`."""

from __future__ import annotations

import sys
from typing import Any

from studies.study import Result


def size_of(result: Result) -> int:
    """Bytes that a result holds on to: its tables, and what its texts take."""
    tables = sum(int(t.memory_usage(index=True, deep=True).sum()) for t in result.tables.values())
    return tables + _texts((result.warnings, result.caption, result.taken, dict(result.values), dict(result.settings)))


def _texts(value: Any) -> int:
    if isinstance(value, dict):
        return sum(_texts(k) + _texts(v) for k, v in value.items())
    if isinstance(value, (tuple, list)):
        return sum(_texts(v) for v in value)
    return sys.getsizeof(value)
