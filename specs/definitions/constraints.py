"""When each constraint holds.

P-WINDOW, P-GEO, P-QUOTA-MONO, P-RATE-MONO, P-ATTR, P-MONO-CONSTRAINT.
"""

import z3

from grantproof.core import attributes, constraints
from grantproof.core.attributes import ClockYear, Literal, Path, PrincipalIdentity
from grantproof.core.constraints import Attribute, GeoFence, MaxUsage, RateLimit, TimeWindow
from specs.definitions.registry import defines
from specs.kernel.sorts import IN_STRINGS, VALUE_TYPE, Value, enum_sort, tag_is
from specs.kernel.values import NOTHING, Symbolic, Term, cases, truth, wrap
from specs.kernel.view import View

OPERATOR = enum_sort(attributes.Operator)[1]
ROOT = enum_sort(attributes.Root)[1]


@defines(constraints.window_holds, "P-WINDOW")
def window_holds(window: Symbolic, hour: Symbolic, weekday: Symbolic) -> Symbolic:
    """The hour is none of those before the start or from the end on, and the day is listed."""
    w, h = View(window), View(hour)()
    outside = z3.Or(h < w.start(), w.end() <= h)
    return truth(z3.And(z3.Not(outside), w.weekdays.has(View(weekday)(), int)))


@defines(constraints.fence_holds, "P-GEO")
def fence_holds(fence: Symbolic, region: Symbolic) -> Symbolic:
    """The region is known and listed."""
    r = View(region)
    return truth(z3.And(r.there, View(fence).regions.has(r())))


@defines(constraints.usage_holds, "P-QUOTA-MONO")
def usage_holds(maximum: Symbolic, usage: Symbolic) -> Symbolic:
    """The usage is known, and one more use still fits under the limit."""
    u = View(usage)
    return truth(z3.And(u.there, u() + 1 <= View(maximum).limit()))


@defines(constraints.rate_holds, "P-RATE-MONO")
def rate_holds(limit: Symbolic, rate: Symbolic) -> Symbolic:
    """The rate is known, and one more request still fits into the minute."""
    r = View(rate)
    return truth(z3.And(r.there, r() + 1 <= View(limit).per_minute()))


@defines(attributes.compare, "P-ATTR")
def compare(operator: Symbolic, left: Symbolic, right: Symbolic) -> Symbolic:
    """A table: equality within one type, order between numbers, membership of a string in a set."""
    o, a, b = View(operator)(), View(left)(), View(right)()
    recognizers = (Value.is_a_bool, Value.is_an_int, Value.is_a_str, Value.is_a_frozenset)
    alike = z3.Or([z3.And(is_it(a), is_it(b)) for is_it in recognizers])
    numbers = z3.And(Value.is_an_int(a), Value.is_an_int(b))
    x, y = Value.the_int(a), Value.the_int(b)
    inside = IN_STRINGS(Value.the_str(a), Value.the_frozenset(b))
    table = {
        "EQ": z3.And(alike, a == b),
        "NE": z3.And(alike, z3.Not(a == b)),
        "LT": z3.And(numbers, z3.Not(y <= x)),
        "LE": z3.And(numbers, z3.Not(y < x)),
        "GT": z3.And(numbers, z3.Not(x <= y)),
        "GE": z3.And(numbers, z3.Not(x < y)),
        "IN": z3.And(Value.is_a_str(a), Value.is_a_frozenset(b), inside),
    }
    return truth(z3.And([z3.Implies(o == OPERATOR[name], row) for name, row in table.items()]))


@defines(constraints.attribute_holds, "P-ATTR")
def attribute_holds(operator: Symbolic, left: Symbolic, right: Symbolic) -> Symbolic:
    """Both sides are there and compare; what is missing never holds."""
    a, b = View(left), View(right)
    sides = (Term(a(), VALUE_TYPE), Term(b(), VALUE_TYPE))
    return truth(z3.And(a.there, b.there, View(compare(operator, *sides))()))


@defines(constraints.read, "P-ATTR")
def read(path: Symbolic, situation: Symbolic) -> Symbolic:
    """What the request says of the name, else what is stored, for principal and resource."""
    p, s = View(path), View(situation)
    name, root, context = p.name(), p.root(), s.context
    said = (
        (ROOT["PRINCIPAL"], context.principal_properties, s.principal_attributes),
        (ROOT["RESOURCE"], context.resource_properties, s.resource_attributes),
        (ROOT["ACTION"], context.action_properties, None),
        (ROOT["CONTEXT"], context.attributes, None),
    )
    found = []
    for where, request, stored in said:
        here = root == where
        found.append((z3.And(here, request.has(name)), request.at(name).value))
        absent = z3.And(here, z3.Not(request.has(name)))
        if stored is None:
            found.append((absent, NOTHING))
        else:
            found.append((z3.And(absent, stored.has(name)), stored.at(name).value))
            found.append((z3.And(absent, z3.Not(stored.has(name))), NOTHING))
    return cases(*found)


@defines(constraints.operand_value, "P-ATTR")
def operand_value(operand: Symbolic, situation: Symbolic) -> Symbolic:
    """The constant, the attribute at the path, the asking principal's id, or the year."""
    o, s = View(operand), View(situation)
    principal = wrap(Term(s.principal(), str))
    year = wrap(Term(s.context.year(), int))
    return cases(
        (tag_is(o(), Literal), o.when(Literal).field("value").value),
        (tag_is(o(), Path), read(o.when(Path).value, situation)),
        (tag_is(o(), PrincipalIdentity), Term(principal, VALUE_TYPE)),
        (tag_is(o(), ClockYear), Term(year, VALUE_TYPE)),
    )


@defines(constraints.holds, "P-ATTR")
def holds(constraint: Symbolic, situation: Symbolic) -> Symbolic:
    """Each kind of constraint as its own definition says, on what concerns it."""
    c, s = View(constraint), View(situation)
    context = s.context
    window, fence = c.when(TimeWindow), c.when(GeoFence)
    quota, rate, attribute = c.when(MaxUsage), c.when(RateLimit), c.when(Attribute)
    left = read(attribute.path.value, situation)
    right = operand_value(attribute.operand.value, situation)
    return cases(
        (
            tag_is(c(), TimeWindow),
            window_holds(window.value, context.hour.value, context.weekday.value),
        ),
        (tag_is(c(), GeoFence), fence_holds(fence.value, context.region.value)),
        (tag_is(c(), MaxUsage), usage_holds(quota.value, context.usage.value)),
        (tag_is(c(), RateLimit), rate_holds(rate.value, context.rate.value)),
        (tag_is(c(), Attribute), attribute_holds(attribute.operator.value, left, right)),
    )


@defines(constraints.all_hold, "P-MONO-CONSTRAINT")
def all_hold(some: Symbolic, situation: Symbolic) -> Symbolic:
    """None of the constraints fails; of no constraints none does."""
    one = View(some).any_of()
    fails = z3.And(one.guard, z3.Not(View(holds(one.value, situation))()))
    return truth(z3.Not(z3.Exists(list(one.binders), fails)))
