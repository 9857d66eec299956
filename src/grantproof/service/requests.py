"""Requests that were answered: how many on each route with which status, and how long they took.

Durations are sorted into fixed buckets, so that those of several replicas can be added up.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

BOUNDS: Final = (
    0.000_05,
    0.000_1,
    0.000_25,
    0.000_5,
    0.001,
    0.002_5,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
)
"""In seconds. A duration belongs to the first bucket whose bound it does not exceed."""

SUCCESSFUL: Final = 200


@dataclass(slots=True)
class Durations:
    """How many requests there were in each bucket, the last for all beyond; their sum in s."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    def count(self, seconds: float) -> None:
        """Count one that took so long."""
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds

    def copy(self) -> "Durations":
        """Return what was counted until now."""
        return Durations(self.buckets.copy(), self.seconds)


Series = tuple[str, int]
"""A route and a status."""


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """What was answered since the start, by route and status; durations by route and its class.

    The class of a status is its first digit.
    """

    answered: dict[Series, int]
    durations: dict[Series, Durations]


@dataclass(slots=True)
class _Answered:
    """The requests of one series; those of one class share their durations."""

    durations: Durations
    count: int = 0


class Requests:
    """Counts requests. One thread counts, any may read. Routes must be of a closed set."""

    def __init__(self, routes: Iterable[str] = ()) -> None:
        """Begin with 0 for each route that is given, so that its first request is seen to come."""
        self._answered: dict[Series, _Answered] = {}
        self._durations: dict[Series, Durations] = {}
        for route in routes:
            self._begin(route, SUCCESSFUL)

    def count(self, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered with the status, so many seconds after it came."""
        answered = self._answered.get((route, status)) or self._begin(route, status)
        answered.count += 1
        answered.durations.count(seconds)

    def tally(self) -> RequestCounts:
        """Return what was counted until now."""
        return RequestCounts(
            {series: answered.count for series, answered in self._answered.copy().items()},
            {series: found.copy() for series, found in self._durations.copy().items()},
        )

    def _begin(self, route: str, status: int) -> _Answered:
        series = (route, status // 100)
        durations = self._durations.get(series)
        if durations is None:
            durations = self._durations[series] = Durations()
        answered = self._answered[route, status] = _Answered(durations)
        return answered
