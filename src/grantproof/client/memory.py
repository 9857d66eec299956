"""What a client remembers of an organization: the newest revision, and decisions made at it.

A decision is given again only while nothing can have changed it that the client could know of: it
was made at the newest revision known, time alone has not changed it, it is at most `max_age`
seconds old, and the feed that tells of changes works. A client that does not know asks.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from grantproof.client.questions import Question, written
from grantproof.client.results import Allow, Decision, Deny

NEVER: Final = float("-inf")

WAIT_SECONDS_MAX: Final = 60
"""What the service takes."""

INSTANT_SECONDS: Final = 1
"""An instant is told in whole seconds: the decision was made up to so much later."""


@dataclass(frozen=True, slots=True)
class Cache:
    """How decisions are remembered; a client without one asks every time.

    At most `entries_max` decisions, each for at most `max_age_seconds`. With `follows` a feed tells
    of changes, which takes a credential with the scope `review`, and while it is lost nothing is
    given from memory; without, a change shows after at most `max_age_seconds`. The feed is asked
    anew every `wait_seconds` (at most 60). Raises `ValueError`.
    """

    max_age_seconds: float = 5.0
    entries_max: int = 10_000
    follows: bool = True
    wait_seconds: int = 20

    def __post_init__(self) -> None:
        if not (self.max_age_seconds > 0 and self.entries_max > 0):
            message = "a cache keeps at least one decision, for more than 0 seconds"
            raise ValueError(message)
        if not 0 < self.wait_seconds <= WAIT_SECONDS_MAX:
            message = f"a feed waits for 1 to {WAIT_SECONDS_MAX} seconds"
            raise ValueError(message)

    @property
    def silence_seconds_max(self) -> float:
        """For how long a feed that says nothing is believed to work."""
        return self.wait_seconds + self.max_age_seconds


@dataclass(frozen=True, slots=True)
class _Entry:
    decision: Allow | Deny
    usable_until: float


class Memory:
    """The newest revision that was heard of, and with a cache decisions. Safe from any thread.

    `now` and `asked_at` are seconds of a clock that never moves back.
    """

    def __init__(self, cache: Cache | None) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._newest = 0
        self._fed_until = NEVER

    @property
    def newest(self) -> int:
        """The newest revision that an answer or the feed has told of."""
        return self._newest

    def look(self, question: Question, *, now: float, at_least: int = 0) -> Allow | Deny | None:
        """Return the decision that is remembered, if it may be given again."""
        cache = self._cache
        if cache is None or not question.memorable:
            return None
        key = written(question.fields())
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or (cache.follows and now >= self._fed_until):
                return None
            if now >= entry.usable_until:
                del self._entries[key]
                return None
            # INVARIANT: every entry is of the newest revision, see `_observe`.
            if self._newest < at_least:
                return None
            self._entries.move_to_end(key)
            return replace(entry.decision, cached=True)

    def keep(self, question: Question, decision: Decision, *, asked_at: float) -> None:
        """Note a decision that was asked for at that time, and remember it if it may be."""
        if not isinstance(decision, Allow | Deny):
            return
        with self._lock:
            self._observe(decision.revision)
            cache = self._cache
            if cache is None or decision.revision != self._newest or not question.memorable:
                return
            if decision.meter_age is not None:
                return
            usable_until = asked_at + _usable_seconds(decision, cache)
            if usable_until <= asked_at:
                return
            key = written(question.fields())
            self._entries[key] = _Entry(decision, usable_until)
            self._entries.move_to_end(key)
            while len(self._entries) > cache.entries_max:
                self._entries.popitem(last=False)

    def observe(self, revision: int) -> None:
        """Note that the organization has reached a revision."""
        with self._lock:
            self._observe(revision)

    def feed(self, revision: int, *, now: float) -> None:
        """Note that the feed works, and which revision it tells of."""
        with self._lock:
            self._observe(revision)
            if self._cache is not None:
                self._fed_until = now + self._cache.silence_seconds_max

    def lose_feed(self) -> None:
        """Note that the feed does not work: what may have changed is not known."""
        with self._lock:
            self._fed_until = NEVER
            self._entries.clear()

    def _observe(self, revision: int) -> None:
        if revision > self._newest:
            self._newest = revision
            self._entries.clear()


def _usable_seconds(decision: Allow | Deny, cache: Cache) -> float:
    """Return how long after it was asked for a decision may be given again.

    The two clocks need not agree: the service told how long the decision holds, and it was not made
    before it was asked for.
    """
    if decision.valid_until is None:
        return cache.max_age_seconds
    held = decision.valid_until - decision.decided_at - INSTANT_SECONDS
    return min(cache.max_age_seconds, held)
