"""Places on the earth, and how far apart they are: whole numbers throughout, no floats.

The trigonometry is fixed-point arithmetic, so the same two places are the same number of metres on
every machine. No proof looks into it: to the proofs `distance` is a symbol, and its contract (never
too short, symmetric, zero only in place, the triangle inequality) is tested. P-RADIUS.
"""

from dataclasses import dataclass
from math import isqrt
from typing import Final

from grantproof.core.errors import Illegal

MICRODEGREES: Final = 1_000_000
"""In a degree: 11 cm on the ground, finer than any receiver is sure of."""

RIGHT_ANGLE: Final = 90 * MICRODEGREES
HALF_TURN: Final = 2 * RIGHT_ANGLE


@dataclass(frozen=True, slots=True)
class Position:
    """A place on the earth (WGS 84), in microdegrees: north and east are positive."""

    latitude: int
    longitude: int

    def __post_init__(self) -> None:
        if not -RIGHT_ANGLE <= self.latitude <= RIGHT_ANGLE:
            raise Illegal("latitude", "must be between -90 and 90 degrees")
        if not -HALF_TURN <= self.longitude <= HALF_TURN:
            raise Illegal("longitude", "must be between -180 and 180 degrees")


def degrees(position: Position) -> str:
    """Return the position as it is written: decimal degrees of latitude and longitude."""
    return f"{_degrees(position.latitude)},{_degrees(position.longitude)}"


def _degrees(microdegrees: int) -> str:
    whole, rest = divmod(abs(microdegrees), MICRODEGREES)
    sign = "-" if microdegrees < 0 else ""
    return f"{sign}{whole}.{rest:06}".rstrip("0").rstrip(".")


def distance(here: Position, there: Position) -> int:
    """Return the shortest way over the earth, in whole metres, rounded up: never too short.

    The haversine of the angle between the two, on the sphere of the earth's mean radius. The way
    over the ellipsoid differs from it by about half a percent at most.
    """
    turned = abs(here.longitude - there.longitude)
    along = _sine_of_half(abs(here.latitude - there.latitude))
    across = _sine_of_half(min(turned, 2 * HALF_TURN - turned))
    # The cosine of a latitude is the sine of its distance from the pole.
    shrunk = _sine_of_half(2 * (RIGHT_ANGLE - abs(here.latitude)))
    shrunk = shrunk * _sine_of_half(2 * (RIGHT_ANGLE - abs(there.latitude))) >> BITS
    haversine = along * along + (shrunk * across * across >> BITS)
    if haversine == 0:
        return 0
    sine = min(isqrt(haversine), ONE)
    cosine = isqrt(ONE * ONE - sine * sine)
    # Sine and cosine of half the angle, hence the tangent of a quarter of it.
    angle = 4 * _arc_of_tangent((sine << BITS) // (ONE + cosine))
    return -(-(angle * EARTH_RADIUS + MARGIN) // METRE)


BITS: Final = 128
ONE: Final = 1 << BITS
"""The number 1 as a fixed-point number; all that follow are fixed-point numbers too."""

PI: Final = 0x3_243F6A88_85A308D3_13198A2E_03707344

RADIUS_UNITS_PER_METRE: Final = 10_000
EARTH_RADIUS: Final = 63_710_087_714
"""The mean radius R1 = (2a + b) / 3 of GRS 80, 6,371,008.7714 m, in tenths of a millimetre.

H. Moritz, Geodetic Reference System 1980, Journal of Geodesy 74 (2000) 128-133, for the IUGG.
"""

METRE: Final = ONE * RADIUS_UNITS_PER_METRE
MARGIN: Final = METRE // 1_000_000_000
"""A nanometre: hundreds of times more than the arithmetic can be short by, at the antipode."""

ARC_HALVINGS: Final = 2


def _sine_of_half(microdegrees: int) -> int:
    """Return the sine of half an angle from 0 to 180 degrees, term by term."""
    angle = microdegrees * PI // (2 * HALF_TURN)
    square = angle * angle >> BITS
    term, total, n = angle, 0, 1
    while term > 0:
        following = (term * square >> BITS) // ((n + 1) * (n + 2))
        total += term - following
        term = (following * square >> BITS) // ((n + 3) * (n + 4))
        n += 4
    return total


def _arc_of_tangent(tangent: int) -> int:
    """Return the angle, in radians, whose tangent is from 0 to 1: halved twice, then by series."""
    for _ in range(ARC_HALVINGS):
        tangent = (tangent << BITS) // (ONE + isqrt(ONE * ONE + tangent * tangent))
    square = tangent * tangent >> BITS
    power, total, n = tangent, 0, 1
    while power > 0:
        following = power * square >> BITS
        total += power // n - following // (n + 2)
        power = following * square >> BITS
        n += 4
    return total << ARC_HALVINGS
