"""Middleware for ASGI applications: what a request takes is looked up before they see it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from grantproof.client.asking import decided
from grantproof.client.deciders import Decider
from grantproof.client.questions import Question
from grantproof.client.refusals import (
    FORBIDDEN,
    UNKNOWN,
    Refusal,
    refusal,
    refused_question,
)
from grantproof.client.results import CallerError, Unanswered
from grantproof.client.routes import WEBSOCKET, Open, Routes

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Principal = Callable[[Scope], Awaitable[str | None]]
"""Returns who makes the request, as the application knows it; nothing when nobody is known."""

POLICY_VIOLATION: Final = 1008
"""The code with which a web socket is closed (RFC 6455); before it was accepted that is a 403."""


class Guard:
    """Lets through to `application` only what `routes` let `principal` do, as `decider` says.

    A request that is refused is answered with a problem document: 401 when nobody is known, 403,
    or 503 when it is not known whether it is allowed.
    """

    def __init__(
        self,
        application: Application,
        *,
        decider: Decider,
        routes: Routes,
        principal: Principal,
    ) -> None:
        self._application = application
        self._decider = decider
        self._routes = routes
        self._principal = principal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let the application."""
        kind = scope["type"]
        if kind != "lifespan":
            method = scope["method"] if kind == "http" else WEBSOCKET
            refused = await self._refused(scope, method)
            if refused is not None:
                await _refuse(refused, send, is_http=kind == "http")
                return
        await self._application(scope, receive, send)

    async def _refused(self, scope: Scope, method: str) -> Refusal | None:
        needed = self._routes.needed(method, scope["path"])
        if needed is None:
            return FORBIDDEN
        if isinstance(needed, Open):
            return None
        principal = await self._principal(scope)
        if principal is None:
            return UNKNOWN
        question = Question(principal, needed.action, needed.resource)
        try:
            return refusal(await decided(self._decider, question))
        except CallerError as error:
            return refused_question(error)
        except Unanswered as error:
            return refusal(error.undetermined)


async def _refuse(refused: Refusal, send: Send, *, is_http: bool) -> None:
    if not is_http:
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": refused.title})
        return
    headers = [(name.lower().encode(), told.encode()) for name, told in refused.headers.items()]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": refused.body})
