"""`valid` sees every violation: each invariant is broken here, and named with its culprit."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from immutables import Map

from grantproof.core import limits
from grantproof.core.constraints import (
    Constraint,
    GeoFence,
    GeoRadius,
    MaxUsage,
    RateLimit,
    TimeWindow,
)
from grantproof.core.geodesy import Position
from grantproof.core.guardrails import HolderOf
from grantproof.core.invariants import MEANING, STRUCTURE, Violation, valid
from grantproof.core.model import (
    Any,
    Assignment,
    Claim,
    Exactly,
    Fact,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    OfKind,
    Resource,
    ResourcePattern,
    SodSet,
    Validity,
    Within,
)
from grantproof.core.organization import Organization
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    C1,
    CLERK,
    DOCS,
    EU,
    FILE,
    FOLDER,
    HEAD,
    PLAN,
    READ,
    STAFF,
    claim,
    dynamic,
    groups,
    guardrail,
    library,
    made_of,
    pair,
    people,
    roles,
    run_by,
)

GHOST = type(CLERK)("ghost")
NO_GROUP = type(STAFF)("ghost")
NOWHERE = type(PLAN)("ghost")
BASE = (*people(ANN, BOB), *groups(STAFF, BOARD), *roles(CLERK, HEAD), *library())
SOUND = made_of(
    *BASE,
    claim(TimeWindow(9, 17)),
    pair(),
    guardrail(on=Any()),
    Membership(ANN, STAFF),
    Nesting(STAFF, BOARD),
    Inheritance(HEAD, type(CLERK)("base")),
    *roles(type(CLERK)("base")),
    Assignment(ANN, CLERK),
    GroupAssignment(BOARD, CLERK, Validity(5, 6)),
)


def linked(state: Organization, child: str, parent: str) -> Organization:
    """A role with a parent that need not exist, which no graph operation makes."""
    parents = state.roles.parents.set(type(CLERK)(child), Map({type(CLERK)(parent): None}))
    return replace(state, roles=replace(state.roles, parents=parents))


def nested(state: Organization, group: str, container: str) -> Organization:
    """A group in a container that need not exist."""
    parents = state.groups.parents.set(type(STAFF)(group), Map({type(STAFF)(container): None}))
    return replace(state, groups=replace(state.groups, parents=parents))


def forced(constraint: Constraint, **values: object) -> Constraint:
    """A constraint changed behind its constructor's back."""
    for name, value in values.items():
        object.__setattr__(constraint, name, value)
    return constraint


def off_the_map() -> Position:
    """A position changed behind its constructor's back."""
    position = Position(0, 0)
    object.__setattr__(position, "latitude", 90_000_001)
    return position


def beyond(validity: Validity, start: int, end: int) -> Validity:
    """A validity changed behind its constructor's back."""
    object.__setattr__(validity, "start", start)
    object.__setattr__(validity, "end", end)
    return validity


def lopsided(sod_set: SodSet, n: int) -> SodSet:
    """A set changed behind its constructor's back."""
    object.__setattr__(sod_set, "n", n)
    return sod_set


def on(*facts: Fact) -> Organization:
    """The base with more facts."""
    return made_of(*BASE, *facts)


CULPRITS: list[tuple[str, tuple[str, ...], Callable[[], Organization]]] = [
    ("assignment-refers", ("ghost", "clerk"), lambda: on(Assignment(type(ANN)("ghost"), CLERK))),
    ("assignment-refers", ("ann", "ghost"), lambda: on(Assignment(ANN, GHOST))),
    ("assignment-refers", ("ghost", "clerk"), lambda: on(GroupAssignment(NO_GROUP, CLERK))),
    ("assignment-refers", ("staff", "ghost"), lambda: on(GroupAssignment(STAFF, GHOST))),
    ("membership-refers", ("ann", "ghost"), lambda: on(Membership(ANN, NO_GROUP))),
    ("membership-refers", ("ghost", "staff"), lambda: on(Membership(type(ANN)("ghost"), STAFF))),
    ("membership-refers", ("staff", "ghost"), lambda: nested(on(), "staff", "ghost")),
    ("parent-refers", ("head", "ghost"), lambda: linked(on(), "head", "ghost")),
    ("claim-refers", ("c1",), lambda: on(claim(role=GHOST))),
    ("claim-refers", ("c1",), lambda: on(claim(resource=Exactly(NOWHERE)))),
    ("claim-refers", ("c1",), lambda: on(claim(resource=Within(NOWHERE)))),
    ("claim-refers", ("c1",), lambda: on(claim(resource=OfKind("ghost")))),
    ("claim-refers", ("c1",), lambda: on(claim(resource=Exactly(type(PLAN)("role:ghost"))))),
    (
        "resource-parent-refers",
        ("x", "ghost"),
        lambda: on(Resource(type(PLAN)("x"), FILE, parent=NOWHERE)),
    ),
    ("set-refers", ("pair", "ghost"), lambda: on(pair(2, CLERK, GHOST))),
    ("guardrail-refers", ("calm",), lambda: on(guardrail(HolderOf(GHOST)))),
    ("guardrail-refers", ("calm",), lambda: on(guardrail(on=OfKind("ghost")))),
    (
        "validity-well-formed",
        ("ann", "clerk"),
        lambda: on(Assignment(ANN, CLERK, beyond(Validity(1, 2), 2, 2))),
    ),
    (
        "validity-well-formed",
        ("staff", "clerk"),
        lambda: on(GroupAssignment(STAFF, CLERK, beyond(Validity(1, 2), -1, 2))),
    ),
    ("set-well-formed", ("pair",), lambda: on(lopsided(pair(), 1))),
    ("set-well-formed", ("pair",), lambda: on(lopsided(pair(), 3))),
    (
        "static-duty-holds",
        ("pair", "ann"),
        lambda: on(pair(), Assignment(ANN, CLERK), Assignment(ANN, HEAD)),
    ),
    (
        "static-duty-holds",
        ("pair", "ann"),
        lambda: on(
            pair(), Assignment(ANN, CLERK, Validity(9)), Assignment(ANN, HEAD, Validity(3, 10))
        ),
    ),
    (
        "last-administrator-kept",
        ("acme",),
        lambda: made_of(*(fact for fact in run_by() if not isinstance(fact, Assignment))),
    ),
]


