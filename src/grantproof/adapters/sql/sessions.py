"""Sessions in a SQL database: their table, and the port over it.

The organization's row is held still while a session is written, so that what was decided on its
state is still so; and the principal's, so that its sessions are counted one opening at a time.
"""

from collections.abc import Collection, Mapping
from typing import ClassVar, Final

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, tuple_, update
from sqlmodel import Field, Index

from grantproof.adapters.sql.connections import Connections
from grantproof.adapters.sql.consumptions import (
    keep_answer,
    kept_under,
    read_consumption,
    take_key,
)
from grantproof.adapters.sql.failures import RESTORE
from grantproof.adapters.sql.mapping import Stored, Values
from grantproof.adapters.sql.rows import STRICT, Row, check, refers, table, text, whole
from grantproof.adapters.sql.standing import is_at
from grantproof.core.commands import Event
from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId, SessionId
from grantproof.core.sessions import Session, ended_by
from grantproof.service.ports import StoreUnusable
from grantproof.service.receipts import Consumption, Pledge
from grantproof.service.session_store import Told, Writing


class SessionRow(Row, table=True):
    """A principal's chosen roles, separated by spaces, until before `expires_at`.

    Changed by no revision. It goes with its principal. The roles are not referred to: one that is
    gone, or not held any more, counts for nothing.
    """

    __tablename__: ClassVar[str] = "session"
    __table_args__ = (
        refers("principal", "principal_id", follows=True),
        check("session_lasts", "created_at < expires_at"),
        check("version_counts", "version >= 1"),
        Index("session_of_principal", "organization_id", "principal_id"),
        Index("session_by_end", "expires_at"),
        STRICT,
    )

    organization_id: str = Field(sa_column=text(key=True))
    id: str = Field(sa_column=text(key=True))
    principal_id: str = Field(sa_column=text())
    roles: str = Field(sa_column=text())
    created_at: int = Field(sa_column=whole())
    expires_at: int = Field(sa_column=whole())
    opened_by: str = Field(sa_column=text())
    version: int = Field(sa_column=whole())


PRINCIPAL: Final = table("principal")
SESSION: Final = table("session")
FIELDS: Final = tuple(column for column in SESSION.c if column.name != "organization_id")

IDS_A_QUERY: Final = 500
"""So few that every database takes them as parameters."""


