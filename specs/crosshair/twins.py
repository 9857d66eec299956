"""Refuted twins: contracts that are false by one step, each to be refuted with a counterexample."""

from grantproof.core.attributes import Operator, compare
from grantproof.core.constraints import (
    GeoRadius,
    MaxUsage,
    RateLimit,
    TimeWindow,
    radius_holds,
    rate_holds,
    usage_holds,
    window_holds,
)
from grantproof.core.geodesy import Position
from grantproof.core.model import Validity


def window_holds_at_its_end(start: int, end: int, hour: int) -> bool:
    """P-WINDOW: as if the end were inside.

    pre: 0 <= start < end <= 24 and 0 <= hour < 24
    post: _ == (start <= hour <= end)
    """
    return window_holds(TimeWindow(start, end), hour, 3)


def radius_ends_before_its_distance(metres: int) -> bool:
    """P-RADIUS: as if whoever is exactly as far away as the radius were outside.

    pre: 0 < metres <= 20_015_115
    post: _ == (metres > 1001)
    """
    away = Position(48_865_600, 2_352_200)
    return radius_holds(GeoRadius(Position(48_856_600, 2_352_200), metres), away)


def quota_holds_at_its_limit(limit: int, usage: int) -> bool:
    """P-QUOTA-MONO: as if the limit could be reached and used once more.

    pre: 0 < limit < 2**63 and 0 <= usage < 2**63
    post: _ == (usage <= limit)
    """
    return usage_holds(MaxUsage(limit), usage)


def rate_holds_at_its_limit(per_minute: int, rate: int) -> bool:
    """P-RATE-MONO: as if the limit could be reached and passed.

    pre: 0 < per_minute < 2**63 and 0 <= rate < 2**63
    post: _ == (rate <= per_minute)
    """
    return rate_holds(RateLimit(per_minute), rate)


def at_most_means_less(left: int, right: int) -> bool:
    """P-ATTR: as if `le` were `lt`.

    post: _ == (left < right)
    """
    return compare(Operator.LE, left, right)


def term_contains_its_end(start: int, end: int, instant: int) -> bool:
    """P-SOUND: as if the end were inside.

    pre: 0 <= start < end <= 253402300799 and 0 <= instant <= 253402300799
    post: _ == (start <= instant <= end)
    """
    return Validity(start, end).contains(instant)
