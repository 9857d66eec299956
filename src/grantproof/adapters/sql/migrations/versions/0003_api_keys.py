"""API keys: what is stored of the credentials that callers present."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "api_key",
        sa.Column("prefix", TEXT, primary_key=True, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("organization_id", TEXT, nullable=True),
        sa.Column("principal_id", TEXT, nullable=True),
        sa.Column("scopes", TEXT, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("created_at", WHOLE, nullable=False),
        sa.Column("created_by", TEXT, nullable=False),
        sa.Column("expires_at", WHOLE, nullable=True),
        sa.Column("revoked_at", WHOLE, nullable=True),
        sa.Column("revoked_by", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="organization_refers"
        ),
        sa.UniqueConstraint("digest", name="digest_is_unique"),
        sa.CheckConstraint(
            "principal_id IS NULL OR organization_id IS NOT NULL",
            name="principal_has_organization",
        ),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_by IS NULL)", name="revoked_by_someone"
        ),
        sqlite_strict=True,
    )
    op.create_index("api_key_of_organization", "api_key", ["organization_id"])


def downgrade() -> None:
    """Remove the table, if nothing is in it."""
    if op.get_bind().execute(sa.select(sa.func.count()).select_from(sa.table("api_key"))).scalar():
        raise RuntimeError("the API keys would be lost: keep the database")
    op.drop_table("api_key")
