"""The JSON Schema of policy files, and what it says of the parts of one: their fields and choices.

It is made of the documents themselves, so what it says is what is accepted. It names no dialect and
no address: every editor reads it by the words that all drafts since 7 share.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from grantproof.policyfile.faults import Location
from grantproof.policyfile.organization_document import OrganizationDocument

TITLE: Final = "Grantproof policy file"
DESCRIPTION: Final = (
    "Everything an organization holds, or a part of it: several files are read as one."
)
ELSEWHERE: Final = "id"
"""The one required field that another file of the same policy may give."""


def write_schema() -> str:
    """Return the JSON Schema of a policy file as text, ended by a line break."""
    return json.dumps(_schema(), indent=2, ensure_ascii=False) + "\n"


@cache
def _schema() -> Mapping[str, Any]:
    made = OrganizationDocument.model_json_schema()
    required = [name for name in made["required"] if name != ELSEWHERE]
    return {"title": TITLE, **made} | {
        "title": TITLE,
        "description": DESCRIPTION,
        "required": required,
    }


@dataclass(frozen=True, slots=True)
class Shape:
    """What the schema says of one part of a policy file."""

    schema: Mapping[str, Any]

    def of(self, value: object) -> "Shape":
        """Return the shape of this value where the schema leaves several open.

        The tag decides, or else which of them knows most of the value's fields.
        """
        schema = self.schema
        while "$ref" in schema:
            schema = _schema()["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        options = schema.get("oneOf") or schema.get("anyOf")
        if not options or not isinstance(value, dict):
            return Shape(schema)
        tagged = schema.get("discriminator", {})
        named = tagged.get("mapping", {}).get(str(value.get(tagged.get("propertyName"))))
        if named is not None:
            return Shape({"$ref": named}).of(value)
        shapes = [Shape(option).of(value) for option in options]
        return max(shapes, key=lambda shape: sum(field in value for field in shape.fields))

    def inside(self, part: str | int) -> "Shape":
        """Return the shape of a field, or of the members of a list; the empty one if unknown."""
        if isinstance(part, int):
            return Shape(self.schema.get("items", {}))
        return Shape(self.schema.get("properties", {}).get(part, {}))

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it may have, in the order in which they are written."""
        return tuple(self.schema.get("properties", ()))

    @property
    def choices(self) -> tuple[str, ...]:
        """The strings that it may be, when they can be listed."""
        listed = self.schema.get("enum", [self.schema.get("const")])
        return tuple(choice for choice in listed if isinstance(choice, str))

    @property
    def tags(self) -> Mapping[str, tuple[str, ...]]:
        """The field that tells its forms apart, with what that may be."""
        found = self.schema.get("discriminator")
        return {found["propertyName"]: tuple(found["mapping"])} if found else {}


def policy_shape() -> Shape:
    """Return the shape of a whole policy file."""
    return Shape(_schema())


def known_names(data: object, path: Location) -> tuple[str, ...]:
    """Return the strings that the part at the path may be, none when they cannot be listed."""
    around, value = _at(data, path[:-1])
    name = path[-1] if path else 0
    if isinstance(name, str) and name in around.tags:
        return around.tags[name]
    return around.of(value).inside(name).of(None).choices


def known_fields(data: object, path: Location) -> tuple[str, ...]:
    """Return the fields that the object at the path may have."""
    shape, value = _at(data, path)
    return shape.of(value).fields


def _at(data: object, path: Location) -> tuple[Shape, object]:
    shape = policy_shape()
    for part in path:
        shape = shape.of(data).inside(part)
        data = data[part]  # type: ignore[index]  # the path leads through lists and objects
    return shape, data
