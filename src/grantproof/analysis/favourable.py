"""Contexts found without a solver: most formulas of real policies ask little, each of one thing.

A guess is put to the test before it is believed, so it can only save time. That one condition says
all that another says is told here too, for the same reason.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from immutables import Map

from grantproof.analysis.encoding import YEAR_MAX, YEAR_MIN
from grantproof.analysis.formulas import (
    AllOf,
    AnyOf,
    AtLeast,
    Comparison,
    Condition,
    Formula,
    Not,
    true_in,
)
from grantproof.analysis.places import Inside, facts_of, is_everywhere, place
from grantproof.analysis.strangers import STRANGER
from grantproof.core.attributes import ClockYear, Literal, Operator, Path, Root, Value
from grantproof.core.constraints import (
    DAYS_PER_WEEK,
    HOURS_PER_DAY,
    Context,
    GeoFence,
    GeoRadius,
    MaxUsage,
    RateLimit,
    TimeWindow,
    window_holds,
)
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import AttributeName, Region
from grantproof.core.limits import INTEGER_MAX, INTEGER_MIN

ALTERNATIVES_TRIED_MAX: Final = 16
YEAR: Final = 2026


@dataclass(slots=True)
class _Wanted:
    """Conditions that must hold, and conditions that must not."""

    met: list[Condition] = field(default_factory=list)
    unmet: list[Condition] = field(default_factory=list)


def guess(formula: Formula) -> Context | None:
    """Return a context in which the formula is true, or nothing: that says nothing."""
    if isinstance(formula, AnyOf):
        tried = (guess(part) for part in formula.parts[:ALTERNATIVES_TRIED_MAX])
        return next((context for context in tried if context is not None), None)
    wanted = _wanted(formula)
    if wanted is None:
        return None
    context = _meeting(wanted)
    if context is None or not YEAR_MIN <= context.year <= YEAR_MAX:
        return None
    return context if true_in(formula, context) else None


def entails(one: Condition, other: Condition) -> bool:
    """Return whether the second holds wherever the first does; "no" may mean "not seen"."""
    match one, other:
        case TimeWindow(), TimeWindow():
            hours = other.start <= one.start and one.end <= other.end
            return hours and one.weekdays <= other.weekdays
        case GeoFence(), GeoFence():
            return one.regions <= other.regions
        case GeoRadius(), GeoRadius():
            known = one == other or is_everywhere(other)
            return known or Inside(one, other) in facts_of((one, other))
        case MaxUsage(), MaxUsage():
            return one.limit <= other.limit
        case RateLimit(), RateLimit():
            return one.per_minute <= other.per_minute
        case _:
            return one == other


def _wanted(formula: Formula) -> _Wanted | None:
    found = _Wanted()
    for part in formula.parts if isinstance(formula, AllOf) else (formula,):
        inner = part.part if isinstance(part, Not) else part
        if isinstance(inner, Not | AllOf | AnyOf | AtLeast):
            return None
        (found.met if inner is part else found.unmet).append(inner)
    return found


def _meeting(wanted: _Wanted) -> Context | None:
    time = _time(wanted)
    if time is None:
        return None
    values: dict[Root, dict[AttributeName, Value]] = {Root.CONTEXT: {}, Root.ACTION: {}}
    for path, value in _values(wanted):
        values[path.root].setdefault(path.name, value)
    return Context(
        instant=0,
        hour=time[0],
        weekday=time[1],
        year=_year(wanted),
        region=_region(wanted),
        position=_position(wanted),
        usage=_count([one.limit for one in wanted.met if isinstance(one, MaxUsage)], wanted),
        rate=_count([one.per_minute for one in wanted.met if isinstance(one, RateLimit)], wanted),
        attributes=Map(values[Root.CONTEXT]),
        action_properties=Map(values[Root.ACTION]),
    )


def _time(wanted: _Wanted) -> tuple[int, int] | None:
    """Return an hour and a weekday: noon on a Monday where it may be any."""
    met = [one for one in wanted.met if isinstance(one, TimeWindow)]
    unmet = [one for one in wanted.unmet if isinstance(one, TimeWindow)]
    hours = sorted(range(HOURS_PER_DAY), key=lambda hour: (abs(hour - HOURS_PER_DAY // 2), hour))
    for weekday, hour in product(range(DAYS_PER_WEEK), hours):
        if all(window_holds(one, hour, weekday) for one in met) and not any(
            window_holds(one, hour, weekday) for one in unmet
        ):
            return hour, weekday
    return None


def _region(wanted: _Wanted) -> Region | None:
    fences = [one.regions for one in wanted.met if isinstance(one, GeoFence)]
    if len(fences) == 0:
        return None
    outside = [one.regions for one in wanted.unmet if isinstance(one, GeoFence)]
    left = frozenset.intersection(*fences).difference(*outside)
    return min(left, default=None)


def _position(wanted: _Wanted) -> Position | None:
    within = [one for one in wanted.met if isinstance(one, GeoRadius)]
    if len(within) == 0:
        return None
    return place(within, [one for one in wanted.unmet if isinstance(one, GeoRadius)])


def _count(limits: list[int], wanted: _Wanted) -> int | None:
    """Return a count below the limits: none where nobody asks, the least where all is to hold."""
    if len(limits) == 0:
        return None
    unmet = any(isinstance(one, MaxUsage | RateLimit) for one in wanted.unmet)
    return min(limits) - 1 if unmet else 0


def _year(wanted: _Wanted) -> int:
    """Return a year that fits what is stored and compared with it; it need not be a legal one."""
    for one in wanted.met:
        if isinstance(one, Comparison) and isinstance(one.right, ClockYear):
            match one.left:
                case Literal(int() as left):
                    return _opposite(one.operator, left)
                case _:
                    continue
    return YEAR


def _opposite(operator: Operator, left: int) -> int:
    """Return a year of which `left operator year` is true."""
    steps = {Operator.LT: 1, Operator.GT: -1, Operator.NE: 1}
    return left + steps.get(operator, 0)


def _values(wanted: _Wanted) -> Iterator[tuple[Path, Value]]:
    for one in wanted.met:
        if not isinstance(one, Comparison):
            continue
        year = _year(wanted)
        match one.left, one.right:
            case Path() as path, Literal(value):
                fitting = _fitting(one.operator, value)
            case Path() as path, ClockYear():
                fitting = _fitting(one.operator, year)
            case Literal(value), Path() as path:
                fitting = _fitting(_TURNED.get(one.operator, one.operator), value)
                if one.operator is Operator.IN and isinstance(value, str):
                    fitting = frozenset({value})
            case _:
                continue
        if fitting is not None:
            yield path, fitting


_TURNED: Final = {
    Operator.LT: Operator.GT,
    Operator.LE: Operator.GE,
    Operator.GT: Operator.LT,
    Operator.GE: Operator.LE,
}


def _fitting(operator: Operator, right: Value) -> Value | None:
    """Return a value that compares true with `right`, or nothing where none is easily found."""
    match operator, right:
        case Operator.EQ, _:
            return right
        case Operator.NE, bool():
            return not right
        case Operator.NE, int():
            return right + 1 if right < INTEGER_MAX else right - 1
        case Operator.NE, str():
            return STRANGER if right != STRANGER else f"{STRANGER}-2"
        case Operator.NE, frozenset():
            return right | {STRANGER} if STRANGER not in right else right - {STRANGER}
        case Operator.IN, frozenset():
            return min(right, default=None)
        case ((Operator.LE | Operator.GE), int()):
            return right
        case Operator.LT, int() if right > INTEGER_MIN:
            return right - 1
        case Operator.GT, int() if right < INTEGER_MAX:
            return right + 1
        case _:
            return None
