"""Who may make which change: rights, their constraints, and the guard against escalation."""

from dataclasses import replace
from itertools import count

import pytest

from grantproof.core.attributes import Literal, Operator, Path, Root, attributes
from grantproof.core.authority import unauthorized
from grantproof.core.commands.language import (
    AddParent,
    AssignRole,
    ChangeSet,
    Command,
    CreateClaim,
    CreateResource,
    CreateRole,
    DeleteClaim,
    DeleteRole,
    RevokeRole,
    SetPrincipalAttributes,
    SingleCommand,
)
from grantproof.core.constraints import Attribute, Constraint, GeoFence, MaxUsage, TimeWindow
from grantproof.core.errors import NotPermitted, RefusedAt
from grantproof.core.identifiers import (
    Action,
    AttributeName,
    ClaimId,
    PrincipalId,
    ResourceId,
    RoleId,
)
from grantproof.core.messages import refusal_message
from grantproof.core.model import (
    ADMINISTER,
    ActionPattern,
    Any,
    Assignment,
    Claim,
    Exactly,
    Fact,
    Inheritance,
    OfKind,
    Principal,
    Resource,
    ResourcePattern,
    Validity,
    Within,
)
from grantproof.core.organization import Organization, with_fact
from grantproof.core.rights import ASSIGN, DELEGATE, REVOKE
from tests.organizations import (
    ANN,
    BOB,
    CHIEF,
    CLERK,
    DOCS,
    EU,
    EVE,
    FILE,
    HEAD,
    ITSELF,
    NOON,
    PLAN,
    READ,
    WRITE,
    claim,
    dynamic,
    library,
    made_of,
    pair,
    people,
    roles,
)

DESK = RoleId("desk")
MADE = RoleId("made")
ROLE = OfKind("role")


NUMBERS = count()
RISEN = Attribute(Path(Root.PRINCIPAL, AttributeName("level")), Operator.GE, Literal(3))


def may(action: Action | Any, resource: ResourcePattern, *limits: Constraint) -> Claim:
    """A claim of ann's role `desk`."""
    pattern = Exactly(action) if isinstance(action, Action) else action
    return Claim(ClaimId(f"own{next(NUMBERS)}"), DESK, pattern, resource, limits)


def on(role: RoleId) -> Exactly[ResourceId]:
    """The role as a resource."""
    return Exactly(ResourceId(f"role:{role}"))


def desk(*more: Fact) -> Organization:
    """Ann holds the role `desk`, which may do what is added; bob holds nothing."""
    return made_of(
        *people(ANN, BOB),
        *roles(DESK, CLERK, HEAD, CHIEF),
        *library(),
        Assignment(ANN, DESK),
        *more,
    )


def lacks(state: Organization, command: Command, author: PrincipalId = ANN) -> str | None:
    """What the author is told, or nothing when the change is permitted."""
    found = unauthorized(state, command, author, context=NOON)
    return None if found is None else refusal_message(found)


GIVE = AssignRole(BOB, CLERK)


def test_assigning_a_role_takes_the_claim_to_assign_it() -> None:
    """The message names the author and the claim that is missing."""
    assert lacks(desk(), GIVE) == (
        "`ann` may not assign `role:clerk`: needs the claim `assign` on `role:clerk`"
    )
    assert lacks(desk(may(ASSIGN, on(CLERK))), GIVE) is None
    assert lacks(desk(may(ASSIGN, ROLE)), GIVE) is None
    assert lacks(desk(may(ASSIGN, Any())), GIVE) is None


@pytest.mark.parametrize(
    "own",
    [
        may(ASSIGN, on(HEAD)),
        may(REVOKE, on(CLERK)),
        may(ADMINISTER, Any()),
        may(Any(), Any()),
        may(ASSIGN, OfKind("group")),
    ],
)
def test_no_other_claim_does(own: Claim) -> None:
    """Not on another role, not another action, and never `*`."""
    assert lacks(desk(own), GIVE) is not None


def test_an_author_who_is_not_there_or_suspended_may_nothing() -> None:
    """What they hold is kept, and is of no use."""
    state = desk(may(ASSIGN, Any()))
    asleep = with_fact(state, Principal(ANN, active=False))
    assert lacks(asleep, GIVE) == "`ann` may not assign `role:clerk`: principal is suspended"
    assert lacks(state, GIVE, author=EVE) == "`eve` may not assign `role:clerk`: unknown principal"


