"""A value inside a cell that holds JSON, by a key that a file brings: any key, with quotes, slashes or stars in it."""

from __future__ import annotations


def value_at(cell: str, *keys: str | int) -> str:
    """SQL for the text of what stands in `cell` under `keys`, numbers of lists among them; NULL where nothing does.

    By a JSON pointer (RFC 6901): DuckDB's `$."key"` paths take a star for all keys and stumble over a last backslash.
    """
    pointer = "".join("/" + str(key).replace("~", "~0").replace("/", "~1") for key in keys)
    return f"TRY(json_extract_string({cell}, '{pointer.replace(chr(39), chr(39) * 2)}'))"
