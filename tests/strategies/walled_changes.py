"""Changes of the small organizations that guardrails are tried on, of every kind there is."""

from random import Random

from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    ChangeSet,
    ChangeSodSet,
    Command,
    CreateClaim,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    CreateSodSet,
    DeleteClaim,
    DeleteGroup,
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
from grantproof.core.constraints import Constraint
from grantproof.core.identifiers import Kind, PrincipalId, ResourceId, RoleId, SodSetId
from grantproof.core.model import Resource, SodSet
from grantproof.core.organization import Organization
from tests.strategies.walled import (
    DOCS,
    FILE,
    FOLDER,
    GROUPS,
    MAIL,
    PEOPLE,
    PLAN,
    ROLES,
    TERMS,
    TRAITS,
    drawn_claim,
    some,
)

LATER, DEEP = ResourceId("later"), ResourceId("docs/plan/deep")
APART = SodSetId("apart")


def drawn_change(chance: Random, state: Organization, palette: list[Constraint]) -> Command:
    """One command, or some at once."""
    count = chance.choice([1, 1, 1, 2, 3])
    if count == 1:
        return drawn_command(chance, state, palette)
    return ChangeSet(tuple(drawn_command(chance, state, palette) for _ in range(count)))


def drawn_command(chance: Random, state: Organization, palette: list[Constraint]) -> SingleCommand:
    """A command that the organization mostly accepts: every other one takes something away."""
    return chance.choice(
        [*taking(chance, state), *giving(chance, palette)]
        if chance.random() < 0.5
        else taking(chance, state) or giving(chance, palette)
    )


def taking(chance: Random, state: Organization) -> list[SingleCommand]:
    """Commands that remove something that is there, and some that change it."""
    group, role = chance.choice(GROUPS), chance.choice(ROLES)
    return [
        *(RevokeRole(one, held) for one, held, _ in state.assignments.triples()),
        *(RevokeGroupRole(one, held) for one, held, _ in state.group_assignments.triples()),
        *(RemoveMember(one, around) for one, around, _ in state.memberships.triples()),
        *(RemoveParent(*edge) for edge in state.roles.edges()),
        *(UnnestGroup(*edge) for edge in state.groups.edges()),
        *(DeleteClaim(one) for one in state.claims),
        *(DeleteSodSet(one, cascade=True) for one in state.sod_sets),
        SuspendPrincipal(chance.choice(PEOPLE)),
        DeletePrincipal(chance.choice(PEOPLE), cascade=True),
        DeleteGroup(group, cascade=True),
        DeleteRole(role, cascade=True),
        DeleteResource(chance.choice([DOCS, PLAN, MAIL]), cascade=True),
    ]


def giving(chance: Random, palette: list[Constraint]) -> list[SingleCommand]:
    """Commands that add something, or change it."""
    person, group, role = chance.choice(PEOPLE), chance.choice(GROUPS), chance.choice(ROLES)
    apart = SodSet(APART, frozenset(some(chance, ROLES, 2)), 2, "dynamic")
    return [
        AssignRole(person, role, chance.choice(TERMS)),
        AssignRole(person, role),
        AssignGroupRole(group, role, chance.choice(TERMS)),
        AddMember(person, group),
        NestGroup(GROUPS[1], GROUPS[0]),
        AddParent(ROLES[1], ROLES[0]),
        AddParent(ROLES[2], chance.choice(ROLES[:2])),
        CreateClaim(drawn_claim(chance, chance.randint(5, 9), palette)),
        CreateClaim(drawn_claim(chance, chance.randint(5, 9), palette)),
        SetPrincipalAttributes(person, chance.choice(TRAITS)),
        SetResourceAttributes(chance.choice([DOCS, PLAN, MAIL]), chance.choice(TRAITS)),
        CreateResource(Resource(LATER, FILE, DOCS, chance.choice(TRAITS))),
        CreateResource(Resource(DEEP, FOLDER, PLAN, chance.choice(TRAITS))),
        ResumePrincipal(person),
        CreatePrincipal(PrincipalId("dan"), chance.choice(TRAITS)),
        AssignRole(PrincipalId("dan"), role),
        AddMember(PrincipalId("dan"), group),
        CreateRole(RoleId("extra")),
        CreateKind(Kind("extra")),
        CreateSodSet(apart),
        ChangeSodSet(apart),
    ]
