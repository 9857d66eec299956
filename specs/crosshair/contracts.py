"""Contracts over scalars of production functions, each to be confirmed over all paths.

The first word of each docstring is the property; `post` is its definition, said independently.
"""

from grantproof.core.attributes import Operator, compare
from grantproof.core.constraints import (
    GeoRadius,
    MaxUsage,
    RateLimit,
    TimeWindow,
    attribute_holds,
    radius_holds,
    rate_holds,
    usage_holds,
    window_holds,
)
from grantproof.core.geodesy import Position
from grantproof.core.model import Validity

CENTRE = Position(48_856_600, 2_352_200)
AWAY = Position(48_865_600, 2_352_200)
"""1,000.76 m from the centre."""


def window_equals_its_definition(start: int, end: int, hour: int) -> bool:
    """P-WINDOW: the hour is one of those from the start until before the end.

    pre: 0 <= start < end <= 24 and 0 <= hour < 24
    post: _ == (not (hour < start or end <= hour))
    """
    return window_holds(TimeWindow(start, end), hour, 3)


def window_needs_its_weekday(start: int, end: int, hour: int) -> bool:
    """P-WINDOW: on a day that is not listed no hour is in the window.

    pre: 0 <= start < end <= 24 and 0 <= hour < 24
    post: _ == False
    """
    return window_holds(TimeWindow(start, end, frozenset({0, 4})), hour, 5)


def window_opens_at_its_start(start: int, end: int) -> bool:
    """P-WINDOW: the hour of the start is inside, that of the end is outside.

    pre: 0 <= start < end <= 24
    post: _
    """
    window = TimeWindow(start, end)
    return window_holds(window, start, 0) and not window_holds(window, end, 0)


def radius_reaches_its_distance(metres: int) -> bool:
    """P-RADIUS: a radius holds a kilometre and a bit away exactly if it is 1,001 m or wider.

    pre: 0 < metres <= 20_015_115
    post: _ == (metres - 1000 > 0)
    """
    return radius_holds(GeoRadius(CENTRE, metres), AWAY)


def unknown_position_never_holds(metres: int) -> bool:
    """P-RADIUS: a position that nobody knows is within no radius.

    pre: 0 < metres <= 20_015_115
    post: _ == False
    """
    return radius_holds(GeoRadius(CENTRE, metres), None)


def quota_equals_its_definition(limit: int, usage: int) -> bool:
    """P-QUOTA-MONO: one more use still fits under the limit.

    pre: 0 < limit < 2**63 and 0 <= usage < 2**63
    post: _ == (usage + 1 <= limit)
    """
    return usage_holds(MaxUsage(limit), usage)


def more_usage_never_helps(limit: int, usage: int, more: int) -> bool:
    """P-QUOTA-MONO: what holds at a higher usage holds at a lower one.

    pre: 0 < limit < 2**63 and 0 <= usage <= more < 2**63
    post: _
    """
    maximum = MaxUsage(limit)
    return usage_holds(maximum, usage) or not usage_holds(maximum, more)


def lower_limit_never_helps(limit: int, lower: int, usage: int) -> bool:
    """P-QUOTA-MONO: what holds under a lower limit holds under a higher one.

    pre: 0 < lower <= limit < 2**63 and 0 <= usage < 2**63
    post: _
    """
    return usage_holds(MaxUsage(limit), usage) or not usage_holds(MaxUsage(lower), usage)


def unknown_usage_never_holds(limit: int) -> bool:
    """P-QUOTA-MONO: a usage that nobody knows is under no limit.

    pre: 0 < limit < 2**63
    post: _ == False
    """
    return usage_holds(MaxUsage(limit), None)


def rate_equals_its_definition(per_minute: int, rate: int) -> bool:
    """P-RATE-MONO: one more request still fits into the minute.

    pre: 0 < per_minute < 2**63 and 0 <= rate < 2**63
    post: _ == (rate + 1 <= per_minute)
    """
    return rate_holds(RateLimit(per_minute), rate)


def higher_rate_never_helps(per_minute: int, rate: int, more: int) -> bool:
    """P-RATE-MONO: what holds at a higher rate holds at a lower one.

    pre: 0 < per_minute < 2**63 and 0 <= rate <= more < 2**63
    post: _
    """
    limit = RateLimit(per_minute)
    return rate_holds(limit, rate) or not rate_holds(limit, more)


def numbers_compare_as_numbers(left: int, right: int) -> bool:
    """P-ATTR: the four orders are those of whole numbers, and agree with each other.

    post: _
    """
    less, most = compare(Operator.LT, left, right), compare(Operator.LE, left, right)
    more, least = compare(Operator.GT, left, right), compare(Operator.GE, left, right)
    return less == (right - left > 0) and most == (not more) and least == (not less)


def truth_is_no_number(left: bool, right: int) -> bool:
    """P-ATTR: a boolean neither equals a number nor stands in an order to it.

    post: _ == False
    """
    return any(compare(operator, left, right) for operator in Operator)


def missing_never_holds(value: int) -> bool:
    """P-ATTR: what is missing compares false with everything, `ne` included.

    post: _ == False
    """
    return attribute_holds(Operator.NE, None, value) or attribute_holds(Operator.EQ, value, None)


def term_equals_its_definition(start: int, end: int, instant: int) -> bool:
    """P-SOUND: a validity contains what is not before its start and not at its end or after.

    pre: 0 <= start < end <= 253402300799 and 0 <= instant <= 253402300799
    post: _ == (instant - start >= 0 and end - instant > 0)
    """
    return Validity(start, end).contains(instant)


def open_term_equals_its_definition(start: int, instant: int) -> bool:
    """P-SOUND: a validity without end contains everything from its start.

    pre: 0 <= start <= 253402300799 and 0 <= instant <= 253402300799
    post: _ == (instant - start >= 0)
    """
    return Validity(start).contains(instant)
