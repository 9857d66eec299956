"""What a principal holds: assignments as they were made, and the roles that they amount to."""

from pydantic import Field

from grantproof.api.schemas.answer import Answer
from grantproof.core.errors import HeldRole
from grantproof.policyfile.fields import GroupField, PrincipalField, RoleField
from grantproof.service.review import Holding


class AssignedRole(Answer):
    """An assignment that reaches the principal, valid or not."""

    role: RoleField
    """The assigned role."""
    groups: list[GroupField]
    """From a group of the principal outward to the one that the role is assigned to; or empty."""
    start: int | None = Field(alias="from")
    """The first instant at which it is valid; null means since always."""
    end: int | None = Field(alias="until")
    """The first instant at which it is not any more; null means never."""
    valid: bool
    """Whether it is valid at `instant`."""

    @classmethod
    def of(cls, holding: Holding, instant: int) -> "AssignedRole":
        """Return the written form of an assignment as the principal has it."""
        return cls.model_construct(
            role=holding.role,
            groups=list(holding.groups),
            start=holding.validity.start,
            end=holding.validity.end,
            valid=holding.validity.contains(instant),
        )


class EffectiveRole(Answer):
    """A role that the principal holds at the instant, and a shortest way in which it does."""

    role: RoleField
    """The role."""
    groups: list[GroupField]
    """From a group of the principal outward to the one with the assignment; or empty."""
    roles: list[RoleField]
    """From the assigned role, parent by parent, to this one."""

    @classmethod
    def of(cls, held: HeldRole) -> "EffectiveRole":
        """Return the written form of a way in which a role is held."""
        return cls.model_validate(
            {"role": held.roles[-1], "groups": list(held.groups), "roles": list(held.roles)}
        )


class Holdings(Answer):
    """What a principal holds at an instant."""

    principal: PrincipalField
    """The principal."""
    instant: int
    """When, in epoch seconds."""
    assigned: list[AssignedRole]
    """Every assignment that reaches it, directly or through groups."""
    effective: list[EffectiveRole]
    """The roles that count, suspended or not."""
    revision: int
    """The state of the organization that the answer shows."""
