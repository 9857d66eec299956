"""P-INDUCT, the check in production: the footprint of a change says what the whole state says."""

from dataclasses import fields, replace
from random import Random
from typing import Any as Anything
from typing import get_args
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core import limits
from grantproof.core.agreement import FIELDS, unfaithful
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.delta import ORDER
from grantproof.core.commands.language import Command
from grantproof.core.footprint import broken
from grantproof.core.identifiers import ClaimId
from grantproof.core.invariants import valid
from grantproof.core.model import (
    ADMINISTER,
    Administered,
    Any,
    Assignment,
    Claim,
    Delta,
    Exactly,
    Fact,
    GroupAssignment,
    Inheritance,
    Nesting,
    Principal,
    Resource,
    SodSet,
    Validity,
)
from grantproof.core.organization import Organization, advance, facts
from tests.organizations import made_of
from tests.properties.tally import Tally
from tests.strategies.commands import commands
from tests.strategies.crowded import (
    DOCS,
    EDGES,
    ENTITIES,
    HOLDINGS,
    LEAF,
    PRINCIPALS,
    ROLES,
    crowds,
)
from tests.strategies.names import FEW

UPSIDE_DOWN: list[Fact] = [
    *(Inheritance(fact.parent, fact.role) for fact in EDGES if isinstance(fact, Inheritance)),
    *(Nesting(fact.container, fact.group) for fact in EDGES if isinstance(fact, Nesting)),
]


def test_p_induct_the_footprint_of_an_accepted_command_is_whole() -> None:
    """P-INDUCT: of what `apply` accepts, neither the footprint nor the comparison says anything."""
    tally = Tally("footprint")

    @settings(max_examples=60)
    @given(crowds(), st.lists(commands(FEW), min_size=4, max_size=8))
    def holds(state: Organization, proposed: list[Command]) -> None:
        for command in proposed:
            result = apply(state, command, actor="eve", instant=0)
            if isinstance(result, Accepted):
                delta = result.event.delta
                assert valid(result.state) == ()
                assert broken(state, result.state, delta) == ()
                assert tuple(unfaithful(state, result.state, delta)) == ()
                tally.saw("accepted")
                tally.saw("removing", len(delta.removed) > 0)
                state = result.state

    holds()
    tally.expect(accepted=80, removing=10)


def test_p_induct_the_footprint_of_any_change_agrees_with_the_whole() -> None:
    """P-INDUCT: facts dropped and added at random break both checks, or neither."""
    tally = Tally("footprint of corrupt changes")

    @settings(max_examples=120)
    @given(crowds(), st.integers(0, 2**32))
    def agree(state: Organization, seed: int) -> None:
        chance = Random(seed)
        if chance.random() < 0.3:
            state = with_administrator(state)
        for _ in range(12):
            delta = corrupt(state, chance)
            after = applied(state, delta)
            if after is None:
                tally.saw("impossible")
                continue
            found = broken(state, after, delta)
            assert (found != ()) == whole_is_broken(after), (delta, found)
            tally.saw("whole", found == ())
            for violation in found:
                tally.saw(violation.invariant.replace("-", "_"))

    agree()
    tally.expect(
        whole=200,
        refers=200,
        acyclic=20,
        indexes_agree=20,
        static_duty_holds=4,
        last_administrator_kept=5,
    )


def whole_is_broken(state: Organization) -> bool:
    """Whether the check of the whole finds something, or cannot even follow the links."""
    try:
        return valid(state) != ()
    except KeyError:
        return True


def applied(state: Organization, delta: Delta) -> Organization | None:
    """What the delta makes of the state, or nothing where it refers to what is not there."""
    try:
        return advance(state, delta)
    except KeyError:
        return None


def with_administrator(state: Organization) -> Organization:
    """The organization, once it has an administrator."""
    ruling = Claim(ClaimId("ruling"), ROLES[3], Exactly(ADMINISTER), Any())
    held = Assignment(PRINCIPALS[0], ROLES[3])
    awake = Principal(PRINCIPALS[0])
    kept = [one for one in facts(state) if not isinstance(one, SodSet)]
    others = [one for one in kept if named(one) not in {named(awake), named(held)}]
    return made_of(*others, awake, ruling, held, Administered())


def named(fact: Fact) -> tuple[object, ...]:
    """What a fact is about, whatever it says of it."""
    match fact:
        case Assignment(principal, role):
            return (principal, role)
        case _:
            return (type(fact), getattr(fact, "id", fact))


