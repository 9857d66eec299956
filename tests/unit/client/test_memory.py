"""What is remembered, for how long, and what makes it forgotten."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from grantproof.client.memory import WAIT_SECONDS_MAX, Cache, Memory
from grantproof.client.questions import Question, Said
from grantproof.client.results import Allow, Deny, Undetermined
from grantproof.core import limits

ASKED = Question("ann", "read", "docs")
ALLOW = Allow("see", 7, 1_000, None)
FOLLOWED = Cache()


def remembering(cache: Cache = FOLLOWED, **fed: float) -> Memory:
    """A memory whose feed works, with an allow that was asked for at 50 seconds."""
    memory = Memory(cache)
    memory.feed(7, now=fed.get("now", 50))
    memory.keep(ASKED, ALLOW, asked_at=50)
    return memory


def test_a_decision_is_given_again_and_says_so() -> None:
    """To the same question, and to no other."""
    memory = remembering()
    assert memory.look(ASKED, now=51) == replace(ALLOW, cached=True)
    others = [
        Question("bob", "read", "docs"),
        Question("ann", "write", "docs"),
        Question("ann", "read", "doc"),
        Question("ann", "read", "docs", Said(region="eu")),
        Question("ann", "read", "docs", Said(active_roles=())),
        Question("ann", "read", "docs", Said(attributes={"level": 1})),
    ]
    assert [memory.look(other, now=51) for other in others] == [None] * len(others)


def test_values_that_look_alike_are_not_the_same_question() -> None:
    """True is not 1."""
    memory = remembering()
    said = [Said(attributes={"x": one}) for one in (True, 1, "1")]
    questions = [Question("ann", "read", "docs", one) for one in said]
    for number, question in enumerate(questions):
        memory.keep(question, replace(ALLOW, claim=str(number)), asked_at=50)
    found = [memory.look(question, now=50) for question in questions]
    assert [one.claim for one in found if one is not None] == ["0", "1", "2"]


def test_nothing_is_given_from_no_cache() -> None:
    """Which is what there is by default."""
    memory = Memory(None)
    memory.feed(7, now=50)
    memory.keep(ASKED, ALLOW, asked_at=50)
    assert memory.look(ASKED, now=50) is None
    assert memory.newest == 7


def test_it_is_forgotten_after_its_age() -> None:
    """Counted from when it was asked for."""
    memory = remembering()
    assert memory.look(ASKED, now=54.9) is not None
    assert memory.look(ASKED, now=55) is None
    assert memory.look(ASKED, now=54) is None


@pytest.mark.parametrize(("valid_until", "kept"), [(1_004, 3), (1_001, 0), (1_000, 0), (1_100, 5)])
def test_it_holds_no_longer_than_it_was_said_to(valid_until: int, kept: int) -> None:
    """On the clock of the client; an instant is up to a second earlier than the decision."""
    memory = Memory(Cache())
    memory.feed(7, now=50)
    memory.keep(ASKED, replace(ALLOW, valid_until=valid_until), asked_at=50)
    held = [now for now in range(50, 60) if memory.look(ASKED, now=now) is not None]
    assert held == list(range(50, 50 + kept))


def test_a_newer_revision_makes_all_be_forgotten() -> None:
    """Whoever tells of it: the feed, an answer, a change of its own."""
    other = Question("bob", "read", "docs")
    ways: list[Callable[[Memory], None]] = [
        lambda memory: memory.feed(8, now=51),
        lambda memory: memory.observe(8),
        lambda memory: memory.keep(other, replace(ALLOW, revision=8), asked_at=51),
    ]
    for tell in ways:
        memory = remembering()
        tell(memory)
        assert memory.look(ASKED, now=51) is None
        assert memory.newest == 8


def test_an_answer_of_an_older_revision_is_not_kept() -> None:
    """It was under way while the change was told, or is of a replica that lags."""
    memory = Memory(Cache())
    memory.feed(8, now=50)
    memory.keep(ASKED, ALLOW, asked_at=49)
    assert memory.look(ASKED, now=50) is None


def test_a_revision_that_is_demanded_must_be_there() -> None:
    """Otherwise the service is asked, which may have it."""
    memory = remembering()
    assert memory.look(ASKED, now=51, at_least=7) is not None
    assert memory.look(ASKED, now=51, at_least=8) is None


def test_while_the_feed_is_lost_nothing_is_given() -> None:
    """Nor before it has begun, nor when it was silent for too long."""
    memory = remembering()
    memory.lose_feed()
    assert memory.look(ASKED, now=51) is None
    memory.keep(ASKED, ALLOW, asked_at=51)
    assert memory.look(ASKED, now=51) is None
    memory.feed(7, now=52)
    assert memory.look(ASKED, now=52) is not None
    silent = remembering(Cache(max_age_seconds=60, wait_seconds=20), now=50)
    assert silent.look(ASKED, now=50 + 60) is None


def test_without_a_feed_the_age_is_all() -> None:
    """As the application has chosen."""
    memory = Memory(Cache(follows=False))
    memory.keep(ASKED, ALLOW, asked_at=50)
    assert memory.look(ASKED, now=54) is not None


@pytest.mark.parametrize(
    "said",
    [{"usage": 0}, {"rate": 0}, {"session_id": "s"}, {"explain": True}],
    ids=lambda said: next(iter(said)),
)
def test_some_questions_are_asked_every_time(said: Said) -> None:
    """What counts change, sessions change without a revision, and evidence has an instant."""
    memory = Memory(Cache())
    memory.feed(7, now=50)
    question = Question("ann", "read", "docs", said)
    memory.keep(question, ALLOW, asked_at=50)
    assert memory.look(question, now=50) is None


@pytest.mark.parametrize(
    "decision",
    [replace(ALLOW, meter_age=0), Undetermined("timeout", ""), replace(ALLOW, valid_until=1_000)],
    ids=["metered", "undetermined", "withheld"],
)
def test_some_answers_are_not_kept(decision: Allow | Deny | Undetermined) -> None:
    """What counters bear on, and what is no decision."""
    memory = Memory(Cache())
    memory.feed(7, now=50)
    memory.keep(ASKED, decision, asked_at=50)
    assert memory.look(ASKED, now=50) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_age_seconds": 0},
        {"max_age_seconds": float("nan")},
        {"entries_max": 0},
        {"wait_seconds": 0},
        {"wait_seconds": WAIT_SECONDS_MAX + 1},
    ],
)
def test_a_cache_that_could_not_be_is_refused(wrong: Any) -> None:
    """At once, and not by a service that refuses its feed."""
    with pytest.raises(ValueError, match=r"^a (cache keeps|feed waits)"):
        Cache(**wrong)
    assert WAIT_SECONDS_MAX == limits.WAIT_SECONDS_MAX


def test_only_so_many_are_kept() -> None:
    """Those that were looked for longest ago go first."""
    memory = Memory(Cache(entries_max=2))
    memory.feed(7, now=50)
    first, second, third = (Question("ann", "read", name) for name in ("a", "b", "c"))
    memory.keep(first, ALLOW, asked_at=50)
    memory.keep(second, ALLOW, asked_at=50)
    assert memory.look(first, now=50) is not None
    memory.keep(third, ALLOW, asked_at=50)
    held = [memory.look(one, now=50) is not None for one in (first, second, third)]
    assert held == [True, False, True]
