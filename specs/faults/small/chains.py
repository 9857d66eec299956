"""The executable property of the sealed history: an honest chain is whole, no edit of one is.

The chain has an event for the founding and one for each fact, one of them erased. Every edit is
made by somebody who can write the store and has no key: all that they can compute they compute.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from grantproof.core import model as m
from grantproof.service import audit_chain
from grantproof.service.audit_chain import Anchor, AuditKey, Content, Person, Sealed, faults
from specs.faults.small.property import Objection, Property, Small
from specs.faults.small.words import told as in_words
from specs.faults.small.worlds import ACME, ANN, CLERK, Facts

KEY: Final = AuditKey(b"k" * audit_chain.KEY_BYTES)
STAFF: Final[Facts] = (m.Principal(ANN), m.Role(CLERK), m.Assignment(ANN, CLERK))
ERASED_AT: Final = 9
ERASED: Final = 1
"""The event whose author was erased."""

Change = Literal[
    "nothing", "command", "before", "removed", "actor", "reason", "erased", "later erasure"
]
CHANGES: Final[dict[Change, str]] = {
    "nothing": "nothing is changed",
    "command": "the command of event {at} is changed",
    "before": "event {at} is replaced by that of a copy whose history went another way",
    "removed": "event {at} is removed",
    "actor": "the actor of event {at} is changed",
    "reason": "the reason of event {at} is changed",
    "erased": "the author of event {at} is taken away, with a mark made without the key",
    "later erasure": "the erasure of event {at} is dated later",
}


@dataclass(frozen=True)
class Edit:
    """What is changed behind the back of the service, at which event."""

    change: Change
    at: int


def chain(small: Small) -> tuple[Sealed, ...]:
    """Return the sealed events of the organization: its founding, then each fact."""
    made: list[Sealed] = []
    commands = (audit_chain.founding("UTC"), *(" ".join(in_words((f,))) for f in small.facts))
    for revision, command in enumerate(commands):
        person = Person(f"salt {revision}", "eve", f"ticket {revision}")
        made.append(_sealed(made[-1].mac if made else "", revision, command, person=person))
    if len(made) > ERASED:
        gone = made[ERASED]
        kept = audit_chain.erased(KEY, gone.content, ERASED_AT)
        made[ERASED] = replace(gone, person=kept)
    return tuple(made)


def _sealed(before: str, revision: int, command: str, *, person: Person) -> Sealed:
    content = Content(
        organization=ACME,
        revision=revision,
        kind="change" if revision else "found",
        instant=revision,
        request_id=None,
        command=command,
        delta=audit_chain.NO_FACTS,
        commitment=audit_chain.commitment(str(person.salt), str(person.actor), person.reason),
    )
    return audit_chain.sealed(KEY, before, content, person=person)


def edited(whole: tuple[Sealed, ...], edit: Edit) -> tuple[Sealed, ...]:
    """Return the chain after the edit. Raises `ValueError` when it changes nothing."""
    if edit.change == "nothing":
        return whole
    if edit.at >= len(whole):
        message = "there is no such event"
        raise ValueError(message)
    victim = whole[edit.at]
    put = EDITS[edit.change](victim)
    if put == (victim,):
        message = "the edit changes nothing"
        raise ValueError(message)
    return (*whole[: edit.at], *put, *whole[edit.at + 1 :])


def _command(victim: Sealed) -> tuple[Sealed, ...]:
    return (replace(victim, content=replace(victim.content, command="another")),)


def _before(victim: Sealed) -> tuple[Sealed, ...]:
    """An event that the service itself sealed, after another one: from a copy that went on."""
    other = replace(victim.content, command="another")
    return (audit_chain.sealed(KEY, "another seal", other, person=_person(victim)),)


def _removed(_: Sealed) -> tuple[Sealed, ...]:
    return ()


def _actor(victim: Sealed) -> tuple[Sealed, ...]:
    told = _person(victim)
    return (victim if told.actor is None else replace(victim, person=replace(told, actor="mal")),)


def _reason(victim: Sealed) -> tuple[Sealed, ...]:
    told = _person(victim)
    return (victim if told.actor is None else replace(victim, person=replace(told, reason="ok")),)


def _erased(victim: Sealed) -> tuple[Sealed, ...]:
    """A mark as it would be made, but for the key."""
    content = victim.content
    fields = (content.organization, content.revision, content.commitment, ERASED_AT)
    framed = audit_chain._framed(fields)  # noqa: SLF001 - how marks are made is no secret
    mark = hmac.digest(b"", framed, hashlib.sha256).hex()
    return (replace(victim, person=Person(None, None, None, ERASED_AT, mark)),)


def _later(victim: Sealed) -> tuple[Sealed, ...]:
    told = _person(victim)
    if told.erased_at is None:
        return (victim,)
    return (replace(victim, person=replace(told, erased_at=told.erased_at + 1)),)


def _person(victim: Sealed) -> Person:
    if victim.person is None:
        message = "nobody made the event"
        raise ValueError(message)
    return victim.person


EDITS: Final[dict[Change, Callable[[Sealed], tuple[Sealed, ...]]]] = {
    "command": _command,
    "before": _before,
    "removed": _removed,
    "actor": _actor,
    "reason": _reason,
    "erased": _erased,
    "later erasure": _later,
}


def unnoticed(small: Small, edit: Edit) -> Objection | None:
    """Object to an edit that is not found at its event, and to a fault of an honest chain."""
    whole = chain(small)
    tampered = edited(whole, edit)
    last = whole[-1]
    anchor = Anchor(last.content.revision, last.mac, "UTC", whole[0].content.instant, None)
    found = tuple(fault.revision for fault in faults(KEY, anchor, tampered))[:1]
    must = () if edit.change == "nothing" else (edit.at,)
    return None if found == must else Objection(_told(must), _told(found))


def _told(found: tuple[int, ...]) -> str:
    return f"the first fault is at event {found[0]}" if found else "no fault is found"


def edits(facts: Facts) -> Iterator[Edit]:
    """Yield every edit at every event."""
    events = len(facts) + 1
    yield Edit("nothing", 0)
    for change in EDITS:
        for at in range(events):
            if (change in {"actor", "reason"} and at == ERASED) or (
                change == "later erasure" and at != ERASED
            ):
                continue
            if change == "before" and at == 0:
                continue
            yield Edit(change, at)


def told(edit: Edit) -> str:
    """Return the edit in words."""
    return CHANGES[edit.change].format(at=edit.at)


PROPERTIES = {"P-AUDIT": Property((STAFF,), edits, unnoticed, told)}
