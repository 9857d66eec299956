"""Places and distances: known ways, the edges of the map, and a constant that is what it says."""

import pytest

from grantproof.core.errors import Illegal
from grantproof.core.geodesy import (
    HALF_TURN,
    ONE,
    PI,
    RIGHT_ANGLE,
    Position,
    degrees,
    distance,
)
from grantproof.core.limits import RADIUS_METRES_MAX

PARIS, LONDON = Position(48_856_600, 2_352_200), Position(51_507_400, -127_800)
SYDNEY, ORIGIN = Position(-33_868_800, 151_209_300), Position(0, 0)
POLE = Position(RIGHT_ANGLE, 0)


@pytest.mark.parametrize(
    ("here", "there", "metres"),
    [
        (PARIS, LONDON, 343_557),
        (ORIGIN, Position(1_000_000, 0), 111_196),
        (ORIGIN, Position(0, 1_000_000), 111_196),
        (Position(60_000_000, 0), Position(60_000_000, 1_000_000), 55_598),
        (ORIGIN, POLE, 10_007_558),
        (ORIGIN, Position(0, HALF_TURN), RADIUS_METRES_MAX),
        (POLE, Position(-RIGHT_ANGLE, 7), RADIUS_METRES_MAX),
        (SYDNEY, Position(33_868_800, -28_790_700), RADIUS_METRES_MAX),
        (PARIS, Position(48_865_600, 2_352_200), 1_001),
    ],
)
def test_known_ways_have_known_lengths(here: Position, there: Position, metres: int) -> None:
    """A degree of a meridian, half a degree of one at 60 north, a quarter and half of the earth."""
    assert (distance(here, there), distance(there, here)) == (metres, metres)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (PARIS, PARIS),
        (POLE, Position(RIGHT_ANGLE, 77_000_000)),
        (Position(5, HALF_TURN), Position(5, -HALF_TURN)),
    ],
)
def test_one_place_written_twice_is_no_way_from_itself(here: Position, there: Position) -> None:
    """A pole has every longitude, and the date line has two."""
    assert distance(here, there) == 0


def test_the_smallest_step_is_a_metre() -> None:
    """Rounded up: whoever is not at the place is not at zero metres, even beside a pole."""
    assert distance(ORIGIN, Position(1, 0)) == 1
    assert distance(ORIGIN, Position(0, -1)) == 1
    assert distance(Position(RIGHT_ANGLE - 1, 0), Position(RIGHT_ANGLE - 1, 1)) == 1
    assert distance(Position(0, HALF_TURN), Position(0, 1 - HALF_TURN)) == 1


def test_pi_is_pi() -> None:
    """The constant is that of Machin's formula, to the last of its 128 bits after the point."""

    def arc_of_reciprocal(n: int) -> int:
        term, total, k = (ONE << 32) // n, 0, 1
        while term != 0:
            total += term // k if k % 4 == 1 else -(term // k)
            term, k = term // (n * n), k + 2
        return total

    assert 4 * (4 * arc_of_reciprocal(5) - arc_of_reciprocal(239)) >> 32 == PI


@pytest.mark.parametrize(
    ("latitude", "longitude", "field", "rule"),
    [
        (RIGHT_ANGLE + 1, 0, "latitude", "must be between -90 and 90 degrees"),
        (-RIGHT_ANGLE - 1, 0, "latitude", "must be between -90 and 90 degrees"),
        (0, HALF_TURN + 1, "longitude", "must be between -180 and 180 degrees"),
        (0, -HALF_TURN - 1, "longitude", "must be between -180 and 180 degrees"),
    ],
)
def test_a_place_beyond_the_map_cannot_be_constructed(
    latitude: int, longitude: int, field: str, rule: str
) -> None:
    """One microdegree too far is too far."""
    with pytest.raises(Illegal) as caught:
        Position(latitude, longitude)
    assert (caught.value.field, caught.value.rule) == (field, rule)


@pytest.mark.parametrize(
    ("position", "text"),
    [
        (ORIGIN, "0,0"),
        (PARIS, "48.8566,2.3522"),
        (SYDNEY, "-33.8688,151.2093"),
        (Position(-1, 100_000_000), "-0.000001,100"),
        (Position(RIGHT_ANGLE, -HALF_TURN), "90,-180"),
        (Position(10_000_000, 10_500_000), "10,10.5"),
    ],
)
def test_a_position_is_written_in_degrees(position: Position, text: str) -> None:
    """With the decimals that it needs, and none that it does not."""
    assert degrees(position) == text