def test_a_sound_organization_has_no_violations() -> None:
    """With something of everything in it."""
    assert valid(SOUND) == ()
    assert valid(made_of()) == ()
    assert valid(made_of(*run_by())) == ()


@pytest.mark.parametrize(
    ("invariant", "ids", "build"), CULPRITS, ids=[f"{row[0]}-{n}" for n, row in enumerate(CULPRITS)]
)
def test_a_violation_is_named_with_its_culprit(
    invariant: str, ids: tuple[str, ...], build: Callable[[], Organization]
) -> None:
    """The invariant's name and the ids of what breaks it."""
    assert Violation(invariant, ids) in valid(build())


@pytest.mark.parametrize(
    "constraint",
    [
        forced(TimeWindow(9, 17), start=17),
        forced(TimeWindow(9, 17), end=25),
        forced(TimeWindow(9, 17), weekdays=frozenset({7})),
        forced(TimeWindow(9, 17), weekdays=frozenset()),
        forced(GeoFence(frozenset({EU})), regions=frozenset()),
        forced(GeoRadius(Position(0, 0), 1), metres=0),
        GeoRadius(off_the_map(), 1),
        forced(MaxUsage(1), limit=0),
        forced(RateLimit(1), per_minute=0),
    ],
    ids=lambda constraint: type(constraint).__name__,
)
def test_an_illegal_constraint_is_found_however_it_came_to_be(constraint: Constraint) -> None:
    """What no constructor makes, a database might still hold."""
    legal = TimeWindow(0, 1)
    found = valid(on(claim(legal, constraint)))
    assert found == (Violation("constraint-well-formed", ("c1",)),)
    assert valid(on(claim(legal))) == ()


def test_cycles_of_roles_are_found() -> None:
    """Everybody on the cycle or below it is named, nobody above or beside."""
    below = type(CLERK)("below")
    cycle = [Inheritance(CLERK, HEAD), Inheritance(HEAD, CLERK), Inheritance(below, CLERK)]
    found = valid(on(*roles(below, GHOST), Inheritance(CLERK, GHOST), *cycle))
    assert set(found) == {
        Violation("roles-acyclic", (name,)) for name in ("clerk", "head", "below")
    }


def test_cycles_of_groups_and_of_resources_are_found() -> None:
    """A group in itself, and two resources in each other."""
    groups_found = valid(on(Nesting(STAFF, STAFF)))
    x, y = type(PLAN)("x"), type(PLAN)("y")
    resources_found = valid(on(Resource(x, FILE, parent=y), Resource(y, FILE, parent=x)))
    assert groups_found == (Violation("groups-acyclic", ("staff",)),)
    assert set(resources_found) == {Violation("resources-acyclic", (name,)) for name in "xy"}


def test_a_resource_of_an_undeclared_kind_is_found() -> None:
    """Its kind must be declared, not merely used."""
    state = replace(SOUND, resources_of_kind=SOUND.resources_of_kind.delete(FOLDER))
    assert Violation("resource-parent-refers", (DOCS, FOLDER)) in valid(state)


def test_a_one_sided_assignment_is_found() -> None:
    """Both directions of a relation must hold the same pairs."""
    held = replace(SOUND.assignments, backward=Map())
    by_group = replace(SOUND.group_assignments, backward=Map())
    for state, ids in (
        (replace(SOUND, assignments=held), ("ann", "clerk")),
        (replace(SOUND, group_assignments=by_group), ("board", "clerk")),
    ):
        assert Violation("at-most-one-assignment", ids) in valid(state)


