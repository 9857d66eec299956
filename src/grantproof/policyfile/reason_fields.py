"""What a test expects of a deny: the code of its reason, and the constraints that do not hold."""

import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import (
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    ValidationError,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from grantproof.core.constraints import Constraint
from grantproof.core.policy import UnknownOrganization
from grantproof.core.sessions import NoSession
from grantproof.core.withheld import Withheld
from grantproof.policyfile import constraint_documents
from grantproof.policyfile.answers import CODES
from grantproof.policyfile.faults import TAG, Fault, fault, illegal, refused

REASONS: Final = tuple(
    code
    for reason, code in CODES.items()
    if reason not in {UnknownOrganization, Withheld, NoSession}
)
"""Those that a policy can give: it is an organization, keeps no session, withholds nothing."""

TYPES: Final[tuple[str, ...]] = tuple(
    get_args(form.model_fields[TAG].annotation)[0]
    for form in get_args(constraint_documents.Constraint)
)
"""The types of constraints, as documents write them."""

Failed = tuple[str | Constraint, ...]


def read_reason(value: object) -> str:
    """Return the code of a reason."""
    if not isinstance(value, str) or value not in REASONS:
        raise illegal("must be one of " + ", ".join(f"`{code}`" for code in REASONS))
    return value


def read_failed(value: object) -> Failed:
    """Return constraints, each whole or by its type; every member at fault is told."""
    if not isinstance(value, list):
        raise illegal("must be a list")
    if len(value) == 0:
        raise illegal("must not be empty")
    read: list[str | Constraint] = []
    found: list[Fault] = []
    for i, member in enumerate(value):
        try:
            read.append(_type(member) if isinstance(member, str) else _constraint(member))
        except ValidationError as error:
            found.extend(
                Fault((i, *one.path[1:]), one.rule)
                for one in map(fault, error.errors(include_url=False))
            )
    if found:
        raise refused([(one.path, one.rule) for one in found], value)
    return tuple(read)


def missing(expected: Failed, failures: Sequence[Constraint]) -> bool:
    """Return whether the failures are others than the expected ones, in whatever order."""
    left = list(failures)
    # Those that are whole first: a type is content with any that is left.
    for one in sorted(expected, key=lambda member: isinstance(member, str)):
        fitting = [each for each in left if one in (each, constraint_documents.of(each).type)]
        if len(fitting) == 0:
            return True
        left.remove(fitting[0])
    return len(left) > 0


def told(failures: Sequence[str | Constraint]) -> str:
    """Return the constraints in one line, each as a test may write it."""
    return ", ".join(
        one if isinstance(one, str) else json.dumps(constraint_documents.of(one).written())
        for one in failures
    )


def _type(name: str) -> str:
    if name not in TYPES:
        choice = ", ".join(f"`{one}`" for one in TYPES)
        raise refused([((0,), f"must be a constraint, or its type: one of {choice}")], name)
    return name


def _constraint(written: object) -> Constraint:
    return constraint_documents.CONSTRAINTS.validate_python([written])[0]


ReasonField = Annotated[str, PlainValidator(read_reason), WithJsonSchema({"enum": list(REASONS)})]
BY_TYPE: Final[Any] = Literal[TYPES]
WHOLE: Final[Any] = Annotated[constraint_documents.Constraint, Field(discriminator=TAG)]
ITEMS: Final[Any] = list[BY_TYPE | WHOLE]


class Failing:
    """Lets a field hold constraints, each whole or by its type."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read a strict list; `ITEMS` says to a schema what is in it."""
        listed = handler.generate_schema(ITEMS)
        return core_schema.no_info_wrap_validator_function(_read, listed)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe the list."""
        return {**handler(schema), "minItems": 1}


def _read(value: object, validate: Callable[[Any], Any]) -> Failed:
    del validate
    return read_failed(value)


FailedField = Annotated[Failed, Failing()]
