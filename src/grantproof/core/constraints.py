"""The conditions that a claim may carry, and when each holds.

Each predicate is one expression over what it needs, so that it can be proved equal to its
definition. What the context does not say makes the constraint fail: missing data never grants.
"""

from dataclasses import dataclass, field
from typing import Final, Literal, assert_never

from grantproof.core.attributes import (
    NO_ATTRIBUTES,
    ORDERING,
    Attributes,
    ClockYear,
    Operand,
    Operator,
    Path,
    PrincipalIdentity,
    Root,
    Value,
    compare,
)
from grantproof.core.attributes import Literal as Constant
from grantproof.core.errors import Illegal
from grantproof.core.geodesy import Position, distance
from grantproof.core.identifiers import PrincipalId, Region
from grantproof.core.limits import (
    INSTANT_MAX,
    INSTANT_MIN,
    INTEGER_MAX,
    RADIUS_METRES_MAX,
    REGIONS_PER_FENCE_MAX,
)

HOURS_PER_DAY: Final = 24
DAYS_PER_WEEK: Final = 7
EVERY_DAY: Final = frozenset(range(DAYS_PER_WEEK))

Period = Literal["hour", "day", "month", "total"]


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Holds from `start` until before `end` (whole hours, local), on `weekdays` (0 = Monday)."""

    start: int
    end: int
    weekdays: frozenset[int] = EVERY_DAY

    def __post_init__(self) -> None:
        if self.start < 0:
            raise Illegal("start", "must be at least 0")
        if self.end > HOURS_PER_DAY:
            raise Illegal("end", f"must be at most {HOURS_PER_DAY}")
        if self.start >= self.end:
            raise Illegal(
                "start", "must be before `end`: write a window over midnight as two claims"
            )
        if len(self.weekdays) == 0:
            raise Illegal("weekdays", "must not be empty: leave it out to mean every day")
        if not self.weekdays <= EVERY_DAY:
            raise Illegal("weekdays", "must be numbers from 0 (Monday) to 6 (Sunday)")


@dataclass(frozen=True, slots=True)
class GeoFence:
    """Holds when the request's region is one of `regions`, exactly."""

    regions: frozenset[Region]

    def __post_init__(self) -> None:
        if len(self.regions) == 0:
            raise Illegal("regions", "must not be empty")
        if len(self.regions) > REGIONS_PER_FENCE_MAX:
            raise Illegal("regions", f"must have at most {REGIONS_PER_FENCE_MAX} members")


@dataclass(frozen=True, slots=True)
class GeoRadius:
    """Holds when the request's position is at most `metres` from `centre`, over the earth."""

    centre: Position
    metres: int

    def __post_init__(self) -> None:
        if not 0 < self.metres <= RADIUS_METRES_MAX:
            raise Illegal("metres", f"must be between 1 and {RADIUS_METRES_MAX}")


