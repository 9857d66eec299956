"""The tables: one for each kind of fact, the organizations, and the events that explain them.

Every current-state table has the key `(organization_id, ...)` and foreign keys that repeat it, so
that no row can refer to another organization or to what is not there. `revision` is the one that
last changed the row. The migrations create the tables; a test holds the two together.
"""

from typing import ClassVar, Final

from sqlalchemy.orm import registry
from sqlmodel import (
    BigInteger,
    CheckConstraint,
    Column,
    Field,
    ForeignKeyConstraint,
    Index,
    Integer,
    SQLModel,
    Table,
    Text,
)

TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""Text in the order of its characters, upper and lower case distinct, on every database."""

WHOLE: Final = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit signed integer; a flag is 0 or 1."""

STRICT: Final = {"sqlite_strict": True}
BY_KEY: Final = {"sqlite_strict": True, "sqlite_with_rowid": False}
"""For narrow tables: the rows are stored in the order of their key, and only once."""


class Row(SQLModel, registry=registry()):
    """What every row has: the tables are ours alone, apart from any other SQLModel."""

    # Statements name tables and columns; what would check a row that is made is never asked for.
    model_config = {"defer_build": True}


def text(*, key: bool = False, optional: bool = False, default: str | None = None) -> Column[str]:
    """Return a text column; part of the primary key with `key`, possibly null with `optional`."""
    return Column(TEXT, primary_key=key, nullable=optional, server_default=default)


def whole(*, key: bool = False, optional: bool = False) -> Column[int]:
    """Return an integer column; `key` and `optional` as for `text`."""
    return Column(WHOLE, primary_key=key, nullable=optional, autoincrement=False)


def refers(
    table: str, *columns: str, deferred: bool = False, follows: bool = False
) -> ForeignKeyConstraint:
    """Return the reference from `columns`, within the organization, to the id of `table`.

    A deferred one is checked at commit, so that rows of one table may arrive in any order. A row
    that follows goes with the one that it refers to.
    """
    return ForeignKeyConstraint(
        ["organization_id", *columns],
        [f"{table}.organization_id", f"{table}.id"],
        name=f"{'_'.join(columns)}_refers",
        deferrable=True if deferred else None,
        initially="DEFERRED" if deferred else None,
        ondelete="CASCADE" if follows else None,
    )


def belongs() -> ForeignKeyConstraint:
    """Return the reference from a row to its organization."""
    name = "organization_refers"
    return ForeignKeyConstraint(["organization_id"], ["organization.id"], name=name)


def check(name: str, condition: str) -> CheckConstraint:
    """Return a named condition on each row."""
    return CheckConstraint(condition, name=name)


def lasting() -> CheckConstraint:
    """Return the condition on the validity of an assignment."""
    return check("validity_is_not_empty", "valid_from < valid_until")


class OrganizationRow(Row, table=True):
    """A tenant; `deleted_at` is set on one that was, whose id is never used again.

    `revision` is that of its last event and `audit_head` the seal of that event.
    """

    __tablename__: ClassVar[str] = "organization"
    __table_args__ = (
        check("revision_counts", "revision >= 0"),
        check("administered_is_flag", "administered IN (0, 1)"),
        STRICT,
    )

    id: str = Field(sa_column=text(key=True))
    revision: int = Field(sa_column=whole())
    time_zone: str = Field(sa_column=text())
    administered: int = Field(sa_column=whole())
    created_at: int = Field(sa_column=whole())
    deleted_at: int | None = Field(sa_column=whole(optional=True))
    audit_head: str = Field(sa_column=text(default=""))


class PrincipalRow(Row, table=True):
    """A person or a service account; `attributes` is a JSON object."""

    __tablename__: ClassVar[str] = "principal"
    __table_args__ = (belongs(), check("active_is_flag", "active IN (0, 1)"), STRICT)

    organization_id: str = Field(sa_column=text(key=True))
    id: str = Field(sa_column=text(key=True))
    active: int = Field(sa_column=whole())
    attributes: str = Field(sa_column=text())
    revision: int = Field(sa_column=whole())


