"""`apply`: accepted changes and their events, rejected ones that leave everything as it was."""

from dataclasses import replace
from typing import get_args

import pytest

from grantproof.core.attributes import Attributes, Literal, Operator, Path, Root, attributes
from grantproof.core.commands import Accepted, Event, Rejected, apply
from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    ChangeSodSet,
    Command,
    CreateClaim,
    CreatePrincipal,
    CreateRole,
    DeleteClaim,
    DeletePrincipal,
    DeleteRole,
    ResumePrincipal,
    RevokeRole,
    SetPrincipalAttributes,
    SetResourceAttributes,
    SingleCommand,
    SuspendPrincipal,
)
from grantproof.core.constraints import Attribute
from grantproof.core.errors import (
    AlreadyExists,
    Illegal,
    LastAdministrator,
    Missing,
    RefusedAt,
)
from grantproof.core.identifiers import AttributeName
from grantproof.core.invariants import valid
from grantproof.core.limits import INSTANT_MAX
from grantproof.core.model import ALWAYS, Assignment, Delta, Principal, Role, Validity
from grantproof.core.organization import Organization, advance
from tests.organizations import (
    ACME,
    ANN,
    BOB,
    C1,
    CHIEF,
    CLERK,
    HEAD,
    PLAN,
    claim,
    library,
    made_of,
    outcome,
    pair,
    people,
    refusal_of,
    roles,
    run_by,
)

BASE = made_of(*people(ANN), *roles(CLERK), *library(), revision=4)
ONE = attributes({"level": 1})
TRUE = attributes({"level": True})


def accepted(state: Organization, command: Command) -> Accepted:
    """The outcome of a command that is accepted."""
    result = outcome(state, command)
    assert isinstance(result, Accepted)
    return result


def test_an_accepted_command_makes_the_next_revision_and_its_event() -> None:
    """The event names organization, revision, instant, actor, command and delta."""
    command = AssignRole(ANN, CLERK)
    result = apply(BASE, command, actor="eve", instant=77)
    assert isinstance(result, Accepted)
    delta = Delta(added=(Assignment(ANN, CLERK),))
    assert result.event == Event(ACME, 5, 77, "eve", command, delta)
    assert (result.state.revision, result.state) == (5, advance(BASE, delta))


def test_a_rejected_command_carries_only_its_witness() -> None:
    """P-REJECT: no state, no event; the caller's state is what it was."""
    before = made_of(*people(ANN), *roles(CLERK), *library(), revision=4)
    result = apply(BASE, AssignRole(BOB, CLERK), actor="eve", instant=77)
    assert result == Rejected(Missing("principal", (BOB,)))
    assert before == BASE


def test_the_delta_alone_replays_a_change_set() -> None:
    """What all its commands did is one delta, which leads from before to after."""
    change = ChangeSet(
        (
            CreatePrincipal(BOB),
            CreateRole(HEAD),
            AssignRole(BOB, HEAD),
            RevokeRole(BOB, HEAD),
            AssignRole(BOB, HEAD, Validity(5)),
            SuspendPrincipal(ANN),
        )
    )
    result = accepted(BASE, change)
    assert advance(BASE, result.event.delta) == result.state
    assert result.state.revision == 5
    assert set(result.event.delta.added) == {
        Principal(BOB),
        Role(HEAD),
        Assignment(BOB, HEAD, Validity(5)),
        Principal(ANN, active=False),
    }
    assert result.event.delta.removed == (Principal(ANN),)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_change_set_is_all_or_nothing(position: int) -> None:
    """The refused command is named by its position, and none of the others takes effect."""
    good: list[SingleCommand] = [CreatePrincipal(BOB), CreateRole(HEAD)]
    good.insert(position, AssignRole(ANN, CHIEF))
    result = outcome(BASE, ChangeSet(tuple(good)))
    assert result == Rejected(RefusedAt(position, Missing("role", (CHIEF,))))


def test_a_command_of_a_change_set_sees_what_came_before_it() -> None:
    """What one creates the next may use, and what one takes the next misses."""
    uses = ChangeSet((CreateRole(HEAD), AssignRole(ANN, HEAD)))
    misses = ChangeSet((DeleteRole(CLERK), AssignRole(ANN, CLERK)))
    twice = ChangeSet((CreateRole(HEAD), CreateRole(HEAD)))
    assert isinstance(outcome(BASE, uses), Accepted)
    assert refusal_of(BASE, misses) == RefusedAt(1, Missing("role", (CLERK,)))
    assert refusal_of(BASE, twice) == RefusedAt(1, AlreadyExists("role", (HEAD,)))


def test_what_follows_several_assignments_is_named_by_its_own_position() -> None:
    """However many are made at once before it, and after something else."""
    made = CreateRole(HEAD), CreateRole(CHIEF), AssignRole(ANN, HEAD), AssignRole(ANN, CHIEF)
    assert isinstance(outcome(BASE, ChangeSet(made)), Accepted)
    follows = ChangeSet((*made, CreateRole(HEAD), CreatePrincipal(BOB)))
    assert refusal_of(BASE, follows) == RefusedAt(4, AlreadyExists("role", (HEAD,)))


