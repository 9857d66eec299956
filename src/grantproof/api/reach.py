"""Reach: what some people could bring about, by any changes that each of them may make."""

from typing import Final, assert_never

from fastapi import Response
from pydantic import TypeAdapter

from grantproof.analysis.reachability.question import Holds, MayDo
from grantproof.api.access import INQUIRY
from grantproof.api.problems import Refused, later, rejected
from grantproof.api.replies import shown
from grantproof.api.running import Here
from grantproof.api.schemas.reach import (
    ActionToReach,
    AnyReach,
    Reached,
    RoleToReach,
    SupposedContext,
)
from grantproof.api.scope import PREFIX, State
from grantproof.api.strictness import strict_router
from grantproof.core.errors import Missing, Noun
from grantproof.core.matching import Request, resolve
from grantproof.core.organization import Organization
from grantproof.service import reach
from grantproof.service.pip import Supplied
from grantproof.service.reach_documents import document
from grantproof.service.solving import Undetermined

ANSWERS: Final = TypeAdapter[Reached](Reached)

router = strict_router(f"{PREFIX}/reach", tag="reach", access=INQUIRY)


@router.post("", response_model=Reached)
def ask_reach(here: Here, state: State, body: AnyReach) -> Response:
    """Ask whether some people could bring something about, by any changes that they may make."""
    for name in (*sorted(body.by), body.principal):
        if name not in state.principals:
            raise _missing("principal", name)
    instant = here.services.decisions.instant()
    found = reach.in_organization(
        state,
        _goal(state, body, instant=instant),
        people=body.by,
        principal=body.principal,
        instant=instant,
        hour=body.context.hour,
        weekday=body.context.weekday,
        solver=here.services.solver,
    )
    if isinstance(found, Undetermined):
        raise Refused(later("undetermined", f"whether they can is not known: {found.why}"))
    return shown(ANSWERS.validate_python(document(found)), state.revision)


def _goal(state: Organization, body: RoleToReach | ActionToReach, *, instant: int) -> Holds | MayDo:
    """Return what is to be brought about; raises `Refused` for what there is not."""
    match body:
        case RoleToReach():
            if body.role not in state.roles:
                raise _missing("role", body.role)
            return Holds(body.role)
        case ActionToReach():
            asked = Request(body.principal, body.action, body.resource_id, body.resource_kind)
            if resolve(state, asked) is None:
                raise _missing("resource", body.resource_id)
            return reach.may_do(
                state,
                body.action,
                body.resource_id,
                instant=instant,
                kind=body.resource_kind,
                supplied=_supplied(body.context),
            )
        case _:
            assert_never(body)


def _supplied(context: SupposedContext) -> Supplied:
    return Supplied(
        region=context.region,
        position=context.position,
        attributes=context.attributes,
        hour=context.hour,
        weekday=context.weekday,
    )


def _missing(noun: Noun, name: str) -> Refused:
    return Refused(rejected(Missing(noun, (name,))))