class GroupRow(Row, table=True):
    """A named set of principals and groups."""

    __tablename__: ClassVar[str] = "group"
    __table_args__ = (belongs(), BY_KEY)

    organization_id: str = Field(sa_column=text(key=True))
    id: str = Field(sa_column=text(key=True))
    revision: int = Field(sa_column=whole())


class RoleRow(Row, table=True):
    """A named set of claims."""

    __tablename__: ClassVar[str] = "role"
    __table_args__ = (belongs(), BY_KEY)

    organization_id: str = Field(sa_column=text(key=True))
    id: str = Field(sa_column=text(key=True))
    revision: int = Field(sa_column=whole())


class KindRow(Row, table=True):
    """A kind that resources may have."""

    __tablename__: ClassVar[str] = "kind"
    __table_args__ = (belongs(), BY_KEY)

    organization_id: str = Field(sa_column=text(key=True))
    id: str = Field(sa_column=text(key=True))
    revision: int = Field(sa_column=whole())


class ResourceRow(Row, table=True):
    """Something to be protected; `attributes` is a JSON object."""

    __tablename__: ClassVar[str] = "resource"
    __table_args__ = (
        belongs(),
        refers("kind", "kind_id"),
        refers("resource", "parent_id", deferred=True),
        check("parent_is_another", "parent_id <> id"),
        Index("resource_of_kind", "organization_id", "kind_id"),
        Index("resource_in_parent", "organization_id", "parent_id"),
        STRICT,
    )

    organization_id: str = Field(sa_column=text(key=True))
    id: str = Field(sa_column=text(key=True))
    kind_id: str = Field(sa_column=text())
    parent_id: str | None = Field(sa_column=text(optional=True))
    attributes: str = Field(sa_column=text())
    revision: int = Field(sa_column=whole())


class ClaimRow(Row, table=True):
    """What a role may do. No `action` means any; `resource` says what `pattern` asks for.

    `resource` refers to nothing: it may name an implicit resource. `constraints` is a JSON list.
    """

    __tablename__: ClassVar[str] = "claim"
    __table_args__ = (
        belongs(),
        refers("role", "role_id"),
        check("pattern_is_known", "pattern IN ('exactly', 'within', 'kind', 'any')"),
        check("pattern_has_resource", "(pattern = 'any') = (resource IS NULL)"),
        Index("claim_of_role", "organization_id", "role_id"),
        STRICT,
    )

    organization_id: str = Field(sa_column=text(key=True))
    id: str = Field(sa_column=text(key=True))
    role_id: str = Field(sa_column=text())
    action: str | None = Field(sa_column=text(optional=True))
    pattern: str = Field(sa_column=text())
    resource: str | None = Field(sa_column=text(optional=True))
    constraints: str = Field(sa_column=text())
    revision: int = Field(sa_column=whole())


class SodSetRow(Row, table=True):
    """A separation-of-duty set; `n` is the smallest forbidden count."""

    __tablename__: ClassVar[str] = "sod_set"
    __table_args__ = (
        belongs(),
        check("n_counts", "n >= 2"),
        check("mode_is_known", "mode IN ('static', 'dynamic')"),
        BY_KEY,
    )

    organization_id: str = Field(sa_column=text(key=True))
    id: str = Field(sa_column=text(key=True))
    n: int = Field(sa_column=whole())
    mode: str = Field(sa_column=text())
    revision: int = Field(sa_column=whole())


class SodSetRoleRow(Row, table=True):
    """A role that a separation-of-duty set names."""

    __tablename__: ClassVar[str] = "sod_set_role"
    __table_args__ = (
        refers("sod_set", "sod_set_id"),
        refers("role", "role_id"),
        Index("sod_set_naming_role", "organization_id", "role_id"),
        BY_KEY,
    )

    organization_id: str = Field(sa_column=text(key=True))
    sod_set_id: str = Field(sa_column=text(key=True))
    role_id: str = Field(sa_column=text(key=True))
    revision: int = Field(sa_column=whole())


