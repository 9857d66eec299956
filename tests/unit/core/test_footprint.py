"""What a change may have broken is found where its facts lie: each way to break something."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from immutables import Map

from grantproof.core import limits
from grantproof.core.constraints import TimeWindow
from grantproof.core.footprint import broken
from grantproof.core.guardrails import HolderOf, MemberOf
from grantproof.core.invariants import Violation, valid
from grantproof.core.model import (
    Administered,
    Any,
    Assignment,
    Claim,
    Delta,
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
from grantproof.core.organization import Organization, advance, with_fact, without_fact
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    C2,
    CHIEF,
    CLERK,
    CLUB,
    DOCS,
    FILE,
    FOLDER,
    HEAD,
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
    run_by,
)

ROLE, GROUP, KIND, WHO = type(CLERK), type(STAFF), type(FILE), type(ANN)
NO_ROLE, NO_GROUP, NO_KIND, NOBODY = ROLE("ghost"), GROUP("ghost"), KIND("ghost"), WHO("ghost")
NOWHERE, NOTE = type(PLAN)("ghost"), type(PLAN)("docs/note")
BASE = made_of(
    *people(ANN, BOB), *groups(STAFF, BOARD, CLUB), *roles(CLERK, HEAD, CHIEF), *library()
)


def changed(
    state: Organization, added: Sequence[Fact] = (), removed: Sequence[Fact] = ()
) -> list[tuple[str, tuple[str, ...]]]:
    """What a delta breaks that is done as it says."""
    delta = Delta(tuple(removed), tuple(added))
    found = broken(state, advance(state, delta), delta)
    return [(one.invariant, one.ids) for one in found]


def told(fact: Fact) -> tuple[Violation, ...]:
    """What the adding of a fact breaks that no state could hold."""
    return broken(BASE, BASE, Delta((), (fact,)))


def refers(*ids: str) -> tuple[Violation, ...]:
    """A reference that leads nowhere."""
    return (Violation("refers", ids),)


SOUND: list[Fact] = [
    Principal(WHO("new")),
    Group(GROUP("new")),
    Role(ROLE("new")),
    KindDeclaration(KIND("new")),
    Resource(NOTE, FILE),
    Resource(NOTE, FILE, parent=DOCS),
    claim(TimeWindow(9, 17)),
    claim(resource=Within(DOCS)),
    claim(resource=OfKind(FILE)),
    claim(resource=OfKind("role")),
    claim(resource=Exactly(type(PLAN)("role:head"))),
    claim(resource=Any()),
    pair(),
    guardrail(),
    guardrail(HolderOf(HEAD), MemberOf(STAFF), on=OfKind(FILE)),
    guardrail(on=OfKind("role")),
    Membership(ANN, STAFF),
    Nesting(STAFF, BOARD),
    Inheritance(CLERK, HEAD),
    Assignment(ANN, CLERK, Validity(1, 2)),
    GroupAssignment(STAFF, CLERK, Validity(1, 2)),
]


@pytest.mark.parametrize("fact", SOUND, ids=lambda fact: type(fact).__name__)
def test_what_is_sound_breaks_nothing(fact: Fact) -> None:
    """Added and removed, each fact by itself."""
    assert changed(BASE, [fact]) == []
    assert changed(with_fact(BASE, fact), removed=[fact]) == []


@pytest.mark.parametrize(
    ("fact", "ids"),
    [
        (Resource(NOTE, NO_KIND), ("docs/note",)),
        (Resource(NOTE, FILE, parent=NOWHERE), ("docs/note",)),
        (claim(role=NO_ROLE), ("c1",)),
        (claim(resource=Exactly(NOWHERE)), ("c1",)),
        (claim(resource=Within(NOWHERE)), ("c1",)),
        (claim(resource=OfKind("ghost")), ("c1",)),
        (pair(2, CLERK, NO_ROLE), ("pair",)),
        (guardrail(on=Within(NOWHERE)), ("calm",)),
        (guardrail(on=OfKind("ghost")), ("calm",)),
        (guardrail(HolderOf(NO_ROLE)), ("calm",)),
        (guardrail(MemberOf(NO_GROUP)), ("calm",)),
        (Membership(NOBODY, STAFF), ("ghost", "staff")),
        (Membership(ANN, NO_GROUP), ("ann", "ghost")),
        (Nesting(NO_GROUP, BOARD), ("ghost", "board")),
        (Nesting(STAFF, NO_GROUP), ("staff", "ghost")),
        (Inheritance(NO_ROLE, HEAD), ("ghost", "head")),
        (Inheritance(CLERK, NO_ROLE), ("clerk", "ghost")),
        (Assignment(NOBODY, CLERK), ("ghost", "clerk")),
        (Assignment(ANN, NO_ROLE), ("ann", "ghost")),
        (GroupAssignment(NO_GROUP, CLERK), ("ghost", "clerk")),
        (GroupAssignment(STAFF, NO_ROLE), ("staff", "ghost")),
    ],
)
def test_an_end_that_is_not_there_is_found(fact: Fact, ids: tuple[str, ...]) -> None:
    """One end is enough, and the fact is named by both."""
    assert told(fact) == refers(*ids)


LEFT: list[tuple[Fact, Sequence[Fact], tuple[str, ...]]] = [
    (Principal(ANN), [Membership(ANN, STAFF)], ("ann", "staff")),
    (Principal(ANN), [Assignment(ANN, CLERK)], ("ann", "clerk")),
    (Group(STAFF), [Membership(ANN, STAFF)], ("ann", "staff")),
    (Group(STAFF), [GroupAssignment(STAFF, CLERK)], ("staff", "clerk")),
    (Group(STAFF), [Nesting(CLUB, STAFF)], ("club", "staff")),
    (Group(STAFF), [claim(resource=Exactly(type(PLAN)("group:staff")))], ("c1",)),
    (Role(HEAD), [Assignment(ANN, HEAD)], ("ann", "head")),
    (Role(HEAD), [GroupAssignment(STAFF, HEAD)], ("staff", "head")),
    (Role(HEAD), [claim(role=HEAD)], ("c1",)),
    (Role(HEAD), [pair()], ("pair", "head")),
    (Role(HEAD), [Inheritance(CLERK, HEAD)], ("clerk", "head")),
    (Role(HEAD), [claim(resource=Within(type(PLAN)("role:head")))], ("c1",)),
    (Group(STAFF), [guardrail(MemberOf(STAFF))], ("calm",)),
    (Role(HEAD), [guardrail(HolderOf(HEAD))], ("calm",)),
    (KindDeclaration(FILE), [claim(resource=OfKind(FILE))], ("c1",)),
    (KindDeclaration(FILE), [guardrail(on=OfKind(FILE))], ("calm",)),
    (Resource(PLAN, FILE, parent=DOCS), [guardrail(on=Within(PLAN))], ("calm",)),
    (pair(), [guardrail(on=Exactly(type(PLAN)("sod-set:pair")))], ("calm",)),
    (Resource(PLAN, FILE, parent=DOCS), [claim()], ("c1",)),
    (pair(), [claim(resource=Exactly(type(PLAN)("sod-set:pair")))], ("c1",)),
]


@pytest.mark.parametrize(("gone", "others", "ids"), LEFT)
def test_what_still_refers_to_what_is_gone_is_found(
    gone: Fact, others: Sequence[Fact], ids: tuple[str, ...]
) -> None:
    """Whatever refers to it stays behind; nothing, where the same name is there again."""
    state = BASE if not isinstance(gone, SodSet) else with_fact(BASE, gone)
    for fact in others:
        state = with_fact(state, fact)
    alone = () if not isinstance(gone, KindDeclaration) else tuple(inside(state))
    found = changed(state, removed=[gone])
    assert ("refers", ids) in found
    assert {name for name, _ in found} == {"refers"}
    assert len(found) == len(others) + len(alone)
    delta = Delta((gone,), ())
    assert "refers" not in {one.invariant for one in broken(state, state, delta)}


def inside(state: Organization) -> list[str]:
    """The files of the organization."""
    return list(state.resources_of_kind[FILE])


def test_resources_of_a_kind_that_is_gone_are_found() -> None:
    """Not those that went with it, nor those that are of another kind now."""
    kind = KindDeclaration(FILE)
    plan = Resource(PLAN, FILE, parent=DOCS)
    bare = without_fact(BASE, kind)
    assert broken(BASE, bare, Delta((kind,), ())) == refers("docs/plan", "file")
    assert changed(BASE, removed=[plan, kind]) == []
    moved = Resource(PLAN, FOLDER, parent=DOCS)
    assert changed(BASE, [moved], [plan, kind]) == []


def test_resources_in_one_that_is_gone_are_found() -> None:
    """Not those that went with it, nor those that lie elsewhere now."""
    docs, plan = Resource(DOCS, FOLDER), Resource(PLAN, FILE, parent=DOCS)
    assert changed(BASE, removed=[docs]) == [("refers", ("docs/plan", "docs"))]
    assert changed(BASE, removed=[plan, docs]) == []
    assert changed(BASE, [Resource(PLAN, FILE)], [plan, docs]) == []


def test_an_edge_that_went_with_its_end_is_not_left_behind() -> None:
    """A role and a group may go when their links have gone."""
    state = with_fact(with_fact(BASE, Nesting(CLUB, STAFF)), Inheritance(CLERK, HEAD))
    assert changed(state, removed=[Inheritance(CLERK, HEAD), Role(HEAD)]) == []
    assert changed(state, removed=[Nesting(CLUB, STAFF), Group(STAFF)]) == []


@pytest.mark.parametrize(
    ("there", "closing", "ids"),
    [
        (Inheritance(CLERK, HEAD), Inheritance(HEAD, CLERK), ("head", "clerk")),
        (Nesting(STAFF, BOARD), Nesting(BOARD, STAFF), ("board", "staff")),
    ],
)
def test_a_link_that_closes_a_circle_is_found(
    there: Fact, closing: Fact, ids: tuple[str, ...]
) -> None:
    """Over another link, whatever it is that closes it."""
    assert changed(with_fact(BASE, there), [closing]) == [("acyclic", ids)]


def test_a_link_to_itself_is_a_circle() -> None:
    """Of roles, groups and resources."""
    assert changed(BASE, [Inheritance(CLERK, CLERK)]) == [("acyclic", ("clerk", "clerk"))]
    assert changed(BASE, [Nesting(STAFF, STAFF)]) == [("acyclic", ("staff", "staff"))]
    note = Resource(NOTE, FILE, parent=NOTE)
    assert changed(BASE, [note]) == [("acyclic", ("docs/note", "docs/note"))]


def test_resources_in_each_other_are_found() -> None:
    """Where one is moved into what lies in it; a circle elsewhere is no affair of the change."""
    old, new = Resource(DOCS, FOLDER), Resource(DOCS, FOLDER, parent=PLAN)
    assert changed(BASE, [new], [old]) == [("acyclic", ("docs", "docs/plan"))]
    circle = advance(BASE, Delta((old,), (new,)))
    inner = Resource(NOTE, FILE, parent=PLAN)
    assert ("acyclic", ("docs/note", "docs/plan")) not in changed(circle, [inner])


def forced(fact: Fact) -> Fact:
    """A fact of which a part is changed behind its constructor's back."""
    match fact:
        case Claim(constraints=constraints):
            object.__setattr__(constraints[-1], "start", 30)
        case Assignment(validity=validity) | GroupAssignment(validity=validity):
            object.__setattr__(validity, "start", 9)
        case SodSet():
            object.__setattr__(fact, "n", 1)
        case _:
            raise TypeError(fact)
    return fact