def test_a_right_counts_while_its_constraints_hold_and_its_assignment_lasts() -> None:
    """A window is told; a region or a usage, which a change does not say, is never there."""
    assert lacks(desk(may(ASSIGN, ROLE, TimeWindow(9, 17))), GIVE) is None
    late = lacks(desk(may(ASSIGN, ROLE, TimeWindow(13, 17))), GIVE)
    assert late == (
        "`ann` may not assign `role:clerk`: time window 13-17 does not hold at hour 12 on Wed"
    )
    assert lacks(desk(may(ASSIGN, ROLE, GeoFence(frozenset({EU})))), GIVE) is not None
    assert lacks(desk(may(ASSIGN, ROLE, MaxUsage(5))), GIVE) is not None
    state = desk(may(ASSIGN, ROLE))
    for validity, message in ((Validity(0, 1_001), False), (Validity(0, 1_000), True)):
        held = with_fact(state, Assignment(ANN, DESK, validity))
        assert (lacks(held, GIVE) is not None) == message


def test_what_is_absent_and_what_is_not_yours_are_refused_alike() -> None:
    """Nobody learns from a refusal which roles there are."""
    state = desk(may(ASSIGN, on(HEAD)))
    there, absent = AssignRole(BOB, CLERK), AssignRole(BOB, RoleId("none"))
    assert lacks(state, there) == str(lacks(state, absent)).replace("none", "clerk")
    secret = desk(claim(role=CHIEF, id=ClaimId("secret")))
    assert lacks(secret, DeleteClaim(ClaimId("secret"))) == lacks(
        secret, DeleteClaim(ClaimId("no"))
    )


def test_a_role_is_given_with_the_administration_that_it_inherits() -> None:
    """Assigning a harmless role over a powerful parent takes the right to assign both."""
    guarded = (Inheritance(CLERK, HEAD), Inheritance(HEAD, CHIEF))
    power = Claim(ClaimId("power"), CHIEF, Exactly(ADMINISTER), ROLE)
    state = desk(*guarded, power, may(ASSIGN, on(CLERK)))
    assert lacks(state, GIVE) == (
        "the change would also give `role:chief`, which `ann` may not assign: "
        "needs the claim `assign` on `role:chief`"
    )
    assert lacks(with_fact(state, may(ASSIGN, on(CHIEF))), GIVE) is None
    ordinary = desk(*guarded, replace(power, action=Any()), may(ASSIGN, on(CLERK)))
    assert lacks(ordinary, GIVE) is None


def test_a_parent_is_given_as_if_it_were_assigned() -> None:
    """Who holds the child gets the parent: to change the child is not enough."""
    add = AddParent(CLERK, HEAD)
    assert lacks(desk(may(ADMINISTER, on(CLERK))), add) == (
        "`ann` may not assign `role:head`: needs the claim `assign` on `role:head`"
    )
    assert lacks(desk(may(ADMINISTER, on(CLERK)), may(ASSIGN, on(HEAD))), add) is None
    assert lacks(desk(may(ADMINISTER, Exactly(ITSELF)), may(ASSIGN, on(HEAD))), add) is None


def gift(action: Action | None, resource: ResourcePattern, *limits: TimeWindow) -> CreateClaim:
    """A claim for clerks."""
    pattern: ActionPattern = Any() if action is None else Exactly(action)
    return CreateClaim(claim(*limits, action=pattern, resource=resource))


def test_nobody_grants_what_they_may_not() -> None:
    """The message names what would be granted, and what would entitle to it."""
    state = desk(may(ADMINISTER, on(CLERK)), may(READ, Within(DOCS)))
    assert lacks(state, gift(READ, Exactly(PLAN))) is None
    assert lacks(state, gift(WRITE, Within(DOCS))) == (
        "the change would grant `write` on `docs/**`, which `ann` may not do: "
        "needs a claim that contains it, or the claim `delegate` on `role:clerk`"
    )
    for beyond in (gift(None, Exactly(PLAN)), gift(READ, Any()), gift(READ, OfKind(FILE))):
        assert lacks(state, beyond) is not None


