"""The written forms of facts: the one form that HTTP, events, files and OpenAPI share.

Classes are named after the core values that they write; import this module, not its names.
"""

from typing import Annotated, Literal, assert_never

from pydantic import Field, model_validator

from grantproof.core import model
from grantproof.core.limits import CONSTRAINTS_PER_CLAIM_MAX, ROLES_PER_SOD_SET_MAX
from grantproof.policyfile import guardrail_documents
from grantproof.policyfile.constraint_documents import ConstraintsField
from grantproof.policyfile.document import Document, legal
from grantproof.policyfile.fields import (
    ActionField,
    ClaimField,
    Distinct,
    GroupField,
    InstantField,
    KindField,
    PrincipalField,
    ResourceField,
    ResourcePatternField,
    RoleField,
    SodSetField,
    described,
)
from grantproof.policyfile.value_fields import AttributesField, no_attributes


class Principal(Document):
    """A person or a service account; a suspended one is allowed nothing and keeps everything."""

    id: PrincipalField
    """The principal's id."""
    active: bool = True
    """False when the principal is suspended."""
    attributes: AttributesField = Field(
        default_factory=no_attributes, json_schema_extra={"default": {}}
    )
    """Typed attributes that claims can compare."""

    def core(self) -> model.Principal:
        """Return the core value that is written here."""
        return model.Principal(self.id, self.active, self.attributes)

    @classmethod
    def of(cls, principal: model.Principal) -> "Principal":
        """Return the written form of the core value."""
        return cls.holding(
            id=principal.id, active=principal.active, attributes=principal.attributes
        )


class Group(Document):
    """A named set of principals and groups."""

    id: GroupField
    """The group's id."""

    def core(self) -> model.Group:
        """Return the core value that is written here."""
        return model.Group(self.id)

    @classmethod
    def of(cls, group: model.Group) -> "Group":
        """Return the written form of the core value."""
        return cls.holding(id=group.id)


class Role(Document):
    """A named set of claims, inherited by every role below it."""

    id: RoleField
    """The role's id."""

    def core(self) -> model.Role:
        """Return the core value that is written here."""
        return model.Role(self.id)

    @classmethod
    def of(cls, role: model.Role) -> "Role":
        """Return the written form of the core value."""
        return cls.holding(id=role.id)


class KindDeclaration(Document):
    """A kind that resources of this organization may have."""

    id: KindField
    """The kind's name."""

    def core(self) -> model.KindDeclaration:
        """Return the core value that is written here."""
        return model.KindDeclaration(self.id)

    @classmethod
    def of(cls, declaration: model.KindDeclaration) -> "KindDeclaration":
        """Return the written form of the core value."""
        return cls.holding(id=declaration.kind)


class Resource(Document):
    """Something to be protected; optionally inside a parent."""

    id: ResourceField
    """The resource's id; it must not start like the id of an implicit resource."""
    kind: KindField
    """A declared kind."""
    parent: ResourceField | None = None
    """The resource that this one is inside of."""
    attributes: AttributesField = Field(
        default_factory=no_attributes, json_schema_extra={"default": {}}
    )
    """Typed attributes that claims can compare."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> model.Resource:
        """Return the core value that is written here."""
        return model.Resource(self.id, self.kind, self.parent, self.attributes)

    @classmethod
    def of(cls, resource: model.Resource) -> "Resource":
        """Return the written form of the core value."""
        return cls.holding(
            id=resource.id,
            kind=resource.kind,
            parent=resource.parent,
            attributes=resource.attributes,
        )


class Claim(Document):
    """A role may do an action on a resource while every constraint holds."""

    id: ClaimField
    """The claim's id."""
    role: RoleField
    """The role that holds the claim."""
    action: ActionField
    """The name of an action, or `*` for every one that is not administrative."""
    resource: ResourcePatternField
    """`docs`, `docs/**` (with all descendants), `kind:document`, or `*`."""
    constraints: Annotated[ConstraintsField, described(maxItems=CONSTRAINTS_PER_CLAIM_MAX)] = ()
    """All must hold."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> model.Claim:
        """Return the core value that is written here."""
        return model.Claim(self.id, self.role, self.action, self.resource, self.constraints)

    @classmethod
    def of(cls, claim: model.Claim) -> "Claim":
        """Return the written form of the core value."""
        return cls.holding(
            id=claim.id,
            role=claim.role,
            action=claim.action,
            resource=claim.resource,
            constraints=claim.constraints,
        )


class SodSet(Document):
    """A separation-of-duty set: roles that nobody may combine."""

    id: SodSetField
    """The set's id."""
    roles: Annotated[
        frozenset[RoleField], Distinct(), described(minItems=2, maxItems=ROLES_PER_SOD_SET_MAX)
    ]
    """At least `n` roles."""
    n: Annotated[int, described(minimum=2, maximum=ROLES_PER_SOD_SET_MAX)]
    """The smallest FORBIDDEN count of the roles, at least 2."""
    mode: Literal["static", "dynamic"] = "static"
    """`static` binds what a principal may hold, `dynamic` what may be active together."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> model.SodSet:
        """Return the core value that is written here."""
        return model.SodSet(self.id, self.roles, self.n, self.mode)

    @classmethod
    def of(cls, sod_set: model.SodSet) -> "SodSet":
        """Return the written form of the core value."""
        return cls.holding(id=sod_set.id, roles=sod_set.roles, n=sod_set.n, mode=sod_set.mode)


Guardrail = guardrail_documents.Guardrail


class Membership(Document):
    """A principal belongs to a group."""

    principal: PrincipalField
    """The member."""
    group: GroupField
    """The group."""

    def core(self) -> model.Membership:
        """Return the core value that is written here."""
        return model.Membership(self.principal, self.group)

    @classmethod
    def of(cls, membership: model.Membership) -> "Membership":
        """Return the written form of the core value."""
        return cls.holding(principal=membership.principal, group=membership.group)


class Nesting(Document):
    """A group belongs to another group, its container."""

    group: GroupField
    """The group inside."""
    container: GroupField
    """The group around it."""

    def core(self) -> model.Nesting:
        """Return the core value that is written here."""
        return model.Nesting(self.group, self.container)

    @classmethod
    def of(cls, nesting: model.Nesting) -> "Nesting":
        """Return the written form of the core value."""
        return cls.holding(group=nesting.group, container=nesting.container)


class Inheritance(Document):
    """A role inherits every claim of its parent and of the parent's ancestors."""

    role: RoleField
    """The role that inherits."""
    parent: RoleField
    """The role that it inherits from."""

    def core(self) -> model.Inheritance:
        """Return the core value that is written here."""
        return model.Inheritance(self.role, self.parent)

    @classmethod
    def of(cls, inheritance: model.Inheritance) -> "Inheritance":
        """Return the written form of the core value."""
        return cls.holding(role=inheritance.role, parent=inheritance.parent)


