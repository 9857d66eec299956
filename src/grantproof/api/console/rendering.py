"""The one way a page is made: its template, its headers, and what stands around it.

Everything is escaped unless a template is told otherwise, and none is; a value that a template
names and nobody gave is an error. What the browser may load is our own files only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from grantproof import __version__
from grantproof.api.access import CONSOLE, SAFE_METHODS
from grantproof.api.console.places import address, safe_next
from grantproof.api.console.static_files import static
from grantproof.api.problems import KINDS, Problem
from grantproof.service.callers import Caller, Scope
from grantproof.service.versions import Versioned

POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""What the browser may load and do (CSP 3): nothing in a page counts that is not from here."""
HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: that would make browsers hide the `Origin` of our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
UNAUTHENTICATED: Final = "unauthenticated"
SEE_OTHER: Final = 303
SHORT_SECONDS: Final = 10
SECONDS_TOLD_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of an organization in the navigation: `tail` is its address below it."""

    label: str
    tail: str
    scope: Scope = Scope.REVIEW


PROOFS: Final = f"{CONSOLE}/proofs"

NAVIGATION: Final = (
    Entry("Overview", ""),
    Entry("Roles", "roles"),
    Entry("Try a decision", "try", Scope.EVALUATE),
    Entry("Assignments", "assignments"),
    Entry("Differences", "diff"),
    Entry("Events", "events"),
)
"""Every page of an organization that has a place in the navigation, in this order."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the navigation; `current` as `aria-current` says it, or nothing."""

    label: str
    href: str
    current: str | None


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **values: Any,
) -> Response:
    """Return the page that the template makes of the values.

    Around it are who is signed in, the organization that `request.state.seen` holds, or else the
    caller's own, and the links that the caller may follow.
    """
    caller, seen = _state(request, "caller", Caller), _state(request, "seen", Versioned)
    organization = seen.state.id if seen is not None else caller and caller.organization
    around = {
        "actor": None if caller is None else caller.author.actor,
        "is_demo": caller is not None and caller.author.actor == "demo",
        "organization": organization,
        "revision": None if seen is None else seen.state.revision,
        "navigation": [] if caller is None else list(_links(request, caller, organization)),
        "beside": [] if caller is None else list(_beside(request, caller)),
    }
    text = environment().get_template(template).render({**around, **values})
    return HTMLResponse(text, status, headers={**HEADERS, **(headers or {})})


def turned_away(request: Request, problem: Problem) -> Response:
    """Return the page of a problem: to sign in, where that is what is wanting."""
    if problem.code == UNAUTHENTICATED:
        return to_sign_in(request)
    return page(
        request,
        "problem.html",
        status=problem.status,
        headers=dict(problem.headers),
        problem=problem,
        title=KINDS[problem.code][1],
        request_id=_state(request, "request_id", str),
    )


def to_sign_in(request: Request) -> Response:
    """Return the way to the sign-in page, and from there back to what was asked for.

    From a form that is the page where it stood, and the sign-in page tells that nothing was done.
    """
    scope = request.scope
    if scope["method"] not in SAFE_METHODS:
        _, _, stood = request.headers.get("referer", "").partition("://")
        wanted = safe_next(f"/{stood.partition('/')[2]}")
        return redirect(address("sign-in", next=_unless_start(wanted), unsent="yes"))
    query = scope.get("query_string", b"").decode("latin-1")
    # The path as it came: escaped, so that it is an address again.
    raw: bytes = scope.get("raw_path") or b""
    asked = raw.decode("latin-1").partition("?")[0]
    wanted = safe_next(f"{asked}?{query}" if query else asked)
    return redirect(address("sign-in", next=_unless_start(wanted)))


def _unless_start(wanted: str) -> str | None:
    return None if wanted == CONSOLE else wanted


def redirect(to: str) -> Response:
    """Return that the browser is to get another page of ours."""
    return RedirectResponse(to, SEE_OTHER, headers=HEADERS)


@cache
def environment() -> Environment:
    """Return what makes the templates into text."""
    made = Environment(
        loader=PackageLoader("grantproof.api.console"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(at=address, static=static, version=__version__)
    made.filters.update(
        count=_count, duration=_seconds, instant=_instant, machine_instant=_machine_instant
    )
    return made


def _links(request: Request, caller: Caller, organization: str | None) -> Iterator[Link]:
    here = request.url.path
    if organization is None:
        return
    for entry in NAVIGATION:
        if entry.scope in caller.scopes:
            href = address("orgs", organization, *([entry.tail] if entry.tail else []))
            yield Link(entry.label, href, _current(here, href, is_start=entry.tail == ""))


def _beside(request: Request, caller: Caller) -> Iterator[Link]:
    """Yield the links that are of no organization."""
    here = request.url.path
    if Scope.REVIEW in caller.scopes:
        if caller.organization is None:
            yield Link("Organizations", CONSOLE, _current(here, CONSOLE, is_start=True))
        yield Link("Proofs", PROOFS, _current(here, PROOFS, is_start=False))


def _current(here: str, href: str, *, is_start: bool) -> str | None:
    if here == href:
        return "page"
    # Of the pages below, such as that of one role, this is the part of the console.
    return "true" if not is_start and here.startswith(f"{href}/") else None


def _state(request: Request, name: str, kind: type) -> Any:
    found = getattr(request.state, name, None)
    return found if isinstance(found, kind) else None


def _count(number: int) -> str:
    return f"{number:,}"


def _seconds(number: float) -> str:
    """Return a duration: in seconds below two minutes, else in minutes and seconds."""
    if number < SECONDS_TOLD_MAX:
        return f"{number:.1f} s" if number < SHORT_SECONDS else f"{number:.0f} s"
    return f"{int(number) // 60} min {int(number) % 60} s"


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _machine_instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
