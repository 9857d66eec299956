"""How old what is known may be: as old as the beginning of the look that last confirmed it.

A look reads at one moment and ends at a later one, and what is changed between is not in it. So
age is counted from its beginning, on a clock that is never set. P-FRESH, and `tla/Freshness.tla`.
"""

from collections.abc import Callable, Iterable
from typing import Final

NEVER: Final = float("-inf")


class Freshness:
    """Until when each organization that is followed may be asked. For one thread."""

    def __init__(self, now: Callable[[], float], *, max_staleness: float) -> None:
        """Count in seconds of the clock `now`; what is older than `max_staleness` is not fresh."""
        self.now = now
        self._max_staleness = max_staleness
        self._until: dict[str, float] = {}
        self._whole_at = now()

    def holds(self, organization: str) -> bool:
        """Return whether what is known of the organization is new enough."""
        return self.now() <= self._until.get(organization, NEVER)

    def confirm(self, organizations: Iterable[str], *, began: float) -> None:
        """Note that a look which began then has confirmed the organizations, or loaded them."""
        until = began + self._max_staleness
        for one in organizations:
            # A look that began earlier may end later.
            self._until[one] = max(self._until.get(one, NEVER), until)

    def confirm_all(self, *, began: float, followed: Iterable[str]) -> None:
        """Note that a look at all that is followed began then and has ended; forget the others."""
        self._whole_at = max(self._whole_at, began)
        self._until = {one: self._until[one] for one in followed if one in self._until}

    def age(self) -> float:
        """Return for how many seconds a change elsewhere may have gone unnoticed."""
        return self.now() - self._whole_at

    def is_whole(self) -> bool:
        """Return whether the last look at all that is followed is recent enough."""
        return self.age() <= self._max_staleness
