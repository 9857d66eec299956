"""The semantic difference of two states, by example; `tests/properties` holds it to brute force."""

from dataclasses import replace

import pytest

from grantproof.analysis import difference as module
from grantproof.analysis.difference import difference
from grantproof.analysis.findings import Change, Count, Difference, Subject, Verdict
from grantproof.analysis.solving import Solver, Undetermined
from grantproof.core.attributes import Operator, Path, PrincipalIdentity, Root, attributes
from grantproof.core.constraints import Attribute, MaxUsage, TimeWindow
from grantproof.core.identifiers import AttributeName, PrincipalId, ResourceId
from grantproof.core.matching import Request
from grantproof.core.model import (
    ALWAYS,
    Any,
    Assignment,
    Fact,
    GroupAssignment,
    Inheritance,
    KindDeclaration,
    Membership,
    OfKind,
    Principal,
    Resource,
    Validity,
)
from grantproof.core.organization import Organization
from grantproof.core.policy import Deny, NoMatchingClaim, NoRole, evaluate
from tests.organizations import (
    ANN,
    BOB,
    C2,
    C3,
    CLERK,
    FILE,
    HEAD,
    PLAN,
    STAFF,
    asks,
    claim,
    dynamic,
    groups,
    library,
    made_of,
    pair,
    people,
    roles,
)

NOW = 1_000
HIRED = Assignment(ANN, CLERK)


def office(*facts: Fact) -> Organization:
    """Ann and Bob, two roles, a group and the library, and these facts."""
    return made_of(*people(ANN, BOB), *roles(CLERK, HEAD), *groups(STAFF), *library(), *facts)


def compared(old: Organization, new: Organization, *, limit: int | None = None) -> Difference:
    """The difference, at noon of a day long ago."""
    return difference(old, new, Solver(), now=NOW, limit=limit)


def the_gain(found: Difference) -> Change:
    """The only change there is, which is a gain."""
    assert (found.verdict, len(found.gains), found.losses) == (Verdict.MORE, 1, ())
    return found.gains[0]


def test_a_state_allows_what_it_allows() -> None:
    """The same state, and the same facts put together apart."""
    facts = (claim(), HIRED)
    state = office(*facts)
    assert compared(state, state) == compared(office(*facts), office(*facts))
    assert compared(state, state).verdict is Verdict.EQUAL


def test_a_new_claim_is_gained_by_whoever_holds_its_role() -> None:
    """With the certificate of the new state, the reason of the old one, and both replayed."""
    old = office(claim(id=C2, resource=OfKind("folder")), HIRED)
    new = office(claim(id=C2, resource=OfKind("folder")), HIRED, claim())
    gain = the_gain(compared(old, new))
    assert gain.scope.example == Request(ANN, asks().action, PLAN)
    assert (list(gain.scope.principals), gain.scope.count) == ([ANN], 1)
    assert gain.certificate.claim == claim()
    assert gain.reason == NoMatchingClaim()
    assert evaluate(old, gain.scope.example, gain.context) == Deny(gain.reason)


def test_access_is_lost_in_the_other_direction() -> None:
    """What was gained is lost on the way back, and the reason is the new state's."""
    old, new = office(claim(), HIRED), office(claim())
    found = compared(old, new)
    assert (found.verdict, found.gained, found.lost) == (Verdict.LESS, Count(), Count(1, 1))
    assert found.losses[0].reason == NoRole()


def test_a_claim_under_another_id_and_role_is_no_change() -> None:
    """Who may do what counts, not by which claim, role or group."""
    old = office(claim(), HIRED)
    through_group = (Membership(ANN, STAFF), GroupAssignment(STAFF, HEAD), Inheritance(HEAD, CLERK))
    new = office(claim(id=C3), *through_group)
    assert compared(old, new).verdict is Verdict.EQUAL


def test_a_wider_window_is_gained_at_an_hour_that_it_adds() -> None:
    """The context is at an hour that only the new window has; nothing is lost."""
    old, new = (office(claim(TimeWindow(9, end)), HIRED) for end in (17, 20))
    gain = the_gain(compared(old, new))
    assert gain.context.hour in range(17, 20)


def test_other_limits_gain_and_lose() -> None:
    """The same principal, action and resource in both lists, each with a context of its own."""
    old, new = office(claim(TimeWindow(9, 17)), HIRED), office(claim(MaxUsage(3)), HIRED)
    found = compared(old, new)
    assert found.verdict is Verdict.INCOMPARABLE
    assert found.gains[0].scope == found.losses[0].scope
    assert found.gains[0].context.hour not in range(9, 17)
    assert (found.losses[0].context.usage or 3) >= 3


def test_a_time_that_is_no_more_is_shown_in_that_time() -> None:
    """The present goes first; access of another time is shown in that time."""
    old, new = (
        office(claim(), Assignment(ANN, CLERK, Validity(end=end))) for end in (5_000, 9_000)
    )
    gain = the_gain(compared(old, new))
    assert gain.context.instant == 5_000
    always = office(claim(), Assignment(ANN, CLERK, ALWAYS))
    assert the_gain(compared(office(claim()), always)).context.instant == NOW


