"""What a test expects of a refusal: its kind, and as many fields of the witness as matter to it."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, Final

from pydantic import PlainValidator, WithJsonSchema

from grantproof.core.errors import BreaksSod
from grantproof.policyfile.faults import illegal, refused
from grantproof.policyfile.witnesses import KINDS

KIND: Final = "kind"

FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    kind: (
        *(field.name for field in fields(refusal)),
        *(("roles",) if refusal is BreaksSod else ()),
        "position",
    )
    for refusal, kind in KINDS.items()
}
"""The fields that a witness of each kind can have; `position` only when commands are several."""


def read_witness(value: object) -> Mapping[str, Any]:
    """Return a written witness: an object with a kind, and fields that such a witness has."""
    if not isinstance(value, dict):
        raise illegal("must be an object")
    if KIND not in value:
        raise refused([((KIND,), "is required")], value)
    if value[KIND] not in FIELDS:
        choice = ", ".join(f"`{kind}`" for kind in FIELDS)
        raise refused([((KIND,), f"must be one of {choice}")], value)
    known = FIELDS[value[KIND]]
    unknown = [name for name in value if name != KIND and name not in known]
    if unknown:
        choice = ", ".join(f"`{name}`" for name in known)
        rule = f"is no field of such a witness: it has {choice}"
        raise refused([((name,), rule) for name in unknown], value)
    return value


WITNESS_SCHEMA: Final[dict[str, Any]] = {
    "anyOf": [
        {
            "type": "object",
            "properties": {KIND: {"const": kind}, **{name: {} for name in names}},
            "required": [KIND],
            "additionalProperties": False,
        }
        for kind, names in FIELDS.items()
    ]
}

WitnessField = Annotated[
    Mapping[str, Any], PlainValidator(read_witness), WithJsonSchema(WITNESS_SCHEMA)
]
