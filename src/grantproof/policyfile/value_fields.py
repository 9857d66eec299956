"""The types of the fields that hold attributes, and what claims compare them with."""

from functools import lru_cache
from typing import Annotated, Final

from immutables import Map
from pydantic import PlainSerializer, PlainValidator, WithJsonSchema
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from grantproof.core.attributes import (
    NO_ATTRIBUTES,
    Attributes,
    ClockYear,
    Literal,
    Operand,
    Path,
    PrincipalIdentity,
    Root,
    Value,
    check_value,
)
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import AttributeName
from grantproof.core.limits import (
    ATTRIBUTE_NAME_LENGTH_MAX,
    ATTRIBUTES_PER_ENTITY_MAX,
    INTEGER_MAX,
    INTEGER_MIN,
    STRING_LENGTH_MAX,
    STRINGS_PER_VALUE_MAX,
)
from grantproof.policyfile.faults import Location, illegal, refused
from grantproof.policyfile.fields import SHARED_MAX, Written, distinct

ROOTS: Final = ", ".join(f"`{root.value}.NAME`" for root in Root)
SPECIAL_OPERANDS: Final[dict[str, Operand]] = {
    "principal.id": PrincipalIdentity(),
    "clock.year": ClockYear(),
}
SPECIAL_PATHS: Final = {operand: path for path, operand in SPECIAL_OPERANDS.items()}
PATH_PATTERN: Final = (
    rf"({'|'.join(root.value for root in Root)})\.{AttributeName.alphabet.pattern}"
)
SPECIAL: Final = "|".join(path.replace(".", r"\.") for path in SPECIAL_OPERANDS)


def read_value(value: object) -> Value:
    """Return a written attribute value: a list is a set of strings."""
    if type(value) is bool:
        return value
    read = _string_set(value) if isinstance(value, list) else value
    try:
        check_value("value", read)
    except Illegal as broken:
        raise illegal(broken.rule) from None
    return read  # type: ignore[return-value]  # check_value lets nothing else pass


def write_value(value: Value) -> bool | int | str | list[str]:
    """Return how an attribute value is written."""
    return sorted(value) if isinstance(value, frozenset) else value


def read_attributes(value: object) -> Attributes:
    """Return written attributes; every name and every value at fault is told."""
    if not isinstance(value, dict):
        raise illegal("must be an object")
    if len(value) == 0:
        return NO_ATTRIBUTES
    read: dict[AttributeName, Value] = {}
    found: list[tuple[Location, str]] = []
    for name, written in value.items():
        try:
            read[_attribute_name(name)] = read_value(written)
        except ValueError as broken:
            found.append(((str(name),), _rule(broken)))
    if found:
        raise refused(found, value)
    if len(read) > ATTRIBUTES_PER_ENTITY_MAX:
        raise illegal(f"must have at most {ATTRIBUTES_PER_ENTITY_MAX} members")
    return Map(read)


def no_attributes() -> Attributes:
    """Return the attributes of what has none; a function, as a JSON Schema cannot show the map."""
    return NO_ATTRIBUTES


def write_attributes(held: Attributes) -> dict[str, bool | int | str | list[str]]:
    """Return how attributes are written: sorted by name."""
    return {str(name): write_value(held[name]) for name in sorted(held)}


def read_path(text: str) -> Path:
    """Return what `principal.department` names."""
    root, _, name = text.partition(".")
    if root not in set(Root):
        raise Illegal("path", f"must be one of {ROOTS}")
    return Path(Root(root), AttributeName(name))


def write_path(path: Path) -> str:
    """Return how a path is written."""
    return f"{path.root.value}.{path.name}"


def read_operand(value: object) -> Operand:
    """Return a written operand: a value, or an object that names a path."""
    if not isinstance(value, dict):
        return Literal(read_value(value))
    text = value.get("path")
    if len(value) != 1 or not isinstance(text, str):
        raise illegal("must be a value, or an object whose only field is `path`")
    if text in SPECIAL_OPERANDS:
        return SPECIAL_OPERANDS[text]
    try:
        return read_path(text)
    except Illegal as broken:
        raise refused([(("path",), broken.rule)], text) from None


def write_operand(operand: Operand) -> bool | int | str | list[str] | dict[str, str]:
    """Return how an operand is written."""
    if isinstance(operand, Literal):
        return write_value(operand.value)
    if isinstance(operand, Path):
        return {"path": write_path(operand)}
    return {"path": SPECIAL_PATHS[operand]}


def _string_set(members: list[object]) -> frozenset[object]:
    if not all(isinstance(member, str) for member in members):
        raise illegal("must hold strings only")
    return distinct(members)


@lru_cache(maxsize=SHARED_MAX)
def _attribute_name(name: object) -> AttributeName:
    if not isinstance(name, str):
        raise illegal("must be named by a string")
    return AttributeName(name)


def _rule(broken: ValueError) -> str:
    if isinstance(broken, Illegal):
        return broken.rule
    return broken.message() if isinstance(broken, PydanticCustomError) else str(broken)


TEXT_SCHEMA: Final[JsonDict] = {
    "type": "string",
    "maxLength": STRING_LENGTH_MAX,
    "pattern": r"^[^\x00]*$",
}
VALUE_SCHEMA: Final[JsonDict] = {
    "anyOf": [
        {"type": "boolean"},
        {"type": "integer", "minimum": INTEGER_MIN, "maximum": INTEGER_MAX},
        TEXT_SCHEMA,
        {
            "type": "array",
            "items": TEXT_SCHEMA,
            "maxItems": STRINGS_PER_VALUE_MAX,
            "uniqueItems": True,
        },
    ]
}
ATTRIBUTES_SCHEMA: Final[JsonDict] = {
    "type": "object",
    "additionalProperties": VALUE_SCHEMA,
    "propertyNames": {
        "pattern": f"^{AttributeName.alphabet.pattern}$",
        "maxLength": ATTRIBUTE_NAME_LENGTH_MAX,
    },
    "maxProperties": ATTRIBUTES_PER_ENTITY_MAX,
}
OPERAND_SCHEMA: Final[JsonDict] = {
    "anyOf": [
        VALUE_SCHEMA,
        {
            "type": "object",
            "properties": {"path": {"type": "string", "pattern": f"^({PATH_PATTERN}|{SPECIAL})$"}},
            "required": ["path"],
            "additionalProperties": False,
        },
    ]
}

AttributesField = Annotated[
    Attributes,
    PlainValidator(read_attributes),
    PlainSerializer(write_attributes),
    WithJsonSchema(ATTRIBUTES_SCHEMA),
]
OperandField = Annotated[
    Operand,
    PlainValidator(read_operand),
    PlainSerializer(write_operand),
    WithJsonSchema(OPERAND_SCHEMA),
]
PathField = Annotated[
    Path,
    Written(
        read_path,
        write_path,
        {"pattern": f"^({PATH_PATTERN})$", "examples": ["principal.department"]},
    ),
]
