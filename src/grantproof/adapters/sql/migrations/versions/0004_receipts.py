"""Receipts: which changes were made under which keys."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table of receipts."""
    op.create_table(
        "receipt",
        sa.Column("organization_id", TEXT, primary_key=True, nullable=False),
        sa.Column("actor", TEXT, primary_key=True, nullable=False),
        sa.Column("key", TEXT, primary_key=True, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("revision", WHOLE, nullable=False, autoincrement=False),
        sa.Column("instant", WHOLE, nullable=False, autoincrement=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="organization_refers"
        ),
        sa.CheckConstraint("revision >= 0", name="revision_counts"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("receipt_by_age", "receipt", ["organization_id", "instant"])


def downgrade() -> None:
    """Remove the table: a request that is sent again after this is a new one."""
    op.drop_table("receipt")
