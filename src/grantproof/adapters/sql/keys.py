"""API keys on a SQL database, beside the organizations: their table, and the port over it."""

from typing import ClassVar, Final

from sqlalchemy import Connection, func, insert, or_, select, update
from sqlmodel import Field, Index, UniqueConstraint

from grantproof.adapters.sql.connections import Connections
from grantproof.adapters.sql.failures import RESTORE
from grantproof.adapters.sql.mapping import Stored, Values
from grantproof.adapters.sql.rows import STRICT, Row, belongs, check, table, text, whole
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.service.callers import Scope
from grantproof.service.credentials import Key, Mark
from grantproof.service.ports import StoreUnusable


class ApiKeyRow(Row, table=True):
    """A key, but for its text. Rows are never removed; `scopes` are separated by spaces.

    The principal is not referred to: a key outlives it, to tell what became of it.
    """

    __tablename__: ClassVar[str] = "api_key"
    __table_args__ = (
        belongs(),
        Index("api_key_of_organization", "organization_id"),
        UniqueConstraint("digest", name="digest_is_unique"),
        check("principal_has_organization", "principal_id IS NULL OR organization_id IS NOT NULL"),
        check("revoked_by_someone", "(revoked_at IS NULL) = (revoked_by IS NULL)"),
        STRICT,
    )

    prefix: str = Field(sa_column=text(key=True))
    digest: str = Field(sa_column=text())
    organization_id: str | None = Field(sa_column=text(optional=True))
    principal_id: str | None = Field(sa_column=text(optional=True))
    scopes: str = Field(sa_column=text())
    label: str = Field(sa_column=text())
    created_at: int = Field(sa_column=whole())
    created_by: str = Field(sa_column=text())
    expires_at: int | None = Field(sa_column=whole(optional=True))
    revoked_at: int | None = Field(sa_column=whole(optional=True))
    revoked_by: str | None = Field(sa_column=text(optional=True))


API_KEY: Final = table("api_key")
COLUMNS: Final = tuple(API_KEY.c)


class SqlKeys:
    """The `Keys` of a SQL database, on the connections of its store."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def create(self, key: Key) -> bool:
        """Store a new key, and return true; false when its prefix or digest was ever used."""
        same = or_(API_KEY.c.prefix == key.prefix, API_KEY.c.digest == key.digest)
        with self._connections.writing() as connection:
            if connection.execute(select(API_KEY.c.prefix).where(same)).first() is not None:
                return False
            connection.execute(insert(API_KEY), _row(key))
            connection.commit()
            return True

    def revoke(self, prefix: str, *, actor: str, instant: int) -> bool:
        """Revoke a key for good; false when there is none, or it is revoked already."""
        revoked = (
            update(API_KEY)
            .where(API_KEY.c.prefix == prefix, API_KEY.c.revoked_at.is_(None))
            .values(revoked_at=instant, revoked_by=actor)
        )
        with self._connections.writing() as connection:
            if connection.execute(revoked).rowcount == 0:
                return False
            connection.commit()
            return True

    def mark(self) -> Mark:
        """Return what tells whether anything has changed since."""
        with self._connections.reading() as connection:
            return _mark(connection)

    def usable(self) -> tuple[Mark, tuple[Key, ...]]:
        """Return every key that is not revoked, in the order of the prefixes; and the mark then.

        Raises `StoreUnusable` when what is stored is no legal key.
        """
        query = select(*COLUMNS).where(API_KEY.c.revoked_at.is_(None)).order_by(API_KEY.c.prefix)
        with self._connections.reading() as connection:
            # The mark first: what is read after it may be newer, and is then read again.
            mark = _mark(connection)
            rows = connection.execute(query).all()
        return mark, tuple(map(_key, rows))

    def page(self, *, after: str = "", limit: int) -> tuple[Key, ...]:
        """Return keys in the order of their prefixes, after `after`, at most `limit`."""
        query = (
            select(*COLUMNS)
            .where(API_KEY.c.prefix > after)
            .order_by(API_KEY.c.prefix)
            .limit(max(limit, 0))
        )
        with self._connections.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(map(_key, rows))


def _mark(connection: Connection) -> Mark:
    made, revoked = connection.execute(
        select(func.count(), func.count(API_KEY.c.revoked_at)).select_from(API_KEY)
    ).one()
    return made, revoked


def _row(key: Key) -> Values:
    return {
        "prefix": key.prefix,
        "digest": key.digest,
        "organization_id": key.organization,
        "principal_id": key.principal,
        "scopes": " ".join(sorted(key.scopes)),
        "label": key.label,
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "revoked_by": key.revoked_by,
    }


def _key(row: Stored) -> Key:
    prefix, digest, organization, principal, scopes, *rest = row
    try:
        return Key(
            prefix,
            digest,
            None if organization is None else OrganizationId(organization),
            None if principal is None else PrincipalId(principal),
            frozenset(map(Scope, scopes.split(" "))),
            *rest,
        )
    except (ValueError, TypeError) as error:
        message = f"the stored key `{prefix}` is illegal: {error}: {RESTORE}"
        raise StoreUnusable(message) from error
