"""Every small organization, up to the names of roles, of groups and of principals.

Each role holds one claim of its own, to read a thing of its own, so that what a principal may read
says exactly which roles it has active. What is enumerated:

- `graphs`: one of each shape of inheritance on up to 3 roles (1, 1, 2 and 6 shapes, which stand
  for all 1, 1, 3 and 25 labelled acyclic graphs).
- `direct`: every shape, two principals with every pair of sets of assigned roles, in no order, and
  no set or every separation-of-duty set: each choice of 2 or 3 roles, each `n`, static and dynamic.
- `alone`: the same with one principal.
- `grouped`: every shape on 3 roles, two groups apart or nested, every assignment of roles to both,
  and two principals with every pair of memberships, in no order.
- `mixed`: every shape on 3 roles, two groups apart or nested, every assignment to both, and one
  principal with every membership and every set of directly assigned roles.
- `divided`: every shape on 3 roles, every separation-of-duty set, and one principal with every set
  of directly assigned roles, in one group with every other set of them.

Validities, attributes and constraints are not enumerated here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement, product
from typing import Final, Literal, TypeVar

from grantproof.core.identifiers import ClaimId, GroupId, Kind, PrincipalId, ResourceId, RoleId
from grantproof.core.model import (
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
    Principal,
    Resource,
    Role,
    SodSet,
)
from grantproof.core.organization import Organization, with_fact
from tests.organizations import ACME, PAIR, READ

ROLES: Final = [RoleId(name) for name in "xyz"]
THINGS: Final = {role: ResourceId(f"thing/{role}") for role in ROLES}
P, Q = PrincipalId("p"), PrincipalId("q")
INNER, OUTER = GroupId("inner"), GroupId("outer")
THING: Final = Kind("thing")
X, Y, Z = ROLES
SHAPES: Final[dict[int, list[list[tuple[RoleId, RoleId]]]]] = {
    0: [[]],
    1: [[]],
    2: [[], [(X, Y)]],
    3: [
        [],
        [(X, Y)],
        [(X, Y), (X, Z)],
        [(X, Z), (Y, Z)],
        [(X, Y), (Y, Z)],
        [(X, Y), (Y, Z), (X, Z)],
    ],
}
Member = TypeVar("Member")


@dataclass(frozen=True)
class Small:
    """A small organization, valid or not, and the family that it belongs to."""

    family: str
    state: Organization


def subsets(of: list[Member]) -> list[list[Member]]:
    """Every choice of members, the empty one first."""
    return [list(some) for size in range(len(of) + 1) for some in combinations(of, size)]


def grown(state: Organization, facts: Iterable[Fact]) -> Organization:
    """The organization with more facts."""
    for fact in facts:
        state = with_fact(state, fact)
    return state


def graphs(size: int) -> Iterator[Organization]:
    """The roles with their claims and things, in every shape of inheritance."""
    names = ROLES[:size]
    base = grown(
        Organization(ACME),
        [
            KindDeclaration(THING),
            *(Role(name) for name in names),
            *(Resource(THINGS[name], THING) for name in names),
            *(
                Claim(ClaimId(f"of-{name}"), name, Exactly(READ), Exactly(THINGS[name]))
                for name in names
            ),
        ],
    )
    for shape in SHAPES[size]:
        yield grown(base, (Inheritance(*edge) for edge in shape))


def sets(size: int) -> list[SodSet]:
    """Every separation-of-duty set on the first roles."""
    modes: tuple[Literal["static", "dynamic"], ...] = ("static", "dynamic")
    return [
        SodSet(PAIR, frozenset(names), n, mode)
        for count in range(2, size + 1)
        for names in combinations(ROLES[:size], count)
        for n in range(2, count + 1)
        for mode in modes
    ]


def direct() -> Iterator[Small]:
    """Two principals and no group."""
    for size in range(4):
        held = subsets(ROLES[:size])
        for graph, (of_p, of_q) in product(graphs(size), combinations_with_replacement(held, 2)):
            people = grown(graph, [Principal(P), Principal(Q)])
            state = grown(people, (Assignment(P, role) for role in of_p))
            state = grown(state, (Assignment(Q, role) for role in of_q))
            yield Small("direct", state)
            yield from (Small("direct", with_fact(state, one)) for one in sets(size))


def alone() -> Iterator[Small]:
    """One principal and no group."""
    for size in range(4):
        for graph, held in product(graphs(size), subsets(ROLES[:size])):
            state = grown(with_fact(graph, Principal(P)), (Assignment(P, role) for role in held))
            yield Small("alone", state)
            yield from (Small("alone", with_fact(state, one)) for one in sets(size))


def assigned_groups() -> Iterator[Organization]:
    """Every shape, both groups apart or nested, with every assignment."""
    for graph, nested in product(graphs(3), (False, True)):
        both = grown(graph, [Group(INNER), Group(OUTER)])
        both = with_fact(both, Nesting(INNER, OUTER)) if nested else both
        for of_inner, of_outer in product(subsets(ROLES), subsets(ROLES)):
            state = grown(both, (GroupAssignment(INNER, role) for role in of_inner))
            yield grown(state, (GroupAssignment(OUTER, role) for role in of_outer))


def grouped() -> Iterator[Small]:
    """Two principals that hold roles through groups only."""
    belonging = list(combinations_with_replacement(subsets([INNER, OUTER]), 2))
    for state in assigned_groups():
        people = grown(state, [Principal(P), Principal(Q)])
        for of_p, of_q in belonging:
            members = [
                *(Membership(P, group) for group in of_p),
                *(Membership(Q, group) for group in of_q),
            ]
            yield Small("grouped", grown(people, members))


def mixed() -> Iterator[Small]:
    """One principal that holds roles through groups and directly."""
    for state in assigned_groups():
        person = with_fact(state, Principal(P))
        for belongs in subsets([INNER, OUTER]):
            member = grown(person, (Membership(P, group) for group in belongs))
            for held in subsets(ROLES):
                yield Small("mixed", grown(member, (Assignment(P, role) for role in held)))


def divided() -> Iterator[Small]:
    """One principal under every set, with roles of its own and of its group."""
    for graph, of_group, held in product(graphs(3), subsets(ROLES), subsets(ROLES)):
        member = grown(graph, [Principal(P), Group(INNER), Membership(P, INNER)])
        state = grown(member, (GroupAssignment(INNER, role) for role in of_group))
        state = grown(state, (Assignment(P, role) for role in held))
        yield from (Small("divided", with_fact(state, one)) for one in sets(3))
