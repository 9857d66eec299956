"""Small organizations with guardrails about them: so few names that most guardrails bear on claims.

Drawn from a seed, many links at a time. Of each organization a few constraints are in use, so that
every combination of their constants can be tried.
"""

from itertools import combinations
from random import Random
from typing import Final, Literal, TypeVar

from grantproof.core import constraints as c
from grantproof.core import guardrails as g
from grantproof.core.attributes import (
    NO_ATTRIBUTES,
    Attributes,
    ClockYear,
    Operator,
    Path,
    PrincipalIdentity,
    Root,
    attributes,
)
from grantproof.core.attributes import Literal as Constant
from grantproof.core.commands.delta import ORDER
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import (
    Action,
    AttributeName,
    ClaimId,
    GroupId,
    GuardrailId,
    Kind,
    OrganizationId,
    PrincipalId,
    Region,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.model import (
    ADMINISTER,
    ALWAYS,
    ActionPattern,
    Any,
    Assignment,
    Claim,
    Exactly,
    Fact,
    Group,
    GroupAssignment,
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
    Validity,
    Within,
)
from grantproof.core.organization import Organization, with_fact

Member = TypeVar("Member")

PEOPLE: Final = [PrincipalId(name) for name in ("ann", "bob", "cid")]
GROUPS: Final = [GroupId(name) for name in ("staff", "team")]
ROLES: Final = [RoleId(name) for name in ("viewer", "editor", "owner")]
FILE, FOLDER = Kind("file"), Kind("folder")
DOCS, PLAN, MAIL = (ResourceId(name) for name in ("docs", "docs/plan", "mail"))
READ, PAY = Action("read"), Action("pay")
TERMS: Final = [ALWAYS, ALWAYS, ALWAYS, Validity(20), Validity(end=20), Validity(10, 30)]
TRAITS: Final = [
    NO_ATTRIBUTES,
    attributes({"team": "red"}),
    attributes({"team": "ann"}),
    attributes({"level": 1}),
    attributes({"level": True}),
]
ACTIONS: Final[list[ActionPattern]] = [Exactly(READ), Exactly(PAY), Any(), Exactly(ADMINISTER)]
PATTERNS: Final[list[ResourcePattern]] = [
    *(Exactly(one) for one in (DOCS, PLAN, MAIL)),
    *(Within(one) for one in (DOCS, DOCS, PLAN)),
    *(OfKind(one) for one in ("file", "file", "folder", "role")),
    *(Any(), Any()),
    Exactly(ResourceId("role:viewer")),
]
TEAM, LEVEL = AttributeName("team"), AttributeName("level")


def compared(root: Root, name: AttributeName, operator: Operator, operand: object) -> c.Attribute:
    """A comparison of an attribute."""
    if not isinstance(operand, Path | PrincipalIdentity | ClockYear):
        operand = Constant(operand)  # type: ignore[arg-type]  # only values are written below
    return c.Attribute(Path(root, name), operator, operand)


OWNER: Final = AttributeName("owner")
PALETTE: Final[list[c.Constraint]] = [
    c.TimeWindow(9, 17),
    c.TimeWindow(8, 18, frozenset(range(5))),
    c.GeoFence(frozenset({Region("eu")})),
    c.GeoFence(frozenset({Region("eu"), Region("us")})),
    c.GeoRadius(Position(0, 0), 1_000),
    c.GeoRadius(Position(0, 0), 2_000),
    c.MaxUsage(2),
    c.MaxUsage(3, "day"),
    c.RateLimit(2),
    compared(Root.PRINCIPAL, TEAM, Operator.EQ, "red"),
    compared(Root.PRINCIPAL, LEVEL, Operator.GE, 1),
    compared(Root.RESOURCE, TEAM, Operator.EQ, "red"),
    compared(Root.RESOURCE, TEAM, Operator.EQ, Path(Root.PRINCIPAL, TEAM)),
    compared(Root.RESOURCE, TEAM, Operator.EQ, PrincipalIdentity()),
    compared(Root.CONTEXT, OWNER, Operator.EQ, PrincipalIdentity()),
    compared(Root.CONTEXT, OWNER, Operator.NE, PrincipalIdentity()),
    compared(Root.CONTEXT, OWNER, Operator.EQ, Path(Root.PRINCIPAL, TEAM)),
    compared(Root.ACTION, LEVEL, Operator.LT, 2),
    compared(Root.ACTION, LEVEL, Operator.GT, 2),
    compared(Root.PRINCIPAL, TEAM, Operator.IN, frozenset({"red", "blue"})),
    compared(Root.CONTEXT, LEVEL, Operator.EQ, ClockYear()),
]


def some(chance: Random, of: list[Member], count: int) -> list[Member]:
    """At most so many of them, in any order."""
    return chance.sample(of, min(count, len(of)))


def drawn_organization(chance: Random, palette: list[c.Constraint]) -> Organization:
    """An organization whose claims are under constraints of the palette, or none."""
    links: list[Fact] = [
        *(Inheritance(low, high) for high, low in combinations(ROLES, 2)),
        Nesting(GROUPS[1], GROUPS[0]),
        *(Membership(one, group) for one in PEOPLE for group in GROUPS),
    ]
    facts: list[Fact] = [
        *(Principal(one, chance.random() < 0.9, chance.choice(TRAITS)) for one in PEOPLE),
        *(Group(one) for one in GROUPS),
        *(Role(one) for one in ROLES),
        *(KindDeclaration(FILE), KindDeclaration(FOLDER)),
        Resource(DOCS, FOLDER, attributes=chance.choice(TRAITS)),
        Resource(PLAN, FILE, DOCS, chance.choice(TRAITS)),
        Resource(MAIL, FILE, attributes=chance.choice(TRAITS)),
        *some(chance, links, chance.randint(0, 6)),
        *(
            Assignment(one, role, chance.choice(TERMS))
            for one in PEOPLE
            for role in some(chance, ROLES, chance.choice([0, 1, 1, 2]))
        ),
        *(
            GroupAssignment(group, role, chance.choice(TERMS))
            for group in GROUPS
            for role in some(chance, ROLES, chance.choice([0, 0, 1]))
        ),
        *(drawn_claim(chance, number, palette) for number in range(chance.randint(1, 4))),
    ]
    if chance.random() < 0.35:
        mode: Literal["dynamic"] = "dynamic"
        facts.append(SodSet(SodSetId("apart"), frozenset(some(chance, ROLES, 2)), 2, mode))
    state = Organization(OrganizationId("acme"))
    for fact in sorted(facts, key=lambda fact: ORDER[type(fact)]):
        state = with_fact(state, fact)
    return state


def drawn_claim(chance: Random, number: int, palette: list[c.Constraint]) -> Claim:
    """A claim under up to two constraints."""
    limits = some(chance, palette, chance.choice([0, 1, 1, 2]))
    return Claim(
        ClaimId(f"c{number}"),
        chance.choice(ROLES),
        chance.choice(ACTIONS),
        chance.choice(PATTERNS),
        tuple(limits),
    )


def drawn_access(chance: Random) -> g.Access:
    """An access that few or many requests fall under."""
    traits: Attributes = chance.choice(TRAITS) if chance.random() < 0.3 else NO_ATTRIBUTES
    return g.Access(chance.choice(ACTIONS), chance.choice([*PATTERNS, Any()]), traits)


def drawn_guardrail(chance: Random, palette: list[c.Constraint]) -> g.Guardrail:
    """A guardrail of any type."""
    access = drawn_access(chance)
    rules: list[g.Rule] = [
        g.Forbidden(access, drawn_who(chance) if chance.random() < 0.7 else frozenset()),
        g.Reserved(access, drawn_who(chance)),
        g.Confined(access, tuple(some(chance, [*palette, *palette[:1]], chance.choice([1, 2])))),
        g.Exclusive(access, drawn_access(chance)),
        g.Capped(access, chance.choice([1, 1, 2])),
    ]
    return g.Guardrail(GuardrailId(f"g{chance.randrange(10**6)}"), chance.choice(rules))


def drawn_who(chance: Random) -> g.Who:
    """One or two selectors."""
    every: list[g.Selector] = [
        *(g.MemberOf(one) for one in GROUPS),
        *(g.HolderOf(one) for one in ROLES),
        *(g.Having(one) for one in TRAITS if len(one) > 0),
    ]
    return frozenset(some(chance, every, chance.choice([1, 1, 2])))


def drawn_palette(chance: Random) -> list[c.Constraint]:
    """The constraints that are in use: few, so that all their constants can be combined."""
    return some(chance, PALETTE, chance.choice([2, 2, 2, 3]))
