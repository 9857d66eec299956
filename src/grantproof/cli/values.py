"""What people type for values: attributes, conditions, hours, days and moments.

A typed value is JSON where it can be (`true`, `7`, `["a","b"]`, `"7"`) and a string where it is not
JSON, so that most strings need no quotes. The core judges what was understood.
"""

import json
import re
from collections.abc import Iterable
from typing import Final, NoReturn, cast

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from grantproof.cli.exits import usage
from grantproof.core.attributes import Attributes, Operand, Operator, Value, attributes
from grantproof.core.constraints import (
    EVERY_DAY,
    HOURS_PER_DAY,
    Attribute,
    Constraint,
    GeoFence,
    GeoRadius,
    MaxUsage,
    Period,
    RateLimit,
    TimeWindow,
)
from grantproof.core.errors import Illegal
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import Region
from grantproof.core.model import Validity
from grantproof.policyfile.constraint_documents import CONSTRAINTS
from grantproof.policyfile.faults import Fault, faults
from grantproof.policyfile.fields import read_instant, read_position
from grantproof.policyfile.value_fields import (
    SPECIAL_OPERANDS,
    read_operand,
    read_path,
    read_value,
)

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
PERIODS: Final = ("hour", "day", "month", "total")
HOURS: Final = re.compile(r"(\d{1,3})-(\d{1,3})", re.ASCII)
RADIUS: Final = re.compile(r"(\d{1,9})(k?m)@(.*)", re.ASCII)
METRES: Final = {"m": 1, "km": 1_000}
NUMBER: Final = re.compile(r"-?\d{1,20}", re.ASCII)
PATH_LIKE: Final = re.compile(r"(principal|resource|action|context|clock)\.\S*")


