"""What is wrong with a document: the part at fault, and the rule that it breaks, in our words.

The rules of the core travel through pydantic unchanged; pydantic's own messages are put into the
words that every other message of the product has.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from grantproof.core.errors import Illegal

Location = tuple[str | int, ...]
"""Where in a document: names of fields and positions in lists, from the outermost inward."""

FIELDS: Final = {"resource_id": "id"}
"""Fields that the core calls by another name than a document does."""

RULES: Final[Mapping[str, str]] = {
    "missing": "is required",
    "extra_forbidden": "is not a known field",
    "string_type": "must be a string",
    "string_unicode": "must be Unicode text: half a surrogate pair is none",
    "int_type": "must be a whole number",
    "int_parsing_size": "must fit in 64 bits",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "union_tag_not_found": "is required",
    "json_invalid": "must be valid JSON",
}
"""Our words for the errors that pydantic finds."""

TAG: Final = "type"
TAG_ERRORS: Final = ("union_tag_invalid", "union_tag_not_found")


@dataclass(frozen=True, slots=True)
class Fault:
    """A part of a document that breaks a rule; the empty path means all of it."""

    path: Location
    rule: str

    @property
    def message(self) -> str:
        """The fault in one line: `claims[0].role: is required`."""
        return f"{written_path(self.path)}: {self.rule}" if self.path else self.rule


def faults(error: ValidationError) -> tuple[Fault, ...]:
    """Return every fault that the validation found, in the order of the document's fields."""
    details = error.errors(include_url=False, include_context=True)
    return tuple(fault(detail) for detail in details)


def fault(detail: ErrorDetails) -> Fault:
    """Return one error of pydantic in our words."""
    return Fault(tuple(detail["loc"]), _rule(detail))


def written_path(path: Location) -> str:
    """Return the path as it is shown: `claims[0].constraints[1].start`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def illegal(rule: str) -> PydanticCustomError:
    """Return the error by which a validator refuses the value it is given."""
    return PydanticCustomError("illegal", rule)


def refused(found: Iterable[tuple[Location, str]], value: object) -> ValidationError:
    """Return the error by which a validator refuses parts of `value`: each a path and a rule."""
    lines = [InitErrorDetails(type=illegal(rule), loc=path, input=value) for path, rule in found]
    return ValidationError.from_exception_data("document", lines)


def refusing(broken: Illegal, value: object) -> ValidationError:
    """Return the error that says of a field of `value` what the core says of it."""
    first, *rest = broken.field.split(".", maxsplit=1)
    return refused([((FIELDS.get(first, first), *rest), broken.rule)], value)


def without_tags(value: object, validate: Callable[[Any], Any]) -> object:
    """Validate a list of tagged objects; its errors name the position and the field, no tag."""
    try:
        return validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise refused([(_untagged(detail), _rule(detail)) for detail in details], value) from None


def _untagged(detail: ErrorDetails) -> Location:
    if detail["type"] in TAG_ERRORS:
        return (*detail["loc"], TAG)
    return (*detail["loc"][:1], *detail["loc"][2:])


def _rule(detail: ErrorDetails) -> str:
    if detail["type"] in RULES:
        return RULES[detail["type"]]
    context = detail.get("ctx", {})
    expected = context.get("expected_tags", context.get("expected"))
    if expected is None:
        return detail["msg"]
    choice = str(expected).replace("'", "`")
    return (
        f"must be one of {choice}"
        if "," in choice and " or " not in choice
        else f"must be {choice}"
    )
