"""What some people can bring about: the question, and what the answers look like."""

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from grantproof.api.schemas.answer import Answer
from grantproof.core.constraints import DAYS_PER_WEEK, HOURS_PER_DAY
from grantproof.core.limits import REACH_PEOPLE_MAX
from grantproof.policyfile.document import Document
from grantproof.policyfile.fields import (
    ActionNameField,
    AnyKindField,
    Distinct,
    PositionField,
    PrincipalField,
    RegionField,
    ResourceField,
    RoleField,
)
from grantproof.policyfile.value_fields import AttributesField, no_attributes

People = Annotated[
    frozenset[PrincipalField],
    Distinct(),
    Field(min_length=1, max_length=REACH_PEOPLE_MAX),
]
Hour = Annotated[int, Field(ge=0, lt=HOURS_PER_DAY)]
Weekday = Annotated[int, Field(ge=0, lt=DAYS_PER_WEEK)]


class SupposedContext(Document):
    """Where and when it is supposed to be; what is left out is as it is now, or not known."""

    region: RegionField | None = None
    """The region of the request."""
    position: PositionField | None = None
    """Its latitude and longitude in decimal degrees."""
    attributes: AttributesField = Field(default_factory=no_attributes)
    """What `context.NAME` is."""
    hour: Hour | None = None
    """The hour in the organization's time zone, of the changes too."""
    weekday: Weekday | None = None
    """The weekday there, 0 is Monday, of the changes too."""


class _Asking(Document):
    by: People
    """Those who make changes, together."""
    principal: PrincipalField
    """For whom."""
    context: SupposedContext = SupposedContext()
    """Where and when."""


class RoleToReach(_Asking):
    """Can these people, by changes that they may make, bring somebody to hold a role?"""

    role: RoleField
    """The role."""


class ActionToReach(_Asking):
    """Can these people, by changes that they may make, bring somebody to be allowed an action?"""

    action: ActionNameField
    """The action."""
    resource_id: ResourceField
    """On which resource."""
    resource_kind: AnyKindField | None = None
    """Its kind; makes one known that is not registered."""


def _goal(body: object) -> str:
    return ROLE if isinstance(body, dict) and "role" in body else ACTION


# In parentheses, so that nobody takes the name of an alternative for that of a field.
ROLE = "(role)"
ACTION = "(action)"

AnyReach = Annotated[
    Annotated[RoleToReach, Tag(ROLE)] | Annotated[ActionToReach, Tag(ACTION)],
    Discriminator(_goal),
]
"""A role that is to be held, or an action that is to be allowed."""


class ReachStep(Answer):
    """A change, and who of the people makes it."""

    author: str
    """Who."""
    command: dict[str, Any]
    """What, as a change set takes it."""


class Within(Answer):
    """They can, by these changes, which were replayed."""

    verdict: Literal["reachable"]
    """Always this."""
    shortest: bool
    """Whether no fewer changes do."""
    steps: list[ReachStep]
    """In order; none when it is so now."""


class Beyond(Answer):
    """They cannot."""

    verdict: Literal["unreachable"]
    """Always this."""
    how: Literal["over-approximation", "exhaustive"]
    """What kind of a proof there is."""
    evidence: dict[str, Any]
    """What it rests on."""


class Open(Answer):
    """Neither is known, and to ask again changes nothing."""

    verdict: Literal["undetermined"]
    """Always this."""
    why: str
    """Why."""


Reached = Annotated[Within | Beyond | Open, Field(discriminator="verdict")]
