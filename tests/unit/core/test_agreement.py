"""The two directions of an index: what one forgot is found, and so is a change that is not told."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from immutables import Map

from grantproof.core.agreement import FIELDS, disagreements, has, unfaithful
from grantproof.core.identifiers import GroupId, OrganizationId, PrincipalId
from grantproof.core.model import (
    Administered,
    Assignment,
    Delta,
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
    Validity,
)
from grantproof.core.organization import Organization, advance, with_fact, without_fact
from grantproof.core.relation import Graph, Relation
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    C2,
    CALM,
    CHIEF,
    CLERK,
    CLUB,
    DOCS,
    FILE,
    FOLDER,
    HEAD,
    PAIR,
    PLAN,
    STAFF,
    claim,
    groups,
    guardrail,
    library,
    made_of,
    pair,
    people,
    roles,
)

NOTE = type(PLAN)("docs/note")
BASE = made_of(
    *people(ANN, BOB),
    *groups(STAFF, BOARD, CLUB),
    *roles(CLERK, HEAD, CHIEF),
    *library(),
    # Neighbours: what else is listed under the same names is no disagreement.
    claim(id=C2),
    SodSet(type(PAIR)("other"), frozenset({CLERK, HEAD, CHIEF}), 3),
    replace(guardrail(on=Exactly(DOCS)), id=type(CALM)("other")),
    Membership(BOB, STAFF),
    Nesting(CLUB, BOARD),
    Inheritance(CHIEF, HEAD),
    Assignment(BOB, CLERK),
    GroupAssignment(CLUB, CLERK),
    Resource(type(PLAN)("docs/other"), FILE, parent=DOCS),
)
EVERY: list[Fact] = [
    Principal(type(ANN)("new")),
    Group(type(STAFF)("new")),
    Role(type(CLERK)("new")),
    KindDeclaration(type(FILE)("new")),
    Resource(NOTE, FILE, parent=DOCS),
    claim(),
    pair(),
    guardrail(),
    Membership(ANN, STAFF),
    Membership(BOB, BOARD),
    Nesting(STAFF, BOARD),
    Inheritance(CLERK, HEAD),
    Assignment(ANN, CLERK, Validity(1, 2)),
    GroupAssignment(STAFF, CLERK, Validity(1, 2)),
    Administered(),
]
"""One of each, none of which the base has."""

HALVES: list[tuple[Fact, str, list[tuple[str, ...]]]] = [
    (Group(type(STAFF)("new")), "groups.children", [("new",)]),
    (Group(type(STAFF)("new")), "groups.parents", [("new",)]),
    (Role(type(CLERK)("new")), "roles.children", [("new",)]),
    (Role(type(CLERK)("new")), "roles.parents", [("new",)]),
    (Resource(NOTE, FILE, parent=DOCS), "resources", [("docs/note", "file"), ("docs/note",)]),
    (Resource(NOTE, FILE, parent=DOCS), "resources_of_kind", [("docs/note", "file")]),
    (Resource(NOTE, FILE, parent=DOCS), "resources_in_parent", [("docs/note",)]),
    (claim(), "claims", [("c1",), ("c1",)]),
    (claim(), "claims_by_role", [("c1",)]),
    (claim(), "claims_by_resource", [("c1",)]),
    (pair(), "sod_sets", [("pair",), ("pair",)]),
    (pair(), "sod_sets_by_role", [("pair",), ("pair",)]),
    (guardrail(), "guardrails", [("calm",)]),
    (guardrail(), "guardrails_by_name", [("calm",)]),
    (Membership(ANN, STAFF), "memberships.forward", [("ann", "staff")]),
    (Membership(ANN, STAFF), "memberships.backward", [("ann", "staff")]),
    (Nesting(STAFF, BOARD), "groups.parents", [("staff", "board")]),
    (Nesting(STAFF, BOARD), "groups.children", [("staff", "board")]),
    (Inheritance(CLERK, HEAD), "roles.parents", [("clerk", "head")]),
    (Inheritance(CLERK, HEAD), "roles.children", [("clerk", "head")]),
    (Assignment(ANN, CLERK), "assignments.forward", [("ann", "clerk")]),
    (Assignment(ANN, CLERK), "assignments.backward", [("ann", "clerk")]),
    (GroupAssignment(STAFF, CLERK), "group_assignments.forward", [("staff", "clerk")]),
    (GroupAssignment(STAFF, CLERK), "group_assignments.backward", [("staff", "clerk")]),
]
"""What is said when one half of what keeps a fact was left as it was."""


def mixed(state: Organization, other: Organization, path: str) -> Organization:
    """The state, of which one part is the other's."""
    field, _, half = path.partition(".")
    part: object = getattr(other, field)
    if half:
        part = replace(getattr(state, field), **{half: getattr(part, half)})
    changes: dict[str, object] = {field: part}
    return replace(state, **changes)  # type: ignore[arg-type]  # any field, by its name


