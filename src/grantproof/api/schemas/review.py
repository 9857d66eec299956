"""What reviews answer: who has what and why, what ends soon, and who comes near a breach."""

from pydantic import Field

from grantproof.api.schemas.answer import Answer
from grantproof.api.schemas.inquiries import Listed
from grantproof.policyfile import documents
from grantproof.policyfile.fields import GroupField, PrincipalField, ResourceField, RoleField
from grantproof.service.expiring import Stage


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


class TimedAssignment(Answer):
    """An assignment whose time matters."""

    principal: PrincipalField | None
    """Who holds the role; null where it is a group."""
    group: GroupField | None
    """The group that holds it; null where it is a principal."""
    role: RoleField
    """The role."""
    start: int | None = Field(alias="from")
    """The first instant at which it is valid; null means since always."""
    end: int | None = Field(alias="until")
    """The first instant at which it is not any more; null means never."""
    stage: Stage
    """Whether it has ended, ends soon, or has not begun."""
    at: int
    """When it ended, ends or begins, in epoch seconds."""


class HolderOfSet(Answer):
    """A principal and the roles of a set that it holds together, at most."""

    principal: PrincipalField
    """The principal."""
    roles: list[RoleField]
    """The roles of the set that it holds."""
    start: int | None = Field(alias="from")
    """When it first holds so many, by an assignment that starts then; null means now."""


class HeldTogether(Answer):
    """How many principals hold so many roles of a set together, at most."""

    roles: int
    """So many roles of the set."""
    principals: int
    """So many principals."""


class DutyStanding(Answer):
    """A separation-of-duty set, and how its holders stand to it."""

    sod_set: documents.SodSet
    """The set."""
    unusable: list[RoleField]
    """Roles that nobody can hold, or of a dynamic set have active: they inherit too many of it."""
    holders: list[HeldTogether]
    """Who holds how many of its roles."""
    near: Listed[HolderOfSet]
    """Who holds one less than is forbidden; up to a hundred."""
    over: Listed[HolderOfSet]
    """Who holds as many as are forbidden: of a dynamic set they must choose for each session."""
