"""The access review tells what `evaluate` and `effective_roles` say, neither more nor less."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.constraints import all_hold
from grantproof.core.duty import dynamic_clash
from grantproof.core.hierarchy import assigned_roles, effective_roles, groups_of, validities
from grantproof.core.identifiers import GroupId, PrincipalId, ResourceId, RoleId
from grantproof.core.matching import resolve, situate
from grantproof.core.model import Validity
from grantproof.core.organization import Organization
from grantproof.core.paths import shortest_path
from grantproof.core.policy import Allow, evaluate
from grantproof.service.access_review import Access, Sought, access, lasting
from grantproof.service.review import holdings, shortest_paths
from tests.properties.tally import Tally
from tests.strategies.names import FEW
from tests.strategies.organizations import organizations
from tests.strategies.questions import Question, questions
from tests.strategies.values import validities as drawn_validities

EVERYTHING = Sought()


def bounds(state: Organization, principal: PrincipalId) -> list[int]:
    """The instants at which what the principal holds may change, and those next to them."""
    ends = [end for one in validities(state, principal) for end in (one.start, one.end)]
    return sorted({0, *(near for end in ends if end is not None for near in (end - 1, end))})


def is_path(path: tuple[str, ...], edges: Iterable[tuple[str, str]]) -> bool:
    """Whether each leads to the next."""
    return set(pairwise(path)) <= set(edges)


def check_way(state: Organization, way: Access, instant: int) -> None:
    """The assignment is stored and valid, and every step of the way is there."""
    holding, principal = way.holding, way.principal.id
    assert way.principal == state.principals[principal]
    if holding.groups:
        assert holding.groups[0] in state.memberships.of(principal)
        assert is_path(holding.groups, state.groups.edges())
        stored = state.group_assignments.of(holding.groups[-1])
    else:
        stored = state.assignments.of(principal)
    assert stored[holding.role] == holding.validity
    assert holding.validity.contains(instant)
    assert way.roles[0] == holding.role
    assert is_path(way.roles, state.roles.edges())
    assert {claim.id for claim in way.claims} == set(state.claims_by_role.get(way.roles[-1], ()))


@settings(max_examples=25)
@given(state=organizations(), seconds=st.integers(0, 3))
def test_the_ways_are_those_that_the_roles_come_by(state: Organization, seconds: int) -> None:
    """Each role that is held has a way, each way is real, and no way leads to another role."""
    for principal in state.principals:
        for instant in bounds(state, principal)[:4]:
            ways = list(access(state, Sought(principal=principal), instant=instant + seconds))
            then = instant + seconds
            assert {way.roles[-1] for way in ways} == effective_roles(state, principal, then)
            assert {way.holding.role for way in ways} == assigned_roles(state, principal, then)
            assert len({way.key for way in ways}) == len(ways)
            for way in ways:
                check_way(state, way, then)


@settings(max_examples=25)
@given(state=organizations())
def test_a_role_lasts_for_as_long_as_it_is_effective(state: Organization) -> None:
    """From the instant that is asked about until the one that is told, and not at that one."""
    for principal in state.principals:
        instants = bounds(state, principal)
        for way in access(state, Sought(principal=principal), instant=instants[0]):
            role, until = way.roles[-1], way.lasts_until
            held = [one for one in instants if role in effective_roles(state, principal, one)]
            lost = [one for one in instants if one not in held and one >= instants[0]]
            assert until == min(lost, default=None)


@given(held=st.lists(drawn_validities(FEW), max_size=4), instant=FEW.instants)
def test_lasting_is_the_first_instant_in_none_of_them(held: list[Validity], instant: int) -> None:
    """By looking at every instant at which something ends."""
    ends = sorted({instant, *(one.end for one in held if one.end is not None)})
    free = (at for at in ends if at >= instant and not any(one.contains(at) for one in held))
    assert lasting(held, instant) == next(free, None)


@settings(max_examples=25)
@given(state=organizations(), data=st.data())
def test_what_is_sought_is_a_part_of_everything(state: Organization, data: st.DataObject) -> None:
    """Of a principal, a role or a resource; in one order, and after any key the rest."""
    instant = data.draw(FEW.instants)
    everything = list(access(state, EVERYTHING, instant=instant))
    keys = [way.key for way in everything]
    assert keys == sorted(keys)
    for position, key in enumerate(keys):
        rest = access(state, EVERYTHING, instant=instant, after=key)
        assert list(rest) == everything[position + 1 :]
    for principal in state.principals:
        mine = [way for way in everything if way.principal.id == principal]
        assert list(access(state, Sought(principal=principal), instant=instant)) == mine
    for role in state.roles:
        its = [way for way in everything if way.roles[-1] == role]
        assert list(access(state, Sought(role=role), instant=instant)) == its
    for resource in [*state.resources, ResourceId("role:viewer"), ResourceId("nowhere")]:
        found = list(access(state, Sought(resource=resource), instant=instant))
        on = {way.key: way for way in found}
        for way in everything:
            part = on.pop(way.key, None)
            claims = () if part is None else part.claims
            assert set(claims) <= set(way.claims)
            assert part is None or replace(part, claims=way.claims) == way
            assert part is None or claims != ()
        assert on == {}


def test_the_ways_to_a_resource_are_those_that_evaluate_goes() -> None:
    """An allow has a way with a claim that holds; a way that holds, active and lawful, allows."""
    tally = Tally("ways to a resource")

    @settings(max_examples=80)
    @given(question=questions())
    def check(question: Question) -> None:
        state, request = question.state, replace(question.request, active_roles=None)
        if state is None or request.principal not in state.principals:
            return
        target = resolve(state, request)
        if target is None:
            return
        instant = question.context.instant
        sought = Sought(
            request.principal, resource=request.resource, kind=request.kind, action=request.action
        )
        ways = list(access(state, sought, instant=instant))
        situation = situate(state, request, question.context, target=target)
        open_ways = any(
            all_hold(claim.constraints, situation) for way in ways for claim in way.claims
        )
        active = state.principals[request.principal].active
        lawful = dynamic_clash(state, effective_roles(state, request.principal, instant)) is None
        allowed = isinstance(evaluate(state, request, question.context), Allow)
        assert allowed == (open_ways and active and lawful)
        tally.saw("allowed", allowed)
        tally.saw("denied", not allowed)

    check()
    tally.expect(allowed=8, denied=8)


@settings(max_examples=25)
@given(state=organizations())
def test_every_path_is_the_one_that_the_core_finds(state: Organization) -> None:
    """All at once, as `shortest_path` finds them one by one; groups as `groups_of` has them."""
    for role in state.roles:
        found = shortest_paths((role,), state.roles.parents)
        for goal in state.roles:
            assert found.get(goal) == shortest_path((role,), goal, state.roles.parents)
    for principal in state.principals:
        memberships = state.memberships.of(principal)
        ways = shortest_paths(memberships, state.groups.parents)
        assert ways.keys() == groups_of(state, principal)
        held = holdings(state, principal)
        paths = {one.groups for one in held if one.groups}
        assert paths <= set(ways.values())
        assert {(one.groups[-1], one.role) for one in held if one.groups} == shared(state, ways)


def shared(state: Organization, groups: Iterable[GroupId]) -> set[tuple[GroupId, RoleId]]:
    """The roles that the groups are assigned, each with its group."""
    return {(group, role) for group in groups for role in state.group_assignments.of(group)}
