"""The audit: is the chain of events whole, what is it now, and who is to be forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol

from grantproof.service.audit_chain import (
    Checkpoint,
    Fault,
    Sealed,
    adopted_until,
    faults,
)
from grantproof.service.ports import Clock, Difference, Ledger

FAULTS_MAX: Final = 100
"""Nobody reads more, and a chain may be as long as it likes."""


class Signer(Protocol):
    """Signs with a key that only we have, so that anybody can tell what is signed by it."""

    @property
    def public_key(self) -> str:
        """What signatures are checked with, in hexadecimal digits."""
        ...

    def sign(self, message: bytes) -> str:
        """Return the signature of the message, in hexadecimal digits."""
        ...

    def signed(self, message: bytes, signature: str, *, public_key: str) -> bool:
        """Return whether the signature is that of the message by the holder of the key."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of one chain: length, last seal, and first faults, none when it is whole.

    `adopted` is the revision up to which the events were sealed later than they were made, `erased`
    how many of them no longer tell who made them.
    """

    organization: str
    length: int
    head: str
    faults: tuple[Fault, ...]
    adopted: int | None
    erased: int


class AuditPoint:
    """Verifies, signs and erases; everything it knows it reads from the ledger."""

    def __init__(self, ledger: Ledger, signer: Signer, *, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self.signer = signer

    def organizations(self) -> tuple[str, ...]:
        """Return the ids of all that have a history, deleted ones too, in order."""
        return self._ledger.organizations()

    def verify(self, organization: str, *, checkpoint: Checkpoint | None = None) -> Verdict:
        """Return what is found of the chain of one organization; reads all of it."""
        with self._ledger.chain(organization) as (anchor, chain):
            seen = _Seen(chain)
            found = faults(self._ledger.key, anchor, seen, checkpoint=checkpoint)
            first = tuple(islice(found, FAULTS_MAX))
            for _ in seen:
                pass  # Faults may have ended before the chain did.
        strays = (
            Fault(revision, "an author without an event was inserted")
            for revision in self._ledger.strays(organization)
        )
        told = (*first, *strays)[:FAULTS_MAX]
        return Verdict(organization, seen.length, seen.head, told, seen.adopted, seen.erased)

    def checkpoint(self, organization: str) -> Checkpoint | Verdict:
        """Return how far the chain is now, or what is wrong with it."""
        found = self.verify(organization)
        if found.faults:
            return found
        now, key_id = self._clock.now(), self._ledger.key.id
        return Checkpoint(organization, found.length, found.head, now, key_id)

    def signed(self, checkpoint: Checkpoint, signature: str, *, public_key: str | None) -> bool:
        """Return whether the checkpoint was signed with the public key, by default our own."""
        known = self.signer.public_key if public_key is None else public_key
        return self.signer.signed(checkpoint.message(), signature, public_key=known)

    def erase(
        self, organization: str, *, actor: str | None = None, revision: int | None = None
    ) -> int:
        """Erase who made the events of an actor, or one event, and why; return how many."""
        return self._ledger.erase(
            organization, instant=self._clock.now(), actor=actor, revision=revision
        )

    def differences(self, organization: str) -> Iterator[Difference]:
        """Yield how the stored rows differ from what the events make."""
        return self._ledger.differences(organization)


class _Seen:
    """A chain on its way, and what there is to tell of it when it has passed."""

    def __init__(self, chain: Iterator[Sealed]) -> None:
        self._chain = chain
        self.length = self.erased = 0
        self.head = ""
        self.adopted: int | None = None

    def __iter__(self) -> Iterator[Sealed]:
        for entry in self._chain:
            self.length, self.head = self.length + 1, entry.mac
            if entry.person is not None and entry.person.erased_at is not None:
                self.erased += 1
            if entry.content.kind == "found":
                self.adopted = adopted_until(entry.content)
            yield entry
