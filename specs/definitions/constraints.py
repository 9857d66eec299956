"""When each constraint holds.

P-WINDOW, P-GEO, P-RADIUS, P-QUOTA-MONO, P-RATE-MONO, P-ATTR, P-MONO-CONSTRAINT.
"""

import typing
from types import FunctionType

import z3

from grantproof.core import attributes, constraints
from grantproof.core.attributes import ClockYear, Literal, Path, PrincipalIdentity
from grantproof.core.constraints import (
    Attribute,
    Context,
    GeoFence,
    GeoRadius,
    MaxUsage,
    Observation,
    RateLimit,
    TimeWindow,
)
from grantproof.core.geodesy import HALF_TURN, RIGHT_ANGLE, Position
from grantproof.core.limits import (
    INSTANT_MAX,
    INSTANT_MIN,
    INTEGER_MAX,
    RADIUS_METRES_MAX,
    REGIONS_PER_FENCE_MAX,
)
from specs.definitions.registry import defines, describes, refuses
from specs.kernel.expressions import constructed
from specs.kernel.membership import card
from specs.kernel.shapes import located
from specs.kernel.sorts import IN_STRINGS, VALUE_TYPE, Object, Value, enum_sort, tag_is
from specs.kernel.values import (
    NOTHING,
    Cases,
    Dict,
    Items,
    Symbolic,
    Term,
    cases,
    exists,
    forall,
    guarded,
    truth,
    wrap,
)
from specs.kernel.view import View, as_value

OPERATOR = enum_sort(attributes.Operator)[1]
ROOT = enum_sort(attributes.Root)[1]
SEEN: typing.Final[FunctionType] = vars(constraints)["_seen"]


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


def distance(here: Symbolic, there: Symbolic) -> Symbolic:
    """Return the distance as a symbol of four angles: no proof looks into the trigonometry."""
    angles = [(View(one).latitude(), View(one).longitude()) for one in (here, there)]
    return located("=distance", (*angles[0], *angles[1]), int)


