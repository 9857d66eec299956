"""Bodies of requests: JSON and nothing else, read up to a limit and not a byte further."""

from collections.abc import Iterable
from typing import Final

from starlette.types import Receive

from grantproof.api.problems import Problem, Refused

JSON: Final = b"application/json"
NO_TYPE: Final = Problem(
    "unsupported_media_type",
    "the body must be JSON: send the header `Content-Type: application/json`",
)

RawHeaders = Iterable[tuple[bytes, bytes]]


class Disconnected(Exception):
    """The caller went away before the whole request was there; nobody waits for an answer."""


def check_type(headers: RawHeaders) -> None:
    """Refuse a request whose headers do not say that its body is JSON."""
    for name, value in headers:
        if name == b"content-type":
            if value == JSON or value.partition(b";")[0].strip().lower() == JSON:
                return
            break
    raise Refused(NO_TYPE)


async def read(receive: Receive, *, bytes_max: int) -> bytes:
    """Return the body; refuse it as soon as it is larger than `bytes_max`."""
    message = await receive()
    body: bytes = message.get("body", b"")
    more = message.get("more_body", False)
    if message["type"] == "http.disconnect":
        raise Disconnected
    if not more and len(body) <= bytes_max:
        return body
    parts, size = [body], len(body)
    while more and size <= bytes_max:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
    if size > bytes_max:
        raise Refused(too_large(bytes_max))
    return b"".join(parts)


def too_large(bytes_max: int) -> Problem:
    """Return the problem of a body that is too large; the rest of it is not read."""
    return Problem(
        "body_too_large",
        f"the body must have at most {bytes_max} bytes: send it in several parts",
        headers=(("Connection", "close"),),
    )
