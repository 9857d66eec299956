"""The administration point decides the right of the author on the state that it changes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from typing_extensions import override

from grantproof.adapters.memory import MemoryStore
from grantproof.core.commands import Accepted, Event, Rejected
from grantproof.core.commands.language import (
    AddParent,
    AssignRole,
    ChangeSet,
    Command,
    CreateClaim,
    CreatePrincipal,
    CreateRole,
    CreateSodSet,
    DeleteClaim,
    RemoveParent,
    RevokeRole,
)
from grantproof.core.constraints import Constraint, GeoFence, TimeWindow
from grantproof.core.errors import BreaksSod, Missing, NotPermitted, RefusedAt
from grantproof.core.identifiers import ClaimId, OrganizationId, PrincipalId, RoleId
from grantproof.core.limits import COMMIT_ATTEMPTS_MAX
from grantproof.core.model import Any, Claim, Exactly, OfKind, Role, SodSet
from grantproof.core.rights import ASSIGN
from grantproof.service import founding
from grantproof.service.authors import Author
from grantproof.service.pap import (
    NO_TERMS,
    AdministrationPoint,
    Contended,
    NoOrganization,
    Proposed,
    Stale,
    Terms,
)
from grantproof.service.ports import StoreUnavailable
from grantproof.service.receipts import (
    RECEIPT_SECONDS,
    InProgress,
    KeyReused,
    Once,
    Receipt,
    Repeated,
)
from grantproof.service.snapshots import Snapshots
from grantproof.service.versions import Entity
from tests.organizations import ANN, BOB, CHIEF, CLERK, EU, EVE, HEAD, PAIR

TENANT = OrganizationId("tenant")
OPERATOR, BY_ANN, BY_EVE = Author("op"), Author("principal:ann", ANN), Author("principal:eve", EVE)
TEN_ON_A_FRIDAY = 36_000 + 86_400
OWN = ClaimId("own")


@dataclass
class Hours:
    """A clock that stands, and a wait that takes no time."""

    instant: int = TEN_ON_A_FRIDAY

    def now(self) -> int:
        """The instant."""
        return self.instant

    def wait(self, attempt: int) -> None:
        """Nothing: others are quick."""


class Overtaken(MemoryStore):
    """A store in which others are faster: before each commit, what `meanwhile` yields is done."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Iterator[Callable[[], object]] = iter(())

    @override
    def commit(
        self, event: Event, *, receipt: Receipt | None = None, onto: str | None = None
    ) -> str | None:
        for other in self.meanwhile:
            other()
            break
        return super().commit(event, receipt=receipt, onto=onto)


@dataclass
class Here:
    """A service over a store, and another one on the same data."""

    store: Overtaken = field(default_factory=Overtaken)
    clock: Hours = field(default_factory=Hours)

    def __post_init__(self) -> None:
        self.point, self.other = self.served(), self.served()

    def served(self) -> AdministrationPoint:
        """An administration point of its own snapshots."""
        return AdministrationPoint(
            self.store, Snapshots(self.store), clock=self.clock, backoff=self.clock
        )

    def propose(self, command: Command, by: Author = BY_ANN, terms: Terms = NO_TERMS) -> Proposed:
        """What becomes of the command."""
        return self.point.propose(TENANT, command, by=by, terms=terms)


def own(*limits: Constraint) -> Claim:
    """Heads may assign every role."""
    return Claim(OWN, HEAD, Exactly(ASSIGN), OfKind("role"), limits)


@pytest.fixture
def here() -> Here:
    """An organization in which ann, as head, may assign every role, and bob nothing."""
    made = Here()
    assert made.point.found(TENANT, time_zone="Europe/Paris", by=OPERATOR)
    start = ChangeSet(
        (
            *map(CreatePrincipal, (ANN, BOB)),
            *map(CreateRole, (CLERK, HEAD, CHIEF)),
            CreateClaim(own()),
            AssignRole(ANN, HEAD),
        )
    )
    assert isinstance(made.propose(start, OPERATOR), Accepted)
    return made


GIVE = AssignRole(BOB, CLERK)


def not_permitted(outcome: Proposed) -> NotPermitted:
    """The witness of a change that its author may not make."""
    assert isinstance(outcome, Rejected), outcome
    assert isinstance(outcome.refusal, NotPermitted), outcome
    return outcome.refusal


