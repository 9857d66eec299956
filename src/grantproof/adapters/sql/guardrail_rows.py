"""The tables of guardrails: each as it is written, and what it names, which cannot go."""

from typing import ClassVar, Final

from sqlmodel import Field, Index

from grantproof.adapters.sql.rows import STRICT, Row, belongs, check, refers, text, whole

NAMED: Final = ("role", "group", "sod_set", "kind", "resource")
"""The tables of what a guardrail can name and what could go."""
NAMED_IDS: Final = tuple(f"{one}_id" for one in NAMED)
NAMES_ONE: Final = (
    " + ".join(f"CASE WHEN {column} IS NULL THEN 0 ELSE 1 END" for column in NAMED_IDS) + " = 1"
)


class GuardrailRow(Row, table=True):
    """A guardrail; `document` is its written form, a JSON object."""

    __tablename__: ClassVar[str] = "guardrail"
    __table_args__ = (belongs(), STRICT)

    organization_id: str = Field(sa_column=text(key=True))
    id: str = Field(sa_column=text(key=True))
    document: str = Field(sa_column=text())
    revision: int = Field(sa_column=whole())


class GuardrailNameRow(Row, table=True):
    """Something that a guardrail names: exactly one of the ids is set, and refers to it."""

    __tablename__: ClassVar[str] = "guardrail_name"
    __table_args__ = (
        refers("guardrail", "guardrail_id"),
        *(refers(one, f"{one}_id") for one in NAMED),
        check("one_is_named", NAMES_ONE),
        *(Index(f"guardrail_naming_{one}", "organization_id", f"{one}_id") for one in NAMED),
        STRICT,
    )

    organization_id: str = Field(sa_column=text(key=True))
    guardrail_id: str = Field(sa_column=text(key=True))
    name: str = Field(sa_column=text(key=True))
    role_id: str | None = Field(sa_column=text(optional=True))
    group_id: str | None = Field(sa_column=text(optional=True))
    sod_set_id: str | None = Field(sa_column=text(optional=True))
    kind_id: str | None = Field(sa_column=text(optional=True))
    resource_id: str | None = Field(sa_column=text(optional=True))
    revision: int = Field(sa_column=whole())
