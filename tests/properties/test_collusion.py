"""What is said of an organization is what trying every change shows, and no walk contradicts it."""

from dataclasses import replace

from hypothesis import event, given, settings
from hypothesis import strategies as st

from grantproof.analysis.reachability.collusion import collude
from grantproof.analysis.reachability.powers import Powers, held_within, powers
from grantproof.analysis.reachability.powers_check import violations
from grantproof.analysis.reachability.question import MayDo, Question, met, replayed
from grantproof.analysis.reachability.verdicts import (
    Limits,
    Reachable,
    Undetermined,
    Unreachable,
)
from grantproof.core.authority import unauthorized
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import (
    AddMember,
    AssignGroupRole,
    AssignRole,
    CreateClaim,
    RemoveMember,
    RevokeGroupRole,
    RevokeRole,
    SingleCommand,
    UnnestGroup,
)
from grantproof.core.constraints import Context
from grantproof.core.hierarchy import effective_roles
from grantproof.core.identifiers import Action, GroupId, PrincipalId, ResourceId, RoleId
from grantproof.core.model import ADMINISTER
from grantproof.core.organization import Organization
from grantproof.core.rights import Right, required
from tests.organizations import NOON
from tests.strategies.collusions import fewest_changes, organizations, questions
from tests.strategies.commands import links, removals, single_commands
from tests.strategies.entities import claims
from tests.strategies.names import FEW, some
from tests.strategies.organizations import organizations as few_organizations

STATES_MAX = 120
SEARCHED = (
    AssignRole,
    RevokeRole,
    AssignGroupRole,
    RevokeGroupRole,
    AddMember,
    RemoveMember,
    UnnestGroup,
)
NAMES = replace(
    FEW,
    principals=some(PrincipalId, "ann bob cid"),
    groups=some(GroupId, "staff board"),
    roles=some(RoleId, "chief clerk head new"),
    resources=some(ResourceId, "docs docs/plan mail"),
    actions=some(Action, "read assign revoke administer delegate"),
    instants=st.integers(NOON.instant - 3, NOON.instant + 8),
)
IMPLICIT = replace(
    NAMES,
    resources=some(ResourceId, "role:chief role:head role:new group:staff organization:acme"),
)
COMMANDS = st.one_of(single_commands(NAMES), links(NAMES), st.builds(CreateClaim, claims(IMPLICIT)))
CONTEXTS = st.builds(
    Context,
    instant=st.integers(NOON.instant - 3, NOON.instant + 8),
    hour=st.integers(0, 23),
    weekday=st.just(NOON.weekday),
    year=st.just(NOON.year),
)


@settings(max_examples=30)
@given(organizations(), questions())
def test_the_answer_is_that_of_trying_every_change(state: Organization, asked: Question) -> None:
    """Yes with as few changes as can be, replayed; no where no sequence brings it about."""
    answer = collude(state, asked)
    event(type(answer).__name__)
    try:
        fewest = fewest_changes(state, asked, most=STATES_MAX)
    except OverflowError:
        event("too many states to try")
        return
    match answer:
        case Reachable(changes, shortest):
            event(f"reachable in {len(changes)}")
            assert (len(changes), shortest) == (fewest, True)
            assert replayed(state, asked, changes) is None
        case Unreachable(how):
            event(how)
            assert fewest is None
        case Undetermined(why):
            event(why)
            assert "another member of a group" in why


@settings(max_examples=30)
@given(
    organizations(structural=True),
    questions(),
    st.lists(COMMANDS, min_size=8, max_size=16),
    CONTEXTS,
)
def test_no_walk_leads_out_of_the_powers(
    state: Organization, asked: Question, commands: list[SingleCommand], other: Context
) -> None:
    """Changes of every kind keep to what was computed: now, and at any other time where it says."""
    answer = collude(state, asked, Limits(revisions=20, attempts=2_000))
    now = powers(state, asked, timeless=False)
    ever = powers(state, asked, timeless=True)
    event(f"they {'may' if now.structural else 'never'} administer")
    proved = isinstance(answer, Unreachable)
    timeless = isinstance(answer, Unreachable) and answer.evidence == ever
    for bound, question in ((now, asked), (ever, _at(asked, other))):
        for after in walk(state, question, commands):
            assert _inside(state, after, question, bound)
            if proved and (bound is now or timeless):
                event("a walk that the answer speaks of")
                assert not met(after, question)


def _at(asked: Question, other: Context) -> Question:
    goal = asked.goal
    goal = replace(goal, context=other) if isinstance(goal, MayDo) else goal
    return replace(asked, goal=goal, context=other)


def _inside(state: Organization, after: Organization, asked: Question, bound: Powers) -> bool:
    instant = asked.context.instant
    return all(
        effective_roles(after, person, instant) & frozenset(state.roles)
        <= held_within(state, asked, bound, principal=person)
        for person in asked.affected
        if person in after.principals
    )


def walk(state: Organization, asked: Question, commands: list[SingleCommand]) -> list[Organization]:
    """Every state on the way of those of the commands that one of the people may make."""
    found: list[Organization] = []
    for command in (*commands, *commands):
        outcome = apply(state, command, actor="ann", instant=asked.context.instant)
        able = (
            person
            for person in sorted(asked.people)
            if unauthorized(state, command, person, context=asked.context) is None
        )
        if isinstance(outcome, Accepted) and next(able, None) is not None:
            state = outcome.state
            found.append(state)
    return found


@settings(max_examples=30)
@given(st.one_of(single_commands(FEW), links(FEW), removals(FEW)), few_organizations())
def test_every_other_command_takes_a_right_to_administer(
    command: SingleCommand, state: Organization
) -> None:
    """So whoever never comes to administer makes no change but the seven that are searched."""
    if not isinstance(command, SEARCHED):
        event("another command")
        needs = required(state, command)
        assert any(isinstance(need, Right) and need.action == ADMINISTER for need in needs)


@settings(max_examples=30)
@given(organizations(structural=True), questions(), st.booleans(), st.booleans())
def test_powers_that_leave_something_out_do_not_pass_the_check(
    state: Organization,
    asked: Question,
    timeless: bool,
    structural: bool,
) -> None:
    """What passes the check is at least what the people may come to."""
    least = powers(state, asked, timeless=timeless)
    for role in sorted(least.givable):
        assert violations(state, asked, replace(least, givable=least.givable - {role})) != ()
    if least.structural and not structural:
        assert violations(state, asked, replace(least, structural=False)) != ()