def test_a_right_under_constraints_is_passed_on_under_the_same() -> None:
    """Never as more than it is; a meter is not passed on at all."""
    office = TimeWindow(9, 17)
    state = desk(may(ADMINISTER, on(CLERK)), may(READ, Within(DOCS), office))
    assert lacks(state, gift(READ, Exactly(PLAN))) is not None
    assert lacks(state, gift(READ, Exactly(PLAN), office)) is None
    metered = desk(may(ADMINISTER, on(CLERK)), may(READ, Within(DOCS), MaxUsage(5)))
    one_more = CreateClaim(claim(MaxUsage(5), resource=Exactly(PLAN)))
    assert lacks(metered, one_more) is not None


def test_to_delegate_to_a_role_is_to_give_it_anything_but_administration() -> None:
    """Administrative rights only come from those who hold them."""
    state = desk(may(ADMINISTER, ROLE), may(DELEGATE, on(CLERK)))
    assert lacks(state, gift(WRITE, Any())) is None
    assert lacks(state, gift(None, Any())) is None
    assert lacks(state, CreateClaim(claim(role=HEAD))) is not None
    assert lacks(state, gift(ADMINISTER, Exactly(ITSELF))) == (
        "the change would grant `administer` on `organization:acme`, which `ann` may not do: "
        "needs a claim that contains it"
    )
    assert lacks(state, gift(ADMINISTER, on(CLERK))) is None
    assert lacks(state, gift(ASSIGN, on(CLERK))) is not None


def test_dynamic_duty_leaves_a_clashing_author_without_any_right() -> None:
    """Roles that administer are subject to separation of duty as all others are."""
    state = desk(may(ASSIGN, ROLE), Assignment(ANN, HEAD))
    clashing = with_fact(state, dynamic(pair(2, DESK, HEAD)))
    assert lacks(state, GIVE) is None
    assert lacks(clashing, GIVE) == (
        "`ann` may not assign `role:clerk`: session: desk, head may not be active together: "
        "choose fewer in `active_roles`"
    )


def test_registering_takes_the_kind_and_the_place() -> None:
    """An id may be known to others before it is registered: its kind is asked for."""
    make = CreateResource(Resource(ResourceId("docs/new"), FILE, DOCS))
    inside, kind = may(ADMINISTER, Within(DOCS)), may(ADMINISTER, OfKind(FILE))
    assert lacks(desk(inside), make) is not None
    assert lacks(desk(kind), make) is not None
    assert lacks(desk(inside, kind), make) is None


def test_setting_a_trait_takes_the_claims_that_look_at_it() -> None:
    """Whoever may assign the role may let its condition come true."""
    rise = SetPrincipalAttributes(BOB, attributes({"level": 3}))
    held = (Assignment(BOB, HEAD), claim(RISEN, role=HEAD, action=Exactly(WRITE)))
    whole = may(ADMINISTER, Exactly(ITSELF))
    assert lacks(desk(whole), rise) is None
    assert lacks(desk(whole, *held), rise) == (
        "the change would grant `write` on `docs/plan`, which `ann` may not do: needs a claim that"
        " contains it, or the claim `delegate` on `role:head`, or the claim `assign` on `role:head`"
    )
    for own in (may(DELEGATE, on(HEAD)), may(ASSIGN, on(HEAD)), may(WRITE, Exactly(PLAN))):
        assert lacks(desk(whole, *held, own), rise) is None


def test_a_change_set_is_judged_step_by_step() -> None:
    """Each on the state that those before it leave; the position of the first is told."""
    state = desk(may(ADMINISTER, Any()), may(ASSIGN, ROLE))
    steps: tuple[SingleCommand, ...] = (
        CreateRole(MADE),
        CreateClaim(claim(role=MADE, action=Exactly(ADMINISTER), resource=on(MADE))),
        AssignRole(BOB, MADE),
    )
    assert unauthorized(state, ChangeSet(steps), ANN, context=NOON) is None
    refused = unauthorized(
        state, ChangeSet((*steps, RevokeRole(BOB, MADE), DeleteRole(MADE))), ANN, context=NOON
    )
    assert refused == RefusedAt(
        3, NotPermitted("ann", "revoke", "role:made", "required", REFUSED_WORDS)
    )


REFUSED_WORDS = "needs the claim `revoke` on `role:made`"


def test_what_comes_after_a_command_that_is_refused_anyway_is_not_judged() -> None:
    """The refusal of that command is the answer."""
    state = desk(may(ADMINISTER, Exactly(ITSELF)))
    steps = (CreateRole(CLERK), AssignRole(BOB, CLERK))
    assert unauthorized(state, ChangeSet(steps), ANN, context=NOON) is None
