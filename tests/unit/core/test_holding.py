"""Whom a change brings to hold too much, and when it leaves nobody to administer, by example."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import pytest

from grantproof.core.constraints import TimeWindow
from grantproof.core.holding import administrator_lost, duty_broken, reached
from grantproof.core.model import (
    ADMINISTER,
    ALWAYS,
    Administered,
    Any,
    Assignment,
    Claim,
    Delta,
    Exactly,
    Fact,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    OfKind,
    Principal,
    Resource,
    ResourcePattern,
    SodSet,
    Validity,
    Within,
)
from grantproof.core.organization import Organization, advance, with_fact
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    C1,
    CHIEF,
    CLERK,
    CLUB,
    EVE,
    FILE,
    HEAD,
    ITSELF,
    PAIR,
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
    run_by,
)

BASE = made_of(*people(ANN, BOB), *groups(STAFF, BOARD, CLUB), *roles(CLERK, HEAD, CHIEF))


def on(*facts: Fact) -> Organization:
    """The base with more facts."""
    state = BASE
    for fact in facts:
        state = with_fact(state, fact)
    return state


def broken(state: Organization, fact: Fact) -> list[tuple[str, ...]]:
    """Which sets the adding of the fact breaks, and for whom."""
    delta = Delta((), (fact,))
    return list(duty_broken(state, advance(state, delta), delta))


def test_everything_on_the_ways_is_reached_once() -> None:
    """The start too, however many ways lead there and back."""
    links = {"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": ["a"], "x": ["a"]}
    assert reached(["a"], links) == {"a", "b", "c", "d"}
    assert reached(["q"], links) == {"q"}
    assert reached([], links) == set()


def test_what_is_left_out_is_not_passed_either() -> None:
    """What lies behind it is reached on another way or not at all."""
    links = {"a": ["b", "c"], "b": ["d", "e"], "c": ["d"]}
    assert reached(["a"], links, besides={"b"}) == {"a", "c", "d"}
    assert reached(["b", "d"], links, besides={"b"}) == {"d"}


WAYS: list[tuple[Sequence[Fact], Fact]] = [
    ((pair(), Assignment(ANN, CLERK)), Assignment(ANN, HEAD)),
    ((Assignment(ANN, CLERK), Assignment(ANN, HEAD)), pair()),
    (
        (pair(), Assignment(ANN, CLERK), Membership(ANN, STAFF)),
        GroupAssignment(STAFF, HEAD),
    ),
    (
        (pair(), Assignment(ANN, CLERK), Membership(ANN, CLUB), Nesting(CLUB, STAFF)),
        GroupAssignment(STAFF, HEAD),
    ),
    (
        (pair(), Assignment(ANN, CLERK), GroupAssignment(BOARD, HEAD), Nesting(STAFF, BOARD)),
        Membership(ANN, STAFF),
    ),
    (
        (pair(), Assignment(ANN, CLERK), GroupAssignment(BOARD, HEAD), Membership(ANN, STAFF)),
        Nesting(STAFF, BOARD),
    ),
    ((pair(), Assignment(ANN, CLERK)), Inheritance(CLERK, HEAD)),
    (
        (pair(2, CHIEF, CLERK), Inheritance(HEAD, CHIEF), Assignment(ANN, CLERK)),
        Assignment(ANN, HEAD),
    ),
    (
        (pair(), GroupAssignment(STAFF, CLERK), Membership(ANN, STAFF)),
        Inheritance(CLERK, HEAD),
    ),
    (
        (
            GroupAssignment(BOARD, CLERK),
            Nesting(STAFF, BOARD),
            Membership(ANN, STAFF),
            Inheritance(CLERK, HEAD),
        ),
        pair(),
    ),
]
"""What is there, and what then brings ann to hold both roles of a set."""


@pytest.mark.parametrize(("there", "fact"), WAYS)
def test_every_way_to_hold_too_much_is_found(there: Sequence[Fact], fact: Fact) -> None:
    """The set and who holds of it; bob, who does not, is not named."""
    assert broken(on(*there), fact) == [("pair", "ann")]


@pytest.mark.parametrize(("there", "fact"), WAYS)
def test_what_is_only_not_to_be_active_together_may_be_held(
    there: Sequence[Fact], fact: Fact
) -> None:
    """A dynamic set binds no holder."""
    bound = [dynamic(one) if isinstance(one, SodSet) else one for one in (*there, fact)]
    assert broken(on(*bound[:-1]), bound[-1]) == []


def test_one_role_of_a_set_may_be_held_and_more_only_below_its_number() -> None:
    """Two of three where three are too many."""
    trio = SodSet(PAIR, frozenset({CLERK, HEAD, CHIEF}), 3)
    assert broken(on(pair()), Assignment(ANN, CLERK)) == []
    assert broken(on(trio, Assignment(ANN, CLERK)), Assignment(ANN, HEAD)) == []
    two = on(trio, Assignment(ANN, CLERK), Assignment(ANN, HEAD))
    assert broken(two, Assignment(ANN, CHIEF)) == [("pair", "ann")]


def test_roles_outside_the_set_do_not_count() -> None:
    """However many are held."""
    state = on(pair(2, CLERK, CHIEF), Assignment(ANN, CLERK))
    assert broken(state, Assignment(ANN, HEAD)) == []


@pytest.mark.parametrize(
    ("clerk", "head", "together"),
    [
        (Validity(3, 6), Validity(6, 9), False),
        (Validity(3, 7), Validity(6, 9), True),
        (Validity(6, 9), Validity(3, 7), True),
        (Validity(end=6), Validity(6), False),
        (Validity(end=7), Validity(6), True),
        (Validity(6), Validity(end=7), True),
        (Validity(end=1), Validity(end=1), True),
        (Validity(0, 1), Validity(1), False),
        (Validity(9), ALWAYS, True),
        (ALWAYS, Validity(3, 4), True),
        (Validity(9), Validity(5), True),
        (Validity(3, 5), Validity(3, 5), True),
    ],
)
def test_only_what_is_held_at_one_instant_is_held_together(
    clerk: Validity, head: Validity, *, together: bool
) -> None:
    """An end is the first instant at which a role is not held any more."""
    state = on(pair(), Assignment(ANN, CLERK, clerk))
    expected = [("pair", "ann")] if together else []
    assert broken(state, Assignment(ANN, HEAD, head)) == expected


def test_every_holder_and_every_set_is_named_in_order() -> None:
    """By who holds, then by the set."""
    also = SodSet(type(PAIR)("also"), frozenset({CLERK, HEAD, CHIEF}), 2)
    held = [Assignment(who, role) for who in (BOB, ANN) for role in (CLERK, CHIEF)]
    state = on(pair(), also, SodSet(type(PAIR)("far"), frozenset({CHIEF, HEAD}), 2), *held)
    assert broken(state, Inheritance(CLERK, HEAD)) == [
        ("also", "ann"),
        ("far", "ann"),
        ("pair", "ann"),
        ("also", "bob"),
        ("far", "bob"),
        ("pair", "bob"),
    ]


def test_nobody_is_looked_for_where_no_set_counts_what_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Members of a large group are not gone through for a role that no static set names."""

    looked: list[object] = []

    def members(_: Organization, group: object) -> Iterator[object]:
        looked.append(group)
        yield ANN

    monkeypatch.setattr("grantproof.core.holding._members", members)
    state = on(dynamic(pair()), Membership(ANN, STAFF))
    assert broken(state, GroupAssignment(STAFF, CLERK)) == []
    assert looked == []


