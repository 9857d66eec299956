"""Organizations as lists show them; what is in one has routes of its own."""

from grantproof.api.schemas.answer import Answer
from grantproof.policyfile.fields import OrganizationField


class OrganizationAnswer(Answer):
    """An organization."""

    id: OrganizationField
    """The organization's id."""
    revision: int
    """The number of changes made to it."""
    time_zone: str
    """The IANA name of the zone in which its hours and weekdays are told."""


class OrganizationPage(Answer):
    """Some organizations in order; ask for those after `next` until it is null."""

    items: list[OrganizationAnswer]
    """At most as many as were asked for."""
    next: str | None
    """What to give as `after` for the next page; null on the last."""
