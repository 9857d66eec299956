"""Events are sealed into a chain, and who made them is kept apart.

Organizations that are there already get their first event, and a last one if they are no more;
their events are sealed as they are found, and the first says so.
"""

import secrets
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from grantproof.adapters.sql.migrations import AUDIT_KEY
from grantproof.service import audit_chain
from grantproof.service.audit_chain import AuditKey, Content, Person

revision = "0002"
down_revision = "0001"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SALT_BYTES = 16
BATCH_ROWS = 1_000

REFUSE = "CREATE TRIGGER {0} BEFORE {1} ON event BEGIN SELECT RAISE(ABORT, '{2}'); END"
REFUSE_ALWAYS = (
    "CREATE TRIGGER {0} BEFORE {1} ON event FOR EACH STATEMENT EXECUTE FUNCTION event_stays('{2}')",
    # Even where triggers are passed over, as while replicating.
    "ALTER TABLE event ENABLE ALWAYS TRIGGER {0}",
)
CHANGE = ("event_is_never_changed", "UPDATE", "events are never changed")
REMOVE = ("event_is_never_removed", "DELETE", "events are never removed")
REMOVE_OR_TRUNCATE = ("event_is_never_removed", "DELETE OR TRUNCATE", "events are never removed")
APPEND_ONLY = {
    "sqlite": (REFUSE.format(*CHANGE), REFUSE.format(*REMOVE)),
    "postgresql": (
        *(statement.format(*CHANGE) for statement in REFUSE_ALWAYS),
        *(statement.format(*REMOVE_OR_TRUNCATE) for statement in REFUSE_ALWAYS),
    ),
}


def upgrade() -> None:
    """Make the events anew with their seals; nothing refers to them, so this is safe."""
    op.execute("CREATE TABLE event_before AS SELECT * FROM event")
    op.drop_table("event")
    create_event()
    create_personal()
    op.create_table("audit_key", text("id", key=True), sqlite_strict=True)
    op.add_column("organization", sa.Column("audit_head", TEXT, nullable=False, server_default=""))
    adopt(op.get_bind())
    op.drop_column("organization", "created_by")
    op.drop_column("organization", "deleted_by")
    op.drop_table("event_before")
    for trigger in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(trigger)


def downgrade() -> None:
    """Take the seals away, where nothing else would be lost with them."""
    lost = (
        "SELECT count(*) FROM event JOIN event_personal AS author"
        " ON author.organization_id = event.organization_id AND author.revision = event.revision"
        " WHERE request_id IS NOT NULL OR reason IS NOT NULL OR erased_at IS NOT NULL"
    )
    if op.get_bind().execute(sa.text(lost)).scalar_one():
        raise RuntimeError("requests, reasons and erasures would be lost: keep the database")
    op.execute(
        "CREATE TABLE event_before AS SELECT event.*, author.actor FROM event"
        " JOIN event_personal AS author"
        " ON author.organization_id = event.organization_id AND author.revision = event.revision"
    )
    op.drop_table("event_personal")
    op.drop_table("event")
    create_event_without_seals()
    op.execute(
        "INSERT INTO event SELECT organization_id, revision, instant, actor, command, delta"
        " FROM event_before WHERE kind = 'change'"
    )
    restore_organizations()
    op.drop_table("event_before")
    op.drop_table("audit_key")
    for trigger in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(trigger)


def create_event_without_seals() -> None:
    """Create the table of events as it was."""
    op.create_table(
        "event",
        text("organization_id", key=True),
        whole("revision", key=True),
        whole("instant"),
        text("actor"),
        text("command"),
        text("delta"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="organization_refers"
        ),
        sa.CheckConstraint("revision >= 1", name="revision_counts"),
        sqlite_strict=True,
    )


def restore_organizations() -> None:
    """Write into the organizations again who made and who deleted them."""
    made_by = sa.Column("created_by", TEXT, nullable=False, server_default="")
    op.add_column("organization", made_by)
    op.add_column("organization", sa.Column("deleted_by", TEXT, nullable=True))
    who = "SELECT actor FROM event_before WHERE organization_id = organization.id AND kind ="
    made = "UPDATE organization SET created_by = ({} 'found')"
    ended = "UPDATE organization SET deleted_by = ({} 'dissolve'), revision = revision - 1"
    op.execute(made.format(who))
    op.execute(f"{ended.format(who)} WHERE deleted_at IS NOT NULL")
    op.drop_column("organization", "audit_head")


def create_event() -> None:
    """Create the table of events, without what keeps it append-only."""
    op.create_table(
        "event",
        text("organization_id", key=True),
        whole("revision", key=True),
        text("kind"),
        whole("instant"),
        text("request_id", optional=True),
        text("command"),
        text("delta"),
        text("commitment"),
        text("key_id"),
        text("mac"),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="organization_refers"
        ),
        sa.CheckConstraint("revision >= 0", name="revision_counts"),
        sa.CheckConstraint("kind IN ('found', 'change', 'dissolve')", name="kind_is_known"),
        sqlite_strict=True,
    )


