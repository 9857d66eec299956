"""How often something may happen: token buckets, one for each name, as many as are bounded.

A bucket holds up to `burst` tokens and gets one back every `interval_ns`. It is kept as one number,
the instant at which it is full again, as in the generic cell rate algorithm (ITU-T I.371): whole
nanoseconds, so that no rounding ever lets one more through.
"""

import math
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

NANOSECONDS: Final = 1_000_000_000
SHARED: Final = ("shared",)
"""The name of the bucket of all who have none of their own; nobody else is called that."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A token every `interval_ns`, and at most `burst` saved up; both at least one."""

    interval_ns: int
    burst: int

    @classmethod
    def of(cls, rate: float, *, seconds: float, burst: float) -> "Pace":
        """Return the pace of `rate` tokens in so many seconds, never more."""
        interval = math.ceil(seconds * NANOSECONDS / rate)
        return cls(max(1, interval), max(1, math.floor(burst)))


class Buckets:
    """A bucket for each name, of at most `names_max` names at once; for one thread.

    A name whose bucket is full again need not be remembered. While all of them owe tokens, further
    names share one bucket: whoever has a thousand names is not let through a thousand times.
    """

    def __init__(self, pace: Pace, *, names_max: int) -> None:
        self._interval = pace.interval_ns
        self._slack = pace.interval_ns * (pace.burst - 1)
        self._names_max = names_max
        self._full_at: OrderedDict[Hashable, int] = OrderedDict()

    def __len__(self) -> int:
        """Return how many names are remembered."""
        return len(self._full_at)

    def take(self, name: Hashable, *, now_ns: int) -> int:
        """Take a token of `name` and return 0; or return after how many nanoseconds there is one.

        `now_ns` is of a clock that never moves back. Who is told to wait has paid nothing.
        """
        full_at = self._full_at.get(name)
        if full_at is None:
            name = self._placed(name, now_ns)
            full_at = self._full_at.get(name, now_ns)
        begins = max(full_at, now_ns)
        wait = begins - now_ns - self._slack
        if wait > 0:
            return wait
        self._full_at[name] = begins + self._interval
        # The least recent first: it is the one to be forgotten.
        self._full_at.move_to_end(name)
        return 0

    def give_back(self, name: Hashable) -> None:
        """Give a token back that `name` has taken; lost if its bucket is the shared one."""
        if name in self._full_at:
            self._full_at[name] -= self._interval

    def _placed(self, name: Hashable, now_ns: int) -> Hashable:
        """Return the name under which a name that is not remembered takes its tokens."""
        if len(self._full_at) < self._names_max:
            return name
        oldest = next(iter(self._full_at))
        if self._full_at[oldest] > now_ns:
            return SHARED
        del self._full_at[oldest]
        return name
