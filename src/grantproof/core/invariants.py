"""What is true of every organization: one check a name, each listing its violations.

The inductive invariant of the proofs, the oracle of the property tests, and what a state read from
a database must pass. Nothing here trusts that another check passed, but for depths and duty, which
need acyclic graphs without gaps.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from grantproof.core import limits
from grantproof.core.administration import has_administrator
from grantproof.core.constraints import Constraint, GeoRadius
from grantproof.core.duty import static_clash
from grantproof.core.errors import Illegal
from grantproof.core.hierarchy import holders_of
from grantproof.core.identifiers import (
    IMPLICIT_KINDS,
    GroupId,
    PrincipalId,
    ResourceId,
    RoleId,
)
from grantproof.core.matching import lineage
from grantproof.core.mirrors import agreeing, mirrored
from grantproof.core.model import (
    Any,
    Exactly,
    OfKind,
    ResourcePattern,
    SodSet,
    Validity,
    Within,
)
from grantproof.core.organization import Organization, implicit_kind
from grantproof.core.paths import longest_chain
from grantproof.core.relation import Relation

Node = TypeVar("Node", bound=str)
Holder = TypeVar("Holder", PrincipalId, GroupId)


@dataclass(frozen=True, slots=True)
class Violation:
    """An invariant, by name, and the ids of what breaks it."""

    invariant: str
    ids: tuple[str, ...]


def valid(state: Organization) -> tuple[Violation, ...]:
    """Return every violation; none means that the organization is valid. P-INDUCT."""
    found = _violations(state, STRUCTURE)
    return found if len(found) > 0 else _violations(state, MEANING)


def _violations(state: Organization, checks: "Mapping[str, Check]") -> tuple[Violation, ...]:
    return tuple(Violation(name, ids) for name, check in checks.items() for ids in check(state))


def _assignment_refers(state: Organization) -> Iterator[tuple[str, ...]]:
    for principal, role, _ in state.assignments.triples():
        if principal not in state.principals or role not in state.roles:
            yield (principal, role)
    for group, role, _ in state.group_assignments.triples():
        if group not in state.groups or role not in state.roles:
            yield (group, role)


def _membership_refers(state: Organization) -> Iterator[tuple[str, ...]]:
    for principal, group, _ in state.memberships.triples():
        if principal not in state.principals or group not in state.groups:
            yield (principal, group)
    for group, container in state.groups.edges():
        if container not in state.groups:
            yield (group, container)


def _parent_refers(state: Organization) -> Iterator[tuple[str, ...]]:
    return ((role, parent) for role, parent in state.roles.edges() if parent not in state.roles)


def _claim_refers(state: Organization) -> Iterator[tuple[str, ...]]:
    for claim in state.claims.values():
        if claim.role not in state.roles or not _resource_there(state, claim.resource):
            yield (claim.id,)


def _resource_there(state: Organization, pattern: ResourcePattern) -> bool:
    match pattern:
        case Exactly(resource) | Within(resource):
            return resource in state.resources or implicit_kind(state, resource) is not None
        case OfKind(kind):
            return kind in state.resources_of_kind or kind in IMPLICIT_KINDS
        case Any():
            return True


def _resource_refers(state: Organization) -> Iterator[tuple[str, ...]]:
    for resource in state.resources.values():
        if resource.kind not in state.resources_of_kind:
            yield (resource.id, resource.kind)
        if resource.parent is not None and resource.parent not in state.resources:
            yield (resource.id, resource.parent)


def _set_refers(state: Organization) -> Iterator[tuple[str, ...]]:
    for sod_set in state.sod_sets.values():
        yield from ((sod_set.id, role) for role in sod_set.roles if role not in state.roles)


def _guardrail_refers(state: Organization) -> Iterator[tuple[str, ...]]:
    for guardrail in state.guardrails.values():
        if not all(_resource_there(state, name) for name in guardrail.names):
            yield (guardrail.id,)


def _roles_acyclic(state: Organization) -> Iterator[tuple[str, ...]]:
    return _unfounded(state.roles.parents)


def _groups_acyclic(state: Organization) -> Iterator[tuple[str, ...]]:
    return _unfounded(state.groups.parents)


def _resources_acyclic(state: Organization) -> Iterator[tuple[str, ...]]:
    parents: dict[ResourceId, tuple[ResourceId, ...]] = {
        resource.id: () if resource.parent is None else (resource.parent,)
        for resource in state.resources.values()
    }
    return _unfounded(parents)


def _unfounded(parents: Mapping[Node, Iterable[Node]]) -> Iterator[tuple[str, ...]]:
    """Yield the nodes that no peeling of parentless nodes reaches: those on or below a cycle."""
    waiting = {node: {up for up in ups if up in parents} for node, ups in parents.items()}
    below: dict[Node, list[Node]] = {}
    for node, ups in waiting.items():
        for up in ups:
            below.setdefault(up, []).append(node)
    founded = [node for node, ups in waiting.items() if len(ups) == 0]
    while founded:
        node = founded.pop()
        del waiting[node]
        for child in below.get(node, ()):
            waiting[child].discard(node)
            if len(waiting[child]) == 0:
                founded.append(child)
    return ((node,) for node in waiting)


def _constraint_well_formed(state: Organization) -> Iterator[tuple[str, ...]]:
    return (
        (claim.id,)
        for claim in state.claims.values()
        if not all(legal(constraint) for constraint in claim.constraints)
    )


def _validity_well_formed(state: Organization) -> Iterator[tuple[str, ...]]:
    # Most assignments share one validity, and trying each anew takes longer than all the rest.
    found = {id(one): one for _, _, one in _assigned(state)}
    illegal = frozenset(number for number, one in found.items() if not legal(one))
    if len(illegal) == 0:
        return iter(())
    return ((holder, role) for holder, role, one in _assigned(state) if id(one) in illegal)


def _assigned(state: Organization) -> Iterator[tuple[str, RoleId, Validity]]:
    yield from state.assignments.triples()
    yield from state.group_assignments.triples()


def _set_well_formed(state: Organization) -> Iterator[tuple[str, ...]]:
    return ((sod_set.id,) for sod_set in state.sod_sets.values() if not legal(sod_set))


def legal(value: Constraint | Validity | SodSet) -> bool:
    """Return whether the value could be constructed, however it came to be."""
    try:
        replace(value)
        if isinstance(value, GeoRadius):
            replace(value.centre)
    except Illegal:
        return False
    return True


def _at_most_one_assignment(state: Organization) -> Iterator[tuple[str, ...]]:
    """Yield the pairs that one direction of an assignment relation has and the other has not."""
    yield from _one_sided(state.assignments)
    yield from _one_sided(state.group_assignments)


def _one_sided(relation: Relation[Holder, RoleId, Validity]) -> Iterator[tuple[str, ...]]:
    if mirrored(relation):
        return iter(())
    forward = {(holder, role) for holder, role, _ in relation.triples()}
    backward = {(holder, role) for role in relation.backward for holder in relation.to(role)}
    return iter(sorted(forward ^ backward))


def _indexes_agree(state: Organization) -> Iterator[tuple[str, ...]]:
    """Yield the id of an organization that is not what its own facts make."""
    if not agreeing(state):
        yield (state.id,)


def _static_duty_holds(state: Organization) -> Iterator[tuple[str, ...]]:
    bound = {role for sod_set in state.sod_sets.values() for role in sod_set.roles}
    for principal in sorted(holders_of(state, bound)):
        clash = static_clash(state, principal)
        if clash is not None:
            yield (clash.sod_set, principal)


def _last_administrator_kept(state: Organization) -> Iterator[tuple[str, ...]]:
    if state.administered and not has_administrator(state):
        yield (state.id,)


def _within_limits(state: Organization) -> Iterator[tuple[str, ...]]:
    totals = (
        ("principals", len(state.principals), limits.PRINCIPALS_MAX),
        ("groups", len(state.groups), limits.GROUPS_MAX),
        ("roles", len(state.roles), limits.ROLES_MAX),
        ("kinds", len(state.resources_of_kind), limits.KINDS_MAX),
        ("resources", len(state.resources), limits.RESOURCES_MAX),
        ("claims", len(state.claims), limits.CLAIMS_MAX),
        ("separation-of-duty sets", len(state.sod_sets), limits.SOD_SETS_MAX),
        ("guardrails", len(state.guardrails), limits.GUARDRAILS_MAX),
    )
    yield from ((name,) for name, count, maximum in totals if count > maximum)
    yield from _crowded(state.roles.parents, limits.PARENTS_PER_ROLE_MAX)
    yield from _crowded(state.groups.parents, limits.CONTAINERS_PER_GROUP_MAX)
    yield from _crowded(state.claims_by_role, limits.CLAIMS_PER_ROLE_MAX)
    yield from _crowded(state.memberships.forward, limits.GROUPS_PER_PRINCIPAL_MAX)
    yield from _crowded(state.assignments.forward, limits.ROLES_PER_HOLDER_MAX)
    yield from _crowded(state.group_assignments.forward, limits.ROLES_PER_HOLDER_MAX)
    yield from _deep(state.roles.parents, limits.ROLE_DEPTH_MAX)
    yield from _deep(state.groups.parents, limits.GROUP_DEPTH_MAX)
    for resource in state.resources:
        if len(lineage(state, resource)) - 1 > limits.RESOURCE_DEPTH_MAX:
            yield (resource,)


def _crowded(many: Mapping[Node, Sized], maximum: int) -> Iterator[tuple[str, ...]]:
    return ((one,) for one, others in many.items() if len(others) > maximum)


def _deep(parents: Mapping[Node, Iterable[Node]], maximum: int) -> Iterator[tuple[str, ...]]:
    return ((node,) for node in parents if longest_chain(node, parents) > maximum)


Check = Callable[[Organization], Iterable[tuple[str, ...]]]

STRUCTURE: Final[Mapping[str, Check]] = {
    "assignment-refers": _assignment_refers,
    "membership-refers": _membership_refers,
    "parent-refers": _parent_refers,
    "claim-refers": _claim_refers,
    "resource-parent-refers": _resource_refers,
    "set-refers": _set_refers,
    "guardrail-refers": _guardrail_refers,
    "roles-acyclic": _roles_acyclic,
    "groups-acyclic": _groups_acyclic,
    "resources-acyclic": _resources_acyclic,
    "constraint-well-formed": _constraint_well_formed,
    "validity-well-formed": _validity_well_formed,
    "set-well-formed": _set_well_formed,
}
"""References and shapes, checked first: P-REF, P-DAG and the constraint properties."""

MEANING: Final[Mapping[str, Check]] = {
    "static-duty-holds": _static_duty_holds,
    "at-most-one-assignment": _at_most_one_assignment,
    "last-administrator-kept": _last_administrator_kept,
    "within-limits": _within_limits,
    "indexes-agree": _indexes_agree,
}
"""What needs sound structure to be asked: P-SOD-SAFE and the rest."""
