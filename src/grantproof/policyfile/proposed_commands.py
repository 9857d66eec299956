"""Commands as a person writes them in a file: what has a default may be left out.

`{type: AssignRole, principal: carol, role: submitter}`: the fields of `command_documents`, which
leave nothing out because events are read for ever.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from functools import partial
from typing import Annotated, Any, Final, Literal, Union, get_type_hints

import pydantic
from pydantic import (
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    create_model,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

from grantproof.core.commands.language import SingleCommand
from grantproof.policyfile.command_documents import COMMANDS, FIELD_TYPES, MEANINGS
from grantproof.policyfile.document import Document
from grantproof.policyfile.faults import TAG, fault, illegal, refused, without_tags


class ProposedCommand(Document):
    """A command, named by its `type`."""

    def core(self) -> SingleCommand:
        """Return the command that is written here."""
        given = {name: value for name, value in vars(self).items() if name != TAG}
        return COMMANDS[type(self).__name__](**given)


def _form(name: str, command: type[SingleCommand]) -> type[ProposedCommand]:
    """Return the document of a command: its fields, with the defaults that they have."""
    hints = get_type_hints(command)
    written: dict[str, Any] = {
        field.name: (FIELD_TYPES[hints[field.name]], _default(field)) for field in fields(command)
    }
    written[TAG] = (Literal[name], ...)
    return create_model(name, __base__=ProposedCommand, __doc__=command.__doc__, **written)


def _default(field: "Field[Any]") -> Any:
    meaning = MEANINGS[field.name]
    if field.default is MISSING:
        return pydantic.Field(description=meaning)
    # By a function: a schema would show the value as the core holds it, not as it is written.
    default = partial(_same, field.default)
    return pydantic.Field(default_factory=default, description=meaning)


def _same(value: object) -> object:
    return value


@dataclass(frozen=True, slots=True, eq=False)
class OneOrSeveral:
    """Lets a field hold commands, written as one or as a list of them; at least one."""

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read a document or a list of them."""
        listed = handler.generate_schema(LISTED)
        return core_schema.no_info_wrap_validator_function(_read, listed)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe both."""
        listed = handler(schema)
        return {"anyOf": [listed["items"], {**listed, "minItems": 1}]}


def _read(value: object, validate: Callable[[Any], Any]) -> tuple[SingleCommand, ...]:
    """Return the commands; the errors of what is written name the field, and no tag."""
    if isinstance(value, list):
        if len(value) == 0:
            raise illegal("must not be empty")
        return _cores(without_tags(value, validate))
    try:
        return _cores(without_tags([value], validate))
    except ValidationError as error:
        found = map(fault, error.errors(include_url=False))
        # Whoever wrote one command wrote no list, so there is no position to name.
        raise refused([(one.path[1:], one.rule) for one in found], value) from None


def _cores(documents: Any) -> tuple[SingleCommand, ...]:
    return tuple(document.core() for document in documents)


FORMS: Final[Mapping[str, type[ProposedCommand]]] = {
    name: _form(name, command) for name, command in COMMANDS.items()
}

ANY_FORM: Any = Union[tuple(FORMS.values())]  # noqa: UP007 - the members are known only here
LISTED: Any = list[Annotated[ANY_FORM, pydantic.Field(discriminator=TAG)]]
CommandsField = Annotated[tuple[SingleCommand, ...], OneOrSeveral()]
"""Commands to be proposed as one change."""
