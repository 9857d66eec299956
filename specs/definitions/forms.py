"""Which assignments and sets cannot be made: the well-formed are those that there can be."""

import z3

from grantproof.core.limits import INSTANT_MAX, INSTANT_MIN, ROLES_PER_SOD_SET_MAX
from grantproof.core.model import SodSet, Validity
from specs.definitions.registry import refuses
from specs.definitions.world import SOD_LEAST
from specs.kernel.membership import card
from specs.kernel.values import Symbolic
from specs.kernel.view import View


@refuses(Validity.__post_init__, "P-INDUCT")
def validity_is_refused(self: Symbolic) -> z3.BoolRef:
    """A bound that no calendar has, or an end that is not after the start."""
    start, end = View(self).start, View(self).end
    outside = [
        z3.And(bound.there, z3.Or(bound() < INSTANT_MIN, bound() > INSTANT_MAX))
        for bound in (start, end)
    ]
    return z3.Or(*outside, z3.And(start.there, end.there, start() >= end()))


@refuses(SodSet.__post_init__, "P-INDUCT")
def set_is_refused(self: Symbolic) -> z3.BoolRef:
    """Fewer than two forbidden, more than there are roles to hold, or too many roles."""
    one = View(self)
    size = card(one.roles.value)
    return z3.Or(one.n() < SOD_LEAST, one.n() > size, size > ROLES_PER_SOD_SET_MAX)
