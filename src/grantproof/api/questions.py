"""What a decision is asked with: the body parsed once, strictly, into the core's own values.

Ids are validated by the core's constructors; the few that come again and again are remembered.
"""

from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, structs
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from grantproof.api.problems import Fault, Problem, Refused, illegal, invalid
from grantproof.api.validation import UNREADABLE, malformed, reader
from grantproof.core.constraints import DAYS_PER_WEEK, HOURS_PER_DAY
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import (
    IMPLICIT_KINDS,
    Action,
    Identifier,
    Kind,
    OrganizationId,
    PrincipalId,
    Region,
    ResourceId,
    RoleId,
    SessionId,
)
from grantproof.core.limits import ACTIVE_ROLES_MAX, BATCH_ITEMS_MAX, INTEGER_MAX
from grantproof.core.matching import Request
from grantproof.policyfile.fields import POSITION_SCHEMA, read_position
from grantproof.policyfile.value_fields import ATTRIBUTES_SCHEMA, read_attributes
from grantproof.service.pip import Supplied

REMEMBERED_MAX: Final = 16_384


def _schema(kind: type[Identifier], **more: object) -> dict[str, object]:
    return {"maxLength": kind.length_max, "pattern": f"^{kind.alphabet.pattern}$", **more}


# Lengths and alphabets are checked by the core's constructors; here they are only described.
OrganizationText = Annotated[str, Meta(extra_json_schema=_schema(OrganizationId))]
PrincipalText = Annotated[str, Meta(extra_json_schema=_schema(PrincipalId))]
ActionText = Annotated[str, Meta(extra_json_schema=_schema(Action))]
ResourceText = Annotated[str, Meta(extra_json_schema=_schema(ResourceId))]
KindText = Annotated[str, Meta(extra_json_schema=_schema(Kind))]
RegionText = Annotated[str, Meta(extra_json_schema=_schema(Region))]
PositionText = Annotated[str, Meta(extra_json_schema=dict(POSITION_SCHEMA))]
SessionText = Annotated[str, Meta(extra_json_schema=_schema(SessionId))]
RoleText = Annotated[str, Meta(extra_json_schema=_schema(RoleId))]
Hour = Annotated[int, Meta(ge=0, le=HOURS_PER_DAY - 1)]
Weekday = Annotated[int, Meta(ge=0, le=DAYS_PER_WEEK - 1)]
Count = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
AttributesObject = Annotated[dict[str, Any], Meta(extra_json_schema=ATTRIBUTES_SCHEMA)]
Roles = Annotated[list[RoleText], Meta(max_length=ACTIVE_ROLES_MAX)]


class PlainQuestion(
    msgspec.Struct, forbid_unknown_fields=True, frozen=True, gc=False, omit_defaults=True
):
    """May the principal do the action on the resource, there and then: most say no more.

    `resource_kind` makes a resource known that is not registered. Only a trusted caller may supply
    `hour` (0 to 23), `weekday` (0 is Monday), `usage` and `rate`.
    """

    principal_id: PrincipalText
    action: ActionText
    resource_id: ResourceText
    resource_kind: KindText | None = None
    region: RegionText | None = None
    hour: Hour | None = None
    weekday: Weekday | None = None
    usage: Count | None = None
    rate: Count | None = None


class Question(
    PlainQuestion, forbid_unknown_fields=True, frozen=True, gc=False, omit_defaults=True
):
    """May the principal do the action on the resource, here and now?

    `resource_kind` makes a resource known that is not registered. `session_id` names a stored
    session, `active_roles` are the roles of one that is not stored: one of them at most; without
    one, all that the principal has are active. `position` is latitude and longitude in
    decimal degrees, at most six decimals. Only a trusted caller may supply `hour`
    (0 to 23), `weekday` (0 is Monday), `usage` and `rate`. `explain` asks for the certificate.
    """

    position: PositionText | None = None
    attributes: AttributesObject | None = None
    active_roles: Roles | None = None
    session_id: SessionText | None = None
    explain: bool = False


class SingleQuestion(Question, forbid_unknown_fields=True, frozen=True, gc=False, kw_only=True):
    """A question to one organization, on a state at least as new as `at_least_revision`."""

    org_id: OrganizationText
    at_least_revision: Count = 0


