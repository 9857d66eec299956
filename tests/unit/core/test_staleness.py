"""What an index must forget for each kind of fact, and no more. P-INDEX."""

from collections.abc import Sequence

import pytest

from grantproof.core.model import (
    Administered,
    Any,
    Assignment,
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
    Role,
    Within,
)
from grantproof.core.staleness import Stale, stale
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    C2,
    CHIEF,
    CLERK,
    CLUB,
    DOCS,
    EVE,
    FILE,
    FOLDER,
    HEAD,
    PLAN,
    STAFF,
    claim,
    dynamic,
    groups,
    library,
    made_of,
    pair,
    people,
    roles,
)

BASE: tuple[Fact, ...] = (
    *people(ANN, BOB, EVE),
    *groups(STAFF, BOARD, CLUB),
    *roles(CLERK, HEAD, CHIEF),
    *library(),
    Membership(ANN, STAFF),
    Membership(BOB, BOARD),
    Assignment(EVE, CLERK),
)


def forgotten(fact: Fact, *others: Fact) -> tuple[set[str], list[tuple[object, object]], bool]:
    """Principals, resources by action and whether those of kinds, in an order of their own."""
    found = stale(made_of(*BASE, *others, fact), fact)
    resources = [
        (action, None if names is None else sorted(names)) for action, names in found.resources
    ]
    return set(found.principals), sorted(resources, key=repr), found.kinds


@pytest.mark.parametrize(
    ("fact", "others", "who"),
    [
        (Principal(ANN), (), {"ann"}),
        (Membership(EVE, CLUB), (), {"eve"}),
        (Assignment(BOB, HEAD), (), {"bob"}),
        (GroupAssignment(STAFF, HEAD), (), {"ann"}),
        (GroupAssignment(BOARD, HEAD), [Nesting(STAFF, BOARD)], {"ann", "bob"}),
        (Nesting(STAFF, BOARD), (), {"ann"}),
        (Administered(), (), set()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_who_has_something_is_forgotten(fact: Fact, others: Sequence[Fact], who: set[str]) -> None:
    """A principal itself, and the members of a group, whatever they are in by."""
    assert forgotten(fact, *others) == (who, [], False)


@pytest.mark.parametrize(
    ("fact", "resources"),
    [
        (Group(CLUB), ["group:club"]),
        (Role(CHIEF), ["role:chief"]),
        (Resource(PLAN, FILE, parent=DOCS), ["docs/plan"]),
        (Resource(DOCS, FOLDER), ["docs", "docs/plan"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_comes_or_goes_is_forgotten_with_what_lies_in_it(
    fact: Fact, resources: list[str]
) -> None:
    """Whatever the action."""
    assert forgotten(fact) == (set(), [(None, resources)], False)


def test_a_kind_bears_on_what_is_not_registered() -> None:
    """Which is known by its kind alone."""
    assert forgotten(KindDeclaration(type(FILE)("new"))) == (set(), [], True)


@pytest.mark.parametrize(
    ("fact", "resources", "kinds"),
    [
        (claim(), ("read", ["docs/plan"]), False),
        (claim(resource=Within(DOCS)), ("read", ["docs", "docs/plan"]), False),
        (claim(resource=OfKind(FILE)), ("read", ["docs/plan"]), True),
        (claim(resource=OfKind("role")), ("read", None), True),
        (claim(resource=Any()), ("read", None), True),
        (claim(action=Any()), (None, ["docs/plan"]), False),
    ],
)
def test_a_claim_bears_on_what_it_matches(
    fact: Fact, resources: tuple[object, object], *, kinds: bool
) -> None:
    """Of an implicit kind and of everything all is forgotten."""
    assert forgotten(fact) == (set(), [resources], kinds)


def test_a_set_bears_on_those_who_hold_of_it_where_it_binds_what_is_active() -> None:
    """A static one bears on no answer but those about itself."""
    itself: list[tuple[object, object]] = [(None, ["sod-set:pair"])]
    assert forgotten(pair()) == (set(), itself, False)
    assert forgotten(dynamic(pair())) == ({"eve"}, itself, False)
    with_bob = forgotten(dynamic(pair()), Inheritance(CHIEF, HEAD), Assignment(BOB, CHIEF))
    assert with_bob == ({"eve", "bob"}, itself, False)


EDGE = Inheritance(CLERK, HEAD)


def test_a_link_of_roles_bears_on_what_is_inherited() -> None:
    """From the parent and what it inherits from; not on the claims of other roles."""
    assert forgotten(EDGE, claim()) == (set(), [], False)
    inherited = [claim(role=HEAD), claim(id=C2, role=CHIEF, resource=Exactly(DOCS))]
    found = forgotten(EDGE, *inherited, Inheritance(HEAD, CHIEF))
    assert found == (set(), [("read", ["docs"]), ("read", ["docs/plan"])], False)


def test_one_inherited_claim_on_a_kind_is_enough() -> None:
    """To forget what is not registered."""
    inherited = [claim(role=HEAD), claim(id=C2, role=HEAD, resource=Any())]
    assert forgotten(EDGE, *inherited)[2]
    assert not forgotten(EDGE, inherited[0])[2]


def test_a_link_of_roles_bears_on_who_is_bound_by_a_dynamic_set() -> None:
    """One is enough, whatever the other sets are."""
    other = type(pair())(type(pair().id)("other"), frozenset({CLERK, CHIEF}), 2)
    assert forgotten(EDGE, pair())[0] == set()
    assert forgotten(EDGE, other, dynamic(pair()))[0] == {"eve"}
    assert forgotten(EDGE, dynamic(other), pair())[0] == {"eve"}


def test_what_bears_on_nothing_forgets_nothing() -> None:
    """Neither of anybody nor of anything."""
    assert stale(made_of(), Administered()) == Stale()
