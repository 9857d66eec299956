"""Crowded organizations: the same few entities every time, with many links between them.

Where `organizations` shows how organizations come to be, these are what deep inheritance, nested
groups and clashing sets need: nearly every principal holds something in several ways.
"""

from dataclasses import replace
from itertools import combinations, product
from typing import Final

from hypothesis import strategies as st

from grantproof.core.attributes import attributes
from grantproof.core.commands.delta import ORDER
from grantproof.core.duty import static_clash
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    GroupId,
    Kind,
    OrganizationId,
    PrincipalId,
    ResourceId,
    RoleId,
)
from grantproof.core.model import (
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
    Validity,
    Within,
)
from grantproof.core.organization import Organization, with_fact
from tests.strategies.entities import sod_sets
from tests.strategies.names import FEW, once
from tests.strategies.values import constraints

AWAKE: Final = 0.92
PRINCIPALS: Final = [PrincipalId(name) for name in ("ann", "bob", "cid")]
GROUPS: Final = [GroupId(name) for name in ("staff", "team", "unit")]
ROLES: Final = [RoleId(name) for name in ("viewer", "editor", "owner", "auditor")]
KINDS: Final = [Kind(name) for name in ("document", "folder")]
DOCS, INNER, LEAF, MAIL = (ResourceId(name) for name in ("docs", "docs/a", "docs/a/b", "mail"))
TERMS: Final = [ALWAYS, ALWAYS, Validity(2), Validity(end=4), Validity(1, 3), Validity(3, 6)]
ENTITIES: Final[list[Fact]] = [
    *map(Group, GROUPS),
    *map(Role, ROLES),
    *map(KindDeclaration, KINDS),
    Resource(DOCS, KINDS[1], attributes=attributes({"owner": "ann"})),
    Resource(INNER, KINDS[1], DOCS),
    Resource(LEAF, KINDS[0], INNER, attributes({"owner": "bob", "level": 1})),
    Resource(MAIL, KINDS[0]),
]
# Later names only inherit from, or lie in, earlier ones: every acyclic graph, up to names.
EDGES: Final[list[Fact]] = [
    *(Inheritance(low, high) for high, low in combinations(ROLES, 2)),
    *(Nesting(inner, outer) for outer, inner in combinations(GROUPS, 2)),
    *(Membership(*pair) for pair in product(PRINCIPALS, GROUPS)),
]
HOLDINGS: Final[list[Fact]] = [
    *(Assignment(*pair) for pair in product(PRINCIPALS, ROLES)),
    *(GroupAssignment(*pair) for pair in product(GROUPS, ROLES)),
]
PATTERNS: Final[list[ResourcePattern]] = [
    *(Exactly(resource) for resource in (DOCS, LEAF, MAIL)),
    *(Within(resource) for resource in (DOCS, INNER, DOCS)),
    *(OfKind(kind) for kind in ("document", "folder", "role")),
    Any(),
    Exactly(ResourceId("role:viewer")),
    Within(ResourceId("organization:acme")),
]
ACTIONS: Final[list[ActionPattern]] = [
    Exactly(Action("read")),
    Exactly(Action("administer")),
    Any(),
]


CHANCE: Final = st.randoms(use_true_random=True)
SETS: Final = st.lists(sod_sets(FEW), max_size=2)
LIMITS: Final = st.lists(constraints(FEW), min_size=1, max_size=2)
ROLE: Final = st.sampled_from(ROLES)
ACTION: Final = st.sampled_from(ACTIONS)
PATTERN: Final = st.sampled_from(PATTERNS)


@once
@st.composite
def crowded_claims(draw: st.DrawFn, number: int) -> Claim:
    """A claim of any role; every other one under constraints."""
    limits = draw(LIMITS)
    return Claim(
        ClaimId(f"c{number}"),
        draw(ROLE),
        draw(ACTION),
        draw(PATTERN),
        tuple(limits) if number % 2 else (),
    )


@once
@st.composite
def crowds(draw: st.DrawFn) -> Organization:
    """A valid organization of the same entities; sets that its assignments break are dynamic."""
    # Drawn links come in too few shapes; how many there are is drawn, so that this still shrinks.
    chance = draw(CHANCE)
    # First, as what is drawn before them decides whether there are any.
    sets = {made.id: made for made in draw(SETS)}
    people = [Principal(name, active=chance.random() < AWAKE) for name in PRINCIPALS]
    edges = chance.sample(EDGES, draw(st.integers(0, 12)))
    holdings = chance.sample(HOLDINGS, draw(st.integers(0, 9)))
    held = [limited(fact, chance.choice(TERMS)) for fact in holdings]
    claims = [
        replace(draw(crowded_claims(number)), role=chance.choice(ROLES))
        for number in range(draw(st.integers(2, 5)))
    ]
    state = Organization(OrganizationId("acme"))
    facts = [*people, *ENTITIES, *edges, *held, *claims]
    for fact in sorted(facts, key=lambda fact: ORDER[type(fact)]):
        state = with_fact(state, fact)
    for made in sets.values():
        bound = with_fact(state, made)
        broken = any(static_clash(bound, principal) for principal in PRINCIPALS)
        state = with_fact(state, replace(made, mode="dynamic")) if broken else bound
    return state


def limited(fact: Fact, term: Validity) -> Fact:
    """The assignment while the term lasts."""
    match fact:
        case Assignment() | GroupAssignment():
            return replace(fact, validity=term)
        case _:
            return fact
