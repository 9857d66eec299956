"""P-RADIUS: what the proofs suppose of the distance, and what makes it one.

The proofs take `distance` for a symbol. Here it is held to another formula, in floating point, and
to the laws of a distance; the strategy draws neighbours and antipodes as often as anything.
"""

from math import ceil

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.constraints import GeoRadius, radius_holds
from grantproof.core.geodesy import HALF_TURN, RIGHT_ANGLE, Position, distance
from grantproof.core.limits import RADIUS_METRES_MAX
from tests.properties.oracle import away
from tests.properties.tally import Tally
from tests.strategies.names import ANY
from tests.strategies.values import geo_radii

FLOATING_ERROR_METRES = 1e-6
"""What the oracle's formula may be off by: a few units in the last place of an angle."""


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Position, Position]:
    """Two places: anywhere, next to each other, or nearly opposite."""
    here = draw(ANY.positions)
    there = draw(st.sampled_from(["anywhere", "near", "opposite"]))
    if there == "anywhere":
        return here, draw(ANY.positions)
    north, east = draw(st.integers(-200, 200)), draw(st.integers(-200, 200))
    if there == "near":
        return here, moved(here.latitude + north, here.longitude + east)
    return here, moved(north - here.latitude, here.longitude + HALF_TURN + east)


def moved(latitude: int, longitude: int) -> Position:
    """The place, held back at the poles and carried on over the date line."""
    turned = (longitude + HALF_TURN) % (2 * HALF_TURN) - HALF_TURN
    return Position(max(-RIGHT_ANGLE, min(RIGHT_ANGLE, latitude)), turned)


def test_p_radius_the_distance_is_that_of_another_formula_rounded_up() -> None:
    """P-RADIUS: never less than the way along the great circle, and less than a metre more."""
    tally = Tally("P-RADIUS, distance")

    @settings(max_examples=200)
    @given(pairs())
    def measured(pair: tuple[Position, Position]) -> None:
        metres, way = distance(*pair), away(*pair)
        least, most = way - FLOATING_ERROR_METRES, way + FLOATING_ERROR_METRES
        assert ceil(least) <= metres <= ceil(most)
        tally.saw("near", 0 < way < 50)
        tally.saw("opposite", way > RADIUS_METRES_MAX - 50)
        tally.saw("between", 1_000 < way < 20_000_000)

    measured()
    tally.expect(near=30, opposite=20, between=20)


@settings(max_examples=100)
@given(pairs(), ANY.positions)
def test_p_radius_the_distance_keeps_the_laws_of_one(
    pair: tuple[Position, Position], via: Position
) -> None:
    """P-RADIUS: symmetric, zero in place and only there, at most half way round, no way shorter."""
    here, there = pair
    way = distance(here, there)
    assert distance(there, here) == way
    assert 0 <= way <= RADIUS_METRES_MAX
    assert distance(here, here) == 0
    assert (way == 0) == (away(here, there) < FLOATING_ERROR_METRES / 1_000)
    assert way <= distance(here, via) + distance(via, there)


@settings(max_examples=100)
@given(geo_radii(), ANY.positions)
def test_p_radius_a_radius_holds_up_to_its_distance(radius: GeoRadius, position: Position) -> None:
    """P-RADIUS: exactly as far as it reaches and no farther, at the centre, and never unknown."""
    way = distance(position, radius.centre)
    for metres in {radius.metres, max(1, way - 1), max(1, way), min(way + 1, RADIUS_METRES_MAX)}:
        reaching = GeoRadius(radius.centre, metres)
        assert radius_holds(reaching, position) is (metres - way >= 0)
    assert radius_holds(radius, radius.centre)
    assert radius_holds(GeoRadius(radius.centre, RADIUS_METRES_MAX), position)
    assert not radius_holds(radius, None)
