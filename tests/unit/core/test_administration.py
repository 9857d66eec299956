"""Who counts as an administrator, and that the last one stays."""

from dataclasses import replace

import pytest

from grantproof.core.administration import administrative_roles, has_administrator
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import (
    AddMember,
    AssignGroupRole,
    AssignRole,
    ChangeSet,
    Command,
    CreateClaim,
    CreateGroup,
    CreatePrincipal,
    CreateRole,
    DeleteClaim,
    DeleteGroup,
    DeletePrincipal,
    DeleteRole,
    RemoveMember,
    RemoveParent,
    RevokeGroupRole,
    RevokeRole,
    SuspendPrincipal,
    UnnestGroup,
)
from grantproof.core.constraints import TimeWindow
from grantproof.core.errors import LastAdministrator
from grantproof.core.identifiers import ClaimId, ResourceId
from grantproof.core.model import (
    ADMINISTER,
    Administered,
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
    Principal,
    ResourcePattern,
    Validity,
    Within,
)
from grantproof.core.organization import Organization
from tests.organizations import (
    ACME,
    ANN,
    BOARD,
    CHIEF,
    CLERK,
    DOCS,
    HEAD,
    ITSELF,
    READ,
    STAFF,
    after,
    groups,
    library,
    made_of,
    outcome,
    people,
    refusal_of,
    roles,
    run_by,
)

RUN = ClaimId("run")
LAST = LastAdministrator(ACME)
# Ann administers through a group in a group and an inherited role, and in no other way.
WINDING: tuple[Fact, ...] = (
    *people(ANN),
    *groups(STAFF, BOARD),
    *roles(CHIEF, HEAD),
    Claim(RUN, CHIEF, Exactly(ADMINISTER), Within(ITSELF)),
    Inheritance(HEAD, CHIEF),
    Membership(ANN, STAFF),
    Nesting(STAFF, BOARD),
    GroupAssignment(BOARD, HEAD),
    Administered(),
)
WAYS_OUT: list[Command] = [
    SuspendPrincipal(ANN),
    DeletePrincipal(ANN, cascade=True),
    RemoveMember(ANN, STAFF),
    DeleteGroup(STAFF, cascade=True),
    UnnestGroup(STAFF, BOARD),
    DeleteGroup(BOARD, cascade=True),
    RevokeGroupRole(BOARD, HEAD),
    DeleteRole(HEAD, cascade=True),
    RemoveParent(HEAD, CHIEF),
    DeleteRole(CHIEF, cascade=True),
    DeleteClaim(RUN),
]


def holding(resource: ResourcePattern, *, action: str = "administer") -> Organization:
    """Ann is assigned a role with a claim on the resource."""
    exactly = Exactly(type(ADMINISTER)(action))
    return made_of(
        *people(ANN),
        *roles(CHIEF),
        *library(),
        Claim(RUN, CHIEF, exactly, resource),
        Assignment(ANN, CHIEF),
    )


@pytest.mark.parametrize(
    "resource", [Exactly(ITSELF), Within(ITSELF), OfKind("organization"), Any()]
)
def test_every_form_of_a_claim_on_the_organization_makes_an_administrator(
    resource: ResourcePattern,
) -> None:
    """By id, as a subtree, by kind, or over everything."""
    state = holding(resource)
    assert has_administrator(state)
    assert administrative_roles(state) == {CHIEF}


@pytest.mark.parametrize(
    "resource", [Exactly(DOCS), Within(DOCS), OfKind("file"), Exactly(ResourceId("role:chief"))]
)
def test_a_claim_on_anything_else_makes_none(resource: ResourcePattern) -> None:
    """Administering a part of it is not administering the organization."""
    assert not has_administrator(holding(resource))


def test_another_action_or_every_action_makes_none() -> None:
    """The claim must name `administer`: `*` does not match it."""
    anything = made_of(
        *people(ANN), *roles(CHIEF), Claim(RUN, CHIEF, Any(), Any()), Assignment(ANN, CHIEF)
    )
    assert (has_administrator(anything), has_administrator(holding(Any(), action="assign"))) == (
        False,
        False,
    )


def test_a_constrained_claim_makes_none() -> None:
    """Who may administer only at noon may be unable to when needed."""
    window = TimeWindow(0, 24)
    constrained = Claim(RUN, CHIEF, Exactly(ADMINISTER), Any(), (window,))
    state = made_of(*people(ANN), *roles(CHIEF), constrained, Assignment(ANN, CHIEF))
    assert not has_administrator(state)


