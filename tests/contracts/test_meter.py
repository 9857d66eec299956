"""What a meter promises, sentence by sentence; the same suite for every store's. P-CONSUME."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from grantproof.core.commands.language import (
    CreateClaim,
    CreatePrincipal,
    CreateRole,
    DeleteClaim,
    DeletePrincipal,
)
from grantproof.core.constraints import MaxUsage, RateLimit
from grantproof.core.identifiers import ClaimId, PrincipalId, RoleId
from grantproof.core.metering import FOREVER, Counter, window
from grantproof.service.meter import Charged, Meter, Uncharged
from grantproof.service.ports import Store
from tests.contracts.counting import (
    ACME,
    ANN,
    BOB,
    DAILY,
    FAR,
    INSTANT,
    METERED,
    OTHER,
    RATED,
    charge,
    claim,
    counter,
    counts,
    due,
    metered,
    replaced,
)
from tests.contracts.histories import ACTOR, commit_all

RACERS = 8
MANY = 20
PATIENCE_SECONDS = 30


@pytest.fixture
def meter(store: Store) -> Meter:
    """The meter of the store."""
    return store.meter


def test_a_charge_counts_once_up_to_the_limit(store: Store, meter: Meter) -> None:
    """Each use is one more; the one that would pass the limit is refused and changes nothing."""
    state = metered(store)
    assert counts(meter) == {}
    assert charge(meter, state, DAILY) is True
    assert charge(meter, state, DAILY) is True
    before = counts(meter)
    assert before == {counter(DAILY, "day"): 2}
    assert charge(meter, state, DAILY) is Uncharged.FULL
    assert counts(meter) == before


def test_a_charge_says_what_it_found(store: Store, meter: Meter) -> None:
    """What each counter stood at just before: what the certificate of the allow says it saw."""
    state = metered(store)
    charge(meter, state, RATED)
    done = meter.charge(ACME, due(state, RATED), revision=state.revision, instant=INSTANT)
    assert done == Charged({counter(RATED, "minute"): 1, counter(RATED, "total"): 1})


def test_all_counters_of_a_charge_move_or_none(store: Store, meter: Meter) -> None:
    """A rate that is used up keeps the quota as it is, and the other way round."""
    state = metered(store)
    assert [charge(meter, state, RATED) for _ in range(3)] == [True, True, Uncharged.FULL]
    assert counts(meter) == {counter(RATED, "minute"): 2, counter(RATED, "total"): 2}
    later = INSTANT + 60
    assert charge(meter, state, RATED, at=later) is True
    assert charge(meter, state, RATED, at=later) is Uncharged.FULL
    assert counts(meter, at=later) == {
        counter(RATED, "minute", at=later): 1,
        counter(RATED, "total"): 3,
    }


def test_counters_are_apart(store: Store, meter: Meter) -> None:
    """Principals, claims and organizations do not use up each other's limits."""
    state, other = metered(store), metered(store, OTHER)
    for _ in range(2):
        assert charge(meter, state, DAILY) is True
    assert charge(meter, state, DAILY, by=BOB) is True
    assert charge(meter, state, RATED) is True
    assert charge(meter, other, DAILY) is True
    assert counts(meter)[counter(DAILY, "day", BOB)] == 1
    assert counts(meter, OTHER) == {counter(DAILY, "day"): 1}


def test_a_window_ends_and_another_begins(store: Store, meter: Meter) -> None:
    """At the first instant of the next day nothing is used; the old window is not shown."""
    state = metered(store)
    end = window("day", INSTANT).end
    for _ in range(2):
        charge(meter, state, DAILY, at=end - 1)
    assert charge(meter, state, DAILY, at=end - 1) is Uncharged.FULL
    assert charge(meter, state, DAILY, at=end) is True
    assert counts(meter, at=end) == {counter(DAILY, "day", at=end): 1}


def test_a_clock_that_is_behind_counts_in_the_window_that_it_is_in(
    store: Store, meter: Meter
) -> None:
    """The older window is as full as it was: moving a clock back gives nobody a use more."""
    state = metered(store)
    end = window("day", INSTANT).end
    for _ in range(2):
        charge(meter, state, DAILY, at=end - 1)
    assert charge(meter, state, DAILY, at=end) is True
    assert charge(meter, state, DAILY, at=end - 1) is Uncharged.FULL
    assert counts(meter, at=end) == {counter(DAILY, "day", at=end): 1}