def typed_value(text: str) -> object:
    """Return the JSON value that the text is, or else the text itself."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return text


def typed_attributes(pairs: Iterable[str], option: str = "--attribute") -> Attributes:
    """Return `name=value` pairs as attributes; raises `Stop` or `Illegal`."""
    values: dict[str, Value] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise usage(f"{option} `{pair}` must be written as name=value")
        if name in values:
            raise usage(f"{option} `{name}` is given twice")
        try:
            values[name] = read_value(typed_value(text))
        except ValueError as error:
            raise usage(f"{option} `{pair}`: the value {_rule(error)}") from None
    return attributes(values)


def time_window(hours: str | None, weekdays: str | None) -> TimeWindow | None:
    """Return the window that `9-17` and `mon-fri` mean, or nothing when neither is given."""
    if hours is None and weekdays is None:
        return None
    start, end = (0, HOURS_PER_DAY) if hours is None else hour_range(hours)
    return TimeWindow(start, end, EVERY_DAY if weekdays is None else weekday_set(weekdays))


def hour_range(text: str) -> tuple[int, int]:
    """Return the first hour of `9-17` and the one before which it ends."""
    found = HOURS.fullmatch(text)
    if found is None:
        raise usage(f"--hours `{text}` must be written as 9-17: from the first until the second")
    return int(found[1]), int(found[2])


def weekday_set(text: str) -> frozenset[int]:
    """Return the weekdays (0 = Monday) of `mon-fri` or `mon,wed,sat-sun`."""
    days: set[int] = set()
    for part in text.lower().split(","):
        first, dash, last = part.partition("-")
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            raise usage(f"--weekdays `{text}` must be written as mon-fri or mon,wed,fri")
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        # `sat-mon` goes over the end of the week.
        days.update((start + ahead) % len(WEEKDAYS) for ahead in range((end - start) % 7 + 1))
    return frozenset(days)


def weekday(text: str) -> int:
    """Return the number of a weekday (0 = Monday) given by name or number."""
    if text.lower() in WEEKDAYS:
        return WEEKDAYS.index(text.lower())
    if NUMBER.fullmatch(text) is None:
        raise usage(f"--weekday `{text}` must be one of {', '.join(WEEKDAYS)}")
    return int(text)


def position(text: str) -> Position:
    """Return the position that `48.8566,2.3522` means."""
    try:
        return read_position(text)
    except Illegal as broken:
        raise usage(f"--position `{text}` {broken.rule}") from None


def geo_radius(text: str) -> GeoRadius:
    """Return what `10km@48.8566,2.3522` means: a radius, and around which point."""
    found = RADIUS.fullmatch(text)
    if found is None:
        raise usage(f"--within `{text}` must be written as 10km@48.8566,2.3522, or in m")
    try:
        return GeoRadius(read_position(found[3]), int(found[1]) * METRES[found[2]])
    except Illegal as broken:
        raise usage(f"--within `{text}`: {broken}") from None


def max_usage(text: str) -> MaxUsage:
    """Return what `100/day` means; without a period the count never starts again."""
    limit, slash, period = text.partition("/")
    if NUMBER.fullmatch(limit) is None or (slash and period not in PERIODS):
        periods = ", ".join(PERIODS)
        raise usage(f"--max-usage `{text}` must be written as 100 or 100/day ({periods})")
    return MaxUsage(int(limit), cast(Period, period or "total"))


def condition(text: str) -> Attribute:
    """Return what `context.amount lt 10000` means."""
    parts = text.split(maxsplit=2)
    if len(parts) < 3 or parts[1] not in set(Operator):  # noqa: PLR2004 - path, operator, operand
        operators = ", ".join(Operator)
        raise usage(f"--where `{text}` must be written as PATH OP VALUE, OP one of {operators}")
    try:
        return Attribute(read_path(parts[0]), Operator(parts[1]), _operand(parts[2]))
    except ValueError as error:
        raise usage(f"--where `{text}`: {error}") from None


def constraints(
    *,
    hours: str | None,
    weekdays: str | None,
    regions: list[str],
    radii: list[str],
    usages: list[str],
    rate: int | None,
    conditions: list[str],
    documents: list[str],
) -> tuple[Constraint, ...]:
    """Return the constraints that the options of a claim mean, in the order of the options."""
    window = time_window(hours, weekdays)
    return (
        *(() if window is None else (window,)),
        *((GeoFence(frozenset(map(Region, regions))),) if regions else ()),
        *map(geo_radius, radii),
        *map(max_usage, usages),
        *(() if rate is None else (RateLimit(rate),)),
        *map(condition, conditions),
        *map(constraint, documents),
    )


def constraint(text: str) -> Constraint:
    """Return the constraint that is written as a JSON document."""
    try:
        written = json.loads(text)
    except (ValueError, RecursionError):
        raise usage(f"--constraint `{text}` must be a JSON object") from None
    try:
        return CONSTRAINTS.validate_python([written])[0]
    except ValidationError as error:
        first = faults(error)[0]
        inside = Fault(first.path[1:], first.rule)
        raise usage(f"--constraint `{text}`: {inside.message}") from None


def validity(start: str | None, end: str | None) -> Validity:
    """Return the time from a moment until before another."""
    return Validity(moment("--from", start), moment("--until", end))


def moment(option: str, text: str | None) -> int | None:
    """Return the epoch seconds of a moment that was typed for the option, or nothing."""
    if text is None:
        return None
    if NUMBER.fullmatch(text) is not None:
        return int(text)
    try:
        return cast(int, read_instant(text))
    except PydanticCustomError as error:
        raise usage(f"{option} `{text}` {error.message()}") from None


def _operand(text: str) -> Operand:
    if PATH_LIKE.fullmatch(text) is None:
        return read_operand(typed_value(text))
    return SPECIAL_OPERANDS[text] if text in SPECIAL_OPERANDS else read_path(text)


def _rule(error: ValueError) -> str:
    return error.rule if isinstance(error, Illegal) else str(error)


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)
