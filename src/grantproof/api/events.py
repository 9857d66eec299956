"""Events: everything that ever happened to an organization, in order, and what comes next."""

import asyncio
from dataclasses import replace
from typing import Annotated, Final

from fastapi import Depends, Query, Request, Response
from pydantic_core import from_json
from starlette.concurrency import run_in_threadpool

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Fault, Refused, forbidden, invalid
from grantproof.api.replies import paged
from grantproof.api.running import Here, Running
from grantproof.api.schemas.events import EventAnswer
from grantproof.api.schemas.pages import Page
from grantproof.api.scope import PREFIX, State
from grantproof.api.strictness import strict_router
from grantproof.core.identifiers import OrganizationId
from grantproof.core.limits import (
    ACTOR_LENGTH_MAX,
    EVENTS_PAGE_MAX,
    INSTANT_MAX,
    INTEGER_MAX,
    PAGE_ITEMS_DEFAULT,
    STRING_LENGTH_MAX,
    WAIT_SECONDS_MAX,
)
from grantproof.policyfile.command_documents import DOCUMENTS
from grantproof.policyfile.wire import CHANGE_SET
from grantproof.service.history import BEFORE_ALL, Entry, EventQuery, Look, look

REVISION_MAX: Final = INTEGER_MAX // 2
"""Leaves room for counting on from it."""

COMMANDS: Final = frozenset({*DOCUMENTS, CHANGE_SET, "Found", "Dissolve"})

router = strict_router(f"{PREFIX}/events", tag="events", access=ADMINISTRATION)

Instant = Annotated[int | None, Query(ge=0, le=INSTANT_MAX, description="in epoch seconds")]


async def querying(
    *,
    after: Annotated[
        int | None,
        Query(
            ge=0,
            le=REVISION_MAX,
            description="a revision: show what came after it; without it, from the founding on",
        ),
    ] = None,
    actor: Annotated[
        str | None, Query(max_length=ACTOR_LENGTH_MAX, description="who made them")
    ] = None,
    since: Instant = None,
    until: Instant = None,
    command: Annotated[
        str | None,
        Query(
            description="the type of the command, or of one in a change set",
            json_schema_extra={"enum": sorted(COMMANDS)},
        ),
    ] = None,
    subject: Annotated[
        str | None,
        Query(max_length=STRING_LENGTH_MAX, description="an id that the event names"),
    ] = None,
) -> EventQuery:
    """Return which events are wanted."""
    if command is not None and command not in COMMANDS:
        rule = f"must be one of {', '.join(f'`{one}`' for one in sorted(COMMANDS))}"
        raise Refused(invalid([Fault("command", rule)]))
    first = BEFORE_ALL if after is None else after
    return EventQuery(first, actor, since, until, command, subject)


Wanted = Annotated[EventQuery, Depends(querying)]
Limit = Annotated[int, Query(ge=1, le=EVENTS_PAGE_MAX, description="at most so many events")]
Wait = Annotated[
    int,
    Query(
        ge=0,
        le=WAIT_SECONDS_MAX,
        description="seconds to wait for an event when there is none yet",
    ),
]


@router.get("", response_model=Page[EventAnswer])
async def list_events(
    here: Here,
    state: State,
    wanted: Wanted,
    *,
    request: Request,
    limit: Limit = PAGE_ITEMS_DEFAULT,
    wait: Wait = 0,
) -> Response:
    """List events in the order of their revisions, and wait for them if asked to.

    `next` is not null while there is more to look at, even where nothing on this page was wanted.
    """
    latest = state.revision
    found = await _look(here, state.id, wanted, limit=limit, latest=latest)
    if wait > 0 and _is_over(found):
        with here.waiting.place():
            deadline = asyncio.get_running_loop().time() + wait
            while _is_over(found):
                moved = await _next_revision(here, state.id, latest, until=deadline, of=request)
                if moved is None:
                    break
                wanted = replace(wanted, after=max(wanted.after, latest))
                latest = moved
                found = await _look(here, state.id, wanted, limit=limit, latest=latest)
    end = None if found.more_after is None else str(found.more_after)
    return paged([_written(entry) for entry in found.entries], latest, next_after=end)


def _is_over(found: Look) -> bool:
    """Return whether nothing was found and there is nothing more to look at."""
    return len(found.entries) == 0 and found.more_after is None


async def _next_revision(
    here: Running, organization: OrganizationId, seen: int, *, until: float, of: Request
) -> int | None:
    """Wait for a revision after the one seen; nothing when the time is over.

    Raises `Refused` when the organization is gone, or what is known of it is too old, and
    `StoreError`.
    """
    loop = asyncio.get_running_loop()
    while True:
        index = here.following.known(organization)
        if index is None:
            # Gone, or too old, or out of memory: this finds out, and raises what is not the first.
            if await here.following.index(organization) is None:
                raise Refused(forbidden(organization))
            continue
        if index.state.revision > seen:
            return index.state.revision
        seconds = until - loop.time()
        if seconds <= 0 or here.waiting.stopping:
            return None
        if not await here.waiting.moved(organization, seconds=seconds, request=of):
            return None


async def _look(
    here: Running, organization: OrganizationId, wanted: EventQuery, *, limit: int, latest: int
) -> Look:
    store = here.services.store
    return await run_in_threadpool(look, store, organization, wanted, limit=limit, latest=latest)


def _written(entry: Entry) -> EventAnswer:
    return EventAnswer.model_construct(
        revision=entry.revision,
        instant=entry.instant,
        actor=entry.actor,
        reason=entry.reason,
        request_id=entry.request_id,
        command=from_json(entry.command),
        delta=from_json(entry.delta),
    )
