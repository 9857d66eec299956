"""One writer after another: who waits longest is next, and nobody waits for ever."""

import threading
import time

import pytest

from grantproof.service.turns import Turns

PATIENCE_SECONDS = 10.0


def test_writers_take_turns_in_the_order_in_which_they_came() -> None:
    """One that comes again at once waits behind those who were there before."""
    turns, order = Turns(seconds_max=PATIENCE_SECONDS), list[str]()
    inside, queued = threading.Event(), threading.Event()

    def greedy() -> None:
        with turns():
            inside.set()
            queued.wait(PATIENCE_SECONDS)
        with turns():
            order.append("greedy")

    def patient() -> None:
        with turns():
            order.append("patient")

    first = threading.Thread(target=greedy)
    first.start()
    assert inside.wait(PATIENCE_SECONDS)
    second = threading.Thread(target=patient)
    second.start()
    while len(turns._waiting[""]) < 2:  # noqa: SLF001 - there is no other sign that one waits
        time.sleep(0.001)
    queued.set()
    for thread in (first, second):
        thread.join(PATIENCE_SECONDS)
    assert order == ["patient", "greedy"]


def test_a_turn_that_does_not_come_is_not_waited_for_for_ever() -> None:
    """What is then found of the database is the database's to say; later writers still get in."""
    turns = Turns(seconds_max=0.01)
    with turns(), turns(), turns():
        assert len(turns._waiting[""]) == 3  # noqa: SLF001 - all are in, the first is not out
    assert len(turns._waiting) == 0  # noqa: SLF001 - and nobody is left in the way of others


def test_a_writer_that_fails_gives_its_turn_on() -> None:
    """Whatever is raised inside."""
    turns = Turns(seconds_max=PATIENCE_SECONDS)
    with pytest.raises(RuntimeError), turns():
        raise RuntimeError
    began = time.monotonic()
    with turns():
        assert time.monotonic() - began < PATIENCE_SECONDS / 2
