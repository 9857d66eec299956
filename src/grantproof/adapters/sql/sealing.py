"""Writing events: each sealed onto the last seal of its organization, in the commit's transaction.

What a reader of the chain needs to seal it again is kept to the letter.
"""

import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert

from grantproof.adapters.sql.mapping import Values
from grantproof.adapters.sql.rows import table
from grantproof.core.commands import Event
from grantproof.core.identifiers import OrganizationId
from grantproof.policyfile.wire import encode_command, encode_delta
from grantproof.service import audit_chain
from grantproof.service.audit_chain import AuditKey, Content, Kind, Person, Sealed
from grantproof.service.authors import Author

SALT_BYTES: Final = 16

EVENT: Final = table("event")
PERSONAL: Final = table("event_personal")

INSERT_EVENT: Final = insert(EVENT)
INSERT_AUTHOR: Final = insert(PERSONAL)


@dataclass(frozen=True, slots=True)
class Happening:
    """What is to be sealed: an event, the founding or the dissolution of an organization."""

    organization: OrganizationId
    revision: int
    kind: Kind
    instant: int
    by: Author
    command: str
    delta: str = audit_chain.NO_FACTS


def of_event(event: Event) -> Happening:
    """Return an event of the core as what is to be sealed."""
    return Happening(
        event.organization,
        event.revision,
        "change",
        event.instant,
        Author(event.actor, request_id=event.request_id, reason=event.reason),
        encode_command(event.command),
        encode_delta(event.delta),
    )


def seal(key: AuditKey, before: str, happening: Happening) -> Sealed:
    """Return what happened sealed onto the chain whose last seal is `before`."""
    by = happening.by
    salt = secrets.token_hex(SALT_BYTES)
    content = Content(
        happening.organization,
        happening.revision,
        happening.kind,
        happening.instant,
        by.request_id,
        happening.command,
        happening.delta,
        audit_chain.commitment(salt, by.actor, by.reason),
    )
    return audit_chain.sealed(key, before, content, person=Person(salt, by.actor, by.reason))


def write(connection: Connection, sealed: Sealed) -> None:
    """Write an event and, apart from it, who made it."""
    content, person = sealed.content, sealed.person
    where: Values = {"organization_id": content.organization, "revision": content.revision}
    event: Values = {
        "kind": content.kind,
        "instant": content.instant,
        "request_id": content.request_id,
        "command": content.command,
        "delta": content.delta,
        "commitment": content.commitment,
        "key_id": sealed.key_id,
        "mac": sealed.mac,
    }
    connection.execute(INSERT_EVENT, where | event)
    if person is not None:
        told: Values = {"salt": person.salt, "actor": person.actor, "reason": person.reason}
        connection.execute(INSERT_AUTHOR, where | told)
