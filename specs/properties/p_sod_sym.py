"""P-SOD-SYM: separation of duty sees sets, so no order of names or of assignments matters."""

import z3

from grantproof.core.identifiers import RoleId
from grantproof.core.model import SodSet
from specs.definitions.duty import exceeds
from specs.kernel.membership import contains
from specs.kernel.sorts import Name
from specs.kernel.values import Clause, Symbolic, Term, fresh_set
from specs.kernel.view import View
from specs.properties.registry import Stated, some, states


def _alike(one: Symbolic, other: Symbolic) -> Clause:
    x = z3.Const("x", Name)
    member = Term(x, RoleId)
    same = z3.ForAll([x], contains(one, member) == contains(other, member))
    return ("the members are the same", same)


@states("P-SOD-SYM")
def order_of_roles_held() -> Stated:
    """Two ways to say which roles are held give one answer."""
    sod_set = some(SodSet, "sod_set")
    one, other = fresh_set(RoleId, "one"), fresh_set(RoleId, "other")
    answers = (View(exceeds(sod_set.value, held))() for held in (one, other))
    first, second = answers
    return [_alike(one, other)], [("one answer", first == second)]


@states("P-SOD-SYM")
def order_of_roles_in_a_set() -> Stated:
    """Two sets of the same roles and the same `n` give one answer."""
    one, other, held = some(SodSet, "one"), some(SodSet, "other"), fresh_set(RoleId, "held")
    alike = [_alike(one.roles.value, other.roles.value), ("the same n", one.n() == other.n())]
    first, second = (View(exceeds(sod_set.value, held))() for sod_set in (one, other))
    return alike, [("one answer", first == second)]
