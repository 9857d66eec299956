"""Counters: how often each principal used each metered claim, window by window."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table; its rows go with the principal and the claim that they count for."""
    op.create_table(
        "counter",
        text("organization_id", key=True),
        text("principal_id", key=True),
        text("claim_id", key=True),
        text("span", key=True),
        whole("starts_at", key=True),
        whole("ends_at"),
        whole("used"),
        whole("changed_at"),
        follows("principal", "principal_id"),
        follows("claim", "claim_id"),
        sa.CheckConstraint(
            "span IN ('minute', 'hour', 'day', 'month', 'total')", name="span_is_known"
        ),
        sa.CheckConstraint("starts_at < ends_at", name="window_is_not_empty"),
        sa.CheckConstraint("used >= 0", name="used_counts"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("counter_of_claim", "counter", ["organization_id", "claim_id"])
    op.create_index("counter_by_change", "counter", ["organization_id", "changed_at"])
    op.create_index("counter_by_end", "counter", ["ends_at"])


def downgrade() -> None:
    """Remove the table, if nothing is counted: before this version there was none."""
    counter = sa.table("counter")
    if op.get_bind().execute(sa.select(sa.func.count()).select_from(counter)).scalar_one():
        raise RuntimeError("what was counted would be lost: keep the database")
    op.drop_table("counter")


def text(name: str, *, key: bool = False) -> sa.Column[str]:
    """Return a text column."""
    return sa.Column(name, TEXT, primary_key=key, nullable=False)


def whole(name: str, *, key: bool = False) -> sa.Column[int]:
    """Return a column of 64-bit integers."""
    return sa.Column(name, WHOLE, primary_key=key, nullable=False, autoincrement=False)


def follows(table: str, column: str) -> sa.ForeignKeyConstraint:
    """Return the reference to the id of a table, with which the row goes."""
    return sa.ForeignKeyConstraint(
        ["organization_id", column],
        [f"{table}.organization_id", f"{table}.id"],
        name=f"{column}_refers",
        ondelete="CASCADE",
    )
