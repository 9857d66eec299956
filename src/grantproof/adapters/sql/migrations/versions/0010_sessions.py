"""Sessions: the roles that principals have chosen, for a while."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table; its rows go with their principal."""
    op.create_table(
        "session",
        text("organization_id", key=True),
        text("id", key=True),
        text("principal_id"),
        text("roles"),
        whole("created_at"),
        whole("expires_at"),
        text("opened_by"),
        whole("version"),
        sa.ForeignKeyConstraint(
            ["organization_id", "principal_id"],
            ["principal.organization_id", "principal.id"],
            name="principal_id_refers",
            ondelete="CASCADE",
        ),
        sa.CheckConstraint("created_at < expires_at", name="session_lasts"),
        sa.CheckConstraint("version >= 1", name="version_counts"),
        sqlite_strict=True,
    )
    op.create_index("session_of_principal", "session", ["organization_id", "principal_id"])
    op.create_index("session_by_end", "session", ["expires_at"])


def downgrade() -> None:
    """Remove the table: whoever had a session has to open one again after this."""
    op.drop_table("session")


def text(name: str, *, key: bool = False) -> sa.Column[str]:
    """Return a text column."""
    return sa.Column(name, TEXT, primary_key=key, nullable=False)


def whole(name: str) -> sa.Column[int]:
    """Return a column of 64-bit integers."""
    return sa.Column(name, WHOLE, nullable=False, autoincrement=False)