def test_a_principal_makes_the_changes_that_it_may_make(here: Here) -> None:
    """And is named in the event; nobody else may."""
    accepted = here.propose(GIVE)
    assert isinstance(accepted, Accepted)
    assert (accepted.event.actor, accepted.event.instant) == ("principal:ann", TEN_ON_A_FRIDAY)
    lacking = not_permitted(here.propose(AssignRole(BOB, HEAD), Author("principal:bob", BOB)))
    assert (lacking.principal, lacking.action, lacking.resource) == ("bob", "assign", "role:head")
    assert here.store.revision(TENANT) == accepted.state.revision


def test_an_operator_makes_every_change(here: Here) -> None:
    """There is nobody to ask for it."""
    assert isinstance(here.propose(GIVE, OPERATOR), Accepted)


def test_the_right_is_looked_at_before_the_command(here: Here) -> None:
    """Who may not make a change is not told that it could not be made."""
    absent = AssignRole(PrincipalId("nobody"), CLERK)
    not_permitted(here.propose(absent, BY_EVE))
    refused = here.propose(absent)
    assert isinstance(refused, Rejected)
    assert refused.refusal == Missing("principal", ("nobody",))


def test_within_a_change_set_the_position_is_told(here: Here) -> None:
    """And nothing of it takes effect."""
    outcome = here.propose(ChangeSet((GIVE, CreateRole(RoleId("new")))))
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.refusal, RefusedAt)
    assert outcome.refusal.position == 1
    assert here.store.revision(TENANT) == 1


@pytest.mark.parametrize(("hour", "permitted"), [(9, False), (10, True), (11, True), (12, False)])
def test_a_window_is_that_of_the_organization(here: Here, hour: int, permitted: bool) -> None:
    """Told in its time zone, at the instant of the change."""
    steps = (DeleteClaim(OWN), CreateClaim(own(TimeWindow(11, 13))))
    here.propose(ChangeSet(steps), OPERATOR)
    here.clock.instant = 86_400 + hour * 3_600
    assert isinstance(here.propose(GIVE), Accepted) == permitted


def test_a_fenced_right_is_never_there(here: Here) -> None:
    """A change says no region, and what is not said never grants."""
    fenced = own(GeoFence(frozenset({EU})))
    here.propose(ChangeSet((DeleteClaim(OWN), CreateClaim(fenced))), OPERATOR)
    assert not_permitted(here.propose(GIVE)).reason == "region missing is not one of eu"


def test_a_right_that_is_revoked_meanwhile_is_gone(here: Here) -> None:
    """The race is lost, and what won it decides: the change is refused, not made."""

    def revoke() -> None:
        outcome = here.other.propose(TENANT, RevokeRole(ANN, HEAD), by=OPERATOR)
        assert isinstance(outcome, Accepted)

    here.store.meanwhile = iter([revoke])
    assert not_permitted(here.propose(GIVE)).resource == "role:clerk"
    state = here.store.load(TENANT)
    assert state is not None
    assert (state.revision, dict(state.assignments.of(BOB))) == (2, {})


def test_a_right_that_is_given_meanwhile_counts(here: Here) -> None:
    """A refusal stands only if it is about the state that is there now."""
    bob = Author("principal:bob", BOB)
    not_permitted(here.propose(AssignRole(BOB, CLERK), bob))
    assert isinstance(here.other.propose(TENANT, AssignRole(BOB, HEAD), by=OPERATOR), Accepted)
    assert isinstance(here.propose(AssignRole(BOB, CLERK), bob), Accepted)


def test_an_author_who_loses_every_race_is_told_so(here: Here) -> None:
    """Each attempt decides anew; then there are no more."""

    def other(number: int) -> Callable[[], object]:
        return lambda: here.other.propose(TENANT, CreateRole(RoleId(f"r{number}")), by=OPERATOR)

    # The other's own commit asks for nothing more, so every second one is the author's.
    here.store.meanwhile = iter(
        [step for number in range(COMMIT_ATTEMPTS_MAX) for step in (other(number), lambda: None)]
    )
    assert here.propose(GIVE) == Contended(COMMIT_ATTEMPTS_MAX)


def test_without_an_organization_there_is_nobody_to_ask(here: Here) -> None:
    """It is told as it is to an operator: the door has bound the author to its own."""
    outcome = here.point.propose(OrganizationId("none"), GIVE, by=BY_ANN)
    assert isinstance(outcome, NoOrganization)


def test_only_an_operator_makes_or_ends_an_organization(here: Here) -> None:
    """A principal belongs to one, and is refused before anything happens."""
    with pytest.raises(PermissionError, match="`ann` belongs to an organization"):
        here.point.found(OrganizationId("new"), time_zone="UTC", by=BY_ANN)
    with pytest.raises(PermissionError, match="only an operator"):
        here.point.dissolve(TENANT, by=BY_ANN)
    assert [one.id for one in here.store.summaries(limit=9)] == [TENANT]


