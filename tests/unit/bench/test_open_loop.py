"""Latency counts from when a request was due: a server that stalls once cannot hide it."""

from collections import deque

from bench.measure import summed_up
from bench.open_loop import Schedule

MILLISECOND = 1_000_000
STALL = 500 * MILLISECOND
REQUESTS = 1_000
SERVICE = MILLISECOND // 10
"""How long the server takes over a request when it does not stall."""


def served_on_schedule(*, stalls_at: int) -> list[int]:
    """Latencies of a simulated server of one connection, which stalls once, asked on schedule."""
    schedule = Schedule(REQUESTS, per_second=1_000, start=0)
    waiting: deque[int] = deque()
    now = 0
    while not schedule.whole:
        while (number := schedule.take(now)) is not None:
            waiting.append(number)
        if not waiting:
            now += SERVICE
            continue
        number = waiting.popleft()
        now += SERVICE + (STALL if number == stalls_at else 0)
        schedule.answered(number, now)
    return schedule.nanoseconds


def test_one_stall_shows_in_the_latency_of_all_that_were_due_meanwhile() -> None:
    """Half a second of stall at a thousand requests a second delays some five hundred of them."""
    latency = summed_up(served_on_schedule(stalls_at=200))
    assert latency.p99 > 0.9 * STALL
    assert latency.p50 > MILLISECOND


def test_a_client_that_waits_would_have_hidden_it() -> None:
    """The same server, asked by a client that sends after each answer: one slow of a thousand."""
    closed = [SERVICE + (STALL if number == 200 else 0) for number in range(REQUESTS)]
    assert summed_up(closed).p99 == SERVICE


def test_without_a_stall_nothing_waits() -> None:
    """A server that keeps up answers each request in about the time that it takes over one."""
    latency = summed_up(served_on_schedule(stalls_at=-1))
    assert SERVICE <= latency.p99 <= 3 * SERVICE


def test_requests_are_due_evenly_and_taken_once() -> None:
    """At 1,000 a second the third is due after two milliseconds, not before, and only once."""
    schedule = Schedule(3, per_second=1_000, start=5)
    assert [schedule.due(number) for number in range(3)] == [
        5,
        MILLISECOND + 5,
        2 * MILLISECOND + 5,
    ]
    assert schedule.take(4) is None
    assert [schedule.take(2 * MILLISECOND + 4) for _ in range(3)] == [0, 1, None]
    assert [schedule.take(2 * MILLISECOND + 5) for _ in range(2)] == [2, None]


def test_it_is_whole_only_when_everything_was_answered() -> None:
    """Answers may come in any order; one that is missing is waited for."""
    schedule = Schedule(2, per_second=1_000, start=0)
    whole = []
    for number, now in ((1, 3 * MILLISECOND), (0, 4 * MILLISECOND)):
        schedule.answered(number, now)
        whole.append(schedule.whole)
    assert whole == [False, True]
    assert schedule.nanoseconds == [2 * MILLISECOND, 4 * MILLISECOND]
