"""Commands that are made when they are asked for, so that each costs the others nothing.

To put a program of a hundred commands together takes longer than most of them run. Its help needs
only their names and what they are for, and a command line only the one that it names.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typing_extensions import override

from grantproof.cli.command import command


@dataclass(frozen=True, slots=True)
class Late:
    """A command or a group: where it stands, as `module:attribute`, and its line of the help."""

    place: str
    help: str

    def made(self, name: str) -> Any:
        """Return the command, under that name."""
        module, _, attribute = self.place.partition(":")
        found = getattr(import_module(f"grantproof.cli.{module}"), attribute)
        if isinstance(found, typer.Typer):
            group = typer.main.get_group(found)
            group.name = name
            return group
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        command(alone, name)(found)
        return typer.main.get_command(alone)


class LateCommands(MutableMapping[str, Any]):
    """Commands by their names, each made when it is first looked up."""

    def __init__(self, late: Mapping[str, Late]) -> None:
        self._late: Final = late
        self.made: Final[dict[str, Any]] = {}

    @override
    def __getitem__(self, name: str) -> Any:
        if name not in self.made:
            self.made[name] = self._late[name].made(name)
        return self.made[name]

    @override
    def __setitem__(self, name: str, command: Any) -> None:
        raise TypeError(name)

    @override
    def __delitem__(self, name: str) -> None:
        raise TypeError(name)

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._late)

    @override
    def __len__(self) -> int:
        return len(self._late)


class LateGroup(TyperGroup):
    """A group that lists its commands without making them; a class of it says which they are."""

    late: ClassVar[Mapping[str, Late]]

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = LateCommands(self.late)
        listed = {name: TyperCommand(name, help=one.help) for name, one in self.late.items()}
        self._listed: Final = TyperGroup(commands=dict(listed))

    @override
    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    @override
    def format_commands(self, ctx: Any, formatter: Any) -> None:
        self._listed.format_commands(ctx, formatter)

    @override
    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        return self._listed.shell_complete(typer.Context(self._listed), incomplete)
