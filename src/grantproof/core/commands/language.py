"""The changes an administrator may propose: one frozen value each.

NIST/ANSI INCITS 359 names of the administrative functions stand in brackets.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from grantproof.core.attributes import NO_ATTRIBUTES, Attributes
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import (
    ClaimId,
    GroupId,
    GuardrailId,
    Kind,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.limits import COMMANDS_PER_CHANGE_SET_MAX
from grantproof.core.model import ALWAYS, Claim, Guardrail, Resource, SodSet, Validity


@dataclass(frozen=True, slots=True)
class CreatePrincipal:
    """Add an active principal [AddUser]."""

    principal: PrincipalId
    attributes: Attributes = NO_ATTRIBUTES


@dataclass(frozen=True, slots=True)
class DeletePrincipal:
    """Remove a principal; `cascade` removes its assignments and memberships too [DeleteUser]."""

    principal: PrincipalId
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class SuspendPrincipal:
    """Deny a principal everything, and keep all it holds."""

    principal: PrincipalId


@dataclass(frozen=True, slots=True)
class ResumePrincipal:
    """End a suspension."""

    principal: PrincipalId


@dataclass(frozen=True, slots=True)
class SetPrincipalAttributes:
    """Replace the stored attributes of a principal."""

    principal: PrincipalId
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class CreateGroup:
    """Add an empty group."""

    group: GroupId


@dataclass(frozen=True, slots=True)
class DeleteGroup:
    """Remove a group; `cascade` removes memberships, nestings, assignments and claims on it too."""

    group: GroupId
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class AddMember:
    """Put a principal into a group."""

    principal: PrincipalId
    group: GroupId


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """Take a principal out of a group."""

    principal: PrincipalId
    group: GroupId


@dataclass(frozen=True, slots=True)
class NestGroup:
    """Put a group into a container."""

    group: GroupId
    container: GroupId


@dataclass(frozen=True, slots=True)
class UnnestGroup:
    """Take a group out of a container."""

    group: GroupId
    container: GroupId


@dataclass(frozen=True, slots=True)
class CreateRole:
    """Add a role without parents [AddRole]."""

    role: RoleId


@dataclass(frozen=True, slots=True)
class DeleteRole:
    """Remove a role; `cascade` removes assignments, edges and claims too [DeleteRole].

    Descendants are not given new parents. A role that a separation-of-duty set names stays.
    """

    role: RoleId
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class AddParent:
    """Let a role inherit from a parent [AddInheritance]."""

    role: RoleId
    parent: RoleId


@dataclass(frozen=True, slots=True)
class RemoveParent:
    """End an inheritance [DeleteInheritance]."""

    role: RoleId
    parent: RoleId


@dataclass(frozen=True, slots=True)
class CreateKind:
    """Declare a kind of resources."""

    kind: Kind


@dataclass(frozen=True, slots=True)
class DeleteKind:
    """Withdraw a kind; `cascade` removes its resources and the claims on it too."""

    kind: Kind
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class CreateResource:
    """Register a resource."""

    resource: Resource


@dataclass(frozen=True, slots=True)
class DeleteResource:
    """Remove a resource; `cascade` removes its descendants and the claims on them too."""

    resource: ResourceId
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class SetResourceAttributes:
    """Replace the stored attributes of a resource."""

    resource: ResourceId
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class CreateClaim:
    """Give a role a claim [GrantPermission]."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class DeleteClaim:
    """Take a claim from its role [RevokePermission]."""

    claim: ClaimId


@dataclass(frozen=True, slots=True)
class CreateSodSet:
    """Add a separation-of-duty set [CreateSsdSet, CreateDsdSet]."""

    sod_set: SodSet


@dataclass(frozen=True, slots=True)
class ChangeSodSet:
    """Replace the separation-of-duty set of the same id."""

    sod_set: SodSet


@dataclass(frozen=True, slots=True)
class DeleteSodSet:
    """Remove a separation-of-duty set; `cascade` removes claims on it too."""

    sod_set: SodSetId
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class CreateGuardrail:
    """Add a guardrail. To change one, delete it and create it in one change set."""

    guardrail: Guardrail


@dataclass(frozen=True, slots=True)
class DeleteGuardrail:
    """Remove a guardrail; nothing refers to one."""

    guardrail: GuardrailId


@dataclass(frozen=True, slots=True)
class AssignRole:
    """Let a principal hold a role while the validity lasts [AssignUser]."""

    principal: PrincipalId
    role: RoleId
    validity: Validity = ALWAYS


@dataclass(frozen=True, slots=True)
class RevokeRole:
    """Take a directly assigned role from a principal [DeassignUser]."""

    principal: PrincipalId
    role: RoleId


@dataclass(frozen=True, slots=True)
class AssignGroupRole:
    """Let every principal of a group hold a role while the validity lasts."""

    group: GroupId
    role: RoleId
    validity: Validity = ALWAYS


@dataclass(frozen=True, slots=True)
class RevokeGroupRole:
    """Take a role from a group."""

    group: GroupId
    role: RoleId


SingleCommand = (
    CreatePrincipal
    | DeletePrincipal
    | SuspendPrincipal
    | ResumePrincipal
    | SetPrincipalAttributes
    | CreateGroup
    | DeleteGroup
    | AddMember
    | RemoveMember
    | NestGroup
    | UnnestGroup
    | CreateRole
    | DeleteRole
    | AddParent
    | RemoveParent
    | CreateKind
    | DeleteKind
    | CreateResource
    | DeleteResource
    | SetResourceAttributes
    | CreateClaim
    | DeleteClaim
    | CreateSodSet
    | ChangeSodSet
    | DeleteSodSet
    | CreateGuardrail
    | DeleteGuardrail
    | AssignRole
    | RevokeRole
    | AssignGroupRole
    | RevokeGroupRole
)


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Several commands as one: all of them, in order, under one revision; or none."""

    commands: tuple[SingleCommand, ...]

    def __post_init__(self) -> None:
        if len(self.commands) == 0:
            raise Illegal("commands", "must not be empty")
        if len(self.commands) > COMMANDS_PER_CHANGE_SET_MAX:
            raise Illegal("commands", f"must have at most {COMMANDS_PER_CHANGE_SET_MAX} members")


Command = SingleCommand | ChangeSet


def as_one(commands: Sequence[SingleCommand]) -> Command:
    """Return the commands as the one change that they are: several as a change set."""
    return commands[0] if len(commands) == 1 else ChangeSet(tuple(commands))
