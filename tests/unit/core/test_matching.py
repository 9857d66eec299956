"""Which resources are known, and which claims speak about a request."""

from dataclasses import replace

import pytest

from grantproof.core.attributes import NO_ATTRIBUTES, attributes
from grantproof.core.identifiers import Action, ClaimId, ResourceId
from grantproof.core.matching import (
    Request,
    Target,
    action_matches,
    claim_matches,
    claims_on,
    lineage,
    patterns_on,
    resolve,
    resource_matches,
    situate,
)
from grantproof.core.model import (
    ADMINISTRATIVE_ACTIONS,
    Any,
    Exactly,
    OfKind,
    Principal,
    Resource,
    ResourcePattern,
    Within,
)
from grantproof.core.organization import facts
from tests.organizations import (
    ANN,
    CLERK,
    DOCS,
    FILE,
    FOLDER,
    HEAD,
    ITSELF,
    NOON,
    PLAN,
    READ,
    STAFF,
    WRITE,
    asks,
    claim,
    groups,
    library,
    made_of,
    pair,
    people,
    roles,
)

DEEP = ResourceId("docs/plan/page")
OTHER = ResourceId("other")
SECRET = attributes({"secret": True})
STATE = made_of(
    *people(ANN),
    *groups(STAFF),
    *roles(CLERK, HEAD),
    *library(SECRET),
    Resource(DEEP, FILE, parent=PLAN),
    Resource(OTHER, FOLDER),
    pair(),
)


def target_of(resource: str, kind: str | None = None) -> Target | None:
    """What a request on the resource is about."""
    return resolve(STATE, asks(resource=ResourceId(resource), kind=kind))


def matches(pattern: ResourcePattern, resource: str, kind: str | None = None) -> bool:
    """Whether the pattern matches the resource, which must be known."""
    target = target_of(resource, kind)
    assert target is not None
    return resource_matches(pattern, target)


def test_a_registered_resource_is_known_with_ancestors_and_attributes() -> None:
    """Its lineage begins with itself and ends at the root."""
    assert target_of(DEEP) == Target(DEEP, FILE, (DEEP, PLAN, DOCS), NO_ATTRIBUTES)
    assert target_of(PLAN) == Target(PLAN, FILE, (PLAN, DOCS), SECRET)
    assert lineage(STATE, DOCS) == (DOCS,)


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        ("role:clerk", "role"),
        ("group:staff", "group"),
        ("sod-set:pair", "sod-set"),
        ("organization:acme", "organization"),
    ],
)
def test_an_implicit_resource_is_known_by_its_id(resource: str, kind: str) -> None:
    """It has its kind, no parent and no attributes, with or without its kind named."""
    expected = Target(ResourceId(resource), kind, (ResourceId(resource),), NO_ATTRIBUTES)
    assert [target_of(resource), target_of(resource, kind)] == [expected, expected]


def test_an_unregistered_resource_is_known_by_a_declared_kind() -> None:
    """It has no lineage: nothing is inside it and it is inside nothing."""
    found = target_of("new", "file")
    assert found == Target(ResourceId("new"), "file", (), NO_ATTRIBUTES)


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        ("new", None),
        ("new", "undeclared"),
        ("new", "role"),
        ("role:none", None),
        ("role:none", "role"),
        ("organization:other", None),
        ("organization:other", "organization"),
    ],
)
def test_anything_else_unregistered_is_unknown(resource: str, kind: str | None) -> None:
    """Without a kind, of an undeclared one, or of an implicit one that is not there."""
    assert target_of(resource, kind) is None


@pytest.mark.parametrize(
    ("resource", "kind"),
    [(PLAN, "folder"), (PLAN, "undeclared"), (PLAN, ""), ("role:clerk", "file")],
)
def test_a_resource_named_with_another_kind_is_unknown(resource: str, kind: str) -> None:
    """Registered and implicit resources must be named with their own kind, or with none."""
    assert target_of(resource, kind) is None
    assert target_of(resource) is not None


def test_exactly_matches_one_resource_and_no_child() -> None:
    """The parent's own claim grants nothing inside it."""
    found = [matches(Exactly(PLAN), resource) for resource in (DOCS, PLAN, DEEP, OTHER)]
    assert found == [False, True, False, False]


