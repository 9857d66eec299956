"""The written forms of commands, derived from their classes: a row for each type of field.

`{"type": "AssignRole", "principal": ..., "role": ..., "validity": ...}`: the name of the command,
and its fields, each as documents write it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, get_args, get_type_hints

from pydantic import Field, GetCoreSchemaHandler, create_model
from pydantic_core import CoreSchema, core_schema

from grantproof.core import model
from grantproof.core.attributes import Attributes
from grantproof.core.commands.language import SingleCommand
from grantproof.core.identifiers import (
    ClaimId,
    GroupId,
    GuardrailId,
    Kind,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.policyfile import documents, fields
from grantproof.policyfile.document import Document
from grantproof.policyfile.value_fields import AttributesField


@dataclass(frozen=True, slots=True)
class Form:
    """Lets a field hold a core value, written as a document."""

    document: Any

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Read and write the document."""
        form = handler.generate_schema(self.document)
        writing = core_schema.plain_serializer_function_ser_schema(
            self.document.of, return_schema=form
        )
        return core_schema.no_info_after_validator_function(_core, form, serialization=writing)


FIELD_TYPES: Final[Mapping[object, object]] = {
    bool: bool,
    Attributes: AttributesField,
    PrincipalId: fields.PrincipalField,
    GroupId: fields.GroupField,
    RoleId: fields.RoleField,
    Kind: fields.KindField,
    ResourceId: fields.ResourceField,
    ClaimId: fields.ClaimField,
    SodSetId: fields.SodSetField,
    GuardrailId: fields.GuardrailField,
    model.Validity: Annotated[model.Validity, Form(documents.Validity)],
    model.Resource: Annotated[model.Resource, Form(documents.Resource)],
    model.Claim: Annotated[model.Claim, Form(documents.Claim)],
    model.SodSet: Annotated[model.SodSet, Form(documents.SodSet)],
    model.Guardrail: Annotated[model.Guardrail, Form(documents.Guardrail)],
}
"""How a document writes a field of a command, by the type that the field has in the core."""

MEANINGS: Final[Mapping[str, str]] = {
    "attributes": "All the attributes, by name; those that are not named are removed.",
    "cascade": "Whether what refers to it is deleted too; else the command is refused.",
    "claim": "The claim, or its id.",
    "container": "The id of the group that contains the other.",
    "group": "The group's id.",
    "guardrail": "The guardrail, or its id.",
    "kind": "The kind of resources.",
    "parent": "The id of the role that is inherited from.",
    "principal": "The principal's id.",
    "resource": "The resource, or its id.",
    "role": "The role's id.",
    "sod_set": "The separation-of-duty set, or its id.",
    "validity": "From and until when the role is held, each epoch seconds or null for no bound.",
}
"""What the fields mean, by their names."""


def _core(document: Any) -> object:
    return document.core()


class CommandDocument(Document):
    """A command, all of whose fields are written."""

    def core(self) -> SingleCommand:
        """Return the command that is written here."""
        return COMMANDS[type(self).__name__](**vars(self))


def of(command: SingleCommand) -> CommandDocument:
    """Return the written form of a command."""
    form = DOCUMENTS[type(command).__name__]
    return form.holding(**{name: getattr(command, name) for name in form.model_fields})


def _document(command: type[SingleCommand]) -> type[CommandDocument]:
    """Return the document of a command: its fields, none of which may be left out."""
    hints = get_type_hints(command)
    written: dict[str, Any] = {
        name: (FIELD_TYPES[hint], Field(description=MEANINGS[name])) for name, hint in hints.items()
    }
    return create_model(
        command.__name__, __base__=CommandDocument, __doc__=command.__doc__, **written
    )


COMMANDS: Final[Mapping[str, type[SingleCommand]]] = {
    command.__name__: command for command in get_args(SingleCommand)
}
DOCUMENTS: Final = {name: _document(command) for name, command in COMMANDS.items()}
