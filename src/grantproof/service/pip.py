"""The information point: what a decision knows of here and now.

The instant, and with it the hour, weekday and year in the organization's time zone, are the
service's own. The rest comes with the request; what only a trusted caller may say is marked so.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from grantproof.core.attributes import NO_ATTRIBUTES, Attributes
from grantproof.core.constraints import HOURS_PER_DAY, Context
from grantproof.core.errors import Illegal
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import Region
from grantproof.core.limits import INSTANT_MAX
from grantproof.core.metering import DAYS_PER_ERA, SECONDS_PER_DAY, YEARS_PER_ERA

SECONDS_PER_HOUR: Final = 3_600


@dataclass(frozen=True, slots=True)
class Supplied:
    """What the caller says of the context; hour, weekday, usage and rate only if trusted.

    So are the properties of the principal and of the resource, which override what is stored.
    """

    region: Region | None = None
    position: Position | None = None
    attributes: Attributes = NO_ATTRIBUTES
    hour: int | None = None
    weekday: int | None = None
    usage: int | None = None
    rate: int | None = None
    principal_properties: Attributes = NO_ATTRIBUTES
    resource_properties: Attributes = NO_ATTRIBUTES
    action_properties: Attributes = NO_ATTRIBUTES

    def __post_init__(self) -> None:
        # Illegal here as in the context that it becomes a part of.
        Context(0, self.hour or 0, self.weekday or 0, 0, usage=self.usage, rate=self.rate)

    @property
    def needs_trust(self) -> bool:
        """Whether it says something that only a trusted caller may say."""
        return self.overrides or not (
            self.hour is None and self.weekday is None and self.usage is None and self.rate is None
        )

    @property
    def overrides(self) -> bool:
        """Whether it says of the principal or the resource what is stored of them."""
        return len(self.principal_properties) > 0 or len(self.resource_properties) > 0


NOTHING_SUPPLIED: Final = Supplied()


@dataclass(frozen=True, slots=True)
class LocalTime:
    """An instant in a time zone; until `hour_ends` the hour, the weekday and the year stay."""

    hour: int
    weekday: int
    year: int
    hour_ends: int

    def hour_of_week(self, supplied: Supplied) -> int:
        """Return 24 * weekday + hour; what is supplied wins over the clock."""
        hour = self.hour if supplied.hour is None else supplied.hour
        weekday = self.weekday if supplied.weekday is None else supplied.weekday
        return HOURS_PER_DAY * weekday + hour


def check_time_zone(name: str) -> str:
    """Return the IANA name, or raise `Illegal` when there is no such time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Illegal("time_zone", "must be an IANA name such as `Europe/Paris`") from None
    return name


@lru_cache(maxsize=4_096)
def local_time(instant: int, time_zone: str) -> LocalTime:
    """Return the local hour, weekday and year of an instant (epoch seconds)."""
    zone = ZoneInfo(time_zone)
    # The calendar of Python ends with the year 9999, which some zones pass: it repeats by eras.
    eras = int(instant > INSTANT_MAX - SECONDS_PER_DAY)
    alike = instant - eras * DAYS_PER_ERA * SECONDS_PER_DAY
    there = datetime.fromtimestamp(alike, zone)
    year = there.year + eras * YEARS_PER_ERA
    return LocalTime(there.hour, there.weekday(), year, instant + _seconds_left(alike, zone))


def _seconds_left(instant: int, zone: ZoneInfo) -> int:
    """Return after how many seconds the hour ends: by itself, or because clocks are set."""
    there = datetime.fromtimestamp(instant, zone)
    left = SECONDS_PER_HOUR - there.minute * 60 - there.second
    offset = there.utcoffset()

    def is_set(later: int) -> bool:
        return datetime.fromtimestamp(later, zone).utcoffset() != offset

    # Few zones set their clocks within an hour, as the Chatham Islands do at a quarter to.
    seconds = range(instant, instant + left)
    return bisect_left(seconds, x=True, key=is_set) if is_set(seconds[-1]) else left


def calendar(time_zone: str) -> Callable[[int], tuple[int, int, int]]:
    """Return what tells the hour, the weekday and the year of an instant in the time zone."""

    def told(instant: int) -> tuple[int, int, int]:
        local = local_time(instant, time_zone)
        return local.hour, local.weekday, local.year

    return told


def uncounted(supplied: Supplied) -> Supplied:
    """Return what is supplied, with counts of 0 where it says none: as if nothing were used yet."""
    return replace(supplied, usage=supplied.usage or 0, rate=supplied.rate or 0)


def situate(instant: int, time_zone: str, supplied: Supplied) -> Context:
    """Return the context of a decision at the instant; what is supplied wins over the clock."""
    local = local_time(instant, time_zone)
    return Context(
        instant=instant,
        hour=local.hour if supplied.hour is None else supplied.hour,
        weekday=local.weekday if supplied.weekday is None else supplied.weekday,
        year=local.year,
        region=supplied.region,
        position=supplied.position,
        usage=supplied.usage,
        rate=supplied.rate,
        attributes=supplied.attributes,
        principal_properties=supplied.principal_properties,
        resource_properties=supplied.resource_properties,
        action_properties=supplied.action_properties,
    )
