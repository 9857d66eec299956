"""What a command does: the facts it removes and the facts it adds.

Total on every command that `refusal` lets pass, and meaningless on any other.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, assert_never, get_args

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
from grantproof.core.commands.references import Deletion, dependents
from grantproof.core.model import (
    Assignment,
    Delta,
    Fact,
    Group,
    GroupAssignment,
    Inheritance,
    KindDeclaration,
    Membership,
    Nesting,
    Principal,
    Role,
)
from grantproof.core.organization import Organization

ORDER: Final = {fact_type: rank for rank, fact_type in enumerate(get_args(Fact))}
"""Facts are added in this order and removed in the reverse: a node before its edges."""


def delta(  # noqa: C901 - one branch a command
    state: Organization,
    command: SingleCommand,
) -> Delta:
    """Return what the command does to `state`, given that nothing refuses it.

    Here and elsewhere what comes most often, by the million, is looked at first.
    """
    match command:
        case AssignRole():
            return _adds(Assignment(command.principal, command.role, command.validity))
        case RevokeRole():
            validity = state.assignments.of(command.principal)[command.role]
            return _removes(Assignment(command.principal, command.role, validity))
        case CreatePrincipal():
            return _adds(Principal(command.principal, attributes=command.attributes))
        case SuspendPrincipal():
            before = state.principals[command.principal]
            return _replaces(before, replace(before, active=False))
        case ResumePrincipal():
            before = state.principals[command.principal]
            return _replaces(before, replace(before, active=True))
        case SetPrincipalAttributes():
            before = state.principals[command.principal]
            return _replaces(before, replace(before, attributes=command.attributes))
        case CreateGroup():
            return _adds(Group(command.group))
        case AddMember():
            return _adds(Membership(command.principal, command.group))
        case RemoveMember():
            return _removes(Membership(command.principal, command.group))
        case NestGroup():
            return _adds(Nesting(command.group, command.container))
        case UnnestGroup():
            return _removes(Nesting(command.group, command.container))
        case CreateRole():
            return _adds(Role(command.role))
        case AddParent():
            return _adds(Inheritance(command.role, command.parent))
        case RemoveParent():
            return _removes(Inheritance(command.role, command.parent))
        case CreateKind():
            return _adds(KindDeclaration(command.kind))
        case CreateResource():
            return _adds(command.resource)
        case SetResourceAttributes():
            resource = state.resources[command.resource]
            return _replaces(resource, replace(resource, attributes=command.attributes))
        case CreateClaim():
            return _adds(command.claim)
        case DeleteClaim():
            return _removes(state.claims[command.claim])
        case CreateSodSet():
            return _adds(command.sod_set)
        case ChangeSodSet():
            return _replaces(state.sod_sets[command.sod_set.id], command.sod_set)
        case CreateGuardrail():
            return _adds(command.guardrail)
        case DeleteGuardrail():
            return _removes(state.guardrails[command.guardrail])
        case AssignGroupRole():
            return _adds(GroupAssignment(command.group, command.role, command.validity))
        case RevokeGroupRole():
            validity = state.group_assignments.of(command.group)[command.role]
            return _removes(GroupAssignment(command.group, command.role, validity))
        case _:
            return _deletes(state, command)


def compose(deltas: Iterable[Delta]) -> Delta:
    """Return the one delta that does what all of them do in turn."""
    steps = tuple(deltas)
    if not any(step.removed for step in steps):
        # Nothing that comes goes again, so a million facts need not be told apart.
        return _ordered((), (fact for step in steps for fact in step.added))
    removed: dict[Fact, None] = {}
    added: dict[Fact, None] = {}
    for step in steps:
        for fact in step.removed:
            if fact in added:
                del added[fact]
            else:
                removed[fact] = None
        for fact in step.added:
            if fact in removed:
                del removed[fact]
            else:
                added[fact] = None
    return _ordered(removed, added)


def _adds(fact: Fact) -> Delta:
    return Delta(added=(fact,))


def _removes(fact: Fact) -> Delta:
    return Delta(removed=(fact,))


def _replaces(before: Fact, after: Fact) -> Delta:
    return Delta() if before == after else Delta(removed=(before,), added=(after,))


def _deletes(state: Organization, deletion: Deletion) -> Delta:
    return _ordered((_entity(state, deletion), *dependents(state, deletion)), ())


def _entity(state: Organization, deletion: Deletion) -> Fact:
    match deletion:
        case DeletePrincipal():
            return state.principals[deletion.principal]
        case DeleteGroup():
            return Group(deletion.group)
        case DeleteRole():
            return Role(deletion.role)
        case DeleteKind():
            return KindDeclaration(deletion.kind)
        case DeleteResource():
            return state.resources[deletion.resource]
        case DeleteSodSet():
            return state.sod_sets[deletion.sod_set]
        case _:
            assert_never(deletion)


def _ordered(removed: Iterable[Fact], added: Iterable[Fact]) -> Delta:
    return Delta(
        tuple(sorted(removed, key=_rank, reverse=True)),
        tuple(sorted(added, key=_rank)),
    )


def _rank(fact: Fact) -> int:
    return ORDER[type(fact)]
