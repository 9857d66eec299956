"""What a route takes of its caller: a scope for reading, one for changing, or nothing at all.

Every router declares it, a route cannot be made without, and it is checked before the body is read.
"""

import re
from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from grantproof.api.problems import Problem, Refused
from grantproof.service.callers import Caller, Scope

REALM: Final = 'Bearer realm="grantproof"'
SCHEME: Final = "bearer"
"""How the OpenAPI document calls the one way to present a credential."""
SAFE_METHODS: Final = frozenset({"GET", "HEAD"})

CONSOLE: Final = "/console"
SIGN_IN: Final = f"{CONSOLE}/sign-in"
SIGN_OUT: Final = f"{CONSOLE}/sign-out"
STATIC: Final = f"{CONSOLE}/static"
AUTHZEN_METADATA: Final = "/.well-known/authzen-configuration"
PUBLIC: Final = frozenset(
    {
        "/livez",
        "/readyz",
        "/openapi.json",
        "/docs",
        "/docs/oauth2-redirect",
        AUTHZEN_METADATA,
        f"{AUTHZEN_METADATA}/orgs/{{org}}",
        SIGN_IN,
        SIGN_OUT,
        f"{STATIC}/{{name}}",
    }
)
"""The routes that take no credential: they tell nothing of any organization."""
OF_ONE: Final = re.compile(rf"({re.escape(AUTHZEN_METADATA)}/orgs|{STATIC})/[^/]+")
"""Those of them that name an organization or a file."""


@dataclass(frozen=True, slots=True)
class Access:
    """The scope that a router's safe methods take, and the one that the others take."""

    reading: Scope
    changing: Scope

    def of(self, methods: Iterable[str]) -> Scope:
        """Return the scope of a route with those methods."""
        return self.reading if set(methods) <= SAFE_METHODS else self.changing


ADMINISTRATION: Final = Access(Scope.REVIEW, Scope.ADMINISTER)
ORGANIZATIONS: Final = Access(Scope.REVIEW, Scope.OPERATE)
SESSIONS: Final = Access(Scope.REVIEW, Scope.SESSIONS)
"""Of sessions: whoever may only ask for decisions widens none, and whoever opens them changes
nothing else."""
INQUIRY: Final = Access(Scope.REVIEW, Scope.REVIEW)
"""Of questions that take a body, and change nothing."""
OPERATION: Final = Access(Scope.OPERATE, Scope.OPERATE)


def is_public(path: str) -> bool:
    """Return whether the address takes no credential."""
    return path in PUBLIC or OF_ONE.fullmatch(path) is not None


def check_scopes(caller: Caller, wanted: AbstractSet[Scope]) -> None:
    """Raise `Refused` unless the caller's credential has all the scopes."""
    if not wanted <= caller.scopes:
        raise Refused(insufficient(frozenset(wanted)))


@cache
def insufficient(wanted: frozenset[Scope]) -> Problem:
    """Return what a caller without one of the scopes is told."""
    names = sorted(wanted)
    told = " and ".join(f"`{name}`" for name in names)
    challenge = f'{REALM}, error="insufficient_scope", scope="{" ".join(names)}"'
    return Problem(
        "insufficient_scope",
        f"this takes a credential with the scope {told}: use one",
        headers=(("WWW-Authenticate", challenge),),
    )


def security(scopes: Collection[Scope]) -> list[dict[str, Any]]:
    """Return what the OpenAPI document says of a route that takes the scopes."""
    return [{SCHEME: sorted(scopes)}]
