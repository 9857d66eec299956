"""Doing what was asked once, however often it is asked: a key of the caller's, and its receipt.

A receipt is written in the transaction of the change. It names the revision that the change made;
an answer follows from the request and the revision, so the same request is answered the same.
A use makes no revision, so what is kept of it is the answer.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from grantproof.core.identifiers import OrganizationId

RECEIPT_SECONDS: Final = 24 * 3_600
"""How long a key is remembered; after that the same key is a new request."""


@dataclass(frozen=True, slots=True)
class Once:
    """What a caller asks to be done once: its own `key`, and a digest of all that it asks."""

    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """That `actor` asked for what `once` says at `instant` (epoch seconds), and what it made."""

    organization: OrganizationId
    actor: str
    once: Once
    revision: int
    instant: int

    @property
    def outdated(self) -> int:
        """The last instant of receipts that are outdated when this one is written."""
        return self.instant - RECEIPT_SECONDS


@dataclass(frozen=True, slots=True)
class KeyReceipt:
    """That `actor` asked for what `once` says at `instant`, and the API key `prefix` was made.

    Nothing of the key's text is in it.
    """

    actor: str
    once: Once
    prefix: str
    instant: int

    @property
    def outdated(self) -> int:
        """The last instant of receipts that are outdated when this one is written."""
        return self.instant - RECEIPT_SECONDS


@dataclass(frozen=True, slots=True)
class Consumption:
    """That `actor` asked for the use that `once` says at `instant`, and what was answered."""

    organization: OrganizationId
    actor: str
    once: Once
    instant: int
    answer: str


@dataclass(frozen=True, slots=True)
class Pledge:
    """Whose use is to be counted once, under which key."""

    actor: str
    once: Once


@dataclass(frozen=True, slots=True)
class Retold:
    """The same use was counted before, and answered so; nothing was counted again."""

    answer: str


@dataclass(frozen=True, slots=True)
class Repeated:
    """The same was asked before, and made this revision; nothing was done again."""

    revision: int


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The key was used before, to ask for something else; nothing was done."""


@dataclass(frozen=True, slots=True)
class InProgress:
    """The same key is being worked on right now; nothing was done by this call."""


def recalled(receipt: Receipt | None, once: Once) -> Repeated | KeyReused | None:
    """Return what a receipt under the key means for what is asked now; nothing if there is none."""
    if receipt is None:
        return None
    return Repeated(receipt.revision) if receipt.once == once else KeyReused()


def retold(known: Consumption, once: Once) -> Retold | KeyReused:
    """Return what an answer that is kept under the key means for what is asked now."""
    return Retold(known.answer) if known.once == once else KeyReused()


class Underway:
    """The keys that this process is working on. Of two callers with one key, one works.

    Another process may work on the same key: then one of them loses the race for the revision, and
    finds the receipt of the other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: set[tuple[str, str, str]] = set()

    @contextmanager
    def alone(self, organization: str, actor: str, once: Once | None) -> Iterator[bool]:
        """Yield whether nobody else is working on the key; without a key, nobody is."""
        name = (organization, actor, "" if once is None else once.key)
        with self._lock:
            free = once is None or name not in self._keys
            if once is not None and free:
                self._keys.add(name)
        try:
            yield free
        finally:
            if once is not None and free:
                with self._lock:
                    self._keys.discard(name)
