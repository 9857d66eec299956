"""The types of the fields of documents: a core value inside, its one written form outside.

Nothing is coerced. What is written is read back as the same value; sets are written sorted.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Final, get_args

from pydantic import (
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from grantproof.core.errors import Illegal
from grantproof.core.geodesy import MICRODEGREES, Position, degrees
from grantproof.core.identifiers import (
    IMPLICIT_KINDS,
    Action,
    ClaimId,
    GroupId,
    GuardrailId,
    Identifier,
    Kind,
    OrganizationId,
    PrincipalId,
    Region,
    ResourceId,
    RoleId,
    SessionId,
    SodSetId,
)
from grantproof.core.limits import ACTIVE_ROLES_MAX, INSTANT_MAX, INSTANT_MIN, INTEGER_MAX
from grantproof.core.model import (
    ActionPattern,
    Any,
    Exactly,
    OfKind,
    ResourcePattern,
    Within,
)
from grantproof.policyfile.faults import illegal


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """Lets a field hold a core value that is written as a string.

    `read` makes the value of the string and may raise `Illegal`; `write` is its inverse, not needed
    for a value that is a string itself.
    """

    read: Callable[[str], object]
    write: Callable[..., str] | None = None
    json_schema: Mapping[str, object] = field(default_factory=dict)

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read a strict string, write a string."""
        text = core_schema.str_schema(strict=True)
        writing = None
        if self.write is not None:
            writing = core_schema.plain_serializer_function_ser_schema(
                self.write, return_schema=text
            )
        return core_schema.no_info_after_validator_function(self._read, text, serialization=writing)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the string."""
        return {"type": "string", **self.json_schema}

    def _read(self, text: str) -> object:
        try:
            return self.read(text)
        except Illegal as broken:
            raise illegal(broken.rule) from None


def described(**keywords: int) -> FieldInfo:
    """Return what the schema of a field says of it beside its type; the core is what checks it."""
    info: FieldInfo = Field(json_schema_extra={**keywords})
    return info


class Distinct:
    """Lets a field hold a frozen set: written as a sorted list in which nothing occurs twice."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read a strict list, write a sorted one."""
        (member,) = get_args(source)
        listed = core_schema.list_schema(handler.generate_schema(member), strict=True)
        writing = core_schema.plain_serializer_function_ser_schema(sorted, return_schema=listed)
        return core_schema.no_info_after_validator_function(distinct, listed, serialization=writing)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the list."""
        return {**handler(schema), "uniqueItems": True}


def distinct(members: list[object]) -> frozenset[object]:
    """Return the members as a set; refuse a list in which one occurs twice."""
    found: set[object] = set()
    for member in members:
        if member in found:
            raise illegal(f"must not hold `{member}` twice")
        found.add(member)
    return frozenset(found)


def read_kind(text: str) -> str:
    """Return the kind, an implicit one too; raises `Illegal`."""
    return text if text in IMPLICIT_KINDS else Kind(text)


def read_action(text: str) -> ActionPattern:
    """Return what `read` or `*` means as the action of a claim."""
    return Any() if text == "*" else Exactly(Action(text))


def write_action(pattern: ActionPattern) -> str:
    """Return how the action of a claim is written."""
    return "*" if isinstance(pattern, Any) else str(pattern.value)


def read_resource(text: str) -> ResourcePattern:
    """Return what `docs`, `docs/**`, `kind:document` or `*` means as the resource of a claim."""
    if text == "*":
        return Any()
    if text.startswith(KIND_PREFIX):
        kind = text.removeprefix(KIND_PREFIX)
        return OfKind(kind if kind in IMPLICIT_KINDS else Kind(kind))
    if text.endswith(WITHIN_SUFFIX):
        return Within(ResourceId(text.removesuffix(WITHIN_SUFFIX)))
    return Exactly(ResourceId(text))


def write_resource(pattern: ResourcePattern) -> str:
    """Return how the resource of a claim is written."""
    match pattern:
        case Exactly(value):
            return str(value)
        case Within(value):
            return f"{value}{WITHIN_SUFFIX}"
        case OfKind(kind):
            return f"{KIND_PREFIX}{kind}"
        case Any():
            return "*"


KIND_PREFIX: Final = "kind:"
WITHIN_SUFFIX: Final = "/**"


def read_position(text: str) -> Position:
    """Return the position that decimal degrees such as `48.8566,2.3522` mean, latitude first."""
    found = DEGREES.fullmatch(text)
    if found is None:
        raise Illegal("position", POSITION_RULE)
    try:
        return Position(_microdegrees(*found.group(1, 2, 3)), _microdegrees(*found.group(4, 5, 6)))
    except Illegal as broken:
        raise Illegal("position", f"has a {broken.field} that {broken.rule}") from None


def _microdegrees(sign: str, whole: str, decimals: str | None) -> int:
    size = int(whole) * MICRODEGREES + int((decimals or "").ljust(DECIMALS_MAX, "0"))
    return -size if sign else size


DECIMALS_MAX: Final = 6
POSITION_LENGTH_MAX: Final = 22
DEGREES: Final = re.compile(
    r"(-?)(\d{1,2})(?:\.(\d{1,6}))?,(-?)(\d{1,3})(?:\.(\d{1,6}))?", re.ASCII
)
"""Text, for a JSON or YAML number would be read as a float. The order is that of `geo:` (RFC 5870).

