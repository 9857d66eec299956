"""Guardrails, and what each of them names."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAMED = ("role", "group", "sod_set", "kind", "resource")
NAMES_ONE = " + ".join(f"CASE WHEN {one}_id IS NULL THEN 0 ELSE 1 END" for one in NAMED) + " = 1"


def upgrade() -> None:
    """Create the tables; what a guardrail names cannot be removed."""
    op.create_table(
        "guardrail",
        text("organization_id", key=True),
        text("id", key=True),
        text("document"),
        revision_column(),
        sa.ForeignKeyConstraint(
            ["organization_id"], ["organization.id"], name="organization_refers"
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "guardrail_name",
        text("organization_id", key=True),
        text("guardrail_id", key=True),
        text("name", key=True),
        *(text(f"{one}_id", optional=True) for one in NAMED),
        revision_column(),
        refers("guardrail"),
        *map(refers, NAMED),
        sa.CheckConstraint(NAMES_ONE, name="one_is_named"),
        sqlite_strict=True,
    )
    for one in NAMED:
        op.create_index(
            f"guardrail_naming_{one}", "guardrail_name", ["organization_id", f"{one}_id"]
        )


def downgrade() -> None:
    """Remove the tables, if there is no guardrail: before this version there was none."""
    guardrail = sa.table("guardrail")
    if op.get_bind().execute(sa.select(sa.func.count()).select_from(guardrail)).scalar_one():
        raise RuntimeError("guardrails would be lost: keep the database")
    op.drop_table("guardrail_name")
    op.drop_table("guardrail")


def text(name: str, *, key: bool = False, optional: bool = False) -> sa.Column[str]:
    """Return a text column."""
    return sa.Column(name, TEXT, primary_key=key, nullable=optional)


def revision_column() -> sa.Column[int]:
    """Return the column of the revision that last changed a row."""
    return sa.Column("revision", WHOLE, nullable=False, autoincrement=False)


def refers(table: str) -> sa.ForeignKeyConstraint:
    """Return the reference, within the organization, to the id of a table."""
    return sa.ForeignKeyConstraint(
        ["organization_id", f"{table}_id"],
        [f"{table}.organization_id", f"{table}.id"],
        name=f"{table}_id_refers",
    )
