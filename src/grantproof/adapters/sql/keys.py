"""API keys on a SQL database, beside the organizations: their table, and the port over it."""

from typing import ClassVar, Final

from sqlalchemy import Connection, delete, func, insert, or_, select, update
from sqlmodel import Field, ForeignKeyConstraint, Index, UniqueConstraint

from grantproof.adapters.sql.connections import Connections
from grantproof.adapters.sql.failures import RESTORE
from grantproof.adapters.sql.mapping import Stored, Values
from grantproof.adapters.sql.rows import BY_KEY, STRICT, Row, belongs, check, table, text, whole
from grantproof.adapters.sql.upserts import upsert
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.service.callers import Scope
from grantproof.service.credentials import Key, Mark
from grantproof.service.ports import StoreUnusable
from grantproof.service.receipts import KeyReceipt, Once


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


class KeyReceiptRow(Row, table=True):
    """That a key was made under an idempotency key that its author chose; forgotten after a day.

    `digest` is of all that was asked. Nothing of the key's text is kept.
    """

    __tablename__: ClassVar[str] = "key_receipt"
    __table_args__ = (
        ForeignKeyConstraint(["prefix"], ["api_key.prefix"], name="prefix_refers"),
        Index("key_receipt_of_key", "prefix"),
        Index("key_receipt_by_age", "instant"),
        BY_KEY,
    )

    actor: str = Field(sa_column=text(key=True))
    key: str = Field(sa_column=text(key=True))
    digest: str = Field(sa_column=text())
    prefix: str = Field(sa_column=text())
    instant: int = Field(sa_column=whole())


API_KEY: Final = table("api_key")
KEY_RECEIPT: Final = table("key_receipt")
COLUMNS: Final = tuple(API_KEY.c)

MARK: Final = select(
    func.count(),
    func.count(API_KEY.c.revoked_at),
    func.max(API_KEY.c.created_at),
    func.max(API_KEY.c.revoked_at),
).select_from(API_KEY)


class SqlKeys:
    """The `Keys` of a SQL database, on the connections of its store."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def create(self, key: Key, *, receipt: KeyReceipt | None = None) -> bool:
        """Store a new key, and return true; false when it or the receipt's key was used before."""
        same = or_(API_KEY.c.prefix == key.prefix, API_KEY.c.digest == key.digest)
        with self._connections.writing() as connection:
            if connection.execute(select(API_KEY.c.prefix).where(same)).first() is not None:
                return False
            connection.execute(insert(API_KEY), _row(key))
            if receipt is not None and not _keep(connection, receipt):
                return False
            connection.commit()
            return True

    def receipt(self, *, actor: str, key: str, after: int) -> KeyReceipt | None:
        """Return the receipt of the actor under the key, unless its instant is not past `after`."""
        columns = KEY_RECEIPT.c
        query = select(columns.digest, columns.prefix, columns.instant).where(
            columns.actor == actor, columns.key == key, columns.instant > after
        )
        with self._connections.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else KeyReceipt(actor, Once(key, row[0]), row[1], row[2])

    def find(self, prefix: str) -> Key | None:
        """Return the key with that prefix, revoked or not; nothing when there is none."""
        query = select(*COLUMNS).where(API_KEY.c.prefix == prefix)
        with self._connections.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else _key(row)

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


def _keep(connection: Connection, receipt: KeyReceipt) -> bool:
    """Write the receipt and forget those it outdates; return false when its key is in use.

    Whoever comes second under a key waits for the transaction of the first.
    """
    made = {
        "digest": receipt.once.digest,
        "prefix": receipt.prefix,
        "instant": receipt.instant,
    }
    fresh = upsert(KEY_RECEIPT, connection).values(
        actor=receipt.actor, key=receipt.once.key, **made
    )
    ours = fresh.on_conflict_do_update(
        index_elements=("actor", "key"),
        set_=made,
        where=KEY_RECEIPT.c.instant <= receipt.outdated,
    ).returning(KEY_RECEIPT.c.key)
    if connection.execute(ours).first() is None:
        return False
    connection.execute(delete(KEY_RECEIPT).where(KEY_RECEIPT.c.instant <= receipt.outdated))
    return True


def _mark(connection: Connection) -> Mark:
    made, revoked, made_at, revoked_at = connection.execute(MARK).one()
    return made, revoked, made_at or 0, revoked_at or 0


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
