"""Typed attribute values, the paths that name them, and the comparisons between them.

Four types and no conversion between them: a bool is not an int, and there are no floats. A
comparison of values whose types do not fit its operator is false, `ne` included.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, cast

from immutables import Map

from grantproof.core.errors import Illegal
from grantproof.core.identifiers import AttributeName
from grantproof.core.limits import (
    ATTRIBUTES_PER_ENTITY_MAX,
    INTEGER_MAX,
    INTEGER_MIN,
    STRING_LENGTH_MAX,
    STRINGS_PER_VALUE_MAX,
)

Value = bool | int | str | frozenset[str]
"""A bool, a 64-bit signed integer, a string, or a set of strings."""

Attributes = Map[AttributeName, Value]
NO_ATTRIBUTES: Final[Attributes] = Map()
NO_NAMES: Final[frozenset[AttributeName]] = frozenset()


class Operator(StrEnum):
    """How an attribute is compared with its operand."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    IN = "in"


ORDERING: Final = frozenset({Operator.LT, Operator.LE, Operator.GT, Operator.GE})


class Root(StrEnum):
    """Where a path starts."""

    PRINCIPAL = "principal"
    RESOURCE = "resource"
    ACTION = "action"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class Path:
    """Names an attribute: `principal.department`, `resource.owner`, `context.amount`."""

    root: Root
    name: AttributeName


@dataclass(frozen=True, slots=True)
class PrincipalIdentity:
    """The operand `principal.id`: the id of the principal that asks."""


@dataclass(frozen=True, slots=True)
class ClockYear:
    """The operand `clock.year`: the year of the decision, in the organization's time zone."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant operand. `is_bool` follows from the value: see `booleans`."""

    value: Value
    is_bool: bool = field(init=False, default=False, repr=False)

    def __post_init__(self) -> None:
        check_value("operand", self.value)
        object.__setattr__(self, "is_bool", type(self.value) is bool)


Operand = Literal | Path | PrincipalIdentity | ClockYear


def compare(operator: Operator, left: Value, right: Value) -> bool:
    """Return whether `left operator right`; false when their types do not fit the operator."""
    match operator:
        case Operator.EQ:
            return type(left) is type(right) and left == right
        case Operator.NE:
            return type(left) is type(right) and left != right
        case Operator.LT:
            return type(left) is int and type(right) is int and left < right
        case Operator.LE:
            return type(left) is int and type(right) is int and left <= right
        case Operator.GT:
            return type(left) is int and type(right) is int and left > right
        case Operator.GE:
            return type(left) is int and type(right) is int and left >= right
        case Operator.IN:
            return type(left) is str and isinstance(right, frozenset) and left in right


def check_value(name: str, value: object) -> None:
    """Raise `Illegal` naming the field unless `value` is a legal attribute value."""
    if type(value) is bool:
        return
    if type(value) is int:
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise Illegal(name, "must fit in 64 bits")
    elif type(value) is str:
        if len(value) > STRING_LENGTH_MAX:
            raise Illegal(name, f"must have at most {STRING_LENGTH_MAX} characters")
        check_text(name, value)
    elif isinstance(value, frozenset):
        _check_strings(name, cast(frozenset[object], value))
    else:
        raise Illegal(name, "must be true, false, a whole number, a string or a list of strings")


def check_text(name: str, text: str) -> None:
    """Raise `Illegal` naming the field unless `text` is Unicode text that any store can hold."""
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise Illegal(name, "must be Unicode text: half a surrogate pair is none")
    if "\0" in text:
        raise Illegal(name, "must be text without the character NUL")


def _check_strings(name: str, members: frozenset[object]) -> None:
    if len(members) > STRINGS_PER_VALUE_MAX:
        raise Illegal(name, f"must have at most {STRINGS_PER_VALUE_MAX} members")
    for member in members:
        if type(member) is not str or len(member) > STRING_LENGTH_MAX:
            raise Illegal(name, f"must hold strings of at most {STRING_LENGTH_MAX} characters")
        check_text(name, member)


def booleans(values: Attributes) -> frozenset[AttributeName]:
    """Return the names of the boolean values.

    Python holds that `True == 1`; what has attributes compares these names too, so that a fact with
    the one is not taken for a fact with the other.
    """
    found = frozenset(name for name, value in values.items() if type(value) is bool)
    # One value for all who have none: an empty set takes three times what a principal does.
    return found if len(found) > 0 else NO_NAMES


def attributes(values: Mapping[str, Value]) -> Attributes:
    """Return `values`, names and values checked, as attributes; raise `Illegal` otherwise."""
    if len(values) > ATTRIBUTES_PER_ENTITY_MAX:
        raise Illegal("attributes", f"must have at most {ATTRIBUTES_PER_ENTITY_MAX} members")
    for name, value in values.items():
        check_value(f"attributes.{name}", value)
    return Map({AttributeName(name): value for name, value in values.items()})
