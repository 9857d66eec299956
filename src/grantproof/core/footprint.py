"""What a change may have broken: the invariants, looked at only where its facts lie.

A second opinion on `apply`, for production: it asks what `invariants.valid` asks, of a state that
was valid before, at a cost that grows with the change and not with the organization. It shares no
code with `refusal` and `delta`, whose work it checks, and follows the graphs by a walk of its own.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeVar, assert_never

from grantproof.core import limits
from grantproof.core.agreement import disagreements
from grantproof.core.holding import administrator_lost, duty_broken, reached
from grantproof.core.identifiers import (
    IMPLICIT_KINDS,
    ResourceId,
)
from grantproof.core.invariants import Violation, legal
from grantproof.core.model import (
    ALWAYS,
    Administered,
    Any,
    Assignment,
    Claim,
    Delta,
    Exactly,
    Fact,
    Group,
    GroupAssignment,
    Guardrail,
    Inheritance,
    KindDeclaration,
    Membership,
    Nesting,
    OfKind,
    Principal,
    Resource,
    ResourcePattern,
    Role,
    SodSet,
    Within,
)
from grantproof.core.organization import Organization, implicit_kind
from grantproof.core.paths import longest_chain

Node = TypeVar("Node", bound=str)
Found = Iterator[tuple[str, ...]]
Check = Callable[[Organization, Organization, Delta], Iterable[tuple[str, ...]]]


def broken(before: Organization, after: Organization, delta: Delta) -> tuple[Violation, ...]:
    """Return what the delta broke; nothing exactly if `invariants.valid(after)` finds nothing.

    `before` is valid, and `after` is what the delta made of it. P-INDUCT, one change at a time.
    """
    for stage in STAGES:
        found = tuple(
            Violation(name, ids)
            for name, check in stage.items()
            for ids in dict.fromkeys(check(before, after, delta))
        )
        if len(found) > 0:
            return found
    return ()


def _dangling(before: Organization, after: Organization, delta: Delta) -> Found:
    """Yield the added facts that refer to nothing, and what still refers to a removed one."""
    for fact in delta.added:
        if not all(_needs(after, fact)):
            yield _named(fact)
    for fact in delta.removed:
        yield from _left_behind(before, after, fact)


def _needs(  # noqa: C901 - one branch a fact
    after: Organization, fact: Fact
) -> Iterator[bool]:
    """Yield for each end of the fact whether it is there."""
    match fact:
        case Assignment():
            yield fact.principal in after.principals
            yield fact.role in after.roles
        case Principal() | Group() | Role() | KindDeclaration() | Administered():
            return
        case Resource():
            yield fact.kind in after.resources_of_kind
            yield fact.parent is None or fact.parent in after.resources
        case Claim():
            yield fact.role in after.roles
            yield _claimable(after, fact.resource)
        case SodSet():
            yield from (role in after.roles for role in fact.roles)
        case Guardrail():
            yield from (_claimable(after, name) for name in fact.names)
        case Membership():
            yield fact.principal in after.principals
            yield fact.group in after.groups
        case Nesting():
            yield fact.group in after.groups
            yield fact.container in after.groups
        case Inheritance():
            yield fact.role in after.roles
            yield fact.parent in after.roles
        case GroupAssignment():
            yield fact.group in after.groups
            yield fact.role in after.roles
        case _:
            assert_never(fact)


def _claimable(after: Organization, pattern: ResourcePattern) -> bool:
    match pattern:
        case Exactly(resource) | Within(resource):
            return resource in after.resources or implicit_kind(after, resource) is not None
        case OfKind(kind):
            return kind in after.resources_of_kind or kind in IMPLICIT_KINDS
        case Any():
            return True
        case _:
            assert_never(pattern)


def _left_behind(before: Organization, after: Organization, fact: Fact) -> Found:
    """Yield what refers to the fact although it is gone."""
    match fact:
        case Principal() if fact.id not in after.principals:
            yield from ((fact.id, group) for group in after.memberships.of(fact.id))
            yield from ((fact.id, role) for role in after.assignments.of(fact.id))
        case Group() if fact.id not in after.groups:
            yield from ((principal, fact.id) for principal in after.memberships.to(fact.id))
            yield from ((fact.id, role) for role in after.group_assignments.of(fact.id))
            yield from _edges_to(fact.id, before.groups.children, after.groups.parents)
            yield from _said_of(after, f"group:{fact.id}")
        case Role() if fact.id not in after.roles:
            yield from ((principal, fact.id) for principal in after.assignments.to(fact.id))
            yield from ((group, fact.id) for group in after.group_assignments.to(fact.id))
            yield from ((claim,) for claim in after.claims_by_role.get(fact.id, ()))
            yield from ((sod_set, fact.id) for sod_set in after.sod_sets_by_role.get(fact.id, ()))
            yield from _edges_to(fact.id, before.roles.children, after.roles.parents)
            yield from _said_of(after, f"role:{fact.id}")
        case KindDeclaration() if fact.kind not in after.resources_of_kind:
            alike = before.resources_of_kind.get(fact.kind, ())
            kept = (after.resources.get(one) for one in alike)
            yield from ((one.id, one.kind) for one in kept if one and one.kind == fact.kind)
            yield from _naming(after, OfKind(fact.kind))
        case Resource() if fact.id not in after.resources:
            inside = before.resources_in_parent.get(fact.id, ())
            left = (after.resources.get(one) for one in inside)
            yield from ((one.id, fact.id) for one in left if one and one.parent == fact.id)
            yield from _said_of(after, fact.id)
        case SodSet() if fact.id not in after.sod_sets:
            yield from _said_of(after, f"sod-set:{fact.id}")
        case _:
            return


def _edges_to(
    gone: Node,
    children: Mapping[Node, Iterable[Node]],
    parents: Mapping[Node, Mapping[Node, None]],
) -> Found:
    return ((child, gone) for child in children.get(gone, ()) if gone in parents.get(child, ()))


def _said_of(after: Organization, resource: str) -> Found:
    named = ResourceId(resource)
    yield from _naming(after, Exactly(named))
    yield from _naming(after, Within(named))


def _naming(after: Organization, pattern: ResourcePattern) -> Found:
    yield from ((claim,) for claim in after.claims_by_resource.get(pattern, ()))
    if isinstance(pattern, Exactly | OfKind):
        yield from ((guardrail,) for guardrail in after.guardrails_by_name.get(pattern, ()))


def _circular(_: Organization, after: Organization, delta: Delta) -> Found:
    """Yield the added links from whose upper end a walk upward comes to the lower one."""
    for fact in delta.added:
        match fact:
            case Inheritance(low, high):
                if low in reached((high,), after.roles.parents):
                    yield (low, high)
            case Nesting(inner, outer):
                if inner in reached((outer,), after.groups.parents):
                    yield (inner, outer)
            case Resource(id=name, parent=parent) if parent is not None:
                if name in _lying_in(after, parent):
                    yield (name, parent)
            case _:
                continue


def _lying_in(after: Organization, resource: ResourceId) -> dict[ResourceId, None]:
    """Return the resource and what it lies in, each once, from the inside out."""
    seen: dict[ResourceId, None] = {}
    here: ResourceId | None = resource
    while here is not None and here not in seen:
        seen[here] = None
        stored = after.resources.get(here)
        here = None if stored is None else stored.parent
    return seen


def _ill_formed(_: Organization, __: Organization, delta: Delta) -> Found:
    for fact in delta.added:
        match fact:
            case Assignment() | GroupAssignment():
                # Trying the commonest one anew, a million times, takes longer than all the rest.
                sound = fact.validity is ALWAYS or legal(fact.validity)
            case Claim():
                sound = all(legal(constraint) for constraint in fact.constraints)
            case SodSet():
                sound = legal(fact)
            case _:
                sound = True
        if not sound:
            yield _named(fact)


def _beyond_limits(before: Organization, after: Organization, delta: Delta) -> Found:
    totals = (
        ("principals", len(after.principals), limits.PRINCIPALS_MAX),
        ("groups", len(after.groups), limits.GROUPS_MAX),
        ("roles", len(after.roles), limits.ROLES_MAX),
        ("kinds", len(after.resources_of_kind), limits.KINDS_MAX),
        ("resources", len(after.resources), limits.RESOURCES_MAX),
        ("claims", len(after.claims), limits.CLAIMS_MAX),
        ("separation-of-duty sets", len(after.sod_sets), limits.SOD_SETS_MAX),
        ("guardrails", len(after.guardrails), limits.GUARDRAILS_MAX),
    )
    yield from ((name,) for name, count, maximum in totals if count > maximum)
    for fact in delta.added:
        if any(count > maximum for count, maximum in _counts(before, after, fact)):
            yield _named(fact)


def _counts(before: Organization, after: Organization, fact: Fact) -> Iterator[tuple[int, int]]:
    """Yield what the added fact counts towards, as it is now, each with its limit."""
    match fact:
        case Assignment():
            yield len(after.assignments.of(fact.principal)), limits.ROLES_PER_HOLDER_MAX
        case Inheritance(role, parent):
            yield len(after.roles.parents[role]), limits.PARENTS_PER_ROLE_MAX
            above, below = after.roles.parents, after.roles.children
            yield _chain(role, parent, above, below=below), limits.ROLE_DEPTH_MAX
        case Nesting(group, container):
            yield len(after.groups.parents[group]), limits.CONTAINERS_PER_GROUP_MAX
            around, inside = after.groups.parents, after.groups.children
            yield _chain(group, container, around, below=inside), limits.GROUP_DEPTH_MAX
        case Claim():
            held = after.claims_by_role.get(fact.role, ())
            yield len(held), limits.CLAIMS_PER_ROLE_MAX
        case Membership():
            yield len(after.memberships.of(fact.principal)), limits.GROUPS_PER_PRINCIPAL_MAX
        case GroupAssignment():
            yield len(after.group_assignments.of(fact.group)), limits.ROLES_PER_HOLDER_MAX
        case Resource() if _moved(before, fact):
            outside = len(_lying_in(after, fact.id)) - 1
            yield outside + _height(after, fact.id), limits.RESOURCE_DEPTH_MAX
        case _:
            return


def _chain(
    low: Node,
    high: Node,
    above: Mapping[Node, Iterable[Node]],
    *,
    below: Mapping[Node, Iterable[Node]],
) -> int:
    """Return the links of the longest chain through the link from `low` to `high`."""
    return longest_chain(high, above) + 1 + longest_chain(low, below)


def _moved(before: Organization, fact: Resource) -> bool:
    stored = before.resources.get(fact.id)
    return stored is None or stored.parent != fact.parent


def _height(after: Organization, resource: ResourceId) -> int:
    level, height = [resource], -1
    while level:
        level = [one for up in level for one in after.resources_in_parent.get(up, ())]
        height += 1
    return height


def _named(fact: Fact) -> tuple[str, ...]:
    match fact:
        case Principal() | Group() | Role() | Resource() | Claim() | SodSet() | Guardrail():
            return (fact.id,)
        case KindDeclaration():
            return (fact.kind,)
        case Membership():
            return (fact.principal, fact.group)
        case Nesting():
            return (fact.group, fact.container)
        case Inheritance():
            return (fact.role, fact.parent)
        case Assignment():
            return (fact.principal, fact.role)
        case GroupAssignment():
            return (fact.group, fact.role)
        case Administered():
            return ()
        case _:
            assert_never(fact)


STAGES: Final[tuple[Mapping[str, Check], ...]] = (
    {"refers": _dangling, "acyclic": _circular, "well-formed": _ill_formed},
    {"indexes-agree": disagreements},
    {
        "static-duty-holds": duty_broken,
        "last-administrator-kept": administrator_lost,
        "within-limits": _beyond_limits,
    },
)
"""Each stage may suppose that those before it found nothing."""