@pytest.mark.parametrize("validity", [Validity(5), Validity(end=5), Validity(5, 6)])
def test_an_assignment_limited_in_time_does_not_count(validity: Validity) -> None:
    """Neither directly nor through a group."""
    claimed = Claim(RUN, CHIEF, Exactly(ADMINISTER), Any())
    base = (*people(ANN), *groups(STAFF), *roles(CHIEF), claimed, Membership(ANN, STAFF))
    direct = made_of(*base, Assignment(ANN, CHIEF, validity))
    through = made_of(*base, GroupAssignment(STAFF, CHIEF, validity))
    assert (has_administrator(direct), has_administrator(through)) == (False, False)


def test_a_suspended_principal_administers_nothing() -> None:
    """Only active principals count."""
    state = holding(Any())
    asleep = replace(state, principals=state.principals.set(ANN, Principal(ANN, active=False)))
    assert not has_administrator(asleep)


def test_groups_and_inheritance_lead_to_an_administrator() -> None:
    """The whole winding way counts."""
    assert has_administrator(made_of(*WINDING))


@pytest.mark.parametrize("command", WAYS_OUT, ids=lambda command: type(command).__name__)
def test_no_command_removes_the_last_administrator(command: Command) -> None:
    """Whichever link of the way a command would cut, it is refused."""
    assert refusal_of(made_of(*WINDING), command) == LAST


@pytest.mark.parametrize("command", WAYS_OUT, ids=lambda command: type(command).__name__)
def test_the_same_command_is_accepted_beside_another_administrator(command: Command) -> None:
    """With a second administrator the first may go, in every way."""
    second = type(ANN)("second")
    facts: list[Fact] = [
        *WINDING,
        *people(second),
        *roles(CLERK),
        Claim(ClaimId("run2"), CLERK, Exactly(ADMINISTER), Any()),
        Assignment(second, CLERK),
    ]
    assert isinstance(outcome(made_of(*facts), command), Accepted)


def test_a_second_administrator_of_limited_time_does_not_help() -> None:
    """What expires would leave none, so it does not count as another one."""
    second = type(ANN)("second")
    state = made_of(*run_by(ANN), *people(second), Assignment(second, CHIEF, Validity(0, 9_999)))
    assert refusal_of(state, RevokeRole(ANN, CHIEF)) == LAST
    assert refusal_of(state, RevokeRole(second, CHIEF)) is None


def test_a_change_set_may_replace_the_last_administrator() -> None:
    """What counts is who there is after the whole set."""
    second = type(ANN)("second")
    hand_over = (CreatePrincipal(second), RevokeRole(ANN, CHIEF), AssignRole(second, CHIEF))
    state = after(made_of(*run_by(ANN)), ChangeSet(hand_over))
    assert (has_administrator(state), state.administered) == (True, True)
    assert refusal_of(made_of(*run_by(ANN)), ChangeSet(hand_over[:2])) == LAST


def test_an_organization_without_administrators_may_stay_so() -> None:
    """Until it had one, nothing is kept."""
    state = made_of(*people(ANN), *roles(CLERK), Assignment(ANN, CLERK))
    assert after(state, RevokeRole(ANN, CLERK), DeletePrincipal(ANN)).administered is False


@pytest.mark.parametrize(
    ("before", "last"),
    [
        (
            (CreatePrincipal(ANN), CreateRole(CHIEF), AssignRole(ANN, CHIEF)),
            CreateClaim(Claim(RUN, CHIEF, Exactly(ADMINISTER), Any())),
        ),
        (
            (
                CreatePrincipal(ANN),
                CreateRole(CHIEF),
                CreateClaim(Claim(RUN, CHIEF, Exactly(ADMINISTER), Any())),
            ),
            AssignRole(ANN, CHIEF),
        ),
        (
            (
                CreatePrincipal(ANN),
                CreateGroup(STAFF),
                CreateRole(CHIEF),
                CreateClaim(Claim(RUN, CHIEF, Exactly(ADMINISTER), Any())),
                AssignGroupRole(STAFF, CHIEF),
            ),
            AddMember(ANN, STAFF),
        ),
    ],
)
def test_the_first_administrator_is_remembered(before: tuple[Command, ...], last: Command) -> None:
    """Whichever command completes the first one, its event says that there has been one."""
    state = after(Organization(ACME), *before)
    result = outcome(state, last)
    assert isinstance(result, Accepted)
    assert (state.administered, result.state.administered) == (False, True)
    assert result.event.delta.added[-1] == Administered()


def test_reading_is_not_administering() -> None:
    """An ordinary claim on the organization makes no administrator."""
    assert not has_administrator(holding(Any(), action=str(READ)))
