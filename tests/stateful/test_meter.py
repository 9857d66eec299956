"""P-CONSUME: a meter under any sequence of uses, resets, changes and clocks, against a model.

The model is a dictionary. What it allows, the meter charges; what it refuses, the meter refuses and
keeps as it was; and no counter ever passes the limit under which it was charged.
"""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from typing_extensions import override

from grantproof.adapters.memory import MemoryStore
from grantproof.adapters.sql import open_database
from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    Command,
    CreateClaim,
    CreatePrincipal,
    CreateRole,
    DeleteClaim,
    DeletePrincipal,
)
from grantproof.core.constraints import Constraint, MaxUsage, RateLimit
from grantproof.core.identifiers import ClaimId, PrincipalId, RoleId
from grantproof.core.metering import FOREVER, Counter, charges, window
from grantproof.core.organization import Organization
from grantproof.service.meter import Charged, Uncharged
from grantproof.service.ports import Store
from tests.contracts.counting import ACME, ANN, BOB, DAILY, EXPORTER, FAR, RATED, claim, metered
from tests.contracts.histories import commit_all
from tests.properties.tally import Tally

PEOPLE = st.sampled_from([ANN, BOB])
CLAIMS = st.sampled_from([DAILY, RATED])
# Instants on both sides of the ends of minutes, hours, days and months, in any order.
MIDNIGHT = 1_709_251_200
INSTANTS = st.sampled_from([MIDNIGHT + offset for offset in (-3_601, -60, -1, 0, 1, 59, 60, 3_600)])
LIMITS: dict[ClaimId, list[tuple[Constraint, ...]]] = {
    DAILY: [(MaxUsage(n, "day"), MaxUsage(5, "month")) for n in (1, 2, 3)],
    RATED: [(MaxUsage(4), RateLimit(n)) for n in (1, 2)] + [(MaxUsage(2, "hour"),)],
}


