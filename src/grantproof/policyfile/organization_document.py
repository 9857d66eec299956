"""A whole organization as one document: what import reads and export writes.

`to_change_set` gives the commands that make it of an empty organization, in an order in which each
can be applied; `heading_of` and `entries_of` write it down again.
"""

from collections.abc import Iterable, Iterator, Mapping
from heapq import merge
from itertools import chain, islice
from typing import Annotated, Any, Final, Literal, Self, TypeVar

from pydantic import Discriminator, Field, Tag, WrapValidator, model_validator

from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    CreateClaim,
    CreateGroup,
    CreateGuardrail,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    CreateSodSet,
    NestGroup,
    SingleCommand,
    SuspendPrincipal,
)
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import Kind, RoleId
from grantproof.core.model import Assignment, GroupAssignment, Membership, Nesting, Validity
from grantproof.core.organization import Organization
from grantproof.policyfile import documents
from grantproof.policyfile.consistency import inconsistencies, roots_first
from grantproof.policyfile.document import Document
from grantproof.policyfile.faults import Location, refused, refusing, without_tags
from grantproof.policyfile.fields import (
    Distinct,
    OrganizationField,
    RoleField,
)

Entity = TypeVar("Entity")
Named = TypeVar("Named", bound=str | tuple[str, ...])

SORTED_AT_ONCE: Final = 10_000

Step = tuple[Location, SingleCommand]
"""A command, and the part of the document that asks for it."""


class RoleEntry(Document):
    """A role and the roles that it inherits from."""

    id: RoleField
    """The role's id."""
    parents: Annotated[frozenset[RoleField], Distinct()] = frozenset()
    """Every claim of these, and of their parents, is the role's too."""


def _holder(entry: object) -> str:
    named = entry if isinstance(entry, dict) else vars(entry) if isinstance(entry, Document) else {}
    return "group" if "group" in named else "principal"


AssignmentEntry = Annotated[
    Annotated[documents.Assignment, Tag("principal")]
    | Annotated[documents.GroupAssignment, Tag("group")],
    Discriminator(_holder),
]
"""A role held by a principal, or by every principal of a group."""

Entry = TypeVar("Entry")
Entries = Annotated[tuple[Entry, ...], Field(strict=False)]


class OrganizationEntries(Document):
    """What an organization document holds, whether or not its parts fit together."""

    api_version: Literal["grantproof/v1"] = Field(alias="apiVersion")
    """The version of this form."""
    kind: Literal["Organization"]
    """What the document is."""
    id: OrganizationField
    """The organization's id."""
    time_zone: str = "UTC"
    """The IANA name of the zone in which hours and weekdays are told."""
    kinds: Entries[documents.KindDeclaration] = ()
    """The kinds that resources may have."""
    principals: Entries[documents.Principal] = ()
    """Persons and service accounts."""
    groups: Entries[documents.Group] = ()
    """Sets of principals and groups."""
    roles: Entries[RoleEntry] = ()
    """Roles, each with its parents."""
    resources: Entries[documents.Resource] = ()
    """What is to be protected."""
    claims: Entries[documents.Claim] = ()
    """What roles may do."""
    sod_sets: Entries[documents.SodSet] = ()
    """What nobody may combine."""
    guardrails: Entries[documents.Guardrail] = ()
    """What every change keeps."""
    memberships: Entries[documents.Membership] = ()
    """Who is in which group."""
    nestings: Entries[documents.Nesting] = ()
    """Which group is in which."""
    assignments: Annotated[Entries[AssignmentEntry], WrapValidator(without_tags)] = ()
    """Who holds which role, and when."""

    def empty(self) -> Organization:
        """Return the organization before anything is in it."""
        return Organization(self.id, time_zone=self.time_zone)

    @classmethod
    def lists(cls) -> tuple[str, ...]:
        """Return the names of the fields that are lists of entries, in their order."""
        fields = cls.model_fields.items()
        return tuple(name for name, field in fields if field.default == ())


