"""What is asked on the command line, and in which circumstances: options of several commands.

Each class stands for the arguments and options that are its fields.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from grantproof.cli.exits import ExitCode, Stop, usage
from grantproof.cli.options import PrincipalArgument

if TYPE_CHECKING:
    from grantproof.core.commands.language import SingleCommand
    from grantproof.core.identifiers import SessionId
    from grantproof.core.matching import Request
    from grantproof.service.pip import Supplied
    from grantproof.service.supposing import Supposition

Action = Annotated[str, typer.Argument(metavar="ACTION", help="What it wants to do.")]
Resource = Annotated[str, typer.Argument(metavar="RESOURCE", help="On which resource.")]
Hour = Annotated[int | None, typer.Option("--hour", metavar="H", help="The local hour, 0 to 23.")]
Weekday = Annotated[
    str | None, typer.Option("--weekday", metavar="DAY", help="mon to sun, or 0 to 6.")
]
Region = Annotated[
    str | None, typer.Option("--region", metavar="REGION", help="Where the request comes from.")
]
Position = Annotated[
    str | None,
    typer.Option("--position", metavar="LAT,LON", help="Its place in degrees: 48.8566,2.3522."),
]
Usage = Annotated[
    int | None, typer.Option("--usage", metavar="N", help="The usage so far, of every claim.")
]
Rate = Annotated[
    int | None, typer.Option("--rate", metavar="N", help="The requests of this minute so far.")
]
ContextAttributes = Annotated[
    list[str] | None,
    typer.Option(
        "--attribute",
        "-a",
        metavar="NAME=VALUE",
        help='What `context.NAME` is; true, 7, \'["a","b"]\' or a string. Repeatable.',
    ),
]
ActiveRoles = Annotated[
    list[str] | None,
    typer.Option("--active-role", metavar="ROLE", help="A role of the session. Repeatable."),
]
StoredSession = Annotated[
    str | None,
    typer.Option("--session", metavar="SESSION", help="The stored session it is asked in."),
]
Kind = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="The kind of the resource.")
]
At = Annotated[
    str | None,
    typer.Option("--at", metavar="MOMENT", help="When, such as 2030-01-31T09:00:00Z."),
]
Change = Annotated[
    list[str] | None,
    typer.Option(
        "--change",
        metavar="FILE",
        help="A YAML or JSON file of commands, - for the standard input, or a JSON command itself."
        " Repeatable, in order.",
    ),
]


@dataclass(frozen=True, slots=True)
class AskedRequest:
    """A request."""

    principal: PrincipalArgument
    action: Action
    resource: Resource
    active_role: ActiveRoles = None
    kind: Kind = None

    def request(self) -> "Request":
        """Return what the core is asked; raises `Illegal`."""
        from grantproof.core import identifiers
        from grantproof.core.matching import Request

        return Request(
            identifiers.PrincipalId(self.principal),
            identifiers.Action(self.action),
            identifiers.ResourceId(self.resource),
            kind_of(self.kind),
            frozenset(map(identifiers.RoleId, self.active_role)) if self.active_role else None,
        )


@dataclass(frozen=True, slots=True)
class AskedInSession(AskedRequest):
    """A request, perhaps in a stored session."""

    session: StoredSession = None

    def stored(self) -> "SessionId | None":
        """Return the session, if it is asked in one; raises `Illegal` or `Stop`."""
        from grantproof.core.identifiers import SessionId

        if self.session is not None and self.active_role:
            raise usage("a session has its roles: leave --session or --active-role out")
        return None if self.session is None else SessionId(self.session)


@dataclass(frozen=True, slots=True)
class Uncounted:
    """What a request says of its context, but for what is counted."""

    hour: Hour = None
    weekday: Weekday = None
    region: Region = None
    position: Position = None
    attribute: ContextAttributes = None

    def supplied(self) -> "Supplied":
        """Return what is said; raises `Stop` or `Illegal`."""
        return _checked(self._said())

    def _said(self) -> "Supplied":
        from grantproof.cli import values
        from grantproof.core import identifiers
        from grantproof.service.pip import Supplied

        return Supplied(
            region=None if self.region is None else identifiers.Region(self.region),
            position=None if self.position is None else values.position(self.position),
            attributes=values.typed_attributes(self.attribute or []),
            hour=self.hour,
            weekday=None if self.weekday is None else values.weekday(self.weekday),
        )


@dataclass(frozen=True, slots=True)
class Circumstances(Uncounted):
    """What a request says of its context."""

    usage: Usage = None
    rate: Rate = None

    def supplied(self) -> "Supplied":
        """Return what is said; raises `Stop` or `Illegal`."""
        return _checked(replace(self._said(), usage=self.usage, rate=self.rate))

    @property
    def given(self) -> bool:
        """Whether anything is said."""
        return self != Circumstances()


@dataclass(frozen=True, slots=True)
class Supposed(Circumstances):
    """What a request says, and what is supposed of the rest and of the organization."""

    at: At = None
    change: Change = None

    def said(self) -> "Supplied":
        """Return what the request says, now and then; raises `Stop` or `Illegal`."""
        whole = self.supplied()
        return replace(whole, hour=None, weekday=None, usage=None, rate=None)

    def supposition(self) -> "Supposition":
        """Return what is supposed of the context; raises `Stop` or `Illegal`."""
        from grantproof.cli.values import moment
        from grantproof.core.errors import Illegal
        from grantproof.core.limits import INSTANT_MAX
        from grantproof.service.pip import Supplied
        from grantproof.service.supposing import Supposition

        at = moment("--at", self.at)
        if at is not None and at > INSTANT_MAX:
            raise Illegal("--at", "must be before the year 10000")
        whole = self.supplied()
        counted = Supplied(
            hour=whole.hour, weekday=whole.weekday, usage=whole.usage, rate=whole.rate
        )
        return Supposition(counted, at)

    def commands(self) -> "tuple[SingleCommand, ...]":
        """Return the change that is supposed, in order; raises `Stop`."""
        from grantproof.cli.policy_files import text_of
        from grantproof.policyfile.commands_text import read_commands

        found: list[SingleCommand] = []
        for one in self.change or []:
            is_document = one.lstrip().startswith(("{", "["))
            read = read_commands(one if is_document else text_of(one))
            if read.problems:
                name = "--change" if is_document else one
                lines = (problem.in_file(name) for problem in read.problems)
                raise Stop(ExitCode.USAGE, *lines)
            found += read.commands
        return tuple(found)


def kind_of(text: str | None) -> str | None:
    """Return the kind that was typed, an implicit one too; raises `Illegal`."""
    from grantproof.core.identifiers import IMPLICIT_KINDS, Kind

    return text if text is None or text in IMPLICIT_KINDS else Kind(text)


def _checked(supplied: "Supplied") -> "Supplied":
    """Return what is supplied; the core judges it, so that a bad hour is one in any case."""
    from grantproof.core.limits import INSTANT_MIN
    from grantproof.service.pip import situate

    situate(INSTANT_MIN, "UTC", supplied)
    return supplied