def test_within_matches_a_resource_and_all_its_descendants() -> None:
    """Itself, its children and theirs, never its parent or a neighbour."""
    by_docs = [matches(Within(DOCS), resource) for resource in (DOCS, PLAN, DEEP, OTHER)]
    by_plan = [matches(Within(PLAN), resource) for resource in (DOCS, PLAN, DEEP, OTHER)]
    assert (by_docs, by_plan) == ([True, True, True, False], [False, True, True, False])


def test_of_kind_matches_every_resource_of_the_kind() -> None:
    """Registered, unregistered and implicit ones."""
    resources = [(PLAN, None), (DOCS, None), ("new", "file"), ("new", "folder")]
    assert [matches(OfKind("file"), *named) for named in resources] == [True, False, True, False]
    assert [matches(OfKind("role"), name) for name in ("role:clerk", "group:staff")] == [
        True,
        False,
    ]


def test_any_matches_every_known_resource() -> None:
    """Registered, unregistered and implicit ones."""
    named = [(PLAN, None), ("new", "file"), ("role:clerk", None), (ITSELF, None)]
    assert [matches(Any(), *each) for each in named] == [True] * 4


def test_an_unregistered_resource_matches_by_kind_only() -> None:
    """Not by its id, not as a root, even if somebody once named it in a claim."""
    new = ResourceId("new")
    patterns: list[ResourcePattern] = [Exactly(new), Within(new), OfKind("file"), Any()]
    assert [matches(pattern, new, "file") for pattern in patterns] == [False, False, True, True]


def test_an_implicit_resource_matches_by_its_id() -> None:
    """By id, as a subtree of itself, by kind, and by everything."""
    clerk, head = ResourceId("role:clerk"), ResourceId("role:head")
    patterns: list[ResourcePattern] = [Exactly(clerk), Within(clerk), OfKind("role"), Any()]
    assert [matches(pattern, clerk) for pattern in patterns] == [True] * 4
    assert [matches(pattern, head) for pattern in patterns] == [False, False, True, True]


def test_the_patterns_on_a_target_are_those_that_match_it() -> None:
    """Of all patterns there can be; and the claims on it are those of these patterns."""
    named = [(name, None) for name in (DOCS, PLAN, DEEP, OTHER, "role:clerk", ITSELF)]
    resources = [ResourceId(name) for name, _ in named] + [ResourceId("new")]
    patterns: list[ResourcePattern] = [
        *map(Exactly, resources),
        *map(Within, resources),
        *map(OfKind, (FILE, FOLDER, "role", "organization")),
        Any(),
    ]
    claims = [claim(id=ClaimId(f"c{i}"), resource=each) for i, each in enumerate(patterns)]
    state = made_of(*facts(STATE), *claims)
    for name, kind in [*named, ("new", FILE)]:
        target = target_of(name, kind)
        assert target is not None
        matching = [each for each in patterns if resource_matches(each, target)]
        assert set(patterns_on(target)) == set(matching)
        assert [one.resource for one in claims_on(state, target)] == list(patterns_on(target))


def test_an_exact_action_matches_itself() -> None:
    """And nothing that begins like it."""
    actions = [READ, WRITE, Action("reads"), Action("READ")]
    assert [action_matches(Exactly(READ), action) for action in actions] == [True] + [False] * 3


@pytest.mark.parametrize("action", sorted(ADMINISTRATIVE_ACTIONS))
def test_any_never_matches_an_administrative_action(action: Action) -> None:
    """`*` grants reading and writing, never the administration of this service."""
    assert (action_matches(Any(), action), action_matches(Exactly(action), action)) == (False, True)
    assert action_matches(Any(), READ)


def test_a_claim_matches_when_action_and_resource_do() -> None:
    """Both are needed."""
    target = target_of(PLAN)
    assert target is not None
    found = [claim_matches(claim(), READ, target), claim_matches(claim(), WRITE, target)]
    elsewhere = claim_matches(claim(resource=Exactly(DOCS)), READ, target)
    assert [*found, elsewhere] == [True, False, False]


def test_a_situation_holds_the_stored_attributes_of_both_ends() -> None:
    """Of the principal and of the target; the context stays as it is."""
    state = replace(STATE, principals=STATE.principals.set(ANN, Principal(ANN, attributes=SECRET)))
    request = Request(ANN, READ, DOCS)
    target = resolve(state, request)
    assert target is not None
    situation = situate(state, request, NOON, target=target)
    assert (situation.principal_attributes, situation.resource_attributes) == (
        SECRET,
        NO_ATTRIBUTES,
    )
    assert (situation.context, situation.principal) == (NOON, ANN)