class Validity(Document):
    """From an instant until before another; nothing means without bound."""

    start: InstantField | None = Field(default=None, alias="from")
    """The first instant."""
    end: InstantField | None = Field(default=None, alias="until")
    """The first instant after it, greater than `from`."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> model.Validity:
        """Return the core value that is written here."""
        return _validity(self.start, self.end)

    @classmethod
    def of(cls, validity: model.Validity) -> "Validity":
        """Return the written form of the core value."""
        return cls.holding(start=validity.start, end=validity.end)


class Assignment(Document):
    """A principal holds a role while the validity lasts."""

    principal: PrincipalField
    """Who holds the role."""
    role: RoleField
    """The role."""
    start: InstantField | None = Field(default=None, alias="from")
    """The first instant at which the role is held; null means since always."""
    end: InstantField | None = Field(default=None, alias="until")
    """The first instant at which it is held no more, greater than `from`; null means never."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> model.Assignment:
        """Return the core value that is written here."""
        return model.Assignment(self.principal, self.role, _validity(self.start, self.end))

    @classmethod
    def of(cls, assignment: model.Assignment) -> "Assignment":
        """Return the written form of the core value."""
        return cls.holding(
            principal=assignment.principal,
            role=assignment.role,
            start=assignment.validity.start,
            end=assignment.validity.end,
        )


class GroupAssignment(Document):
    """Every principal of a group holds a role while the validity lasts."""

    group: GroupField
    """The group whose principals hold the role."""
    role: RoleField
    """The role."""
    start: InstantField | None = Field(default=None, alias="from")
    """The first instant at which the role is held; null means since always."""
    end: InstantField | None = Field(default=None, alias="until")
    """The first instant at which it is held no more, greater than `from`; null means never."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> model.GroupAssignment:
        """Return the core value that is written here."""
        return model.GroupAssignment(self.group, self.role, _validity(self.start, self.end))

    @classmethod
    def of(cls, assignment: model.GroupAssignment) -> "GroupAssignment":
        """Return the written form of the core value."""
        return cls.holding(
            group=assignment.group,
            role=assignment.role,
            start=assignment.validity.start,
            end=assignment.validity.end,
        )


class Administered(Document):
    """The organization has had an administrator."""

    def core(self) -> model.Administered:
        """Return the core value that is written here."""
        return model.Administered()


Fact = (
    Principal
    | Group
    | Role
    | KindDeclaration
    | Resource
    | Claim
    | SodSet
    | Guardrail
    | Membership
    | Nesting
    | Inheritance
    | Assignment
    | GroupAssignment
    | Administered
)


def of(fact: model.Fact) -> Fact:  # noqa: C901 - one branch a fact
    """Return the written form of a fact."""
    match fact:
        case model.Principal():
            return Principal.of(fact)
        case model.Group():
            return Group.of(fact)
        case model.Role():
            return Role.of(fact)
        case model.KindDeclaration():
            return KindDeclaration.of(fact)
        case model.Resource():
            return Resource.of(fact)
        case model.Claim():
            return Claim.of(fact)
        case model.SodSet():
            return SodSet.of(fact)
        case model.Guardrail():
            return Guardrail.of(fact)
        case model.Membership():
            return Membership.of(fact)
        case model.Nesting():
            return Nesting.of(fact)
        case model.Inheritance():
            return Inheritance.of(fact)
        case model.Assignment():
            return Assignment.of(fact)
        case model.GroupAssignment():
            return GroupAssignment.of(fact)
        case model.Administered():
            return Administered.holding()
        case _:
            assert_never(fact)


def _validity(start: int | None, end: int | None) -> model.Validity:
    return model.ALWAYS if start is None and end is None else model.Validity(start, end)
