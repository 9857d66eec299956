"""The administration behind the decisions: ordinary FastAPI, one router for each resource."""

import warnings
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from fastapi.telemetry import TelemetryConfig
from pydantic.json_schema import PydanticJsonSchemaWarning
from starlette.exceptions import HTTPException
from typing_extensions import override

from grantproof import __version__
from grantproof.api import (
    access_review,
    assignments,
    changes,
    claims,
    events,
    groups,
    guardrails,
    health,
    inquiries,
    keys,
    kinds,
    memberships,
    metrics,
    organizations,
    people,
    principals,
    reach,
    resources,
    roles,
    sessions,
    sod_sets,
    standard_review,
    usage,
    whole,
)
from grantproof.api.access import CONSOLE
from grantproof.api.authzen import metadata
from grantproof.api.console import PAGES
from grantproof.api.console.places import is_console
from grantproof.api.console.rendering import turned_away
from grantproof.api.document import completed
from grantproof.api.front import front_of
from grantproof.api.problems import (
    INTERNAL,
    MEDIA_TYPE,
    Problem,
    Refused,
    illegal,
    store_problem,
)
from grantproof.api.validation import invalid_parts, printable
from grantproof.core.errors import Illegal
from grantproof.service.ports import StoreError

ROUTERS: Final = (
    organizations.router,
    whole.router,
    principals.router,
    principals.short_form,
    groups.router,
    memberships.router,
    memberships.nestings,
    roles.router,
    kinds.router,
    resources.router,
    claims.router,
    sod_sets.router,
    guardrails.router,
    assignments.router,
    changes.router,
    people.router,
    events.router,
    keys.router,
    usage.router,
    sessions.router,
    inquiries.router,
    reach.router,
    standard_review.router,
    access_review.router,
    health.router,
    metrics.router,
    metadata.router,
    *PAGES,
)

UNTRACED: Final[TelemetryConfig] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "auto_configure": False,
}
"""Spans and logs of FastAPI would hold what requests bring, whoever set up a global provider."""

log = structlog.get_logger(__name__)


class Administration(FastAPI):
    """FastAPI, with the decision routes in its document."""

    @override
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            with warnings.catch_warnings():
                # A default that is a core value is not described; its field is, and is optional.
                warnings.simplefilter("ignore", PydanticJsonSchemaWarning)
                self.openapi_schema = completed(super().openapi())
        return self.openapi_schema


def administration_app(telemetry: TelemetryConfig | None = None) -> Administration:
    """Return the application of all routes but decisions; nothing is traced unless told how."""
    app = Administration(
        title="Grantproof",
        version=__version__,
        summary="May this principal do this action on this resource, here and now? With proof.",
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        telemetry=UNTRACED if telemetry is None else telemetry,
    )
    for router in ROUTERS:
        # Taken as they are: they have all they need, and including them would build each again.
        app.router.routes.extend(router.routes)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Illegal, _illegal)
    app.add_exception_handler(StoreError, _store_failed)
    app.add_exception_handler(HTTPException, _unanswered)
    app.add_exception_handler(Exception, _failed)
    return app


def answer(problem: Problem, request: Request) -> Response:
    """Return the problem as the answer to the request: a page where people read it."""
    if is_console(request.url.path):
        return turned_away(request, problem)
    return Response(
        problem.body(request.state.request_id),
        status_code=problem.status,
        headers=dict(problem.headers),
        media_type=MEDIA_TYPE,
    )


async def _refused(request: Request, error: Exception) -> Response:
    return answer(error.problem if isinstance(error, Refused) else INTERNAL, request)


async def _invalid(request: Request, error: Exception) -> Response:
    details = error.errors() if isinstance(error, RequestValidationError) else ()
    return answer(invalid_parts(details), request)


async def _illegal(request: Request, error: Exception) -> Response:
    return answer(illegal(error) if isinstance(error, Illegal) else INTERNAL, request)


async def _store_failed(request: Request, error: Exception) -> Response:
    log.error("store failed", request_id=request.state.request_id, error=str(error))
    return answer(store_problem(error) if isinstance(error, StoreError) else INTERNAL, request)


async def _failed(request: Request, _: Exception) -> Response:
    # The error is raised again after this, and logged where it arrives.
    return answer(INTERNAL, request)


async def _unanswered(request: Request, error: Exception) -> Response:
    """Answer what the router itself refuses: no such route, or none for this method."""
    status = error.status_code if isinstance(error, HTTPException) else 0
    if status not in {404, 405}:
        return answer(Problem("malformed_json", "the body is not valid JSON"), request)
    methods = _allowed(request)
    shown = printable(request.url.path)
    if not methods:
        see = CONSOLE if is_console(request.url.path) else "/openapi.json"
        detail = f"there is no route `{shown}`: see `{see}`"
        return answer(Problem("no_such_route", detail), request)
    allow = ", ".join(sorted(methods))
    detail = f"`{printable(request.method)}` is not allowed on `{shown}`: use one of {allow}"
    return answer(Problem("method_not_allowed", detail, headers=(("Allow", allow),)), request)


def _allowed(request: Request) -> set[str]:
    path = request.scope["path"]
    allowed = set[str]() if front_of(path) is None else {"POST"}
    for context in iter_route_contexts(request.app.routes):
        if context.methods is not None and context.path_regex.match(path) is not None:
            allowed |= context.methods
    return allowed | {"HEAD"} if "GET" in allowed else allowed
