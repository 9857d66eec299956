"""When one claim says everything that another says, by example and against every request."""

from itertools import product

import pytest

from grantproof.core.attributes import (
    ClockYear,
    Literal,
    Operator,
    Path,
    PrincipalIdentity,
    Root,
)
from grantproof.core.constraints import (
    Attribute,
    Constraint,
    GeoFence,
    GeoRadius,
    MaxUsage,
    RateLimit,
    TimeWindow,
)
from grantproof.core.containment import (
    action_contains,
    administrative,
    claim_contains,
    personal,
    resource_contains,
)
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import Action, AttributeName, ResourceId
from grantproof.core.matching import Request, action_matches, resolve, resource_matches
from grantproof.core.model import (
    ADMINISTER,
    ADMINISTRATIVE_ACTIONS,
    ActionPattern,
    Any,
    Exactly,
    OfKind,
    ResourcePattern,
    Within,
)
from tests.organizations import (
    ANN,
    CLERK,
    DOCS,
    EU,
    FILE,
    FOLDER,
    HEAD,
    ITSELF,
    PLAN,
    READ,
    STAFF,
    WRITE,
    claim,
    groups,
    library,
    made_of,
    people,
    roles,
)

STATE = made_of(*people(ANN), *library(), *roles(CLERK, HEAD), *groups(STAFF))
GONE = ResourceId("gone")
RESOURCES = [DOCS, PLAN, GONE, ITSELF, ResourceId("role:clerk"), ResourceId("group:staff")]
PATTERNS: list[ResourcePattern] = [
    *map(Exactly, RESOURCES),
    *map(Within, RESOURCES),
    *(OfKind(kind) for kind in (FILE, FOLDER, "role", "group", "organization")),
    Any(),
]
ACTIONS: list[ActionPattern] = [
    *(Exactly(action) for action in (READ, WRITE, *sorted(ADMINISTRATIVE_ACTIONS))),
    Any(),
]
LEVEL = AttributeName("level")
OWNER = Path(Root.RESOURCE, AttributeName("owner"))
WINDOW, FENCE = TimeWindow(9, 17), GeoFence(frozenset({EU}))


def reached(pattern: ResourcePattern) -> set[tuple[str, str | None]]:
    """Every request that the pattern matches, by resource and named kind."""
    requests = (Request(ANN, READ, *one) for one in product(RESOURCES, [None, FILE, FOLDER]))
    return {
        (str(request.resource), request.kind)
        for request in requests
        if (target := resolve(STATE, request)) is not None and resource_matches(pattern, target)
    }


def test_p_escalate_what_contains_a_resource_pattern_matches_all_of_it() -> None:
    """P-ESCALATE: of every two patterns, against every request; most that could be are found."""
    found = missed = 0
    for outer, inner in product(PATTERNS, PATTERNS):
        within = reached(inner) <= reached(outer)
        contained = resource_contains(STATE, outer, inner)
        assert within or not contained, (outer, inner)
        # What matches nothing as yet, and what matches the same by chance, may not stay so.
        found += contained and reached(inner) != set()
        missed += within and not contained and reached(inner) != set()
    assert (found, missed) == (43, 14)


def test_p_escalate_what_contains_an_action_pattern_matches_all_of_it() -> None:
    """P-ESCALATE: of every two patterns, exactly where every action of the one is the other's."""
    actions = [READ, WRITE, Action("sign"), *ADMINISTRATIVE_ACTIONS]
    for outer, inner in product(ACTIONS, ACTIONS):
        matched = [action for action in actions if action_matches(inner, action)]
        all_of_it = all(action_matches(outer, action) for action in matched)
        assert action_contains(outer, inner) == all_of_it, (outer, inner)


def test_only_named_actions_on_the_engine_itself_are_administrative() -> None:
    """`Any` never is."""
    assert [administrative(pattern) for pattern in ACTIONS] == [False] * 2 + [True] * 5 + [False]


def test_a_place_contains_what_is_in_it_and_stays_so() -> None:
    """A kind does not contain a place: something of another kind may be put there."""
    assert resource_contains(STATE, Within(DOCS), Within(PLAN))
    assert not resource_contains(STATE, OfKind(FILE), Within(PLAN))
    assert resource_contains(STATE, OfKind(FILE), Exactly(PLAN))
    assert not resource_contains(STATE, Within(PLAN), Within(DOCS))
    # A place that is not registered as yet contains itself.
    assert resource_contains(STATE, Within(GONE), Within(GONE))


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (WINDOW, False),
        (FENCE, False),
        (MaxUsage(1), True),
        (RateLimit(1), True),
        (GeoRadius(Position(0, 0), 1), False),
        (Attribute(OWNER, Operator.EQ, Literal("ann")), False),
        (Attribute(OWNER, Operator.EQ, ClockYear()), False),
        (Attribute(OWNER, Operator.EQ, PrincipalIdentity()), True),
        (Attribute(OWNER, Operator.EQ, Path(Root.PRINCIPAL, LEVEL)), True),
        (Attribute(OWNER, Operator.EQ, Path(Root.ACTION, LEVEL)), False),
        (Attribute(Path(Root.PRINCIPAL, LEVEL), Operator.GE, Literal(3)), True),
    ],
)
def test_what_depends_on_who_asks_is_personal(constraint: Constraint, expected: bool) -> None:
    """A meter is everybody's own, and so is a trait."""
    assert personal(constraint) == expected
    held = claim(constraint, action=Any(), resource=Any())
    assert claim_contains(STATE, held, claim(constraint)) != expected


@pytest.mark.parametrize(
    ("own", "given", "expected"),
    [
        ((), (), True),
        ((), (WINDOW,), True),
        ((WINDOW,), (), False),
        ((WINDOW,), (WINDOW, FENCE), True),
        ((WINDOW, FENCE), (WINDOW,), False),
        ((WINDOW,), (TimeWindow(9, 18),), False),
        ((Attribute(OWNER, Operator.EQ, Literal(1)),), (), False),
        (
            (Attribute(OWNER, Operator.EQ, Literal(1)),),
            (Attribute(OWNER, Operator.EQ, Literal(True)),),
            False,
        ),
    ],
)
def test_a_claim_under_fewer_constraints_contains_one_under_more(
    own: tuple[Constraint, ...], given: tuple[Constraint, ...], expected: bool
) -> None:
    """What limits the one limits the other."""
    assert claim_contains(STATE, claim(*own), claim(*given)) == expected


def test_action_and_resource_both_count() -> None:
    """A claim contains another only if it does so in every part."""
    assert not claim_contains(STATE, claim(action=Exactly(WRITE)), claim())
    assert not claim_contains(STATE, claim(resource=Exactly(DOCS)), claim())
    assert not claim_contains(
        STATE, claim(action=Any(), resource=Any()), claim(action=Exactly(ADMINISTER))
    )
    assert claim_contains(STATE, claim(action=Any(), resource=Within(DOCS)), claim())
