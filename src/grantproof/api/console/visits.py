"""The cookie of a visit, and `Visit`: who asks for a page, and for which organization.

The cookie holds the credential that was presented when signing in, sealed. In the console it stands
for the header `Authorization`, and from there on everything is as for any request: the same
keyring, pacing, scopes and revocations. Outside the console it is nothing.
"""

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from starlette.responses import Response

from grantproof.api.access import CONSOLE
from grantproof.api.console.rendering import page
from grantproof.api.running import Calling, Here, Running
from grantproof.api.scope import Seen
from grantproof.core.organization import Organization
from grantproof.service.callers import Caller, Scope
from grantproof.service.versions import Versioned
from grantproof.service.visits import Visits

COOKIE: Final = "grantproof_console"
AUTHORIZATION: Final = b"authorization"

RawHeaders = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks for a page about an organization, and the organization at one revision."""

    request: Request
    here: Running
    caller: Caller
    seen: Versioned

    @property
    def state(self) -> Organization:
        """The organization."""
        return self.seen.state

    def may(self, scope: Scope) -> bool:
        """Return whether the caller's credential has the scope."""
        return scope in self.caller.scopes

    def page(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """Return the page that the template makes of the values."""
        return page(self.request, template, status=status, **values)


async def visiting(request: Request, here: Here, caller: Calling, *, seen: Seen) -> Visit:
    """Return who visits the organization of the address; raises `Refused` as the API does."""
    request.state.seen = seen
    return Visit(request, here, caller, seen)


Visiting = Annotated[Visit, Depends(visiting)]


def presented(headers: RawHeaders, visits: Visits) -> RawHeaders:
    """Return the headers with the credential of the visit, if there is one, for the only one.

    What is no visit, or one that has ended, leaves them as they are: without a credential of
    another kind nobody is signed in.
    """
    kept = cookie_of(headers)
    credential = None if kept is None else visits.credential(kept)
    if credential is None:
        return headers
    others = [(name, value) for name, value in headers if name != AUTHORIZATION]
    return [*others, (AUTHORIZATION, b"Bearer " + credential)]


def cookie_of(headers: RawHeaders) -> str | None:
    """Return what the browser keeps; nothing where it keeps it twice, as another site may have."""
    named = f"{COOKIE}=".encode()
    found = [
        part.strip().removeprefix(named)
        for name, value in headers
        if name == b"cookie"
        for part in value.split(b";")
        if part.strip().startswith(named)
    ]
    return found[0].decode("latin-1") if len(found) == 1 else None


def keep(response: Response, kept: str, *, request: Request, public_url: str | None) -> None:
    """Let the browser keep it, for the console only, until it is closed."""
    response.set_cookie(
        COOKIE,
        kept,
        path=CONSOLE,
        httponly=True,
        samesite="strict",
        secure=is_secure(request, public_url),
    )


def forget(response: Response, *, request: Request, public_url: str | None) -> None:
    """Let the browser forget it."""
    response.delete_cookie(
        COOKIE,
        path=CONSOLE,
        httponly=True,
        samesite="strict",
        secure=is_secure(request, public_url),
    )


def is_secure(request: Request, public_url: str | None) -> bool:
    """Return whether the browser reaches the console by https, also by way of a proxy.

    The browser says so in the `Origin` of the form, the operator in a setting.
    """
    known = (str(request.url), public_url or "", request.headers.get("origin", ""))
    return any(one.lower().startswith("https:") for one in known)
