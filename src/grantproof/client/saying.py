"""What an engine is told beside who, what and on which, read as strictly as over HTTP."""

from collections.abc import Set as AbstractSet
from typing import Annotated

from pydantic import model_validator

from grantproof.client.questions import Said
from grantproof.client.results import CallerError
from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.constraints import DAYS_PER_WEEK, HOURS_PER_DAY, Context
from grantproof.policyfile.document import Document, legal
from grantproof.policyfile.fields import (
    ActiveRolesField,
    AnyKindField,
    CountField,
    PositionField,
    RegionField,
    described,
)
from grantproof.policyfile.value_fields import AttributesField
from grantproof.service.pip import Supplied


class SaidEntry(Document):
    """What `Said` has, but for sessions, which an engine does not keep."""

    resource_kind: AnyKindField | None = None
    """The kind of the resource; makes one known that is not registered."""
    region: RegionField | None = None
    """Where the request comes from."""
    position: PositionField | None = None
    """Its latitude and longitude in decimal degrees."""
    attributes: AttributesField | None = None
    """What `context.NAME` is."""
    hour: Annotated[int, described(minimum=0, maximum=HOURS_PER_DAY - 1)] | None = None
    """The local hour, instead of that of the clock."""
    weekday: Annotated[int, described(minimum=0, maximum=DAYS_PER_WEEK - 1)] | None = None
    """0 is Monday; instead of that of the clock."""
    usage: CountField | None = None
    """How often every claim was used in its period."""
    rate: CountField | None = None
    """How often every claim was used in the minute."""
    active_roles: ActiveRolesField | None = None
    """The roles of a session; left out means all that the principal has."""
    explain: bool | None = None
    """Whether the certificate is wanted."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> Context:
        """Return a context with what is said and anything for the rest: legal or not."""
        return Context(0, self.hour or 0, self.weekday or 0, 0, usage=self.usage, rate=self.rate)

    def supplied(self) -> Supplied:
        """Return what is said of the context."""
        return Supplied(
            self.region,
            self.position,
            NO_ATTRIBUTES if self.attributes is None else self.attributes,
            self.hour,
            self.weekday,
            self.usage,
            self.rate,
        )


def read_said(said: Said) -> SaidEntry:
    """Return what is said; raises `CallerError`, `Illegal` and pydantic's `ValidationError`."""
    if said.get("session_id") is not None:
        message = "`session_id` names nothing here: an engine keeps no sessions, say `active_roles`"
        raise CallerError("invalid", message)
    told = {name: value for name, value in said.items() if value is not None}
    roles = said.get("active_roles")
    if roles is not None:
        # The same role twice is said once, as over HTTP.
        told["active_roles"] = list(dict.fromkeys(roles))
    attributes = said.get("attributes")
    if attributes is not None:
        told["attributes"] = {
            name: list(value) if isinstance(value, tuple | AbstractSet) else value
            for name, value in attributes.items()
        }
    return SaidEntry.model_validate(told)
