"""Receipts of API keys: which of them were made under which idempotency keys."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table of receipts."""
    op.create_table(
        "key_receipt",
        sa.Column("actor", TEXT, primary_key=True, nullable=False),
        sa.Column("key", TEXT, primary_key=True, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("prefix", TEXT, nullable=False),
        sa.Column("instant", WHOLE, nullable=False, autoincrement=False),
        sa.ForeignKeyConstraint(["prefix"], ["api_key.prefix"], name="prefix_refers"),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("key_receipt_of_key", "key_receipt", ["prefix"])
    op.create_index("key_receipt_by_age", "key_receipt", ["instant"])


def downgrade() -> None:
    """Remove the table: a request that is sent again after this is a new one."""
    op.drop_table("key_receipt")
