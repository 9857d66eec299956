"""Trying a decision: the question as a form, the answer with its evidence drawn, nothing consumed.

Asked for by GET the question stands in the address, which can be sent to others; the form is sent
by POST, so that what may be private stands nowhere.
"""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Final

from fastapi import Depends, Query
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from grantproof.api import front
from grantproof.api.access import INQUIRY, check_scopes
from grantproof.api.console import trial_form
from grantproof.api.console.answered import Told, told
from grantproof.api.console.drawing import Picture, draw, rows
from grantproof.api.console.forms import Posted
from grantproof.api.console.places import ORGANIZATION, address
from grantproof.api.console.role_graph import suggested
from grantproof.api.console.trial_form import TypedQuestion
from grantproof.api.console.visits import Visit, Visiting
from grantproof.api.explain import Explanations
from grantproof.api.problems import Fault, Refused, invalid
from grantproof.api.strictness import strict_router
from grantproof.core.limits import ATTRIBUTES_PER_ENTITY_MAX, STRING_LENGTH_MAX
from grantproof.core.messages import DAYS
from grantproof.core.model import Exactly
from grantproof.core.organization import Organization

CLAIMS_READ_MAX: Final = 10_000
"""In so many claims actions to suggest are looked for; in more they are not."""

router = strict_router(f"{ORGANIZATION}/try", tag="console", access=INQUIRY, in_document=False)

Text = Annotated[str, Query(max_length=STRING_LENGTH_MAX)]
Long = Annotated[str, Query(max_length=ATTRIBUTES_PER_ENTITY_MAX * STRING_LENGTH_MAX)]


async def in_address(
    *,
    principal_id: Text = "",
    action: Text = "",
    resource_id: Text = "",
    resource_kind: Text = "",
    region: Text = "",
    position: Text = "",
    hour: Text = "",
    weekday: Text = "",
    usage: Text = "",
    rate: Text = "",
    instant: Text = "",
    active_roles: Long = "",
    session_id: Text = "",
    attributes: Long = "",
) -> dict[str, str]:
    """Return what the address says of the form."""
    typed = {
        "principal_id": principal_id,
        "action": action,
        "resource_id": resource_id,
        "resource_kind": resource_kind,
        "region": region,
        "position": position,
        "hour": hour,
        "weekday": weekday,
        "usage": usage,
        "rate": rate,
        "instant": instant,
        "active_roles": active_roles,
        "session_id": session_id,
        "attributes": attributes,
    }
    return {name: text.strip() for name, text in typed.items()}


@router.get("")
async def try_form(
    visit: Visiting, typed: Annotated[dict[str, str], Depends(in_address)]
) -> Response:
    """Show the form; with a question in the address, its answer too."""
    check_scopes(visit.caller, front.SCOPES[front.EXPLAIN])
    if not any(typed.values()):
        return await _page(visit, typed)
    return await _answered(visit, typed)


@router.post("")
async def try_decision(visit: Visiting, fields: Posted) -> Response:
    """Answer the question of the form, of which nothing stands in the address."""
    check_scopes(visit.caller, front.SCOPES[front.EXPLAIN])
    strays = sorted(set(fields.values) - trial_form.FIELDS)
    if strays:
        raise Refused(invalid([Fault("form", "has a field that is not known here")]))
    return await _answered(visit, {name: fields.text(name) for name in trial_form.empty()})


async def _answered(visit: Visit, typed: Mapping[str, str]) -> Response:
    asked = trial_form.read(visit.state.id, typed)
    if not isinstance(asked, TypedQuestion):
        return await _page(visit, typed, faults=asked)
    here, point = visit.here, visit.here.services.decisions
    prepared = await Explanations(here.decisions, point).prepared(
        asked.question, visit.caller, said=asked.said, supposed=asked.instant
    )
    # On the loop, as all decisions are, and with nothing awaited since the counters were read.
    answer = point.decide_entered(
        prepared.index, prepared.inside, prepared.supplied, instant=prepared.context.instant
    )
    solver = here.services.solver
    shown = await run_in_threadpool(told, point, solver, prepared, answer=answer, typed=typed)
    return await _page(visit, typed, shown=shown)


async def _page(
    visit: Visit,
    typed: Mapping[str, str],
    *,
    faults: Mapping[str, str] | None = None,
    shown: Told | None = None,
) -> Response:
    return await run_in_threadpool(partial(_made, visit, typed, faults=faults or {}, shown=shown))


def _made(
    visit: Visit, typed: Mapping[str, str], *, faults: Mapping[str, str], shown: Told | None
) -> Response:
    state = visit.state
    return visit.page(
        "try.html",
        status=400 if faults else 200,
        state=state,
        typed=typed,
        faults={**dict.fromkeys(["", *trial_form.FIELDS], ""), **faults},
        days=DAYS,
        more=any(typed[name] for name in trial_form.FIELDS - {*trial_form.WANTED}),
        names={
            "principals": suggested(state.principals),
            "actions": _actions(state),
            "resources": suggested(state.resources),
            "kinds": suggested(state.resources_of_kind),
        },
        shown=shown,
        way=None if shown is None else _drawn(shown.way),
        graph=None if shown is None or shown.graph is None else _drawn(shown.graph),
        link=None if shown is None else _link(visit, typed),
        left_out=[name for name in sorted(trial_form.PRIVATE) if typed[name]],
    )


def _drawn(picture: Picture) -> dict[str, object]:
    return {"svg": draw(picture), "rows": list(rows(picture))}


def _link(visit: Visit, typed: Mapping[str, str]) -> str:
    """Return an address that asks the same, without what is private."""
    public = {name: text for name, text in typed.items() if text and name not in trial_form.PRIVATE}
    return address("orgs", visit.state.id, "try", **public)


def _actions(state: Organization) -> list[str]:
    if len(state.claims) > CLAIMS_READ_MAX:
        return []
    named = {
        str(claim.action.value)
        for claim in state.claims.values()
        if isinstance(claim.action, Exactly)
    }
    return suggested(named)