class OrganizationDocument(OrganizationEntries):
    """Everything an organization holds. Lists left out are empty."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        try:
            self.empty()
        except Illegal as broken:
            raise refusing(broken, self) from None
        found = inconsistencies(self)
        if found:
            raise refused([(one.path, one.message) for one in found], self.id)
        return self


def to_change_set(document: OrganizationEntries) -> tuple[SingleCommand, ...]:
    """Return the commands that make the organization of an empty one of the same id."""
    return tuple(command for _, command in steps(document))


def steps(document: OrganizationEntries) -> Iterator[Step]:
    """Yield the commands in an order in which each can be applied, each with what asks for it.

    Nodes come before their edges, and separation-of-duty sets and guardrails before whatever could
    break them, so that a breach is refused at the assignment, membership or nesting that makes it.
    """
    for i, kind in enumerate(document.kinds):
        yield ("kinds", i), CreateKind(kind.id)
    yield from _resources(document)
    for i, group in enumerate(document.groups):
        yield ("groups", i), CreateGroup(group.id)
    for i, role in enumerate(document.roles):
        yield ("roles", i), CreateRole(role.id)
    for i, role in enumerate(document.roles):
        for parent in sorted(role.parents):
            yield ("roles", i, "parents"), AddParent(role.id, parent)
    for i, principal in enumerate(document.principals):
        yield ("principals", i), CreatePrincipal(principal.id, principal.attributes)
        if not principal.active:
            yield ("principals", i, "active"), SuspendPrincipal(principal.id)
    yield from _kept(document)
    for i, claim in enumerate(document.claims):
        yield ("claims", i), CreateClaim(claim.core())
    yield from _links(document)


def _kept(document: OrganizationEntries) -> Iterator[Step]:
    for i, sod_set in enumerate(document.sod_sets):
        yield ("sod_sets", i), CreateSodSet(sod_set.core())
    for i, guardrail in enumerate(document.guardrails):
        yield ("guardrails", i), CreateGuardrail(guardrail.core())


def _resources(document: OrganizationEntries) -> Iterator[Step]:
    position = {resource.id: i for i, resource in enumerate(document.resources)}
    parents = {
        resource.id: () if resource.parent is None else (resource.parent,)
        for resource in document.resources
    }
    for resource in roots_first(parents)[0]:
        i = position[resource]
        yield ("resources", i), CreateResource(document.resources[i].core())


def _links(document: OrganizationEntries) -> Iterator[Step]:
    for i, nesting in enumerate(document.nestings):
        yield ("nestings", i), NestGroup(nesting.group, nesting.container)
    for i, member in enumerate(document.memberships):
        yield ("memberships", i), AddMember(member.principal, member.group)
    for i, entry in enumerate(document.assignments):
        held = entry.core()
        match held:
            case Assignment(principal, role, validity):
                yield ("assignments", i), AssignRole(principal, role, validity)
            case GroupAssignment(group, role, validity):
                yield ("assignments", i), AssignGroupRole(group, role, validity)


def heading_of(state: Organization) -> dict[str, str]:
    """Return the fields of an organization's document that are no lists."""
    return {
        "api_version": "grantproof/v1",
        "kind": "Organization",
        "id": state.id,
        "time_zone": state.time_zone,
    }


def entries_of(state: Organization) -> dict[str, Iterator[Document]]:
    """Return the lists of an organization's document, each made entry by entry as it is read."""
    return {
        "kinds": map(_kind, in_order(state.resources_of_kind)),
        "principals": map(documents.Principal.of, _entities(state.principals)),
        "groups": (documents.Group.holding(id=group) for group in in_order(state.groups)),
        "roles": (_role(state, role) for role in in_order(state.roles)),
        "resources": map(documents.Resource.of, _entities(state.resources)),
        "claims": map(documents.Claim.of, _entities(state.claims)),
        "sod_sets": map(documents.SodSet.of, _entities(state.sod_sets)),
        "guardrails": map(documents.Guardrail.of, _entities(state.guardrails)),
        "memberships": _memberships(state),
        "nestings": (
            documents.Nesting.of(Nesting(*pair)) for pair in in_order(state.groups.edges())
        ),
        "assignments": chain(_assignments(state), _group_assignments(state)),
    }


def in_order(names: Iterable[Named]) -> Iterator[Named]:
    """Yield the names sorted, a part at a time: one sort of very many would let nobody else run."""
    left = iter(names)
    parts = iter(lambda: sorted(islice(left, SORTED_AT_ONCE)), [])
    return merge(*parts)


def _memberships(state: Organization) -> Iterator[Document]:
    for principal in in_order(state.principals):
        for group in sorted(state.memberships.of(principal)):
            yield documents.Membership.of(Membership(principal, group))


def _assignments(state: Organization) -> Iterator[Document]:
    for principal in in_order(state.principals):
        for role, validity in sorted(state.assignments.of(principal).items(), key=_name):
            yield documents.Assignment.of(Assignment(principal, role, validity))


def _group_assignments(state: Organization) -> Iterator[Document]:
    for group in in_order(state.groups):
        for role, validity in sorted(state.group_assignments.of(group).items(), key=_name):
            yield documents.GroupAssignment.of(GroupAssignment(group, role, validity))


def _entities(entities: Mapping[Any, Entity]) -> Iterator[Entity]:
    return (entities[name] for name in in_order(entities))


def _kind(kind: Kind) -> documents.KindDeclaration:
    return documents.KindDeclaration.holding(id=kind)


def _role(state: Organization, role: RoleId) -> RoleEntry:
    return RoleEntry.holding(id=role, parents=frozenset(state.roles.parents[role]))


def _name(held: tuple[RoleId, Validity]) -> RoleId:
    return held[0]
