"""Outcomes and retries are counted, also by many threads at once."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from grantproof.core.errors import Illegal
from grantproof.service.attempts import UNAVAILABLE, AttemptCounts, Attempts
from grantproof.service.ports import StoreError, StoreUnavailable, StoreUncertain


def test_outcomes_and_retries_are_counted() -> None:
    """Those that did not come about stand at 0."""
    attempts = Attempts(["good", "bad"])
    attempts.count("good")
    attempts.retry()
    attempts.retry()
    assert attempts.tally() == AttemptCounts({"good": 1, "bad": 0, UNAVAILABLE: 0}, 2)


def test_an_outcome_that_is_not_of_the_set_is_refused() -> None:
    """So that a label is never what somebody sent."""
    attempts = Attempts(["good"])
    with pytest.raises(KeyError):
        attempts.count("alice")
    assert attempts.tally() == AttemptCounts({"good": 0, UNAVAILABLE: 0}, 0)


@pytest.mark.parametrize("error", [StoreError, StoreUnavailable, StoreUncertain])
def test_a_failure_of_the_store_is_counted_and_goes_on(error: type[StoreError]) -> None:
    """Whoever called is told as before."""
    attempts = Attempts(())
    with pytest.raises(error), attempts.at_store():
        raise error("gone")
    assert attempts.tally() == AttemptCounts({UNAVAILABLE: 1}, 0)


def test_other_errors_are_none_of_the_store() -> None:
    """Nor is what ends well."""
    attempts = Attempts(())
    with pytest.raises(Illegal), attempts.at_store():
        raise Illegal("usage", "is counted")
    with attempts.at_store():
        pass
    assert attempts.tally() == AttemptCounts({UNAVAILABLE: 0}, 0)


def test_threads_lose_no_count() -> None:
    """Although they change places all the time."""
    attempts = Attempts(["good"])

    def count(_: int) -> None:
        attempts.count("good")
        attempts.retry()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(count, range(2_000)))
    finally:
        sys.setswitchinterval(interval)
    assert attempts.tally() == AttemptCounts({"good": 2_000, UNAVAILABLE: 0}, 2_000)