def found(before: Organization, after: Organization, delta: Delta) -> list[tuple[str, ...]]:
    """What does not agree."""
    return list(disagreements(before, after, delta))


@pytest.mark.parametrize("fact", EVERY, ids=lambda fact: type(fact).__name__)
def test_what_is_kept_rightly_agrees_and_is_told_by_its_delta(fact: Fact) -> None:
    """Each fact, added and removed: both directions agree, and nothing else was changed."""
    added, removed = Delta((), (fact,)), Delta((fact,), ())
    there = advance(BASE, added)
    gone = advance(there, removed)
    assert found(BASE, there, added) == []
    assert found(there, gone, removed) == []
    assert list(unfaithful(BASE, there, added)) == []
    assert list(unfaithful(there, gone, removed)) == []
    assert (has(BASE, fact), has(there, fact), has(gone, fact)) == (False, True, False)


@pytest.mark.parametrize(("fact", "path", "expected"), HALVES)
def test_one_direction_that_forgot_is_found(
    fact: Fact, path: str, expected: list[tuple[str, ...]]
) -> None:
    """When the fact is added, and when it is removed."""
    there = with_fact(BASE, fact)
    assert found(BASE, mixed(there, BASE, path), Delta((), (fact,))) == expected
    assert found(there, mixed(BASE, there, path), Delta((fact,), ())) == expected


REPLACED: list[tuple[Fact, Fact, str, list[tuple[str, ...]]]] = [
    (claim(), claim(role=HEAD), "claims_by_role", [("c1",), ("c1",)]),
    (claim(), claim(resource=Exactly(DOCS)), "claims_by_resource", [("c1",), ("c1",)]),
    (pair(), pair(2, CLERK, CHIEF), "sod_sets_by_role", [("pair",), ("pair",)]),
    (guardrail(), guardrail(on=Exactly(DOCS)), "guardrails_by_name", [("calm",), ("calm",)]),
    (
        Resource(NOTE, FILE, parent=DOCS),
        Resource(NOTE, FOLDER, parent=DOCS),
        "resources_of_kind",
        [("docs/note", "file"), ("docs/note", "folder")],
    ),
    (
        Resource(NOTE, FILE, parent=DOCS),
        Resource(NOTE, FILE, parent=PLAN),
        "resources_in_parent",
        [("docs/note",), ("docs/note",)],
    ),
    (
        Resource(NOTE, FILE, parent=DOCS),
        Resource(NOTE, FILE),
        "resources_in_parent",
        [("docs/note",)],
    ),
]


@pytest.mark.parametrize(("old", "new", "path", "expected"), REPLACED)
def test_an_index_that_has_what_a_fact_said_before_is_found(
    old: Fact, new: Fact, path: str, expected: list[tuple[str, ...]]
) -> None:
    """Under its old name for what it is not, and not under the new; so with a delta of either."""
    before = with_fact(BASE, old)
    after = with_fact(without_fact(before, old), new)
    for delta in (Delta((old,), (new,)), Delta((old,), ()), Delta((), (new,))):
        assert found(before, after, delta) == []
        again = {*found(before, mixed(after, before, path), delta)}
        assert again == {*expected}
    one = found(before, mixed(after, before, path), Delta((), (new,)))
    assert sorted(one) == sorted(expected)


def test_a_resource_that_its_kind_or_parent_lists_although_it_is_gone_is_found() -> None:
    """Known to neither state, it is looked for where the fact itself says."""
    fact = Resource(NOTE, FILE, parent=DOCS)
    there = with_fact(BASE, fact)
    delta = Delta((), (fact,))
    for path, expected in (
        ("resources_of_kind", [("docs/note", "file")]),
        ("resources_in_parent", [("docs/note",)]),
    ):
        assert found(BASE, mixed(BASE, there, path), delta) == expected


def test_a_kind_that_is_removed_takes_its_resources_along() -> None:
    """Those that stay without it are not listed any more: each is found."""
    kind = KindDeclaration(FILE)
    without = without_fact(BASE, kind)
    assert found(BASE, without, Delta((kind,), ())) == [
        (name, "file") for name in BASE.resources_of_kind[FILE]
    ]


@pytest.mark.parametrize(
    ("fact", "field", "expected"),
    [
        (Group(STAFF), "groups", [("staff", "board"), ("club", "staff")]),
        (Role(CLERK), "roles", [("clerk", "head"), ("chief", "clerk")]),
    ],
)
def test_an_edge_that_one_end_of_a_removed_node_keeps_is_found(
    fact: Fact, field: str, expected: list[tuple[str, ...]]
) -> None:
    """Upward and downward, where the node is gone and its edges are not."""
    linked = BASE
    for edge in (
        Nesting(STAFF, BOARD),
        Nesting(CLUB, STAFF),
        Inheritance(CLERK, HEAD),
        Inheritance(CHIEF, CLERK),
    ):
        linked = with_fact(linked, edge)
    after = without_fact(linked, fact)
    assert found(linked, after, Delta((fact,), ())) == expected
    both = replace(linked, **{field: Graph()})  # type: ignore[arg-type]  # either graph
    assert found(linked, both, Delta((fact,), ())) == []


