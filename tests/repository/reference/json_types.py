"""JSON Schema for people: what a value may be in a few words, and the fields of an object."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from grantproof.core.identifiers import PrincipalId, ResourceId
from tests.repository.reference.markdown import anchor, code, table

Json = dict[str, Any]
Linking = Callable[[str], str]
IDS: Final = frozenset(f"^{kind.alphabet.pattern}$" for kind in (PrincipalId, ResourceId))
HEAD: Final = ("field", "value", "default", "meaning")


def told(schema: Json, linking: Linking) -> str:
    """What a value may be; `linking` says how the name of another schema is written."""
    if "$ref" in schema:
        return linking(schema["$ref"].rpartition("/")[2])
    if "const" in schema:
        return code(_plain(schema["const"]))
    if "enum" in schema:
        return ", ".join(code(_plain(one)) for one in schema["enum"])
    for either in ("anyOf", "oneOf", "allOf"):
        if either in schema:
            found = (told(one, linking) for one in schema[either])
            return " or ".join(dict.fromkeys(found))
    if schema.get("properties"):
        return f"object of {', '.join(code(name) for name in schema['properties'])}"
    if schema.get("type") == "array":
        return f"array of {told(schema.get('items', {}), linking)}"
    return _simple(schema)


def fields(schema: Json, linking: Linking) -> str:
    """The table of an object's fields, or its kinds where it is one of several objects."""
    if "properties" in schema:
        return table(HEAD, _rows(schema, linking))
    parts = []
    for one in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
        if "properties" in one:
            parts += [f"Of the type {_type_of(one)}:", table(HEAD, _rows(one, linking))]
        else:
            parts.append(f"- {told(one, linking)}")
    return "\n\n".join(parts)


def link_to(page: str = "") -> Linking:
    """Write the name of another schema as a link to its heading."""
    return lambda name: f"[{name}]({page}#{anchor(name)})"


def _rows(schema: Json, linking: Linking) -> Iterator[tuple[str, ...]]:
    required = set(schema.get("required", ()))
    for name, member in schema["properties"].items():
        otherwise = "required" if name in required else ""
        if member.get("default") is not None:
            otherwise = code(_plain(member["default"]))
        meaning = member.get("description") or ("which of them it is" if "const" in member else "")
        yield code(name), told(member, linking), otherwise, meaning


def _type_of(schema: Json) -> str:
    return code(schema["properties"].get("type", {}).get("const", schema.get("title", "")))


def _simple(schema: Json) -> str:
    kind = schema.get("type", "any JSON value")
    if kind == "integer":
        return f"integer{_span(schema)}"
    if schema.get("pattern") in IDS:
        return "id"
    if schema.get("format") == "date-time":
        return "moment such as `2026-01-31T09:00:00Z`"
    if kind == "string" and "maxLength" in schema:
        return f"string of up to {schema['maxLength']:,} characters"
    return str(kind)


def _span(schema: Json) -> str:
    least, largest = schema.get("minimum"), schema.get("maximum")
    if largest is not None and largest >= 2**63 - 1:
        largest = None
    if least is not None and least <= -(2**63):
        least = None
    if least is not None and largest is not None:
        return f" from {least:,} to {largest:,}"
    return "" if least is None else f" of {least:,} or more"


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