class Counting(RuleBasedStateMachine):
    """One organization, its meter, and what the meter must say."""

    tally: Tally

    def __init__(self) -> None:
        super().__init__()
        self.store: Store = self.opened()
        self.state: Organization = metered(self.store)
        self.model: dict[Counter, int] = {}
        self.ends: dict[Counter, int] = {}
        self.now = MIDNIGHT

    def opened(self) -> Store:
        """A new store."""
        return MemoryStore()

    @initialize()
    def begin(self) -> None:
        """Count more than a day and a rate at once."""
        self.replace(DAILY, 1)
        self.replace(RATED, 1)

    @rule(principal=PEOPLE, claim_id=CLAIMS, times=st.integers(1, 4))
    def use(self, principal: PrincipalId, claim_id: ClaimId, times: int) -> None:
        """Use a claim some times in a row."""
        if claim_id in self.state.claims:
            for _ in range(times):
                self.use_once(principal, claim_id)

    def use_once(self, principal: PrincipalId, claim_id: ClaimId) -> None:
        """The meter charges exactly what the model has room for."""
        due = charges(self.state.claims[claim_id], principal, self.now)
        before = {one.counter: self.model.get(one.counter, 0) for one in due}
        room = all(before[one.counter] < one.limit for one in due)
        revision = self.state.revision
        done = self.store.meter.charge(ACME, due, revision=revision, instant=self.now)
        assert done == (Charged(before) if room else Uncharged.FULL)
        self.tally.saw("charged" if room else "full")
        if not room:
            self.tally.saw("half_full", any(before[one.counter] < one.limit for one in due))
            return
        for counter, end, limit in due:
            self.model[counter] = before[counter] + 1
            self.ends[counter] = end
            assert self.model[counter] <= limit

    @rule(principal=PEOPLE, claim_id=CLAIMS)
    def use_on_an_old_revision(self, principal: PrincipalId, claim_id: ClaimId) -> None:
        """What was decided on a state that is gone is not counted."""
        if claim_id not in self.state.claims:
            return
        due = charges(self.state.claims[claim_id], principal, self.now)
        old = self.state.revision - 1
        done = self.store.meter.charge(ACME, due, revision=old, instant=self.now)
        assert done is Uncharged.STALE

    @rule(instant=INSTANTS)
    def look_at_another_clock(self, instant: int) -> None:
        """Time moves on, or the next process has a clock that is behind."""
        self.tally.saw("clock_back", instant < self.now)
        self.now = instant

    @rule(principal=st.none() | PEOPLE, claim_id=st.none() | CLAIMS)
    def reset(self, principal: PrincipalId | None, claim_id: ClaimId | None) -> None:
        """What has not ended, of the principal and the claim, stands at 0 again."""
        found = [one for one in self.live() if _of(one, principal, claim_id)]
        meter = self.store.meter
        reset = meter.reset(ACME, instant=self.now, principal=principal, claim=claim_id)
        assert reset == len(found)
        self.tally.saw("reset", reset > 0)
        self.model |= dict.fromkeys(found, 0)

    @rule(claim_id=CLAIMS, which=st.integers(0, 2))
    def replace(self, claim_id: ClaimId, which: int) -> None:
        """Other limits in one change set: what was used stays used."""
        new = claim(claim_id, *LIMITS[claim_id][which])
        old = (DeleteClaim(claim_id),) if claim_id in self.state.claims else ()
        self.state = commit_all(self.store, self.state, [ChangeSet((*old, CreateClaim(new)))])

    @rule(claim_id=CLAIMS)
    def delete_claim(self, claim_id: ClaimId) -> None:
        """Its counters go with it."""
        if claim_id in self.state.claims:
            self.state = commit_all(self.store, self.state, [DeleteClaim(claim_id)])
            self.forget(gone_id=claim_id)

    @rule(principal=PEOPLE)
    def delete_principal(self, principal: PrincipalId) -> None:
        """And with the principal; another of the same id comes at once, with nothing used."""
        commands: list[Command] = [
            DeletePrincipal(principal, cascade=True),
            CreatePrincipal(principal),
            AssignRole(principal, EXPORTER),
        ]
        self.state = commit_all(self.store, self.state, commands)
        self.forget(gone_id=principal)

    @rule()
    def change_something_else(self) -> None:
        """A revision that has nothing to do with claims changes no counter."""
        role = RoleId(f"r{self.state.revision}")
        self.state = commit_all(self.store, self.state, [CreateRole(role)])

    @rule(before=INSTANTS | st.just(MIDNIGHT + 100_000))
    def prune(self, before: int) -> None:
        """Only what ended before then is forgotten, and its window begins at nothing."""
        ended = [counter for counter in self.model if self.ends[counter] < before]
        assert self.store.meter.prune(before=before, limit=FAR) == len(ended)
        self.tally.saw("pruned", len(ended) > 0)
        for counter in ended:
            del self.model[counter]

    def forget(self, *, gone_id: str) -> None:
        """Drop the counters of a claim or a principal from the model."""
        gone = [one for one in self.model if gone_id in {one.claim, one.principal}]
        self.tally.saw("orphans", len(gone) > 0)
        for counter in gone:
            del self.model[counter]

    def live(self) -> dict[Counter, int]:
        """What the model shows: counters whose windows have not ended."""
        return {one: used for one, used in self.model.items() if self.ends[one] > self.now}

    @precondition(lambda self: len(self.model) > 0)
    @invariant()
    def agrees(self) -> None:
        """All ways of reading show the model."""
        meter, live = self.store.meter, self.live()
        assert dict(meter.usage(ACME, instant=self.now, limit=FAR)) == live
        followed = meter.changed(ACME, since=None, instant=self.now)
        read = meter.read(ACME, ANN, instant=self.now)
        assert followed is not None
        assert read is not None
        assert followed.used == live
        assert read.used == {one: used for one, used in live.items() if one.principal == ANN}
        assert followed.revision == read.revision == self.state.revision

    @override
    def teardown(self) -> None:
        """Leave nothing open."""
        self.store.close()


def _of(counter: Counter, principal: PrincipalId | None, claim_id: ClaimId | None) -> bool:
    return principal in {None, counter.principal} and claim_id in {None, counter.claim}


class InMemory(Counting):
    """The meter in memory."""

    tally = Tally("P-CONSUME, memory")


class InSql(Counting):
    """The meter in a database: what follows it is the same."""

    tally = Tally("P-CONSUME, sqlite")

    @override
    def opened(self) -> Store:
        """A new database in a folder of its own."""
        self.folder = tempfile.TemporaryDirectory(prefix="grantproof-meter-")
        return open_database(Path(self.folder.name) / "grantproof.db")

    @override
    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


def test_windows_of_the_test_lie_on_both_sides_of_every_kind_of_end() -> None:
    """The instants straddle the end of a month, so of a day, an hour and a minute."""
    assert window("month", MIDNIGHT).start == MIDNIGHT
    assert window("total", MIDNIGHT).end == FOREVER


def test_p_consume_a_meter_in_memory_counts_as_a_dictionary_does() -> None:
    """P-CONSUME: in memory, whatever happens in whichever order."""
    run_state_machine_as_test(InMemory, settings=settings(max_examples=100, stateful_step_count=50))
    InMemory.tally.expect(
        charged=50, full=50, half_full=8, clock_back=20, reset=5, pruned=2, orphans=5
    )


def test_p_consume_a_meter_in_a_database_counts_as_a_dictionary_does() -> None:
    """P-CONSUME: in a database, whatever happens in whichever order."""
    run_state_machine_as_test(InSql, settings=settings(max_examples=10, stateful_step_count=50))
    InSql.tally.expect(charged=15, full=15, half_full=1, clock_back=5, reset=3, pruned=1, orphans=1)
