"""A claim compiled for speed: its constraints merged into the fewest tests that say the same.

Windows become one table over the hours of the week, fences one set, limits their least. The
reference in `constraints` says what each means; the tests hold the two together. P-INDEX.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from grantproof.core.attributes import ClockYear
from grantproof.core.constraints import (
    DAYS_PER_WEEK,
    HOURS_PER_DAY,
    Attribute,
    Constraint,
    GeoFence,
    GeoRadius,
    MaxUsage,
    RateLimit,
    TimeWindow,
    window_holds,
)
from grantproof.core.identifiers import ClaimId, Region
from grantproof.core.model import Claim
from grantproof.core.policy import claim_order

TIMETABLES_REMEMBERED_MAX: Final = 1_024
FENCES_REMEMBERED_MAX: Final = 1_024

MERGED: Final = (TimeWindow, GeoFence, MaxUsage, RateLimit)
"""What becomes a test of the candidate's own; whatever else there is, the reference is asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A claim, and what must be true for it to grant; nothing where there is no such test.

    `hours[24 * weekday + hour]` is 1 when the windows hold then. `closer` are the constraints that
    look at more than hour, region and counts: they are asked of the reference itself. `hourly` says
    whether the passing of time alone may change the answer, `yearly` whether the year may. Each is
    one of its own, so that what is known of it is found fast.
    """

    claim: Claim
    order: tuple[bool, ClaimId]
    hours: bytes | None
    regions: frozenset[str] | None
    usage_below: int | None
    rate_below: int | None
    closer: tuple[Constraint, ...]
    hourly: bool
    yearly: bool


def compile_claim(claim: Claim) -> Candidate:
    """Return the claim with its constraints merged."""
    windows = tuple(c for c in claim.constraints if isinstance(c, TimeWindow))
    fences = [c for c in claim.constraints if isinstance(c, GeoFence)]
    limits = [c.limit for c in claim.constraints if isinstance(c, MaxUsage)]
    rates = [c.per_minute for c in claim.constraints if isinstance(c, RateLimit)]
    others = [c for c in claim.constraints if not isinstance(c, MERGED)]
    yearly = any(isinstance(c, Attribute) and isinstance(c.operand, ClockYear) for c in others)
    return Candidate(
        claim=claim,
        order=claim_order(claim),
        hours=timetable(windows) if len(windows) > 0 else None,
        regions=_regions(fences),
        usage_below=min(limits, default=None),
        rate_below=min(rates, default=None),
        # Distances last, as they cost most.
        closer=tuple(sorted(others, key=lambda one: isinstance(one, GeoRadius))),
        hourly=len(windows) > 0 or yearly,
        yearly=yearly,
    )


def _regions(fences: list[GeoFence]) -> frozenset[str] | None:
    """Return what the fences have in common, as plain strings: those are found fastest."""
    common: frozenset[Region] | None = None
    for fence in fences:
        common = fence.regions if common is None else common & fence.regions
    return None if common is None else _plain(common)


@lru_cache(FENCES_REMEMBERED_MAX)
def _plain(regions: frozenset[Region]) -> frozenset[str]:
    # The same for all claims: what many decisions look at is near at hand.
    return frozenset(map(str, regions))


@lru_cache(TIMETABLES_REMEMBERED_MAX)
def timetable(windows: tuple[TimeWindow, ...]) -> bytes:
    """Return for each hour of the week, as in `Candidate.hours`, whether all the windows hold."""
    return bytes(
        all(window_holds(window, hour, weekday) for window in windows)
        for weekday in range(DAYS_PER_WEEK)
        for hour in range(HOURS_PER_DAY)
    )
