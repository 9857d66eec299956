"""Checks in a process of their own: the same findings, and none where there is no answer."""

import os
import signal
import threading

import pytest

from grantproof.adapters.apart import Apart
from grantproof.adapters.apart.checks import TOLD_MAX
from grantproof.core.invariants import Violation, valid
from grantproof.core.model import Assignment
from grantproof.core.organization import Organization
from grantproof.service.contracts import Unfinished
from tests.organizations import ANN, CLERK, made_of, people, roles

BROKEN = made_of(*people(ANN), Assignment(ANN, CLERK))


def test_what_is_found_apart_is_what_is_found_here() -> None:
    """Of a valid state nothing, of another the violations."""
    assert Apart(valid)(made_of(*people(ANN), *roles(CLERK))) == ()
    assert (
        Apart(valid)(BROKEN) == valid(BROKEN) == (Violation("assignment-refers", ("ann", "clerk")),)
    )


def test_it_is_another_process_and_keeps_no_file_of_this_one() -> None:
    """What this one listens on must not stay open in it."""
    reading, writing = os.pipe()

    def told(_: Organization) -> tuple[Violation, ...]:
        try:
            os.fstat(reading)
        except OSError:
            return (Violation("closed", (str(os.getpid()),)),)
        return (Violation("open", ()),)

    (one,) = Apart(told)(BROKEN)
    os.close(reading)
    os.close(writing)
    assert one.invariant == "closed"
    assert one.ids != (str(os.getpid()),)


def test_a_check_that_fails_is_a_violation() -> None:
    """And a process that dies has said nothing."""

    def fails(_: Organization) -> tuple[Violation, ...]:
        raise KeyError("ghost")

    def dies(_: Organization) -> tuple[Violation, ...]:
        os.kill(os.getpid(), 9)
        return ()

    assert Apart(fails)(BROKEN) == (Violation("unchecked", ("KeyError",)),)
    with pytest.raises(Unfinished):
        Apart(dies)(BROKEN)


def test_of_many_violations_the_first_are_told() -> None:
    """However many there are."""
    many = tuple(Violation("refers", (str(number) * 1_000,)) for number in range(500))
    assert Apart(lambda _: many)(BROKEN) == many[:TOLD_MAX]


def test_a_check_that_hangs_is_ended() -> None:
    """Nobody waits for it for ever, and the next one is made."""

    def lasts(state: Organization) -> tuple[Violation, ...]:
        if state == BROKEN:
            os.kill(os.getpid(), signal.SIGSTOP)
        return ()

    check = Apart(lasts, seconds_max=0.05)
    with pytest.raises(Unfinished, match=r"no answer in 0.05 s"):
        check(BROKEN)
    assert Apart(lasts, seconds_max=30)(made_of(*people(ANN))) == ()


def test_a_check_can_be_stopped() -> None:
    """A service that ends does not wait for it; and it begins no other."""

    def lasts(_: Organization) -> tuple[Violation, ...]:
        signal.pause()
        return ()

    check = Apart(lasts)
    threading.Timer(0.05, check.stop).start()
    for _ in range(2):
        with pytest.raises(Unfinished):
            check(BROKEN)
