"""Signing in and out: a credential is presented once, and the browser keeps it sealed."""

from typing import Annotated, Final

from fastapi import Query, Request
from starlette.responses import Response

from grantproof.api.access import CONSOLE, SIGN_IN
from grantproof.api.console import visits
from grantproof.api.console.forms import Posted
from grantproof.api.console.places import safe_next
from grantproof.api.console.rendering import page, redirect
from grantproof.api.problems import NOT_READY, Problem, Refused
from grantproof.api.running import Here, Running
from grantproof.api.strictness import strict_router
from grantproof.service.callers import Caller
from grantproof.service.visits import VISIT_SECONDS_MAX

WRONG: Final = "no such key counts here: look whether all of it was pasted, or ask for a new one"
TOO_LONG: Final = "this token is too long for a browser to keep: sign in with an API key"
SECONDS_AN_HOUR: Final = 3_600
EMPTY: Final = "paste an API key, such as `gp_...`"

router = strict_router(CONSOLE, tag="console", access=None, in_document=False)

Next = Annotated[str, Query(alias="next", description="where to go on")]
Unsent = Annotated[str, Query(description="whether a form came of nobody who is signed in")]


@router.get("/sign-in")
async def sign_in_page(
    request: Request, *, wanted: Next = CONSOLE, unsent: Unsent = ""
) -> Response:
    """Show the form that takes a key; after a form that was `unsent`, that nothing was done."""
    return _form(request, safe_next(wanted), unsent=unsent != "")


@router.post("/sign-in")
async def sign_in(request: Request, here: Here, fields: Posted) -> Response:
    """Let the browser keep the credential, if it counts."""
    to, credential = safe_next(fields.text("next")), fields.text("key")
    if credential == "":
        return _form(request, to, EMPTY, status=400)
    kept = here.services.visits.begun(credential.encode())
    if kept is None:
        return _form(request, to, TOO_LONG, status=400)
    try:
        # So that the log tells who came in.
        request.state.caller = await _checked(request, here, credential)
    except Refused as refused:
        return _refused(request, to, refused.problem)
    response = redirect(to)
    visits.keep(response, kept, request=request, public_url=here.public_url)
    return response


@router.post("/sign-out")
async def sign_out(request: Request, here: Here) -> Response:
    """Let the browser forget the credential."""
    response = redirect(SIGN_IN)
    visits.forget(response, request=request, public_url=here.public_url)
    return response


async def _checked(request: Request, here: Running, credential: str) -> Caller:
    """Return who calls with the credential, as in the header of any request; raises `Refused`."""
    if here.authentication is None:
        raise Refused(NOT_READY)
    others = [one for one in request.scope["headers"] if one[0] != visits.AUTHORIZATION]
    headers = [*others, (visits.AUTHORIZATION, b"Bearer " + credential.encode())]
    return await here.authentication.caller(headers, request.scope.get("client"))


def _refused(request: Request, to: str, problem: Problem) -> Response:
    told = WRONG if problem.code == "unauthenticated" else problem.detail
    return _form(request, to, told, status=problem.status, headers=dict(problem.headers))


def _form(
    request: Request,
    to: str,
    told: str | None = None,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    unsent: bool = False,
) -> Response:
    hours = VISIT_SECONDS_MAX // SECONDS_AN_HOUR
    values = {"next": to, "problem": told, "hours": hours, "unsent": unsent}
    return page(request, "sign-in.html", status=status, headers=headers, **values)
