"""The JSON of a column: attributes of an entity, constraints of a claim, as in a policy file."""

from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from grantproof.core.attributes import NO_ATTRIBUTES, Attributes
from grantproof.core.constraints import Constraint
from grantproof.core.errors import Illegal
from grantproof.policyfile.constraint_documents import CONSTRAINTS
from grantproof.policyfile.faults import faults, written_path
from grantproof.policyfile.value_fields import AttributesField

ATTRIBUTES: Final[TypeAdapter[Attributes]] = TypeAdapter(AttributesField)

# Most rows have none, and then need no parser.
NO_ATTRIBUTES_TEXT: Final = "{}"
NO_CONSTRAINTS_TEXT: Final = "[]"

Column = TypeVar("Column")


def write_attributes(held: Attributes) -> str:
    """Return the attributes as JSON."""
    return NO_ATTRIBUTES_TEXT if len(held) == 0 else ATTRIBUTES.dump_json(held).decode()


def read_attributes(text: str) -> Attributes:
    """Return the attributes of the JSON; raise `Illegal` for anything else."""
    if text == NO_ATTRIBUTES_TEXT:
        return NO_ATTRIBUTES
    return _read(ATTRIBUTES, text, field="attributes")


def write_constraints(held: tuple[Constraint, ...]) -> str:
    """Return the constraints as JSON."""
    return NO_CONSTRAINTS_TEXT if len(held) == 0 else CONSTRAINTS.dump_json(held).decode()


def read_constraints(text: str) -> tuple[Constraint, ...]:
    """Return the constraints of the JSON; raise `Illegal` for anything else."""
    if text == NO_CONSTRAINTS_TEXT:
        return ()
    return _read(CONSTRAINTS, text, field="constraints")


def _read(column: TypeAdapter[Column], text: str, *, field: str) -> Column:
    try:
        return column.validate_json(text)
    except ValidationError as error:
        first, *_ = faults(error)
        raise Illegal(written_path((field, *first.path)), first.rule) from None
