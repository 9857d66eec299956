"""Who is named in the event of a change: the caller, with the request and the reason it gives."""

from dataclasses import replace
from typing import Annotated, Final
from urllib.parse import unquote

from fastapi import Depends, Header, Request

from grantproof.api.problems import Fault, Refused, invalid
from grantproof.api.running import Calling
from grantproof.core.errors import Illegal
from grantproof.service.authors import Author

REASON: Final = "Grantproof-Reason"

Reason = Annotated[
    str | None,
    Header(
        alias=REASON,
        description="why, for the event: at most 1024 characters; all but printable ASCII, and"
        " `%`, is written percent-encoded as UTF-8",
    ),
]


async def authoring(request: Request, caller: Calling, reason: Reason = None) -> Author:
    """Return the author of the changes that the request makes."""
    if len(request.headers.getlist(REASON)) > 1:
        raise _refused("must be given once")
    given = None if reason is None else _decoded(reason)
    try:
        return replace(caller.author, request_id=request.state.request_id, reason=given)
    except Illegal as broken:
        raise _refused(broken.rule) from None


Authoring = Annotated[Author, Depends(authoring)]


def _decoded(reason: str) -> str:
    try:
        text = unquote(reason, errors="strict") if reason.isascii() else ""
    except UnicodeDecodeError:
        text = ""
    if text == "" or not text.isprintable():
        raise _refused("must be printable text, all but ASCII percent-encoded as UTF-8")
    return text


def _refused(rule: str) -> Refused:
    return Refused(invalid([Fault(REASON, rule)]))