def test_only_the_revision_that_was_decided_on_is_charged(store: Store, meter: Meter) -> None:
    """After any change of the organization the decision is made anew before it is counted."""
    state = metered(store)
    newer = commit_all(store, state, [CreateRole(RoleId("other"))])
    assert charge(meter, state, DAILY) is Uncharged.STALE
    assert counts(meter) == {}
    assert charge(meter, newer, DAILY) is True


def test_nothing_is_charged_where_nothing_is(store: Store, meter: Meter) -> None:
    """An organization that never was, or was deleted, has no counters and gets none."""
    state = metered(store)
    charge(meter, state, DAILY)
    store.delete(ACME, actor=ACTOR, instant=INSTANT)
    assert counts(meter) == {}
    assert charge(meter, state, DAILY) is Uncharged.STALE
    assert meter.charge(OTHER, due(state, DAILY), revision=0, instant=INSTANT) is Uncharged.STALE
    assert counts(meter) == counts(meter, OTHER) == {}
    assert meter.read(ACME, ANN, instant=INSTANT) is None
    assert meter.changed(ACME, since=None, instant=INSTANT) is None


def test_a_lower_limit_binds_at_once(store: Store, meter: Meter) -> None:
    """A claim that is replaced in one change keeps its counters: what was used stays used."""
    state = metered(store)
    charge(meter, state, DAILY)
    lower = replaced(store, state, claim(DAILY, MaxUsage(1, "day")))
    assert charge(meter, lower, DAILY) is Uncharged.FULL
    higher = replaced(store, lower, claim(DAILY, MaxUsage(3, "day")))
    assert [charge(meter, higher, DAILY) for _ in range(3)] == [True, True, Uncharged.FULL]


def test_a_new_claim_has_no_past(store: Store, meter: Meter) -> None:
    """Counters go with their claim: one of the same id, made later, begins at nothing."""
    state = metered(store)
    charge(meter, state, DAILY)
    charge(meter, state, RATED)
    state = commit_all(store, state, [DeleteClaim(DAILY)])
    assert set(counts(meter)) == {counter(RATED, "minute"), counter(RATED, "total")}
    state = commit_all(store, state, [CreateClaim(METERED[0])])
    assert counter(DAILY, "day") not in counts(meter)
    assert [charge(meter, state, DAILY) for _ in range(2)] == [True, True]


def test_a_new_principal_has_no_past(store: Store, meter: Meter) -> None:
    """Counters go with their principal, and nobody inherits them with the id."""
    state = metered(store)
    charge(meter, state, DAILY)
    charge(meter, state, DAILY, by=BOB)
    state = commit_all(store, state, [DeletePrincipal(ANN, cascade=True), CreatePrincipal(ANN)])
    assert counts(meter) == {counter(DAILY, "day", BOB): 1}
    assert charge(meter, state, DAILY) is True


def test_a_reading_is_of_one_principal_at_one_revision(store: Store, meter: Meter) -> None:
    """What has ended is not read; the revision says which organization the counters belong to."""
    state = metered(store)
    charge(meter, state, RATED)
    charge(meter, state, RATED, by=BOB)
    reading = meter.read(ACME, ANN, instant=INSTANT)
    assert reading is not None
    assert reading.revision == state.revision
    assert reading.used == {counter(RATED, "minute"): 1, counter(RATED, "total"): 1}
    later = meter.read(ACME, ANN, instant=INSTANT + 60)
    assert later is not None
    assert later.used == {counter(RATED, "total"): 1}


def test_usage_comes_in_order_and_in_pages(store: Store, meter: Meter) -> None:
    """By principal, claim, span and window; after a counter come those that follow it."""
    state = metered(store)
    for by in (BOB, ANN):
        charge(meter, state, RATED, by=by)
        charge(meter, state, DAILY, by=by)
    every = meter.usage(ACME, instant=INSTANT, limit=FAR)
    assert [one.counter for one in every] == sorted(one.counter for one in every)
    assert len(every) == 6
    pages = [
        meter.usage(ACME, instant=INSTANT, after=after, limit=2)
        for after in (None, every[1].counter, every[3].counter, every[5].counter)
    ]
    assert pages == [every[:2], every[2:4], every[4:], ()]
    of_ann = meter.usage(ACME, instant=INSTANT, principal=ANN, limit=FAR)
    assert of_ann == every[:3]
    of_both = meter.usage(ACME, instant=INSTANT, principal=ANN, claim=DAILY, limit=FAR)
    assert of_both == every[:1]
    assert meter.usage(ACME, instant=INSTANT, claim=DAILY, limit=0) == ()