def create_personal() -> None:
    """Create the table of who made which event, and why."""
    op.create_table(
        "event_personal",
        text("organization_id", key=True),
        whole("revision", key=True),
        text("salt", optional=True),
        text("actor", optional=True),
        text("reason", optional=True),
        whole("erased_at", optional=True),
        text("erasure", optional=True),
        sa.ForeignKeyConstraint(
            ["organization_id", "revision"],
            ["event.organization_id", "event.revision"],
            name="event_refers",
        ),
        sa.CheckConstraint("(erased_at IS NULL) = (erasure IS NULL)", name="erased_or_not"),
        sa.CheckConstraint(
            "(erased_at IS NULL) = (actor IS NOT NULL AND salt IS NOT NULL)",
            name="erased_or_told",
        ),
        sqlite_strict=True,
    )
    op.create_index("event_personal_of_actor", "event_personal", ["organization_id", "actor"])


def adopt(connection: sa.Connection) -> None:
    """Seal what happened before there were seals."""
    found = "SELECT id, revision, time_zone, created_at, created_by, deleted_at, deleted_by"
    rows = connection.execute(sa.text(f"{found} FROM organization ORDER BY id")).all()
    if len(rows) == 0:
        return
    key: AuditKey = context.config.attributes[AUDIT_KEY]
    for row in rows:
        adopt_organization(connection, key, row)


def adopt_organization(connection: sa.Connection, key: AuditKey, row: Any) -> None:
    """Write the events of one organization anew, each sealed onto the one before."""
    name, last, time_zone, created_at, created_by, deleted_at, deleted_by = row
    chain = Chain(connection, key, name)
    chain.add(
        "found", created_at, created_by, command=audit_chain.founding(time_zone, adopted=last)
    )
    events = sa.text(
        "SELECT instant, actor, command, delta FROM event_before"
        " WHERE organization_id = :name AND revision > :after ORDER BY revision LIMIT :limit"
    )
    while batch := connection.execute(
        events, {"name": name, "after": chain.length - 1, "limit": BATCH_ROWS}
    ).all():
        for instant, actor, command, delta in batch:
            chain.add("change", instant, actor, command=command, delta=delta)
    if deleted_at is not None:
        chain.add("dissolve", deleted_at, deleted_by, command=audit_chain.DISSOLVE)
    connection.execute(
        sa.text("UPDATE organization SET audit_head = :head, revision = :last WHERE id = :name"),
        {"head": chain.head, "last": chain.length - 1, "name": name},
    )


class Chain:
    """The events of one organization, as far as they are written."""

    def __init__(self, connection: sa.Connection, key: AuditKey, organization: str) -> None:
        self.length, self.head = 0, ""
        self._connection = connection
        self._key = key
        self._organization = organization

    def add(
        self,
        kind: str,
        instant: int,
        actor: str,
        *,
        command: str,
        delta: str = audit_chain.NO_FACTS,
    ) -> None:
        """Write one more event."""
        person = Person(secrets.token_hex(SALT_BYTES), actor, None)
        committed = audit_chain.commitment(str(person.salt), actor, None)
        content = Content(
            self._organization, self.length, kind, instant, None, command, delta, committed
        )
        mac = audit_chain.sealed(self._key, self.head, content, person=person).mac
        self._connection.execute(
            sa.text(
                "INSERT INTO event VALUES (:organization, :revision, :kind, :instant, NULL,"
                " :command, :delta, :commitment, :key_id, :mac)"
            ),
            {
                "organization": self._organization,
                "revision": self.length,
                "kind": kind,
                "instant": instant,
                "command": command,
                "delta": delta,
                "commitment": committed,
                "key_id": self._key.id,
                "mac": mac,
            },
        )
        self._connection.execute(
            sa.text(
                "INSERT INTO event_personal"
                " VALUES (:organization, :revision, :salt, :actor, NULL, NULL, NULL)"
            ),
            {
                "organization": self._organization,
                "revision": self.length,
                "salt": person.salt,
                "actor": actor,
            },
        )
        self.length, self.head = self.length + 1, mac


def text(name: str, *, key: bool = False, optional: bool = False) -> sa.Column[str]:
    """Return a text column."""
    return sa.Column(name, TEXT, primary_key=key, nullable=optional)


def whole(name: str, *, key: bool = False, optional: bool = False) -> sa.Column[int]:
    """Return a column of 64-bit integers."""
    return sa.Column(name, WHOLE, primary_key=key, nullable=optional, autoincrement=False)
