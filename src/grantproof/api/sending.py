"""Answers in front of the router, as ASGI has them: headers that every one has, and problems."""

from collections.abc import Awaitable
from typing import Final

from starlette.types import Message, Scope, Send

from grantproof.api import problems
from grantproof.api.problems import Problem

X_REQUEST_ID: Final = b"x-request-id"
CONTENT_LENGTH: Final = b"content-length"
CONTENT_TYPE: Final = b"content-type"
JSON_TYPE: Final = (CONTENT_TYPE, b"application/json")
PROBLEM_TYPE: Final = (CONTENT_TYPE, problems.MEDIA_TYPE.encode())
NO_STORE: Final = (b"cache-control", b"no-store")

RawHeaders = list[tuple[bytes, bytes]]


async def send_answer(send: Send, status: int, body: bytes, *, headers: RawHeaders) -> None:
    """Send an answer; nobody on the way may keep it."""
    length = (CONTENT_LENGTH, b"%d" % len(body))
    sent = [*headers, length, NO_STORE]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": body})


async def send_problem(send: Send, problem: Problem, request_id: str, *, more: RawHeaders) -> None:
    """Send a problem document, with what every answer has `more`."""
    headers = [PROBLEM_TYPE, id_header(request_id), *own_headers(problem), *more]
    await send_answer(send, problem.status, problem.body(request_id), headers=headers)


def own_headers(problem: Problem) -> RawHeaders:
    """Return the headers that a problem brings."""
    return [(name.lower().encode(), value.encode()) for name, value in problem.headers]


def id_header(request_id: str) -> tuple[bytes, bytes]:
    """Return the header that names the request."""
    return (X_REQUEST_ID, request_id.encode())


def as_get(scope: Scope, send: Send) -> tuple[Scope, Send]:
    """Return how a HEAD is answered: as a GET, of which no body is sent.

    The scope that the server has stays as it is: by it the server knows that no body will come.
    """

    def send_head(message: Message) -> Awaitable[None]:
        is_body = message["type"] == "http.response.body"
        return send({**message, "body": b""} if is_body else message)

    return {**scope, "method": "GET"}, send_head
