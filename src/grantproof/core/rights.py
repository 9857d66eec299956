"""What each command takes of its author: the table of who may change what.

Two kinds of needs. A `Right` is an administrative action on an implicit resource (`assign` on
`role:clerk`) or on a registered one. A `Grant` is a claim that the command lets somebody use.
`authority` decides whether an author has them; `docs/administration.md` has the table in words.

What the command names comes first, so that whoever lacks that right learns nothing about what else
there is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, assert_never

from grantproof.core.attributes import Attributes, Path, Root
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
from grantproof.core.commands.references import Deletion, Dependent, dependents
from grantproof.core.constraints import Attribute, Constraint
from grantproof.core.containment import administrative
from grantproof.core.hierarchy import closure, groups_of
from grantproof.core.identifiers import Action, GroupId, PrincipalId, ResourceId, RoleId
from grantproof.core.model import (
    ADMINISTER,
    Assignment,
    Claim,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    Resource,
)
from grantproof.core.organization import Organization

ASSIGN: Final = Action("assign")
REVOKE: Final = Action("revoke")
DELEGATE: Final = Action("delegate")


@dataclass(frozen=True, slots=True)
class Right:
    """The author must be allowed `action` on `resource`, or on one of `instead`.

    `kind` is what the resource is to be registered as. `because` is `inherited` for a role that the
    change gives along with the one that it names.
    """

    action: Action
    resource: ResourceId
    instead: tuple[ResourceId, ...] = ()
    kind: str | None = None
    because: Literal["required", "inherited"] = "required"


@dataclass(frozen=True, slots=True)
class Grant:
    """The author must be entitled to give the claim to those that hold its role.

    That is whoever holds a claim that contains it, or may `delegate` to the role and the claim is
    not administrative. With `held`, for a claim that the role has already, also whoever may
    `assign` the role.
    """

    claim: Claim
    held: bool = False


Need = Right | Grant


def required(  # noqa: C901 - one branch a command
    state: Organization, command: SingleCommand
) -> tuple[Need, ...]:
    """Return what the command takes of its author on the state, what it names itself first."""
    itself = _organization(state)
    match command:
        case CreatePrincipal() | CreateGroup() | CreateRole() | CreateKind() | CreateSodSet():
            needs: Iterable[Need] = (itself,)
        case SuspendPrincipal() | CreateGuardrail() | DeleteGuardrail():
            needs = (itself,)
        case ResumePrincipal(principal):
            needs = (itself, *_giving_all(state, _assigned(state, principal)))
        case SetPrincipalAttributes(principal, attributes):
            needs = (itself, *_awakened(state, principal, attributes))
        case CreateResource(resource):
            needs = _registering(resource)
        case SetResourceAttributes(resource):
            needs = (Right(ADMINISTER, resource),)
        case CreateClaim(claim):
            needs = (_entity(state, f"role:{claim.role}"), Grant(claim))
        case ChangeSodSet(sod_set):
            needs = (_entity(state, f"sod-set:{sod_set.id}"),)
        case AddParent(role, parent):
            needs = (_entity(state, f"role:{role}"), *_giving(state, parent))
        case AssignRole() | AssignGroupRole():
            needs = _giving(state, command.role)
        case AddMember(_, group):
            needs = _joining(state, group)
        case NestGroup(group, container):
            needs = (_entity(state, f"group:{group}"), *_joining(state, container))
        case _:
            needs = _taking(state, command)
    return tuple(dict.fromkeys(needs))


Taking = (
    Deletion
    | DeleteClaim
    | RemoveMember
    | UnnestGroup
    | RemoveParent
    | RevokeRole
    | RevokeGroupRole
)


def _taking(  # noqa: C901 - one branch a command
    state: Organization, command: Taking
) -> Iterator[Need]:
    """Yield what it takes to take something away: with a cascade, all that goes with it."""
    match command:
        case DeletePrincipal() | DeleteKind():
            yield _organization(state)
        case DeleteGroup(group):
            yield _entity(state, f"group:{group}")
        case DeleteRole(role):
            yield _entity(state, f"role:{role}")
        case DeleteResource(resource):
            yield Right(ADMINISTER, resource)
        case DeleteSodSet(sod_set):
            yield _entity(state, f"sod-set:{sod_set}")
        case DeleteClaim(claim):
            yield _of_claim(state, state.claims.get(claim))
        case RemoveMember(_, group):
            yield Right(REVOKE, ResourceId(f"group:{group}"))
        case UnnestGroup(_, container):
            yield Right(REVOKE, ResourceId(f"group:{container}"))
        case RemoveParent(role):
            yield _entity(state, f"role:{role}")
        case RevokeRole() | RevokeGroupRole():
            yield Right(REVOKE, ResourceId(f"role:{command.role}"))
        case _:
            assert_never(command)
    if isinstance(command, Deletion) and command.cascade and _exists(state, command):
        yield from (_without(state, fact) for fact in dependents(state, command))


def _without(state: Organization, fact: Dependent) -> Right:
    """Return what it takes to remove the fact: the same as by a command of its own."""
    match fact:
        case Assignment() | GroupAssignment():
            return Right(REVOKE, ResourceId(f"role:{fact.role}"))
        case Membership():
            return Right(REVOKE, ResourceId(f"group:{fact.group}"))
        case Nesting():
            return Right(REVOKE, ResourceId(f"group:{fact.container}"))
        case Inheritance():
            return _entity(state, f"role:{fact.role}")
        case Claim():
            return _of_claim(state, fact)
        case Resource():
            return Right(ADMINISTER, fact.id)
        case _:
            assert_never(fact)


def _exists(state: Organization, deletion: Deletion) -> bool:
    match deletion:
        case DeletePrincipal(principal):
            return principal in state.principals
        case DeleteGroup(group):
            return group in state.groups
        case DeleteRole(role):
            return role in state.roles
        case DeleteKind(kind):
            return kind in state.resources_of_kind
        case DeleteResource(resource):
            return resource in state.resources
        case DeleteSodSet(sod_set):
            return sod_set in state.sod_sets
        case _:
            assert_never(deletion)


def _organization(state: Organization) -> Right:
    return Right(ADMINISTER, ResourceId(f"organization:{state.id}"))


def _entity(state: Organization, entity: str) -> Right:
    """Return the right to change a role, group or set: on itself, or on the organization."""
    return Right(ADMINISTER, ResourceId(entity), (_organization(state).resource,))


def _of_claim(state: Organization, claim: Claim | None) -> Right:
    """Return the right to delete a claim; its refusal does not tell whose the claim is."""
    itself = _organization(state)
    instead = () if claim is None else (ResourceId(f"role:{claim.role}"),)
    return replace(itself, instead=instead)


def _registering(resource: Resource) -> Iterator[Right]:
    """Yield what it takes to say of an id what it is and where it lies: so much for each.

    An id may be asked about before it is registered; to put it into a place is to let everybody who
    may do something there do it to whatever has that id.
    """
    yield Right(ADMINISTER, resource.id, kind=resource.kind)
    if resource.parent is not None:
        yield Right(ADMINISTER, resource.parent)


def _giving(state: Organization, role: RoleId) -> Iterator[Right]:
    """Yield what it takes to give a role: with it come the administrative ones it inherits from."""
    yield Right(ASSIGN, ResourceId(f"role:{role}"))
    if role in state.roles:
        inherited = closure({role}, state.roles.parents) - {role}
        for ancestor in sorted(inherited):
            if _carries_administration(state, ancestor):
                yield Right(ASSIGN, ResourceId(f"role:{ancestor}"), because="inherited")


def _giving_all(state: Organization, roles: Iterable[RoleId]) -> Iterator[Right]:
    for role in sorted(roles):
        yield from (replace(right, because="inherited") for right in _giving(state, role))


def _carries_administration(state: Organization, role: RoleId) -> bool:
    return any(administrative(claim.action) for claim in claims_of(state, role))


def _joining(state: Organization, group: GroupId) -> Iterator[Right]:
    """Yield what it takes to put somebody into a group: with it come its roles."""
    yield Right(ASSIGN, ResourceId(f"group:{group}"))
    if group in state.groups:
        groups = closure({group}, state.groups.parents)
        held = {role for one in groups for role in state.group_assignments.of(one)}
        yield from _giving_all(state, held)


def _assigned(state: Organization, principal: PrincipalId) -> frozenset[RoleId]:
    """Return the roles that are assigned to the principal at any instant, through groups too."""
    through = groups_of(state, principal)
    shared = {role for group in through for role in state.group_assignments.of(group)}
    return frozenset(state.assignments.of(principal)) | shared


def _awakened(
    state: Organization, principal: PrincipalId, attributes: Attributes
) -> Iterator[Grant]:
    """Yield the claims of the principal that look at an attribute of it that changes."""
    stored = state.principals.get(principal)
    if stored is None:
        return
    names = {*stored.attributes, *attributes}
    moved = {name for name in names if _differ(stored.attributes.get(name), attributes.get(name))}
    for role in sorted(closure(_assigned(state, principal), state.roles.parents)):
        for claim in claims_of(state, role):
            if any(moved & _traits_read(constraint) for constraint in claim.constraints):
                yield Grant(claim, held=True)


def _differ(before: object, after: object) -> bool:
    return type(before) is not type(after) or before != after


def _traits_read(constraint: Constraint) -> set[str]:
    """Return the names of the attributes of principals that the constraint looks at."""
    if not isinstance(constraint, Attribute):
        return set()
    sides = (constraint.path, constraint.operand)
    return {side.name for side in sides if isinstance(side, Path) and side.root is Root.PRINCIPAL}


def claims_of(state: Organization, role: RoleId) -> Iterator[Claim]:
    """Yield the claims that the role itself holds, in the order of their ids."""
    if role in state.claims_by_role:
        yield from (state.claims[claim] for claim in sorted(state.claims_by_role[role]))
