"""What can go wrong, said so that the reader knows what happened, where, and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class JurylensError(Exception):
    """Base of everything a user can cause. Its text is shown as it is, without a traceback."""


class FileError(JurylensError):
    """A file cannot be read as what it claims to be (damaged, empty, no table at all)."""


class MappingError(JurylensError):
    """A column that an import needs is missing, mapped twice, or named but absent."""


class NothingAcceptedError(JurylensError):
    """An import in which no row could be accepted; nothing was written."""


class UnknownNameError(JurylensError):
    """A dataset, judge, model or other name that the store does not hold."""


class EmptySelectionError(JurylensError):
    """The selection leaves no judgment to compute on."""


class NotIdentifiedError(JurylensError):
    """The data do not determine the quantity asked for (no connected models, too few clusters, ...)."""


class ConvergenceError(JurylensError):
    """An iteration did not reach its optimum."""


class OptionError(JurylensError):
    """An option has a value it cannot have, or needs data the selection does not have."""


class StoreError(JurylensError):
    """The store cannot be opened: missing, of another version, or not a store."""


class ReadOnlyError(StoreError):
    """The store was opened read-only; what was asked for would have changed it."""


class StoreBusyError(StoreError):
    """Somebody else held the store for longer than the waiting time."""


class DrawingError(JurylensError):
    """A figure cannot be drawn as a file (no browser, none that answers, no font)."""


class Cancelled(JurylensError):
    """The user stopped the work; nothing was written."""


def nearest(name: str, known: Iterable[str], n: int = 3) -> list[str]:
    """Up to `n` names of `known` that resemble `name`, best first, ignoring case."""
    by_fold: dict[str, str] = {}
    for candidate in known:
        by_fold.setdefault(candidate.casefold(), candidate)
    found = difflib.get_close_matches(name.casefold(), list(by_fold), n=n, cutoff=0.5)
    return [by_fold[fold] for fold in found]


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UnknownNameError:
    """An error that names the nearest known names, or lists all when none is near."""
    names = sorted(known)
    near = nearest(name, names)
    if near:
        hint = "did you mean " + ", ".join(repr(n) for n in near) + "?"
    elif names:
        shown = ", ".join(repr(n) for n in names[:12])
        hint = f"there are {shown}" + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    else:
        hint = f"there is no {kind} at all"
    return UnknownNameError(f"no {kind} is called {name!r}: {hint}")
