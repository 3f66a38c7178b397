"""Which studies are there? By command; a study's module is imported when it is first asked for."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from studies import MODULES

if TYPE_CHECKING:
    from studies.study import Study

S = TypeVar("S", bound="type[Study]")


class Registry(MutableMapping[str, "type[Study]"]):
    """Command -> study. To go through the commands imports none of them, to go through the studies all.

    modules : command -> the module of `studies` that registers it
    """

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = dict(modules)
        self._classes: dict[str, type[Study] | None] = dict.fromkeys(modules)

    def __getitem__(self, command: str) -> type[Study]:
        found = self._classes[command]
        if found is None:
            import_module(f"studies.{self._modules[command]}")
            found = self._classes[command]
            assert found is not None, f"studies/{self._modules[command]}.py registers no study {command!r}"
        return found

    def __setitem__(self, command: str, study: type[Study]) -> None:
        self._classes[command] = study

    def __delitem__(self, command: str) -> None:
        del self._classes[command]

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._classes))

    def __len__(self) -> int:
        return len(self._classes)

    def __contains__(self, command: object) -> bool:
        return command in self._classes

    def summary(self, command: str) -> str:
        """What a study says of itself, without importing it."""
        found = self._classes[command]
        if found is not None:
            return found.__doc__ or ""
        tree = ast.parse((Path(__file__).parent / f"{self._modules[command]}.py").read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and command in _constants(node):
                return ast.get_docstring(node) or ""
        return ""


def _constants(node: ast.ClassDef) -> set[object]:
    """The values that the fields of a class are given as they stand there."""
    values = (part.value for part in node.body if isinstance(part, ast.AnnAssign))
    return {value.value for value in values if isinstance(value, ast.Constant)}


REGISTRY = Registry(MODULES)


def register(cls: S) -> S:
    """Make a study known to the command line and the pages under its `command`."""
    REGISTRY[cls.command] = cls
    return cls
