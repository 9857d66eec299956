"""A dependency for FastAPI: `Depends(require("read", "docs/{doc_id}"))` in front of a route."""

import inspect
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request, Response

from grantproof.client.asking import decided
from grantproof.client.deciders import Decider
from grantproof.client.questions import Question, Said
from grantproof.client.refusals import (
    UNAVAILABLE,
    UNKNOWN,
    Refusal,
    refusal,
    refused_question,
)
from grantproof.client.results import Allow, CallerError, Decision, Unanswered
from grantproof.client.routes import filled

Principal = Callable[..., Any]
"""A dependency of the application that returns who makes the request, or nothing (401)."""
Resource = str | Callable[[Request], str | Awaitable[str]]
"""An id with `{name}` for parameters of the path, or what makes an id of the request."""
Context = Callable[[Request], Said]
"""Returns what is said of the request beside who, what and on which."""
Dependency = Callable[..., Awaitable[Allow]]


class Refused(HTTPException):
    """The request is refused; `answer_problems` lets it be told as a problem document."""

    def __init__(self, refused: Refusal) -> None:
        later = refused.retry_after
        headers = None if later is None else {"Retry-After": str(later)}
        super().__init__(refused.status, refused.detail, headers)
        self.refusal = refused


class Requiring:
    """Makes dependencies that ask `decider` about whom `principal` returns.

    One decider for the application: a `Client`, an `AsyncClient` or an `Engine`.
    """

    def __init__(self, decider: Decider, *, principal: Principal) -> None:
        self._decider = decider
        self._principal = principal

    def __call__(
        self, action: str, resource: Resource, *, context: Context | None = None
    ) -> Dependency:
        """Return a dependency that lets only whom the decider allows the action on the resource.

        It gives the route the `Allow`. Others are answered 401, 403 or 503, of which the message
        tells nothing.
        """

        async def allowed(
            request: Request, principal: Annotated[Any, Depends(self._principal)]
        ) -> Allow:
            if principal is None:
                raise Refused(UNKNOWN)
            if not isinstance(principal, str):
                message = "a principal is named by a string: return its id"
                raise TypeError(message)
            named = await _named(resource, request)
            said = Said() if context is None else context(request)
            return await self._allowed(Question(principal, action, named, said))

        return allowed

    async def _allowed(self, question: Question) -> Allow:
        try:
            found: Decision = await decided(self._decider, question)
        except CallerError as error:
            raise Refused(refused_question(error)) from None
        except Unanswered as error:
            found = error.undetermined
        if isinstance(found, Allow):
            return found
        raise Refused(refusal(found) or UNAVAILABLE)


def answer_problems(application: FastAPI) -> None:
    """Let the application answer what it refuses with problem documents (RFC 9457)."""
    application.add_exception_handler(Refused, _problem)


async def _problem(_: Request, error: Exception) -> Response:
    if not isinstance(error, Refused):
        raise error
    refused = error.refusal
    return Response(refused.body, refused.status, refused.headers)


async def _named(resource: Resource, request: Request) -> str:
    if isinstance(resource, str):
        return filled(resource, request.path_params)
    named = resource(request)
    return await named if inspect.isawaitable(named) else named