class MembershipRow(Row, table=True):
    """A principal belongs to a group."""

    __tablename__: ClassVar[str] = "membership"
    __table_args__ = (
        refers("principal", "principal_id"),
        refers("group", "group_id"),
        Index("membership_of_group", "organization_id", "group_id"),
        BY_KEY,
    )

    organization_id: str = Field(sa_column=text(key=True))
    principal_id: str = Field(sa_column=text(key=True))
    group_id: str = Field(sa_column=text(key=True))
    revision: int = Field(sa_column=whole())


class NestingRow(Row, table=True):
    """A group belongs to its container."""

    __tablename__: ClassVar[str] = "nesting"
    __table_args__ = (
        refers("group", "group_id"),
        refers("group", "container_id"),
        check("container_is_another", "container_id <> group_id"),
        Index("nesting_in_container", "organization_id", "container_id"),
        BY_KEY,
    )

    organization_id: str = Field(sa_column=text(key=True))
    group_id: str = Field(sa_column=text(key=True))
    container_id: str = Field(sa_column=text(key=True))
    revision: int = Field(sa_column=whole())


class InheritanceRow(Row, table=True):
    """A role inherits from a parent."""

    __tablename__: ClassVar[str] = "inheritance"
    __table_args__ = (
        refers("role", "role_id"),
        refers("role", "parent_id"),
        check("parent_is_another", "parent_id <> role_id"),
        Index("inheritance_from_parent", "organization_id", "parent_id"),
        BY_KEY,
    )

    organization_id: str = Field(sa_column=text(key=True))
    role_id: str = Field(sa_column=text(key=True))
    parent_id: str = Field(sa_column=text(key=True))
    revision: int = Field(sa_column=whole())


class AssignmentRow(Row, table=True):
    """A principal holds a role from `valid_from` until before `valid_until` (epoch seconds)."""

    __tablename__: ClassVar[str] = "assignment"
    __table_args__ = (
        refers("principal", "principal_id"),
        refers("role", "role_id"),
        lasting(),
        Index("assignment_of_role", "organization_id", "role_id"),
        BY_KEY,
    )

    organization_id: str = Field(sa_column=text(key=True))
    principal_id: str = Field(sa_column=text(key=True))
    role_id: str = Field(sa_column=text(key=True))
    valid_from: int | None = Field(sa_column=whole(optional=True))
    valid_until: int | None = Field(sa_column=whole(optional=True))
    revision: int = Field(sa_column=whole())


class GroupAssignmentRow(Row, table=True):
    """The principals of a group hold a role from `valid_from` until before `valid_until`."""

    __tablename__: ClassVar[str] = "group_assignment"
    __table_args__ = (
        refers("group", "group_id"),
        refers("role", "role_id"),
        lasting(),
        Index("group_assignment_of_role", "organization_id", "role_id"),
        BY_KEY,
    )

    organization_id: str = Field(sa_column=text(key=True))
    group_id: str = Field(sa_column=text(key=True))
    role_id: str = Field(sa_column=text(key=True))
    valid_from: int | None = Field(sa_column=whole(optional=True))
    valid_until: int | None = Field(sa_column=whole(optional=True))
    revision: int = Field(sa_column=whole())


class CounterRow(Row, table=True):
    """How often a principal used a claim in the window from `starts_at` (epoch seconds).

    Changed by every use and by no revision. `changed_at` is the instant of the last use or reset.
    """

    __tablename__: ClassVar[str] = "counter"
    __table_args__ = (
        refers("principal", "principal_id", follows=True),
        refers("claim", "claim_id", follows=True),
        check("span_is_known", "span IN ('minute', 'hour', 'day', 'month', 'total')"),
        check("window_is_not_empty", "starts_at < ends_at"),
        check("used_counts", "used >= 0"),
        Index("counter_of_claim", "organization_id", "claim_id"),
        Index("counter_by_change", "organization_id", "changed_at"),
        Index("counter_by_end", "ends_at"),
        BY_KEY,
    )

    organization_id: str = Field(sa_column=text(key=True))
    principal_id: str = Field(sa_column=text(key=True))
    claim_id: str = Field(sa_column=text(key=True))
    span: str = Field(sa_column=text(key=True))
    starts_at: int = Field(sa_column=whole(key=True))
    ends_at: int = Field(sa_column=whole())
    used: int = Field(sa_column=whole())
    changed_at: int = Field(sa_column=whole())