def test_roles_that_clash_allow_nothing() -> None:
    """A dynamic set over what somebody holds takes all access of both roles."""
    held = (claim(), HIRED, Assignment(ANN, HEAD), claim(id=C2, role=HEAD, resource=Any()))
    found = compared(office(*held), office(*held, dynamic(pair())))
    assert found.verdict is Verdict.LESS
    assert {principal for one in found.losses for principal in one.scope.principals} == {ANN}


def test_a_suspended_principal_loses_all() -> None:
    """And gains it again when resumed."""
    old = office(claim(), HIRED)
    asleep = replace(old, principals=old.principals.set(ANN, Principal(ANN, active=False)))
    assert compared(old, asleep).verdict is Verdict.LESS
    assert compared(asleep, old).verdict is Verdict.MORE


def test_any_action_is_told_as_such() -> None:
    """Of `*` the actions that claims name are listed, and others are said to be meant."""
    old = office(HIRED, claim(id=C2, role=HEAD))
    new = office(HIRED, claim(id=C2, role=HEAD), claim(id=C3, action=Any()))
    gain = the_gain(compared(old, new))
    assert gain.scope.actions.named == (asks().action,)
    assert gain.scope.actions.other is not None


def test_unregistered_resources_of_a_kind_are_one() -> None:
    """A claim on a kind is gained on those of it that are registered and on any that is not."""
    gain = the_gain(compared(office(HIRED), office(HIRED, claim(resource=OfKind("file")))))
    assert set(gain.scope.subjects) == {
        Subject(PLAN),
        Subject(ResourceId("any-file"), FILE, registered=False),
    }


def test_a_resource_that_is_registered_is_gained_by_its_id() -> None:
    """Before, it was known only to whom named its kind; its kind made it known then as now."""
    old = office(HIRED, claim(resource=OfKind("file")))
    new = office(HIRED, claim(resource=OfKind("file")), Resource(ResourceId("docs/new"), FILE))
    gain = the_gain(compared(old, new))
    assert gain.scope.subjects == (Subject(ResourceId("docs/new")),)


def test_a_stored_attribute_decides() -> None:
    """Whoever owns the plan may read it: another owner gains, the old one loses."""
    owned = claim(
        Attribute(Path(Root.RESOURCE, AttributeName("owner")), Operator.EQ, PrincipalIdentity())
    )
    held = (*people(ANN, BOB), *roles(CLERK), owned, HIRED, Assignment(BOB, CLERK))
    old, new = (made_of(*held, *library(attributes({"owner": who}))) for who in ("ann", "bob"))
    found = compared(old, new)
    assert (list(found.gains[0].scope.principals), list(found.losses[0].scope.principals)) == (
        [BOB],
        [ANN],
    )


def test_many_who_gain_the_same_are_one_line() -> None:
    """With a count at once and every name on demand."""
    crowd = [PrincipalId(f"p{number:04}") for number in range(1_000)]
    held = (*people(*crowd), *(Membership(one, STAFF) for one in crowd))
    old = office(*held, claim(id=C2, role=HEAD), claim())
    new = office(*held, claim(id=C2, role=HEAD), claim(), GroupAssignment(STAFF, CLERK))
    gain = the_gain(compared(old, new))
    assert (len(gain.scope.principals), list(gain.scope.principals)) == (1_000, crowd)


def test_no_more_are_shown_than_asked_for_and_all_are_counted() -> None:
    """Each gain and each loss up to the limit, in the order of what they are about."""
    ones = [claim(id=C2, resource=OfKind("folder")), claim(TimeWindow(1, 2), id=C3)]
    found = compared(office(HIRED), office(HIRED, *ones), limit=1)
    assert (len(found.gains), found.gained) == (1, Count(2, 3))
    assert found.gains == compared(office(HIRED), office(HIRED, *ones)).gains[:1]


def test_what_the_solver_leaves_open_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict too, unless a change in each direction is known."""
    monkeypatch.setattr(Solver, "decide", lambda *_: Undetermined("it gave up"))
    old, new = office(claim(), HIRED), office(claim(), Assignment(BOB, CLERK))
    found = compared(old, new)
    assert found.verdict is Verdict.UNDETERMINED
    assert {one.why for one in found.undetermined} == {"it gave up"}


def test_what_does_not_replay_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """An example that the states decide in another way leaves its class open."""
    monkeypatch.setattr(module, "evaluate", lambda *_: Deny(NoRole()))
    found = compared(office(claim()), office(claim(), HIRED))
    assert (found.verdict, found.gains) == (Verdict.UNDETERMINED, ())
    assert "decided in another way" in found.undetermined[0].why


def test_other_kinds_make_other_resources_known() -> None:
    """A kind that is declared is known by any resource of it, to whom a claim on all lets."""
    old = made_of(*people(ANN), *roles(CLERK), HIRED, claim(resource=Any()))
    new = made_of(*people(ANN), *roles(CLERK), HIRED, claim(resource=Any()), KindDeclaration(FILE))
    gain = the_gain(compared(old, new))
    assert [subject.kind for subject in gain.scope.subjects] == [FILE]
