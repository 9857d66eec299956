"""The first schema: organizations, their current facts, and the events that explain them."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BY_KEY: dict[str, Any] = {"sqlite_with_rowid": False}

TABLES = (
    "organization",
    "principal",
    "group",
    "role",
    "kind",
    "resource",
    "claim",
    "sod_set",
    "sod_set_role",
    "membership",
    "nesting",
    "inheritance",
    "assignment",
    "group_assignment",
    "event",
)
"""Each after those to which its rows refer."""

REFUSE = "CREATE TRIGGER {0} BEFORE {1} ON event BEGIN SELECT RAISE(ABORT, '{2}'); END"
REFUSE_ALWAYS = (
    "CREATE TRIGGER {0} BEFORE {1} ON event FOR EACH STATEMENT EXECUTE FUNCTION event_stays('{2}')",
    # Even where triggers are passed over, as while replicating.
    "ALTER TABLE event ENABLE ALWAYS TRIGGER {0}",
)
CHANGE = ("event_is_never_changed", "UPDATE", "events are never changed")
REMOVE = ("event_is_never_removed", "DELETE", "events are never removed")
REMOVE_OR_TRUNCATE = ("event_is_never_removed", "DELETE OR TRUNCATE", "events are never removed")
EVENT_STAYS = """
CREATE FUNCTION event_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation';
END
$$
"""

APPEND_ONLY = {
    "sqlite": (REFUSE.format(*CHANGE), REFUSE.format(*REMOVE)),
    "postgresql": (
        EVENT_STAYS,
        *(statement.format(*CHANGE) for statement in REFUSE_ALWAYS),
        *(statement.format(*REMOVE_OR_TRUNCATE) for statement in REFUSE_ALWAYS),
    ),
}


def upgrade() -> None:
    """Create every table, and the triggers that keep the events."""
    create_organization()
    create_entities()
    create_resource_and_claim()
    create_sod_sets()
    create_edges()
    create_assignments()
    create_event()


def downgrade() -> None:
    """Remove every table, if nothing is in them: before this version there was none."""
    organization = sa.table("organization")
    if op.get_bind().execute(sa.select(sa.func.count()).select_from(organization)).scalar_one():
        raise RuntimeError("the organizations and their events would be lost: keep the database")
    for name in reversed(TABLES):
        op.drop_table(name)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION event_stays()")


def create_organization() -> None:
    """Create the table of tenants."""
    op.create_table(
        "organization",
        text("id", key=True),
        whole("revision"),
        text("time_zone"),
        whole("administered"),
        whole("created_at"),
        text("created_by"),
        whole("deleted_at", optional=True),
        text("deleted_by", optional=True),
        sa.CheckConstraint("revision >= 0", name="revision_counts"),
        sa.CheckConstraint("administered IN (0, 1)", name="administered_is_flag"),
        sqlite_strict=True,
    )


def create_entities() -> None:
    """Create the tables of what refers to nothing but its organization."""
    create(
        "principal",
        text("id", key=True),
        whole("active"),
        text("attributes"),
        whole("revision"),
        belongs(),
        sa.CheckConstraint("active IN (0, 1)", name="active_is_flag"),
    )
    for name in ("group", "role", "kind"):
        create(name, text("id", key=True), whole("revision"), belongs(), **BY_KEY)


def create_resource_and_claim() -> None:
    """Create the tables of what is protected, and of what is granted on it."""
    create(
        "resource",
        text("id", key=True),
        text("kind_id"),
        text("parent_id", optional=True),
        text("attributes"),
        whole("revision"),
        belongs(),
        refers("kind", "kind_id"),
        refers("resource", "parent_id", deferrable=True, initially="DEFERRED"),
        sa.CheckConstraint("parent_id <> id", name="parent_is_another"),
    )
    create(
        "claim",
        text("id", key=True),
        text("role_id"),
        text("action", optional=True),
        text("pattern"),
        text("resource", optional=True),
        text("constraints"),
        whole("revision"),
        belongs(),
        refers("role", "role_id"),
        sa.CheckConstraint(
            "pattern IN ('exactly', 'within', 'kind', 'any')", name="pattern_is_known"
        ),
        sa.CheckConstraint("(pattern = 'any') = (resource IS NULL)", name="pattern_has_resource"),
    )
    index("resource_of_kind", "resource", "kind_id")
    index("resource_in_parent", "resource", "parent_id")
    index("claim_of_role", "claim", "role_id")


def create_sod_sets() -> None:
    """Create the tables of separation-of-duty sets and of the roles that they name."""
    create(
        "sod_set",
        text("id", key=True),
        whole("n"),
        text("mode"),
        whole("revision"),
        belongs(),
        sa.CheckConstraint("n >= 2", name="n_counts"),
        sa.CheckConstraint("mode IN ('static', 'dynamic')", name="mode_is_known"),
        **BY_KEY,
    )
    create(
        "sod_set_role",
        text("sod_set_id", key=True),
        text("role_id", key=True),
        whole("revision"),
        refers("sod_set", "sod_set_id"),
        refers("role", "role_id"),
        **BY_KEY,
    )
    index("sod_set_naming_role", "sod_set_role", "role_id")


def create_edges() -> None:
    """Create the tables of memberships, nestings and inheritances."""
    create(
        "membership",
        text("principal_id", key=True),
        text("group_id", key=True),
        whole("revision"),
        refers("principal", "principal_id"),
        refers("group", "group_id"),
        **BY_KEY,
    )
    create(
        "nesting",
        text("group_id", key=True),
        text("container_id", key=True),
        whole("revision"),
        refers("group", "group_id"),
        refers("group", "container_id"),
        sa.CheckConstraint("container_id <> group_id", name="container_is_another"),
        **BY_KEY,
    )
    create(
        "inheritance",
        text("role_id", key=True),
        text("parent_id", key=True),
        whole("revision"),
        refers("role", "role_id"),
        refers("role", "parent_id"),
        sa.CheckConstraint("parent_id <> role_id", name="parent_is_another"),
        **BY_KEY,
    )
    index("membership_of_group", "membership", "group_id")
    index("nesting_in_container", "nesting", "container_id")
    index("inheritance_from_parent", "inheritance", "parent_id")


def create_assignments() -> None:
    """Create the tables of who holds which role, and while when."""
    for name, holder in (("assignment", "principal"), ("group_assignment", "group")):
        create(
            name,
            text(f"{holder}_id", key=True),
            text("role_id", key=True),
            whole("valid_from", optional=True),
            whole("valid_until", optional=True),
            whole("revision"),
            refers(holder, f"{holder}_id"),
            refers("role", "role_id"),
            sa.CheckConstraint("valid_from < valid_until", name="validity_is_not_empty"),
            **BY_KEY,
        )
        index(f"{name}_of_role", name, "role_id")


def create_event() -> None:
    """Create the table of events, and what keeps it append-only."""
    create(
        "event",
        whole("revision", key=True),
        whole("instant"),
        text("actor"),
        text("command"),
        text("delta"),
        belongs(),
        sa.CheckConstraint("revision >= 1", name="revision_counts"),
    )
    for trigger in APPEND_ONLY[op.get_bind().dialect.name]:
        op.execute(trigger)


def create(name: str, *items: sa.schema.SchemaItem, **options: Any) -> None:
    """Create a table of things that belong to an organization."""
    op.create_table(name, text("organization_id", key=True), *items, sqlite_strict=True, **options)


def text(name: str, *, key: bool = False, optional: bool = False) -> sa.Column[str]:
    """Return a text column."""
    return sa.Column(name, TEXT, primary_key=key, nullable=optional)


def whole(name: str, *, key: bool = False, optional: bool = False) -> sa.Column[int]:
    """Return a column of 64-bit integers."""
    return sa.Column(name, WHOLE, primary_key=key, nullable=optional, autoincrement=False)


def belongs() -> sa.ForeignKeyConstraint:
    """Return the reference to the organization."""
    return sa.ForeignKeyConstraint(
        ["organization_id"], ["organization.id"], name="organization_refers"
    )


def refers(table: str, column: str, **options: Any) -> sa.ForeignKeyConstraint:
    """Return the reference from a column, within the organization, to the id of a table."""
    return sa.ForeignKeyConstraint(
        ["organization_id", column],
        [f"{table}.organization_id", f"{table}.id"],
        name=f"{column}_refers",
        **options,
    )


def index(name: str, table: str, column: str) -> None:
    """Index a reference, so that removing what it refers to does not read the whole table."""
    op.create_index(name, table, ["organization_id", column])
