"""Events: everything that ever happened to an organization, in order."""

from typing import Annotated

from fastapi import Query, Response
from pydantic_core import from_json

from grantproof.api.access import ADMINISTRATION
from grantproof.api.replies import paged
from grantproof.api.running import Here
from grantproof.api.schemas.events import EventAnswer
from grantproof.api.schemas.pages import Page
from grantproof.api.scope import PREFIX, State
from grantproof.api.strictness import strict_router
from grantproof.core.commands import Event
from grantproof.core.limits import EVENTS_PAGE_MAX, PAGE_ITEMS_DEFAULT
from grantproof.policyfile import wire

router = strict_router(f"{PREFIX}/events", tag="events", access=ADMINISTRATION)


@router.get("", response_model=Page[EventAnswer])
def list_events(
    here: Here,
    state: State,
    *,
    after: Annotated[int, Query(ge=0, description="a revision: show what came after it")] = 0,
    limit: Annotated[
        int, Query(ge=1, le=EVENTS_PAGE_MAX, description="at most so many events")
    ] = PAGE_ITEMS_DEFAULT,
) -> Response:
    """List events in the order of their revisions."""
    found = here.services.store.events(state.id, after=after, limit=limit + 1)
    events = found[:limit]
    end = str(events[-1].revision) if len(found) > limit else None
    return paged([_written(event) for event in events], state.revision, next_after=end)


def _written(event: Event) -> EventAnswer:
    return EventAnswer.model_construct(
        revision=event.revision,
        instant=event.instant,
        actor=event.actor,
        command=from_json(wire.encode_command(event.command)),
        delta=from_json(wire.encode_delta(event.delta)),
    )
