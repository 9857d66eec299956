"""The aggregate: facts in, facts out, indexes that follow, and implicit resources."""

from dataclasses import fields

import pytest

from grantproof.core.errors import Illegal
from grantproof.core.identifiers import ResourceId, SodSetId
from grantproof.core.model import (
    ALWAYS,
    Administered,
    Any,
    Assignment,
    Delta,
    Exactly,
    Fact,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    OfKind,
    Principal,
    Validity,
    Within,
)
from grantproof.core.organization import (
    Organization,
    advance,
    changed,
    facts,
    implicit_kind,
    with_fact,
    without_fact,
)
from tests.organizations import (
    ACME,
    ANN,
    BOARD,
    C1,
    C2,
    CLERK,
    DOCS,
    FILE,
    FOLDER,
    HEAD,
    PAIR,
    PLAN,
    STAFF,
    claim,
    groups,
    library,
    made_of,
    pair,
    people,
    roles,
)

EVERYTHING: tuple[Fact, ...] = (
    *people(ANN),
    *groups(STAFF, BOARD),
    *roles(CLERK, HEAD),
    *library(),
    claim(),
    claim(id=C2, resource=Within(DOCS)),
    pair(),
    Membership(ANN, STAFF),
    Nesting(STAFF, BOARD),
    Inheritance(HEAD, CLERK),
    Assignment(ANN, CLERK, Validity(1, 2)),
    GroupAssignment(BOARD, CLERK),
    Administered(),
)


def test_an_organization_is_its_facts() -> None:
    """What goes in comes out, and builds the same organization again."""
    state = made_of(*EVERYTHING)
    assert set(facts(state)) == set(EVERYTHING)
    assert made_of(*facts(state)) == state


def test_facts_come_in_an_order_in_which_they_can_be_added() -> None:
    """Adding them one by one, as they come, to an empty organization gives the same."""
    state = made_of(*EVERYTHING)
    rebuilt = Organization(ACME)
    for fact in facts(state):
        rebuilt = with_fact(rebuilt, fact)
    assert rebuilt == state


@pytest.mark.parametrize(
    "fact",
    # All but the kinds and the folder that the file needs.
    [fact for fact in EVERYTHING if fact not in library()[:-1]],
    ids=lambda fact: type(fact).__name__,
)
def test_adding_and_removing_a_fact_leaves_no_trace(fact: Fact) -> None:
    """Every index forgets what it learned: `without_fact` undoes `with_fact`."""
    nodes = made_of(*people(ANN), *groups(STAFF, BOARD), *roles(CLERK, HEAD), *library())
    state = without_fact(nodes, fact) if fact in set(facts(nodes)) else nodes
    assert without_fact(with_fact(state, fact), fact) == state


def test_emptying_an_organization_fact_by_fact_leaves_nothing() -> None:
    """Removed in reverse order, all facts leave an organization that never had any."""
    state = made_of(*EVERYTHING)
    for fact in reversed(list(facts(state))):
        state = without_fact(state, fact)
    assert state == Organization(ACME)


def test_indexes_point_back() -> None:
    """Claims are found by role and by resource, resources by kind and parent, sets by role."""
    state = made_of(*EVERYTHING)
    assert set(state.claims_by_role[CLERK]) == {C1, C2}
    assert set(state.claims_by_resource[Within(DOCS)]) == {C2}
    assert set(state.claims_by_resource[Exactly(PLAN)]) == {C1}
    assert (set(state.resources_of_kind[FILE]), set(state.resources_of_kind[FOLDER])) == (
        {PLAN},
        {DOCS},
    )
    assert dict(state.resources_in_parent) == {DOCS: state.resources_of_kind[FILE]}
    assert {role: set(sets) for role, sets in state.sod_sets_by_role.items()} == {
        CLERK: {PAIR},
        HEAD: {PAIR},
    }


def test_claims_are_kept_apart_by_the_form_of_their_pattern() -> None:
    """`docs`, `docs/**`, `kind:docs` and `*` are four keys although three hold the same text."""
    patterns = (Exactly(DOCS), Within(DOCS), OfKind("docs"), Any())
    assert len(set(patterns)) == 4


def test_advance_is_changed_at_the_next_revision() -> None:
    """The facts change, the revision grows by one, the old organization stays."""
    before = made_of(*people(ANN), revision=6)
    delta = Delta(removed=(Principal(ANN),), added=(Principal(ANN, active=False),))
    after = advance(before, delta)
    assert (after.revision, changed(before, delta).revision, before.revision) == (7, 6, 6)
    assert (after.principals[ANN].active, before.principals[ANN].active) == (False, True)


def test_a_declared_kind_stays_when_its_last_resource_goes() -> None:
    """The declaration is a fact of its own."""
    state = made_of(*library())
    state = without_fact(state, library()[-1])
    assert (FILE in state.resources_of_kind, DOCS in state.resources_in_parent) == (True, False)


def test_every_entity_has_an_implicit_resource() -> None:
    """Roles, groups, sets and the organization itself are resources of their own kind."""
    state = made_of(*EVERYTHING)
    found = {resource: implicit_kind(state, resource) for resource in state.implicit_resources()}
    assert found == {
        "organization:acme": "organization",
        "role:clerk": "role",
        "role:head": "role",
        "group:staff": "group",
        "group:board": "group",
        "sod-set:pair": "sod-set",
    }


@pytest.mark.parametrize(
    "text",
    ["role:none", "group:clerk", "sod-set:clerk", "organization:other", "role", "role:", "docs"],
)
def test_what_does_not_exist_has_no_implicit_resource(text: str) -> None:
    """Neither a stranger, nor an entity under the wrong kind, nor a bare kind."""
    assert implicit_kind(made_of(*EVERYTHING), text) is None


def test_an_implicit_resource_may_hold_further_colons() -> None:
    """Only the first colon divides the kind from the id."""
    nested = SodSetId("a:b")
    state = made_of(*roles(CLERK, HEAD))
    state = with_fact(state, type(pair())(nested, pair().roles, 2))
    assert implicit_kind(state, ResourceId("sod-set:a:b")) == "sod-set"


@pytest.mark.parametrize(("revision", "zone"), [(-1, "UTC"), (0, ""), (0, "x" * 65)])
def test_an_illegal_organization_cannot_be_constructed(revision: int, zone: str) -> None:
    """Its revision is not negative, its time zone has 1 to 64 characters."""
    with pytest.raises(Illegal):
        Organization(ACME, revision, zone)


def test_a_time_zone_has_up_to_64_characters() -> None:
    """1, 63 and 64 are legal."""
    assert [len(Organization(ACME, 0, "x" * n).time_zone) for n in (1, 63, 64)] == [1, 63, 64]


def test_an_organization_is_empty_until_told_otherwise() -> None:
    """A new one has no facts, is at revision 0 in UTC, and shares nothing mutable."""
    state = Organization(ACME)
    assert (list(facts(state)), state.revision, state.time_zone) == ([], 0, "UTC")
    assert all(hash(getattr(state, field.name)) is not None for field in fields(state))
    assert Validity() == ALWAYS