def corrupt(state: Organization, chance: Random) -> Delta:
    """A change that no command makes: some facts removed, some added, some under taken names."""
    there = list(facts(state))
    removed = chance.sample(there, chance.choice([0, 0, 1, 2]))
    pool = [*ENTITIES, *EDGES, *UPSIDE_DOWN, *map(twisted, there), Administered()]
    pool += 2 * HOLDINGS
    added = chance.sample(pool, chance.choice([0, 1, 1, 2, 3]))
    fresh = [fact for fact in dict.fromkeys(added) if fact not in removed]
    return Delta(
        tuple(sorted(removed, key=rank_of, reverse=True)), tuple(sorted(fresh, key=rank_of))
    )


def rank_of(fact: Fact) -> int:
    """The place of a fact in the order in which facts are added."""
    return ORDER[type(fact)]


def twisted(fact: Fact) -> Fact:
    """Another fact under the same name."""
    match fact:
        case Principal():
            return replace(fact, active=not fact.active)
        case Resource():
            return replace(fact, parent=LEAF if fact.id != LEAF else None)
        case Claim():
            return replace(fact, role=ROLES[0], resource=Exactly(DOCS))
        case SodSet():
            return replace(fact, mode="static", n=2)
        case Assignment() | GroupAssignment():
            return replace(fact, validity=Validity(4, 9))
        case _:
            return fact


TIGHT: dict[str, Anything] = {
    "ROLE_DEPTH_MAX": 2,
    "GROUP_DEPTH_MAX": 1,
    "RESOURCE_DEPTH_MAX": 2,
    "ROLES_PER_HOLDER_MAX": 2,
    "GROUPS_PER_PRINCIPAL_MAX": 2,
    "PARENTS_PER_ROLE_MAX": 2,
    "CONTAINERS_PER_GROUP_MAX": 1,
    "CLAIMS_PER_ROLE_MAX": 3,
    "PRINCIPALS_MAX": 3,
}


def test_p_induct_the_footprint_counts_as_the_whole_does() -> None:
    """P-INDUCT: with limits that are soon reached, both checks pass one together."""
    tally = Tally("footprint of tight limits")

    @settings(max_examples=150)
    @given(crowds(), st.integers(0, 2**32))
    def agree(state: Organization, seed: int) -> None:
        chance = Random(seed)
        if whole_is_broken(state):
            return
        for _ in range(8):
            delta = corrupt(state, chance)
            after = applied(state, delta)
            if after is None:
                continue
            found = broken(state, after, delta)
            assert (found != ()) == whole_is_broken(after), (delta, found)
            tally.saw("over", any(one.invariant == "within-limits" for one in found))
            tally.saw("whole", found == ())

    with patch.multiple(limits, **TIGHT):
        agree()
    tally.expect(over=20, whole=20)


def test_a_change_that_is_not_what_it_says_is_seen() -> None:
    """Facts that the delta does not tell, or tells and does not do, make the states differ."""
    tally = Tally("unfaithful")

    @settings(max_examples=60)
    @given(crowds(), st.integers(0, 2**32))
    def seen(state: Organization, seed: int) -> None:
        chance = Random(seed)
        told, done = corrupt(state, chance), corrupt(state, chance)
        after = applied(state, done)
        if after is None:
            return
        found = tuple(unfaithful(state, after, told))
        same = facts_of(after) == (facts_of(state) - set(told.removed)) | set(told.added)
        if found == () and not same:
            # What is hidden among relations that the delta touches too is not looked for.
            hidden = facts_of(after) ^ ((facts_of(state) - set(told.removed)) | set(told.added))
            touched = {type(fact) for fact in (*told.removed, *told.added)}
            assert all(
                any(kinds & touched for kinds in FIELDS.values() if type(fact) in kinds)
                for fact in hidden
            )
            tally.saw("hidden")
        tally.saw("seen", found != () and not same)

    seen()
    tally.expect(seen=30)


def facts_of(state: Organization) -> set[Fact]:
    """The facts, as a set."""
    return set(facts(state))


def test_every_part_of_an_organization_is_compared() -> None:
    """A field that is added to the class must be added to the comparison."""
    own = {field.name for field in fields(Organization)} - {"id", "revision", "time_zone"}
    assert set(FIELDS) == own
    assert frozenset(get_args(Fact)) == frozenset().union(*FIELDS.values())