@defines(constraints.radius_holds, "P-RADIUS")
def radius_holds(radius: Symbolic, position: Symbolic) -> Symbolic:
    """The position is known, and the way to the centre does not exceed the radius."""
    r, p = View(radius), View(position)
    way = View(distance(p.value_when_there, r.centre.value))()
    return truth(z3.And(p.there, z3.Not(r.metres() < way)))


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
    window, fence, radius = c.when(TimeWindow), c.when(GeoFence), c.when(GeoRadius)
    quota, rate, attribute = c.when(MaxUsage), c.when(RateLimit), c.when(Attribute)
    left = read(attribute.path.value, situation)
    right = operand_value(attribute.operand.value, situation)
    return cases(
        (
            tag_is(c(), TimeWindow),
            window_holds(window.value, context.hour.value, context.weekday.value),
        ),
        (tag_is(c(), GeoFence), fence_holds(fence.value, context.region.value)),
        (tag_is(c(), GeoRadius), radius_holds(radius.value, context.position.value)),
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


@refuses(TimeWindow.__post_init__, "P-WINDOW")
def no_window(self: Symbolic) -> z3.BoolRef:
    """It covers no hour, reaches beyond the day, covers no weekday, or one that no week has."""
    w = View(self)
    first, after, day = w.start(), w.end(), w.weekdays.any_of()
    number = View(day.value)()
    of_the_day = z3.And(first > -1, first < after, after < constraints.HOURS_PER_DAY + 1)
    of_the_week = forall(day, z3.And(number > -1, number < constraints.DAYS_PER_WEEK))
    return z3.Not(z3.And(of_the_day, of_the_week, exists(day, z3.BoolVal(True))))


@refuses(GeoFence.__post_init__, "P-GEO")
def no_fence(self: Symbolic) -> z3.BoolRef:
    """It has no region, or more than there may be."""
    regions = View(self).regions
    some = exists(regions.any_of(), z3.BoolVal(True))
    return z3.Not(z3.And(some, card(regions.value) < REGIONS_PER_FENCE_MAX + 1))


@refuses(GeoRadius.__post_init__, "P-RADIUS")
def no_radius(self: Symbolic) -> z3.BoolRef:
    """It covers nothing, or more than the whole earth."""
    metres = View(self).metres()
    return z3.Not(z3.And(metres >= 1, metres - 1 < RADIUS_METRES_MAX))


@refuses(Position.__post_init__, "P-RADIUS")
def no_position(self: Symbolic) -> z3.BoolRef:
    """It lies beyond a pole, or beyond the meridian opposite to that of Greenwich."""
    p = View(self)
    ranges = ((p.latitude(), RIGHT_ANGLE), (p.longitude(), HALF_TURN))
    return z3.Or([z3.Or(angle < -most, most < angle) for angle, most in ranges])


@refuses(MaxUsage.__post_init__, "P-QUOTA-MONO")
def no_quota(self: Symbolic) -> z3.BoolRef:
    """The limit is no positive number of 64 bits."""
    return z3.Not(positive(View(self).limit()))


@refuses(RateLimit.__post_init__, "P-RATE-MONO")
def no_rate(self: Symbolic) -> z3.BoolRef:
    """The limit is no positive number of 64 bits."""
    return z3.Not(positive(View(self).per_minute()))


def positive(number: z3.ArithRef) -> z3.BoolRef:
    """Return whether the number is from 1 on and fits in 64 bits."""
    return z3.And(number >= 1, number - 1 < INTEGER_MAX)


@refuses(Attribute.__post_init__, "P-ATTR")
def no_comparison(self: Symbolic) -> z3.BoolRef:
    """A constant of a type that its operator never compares: an order of no number, no set."""
    a = View(self)
    constant = a.operand.when(Literal).field("value")()
    ordering = z3.Or([a.operator() == OPERATOR[name] for name in ("LT", "LE", "GT", "GE")])
    within = a.operator() == OPERATOR["IN"]
    fits = z3.And(
        z3.Implies(ordering, Value.is_an_int(constant)),
        z3.Implies(within, Value.is_a_frozenset(constant)),
    )
    return z3.And(tag_is(a.operand(), Literal), z3.Not(fits))


@refuses(Context.__post_init__, "P-WINDOW")
def no_moment(self: Symbolic) -> z3.BoolRef:
    """An instant, an hour or a weekday that no calendar has, or a count that is none."""
    c = View(self)
    ranges = (
        (c.instant(), INSTANT_MIN, INSTANT_MAX),
        (c.hour(), 0, constraints.HOURS_PER_DAY - 1),
        (c.weekday(), 0, constraints.DAYS_PER_WEEK - 1),
    )
    outside = [z3.Or(number < least, greatest < number) for number, least, greatest in ranges]
    counts = [(count.there, count()) for count in (c.usage, c.rate)]
    outside += [z3.And(told, z3.Or(one < 0, one > INTEGER_MAX)) for told, one in counts]
    return z3.Or(outside)


def seen(constraint: Symbolic, situation: Symbolic) -> Symbolic:
    """Return what the constraint sees, as a symbol of the constraint and of all it may look at."""
    s, name, at = View(situation), "=seen", [View(constraint)()]
    if isinstance(situation, Term):
        at.append(s())
    else:
        stored = (s.principal_attributes.value, s.resource_attributes.value)
        name = " ".join((name, *(typing.cast(Dict, one).found_at for one in stored)))
        at += [s.context(), s.principal()]
    stands = z3.Function(name, *(one.sort() for one in at), Object)
    return Term(stands(*at), tuple)


@describes(SEEN, "P-CERT", summary=seen)
def is_seen(result: Symbolic, constraint: Symbolic, situation: Symbolic) -> z3.BoolRef:
    """For each kind what its own definition is about, one after the other."""
    c, s = View(constraint), View(situation)
    attribute, context = c.when(Attribute), s.context
    centre, position = c.when(GeoRadius).centre, context.position
    looked_at = {
        TimeWindow: (context.hour.value, context.weekday.value),
        GeoFence: (context.region.value,),
        GeoRadius: (way_from(position, centre.value),),
        MaxUsage: (context.usage.value,),
        RateLimit: (context.rate.value,),
        Attribute: (
            read(attribute.path.value, situation),
            operand_value(attribute.operand.value, situation),
        ),
    }
    return z3.And(
        [z3.Implies(tag_is(c(), kind), told(result, those)) for kind, those in looked_at.items()]
    )


def way_from(position: View, centre: Symbolic) -> Symbolic:
    """Return the distance from the position to the centre, nothing where it is unknown."""
    way = distance(position.value_when_there, centre)
    return cases((position.there, way), (z3.Not(position.there), NOTHING))


def told(result: Symbolic, those: tuple[Symbolic, ...]) -> z3.BoolRef:
    """Return whether the result is those values in their order, each as an attribute value."""
    return z3.And(
        [
            z3.Implies(guard, in_order(typing.cast(Items, one), those))
            for guard, one in guarded(result)
        ]
    )


def in_order(found: Items, those: tuple[Symbolic, ...]) -> z3.BoolRef:
    """Return whether a tuple is those values, of which each may be nothing."""
    if len(found.values) != len(those):
        return z3.BoolVal(False)
    return z3.And([alike(one, other) for one, other in zip(found.values, those, strict=True)])


def alike(one: Symbolic, other: Symbolic) -> z3.BoolRef:
    """Return whether both are nothing, or both are the same attribute value."""
    (there, value), (other_there, other_value) = optional(one), optional(other)
    return z3.And(there == other_there, z3.Implies(there, value == other_value))


def optional(value: Symbolic) -> tuple[z3.BoolRef, z3.ExprRef]:
    """Return whether the value is something, and as which attribute value."""
    some = tuple((guard, item) for guard, item in guarded(value) if item != NOTHING)
    there = z3.Or([guard for guard, _ in some])
    return there, as_value(Cases(some)) if some else z3.FreshConst(Value)


@defines(constraints.observe, "P-CERT")
def observe(constraint: Symbolic, situation: Symbolic) -> Symbolic:
    """The constraint, what it saw, and whether it holds."""
    told_of = {
        "constraint": constraint,
        "saw": seen(constraint, situation),
        "held": holds(constraint, situation),
    }
    return constructed(Observation, told_of)
