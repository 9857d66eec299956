"""The keys that this process knows: all of them in memory, so that no decision waits for a store.

Whoever holds a keyring keeps it fresh by `look`; how stale it may be is theirs to judge.
"""

import threading
from dataclasses import dataclass, replace
from hmac import compare_digest
from typing import Final

from grantproof.core.errors import Illegal
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.core.limits import KEYS_MAX
from grantproof.service.authors import Author
from grantproof.service.callers import WITHIN_ORGANIZATION, Caller, Scope
from grantproof.service.credentials import (
    DEMO_TEXT,
    PREFIX_AT,
    PREFIX_LENGTH,
    PREFIX_OF_DEMO,
    SECRET_BYTES,
    Key,
    Keys,
    Mark,
    digest,
    key_text,
    secret_of,
)
from grantproof.service.demo import ACME, AUTHOR
from grantproof.service.pap import NO_ORGANIZATION, NoOrganization
from grantproof.service.ports import Clock
from grantproof.service.receipts import (
    RECEIPT_SECONDS,
    InProgress,
    KeyReceipt,
    KeyReused,
    Once,
    Underway,
)
from grantproof.service.sampling import Chance
from grantproof.service.snapshots import Snapshots

ATTEMPTS_MAX: Final = 4
"""How often another prefix is drawn; that even one is taken happens next to never."""


OF_NONE: Final = ""
"""Stands for the organization where idempotency keys are told apart: API keys are of none."""


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A key that is wanted; the fields are those of `Key`."""

    organization: OrganizationId | None
    principal: PrincipalId | None
    scopes: frozenset[Scope]
    label: str = ""
    expires_at: int | None = None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made. `text` is nowhere else and cannot be had again."""

    text: str
    key: Key


@dataclass(frozen=True, slots=True)
class NoSuchPrincipal:
    """The key names a principal that its organization does not have."""


@dataclass(frozen=True, slots=True)
class TooManyKeys:
    """There are as many keys as there may be."""


@dataclass(frozen=True, slots=True)
class MadeBefore:
    """The same was asked before, and made the key; `key` is as it was then. Nothing was made now.

    Its text was told once and is kept nowhere: who has lost it revokes the key and makes another.
    """

    key: Key


Made = NewKey | MadeBefore | NoOrganization | NoSuchPrincipal | TooManyKeys | KeyReused | InProgress


@dataclass(frozen=True, slots=True)
class _Held:
    """What is looked at when a key is presented."""

    digest: bytes
    expires_at: int | None
    caller: Caller