# ---------------------------------------------------------------- once, and at a revision

KEYED = Terms(Once("key", "digest"))
OTHERWISE = Terms(Once("key", "another digest"))


def test_what_is_asked_twice_under_a_key_is_done_once(here: Here) -> None:
    """The second is told of the first, also by another process, and also when it may no more."""
    assert isinstance(here.propose(GIVE, terms=KEYED), Accepted)
    here.propose(RevokeRole(ANN, HEAD), OPERATOR)
    assert here.propose(GIVE, terms=KEYED) == Repeated(2)
    assert here.served().propose(TENANT, GIVE, by=BY_ANN, terms=KEYED) == Repeated(2)
    assert here.propose(GIVE, terms=OTHERWISE) == KeyReused()
    assert here.store.revision(TENANT) == 3


def test_a_key_is_its_actors_own_and_lasts_a_day(here: Here) -> None:
    """Others may use the same, and so may the actor when it is forgotten."""
    assert isinstance(here.propose(GIVE, terms=KEYED), Accepted)
    clerk = CreateRole(RoleId("other"))
    assert isinstance(here.propose(clerk, OPERATOR, OTHERWISE), Accepted)
    here.clock.instant += RECEIPT_SECONDS - 1
    assert here.propose(GIVE, terms=KEYED) == Repeated(2)
    here.clock.instant += 1
    assert isinstance(here.propose(AssignRole(BOB, HEAD), terms=OTHERWISE), Accepted)


def test_a_refused_change_uses_no_key(here: Here) -> None:
    """Nothing was done, so the same request may be tried again."""
    here.propose(RevokeRole(ANN, HEAD), OPERATOR)
    not_permitted(here.propose(GIVE, terms=KEYED))
    here.propose(AssignRole(ANN, HEAD), OPERATOR)
    assert isinstance(here.propose(GIVE, terms=KEYED), Accepted)


def test_of_two_processes_with_one_key_one_does_the_work(here: Here) -> None:
    """The other loses the race for the revision, and finds the receipt."""

    def same() -> None:
        assert isinstance(here.other.propose(TENANT, GIVE, by=BY_ANN, terms=KEYED), Accepted)

    here.store.meanwhile = iter([same])
    assert here.propose(GIVE, terms=KEYED) == Repeated(2)
    assert here.store.revision(TENANT) == 2


def test_within_one_process_the_second_is_told_to_wait(here: Here) -> None:
    """While the first is at work; a failure of the first frees the key."""
    seen: list[Proposed] = []

    def same() -> None:
        seen.append(here.propose(GIVE, terms=KEYED))
        seen.append(here.propose(CreateRole(RoleId("x")), OPERATOR, KEYED))
        raise StoreUnavailable("gone")

    here.store.meanwhile = iter([same])
    with pytest.raises(StoreUnavailable):
        here.propose(GIVE, terms=KEYED)
    assert seen[0] == InProgress()
    assert isinstance(seen[1], Accepted)
    assert isinstance(here.propose(GIVE, terms=KEYED), Accepted)


def test_a_change_for_another_revision_is_stale(here: Here) -> None:
    """Which revision it is is told, and nothing is changed."""
    assert here.propose(GIVE, terms=Terms(at=frozenset({0, 2}))) == Stale(1)
    assert isinstance(here.propose(GIVE, terms=Terms(at=frozenset({1}))), Accepted)
    assert here.store.revision(TENANT) == 2


def test_a_change_that_is_overtaken_is_stale(here: Here) -> None:
    """It was made for the revision that lost, not for the one that won."""

    def other() -> None:
        here.other.propose(TENANT, CreateRole(RoleId("x")), by=OPERATOR)

    here.store.meanwhile = iter([other])
    assert here.propose(GIVE, terms=Terms(at=frozenset({1}))) == Stale(2)


CLERKS, HEADS = Entity(Role, CLERK), Entity(Role, HEAD)
MORE = AddParent(CLERK, CHIEF)


def test_a_change_of_an_entity_is_held_against_its_own_revision(here: Here) -> None:
    """What happens to others makes it no staler; its own change does, and is told."""
    terms = Terms(at=frozenset({1}), of=CLERKS)
    assert isinstance(here.propose(AddParent(HEAD, CHIEF), OPERATOR), Accepted)
    assert isinstance(here.propose(MORE, OPERATOR, terms), Accepted)
    assert here.propose(RemoveParent(CLERK, CHIEF), OPERATOR, terms) == Stale(3, CLERKS)
    now = Terms(at=frozenset({3}), of=CLERKS)
    assert isinstance(here.propose(RemoveParent(CLERK, CHIEF), OPERATOR, now), Accepted)


