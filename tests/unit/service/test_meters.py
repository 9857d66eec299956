"""The counters that a process follows: read whole, then what changed, then whole again."""

from collections.abc import Callable

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.core.commands.language import CreateRole, DeleteClaim
from grantproof.core.identifiers import RoleId
from grantproof.core.limits import COUNTER_GRACE_SECONDS, COUNTERS_PRUNED_MAX
from grantproof.core.metering import UNUSED, Readings, window
from grantproof.core.organization import Organization
from grantproof.service import meters as module
from grantproof.service.meters import OVERLAP_SECONDS, WHOLE_SECONDS, Meters
from tests.contracts.counting import ACME, ANN, BOB, DAILY, INSTANT, RATED, charge, counter, metered
from tests.contracts.histories import ACTOR, commit_all


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.instant = INSTANT

    def now(self) -> int:
        """Return what it is set to."""
        return self.instant


class Followed:
    """A metered organization, a clock, and what follows its counters; it notes what is read."""

    def __init__(self) -> None:
        self.store, self.clock, self.reads = MemoryStore(), Hand(), list[int | None]()
        self.state: Organization = metered(self.store)
        self.meter = self.store.meter
        changed = self.meter.changed

        def noted(name: object, *, since: int | None, instant: int) -> object:
            self.reads.append(since)
            return changed(ACME, since=since, instant=instant) if name == ACME else None

        self.meter.changed = noted  # type: ignore[method-assign, assignment]  # wraps the method
        self.meters = Meters(self.meter, clock=self.clock, on_owner=lambda change: change())

    def refresh(self) -> None:
        """Let the counters be followed."""
        self.meters.refresh(ACME)

    def of_ann(self) -> Readings:
        """What is known of Ann's use."""
        replica = self.meters.get(ACME)
        assert replica is not None
        return replica.of(ANN)


@pytest.fixture
def followed() -> Followed:
    """What follows an organization that nobody has used yet."""
    return Followed()


def test_nothing_is_followed_before_it_is_asked_for(followed: Followed) -> None:
    """An organization whose claims nobody asks about costs nothing."""
    assert followed.meters.get(ACME) is None
    assert followed.meters.followed() == ()
    assert followed.reads == []


def test_all_is_read_first_and_then_what_changed(followed: Followed) -> None:
    """With an overlap, since other clocks may be a little behind."""
    charge(followed.meter, followed.state, DAILY)
    followed.refresh()
    assert followed.of_ann() == {counter(DAILY, "day"): 1}
    followed.clock.instant += 1
    charge(followed.meter, followed.state, DAILY, at=INSTANT + 1 - OVERLAP_SECONDS)
    followed.refresh()
    assert followed.of_ann() == {counter(DAILY, "day"): 2}
    assert followed.reads == [None, INSTANT - OVERLAP_SECONDS]


def test_the_instant_of_the_reading_is_known(followed: Followed) -> None:
    """So that an answer can say how old its counters are."""
    followed.refresh()
    followed.clock.instant += 7
    replica = followed.meters.get(ACME)
    assert replica is not None
    assert replica.read_at == INSTANT
    followed.refresh()
    assert replica.read_at == INSTANT + 7


def test_readings_are_a_copy_of_one_principal(followed: Followed) -> None:
    """What is read later does not change an answer that was made."""
    charge(followed.meter, followed.state, DAILY)
    followed.refresh()
    before = followed.of_ann()
    charge(followed.meter, followed.state, DAILY)
    followed.refresh()
    assert (before, followed.of_ann()) == (
        {counter(DAILY, "day"): 1},
        {counter(DAILY, "day"): 2},
    )
    replica = followed.meters.get(ACME)
    assert replica is not None
    assert replica.of(BOB) == UNUSED


def test_a_change_of_the_organization_makes_all_be_read(followed: Followed) -> None:
    """Counters that went with their claim are forgotten, those of others are not."""
    for name in (DAILY, RATED):
        charge(followed.meter, followed.state, name)
    followed.refresh()
    commit_all(followed.store, followed.state, [DeleteClaim(DAILY), CreateRole(RoleId("x"))])
    followed.refresh()
    assert set(followed.of_ann()) == {counter(RATED, "minute"), counter(RATED, "total")}
    assert followed.reads[-1] is None


@pytest.mark.parametrize(("later", "whole"), [(WHOLE_SECONDS - 1, False), (WHOLE_SECONDS, True)])
def test_all_is_read_again_now_and_then(followed: Followed, later: int, whole: bool) -> None:
    """Whatever the clocks of others say; what has ended is then forgotten."""
    charge(followed.meter, followed.state, RATED)
    followed.refresh()
    followed.clock.instant += later
    followed.refresh()
    assert (followed.reads[-1] is None) is whole
    assert (counter(RATED, "minute") in followed.of_ann()) is not whole


def test_an_organization_that_is_gone_is_forgotten(followed: Followed) -> None:
    """Nothing of it is asked for any more."""
    followed.refresh()
    followed.store.delete(ACME, actor=ACTOR, instant=INSTANT)
    followed.refresh()
    assert followed.meters.followed() == ()


def test_pruning_keeps_a_while_and_takes_its_time(followed: Followed) -> None:
    """Once a minute; what ended is kept for clocks that are behind."""
    pruned: list[int] = []
    prune: Callable[..., int] = followed.meter.prune

    def noted(*, before: int, limit: int) -> int:
        pruned.append(before)
        assert limit == COUNTERS_PRUNED_MAX
        return prune(before=before, limit=limit)

    followed.meter.prune = noted  # type: ignore[method-assign]  # wraps the method
    charge(followed.meter, followed.state, RATED)
    end = window("minute", INSTANT).end
    for instant in (end + COUNTER_GRACE_SECONDS, end + COUNTER_GRACE_SECONDS + 1):
        followed.clock.instant = instant
        followed.meters.prune()
    assert pruned == [end]
    followed.clock.instant = end + COUNTER_GRACE_SECONDS + module.PRUNE_SECONDS
    followed.meters.prune()
    assert pruned == [end, end + module.PRUNE_SECONDS]
    assert counter(RATED, "minute") not in dict(
        followed.meter.usage(ACME, instant=INSTANT, limit=9)
    )


def test_much_to_prune_is_pruned_without_a_pause(
    followed: Followed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as each round finds as much as it may remove, the next one follows at once."""
    monkeypatch.setattr(module, "COUNTERS_PRUNED_MAX", 1)
    for minute in range(2):
        charge(followed.meter, followed.state, RATED, at=INSTANT + 60 * minute)
    followed.clock.instant += 120 + COUNTER_GRACE_SECONDS
    for _ in range(2):
        followed.meters.prune()
    left = dict(followed.meter.usage(ACME, instant=INSTANT, limit=9))
    assert set(left) == {counter(RATED, "total")}