def test_a_change_set_that_undoes_itself_changes_no_fact() -> None:
    """The revision grows, the delta is empty."""
    loops = ChangeSet((SuspendPrincipal(ANN), ResumePrincipal(ANN)))
    result = accepted(BASE, loops)
    assert (result.event.delta, result.state) == (Delta(), replace(BASE, revision=5))


def test_the_last_administrator_is_judged_after_the_whole_set() -> None:
    """The set as a whole is refused, not one of its positions."""
    state = made_of(*run_by(ANN), *people(BOB))
    sets = (SuspendPrincipal(ANN), CreateRole(CLERK))
    assert refusal_of(state, ChangeSet(sets)) == LastAdministrator(ACME)
    comes_back = (SuspendPrincipal(ANN), ResumePrincipal(ANN))
    assert refusal_of(state, ChangeSet(comes_back)) is None


@pytest.mark.parametrize(
    ("before", "now"), [(ONE, TRUE), (TRUE, ONE), (attributes({"level": 0}), attributes({}))]
)
def test_attributes_are_replaced_by_what_was_set(before: Attributes, now: Attributes) -> None:
    """A bool is not an int: setting `true` where `1` was, or the reverse, is a change."""
    stored = made_of(Principal(ANN, attributes=before), *library(before))
    commands = (SetPrincipalAttributes(ANN, now), SetResourceAttributes(PLAN, now))
    for command in commands:
        stored = accepted(stored, command).state
    found = (stored.principals[ANN].attributes, stored.resources[PLAN].attributes)
    assert [[(v, type(v)) for v in each.values()] for each in found] == [
        [(v, type(v)) for v in now.values()]
    ] * 2


def test_a_change_set_replays_true_as_true() -> None:
    """The delta of a set that replaces `1` by `true` in a claim says so."""
    level = Path(Root.CONTEXT, AttributeName("level"))
    one, true = (claim(Attribute(level, Operator.EQ, Literal(value))) for value in (1, True))
    before = made_of(*roles(CLERK), *library(), one)
    result = accepted(before, ChangeSet((DeleteClaim(C1), CreateClaim(true))))
    replayed = advance(before, result.event.delta)
    constraints = (replayed.claims[C1].constraints, result.state.claims[C1].constraints)
    operands = [found[0].operand for found in constraints]  # type: ignore[union-attr]  # as made
    values = [operand.value for operand in operands]  # type: ignore[union-attr]  # as made
    assert [type(value) for value in values] == [bool, bool]


def test_setting_what_is_there_already_is_an_empty_change() -> None:
    """Accepted, with the next revision and an empty delta."""
    state = made_of(*people(ANN), *roles(CLERK, HEAD), pair())
    commands: list[Command] = [
        SetPrincipalAttributes(ANN, attributes({})),
        ChangeSodSet(pair()),
    ]
    for command in commands:
        result = accepted(state, command)
        assert (result.event.delta, result.state.revision) == (Delta(), 1)


@pytest.mark.parametrize("instant", [-1, 253_402_300_800])
def test_an_event_has_a_legal_instant(instant: int) -> None:
    """Between the years 1970 and 9999."""
    with pytest.raises(Illegal, match="`instant` must be epoch seconds"):
        apply(BASE, CreateRole(HEAD), actor="eve", instant=instant)


def test_an_actor_has_1_to_256_characters() -> None:
    """1, 255 and 256 are legal; 0 and 257 are not."""
    made = [apply(BASE, CreateRole(HEAD), actor="x" * n, instant=0) for n in (1, 255, 256)]
    assert [isinstance(result, Accepted) for result in made] == [True] * 3
    for length in (0, 257):
        with pytest.raises(Illegal, match="`actor` must have 1 to 256 characters"):
            apply(BASE, CreateRole(HEAD), actor="x" * length, instant=0)
    with pytest.raises(Illegal, match="`actor` must be Unicode text"):
        apply(BASE, CreateRole(HEAD), actor="\ud800", instant=0)
    with pytest.raises(Illegal, match="`actor` must be text without the character NUL"):
        apply(BASE, CreateRole(HEAD), actor="a\0", instant=0)


def test_deleting_everything_leaves_a_valid_empty_organization() -> None:
    """Commands can take away all that commands have made."""
    state = made_of(*people(ANN), *roles(CLERK), Assignment(ANN, CLERK, ALWAYS))
    for command in (DeletePrincipal(ANN, cascade=True), DeleteRole(CLERK)):
        state = accepted(state, command).state
    assert (state, valid(state)) == (Organization(ACME, 2), ())


def test_there_are_31_commands_and_the_change_set() -> None:
    """The closed union of what an administrator may propose."""
    assert len(get_args(SingleCommand)) == 31
    assert set(get_args(Command)) - set(get_args(SingleCommand)) == {ChangeSet}


def test_an_event_happens_between_the_years_1970_and_9999() -> None:
    """The first and the last second are legal, the ones before and after are not."""
    command = AssignRole(ANN, CLERK)
    ends = [Event(ACME, 1, at, "eve", command, Delta()).instant for at in (0, INSTANT_MAX)]
    assert ends == [0, INSTANT_MAX]
    for beyond in (-1, INSTANT_MAX + 1):
        with pytest.raises(Illegal, match="between the years 1970 and 9999"):
            Event(ACME, 1, beyond, "eve", command, Delta())
