"""P-ATTR: attributes compare within one type; what is missing never holds."""

import z3

from grantproof.core.attributes import Operator
from grantproof.core.attributes import Value as AttributeValue
from specs.definitions.constraints import OPERATOR, attribute_holds
from specs.kernel.expressions import alike
from specs.kernel.sorts import VALUE_TYPE, Value
from specs.kernel.values import Symbolic, Term
from specs.kernel.view import View
from specs.properties.registry import Stated, some, states


def _holds(operator: View, left: Symbolic, right: Symbolic) -> z3.BoolRef:
    return View(attribute_holds(operator.value, left, right))()


@states("P-ATTR")
def missing_never_holds() -> Stated:
    """Whatever the operator, a missing side never holds; `ne` is no exception."""
    operator = some(Operator, "operator")
    left, right = some(AttributeValue | None, "left"), some(AttributeValue | None, "right")
    missing = z3.Or(z3.Not(left.there), z3.Not(right.there))
    return [("a side is missing", missing)], [
        ("never", z3.Not(_holds(operator, left.value, right.value)))
    ]


@states("P-ATTR")
def types_never_mix() -> Stated:
    """Values of different types compare by no operator but `in`; a bool is not a number."""
    operator = some(Operator, "operator")
    left, right = some(AttributeValue, "left"), some(AttributeValue, "right")
    differ = z3.Not(alike(left(), right()))
    within = operator() == OPERATOR["IN"]
    holds = _holds(operator, left.value, right.value)
    return [("the types differ", differ)], [("never", z3.Implies(holds, within))]


@states("P-ATTR")
def boundaries() -> Stated:
    """At equal numbers `le` and `ge` hold, `lt` and `gt` do not; one apart they change."""
    number = z3.Int("number")
    one, next_one = (Term(Value.an_int(n), VALUE_TYPE) for n in (number, number + 1))
    by = {name: View(Term(OPERATOR[name], Operator)) for name in ("LT", "LE", "GT", "GE", "NE")}
    equal = {name: _holds(operator, one, one) for name, operator in by.items()}
    apart = {name: _holds(operator, one, next_one) for name, operator in by.items()}
    at_equal, one_apart = {"LE", "GE"}, {"LT", "LE", "NE"}
    return [], [
        *((f"{name} at equal", holds == (name in at_equal)) for name, holds in equal.items()),
        *((f"{name} one apart", holds == (name in one_apart)) for name, holds in apart.items()),
    ]
