"""How does a program of a hundred commands start at once? A group knows names, and makes a command when it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from typer.core import TyperCommand, TyperGroup
from typer.main import get_command_from_info
from typer.models import CommandInfo


@dataclass(frozen=True)
class Later:
    """A command that is not made yet. make : the function of it, with signature and help; summary : its help"""

    make: Callable[[], Callable[..., None]]
    summary: Callable[[], str]


class Commands(MutableMapping[str, Any]):
    """Name -> command: those that are made, those made when they are looked up, and last the groups."""

    def __init__(self, made: Mapping[str, Any], later: Mapping[str, Later]) -> None:
        groups = [name for name, command in made.items() if isinstance(command, TyperGroup)]
        self._later = dict(later)
        self._made = dict(made)
        self._names = [*(name for name in made if name not in groups), *later, *groups]

    def __getitem__(self, name: str) -> Any:
        if name in self._later and name not in self._made:
            info = CommandInfo(name=name, callback=self._later[name].make())
            self._made[name] = get_command_from_info(info, pretty_exceptions_short=True, rich_markup_mode=None)
        return self._made[name]

    def said(self, name: str) -> Any:
        """The command as a list of commands shows it."""
        if name in self._made:
            return self._made[name]
        return TyperCommand(name, help=self._later[name].summary(), rich_markup_mode=None)

    def __setitem__(self, name: str, command: Any) -> None:
        self._made[name] = command
        if name not in self._names:
            self._names.append(name)

    def __delitem__(self, name: str) -> None:
        self._names.remove(name)
        self._made.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class _LazyGroup(TyperGroup):
    later: Mapping[str, Later] = {}

    def __init__(self, *, commands: Any = None, **attrs: Any) -> None:
        super().__init__(commands={}, **attrs)
        self.commands: Commands = Commands(commands or {}, self.later)
        self._listing = False

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if self._listing:
            return self.commands.said(cmd_name)
        return self.commands.get(cmd_name)

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        self._listing = True
        try:
            super().format_commands(ctx, formatter)
        finally:
            self._listing = False


def group_of(later: Mapping[str, Later]) -> type[TyperGroup]:
    """A class of groups that have these commands besides their own."""
    return type("LazyGroup", (_LazyGroup,), {"later": later})