class BatchQuestion(msgspec.Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """Questions to one organization, all answered at one revision and one instant."""

    org_id: OrganizationText
    items: Annotated[list[Question], Meta(max_length=BATCH_ITEMS_MAX)]
    at_least_revision: Count = 0


class PlainBatch(msgspec.Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """A batch of which no item says more than a plain question: most are."""

    org_id: OrganizationText
    items: Annotated[list[PlainQuestion], Meta(max_length=BATCH_ITEMS_MAX)]
    at_least_revision: Count = 0


class LooseBatch(msgspec.Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """A batch of which some item may be malformed: each is read on its own."""

    org_id: OrganizationText
    items: Annotated[list[msgspec.Raw], Meta(max_length=BATCH_ITEMS_MAX)]
    at_least_revision: Count = 0


PLAIN_NAMES: Final = frozenset(PlainQuestion.__struct_fields__)
"""All that a plain question may say."""

_PLAIN: Final = msgspec.json.Decoder(PlainBatch)
_BATCH: Final = msgspec.json.Decoder(BatchQuestion)

read_single: Final = reader(SingleQuestion)
read_loose: Final = reader(LooseBatch)
read_item: Final = reader(Question)

_principal = lru_cache(REMEMBERED_MAX)(PrincipalId)
_action = lru_cache(REMEMBERED_MAX)(Action)
_resource = lru_cache(REMEMBERED_MAX)(ResourceId)
_session = lru_cache(REMEMBERED_MAX)(SessionId)


def read_batch(body: bytes) -> PlainBatch | BatchQuestion | LooseBatch:
    """Return the batch; items are raw when one of them is malformed. Raises `Refused`.

    What is not plain shows itself early on, most often in the first item.
    """
    for read in (_PLAIN.decode, _BATCH.decode):
        with suppress(*UNREADABLE):
            return read(body)
    return read_loose(body)


def whole(item: PlainQuestion | msgspec.Raw) -> Question:
    """Return the question that an item of a batch is; raises `Refused`."""
    if isinstance(item, msgspec.Raw):
        return read_item(item)
    return item if isinstance(item, Question) else Question(*structs.astuple(item))


def asked(question: Question, *, trusted: bool) -> tuple[Request, Supplied]:
    """Return what the core is asked, and in which context.

    Raises `Refused`, also when the question says what only a trusted caller may say.
    """
    return request_of(question), supplied_of(question, trusted=trusted)


def request_of(question: Question) -> Request:
    """Return what the core is asked; raises `Refused`."""
    if question.session_id is not None and question.active_roles is not None:
        raise Refused(TWO_SESSIONS)
    try:
        return Request(
            _principal(question.principal_id),
            _action(question.action),
            _resource(question.resource_id),
            _kind(question.resource_kind),
            _roles(question.active_roles),
        )
    except Illegal as broken:
        raise Refused(illegal(broken)) from None


def supplied_of(question: PlainQuestion, *, trusted: bool) -> Supplied:
    """Return what the question says of the context.

    Raises `Refused`, also when it says what only a trusted caller may say.
    """
    try:
        supplied = _supplied(
            question.region, question.hour, question.weekday, question.usage, question.rate
        )
        if isinstance(question, Question) and question.position is not None:
            # Apart from what is remembered: everybody is somewhere else.
            supplied = replace(supplied, position=read_position(question.position))
    except Illegal as broken:
        raise Refused(illegal(broken)) from None
    if not trusted and supplied.needs_trust:
        raise Refused(UNTRUSTED)
    if isinstance(question, Question) and question.attributes is not None:
        supplied = _with_attributes(supplied, question.attributes)
    return supplied


TWO_SESSIONS: Final = invalid(
    [Fault("active_roles", "must be left out where `session_id` names a session")]
)


def session_of(question: Question) -> SessionId | None:
    """Return the stored session that the question is asked in, if it is; raises `Refused`."""
    if question.session_id is None:
        return None
    try:
        return _session(question.session_id)
    except Illegal as broken:
        raise Refused(illegal(broken)) from None


UNTRUSTED: Final = Problem(
    "untrusted_context",
    "`hour`, `weekday`, `usage` and `rate` are the server's own: leave them out,"
    " or use a credential that is trusted to supply them",
)


def _kind(text: str | None) -> str | None:
    if text is None or text in IMPLICIT_KINDS:
        return text
    try:
        return Kind(text)
    except Illegal as broken:
        raise Illegal("resource_kind", broken.rule) from None


def _roles(texts: list[str] | None) -> frozenset[RoleId] | None:
    if texts is None:
        return None
    roles = []
    for position, text in enumerate(texts):
        try:
            roles.append(RoleId(text))
        except Illegal as broken:
            raise Illegal(f"active_roles[{position}]", broken.rule) from None
    return frozenset(roles)


@lru_cache(REMEMBERED_MAX)
def _supplied(  # noqa: PLR0917 - a key of keywords would take twice as long to look up
    region: str | None,
    hour: int | None,
    weekday: int | None,
    usage: int | None,
    rate: int | None,
) -> Supplied:
    place = None if region is None else Region(region)
    return Supplied(place, hour=hour, weekday=weekday, usage=usage, rate=rate)


def _with_attributes(supplied: Supplied, written: dict[str, Any]) -> Supplied:
    try:
        attributes = read_attributes(written)
    except ValidationError as error:
        raise Refused(malformed(error, inside=("attributes",))) from None
    except PydanticCustomError as error:
        raise Refused(invalid([Fault("attributes", error.message())])) from None
    return replace(supplied, attributes=attributes)