class SqlSessions:
    """The `SessionStore` of a SQL database, on the connections of its store."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def open(
        self,
        organization: OrganizationId,
        session: Session,
        *,
        revision: int,
        most: int,
        told: Told | None = None,
    ) -> Writing | Consumption:
        """Keep a new session while the organization is at `revision`."""
        now, columns = session.created_at, SESSION.c
        with self._connections.writing() as connection:
            if not is_at(connection, organization, revision):
                return Writing.STALE
            if told is not None and not take_key(
                connection, organization, told.pledge, instant=now
            ):
                return (
                    kept_under(connection, organization, told.pledge, instant=now) or Writing.STALE
                )
            if not _hold_principal(connection, organization, session.principal):
                return Writing.STALE
            lasting = select(func.count()).where(
                columns.organization_id == organization,
                columns.principal_id == session.principal,
                columns.expires_at > now,
            )
            if connection.execute(lasting).scalar_one() >= most:
                return Writing.FULL
            connection.execute(insert(SESSION), _row(organization, session))
            if told is not None:
                keep_answer(connection, organization, told.pledge, answer=told.answer)
            connection.commit()
            return Writing.DONE

    def change(
        self,
        organization: OrganizationId,
        session: Session,
        *,
        revision: int,
        instant: int,
        told: Told | None = None,
    ) -> Writing | Consumption:
        """Put the roles of a session in place of those of the version before."""
        before = and_(
            _lasting(organization, session.id, instant),
            SESSION.c.version == session.version - 1,
        )
        changed = _row(organization, session)
        with self._connections.writing() as connection:
            if not is_at(connection, organization, revision):
                return Writing.STALE
            if told is not None and not take_key(
                connection, organization, told.pledge, instant=instant
            ):
                return (
                    kept_under(connection, organization, told.pledge, instant=instant)
                    or Writing.STALE
                )
            put = update(SESSION).where(before).values(**changed)
            if connection.execute(put).rowcount == 0:
                return Writing.STALE
            if told is not None:
                keep_answer(connection, organization, told.pledge, answer=told.answer)
            connection.commit()
            return Writing.DONE

    def end(self, organization: OrganizationId, session: SessionId, *, instant: int) -> bool:
        """Remove a session for good; false when there is none that lasts."""
        with self._connections.writing() as connection:
            ended = delete(SESSION).where(_lasting(organization, session, instant))
            if connection.execute(ended).rowcount == 0:
                return False
            connection.commit()
            return True

    def read(
        self, organization: OrganizationId, sessions: Collection[SessionId]
    ) -> Mapping[SessionId, Session]:
        """Return those of the sessions that are there."""
        wanted, found = list(sessions), list[Session]()
        with self._connections.reading() as connection:
            for first in range(0, len(wanted), IDS_A_QUERY):
                some = SESSION.c.id.in_(wanted[first : first + IDS_A_QUERY])
                query = select(*FIELDS).where(SESSION.c.organization_id == organization, some)
                found += [_session(organization, row) for row in connection.execute(query)]
        return {one.id: one for one in found}

    def page(
        self,
        organization: OrganizationId,
        *,
        instant: int,
        principal: PrincipalId | None = None,
        after: SessionId | None = None,
        limit: int,
    ) -> tuple[Session, ...]:
        """Return sessions that last, of the principal where given, in the order of their ids."""
        columns = SESSION.c
        wanted = [columns.organization_id == organization, columns.expires_at > instant]
        if principal is not None:
            wanted.append(columns.principal_id == principal)
        if after is not None:
            wanted.append(columns.id > after)
        query = select(*FIELDS).where(*wanted).order_by(columns.id).limit(max(limit, 0))
        with self._connections.reading() as connection:
            return tuple(_session(organization, row) for row in connection.execute(query))

    def answered(
        self, organization: OrganizationId, pledge: Pledge, *, after: int
    ) -> Consumption | None:
        """Return what is kept under the pledge's key, if its instant is past `after`."""
        actor, key = pledge.actor, pledge.once.key
        with self._connections.reading() as connection:
            return read_consumption(connection, organization, actor=actor, key=key, after=after)

    def prune(self, *, until: int, limit: int) -> int:
        """Remove at most `limit` sessions that expired then or before; return how many."""
        columns = (SESSION.c.organization_id, SESSION.c.id)
        ended = select(*columns).where(SESSION.c.expires_at <= until).limit(max(limit, 0))
        with self._connections.reading() as connection:
            if connection.execute(ended.limit(1)).first() is None:
                # Most often there is nothing to do: then nobody has to wait for a writer.
                return 0
        with self._connections.writing() as connection:
            # Waiting for nobody's rows, it can never be what somebody waits for in a circle.
            free = ended.with_for_update(skip_locked=True)
            gone = delete(SESSION).where(tuple_(*columns).in_(free))
            pruned = connection.execute(gone).rowcount
            connection.commit()
            return pruned


def end_sessions(connection: Connection, event: Event) -> None:
    """Remove the sessions that end with the event, also of whom it makes anew.

    Of those who are gone afterwards they go with the principal's row.
    """
    ended = list(ended_by(event.command))
    if len(ended) == 0:
        return
    mine = SESSION.c.organization_id == event.organization
    for first in range(0, len(ended), IDS_A_QUERY):
        some = SESSION.c.principal_id.in_(ended[first : first + IDS_A_QUERY])
        connection.execute(delete(SESSION).where(mine, some))


def _hold_principal(
    connection: Connection, organization: OrganizationId, principal: PrincipalId
) -> bool:
    """Return whether the principal is there; whoever else opens a session of it waits."""
    mine = select(PRINCIPAL.c.id).where(
        PRINCIPAL.c.organization_id == organization, PRINCIPAL.c.id == principal
    )
    locked = mine.with_for_update(key_share=True)
    return connection.execute(locked).first() is not None


def _lasting(organization: OrganizationId, session: SessionId, instant: int) -> ColumnElement[bool]:
    return and_(
        SESSION.c.organization_id == organization,
        SESSION.c.id == session,
        SESSION.c.expires_at > instant,
    )


def _row(organization: OrganizationId, session: Session) -> Values:
    return {
        "organization_id": organization,
        "id": session.id,
        "principal_id": session.principal,
        "roles": " ".join(sorted(session.roles)),
        "created_at": session.created_at,
        "expires_at": session.expires_at,
        "opened_by": session.opened_by,
        "version": session.version,
    }


def _session(organization: OrganizationId, row: Stored) -> Session:
    name, principal, roles, *rest = row
    try:
        chosen = frozenset(map(RoleId, roles.split()))
        return Session(SessionId(name), PrincipalId(principal), chosen, *rest)
    except (ValueError, TypeError) as error:
        message = f"a stored session of organization `{organization}` is illegal: {error}"
        raise StoreUnusable(f"{message}: {RESTORE}") from error
