"""P-RADIUS: a radius holds up to its distance and no farther; a wider one never hurts.

The distance is a symbol here, so all of this holds whatever the earth's shape is. What is supposed
of it is said where it is, and tested of the function in `tests/properties/test_geodesy.py`.
"""

import z3

from grantproof.core.constraints import GeoRadius
from grantproof.core.geodesy import Position
from grantproof.core.limits import RADIUS_METRES_MAX
from specs.definitions.constraints import distance, radius_holds
from specs.kernel.view import View
from specs.properties.registry import Stated, some, states


def _holds(radius: View, position: View) -> z3.BoolRef:
    return View(radius_holds(radius.value, position.value))()


def _away(position: View, radius: View) -> z3.ArithRef:
    return View(distance(position.value_when_there, radius.centre.value))()


@states("P-RADIUS")
def boundaries() -> Stated:
    """As far away as the radius it holds, a metre farther it does not, unknown it never does."""
    radius, position = some(GeoRadius, "radius"), some(Position | None, "position")
    holds, away, metres = _holds(radius, position), _away(position, radius), radius.metres()
    return [], [
        ("at the radius", z3.Implies(z3.And(position.there, away == metres), holds)),
        ("a metre farther", z3.Implies(away == metres + 1, z3.Not(holds))),
        ("unknown", z3.Implies(z3.Not(position.there), z3.Not(holds))),
    ]


@states("P-RADIUS")
def wider_radius_never_hurts() -> Stated:
    """What holds within a radius holds within every wider one around the same centre."""
    narrow, wide = some(GeoRadius, "narrow"), some(GeoRadius, "wide")
    position = some(Position | None, "position")
    given = [
        ("one centre", narrow.centre() == wide.centre()),
        ("narrow is not wider", narrow.metres() <= wide.metres()),
    ]
    return given, [("kept", z3.Implies(_holds(narrow, position), _holds(wide, position)))]


@states("P-RADIUS")
def nearer_never_hurts() -> Stated:
    """What holds at a position holds at every nearer one."""
    radius = some(GeoRadius, "radius")
    near, far = some(Position, "near"), some(Position, "far")
    nearer = [("near is not farther", _away(near, radius) <= _away(far, radius))]
    return nearer, [("kept", z3.Implies(_holds(radius, far), _holds(radius, near)))]


@states("P-RADIUS")
def at_the_centre() -> Stated:
    """A legal radius holds at its centre, which is no way from itself."""
    radius = some(GeoRadius, "radius")
    given = [
        ("the radius is legal", radius.metres() >= 1),
        ("no way from itself", _away(radius.centre, radius) == 0),
    ]
    return given, [("held", _holds(radius, radius.centre))]


@states("P-RADIUS")
def all_of_the_earth() -> Stated:
    """The widest legal radius holds wherever the position is known."""
    radius, position = some(GeoRadius, "radius"), some(Position, "position")
    given = [
        ("the radius is the widest", radius.metres() == RADIUS_METRES_MAX),
        ("nothing is farther than that", _away(position, radius) <= RADIUS_METRES_MAX),
    ]
    return given, [("held", _holds(radius, position))]
