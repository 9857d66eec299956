"""The rows of a snapshot file: an explicit schema, of which every change is another `FORMAT`.

Arrays and not objects, for there are millions. Groups, roles, kinds and constraints come before
what refers to them, and are named by their place from then on. Whatever has a version ends with it.
"""

import struct
from typing import Annotated, Final, Literal, assert_never

from msgspec import Meta, Struct

from grantproof.core.attributes import (
    NO_ATTRIBUTES,
    Attributes,
    ClockYear,
    Operand,
    Operator,
    Path,
    PrincipalIdentity,
    Root,
    Value,
    attributes,
)
from grantproof.core.attributes import Literal as Constant
from grantproof.core.constraints import (
    Attribute,
    Constraint,
    GeoFence,
    GeoRadius,
    MaxUsage,
    Period,
    RateLimit,
    TimeWindow,
)
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import AttributeName, Region
from grantproof.core.model import ALWAYS, Validity

FORMAT: Final = "grantproof-snapshot-3"

LENGTH: Final = struct.Struct(">I")
"""Stands before each part: how many bytes it has."""

Place = Annotated[int, Meta(ge=0)]
"""Of a group, a role, a kind or a constraint in the order in which they were written."""

Places = tuple[Place, ...]

Timed = tuple[Place, int | None, int | None]
"""A role, and from when until when it is held, in epoch seconds."""

ValueRow = bool | int | str | list[str]
AttributesRow = dict[str, ValueRow]


class PathRow(Struct, tag="path", array_like=True, forbid_unknown_fields=True, frozen=True):
    """The path of an attribute."""

    root: Root
    name: str


class ConstantRow(Struct, tag="constant", array_like=True, forbid_unknown_fields=True, frozen=True):
    """A constant operand."""

    value: ValueRow


class IdentityRow(Struct, tag="identity", array_like=True, forbid_unknown_fields=True, frozen=True):
    """The operand that is who asks."""


class YearRow(Struct, tag="year", array_like=True, forbid_unknown_fields=True, frozen=True):
    """The operand that is the year."""


OperandRow = PathRow | ConstantRow | IdentityRow | YearRow


class WindowRow(Struct, tag="window", array_like=True, forbid_unknown_fields=True, frozen=True):
    """A time window."""

    start: int
    end: int
    weekdays: list[int]


class FenceRow(Struct, tag="fence", array_like=True, forbid_unknown_fields=True, frozen=True):
    """A fence of regions."""

    regions: list[str]


class RadiusRow(Struct, tag="radius", array_like=True, forbid_unknown_fields=True, frozen=True):
    """A radius around a point, in microdegrees and metres."""

    latitude: int
    longitude: int
    metres: int


class UsageRow(Struct, tag="usage", array_like=True, forbid_unknown_fields=True, frozen=True):
    """A quota."""

    limit: int
    period: Period


class RateRow(Struct, tag="rate", array_like=True, forbid_unknown_fields=True, frozen=True):
    """A rate."""

    per_minute: int


class ComparedRow(Struct, tag="compared", array_like=True, forbid_unknown_fields=True, frozen=True):
    """A comparison of attributes."""

    path: PathRow
    operator: Operator
    operand: OperandRow


ConstraintRow = WindowRow | FenceRow | RadiusRow | UsageRow | RateRow | ComparedRow

PatternRow = tuple[Literal["exactly", "within", "kind", "any"], str | None]


class Header(Struct, tag="header", array_like=True, forbid_unknown_fields=True, frozen=True):
    """Of which organization this is, at which event, and how many entities are in it."""

    organization: str
    revision: int
    seal: str
    time_zone: str
    administered: bool
    entities: Place


class Groups(Struct, tag="groups", array_like=True, forbid_unknown_fields=True, frozen=True):
    """Groups by themselves."""

    rows: list[tuple[str, int]]


class Roles(Struct, tag="roles", array_like=True, forbid_unknown_fields=True, frozen=True):
    """Roles by themselves."""

    rows: list[tuple[str, int]]


class Kinds(Struct, tag="kinds", array_like=True, forbid_unknown_fields=True, frozen=True):
    """Declared kinds."""

    rows: list[tuple[str, int]]


class Resources(Struct, tag="resources", array_like=True, forbid_unknown_fields=True, frozen=True):
    """Resources: id, kind, parent, attributes."""

    rows: list[tuple[str, Place, str | None, AttributesRow, int]]


class Nestings(Struct, tag="nestings", array_like=True, forbid_unknown_fields=True, frozen=True):
    """Groups that have containers or roles: the group, its containers, its roles."""

    rows: list[tuple[Place, list[Place], Places, list[Timed]]]


class Inheritances(
    Struct, tag="inheritances", array_like=True, forbid_unknown_fields=True, frozen=True
):
    """Roles that have parents: the role, its parents."""

    rows: list[tuple[Place, list[Place]]]


