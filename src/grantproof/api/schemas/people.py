"""Somebody comes, moves or goes: what is asked, and what is answered."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from grantproof.api.schemas.answer import Answer
from grantproof.api.schemas.inquiries import Difference
from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.identifiers import GroupId, RoleId
from grantproof.core.model import Validity
from grantproof.policyfile.document import Document, legal
from grantproof.policyfile.fields import (
    Distinct,
    GroupField,
    InstantField,
    PrincipalField,
    RoleField,
)
from grantproof.policyfile.value_fields import AttributesField
from grantproof.service.people import Place

Groups = Annotated[frozenset[GroupField], Distinct()]
Roles = Annotated[frozenset[RoleField], Distinct()]
NO_GROUPS: frozenset[GroupId] = frozenset()
NO_ROLES: frozenset[RoleId] = frozenset()


class Leaving(Document):
    """Somebody goes: suspended, with no group and no assignment left."""

    principal: PrincipalField
    """Who."""
    delete: bool = False
    """Whether to delete the principal instead, with all that refers to it."""
    dry_run: bool = False
    """Whether only to tell what would change."""


class Joining(Document):
    """Somebody comes: a new principal, its groups and its roles."""

    principal: PrincipalField
    """The new principal."""
    attributes: AttributesField = NO_ATTRIBUTES
    """Its attributes."""
    groups: Groups = NO_GROUPS
    """The groups to be in."""
    roles: Roles = NO_ROLES
    """The roles to hold."""
    start: InstantField | None = Field(default=None, alias="from")
    """The first instant at which the roles are held; null means from now on."""
    end: InstantField | None = Field(default=None, alias="until")
    """The first instant at which they are held no more, greater than `from`; null means never."""
    dry_run: bool = False
    """Whether only to tell what would change."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> Place:
        """Return where the principal is to be."""
        return Place(self.groups, self.roles, Validity(self.start, self.end))


class Moving(Document):
    """Somebody moves from groups and roles to others; what is in both stays as it is."""

    principal: PrincipalField
    """Who."""
    from_all: bool = False
    """Whether to leave every group and lose every assignment but those to move to."""
    from_groups: Groups = NO_GROUPS
    """The groups to leave."""
    from_roles: Roles = NO_ROLES
    """The roles to lose."""
    to_groups: Groups = NO_GROUPS
    """The groups to be in."""
    to_roles: Roles = NO_ROLES
    """The roles to hold."""
    start: InstantField | None = Field(default=None, alias="from")
    """The first instant at which the roles are held; null means from now on."""
    end: InstantField | None = Field(default=None, alias="until")
    """The first instant at which they are held no more, greater than `from`; null means never."""
    dry_run: bool = False
    """Whether only to tell what would change."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> Place:
        """Return where the principal is to be."""
        return Place(self.to_groups, self.to_roles, Validity(self.start, self.end))


class FactsEdited(Answer):
    """A fact that stays under its name and is another."""

    before: dict[str, Any]
    """What it is."""
    after: dict[str, Any]
    """What it would be."""


class PersonPlan(Answer):
    """What a change would do, and what that would mean."""

    commands: list[dict[str, Any]]
    """The change, as `POST /v1/orgs/{org}/changes` takes it."""
    removed: list[dict[str, Any]]
    """The facts that would go, as events write them."""
    edited: list[FactsEdited]
    """Those that would be edited."""
    added: list[dict[str, Any]]
    """Those that would come."""
    effect: Difference
    """Who would gain and who would lose what."""


class PersonChange(Answer):
    """What became of it."""

    principal: PrincipalField
    """Who."""
    outcome: Literal["accepted", "planned", "unchanged"]
    """Whether it was changed, would be, or is so already."""
    revision: int
    """The state that the change made, or the one that is there."""
    plan: PersonPlan | None
    """What would change, where only that was asked."""