The core checks the ranges.
"""

POSITION_RULE: Final = (
    "must be latitude and longitude in degrees with at most 6 decimals, such as `48.8566,2.3522`"
)


def read_instant(value: object) -> object:
    """Return RFC 3339 text as epoch seconds, anything else as it is."""
    if not isinstance(value, str):
        return value
    if RFC_3339.fullmatch(value) is None:
        raise illegal(INSTANT_RULE)
    try:
        moment = datetime.fromisoformat(value.upper())
    except ValueError:
        raise illegal(INSTANT_RULE) from None
    return int(moment.timestamp())


RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.0{1,6})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)
"""A moment with its offset, in whole seconds; the ranges of its numbers are checked apart."""

INSTANT_RULE: Final = (
    "must be epoch seconds, or a moment in whole seconds with its offset,"
    " such as `2026-01-31T09:00:00+01:00`"
)

InstantField = Annotated[
    int,
    BeforeValidator(read_instant),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": INSTANT_MIN, "maximum": INSTANT_MAX},
                {"type": "string", "format": "date-time"},
            ]
        },
        mode="validation",
    ),
    WithJsonSchema(
        {"type": "integer", "minimum": INSTANT_MIN, "maximum": INSTANT_MAX}, mode="serialization"
    ),
]
"""Epoch seconds. Read from RFC 3339 text too, always written as a number."""


def _name(kind_of_id: type[Identifier], *, few: bool = False) -> Written:
    """Return how an id is written; ids of which there are `few` are read once and then shared."""
    read = lru_cache(maxsize=SHARED_MAX)(kind_of_id) if few else kind_of_id
    return Written(read, json_schema=_shape(kind_of_id))


def _shape(kind_of_id: type[Identifier]) -> Mapping[str, object]:
    return {
        "minLength": 1,
        "maxLength": kind_of_id.length_max,
        "pattern": f"^{kind_of_id.alphabet.pattern}$",
    }


SHARED_MAX: Final = 4_096
"""How many ids of a type, and patterns, are remembered."""


OrganizationField = Annotated[OrganizationId, _name(OrganizationId)]
PrincipalField = Annotated[PrincipalId, _name(PrincipalId)]
GroupField = Annotated[GroupId, _name(GroupId, few=True)]
RoleField = Annotated[RoleId, _name(RoleId, few=True)]
KindField = Annotated[Kind, _name(Kind, few=True)]
AnyKindField = Annotated[str, Written(read_kind, json_schema=_shape(Kind))]
"""A kind, or one that nobody declares, such as `role`."""
ResourceField = Annotated[ResourceId, _name(ResourceId)]
ClaimField = Annotated[ClaimId, _name(ClaimId)]
SodSetField = Annotated[SodSetId, _name(SodSetId)]
SessionField = Annotated[SessionId, _name(SessionId)]
GuardrailField = Annotated[GuardrailId, _name(GuardrailId)]
RegionField = Annotated[Region, _name(Region, few=True)]
LATITUDE: Final = r"-?([0-8]?[0-9](\.[0-9]{1,6})?|90(\.0{1,6})?)"
LONGITUDE: Final = r"-?((0?[0-9]{1,2}|1[0-7][0-9])(\.[0-9]{1,6})?|180(\.0{1,6})?)"
POSITION_SCHEMA: Final[Mapping[str, object]] = {
    "pattern": f"^{LATITUDE},{LONGITUDE}$",
    "maxLength": POSITION_LENGTH_MAX,
    "examples": ["48.8566,2.3522"],
}
PositionField = Annotated[Position, Written(read_position, degrees, POSITION_SCHEMA)]
ActionNameField = Annotated[Action, _name(Action)]
ActionField = Annotated[
    ActionPattern,
    Written(
        lru_cache(maxsize=SHARED_MAX)(read_action),
        write_action,
        {
            "pattern": rf"^(\*|{Action.alphabet.pattern})$",
            "maxLength": Action.length_max,
            "examples": ["read", "*"],
        },
    ),
]
ResourcePatternField = Annotated[
    ResourcePattern,
    Written(
        read_resource,
        write_resource,
        {
            # It says nothing of which kinds there may be.
            "pattern": rf"^(\*|{ResourceId.alphabet.pattern}(/\*\*)?)$",
            "examples": ["docs", "docs/**", "kind:document", "*"],
        },
    ),
]
ActiveRolesField = Annotated[frozenset[RoleField], Distinct(), described(maxItems=ACTIVE_ROLES_MAX)]
CountField = Annotated[int, described(minimum=0, maximum=INTEGER_MAX)]
"""How often something was done."""
