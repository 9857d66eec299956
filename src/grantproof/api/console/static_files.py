"""Style, script and icon: files of ours, named by what they hold, so that browsers keep them."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Annotated, Final

from fastapi import Path, Query, Request
from starlette.responses import Response

from grantproof.api.access import CONSOLE, STATIC
from grantproof.api.problems import Problem, Refused
from grantproof.api.strictness import strict_router

TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FOR_EVER: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "public, no-cache"
DIGITS: Final = 16

router = strict_router(STATIC, tag="console", access=None, in_document=False)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file as it is sent; its tag is the beginning of the SHA-256 of its bytes."""

    body: bytes
    kind: str
    tag: str


@cache
def found() -> dict[str, StaticFile]:
    """Return every file by its name."""
    folder = files("grantproof.api.console").joinpath("static")
    return {
        entry.name: _read(entry.name, entry.read_bytes())
        for entry in folder.iterdir()
        if entry.is_file() and _suffix(entry.name) in TYPES
    }


def static(name: str) -> str:
    """Return the address of a file: another one when the file is another."""
    return f"{STATIC}/{name}?v={found()[name].tag}"


@router.get("/{name}")
async def get_static(
    request: Request,
    name: Annotated[str, Path()],
    v: Annotated[str | None, Query(description="the tag of what is meant")] = None,
) -> Response:
    """Send a file; nothing but its tag to a browser that has it."""
    file = found().get(name)
    if file is None:
        raise Refused(Problem("no_such_route", f"there is no such file: see `{CONSOLE}`"))
    tag = f'"{file.tag}"'
    headers = {
        "ETag": tag,
        "Cache-Control": FOR_EVER if v == file.tag else ASK_AGAIN,
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.body, headers=headers, media_type=file.kind)


def _read(name: str, body: bytes) -> StaticFile:
    tag = hashlib.sha256(body).hexdigest()[:DIGITS]
    return StaticFile(body, TYPES[_suffix(name)], tag)


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]
