"""Where a context may be: within some circles on the earth and out of others.

To the solver each circle is a proposition; here is what it must know of pairs of them, and the
search for a place that has the properties that the solver chose.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations
from math import asin, atan2, cos, degrees, radians, sin
from typing import Final

from grantproof.core.constraints import GeoRadius, radius_holds
from grantproof.core.geodesy import MICRODEGREES, Position, distance
from grantproof.core.limits import RADIUS_METRES_MAX

SLACK_METRES: Final = 10
"""More than rounding makes of a distance: what is decided by less is left to the search."""

BEARINGS: Final = 16
EARTH_METRES: Final = 6_371_008.7714
STEPS: Final = (1, 50, 1_000, 50_000)
"""How far off the edge of a circle is looked, in metres, on either side."""


@dataclass(frozen=True, slots=True)
class Apart:
    """No place is within both circles."""

    one: GeoRadius
    other: GeoRadius


@dataclass(frozen=True, slots=True)
class Inside:
    """Every place within the inner circle is within the outer one."""

    inner: GeoRadius
    outer: GeoRadius


def facts_of(circles: Iterable[GeoRadius]) -> Iterator[Apart | Inside]:
    """Yield what the triangle inequality says of each two of the circles."""
    for one, other in combinations(circles, 2):
        between = distance(one.centre, other.centre)
        if between > one.metres + other.metres + SLACK_METRES:
            yield Apart(one, other)
        for inner, outer in ((one, other), (other, one)):
            if between + inner.metres + SLACK_METRES <= outer.metres or (
                inner.centre == outer.centre and inner.metres <= outer.metres
            ):
                yield Inside(inner, outer)


def is_everywhere(circle: GeoRadius) -> bool:
    """Return whether every place is within the circle: nothing is farther than half way round."""
    return circle.metres >= RADIUS_METRES_MAX


def place(within: Iterable[GeoRadius], beyond: Iterable[GeoRadius]) -> Position | None:
    """Return a place within all of the first circles and none of the others, or nothing.

    Nothing means that none was found, not that there is none.
    """
    ins, outs = tuple(within), tuple(beyond)
    for candidate in _candidates((*ins, *outs)):
        if all(radius_holds(circle, candidate) for circle in ins) and not any(
            radius_holds(circle, candidate) for circle in outs
        ):
            return candidate
    return None


def _candidates(circles: tuple[GeoRadius, ...]) -> Iterator[Position]:
    """Yield centres, places about the edges and where edges cross, then far away from all."""
    yield from (circle.centre for circle in circles)
    for circle in circles:
        for step in STEPS:
            for metres in (circle.metres - step, circle.metres + step):
                for turn in range(BEARINGS):
                    yield _from(circle.centre, 360 * turn / BEARINGS, max(0, metres))
    for one, other in combinations(circles, 2):
        yield from _about_crossing(one, other)
    for circle in circles:
        yield Position(-circle.centre.latitude, _wrapped(circle.centre.longitude + 180_000_000))
    for latitude in range(-90, 91, 15):
        for longitude in range(-180, 180, 15):
            yield Position(latitude * MICRODEGREES, longitude * MICRODEGREES)


def _about_crossing(one: GeoRadius, other: GeoRadius) -> Iterator[Position]:
    """Yield places on the first edge, finely: around where it crosses the second."""
    for metres in (one.metres - 1, one.metres + 1):
        for turn in range(360):
            candidate = _from(one.centre, turn, max(0, metres))
            if abs(distance(candidate, other.centre) - other.metres) <= max(STEPS):
                yield candidate


def _from(start: Position, bearing: float, metres: int) -> Position:
    """Return the place so far from the start, clockwise from north."""
    angle, course = metres / EARTH_METRES, radians(bearing)
    latitude = radians(start.latitude / MICRODEGREES)
    there = asin(
        max(-1.0, min(1.0, sin(latitude) * cos(angle) + cos(latitude) * sin(angle) * cos(course)))
    )
    east = atan2(sin(course) * sin(angle) * cos(latitude), cos(angle) - sin(latitude) * sin(there))
    longitude = start.longitude + round(degrees(east) * MICRODEGREES)
    return Position(round(degrees(there) * MICRODEGREES), _wrapped(longitude))


def _wrapped(longitude: int) -> int:
    turn = 360 * MICRODEGREES
    return (longitude + turn // 2) % turn - turn // 2
