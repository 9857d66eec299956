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
    Context,
    GeoFence,
    GeoRadius,
    MaxUsage,
    RateLimit,
    TimeWindow,
    radius_holds,
    window_holds,
)
from grantproof.core.identifiers import ClaimId, Region
from grantproof.core.model import Claim
from grantproof.core.policy import claim_order

TIMETABLES_REMEMBERED_MAX: Final = 1_024


@dataclass(frozen=True, slots=True)
class Candidate:
    """A claim, and what must be true for it to grant; nothing where there is no such test.

    `hours[24 * weekday + hour]` is 1 when the windows hold then. `hourly` says whether the passing
    of time alone may change the answer, `metered` whether usage or rate may. `free` is true when
    there is no test at all.
    """

    claim: Claim
    order: tuple[bool, ClaimId]
    hours: bytes | None
    regions: frozenset[Region] | None
    radii: tuple[GeoRadius, ...]
    usage_below: int | None
    rate_below: int | None
    attributes: tuple[Constraint, ...]
    hourly: bool
    metered: bool
    free: bool


def compile_claim(claim: Claim) -> Candidate:
    """Return the claim with its constraints merged."""
    windows = tuple(c for c in claim.constraints if isinstance(c, TimeWindow))
    fences = [c for c in claim.constraints if isinstance(c, GeoFence)]
    radii = tuple(c for c in claim.constraints if isinstance(c, GeoRadius))
    attributes = tuple(c for c in claim.constraints if isinstance(c, Attribute))
    limits = [c.limit for c in claim.constraints if isinstance(c, MaxUsage)]
    rates = [c.per_minute for c in claim.constraints if isinstance(c, RateLimit)]
    yearly = any(isinstance(attribute.operand, ClockYear) for attribute in attributes)
    return Candidate(
        claim=claim,
        order=claim_order(claim),
        hours=_hours(windows) if len(windows) > 0 else None,
        regions=_regions(fences),
        radii=radii,
        usage_below=min(limits, default=None),
        rate_below=min(rates, default=None),
        attributes=attributes,
        hourly=len(windows) > 0 or yearly,
        metered=claim.metered,
        free=len(claim.constraints) == 0,
    )


def passes(candidate: Candidate, context: Context) -> bool:
    """Return whether every test but those on attributes passes."""
    hours = candidate.hours
    if hours is not None and not hours[context.weekday * HOURS_PER_DAY + context.hour]:
        return False
    regions = candidate.regions
    if regions is not None and context.region not in regions:
        return False
    below = candidate.usage_below
    if below is not None:
        usage = context.usage
        if usage is None or usage >= below:
            return False
    below = candidate.rate_below
    if below is not None:
        rate = context.rate
        if rate is None or rate >= below:
            return False
    # Last, as it costs most: a distance is worked out.
    radii = candidate.radii
    return len(radii) == 0 or all(radius_holds(radius, context.position) for radius in radii)


def _regions(fences: list[GeoFence]) -> frozenset[Region] | None:
    common: frozenset[Region] | None = None
    for fence in fences:
        common = fence.regions if common is None else common & fence.regions
    return common


@lru_cache(TIMETABLES_REMEMBERED_MAX)
def _hours(windows: tuple[TimeWindow, ...]) -> bytes:
    return bytes(
        all(window_holds(window, hour, weekday) for window in windows)
        for weekday in range(DAYS_PER_WEEK)
        for hour in range(HOURS_PER_DAY)
    )
