"""The routes in front of the router: where they are, and what each takes."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from grantproof.service.callers import Scope

SINGLE: Final = "/evaluate"
BATCH: Final = "/evaluate/batch"
CONSUME: Final = "/evaluate/consume"
EXPLAIN: Final = "/explain"
WHAT_IF: Final = "/what-if"

SCOPES: Final[Mapping[str, frozenset[Scope]]] = {
    SINGLE: frozenset({Scope.EVALUATE}),
    BATCH: frozenset({Scope.EVALUATE}),
    CONSUME: frozenset({Scope.EVALUATE}),
    EXPLAIN: frozenset({Scope.EVALUATE, Scope.REVIEW}),
    WHAT_IF: frozenset({Scope.EVALUATE, Scope.REVIEW}),
}
"""The scopes of each; all of them are posted to."""
PATHS: Final = frozenset(SCOPES)

EVALUATION: Final = "/access/v1/evaluation"
EVALUATIONS: Final = "/access/v1/evaluations"
SEARCH_SUBJECT: Final = "/access/v1/search/subject"
SEARCH_RESOURCE: Final = "/access/v1/search/resource"
SEARCH_ACTION: Final = "/access/v1/search/action"

AUTHZEN: Final[Mapping[str, frozenset[Scope]]] = {
    EVALUATION: frozenset({Scope.EVALUATE}),
    EVALUATIONS: frozenset({Scope.EVALUATE}),
    SEARCH_SUBJECT: frozenset({Scope.EVALUATE, Scope.REVIEW}),
    SEARCH_RESOURCE: frozenset({Scope.EVALUATE, Scope.REVIEW}),
    SEARCH_ACTION: frozenset({Scope.EVALUATE, Scope.REVIEW}),
}
"""The routes of AuthZEN, which speak its language; a search tells what exists."""

ORGANIZATIONS: Final = "/orgs/"
OF_ORGANIZATION: Final = "/orgs/{org}"
"""Before a path of AuthZEN: the organization that is asked, where the credential is of all."""


class Front(NamedTuple):
    """A route as it is called everywhere, its path in AuthZEN, and the organization it names."""

    route: str
    authzen: str | None = None
    organization: str | None = None


NOWHERE: Final = Front("")
"""What is no route in front."""
PLACES: Final[Mapping[str, Front]] = {
    **{path: Front(path) for path in PATHS},
    **{path: Front(path, path) for path in AUTHZEN},
}
ROUTES: Final[Mapping[str, frozenset[Scope]]] = {
    **SCOPES,
    **AUTHZEN,
    **{OF_ORGANIZATION + path: scopes for path, scopes in AUTHZEN.items()},
}
"""Every route in front, as it is called, with its scopes."""


def front_of(path: str) -> Front | None:
    """Return the route in front of the router that is at the path, if one is."""
    found = PLACES.get(path)
    if found is not None or not path.startswith(ORGANIZATIONS):
        return found
    organization, slash, rest = path.removeprefix(ORGANIZATIONS).partition("/")
    authzen = slash + rest
    if organization == "" or authzen not in AUTHZEN:
        return None
    return Front(OF_ORGANIZATION + authzen, authzen, organization)


def is_front(path: str) -> bool:
    """Return whether a route in front of the router is at the path."""
    return path in PLACES or front_of(path) is not None