class SodSets(Struct, tag="sod_sets", array_like=True, forbid_unknown_fields=True, frozen=True):
    """Sets: id, roles, the smallest forbidden count, mode."""

    rows: list[tuple[str, list[Place], int, Literal["static", "dynamic"], int]]


class Guardrails(
    Struct, tag="guardrails", array_like=True, forbid_unknown_fields=True, frozen=True
):
    """Guardrails, as events write them: there are few."""

    rows: list[tuple[str, int]]


class Constraints(
    Struct, tag="constraints", array_like=True, forbid_unknown_fields=True, frozen=True
):
    """Constraints of the claims that follow, each once: many claims have the same ones."""

    rows: list[ConstraintRow]


class Claims(Struct, tag="claims", array_like=True, forbid_unknown_fields=True, frozen=True):
    """Claims: id, role, action (nothing for any), resource, constraints."""

    rows: list[tuple[str, Place, str | None, PatternRow, list[Place], int]]


class Principals(
    Struct, tag="principals", array_like=True, forbid_unknown_fields=True, frozen=True
):
    """Principals, column by column: `held` are the roles that each holds always.

    The other columns tell who of the part they are about by a place in `ids`, for most have neither
    attributes, nor groups, nor roles for a time. Principals hold most of what there is, and nothing
    refers to them, so they come last.
    """

    ids: list[str]
    held: list[Places]
    suspended: list[Place]
    attributes: list[tuple[Place, AttributesRow]]
    groups: list[tuple[Place, Places]]
    timed: list[tuple[Place, list[Timed]]]
    revisions: list[int]


Part = (
    Groups
    | Roles
    | Kinds
    | Resources
    | Nestings
    | Inheritances
    | SodSets
    | Guardrails
    | Constraints
    | Claims
    | Principals
)


def attributes_row(found: Attributes) -> AttributesRow:
    """Return attributes as they are written."""
    return {str(name): _value_row(value) for name, value in found.items()}


def read_attributes(row: AttributesRow) -> Attributes:
    """Return the attributes of a row; raises `Illegal`."""
    if len(row) == 0:
        return NO_ATTRIBUTES
    return attributes({name: _read_value(value) for name, value in row.items()})


def read_validity(start: int | None, end: int | None) -> Validity:
    """Return the validity between two instants; the commonest one is shared. Raises `Illegal`."""
    return ALWAYS if start is None and end is None else Validity(start, end)


def constraint_row(constraint: Constraint) -> ConstraintRow:
    """Return a constraint as it is written."""
    match constraint:
        case TimeWindow():
            return WindowRow(constraint.start, constraint.end, sorted(constraint.weekdays))
        case GeoFence():
            return FenceRow(sorted(map(str, constraint.regions)))
        case GeoRadius():
            centre = constraint.centre
            return RadiusRow(centre.latitude, centre.longitude, constraint.metres)
        case MaxUsage():
            return UsageRow(constraint.limit, constraint.period)
        case RateLimit():
            return RateRow(constraint.per_minute)
        case Attribute():
            path, operand = _path_row(constraint.path), _operand_row(constraint.operand)
            return ComparedRow(path, constraint.operator, operand)
        case _:
            assert_never(constraint)


def read_constraint(row: ConstraintRow) -> Constraint:
    """Return the constraint of a row; raises `Illegal`."""
    match row:
        case WindowRow():
            return TimeWindow(row.start, row.end, frozenset(row.weekdays))
        case FenceRow():
            return GeoFence(frozenset(map(Region, row.regions)))
        case RadiusRow():
            return GeoRadius(Position(row.latitude, row.longitude), row.metres)
        case UsageRow():
            return MaxUsage(row.limit, row.period)
        case RateRow():
            return RateLimit(row.per_minute)
        case ComparedRow():
            return Attribute(_read_path(row.path), row.operator, _read_operand(row.operand))
        case _:
            assert_never(row)


def _value_row(value: Value) -> ValueRow:
    return sorted(value) if isinstance(value, frozenset) else value


def _read_value(row: ValueRow) -> Value:
    return frozenset(row) if isinstance(row, list) else row


def _path_row(path: Path) -> PathRow:
    return PathRow(path.root, str(path.name))


def _read_path(row: PathRow) -> Path:
    return Path(row.root, AttributeName(row.name))


def _operand_row(operand: Operand) -> OperandRow:
    match operand:
        case Constant():
            return ConstantRow(_value_row(operand.value))
        case Path():
            return _path_row(operand)
        case PrincipalIdentity():
            return IdentityRow()
        case ClockYear():
            return YearRow()
        case _:
            assert_never(operand)


def _read_operand(row: OperandRow) -> Operand:
    match row:
        case ConstantRow():
            return Constant(_read_value(row.value))
        case PathRow():
            return _read_path(row)
        case IdentityRow():
            return PrincipalIdentity()
        case YearRow():
            return ClockYear()
        case _:
            assert_never(row)
