"""Every small organization, against every way in which this repository answers.

`tests/properties/small.py` says what is enumerated. A third oracle, independent of the proofs and
of what Hypothesis draws: nothing within these bounds is left out.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

from grantproof.core.certificate import check
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    CreateSodSet,
    DeleteRole,
    NestGroup,
    RemoveMember,
    RemoveParent,
    RevokeGroupRole,
    RevokeRole,
    SingleCommand,
    UnnestGroup,
)
from grantproof.core.identifiers import RoleId
from grantproof.core.index import Index
from grantproof.core.invariants import valid
from grantproof.core.matching import Request
from grantproof.core.model import (
    Assignment,
    Fact,
    Group,
    GroupAssignment,
    Membership,
    Nesting,
    Principal,
)
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, evaluate
from tests.organizations import NOON, READ
from tests.properties import oracle, small
from tests.properties.agreement import as_answer
from tests.properties.small import INNER, OUTER, ROLES, THINGS, P, Small
from tests.properties.tally import Tally

Sessions = list[frozenset[RoleId] | None]
NO_SESSION: Sessions = [None]


def ask_everything(state: Organization, sessions: Sessions, tally: Tally) -> None:
    """Everybody asks for everything: reference, oracle, index and checker must agree."""
    of, index = oracle.world(state), Index(state)
    things = [THINGS[role] for role in state.roles]
    for principal, thing, session in product(state.principals, things, sessions):
        request = Request(principal, READ, thing, None, session)
        decision = evaluate(state, request, NOON)
        expected = oracle.ask(of, request, NOON)
        assert as_answer(decision) == expected == as_answer(index.decide(request, NOON))
        tally.saw("decisions")
        if isinstance(decision, Allow):
            assert check(state, request, NOON, certificate=decision.certificate)
            tally.saw("allowed")


def judge(one: Small, tally: Tally, sessions: Sessions = NO_SESSION) -> None:
    """`valid` must say exactly which static sets are broken; what is valid is asked everything."""
    of = oracle.world(one.state)
    broken = oracle.breaches(of) if one.state.sod_sets else set()
    found = {(violation.invariant, *violation.ids) for violation in valid(one.state)}
    assert found == {("static-duty-holds", *breach) for breach in broken}
    tally.saw("organizations")
    tally.saw("invalid", broken != set())
    if broken == set():
        ask_everything(one.state, sessions, tally)


def test_every_small_organization_without_groups() -> None:
    """P-SOUND, P-COMPLETE, P-DSD, P-INDEX: all of `direct`, with sessions of one and of all."""
    tally = Tally("exhaustive, direct")
    sessions: Sessions = [None, frozenset(ROLES[:1]), frozenset(ROLES)]
    for one in small.direct():
        judge(one, tally, sessions)
    # 3 roles: 6 shapes, 36 pairs of holdings, none or 10 sets; 2: 2, 10, none or 2; 1: 3; 0: 1.
    tally.expect(organizations=6 * 36 * 11 + 2 * 10 * 3 + 3 + 1, decisions=30_000, invalid=500)


def test_every_small_organization_with_groups() -> None:
    """P-SOUND, P-COMPLETE, P-INDEX: all of `grouped`."""
    tally = Tally("exhaustive, grouped")
    for one in small.grouped():
        tally.saw("organizations")
        ask_everything(one.state, NO_SESSION, tally)
    tally.expect(organizations=6 * 2 * 64 * 10, decisions=46_080)


def test_every_small_organization_with_groups_and_direct_assignments() -> None:
    """P-SOUND, P-COMPLETE, P-INDEX: all of `mixed`."""
    tally = Tally("exhaustive, mixed")
    for one in small.mixed():
        tally.saw("organizations")
        ask_everything(one.state, NO_SESSION, tally)
    tally.expect(organizations=6 * 2 * 64 * 4 * 8, decisions=73_728)


def test_every_small_organization_under_a_set() -> None:
    """P-SOD-SAFE, P-DSD, P-INDEX: all of `divided`."""
    tally = Tally("exhaustive, divided")
    for one in small.divided():
        judge(one, tally)
    tally.expect(organizations=6 * 8 * 8 * 10, decisions=5_000, invalid=1_000)


def steps(state: Organization) -> Iterator[tuple[SingleCommand, bool, oracle.World]]:
    """Every link that can be made or cut, whether that is possible, and what it would leave."""
    of = oracle.world(state)
    roles, groups = list(state.roles), list(state.groups)
    for a, b in product(roles, roles):
        inherits = of.inherits | {(str(a), str(b))}
        fresh = (a, b) not in of.inherits and oracle.acyclic(inherits)
        yield AddParent(a, b), fresh, replace(of, inherits=inherits)
        cut = replace(of, inherits=of.inherits - {(str(a), str(b))})
        yield RemoveParent(a, b), (a, b) in of.inherits, cut
    for role in roles:
        held = (str(P), str(role), oracle.BEGINNING, oracle.NEVER)
        yield AssignRole(P, role), held not in of.holds, replace(of, holds=of.holds | {held})
        yield RevokeRole(P, role), held in of.holds, replace(of, holds=of.holds - {held})
    for group, role in product(groups, roles):
        given = (str(group), str(role), oracle.BEGINNING, oracle.NEVER)
        more = replace(of, group_holds=of.group_holds | {given})
        yield AssignGroupRole(group, role), given not in of.group_holds, more
        less = replace(of, group_holds=of.group_holds - {given})
        yield RevokeGroupRole(group, role), given in of.group_holds, less
    for group in groups:
        pair = (str(P), str(group))
        joined = replace(of, member=of.member | {pair})
        yield AddMember(P, group), pair not in of.member, joined
        yield RemoveMember(P, group), pair in of.member, replace(of, member=of.member - {pair})
    for inner, outer in product(groups, groups):
        nested = of.nested | {(str(inner), str(outer))}
        fresh = (inner, outer) not in of.nested and oracle.acyclic(nested)
        yield NestGroup(inner, outer), fresh, replace(of, nested=nested)
        apart = replace(of, nested=of.nested - {(str(inner), str(outer))})
        yield UnnestGroup(inner, outer), (inner, outer) in of.nested, apart
    for made in small.sets(len(roles)):
        named = of.entities | {("sod-set", str(made.id))}
        yield CreateSodSet(made), of.sets == (), replace(of, sets=(made,), entities=named)


def take_every_step(state: Organization, tally: Tally) -> None:
    """`apply` accepts exactly what is possible and breaks no static set, and does just that."""
    for command, possible, predicted in steps(state):
        expected = possible and oracle.breaches(predicted) == set()
        result = apply(state, command, actor="eve", instant=0)
        assert isinstance(result, Accepted) == expected, command
        tally.saw("commands")
        tally.saw("accepted", expected)
        tally.saw("breaches", possible and not expected)
        if isinstance(result, Accepted):
            assert oracle.world(result.state) == predicted
            followed = Index(state)
            for role in state.roles:
                followed.decide(Request(P, READ, THINGS[role]), NOON)
            followed.follow(result.state, result.event.delta)
            for role in state.roles:
                request = Request(P, READ, THINGS[role])
                answer = oracle.ask(predicted, request, NOON)
                assert as_answer(followed.decide(request, NOON)) == answer
    for role in state.roles:
        free = all(role not in sod_set.roles for sod_set in state.sod_sets.values())
        result = apply(state, DeleteRole(role, cascade=True), actor="eve", instant=0)
        assert isinstance(result, Accepted) == free
        tally.saw("commands")
        if isinstance(result, Accepted):
            assert valid(result.state) == ()


def test_every_step_from_every_small_organization_without_groups() -> None:
    """P-DAG, P-SOD-EXACT, P-INDUCT: each link made or cut, from all of `alone`."""
    tally = Tally("exhaustive, steps of alone")
    for one in small.alone():
        if oracle.breaches(oracle.world(one.state)) == set():
            tally.saw("organizations")
            take_every_step(one.state, tally)
    tally.expect(organizations=400, commands=14_000, accepted=2_500, breaches=250)


def test_every_step_from_every_small_organization_with_groups() -> None:
    """P-DAG, P-SOD-EXACT, P-INDUCT: each link, from two roles apart under a static set of both."""
    tally = Tally("exhaustive, steps of groups")
    graph = next(small.graphs(2))
    static = small.sets(2)[0]
    base = small.grown(graph, [static, Principal(P), Group(INNER), Group(OUTER)])
    pair, nesting = ROLES[:2], [Nesting(INNER, OUTER)]
    held = [Assignment(P, role) for role in pair]
    member = [Membership(P, group) for group in (INNER, OUTER)]
    given = [GroupAssignment(group, role) for group in (INNER, OUTER) for role in pair]
    every: list[list[list[Fact]]] = [
        *map(small.subsets, list[list[Fact]]([[*nesting], [*held], [*member], [*given]]))
    ]
    for chosen in product(*every):
        state = small.grown(base, (fact for some in chosen for fact in some))
        if oracle.breaches(oracle.world(state)) == set():
            tally.saw("organizations")
            take_every_step(state, tally)
    tally.expect(organizations=150, commands=4_000, accepted=1_000, breaches=300)
