"""Who a change lets hold too much, and whether it leaves nobody to administer.

What `duty` and `administration` answer, by a walk of its own, so that a fault in those is not
repeated here. Only what the added facts give, and to whom, is looked at.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import TypeVar

from grantproof.core.identifiers import GroupId, PrincipalId, ResourceId, RoleId, SodSetId
from grantproof.core.limits import INSTANT_MIN
from grantproof.core.model import (
    ADMINISTER,
    Administered,
    Any,
    Assignment,
    Claim,
    Delta,
    Exactly,
    Fact,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    OfKind,
    Principal,
    SodSet,
    Validity,
    Within,
)
from grantproof.core.organization import Organization

Node = TypeVar("Node", bound=str)
Found = Iterator[tuple[str, ...]]


def reached(
    start: Iterable[Node], links: Mapping[Node, Iterable[Node]], *, besides: Container[Node] = ()
) -> set[Node]:
    """Return all nodes on the ways along the links from `start`, which it includes.

    But for those `besides`, and what is reached through them alone.
    """
    seen = set[Node]()
    ahead = list(start)
    while ahead:
        node = ahead.pop()
        if node not in seen and node not in besides:
            seen.add(node)
            ahead.extend(links.get(node, ()))
    return seen


def duty_broken(_: Organization, after: Organization, delta: Delta) -> Found:
    """Yield each static set with a principal that the change brought to hold `n` of it."""
    if len(after.sod_sets) == 0:
        return
    suspects: dict[PrincipalId, set[SodSetId]] = {}
    # From these no static set is reached: of 5,000 assignments most give one, or one below it.
    free = set[RoleId]()
    for fact in delta.added:
        given, who = _gained(after, fact)
        counted = reached(given, after.roles.parents, besides=free)
        named = {
            sod_set
            for role in counted
            for sod_set in after.sod_sets_by_role.get(role, ())
            if after.sod_sets[sod_set].mode == "static"
        }
        # Where no static set counts what is given, nobody is looked for.
        if len(named) == 0:
            free |= counted
            continue
        for principal in who:
            suspects.setdefault(principal, set()).update(named)
    for principal in sorted(suspects):
        sets = [after.sod_sets[name] for name in sorted(suspects[principal])]
        yield from ((one.id, principal) for one in sets if _exceeded(after, principal, one))


def _exceeded(after: Organization, principal: PrincipalId, sod_set: SodSet) -> bool:
    """Return whether it holds `n` roles of the set at an instant at which something starts."""
    held = tuple(_held(after, principal))
    for instant in {validity.start or INSTANT_MIN for _, validity in held}:
        then = (role for role, validity in held if _lasts(validity, instant))
        if len(sod_set.roles & reached(then, after.roles.parents)) >= sod_set.n:
            return True
    return False


def _gained(after: Organization, fact: Fact) -> tuple[Iterable[RoleId], Iterable[PrincipalId]]:
    """Return which roles count more than before by the fact, and for whom."""
    match fact:
        case Assignment(principal, role):
            return (role,), (principal,)
        case SodSet():
            return fact.roles, _holders(after, fact.roles)
        case GroupAssignment(group, role):
            return (role,), _members(after, group)
        case Membership(principal, group):
            return _given_in(after, group), (principal,)
        case Nesting(group, container):
            return _given_in(after, container), _members(after, group)
        case Inheritance(role, parent):
            return (parent,), _holders(after, (role,))
        case _:
            return (), ()


def _given_in(after: Organization, group: GroupId) -> set[RoleId]:
    around = reached((group,), after.groups.parents)
    return {role for one in around for role in after.group_assignments.of(one)}


def _members(after: Organization, group: GroupId) -> Iterator[PrincipalId]:
    for inner in reached((group,), after.groups.children):
        yield from after.memberships.to(inner)


def _holders(after: Organization, roles: Iterable[RoleId]) -> Iterator[PrincipalId]:
    for role in reached(roles, after.roles.children):
        yield from after.assignments.to(role)
        for group in after.group_assignments.to(role):
            yield from _members(after, group)


def _held(after: Organization, principal: PrincipalId) -> Iterator[tuple[RoleId, Validity]]:
    yield from after.assignments.of(principal).items()
    for group in reached(after.memberships.of(principal), after.groups.parents):
        yield from after.group_assignments.of(group).items()


def _lasts(validity: Validity, instant: int) -> bool:
    started = validity.start is None or validity.start <= instant
    return started and (validity.end is None or instant < validity.end)


def administrator_lost(before: Organization, after: Organization, delta: Delta) -> Found:
    """Yield the organization that is left without any; what only adds can lose none."""
    if not after.administered:
        return
    begins = any(isinstance(fact, Administered) for fact in delta.added)
    loses = len(delta.removed) > 0 or any(_replaces(before, fact) for fact in delta.added)
    if (begins or loses) and next(_administrators(after), None) is None:
        yield (after.id,)


def _replaces(before: Organization, fact: Fact) -> bool:
    """Return whether something of the same name was there, which adding the fact overwrites."""
    match fact:
        case Assignment(principal, role):
            return role in before.assignments.of(principal)
        case Principal(id=name):
            return name in before.principals
        case Claim(id=claim):
            return claim in before.claims
        case GroupAssignment(group, role):
            return role in before.group_assignments.of(group)
        case _:
            return False


def _administrators(after: Organization) -> Iterator[PrincipalId]:
    """Yield who is active and holds, for ever, the unconditional right over the organization."""
    itself = ResourceId(f"organization:{after.id}")
    patterns = (Exactly(itself), Within(itself), OfKind("organization"), Any())
    named = (one for pattern in patterns for one in after.claims_by_resource.get(pattern, ()))
    ruling = (
        claim.role
        for claim in (after.claims[name] for name in named)
        if claim.action == Exactly(ADMINISTER) and len(claim.constraints) == 0
    )
    for role in reached(ruling, after.roles.children):
        for principal in _for_ever(after, role):
            if after.principals[principal].active:
                yield principal


def _for_ever(after: Organization, role: RoleId) -> Iterator[PrincipalId]:
    for principal in after.assignments.to(role):
        if _is_endless(after.assignments.of(principal)[role]):
            yield principal
    for group in after.group_assignments.to(role):
        if _is_endless(after.group_assignments.of(group)[role]):
            yield from _members(after, group)


def _is_endless(validity: Validity) -> bool:
    return validity.start is None and validity.end is None
