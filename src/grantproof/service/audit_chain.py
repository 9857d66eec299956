"""The chain of events: each is sealed together with the seal of the one before, under a key.

The key lies outside the store, so whoever can only write the store cannot make a seal. Pure:
`faults` is what verifying means. P-AUDIT.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from grantproof.core.errors import Illegal

FORMAT: Final = "grantproof-audit-1"
"""Stands in everything that is sealed or signed: another format will have another name."""

KEY_BYTES: Final = 32
KEY_ID_LENGTH: Final = 16

Kind = Literal["found", "change", "dissolve"]
"""The first event of an organization, each of its changes, and its last event."""

NO_FACTS: Final = '{"added":[],"removed":[]}'
DISSOLVE: Final = '{"type":"Dissolve"}'


class AuditKey:
    """The secret under which events are sealed. Two keys with the same `id` are the same key.

    `signing_seed` is for the signatures of checkpoints, `shelf_secret` for snapshot files,
    `visit_secret` for what browsers keep. No part of the secret can be told from `id`, which is
    kept with every event.
    """

    __slots__ = ("_erasing", "_sealing", "id", "shelf_secret", "signing_seed", "visit_secret")

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise Illegal("audit_key", f"must have {KEY_BYTES} bytes")
        self._sealing = _derived(secret, "seal")
        self._erasing = _derived(secret, "erase")
        self.signing_seed = _derived(secret, "sign")
        self.shelf_secret = _derived(secret, "shelf")
        self.visit_secret = _derived(secret, "visit")
        self.id = _derived(secret, "id").hex()[:KEY_ID_LENGTH]

    def seal(self, *fields: str | int | None) -> str:
        """Return the seal of the fields, in hexadecimal digits."""
        return _mac(self._sealing, *fields)

    def mark(self, *fields: str | int | None) -> str:
        """Return what marks the fields as erased by us."""
        return _mac(self._erasing, *fields)


@dataclass(frozen=True, slots=True)
class Content:
    """What a seal covers of an event, as it is stored; `command` and `delta` are JSON."""

    organization: str
    revision: int
    kind: str
    instant: int
    request_id: str | None
    command: str
    delta: str
    commitment: str


@dataclass(frozen=True, slots=True)
class Person:
    """What is kept apart from an event, so that it can be erased: who made it, and why.

    Once erased only the instant of that, in epoch seconds, and its mark are left.
    """

    salt: str | None
    actor: str | None
    reason: str | None
    erased_at: int | None = None
    erasure: str | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """An event with its seal; `person` is nothing when there is no such row."""

    content: Content
    key_id: str
    mac: str
    person: Person | None


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the organization's own row says of its events: how many there are, and the last seal."""

    revision: int
    head: str
    time_zone: str
    created_at: int
    deleted_at: int | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a chain was at an instant (epoch seconds): its length and its last seal."""

    organization: str
    length: int
    head: str
    instant: int
    key_id: str

    def message(self) -> bytes:
        """Return the bytes to be signed."""
        fields = (self.organization, self.length, self.head, self.instant, self.key_id)
        return _framed((f"{FORMAT}-checkpoint", *fields))


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a chain, and at which revision it shows first."""

    revision: int
    what: str


def founding(time_zone: str, *, adopted: int | None = None) -> str:
    """Return the command that founds an organization.

    `adopted` is the revision at which its events, until then without seals, were sealed at once.
    """
    told: dict[str, object] = {"time_zone": time_zone, "type": "Found"}
    if adopted is not None:
        told["adopted"] = adopted
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def commitment(salt: str, actor: str, reason: str | None) -> str:
    """Return what an event holds of its author: nobody can tell it from this without the salt."""
    return _mac(salt.encode(), actor, reason)


def sealed(key: AuditKey, before: str, content: Content, *, person: Person) -> Sealed:
    """Return the event sealed onto the chain whose last seal is `before`, empty for the first."""
    return Sealed(content, key.id, _seal(key, before, content), person)


def erased(key: AuditKey, content: Content, instant: int) -> Person:
    """Return what stays of the author of an event when it is erased at the instant."""
    mark = key.mark(content.organization, content.revision, content.commitment, instant)
    return Person(None, None, None, instant, mark)


