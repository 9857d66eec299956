"""Why a command may not happen: the witness, or nothing.

Existence first, then structure, then limits, then separation of duty, which is checked on the state
that the command would leave, for the principals it affects. Whom it does not affect holds what they
held. P-REJECT, P-REF, P-DAG, P-SOD-EXACT.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final, assert_never

from grantproof.core.commands.bounds import over_limit
from grantproof.core.commands.delta import delta
from grantproof.core.commands.guarding import named_by_guardrail
from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    ChangeSodSet,
    CreateClaim,
    CreateGroup,
    CreateGuardrail,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    CreateSodSet,
    DeleteClaim,
    DeleteGroup,
    DeleteGuardrail,
    DeleteKind,
    DeletePrincipal,
    DeleteResource,
    DeleteRole,
    DeleteSodSet,
    NestGroup,
    RemoveMember,
    RemoveParent,
    ResumePrincipal,
    RevokeGroupRole,
    RevokeRole,
    SetPrincipalAttributes,
    SetResourceAttributes,
    SingleCommand,
    SuspendPrincipal,
    UnnestGroup,
)
from grantproof.core.commands.references import Deletion, dependents, named, reference
from grantproof.core.duty import sets_naming, static_clash
from grantproof.core.errors import (
    AlreadyExists,
    AlreadySo,
    BreaksSod,
    Missing,
    NamedBySodSet,
    Noun,
    SingleRefusal,
    StillReferenced,
    WouldCycle,
)
from grantproof.core.hierarchy import (
    closure,
    effective_roles,
    holders_of,
    members_of,
    would_cycle,
)
from grantproof.core.identifiers import (
    IMPLICIT_KINDS,
    GroupId,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.limits import INSTANT_MIN, REFERENCES_SHOWN_MAX
from grantproof.core.model import Any, Exactly, OfKind, ResourcePattern, Within
from grantproof.core.organization import Organization, changed, implicit_kind
from grantproof.core.paths import cycle_through

LinkCommand = (
    AddMember
    | RemoveMember
    | NestGroup
    | UnnestGroup
    | AddParent
    | RemoveParent
    | RevokeRole
    | AssignGroupRole
    | RevokeGroupRole
)


def refusal(state: Organization, command: SingleCommand) -> SingleRefusal | None:
    """Return the first witness against the command, or nothing when it may happen."""
    for against in AGAINST:
        witness = against(state, command)
        if witness is not None:
            return witness
    return None


def _missing(state: Organization, command: SingleCommand) -> Missing | None:
    return next((gap for gap in _needs(state, command) if gap is not None), None)


def _needs(  # noqa: C901 - one branch a command
    state: Organization,
    command: SingleCommand,
) -> Iterator[Missing | None]:
    """Yield, for everything the command refers to, nothing when it is there."""
    match command:
        case AssignRole(principal, role):
            yield _principal(state, principal)
            yield _role(state, role)
        case CreatePrincipal() | CreateGroup() | CreateRole() | CreateKind():
            return
        case DeletePrincipal() | SuspendPrincipal() | ResumePrincipal() | SetPrincipalAttributes():
            yield _principal(state, command.principal)
        case DeleteGroup(group):
            yield _group(state, group)
        case DeleteRole(role):
            yield _role(state, role)
        case DeleteKind(kind):
            yield _kind(state, kind)
        case CreateResource(resource):
            yield _kind(state, resource.kind)
            if resource.parent is not None:
                yield _resource(state, resource.parent)
        case DeleteResource() | SetResourceAttributes():
            yield _resource(state, command.resource)
        case CreateClaim(claim):
            yield _role(state, claim.role)
            yield _claimed(state, claim.resource)
        case DeleteClaim(claim_id):
            yield _there("claim", (claim_id,), claim_id in state.claims)
        case CreateSodSet(sod_set):
            yield from (_role(state, role) for role in sorted(sod_set.roles))
        case ChangeSodSet(sod_set):
            yield _sod_set(state, sod_set.id)
            yield from (_role(state, role) for role in sorted(sod_set.roles))
        case DeleteSodSet(sod_set_id):
            yield _sod_set(state, sod_set_id)
        case CreateGuardrail(guardrail):
            yield from (_claimed(state, name) for name in sorted(guardrail.names, key=str))
        case DeleteGuardrail(name):
            yield _there("guardrail", (name,), name in state.guardrails)
        case _:
            yield from _ends(state, command)


def _ends(
    state: Organization,
    link: LinkCommand,
) -> Iterator[Missing | None]:
    """Yield, for both ends of a link to be made, or for one to be removed, nothing if there."""
    match link:
        case AddMember(principal, group):
            yield _principal(state, principal)
            yield _group(state, group)
        case RemoveMember(principal, group):
            there = group in state.memberships.of(principal)
            yield _there("membership", (principal, group), there)
        case NestGroup(group, container):
            yield _group(state, group)
            yield _group(state, container)
        case UnnestGroup(group, container):
            yield _there("nesting", (group, container), state.groups.has_edge(group, container))
        case AddParent(role, parent):
            yield _role(state, role)
            yield _role(state, parent)
        case RemoveParent(role, parent):
            yield _there("parent", (role, parent), state.roles.has_edge(role, parent))
        case RevokeRole(principal, role):
            there = role in state.assignments.of(principal)
            yield _there("assignment", (principal, role), there)
        case AssignGroupRole(group, role):
            yield _group(state, group)
            yield _role(state, role)
        case RevokeGroupRole(group, role):
            there = role in state.group_assignments.of(group)
            yield _there("assignment", (group, role), there)
        case _:
            assert_never(link)


def _there(noun: Noun, ids: tuple[str, ...], present: bool) -> Missing | None:
    return None if present else Missing(noun, ids)


def _principal(state: Organization, principal: PrincipalId) -> Missing | None:
    return _there("principal", (principal,), principal in state.principals)


def _group(state: Organization, group: GroupId) -> Missing | None:
    return _there("group", (group,), group in state.groups)


def _role(state: Organization, role: RoleId) -> Missing | None:
    return _there("role", (role,), role in state.roles)


def _kind(state: Organization, kind: str) -> Missing | None:
    return _there("kind", (kind,), kind in state.resources_of_kind)


def _resource(state: Organization, resource: ResourceId) -> Missing | None:
    return _there("resource", (resource,), resource in state.resources)


def _sod_set(state: Organization, sod_set: SodSetId) -> Missing | None:
    return _there("separation-of-duty set", (sod_set,), sod_set in state.sod_sets)


def _claimed(state: Organization, pattern: ResourcePattern) -> Missing | None:
    """Return what a resource pattern refers to when that is not there."""
    match pattern:
        case Exactly(resource) | Within(resource):
            implicit = implicit_kind(state, resource) is not None
            return None if implicit else _resource(state, resource)
        case OfKind(kind):
            return None if kind in IMPLICIT_KINDS else _kind(state, kind)
        case Any():
            return None
        case _:
            assert_never(pattern)


def _in_the_way(  # noqa: C901 - one branch a command
    state: Organization,
    command: SingleCommand,
) -> AlreadyExists | AlreadySo | None:
    """Return what is there already that the command would create."""
    match command:
        case AssignRole(principal, role):
            there = role in state.assignments.of(principal)
            return _taken("assignment", (principal, role), there)
        case CreatePrincipal(principal):
            return _taken("principal", (principal,), principal in state.principals)
        case CreateGroup(group):
            return _taken("group", (group,), group in state.groups)
        case CreateRole(role):
            return _taken("role", (role,), role in state.roles)
        case CreateKind(kind):
            return _taken("kind", (kind,), kind in state.resources_of_kind)
        case CreateResource(resource):
            return _taken("resource", (resource.id,), resource.id in state.resources)
        case CreateClaim(claim):
            return _taken("claim", (claim.id,), claim.id in state.claims)
        case CreateSodSet(made):
            return _taken("separation-of-duty set", (made.id,), made.id in state.sod_sets)
        case CreateGuardrail(guardrail):
            return _taken("guardrail", (guardrail.id,), guardrail.id in state.guardrails)
        case AddMember(principal, group):
            there = group in state.memberships.of(principal)
            return _taken("membership", (principal, group), there)
        case NestGroup(group, container):
            there = state.groups.has_edge(group, container)
            return _taken("nesting", (group, container), there)
        case AddParent(role, parent):
            return _taken("parent", (role, parent), state.roles.has_edge(role, parent))
        case AssignGroupRole(group, role):
            there = role in state.group_assignments.of(group)
            return _taken("assignment", (group, role), there)
        case SuspendPrincipal(principal):
            active = state.principals[principal].active
            return None if active else AlreadySo(principal, "suspended")
        case ResumePrincipal(principal):
            active = state.principals[principal].active
            return AlreadySo(principal, "active") if active else None
        case _:
            return None


def _taken(noun: Noun, ids: tuple[str, ...], there: bool) -> AlreadyExists | None:
    return AlreadyExists(noun, ids) if there else None


def _closes_cycle(state: Organization, command: SingleCommand) -> WouldCycle | None:
    match command:
        case AddParent(role, parent) if would_cycle(role, parent, state.roles.parents):
            cycle = cycle_through(role, parent, state.roles.parents)
            return WouldCycle("role", cycle)
        case NestGroup(group, container) if would_cycle(group, container, state.groups.parents):
            cycle = cycle_through(group, container, state.groups.parents)
            return WouldCycle("group", cycle)
        case _:
            return None


def _still_needed(
    state: Organization, command: SingleCommand
) -> NamedBySodSet | StillReferenced | None:
    if isinstance(command, DeleteRole):
        sod_sets = tuple(sorted(state.sod_sets_by_role.get(command.role, ())))
        if len(sod_sets) > 0:
            return NamedBySodSet(command.role, sod_sets)
    if not isinstance(command, Deletion) or command.cascade:
        return None
    found = dependents(state, command)
    if len(found) == 0:
        return None
    listed = sorted(map(reference, found), key=lambda one: (one.noun, one.ids))
    return StillReferenced(*named(command), tuple(listed[:REFERENCES_SHOWN_MAX]), len(found))


def _breaks_sod(state: Organization, command: SingleCommand) -> BreaksSod | None:
    affected = gaining(state, command)
    if len(affected) == 0:
        return None
    after = changed(state, delta(state, command))
    for principal in sorted(affected):
        clash = static_clash(after, principal)
        if clash is not None:
            return _gained_first(state, clash)
    return None


def _gained_first(state: Organization, clash: BreaksSod) -> BreaksSod:
    """Return the clash with the roles first that the principal does not hold as yet."""
    instant = INSTANT_MIN if clash.instant is None else clash.instant
    before = effective_roles(state, PrincipalId(clash.principal), instant)
    held = sorted(clash.held, key=lambda way: (way.roles[-1] in before, way.roles[-1]))
    return replace(clash, held=tuple(held))


def gaining(state: Organization, command: SingleCommand) -> frozenset[PrincipalId]:
    """Return the principals that the command may bring to break a static set.

    Nobody, when no static set names a role that is gained: then no count in a set can rise.
    """
    match command:
        case AssignRole(principal, role):
            return _if_named(state, {role}, {principal})
        case AssignGroupRole(group, role):
            return _if_named(state, {role}, members_of(state, {group}))
        case AddMember(principal, group):
            return _if_named(state, _roles_through(state, group), {principal})
        case NestGroup(group, container):
            return _if_named(state, _roles_through(state, container), members_of(state, {group}))
        case AddParent(role, parent):
            return _if_named(state, {parent}, holders_of(state, {role}))
        case CreateSodSet(sod_set) | ChangeSodSet(sod_set):
            return holders_of(state, sod_set.roles)
        case _:
            return frozenset()


def _if_named(
    state: Organization, gained: Iterable[RoleId], affected: Iterable[PrincipalId]
) -> frozenset[PrincipalId]:
    if len(state.sod_sets) == 0:
        return frozenset()
    named = sets_naming(state, closure(gained, state.roles.parents))
    counts = any(sod_set.mode == "static" for sod_set in named)
    return frozenset(affected) if counts else frozenset()


def _roles_through(state: Organization, group: GroupId) -> frozenset[RoleId]:
    containers = closure({group}, state.groups.parents)
    return frozenset(
        role for container in containers for role in state.group_assignments.of(container)
    )


AGAINST: Final = (
    _missing,
    _in_the_way,
    _closes_cycle,
    named_by_guardrail,
    _still_needed,
    over_limit,
    _breaks_sod,
)
"""Every ground for refusal, in the order in which they are reported."""
