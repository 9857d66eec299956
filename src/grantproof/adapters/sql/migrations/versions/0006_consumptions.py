"""Consumptions: what was answered to uses that were asked for under a key."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table of kept answers."""
    op.create_table(
        "consumption",
        sa.Column("organization_id", TEXT, primary_key=True, nullable=False),
        sa.Column("actor", TEXT, primary_key=True, nullable=False),
        sa.Column("key", TEXT, primary_key=True, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("instant", WHOLE, nullable=False, autoincrement=False),
        sa.Column("answer", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="organization_refers"
        ),
        sqlite_strict=True,
    )
    op.create_index("consumption_by_age", "consumption", ["instant"])


def downgrade() -> None:
    """Remove the table: a use that is asked for again after this is a new one."""
    op.drop_table("consumption")