class EventRow(Row, table=True):
    """What happened, for ever: triggers refuse to change or remove a row.

    `command` and `delta` are JSON; `revision` is the one that the event made. The first event,
    revision 0, founds the organization. `mac` seals the row and the `mac` of the row before under
    the key `key_id`; `commitment` stands for what `event_personal` holds.
    """

    __tablename__: ClassVar[str] = "event"
    __table_args__ = (
        belongs(),
        check("revision_counts", "revision >= 0"),
        check("kind_is_known", "kind IN ('found', 'change', 'dissolve')"),
        STRICT,
    )

    organization_id: str = Field(sa_column=text(key=True))
    revision: int = Field(sa_column=whole(key=True))
    kind: str = Field(sa_column=text())
    instant: int = Field(sa_column=whole())
    request_id: str | None = Field(sa_column=text(optional=True))
    command: str = Field(sa_column=text())
    delta: str = Field(sa_column=text())
    commitment: str = Field(sa_column=text())
    key_id: str = Field(sa_column=text())
    mac: str = Field(sa_column=text())


class EventPersonalRow(Row, table=True):
    """Who made an event, and why: apart from the event, so that it can be erased."""

    __tablename__: ClassVar[str] = "event_personal"
    __table_args__ = (
        ForeignKeyConstraint(
            ["organization_id", "revision"],
            ["event.organization_id", "event.revision"],
            name="event_refers",
        ),
        check("erased_or_not", "(erased_at IS NULL) = (erasure IS NULL)"),
        check("erased_or_told", "(erased_at IS NULL) = (actor IS NOT NULL AND salt IS NOT NULL)"),
        Index("event_personal_of_actor", "organization_id", "actor"),
        STRICT,
    )

    organization_id: str = Field(sa_column=text(key=True))
    revision: int = Field(sa_column=whole(key=True))
    salt: str | None = Field(sa_column=text(optional=True))
    actor: str | None = Field(sa_column=text(optional=True))
    reason: str | None = Field(sa_column=text(optional=True))
    erased_at: int | None = Field(sa_column=whole(optional=True))
    erasure: str | None = Field(sa_column=text(optional=True))


class AuditKeyRow(Row, table=True):
    """Which key seals the events: its id, from which nobody can tell the key."""

    __tablename__: ClassVar[str] = "audit_key"
    __table_args__ = (STRICT,)

    id: str = Field(sa_column=text(key=True))


class ReceiptRow(Row, table=True):
    """That a change was made under a key that its author chose; forgotten after a day.

    `digest` is of all that was asked, `revision` the one that the change made.
    """

    __tablename__: ClassVar[str] = "receipt"
    __table_args__ = (
        belongs(),
        check("revision_counts", "revision >= 0"),
        Index("receipt_by_age", "organization_id", "instant"),
        BY_KEY,
    )

    organization_id: str = Field(sa_column=text(key=True))
    actor: str = Field(sa_column=text(key=True))
    key: str = Field(sa_column=text(key=True))
    digest: str = Field(sa_column=text())
    revision: int = Field(sa_column=whole())
    instant: int = Field(sa_column=whole())


class ConsumptionRow(Row, table=True):
    """What was answered to a use, or to whoever opened or widened a session, under a chosen key.

    Forgotten after a day. `digest` is of all that was asked, `answer` the body of the answer.
    """

    __tablename__: ClassVar[str] = "consumption"
    __table_args__ = (belongs(), Index("consumption_by_age", "instant"), STRICT)

    organization_id: str = Field(sa_column=text(key=True))
    actor: str = Field(sa_column=text(key=True))
    key: str = Field(sa_column=text(key=True))
    digest: str = Field(sa_column=text())
    instant: int = Field(sa_column=whole())
    answer: str = Field(sa_column=text())


def table(name: str) -> Table:
    """Return the table of that name."""
    return Row.metadata.tables[name]


TRIGGERS: Final = ("event_is_never_changed", "event_is_never_removed")
"""What keeps the event table append-only."""
