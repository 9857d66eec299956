"""The written forms of constraints, told apart by their field `type`."""

from typing import Annotated, Final, Literal, assert_never

from pydantic import Field, GetCoreSchemaHandler, TypeAdapter, model_validator
from pydantic_core import CoreSchema, core_schema

from grantproof.core import constraints
from grantproof.core.attributes import Operator
from grantproof.core.limits import INTEGER_MAX, RADIUS_METRES_MAX, REGIONS_PER_FENCE_MAX
from grantproof.policyfile.document import Document, legal
from grantproof.policyfile.faults import TAG, without_tags
from grantproof.policyfile.fields import Distinct, PositionField, RegionField, described
from grantproof.policyfile.value_fields import OperandField, PathField

OperatorField = Annotated[Operator, Field(strict=False)]
"""An operator by its value: strictly, only a member of the enumeration would do."""

Weekday = Annotated[int, described(minimum=0, maximum=constraints.DAYS_PER_WEEK - 1)]
Limit = Annotated[int, described(minimum=1, maximum=INTEGER_MAX)]


class TimeWindow(Document):
    """Holds from the hour `start` until before the hour `end`, on the weekdays."""

    type: Literal["time_window"]
    start: Annotated[int, described(minimum=0, maximum=constraints.HOURS_PER_DAY - 1)]
    """The first whole hour, from 0, in the organization's time zone."""
    end: Annotated[int, described(minimum=1, maximum=constraints.HOURS_PER_DAY)]
    """The whole hour at which the window closes, at most 24."""
    weekdays: Annotated[frozenset[Weekday], Distinct(), described(minItems=1)] = (
        constraints.EVERY_DAY
    )
    """0 is Monday, 6 is Sunday; left out means every day."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> constraints.TimeWindow:
        """Return the core value that is written here."""
        return constraints.TimeWindow(self.start, self.end, self.weekdays)

    @classmethod
    def of(cls, window: constraints.TimeWindow) -> "TimeWindow":
        """Return the written form of the core value."""
        return cls.holding(
            type="time_window", start=window.start, end=window.end, weekdays=window.weekdays
        )


class GeoFence(Document):
    """Holds when the region of the request is one of the regions."""

    type: Literal["geo_fence"]
    regions: Annotated[
        frozenset[RegionField], Distinct(), described(minItems=1, maxItems=REGIONS_PER_FENCE_MAX)
    ]
    """Names of regions, at least one."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> constraints.GeoFence:
        """Return the core value that is written here."""
        return constraints.GeoFence(self.regions)

    @classmethod
    def of(cls, fence: constraints.GeoFence) -> "GeoFence":
        """Return the written form of the core value."""
        return cls.holding(type="geo_fence", regions=fence.regions)


class GeoRadius(Document):
    """Holds when the position of the request is within the radius around the centre."""

    type: Literal["geo_radius"]
    centre: PositionField
    """Latitude and longitude in decimal degrees, such as `48.8566,2.3522`."""
    metres: Annotated[int, described(minimum=1, maximum=RADIUS_METRES_MAX)]
    """The radius; the distance is rounded up to whole metres."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> constraints.GeoRadius:
        """Return the core value that is written here."""
        return constraints.GeoRadius(self.centre, self.metres)

    @classmethod
    def of(cls, radius: constraints.GeoRadius) -> "GeoRadius":
        """Return the written form of the core value."""
        return cls.holding(type="geo_radius", centre=radius.centre, metres=radius.metres)


class MaxUsage(Document):
    """Holds while the usage counted in the period is below the limit."""

    type: Literal["max_usage"]
    limit: Limit
    """Greater than 0."""
    period: constraints.Period = "total"
    """When the count starts again, in UTC."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> constraints.MaxUsage:
        """Return the core value that is written here."""
        return constraints.MaxUsage(self.limit, self.period)

    @classmethod
    def of(cls, maximum: constraints.MaxUsage) -> "MaxUsage":
        """Return the written form of the core value."""
        return cls.holding(type="max_usage", limit=maximum.limit, period=maximum.period)


class RateLimit(Document):
    """Holds while the rate counted in the minute is below the limit."""

    type: Literal["rate_limit"]
    per_minute: Limit
    """Greater than 0."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> constraints.RateLimit:
        """Return the core value that is written here."""
        return constraints.RateLimit(self.per_minute)

    @classmethod
    def of(cls, limit: constraints.RateLimit) -> "RateLimit":
        """Return the written form of the core value."""
        return cls.holding(type="rate_limit", per_minute=limit.per_minute)


class Attribute(Document):
    """Holds when the attribute at the path compares true with the operand."""

    type: Literal["attribute"]
    path: PathField
    """`principal.NAME`, `resource.NAME`, `action.NAME` or `context.NAME`."""
    op: OperatorField
    """Only integers have an order; `in` asks whether a string is in a list."""
    operand: OperandField
    """A value, or `{"path": ...}`: another attribute, `principal.id` or `clock.year`."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> constraints.Attribute:
        """Return the core value that is written here."""
        return constraints.Attribute(self.path, self.op, self.operand)

    @classmethod
    def of(cls, attribute: constraints.Attribute) -> "Attribute":
        """Return the written form of the core value."""
        return cls.holding(
            type="attribute", path=attribute.path, op=attribute.operator, operand=attribute.operand
        )


Constraint = TimeWindow | GeoFence | GeoRadius | MaxUsage | RateLimit | Attribute


def of(constraint: constraints.Constraint) -> Constraint:
    """Return the written form of a constraint."""
    match constraint:
        case constraints.TimeWindow():
            return TimeWindow.of(constraint)
        case constraints.GeoFence():
            return GeoFence.of(constraint)
        case constraints.GeoRadius():
            return GeoRadius.of(constraint)
        case constraints.MaxUsage():
            return MaxUsage.of(constraint)
        case constraints.RateLimit():
            return RateLimit.of(constraint)
        case constraints.Attribute():
            return Attribute.of(constraint)
        case _:
            assert_never(constraint)


class Listed:
    """Lets a field hold core constraints, written as a list of tagged objects in their order."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read and write a strict list of documents."""
        listed = handler.generate_schema(list[Annotated[Constraint, Field(discriminator=TAG)]])
        untagged = core_schema.no_info_wrap_validator_function(without_tags, listed)
        writing = core_schema.plain_serializer_function_ser_schema(_written, return_schema=listed)
        return core_schema.no_info_after_validator_function(_read, untagged, serialization=writing)


ConstraintsField = Annotated[tuple[constraints.Constraint, ...], Listed()]


def _read(documents: list[Constraint]) -> tuple[constraints.Constraint, ...]:
    return tuple(document.core() for document in documents)


def _written(held: tuple[constraints.Constraint, ...]) -> list[Constraint]:
    return [of(constraint) for constraint in held]


CONSTRAINTS: Final[TypeAdapter[tuple[constraints.Constraint, ...]]] = TypeAdapter(ConstraintsField)