@dataclass(frozen=True, slots=True)
class MaxUsage:
    """Holds while the usage counted in the period is below `limit`."""

    limit: int
    period: Period = "total"

    def __post_init__(self) -> None:
        if not 0 < self.limit <= INTEGER_MAX:
            raise Illegal("limit", "must be greater than 0 and fit in 64 bits")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Holds while the rate counted in the minute is below `per_minute`."""

    per_minute: int

    def __post_init__(self) -> None:
        if not 0 < self.per_minute <= INTEGER_MAX:
            raise Illegal("per_minute", "must be greater than 0 and fit in 64 bits")


@dataclass(frozen=True, slots=True)
class Attribute:
    """Holds when `path operator operand` compares true on values that are there."""

    path: Path
    operator: Operator
    operand: Operand

    def __post_init__(self) -> None:
        if not isinstance(self.operand, Constant):
            return
        constant = self.operand.value
        if self.operator in ORDERING and type(constant) is not int:
            raise Illegal("operand", f"must be a whole number for `{self.operator.value}`")
        if self.operator is Operator.IN and not isinstance(constant, frozenset):
            raise Illegal("operand", "must be a list of strings for `in`")


Constraint = TimeWindow | GeoFence | GeoRadius | MaxUsage | RateLimit | Attribute
METERED: Final = (MaxUsage, RateLimit)


@dataclass(frozen=True, slots=True)
class Context:
    """Here and now: the instant (epoch seconds), its local hour, weekday and year, and the rest.

    `usage` and `rate` are counts and apply to every claim; nothing means unknown. `attributes` are
    the request's own; the three kinds of properties override stored attributes and are present only
    when the caller is trusted with them.
    """

    instant: int
    hour: int
    weekday: int
    year: int
    region: Region | None = None
    position: Position | None = None
    usage: int | None = None
    rate: int | None = None
    attributes: Attributes = NO_ATTRIBUTES
    principal_properties: Attributes = NO_ATTRIBUTES
    resource_properties: Attributes = NO_ATTRIBUTES
    action_properties: Attributes = NO_ATTRIBUTES

    def __post_init__(self) -> None:
        if not INSTANT_MIN <= self.instant <= INSTANT_MAX:
            raise Illegal("instant", "must be epoch seconds between the years 1970 and 9999")
        if not 0 <= self.hour < HOURS_PER_DAY:
            raise Illegal("hour", "must be between 0 and 23")
        if not 0 <= self.weekday < DAYS_PER_WEEK:
            raise Illegal("weekday", "must be between 0 (Monday) and 6 (Sunday)")
        if self.usage is not None and not 0 <= self.usage <= INTEGER_MAX:
            raise Illegal("usage", "must be at least 0 and fit in 64 bits")
        if self.rate is not None and not 0 <= self.rate <= INTEGER_MAX:
            raise Illegal("rate", "must be at least 0 and fit in 64 bits")


@dataclass(frozen=True, slots=True)
class Situation:
    """What constraints look at: the context, who asks, and what is stored of both ends."""

    context: Context
    principal: PrincipalId
    principal_attributes: Attributes
    resource_attributes: Attributes


def window_holds(window: TimeWindow, hour: int, weekday: int) -> bool:
    """Return whether the hour and the weekday lie in the window. P-WINDOW."""
    return window.start <= hour < window.end and weekday in window.weekdays


def fence_holds(fence: GeoFence, region: Region | None) -> bool:
    """Return whether the region is known and inside the fence. P-GEO."""
    return region is not None and region in fence.regions


def radius_holds(radius: GeoRadius, position: Position | None) -> bool:
    """Return whether the position is known and no farther from the centre. P-RADIUS."""
    return position is not None and distance(position, radius.centre) <= radius.metres


def usage_holds(maximum: MaxUsage, usage: int | None) -> bool:
    """Return whether the usage is known and below the limit. P-QUOTA-MONO."""
    return usage is not None and usage < maximum.limit


def rate_holds(limit: RateLimit, rate: int | None) -> bool:
    """Return whether the rate is known and below the limit. P-RATE-MONO."""
    return rate is not None and rate < limit.per_minute


def attribute_holds(operator: Operator, left: Value | None, right: Value | None) -> bool:
    """Return whether both values are there and compare true. P-ATTR."""
    return left is not None and right is not None and compare(operator, left, right)


def holds(constraint: Constraint, situation: Situation) -> bool:
    """Return whether the constraint holds in the situation."""
    context = situation.context
    match constraint:
        case TimeWindow():
            return window_holds(constraint, context.hour, context.weekday)
        case GeoFence():
            return fence_holds(constraint, context.region)
        case GeoRadius():
            return radius_holds(constraint, context.position)
        case MaxUsage():
            return usage_holds(constraint, context.usage)
        case RateLimit():
            return rate_holds(constraint, context.rate)
        case Attribute():
            left = read(constraint.path, situation)
            right = operand_value(constraint.operand, situation)
            return attribute_holds(constraint.operator, left, right)
        case _:
            assert_never(constraint)


def all_hold(constraints: tuple[Constraint, ...], situation: Situation) -> bool:
    """Return whether every constraint holds; the empty list does. P-MONO-CONSTRAINT."""
    return all(holds(constraint, situation) for constraint in constraints)


def read(path: Path, situation: Situation) -> Value | None:
    """Return the value at `path`: the request's own where it gives one, else the stored one."""
    context = situation.context
    match path.root:
        case Root.PRINCIPAL:
            stored = situation.principal_attributes.get(path.name)
            return context.principal_properties.get(path.name, stored)
        case Root.RESOURCE:
            stored = situation.resource_attributes.get(path.name)
            return context.resource_properties.get(path.name, stored)
        case Root.ACTION:
            return context.action_properties.get(path.name)
        case Root.CONTEXT:
            return context.attributes.get(path.name)
        case _:
            assert_never(path.root)


def operand_value(operand: Operand, situation: Situation) -> Value | None:
    """Return the operand's value in the situation, or nothing where it is missing."""
    match operand:
        case Constant():
            return operand.value
        case Path():
            return read(operand, situation)
        case PrincipalIdentity():
            return str(situation.principal)
        case ClockYear():
            return situation.context.year
        case _:
            assert_never(operand)


@dataclass(frozen=True, slots=True)
class Observation:
    """A constraint, what it looked at (nothing where it was missing), and whether it held.

    `saw` has one value, or two: hour and weekday for a window, both sides for an attribute. A
    radius saw how many metres away the request came from: where that is stays untold.
    """

    constraint: Constraint
    saw: tuple[Value | None, ...]
    held: bool
    booleans: tuple[bool, ...] = field(init=False, default=(), repr=False)

    def __post_init__(self) -> None:
        # As with attributes: what saw `true` is not what saw 1.
        object.__setattr__(self, "booleans", tuple(isinstance(value, bool) for value in self.saw))


def observe(constraint: Constraint, situation: Situation) -> Observation:
    """Return the constraint with what it saw in the situation, for certificates and reasons."""
    return Observation(constraint, _seen(constraint, situation), holds(constraint, situation))


def _seen(constraint: Constraint, situation: Situation) -> tuple[Value | None, ...]:
    context = situation.context
    match constraint:
        case TimeWindow():
            return (context.hour, context.weekday)
        case GeoFence():
            return (None if context.region is None else str(context.region),)
        case GeoRadius():
            position, centre = context.position, constraint.centre
            return (None if position is None else distance(position, centre),)
        case MaxUsage():
            return (context.usage,)
        case RateLimit():
            return (context.rate,)
        case Attribute():
            left = read(constraint.path, situation)
            return (left, operand_value(constraint.operand, situation))
        case _:
            assert_never(constraint)
