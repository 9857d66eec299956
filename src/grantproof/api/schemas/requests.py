"""Bodies of requests that are not entities: what to change, and what to connect."""

from typing import Annotated, Any, Final

from pydantic import ConfigDict, Discriminator, Field, Tag

from grantproof.core.limits import COMMANDS_PER_CHANGE_SET_MAX
from grantproof.policyfile import documents
from grantproof.policyfile.command_documents import COMMANDS
from grantproof.policyfile.document import Document
from grantproof.policyfile.faults import TAG
from grantproof.policyfile.fields import Distinct, OrganizationField, RoleField
from grantproof.policyfile.value_fields import AttributesField

COMMAND_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in sorted(COMMANDS)],
    "discriminator": {"propertyName": TAG},
}
"""One command; the document has a schema of each, under its name."""


class NewOrganization(Document):
    """An organization to be created, empty."""

    id: OrganizationField
    """The organization's id; an id is never used again."""
    time_zone: str = "UTC"
    """The IANA name of the zone in which its hours and weekdays are told."""


class PrincipalChange(Document):
    """What to change of a principal; what is left out or null stays."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["active"], "properties": {"active": {"type": "boolean"}}},
                {"required": ["attributes"], "properties": {"attributes": {"type": "object"}}},
            ]
        }
    )

    active: bool | None = None
    """False suspends, true resumes."""
    attributes: AttributesField | None = None
    """Replaces all attributes."""


class ResourceChange(Document):
    """What to change of a resource."""

    attributes: AttributesField
    """Replaces all attributes."""


class RoleChoice(Document):
    """A role to be assigned."""

    role_id: RoleField
    """The role."""


class ParentChoice(Document):
    """A role to inherit from."""

    parent: RoleField
    """The parent."""


class RoleWithParents(documents.Role):
    """A role and the roles that it inherits from."""

    parents: Annotated[frozenset[RoleField], Distinct()] = frozenset()
    """Its parents, without their own."""


class ChangeSetBody(Document):
    """Several commands as one: all of them, in order, under one revision; or none."""

    commands: Annotated[
        list[dict[str, Any]],
        Field(
            min_length=1,
            max_length=COMMANDS_PER_CHANGE_SET_MAX,
            json_schema_extra={"items": COMMAND_SCHEMA},
        ),
    ]
    """Each with its `type` and the fields of that command, as events show them."""
    dry_run: bool = False
    """Whether only to tell if they would be made: the revision then stays what it is."""


def _holder(body: object) -> str:
    return GROUP if isinstance(body, dict) and "group" in body else PRINCIPAL


# In parentheses, so that nobody takes the name of an alternative for that of a field.
PRINCIPAL = "(principal)"
GROUP = "(group)"

AnyAssignment = Annotated[
    Annotated[documents.Assignment, Tag(PRINCIPAL)]
    | Annotated[documents.GroupAssignment, Tag(GROUP)],
    Discriminator(_holder),
]
"""A role for a principal, or for every principal of a group."""
