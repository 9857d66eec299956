"""What the shell offers for an id that is being typed: those of the local database.

Quick, bounded and silent: whatever is in the way, nothing is offered. A server is never asked.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, get_args

import typer
from typer.models import ParameterInfo

NOUNS: Final[Mapping[str, str]] = {
    "CLAIM": "claim",
    "CONTAINER": "group",
    "GROUP": "group",
    "GUARDRAIL": "guardrail",
    "KIND": "kind",
    "ORG": "organization",
    "PARENT": "role",
    "PRINCIPAL": "principal",
    "RESOURCE": "resource",
    "ROLE": "role",
    "SESSION": "session",
    "SET": "sod_set",
}
"""Whose ids stand in the place of what the help calls so."""
DATABASE: Final = "grantproof.db"
"""The file of the setting's default."""

Completing = Callable[[typer.Context, str], list[str]]


def with_completion(annotation: Any) -> None:
    """Let a parameter offer ids, if its name in the help says of what."""
    for info in get_args(annotation):
        if isinstance(info, ParameterInfo) and info.autocompletion is None:
            noun = NOUNS.get(str(info.metavar))
            info.autocompletion = None if noun is None else names_of(noun)


def names_of(noun: str) -> Completing:
    """Return what offers the ids of that noun."""

    def offered(context: typer.Context, incomplete: str) -> list[str]:
        try:
            return _found(context, noun, incomplete)
        except Exception:  # noqa: BLE001 - a shell that completes shows no errors
            return []

    return offered


def _found(context: typer.Context, noun: str, incomplete: str) -> list[str]:
    # Not by way of `bootstrap`: that takes a second, and a shell waits for this.
    from grantproof.adapters.sql.names import names_in

    file = _file(context)
    organization = _said(context, "org") or os.environ.get("GRANTPROOF_ORG")
    if file is None or (organization is None and noun != "organization"):
        return []
    return names_in(file, noun, organization=organization, beginning=incomplete)


def _file(context: typer.Context) -> Path | None:
    """Return the SQLite file that the command would act on; nothing where it is another place."""
    named = _said(context, "database")
    if named is None and (_said(context, "server") or os.environ.get("GRANTPROOF_SERVER")):
        return None
    place = named or os.environ.get("GRANTPROOF_DATABASE_URL") or DATABASE
    scheme, separator, path = place.partition(":///")
    if not separator:
        return None if "://" in place else Path(place)
    return Path(path) if scheme == "sqlite" else None


def _said(context: typer.Context, name: str) -> str | None:
    """Return a global option as the command line says it, after the command or before it."""
    for one in (context, context.find_root()):
        value = one.params.get(name)
        if value:
            return str(value)
    return None
