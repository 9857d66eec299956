"""Token buckets: never more than the pace allows, and never more memory than is bounded."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from grantproof.service.pace import NANOSECONDS, SHARED, Buckets, Pace

NAMES_MAX = 3
PACES = st.builds(Pace, interval_ns=st.integers(1, 50), burst=st.integers(1, 5))
STEPS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 6)), min_size=1, max_size=60)
"""How much later, and who."""


def taken(buckets: Buckets, steps: list[tuple[int, int]]) -> dict[int, list[int]]:
    """When each name was given a token."""
    found: dict[int, list[int]] = {}
    now = 0
    for later, name in steps:
        now += later
        if buckets.take(name, now_ns=now) == 0:
            found.setdefault(name, []).append(now)
    return found


def most(instants: list[int], pace: Pace) -> bool:
    """Whether in no window more was given than the burst and what the window brings."""
    return all(
        last - first + 1 <= pace.burst + (instants[last] - instants[first]) // pace.interval_ns
        for first, last in itertools.combinations_with_replacement(range(len(instants)), 2)
    )


@given(PACES, STEPS)
def test_no_window_has_more_than_rate_and_burst(pace: Pace, steps: list[tuple[int, int]]) -> None:
    """For every name, whatever the others do."""
    for instants in taken(Buckets(pace, names_max=100), steps).values():
        assert most(instants, pace)


@given(PACES, STEPS)
def test_names_that_share_a_bucket_get_no_more_together(
    pace: Pace, steps: list[tuple[int, int]]
) -> None:
    """With fewer places than names all of them get what the places and the shared bucket allow."""
    found = taken(Buckets(pace, names_max=NAMES_MAX), steps)
    together = sorted(itertools.chain.from_iterable(found.values()))
    if together:
        window = together[-1] - together[0]
        assert len(together) <= (NAMES_MAX + 1) * (pace.burst + window // pace.interval_ns + 1)


@given(PACES, STEPS)
def test_who_waits_as_told_gets_a_token_and_a_refusal_costs_nothing(
    pace: Pace, steps: list[tuple[int, int]]
) -> None:
    """Not a nanosecond before, however often it was tried meanwhile."""
    buckets, now = Buckets(pace, names_max=100), 0
    for later, name in steps:
        now += later
        wait = buckets.take(name, now_ns=now)
        if wait > 0:
            assert buckets.take(name, now_ns=now) == wait
            assert buckets.take(name, now_ns=now + wait - 1) == 1
            now += wait
            assert buckets.take(name, now_ns=now) == 0


def test_the_burst_comes_at_once_and_then_the_rate() -> None:
    """Five, then one a second."""
    pace = Pace.of(60, seconds=60, burst=5)
    assert pace == Pace(NANOSECONDS, 5)
    buckets = Buckets(pace, names_max=1)
    assert [buckets.take("a", now_ns=0) for _ in range(6)] == [0] * 5 + [NANOSECONDS]
    buckets.give_back("a")
    assert buckets.take("a", now_ns=0) == 0
    buckets.give_back("nobody")
    assert len(buckets) == 1


def test_a_pace_is_never_faster_than_it_was_asked_for() -> None:
    """Whole nanoseconds, rounded to the slower side; a burst is at least one."""
    assert Pace.of(3, seconds=1, burst=0.5) == Pace(333_333_334, 1)
    assert Pace.of(0.5, seconds=1, burst=0.5) == Pace(2 * NANOSECONDS, 1)


def test_memory_is_bounded_under_100_000_names() -> None:
    """Who comes while all owe shares one bucket; who is remembered stays so."""
    pace = Pace.of(60, seconds=60, burst=2)
    buckets = Buckets(pace, names_max=1_000)
    let_through = sum(buckets.take(name, now_ns=name) == 0 for name in range(100_000))
    assert len(buckets) == 1_001
    assert let_through == 1_000 + 2
    assert buckets.take(SHARED, now_ns=100_000) > 0
    assert buckets.take(0, now_ns=100_000) == 0
    assert buckets.take(0, now_ns=100_000) > 0
    # When they owe nothing any more, they make room.
    later = 5 * NANOSECONDS
    assert all(buckets.take(("late", name), now_ns=later) == 0 for name in range(1_000))
    assert len(buckets) <= 1_001