def many(state: Organization, *facts: Fact) -> list[tuple[str, ...]]:
    """Which sets the adding of all the facts at once breaks, and for whom."""
    delta = Delta((), facts)
    return list(duty_broken(state, advance(state, delta), delta))


def test_each_of_many_facts_is_looked_at_for_itself() -> None:
    """One that gives what no set counts hides nothing of those after it, in whatever order."""
    facts = (
        Assignment(BOB, CHIEF),
        Assignment(ANN, CHIEF),
        Assignment(ANN, CLERK),
        Assignment(BOB, CLERK),
        Assignment(ANN, HEAD),
    )
    # A clerk is a chief as well, whom no set counts.
    state = on(pair(), Inheritance(CLERK, CHIEF))
    assert many(state, *facts) == [("pair", "ann")]
    assert many(state, *reversed(facts)) == [("pair", "ann")]
    assert many(state, *facts[:-1]) == []
    assert many(on(pair(2, CLERK, CHIEF), Inheritance(HEAD, CLERK)), *facts[1:]) == [
        ("pair", "ann"),
    ]


def test_no_way_without_a_set_is_gone_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is given again, or inherited by what is given, nothing is left to look at."""
    walked: list[set[str]] = []

    def walk(
        start: Iterable[str], links: Mapping[str, Iterable[str]], *, besides: Container[str]
    ) -> set[str]:
        walked.append(reached(start, links, besides=besides))
        return walked[-1]

    monkeypatch.setattr("grantproof.core.holding.reached", walk)
    state = on(dynamic(pair()), Inheritance(HEAD, CLERK))
    given = [Assignment(one, role) for role in (CLERK, HEAD) for one in (ANN, BOB)]
    assert many(state, *given) == []
    assert walked == [{CLERK}, set(), {HEAD}, set()]


def lost(state: Organization, *, added: Sequence[Fact] = (), removed: Sequence[Fact] = ()) -> bool:
    """Whether the change leaves the organization without an administrator."""
    delta = Delta(tuple(removed), tuple(added))
    found = list(administrator_lost(state, advance(state, delta), delta))
    assert found in ([], [("acme",)])
    return found != []


RULED = made_of(*people(ANN), *groups(STAFF, BOARD), *roles(CLERK, HEAD), *library(), *run_by())
RUN = Claim(type(C1)("run"), CHIEF, Exactly(ADMINISTER), Any())


def test_an_organization_that_nobody_administered_may_stay_so() -> None:
    """It has none to lose, whatever is removed."""
    assert not lost(on(Assignment(ANN, CLERK)), removed=[Assignment(ANN, CLERK)])
    assert not lost(BASE, added=[Principal(EVE)])


def test_one_that_is_to_be_administered_must_have_someone() -> None:
    """From its first revision on, with or without other facts."""
    assert lost(BASE, added=[Administered()])
    assert lost(BASE, added=[*people(EVE), Administered()])
    assert not lost(made_of(), added=run_by())


@pytest.mark.parametrize(
    ("added", "removed"),
    [
        ((), [Assignment(EVE, CHIEF)]),
        ((), [RUN]),
        ([Principal(EVE, active=False)], ()),
        ([replace(RUN, action=Exactly(type(ADMINISTER)("read")))], ()),
        ([replace(RUN, action=Any())], ()),
        ([replace(RUN, constraints=(TimeWindow(9, 17),))], ()),
        ([replace(RUN, resource=Exactly(PLAN))], [RUN]),
        ([Assignment(EVE, CHIEF, Validity(5))], ()),
        ([Assignment(EVE, CHIEF, Validity(end=5))], ()),
        ([Assignment(EVE, CHIEF, Validity(5, 6))], ()),
        ([*people(BOB), Principal(EVE, active=False)], ()),
    ],
)
def test_the_last_one_is_missed(added: Sequence[Fact], removed: Sequence[Fact]) -> None:
    """Gone, suspended, with another right, under a condition, or for a while only."""
    assert lost(RULED, added=added, removed=removed)


def test_what_only_adds_loses_none_and_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """What neither removes nor replaces anything costs nothing."""

    def never(_: Organization) -> Iterator[object]:
        message = "nobody is to be looked for"
        raise AssertionError(message)

    monkeypatch.setattr("grantproof.core.holding._administrators", never)
    news: list[Fact] = [
        Principal(BOB),
        claim(),
        Assignment(ANN, CLERK),
        GroupAssignment(STAFF, CLERK),
        Membership(ANN, STAFF),
        Inheritance(CLERK, HEAD),
        Resource(type(PLAN)("new"), FILE),
    ]
    assert not any(lost(RULED, added=[fact]) for fact in news)


def test_what_replaces_a_holding_of_the_group_is_looked_at() -> None:
    """As what replaces a principal, a claim or an assignment is."""
    state = on(
        *people(EVE),
        replace(RUN, role=CLERK),
        Membership(EVE, STAFF),
        GroupAssignment(STAFF, CLERK),
        Administered(),
    )
    assert lost(state, added=[GroupAssignment(STAFF, CLERK, Validity(5))])
    assert lost(state, added=[Principal(BOB), GroupAssignment(STAFF, CLERK, Validity(end=5))])
    assert not lost(state, added=[GroupAssignment(STAFF, CLERK)])


PATTERNS: list[ResourcePattern] = [
    Exactly(ITSELF),
    Within(ITSELF),
    OfKind("organization"),
    Any(),
]


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: type(pattern).__name__)
@pytest.mark.parametrize(
    "held",
    [
        (Assignment(EVE, CHIEF),),
        (Inheritance(CLERK, CHIEF), Assignment(EVE, CLERK)),
        (Membership(EVE, STAFF), GroupAssignment(STAFF, CHIEF)),
        (Membership(EVE, STAFF), Nesting(STAFF, BOARD), GroupAssignment(BOARD, CHIEF)),
    ],
    ids=lambda held: "+".join(type(fact).__name__ for fact in held),
)
def test_one_who_holds_the_right_in_any_way_administers(
    pattern: ResourcePattern, held: Sequence[Fact]
) -> None:
    """By every pattern that the organization itself matches; whoever else goes is not missed."""
    ruling = replace(RUN, resource=pattern)
    state = on(*people(EVE), ruling, *held, Administered(), Assignment(BOB, CHIEF))
    assert not lost(state, removed=[Assignment(BOB, CHIEF)])
    gone = [fact for fact in held if isinstance(fact, Assignment | GroupAssignment)]
    assert not lost(state, removed=gone)
    assert lost(state, removed=[*gone, Assignment(BOB, CHIEF)])