@pytest.mark.parametrize(
    ("fact", "ids"),
    [
        (forced(claim(TimeWindow(9, 17), TimeWindow(9, 18))), ("c1",)),
        (forced(Assignment(ANN, CLERK, Validity(1, 2))), ("ann", "clerk")),
        (forced(GroupAssignment(STAFF, CLERK, Validity(1, 2))), ("staff", "clerk")),
        (forced(pair()), ("pair",)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_no_constructor_makes_is_found(fact: Fact, ids: tuple[str, ...]) -> None:
    """One ill-formed part is enough."""
    assert changed(BASE, [fact]) == [("well-formed", ids)]


def test_the_commonest_validity_is_not_tried_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is one value, made when this package is loaded; what equals it is tried as any other."""
    tried: list[object] = []

    def legal(value: object) -> bool:
        tried.append(value)
        return True

    monkeypatch.setattr("grantproof.core.footprint.legal", legal)
    assert changed(BASE, [Assignment(ANN, CLERK), GroupAssignment(STAFF, CLERK)]) == []
    assert tried == []
    assert changed(BASE, [Assignment(ANN, CLERK, Validity())]) == []
    assert tried == [Validity()]


def test_references_are_looked_at_before_the_rest() -> None:
    """What follows links is only asked where they lead somewhere."""
    both = [*people(WHO("new")), Assignment(ANN, CLERK), Assignment(ANN, NO_ROLE)]
    assert changed(with_fact(BASE, pair()), both) == [("refers", ("ann", "ghost"))]


def test_indexes_and_then_duty_and_administrators_are_looked_at() -> None:
    """Each by its name, in the stage that is its own."""
    lost = replace(with_fact(BASE, claim()), claims_by_role=Map())
    found = broken(BASE, lost, Delta((), (claim(),)))
    assert [one.invariant for one in found] == ["indexes-agree"]
    held = with_fact(with_fact(BASE, pair()), Assignment(ANN, CLERK))
    assert changed(held, [Assignment(ANN, HEAD)]) == [("static-duty-holds", ("pair", "ann"))]
    ruled = made_of(*run_by(ANN))
    gone = Assignment(ANN, CHIEF)
    assert changed(ruled, removed=[gone]) == [("last-administrator-kept", ("acme",))]
    assert changed(BASE, [Administered()]) == [("last-administrator-kept", ("acme",))]


TOTALS: list[tuple[str, str, Fact]] = [
    ("PRINCIPALS_MAX", "principals", Principal(WHO("new"))),
    ("GROUPS_MAX", "groups", Group(GROUP("new"))),
    ("ROLES_MAX", "roles", Role(ROLE("new"))),
    ("KINDS_MAX", "kinds", KindDeclaration(KIND("new"))),
    ("RESOURCES_MAX", "resources", Resource(NOTE, FILE)),
    ("CLAIMS_MAX", "claims", claim()),
    ("SOD_SETS_MAX", "separation-of-duty sets", pair()),
    ("GUARDRAILS_MAX", "guardrails", guardrail()),
]
COUNTS = {"principals": 2, "groups": 3, "roles": 3, "kinds": 2, "resources": 2}
"""How many the base has."""


@pytest.mark.parametrize(("limit", "name", "fact"), TOTALS)
def test_one_more_than_an_organization_may_have_is_found(
    monkeypatch: pytest.MonkeyPatch, limit: str, name: str, fact: Fact
) -> None:
    """At the limit is not beyond it; every total is asked after every change."""
    count = COUNTS.get(name, 0) + 1
    monkeypatch.setattr(limits, limit, count)
    assert changed(BASE, [fact]) == []
    monkeypatch.setattr(limits, limit, count - 1)
    assert changed(BASE, [fact]) == [("within-limits", (name,))]


FULL = made_of(
    *people(ANN, BOB),
    *groups(STAFF, BOARD, CLUB, GROUP("all")),
    *roles(CLERK, HEAD, CHIEF, ROLE("all")),
    *library(),
    claim(id=C2),
    Membership(ANN, BOARD),
    Assignment(ANN, HEAD),
    GroupAssignment(STAFF, HEAD),
)
ABOVE = (Inheritance(CHIEF, ROLE("all")), Nesting(BOARD, GROUP("all")))
BELOW = (Inheritance(CLERK, HEAD), Nesting(CLUB, STAFF))
DEEP = made_of(
    *groups(STAFF, BOARD, CLUB, GROUP("all")),
    *roles(CLERK, HEAD, CHIEF, ROLE("all")),
    *ABOVE,
    *BELOW,
)
HELD: list[tuple[str, int, Organization, Fact, tuple[str, ...]]] = [
    ("CLAIMS_PER_ROLE_MAX", 2, FULL, claim(), ("c1",)),
    ("GROUPS_PER_PRINCIPAL_MAX", 2, FULL, Membership(ANN, STAFF), ("ann", "staff")),
    ("ROLES_PER_HOLDER_MAX", 2, FULL, Assignment(ANN, CLERK), ("ann", "clerk")),
    ("ROLES_PER_HOLDER_MAX", 2, FULL, GroupAssignment(STAFF, CLERK), ("staff", "clerk")),
    ("PARENTS_PER_ROLE_MAX", 2, DEEP, Inheritance(CHIEF, HEAD), ("chief", "head")),
    ("CONTAINERS_PER_GROUP_MAX", 2, DEEP, Nesting(BOARD, CLUB), ("board", "club")),
    ("ROLE_DEPTH_MAX", 3, DEEP, Inheritance(HEAD, CHIEF), ("head", "chief")),
    ("GROUP_DEPTH_MAX", 3, DEEP, Nesting(STAFF, BOARD), ("staff", "board")),
    ("RESOURCE_DEPTH_MAX", 2, FULL, Resource(NOTE, FILE, parent=PLAN), ("docs/note",)),
]


@pytest.mark.parametrize(("limit", "count", "state", "fact", "ids"), HELD)
def test_one_more_than_one_may_have_is_found(
    monkeypatch: pytest.MonkeyPatch,
    *,
    limit: str,
    count: int,
    state: Organization,
    fact: Fact,
    ids: tuple[str, ...],
) -> None:
    """At the limit is not beyond it; a chain is counted in both directions of the new link."""
    monkeypatch.setattr(limits, limit, count)
    assert changed(state, [fact]) == []
    monkeypatch.setattr(limits, limit, count - 1)
    assert changed(state, [fact]) == [("within-limits", ids)]


def test_a_resource_that_moves_takes_along_what_lies_in_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its depth and its height count together; one that stays where it is counts nothing."""
    top = Resource(type(PLAN)("top"), FOLDER)
    old, new = Resource(DOCS, FOLDER), Resource(DOCS, FOLDER, parent=top.id)
    state = with_fact(BASE, top)
    monkeypatch.setattr(limits, "RESOURCE_DEPTH_MAX", 2)
    assert changed(state, [new], [old]) == []
    monkeypatch.setattr(limits, "RESOURCE_DEPTH_MAX", 1)
    assert changed(state, [new], [old]) == [("within-limits", ("docs",))]
    monkeypatch.setattr(limits, "RESOURCE_DEPTH_MAX", 0)
    plan = Resource(PLAN, FILE, parent=DOCS)
    assert changed(state, [plan], [plan]) == []
    assert changed(state, [replace(plan, kind=FOLDER)], [plan]) == []


PATTERNS: list[ResourcePattern] = [Exactly(PLAN), Within(DOCS), OfKind(FILE), Any()]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: type(pattern).__name__)
def test_the_whole_says_the_same_of_a_sound_change(pattern: ResourcePattern) -> None:
    """The organization that nothing was found about is valid."""
    delta = Delta((), (claim(resource=pattern),))
    assert broken(BASE, advance(BASE, delta), delta) == ()
    assert valid(advance(BASE, delta)) == ()
