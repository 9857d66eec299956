"""Who and what appears in a trace: a few names, the policies over them, and commands to race.

Few, so that proposals meet: what one adds another removes, and two right ones make one wrong.
"""

import random
from collections.abc import Iterator
from typing import Final

import msgspec

from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import (
    AddParent,
    AssignRole,
    ChangeSet,
    CreatePrincipal,
    CreateRole,
    CreateSodSet,
    DeleteRole,
    RemoveParent,
    RevokeRole,
    SingleCommand,
)
from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId, SodSetId
from grantproof.core.model import SodSet
from grantproof.core.organization import Organization

PRINCIPALS: Final = tuple(map(PrincipalId, ("ann", "bob")))
ROLES: Final = tuple(map(RoleId, ("approver", "submitter", "viewer")))
APPROVER, SUBMITTER, VIEWER = ROLES

PAYMENT: Final = SodSet(SodSetId("payment"), frozenset((APPROVER, SUBMITTER)), 2)
"""Who submits a payment may not approve it."""

EVERYTHING: Final = SodSet(SodSetId("everything"), frozenset(ROLES), 3)
"""Nobody may hold all three, any two are fine."""

SOD_SETS: Final = (PAYMENT, EVERYTHING)

FOUNDING: Final[tuple[SingleCommand, ...]] = (
    *map(CreatePrincipal, PRINCIPALS),
    *map(CreateRole, ROLES),
)
START_COMMANDS: Final = 4
"""How many more commands are tried, to find a policy from which a trace may start."""

WEIGHTS: Final = {
    "AssignRole": 5,
    "AddParent": 4,
    "CreateSodSet": 2,
    "RevokeRole": 3,
    "RemoveParent": 2,
    "DeleteRole": 1,
}
"""How often each type of command is drawn; fewer of those that no other command undoes."""

Pair = tuple[str, str]
ModelSet = tuple[tuple[str, ...], int]


class Policy(msgspec.Struct, frozen=True, order=True):
    """The facts that the model knows of, sorted.

    `assignments` are of a principal and a role, `parents` of a child and a parent, `sod_sets` of
    the roles and n.
    """

    roles: tuple[str, ...] = ()
    assignments: tuple[Pair, ...] = ()
    parents: tuple[Pair, ...] = ()
    sod_sets: tuple[ModelSet, ...] = ()


Words = dict[str, str | ModelSet]
"""A command as the model writes it: its `type`, and the fields of that type."""


def policy_of(state: Organization) -> Policy:
    """Return what the model knows of the state."""
    return Policy(
        tuple(sorted(state.roles)),
        tuple(sorted((str(who), str(role)) for who, role, _ in state.assignments.triples())),
        tuple(sorted((str(child), str(parent)) for child, parent in state.roles.edges())),
        tuple(sorted(map(model_set, state.sod_sets.values()))),
    )


def model_set(sod_set: SodSet) -> ModelSet:
    """Return a separation-of-duty set as the model knows it: it has no names for them."""
    return tuple(sorted(map(str, sod_set.roles))), sod_set.n


def words_of(command: SingleCommand) -> Words:
    """Return a command as the model writes it. Raises `TypeError` for one that it has not."""
    name = type(command).__name__
    match command:
        case AssignRole() | RevokeRole():
            return {"type": name, "principal": command.principal, "role": command.role}
        case AddParent() | RemoveParent():
            return {"type": name, "role": command.role, "parent": command.parent}
        case CreateSodSet():
            return {"type": name, "sod_set": model_set(command.sod_set)}
        case DeleteRole():
            return {"type": name, "role": command.role}
        case _:
            raise TypeError(f"the model has no {name}")


def start(draw: random.Random) -> ChangeSet:
    """Return what makes an empty organization one from which a trace may start: a valid one."""
    state = Organization(OrganizationId("draft"))
    made: list[SingleCommand] = []
    for command in (*FOUNDING, *(any_command(draw) for _ in range(START_COMMANDS))):
        outcome = apply(state, command, actor="root", instant=0)
        if isinstance(outcome, Accepted) and not isinstance(command, DeleteRole):
            state = outcome.state
            made.append(command)
    return ChangeSet(tuple(made))


def any_command(draw: random.Random) -> SingleCommand:
    """Return one of the commands that the model has."""
    (name,) = draw.choices(tuple(WEIGHTS), tuple(WEIGHTS.values()))
    return draw.choice(COMMANDS[name])


def _commands() -> Iterator[SingleCommand]:
    for role in ROLES:
        for principal in PRINCIPALS:
            yield AssignRole(principal, role)
            yield RevokeRole(principal, role)
        for parent in ROLES:
            if parent != role:
                yield AddParent(role, parent)
                yield RemoveParent(role, parent)
        yield DeleteRole(role)
    yield from map(CreateSodSet, SOD_SETS)


COMMANDS: Final = {
    name: tuple(command for command in _commands() if type(command).__name__ == name)
    for name in WEIGHTS
}
"""All commands, by their type: the `PolicyCommands` of the model."""
