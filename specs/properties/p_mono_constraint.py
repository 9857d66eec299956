"""P-MONO-CONSTRAINT: adding a constraint never turns a deny into an allow."""

import z3

from grantproof.core.constraints import Constraint, Situation
from specs.definitions.constraints import all_hold
from specs.kernel.membership import contains, is_empty
from specs.kernel.shapes import located
from specs.kernel.sorts import Object
from specs.kernel.values import Term
from specs.kernel.view import View
from specs.properties.registry import Stated, some, states


@states("P-MONO-CONSTRAINT")
def more_constraints_hold_no_more() -> Stated:
    """Where all of more constraints hold, all of fewer do; of none, all do."""
    situation = some(Situation, "situation").value
    fewer = located("fewer", (), tuple[Constraint, ...])
    more = located("more", (), tuple[Constraint, ...])
    one = z3.Const("one", Object)
    member = Term(one, Constraint)
    kept = z3.ForAll([one], z3.Implies(contains(fewer, member), contains(more, member)))
    of_more, of_fewer = (View(all_hold(some_, situation))() for some_ in (more, fewer))
    return [("none is dropped", kept)], [
        ("fewer hold", z3.Implies(of_more, of_fewer)),
        ("of none all hold", z3.Implies(is_empty(fewer), of_fewer)),
    ]
