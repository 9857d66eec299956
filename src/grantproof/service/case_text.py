"""Cases as text: one JSON document with all that a replay needs, written and read back.

Facts, commands and deltas are written as events write them. A state that is too large for a case is
left out: whoever replays it then folds the events up to the case's revision.
"""

from collections.abc import Callable
from typing import Final, Literal

import msgspec
from msgspec import Raw
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from grantproof.core.attributes import Attributes
from grantproof.core.constraints import Context
from grantproof.core.errors import Illegal
from grantproof.core.geodesy import degrees
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    OrganizationId,
    PrincipalId,
    Region,
    ResourceId,
    RoleId,
)
from grantproof.core.matching import Request
from grantproof.core.metering import Counter, Readings, Span
from grantproof.core.model import Delta
from grantproof.core.organization import Organization, facts, with_fact
from grantproof.policyfile.fields import read_position
from grantproof.policyfile.value_fields import read_attributes, write_attributes
from grantproof.policyfile.wire import (
    Unreadable,
    decode_command,
    decode_delta,
    encode_command,
    encode_delta,
)
from grantproof.service.cases import Asked, Case, Contract, Proposal

FORM: Final = "grantproof/case/v1"
NOTHING: Final = Raw(b"null")
"""Stands where a case has no such part."""

FACTS_MAX: Final = 100_000
"""A state with more is left out of its case."""

StateAt = Callable[[OrganizationId, int], Organization]
"""Returns the state of an organization at a revision; raises `Unreadable` where there is none."""

AttributesText = dict[str, bool | int | str | list[str]]


class RequestText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who, what, on which resource."""

    principal: str
    action: str
    resource: str
    kind: str | None
    active_roles: list[str] | None


class ContextText(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Here and now, as the decision saw it.

    `position` came later: it is left out where there is none, as older cases have it.
    """

    instant: int
    hour: int
    weekday: int
    year: int
    region: str | None
    usage: int | None
    rate: int | None
    attributes: AttributesText
    principal_properties: AttributesText
    resource_properties: AttributesText
    action_properties: AttributesText
    position: str | None = None


class CaseText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The document. `source` is the digest of the program's own files that found it."""

    case: Literal["grantproof/case/v1"]
    contract: Contract
    version: str
    source: str
    organization: str
    revision: int
    time_zone: str
    instant: int | None
    expected: str
    found: str
    request: RequestText | None
    context: ContextText | None
    readings: list[tuple[str, str, Span, int, int]] | None
    command: Raw
    delta: Raw
    facts: Raw


def write_case(case: Case, *, version: str, source: str, bytes_max: int) -> bytes:
    """Return the document, without the state where it would take more than `bytes_max`."""
    state, asked, proposal = case.state, case.asked, case.proposal
    text = CaseText(
        case=FORM,
        contract=case.contract,
        version=version,
        source=source,
        organization=state.id,
        revision=state.revision,
        time_zone=state.time_zone,
        instant=case.instant,
        expected=case.expected,
        found=case.found,
        request=None if asked is None else _request(asked.request),
        context=None if asked is None else _context(asked.context),
        readings=None if asked is None or asked.readings is None else _readings(asked.readings),
        command=NOTHING if proposal is None else Raw(encode_command(proposal.command).encode()),
        delta=NOTHING if proposal is None else Raw(encode_delta(proposal.delta).encode()),
        facts=NOTHING,
    )
    whole = text if _size(state) > FACTS_MAX else msgspec.structs.replace(text, facts=_facts(state))
    written = _encode(whole)
    return written if len(written) <= bytes_max else _encode(text)


def read_case(text: bytes, state_at: StateAt) -> Case:
    """Return the case that `write_case` wrote; raise `Unreadable` for anything else.

    `state_at` is asked for the state where the document has none.
    """
    try:
        read = msgspec.json.decode(text, type=CaseText)
        return _case(read, state_at)
    except msgspec.MsgspecError as error:
        raise Unreadable(f"not a case: {error}".lower()) from None
    except (Illegal, ValidationError, PydanticCustomError) as error:
        raise Unreadable(f"not a case: {str(error).partition(chr(10))[0]}") from None


