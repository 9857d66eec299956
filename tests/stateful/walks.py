"""Seeded walks: every type of command equally often, with few names and much that exists already.

Hypothesis shrinks what it finds but draws too much alike; a walk spreads evenly and cannot shrink.
The tests of the index use both.
"""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

from grantproof.core.attributes import Attributes, Literal, Operator, Path, Root, attributes
from grantproof.core.commands import language as c
from grantproof.core.commands.language import ChangeSet, Command, SingleCommand
from grantproof.core.constraints import (
    Attribute,
    Constraint,
    GeoFence,
    GeoRadius,
    MaxUsage,
    RateLimit,
    TimeWindow,
)
from grantproof.core.geodesy import Position
from grantproof.core.guardrails import (
    Access,
    Capped,
    Exclusive,
    Forbidden,
    Guardrail,
    HolderOf,
    MemberOf,
    Reserved,
    Selector,
)
from grantproof.core.identifiers import (
    Action,
    AttributeName,
    ClaimId,
    GroupId,
    GuardrailId,
    Kind,
    PrincipalId,
    Region,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.model import (
    ALWAYS,
    ActionPattern,
    Any,
    Assignment,
    Claim,
    Exactly,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    OfKind,
    Resource,
    ResourcePattern,
    SodSet,
    Validity,
    Within,
)
from grantproof.core.organization import Organization, facts
from tests.stateful.proposing import moved, taking

PRINCIPALS: Final = [PrincipalId(name) for name in ("ann", "bob", "cid")]
GROUPS: Final = [GroupId(name) for name in ("staff", "team", "unit")]
ROLES: Final = [RoleId(name) for name in ("viewer", "editor", "owner", "auditor")]
KINDS: Final = [Kind(name) for name in ("document", "folder")]
PLACES: Final = [ResourceId(name) for name in ("docs", "docs/a", "docs/a/b", "mail", "memo")]
CLAIMS: Final = [ClaimId(f"c{number}") for number in range(8)]
SETS: Final = [SodSetId("s0"), SodSetId("s1")]
RAILS: Final = [GuardrailId("g0"), GuardrailId("g1")]
TERMS: Final = [ALWAYS, ALWAYS, ALWAYS, Validity(2), Validity(end=4), Validity(1, 3)]
TRAITS: Final[list[Attributes]] = [
    attributes(values)
    for values in ({}, {"level": 1}, {"level": True}, {"owner": "ann"}, {"level": 2})
]
LIMITS: Final[list[Constraint]] = [
    TimeWindow(9, 17),
    TimeWindow(0, 12),
    GeoFence(frozenset({Region("eu")})),
    GeoRadius(Position(0, 0), 1_001),
    MaxUsage(1),
    RateLimit(1),
    Attribute(Path(Root.RESOURCE, AttributeName("level")), Operator.EQ, Literal(1)),
    Attribute(Path(Root.RESOURCE, AttributeName("level")), Operator.EQ, Literal(True)),
    Attribute(Path(Root.PRINCIPAL, AttributeName("level")), Operator.GE, Literal(1)),
]
PATTERNS: Final[list[ResourcePattern]] = [
    *map(Exactly, PLACES),
    *map(Within, PLACES),
    *map(Within, PLACES),
    *(OfKind(name) for name in ("document", "folder", "role", "group")),
    Any(),
    Exactly(ResourceId("role:viewer")),
    Exactly(ResourceId("group:staff")),
    Exactly(ResourceId("sod-set:s0")),
]
ACTIONS: Final[list[ActionPattern]] = [
    Exactly(Action("read")),
    Exactly(Action("administer")),
    Any(),
]

LINKS: Final = (Membership, Nesting, Inheritance, Assignment, GroupAssignment)
Make = Callable[[Random], SingleCommand]


def some_claim(chance: Random) -> Claim:
    """A claim, every other one under a constraint."""
    limits = (chance.choice(LIMITS),) if chance.random() < 0.5 else ()
    return Claim(
        chance.choice(CLAIMS),
        chance.choice(ROLES),
        chance.choice(ACTIONS),
        chance.choice(PATTERNS),
        limits,
    )


def some_set(chance: Random) -> SodSet:
    """A set of two or three roles, mostly dynamic so that few assignments are refused."""
    members = frozenset(chance.sample(ROLES, chance.choice([2, 3])))
    n = chance.randint(2, len(members))
    return SodSet(chance.choice(SETS), members, n, chance.choice(["dynamic", "dynamic", "static"]))


def some_guardrail(chance: Random) -> Guardrail:
    """A guardrail that names at most two things, so that not everything is kept from going."""
    access = Access(chance.choice(ACTIONS), chance.choice(PATTERNS))
    selectors: list[Selector] = [MemberOf(chance.choice(GROUPS)), HolderOf(chance.choice(ROLES))]
    rules = (
        Forbidden(access),
        Reserved(access, frozenset({chance.choice(selectors)})),
        Exclusive(access, Access(Any(), Any())),
        Capped(access, 1),
    )
    return Guardrail(chance.choice(RAILS), chance.choice(rules))


def some_resource(chance: Random) -> Resource:
    """A resource, in another or in none."""
    parent = chance.choice([None, *PLACES])
    return Resource(chance.choice(PLACES), chance.choice(KINDS), parent, chance.choice(TRAITS))


def yes(chance: Random) -> bool:
    """One way or the other."""
    return chance.random() < 0.5


MAKERS: Final[list[Make]] = [
    lambda r: c.CreatePrincipal(r.choice(PRINCIPALS), r.choice(TRAITS)),
    lambda r: c.DeletePrincipal(r.choice(PRINCIPALS), yes(r)),
    lambda r: c.SuspendPrincipal(r.choice(PRINCIPALS)),
    lambda r: c.ResumePrincipal(r.choice(PRINCIPALS)),
    lambda r: c.SetPrincipalAttributes(r.choice(PRINCIPALS), r.choice(TRAITS)),
    lambda r: c.CreateGroup(r.choice(GROUPS)),
    lambda r: c.DeleteGroup(r.choice(GROUPS), yes(r)),
    lambda r: c.AddMember(r.choice(PRINCIPALS), r.choice(GROUPS)),
    lambda r: c.RemoveMember(r.choice(PRINCIPALS), r.choice(GROUPS)),
    lambda r: c.NestGroup(r.choice(GROUPS), r.choice(GROUPS)),
    lambda r: c.UnnestGroup(r.choice(GROUPS), r.choice(GROUPS)),
    lambda r: c.CreateRole(r.choice(ROLES)),
    lambda r: c.DeleteRole(r.choice(ROLES), yes(r)),
    lambda r: c.AddParent(r.choice(ROLES), r.choice(ROLES)),
    lambda r: c.RemoveParent(r.choice(ROLES), r.choice(ROLES)),
    lambda r: c.CreateKind(r.choice(KINDS)),
    lambda r: c.DeleteKind(r.choice(KINDS), yes(r)),
    lambda r: c.CreateResource(some_resource(r)),
    lambda r: c.DeleteResource(r.choice(PLACES), yes(r)),
    lambda r: c.SetResourceAttributes(r.choice(PLACES), r.choice(TRAITS)),
    lambda r: c.CreateClaim(some_claim(r)),
    lambda r: c.DeleteClaim(r.choice(CLAIMS)),
    lambda r: c.CreateSodSet(some_set(r)),
    lambda r: c.ChangeSodSet(some_set(r)),
    lambda r: c.DeleteSodSet(r.choice(SETS), yes(r)),
    lambda r: c.AssignRole(r.choice(PRINCIPALS), r.choice(ROLES), r.choice(TERMS)),
    lambda r: c.RevokeRole(r.choice(PRINCIPALS), r.choice(ROLES)),
    lambda r: c.AssignGroupRole(r.choice(GROUPS), r.choice(ROLES), r.choice(TERMS)),
    lambda r: c.RevokeGroupRole(r.choice(GROUPS), r.choice(ROLES)),
    lambda r: c.CreateGuardrail(some_guardrail(r)),
    lambda r: c.DeleteGuardrail(r.choice(RAILS)),
]
FILLING: Final = [MAKERS[number] for number in (0, 5, 7, 9, 11, 13, 15, 17, 17, 22)]
GRANTING: Final = [MAKERS[20], MAKERS[25], MAKERS[27]]


def opening() -> list[SingleCommand]:
    """Every entity and a little access, so that a walk does not begin in the desert."""
    parents = {PLACES[1]: PLACES[0], PLACES[2]: PLACES[1]}
    return [
        *map(c.CreatePrincipal, PRINCIPALS),
        *map(c.CreateGroup, GROUPS),
        *map(c.CreateRole, ROLES),
        *map(c.CreateKind, KINDS),
        *(c.CreateResource(Resource(one, KINDS[0], parents.get(one))) for one in PLACES),
        c.CreateClaim(Claim(CLAIMS[0], ROLES[0], ACTIONS[0], Within(PLACES[0]))),
        c.CreateClaim(Claim(CLAIMS[1], ROLES[1], ACTIONS[2], OfKind("document"))),
        c.CreateClaim(Claim(CLAIMS[2], ROLES[2], ACTIONS[1], Any())),
        c.AssignRole(PRINCIPALS[0], ROLES[0]),
        c.AssignRole(PRINCIPALS[2], ROLES[2]),
        c.AssignGroupRole(GROUPS[0], ROLES[1]),
        c.AddMember(PRINCIPALS[1], GROUPS[0]),
    ]


def next_command(chance: Random, state: Organization) -> Command:
    """One of: any command, one that fills, a set of several, a move, a removal, an edit."""
    turn = chance.random()
    if turn < 0.30:
        return chance.choice(MAKERS)(chance)
    if turn < 0.80:
        return chance.choice([*FILLING, *GRANTING, *GRANTING, *GRANTING])(chance)
    if turn < 0.86:
        return ChangeSet(tuple(chance.choice(MAKERS)(chance) for _ in range(chance.randint(1, 3))))
    if turn < 0.93 and state.resources:
        placed = chance.choice(sorted(state.resources))
        into = chance.choice([None, *sorted(state.resources)])
        return moved(state, state.resources[placed], into)
    return taken_or_edited(chance, state)


def taken_or_edited(chance: Random, state: Organization) -> Command:
    """Take away a link that is there, or replace a claim by another of the same id."""
    there = sorted((fact for fact in facts(state) if isinstance(fact, LINKS)), key=repr)
    if state.claims and yes(chance):
        old = state.claims[chance.choice(sorted(state.claims))]
        new = replace(some_claim(chance), id=old.id)
        return ChangeSet((c.DeleteClaim(old.id), c.CreateClaim(new)))
    taken = taking(chance.choice(there), cascade=yes(chance)) if there else None
    return MAKERS[0](chance) if taken is None else taken
