"""Reading the history: entries with their authors, and only as many rows as a look may cost."""

import json
from collections.abc import Iterator
from typing import Final

from sqlalchemy import ColumnElement, Connection, func, select

from grantproof.adapters.sql.rows import table
from grantproof.core.identifiers import OrganizationId
from grantproof.core.limits import EVENTS_SEARCHED_MAX
from grantproof.service.history import Entry, EventQuery, matches

EVENT: Final = table("event")
PERSONAL: Final = table("event_personal")
ROWS_AT_ONCE: Final = 500

WITH_AUTHORS: Final = EVENT.outerjoin(
    PERSONAL,
    (PERSONAL.c.organization_id == EVENT.c.organization_id)
    & (PERSONAL.c.revision == EVENT.c.revision),
)
"""Events, each with its author where there is one."""

COLUMNS: Final = (
    EVENT.c.organization_id,
    EVENT.c.revision,
    EVENT.c.kind,
    EVENT.c.instant,
    PERSONAL.c.actor,
    PERSONAL.c.reason,
    EVENT.c.request_id,
    PERSONAL.c.erased_at,
    EVENT.c.command,
    EVENT.c.delta,
    EVENT.c.mac,
)
"""In the order of the fields of `Entry`."""


def latest(connection: Connection, organization: OrganizationId) -> int | None:
    """Return the revision of the last event, or nothing when there is none."""
    mine = EVENT.c.organization_id == organization
    return connection.execute(select(func.max(EVENT.c.revision)).where(mine)).scalar()


def entries(
    connection: Connection, organization: OrganizationId, query: EventQuery
) -> Iterator[Entry]:
    """Yield the wanted entries among the `EVENTS_SEARCHED_MAX` events next to the one named.

    The database leaves out most of what is not wanted, `matches` the rest.
    """
    wanted = select(*COLUMNS).select_from(WITH_AUTHORS).where(*_conditions(organization, query))
    reading = connection.execution_options(yield_per=ROWS_AT_ONCE)
    # Whoever has enough stops before the last row: then the server's cursor is closed too.
    revision = EVENT.c.revision
    order = revision if query.before is None else revision.desc()
    with reading.execute(wanted.order_by(order)) as rows:
        for row in rows:
            entry = Entry(*row)
            if matches(entry, query):
                yield entry


def _conditions(organization: OrganizationId, query: EventQuery) -> Iterator[ColumnElement[bool]]:
    yield EVENT.c.organization_id == organization
    yield EVENT.c.revision > query.after
    if query.before is None:
        yield EVENT.c.revision <= query.after + EVENTS_SEARCHED_MAX
    else:
        yield EVENT.c.revision < query.before
        yield EVENT.c.revision >= query.before - EVENTS_SEARCHED_MAX
    if query.actor is not None:
        yield PERSONAL.c.actor == query.actor
    if query.since is not None:
        yield EVENT.c.instant >= query.since
    if query.until is not None:
        yield EVENT.c.instant < query.until
    if query.command is not None:
        yield EVENT.c.command.contains(_inside_text(query.command), autoescape=True)
    if query.subject is not None:
        named = _inside_text(query.subject)
        yield EVENT.c.command.contains(named, autoescape=True) | EVENT.c.delta.contains(
            named, autoescape=True
        )


def _inside_text(name: str) -> str:
    """Return a name as it stands inside of a JSON text."""
    return json.dumps(name, ensure_ascii=False)[1:-1]