def faults(
    key: AuditKey,
    anchor: Anchor | None,
    chain: Iterable[Sealed],
    *,
    checkpoint: Checkpoint | None = None,
) -> Iterator[Fault]:
    """Yield what is wrong with a chain in the order of its revisions; nothing when it is whole.

    `chain` has every stored event of one organization in the order of the revisions. After a fault
    the chain goes on from what is stored, so that each later fault is one of its own.
    """
    expected, before, first, last = 0, "", None, None
    for entry in chain:
        revision = entry.content.revision
        if revision != expected:
            yield Fault(expected, "the event is missing: it was removed")
        found = _fault(key, before, entry)
        if found is not None:
            yield Fault(revision, found)
        if checkpoint is not None and _is_another(entry, checkpoint):
            yield Fault(revision, "the event is another than at the checkpoint")
        first, last = first or entry.content, entry.content
        expected, before = revision + 1, entry.mac
    if checkpoint is not None and checkpoint.length > expected:
        what = f"the checkpoint saw {checkpoint.length} events, there are {expected}: rolled back"
        yield Fault(expected, what)
    if anchor is None:
        yield Fault(max(expected - 1, 0), "the organization is not there: its row was removed")
        return
    yield from _anchor_faults(anchor, length=expected, head=before)
    if first is not None and last is not None:
        yield from _row_faults(anchor, first, last)


def _is_another(entry: Sealed, checkpoint: Checkpoint) -> bool:
    return checkpoint.length == entry.content.revision + 1 and checkpoint.head != entry.mac


def _fault(key: AuditKey, before: str, entry: Sealed) -> str | None:
    """Return what is wrong with one event, given the seal before it."""
    if entry.key_id != key.id:
        return f"the event is sealed under another key, `{entry.key_id}`"
    if not _same(_seal(key, before, entry.content), entry.mac):
        return "the seal does not fit: the event, its seal or its place was changed"
    return _person_fault(key, entry)


def _person_fault(key: AuditKey, entry: Sealed) -> str | None:
    person, content = entry.person, entry.content
    if person is None:
        return "who made the event was removed, not erased"
    if person.erased_at is not None or person.erasure is not None:
        if person.erased_at is not None and person == erased(key, content, person.erased_at):
            return None
        return "who made the event was removed or changed after it was erased"
    if person.salt is None or person.actor is None:
        return "who made the event was removed, not erased"
    told = commitment(person.salt, person.actor, person.reason)
    if not _same(told, content.commitment):
        return "who made the event, or why, was changed"
    return None


def _anchor_faults(anchor: Anchor, *, length: int, head: str) -> Iterator[Fault]:
    stands = anchor.revision + 1
    if stands > length:
        yield Fault(length, f"there are {length} events of {stands}: the last were removed")
    elif stands < length:
        yield Fault(stands, f"there are {length} events, the organization knows of {stands}")
    elif not _same(head, anchor.head):
        yield Fault(anchor.revision, "the organization holds another seal than its last event")


def _row_faults(anchor: Anchor, first: Content, last: Content) -> Iterator[Fault]:
    """Yield what the organization's own row says otherwise than its first and last event."""
    if first.kind != "found":
        return
    if founded_in(first) != anchor.time_zone:
        yield Fault(first.revision, "the organization has another time zone than it was founded in")
    if first.instant != anchor.created_at:
        yield Fault(first.revision, "the organization was founded at another instant than it says")
    ended = last.instant if last.kind == "dissolve" else None
    if ended != anchor.deleted_at:
        yield Fault(last.revision, "the organization says otherwise whether and when it ended")


def founded_in(content: Content) -> str | None:
    """Return the time zone of the first event, or nothing when it names none."""
    told = _told(content)
    zone = told.get("time_zone")
    return zone if isinstance(zone, str) else None


def adopted_until(content: Content) -> int | None:
    """Return the revision up to which events were sealed later than made, or nothing."""
    until = _told(content).get("adopted")
    return until if isinstance(until, int) else None


def _told(content: Content) -> dict[str, object]:
    try:
        told = json.loads(content.command)
    except (RecursionError, TypeError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _seal(key: AuditKey, before: str, content: Content) -> str:
    return key.seal(
        FORMAT,
        before,
        key.id,
        content.organization,
        content.revision,
        content.kind,
        content.instant,
        content.request_id,
        content.command,
        content.delta,
        content.commitment,
    )


def _same(made: str, stored: str) -> bool:
    """Return whether two seals are the same; a stored one may be any text at all."""
    return hmac.compare_digest(
        made.encode("utf-8", "surrogatepass"), str(stored).encode("utf-8", "surrogatepass")
    )


def _derived(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, f"{FORMAT} {purpose}".encode(), hashlib.sha256)


def _mac(secret: bytes, *fields: str | int | None) -> str:
    return hmac.digest(secret, _framed(fields), hashlib.sha256).hex()


def _framed(fields: Iterable[str | int | None]) -> bytes:
    """Return the fields as bytes that no other fields have: each with its type and its length."""
    parts: list[bytes] = []
    for field in fields:
        text = "" if field is None else str(field)
        written = text.encode("utf-8", "surrogatepass")
        sort = b"n" if field is None else b"i" if isinstance(field, int) else b"s"
        parts += [sort, len(written).to_bytes(8), written]
    return b"".join(parts)
