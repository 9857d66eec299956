"""The solvers of a service: bounded in number and in who waits, counted, and ended with it."""

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from structlog.testing import capture_logs

from grantproof.adapters.apart import Limits, Solvers
from grantproof.adapters.apart.forks import STOPPED
from grantproof.service.solving import ENDINGS, EndingCounts, Undetermined

PATIENT: Final = Limits(120.0, niceness=0)
"""On a busy machine, whom all others are preferred to is long in beginning and in dying."""
POLL_SECONDS: Final = 0.005
ENDS_SECONDS_MAX: Final = 60.0
"""Less than what nobody ends would last."""

Asked = Future[object]


@contextmanager
def asking(solvers: Solvers) -> Iterator[Callable[[Callable[[], object]], Asked]]:
    """Something that asks from a thread; whatever is not answered in the end is ended."""
    with ThreadPoolExecutor(8) as threads:
        try:
            yield lambda work: threads.submit(solvers.ask, work)
        finally:
            solvers.stop()


def lasting(place: Path) -> Callable[[], object]:
    """Work that says that it has begun, and does not end."""

    def work() -> None:
        place.touch()
        signal.pause()

    return work


def begun(place: Path) -> None:
    """Wait until the work has begun."""
    deadline = time.monotonic() + ENDS_SECONDS_MAX
    while not place.exists():
        assert time.monotonic() < deadline
        time.sleep(POLL_SECONDS)


def ended(tally: EndingCounts) -> dict[str, int]:
    """What has come about, and how often."""
    return {ending: count for ending, count in tally.endings.items() if count > 0}


def test_a_question_is_answered() -> None:
    """It is counted with the time that it took; nothing is said in the log."""
    solvers = Solvers(PATIENT, at_once=1)
    assert solvers.tally().endings == dict.fromkeys(ENDINGS, 0)
    with capture_logs() as lines:
        assert [solvers.ask(lambda: 6 * 7), solvers.ask(lambda: None)] == [42, None]
    tally = solvers.tally()
    assert ended(tally) == {"answered": 2}
    assert sum(tally.durations.buckets) == 2
    assert 0 < tally.durations.seconds < ENDS_SECONDS_MAX
    assert lines == []


@pytest.mark.parametrize(
    ("work", "cause"),
    [
        (lambda: signal.raise_signal(signal.SIGALRM), "time"),
        (lambda: int("ghost"), "crashed"),
        (lambda: signal.raise_signal(signal.SIGKILL), "crashed"),
        (lambda: [None] * 10**10, "memory"),
    ],
)
def test_a_question_without_an_answer_is_undetermined(
    work: Callable[[], object], cause: str
) -> None:
    """It is counted by its cause, and told in the log; the next question is answered."""
    solvers = Solvers(replace(PATIENT, memory_bytes=1 << 26), at_once=1)
    with capture_logs() as lines:
        found = solvers.ask(work)
    assert isinstance(found, Undetermined)
    assert found.cause == cause
    told = {"event": "undetermined", "cause": cause, "why": found.why, "log_level": "warning"}
    assert lines[-1] == told
    assert solvers.ask(lambda: 1) == 1
    tally = solvers.tally()
    assert ended(tally) == {"answered": 1, cause: 1}
    assert sum(tally.durations.buckets) == 2


def test_no_more_are_worked_on_at_once_than_may_be(tmp_path: Path) -> None:
    """Two at once, here; whoever comes then waits, and has its turn when one has ended."""
    go_on, places = tmp_path / "go on", [tmp_path / name for name in ("a", "b", "c")]

    def waiting(place: Path) -> Callable[[], object]:
        def work() -> str:
            place.touch()
            begun(go_on)
            return place.name

        return work

    solvers = Solvers(PATIENT, at_once=2)
    with asking(solvers) as ask:
        first = [ask(waiting(place)) for place in places[:2]]
        for place in places[:2]:
            begun(place)
        last = ask(waiting(places[2]))
        assert wait([last], 0.05).done == set()
        assert not places[2].exists()
        go_on.touch()
        assert [one.result(ENDS_SECONDS_MAX) for one in (*first, last)] == ["a", "b", "c"]
    assert ended(solvers.tally()) == {"answered": 3}


def test_no_more_wait_than_may(tmp_path: Path) -> None:
    """One is worked on, one waits, and the third is told at once."""
    solvers = Solvers(PATIENT, at_once=1, waiting_max=1)
    with asking(solvers) as ask:
        lasts = ask(lasting(tmp_path / "begun"))
        begun(tmp_path / "begun")
        others = [ask(lambda: 1), ask(lambda: 2)]
        told, waits = wait(others, ENDS_SECONDS_MAX, FIRST_COMPLETED)
        full = Undetermined("refused", "1 are worked on and 1 wait already")
        assert [one.result() for one in told] == [full]
        solvers.stop()
        assert [one.result() for one in (lasts, *waits)] == [STOPPED, STOPPED]
    tally = solvers.tally()
    assert ended(tally) == {"refused": 3}
    assert sum(tally.durations.buckets) == 0


def test_nobody_waits_longer_than_a_question_may_take() -> None:
    """Where no turn ever comes, each of those who wait is told so, no sooner than in that time."""
    solvers = Solvers(replace(PATIENT, seconds=0.2), at_once=0)
    with asking(solvers) as ask:
        began = time.monotonic()
        found = [one.result(ENDS_SECONDS_MAX) for one in [ask(lambda: 1) for _ in range(4)]]
        assert time.monotonic() - began >= 0.2
    assert found == [Undetermined("refused", "no turn in 0.2 s: 0 are worked on")] * 4
    assert ended(solvers.tally()) == {"refused": 4}


def test_one_that_is_late_makes_room(tmp_path: Path) -> None:
    """It is ended when its time is over, whatever it is doing, and the next has its turn."""
    solvers = Solvers(replace(PATIENT, seconds=0.2), at_once=1)
    late = Undetermined("time", "no answer in 0.2 s")
    assert [solvers.ask(lasting(tmp_path / name)) for name in "ab"] == [late, late]
    assert ended(solvers.tally()) == {"time": 2}


def test_a_service_that_ends_has_no_solver(tmp_path: Path) -> None:
    """Those under way are ended, those that wait do so no more, and nothing is begun."""
    solvers = Solvers(PATIENT, at_once=1)
    with asking(solvers) as ask:
        asked = [ask(lasting(tmp_path / "begun"))]
        begun(tmp_path / "begun")
        asked += [ask(lambda: 1) for _ in range(3)]
        began = time.monotonic()
        with capture_logs() as lines:
            solvers.stop()
            solvers.stop()
            assert [one.result() for one in asked] == [STOPPED] * 4
            assert solvers.ask(lambda: 1) == STOPPED
    assert time.monotonic() - began < ENDS_SECONDS_MAX
    assert ended(solvers.tally()) == {"refused": 5}
    assert lines == []
