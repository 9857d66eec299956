"""Sessions: a principal's chosen roles, kept for a while. They make no revision.

Whoever may only ask for decisions opens and widens none: the scope is one of its own, for the
enforcement points that know who has come and who has gone.
"""

from typing import Annotated

import structlog
from fastapi import Depends, Query, Response

from grantproof.api.access import SESSIONS
from grantproof.api.authoring import Authoring
from grantproof.api.conditions import WantedOnce, unmet
from grantproof.api.problems import Problem, Refused, forbidden, later, not_found, unwilling
from grantproof.api.replies import JSON, WantedPage, cursor, page, paged, path, shown
from grantproof.api.running import Here, Running
from grantproof.api.schemas.pages import Page
from grantproof.api.schemas.sessions import ActiveRoles, NewSession, SessionAnswer, SessionRole
from grantproof.api.scope import PREFIX, State
from grantproof.api.strictness import strict_router
from grantproof.core.errors import Missing
from grantproof.core.identifiers import OrganizationId, SessionId
from grantproof.core.organization import Organization
from grantproof.core.sessions import Session
from grantproof.policyfile import documents
from grantproof.policyfile.fields import PrincipalField, RoleField, SessionField
from grantproof.service import standard_review
from grantproof.service.authors import Author
from grantproof.service.pap import Contended, NoOrganization
from grantproof.service.receipts import InProgress, KeyReused, Once, Retold
from grantproof.service.sessions import OneAnswer, Outcome, Unwilling, Written

OfPrincipal = Annotated[PrincipalField | None, Query(description="of this principal only")]

router = strict_router(f"{PREFIX}/sessions", tag="sessions", access=SESSIONS)

log = structlog.get_logger(__name__)


async def present(author: Authoring, state: State) -> Author:
    """Return who asks, if they are still somebody there; raises `Refused`."""
    principal = author.principal
    if principal is not None:
        stored = state.principals.get(principal)
        if stored is None or not stored.active:
            detail = f"`{principal}` is not there any more, or suspended"
            raise Refused(Problem("not_permitted", detail))
    return author


Present = Annotated[Author, Depends(present)]


@router.get("", response_model=Page[SessionAnswer])
def list_sessions(
    here: Here, state: State, wanted: WantedPage, *, principal: OfPrincipal = None
) -> Response:
    """List the sessions that last, in the order of their ids: read from the database."""
    found = here.services.sessions.page(
        state.id, principal=principal, after=cursor(wanted, SessionId), limit=wanted.limit + 1
    )
    items = found[: wanted.limit]
    end = items[-1].id if len(found) > wanted.limit else None
    return paged([SessionAnswer.of(one) for one in items], state.revision, next_after=end)


@router.post("", status_code=201, response_model=SessionAnswer)
def open_session(
    here: Here, by: Present, state: State, *, body: NewSession, once: WantedOnce
) -> Response:
    """Open a session of roles that the principal holds now, and that may be active together."""
    outcome = here.services.sessions.open(state.id, body.wanted(), by=by, answer=_answering(once))
    written = _told(outcome, state.id)
    if isinstance(outcome, Written):
        _log("session opened", state, outcome.session.id, by=by)
    reply = Response(written, 201, media_type=JSON)
    name = SessionAnswer.model_validate_json(written).id
    reply.headers["Location"] = path(state.id, "sessions", name)
    return reply


@router.get("/{session}", response_model=SessionAnswer)
def get_session(here: Here, state: State, session: SessionField) -> Response:
    """Show a session that lasts."""
    found = _found(here, state, session)
    return Response(SessionAnswer.of(found).model_dump_json(), media_type=JSON)


@router.delete("/{session}", status_code=204)
def end_session(here: Here, by: Present, state: State, *, session: SessionField) -> Response:
    """End a session for good: here at once, elsewhere within five seconds."""
    if not here.services.sessions.end(state.id, session):
        raise Refused(not_found("session", session))
    _log("session ended", state, session, by=by)
    return Response(status_code=204)


@router.get("/{session}/roles", response_model=ActiveRoles)
def list_session_roles(here: Here, state: State, session: SessionField) -> Response:
    """List the roles that are active in a session now, inherited ones too."""
    found = _found(here, state, session)
    instant = here.services.decisions.instant()
    active = standard_review.session_roles(state, found.principal, instant, chosen=found.roles)
    answer = ActiveRoles.model_construct(
        chosen=sorted(found.roles), active=sorted(active), revision=state.revision
    )
    return shown(answer, state.revision)


@router.post("/{session}/roles", response_model=SessionAnswer)
def add_session_role(
    here: Here,
    by: Present,
    state: State,
    *,
    session: SessionField,
    body: SessionRole,
    once: WantedOnce,
) -> Response:
    """Let a session have one role more, which its principal holds now."""
    outcome = here.services.sessions.add_role(
        state.id, session, body.role, by=by, answer=_answering(once)
    )
    written = _told(outcome, state.id, session)
    if isinstance(outcome, Written):
        _log("session widened", state, session, by=by)
    return Response(written, media_type=JSON)


@router.delete("/{session}/roles/{role}", status_code=204)
def drop_session_role(
    here: Here, by: Present, state: State, *, session: SessionField, role: RoleField
) -> Response:
    """Let a session have one role less, which was chosen."""
    outcome = here.services.sessions.drop_role(state.id, session, role, by=by)
    _told(outcome, state.id, session, role)
    _log("session narrowed", state, session, by=by)
    return Response(status_code=204)


@router.get("/{session}/permissions", response_model=Page[documents.Claim])
def list_session_permissions(
    here: Here, state: State, wanted: WantedPage, *, session: SessionField
) -> Response:
    """List the claims of the roles that are active in a session now, whatever constrains them."""
    found = _found(here, state, session)
    instant = here.services.decisions.instant()
    claims = standard_review.session_permissions(
        state, found.principal, instant, chosen=found.roles
    )
    return page(
        [claim.id for claim in claims],
        wanted,
        write=lambda name: documents.Claim.of(state.claims[name]),
        revision=state.revision,
    )


def _answering(once: Once | None) -> OneAnswer | None:
    return None if once is None else OneAnswer(once, _written)


def _written(session: Session) -> str:
    return SessionAnswer.of(session).model_dump_json()


def _told(outcome: Outcome, organization: OrganizationId, *named: str) -> str:
    """Return the answer that was asked for; raises `Refused`. The address names what it does."""
    match outcome:
        case Written(session):
            return _written(session)
        case Retold(told):
            return told
        case Unwilling(refusal):
            absent = isinstance(refusal, Missing) and (refusal.noun, refusal.ids) in _names(named)
            raise Refused(unwilling(refusal, missing_is_absent=absent))
        case KeyReused() | InProgress():
            raise Refused(unmet(outcome))
        case NoOrganization():
            raise Refused(forbidden(organization))
        case Contended(attempts):
            raise Refused(later("contended", f"lost {attempts} races against others: try again"))


def _names(named: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return what can be missing of what the address names."""
    return (("session", named[:1]), ("active role", named)) if named else ()


def _found(here: Running, state: Organization, session: SessionId) -> Session:
    found = here.services.sessions.find(state.id, session)
    if found is None:
        raise Refused(not_found("session", session))
    return found


def _log(event: str, state: Organization, session: str, *, by: Author) -> None:
    log.info(
        event,
        organization=state.id,
        session=session,
        actor=by.actor,
        request_id=by.request_id,
        reason=by.reason,
    )
