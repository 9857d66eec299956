"""How decisions ended: counted by whoever makes them, without a lock, and read by whoever asks."""

from collections.abc import Mapping
from typing import Final

from grantproof.core.model import Claim
from grantproof.core.policy import Reason
from grantproof.core.sessions import NoSession
from grantproof.core.withheld import Withheld
from grantproof.policyfile.answers import CODES

Ending = type[Claim | Reason | Withheld | NoSession]
"""What a decision ended with: a claim that grants, or what it is denied for."""

Counts = dict[Ending, int]

ENDINGS: Final[tuple[Ending, ...]] = (Claim, *CODES)
"""All that there are, an Allow first."""


class Outcomes:
    """Decisions by their ending, since the start.

    INVARIANT: only the thread that owns the indexes counts, so that no increment is lost. Any
    thread may read.
    """

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts = none()

    def add(self, more: Mapping[Ending, int]) -> None:
        """Count decisions that were kept apart until it was certain that they are answered."""
        counts = self.counts
        for ending, count in more.items():
            counts[ending] += count

    def tally(self) -> Counts:
        """Return the counts as they are now."""
        return self.counts.copy()


def none() -> Counts:
    """Return a count of 0 for every ending."""
    return dict.fromkeys(ENDINGS, 0)
