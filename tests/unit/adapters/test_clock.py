"""The clock never moves back, and waits grow, differ and stay bounded."""

from itertools import pairwise

import pytest

from grantproof.adapters.clock import (
    FIRST_WAIT_SECONDS_MAX,
    WAIT_SECONDS_MAX,
    JitteredBackoff,
    SystemClock,
)


def test_the_clock_never_moves_back() -> None:
    """When the machine's time is set back, the last instant is repeated until it is passed."""
    readings = iter([10.0, 11.9, 3.0, 11.0, 12.5])
    clock = SystemClock(lambda: next(readings))
    assert [clock.now() for _ in range(5)] == [10, 11, 11, 11, 12]


def test_the_clock_reads_the_machine() -> None:
    """Without another source it says epoch seconds of this century."""
    assert 1_700_000_000 < SystemClock().now() < 4_200_000_000


def waits(*, draw: float, attempts: int) -> list[float]:
    """How long each attempt waits when chance always gives the same."""
    slept = list[float]()
    backoff = JitteredBackoff(sleep=slept.append, draw=lambda: draw)
    for attempt in range(attempts):
        backoff.wait(attempt)
    return slept


def test_the_bound_of_a_wait_doubles_up_to_its_maximum() -> None:
    """Each bound is twice the one before until the maximum, where it stays."""
    bounds = waits(draw=1.0, attempts=20)
    assert bounds[0] == FIRST_WAIT_SECONDS_MAX
    assert bounds[-1] == WAIT_SECONDS_MAX
    for earlier, later in pairwise(bounds):
        assert later == min(2 * earlier, WAIT_SECONDS_MAX)


@pytest.mark.parametrize("attempt", [0, 1, 2_000])
def test_a_wait_lies_anywhere_below_its_bound(attempt: int) -> None:
    """Chance draws from nothing to the bound, however late the attempt."""
    slept = list[float]()
    JitteredBackoff(sleep=slept.append, draw=lambda: 0.0).wait(attempt)
    JitteredBackoff(sleep=slept.append).wait(attempt)
    assert slept[0] == 0.0
    assert 0.0 <= slept[1] <= WAIT_SECONDS_MAX