class Keyring:
    """Makes, revokes and recognizes keys. Methods may be called from any thread.

    Without `demo` the demo's key is none, whatever the store holds: everybody knows it.
    """

    def __init__(
        self,
        keys: Keys,
        snapshots: Snapshots,
        *,
        clock: Clock,
        chance: Chance,
        demo: bool = False,
    ) -> None:
        self._keys = keys
        self._snapshots = snapshots
        self._clock = clock
        self._chance = chance
        self._demo = demo
        self._underway = Underway()
        self._lock = threading.Lock()
        self._mark: Mark | None = None
        self._held: dict[bytes, _Held] = {}
        self._revoked_here: set[bytes] = set()

    def caller(self, text: bytes) -> Caller | None:
        """Return who calls with the key; nothing for every text that is no key that counts now."""
        held = self._held.get(text[PREFIX_AT])
        if held is None or not compare_digest(held.digest, digest(text)):
            return None
        if held.expires_at is not None and self._clock.now() >= held.expires_at:
            return None
        return held.caller

    def knows(self, text: bytes) -> bool:
        """Return whether a key with that prefix counts, or did until it expired."""
        return text[PREFIX_AT] in self._held

    def look(self) -> None:
        """Learn what was made and revoked since the last look; raises `StoreError`."""
        # One look at a time: an older one must not come after a newer one.
        with self._lock:
            if self._mark is not None and self._keys.mark() == self._mark:
                return
            mark, found = self._keys.usable()
            held = {
                key.prefix.encode(): _Held(bytes.fromhex(key.digest), key.expires_at, key.caller)
                for key in found
                if self._demo or key.prefix != PREFIX_OF_DEMO
            }
            for prefix in self._revoked_here:
                held.pop(prefix, None)
            self._held, self._mark = held, mark

    def create(self, wanted: KeyRequest, *, by: Author, once: Once | None = None) -> Made:
        """Make a key; raises `Illegal` for one that cannot be, `StoreError`.

        A principal must exist when its key is made. What becomes of it later is decided at each
        request, by what its organization then says of it. With `once` at most one key is made,
        however often and wherever the same is asked.
        """
        with self._underway.alone(OF_NONE, by.actor, once) as alone:
            if not alone:
                return InProgress()
            known = self._made_before(once, by=by)
            return self._create(wanted, by=by, once=once) if known is None else known

    def _create(self, wanted: KeyRequest, *, by: Author, once: Once | None) -> Made:
        now = self._clock.now()
        if wanted.expires_at is not None and wanted.expires_at <= now:
            raise Illegal("expires_at", "must be in the future")
        missing = self._missing(wanted)
        if missing is not None:
            return missing
        if self._keys.mark()[0] >= KEYS_MAX:
            return TooManyKeys()
        for _ in range(ATTEMPTS_MAX):
            prefix = self._chance.draw(PREFIX_LENGTH // 2).hex()
            made = _made(prefix, secret_of(self._chance.draw(SECRET_BYTES)), wanted, at=now, by=by)
            receipt = None if once is None else KeyReceipt(by.actor, once, prefix, now)
            if self._keys.create(made.key, receipt=receipt):
                return made
            # Perhaps not for its prefix: another process may have been faster under the same key.
            known = self._made_before(once, by=by)
            if known is not None:
                return known
        message = f"{ATTEMPTS_MAX} prefixes drawn at random were all taken: is chance broken?"
        raise RuntimeError(message)

    def _made_before(self, once: Once | None, *, by: Author) -> MadeBefore | KeyReused | None:
        if once is None:
            return None
        after = self._clock.now() - RECEIPT_SECONDS
        receipt = self._keys.receipt(actor=by.actor, key=once.key, after=after)
        if receipt is None:
            return None
        if receipt.once != once:
            return KeyReused()
        key = self._keys.find(receipt.prefix)
        # What became of the key since is no part of what was answered.
        return None if key is None else MadeBefore(replace(key, revoked_at=None, revoked_by=None))

    def revoke(self, prefix: str, *, by: Author) -> bool:
        """Revoke a key, here at once; false when there is none or it is revoked already."""
        revoked = self._keys.revoke(prefix, actor=by.actor, instant=self._clock.now())
        if revoked:
            with self._lock:
                self._revoked_here.add(prefix.encode())
                self._held.pop(prefix.encode(), None)
        return revoked

    def page(self, *, after: str = "", limit: int) -> tuple[Key, ...]:
        """Return keys, revoked and expired ones too, in the order of their prefixes."""
        return self._keys.page(after=after, limit=limit)

    def is_empty(self) -> bool:
        """Return whether no key counts that this process would accept; as of the last look."""
        return len(self._held) == 0

    def install_demo(self) -> None:
        """Make the demo's key where there is none yet; a revoked one stays revoked."""
        wanted = KeyRequest(ACME, None, WITHIN_ORGANIZATION, label="the demo: everybody knows it")
        self._keys.create(_key(PREFIX_OF_DEMO, DEMO_TEXT, wanted, at=self._clock.now(), by=AUTHOR))

    def _missing(self, wanted: KeyRequest) -> NoOrganization | NoSuchPrincipal | None:
        if wanted.organization is None:
            return None
        index = self._snapshots.load(wanted.organization)
        if index is None:
            return NO_ORGANIZATION
        if wanted.principal is not None and wanted.principal not in index.state.principals:
            return NoSuchPrincipal()
        return None


def _made(prefix: str, secret: str, wanted: KeyRequest, *, at: int, by: Author) -> NewKey:
    text = key_text(prefix, secret)
    return NewKey(text, _key(prefix, text, wanted, at=at, by=by))


def _key(prefix: str, text: str, wanted: KeyRequest, *, at: int, by: Author) -> Key:
    return Key(
        prefix,
        digest(text.encode()).hex(),
        wanted.organization,
        wanted.principal,
        wanted.scopes,
        wanted.label,
        created_at=at,
        created_by=by.actor,
        expires_at=wanted.expires_at,
    )
