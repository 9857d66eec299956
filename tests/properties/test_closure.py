"""P-CLOSURE: effective roles are the least fixed point over the parents."""

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.hierarchy import closure, effective_roles, groups_of, holders_of, members_of
from grantproof.core.organization import Organization
from tests.properties import oracle
from tests.properties.tally import Tally
from tests.strategies.crowded import crowds
from tests.strategies.surveys import instants

Graph = dict[str, frozenset[str]]


def least_fixed_point(start: frozenset[str], parents: Graph) -> frozenset[str]:
    """Add the parents of everything, again and again, until nothing changes."""
    reached = start
    while True:
        grown = reached | frozenset(up for node in reached for up in parents[node])
        if grown == reached:
            return reached
        reached = grown


def graphs() -> st.SearchStrategy[Graph]:
    """Graphs of up to six nodes, cycles and self-loops included."""
    nodes = "abcdef"
    ups = st.frozensets(st.sampled_from(nodes), max_size=3)
    return st.fixed_dictionaries(dict.fromkeys(nodes, ups))


def test_p_closure_closure_is_the_least_fixed_point() -> None:
    """P-CLOSURE: on any graph, cyclic ones too, exactly what naive iteration reaches."""
    tally = Tally("P-CLOSURE")

    @settings(max_examples=300)
    @given(graphs(), st.frozensets(st.sampled_from("abcdef")))
    def holds(parents: Graph, start: frozenset[str]) -> None:
        found = closure(start, parents)
        assert found == least_fixed_point(start, parents)
        tally.saw("grew", len(found) > len(start) + 1)
        tally.saw("proper", len(found) < len(parents) and len(start) > 0)

    holds()
    tally.expect(grew=40, proper=20)


def test_p_closure_effective_roles_are_the_ends_of_all_chains() -> None:
    """P-CLOSURE: at every boundary, what assignments, groups and parents lead to, and no more."""
    tally = Tally("P-CLOSURE, organizations")

    @settings(max_examples=80)
    @given(crowds())
    def holds(state: Organization) -> None:
        of = oracle.world(state)
        for principal in state.principals:
            for instant in instants(state):
                found = effective_roles(state, principal, instant)
                assert found == oracle.effective(of, principal, instant)
                assigned = {chain.roles[0] for chain in oracle.live(of, principal, instant)}
                tally.saw("inherits", found > assigned)
                tally.saw("none", found == frozenset())

    holds()
    tally.expect(inherits=150, none=100)


def test_p_closure_the_way_back_finds_the_same_pairs() -> None:
    """P-CLOSURE: holders of a role are those that at some instant have it; members likewise."""
    tally = Tally("P-CLOSURE, backwards")

    @settings(max_examples=60)
    @given(crowds())
    def holds(state: Organization) -> None:
        of = oracle.world(state)
        ever = {
            (principal, chain.roles[-1])
            for principal in state.principals
            for chain in oracle.chains(of, principal)
        }
        for role in state.roles:
            found = holders_of(state, {role})
            assert {(holder, role) for holder in found} == {one for one in ever if one[1] == role}
            tally.saw("held", len(found) > 0)
        for group in state.groups:
            members = {one for one in state.principals if group in groups_of(state, one)}
            assert members_of(state, {group}) == members
            tally.saw("members", len(members) > 0)

    holds()
    tally.expect(held=80, members=80)
