"""The page at `/docs`: the OpenAPI document, to read and to try, without any other host.

Swagger UI comes from the installed package `fastapi-offline`, the rest from this folder. The policy
of the page lets nothing else in: no script in the page itself, no address but this service's.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, RedirectResponse

from grantproof.api.problems import Problem, Refused

HERE: Final = Path(__file__).parent
KEPT: Final = "public, max-age=3600"
"""A browser asks an hour later whether a file is still the same, by its ETag."""
POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        # The icons of Swagger UI stand in its style sheet.
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
HOME: Final = "/docs"
"""Where a browser is sent that asks for nothing in particular."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that the page takes: where it is, and what it is."""

    path: Path
    media_type: str


@cache
def files() -> Mapping[str, File]:
    """Return what is served below `/docs/`, by name."""
    found = find_spec("fastapi_offline")
    if found is None or found.origin is None:
        return {}
    theirs = Path(found.origin).parent / "static"
    return {
        "swagger-ui.js": File(theirs / "swagger-ui-bundle.js", "text/javascript"),
        "swagger-ui.css": File(theirs / "swagger-ui.css", "text/css"),
        "docs.js": File(HERE / "docs.js", "text/javascript"),
        "docs.css": File(HERE / "docs.css", "text/css"),
    }


NAMES: Final = ("swagger-ui.js", "swagger-ui.css", "docs.js", "docs.css")
ICON: Final = File(HERE / "favicon.svg", "image/svg+xml")
PUBLIC: Final = frozenset({"/", "/docs", "/favicon.ico", *(f"/docs/{name}" for name in NAMES)})
"""The addresses that anybody may ask for: they tell what the program is, and nothing that it has."""

router = APIRouter(include_in_schema=False)


@router.get("/")
def home(request: Request) -> Response:
    """Send a browser on; for a program there is nothing here."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(f"{request.scope.get('root_path', '')}{HOME}", status_code=303)
    raise Refused(Problem("no_such_route", "there is no route `/`: see `/openapi.json`"))


@router.get("/docs")
def page() -> Response:
    """Show the page."""
    return FileResponse(HERE / "docs.html", media_type="text/html", headers=HEADERS)


@router.get("/docs/{name}")
def part(name: str, request: Request) -> Response:
    """Give a file of the page."""
    found = files().get(name)
    if found is None:
        raise Refused(Problem("no_such_route", f"there is no route `/docs/{name}`: see `/docs`"))
    return _kept(found, request)


@router.get("/favicon.ico")
def icon(request: Request) -> Response:
    """Give the icon that browsers show beside the title."""
    return _kept(ICON, request)


def _kept(file: File, request: Request) -> Response:
    """Return a file, or nothing where the browser has it already."""
    tag = _tag(file.path)
    headers = {**HEADERS, "Cache-Control": KEPT, "ETag": tag}
    known = {one.strip().removeprefix("W/") for one in request.headers.getlist("if-none-match")}
    if tag in {one.strip() for line in known for one in line.split(",")}:
        return Response(status_code=304, headers=headers)
    return FileResponse(file.path, media_type=file.media_type, headers=headers)


@cache
def _tag(path: Path) -> str:
    """Return what tells the content of a file from any other: the same wherever it is served."""
    return f'"{hashlib.sha256(path.read_bytes()).hexdigest()[:32]}"'
