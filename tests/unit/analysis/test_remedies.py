"""Why not, by example: for each reason of a deny what would have to be otherwise."""

from dataclasses import replace

from grantproof.analysis.abilities import Unclear
from grantproof.analysis.remedies import Remedy, remedies
from grantproof.analysis.solving import Solver
from grantproof.core.commands.language import AssignRole, ResumePrincipal, RevokeRole
from grantproof.core.constraints import Context, GeoFence, TimeWindow, observe
from grantproof.core.errors import BreaksSod, RefusedAt
from grantproof.core.identifiers import Action, ResourceId
from grantproof.core.matching import Request, resolve, situate
from grantproof.core.model import Assignment, Fact, Principal, Role, Validity
from grantproof.core.organization import Organization
from tests.organizations import (
    ANN,
    C2,
    CLERK,
    EU,
    HEAD,
    NOON,
    US,
    asks,
    claim,
    dynamic,
    library,
    made_of,
    pair,
    people,
    roles,
)
from tests.unit.analysis.baffled import Baffled

NIGHT = replace(NOON, hour=23)


def why_not(
    *facts: Fact, request: Request | None = None, context: Context = NOON
) -> tuple[Remedy, ...]:
    """Return the remedies in the library that has these facts too."""
    asked = asks() if request is None else request
    found = remedies(made_of(*library(), *facts), asked, context, solver=Solver())
    return tuple(one for one in found if isinstance(one, Remedy))


def test_a_claim_of_which_it_is_not_known_is_told_after_what_helps() -> None:
    """It is not left out as if nothing helped: the solver has said nothing of it."""
    claims = (claim(TimeWindow(9, 17)), claim(id=C2, role=HEAD))
    state = made_of(*library(), *people(ANN), *roles(CLERK, HEAD), *claims)
    helps, unclear = remedies(state, asks(), NIGHT, solver=Baffled())
    assert isinstance(helps, Remedy)
    assert helps.claim == claims[1]
    assert unclear == Unclear(claims[0], "no idea")


def test_what_is_allowed_needs_no_remedy() -> None:
    """Nor is there one for what is unknown, or what no claim speaks of."""
    held = (*people(ANN), Role(CLERK), Assignment(ANN, CLERK), claim())
    assert why_not(*held) == ()
    assert why_not(*held, request=asks(resource=ResourceId("nowhere"))) == ()
    assert why_not(*held, request=asks(action=Action("burn"))) == ()
    assert why_not(Role(CLERK), claim()) == ()


def test_whoever_lacks_the_role_is_to_be_assigned_it() -> None:
    """The role of the claim; of several claims the one that brings the least beside comes first."""
    facts = (*people(ANN), *roles(CLERK, HEAD), claim(), claim(id=C2, role=HEAD))
    more = claim(id=C2, role=HEAD)
    assert why_not(*facts) == (
        Remedy(claim(), (AssignRole(ANN, CLERK),), asks(), NOON),
        Remedy(more, (AssignRole(ANN, HEAD),), asks(), NOON),
    )


def test_an_assignment_for_another_time_is_made_anew() -> None:
    """There is at most one for a role: it is revoked first."""
    past = Assignment(ANN, CLERK, Validity(end=5))
    (remedy,) = why_not(*people(ANN), Role(CLERK), past, claim())
    assert remedy.commands == (RevokeRole(ANN, CLERK), AssignRole(ANN, CLERK))


def test_a_remedy_that_is_refused_says_why() -> None:
    """Here separation of duty is in the way; it comes after what is not refused."""
    barred = (*people(ANN), *roles(CLERK, HEAD), Assignment(ANN, HEAD), pair(), claim())
    (remedy,) = why_not(*barred)
    assert remedy.commands == (AssignRole(ANN, CLERK),)
    assert isinstance(remedy.refusal, RefusedAt)
    assert isinstance(remedy.refusal.refusal, BreaksSod)


def test_a_suspended_principal_is_to_be_resumed() -> None:
    """And assigned the role, if it lacks that too."""
    asleep = (Principal(ANN, active=False), Role(CLERK), claim())
    (both,) = why_not(*asleep)
    assert both.commands == (ResumePrincipal(ANN), AssignRole(ANN, CLERK))
    (one,) = why_not(*asleep, Assignment(ANN, CLERK))
    assert one.commands == (ResumePrincipal(ANN),)


def test_too_many_active_roles_take_a_session() -> None:
    """The role of the claim is chosen, alone."""
    both = (Assignment(ANN, CLERK), Assignment(ANN, HEAD), dynamic(pair()))
    (remedy,) = why_not(*people(ANN), *roles(CLERK, HEAD), *both, claim())
    assert (remedy.commands, remedy.request) == ((), asks(active=(CLERK,)))


def test_a_session_that_lacks_the_role_is_to_choose_it_too() -> None:
    """Besides those that it has."""
    both = (Assignment(ANN, CLERK), Assignment(ANN, HEAD))
    narrow = asks(active=(HEAD,))
    (remedy,) = why_not(*people(ANN), *roles(CLERK, HEAD), *both, claim(), request=narrow)
    assert remedy.request == asks(active=(CLERK, HEAD))


def conditioned() -> tuple[Organization, tuple[Fact, ...]]:
    """Return an organization in which ann reads the plan by day in Europe, and its facts."""
    limited = claim(TimeWindow(9, 17), GeoFence(frozenset({EU})))
    facts = (*people(ANN), Role(CLERK), Assignment(ANN, CLERK), limited)
    return made_of(*library(), *facts), facts


def test_conditions_that_fail_are_told_with_a_context_in_which_they_hold() -> None:
    """All of them and no others, and only what they ask for is another."""
    state, facts = conditioned()
    (limited,) = state.claims.values()
    target = resolve(state, asks())
    assert target is not None
    seen = situate(state, asks(), NOON, target=target)
    (remedy,) = why_not(*facts)
    assert remedy.failures == (observe(limited.constraints[1], seen),)
    assert remedy.context == replace(NOON, region=EU)
    (other,) = why_not(*facts, context=replace(NIGHT, region=US))
    assert [one.constraint for one in other.failures] == list(limited.constraints)
    assert (other.context.region, 9 <= other.context.hour < 17) == (EU, True)


def test_a_claim_that_no_context_satisfies_is_no_remedy() -> None:
    """However near it seems."""
    never = claim(TimeWindow(1, 2), TimeWindow(2, 3))
    assert why_not(*people(ANN), Role(CLERK), Assignment(ANN, CLERK), never) == ()


def test_the_least_remedy_comes_first() -> None:
    """A context before a command, a command before two, what is refused last."""
    by_day = claim(TimeWindow(9, 17), id=C2, role=HEAD)
    held = (*people(ANN), *roles(CLERK, HEAD), Assignment(ANN, HEAD), claim(), by_day)
    assert [one.claim.id for one in why_not(*held, context=NIGHT)] == [C2, claim().id]
