"""Middleware for WSGI applications, such as those of Flask and Django: as the one for ASGI."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from grantproof.client.deciders import DirectDecider
from grantproof.client.refusals import (
    FORBIDDEN,
    UNKNOWN,
    Refusal,
    refusal,
    refused_question,
)
from grantproof.client.results import CallerError, Unanswered
from grantproof.client.routes import Open, Routes

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

Environment = dict[str, Any]
Principal = Callable[[Environment], str | None]
"""Returns who makes the request, as the application knows it; nothing when nobody is known."""


class Guard:
    """Lets through to `application` only what `routes` let `principal` do, as `decider` says.

    A request that is refused is answered with a problem document: 401 when nobody is known, 403,
    or 503 when it is not known whether it is allowed.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        *,
        decider: DirectDecider,
        routes: Routes,
        principal: Principal,
    ) -> None:
        self._application = application
        self._decider = decider
        self._routes = routes
        self._principal = principal

    def __call__(
        self, environment: Environment, start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request, or let the application."""
        refused = self._refused(environment)
        if refused is None:
            return self._application(environment, start_response)
        status = f"{refused.status} {HTTPStatus(refused.status).phrase}"
        start_response(status, list(refused.headers.items()))
        return [refused.body]

    def _refused(self, environment: Environment) -> Refusal | None:
        path = _path(environment)
        needed = None if path is None else self._routes.needed(environment["REQUEST_METHOD"], path)
        if needed is None:
            return FORBIDDEN
        if isinstance(needed, Open):
            return None
        principal = self._principal(environment)
        if principal is None:
            return UNKNOWN
        try:
            return refusal(self._decider.decide(principal, needed.action, needed.resource))
        except CallerError as error:
            return refused_question(error)
        except Unanswered as error:
            return refusal(error.undetermined)


def _path(environment: Environment) -> str | None:
    """Return the path, of which PEP 3333 has the bytes as Latin-1; nothing when it is not UTF-8."""
    path = str(environment.get("PATH_INFO", "")) or "/"
    try:
        return path.encode("latin-1").decode()
    except ValueError:
        return None