def _case(read: CaseText, state_at: StateAt) -> Case:
    organization = OrganizationId(read.organization)
    state = state_at(organization, read.revision) if read.facts == NOTHING else _state(read)
    asked = proposal = None
    if read.request is not None and read.context is not None:
        counted = None if read.readings is None else _counted(read.readings)
        asked = Asked(state, _read_request(read.request), _read_context(read.context), counted)
    if NOTHING not in (read.command, read.delta):
        command = decode_command(bytes(read.command).decode())
        proposal = Proposal(command, decode_delta(bytes(read.delta).decode()))
    if (read.contract in {"certificate", "shadow"}) != (asked is not None) or (
        read.contract == "change"
    ) != (proposal is not None):
        raise Unreadable(f"not a case: `{read.contract}` comes with other parts")
    return Case(read.contract, state, read.instant, read.expected, read.found, asked, proposal)


def _encode(text: CaseText) -> bytes:
    return msgspec.json.format(msgspec.json.encode(text, enc_hook=str), indent=1)


def _size(state: Organization) -> int:
    return (
        len(state.principals)
        + len(state.claims)
        + len(state.resources)
        + len(state.assignments.forward)
        + len(state.memberships.forward)
    )


def _facts(state: Organization) -> Raw:
    return Raw(encode_delta(Delta(added=tuple(facts(state)))).encode())


def _state(read: CaseText) -> Organization:
    state = Organization(OrganizationId(read.organization), read.revision, read.time_zone)
    for fact in decode_delta(bytes(read.facts).decode()).added:
        try:
            state = with_fact(state, fact)
        except KeyError as error:
            raise Unreadable(f"not a case: `{error.args[0]}` is referred to, not there") from None
    return state


def _request(request: Request) -> RequestText:
    chosen = request.active_roles
    return RequestText(
        str(request.principal),
        str(request.action),
        str(request.resource),
        request.kind,
        None if chosen is None else sorted(map(str, chosen)),
    )


def _read_request(read: RequestText) -> Request:
    chosen = read.active_roles
    return Request(
        PrincipalId(read.principal),
        Action(read.action),
        ResourceId(read.resource),
        read.kind,
        None if chosen is None else frozenset(map(RoleId, chosen)),
    )


def _context(context: Context) -> ContextText:
    return ContextText(
        context.instant,
        context.hour,
        context.weekday,
        context.year,
        None if context.region is None else str(context.region),
        context.usage,
        context.rate,
        _written(context.attributes),
        _written(context.principal_properties),
        _written(context.resource_properties),
        _written(context.action_properties),
        None if context.position is None else degrees(context.position),
    )


def _written(attributes: Attributes) -> AttributesText:
    return {str(name): value for name, value in write_attributes(attributes).items()}


def _read_context(read: ContextText) -> Context:
    return Context(
        instant=read.instant,
        hour=read.hour,
        weekday=read.weekday,
        year=read.year,
        region=None if read.region is None else Region(read.region),
        position=None if read.position is None else read_position(read.position),
        usage=read.usage,
        rate=read.rate,
        attributes=read_attributes(read.attributes),
        principal_properties=read_attributes(read.principal_properties),
        resource_properties=read_attributes(read.resource_properties),
        action_properties=read_attributes(read.action_properties),
    )


def _readings(readings: Readings) -> list[tuple[str, str, Span, int, int]]:
    return [
        (str(counter.principal), str(counter.claim), counter.span, counter.start, used)
        for counter, used in readings.items()
    ]


def _counted(read: list[tuple[str, str, Span, int, int]]) -> Readings:
    return {
        Counter(PrincipalId(principal), ClaimId(claim), span, start): used
        for principal, claim, span, start, used in read
    }
