"""When a call is made again, and after how long."""

import pytest

from grantproof.client.exchange import Call, Lost, Reply
from grantproof.client.retrying import Patience

ASK = Call("POST", "/evaluate", b"{}")
BUSY = Reply(503, {}, b"")
PLENTY = 60.0


def pauses(call: Call, came: Reply | Lost, seconds_left: float = PLENTY) -> list[float | None]:
    """The pause after each failed attempt, drawn from the middle."""
    return [
        Patience().next_pause(call, came, failed=failed, draw=0.5, seconds_left=seconds_left)
        for failed in (1, 2, 3, 4)
    ]


def test_pauses_double_three_times() -> None:
    """100, 200 and 400 milliseconds, and then it is over."""
    assert pauses(ASK, BUSY) == [0.1, 0.2, 0.4, None]


@pytest.mark.parametrize(("draw", "first"), [(0.0, 0.075), (0.5, 0.1), (1.0, 0.125)])
def test_a_pause_is_up_to_a_quarter_shorter_or_longer(draw: float, first: float) -> None:
    """As chance has it."""
    assert Patience().pause_seconds(1, draw=draw) == pytest.approx(first)


def test_only_what_is_idempotent_is_asked_again() -> None:
    """Nothing else: it may have been done."""
    once = Call("POST", "/v1/orgs/acme/roles", b"{}", idempotent=False)
    assert pauses(once, BUSY) == [None] * 4


@pytest.mark.parametrize("status", [200, 301, 400, 401, 403, 404, 409, 412, 413, 422, 501])
def test_an_answer_to_the_question_is_not_asked_for_again(status: int) -> None:
    """It would be the same."""
    assert pauses(ASK, Reply(status, {}, b"")) == [None] * 4


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_asked_again(status: int) -> None:
    """So is a conflict with the same call, and a connection that failed; not a timeout."""
    assert pauses(ASK, Reply(status, {}, b""))[0] == 0.1
    assert pauses(ASK, Reply(409, {}, b'{"code":"idempotency_in_progress"}'))[0] == 0.1
    assert pauses(ASK, Lost("unreachable", ""))[0] == pauses(ASK, Lost("broken_exchange", ""))[0]
    assert pauses(ASK, Lost("timeout", "")) == [None] * 4


def test_the_service_says_how_long_to_wait() -> None:
    """Not shorter than it says; what is past the deadline is not waited for."""
    slow = Reply(429, {"retry-after": "1"}, b"")
    assert pauses(ASK, slow) == [1.0, 1.0, 1.0, None]
    assert pauses(ASK, slow, seconds_left=0.9) == [None] * 4
    assert pauses(ASK, BUSY, seconds_left=0.15) == [0.1, None, None, None]