def test_an_entry_without_partners_is_found() -> None:
    """What has no partner has no entry, on either side."""
    fact = Membership(ANN, STAFF)
    alone = made_of(*people(ANN), *groups(STAFF))
    delta = Delta((fact,), ())
    before = with_fact(alone, fact)
    hollows: list[Relation[PrincipalId, GroupId, None]] = [
        Relation(Map({ANN: Map()}), Map()),
        Relation(Map(), Map({STAFF: Map()})),
    ]
    for hollow in hollows:
        assert found(before, replace(alone, memberships=hollow), delta) == [("ann", "staff")]
    assert found(before, alone, delta) == []


def test_an_index_with_an_empty_entry_is_found() -> None:
    """What lists nothing is not kept."""
    before = made_of(*roles(CLERK), claim())
    after = without_fact(before, claim())
    hollow = replace(after, claims_by_role=Map({CLERK: Map()}))
    assert found(before, hollow, Delta((claim(),), ())) == [("c1",)]
    assert found(before, after, Delta((claim(),), ())) == []


CHANGED: Mapping[str, object] = {
    "id": OrganizationId("other"),
    "revision": 7,
    "time_zone": "Europe/Rome",
}


@pytest.mark.parametrize("field", CHANGED)
def test_a_state_that_is_not_the_next_revision_is_seen(field: str) -> None:
    """Of the same organization, in the same time zone, one later."""
    after = advance(BASE, Delta((), ()))
    changes: dict[str, object] = {field: CHANGED[field]}
    other = replace(after, **changes)  # type: ignore[arg-type]  # any field, by its name
    assert list(unfaithful(BASE, after, Delta((), ()))) == []
    assert list(unfaithful(BASE, other, Delta((), ()))) == [("revision",)]
    assert list(unfaithful(BASE, BASE, Delta((), ()))) == [("revision",)]


@pytest.mark.parametrize("fact", EVERY, ids=lambda fact: type(fact).__name__)
def test_what_the_delta_tells_and_nobody_did_is_seen(fact: Fact) -> None:
    """Added and not there; removed and still there, or not there before."""
    added, removed = Delta((), (fact,)), Delta((fact,), ())
    there = with_fact(BASE, fact)
    as_it_was, still = (advance(state, Delta((), ())) for state in (BASE, there))
    assert ("added",) in unfaithful(BASE, as_it_was, added)
    assert ("removed",) in unfaithful(there, still, removed)
    assert ("removed",) in unfaithful(BASE, as_it_was, removed)


def test_what_is_removed_and_added_again_is_there() -> None:
    """And is no fault."""
    fact = Membership(BOB, STAFF)
    delta = Delta((fact,), (fact,))
    assert list(unfaithful(BASE, advance(BASE, delta), delta)) == []


@pytest.mark.parametrize("fact", EVERY, ids=lambda fact: type(fact).__name__)
def test_what_was_done_and_the_delta_does_not_tell_is_seen(fact: Fact) -> None:
    """By every field that the fact touches."""
    after = advance(BASE, Delta((), (fact,)))
    seen = {name for (name,) in unfaithful(BASE, after, Delta((), ()))}
    changed = {name for name in FIELDS if getattr(after, name) != getattr(BASE, name)}
    assert seen == changed


def test_an_entity_too_many_is_seen_among_those_that_the_delta_tells() -> None:
    """They are counted, as their field may differ anyhow."""
    two = Delta((), people(type(ANN)("new"), type(ANN)("newer")))
    told = Delta((), two.added[:1])
    assert list(unfaithful(BASE, advance(BASE, two), told)) == [("principals",)]


def test_an_equal_field_is_the_same_though_it_is_another_object() -> None:
    """It is compared where it is not shared."""
    after = replace(advance(BASE, Delta((), ())), claims=Map(dict(BASE.claims)))
    assert after.claims is not BASE.claims
    assert list(unfaithful(BASE, after, Delta((), ()))) == []


@pytest.mark.parametrize(
    "fact",
    [
        Principal(ANN, active=False),
        Resource(PLAN, FILE),
        claim(id=C2, role=HEAD),
        SodSet(type(PAIR)("other"), frozenset({CLERK, HEAD, CHIEF}), 2),
        replace(guardrail(), id=type(CALM)("other")),
        Assignment(BOB, CLERK, Validity(1, 2)),
        GroupAssignment(CLUB, CLERK, Validity(1, 2)),
    ],
    ids=lambda fact: type(fact).__name__,
)
def test_a_fact_that_says_something_else_of_the_same_name_is_not_there(fact: Fact) -> None:
    """A fact is all that it says."""
    assert not has(BASE, fact)
