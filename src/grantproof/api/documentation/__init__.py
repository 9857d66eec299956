"""The page at `/docs`: the OpenAPI document, to read and to try, without any other host.

Swagger UI comes from the installed package `fastapi-offline`, the rest from this folder. The policy
of the page lets nothing else in: no script in the page itself, no address but this service's.
"""

import hashlib
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from fastapi import Request, Response
from fastapi.responses import FileResponse, RedirectResponse

from grantproof.api.access import CONSOLE, DOCS, DOCS_PARTS, ICON, ROOT
from grantproof.api.console import static_files
from grantproof.api.strictness import strict_router

HERE: Final = Path(__file__).parent
PACKAGE: Final = "fastapi_offline"
KEPT: Final = "public, max-age=3600"
"""A browser asks an hour later whether a file is still the same, by its ETag."""
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none';"
    # The icons of Swagger UI stand in its style sheet.
    " img-src 'self' data:; form-action 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


TYPES: Final = {".css": "text/css", ".js": "text/javascript"}
THEIRS: Final = {"swagger-ui.js": "swagger-ui-bundle.js", "swagger-ui.css": "swagger-ui.css"}
"""What the files of Swagger UI are called in their package."""

router = strict_router("", tag="documentation", access=None, in_document=False)


@router.get(ROOT)
async def home() -> Response:
    """Lead to the console whoever opens the address of the service."""
    return RedirectResponse(CONSOLE, status_code=303)


@router.get(ICON)
async def icon() -> Response:
    """Lead to the icon, for browsers that look for it without being told."""
    return RedirectResponse(static_files.static("icon.svg"), status_code=303)


@router.get(DOCS)
async def page() -> Response:
    """Show the page."""
    return FileResponse(HERE / "docs.html", media_type="text/html", headers=HEADERS)


async def part(request: Request) -> Response:
    """Give a file of the page, or nothing where the browser has it already."""
    file = path_of(request.url.path.rpartition("/")[2])
    tag = _tag(file)
    headers = {**HEADERS, "Cache-Control": KEPT, "ETag": tag}
    if tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return FileResponse(file, media_type=TYPES[file.suffix], headers=headers)


for _path in DOCS_PARTS:
    router.get(_path)(part)


@cache
def path_of(name: str) -> Path:
    """Return where a file of the page is: beside us, or in the package that brings it."""
    if name not in THEIRS:
        return HERE / name
    return Path(str(distribution(PACKAGE).locate_file(f"{PACKAGE}/static/{THEIRS[name]}")))


@cache
def _tag(path: Path) -> str:
    """Return what tells the content of a file from any other: the same wherever it is served."""
    return f'"{hashlib.sha256(path.read_bytes()).hexdigest()[:32]}"'
