"""Every route that there is, with addresses that fit, for tests that walk them all."""

import re
from dataclasses import dataclass
from typing import Final

from fastapi.routing import iter_route_contexts

from grantproof.api.administration import administration_app
from grantproof.api.console.places import is_console
from grantproof.api.front import AUTHZEN
from grantproof.api.front import ROUTES as FRONTS
from grantproof.api.strictness import StrictRoute
from grantproof.service.callers import Scope

NAMES: Final = {
    "principal": "alice",
    "role": "editor",
    "parent": "viewer",
    "resource": "docs",
    "revision": "1",
}


@dataclass(frozen=True, slots=True)
class Route:
    """A method on an address; the scopes that it declares, nothing where it declares none."""

    method: str
    template: str
    scopes: frozenset[Scope] | None

    def address(self, organization: str) -> str:
        """An address of the route, in that organization."""
        named = {**NAMES, "org": organization}
        return re.sub(r"{([^}:]*)[^}]*}", lambda found: named.get(found[1], "x"), self.template)

    @property
    def is_authzen(self) -> bool:
        """Whether it speaks the language of AuthZEN, in which errors are text."""
        return self.template.endswith(tuple(AUTHZEN))

    @property
    def is_within_organization(self) -> bool:
        """Whether its address names an organization."""
        return "{org}" in self.template


def every_route() -> list[Route]:
    """The routes of the router, and those in front of it; the pages of the console too."""
    behind = [
        Route(method, context.path_format, _declared(context.original_route))
        for context in iter_route_contexts(administration_app().routes)
        for method in sorted(context.methods or ())
        if context.path_format is not None
    ]
    return [*behind, *(Route("POST", path, scopes) for path, scopes in FRONTS.items())]


def _declared(route: object) -> frozenset[Scope] | None:
    if not isinstance(route, StrictRoute) or route.scope is None:
        return None
    return frozenset({route.scope})


EVERY: Final = every_route()
ROUTES: Final = [route for route in EVERY if not is_console(route.template)]
"""Those of the API, whose answers are documents."""
CONSOLE: Final = [route for route in EVERY if is_console(route.template)]
"""The pages for people, which `tests/api/console` walks."""
GUARDED: Final = [route for route in ROUTES if route.scopes is not None]


def named(route: Route) -> str:
    """How a test of the route is called."""
    return f"{route.method} {route.template}"
