"""Strategies for facts and deltas: legal one by one, with no regard to any organization."""

from typing import Final, Literal

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from grantproof.core.guardrails import (
    Access,
    Capped,
    Confined,
    Exclusive,
    Forbidden,
    Having,
    HolderOf,
    MemberOf,
    Reserved,
    Rule,
    Selector,
)
from grantproof.core.limits import PRINCIPALS_MAX
from grantproof.core.model import (
    Administered,
    Assignment,
    Claim,
    Delta,
    Fact,
    Group,
    GroupAssignment,
    Guardrail,
    Inheritance,
    KindDeclaration,
    Membership,
    Nesting,
    Principal,
    Resource,
    Role,
    SodSet,
)
from tests.strategies.names import ANY, Names, once
from tests.strategies.values import (
    action_patterns,
    attribute_maps,
    constraints,
    resource_patterns,
    tuples_of,
    validities,
)

MODES: Final[tuple[Literal["static", "dynamic"], ...]] = ("static", "dynamic")


@once
def principals(names: Names = ANY) -> SearchStrategy[Principal]:
    """Active and suspended principals."""
    return st.builds(Principal, names.principals, st.booleans(), attribute_maps(names))


@once
def resources(names: Names = ANY) -> SearchStrategy[Resource]:
    """Resources with and without a parent; the parent need not exist."""
    parents = st.none() | names.resources
    return st.builds(Resource, names.resources, names.kinds, parents, attribute_maps(names))


@once
def claims(names: Names = ANY) -> SearchStrategy[Claim]:
    """Claims under no constraint or up to three."""
    return st.builds(
        Claim,
        names.claims,
        names.roles,
        action_patterns(names),
        resource_patterns(names),
        tuples_of(constraints(names), size_max=3),
    )


@once
@st.composite
def sod_sets(draw: st.DrawFn, names: Names = ANY) -> SodSet:
    """Static and dynamic separation-of-duty sets with every legal `n`."""
    roles = draw(st.frozensets(names.roles, min_size=2, max_size=4))
    n = draw(st.integers(2, len(roles)))
    return SodSet(draw(names.sod_sets), roles, n, draw(st.sampled_from(MODES)))


@once
def accesses(names: Names = ANY) -> SearchStrategy[Access]:
    """Accesses to what there may be and to what not."""
    patterns = action_patterns(names), resource_patterns(names)
    return st.builds(Access, *patterns, attribute_maps(names))


@once
def selectors(names: Names = ANY) -> SearchStrategy[Selector]:
    """Members of groups, holders of roles, and who stores attributes."""
    stored = attribute_maps(names).filter(lambda held: len(held) > 0)
    return st.one_of(
        st.builds(MemberOf, names.groups),
        st.builds(HolderOf, names.roles),
        st.builds(Having, stored),
    )


@once
def guardrails(names: Names = ANY) -> SearchStrategy[Guardrail]:
    """Guardrails of every type."""
    access, who = accesses(names), selectors(names)
    confining = st.lists(constraints(names), min_size=1, max_size=2).map(tuple)
    rules: SearchStrategy[Rule] = st.one_of(
        st.builds(Forbidden, access, st.frozensets(who, max_size=2)),
        st.builds(Reserved, access, st.frozensets(who, min_size=1, max_size=2)),
        st.builds(Confined, access, confining),
        st.builds(Exclusive, access, access),
        st.builds(Capped, access, st.integers(1, PRINCIPALS_MAX)),
    )
    return st.builds(Guardrail, names.guardrails, rules)


@once
def links(names: Names = ANY) -> SearchStrategy[Fact]:
    """Memberships, nestings, inheritances and assignments; the ends need not exist."""
    return st.one_of(
        st.builds(Membership, names.principals, names.groups),
        st.builds(Nesting, names.groups, names.groups),
        st.builds(Inheritance, names.roles, names.roles),
        st.builds(Assignment, names.principals, names.roles, validities(names)),
        st.builds(GroupAssignment, names.groups, names.roles, validities(names)),
    )


@once
def facts(names: Names = ANY) -> SearchStrategy[Fact]:
    """Facts of every type."""
    return st.one_of(
        principals(names),
        st.builds(Group, names.groups),
        st.builds(Role, names.roles),
        st.builds(KindDeclaration, names.kinds),
        resources(names),
        claims(names),
        sod_sets(names),
        guardrails(names),
        links(names),
        st.just(Administered()),
    )


@once
def deltas(names: Names = ANY) -> SearchStrategy[Delta]:
    """Facts to remove and to add, in any order; no organization need hold them."""
    some_facts = tuples_of(facts(names), size_max=5)
    return st.builds(Delta, some_facts, some_facts)
