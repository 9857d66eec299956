"""The parts of the JSON Schema of SARIF 2.1.0 that our logs use, written anew after OASIS's own.

The names, what is required, the enumerations and the least numbers are those of
`sarif-schema-2.1.0.json`; that no object has other properties is, too. Not here are the properties
that we never write, and so not whether we should; and what the schema of OASIS leaves to the text:
that `ruleIndex` is the place of `ruleId`, which the test looks at by itself.
"""

from typing import Any, Final


def _closed(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    """An object with these properties and no other."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


def _listed(items: dict[str, Any], *, unique: bool = False) -> dict[str, Any]:
    return {"type": "array", "minItems": 0, "uniqueItems": unique, "items": items}


TEXT: Final[dict[str, Any]] = {"type": "string"}
SAID: Final[dict[str, Any]] = {"type": "string", "minLength": 1}
"""OASIS takes an empty text; whoever reads a result should find something."""

FROM_ONE: Final = {"type": "integer", "minimum": 1}
REFERENCE: Final = {"type": "string", "format": "uri-reference"}
LOCATION: Final = _closed(
    physicalLocation=_closed(
        required=("artifactLocation",),
        artifactLocation=_closed(required=("uri",), uri=REFERENCE),
        region=_closed(startLine=FROM_ONE, startColumn=FROM_ONE),
    )
)
RESULT: Final = _closed(
    required=("message",),
    ruleId=TEXT,
    ruleIndex={"type": "integer", "minimum": -1},
    level={"enum": ["none", "note", "warning", "error"]},
    message=_closed(required=("text",), text=SAID),
    locations=_listed(LOCATION),
)
RULE: Final = _closed(
    required=("id",), id=TEXT, shortDescription=_closed(required=("text",), text=SAID)
)
DRIVER: Final = _closed(
    required=("name",), name=SAID, version=TEXT, rules=_listed(RULE, unique=True)
)
RUN: Final = _closed(
    required=("tool",),
    tool=_closed(required=("driver",), driver=DRIVER),
    columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
    results=_listed(RESULT),
)
SARIF: Final = _closed(
    required=("version", "runs"), version={"enum": ["2.1.0"]}, runs=_listed(RUN)
) | {"$schema": "http://json-schema.org/draft-07/schema#"}
