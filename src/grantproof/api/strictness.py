"""Routers that are strict about what comes in: JSON only, up to the limit, nothing unknown."""

from collections.abc import Callable, Collection, Coroutine
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.types import Message
from typing_extensions import override

from grantproof.api import bodies
from grantproof.api.access import SAFE_METHODS, Access, check_scopes, security
from grantproof.api.conditions import HONOURED
from grantproof.api.problems import Fault, Refused, invalid
from grantproof.api.running import caller_of, running
from grantproof.api.validation import UNREADABLE, printable, unreadable
from grantproof.service.callers import Scope

CONDITIONS: Final = (*HONOURED, "if-unmodified-since")
"""Whoever sets one of these must not have the change made without it."""

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRoute(APIRoute):
    """A route that takes a scope, and reads a body only if it is JSON and not too large."""

    access: Access | None = None
    """What the routes of its router take; nothing for everybody."""

    @override
    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        """Make the route, and say in the document what it takes."""
        if self.access is not None:
            scope = self.access.of(options["methods"])
            options["openapi_extra"] = {"security": security([scope])}
        super().__init__(path, endpoint, **options)

    @property
    def scope(self) -> Scope | None:
        """The scope that the route takes."""
        return None if self.access is None else self.access.of(self.methods or ())

    @override
    def get_route_handler(self) -> Handler:
        """Return the handler of FastAPI, with caller, body, query and headers checked before it."""
        handle = super().get_route_handler()
        wanted = None if self.scope is None else frozenset({self.scope})
        has_body = self.body_field is not None
        known, honoured = _query_names(self.dependant), _calls(self.dependant)

        async def checked(request: Request) -> Response:
            if wanted is not None:
                check_scopes(caller_of(request), wanted)
            read = await _with_checked_body(request) if has_body else request
            check_query(read, known)
            check_conditions(read, honoured)
            return await handle(read)

        return checked


def strict_router(
    prefix: str, *, tag: str, access: Access | None, in_document: bool = True
) -> APIRouter:
    """Return a router for the routes under `prefix`, which take what `access` says.

    Pages for people are not `in_document`, the one of OpenAPI.
    """
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        include_in_schema=in_document,
        route_class=type("RouteWithAccess", (StrictRoute,), {"access": access}),
        generate_unique_id_function=lambda route: route.name,
    )


def check_query(request: Request, known: Collection[str]) -> None:
    """Refuse query parameters that the route does not know, and any given twice."""
    given = [name for name, _ in request.query_params.multi_items()]
    strays = [
        Fault(printable(name), "is not a known parameter") for name in given if name not in known
    ]
    twice = [Fault(name, "must be given once") for name in known if given.count(name) > 1]
    if strays or twice:
        raise Refused(invalid([*strays, *twice]))


def check_conditions(request: Request, honoured: Collection[object]) -> None:
    """Refuse a change under a condition that the route does not honour."""
    if request.method in SAFE_METHODS:
        return
    faults = [
        Fault(name, "is not supported here: leave the header out")
        for name in CONDITIONS
        if name in request.headers and HONOURED.get(name) not in honoured
    ]
    if faults:
        raise Refused(invalid(faults))


def _calls(dependant: Dependant) -> set[object]:
    inside = (_calls(inner) for inner in dependant.dependencies)
    return {dependant.call}.union(*inside)


def _query_names(dependant: Dependant) -> set[str]:
    own = {field.alias for field in dependant.query_params}
    return own.union(*(_query_names(inner) for inner in dependant.dependencies))


async def _with_checked_body(request: Request) -> Request:
    here = await running(request)
    bodies.check_type(request.scope["headers"])
    body = await bodies.read(request.receive, bytes_max=here.body_bytes_max)
    try:
        # Read here for its errors only: nesting, numbers and text that Python's reader lets pass.
        msgspec.json.decode(body)
    except UNREADABLE as error:
        raise Refused(unreadable(error)) from None

    async def replay() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, replay)
