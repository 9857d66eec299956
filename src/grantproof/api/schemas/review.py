"""What reviews answer: who has what and why, what ends soon, and who comes near a breach."""

from pydantic import Field

from grantproof.api.schemas.answer import Answer
from grantproof.policyfile import documents
from grantproof.policyfile.fields import GroupField, PrincipalField, ResourceField, RoleField
from grantproof.service.access_review import Access


class Operations(Answer):
    """The actions that claims name for a resource, whatever their constraints."""

    resource: ResourceField
    """The resource."""
    operations: list[str]
    """The actions, in order; `*` stands for every one that is not administrative."""
    instant: int
    """When, in epoch seconds."""
    revision: int
    """The state of the organization that the answer shows."""


class AuthorizedUser(Answer):
    """A principal that is authorized for a role."""

    principal: PrincipalField
    """The principal."""
    assigned: bool
    """Whether the role itself is assigned to it, or to a group that it is in."""


class AccessWay(Answer):
    """One way in which a principal holds a role now, and the claims that it has by that role."""

    principal: PrincipalField
    """The principal."""
    active: bool
    """Whether it is active; a suspended one is allowed nothing."""
    role: RoleField
    """The role that is held."""
    assigned: RoleField
    """The role that was assigned."""
    groups: list[GroupField]
    """From a group of the principal outward to the one with the assignment; or empty."""
    roles: list[RoleField]
    """From the assigned role, parent by parent, to the one that is held."""
    start: int | None = Field(alias="from")
    """Since when the assignment is valid; null means since always."""
    end: int | None = Field(alias="until")
    """The first instant at which it is not any more; null means never."""
    lasts_until: int | None
    """When the principal no longer holds the role by any way; null means never."""
    claims: list[documents.Claim]
    """The role's own claims, or those on the resource and the action that were asked about."""

    @classmethod
    def of(cls, way: Access) -> "AccessWay":
        """Return the written form."""
        holding = way.holding
        return cls.model_construct(
            principal=way.principal.id,
            active=way.principal.active,
            role=way.roles[-1],
            assigned=holding.role,
            groups=list(holding.groups),
            roles=list(way.roles),
            start=holding.validity.start,
            end=holding.validity.end,
            lasts_until=way.lasts_until,
            claims=[documents.Claim.of(claim) for claim in way.claims],
        )