def test_a_reset_gives_back_what_was_used(store: Store, meter: Meter) -> None:
    """Of a principal, a claim or both; the count is shown as 0 and the others stay."""
    state = metered(store)
    for by in (ANN, BOB):
        charge(meter, state, DAILY, by=by)
        charge(meter, state, RATED, by=by)
    assert meter.reset(ACME, instant=INSTANT, principal=ANN, claim=DAILY) == 1
    assert counts(meter)[counter(DAILY, "day")] == 0
    assert counts(meter)[counter(DAILY, "day", BOB)] == 1
    assert meter.reset(ACME, instant=INSTANT, claim=RATED) == 4
    assert meter.reset(ACME, instant=INSTANT, principal=BOB) == 3
    assert set(counts(meter).values()) == {0}
    assert meter.reset(ACME, instant=INSTANT, principal=PrincipalId("zoe")) == 0
    assert [charge(meter, state, DAILY) for _ in range(3)] == [True, True, Uncharged.FULL]


def test_changes_can_be_followed(store: Store, meter: Meter) -> None:
    """What changed at an instant or since, charges and resets; everything when no instant is."""
    state = metered(store)
    charge(meter, state, DAILY, at=INSTANT)
    charge(meter, state, DAILY, by=BOB, at=INSTANT + 5)
    daily, of_bob = counter(DAILY, "day"), counter(DAILY, "day", BOB)

    def followed(since: int | None) -> dict[Counter, int]:
        found = meter.changed(ACME, since=since, instant=INSTANT + 5)
        assert found is not None
        assert found.revision == state.revision
        return dict(found.used)

    assert followed(None) == followed(INSTANT) == {daily: 1, of_bob: 1}
    assert followed(INSTANT + 1) == {of_bob: 1}
    meter.reset(ACME, instant=INSTANT + 9, principal=ANN)
    assert followed(INSTANT + 9) == {daily: 0}


def test_what_ended_is_pruned_and_nothing_else(store: Store, meter: Meter) -> None:
    """Windows that ended before then go, at most so many at a time; a total never does."""
    state = metered(store)
    for minute in range(3):
        charge(meter, state, RATED, at=INSTANT + 60 * minute)
    charge(meter, state, DAILY)
    end = window("minute", INSTANT + 60).end
    assert meter.prune(before=end, limit=FAR) == 1
    assert meter.prune(before=end + 1, limit=0) == 0
    assert meter.prune(before=FOREVER, limit=1) == 1
    assert meter.prune(before=FOREVER, limit=FAR) == 2
    assert meter.prune(before=FOREVER, limit=FAR) == 0
    assert counts(meter) == {counter(RATED, "total"): 3}


def test_threads_that_race_pass_no_limit(store: Store, meter: Meter) -> None:
    """As many as the limit are charged, however many try at the same time."""
    limit = 5
    state = metered(store, ACME, claim(ClaimId("few"), MaxUsage(limit), RateLimit(9)))
    start = threading.Barrier(RACERS)

    def use() -> list[bool | Uncharged]:
        start.wait(20)
        return [charge(meter, state, ClaimId("few")) for _ in range(3)]

    with ThreadPoolExecutor(RACERS) as pool:
        futures = [pool.submit(use) for _ in range(RACERS)]
        outcomes = [one for future in futures for one in future.result()]
    assert outcomes.count(True) == limit
    assert outcomes.count(Uncharged.FULL) == len(outcomes) - limit
    assert set(counts(meter).values()) == {limit}


def test_a_reset_that_races_counts_before_or_after(store: Store, meter: Meter) -> None:
    """However often usage is reset meanwhile, no counter ever passes its limit."""
    state = metered(store)
    done = threading.Event()
    seen: list[int] = []

    def reset() -> None:
        while not done.is_set():
            meter.reset(ACME, instant=INSTANT, principal=ANN)
            seen.extend(counts(meter).values())

    with ThreadPoolExecutor(1) as pool:
        resetting = pool.submit(reset)
        deadline, charged = time.monotonic() + PATIENCE_SECONDS, 0
        while charged < MANY and time.monotonic() < deadline:
            charged += charge(meter, state, DAILY) is True
        done.set()
        resetting.result()
    assert charged == MANY, "nothing was reset between two charges, so this run shows nothing"
    assert max([*seen, *counts(meter).values()]) <= 2
