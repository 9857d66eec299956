"""What a meter promises of answers that are kept with a charge; the same for every store's."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from grantproof.core.commands.language import DeleteClaim
from grantproof.core.organization import Organization
from grantproof.service.meter import Charged, Keeping, Meter, Uncharged
from grantproof.service.ports import Store
from grantproof.service.receipts import RECEIPT_SECONDS, Consumption, Once, Pledge
from tests.contracts.counting import ACME, DAILY, INSTANT, OTHER, counter, counts, due, metered
from tests.contracts.histories import ACTOR, commit_all

PLEDGE = Pledge(ACTOR, Once("key", "digest"))
KEPT = Consumption(ACME, ACTOR, PLEDGE.once, INSTANT, "answer")
RACERS = 8
PATIENCE_SECONDS = 30


@pytest.fixture
def meter(store: Store) -> Meter:
    """The meter of the store."""
    return store.meter


def keep(
    meter: Meter,
    state: Organization,
    *,
    pledge: Pledge = PLEDGE,
    at: int = INSTANT,
    answer: str = "answer",
) -> Charged | Uncharged | Consumption:
    """What becomes of one use under a pledge."""
    asked = due(state, DAILY, instant=at)
    keeping = Keeping(pledge, lambda _: answer)
    return meter.charge(state.id, asked, revision=state.revision, instant=at, keeping=keeping)


def kept(meter: Meter, key: str = "key", *, actor: str = ACTOR, after: int = 0) -> object:
    """What is kept under the key, whatever its age."""
    return meter.consumption(ACME, actor=actor, key=key, after=after)


def test_an_answer_is_kept_with_its_charge(store: Store, meter: Meter) -> None:
    """And found by organization, actor and key together, while it is not too old."""
    state = metered(store)
    assert kept(meter) is None
    assert isinstance(keep(meter, state), Charged)
    assert kept(meter) == kept(meter, after=INSTANT - 1) == KEPT
    assert kept(meter, after=INSTANT) is None
    assert kept(meter, "other") is kept(meter, actor="somebody") is None
    assert meter.consumption(OTHER, actor=ACTOR, key="key", after=0) is None


def test_what_is_answered_depends_on_what_was_found(store: Store, meter: Meter) -> None:
    """The answer is made of the charge, before anybody else can see it."""
    state = metered(store)
    keeping = Keeping(PLEDGE, lambda charged: str(sorted(charged.before.values())))
    for pledge, before in ((PLEDGE, "[0]"), (Pledge("bob", PLEDGE.once), "[1]")):
        each = replace(keeping, pledge=pledge)
        meter.charge(
            ACME, due(state, DAILY), revision=state.revision, instant=INSTANT, keeping=each
        )
        found = meter.consumption(ACME, actor=pledge.actor, key="key", after=0)
        assert found is not None
        assert found.answer == before


def test_under_a_used_key_nothing_is_counted(store: Store, meter: Meter) -> None:
    """What was kept is returned, though something else is asked and though all is used up."""
    state = metered(store)
    keep(meter, state)
    other = Pledge(ACTOR, Once("key", "another"))
    assert keep(meter, state, pledge=other, answer="no") == KEPT
    assert counts(meter) == {counter(DAILY, "day"): 1}
    keep(meter, state, pledge=Pledge(ACTOR, Once("second", "d")))
    assert keep(meter, state, answer="no") == KEPT
    assert counts(meter) == {counter(DAILY, "day"): 2}


def test_what_is_not_charged_keeps_nothing(store: Store, meter: Meter) -> None:
    """Its key is free: nothing was counted under it."""
    state = metered(store)
    for number in range(2):
        keep(meter, state, pledge=Pledge(ACTOR, Once(str(number), "d")))
    assert keep(meter, state) is Uncharged.FULL
    stale = replace(state, revision=state.revision - 1)
    assert keep(meter, stale) is Uncharged.STALE
    assert kept(meter) is None


def test_an_answer_that_cannot_be_made_charges_nothing(store: Store, meter: Meter) -> None:
    """The charge is undone with it, and the key is free."""
    state = metered(store)

    def fail(_: Charged) -> str:
        raise LookupError

    keeping = Keeping(PLEDGE, fail)
    with pytest.raises(LookupError):
        meter.charge(
            ACME, due(state, DAILY), revision=state.revision, instant=INSTANT, keeping=keeping
        )
    assert counts(meter) == {}
    assert kept(meter) is None


def test_a_key_is_free_after_a_day(store: Store, meter: Meter) -> None:
    """To the second; what was kept is replaced then."""
    state = metered(store)
    keep(meter, state)
    last = INSTANT + RECEIPT_SECONDS - 1
    assert keep(meter, state, at=last, answer="late") == KEPT
    assert isinstance(keep(meter, state, at=last + 1, answer="late"), Charged)
    assert kept(meter) == replace(KEPT, instant=last + 1, answer="late")


def test_old_answers_are_forgotten(store: Store, meter: Meter) -> None:
    """Those from an instant or before, at most so many; what was counted stays."""
    state = metered(store)
    keep(meter, state)
    keep(meter, state, pledge=Pledge("bob", PLEDGE.once), at=INSTANT + 1)
    assert meter.forget(until=INSTANT - 1, limit=9) == 0
    assert meter.forget(until=INSTANT + 1, limit=0) == 0
    assert meter.forget(until=INSTANT, limit=9) == 1
    assert kept(meter) is None
    assert kept(meter, actor="bob") is not None
    assert counts(meter) == {counter(DAILY, "day"): 2}


def test_answers_outlive_their_claim_and_go_with_the_organization(
    store: Store, meter: Meter
) -> None:
    """What was answered was answered, but nothing is left of an organization that is gone."""
    state = metered(store)
    keep(meter, state)
    commit_all(store, state, [DeleteClaim(DAILY)])
    assert kept(meter) == KEPT
    assert store.delete(ACME, actor=ACTOR, instant=INSTANT)
    assert kept(meter) is None
    assert meter.forget(until=INSTANT, limit=9) == 0


def test_of_many_at_once_under_a_key_one_is_charged(store: Store, meter: Meter) -> None:
    """All others are given the answer of that one, whoever it was."""
    state = metered(store)
    start = threading.Barrier(RACERS)

    def use(number: int) -> Charged | Uncharged | Consumption:
        start.wait(PATIENCE_SECONDS)
        return keep(meter, state, answer=str(number))

    with ThreadPoolExecutor(RACERS) as pool:
        found = list(pool.map(use, range(RACERS)))
    (winner,) = (n for n, done in enumerate(found) if isinstance(done, Charged))
    told = [done for done in found if not isinstance(done, Charged)]
    assert told == [replace(KEPT, answer=str(winner))] * (RACERS - 1)
    assert counts(meter) == {counter(DAILY, "day"): 1}
