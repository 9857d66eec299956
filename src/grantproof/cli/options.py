"""Options and arguments that several commands take."""

from typing import Annotated

import typer

Cascade = Annotated[
    bool, typer.Option("--cascade", help="Delete what refers to it too, in one change.")
]
Attributes = Annotated[
    list[str] | None,
    typer.Option(
        "--attribute",
        "-a",
        metavar="NAME=VALUE",
        help='An attribute; the value is true, 7, \'["a","b"]\' or a string. Repeatable.',
    ),
]
From = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="MOMENT",
        help="Since when the role is held, such as 2026-01-31T09:00:00Z. Default: since always.",
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until", metavar="MOMENT", help="When it is held no more, as for --from. Default: never."
    ),
]
RoleArgument = Annotated[str, typer.Argument(metavar="ROLE", help="The role's id.")]
PrincipalArgument = Annotated[str, typer.Argument(metavar="PRINCIPAL", help="The principal's id.")]
Pairs = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME=VALUE", help="What the attributes shall be, all of them."),
]
Clear = Annotated[bool, typer.Option("--clear", help="Remove every attribute.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