@pytest.mark.parametrize("changed", [CLERK, HEAD])
def test_a_change_of_an_entity_may_be_overtaken(here: Here, changed: RoleId) -> None:
    """By a change of the same one it is stale; by that of another it is made after it."""

    def other() -> None:
        done = here.other.propose(TENANT, AddParent(changed, CHIEF), by=OPERATOR)
        assert isinstance(done, Accepted)

    here.store.meanwhile = iter([other])
    outcome = here.propose(
        ChangeSet((CreateRole(RoleId("top")), AddParent(CLERK, RoleId("top")))),
        OPERATOR,
        Terms(at=frozenset({1}), of=CLERKS),
    )
    if changed == CLERK:
        assert outcome == Stale(2, CLERKS)
    else:
        assert isinstance(outcome, Accepted)
        assert outcome.state.revision == 3


def test_who_may_not_make_a_change_is_not_told_what_has_changed(here: Here) -> None:
    """The right comes first: neither the revision nor that there is such an entity is told."""
    for entity in (CLERKS, Entity(Role, "none"), None):
        terms = Terms(at=frozenset({7}), of=entity)
        not_permitted(here.propose(MORE, Author("principal:bob", BOB), terms))


def test_what_is_not_there_is_missing_and_not_stale(here: Here) -> None:
    """There is nothing that could have changed."""
    gone = RoleId("gone")
    terms = Terms(at=frozenset({1}), of=Entity(Role, gone))
    refused = here.propose(AddParent(gone, CHIEF), OPERATOR, terms)
    assert refused == Rejected(Missing("role", (gone,)))


def test_a_change_for_a_revision_not_yet_seen_here_is_made(here: Here) -> None:
    """The caller has it from another process: this one catches up before it says no."""
    here.other.propose(TENANT, CreateRole(RoleId("x")), by=OPERATOR)
    assert isinstance(here.propose(GIVE, terms=Terms(at=frozenset({2}))), Accepted)


def test_what_was_done_once_is_not_stale(here: Here) -> None:
    """The revision was right when it was done."""
    terms = Terms(KEYED.once, frozenset({1}))
    assert isinstance(here.propose(GIVE, terms=terms), Accepted)
    assert here.propose(GIVE, terms=terms) == Repeated(2)


def test_an_organization_is_created_once(here: Here) -> None:
    """The key finds what it created, and no other request under it."""
    new, once = OrganizationId("new"), Once("key", "digest")
    assert here.point.recall(new, once, by=OPERATOR) is None
    assert here.point.found(new, time_zone="UTC", by=OPERATOR, once=once)
    assert here.point.recall(new, once, by=OPERATOR) == Repeated(0)
    assert here.point.recall(new, Once("key", "other"), by=OPERATOR) == KeyReused()
    assert here.point.recall(new, None, by=OPERATOR) is None


# ---------------------------------------------------------------- separation of duty


def test_nobody_assigns_administrative_roles_that_a_set_keeps_apart(here: Here) -> None:
    """Static sets bind roles that administer as they bind all others."""
    here.propose(CreateSodSet(SodSet(PAIR, frozenset({HEAD, CHIEF}), 2)), OPERATOR)
    outcome = here.propose(AssignRole(ANN, CHIEF))
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.refusal, BreaksSod)
    assert isinstance(here.propose(AssignRole(BOB, CHIEF)), Accepted)


def test_who_holds_too_much_at_once_may_change_nothing(here: Here) -> None:
    """A dynamic set denies the author whose active roles it forbids together."""
    here.propose(CreateSodSet(SodSet(PAIR, frozenset({HEAD, CHIEF}), 2, "dynamic")), OPERATOR)
    assert isinstance(here.propose(AssignRole(ANN, CHIEF)), Accepted)
    assert not_permitted(here.propose(GIVE)).reason.startswith("session: chief, head")


# ---------------------------------------------------------------- the first administrator


def test_the_first_administrator_needs_no_operator_any_more(here: Here) -> None:
    """Eve, made by the operator, makes every kind of change; bob, made by her, none."""
    made = here.propose(founding.administrator(EVE), OPERATOR)
    assert isinstance(made, Accepted)
    assert made.state.administered
    role = RoleId("auditor")
    claim = Claim(ClaimId("all"), role, Any(), Any())
    steps = (CreateRole(role), CreateClaim(claim), AssignRole(BOB, role), RevokeRole(BOB, role))
    assert isinstance(here.propose(ChangeSet(steps), BY_EVE), Accepted)
    not_permitted(here.propose(AssignRole(BOB, role), Author("principal:bob", BOB)))
