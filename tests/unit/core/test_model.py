"""Facts: what cannot be constructed, and what a validity contains."""

from typing import get_args

import pytest

from grantproof.core.attributes import attributes
from grantproof.core.constraints import Constraint, GeoFence, MaxUsage, RateLimit, TimeWindow
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import IMPLICIT_KINDS, Action, ResourceId, RoleId
from grantproof.core.limits import INSTANT_MAX
from grantproof.core.model import (
    ADMINISTRATIVE_ACTIONS,
    ALWAYS,
    Administered,
    Fact,
    Principal,
    Resource,
    SodSet,
    Validity,
)
from tests.organizations import ANN, DOCS, EU, FILE, PAIR, claim


def some_roles(size: int) -> frozenset[RoleId]:
    """So many different roles."""
    return frozenset(RoleId(f"r{number}") for number in range(size))


def test_a_validity_contains_its_start_and_not_its_end() -> None:
    """[10, 20): 9 no, 10 yes, 19 yes, 20 no."""
    validity = Validity(10, 20)
    assert [validity.contains(t) for t in (0, 9, 10, 11, 19, 20, 21)] == [
        False,
        False,
        True,
        True,
        True,
        False,
        False,
    ]


def test_an_open_validity_has_no_bound_on_that_side() -> None:
    """Without start it contains the first instant, without end the last."""
    extremes = (0, 9, 10, INSTANT_MAX)
    assert [Validity(10).contains(t) for t in extremes] == [False, False, True, True]
    assert [Validity(end=10).contains(t) for t in extremes] == [True, True, False, False]
    assert [ALWAYS.contains(t) for t in extremes] == [True] * 4


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (10, 10, "from"),
        (11, 10, "from"),
        (-1, None, "from"),
        (None, -1, "until"),
        (INSTANT_MAX + 1, None, "from"),
        (None, INSTANT_MAX + 1, "until"),
    ],
)
def test_an_illegal_validity_cannot_be_constructed(
    start: int | None, end: int | None, field: str
) -> None:
    """It lasts at least a second and stays between the years 1970 and 9999."""
    with pytest.raises(Illegal) as caught:
        Validity(start, end)
    assert caught.value.field == field


def test_the_shortest_and_the_longest_validity_are_legal() -> None:
    """One second, and all of time."""
    assert Validity(10, 11).contains(10)
    assert Validity(0, INSTANT_MAX).contains(0)


@pytest.mark.parametrize("prefix", [f"{kind}:" for kind in IMPLICIT_KINDS])
def test_a_registered_resource_has_no_reserved_prefix(prefix: str) -> None:
    """Neither it nor its parent may look like an implicit resource or a pattern."""
    with pytest.raises(Illegal, match="`resource_id` must not start with"):
        Resource(ResourceId(f"{prefix}x"), FILE)
    with pytest.raises(Illegal, match="`parent` must be a registered resource"):
        Resource(DOCS, FILE, parent=ResourceId(f"{prefix}x"))


def test_a_name_that_only_begins_like_a_prefix_may_be_registered() -> None:
    """`role` and `roles:x` are ordinary ids."""
    found = [Resource(ResourceId(text), FILE).id for text in ("role", "roles:x", "a/role:x")]
    assert found == ["role", "roles:x", "a/role:x"]


def test_a_registered_resource_id_has_at_most_128_characters() -> None:
    """127 and 128 are legal, 129 are not, although an implicit resource may be longer."""
    lengths = [len(Resource(ResourceId("a" * n), FILE).id) for n in (127, 128)]
    assert lengths == [127, 128]
    with pytest.raises(Illegal, match="`resource_id` must have at most 128 characters"):
        Resource(ResourceId("a" * 129), FILE)


def test_a_claim_has_at_most_64_constraints() -> None:
    """63 and 64 are legal, 65 are not."""
    windows = [TimeWindow(0, 1)] * 65
    assert [len(claim(*windows[:n]).constraints) for n in (63, 64)] == [63, 64]
    with pytest.raises(Illegal, match="`constraints` must have at most 64 members"):
        claim(*windows)


def test_a_claim_is_metered_when_a_constraint_counts() -> None:
    """Usage and rate count; hours and regions do not."""
    window, fence = TimeWindow(0, 1), GeoFence(frozenset({EU}))
    lists: list[list[Constraint]] = [
        [],
        [window, fence],
        [window, MaxUsage(1)],
        [RateLimit(1)],
    ]
    assert [claim(*listed).metered for listed in lists] == [False, False, True, True]


@pytest.mark.parametrize(
    ("size", "n", "rule"),
    [
        (2, 1, "must be at least 2: it is the smallest forbidden count"),
        (2, 0, "must be at least 2: it is the smallest forbidden count"),
        (2, -1, "must be at least 2: it is the smallest forbidden count"),
        (2, 3, "must be at most the number of different roles"),
        (1, 2, "must be at most the number of different roles"),
        (0, 2, "must be at most the number of different roles"),
    ],
)
def test_the_forbidden_count_lies_between_2_and_the_number_of_roles(
    size: int, n: int, rule: str
) -> None:
    """A set that forbids nothing, or everything, cannot be constructed."""
    with pytest.raises(Illegal) as caught:
        SodSet(PAIR, some_roles(size), n)
    assert (caught.value.field, caught.value.rule) == ("n", rule)


def test_the_extremes_of_the_forbidden_count_are_legal() -> None:
    """Two, and all of the roles."""
    assert [SodSet(PAIR, some_roles(5), n).n for n in (2, 5)] == [2, 5]


def test_a_set_has_at_most_1000_roles() -> None:
    """999 and 1,000 are legal, 1,001 are not."""
    assert [len(SodSet(PAIR, some_roles(n), 2).roles) for n in (999, 1_000)] == [999, 1_000]
    with pytest.raises(Illegal, match="`roles` must have at most 1000 members"):
        SodSet(PAIR, some_roles(1_001), 2)


def test_the_administrative_actions_are_these_five() -> None:
    """What only a claim that names it can grant."""
    names = ("administer", "assign", "revoke", "review", "delegate")
    assert frozenset(map(Action, names)) == ADMINISTRATIVE_ACTIONS


def test_there_are_fourteen_kinds_of_facts() -> None:
    """The closed union of what an organization is made of."""
    assert len(get_args(Fact)) == 14
    assert get_args(Fact)[-1] is Administered


def test_a_resource_may_lie_in_a_registered_one() -> None:
    """In one at most."""
    found = [Resource(ResourceId("plan"), FILE, parent=parent).parent for parent in (None, DOCS)]
    assert found == [None, DOCS]


def test_what_has_a_truth_is_not_what_has_a_number() -> None:
    """Python holds that `True == 1`; of a principal and of a resource these are two facts."""
    truth, number = attributes({"cleared": True}), attributes({"cleared": 1})
    assert Principal(ANN, attributes=truth) != Principal(ANN, attributes=number)
    assert Resource(DOCS, FILE, attributes=truth) != Resource(DOCS, FILE, attributes=number)
