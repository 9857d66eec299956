"""The chain as it is stored: read as a whole, compared with the facts, its authors erased."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, select, union, update

from grantproof.adapters.sql.connections import Connections
from grantproof.adapters.sql.mapping import Stored
from grantproof.adapters.sql.reading import ROWS_AT_ONCE, WITH_AUTHORS
from grantproof.adapters.sql.replay import CONTENT, differences
from grantproof.adapters.sql.rows import table
from grantproof.service.audit_chain import Anchor, AuditKey, Content, Person, Sealed, erased
from grantproof.service.ports import Difference

ORGANIZATION: Final = table("organization")
EVENT: Final = table("event")
PERSONAL: Final = table("event_personal")


PERSON: Final = (
    PERSONAL.c.salt,
    PERSONAL.c.actor,
    PERSONAL.c.reason,
    PERSONAL.c.erased_at,
    PERSONAL.c.erasure,
)
"""In the order of the fields of `Person`."""

SEALED: Final = (*CONTENT, *PERSON, EVENT.c.key_id, EVENT.c.mac, PERSONAL.c.revision)

ANCHOR: Final = (
    ORGANIZATION.c.revision,
    ORGANIZATION.c.audit_head,
    ORGANIZATION.c.time_zone,
    ORGANIZATION.c.created_at,
    ORGANIZATION.c.deleted_at,
)
"""In the order of the fields of `Anchor`."""


class SqlLedger:
    """A `Ledger` in a SQL database."""

    def __init__(self, connections: Connections) -> None:
        self.key = connections.key
        self._connections = connections

    def organizations(self) -> tuple[str, ...]:
        """Return the ids of all that have a row or an event, deleted ones too, in order."""
        found = union(
            select(ORGANIZATION.c.id), select(EVENT.c.organization_id), select(PERSONAL.c[0])
        )
        with self._connections.reading() as connection:
            return tuple(sorted(connection.execute(found).scalars()))

    @contextmanager
    def chain(self, organization: str) -> Iterator[tuple[Anchor | None, Iterator[Sealed]]]:
        """Read the organization's own row, and all of its events in order, as of one moment."""
        own = select(*ANCHOR).where(ORGANIZATION.c.id == organization)
        mine = EVENT.c.organization_id == organization
        events = select(*SEALED).select_from(WITH_AUTHORS).where(mine).order_by(EVENT.c.revision)
        with self._connections.reading() as connection:
            row = connection.execute(own).first()
            anchor = None if row is None else Anchor(*row)
            rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(events)
            yield anchor, map(_sealed, rows)

    def strays(self, organization: str) -> tuple[int, ...]:
        """Return the revisions of authors that belong to no event."""
        lonely = (
            select(PERSONAL.c.revision)
            .select_from(
                PERSONAL.outerjoin(
                    EVENT,
                    (PERSONAL.c.organization_id == EVENT.c.organization_id)
                    & (PERSONAL.c.revision == EVENT.c.revision),
                )
            )
            .where(PERSONAL.c.organization_id == organization, EVENT.c.revision.is_(None))
            .order_by(PERSONAL.c.revision)
        )
        with self._connections.reading() as connection:
            return tuple(connection.execute(lonely).scalars())

    def erase(
        self, organization: str, *, instant: int, actor: str | None, revision: int | None
    ) -> int:
        """Erase who made the events of an actor, or one event, and why; return how many."""
        mine = [EVENT.c.organization_id == organization, PERSONAL.c.actor.is_not(None)]
        if actor is not None:
            mine.append(PERSONAL.c.actor == actor)
        if revision is not None:
            mine.append(EVENT.c.revision == revision)
        found = select(*CONTENT).select_from(WITH_AUTHORS).where(*mine)
        with self._connections.writing() as connection:
            contents = [Content(*row) for row in connection.execute(found)]
            for content in contents:
                _erase(connection, self.key, content, instant=instant)
            connection.commit()
        return len(contents)

    def differences(self, organization: str) -> Iterator[Difference]:
        """Yield how the stored rows differ from what the events, folded anew, make."""
        with self._connections.reading() as connection:
            yield from differences(connection, organization)


def _sealed(row: Stored) -> Sealed:
    content, person = Content(*row[:8]), Person(*row[8:13])
    key_id, mac, there = row[13:]
    return Sealed(content, key_id, mac, None if there is None else person)


def _erase(connection: Connection, key: AuditKey, content: Content, *, instant: int) -> None:
    left = erased(key, content, instant)
    here = (
        PERSONAL.c.organization_id == content.organization,
        PERSONAL.c.revision == content.revision,
    )
    connection.execute(
        update(PERSONAL)
        .where(*here)
        .values(salt=None, actor=None, reason=None, erased_at=instant, erasure=left.erasure)
    )
