"""A claim compiled for speed: its constraints merged into the fewest tests that say the same.

Windows become one bit mask over the hours of the week, fences one set, limits their least. The
reference in `constraints` says what each means; the tests hold the two together. P-INDEX.
"""

from dataclasses import dataclass
from typing import Final

from grantproof.core.attributes import ClockYear
from grantproof.core.constraints import (
    HOURS_PER_DAY,
    Attribute,
    Constraint,
    Context,
    GeoFence,
    MaxUsage,
    RateLimit,
    TimeWindow,
)
from grantproof.core.identifiers import ClaimId, Region
from grantproof.core.model import Claim
from grantproof.core.policy import claim_order

DAY_MASK: Final = (1 << HOURS_PER_DAY) - 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """A claim, and what must be true for it to grant; nothing where there is no such test.

    `hours` has bit 24 * weekday + hour set when the windows hold then. `hourly` says whether the
    passing of time alone may change the answer, `metered` whether usage or rate may.
    """

    claim: Claim
    order: tuple[bool, ClaimId]
    hours: int | None
    regions: frozenset[Region] | None
    usage_below: int | None
    rate_below: int | None
    attributes: tuple[Constraint, ...]
    hourly: bool
    metered: bool


def compile_claim(claim: Claim) -> Candidate:
    """Return the claim with its constraints merged."""
    windows = [c for c in claim.constraints if isinstance(c, TimeWindow)]
    fences = [c for c in claim.constraints if isinstance(c, GeoFence)]
    attributes = tuple(c for c in claim.constraints if isinstance(c, Attribute))
    limits = [c.limit for c in claim.constraints if isinstance(c, MaxUsage)]
    rates = [c.per_minute for c in claim.constraints if isinstance(c, RateLimit)]
    yearly = any(isinstance(attribute.operand, ClockYear) for attribute in attributes)
    return Candidate(
        claim=claim,
        order=claim_order(claim),
        hours=_hours(windows) if len(windows) > 0 else None,
        regions=_regions(fences),
        usage_below=min(limits, default=None),
        rate_below=min(rates, default=None),
        attributes=attributes,
        hourly=len(windows) > 0 or yearly,
        metered=claim.metered,
    )


def passes(candidate: Candidate, context: Context) -> bool:
    """Return whether every test but those on attributes passes."""
    hours = candidate.hours
    if hours is not None and not hours >> (context.weekday * HOURS_PER_DAY + context.hour) & 1:
        return False
    if candidate.regions is not None and context.region not in candidate.regions:
        return False
    below, usage = candidate.usage_below, context.usage
    if below is not None and (usage is None or usage >= below):
        return False
    below, rate = candidate.rate_below, context.rate
    return below is None or (rate is not None and rate < below)


def _regions(fences: list[GeoFence]) -> frozenset[Region] | None:
    common: frozenset[Region] | None = None
    for fence in fences:
        common = fence.regions if common is None else common & fence.regions
    return common


def _hours(windows: list[TimeWindow]) -> int:
    mask = -1
    for window in windows:
        day = ((1 << window.end) - 1) & ~((1 << window.start) - 1) & DAY_MASK
        mask &= sum(day << (HOURS_PER_DAY * weekday) for weekday in window.weekdays)
    return mask
