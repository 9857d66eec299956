"""The aggregate: everything an organization holds at one revision, indexed for both directions.

Persistent maps only: `advance` returns a new organization that shares all it did not touch, so
readers keep the revision they hold and a change costs what it touches.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import assert_never

from immutables import Map

from grantproof.core.errors import Illegal
from grantproof.core.evolving import replace
from grantproof.core.guardrails import Named
from grantproof.core.identifiers import (
    ClaimId,
    GroupId,
    GuardrailId,
    Kind,
    OrganizationId,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.limits import TIME_ZONE_LENGTH_MAX
from grantproof.core.model import (
    Administered,
    Assignment,
    Claim,
    Delta,
    Fact,
    Group,
    GroupAssignment,
    Guardrail,
    Inheritance,
    KindDeclaration,
    Membership,
    Nesting,
    Principal,
    Resource,
    ResourcePattern,
    Role,
    SodSet,
    Validity,
)
from grantproof.core.relation import Graph, Relation, with_member, without_member


@dataclass(frozen=True)
class Organization:
    """A tenant at one revision. `time_zone` is an IANA name; indexes end in `_by_`, `_in_`, `_of_`.

    `groups` links a group to its containers, `roles` a role to the parents it inherits from. There
    is one at a time, which every fact replaces: so it has no slots, see `evolving`.
    """

    id: OrganizationId
    revision: int = 0
    time_zone: str = "UTC"
    administered: bool = False
    principals: Map[PrincipalId, Principal] = Map()
    groups: Graph[GroupId] = Graph()
    roles: Graph[RoleId] = Graph()
    resources: Map[ResourceId, Resource] = Map()
    resources_of_kind: Map[Kind, Map[ResourceId, None]] = Map()
    resources_in_parent: Map[ResourceId, Map[ResourceId, None]] = Map()
    claims: Map[ClaimId, Claim] = Map()
    claims_by_role: Map[RoleId, Map[ClaimId, None]] = Map()
    claims_by_resource: Map[ResourcePattern, Map[ClaimId, None]] = Map()
    sod_sets: Map[SodSetId, SodSet] = Map()
    sod_sets_by_role: Map[RoleId, Map[SodSetId, None]] = Map()
    guardrails: Map[GuardrailId, Guardrail] = Map()
    guardrails_by_name: Map[Named, Map[GuardrailId, None]] = Map()
    memberships: Relation[PrincipalId, GroupId, None] = Relation()
    assignments: Relation[PrincipalId, RoleId, Validity] = Relation()
    group_assignments: Relation[GroupId, RoleId, Validity] = Relation()

    def __post_init__(self) -> None:
        if self.revision < 0:
            raise Illegal("revision", "must be at least 0")
        if not 0 < len(self.time_zone) <= TIME_ZONE_LENGTH_MAX:
            raise Illegal("time_zone", f"must have 1 to {TIME_ZONE_LENGTH_MAX} characters")

    def implicit_resources(self) -> Iterator[ResourceId]:
        """Yield the resources that exist because a role, a group, a set or this does."""
        yield ResourceId(f"organization:{self.id}")
        yield from (ResourceId(f"role:{role}") for role in self.roles)
        yield from (ResourceId(f"group:{group}") for group in self.groups)
        yield from (ResourceId(f"sod-set:{sod_set}") for sod_set in self.sod_sets)


def implicit_kind(state: Organization, resource: str) -> str | None:
    """Return the kind of an implicit resource of `state`, or nothing when it is not one."""
    kind, _, entity = resource.partition(":")
    match kind:
        case "role":
            exists = entity in state.roles
        case "group":
            exists = entity in state.groups
        case "sod-set":
            exists = entity in state.sod_sets
        case "organization":
            exists = entity == state.id
        case _:
            exists = False
    return kind if exists else None


def advance(state: Organization, delta: Delta) -> Organization:
    """Return the next revision: `state` changed by the delta."""
    return replace(changed(state, delta), revision=state.revision + 1)


def changed(state: Organization, delta: Delta) -> Organization:
    """Return `state` without the removed facts and with the added ones, at the same revision.

    INVARIANT: removed facts are in `state`, added ones are not; edges leave before their nodes and
    arrive after them, which the order of a delta says.
    """
    for fact in delta.removed:
        state = without_fact(state, fact)
    for fact in delta.added:
        state = with_fact(state, fact)
    return state


def with_fact(state: Organization, fact: Fact) -> Organization:  # noqa: C901 - one branch a fact
    """Return `state` with one more fact, at the same revision."""
    match fact:
        case Assignment():
            held = state.assignments.with_pair(fact.principal, fact.role, fact.validity)
            return replace(state, assignments=held)
        case Principal():
            return replace(state, principals=state.principals.set(fact.id, fact))
        case Group():
            return replace(state, groups=state.groups.with_node(fact.id))
        case Role():
            return replace(state, roles=state.roles.with_node(fact.id))
        case KindDeclaration():
            kinds = state.resources_of_kind.set(fact.kind, Map())
            return replace(state, resources_of_kind=kinds)
        case Resource():
            return _with_resource(state, fact)
        case Claim():
            return _with_claim(state, fact)
        case SodSet():
            return _with_sod_set(state, fact)
        case Guardrail():
            return _with_guardrail(state, fact)
        case Membership():
            pairs = state.memberships.with_pair(fact.principal, fact.group, None)
            return replace(state, memberships=pairs)
        case Nesting():
            return replace(state, groups=state.groups.with_edge(fact.group, fact.container))
        case Inheritance():
            return replace(state, roles=state.roles.with_edge(fact.role, fact.parent))
        case GroupAssignment():
            held_by = state.group_assignments.with_pair(fact.group, fact.role, fact.validity)
            return replace(state, group_assignments=held_by)
        case Administered():
            return replace(state, administered=True)
        case _:
            assert_never(fact)


def without_fact(state: Organization, fact: Fact) -> Organization:  # noqa: C901 - one branch a fact
    """Return `state` without one of its facts, at the same revision."""
    match fact:
        case Assignment():
            held = state.assignments.without_pair(fact.principal, fact.role)
            return replace(state, assignments=held)
        case Principal():
            return replace(state, principals=state.principals.delete(fact.id))
        case Group():
            return replace(state, groups=state.groups.without_node(fact.id))
        case Role():
            return replace(state, roles=state.roles.without_node(fact.id))
        case KindDeclaration():
            return replace(state, resources_of_kind=state.resources_of_kind.delete(fact.kind))
        case Resource():
            return _without_resource(state, fact)
        case Claim():
            return _without_claim(state, fact)
        case SodSet():
            return _without_sod_set(state, fact)
        case Guardrail():
            return _without_guardrail(state, fact)
        case Membership():
            pairs = state.memberships.without_pair(fact.principal, fact.group)
            return replace(state, memberships=pairs)
        case Nesting():
            return replace(state, groups=state.groups.without_edge(fact.group, fact.container))
        case Inheritance():
            return replace(state, roles=state.roles.without_edge(fact.role, fact.parent))
        case GroupAssignment():
            held_by = state.group_assignments.without_pair(fact.group, fact.role)
            return replace(state, group_assignments=held_by)
        case Administered():
            return replace(state, administered=False)
        case _:
            assert_never(fact)


def facts(state: Organization) -> Iterator[Fact]:
    """Yield every fact of `state`, in an order in which each can be added to an empty one."""
    yield from state.principals.values()
    yield from (Group(group) for group in state.groups)
    yield from (Role(role) for role in state.roles)
    yield from (KindDeclaration(kind) for kind in state.resources_of_kind)
    yield from state.resources.values()
    yield from state.claims.values()
    yield from state.sod_sets.values()
    yield from state.guardrails.values()
    yield from (Membership(principal, group) for principal, group, _ in state.memberships.triples())
    yield from (Nesting(group, container) for group, container in state.groups.edges())
    yield from (Inheritance(role, parent) for role, parent in state.roles.edges())
    yield from (Assignment(*triple) for triple in state.assignments.triples())
    yield from (GroupAssignment(*triple) for triple in state.group_assignments.triples())
    if state.administered:
        yield Administered()


def _with_resource(state: Organization, resource: Resource) -> Organization:
    alike = state.resources_of_kind[resource.kind].set(resource.id, None)
    in_parent = state.resources_in_parent
    if resource.parent is not None:
        in_parent = with_member(in_parent, resource.parent, resource.id)
    return replace(
        state,
        resources=state.resources.set(resource.id, resource),
        resources_of_kind=state.resources_of_kind.set(resource.kind, alike),
        resources_in_parent=in_parent,
    )


def _without_resource(state: Organization, resource: Resource) -> Organization:
    in_parent = state.resources_in_parent
    if resource.parent is not None:
        in_parent = without_member(in_parent, resource.parent, resource.id)
    # A declared kind stays declared without resources, so its entry stays when it is empty.
    remaining = state.resources_of_kind[resource.kind].delete(resource.id)
    return replace(
        state,
        resources=state.resources.delete(resource.id),
        resources_of_kind=state.resources_of_kind.set(resource.kind, remaining),
        resources_in_parent=in_parent,
    )


def _with_claim(state: Organization, claim: Claim) -> Organization:
    return replace(
        state,
        claims=state.claims.set(claim.id, claim),
        claims_by_role=with_member(state.claims_by_role, claim.role, claim.id),
        claims_by_resource=with_member(state.claims_by_resource, claim.resource, claim.id),
    )


def _without_claim(state: Organization, claim: Claim) -> Organization:
    return replace(
        state,
        claims=state.claims.delete(claim.id),
        claims_by_role=without_member(state.claims_by_role, claim.role, claim.id),
        claims_by_resource=without_member(state.claims_by_resource, claim.resource, claim.id),
    )


def _with_sod_set(state: Organization, sod_set: SodSet) -> Organization:
    by_role = state.sod_sets_by_role
    for role in sod_set.roles:
        by_role = with_member(by_role, role, sod_set.id)
    return replace(
        state, sod_sets=state.sod_sets.set(sod_set.id, sod_set), sod_sets_by_role=by_role
    )


def _without_sod_set(state: Organization, sod_set: SodSet) -> Organization:
    by_role = state.sod_sets_by_role
    for role in sod_set.roles:
        by_role = without_member(by_role, role, sod_set.id)
    return replace(state, sod_sets=state.sod_sets.delete(sod_set.id), sod_sets_by_role=by_role)


def _with_guardrail(state: Organization, guardrail: Guardrail) -> Organization:
    by_name = state.guardrails_by_name
    for name in guardrail.names:
        by_name = with_member(by_name, name, guardrail.id)
    return replace(
        state,
        guardrails=state.guardrails.set(guardrail.id, guardrail),
        guardrails_by_name=by_name,
    )


def _without_guardrail(state: Organization, guardrail: Guardrail) -> Organization:
    by_name = state.guardrails_by_name
    for name in guardrail.names:
        by_name = without_member(by_name, name, guardrail.id)
    return replace(
        state, guardrails=state.guardrails.delete(guardrail.id), guardrails_by_name=by_name
    )