@pytest.mark.parametrize(
    "field",
    ["claims_by_role", "claims_by_resource", "sod_sets_by_role", "resources_in_parent"],
)
def test_an_index_that_forgot_is_found(field: str) -> None:
    """An organization must be what its own facts make."""
    changes: dict[str, Map[str, object]] = {field: Map()}
    state = replace(SOUND, **changes)  # type: ignore[arg-type]  # any index, emptied
    assert Violation("indexes-agree", ("acme",)) in valid(state)


def test_a_dynamic_set_may_be_held() -> None:
    """Only static sets bind what is held."""
    held = (Assignment(ANN, CLERK), Assignment(ANN, HEAD))
    assert valid(on(dynamic(pair()), *held)) == ()


def test_structure_is_asked_before_meaning() -> None:
    """While a reference dangles, depths and duties are not asked about."""
    state = on(Assignment(ANN, GHOST), pair(), Assignment(BOB, CLERK), Assignment(BOB, HEAD))
    assert [violation.invariant for violation in valid(state)] == ["assignment-refers"]


def test_every_violation_is_listed() -> None:
    """Not only the first of each kind."""
    state = on(Assignment(ANN, GHOST), Assignment(BOB, GHOST), claim(role=GHOST))
    assert [violation.invariant for violation in valid(state)] == [
        "assignment-refers",
        "assignment-refers",
        "claim-refers",
    ]


def test_the_invariants_have_these_names() -> None:
    """The rows of the inductive matrix, and the agreement of the indexes."""
    assert list(STRUCTURE) == [
        "assignment-refers",
        "membership-refers",
        "parent-refers",
        "claim-refers",
        "resource-parent-refers",
        "set-refers",
        "guardrail-refers",
        "roles-acyclic",
        "groups-acyclic",
        "resources-acyclic",
        "constraint-well-formed",
        "validity-well-formed",
        "set-well-formed",
    ]
    assert list(MEANING) == [
        "static-duty-holds",
        "at-most-one-assignment",
        "last-administrator-kept",
        "within-limits",
        "indexes-agree",
    ]


def test_a_claim_on_what_is_there_refers() -> None:
    """A resource, a declared kind, and what is implicit: a role's own, its kind, everything."""
    resources: list[ResourcePattern] = [
        Exactly(PLAN),
        Within(DOCS),
        OfKind("file"),
        Exactly(type(PLAN)("role:head")),
        OfKind("sod-set"),
        Any(),
    ]
    claims = [
        Claim(type(C1)(f"c{n}"), CLERK, Exactly(READ), resource)
        for n, resource in enumerate(resources)
    ]
    assert valid(on(*claims)) == ()


LIMITS: list[tuple[str, int, tuple[str, ...]]] = [
    ("PRINCIPALS_MAX", 2, ("principals",)),
    ("GROUPS_MAX", 2, ("groups",)),
    ("ROLES_MAX", 3, ("roles",)),
    ("KINDS_MAX", 2, ("kinds",)),
    ("RESOURCES_MAX", 2, ("resources",)),
    ("CLAIMS_MAX", 1, ("claims",)),
    ("SOD_SETS_MAX", 1, ("separation-of-duty sets",)),
    ("GUARDRAILS_MAX", 1, ("guardrails",)),
    ("PARENTS_PER_ROLE_MAX", 1, ("head",)),
    ("CONTAINERS_PER_GROUP_MAX", 1, ("staff",)),
    ("CLAIMS_PER_ROLE_MAX", 1, ("clerk",)),
    ("GROUPS_PER_PRINCIPAL_MAX", 1, ("ann",)),
    ("ROLE_DEPTH_MAX", 1, ("head",)),
    ("GROUP_DEPTH_MAX", 1, ("staff",)),
    ("RESOURCE_DEPTH_MAX", 1, (PLAN,)),
]


@pytest.mark.parametrize(("limit", "count", "ids"), LIMITS)
def test_what_is_beyond_a_limit_is_found(
    monkeypatch: pytest.MonkeyPatch, *, limit: str, count: int, ids: tuple[str, ...]
) -> None:
    """At the limit is not beyond it."""
    monkeypatch.setattr(limits, limit, count)
    assert valid(SOUND) == ()
    monkeypatch.setattr(limits, limit, count - 1)
    assert valid(SOUND) == (Violation("within-limits", ids),)


def test_the_roles_of_principals_and_of_groups_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the same number."""
    monkeypatch.setattr(limits, "ROLES_PER_HOLDER_MAX", 0)
    assert valid(SOUND) == (
        Violation("within-limits", ("ann",)),
        Violation("within-limits", ("board",)),
    )


def test_a_resource_two_levels_down_is_as_deep(monkeypatch: pytest.MonkeyPatch) -> None:
    """Depth counts what a resource lies in, not itself."""
    inner = Resource(type(PLAN)("inner"), FILE, parent=PLAN)
    monkeypatch.setattr(limits, "RESOURCE_DEPTH_MAX", 2)
    assert valid(on(inner)) == ()
    monkeypatch.setattr(limits, "RESOURCE_DEPTH_MAX", 1)
    assert valid(on(inner)) == (Violation("within-limits", ("inner",)),)
